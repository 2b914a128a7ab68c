//! Random histories against a model: plain maps, day numbers and names, without hashes, encodings or any call into the
//! code under test. For every transaction the verdict's name must be the model's, and in the end what exists must be
//! what the model holds.

use std::collections::BTreeMap;

use sigeli_ledger::state::{Policy, View};
use sigeli_verifier::{
    batch::BatchHeight,
    bounded::{List, Text},
    ids::{AuthoritySequence, BatchRoot, EctsTenths, Height, InstitutionId, PermissionId},
    record::StatusState,
    time::Window,
    transaction::{
        BatchAnchor, Field, Levels, Payload, PermissionGrant, PermissionScope, Sender, SignedTransaction, StatusAction,
        StatusEntry, StatusReason, StatusSet,
    },
};

use crate::support::*;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    /// A number below `end`.
    fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).unwrap()
    }
    fn small(&mut self, end: u8) -> u8 {
        u8::try_from(self.below(u32::from(end))).unwrap()
    }
    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }
    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(u32::try_from(items.len()).unwrap())).unwrap()]
    }
    /// A day within 12 of today.
    fn days(&mut self) -> i32 {
        i32::try_from(self.below(25)).unwrap() - 12
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Authorisation,
    Order,
    Accreditation,
}

/// What is asked, in the model's words. Days count from today.
#[derive(Debug, Clone)]
enum Ask {
    Register { by_agency: bool, sequence: u64, institution: u32, legal: u8 },
    Grant { by_agency: bool, sequence: u64, institution: u32, decision: u8, permission: Permission },
    Anchor { institution: u32, key: u8, batch: Batch },
    Status { institution: u32, key: u8, entries: Vec<(u8, StatusAction, StatusReason)> },
}

#[derive(Debug, Clone, Copy)]
struct Permission {
    kind: Kind,
    first: i32,
    last: i32,
    level: u8,
    field: &'static str,
    ects: u16,
}

#[derive(Debug, Clone, Copy)]
struct Batch {
    root: u8,
    height: u8,
    accreditation: u32,
    level: u8,
    field: u16,
    ects: u16,
    issued: i32,
}

#[derive(Debug, Default)]
struct Institution {
    legal: u8,
    registered: u64,
    permissions: Vec<(Permission, bool, u8)>,
    batches: BTreeMap<u8, u64>,
    statuses: BTreeMap<u8, (StatusAction, u32)>,
    day: i32,
    batches_today: u32,
    statuses_today: u32,
}

#[derive(Debug, Default)]
struct Model {
    institutions: BTreeMap<u32, Institution>,
    agency_sequence: u64,
    ministry_sequence: u64,
}

const FIELDS: [u16; 4] = [613, 611, 541, 31];

