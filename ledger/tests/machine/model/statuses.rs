//! The rules for statuses of credentials and batches, in the model's words.

use std::collections::BTreeMap;

use sigeli_verifier::{
    ids::{DecisionRef, InstitutionId, StatusHandle},
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

/// Whether a writer may give this reason for this action.
pub(super) fn fits(action: StatusAction, reason: Reason, writer: &Writer) -> bool {
    let own = matches!(writer, Writer::Institution { .. });
    ALLOWED.contains(&(action, reason)) && !(own && [Reason::Order, Reason::NotAccredited].contains(&reason))
}

fn check_form(entries: &[StatusEntry], writer: &Writer) -> Verdict {
    must(!entries.is_empty(), "statuses_missing")?;
    for entry in entries {
        must(fits(entry.action, entry.reason, writer), "status_reason_invalid")?;
        must(entry.action != Supersede || entry.successor != [0; 32], "successor_missing")?;
    }
    Ok(())
}

const fn state_of(entry: &StatusEntry) -> State {
    match entry.action {
        Suspend => State::Suspended,
        Reinstate => State::Reinstated,
        Revoke => State::Revoked,
        Supersede => State::Superseded { successor: entry.successor },
    }
}

/// A history with its annulments carried out: the numbers of the entries that stand over one another, of which the last
/// counts. An annulment takes away all above the entry that it brings back.
pub(super) fn pile(history: &[StatusRecord]) -> Vec<usize> {
    let mut pile = vec![];
    for (number, record) in (1..).zip(history) {
        if record.state == State::Annulled {
            pile.clear();
        } else if record.restores > 0 {
            pile.retain(|below| *below <= usize::try_from(record.restores).unwrap());
        } else {
            pile.push(number);
        }
    }
    pile
}

/// The entry that counts.
fn counts(history: &[StatusRecord]) -> Option<&StatusRecord> {
    pile(history).last().map(|number| &history[*number - 1])
}

/// What an annulment writes, and whether there is anything to annul.
pub(super) fn annul(
    at: At,
    history: &[StatusRecord],
    writer: Writer,
    is_void: impl Fn(&StatusRecord) -> bool,
) -> Option<StatusRecord> {
    let mut pile = pile(history);
    let top = &history[pile.pop()? - 1];
    if matches!(top.writer, Writer::Institution { .. }) && !is_void(top) {
        return None;
    }
    let found = pile.into_iter().rev().find(|number| !is_void(&history[*number - 1]));
    let (state, reason, restores) = match found {
        Some(number) => (history[number - 1].state, history[number - 1].reason, u32::try_from(number).unwrap()),
        None => (State::Annulled, Reason::Annulled, 0),
    };
    let (height, time) = at.place();
    Some(StatusRecord { state, reason, height, time, writer, entries: count(history) + 1, restores })
}

fn is_annulment(record: &StatusRecord) -> bool {
    record.restores > 0 || record.state == State::Annulled
}

/// The block of the entry under a number, if it is what is looked for.
pub(super) fn block_of(history: &[StatusRecord], number: u32, wanted: impl Fn(&StatusRecord) -> bool) -> Option<u64> {
    let place = usize::try_from(number).unwrap().checked_sub(1)?;
    history.get(place).filter(|record| wanted(record)).map(|record| record.height.get())
}

/// The block of the annulment under a number.
pub(super) fn annulled_in(history: &[StatusRecord], number: u32) -> Option<u64> {
    block_of(history, number, is_annulment)
}

/// The block in which an entry was written as asked.
pub(super) fn written_in(history: &[StatusRecord], entry: &StatusEntry, own: bool) -> Option<u64> {
    block_of(history, entry.entry, |record| {
        record.state == state_of(entry)
            && record.reason == entry.reason
            && record.restores == 0
            && matches!(record.writer, Writer::Institution { .. }) == own
    })
}

/// All was written before, the last of it in this block.
pub(super) fn must_be_new(blocks: &[Option<u64>]) -> Verdict {
    match blocks.iter().copied().collect::<Option<Vec<_>>>() {
        Some(blocks) => Err(("already_exists", blocks.into_iter().max().unwrap())),
        None => Ok(()),
    }
}

/// Why an entry may not follow a history: the refusals of credentials, which those of batches resemble.
pub(super) fn next(
    at: At,
    history: &[StatusRecord],
    writer: Writer,
    entry: &StatusEntry,
) -> Result<StatusRecord, &'static str> {
    let own = matches!(writer, Writer::Institution { .. });
    let top = counts(history);
    let ordered = top.is_some_and(|record| matches!(record.writer, Writer::Authority { .. }));
    let entries = count(history) + 1;
    if entry.entry != entries {
        return Err("history_moved");
    }
    match (top.map(|record| record.state), entry.action) {
        (Some(State::Revoked | State::Superseded { .. }), _) => return Err("transition_invalid"),
        (Some(State::Suspended), Suspend) if own || ordered => return Err("transition_invalid"),
        (Some(State::Suspended), Reinstate) if own && ordered => return Err("suspended_by_order"),
        (None | Some(State::Reinstated | State::Annulled), Reinstate) => return Err("transition_invalid"),
        _ => {}
    }
    if own && entry.action == Suspend && history.len() >= 64 {
        return Err("history_full");
    }
    let (height, time) = at.place();
    Ok(StatusRecord { state: state_of(entry), reason: entry.reason, height, time, writer, entries, restores: 0 })
}

