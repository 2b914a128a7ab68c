use sigeli_verifier::{
    bounded::List,
    ids::{Height, PermissionId},
    record::{CompromisedKeys, InstitutionState, PermissionRecord, PermissionState},
    time::Window,
    transaction::{DecisionReason, PermissionScope},
};

use super::*;
use crate::query::examples::{accreditation, day, entry, facts, fields, grant, held, key, levels, noon, policy};

/// An institution that may issue in 0613 at level 6.
struct World {
    facts: InstitutionFacts,
    keys: Vec<(KeyIndex, KeyRecord)>,
    permissions: Vec<Held>,
    policy: Policy,
    usage: Option<Usage>,
}

fn of(scope: PermissionScope, first: &str, last: &str) -> PermissionRecord {
    PermissionRecord { scope, ..grant(first, last) }
}

fn order(covered: &[&str], allowed: &[u8]) -> PermissionScope {
    PermissionScope::PilotOrder { fields: fields(covered), levels: levels(allowed) }
}

impl World {
    fn new() -> Self {
        Self {
            facts: facts(),
            keys: vec![key(KeyPurposes::ANCHOR)],
            permissions: vec![
                held(1, of(PermissionScope::Authorisation, "2024-01-01", "2029-12-31"), &[]),
                held(2, of(order(&["06"], &[6, 7]), "2026-01-01", "2027-12-31"), &[]),
                held(3, grant("2026-09-01", "2027-08-31"), &[]),
            ],
            policy: policy(),
            usage: None,
        }
    }

    fn ask_at(&self, time: TimeMs) -> MayIssue<'_> {
        may_issue(&Holdings {
            time,
            facts: &self.facts,
            keys: &self.keys,
            permissions: &self.permissions,
            policy: &self.policy,
            usage: self.usage,
        })
    }

    fn ask(&self, text: &str) -> MayIssue<'_> {
        self.ask_at(noon(text))
    }

    /// The obstacles on 2026-11-24: against everything, and of the last accreditation.
    fn words(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let answer = self.ask("2026-11-24");
        let words = |obstacles: &[Obstacle]| obstacles.iter().map(Obstacle::word).collect();
        let programme = answer.programmes.last().map_or(Vec::new(), |programme| words(&programme.obstacles));
        (words(&answer.obstacles), programme)
    }
}

fn texts(fields: &[FieldPrefix]) -> Vec<String> {
    fields.iter().map(ToString::to_string).collect()
}

#[test]
fn what_may_be_issued_is_what_all_rules_leave() {
    let world = World::new();
    let answer = world.ask("2026-11-24");
    assert!(answer.anything());
    assert_eq!((answer.authorisation, answer.batches_left), (Some(PermissionId::new(1)), 100));
    let [programme] = answer.programmes.as_slice() else { panic!("one accreditation") };
    assert_eq!(programme.number, PermissionId::new(3));
    assert_eq!(texts(&programme.fields), ["0613"]);
    assert_eq!((programme.ects_min.get(), programme.ects_max.get()), (10, 50));
    assert_eq!(programme.issued, Some((day("2026-09-01"), day("2026-11-24"))));
    assert_eq!(programme.orders, [PermissionId::new(2)]);
}

#[test]
fn the_windows_count_to_their_last_day() {
    let mut world = World::new();
    world.keys[0].1.window = Window::new(day("2020-01-01"), day("2030-12-31")).unwrap();
    let anything = |text| world.ask(text).anything();
    assert!(!anything("2026-08-31") && anything("2026-09-01"));
    assert!(anything("2027-08-31") && !anything("2027-09-01"));
    // 19:59 UTC is the last minute of the day in Tbilisi.
    let last = crate::values::parse_time("2027-08-31T19:59:59Z").unwrap();
    assert!(world.ask_at(last).anything());
    assert!(!world.ask_at(TimeMs::new(last.get() + 1_000)).anything());
    let last_answer = world.ask_at(last);
    assert_eq!(last_answer.programmes[0].issued, Some((day("2026-09-01"), day("2027-08-31"))));
}

#[test]
fn the_clock_tolerance_allows_the_next_day_but_not_beyond_the_window() {
    let mut world = World::new();
    world.policy.clock_tolerance_ms = 60_000;
    let issued = |text: &str| world.ask_at(crate::values::parse_time(text).unwrap()).programmes[0].issued;
    assert_eq!(issued("2026-11-24T23:58:59+04:00"), Some((day("2026-09-01"), day("2026-11-24"))));
    assert_eq!(issued("2026-11-24T23:59:00+04:00"), Some((day("2026-09-01"), day("2026-11-25"))));
    assert_eq!(issued("2027-08-31T23:59:30+04:00"), Some((day("2026-09-01"), day("2027-08-31"))));
}

