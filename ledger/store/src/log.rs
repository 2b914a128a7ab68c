//! What consensus must not forget before its height is committed: its log, and the blocks built here.
//!
//! Both live in the ledger's database, so that the batch which commits a height deletes them with it: there is no moment at
//! which a height is committed and its rows remain, nor one at which rows are gone and the height is not committed. Only rows
//! of the next height are taken; for a height that is committed already there is nothing left to remember.

use core::{fmt, ops::ControlFlow};
use std::sync::Arc;

use sigeli_ledger::store::StoreError;
use sigeli_verifier::ids::{Height, Round};

use crate::{
    database::{Batch, Database, Tip, next_height, out_of_order},
    rows::{self, Bytes, CONSENSUS_ROW_BYTES_MAX, ConsensusRow},
    snapshot::corrupt,
    tables::{BuiltBlocks, ConsensusRows, Table, height_key},
};

/// Most bytes in one row of the log, and in one block built here.
pub const LOG_ROW_BYTES_MAX: usize = CONSENSUS_ROW_BYTES_MAX;

/// Most bytes of rows held in memory before they are written without being asked.
const BUFFER_BYTES_MAX: usize = 2 * LOG_ROW_BYTES_MAX;

/// A durable row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// The height at which it was written.
    pub height: Height,
    /// Its position among the rows of this height, from 0.
    pub sequence: u64,
    /// The row itself; its meaning is consensus's own.
    pub bytes: Vec<u8>,
}

/// The durable memory of consensus.
pub struct ConsensusLog {
    database: Arc<Database>,
    /// The height of the newest row, durable or not, and the sequence that follows it.
    position: Option<(Height, u64)>,
    buffered: Vec<LogRow>,
    buffered_bytes: usize,
    /// Durable rows of this height, from this sequence on, are deleted by the next sync.
    replaced_from: Option<(Height, u64)>,
}

impl fmt::Debug for ConsensusLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ConsensusLog").field("position", &self.position).finish_non_exhaustive()
    }
}

/// Whether something of this height is still to be kept. A height above the next one is refused.
fn is_kept(height: Height, tip: Option<Tip>) -> Result<bool, StoreError> {
    if height > next_height(tip) { Err(out_of_order(height, tip)) } else { Ok(height == next_height(tip)) }
}

impl ConsensusLog {
    pub(crate) fn new(database: Arc<Database>) -> Result<Self, StoreError> {
        let mut log = Self { database, position: None, buffered: Vec::new(), buffered_bytes: 0, replaced_from: None };
        log.position = log.rows()?.last().map(|row| (row.height, row.sequence + 1));
        Ok(log)
    }

    /// Adds a row in memory. It is durable after [`ConsensusLog::sync`], and not before. Rows of a height count from 0,
    /// without gaps; one that takes the place of an earlier row replaces it and all after it, also not before the sync. Rows
    /// of a committed height are dropped.
    ///
    /// # Errors
    /// [`StoreError::OutOfOrder`] for a height above the next one; others as [`ConsensusLog::sync`]: a full buffer is
    /// written at once. The store is dead afterwards.
    ///
    /// # Panics
    /// When the sequence leaves a gap, or the row is longer than [`LOG_ROW_BYTES_MAX`].
    pub fn append(&mut self, height: Height, sequence: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let tip = *self.database.lock()?;
        if !self.database.fatal(is_kept(height, tip))? {
            return Ok(());
        }
        let next = self.position.map_or(0, |(newest, next)| if newest == height { next } else { 0 });
        assert!(sequence <= next, "rows of the consensus log are numbered from 0 without gaps");
        assert!(bytes.len() <= LOG_ROW_BYTES_MAX, "rows of the consensus log are bounded");
        if sequence < next {
            self.drop_from(height, sequence);
        }
        self.position = Some((height, sequence + 1));
        self.buffered_bytes += bytes.len();
        self.buffered.push(LogRow { height, sequence, bytes: bytes.to_vec() });
        if self.buffered_bytes > BUFFER_BYTES_MAX { self.sync() } else { Ok(()) }
    }

