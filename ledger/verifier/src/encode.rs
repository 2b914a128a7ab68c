//! The one canonical encoding: fixed-width little-endian integers, `u16` length prefixes, no optional forms
//! (`docs/protocol.md` §2). It feeds every hash and every signature.

use alloc::vec::Vec;

/// A value with exactly one encoding.
pub trait Encode {
    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);

    /// The encoding alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

/// Appends a `u16` count. Lists are bounded below 65,536 by their types; a longer one could not be decoded again.
pub fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
}

/// Appends a list: its `u16` count, then the items.
pub fn put_list<T: Encode>(out: &mut Vec<u8>, items: &[T]) {
    put_count(out, items.len());
    for item in items {
        item.encode(out);
    }
}

macro_rules! encode_integers {
    ($($int:ident),+) => {
        $(impl Encode for $int {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        })+
    };
}

encode_integers!(u8, u16, u32, u64);

impl Encode for bool {
    /// 0 or 1.
    fn encode(&self, out: &mut Vec<u8>) {
        out.push((*self).into());
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

/// Encodes a structure as its fields, in the order given, and decodes it in the same order.
macro_rules! fields {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::encode::Encode for $name {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                $($crate::encode::Encode::encode(&self.$field, out);)+
            }
        }

        impl $crate::decode::Decode for $name {
            fn decode(reader: &mut $crate::decode::Reader<'_>) -> Result<Self, $crate::decode::DecodeError> {
                Ok(Self { $($field: $crate::decode::Decode::decode(reader)?),+ })
            }
        }
    };
}

pub(crate) use fields;
