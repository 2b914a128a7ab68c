//! The rules under which permissions are granted, changed, replaced and restored, and where one stands on a day.

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::{DecisionRef, InstitutionId, PermissionId},
    params::PERMISSION_ENTRIES_MAX,
    record::{PermissionEntry, PermissionRecord, PermissionState},
    time::{Day, Window},
    transaction::{
        Accreditation, AuthorityKind, DecisionReason, PermissionAction, PermissionAnnul, PermissionChange,
        PermissionGrant, PermissionReplace, PermissionScope,
    },
};

use super::{AuthoritySigner, Terms};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Institution, Overlay, Write},
    store::StoreError,
    tree::NodeReader,
};

/// Who grants, and so changes, permissions of a kind: the Ministry pilot orders, the quality agency all others.
const fn grantor(scope: &PermissionScope) -> AuthorityKind {
    match scope {
        PermissionScope::Authorisation | PermissionScope::Accreditation(_) => AuthorityKind::Nceqe,
        PermissionScope::PilotOrder { .. } => AuthorityKind::Ministry,
    }
}

pub(super) fn check_grant<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    grant: &PermissionGrant,
) -> Result<Vec<Write>, CheckError> {
    let reason = if grant.conditional { DecisionReason::Conditional } else { DecisionReason::Granted };
    let (_, writes) = check_new(state, terms, by, grant, PermissionId::new(0), reason)?;
    Ok(writes)
}

/// A permission with a new number, in the place of `predecessor` if that is not 0.
fn check_new<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    grant: &PermissionGrant,
    predecessor: PermissionId,
    reason: DecisionReason,
) -> Result<(PermissionId, Vec<Write>), CheckError> {
    by.require(grantor(&grant.scope), &grant.decision)?;
    check_scope(&grant.scope, grant.window)?;
    let mut institution = open_institution(state, terms, grant.institution)?;
    if let PermissionScope::Accreditation(accreditation) = &grant.scope {
        check_programme(state, grant.institution, accreditation)?;
    }
    check_decision_unused(state, by, grant.institution, &grant.scope, &grant.decision)?;
    let number = institution.facts.permissions.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    institution.facts.permissions = number;
    let number = PermissionId::new(number);
    let record = PermissionRecord {
        authority: by.id,
        decision: grant.decision,
        window: grant.window,
        conditional: grant.conditional,
        scope: grant.scope.clone(),
        granted: terms.height,
        predecessor,
        state: PermissionState::Active,
        effective: grant.window.first(),
        reason,
        entries: 1,
    };
    let entry = PermissionEntry {
        state: PermissionState::Active,
        effective: record.effective,
        reason,
        decision: grant.decision,
        authority: by.id,
        height: terms.height,
        time: terms.time,
    };
    let id = grant.institution;
    let writes = Vec::from([
        Write::Institution(id, institution),
        Write::Grant(id, number, record),
        Write::PermissionEntry(id, number, 1, entry),
    ]);
    Ok((number, writes))
}

/// A registered institution that is not closed today.
fn open_institution<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    institution: InstitutionId,
) -> Result<Institution, CheckError> {
    let found = state.institution(institution)?.ok_or(Rejection::UnknownInstitution { institution })?;
    match found.facts.state.closed_from().filter(|from| *from <= terms.day()) {
        Some(from) => Err(Rejection::InstitutionClosed { from }.into()),
        None => Ok(found),
    }
}

/// One decision grants an institution one permission of a kind: a late retry is told where the first one went.
fn check_decision_unused<R: NodeReader>(
    state: &Overlay<'_, R>,
    by: &AuthoritySigner<'_>,
    institution: InstitutionId,
    scope: &PermissionScope,
    decision: &DecisionRef,
) -> Result<(), CheckError> {
    let view = state.view();
    match view.permission_by_decision(institution, by.id, scope.code(), decision)? {
        Some(known) => {
            let missing = StoreError::Corrupt { what: "permission (missing)" };
            let known = view.permission(institution, known)?.ok_or(missing)?;
            Err(Rejection::AlreadyExists { height: known.granted }.into())
        }
        None => Ok(()),
    }
}

