//! Permissions and their history.

use alloc::vec::Vec;

use crate::{
    bounded::{List, TooLong},
    decode::{Decode, DecodeError, Reader},
    domain,
    encode::{Encode, fields},
    ids::{AuthorityId, DecisionRef, Height, PermissionContent, PermissionId, RegisterKey, TimeMs},
    params::PERMISSION_STANDINGS_MAX,
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

/// What a permission was granted for: the hash of authority, decision and kind, for an accreditation also of coordinator
/// and programme. One decision may so accredit several programmes of an institution, and each of them once.
#[must_use]
pub fn permission_content(
    authority: AuthorityId,
    decision: &DecisionRef,
    scope: &PermissionScope,
) -> PermissionContent {
    let mut bytes = authority.to_bytes();
    decision.encode(&mut bytes);
    bytes.push(scope.code());
    if let PermissionScope::Accreditation(accreditation) = scope {
        accreditation.coordinator.encode(&mut bytes);
        accreditation.programme.encode(&mut bytes);
    }
    PermissionContent::new(domain::PERMISSION_CONTENT.hash(&[&bytes]))
}

/// Key under which a permission is found again by what it was granted for: 2, then the content.
#[must_use]
pub fn permission_content_key(content: &PermissionContent) -> RegisterKey {
    let mut name = Vec::from([2]);
    content.encode(&mut name);
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

    /// Whether it is an end: nothing changes afterwards, unless the end is taken back before its day.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::Active | Self::Suspended => false,
            Self::Withdrawn | Self::Replaced { .. } | Self::Restored { .. } => true,
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

/// Where a permission stands from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionStanding {
    /// The first day on which it counts.
    pub effective: Day,
    /// Where the permission stands.
    pub state: PermissionState,
    /// Why.
    pub reason: DecisionReason,
}

fields!(PermissionStanding { effective, state, reason });

/// Where a permission stands on the day of the block that wrote it and on every later day: what stands on that day, if
/// anything does, then all that is announced for later days. In strictly ascending order of day; never empty; an end is
/// the last. At most [`PERMISSION_STANDINGS_MAX`].
///
/// A change counts from its day until the next day on which another counts. Of two for the same day the newer counts. An
/// end cancels what was announced for later days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionStandings(List<PermissionStanding, PERMISSION_STANDINGS_MAX>);

impl PermissionStandings {
    /// Those of a permission about which nothing but its grant was written.
    #[must_use]
    pub fn granted(first: Day, reason: DecisionReason) -> Self {
        Self(List::one(PermissionStanding { effective: first, state: PermissionState::Active, reason }))
    }

    /// Where it stands on a day that is not before the day of the block that wrote this; `None` before anything counts.
    /// Whether the day lies in the permission's window is another question.
    #[must_use]
    pub fn on(&self, day: Day) -> Option<&PermissionStanding> {
        self.0.iter().rev().find(|standing| standing.effective <= day)
    }

    /// What comes next after a day, of what is announced.
    #[must_use]
    pub fn after(&self, day: Day) -> Option<&PermissionStanding> {
        self.0.iter().find(|standing| standing.effective > day)
    }

    /// What stands at last, by what is written so far.
    #[must_use]
    pub fn newest(&self) -> Option<&PermissionStanding> {
        self.0.last()
    }

    /// All of them, in order of day.
    #[must_use]
    pub fn as_slice(&self) -> &[PermissionStanding] {
        &self.0
    }

    /// The first day from which a change may count that is written on `today`: the day of what stands today, or of what
    /// comes first if nothing stands yet. `None` never comes of a list that was decoded or made by the ledger.
    #[must_use]
    pub fn earliest(&self, today: Day) -> Option<Day> {
        self.on(today).or_else(|| self.0.first()).map(|standing| standing.effective)
    }

    /// Those after one more change, written on `today`, which is not before the day on which this was written.
    ///
    /// # Errors
    /// [`TooLong`] if more than [`PERMISSION_STANDINGS_MAX`] would count from then on.
    pub fn changed(&self, change: PermissionStanding, today: Day) -> Result<Self, TooLong> {
        let is_kept = |known: &&PermissionStanding| {
            if change.state.is_end() { known.effective < change.effective } else { known.effective != change.effective }
        };
        let mut all: Vec<_> = self.0.iter().filter(is_kept).copied().collect();
        all.push(change);
        all.sort_by_key(|standing| standing.effective);
        let stands = all.iter().rposition(|standing| standing.effective <= today).unwrap_or(0);
        List::new(all.split_off(stands)).map(Self)
    }
}

impl Encode for PermissionStandings {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for PermissionStandings {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let list: List<PermissionStanding, PERMISSION_STANDINGS_MAX> = List::decode(reader)?;
        let ascends = list.is_sorted_by(|left, right| left.effective < right.effective && !left.state.is_end());
        if list.is_empty() || !ascends {
            return Err(DecodeError::NonCanonical { field: "permission_standings" });
        }
        Ok(Self(list))
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
    /// Where it stands on the day of the block that wrote this, and what is announced for later days.
    pub standing: PermissionStandings,
    /// How many history entries it has.
    pub entries: u32,
}

fields!(PermissionRecord { authority, decision, window, conditional, scope, granted, predecessor, standing, entries });

/// One change of a permission: a history entry. The first is its grant, effective on the first day of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionEntry {
    /// Where it puts the permission.
    pub state: PermissionState,
    /// The first day on which that counts; never before the day of what stood when it was written.
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

/// Where a permission stands on any day, by its history, oldest entry first, or by the part of it that was written by some
/// time: the rule of [`PermissionStandings`], read from the newest entry back. `None` before the first one counts. The
/// window is another question.
#[must_use]
pub fn standing_on(entries: &[PermissionEntry], day: Day) -> Option<&PermissionEntry> {
    let mut found: Option<&PermissionEntry> = None;
    // The earliest day from which an end, written later than what is still to be read, cancels everything.
    let mut ended: Option<Day> = None;
    for entry in entries.iter().rev() {
        if ended.is_some_and(|ended| entry.effective > ended) {
            continue;
        }
        // A newer one for the same day counts, and was found before.
        if entry.effective <= day && found.is_none_or(|found| found.effective < entry.effective) {
            found = Some(entry);
        }
        if entry.state.is_end() {
            ended = Some(entry.effective);
        }
    }
    found
}
