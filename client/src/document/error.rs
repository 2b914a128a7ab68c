//! Why a file cannot be anchored under a profile, with a stable code and a sentence a clerk can act on.

use std::fmt;

use super::badge::Picture;

/// A place in a text, for a person who looks for it in an editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
}

impl Position {
    /// The position of byte `offset` of `text`; an offset behind the end counts as the end. Linear in `offset`.
    pub(super) fn at(text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let is_char_start = |byte: &&u8| **byte & 0xC0 != 0x80;
        Self {
            line: before.iter().filter(|&&byte| byte == b'\n').count() + 1,
            column: before.iter().skip(line_start).filter(is_char_start).count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

/// Why a file has no canonical bytes under the profile that was detected or asked for.
///
/// Every one is a property of the file: trying again changes nothing. Anchoring the same file under the RAW profile
/// always works, which is what each message says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The JSON text is larger than [`JSON_SIZE_BYTES_MAX`](super::JSON_SIZE_BYTES_MAX).
    #[error(
        "the file has {size_bytes} bytes, JSON may have {size_bytes_max}; cannot be anchored as JSON; anchor as a file"
    )]
    JsonTooLarge {
        /// Size of the file in bytes.
        size_bytes: usize,
        /// The limit in bytes.
        size_bytes_max: usize,
    },
    /// Arrays and objects are nested deeper than [`JSON_DEPTH_MAX`](super::JSON_DEPTH_MAX).
    #[error(
        "values are nested deeper than {depth_max} levels ({position}); cannot be anchored as JSON; anchor as a file"
    )]
    JsonTooDeep {
        /// The limit in levels.
        depth_max: usize,
        /// Where the first level too many opens.
        position: Position,
    },
    /// The text begins with a byte order mark, which some programs skip and others refuse.
    #[error("the file begins with a byte order mark; cannot be anchored as JSON; anchor as a file")]
    JsonByteOrderMark,
    /// The text is not UTF-8.
    #[error("the text is not valid UTF-8 ({position}); cannot be anchored as JSON; anchor as a file")]
    JsonNotUtf8 {
        /// Where the first invalid byte stands.
        position: Position,
    },
    /// The text does not follow the grammar of RFC 8259.
    #[error("JSON syntax error: expected {expected} ({position}); cannot be anchored as JSON; anchor as a file")]
    JsonSyntax {
        /// What the grammar asks for there.
        expected: &'static str,
        /// Where it is missing.
        position: Position,
    },
    /// A `\uD800`–`\uDFFF` escape that is not half of a pair: it is not a character.
    #[error("a \\u escape is half of a character ({position}); cannot be anchored as JSON; anchor as a file")]
    JsonLoneSurrogate {
        /// Where the escape begins.
        position: Position,
    },
    /// One object has the same name twice (after unescaping): programs differ in which value they take.
    #[error("the name “{name}” occurs twice in one object ({position}); cannot be anchored as JSON; anchor as a file")]
    JsonDuplicateName {
        /// The name, cleaned and shortened for display.
        name: String,
        /// Where the second occurrence begins.
        position: Position,
    },
    /// An integer written without fraction or exponent is beyond ±[`JSON_INTEGER_MAX`](super::JSON_INTEGER_MAX):
    /// programs differ in how they round it.
    #[error("an integer is beyond ±9007199254740991 ({position}); cannot be anchored as JSON; anchor as a file")]
    JsonIntegerTooLarge {
        /// Where the number begins.
        position: Position,
    },
    /// A number is too large for an IEEE 754 double.
    #[error("a number is too large ({position}); cannot be anchored as JSON; anchor as a file")]
    JsonNumberTooLarge {
        /// Where the number begins.
        position: Position,
    },
    /// JSON was asked for and the text is an array or a single value; only objects are credentials.
    #[error("the JSON text is not an object; cannot be anchored as JSON; anchor as a file")]
    JsonNotAnObject,
    /// The text is not three base64url parts separated by dots (with well-formed SD-JWT parts behind `~`, if any).
    #[error("the text is not a compact JWS; cannot be anchored as a signed text; anchor as a file")]
    JwsMalformed,
    /// The object is not a JWS in JSON serialisation (RFC 7515, section 7.2).
    #[error("the object is not a JWS in JSON serialisation; cannot be anchored as JSON; anchor as a file")]
    JadesMalformed,
    /// A protected header is not base64url of a strict JSON object, or says `b64` in a way RFC 7797 does not allow.
    #[error("the protected header of signature {number} is not valid; cannot be anchored as JSON; anchor as a file")]
    JadesProtectedHeader {
        /// Which signature, counted from 1.
        number: usize,
    },
    /// The signatures disagree on `b64`, so that they would sign different payloads.
    #[error("the signatures disagree on how the payload is encoded; cannot be anchored as JSON; anchor as a file")]
    JadesEncodingDisagreement,
    /// The payload is not canonical base64url without padding although no header says `b64: false`.
    #[error("the payload is not valid base64url; cannot be anchored as JSON; anchor as a file")]
    JadesPayloadEncoding,
    /// The payload is empty (a detached signature): the credential itself is not in this file.
    #[error("the payload is empty, the credential is not in this file; cannot be anchored as JSON; anchor as a file")]
    JadesPayloadEmpty,
    /// The picture is damaged, or the badge in it is not written as its format asks.
    #[error(
        "the {} picture is damaged, or its badge is not written properly; cannot be anchored as a badge; anchor as a file",
        picture.name()
    )]
    BadgePictureMalformed {
        /// The kind of picture.
        picture: Picture,
    },
    /// The picture holds several credentials: programs differ in which they take.
    #[error("the picture holds more than one credential; cannot be anchored as a badge; anchor as a file")]
    BadgeAmbiguous,
    /// The credential in the picture, or the SVG, is larger than [`JSON_SIZE_BYTES_MAX`](super::JSON_SIZE_BYTES_MAX).
    #[error("the badge in the picture is larger than 16777216 bytes; cannot be anchored as a badge; anchor as a file")]
    BadgeTooLarge,
    /// The picture holds no credential (or only the address of one).
    #[error("the picture holds no credential; anchor as a file")]
    BadgeMissing,
}

impl DocumentError {
    /// A stable, machine-readable name; never changes its meaning once published.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::JsonTooLarge { .. } => "json_too_large",
            Self::JsonTooDeep { .. } => "json_too_deep",
            Self::JsonByteOrderMark => "json_byte_order_mark",
            Self::JsonNotUtf8 { .. } => "json_not_utf8",
            Self::JsonSyntax { .. } => "json_syntax",
            Self::JsonLoneSurrogate { .. } => "json_lone_surrogate",
            Self::JsonDuplicateName { .. } => "json_duplicate_name",
            Self::JsonIntegerTooLarge { .. } => "json_integer_too_large",
            Self::JsonNumberTooLarge { .. } => "json_number_too_large",
            Self::JsonNotAnObject => "json_not_an_object",
            Self::JwsMalformed => "jws_malformed",
            Self::JadesMalformed => "jades_malformed",
            Self::JadesProtectedHeader { .. } => "jades_protected_header",
            Self::JadesEncodingDisagreement => "jades_encoding_disagreement",
            Self::JadesPayloadEncoding => "jades_payload_encoding",
            Self::JadesPayloadEmpty => "jades_payload_empty",
            Self::BadgePictureMalformed { .. } => "badge_picture_malformed",
            Self::BadgeAmbiguous => "badge_ambiguous",
            Self::BadgeTooLarge => "badge_too_large",
            Self::BadgeMissing => "badge_missing",
        }
    }
}