fn check_scope(scope: &PermissionScope, window: Window) -> Result<(), Rejection> {
    match scope {
        PermissionScope::Authorisation => Ok(()),
        PermissionScope::PilotOrder { fields, .. } if fields.is_empty() => Err(Rejection::FieldsMissing),
        PermissionScope::PilotOrder { .. } => Ok(()),
        PermissionScope::Accreditation(accreditation) => {
            let Accreditation { title_ka, title_en, fields, ects_max, review, .. } = accreditation;
            if title_ka.as_str().is_empty() || title_en.as_str().is_empty() {
                Err(Rejection::NameMissing)
            } else if fields.is_empty() {
                Err(Rejection::FieldsMissing)
            } else if ects_max.get() == 0 {
                Err(Rejection::EctsMissing)
            } else if !window.contains(*review) {
                Err(Rejection::ReviewOutsideWindow { review: *review, window })
            } else {
                Ok(())
            }
        }
    }
}

/// The programme is registered under these titles, and the institution awards it.
fn check_programme<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    accreditation: &Accreditation,
) -> Result<(), CheckError> {
    let Accreditation { coordinator, programme, title_ka, title_en, .. } = accreditation;
    let (coordinator, programme) = (*coordinator, *programme);
    let unknown = Rejection::UnknownProgramme { coordinator, programme };
    let record = state.view().programme(coordinator, programme)?.ok_or(unknown)?;
    if institution != coordinator && !record.partners.contains(&institution) {
        return Err(Rejection::NotAPartner { institution }.into());
    }
    if record.title_ka != *title_ka || record.title_en != *title_en {
        return Err(Rejection::TitleMismatch.into());
    }
    Ok(())
}

/// A permission that the sender may change.
fn find<R: NodeReader>(
    state: &Overlay<'_, R>,
    by: &AuthoritySigner<'_>,
    institution: InstitutionId,
    permission: PermissionId,
    decision: &DecisionRef,
) -> Result<PermissionRecord, CheckError> {
    if state.institution(institution)?.is_none() {
        return Err(Rejection::UnknownInstitution { institution }.into());
    }
    let record =
        state.view().permission(institution, permission)?.ok_or(Rejection::UnknownPermission { permission })?;
    by.require(grantor(&record.scope), decision)?;
    Ok(record)
}

/// One more entry in a permission's history: where it stands from `effective` on.
struct Change {
    state: PermissionState,
    effective: Day,
    reason: DecisionReason,
    decision: DecisionRef,
}

fn changed(
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    (institution, number): (InstitutionId, PermissionId),
    mut record: PermissionRecord,
    change: &Change,
) -> Result<[Write; 2], Rejection> {
    let Change { state, effective, reason, decision } = *change;
    if effective < record.effective {
        return Err(Rejection::EffectiveTooEarly { given: effective, earliest: record.effective });
    }
    // What ends a permission is never refused for the length of its history.
    let goes_on = matches!(state, PermissionState::Active | PermissionState::Suspended);
    if goes_on && record.entries >= PERMISSION_ENTRIES_MAX {
        return Err(Rejection::PermissionHistoryFull { limit: PERMISSION_ENTRIES_MAX });
    }
    record.entries = record.entries.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    record.state = state;
    record.effective = effective;
    record.reason = reason;
    let (height, time) = (terms.height, terms.time);
    let entry = PermissionEntry { state, effective, reason, decision, authority: by.id, height, time };
    let entries = record.entries;
    Ok([Write::Permission(institution, number, record), Write::PermissionEntry(institution, number, entries, entry)])
}

pub(super) fn check_change<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    change: &PermissionChange,
) -> Result<Vec<Write>, CheckError> {
    let PermissionChange { institution, permission, decision, action, effective, reason } = *change;
    let record = find(state, by, institution, permission, &decision)?;
    if !reason_fits(action, reason) {
        return Err(Rejection::DecisionReasonInvalid { reason }.into());
    }
    let state = match (record.state, action) {
        (PermissionState::Active, PermissionAction::Suspend) => PermissionState::Suspended,
        (PermissionState::Suspended, PermissionAction::Reinstate) => PermissionState::Active,
        (PermissionState::Active | PermissionState::Suspended, PermissionAction::Withdraw) => {
            PermissionState::Withdrawn
        }
        _ => return Err(Rejection::PermissionTransitionInvalid { permission }.into()),
    };
    let change = Change { state, effective, reason, decision };
    Ok(changed(terms, by, (institution, permission), record, &change)?.into())
}

