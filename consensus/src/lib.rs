//! What everyone agreed: Tendermint consensus for Sigeli, without a socket, a file or a clock.
//!
//! [`driver::Driver`] is one node's consensus as a step function. It runs one [`engine::Engine`] per height (Malachite's
//! core behind our own types) and holds what is ours: who may speak ([`ingress`]), what must be durable before what
//! ([`wal`], [`signer`]), who proposes ([`proposer`]), what is on the wire ([`message`]), how a node catches up ([`sync`]),
//! what waits to be committed ([`mempool`]). What is valid and what is stored stands behind [`ports`].
//!
//! The [`simulator`] runs exactly this driver under virtual time with seeded faults and independent checkers.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod application;
pub mod block;
pub mod driver;
pub mod engine;
pub mod ingress;
pub mod mempool;
pub mod message;
pub mod params;
pub mod ports;
pub mod proposer;
pub mod signer;
pub mod simulator;
pub mod statement;
pub mod sync;
#[cfg(test)]
mod testing;
pub mod validators;
pub mod wal;
