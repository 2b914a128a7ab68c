//! The rules for authorities' keys.

use alloc::{collections::BTreeSet, vec::Vec};

use sigeli_verifier::{crypto::PublicKey, ids::AuthorityId, transaction::AuthorityKeysSet};

use super::AuthoritySigner;
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
    tree::NodeReader,
};

/// An authority changes its own keys, under the threshold that holds until then.
pub(super) fn check_own_keys<R: NodeReader>(
    state: &Overlay<'_, R>,
    by: &AuthoritySigner<'_>,
    set: &AuthorityKeysSet,
) -> Result<Vec<Write>, CheckError> {
    if set.decision.is_none() {
        return Err(Rejection::DecisionMissing.into());
    }
    check_keys(state, by.id, &set.keys, set.threshold)?;
    let mut record = by.record.clone();
    record.keys = set.keys.clone();
    record.threshold = set.threshold;
    record.log_keys = set.log_keys.clone();
    Ok(Vec::from([Write::Authority(by.id, record)]))
}

/// Distinct keys that no other authority has, and a threshold from 1 to their number.
pub(super) fn check_keys<R: NodeReader>(
    state: &Overlay<'_, R>,
    id: AuthorityId,
    keys: &[PublicKey],
    threshold: u8,
) -> Result<(), CheckError> {
    let distinct: BTreeSet<_> = keys.iter().copied().collect();
    let threshold = usize::from(threshold);
    if distinct.len() != keys.len() || threshold == 0 || threshold > keys.len() {
        return Err(Rejection::AuthorityKeysInvalid.into());
    }
    let view = state.view();
    for &authority in view.joint()?.authorities.iter().filter(|other| **other != id) {
        let missing = crate::store::StoreError::Corrupt { what: "authority (missing)" };
        let other = view.authority(authority)?.ok_or(missing)?;
        if other.keys.iter().any(|key| distinct.contains(key)) {
            return Err(Rejection::KeyOfAnotherAuthority { authority }.into());
        }
    }
    Ok(())
}
