//! Seeded workloads for the benches: whole ledgers with real signatures, real certificates, real bundles.
//!
//! Nothing here is measured. The same seed gives the same keys, transactions, documents and bundles on every machine; no
//! clock and no entropy is read. What the workloads are made of is valid: a transaction that the ledger would refuse, or a
//! bundle that the verifier would not believe, ends the bench instead of being timed.
//!
//! It deliberately opens no store: a bench hands one in ([`world::World::found`]).

pub mod primitives;
pub mod random;
pub mod sample;
pub mod world;
