//! Consensus.
pub mod block;
pub mod engine;
pub mod proposer;
pub mod statement;
pub mod validators;
