//! Statuses of credentials.

use alloc::vec::Vec;

use super::Writer;
use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields},
    ids::{Height, RegisterKey, StatusHandle, TimeMs},
    register,
    transaction::StatusReason,
};

/// Name of a status's head in its institution's statuses register: 1, then the handle.
#[must_use]
pub fn status_name(handle: &StatusHandle) -> Vec<u8> {
    let mut name = Vec::from([1]);
    handle.encode(&mut name);
    name
}

/// Name of a history entry of a status: 2, handle, entry number from 1.
#[must_use]
pub fn status_entry_name(handle: &StatusHandle, entry: u32) -> Vec<u8> {
    let mut name = Vec::from([2]);
    handle.encode(&mut name);
    entry.encode(&mut name);
    name
}

/// Key of a status's head: the hash of [`status_name`].
#[must_use]
pub fn status_key(handle: &StatusHandle) -> RegisterKey {
    register::key(&status_name(handle))
}

/// Key of a history entry of a status: the hash of [`status_entry_name`].
#[must_use]
pub fn status_entry_key(handle: &StatusHandle, entry: u32) -> RegisterKey {
    register::key(&status_entry_name(handle, entry))
}

/// Where a credential stands, once anything was written about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    /// Suspended, until reinstated or ended.
    Suspended,
    /// Valid again after a suspension.
    Reinstated,
    /// Revoked for good.
    Revoked,
    /// Replaced for good.
    Superseded {
        /// Leaf of the credential that replaces it.
        successor: [u8; 32],
    },
    /// Valid: all that was written against it is annulled.
    Annulled,
}

impl StatusState {
    /// Whether its institution can write nothing after it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Revoked | Self::Superseded { .. })
    }
}

impl Encode for StatusState {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Suspended => out.push(1),
            Self::Reinstated => out.push(2),
            Self::Revoked => out.push(3),
            Self::Superseded { successor } => {
                out.push(4);
                successor.encode(out);
            }
            Self::Annulled => out.push(5),
        }
    }
}

impl Decode for StatusState {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("status_state")? {
            1 => Ok(Self::Suspended),
            2 => Ok(Self::Reinstated),
            3 => Ok(Self::Revoked),
            4 => Ok(Self::Superseded { successor: reader.array("successor")? }),
            5 => Ok(Self::Annulled),
            value => Err(DecodeError::UnknownValue { field: "status_state", value: value.into() }),
        }
    }
}

/// The status of a credential: the value of its head, and of each history entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRecord {
    /// Where it stands.
    pub state: StatusState,
    /// Why.
    pub reason: StatusReason,
    /// The block that holds the change.
    pub height: Height,
    /// That block's time.
    pub time: TimeMs,
    /// Who wrote it.
    pub writer: Writer,
    /// How many entries there are, this one included.
    pub entries: u32,
    /// Of an annulment, the number of the history entry that stands again, whose state and reason this one repeats; 0 when
    /// none does, and of all other entries.
    pub restores: u32,
}

fields!(StatusRecord { state, reason, height, time, writer, entries, restores });
