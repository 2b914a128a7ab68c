//! Registers as the protocol defines them: recursive, over whole lists, without any code of the crate under test.

use std::collections::BTreeMap;

use sigeli_verifier::{
    ids::{RegisterKey, RegisterRoot, ValueHash},
    proof::{AbsenceProof, EntryProof, PrefixProof, PrefixTerminal},
    register::{AbsenceTerminal, RegisterPath, RegisterPrefix},
};

pub(crate) type Hash = [u8; 32];

pub(crate) fn derive(name: &str, parts: &[&[u8]]) -> Hash {
    blake3::derive_key(&format!("ge.microcredential.ledger 2026-11 v1 {name}"), &parts.concat())
}

pub(crate) fn bit(key: &Hash, depth: usize) -> bool {
    key[depth / 8] >> (7 - depth % 8) & 1 == 1
}

pub(crate) fn subtree(entries: &[(Hash, Hash)], depth: usize) -> Hash {
    match entries {
        [] => [0; 32],
        [(key, value)] => derive("register leaf", &[key, value]),
        many => {
            let (left, right): (Vec<_>, Vec<_>) = many.iter().partition(|(key, _)| !bit(key, depth));
            derive("register node", &[&subtree(&left, depth + 1), &subtree(&right, depth + 1)])
        }
    }
}

/// A register as a plain list of names and values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Register(pub(crate) BTreeMap<Vec<u8>, Vec<u8>>);

impl Register {
    pub(crate) fn insert(&mut self, name: &[u8], value: &[u8]) {
        self.0.insert(name.to_vec(), value.to_vec());
    }

    pub(crate) fn hashed(&self) -> Vec<(Hash, Hash)> {
        let hash = |(name, value): (&Vec<u8>, &Vec<u8>)| key_and_value(name, value);
        let mut hashed: Vec<_> = self.0.iter().map(hash).collect();
        hashed.sort_unstable();
        hashed
    }

    pub(crate) fn root(&self) -> RegisterRoot {
        RegisterRoot::new(subtree(&self.hashed(), 0))
    }

    /// The siblings along `key` down to `depth_max` or to the first subtree of less than two entries, and what it holds.
    pub(crate) fn descend(&self, key: &Hash, depth_max: usize) -> (RegisterPath, Vec<(Hash, Hash)>) {
        let mut entries = self.hashed();
        let mut siblings = vec![];
        while entries.len() > 1 && siblings.len() < depth_max {
            let depth = siblings.len();
            let (on, off): (Vec<_>, Vec<_>) =
                entries.into_iter().partition(|(other, _)| bit(other, depth) == bit(key, depth));
            siblings.push(subtree(&off, depth + 1));
            entries = on;
        }
        siblings.reverse();
        let siblings = siblings.iter().map(|sibling| (*sibling != [0; 32]).then_some(*sibling)).collect();
        (RegisterPath::new(siblings).unwrap(), entries)
    }

    pub(crate) fn prove(&self, name: &[u8]) -> EntryProof {
        let key = derive("register key", &[name]);
        let (path, found) = self.descend(&key, 256);
        match (self.0.get(name), found.as_slice()) {
            (Some(value), _) => EntryProof::present(value.clone(), path).unwrap(),
            (None, found) => EntryProof::Absent(AbsenceProof { terminal: terminal(found), path }),
        }
    }

    pub(crate) fn path(&self, name: &[u8]) -> RegisterPath {
        self.descend(&derive("register key", &[name]), 256).0
    }

    pub(crate) fn prove_prefix(&self, prefix: RegisterPrefix) -> PrefixProof {
        let (path, found) = self.descend(&prefix.first_key().get(), prefix.length().into());
        let terminal = match found.as_slice() {
            [] => PrefixTerminal::Absent(AbsenceTerminal::Empty),
            [(key, _)] if !begins(key, prefix) => PrefixTerminal::Absent(terminal(&found)),
            _ => PrefixTerminal::Entries,
        };
        PrefixProof { terminal, path }
    }

    /// Names and values of the entries that begin with a prefix, in order of key.
    pub(crate) fn under(&self, prefix: RegisterPrefix) -> Vec<Entry> {
        let mut found: Vec<_> = self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        found.retain(|(name, _)| begins(&derive("register key", &[name]), prefix));
        sort(&mut found);
        found
    }
}

pub(crate) type Entry = (Vec<u8>, Vec<u8>);

pub(crate) fn sort(entries: &mut [Entry]) {
    entries.sort_by_key(|(name, _)| derive("register key", &[name]));
}

pub(crate) fn key_and_value(name: &[u8], value: &[u8]) -> (Hash, Hash) {
    (derive("register key", &[name]), derive("register value", &[value]))
}

pub(crate) fn begins(key: &Hash, prefix: RegisterPrefix) -> bool {
    let length: usize = prefix.length().into();
    (0..length).all(|depth| bit(key, depth) == (prefix.bits() >> (15 - depth) & 1 == 1))
}

pub(crate) fn terminal(found: &[(Hash, Hash)]) -> AbsenceTerminal {
    match found {
        [(key, value)] => AbsenceTerminal::Other { key: RegisterKey::new(*key), value: ValueHash::new(*value) },
        _ => AbsenceTerminal::Empty,
    }
}
