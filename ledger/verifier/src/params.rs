//! Every limit of the protocol, in one place, with the relations between them as constant assertions.
//!
//! A value here is part of the protocol: changing one is a `protocol:` commit with an activation height.

/// The protocol version written into every header.
pub const PROTOCOL_VERSION: u16 = 1;

/// Smallest height of a batch tree: 16 leaves, so that a batch never tells how few credentials it holds.
pub const BATCH_HEIGHT_MIN: u8 = 4;
/// Largest height of a batch tree: 1,048,576 leaves.
pub const BATCH_HEIGHT_MAX: u8 = 20;
/// Most leaves in one batch.
pub const BATCH_LEAVES_MAX: u32 = 1 << BATCH_HEIGHT_MAX;

/// Most status entries in one transaction.
pub const STATUSES_PER_TRANSACTION_MAX: usize = 1_024;
/// Largest encoded signed transaction, in bytes.
pub const TRANSACTION_BYTES_MAX: usize = 64 * 1_024;
/// Most signatures on one transaction: every key of every authority may sign a joint one.
pub const SIGNATURES_PER_TRANSACTION_MAX: usize = 512;
/// Most transactions in one block.
pub const TRANSACTIONS_PER_BLOCK_MAX: usize = 10_000;
/// Largest encoded block, in bytes.
pub const BLOCK_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Most validators in one set.
pub const VALIDATORS_MAX: usize = 100;
/// Most authorities on one ledger.
pub const AUTHORITIES_MAX: usize = 32;
/// Most keys of one authority.
pub const AUTHORITY_KEYS_MAX: usize = 16;
/// Most keys given to an institution in one transaction.
pub const INSTITUTION_KEYS_MAX: usize = 16;
/// Most keys that one institution ever has, retired ones included.
pub const INSTITUTION_KEYS_TOTAL_MAX: u16 = 1_024;
/// How many of these only the quality agency gives, so that it can help when an institution's own additions, or those of
/// a thief of its administrating key, have used up the others.
pub const INSTITUTION_KEYS_RESERVED: u16 = 64;
/// Most keys neither retired nor declared compromised to which an institution may bring itself. The quality agency is not
/// bound by it.
pub const INSTITUTION_KEYS_USABLE_MAX: u16 = 64;
/// Most institutions that award a programme together with the one that coordinates it.
pub const PARTNERS_MAX: usize = 16;
/// Most programmes that one institution coordinates.
pub const PROGRAMMES_MAX: u32 = 65_536;
/// Most pieces of evidence that a node keeps against one validator: the first ones. One is enough to act on, and a faulty
/// validator must not fill the disk.
pub const EVIDENCE_PER_VALIDATOR_MAX: usize = 64;
/// Most entries in the history of one permission.
pub const PERMISSION_ENTRIES_MAX: u32 = 64;
/// Most standings that a permission's record holds: the present one and what is announced for later days.
pub const PERMISSION_STANDINGS_MAX: usize = 4;
/// Most authorisations, and most Minister's orders, of one institution that live at once: their days have not ended, and
/// they are neither withdrawn nor has another one taken their place.
pub const PERMISSIONS_LIVE_MAX: usize = 64;
/// The same with withdrawn ones, which are looked at until their days end.
pub const PERMISSIONS_JUDGED_MAX: usize = 256;
/// The number of entries in the history of one credential, or of one batch, from which its institution suspends no more.
/// Reinstatements, ends (revocation, replacement) and orders of the quality agency are not bound by it.
pub const STATUS_ENTRIES_MAX: u32 = 64;
/// The fewest blocks between the one that schedules an upgrade and the one from which it counts.
pub const UPGRADE_NOTICE_BLOCKS_MIN: u64 = 100;
/// Most ranges of compromised keys that an institution record lists.
pub const COMPROMISED_RANGES_MAX: usize = 16;
/// Longest institution or programme name, in UTF-8 bytes.
pub const NAME_BYTES_MAX: usize = 192;
/// Longest legal identification code, in ASCII bytes.
pub const LEGAL_ID_BYTES_MAX: usize = 32;
/// Most field-of-study prefixes in one permission.
pub const FIELDS_PER_PERMISSION_MAX: usize = 64;

