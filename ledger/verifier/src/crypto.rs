//! The one signature rule: Ed25519, accepted if and only if the key is one that [`PublicKey`] admits and `verify_strict`
//! accepts: canonical `S`, canonical `R` and `A` that are not of small order, cofactorless equation. There is no batch
//! verification anywhere.

use alloc::vec::Vec;
use core::fmt;

use ed25519_dalek::VerifyingKey;

use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::Signature,
};

/// Algorithm byte of an Ed25519 key. Other values are reserved for successors.
pub const ALGORITHM_ED25519: u8 = 1;

/// A public key: an algorithm byte, then the key. Only Ed25519 exists today.
///
/// A value of this type is known to be the canonical encoding of a point that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads the 32 bytes of an Ed25519 key.
    ///
    /// # Errors
    /// [`DecodeError::NonCanonical`] when they are not the canonical encoding of a point (RFC 8032 §5.1.3), or of one of
    /// small order.
    pub fn from_ed25519(bytes: &[u8; 32]) -> Result<Self, DecodeError> {
        match VerifyingKey::from_bytes(bytes) {
            Ok(key) if !key.is_weak() && is_reduced(bytes) => Ok(Self(key)),
            _ => Err(DecodeError::NonCanonical { field: "public_key" }),
        }
    }

    /// The 32 bytes of the Ed25519 key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// Whether the y coordinate (255 bits, little-endian) is below p = 2^255 − 19. The library reduces larger ones instead of
/// refusing them, so that one point would have two encodings. (The other double encoding, x = 0 with the sign bit set, is
/// of small order.)
fn is_reduced(bytes: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = bytes;
    *lowest < 0xED || *highest & 0x7F != 0x7F || middle.iter().any(|byte| *byte != 0xFF)
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({self})")
    }
}

impl Encode for PublicKey {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(ALGORITHM_ED25519);
        out.extend_from_slice(self.as_bytes());
    }
}

impl Decode for PublicKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let algorithm = reader.u8("key_algorithm")?;
        if algorithm != ALGORITHM_ED25519 {
            return Err(DecodeError::UnknownValue { field: "key_algorithm", value: algorithm.into() });
        }
        Self::from_ed25519(&reader.array("public_key")?)
    }
}

/// Whether `signature` is `key`'s over `message`, by the strict rule. The only signature check in the project.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that verifies")]
pub fn verify_signature(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
    key.0.verify_strict(message, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A coordinate whose bytes are those of p but for the lowest (p ends in 0xED), and a sign bit.
    fn beside_p(lowest: u8, sign: u8) -> [u8; 32] {
        let mut bytes = [0xFF; 32];
        bytes[0] = lowest;
        bytes[31] = 0x7F | sign;
        bytes
    }

    #[test]
    fn a_point_has_one_encoding() {
        let mut read_by_the_library = 0;
        for lowest in 0xED..=0xFF {
            for sign in [0, 0x80] {
                let bytes = beside_p(lowest, sign);
                read_by_the_library += usize::from(VerifyingKey::from_bytes(&bytes).is_ok_and(|key| !key.is_weak()));
                assert!(PublicKey::from_ed25519(&bytes).is_err(), "{lowest:#x}");
            }
        }
        // Else this test would show nothing.
        assert!(read_by_the_library > 0);
    }

    #[test]
    fn points_of_small_order_are_no_keys() {
        // y = 1 (order 1), −1 (2), 0 (4, both signs), and the four of order 8.
        let eighth = [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F, 0x2A, 0x20,
            0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ];
        let negated = [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0, 0xD5, 0xDF,
            0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ];
        let mut one = [0; 32];
        one[0] = 1;
        for point in [one, beside_p(0xEC, 0), [0; 32], eighth, negated] {
            for sign in [0, 0x80] {
                let mut bytes = point;
                bytes[31] |= sign;
                assert!(PublicKey::from_ed25519(&bytes).is_err(), "{bytes:02x?}");
            }
        }
        // Both points of order 8 are points at all, or the refusal would show nothing.
        assert!([eighth, negated].iter().all(|bytes| VerifyingKey::from_bytes(bytes).is_ok_and(|key| key.is_weak())));
    }

    #[test]
    fn the_largest_reduced_coordinates_are_read() {
        assert!(is_reduced(&beside_p(0xEC, 0)) && !is_reduced(&beside_p(0xED, 0)));
        let read = (0..0xED).filter(|lowest| PublicKey::from_ed25519(&beside_p(*lowest, 0)).is_ok()).count();
        assert!(read > 50, "{read}");
    }
}
