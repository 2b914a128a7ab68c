//! Whether the registers commit exactly the records that are stored: every register is built again, by the textbook, from
//! the plain rows, and its root compared with what the header commits.

use std::collections::BTreeMap;

use sigeli_ledger::state::Institution;
use sigeli_verifier::{
    decode::Decode as _,
    ids::{RegisterKey, RegisterRoot},
    register::{self, leaf, node},
    state::{InstitutionRegisters, StateRoots},
};

use crate::support::*;

type Entries = BTreeMap<RegisterKey, Vec<u8>>;

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

fn root(entries: Option<&Entries>) -> RegisterRoot {
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

pub(crate) fn assert_registers_commit_records(world: &World) {
    let mut registers = BTreeMap::<(u8, Vec<u8>), Entries>::new();
    let mut institutions = BTreeMap::new();
    for (row, value) in world.medium().entries() {
        let (kind, rest) = (row[0], &row[1..]);
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
    assert_eq!(roots.root(), world.chain.state_root());
}

#[test]
fn registers_commit_exactly_the_records() {
    assert_registers_commit_records(&World::new(policy()));
    assert_registers_commit_records(&crate::replay::story());
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
