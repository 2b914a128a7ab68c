//! The light step: how a trust file follows its ledger by certificates alone (`docs/protocol.md` §11).
//!
//! A step shows a header above the checkpoint that a quorum of the validators in force has signed, and the set that the
//! header names as the next. It moves the checkpoint to that header; if the next set is another one, it closes the set in
//! force at that height and time and opens the next behind it. Headers between checkpoint and step need not be seen, as
//! long as the set in force is the same: whoever follows a ledger shows each header before which the set changes, and then
//! the newest.
//!
//! What is guaranteed: the checkpoint never moves back, no set's range is rewritten, and nothing is believed that the
//! validators in force have not signed. What is assumed: fewer than a third of a set's weight is false until
//! [`Freshness::max_age_ms`] after its headers. Keys of validators that retired long ago may be stolen by then, which is why
//! a step from an older checkpoint is refused. What cannot be seen: a set that was replaced and put back between the
//! checkpoint and the step.

use crate::{
    block::Header,
    certificate::{CertificateError, CommitCertificate},
    ids::{Height, TimeMs},
    params::{CLOCK_TOLERANCE_MS, TRUST_SETS_MAX},
    proof::{HeaderError, trusted_set},
    trust::{Checkpoint, TrustedLedger, TrustedSet},
    validators::ValidatorSet,
    verdict::Freshness,
};

/// A header, what makes it final, and who commits the next one.
#[derive(Debug, Clone, Copy)]
pub struct LightStep<'a> {
    /// The header.
    pub header: &'a Header,
    /// The quorum's signatures.
    pub certificate: &'a CommitCertificate,
    /// The validators that commit the height after it.
    pub next: &'a ValidatorSet,
}

/// Why a step is refused. The trust file stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The header is of another ledger.
    #[error("the block is of another ledger")]
    OtherLedger,
    /// The checkpoint is older than allowed: its validators' signatures count for no more steps.
    #[error("the trust file's newest block is {age_ms} ms old: too old to go on from")]
    TooOld {
        /// Its age, in milliseconds.
        age_ms: u64,
    },
    /// The reader's clock stands before the checkpoint or the header.
    #[error("the clock is behind the ledger")]
    ClockBehind,
    /// The header is below the checkpoint.
    #[error("block {height} is below the one that the trust file has pinned")]
    Backwards {
        /// Its height.
        height: Height,
    },
    /// The header stands at the checkpoint's height and is not the pinned one.
    #[error("block {height} is not the one that the trust file has pinned")]
    OtherThanPinned {
        /// The height.
        height: Height,
    },
    /// The header is above the checkpoint, but not later.
    #[error("block {height} is not later than the one that the trust file has pinned")]
    NotLater {
        /// Its height.
        height: Height,
    },
    /// The header is of a protocol version that this program does not know.
    #[error("the ledger's protocol version {version} is not known to this program")]
    UnknownVersion {
        /// The version.
        version: u16,
    },
    /// The trust file has no validator set for the header's height.
    #[error("the trust file lists no validators for block {height}")]
    UnknownValidators {
        /// The height.
        height: Height,
    },
    /// The header's time lies outside the range for which its validators count.
    #[error("block {height} lies outside the time for which its validators are trusted")]
    OutsideTrustedTime {
        /// The height.
        height: Height,
    },
    /// The header is committed by other validators than those in force: an earlier header, before which the set changes,
    /// has to be shown first.
    #[error("block {height} is committed by validators that the trust file does not know yet")]
    OtherValidators {
        /// The height.
        height: Height,
    },
    /// The set shown as the next is not the one that the header names.
    #[error("the validators after block {height} are not those that it names")]
    OtherNext {
        /// The height.
        height: Height,
    },
    /// The trust file lists another set for the next height than the header names.
    #[error("block {height} names other next validators than the trust file lists")]
    Contradiction {
        /// The height.
        height: Height,
    },
    /// No quorum has signed the header.
    #[error("the block is not confirmed by the ledger's validators: {0}")]
    NotConfirmed(CertificateError),
    /// The trust file is full.
    #[error("a trust file lists at most {TRUST_SETS_MAX} validator sets of a ledger")]
    TooManySets,
}

