//! Where an institution's permissions stand on the day on which a batch is judged, and which of them counts.
//!
//! Of the authorisations that may count on the day the newest decides, and of the orders that cover level and field the
//! newest does: a suspension or withdrawal of it is not undone by an older permission that would still hold. What may count
//! is a permission whose days contain the day and whose place no other has taken.

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::{EctsTenths, InstitutionId, PermissionId, TimeMs},
    params::{PERMISSIONS_JUDGED_MAX, PERMISSIONS_LIVE_MAX},
    record::{PermissionRecord, PermissionStanding, PermissionState, Policy},
    time::Day,
    transaction::{Accreditation, BatchAnchor, PermissionScope},
};

use super::Terms;
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
    store::StoreError,
    tree::NodeReader,
};

/// Kind bytes of [`PermissionScope::code`].
const AUTHORISATION: u8 = 1;
const PILOT_ORDER: u8 = 2;

/// The rules of the programme's accreditation. Returns the most credits it allows.
pub(super) fn check_accreditation(
    terms: &Terms,
    accreditation: &PermissionRecord,
    anchor: &BatchAnchor,
) -> Result<EctsTenths, Rejection> {
    let permission = anchor.accreditation;
    let PermissionScope::Accreditation(scope) = &accreditation.scope else {
        return Err(Rejection::NotAnAccreditation { permission });
    };
    let Accreditation { level, fields, ects_max, credential_type, .. } = scope;
    let (day, window) = (terms.day(), accreditation.window);
    if day < window.first() {
        return Err(Rejection::AccreditationNotYet { first: window.first() });
    }
    if let Some(PermissionStanding { state, effective: since, .. }) = accreditation.standing.on(day).copied() {
        match state {
            PermissionState::Active => {}
            PermissionState::Suspended => return Err(Rejection::AccreditationSuspended { since }),
            PermissionState::Withdrawn => return Err(Rejection::AccreditationWithdrawn { since }),
            PermissionState::Replaced { by } | PermissionState::Restored { by } => {
                return Err(Rejection::AccreditationReplaced { by });
            }
        }
    }
    if day > window.last() {
        return Err(Rejection::AccreditationLapsed { last: window.last() });
    }
    if anchor.credential_type != *credential_type {
        return Err(Rejection::CredentialTypeMismatch);
    }
    if anchor.level != *level {
        return Err(Rejection::LevelMismatch { given: anchor.level, accredited: *level });
    }
    if !fields.iter().any(|prefix| prefix.covers(anchor.field)) {
        return Err(Rejection::FieldNotCovered { field: anchor.field });
    }
    if anchor.ects > *ects_max {
        return Err(Rejection::EctsOverAccreditation { given: anchor.ects, most: *ects_max });
    }
    check_policy(&terms.policy, anchor)?;
    let today = latest_issue_day(terms);
    if anchor.issued > today {
        return Err(Rejection::IssuedInFuture { issued: anchor.issued, today });
    }
    // Why the authorisation is not asked for this day, too: docs/adr/0001-issue-date.md.
    if !window.contains(anchor.issued) {
        return Err(Rejection::IssuedOutsideWindow { issued: anchor.issued, window });
    }
    Ok(*ects_max)
}

fn check_policy(policy: &Policy, anchor: &BatchAnchor) -> Result<(), Rejection> {
    let (given, least, most) = (anchor.ects, policy.ects_min_at(anchor.level), policy.ects_max_at(anchor.level));
    if given < least || given > most {
        return Err(Rejection::EctsOutsidePolicy { given, least, most });
    }
    Ok(())
}

/// The latest day that does not lie in the future: ledger time plus the policy's tolerance.
fn latest_issue_day(terms: &Terms) -> Day {
    let tolerance = u64::from(terms.policy.clock_tolerance_ms);
    Day::of(TimeMs::new(terms.time.get().saturating_add(tolerance)))
}

/// A permission of an institution.
struct Numbered {
    number: PermissionId,
    record: PermissionRecord,
}

impl Numbered {
    /// What is decided by it on a day: nothing when the day is none of its days, or when another took its place.
    fn decides(&self, day: Day) -> Option<Decided> {
        if !self.record.window.contains(day) {
            return None;
        }
        let PermissionStanding { state, effective: since, .. } = *self.record.standing.on(day)?;
        match state {
            PermissionState::Active => Some(Decided::Holds),
            PermissionState::Suspended => Some(Decided::Suspended { since }),
            PermissionState::Withdrawn => Some(Decided::Withdrawn { since }),
            PermissionState::Replaced { .. } | PermissionState::Restored { .. } => None,
        }
    }

    /// Whether it may count on this day or a later one.
    fn may_count(&self, day: Day) -> bool {
        let state = self.record.standing.on(day).map(|standing| standing.state);
        let replaced = matches!(state, Some(PermissionState::Replaced { .. } | PermissionState::Restored { .. }));
        day <= self.record.window.last() && !replaced
    }

    /// Whether it may hold on this day or a later one.
    fn lives(&self, day: Day) -> bool {
        let withdrawn =
            self.record.standing.on(day).is_some_and(|standing| standing.state == PermissionState::Withdrawn);
        self.may_count(day) && !withdrawn
    }

