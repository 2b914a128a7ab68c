//! Storage with a durable part and a buffered part, which a crash can tear apart at any operation.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use sigeli_verifier::ids::Height;

use crate::{
    ports::{Fatal, SignStateStore, Wal},
    wal::WalPosition,
};

/// Counts down storage operations to a crash.
#[derive(Debug, Default)]
struct Fuse {
    left: Option<u32>,
}

impl Fuse {
    fn burn(&mut self) -> Result<(), Fatal> {
        match &mut self.left {
            Some(0) => Err(Fatal::Storage { what: "simulated crash" }),
            Some(left) => {
                *left = left.saturating_sub(1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

type Rows = BTreeMap<(Height, u64), Vec<u8>>;

#[derive(Debug, Default)]
struct WalState {
    durable: Rows,
    buffered: Rows,
    dropped_below: Height,
    fuse: Fuse,
}

/// Turns over one bit.
fn flip(bytes: &mut [u8], mut draw: impl FnMut(usize) -> usize) -> bool {
    if bytes.is_empty() {
        return false;
    }
    let (place, bit) = (draw(bytes.len()), draw(8));
    let mask = 1_u8.checked_shl(u32::try_from(bit).unwrap_or(0)).unwrap_or(1);
    bytes.get_mut(place).map(|byte| *byte ^= mask).is_some()
}

/// A write-ahead log in memory; clones share it, so that the simulator keeps it over a crash.
#[derive(Debug, Clone, Default)]
pub struct MemoryWal {
    state: Rc<RefCell<WalState>>,
}

impl MemoryWal {
    /// The machine stops: what was not synced is gone, up to a prefix of `kept` rows that happened to reach the disk, the
    /// last of them cut to `torn` bytes if given.
    pub fn crash(&self, kept: usize, torn: Option<usize>) {
        let mut state = self.state.borrow_mut();
        let buffered = std::mem::take(&mut state.buffered);
        let survivors: Vec<_> = buffered.into_iter().take(kept).collect();
        let last = survivors.len().saturating_sub(1);
        for (position, (place, mut row)) in survivors.into_iter().enumerate() {
            if let Some(length) = torn.filter(|_| position == last) {
                row.truncate(length);
            }
            state.durable.insert(place, row);
        }
        state.fuse = Fuse::default();
    }

    /// Another log with what is durable in this one.
    #[must_use]
    pub fn copy(&self) -> Self {
        let durable = self.state.borrow().durable.clone();
        Self { state: Rc::new(RefCell::new(WalState { durable, ..WalState::default() })) }
    }

    /// Loses everything, as a careless operator would.
    pub fn wipe(&self) {
        *self.state.borrow_mut() = WalState::default();
    }

    /// Turns over one bit of the rows of a height; `draw` gives a number below its argument. Whether there was one.
    pub fn flip_bit(&self, height: Height, mut draw: impl FnMut(usize) -> usize) -> bool {
        let mut state = self.state.borrow_mut();
        let mut rows: Vec<_> = state.durable.iter_mut().filter(|((of, _), _)| *of == height).collect();
        if rows.is_empty() {
            return false;
        }
        let position = draw(rows.len());
        rows.get_mut(position).is_some_and(|(_, row)| flip(row, draw))
    }

    /// Whether this row is on the disk, or was and its height is dropped.
    #[must_use]
    pub fn has_durably(&self, position: &WalPosition) -> bool {
        let state = self.state.borrow();
        let row = state.durable.get(&(position.height, position.sequence));
        position.height < state.dropped_below || row.is_some_and(|row| row.ends_with(&position.hash))
    }

    /// Lets the operation after the next `count` fail, and all after it.
    pub fn fail_after(&self, count: u32) {
        self.state.borrow_mut().fuse.left = Some(count);
    }

    /// The rows on the disk.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<u8>> {
        self.state.borrow().durable.values().cloned().collect()
    }
}

impl Wal for MemoryWal {
    fn append(&mut self, height: Height, sequence: u64, row: &[u8]) -> Result<(), Fatal> {
        let mut state = self.state.borrow_mut();
        state.fuse.burn()?;
        state.durable.retain(|place, _| *place < (height, sequence));
        state.buffered.insert((height, sequence), row.to_vec());
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Fatal> {
        let mut state = self.state.borrow_mut();
        state.fuse.burn()?;
        let mut buffered = std::mem::take(&mut state.buffered);
        state.durable.append(&mut buffered);
        Ok(())
    }

    fn read_all(&mut self, height: Height) -> Result<Vec<Vec<u8>>, Fatal> {
        let state = self.state.borrow();
        let of_height = state.durable.iter().filter(|((row_height, _), _)| *row_height == height);
        Ok(of_height.map(|(_, row)| row.clone()).collect())
    }

    fn truncate_below(&mut self, height: Height) -> Result<(), Fatal> {
        let mut state = self.state.borrow_mut();
        state.dropped_below = state.dropped_below.max(height);
        state.durable.retain(|(row_height, _), _| *row_height >= height);
        state.buffered.retain(|(row_height, _), _| *row_height >= height);
        Ok(())
    }
}

#[derive(Debug, Default)]
struct RecordState {
    record: Option<Vec<u8>>,
    fuse: Fuse,
}

/// A sign-state record in memory; clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemorySignState {
    state: Rc<RefCell<RecordState>>,
}

impl MemorySignState {
    /// A store that holds a record.
    #[must_use]
    pub fn with(record: Vec<u8>) -> Self {
        let store = Self::default();
        store.state.borrow_mut().record = Some(record);
        store
    }

    /// Puts a record, or none, as a careless operator would.
    pub fn overwrite(&self, record: Option<Vec<u8>>) {
        self.state.borrow_mut().record = record;
    }

    /// Turns over one bit of the record; `draw` gives a number below its argument. Whether there was one.
    pub fn flip_bit(&self, draw: impl FnMut(usize) -> usize) -> bool {
        self.state.borrow_mut().record.as_mut().is_some_and(|record| flip(record, draw))
    }

    /// Lets the store after the next `count` fail, before it writes anything.
    pub fn fail_after(&self, count: u32) {
        self.state.borrow_mut().fuse.left = Some(count);
    }

    /// The machine stops.
    pub fn crash(&self) {
        self.state.borrow_mut().fuse = Fuse::default();
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> Option<Vec<u8>> {
        self.state.borrow().record.clone()
    }
}

impl SignStateStore for MemorySignState {
    fn load(&mut self) -> Result<Option<Vec<u8>>, Fatal> {
        Ok(self.state.borrow().record.clone())
    }

    fn store(&mut self, record: &[u8]) -> Result<(), Fatal> {
        let mut state = self.state.borrow_mut();
        state.fuse.burn()?;
        state.record = Some(record.to_vec());
        Ok(())
    }
}
