//! The rules under which the status of a batch as a whole may be set and annulled. What may follow what:
//! [`super::history`].

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::{BatchRoot, InstitutionId},
    params::STATUS_ENTRIES_MAX,
    record::{BatchRecord, BatchStatus, StatusRecord, Writer},
    transaction::{BatchAction, BatchAnnul, BatchStatusSet, StatusAction},
};

use super::{
    Target, Terms,
    history::{Change, History, Refusal, all_written, annulment_written, of_batch, reason_fits, to_batch},
    status::{out_of_order, use_quota},
};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
    store::StoreError,
    tree::NodeReader,
};

/// The status of a batch as a whole, by its institution or by the quality agency. An institution's own changes are bound as
/// those of credentials are: by the quota of the day and in number.
pub(super) fn check_status<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: &Target,
    set: &BatchStatusSet,
) -> Result<Vec<Write>, CheckError> {
    let (action, reason) = (set.action, set.reason);
    let change = Change { entry: set.entry, action: of_credential(action), reason, successor: [0; 32] };
    if !reason_fits(change.action, reason, &target.writer) {
        return Err(Rejection::BatchReasonInvalid { reason }.into());
    }
    let record = state.view().batch(target.id, &set.root)?.ok_or(Rejection::UnknownBatch)?;
    let read = reader(state, target.id, &set.root);
    let history = History { newest: newest(&record), read: &read };
    let own = matches!(target.writer, Writer::Institution { .. });
    if let Some(height) = change.written(&history, own)? {
        return Err(Rejection::AlreadyExists { height }.into());
    }
    let usage = own.then(|| use_quota(state, terms, target.id, 1)).transpose()?;
    let refused = |refusal: Refusal| match refusal {
        Refusal::Transition => Rejection::BatchTransitionInvalid { action },
        Refusal::ByOrder => Rejection::BatchSuspendedByOrder,
        Refusal::Full => Rejection::BatchHistoryFull { limit: STATUS_ENTRIES_MAX },
    };
    let next = history.follow(&change, target.writer, terms, refused)?;
    let mut writes = Vec::from(write(target.id, set.root, record, &next)?);
    writes.extend(usage.map(|usage| Write::Usage(target.id, usage)));
    Ok(writes)
}

/// The quality agency annuls the newest change of each of the batches.
pub(super) fn check_annul<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: &Target,
    annul: &BatchAnnul,
) -> Result<Vec<Write>, CheckError> {
    if annul.entries.is_empty() {
        return Err(Rejection::BatchesMissing.into());
    }
    if let Some(entry) = out_of_order(annul.entries.iter().map(|entry| entry.root)) {
        return Err(Rejection::BatchesUnordered { entry }.into());
    }
    let mut records = Vec::with_capacity(annul.entries.len());
    for entry in annul.entries.iter() {
        records.push(state.view().batch(target.id, &entry.root)?.ok_or(Rejection::UnknownBatch)?);
    }
    let written = annul.entries.iter().zip(&records).map(|(entry, record)| {
        let read = reader(state, target.id, &entry.root);
        annulment_written(&History { newest: newest(record), read: &read }, entry.entry)
    });
    if let Some(height) = all_written(written)? {
        return Err(Rejection::AlreadyExists { height }.into());
    }
    let mut writes = Vec::with_capacity(annul.entries.len().saturating_mul(2));
    for (position, (entry, record)) in annul.entries.iter().zip(records).enumerate() {
        let read = reader(state, target.id, &entry.root);
        let history = History { newest: newest(&record), read: &read };
        let refused = Rejection::NoBatchChangeToAnnul { entry: position };
        let next = history.annulled(entry.entry, &target.institution.facts, target.writer, terms, refused)?;
        writes.extend(write(target.id, entry.root, record, &next)?);
    }
    Ok(writes)
}

const fn of_credential(action: BatchAction) -> StatusAction {
    match action {
        BatchAction::Suspend => StatusAction::Suspend,
        BatchAction::Reinstate => StatusAction::Reinstate,
        BatchAction::Revoke => StatusAction::Revoke,
    }
}

const fn newest(record: &BatchRecord) -> Option<StatusRecord> {
    match &record.status {
        BatchStatus::Valid => None,
        BatchStatus::Changed(change) => Some(of_batch(change)),
    }
}

/// Reads the history of a batch.
fn reader<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    root: &BatchRoot,
) -> impl Fn(u32) -> Result<StatusRecord, StoreError> {
    let missing = StoreError::Corrupt { what: "batch history (missing)" };
    move |entry| {
        let change = state.view().batch_entry(institution, root, entry)?.ok_or_else(|| missing.clone())?;
        Ok(of_batch(&change))
    }
}

/// The batch with its newest change, and that change in its history.
fn write(
    institution: InstitutionId,
    root: BatchRoot,
    record: BatchRecord,
    next: &StatusRecord,
) -> Result<[Write; 2], StoreError> {
    let change = to_batch(next)?;
    let record = BatchRecord { status: BatchStatus::Changed(change), ..record };
    Ok([Write::Batch(institution, root, record), Write::BatchEntry(institution, root, change)])
}
