//! The payloads that are drawn.

use sigeli_verifier::{
    batch::BatchHeight,
    bounded::{List, Text},
    ids::{
        AuthorityId, BatchRoot, DecisionRef, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, ProfileHash,
        ProgrammeId, StatusHandle, TimeMs,
    },
    record::{BatchState, InstitutionState, PermissionState, StatusRecord, StatusState, Writer},
    time::{Day, Window},
    transaction::{
        Accreditation, AuthorityKind, AuthorityRemove, BatchAction, BatchAnchor, BatchAnnul, BatchAnnulEntry,
        BatchStatusSet, CredentialType, DecisionReason, Field, HashAlgorithm, InstitutionClose, InstitutionKey,
        InstitutionKind, InstitutionRegister, InstitutionReopen, InstitutionUpdate, KeyClear, KeyCompromise,
        KeyPurposes, KeyRetire, KeysAdd, Levels, Modes, Name, Payload, PermissionAction, PermissionAnnul,
        PermissionChange, PermissionGrant, PermissionReplace, PermissionScope, ProgrammeRegister, StatusAction,
        StatusAnnul, StatusAnnulEntry, StatusEntry, StatusOrder, StatusReason, StatusSet,
    },
};

use super::{
    batches::as_statuses,
    draw::{Drawer, Who},
    state::{Institution, Model, Permission, count, ends},
    statuses::{ALLOWED, pile},
};
use crate::support::{fields, level, name};

const NCEQE: Who = Who::Kind(AuthorityKind::Nceqe);
/// Numbers that institutions get.
const INSTITUTIONS: i32 = 24;
const CREDENTIALS: i32 = 50;

fn legal(code: &str) -> Text<32> {
    Text::new(code).unwrap()
}

impl Drawer {
    pub(super) fn payload(&mut self, code: u8, model: &Model, height: u64, time: u64) -> (Who, Payload) {
        let day = Day::of(TimeMs::new(time));
        match code {
            1 => (NCEQE, self.register(model, day)),
            2 => (NCEQE, self.update(model)),
            3 => (NCEQE, self.close(model, day)),
            4 => (NCEQE, self.reopen(model)),
            5 => self.keys_add(model, day),
            6 => self.key_retire(model),
            7 => self.key_compromise(model, height),
            8 => self.programme(model),
            9 => (NCEQE, self.key_clear(model)),
            16 => {
                let institution = self.institution(model);
                let grant = self.grant(model, institution, day);
                (grantor(&grant.scope), Payload::PermissionGrant(grant))
            }
            17 => self.permission_change(model, day),
            18 => self.permission_replace(model, day),
            19 => self.permission_annul(model),
            32 => self.anchor(model, day),
            33 => self.batch_status(model),
            34 => (NCEQE, self.batch_annul(model)),
            48 => {
                let institution = if self.random.one_in(2) { 1 } else { self.institution(model) };
                let entries = self.entries(model, institution);
                (Who::Institution(institution), Payload::StatusSet(StatusSet { entries }))
            }
            49 => {
                let institution = self.institution(model);
                let entries = self.entries(model, institution);
                let (institution, decision) = (InstitutionId::new(institution), self.decision());
                (NCEQE, Payload::StatusOrder(StatusOrder { institution, decision, entries }))
            }
            50 => (NCEQE, self.status_annul(model)),
            64 => (Who::AnyAuthority, self.authority_keys(model)),
            65 => (Who::Authorities, self.authority_set(model)),
            66 => {
                let known: Vec<_> =
                    model.authorities.iter().filter(|(id, record)| **id > 4 && !record.is_ended()).collect();
                let ids: Vec<_> = known.iter().map(|(id, _)| **id).collect();
                let authority = if ids.is_empty() || self.random.one_in(4) {
                    self.random.within(1, 9)
                } else {
                    i32::from(self.random.pick(&ids))
                };
                let authority = AuthorityId::new(u8::try_from(authority).unwrap());
                (Who::Authorities, Payload::AuthorityRemove(AuthorityRemove { decision: self.decision(), authority }))
            }
            67 => (Who::Authorities, self.policy_set(model)),
            68 => (Who::Authorities, self.upgrade(model, height)),
            other => unreachable!("no kind {other}"),
        }
    }

    /// A registered institution, mostly; of two drawn the one with the lower number, so that some have long histories.
    fn institution(&mut self, model: &Model) -> u32 {
        let known: Vec<_> = model.institutions.keys().copied().collect();
        if known.is_empty() || self.random.one_in(25) {
            u32::try_from(self.random.within(0, INSTITUTIONS)).unwrap()
        } else {
            self.random.pick(&known).min(self.random.pick(&known))
        }
    }

