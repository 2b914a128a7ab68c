//! What an institution may do in one day.

use sigeli_verifier::{ids::InstitutionId, record::Usage};

use super::Terms;
use crate::{outcome::Rejection, state::Overlay, store::StoreError, tree::NodeReader};

/// What an institution has used of the quotas of the block's day.
pub(super) fn used_today<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    institution: InstitutionId,
) -> Result<Usage, StoreError> {
    let day = terms.day();
    Ok(state.view().usage(institution)?.map_or_else(|| Usage::none(day), |usage| usage.on(day)))
}

/// So many more than were used.
///
/// # Errors
/// [`Rejection::QuotaExceeded`] when that is above the quota.
pub(super) fn within(quota: u32, used: u32, more: u32) -> Result<u32, Rejection> {
    used.checked_add(more).filter(|used| *used <= quota).ok_or(Rejection::QuotaExceeded { quota })
}
