//! Registers: compact sparse Merkle maps and their proofs of presence and absence (`docs/protocol.md` §9).
//!
//! Keys are hashes, so they are spread evenly. A leaf sits at its shortest unique prefix and commits its full key and
//! the hash of its value. An empty subtree is 32 zero bytes; a subtree with one entry is that entry's leaf; so the
//! shape is a function of the set of keys alone. Node storage is not fixed here: only hashes and proofs are.

mod prefix;
mod subtree;

use alloc::vec::Vec;

use crate::{
    decode::{Decode, DecodeError, Reader},
    domain::{REGISTER_KEY, REGISTER_LEAF, REGISTER_NODE, REGISTER_VALUE},
    encode::Encode,
    ids::{RegisterKey, RegisterRoot, ValueHash},
    params::REGISTER_DEPTH_MAX,
};

pub use self::{
    prefix::RegisterPrefix,
    subtree::{SubtreeError, SubtreeHasher, register_root, subtree_hash},
};

/// The hash of an empty subtree.
pub const EMPTY: [u8; 32] = [0; 32];

/// The key of a register entry: the hash of its name.
#[must_use]
pub fn key(name: &[u8]) -> RegisterKey {
    RegisterKey::new(REGISTER_KEY.hash(&[name]))
}

/// The hash of a register entry's value.
#[must_use]
pub fn value_hash(value: &[u8]) -> ValueHash {
    ValueHash::new(REGISTER_VALUE.hash(&[value]))
}

/// The hash of a leaf: exactly one compression.
#[must_use]
pub fn leaf(key: &RegisterKey, value: &ValueHash) -> [u8; 32] {
    REGISTER_LEAF.hash(&[key.as_bytes(), value.as_bytes()])
}

/// The hash of an inner node: exactly one compression.
#[must_use]
pub fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    REGISTER_NODE.hash(&[left, right])
}

/// Bit `depth` of a key, the most significant bit of the first byte being bit 0. Beyond the key: `false`.
#[must_use]
pub fn bit(key: &RegisterKey, depth: u16) -> bool {
    let byte = key.as_bytes().get(usize::from(depth / 8)).copied().unwrap_or(0);
    byte & (0x80_u8 >> (depth % 8)) != 0
}

/// How many leading bits two keys share: 0..=256.
#[must_use]
pub fn shared_bits(left: &RegisterKey, right: &RegisterKey) -> u16 {
    let mut shared = 0_u16;
    for (a, b) in left.as_bytes().iter().zip(right.as_bytes()) {
        let equal = u16::try_from((a ^ b).leading_zeros()).unwrap_or(8);
        shared = shared.saturating_add(equal);
        if equal < 8 {
            break;
        }
    }
    shared
}

/// The siblings between a position and the root, deepest first. Empty siblings are kept as `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterPath {
    siblings: Vec<Option<[u8; 32]>>,
}

/// Why a proof cannot be of a canonical register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The deepest sibling is empty: the entry would sit higher, or the empty slot would be part of a larger one.
    #[error("the deepest sibling is empty")]
    DeepestSiblingEmpty,
    /// The other leaf has the key that is said to be absent.
    #[error("the entry said to be absent is present")]
    SameKey,
    /// The other leaf does not lie on the path.
    #[error("the other entry does not lie on the path")]
    OffPath,
    /// The path of a prefix does not end where the prefix does, or above it.
    #[error("the path does not fit the length of the prefix")]
    Depth,
}

impl RegisterPath {
    /// A path of at most 256 siblings, deepest first; no sibling may be all zero (an empty one is `None`).
    #[must_use]
    pub fn new(siblings: Vec<Option<[u8; 32]>>) -> Option<Self> {
        let fits = siblings.len() <= usize::from(REGISTER_DEPTH_MAX);
        let canonical = siblings.iter().all(|sibling| *sibling != Some(EMPTY));
        (fits && canonical).then_some(Self { siblings })
    }

    /// The depth of the position: the number of levels to the root.
    #[must_use]
    pub fn depth(&self) -> u16 {
        u16::try_from(self.siblings.len()).unwrap_or(REGISTER_DEPTH_MAX)
    }

