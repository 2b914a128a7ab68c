//! What authorities write: institutions and their permissions.

use alloc::{collections::BTreeSet, vec::Vec};

use sigeli_verifier::{
    bounded::List,
    ids::{AuthorityId, InstitutionId, KeyIndex, PermissionId},
    record::{InstitutionFacts, KeyRecord, KeyState, PermissionRecord, PermissionState},
    state::InstitutionRegisters,
    transaction::{InstitutionRegister, PermissionGrant, PermissionScope},
};

use super::Terms;
use crate::{
    execute::{Effect, Registration},
    outcome::{CheckError, Rejection},
    state::{AuthorityKind, AuthorityRecord, Institution, Overlay, keys::Governance},
    tree::NodeReader,
};

/// The quality agency registers institutions.
pub(super) fn check_register<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    authority: AuthorityId,
    record: AuthorityRecord,
    register: &InstitutionRegister,
) -> Result<Effect, CheckError> {
    if record.kind != AuthorityKind::Nceqe {
        return Err(Rejection::WrongAuthority { authority }.into());
    }
    check_form(register)?;
    if let Some(known) = state.institution(register.institution)? {
        return Err(Rejection::AlreadyExists { height: known.facts.registered }.into());
    }
    let legal_id = Governance::LegalId(register.jurisdiction, register.legal_id.clone());
    if let Some(institution) = state.view().by_legal_id(&legal_id)? {
        return Err(Rejection::LegalIdTaken { institution }.into());
    }
    let keys: Vec<KeyRecord> = register
        .keys
        .iter()
        .map(|given| KeyRecord {
            purposes: given.purposes,
            key: given.key,
            added: terms.height,
            state: KeyState::Active,
        })
        .collect();
    let facts = InstitutionFacts {
        kind: register.kind,
        jurisdiction: register.jurisdiction,
        legal_id: register.legal_id.clone(),
        name_ka: register.name_ka.clone(),
        name_en: register.name_en.clone(),
        registered: terms.height,
        keys: u16::try_from(keys.len()).map_err(|_| Rejection::NumbersExhausted)?,
        permissions: 0,
        batches: 0,
        compromised: List::empty(),
    };
    Ok(Effect::Register(Registration {
        authority,
        record,
        id: register.institution,
        institution: Institution { facts, registers: InstitutionRegisters::EMPTY },
        keys: keys.into_iter().zip(0_u16..).map(|(key, index)| (KeyIndex::new(index), key)).collect(),
        legal_id,
    }))
}

fn check_form(register: &InstitutionRegister) -> Result<(), Rejection> {
    if register.institution == InstitutionId::new(0) {
        return Err(Rejection::InstitutionNumberReserved);
    }
    if !register.jurisdiction.iter().all(u8::is_ascii_uppercase) {
        return Err(Rejection::JurisdictionInvalid);
    }
    let legal_id = register.legal_id.as_str();
    if legal_id.is_empty() || !legal_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Rejection::LegalIdInvalid);
    }
    if register.name_ka.as_str().is_empty() || register.name_en.as_str().is_empty() {
        return Err(Rejection::NameMissing);
    }
    if register.keys.is_empty() {
        return Err(Rejection::KeysMissing);
    }
    let distinct: BTreeSet<_> = register.keys.iter().map(|given| given.key).collect();
    if distinct.len() != register.keys.len() {
        return Err(Rejection::KeyDuplicate);
    }
    Ok(())
}

/// The quality agency authorises and accredits, the Ministry grants the pilot order.
pub(super) fn check_grant<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    authority: AuthorityId,
    record: AuthorityRecord,
    grant: &PermissionGrant,
) -> Result<Effect, CheckError> {
    let writer = match grant.scope {
        PermissionScope::Authorisation | PermissionScope::Accreditation { .. } => AuthorityKind::Nceqe,
        PermissionScope::PilotOrder { .. } => AuthorityKind::Ministry,
    };
    if record.kind != writer {
        return Err(Rejection::WrongAuthority { authority }.into());
    }
    check_scope(&grant.scope)?;
    let unknown = Rejection::UnknownInstitution { institution: grant.institution };
    let mut institution = state.institution(grant.institution)?.ok_or(unknown)?;
    let view = state.view();
    let kind = grant.scope.code();
    if let Some(known) = view.permission_by_decision(grant.institution, authority, kind, &grant.decision)? {
        let missing = crate::store::StoreError::Corrupt { what: "permission (missing)" };
        let known = view.permission(grant.institution, known)?.ok_or(missing)?;
        return Err(Rejection::AlreadyExists { height: known.granted }.into());
    }
    let number = institution.facts.permissions.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    institution.facts.permissions = number;
    let permission = PermissionRecord {
        authority,
        decision: grant.decision,
        window: grant.window,
        conditional: grant.conditional,
        scope: grant.scope.clone(),
        granted: terms.height,
        state: PermissionState::Active,
        entries: 1,
    };
    Ok(Effect::Grant {
        authority,
        record,
        id: grant.institution,
        institution,
        number: PermissionId::new(number),
        permission,
    })
}

fn check_scope(scope: &PermissionScope) -> Result<(), Rejection> {
    match scope {
        PermissionScope::Authorisation => Ok(()),
        PermissionScope::PilotOrder { fields, .. } if fields.is_empty() => Err(Rejection::FieldsMissing),
        PermissionScope::PilotOrder { .. } => Ok(()),
        PermissionScope::Accreditation { title_ka, title_en, fields, ects_max, .. } => {
            if title_ka.as_str().is_empty() || title_en.as_str().is_empty() {
                Err(Rejection::NameMissing)
            } else if fields.is_empty() {
                Err(Rejection::FieldsMissing)
            } else if ects_max.get() == 0 {
                Err(Rejection::EctsMissing)
            } else {
                Ok(())
            }
        }
    }
}
