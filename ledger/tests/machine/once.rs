//! Exactly once: however often, however late and to whichever node a transaction is handed in again, it counts once, and
//! the retry is told where the first one went.
//!
//! Every row is committed once and then retried on the ledger that committed it, on one that was opened again in between,
//! and on one that was handed the finished blocks.

use std::sync::Arc;

use sigeli_ledger::{
    chain::{BlockError, Chain, ValidateError},
    outcome::{CheckError, Rejection},
    store::Snapshot as _,
};
use sigeli_verifier::{
    block::{Block, transactions_root},
    bounded::{List, Text},
    decode::Decode as _,
    encode::Encode as _,
    ids::{
        AuthoritySequence, DecisionRef, GovernanceSequence, Height, InstitutionId, KeyIndex, PermissionId, ProgrammeId,
        TimeMs,
    },
    record::Policy,
    transaction::{
        DecisionReason, InstitutionRegister, KeyCompromise, KeyPurposes, KeyRetire, KeysAdd, Payload, PermissionAction,
        PermissionAnnul, PermissionChange, PermissionGrant, PermissionReplace, PolicySet, ProgrammeRegister, Sender,
        SignedTransaction, StatusAction, StatusEntry, StatusOrder, StatusReason, StatusSet,
    },
};

use crate::{model::forgetful::Forgetful, support::*};

/// How a transaction is asked for, the first time (0) and when it is signed again (1): an authority's then has the next
/// sequence number.
struct Row {
    name: &'static str,
    before: fn(&mut World),
    ask: fn(&World, u64) -> SignedTransaction,
}

const fn row(name: &'static str, ask: fn(&World, u64) -> SignedTransaction) -> Row {
    Row { name, before: |_| {}, ask }
}

/// What creates something, or puts it into a state that it can be put into once.
const CREATING: &[Row] = &[
    row("a batch", |world, _| world.anchor(batch(1))),
    row("a registration", |world, again| {
        let institution = InstitutionId::new(8);
        let legal_id = Text::new("another").unwrap();
        let register = InstitutionRegister { institution, legal_id, ..registration(institution) };
        world.nceqe(4 + again, Payload::InstitutionRegister(register))
    }),
    row("a grant", |world, again| {
        let grant = PermissionGrant { decision: decision(50), ..authorisation() };
        world.nceqe(4 + again, Payload::PermissionGrant(grant))
    }),
    row("an order", |world, again| {
        let grant = PermissionGrant { decision: decision(51), ..order() };
        world.ministry(2 + again, Payload::PermissionGrant(grant))
    }),
    row("a replacement", |world, again| {
        let grant = PermissionGrant { decision: decision(52), ..authorisation() };
        let (replaced, effective) = (PermissionId::new(1), today());
        let replace = PermissionReplace { replaced, effective, reason: DecisionReason::Renewed, grant };
        world.nceqe(4 + again, Payload::PermissionReplace(replace))
    }),
    Row {
        name: "an annulment of a withdrawal",
        before: |world| {
            let withdraw = PermissionChange {
                institution: GTU,
                permission: PermissionId::new(1),
                decision: decision(53),
                entry: 2,
                action: PermissionAction::Withdraw,
                effective: today(),
                reason: DecisionReason::CourtOrder,
            };
            world.commit(vec![world.nceqe(4, Payload::PermissionChange(withdraw))]);
        },
        ask: |world, again| {
            let annul = PermissionAnnul {
                institution: GTU,
                permission: PermissionId::new(1),
                decision: decision(54),
                reason: DecisionReason::AppealUpheld,
            };
            world.nceqe(5 + again, Payload::PermissionAnnul(annul))
        },
    },
    row("a programme", |world, _| {
        let programme = ProgrammeRegister { programme: ProgrammeId::new(2), ..programme_1() };
        world.by_institution(Payload::ProgrammeRegister(programme))
    }),
    row("keys by the institution", |world, _| {
        let keys =
            List::new(vec![institution_key(GTU, 3, KeyPurposes::ALL), institution_key(GTU, 4, KeyPurposes::ALL)]);
        let add = KeysAdd { institution: GTU, decision: DecisionRef::NONE, keys: keys.unwrap() };
        world.by_institution(Payload::KeysAdd(add))
    }),
    row("keys by the quality agency", |world, again| {
        let keys = List::new(vec![institution_key(GTU, 3, KeyPurposes::ALL)]).unwrap();
        world.nceqe(4 + again, Payload::KeysAdd(KeysAdd { institution: GTU, decision: decision(55), keys }))
    }),
    row("the end of a key", |world, _| {
        let retire = KeyRetire { institution: GTU, decision: DecisionRef::NONE, key: KeyIndex::new(1) };
        world.by_institution(Payload::KeyRetire(retire))
    }),
    row("a compromise said by the institution", |world, _| {
        let compromise = KeyCompromise {
            institution: GTU,
            decision: DecisionRef::NONE,
            first: KeyIndex::new(1),
            last: KeyIndex::new(1),
            from: Height::new(0),
        };
        world.by_institution(Payload::KeyCompromise(compromise))
    }),
    // The block that says it is not the block from which it counts.
    row("a compromise said by the quality agency", |world, again| {
        let (first, last, from) = (KeyIndex::new(1), KeyIndex::new(1), Height::new(2));
        let compromise = KeyCompromise { institution: GTU, decision: decision(56), first, last, from };
        world.nceqe(4 + again, Payload::KeyCompromise(compromise))
    }),
];

