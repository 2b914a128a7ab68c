//! The real ledger and its mempool as consensus sees them. Under the simulator it runs in `seeds.rs`.

#[path = "support/ledger.rs"]
mod support;
#[path = "ledger/upgrade.rs"]
mod upgrade;

use std::sync::Arc;

use ed25519_dalek::Signer as _;
use sigeli_consensus::{
    application::{Admission, LedgerApplication},
    ports::{Application as _, ProposeContext},
    simulator::{ApplicationFactory as _, SimulatedGenesis, Simulation, TestFactory},
};
use sigeli_ledger::{chain::Chain, genesis::Genesis, memory::MemoryStore};
use sigeli_verifier::{
    block::Block,
    certificate::{CommitCertificate, CommitSignature},
    ids::{Round, Signature, TimeMs},
    vote::{Vote, VoteKind},
};

use crate::support::{LedgerFactory, document, public, registration};

/// All four validators confirm a block.
fn certificate(block: &Block) -> CommitCertificate {
    let set = Simulation::<TestFactory>::validators(0..4);
    let signatures = (0..4).map(|node| {
        let key = Simulation::<TestFactory>::key(node);
        let position = set.validators().iter().position(|validator| validator.key == public(&key)).expect("a member");
        let vote = Vote {
            kind: VoteKind::Precommit,
            height: block.header.height,
            round: Round::new(0),
            block: Some(block.header.id()),
            validator: set.validators()[position].address(),
        };
        let signature = Signature::new(key.sign(&vote.preimage(&block.header.genesis)).to_bytes());
        CommitSignature { validator: u8::try_from(position).expect("four"), signature }
    });
    CommitCertificate::new(Round::new(0), signatures.collect()).expect("four signers")
}

/// The simulator's last question to each node: a ledger that has what was acknowledged passes, one that lost it does not.
#[test]
fn what_was_acknowledged_is_proved_and_its_loss_is_noticed() {
    let start = TimeMs::new(1_800_000_000_000);
    let set = Simulation::<TestFactory>::validators(0..4);
    let mut factory = LedgerFactory::default();
    let simulated = SimulatedGenesis { genesis: factory.found(&set, start), time: start, validators: set.clone() };
    let (mut whole, mut empty) = (factory.create(0, &simulated), factory.create(1, &simulated));
    for number in 1..=12 {
        let now = TimeMs::new(start.get() + number * 1_000);
        assert!(factory.submit(0, &mut whole, now), "transaction {number} is taken");
        for ledger in [&mut whole, &mut empty] {
            let creator = ledger.head().validators.proposer(0).address;
            let context = ProposeContext { height: ledger.head().height.next(), round: Round::new(0), now, creator };
            let block = Arc::new(ledger.propose(&context).expect("memory does not fail"));
            let certificate = certificate(&block);
            ledger.commit(block, certificate).expect("a good block");
        }
    }
    let now = TimeMs::new(start.get() + 13_000);
    factory.submit(0, &mut whole, now);
    assert_eq!(factory.check_acknowledged(&whole), Ok(()));
    assert_eq!(factory.check_acknowledged(&empty), Err("a transaction"));
}

/// Two transactions that exclude each other wait in the pool. A proposal takes the first; as long as it is not committed,
/// the second is not refused, since it may be the one that is.
#[test]
fn a_proposal_that_is_not_committed_refuses_nothing() {
    let now = TimeMs::new(1_800_000_000_000);
    let set = Simulation::<TestFactory>::validators(0..4);
    let genesis = Genesis::new(document(&set, TimeMs::new(now.get() - 1_000))).expect("a sound document");
    let hash = genesis.genesis_hash();
    let chain = Chain::open(MemoryStore::new(), genesis).expect("a new store");
    let mut ledger = LedgerApplication::new(chain).expect("a sound schedule");
    let first = registration(hash, now);
    let second = registration(hash, TimeMs::new(now.get() + 1));
    assert_ne!(first.id(), second.id());
    for transaction in [first, second] {
        assert_eq!(ledger.admit(transaction, now).expect("the store works"), Admission::Pooled);
    }
    let creator = set.validators()[0].address();
    let context = ProposeContext { height: ledger.head().height.next(), round: Round::new(0), now, creator };
    let block = ledger.propose(&context).expect("the store works");
    assert_eq!(block.transactions.len(), 1);
    assert_eq!(ledger.take_refused(), []);
    assert_eq!(ledger.pool().len(), 2);
}

/// A transaction that the new head has made impossible leaves the pool of a node that never proposes, too: it must not
/// give that node a reason to wake the others for ever.
#[test]
fn a_transaction_that_became_impossible_leaves_the_pool() {
    let now = TimeMs::new(1_800_000_000_000);
    let set = Simulation::<TestFactory>::validators(0..4);
    let genesis = Genesis::new(document(&set, TimeMs::new(now.get() - 1_000))).expect("a sound document");
    let hash = genesis.genesis_hash();
    let open = || {
        let chain = Chain::open(MemoryStore::new(), genesis.clone()).expect("a new store");
        LedgerApplication::new(chain).expect("a sound schedule")
    };
    let (mut proposer, mut follower) = (open(), open());
    let first = registration(hash, now);
    let second = registration(hash, TimeMs::new(now.get() + 1));
    assert_eq!(proposer.admit(first, now).expect("the store works"), Admission::Pooled);
    assert_eq!(follower.admit(second.clone(), now).expect("the store works"), Admission::Pooled);
    let creator = set.validators()[0].address();
    let context = ProposeContext { height: proposer.head().height.next(), round: Round::new(0), now, creator };
    let block = proposer.propose(&context).expect("the store works");
    let certificate = certificate(&block);
    follower.commit(Arc::new(block), certificate).expect("a valid block");
    assert!(!follower.has_transactions());
    let refused: Vec<_> = follower.take_refused().into_iter().map(|(id, _)| id).collect();
    assert_eq!(refused, [second.id()]);
}