    pub(super) fn name(&mut self, text: &str) -> Name {
        if self.random.one_in(30) { name("") } else { name(text) }
    }

    fn day(&mut self, day: Day, from: i32, to: i32) -> Day {
        Day::new(day.get() + self.random.within(from, to))
    }

    fn window(&mut self, day: Day, typical: i32) -> Window {
        let (first, last) = match self.random.below(5) {
            0..=1 => (self.day(day, -20, 20), self.random.within(0, 30)),
            _ => (self.day(day, -typical, 0), typical + self.random.within(0, typical)),
        };
        Window::new(first, Day::new(first.get() + last)).unwrap()
    }

    fn new_keys(&mut self, day: Day, known: Option<&Institution>) -> List<InstitutionKey, 16> {
        let count = self.random.pick(&[0, 1, 1, 1, 2, 2, 3, 3, 4]);
        let mut keys: Vec<InstitutionKey> = vec![];
        for _ in 0..count {
            let bits = self.random.pick(&[1, 2, 4, 7, 7, 7, 7]);
            let purposes = KeyPurposes::new(bits).unwrap();
            let old = known.filter(|known| !known.keys.is_empty() && self.random.one_in(8));
            let key = match old {
                Some(known) => known.keys[self.random.below(known.keys.len())].given.key,
                None if !keys.is_empty() && self.random.one_in(20) => keys[0].key,
                None => self.new_key(),
            };
            keys.push(InstitutionKey { purposes, key, window: self.window(day, 200) });
        }
        List::new(keys).unwrap()
    }

    fn register(&mut self, model: &Model, day: Day) -> Payload {
        let missing: Vec<_> =
            (1..=INSTITUTIONS).filter(|id| !model.institutions.contains_key(&u32::try_from(*id).unwrap())).collect();
        let institution = match missing.first() {
            Some(next) if !self.random.one_in(3) => *next,
            _ if self.random.one_in(5) => 0,
            _ => self.random.within(1, INSTITUTIONS),
        };
        let legal = if self.random.one_in(8) { self.random.within(1, INSTITUTIONS) } else { institution };
        let code = if self.random.one_in(30) { String::from(" ") } else { format!("legal-{legal}") };
        Payload::InstitutionRegister(InstitutionRegister {
            institution: InstitutionId::new(u32::try_from(institution).unwrap()),
            kind: self.random.pick(InstitutionKind::ALL),
            jurisdiction: if self.random.one_in(30) { *b"Geo" } else { *b"GEO" },
            legal_id: Text::new(&code).unwrap(),
            name_ka: self.name("სასწავლებელი"),
            name_en: self.name("Institution"),
            profile: ProfileHash::new([1; 32]),
            decision: self.decision(),
            keys: self.new_keys(day, None),
        })
    }

    fn update(&mut self, model: &Model) -> Payload {
        let number = self.fresh();
        let institution = self.institution(model);
        let newest = model.institutions.get(&institution).map(Institution::newest);
        let (mut jurisdiction, mut legal_id) =
            newest.map_or_else(|| (*b"GEO", legal("legal-0")), |newest| (newest.jurisdiction, newest.legal_id.clone()));
        match self.random.below(12) {
            0..=2 => legal_id = legal(&format!("legal-{}", self.random.within(1, INSTITUTIONS))),
            3 => legal_id = legal(self.random.pick(&["", "a b", "legal-0"])),
            4 => jurisdiction = self.random.pick(&[*b"EST", *b"GEO", *b"geo"]),
            _ => {}
        }
        Payload::InstitutionUpdate(InstitutionUpdate {
            institution: InstitutionId::new(institution),
            jurisdiction,
            legal_id,
            decision: self.decision(),
            kind: self.random.pick(InstitutionKind::ALL),
            name_ka: self.name("სხვა სახელი"),
            name_en: self.name(&format!("Another name {}", number % 1_000)),
            profile: ProfileHash::new([2; 32]),
        })
    }

    fn close(&mut self, model: &Model, day: Day) -> Payload {
        use DecisionReason as R;
        let reason = self.random.pick(&[R::Merged, R::Merged, R::Voluntary, R::Closed, R::CourtOrder, R::Granted]);
        let merges = (reason == R::Merged) != self.random.one_in(10);
        let successor = if merges { self.institution(model) } else { 0 };
        Payload::InstitutionClose(InstitutionClose {
            institution: InstitutionId::new(self.institution(model)),
            decision: self.decision(),
            from: self.day(day, -2, 10),
            reason,
            successor: InstitutionId::new(successor),
        })
    }

