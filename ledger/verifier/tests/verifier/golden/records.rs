//! One example of every record, history entry and variant of them.

use sigeli_verifier::{
    bounded::{List, Text},
    codes::{AuthorityKind, DecisionReason, StatusReason},
    encode::Encode as _,
    ids::{AuthorityId, AuthoritySequence, GovernanceSequence, Height, KeyIndex, PermissionId},
    record::{
        AuthorityRecord, BatchRecord, BatchState, BatchStatus, CompromisedKeys, GovernanceRecord, InstitutionEntry,
        InstitutionFacts, InstitutionState, KeyChange, PermissionEntry, PermissionRecord, PermissionStanding,
        PermissionStandings, PermissionState,
    },
    time::Day,
};

use super::{Format, payloads::policy};
use crate::common::world::{
    World, batch_change, by_key, by_order, closed, grant_entry, institution_entry, key_entry, programme, seed,
};

fn day() -> Day {
    Day::from_civil(2027, 7, 1).unwrap()
}

fn institutions(world: &World) -> Vec<Format> {
    let compromised = [(0, 0, 5), (1, 3, 6)].map(|(first, last, from)| CompromisedKeys {
        first: KeyIndex::new(first),
        last: KeyIndex::new(last),
        from: Height::new(from),
    });
    let ended = InstitutionFacts {
        state: closed(day()),
        entries: 2,
        compromised: List::new(compromised.to_vec()).unwrap(),
        ..world.facts.clone()
    };
    let entry = institution_entry(&world.facts);
    let closure = InstitutionEntry { state: closed(day()), ..entry.clone() };
    vec![
        Format::new("institution facts", world.facts.to_bytes(), |draw| draw.institution_facts().to_bytes()),
        Format::new("institution facts: closed, keys compromised", ended.to_bytes(), |draw| {
            draw.institution_facts().to_bytes()
        }),
        Format::new("institution value", world.facts.value(&seed("registers", 0)), |draw| {
            draw.institution_facts().value(&draw.bytes())
        }),
        Format::new("institution entry: active", entry.to_bytes(), |draw| draw.institution_entry().to_bytes()),
        Format::new("institution entry: closed", closure.to_bytes(), |draw| draw.institution_entry().to_bytes()),
        Format::new("institution state: active", InstitutionState::Active.to_bytes(), |draw| {
            draw.institution_state().to_bytes()
        }),
        Format::new("institution state: closed", closed(day()).to_bytes(), |draw| draw.institution_state().to_bytes()),
        Format::new("writer: institution", by_key(258).to_bytes(), |draw| draw.writer().to_bytes()),
        Format::new("writer: authority", by_order().to_bytes(), |draw| draw.writer().to_bytes()),
        Format::new("programme record", programme().to_bytes(), |draw| draw.programme_record().to_bytes()),
    ]
}

fn keys(world: &World) -> Vec<Format> {
    let retired = sigeli_verifier::record::KeyState::Retired { at: Height::new(4) };
    let retired = sigeli_verifier::record::KeyRecord { state: retired, entries: 2, ..world.key };
    let entry = |name, change| Format::new(name, key_entry(change).to_bytes(), |draw| draw.key_entry().to_bytes());
    vec![
        Format::new("key record", world.key.to_bytes(), |draw| draw.key_record().to_bytes()),
        Format::new("key record: retired", retired.to_bytes(), |draw| draw.key_record().to_bytes()),
        entry("key entry: added", KeyChange::Added),
        entry("key entry: retired", KeyChange::Retired),
        entry("key entry: compromised", KeyChange::Compromised { from: Height::new(6) }),
        entry("key entry: cleared", KeyChange::Cleared),
    ]
}

