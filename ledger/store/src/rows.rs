//! Rows: the node-local encoding of values, and the only use of bincode in the project.
//!
//! | bytes | field |
//! |---|---|
//! | 1 | row version, [`ROW_VERSION`] |
//! | 4 | CRC-32 (IEEE, little endian) of version, table name, key and body |
//! | rest | body: bincode 1.3.3, fixed-width little-endian integers, limited, without trailing bytes |
//!
//! The checksum binds a row to its place, so that a row found under another key or in another table is damage. What
//! consensus or hashes depend on stands inside as its canonical encoding. Nothing here is hashed, signed or sent.

use core::fmt;

use bincode::Options as _;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, Visitor},
};
use sigeli_ledger::store::StoreError;
use sigeli_verifier::{
    evidence::EVIDENCE_BYTES_MAX,
    params::{BLOCK_BYTES_MAX, VALIDATORS_MAX},
};

/// The version of every row. A change of any row's fields is a new version.
pub(crate) const ROW_VERSION: u8 = 1;

const PREFIX_BYTES: usize = 1 + 4;
/// Room for the lengths and numbers beside a row's long field.
const FIXED_BYTES_MAX: u64 = 64;
/// A header takes 290 bytes; the limit leaves room for later protocol versions.
const HEADER_BYTES_MAX: u64 = 1_024;

/// The body of a row.
pub(crate) trait Row<'a>: Serialize + Deserialize<'a> {
    /// Largest encoded body, in bytes.
    const BODY_BYTES_MAX: u64;
}

/// Borrowed bytes, written as their length and themselves (a slice would be visited byte by byte).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Bytes<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("borrowed bytes")
            }
            fn visit_borrowed_bytes<E: serde::de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_bytes(Borrow).map_err(D::Error::custom)
    }
}

/// A block, in its canonical encoding.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockRow<'a> {
    #[serde(borrow)]
    pub(crate) block: Bytes<'a>,
}

impl<'a> Row<'a> for BlockRow<'a> {
    const BODY_BYTES_MAX: u64 = BLOCK_BYTES_MAX as u64 + FIXED_BYTES_MAX;
}

/// A header, in its canonical encoding, and its id.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeaderRow<'a> {
    #[serde(borrow)]
    pub(crate) header: Bytes<'a>,
    pub(crate) id: [u8; 32],
}

impl<'a> Row<'a> for HeaderRow<'a> {
    const BODY_BYTES_MAX: u64 = HEADER_BYTES_MAX + FIXED_BYTES_MAX;
}

/// A commit certificate, in its canonical encoding.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CertificateRow<'a> {
    #[serde(borrow)]
    pub(crate) certificate: Bytes<'a>,
}

impl<'a> Row<'a> for CertificateRow<'a> {
    const BODY_BYTES_MAX: u64 = 65 * VALIDATORS_MAX as u64 + FIXED_BYTES_MAX;
}

/// Where a transaction stands.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlaceRow {
    pub(crate) height: u64,
    pub(crate) index: u32,
}

impl Row<'_> for PlaceRow {
    const BODY_BYTES_MAX: u64 = 12;
}

/// The head marker: the newest header with its id, and the history log's frontier.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeadRow<'a> {
    #[serde(borrow)]
    pub(crate) header: Bytes<'a>,
    pub(crate) id: [u8; 32],
    pub(crate) history_size: u64,
    pub(crate) history_peaks: Vec<[u8; 32]>,
}

impl<'a> Row<'a> for HeadRow<'a> {
    const BODY_BYTES_MAX: u64 = HEADER_BYTES_MAX + 64 * 32 + FIXED_BYTES_MAX;
}

/// A piece of evidence: its file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EvidenceRow<'a> {
    #[serde(borrow)]
    pub(crate) file: Bytes<'a>,
}

impl<'a> Row<'a> for EvidenceRow<'a> {
    const BODY_BYTES_MAX: u64 = EVIDENCE_BYTES_MAX as u64 + FIXED_BYTES_MAX;
}

/// The format version of the whole store.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FormatRow {
    pub(crate) version: u32,
}

impl Row<'_> for FormatRow {
    const BODY_BYTES_MAX: u64 = 4;
}

/// The ledger that the store belongs to.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GenesisRow {
    pub(crate) genesis: [u8; 32],
}

impl Row<'_> for GenesisRow {
    const BODY_BYTES_MAX: u64 = 32;
}

/// Bytes that consensus keeps: a row of its log, or a block built here.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConsensusRow<'a> {
    #[serde(borrow)]
    pub(crate) bytes: Bytes<'a>,
}

/// Most bytes in one row of consensus: a block and what may be said about it.
pub(crate) const CONSENSUS_ROW_BYTES_MAX: usize = BLOCK_BYTES_MAX + 64 * 1_024;

impl<'a> Row<'a> for ConsensusRow<'a> {
    const BODY_BYTES_MAX: u64 = CONSENSUS_ROW_BYTES_MAX as u64 + FIXED_BYTES_MAX;
}

