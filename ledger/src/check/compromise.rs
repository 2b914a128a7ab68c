//! The rules under which keys are declared compromised, and under which that is taken back.
//!
//! Only the quality agency voids what keys signed: its declarations stand in the institution's record, as at most 16
//! ranges of keys, and its newest word on a key holds. An institution's own declaration retires the key and takes no place
//! in that list, so that whoever stole an administrating key can neither void the institution's past nor fill the list.

use alloc::vec::Vec;

use sigeli_verifier::{
    bounded::List,
    ids::{Height, InstitutionId, KeyIndex},
    params::COMPROMISED_RANGES_MAX,
    record::{CompromisedKeys, InstitutionFacts, KeyChange, KeyRecord, KeyState, Writer},
    transaction::{KeyClear, KeyCompromise},
};

use super::{
    Target, Terms,
    keys::{changed, is_usable, one_less, use_changes},
};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
    store::StoreError,
    tree::NodeReader,
};

pub(super) fn check_compromise<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: Target,
    compromise: &KeyCompromise,
) -> Result<Vec<Write>, CheckError> {
    match target.writer {
        Writer::Institution { .. } => check_own(state, terms, &target, compromise),
        Writer::Authority { .. } => check_ordered(state, terms, target, compromise),
    }
}

/// The institution retires one key, and says why. It may void nothing that was written before, not even in the same block:
/// a stolen administrating key could void all that it issues.
fn check_own<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: &Target,
    compromise: &KeyCompromise,
) -> Result<Vec<Write>, CheckError> {
    let KeyCompromise { first: key, last, .. } = *compromise;
    if key != last {
        return Err(Rejection::KeyRangeInvalid { first: key, last }.into());
    }
    let mut record = state.key(target.id, key)?.ok_or(Rejection::UnknownInstitutionKey { key })?;
    let next = terms.height.next();
    let from = given_height(compromise, next, next)?;
    let facts = &target.institution.facts;
    if let Some(height) = declared(state, target.id, facts, key, &record)? {
        return Err(Rejection::AlreadyExists { height }.into());
    }
    let used = use_changes(state, terms, target.id, target.writer, 1)?;
    let less = is_usable(facts, key, &record).then(|| one_less(state, target.id)).transpose()?;
    if record.state == KeyState::Active {
        record.state = KeyState::Retired { at: terms.height };
    }
    let mut writes: Vec<_> = changed(terms, target, key, record, KeyChange::Compromised { from })?.into();
    writes.extend(less);
    writes.extend(used);
    Ok(writes)
}

/// The quality agency voids what a range of keys signed from a height on.
fn check_ordered<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: Target,
    compromise: &KeyCompromise,
) -> Result<Vec<Write>, CheckError> {
    let KeyCompromise { first, last, .. } = *compromise;
    let facts = &target.institution.facts;
    check_range(facts, first, last)?;
    let record = key(state, target.id, first)?;
    // Keys are numbered as they are added, so that the first of them is the oldest.
    let from = given_height(compromise, record.added, terms.height)?;
    let ranges = with(&facts.compromised, first, last, Some(from));
    if *ranges == *facts.compromised {
        let missing = StoreError::Corrupt { what: "key history (missing)" };
        let height = declared(state, target.id, facts, first, &record)?.ok_or(missing)?;
        return Err(Rejection::AlreadyExists { height }.into());
    }
    rewrite(state, terms, target, (first, last), ranges, KeyChange::Compromised { from })
}

/// The quality agency takes back what it declared about keys.
pub(super) fn check_clear<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: Target,
    clear: &KeyClear,
) -> Result<Vec<Write>, CheckError> {
    let KeyClear { first, last, .. } = *clear;
    let facts = &target.institution.facts;
    check_range(facts, first, last)?;
    let ranges = with(&facts.compromised, first, last, None);
    if *ranges == *facts.compromised {
        return Err(Rejection::KeysNotCompromised { first, last }.into());
    }
    rewrite(state, terms, target, (first, last), ranges, KeyChange::Cleared)
}

/// A range of keys that the institution has.
fn check_range(facts: &InstitutionFacts, first: KeyIndex, last: KeyIndex) -> Result<(), Rejection> {
    if first > last {
        return Err(Rejection::KeyRangeInvalid { first, last });
    }
    if last.get() >= facts.keys {
        return Err(Rejection::UnknownInstitutionKey { key: last });
    }
    Ok(())
}

/// The height from which keys are to be void; 0 stands for the latest allowed.
fn given_height(compromise: &KeyCompromise, earliest: Height, latest: Height) -> Result<Height, Rejection> {
    let from = if compromise.from == Height::new(0) { latest } else { compromise.from };
    if from < earliest || from > latest {
        return Err(Rejection::CompromiseHeightInvalid { from, earliest, latest });
    }
    Ok(from)
}

fn key<R: NodeReader>(state: &Overlay<'_, R>, id: InstitutionId, index: KeyIndex) -> Result<KeyRecord, StoreError> {
    state.key(id, index)?.ok_or(StoreError::Corrupt { what: "institution key (missing)" })
}

