//! Evidence: two messages of one key for one slot, in a file that accuses by itself.

use ed25519_dalek::SigningKey;
use sigeli_verifier::{
    crypto::PublicKey,
    decode::DecodeError,
    encode::Encode as _,
    evidence::{EVIDENCE_BYTES_MAX, EVIDENCE_MAGIC, Evidence, EvidenceError},
    ids::{BlockId, GenesisHash, Height, Round, Signature},
    statement::{SignedStatement, Statement},
    validators::address,
    vote::{Proposal, Vote, VoteKind},
};

use crate::common::world::{seed, sign, signing_key};

pub(crate) fn key_of(signing: &SigningKey) -> PublicKey {
    PublicKey::from_ed25519(signing.verifying_key().as_bytes()).unwrap()
}

pub(crate) fn genesis() -> GenesisHash {
    GenesisHash::new(seed("genesis", 9))
}

pub(crate) fn signed(signing: &SigningKey, statement: Statement) -> SignedStatement {
    let signature = Signature::new(sign(signing, &statement.preimage(&genesis())));
    SignedStatement { statement, signature }
}

fn block(number: u64) -> BlockId {
    BlockId::new(seed("block", number))
}

fn vote(signing: &SigningKey, kind: VoteKind, block: Option<BlockId>) -> Statement {
    let validator = address(&key_of(signing));
    Statement::Vote(Vote { kind, height: Height::new(7), round: Round::new(2), block, validator })
}

fn proposal(signing: &SigningKey, valid_round: Option<u32>, number: u64) -> Statement {
    Statement::Proposal(Proposal {
        height: Height::new(7),
        round: Round::new(2),
        valid_round: valid_round.map(Round::new),
        block: block(number),
        proposer: address(&key_of(signing)),
    })
}

/// A pair of each kind: prevotes, precommits of which one is for nil, proposals of two blocks, and of one block with
/// different valid rounds.
pub(crate) fn pairs(signing: &SigningKey) -> [(SignedStatement, SignedStatement); 4] {
    [
        (vote(signing, VoteKind::Prevote, Some(block(1))), vote(signing, VoteKind::Prevote, Some(block(2)))),
        (vote(signing, VoteKind::Precommit, Some(block(1))), vote(signing, VoteKind::Precommit, None)),
        (proposal(signing, None, 1), proposal(signing, None, 2)),
        (proposal(signing, Some(0), 1), proposal(signing, Some(1), 1)),
    ]
    .map(|(one, other)| (signed(signing, one), signed(signing, other)))
}

#[test]
fn two_messages_for_one_slot_are_evidence_in_whichever_order_they_come() {
    let signing = signing_key(1);
    let mut longest = 0;
    for (one, other) in pairs(&signing) {
        let evidence = Evidence::new(genesis(), key_of(&signing), one, other).unwrap();
        assert_eq!(Evidence::new(genesis(), key_of(&signing), other, one), Ok(evidence));
        assert_eq!(Evidence::read(&evidence.to_file()), Ok(evidence));
        assert_eq!(evidence.slot(), one.statement.slot());
        let [first, second] = evidence.statements();
        assert!(first.statement.preimage(&genesis()) < second.statement.preimage(&genesis()));
        longest = longest.max(evidence.to_file().len());
    }
    assert_eq!(longest, EVIDENCE_BYTES_MAX);
}

#[test]
fn what_proves_nothing_is_refused() {
    let (signing, stranger) = (signing_key(1), signing_key(2));
    let [(one, other), (precommit, nil), ..] = pairs(&signing);
    let judge = |one, other| Evidence::new(genesis(), key_of(&signing), one, other).map(drop);
    assert_eq!(judge(one, one), Err(EvidenceError::Same));
    assert_eq!(judge(one, precommit), Err(EvidenceError::Slot));
    // Another round, another height.
    for (height, round) in [(7, 3), (8, 2)] {
        let Statement::Vote(vote) = other.statement else { unreachable!() };
        let moved = Statement::Vote(Vote { height: Height::new(height), round: Round::new(round), ..vote });
        assert_eq!(judge(one, signed(&signing, moved)), Err(EvidenceError::Slot));
    }
    let [(foreign, _), ..] = pairs(&stranger);
    assert_eq!(judge(one, foreign), Err(EvidenceError::Validator));
    // The right name, but signed by somebody else; or for another ledger.
    let forged = SignedStatement { signature: signed(&stranger, other.statement).signature, ..other };
    assert_eq!(judge(one, forged), Err(EvidenceError::Signature));
    assert_eq!(judge(forged, one), Err(EvidenceError::Signature));
    let elsewhere = GenesisHash::new(seed("genesis", 10));
    assert_eq!(Evidence::new(elsewhere, key_of(&signing), one, other), Err(EvidenceError::Signature));
    assert!(judge(precommit, nil).is_ok());
}

#[test]
fn the_name_does_not_depend_on_the_signatures_bytes_but_on_all_that_was_signed() {
    let signing = signing_key(1);
    let ids: Vec<_> = pairs(&signing)
        .into_iter()
        .map(|(one, other)| Evidence::new(genesis(), key_of(&signing), one, other).unwrap().id())
        .collect();
    assert!((1..ids.len()).all(|position| !ids[..position].contains(&ids[position])));
}

#[test]
fn every_single_bit_flip_of_a_file_is_refused() {
    let signing = signing_key(1);
    for (one, other) in pairs(&signing) {
        let file = Evidence::new(genesis(), key_of(&signing), one, other).unwrap().to_file();
        for position in 0..file.len() * 8 {
            let mut flipped = file.clone();
            flipped[position / 8] ^= 1 << (position % 8);
            assert!(Evidence::read(&flipped).is_err(), "bit {position}");
        }
        for length in 0..file.len() {
            assert!(Evidence::read(&file[..length]).is_err(), "{length} bytes");
        }
        let trailing = [&file[..], &[0]].concat();
        assert!(matches!(Evidence::read(&trailing), Err(EvidenceError::Decode(_))));
    }
}

#[test]
fn the_two_messages_stand_in_one_order_only() {
    let signing = signing_key(1);
    let [(one, other), ..] = pairs(&signing);
    let evidence = Evidence::new(genesis(), key_of(&signing), one, other).unwrap();
    let [first, second] = evidence.statements();
    let swapped =
        [&EVIDENCE_MAGIC[..], genesis().as_bytes(), &evidence.key().to_bytes(), &second.to_bytes(), &first.to_bytes()]
            .concat();
    let refusal = DecodeError::NonCanonical { field: "second" };
    assert_eq!(Evidence::read(&swapped), Err(EvidenceError::Decode(refusal)));
}
