//! What a register says about any key, computed from the entries around it.
//!
//! A node that is asked for one key knows which one. A node that is asked for all entries with a common prefix knows the
//! prefix; the proof for each key is then computed here, and is the same that the node would have given.

use std::collections::HashMap;

use sigeli_verifier::ids::{RegisterKey, ValueHash};
use sigeli_verifier::{
    proof::{PrefixProof, PrefixTerminal},
    register::{self, AbsenceTerminal, EMPTY, RegisterPath, RegisterPrefix},
};

/// A leaf: its key and the hash of its value.
type Leaf = (RegisterKey, ValueHash);

/// A subtree. One that is larger than a leaf holds at least two.
#[derive(Debug)]
enum Node {
    Empty,
    Leaf(Leaf),
    Inner { hash: [u8; 32], children: Box<[Self; 2]> },
}

impl Node {
    fn hash(&self) -> [u8; 32] {
        match self {
            Self::Empty => EMPTY,
            Self::Leaf((key, value)) => register::leaf(key, value),
            Self::Inner { hash, .. } => *hash,
        }
    }

    /// The subtree at `depth` over leaves in ascending order of key, which differ.
    fn over(leaves: &[Leaf], depth: u16) -> Self {
        match leaves {
            [] => Self::Empty,
            [leaf] => Self::Leaf(*leaf),
            _ => {
                let (left, right) = leaves.split_at(leaves.partition_point(|(key, _)| !register::bit(key, depth)));
                let children = [Self::over(left, depth + 1), Self::over(right, depth + 1)];
                let hash = register::node(&children[0].hash(), &children[1].hash());
                Self::Inner { hash, children: Box::new(children) }
            }
        }
    }
}

/// All entries of a register whose keys begin with a prefix, and the way from there to the root. The entries and their
/// proof have been checked against the root by whoever downloaded them.
#[derive(Debug)]
pub(super) struct Cover {
    prefix: RegisterPrefix,
    proof: PrefixProof,
    subtree: Node,
    /// The values of the keys that are of interest.
    values: HashMap<[u8; 32], Vec<u8>>,
}

/// What a register says about a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// Nothing: this stands there.
    Absent(AbsenceTerminal),
    /// This value.
    Present(&'a [u8]),
}

impl Cover {
    /// Takes the entries, in ascending order of key; `values` holds those values that may be asked for.
    pub(super) fn new(
        prefix: RegisterPrefix,
        leaves: &[Leaf],
        values: HashMap<[u8; 32], Vec<u8>>,
        proof: PrefixProof,
    ) -> Self {
        Self { prefix, proof, subtree: Node::over(leaves, prefix.depth()), values }
    }

    /// The prefix.
    pub(super) const fn prefix(&self) -> RegisterPrefix {
        self.prefix
    }

    /// What the register says about a key of this prefix, and the way to the root; `None` when the key is of another prefix,
    /// or present with a value that was not kept.
    pub(super) fn find(&self, key: &RegisterKey) -> Option<(Found<'_>, RegisterPath)> {
        if !self.prefix.contains(key) {
            return None;
        }
        let mut below = Vec::new();
        let mut node = &self.subtree;
        let mut depth = self.prefix.depth();
        while let Node::Inner { children, .. } = node {
            let (here, there) = if register::bit(key, depth) { (1, 0) } else { (0, 1) };
            let sibling = children[there].hash();
            below.push((sibling != EMPTY).then_some(sibling));
            node = &children[here];
            depth += 1;
        }
        below.reverse();
        below.extend_from_slice(self.proof.path.siblings());
        let path = RegisterPath::new(below)?;
        let found = match (node, &self.proof.terminal) {
            (Node::Leaf((other, _)), _) if other == key => Found::Present(self.values.get(key.as_bytes())?),
            (Node::Leaf((other, value)), _) => Found::Absent(AbsenceTerminal::Other { key: *other, value: *value }),
            // Without any entry, the whole prefix is empty, or lies under an entry of another one.
            (_, PrefixTerminal::Absent(terminal)) => Found::Absent(*terminal),
            (_, PrefixTerminal::Entries) => Found::Absent(AbsenceTerminal::Empty),
        };
        Some((found, path))
    }
}

#[cfg(test)]
mod tests {
    use sigeli_verifier::register::value_hash;

    use super::*;

    /// What a node would send for a prefix, and the root, by walking down a whole tree.
    fn prefix_proof(leaves: &[Leaf], prefix: RegisterPrefix) -> PrefixProof {
        let (mut siblings, mut here, mut depth) = (Vec::new(), leaves.to_vec(), 0);
        while here.len() > 1 && depth < prefix.depth() {
            let (right, left): (Vec<_>, Vec<_>) = here.iter().partition(|(key, _)| register::bit(key, depth));
            let (on, off) = if register::bit(&prefix.first_key(), depth) { (right, left) } else { (left, right) };
            depth += 1;
            let sibling = Node::over(&off, depth).hash();
            siblings.push((sibling != EMPTY).then_some(sibling));
            here = on;
        }
        siblings.reverse();
        let terminal = match here[..] {
            [] => PrefixTerminal::Absent(AbsenceTerminal::Empty),
            [(key, value)] if !prefix.contains(&key) => PrefixTerminal::Absent(AbsenceTerminal::Other { key, value }),
            _ => PrefixTerminal::Entries,
        };
        PrefixProof { terminal, path: RegisterPath::new(siblings).unwrap() }
    }

    #[test]
    fn every_key_has_its_proof_whatever_the_prefix() {
        for size in [0_u32, 1, 2, 3, 5, 40, 300] {
            let value = |number: u32| number.to_le_bytes().to_vec();
            let mut leaves: Vec<(Leaf, u32)> = (0..size)
                .map(|number| ((register::key(&number.to_le_bytes()), value_hash(&value(number))), number))
                .collect();
            leaves.sort_unstable();
            let only: Vec<Leaf> = leaves.iter().map(|(leaf, _)| *leaf).collect();
            let root = register::register_root(&only).unwrap();
            for length in [0, 1, 3, 8, 16] {
                for number in 0..size + 50 {
                    let key = register::key(&number.to_le_bytes());
                    let prefix = RegisterPrefix::of(&key, length).unwrap();
                    let within: Vec<_> = leaves.iter().filter(|((key, _), _)| prefix.contains(key)).collect();
                    let values = within.iter().map(|((key, _), number)| (key.get(), value(*number))).collect();
                    let entries: Vec<Leaf> = within.iter().map(|(leaf, _)| *leaf).collect();
                    let cover = Cover::new(prefix, &entries, values, prefix_proof(&only, prefix));
                    let (found, path) = cover.find(&key).unwrap();
                    let computed = match found {
                        Found::Present(found) => {
                            assert!(number < size && found == value(number));
                            path.root_with(&key, &value_hash(found))
                        }
                        Found::Absent(terminal) => {
                            assert!(number >= size);
                            path.root_without(&key, &terminal)
                        }
                    };
                    assert_eq!(computed, Ok(root), "{size} entries, {length} bits, {number}");
                }
            }
        }
    }

    #[test]
    fn a_key_of_another_prefix_has_no_answer() {
        let key = register::key(b"a");
        let prefix = RegisterPrefix::of(&key, 4).unwrap();
        let other = (0_u32..).map(|number| register::key(&number.to_le_bytes())).find(|key| !prefix.contains(key));
        let cover = Cover::new(prefix, &[], HashMap::new(), prefix_proof(&[], prefix));
        assert!(cover.find(&key).is_some());
        assert_eq!(cover.find(&other.unwrap()), None);
    }
}