/// The institution's record with another list, a history entry for each key of the range about which the list says
/// something else than before, and the number of usable keys.
fn rewrite<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    mut target: Target,
    (first, last): (KeyIndex, KeyIndex),
    ranges: Vec<CompromisedKeys>,
    change: KeyChange,
) -> Result<Vec<Write>, CheckError> {
    let full = Rejection::CompromisedListFull { limit: COMPROMISED_RANGES_MAX };
    let before = target.institution.facts.clone();
    target.institution.facts.compromised = List::new(ranges).map_err(|_| full)?;
    let after = &target.institution.facts;
    let (mut writes, mut were, mut are) = (Vec::new(), 0_u16, 0_u16);
    for index in (first.get()..=last.get()).map(KeyIndex::new) {
        if before.compromised_from(index) == after.compromised_from(index) {
            continue;
        }
        let record = key(state, target.id, index)?;
        were = were.saturating_add(is_usable(&before, index, &record).into());
        are = are.saturating_add(is_usable(after, index, &record).into());
        writes.extend(changed(terms, &target, index, record, change)?);
    }
    let corrupt = StoreError::Corrupt { what: "number of usable keys" };
    let others = state.view().usable_keys(target.id)?.checked_sub(were).ok_or_else(|| corrupt.clone())?;
    let usable = others.checked_add(are).ok_or(corrupt)?;
    writes.push(Write::UsableKeys(target.id, usable));
    writes.push(Write::Institution(target.id, target.institution));
    Ok(writes)
}

/// The list with another word, or none, on a range of keys: what it said about them is cut out, and neighbours that say the
/// same are joined.
fn with(present: &[CompromisedKeys], first: KeyIndex, last: KeyIndex, from: Option<Height>) -> Vec<CompromisedKeys> {
    let mut parts = Vec::with_capacity(present.len().saturating_add(2));
    for range in present {
        if range.first < first {
            let before = KeyIndex::new(first.get().saturating_sub(1));
            parts.push(CompromisedKeys { last: range.last.min(before), ..*range });
        }
        if range.last > last {
            let after = KeyIndex::new(last.get().saturating_add(1));
            parts.push(CompromisedKeys { first: range.first.max(after), ..*range });
        }
    }
    parts.extend(from.map(|from| CompromisedKeys { first, last, from }));
    parts.sort_by_key(|range| range.first);
    let mut joined = Vec::<CompromisedKeys>::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(before) if before.from == part.from && before.last.get().checked_add(1) == Some(part.first.get()) => {
                before.last = part.last;
            }
            _ => joined.push(part),
        }
    }
    joined
}

/// The block of the declaration that holds about a key: the agency's if the key is listed, else the institution's own.
fn declared<R: NodeReader>(
    state: &Overlay<'_, R>,
    id: InstitutionId,
    facts: &InstitutionFacts,
    index: KeyIndex,
    record: &KeyRecord,
) -> Result<Option<Height>, StoreError> {
    let listed = facts.compromised_from(index).is_some();
    for number in (1..=record.entries).rev() {
        let missing = StoreError::Corrupt { what: "key history (missing)" };
        let entry = state.view().key_entry(id, index, number)?.ok_or(missing)?;
        let own = matches!(entry.writer, Writer::Institution { .. });
        if matches!(entry.change, KeyChange::Compromised { .. }) && (listed || own) {
            return Ok(Some(entry.height));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a list says about each of the first nine keys.
    fn said(ranges: &[CompromisedKeys]) -> [Option<u64>; 9] {
        core::array::from_fn(|index| {
            let index = KeyIndex::new(u16::try_from(index).unwrap());
            ranges.iter().find(|range| range.contains(index)).map(|range| range.from.get())
        })
    }

    /// Every list that three declarations or revocations over nine keys lead to says what a plain array says, in the one
    /// form that is allowed.
    #[test]
    fn ranges_say_what_a_plain_array_says() {
        let mut lists = 0_u32;
        let steps: Vec<_> = (0..9_u16)
            .flat_map(|first| (first..9).map(move |last| (first, last)))
            .filter(|(first, last)| first % 2 == 0 || last % 3 != 0)
            .flat_map(|(first, last)| [None, Some(1_u64), Some(2)].map(|from| (first, last, from)))
            .collect();
        let apply =
            |list: &[CompromisedKeys], plain: &mut [Option<u64>; 9], (first, last, from): (u16, u16, Option<u64>)| {
                plain[usize::from(first)..=usize::from(last)].fill(from);
                with(list, KeyIndex::new(first), KeyIndex::new(last), from.map(Height::new))
            };
        for one in &steps {
            for two in &steps {
                let mut plain = [None; 9];
                let mut list = apply(&[], &mut plain, *one);
                list = apply(&list, &mut plain, *two);
                for three in steps.iter().step_by(5) {
                    let mut plain = plain;
                    let list = apply(&list, &mut plain, *three);
                    assert_eq!(said(&list), plain, "{one:?} {two:?} {three:?}");
                    assert!(CompromisedKeys::is_canonical(&list), "{list:?}");
                    lists += 1;
                }
            }
        }
        assert!(lists > 100_000, "{lists}");
    }

    #[test]
    fn ranges_reach_to_the_last_key_number() {
        let key = KeyIndex::new;
        let all = with(&[], key(0), key(u16::MAX), Some(Height::new(3)));
        let cut = with(&all, key(5), key(5), None);
        let parts: Vec<_> = cut.iter().map(|range| (range.first.get(), range.last.get())).collect();
        assert_eq!(parts, [(0, 4), (6, u16::MAX)]);
        assert_eq!(with(&cut, key(5), key(5), Some(Height::new(3))), all);
        assert!(with(&all, key(0), key(u16::MAX), None).is_empty());
    }
}
