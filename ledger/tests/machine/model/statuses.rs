//! The rules for statuses of credentials, in the model's words.

use std::collections::BTreeMap;

use sigeli_verifier::{
    ids::{DecisionRef, InstitutionId},
    record::{StatusRecord, StatusState as State, Writer},
    transaction::{
        StatusAction::{self, Reinstate, Revoke, Supersede, Suspend},
        StatusAnnul, StatusEntry, StatusReason as Reason,
    },
};

use super::{
    rules::{At, By, Verdict, must, no},
    state::{Institution, Model, count},
};

/// Which reason fits which action, written out.
pub(super) const ALLOWED: [(StatusAction, Reason); 20] = [
    (Suspend, Reason::Unspecified),
    (Suspend, Reason::IssuedInError),
    (Suspend, Reason::AwardWithdrawn),
    (Suspend, Reason::HolderRequest),
    (Suspend, Reason::KeyCompromised),
    (Suspend, Reason::Order),
    (Suspend, Reason::NotAccredited),
    (Suspend, Reason::UnderReview),
    (Reinstate, Reason::Unspecified),
    (Reinstate, Reason::HolderRequest),
    (Reinstate, Reason::Order),
    (Reinstate, Reason::ReviewEnded),
    (Revoke, Reason::Unspecified),
    (Revoke, Reason::IssuedInError),
    (Revoke, Reason::AwardWithdrawn),
    (Revoke, Reason::HolderRequest),
    (Revoke, Reason::KeyCompromised),
    (Revoke, Reason::Order),
    (Revoke, Reason::NotAccredited),
    (Supersede, Reason::Superseded),
];

fn check_form(entries: &[StatusEntry]) -> Verdict {
    must(!entries.is_empty(), "statuses_missing")?;
    for entry in entries {
        must(ALLOWED.contains(&(entry.action, entry.reason)), "status_reason_invalid")?;
        must(entry.action != Supersede || entry.successor != [0; 32], "successor_missing")?;
    }
    Ok(())
}

impl Model {
    pub(super) fn set_statuses(&mut self, at: At, entries: &[StatusEntry]) -> Verdict {
        let By::Institution { id, key } = at.by else { return no("wrong_sender_kind") };
        check_form(entries)?;
        let limit = self.policy.statuses_per_day;
        let institution = self.institutions.get_mut(&id).unwrap();
        let (batches, statuses) = institution.used_on(at.day);
        let after = statuses + count(entries);
        must(after <= limit, "quota_exceeded")?;
        let writer = Writer::Institution { key: sigeli_verifier::ids::KeyIndex::new(key) };
        institution.write(at, writer, entries)?;
        institution.used = Some((at.day.get(), batches, after));
        Ok(())
    }

    pub(super) fn order_statuses(
        &mut self,
        at: At,
        institution: InstitutionId,
        decision: DecisionRef,
        entries: &[StatusEntry],
    ) -> Verdict {
        let writer = at.writer(institution, decision)?;
        let institution = self.known(institution)?;
        check_form(entries)?;
        institution.write(at, writer, entries)
    }

    pub(super) fn annul_statuses(&mut self, at: At, asked: &StatusAnnul) -> Verdict {
        let writer = at.writer(asked.institution, asked.decision)?;
        let institution = self.known(asked.institution)?;
        must(!asked.handles.is_empty(), "statuses_missing")?;
        let mut restored = vec![];
        for (place, handle) in asked.handles.iter().enumerate() {
            must(place == 0 || asked.handles[place - 1] < *handle, "handles_unordered")?;
            let history = institution.statuses.get(handle.as_bytes()).map_or(&[][..], Vec::as_slice);
            let stands = |record: &StatusRecord| !institution.is_void(&record.writer, record.height);
            must(history.last().is_some_and(|newest| !stands(newest)), "nothing_to_annul")?;
            let before = history.iter().rev().find(|record| stands(record));
            let (state, reason) =
                before.map_or((State::Annulled, Reason::Annulled), |record| (record.state, record.reason));
            let (height, time) = at.place();
            restored.push(StatusRecord { state, reason, height, time, writer, entries: count(history) + 1 });
        }
        for (handle, record) in asked.handles.iter().zip(restored) {
            institution.statuses.get_mut(handle.as_bytes()).unwrap().push(record);
        }
        Ok(())
    }
}

impl Institution {
    /// All the entries in their order, or none.
    fn write(&mut self, at: At, writer: Writer, entries: &[StatusEntry]) -> Verdict {
        let (height, time) = at.place();
        let mut touched = BTreeMap::<[u8; 32], Vec<StatusRecord>>::new();
        for entry in entries {
            let handle = entry.handle.get();
            let known = || self.statuses.get(&handle).cloned().unwrap_or_default();
            let history = touched.entry(handle).or_insert_with(known);
            let before = history.last().map(|record| record.state);
            let own = matches!(writer, Writer::Institution { .. });
            let ordered = history.last().is_some_and(|record| matches!(record.writer, Writer::Authority { .. }));
            let state = match (before, entry.action) {
                (Some(State::Revoked | State::Superseded { .. }), _) => return no("status_transition_invalid"),
                (Some(State::Suspended), Suspend) if own || ordered => return no("status_transition_invalid"),
                (Some(State::Suspended), Reinstate) if own && ordered => return no("status_suspended_by_order"),
                (Some(State::Suspended), Reinstate) => State::Reinstated,
                (_, Reinstate) => return no("status_transition_invalid"),
                (_, Suspend) => State::Suspended,
                (_, Revoke) => State::Revoked,
                (_, Supersede) => State::Superseded { successor: entry.successor },
            };
            let goes_on = matches!(state, State::Suspended | State::Reinstated);
            must(!own || !goes_on || history.len() < 64, "status_history_full")?;
            let entries = count(history) + 1;
            history.push(StatusRecord { state, reason: entry.reason, height, time, writer, entries });
        }
        self.statuses.extend(touched);
        Ok(())
    }
}
