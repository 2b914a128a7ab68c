//! The same blocks give the same ledger: elsewhere, after restarts, and on the day this was written (golden roots).

use std::sync::Arc;

use sigeli_ledger::{chain::Chain, genesis::Genesis, memory::MemoryStore, state::View, store::Snapshot as _};
use sigeli_verifier::{
    block::Block,
    decode::Decode as _,
    encode::Encode as _,
    ids::{Height, InstitutionId, Round},
    transaction::{Payload, PermissionGrant, Sender, SignedTransaction, StatusAction, StatusReason, StatusSet},
};

use crate::support::*;

/// A fixed story: founding, batches and statuses over three days, with an idle block and a missed turn.
pub(crate) fn story() -> World {
    let mut world = World::founded(policy());
    world.commit(vec![world.anchor(batch(1)), world.anchor(batch(2))]);
    world.commit(vec![]);
    world.now = after(NOON, DAY_MS);
    world.commit(vec![world.statuses(vec![
        entry(1, StatusAction::Suspend, StatusReason::UnderReview),
        entry(2, StatusAction::Supersede, StatusReason::Superseded),
    ])]);
    let order = world.chain.schedule().order(world.chain.validators(), world.chain.next_height());
    let transaction = world.anchor(batch(3));
    let proposed = world.chain.propose([transaction], world.now, order[2], Round::new(2)).unwrap();
    world.finish(proposed.executed);
    world.now = after(NOON, 2 * DAY_MS);
    world.commit(vec![
        world.statuses(vec![entry(1, StatusAction::Reinstate, StatusReason::ReviewEnded)]),
        world.anchor(batch(4)),
    ]);
    world
}

fn blocks(world: &World) -> Vec<Block> {
    let snapshot = world.chain.snapshot();
    let last = world.chain.head().header.height.get();
    (1..=last).map(|height| snapshot.block(Height::new(height)).unwrap().unwrap().0).collect()
}

/// Changing one of these is a change of a public format or of a rule: a commit titled `format:` or `protocol:`.
#[test]
fn golden_roots() {
    let genesis = Genesis::new(document(policy())).unwrap();
    let first = genesis.genesis_block().unwrap().header;
    assert_eq!(genesis.genesis_hash().to_string(), GENESIS_HASH);
    assert_eq!(first.state_root.to_string(), GENESIS_STATE);
    assert_eq!(first.id().to_string(), GENESIS_BLOCK);
    let world = story();
    assert_eq!(world.chain.state_root().to_string(), STORY_STATE);
    assert_eq!(world.chain.head().id.to_string(), STORY_BLOCK);
}

const GENESIS_HASH: &str = "cadd1e79f92d316da7e1b69d8b79c75cae3df4b07fb939f0ec2a751f0349af99";
const GENESIS_STATE: &str = "30b54b45e52da50d211d7bfb269ba0c1957afc980d21d863b452ad3160314bc7";
const GENESIS_BLOCK: &str = "4bac50e5ff4ae68163c752828e9b88dfa9b72af913e7d4f9a6d98ffe0a7a9842";
const STORY_STATE: &str = "b1bc8596c1bb25ef5807be06ced10e23d27c62f7a1f24c27845632d7b1b60e62";
const STORY_BLOCK: &str = "9cf18f1d874edf9ce2023d8495b2c1f7d3499b99c973086e512bea678f0ae773";

#[test]
fn blocks_replayed_elsewhere_give_the_same_ledger() {
    let told = story();
    let mut replayed = World::new(policy());
    for block in blocks(&told) {
        let received = Block::from_bytes(&block.to_bytes()).unwrap();
        let executed = replayed.chain.validate(received).unwrap();
        replayed.finish(executed);
    }
    assert_eq!(replayed.chain.head(), told.chain.head());
    assert_eq!(replayed.chain.schedule(), told.chain.schedule());
    assert_eq!(replayed.medium().entries(), told.medium().entries());
}

#[test]
fn restarts_change_nothing() {
    let told = story();
    let mut restarted = World::new(policy());
    for block in blocks(&told) {
        restarted = restarted.reopened();
        let executed = restarted.chain.validate(Arc::new(block)).unwrap();
        // Executed twice, and once more after a restart in between: execution writes nothing.
        restarted = restarted.reopened();
        let again = restarted.chain.validate(executed.block().clone()).unwrap();
        assert_eq!(again.header(), executed.header());
        restarted.finish(again);
    }
    assert_eq!(restarted.medium().entries(), told.medium().entries());
}

/// Two institutions do not disturb each other: in either order, their transactions lead to the same state.
#[test]
fn independent_transactions_commute() {
    let other = InstitutionId::new(8);
    let found = || {
        let mut world = World::founded(policy());
        world.commit(vec![world.nceqe(4, Payload::InstitutionRegister(registration(other)))]);
        for (sequence, grant) in [(5, authorisation()), (6, order()), (7, accreditation())] {
            let grant = PermissionGrant { institution: other, ..grant };
            let transaction = match sequence {
                6 => world.ministry(2, Payload::PermissionGrant(grant)),
                7 => world.nceqe(6, Payload::PermissionGrant(grant)),
                _ => world.nceqe(5, Payload::PermissionGrant(grant)),
            };
            world.commit(vec![transaction]);
        }
        world
    };
    let by = |world: &World, institution: InstitutionId, payload: Payload| -> SignedTransaction {
        let body = world.body(Sender::Institution { institution }, MINUTE_MS, payload);
        sign(body, &[(0, &institution_secret(institution, 0))])
    };
    let transactions = |world: &World| {
        let status = |number| {
            let entries = vec![entry(number, StatusAction::Revoke, StatusReason::IssuedInError)];
            Payload::StatusSet(StatusSet { entries: sigeli_verifier::bounded::List::new(entries).unwrap() })
        };
        vec![
            by(world, GTU, Payload::BatchAnchor(batch(1))),
            by(world, other, Payload::BatchAnchor(batch(1))),
            by(world, GTU, status(1)),
            by(world, other, status(1)),
        ]
    };
    let (mut forwards, mut backwards) = (found(), found());
    let all = transactions(&forwards);
    forwards.commit(all.clone());
    backwards.commit(all.into_iter().rev().collect());
    assert_eq!(forwards.chain.state_root(), backwards.chain.state_root());
    assert_eq!(forwards.medium().entries(), backwards.medium().entries());
    assert_ne!(forwards.chain.head().id, backwards.chain.head().id);
}

#[test]
fn a_ledger_opened_again_is_where_it_was() {
    let told = story();
    let head = told.chain.head().clone();
    let registry = told.chain.registry().clone();
    let reopened = told.reopened();
    assert_eq!(reopened.chain.head(), &head);
    assert_eq!(reopened.chain.registry(), &registry);
    let snapshot = reopened.chain.snapshot();
    assert_eq!(View::new(&snapshot).roots().unwrap().root(), head.header.state_root);
    drop(snapshot);
    // An empty store is founded once; opening it again founds nothing.
    let genesis = Genesis::new(document(policy())).unwrap();
    let chain = Chain::open(MemoryStore::new(), genesis.clone()).unwrap();
    let medium = chain.store().medium();
    let entries = medium.entries();
    let again = Chain::open(MemoryStore::open(medium.clone()), genesis).unwrap();
    assert_eq!(again.head(), chain.head());
    assert_eq!(medium.entries(), entries);
}
