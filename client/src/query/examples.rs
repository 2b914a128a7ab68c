//! Records for the unit tests of this crate's pure parts.

use sigeli_verifier::{
    bounded::{List, Text},
    crypto::PublicKey,
    ids::{AuthorityId, DecisionRef, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, ProgrammeId, TimeMs},
    record::{
        InstitutionFacts, InstitutionState, KeyRecord, KeyState, PermissionEntry, PermissionRecord, PermissionStanding,
        PermissionStandings, PermissionState, Policy,
    },
    time::{Day, Window},
    transaction::{
        Accreditation, CredentialType, DecisionReason, FieldPrefix, FieldPrefixes, InstitutionKind, KeyPurposes, Level,
        Levels, Modes, Name, PermissionScope,
    },
};

use super::standing::Held;

pub(crate) fn day(text: &str) -> Day {
    crate::values::parse_day(text).unwrap()
}

/// Noon in Tbilisi.
pub(crate) fn noon(text: &str) -> TimeMs {
    crate::values::parse_time(&format!("{text}T12:00:00+04:00")).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn fields(texts: &[&str]) -> FieldPrefixes {
    List::new(texts.iter().map(|text| FieldPrefix::parse(text).unwrap()).collect()).unwrap()
}

pub(crate) fn levels(levels: &[u8]) -> Levels {
    let levels: Vec<_> = levels.iter().map(|level| Level::new(*level).unwrap()).collect();
    Levels::of(&levels).unwrap()
}

pub(crate) fn accreditation(texts: &[&str], level: u8) -> PermissionScope {
    PermissionScope::Accreditation(Accreditation {
        coordinator: InstitutionId::new(1),
        programme: ProgrammeId::new(4),
        title_ka: name("უსაფრთხო ვებაპლიკაციები"),
        title_en: name("Secure Web Applications"),
        agent: name(""),
        level: Level::new(level).unwrap(),
        fields: fields(texts),
        ects_max: EctsTenths::new(50),
        credential_type: CredentialType::MicroCredential,
        modes: Modes::new(5).unwrap(),
        review: day("2027-03-01"),
    })
}

/// An accreditation at level 6 in 0613.
pub(crate) fn grant(first: &str, last: &str) -> PermissionRecord {
    PermissionRecord {
        authority: AuthorityId::new(2),
        decision: DecisionRef::new([6; 32]),
        window: Window::new(day(first), day(last)).unwrap(),
        conditional: false,
        scope: accreditation(&["0613"], 6),
        granted: Height::new(3),
        predecessor: PermissionId::new(0),
        standing: PermissionStandings::granted(day(first), DecisionReason::Granted),
        entries: 1,
    }
}

/// A change written at noon of one day, which counts from another.
pub(crate) fn entry(height: u64, written: &str, state: PermissionState, effective: &str) -> PermissionEntry {
    PermissionEntry {
        state,
        effective: day(effective),
        reason: DecisionReason::MonitoringFailed,
        decision: DecisionRef::new([9; 32]),
        authority: AuthorityId::new(2),
        height: Height::new(height),
        time: noon(written),
    }
}

/// A permission granted in 2024 whose record follows from its grant and changes.
pub(crate) fn held(number: u32, mut record: PermissionRecord, changes: &[PermissionEntry]) -> Held {
    let first = PermissionEntry {
        state: PermissionState::Active,
        effective: record.window.first(),
        reason: DecisionReason::Granted,
        decision: record.decision,
        authority: record.authority,
        height: record.granted,
        time: noon("2024-06-01"),
    };
    let history: Vec<_> = std::iter::once(first).chain(changes.iter().copied()).collect();
    for PermissionEntry { effective, state, reason, time, .. } in changes.iter().copied() {
        let change = PermissionStanding { effective, state, reason };
        record.standing = record.standing.changed(change, Day::of(time)).unwrap();
    }
    record.entries = u32::try_from(history.len()).unwrap();
    Held::new(PermissionId::new(number), record, history).unwrap()
}

pub(crate) fn facts() -> InstitutionFacts {
    InstitutionFacts {
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: Text::new("211349192").unwrap(),
        name_ka: name("საქართველოს ტექნიკური უნივერსიტეტი"),
        name_en: name("Georgian Technical University"),
        state: InstitutionState::Active,
        registered: Height::new(2),
        keys: 1,
        permissions: 3,
        programmes: 4,
        batches: 0,
        entries: 1,
        compromised: List::empty(),
    }
}

pub(crate) fn key(purposes: KeyPurposes) -> (KeyIndex, KeyRecord) {
    let record = KeyRecord {
        purposes,
        key: public_key(1),
        window: Window::new(day("2026-01-01"), day("2026-12-31")).unwrap(),
        added: Height::new(2),
        state: KeyState::Active,
        entries: 1,
    };
    (KeyIndex::new(0), record)
}

pub(crate) fn public_key(seed: u8) -> PublicKey {
    crate::keys::SecretKey::from_seed(&[seed; 32]).public()
}

pub(crate) fn policy() -> Policy {
    Policy {
        ects_max: [EctsTenths::new(150); 8],
        ects_min: [EctsTenths::new(10); 8],
        ects_recognised_max: EctsTenths::new(300),
        batch_height_min: 4,
        clock_tolerance_ms: 0,
        pilot_order_required: true,
        batches_per_day: 100,
        statuses_per_day: 1_000,
        changes_per_day: 256,
        approvals_min: 3,
    }
}
