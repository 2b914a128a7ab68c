//! Blocks: which are refused and why, what survives a failure, and the limits.

use std::sync::Arc;

use sigeli_ledger::{
    chain::{BlockError, Chain, CommitError, OpenError, ValidateError},
    genesis::{Genesis, GenesisDocument, GenesisError},
    memory::{Fault, MemoryStore},
    outcome::Transient,
    state::View,
    store::{Snapshot as _, Store as _, StoreError, StoreReader as _},
};
use sigeli_verifier::{
    block::{Block, Header},
    bounded::List,
    certificate::{CertificateError, CommitCertificate},
    decode::Decode as _,
    encode::Encode as _,
    history::{Frontier, Rfc9162},
    ids::{
        AuthorityId, BlockId, EctsTenths, GenesisHash, Height, HistoryRoot, KeyIndex, Round, StateRoot, StatusHandle,
        TimeMs, TransactionsRoot, ValidatorAddress, ValidatorSetHash,
    },
    params::{BLOCK_BYTES_MAX, TRANSACTIONS_PER_BLOCK_MAX},
    record::{Policy, Writer},
    transaction::{BatchAnchor, SignedTransaction, StatusAction, StatusEntry, StatusReason},
};

use crate::support::*;

fn next_block(world: &mut World) -> Arc<Block> {
    let transactions =
        vec![world.anchor(batch(1)), world.statuses(vec![entry(1, StatusAction::Revoke, StatusReason::IssuedInError)])];
    let proposed = world.chain.propose(transactions, world.now, world.proposer(), Round::new(0)).unwrap();
    assert_eq!(proposed.rejected, vec![]);
    proposed.executed.block().clone()
}

#[test]
fn a_block_built_here_is_accepted_elsewhere_with_the_same_result() {
    let mut builder = World::founded(policy());
    let mut judge = World::founded(policy());
    assert_eq!(builder.chain.head(), judge.chain.head());
    let block = next_block(&mut builder);
    let received = Block::from_bytes(&block.to_bytes()).unwrap();
    let executed = judge.chain.validate(received).unwrap();
    assert_eq!(executed.header(), &block.header);
    judge.finish(executed);
    let own = builder.chain.validate(block).unwrap();
    builder.finish(own);
    assert_eq!(builder.chain.head(), judge.chain.head());
    assert_eq!(builder.medium().entries(), judge.medium().entries());
}

#[test]
fn each_field_of_a_header_is_checked() {
    let mut world = World::founded(policy());
    let block = next_block(&mut world);
    let parent = world.chain.head().header.time;
    let head = world.chain.head().header.height;
    let order = world.chain.schedule().order(world.chain.validators(), head.next());
    let mut verdict = |change: &dyn Fn(&mut Header)| {
        let mut changed = (*block).clone();
        change(&mut changed.header);
        world.chain.validate(changed).map(|executed| executed.id())
    };
    let invalid = |error: BlockError| Err::<BlockId, _>(ValidateError::Invalid(error));
    assert!(verdict(&|_| {}).is_ok());
    assert_eq!(verdict(&|header| header.version = 2), invalid(BlockError::Version { version: 2 }));
    assert_eq!(verdict(&|header| header.genesis = GenesisHash::new([1; 32])), invalid(BlockError::Genesis));
    assert_eq!(verdict(&|header| header.height = head), Err(Transient::BlockBehind { height: head, head }.into()));
    let ahead = head.next().next();
    assert_eq!(verdict(&|header| header.height = ahead), Err(Transient::BlockAhead { height: ahead, head }.into()));
    assert_eq!(verdict(&|header| header.parent = BlockId::new([1; 32])), invalid(BlockError::Parent));
    assert_eq!(verdict(&|header| header.time = parent), invalid(BlockError::Time { time: parent, parent }));
    let creator = ValidatorAddress::new([1; 20]);
    assert_eq!(verdict(&|header| header.creator = creator), invalid(BlockError::Creator));
    assert_eq!(verdict(&|header| header.validators = ValidatorSetHash::new([1; 32])), invalid(BlockError::Validators));
    assert_eq!(
        verdict(&|header| header.next_validators = ValidatorSetHash::new([1; 32])),
        invalid(BlockError::Validators)
    );
    assert_eq!(verdict(&|header| header.history_root = HistoryRoot::new([1; 32])), invalid(BlockError::History));
    assert_eq!(
        verdict(&|header| header.transactions_root = TransactionsRoot::new([1; 32])),
        invalid(BlockError::Transactions)
    );
    assert_eq!(verdict(&|header| header.state_root = StateRoot::new([1; 32])), invalid(BlockError::State));
    // Who built it, and in which round, decides who missed a turn, and that is part of the state.
    let later = |header: &mut Header| (header.creator, header.round) = (order[1], Round::new(1));
    assert_eq!(verdict(&later), invalid(BlockError::State));
    // Ledger time stands in the batch's record.
    assert_eq!(verdict(&|header| header.time = after(header.time, 1)), invalid(BlockError::State));
}

