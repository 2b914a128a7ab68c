//! A bundle in two files: what belongs together is joined, anything else is refused before it could look like a forgery.

use sigeli_verifier::{
    bundle::{Bundle, JoinError, ReceiptPart, StampPart, bundle_tag, receipt_tag},
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
};

use crate::common::world::{CREDENTIALS, World};

#[test]
fn halves_of_a_bundle_make_it_again() {
    let world = World::new();
    for credential in 0..CREDENTIALS {
        let bundle = world.bundle(credential, true);
        let (receipt, stamp) = bundle.clone().split();
        let (receipt, stamp) = (receipt.to_bytes(), stamp.to_bytes());
        // Each half is the bundle's bytes behind a head of its own.
        assert_eq!(receipt[..8], *b"SIGELIR\x01");
        assert_eq!(stamp[..8], *b"SIGELIS\x01");
        assert_eq!([&receipt[16..], &stamp[24..]].concat(), bundle.to_bytes()[16..]);
        let (receipt, stamp) = (ReceiptPart::from_bytes(&receipt).unwrap(), StampPart::from_bytes(&stamp).unwrap());
        assert_eq!(Bundle::join(receipt, stamp), Ok(bundle));
    }
}

#[test]
fn halves_of_two_bundles_are_not_joined() {
    let world = World::new();
    let (receipt, _) = world.bundle(0, false).split();
    let (_, other) = world.bundle(1, false).split();
    assert_eq!(Bundle::join(receipt.clone(), other.clone()), Err(JoinError::OtherReceipt));
    let mut foreign = other;
    foreign.ledger[0] ^= 1;
    assert_eq!(Bundle::join(receipt.clone(), foreign), Err(JoinError::OtherLedger));
    // A receipt that was changed in any bit is another one.
    let bytes = receipt.receipt.to_bytes();
    let (_, stamp) = world.bundle(0, false).split();
    for bit in 0..bytes.len() * 8 {
        let mut changed = receipt.to_bytes();
        changed[16 + bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = ReceiptPart::from_bytes(&changed) {
            assert_eq!(Bundle::join(changed, stamp.clone()), Err(JoinError::OtherReceipt), "bit {bit}");
        }
    }
}

#[test]
fn no_half_is_taken_for_another_or_for_a_bundle() {
    let world = World::new();
    let bundle = world.bundle(0, true);
    let (receipt, stamp) = bundle.clone().split();
    let magic = DecodeError::NonCanonical { field: "magic" };
    for other in [stamp.to_bytes(), bundle.to_bytes()] {
        assert_eq!(ReceiptPart::from_bytes(&other), Err(magic));
    }
    for other in [receipt.to_bytes(), bundle.to_bytes()] {
        assert_eq!(StampPart::from_bytes(&other), Err(magic));
    }
    for other in [receipt.to_bytes(), stamp.to_bytes()] {
        assert_eq!(Bundle::from_bytes(&other), Err(magic));
    }
    for part in [receipt.to_bytes(), stamp.to_bytes()] {
        for length in 0..part.len() {
            assert!(
                ReceiptPart::from_bytes(&part[..length]).is_err() && StampPart::from_bytes(&part[..length]).is_err()
            );
        }
        let trailing = [&part[..], &[0]].concat();
        assert!(ReceiptPart::from_bytes(&trailing).is_err() && StampPart::from_bytes(&trailing).is_err());
    }
}

#[test]
fn tags_are_first_bytes_of_hashes_in_domains_of_their_own() {
    let world = World::new();
    let bundle = world.bundle(3, false);
    let hash = |context: &str, bytes: &[u8]| blake3::derive_key(context, bytes)[..8].to_vec();
    let receipt = bundle.receipt.to_bytes();
    assert_eq!(
        receipt_tag(&bundle.receipt).to_vec(),
        hash("ge.microcredential.ledger 2026-11 v1 receipt tag", &receipt)
    );
    let bytes = bundle.to_bytes();
    assert_eq!(bundle_tag(&bytes).to_vec(), hash("ge.microcredential.ledger 2026-11 v1 bundle tag", &bytes));
}
