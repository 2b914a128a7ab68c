//! Tests of the verifier against published vectors, textbook references, golden vectors and named corruptions.
//!
//! One binary, so that the fixtures are compiled once: `cargo test -p sigeli-verifier --test verifier bundle::`.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests: a failure is a panic, figures are printed, fixtures are small"
)]

mod budget;
mod bundle;
mod codes;
mod common;
mod draft;
mod evidence;
mod golden;
mod light;
mod limits;
mod parts;
mod published;
mod records;
mod reference;
mod roundtrip;
mod trust;
mod verdict;
