//! What records say about a day, a height, a writer; and which policies make sense.

use std::collections::BTreeMap;

use sigeli_verifier::{
    bounded::List,
    codes::Level,
    decode::Decode as _,
    encode::Encode as _,
    ids::{AuthorityId, DecisionRef, EctsTenths, GovernanceSequence, Height, KeyIndex, PermissionId},
    params::{PERMISSION_STANDINGS_MAX, PROTOCOL_VERSION},
    record::{
        AuthorityRecord, CompromisedKeys, GovernanceRecord, InstitutionState, PermissionEntry, PermissionStanding,
        PermissionStandings, PermissionState, Policy, PolicyError, standing_on,
    },
    time::Day,
    transaction::DecisionReason,
};

use crate::common::{
    draw::Draw,
    world::{World, by_key, by_order, closed, grant_entry},
};

/// A policy that makes sense, at each of its lower limits.
fn policy() -> Policy {
    Policy {
        ects_max: [EctsTenths::new(1); 8],
        ects_min: [EctsTenths::new(1); 8],
        ects_recognised_max: EctsTenths::new(0),
        batch_height_min: 4,
        clock_tolerance_ms: 0,
        pilot_order_required: false,
        batches_per_day: 1,
        statuses_per_day: 1,
        changes_per_day: 1,
        approvals_min: 1,
    }
}

#[test]
fn a_policy_is_refused_just_below_and_above_its_limits() {
    assert_eq!(policy().check(), Ok(()));
    for level in 0..8 {
        let mut none = policy();
        none.ects_min[level] = EctsTenths::new(0);
        assert_eq!(none.check(), Err(PolicyError::Ects));
        let mut crossed = policy();
        crossed.ects_min[level] = EctsTenths::new(2);
        assert_eq!(crossed.check(), Err(PolicyError::Ects));
        crossed.ects_max[level] = EctsTenths::new(2);
        assert_eq!(crossed.check(), Ok(()));
    }
    for (height, expected) in
        [(3, Err(PolicyError::BatchHeight)), (4, Ok(())), (20, Ok(())), (21, Err(PolicyError::BatchHeight))]
    {
        assert_eq!(Policy { batch_height_min: height, ..policy() }.check(), expected);
    }
    assert_eq!(Policy { batches_per_day: 0, ..policy() }.check(), Err(PolicyError::Quota));
    assert_eq!(Policy { statuses_per_day: 0, ..policy() }.check(), Err(PolicyError::Quota));
    assert_eq!(Policy { changes_per_day: 0, ..policy() }.check(), Err(PolicyError::Quota));
    assert_eq!(Policy { approvals_min: 0, ..policy() }.check(), Err(PolicyError::Approvals));
}

#[test]
fn approvals_are_never_half_or_fewer_nor_more_than_there_are_authorities() {
    // Authorities, what the policy says, how many are needed: also one and two authorities may add another.
    for (authorities, says, needed) in [
        (1, 1, 1),
        (1, 4, 1),
        (2, 1, 2),
        (2, 2, 2),
        (2, 3, 2),
        (3, 1, 2),
        (3, 2, 2),
        (3, 3, 3),
        (4, 2, 3),
        (7, 4, 4),
        (8, 4, 5),
        (8, 5, 5),
        (8, 8, 8),
        (8, 9, 8),
        (32, 16, 17),
    ] {
        let policy = Policy { approvals_min: says, ..policy() };
        assert_eq!(policy.approvals_needed(authorities), needed, "{says} of {authorities}");
    }
}

#[test]
fn a_policy_has_its_own_credits_for_each_level() {
    let mut credits = policy();
    for level in 0..8_u16 {
        credits.ects_max[usize::from(level)] = EctsTenths::new(100 + level);
        credits.ects_min[usize::from(level)] = EctsTenths::new(10 + level);
    }
    for level in 1..=8_u8 {
        let at = Level::new(level).unwrap();
        assert_eq!(credits.ects_max_at(at).get(), 99 + u16::from(level));
        assert_eq!(credits.ects_min_at(at).get(), 9 + u16::from(level));
    }
}