    /// Why nothing is permitted when no permission may count and this is the newest ever granted.
    fn absence(&self, day: Day) -> Absence {
        let window = self.record.window;
        if day < window.first() {
            Absence::NotYet { first: window.first() }
        } else {
            Absence::Expired { last: window.last() }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decided {
    Holds,
    Suspended { since: Day },
    Withdrawn { since: Day },
}

enum Absence {
    NotYet { first: Day },
    Expired { last: Day },
}

/// The authorisations or orders that may still decide something, newest first; the newest ever granted comes first.
fn newest_first<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    kind: u8,
) -> Result<Vec<Numbered>, StoreError> {
    let view = state.view();
    let numbers = view.permissions_of_kind(institution, kind)?;
    let mut found = Vec::with_capacity(numbers.len());
    for number in numbers.into_iter().rev() {
        let missing = StoreError::Corrupt { what: "permission (missing)" };
        let record = view.permission(institution, number)?.ok_or(missing)?;
        found.push(Numbered { number, record });
    }
    Ok(found)
}

/// The authorisation that counts on this day: the newest of those that may.
pub(super) fn authorisation_in_force<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    day: Day,
) -> Result<(PermissionId, PermissionRecord), CheckError> {
    let all = newest_first(state, institution, AUTHORISATION)?;
    let Some(newest) = all.first() else { return Err(Rejection::AuthorisationMissing.into()) };
    let absence = newest.absence(day);
    let decisive = all.into_iter().find_map(|entry| entry.decides(day).map(|decided| (entry, decided)));
    Err(match decisive {
        Some((entry, Decided::Holds)) => return Ok((entry.number, entry.record)),
        Some((_, Decided::Suspended { since })) => Rejection::AuthorisationSuspended { since },
        Some((_, Decided::Withdrawn { since })) => Rejection::AuthorisationWithdrawn { since },
        None => match absence {
            Absence::NotYet { first } => Rejection::AuthorisationNotYet { first },
            Absence::Expired { last } => Rejection::AuthorisationExpired { last },
        },
    }
    .into())
}

const fn order_refusal(decided: Decided) -> Option<Rejection> {
    match decided {
        Decided::Holds => None,
        Decided::Suspended { since } => Some(Rejection::OrderSuspended { since }),
        Decided::Withdrawn { since } => Some(Rejection::OrderWithdrawn { since }),
    }
}

/// The Minister's order that counts on this day for level and field: the newest of those that may and that cover both. If
/// none covers them, the newest in force explains the refusal; if none is in force, the newest that may count does.
pub(super) fn order_in_force<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    day: Day,
    anchor: &BatchAnchor,
) -> Result<PermissionId, CheckError> {
    let all = newest_first(state, institution, PILOT_ORDER)?;
    let Some(newest) = all.first() else { return Err(Rejection::OrderMissing.into()) };
    let (mut uncovered, mut halted) = (None, None);
    for entry in &all {
        let Some(decided) = entry.decides(day) else { continue };
        let PermissionScope::PilotOrder { fields, levels } = &entry.record.scope else { continue };
        let mismatch = if !levels.contains(anchor.level) {
            Rejection::OrderLevelMismatch { level: anchor.level }
        } else if !fields.iter().any(|prefix| prefix.covers(anchor.field)) {
            Rejection::OrderFieldMismatch { field: anchor.field }
        } else {
            return order_refusal(decided).map_or(Ok(entry.number), |refusal| Err(refusal.into()));
        };
        match order_refusal(decided) {
            None => uncovered = uncovered.or(Some(mismatch)),
            Some(refusal) => halted = halted.or(Some(refusal)),
        }
    }
    Err(uncovered
        .or(halted)
        .unwrap_or_else(|| match newest.absence(day) {
            Absence::NotYet { first } => Rejection::OrderNotYet { first },
            Absence::Expired { last } => Rejection::OrderExpired { last },
        })
        .into())
}

/// The index of authorisations or orders when one more is granted: what may still count, and the new one. Nothing for
/// accreditations, of which any number may live: a batch names its own.
///
/// # Errors
/// [`Rejection::TooManyPermissions`] when there are as many as can be besides `predecessor`, whose place the new one takes.
pub(super) fn index_with<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    scope: &PermissionScope,
    (number, predecessor): (PermissionId, PermissionId),
    day: Day,
) -> Result<Option<Write>, CheckError> {
    let kind = match scope {
        PermissionScope::Authorisation => AUTHORISATION,
        PermissionScope::PilotOrder { .. } => PILOT_ORDER,
        PermissionScope::Accreditation(_) => return Ok(None),
    };
    let mut counting = newest_first(state, institution, kind)?;
    counting.retain(|entry| entry.may_count(day));
    let others = || counting.iter().filter(|entry| entry.number != predecessor);
    for (count, limit) in [
        (others().filter(|entry| entry.lives(day)).count(), PERMISSIONS_LIVE_MAX),
        (others().count(), PERMISSIONS_JUDGED_MAX),
    ] {
        if count >= limit {
            return Err(Rejection::TooManyPermissions { limit }.into());
        }
    }
    let numbers = counting.iter().rev().map(|entry| entry.number).chain([number]).collect();
    Ok(Some(Write::OfKind(institution, kind, numbers)))
}
