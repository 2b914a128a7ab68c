//! Evidence against validators: kept for good, bounded per validator, listed in pages.

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_store::{Options, RocksStore, evidence_place};
use sigeli_verifier::{
    crypto::PublicKey,
    evidence::Evidence,
    ids::{BlockId, GenesisHash, Height, Round, Signature},
    params::EVIDENCE_PER_VALIDATOR_MAX,
    statement::{SignedStatement, Statement},
    validators::address,
    vote::{Vote, VoteKind},
};

/// A prevote for nil and one for a block, by a validator in a round.
fn evidence(validator: u8, round: u32) -> Evidence {
    let signing = SigningKey::from_bytes(&[validator; 32]);
    let key = PublicKey::from_ed25519(signing.verifying_key().as_bytes()).expect("a key derived from a secret");
    let genesis = GenesisHash::new([7; 32]);
    let signed = |block| {
        let (height, round) = (Height::new(5), Round::new(round));
        let vote = Vote { kind: VoteKind::Prevote, height, round, block, validator: address(&key) };
        let statement = Statement::Vote(vote);
        let signature = Signature::new(signing.sign(&statement.preimage(&genesis)).to_bytes());
        SignedStatement { statement, signature }
    };
    let block = BlockId::new([1; 32]);
    Evidence::new(genesis, key, signed(None), signed(Some(block))).expect("two prevotes of one round")
}

fn sorted(mut all: Vec<Evidence>) -> Vec<Evidence> {
    all.sort_by_key(evidence_place);
    all
}

#[test]
fn what_is_kept_is_there_after_a_restart_once_and_in_pages() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store");
    let all = sorted((0..3).flat_map(|round| [evidence(1, round), evidence(2, round)]).collect());
    {
        let store = RocksStore::open(&path, &Options::default()).expect("the store opens");
        let mut log = store.evidence_log();
        for piece in &all {
            assert_eq!(log.keep(piece), Ok(true));
            assert_eq!(log.keep(piece), Ok(false));
        }
    }
    let store = RocksStore::open(&path, &Options::default()).expect("the store opens again");
    assert_eq!(store.evidence_log().keep(&all[0]), Ok(false));
    let reader = sigeli_ledger::store::Store::reader(&store);
    assert_eq!(reader.evidence(None, 10), Ok(all.clone()));
    for size in 1..=7 {
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = reader.evidence(after, size).expect("the store can be read");
            let Some(last) = page.last() else { break };
            assert!(page.len() <= size);
            after = Some(evidence_place(last));
            listed.extend(page);
        }
        assert_eq!(listed, all, "pages of {size}");
    }
    assert_eq!(reader.evidence(None, 0), Ok(Vec::new()));
}

#[test]
fn one_validator_cannot_fill_the_disk() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = RocksStore::open(&directory.path().join("store"), &Options::default()).expect("the store opens");
    let mut log = store.evidence_log();
    let limit = u32::try_from(EVIDENCE_PER_VALIDATOR_MAX).expect("small");
    for round in 0..limit {
        assert_eq!(log.keep(&evidence(1, round)), Ok(true), "round {round}");
    }
    assert_eq!(log.keep(&evidence(1, limit)), Ok(false));
    // The limit is each validator's own.
    assert_eq!(log.keep(&evidence(2, limit)), Ok(true));
    let kept = sigeli_ledger::store::Store::reader(&store).evidence(None, 1_000).expect("the store can be read");
    let mut expected: Vec<_> = (0..limit).map(|round| evidence(1, round)).collect();
    expected.push(evidence(2, limit));
    assert_eq!(kept, sorted(expected));
}
