//! The opened database that all handles share: typed reads of one moment, batches, and death.

use core::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
};
use std::sync::{Mutex, MutexGuard};

use rocksdb::{ColumnFamily, DB, ErrorKind, ReadOptions, Snapshot, WriteBatch, WriteOptions};
use sigeli_ledger::store::StoreError;
use sigeli_verifier::ids::{BlockId, GenesisHash, Height};

use crate::{
    rows,
    tables::{Table, height_key},
};

/// The newest height committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) height: Height,
    pub(crate) id: BlockId,
    pub(crate) genesis: GenesisHash,
}

/// The height that comes next.
pub(crate) fn next_height(tip: Option<Tip>) -> Height {
    tip.map_or(Height::new(0), |tip| tip.height.next())
}

/// The refusal of a height. Before genesis there is no head: the error then says 0.
pub(crate) fn out_of_order(given: Height, tip: Option<Tip>) -> StoreError {
    StoreError::OutOfOrder { given, head: tip.map_or(Height::new(0), |tip| tip.height) }
}

/// RocksDB, the newest height, and whether an error has ended it all.
pub(crate) struct Database {
    db: DB,
    dead: AtomicBool,
    /// Whoever writes holds this, so that what a batch deletes cannot grow meanwhile.
    tip: Mutex<Option<Tip>>,
}

impl Database {
    pub(crate) fn new(db: DB) -> Self {
        Self { db, dead: AtomicBool::new(false), tip: Mutex::new(None) }
    }

    pub(crate) fn rocks(&self) -> &DB {
        &self.db
    }

    /// Ends the store when `result` is an error.
    pub(crate) fn fatal<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.dead.store(true, Ordering::SeqCst);
        }
        result
    }

    pub(crate) fn check_alive(&self) -> Result<(), StoreError> {
        if self.dead.load(Ordering::SeqCst) { Err(StoreError::Dead) } else { Ok(()) }
    }

    /// Takes the right to write. A panic of an earlier holder has killed the store.
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, Option<Tip>>, StoreError> {
        self.check_alive()?;
        let guard = self.fatal(self.tip.lock().map_err(|_| StoreError::Dead))?;
        // An error may have come while this call waited.
        self.check_alive()?;
        Ok(guard)
    }

    /// Writes a batch, synced. The caller holds the lock.
    pub(crate) fn write(&self, batch: Batch<'_>) -> Result<(), StoreError> {
        self.check_alive()?;
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.fatal(self.db.write_opt(batch.writes, &options).map_err(|error| failed("writing a batch", "batch", error)))
    }

    pub(crate) fn view(&self) -> View<'_> {
        View { database: self, snapshot: self.db.snapshot() }
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily, StoreError> {
        self.db.cf_handle(name).ok_or(StoreError::Corrupt { what: name })
    }
}

/// RocksDB's error in the port's terms.
fn failed(operation: &'static str, what: &'static str, error: rocksdb::Error) -> StoreError {
    match error.kind() {
        ErrorKind::Corruption => StoreError::Corrupt { what },
        _ => StoreError::Io { operation, detail: error.into_string() },
    }
}

/// Writes that will happen together.
pub(crate) struct Batch<'a> {
    database: &'a Database,
    writes: WriteBatch,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(database: &'a Database) -> Self {
        Self { database, writes: WriteBatch::default() }
    }

    pub(crate) fn put<'r, T: Table>(&mut self, key: &T::Key, row: &T::Row<'r>) -> Result<(), StoreError> {
        let key = T::key(key);
        let bytes = self.database.fatal(rows::encode(T::NAME, &key, row))?;
        self.put_raw(T::NAME, &key, &bytes)
    }

    pub(crate) fn put_raw(&mut self, family: &'static str, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.writes.put_cf(self.database.fatal(self.database.family(family))?, key, value);
        Ok(())
    }

    pub(crate) fn delete_raw(&mut self, family: &'static str, key: &[u8]) -> Result<(), StoreError> {
        self.writes.delete_cf(self.database.fatal(self.database.family(family))?, key);
        Ok(())
    }

    /// Deletes every row of a table that is kept for a height.
    pub(crate) fn delete_height<T: Table>(&mut self, view: &View<'_>, height: Height) -> Result<(), StoreError> {
        self.delete_range::<T>(view, &height_key(&height), &height_key(&height.next()))
    }

    /// Deletes the rows of a table from a key on, below another. By point deletes: there are few, and tombstones of
    /// ranges would slow down every later read.
    pub(crate) fn delete_range<T: Table>(
        &mut self,
        view: &View<'_>,
        from: &[u8],
        below: &[u8],
    ) -> Result<(), StoreError> {
        view.scan(T::NAME, from, Some(below.to_vec()), |key, _| {
            self.delete_raw(T::NAME, key)?;
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// The database at one moment.
pub(crate) struct View<'a> {
    database: &'a Database,
    snapshot: Snapshot<'a>,
}

impl View<'_> {
    pub(crate) fn raw(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.database.check_alive()?;
        self.database.fatal(self.database.family(family).and_then(|handle| {
            let value = self.snapshot.get_cf_opt(handle, key, read_options());
            value.map_err(|error| failed("reading an entry", family, error))
        }))
    }

    /// Reads a row and turns it into what its reader wants.
    pub(crate) fn row<T: Table, V>(
        &self,
        key: &T::Key,
        take: impl FnOnce(T::Row<'_>) -> Result<V, StoreError>,
    ) -> Result<Option<V>, StoreError> {
        let key = T::key(key);
        let Some(bytes) = self.raw(T::NAME, &key)? else { return Ok(None) };
        self.database.fatal(rows::decode::<T::Row<'_>>(T::NAME, &key, &bytes).and_then(take)).map(Some)
    }

    /// Visits the entries of a table from a key on, below another.
    pub(crate) fn scan(
        &self,
        family: &'static str,
        from: &[u8],
        below: Option<Vec<u8>>,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.database.check_alive()?;
        let mut options = read_options();
        if let Some(below) = below {
            options.set_iterate_upper_bound(below);
        }
        self.database.fatal(self.database.family(family).and_then(|handle| {
            let mut entries = self.snapshot.raw_iterator_cf_opt(handle, options);
            entries.seek(from);
            while let Some((key, value)) = entries.item() {
                if visit(key, value)?.is_break() {
                    return Ok(());
                }
                entries.next();
            }
            // An iterator that meets damage ends like one that meets the end.
            entries.status().map_err(|error| failed("reading entries", family, error))
        }))
    }

    /// The last key of a table.
    pub(crate) fn last_key(&self, family: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        self.database.check_alive()?;
        self.database.fatal(self.database.family(family).and_then(|handle| {
            let mut entries = self.snapshot.raw_iterator_cf_opt(handle, read_options());
            entries.seek_to_last();
            let last = entries.key().map(<[u8]>::to_vec);
            entries.status().map_err(|error| failed("reading entries", family, error))?;
            Ok(last)
        }))
    }

    /// Ends the store when `result` is an error.
    pub(crate) fn fatal<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.database.fatal(result)
    }
}

fn read_options() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_verify_checksums(true);
    options
}
