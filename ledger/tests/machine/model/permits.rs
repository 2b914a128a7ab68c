//! The rules for permissions and batches, in the model's words.

use sigeli_verifier::{
    ids::{BatchSequence, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, TimeMs},
    record::{BatchRecord, BatchStatus, Judged, PermissionEntry, PermissionState},
    time::{Day, Window},
    transaction::{
        AuthorityKind, BatchAnchor, DecisionReason as Why, PermissionAction, PermissionAnnul, PermissionChange,
        PermissionGrant, PermissionReplace, PermissionScope,
    },
};

use super::{
    rules::{At, By, Refusal, Verdict, is_correction, must, no},
    state::{Batch, Institution, Model, Permission, count, ends},
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
    /// What counts on this day.
    pub(super) fn on(&self, day: Day) -> Option<PermissionEntry> {
        self.calendar().range(..=day.get()).next_back().map(|(_, entry)| *entry)
    }

    fn in_window(&self, day: Day) -> bool {
        let window = self.grant.window;
        window.first() <= day && day <= window.last()
    }

    /// Where it stands, if it may count on this day: within its days, and no other has taken its place.
    fn counting(&self, day: Day) -> Option<PermissionState> {
        let state = self.on(day).filter(|_| self.in_window(day))?.state;
        (!is_replaced(state)).then_some(state)
    }

    /// Whether a change may count from this day on, and what stands on it.
    fn may_change(&self, effective: Day, today: Day) -> Result<PermissionState, Refusal> {
        must(effective.get() <= self.grant.window.last().get() + 1, "effective_too_late")?;
        let from = self.on(today).map_or_else(|| self.grant.window.first(), |entry| entry.effective);
        must(effective >= from, "effective_too_early")?;
        Ok(self.on(effective).unwrap().state)
    }

    /// Adds an entry, if the history has room and not too much would be announced.
    fn push(&mut self, entry: PermissionEntry, today: Day) -> Verdict {
        must(ends(entry.state) || self.history.len() < 64, "permission_history_full")?;
        let mut after = self.clone();
        after.history.push(entry);
        let announced = after.calendar().range(today.get() + 1..).count();
        must(announced + usize::from(after.on(today).is_some()) <= 4, "too_many_announced")?;
        after.written = today;
        *self = after;
        Ok(())
    }
}

const fn is_replaced(state: PermissionState) -> bool {
    matches!(state, PermissionState::Replaced { .. } | PermissionState::Restored { .. })
}

fn programme_of(scope: &PermissionScope) -> Option<(u32, u32)> {
    let PermissionScope::Accreditation(scope) = scope else { return None };
    Some((scope.coordinator.get(), scope.programme.get()))
}

impl Institution {
    fn permission(&mut self, number: PermissionId) -> Option<&mut Permission> {
        let place = usize::try_from(number.get()).unwrap().checked_sub(1)?;
        self.permissions.get_mut(place)
    }

    /// All of a kind, newest first.
    fn newest_of(&self, kind: u8) -> Vec<(u32, &Permission)> {
        let all = (1_u32..).zip(&self.permissions).collect::<Vec<_>>().into_iter().rev();
        all.filter(|(_, permission)| permission.grant.scope.code() == kind).collect()
    }

    /// Room for one more authorisation or order.
    fn check_room(&self, asked: &PermissionGrant, predecessor: u32, day: Day) -> Verdict {
        let kind = asked.scope.code();
        if kind == 3 {
            return Ok(());
        }
        let counting = self.newest_of(kind).into_iter().filter(|(number, known)| {
            let replaced = known.on(day).is_some_and(|entry| is_replaced(entry.state));
            day <= known.grant.window.last() && !replaced && *number != predecessor
        });
        let counting: Vec<_> = counting.map(|(_, known)| known.on(day).map(|entry| entry.state)).collect();
        let lives = counting.iter().filter(|state| **state != Some(PermissionState::Withdrawn)).count();
        must(lives < 64 && counting.len() < 256, "too_many_permissions")
    }
}

/// What decides, by the newest that may count: where it stands; of none such, whether the newest ever granted is missing,
/// yet to come, or over.
fn decided(
    all: &[(u32, &Permission)],
    day: Day,
    names: [&'static str; 5],
) -> Result<(u32, PermissionState), &'static str> {
    let [_, _, missing, not_yet, expired] = names;
    if let Some(found) = all.iter().find_map(|(number, known)| Some((*number, known.counting(day)?))) {
        return Ok(found);
    }
    Err(match all.first() {
        None => missing,
        Some((_, newest)) if day < newest.grant.window.first() => not_yet,
        Some(_) => expired,
    })
}