impl Model {
    /// The verdict's name; when it is "ok", the model has changed.
    fn judge(&mut self, ask: &Ask, policy: &Policy, height: u64, day: i32) -> &'static str {
        let (by_agency, sequence) = match ask {
            Ask::Anchor { institution, key, batch } => {
                return self.anchor(*institution, *key, batch, policy, height, day);
            }
            Ask::Status { institution, key, entries } => return self.status(*institution, *key, entries, policy, day),
            Ask::Register { by_agency, sequence, .. } | Ask::Grant { by_agency, sequence, .. } => {
                (*by_agency, *sequence)
            }
        };
        let last = if by_agency { self.agency_sequence } else { self.ministry_sequence };
        if sequence != last + 1 {
            return "sequence_mismatch";
        }
        let verdict = match ask {
            Ask::Register { institution, legal, .. } => self.register(by_agency, *institution, *legal, height),
            Ask::Grant { institution, decision, permission, .. } => {
                self.grant(by_agency, *institution, *decision, permission)
            }
            _ => unreachable!("handled above"),
        };
        if verdict == "ok" {
            *(if by_agency { &mut self.agency_sequence } else { &mut self.ministry_sequence }) += 1;
        }
        verdict
    }

    fn register(&mut self, by_agency: bool, institution: u32, legal: u8, height: u64) -> &'static str {
        if !by_agency {
            return "wrong_authority";
        }
        if institution == 0 {
            return "institution_number_reserved";
        }
        if self.institutions.contains_key(&institution) {
            return "already_exists";
        }
        if self.institutions.values().any(|known| known.legal == legal) {
            return "legal_id_taken";
        }
        let new = Institution { legal, registered: height, day: i32::MIN, ..Institution::default() };
        self.institutions.insert(institution, new);
        "ok"
    }

    fn grant(&mut self, by_agency: bool, institution: u32, decision: u8, permission: &Permission) -> &'static str {
        if by_agency == (permission.kind == Kind::Order) {
            return "wrong_authority";
        }
        if permission.kind == Kind::Accreditation && permission.ects == 0 {
            return "ects_missing";
        }
        let Some(institution) = self.institutions.get_mut(&institution) else { return "unknown_institution" };
        let known = |entry: &&(Permission, bool, u8)| {
            entry.0.kind == permission.kind && entry.1 == by_agency && entry.2 == decision
        };
        if institution.permissions.iter().find(known).is_some() {
            return "already_exists";
        }
        institution.permissions.push((*permission, by_agency, decision));
        "ok"
    }

    fn anchor(&mut self, id: u32, key: u8, batch: &Batch, policy: &Policy, height: u64, day: i32) -> &'static str {
        let Some(institution) = self.institutions.get_mut(&id) else { return "unknown_sender" };
        match key {
            0 | 1 => {}
            2 => return "key_not_allowed",
            _ => return "unknown_key",
        }
        if batch.height < policy.batch_height_min {
            return "batch_too_small";
        }
        if institution.batches.contains_key(&batch.root) {
            return "already_exists";
        }
        let used = if institution.day == day { institution.batches_today } else { 0 };
        if used >= policy.batches_per_day {
            return "quota_exceeded";
        }
        let verdict = institution.permitted(batch, policy, day);
        if verdict == "ok" {
            institution.count(day, 1, 0);
            institution.batches.insert(batch.root, height);
        }
        verdict
    }

    fn status(
        &mut self,
        id: u32,
        key: u8,
        entries: &[(u8, StatusAction, StatusReason)],
        policy: &Policy,
        day: i32,
    ) -> &'static str {
        let Some(institution) = self.institutions.get_mut(&id) else { return "unknown_sender" };
        match key {
            0 | 2 => {}
            1 => return "key_not_allowed",
            _ => return "unknown_key",
        }
        if entries.is_empty() {
            return "statuses_missing";
        }
        if !entries.iter().all(|(_, action, reason)| ALLOWED.contains(&(*action, *reason))) {
            return "status_reason_invalid";
        }
        let used = if institution.day == day { institution.statuses_today } else { 0 };
        let more = u32::try_from(entries.len()).unwrap();
        if used + more > policy.statuses_per_day {
            return "quota_exceeded";
        }
        let mut after = institution.statuses.clone();
        for (handle, action, _) in entries {
            let before = after.get(handle).map(|(last, _)| *last);
            if !FOLLOWS.contains(&(before, *action)) {
                return "status_transition_invalid";
            }
            let count = after.get(handle).map_or(0, |(_, count)| *count);
            after.insert(*handle, (*action, count + 1));
        }
        institution.statuses = after;
        institution.count(day, 0, more);
        "ok"
    }
}

use StatusAction::{Reinstate, Revoke, Supersede, Suspend};

/// Which action may follow which (`credentials.md` §4, written out).
const FOLLOWS: [(Option<StatusAction>, StatusAction); 9] = [
    (None, Suspend),
    (None, Revoke),
    (None, Supersede),
    (Some(Suspend), Reinstate),
    (Some(Suspend), Revoke),
    (Some(Suspend), Supersede),
    (Some(Reinstate), Suspend),
    (Some(Reinstate), Revoke),
    (Some(Reinstate), Supersede),
];

/// Which reason fits which action, written out.
const ALLOWED: [(StatusAction, StatusReason); 20] = [
    (Suspend, StatusReason::Unspecified),
    (Suspend, StatusReason::IssuedInError),
    (Suspend, StatusReason::AwardWithdrawn),
    (Suspend, StatusReason::HolderRequest),
    (Suspend, StatusReason::KeyCompromised),
    (Suspend, StatusReason::Order),
    (Suspend, StatusReason::NotAccredited),
    (Suspend, StatusReason::UnderReview),
    (Reinstate, StatusReason::Unspecified),
    (Reinstate, StatusReason::HolderRequest),
    (Reinstate, StatusReason::Order),
    (Reinstate, StatusReason::ReviewEnded),
    (Revoke, StatusReason::Unspecified),
    (Revoke, StatusReason::IssuedInError),
    (Revoke, StatusReason::AwardWithdrawn),
    (Revoke, StatusReason::HolderRequest),
    (Revoke, StatusReason::KeyCompromised),
    (Revoke, StatusReason::Order),
    (Revoke, StatusReason::NotAccredited),
    (Supersede, StatusReason::Superseded),
];

