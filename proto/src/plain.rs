//! From the ledger's records to the plain messages that show them: every message also carries the canonical bytes.

use sigeli_verifier::{
    codes::{CredentialType, FieldPrefix, InstitutionKind, KeyPurposes, Level, Levels, NetworkKind},
    crypto::{ALGORITHM_ED25519, PublicKey},
    encode::Encode as _,
    ids::{KeyIndex, PermissionId},
    record::{InstitutionFacts, KeyRecord, KeyState, PermissionRecord, PermissionState},
    transaction::PermissionScope,
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
    }
}

/// An institution.
#[must_use]
pub fn institution(facts: &InstitutionFacts) -> v1::Institution {
    v1::Institution {
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
    }
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
    }
}

/// A permission of an institution.
#[must_use]
pub fn permission(number: PermissionId, record: &PermissionRecord) -> v1::Permission {
    let mut message = v1::Permission {
        number: number.get(),
        record: record.to_bytes(),
        authority: record.authority.get().into(),
        decision: record.decision.to_wire(),
        first_day: record.window.first().to_string(),
        last_day: record.window.last().to_string(),
        conditional: record.conditional,
        granted_height: record.granted.get(),
        state: match record.state {
            PermissionState::Active => v1::PermissionState::Active,
        }
        .into(),
        ..v1::Permission::default()
    };
    match &record.scope {
        PermissionScope::Authorisation => message.set_kind(v1::PermissionKind::Authorisation),
        PermissionScope::PilotOrder { fields, levels } => {
            message.set_kind(v1::PermissionKind::PilotOrder);
            message.fields = field_codes(fields);
            message.levels = level_numbers(*levels);
        }
        PermissionScope::Accreditation { title_ka, title_en, level, fields, ects_max, credential_type: leads_to } => {
            message.set_kind(v1::PermissionKind::Accreditation);
            message.title_ka = title_ka.to_string();
            message.title_en = title_en.to_string();
            message.levels = vec![level.get().into()];
            message.fields = field_codes(fields);
            message.ects_tenths_max = ects_max.get().into();
            message.set_credential_type(credential_type(*leads_to));
        }
    }
    message
}

fn field_codes(fields: &[FieldPrefix]) -> Vec<String> {
    fields.iter().map(ToString::to_string).collect()
}

fn level_numbers(levels: Levels) -> Vec<u32> {
    (1..=8).filter_map(Level::new).filter(|level| levels.contains(*level)).map(|level| level.get().into()).collect()
}