    fn drop_from(&mut self, height: Height, sequence: u64) {
        self.buffered.retain(|row| row.height == height && row.sequence < sequence);
        self.buffered_bytes = self.buffered.iter().map(|row| row.bytes.len()).sum();
        self.replaced_from = match self.replaced_from {
            Some((replaced, from)) if replaced == height => Some((height, from.min(sequence))),
            _ => Some((height, sequence)),
        };
    }

    /// Makes every row appended so far durable: one synced write, or none when there is nothing new. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`]; the store is dead afterwards, and what was appended must be taken for lost.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        let tip = self.database.lock()?;
        let height = next_height(*tip);
        let mut batch = Batch::new(&self.database);
        // A commit since then has made the rows of its height useless.
        let rows: Vec<_> = self.buffered.iter().filter(|row| row.height == height).collect();
        if let Some((replaced, from)) = self.replaced_from
            && replaced == height
        {
            batch.delete_range::<ConsensusRows>(
                &self.database.view(),
                &ConsensusRows::key(&(height, from)),
                &height_key(&height.next()),
            )?;
        }
        for row in &rows {
            batch.put::<ConsensusRows>(&(row.height, row.sequence), &ConsensusRow { bytes: Bytes(&row.bytes) })?;
        }
        if !rows.is_empty() {
            self.database.write(batch)?;
        }
        drop(tip);
        self.buffered.clear();
        self.buffered_bytes = 0;
        self.replaced_from = None;
        Ok(())
    }

    /// The durable rows of the next height, in order.
    ///
    /// # Errors
    /// [`StoreError`]; a gap is damage. The store is dead afterwards.
    pub fn rows(&self) -> Result<Vec<LogRow>, StoreError> {
        let height = next_height(*self.database.lock()?);
        let mut found = Vec::new();
        let view = self.database.view();
        view.scan(ConsensusRows::NAME, &height_key(&height), Some(height_key(&height.next())), |key, bytes| {
            let row: ConsensusRow<'_> = rows::decode(ConsensusRows::NAME, key, bytes)?;
            let sequence = found.len() as u64;
            if key != ConsensusRows::key(&(height, sequence)) {
                return Err(corrupt::<ConsensusRows>());
            }
            found.push(LogRow { height, sequence, bytes: row.bytes.0.to_vec() });
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Stores a block built here, before it is proposed in this round. Durable on return. The first block of a slot stays:
    /// returns whether this block is the one that stands there now (also when its height is committed already, and
    /// nothing is kept). When it is not, propose the one from [`ConsensusLog::built_block`].
    ///
    /// # Errors
    /// [`StoreError::OutOfOrder`] for a height above the next one, and others; the store is dead afterwards.
    pub fn put_built_block(&mut self, height: Height, round: Round, bytes: &[u8]) -> Result<bool, StoreError> {
        let tip = self.database.lock()?;
        if !self.database.fatal(is_kept(height, *tip))? {
            return Ok(true);
        }
        let slot = (height, round);
        let standing = self.database.view().row::<BuiltBlocks, _>(&slot, |row| Ok(row.bytes.0 == bytes))?;
        if let Some(is_same) = standing {
            return Ok(is_same);
        }
        let mut batch = Batch::new(&self.database);
        batch.put::<BuiltBlocks>(&slot, &ConsensusRow { bytes: Bytes(bytes) })?;
        self.database.write(batch)?;
        drop(tip);
        Ok(true)
    }

    /// The block built here for a slot of the next height; `None` when there is none, or the height is committed.
    ///
    /// # Errors
    /// [`StoreError`]; the store is dead afterwards.
    pub fn built_block(&self, height: Height, round: Round) -> Result<Option<Vec<u8>>, StoreError> {
        self.database.view().row::<BuiltBlocks, _>(&(height, round), |row| Ok(row.bytes.0.to_vec()))
    }
}