impl Institution {
    fn count(&mut self, day: i32, batches: u32, statuses: u32) {
        if self.day != day {
            (self.day, self.batches_today, self.statuses_today) = (day, 0, 0);
        }
        self.batches_today += batches;
        self.statuses_today += statuses;
    }

    fn newest(&self, kind: Kind) -> Vec<Permission> {
        self.permissions.iter().rev().map(|entry| entry.0).filter(|entry| entry.kind == kind).collect()
    }

    fn permitted(&self, batch: &Batch, policy: &Policy, day: i32) -> &'static str {
        let Some(place) = batch.accreditation.checked_sub(1) else { return "accreditation_missing" };
        let Some((accredited, ..)) = self.permissions.get(usize::try_from(place).unwrap()) else {
            return "accreditation_missing";
        };
        let field = format!("{:04}", batch.field);
        let most = policy.ects_max[usize::from(batch.level) - 1].get();
        let first_refusal = [
            (accredited.kind != Kind::Accreditation, "not_an_accreditation"),
            (day < accredited.first, "accreditation_not_yet"),
            (day > accredited.last, "accreditation_lapsed"),
            (batch.level != accredited.level, "level_mismatch"),
            (!field.starts_with(accredited.field), "field_not_covered"),
            (batch.ects > accredited.ects, "ects_over_accreditation"),
            (batch.ects < policy.ects_min.get() || batch.ects > most, "ects_outside_policy"),
            (batch.issued > day, "issued_in_future"),
            (batch.issued < accredited.first || batch.issued > accredited.last, "issued_outside_window"),
        ];
        if let Some((_, name)) = first_refusal.iter().find(|(refused, _)| *refused) {
            return name;
        }
        let authorised = self.newest(Kind::Authorisation);
        match authorised.first() {
            None => return "authorisation_missing",
            Some(_) if authorised.iter().any(|entry| entry.first <= day && day <= entry.last) => {}
            Some(newest) if day < newest.first => return "authorisation_not_yet",
            Some(_) => return "authorisation_expired",
        }
        let orders = self.newest(Kind::Order);
        let Some(newest) = orders.first() else { return "order_missing" };
        let mut in_force = orders.iter().filter(|entry| entry.first <= day && day <= entry.last).peekable();
        let Some(newest_in_force) = in_force.peek().copied() else {
            return if day < newest.first { "order_not_yet" } else { "order_expired" };
        };
        if in_force.any(|entry| entry.level == batch.level && field.starts_with(entry.field)) {
            "ok"
        } else if newest_in_force.level != batch.level {
            "order_level_mismatch"
        } else {
            "order_field_mismatch"
        }
    }
}

