//! Prefixes of register keys: parts of a register that are fetched and proved as a whole.

use alloc::vec::Vec;

use super::{AbsenceTerminal, EMPTY, PathError, RegisterPath, leaf, shared_bits};
use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{RegisterKey, RegisterRoot},
    params::REGISTER_PREFIX_BITS_MAX,
};

/// The first 0 to 16 bits of register keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegisterPrefix {
    /// The bits, the first one being the most significant; those beyond the length are 0.
    bits: u16,
    /// How many bits count.
    length: u8,
}

impl RegisterPrefix {
    /// No bits: the whole register.
    pub const ALL: Self = Self { bits: 0, length: 0 };

    /// A prefix of `length` bits, which stand at the most significant end of `bits`; `None` when it is longer than 16
    /// bits, or when a bit beyond its length is set.
    #[must_use]
    pub fn new(bits: u16, length: u8) -> Option<Self> {
        let beyond = u16::MAX.checked_shr(length.into()).unwrap_or(0);
        (length <= REGISTER_PREFIX_BITS_MAX && bits & beyond == 0).then_some(Self { bits, length })
    }

    /// The first bits of a key; `None` when more than 16 are asked for.
    #[must_use]
    pub fn of(key: &RegisterKey, length: u8) -> Option<Self> {
        let [first, second, ..] = key.get();
        let beyond = u16::MAX.checked_shr(length.into()).unwrap_or(0);
        Self::new(u16::from_be_bytes([first, second]) & !beyond, length)
    }

    /// The bits, at the most significant end.
    #[must_use]
    pub const fn bits(&self) -> u16 {
        self.bits
    }

    /// How many bits count: 0..=16.
    #[must_use]
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// The depth of the subtree that holds the keys with this prefix: its length.
    #[must_use]
    pub fn depth(&self) -> u16 {
        self.length.into()
    }

    /// The smallest key with this prefix.
    #[must_use]
    pub fn first_key(&self) -> RegisterKey {
        let mut key = [0; 32];
        for (place, byte) in key.iter_mut().zip(self.bits.to_be_bytes()) {
            *place = byte;
        }
        RegisterKey::new(key)
    }

    /// Whether a key begins with this prefix.
    #[must_use]
    pub fn contains(&self, key: &RegisterKey) -> bool {
        shared_bits(&self.first_key(), key) >= self.depth()
    }

    /// The next prefix of the same length; `None` after the last.
    #[must_use]
    pub fn next(&self) -> Option<Self> {
        let step = 1_u16.checked_shl(u32::from(REGISTER_PREFIX_BITS_MAX).checked_sub(self.length.into())?)?;
        self.bits.checked_add(step).map(|bits| Self { bits, length: self.length })
    }
}

impl Encode for RegisterPrefix {
    /// The length as one byte, then the bits as the first two bytes of the keys.
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.length);
        out.extend_from_slice(&self.bits.to_be_bytes());
    }
}

impl Decode for RegisterPrefix {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.u8("prefix_length")?;
        let bits = u16::from_be_bytes(reader.array("prefix_bits")?);
        Self::new(bits, length).ok_or(DecodeError::NonCanonical { field: "prefix" })
    }
}

impl RegisterPath {
    /// The root under which the subtree at a prefix has this hash. The caller vouches that the hash is of at least two
    /// entries: fewer would stand higher, or not at all.
    ///
    /// # Errors
    /// [`PathError::Depth`] when the path does not end where the prefix does.
    pub fn root_above(&self, prefix: &RegisterPrefix, subtree: [u8; 32]) -> Result<RegisterRoot, PathError> {
        // The deepest sibling may be empty here: two entries that part below it do not make it a smaller subtree.
        if self.depth() != prefix.depth() {
            return Err(PathError::Depth);
        }
        Ok(self.fold(&prefix.first_key(), subtree))
    }

