//! The rules under which an institution's keys are added, retired and declared compromised.

use alloc::{collections::BTreeSet, vec::Vec};

use sigeli_verifier::{
    bounded::List,
    ids::{Height, InstitutionId, KeyIndex},
    params::{COMPROMISED_KEYS_MAX, INSTITUTION_KEYS_TOTAL_MAX},
    record::{CompromisedKey, InstitutionFacts, KeyChange, KeyEntry, KeyRecord, KeyState, Writer},
    transaction::{InstitutionKey, KeyCompromise, KeyRetire, KeysAdd},
};

use super::{Target, Terms};
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

/// The records of new keys. The institution's count of keys goes up.
pub(super) fn added(
    terms: &Terms,
    id: InstitutionId,
    facts: &mut InstitutionFacts,
    writer: Writer,
    keys: &[InstitutionKey],
) -> Result<Vec<Write>, Rejection> {
    let mut writes = Vec::with_capacity(keys.len().saturating_mul(2).saturating_add(2));
    for given in keys {
        let index = KeyIndex::new(facts.keys);
        facts.keys = facts.keys.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
        if facts.keys > INSTITUTION_KEYS_TOTAL_MAX {
            return Err(Rejection::KeyLimit { limit: INSTITUTION_KEYS_TOTAL_MAX });
        }
        let record = KeyRecord {
            purposes: given.purposes,
            key: given.key,
            window: given.window,
            added: terms.height,
            state: KeyState::Active,
            entries: 1,
        };
        writes.push(Write::Key(id, index, record));
        writes.push(Write::KeyEntry(id, index, 1, entry(terms, KeyChange::Added, writer)));
    }
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
    // A key that the institution ever had never comes back: it may have been retired or compromised.
    let (mut known, mut first) = (0_usize, None);
    for index in (0..target.institution.facts.keys).map(KeyIndex::new) {
        let missing = StoreError::Corrupt { what: "institution key (missing)" };
        let record = state.key(target.id, index)?.ok_or(missing)?;
        if add.keys.iter().any(|given| given.key == record.key) {
            known = known.saturating_add(1);
            first.get_or_insert((index, record.added));
        }
    }
    if let Some((key, height)) = first {
        let retried = known == add.keys.len();
        return Err(if retried { Rejection::AlreadyExists { height } } else { Rejection::KeyExists { key } }.into());
    }
    let mut writes = added(terms, target.id, &mut target.institution.facts, target.writer, &add.keys)?;
    writes.push(Write::Institution(target.id, target.institution));
    Ok(writes)
}

/// A key with one more history entry.
fn changed(
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
    record.state = KeyState::Retired { at: terms.height };
    Ok(changed(terms, &target, key, record, KeyChange::Retired)?.into())
}

pub(super) fn check_compromise<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    mut target: Target,
    compromise: &KeyCompromise,
) -> Result<Vec<Write>, CheckError> {
    let key = compromise.key;
    let record = state.key(target.id, key)?.ok_or(Rejection::UnknownInstitutionKey { key })?;
    // An institution may void nothing that was written before, not even in the same block: a stolen administrating key
    // could void all that it issues.
    let (earliest, latest, may_correct) = match target.writer {
        Writer::Institution { .. } => (terms.height.next(), terms.height.next(), false),
        Writer::Authority { .. } => (record.added, terms.height, true),
    };
    let from = if compromise.from == Height::new(0) { latest } else { compromise.from };
    if from < earliest || from > latest {
        return Err(Rejection::CompromiseHeightInvalid { from, earliest, latest }.into());
    }
    let facts = &mut target.institution.facts;
    if facts.compromised_from(key).is_some_and(|present| !may_correct || present == from) {
        return Err(Rejection::AlreadyExists { height: declared(state, target.id, key, &record)? }.into());
    }
    let mut compromised: Vec<_> = facts.compromised.iter().copied().filter(|entry| entry.key != key).collect();
    compromised.push(CompromisedKey { key, from });
    compromised.sort_by_key(|entry| entry.key);
    facts.compromised =
        List::new(compromised).map_err(|_| Rejection::CompromisedListFull { limit: COMPROMISED_KEYS_MAX })?;
    let mut writes: Vec<_> = changed(terms, &target, key, record, KeyChange::Compromised { from })?.into();
    writes.push(Write::Institution(target.id, target.institution));
    Ok(writes)
}

/// The block that wrote what holds about a compromised key.
fn declared<R: NodeReader>(
    state: &Overlay<'_, R>,
    id: InstitutionId,
    key: KeyIndex,
    record: &KeyRecord,
) -> Result<Height, StoreError> {
    let missing = StoreError::Corrupt { what: "key history (missing)" };
    for number in (1..=record.entries).rev() {
        let entry = state.view().key_entry(id, key, number)?.ok_or_else(|| missing.clone())?;
        if matches!(entry.change, KeyChange::Compromised { .. }) {
            return Ok(entry.height);
        }
    }
    Err(missing)
}
