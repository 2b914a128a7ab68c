//! From the wire's loose types to the ledger's strict ones: lengths and ranges are checked here and nowhere else.

use sigeli_verifier::ids::{
    AuthorityId, BatchRoot, BlockId, DecisionRef, GenesisHash, KeyIndex, StateRoot, StatusHandle, TransactionId,
};

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
}