/// Encodes a row for its place.
///
/// # Errors
/// [`StoreError::Io`] when the body exceeds its limit.
pub(crate) fn encode<'a, R: Row<'a>>(table: &'static str, key: &[u8], row: &R) -> Result<Vec<u8>, StoreError> {
    let body = options(R::BODY_BYTES_MAX)
        .serialize(row)
        .map_err(|error| StoreError::Io { operation: "encoding a row", detail: format!("{table}: {error}") })?;
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + body.len());
    bytes.push(ROW_VERSION);
    bytes.extend_from_slice(&checksum(ROW_VERSION, table, key, &body).to_le_bytes());
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// Decodes a row found at its place.
///
/// # Errors
/// [`StoreError::Corrupt`], naming the table, unless [`encode`] has given exactly these bytes for this place.
pub(crate) fn decode<'a, R: Row<'a>>(table: &'static str, key: &[u8], bytes: &'a [u8]) -> Result<R, StoreError> {
    let corrupt = StoreError::Corrupt { what: table };
    let Some((&[version, c0, c1, c2, c3], body)) = bytes.split_first_chunk::<PREFIX_BYTES>() else {
        return Err(corrupt);
    };
    let stored = u32::from_le_bytes([c0, c1, c2, c3]);
    if version != ROW_VERSION || stored != checksum(version, table, key, body) {
        return Err(corrupt);
    }
    options(R::BODY_BYTES_MAX).deserialize(body).map_err(|_| corrupt)
}

/// The one configuration; anything laxer accepts several encodings of one value.
fn options(limit: u64) -> impl bincode::Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_little_endian().with_limit(limit).reject_trailing_bytes()
}

/// Keys of one table have one length, so table, key and body cannot run into each other unseen.
fn checksum(version: u8, table: &str, key: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[version]);
    hasher.update(table.as_bytes());
    hasher.update(key);
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "table";
    const KEY: &[u8] = b"key";

    fn corrupt<T>() -> Result<T, StoreError> {
        Err(StoreError::Corrupt { what: TABLE })
    }

    fn head_row(header: &[u8]) -> HeadRow<'_> {
        HeadRow { header: Bytes(header), id: [7; 32], history_size: 6, history_peaks: vec![[1; 32], [2; 32]] }
    }

    #[test]
    fn a_row_has_the_documented_bytes() {
        let bytes = encode(TABLE, KEY, &PlaceRow { height: 0x0102, index: 3 }).unwrap();
        // The checksum was computed with zlib's `crc32` over 01 "table" "key" and the twelve bytes below.
        assert_eq!(bytes[..5], [1, 0x89, 0xBA, 0xB0, 0x32]);
        assert_eq!(bytes[5..], [2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(decode::<PlaceRow>(TABLE, KEY, &bytes), Ok(PlaceRow { height: 0x0102, index: 3 }));
    }

    #[test]
    fn every_flipped_bit_is_detected() {
        let header = [0x5A; 290];
        let row = head_row(&header);
        let bytes = encode(TABLE, KEY, &row).unwrap();
        assert_eq!(decode::<HeadRow<'_>>(TABLE, KEY, &bytes), Ok(row));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode::<HeadRow<'_>>(TABLE, KEY, &flipped), corrupt(), "bit {bit}");
        }
    }

    #[test]
    fn every_other_length_is_detected() {
        let bytes = encode(TABLE, KEY, &head_row(&[1, 2, 3])).unwrap();
        for length in 0..bytes.len() {
            assert_eq!(decode::<HeadRow<'_>>(TABLE, KEY, &bytes[..length]), corrupt(), "{length} bytes");
        }
        let longer = [bytes, vec![0]].concat();
        assert_eq!(decode::<HeadRow<'_>>(TABLE, KEY, &longer), corrupt());
    }

    /// A row whose checksum is right, so that only the decoder can refuse it.
    fn sealed(version: u8, body: &[u8]) -> Vec<u8> {
        [&[version][..], &checksum(version, TABLE, KEY, body).to_le_bytes(), body].concat()
    }

    #[test]
    fn bytes_after_the_body_other_versions_and_false_lengths_are_refused_below_a_right_checksum() {
        let body = [2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0];
        assert!(decode::<PlaceRow>(TABLE, KEY, &sealed(ROW_VERSION, &body)).is_ok());
        assert_eq!(decode::<PlaceRow>(TABLE, KEY, &sealed(ROW_VERSION, &[&body[..], &[0]].concat())), corrupt());
        assert_eq!(decode::<PlaceRow>(TABLE, KEY, &sealed(ROW_VERSION, &body[..11])), corrupt());
        assert_eq!(decode::<PlaceRow>(TABLE, KEY, &sealed(0, &body)), corrupt());
        assert_eq!(decode::<PlaceRow>(TABLE, KEY, &sealed(2, &body)), corrupt());
        // A length of 2^56 must end the decoding, not the process.
        let huge = (1_u64 << 56).to_le_bytes();
        assert_eq!(decode::<ConsensusRow<'_>>(TABLE, KEY, &sealed(ROW_VERSION, &huge)), corrupt());
        let peaks = [&0_u64.to_le_bytes()[..], &[0; 32], &6_u64.to_le_bytes(), &huge].concat();
        assert_eq!(decode::<HeadRow<'_>>(TABLE, KEY, &sealed(ROW_VERSION, &peaks)), corrupt());
    }

    #[test]
    fn a_row_is_bound_to_its_place() {
        let bytes = encode(TABLE, KEY, &FormatRow { version: 1 }).unwrap();
        assert_eq!(decode::<FormatRow>(TABLE, b"kex", &bytes), corrupt());
        assert!(decode::<FormatRow>("other", KEY, &bytes).is_err());
    }

    #[test]
    fn limits_hold_when_writing() {
        let long = vec![0; CONSENSUS_ROW_BYTES_MAX + 1_024];
        let written = encode(TABLE, KEY, &ConsensusRow { bytes: Bytes(&long) });
        assert!(matches!(written, Err(StoreError::Io { operation: "encoding a row", .. })));
        let most = vec![0xFF; CONSENSUS_ROW_BYTES_MAX];
        let bytes = encode(TABLE, KEY, &ConsensusRow { bytes: Bytes(&most) }).unwrap();
        assert_eq!(decode(TABLE, KEY, &bytes), Ok(ConsensusRow { bytes: Bytes(&most) }));
    }
}
