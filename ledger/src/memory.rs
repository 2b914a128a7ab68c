//! A store in memory, with snapshots and failure points: for tests and the simulator (feature `testing`).
//!
//! What survives a crash is the [`Medium`]; a [`MemoryStore`] is one opening of it. A failing commit either leaves the
//! medium as it was or, for [`Fault::AfterCommit`], has written the whole height without the caller learning of it: the
//! two outcomes of a torn write that an atomic batch allows.

use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sigeli_verifier::{
    block::{Block, Header},
    certificate::CommitCertificate,
    ids::{Height, TransactionId},
};

use crate::store::{Head, HeightCommit, Snapshot, StateEntry, Store, StoreError, StoreReader, TransactionPlace};

/// Where a store fails, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The commit of this height fails, and nothing of it is kept.
    BeforeCommit(Height),
    /// The commit of this height fails, and all of it is kept.
    AfterCommit(Height),
    /// This many state reads succeed, then one fails.
    Read(u64),
}

/// What an entry was from this height on; `None` when it was deleted.
type Version = (Height, Option<Vec<u8>>);

/// Every version of each entry, and of everything else, by the height that wrote it.
#[derive(Debug, Default)]
struct Data {
    /// Versions of each state entry, in ascending order of height.
    state: BTreeMap<Vec<u8>, Vec<Version>>,
    blocks: BTreeMap<Height, (Arc<Block>, CommitCertificate)>,
    transactions: BTreeMap<TransactionId, TransactionPlace>,
    heads: BTreeMap<Height, Head>,
    /// Living snapshots by height: versions that none of them sees are dropped when an entry is written again.
    readers: BTreeMap<Height, usize>,
    fault: Option<Fault>,
}

impl Data {
    fn head(&self) -> Option<&Head> {
        self.heads.last_key_value().map(|(_, head)| head)
    }

    fn write(&mut self, key: Vec<u8>, height: Height, value: Option<Vec<u8>>) {
        let oldest_seen = self.readers.keys().next().copied().unwrap_or(height);
        let versions = self.state.entry(key).or_default();
        // The newest version at or below the oldest snapshot must stay, and all above it.
        let keep = versions.partition_point(|(written, _)| *written <= oldest_seen).saturating_sub(1);
        let surplus = if oldest_seen == height { versions.len() } else { keep };
        versions.drain(..surplus);
        versions.push((height, value));
    }

    fn read(&self, key: &[u8], at: Height) -> Option<Vec<u8>> {
        visible(self.state.get(key)?, at)
    }
}

fn visible(versions: &[Version], at: Height) -> Option<Vec<u8>> {
    versions.iter().rev().find(|(height, _)| *height <= at).and_then(|(_, value)| value.clone())
}

/// What survives a crash. Clones are the same medium.
#[derive(Debug, Clone, Default)]
pub struct Medium(Arc<Mutex<Data>>);

impl Medium {
    /// An empty medium.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next matching operation fail.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.lock().fault = fault;
    }

    /// Every state entry at the newest height: what two ledgers can be compared by.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let data = self.lock();
        let Some(head) = data.head() else { return BTreeMap::new() };
        let at = head.header.height;
        let newest = data.state.iter().filter_map(|(key, versions)| Some((key.clone(), visible(versions, at)?)));
        newest.collect()
    }

    /// Overwrites a state entry at the newest height, past every rule: plants damage, or a state that no transaction of
    /// this version can reach.
    pub fn plant(&self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let mut data = self.lock();
        let height = data.head().map_or(Height::new(0), |head| head.header.height);
        data.state.insert(key, Vec::from([(height, value)]));
    }

    fn lock(&self) -> MutexGuard<'_, Data> {
        // A panic in a test's other thread does not damage plain data.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One opening of a medium.
#[derive(Debug)]
pub struct MemoryStore {
    reader: MemoryReader,
    dead: bool,
}

/// A reading handle.
#[derive(Debug, Clone)]
pub struct MemoryReader(Medium);

/// A snapshot.
#[derive(Debug)]
pub struct MemorySnapshot {
    medium: Medium,
    /// The height it sees; `None` before genesis was stored.
    at: Option<Height>,
}

impl MemoryStore {
    /// An empty store on its own medium.
    #[must_use]
    pub fn new() -> Self {
        Self::open(Medium::new())
    }

    /// Opens a medium.
    #[must_use]
    pub const fn open(medium: Medium) -> Self {
        Self { reader: MemoryReader(medium), dead: false }
    }

