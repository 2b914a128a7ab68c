//! The rules under which a batch may be anchored, and the facts that are judged and kept with it.

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::{BatchSequence, PermissionId},
    record::{BatchRecord, BatchStatus, Judged},
    transaction::BatchAnchor,
};

use super::{
    InstitutionSigner, Terms,
    quota::{used_today, within},
    standing::{authorisation_in_force, check_accreditation, order_in_force},
};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
    tree::NodeReader,
};

pub(super) fn check_anchor<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &InstitutionSigner<'_>,
    anchor: &BatchAnchor,
) -> Result<Vec<Write>, CheckError> {
    let day = terms.day();
    let least = terms.policy.batch_height_min;
    if anchor.height.get() < least {
        return Err(Rejection::BatchTooSmall { height: anchor.height.get(), least }.into());
    }
    let view = state.view();
    if let Some(known) = view.batch(by.id, &anchor.root)? {
        let height = known.anchored;
        return Err(if is_same(&known, anchor) {
            Rejection::AlreadyExists { height }
        } else {
            Rejection::RootTaken { height }
        }
        .into());
    }
    let mut usage = used_today(state, terms, by.id)?;
    usage.batches = within(terms.policy.batches_per_day, usage.batches, 1)?;

    let permission = anchor.accreditation;
    let accreditation = view.permission(by.id, permission)?.ok_or(Rejection::AccreditationMissing { permission })?;
    let ects_max = check_accreditation(terms, &accreditation, anchor)?;
    let (authorisation, authorised) = authorisation_in_force(state, by.id, day)?;
    let order = if terms.policy.pilot_order_required {
        order_in_force(state, by.id, day, anchor)?
    } else {
        PermissionId::new(0)
    };

    let mut institution = by.institution.clone();
    let sequence = institution.facts.batches.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    institution.facts.batches = sequence;
    let tally = view.permission_tally(by.id, permission)?.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    let record = BatchRecord {
        sequence: BatchSequence::new(sequence),
        accreditation_sequence: BatchSequence::new(tally),
        height: anchor.height,
        hash_algorithm: anchor.hash_algorithm,
        anchored: terms.height,
        anchored_time: terms.time,
        key: by.key,
        accreditation: permission,
        level: anchor.level,
        field: anchor.field,
        ects: anchor.ects,
        issued: anchor.issued,
        credential_type: anchor.credential_type,
        judged: Judged {
            accreditation_window: accreditation.window,
            ects_max,
            authorisation,
            authorisation_window: authorised.window,
            order,
        },
        status: BatchStatus::Valid,
    };
    Ok(Vec::from([
        Write::Institution(by.id, institution),
        Write::Anchor(by.id, anchor.root, record),
        Write::Usage(by.id, usage),
    ]))
}

/// Whether a batch states all that is to be anchored: then it was anchored before. Otherwise its root stands for something
/// else, and whoever asks must not take it for done.
fn is_same(known: &BatchRecord, anchor: &BatchAnchor) -> bool {
    let stated = BatchAnchor {
        root: anchor.root,
        height: known.height,
        hash_algorithm: known.hash_algorithm,
        accreditation: known.accreditation,
        level: known.level,
        field: known.field,
        ects: known.ects,
        issued: known.issued,
        credential_type: known.credential_type,
    };
    stated == *anchor
}
