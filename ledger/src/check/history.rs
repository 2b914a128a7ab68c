//! What may follow what in the history of a credential or of a batch, and for which reason: one table for both.
//!
//! A batch's change is a credential's entry without the replacement, so that both are judged as [`StatusRecord`]s. Entries
//! are numbered from 1, and whoever writes one names the number that it will get: a transaction that was signed anew and
//! sent twice is then told that it was executed, and does not undo what was decided in between.

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::Height,
    params::STATUS_ENTRIES_MAX,
    record::{BatchChange, BatchState, InstitutionFacts, StatusRecord, StatusState, Writer},
    transaction::{StatusAction, StatusReason},
};

use super::Terms;
use crate::{
    outcome::{CheckError, Rejection},
    store::StoreError,
};

/// A history: its newest entry, and how those of before are read.
pub(super) struct History<'a> {
    pub(super) newest: Option<StatusRecord>,
    pub(super) read: &'a dyn Fn(u32) -> Result<StatusRecord, StoreError>,
}

/// A change that is asked for.
#[derive(Clone, Copy)]
pub(super) struct Change {
    /// The number that its entry will get.
    pub(super) entry: u32,
    pub(super) action: StatusAction,
    pub(super) reason: StatusReason,
    pub(super) successor: [u8; 32],
}

/// Why a change is refused; credentials and batches have codes of their own for it.
pub(super) enum Refusal {
    /// It cannot follow what stands.
    Transition,
    /// What stands is an order, which the institution does not lift.
    ByOrder,
    /// The institution has written too often to suspend once more.
    Full,
}

impl Change {
    /// Where it puts what it is about.
    const fn state(&self) -> StatusState {
        match self.action {
            StatusAction::Suspend => StatusState::Suspended,
            StatusAction::Reinstate => StatusState::Reinstated,
            StatusAction::Revoke => StatusState::Revoked,
            StatusAction::Supersede => StatusState::Superseded { successor: self.successor },
        }
    }

    /// The block in which just this was written under this number, by the same kind of writer.
    pub(super) fn written(&self, history: &History<'_>, own: bool) -> Result<Option<Height>, StoreError> {
        let Some(found) = history.entry(self.entry)? else { return Ok(None) };
        let content = (found.state, found.reason, is_own(&found.writer), found.restores);
        Ok((content == (self.state(), self.reason, own, 0)).then_some(found.height))
    }
}

/// The block in which an annulment was written under this number.
pub(super) fn annulment_written(history: &History<'_>, entry: u32) -> Result<Option<Height>, StoreError> {
    Ok(history.entry(entry)?.filter(is_annulment).map(|found| found.height))
}

/// When all that a transaction asks for was written before: the newest of the blocks that hold it.
pub(super) fn all_written(
    written: impl Iterator<Item = Result<Option<Height>, StoreError>>,
) -> Result<Option<Height>, StoreError> {
    let heights = written.collect::<Result<Option<Vec<_>>, _>>();
    Ok(heights?.and_then(|heights| heights.into_iter().max()))
}

const fn is_own(writer: &Writer) -> bool {
    matches!(writer, Writer::Institution { .. })
}

const fn is_annulment(record: &StatusRecord) -> bool {
    record.restores != 0 || matches!(record.state, StatusState::Annulled)
}

