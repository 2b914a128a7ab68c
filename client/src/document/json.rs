//! Strict JSON: the subset of RFC 8259 that every program reads alike, and its canonical form (RFC 8785, "JCS").
//!
//! A general JSON library reads what it can: duplicate names silently lose a value, 30-digit integers are rounded. Here
//! that would let two documents share a digest, or let one document say different things to two readers. So the reader is
//! our own, over one pass and with a typed error for each refusal, and the writer is the RFC's listed Rust library. Tests
//! hold the reader against `serde_json` (whatever it accepts, that reads alike) and JSONTestSuite.
//!
//! Numbers are IEEE 754 doubles, as RFC 8785 has it: literals that round to one double are one value, and a literal too
//! close to zero for a double is zero, in every double-based reader alike. Overflow, which readers treat differently
//! (infinity, an error, the largest double), is refused.

use serde_json::{Map, Number, Value};

use super::error::{DocumentError, Position};
use super::text;

/// Largest JSON text that is read, in bytes (16 MiB).
pub const JSON_SIZE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Deepest nesting of arrays and objects that is read, in levels; a scalar has depth 0, `[]` has depth 1.
pub const JSON_DEPTH_MAX: usize = 64;

/// Largest magnitude of a number written as an integer: 2^53 − 1, the last one below which doubles skip no integer.
pub const JSON_INTEGER_MAX: i64 = (1 << 53) - 1;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const DUPLICATE_NAME_CHARS_MAX: usize = 64;

/// A JSON value that came through the strict reader: no duplicate names, no lone surrogates, no number that readers
/// disagree on, at most [`JSON_DEPTH_MAX`] levels.
#[derive(Debug, Clone, PartialEq)]
pub struct StrictJson(Value);

impl StrictJson {
    /// Reads one JSON value that fills `file` but for white space.
    ///
    /// # Errors
    /// One `json_…` code of [`DocumentError`] per rule; the first violation in text order wins.
    pub fn read(file: &[u8]) -> Result<Self, DocumentError> {
        if file.len() > JSON_SIZE_BYTES_MAX {
            return Err(DocumentError::JsonTooLarge { size_bytes: file.len(), size_bytes_max: JSON_SIZE_BYTES_MAX });
        }
        if file.starts_with(BYTE_ORDER_MARK) {
            return Err(DocumentError::JsonByteOrderMark);
        }
        let text = std::str::from_utf8(file)
            .map_err(|error| DocumentError::JsonNotUtf8 { position: Position::at(file, error.valid_up_to()) })?;
        let mut reader = Reader { text, offset: 0 };
        reader.skip_white_space();
        let value = reader.value(0)?;
        reader.skip_white_space();
        if reader.offset < text.len() {
            return Err(reader.expected("the end of the text"));
        }
        Ok(Self(value))
    }

    /// The value, for looking things up in it.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// The members, if the value is an object.
    pub(super) const fn object(&self) -> Option<&Map<String, Value>> {
        match &self.0 {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A value that was put together from parts of strictly read ones.
    pub(super) const fn of_value(value: Value) -> Self {
        Self(value)
    }

    /// Takes a member out of the outermost object, if there is one of that name.
    pub(super) fn take_top_level(&mut self, name: &str) -> Option<Value> {
        match &mut self.0 {
            Value::Object(members) => members.remove(name),
            _ => None,
        }
    }

    /// The canonical form of RFC 8785: no white space, names in UTF-16 order, ECMAScript's number format.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        serde_json_canonicalizer::to_vec(&self.0)
            .expect("a strictly read value holds only finite numbers and string keys, and a Vec accepts every write")
    }
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn take_if(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.offset += usize::from(found);
        found
    }

    fn skip_while(&mut self, belongs: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&belongs) {
            self.offset += 1;
        }
    }

