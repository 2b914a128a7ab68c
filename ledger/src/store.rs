//! Ports to storage: what the state machine reads, and the one atomic write per height.
//!
//! Obligations of every implementation:
//! - A [`Snapshot`] never changes: all reads from one snapshot are of one height, while commits go on.
//! - [`Store::commit`] is atomic and durable on return (synced): after a crash either the whole height is there or
//!   nothing of it. It refuses any height but the next one.
//! - An error is fatal: the store is dead afterwards, and the process must stop rather than go on with it.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use sigeli_verifier::{
    block::{Block, Header},
    certificate::CommitCertificate,
    history::Frontier,
    ids::{BlockId, Height, TransactionId},
    params::PROTOCOL_VERSION,
};

/// A storage failure. Always fatal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The medium failed, or the write could not be made durable.
    #[error("storage failed during {operation}: {detail}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// The medium's own words.
        detail: alloc::string::String,
    },
    /// What was read is not what was written.
    #[error("stored data is damaged: {what}")]
    Corrupt {
        /// Which data.
        what: &'static str,
    },
    /// A height out of order was given to be committed.
    #[error("height {given} cannot be committed after {head}")]
    OutOfOrder {
        /// The height given.
        given: Height,
        /// The head.
        head: Height,
    },
    /// The authorities have agreed on another protocol version, which this program does not know.
    #[error(
        "protocol version {version} counts from block {height} on, and this program knows version {PROTOCOL_VERSION}: \
         install the newer program"
    )]
    UpgradeNeeded {
        /// The version that counts.
        version: u16,
        /// The first height that this program cannot judge.
        height: Height,
    },
    /// An earlier error has killed this store.
    #[error("the store has failed before and is closed")]
    Dead,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionPlace {
    /// The block.
    pub height: Height,
    /// The position in it, from 0.
    pub index: u32,
}

/// The newest committed header, its id, and the history log's frontier over all header ids up to and including it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The header.
    pub header: Header,
    /// Its id.
    pub id: BlockId,
    /// The frontier of the tree whose leaf i is header i's id, header's own included.
    pub history: Frontier,
}

/// State entries by key: the value to put, or `None` to delete.
pub type StateWrites = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A state entry: key and value.
pub type StateEntry = (Vec<u8>, Vec<u8>);

/// Everything that one height writes.
#[derive(Debug, Clone)]
pub struct HeightCommit {
    /// The block; at height 0 it is genesis, without transactions.
    pub block: Arc<Block>,
    /// The quorum's signatures; empty for genesis.
    pub certificate: CommitCertificate,
    /// Changes of state entries (register nodes and records).
    pub state: StateWrites,
    /// The head after this height.
    pub head: Head,
}

/// Reads of one height.
pub trait Snapshot {
    /// The newest committed height of this snapshot; `None` before genesis was stored.
    ///
    /// # Errors
    /// [`StoreError`].
    fn head(&self) -> Result<Option<Head>, StoreError>;

    /// A state entry.
    ///
    /// # Errors
    /// [`StoreError`].
    fn state(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// State entries whose key starts with `prefix`, from `from` (inclusive, itself starting with `prefix`) in ascending
    /// order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn state_range(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<StateEntry>, StoreError>;

    /// The block at a height, and its certificate.
    ///
    /// # Errors
    /// [`StoreError`].
    fn block(&self, height: Height) -> Result<Option<(Block, CommitCertificate)>, StoreError>;

    /// The certificate of the block at a height. A store that keeps them apart answers without reading the block, whose
    /// 4 MiB would be read for every stamp otherwise.
    ///
    /// # Errors
    /// [`StoreError`].
    fn certificate(&self, height: Height) -> Result<Option<CommitCertificate>, StoreError> {
        Ok(self.block(height)?.map(|(_, certificate)| certificate))
    }

    /// The header at a height.
    ///
    /// # Errors
    /// [`StoreError`].
    fn header(&self, height: Height) -> Result<Option<Header>, StoreError>;

    /// Where a transaction was included, whatever its age.
    ///
    /// # Errors
    /// [`StoreError`].
    fn transaction(&self, id: &TransactionId) -> Result<Option<TransactionPlace>, StoreError>;
}

/// A handle that reads while the store goes on to commit: cheap to clone, one per thread of the edge.
pub trait StoreReader: Clone + Send + Sync + 'static {
    /// Its snapshots. They borrow the handle, so that no database resource outlives its database.
    type Snapshot<'a>: Snapshot + Send
    where
        Self: 'a;

    /// A snapshot of the newest committed height. Cheap. While it lives, what it sees is kept on the disk: drop it soon.
    fn snapshot(&self) -> Self::Snapshot<'_>;
}

/// A store: snapshots, and one atomic write per height.
pub trait Store: Send {
    /// Its reading handles.
    type Reader: StoreReader;

    /// The store's own reading handle; clone it for other threads.
    fn reader(&self) -> &Self::Reader;

    /// A snapshot of the newest committed height. Cheap.
    fn snapshot(&self) -> <Self::Reader as StoreReader>::Snapshot<'_> {
        self.reader().snapshot()
    }

    /// Writes one height. Durable on return. Transactions of the block are indexed by id.
    ///
    /// # Errors
    /// [`StoreError`]; the store is dead afterwards.
    fn commit(&mut self, commit: HeightCommit) -> Result<(), StoreError>;
}
