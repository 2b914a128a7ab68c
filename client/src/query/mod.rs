//! What the register says, asked of nodes that nobody has to believe: every answer is checked by its proof against the
//! trust file, and says as of which block it is.
//!
//! [`standing`] and [`may_issue`] are pure functions over records that were verified. They restate the ledger's rules on
//! their own, so that a mistake in one of the two shows.

pub mod answer;
#[cfg(test)]
pub(crate) mod examples;
pub mod may_issue;
pub mod node;
pub mod plain;
pub mod records;
pub mod standing;
pub mod words;
