//! The trees of `docs/protocol.md`, written as the texts define them: recursive, over whole lists, without any code of
//! the crate under test. Slow on purpose.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

pub(crate) type Hash = [u8; 32];

fn derive(name: &str, parts: &[&[u8]]) -> Hash {
    blake3::derive_key(&format!("ge.microcredential.ledger 2026-11 v1 {name}"), &parts.concat())
}

/// A hash of `docs/protocol.md` §3, by the name at the end of its context.
pub(crate) fn context(name: &str, data: &[u8]) -> Hash {
    derive(name, &[data])
}

/// The hashes of an RFC 9162 tree.
#[derive(Clone, Copy)]
pub(crate) struct LogHash {
    empty: fn() -> Hash,
    leaf: fn(&[u8]) -> Hash,
    node: fn(&Hash, &Hash) -> Hash,
}

/// RFC 9162 itself.
pub(crate) const SHA256: LogHash = LogHash {
    empty: || Sha256::digest(b"").into(),
    leaf: |data| Sha256::digest([&[0_u8], data].concat()).into(),
    node: |left, right| Sha256::digest([&[1_u8][..], left, right].concat()).into(),
};

/// The transaction tree.
pub(crate) const TRANSACTIONS: LogHash = LogHash {
    empty: || derive("transaction node", &[]),
    leaf: |data| derive("transaction leaf", &[data]),
    node: |left, right| derive("transaction node", &[left, right]),
};

impl LogHash {
    pub(crate) fn leaf(self, data: &[u8]) -> Hash {
        (self.leaf)(data)
    }
}

/// The largest power of two smaller than `n` (RFC 9162 §2.1.1: k).
fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// MTH, RFC 9162 §2.1.1.
pub(crate) fn mth(hash: LogHash, leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => (hash.empty)(),
        [one] => (hash.leaf)(one),
        many => {
            let (left, right) = many.split_at(split(many.len()));
            (hash.node)(&mth(hash, left), &mth(hash, right))
        }
    }
}

/// PATH, RFC 9162 §2.1.3.1.
pub(crate) fn path(hash: LogHash, index: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut inner, sibling) = if index < k {
        (path(hash, index, left), mth(hash, right))
    } else {
        (path(hash, index - k, right), mth(hash, left))
    };
    inner.push(sibling);
    inner
}

/// PROOF, RFC 9162 §2.1.4.1, for 0 < first <= the number of leaves.
pub(crate) fn proof(hash: LogHash, first: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
    subproof(hash, first, leaves, true)
}

fn subproof(hash: LogHash, first: usize, leaves: &[Vec<u8>], whole: bool) -> Vec<Hash> {
    if first == leaves.len() {
        return if whole { vec![] } else { vec![mth(hash, leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut inner, sibling) = if first <= k {
        (subproof(hash, first, left, whole), mth(hash, right))
    } else {
        (subproof(hash, first - k, right, false), mth(hash, left))
    };
    inner.push(sibling);
    inner
}

/// Root of a perfect batch tree.
pub(crate) fn batch_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [leaf] => *leaf,
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            derive("merkle node", &[&batch_root(left), &batch_root(right)])
        }
    }
}

/// Path of a leaf in a perfect batch tree, lowest first.
pub(crate) fn batch_path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let half = leaves.len() / 2;
    let (left, right) = leaves.split_at(half);
    let (mut inner, sibling) = if index < half {
        (batch_path(left, index), batch_root(right))
    } else {
        (batch_path(right, index - half), batch_root(left))
    };
    inner.push(sibling);
    inner
}

/// A register as a plain map from re-hashed keys to hashes of values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Register(BTreeMap<Hash, Hash>);

/// What stands at the end of a path of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terminal {
    Empty,
    Leaf { key: Hash, value: Hash },
}

fn bit(key: &Hash, depth: usize) -> bool {
    key[depth / 8] >> (7 - depth % 8) & 1 == 1
}

fn subtree(entries: &[(Hash, Hash)], depth: usize) -> Hash {
    match entries {
        [] => [0; 32],
        [(key, value)] => derive("register leaf", &[key, value]),
        many => {
            let (left, right): (Vec<_>, Vec<_>) = many.iter().partition(|(key, _)| !bit(key, depth));
            derive("register node", &[&subtree(&left, depth + 1), &subtree(&right, depth + 1)])
        }
    }
}

/// The re-hashed key of a name.
pub(crate) fn register_key(name: &[u8]) -> Hash {
    derive("register key", &[name])
}

impl Register {
    pub(crate) fn insert(&mut self, name: &[u8], value: &[u8]) {
        self.insert_hashed(register_key(name), derive("register value", &[value]));
    }

    pub(crate) fn insert_hashed(&mut self, key: Hash, value: Hash) {
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &Hash) {
        self.0.remove(key);
    }

    pub(crate) fn entries(&self) -> Vec<(Hash, Hash)> {
        self.0.iter().map(|(key, value)| (*key, *value)).collect()
    }

    pub(crate) fn root(&self) -> Hash {
        subtree(&self.entries(), 0)
    }

    /// The siblings on the way to `key`, deepest first, and what stands at its end.
    pub(crate) fn prove(&self, key: &Hash) -> (Vec<Hash>, Terminal) {
        let mut entries = self.entries();
        let mut siblings = vec![];
        while entries.len() > 1 {
            let depth = siblings.len();
            let (on, off): (Vec<_>, Vec<_>) =
                entries.into_iter().partition(|(other, _)| bit(other, depth) == bit(key, depth));
            siblings.push(subtree(&off, depth + 1));
            entries = on;
        }
        siblings.reverse();
        let terminal = match entries.as_slice() {
            [(key, value)] => Terminal::Leaf { key: *key, value: *value },
            _ => Terminal::Empty,
        };
        (siblings, terminal)
    }
}

/// The state root over eight slots.
pub(crate) fn state_root(slots: &[Hash; 8]) -> Hash {
    fn fold(slots: &[Hash]) -> Hash {
        match slots {
            [one] => *one,
            many => {
                let (left, right) = many.split_at(many.len() / 2);
                state_node(&fold(left), &fold(right))
            }
        }
    }
    fold(slots)
}

/// A node over registers.
pub(crate) fn state_node(left: &Hash, right: &Hash) -> Hash {
    derive("state node", &[left, right])
}
