//! All entries of a register, or all whose keys begin with a prefix.

use alloc::vec::Vec;

use super::{ProofError, entry::compare};
use crate::{
    bounded::{List, TooLong},
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields, put_list},
    ids::{RegisterKey, RegisterRoot, StatusHandle, ValueHash},
    params::{
        REGISTER_DOWNLOAD_ENTRIES_MAX, REGISTER_NAME_BYTES_MAX, REGISTER_PAGE_BYTES_MAX, REGISTER_PAGE_ENTRIES_MAX,
        REGISTER_VALUE_BYTES_MAX,
    },
    record::{status_entry_name, status_name},
    register::{self, AbsenceTerminal, RegisterPath, RegisterPrefix, SubtreeHasher, register_root, value_hash},
};

/// An entry of a register: its name and its value. Proved by nothing but the download it is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterEntry {
    /// The name's bytes.
    pub name: List<u8, REGISTER_NAME_BYTES_MAX>,
    /// The value's bytes.
    pub value: List<u8, REGISTER_VALUE_BYTES_MAX>,
}

fields!(RegisterEntry { name, value });

impl RegisterEntry {
    /// Takes a name and a value.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn new(name: Vec<u8>, value: Vec<u8>) -> Result<Self, TooLong> {
        Ok(Self { name: List::new(name)?, value: List::new(value)? })
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> RegisterKey {
        register::key(&self.name)
    }

    /// The bytes it takes in a page.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        // Two `u16` lengths.
        self.name.len().saturating_add(self.value.len()).saturating_add(4)
    }
}

/// A part of a download, at most [`REGISTER_PAGE_ENTRIES_MAX`] entries and [`REGISTER_PAGE_BYTES_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterPage {
    entries: Vec<RegisterEntry>,
    size_bytes: usize,
}

impl Default for RegisterPage {
    fn default() -> Self {
        Self::new()
    }
}

impl RegisterPage {
    /// An empty page.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new(), size_bytes: 2 }
    }

    /// Adds an entry, or gives it back when the page is full.
    ///
    /// # Errors
    /// The entry. An empty page takes any.
    pub fn push(&mut self, entry: RegisterEntry) -> Result<(), RegisterEntry> {
        let size_bytes = self.size_bytes.saturating_add(entry.size_bytes());
        if self.entries.len() >= REGISTER_PAGE_ENTRIES_MAX || size_bytes > REGISTER_PAGE_BYTES_MAX {
            return Err(entry);
        }
        self.size_bytes = size_bytes;
        self.entries.push(entry);
        Ok(())
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[RegisterEntry] {
        &self.entries
    }

    /// The entries.
    #[must_use]
    pub fn into_entries(self) -> Vec<RegisterEntry> {
        self.entries
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Encode for RegisterPage {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.entries);
    }
}

impl Decode for RegisterPage {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut page = Self::new();
        for _ in 0..reader.count("register_page", REGISTER_PAGE_ENTRIES_MAX)? {
            let full = DecodeError::LimitExceeded { field: "register_page", limit: REGISTER_PAGE_BYTES_MAX };
            page.push(RegisterEntry::decode(reader)?).map_err(|_| full)?;
        }
        Ok(page)
    }
}

/// What stands at the end of a prefix's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefixTerminal {
    /// No entry begins with the prefix: this stands where they would be.
    Absent(AbsenceTerminal),
    /// The entries received.
    Entries,
}

/// The proof that entries are all those of a register whose keys begin with a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixProof {
    /// What stands at the end of the path.
    pub terminal: PrefixTerminal,
    /// The way from there to the root: as long as the prefix when there are two entries or more, else at most as long.
    pub path: RegisterPath,
}

fields!(PrefixProof { terminal, path });

impl Encode for PrefixTerminal {
    /// The absence's encoding (0 or 1), or 2.
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent(terminal) => terminal.encode(out),
            Self::Entries => out.push(2),
        }
    }
}

impl Decode for PrefixTerminal {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut ahead = reader.clone();
        if ahead.u8("prefix_terminal")? == 2 {
            *reader = ahead;
            Ok(Self::Entries)
        } else {
            AbsenceTerminal::decode(reader).map(Self::Absent)
        }
    }
}

/// A download in ascending order of key: entries are pushed as they come, and count once [`Self::finish`] has said so.
/// Holds a few kilobytes, however many entries pass.
#[derive(Debug, Clone)]
pub struct RegisterDownload {
    prefix: RegisterPrefix,
    hasher: SubtreeHasher,
    only: Option<(RegisterKey, ValueHash)>,
}

