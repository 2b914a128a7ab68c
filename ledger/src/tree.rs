//! Storage of registers: compact sparse Merkle maps in pages of four levels, keyed by path and updated in place.
//!
//! Hashes and proofs are those of [`sigeli_verifier::register`]; this module only decides where nodes lie. Finality is
//! instant, so a register never forks and one version of each page is enough. A page holds sixteen slots (empty, a leaf,
//! or the hash of the page below) and caches the hashes of the inner nodes above them, so that one changed entry costs
//! one page read and four hashes per sixteenfold of size, and a sorted batch hashes every shared node once.
//!
//! Guarantees: the root, the pages and the proofs are functions of the set of entries alone, whatever the order and the
//! batches in which they came. The module reads through [`NodeReader`] and returns what is to be written; it writes nothing.

mod page;

use alloc::{borrow::ToOwned as _, boxed::Box, collections::BTreeMap, vec::Vec};

use sigeli_verifier::{
    ids::{RegisterKey, RegisterRoot, ValueHash},
    proof::{PrefixProof, PrefixTerminal},
    register::{AbsenceTerminal, EMPTY, RegisterPath, RegisterPrefix, bit},
};

use self::page::{Node, Page, Slot};
use crate::store::{Snapshot, StoreError};

/// Reads of stored entries by key.
pub trait NodeReader {
    /// The entry under a key.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
}

impl<S: Snapshot> NodeReader for S {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.state(key)
    }
}

impl NodeReader for BTreeMap<Vec<u8>, Vec<u8>> {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.get(key).cloned())
    }
}

/// What a batch of updates did to a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The root after it.
    pub root: RegisterRoot,
    /// The pages to put (`Some`) or delete (`None`), each key once.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// A proof that an entry is present with a value, or absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The siblings between the terminal and the root.
    pub path: RegisterPath,
    /// What stands at the end of the path.
    pub terminal: Terminal,
}

/// What stands at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    /// The entry asked for: pass this hash to [`RegisterPath::root_with`].
    Present(ValueHash),
    /// Something else: pass it to [`RegisterPath::root_without`].
    Absent(AbsenceTerminal),
}

/// Applies updates (`Some` puts, `None` deletes) to the register whose pages stand under `prefix`.
///
/// Deleting what is absent is allowed and does nothing. The result depends on the entries alone.
///
/// # Errors
/// [`StoreError`], [`StoreError::Corrupt`] when a page cannot be read back.
pub fn apply<R: NodeReader>(
    reader: &R,
    prefix: &[u8],
    updates: &BTreeMap<RegisterKey, Option<ValueHash>>,
) -> Result<Applied, StoreError> {
    let updates: Vec<Update> = updates.iter().map(|(key, value)| (*key, *value)).collect();
    let mut writer = Writer { reader, prefix, writes: Vec::new() };
    let page_key = page_key(prefix, &RegisterKey::new([0; 32]), 0);
    let (page, existed) = match reader.read(&page_key)? {
        Some(bytes) => (Page::decode(&bytes)?, true),
        None => (Page::empty(), false),
    };
    let root = match writer.update_page(page, 0, &updates)? {
        Updated { slot: Slot::Empty, .. } => {
            if existed {
                writer.writes.push((page_key, None));
            }
            EMPTY
        }
        // The root page is the only one that may hold a single leaf: there is no page above to pull it up into.
        Updated { slot, page } => {
            writer.writes.push((page_key, Some(page.encode())));
            slot.hash()
        }
    };
    Ok(Applied { root: RegisterRoot::new(root), writes: writer.writes })
}

/// The root of the register whose pages stand under `prefix`.
///
/// # Errors
/// [`StoreError`].
pub fn root<R: NodeReader>(reader: &R, prefix: &[u8]) -> Result<RegisterRoot, StoreError> {
    let hash = match reader.read(&page_key(prefix, &RegisterKey::new([0; 32]), 0))? {
        Some(bytes) => Page::decode(&bytes)?.root(),
        None => EMPTY,
    };
    Ok(RegisterRoot::new(hash))
}

