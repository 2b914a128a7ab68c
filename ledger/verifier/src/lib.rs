//! What is true about Sigeli's bytes.
//!
//! This crate owns every public format of the ledger (records, transactions, headers, votes, certificates, receipts,
//! stamps, bundles, trust files), every preimage that is hashed or signed, and the offline verifier. It is `no_std`,
//! opens nothing, reads no clock and draws no randomness: time, keys and entropy arrive as arguments.
//!
//! Guarantees: decoding is total, bounded and strict (trailing or non-canonical bytes are errors, nothing panics);
//! every byte of an accepted bundle is bound by a hash or a signature; signatures are accepted by one rule
//! ([`crypto::verify_signature`]). Each format is described field by field in `docs/protocol.md`.
//!
//! It deliberately does not read documents (JSON, PDF, badges): it takes their digest. `client` does the reading.
#![no_std]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

extern crate alloc;

pub mod batch;
pub mod block;
pub mod bounded;
pub mod bundle;
pub mod certificate;
pub mod codes;
pub mod credential;
pub mod crypto;
pub mod decode;
pub mod domain;
pub mod encode;
pub mod evidence;
pub mod history;
pub mod ids;
pub mod light;
pub mod params;
pub mod proof;
pub mod record;
pub mod register;
pub mod state;
pub mod statement;
pub mod time;
pub mod transaction;
pub mod trust;
pub mod validators;
pub mod verdict;
pub mod verify;
pub mod vote;
