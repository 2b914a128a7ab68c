//! Texts and lists whose limit is part of their type.

use alloc::{string::String, vec::Vec};
use core::{fmt, ops::Deref};

use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, put_count, put_list},
};

/// A list of at most `MAX` items.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct List<T, const MAX: usize>(Vec<T>);

/// A list or text is longer than its type allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{length} exceeds the limit of {limit}")]
pub struct TooLong {
    /// The length found: items of a list, bytes of a text.
    pub length: usize,
    /// The largest allowed.
    pub limit: usize,
}

impl<T, const MAX: usize> List<T, MAX> {
    /// Takes a list of at most `MAX` items.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn new(items: Vec<T>) -> Result<Self, TooLong> {
        const { assert!(MAX <= 65_535, "counts are u16") };
        if items.len() > MAX { Err(TooLong { length: items.len(), limit: MAX }) } else { Ok(Self(items)) }
    }

    /// The empty list.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// A list of one item.
    #[must_use]
    pub fn one(item: T) -> Self {
        const { assert!(MAX >= 1, "one item fits") };
        Self(Vec::from([item]))
    }

    /// The items.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Encode, const MAX: usize> Encode for List<T, MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.0);
    }
}

impl<T: Decode, const MAX: usize> Decode for List<T, MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.list("list", MAX).map(Self)
    }
}

/// A UTF-8 text of at most `MAX` bytes, without control characters, line and paragraph separators, and marks that change
/// the direction of writing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Longer than the limit.
    #[error("the text is too long: {0}")]
    TooLong(#[from] TooLong),
    /// A control character (line break, tab, escape, direction override) could disguise what is shown.
    #[error("the text contains a control character")]
    ControlCharacter,
}

fn is_disguise(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl<const MAX: usize> Text<MAX> {
    /// Takes a text of at most `MAX` bytes.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        const { assert!(MAX <= 65_535, "lengths are u16") };
        if text.len() > MAX {
            return Err(TooLong { length: text.len(), limit: MAX }.into());
        }
        if text.chars().any(is_disguise) {
            return Err(TextError::ControlCharacter);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<const MAX: usize> Encode for Text<MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_count(out, self.0.len());
        out.extend_from_slice(self.0.as_bytes());
    }
}

impl<const MAX: usize> Decode for Text<MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.count("text", MAX)?;
        let bytes = reader.bytes("text", length)?;
        let text = core::str::from_utf8(bytes).map_err(|_| DecodeError::NonCanonical { field: "text" })?;
        Self::new(text).map_err(|_| DecodeError::NonCanonical { field: "text" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_break_its_line_or_turn_around() {
        let disguises =
            "\0\t\n\r\u{1B}\u{7F}\u{85}\u{61C}\u{200E}\u{200F}\u{2028}\u{2029}\u{202A}\u{202E}\u{2066}\u{2069}";
        for character in disguises.chars() {
            let mut text = String::from("ab");
            text.insert(1, character);
            assert_eq!(Text::<8>::new(&text), Err(TextError::ControlCharacter), "{character:?}");
            let mut bytes = Vec::new();
            put_count(&mut bytes, text.len());
            bytes.extend_from_slice(text.as_bytes());
            assert_eq!(Text::<8>::from_bytes(&bytes), Err(DecodeError::NonCanonical { field: "text" }));
        }
        assert!(Text::<8>::new("ა b").is_ok());
    }

    #[test]
    fn limits_count_bytes_of_texts_and_items_of_lists() {
        assert!(Text::<6>::new("ააა").is_err_and(|error| error == TooLong { length: 9, limit: 6 }.into()));
        assert!(Text::<9>::new("ააა").is_ok());
        assert!(List::<u8, 2>::new(Vec::from([1, 2])).is_ok());
        assert_eq!(List::<u8, 2>::new(Vec::from([1, 2, 3])), Err(TooLong { length: 3, limit: 2 }));
    }

    #[test]
    fn only_utf_8_is_text() {
        // An overlong slash, a lone surrogate, a stray continuation byte.
        for bytes in [&[2, 0, 0xC0, 0xAF][..], &[3, 0, 0xED, 0xA0, 0x80], &[1, 0, 0x80]] {
            assert_eq!(Text::<8>::from_bytes(bytes), Err(DecodeError::NonCanonical { field: "text" }));
        }
    }
}