/// A permission that decides must hold.
fn must_hold(state: PermissionState, names: [&'static str; 5]) -> Verdict {
    let [suspended, withdrawn, ..] = names;
    must(state != PermissionState::Suspended, suspended)?;
    must(state != PermissionState::Withdrawn, withdrawn)
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
    fn check_new(&self, at: At, asked: &PermissionGrant, predecessor: u32) -> Verdict {
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
                && programme_of(&known.grant.scope) == programme_of(&asked.scope)
        };
        match institution.permissions.iter().find(same) {
            Some(known) if known.grant == *asked && known.predecessor == predecessor => {
                Err(("already_exists", known.granted))
            }
            Some(_) => no("decision_used"),
            None => institution.check_room(asked, predecessor, at.day),
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
            written: at.day,
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
        self.check_new(at, asked, 0)?;
        self.add_permission(at, asked, 0, if asked.conditional { Why::Conditional } else { Why::Granted });
        Ok(())
    }

    pub(super) fn change(&mut self, at: At, asked: &PermissionChange) -> Verdict {
        let permission = self.changing(at, asked.institution, asked.permission, asked.decision)?.clone();
        let after = match asked.action {
            PermissionAction::Suspend => PermissionState::Suspended,
            PermissionAction::Reinstate => PermissionState::Active,
            PermissionAction::Withdraw => PermissionState::Withdrawn,
        };
        let written = entry(at, after, asked.effective, asked.reason, asked.decision);
        if asked.entry != count(&permission.history) + 1 {
            let place = usize::try_from(asked.entry).unwrap().checked_sub(1);
            return match place.and_then(|place| permission.history.get(place)) {
                Some(known)
                    if (known.state, known.effective, known.reason, known.decision)
                        == (after, asked.effective, asked.reason, asked.decision) =>
                {
                    Err(("already_exists", known.height.get()))
                }
                _ => no("history_moved"),
            };
        }
        let (_, reasons) = CHANGES.iter().find(|(action, _)| *action == asked.action).unwrap();
        must(reasons.contains(&asked.reason), "decision_reason_invalid")?;
        let before = permission.may_change(asked.effective, at.day)?;
        // Announced for this day, which has not come.
        let announced = asked.effective > at.day
            && permission.on(asked.effective).is_some_and(|entry| entry.effective == asked.effective);
        let taken_back = announced && asked.action == PermissionAction::Reinstate;
        let mut successor = None;
        let may = match (before, after) {
            (PermissionState::Active, PermissionState::Suspended | PermissionState::Withdrawn)
            | (PermissionState::Suspended, PermissionState::Active | PermissionState::Withdrawn) => true,
            (PermissionState::Withdrawn, _) => taken_back,
            (PermissionState::Replaced { by }, _) if taken_back => {
                successor = Some(by);
                true
            }
            _ => false,
        };
        must(may, "permission_transition_invalid")?;
        if let Some(number) = successor {
            let other = self.known(asked.institution)?.permission(number).unwrap();
            let state = other.may_change(asked.effective, at.day)?;
            must(!ends(state), "permission_transition_invalid")?;
            let back = PermissionState::Replaced { by: asked.permission };
            let mut changed = other.clone();
            changed.push(entry(at, back, asked.effective, asked.reason, asked.decision), at.day)?;
            let mut permission = permission;
            permission.push(written, at.day)?;
            let known = self.known(asked.institution)?;
            *known.permission(number).unwrap() = changed;
            *known.permission(asked.permission).unwrap() = permission;
            return Ok(());
        }
        self.known(asked.institution)?.permission(asked.permission).unwrap().push(written, at.day)
    }

    pub(super) fn replace(&mut self, at: At, asked: &PermissionReplace) -> Verdict {
        let grant = &asked.grant;
        let permission = self.changing(at, grant.institution, asked.replaced, grant.decision)?.clone();
        must(permission.grant.scope.code() == grant.scope.code(), "permission_kind_mismatch")?;
        must(programme_of(&permission.grant.scope) == programme_of(&grant.scope), "programme_mismatch")?;
        must(REPLACING.contains(&asked.reason), "decision_reason_invalid")?;
        let days = grant.window.first()..=grant.window.last();
        must(days.contains(&asked.effective), "replacement_gap")?;
        self.check_new(at, grant, asked.replaced.get())?;
        must(!ends(permission.may_change(asked.effective, at.day)?), "permission_transition_invalid")?;
        let by = self.next_number(grant.institution);
        let after = entry(at, PermissionState::Replaced { by }, asked.effective, asked.reason, grant.decision);
        self.changing(at, grant.institution, asked.replaced, grant.decision)?.push(after, at.day)?;
        self.add_permission(at, grant, asked.replaced.get(), asked.reason);
        Ok(())
    }

    pub(super) fn annul(&mut self, at: At, asked: &PermissionAnnul) -> Verdict {
        let permission = self.changing(at, asked.institution, asked.permission, asked.decision)?.clone();
        must(is_correction(asked.reason), "decision_reason_invalid")?;
        let grant = PermissionGrant { decision: asked.decision, ..permission.grant.clone() };
        self.check_new(at, &grant, asked.permission.get())?;
        let (_, last) = permission.calendar().pop_last().unwrap();
        must(last.state == PermissionState::Withdrawn, "permission_transition_invalid")?;
        let mut never = permission;
        let withdrawal = never.history.iter().rposition(|entry| *entry == last).unwrap();
        never.history.remove(withdrawal);
        let before = never.on(last.effective).unwrap();
        let by = self.next_number(asked.institution);
        let after = entry(at, PermissionState::Restored { by }, last.effective, asked.reason, asked.decision);
        self.changing(at, asked.institution, asked.permission, asked.decision)?.push(after, at.day)?;
        self.add_permission(at, &grant, asked.permission.get(), asked.reason);
        if before.state == PermissionState::Suspended {
            let suspended = entry(at, before.state, before.effective, before.reason, before.decision);
            self.known(asked.institution)?.permission(by).unwrap().push(suspended, at.day)?;
        }
        Ok(())
    }

    pub(super) fn anchor(&mut self, at: At, asked: &BatchAnchor) -> Verdict {
        let By::Institution { id, key } = at.by else { return no("wrong_sender_kind") };
        let policy = self.policy;
        must(asked.height.get() >= policy.batch_height_min, "batch_too_small")?;
        let institution = self.institutions.get_mut(&id).unwrap();
        if let Some(Batch { anchored, .. }) = institution.batches.get(asked.root.as_bytes()) {
            let same = (anchored.height, anchored.hash_algorithm, anchored.accreditation, anchored.level)
                == (asked.height, asked.hash_algorithm, asked.accreditation, asked.level)
                && (anchored.field, anchored.ects, anchored.issued, anchored.credential_type)
                    == (asked.field, asked.ects, asked.issued, asked.credential_type);
            return if same { Err(("already_exists", anchored.anchored.get())) } else { no("root_taken") };
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
        let (authorisation, state) = match decided(&authorisations, at.day, AUTHORISATION) {
            Ok(found) => found,
            Err(name) => return no(name),
        };
        must_hold(state, AUTHORISATION)?;
        let authorised = &institution.permissions[usize::try_from(authorisation).unwrap() - 1];
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
                authorisation: PermissionId::new(authorisation),
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
        institution.set_used(at.day, batches + 1, statuses);
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
    match permission.on(day).map(|entry| entry.state) {
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
        let [batches, statuses, _] = self.all_used_on(day);
        (batches, statuses)
    }

    pub(super) fn set_used(&mut self, day: Day, batches: u32, statuses: u32) {
        let [.., changes] = self.all_used_on(day);
        self.used = Some((day.get(), [batches, statuses, changes]));
    }

    /// Batches, statuses and changes of keys and programmes of this day.
    pub(super) fn all_used_on(&self, day: Day) -> [u32; 3] {
        self.used.filter(|(known, _)| *known == day.get()).map_or([0; 3], |(_, used)| used)
    }

    /// Of the orders that may count and cover both, the newest decides.
    fn order_for(&self, asked: &BatchAnchor, day: Day) -> Result<u32, Refusal> {
        let orders = self.newest_of(2);
        let misfit = |known: &Permission| match &known.grant.scope {
            PermissionScope::PilotOrder { levels, .. } if levels.get() & 1 << (asked.level.get() - 1) == 0 => {
                Some("order_level_mismatch")
            }
            PermissionScope::PilotOrder { fields, .. } if !covers(fields, asked) => Some("order_field_mismatch"),
            _ => None,
        };
        let covering: Vec<_> = orders.iter().copied().filter(|(_, known)| misfit(known).is_none()).collect();
        if let Ok((number, state)) = decided(&covering, day, ORDER) {
            must_hold(state, ORDER)?;
            return Ok(number);
        }
        let active = |(_, known): &&(u32, &Permission)| known.counting(day) == Some(PermissionState::Active);
        if let Some((_, known)) = orders.iter().find(active) {
            return no(misfit(known).unwrap());
        }
        match decided(&orders, day, ORDER) {
            Ok((_, state)) => must_hold(state, ORDER).map(|()| unreachable!("one that holds was found before")),
            Err(name) => no(name),
        }
    }
}
