//! Consensus's write-ahead log over the rows that the store keeps for it.

use sigeli_consensus::ports::{Fatal, Wal};
use sigeli_store::{ConsensusLog, StoreError};
use sigeli_verifier::ids::Height;

/// The log in the ledger's database. Rows of a height disappear with the batch that commits it.
#[derive(Debug)]
pub struct RocksWal(ConsensusLog);

impl RocksWal {
    /// Takes the store's one consensus log.
    #[must_use]
    pub const fn new(log: ConsensusLog) -> Self {
        Self(log)
    }
}

fn fatal(what: &'static str) -> impl FnOnce(StoreError) -> Fatal {
    move |error| {
        tracing::error!(%error, "{what} failed");
        Fatal::Storage { what }
    }
}

impl Wal for RocksWal {
    fn append(&mut self, height: Height, sequence: u64, row: &[u8]) -> Result<(), Fatal> {
        self.0.append(height, sequence, row).map_err(fatal("appending to the consensus log"))
    }

    fn sync(&mut self) -> Result<(), Fatal> {
        self.0.sync().map_err(fatal("syncing the consensus log"))
    }

    fn read_all(&mut self, height: Height) -> Result<Vec<Vec<u8>>, Fatal> {
        let rows = self.0.rows().map_err(fatal("reading the consensus log"))?;
        Ok(rows.into_iter().filter(|row| row.height == height).map(|row| row.bytes).collect())
    }

    fn truncate_below(&mut self, _height: Height) -> Result<(), Fatal> {
        // The batch that commits a height deletes its rows.
        Ok(())
    }
}
