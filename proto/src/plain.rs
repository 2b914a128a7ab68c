//! From the ledger's records to the plain messages that show them: every message also carries the canonical bytes.

use sigeli_verifier::{
    block::HeaderProof,
    codes::{
        AuthorityKind, CredentialType, DecisionReason, FieldPrefix, InstitutionKind, KeyPurposes, Level, Levels, Modes,
        NetworkKind, StatusReason,
    },
    crypto::{ALGORITHM_ED25519, PublicKey},
    encode::Encode as _,
    ids::{AuthorityId, BatchRoot, EctsTenths, InstitutionId, KeyIndex, PermissionId, ProgrammeId},
    proof::StateProof,
    record::{
        AuthorityRecord, BatchChange, BatchRecord, BatchState, BatchStatus, InstitutionFacts, InstitutionState, Judged,
        KeyRecord, KeyState, PermissionEntry, PermissionRecord, PermissionStanding, PermissionState, Policy,
        ProgrammeRecord, Writer,
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

/// Where a change puts a batch.
#[must_use]
pub const fn batch_state(state: BatchState) -> v1::BatchState {
    match state {
        BatchState::Suspended => v1::BatchState::Suspended,
        BatchState::Reinstated => v1::BatchState::Reinstated,
        BatchState::Revoked => v1::BatchState::Revoked,
        BatchState::Annulled => v1::BatchState::Annulled,
    }
}

/// Why a status was written.
#[must_use]
pub const fn status_reason(reason: StatusReason) -> v1::StatusReason {
    match reason {
        StatusReason::Unspecified => v1::StatusReason::Unspecified,
        StatusReason::IssuedInError => v1::StatusReason::IssuedInError,
        StatusReason::AwardWithdrawn => v1::StatusReason::AwardWithdrawn,
        StatusReason::Superseded => v1::StatusReason::Superseded,
        StatusReason::HolderRequest => v1::StatusReason::HolderRequest,
        StatusReason::KeyCompromised => v1::StatusReason::KeyCompromised,
        StatusReason::Order => v1::StatusReason::Order,
        StatusReason::NotAccredited => v1::StatusReason::NotAccredited,
        StatusReason::UnderReview => v1::StatusReason::UnderReview,
        StatusReason::ReviewEnded => v1::StatusReason::ReviewEnded,
        StatusReason::Annulled => v1::StatusReason::Annulled,
    }
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
        ..v1::Authority::default()
    }
}

/// The policy.
#[must_use]
pub fn policy(policy: &Policy) -> v1::Policy {
    let tenths = |credits: &[EctsTenths]| credits.iter().map(|credits| credits.get().into()).collect();
    v1::Policy {
        ects_tenths_max: tenths(&policy.ects_max),
        ects_tenths_min: tenths(&policy.ects_min),
        ects_tenths_recognised_max: policy.ects_recognised_max.get().into(),
        batch_height_min: policy.batch_height_min.into(),
        clock_tolerance_ms: policy.clock_tolerance_ms,
        pilot_order_required: policy.pilot_order_required,
        batches_per_day: policy.batches_per_day,
        statuses_per_day: policy.statuses_per_day,
        changes_per_day: policy.changes_per_day,
        approvals_min: policy.approvals_min.into(),
    }
}

/// What an answer is as of.
#[must_use]
pub fn state_proof(proof: &StateProof) -> v1::StateProof {
    let HeaderProof { height, time, .. } = proof.header;
    v1::StateProof { state_proof: proof.to_bytes(), height: height.get(), time_ms: time.get() }
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
            .map(|range| v1::CompromisedKeys {
                first: range.first.get().into(),
                last: range.last.get().into(),
                from_height: range.from.get(),
            })
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
    let standings = record.standing.as_slice().iter().map(permission_standing).collect();
    let mut message = v1::Permission {
        number: number.get(),
        record: record.to_bytes(),
        authority: record.authority.get().into(),
        decision: record.decision.to_wire(),
        first_day: record.window.first().to_string(),
        last_day: record.window.last().to_string(),
        conditional: record.conditional,
        granted_height: record.granted.get(),
        standings,
        predecessor: record.predecessor.get(),
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

fn permission_standing(standing: &PermissionStanding) -> v1::PermissionStanding {
    let (state, successor) = permission_state(standing.state);
    v1::PermissionStanding {
        effective_day: standing.effective.to_string(),
        state: state.into(),
        successor,
        reason: decision_reason(standing.reason).into(),
    }
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

/// One change of a permission, without its proof.
#[must_use]
pub fn permission_change(number: u32, entry: &PermissionEntry) -> v1::PermissionChange {
    let (state, successor) = permission_state(entry.state);
    v1::PermissionChange {
        number,
        entry_proof: Vec::new(),
        state: state.into(),
        successor,
        effective_day: entry.effective.to_string(),
        reason: decision_reason(entry.reason).into(),
        decision: entry.decision.to_wire(),
        authority: entry.authority.get().into(),
        height: entry.height.get(),
        time_ms: entry.time.get(),
    }
}

/// A batch.
#[must_use]
pub fn batch(root: &BatchRoot, record: &BatchRecord) -> v1::Batch {
    let Judged { accreditation_window, ects_max, authorisation, authorisation_window, order } = &record.judged;
    v1::Batch {
        root: root.to_wire(),
        record: record.to_bytes(),
        sequence: record.sequence.get(),
        accreditation_sequence: record.accreditation_sequence.get(),
        tree_height: record.height.get().into(),
        anchored_height: record.anchored.get(),
        anchored_time_ms: record.anchored_time.get(),
        key: record.key.get().into(),
        accreditation: record.accreditation.get(),
        level: record.level.get().into(),
        field: record.field.to_string(),
        ects_tenths: record.ects.get().into(),
        issued_day: record.issued.to_string(),
        credential_type: credential_type(record.credential_type).into(),
        judged: Some(v1::Judged {
            accreditation_first_day: accreditation_window.first().to_string(),
            accreditation_last_day: accreditation_window.last().to_string(),
            ects_tenths_max: ects_max.get().into(),
            authorisation: authorisation.get(),
            authorisation_first_day: authorisation_window.first().to_string(),
            authorisation_last_day: authorisation_window.last().to_string(),
            order: order.get(),
        }),
        change: match &record.status {
            BatchStatus::Valid => None,
            BatchStatus::Changed(change) => Some(batch_change(change)),
        },
    }
}

/// One change of a batch as a whole, without its proof.
#[must_use]
pub fn batch_change(change: &BatchChange) -> v1::BatchChange {
    use v1::batch_change::Writer as Shown;
    v1::BatchChange {
        number: change.entries,
        restores: change.restores,
        entry_proof: Vec::new(),
        state: batch_state(change.state).into(),
        reason: status_reason(change.reason).into(),
        height: change.height.get(),
        time_ms: change.time.get(),
        writer: Some(match &change.writer {
            Writer::Institution { key } => Shown::Key(key.get().into()),
            Writer::Authority { authority, decision } => Shown::Authority(v1::AuthorityWriter {
                authority: authority.get().into(),
                decision: decision.to_wire(),
            }),
        }),
    }
}
