//! A store that remembers where transactions stand only from some time on: what pruning and snapshots leave.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sigeli_ledger::{
    memory::{MemoryReader, MemorySnapshot, MemoryStore},
    store::{Head, HeightCommit, Snapshot, StateEntry, Store, StoreError, StoreReader, TransactionPlace},
};
use sigeli_verifier::{
    block::{Block, Header},
    certificate::CommitCertificate,
    ids::{Height, TransactionId},
};

/// A store in memory, and the earliest time of blocks whose transactions it remembers.
#[derive(Debug)]
pub(crate) struct Forgetful {
    inner: MemoryStore,
    reader: Reader,
}

#[derive(Debug, Clone)]
pub(crate) struct Reader {
    inner: MemoryReader,
    earliest: Arc<AtomicU64>,
}

#[derive(Debug)]
pub(crate) struct View {
    inner: MemorySnapshot,
    earliest: u64,
}

impl Forgetful {
    pub(crate) fn new() -> Self {
        Self::over(MemoryStore::new(), 0)
    }

    fn over(inner: MemoryStore, earliest: u64) -> Self {
        let reader = Reader { inner: inner.reader().clone(), earliest: Arc::new(AtomicU64::new(earliest)) };
        Self { inner, reader }
    }

    pub(crate) fn open_again(self) -> Self {
        Self::over(MemoryStore::open(self.inner.medium()), self.reader.earliest.load(Ordering::SeqCst))
    }

    /// Forgets all transactions in blocks before this time.
    pub(crate) fn forget_before(&self, earliest: u64) {
        self.reader.earliest.store(earliest, Ordering::SeqCst);
    }
}

impl Store for Forgetful {
    type Reader = Reader;

    fn reader(&self) -> &Reader {
        &self.reader
    }

    fn commit(&mut self, commit: HeightCommit) -> Result<(), StoreError> {
        self.inner.commit(commit)
    }
}

impl StoreReader for Reader {
    type Snapshot<'a> = View;

    fn snapshot(&self) -> View {
        View { inner: self.inner.snapshot(), earliest: self.earliest.load(Ordering::SeqCst) }
    }
}

impl Snapshot for View {
    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.inner.head()
    }

    fn state(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.state(key)
    }

    fn state_range(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<StateEntry>, StoreError> {
        self.inner.state_range(prefix, from, limit)
    }

    fn block(&self, height: Height) -> Result<Option<(Block, CommitCertificate)>, StoreError> {
        self.inner.block(height)
    }

    fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        self.inner.header(height)
    }

    fn transaction(&self, id: &TransactionId) -> Result<Option<TransactionPlace>, StoreError> {
        let Some(place) = self.inner.transaction(id)? else { return Ok(None) };
        let header = self.inner.header(place.height)?;
        Ok(header.filter(|header| header.time.get() >= self.earliest).map(|_| place))
    }
}
