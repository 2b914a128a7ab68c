//! The rules under which statuses may be set: what may follow what, and for which reason.

use alloc::{collections::BTreeMap, vec::Vec};

use sigeli_verifier::{
    ids::StatusHandle,
    record::{StatusRecord, StatusState},
    transaction::{StatusAction, StatusEntry, StatusReason, StatusSet},
};

use super::{InstitutionSigner, Terms};
use crate::{
    execute::Effect,
    outcome::{CheckError, Rejection},
    state::{Overlay, Usage},
    tree::NodeReader,
};

pub(super) fn check_statuses<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &InstitutionSigner<'_>,
    set: &StatusSet,
) -> Result<Effect, CheckError> {
    if set.entries.is_empty() {
        return Err(Rejection::StatusesMissing.into());
    }
    for (position, entry) in set.entries.iter().enumerate() {
        check_entry(position, entry)?;
    }
    let view = state.view();
    let day = terms.day();
    let mut usage = view.usage(by.id)?.map_or_else(|| Usage::none(day), |usage| usage.on(day));
    let quota = terms.policy.statuses_per_day;
    let count = u32::try_from(set.entries.len()).unwrap_or(u32::MAX);
    usage.statuses =
        usage.statuses.checked_add(count).filter(|used| *used <= quota).ok_or(Rejection::QuotaExceeded { quota })?;

    // Later entries of one transaction see earlier ones.
    let mut present = BTreeMap::<StatusHandle, StatusRecord>::new();
    let mut records = Vec::with_capacity(set.entries.len());
    for (position, entry) in set.entries.iter().enumerate() {
        let before = match present.get(&entry.handle) {
            Some(record) => Some(*record),
            None => view.status(by.id, &entry.handle)?,
        };
        let invalid = Rejection::StatusTransitionInvalid { entry: position, action: entry.action };
        let state = follow(before.map(|record| record.state), entry).ok_or(invalid)?;
        let entries = before.map_or(0, |record| record.entries).checked_add(1).ok_or(Rejection::NumbersExhausted)?;
        let record =
            StatusRecord { state, reason: entry.reason, height: terms.height, time: terms.time, key: by.key, entries };
        present.insert(entry.handle, record);
        records.push((entry.handle, record));
    }
    Ok(Effect::Statuses { id: by.id, records, usage })
}

/// What can be told without the present status.
fn check_entry(position: usize, entry: &StatusEntry) -> Result<(), Rejection> {
    if !reason_fits(entry.action, entry.reason) {
        return Err(Rejection::StatusReasonInvalid { entry: position, reason: entry.reason });
    }
    if entry.action == StatusAction::Supersede && entry.successor == [0; 32] {
        return Err(Rejection::SuccessorMissing { entry: position });
    }
    Ok(())
}

/// `UnderReview` is for suspensions, `ReviewEnded` for reinstatements, `Superseded` for replacements and their only
/// reason. A reinstatement says nothing against the credential: it has no other reason than the review's end, the
/// holder's request, an order, or none.
const fn reason_fits(action: StatusAction, reason: StatusReason) -> bool {
    match (action, reason) {
        (StatusAction::Supersede, _) => matches!(reason, StatusReason::Superseded),
        (_, StatusReason::Superseded) => false,
        (StatusAction::Reinstate, _) => matches!(
            reason,
            StatusReason::ReviewEnded | StatusReason::HolderRequest | StatusReason::Order | StatusReason::Unspecified
        ),
        (_, StatusReason::ReviewEnded) => false,
        (StatusAction::Suspend, _) => true,
        (StatusAction::Revoke, _) => !matches!(reason, StatusReason::UnderReview),
    }
}

/// The state after an action: valid → suspended → valid; valid or suspended → revoked or superseded, both final.
const fn follow(before: Option<StatusState>, entry: &StatusEntry) -> Option<StatusState> {
    let suspended = matches!(before, Some(StatusState::Suspended));
    let ended = matches!(before, Some(StatusState::Revoked | StatusState::Superseded { .. }));
    match entry.action {
        StatusAction::Suspend if !suspended && !ended => Some(StatusState::Suspended),
        StatusAction::Reinstate if suspended => Some(StatusState::Reinstated),
        StatusAction::Revoke if !ended => Some(StatusState::Revoked),
        StatusAction::Supersede if !ended => Some(StatusState::Superseded { successor: entry.successor }),
        _ => None,
    }
}