#[test]
fn transactions_cannot_be_left_out_added_or_swapped() {
    let mut world = World::founded(policy());
    let block = next_block(&mut world);
    let mut verdict = |change: &dyn Fn(&mut Vec<SignedTransaction>)| {
        let mut changed = (*block).clone();
        change(&mut changed.transactions);
        world.chain.validate(changed).map(|_| ()).unwrap_err()
    };
    let expected = ValidateError::Invalid(BlockError::Transactions);
    assert_eq!(verdict(&|transactions| transactions.truncate(1)), expected);
    assert_eq!(verdict(&|transactions| transactions.swap(0, 1)), expected);
    assert_eq!(verdict(&|transactions| transactions.extend_from_within(..1)), expected);
}

#[test]
fn only_a_quorum_commits_and_only_over_its_parent() {
    let mut world = World::founded(policy());
    let block = next_block(&mut world);
    let executed = world.chain.validate(block.clone()).unwrap();
    let full = certificate(&world.chain, &executed);
    let head = world.chain.head().clone();
    let two = CommitCertificate::new(Round::new(0), full.signatures()[..2].to_vec()).unwrap();
    let error = world.chain.commit(executed.clone(), two).unwrap_err();
    assert_eq!(error, CommitError::Certificate(CertificateError::NoQuorum { power: 2, total: 4 }));
    let other_round = CommitCertificate::new(Round::new(1), full.signatures().to_vec()).unwrap();
    assert!(matches!(
        world.chain.commit(executed.clone(), other_round),
        Err(CommitError::Certificate(CertificateError::Signature { .. }))
    ));
    assert_eq!(world.chain.head(), &head);
    let three = CommitCertificate::new(Round::new(0), full.signatures()[1..].to_vec()).unwrap();
    world.chain.commit(executed.clone(), three).unwrap();
    assert_eq!(world.chain.commit(executed, full).unwrap_err(), CommitError::NotChild);
    assert!(matches!(world.chain.validate(block), Err(ValidateError::Transient(Transient::BlockBehind { .. }))));
}

#[test]
fn a_failed_commit_leaves_the_old_or_the_new_height_whole() {
    for kept in [false, true] {
        let mut world = World::founded(policy());
        let before = (world.chain.head().clone(), world.medium().entries());
        let block = next_block(&mut world);
        let executed = world.chain.validate(block).unwrap();
        let certificate = certificate(&world.chain, &executed);
        let height = executed.header().height;
        let fault = if kept { Fault::AfterCommit(height) } else { Fault::BeforeCommit(height) };
        world.medium().set_fault(Some(fault));
        let after = executed.id();
        let error = world.chain.commit(executed.clone(), certificate.clone()).unwrap_err();
        assert!(matches!(error, CommitError::Store(StoreError::Io { .. })));
        assert_eq!(world.chain.commit(executed, certificate).unwrap_err(), CommitError::Store(StoreError::Dead));
        let mut world = world.reopened();
        if kept {
            assert_eq!(world.chain.head().id, after);
        } else {
            assert_eq!((world.chain.head().clone(), world.medium().entries()), before);
        }
        world.commit(vec![world.anchor(batch(2))]);
    }
}

