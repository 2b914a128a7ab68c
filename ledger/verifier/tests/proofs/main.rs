//! Proved answers against a textbook tree that shares no code with the crate: what is true is accepted, and nothing else:
//! no changed bit, no entry left out, added or altered, no other header.
#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

mod batches;
mod entries;
mod formats;
mod registers;
mod states;
mod textbook;
mod world;
