//! The binary from outside: a ledger of one validator, its gRPC edge, its files and its exit codes.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a failing helper fails its test, which shows the node's log"
)]

mod life;
mod register;
mod solo;
mod world;