/// A suspension or withdrawal has a ground against the permission, or comes at the institution's request; a
/// reinstatement has a ground for it.
const fn reason_fits(action: PermissionAction, reason: DecisionReason) -> bool {
    use DecisionReason as R;
    match action {
        PermissionAction::Suspend => matches!(reason, R::MonitoringFailed | R::Voluntary | R::CourtOrder),
        PermissionAction::Reinstate => matches!(
            reason,
            R::Granted | R::Conditional | R::Voluntary | R::CourtOrder | R::AppealUpheld | R::ErrorCorrected
        ),
        PermissionAction::Withdraw => matches!(
            reason,
            R::MonitoringFailed | R::Voluntary | R::Closed | R::Merged | R::CourtOrder | R::ErrorCorrected
        ),
    }
}

pub(super) fn check_replace<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    replace: &PermissionReplace,
) -> Result<Vec<Write>, CheckError> {
    let PermissionReplace { replaced, effective, reason, grant } = replace;
    let (permission, reason) = (*replaced, *reason);
    let record = find(state, by, grant.institution, permission, &grant.decision)?;
    if record.scope.code() != grant.scope.code() {
        return Err(Rejection::PermissionKindMismatch.into());
    }
    let fits = matches!(
        reason,
        DecisionReason::Renewed
            | DecisionReason::ScopeChanged
            | DecisionReason::Conditional
            | DecisionReason::CourtOrder
            | DecisionReason::AppealUpheld
            | DecisionReason::ErrorCorrected
    );
    if !fits {
        return Err(Rejection::DecisionReasonInvalid { reason }.into());
    }
    // A retry finds the new permission before it finds the old one replaced.
    let (number, mut writes) = check_new(state, terms, by, grant, permission, reason)?;
    if !matches!(record.state, PermissionState::Active | PermissionState::Suspended) {
        return Err(Rejection::PermissionTransitionInvalid { permission }.into());
    }
    let change = Change {
        state: PermissionState::Replaced { by: number },
        effective: *effective,
        reason,
        decision: grant.decision,
    };
    writes.extend(changed(terms, by, (grant.institution, permission), record, &change)?);
    Ok(writes)
}

/// The new permission has the scope and the days of the withdrawn one. The withdrawn one's history says from the day of
/// the withdrawal on that the other stands for it, so that a look back finds no gap.
pub(super) fn check_annul<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    annul: &PermissionAnnul,
) -> Result<Vec<Write>, CheckError> {
    let PermissionAnnul { institution, permission, decision, reason } = *annul;
    let record = find(state, by, institution, permission, &decision)?;
    if !matches!(reason, DecisionReason::CourtOrder | DecisionReason::AppealUpheld | DecisionReason::ErrorCorrected) {
        return Err(Rejection::DecisionReasonInvalid { reason }.into());
    }
    let grant = PermissionGrant {
        institution,
        decision,
        window: record.window,
        conditional: record.conditional,
        scope: record.scope.clone(),
    };
    let (number, mut writes) = check_new(state, terms, by, &grant, permission, reason)?;
    if record.state != PermissionState::Withdrawn {
        return Err(Rejection::PermissionTransitionInvalid { permission }.into());
    }
    let change =
        Change { state: PermissionState::Restored { by: number }, effective: record.effective, reason, decision };
    writes.extend(changed(terms, by, (institution, permission), record, &change)?);
    Ok(writes)
}

/// Where a permission stands on a day, and since when: what the newest entry that counts by then says. `None` before the
/// first one counts. Whether the day lies in its window is another question.
pub(super) fn standing<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    number: PermissionId,
    record: &PermissionRecord,
    day: Day,
) -> Result<Option<(PermissionState, Day)>, StoreError> {
    if record.effective <= day {
        return Ok(Some((record.state, record.effective)));
    }
    for entry in (1..record.entries).rev() {
        let missing = StoreError::Corrupt { what: "permission history (missing)" };
        let entry = state.view().permission_entry(institution, number, entry)?.ok_or(missing)?;
        if entry.effective <= day {
            return Ok(Some((entry.state, entry.effective)));
        }
    }
    Ok(None)
}
