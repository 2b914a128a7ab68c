//! RFC 9162 Merkle trees: the history log over header ids (SHA-256) and the transaction tree (BLAKE3), one shape.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::{domain, params::HISTORY_PATH_MAX};

/// How a tree hashes its leaves and nodes.
pub trait TreeHash {
    /// Root of the tree without leaves.
    fn empty() -> [u8; 32];
    /// Hash of a leaf.
    fn leaf(data: &[u8]) -> [u8; 32];
    /// Hash of an inner node.
    fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32];
}

/// SHA-256 exactly as in RFC 9162 §2.1.1: the history log.
#[derive(Debug, Clone, Copy)]
pub struct Rfc9162;

impl TreeHash for Rfc9162 {
    fn empty() -> [u8; 32] {
        Sha256::digest([]).into()
    }
    fn leaf(data: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update([0]).chain_update(data).finalize().into()
    }
    fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
        Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
    }
}

/// BLAKE3 with the contexts of the transaction tree.
#[derive(Debug, Clone, Copy)]
pub struct TransactionHash;

impl TreeHash for TransactionHash {
    fn empty() -> [u8; 32] {
        domain::TRANSACTION_NODE.hash(&[])
    }
    fn leaf(data: &[u8]) -> [u8; 32] {
        domain::TRANSACTION_LEAF.hash(&[data])
    }
    fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
        domain::TRANSACTION_NODE.hash(&[left, right])
    }
}

/// A growing tree that keeps only its frontier: the roots of the perfect subtrees, largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<[u8; 32]>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves; `None` unless there is one peak per set bit of the size.
    #[must_use]
    pub fn from_parts(size: u64, peaks: Vec<[u8; 32]>) -> Option<Self> {
        (usize::try_from(size.count_ones()).ok()? == peaks.len()).then_some(Self { size, peaks })
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[[u8; 32]] {
        &self.peaks
    }

    /// Appends a leaf.
    pub fn push<H: TreeHash>(&mut self, data: &[u8]) {
        let mut hash = H::leaf(data);
        // Each trailing one bit of the old size is a full subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = H::node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root<H: TreeHash>(&self) -> [u8; 32] {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return H::empty() };
        peaks.fold(*last, |right, left| H::node(left, &right))
    }
}

/// Root of a tree over these leaves.
#[must_use]
pub fn tree_root<'a, H: TreeHash>(leaves: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push::<H>(leaf);
    }
    frontier.root::<H>()
}

/// The root that an inclusion path gives, RFC 9162 §2.1.3.2; `None` when the path does not fit index and size.
#[must_use]
pub fn root_from_inclusion<H: TreeHash>(
    leaf_hash: [u8; 32],
    index: u64,
    size: u64,
    path: &[[u8; 32]],
) -> Option<[u8; 32]> {
    if index >= size || path.len() > HISTORY_PATH_MAX {
        return None;
    }
    let mut node = index;
    let mut last = size.checked_sub(1)?;
    let mut hash = leaf_hash;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = H::node(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = H::node(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether `path` shows the tree of `first` leaves to be a prefix of that of `second`, RFC 9162 §2.1.4.2.
///
/// The tree without leaves is a prefix of every tree, so a proof of that would show nothing: `first` = 0 is refused.
#[must_use]
pub fn is_consistent<H: TreeHash>(
    (first, first_root): (u64, &[u8; 32]),
    (second, second_root): (u64, &[u8; 32]),
    path: &[[u8; 32]],
) -> bool {
    if first == 0 || first > second || path.len() > HISTORY_PATH_MAX.saturating_add(1) {
        return false;
    }
    if first == second {
        return path.is_empty() && first_root == second_root;
    }
    // A power of two is its own root, and the proof leaves it out.
    let (seed, rest) = if first.is_power_of_two() {
        (first_root, path)
    } else {
        match path.split_first() {
            Some(split) => split,
            None => return false,
        }
    };
    let (Some(mut node), Some(mut last)) = (first.checked_sub(1), second.checked_sub(1)) else { return false };
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (*seed, *seed);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old = H::node(sibling, &old);
            new = H::node(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = H::node(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old == *first_root && new == *second_root
}
