//! The rules for permissions and batches, in the model's words.

use sigeli_verifier::{
    ids::{BatchSequence, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, TimeMs},
    record::{BatchChange, BatchRecord, BatchState, BatchStatus, Judged, PermissionEntry, PermissionState, Writer},
    time::{Day, Window},
    transaction::{
        AuthorityKind, BatchAction, BatchAnchor, BatchStatusSet, DecisionReason as Why, PermissionAction,
        PermissionAnnul, PermissionChange, PermissionGrant, PermissionReplace, PermissionScope, StatusReason as Reason,
    },
};

use super::{
    rules::{At, By, Refusal, Verdict, is_correction, must, no},
    state::{Batch, Institution, Model, Permission, count},
};

const fn grantor(scope: &PermissionScope) -> AuthorityKind {
    if let PermissionScope::PilotOrder { .. } = scope { AuthorityKind::Ministry } else { AuthorityKind::Nceqe }
}

/// Why a permission ends or changes; the state it must be in; what it becomes.
const CHANGES: [(PermissionAction, &[Why]); 3] = [
    (PermissionAction::Suspend, &[Why::MonitoringFailed, Why::Voluntary, Why::CourtOrder]),
    (
        PermissionAction::Reinstate,
        &[Why::Granted, Why::Conditional, Why::Voluntary, Why::CourtOrder, Why::AppealUpheld, Why::ErrorCorrected],
    ),
    (
        PermissionAction::Withdraw,
        &[Why::MonitoringFailed, Why::Voluntary, Why::Closed, Why::Merged, Why::CourtOrder, Why::ErrorCorrected],
    ),
];

const REPLACING: [Why; 6] =
    [Why::Renewed, Why::ScopeChanged, Why::Conditional, Why::CourtOrder, Why::AppealUpheld, Why::ErrorCorrected];

impl Permission {
    fn state(&self) -> PermissionState {
        self.history.last().unwrap().state
    }

    /// What its newest entry that counts by this day says.
    fn on(&self, day: Day) -> Option<PermissionState> {
        self.history.iter().rfind(|entry| entry.effective <= day).map(|entry| entry.state)
    }

    fn holds(&self, day: Day) -> bool {
        self.in_window(day) && self.on(day) == Some(PermissionState::Active)
    }

    fn in_window(&self, day: Day) -> bool {
        let window = self.grant.window;
        window.first() <= day && day <= window.last()
    }
}

impl Institution {
    fn permission(&mut self, number: PermissionId) -> Option<&mut Permission> {
        let place = usize::try_from(number.get()).unwrap().checked_sub(1)?;
        self.permissions.get_mut(place)
    }

    /// The 64 newest of a kind, newest first.
    fn newest_of(&self, kind: u8) -> Vec<(u32, &Permission)> {
        let all = (1_u32..).zip(&self.permissions).collect::<Vec<_>>().into_iter().rev();
        all.filter(|(_, permission)| permission.grant.scope.code() == kind).take(64).collect()
    }
}

