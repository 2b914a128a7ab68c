//! The high-water mark: how many heights this store has once made durable, in a file of its own.
//!
//! RocksDB's log has no end mark. When the length of a record in its last log file is damaged, recovery takes the rest for
//! a torn tail and drops it without an error. The mark is written after each synced commit and not synced itself: after a
//! crash it may say less than the truth, never more. So a mark above the head proves that heights were lost.
//!
//! | bytes | field |
//! |---|---|
//! | 8 | number of heights, little endian |
//! | 4 | CRC-32 of these, little endian |

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use sigeli_ledger::store::StoreError;

use crate::create::{OpenError, failed, sync_directory};

const NAME: &str = "ACKNOWLEDGED";
const BYTES: usize = 12;

/// The open file.
pub(crate) struct Mark {
    file: File,
}

impl Mark {
    /// Compares the mark with the number of heights found, and brings it up to date. A missing or empty file is taken for
    /// a mark of 0: a restored backup has none, and a power cut may come before the first one reaches the disk.
    pub(crate) fn open(directory: &Path, found: u64) -> Result<Self, OpenError> {
        let (mut mark, acknowledged) = Self::read(directory).map_err(|error| failed("reading the mark", &error))?;
        let acknowledged = acknowledged.ok_or(StoreError::Corrupt { what: "the mark of acknowledged heights" })?;
        if acknowledged > found {
            return Err(OpenError::HeightsLost { acknowledged, found });
        }
        mark.set(found)?;
        mark.file
            .sync_all()
            .and_then(|()| sync_directory(directory))
            .map_err(|error| failed("syncing the mark", &error))?;
        Ok(mark)
    }

    /// `None` for a file that is not a mark.
    fn read(directory: &Path) -> io::Result<(Self, Option<u64>)> {
        let path = directory.join(NAME);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(BYTES as u64 + 1).read_to_end(&mut bytes)?;
        let acknowledged = if bytes.is_empty() { Some(0) } else { decode(&bytes) };
        Ok((Self { file }, acknowledged))
    }

    /// Notes that this many heights are durable.
    pub(crate) fn set(&mut self, heights: u64) -> Result<(), StoreError> {
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(&encode(heights)))
            .map_err(|error| failed("writing the mark", &error))
    }
}

fn encode(heights: u64) -> [u8; BYTES] {
    let number = heights.to_le_bytes();
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&number);
    bytes[8..].copy_from_slice(&crc32fast::hash(&number).to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<u64> {
    let heights = u64::from_le_bytes(*bytes.first_chunk()?);
    (bytes == encode(heights)).then_some(heights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_above_what_is_found_is_a_loss() {
        let directory = tempfile::tempdir().unwrap();
        Mark::open(directory.path(), 0).unwrap().set(5).unwrap();
        let error = Mark::open(directory.path(), 4).err();
        assert_eq!(error, Some(OpenError::HeightsLost { acknowledged: 5, found: 4 }));
        drop(Mark::open(directory.path(), 7).unwrap());
        let error = Mark::open(directory.path(), 6).err();
        assert_eq!(error, Some(OpenError::HeightsLost { acknowledged: 7, found: 6 }));
    }

    #[test]
    fn every_flipped_bit_and_other_length_is_detected() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(NAME);
        let corrupt = Some(OpenError::Store(StoreError::Corrupt { what: "the mark of acknowledged heights" }));
        let bytes = encode(0x0123_4567);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, flipped).unwrap();
            assert_eq!(Mark::open(directory.path(), u64::MAX).err(), corrupt, "bit {bit}");
        }
        for length in 1..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert_eq!(Mark::open(directory.path(), u64::MAX).err(), corrupt, "{length} bytes");
        }
        std::fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
        assert_eq!(Mark::open(directory.path(), u64::MAX).err(), corrupt);
    }
}
