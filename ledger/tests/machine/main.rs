//! The state machine as a whole, through its public interface: a model, replay, blocks, stamps, retries.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a failing helper fails its test")]
#![expect(clippy::print_stdout, reason = "histograms for the log")]

mod audit;
mod blocks;
mod golden;
mod lifetimes;
mod model;
mod once;
mod replay;
mod stamps;
mod support;