/// Proves the presence or absence of a key.
///
/// # Errors
/// [`StoreError`], [`StoreError::Corrupt`] when a page is missing or cannot be read back.
pub fn prove<R: NodeReader>(reader: &R, prefix: &[u8], key: &RegisterKey) -> Result<Proof, StoreError> {
    let (end, path) = walk(reader, prefix, key, u16::MAX)?;
    let terminal = match end {
        End::Empty => Terminal::Absent(AbsenceTerminal::Empty),
        End::Leaf { key: found, value } if found == *key => Terminal::Present(value),
        End::Leaf { key, value } => Terminal::Absent(AbsenceTerminal::Other { key, value }),
        End::Subtree => return Err(StoreError::Corrupt { what: "register path" }),
    };
    Ok(Proof { path, terminal })
}

/// Proves which entries' keys begin with some bits: the way to their subtree, or to what stands above or in place of it.
///
/// # Errors
/// As [`prove`].
pub fn prove_prefix<R: NodeReader>(
    reader: &R,
    prefix: &[u8],
    bits: &RegisterPrefix,
) -> Result<PrefixProof, StoreError> {
    let (end, path) = walk(reader, prefix, &bits.first_key(), bits.depth())?;
    let terminal = match end {
        End::Empty => PrefixTerminal::Absent(AbsenceTerminal::Empty),
        End::Leaf { key, value } if !bits.contains(&key) => {
            PrefixTerminal::Absent(AbsenceTerminal::Other { key, value })
        }
        End::Leaf { .. } | End::Subtree => PrefixTerminal::Entries,
    };
    Ok(PrefixProof { terminal, path })
}

const MISSING: StoreError = StoreError::Corrupt { what: "register page (missing)" };

/// Where a walk ended.
enum End {
    /// At an empty subtree.
    Empty,
    /// At a lone entry.
    Leaf { key: RegisterKey, value: ValueHash },
    /// At the depth where it was to stop, over at least two entries.
    Subtree,
}

/// Walks from the root towards `key`, to the first subtree of less than two entries or to `depth_max`.
fn walk<R: NodeReader>(
    reader: &R,
    prefix: &[u8],
    key: &RegisterKey,
    depth_max: u16,
) -> Result<(End, RegisterPath), StoreError> {
    let mut siblings = Vec::new();
    let mut depth = 0_u16;
    let mut page = match reader.read(&page_key(prefix, key, 0))? {
        Some(bytes) => Page::decode(&bytes)?,
        None => Page::empty(),
    };
    let end = loop {
        match descend(&page, key, depth, depth_max, &mut siblings) {
            Some(Slot::Empty) => break End::Empty,
            Some(Slot::Leaf { key, value }) => break End::Leaf { key, value },
            None => break End::Subtree,
            Some(Slot::Inner(_)) => {
                depth = depth.saturating_add(page::LEVELS);
                if depth >= depth_max {
                    break End::Subtree;
                }
                let bytes = reader.read(&page_key(prefix, key, depth))?.ok_or(MISSING)?;
                page = Page::decode(&bytes)?;
            }
        }
    };
    siblings.reverse();
    let path = RegisterPath::new(siblings).ok_or(StoreError::Corrupt { what: "register path" })?;
    Ok((end, path))
}

/// Walks one page towards `key` and pushes the siblings passed, topmost first. Stops at the first empty subtree or lone
/// leaf, or at a slot; `None` when it reached `depth_max` first.
fn descend(
    page: &Page,
    key: &RegisterKey,
    depth: u16,
    depth_max: u16,
    siblings: &mut Vec<Option<[u8; 32]>>,
) -> Option<Slot> {
    let mut node = Node::ROOT;
    let mut depth = depth;
    loop {
        if let Some(slot) = page.terminal(node) {
            return Some(slot);
        }
        if depth >= depth_max {
            return None;
        }
        let (towards, other) = node.children(bit(key, depth));
        let sibling = page.hash(other);
        siblings.push((sibling != EMPTY).then_some(sibling));
        node = towards;
        depth = depth.saturating_add(1);
    }
}

/// A key to put (`Some`) or delete (`None`).
type Update = (RegisterKey, Option<ValueHash>);

/// What became of a page: what its parent's slot holds now, and the page itself.
struct Updated {
    slot: Slot,
    page: Box<Page>,
}