    fn skip_white_space(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn position_of(&self, offset: usize) -> Position {
        Position::at(self.text.as_bytes(), offset)
    }

    fn expected(&self, expected: &'static str) -> DocumentError {
        DocumentError::JsonSyntax { expected, position: self.position_of(self.offset) }
    }

    /// Reads a value inside `depth` open arrays and objects. The recursion ends at [`JSON_DEPTH_MAX`].
    fn value(&mut self, depth: usize) -> Result<Value, DocumentError> {
        match self.peek() {
            Some(b'{') => self.nested(depth, Self::object),
            Some(b'[') => self.nested(depth, Self::array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn nested(
        &mut self,
        depth: usize,
        read: fn(&mut Self, usize) -> Result<Value, DocumentError>,
    ) -> Result<Value, DocumentError> {
        if depth == JSON_DEPTH_MAX {
            return Err(DocumentError::JsonTooDeep {
                depth_max: JSON_DEPTH_MAX,
                position: self.position_of(self.offset),
            });
        }
        self.offset += 1; // the bracket that `value` saw
        self.skip_white_space();
        read(self, depth + 1)
    }

    fn array(&mut self, depth: usize) -> Result<Value, DocumentError> {
        let mut items = Vec::new();
        if self.take_if(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.skip_white_space();
            items.push(self.value(depth)?);
            self.skip_white_space();
            if self.take_if(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take_if(b',') {
                return Err(self.expected("“,” or “]”"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, DocumentError> {
        let mut members = Map::new();
        if self.take_if(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_white_space();
            let name_offset = self.offset;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a name in quotation marks"));
            }
            let name = self.string()?;
            if members.contains_key(&name) {
                return Err(DocumentError::JsonDuplicateName {
                    name: text::cleaned(&name, DUPLICATE_NAME_CHARS_MAX),
                    position: self.position_of(name_offset),
                });
            }
            self.skip_white_space();
            if !self.take_if(b':') {
                return Err(self.expected("“:”"));
            }
            self.skip_white_space();
            let value = self.value(depth)?;
            members.insert(name, value);
            self.skip_white_space();
            if self.take_if(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take_if(b',') {
                return Err(self.expected("“,” or “}”"));
            }
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, DocumentError> {
        let rest = self.text.as_bytes().get(self.offset..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.expected("a value"));
        }
        self.offset += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Number, DocumentError> {
        let start = self.offset;
        self.take_if(b'-');
        if !self.take_if(b'0') {
            self.digits()?;
        }
        let mut is_integer = true;
        if self.take_if(b'.') {
            is_integer = false;
            self.digits()?;
        }
        if self.take_if(b'e') || self.take_if(b'E') {
            is_integer = false;
            if !self.take_if(b'-') {
                self.take_if(b'+');
            }
            self.digits()?;
        }
        let literal = self.text.get(start..self.offset).unwrap_or_default();
        if is_integer {
            literal
                .parse::<i64>()
                .ok()
                .filter(|integer| integer.unsigned_abs() <= JSON_INTEGER_MAX.unsigned_abs())
                .map(Number::from)
                .ok_or_else(|| DocumentError::JsonIntegerTooLarge { position: self.position_of(start) })
        } else {
            // The standard library rounds to the nearest double; overflow gives an infinity, which `from_f64` refuses.
            literal
                .parse::<f64>()
                .ok()
                .and_then(Number::from_f64)
                .ok_or_else(|| DocumentError::JsonNumberTooLarge { position: self.position_of(start) })
        }
    }

    fn digits(&mut self) -> Result<(), DocumentError> {
        let start = self.offset;
        self.skip_while(|byte| byte.is_ascii_digit());
        if self.offset == start { Err(self.expected("a digit")) } else { Ok(()) }
    }

    /// Reads a string from its opening quotation mark.
    fn string(&mut self) -> Result<String, DocumentError> {
        self.offset += 1;
        let mut string = String::new();
        loop {
            let start = self.offset;
            self.skip_while(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
            string.push_str(self.text.get(start..self.offset).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.offset += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return Err(self.expected("a control character to be escaped")),
                None => return Err(self.expected("a closing quotation mark")),
            }
        }
    }

    /// Reads an escape from its backslash.
    fn escape(&mut self) -> Result<char, DocumentError> {
        let start = self.offset;
        self.offset += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(self.expected("one of \" \\ / b f n r t u behind a backslash")),
        };
        self.offset += 1;
        Ok(character)
    }

    /// Reads the rest of a `\uXXXX` escape from its `u`, and the low half behind a high one.
    fn unicode_escape(&mut self, start: usize) -> Result<char, DocumentError> {
        let mut units = [self.code_unit()?, 0];
        let mut unit_count = 1;
        if (0xD800..=0xDBFF).contains(&units[0]) {
            let rest = self.text.as_bytes().get(self.offset..).unwrap_or_default();
            if !rest.starts_with(b"\\u") {
                return Err(self.lone_surrogate(start));
            }
            self.offset += 1;
            units[1] = self.code_unit()?;
            unit_count = 2;
        }
        match char::decode_utf16(units.into_iter().take(unit_count)).next() {
            Some(Ok(character)) => Ok(character),
            _ => Err(self.lone_surrogate(start)),
        }
    }

    fn lone_surrogate(&self, start: usize) -> DocumentError {
        DocumentError::JsonLoneSurrogate { position: self.position_of(start) }
    }

    /// Reads `uXXXX`.
    fn code_unit(&mut self) -> Result<u16, DocumentError> {
        self.offset += 1;
        let digits = self.text.as_bytes().get(self.offset..self.offset + 4).unwrap_or_default();
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.expected("four hexadecimal digits"));
        }
        self.offset += 4;
        u16::from_str_radix(digits, 16).map_err(|_| self.expected("four hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests;
