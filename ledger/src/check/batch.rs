//! The rules under which a batch may be anchored, and the facts that are judged and kept with it.

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::{BatchSequence, InstitutionId, PermissionId, TimeMs},
    record::{BatchRecord, BatchStatus, Judged, PermissionRecord},
    time::Day,
    transaction::{BatchAnchor, PermissionScope},
};

use super::{InstitutionSigner, Terms};
use crate::{
    execute::Effect,
    outcome::{CheckError, Rejection},
    state::{Overlay, Policy, Usage},
    store::StoreError,
    tree::NodeReader,
};

/// Kind bytes of [`PermissionScope::code`].
const AUTHORISATION: u8 = 1;
const PILOT_ORDER: u8 = 2;

pub(super) fn check_anchor<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &InstitutionSigner<'_>,
    anchor: &BatchAnchor,
) -> Result<Effect, CheckError> {
    let day = terms.day();
    let least = terms.policy.batch_height_min;
    if anchor.height.get() < least {
        return Err(Rejection::BatchTooSmall { height: anchor.height.get(), least }.into());
    }
    let view = state.view();
    if let Some(known) = view.batch(by.id, &anchor.root)? {
        return Err(Rejection::AlreadyExists { height: known.anchored }.into());
    }
    let mut usage = view.usage(by.id)?.map_or_else(|| Usage::none(day), |usage| usage.on(day));
    let quota = terms.policy.batches_per_day;
    usage.batches =
        usage.batches.checked_add(1).filter(|used| *used <= quota).ok_or(Rejection::QuotaExceeded { quota })?;

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
    let record = BatchRecord {
        sequence: BatchSequence::new(sequence),
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
    Ok(Effect::Anchor { id: by.id, institution, root: anchor.root, record, usage })
}

/// The rules of the programme's accreditation. Returns the most credits it allows.
fn check_accreditation(
    terms: &Terms,
    accreditation: &PermissionRecord,
    anchor: &BatchAnchor,
) -> Result<sigeli_verifier::ids::EctsTenths, Rejection> {
    let permission = anchor.accreditation;
    let PermissionScope::Accreditation { level, fields, ects_max, credential_type, .. } = &accreditation.scope else {
        return Err(Rejection::NotAnAccreditation { permission });
    };
    let (day, window) = (terms.day(), accreditation.window);
    if day < window.first() {
        return Err(Rejection::AccreditationNotYet { first: window.first() });
    }
    if day > window.last() {
        return Err(Rejection::AccreditationLapsed { last: window.last() });
    }
    if anchor.credential_type != *credential_type {
        return Err(Rejection::CredentialTypeMismatch);
    }
    if anchor.level != *level {
        return Err(Rejection::LevelMismatch { given: anchor.level, accredited: *level });
    }
    if !fields.iter().any(|prefix| prefix.covers(anchor.field)) {
        return Err(Rejection::FieldNotCovered { field: anchor.field });
    }
    if anchor.ects > *ects_max {
        return Err(Rejection::EctsOverAccreditation { given: anchor.ects, most: *ects_max });
    }
    check_policy(&terms.policy, anchor)?;
    let today = latest_issue_day(terms);
    if anchor.issued > today {
        return Err(Rejection::IssuedInFuture { issued: anchor.issued, today });
    }
    if !window.contains(anchor.issued) {
        return Err(Rejection::IssuedOutsideWindow { issued: anchor.issued, window });
    }
    Ok(*ects_max)
}

fn check_policy(policy: &Policy, anchor: &BatchAnchor) -> Result<(), Rejection> {
    let (given, least, most) = (anchor.ects, policy.ects_min, policy.ects_max_at(anchor.level));
    if given < least || given > most {
        return Err(Rejection::EctsOutsidePolicy { given, least, most });
    }
    Ok(())
}

/// The latest day that does not lie in the future: ledger time plus the policy's tolerance.
fn latest_issue_day(terms: &Terms) -> Day {
    let tolerance = u64::from(terms.policy.clock_tolerance_ms);
    Day::of(TimeMs::new(terms.time.get().saturating_add(tolerance)))
}

/// Permissions of a kind, newest first.
fn newest_first<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    kind: u8,
) -> Result<Vec<(PermissionId, PermissionRecord)>, StoreError> {
    let view = state.view();
    let numbers = view.permissions_of_kind(institution, kind)?;
    let mut found = Vec::with_capacity(numbers.len());
    for number in numbers.into_iter().rev() {
        let missing = StoreError::Corrupt { what: "permission (missing)" };
        found.push((number, view.permission(institution, number)?.ok_or(missing)?));
    }
    Ok(found)
}

/// The newest authorisation that holds on this day.
fn authorisation_in_force<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    day: Day,
) -> Result<(PermissionId, PermissionRecord), CheckError> {
    let all = newest_first(state, institution, AUTHORISATION)?;
    let Some((_, newest)) = all.first() else { return Err(Rejection::AuthorisationMissing.into()) };
    let window = newest.window;
    if let Some(found) = all.into_iter().find(|(_, record)| record.window.contains(day)) {
        return Ok(found);
    }
    Err(if day < window.first() {
        Rejection::AuthorisationNotYet { first: window.first() }.into()
    } else {
        Rejection::AuthorisationExpired { last: window.last() }.into()
    })
}

/// The newest Minister's order that holds on this day and covers level and field.
fn order_in_force<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    day: Day,
    anchor: &BatchAnchor,
) -> Result<PermissionId, CheckError> {
    let all = newest_first(state, institution, PILOT_ORDER)?;
    let Some((_, newest)) = all.first() else { return Err(Rejection::OrderMissing.into()) };
    let window = newest.window;
    let mut uncovered = None;
    for (number, record) in all.iter().filter(|(_, record)| record.window.contains(day)) {
        let PermissionScope::PilotOrder { fields, levels } = &record.scope else { continue };
        if !levels.contains(anchor.level) {
            uncovered.get_or_insert(Rejection::OrderLevelMismatch { level: anchor.level });
        } else if !fields.iter().any(|prefix| prefix.covers(anchor.field)) {
            uncovered.get_or_insert(Rejection::OrderFieldMismatch { field: anchor.field });
        } else {
            return Ok(*number);
        }
    }
    // Of several orders in force the newest explains the refusal; of none, the newest ever made.
    Err(match uncovered {
        Some(refusal) => refusal.into(),
        None if day < window.first() => Rejection::OrderNotYet { first: window.first() }.into(),
        None => Rejection::OrderExpired { last: window.last() }.into(),
    })
}
