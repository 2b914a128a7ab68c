//! The rules under which a batch may be anchored, and the facts that are judged and kept with it.

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::{BatchSequence, PermissionId},
    params::STATUS_ENTRIES_MAX,
    record::{BatchChange, BatchRecord, BatchState, BatchStatus, Judged, Usage, Writer},
    transaction::{BatchAction, BatchAnchor, BatchStatusSet, StatusAction, StatusReason},
};

use super::{
    InstitutionSigner, Target, Terms,
    standing::{authorisation_in_force, check_accreditation, order_in_force},
    status::{self, newest_sound, reason_fits},
};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
    store::StoreError,
    tree::NodeReader,
};

pub(super) fn check_anchor<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &InstitutionSigner<'_>,
    anchor: &BatchAnchor,
) -> Result<Vec<Write>, CheckError> {
    let day = terms.day();
    let least = terms.policy.batch_height_min;
    if anchor.height.get() < least {
        return Err(Rejection::BatchTooSmall { height: anchor.height.get(), least }.into());
    }
    let view = state.view();
    if let Some(known) = view.batch(by.id, &anchor.root)? {
        return Err(Rejection::AlreadyExists { height: known.anchored }.into());
    }
    let mut usage = view.usage(by.id)?.map_or_else(|| Usage::none(day), |usage| usage.on(day));
    let quota = terms.policy.batches_per_day;
    usage.batches =
        usage.batches.checked_add(1).filter(|used| *used <= quota).ok_or(Rejection::QuotaExceeded { quota })?;

    let permission = anchor.accreditation;
    let accreditation = view.permission(by.id, permission)?.ok_or(Rejection::AccreditationMissing { permission })?;
    let ects_max = check_accreditation(terms, &accreditation, anchor)?;
    let (authorisation, authorised) = authorisation_in_force(state, by.id, day)?;
    let order = if terms.policy.pilot_order_required {
        order_in_force(state, by.id, day, anchor)?
    } else {
        PermissionId::new(0)
    };

    let mut institution = by.institution.clone();
    let sequence = institution.facts.batches.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    institution.facts.batches = sequence;
    let tally = view.permission_tally(by.id, permission)?.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    let record = BatchRecord {
        sequence: BatchSequence::new(sequence),
        accreditation_sequence: BatchSequence::new(tally),
        height: anchor.height,
        hash_algorithm: anchor.hash_algorithm,
        anchored: terms.height,
        anchored_time: terms.time,
        key: by.key,
        accreditation: permission,
        level: anchor.level,
        field: anchor.field,
        ects: anchor.ects,
        issued: anchor.issued,
        credential_type: anchor.credential_type,
        judged: Judged {
            accreditation_window: accreditation.window,
            ects_max,
            authorisation,
            authorisation_window: authorised.window,
            order,
        },
        status: BatchStatus::Valid,
    };
    Ok(Vec::from([
        Write::Institution(by.id, institution),
        Write::Anchor(by.id, anchor.root, record),
        Write::Usage(by.id, usage),
    ]))
}

/// The status of a batch as a whole, by its institution or by the quality agency.
pub(super) fn check_status<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: &Target,
    set: &BatchStatusSet,
) -> Result<Vec<Write>, CheckError> {
    let (action, reason) = (set.action, set.reason);
    if !batch_reason_fits(action, reason, &target.writer) {
        return Err(Rejection::BatchReasonInvalid { reason }.into());
    }
    // An institution's own changes are bound as those of credentials are: by the quota of the day and in number.
    let own = matches!(target.writer, Writer::Institution { .. });
    let usage = own.then(|| status::use_quota(state, terms, target.id, 1)).transpose()?;
    let mut record = state.view().batch(target.id, &set.root)?.ok_or(Rejection::UnknownBatch)?;
    let invalid = Rejection::BatchTransitionInvalid { action };
    let present = match record.status {
        BatchStatus::Valid => None,
        BatchStatus::Changed(change) => Some(change),
    };
    let ordered = present.is_some_and(|change| matches!(change.writer, Writer::Authority { .. }));
    let (next, reason) = match (present.map(|change| change.state), action) {
        (Some(BatchState::Suspended), BatchAction::Reinstate) if own && ordered => {
            return Err(Rejection::BatchSuspendedByOrder.into());
        }
        // An order overrides an institution's own suspension, which the institution could otherwise lift again.
        (Some(BatchState::Suspended), BatchAction::Suspend) if !own && !ordered => (BatchState::Suspended, reason),
        (Some(BatchState::Suspended), BatchAction::Reinstate) => (BatchState::Reinstated, reason),
        (Some(BatchState::Suspended | BatchState::Revoked), BatchAction::Suspend)
        | (Some(BatchState::Revoked), BatchAction::Revoke) => return Err(invalid.into()),
        (_, BatchAction::Suspend) => (BatchState::Suspended, reason),
        (_, BatchAction::Revoke) => (BatchState::Revoked, reason),
        (_, BatchAction::Reinstate) => return Err(invalid.into()),
        (_, BatchAction::Annul) => before_void(state, target, set, present)?.ok_or(invalid)?,
    };
    let written = present.map_or(0, |change| change.entries);
    if own && next != BatchState::Revoked && written >= STATUS_ENTRIES_MAX {
        return Err(Rejection::BatchHistoryFull { limit: STATUS_ENTRIES_MAX }.into());
    }
    let change = BatchChange {
        state: next,
        reason,
        height: terms.height,
        time: terms.time,
        writer: target.writer,
        entries: written.checked_add(1).ok_or(Rejection::NumbersExhausted)?,
    };
    record.status = BatchStatus::Changed(change);
    let mut writes =
        Vec::from([Write::Batch(target.id, set.root, record), Write::BatchEntry(target.id, set.root, change)]);
    writes.extend(usage.map(|usage| Write::Usage(target.id, usage)));
    Ok(writes)
}

/// State and reason before the newest changes that are void; `None` when the newest one is not.
fn before_void<R: NodeReader>(
    state: &Overlay<'_, R>,
    target: &Target,
    set: &BatchStatusSet,
    present: Option<BatchChange>,
) -> Result<Option<(BatchState, StatusReason)>, StoreError> {
    let facts = &target.institution.facts;
    let is_void = |change: &BatchChange| facts.is_void(&change.writer, change.height);
    let Some(newest) = present.filter(is_void) else { return Ok(None) };
    let missing = StoreError::Corrupt { what: "batch history (missing)" };
    let read = |entry| state.view().batch_entry(target.id, &set.root, entry)?.ok_or_else(|| missing.clone());
    let sound = newest_sound(newest.entries, read, is_void)?;
    Ok(Some(sound.map_or((BatchState::Annulled, StatusReason::Annulled), |change| (change.state, change.reason))))
}

/// As for credentials; an annulment is the quality agency's, and its reason is that and nothing else.
const fn batch_reason_fits(action: BatchAction, reason: StatusReason, writer: &Writer) -> bool {
    match action {
        BatchAction::Annul => matches!((reason, writer), (StatusReason::Annulled, Writer::Authority { .. })),
        BatchAction::Suspend => reason_fits(StatusAction::Suspend, reason),
        BatchAction::Reinstate => reason_fits(StatusAction::Reinstate, reason),
        BatchAction::Revoke => reason_fits(StatusAction::Revoke, reason),
    }
}
