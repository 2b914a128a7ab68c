//! What a journey has shown, as JSON for programs (`--report FILE`).

use std::path::{Path, PathBuf};

use eyre::WrapErr as _;
use serde::Serialize;
use sigeli::files::{self, Access};

/// A node of the network.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NodeEntry {
    /// Its name.
    pub(crate) name: &'static str,
    /// The address of its gRPC service.
    pub(crate) grpc: String,
    /// Its process; `None` once it has ended.
    pub(crate) pid: Option<u32>,
}

/// Something to verify, and the exit code that `sigeli verify` must give, on any later day.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Artifact {
    /// The document.
    pub(crate) file: PathBuf,
    /// Its bundle.
    pub(crate) bundle: PathBuf,
    /// The trust file.
    pub(crate) trust: PathBuf,
    /// The verifier's clock, RFC 3339.
    pub(crate) at: String,
    /// The greatest age of a stamp, as `--max-age` takes it.
    pub(crate) max_age: String,
    /// The exit code.
    pub(crate) expect_exit: u8,
}

/// The report.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// How many nodes there are.
    pub(crate) nodes: usize,
    /// Which.
    pub(crate) node_list: Vec<NodeEntry>,
    /// The height at which the state roots were compared, after everything else.
    pub(crate) height: u64,
    /// Each node's state root at that height.
    pub(crate) state_roots: Vec<String>,
    /// How many credentials were anchored first.
    pub(crate) credentials: usize,
    /// How many of them were found genuine, offline.
    pub(crate) genuine: usize,
    /// Whether a new stamp tells of the revocation, and the old one was refused once it was too old.
    pub(crate) revoked_detected: bool,
    /// Whether the tampered file was found not genuine.
    pub(crate) tampered_detected: bool,
    /// The name of the code with which the institution without accreditation was refused.
    pub(crate) unaccredited_rejected_code: String,
    /// The name of the code with which an institution was refused while its accreditation was suspended.
    pub(crate) suspended_rejected_code: String,
    /// Per transaction that became final: milliseconds from handing it in until a node had its certificate on the
    /// disk and said so.
    pub(crate) finality_ms: Vec<u64>,
    /// Milliseconds from starting the killed node again until it had the height that the others had at that moment.
    pub(crate) killed_node_caught_up_ms: u64,
    /// Bytes of the largest receipt.
    pub(crate) receipt_bytes: usize,
    /// Bytes of the largest stamp.
    pub(crate) stamp_bytes: usize,
    /// What can be verified.
    pub(crate) artifacts: Vec<Artifact>,
}

impl Report {
    /// Writes the report in place of any file of that name.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn write(&self, path: &Path) -> eyre::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        files::replace(path, &bytes, Access::Everyone).wrap_err("the report")
    }
}
