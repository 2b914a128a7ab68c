//! The rules under which statuses of credentials may be set and annulled. What may follow what: [`super::history`].

use alloc::{collections::BTreeMap, vec::Vec};

use sigeli_verifier::{
    ids::{InstitutionId, StatusHandle},
    record::{StatusRecord, Usage, Writer},
    transaction::{StatusAction, StatusAnnul, StatusEntry, StatusOrder, StatusSet},
};

use super::{
    InstitutionSigner, Target, Terms,
    history::{Change, History, Refusal, all_written, annulment_written, reason_fits},
    quota::{used_today, within},
};
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
    check_entries(state, by.id, &by.writer(), &set.entries)?;
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
    let mut usage = used_today(state, terms, institution)?;
    usage.statuses = within(terms.policy.statuses_per_day, usage.statuses, count)?;
    Ok(usage)
}

/// The quality agency sets statuses by its own or a court's decision.
pub(super) fn check_order<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: &Target,
    order: &StatusOrder,
) -> Result<Vec<Write>, CheckError> {
    check_entries(state, target.id, &target.writer, &order.entries)?;
    apply(state, terms, target.id, target.writer, &order.entries)
}

/// What can be told without knowing what may follow; that all of it was written before is told before the quota.
fn check_entries<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    writer: &Writer,
    entries: &[StatusEntry],
) -> Result<(), CheckError> {
    if entries.is_empty() {
        return Err(Rejection::StatusesMissing.into());
    }
    for (position, entry) in entries.iter().enumerate() {
        if !reason_fits(entry.action, entry.reason, writer) {
            return Err(Rejection::StatusReasonInvalid { entry: position, reason: entry.reason }.into());
        }
        if entry.action == StatusAction::Supersede && entry.successor == [0; 32] {
            return Err(Rejection::SuccessorMissing { entry: position }.into());
        }
    }
    let own = matches!(writer, Writer::Institution { .. });
    let written = entries.iter().map(|entry| {
        let newest = state.view().status(institution, &entry.handle)?;
        change(entry).written(&History { newest, read: &reader(state, institution, &entry.handle) }, own)
    });
    match all_written(written)? {
        Some(height) => Err(Rejection::AlreadyExists { height }.into()),
        None => Ok(()),
    }
}

const fn change(entry: &StatusEntry) -> Change {
    let StatusEntry { handle: _, entry, action, reason, successor } = *entry;
    Change { entry, action, reason, successor }
}

/// Reads the history of a credential.
fn reader<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    handle: &StatusHandle,
) -> impl Fn(u32) -> Result<StatusRecord, StoreError> {
    let missing = StoreError::Corrupt { what: "status history (missing)" };
    move |entry| state.view().status_entry(institution, handle, entry)?.ok_or_else(|| missing.clone())
}

/// The entries in their order: later ones see earlier ones.
fn apply<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    institution: InstitutionId,
    writer: Writer,
    entries: &[StatusEntry],
) -> Result<Vec<Write>, CheckError> {
    let mut seen = BTreeMap::<StatusHandle, StatusRecord>::new();
    let mut writes = Vec::with_capacity(entries.len().saturating_add(1));
    for (position, entry) in entries.iter().enumerate() {
        let newest = match seen.get(&entry.handle) {
            Some(record) => Some(*record),
            None => state.view().status(institution, &entry.handle)?,
        };
        // Only an annulment sends the reader back, and no entry of this transaction is one: all that is read is stored.
        let history = History { newest, read: &reader(state, institution, &entry.handle) };
        let refused = |refusal: Refusal| match refusal {
            Refusal::Transition => Rejection::StatusTransitionInvalid { entry: position, action: entry.action },
            Refusal::ByOrder => Rejection::StatusSuspendedByOrder { entry: position },
            Refusal::Full => {
                Rejection::StatusHistoryFull { entry: position, limit: sigeli_verifier::params::STATUS_ENTRIES_MAX }
            }
        };
        let record = history.follow(&change(entry), writer, terms, refused)?;
        seen.insert(entry.handle, record);
        writes.push(Write::Status(institution, entry.handle, record));
    }
    Ok(writes)
}

/// The quality agency annuls the newest entry about each of the credentials.
pub(super) fn check_annul<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: &Target,
    annul: &StatusAnnul,
) -> Result<Vec<Write>, CheckError> {
    if annul.entries.is_empty() {
        return Err(Rejection::StatusesMissing.into());
    }
    if let Some(entry) = out_of_order(annul.entries.iter().map(|entry| entry.handle)) {
        return Err(Rejection::HandlesUnordered { entry }.into());
    }
    let view = state.view();
    let written = annul.entries.iter().map(|entry| {
        let newest = view.status(target.id, &entry.handle)?;
        annulment_written(&History { newest, read: &reader(state, target.id, &entry.handle) }, entry.entry)
    });
    if let Some(height) = all_written(written)? {
        return Err(Rejection::AlreadyExists { height }.into());
    }
    let mut writes = Vec::with_capacity(annul.entries.len());
    for (position, entry) in annul.entries.iter().enumerate() {
        let newest = view.status(target.id, &entry.handle)?;
        let history = History { newest, read: &reader(state, target.id, &entry.handle) };
        let refused = Rejection::NothingToAnnul { entry: position };
        let record = history.annulled(entry.entry, &target.institution.facts, target.writer, terms, refused)?;
        writes.push(Write::Status(target.id, entry.handle, record));
    }
    Ok(writes)
}

/// The position of the first that is not above the one before it.
pub(super) fn out_of_order<T: Ord>(names: impl Iterator<Item = T> + Clone) -> Option<usize> {
    let later = names.clone().skip(1);
    names.zip(later).position(|(before, after)| before >= after).map(|position| position.saturating_add(1))
}
