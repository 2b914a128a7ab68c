//! From the wire's loose types to the ledger's strict ones: lengths and ranges are checked here and nowhere else.

use sigeli_verifier::{
    ids::{
        AuthorityId, BatchRoot, BlockId, DecisionRef, GenesisHash, KeyIndex, StateRoot, StatusHandle, TransactionId,
    },
    register::RegisterPrefix,
};

use crate::limits::PREFIX_LENGTH_MAX;

/// Why a field of a message cannot be what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// A field of fixed length has another one.
    #[error("`{field}` has {found} bytes instead of {expected}")]
    Length {
        /// The field.
        field: &'static str,
        /// The bytes it should have.
        expected: usize,
        /// The bytes it has.
        found: usize,
    },
    /// A number exceeds its range.
    #[error("`{field}` is {found}, above {max}")]
    TooLarge {
        /// The field.
        field: &'static str,
        /// The largest allowed.
        max: u32,
        /// The number found.
        found: u32,
    },
    /// A bit beyond the length of a prefix is set.
    #[error("`{field}` has bits beyond the prefix's length")]
    BitsBeyond {
        /// The field.
        field: &'static str,
    },
    /// A field does not hold what it is for.
    #[error("`{field}` cannot be read")]
    Unreadable {
        /// The field.
        field: &'static str,
    },
    /// A field that must be present is not.
    #[error("`{field}` is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
}

/// A fixed number of bytes.
///
/// # Errors
/// [`ConvertError::Length`].
pub fn array<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N], ConvertError> {
    bytes.try_into().map_err(|_| ConvertError::Length { field, expected: N, found: bytes.len() })
}

/// An id or hash that travels as `bytes`.
pub trait WireBytes: Sized {
    /// Takes exactly the id's length; `field` names it in the error.
    ///
    /// # Errors
    /// [`ConvertError::Length`].
    fn from_wire(field: &'static str, bytes: &[u8]) -> Result<Self, ConvertError>;

    /// The bytes to send.
    fn to_wire(&self) -> Vec<u8>;
}

macro_rules! wire_bytes {
    ($($name:ident),+ $(,)?) => {
        $(impl WireBytes for $name {
            fn from_wire(field: &'static str, bytes: &[u8]) -> Result<Self, ConvertError> {
                array(field, bytes).map(Self::new)
            }
            fn to_wire(&self) -> Vec<u8> {
                self.as_bytes().to_vec()
            }
        })+
    };
}

wire_bytes!(TransactionId, BlockId, GenesisHash, StateRoot, BatchRoot, StatusHandle, DecisionRef);

/// An authority's number.
///
/// # Errors
/// [`ConvertError::TooLarge`].
pub fn authority_id(field: &'static str, number: u32) -> Result<AuthorityId, ConvertError> {
    let narrow = u8::try_from(number);
    narrow.map(AuthorityId::new).map_err(|_| ConvertError::TooLarge { field, max: u8::MAX.into(), found: number })
}

/// The index of a key.
///
/// # Errors
/// [`ConvertError::TooLarge`].
pub fn key_index(field: &'static str, index: u32) -> Result<KeyIndex, ConvertError> {
    let narrow = u16::try_from(index);
    narrow.map(KeyIndex::new).map_err(|_| ConvertError::TooLarge { field, max: u16::MAX.into(), found: index })
}

/// The first bits of register keys: `bits` has 16, of which the first `length` count.
///
/// # Errors
/// [`ConvertError::TooLarge`], [`ConvertError::BitsBeyond`].
pub fn register_prefix(bits: u32, length: u32) -> Result<RegisterPrefix, ConvertError> {
    let long = ConvertError::TooLarge { field: "prefix_length", max: PREFIX_LENGTH_MAX, found: length };
    let length = u8::try_from(length).ok().filter(|length| u32::from(*length) <= PREFIX_LENGTH_MAX).ok_or(long)?;
    let large = ConvertError::TooLarge { field: "prefix_bits", max: u16::MAX.into(), found: bits };
    let bits = u16::try_from(bits).map_err(|_| large)?;
    RegisterPrefix::new(bits, length).ok_or(ConvertError::BitsBeyond { field: "prefix_bits" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_other_lengths_are_refused() {
        let id = TransactionId::new(core::array::from_fn(|position| u8::try_from(position).unwrap()));
        assert_eq!(TransactionId::from_wire("id", &id.to_wire()), Ok(id));
        for length in [0, 1, 31, 33, 64] {
            let refused = ConvertError::Length { field: "id", expected: 32, found: length };
            assert_eq!(TransactionId::from_wire("id", &vec![7; length]), Err(refused));
            assert_eq!(BatchRoot::from_wire("id", &vec![7; length]), Err(refused));
        }
    }

    #[test]
    fn numbers_end_at_their_range() {
        assert_eq!(authority_id("authority", 255), Ok(AuthorityId::new(255)));
        assert_eq!(
            authority_id("authority", 256),
            Err(ConvertError::TooLarge { field: "authority", max: 255, found: 256 })
        );
        assert_eq!(key_index("start", 65_535), Ok(KeyIndex::new(65_535)));
        assert_eq!(
            key_index("start", 65_536),
            Err(ConvertError::TooLarge { field: "start", max: 65_535, found: 65_536 })
        );
    }
    #[test]
    fn prefixes_have_at_most_sixteen_bits_and_none_beyond() {
        assert_eq!(register_prefix(0, 0), Ok(RegisterPrefix::ALL));
        assert_eq!(register_prefix(0x8000, 1), Ok(RegisterPrefix::new(0x8000, 1).unwrap()));
        assert_eq!(register_prefix(0xffff, 16), Ok(RegisterPrefix::new(0xffff, 16).unwrap()));
        let beyond = ConvertError::BitsBeyond { field: "prefix_bits" };
        assert_eq!(register_prefix(1, 0), Err(beyond));
        assert_eq!(register_prefix(0x4000, 1), Err(beyond));
        assert_eq!(register_prefix(1, 15), Err(beyond));
        for length in [17, 256, u32::MAX] {
            let long = ConvertError::TooLarge { field: "prefix_length", max: 16, found: length };
            assert_eq!(register_prefix(0, length), Err(long));
        }
        let large = ConvertError::TooLarge { field: "prefix_bits", max: 65_535, found: 65_536 };
        assert_eq!(register_prefix(65_536, 16), Err(large));
    }
}
