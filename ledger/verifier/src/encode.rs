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
