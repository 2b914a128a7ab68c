//! Pending writes over a state: what the transactions of one block have changed so far.
//!
//! Invariant: every record put here is also queued for its register, so that [`Overlay::finish`] yields roots that
//! commit exactly the records written. Registers are hashed once, at the end.

use alloc::{collections::BTreeMap, vec::Vec};
use core::cell::RefCell;

use sigeli_verifier::{
    encode::Encode,
    ids::{
        AuthorityId, BatchRoot, DecisionRef, InstitutionId, KeyIndex, PermissionId, RegisterKey, StatusHandle,
        ValueHash,
    },
    record::{
        BatchRecord, KeyRecord, PermissionRecord, StatusRecord, batch_key, institution_key, key_key,
        permission_content_key, permission_key, status_entry_key, status_key,
    },
    register::value_hash,
    state::{InstitutionRegisters, StateRoots},
};

use super::{
    keys::{self, Governance, Register},
    records::{AuthorityRecord, Institution, Policy, Registry, Usage},
    view::{View, encode_roots},
};
use crate::{
    schedule::Schedule,
    store::{StateWrites, StoreError},
    tree::{self, NodeReader},
};

/// Most permissions of one kind that are looked at when a batch is judged: the newest.
const PERMISSIONS_JUDGED_MAX: usize = 64;

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

    /// Puts an authority.
    pub fn put_authority(&mut self, authority: AuthorityId, record: &AuthorityRecord) {
        self.put_governance(&Governance::Authority(authority), record);
    }

    /// Puts the policy.
    pub fn put_policy(&mut self, policy: &Policy) {
        self.put_governance(&Governance::Policy, policy);
    }

    /// Puts the registry.
    pub fn put_registry(&mut self, registry: &Registry) {
        self.put_governance(&Governance::Registry, registry);
    }

    /// Puts the schedule.
    pub fn put_schedule(&mut self, schedule: &Schedule) {
        self.put_governance(&Governance::Schedule, schedule);
    }

    /// Puts an institution's usage.
    pub fn put_usage(&mut self, institution: InstitutionId, usage: &Usage) {
        self.put_governance(&Governance::Usage(institution), usage);
    }

    /// Puts the number of the institution with a legal id.
    pub fn put_legal_id(&mut self, name: &Governance, institution: InstitutionId) {
        self.put_governance(name, &institution);
    }

    /// Puts an institution. The roots of its registers are filled in by [`Overlay::finish`].
    pub fn put_institution(&mut self, id: InstitutionId, institution: Institution) {
        self.institutions.insert(id, institution);
    }

    /// Puts a key of an institution.
    pub fn put_key(&mut self, institution: InstitutionId, index: KeyIndex, record: &KeyRecord) {
        self.keys.get_mut().insert((institution, index), *record);
        let key = keys::institution_key(institution, index);
        self.put(key, Register::Keys(institution), key_key(index), record.to_bytes());
    }

    /// Puts a permission and the index rows that find it again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_permission(
        &mut self,
        institution: InstitutionId,
        id: PermissionId,
        record: &PermissionRecord,
    ) -> Result<(), StoreError> {
        let register = Register::Permissions(institution);
        let kind = record.scope.code();
        self.put(keys::permission(institution, id), register, permission_key(id), record.to_bytes());
        let DecisionOf { authority, decision } = DecisionOf::of(record);
        let content = permission_content_key(authority, &record.scope, &decision);
        let content_row = keys::permission_content(institution, authority, kind, &decision);
        self.put(content_row, register, content, id.to_bytes());
        let mut newest = self.view().permissions_of_kind(institution, kind)?;
        newest.push(id);
        let surplus = newest.len().saturating_sub(PERMISSIONS_JUDGED_MAX);
        let mut row = Vec::new();
        sigeli_verifier::encode::put_list(&mut row, newest.get(surplus..).unwrap_or(&newest));
        self.writes.insert(keys::permissions_of_kind(institution, kind), Some(row));
        Ok(())
    }

    /// Puts a batch.
    pub fn put_batch(&mut self, institution: InstitutionId, root: &BatchRoot, record: &BatchRecord) {
        let key = keys::batch(institution, root);
        self.put(key, Register::Batches, batch_key(institution, root), record.to_bytes());
        self.writes.insert(keys::batch_by_sequence(institution, record.sequence), Some(root.to_bytes()));
    }

    /// Puts a status: its head, and the history entry that has its number.
    pub fn put_status(&mut self, institution: InstitutionId, handle: &StatusHandle, record: &StatusRecord) {
        let register = Register::Statuses(institution);
        let value = record.to_bytes();
        let entry = keys::status_entry(institution, handle, record.entries);
        self.put(entry, register, status_entry_key(handle, record.entries), value.clone());
        self.put(keys::status(institution, handle), register, status_key(handle), value);
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
        if !self.institutions.is_empty() {
            roots.institutions = self.apply_institutions()?;
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

    fn apply_institutions(&mut self) -> Result<sigeli_verifier::ids::RegisterRoot, StoreError> {
        let mut updates = BTreeMap::new();
        for (id, institution) in core::mem::take(&mut self.institutions) {
            updates.insert(institution_key(id), Some(value_hash(&institution.value())));
            self.writes.insert(keys::institution(id), Some(institution.to_bytes()));
        }
        self.apply(Register::Institutions, &updates)
    }
}

struct DecisionOf {
    authority: AuthorityId,
    decision: DecisionRef,
}

impl DecisionOf {
    const fn of(record: &PermissionRecord) -> Self {
        Self { authority: record.authority, decision: record.decision }
    }
}
