//! The same blocks give the same ledger: elsewhere, after restarts, and on the day this was written (golden roots).

use std::sync::Arc;

use sigeli_ledger::{chain::Chain, genesis::Genesis, memory::MemoryStore, state::View, store::Snapshot as _};
use sigeli_verifier::{
    block::Block,
    bounded::List,
    decode::Decode as _,
    encode::Encode as _,
    ids::{AuthorityId, DecisionRef, Height, InstitutionId, KeyIndex, PermissionId, ProfileHash, Round},
    record::Policy,
    transaction::{
        AuthorityKeysSet, AuthorityKind, AuthorityRemove, AuthoritySet, BatchAction, BatchStatusSet, DecisionReason,
        InstitutionClose, InstitutionKind, InstitutionReopen, InstitutionUpdate, KeyClear, KeyCompromise, KeyPurposes,
        KeyRetire, KeysAdd, Payload, PermissionAction, PermissionAnnul, PermissionChange, PermissionGrant,
        PermissionReplace, PermissionScope, PolicySet, Sender, SignedTransaction, StatusAction, StatusAnnul,
        StatusAnnulEntry, StatusEntry, StatusOrder, StatusReason, StatusSet, UpgradeSchedule,
    },
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
        world.statuses(vec![StatusEntry { entry: 2, ..entry(1, StatusAction::Reinstate, StatusReason::ReviewEnded) }]),
        world.anchor(batch(4)),
    ]);
    tell_decisions(&mut world);
    world
}

/// The story goes on, so that it holds transactions of every kind.
fn tell_decisions(world: &mut World) {
    let (institution, number) = (GTU, decision(20));
    world.now = after(NOON, 3 * DAY_MS);
    let update = InstitutionUpdate {
        institution,
        decision: number,
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: sigeli_verifier::bounded::Text::new("211349199").unwrap(),
        name_ka: name("საქართველოს ტექნიკური უნივერსიტეტი, თბილისი"),
        name_en: name("Georgian Technical University, Tbilisi"),
        profile: ProfileHash::new([4; 32]),
    };
    let keys = List::new(vec![institution_key(GTU, 3, KeyPurposes::ALL)]).unwrap();
    let suspended = BatchStatusSet {
        institution,
        decision: DecisionRef::NONE,
        root: batch(1).root,
        entry: 1,
        action: BatchAction::Suspend,
        reason: StatusReason::UnderReview,
    };
    let stolen =
        StatusSet { entries: List::new(vec![entry(5, StatusAction::Suspend, StatusReason::Unspecified)]).unwrap() };
    let from = world.chain.next_height();
    world.commit(vec![
        world.nceqe(4, Payload::InstitutionUpdate(update)),
        world.by_institution(Payload::KeysAdd(KeysAdd { institution, decision: DecisionRef::NONE, keys })),
        world.by_institution(Payload::BatchStatusSet(suspended)),
        world.by_key(2, Payload::StatusSet(stolen)),
    ]);
    let retire = KeyRetire { institution, decision: DecisionRef::NONE, key: KeyIndex::new(1) };
    let (first, last) = (KeyIndex::new(2), KeyIndex::new(2));
    let compromise = KeyCompromise { institution, decision: number, first, last, from };
    let entries = List::new(vec![entry(6, StatusAction::Revoke, StatusReason::Order)]).unwrap();
    world.commit(vec![
        world.by_key(3, Payload::KeyRetire(retire)),
        world.nceqe(5, Payload::KeyCompromise(compromise)),
        world.nceqe(6, Payload::StatusOrder(StatusOrder { institution, decision: number, entries })),
    ]);
    let annulled = List::new(vec![StatusAnnulEntry { handle: handle(5), entry: 2 }]).unwrap();
    let close = InstitutionClose {
        institution,
        decision: number,
        from: days_from_today(40),
        reason: DecisionReason::Voluntary,
        successor: InstitutionId::new(0),
    };
    let key = KeyIndex::new(2);
    let reopen = InstitutionReopen { institution, decision: number, reason: DecisionReason::ErrorCorrected };
    world.commit(vec![
        world.nceqe(7, Payload::StatusAnnul(StatusAnnul { institution, decision: number, entries: annulled })),
        world.nceqe(8, Payload::InstitutionClose(close)),
        world.nceqe(9, Payload::InstitutionReopen(reopen)),
        world.nceqe(10, Payload::KeyClear(KeyClear { institution, decision: number, first: key, last: key })),
    ]);
    let change = |permission, action, effective, reason| PermissionChange {
        institution,
        permission: PermissionId::new(permission),
        decision: number,
        entry: 2,
        action,
        effective: days_from_today(effective),
        reason,
    };
    let replace = PermissionReplace {
        replaced: PermissionId::new(1),
        effective: days_from_today(20),
        reason: DecisionReason::Renewed,
        grant: PermissionGrant { decision: decision(21), window: window(20, 80), ..authorisation() },
    };
    let annul = PermissionAnnul {
        institution,
        permission: PermissionId::new(3),
        decision: decision(22),
        reason: DecisionReason::CourtOrder,
    };
    let withdrawn = change(3, PermissionAction::Withdraw, 9, DecisionReason::MonitoringFailed);
    world.commit(vec![
        world.nceqe(11, Payload::PermissionReplace(replace)),
        world.nceqe(12, Payload::PermissionChange(withdrawn)),
        world.nceqe(13, Payload::PermissionAnnul(annul)),
        world.ministry(
            2,
            Payload::PermissionChange(change(2, PermissionAction::Suspend, 5, DecisionReason::CourtOrder)),
        ),
    ]);
    govern(world);
}