#[test]
fn a_permission_stands_on_a_day_where_its_newest_change_by_then_puts_it() {
    let grant = PermissionEntry { effective: Day::new(10), ..grant_entry(&World::new().permission) };
    let entry = |state, effective| PermissionEntry { state, effective: Day::new(effective), ..grant };
    // Two changes on one day: the later one counts.
    let history = [
        grant,
        entry(PermissionState::Suspended, 20),
        entry(PermissionState::Active, 30),
        entry(PermissionState::Withdrawn, 30),
        entry(PermissionState::Restored { by: PermissionId::new(2) }, 40),
    ];
    let on = |day| standing_on(&history, Day::new(day)).map(|entry| entry.state);
    assert_eq!(on(9), None);
    assert_eq!((on(10), on(19)), (Some(PermissionState::Active), Some(PermissionState::Active)));
    assert_eq!((on(20), on(29)), (Some(PermissionState::Suspended), Some(PermissionState::Suspended)));
    assert_eq!((on(30), on(39)), (Some(PermissionState::Withdrawn), Some(PermissionState::Withdrawn)));
    assert_eq!(on(40), Some(PermissionState::Restored { by: PermissionId::new(2) }));
    assert_eq!(standing_on(&[], Day::new(10)), None);
}

#[test]
fn an_end_cancels_what_was_announced_for_later_days() {
    let grant = PermissionEntry { effective: Day::new(10), ..grant_entry(&World::new().permission) };
    let entry = |state, effective| PermissionEntry { state, effective: Day::new(effective), ..grant };
    let mut history = vec![
        grant,
        entry(PermissionState::Suspended, 40),
        entry(PermissionState::Active, 50),
        entry(PermissionState::Withdrawn, 45),
    ];
    let on = |history: &[PermissionEntry], day| standing_on(history, Day::new(day)).unwrap().state;
    assert_eq!((on(&history, 39), on(&history, 44)), (PermissionState::Active, PermissionState::Suspended));
    assert_eq!((on(&history, 45), on(&history, 60)), (PermissionState::Withdrawn, PermissionState::Withdrawn));
    // Brought forward, and taken back: what was cancelled does not come back.
    history.push(entry(PermissionState::Withdrawn, 30));
    assert_eq!((on(&history, 29), on(&history, 30)), (PermissionState::Active, PermissionState::Withdrawn));
    assert_eq!(on(&history, 50), PermissionState::Withdrawn);
    history.push(entry(PermissionState::Active, 30));
    assert_eq!((on(&history, 40), on(&history, 99)), (PermissionState::Active, PermissionState::Active));
}

#[test]
fn the_head_tells_what_the_history_tells_from_the_day_of_writing_on() {
    let grant = PermissionEntry { effective: Day::new(10), ..grant_entry(&World::new().permission) };
    let (mut refused, mut ends, mut longest) = (0, 0, 0);
    for seed in 0..2_000 {
        let mut draw = Draw::new(seed);
        let mut below = |count: u64| i32::try_from(draw.u64() % count).unwrap();
        let mut today = below(15);
        let mut head = PermissionStandings::granted(grant.effective, grant.reason);
        // The history, and by the same rule day by day: which of its entries counts.
        let mut history = vec![grant];
        let mut days: BTreeMap<i32, PermissionEntry> = (10..80).map(|day| (day, grant)).collect();
        for _ in 0..12 {
            today += below(4);
            let earliest = head.earliest(Day::new(today)).unwrap().get();
            let effective = earliest + below(12);
            let stands = days[&effective];
            let announced = stands.effective.get() == effective && effective > today;
            if stands.state.is_end() && !announced {
                continue;
            }
            let by = PermissionId::new(7);
            let state = match below(9) {
                0 => PermissionState::Withdrawn,
                1 => PermissionState::Replaced { by },
                2 => PermissionState::Restored { by },
                3..=5 => PermissionState::Active,
                _ => PermissionState::Suspended,
            };
            let entry = PermissionEntry { state, effective: Day::new(effective), ..grant };
            let change = PermissionStanding { effective: entry.effective, state, reason: entry.reason };
            let Ok(next) = head.changed(change, Day::new(today)) else {
                refused += 1;
                continue;
            };
            head = next;
            history.push(entry);
            for (day, counts) in days.range_mut(effective..) {
                let another = counts.effective.get() > effective && !state.is_end();
                if another {
                    break;
                }
                assert!(*day >= effective);
                *counts = entry;
            }
            ends += u32::from(state.is_end());
            longest = longest.max(head.as_slice().len());
            assert_eq!(PermissionStandings::from_bytes(&head.to_bytes()).as_ref(), Ok(&head));
            for day in 10..80 {
                let replayed = standing_on(&history, Day::new(day)).unwrap();
                assert_eq!(*replayed, days[&day], "seed {seed}, day {day}");
                if day >= today {
                    let told = head.on(Day::new(day)).map(|told| (told.effective, told.state));
                    assert_eq!(told, Some((replayed.effective, replayed.state)), "seed {seed}, day {day}");
                }
            }
        }
    }
    assert!(refused > 100 && ends > 1_000 && longest == PERMISSION_STANDINGS_MAX, "{refused} {ends} {longest}");
}