impl From<HeaderError> for StepError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::UnknownVersion { version } => Self::UnknownVersion { version },
            HeaderError::UnknownValidators { height } => Self::UnknownValidators { height },
            HeaderError::OutsideTrustedTime { height } => Self::OutsideTrustedTime { height },
        }
    }
}

impl TrustedLedger {
    /// What is believed after a step. `freshness` holds the reader's clock and the largest age of a checkpoint from which
    /// steps are taken.
    ///
    /// # Errors
    /// [`StepError`], of the first check that fails, in the order of `docs/protocol.md` §11.
    pub fn advanced(&self, step: &LightStep<'_>, freshness: Freshness) -> Result<Self, StepError> {
        let header = step.header;
        let (height, time, id) = (header.height, header.time, header.id());
        if header.genesis != self.genesis {
            return Err(StepError::OtherLedger);
        }
        self.check_age(freshness)?;
        if height < self.checkpoint.height {
            return Err(StepError::Backwards { height });
        }
        if self.is_other_than_pinned(height, id) {
            return Err(StepError::OtherThanPinned { height });
        }
        if height > self.checkpoint.height && time <= self.checkpoint.time {
            return Err(StepError::NotLater { height });
        }
        if freshness.at.get().saturating_add(CLOCK_TOLERANCE_MS) < time.get() {
            return Err(StepError::ClockBehind);
        }
        let trusted = trusted_set(self, &header.proof())?;
        if header.validators != trusted.set.hash() {
            return Err(StepError::OtherValidators { height });
        }
        if header.next_validators != step.next.hash() {
            return Err(StepError::OtherNext { height });
        }
        // Genesis is signed by nobody: it is believed where it is the pinned header, and nowhere else.
        if height != Height::new(0) {
            step.certificate.verify(&self.genesis, height, id, &trusted.set).map_err(StepError::NotConfirmed)?;
        }
        let sets = self.sets_after(header, step.next)?;
        Ok(Self { checkpoint: Checkpoint { height, time, id }, sets, ..self.clone() })
    }

    /// Whether steps may be taken from the checkpoint: it is at most [`Freshness::max_age_ms`] old.
    ///
    /// # Errors
    /// [`StepError::TooOld`]; [`StepError::ClockBehind`] when the reader's clock is more than [`CLOCK_TOLERANCE_MS`] behind
    /// the checkpoint.
    pub fn check_age(&self, freshness: Freshness) -> Result<(), StepError> {
        let (at, pinned) = (freshness.at.get(), self.checkpoint.time.get());
        if at.saturating_add(CLOCK_TOLERANCE_MS) < pinned {
            return Err(StepError::ClockBehind);
        }
        let age_ms = at.saturating_sub(pinned);
        if age_ms > freshness.max_age_ms { Err(StepError::TooOld { age_ms }) } else { Ok(()) }
    }

    /// The validator sets once `header`, which `next` follows, is confirmed.
    fn sets_after(&self, header: &Header, next: &ValidatorSet) -> Result<alloc::vec::Vec<TrustedSet>, StepError> {
        let height = header.height;
        let mut sets = self.sets.clone();
        match self.set_at(height.next()) {
            Some(known) if known.set == *next => return Ok(sets),
            // Only the set in force, which has no end yet, can be closed.
            Some(known) if known.last_height == Height::new(u64::MAX) && known.first_height <= height => {}
            _ => return Err(StepError::Contradiction { height }),
        }
        if sets.len() >= TRUST_SETS_MAX {
            return Err(StepError::TooManySets);
        }
        if let Some(in_force) = sets.last_mut() {
            in_force.last_height = height;
            in_force.last_time = header.time;
        }
        sets.push(TrustedSet {
            first_height: height.next(),
            last_height: Height::new(u64::MAX),
            first_time: TimeMs::new(header.time.get().saturating_add(1)),
            last_time: TimeMs::new(u64::MAX),
            set: next.clone(),
        });
        Ok(sets)
    }
}