    fn reopen(&mut self, model: &Model) -> Payload {
        use DecisionReason as R;
        let closed = model.institutions.iter().filter(|(_, known)| known.newest().state != InstitutionState::Active);
        let closed: Vec<_> = closed.map(|(id, _)| *id).collect();
        let institution = if closed.is_empty() { self.institution(model) } else { self.random.pick(&closed) };
        Payload::InstitutionReopen(InstitutionReopen {
            institution: InstitutionId::new(institution),
            decision: self.decision(),
            reason: self.random.pick(&[R::CourtOrder, R::AppealUpheld, R::ErrorCorrected, R::Voluntary]),
        })
    }

    /// By the institution itself or by the quality agency; with or without a decision as it should be, mostly.
    fn either(&mut self, institution: u32, by_agency: usize) -> (Who, InstitutionId, DecisionRef) {
        let agency = self.random.below(4) < by_agency;
        let drawn = self.decision();
        let decision = if agency || self.random.one_in(20) { drawn } else { DecisionRef::NONE };
        let about = if !agency && self.random.one_in(20) { 3 } else { institution };
        (if agency { NCEQE } else { Who::Institution(institution) }, InstitutionId::new(about), decision)
    }

    fn keys_add(&mut self, model: &Model, day: Day) -> (Who, Payload) {
        let id = self.institution(model);
        let (who, institution, decision) = self.either(id, 2);
        let keys = self.new_keys(day, model.institutions.get(&id));
        (who, Payload::KeysAdd(KeysAdd { institution, decision, keys }))
    }

    /// A key for an institution that has none left to sign with.
    pub(super) fn rescue(&mut self, institution: u32, time: u64) -> (Who, Payload) {
        let window = self.window(Day::of(TimeMs::new(time)), 200);
        let key = InstitutionKey { purposes: KeyPurposes::ALL, key: self.new_key(), window };
        let keys = List::new(vec![key]).unwrap();
        let institution = InstitutionId::new(institution);
        (NCEQE, Payload::KeysAdd(KeysAdd { institution, decision: self.decision(), keys }))
    }

    fn key_of(&mut self, model: &Model, institution: u32) -> u16 {
        let count = model.institutions.get(&institution).map_or(1, |known| known.keys.len());
        let beyond = usize::from(self.random.one_in(10));
        u16::try_from(self.random.below(count + beyond)).unwrap()
    }

    fn key_retire(&mut self, model: &Model) -> (Who, Payload) {
        let id = self.institution(model);
        let (who, institution, decision) = self.either(id, 2);
        let key = KeyIndex::new(self.key_of(model, id));
        (who, Payload::KeyRetire(KeyRetire { institution, decision, key }))
    }

    fn key_compromise(&mut self, model: &Model, height: u64) -> (Who, Payload) {
        let id = if self.random.one_in(2) { 1 } else { self.institution(model) };
        let (who, institution, decision) = self.either(id, 3);
        let known = model.institutions.get(&id);
        let compromised: Vec<_> = known.into_iter().flat_map(|known| known.compromised.keys().copied()).collect();
        // Mostly keys that were used and have been retired, so that there is something void and the others live on.
        let used: Vec<_> = known.map_or(vec![], |known| {
            let keys = (0_u16..).zip(&known.keys);
            keys.filter(|(_, key)| key.retired.is_some()).map(|(index, _)| index).collect()
        });
        let key = match self.random.below(6) {
            0..=1 if !compromised.is_empty() => self.random.pick(&compromised),
            2 | 3 if !used.is_empty() => self.random.pick(&used),
            _ => self.key_of(model, id),
        };
        let added = known.and_then(|known| known.keys.get(usize::from(key))).map_or(1, |key| key.added);
        let from = if self.placeless {
            self.random.pick(&[0, 0, 0, u64::MAX])
        } else {
            let between = added + self.random.next() % (height.saturating_sub(added) + 1);
            self.random.pick(&[0, added, added, added, between, between, height, height + 1, added - 1])
        };
        let last = match self.random.below(12) {
            0..=2 => key + u16::try_from(self.random.below(4)).unwrap(),
            3 => key.saturating_sub(1),
            _ => key,
        };
        let (first, last, from) = (KeyIndex::new(key), KeyIndex::new(last), Height::new(from));
        (who, Payload::KeyCompromise(KeyCompromise { institution, decision, first, last, from }))
    }

