//! Reading: handles for threads, and the ledger at one height.

use core::{fmt, ops::ControlFlow};
use std::{path::Path, sync::Arc};

use rocksdb::checkpoint::Checkpoint;
use sigeli_ledger::store::{Head, Snapshot, StoreError, StoreReader, TransactionPlace};
use sigeli_verifier::{
    block::{Block, Header},
    certificate::CommitCertificate,
    decode::Decode,
    history::Frontier,
    ids::{BlockId, GenesisHash, Height, TransactionId},
};

use crate::{
    database::{Database, View},
    rows::HeadRow,
    tables::{Blocks, Certificates, Genesis, HeadMarker, Headers, STATE, Table, Transactions},
};

/// Reads while the store goes on to commit. Cheap to clone; the database is closed when the last handle is dropped.
#[derive(Clone)]
pub struct RocksReader {
    database: Arc<Database>,
}

impl fmt::Debug for RocksReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RocksReader").finish_non_exhaustive()
    }
}

/// What a whole reading has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    /// Heights, each with block, header and certificate.
    pub heights: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// State entries.
    pub state_entries: u64,
    /// Bytes of these entries' keys and values.
    pub state_bytes: u64,
}

impl RocksReader {
    pub(crate) const fn new(database: Arc<Database>) -> Self {
        Self { database }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The ledger that the store belongs to; `None` before genesis was stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn genesis(&self) -> Result<Option<GenesisHash>, StoreError> {
        genesis(&self.database.view())
    }

    /// Writes a copy of the store, as of one height, into a new directory. The copy shares the unchanging table files
    /// with the store by hard links when both are on one file system. It is opened like any store; a validator that
    /// starts from it must not sign before it knows what its key has signed since.
    ///
    /// # Errors
    /// [`StoreError::Io`], also when the directory exists. The store then lives on: nothing of it was touched.
    pub fn checkpoint(&self, directory: &Path) -> Result<(), StoreError> {
        self.database.check_alive()?;
        Checkpoint::new(self.database.rocks())
            .and_then(|checkpoint| checkpoint.create_checkpoint(directory))
            .map_err(|error| StoreError::Io { operation: "copying the store", detail: error.into_string() })
    }

    /// Reads everything as of one height: that each height has its block, header and certificate, linked to the one
    /// before; that each transaction is found where it stands; and the checksums of all of it and of the state. Takes as
    /// long as reading the whole store; commits go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError`]: the first damage found. As after every error, the store is dead.
    pub fn check_all(&self) -> Result<Census, StoreError> {
        let snapshot = RocksSnapshot { view: self.database.view() };
        let mut census = Census { heights: 0, transactions: 0, state_entries: 0, state_bytes: 0 };
        if let Some(head) = snapshot.head()? {
            let mut parent = None;
            for height in (0..=head.header.height.get()).map(Height::new) {
                let checked = check_height(&snapshot.view, height, parent);
                let block = self.database.fatal(checked)?;
                parent = Some(block.header.id());
                census.heights += 1;
                census.transactions += block.transactions.len() as u64;
            }
        }
        snapshot.view.scan(STATE, &[], None, |key, value| {
            census.state_entries += 1;
            census.state_bytes += (key.len() + value.len()) as u64;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(census)
    }
}

impl StoreReader for RocksReader {
    type Snapshot<'a> = RocksSnapshot<'a>;

    fn snapshot(&self) -> RocksSnapshot<'_> {
        RocksSnapshot { view: self.database.view() }
    }
}

/// The ledger at one height.
pub struct RocksSnapshot<'a> {
    view: View<'a>,
}

impl fmt::Debug for RocksSnapshot<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RocksSnapshot").finish_non_exhaustive()
    }
}

