//! The rules under which a batch may be anchored, and the facts that are judged and kept with it.

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::{BatchSequence, InstitutionId, PermissionId, TimeMs},
    params::STATUS_ENTRIES_MAX,
    record::{
        BatchChange, BatchRecord, BatchState, BatchStatus, Judged, PermissionRecord, PermissionState, Policy, Usage,
        Writer,
    },
    time::Day,
    transaction::{
        Accreditation, BatchAction, BatchAnchor, BatchStatusSet, PermissionScope, StatusAction, StatusReason,
    },
};

use super::{
    InstitutionSigner, Target, Terms,
    permission::standing,
    status::{self, newest_sound, reason_fits},
};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
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
) -> Result<Vec<Write>, CheckError> {
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
    let stands = standing(state, by.id, permission, &accreditation, day)?;
    let ects_max = check_accreditation(terms, &accreditation, stands, anchor)?;
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

/// The rules of the programme's accreditation. Returns the most credits it allows.
fn check_accreditation(
    terms: &Terms,
    accreditation: &PermissionRecord,
    stands: Option<(PermissionState, Day)>,
    anchor: &BatchAnchor,
) -> Result<sigeli_verifier::ids::EctsTenths, Rejection> {
    let permission = anchor.accreditation;
    let PermissionScope::Accreditation(scope) = &accreditation.scope else {
        return Err(Rejection::NotAnAccreditation { permission });
    };
    let Accreditation { level, fields, ects_max, credential_type, .. } = scope;
    let (day, window) = (terms.day(), accreditation.window);
    if day < window.first() {
        return Err(Rejection::AccreditationNotYet { first: window.first() });
    }
    match stands {
        Some((PermissionState::Suspended, since)) => return Err(Rejection::AccreditationSuspended { since }),
        Some((PermissionState::Withdrawn, since)) => return Err(Rejection::AccreditationWithdrawn { since }),
        Some((PermissionState::Replaced { by } | PermissionState::Restored { by }, _)) => {
            return Err(Rejection::AccreditationReplaced { by });
        }
        Some((PermissionState::Active, _)) | None => {}
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
    let (given, least, most) = (anchor.ects, policy.ects_min_at(anchor.level), policy.ects_max_at(anchor.level));
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

/// A permission of an institution, and where it stands today.
struct Standing {
    number: PermissionId,
    record: PermissionRecord,
    state: Option<(PermissionState, Day)>,
}

impl Standing {
    /// Whether it holds on the day for which its state was computed.
    fn holds(&self, day: Day) -> bool {
        self.record.window.contains(day) && matches!(self.state, Some((PermissionState::Active, _)))
    }
}

/// Permissions of a kind, newest first.
fn newest_first<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    kind: u8,
    day: Day,
) -> Result<Vec<Standing>, StoreError> {
    let view = state.view();
    let numbers = view.permissions_of_kind(institution, kind)?;
    let mut found = Vec::with_capacity(numbers.len());
    for number in numbers.into_iter().rev() {
        let missing = StoreError::Corrupt { what: "permission (missing)" };
        let record = view.permission(institution, number)?.ok_or(missing)?;
        let state = standing(state, institution, number, &record, day)?;
        found.push(Standing { number, record, state });
    }
    Ok(found)
}

/// Why no permission of a kind holds: what became of the newest one whose days these are; of none such, when the newest
/// ever granted begins or ended.
enum Absence {
    Suspended { since: Day },
    Withdrawn { since: Day },
    NotYet { first: Day },
    Expired { last: Day },
}

fn absence(all: &[Standing], newest: &Standing, day: Day) -> Absence {
    let due = all.iter().filter(|entry| entry.record.window.contains(day));
    for (state, since) in due.filter_map(|entry| entry.state) {
        match state {
            PermissionState::Suspended => return Absence::Suspended { since },
            PermissionState::Withdrawn => return Absence::Withdrawn { since },
            PermissionState::Active | PermissionState::Replaced { .. } | PermissionState::Restored { .. } => {}
        }
    }
    let window = newest.record.window;
    if day < window.first() {
        Absence::NotYet { first: window.first() }
    } else {
        Absence::Expired { last: window.last() }
    }
}

/// The newest authorisation that holds on this day.
fn authorisation_in_force<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    day: Day,
) -> Result<(PermissionId, PermissionRecord), CheckError> {
    let all = newest_first(state, institution, AUTHORISATION, day)?;
    let Some(newest) = all.first() else { return Err(Rejection::AuthorisationMissing.into()) };
    if let Some(found) = all.iter().find(|entry| entry.holds(day)) {
        return Ok((found.number, found.record.clone()));
    }
    Err(match absence(&all, newest, day) {
        Absence::Suspended { since } => Rejection::AuthorisationSuspended { since },
        Absence::Withdrawn { since } => Rejection::AuthorisationWithdrawn { since },
        Absence::NotYet { first } => Rejection::AuthorisationNotYet { first },
        Absence::Expired { last } => Rejection::AuthorisationExpired { last },
    }
    .into())
}

/// The newest Minister's order that holds on this day and covers level and field.
fn order_in_force<R: NodeReader>(
    state: &Overlay<'_, R>,
    institution: InstitutionId,
    day: Day,
    anchor: &BatchAnchor,
) -> Result<PermissionId, CheckError> {
    let all = newest_first(state, institution, PILOT_ORDER, day)?;
    let Some(newest) = all.first() else { return Err(Rejection::OrderMissing.into()) };
    let mut uncovered = None;
    for entry in all.iter().filter(|entry| entry.holds(day)) {
        let PermissionScope::PilotOrder { fields, levels } = &entry.record.scope else { continue };
        if !levels.contains(anchor.level) {
            uncovered.get_or_insert(Rejection::OrderLevelMismatch { level: anchor.level });
        } else if !fields.iter().any(|prefix| prefix.covers(anchor.field)) {
            uncovered.get_or_insert(Rejection::OrderFieldMismatch { field: anchor.field });
        } else {
            return Ok(entry.number);
        }
    }
    // Of several orders in force the newest explains the refusal.
    let refusal = uncovered.unwrap_or_else(|| match absence(&all, newest, day) {
        Absence::Suspended { since } => Rejection::OrderSuspended { since },
        Absence::Withdrawn { since } => Rejection::OrderWithdrawn { since },
        Absence::NotYet { first } => Rejection::OrderNotYet { first },
        Absence::Expired { last } => Rejection::OrderExpired { last },
    });
    Err(refusal.into())
}

/// The status of a batch as a whole, by its institution or by the quality agency.
pub(super) fn check_status<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    target: &Target,
    set: &BatchStatusSet,
) -> Result<Vec<Write>, CheckError> {
    let (action, reason) = (set.action, set.reason);
    if !batch_reason_fits(action, reason, &target.writer) {
        return Err(Rejection::BatchReasonInvalid { reason }.into());
    }
    // An institution's own changes are bound as those of credentials are: by the quota of the day and in number.
    let own = matches!(target.writer, Writer::Institution { .. });
    let usage = own.then(|| status::use_quota(state, terms, target.id, 1)).transpose()?;
    let mut record = state.view().batch(target.id, &set.root)?.ok_or(Rejection::UnknownBatch)?;
    let invalid = Rejection::BatchTransitionInvalid { action };
    let present = match record.status {
        BatchStatus::Valid => None,
        BatchStatus::Changed(change) => Some(change),
    };
    let ordered = present.is_some_and(|change| matches!(change.writer, Writer::Authority { .. }));
    let (next, reason) = match (present.map(|change| change.state), action) {
        (Some(BatchState::Suspended), BatchAction::Reinstate) if own && ordered => {
            return Err(Rejection::BatchSuspendedByOrder.into());
        }
        // An order overrides an institution's own suspension, which the institution could otherwise lift again.
        (Some(BatchState::Suspended), BatchAction::Suspend) if !own && !ordered => (BatchState::Suspended, reason),
        (Some(BatchState::Suspended), BatchAction::Reinstate) => (BatchState::Reinstated, reason),
        (Some(BatchState::Suspended | BatchState::Revoked), BatchAction::Suspend)
        | (Some(BatchState::Revoked), BatchAction::Revoke) => return Err(invalid.into()),
        (_, BatchAction::Suspend) => (BatchState::Suspended, reason),
        (_, BatchAction::Revoke) => (BatchState::Revoked, reason),
        (_, BatchAction::Reinstate) => return Err(invalid.into()),
        (_, BatchAction::Annul) => before_void(state, target, set, present)?.ok_or(invalid)?,
    };
    let written = present.map_or(0, |change| change.entries);
    if own && next != BatchState::Revoked && written >= STATUS_ENTRIES_MAX {
        return Err(Rejection::BatchHistoryFull { limit: STATUS_ENTRIES_MAX }.into());
    }
    let change = BatchChange {
        state: next,
        reason,
        height: terms.height,
        time: terms.time,
        writer: target.writer,
        entries: written.checked_add(1).ok_or(Rejection::NumbersExhausted)?,
    };
    record.status = BatchStatus::Changed(change);
    let mut writes =
        Vec::from([Write::Batch(target.id, set.root, record), Write::BatchEntry(target.id, set.root, change)]);
    writes.extend(usage.map(|usage| Write::Usage(target.id, usage)));
    Ok(writes)
}