    fn key_clear(&mut self, model: &Model) -> Payload {
        let listing = model.institutions.iter().filter(|(_, known)| !known.compromised.is_empty());
        let listing: Vec<_> = listing.map(|(id, _)| *id).collect();
        let id = match listing.is_empty() || self.random.one_in(8) {
            true => self.institution(model),
            false => self.random.pick(&listing),
        };
        let listed: Vec<_> =
            model.institutions.get(&id).into_iter().flat_map(|known| known.compromised.keys().copied()).collect();
        let first = match listed.is_empty() || self.random.one_in(4) {
            true => self.key_of(model, id),
            false => self.random.pick(&listed),
        };
        let last = first + self.random.pick(&[0, 0, 0, 1, 3]);
        let first = if self.random.one_in(10) { first + 1 } else { first };
        let (institution, decision) = (InstitutionId::new(id), self.decision());
        Payload::KeyClear(KeyClear { institution, decision, first: KeyIndex::new(first), last: KeyIndex::new(last) })
    }

    fn programme(&mut self, model: &Model) -> (Who, Payload) {
        let id = self.institution(model);
        let next = model.institutions.get(&id).map_or(1, |known| u32::try_from(known.programmes.len()).unwrap() + 1);
        let mut partners: Vec<_> = model.institutions.keys().copied().filter(|other| *other != id).collect();
        partners.retain(|_| self.random.one_in(3));
        partners.truncate(12);
        match self.random.below(20) {
            0 => partners.push(77),
            1 => partners.push(id),
            2 => partners.reverse(),
            _ => {}
        }
        let partners = partners.into_iter().map(InstitutionId::new).collect();
        let number = self.fresh() % 5;
        let programme =
            if self.random.one_in(12) { self.random.pick(&[0, next.saturating_sub(1), next + 1]) } else { next };
        let register = ProgrammeRegister {
            programme: ProgrammeId::new(programme),
            title_ka: self.name("პროგრამა"),
            title_en: self.name(&format!("Programme {number}")),
            partners: List::new(partners).unwrap(),
        };
        (Who::Institution(id), Payload::ProgrammeRegister(register))
    }

    fn prefixes(&mut self) -> List<sigeli_verifier::transaction::FieldPrefix, 64> {
        let choices: [&[&str]; 6] = [&[], &["06"], &["061"], &["0613", "054"], &["06", "01"], &["06"]];
        let place = if self.random.one_in(15) { 0 } else { self.random.within(1, 5).try_into().unwrap() };
        fields(choices[place])
    }

    fn grant(&mut self, model: &Model, institution: u32, day: Day) -> PermissionGrant {
        // The same decision once more, with something else in it.
        let held = model.institutions.get(&institution).map_or(&[][..], |known| &known.permissions);
        if !held.is_empty() && self.random.one_in(12) {
            let grant = self.random.pick(held).grant;
            return PermissionGrant { conditional: !grant.conditional, ..grant };
        }
        let kind = self.random.pick(&[1, 2, 3, 3, 3]);
        self.grant_of(model, institution, day, kind)
    }

    fn grant_of(&mut self, model: &Model, institution: u32, day: Day, kind: u8) -> PermissionGrant {
        let window = self.window(day, 60);
        let scope = match kind {
            1 => PermissionScope::Authorisation,
            2 => {
                let levels: &[_] = if self.random.one_in(3) { &[level(5)] } else { &[level(5), level(6)] };
                PermissionScope::PilotOrder { fields: self.prefixes(), levels: Levels::of(levels).unwrap() }
            }
            _ => PermissionScope::Accreditation(self.accreditation(model, institution, window)),
        };
        let institution = InstitutionId::new(institution);
        PermissionGrant { institution, decision: self.decision(), window, conditional: self.random.one_in(4), scope }
    }

