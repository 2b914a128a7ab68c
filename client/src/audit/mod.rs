//! The whole ledger for an auditor: every block and every transaction in plain words beside its canonical bytes, and tables
//! for spreadsheets; and the check of such an export, offline, by somebody who has the trust file and nothing else.
//!
//! A directory holds
//!
//! | file | what |
//! |---|---|
//! | `start.json` | ledger, first height, and the history log over the blocks before it (peaks, largest first) |
//! | `ledger.jsonl` | one line per block, followed by one line per transaction of it |
//! | `transactions.csv` | one row per transaction |
//! | `institutions.csv`, `permissions.csv`, `batches.csv` | the register after the last block; only when the export begins at genesis |
//! | `end.json` | last height, its id and time, and the counts; absent while the export is not finished |
//!
//! **Each line is a function of the bytes at its end**: a check computes it again and compares the texts, so that no word of
//! it can be changed alone. The bytes are bound by the transactions root, the header's id, and the signatures of the
//! ledger's validators; the blocks by their parents and by the RFC 9162 history log. **Each table is a function of the
//! lines** and is computed again too. So a change of any byte of any file is found, and its line is named.
//!
//! The tables follow from the transactions by the ledger's rules, since a block holds only what succeeded; they are not
//! proved by the state root. What is proved by it, [`crate::query`] asks.
//!
//! Everything streams: memory holds one block, the institutions with their permissions, and the batches about which
//! something was written. An export that was cut off goes on where it stopped.

mod chain;
pub(crate) mod csv;
mod directory;
mod events;
pub mod line;
pub mod payload;
mod replay;
mod scan;
mod tables;
mod verify;
mod write;

pub use self::{
    chain::ChainError,
    events::Events,
    verify::{Checked, PROBLEMS_MAX, Problem, verify},
    write::{AuditError, Exported, Writer},
};
