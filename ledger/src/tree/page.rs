//! One page: four levels of a register, sixteen slots, and the hashes of the inner nodes above them.

use alloc::{boxed::Box, vec::Vec};

use sigeli_verifier::{
    decode::{DecodeError, Reader},
    ids::{RegisterKey, ValueHash},
    register::{EMPTY, leaf, node},
};

use crate::store::StoreError;

/// Levels of one page.
pub(super) const LEVELS: u16 = 4;
const SLOTS: u8 = 16;

/// What stands in one of the sixteen places at a page's bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// Nothing.
    Empty,
    /// The only entry below. Its true place may be higher: at its shortest unique prefix.
    Leaf {
        /// Its key.
        key: RegisterKey,
        /// The hash of its value.
        value: ValueHash,
    },
    /// The hash over the page below, which holds at least two entries.
    Inner([u8; 32]),
}

impl Slot {
    /// Its hash.
    pub(super) fn hash(&self) -> [u8; 32] {
        match self {
            Self::Empty => EMPTY,
            Self::Leaf { key, value } => leaf(key, value),
            Self::Inner(hash) => *hash,
        }
    }
}

/// A node of a page in heap order: 1 is the root, node n has children 2n and 2n + 1, nodes 16..=31 are the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node(u8);

impl Node {
    /// The topmost node.
    pub(super) const ROOT: Self = Self(1);

    /// The children: the one on the side of the bit, and the other.
    pub(super) fn children(self, bit: bool) -> (Self, Self) {
        let right = u8::from(bit);
        let left = self.0.wrapping_shl(1);
        (Self(left | right), Self(left | (right ^ 1)))
    }

    /// The slots below, one bit each.
    fn slots(self) -> u16 {
        let level = self.0.checked_ilog2().unwrap_or(0);
        let width = u32::from(SLOTS).wrapping_shr(level);
        let position = u32::from(self.0) & !(1_u32.wrapping_shl(level));
        let ones = 1_u32.wrapping_shl(width).wrapping_sub(1);
        u16::try_from(ones.wrapping_shl(position.wrapping_mul(width)) & 0xffff).unwrap_or(u16::MAX)
    }

    const fn is_slot(self) -> bool {
        self.0 >= SLOTS
    }
}

/// A page in memory.
#[derive(Debug, Clone)]
pub(super) struct Page {
    slots: [Slot; 16],
    /// Which slots are leaves, and which are inner: one bit each.
    leaves: u16,
    inner: u16,
    /// Slots changed since the hashes were computed.
    dirty: u16,
    /// Hash of node n at place n, for the inner nodes 1..=15 (their subtree has more than a lone leaf).
    hashes: [[u8; 32]; 16],
}

impl Page {
    /// A page without entries.
    pub(super) fn empty() -> Box<Self> {
        Box::new(Self { slots: [Slot::Empty; 16], leaves: 0, inner: 0, dirty: 0, hashes: [EMPTY; 16] })
    }

    /// The slot at a place 0..=15.
    pub(super) fn slot(&self, place: u8) -> Slot {
        self.slots.get(usize::from(place)).copied().unwrap_or(Slot::Empty)
    }

    /// Changes a slot.
    pub(super) fn set(&mut self, place: u8, slot: Slot) {
        let Some(stored) = self.slots.get_mut(usize::from(place)) else { return };
        if *stored == slot {
            return;
        }
        *stored = slot;
        let flag = 1_u16.wrapping_shl(place.into());
        self.leaves &= !flag;
        self.inner &= !flag;
        self.dirty |= flag;
        match slot {
            Slot::Empty => {}
            Slot::Leaf { .. } => self.leaves |= flag,
            Slot::Inner(_) => self.inner |= flag,
        }
    }

    /// Whether the subtree has more than a lone leaf.
    fn is_inner(&self, node: Node) -> bool {
        let below = node.slots();
        self.inner & below != 0 || (self.leaves & below).count_ones() > 1
    }

    /// What ends a descent at this node: an empty subtree, its lone leaf, or the slot itself; `None` to go on.
    pub(super) fn terminal(&self, node: Node) -> Option<Slot> {
        if !node.is_slot() && self.is_inner(node) {
            return None;
        }
        let occupied = (self.leaves | self.inner) & node.slots();
        if occupied == 0 {
            return Some(Slot::Empty);
        }
        u8::try_from(occupied.trailing_zeros()).ok().map(|place| self.slot(place))
    }

    /// The hash of a node of an unchanged page.
    pub(super) fn hash(&self, node: Node) -> [u8; 32] {
        match self.terminal(node) {
            Some(slot) => slot.hash(),
            None => self.hashes.get(usize::from(node.0)).copied().unwrap_or(EMPTY),
        }
    }

