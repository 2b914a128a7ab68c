//! Typed reads of one state.

use alloc::vec::Vec;

use sigeli_verifier::{
    crypto::PublicKey,
    decode::{Decode, Reader},
    encode::Encode as _,
    ids::{
        AuthorityId, BatchRoot, BatchSequence, InstitutionId, KeyIndex, PermissionContent, PermissionId, ProgrammeId,
        RegisterRoot, StatusHandle,
    },
    record::{
        AuthorityRecord, BatchChange, BatchRecord, GovernanceRecord, InstitutionEntry, KeyEntry, KeyRecord,
        PermissionEntry, PermissionRecord, Policy, ProgrammeRecord, StatusRecord, Usage,
    },
    state::StateRoots,
};

use super::{
    keys::{self, Governance},
    records::{Institution, Registry},
};
use crate::{schedule::Schedule, store::StoreError, tree::NodeReader};

/// Typed reads over anything that reads entries: a snapshot, or pending writes over one.
#[derive(Debug)]
pub struct View<'a, R>(&'a R);

impl<R> Clone for View<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for View<'_, R> {}

/// Decodes a stored record; what was stored can always be decoded.
pub(super) fn decode<T: Decode>(bytes: &[u8], what: &'static str) -> Result<T, StoreError> {
    T::from_bytes(bytes).map_err(|_| StoreError::Corrupt { what })
}

impl<'a, R: NodeReader> View<'a, R> {
    /// Reads through `reader`.
    #[must_use]
    pub const fn new(reader: &'a R) -> Self {
        Self(reader)
    }

    fn get<T: Decode>(&self, key: &[u8], what: &'static str) -> Result<Option<T>, StoreError> {
        self.0.read(key)?.map(|bytes| decode(&bytes, what)).transpose()
    }

    fn governance<T: Decode>(&self, name: &Governance, what: &'static str) -> Result<Option<T>, StoreError> {
        self.get(&name.key(), what)
    }