/// Deepest leaf of a register: keys have 256 bits.
pub const REGISTER_DEPTH_MAX: u16 = 256;
/// Longest prefix of register keys whose entries are fetched as a whole, in bits.
pub const REGISTER_PREFIX_BITS_MAX: u8 = 16;
/// Longest name of a register entry, in bytes.
pub const REGISTER_NAME_BYTES_MAX: usize = 64;
/// Longest value of a register entry, in bytes.
pub const REGISTER_VALUE_BYTES_MAX: usize = 32 * 1_024;
/// Most register entries in one page of a download.
pub const REGISTER_PAGE_ENTRIES_MAX: usize = 1_024;
/// Largest encoded page of register entries, in bytes.
pub const REGISTER_PAGE_BYTES_MAX: usize = 512 * 1_024;
/// Most entries of a register that is downloaded as a whole in any order. Statuses come in order and have no such limit.
pub const REGISTER_DOWNLOAD_ENTRIES_MAX: usize = 1 << 20;
/// Most batches in one proved page.
pub const BATCH_PAGE_MAX: u32 = 256;
/// Most hashes in a path of the history log (heights below 2^63).
pub const HISTORY_PATH_MAX: usize = 63;

/// How far ahead of ledger time an institution's transaction may expire: 10 minutes, in milliseconds.
pub const INSTITUTION_VALIDITY_MS_MAX: u64 = 10 * 60 * 1_000;
/// How far ahead of ledger time an authority's transaction may expire: 90 days, in milliseconds.
pub const AUTHORITY_VALIDITY_MS_MAX: u64 = 90 * 24 * 60 * 60 * 1_000;

/// Largest encoded bundle, in bytes: receipt, stamp and every optional section.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1_024;
/// Largest encoded trust file, in bytes.
pub const TRUST_BYTES_MAX: usize = 1_024 * 1_024;
/// Most ledgers in one trust file.
pub const TRUST_LEDGERS_MAX: usize = 16;
/// Most validator sets of one ledger in a trust file.
pub const TRUST_SETS_MAX: usize = 1_024;

/// How far a verifier's clock may be behind a stamp before it refuses to judge its age: 2 minutes, in milliseconds.
pub const CLOCK_TOLERANCE_MS: u64 = 2 * 60 * 1_000;

const _: () = assert!(BATCH_HEIGHT_MIN <= BATCH_HEIGHT_MAX);
const _: () = assert!(BATCH_HEIGHT_MAX < 32, "leaf indexes are u32");
const _: () = assert!(TRANSACTION_BYTES_MAX * 4 < BLOCK_BYTES_MAX, "several of the largest transactions fit a block");
// 1,024 entries of 70 bytes exceed 64 KiB: a transaction is bounded by bytes as well as by count.
const _: () = assert!(
    SIGNATURES_PER_TRANSACTION_MAX == AUTHORITIES_MAX * AUTHORITY_KEYS_MAX,
    "a joint transaction may bear every signature there can be"
);
const _: () = assert!(
    SIGNATURES_PER_TRANSACTION_MAX * (2 + 1 + 64) + 4 * 1_024 <= TRANSACTION_BYTES_MAX,
    "with every signature there is room for the largest joint body, below 2 KiB"
);
const _: () = assert!(TRANSACTIONS_PER_BLOCK_MAX <= 65_535, "list counts are u16");
const _: () = assert!(STATUSES_PER_TRANSACTION_MAX <= 65_535, "list counts are u16");
const _: () = assert!(PERMISSIONS_LIVE_MAX < PERMISSIONS_JUDGED_MAX, "withdrawn permissions have room of their own");
const _: () = assert!(PERMISSIONS_JUDGED_MAX < 65_535, "list counts are u16");
const _: () = assert!(VALIDATORS_MAX <= 255, "signer indexes are u8");
const _: () =
    assert!(AUTHORITY_KEYS_MAX <= 256 && AUTHORITIES_MAX <= 256, "a joint signature names both by a byte each");
const _: () = assert!(
    REGISTER_NAME_BYTES_MAX + REGISTER_VALUE_BYTES_MAX + 6 <= REGISTER_PAGE_BYTES_MAX,
    "a page has room for the largest entry"
);
const _: () = assert!(INSTITUTION_KEYS_RESERVED < INSTITUTION_KEYS_TOTAL_MAX);
const _: () = assert!(INSTITUTION_KEYS_USABLE_MAX <= INSTITUTION_KEYS_TOTAL_MAX - INSTITUTION_KEYS_RESERVED);
const _: () = assert!(INSTITUTION_VALIDITY_MS_MAX < AUTHORITY_VALIDITY_MS_MAX);
