//! Records: the values of the registers (`docs/protocol.md` §9). Each is a small head that holds the current state and
//! the number of its history entries; the entries are records of their own. Nothing is ever overwritten without one.

mod batch;
mod governance;
mod institution;
mod permission;
mod status;

use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{AuthorityId, DecisionRef, KeyIndex},
};
use alloc::vec::Vec;

pub use self::{
    batch::{BatchChange, BatchRecord, BatchState, BatchStatus, Judged, batch_entry_key, batch_key},
    governance::{AuthorityRecord, GovernanceRecord, Policy, PolicyError, Usage, approvals_for},
    institution::{
        CompromisedKeys, InstitutionEntry, InstitutionFacts, InstitutionState, KeyChange, KeyEntry, KeyRecord,
        KeyState, ProgrammeRecord, institution_entry_key, institution_key, key_entry_key, key_index_key, key_key,
        programme_key, usable_keys_key,
    },
    permission::{
        PermissionEntry, PermissionRecord, PermissionStanding, PermissionStandings, PermissionState,
        permission_content, permission_content_key, permission_entry_key, permission_key, permission_tally_key,
        standing_on,
    },
    status::{StatusRecord, StatusState, status_entry_key, status_entry_name, status_key, status_name},
};

/// Who wrote a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The institution itself.
    Institution {
        /// With which of its keys.
        key: KeyIndex,
    },
    /// An authority.
    Authority {
        /// Which.
        authority: AuthorityId,
        /// By which decision.
        decision: DecisionRef,
    },
}

impl Encode for Writer {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Institution { key } => {
                out.push(1);
                key.encode(out);
            }
            Self::Authority { authority, decision } => {
                out.push(2);
                authority.encode(out);
                decision.encode(out);
            }
        }
    }
}

impl Decode for Writer {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("writer")? {
            1 => KeyIndex::decode(reader).map(|key| Self::Institution { key }),
            2 => {
                Ok(Self::Authority { authority: AuthorityId::decode(reader)?, decision: DecisionRef::decode(reader)? })
            }
            value => Err(DecodeError::UnknownValue { field: "writer", value: value.into() }),
        }
    }
}