fn permissions(world: &World) -> Vec<Format> {
    let by = PermissionId::new(258);
    let states = [
        ("permission entry: active", PermissionState::Active),
        ("permission entry: suspended", PermissionState::Suspended),
        ("permission entry: withdrawn", PermissionState::Withdrawn),
        ("permission entry: replaced", PermissionState::Replaced { by }),
        ("permission entry: restored", PermissionState::Restored { by }),
    ];
    let first = world.permission.window.first();
    let announced = [
        PermissionStanding { effective: day(), state: PermissionState::Suspended, reason: DecisionReason::CourtOrder },
        PermissionStanding {
            effective: Day::new(day().get() + 30),
            state: PermissionState::Replaced { by },
            reason: DecisionReason::Renewed,
        },
    ];
    let standing =
        announced.into_iter().fold(PermissionStandings::granted(first, DecisionReason::Renewed), |all, one| {
            all.changed(one, first).unwrap()
        });
    let renewed =
        PermissionRecord { predecessor: PermissionId::new(2), standing, entries: 4, ..world.permission.clone() };
    let any: fn(&mut crate::common::draw::Draw) -> Vec<u8> = |draw| draw.permission_record().to_bytes();
    let mut formats = vec![
        Format::new("permission record", world.permission.to_bytes(), any),
        Format::new("permission record: to be suspended, then replaced", renewed.to_bytes(), any),
    ];
    formats.extend(states.map(|(name, state)| {
        let entry = PermissionEntry { state, effective: day(), ..grant_entry(&world.permission) };
        Format::new(name, entry.to_bytes(), |draw| draw.permission_entry().to_bytes())
    }));
    formats
}

fn batches(world: &World) -> Vec<Format> {
    let changes = [
        ("batch change: suspended", batch_change(BatchState::Suspended, StatusReason::UnderReview, by_key(1), 1)),
        ("batch change: reinstated", batch_change(BatchState::Reinstated, StatusReason::ReviewEnded, by_key(1), 2)),
        ("batch change: revoked", batch_change(BatchState::Revoked, StatusReason::Order, by_order(), 3)),
        ("batch change: annulled", batch_change(BatchState::Annulled, StatusReason::Annulled, by_order(), 2)),
    ];
    let revoked = BatchRecord { status: changes[2].1, ..world.batch };
    let mut formats = vec![
        Format::new("batch record", world.batch.to_bytes(), |draw| draw.batch_record().to_bytes()),
        Format::new("batch record: revoked", revoked.to_bytes(), |draw| draw.batch_record().to_bytes()),
    ];
    formats.extend(changes.map(|(name, status)| {
        let BatchStatus::Changed(change) = status else { unreachable!("a change") };
        Format::new(name, change.to_bytes(), |draw| draw.batch_change().to_bytes())
    }));
    formats
}

fn statuses(world: &World) -> Vec<Format> {
    let names = [
        (4, "status record: suspended"),
        (5, "status record: reinstated"),
        (6, "status record: revoked"),
        (7, "status record: superseded"),
        (8, "status record: annulled"),
        (9, "status record: revoked by order"),
    ];
    let of = |(credential, name)| {
        let (_, record) = world.statuses.iter().find(|(with_status, _)| *with_status == credential).unwrap();
        Format::new(name, record.to_bytes(), |draw| draw.status_record().to_bytes())
    };
    names.into_iter().map(of).collect()
}

fn governance(world: &World) -> Vec<Format> {
    let authority = AuthorityRecord {
        kind: AuthorityKind::Nceqe,
        name_ka: Text::new("განათლების ხარისხის განვითარების ეროვნული ცენტრი").unwrap(),
        name_en: Text::new("National Center for Educational Quality Enhancement").unwrap(),
        keys: List::new(vec![world.key.key]).unwrap(),
        threshold: 1,
        log_keys: List::empty(),
        sequence: AuthoritySequence::new(7),
    };
    let joint = GovernanceRecord {
        authorities: List::new([1, 2, 3, 5].map(AuthorityId::new).to_vec()).unwrap(),
        sequence: GovernanceSequence::new(4),
        version: 1,
        upgrade_version: 2,
        upgrade_height: Height::new(1_000_000),
    };
    vec![
        Format::new("authority record", authority.to_bytes(), |draw| draw.authority_record().to_bytes()),
        Format::new("policy", policy().to_bytes(), |draw| draw.policy().to_bytes()),
        Format::new("governance record", joint.to_bytes(), |draw| draw.governance_record().to_bytes()),
    ]
}

/// Every record.
pub(super) fn formats(world: &World) -> Vec<Format> {
    [institutions(world), keys(world), permissions(world), batches(world), statuses(world), governance(world)]
        .into_iter()
        .flatten()
        .collect()
}