impl Snapshot for RocksSnapshot<'_> {
    fn head(&self) -> Result<Option<Head>, StoreError> {
        head(&self.view)
    }

    fn state(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.view.raw(STATE, key)
    }

    fn state_range(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let mut entries = Vec::new();
        if limit == 0 {
            return Ok(entries);
        }
        self.view.scan(STATE, from.max(prefix), after_prefix(prefix), |key, value| {
            entries.push((key.to_vec(), value.to_vec()));
            Ok(if entries.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(entries)
    }

    fn block(&self, height: Height) -> Result<Option<(Block, CommitCertificate)>, StoreError> {
        let Some(block) = block(&self.view, height)? else { return Ok(None) };
        let certificate = certificate(&self.view, height)?;
        let certificate = self.view.fatal(certificate.ok_or(corrupt::<Certificates>()))?;
        Ok(Some((block, certificate)))
    }

    fn certificate(&self, height: Height) -> Result<Option<CommitCertificate>, StoreError> {
        certificate(&self.view, height)
    }

    fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        header(&self.view, height)
    }

    fn transaction(&self, id: &TransactionId) -> Result<Option<TransactionPlace>, StoreError> {
        self.view.row::<Transactions, _>(id, |row| {
            Ok(TransactionPlace { height: Height::new(row.height), index: row.index })
        })
    }
}

/// The first key after all that start with `prefix`; `None` when there is no such key.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut after = prefix.to_vec();
    while let Some(last) = after.pop() {
        if let Some(next) = last.checked_add(1) {
            after.push(next);
            return Some(after);
        }
    }
    None
}

pub(crate) const fn corrupt<T: Table>() -> StoreError {
    StoreError::Corrupt { what: T::NAME }
}

fn decoded<T: Table, V: Decode>(bytes: &[u8]) -> Result<V, StoreError> {
    V::from_bytes(bytes).map_err(|_| corrupt::<T>())
}

pub(crate) fn genesis(view: &View<'_>) -> Result<Option<GenesisHash>, StoreError> {
    view.row::<Genesis, _>(&(), |row| Ok(GenesisHash::new(row.genesis)))
}

pub(crate) fn head(view: &View<'_>) -> Result<Option<Head>, StoreError> {
    view.row::<HeadMarker, _>(&(), |row| {
        let HeadRow { header, id, history_size, history_peaks } = row;
        let header: Header = decoded::<HeadMarker, _>(header.0)?;
        let id = BlockId::new(id);
        let history = Frontier::from_parts(history_size, history_peaks).ok_or(corrupt::<HeadMarker>())?;
        if header.id() != id || header.height.next().get() != history.size() {
            return Err(corrupt::<HeadMarker>());
        }
        Ok(Head { header, id, history })
    })
}

pub(crate) fn header(view: &View<'_>, height: Height) -> Result<Option<Header>, StoreError> {
    view.row::<Headers, _>(&height, |row| {
        let header: Header = decoded::<Headers, _>(row.header.0)?;
        if header.height != height || header.id().get() != row.id {
            return Err(corrupt::<Headers>());
        }
        Ok(header)
    })
}

fn block(view: &View<'_>, height: Height) -> Result<Option<Block>, StoreError> {
    view.row::<Blocks, _>(&height, |row| {
        let block: Block = decoded::<Blocks, _>(row.block.0)?;
        if block.header.height == height { Ok(block) } else { Err(corrupt::<Blocks>()) }
    })
}

fn certificate(view: &View<'_>, height: Height) -> Result<Option<CommitCertificate>, StoreError> {
    view.row::<Certificates, _>(&height, |row| decoded::<Certificates, _>(row.certificate.0))
}

/// Checks all that stands for one height: header, block with its own transactions, certificate, index, and the link to
/// the parent if that is known.
pub(crate) fn check_height(view: &View<'_>, height: Height, parent: Option<BlockId>) -> Result<Block, StoreError> {
    let header = header(view, height)?.ok_or(corrupt::<Headers>())?;
    let block = block(view, height)?.ok_or(corrupt::<Blocks>())?;
    certificate(view, height)?.ok_or(corrupt::<Certificates>())?;
    if block.header != header || !block.has_own_transactions() {
        return Err(corrupt::<Blocks>());
    }
    if parent.is_some_and(|parent| header.parent != parent) {
        return Err(corrupt::<Headers>());
    }
    for (index, transaction) in (0_u32..).zip(&block.transactions) {
        let found = view.row::<Transactions, _>(&transaction.id(), |row| Ok((Height::new(row.height), row.index)))?;
        if found != Some((height, index)) {
            return Err(corrupt::<Transactions>());
        }
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::after_prefix;

    #[test]
    fn the_key_after_a_prefix() {
        assert_eq!(after_prefix(b""), None);
        assert_eq!(after_prefix(b"a"), Some(b"b".to_vec()));
        assert_eq!(after_prefix(&[1, 0xFF]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xFF, 0xFF]), None);
        assert_eq!(after_prefix(&[0xFF, 0]), Some(vec![0xFF, 1]));
    }
}