/// Draws what to ask next: mostly what could pass.
fn draw(random: &mut Random, model: &Model, day: i32) -> Ask {
    let institution = if random.one_in(10) { random.below(5) } else { 1 + random.below(3) };
    let sequence = |random: &mut Random, last: u64| if random.one_in(12) { last + random.next() % 3 } else { last + 1 };
    match random.below(20) {
        0..=1 => Ask::Register {
            by_agency: !random.one_in(8),
            sequence: sequence(random, model.agency_sequence),
            institution,
            legal: random.small(6),
        },
        2..=5 => {
            let kind = random.pick(&[Kind::Authorisation, Kind::Order, Kind::Accreditation, Kind::Accreditation]);
            let by_agency = (kind != Kind::Order) != random.one_in(10);
            let last = if by_agency { model.agency_sequence } else { model.ministry_sequence };
            let first = day + random.days() - 8;
            Ask::Grant {
                by_agency,
                sequence: sequence(random, last),
                institution,
                decision: random.small(40),
                permission: Permission {
                    kind,
                    first,
                    last: first + i32::try_from(random.below(40)).unwrap(),
                    level: random.pick(&[5, 6]),
                    field: random.pick(&["06", "061", "0613"]),
                    ects: random.pick(&[0, 20, 100, 200, 400]),
                },
            }
        }
        6..=13 => {
            let known: &[_] = model.institutions.get(&institution).map_or(&[], |known| &known.permissions);
            let programmes: Vec<_> =
                (1..).zip(known).filter(|(_, entry)| entry.0.kind == Kind::Accreditation).collect();
            let accreditation = if programmes.is_empty() || random.one_in(5) {
                random.below(u32::try_from(known.len()).unwrap() + 2)
            } else {
                random.pick(&programmes).0
            };
            let accredited = model.institutions.get(&institution).and_then(|known| {
                let place = usize::try_from(accreditation).unwrap().checked_sub(1)?;
                known.permissions.get(place).map(|entry| entry.0)
            });
            let fitting = accredited.filter(|_| !random.one_in(4));
            Ask::Anchor {
                institution,
                key: random.pick(&[0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3]),
                batch: Batch {
                    root: random.small(250),
                    height: random.pick(&[4, 5, 6, 7, 8, 9, 10, 20]),
                    accreditation,
                    level: fitting.map_or_else(|| random.pick(&[5, 6]), |entry| entry.level),
                    field: fitting.map_or_else(|| random.pick(&FIELDS), |_| 613),
                    ects: random.pick(&[9, 10, 10, 20, 20, 100, 201]),
                    issued: day - random.pick(&[0, 0, 0, 1, 2, 5, 15, -1]),
                },
            }
        }
        _ => {
            let key = random.pick(&[0, 0, 0, 0, 2, 2, 2, 2, 1, 3]);
            let count = random.pick(&[0, 1, 1, 1, 2, 3, 6]);
            let entries = (0..count).map(|_| {
                let action = random.pick(&[Suspend, Suspend, Reinstate, Revoke, Supersede]);
                let fitting: Vec<_> = ALLOWED.iter().filter(|entry| entry.0 == action).collect();
                let reason = if random.one_in(15) { random.pick(StatusReason::ALL) } else { random.pick(&fitting).1 };
                (random.small(40), action, reason)
            });
            Ask::Status { institution, key, entries: entries.collect() }
        }
    }
}

/// The transaction that asks it. `salt` makes equal asks different transactions.
fn transaction(world: &World, ask: &Ask, salt: u64) -> SignedTransaction {
    let window = |first, last| Window::new(days_from_today(first), days_from_today(last)).unwrap();
    match ask {
        Ask::Register { by_agency, sequence, institution, legal } => {
            let mut register = registration(InstitutionId::new(*institution));
            register.legal_id = Text::new(&format!("legal-{legal}")).unwrap();
            by_authority(world, *by_agency, *sequence, salt, Payload::InstitutionRegister(register))
        }
        Ask::Grant { by_agency, sequence, institution, decision: number, permission } => {
            let scope = match permission.kind {
                Kind::Authorisation => PermissionScope::Authorisation,
                Kind::Order => PermissionScope::PilotOrder {
                    fields: fields(&[permission.field]),
                    levels: Levels::of(&[level(permission.level)]).unwrap(),
                },
                Kind::Accreditation => programme(permission.level, &[permission.field], permission.ects),
            };
            let grant = PermissionGrant {
                institution: InstitutionId::new(*institution),
                decision: decision(*number),
                window: window(permission.first, permission.last),
                conditional: false,
                scope,
            };
            by_authority(world, *by_agency, *sequence, salt, Payload::PermissionGrant(grant))
        }
        Ask::Anchor { institution, key, batch: asked } => {
            let anchor = BatchAnchor {
                root: BatchRoot::new([asked.root; 32]),
                height: BatchHeight::new(asked.height).unwrap(),
                accreditation: PermissionId::new(asked.accreditation),
                level: level(asked.level),
                field: Field::new(asked.field).unwrap(),
                ects: EctsTenths::new(asked.ects),
                issued: days_from_today(asked.issued),
                ..batch(0)
            };
            by_institution(world, *institution, *key, salt, Payload::BatchAnchor(anchor))
        }
        Ask::Status { institution, key, entries } => {
            let entries: Vec<StatusEntry> =
                entries.iter().map(|(handle, action, reason)| entry(*handle, *action, *reason)).collect();
            let set = StatusSet { entries: List::new(entries).unwrap() };
            by_institution(world, *institution, *key, salt, Payload::StatusSet(set))
        }
    }
}

fn by_authority(world: &World, agency: bool, sequence: u64, salt: u64, payload: Payload) -> SignedTransaction {
    let authority = if agency { NCEQE } else { MINISTRY };
    let sender = Sender::Authority { authority, sequence: AuthoritySequence::new(sequence) };
    let body = world.body(sender, DAY_MS + salt, payload);
    let (first, second) = (authority_secret(authority, 0), authority_secret(authority, 1));
    if agency { sign(body, &[(0, &first), (1, &second)]) } else { sign(body, &[(0, &first)]) }
}

