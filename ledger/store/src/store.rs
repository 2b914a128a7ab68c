//! The store: opened, checked, and written one height at a time.

use core::fmt;
use std::{path::Path, sync::Arc};

use sigeli_ledger::store::{HeightCommit, Store, StoreError};

use crate::{
    commit,
    create::{self, OpenError, Options},
    database::{Database, next_height},
    evidence::EvidenceLog,
    log::ConsensusLog,
    mark::Mark,
    recover,
    snapshot::RocksReader,
};

/// The one handle that commits heights.
pub struct RocksStore {
    database: Arc<Database>,
    reader: RocksReader,
    mark: Mark,
}

impl fmt::Debug for RocksStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RocksStore").finish_non_exhaustive()
    }
}

impl RocksStore {
    /// Opens the store in a directory that no one else may touch, and checks it (`recover.rs`). Blocks on the disk.
    ///
    /// # Errors
    /// [`OpenError`]. The store is as it was before, except for what RocksDB does to replay its own log.
    pub fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let database = Arc::new(create::open(path, options)?);
        let tip = recover::check(&database, options.genesis)?;
        let mark = Mark::open(path, next_height(tip).get())?;
        *database.lock()? = tip;
        Ok(Self { reader: RocksReader::new(Arc::clone(&database)), database, mark })
    }

    /// The rows of consensus in the same database. Take it once: two logs would not know of each other's rows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn consensus_log(&self) -> Result<ConsensusLog, StoreError> {
        ConsensusLog::new(Arc::clone(&self.database))
    }

    /// Where evidence against validators is kept.
    #[must_use]
    pub fn evidence_log(&self) -> EvidenceLog {
        EvidenceLog::new(Arc::clone(&self.database))
    }
}

impl Store for RocksStore {
    type Reader = RocksReader;

    fn reader(&self) -> &RocksReader {
        &self.reader
    }

    fn commit(&mut self, height: HeightCommit) -> Result<(), StoreError> {
        let heights = commit::commit(&self.database, &height)?;
        self.database.fatal(self.mark.set(heights))
    }
}