fn govern(world: &mut World) {
    let keys = AuthorityKeysSet {
        decision: decision(30),
        keys: List::new(vec![public(&authority_secret(EMIS, 1)), public(&authority_secret(EMIS, 2))]).unwrap(),
        threshold: 1,
        log_keys: List::new(vec![public(&secret(11, 0))]).unwrap(),
    };
    let authority = AuthorityId::new(5);
    let set = AuthoritySet {
        decision: decision(31),
        authority,
        kind: AuthorityKind::Operator,
        name_ka: name("ოპერატორი"),
        name_en: name("Operator"),
        keys: List::new(vec![public(&authority_secret(authority, 0))]).unwrap(),
        threshold: 1,
        log_keys: List::empty(),
    };
    let policy = Policy { statuses_per_day: 6, ..policy() };
    let height = Height::new(1_000);
    world.commit(vec![
        world.joint(1, Payload::AuthoritySet(set)),
        world.joint(2, Payload::PolicySet(PolicySet { decision: decision(32), policy })),
        world.joint(3, Payload::UpgradeSchedule(UpgradeSchedule { decision: decision(33), version: 2, height })),
        world.joint(4, Payload::AuthorityRemove(AuthorityRemove { decision: decision(34), authority })),
        world.emis(1, Payload::AuthorityKeysSet(keys)),
    ]);
    // What is announced does not count yet, and two validators have missed their turns.
    let order = world.chain.schedule().order(world.chain.validators(), world.chain.next_height());
    let proposed = world.chain.propose([world.anchor(batch(5))], world.now, order[2], Round::new(2)).unwrap();
    assert_eq!(proposed.rejected, vec![]);
    world.finish(proposed.executed);
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
    let found = (world.chain.state_root().to_string(), world.chain.head().id.to_string());
    assert_eq!(found, (STORY_STATE.to_owned(), STORY_BLOCK.to_owned()));
}

const GENESIS_HASH: &str = "b0937bf45d305ef44804e659e29bcf39154a91a70e61c8eb7b106de2b1cf330b";
const GENESIS_STATE: &str = "3c1e041fc9b162429ad1e98352ed4540fbcdb110e2b395c19aae32723af8d29f";
const GENESIS_BLOCK: &str = "8b3b7527b34de5363a9e7fa927c4b539563b1da69867040948e8b153bbd43e49";
const STORY_STATE: &str = "5b9d35bc05eccef623c7295791c037189bb07000c115d33854d76bfb9912bade";
const STORY_BLOCK: &str = "8f02153004ff3117051d1c0b3fb5f0814a36fa9e38a3f1b7f8c4e8331ff55c82";

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
    let by = |world: &World, institution: InstitutionId, payload: Payload| -> SignedTransaction {
        let body = world.body(Sender::Institution { institution }, MINUTE_MS, payload);
        sign(body, &[(0, &institution_secret(institution, 0))])
    };
    let found = || {
        let mut world = World::founded(policy());
        world.commit(vec![world.nceqe(4, Payload::InstitutionRegister(registration(other)))]);
        world.commit(vec![by(&world, other, Payload::ProgrammeRegister(programme_1()))]);
        let scope = PermissionScope::Accreditation(accreditation_of(other, 6, &["0613", "054"], 150));
        let grant = |grant| Payload::PermissionGrant(PermissionGrant { institution: other, ..grant });
        world.commit(vec![
            world.nceqe(5, grant(authorisation())),
            world.ministry(2, grant(order())),
            world.nceqe(6, grant(PermissionGrant { scope, ..accreditation() })),
        ]);
        world
    };
    let transactions = |world: &World| {
        let status = |number| {
            let entries = vec![entry(number, StatusAction::Revoke, StatusReason::IssuedInError)];
            Payload::StatusSet(StatusSet { entries: List::new(entries).unwrap() })
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
