//! Registers as textbook trees: slow, recursive, obviously right.

use std::collections::BTreeMap;

use sigeli_verifier::{
    ids::{RegisterKey, RegisterRoot, ValueHash},
    proof::{AbsenceProof, EntryProof, PrefixProof, PrefixTerminal, RegisterEntry},
    register::{self, AbsenceTerminal, RegisterPath, RegisterPrefix},
};

/// A register: values by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    pub(crate) entries: BTreeMap<Vec<u8>, Vec<u8>>,
}

type Leaf = (RegisterKey, ValueHash);

fn hash(leaves: &[Leaf], depth: u16) -> [u8; 32] {
    match leaves {
        [] => [0; 32],
        [(key, value)] => register::leaf(key, value),
        _ => {
            let (left, right) = split(leaves, depth);
            register::node(&hash(left, depth + 1), &hash(right, depth + 1))
        }
    }
}

fn split(leaves: &[Leaf], depth: u16) -> (&[Leaf], &[Leaf]) {
    leaves.split_at(leaves.partition_point(|(key, _)| !register::bit(key, depth)))
}

impl Tree {
    pub(crate) fn set(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.entries.insert(name, value);
    }

    fn leaves(&self) -> Vec<Leaf> {
        let hashed = self.entries.iter().map(|(name, value)| (register::key(name), register::value_hash(value)));
        let mut leaves: Vec<_> = hashed.collect();
        leaves.sort();
        leaves
    }

    pub(crate) fn root(&self) -> RegisterRoot {
        RegisterRoot::new(hash(&self.leaves(), 0))
    }

    /// Walks along a key until at most one leaf is left, or `depth` levels deep.
    fn walk(&self, key: &RegisterKey, depth_max: u16) -> (Vec<Leaf>, RegisterPath) {
        let all = self.leaves();
        let mut leaves = all.as_slice();
        let mut siblings = Vec::new();
        let mut depth = 0;
        while leaves.len() > 1 && depth < depth_max {
            let (left, right) = split(leaves, depth);
            let (here, there) = if register::bit(key, depth) { (right, left) } else { (left, right) };
            depth += 1;
            let sibling = hash(there, depth);
            siblings.push((sibling != [0; 32]).then_some(sibling));
            leaves = here;
        }
        siblings.reverse();
        (leaves.to_vec(), RegisterPath::new(siblings).unwrap())
    }

    pub(crate) fn path(&self, name: &[u8]) -> RegisterPath {
        self.walk(&register::key(name), 256).1
    }

    /// What the register says about a name.
    pub(crate) fn prove(&self, name: &[u8]) -> EntryProof {
        let key = register::key(name);
        let (leaves, path) = self.walk(&key, 256);
        if let Some(value) = self.entries.get(name) {
            return EntryProof::present(value.clone(), path).unwrap();
        }
        EntryProof::Absent(AbsenceProof { terminal: terminal(&leaves), path })
    }

    /// The entries whose keys begin with a prefix, in order of key, and the proof.
    pub(crate) fn prefix(&self, prefix: RegisterPrefix) -> (Vec<RegisterEntry>, PrefixProof) {
        let mut found: Vec<_> =
            self.entries.iter().map(|(name, value)| RegisterEntry::new(name.clone(), value.clone()).unwrap()).collect();
        found.retain(|entry| prefix.contains(&entry.key()));
        found.sort_by_key(RegisterEntry::key);
        let (leaves, path) = self.walk(&prefix.first_key(), prefix.depth());
        let terminal =
            if found.is_empty() { PrefixTerminal::Absent(terminal(&leaves)) } else { PrefixTerminal::Entries };
        (found, PrefixProof { terminal, path })
    }
}

fn terminal(leaves: &[Leaf]) -> AbsenceTerminal {
    match leaves {
        [] => AbsenceTerminal::Empty,
        [(key, value)] => AbsenceTerminal::Other { key: *key, value: *value },
        _ => unreachable!("a walk ends with at most one leaf"),
    }
}