    fn accreditation(&mut self, model: &Model, institution: u32, window: Window) -> Accreditation {
        let awarded = model.institutions.iter().flat_map(|(id, known)| {
            (1_u32..).zip(&known.programmes).map(|(number, programme)| (*id, number, programme))
        });
        let all: Vec<_> = awarded.collect();
        let own: Vec<_> = all
            .iter()
            .filter(|(id, _, programme)| {
                *id == institution || programme.partners.contains(&InstitutionId::new(institution))
            })
            .copied()
            .collect();
        let from = if own.is_empty() || self.random.one_in(12) { &all } else { &own };
        let (coordinator, programme, titles) = match from.is_empty() || self.random.one_in(25) {
            true => (institution, 70, (name("პროგრამა"), name("Programme 1"))),
            false => {
                let (id, number, programme) = self.random.pick(from);
                (id, number, (programme.title_ka.clone(), programme.title_en.clone()))
            }
        };
        let title_en = if self.random.one_in(25) { self.random.pick(&[name(""), name("Another")]) } else { titles.1 };
        let review = if self.random.one_in(20) { Day::new(window.last().get() + 1) } else { window.last() };
        Accreditation {
            coordinator: InstitutionId::new(coordinator),
            programme: ProgrammeId::new(programme),
            title_ka: titles.0,
            title_en,
            agent: name(""),
            level: self.random.pick(&[level(5), level(6), level(6), level(7)]),
            fields: self.prefixes(),
            ects_max: EctsTenths::new(self.random.pick(&[0, 20, 100, 150, 150, 400])),
            credential_type: self.random.pick(&[
                CredentialType::MicroCredential,
                CredentialType::MicroCredential,
                CredentialType::Participation,
            ]),
            modes: Modes::ONLINE,
            review,
        }
    }

    /// A permission of an institution for which the condition holds, or any number.
    fn permission_where(
        &mut self,
        model: &Model,
        fits: impl Fn(&Permission) -> bool,
    ) -> (u32, u32, Option<Permission>) {
        let mut fitting = vec![];
        for (id, known) in &model.institutions {
            let numbered = (1_u32..).zip(&known.permissions);
            fitting.extend(numbered.filter(|(_, permission)| fits(permission)).map(|(number, one)| (*id, number, one)));
        }
        // The newest are picked more often: they matter most.
        if fitting.is_empty() || self.random.one_in(15) {
            return (self.institution(model), u32::try_from(self.random.within(0, 12)).unwrap(), None);
        }
        let (id, number, permission) = self.random.pick(&fitting);
        (id, number, Some(permission.clone()))
    }

    fn permission_change(&mut self, model: &Model, day: Day) -> (Who, Payload) {
        use DecisionReason as R;
        let action =
            self.random.pick(&[PermissionAction::Suspend, PermissionAction::Reinstate, PermissionAction::Withdraw]);
        let wanted =
            if action == PermissionAction::Reinstate { PermissionState::Suspended } else { PermissionState::Active };
        let kind = self.random.pick(&[0, 0, 1, 2]);
        let ahead = Day::new(day.get() + self.random.pick(&[0, 0, 0, 3, 9]));
        // What is announced is sometimes taken back.
        let back = action == PermissionAction::Reinstate && self.random.one_in(3);
        let fits = |known: &Permission| {
            let ends_later =
                known.calendar().last_key_value().is_some_and(|(from, last)| *from > day.get() && ends(last.state));
            let stands = known.on(ahead).is_some_and(|entry| entry.state == wanted);
            (if back { ends_later } else { stands }) && [0, known.grant.scope.code()].contains(&kind)
        };
        let (institution, permission, known) = self.permission_where(model, fits);
        let reasons = match action {
            PermissionAction::Suspend => [R::MonitoringFailed, R::Voluntary, R::CourtOrder, R::CourtOrder],
            PermissionAction::Reinstate => [R::Granted, R::AppealUpheld, R::ErrorCorrected, R::Voluntary],
            PermissionAction::Withdraw => [R::MonitoringFailed, R::Closed, R::Merged, R::CourtOrder],
        };
        let reason = if self.random.one_in(10) { self.random.pick(R::ALL) } else { self.random.pick(&reasons) };
        let effective = match &known {
            Some(known) if back => known.calendar().last_key_value().unwrap().1.effective,
            _ => self.effective(known.as_ref(), day),
        };
        let next = known.as_ref().map_or(2, |known| count(&known.history) + 1);
        let who = known.map_or(NCEQE, |known| grantor(&known.grant.scope));
        let change = PermissionChange {
            institution: InstitutionId::new(institution),
            permission: PermissionId::new(permission),
            decision: self.decision(),
            entry: if self.random.one_in(20) { next - 1 } else { next },
            action,
            effective,
            reason,
        };
        (who, Payload::PermissionChange(change))
    }

    /// A day from which a change may count, mostly.
    fn effective(&mut self, known: Option<&Permission>, day: Day) -> Day {
        let earliest = known
            .map_or(day, |known| known.on(day).map_or_else(|| known.grant.window.first(), |entry| entry.effective));
        let latest = known.map_or(day, |known| known.grant.window.last());
        match self.random.below(24) {
            0..=1 => Day::new(earliest.get() - 1),
            2..=3 => earliest,
            4..=9 => earliest.max(self.day(day, -3, 9)),
            10 => Day::new(latest.get() + 2),
            11 => Day::new(latest.get() + 1),
            _ => earliest.max(day),
        }
    }