    /// The medium, to open it again or to plant faults.
    #[must_use]
    pub fn medium(&self) -> Medium {
        self.reader.0.clone()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

fn failed(operation: &'static str) -> StoreError {
    StoreError::Io { operation, detail: String::from("planted fault") }
}

impl Store for MemoryStore {
    type Reader = MemoryReader;

    fn reader(&self) -> &MemoryReader {
        &self.reader
    }

    fn commit(&mut self, commit: HeightCommit) -> Result<(), StoreError> {
        if self.dead {
            return Err(StoreError::Dead);
        }
        let mut data = self.reader.0.lock();
        let height = commit.head.header.height;
        let (expected, head) = match data.head() {
            Some(head) => (head.header.height.next(), head.header.height),
            None => (Height::new(0), Height::new(0)),
        };
        if height != expected {
            self.dead = true;
            return Err(StoreError::OutOfOrder { given: height, head });
        }
        let fault = data
            .fault
            .filter(|fault| matches!(fault, Fault::BeforeCommit(at) | Fault::AfterCommit(at) if *at == height));
        if fault.is_some() {
            data.fault = None;
            self.dead = true;
        }
        if !matches!(fault, Some(Fault::BeforeCommit(_))) {
            for (key, value) in commit.state {
                data.write(key, height, value);
            }
            for (transaction, index) in commit.block.transactions.iter().zip(0_u32..) {
                data.transactions.insert(transaction.id(), TransactionPlace { height, index });
            }
            data.blocks.insert(height, (commit.block, commit.certificate));
            data.heads.insert(height, commit.head);
        }
        match fault {
            Some(_) => Err(failed("commit")),
            None => Ok(()),
        }
    }
}

impl StoreReader for MemoryReader {
    type Snapshot<'a> = MemorySnapshot;

    fn snapshot(&self) -> MemorySnapshot {
        let mut data = self.0.lock();
        let at = data.head().map(|head| head.header.height);
        if let Some(at) = at {
            let living = data.readers.entry(at).or_default();
            *living = living.saturating_add(1);
        }
        MemorySnapshot { medium: self.0.clone(), at }
    }
}

impl Drop for MemorySnapshot {
    fn drop(&mut self) {
        let Some(at) = self.at else { return };
        let mut data = self.medium.lock();
        let living = data.readers.get(&at).copied().unwrap_or(0).saturating_sub(1);
        if living == 0 {
            data.readers.remove(&at);
        } else {
            data.readers.insert(at, living);
        }
    }
}

impl MemorySnapshot {
    fn sees(&self, height: Height) -> bool {
        self.at.is_some_and(|at| height <= at)
    }

    fn fail_if_planted(&self, data: &mut Data) -> Result<(), StoreError> {
        match data.fault {
            Some(Fault::Read(0)) => {
                data.fault = None;
                Err(failed("read"))
            }
            Some(Fault::Read(left)) => {
                data.fault = Some(Fault::Read(left.saturating_sub(1)));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Snapshot for MemorySnapshot {
    fn head(&self) -> Result<Option<Head>, StoreError> {
        let data = self.medium.lock();
        Ok(self.at.and_then(|at| data.heads.get(&at).cloned()))
    }

    fn state(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut data = self.medium.lock();
        self.fail_if_planted(&mut data)?;
        Ok(self.at.and_then(|at| data.read(key, at)))
    }

    fn state_range(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<StateEntry>, StoreError> {
        let mut data = self.medium.lock();
        self.fail_if_planted(&mut data)?;
        let Some(at) = self.at else { return Ok(Vec::new()) };
        let entries = data.state.range(from.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        let seen = entries.filter_map(|(key, versions)| Some((key.clone(), visible(versions, at)?)));
        Ok(seen.take(limit).collect())
    }

    fn block(&self, height: Height) -> Result<Option<(Block, CommitCertificate)>, StoreError> {
        let data = self.medium.lock();
        let found = data.blocks.get(&height).filter(|_| self.sees(height));
        Ok(found.map(|(block, certificate)| ((**block).clone(), certificate.clone())))
    }

    fn certificate(&self, height: Height) -> Result<Option<CommitCertificate>, StoreError> {
        let data = self.medium.lock();
        Ok(data.blocks.get(&height).filter(|_| self.sees(height)).map(|(_, certificate)| certificate.clone()))
    }

    fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        let data = self.medium.lock();
        Ok(data.heads.get(&height).filter(|_| self.sees(height)).map(|head| head.header))
    }

    fn transaction(&self, id: &TransactionId) -> Result<Option<TransactionPlace>, StoreError> {
        let data = self.medium.lock();
        Ok(data.transactions.get(id).copied().filter(|place| self.sees(place.height)))
    }
}