/// Why none of these holds: suspended, withdrawn, missing, not yet, or expired.
fn absence(all: &[(u32, &Permission)], day: Day, names: [&'static str; 5]) -> &'static str {
    let [suspended, withdrawn, missing, not_yet, expired] = names;
    for (_, permission) in all.iter().filter(|(_, permission)| permission.in_window(day)) {
        match permission.on(day) {
            Some(PermissionState::Suspended) => return suspended,
            Some(PermissionState::Withdrawn) => return withdrawn,
            _ => {}
        }
    }
    match all.first() {
        None => missing,
        Some((_, newest)) if day < newest.grant.window.first() => not_yet,
        Some(_) => expired,
    }
}

const AUTHORISATION: [&str; 5] = [
    "authorisation_suspended",
    "authorisation_withdrawn",
    "authorisation_missing",
    "authorisation_not_yet",
    "authorisation_expired",
];
const ORDER: [&str; 5] = ["order_suspended", "order_withdrawn", "order_missing", "order_not_yet", "order_expired"];

impl Model {
    fn check_scope(scope: &PermissionScope, window: Window) -> Verdict {
        match scope {
            PermissionScope::Authorisation => Ok(()),
            PermissionScope::PilotOrder { fields, .. } => must(!fields.is_empty(), "fields_missing"),
            PermissionScope::Accreditation(asked) => {
                must(!asked.title_ka.as_str().is_empty() && !asked.title_en.as_str().is_empty(), "name_missing")?;
                must(!asked.fields.is_empty(), "fields_missing")?;
                must(asked.ects_max.get() > 0, "ects_missing")?;
                must(window.first() <= asked.review && asked.review <= window.last(), "review_outside_window")
            }
        }
    }

    /// Everything about a new permission but its number.
    fn check_new(&self, at: At, asked: &PermissionGrant) -> Verdict {
        at.authority(grantor(&asked.scope), asked.decision)?;
        Self::check_scope(&asked.scope, asked.window)?;
        let Some(institution) = self.institutions.get(&asked.institution.get()) else {
            return no("unknown_institution");
        };
        must(!institution.is_closed(at.day), "institution_closed")?;
        if let PermissionScope::Accreditation(accreditation) = &asked.scope {
            let coordinator = self.institutions.get(&accreditation.coordinator.get());
            let place = usize::try_from(accreditation.programme.get()).unwrap().checked_sub(1);
            let programme = place.and_then(|place| coordinator?.programmes.get(place));
            let Some(programme) = programme else { return no("unknown_programme") };
            let awards =
                accreditation.coordinator == asked.institution || programme.partners.contains(&asked.institution);
            must(awards, "not_a_partner")?;
            let same = programme.title_ka == accreditation.title_ka && programme.title_en == accreditation.title_en;
            must(same, "title_mismatch")?;
        }
        let By::Authority { id, .. } = at.by else { return no("wrong_sender_kind") };
        let same = |known: &&Permission| {
            known.authority == id
                && known.grant.decision == asked.decision
                && known.grant.scope.code() == asked.scope.code()
        };
        match institution.permissions.iter().find(same) {
            Some(known) => Err(("already_exists", known.granted)),
            None => Ok(()),
        }
    }

    fn add_permission(&mut self, at: At, asked: &PermissionGrant, predecessor: u32, reason: Why) {
        let By::Authority { id, .. } = at.by else { return };
        let permission = Permission {
            grant: asked.clone(),
            authority: id,
            granted: at.height,
            predecessor,
            history: vec![entry(at, PermissionState::Active, asked.window.first(), reason, asked.decision)],
            batches: 0,
        };
        self.institutions.get_mut(&asked.institution.get()).unwrap().permissions.push(permission);
    }

    fn next_number(&self, institution: InstitutionId) -> PermissionId {
        PermissionId::new(count(&self.institutions[&institution.get()].permissions) + 1)
    }

    /// The permission, if the sender may change it.
    fn changing(
        &mut self,
        at: At,
        institution: InstitutionId,
        permission: PermissionId,
        decision: sigeli_verifier::ids::DecisionRef,
    ) -> Result<&mut Permission, Refusal> {
        let known = self.known(institution)?;
        let Some(permission) = known.permission(permission) else { return no("unknown_permission") };
        at.authority(grantor(&permission.grant.scope), decision)?;
        Ok(permission)
    }

    pub(super) fn grant(&mut self, at: At, asked: &PermissionGrant) -> Verdict {
        self.check_new(at, asked)?;
        self.add_permission(at, asked, 0, if asked.conditional { Why::Conditional } else { Why::Granted });
        Ok(())
    }

    pub(super) fn change(&mut self, at: At, asked: &PermissionChange) -> Verdict {
        let permission = self.changing(at, asked.institution, asked.permission, asked.decision)?;
        let (_, reasons) = CHANGES.iter().find(|(action, _)| *action == asked.action).unwrap();
        must(reasons.contains(&asked.reason), "decision_reason_invalid")?;
        let after = match (permission.state(), asked.action) {
            (PermissionState::Active, PermissionAction::Suspend) => PermissionState::Suspended,
            (PermissionState::Suspended, PermissionAction::Reinstate) => PermissionState::Active,
            (PermissionState::Active, PermissionAction::Withdraw) => PermissionState::Withdrawn,
            (PermissionState::Suspended, PermissionAction::Withdraw) => PermissionState::Withdrawn,
            _ => return no("permission_transition_invalid"),
        };
        must(asked.effective >= permission.history.last().unwrap().effective, "effective_too_early")?;
        let full = permission.history.len() >= 64 && after != PermissionState::Withdrawn;
        must(!full, "permission_history_full")?;
        permission.history.push(entry(at, after, asked.effective, asked.reason, asked.decision));
        Ok(())
    }

    pub(super) fn replace(&mut self, at: At, asked: &PermissionReplace) -> Verdict {
        let grant = &asked.grant;
        let permission = self.changing(at, grant.institution, asked.replaced, grant.decision)?;
        must(permission.grant.scope.code() == grant.scope.code(), "permission_kind_mismatch")?;
        must(REPLACING.contains(&asked.reason), "decision_reason_invalid")?;
        let (state, before) = (permission.state(), permission.history.last().unwrap().effective);
        self.check_new(at, grant)?;
        let lives = matches!(state, PermissionState::Active | PermissionState::Suspended);
        must(lives, "permission_transition_invalid")?;
        must(asked.effective >= before, "effective_too_early")?;
        let by = self.next_number(grant.institution);
        self.add_permission(at, grant, asked.replaced.get(), asked.reason);
        let after = entry(at, PermissionState::Replaced { by }, asked.effective, asked.reason, grant.decision);
        self.changing(at, grant.institution, asked.replaced, grant.decision)?.history.push(after);
        Ok(())
    }

    pub(super) fn annul(&mut self, at: At, asked: &PermissionAnnul) -> Verdict {
        let permission = self.changing(at, asked.institution, asked.permission, asked.decision)?;
        must(is_correction(asked.reason), "decision_reason_invalid")?;
        let grant = PermissionGrant { decision: asked.decision, ..permission.grant.clone() };
        let (state, effective) = (permission.state(), permission.history.last().unwrap().effective);
        self.check_new(at, &grant)?;
        must(state == PermissionState::Withdrawn, "permission_transition_invalid")?;
        let by = self.next_number(asked.institution);
        self.add_permission(at, &grant, asked.permission.get(), asked.reason);
        let after = entry(at, PermissionState::Restored { by }, effective, asked.reason, asked.decision);
        self.changing(at, asked.institution, asked.permission, asked.decision)?.history.push(after);
        Ok(())
    }

    pub(super) fn anchor(&mut self, at: At, asked: &BatchAnchor) -> Verdict {
        let By::Institution { id, key } = at.by else { return no("wrong_sender_kind") };
        let policy = self.policy;
        must(asked.height.get() >= policy.batch_height_min, "batch_too_small")?;
        let institution = self.institutions.get_mut(&id).unwrap();
        if let Some(known) = institution.batches.get(asked.root.as_bytes()) {
            return Err(("already_exists", known.anchored.anchored.get()));
        }
        let (batches, statuses) = institution.used_on(at.day);
        must(batches < policy.batches_per_day, "quota_exceeded")?;
        let Some(accreditation) = institution.permission(asked.accreditation) else {
            return no("accreditation_missing");
        };
        let latest = Day::of(TimeMs::new(at.time + u64::from(policy.clock_tolerance_ms)));
        let (window, ects_max) = check_accreditation(accreditation, asked, at.day)?;
        let level = usize::from(asked.level.get() - 1);
        let allowed = policy.ects_min[level]..=policy.ects_max[level];
        must(allowed.contains(&asked.ects), "ects_outside_policy")?;
        must(asked.issued <= latest, "issued_in_future")?;
        must(window.first() <= asked.issued && asked.issued <= window.last(), "issued_outside_window")?;
        let authorisations = institution.newest_of(1);
        let Some((authorisation, authorised)) = authorisations.iter().find(|(_, known)| known.holds(at.day)) else {
            return no(absence(&authorisations, at.day, AUTHORISATION));
        };
        let order = if policy.pilot_order_required { institution.order_for(asked, at.day)? } else { 0 };
        let record = BatchRecord {
            sequence: BatchSequence::new(u32::try_from(institution.batches.len()).unwrap() + 1),
            accreditation_sequence: BatchSequence::new(0),
            height: asked.height,
            hash_algorithm: asked.hash_algorithm,
            anchored: Height::new(at.height),
            anchored_time: TimeMs::new(at.time),
            key: KeyIndex::new(key),
            accreditation: asked.accreditation,
            level: asked.level,
            field: asked.field,
            ects: asked.ects,
            issued: asked.issued,
            credential_type: asked.credential_type,
            judged: Judged {
                accreditation_window: window,
                ects_max,
                authorisation: PermissionId::new(*authorisation),
                authorisation_window: authorised.grant.window,
                order: PermissionId::new(order),
            },
            status: BatchStatus::Valid,
        };
        let accreditation = institution.permission(asked.accreditation).unwrap();
        accreditation.batches += 1;
        let accreditation_sequence = BatchSequence::new(accreditation.batches);
        let anchored = BatchRecord { accreditation_sequence, ..record };
        institution.batches.insert(asked.root.get(), Batch { anchored, history: vec![] });
        institution.used = Some((at.day.get(), batches + 1, statuses));
        Ok(())
    }

    pub(super) fn set_batch(&mut self, at: At, asked: &BatchStatusSet) -> Verdict {
        let writer = at.writer(asked.institution, asked.decision)?;
        let quota = self.policy.statuses_per_day;
        let institution = self.known(asked.institution)?;
        must(batch_reason_fits(asked.action, asked.reason, &writer), "batch_reason_invalid")?;
        let own = matches!(writer, Writer::Institution { .. });
        let (batches, statuses) = institution.used_on(at.day);
        must(!own || statuses < quota, "quota_exceeded")?;
        let Some(batch) = institution.batches.get(asked.root.as_bytes()) else { return no("unknown_batch") };
        let newest = batch.history.last();
        let before = newest.map(|change| change.state);
        let ordered = newest.is_some_and(|change| matches!(change.writer, Writer::Authority { .. }));
        let state = match (before, asked.action) {
            (Some(BatchState::Suspended), BatchAction::Reinstate) if own && ordered => {
                return no("batch_suspended_by_order");
            }
            (Some(BatchState::Suspended), BatchAction::Suspend) if !own && !ordered => BatchState::Suspended,
            (Some(BatchState::Suspended), BatchAction::Reinstate) => BatchState::Reinstated,
            (None | Some(BatchState::Reinstated | BatchState::Annulled), BatchAction::Suspend) => BatchState::Suspended,
            (Some(BatchState::Revoked), BatchAction::Revoke) => return no("batch_transition_invalid"),
            (_, BatchAction::Revoke) => BatchState::Revoked,
            (Some(_), BatchAction::Annul) => BatchState::Annulled,
            _ => return no("batch_transition_invalid"),
        };
        // An annulment brings back the newest change that stands: its state, and its reason.
        let (state, reason) = if asked.action == BatchAction::Annul {
            let stands = |change: &&BatchChange| !institution.is_void(&change.writer, change.height);
            must(newest.is_some_and(|newest| !stands(&newest)), "batch_transition_invalid")?;
            let restored = batch.history.iter().rev().find(stands);
            restored.map_or((state, asked.reason), |change| (change.state, change.reason))
        } else {
            (state, asked.reason)
        };
        must(!own || state == BatchState::Revoked || batch.history.len() < 64, "batch_history_full")?;
        let (height, time) = at.place();
        if own {
            institution.used = Some((at.day.get(), batches, statuses + 1));
        }
        let batch = institution.batches.get_mut(asked.root.as_bytes()).unwrap();
        let entries = count(&batch.history) + 1;
        batch.history.push(BatchChange { state, reason, height, time, writer, entries });
        Ok(())
    }
}

fn entry(
    at: At,
    state: PermissionState,
    effective: Day,
    reason: Why,
    decision: sigeli_verifier::ids::DecisionRef,
) -> PermissionEntry {
    let By::Authority { id, .. } = at.by else { unreachable!("only authorities write about permissions") };
    let (height, time) = at.place();
    let authority = sigeli_verifier::ids::AuthorityId::new(id);
    PermissionEntry { state, effective, reason, decision, authority, height, time }
}

/// The accreditation's own rules; its window and its most credits.
fn check_accreditation(
    permission: &Permission,
    asked: &BatchAnchor,
    day: Day,
) -> Result<(Window, EctsTenths), Refusal> {
    let PermissionScope::Accreditation(scope) = &permission.grant.scope else { return no("not_an_accreditation") };
    let window = permission.grant.window;
    must(day >= window.first(), "accreditation_not_yet")?;
    match permission.on(day) {
        Some(PermissionState::Suspended) => return no("accreditation_suspended"),
        Some(PermissionState::Withdrawn) => return no("accreditation_withdrawn"),
        Some(PermissionState::Replaced { .. } | PermissionState::Restored { .. }) => {
            return no("accreditation_replaced");
        }
        Some(PermissionState::Active) | None => {}
    }
    must(day <= window.last(), "accreditation_lapsed")?;
    must(asked.credential_type == scope.credential_type, "credential_type_mismatch")?;
    must(asked.level == scope.level, "level_mismatch")?;
    must(covers(&scope.fields, asked), "field_not_covered")?;
    must(asked.ects <= scope.ects_max, "ects_over_accreditation")?;
    Ok((window, scope.ects_max))
}

/// Whether the digits of a prefix begin those of the field.
fn covers(prefixes: &[sigeli_verifier::transaction::FieldPrefix], asked: &BatchAnchor) -> bool {
    let field = asked.field.to_string();
    prefixes.iter().any(|prefix| field.starts_with(&prefix.to_string()))
}

impl Institution {
    /// Batches and statuses of this day.
    pub(super) fn used_on(&self, day: Day) -> (u32, u32) {
        match self.used {
            Some((known, batches, statuses)) if known == day.get() => (batches, statuses),
            _ => (0, 0),
        }
    }

    fn order_for(&self, asked: &BatchAnchor, day: Day) -> Result<u32, Refusal> {
        let orders = self.newest_of(2);
        let mut refusal = None;
        for (number, order) in orders.iter().filter(|(_, order)| order.holds(day)) {
            let PermissionScope::PilotOrder { fields, levels } = &order.grant.scope else { continue };
            if levels.get() & 1 << (asked.level.get() - 1) == 0 {
                refusal.get_or_insert("order_level_mismatch");
            } else if !covers(fields, asked) {
                refusal.get_or_insert("order_field_mismatch");
            } else {
                return Ok(*number);
            }
        }
        no(refusal.unwrap_or_else(|| absence(&orders, day, ORDER)))
    }
}

/// Which reasons fit which action on a batch, written out.
fn batch_reason_fits(action: BatchAction, reason: Reason, writer: &Writer) -> bool {
    let against = [
        Reason::Unspecified,
        Reason::IssuedInError,
        Reason::AwardWithdrawn,
        Reason::HolderRequest,
        Reason::KeyCompromised,
        Reason::Order,
        Reason::NotAccredited,
    ];
    match action {
        BatchAction::Suspend => against.contains(&reason) || reason == Reason::UnderReview,
        BatchAction::Revoke => against.contains(&reason),
        BatchAction::Reinstate => {
            [Reason::Unspecified, Reason::HolderRequest, Reason::Order, Reason::ReviewEnded].contains(&reason)
        }
        BatchAction::Annul => reason == Reason::Annulled && matches!(writer, Writer::Authority { .. }),
    }
}
