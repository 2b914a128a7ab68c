//! Pending writes over a state: what the transactions of one block have changed so far.
//!
//! Invariant: every record put here is also queued for its register, so that [`Overlay::finish`] yields roots that
//! commit exactly the records written. Registers are hashed once, at the end.

use alloc::{collections::BTreeMap, vec::Vec};
use core::cell::RefCell;

use sigeli_verifier::{
    encode::Encode,
    ids::{
        AuthorityId, BatchRoot, InstitutionId, KeyIndex, PermissionId, ProgrammeId, RegisterKey, StatusHandle,
        ValueHash,
    },
    record::{
        AuthorityRecord, BatchChange, BatchRecord, GovernanceRecord, InstitutionEntry, KeyEntry, KeyRecord,
        PermissionEntry, PermissionRecord, Policy, ProgrammeRecord, StatusRecord, Usage, batch_entry_key, batch_key,
        institution_entry_key, institution_key, key_entry_key, key_index_key, key_key, permission_content,
        permission_content_key, permission_entry_key, permission_key, permission_tally_key, programme_key,
        status_entry_key, status_entry_name, status_key, status_name, usable_keys_key,
    },
    register::value_hash,
    state::{InstitutionRegisters, StateRoots},
};

use super::{
    keys::{self, Governance, Register},
    records::{Institution, Registry},
    view::{View, encode_roots},
};
use crate::{
    schedule::Schedule,
    store::{StateWrites, StoreError},
    tree::{self, NodeReader},
};

/// One record to be written. Every record is complete: writing it decides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// An authority.
    Authority(AuthorityId, AuthorityRecord),
    /// The joint affairs of the authorities.
    Joint(GovernanceRecord),
    /// The policy.
    Policy(Policy),
    /// What an institution used of its quotas.
    Usage(InstitutionId, Usage),
    /// The institution with a legal id.
    LegalId(Governance, InstitutionId),
    /// An institution. The roots of its registers are filled in by [`Overlay::finish`].
    Institution(InstitutionId, Institution),
    /// A history entry of an institution.
    InstitutionEntry(InstitutionId, u32, InstitutionEntry),
    /// A new key.
    NewKey(InstitutionId, KeyIndex, KeyRecord),
    /// A changed key.
    Key(InstitutionId, KeyIndex, KeyRecord),
    /// How many keys of an institution are neither retired nor declared compromised.
    UsableKeys(InstitutionId, u16),
    /// A history entry of a key.
    KeyEntry(InstitutionId, KeyIndex, u32, KeyEntry),
    /// A programme.
    Programme(InstitutionId, ProgrammeId, ProgrammeRecord),
    /// A new permission.
    Grant(InstitutionId, PermissionId, PermissionRecord),
    /// The authorisations or orders (kinds 1 and 2) of an institution that may still decide something, newest last. Left
    /// out may be what can hold no more: its days have ended, or another one has taken its place for good.
    OfKind(InstitutionId, u8, Vec<PermissionId>),
    /// A changed permission.
    Permission(InstitutionId, PermissionId, PermissionRecord),
    /// A history entry of a permission.
    PermissionEntry(InstitutionId, PermissionId, u32, PermissionEntry),
    /// A new batch.
    Anchor(InstitutionId, BatchRoot, BatchRecord),
    /// A changed batch.
    Batch(InstitutionId, BatchRoot, BatchRecord),
    /// A history entry of a batch.
    BatchEntry(InstitutionId, BatchRoot, BatchChange),
    /// A status and its newest history entry.
    Status(InstitutionId, StatusHandle, StatusRecord),
}

/// Pending writes over a reader.
#[derive(Debug)]
pub struct Overlay<'a, R> {
    base: &'a R,
    writes: StateWrites,
    /// Institutions read or changed: kept decoded, encoded once at the end.
    institutions: BTreeMap<InstitutionId, Institution>,
    /// Institutions' keys read so far: decoding one decompresses a curve point, a tenth of a signature check.
    keys: RefCell<BTreeMap<(InstitutionId, KeyIndex), KeyRecord>>,
    registers: BTreeMap<Register, BTreeMap<RegisterKey, Option<ValueHash>>>,
}

/// What a block's transactions write, and the roots after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Records and register pages.
    pub writes: StateWrites,
    /// The roots of the registers.
    pub roots: StateRoots,
}

impl<R: NodeReader> NodeReader for Overlay<'_, R> {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(key) {
            Some(pending) => Ok(pending.clone()),
            None => self.base.read(key),
        }
    }
}

impl<'a, R: NodeReader> Overlay<'a, R> {
    /// Nothing pending over `base`.
    #[must_use]
    pub const fn new(base: &'a R) -> Self {
        Self {
            base,
            writes: BTreeMap::new(),
            institutions: BTreeMap::new(),
            keys: RefCell::new(BTreeMap::new()),
            registers: BTreeMap::new(),
        }
    }