#[test]
fn what_stands_against_everything() {
    let none: Vec<&str> = Vec::new();
    let mut world = World::new();
    world.facts.state = InstitutionState::Closed {
        from: day("2026-11-24"),
        reason: DecisionReason::Closed,
        successor: sigeli_verifier::ids::InstitutionId::new(0),
    };
    assert_eq!(world.words(), (vec!["institution_closed"], none.clone()));
    assert!(world.ask("2026-11-23").anything(), "the day before it is open");

    let mut world = World::new();
    world.usage = Some(Usage { day: day("2026-11-24"), batches: 100, statuses: 0, changes: 0 });
    assert_eq!(world.words(), (vec!["quota_used"], none.clone()));
    assert_eq!(world.ask("2026-11-25").batches_left, 100, "another day has its own");

    let mut world = World::new();
    world.permissions.remove(0);
    assert_eq!(world.words(), (vec!["never_authorised"], none.clone()));
    let mut world = World::new();
    world.permissions.remove(1);
    assert_eq!(world.words(), (vec!["never_ordered"], none.clone()));
    world.policy.pilot_order_required = false;
    assert_eq!(world.words(), (none.clone(), none));
}

#[test]
fn only_a_usable_key_anchors() {
    let spoil: [&dyn Fn(&mut World); 4] = [
        &|world| world.keys[0].1.state = KeyState::Retired { at: Height::new(9) },
        &|world| world.keys[0] = key(KeyPurposes::STATUS),
        &|world| world.keys[0].1.window = Window::new(day("2026-11-25"), day("2026-12-31")).unwrap(),
        &|world| {
            let (first, last) = (KeyIndex::new(0), KeyIndex::new(0));
            let compromised = CompromisedKeys { first, last, from: Height::new(90) };
            world.facts.compromised = List::new(vec![compromised]).unwrap();
        },
    ];
    for spoil in spoil {
        let mut world = World::new();
        spoil(&mut world);
        assert_eq!(world.words(), (vec!["no_anchoring_key"], vec![]));
    }
}

#[test]
fn the_newest_authorisation_decides_within_its_days() {
    let mut world = World::new();
    let newer = of(PermissionScope::Authorisation, "2026-10-01", "2026-12-31");
    let suspended = entry(9, "2026-11-01", PermissionState::Suspended, "2026-11-01");
    world.permissions.push(held(4, newer, &[suspended]));
    let answer = world.ask("2026-11-24");
    let since = day("2026-11-01");
    assert_eq!(
        answer.obstacles,
        [Obstacle::NotAuthorised { newest: PermissionId::new(4), standing: Standing::Suspended { since } }]
    );
    assert!(answer.obstacles[0].words().contains("permission 4: suspended since 2026-11-01"));
    let authorisation = |world: &World, text| world.ask(text).authorisation.map(PermissionId::get);
    assert_eq!((authorisation(&world, "2026-09-30"), authorisation(&world, "2026-10-31")), (Some(1), Some(4)));
    assert_eq!((authorisation(&world, "2026-12-31"), authorisation(&world, "2027-01-01")), (None, Some(1)));
    // One in whose place another stands decides nothing.
    let replaced = entry(9, "2026-11-01", PermissionState::Replaced { by: PermissionId::new(1) }, "2026-11-02");
    world.permissions[3] =
        held(4, of(PermissionScope::Authorisation, "2026-10-01", "2026-12-31"), &[suspended, replaced]);
    assert_eq!((authorisation(&world, "2026-11-01"), authorisation(&world, "2026-11-02")), (None, Some(1)));
}

