//! Conformance: the formats of `docs/protocol.md` §17 stay what they are.

use proptest::{collection::vec, prelude::*, sample::Index};
use sigeli_verifier::{
    decode::Decode as _,
    encode::Encode as _,
    proof::{
        AccreditationPage, BatchPage, EntryProof, InstitutionAnswer, PrefixProof, RegisterEntry, RegisterPage,
        StateProof,
    },
    register::RegisterPrefix,
};

use crate::{
    registers::cases,
    world::{ACCREDITATION, World},
};

/// One encoding of each format, and its length and BLAKE3 hash.
fn formats() -> [(&'static str, Vec<u8>, &'static str); 8] {
    let world = World::new();
    let (register, cases) = cases();
    let prefixes: Vec<u8> = cases.iter().flat_map(|(_, prefix)| register.prove_prefix(*prefix).to_bytes()).collect();
    let mut page = RegisterPage::new();
    for (name, value) in register.under(RegisterPrefix::ALL) {
        page.push(RegisterEntry::new(name, value).unwrap()).unwrap();
    }
    let accreditation = AccreditationPage { tally: world.tally(ACCREDITATION), page: world.page([1, 3]) };
    [
        ("state", world.state().to_bytes(), "347 ce723994031f554b8e3bea36d5cb7d0dcdf759b2dce2ba4cd41d80c0148984ce"),
        (
            "institution",
            InstitutionAnswer::Present(world.institution()).to_bytes(),
            "371 5ed57f43632d48098d86d5c3b7aeec5a00792e958d63228ed69cdc13e47c53c6",
        ),
        (
            "absent",
            world.institutions.prove(&100_u32.to_le_bytes()).to_bytes(),
            "165 4c6155e0810c9e472529361f6ab78c0d3d9c34fba2976396153ca2c1e7ec164a",
        ),
        (
            "entry",
            world.tally(ACCREDITATION).to_bytes(),
            "106 e9441a942d81f46b395e759592acc108b7c3ac59f828c443517286d536f6e85a",
        ),
        ("prefixes", prefixes, "317 df05dd1061c4592f218f98245f6dc45c629d31d629fe79dbfd02d81b700242de"),
        ("register page", page.to_bytes(), "41 1a02686eabef0dea929b59575d29959191403f04a9e7a4696ba1b21463730704"),
        (
            "batches",
            world.page(1..=3).to_bytes(),
            "762 ca4d37ea8c20c39c9e55e5e5c09fdc970649da8e29d1f707657ac66a0de43392",
        ),
        (
            "accreditation",
            accreditation.to_bytes(),
            "572 0fd074ab5115e3dd083718ca41e4ef9c1f6e5ababc02dce098d03ad7792e7b1f",
        ),
    ]
}

#[test]
fn the_formats_stay_what_they_are() {
    let formats = formats();
    let found: Vec<_> = formats.iter().map(|(name, bytes, _)| (*name, digest(bytes))).collect();
    let expected: Vec<_> = formats.iter().map(|(name, _, digest)| (*name, (*digest).to_owned())).collect();
    assert_eq!(found, expected);
}

/// Length and BLAKE3 hash.
fn digest(bytes: &[u8]) -> String {
    format!("{} {}", bytes.len(), blake3::hash(bytes).to_hex())
}

/// Decodes as the format at a place of [`formats`], and encodes again.
fn again(place: usize, bytes: &[u8]) -> Option<Vec<u8>> {
    match place {
        0 => StateProof::from_bytes(bytes).map(|value| value.to_bytes()),
        1 => InstitutionAnswer::from_bytes(bytes).map(|value| value.to_bytes()),
        2 | 3 => EntryProof::from_bytes(bytes).map(|value| value.to_bytes()),
        4 => PrefixProof::from_bytes(bytes).map(|value| value.to_bytes()),
        5 => RegisterPage::from_bytes(bytes).map(|value| value.to_bytes()),
        6 => BatchPage::from_bytes(bytes).map(|value| value.to_bytes()),
        _ => AccreditationPage::from_bytes(bytes).map(|value| value.to_bytes()),
    }
    .ok()
}

#[test]
fn every_format_reads_back() {
    for (place, (name, bytes, _)) in formats().into_iter().enumerate() {
        // The prefix proofs stand behind each other here; each reads back in `registers`.
        if name != "prefixes" {
            assert_eq!(again(place, &bytes), Some(bytes), "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Altered bytes never panic, and what is accepted is the one encoding of its value.
    #[test]
    fn what_is_read_is_canonical(place in 0_usize..8, at in any::<Index>(), patch in vec(any::<u8>(), 1..5), cut in any::<Index>()) {
        let (_, mut bytes, _) = formats()[place].clone();
        let at = at.index(bytes.len());
        bytes.splice(at..at, patch.iter().copied());
        bytes.drain(at..(at + patch.len() + cut.index(8)).min(bytes.len()));
        bytes.splice(at..at, patch.iter().rev().copied());
        if let Some(encoded) = again(place, &bytes) {
            prop_assert_eq!(encoded, bytes);
        }
    }
}
