//! Authorities, policy, what it leaves of an institution's quotas, and the joint affairs of the authorities.

use alloc::vec::Vec;

use crate::{
    bounded::List,
    crypto::PublicKey,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields},
    ids::{AuthorityId, AuthoritySequence, EctsTenths, GovernanceSequence, Height},
    params::{AUTHORITIES_MAX, AUTHORITY_KEYS_MAX, BATCH_HEIGHT_MAX, BATCH_HEIGHT_MIN, PROTOCOL_VERSION},
    time::Day,
    transaction::{AuthorityKind, Level, Name},
};

/// An authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityRecord {
    /// What it is.
    pub kind: AuthorityKind,
    /// Its name in Georgian.
    pub name_ka: Name,
    /// Its name in English.
    pub name_en: Name,
    /// Its keys; their indexes count from 0. None once it was ended.
    pub keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
    /// How many of them must sign, from 1.
    pub threshold: u8,
    /// Keys that sign checkpoints of the history log.
    pub log_keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
    /// The sequence number of its last transaction; 0 before the first.
    pub sequence: AuthoritySequence,
}

fields!(AuthorityRecord { kind, name_ka, name_en, keys, threshold, log_keys, sequence });

impl AuthorityRecord {
    /// Whether it was ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Why a policy is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The smallest credit volume of a level is zero, or above the largest.
    #[error("the least credits of a level must be above 0 and at most the most credits of that level")]
    Ects,
    /// The smallest batch lies outside the protocol's limits.
    #[error("the least batch height must lie in {BATCH_HEIGHT_MIN}..={BATCH_HEIGHT_MAX}")]
    BatchHeight,
    /// A quota is zero.
    #[error("a daily quota must be at least 1")]
    Quota,
    /// No authority would have to approve.
    #[error("at least one authority must approve joint transactions")]
    Approvals,
}

/// Limits that the authorities set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The most credits of one credential at each level 1..=8.
    pub ects_max: [EctsTenths; 8],
    /// The least credits of one credential at each level 1..=8.
    pub ects_min: [EctsTenths; 8],
    /// The most credits from such credentials that count towards one programme of study. No rule of the ledger rests on
    /// it: it is published for those who recognise them.
    pub ects_recognised_max: EctsTenths,
    /// The smallest height of a batch tree.
    pub batch_height_min: u8,
    /// How far a date of issue may lie ahead of ledger time, in milliseconds, before it counts as in the future.
    pub clock_tolerance_ms: u32,
    /// Whether a batch needs a Minister's order (stage one of the pilot).
    pub pilot_order_required: bool,
    /// How many batches one institution may anchor per day.
    pub batches_per_day: u32,
    /// How many statuses one institution may write per day.
    pub statuses_per_day: u32,
    /// How many changes of its own keys and programmes one institution may make per day: each key added, retired or declared
    /// compromised counts, and each programme.
    pub changes_per_day: u32,
    /// How many authorities must approve a joint transaction: more than half of them, at most all, when the policy is
    /// set. [`Policy::approvals_needed`] says how many are needed as authorities come and go.
    pub approvals_min: u8,
}

/// How many approvals a policy may ask for on a ledger of so many authorities: more than half, at most all.
#[must_use]
pub fn approvals_for(authorities: usize) -> core::ops::RangeInclusive<u8> {
    let all = u8::try_from(authorities).unwrap_or(u8::MAX);
    (all / 2).saturating_add(1)..=all
}

impl Policy {
    /// Whether the limits make sense together. Whether there are enough authorities is another question.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn check(&self) -> Result<(), PolicyError> {
        let mut levels = self.ects_min.iter().zip(&self.ects_max);
        if levels.any(|(least, most)| least.get() == 0 || most < least) {
            return Err(PolicyError::Ects);
        }
        if !(BATCH_HEIGHT_MIN..=BATCH_HEIGHT_MAX).contains(&self.batch_height_min) {
            return Err(PolicyError::BatchHeight);
        }
        if self.batches_per_day == 0 || self.statuses_per_day == 0 || self.changes_per_day == 0 {
            return Err(PolicyError::Quota);
        }
        if self.approvals_min == 0 {
            return Err(PolicyError::Approvals);
        }
        Ok(())
    }

    /// How many authorities must approve a joint transaction on a ledger of so many: what the policy says, but never
    /// half or fewer of those that there are now, and never more than all.
    #[must_use]
    pub fn approvals_needed(&self, authorities: usize) -> u8 {
        let allowed = approvals_for(authorities);
        self.approvals_min.max(*allowed.start()).min(*allowed.end())
    }

    /// The most credits at a level.
    #[must_use]
    pub fn ects_max_at(&self, level: Level) -> EctsTenths {
        at(&self.ects_max, level)
    }

    /// The least credits at a level.
    #[must_use]
    pub fn ects_min_at(&self, level: Level) -> EctsTenths {
        at(&self.ects_min, level)
    }
}

