//! The rules under which statuses may be set and annulled: what may follow what, and for which reason.

use alloc::{collections::BTreeMap, vec::Vec};

use sigeli_verifier::{
    ids::{InstitutionId, StatusHandle},
    params::STATUS_ENTRIES_MAX,
    record::{StatusRecord, StatusState, Usage, Writer},
    transaction::{StatusAction, StatusAnnul, StatusEntry, StatusOrder, StatusReason, StatusSet},
};

use super::{InstitutionSigner, Target, Terms};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
    store::StoreError,
    tree::NodeReader,
};

/// An institution sets statuses in its own namespace, within its quota.
pub(super) fn check_set<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &InstitutionSigner<'_>,
    set: &StatusSet,
) -> Result<Vec<Write>, CheckError> {
    check_entries(&set.entries)?;
    let count = u32::try_from(set.entries.len()).unwrap_or(u32::MAX);
    let usage = use_quota(state, terms, by.id, count)?;
    let mut writes = apply(state, terms, by.id, by.writer(), &set.entries)?;
    writes.push(Write::Usage(by.id, usage));
    Ok(writes)
}

/// The institution's usage after `count` more changes of statuses today.
pub(super) fn use_quota<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    institution: InstitutionId,
    count: u32,
) -> Result<Usage, CheckError> {
    let (day, quota) = (terms.day(), terms.policy.statuses_per_day);
    let mut usage = state.view().usage(institution)?.map_or_else(|| Usage::none(day), |usage| usage.on(day));
    let used = usage.statuses.checked_add(count).filter(|used| *used <= quota);
    usage.statuses = used.ok_or(Rejection::QuotaExceeded { quota })?;
    Ok(usage)
}

/// The quality agency sets statuses by its own or a court's decision.
pub(super) fn check_order<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: &Target,
    order: &StatusOrder,
) -> Result<Vec<Write>, CheckError> {
    check_entries(&order.entries)?;
    apply(state, terms, target.id, target.writer, &order.entries)
}

/// What can be told without the present statuses.
fn check_entries(entries: &[StatusEntry]) -> Result<(), Rejection> {
    if entries.is_empty() {
        return Err(Rejection::StatusesMissing);
    }
    for (position, entry) in entries.iter().enumerate() {
        if !reason_fits(entry.action, entry.reason) {
            return Err(Rejection::StatusReasonInvalid { entry: position, reason: entry.reason });
        }
        if entry.action == StatusAction::Supersede && entry.successor == [0; 32] {
            return Err(Rejection::SuccessorMissing { entry: position });
        }
    }
    Ok(())
}

/// The entries in their order: later ones see earlier ones.
fn apply<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    institution: InstitutionId,
    writer: Writer,
    entries: &[StatusEntry],
) -> Result<Vec<Write>, CheckError> {
    let view = state.view();
    let mut seen = BTreeMap::<StatusHandle, StatusRecord>::new();
    let mut writes = Vec::with_capacity(entries.len().saturating_add(1));
    for (position, entry) in entries.iter().enumerate() {
        let before = match seen.get(&entry.handle) {
            Some(record) => Some(*record),
            None => view.status(institution, &entry.handle)?,
        };
        let invalid = Rejection::StatusTransitionInvalid { entry: position, action: entry.action };
        let own = matches!(writer, Writer::Institution { .. });
        let ordered = before.is_some_and(|record| matches!(record.writer, Writer::Authority { .. }));
        let present = before.map(|record| record.state);
        let overrides = !own && !ordered && entry.action == StatusAction::Suspend;
        let state = follow(present, entry, overrides).ok_or(invalid)?;
        if own && ordered && entry.action == StatusAction::Reinstate {
            return Err(Rejection::StatusSuspendedByOrder { entry: position }.into());
        }
        let written = before.map_or(0, |record| record.entries);
        if own && !state.is_final() && written >= STATUS_ENTRIES_MAX {
            return Err(Rejection::StatusHistoryFull { entry: position, limit: STATUS_ENTRIES_MAX }.into());
        }
        let record = StatusRecord {
            state,
            reason: entry.reason,
            height: terms.height,
            time: terms.time,
            writer,
            entries: written.checked_add(1).ok_or(Rejection::NumbersExhausted)?,
        };
        seen.insert(entry.handle, record);
        writes.push(Write::Status(institution, entry.handle, record));
    }
    Ok(writes)
}

