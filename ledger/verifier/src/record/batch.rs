//! Batches and what is written about them as a whole.

use alloc::vec::Vec;

use super::Writer;
use crate::{
    batch::BatchHeight,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields},
    ids::{BatchRoot, BatchSequence, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, RegisterKey, TimeMs},
    register,
    time::{Day, Window},
    transaction::{CredentialType, Field, HashAlgorithm, Level, StatusReason},
};

fn name(institution: InstitutionId, root: &BatchRoot) -> Vec<u8> {
    let mut name = institution.to_bytes();
    root.encode(&mut name);
    name
}

/// Key of a batch's record in the batches register: institution and root.
#[must_use]
pub fn batch_key(institution: InstitutionId, root: &BatchRoot) -> RegisterKey {
    register::key(&name(institution, root))
}

/// Key of a history entry of a batch in the batches register: institution, root, entry number from 1.
#[must_use]
pub fn batch_entry_key(institution: InstitutionId, root: &BatchRoot, entry: u32) -> RegisterKey {
    let mut name = name(institution, root);
    entry.encode(&mut name);
    register::key(&name)
}

/// The permissions that were judged when a batch was anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// Days on which the accreditation held.
    pub accreditation_window: Window,
    /// The most credits that the accreditation allowed.
    pub ects_max: EctsTenths,
    /// The authorisation.
    pub authorisation: PermissionId,
    /// Days on which the authorisation held.
    pub authorisation_window: Window,
    /// The pilot order; 0 where the policy asked for none.
    pub order: PermissionId,
}

fields!(Judged { accreditation_window, ects_max, authorisation, authorisation_window, order });

/// Where a change puts a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchState {
    /// Suspended, until reinstated or revoked.
    Suspended,
    /// Valid again after a suspension.
    Reinstated,
    /// Revoked for good.
    Revoked,
    /// Valid: all that was written against it is annulled.
    Annulled,
}

impl BatchState {
    /// The code that is encoded: 1 suspended, 2 reinstated, 3 revoked, 4 annulled.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Suspended => 1,
            Self::Reinstated => 2,
            Self::Revoked => 3,
            Self::Annulled => 4,
        }
    }
}

impl Encode for BatchState {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code());
    }
}

impl Decode for BatchState {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("batch_state")? {
            1 => Ok(Self::Suspended),
            2 => Ok(Self::Reinstated),
            3 => Ok(Self::Revoked),
            4 => Ok(Self::Annulled),
            value => Err(DecodeError::UnknownValue { field: "batch_state", value: value.into() }),
        }
    }
}

/// One change of a batch: what its record says, and each history entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchChange {
    /// Where it puts the batch.
    pub state: BatchState,
    /// Why.
    pub reason: StatusReason,
    /// The block that holds the change.
    pub height: Height,
    /// That block's time.
    pub time: TimeMs,
    /// Who wrote it.
    pub writer: Writer,
    /// How many changes there are, this one included.
    pub entries: u32,
    /// Of an annulment, the number of the history entry that stands again, whose state and reason this one repeats; 0 when
    /// none does, and of all other changes.
    pub restores: u32,
}

fields!(BatchChange { state, reason, height, time, writer, entries, restores });

/// Where a batch as a whole stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchStatus {
    /// Nothing was ever written about it.
    Valid,
    /// The newest change.
    Changed(BatchChange),
}

impl BatchStatus {
    /// Where the newest change puts it; `None` when there is none.
    #[must_use]
    pub const fn state(&self) -> Option<BatchState> {
        match self {
            Self::Valid => None,
            Self::Changed(change) => Some(change.state),
        }
    }
}

impl Encode for BatchStatus {
    /// 0, or the change, whose first byte is its state's code and so never 0.
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Valid => out.push(0),
            Self::Changed(change) => change.encode(out),
        }
    }
}

impl Decode for BatchStatus {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut ahead = reader.clone();
        if ahead.u8("batch_status")? == 0 {
            *reader = ahead;
            Ok(Self::Valid)
        } else {
            BatchChange::decode(reader).map(Self::Changed)
        }
    }
}

/// A batch. Institution and root are its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRecord {
    /// Its number within the institution.
    pub sequence: BatchSequence,
    /// Its number under its accreditation.
    pub accreditation_sequence: BatchSequence,
    /// Height of its tree.
    pub height: BatchHeight,
    /// Hash of its tree.
    pub hash_algorithm: HashAlgorithm,
    /// The block that holds it.
    pub anchored: Height,
    /// That block's time.
    pub anchored_time: TimeMs,
    /// The institution's key that signed it.
    pub key: KeyIndex,
    /// The accreditation it was issued under.
    pub accreditation: PermissionId,
    /// Level of its credentials.
    pub level: Level,
    /// Field of its credentials.
    pub field: Field,
    /// Credits of its credentials.
    pub ects: EctsTenths,
    /// Issue date of its credentials.
    pub issued: Day,
    /// What its credentials are.
    pub credential_type: CredentialType,
    /// What was judged at ledger time.
    pub judged: Judged,
    /// Where it stands.
    pub status: BatchStatus,
}

fields!(BatchRecord {
    sequence,
    accreditation_sequence,
    height,
    hash_algorithm,
    anchored,
    anchored_time,
    key,
    accreditation,
    level,
    field,
    ects,
    issued,
    credential_type,
    judged,
    status,
});