    /// The hash over the whole of an unchanged page.
    pub(super) fn root(&self) -> [u8; 32] {
        self.hash(Node::ROOT)
    }

    /// Recomputes what changed, and tells what the slot above holds: nothing, a lone leaf, or this page's hash.
    pub(super) fn summarise(&mut self) -> Slot {
        let hash = self.rehash(Node::ROOT);
        self.dirty = 0;
        self.terminal(Node::ROOT).filter(|slot| !matches!(slot, Slot::Inner(_))).unwrap_or(Slot::Inner(hash))
    }

    fn rehash(&mut self, at: Node) -> [u8; 32] {
        let unchanged = self.dirty & at.slots() == 0;
        if unchanged || at.is_slot() || !self.is_inner(at) {
            return self.hash(at);
        }
        let (left, right) = at.children(false);
        let hash = node(&self.rehash(left), &self.rehash(right));
        if let Some(place) = self.hashes.get_mut(usize::from(at.0)) {
            *place = hash;
        }
        hash
    }

    fn inner_nodes(&self) -> impl Iterator<Item = Node> + '_ {
        (1..SLOTS).map(Node).filter(|node| self.is_inner(*node))
    }

    /// The row: bits of leaves and of inner slots (`u16` each), the slots in order (key and value hash, or hash), then
    /// the hashes of the inner nodes in heap order.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1_024);
        out.extend_from_slice(&self.leaves.to_le_bytes());
        out.extend_from_slice(&self.inner.to_le_bytes());
        for slot in &self.slots {
            match slot {
                Slot::Empty => {}
                Slot::Leaf { key, value } => {
                    out.extend_from_slice(key.as_bytes());
                    out.extend_from_slice(value.as_bytes());
                }
                Slot::Inner(hash) => out.extend_from_slice(hash),
            }
        }
        for node in self.inner_nodes() {
            out.extend_from_slice(&self.hash(node));
        }
        out
    }

    /// Reads a row.
    pub(super) fn decode(bytes: &[u8]) -> Result<Box<Self>, StoreError> {
        let corrupt = StoreError::Corrupt { what: "register page" };
        Self::try_decode(bytes).map_err(|_| corrupt)
    }

    fn try_decode(bytes: &[u8]) -> Result<Box<Self>, DecodeError> {
        let mut reader = Reader::new(bytes);
        let mut page = Self::empty();
        page.leaves = reader.u16("leaves")?;
        page.inner = reader.u16("inner")?;
        if page.leaves & page.inner != 0 {
            return Err(DecodeError::NonCanonical { field: "slots" });
        }
        for place in 0..SLOTS {
            let flag = 1_u16.wrapping_shl(place.into());
            let slot = if page.leaves & flag != 0 {
                Slot::Leaf {
                    key: RegisterKey::new(reader.array("key")?),
                    value: ValueHash::new(reader.array("value")?),
                }
            } else if page.inner & flag != 0 {
                Slot::Inner(reader.array("slot")?)
            } else {
                Slot::Empty
            };
            if let Some(stored) = page.slots.get_mut(usize::from(place)) {
                *stored = slot;
            }
        }
        for place in 1..SLOTS {
            if page.is_inner(Node(place)) {
                let hash = reader.array("hash")?;
                if let Some(stored) = page.hashes.get_mut(usize::from(place)) {
                    *stored = hash;
                }
            }
        }
        reader.finish()?;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_covers_its_slots() {
        assert_eq!(Node::ROOT.slots(), 0xffff);
        assert_eq!(Node(2).slots(), 0x00ff);
        assert_eq!(Node(3).slots(), 0xff00);
        assert_eq!(Node(7).slots(), 0xf000);
        assert_eq!(Node(16).slots(), 0x0001);
        assert_eq!(Node(31).slots(), 0x8000);
    }

    #[test]
    fn a_row_reads_back_and_damage_is_noticed() {
        let mut page = Page::empty();
        page.set(3, Slot::Leaf { key: RegisterKey::new([0x31; 32]), value: ValueHash::new([7; 32]) });
        page.set(9, Slot::Inner([9; 32]));
        let slot = page.summarise();
        let row = page.encode();
        let mut back = Page::decode(&row).unwrap();
        assert_eq!(back.encode(), row);
        assert_eq!(back.summarise(), slot);
        assert!(Page::decode(&row[..row.len() - 1]).is_err());
        assert!(Page::decode(&[row.clone(), Vec::from([0])].concat()).is_err());
        let mut both = row;
        both[2] |= 8; // slot 3 a leaf and inner at once
        assert!(Page::decode(&both).is_err());
    }
}
