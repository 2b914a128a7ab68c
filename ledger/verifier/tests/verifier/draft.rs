//! Drafts: transactions on their way from hand to hand.

use sigeli_verifier::{
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    ids::{KeyIndex, Signature},
    params::{SIGNATURES_PER_TRANSACTION_MAX, TRANSACTION_BYTES_MAX},
    transaction::{DRAFT_MAGIC, Draft, DraftError, SignedTransaction, Transaction, TransactionSignature},
};

use crate::{common::draw::Draw, limits::status_transaction_of};

fn entry(key: u16) -> TransactionSignature {
    TransactionSignature { key: KeyIndex::new(key), signature: Signature::new([key as u8; 64]) }
}

/// The transaction of a seed, signed by these keys in this order.
fn draft(seed: u64, keys: &[u16]) -> Draft {
    let mut draft = Draft::new(Draw::new(seed).transaction());
    for key in keys {
        assert_eq!(draft.add(entry(*key)), Ok(()));
    }
    draft
}

fn keys(draft: &Draft) -> Vec<u16> {
    draft.signatures().iter().map(|entry| entry.key.get()).collect()
}

#[test]
fn signatures_come_in_any_order_and_stand_in_the_order_of_their_keys() {
    let orders = [[1, 300, 7], [300, 7, 1], [7, 1, 300]].map(|order| draft(1, &order));
    for signed in &orders {
        assert_eq!(keys(signed), [1, 7, 300]);
        assert_eq!(signed, &orders[0]);
        assert_eq!(Draft::from_bytes(&signed.to_bytes()).as_ref(), Ok(signed));
        let transaction = signed.signed().unwrap();
        assert_eq!((transaction.body(), transaction.signatures()), (signed.body(), signed.signatures()));
        // The file is the magic, then the signed transaction.
        assert_eq!(signed.to_bytes(), [&DRAFT_MAGIC[..], &transaction.to_bytes()].concat());
    }
}

#[test]
fn a_draft_without_signatures_is_a_file_and_no_transaction() {
    let unsigned = draft(2, &[]);
    assert_eq!(unsigned.signed(), None);
    assert_eq!(Draft::from_bytes(&unsigned.to_bytes()).as_ref(), Ok(&unsigned));
    assert!(SignedTransaction::from_bytes(&unsigned.to_bytes()[8..]).is_err());
}

#[test]
fn the_same_signature_again_changes_nothing_and_another_of_the_same_key_is_refused() {
    let mut signed = draft(3, &[5]);
    let before = signed.clone();
    assert_eq!(signed.add(entry(5)), Ok(()));
    assert_eq!(signed, before);
    let other = TransactionSignature { signature: Signature::new([0xAA; 64]), ..entry(5) };
    assert_eq!(signed.add(other), Err(DraftError::DifferentSignatures));
    assert_eq!(signed, before);
}

#[test]
fn copies_are_merged_whatever_each_of_them_holds() {
    let (left, right, both) = (draft(4, &[1, 3]), draft(4, &[2, 3]), draft(4, &[1, 2, 3]));
    for (first, second) in [(&left, &right), (&right, &left), (&both, &left), (&left, &both), (&draft(4, &[]), &both)] {
        let mut merged = first.clone();
        assert_eq!(merged.merge(second), Ok(()));
        assert_eq!(merged, both);
    }
}

#[test]
fn what_cannot_be_merged_leaves_the_draft_as_it_was() {
    let mut ours = draft(5, &[1, 9]);
    let before = ours.clone();
    let theirs = draft(6, &[2]);
    let other = theirs.body().id();
    assert_eq!(ours.merge(&theirs), Err(DraftError::DifferentTransactions { other }));
    assert_eq!(ours, before);
    // A good signature comes before the false one, and is not kept either.
    let mut theirs = draft(5, &[2]);
    theirs.add(TransactionSignature { signature: Signature::new([0xAA; 64]), ..entry(9) }).unwrap();
    assert_eq!(ours.merge(&theirs), Err(DraftError::DifferentSignatures));
    assert_eq!(ours, before);
}

