//! The node's edge: gRPC for institutions, verifiers and operators, and the metrics page.
//!
//! What it guarantees:
//! - **It cannot starve consensus.** [`serve`] runs on a runtime of its own, with its own few threads.
//! - **Everything has a limit** ([`GrpcLimits`]): connections, streams, requests being read, queries, waits, message
//!   sizes, headers, and the time each may take. What exceeds one is refused at once, never queued.
//! - **Errors are coded.** What the ledger decides about a transaction is an answer; every error status of a method
//!   carries a stable code (`sigeli_proto::detail`).
//! - **A stream is bounded in time, whatever its reader does**: downloads hold a snapshot for
//!   [`GrpcLimits::download`] at most, a reader that pauses longer than [`GrpcLimits::stream_pause`] is cut off, and a
//!   stream of blocks holds no snapshot between two blocks.
//! - **It stops cleanly.** On shutdown the listener closes, health says so, waits and streams end, and requests under way
//!   are answered, within [`GrpcLimits::drain`].
//!
//! What it deliberately does not do: it knows no store, no mempool and no network. A [`Backend`] answers; this module
//! checks lengths and ranges, converts, and protects. It does not authenticate: a transaction's signatures decide, and
//! reads are public. TLS ends in front of it.

mod backend;
mod blocks;
mod connection;
mod counters;
mod download;
mod limits;
mod metrics;
mod outcome;
mod proved;
mod server;
mod service;
mod stream;

pub use backend::{
    Backend, BackendError, Committed, Created, HeaderAnswer, HeaderAt, InstitutionsQuery, KeysQuery, NodeStatus,
    Outcome, Page, PermissionsQuery, ProgrammesQuery, StampAnswer, StampQuery,
};
pub use counters::GrpcCounters;
pub use download::{DownloadError, DownloadPart, DownloadQuery, DownloadStart, Parts, WholeRegisterQuery};
pub use limits::GrpcLimits;
pub use metrics::{METRICS_BYTES_MAX, MetricsError, serve_metrics};
pub use proved::{
    AuthorityAnswer, BatchAnswer, BatchQuery, BatchesAnswer, BatchesQuery, BlockAnswer, GovernanceAnswer,
    InstitutionFound, PermissionAnswer, PermissionQuery,
};
pub use server::{Drain, GrpcError, GrpcOptions, GrpcServer, serve};
pub use stream::CutOff;
