//! One example of every kind of transaction, and of every variant that has an encoding of its own.

use sigeli_verifier::{
    batch::BatchHeight,
    bounded::{List, Text},
    codes::{
        AuthorityKind, BatchAction, CredentialType, DecisionReason, Field, FieldPrefix, HashAlgorithm, InstitutionKind,
        KeyPurposes, Level, Levels, PermissionAction, StatusAction, StatusReason,
    },
    crypto::PublicKey,
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, DecisionRef, EctsTenths, GovernanceSequence, Height, InstitutionId,
        KeyIndex, PermissionId, ProfileHash, ProgrammeId, StatusHandle,
    },
    record::Policy,
    time::{Day, Window},
    transaction::{
        AuthorityKeysSet, AuthorityRemove, AuthoritySet, BatchAnchor, BatchAnnul, BatchAnnulEntry, BatchStatusSet,
        InstitutionClose, InstitutionKey, InstitutionRegister, InstitutionReopen, InstitutionUpdate, KeyClear,
        KeyCompromise, KeyRetire, KeysAdd, Payload, PermissionAnnul, PermissionChange, PermissionGrant,
        PermissionReplace, PermissionScope, PolicySet, ProgrammeRegister, Sender, StatusAnnul, StatusAnnulEntry,
        StatusEntry, StatusOrder, StatusSet, UpgradeSchedule,
    },
};

use crate::common::world::{GTU, World, programme, seed, signing_key};

pub(super) const INSTITUTION: InstitutionId = InstitutionId::new(GTU);

