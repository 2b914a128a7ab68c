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
    /// What happens.
    pub action: BatchAction,
    /// Why.
    pub reason: StatusReason,
}

fields!(BatchStatusSet { institution, decision, root, action, reason });

/// One change of one credential's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusEntry {
    /// The credential.
    pub handle: StatusHandle,
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
        let action = StatusAction::decode(reader)?;
        let reason = StatusReason::decode(reader)?;
        let successor = if action == StatusAction::Supersede { reader.array("successor")? } else { [0; 32] };
        Ok(Self { handle, action, reason, successor })
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

/// Annuls what compromised keys wrote about credentials: each goes back to the newest entry that was not made with a key
/// that was void by then. Written by the quality agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusAnnul {
    /// Whose credentials.
    pub institution: InstitutionId,
    /// The decision.
    pub decision: DecisionRef,
    /// The credentials; at least one, in ascending order.
    pub handles: List<StatusHandle, STATUSES_PER_TRANSACTION_MAX>,
}

fields!(StatusAnnul { institution, decision, handles });