    /// The siblings, deepest first.
    #[must_use]
    pub fn siblings(&self) -> &[Option<[u8; 32]>] {
        &self.siblings
    }

    fn fold(&self, key: &RegisterKey, bottom: [u8; 32]) -> RegisterRoot {
        let mut depth = self.depth();
        let mut hash = bottom;
        for sibling in &self.siblings {
            depth = depth.saturating_sub(1);
            let sibling = sibling.as_ref().unwrap_or(&EMPTY);
            hash = if bit(key, depth) { node(sibling, &hash) } else { node(&hash, sibling) };
        }
        RegisterRoot::new(hash)
    }

    fn check_deepest(&self) -> Result<(), PathError> {
        match self.siblings.first() {
            Some(None) => Err(PathError::DeepestSiblingEmpty),
            _ => Ok(()),
        }
    }

    /// The root under which `key` has the value with this hash.
    ///
    /// # Errors
    /// [`PathError::DeepestSiblingEmpty`].
    pub fn root_with(&self, key: &RegisterKey, value: &ValueHash) -> Result<RegisterRoot, PathError> {
        self.check_deepest()?;
        Ok(self.fold(key, leaf(key, value)))
    }

    /// The root under which `key` is absent, shown by `terminal`.
    ///
    /// # Errors
    /// [`PathError`].
    pub fn root_without(&self, key: &RegisterKey, terminal: &AbsenceTerminal) -> Result<RegisterRoot, PathError> {
        self.check_deepest()?;
        match terminal {
            AbsenceTerminal::Empty => Ok(self.fold(key, EMPTY)),
            AbsenceTerminal::Other { key: other, value } => {
                if other == key {
                    return Err(PathError::SameKey);
                }
                if shared_bits(key, other) < self.depth() {
                    return Err(PathError::OffPath);
                }
                Ok(self.fold(key, leaf(other, value)))
            }
        }
    }
}

impl Encode for RegisterPath {
    /// Depth as `u16`, then one bit per level (least significant first, deepest first, 1 = present), then the
    /// siblings that are present.
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.depth().to_le_bytes());
        for group in self.siblings.chunks(8) {
            let bits = group.iter().rev().fold(0_u8, |bits, sibling| (bits << 1) | u8::from(sibling.is_some()));
            out.push(bits);
        }
        for sibling in self.siblings.iter().flatten() {
            out.extend_from_slice(sibling);
        }
    }
}

impl Decode for RegisterPath {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let depth = reader.u16("register_depth")?;
        if depth > REGISTER_DEPTH_MAX {
            return Err(DecodeError::LimitExceeded { field: "register_depth", limit: REGISTER_DEPTH_MAX.into() });
        }
        let bitmap = reader.bytes("register_bitmap", usize::from(depth.div_ceil(8)))?;
        let mut siblings = Vec::with_capacity(depth.into());
        for level in 0..bitmap.len().saturating_mul(8) {
            let byte = bitmap.get(level / 8).copied().unwrap_or(0);
            let present = byte & (1_u8 << (level % 8)) != 0;
            match (level < usize::from(depth), present) {
                (true, true) => siblings.push(Some(reader.array("register_sibling")?)),
                (true, false) => siblings.push(None),
                (false, true) => return Err(DecodeError::NonCanonical { field: "register_bitmap" }),
                (false, false) => {}
            }
        }
        Self::new(siblings).ok_or(DecodeError::NonCanonical { field: "register_sibling" })
    }
}

/// What stands where an absent entry would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbsenceTerminal {
    /// Nothing.
    Empty,
    /// Another entry, whose key shares the path's bits.
    Other {
        /// Its key.
        key: RegisterKey,
        /// The hash of its value.
        value: ValueHash,
    },
}

impl Encode for AbsenceTerminal {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => out.push(0),
            Self::Other { key, value } => {
                out.push(1);
                key.encode(out);
                value.encode(out);
            }
        }
    }
}

impl Decode for AbsenceTerminal {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("absence")? {
            0 => Ok(Self::Empty),
            1 => Ok(Self::Other { key: RegisterKey::decode(reader)?, value: ValueHash::decode(reader)? }),
            value => Err(DecodeError::UnknownValue { field: "absence", value: value.into() }),
        }
    }
}
