//! Every format: what is encoded decodes to itself, and nothing else does.

use proptest::prelude::*;
use sigeli_verifier::{
    batch::BatchPath,
    block::{Block, Header, HeaderProof},
    bundle::{Bundle, Receipt, ReceiptPart, Stamp, StampFile, StampPart, StatusFinding},
    certificate::CommitCertificate,
    decode::Decode,
    encode::Encode,
    record::{
        AuthorityRecord, BatchChange, BatchRecord, GovernanceRecord, InstitutionEntry, InstitutionFacts, KeyEntry,
        KeyRecord, PermissionEntry, PermissionRecord, Policy, ProgrammeRecord, StatusRecord,
    },
    register::RegisterPath,
    transaction::{Draft, Payload, PermissionScope, SignedTransaction, Transaction},
    trust::Trust,
    validators::ValidatorSet,
};

use crate::common::draw::{Draw, payload::KINDS};

fn check<T: Encode + Decode + PartialEq + std::fmt::Debug>(value: &T) -> Result<(), TestCaseError> {
    let bytes = value.to_bytes();
    prop_assert_eq!(&T::from_bytes(&bytes).unwrap(), value);
    // One byte more or less is another thing.
    prop_assert!(T::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    prop_assert!(T::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    Ok(())
}

/// Any bytes: no panic, and what is accepted encodes to the same bytes.
fn canonical<T: Encode + Decode>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(value) = T::from_bytes(bytes) {
        prop_assert_eq!(value.to_bytes(), bytes);
    }
    Ok(())
}

fn all_canonical(bytes: &[u8]) -> Result<(), TestCaseError> {
    canonical::<Transaction>(bytes)?;
    canonical::<SignedTransaction>(bytes)?;
    canonical::<Draft>(bytes)?;
    canonical::<Header>(bytes)?;
    canonical::<HeaderProof>(bytes)?;
    canonical::<Block>(bytes)?;
    canonical::<ValidatorSet>(bytes)?;
    canonical::<CommitCertificate>(bytes)?;
    canonical::<BatchPath>(bytes)?;
    canonical::<RegisterPath>(bytes)?;
    canonical::<StatusFinding>(bytes)?;
    records_canonical(bytes)?;
    canonical::<Receipt>(bytes)?;
    canonical::<Stamp>(bytes)?;
    canonical::<StampFile>(bytes)?;
    canonical::<ReceiptPart>(bytes)?;
    canonical::<StampPart>(bytes)?;
    canonical::<Bundle>(bytes)?;
    canonical::<Trust>(bytes)
}

fn records_canonical(bytes: &[u8]) -> Result<(), TestCaseError> {
    canonical::<InstitutionFacts>(bytes)?;
    canonical::<InstitutionEntry>(bytes)?;
    canonical::<KeyRecord>(bytes)?;
    canonical::<KeyEntry>(bytes)?;
    canonical::<ProgrammeRecord>(bytes)?;
    canonical::<PermissionRecord>(bytes)?;
    canonical::<PermissionEntry>(bytes)?;
    canonical::<BatchRecord>(bytes)?;
    canonical::<BatchChange>(bytes)?;
    canonical::<StatusRecord>(bytes)?;
    canonical::<AuthorityRecord>(bytes)?;
    canonical::<Policy>(bytes)?;
    canonical::<GovernanceRecord>(bytes)
}

/// How many formats [`encoded`] knows.
const FORMATS: u8 = 23;

/// One encoding of each format, chosen by `kind`.
fn encoded(kind: u8, seed: u64) -> Vec<u8> {
    let mut draw = Draw::new(seed);
    match kind {
        0 => draw.transaction().to_bytes(),
        1 => draw.signed_transaction().to_bytes(),
        2 => draw.header().to_bytes(),
        3 => draw.block().to_bytes(),
        4 => draw.validator_set().to_bytes(),
        5 => draw.certificate().to_bytes(),
        6 => draw.batch_path().to_bytes(),
        7 => draw.register_path().to_bytes(),
        8 => draw.institution_facts().to_bytes(),
        9 => draw.permission_record().to_bytes(),
        10 => draw.batch_record().to_bytes(),
        11 => draw.status_finding().to_bytes(),
        12 => draw.key_record().to_bytes(),
        13 => draw.bundle().to_bytes(),
        14 => draw.draft().to_bytes(),
        15 => draw.institution_entry().to_bytes(),
        16 => draw.key_entry().to_bytes(),
        17 => draw.programme_record().to_bytes(),
        18 => draw.permission_entry().to_bytes(),
        19 => draw.batch_change().to_bytes(),
        20 => draw.authority_record().to_bytes(),
        21 => draw.governance_record().to_bytes(),
        _ => draw.trust().to_bytes(),
    }
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(seed in any::<u64>()) {
        let mut draw = Draw::new(seed);
        check(&draw.transaction())?;
        check(&draw.signed_transaction())?;
        check(&draw.header())?;
        check(&draw.header_proof())?;
        check(&draw.block())?;
        check(&draw.validator_set())?;
        check(&draw.certificate())?;
        check(&draw.batch_path())?;
        check(&draw.register_path())?;
        check(&draw.status_finding())?;
        check(&draw.receipt())?;
        check(&draw.stamp())?;
        check(&draw.stamp_file())?;
        check(&draw.bundle())?;
        check(&draw.trust())?;
        check(&draw.draft())?;
    }

    #[test]
    fn every_record_decodes_to_itself(seed in any::<u64>()) {
        let mut draw = Draw::new(seed);
        check(&draw.writer())?;
        check(&draw.status_record())?;
        check(&draw.institution_state())?;
        check(&draw.institution_facts())?;
        check(&draw.institution_entry())?;
        check(&draw.key_record())?;
        check(&draw.key_entry())?;
        check(&draw.programme_record())?;
        check(&draw.permission_record())?;
        check(&draw.permission_entry())?;
        check(&draw.batch_record())?;
        check(&draw.batch_change())?;
        check(&draw.authority_record())?;
        check(&draw.policy())?;
        check(&draw.governance_record())?;
    }

    #[test]
    fn every_payload_decodes_to_itself(kind in prop::sample::select(KINDS.to_vec()), seed in any::<u64>()) {
        let mut draw = Draw::new(seed);
        let payload = draw.payload(kind);
        prop_assert_eq!(payload.to_bytes()[0], kind);
        check::<Payload>(&payload)?;
        check::<PermissionScope>(&draw.scope())?;
        let transaction = draw.transaction_of(payload);
        check(&transaction)?;
    }

    #[test]
    fn random_bytes_never_panic_and_are_canonical_when_accepted(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        all_canonical(&bytes)?;
        all_canonical(&[b"SIGELIB\x01", &bytes[..]].concat())?;
        all_canonical(&[b"SIGELIT\x01", &bytes[..]].concat())?;
        all_canonical(&[b"SIGELID\x01", &bytes[..]].concat())?;
    }

    #[test]
    fn altered_encodings_never_panic_and_are_canonical_when_accepted(
        kind in 0..FORMATS,
        seed in any::<u64>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encoded(kind, seed);
        for (position, value) in edits {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        all_canonical(&bytes)?;
    }
}
