//! Base45 (RFC 9285): bytes in the 45 characters that a QR code holds most densely, two bytes in three characters.

/// The alphabet, RFC 9285 table 1.
pub(super) const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const BASE: u32 = 45;

/// The text of some bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let digit = |value: u32| char::from(ALPHABET[usize::try_from(value % BASE).expect("below 45")]);
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for pair in bytes.chunks(2) {
        match *pair {
            [first, second] => {
                let value = u32::from(first) * 256 + u32::from(second);
                text.extend([digit(value), digit(value / BASE), digit(value / BASE / BASE)]);
            }
            [last] => text.extend([digit(last.into()), digit(u32::from(last) / BASE)]),
            _ => unreachable!("chunks of two hold one or two"),
        }
    }
    text
}

/// The bytes of a text; `None` when it is not Base45: another character, a length of 1 more than a multiple of 3, or a group
/// above what its bytes can hold.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| ALPHABET.iter().position(|known| known == byte).and_then(|at| u32::try_from(at).ok());
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for group in text.as_bytes().chunks(3) {
        let digits = group.iter().map(digit).collect::<Option<Vec<_>>>()?;
        match digits[..] {
            [c, d, e] => {
                let value = u16::try_from(c + BASE * d + BASE * BASE * e).ok()?;
                bytes.extend(value.to_be_bytes());
            }
            [c, d] => bytes.push(u8::try_from(c + BASE * d).ok()?),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn vectors_of_the_rfc() {
        for (bytes, text) in
            [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("ietf!", "QED8WEX0"), ("", "")]
        {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        // RFC 9285, section 6: FFFF is FGW, and GGW would be 65,536.
        assert_eq!(encode(&[0xFF, 0xFF]), "FGW");
        assert_eq!(decode("FGW").as_deref(), Some(&[0xFF, 0xFF][..]));
        // One byte: 255 is U5, and V5 would be 256.
        assert_eq!(encode(&[0xFF]), "U5");
        assert_eq!(decode("U5").as_deref(), Some(&[0xFF][..]));
        for refused in ["GGW", ":::", "V5", "::", "A", "AAAA", "BB8a", "bb8", "BB\u{0661}", "BB8\n"] {
            assert_eq!(decode(refused), None, "{refused:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_and_one_text_is_theirs(bytes: Vec<u8>) {
            let text = encode(&bytes);
            prop_assert_eq!(text.len(), bytes.len() / 2 * 3 + bytes.len() % 2 * 2);
            prop_assert_eq!(decode(&text), Some(bytes));
        }

        #[test]
        fn whatever_is_read_is_written_the_same(text in "[0-9A-Z $%*+./:-]{0,40}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
