//! The validator as a library: what `sigeli-node` is made of, so that tests can reach it.

pub mod network;
