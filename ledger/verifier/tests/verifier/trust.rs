//! The trust file's checksum: damage is told from content.

use sigeli_verifier::{
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    trust::Trust,
};

use crate::common::{textbook, world::World};

#[test]
fn the_file_ends_in_the_checksum_of_what_stands_before_it() {
    let bytes = World::new().trust.to_bytes();
    let (content, checksum) = bytes.split_at(bytes.len() - 32);
    assert_eq!(checksum, textbook::context("trust file", content));
    assert_eq!(Trust::from_bytes(&bytes).unwrap().checksum(), checksum);
}

/// So that a damaged file is "could not be checked", whatever it would say.
#[test]
fn every_flipped_bit_makes_the_file_unreadable() {
    let bytes = World::new().trust.to_bytes();
    let mut by_checksum_alone = 0;
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1 << bit;
            let error = Trust::from_bytes(&damaged).unwrap_err();
            by_checksum_alone += usize::from(error == DecodeError::NonCanonical { field: "checksum" });
        }
    }
    // Names, keys, heights, times and the checkpoint are free of other redundancy: nothing else would notice.
    assert!(by_checksum_alone > bytes.len() * 4, "{by_checksum_alone} of {}", bytes.len() * 8);
}

#[test]
fn every_shortened_file_is_unreadable_and_so_is_a_swapped_pair_of_bytes() {
    let bytes = World::new().trust.to_bytes();
    for length in 0..bytes.len() {
        Trust::from_bytes(&bytes[..length]).unwrap_err();
    }
    for position in 1..bytes.len() {
        let mut damaged = bytes.clone();
        damaged.swap(position - 1, position);
        assert_eq!(Trust::from_bytes(&damaged).is_ok(), damaged == bytes, "{position}");
    }
}
