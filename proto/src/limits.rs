//! The limits of the interface, in one place, for nodes and clients alike. `ledger.proto` states them for its users.

use std::time::Duration;

use sigeli_verifier::params::{
    BATCH_PAGE_MAX, BUNDLE_BYTES_MAX, REGISTER_PAGE_BYTES_MAX, REGISTER_PREFIX_BITS_MAX, TRANSACTION_BYTES_MAX,
    VALIDATORS_MAX,
};

/// Largest request message that a node decodes, in bytes. Far above the largest transaction, so that one that is too large
/// gets its own rejection code instead of a transport error.
pub const REQUEST_BYTES_MAX: usize = 1_024 * 1_024;

/// Largest answer that a node sends and a client decodes, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Longest wait for a transaction to become final, in milliseconds.
pub const WAIT_MS_MAX: u32 = 60_000;

/// The longest wait, as a duration.
pub const WAIT_MAX: Duration = Duration::from_millis(WAIT_MS_MAX as u64);

/// Most entries in one answer to a list method.
pub const LIST_ENTRIES_MAX: u32 = 256;

/// Most bytes of one entry in an answer to a list method; a test builds the largest.
pub const LIST_ENTRY_BYTES_MAX: usize = 4 * 1_024;

/// Largest message of a stream, in bytes.
pub const STREAM_MESSAGE_BYTES_MAX: usize = 1_024 * 1_024;

/// Most bits of register keys in one request for statuses.
pub const PREFIX_LENGTH_MAX: u32 = REGISTER_PREFIX_BITS_MAX as u32;

/// Bytes that the fields of a message other than its largest may take, tags and lengths included.
const MESSAGE_OVERHEAD_BYTES: usize = 1_024;

const _: () = assert!(TRANSACTION_BYTES_MAX * 8 + MESSAGE_OVERHEAD_BYTES < REQUEST_BYTES_MAX);
const _: () = assert!(BUNDLE_BYTES_MAX + MESSAGE_OVERHEAD_BYTES < RESPONSE_BYTES_MAX);
const _: () = assert!(LIST_ENTRIES_MAX as usize * LIST_ENTRY_BYTES_MAX + MESSAGE_OVERHEAD_BYTES < RESPONSE_BYTES_MAX);
// A validator takes 42 bytes, a signature of a certificate 65.
const _: () = assert!(VALIDATORS_MAX * (42 + 65) + MESSAGE_OVERHEAD_BYTES < RESPONSE_BYTES_MAX);
const _: () = assert!(REGISTER_PAGE_BYTES_MAX + MESSAGE_OVERHEAD_BYTES < STREAM_MESSAGE_BYTES_MAX);
// A transaction travels with a tag and a length: 4 bytes.
const _: () =
    assert!(TRANSACTION_BYTES_MAX + VALIDATORS_MAX * 65 + 4 + MESSAGE_OVERHEAD_BYTES < STREAM_MESSAGE_BYTES_MAX);
const _: () = assert!(STREAM_MESSAGE_BYTES_MAX <= RESPONSE_BYTES_MAX);
const _: () = assert!(LIST_ENTRIES_MAX == BATCH_PAGE_MAX, "a list method's page of batches is a proved page");
