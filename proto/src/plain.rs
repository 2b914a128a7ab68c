//! From the ledger's records to the plain messages that show them: every message also carries the canonical bytes.

use sigeli_verifier::{
    codes::{
        AuthorityKind, CredentialType, DecisionReason, FieldPrefix, InstitutionKind, KeyPurposes, Level, Levels, Modes,
        NetworkKind,
    },
    crypto::{ALGORITHM_ED25519, PublicKey},
    encode::Encode as _,
    ids::{AuthorityId, InstitutionId, KeyIndex, PermissionId, ProgrammeId},
    record::{
        AuthorityRecord, InstitutionFacts, InstitutionState, KeyRecord, KeyState, PermissionRecord, PermissionState,
        ProgrammeRecord,
    },
    transaction::{Accreditation, PermissionScope},
};

use crate::{convert::WireBytes as _, v1};

/// A public key.
#[must_use]
pub fn public_key(key: &PublicKey) -> v1::PublicKey {
    v1::PublicKey { algorithm: ALGORITHM_ED25519.into(), key: key.as_bytes().to_vec() }
}

/// Whether what a ledger says counts.
#[must_use]
pub const fn network_kind(kind: NetworkKind) -> v1::NetworkKind {
    match kind {
        NetworkKind::Production => v1::NetworkKind::Production,
        NetworkKind::Test => v1::NetworkKind::Test,
    }
}

/// What an institution is.
#[must_use]
pub const fn institution_kind(kind: InstitutionKind) -> v1::InstitutionKind {
    match kind {
        InstitutionKind::University => v1::InstitutionKind::University,
        InstitutionKind::TeachingUniversity => v1::InstitutionKind::TeachingUniversity,
        InstitutionKind::College => v1::InstitutionKind::College,
        InstitutionKind::Vocational => v1::InstitutionKind::Vocational,
        InstitutionKind::LegalEntity => v1::InstitutionKind::LegalEntity,
        InstitutionKind::Foreign => v1::InstitutionKind::Foreign,
    }
}

/// What a programme leads to.
#[must_use]
pub const fn credential_type(kind: CredentialType) -> v1::CredentialType {
    match kind {
        CredentialType::MicroCredential => v1::CredentialType::MicroCredential,
        CredentialType::Participation => v1::CredentialType::Participation,
    }
}

/// What an authority is.
#[must_use]
pub const fn authority_kind(kind: AuthorityKind) -> v1::AuthorityKind {
    match kind {
        AuthorityKind::Ministry => v1::AuthorityKind::Ministry,
        AuthorityKind::Nceqe => v1::AuthorityKind::Nceqe,
        AuthorityKind::Emis => v1::AuthorityKind::Emis,
        AuthorityKind::Operator => v1::AuthorityKind::Operator,
    }
}

/// Why a decision changed something.
#[must_use]
pub const fn decision_reason(reason: DecisionReason) -> v1::DecisionReason {
    match reason {
        DecisionReason::Granted => v1::DecisionReason::Granted,
        DecisionReason::Conditional => v1::DecisionReason::Conditional,
        DecisionReason::Renewed => v1::DecisionReason::Renewed,
        DecisionReason::ScopeChanged => v1::DecisionReason::ScopeChanged,
        DecisionReason::MonitoringFailed => v1::DecisionReason::MonitoringFailed,
        DecisionReason::Voluntary => v1::DecisionReason::Voluntary,
        DecisionReason::Closed => v1::DecisionReason::Closed,
        DecisionReason::Merged => v1::DecisionReason::Merged,
        DecisionReason::CourtOrder => v1::DecisionReason::CourtOrder,
        DecisionReason::AppealUpheld => v1::DecisionReason::AppealUpheld,
        DecisionReason::ErrorCorrected => v1::DecisionReason::ErrorCorrected,
    }
}

/// Where a permission stands, and the number of the permission that took its place (0 for none).
#[must_use]
pub const fn permission_state(state: PermissionState) -> (v1::PermissionState, u32) {
    match state {
        PermissionState::Active => (v1::PermissionState::Active, 0),
        PermissionState::Suspended => (v1::PermissionState::Suspended, 0),
        PermissionState::Withdrawn => (v1::PermissionState::Withdrawn, 0),
        PermissionState::Replaced { by } => (v1::PermissionState::Replaced, by.get()),
        PermissionState::Restored { by } => (v1::PermissionState::Restored, by.get()),
    }
}

/// How a programme is attended, in order of code.
#[must_use]
pub fn attendance_modes(modes: Modes) -> Vec<v1::AttendanceMode> {
    let all = [
        (Modes::ON_SITE, v1::AttendanceMode::OnSite),
        (Modes::ONLINE, v1::AttendanceMode::Online),
        (Modes::BLENDED, v1::AttendanceMode::Blended),
        (Modes::WORK_BASED, v1::AttendanceMode::WorkBased),
    ];
    all.into_iter().filter(|(mode, _)| modes.get() & mode.get() != 0).map(|(_, shown)| shown).collect()
}

