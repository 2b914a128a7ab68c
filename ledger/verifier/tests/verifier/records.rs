//! What records say about a day, a height, a writer; and which policies make sense.

use sigeli_verifier::{
    bounded::List,
    codes::Level,
    ids::{AuthorityId, DecisionRef, EctsTenths, GovernanceSequence, Height, KeyIndex, PermissionId},
    params::PROTOCOL_VERSION,
    record::{
        AuthorityRecord, CompromisedKey, GovernanceRecord, InstitutionState, PermissionEntry, PermissionState, Policy,
        PolicyError, standing_on,
    },
    time::Day,
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
    let entry = |key, from| CompromisedKey { key: KeyIndex::new(key), from: Height::new(from) };
    facts.compromised = List::new(vec![entry(1, 10), entry(3, 0)]).unwrap();
    let void = |key, height| facts.is_void(&by_key(key), Height::new(height));
    assert_eq!((void(1, 9), void(1, 10), void(1, 11)), (false, true, true));
    assert!(void(3, 0) && !void(0, 100) && !void(2, 100));
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