    fn permission_replace(&mut self, model: &Model, day: Day) -> (Who, Payload) {
        use DecisionReason as R;
        let lives = |known: &Permission| known.calendar().values().any(|entry| !ends(entry.state));
        let (institution, replaced, known) = self.permission_where(model, lives);
        let kind = known.as_ref().map_or(1, |known| known.grant.scope.code());
        let kind = if self.random.one_in(12) { self.random.pick(&[1, 2, 3]) } else { kind };
        let mut grant = self.grant_of(model, institution, day, kind);
        if let (PermissionScope::Accreditation(new), Some(PermissionScope::Accreditation(old))) =
            (&mut grant.scope, known.as_ref().map(|known| &known.grant.scope))
            && !self.random.one_in(8)
        {
            (new.coordinator, new.programme) = (old.coordinator, old.programme);
            (new.title_ka, new.title_en) = (old.title_ka.clone(), old.title_en.clone());
        }
        let effective = self.effective(known.as_ref(), day);
        let reason =
            self.random.pick(&[R::Renewed, R::ScopeChanged, R::Conditional, R::ErrorCorrected, R::Renewed, R::Closed]);
        let replaced = PermissionId::new(replaced);
        (grantor(&grant.scope), Payload::PermissionReplace(PermissionReplace { replaced, effective, reason, grant }))
    }

    fn permission_annul(&mut self, model: &Model) -> (Who, Payload) {
        use DecisionReason as R;
        let withdrawn = |known: &Permission| {
            known.calendar().last_key_value().is_some_and(|(_, last)| last.state == PermissionState::Withdrawn)
        };
        let (institution, permission, known) = if self.random.one_in(8) {
            self.permission_where(model, |_| true)
        } else {
            self.permission_where(model, withdrawn)
        };
        let annul = PermissionAnnul {
            institution: InstitutionId::new(institution),
            permission: PermissionId::new(permission),
            decision: self.decision(),
            reason: self.random.pick(&[R::CourtOrder, R::AppealUpheld, R::ErrorCorrected, R::Voluntary]),
        };
        (known.map_or(NCEQE, |known| grantor(&known.grant.scope)), Payload::PermissionAnnul(annul))
    }

    fn anchor(&mut self, model: &Model, day: Day) -> (Who, Payload) {
        let lives = |known: &Permission| known.grant.scope.code() == 3 && is_active(known, day);
        let accredited = model.institutions.iter().filter(|(_, known)| known.permissions.iter().any(lives));
        let accredited: Vec<_> = accredited.map(|(id, _)| *id).collect();
        let id = if accredited.is_empty() || self.random.one_in(8) {
            self.institution(model)
        } else {
            self.random.pick(&accredited)
        };
        let known = model.institutions.get(&id);
        let scopes =
            known.into_iter().flat_map(|known| (1_u32..).zip(&known.permissions)).filter_map(|(number, known)| {
                match &known.grant.scope {
                    PermissionScope::Accreditation(scope) => Some((number, scope.clone(), known.clone())),
                    _ => None,
                }
            });
        let all: Vec<_> = scopes.collect();
        let lives: Vec<_> = all.iter().filter(|(_, _, known)| is_active(known, day)).cloned().collect();
        let from = if lives.is_empty() || self.random.one_in(6) { all } else { lives };
        let chosen = (!from.is_empty()).then(|| self.random.pick(&from));
        let fitting = chosen.as_ref().filter(|_| !self.random.one_in(8));
        let accreditation = match &chosen {
            Some((number, ..)) if !self.random.one_in(15) => *number,
            _ => u32::try_from(self.random.within(0, 12)).unwrap(),
        };
        let old: Vec<_> = known.into_iter().flat_map(|known| known.batches.keys().copied()).collect();
        let root = if !old.is_empty() && self.random.one_in(15) {
            self.random.pick(&old)
        } else {
            let mut root = [0xba; 32];
            root[..8].copy_from_slice(&self.fresh().to_le_bytes());
            root
        };
        let (earliest, latest) = self.random.pick(&[(-2, 0), (-2, 0), (-2, 0), (-2, 0), (-70, 0), (0, 2)]);
        let issued = self.day(day, earliest, latest);
        let drawn = (self.random.pick(&[level(5), level(6), level(8)]), self.random.pick(&[5, 30, 160, 500]));
        let (level, ects) = fitting.map_or(drawn, |(_, scope, _)| (scope.level, scope.ects_max.get().min(100)));
        let anchor = BatchAnchor {
            root: BatchRoot::new(root),
            height: BatchHeight::new(self.random.pick(&[4, 5, 6, 6, 6, 7, 8, 9, 10, 20])).unwrap(),
            hash_algorithm: HashAlgorithm::Blake3,
            accreditation: PermissionId::new(accreditation),
            level,
            field: Field::new(self.random.pick(&[613, 613, 613, 611, 541, 111])).unwrap(),
            ects: EctsTenths::new(ects),
            issued,
            credential_type: fitting.map_or(CredentialType::MicroCredential, |(_, scope, _)| scope.credential_type),
        };
        (Who::Institution(id), Payload::BatchAnchor(anchor))
    }

