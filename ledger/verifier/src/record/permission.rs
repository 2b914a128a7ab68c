//! Permissions and their history.

use alloc::vec::Vec;

use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields},
    ids::{AuthorityId, DecisionRef, Height, PermissionId, RegisterKey, TimeMs},
    register,
    time::{Day, Window},
    transaction::{DecisionReason, PermissionScope},
};

fn numbered(code: u8, permission: PermissionId) -> Vec<u8> {
    let mut name = Vec::from([code]);
    permission.encode(&mut name);
    name
}

/// Key of a permission's record in its institution's permissions register: 1, then the number.
#[must_use]
pub fn permission_key(permission: PermissionId) -> RegisterKey {
    register::key(&numbered(1, permission))
}

/// Key under which a permission is found again by what it was granted for: 2, authority, kind, decision.
#[must_use]
pub fn permission_content_key(authority: AuthorityId, scope: &PermissionScope, decision: &DecisionRef) -> RegisterKey {
    let mut name = Vec::from([2]);
    authority.encode(&mut name);
    name.push(scope.code());
    decision.encode(&mut name);
    register::key(&name)
}

/// Key of a history entry of a permission: 3, number, entry number from 1.
#[must_use]
pub fn permission_entry_key(permission: PermissionId, entry: u32) -> RegisterKey {
    let mut name = numbered(3, permission);
    entry.encode(&mut name);
    register::key(&name)
}

/// Key of the number (`u32`) of batches that were anchored under a permission: 5, then the permission's number.
#[must_use]
pub fn permission_tally_key(permission: PermissionId) -> RegisterKey {
    register::key(&numbered(5, permission))
}

/// Where a permission stands. Expiry is computed from its window, never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionState {
    /// It holds within its window.
    Active,
    /// It does not hold until it is reinstated.
    Suspended,
    /// It holds no more.
    Withdrawn,
    /// Another one took its place: a renewal, or another scope.
    Replaced {
        /// Which.
        by: PermissionId,
    },
    /// Its withdrawal was annulled, and another one with the same scope and days took its place.
    Restored {
        /// Which.
        by: PermissionId,
    },
}

impl PermissionState {
    /// The code that is encoded: 1 active, 2 suspended, 3 withdrawn, 4 replaced, 5 restored.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Active => 1,
            Self::Suspended => 2,
            Self::Withdrawn => 3,
            Self::Replaced { .. } => 4,
            Self::Restored { .. } => 5,
        }
    }
}

impl Encode for PermissionState {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code());
        match self {
            Self::Active | Self::Suspended | Self::Withdrawn => {}
            Self::Replaced { by } | Self::Restored { by } => by.encode(out),
        }
    }
}

impl Decode for PermissionState {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("permission_state")? {
            1 => Ok(Self::Active),
            2 => Ok(Self::Suspended),
            3 => Ok(Self::Withdrawn),
            4 => PermissionId::decode(reader).map(|by| Self::Replaced { by }),
            5 => PermissionId::decode(reader).map(|by| Self::Restored { by }),
            value => Err(DecodeError::UnknownValue { field: "permission_state", value: value.into() }),
        }
    }
}

/// A permission of an institution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionRecord {
    /// Who granted it.
    pub authority: AuthorityId,
    /// The decision.
    pub decision: DecisionRef,
    /// The days on which it holds.
    pub window: Window,
    /// Whether it was granted under conditions.
    pub conditional: bool,
    /// What it allows.
    pub scope: PermissionScope,
    /// When it was granted.
    pub granted: Height,
    /// The permission in whose place it stands; 0 for none.
    pub predecessor: PermissionId,
    /// Where its newest change puts it.
    pub state: PermissionState,
    /// The first day on which that counts.
    pub effective: Day,
    /// Why.
    pub reason: DecisionReason,
    /// How many history entries it has.
    pub entries: u32,
}

fields!(PermissionRecord {
    authority,
    decision,
    window,
    conditional,
    scope,
    granted,
    predecessor,
    state,
    effective,
    reason,
    entries,
});

/// One change of a permission: a history entry. The first is its grant, effective on the first day of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionEntry {
    /// Where it puts the permission.
    pub state: PermissionState,
    /// The first day on which that counts; never before the day of the entry before.
    pub effective: Day,
    /// Why.
    pub reason: DecisionReason,
    /// The decision.
    pub decision: DecisionRef,
    /// The authority that wrote it.
    pub authority: AuthorityId,
    /// The block that holds the change.
    pub height: Height,
    /// That block's time.
    pub time: TimeMs,
}

fields!(PermissionEntry { state, effective, reason, decision, authority, height, time });

/// Where a permission stands on a day, by its history, oldest entry first: what the newest entry that counts by then
/// says; `None` before the first one counts. The window is another question.
#[must_use]
pub fn standing_on(entries: &[PermissionEntry], day: Day) -> Option<&PermissionEntry> {
    entries.iter().rev().find(|entry| entry.effective <= day)
}