#[test]
fn standings_are_refused_that_no_ledger_writes() {
    let one = |effective: i32, state: PermissionState| {
        let standing = PermissionStanding { effective: Day::new(effective), state, reason: DecisionReason::Granted };
        standing.to_bytes()
    };
    let decoded = |all: &[Vec<u8>]| {
        let count = u16::try_from(all.len()).unwrap().to_le_bytes();
        PermissionStandings::from_bytes(&[&count[..], &all.concat()].concat()).is_ok()
    };
    let (active, suspended, withdrawn) =
        (PermissionState::Active, PermissionState::Suspended, PermissionState::Withdrawn);
    assert!(decoded(&[one(1, active), one(2, suspended), one(3, active), one(4, withdrawn)]));
    assert!(!decoded(&[]));
    assert!(!decoded(&[one(1, active), one(1, suspended)]));
    assert!(!decoded(&[one(2, active), one(1, suspended)]));
    assert!(!decoded(&[one(1, withdrawn), one(2, active)]));
    assert!(!decoded(&[one(1, active), one(2, active), one(3, active), one(4, active), one(5, active)]));
}

#[test]
fn an_announced_version_counts_from_its_height() {
    let authorities = List::new([1, 2, 3].map(AuthorityId::new).to_vec()).unwrap();
    let first = GovernanceRecord::first(authorities.clone());
    assert_eq!((first.authorities.clone(), first.sequence), (authorities, GovernanceSequence::new(0)));
    for height in [0, 1, u64::MAX] {
        assert_eq!(first.version_at(Height::new(height)), PROTOCOL_VERSION);
    }
    let announced = GovernanceRecord { upgrade_version: 2, upgrade_height: Height::new(100), ..first.clone() };
    let at = |height| announced.version_at(Height::new(height));
    assert_eq!((at(0), at(99), at(100), at(u64::MAX)), (1, 1, 2, 2));
    // Height 0 announces nothing, whatever the version beside it.
    let none = GovernanceRecord { upgrade_version: 2, ..first };
    assert_eq!(none.version_at(Height::new(0)), 1);
    assert_eq!(none.version_at(Height::new(u64::MAX)), 1);
}

#[test]
fn a_compromised_key_voids_what_it_wrote_from_a_height_on_and_a_decision_is_never_void() {
    let mut facts = World::new().facts;
    let range = |first, last, from| CompromisedKeys {
        first: KeyIndex::new(first),
        last: KeyIndex::new(last),
        from: Height::new(from),
    };
    facts.compromised = List::new(vec![range(1, 1, 10), range(3, 5, 0)]).unwrap();
    let void = |key, height| facts.is_void(&by_key(key), Height::new(height));
    assert_eq!((void(1, 9), void(1, 10), void(1, 11)), (false, true, true));
    assert!(void(3, 0) && void(4, 0) && void(5, 0) && !void(0, 100) && !void(2, 100) && !void(6, 100));
    assert!(!facts.is_void(&by_order(), Height::new(100)));
    assert_eq!(facts.compromised_from(KeyIndex::new(1)), Some(Height::new(10)));
    assert_eq!(facts.compromised_from(KeyIndex::new(2)), None);
}

#[test]
fn small_questions() {
    assert!(DecisionRef::NONE.is_none() && !DecisionRef::new([1; 32]).is_none());
    assert_eq!(InstitutionState::Active.closed_from(), None);
    assert_eq!(closed(Day::new(5)).closed_from(), Some(Day::new(5)));
    let mut authority: AuthorityRecord = Draw::new(0).authority_record();
    authority.keys = List::new(vec![Draw::new(0).key()]).unwrap();
    assert!(!authority.is_ended());
    authority.keys = List::empty();
    assert!(authority.is_ended());
}