/// State and reason before the newest changes that are void; `None` when the newest one is not.
fn before_void<R: NodeReader>(
    state: &Overlay<'_, R>,
    target: &Target,
    set: &BatchStatusSet,
    present: Option<BatchChange>,
) -> Result<Option<(BatchState, StatusReason)>, StoreError> {
    let facts = &target.institution.facts;
    let is_void = |change: &BatchChange| facts.is_void(&change.writer, change.height);
    let Some(newest) = present.filter(is_void) else { return Ok(None) };
    let missing = StoreError::Corrupt { what: "batch history (missing)" };
    let read = |entry| state.view().batch_entry(target.id, &set.root, entry)?.ok_or_else(|| missing.clone());
    let sound = newest_sound(newest.entries, read, is_void)?;
    Ok(Some(sound.map_or((BatchState::Annulled, StatusReason::Annulled), |change| (change.state, change.reason))))
}

/// As for credentials; an annulment is the quality agency's, and its reason is that and nothing else.
const fn batch_reason_fits(action: BatchAction, reason: StatusReason, writer: &Writer) -> bool {
    match action {
        BatchAction::Annul => matches!((reason, writer), (StatusReason::Annulled, Writer::Authority { .. })),
        BatchAction::Suspend => reason_fits(StatusAction::Suspend, reason),
        BatchAction::Reinstate => reason_fits(StatusAction::Reinstate, reason),
        BatchAction::Revoke => reason_fits(StatusAction::Revoke, reason),
    }
}