/// `UnderReview` is for suspensions, `ReviewEnded` for reinstatements, `Superseded` for replacements and their only
/// reason, `Annulled` for annulments.
pub(super) const fn reason_fits(action: StatusAction, reason: StatusReason) -> bool {
    match (action, reason) {
        (_, StatusReason::Annulled) => false,
        (StatusAction::Supersede, _) => matches!(reason, StatusReason::Superseded),
        (_, StatusReason::Superseded) => false,
        (StatusAction::Reinstate, _) => reason_of_reinstatement(reason),
        (_, StatusReason::ReviewEnded) => false,
        (StatusAction::Suspend, _) => true,
        (StatusAction::Revoke, _) => !matches!(reason, StatusReason::UnderReview),
    }
}

/// A reinstatement says nothing against the credential: it has no other reason than the review's end, the holder's
/// request, an order, or none.
const fn reason_of_reinstatement(reason: StatusReason) -> bool {
    matches!(
        reason,
        StatusReason::ReviewEnded | StatusReason::HolderRequest | StatusReason::Order | StatusReason::Unspecified
    )
}

/// The state after an action: valid → suspended → valid; valid or suspended → revoked or superseded, both final. An order
/// overrides an institution's own suspension, which the institution could otherwise lift again.
const fn follow(before: Option<StatusState>, entry: &StatusEntry, overrides: bool) -> Option<StatusState> {
    let suspended = matches!(before, Some(StatusState::Suspended));
    let ended = matches!(before, Some(StatusState::Revoked | StatusState::Superseded { .. }));
    match entry.action {
        StatusAction::Suspend if (!suspended || overrides) && !ended => Some(StatusState::Suspended),
        StatusAction::Reinstate if suspended => Some(StatusState::Reinstated),
        StatusAction::Revoke if !ended => Some(StatusState::Revoked),
        StatusAction::Supersede if !ended => Some(StatusState::Superseded { successor: entry.successor }),
        _ => None,
    }
}

/// The quality agency annuls what compromised keys wrote: each credential goes back to its newest entry that is not
/// void.
pub(super) fn check_annul<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: &Target,
    annul: &StatusAnnul,
) -> Result<Vec<Write>, CheckError> {
    if annul.handles.is_empty() {
        return Err(Rejection::StatusesMissing.into());
    }
    let mut before: Option<&StatusHandle> = None;
    let mut writes = Vec::with_capacity(annul.handles.len());
    for (entry, handle) in annul.handles.iter().enumerate() {
        if before.is_some_and(|before| before >= handle) {
            return Err(Rejection::HandlesUnordered { entry }.into());
        }
        before = Some(handle);
        let newest = state.view().status(target.id, handle)?;
        let restored = newest.map(|newest| before_void(state, target, handle, &newest)).transpose()?.flatten();
        let (Some(newest), Some((state, reason))) = (newest, restored) else {
            return Err(Rejection::NothingToAnnul { entry }.into());
        };
        let record = StatusRecord {
            state,
            reason,
            height: terms.height,
            time: terms.time,
            writer: target.writer,
            entries: newest.entries.checked_add(1).ok_or(Rejection::NumbersExhausted)?,
        };
        writes.push(Write::Status(target.id, *handle, record));
    }
    Ok(writes)
}

/// State and reason before the newest entries that are void; `None` when the newest one is not.
fn before_void<R: NodeReader>(
    state: &Overlay<'_, R>,
    target: &Target,
    handle: &StatusHandle,
    newest: &StatusRecord,
) -> Result<Option<(StatusState, StatusReason)>, StoreError> {
    let facts = &target.institution.facts;
    let is_void = |record: &StatusRecord| facts.is_void(&record.writer, record.height);
    if !is_void(newest) {
        return Ok(None);
    }
    let missing = StoreError::Corrupt { what: "status history (missing)" };
    let read = |entry| state.view().status_entry(target.id, handle, entry)?.ok_or_else(|| missing.clone());
    let sound = newest_sound(newest.entries, read, is_void)?;
    Ok(Some(sound.map_or((StatusState::Annulled, StatusReason::Annulled), |record| (record.state, record.reason))))
}

/// Of a history of so many entries, the newest before the last that is not void.
pub(super) fn newest_sound<T>(
    entries: u32,
    read: impl Fn(u32) -> Result<T, StoreError>,
    is_void: impl Fn(&T) -> bool,
) -> Result<Option<T>, StoreError> {
    for entry in (1..entries).rev() {
        let found = read(entry)?;
        if !is_void(&found) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
