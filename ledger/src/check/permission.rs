//! The rules under which permissions are granted, changed, replaced and restored.

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::{DecisionRef, InstitutionId, PermissionId, ProgrammeId},
    params::{PERMISSION_ENTRIES_MAX, PERMISSION_STANDINGS_MAX},
    record::{
        PermissionEntry, PermissionRecord, PermissionStanding, PermissionStandings, PermissionState,
        permission_content, standing_on,
    },
    time::{Day, Window},
    transaction::{
        Accreditation, AuthorityKind, DecisionReason, PermissionAction, PermissionAnnul, PermissionChange,
        PermissionGrant, PermissionReplace, PermissionScope,
    },
};

use super::{AuthoritySigner, Terms, standing::index_with};
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
    Ok(check_new(state, terms, by, grant, PermissionId::new(0), reason)?.writes())
}

/// A permission that is to be added, with its history.
struct New {
    institution: (InstitutionId, Institution),
    number: PermissionId,
    record: PermissionRecord,
    entries: Vec<PermissionEntry>,
    index: Option<Write>,
}

impl New {
    fn writes(self) -> Vec<Write> {
        let Self { institution: (id, institution), number, record, entries, index } = self;
        let mut writes = Vec::from([Write::Institution(id, institution), Write::Grant(id, number, record)]);
        writes.extend((1..).zip(entries).map(|(place, entry)| Write::PermissionEntry(id, number, place, entry)));
        writes.extend(index);
        writes
    }
}

/// A permission with a new number, in the place of `predecessor` if that is not 0.
fn check_new<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    grant: &PermissionGrant,
    predecessor: PermissionId,
    reason: DecisionReason,
) -> Result<New, CheckError> {
    by.require(grantor(&grant.scope), &grant.decision)?;
    check_scope(&grant.scope, grant.window)?;
    let id = grant.institution;
    let mut institution = open_institution(state, terms, id)?;
    if let PermissionScope::Accreditation(accreditation) = &grant.scope {
        check_programme(state, id, accreditation)?;
    }
    check_decision_unused(state, by, grant, predecessor)?;
    let number = institution.facts.permissions.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    institution.facts.permissions = number;
    let number = PermissionId::new(number);
    let index = index_with(state, id, &grant.scope, (number, predecessor), terms.day())?;
    let first = grant.window.first();
    let record = PermissionRecord {
        authority: by.id,
        decision: grant.decision,
        window: grant.window,
        conditional: grant.conditional,
        scope: grant.scope.clone(),
        granted: terms.height,
        predecessor,
        standing: PermissionStandings::granted(first, reason),
        entries: 1,
    };
    let standing = PermissionStanding { effective: first, state: PermissionState::Active, reason };
    let entries = Vec::from([entry(terms, by, standing, grant.decision)]);
    Ok(New { institution: (id, institution), number, record, entries, index })
}

