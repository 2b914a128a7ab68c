//! Total, bounded, strict decoding of the canonical encoding (`docs/protocol.md` §2).

use alloc::vec::Vec;

/// Why bytes are not the canonical encoding of the expected value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a field.
    #[error("the bytes end inside `{field}`")]
    UnexpectedEnd {
        /// The field being read.
        field: &'static str,
    },
    /// Bytes follow the value.
    #[error("{count} bytes follow the value")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A length or count exceeds the limit of its field.
    #[error("`{field}` exceeds its limit of {limit}")]
    LimitExceeded {
        /// The field being read.
        field: &'static str,
        /// The limit, in the unit of the field.
        limit: usize,
    },
    /// A tag, version or code that this program does not know.
    #[error("`{field}` has the unknown value {value}")]
    UnknownValue {
        /// The field being read.
        field: &'static str,
        /// The value found.
        value: u64,
    },
    /// The value can be read, but it is not the one encoding that is allowed.
    #[error("`{field}` is not in canonical form")]
    NonCanonical {
        /// The field being read.
        field: &'static str,
    },
}

/// A cursor over encoded bytes.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not yet read.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`] when fewer remain.
    pub fn bytes(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(DecodeError::UnexpectedEnd { field })?;
        self.rest = tail;
        Ok(head)
    }

    /// Takes a fixed array.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`] when fewer bytes remain.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        self.bytes(field, N)?.try_into().map_err(|_| DecodeError::UnexpectedEnd { field })
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// Takes a little-endian `u16`.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_le_bytes)
    }

    /// Takes a little-endian `u32`.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// Takes a little-endian `i32`.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.array(field).map(i32::from_le_bytes)
    }

    /// Takes a little-endian `u64`.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// Takes a `u16` count that must not exceed `limit`.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`], [`DecodeError::LimitExceeded`].
    pub fn count(&mut self, field: &'static str, limit: usize) -> Result<usize, DecodeError> {
        let count = usize::from(self.u16(field)?);
        if count > limit { Err(DecodeError::LimitExceeded { field, limit }) } else { Ok(count) }
    }

    /// Takes a list: a `u16` count, at most `limit`, then the items.
    ///
    /// # Errors
    /// As [`Reader::count`], and those of the items.
    pub fn list<T: Decode>(&mut self, field: &'static str, limit: usize) -> Result<Vec<T>, DecodeError> {
        let count = self.count(field, limit)?;
        // Every item takes at least one byte, so the reservation is bounded by the input.
        let mut items = Vec::with_capacity(count.min(self.remaining()));
        for _ in 0..count {
            items.push(T::decode(self)?);
        }
        Ok(items)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBytes`] when bytes remain.
    pub const fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes { count: self.rest.len() }) }
    }
}

/// A value with a canonical encoding that can be read back.
pub trait Decode: Sized {
    /// Reads one value and leaves the cursor behind it.
    ///
    /// # Errors
    /// Any [`DecodeError`]; the cursor is then of no further use.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Reads a value that takes exactly these bytes.
    ///
    /// # Errors
    /// Any [`DecodeError`], [`DecodeError::TrailingBytes`] among them.
    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let value = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

macro_rules! decode_integers {
    ($($int:ident),+) => {
        $(impl Decode for $int {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.$int(stringify!($int))
            }
        })+
    };
}

decode_integers!(u8, u16, u32, u64);

impl Decode for bool {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("boolean")? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::UnknownValue { field: "boolean", value: value.into() }),
        }
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array("bytes")
    }
}