/// The ledger opened again; and the same blocks, as bytes, on an empty store.
fn elsewhere(world: World) -> [World; 2] {
    let mut replayed = World::new(policy());
    {
        let snapshot = world.chain.snapshot();
        for height in 1..=world.chain.head().header.height.get() {
            let (block, certificate) = snapshot.block(Height::new(height)).unwrap().unwrap();
            let executed = replayed.chain.validate(Block::from_bytes(&block.to_bytes()).unwrap()).unwrap();
            replayed.chain.commit(executed, certificate).unwrap();
        }
    }
    replayed.now = world.now;
    [world.reopened(), replayed]
}

#[test]
fn what_was_created_is_created_once() {
    for Row { name, before, ask } in CREATING {
        let mut world = World::founded(policy());
        before(&mut world);
        let first = ask(&world, 0);
        assert_eq!(world.verdict(&first), Ok(()), "{name}");
        // Handed in, lost by a crash before any block, handed in again.
        let mut world = world.reopened();
        let height = world.chain.next_height();
        world.commit(vec![first.clone()]);
        world.now = after(world.now, 1_000);
        let again = ask(&world, 1);
        assert_ne!(first.id(), again.id(), "{name}");
        assert_eq!(world.verdict(&first), Err(Rejection::AlreadyCommitted { height }), "{name}");
        assert_eq!(world.verdict(&again), Err(Rejection::AlreadyExists { height }), "{name}");
        for mut world in elsewhere(world) {
            assert_eq!(world.verdict(&first), Err(Rejection::AlreadyCommitted { height }), "{name}, elsewhere");
            assert_eq!(world.verdict(&again), Err(Rejection::AlreadyExists { height }), "{name}, elsewhere");
            let entries = world.medium().entries();
            let rejected = world.try_commit(vec![first.clone(), again.clone()]);
            let expected = [Rejection::AlreadyCommitted { height }, Rejection::AlreadyExists { height }];
            assert_eq!(rejected, vec![(0, expected[0]), (1, expected[1])], "{name}, elsewhere");
            assert_eq!(world.medium().entries(), entries, "{name}: a refused retry leaves no trace");
            assert!(
                matches!(forced(&mut world, &again), BlockError::Transaction { index: 0, rejection } if rejection == expected[1])
            );
        }
    }
}