fn by_institution(world: &World, institution: u32, key: u8, salt: u64, payload: Payload) -> SignedTransaction {
    let institution = InstitutionId::new(institution);
    let body = world.body(Sender::Institution { institution }, MINUTE_MS + salt, payload);
    sign(body, &[(u16::from(key), &institution_secret(institution, key))])
}

fn run(seed: u64, blocks: u32) -> BTreeMap<&'static str, u32> {
    let policy = Policy { batches_per_day: 12, statuses_per_day: 40, clock_tolerance_ms: 0, ..policy() };
    let mut random = Random(seed);
    let mut world = World::new(policy);
    let mut model = Model::default();
    let mut seen = BTreeMap::new();
    let mut salt = 0;
    let mut last: Option<SignedTransaction> = None;
    for _ in 0..blocks {
        let pause = if random.one_in(6) { DAY_MS } else { 1 + u64::from(random.below(20_000)) };
        world.now = after(world.now, pause);
        let time = world.chain.block_time(world.now);
        world.now = time;
        let day = sigeli_verifier::time::Day::of(time).get() - today().get();
        let height = world.chain.next_height().get();
        let (mut transactions, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..random.below(9) {
            if let Some(old) = last.take().filter(|_| random.one_in(2)) {
                let expired = old.body().valid_until < time;
                transactions.push(old);
                expected.push(if expired { "expired" } else { "already_committed" });
                continue;
            }
            let ask = draw(&mut random, &model, day);
            salt += 1;
            transactions.push(transaction(&world, &ask, salt % 10_000));
            expected.push(model.judge(&ask, &policy, height, day));
        }
        let ids: Vec<_> = transactions.iter().map(SignedTransaction::id).collect();
        let mut verdicts = vec!["ok"; ids.len()];
        for (place, rejection) in world.try_commit(transactions.clone()) {
            verdicts[place] = rejection.name();
        }
        assert_eq!(verdicts, expected, "seed {seed}, block {height}");
        last = transactions.into_iter().zip(&verdicts).find(|(_, verdict)| **verdict == "ok").map(|(kept, _)| kept);
        verdicts.into_iter().for_each(|verdict| *seen.entry(verdict).or_default() += 1);
    }
    compare(&world, &model, seed);
    crate::audit::assert_registers_commit_records(&world);
    seen
}

/// What exists is what the model holds.
fn compare(world: &World, model: &Model, seed: u64) {
    let snapshot = world.chain.snapshot();
    let view = View::new(&snapshot);
    for number in 0..6 {
        let id = InstitutionId::new(number);
        let found = view.institution(id).unwrap();
        let Some(expected) = model.institutions.get(&number) else {
            assert_eq!(found, None, "seed {seed}");
            continue;
        };
        let facts = found.unwrap().facts;
        assert_eq!(facts.registered, Height::new(expected.registered));
        assert_eq!(usize::try_from(facts.permissions).unwrap(), expected.permissions.len());
        assert_eq!(usize::try_from(facts.batches).unwrap(), expected.batches.len());
        for root in 0..=255 {
            let found = view.batch(id, &BatchRoot::new([root; 32])).unwrap();
            assert_eq!(found.map(|record| record.anchored.get()), expected.batches.get(&root).copied(), "seed {seed}");
        }
        for number in 0..=255 {
            let found = view.status(id, &handle(number)).unwrap().map(|record| (record.state, record.entries));
            let state = |action| match action {
                Suspend => StatusState::Suspended,
                Reinstate => StatusState::Reinstated,
                Revoke => StatusState::Revoked,
                Supersede => StatusState::Superseded { successor: [9; 32] },
            };
            let expected = expected.statuses.get(&number).map(|(action, count)| (state(*action), *count));
            assert_eq!(found, expected, "seed {seed}");
        }
    }
}

#[test]
fn random_histories_agree_with_the_model() {
    let mut seen = BTreeMap::<_, u32>::new();
    for seed in 0..12 {
        for (name, count) in run(seed, 120) {
            *seen.entry(name).or_default() += count;
        }
    }
    let total: u32 = seen.values().sum();
    assert!(total > 4_000, "{total} transactions");
    // A model that refuses everything would agree, too: histories must get somewhere, and meet most rules.
    assert!(seen["ok"] * 6 > total, "{seen:?}");
    assert!(seen.len() > 25, "{seen:?}");
}
