//! Pages of batches by number.

use alloc::vec::Vec;

use sigeli_verifier::{
    encode::Encode as _,
    ids::{BatchRoot, BatchSequence, InstitutionId, PermissionId},
    proof::{AccreditationPage, BatchItem, BatchPage, BatchRange},
    record::batch_key,
};

use super::{ProveError, entry, present};
use crate::{
    state::{View, keys::Register},
    store::{Snapshot, StoreError},
};

const MISSING: StoreError = StoreError::Corrupt { what: "batch (missing)" };

/// Proves the batches of an institution with the numbers of a range, as far as they exist.
///
/// # Errors
/// [`ProveError::UnknownInstitution`], [`ProveError::Store`].
pub fn batch_page<S: Snapshot>(
    snapshot: &S,
    institution: InstitutionId,
    range: BatchRange,
) -> Result<BatchPage, ProveError> {
    let view = View::new(snapshot);
    let total = view.institution(institution)?.ok_or(ProveError::UnknownInstitution { institution })?.facts.batches;
    page(snapshot, institution, range.within(total), |number| view.batch_by_sequence(institution, number))
}

/// Proves the batches that an institution has anchored under an accreditation, with the numbers of a range, as far as they
/// exist. An accreditation that it does not have has none.
///
/// # Errors
/// [`ProveError::UnknownInstitution`], [`ProveError::Store`].
pub fn accreditation_page<S: Snapshot>(
    snapshot: &S,
    institution: InstitutionId,
    accreditation: PermissionId,
    range: BatchRange,
) -> Result<AccreditationPage, ProveError> {
    let view = View::new(snapshot);
    if view.institution(institution)?.is_none() {
        return Err(ProveError::UnknownInstitution { institution });
    }
    let mut name = Vec::from([5]);
    accreditation.encode(&mut name);
    let tally = entry(snapshot, Register::Permissions(institution), &name)?;
    let total = view.permission_tally(institution, accreditation)?;
    let page = page(snapshot, institution, range.within(total), |number| {
        view.batch_by_accreditation(institution, accreditation, number)
    })?;
    Ok(AccreditationPage { tally, page })
}

fn page<S: Snapshot>(
    snapshot: &S,
    institution: InstitutionId,
    numbers: impl Iterator<Item = BatchSequence>,
    root_of: impl Fn(BatchSequence) -> Result<Option<BatchRoot>, StoreError>,
) -> Result<BatchPage, ProveError> {
    let view = View::new(snapshot);
    let mut items = Vec::new();
    for number in numbers {
        let root = root_of(number)?.ok_or(MISSING)?;
        let record = view.batch(institution, &root)?.ok_or(MISSING)?;
        let path = present(snapshot, Register::Batches, &batch_key(institution, &root), &record.to_bytes())?;
        items.push(BatchItem { root, record, path });
    }
    // A range is never longer than a page.
    BatchPage::new(items).ok_or(ProveError::Store(StoreError::Corrupt { what: "batch page" }))
}