#[test]
fn of_the_orders_that_cover_a_field_the_newest_decides() {
    let suspended = entry(9, "2026-11-01", PermissionState::Suspended, "2026-11-01");
    let mut world = World::new();
    world.permissions[2] = held(3, of(accreditation(&["061", "07"], 6), "2026-09-01", "2027-08-31"), &[]);
    let issuable = |world: &World| {
        let answer = world.ask("2026-11-24");
        let words: Vec<_> = answer.programmes[0].obstacles.iter().map(Obstacle::words).collect();
        (texts(&answer.programmes[0].fields), answer.programmes[0].orders.clone(), words)
    };
    assert_eq!(issuable(&world), (vec!["061".to_owned()], vec![PermissionId::new(2)], vec![]));
    world.permissions.push(held(4, of(order(&["0613"], &[6]), "2026-01-01", "2027-12-31"), &[suspended]));
    let rest: Vec<_> = [0, 1, 2, 4, 5, 6, 7, 8, 9].map(|digit| format!("061{digit}")).into();
    assert_eq!(issuable(&world), (rest, vec![PermissionId::new(2)], vec![]));
    world.permissions.push(held(5, of(order(&["06"], &[6]), "2026-01-01", "2027-12-31"), &[suspended]));
    let (fields, orders, words) = issuable(&world);
    assert!(fields.is_empty() && orders.is_empty());
    assert!(words[0].contains("permission 5: suspended since 2026-11-01"), "{words:?}");
    // Of another level, or of other days, it decides nothing.
    world.permissions[4] = held(5, of(order(&["06"], &[7]), "2026-01-01", "2027-12-31"), &[suspended]);
    assert_eq!(issuable(&world).0.len(), 9);
    world.permissions[4] = held(5, of(order(&["06"], &[6]), "2026-01-01", "2026-11-23"), &[suspended]);
    assert_eq!(issuable(&world).0.len(), 9);
    world.permissions.push(held(6, of(order(&["0714"], &[6]), "2026-01-01", "2027-12-31"), &[]));
    assert_eq!(issuable(&world).1, [6, 2].map(PermissionId::new));
}

#[test]
fn an_accreditation_that_was_replaced_gives_way_to_its_successor() {
    let mut world = World::new();
    let replaced = entry(9, "2026-11-01", PermissionState::Replaced { by: PermissionId::new(4) }, "2026-12-01");
    world.permissions[2] = held(3, grant("2026-09-01", "2027-08-31"), &[replaced]);
    world.permissions.push(held(4, grant("2026-12-01", "2028-08-31"), &[]));
    let usable = |text| {
        let answer = world.ask(text);
        let usable = answer.programmes.iter().filter(|programme| programme.obstacles.is_empty());
        usable.map(|programme| programme.number.get()).collect::<Vec<_>>()
    };
    assert_eq!(usable("2026-11-30"), [3]);
    assert_eq!(usable("2026-12-01"), [4]);
}

#[test]
fn orders_and_accreditations_meet_in_their_common_fields() {
    let meet = |accredited: &[&str], ordered: &[&[&str]]| {
        let mut world = World::new();
        world.permissions = vec![World::new().permissions[0].clone()];
        let mut number = 2;
        for covered in ordered {
            world.permissions.push(held(number, of(order(covered, &[6]), "2026-01-01", "2027-12-31"), &[]));
            number += 1;
        }
        let scope = accreditation(accredited, 6);
        world.permissions.push(held(number, of(scope, "2026-09-01", "2027-08-31"), &[]));
        let answer = world.ask("2026-11-24");
        let programme = answer.programmes.last().unwrap();
        let words: Vec<_> = programme.obstacles.iter().map(Obstacle::word).collect();
        (texts(&programme.fields), words, programme.orders.len())
    };
    let strings = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(meet(&["0613"], &[&["06"]]), (strings(&["0613"]), vec![], 1));
    assert_eq!(meet(&["06"], &[&["0613", "0714"]]), (strings(&["0613"]), vec![], 1));
    assert_eq!(meet(&["061", "07"], &[&["06"], &["0714"]]), (strings(&["061", "0714"]), vec![], 2));
    assert_eq!(meet(&["06", "0613"], &[&["061", "0613"]]), (strings(&["061"]), vec![], 1));
    assert_eq!(meet(&["0714"], &[&["06"]]), (vec![], vec!["field_not_ordered"], 0));
}

#[test]
fn the_level_must_be_ordered() {
    let mut world = World::new();
    world.permissions[2] = held(3, of(accreditation(&["0613"], 5), "2026-09-01", "2027-08-31"), &[]);
    assert_eq!(world.words(), (vec![], vec!["level_not_ordered"]));
}

#[test]
fn credits_lie_between_policy_and_accreditation() {
    let mut world = World::new();
    world.policy.ects_max = [EctsTenths::new(30); 8];
    assert_eq!(world.ask("2026-11-24").programmes[0].ects_max, EctsTenths::new(30));
    world.policy.ects_max = [EctsTenths::new(150); 8];
    world.policy.ects_min = [EctsTenths::new(51); 8];
    assert_eq!(world.words(), (vec![], vec!["credits_below_policy"]));
    world.policy.ects_min = [EctsTenths::new(50); 8];
    assert_eq!(world.words(), (vec![], vec![]));
}

#[test]
fn of_many_orders_the_oldest_still_counts() {
    let mut world = World::new();
    for number in 4..90 {
        world.permissions.push(held(number, of(order(&["01"], &[6]), "2026-01-01", "2027-12-31"), &[]));
    }
    assert!(world.ask("2026-11-24").anything());
}