fn at(levels: &[EctsTenths; 8], level: Level) -> EctsTenths {
    let place = usize::from(level.get()).saturating_sub(1);
    levels.get(place).copied().unwrap_or_default()
}

impl Encode for Policy {
    fn encode(&self, out: &mut Vec<u8>) {
        for credits in self.ects_max.iter().chain(&self.ects_min) {
            credits.encode(out);
        }
        self.ects_recognised_max.encode(out);
        self.batch_height_min.encode(out);
        self.clock_tolerance_ms.encode(out);
        self.pilot_order_required.encode(out);
        self.batches_per_day.encode(out);
        self.statuses_per_day.encode(out);
        self.changes_per_day.encode(out);
        self.approvals_min.encode(out);
    }
}

impl Decode for Policy {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut levels = [[EctsTenths::default(); 8]; 2];
        for credits in levels.iter_mut().flatten() {
            *credits = EctsTenths::decode(reader)?;
        }
        let [ects_max, ects_min] = levels;
        Ok(Self {
            ects_max,
            ects_min,
            ects_recognised_max: EctsTenths::decode(reader)?,
            batch_height_min: reader.u8("batch_height_min")?,
            clock_tolerance_ms: reader.u32("clock_tolerance_ms")?,
            pilot_order_required: bool::decode(reader)?,
            batches_per_day: reader.u32("batches_per_day")?,
            statuses_per_day: reader.u32("statuses_per_day")?,
            changes_per_day: reader.u32("changes_per_day")?,
            approvals_min: reader.u8("approvals_min")?,
        })
    }
}

/// What an institution has used of its daily quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The day that is counted, in Tbilisi.
    pub day: Day,
    /// Batches anchored on that day.
    pub batches: u32,
    /// Statuses written on that day.
    pub statuses: u32,
    /// Changes of its keys and programmes made on that day.
    pub changes: u32,
}

impl Usage {
    /// What was used of the given day's quotas.
    #[must_use]
    pub fn on(self, day: Day) -> Self {
        if self.day == day { self } else { Self::none(day) }
    }

    /// Nothing used.
    #[must_use]
    pub const fn none(day: Day) -> Self {
        Self { day, batches: 0, statuses: 0, changes: 0 }
    }
}

fields!(Usage { day, batches, statuses, changes });

/// The joint affairs of the authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GovernanceRecord {
    /// The authorities that were not ended, in ascending order.
    pub authorities: List<AuthorityId, AUTHORITIES_MAX>,
    /// The sequence number of their last joint transaction; 0 before the first.
    pub sequence: GovernanceSequence,
    /// The protocol version in force.
    pub version: u16,
    /// The version announced; the one in force when none is.
    pub upgrade_version: u16,
    /// The first height of the version announced; 0 when none is.
    pub upgrade_height: Height,
}

fields!(GovernanceRecord { authorities, sequence, version, upgrade_version, upgrade_height });

impl GovernanceRecord {
    /// Before the first joint transaction.
    #[must_use]
    pub const fn first(authorities: List<AuthorityId, AUTHORITIES_MAX>) -> Self {
        Self {
            authorities,
            sequence: GovernanceSequence::new(0),
            version: PROTOCOL_VERSION,
            upgrade_version: PROTOCOL_VERSION,
            upgrade_height: Height::new(0),
        }
    }

    /// The protocol version that counts at a height.
    #[must_use]
    pub fn version_at(&self, height: Height) -> u16 {
        let announced = self.upgrade_height > Height::new(0) && height >= self.upgrade_height;
        if announced { self.upgrade_version } else { self.version }
    }
}
