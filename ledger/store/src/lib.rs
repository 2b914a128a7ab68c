//! RocksDB behind the ledger's ports: what survives a crash. The only crate that links it.
//!
//! Guarantees:
//! - One height is one synced write batch: block, header, certificate, transaction index, state, head marker, and the
//!   deletion of the consensus rows that the height makes useless. After a crash all of it is there, or nothing.
//! - Rows of our own are encoded by one module, carry a version and a checksum bound to table and key, and are decoded
//!   strictly; state entries rest on RocksDB's block checksums. Damage is an error, never a panic and never other data.
//! - An error kills the store: every later call, of every handle, answers [`StoreError::Dead`]. A failed sync is never
//!   repeated, because the kernel may have dropped the pages that it could not write.
//! - Opening checks the newest heights, and that no height was lost which this store has acknowledged
//!   (`mark.rs`: RocksDB takes a damaged length in its own log for a torn tail).
//!
//! It does not check what it is given beyond order and linkage: execution has done that. It does not prune.
//!
//! Handles: one [`RocksStore`] writes heights; any number of [`RocksReader`]s read snapshots; one [`ConsensusLog`] keeps
//! the rows that consensus must not forget before its height is committed; one [`EvidenceLog`] keeps what proves that a
//! validator broke its word. All share one database and one death.

mod commit;
mod create;
mod database;
mod evidence;
mod log;
mod mark;
mod precheck;
mod recover;
mod rows;
mod snapshot;
mod store;
mod tables;

pub use create::{OpenError, Options};
pub use evidence::{EvidenceLog, EvidencePlace, evidence_place};
pub use log::{ConsensusLog, LOG_ROW_BYTES_MAX, LogRow};
pub use sigeli_ledger::store::StoreError;
pub use snapshot::{Census, RocksReader, RocksSnapshot};
pub use store::RocksStore;
