//! What consensus needs from the outside, and the failures that stop a node.

use std::sync::Arc;

use sigeli_verifier::{
    block::Block,
    certificate::CommitCertificate,
    ids::{BlockId, GenesisHash, Height, Round, TimeMs, ValidatorAddress},
};

use crate::{
    engine::EngineError,
    statement::Slot,
    validators::{HeightValidators, OrderError},
    wal::WalDamage,
};

/// A failure after which the node must stop and must not be restarted blindly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fatal {
    /// A write, a sync or a read failed: what is on the disk is unknown.
    #[error("storage failed: {what}")]
    Storage {
        /// Which operation.
        what: &'static str,
    },
    /// The state machine broke an invariant of its own.
    #[error("the ledger failed: {what}")]
    Application {
        /// What.
        what: &'static str,
    },
    /// The authorities have agreed on a protocol version that this program does not know.
    #[error("protocol version {version} counts from block {height} on: install the newer program")]
    UpgradeNeeded {
        /// The version that counts.
        version: u16,
        /// The first height that this program cannot judge.
        height: Height,
    },
    /// The consensus core broke an invariant.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The write-ahead log is damaged.
    #[error("the write-ahead log is damaged: {0}")]
    Wal(#[from] WalDamage),
    /// The sign-state cannot be read.
    #[error("the sign-state is damaged: {what}")]
    SignStateDamaged {
        /// How.
        what: &'static str,
    },
    /// Another message was signed in this slot.
    #[error("another message was already signed at {slot}")]
    DoubleSign {
        /// The slot.
        slot: Slot,
    },
    /// A later slot was already signed.
    #[error("asked to sign at {slot}, below {highest}")]
    SignBelow {
        /// The slot asked for.
        slot: Slot,
        /// The highest slot signed.
        highest: Slot,
    },
    /// The signer's answer is not a signature of our key over what was asked.
    #[error("the signer answered with a wrong signature for {slot}")]
    WrongSignature {
        /// The slot asked for.
        slot: Slot,
    },
    /// The core decided a block that we do not have.
    #[error("block {block} was decided at height {height}, but is not here")]
    DecidedBlockMissing {
        /// The height.
        height: Height,
        /// The block.
        block: BlockId,
    },
    /// A quorum certified a block that our state machine finds invalid: one of us is wrong.
    #[error("a quorum certified an invalid block at height {height}: {reason}")]
    CertifiedInvalid {
        /// The height.
        height: Height,
        /// Why it is invalid here.
        reason: &'static str,
    },
    /// A certificate that we made ourselves does not verify.
    #[error("our own certificate of height {height} does not verify")]
    OwnCertificate {
        /// The height.
        height: Height,
    },
    /// The ledger's proposer order does not fit its validator set.
    #[error(transparent)]
    Order(#[from] OrderError),
}

/// The tip of the chain and who decides what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The ledger.
    pub genesis: GenesisHash,
    /// The height of the last committed block; 0 for genesis.
    pub height: Height,
    /// Its id.
    pub id: BlockId,
    /// Its time.
    pub time: TimeMs,
    /// The validators and proposer order of the next height.
    pub validators: HeightValidators,
}

/// What a block is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposeContext {
    /// The height.
    pub height: Height,
    /// The round, for the header.
    pub round: Round,
    /// The creator's clock. The header's time is this, or one millisecond after the parent's if that is later.
    pub now: TimeMs,
    /// The creator, for the header.
    pub creator: ValidatorAddress,
}

/// A judgement of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It may be committed.
    Valid,
    /// It may never be committed on top of the head.
    Invalid {
        /// Why, for the log.
        reason: &'static str,
    },
    /// It is valid but its time is too far from the clock. Never stored: the answer may differ at the next call.
    Untimely,
}

/// The state machine and its store.
pub trait Application {
    /// The tip. Must not block; equal between two commits.
    fn head(&self) -> Head;

    /// Whether there is something to put into a block. Must not block.
    fn has_transactions(&self) -> bool;

    /// Builds a block on the head and executes it, so that its header carries the state after it. Nothing is stored.
    /// The block must be one that [`Application::validate`] finds valid.
    ///
    /// # Errors
    /// [`Fatal`].
    fn propose(&mut self, context: &ProposeContext) -> Result<Block, Fatal>;

    /// Executes a block on the head and judges it. Deterministic but for [`Validity::Untimely`], which is answered only
    /// when `live` (our clock) is given. Idempotent; nothing is stored durably; the result may be kept by block id until
    /// the next commit. Must check everything the header commits to: version, genesis, height, parent, time after the
    /// parent's, both validator set hashes, transactions root, state root, history root.
    ///
    /// # Errors
    /// [`Fatal`].
    fn validate(&mut self, block: &Block, live: Option<TimeMs>) -> Result<Validity, Fatal>;

    /// Commits a block that was found valid on this head, with its certificate. Durable on return: block, certificate,
    /// state and height marker in one atomic write. The same write may drop the WAL rows of this height.
    ///
    /// # Errors
    /// [`Fatal`]; the application is then dead.
    fn commit(&mut self, block: Arc<Block>, certificate: CommitCertificate) -> Result<CommitOutcome, Fatal>;

    /// A committed block and its certificate; `None` above the head, at genesis, and where it was pruned.
    ///
    /// # Errors
    /// [`Fatal`].
    fn block_at(&self, height: Height) -> Result<Option<CommittedBlock>, Fatal>;
}

/// A block and the certificate that committed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedBlock {
    /// The block.
    pub block: Arc<Block>,
    /// The quorum of precommits for it.
    pub certificate: CommitCertificate,
}

/// What follows a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitOutcome {
    /// The validators and proposer order of the next height.
    pub validators: HeightValidators,
}

/// The write-ahead log's storage: rows by (height, sequence). [`crate::wal`] makes and checks the rows.
pub trait Wal {
    /// Adds a row. May be buffered. Sequences of a height ascend from 0; a row that exists already at this place (a torn
    /// one) is replaced, together with all after it.
    ///
    /// # Errors
    /// [`Fatal::Storage`]; the store is then dead.
    fn append(&mut self, height: Height, sequence: u64, row: &[u8]) -> Result<(), Fatal>;

    /// Makes all appended rows durable, in order: no row survives a crash without those before it.
    ///
    /// # Errors
    /// [`Fatal::Storage`]; the store is then dead. A failed sync is never tried again.
    fn sync(&mut self) -> Result<(), Fatal>;

    /// The rows of a height, in order of sequence, byte for byte; the last may be cut short.
    ///
    /// # Errors
    /// [`Fatal::Storage`].
    fn read_all(&mut self, height: Height) -> Result<Vec<Vec<u8>>, Fatal>;

    /// Drops the rows of all heights below this one. Idempotent; need not be durable on return.
    ///
    /// # Errors
    /// [`Fatal::Storage`].
    fn truncate_below(&mut self, height: Height) -> Result<(), Fatal>;
}

/// The sign-state's storage: one record.
pub trait SignStateStore {
    /// The record, or `None` when there is none. An empty one is created only together with a new key.
    ///
    /// # Errors
    /// [`Fatal::Storage`].
    fn load(&mut self) -> Result<Option<Vec<u8>>, Fatal>;

    /// Replaces the record. Durable on return (file and directory), and atomic: after a crash there is the old record or
    /// the new one, whole.
    ///
    /// # Errors
    /// [`Fatal::Storage`]; the store is then dead.
    fn store(&mut self, record: &[u8]) -> Result<(), Fatal>;
}
