//! Whether the registers commit exactly the records that are stored: every register is built again, by the textbook, from
//! the plain rows, and its root compared with what the header commits.

use std::collections::BTreeMap;

use sigeli_ledger::state::Institution;
use sigeli_verifier::{
    decode::Decode,
    encode::Encode as _,
    ids::{Height, KeyIndex, PermissionId, RegisterKey, RegisterRoot, StateRoot, TimeMs},
    record::{
        BatchChange, BatchRecord, BatchStatus, InstitutionEntry, InstitutionState, KeyChange, KeyEntry, KeyRecord,
        KeyState, PermissionEntry, PermissionRecord, PermissionState, ProgrammeRecord, StatusRecord, Writer,
        standing_on,
    },
    register::{self, leaf, node},
    state::{InstitutionRegisters, StateRoots},
    time::Day,
};

use crate::support::*;

pub(crate) type Entries = BTreeMap<RegisterKey, Vec<u8>>;

/// The textbook: the hash of the entries that share the first `depth` bits.
fn textbook(entries: &[(&RegisterKey, &Vec<u8>)], depth: usize) -> [u8; 32] {
    match entries {
        [] => [0; 32],
        [(key, value)] => leaf(key, &register::value_hash(value)),
        _ => {
            let is_right = |key: &RegisterKey| key.as_bytes()[depth / 8] >> (7 - depth % 8) & 1 == 1;
            let (right, left): (Vec<_>, Vec<_>) = entries.iter().copied().partition(|(key, _)| is_right(key));
            node(&textbook(&left, depth + 1), &textbook(&right, depth + 1))
        }
    }
}

pub(crate) fn root(entries: Option<&Entries>) -> RegisterRoot {
    let entries: Vec<_> = entries.into_iter().flatten().collect();
    RegisterRoot::new(textbook(&entries, 0))
}