    fn batch_status(&mut self, model: &Model) -> (Who, Payload) {
        let mut batches = vec![];
        for (id, known) in &model.institutions {
            for (root, batch) in &known.batches {
                let newest = batch.history.last();
                let entries = newest.map_or(0, |change| change.entries);
                batches.push((*id, *root, newest.map(|change| change.state), entries));
            }
        }
        let (id, root, state, entries) = if batches.is_empty() || self.random.one_in(25) {
            (self.institution(model), [1; 32], None, 0)
        } else {
            self.random.pick(&batches)
        };
        let action = match state {
            Some(BatchState::Suspended) => self.random.pick(&[
                BatchAction::Reinstate,
                BatchAction::Reinstate,
                BatchAction::Revoke,
                BatchAction::Suspend,
            ]),
            _ => self.random.pick(&[
                BatchAction::Suspend,
                BatchAction::Suspend,
                BatchAction::Suspend,
                BatchAction::Revoke,
                BatchAction::Reinstate,
            ]),
        };
        let (who, institution, decision) = self.either(id, 1);
        let reason = match action {
            _ if self.random.one_in(12) => self.random.pick(StatusReason::ALL),
            BatchAction::Reinstate => StatusReason::ReviewEnded,
            BatchAction::Suspend => StatusReason::UnderReview,
            BatchAction::Revoke => StatusReason::IssuedInError,
        };
        let (root, entry) = (BatchRoot::new(root), self.number(entries));
        (who, Payload::BatchStatusSet(BatchStatusSet { institution, decision, root, entry, action, reason }))
    }

    /// The number of the next entry after so many, mostly.
    fn number(&mut self, entries: u32) -> u32 {
        match self.random.below(30) {
            0 | 1 => entries,
            2 => entries + 2,
            3 => self.random.pick(&[0, 1, u32::MAX]),
            _ => entries + 1,
        }
    }

    /// Batches, or credentials, of one institution of which something may be annulled, mostly; with their entries.
    fn annullable(&mut self, model: &Model, of_batches: bool) -> (u32, Vec<([u8; 32], u32)>) {
        let mut candidates = vec![];
        for (id, known) in &model.institutions {
            let batches = known.batches.iter().map(|(root, batch)| (root, as_statuses(&batch.history)));
            let credentials = known.statuses.iter().map(|(handle, history)| (handle, history.clone()));
            let all: Vec<_> = if of_batches { batches.collect() } else { credentials.collect() };
            for (name, history) in all {
                let top = pile(&history).last().map(|number| history[number - 1]);
                let annullable = top.is_some_and(|top| {
                    let own = matches!(top.writer, Writer::Institution { .. });
                    !own || known.is_void(&top.writer, top.height)
                });
                if annullable || (!history.is_empty() && self.random.one_in(40)) {
                    candidates.push((*id, *name, u32::try_from(history.len()).unwrap()));
                }
            }
        }
        let id = if candidates.is_empty() { self.institution(model) } else { self.random.pick(&candidates).0 };
        let own = candidates.into_iter().filter(|(other, ..)| *other == id);
        let mut named: Vec<_> = own.map(|(_, name, entries)| (name, entries)).collect();
        if named.len() > 3 {
            let start = self.random.below(named.len() - 2);
            named.drain(..start);
        }
        named.truncate(1 + self.random.below(3));
        if named.is_empty() && !self.random.one_in(5) {
            named.push((self.handle().get(), 0));
        }
        if self.random.one_in(12) {
            named.extend_from_within(..1.min(named.len()));
        }
        (id, named)
    }

