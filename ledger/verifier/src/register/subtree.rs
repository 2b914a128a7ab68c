//! The hash of a whole register, or of a subtree of one, from its entries in ascending order of key.

use alloc::vec::Vec;

use super::{EMPTY, bit, leaf, node, shared_bits};
use crate::ids::{RegisterKey, RegisterRoot, ValueHash};

/// Why entries do not make a subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubtreeError {
    /// A key does not follow the one before it.
    #[error("the entries are not in strictly ascending order of key")]
    Unordered,
    /// Two keys do not share the bits above the subtree.
    #[error("the entries do not lie in one subtree")]
    Apart,
}

/// A finished subtree whose right neighbour is still growing.
#[derive(Debug, Clone, Copy)]
struct Pending {
    hash: [u8; 32],
    /// The depth of the node over both.
    join: u16,
}

/// The newest subtree.
#[derive(Debug, Clone, Copy)]
struct Newest {
    /// Its last key.
    key: RegisterKey,
    hash: [u8; 32],
    /// The depth of its root; `None` for a lone entry, whose hash is the same wherever it stands.
    depth: Option<u16>,
}

impl Newest {
    /// The same entries seen from `depth`, which is not below its root.
    fn lift(mut self, depth: u16) -> Self {
        if let Some(mut at) = self.depth {
            while at > depth {
                at = at.saturating_sub(1);
                self.hash = if bit(&self.key, at) { node(&EMPTY, &self.hash) } else { node(&self.hash, &EMPTY) };
            }
            self.depth = Some(at);
        }
        self
    }
}

/// Computes the hash of a subtree while its entries stream by. It holds at most 256 hashes, and its work is at most 256
/// hashes per entry; for keys that are hashes themselves, little more than two.
#[derive(Debug, Clone)]
pub struct SubtreeHasher {
    depth: u16,
    count: u64,
    /// In strictly ascending order of `join`.
    pending: Vec<Pending>,
    newest: Option<Newest>,
}

impl SubtreeHasher {
    /// Starts a subtree whose root stands at `depth`; 0 is the whole register.
    #[must_use]
    pub const fn new(depth: u16) -> Self {
        Self { depth, count: 0, pending: Vec::new(), newest: None }
    }

    /// How many entries were taken.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`SubtreeError`]; the entry is then not taken.
    pub fn push(&mut self, key: RegisterKey, value: &ValueHash) -> Result<(), SubtreeError> {
        if let Some(newest) = self.newest {
            if key <= newest.key {
                return Err(SubtreeError::Unordered);
            }
            let shared = shared_bits(&newest.key, &key);
            if shared < self.depth {
                return Err(SubtreeError::Apart);
            }
            // Everything that parts below `shared` is complete: it is the left child of the node at `shared`.
            let left = self.close(newest, Some(shared)).lift(shared.saturating_add(1));
            self.pending.push(Pending { hash: left.hash, join: shared });
        }
        self.newest = Some(Newest { key, hash: leaf(&key, value), depth: None });
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// Joins the newest subtree with the pending ones whose join lies below `above`, or with all of them.
    fn close(&mut self, mut newest: Newest, above: Option<u16>) -> Newest {
        while let Some(left) = self.pending.pop_if(|left| above.is_none_or(|above| left.join > above)) {
            let right = newest.lift(left.join.saturating_add(1));
            newest = Newest { key: newest.key, hash: node(&left.hash, &right.hash), depth: Some(left.join) };
        }
        newest
    }

    /// The hash of the subtree: [`EMPTY`] without entries, the entry's leaf with one.
    #[must_use]
    pub fn finish(mut self) -> [u8; 32] {
        match self.newest {
            None => EMPTY,
            Some(newest) => self.close(newest, None).lift(self.depth).hash,
        }
    }
}

/// The hash of the subtree at `depth` that holds exactly these entries, given in strictly ascending order of key.
///
/// # Errors
/// [`SubtreeError`].
pub fn subtree_hash(depth: u16, entries: &[(RegisterKey, ValueHash)]) -> Result<[u8; 32], SubtreeError> {
    let mut hasher = SubtreeHasher::new(depth);
    for (key, value) in entries {
        hasher.push(*key, value)?;
    }
    Ok(hasher.finish())
}

/// The root of the register that holds exactly these entries, given in strictly ascending order of key.
///
/// # Errors
/// [`SubtreeError::Unordered`].
pub fn register_root(entries: &[(RegisterKey, ValueHash)]) -> Result<RegisterRoot, SubtreeError> {
    subtree_hash(0, entries).map(RegisterRoot::new)
}