/// A register entry's name from its row's: a tag, then the rest with numbers in little-endian order.
fn named(tag: Option<u8>, parts: &[&[u8]]) -> RegisterKey {
    register::key(&[tag.as_slice(), &parts.concat()].concat())
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

/// Plain rows by key.
pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn assert_registers_commit_records(world: &World) {
    assert_rows_are_committed(&world.medium().entries(), world.chain.state_root());
}

pub(crate) fn assert_rows_are_committed(rows: &Rows, state_root: StateRoot) {
    let mut registers = BTreeMap::<(u8, Vec<u8>), Entries>::new();
    let mut institutions = BTreeMap::new();
    for (row, value) in rows {
        let (kind, rest, value) = (row[0], &row[1..], value.clone());
        if kind == b'g' {
            registers.entry((b'g', vec![])).or_default().insert(register::key(rest), value);
            continue;
        }
        if matches!(kind, b'r' | b'n' | b'x' | b'c' | b'a' | b'u') {
            continue;
        }
        let (owner, name) = rest.split_at(4);
        let (register, key) = match kind {
            b'i' => {
                institutions.insert(owner.to_vec(), Institution::from_bytes(&value).unwrap());
                continue;
            }
            b'j' => ((b'i', vec![]), named(None, &[&reversed(owner), &reversed(name)])),
            b'b' => ((b'b', vec![]), named(None, &[&reversed(owner), name])),
            b'd' => ((b'b', vec![]), named(None, &[&reversed(owner), &name[..32], &reversed(&name[32..])])),
            b'k' => ((b'k', owner.to_vec()), named(Some(1), &[&reversed(name)])),
            b'm' => ((b'k', owner.to_vec()), named(Some(2), &[&reversed(&name[..2]), &reversed(&name[2..])])),
            b'y' => ((b'k', owner.to_vec()), named(Some(3), &[name])),
            b'z' => ((b'k', owner.to_vec()), named(Some(4), &[])),
            b'p' => ((b'p', owner.to_vec()), named(Some(1), &[&reversed(name)])),
            b'q' => ((b'p', owner.to_vec()), named(Some(2), &[name])),
            b'e' => ((b'p', owner.to_vec()), named(Some(3), &[&reversed(&name[..4]), &reversed(&name[4..])])),
            b'o' => ((b'p', owner.to_vec()), named(Some(4), &[&reversed(name)])),
            b't' => ((b'p', owner.to_vec()), named(Some(5), &[&reversed(name)])),
            b's' => ((b's', owner.to_vec()), named(Some(1), &[name])),
            b'h' => ((b's', owner.to_vec()), named(Some(2), &[&name[..32], &reversed(&name[32..])])),
            other => panic!("a row of the unknown kind {other}"),
        };
        assert_eq!(registers.entry(register).or_default().insert(key, value), None);
    }
    let mut committed = registers.remove(&(b'i', vec![])).unwrap_or_default();
    for (owner, institution) in &institutions {
        let of = |kind: u8| root(registers.get(&(kind, owner.clone())));
        let own = InstitutionRegisters { keys: of(b'k'), permissions: of(b'p'), statuses: of(b's') };
        assert_eq!(institution.registers, own);
        committed.insert(named(None, &[&reversed(owner)]), institution.facts.value(&own.root()));
    }
    let roots = StateRoots {
        institutions: root(Some(&committed)),
        batches: root(registers.get(&(b'b', vec![]))),
        governance: root(registers.get(&(b'g', vec![]))),
    };
    assert_eq!(roots.root(), state_root);
}

/// Rows of a kind under an owner, keyed by what follows: owner and rest of the key.
fn rows_of<T: Decode>(rows: &Rows, kind: u8) -> BTreeMap<Vec<u8>, T> {
    let of_kind = rows.iter().filter(|(row, _)| row[0] == kind);
    of_kind.map(|(row, value)| (row[1..].to_vec(), T::from_bytes(value).unwrap())).collect()
}

/// Takes the history of one head out of all histories: its entries 1, 2, ... without a gap, in ascending order of place.
fn take_history<T>(
    histories: &mut BTreeMap<Vec<u8>, T>,
    head: &[u8],
    entries: u32,
    place: impl Fn(&T) -> (Height, TimeMs),
) -> Vec<T> {
    let mut number = |number: u32| histories.remove(&[head, &number.to_be_bytes()].concat());
    let history: Vec<_> = (1..=entries).map(|entry| number(entry).expect("no entry is missing")).collect();
    assert!(number(0).is_none() && number(entries + 1).is_none(), "no entry is too many");
    assert!(history.is_sorted_by(|left, right| place(left) <= place(right)), "entries come in the order of blocks");
    history
}

/// Every record's history is whole: all its entries are there, none else, in order, and the last says what the head says.
pub(crate) fn assert_histories_are_whole(rows: &Rows) {
    let institutions = rows_of::<Institution>(rows, b'i');
    assert_institutions_are_told(rows, &institutions);
    assert_keys_are_told(rows, &institutions);
    assert_permissions_are_told(rows);
    assert_batches_are_told(rows, &institutions);
    let mut entries = rows_of::<StatusRecord>(rows, b'h');
    for (key, head) in rows_of::<StatusRecord>(rows, b's') {
        let history = take_history(&mut entries, &key, head.entries, |entry| (entry.height, entry.time));
        assert_eq!(history.last(), Some(&head));
        assert!((1..).zip(&history).all(|(number, entry)| entry.entries == number));
    }
    assert!(entries.is_empty(), "no history is without a head");
}

fn assert_institutions_are_told(rows: &Rows, institutions: &BTreeMap<Vec<u8>, Institution>) {
    let mut entries = rows_of::<InstitutionEntry>(rows, b'j');
    let programmes = rows_of::<ProgrammeRecord>(rows, b'o');
    for (id, Institution { facts, .. }) in institutions {
        let history = take_history(&mut entries, id, facts.entries, |entry| (entry.height, entry.time));
        let (first, last) = (&history[0], history.last().unwrap());
        assert_eq!((first.height, first.state), (facts.registered, InstitutionState::Active));
        assert_eq!((last.kind, &last.name_ka, &last.name_en), (facts.kind, &facts.name_ka, &facts.name_en));
        assert_eq!((last.jurisdiction, &last.legal_id), (facts.jurisdiction, &facts.legal_id));
        assert_eq!(last.state, facts.state);
        let numbers: Vec<_> =
            programmes.keys().filter(|key| key.starts_with(id)).map(|key| number(&key[4..])).collect();
        assert!(numbers.into_iter().eq(1..=facts.programmes));
    }
    assert!(entries.is_empty(), "no history is without a head");
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn assert_keys_are_told(rows: &Rows, institutions: &BTreeMap<Vec<u8>, Institution>) {
    let mut entries = rows_of::<KeyEntry>(rows, b'm');
    let keys = rows_of::<KeyRecord>(rows, b'k');
    let mut indexes = rows_of::<u16>(rows, b'y');
    let mut usable: BTreeMap<_, u16> = institutions.keys().map(|id| (id.clone(), 0)).collect();
    for (id, Institution { facts, .. }) in institutions {
        let numbers: Vec<_> = keys.keys().filter(|key| key.starts_with(id)).map(|key| number(&key[4..])).collect();
        assert!(numbers.into_iter().eq(0..u32::from(facts.keys)));
    }
    for (key, head) in &keys {
        let history = take_history(&mut entries, key, head.entries, |entry| (entry.height, entry.time));
        assert_eq!((history[0].change, history[0].height), (KeyChange::Added, head.added));
        // A key ends with its retirement, or with its institution's own word that it is compromised.
        let own = |entry: &KeyEntry| matches!(entry.writer, Writer::Institution { .. });
        let ends = |entry: &KeyEntry| match entry.change {
            KeyChange::Retired => true,
            KeyChange::Compromised { from } => own(entry) && from == entry.height.next(),
            KeyChange::Added | KeyChange::Cleared => false,
        };
        let ended = history.iter().find(|entry| ends(entry)).map(|entry| entry.height);
        match head.state {
            KeyState::Active => assert_eq!(ended, None),
            KeyState::Retired { at } => assert_eq!(ended, Some(at)),
        }
        assert!(history.iter().filter(|entry| entry.change == KeyChange::Retired).count() <= 1);
        // The institution's record holds the agency's newest word, and nothing that it took back.
        let said = history.iter().rev().find_map(|entry| match entry.change {
            KeyChange::Compromised { from } if !own(entry) => Some(Some(from)),
            KeyChange::Cleared => Some(None),
            _ => None,
        });
        let index = u16::try_from(number(&key[4..])).unwrap();
        let void = institutions[&key[..4]].facts.compromised_from(KeyIndex::new(index));
        assert_eq!(void, said.flatten());
        let place = [&key[..4], &head.key.to_bytes()].concat();
        assert_eq!(indexes.remove(&place), Some(index), "a key is found by its bytes");
        if head.state == KeyState::Active && void.is_none() {
            *usable.entry(key[..4].to_vec()).or_default() += 1;
        }
        assert!(history[1..].iter().all(|entry| entry.change != KeyChange::Added));
    }
    assert!(entries.is_empty(), "no history is without a head");
    assert!(indexes.is_empty(), "no index is without a key");
    assert_eq!(rows_of::<u16>(rows, b'z'), usable);
}

fn assert_permissions_are_told(rows: &Rows) {
    let mut entries = rows_of::<PermissionEntry>(rows, b'e');
    let permissions = rows_of::<PermissionRecord>(rows, b'p');
    // Older permissions come before those that take their place.
    let mut told = BTreeMap::<Vec<u8>, Vec<PermissionState>>::new();
    for (key, head) in &permissions {
        let history = take_history(&mut entries, key, head.entries, |entry| (entry.height, entry.time));
        let (first, last) = (&history[0], history.last().unwrap());
        assert_eq!((first.state, first.effective), (PermissionState::Active, head.window.first()));
        assert_eq!((first.height, first.decision, first.authority), (head.granted, head.decision, head.authority));
        // The head tells what stands on the day of the newest entry and on all later ones.
        let written = Day::of(last.time);
        for day in (written.get()..written.get() + 400).map(Day::new) {
            let told = head.standing.on(day).map(|known| (known.effective, known.state, known.reason));
            let replayed = standing_on(&history, day).map(|entry| (entry.effective, entry.state, entry.reason));
            assert_eq!(told, replayed);
        }
        // What took its place was granted to that end, or gave it the place before and took it back.
        let named = history.iter().filter_map(|entry| match entry.state {
            PermissionState::Replaced { by } | PermissionState::Restored { by } => Some(by),
            _ => None,
        });
        for by in named {
            let other = &permissions[&[&key[..4], &by.get().to_be_bytes()].concat()];
            assert!(other.predecessor.get() == number(&key[4..]) || head.predecessor == by);
        }
        if head.predecessor.get() > 0 {
            let before = [&key[..4], &head.predecessor.get().to_be_bytes()].concat();
            let by = PermissionId::new(number(&key[4..]));
            let known = &told[&before];
            assert!(
                known.iter().any(|state| {
                    [PermissionState::Replaced { by }, PermissionState::Restored { by }].contains(state)
                })
            );
        }
        told.insert(key.clone(), history.iter().map(|entry| entry.state).collect::<Vec<_>>());
    }
    assert!(entries.is_empty(), "no history is without a head");
}

fn assert_batches_are_told(rows: &Rows, institutions: &BTreeMap<Vec<u8>, Institution>) {
    let mut entries = rows_of::<BatchChange>(rows, b'd');
    let batches = rows_of::<BatchRecord>(rows, b'b');
    let (mut by_sequence, mut by_accreditation) = (BTreeMap::new(), BTreeMap::new());
    for (key, head) in &batches {
        let newest = match head.status {
            BatchStatus::Valid => None,
            BatchStatus::Changed(change) => Some(change),
        };
        let written = newest.map_or(0, |change| change.entries);
        let history = take_history(&mut entries, key, written, |entry| (entry.height, entry.time));
        assert_eq!(history.last(), newest.as_ref());
        assert!((1..).zip(&history).all(|(number, entry)| entry.entries == number));
        let (id, root) = key.split_at(4);
        by_sequence.insert([id, &head.sequence.get().to_be_bytes()].concat(), root.to_vec());
        let accreditation = [id, &head.accreditation.get().to_be_bytes()].concat();
        let number = head.accreditation_sequence.get();
        by_accreditation.insert([&accreditation[..], &number.to_be_bytes()].concat(), root.to_vec());
    }
    assert!(entries.is_empty(), "no history is without a head");
    // Numbers are given once, without a gap, and lists by number are exactly the batches.
    let plain = |kind: u8| -> Rows {
        rows.iter().filter(|(row, _)| row[0] == kind).map(|(row, value)| (row[1..].to_vec(), value.clone())).collect()
    };
    assert_eq!(by_sequence, plain(b'c'));
    assert_eq!(by_accreditation, plain(b'a'));
    for (id, institution) in institutions {
        let numbers = by_sequence.keys().filter(|key| key.starts_with(id)).map(|key| number(&key[4..]));
        assert!(numbers.eq(1..=institution.facts.batches));
    }
    let mut tallied = 0;
    for (permission, tally) in rows_of::<u32>(rows, b't') {
        let numbers = by_accreditation.keys().filter(|key| key.starts_with(&permission)).map(|key| number(&key[8..]));
        assert!(numbers.eq(1..=tally));
        tallied += tally;
    }
    assert_eq!(usize::try_from(tallied).unwrap(), batches.len());
}

#[test]
fn registers_commit_exactly_the_records() {
    assert_registers_commit_records(&World::new(policy()));
    assert_registers_commit_records(&crate::replay::story());
}

#[test]
fn every_history_is_whole() {
    let rows = crate::replay::story().medium().entries();
    assert_histories_are_whole(&rows);
    // Without one of a history's rows, or with one more, it is not.
    let is_whole = |rows: &Rows| std::panic::catch_unwind(|| assert_histories_are_whole(rows)).is_ok();
    for kind in b"jmedh" {
        let row = rows.keys().find(|row| row[0] == *kind).unwrap().clone();
        let mut damaged = rows.clone();
        let value = damaged.remove(&row).unwrap();
        assert!(!is_whole(&damaged), "without {row:?}");
        damaged.insert(row.clone(), value.clone());
        let mut next = row.clone();
        *next.last_mut().unwrap() += 9;
        damaged.insert(next, value);
        assert!(!is_whole(&damaged), "with a stray row beside {row:?}");
    }
}

#[test]
#[should_panic(expected = "left == right")]
fn a_planted_record_is_noticed() {
    let world = crate::replay::story();
    let (row, mut value) = world.medium().entries().into_iter().find(|(row, _)| row[0] == b's').unwrap();
    *value.last_mut().unwrap() ^= 1;
    world.medium().plant(row, Some(value));
    assert_registers_commit_records(&world);
}
