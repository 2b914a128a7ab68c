//! The validator as a library: what `sigeli-node` is made of, so that tests can reach it.

pub mod config;
pub mod grpc;
pub mod keys;
pub mod network;
pub mod runtime;
pub mod status;
pub mod telemetry;