/// An authority.
#[must_use]
pub fn authority(number: AuthorityId, record: &AuthorityRecord) -> v1::Authority {
    v1::Authority {
        sequence: record.sequence.get(),
        threshold: record.threshold.into(),
        keys: record.keys.iter().map(public_key).collect(),
        number: number.get().into(),
        record: record.to_bytes(),
        kind: authority_kind(record.kind).into(),
        name_ka: record.name_ka.to_string(),
        name_en: record.name_en.to_string(),
        ended: record.is_ended(),
        log_keys: record.log_keys.iter().map(public_key).collect(),
    }
}

/// An institution.
#[must_use]
pub fn institution(number: InstitutionId, facts: &InstitutionFacts) -> v1::Institution {
    let mut message = v1::Institution {
        facts: facts.to_bytes(),
        kind: institution_kind(facts.kind).into(),
        jurisdiction: String::from_utf8_lossy(&facts.jurisdiction).into_owned(),
        legal_id: facts.legal_id.to_string(),
        name_ka: facts.name_ka.to_string(),
        name_en: facts.name_en.to_string(),
        registered_height: facts.registered.get(),
        key_count: facts.keys.into(),
        permission_count: facts.permissions,
        batch_count: facts.batches,
        compromised: facts
            .compromised
            .iter()
            .map(|entry| v1::CompromisedKey { index: entry.key.get().into(), from_height: entry.from.get() })
            .collect(),
        number: number.get(),
        programme_count: facts.programmes,
        entry_count: facts.entries,
        ..v1::Institution::default()
    };
    match facts.state {
        InstitutionState::Active => message.set_state(v1::InstitutionState::Active),
        InstitutionState::Closed { from, reason, successor } => {
            message.set_state(v1::InstitutionState::Closed);
            message.closed_from = from.to_string();
            message.set_closure_reason(decision_reason(reason));
            message.successor = successor.get();
        }
    }
    message
}

/// A key of an institution.
#[must_use]
pub fn institution_key(index: KeyIndex, record: &KeyRecord) -> v1::InstitutionKey {
    v1::InstitutionKey {
        index: index.get().into(),
        record: record.to_bytes(),
        key: Some(public_key(&record.key)),
        may_anchor: record.purposes.allows(KeyPurposes::ANCHOR),
        may_set_status: record.purposes.allows(KeyPurposes::STATUS),
        may_administer: record.purposes.allows(KeyPurposes::ADMIN),
        added_height: record.added.get(),
        retired_height: match record.state {
            KeyState::Active => None,
            KeyState::Retired { at } => Some(at.get()),
        },
        first_day: record.window.first().to_string(),
        last_day: record.window.last().to_string(),
        entry_count: record.entries,
    }
}

/// A programme of an institution.
#[must_use]
pub fn programme(number: ProgrammeId, record: &ProgrammeRecord) -> v1::Programme {
    v1::Programme {
        number: number.get(),
        record: record.to_bytes(),
        title_ka: record.title_ka.to_string(),
        title_en: record.title_en.to_string(),
        partners: record.partners.iter().map(|partner| partner.get()).collect(),
        registered_height: record.registered.get(),
        key: record.key.get().into(),
    }
}

/// A permission of an institution.
#[must_use]
pub fn permission(number: PermissionId, record: &PermissionRecord) -> v1::Permission {
    let (state, successor) = permission_state(record.state);
    let mut message = v1::Permission {
        number: number.get(),
        record: record.to_bytes(),
        authority: record.authority.get().into(),
        decision: record.decision.to_wire(),
        first_day: record.window.first().to_string(),
        last_day: record.window.last().to_string(),
        conditional: record.conditional,
        granted_height: record.granted.get(),
        state: state.into(),
        effective_day: record.effective.to_string(),
        reason: decision_reason(record.reason).into(),
        predecessor: record.predecessor.get(),
        successor,
        entry_count: record.entries,
        ..v1::Permission::default()
    };
    match &record.scope {
        PermissionScope::Authorisation => message.set_kind(v1::PermissionKind::Authorisation),
        PermissionScope::PilotOrder { fields, levels } => {
            message.set_kind(v1::PermissionKind::PilotOrder);
            message.fields = field_codes(fields);
            message.levels = level_numbers(*levels);
        }
        PermissionScope::Accreditation(accreditation) => show_accreditation(&mut message, accreditation),
    }
    message
}

fn show_accreditation(message: &mut v1::Permission, accreditation: &Accreditation) {
    message.set_kind(v1::PermissionKind::Accreditation);
    message.coordinator = accreditation.coordinator.get();
    message.programme = accreditation.programme.get();
    message.title_ka = accreditation.title_ka.to_string();
    message.title_en = accreditation.title_en.to_string();
    message.agent = accreditation.agent.to_string();
    message.levels = vec![accreditation.level.get().into()];
    message.fields = field_codes(&accreditation.fields);
    message.ects_tenths_max = accreditation.ects_max.get().into();
    message.set_credential_type(credential_type(accreditation.credential_type));
    message.modes = attendance_modes(accreditation.modes).into_iter().map(Into::into).collect();
    message.review_day = accreditation.review.to_string();
}

fn field_codes(fields: &[FieldPrefix]) -> Vec<String> {
    fields.iter().map(ToString::to_string).collect()
}

fn level_numbers(levels: Levels) -> Vec<u32> {
    (1..=8).filter_map(Level::new).filter(|level| levels.contains(*level)).map(|level| level.get().into()).collect()
}