impl History<'_> {
    fn count(&self) -> u32 {
        self.newest.map_or(0, |newest| newest.entries)
    }

    /// The entry of this number, if there is one.
    fn entry(&self, number: u32) -> Result<Option<StatusRecord>, StoreError> {
        if (1..=self.count()).contains(&number) { (self.read)(number).map(Some) } else { Ok(None) }
    }

    /// The number of the next entry, which must be the one that is named.
    fn next(&self, named: u32) -> Result<u32, Rejection> {
        let next = self.count().checked_add(1).ok_or(Rejection::NumbersExhausted)?;
        if named == next { Ok(next) } else { Err(Rejection::HistoryMoved { next }) }
    }

    /// The entry that stands, and its number: the newest, or the one that an annulment has brought back.
    fn stands(&self) -> Result<Option<(u32, StatusRecord)>, StoreError> {
        match self.newest {
            None => Ok(None),
            Some(newest) => self.behind(newest.entries, newest),
        }
    }

    /// What stands when this is the newest entry.
    fn behind(&self, number: u32, record: StatusRecord) -> Result<Option<(u32, StatusRecord)>, StoreError> {
        if !is_annulment(&record) {
            Ok(Some((number, record)))
        } else if record.restores == 0 {
            Ok(None)
        } else {
            (self.read)(record.restores).map(|restored| Some((record.restores, restored)))
        }
    }

    /// The record that a change makes.
    pub(super) fn follow(
        &self,
        change: &Change,
        writer: Writer,
        terms: &Terms,
        refused: impl Fn(Refusal) -> Rejection,
    ) -> Result<StatusRecord, CheckError> {
        let entries = self.next(change.entry)?;
        let stands = self.stands()?;
        let own = is_own(&writer);
        let ordered = stands.is_some_and(|(_, record)| !is_own(&record.writer));
        allowed(stands.map(|(_, record)| record.state), change.action, own, ordered).map_err(&refused)?;
        if own && change.action == StatusAction::Suspend && self.count() >= STATUS_ENTRIES_MAX {
            return Err(refused(Refusal::Full).into());
        }
        let (state, reason) = (change.state(), change.reason);
        Ok(StatusRecord { state, reason, height: terms.height, time: terms.time, writer, entries, restores: 0 })
    }

    /// The record that an annulment makes: what stands is void or an authority's own, and the newest entry before that is
    /// neither void nor annulled stands again. `refused` is for when there is nothing to annul.
    pub(super) fn annulled(
        &self,
        named: u32,
        facts: &InstitutionFacts,
        writer: Writer,
        terms: &Terms,
        refused: Rejection,
    ) -> Result<StatusRecord, CheckError> {
        let is_void = |record: &StatusRecord| facts.is_void(&record.writer, record.height);
        let entries = self.next(named)?;
        let annullable = |(_, record): &(u32, StatusRecord)| !is_own(&record.writer) || is_void(record);
        let (mut number, _) = self.stands()?.filter(annullable).ok_or(refused)?;
        let mut restored = None;
        while let Some(before) = number.checked_sub(1).filter(|before| *before > 0) {
            let Some((found, record)) = self.behind(before, (self.read)(before)?)? else { break };
            if !is_void(&record) {
                restored = Some((found, record));
                break;
            }
            number = found;
        }
        let (restores, state, reason) = restored
            .map_or((0, StatusState::Annulled, StatusReason::Annulled), |(number, record)| {
                (number, record.state, record.reason)
            });
        Ok(StatusRecord { state, reason, height: terms.height, time: terms.time, writer, entries, restores })
    }
}

/// Valid → suspended → valid; valid or suspended → revoked or superseded, both final. An order overrides an institution's
/// own suspension, which the institution could otherwise lift again, and the institution does not lift an order.
const fn allowed(stands: Option<StatusState>, action: StatusAction, own: bool, ordered: bool) -> Result<(), Refusal> {
    match (stands, action) {
        (Some(StatusState::Revoked | StatusState::Superseded { .. }), _) => Err(Refusal::Transition),
        (Some(StatusState::Suspended), StatusAction::Suspend) if own || ordered => Err(Refusal::Transition),
        (Some(StatusState::Suspended), StatusAction::Reinstate) if own && ordered => Err(Refusal::ByOrder),
        (Some(StatusState::Suspended), StatusAction::Reinstate) => Ok(()),
        (_, StatusAction::Reinstate) => Err(Refusal::Transition),
        (_, StatusAction::Suspend | StatusAction::Revoke | StatusAction::Supersede) => Ok(()),
    }
}

/// Which reason fits which action, and whose it is. `UnderReview` is for suspensions, `ReviewEnded` for reinstatements,
/// `Superseded` for replacements and their only reason, `Annulled` for annulments; an order and an issue outside the
/// accreditation are an authority's to say.
pub(super) const fn reason_fits(action: StatusAction, reason: StatusReason, writer: &Writer) -> bool {
    if is_own(writer) && matches!(reason, StatusReason::Order | StatusReason::NotAccredited) {
        return false;
    }
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

/// A batch's change as an entry of a history.
pub(super) const fn of_batch(change: &BatchChange) -> StatusRecord {
    let BatchChange { state, reason, height, time, writer, entries, restores } = *change;
    let state = match state {
        BatchState::Suspended => StatusState::Suspended,
        BatchState::Reinstated => StatusState::Reinstated,
        BatchState::Revoked => StatusState::Revoked,
        BatchState::Annulled => StatusState::Annulled,
    };
    StatusRecord { state, reason, height, time, writer, entries, restores }
}

/// An entry of a batch's history as a change. A batch is never replaced.
pub(super) const fn to_batch(record: &StatusRecord) -> Result<BatchChange, StoreError> {
    let StatusRecord { state, reason, height, time, writer, entries, restores } = *record;
    let state = match state {
        StatusState::Suspended => BatchState::Suspended,
        StatusState::Reinstated => BatchState::Reinstated,
        StatusState::Revoked => BatchState::Revoked,
        StatusState::Annulled => BatchState::Annulled,
        StatusState::Superseded { .. } => return Err(StoreError::Corrupt { what: "batch history (replaced)" }),
    };
    Ok(BatchChange { state, reason, height, time, writer, entries, restores })
}
