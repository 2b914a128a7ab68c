//! Tables: RocksDB's column families as types, with key encoding, row type and tuning.
//!
//! Numbers in keys are big endian, so that RocksDB's order of bytes is the order of numbers.

use rocksdb::{BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, Options};
use sigeli_verifier::ids::{EvidenceId, Height, Round, TransactionId, ValidatorAddress};

use crate::rows::{
    BlockRow, CertificateRow, ConsensusRow, EvidenceRow, FormatRow, GenesisRow, HeadRow, HeaderRow, PlaceRow, Row,
};

/// The version of the set of tables and their keys. A change is a new version, and needs a migration.
pub(crate) const FORMAT_VERSION: u32 = 2;

/// A kind of row and its key. Several kinds may share a column family if their keys differ.
pub(crate) trait Table {
    /// The column family.
    const NAME: &'static str;
    /// What a row is found by.
    type Key;
    /// The row.
    type Row<'a>: Row<'a>;
    /// The key's bytes: one length per column family, or distinct names.
    fn key(key: &Self::Key) -> Vec<u8>;
}

macro_rules! table {
    ($(#[$doc:meta])* $name:ident = $family:literal, $key:ty => $row:ty, $encode:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Table for $name {
            const NAME: &'static str = $family;
            type Key = $key;
            type Row<'a> = $row;
            fn key(key: &Self::Key) -> Vec<u8> {
                let encode: fn(&$key) -> Vec<u8> = $encode;
                encode(key)
            }
        }
    };
}

table!(/** Blocks. */ Blocks = "blocks", Height => BlockRow<'a>, height_key);
table!(/** Headers, apart from their blocks: they are read far more often. */
    Headers = "headers", Height => HeaderRow<'a>, height_key);
table!(/** Certificates. */ Certificates = "certificates", Height => CertificateRow<'a>, height_key);
table!(/** Where transactions stand. */
    Transactions = "transactions", TransactionId => PlaceRow, |id| id.get().to_vec());
table!(/** The format version. */ Format = "meta", () => FormatRow, |()| b"format".to_vec());
table!(/** The ledger. */ Genesis = "meta", () => GenesisRow, |()| b"genesis".to_vec());
table!(/** The newest height. */ HeadMarker = "meta", () => HeadRow<'a>, |()| b"head".to_vec());
table!(/** The consensus log: rows by height and sequence. */
    ConsensusRows = "consensus", (Height, u64) => ConsensusRow<'a>,
    |(height, sequence)| [height.get().to_be_bytes(), sequence.to_be_bytes()].concat());
table!(/** Blocks built here and not yet decided. */
    BuiltBlocks = "built", (Height, Round) => ConsensusRow<'a>,
    |(height, round)| [&height.get().to_be_bytes()[..], &round.get().to_be_bytes()].concat());
table!(/** Evidence against validators, by validator and name. */
    EvidenceRows = "evidence", (ValidatorAddress, EvidenceId) => EvidenceRow<'a>,
    |(validator, id)| [&validator.get()[..], &id.get()].concat());

/// State entries: keys and values are the ledger's own bytes, without a row around them. Their integrity is that of
/// RocksDB's checksummed blocks, and the state root.
pub(crate) const STATE: &str = "state";

/// Every column family.
pub(crate) const FAMILIES: [&str; 9] = [
    Blocks::NAME,
    Headers::NAME,
    Certificates::NAME,
    Transactions::NAME,
    STATE,
    Format::NAME,
    ConsensusRows::NAME,
    BuiltBlocks::NAME,
    EvidenceRows::NAME,
];

/// The key of a height, which is also the prefix of the rows kept for it.
pub(crate) fn height_key(height: &Height) -> Vec<u8> {
    height.get().to_be_bytes().to_vec()
}

/// The height at the start of a key.
pub(crate) fn height_of(key: &[u8]) -> Option<Height> {
    key.first_chunk().map(|bytes| Height::new(u64::from_be_bytes(*bytes)))
}

/// The column families with their tuning, over one shared cache.
pub(crate) fn descriptors(cache: &Cache) -> Vec<ColumnFamilyDescriptor> {
    FAMILIES.iter().map(|name| ColumnFamilyDescriptor::new(*name, tuning(name, cache))).collect()
}

fn tuning(name: &str, cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    // Index and filter blocks count against the cache: memory stays bounded however large the ledger grows.
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    // In parts of a block each: the index and the filter of a whole file have megabytes, more than a shard of the cache
    // holds, and would be read from the file at every lookup.
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_metadata_block_size(4 * 1_024);
    table.set_pin_top_level_index_and_filter(true);
    // From 6 on, checksums depend on a block's place and the footer has its own.
    table.set_format_version(6);
    let mut options = Options::default();
    let compression = match name {
        // Read rarely and in sequence; names and statuses repeat.
        "blocks" => DBCompressionType::Zstd,
        "headers" | STATE => DBCompressionType::Lz4,
        // Hashes, signatures, or gone before they are compacted.
        _ => DBCompressionType::None,
    };
    options.set_compression_type(compression);
    if matches!(name, STATE | "transactions") {
        // Point reads of keys that are often absent. Ten bits a key: one false hit in a hundred.
        table.set_bloom_filter(10.0, false);
        table.set_whole_key_filtering(true);
    }
    options.set_block_based_table_factory(&table);
    options
}