/// What a validator says of a block that holds this transaction all the same.
fn forced(world: &mut World, transaction: &SignedTransaction) -> BlockError {
    let empty = world.chain.propose([], world.now, world.proposer(), sigeli_verifier::ids::Round::new(0)).unwrap();
    let mut block = (**empty.executed.block()).clone();
    block.transactions.push(transaction.clone());
    block.header.transactions_root = transactions_root(&block.transactions);
    match world.chain.validate(Arc::new(block)) {
        Err(ValidateError::Invalid(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// A retry in the block of the first one.
#[test]
fn a_block_creates_once() {
    for Row { name, before, ask } in CREATING {
        let mut world = World::founded(policy());
        before(&mut world);
        let first = ask(&world, 0);
        world.now = after(world.now, 1_000);
        let again = ask(&world, 1);
        let height = world.chain.next_height();
        let rejected = world.try_commit(vec![first.clone(), first.clone(), again]);
        let expected = [Rejection::AlreadyInBlock { id: first.id() }, Rejection::AlreadyExists { height }];
        assert_eq!(rejected, vec![(0, expected[0]), (2, expected[1])], "{name}");
    }
}

/// An authority's sequence number is used once, whatever it was used for; what fails does not use it up.
#[test]
fn an_authority_counts_its_transactions_through_restarts_and_replay() {
    let mut world = World::founded(policy());
    let order = |world: &World, sequence, number, action| {
        let entries = List::new(vec![entry(number, action, StatusReason::Order)]).unwrap();
        world.nceqe(sequence, Payload::StatusOrder(StatusOrder { institution: GTU, decision: decision(60), entries }))
    };
    let mismatch = |given, expected| {
        let (given, expected) = (AuthoritySequence::new(given), AuthoritySequence::new(expected));
        Err(Rejection::SequenceMismatch { given, expected })
    };
    let fails = order(&world, 4, 1, StatusAction::Reinstate);
    let name = world.verdict(&fails).unwrap_err().name();
    assert_eq!(name, "status_transition_invalid");
    let rejected = world.try_commit(vec![fails.clone(), order(&world, 5, 1, StatusAction::Revoke)]);
    assert_eq!(rejected.len(), 2);
    let mut world = world.reopened();
    let height = world.chain.next_height();
    let (suspend, next) = (order(&world, 4, 1, StatusAction::Suspend), order(&world, 5, 2, StatusAction::Revoke));
    world.commit(vec![suspend.clone()]);
    for mut world in elsewhere(world) {
        assert_eq!(world.verdict(&suspend), Err(Rejection::AlreadyCommitted { height }));
        // The one that failed could pass now, but for its number.
        assert_eq!(world.verdict(&fails), mismatch(4, 5));
        assert_eq!(world.verdict(&order(&world, 6, 2, StatusAction::Revoke)), mismatch(6, 5));
        world.commit(vec![next.clone()]);
        assert_eq!(world.verdict(&next).unwrap_err(), Rejection::AlreadyCommitted { height: height.next() });
        assert_eq!(world.verdict(&order(&world, 5, 3, StatusAction::Revoke)), mismatch(5, 6));
        // Authorities do not disturb each other's numbers.
        let grant = PermissionGrant { decision: decision(61), ..crate::support::order() };
        assert_eq!(world.verdict(&world_ministry(&world, &grant)), Ok(()));
    }
}

fn world_ministry(world: &World, grant: &PermissionGrant) -> SignedTransaction {
    world.ministry(2, Payload::PermissionGrant(grant.clone()))
}

#[test]
fn the_authorities_count_their_joint_transactions_through_restarts_and_replay() {
    let mut world = World::founded(policy());
    let set = |world: &World, sequence, statuses_per_day| {
        let policy = Policy { statuses_per_day, ..policy() };
        world.joint(sequence, Payload::PolicySet(PolicySet { decision: decision(70), policy }))
    };
    let mismatch = |given, expected| {
        let (given, expected) = (GovernanceSequence::new(given), GovernanceSequence::new(expected));
        Err(Rejection::JointSequenceMismatch { given, expected })
    };
    assert_eq!(set(&world, 1, 0).body().sender, set(&world, 1, 9).body().sender);
    let unsound = set(&world, 1, 0);
    assert_eq!(world.verdict(&unsound).unwrap_err().name(), "policy_invalid");
    assert_eq!(world.try_commit(vec![unsound.clone()]).len(), 1);
    let mut world = world.reopened();
    let (first, second) = (set(&world, 1, 9), set(&world, 2, 10));
    assert_eq!(world.verdict(&second), mismatch(2, 1));
    let height = world.chain.next_height();
    world.commit(vec![first.clone()]);
    for mut world in elsewhere(world) {
        assert_eq!(world.verdict(&first), Err(Rejection::AlreadyCommitted { height }));
        assert_eq!(world.verdict(&unsound), mismatch(1, 2));
        // Days later, the same bytes are as valid as ever, and as used.
        world.now = after(world.now, 12 * 3_600_000);
        assert_eq!(world.verdict(&first), Err(Rejection::AlreadyCommitted { height }));
        world.commit(vec![second.clone()]);
        assert_eq!(world.verdict(&set(&world, 2, 11)), mismatch(2, 3));
    }
}

/// A ledger that forgets all transactions in blocks before T − 10 min when it judges at T still includes each only once,
/// to the millisecond. A status is the case to fear, since what was undone could be done again: its entry's number says
/// that it was done.
#[test]
fn a_memory_of_ten_minutes_is_enough_to_the_millisecond() {
    const MEMORY_MS: u64 = 10 * MINUTE_MS;
    let mut world = World::founded(policy());
    let set = |world: &World, ahead_ms, action, reason| {
        let number = if action == StatusAction::Reinstate { 2 } else { 1 };
        let entry = StatusEntry { entry: number, ..entry(1, action, reason) };
        let set = StatusSet { entries: List::new(vec![entry]).unwrap() };
        let body = world.body(Sender::Institution { institution: GTU }, ahead_ms, Payload::StatusSet(set));
        sign(body, &[(0, &institution_secret(GTU, 0))])
    };
    let suspend = set(&world, MEMORY_MS, StatusAction::Suspend, StatusReason::UnderReview);
    let entries = List::new(vec![entry(2, StatusAction::Suspend, StatusReason::Order)]).unwrap();
    let order = StatusOrder { institution: GTU, decision: decision(90), entries };
    let order = world.nceqe(4, Payload::StatusOrder(order));
    let joint = world.joint(1, Payload::PolicySet(PolicySet { decision: decision(91), policy: policy() }));
    let (first, height) = (world.now, world.chain.next_height());
    world.commit(vec![suspend.clone(), order.clone(), joint.clone()]);
    world.now = after(world.now, 1_000);
    world.commit(vec![set(&world, MEMORY_MS, StatusAction::Reinstate, StatusReason::ReviewEnded)]);

    let mut forgetful = Chain::open(Forgetful::new(), world.chain.genesis().clone()).unwrap();
    let snapshot = world.chain.snapshot();
    for height in 1..=world.chain.head().header.height.get() {
        let (block, certificate) = snapshot.block(Height::new(height)).unwrap().unwrap();
        let executed = forgetful.validate(block).unwrap();
        forgetful.commit(executed, certificate).unwrap();
    }
    let mut verdict = |transaction: &SignedTransaction, at: TimeMs, memory_ms: u64| {
        forgetful.store().forget_before(at.get() - memory_ms);
        match forgetful.check(transaction, at) {
            Ok(()) => "ok",
            Err(CheckError::Rejected(Rejection::AlreadyCommitted { height: found })) if found == height => "committed",
            Err(CheckError::Rejected(rejection)) => rejection.name(),
            Err(CheckError::Store(error)) => panic!("{error}"),
        }
    };
    let last = after(first, MEMORY_MS);
    assert_eq!(verdict(&suspend, last, MEMORY_MS), "committed");
    assert_eq!(verdict(&suspend, after(last, 1), MEMORY_MS), "expired");
    // Without the memory the number of the history entry tells the same: nothing happens twice.
    assert_eq!(verdict(&suspend, last, MEMORY_MS - 1), "already_exists");
    // Authorities are bound by their sequence numbers, with or without a memory.
    for (transaction, name) in [(&order, "sequence_mismatch"), (&joint, "joint_sequence_mismatch")] {
        assert_eq!(verdict(transaction, last, MEMORY_MS), "committed");
        assert_eq!(verdict(transaction, after(last, 1), MEMORY_MS), name);
    }
}
