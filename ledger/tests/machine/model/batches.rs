//! The rules for the status of batches as a whole, in the model's words: those of credentials, but that no batch is
//! replaced.

use sigeli_verifier::{
    ids::StatusHandle,
    record::{BatchChange, BatchState, StatusRecord, StatusState, Writer},
    transaction::{BatchAction, BatchAnnul, BatchStatusSet, StatusAction, StatusEntry},
};

use super::{
    rules::{At, Verdict, must, no},
    state::{Model, count},
    statuses::{annul, annulled_in, fits, must_be_new, next, written_in},
};

/// A batch's history in the words of credentials.
pub(super) fn as_statuses(history: &[BatchChange]) -> Vec<StatusRecord> {
    let record = |change: &BatchChange| StatusRecord {
        state: match change.state {
            BatchState::Suspended => StatusState::Suspended,
            BatchState::Reinstated => StatusState::Reinstated,
            BatchState::Revoked => StatusState::Revoked,
            BatchState::Annulled => StatusState::Annulled,
        },
        reason: change.reason,
        height: change.height,
        time: change.time,
        writer: change.writer,
        entries: change.entries,
        restores: change.restores,
    };
    history.iter().map(record).collect()
}

fn as_change(record: StatusRecord) -> BatchChange {
    BatchChange {
        state: match record.state {
            StatusState::Suspended => BatchState::Suspended,
            StatusState::Reinstated => BatchState::Reinstated,
            StatusState::Revoked => BatchState::Revoked,
            StatusState::Annulled => BatchState::Annulled,
            StatusState::Superseded { .. } => unreachable!("no batch is replaced"),
        },
        reason: record.reason,
        height: record.height,
        time: record.time,
        writer: record.writer,
        entries: record.entries,
        restores: record.restores,
    }
}

impl Model {
    pub(super) fn set_batch(&mut self, at: At, asked: &BatchStatusSet) -> Verdict {
        let writer = at.writer(asked.institution, asked.decision)?;
        let quota = self.policy.statuses_per_day;
        let institution = self.known(asked.institution)?;
        let action = match asked.action {
            BatchAction::Suspend => StatusAction::Suspend,
            BatchAction::Reinstate => StatusAction::Reinstate,
            BatchAction::Revoke => StatusAction::Revoke,
        };
        must(fits(action, asked.reason, &writer), "batch_reason_invalid")?;
        let own = matches!(writer, Writer::Institution { .. });
        let Some(batch) = institution.batches.get(asked.root.as_bytes()) else { return no("unknown_batch") };
        let history = as_statuses(&batch.history);
        let (handle, successor) = (StatusHandle::new([0; 32]), [0; 32]);
        let entry = StatusEntry { handle, entry: asked.entry, action, reason: asked.reason, successor };
        must_be_new(&[written_in(&history, &entry, own)])?;
        let (batches, statuses) = institution.used_on(at.day);
        must(!own || statuses < quota, "quota_exceeded")?;
        let record = match next(at, &history, writer, &entry) {
            Ok(record) => record,
            Err("history_moved") => return no("history_moved"),
            Err("transition_invalid") => return no("batch_transition_invalid"),
            Err("suspended_by_order") => return no("batch_suspended_by_order"),
            Err(_) => return no("batch_history_full"),
        };
        if own {
            institution.set_used(at.day, batches, statuses + 1);
        }
        institution.batches.get_mut(asked.root.as_bytes()).unwrap().history.push(as_change(record));
        Ok(())
    }

    pub(super) fn annul_batches(&mut self, at: At, asked: &BatchAnnul) -> Verdict {
        let writer = at.writer(asked.institution, asked.decision)?;
        let institution = self.known(asked.institution)?;
        must(!asked.entries.is_empty(), "batches_missing")?;
        let ascend = asked.entries.windows(2).all(|pair| pair[0].root < pair[1].root);
        must(ascend, "batches_unordered")?;
        let mut histories = vec![];
        for entry in asked.entries.iter() {
            let Some(batch) = institution.batches.get(entry.root.as_bytes()) else { return no("unknown_batch") };
            histories.push((entry, as_statuses(&batch.history)));
        }
        let blocks: Vec<_> = histories.iter().map(|(entry, history)| annulled_in(history, entry.entry)).collect();
        must_be_new(&blocks)?;
        let mut written = vec![];
        for (entry, history) in &histories {
            must(entry.entry == count(history) + 1, "history_moved")?;
            let is_void = |record: &StatusRecord| institution.is_void(&record.writer, record.height);
            let Some(record) = annul(at, history, writer, is_void) else { return no("no_batch_change_to_annul") };
            written.push((entry.root.get(), as_change(record)));
        }
        for (root, change) in written {
            institution.batches.get_mut(&root).unwrap().history.push(change);
        }
        Ok(())
    }
}
