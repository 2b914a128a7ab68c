//! The pure state machine: what a block does.
//!
//! Guarantees:
//! - **Deterministic.** The state after a block is a function of genesis and the blocks before it. No clock, randomness,
//!   environment, thread or hash order is read; ledger time is the block's own.
//! - **All or nothing.** A block that holds a failing transaction is invalid; inclusion means success. Execution returns
//!   what to write ([`store::HeightCommit`]); the store writes it in one step.
//! - **Checked by type.** [`chain::ExecutedBlock`] can only come from [`chain::Chain`], so nothing is committed that was
//!   not executed against its own parent.
//! - **Three kinds of failure.** [`outcome::Rejection`] (the sender's fault, numbered), [`outcome::Transient`] (retry
//!   later), [`store::StoreError`] (fatal: stop the node).
//!
//! It deliberately does not speak to a network, a disk or a signer, and does not decide who proposes when beyond the
//! arithmetic of [`schedule`].
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::panic,
    clippy::unwrap_used
)]

extern crate alloc;

pub mod chain;
pub mod check;
pub mod execute;
pub mod genesis;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod outcome;
pub mod prove;
pub mod schedule;
pub mod state;
pub mod store;
pub mod tree;
