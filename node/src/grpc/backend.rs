//! What the edge asks of the node behind it.

use std::{sync::Arc, time::Duration};

use sigeli_ledger::outcome::Rejection;
use sigeli_verifier::{
    block::Header,
    bundle::StampFile,
    certificate::CommitCertificate,
    codes::NetworkKind,
    evidence::Evidence,
    ids::{
        AuthorityId, BatchRoot, BatchSequence, BlockId, GenesisHash, Height, InstitutionId, KeyIndex, PermissionId,
        ProgrammeId, StateRoot, StatusHandle, TimeMs, TransactionId,
    },
    proof::StateProof,
    record::{InstitutionFacts, KeyRecord, PermissionRecord, ProgrammeRecord},
    transaction::SignedTransaction,
    validators::ValidatorSet,
};
use tokio::sync::watch;

use super::{
    download::{DownloadError, DownloadQuery, Parts},
    proved::{
        AuthorityAnswer, BatchAnswer, BatchQuery, BatchesAnswer, BatchesQuery, BlockAnswer, GovernanceAnswer,
        InstitutionFound, PermissionAnswer, PermissionQuery,
    },
};

/// Why the node has no answer. What the ledger decides about a transaction is none of these: it is an [`Outcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// The institution has anchored no batch with this root.
    #[error("the institution has anchored no batch with this root")]
    BatchNotFound,
    /// There is no institution of this number.
    #[error("there is no institution of this number")]
    InstitutionNotFound,
    /// The ledger, as this node has it, does not reach this height.
    #[error("the ledger does not reach this height yet")]
    HeightNotFound,
    /// There is no authority of this number.
    #[error("there is no authority of this number")]
    AuthorityNotFound,
    /// A queue or pool is full; nothing was done.
    #[error("the node has as much to do as it takes on; try again later")]
    Busy,
    /// The node is starting, stopping, or has no ledger yet; nothing was done.
    #[error("the node is starting or stopping; try another node")]
    NotReady,
    /// A fault of the node, which it has logged. Nothing of it is told to strangers.
    #[error("the node has failed; its operator's log says more")]
    Internal,
}

/// What a transaction created that the ledger numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// Nothing that gets a number.
    Nothing,
    /// A permission.
    Permission(PermissionId),
    /// A batch.
    Batch(BatchSequence),
}

/// A transaction that a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The block's height.
    pub height: Height,
    /// The position in the block, from 0.
    pub index: u32,
    /// The block's id.
    pub block: BlockId,
    /// The block's time.
    pub time: TimeMs,
    /// What it created.
    pub created: Created,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A block holds it, durably on this node.
    Committed(Committed),
    /// The mempool holds it.
    Pending,
    /// The ledger refuses it.
    Rejected(Rejection),
    /// The node knows nothing of it.
    Unknown,
}

/// Which proof is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StampQuery {
    /// The institution that anchored the batch.
    pub institution: InstitutionId,
    /// The root of the batch tree.
    pub root: BatchRoot,
    /// The credential's handle.
    pub handle: StatusHandle,
    /// Whether the permission section is wanted.
    pub with_permission: bool,
}

/// A proof, and what it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampAnswer {
    /// The proof. Its certificate commits `height`.
    pub stamp: StampFile,
    /// The height.
    pub height: Height,
    /// That height's time.
    pub time: TimeMs,
}

/// Which header is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderAt {
    /// The one of this height.
    Height(Height),
    /// The newest.
    Latest,
}

/// A header and what makes it final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderAnswer {
    /// The header.
    pub header: Header,
    /// The quorum's signatures; none for genesis.
    pub certificate: CommitCertificate,
}

/// How the node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// The operator's name for it.
    pub name: String,
    /// The newest committed height.
    pub height: Height,
    /// Its header's id.
    pub header: BlockId,
    /// The state root after it.
    pub state_root: StateRoot,
    /// Its time.
    pub time: TimeMs,
    /// Which ledger this is.
    pub genesis: GenesisHash,
    /// Whether what it says counts.
    pub network: NetworkKind,
    /// How many nodes it is connected to.
    pub peers: u32,
    /// Whether it is catching up.
    pub syncing: bool,
    /// How many transactions its mempool holds.
    pub mempool_transactions: u64,
}

/// Which keys are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysQuery {
    /// The institution.
    pub institution: InstitutionId,
    /// The first index wanted.
    pub start: KeyIndex,
    /// The most wanted: 1 to `LIST_ENTRIES_MAX`.
    pub limit: u32,
}

/// Which programmes are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgrammesQuery {
    /// The institution that coordinates them.
    pub institution: InstitutionId,
    /// The first number wanted, at least 1.
    pub start: ProgrammeId,
    /// The most wanted: 1 to `LIST_ENTRIES_MAX`.
    pub limit: u32,
}

