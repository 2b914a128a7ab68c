//! Compact JWS (RFC 7515, section 7.1) and SD-JWT (RFC 9901): the signed text inside a file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How the base64url text of a JSON object `{"…` begins; by this a JWS is told from any other dotted text.
const HEADER_PREFIX: &[u8] = b"eyJ";

/// The compact JWS in `file`: ASCII white space trimmed at both ends, and for an SD-JWT the part before the first `~`.
///
/// `None` unless it is three non-empty base64url parts and what stands behind a `~` has the form of SD-JWT disclosures (and
/// an optional key-binding JWS). A detached payload (empty middle part) is not in the file and so cannot be anchored this way.
pub(super) fn signed_text(file: &[u8]) -> Option<&[u8]> {
    let mut parts = file.trim_ascii().split(|&byte| byte == b'~');
    let signed = parts.next().filter(|text| is_compact(text))?;
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let is_well_formed = if is_last { part.is_empty() || is_compact(part) } else { is_base64url(part) };
        if !is_well_formed {
            return None;
        }
    }
    Some(signed)
}

/// Whether the text begins as a JWS header does. Together with [`signed_text`] this is the detection rule.
pub(super) fn begins_like_one(file: &[u8]) -> bool {
    file.trim_ascii_start().starts_with(HEADER_PREFIX)
}

/// The decoded payload of a compact JWS that [`signed_text`] returned; `None` if its base64url is not canonical.
pub(super) fn payload(signed: &[u8]) -> Option<Vec<u8>> {
    decode(signed.split(|&byte| byte == b'.').nth(1)?)
}

/// Decodes base64url without padding, refusing non-canonical spellings of the last character.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn is_compact(text: &[u8]) -> bool {
    let mut parts = text.split(|&byte| byte == b'.');
    parts.by_ref().take(3).filter(|part| is_base64url(part)).count() == 3 && parts.next().is_none()
}

fn is_base64url(part: &[u8]) -> bool {
    !part.is_empty() && part.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_text_is_found_between_white_space_and_tilde() {
        for file in [
            "eyJh.eyJi.c",
            " \t\r\n\x0ceyJh.eyJi.c\n",
            "eyJh.eyJi.c~",
            "eyJh.eyJi.c~WyJ~WyK~",
            "eyJh.eyJi.c~WyJ~a.b.c\n",
        ] {
            assert_eq!(signed_text(file.as_bytes()), Some(&b"eyJh.eyJi.c"[..]), "{file:?}");
        }
    }

    #[test]
    fn other_texts_are_not_a_compact_jws() {
        for file in [
            "",
            "eyJh",
            "eyJh.eyJi",
            "eyJh.eyJi.",
            "eyJh..c",
            ".eyJi.c",
            "eyJh.eyJi.c.d",
            "eyJh.eyJi.c.d.e",
            "eyJh.ey=i.c",
            "eyJh.eyJi.c+",
            "eyJh. eyJi.c",
            "eyJh.eyJi.c x",
            "eyJh.eyJi.c\u{a0}",
            "eyJh.eyJi.c~WyJ",
            "eyJh.eyJi.c~~",
            "eyJh.eyJi.c~Wy J~",
            "eyJh.eyJi.c~a.b",
            "~eyJh.eyJi.c",
            "\u{feff}eyJh.eyJi.c",
        ] {
            assert_eq!(signed_text(file.as_bytes()), None, "{file:?}");
        }
    }

    #[test]
    fn decoding_refuses_padding_and_loose_bits() {
        assert_eq!(decode(b"aGk"), Some(b"hi".to_vec()));
        assert_eq!(decode(b"aGl"), None, "bits behind the last byte are not zero");
        assert_eq!(decode(b"aGk="), None);
        assert_eq!(payload(b"eyJh.aGk.c"), Some(b"hi".to_vec()));
    }
}
