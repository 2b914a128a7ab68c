//! Entries of registers: one with its proof, all, or those whose keys begin with some bits.

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::InstitutionId,
    proof::{EntryProof, PrefixProof, RegisterEntry, RegisterPage},
    register::{self, RegisterPrefix},
};

use super::{
    absent, present,
    rows::{self, Kind},
};
use crate::{
    state::keys::{self, Register},
    store::{Snapshot, StoreError},
    tree,
};

/// How many rows are read at once.
const ROWS: usize = 256;

const TOO_LONG: StoreError = StoreError::Corrupt { what: "register entry (too long)" };

/// Proves the entry of a register under a name, or that there is none.
///
/// # Errors
/// [`StoreError`].
pub fn entry<S: Snapshot>(snapshot: &S, register: Register, name: &[u8]) -> Result<EntryProof, StoreError> {
    let key = register::key(name);
    let found = match rows::row(register, name) {
        Some((kind, row)) => snapshot.state(&row)?.map(|value| kind.value(value)).transpose()?,
        None => None,
    };
    match found {
        Some(value) => {
            let path = present(snapshot, register, &key, &value)?;
            EntryProof::present(value, path).map_err(|_| TOO_LONG)
        }
        None => absent(snapshot, register, &key).map(EntryProof::Absent),
    }
}

/// Proves that entries are all those of an institution's statuses whose keys begin with `prefix`.
///
/// # Errors
/// [`StoreError`].
pub fn prefix_proof<S: Snapshot>(
    snapshot: &S,
    institution: InstitutionId,
    prefix: &RegisterPrefix,
) -> Result<PrefixProof, StoreError> {
    tree::prove_prefix(snapshot, &Register::Statuses(institution).prefix(), prefix)
}

/// The smallest key after this one.
fn after(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// What the keys of the rows with the names of an institution's statuses begin with.
fn names(institution: InstitutionId) -> Vec<u8> {
    let mut key = keys::status_name(institution, &RegisterPrefix::ALL.first_key());
    key.truncate(key.len().saturating_sub(32));
    key
}

/// All entries of a register, page by page, in the order of their rows: a
/// [`WholeRegister`](sigeli_verifier::proof::WholeRegister) takes them.
#[derive(Debug)]
pub struct RegisterEntries<'a, S> {
    snapshot: &'a S,
    register: Register,
    /// The kinds not yet read to their end.
    kinds: &'static [Kind],
    /// Where to go on within the first of them; its start when `None`.
    from: Option<Vec<u8>>,
}

impl<'a, S: Snapshot> RegisterEntries<'a, S> {
    /// Starts before the first entry.
    #[must_use]
    pub const fn new(snapshot: &'a S, register: Register) -> Self {
        Self { snapshot, register, kinds: rows::kinds(register), from: None }
    }

    /// The next entries, as many as fit a page; `None` after the last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn next_page(&mut self) -> Result<Option<RegisterPage>, StoreError> {
        let mut page = RegisterPage::new();
        while let [kind, rest @ ..] = self.kinds {
            let prefix = kind.prefix(self.register);
            let from = self.from.take().unwrap_or_else(|| prefix.clone());
            let rows = self.snapshot.state_range(&prefix, &from, ROWS)?;
            let last = rows.len() < ROWS;
            for (key, row) in rows {
                let unknown = StoreError::Corrupt { what: "row key" };
                let name = kind.name(self.register, &key).ok_or(unknown)?;
                let entry = RegisterEntry::new(name, kind.value(row)?).map_err(|_| TOO_LONG)?;
                if page.push(entry).is_err() {
                    self.from = Some(key);
                    return Ok(Some(page));
                }
                self.from = Some(after(key));
            }
            if last {
                self.kinds = rest;
                self.from = None;
            }
        }
        Ok((!page.is_empty()).then_some(page))
    }
}

/// Entries of an institution's statuses whose keys begin with some bits, page by page, in ascending order of key: a
/// [`RegisterDownload`](sigeli_verifier::proof::RegisterDownload) takes them.
#[derive(Debug)]
pub struct StatusEntries<'a, S> {
    snapshot: &'a S,
    institution: InstitutionId,
    prefix: RegisterPrefix,
    /// Where to go on; `None` after the last.
    from: Option<Vec<u8>>,
}

impl<'a, S: Snapshot> StatusEntries<'a, S> {
    /// Starts before the first entry; [`RegisterPrefix::ALL`] takes them all.
    #[must_use]
    pub fn new(snapshot: &'a S, institution: InstitutionId, prefix: RegisterPrefix) -> Self {
        let from = Some(keys::status_name(institution, &prefix.first_key()));
        Self { snapshot, institution, prefix, from }
    }

    /// The next entries, as many as fit a page; `None` after the last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn next_page(&mut self) -> Result<Option<RegisterPage>, StoreError> {
        let register = Register::Statuses(self.institution);
        let range = names(self.institution);
        let mut page = RegisterPage::new();
        while let Some(from) = self.from.take() {
            let names = self.snapshot.state_range(&range, &from, ROWS)?;
            let mut next = names.last().filter(|_| names.len() == ROWS).map(|(key, _)| after(key.clone()));
            for (key, name) in names {
                if !self.prefix.contains(&register::key(&name)) {
                    next = None;
                    break;
                }
                let unknown = StoreError::Corrupt { what: "name of a status" };
                let (kind, row) = rows::row(register, &name).ok_or(unknown)?;
                let missing = StoreError::Corrupt { what: "status (missing)" };
                let value = kind.value(self.snapshot.state(&row)?.ok_or(missing)?)?;
                let entry = RegisterEntry::new(name, value).map_err(|_| TOO_LONG)?;
                if page.push(entry).is_err() {
                    self.from = Some(key);
                    return Ok(Some(page));
                }
            }
            self.from = next;
        }
        Ok((!page.is_empty()).then_some(page))
    }
}