/// Which permissions are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionsQuery {
    /// The institution.
    pub institution: InstitutionId,
    /// The first number wanted, at least 1.
    pub start: PermissionId,
    /// The most wanted: 1 to `LIST_ENTRIES_MAX`.
    pub limit: u32,
}

/// Which institutions are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstitutionsQuery {
    /// The first number wanted.
    pub start: InstitutionId,
    /// The most wanted: 1 to `LIST_ENTRIES_MAX`.
    pub limit: u32,
}

/// Part of a list, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<K, V> {
    /// The entries from the query's start on, at most its limit.
    pub entries: Vec<(K, V)>,
    /// Where the list goes on; `None` at its end.
    pub next: Option<K>,
}

/// The node behind the edge.
///
/// Obligations of every method:
/// - It reads one committed height as a whole.
/// - Its future may be dropped at any await: a client goes away, or time is up. That must leak and break nothing. Work that
///   has been handed on (a submitted transaction) may go on.
/// - It does not block its thread beyond reads of a few hundred entries; what takes longer goes to a blocking pool.
/// - It never panics on what it is given; a storage failure is logged, handed to whoever stops the node, and answered
///   with [`BackendError::Internal`].
#[tonic::async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Checks a transaction against the newest state, pools and spreads it. Then waits up to `wait` until it is committed
    /// or rejected, and says where it stands. Idempotent: a known transaction is not pooled twice.
    async fn submit(&self, transaction: SignedTransaction, wait: Duration) -> Result<Outcome, BackendError>;

    /// Where a transaction stands; waits up to `wait` until it is committed or rejected, even if it is unknown at first.
    async fn transaction(&self, id: TransactionId, wait: Duration) -> Result<Outcome, BackendError>;

    /// The newest proof for a credential.
    async fn stamp(&self, query: StampQuery) -> Result<StampAnswer, BackendError>;

    /// A header and its certificate.
    async fn header(&self, at: HeaderAt) -> Result<HeaderAnswer, BackendError>;

    /// How the node is.
    async fn status(&self) -> Result<NodeStatus, BackendError>;

    /// The canonical encoding of the genesis document.
    async fn genesis(&self) -> Result<Arc<[u8]>, BackendError>;

    /// An authority.
    async fn authority(&self, authority: AuthorityId) -> Result<AuthorityAnswer, BackendError>;

    /// The roots of the registers as of the newest height.
    async fn state_proof(&self) -> Result<StateProof, BackendError>;

    /// Policy and joint affairs.
    async fn governance(&self) -> Result<GovernanceAnswer, BackendError>;

    /// An institution, or the proof that there is none of this number.
    async fn institution(&self, institution: InstitutionId) -> Result<InstitutionFound, BackendError>;

    /// Institutions.
    async fn institutions(
        &self,
        query: InstitutionsQuery,
    ) -> Result<Page<InstitutionId, InstitutionFacts>, BackendError>;

    /// An institution's keys.
    async fn keys(&self, query: KeysQuery) -> Result<Page<KeyIndex, KeyRecord>, BackendError>;

    /// An institution's programmes.
    async fn programmes(&self, query: ProgrammesQuery) -> Result<Page<ProgrammeId, ProgrammeRecord>, BackendError>;

    /// An institution's permissions.
    async fn permissions(&self, query: PermissionsQuery) -> Result<Page<PermissionId, PermissionRecord>, BackendError>;

    /// A permission with its history.
    async fn permission(&self, query: PermissionQuery) -> Result<PermissionAnswer, BackendError>;

    /// Batches by number.
    async fn batches(&self, query: BatchesQuery) -> Result<BatchesAnswer, BackendError>;

    /// A batch with its history.
    async fn batch(&self, query: BatchQuery) -> Result<BatchAnswer, BackendError>;

    /// Puts the parts of a download, in order: start, pages, end. Blocks its thread, which is one for blocking work; holds
    /// a snapshot meanwhile, and so gives up at once when a part is not taken.
    fn download(&self, query: DownloadQuery, parts: &mut Parts) -> Result<(), DownloadError>;

    /// A block and its certificate.
    async fn block(&self, height: Height) -> Result<BlockAnswer, BackendError>;

    /// The newest committed height.
    async fn newest(&self) -> Result<Height, BackendError>;

    /// Waits until a height is committed.
    async fn reached(&self, height: Height) -> Result<(), BackendError>;

    /// The set that commits the block of a height, at most the newest height + 1.
    async fn validators(&self, height: Height) -> Result<ValidatorSet, BackendError>;

    /// At most so many pieces of evidence behind this one, in the store's order; from the first without one.
    async fn evidence(&self, after: Option<&Evidence>, limit: usize) -> Result<Vec<Evidence>, BackendError>;

    /// Whether the node is fit to serve: it has caught up, and its signing state is known (or it has no vote). Health
    /// follows it, so that balancers and operators can.
    fn readiness(&self) -> watch::Receiver<bool>;
}