/// A named example: who sends it, and what.
pub(super) type Example = (&'static str, Sender, Payload);

pub(super) const fn institution() -> Sender {
    Sender::Institution { institution: INSTITUTION }
}

pub(super) const fn authority(number: u8, sequence: u64) -> Sender {
    Sender::Authority { authority: AuthorityId::new(number), sequence: AuthoritySequence::new(sequence) }
}

pub(super) const fn authorities(sequence: u64) -> Sender {
    Sender::Authorities { sequence: GovernanceSequence::new(sequence) }
}

fn decision(number: u64) -> DecisionRef {
    DecisionRef::new(seed("decision", number))
}

fn day(year: i32, month: u8, day: u8) -> Day {
    Day::from_civil(year, month, day).unwrap()
}

fn window() -> Window {
    Window::new(day(2026, 1, 1), day(2032, 12, 31)).unwrap()
}

fn key(number: u64) -> PublicKey {
    PublicKey::from_ed25519(signing_key(number).verifying_key().as_bytes()).unwrap()
}

fn institution_key(purposes: KeyPurposes, number: u64) -> InstitutionKey {
    InstitutionKey { purposes, key: key(number), window: window() }
}

fn institutions(world: &World) -> Vec<Example> {
    let register = Payload::InstitutionRegister(InstitutionRegister {
        institution: INSTITUTION,
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: world.facts.legal_id.clone(),
        name_ka: world.facts.name_ka.clone(),
        name_en: world.facts.name_en.clone(),
        profile: ProfileHash::new(seed("profile", 1)),
        decision: decision(1),
        keys: List::new(vec![institution_key(KeyPurposes::ALL, 100)]).unwrap(),
    });
    let update = Payload::InstitutionUpdate(InstitutionUpdate {
        institution: INSTITUTION,
        decision: decision(3),
        kind: InstitutionKind::TeachingUniversity,
        jurisdiction: *b"GEO",
        legal_id: Text::new("211349193").unwrap(),
        name_ka: world.facts.name_ka.clone(),
        name_en: Text::new("Technical University of Georgia").unwrap(),
        profile: ProfileHash::new([0; 32]),
    });
    let close = Payload::InstitutionClose(InstitutionClose {
        institution: INSTITUTION,
        decision: decision(4),
        from: day(2027, 7, 1),
        reason: DecisionReason::Merged,
        successor: InstitutionId::new(2),
    });
    let reopen = Payload::InstitutionReopen(InstitutionReopen {
        institution: INSTITUTION,
        decision: decision(5),
        reason: DecisionReason::AppealUpheld,
    });
    vec![
        ("transaction: institution register", authority(2, 1), register),
        ("transaction: institution update", authority(2, 4), update),
        ("transaction: institution close", authority(2, 5), close),
        ("transaction: institution reopen", authority(2, 6), reopen),
    ]
}

fn keys_and_programmes() -> Vec<Example> {
    let none = DecisionRef::NONE;
    let keys = [(KeyPurposes::ANCHOR, 102), (KeyPurposes::STATUS, 103)];
    let keys = keys.map(|(purposes, number)| institution_key(purposes, number)).to_vec();
    let add = KeysAdd { institution: INSTITUTION, decision: none, keys: List::new(keys).unwrap() };
    let retire = KeyRetire { institution: INSTITUTION, decision: none, key: KeyIndex::new(1) };
    let (first, last) = (KeyIndex::new(2), KeyIndex::new(5));
    let compromise =
        KeyCompromise { institution: INSTITUTION, decision: none, first, last: first, from: Height::new(0) };
    let ordered = KeyCompromise { decision: decision(6), last, from: Height::new(6), ..compromise };
    let clear = KeyClear { institution: INSTITUTION, decision: decision(7), first, last };
    let programme = programme();
    let register = ProgrammeRegister {
        programme: ProgrammeId::new(1),
        title_ka: programme.title_ka,
        title_en: programme.title_en,
        partners: programme.partners,
    };
    vec![
        ("transaction: keys add", institution(), Payload::KeysAdd(add)),
        ("transaction: key retire", institution(), Payload::KeyRetire(retire)),
        ("transaction: key compromise", institution(), Payload::KeyCompromise(compromise)),
        ("transaction: key compromise, by decision", authority(2, 7), Payload::KeyCompromise(ordered)),
        ("transaction: key clear", authority(2, 8), Payload::KeyClear(clear)),
        ("transaction: programme register", institution(), Payload::ProgrammeRegister(register)),
    ]
}

pub(super) fn pilot_order() -> PermissionScope {
    PermissionScope::PilotOrder {
        fields: List::new(["06", "0613"].map(|digits| FieldPrefix::parse(digits).unwrap()).to_vec()).unwrap(),
        levels: Levels::of(&[Level::new(6).unwrap(), Level::new(7).unwrap()]).unwrap(),
    }
}

fn grant(scope: PermissionScope) -> PermissionGrant {
    PermissionGrant { institution: INSTITUTION, decision: decision(2), window: window(), conditional: true, scope }
}

pub(super) fn accreditation_grant(world: &World) -> Payload {
    Payload::PermissionGrant(grant(world.permission.scope.clone()))
}

fn permissions(world: &World) -> Vec<Example> {
    let change = Payload::PermissionChange(PermissionChange {
        institution: INSTITUTION,
        permission: PermissionId::new(3),
        decision: decision(7),
        entry: 2,
        action: PermissionAction::Withdraw,
        effective: day(2027, 3, 1),
        reason: DecisionReason::MonitoringFailed,
    });
    let replace = Payload::PermissionReplace(PermissionReplace {
        replaced: PermissionId::new(1),
        effective: day(2026, 12, 1),
        reason: DecisionReason::Renewed,
        grant: grant(PermissionScope::Authorisation),
    });
    let annul = Payload::PermissionAnnul(PermissionAnnul {
        institution: INSTITUTION,
        permission: PermissionId::new(3),
        decision: decision(8),
        reason: DecisionReason::CourtOrder,
    });
    let authorisation = Payload::PermissionGrant(grant(PermissionScope::Authorisation));
    vec![
        ("transaction: permission grant, authorisation", authority(2, 2), authorisation),
        ("transaction: permission grant, pilot order", authority(1, 1), Payload::PermissionGrant(grant(pilot_order()))),
        ("transaction: permission grant, accreditation", authority(2, 3), accreditation_grant(world)),
        ("transaction: permission change", authority(2, 8), change),
        ("transaction: permission replace", authority(2, 9), replace),
        ("transaction: permission annul", authority(2, 10), annul),
    ]
}

pub(super) fn batch_anchor() -> Payload {
    Payload::BatchAnchor(BatchAnchor {
        root: BatchRoot::new(seed("batch", 1)),
        height: BatchHeight::new(17).unwrap(),
        hash_algorithm: HashAlgorithm::Blake3,
        accreditation: PermissionId::new(3),
        level: Level::new(6).unwrap(),
        field: Field::new(613).unwrap(),
        ects: EctsTenths::new(30),
        issued: day(2026, 11, 23),
        credential_type: CredentialType::MicroCredential,
    })
}

fn status_entry(number: u64, action: StatusAction, reason: StatusReason) -> StatusEntry {
    let successor = if action == StatusAction::Supersede { seed("leaf", 0) } else { [0; 32] };
    StatusEntry {
        handle: StatusHandle::new(seed("handle", number)),
        entry: 1 + (number as u32),
        action,
        reason,
        successor,
    }
}

pub(super) fn status_set() -> Payload {
    Payload::StatusSet(StatusSet {
        entries: List::new(vec![
            status_entry(0, StatusAction::Suspend, StatusReason::UnderReview),
            status_entry(1, StatusAction::Reinstate, StatusReason::ReviewEnded),
            status_entry(2, StatusAction::Revoke, StatusReason::AwardWithdrawn),
            status_entry(3, StatusAction::Supersede, StatusReason::Superseded),
        ])
        .unwrap(),
    })
}

fn batches() -> Vec<Example> {
    let revoke = BatchStatusSet {
        institution: INSTITUTION,
        decision: DecisionRef::NONE,
        root: BatchRoot::new(seed("batch", 1)),
        entry: 3,
        action: BatchAction::Revoke,
        reason: StatusReason::IssuedInError,
    };
    let mut roots = [1, 2].map(|number| BatchRoot::new(seed("batch", number)));
    roots.sort_unstable();
    let annul = BatchAnnul {
        institution: INSTITUTION,
        decision: decision(9),
        entries: List::new((4..).zip(roots).map(|(entry, root)| BatchAnnulEntry { root, entry }).collect()).unwrap(),
    };
    let order = StatusOrder {
        institution: INSTITUTION,
        decision: decision(10),
        entries: List::new(vec![status_entry(4, StatusAction::Revoke, StatusReason::Order)]).unwrap(),
    };
    let mut handles = [0, 1].map(|number| StatusHandle::new(seed("handle", number))).to_vec();
    handles.sort_unstable();
    let entries = (2..).zip(handles).map(|(entry, handle)| StatusAnnulEntry { handle, entry }).collect();
    let annul_statuses =
        StatusAnnul { institution: INSTITUTION, decision: decision(11), entries: List::new(entries).unwrap() };
    vec![
        ("transaction: batch anchor", institution(), batch_anchor()),
        ("transaction: batch status set", institution(), Payload::BatchStatusSet(revoke)),
        ("transaction: batch annul", authority(2, 11), Payload::BatchAnnul(annul)),
        ("transaction: status set", institution(), status_set()),
        ("transaction: status order", authority(2, 12), Payload::StatusOrder(order)),
        ("transaction: status annul", authority(2, 13), Payload::StatusAnnul(annul_statuses)),
    ]
}

/// A policy with a different number in every place.
pub(super) fn policy() -> Policy {
    let levels = [1, 2, 3, 4, 5, 6, 7, 8];
    Policy {
        ects_max: levels.map(|level| EctsTenths::new(600 + level)),
        ects_min: levels.map(|level| EctsTenths::new(10 + level)),
        ects_recognised_max: EctsTenths::new(300),
        batch_height_min: 5,
        clock_tolerance_ms: 60_000,
        pilot_order_required: true,
        batches_per_day: 1_000,
        statuses_per_day: 100_000,
        changes_per_day: 256,
        approvals_min: 3,
    }
}

pub(super) fn upgrade() -> Payload {
    Payload::UpgradeSchedule(UpgradeSchedule { decision: decision(16), version: 2, height: Height::new(1_000_000) })
}

fn governance() -> Vec<Example> {
    let keys = |numbers: &[u64]| List::new(numbers.iter().map(|number| key(*number)).collect()).unwrap();
    let own =
        AuthorityKeysSet { decision: decision(12), keys: keys(&[110, 111]), threshold: 2, log_keys: keys(&[112]) };
    let set = AuthoritySet {
        decision: decision(13),
        authority: AuthorityId::new(5),
        kind: AuthorityKind::Operator,
        name_ka: Text::new("გრენა").unwrap(),
        name_en: Text::new("GRENA").unwrap(),
        keys: keys(&[113]),
        threshold: 1,
        log_keys: keys(&[]),
    };
    let remove = AuthorityRemove { decision: decision(14), authority: AuthorityId::new(4) };
    vec![
        ("transaction: authority keys set", authority(3, 1), Payload::AuthorityKeysSet(own)),
        ("transaction: authority set", authorities(1), Payload::AuthoritySet(set)),
        ("transaction: authority remove", authorities(2), Payload::AuthorityRemove(remove)),
        (
            "transaction: policy set",
            authorities(3),
            Payload::PolicySet(PolicySet { decision: decision(15), policy: policy() }),
        ),
        ("transaction: upgrade schedule", authorities(4), upgrade()),
    ]
}

/// Every example.
pub(super) fn examples(world: &World) -> Vec<Example> {
    [institutions(world), keys_and_programmes(), permissions(world), batches(), governance()].concat()
}
