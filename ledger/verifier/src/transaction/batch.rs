//! Batches and statuses: what institutions issue, and what is written about it later.

use alloc::vec::Vec;

use crate::{
    batch::BatchHeight,
    bounded::List,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields},
    ids::{BatchRoot, DecisionRef, EctsTenths, InstitutionId, PermissionId, StatusHandle},
    params::STATUSES_PER_TRANSACTION_MAX,
    time::Day,
    transaction::{BatchAction, CredentialType, Field, HashAlgorithm, Level, StatusAction, StatusReason},
};

/// Anchors one batch of credentials of one programme, level, field, credit volume and issue date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchAnchor {
    /// Root of the batch tree.
    pub root: BatchRoot,
    /// Height of the batch tree.
    pub height: BatchHeight,
    /// Hash of the batch tree.
    pub hash_algorithm: HashAlgorithm,
    /// The accreditation of the programme.
    pub accreditation: PermissionId,
    /// Level that the credentials state.
    pub level: Level,
    /// Field that the credentials state.
    pub field: Field,
    /// Credits that the credentials state.
    pub ects: EctsTenths,
    /// Date of issue that the credentials state.
    pub issued: Day,
    /// What the credentials are.
    pub credential_type: CredentialType,
}

fields!(BatchAnchor { root, height, hash_algorithm, accreditation, level, field, ects, issued, credential_type });

/// Sets the status of a batch as a whole. Written by its institution, or by the quality agency (on its own decision or a
/// court's).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchStatusSet {
    /// Whose batch; the sender itself when an institution sends it.
    pub institution: InstitutionId,
    /// The decision; none when the institution sends it.
    pub decision: DecisionRef,
    /// The batch.
    pub root: BatchRoot,
    /// The number that the new entry of the batch's history will get: one above the number of its entries.
    pub entry: u32,
    /// What happens.
    pub action: BatchAction,
    /// Why.
    pub reason: StatusReason,
}

fields!(BatchStatusSet { institution, decision, root, entry, action, reason });

/// One batch of which the newest change is annulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchAnnulEntry {
    /// The batch.
    pub root: BatchRoot,
    /// The number that the new entry of its history will get.
    pub entry: u32,
}

fields!(BatchAnnulEntry { root, entry });

/// Annuls the newest change of batches: each goes back to the newest entry before that is neither void, since it was
/// made with a key that was compromised by then, nor annulled itself. What may be annulled is void, or an authority's own.
/// Written by the quality agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchAnnul {
    /// Whose batches.
    pub institution: InstitutionId,
    /// The decision.
    pub decision: DecisionRef,
    /// The batches; at least one, in ascending order of root.
    pub entries: List<BatchAnnulEntry, STATUSES_PER_TRANSACTION_MAX>,
}

fields!(BatchAnnul { institution, decision, entries });

/// One change of one credential's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusEntry {
    /// The credential.
    pub handle: StatusHandle,
    /// The number that the new entry of its history will get: one above the number of its entries.
    pub entry: u32,
    /// What happens.
    pub action: StatusAction,
    /// Why.
    pub reason: StatusReason,
    /// Leaf of the credential that replaces it; all zero unless the action is `Supersede`.
    pub successor: [u8; 32],
}

impl Encode for StatusEntry {
    fn encode(&self, out: &mut Vec<u8>) {
        self.handle.encode(out);
        self.entry.encode(out);
        self.action.encode(out);
        self.reason.encode(out);
        if self.action == StatusAction::Supersede {
            out.extend_from_slice(&self.successor);
        }
    }
}

impl Decode for StatusEntry {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let handle = StatusHandle::decode(reader)?;
        let entry = reader.u32("entry")?;
        let action = StatusAction::decode(reader)?;
        let reason = StatusReason::decode(reader)?;
        let successor = if action == StatusAction::Supersede { reader.array("successor")? } else { [0; 32] };
        Ok(Self { handle, entry, action, reason, successor })
    }
}

/// Sets statuses in the sending institution's own namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet {
    /// The changes, applied in order; at least one.
    pub entries: List<StatusEntry, STATUSES_PER_TRANSACTION_MAX>,
}

fields!(StatusSet { entries });

/// Sets statuses in an institution's namespace by decision of the quality agency or of a court.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusOrder {
    /// Whose credentials.
    pub institution: InstitutionId,
    /// The decision.
    pub decision: DecisionRef,
    /// The changes, applied in order; at least one.
    pub entries: List<StatusEntry, STATUSES_PER_TRANSACTION_MAX>,
}

fields!(StatusOrder { institution, decision, entries });

/// One credential of which the newest entry is annulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusAnnulEntry {
    /// The credential.
    pub handle: StatusHandle,
    /// The number that the new entry of its history will get.
    pub entry: u32,
}

fields!(StatusAnnulEntry { handle, entry });

/// Annuls the newest entry about credentials, by the rule of [`BatchAnnul`]. Written by the quality agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusAnnul {
    /// Whose credentials.
    pub institution: InstitutionId,
    /// The decision.
    pub decision: DecisionRef,
    /// The credentials; at least one, in ascending order of handle.
    pub entries: List<StatusAnnulEntry, STATUSES_PER_TRANSACTION_MAX>,
}

fields!(StatusAnnul { institution, decision, entries });
