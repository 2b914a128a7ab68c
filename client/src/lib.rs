//! Sigeli's client: prepare, anchor, refresh, revoke, verify. The binary `sigeli` is a thin shell around it.
//!
//! Programs begin with [`api`]: connect, prepare, anchor, revoke, stamp, verify; async and blocking. Behind it stand two halves,
//! kept apart by module:
//! - **Offline**, synchronous, without any socket or runtime: [`document`] (file → canonical bytes), [`prepare`](mod@prepare)
//!   and [`batch`] (files → a batch on disk), [`keys`], [`trust`], [`verify`](mod@verify), [`wording`] and [`report`].
//! - **Online**, async over gRPC: [`remote`], [`anchor`](mod@anchor), [`stamp`], [`status`], [`authority`], [`institution`].
//!
//! [`tx`] has both: drafts of transactions pass from hand to hand offline, and are handed in online.
//!
//! What leaves the machine: roots, public facts of a batch, opaque status handles, signatures. What never does: the
//! documents, their digests, and the salts.

pub mod accreditation;
pub mod anchor;
pub mod api;
pub mod audit;
pub mod authority;
pub mod batch;
pub mod carry;
pub mod document;
mod entropy;
pub mod evidence;
pub mod export;
pub mod files;
pub mod institution;
pub mod keys;
pub mod many;
pub mod prepare;
mod proof;
pub mod query;
pub mod refresh;
pub mod remote;
pub mod report;
pub mod signing;
pub mod stamp;
pub mod status;
pub mod trust;
pub mod tx;
pub mod values;
pub mod verify;
pub mod wording;

pub use api::{Config, Sigeli};
pub use entropy::EntropyError;
pub use proof::ProofError;

/// What a bundle's name adds to its file's: `a.pdf` → `a.pdf.sigeli`.
pub const BUNDLE_SUFFIX: &str = ".sigeli";

/// Largest file that is registered or verified, in bytes: 1 GiB. JSON documents have a smaller limit of their own
/// ([`document::JSON_SIZE_BYTES_MAX`]).
pub const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Longest file name, in bytes, that every file system in use can hold. A bundle's name must fit.
pub const FILE_NAME_BYTES_MAX: usize = 255;
