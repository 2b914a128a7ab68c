//! What several tests share: textbook references, seeded values, and a small complete ledger.

pub(crate) mod draw;
pub(crate) mod textbook;
pub(crate) mod world;