impl RegisterDownload {
    /// Starts the download of all entries whose keys begin with `prefix`.
    #[must_use]
    pub fn new(prefix: RegisterPrefix) -> Self {
        Self { prefix, hasher: SubtreeHasher::new(prefix.depth()), only: None }
    }

    /// How many entries were taken.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.hasher.count()
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`ProofError::OutsidePrefix`], [`ProofError::Entries`] when it does not follow the one before it.
    pub fn push(&mut self, name: &[u8], value: &[u8]) -> Result<(), ProofError> {
        let (key, value) = (register::key(name), value_hash(value));
        if !self.prefix.contains(&key) {
            return Err(ProofError::OutsidePrefix);
        }
        self.hasher.push(key, &value).map_err(ProofError::Entries)?;
        self.only = Some((key, value));
        Ok(())
    }

    /// Checks that the entries taken are all those of the register with this root that begin with the prefix. Returns how
    /// many they are.
    ///
    /// # Errors
    /// [`ProofError::OtherCount`], [`ProofError::Path`], [`ProofError::OtherRoot`].
    pub fn finish(self, root: &RegisterRoot, proof: &PrefixProof) -> Result<u64, ProofError> {
        let count = self.hasher.count();
        let path = &proof.path;
        let computed = match (count, self.only, &proof.terminal) {
            (0, None, PrefixTerminal::Absent(terminal)) => path.root_without_prefix(&self.prefix, terminal),
            (1, Some((key, value)), PrefixTerminal::Entries) => {
                if path.depth() > self.prefix.depth() {
                    return Err(ProofError::Path(register::PathError::Depth));
                }
                path.root_with(&key, &value)
            }
            (2.., Some(_), PrefixTerminal::Entries) => path.root_above(&self.prefix, self.hasher.finish()),
            _ => return Err(ProofError::OtherCount),
        };
        compare(computed.map_err(ProofError::Path)?, root)?;
        Ok(count)
    }

    /// Checks that the entries taken are all those of the register with this root. No proof is needed.
    ///
    /// # Errors
    /// [`ProofError::OtherRoot`]; [`ProofError::OtherCount`] when the download was begun with a prefix.
    pub fn finish_whole(self, root: &RegisterRoot) -> Result<u64, ProofError> {
        if self.prefix != RegisterPrefix::ALL {
            return Err(ProofError::OtherCount);
        }
        let count = self.hasher.count();
        compare(RegisterRoot::new(self.hasher.finish()), root)?;
        Ok(count)
    }
}

/// A download of a whole register in any order, at most [`REGISTER_DOWNLOAD_ENTRIES_MAX`] entries. Holds 64 bytes of each.
#[derive(Debug, Clone, Default)]
pub struct WholeRegister {
    entries: Vec<(RegisterKey, ValueHash)>,
}

impl WholeRegister {
    /// Starts a download.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Takes an entry.
    ///
    /// # Errors
    /// [`ProofError::TooManyEntries`].
    pub fn push(&mut self, name: &[u8], value: &[u8]) -> Result<(), ProofError> {
        if self.entries.len() >= REGISTER_DOWNLOAD_ENTRIES_MAX {
            return Err(ProofError::TooManyEntries { limit: REGISTER_DOWNLOAD_ENTRIES_MAX });
        }
        self.entries.push((register::key(name), value_hash(value)));
        Ok(())
    }

    /// Checks that the entries taken are all those of the register with this root, each once. Returns how many they are.
    ///
    /// # Errors
    /// [`ProofError::Entries`] when a name stands twice, [`ProofError::OtherRoot`].
    pub fn finish(mut self, root: &RegisterRoot) -> Result<usize, ProofError> {
        self.entries.sort_unstable();
        compare(register_root(&self.entries).map_err(ProofError::Entries)?, root)?;
        Ok(self.entries.len())
    }
}

/// A name in a statuses register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusName {
    /// The present status of a credential: 1, handle.
    Head(StatusHandle),
    /// An entry of its history: 2, handle, number from 1.
    Entry(StatusHandle, u32),
}

impl Encode for StatusName {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(match self {
            Self::Head(handle) => status_name(handle),
            Self::Entry(handle, entry) => status_entry_name(handle, *entry),
        });
    }
}

impl Decode for StatusName {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("status_name")? {
            1 => StatusHandle::decode(reader).map(Self::Head),
            2 => Ok(Self::Entry(StatusHandle::decode(reader)?, reader.u32("status_entry")?)),
            value => Err(DecodeError::UnknownValue { field: "status_name", value: value.into() }),
        }
    }
}
