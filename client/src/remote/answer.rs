//! What nodes answer, and how they fail.

use std::time::Duration;

use sigeli_verifier::{
    crypto::PublicKey,
    ids::{AuthoritySequence, BatchSequence, BlockId, GenesisHash, Height, PermissionId, TimeMs, TransactionId},
    proof::StateProof,
    trust::NetworkKind,
};
/// Why nodes gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No node was named.
    #[error("name a node with --node URL, for example http://node.example.ge:7400, or set SIGELI_NODE")]
    NoNode,
    /// A node's address is not one.
    #[error("{url} is not the address of a node: write it as http://HOST:PORT")]
    Address {
        /// The address.
        url: String,
    },
    /// None of the nodes answered.
    #[error(
        "no node answered:{}\nCheck the address and the network, or name another node with --node; it is safe to repeat \
        the command",
        listed(failures)
    )]
    Unanswered {
        /// What happened with each.
        failures: Vec<NodeFailure>,
    },
    /// The ledger has no such thing.
    #[error("the ledger has {what}")]
    NotFound {
        /// What there is none of.
        what: Absent,
    },
    /// A node says that it is asked wrongly.
    #[error(
        "the node {url} does not understand the request ({message}): check whether a newer version of this program is \
        needed"
    )]
    Refused {
        /// The node.
        url: String,
        /// What it says.
        message: String,
    },
    /// The time is up and the transaction is not decided.
    #[error("after {} seconds the ledger has not decided; it may still do so. Repeat the same command: nothing is done \
        twice", waited.as_secs())]
    Undecided {
        /// The transaction.
        id: TransactionId,
        /// How long was waited.
        waited: Duration,
    },
}

/// What the ledger does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Absent {
    /// A batch.
    #[error("no such batch of this institution: is the document registered, and on this ledger?")]
    Batch,
    /// An institution.
    #[error("no institution of this number: check --institution")]
    Institution,
    /// A height.
    #[error("no block of this height yet")]
    Height,
    /// An authority.
    #[error("no authority of this number: check --authority")]
    Authority,
}

/// What happened with one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFailure {
    /// Its address.
    pub url: String,
    /// What happened.
    pub kind: FailureKind,
}

/// Why a node did not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FailureKind {
    /// No connection.
    #[error("cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("did not answer in time")]
    TooSlow,
    /// It has too much to do.
    #[error("has too much to do at the moment")]
    Busy,
    /// It has a fault.
    #[error("reports a fault of its own")]
    Fault,
    /// Its answer makes no sense.
    #[error("gave an answer that this program does not understand")]
    Malformed,
}

fn listed(failures: &[NodeFailure]) -> String {
    failures.iter().map(|failure| format!("\n  {} {}", failure.url, failure.kind)).collect()
}

/// How the ledger is, as a node sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerStatus {
    /// Which ledger.
    pub genesis: GenesisHash,
    /// Whether what it says counts.
    pub kind: NetworkKind,
    /// Its newest height.
    pub height: Height,
    /// The time of that height.
    pub time: TimeMs,
}

/// A transaction that a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The block's height.
    pub height: Height,
    /// The block's id.
    pub block: BlockId,
    /// The block's time.
    pub time: TimeMs,
    /// The number of the permission that was granted.
    pub permission: Option<PermissionId>,
    /// The number of the batch that was anchored.
    pub batch: Option<BatchSequence>,
}

/// A transaction that the ledger refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The stable number of the reason.
    pub code: u32,
    /// The stable name of the reason.
    pub name: String,
    /// The reason in English.
    pub message: String,
    /// The height at which the same was done before: a retry takes it for success.
    pub first_height: Option<Height>,
}

/// The transaction's `valid_until` had passed.
pub const EXPIRED: u32 = 111;
/// The transaction would be valid for too long.
pub const VALIDITY_TOO_LONG: u32 = 112;
/// An authority's sequence number is not the next one.
pub const SEQUENCE_MISMATCH: u32 = 128;

/// Where a transaction stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Final, and executed.
    Committed(Committed),
    /// Refused.
    Rejected(Rejection),
    /// The node holds it.
    Pending,
    /// The node knows nothing of it.
    Unknown,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A block holds it.
    Committed(Committed),
    /// Every node that answers refuses it.
    Rejected(Rejection),
}

/// An authority as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The sequence number that its next transaction carries.
    pub next: AuthoritySequence,
    /// How many of its keys must sign.
    pub threshold: u32,
    /// Its keys, in order of index; `None` for one of an algorithm that this program does not know.
    pub keys: Vec<Option<PublicKey>>,
}

/// What a node states, and the state against which its proof is to be verified.
#[derive(Debug, Clone)]
pub struct Stated<T> {
    /// The roots of the registers, and the signatures under them; not verified.
    pub state: StateProof,
    /// The answer with its proof; not verified.
    pub answer: T,
}