    /// Typed reads that see what is pending, except institutions: see [`Overlay::institution`].
    #[must_use]
    pub const fn view(&self) -> View<'_, Self> {
        View::new(self)
    }

    /// An institution, pending changes included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn institution(&self, id: InstitutionId) -> Result<Option<Institution>, StoreError> {
        match self.institutions.get(&id) {
            Some(institution) => Ok(Some(institution.clone())),
            None => View::new(self.base).institution(id),
        }
    }

    /// A key of an institution, pending changes included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key(&self, institution: InstitutionId, index: KeyIndex) -> Result<Option<KeyRecord>, StoreError> {
        if let Some(known) = self.keys.borrow().get(&(institution, index)) {
            return Ok(Some(*known));
        }
        let found = self.view().key(institution, index)?;
        if let Some(record) = found {
            self.keys.borrow_mut().insert((institution, index), record);
        }
        Ok(found)
    }

    fn put(&mut self, key: Vec<u8>, register: Register, name: RegisterKey, value: Vec<u8>) {
        self.registers.entry(register).or_default().insert(name, Some(value_hash(&value)));
        self.writes.insert(key, Some(value));
    }

    fn put_governance(&mut self, name: &Governance, record: &impl Encode) {
        self.put(name.key(), Register::Governance, name.register_key(), record.to_bytes());
    }

    /// Puts the registry.
    pub fn put_registry(&mut self, registry: &Registry) {
        self.put_governance(&Governance::Registry, registry);
    }

    /// Puts the schedule.
    pub fn put_schedule(&mut self, schedule: &Schedule) {
        self.put_governance(&Governance::Schedule, schedule);
    }

    /// Writes one record, the entry in its register and the rows derived from it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write(&mut self, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Authority(authority, record) => self.put_governance(&Governance::Authority(authority), &record),
            Write::Joint(record) => self.put_governance(&Governance::Joint, &record),
            Write::Policy(policy) => self.put_governance(&Governance::Policy, &policy),
            Write::Usage(institution, usage) => self.put_governance(&Governance::Usage(institution), &usage),
            Write::LegalId(name, institution) => self.put_governance(&name, &institution),
            Write::Institution(id, institution) => {
                self.institutions.insert(id, institution);
            }
            Write::InstitutionEntry(id, entry, record) => {
                let key = keys::institution_entry(id, entry);
                self.put(key, Register::Institutions, institution_entry_key(id, entry), record.to_bytes());
            }
            Write::NewKey(id, index, record) => {
                let key = keys::institution_key_index(id, &record.key);
                self.put(key, Register::Keys(id), key_index_key(&record.key), index.to_bytes());
                self.put_key(id, index, record);
            }
            Write::Key(id, index, record) => self.put_key(id, index, record),
            Write::UsableKeys(id, count) => {
                self.put(keys::usable_keys(id), Register::Keys(id), usable_keys_key(), count.to_bytes());
            }
            Write::KeyEntry(id, index, entry, record) => {
                let key = keys::institution_key_entry(id, index, entry);
                self.put(key, Register::Keys(id), key_entry_key(index, entry), record.to_bytes());
            }
            Write::Programme(id, programme, record) => {
                let key = keys::programme(id, programme);
                self.put(key, Register::Permissions(id), programme_key(programme), record.to_bytes());
            }
            Write::Grant(id, number, record) => self.put_grant(id, number, &record),
            Write::OfKind(id, kind, numbers) => {
                let mut row = Vec::new();
                sigeli_verifier::encode::put_list(&mut row, &numbers);
                self.writes.insert(keys::permissions_of_kind(id, kind), Some(row));
            }
            Write::Permission(id, number, record) => {
                let key = keys::permission(id, number);
                self.put(key, Register::Permissions(id), permission_key(number), record.to_bytes());
            }
            Write::PermissionEntry(id, number, entry, record) => {
                let key = keys::permission_entry(id, number, entry);
                self.put(key, Register::Permissions(id), permission_entry_key(number, entry), record.to_bytes());
            }
            Write::Anchor(id, root, record) => self.put_anchor(id, &root, &record),
            Write::Batch(id, root, record) => {
                self.put(keys::batch(id, &root), Register::Batches, batch_key(id, &root), record.to_bytes());
            }
            Write::BatchEntry(id, root, record) => {
                let key = keys::batch_entry(id, &root, record.entries);
                self.put(key, Register::Batches, batch_entry_key(id, &root, record.entries), record.to_bytes());
            }
            Write::Status(id, handle, record) => self.put_status(id, &handle, &record),
        }
        Ok(())
    }

    fn put_key(&mut self, id: InstitutionId, index: KeyIndex, record: KeyRecord) {
        self.keys.get_mut().insert((id, index), record);
        self.put(keys::institution_key(id, index), Register::Keys(id), key_key(index), record.to_bytes());
    }

    /// A new permission, and the row that finds it again.
    fn put_grant(&mut self, institution: InstitutionId, id: PermissionId, record: &PermissionRecord) {
        let register = Register::Permissions(institution);
        self.put(keys::permission(institution, id), register, permission_key(id), record.to_bytes());
        let content = permission_content(record.authority, &record.decision, &record.scope);
        let row = keys::permission_content(institution, &content);
        self.put(row, register, permission_content_key(&content), id.to_bytes());
    }

    /// A new batch, the tally of its accreditation, and the rows that find it by number.
    fn put_anchor(&mut self, institution: InstitutionId, root: &BatchRoot, record: &BatchRecord) {
        let key = keys::batch(institution, root);
        self.put(key, Register::Batches, batch_key(institution, root), record.to_bytes());
        let (accreditation, number) = (record.accreditation, record.accreditation_sequence);
        let tally = keys::permission_tally(institution, accreditation);
        self.put(tally, Register::Permissions(institution), permission_tally_key(accreditation), number.to_bytes());
        self.writes.insert(keys::batch_by_sequence(institution, record.sequence), Some(root.to_bytes()));
        let by_accreditation = keys::batch_by_accreditation(institution, accreditation, number);
        self.writes.insert(by_accreditation, Some(root.to_bytes()));
    }

    /// A status: its head, and the history entry that has its number.
    fn put_status(&mut self, institution: InstitutionId, handle: &StatusHandle, record: &StatusRecord) {
        let register = Register::Statuses(institution);
        let value = record.to_bytes();
        let (head, entry) = (status_key(handle), status_entry_key(handle, record.entries));
        self.put(keys::status_entry(institution, handle, record.entries), register, entry, value.clone());
        self.put(keys::status(institution, handle), register, head, value);
        if record.entries == 1 {
            self.writes.insert(keys::status_name(institution, &head), Some(status_name(handle)));
        }
        let name = status_entry_name(handle, record.entries);
        self.writes.insert(keys::status_name(institution, &entry), Some(name));
    }

    /// Hashes all changed registers, institutions' own first, and returns everything to be written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finish(mut self) -> Result<Finished, StoreError> {
        let mut roots = View::new(self.base).roots()?;
        let registers = core::mem::take(&mut self.registers);
        // Institutions' own registers come first, in any order; the register that commits their roots comes after all.
        for (register, updates) in &registers {
            if matches!(register, Register::Institutions | Register::Batches | Register::Governance) {
                continue;
            }
            let root = self.apply(*register, updates)?;
            self.set_own_root(*register, root)?;
        }
        let entries = registers.get(&Register::Institutions);
        if !self.institutions.is_empty() || entries.is_some() {
            roots.institutions = self.apply_institutions(entries.cloned().unwrap_or_default())?;
        }
        if let Some(updates) = registers.get(&Register::Batches) {
            roots.batches = self.apply(Register::Batches, updates)?;
        }
        if let Some(updates) = registers.get(&Register::Governance) {
            roots.governance = self.apply(Register::Governance, updates)?;
        }
        self.writes.insert(keys::roots(), Some(encode_roots(&roots)));
        Ok(Finished { writes: self.writes, roots })
    }

    fn apply(
        &mut self,
        register: Register,
        updates: &BTreeMap<RegisterKey, Option<ValueHash>>,
    ) -> Result<sigeli_verifier::ids::RegisterRoot, StoreError> {
        let applied = tree::apply(self.base, &register.prefix(), updates)?;
        self.writes.extend(applied.writes);
        Ok(applied.root)
    }

    fn set_own_root(&mut self, register: Register, root: sigeli_verifier::ids::RegisterRoot) -> Result<(), StoreError> {
        let (Register::Keys(id) | Register::Permissions(id) | Register::Statuses(id)) = register else { return Ok(()) };
        let missing = StoreError::Corrupt { what: "institution (missing)" };
        let mut institution = self.institution(id)?.ok_or(missing)?;
        let InstitutionRegisters { keys, permissions, statuses } = &mut institution.registers;
        match register {
            Register::Keys(_) => *keys = root,
            Register::Permissions(_) => *permissions = root,
            _ => *statuses = root,
        }
        self.institutions.insert(id, institution);
        Ok(())
    }

    /// Hashes the institutions register: history entries, and the institutions themselves.
    fn apply_institutions(
        &mut self,
        mut updates: BTreeMap<RegisterKey, Option<ValueHash>>,
    ) -> Result<sigeli_verifier::ids::RegisterRoot, StoreError> {
        for (id, institution) in core::mem::take(&mut self.institutions) {
            updates.insert(institution_key(id), Some(value_hash(&institution.value())));
            self.writes.insert(keys::institution(id), Some(institution.to_bytes()));
        }
        self.apply(Register::Institutions, &updates)
    }
}
