//! Batches by number: of an institution, and under an accreditation.

use alloc::vec::Vec;

use super::{ConfirmedInstitution, EntryProof, ProofError, verify_entry};
use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields, put_list},
    ids::{BatchRoot, BatchSequence, PermissionId},
    params::BATCH_PAGE_MAX,
    record::{BatchRecord, batch_key, permission_tally_key},
    register::RegisterPath,
};

/// Numbers of batches that are asked for, both ends inclusive, at most [`BATCH_PAGE_MAX`] of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRange {
    first: u32,
    last: u32,
}

impl BatchRange {
    /// Takes a range; `None` unless 1 ≤ first ≤ last and it is at most [`BATCH_PAGE_MAX`] long.
    #[must_use]
    pub const fn new(first: BatchSequence, last: BatchSequence) -> Option<Self> {
        let (first, last) = (first.get(), last.get());
        match last.checked_sub(first) {
            Some(more) if first > 0 && more < BATCH_PAGE_MAX => Some(Self { first, last }),
            _ => None,
        }
    }

    /// The first number.
    #[must_use]
    pub const fn first(&self) -> BatchSequence {
        BatchSequence::new(self.first)
    }

    /// The last number.
    #[must_use]
    pub const fn last(&self) -> BatchSequence {
        BatchSequence::new(self.last)
    }

    /// The numbers of this range that exist when there are `total`, in order.
    pub fn within(&self, total: u32) -> impl Iterator<Item = BatchSequence> + use<> {
        (self.first..=self.last.min(total)).map(BatchSequence::new)
    }

    /// How many of them there are.
    fn count_within(&self, total: u32) -> u32 {
        self.last.min(total).saturating_add(1).saturating_sub(self.first)
    }
}

/// A batch and its way to the root of batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItem {
    /// Its root.
    pub root: BatchRoot,
    /// Its record.
    pub record: BatchRecord,
    /// The way to the root of batches.
    pub path: RegisterPath,
}

fields!(BatchItem { root, record, path });

/// Batches in order of their number, at most [`BATCH_PAGE_MAX`] of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPage {
    items: Vec<BatchItem>,
}

/// Batches of a page that was verified, and how many there are in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvedBatches<'a> {
    /// How many batches the institution has, or the accreditation.
    pub total: u32,
    /// Those of the range asked for, without a gap.
    pub batches: &'a [BatchItem],
}

impl BatchPage {
    /// Takes batches; `None` when there are too many.
    #[must_use]
    pub fn new(items: Vec<BatchItem>) -> Option<Self> {
        u32::try_from(items.len()).is_ok_and(|count| count <= BATCH_PAGE_MAX).then_some(Self { items })
    }

    /// The batches, proved or not.
    #[must_use]
    pub fn items(&self) -> &[BatchItem] {
        &self.items
    }

    /// Checks that these are the batches of an institution with the numbers of a range, as far as they exist.
    ///
    /// # Errors
    /// [`ProofError::BatchCount`], [`ProofError::BatchNumber`], [`ProofError::Path`], [`ProofError::OtherRoot`].
    pub fn verify(
        &self,
        institution: &ConfirmedInstitution<'_>,
        range: BatchRange,
    ) -> Result<ProvedBatches<'_>, ProofError> {
        self.verify_numbers(institution, range, institution.facts().batches, |record, expected| {
            record.sequence == expected
        })
    }

    fn verify_numbers(
        &self,
        institution: &ConfirmedInstitution<'_>,
        range: BatchRange,
        total: u32,
        is_expected: impl Fn(&BatchRecord, BatchSequence) -> bool,
    ) -> Result<ProvedBatches<'_>, ProofError> {
        let expected = range.count_within(total);
        if u32::try_from(self.items.len()) != Ok(expected) {
            return Err(ProofError::BatchCount { expected, found: self.items.len() });
        }
        let batches = &institution.state().roots().batches;
        for (item, number) in self.items.iter().zip(range.within(total)) {
            if !is_expected(&item.record, number) {
                return Err(ProofError::BatchNumber { expected: number.get() });
            }
            let key = batch_key(institution.institution(), &item.root);
            verify_entry(batches, &key, &item.record.to_bytes(), &item.path)?;
        }
        Ok(ProvedBatches { total, batches: &self.items })
    }
}

impl Encode for BatchPage {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.items);
    }
}

impl Decode for BatchPage {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let limit = usize::try_from(BATCH_PAGE_MAX).unwrap_or(usize::MAX);
        Ok(Self { items: reader.list("batches", limit)? })
    }
}

/// Batches under one accreditation, and the proof of how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccreditationPage {
    /// The accreditation's tally in the institution's permissions: a `u32`, or absent for none.
    pub tally: EntryProof,
    /// The batches.
    pub page: BatchPage,
}

fields!(AccreditationPage { tally, page });

impl AccreditationPage {
    /// Checks that these are the batches that an institution has anchored under an accreditation, with the numbers of a
    /// range, as far as they exist.
    ///
    /// # Errors
    /// Those of [`BatchPage::verify`] and, about the tally, of [`EntryProof::verify_record`].
    pub fn verify(
        &self,
        institution: &ConfirmedInstitution<'_>,
        accreditation: PermissionId,
        range: BatchRange,
    ) -> Result<ProvedBatches<'_>, ProofError> {
        let key = permission_tally_key(accreditation);
        let total = self.tally.verify_record::<u32>(&institution.registers().permissions, &key)?.unwrap_or(0);
        self.page.verify_numbers(institution, range, total, |record, expected| {
            record.accreditation == accreditation && record.accreditation_sequence == expected
        })
    }
}