struct Writer<'a, R> {
    reader: &'a R,
    prefix: &'a [u8],
    writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl<R: NodeReader> Writer<'_, R> {
    /// Applies updates, all below this page, and writes the pages below it; the caller writes this one.
    fn update_page(&mut self, mut page: Box<Page>, depth: u16, updates: &[Update]) -> Result<Updated, StoreError> {
        let mut rest = updates;
        while let Some((first, _)) = rest.first() {
            let slot = nibble(first, depth);
            let count = rest.partition_point(|(key, _)| nibble(key, depth) == slot);
            let (group, tail) = rest.split_at(count);
            rest = tail;
            let old = page.slot(slot);
            let new = self.update_slot(old, depth, group)?;
            page.set(slot, new);
        }
        let slot = page.summarise();
        Ok(Updated { slot, page })
    }

    /// Applies updates, all below this slot of a page at `depth`.
    fn update_slot(&mut self, slot: Slot, depth: u16, group: &[Update]) -> Result<Slot, StoreError> {
        match slot {
            Slot::Inner(_) => self.update_child(depth, group),
            Slot::Empty => self.build(depth, group),
            Slot::Leaf { key, value } => match group.binary_search_by_key(&key, |(key, _)| *key) {
                // The update of the leaf itself stands in the group and decides.
                Ok(_) => self.build(depth, group),
                Err(position) => {
                    let mut merged = group.to_owned();
                    merged.insert(position, (key, Some(value)));
                    self.build(depth, &merged)
                }
            },
        }
    }

    /// A slot from nothing but these updates.
    fn build(&mut self, depth: u16, group: &[Update]) -> Result<Slot, StoreError> {
        let mut puts = group.iter().filter_map(|(key, value)| value.map(|value| (*key, value)));
        match (puts.next(), puts.next()) {
            (None, _) => Ok(Slot::Empty),
            (Some((key, value)), None) => Ok(Slot::Leaf { key, value }),
            (Some(_), Some(_)) => {
                let below = depth.saturating_add(page::LEVELS);
                let updated = self.update_page(Page::empty(), below, group)?;
                self.finish_child(updated, below, group, false)
            }
        }
    }

    /// Updates the page below a slot of a page at `depth`.
    fn update_child(&mut self, depth: u16, group: &[Update]) -> Result<Slot, StoreError> {
        let below = depth.saturating_add(page::LEVELS);
        let Some((key, _)) = group.first() else { return Err(MISSING) };
        let bytes = self.reader.read(&page_key(self.prefix, key, below))?.ok_or(MISSING)?;
        let updated = self.update_page(Page::decode(&bytes)?, below, group)?;
        self.finish_child(updated, below, group, true)
    }

    /// Writes a page below the root, or deletes it when what is left of it fits its parent's slot.
    fn finish_child(
        &mut self,
        updated: Updated,
        depth: u16,
        group: &[Update],
        existed: bool,
    ) -> Result<Slot, StoreError> {
        let Some((key, _)) = group.first() else { return Err(MISSING) };
        match updated.slot {
            Slot::Inner(_) => {
                self.writes.push((page_key(self.prefix, key, depth), Some(updated.page.encode())));
            }
            Slot::Empty | Slot::Leaf { .. } if existed => {
                self.writes.push((page_key(self.prefix, key, depth), None));
            }
            Slot::Empty | Slot::Leaf { .. } => {}
        }
        Ok(updated.slot)
    }
}

/// The slot of a key in a page at `depth` (a multiple of four): 0..=15.
fn nibble(key: &RegisterKey, depth: u16) -> u8 {
    let byte = key.as_bytes().get(usize::from(depth / 8)).copied().unwrap_or(0);
    if depth.is_multiple_of(8) { byte >> 4 } else { byte & 0x0f }
}

/// Key of the page at `depth` on the way to `key`: prefix, depth in nibbles, then the path, its last half byte zero.
fn page_key(prefix: &[u8], key: &RegisterKey, depth: u16) -> Vec<u8> {
    let nibbles = u8::try_from(depth / page::LEVELS).unwrap_or(u8::MAX);
    let whole = usize::from(depth / 8);
    let mut out = Vec::with_capacity(prefix.len().saturating_add(whole).saturating_add(2));
    out.extend_from_slice(prefix);
    out.push(nibbles);
    out.extend(key.as_bytes().iter().take(whole));
    if !depth.is_multiple_of(8) {
        out.push(key.as_bytes().get(whole).copied().unwrap_or(0) & 0xf0);
    }
    out
}