impl Model {
    pub(super) fn set_statuses(&mut self, at: At, entries: &[StatusEntry]) -> Verdict {
        let By::Institution { id, key } = at.by else { return no("wrong_sender_kind") };
        let writer = Writer::Institution { key: sigeli_verifier::ids::KeyIndex::new(key) };
        check_form(entries, &writer)?;
        let limit = self.policy.statuses_per_day;
        let institution = self.institutions.get_mut(&id).unwrap();
        institution.must_be_new(entries, true)?;
        let (batches, statuses) = institution.used_on(at.day);
        let after = statuses + count(entries);
        must(after <= limit, "quota_exceeded")?;
        institution.write(at, writer, entries)?;
        institution.set_used(at.day, batches, after);
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
        check_form(entries, &writer)?;
        institution.must_be_new(entries, false)?;
        institution.write(at, writer, entries)
    }

    pub(super) fn annul_statuses(&mut self, at: At, asked: &StatusAnnul) -> Verdict {
        let writer = at.writer(asked.institution, asked.decision)?;
        let institution = self.known(asked.institution)?;
        must(!asked.entries.is_empty(), "statuses_missing")?;
        let ascend = asked.entries.windows(2).all(|pair| pair[0].handle < pair[1].handle);
        must(ascend, "handles_unordered")?;
        let blocks: Vec<_> =
            asked.entries.iter().map(|entry| annulled_in(institution.history(&entry.handle), entry.entry)).collect();
        must_be_new(&blocks)?;
        let mut written = vec![];
        for entry in asked.entries.iter() {
            let history = institution.history(&entry.handle);
            must(entry.entry == count(history) + 1, "history_moved")?;
            let is_void = |record: &StatusRecord| institution.is_void(&record.writer, record.height);
            let Some(record) = annul(at, history, writer, is_void) else { return no("nothing_to_annul") };
            written.push((entry.handle.get(), record));
        }
        for (handle, record) in written {
            institution.statuses.get_mut(&handle).unwrap().push(record);
        }
        Ok(())
    }
}

impl Institution {
    fn history(&self, handle: &StatusHandle) -> &[StatusRecord] {
        self.statuses.get(handle.as_bytes()).map_or(&[], Vec::as_slice)
    }

    fn must_be_new(&self, entries: &[StatusEntry], own: bool) -> Verdict {
        let blocks: Vec<_> = entries.iter().map(|entry| written_in(self.history(&entry.handle), entry, own)).collect();
        must_be_new(&blocks)
    }

    /// All the entries in their order, or none.
    fn write(&mut self, at: At, writer: Writer, entries: &[StatusEntry]) -> Verdict {
        let mut touched = BTreeMap::<[u8; 32], Vec<StatusRecord>>::new();
        for entry in entries {
            let known = || self.history(&entry.handle).to_vec();
            let history = touched.entry(entry.handle.get()).or_insert_with(known);
            match next(at, history, writer, entry) {
                Ok(record) => history.push(record),
                Err("history_moved") => return no("history_moved"),
                Err("transition_invalid") => return no("status_transition_invalid"),
                Err("suspended_by_order") => return no("status_suspended_by_order"),
                Err(_) => return no("status_history_full"),
            }
        }
        self.statuses.extend(touched);
        Ok(())
    }
}
