//! A look at RocksDB's log files before RocksDB reads them.
//!
//! RocksDB 11.8.1 never returns from opening a database when a record of a manifest or log, other than the file's first, has
//! a recyclable type: `log::Reader::ReadPhysicalRecord` answers "bad record" without stepping over it, and is asked again.
//! One flipped bit makes such a type out of a usual one. Recycling is off in these stores (`create.rs`), so every such
//! type is damage, and is refused here. All else is left to RocksDB, whose checksums this does not repeat.
//!
//! The format, in blocks of 32 KiB that no record crosses: 4 bytes checksum, 2 bytes length (little endian), 1 byte type,
//! then the data.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use sigeli_ledger::store::StoreError;

use crate::create::failed;

const BLOCK_BYTES: usize = 32 * 1_024;
const HEADER_BYTES: usize = 7;

/// Refuses a directory whose manifests or logs would keep RocksDB busy for ever.
pub(crate) fn check(directory: &Path) -> Result<(), StoreError> {
    let reading = |error: io::Error| failed("reading the database's log files", &error);
    for entry in fs::read_dir(directory).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if (name.starts_with("MANIFEST-") || name.ends_with(".log"))
            && has_recyclable_record(&mut File::open(entry.path()).map_err(reading)?).map_err(reading)?
        {
            return Err(StoreError::Corrupt { what: "the database's files" });
        }
    }
    Ok(())
}

fn has_recyclable_record(file: &mut impl Read) -> io::Result<bool> {
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    loop {
        block.clear();
        file.take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(false);
        }
        if block_has_recyclable_record(&block) {
            return Ok(true);
        }
    }
}

/// Follows the lengths as RocksDB does, which gives up a block at the first length that does not fit.
fn block_has_recyclable_record(block: &[u8]) -> bool {
    let mut rest = block;
    while let Some(&[_, _, _, _, low, high, kind]) = rest.first_chunk::<HEADER_BYTES>() {
        // Recyclable full, first, middle, last; their timestamp sizes; their predecessor.
        if matches!(kind, 5..=8 | 11 | 131) {
            return true;
        }
        let length = usize::from(u16::from_le_bytes([low, high]));
        match rest.get(HEADER_BYTES + length..) {
            Some(after) if kind != 0 || length != 0 => rest = after,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, length: u16) -> Vec<u8> {
        let [low, high] = length.to_le_bytes();
        [vec![9, 9, 9, 9, low, high, kind], vec![5; length.into()]].concat()
    }

    fn found(bytes: &[u8]) -> bool {
        has_recyclable_record(&mut &bytes[..]).unwrap()
    }

    #[test]
    fn types_are_looked_at_and_data_are_not() {
        let plain = [record(1, 300), record(2, 5), record(3, 0), record(4, 90), record(9, 4), record(130, 8)].concat();
        assert!(!found(&plain));
        assert!(!found(b""));
        for kind in [5, 6, 7, 8, 11, 131] {
            assert!(found(&[plain.clone(), record(kind, 3)].concat()), "type {kind}");
            assert!(found(&[record(kind, 3), plain.clone()].concat()), "type {kind}");
        }
    }

    #[test]
    fn records_are_found_in_later_blocks_and_after_lengths_that_do_not_fit() {
        let full = u16::try_from(BLOCK_BYTES - HEADER_BYTES).unwrap();
        assert!(!found(&[record(1, full), record(1, 9)].concat()));
        assert!(found(&[record(1, full), record(6, 9)].concat()));
        // Fewer bytes than a header are left in a block: padding.
        assert!(found(&[record(1, full - 6), vec![5; 6], record(5, 9)].concat()));
        let mut overlong = record(1, full);
        overlong[4..6].copy_from_slice(&u16::MAX.to_le_bytes());
        assert!(found(&[overlong.clone(), record(5, 9)].concat()));
        assert!(!found(&[overlong, record(1, 9)].concat()));
        // Zeros, as a file system leaves them: RocksDB skips the block's rest.
        assert!(!found(&[record(1, 4), vec![0; 7], record(5, 1)].concat()));
    }
}
