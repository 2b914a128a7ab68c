//! The perfect batch tree: 2^height leaves, every path exactly `height` hashes long (`docs/protocol.md` §5).

use alloc::vec::Vec;

use crate::{
    decode::{Decode, DecodeError, Reader},
    domain,
    encode::Encode,
    ids::{BatchRoot, Leaf, LeafIndex},
    params::{BATCH_HEIGHT_MAX, BATCH_HEIGHT_MIN},
};

/// Height of a batch tree: [`BATCH_HEIGHT_MIN`]`..=`[`BATCH_HEIGHT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchHeight(u8);

impl BatchHeight {
    /// Takes a height within the limits.
    #[must_use]
    pub const fn new(height: u8) -> Option<Self> {
        if BATCH_HEIGHT_MIN <= height && height <= BATCH_HEIGHT_MAX { Some(Self(height)) } else { None }
    }

    /// The smallest tree that holds this many credentials, if any does.
    #[must_use]
    pub fn for_credentials(count: u32) -> Option<Self> {
        (BATCH_HEIGHT_MIN..=BATCH_HEIGHT_MAX).map(Self).find(|height| count <= height.leaf_count())
    }

    /// The number of levels above the leaves.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The number of leaves: 2^height.
    #[must_use]
    pub fn leaf_count(self) -> u32 {
        1_u32.checked_shl(self.0.into()).unwrap_or(0)
    }
}

impl Encode for BatchHeight {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
}

impl Decode for BatchHeight {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let height = reader.u8("batch_height")?;
        Self::new(height)
            .ok_or_else(|| DecodeError::LimitExceeded { field: "batch_height", limit: BATCH_HEIGHT_MAX.into() })
    }
}

/// The way from a leaf to its batch root: the leaf's index and one sibling per level, lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPath {
    index: LeafIndex,
    siblings: Vec<[u8; 32]>,
}

impl BatchPath {
    /// A path of an allowed length whose index lies inside the tree.
    #[must_use]
    pub fn new(index: LeafIndex, siblings: Vec<[u8; 32]>) -> Option<Self> {
        let height = BatchHeight::new(u8::try_from(siblings.len()).ok()?)?;
        (index.get() < height.leaf_count()).then_some(Self { index, siblings })
    }

    /// The leaf's position.
    #[must_use]
    pub const fn index(&self) -> LeafIndex {
        self.index
    }

    /// The height of the tree.
    #[must_use]
    pub fn height(&self) -> BatchHeight {
        // The constructor has checked the length.
        BatchHeight(u8::try_from(self.siblings.len()).unwrap_or(BATCH_HEIGHT_MAX))
    }

    /// The root that this path gives for a leaf.
    #[must_use]
    pub fn root(&self, leaf: &Leaf) -> BatchRoot {
        let mut index = self.index.get();
        let mut hash = leaf.get();
        for sibling in &self.siblings {
            hash = if index & 1 == 0 { node(&hash, sibling) } else { node(sibling, &hash) };
            index >>= 1;
        }
        BatchRoot::new(hash)
    }
}

impl Encode for BatchPath {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height().encode(out);
        self.index.encode(out);
        for sibling in &self.siblings {
            out.extend_from_slice(sibling);
        }
    }
}

impl Decode for BatchPath {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let height = BatchHeight::decode(reader)?;
        let index = LeafIndex::decode(reader)?;
        let siblings = (0..height.get()).map(|_| reader.array("batch_path")).collect::<Result<Vec<_>, _>>()?;
        Self::new(index, siblings).ok_or(DecodeError::NonCanonical { field: "leaf_index" })
    }
}

/// `NODE`: an inner node of a batch tree.
#[must_use]
pub fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    domain::BATCH_NODE.hash(&[left, right])
}

/// A whole batch tree, held in memory: 64 bytes per leaf.
#[derive(Debug, Clone)]
pub struct BatchTree {
    height: BatchHeight,
    /// `levels[0]` are the leaves, the last holds the root.
    levels: Vec<Vec<[u8; 32]>>,
}

impl BatchTree {
    /// Builds the tree over exactly 2^height leaves, decoys included; `None` for any other number.
    #[must_use]
    pub fn new(leaves: &[Leaf]) -> Option<Self> {
        let height = BatchHeight::for_credentials(u32::try_from(leaves.len()).ok()?)?;
        if usize::try_from(height.leaf_count()).ok()? != leaves.len() {
            return None;
        }
        let mut level: Vec<[u8; 32]> = leaves.iter().map(Leaf::get).collect();
        let mut levels = Vec::with_capacity(usize::from(height.get()).saturating_add(1));
        while level.len() > 1 {
            let (pairs, _) = level.as_chunks::<2>();
            let above = pairs.iter().map(|[left, right]| node(left, right)).collect();
            levels.push(core::mem::replace(&mut level, above));
        }
        levels.push(level);
        Some(Self { height, levels })
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> BatchRoot {
        // The constructor ends with a level of one hash.
        BatchRoot::new(self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default())
    }

    /// The height.
    #[must_use]
    pub const fn height(&self) -> BatchHeight {
        self.height
    }

    /// The path of a leaf, if the index lies inside.
    #[must_use]
    pub fn path(&self, index: LeafIndex) -> Option<BatchPath> {
        let mut position = usize::try_from(index.get()).ok()?;
        let mut siblings = Vec::with_capacity(self.height.get().into());
        for level in self.levels.iter().take(self.height.get().into()) {
            siblings.push(*level.get(position ^ 1)?);
            position >>= 1;
        }
        BatchPath::new(index, siblings)
    }
}