fn entry(
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    standing: PermissionStanding,
    decision: DecisionRef,
) -> PermissionEntry {
    let PermissionStanding { effective, state, reason } = standing;
    PermissionEntry { state, effective, reason, decision, authority: by.id, height: terms.height, time: terms.time }
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

/// One decision grants an institution one authorisation, one order, and one accreditation of a programme: a late retry is
/// told where the first one went, and whatever else names the decision again is refused.
fn check_decision_unused<R: NodeReader>(
    state: &Overlay<'_, R>,
    by: &AuthoritySigner<'_>,
    grant: &PermissionGrant,
    predecessor: PermissionId,
) -> Result<(), CheckError> {
    let view = state.view();
    let content = permission_content(by.id, &grant.decision, &grant.scope);
    let Some(number) = view.permission_by_content(grant.institution, &content)? else { return Ok(()) };
    let missing = StoreError::Corrupt { what: "permission (missing)" };
    let known = view.permission(grant.institution, number)?.ok_or(missing)?;
    let same = known.window == grant.window
        && known.conditional == grant.conditional
        && known.scope == grant.scope
        && known.predecessor == predecessor;
    if same {
        Err(Rejection::AlreadyExists { height: known.granted }.into())
    } else {
        Err(Rejection::DecisionUsed { permission: number }.into())
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
) -> Result<Held, CheckError> {
    if state.institution(institution)?.is_none() {
        return Err(Rejection::UnknownInstitution { institution }.into());
    }
    let record =
        state.view().permission(institution, permission)?.ok_or(Rejection::UnknownPermission { permission })?;
    by.require(grantor(&record.scope), decision)?;
    Ok(Held { institution, number: permission, record })
}

/// A permission that is to be changed: whose, its number, its record.
struct Held {
    institution: InstitutionId,
    number: PermissionId,
    record: PermissionRecord,
}

impl Held {
    /// Where it stands on the day from which a change is to count. The days of changes that lie in the past ascend, so
    /// that what held on a day before the present state began is never told otherwise; and after the permission's days
    /// there is nothing to change.
    ///
    /// # Errors
    /// [`Rejection::EffectiveTooEarly`], [`Rejection::EffectiveTooLate`].
    fn stands_on(&self, effective: Day, today: Day) -> Result<PermissionStanding, Rejection> {
        let first = self.record.window.first();
        let earliest = self.record.standing.earliest(today).unwrap_or(first);
        let latest = Day::new(self.record.window.last().get().saturating_add(1));
        if effective > latest {
            return Err(Rejection::EffectiveTooLate { given: effective, latest });
        }
        match self.record.standing.on(effective) {
            Some(standing) if effective >= earliest => Ok(*standing),
            _ => Err(Rejection::EffectiveTooEarly { given: effective, earliest }),
        }
    }

    /// One more entry in its history.
    ///
    /// # Errors
    /// [`Rejection::PermissionHistoryFull`], [`Rejection::TooManyAnnounced`], [`Rejection::NumbersExhausted`].
    fn changed(
        self,
        terms: &Terms,
        by: &AuthoritySigner<'_>,
        standing: PermissionStanding,
        decision: DecisionRef,
    ) -> Result<[Write; 2], Rejection> {
        let Self { institution, number, mut record } = self;
        // What ends a permission is never refused for the length of its history.
        if !standing.state.is_end() && record.entries >= PERMISSION_ENTRIES_MAX {
            return Err(Rejection::PermissionHistoryFull { limit: PERMISSION_ENTRIES_MAX });
        }
        let limit = PERMISSION_STANDINGS_MAX;
        let changed = record.standing.changed(standing, terms.day());
        record.standing = changed.map_err(|_| Rejection::TooManyAnnounced { limit })?;
        record.entries = record.entries.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
        let place = record.entries;
        Ok([
            Write::Permission(institution, number, record),
            Write::PermissionEntry(institution, number, place, entry(terms, by, standing, decision)),
        ])
    }
}

const fn lives(state: PermissionState) -> bool {
    matches!(state, PermissionState::Active | PermissionState::Suspended)
}

pub(super) fn check_change<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    change: &PermissionChange,
) -> Result<Vec<Write>, CheckError> {
    let PermissionChange { institution, permission, decision, entry: _, action, effective, reason } = *change;
    let held = find(state, by, institution, permission, &decision)?;
    let after = match action {
        PermissionAction::Suspend => PermissionState::Suspended,
        PermissionAction::Reinstate => PermissionState::Active,
        PermissionAction::Withdraw => PermissionState::Withdrawn,
    };
    check_place(state, &held, change, after)?;
    if !reason_fits(action, reason) {
        return Err(Rejection::DecisionReasonInvalid { reason }.into());
    }
    let stands = held.stands_on(effective, terms.day())?;
    let invalid = Rejection::PermissionTransitionInvalid { permission };
    // What is announced for this very day, and has not come, can be taken back.
    let announced = stands.effective == effective && effective > terms.day();
    let mut writes = Vec::new();
    match (stands.state, action) {
        (PermissionState::Active, PermissionAction::Suspend)
        | (PermissionState::Suspended, PermissionAction::Reinstate)
        | (PermissionState::Active | PermissionState::Suspended, PermissionAction::Withdraw) => {}
        (PermissionState::Withdrawn, PermissionAction::Reinstate) if announced => {}
        (PermissionState::Replaced { by: successor }, PermissionAction::Reinstate) if announced => {
            // The permission that was to take its place gives the place back, from the same day on.
            let missing = StoreError::Corrupt { what: "permission (missing)" };
            let record = state.view().permission(institution, successor)?.ok_or(missing)?;
            let successor = Held { institution, number: successor, record };
            if !lives(successor.stands_on(effective, terms.day())?.state) {
                return Err(invalid.into());
            }
            let back = PermissionStanding { effective, state: PermissionState::Replaced { by: permission }, reason };
            writes.extend(successor.changed(terms, by, back, decision)?);
        }
        _ => return Err(invalid.into()),
    }
    writes.extend(held.changed(terms, by, PermissionStanding { effective, state: after, reason }, decision)?);
    Ok(writes)
}

/// The change is drawn up for the place in the history that is next: a copy of it that was signed anew finds its own place
/// taken, and is told where the first one went.
fn check_place<R: NodeReader>(
    state: &Overlay<'_, R>,
    held: &Held,
    change: &PermissionChange,
    after: PermissionState,
) -> Result<(), CheckError> {
    let next = held.record.entries.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    if change.entry == next {
        return Ok(());
    }
    if let Some(known) = state.view().permission_entry(held.institution, held.number, change.entry)?
        && known.state == after
        && known.effective == change.effective
        && known.reason == change.reason
        && known.decision == change.decision
    {
        return Err(Rejection::AlreadyExists { height: known.height }.into());
    }
    Err(Rejection::HistoryMoved { next }.into())
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
    let (permission, effective, reason) = (*replaced, *effective, *reason);
    let held = find(state, by, grant.institution, permission, &grant.decision)?;
    if held.record.scope.code() != grant.scope.code() {
        return Err(Rejection::PermissionKindMismatch.into());
    }
    if programme(&held.record.scope) != programme(&grant.scope) {
        return Err(Rejection::ProgrammeMismatch.into());
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
    if !grant.window.contains(effective) {
        return Err(Rejection::ReplacementGap { effective, window: grant.window }.into());
    }
    // A retry finds the new permission before it finds the old one replaced.
    let new = check_new(state, terms, by, grant, permission, reason)?;
    if !lives(held.stands_on(effective, terms.day())?.state) {
        return Err(Rejection::PermissionTransitionInvalid { permission }.into());
    }
    let standing = PermissionStanding { effective, state: PermissionState::Replaced { by: new.number }, reason };
    let mut writes = new.writes();
    writes.extend(held.changed(terms, by, standing, grant.decision)?);
    Ok(writes)
}

/// The programme that is accredited: its coordinator and number.
const fn programme(scope: &PermissionScope) -> Option<(InstitutionId, ProgrammeId)> {
    match scope {
        PermissionScope::Authorisation | PermissionScope::PilotOrder { .. } => None,
        PermissionScope::Accreditation(accreditation) => Some((accreditation.coordinator, accreditation.programme)),
    }
}

/// The new permission has the scope and the days of the withdrawn one, and stands where that one stood before. The
/// withdrawn one's history says from the day of the withdrawal on that the other stands for it, so that a look back finds
/// no gap.
pub(super) fn check_annul<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    annul: &PermissionAnnul,
) -> Result<Vec<Write>, CheckError> {
    let PermissionAnnul { institution, permission, decision, reason } = *annul;
    let held = find(state, by, institution, permission, &decision)?;
    if !matches!(reason, DecisionReason::CourtOrder | DecisionReason::AppealUpheld | DecisionReason::ErrorCorrected) {
        return Err(Rejection::DecisionReasonInvalid { reason }.into());
    }
    let grant = PermissionGrant {
        institution,
        decision,
        window: held.record.window,
        conditional: held.record.conditional,
        scope: held.record.scope.clone(),
    };
    let mut new = check_new(state, terms, by, &grant, permission, reason)?;
    // An end is the last that stands, announced or not.
    let newest = held.record.standing.newest().copied();
    let Some(withdrawal) = newest.filter(|newest| newest.state == PermissionState::Withdrawn) else {
        return Err(Rejection::PermissionTransitionInvalid { permission }.into());
    };
    if let Some(before) = before_withdrawal(state, &held, withdrawal.effective)?
        && before.state == PermissionState::Suspended
    {
        let PermissionEntry { state, effective, reason, decision, .. } = before;
        let suspended = PermissionStanding { effective, state, reason };
        let limit = PERMISSION_STANDINGS_MAX;
        let standing = new.record.standing.changed(suspended, terms.day());
        new.record.standing = standing.map_err(|_| Rejection::TooManyAnnounced { limit })?;
        new.record.entries = 2;
        new.entries.push(entry(terms, by, suspended, decision));
    }
    let effective = withdrawal.effective;
    let standing = PermissionStanding { effective, state: PermissionState::Restored { by: new.number }, reason };
    let mut writes = new.writes();
    writes.extend(held.changed(terms, by, standing, decision)?);
    Ok(writes)
}

/// Where a permission would stand on the day of its withdrawal if it had not been withdrawn: by its history without the
/// newest withdrawal. What that one cancelled of later days stays cancelled.
fn before_withdrawal<R: NodeReader>(
    state: &Overlay<'_, R>,
    held: &Held,
    day: Day,
) -> Result<Option<PermissionEntry>, StoreError> {
    let mut entries = Vec::new();
    for place in 1..=held.record.entries {
        let missing = StoreError::Corrupt { what: "permission history (missing)" };
        entries.push(state.view().permission_entry(held.institution, held.number, place)?.ok_or(missing)?);
    }
    if let Some(place) = entries.iter().rposition(|entry| entry.state == PermissionState::Withdrawn) {
        entries.remove(place);
    }
    Ok(standing_on(&entries, day).copied())
}
