//! The validator as a library: what `sigeli-node` is made of, so that tests can reach it.

pub mod backend;
pub mod config;
pub mod consensus;
pub mod grpc;
pub mod keys;
pub mod metrics;
pub mod network;
pub mod progress;
pub mod runtime;
pub mod sign_state;
pub mod status;
pub mod telemetry;
pub mod wal;
