//! Who proposes when. The rule is part of the ledger's state and stands in `sigeli_ledger::schedule`; this module
//! re-exports it.

#[path = "../../ledger/src/schedule.rs"]
mod schedule;

pub use schedule::{MISSES_MAX, Missed, Schedule};
