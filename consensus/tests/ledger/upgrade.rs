//! A program that does not know the protocol version on which the authorities have agreed stops before its first block,
//! whatever it is asked, and says which version and height need a newer program.

use std::sync::Arc;

use ed25519_dalek::Signer as _;
use sigeli_consensus::{
    application::LedgerApplication,
    ports::{Application as _, Fatal, ProposeContext},
    simulator::{Simulation, TestFactory},
};
use sigeli_ledger::{chain::Chain, genesis::Genesis, memory::MemoryStore};
use sigeli_verifier::{
    ids::{AuthorityId, DecisionRef, GovernanceSequence, Height, KeyIndex, Round, Signature, TimeMs, ValidatorAddress},
    params::UPGRADE_NOTICE_BLOCKS_MIN,
    transaction::{Payload, Sender, SignedTransaction, Transaction, TransactionSignature, UpgradeSchedule, joint_key},
};

use crate::{
    certificate,
    support::{document, secret},
};

const FOUNDED: TimeMs = TimeMs::new(1_800_000_000_000);

fn genesis() -> Genesis {
    Genesis::new(document(&Simulation::<TestFactory>::validators(0..4), FOUNDED)).expect("a sound document")
}

/// Ministry, quality agency and EMIS announce version 2.
fn announcement(genesis: &Genesis, height: Height) -> SignedTransaction {
    let body = Transaction {
        genesis: genesis.genesis_hash(),
        valid_until: TimeMs::new(FOUNDED.get() + 3_600_000),
        sender: Sender::Authorities { sequence: GovernanceSequence::new(1) },
        payload: Payload::UpgradeSchedule(UpgradeSchedule { decision: DecisionRef::new([5; 32]), version: 2, height }),
    };
    let signature = |authority: u8| TransactionSignature {
        key: KeyIndex::new(joint_key(AuthorityId::new(authority), 0).get()),
        signature: Signature::new(secret(1, authority).sign(&body.preimage()).to_bytes()),
    };
    let signatures = (0..3).map(signature).collect();
    SignedTransaction::new(body, signatures).expect("three signatures")
}

fn context(ledger: &LedgerApplication<MemoryStore>, creator: ValidatorAddress) -> ProposeContext {
    let height = ledger.head().height.next();
    let now = TimeMs::new(FOUNDED.get() + height.get() * 1_000);
    ProposeContext { height, round: Round::new(0), now, creator }
}

#[test]
fn a_program_stops_before_the_first_block_of_a_version_that_it_does_not_know() {
    let genesis = genesis();
    let creator = genesis.validator_set().validators()[0].address();
    let chain = Chain::open(MemoryStore::new(), genesis.clone()).expect("a new store");
    let mut ledger = LedgerApplication::new(chain).expect("a sound schedule");
    let first = Height::new(1 + UPGRADE_NOTICE_BLOCKS_MIN);
    let transaction = announcement(&genesis, first);
    ledger.admit(transaction.clone(), FOUNDED).expect("the version is known still");
    let mut last = None;
    while ledger.head().height.next() < first {
        let proposed = ledger.propose(&context(&ledger, creator)).expect("the version is known still");
        let block = Arc::new(proposed);
        assert_eq!(block.transactions.is_empty(), last.is_some(), "the first block announces");
        ledger.commit(Arc::clone(&block), certificate(&block)).expect("the last block before is committed");
        last = Some(block);
    }
    let stopped = Fatal::UpgradeNeeded { version: 2, height: first };
    let mut later = (*last.expect("a hundred blocks")).clone();
    later.header.height = first;
    let next = context(&ledger, creator);
    assert_eq!(ledger.propose(&next), Err(stopped.clone()));
    assert_eq!(ledger.validate(&later, None), Err(stopped.clone()));
    assert_eq!(ledger.admit(transaction, next.now), Err(stopped.clone()));
    // It stays so after a restart; nothing is lost.
    let medium = ledger.chain().store().medium();
    let head = ledger.head();
    let chain = Chain::open(MemoryStore::open(medium), genesis).expect("what was committed is whole");
    let mut ledger = LedgerApplication::new(chain).expect("a sound schedule");
    assert_eq!(ledger.head(), head);
    assert_eq!(ledger.propose(&next), Err(stopped));
    let text = Fatal::UpgradeNeeded { version: 2, height: first }.to_string();
    assert!(text.contains("version 2") && text.contains("block 101"), "{text}");
}