#[test]
fn a_failed_read_is_fatal_and_never_a_verdict() {
    let mut world = World::founded(policy());
    let transaction = world.anchor(batch(1));
    let block = next_block(&mut world);
    let mut failures = 0;
    // Every read on the way fails once.
    for reads in 0.. {
        world.medium().set_fault(Some(Fault::Read(reads)));
        match world.chain.validate(block.clone()) {
            Err(ValidateError::Store(StoreError::Io { .. })) => failures += 1,
            Ok(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(failures > 10, "{failures}");
    world.medium().set_fault(Some(Fault::Read(3)));
    let error = world.chain.check(&transaction, world.now).unwrap_err();
    assert!(matches!(error, sigeli_ledger::outcome::CheckError::Store(_)));
}

#[test]
fn a_snapshot_stays_at_its_height() {
    let mut world = World::founded(policy());
    let reader = world.chain.reader().clone();
    let before = reader.snapshot();
    let batches = |snapshot: &sigeli_ledger::memory::MemorySnapshot| {
        View::new(snapshot).institution(GTU).unwrap().unwrap().facts.batches
    };
    for number in 1..=3 {
        world.commit(vec![world.anchor(batch(number))]);
        assert_eq!(batches(&before), 0);
        assert_eq!(batches(&reader.snapshot()), u32::from(number));
        assert_eq!(before.state_range(b"b", b"b", 10).unwrap(), vec![]);
        assert_eq!(reader.snapshot().state_range(b"b", b"b", 10).unwrap().len(), usize::from(number));
    }
    assert_eq!(before.head().unwrap().unwrap().header.height, Height::new(5));
    assert!(before.block(Height::new(6)).unwrap().is_none());
    assert!(reader.snapshot().block(Height::new(6)).unwrap().is_some());
}

#[test]
fn a_store_refuses_heights_out_of_order_and_another_ledger() {
    let world = World::founded(policy());
    let medium = world.medium();
    let genesis = world.chain.genesis().clone();
    let mut store = MemoryStore::open(medium.clone());
    let error = store.commit(genesis.commit().unwrap()).unwrap_err();
    assert_eq!(error, StoreError::OutOfOrder { given: Height::new(0), head: Height::new(5) });
    let mut other = document(policy());
    other.time = after(other.time, 1);
    let other = Genesis::new(other).unwrap();
    let (found, wanted) = (genesis.genesis_hash(), other.genesis_hash());
    assert_eq!(Chain::open(MemoryStore::open(medium), other).unwrap_err(), OpenError::AnotherGenesis { found, wanted });
}

#[test]
fn the_history_commits_to_every_header() {
    let mut world = World::founded(policy());
    world.commit(vec![]);
    let snapshot = world.chain.snapshot();
    let mut frontier = Frontier::default();
    for height in 0..=6 {
        let header = snapshot.header(Height::new(height)).unwrap().unwrap();
        assert_eq!(header.history_root.get(), frontier.root::<Rfc9162>(), "height {height}");
        frontier.push::<Rfc9162>(header.id().as_bytes());
    }
    assert_eq!(world.chain.head().history, frontier);
}

#[test]
fn time_moves_on_even_when_the_clock_does_not() {
    let mut world = World::founded(policy());
    let before = world.chain.head().header.time;
    world.now = TimeMs::new(before.get() - 5_000);
    world.commit(vec![]);
    assert_eq!(world.chain.head().header.time, after(before, 1));
}

#[test]
fn a_missed_turn_moves_its_validator_back() {
    let mut world = World::founded(policy());
    let order = world.chain.schedule().order(world.chain.validators(), world.chain.next_height());
    let proposed = world.chain.propose([], world.now, order[1], Round::new(1)).unwrap();
    world.finish(proposed.executed);
    assert_eq!(world.chain.schedule().entries()[0].validator, order[0]);
    let stored = View::new(&world.chain.snapshot()).schedule().unwrap();
    assert_eq!(&stored, world.chain.schedule());
    assert_eq!(world.reopened().chain.schedule(), &stored);
}

fn roomy() -> Policy {
    Policy { batches_per_day: 1_000_000, statuses_per_day: 1_000_000, ..policy() }
}

#[test]
fn a_block_ends_before_its_limit_of_bytes() {
    let mut world = World::founded(roomy());
    let transactions: Vec<_> = (0..70_u8)
        .map(|number| {
            let entries = (0..930_u16).map(|position| {
                let mut entry = entry(number, StatusAction::Supersede, StatusReason::Superseded);
                let mut handle = [number; 32];
                handle[..2].copy_from_slice(&position.to_le_bytes());
                entry.handle = StatusHandle::new(handle);
                entry
            });
            world.statuses(entries.collect())
        })
        .collect();
    let one = transactions[0].to_bytes().len();
    let proposed = world.chain.propose(transactions, world.now, world.proposer(), Round::new(0)).unwrap();
    let block = proposed.executed.block();
    let bytes = block.to_bytes().len();
    assert!(bytes <= BLOCK_BYTES_MAX && bytes + one > BLOCK_BYTES_MAX, "{bytes}");
    assert_eq!(proposed.rejected, vec![]);
    assert!(Block::from_bytes(&block.to_bytes()).is_ok());
    let mut larger = (**block).clone();
    larger.transactions.extend_from_within(..1);
    let error = world.chain.validate(larger).unwrap_err();
    assert!(matches!(error, ValidateError::Invalid(BlockError::TooLarge { bytes: found, .. }) if found == bytes + one));
}

#[test]
fn a_block_ends_at_its_limit_of_transactions() {
    let mut world = World::founded(roomy());
    let count = u32::try_from(TRANSACTIONS_PER_BLOCK_MAX).unwrap() + 1;
    let transactions: Vec<_> = (0..count)
        .map(|number| {
            let mut root = [0; 32];
            root[..4].copy_from_slice(&number.to_le_bytes());
            world.anchor(BatchAnchor { root: sigeli_verifier::ids::BatchRoot::new(root), ..batch(1) })
        })
        .collect();
    let proposed = world.chain.propose(transactions, world.now, world.proposer(), Round::new(0)).unwrap();
    assert_eq!(proposed.executed.block().transactions.len(), TRANSACTIONS_PER_BLOCK_MAX);
    world.finish(proposed.executed);
    let institution = View::new(&world.chain.snapshot()).institution(GTU).unwrap().unwrap();
    assert_eq!(institution.facts.batches, count - 1);
}

#[test]
fn a_genesis_document_is_checked() {
    let verdict = |change: &dyn Fn(&mut GenesisDocument)| {
        let mut document = document(policy());
        change(&mut document);
        Genesis::new(document).map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!(verdict(&|_| {}), Ok(()));
    assert_eq!(verdict(&|document| document.version = 2), Err(1));
    assert_eq!(verdict(&|document| document.name_en = name("")), Err(2));
    assert_eq!(verdict(&|document| document.time = TimeMs::new(0)), Err(3));
    let authorities = |document: &mut GenesisDocument, change: &dyn Fn(&mut Vec<_>)| {
        let mut list = document.authorities.to_vec();
        change(&mut list);
        document.authorities = List::new(list).unwrap();
    };
    let change = |change: &dyn Fn(&mut Vec<sigeli_ledger::genesis::GenesisAuthority>)| {
        verdict(&|document| authorities(document, change))
    };
    assert_eq!(change(&|list| list.swap(0, 1)), Err(4));
    assert_eq!(change(&|list| list[1].id = list[0].id), Err(4));
    assert_eq!(change(&|list| list[1].threshold = 0), Err(5));
    assert_eq!(change(&|list| list[1].threshold = 4), Err(5));
    assert_eq!(change(&|list| list[1].threshold = 3), Ok(()));
    assert_eq!(change(&|list| list[0].keys = list[2].keys.clone()), Err(6));
    assert_eq!(change(&|list| list[1].kind = list[0].kind), Err(7));
    assert_eq!(change(&|list| list[0].kind = list[1].kind), Err(8));
    assert_eq!(change(&|list| list.truncate(3)), Err(9));
    let validators = |change: &dyn Fn(&mut Vec<sigeli_ledger::state::RegisteredValidator>)| {
        verdict(&|document| {
            let mut list = document.validators.to_vec();
            change(&mut list);
            document.validators = List::new(list).unwrap();
        })
    };
    assert_eq!(validators(&|list| list.swap(0, 1)), Err(4));
    assert_eq!(validators(&|list| list[1].network_key = list[0].network_key), Err(10));
    assert_eq!(validators(&|list| list[0].network_key = public(&secret(10, 0))), Err(10));
    assert_eq!(
        validators(&|list| list.iter_mut().for_each(|entry| entry.validator.authority = AuthorityId::new(1))),
        Err(10)
    );
    assert_eq!(validators(&Vec::clear), Err(10));
    assert_eq!(verdict(&|document| document.policy.ects_min[3] = EctsTenths::new(0)), Err(11));
    assert_eq!(verdict(&|document| document.policy.ects_max[0] = EctsTenths::new(9)), Err(11));
    assert_eq!(verdict(&|document| document.policy.batch_height_min = 3), Err(11));
    assert_eq!(verdict(&|document| document.policy.batches_per_day = 0), Err(11));
    assert_eq!(verdict(&|document| document.policy.approvals_min = 0), Err(11));
    assert_eq!(verdict(&|document| document.policy.approvals_min = 2), Err(13));
    assert_eq!(verdict(&|document| document.policy.approvals_min = 4), Ok(()));
    assert_eq!(verdict(&|document| document.policy.approvals_min = 5), Err(13));
    assert_eq!(verdict(&|document| document.consensus.heartbeat_ms = 0), Err(12));
    assert_eq!(verdict(&|document| document.consensus.propose.first_ms = 20_001), Err(12));
}

#[test]
fn a_genesis_document_reads_back() {
    let genesis = Genesis::new(document(policy())).unwrap();
    let bytes = genesis.to_bytes();
    assert_eq!(Genesis::from_bytes(&bytes), Ok(genesis.clone()));
    assert_eq!(genesis.genesis_block().unwrap().header.genesis, genesis.genesis_hash());
    for end in 0..bytes.len() {
        assert!(Genesis::from_bytes(&bytes[..end]).is_err());
    }
    // A document that is well-formed, but breaks a rule, cannot be read as a genesis.
    let mut unsound = document(policy());
    unsound.policy.statuses_per_day = 0;
    assert!(Genesis::from_bytes(&unsound.to_bytes()).is_err());
    assert_eq!(GenesisError::Consensus.code(), 12);
}

#[test]
fn statuses_keep_their_history() {
    let mut world = World::founded(policy());
    let steps = [
        (StatusAction::Suspend, StatusReason::UnderReview),
        (StatusAction::Reinstate, StatusReason::ReviewEnded),
        (StatusAction::Revoke, StatusReason::AwardWithdrawn),
    ];
    for (number, (action, reason)) in (1..).zip(steps) {
        let next = StatusEntry { entry: number, ..entry(1, action, reason) };
        world.commit(vec![world.statuses(vec![next])]);
        world.now = after(world.now, 1_000);
    }
    let snapshot = world.chain.snapshot();
    let view = View::new(&snapshot);
    let head = view.status(GTU, &handle(1)).unwrap().unwrap();
    assert_eq!((head.entries, head.reason), (3, StatusReason::AwardWithdrawn));
    let by_key_0 = Writer::Institution { key: KeyIndex::new(0) };
    for (number, (_, reason)) in (1..).zip(steps) {
        let entry = view.status_entry(GTU, &handle(1), number).unwrap().unwrap();
        assert_eq!((entry.entries, entry.reason, entry.writer), (number, reason, by_key_0));
        assert_eq!(entry.height, Height::new(5 + u64::from(number)));
    }
    assert_eq!(view.status_entry(GTU, &handle(1), 4).unwrap(), None);
}