    /// The root under which no key begins with `prefix`, shown by `terminal`.
    ///
    /// # Errors
    /// [`PathError`]; [`PathError::Depth`] when the path is longer than the prefix and so shows a part of it only.
    pub fn root_without_prefix(
        &self,
        prefix: &RegisterPrefix,
        terminal: &AbsenceTerminal,
    ) -> Result<RegisterRoot, PathError> {
        self.check_deepest()?;
        if self.depth() > prefix.depth() {
            return Err(PathError::Depth);
        }
        let first = prefix.first_key();
        match terminal {
            AbsenceTerminal::Empty => Ok(self.fold(&first, EMPTY)),
            AbsenceTerminal::Other { key, value } => {
                if prefix.contains(key) {
                    return Err(PathError::SameKey);
                }
                if shared_bits(&first, key) < self.depth() {
                    return Err(PathError::OffPath);
                }
                Ok(self.fold(&first, leaf(key, value)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ValueHash;

    #[test]
    fn prefixes_of_one_length_part_the_keys() {
        for length in 0..=16_u8 {
            let mut prefix = RegisterPrefix::new(0, length).unwrap();
            let mut count = 1_u32;
            assert!(prefix.contains(&RegisterKey::new([0; 32])));
            while let Some(next) = prefix.next() {
                assert!(next > prefix && !prefix.contains(&next.first_key()));
                assert_eq!(RegisterPrefix::of(&next.first_key(), length), Some(next));
                prefix = next;
                count += 1;
            }
            assert_eq!(count, 1 << length);
            assert!(prefix.contains(&RegisterKey::new([0xff; 32])));
        }
    }

    #[test]
    fn a_prefix_has_one_form() {
        assert_eq!(RegisterPrefix::new(0, 17), None);
        assert_eq!(RegisterPrefix::new(1, 15), None);
        assert_eq!(RegisterPrefix::new(1, 0), None);
        let prefix = RegisterPrefix::new(0b1010 << 12, 4).unwrap();
        assert_eq!(prefix.to_bytes(), [4, 0xa0, 0]);
        assert_eq!(RegisterPrefix::from_bytes(&[4, 0xa0, 0]), Ok(prefix));
        assert!(RegisterPrefix::from_bytes(&[4, 0xa8, 0]).is_err());
        assert!(RegisterPrefix::from_bytes(&[4, 0xa0, 1]).is_err());
        assert!(RegisterPrefix::from_bytes(&[17, 0, 0]).is_err());
        assert_eq!(RegisterPrefix::from_bytes(&[16, 0, 1]).unwrap().next(), RegisterPrefix::new(2, 16));
    }

    #[test]
    fn a_path_that_no_register_has_is_refused_before_its_root_is_looked_at() {
        let prefix = RegisterPrefix::new(0x8000, 2).unwrap();
        let path = |siblings: &[Option<[u8; 32]>]| RegisterPath::new(siblings.to_vec()).unwrap();
        let other =
            |first| AbsenceTerminal::Other { key: RegisterKey::new([first; 32]), value: ValueHash::new([1; 32]) };
        let (some, two) = (Some([7; 32]), path(&[Some([7; 32]), None]));
        // The other entry lies in the other half, beside the path, under the prefix.
        assert_eq!(two.root_without_prefix(&prefix, &other(0x40)), Err(PathError::OffPath));
        assert_eq!(two.root_without_prefix(&prefix, &other(0xc0)), Err(PathError::OffPath));
        assert_eq!(two.root_without_prefix(&prefix, &other(0x80)), Err(PathError::SameKey));
        let one = path(&[some]);
        assert!(one.root_without_prefix(&prefix, &other(0xc0)).is_ok());
        assert_eq!(one.root_without_prefix(&prefix, &other(0x40)), Err(PathError::OffPath));
        assert!(path(&[]).root_without_prefix(&prefix, &other(0x40)).is_ok());
        for terminal in [AbsenceTerminal::Empty, other(0xc0)] {
            let hollow = path(&[None, some]).root_without_prefix(&prefix, &terminal);
            assert_eq!(hollow, Err(PathError::DeepestSiblingEmpty));
            let deep = path(&[some, some, some]).root_without_prefix(&prefix, &terminal);
            assert_eq!(deep, Err(PathError::Depth));
        }
        // Above two entries a sibling may be empty, but the depth is the prefix's.
        assert!(path(&[None, some]).root_above(&prefix, [3; 32]).is_ok());
        assert_eq!(path(&[some]).root_above(&prefix, [3; 32]), Err(PathError::Depth));
        assert_eq!(path(&[some; 3]).root_above(&prefix, [3; 32]), Err(PathError::Depth));
    }
}
