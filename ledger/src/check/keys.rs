//! The rules under which an institution's keys are added and retired.
//!
//! A stolen administrating key must not be able to use up what the institution, or the quality agency for it, needs to
//! recover. An institution's own changes are therefore limited by day, by how many usable keys they may lead to, and by a
//! share of the key numbers that only the agency gives.

use alloc::{collections::BTreeSet, vec::Vec};

use sigeli_verifier::{
    ids::{InstitutionId, KeyIndex},
    params::{INSTITUTION_KEYS_RESERVED, INSTITUTION_KEYS_TOTAL_MAX, INSTITUTION_KEYS_USABLE_MAX},
    record::{InstitutionFacts, KeyChange, KeyEntry, KeyRecord, KeyState, Writer},
    transaction::{InstitutionKey, KeyRetire, KeysAdd},
};

use super::{
    Target, Terms,
    quota::{used_today, within},
};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
    store::StoreError,
    tree::NodeReader,
};

/// At least one key, and none twice.
pub(super) fn check_form(keys: &[InstitutionKey]) -> Result<(), Rejection> {
    if keys.is_empty() {
        return Err(Rejection::KeysMissing);
    }
    let distinct: BTreeSet<_> = keys.iter().map(|given| given.key).collect();
    if distinct.len() == keys.len() { Ok(()) } else { Err(Rejection::KeyDuplicate) }
}

/// The records of new keys of an institution that has `usable` keys so far. Its count of keys goes up.
pub(super) fn added(
    terms: &Terms,
    id: InstitutionId,
    facts: &mut InstitutionFacts,
    usable: u16,
    writer: Writer,
    keys: &[InstitutionKey],
) -> Result<Vec<Write>, Rejection> {
    let own = matches!(writer, Writer::Institution { .. });
    let reserved = if own { INSTITUTION_KEYS_RESERVED } else { 0 };
    let limit = INSTITUTION_KEYS_TOTAL_MAX.saturating_sub(reserved);
    let mut usable = usable;
    let mut writes = Vec::with_capacity(keys.len().saturating_mul(2).saturating_add(4));
    for given in keys {
        let index = KeyIndex::new(facts.keys);
        facts.keys = facts.keys.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
        usable = usable.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
        if facts.keys > limit {
            return Err(Rejection::KeyLimit { limit });
        }
        let record = KeyRecord {
            purposes: given.purposes,
            key: given.key,
            window: given.window,
            added: terms.height,
            state: KeyState::Active,
            entries: 1,
        };
        writes.push(Write::NewKey(id, index, record));
        writes.push(Write::KeyEntry(id, index, 1, entry(terms, KeyChange::Added, writer)));
    }
    if own && usable > INSTITUTION_KEYS_USABLE_MAX {
        return Err(Rejection::UsableKeyLimit { limit: INSTITUTION_KEYS_USABLE_MAX });
    }
    writes.push(Write::UsableKeys(id, usable));
    Ok(writes)
}

const fn entry(terms: &Terms, change: KeyChange, writer: Writer) -> KeyEntry {
    KeyEntry { change, writer, height: terms.height, time: terms.time }
}

pub(super) fn check_add<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    mut target: Target,
    add: &KeysAdd,
) -> Result<Vec<Write>, CheckError> {
    check_form(&add.keys)?;
    refuse_known(state, target.id, &add.keys)?;
    let count = u32::try_from(add.keys.len()).unwrap_or(u32::MAX);
    let used = use_changes(state, terms, target.id, target.writer, count)?;
    let usable = state.view().usable_keys(target.id)?;
    let mut writes = added(terms, target.id, &mut target.institution.facts, usable, target.writer, &add.keys)?;
    writes.push(Write::Institution(target.id, target.institution));
    writes.extend(used);
    Ok(writes)
}

/// A key that the institution ever had never comes back: it may have been retired or compromised. Only when all keys are
/// there, for the same purposes and days, is this a retry of their addition.
fn refuse_known<R: NodeReader>(
    state: &Overlay<'_, R>,
    id: InstitutionId,
    keys: &[InstitutionKey],
) -> Result<(), CheckError> {
    let (mut earliest, mut other) = (None::<(KeyIndex, KeyRecord)>, None);
    let mut known = 0_usize;
    for given in keys {
        let Some(index) = state.view().key_index(id, &given.key)? else { continue };
        let record = state.key(id, index)?.ok_or(StoreError::Corrupt { what: "institution key (missing)" })?;
        known = known.saturating_add(1);
        if !is_given(&record, given) {
            other.get_or_insert(index);
        }
        if earliest.is_none_or(|(earliest, _)| index < earliest) {
            earliest = Some((index, record));
        }
    }
    match (earliest, other) {
        (None, _) => Ok(()),
        (Some((_, record)), None) if known == keys.len() => {
            Err(Rejection::AlreadyExists { height: record.added }.into())
        }
        (Some((key, _)), other) => Err(Rejection::KeyExists { key: other.unwrap_or(key) }.into()),
    }
}

/// Whether a record is what this addition made of a key.
pub(super) fn is_given(record: &KeyRecord, given: &InstitutionKey) -> bool {
    (record.key, record.purposes, record.window) == (given.key, given.purposes, given.window)
}

/// The institution's usage after `count` more changes of its keys and programmes today; nothing is counted of what the
/// quality agency writes.
pub(super) fn use_changes<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    institution: InstitutionId,
    writer: Writer,
    count: u32,
) -> Result<Option<Write>, CheckError> {
    if matches!(writer, Writer::Authority { .. }) {
        return Ok(None);
    }
    let mut usage = used_today(state, terms, institution)?;
    usage.changes = within(terms.policy.changes_per_day, usage.changes, count)?;
    Ok(Some(Write::Usage(institution, usage)))
}

/// A key with one more history entry.
pub(super) fn changed(
    terms: &Terms,
    target: &Target,
    index: KeyIndex,
    mut record: KeyRecord,
    change: KeyChange,
) -> Result<[Write; 2], Rejection> {
    record.entries = record.entries.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    let entry = entry(terms, change, target.writer);
    Ok([Write::Key(target.id, index, record), Write::KeyEntry(target.id, index, record.entries, entry)])
}

/// Whether a key is neither retired nor declared compromised, whatever its days.
pub(super) fn is_usable(facts: &InstitutionFacts, index: KeyIndex, record: &KeyRecord) -> bool {
    record.state == KeyState::Active && facts.compromised_from(index).is_none()
}

/// One usable key less.
pub(super) fn one_less<R: NodeReader>(state: &Overlay<'_, R>, id: InstitutionId) -> Result<Write, StoreError> {
    let corrupt = StoreError::Corrupt { what: "number of usable keys" };
    let usable = state.view().usable_keys(id)?.checked_sub(1).ok_or(corrupt)?;
    Ok(Write::UsableKeys(id, usable))
}

pub(super) fn check_retire<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: Target,
    retire: &KeyRetire,
) -> Result<Vec<Write>, CheckError> {
    let key = retire.key;
    let mut record = state.key(target.id, key)?.ok_or(Rejection::UnknownInstitutionKey { key })?;
    if let KeyState::Retired { at } = record.state {
        return Err(Rejection::AlreadyExists { height: at }.into());
    }
    let used = use_changes(state, terms, target.id, target.writer, 1)?;
    let less = is_usable(&target.institution.facts, key, &record).then(|| one_less(state, target.id)).transpose()?;
    record.state = KeyState::Retired { at: terms.height };
    let mut writes: Vec<_> = changed(terms, &target, key, record, KeyChange::Retired)?.into();
    writes.extend(less);
    writes.extend(used);
    Ok(writes)
}
