//! Who proposes when: a round-robin that learns from committed headers who missed a turn.
//!
//! The schedule is part of the ledger's state. The order of a height depends only on the validator set, the height and
//! the creator and round of committed headers, so that every node computes the same one. A validator that had a turn in
//! a round before the committed one is moved to the end of the order for 2^k heights, where k counts its consecutive
//! missed turns and is at most [`MISSES_MAX`]; it is never left out. Building a block clears its record.
//!
//! Invariants: at most one entry per validator, in ascending order of address; no entry for a validator that has left
//! the set; `1 <= misses <= MISSES_MAX`.

use std::vec::Vec;

use sigeli_verifier::{
    block::Header,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, put_list},
    ids::{Height, ValidatorAddress},
    params::VALIDATORS_MAX,
    validators::ValidatorSet,
};

/// Most consecutive missed turns that are counted: a validator is moved back for at most 2^8 = 256 heights.
pub const MISSES_MAX: u8 = 8;

/// A validator that missed its last turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// Who.
    pub validator: ValidatorAddress,
    /// How many turns in a row, from 1 to [`MISSES_MAX`].
    pub misses: u8,
    /// The first height at which it has an ordinary turn again.
    pub until: Height,
}

impl Encode for Missed {
    fn encode(&self, out: &mut Vec<u8>) {
        self.validator.encode(out);
        out.push(self.misses);
        self.until.encode(out);
    }
}

impl Decode for Missed {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let validator = ValidatorAddress::decode(reader)?;
        let misses = reader.u8("misses")?;
        if misses == 0 || misses > MISSES_MAX {
            return Err(DecodeError::UnknownValue { field: "misses", value: misses.into() });
        }
        Ok(Self { validator, misses, until: Height::decode(reader)? })
    }
}

/// The record of missed turns; empty at genesis.
///
/// Encoding: `u16` count, then per entry address (20), misses (1), until (8), in strictly ascending order of address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    entries: Vec<Missed>,
}

impl Schedule {
    /// The record of a new ledger: nobody missed a turn.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// The validators that missed their last turn, in ascending order of address.
    #[must_use]
    pub fn entries(&self) -> &[Missed] {
        &self.entries
    }

    /// The order in which the validators of `set` propose at `height`: round r is the turn of number r modulo the count.
    ///
    /// Each validator stands in it exactly once: first those in good standing, then those that are moved back, each part
    /// rotated by the height.
    #[must_use]
    pub fn order(&self, set: &ValidatorSet, height: Height) -> Vec<ValidatorAddress> {
        let addresses = set.validators().iter().map(|validator| validator.address());
        let (mut order, mut last): (Vec<_>, Vec<_>) =
            addresses.partition(|address| !self.entries.iter().any(|e| e.validator == *address && height < e.until));
        rotate(&mut order, height);
        rotate(&mut last, height);
        order.append(&mut last);
        order
    }

    /// The record after a block with this header was committed by `set`.
    #[must_use]
    pub fn after_block(&self, set: &ValidatorSet, header: &Header) -> Self {
        let order = self.order(set, header.height);
        let turns = usize::try_from(header.round.get()).unwrap_or(usize::MAX).min(order.len());
        let missed = order.get(..turns).unwrap_or(&order);
        let mut entries: Vec<Missed> = Vec::with_capacity(order.len());
        for validator in order.iter().filter(|address| **address != header.creator) {
            let known = self.entries.iter().find(|entry| entry.validator == *validator);
            if missed.contains(validator) {
                let misses = known.map_or(0, |entry| entry.misses).saturating_add(1).min(MISSES_MAX);
                let until = Height::new(header.height.get().saturating_add(1).saturating_add(1 << misses));
                entries.push(Missed { validator: *validator, misses, until });
            } else {
                entries.extend(known);
            }
        }
        entries.sort_by_key(|entry| entry.validator);
        Self { entries }
    }
}

/// Rotates to the left by the height, so that turns go round.
fn rotate(addresses: &mut [ValidatorAddress], height: Height) {
    let count = u64::try_from(addresses.len()).unwrap_or(u64::MAX);
    if let Some(shift) = height.get().checked_rem(count) {
        addresses.rotate_left(usize::try_from(shift).unwrap_or(0));
    }
}

impl Encode for Schedule {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.entries);
    }
}

impl Decode for Schedule {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entries = reader.list::<Missed>("schedule", VALIDATORS_MAX)?;
        if entries.is_sorted_by(|left, right| left.validator < right.validator) {
            Ok(Self { entries })
        } else {
            Err(DecodeError::NonCanonical { field: "schedule" })
        }
    }
}
