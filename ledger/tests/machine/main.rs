//! The state machine as a whole, through its public interface: scenarios, a model, replay, blocks, stamps.

mod blocks;
mod model;
mod replay;
mod scenarios;
mod stamps;
mod support;