#[test]
fn a_draft_takes_512_signatures_and_no_more() {
    assert_eq!(SIGNATURES_PER_TRANSACTION_MAX, 512);
    let every: Vec<u16> = (0..512).collect();
    let mut full = draft(7, &every);
    let before = full.clone();
    assert_eq!(full.signed().unwrap().signatures().len(), 512);
    assert_eq!(Draft::from_bytes(&full.to_bytes()).as_ref(), Ok(&full));
    assert_eq!(full.add(entry(512)), Err(DraftError::TooLarge));
    assert_eq!(full.add(entry(511)), Ok(()));
    assert_eq!(full.merge(&draft(7, &[512])), Err(DraftError::TooLarge));
    assert_eq!(full, before);
    let mut encoded = [&DRAFT_MAGIC[..], &full.body().to_bytes(), &513_u16.to_le_bytes()].concat();
    (0..513).for_each(|key| entry(key).encode(&mut encoded));
    assert_eq!(Draft::from_bytes(&encoded), Err(DecodeError::LimitExceeded { field: "signatures", limit: 512 }));
}

#[test]
fn a_draft_never_grows_beyond_a_transaction() {
    // A body that leaves room for one signature, to the byte; and one a byte longer.
    let (body, signatures): (Transaction, _) = status_transaction_of(TRANSACTION_BYTES_MAX);
    let mut fits = Draft::new(body);
    for signature in &signatures {
        assert_eq!(fits.add(*signature), Ok(()));
    }
    assert_eq!(fits.to_bytes().len(), 8 + TRANSACTION_BYTES_MAX);
    assert_eq!(Draft::from_bytes(&fits.to_bytes()).as_ref(), Ok(&fits));
    assert_eq!(fits.add(entry(u16::MAX)), Err(DraftError::TooLarge));

    let (body, signatures) = status_transaction_of(TRANSACTION_BYTES_MAX + 1);
    let mut larger = Draft::new(body.clone());
    let (last, most) = signatures.split_last().unwrap();
    for signature in most {
        assert_eq!(larger.add(*signature), Ok(()));
    }
    assert_eq!(larger.add(*last), Err(DraftError::TooLarge));
    let mut encoded = [&DRAFT_MAGIC[..], &body.to_bytes(), &(signatures.len() as u16).to_le_bytes()].concat();
    signatures.iter().for_each(|signature| signature.encode(&mut encoded));
    let limit = TRANSACTION_BYTES_MAX;
    assert_eq!(Draft::from_bytes(&encoded), Err(DecodeError::LimitExceeded { field: "transaction", limit }));
}

#[test]
fn a_draft_file_is_read_strictly() {
    let signed = draft(8, &[1, 2]);
    let encoded = signed.to_bytes();
    for position in 0..8 {
        let mut other = encoded.clone();
        other[position] ^= 1;
        assert_eq!(Draft::from_bytes(&other), Err(DecodeError::NonCanonical { field: "magic" }));
    }
    assert_eq!(Draft::from_bytes(&[&encoded[..], &[0]].concat()), Err(DecodeError::TrailingBytes { count: 1 }));
    let with = |keys: [u16; 2]| {
        let mut bytes = [&DRAFT_MAGIC[..], &signed.body().to_bytes(), &2_u16.to_le_bytes()].concat();
        keys.iter().for_each(|key| entry(*key).encode(&mut bytes));
        Draft::from_bytes(&bytes)
    };
    assert_eq!(with([1, 2]).as_ref(), Ok(&signed));
    for disordered in [[2, 1], [1, 1]] {
        assert_eq!(with(disordered), Err(DecodeError::NonCanonical { field: "signatures" }));
    }
}

#[test]
fn a_signature_of_another_algorithm_is_no_signature_yet() {
    let signed = draft(9, &[3]);
    let transaction = signed.signed().unwrap().to_bytes();
    let place = transaction.len() - 65;
    assert_eq!(transaction[place], 1);
    for other in [0, 2, u8::MAX] {
        let mut bytes = transaction.clone();
        bytes[place] = other;
        let error = DecodeError::UnknownValue { field: "signature_algorithm", value: other.into() };
        assert_eq!(SignedTransaction::from_bytes(&bytes), Err(error));
        let file = [&DRAFT_MAGIC[..], &bytes].concat();
        assert_eq!(Draft::from_bytes(&file), Err(error));
    }
}
