//! Who proposes when. The rule is part of the ledger's state and stands in [`sigeli_ledger::schedule`].

pub use sigeli_ledger::schedule::{MISSES_MAX, Missed, Schedule};