    fn batch_annul(&mut self, model: &Model) -> Payload {
        let (id, named) = self.annullable(model, true);
        let entries = named.into_iter().map(|(root, entries)| {
            let (root, entry) = (BatchRoot::new(root), self.number(entries));
            BatchAnnulEntry { root, entry }
        });
        let entries = List::new(entries.collect()).unwrap();
        Payload::BatchAnnul(BatchAnnul { institution: InstitutionId::new(id), decision: self.decision(), entries })
    }

    fn handle(&mut self) -> StatusHandle {
        StatusHandle::new([u8::try_from(self.random.within(1, CREDENTIALS)).unwrap(); 32])
    }

    fn entries(&mut self, model: &Model, institution: u32) -> List<StatusEntry, 1024> {
        use StatusAction::{Reinstate, Revoke, Supersede, Suspend};
        let count = self.random.pick(&[0, 1, 1, 1, 1, 1, 2, 2, 3, 5]);
        let mut entries = vec![];
        let mut before = std::collections::BTreeMap::<StatusHandle, (StatusState, u32)>::new();
        for _ in 0..count {
            // One credential goes up and down for ever.
            let for_ever = self.random.one_in(if institution == 1 { 2 } else { 5 });
            let handle = if for_ever { StatusHandle::new([0xfe; 32]) } else { self.handle() };
            let history = model.institutions.get(&institution).and_then(|known| known.statuses.get(handle.as_bytes()));
            let newest = history.and_then(|history| history.last());
            // Sometimes what was written last is asked for anew.
            if let Some(newest) = newest.filter(|_| self.random.one_in(25)) {
                entries.push(again(handle, newest));
                continue;
            }
            let known = newest.map(|record| (record.state, record.entries));
            let known = before.get(&handle).copied().or(known);
            let action = match known.map(|(state, _)| state) {
                Some(StatusState::Suspended) => self.random.pick(&[Reinstate, Reinstate, Reinstate, Revoke]),
                Some(StatusState::Revoked) => self.random.pick(&[Revoke, Suspend, Supersede]),
                _ => self.random.pick(&[Suspend, Suspend, Suspend, Supersede, Revoke, Reinstate]),
            };
            let action = match action {
                Revoke | Supersede if handle.as_bytes()[0] == 0xfe => Suspend,
                other => other,
            };
            let after = if action == Suspend { StatusState::Suspended } else { StatusState::Reinstated };
            let written = known.map_or(0, |(_, written)| written);
            before.insert(handle, (after, written + 1));
            let entry = self.number(written);
            let fitting: Vec<_> = ALLOWED.iter().filter(|entry| entry.0 == action).collect();
            let reason =
                if self.random.one_in(25) { self.random.pick(StatusReason::ALL) } else { self.random.pick(&fitting).1 };
            let successor = if action == Supersede && !self.random.one_in(8) { [9; 32] } else { [0; 32] };
            entries.push(StatusEntry { handle, entry, action, reason, successor });
        }
        List::new(entries).unwrap()
    }

    fn status_annul(&mut self, model: &Model) -> Payload {
        let (id, named) = self.annullable(model, false);
        let entries = named.into_iter().map(|(handle, entries)| {
            let (handle, entry) = (StatusHandle::new(handle), self.number(entries));
            StatusAnnulEntry { handle, entry }
        });
        let entries = List::new(entries.collect()).unwrap();
        Payload::StatusAnnul(StatusAnnul { institution: InstitutionId::new(id), decision: self.decision(), entries })
    }
}

fn is_active(known: &Permission, day: Day) -> bool {
    let active = known.on(day).is_some_and(|entry| entry.state == PermissionState::Active);
    active && known.grant.window.contains(day)
}

/// What would write this entry.
const fn again(handle: StatusHandle, record: &StatusRecord) -> StatusEntry {
    let (action, successor) = match record.state {
        StatusState::Suspended => (StatusAction::Suspend, [0; 32]),
        StatusState::Revoked => (StatusAction::Revoke, [0; 32]),
        StatusState::Superseded { successor } => (StatusAction::Supersede, successor),
        StatusState::Reinstated | StatusState::Annulled => (StatusAction::Reinstate, [0; 32]),
    };
    StatusEntry { handle, entry: record.entries, action, reason: record.reason, successor }
}

const fn grantor(scope: &PermissionScope) -> Who {
    match scope {
        PermissionScope::PilotOrder { .. } => Who::Kind(AuthorityKind::Ministry),
        _ => NCEQE,
    }
}