    /// The roots of the registers; all empty before genesis.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn roots(&self) -> Result<StateRoots, StoreError> {
        let Some(bytes) = self.0.read(&keys::roots())? else { return Ok(StateRoots::EMPTY) };
        let mut reader = Reader::new(&bytes);
        let mut next = || RegisterRoot::decode(&mut reader).map_err(|_| StoreError::Corrupt { what: "register roots" });
        Ok(StateRoots { institutions: next()?, batches: next()?, governance: next()? })
    }

    /// An authority.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn authority(&self, authority: AuthorityId) -> Result<Option<AuthorityRecord>, StoreError> {
        self.governance(&Governance::Authority(authority), "authority")
    }

    /// The policy.
    ///
    /// # Errors
    /// [`StoreError`], [`StoreError::Corrupt`] when there is none.
    pub fn policy(&self) -> Result<Policy, StoreError> {
        self.governance(&Governance::Policy, "policy")?.ok_or(StoreError::Corrupt { what: "policy (missing)" })
    }

    /// The registry, whose validators commit the next block.
    ///
    /// # Errors
    /// [`StoreError`], [`StoreError::Corrupt`] when there is none.
    pub fn registry(&self) -> Result<Registry, StoreError> {
        self.governance(&Governance::Registry, "registry")?.ok_or(StoreError::Corrupt { what: "registry (missing)" })
    }

    /// The proposer schedule.
    ///
    /// # Errors
    /// [`StoreError`], [`StoreError::Corrupt`] when there is none.
    pub fn schedule(&self) -> Result<Schedule, StoreError> {
        self.governance(&Governance::Schedule, "schedule")?.ok_or(StoreError::Corrupt { what: "schedule (missing)" })
    }

    /// The joint affairs of the authorities.
    ///
    /// # Errors
    /// [`StoreError`], also when there is none.
    pub fn joint(&self) -> Result<GovernanceRecord, StoreError> {
        let missing = StoreError::Corrupt { what: "joint affairs (missing)" };
        self.governance(&Governance::Joint, "joint affairs")?.ok_or(missing)
    }

    /// What an institution used of its quotas, if ever it used them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn usage(&self, institution: InstitutionId) -> Result<Option<Usage>, StoreError> {
        self.governance(&Governance::Usage(institution), "usage")
    }

    /// The institution registered under a legal id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn by_legal_id(&self, name: &Governance) -> Result<Option<InstitutionId>, StoreError> {
        self.governance(name, "legal id")
    }

    /// An institution.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn institution(&self, institution: InstitutionId) -> Result<Option<Institution>, StoreError> {
        self.get(&keys::institution(institution), "institution")
    }

    /// A key of an institution.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key(&self, institution: InstitutionId, index: KeyIndex) -> Result<Option<KeyRecord>, StoreError> {
        self.get(&keys::institution_key(institution, index), "institution key")
    }

    /// The index of an institution's key with these bytes, if it ever had it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_index(&self, institution: InstitutionId, key: &PublicKey) -> Result<Option<KeyIndex>, StoreError> {
        self.get(&keys::institution_key_index(institution, key), "key index")
    }

    /// How many keys of an institution are neither retired nor declared compromised; 0 before it has any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn usable_keys(&self, institution: InstitutionId) -> Result<u16, StoreError> {
        Ok(self.get(&keys::usable_keys(institution), "number of usable keys")?.unwrap_or(0))
    }

    /// A permission of an institution.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn permission(
        &self,
        institution: InstitutionId,
        permission: PermissionId,
    ) -> Result<Option<PermissionRecord>, StoreError> {
        self.get(&keys::permission(institution, permission), "permission")
    }

    /// The permission that was granted for this.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn permission_by_content(
        &self,
        institution: InstitutionId,
        content: &PermissionContent,
    ) -> Result<Option<PermissionId>, StoreError> {
        self.get(&keys::permission_content(institution, content), "permission number")
    }

    /// The authorisations or orders (kinds 1 and 2) that may still decide something, newest last; the newest that was ever
    /// granted is always among them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn permissions_of_kind(&self, institution: InstitutionId, kind: u8) -> Result<Vec<PermissionId>, StoreError> {
        let Some(bytes) = self.0.read(&keys::permissions_of_kind(institution, kind))? else { return Ok(Vec::new()) };
        let mut reader = Reader::new(&bytes);
        let corrupt = StoreError::Corrupt { what: "permissions by kind" };
        let list = reader.list("permissions", usize::from(u16::MAX)).map_err(|_| corrupt.clone())?;
        reader.finish().map_err(|_| corrupt)?;
        Ok(list)
    }

    /// A batch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn batch(&self, institution: InstitutionId, root: &BatchRoot) -> Result<Option<BatchRecord>, StoreError> {
        self.get(&keys::batch(institution, root), "batch")
    }

    /// The root of an institution's batch by number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn batch_by_sequence(
        &self,
        institution: InstitutionId,
        sequence: BatchSequence,
    ) -> Result<Option<BatchRoot>, StoreError> {
        self.get(&keys::batch_by_sequence(institution, sequence), "batch root")
    }

    /// The status of a credential, if anything was ever written about it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn status(
        &self,
        institution: InstitutionId,
        handle: &StatusHandle,
    ) -> Result<Option<StatusRecord>, StoreError> {
        self.get(&keys::status(institution, handle), "status")
    }

    /// An entry of a status's history, from 1.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn status_entry(
        &self,
        institution: InstitutionId,
        handle: &StatusHandle,
        entry: u32,
    ) -> Result<Option<StatusRecord>, StoreError> {
        self.get(&keys::status_entry(institution, handle, entry), "status history")
    }

    /// A history entry of an institution, from 1.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn institution_entry(
        &self,
        institution: InstitutionId,
        entry: u32,
    ) -> Result<Option<InstitutionEntry>, StoreError> {
        self.get(&keys::institution_entry(institution, entry), "institution history")
    }

    /// A history entry of a key, from 1.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_entry(
        &self,
        institution: InstitutionId,
        index: KeyIndex,
        entry: u32,
    ) -> Result<Option<KeyEntry>, StoreError> {
        self.get(&keys::institution_key_entry(institution, index, entry), "key history")
    }

    /// A programme of an institution.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn programme(
        &self,
        institution: InstitutionId,
        programme: ProgrammeId,
    ) -> Result<Option<ProgrammeRecord>, StoreError> {
        self.get(&keys::programme(institution, programme), "programme")
    }

    /// A history entry of a permission, from 1.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn permission_entry(
        &self,
        institution: InstitutionId,
        permission: PermissionId,
        entry: u32,
    ) -> Result<Option<PermissionEntry>, StoreError> {
        self.get(&keys::permission_entry(institution, permission, entry), "permission history")
    }

    /// A history entry of a batch, from 1.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn batch_entry(
        &self,
        institution: InstitutionId,
        root: &BatchRoot,
        entry: u32,
    ) -> Result<Option<BatchChange>, StoreError> {
        self.get(&keys::batch_entry(institution, root, entry), "batch history")
    }

    /// How many batches were anchored under a permission.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn permission_tally(&self, institution: InstitutionId, permission: PermissionId) -> Result<u32, StoreError> {
        let tally = self.get(&keys::permission_tally(institution, permission), "batches of a permission")?;
        Ok(tally.unwrap_or(0))
    }

    /// The root of a batch by its number under its accreditation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn batch_by_accreditation(
        &self,
        institution: InstitutionId,
        accreditation: PermissionId,
        sequence: BatchSequence,
    ) -> Result<Option<BatchRoot>, StoreError> {
        self.get(&keys::batch_by_accreditation(institution, accreditation, sequence), "batch root")
    }
}

/// The value of the roots row.
pub(super) fn encode_roots(roots: &StateRoots) -> Vec<u8> {
    let mut out = roots.institutions.to_bytes();
    roots.batches.encode(&mut out);
    roots.governance.encode(&mut out);
    out
}
