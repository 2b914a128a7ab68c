//! Who may send what, and the rules for institutions, keys, programmes and governance, in the model's words.
//!
//! Each function asks its questions in the order of `docs/protocol.md` and changes the model only when all are answered.

use std::collections::{BTreeMap, BTreeSet};

use sigeli_verifier::{
    bounded::{List, Text},
    crypto::PublicKey,
    ids::{AuthorityId, DecisionRef, GovernanceSequence, Height, InstitutionId, KeyIndex, TimeMs},
    record::{
        AuthorityRecord, InstitutionEntry, InstitutionState, KeyChange, KeyEntry, Policy, ProgrammeRecord, Writer,
    },
    time::Day,
    transaction::{
        AuthorityKind, DecisionReason as Why, InstitutionKey, InstitutionRegister, KeyClear, KeyCompromise, Name,
        Payload, ProgrammeRegister, Sender, SignedTransaction,
    },
};

use super::state::{Institution, Key, Model, count, ranges};

/// A transaction, and which key has really signed at each of its places; `None` where the signature is no good.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) transaction: SignedTransaction,
    pub(super) signed_by: Vec<Option<PublicKey>>,
}

/// The refusal's name, and the height it tells: 0 unless it is `already_exists` or `already_committed`.
pub(super) type Refusal = (&'static str, u64);
pub(super) type Verdict = Result<(), Refusal>;

pub(super) const fn no<T>(name: &'static str) -> Result<T, Refusal> {
    Err((name, 0))
}

/// Refuses under a name unless the condition holds.
pub(super) const fn must(condition: bool, name: &'static str) -> Verdict {
    if condition { Ok(()) } else { no(name) }
}

/// Where and when something is judged, and by whom it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) height: u64,
    pub(super) time: u64,
    pub(super) day: Day,
    pub(super) by: By,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    Institution { id: u32, key: u16 },
    Authority { id: u8, kind: AuthorityKind },
}

impl At {
    /// Who writes about an institution: itself without a decision, or the quality agency with one.
    pub(super) fn writer(&self, institution: InstitutionId, decision: DecisionRef) -> Result<Writer, Refusal> {
        match self.by {
            By::Institution { id, key } => {
                must(institution.get() == id, "wrong_namespace")?;
                must(decision.is_none(), "decision_unexpected")?;
                Ok(Writer::Institution { key: KeyIndex::new(key) })
            }
            By::Authority { .. } => self.authority(AuthorityKind::Nceqe, decision),
        }
    }

    pub(super) fn authority(&self, wanted: AuthorityKind, decision: DecisionRef) -> Result<Writer, Refusal> {
        let By::Authority { id, kind } = self.by else { return no("wrong_sender_kind") };
        must(kind == wanted, "wrong_authority")?;
        must(!decision.is_none(), "decision_missing")?;
        Ok(Writer::Authority { authority: AuthorityId::new(id), decision })
    }

    pub(super) const fn place(&self) -> (Height, TimeMs) {
        (Height::new(self.height), TimeMs::new(self.time))
    }
}

const MINUTES_10: u64 = 10 * 60 * 1_000;
const DAYS_90: u64 = 90 * 24 * 60 * 60 * 1_000;

/// Kinds that only institutions send, that both do, and that only the authorities send jointly. All others are those of
/// one authority.
const OF_INSTITUTIONS: [u8; 3] = [8, 32, 48];
const OF_BOTH: [u8; 4] = [5, 6, 7, 33];
const JOINT: [u8; 4] = [65, 66, 67, 68];

impl Model {
    /// The verdict; when it is good, the model has changed. `block` holds what the block holds so far.
    pub(super) fn judge(&mut self, asked: &Asked, height: u64, time: u64, in_block: bool) -> Verdict {
        let (id, body) = (asked.transaction.id(), asked.transaction.body());
        let until = body.valid_until.get();
        let code = body.payload.code();
        let (ahead, may_send) = match body.sender {
            Sender::Institution { .. } => (MINUTES_10, OF_INSTITUTIONS.contains(&code) || OF_BOTH.contains(&code)),
            Sender::Authority { .. } => (DAYS_90, !OF_INSTITUTIONS.contains(&code) && !JOINT.contains(&code)),
            Sender::Authorities { .. } => (DAYS_90, JOINT.contains(&code)),
        };
        must(body.genesis == self.genesis, "wrong_ledger")?;
        must(time <= until, "expired")?;
        must(until <= time + ahead, "validity_too_long")?;
        must(may_send, "wrong_sender_kind")?;
        let one = asked.signed_by.len() == 1 || !matches!(body.sender, Sender::Institution { .. });
        must(one, "too_many_signatures")?;
        must(!in_block, "already_in_block")?;
        if let Some((height, _)) = self.included.get(&id) {
            return Err(("already_committed", *height));
        }
        self.judge_sender(asked, height, time)?;
        self.included.insert(id, (height, time));
        Ok(())
    }

    fn judge_sender(&mut self, asked: &Asked, height: u64, time: u64) -> Verdict {
        let body = asked.transaction.body();
        let day = Day::of(TimeMs::new(time));
        let at = |by| At { height, time, day, by };
        match body.sender {
            Sender::Institution { institution } => {
                let key = self.institution_signs(asked, institution.get(), day)?;
                self.judge_payload(at(By::Institution { id: institution.get(), key }), &body.payload)
            }
            Sender::Authority { authority, sequence } => {
                let id = authority.get();
                let kind = self.authority_signs(asked, id, sequence.get())?;
                self.judge_payload(at(By::Authority { id, kind }), &body.payload)?;
                self.authorities.get_mut(&id).unwrap().sequence = sequence;
                Ok(())
            }
            Sender::Authorities { sequence } => {
                let approving = self.authorities_sign(asked, sequence)?;
                self.judge_joint(height, &approving, &body.payload)?;
                self.joint.sequence = sequence;
                Ok(())
            }
        }
    }

    fn institution_signs(&self, asked: &Asked, id: u32, day: Day) -> Result<u16, Refusal> {
        let Some(institution) = self.institutions.get(&id) else { return no("unknown_sender") };
        must(!institution.is_closed(day), "institution_closed")?;
        let index = asked.transaction.signatures()[0].key.get();
        let Some(key) = institution.keys.get(usize::from(index)) else { return no("unknown_key") };
        must(key.retired.is_none(), "key_retired")?;
        must(!institution.compromised.contains_key(&index), "key_compromised")?;
        must(key.given.window.first() <= day, "key_not_yet")?;
        must(day <= key.given.window.last(), "key_expired")?;
        let needed = match asked.transaction.body().payload {
            Payload::BatchAnchor(_) => 1,
            Payload::StatusSet(_) | Payload::BatchStatusSet(_) => 2,
            _ => 4,
        };
        must(key.given.purposes.get() & needed == needed, "key_not_allowed")?;
        must(asked.signed_by[0] == Some(key.given.key), "wrong_signature")?;
        Ok(index)
    }

    fn authority_signs(&self, asked: &Asked, id: u8, sequence: u64) -> Result<AuthorityKind, Refusal> {
        let Some(authority) = self.authorities.get(&id) else { return no("unknown_sender") };
        must(!authority.keys.is_empty(), "authority_ended")?;
        must(sequence == authority.sequence.get() + 1, "sequence_mismatch")?;
        must(asked.signed_by.len() >= usize::from(authority.threshold), "too_few_signatures")?;
        must(asked.signed_by.len() <= authority.keys.len(), "too_many_signatures")?;
        for (signature, by) in asked.transaction.signatures().iter().zip(&asked.signed_by) {
            let Some(key) = authority.keys.get(usize::from(signature.key.get())) else { return no("unknown_key") };
            must(*by == Some(*key), "wrong_signature")?;
        }
        Ok(authority.kind)
    }

    fn authorities_sign(&self, asked: &Asked, sequence: GovernanceSequence) -> Result<Vec<u8>, Refusal> {
        must(sequence.get() == self.joint.sequence.get() + 1, "joint_sequence_mismatch")?;
        let mut votes = BTreeMap::<u8, u8>::new();
        for (signature, by) in asked.transaction.signatures().iter().zip(&asked.signed_by) {
            let index = signature.key.get();
            let (id, position) = (u8::try_from(index / 256).unwrap(), usize::from(index % 256));
            let keys = self.authorities.get(&id).map(|authority| &authority.keys);
            let Some(key) = keys.and_then(|keys| keys.get(position)) else { return no("unknown_key") };
            must(*by == Some(*key), "wrong_signature")?;
            *votes.entry(id).or_default() += 1;
        }
        let approves = |(id, votes): &(u8, u8)| *votes >= self.authorities[id].threshold;
        let approving: Vec<_> = votes.into_iter().filter(approves).map(|(id, _)| id).collect();
        must(approving.len() >= self.approvals_needed(), "too_few_approvals")?;
        Ok(approving)
    }

    fn judge_payload(&mut self, at: At, payload: &Payload) -> Verdict {
        match payload {
            Payload::InstitutionRegister(asked) => self.register(at, asked),
            Payload::InstitutionUpdate(asked) => {
                let writer = at.writer(asked.institution, asked.decision)?;
                let institution = self.known(asked.institution)?;
                check_facts(asked.jurisdiction, &asked.legal_id, [&asked.name_ka, &asked.name_en])?;
                let newest = institution.newest();
                let state = newest.state;
                if (newest.jurisdiction, &newest.legal_id) != (asked.jurisdiction, &asked.legal_id) {
                    self.take_legal_id(at, asked.institution, asked.jurisdiction, asked.legal_id.as_str())?;
                }
                self.known(asked.institution)?.say(at, writer, |entry| {
                    (entry.name_ka, entry.name_en) = (asked.name_ka.clone(), asked.name_en.clone());
                    (entry.jurisdiction, entry.legal_id) = (asked.jurisdiction, asked.legal_id.clone());
                    (entry.kind, entry.profile, entry.state) = (asked.kind, asked.profile, state);
                });
                Ok(())
            }
            Payload::InstitutionClose(asked) => {
                let writer = at.writer(asked.institution, asked.decision)?;
                let merges_well =
                    asked.successor != asked.institution && self.institutions.contains_key(&asked.successor.get());
                let institution = self.known(asked.institution)?;
                must(institution.newest().state == InstitutionState::Active, "institution_closed")?;
                let fits = match asked.reason {
                    Why::Merged => merges_well,
                    Why::Voluntary | Why::Closed | Why::CourtOrder => asked.successor.get() == 0,
                    _ => return no("decision_reason_invalid"),
                };
                must(fits, "successor_invalid")?;
                let (from, reason, successor) = (asked.from, asked.reason, asked.successor);
                let closed = InstitutionState::Closed { from, reason, successor };
                institution.say(at, writer, |entry| entry.state = closed);
                Ok(())
            }
            Payload::InstitutionReopen(asked) => {
                let writer = at.writer(asked.institution, asked.decision)?;
                let institution = self.known(asked.institution)?;
                must(institution.newest().state != InstitutionState::Active, "institution_not_closed")?;
                must(is_correction(asked.reason), "decision_reason_invalid")?;
                let (jurisdiction, legal_id) =
                    (institution.newest().jurisdiction, institution.newest().legal_id.clone());
                self.take_legal_id(at, asked.institution, jurisdiction, legal_id.as_str())?;
                self.known(asked.institution)?.say(at, writer, |entry| entry.state = InstitutionState::Active);
                Ok(())
            }
            Payload::KeysAdd(asked) => {
                let writer = at.writer(asked.institution, asked.decision)?;
                let quota = self.policy.changes_per_day;
                self.known(asked.institution)?.add_keys(at, writer, &asked.keys, quota)
            }
            Payload::KeyRetire(asked) => {
                let writer = at.writer(asked.institution, asked.decision)?;
                let quota = self.policy.changes_per_day;
                let institution = self.known(asked.institution)?;
                let Some(key) = institution.keys.get(usize::from(asked.key.get())) else {
                    return no("unknown_institution_key");
                };
                if let Some(height) = key.retired {
                    return Err(("already_exists", height));
                }
                institution.use_changes(at, writer, 1, quota)?;
                let key = &mut institution.keys[usize::from(asked.key.get())];
                key.retired = Some(at.height);
                key.note(at, writer, KeyChange::Retired);
                Ok(())
            }
            Payload::KeyCompromise(asked) => {
                let writer = at.writer(asked.institution, asked.decision)?;
                let quota = self.policy.changes_per_day;
                let institution = self.known(asked.institution)?;
                match writer {
                    Writer::Institution { .. } => institution.compromise_own(at, writer, asked, quota),
                    Writer::Authority { .. } => institution.compromise(at, writer, asked),
                }
            }
            Payload::KeyClear(asked) => {
                let writer = at.writer(asked.institution, asked.decision)?;
                self.known(asked.institution)?.clear(at, writer, asked)
            }
            Payload::ProgrammeRegister(asked) => self.register_programme(at, asked),
            Payload::PermissionGrant(asked) => self.grant(at, asked),
            Payload::PermissionChange(asked) => self.change(at, asked),
            Payload::PermissionReplace(asked) => self.replace(at, asked),
            Payload::PermissionAnnul(asked) => self.annul(at, asked),
            Payload::BatchAnchor(asked) => self.anchor(at, asked),
            Payload::BatchStatusSet(asked) => self.set_batch(at, asked),
            Payload::BatchAnnul(asked) => self.annul_batches(at, asked),
            Payload::StatusSet(asked) => self.set_statuses(at, &asked.entries),
            Payload::StatusOrder(asked) => self.order_statuses(at, asked.institution, asked.decision, &asked.entries),
            Payload::StatusAnnul(asked) => self.annul_statuses(at, asked),
            Payload::AuthorityKeysSet(asked) => {
                let By::Authority { id, .. } = at.by else { return no("wrong_sender_kind") };
                must(!asked.decision.is_none(), "decision_missing")?;
                self.check_authority_keys(id, &asked.keys, asked.threshold)?;
                let record = self.authorities.get_mut(&id).unwrap();
                (record.keys, record.threshold) = (asked.keys.clone(), asked.threshold);
                record.log_keys = asked.log_keys.clone();
                Ok(())
            }
            _ => no("wrong_sender_kind"),
        }
    }

    pub(super) fn known(&mut self, id: InstitutionId) -> Result<&mut Institution, Refusal> {
        self.institutions.get_mut(&id.get()).ok_or(("unknown_institution", 0))
    }

    fn register(&mut self, at: At, asked: &InstitutionRegister) -> Verdict {
        let writer = at.authority(AuthorityKind::Nceqe, asked.decision)?;
        must(asked.institution.get() != 0, "institution_number_reserved")?;
        check_facts(asked.jurisdiction, &asked.legal_id, [&asked.name_ka, &asked.name_en])?;
        check_new_keys(&asked.keys)?;
        let (height, time) = at.place();
        let first = InstitutionEntry {
            kind: asked.kind,
            jurisdiction: asked.jurisdiction,
            legal_id: asked.legal_id.clone(),
            name_ka: asked.name_ka.clone(),
            name_en: asked.name_en.clone(),
            profile: asked.profile,
            state: InstitutionState::Active,
            writer,
            height,
            time,
        };
        if let Some(known) = self.institutions.get(&asked.institution.get()) {
            let (height, time) = (known.history[0].height, known.history[0].time);
            let same_facts = known.history[0] == InstitutionEntry { height, time, ..first };
            let same_keys = asked.keys.len() <= known.keys.len()
                && asked.keys.iter().zip(&known.keys).all(|(given, known)| *given == known.given)
                && known.keys[asked.keys.len() - 1].added == known.registered;
            return if same_facts && same_keys {
                Err(("already_exists", known.registered))
            } else {
                no("number_taken")
            };
        }
        self.take_legal_id(at, asked.institution, asked.jurisdiction, asked.legal_id.as_str())?;
        let mut institution = Institution {
            registered: at.height,
            history: vec![first],
            keys: vec![],
            compromised: BTreeMap::new(),
            programmes: vec![],
            permissions: vec![],
            batches: BTreeMap::new(),
            statuses: BTreeMap::new(),
            used: None,
        };
        institution.add_keys(at, writer, &asked.keys, u32::MAX)?;
        self.institutions.insert(asked.institution.get(), institution);
        Ok(())
    }

    /// A legal id is free unless an institution that is open today has it.
    fn take_legal_id(&mut self, at: At, id: InstitutionId, jurisdiction: [u8; 3], legal_id: &str) -> Verdict {
        let has_it = |(other, known): (&u32, &Institution)| {
            let newest = known.newest();
            *other != id.get()
                && !known.is_closed(at.day)
                && (newest.jurisdiction, newest.legal_id.as_str()) == (jurisdiction, legal_id)
        };
        must(!self.institutions.iter().any(has_it), "legal_id_taken")?;
        self.legal_ids.insert((jurisdiction, legal_id.to_owned()), id.get());
        Ok(())
    }

    fn register_programme(&mut self, at: At, asked: &ProgrammeRegister) -> Verdict {
        let By::Institution { id, key } = at.by else { return no("wrong_sender_kind") };
        must(!asked.title_ka.as_str().is_empty() && !asked.title_en.as_str().is_empty(), "name_missing")?;
        let partners: Vec<_> = asked.partners.iter().map(|partner| partner.get()).collect();
        let ascending = partners.windows(2).all(|pair| pair[0] < pair[1]);
        let known = partners.iter().all(|partner| *partner != id && self.institutions.contains_key(partner));
        must(ascending && known, "partner_invalid")?;
        let quota = self.policy.changes_per_day;
        let institution = self.institutions.get_mut(&id).unwrap();
        let programmes = &institution.programmes;
        let number = usize::try_from(asked.programme.get()).unwrap();
        let same = number.checked_sub(1).and_then(|place| programmes.get(place)).filter(|known| {
            (&known.title_ka, &known.title_en, &known.partners) == (&asked.title_ka, &asked.title_en, &asked.partners)
        });
        if let Some(known) = same {
            return Err(("already_exists", known.registered.get()));
        }
        must(institution.used_changes(at, 1) <= quota, "quota_exceeded")?;
        must(number == programmes.len() + 1, "programme_number_mismatch")?;
        must(number <= 65_536, "programme_limit")?;
        institution.use_changes(at, Writer::Institution { key: KeyIndex::new(key) }, 1, quota)?;
        institution.programmes.push(ProgrammeRecord {
            title_ka: asked.title_ka.clone(),
            title_en: asked.title_en.clone(),
            partners: asked.partners.clone(),
            registered: Height::new(at.height),
            key: KeyIndex::new(key),
        });
        Ok(())
    }

    fn live(&self) -> impl Iterator<Item = (u8, &AuthorityRecord)> {
        let live = self.authorities.iter().filter(|(_, authority)| !authority.keys.is_empty());
        live.map(|(id, authority)| (*id, authority))
    }

    fn check_authority_keys(&self, id: u8, keys: &[PublicKey], threshold: u8) -> Verdict {
        let distinct: BTreeSet<_> = keys.iter().collect();
        let sound = distinct.len() == keys.len() && threshold > 0 && usize::from(threshold) <= keys.len();
        must(sound, "authority_keys_invalid")?;
        let mut others = self.live().filter(|(other, _)| *other != id);
        let taken = others.any(|(_, other)| other.keys.iter().any(|key| distinct.contains(key)));
        must(!taken, "key_of_another_authority")
    }

    /// As many as the policy says, but more than half of the authorities and at most all.
    pub(super) fn approvals_needed(&self) -> usize {
        let (all, wanted) = (self.live().count(), usize::from(self.policy.approvals_min));
        if wanted > all {
            all
        } else if wanted * 2 <= all {
            all / 2 + 1
        } else {
            wanted
        }
    }

    fn check_approvals(policy: &Policy, authorities: usize) -> Verdict {
        let needed = usize::from(policy.approvals_min);
        must(needed * 2 > authorities && needed <= authorities, "approvals_invalid")
    }

    /// Whether the ledger can do without an authority of this kind.
    fn check_needed(&self, without: u8, kind: AuthorityKind) -> Verdict {
        let needed = match kind {
            AuthorityKind::Nceqe => true,
            AuthorityKind::Ministry => self.policy.pilot_order_required,
            AuthorityKind::Emis | AuthorityKind::Operator => false,
        };
        let another = self.live().any(|(id, other)| id != without && other.kind == kind);
        must(!needed || another, "authority_needed")
    }

    fn check_both_approve(&self, approving: &[u8]) -> Verdict {
        let kinds: Vec<_> = approving.iter().map(|id| self.authorities[id].kind).collect();
        for kind in [AuthorityKind::Ministry, AuthorityKind::Nceqe] {
            let is_there = self.live().any(|(_, authority)| authority.kind == kind);
            must(kinds.contains(&kind) || !is_there, "approval_missing")?;
        }
        Ok(())
    }

    fn judge_joint(&mut self, height: u64, approving: &[u8], payload: &Payload) -> Verdict {
        let decision = match payload {
            Payload::AuthoritySet(asked) => asked.decision,
            Payload::AuthorityRemove(asked) => asked.decision,
            Payload::PolicySet(asked) => asked.decision,
            Payload::UpgradeSchedule(asked) => asked.decision,
            _ => return no("wrong_sender_kind"),
        };
        must(!decision.is_none(), "decision_missing")?;
        match payload {
            Payload::AuthoritySet(asked) => {
                let id = asked.authority.get();
                must(!asked.name_ka.as_str().is_empty() && !asked.name_en.as_str().is_empty(), "name_missing")?;
                self.check_authority_keys(id, &asked.keys, asked.threshold)?;
                let mut record = AuthorityRecord {
                    kind: asked.kind,
                    name_ka: asked.name_ka.clone(),
                    name_en: asked.name_en.clone(),
                    keys: asked.keys.clone(),
                    threshold: asked.threshold,
                    log_keys: asked.log_keys.clone(),
                    sequence: sigeli_verifier::ids::AuthoritySequence::new(0),
                };
                match self.authorities.get(&id) {
                    None => {
                        let after = self.live().count() + 1;
                        must(after <= 32, "too_many_authorities")?;
                    }
                    Some(before) => {
                        must(!before.keys.is_empty(), "authority_ended")?;
                        record.sequence = before.sequence;
                    }
                }
                let before = self.authorities.get(&id).map(|before| before.kind);
                if before != Some(asked.kind) {
                    let guarded = matches!(asked.kind, AuthorityKind::Ministry | AuthorityKind::Nceqe);
                    let there = self.live().any(|(_, authority)| authority.kind == asked.kind);
                    let approved = approving.iter().any(|id| self.authorities[id].kind == asked.kind);
                    must(!guarded || approved || !there, "approval_missing")?;
                    if let Some(before) = before {
                        self.check_needed(id, before)?;
                    }
                }
                self.authorities.insert(id, record);
            }
            Payload::AuthorityRemove(asked) => {
                let id = asked.authority.get();
                let Some(record) = self.authorities.get(&id) else { return no("unknown_authority") };
                must(!record.keys.is_empty(), "authority_ended")?;
                must(!self.with_validators.contains(&id), "authority_has_validators")?;
                self.check_needed(id, record.kind)?;
                let record = self.authorities.get_mut(&id).unwrap();
                (record.keys, record.log_keys) = (List::empty(), List::empty());
            }
            Payload::PolicySet(asked) => {
                self.check_both_approve(approving)?;
                let is_there = |kind| self.live().any(|(_, authority)| authority.kind == kind);
                let policy = asked.policy;
                let credits = policy.ects_min.iter().zip(&policy.ects_max);
                let sound = credits.into_iter().all(|(least, most)| least.get() > 0 && least <= most)
                    && (4..=20).contains(&policy.batch_height_min)
                    && policy.batches_per_day > 0
                    && policy.statuses_per_day > 0
                    && policy.changes_per_day > 0
                    && policy.approvals_min > 0;
                must(sound, "policy_invalid")?;
                Self::check_approvals(&policy, self.live().count())?;
                must(!policy.pilot_order_required || is_there(AuthorityKind::Ministry), "authority_needed")?;
                self.policy = policy;
            }
            Payload::UpgradeSchedule(asked) => {
                self.check_both_approve(approving)?;
                let joint = &mut self.joint;
                let announced = joint.upgrade_height.get();
                let in_force = if announced > 0 && announced <= height { joint.upgrade_version } else { joint.version };
                let takes_back = asked.version == in_force && announced > height && asked.height.get() == 0;
                must(asked.version == in_force + 1 || takes_back, "upgrade_version_invalid")?;
                must(takes_back || asked.height.get() >= height + 100, "upgrade_too_soon")?;
                (joint.version, joint.upgrade_version, joint.upgrade_height) = (in_force, asked.version, asked.height);
            }
            _ => unreachable!("named above"),
        }
        let live: Vec<_> = self.live().map(|(id, _)| AuthorityId::new(id)).collect();
        self.joint.authorities = List::new(live).unwrap();
        Ok(())
    }
}

/// A court, an appeal, or an error found.
pub(super) const fn is_correction(reason: Why) -> bool {
    matches!(reason, Why::CourtOrder | Why::AppealUpheld | Why::ErrorCorrected)
}

fn check_facts(jurisdiction: [u8; 3], legal_id: &Text<32>, names: [&Name; 2]) -> Verdict {
    must(jurisdiction.iter().all(u8::is_ascii_uppercase), "jurisdiction_invalid")?;
    let legal = legal_id.as_str();
    must(!legal.is_empty() && legal.bytes().all(|byte| (33..127).contains(&byte)), "legal_id_invalid")?;
    must(names.iter().all(|name| !name.as_str().is_empty()), "name_missing")
}

fn check_new_keys(keys: &[InstitutionKey]) -> Verdict {
    must(!keys.is_empty(), "keys_missing")?;
    let distinct: BTreeSet<_> = keys.iter().map(|given| given.key).collect();
    must(distinct.len() == keys.len(), "key_duplicate")
}

impl Institution {
    pub(super) fn is_closed(&self, day: Day) -> bool {
        matches!(self.newest().state, InstitutionState::Closed { from, .. } if from <= day)
    }

    /// One more history entry, which says what the one before said but for `change`.
    fn say(&mut self, at: At, writer: Writer, change: impl FnOnce(&mut InstitutionEntry)) {
        let mut entry = self.newest().clone();
        (entry.height, entry.time) = at.place();
        entry.writer = writer;
        change(&mut entry);
        self.history.push(entry);
    }

    /// Changes of its keys and programmes made today, with some more.
    fn used_changes(&self, at: At, more: u32) -> u32 {
        self.all_used_on(at.day)[2] + more
    }

    fn use_changes(&mut self, at: At, writer: Writer, count: u32, quota: u32) -> Verdict {
        if let Writer::Institution { .. } = writer {
            let [batches, statuses, _] = self.all_used_on(at.day);
            let changes = self.used_changes(at, count);
            must(changes <= quota, "quota_exceeded")?;
            self.used = Some((at.day.get(), [batches, statuses, changes]));
        }
        Ok(())
    }

    fn add_keys(&mut self, at: At, writer: Writer, keys: &[InstitutionKey], quota: u32) -> Verdict {
        check_new_keys(keys)?;
        let known: Vec<_> =
            self.keys.iter().filter(|known| keys.iter().any(|given| given.key == known.given.key)).collect();
        if known.len() == keys.len() && known.iter().all(|known| keys.contains(&known.given)) {
            return Err(("already_exists", known[0].added));
        }
        must(known.is_empty(), "key_exists")?;
        let own = matches!(writer, Writer::Institution { .. });
        must(!own || self.used_changes(at, count(keys)) <= quota, "quota_exceeded")?;
        must(self.keys.len() + keys.len() <= if own { 960 } else { 1_024 }, "key_limit")?;
        must(!own || self.usable() + keys.len() <= 64, "usable_key_limit")?;
        self.use_changes(at, writer, count(keys), quota)?;
        for given in keys {
            let mut key = Key { given: *given, added: at.height, retired: None, history: vec![] };
            key.note(at, writer, KeyChange::Added);
            self.keys.push(key);
        }
        Ok(())
    }

    /// The institution's own word retires the key.
    fn compromise_own(&mut self, at: At, writer: Writer, asked: &KeyCompromise, quota: u32) -> Verdict {
        must(asked.first == asked.last, "key_range_invalid")?;
        let index = asked.first.get();
        let Some(key) = self.keys.get(usize::from(index)) else { return no("unknown_institution_key") };
        let next = at.height + 1;
        must([0, next].contains(&asked.from.get()), "compromise_height_invalid")?;
        let listed = self.compromised.contains_key(&index);
        let said = |entry: &&KeyEntry| {
            matches!(entry.change, KeyChange::Compromised { .. })
                && (listed || matches!(entry.writer, Writer::Institution { .. }))
        };
        if let Some(entry) = key.history.iter().rev().find(said) {
            return Err(("already_exists", entry.height.get()));
        }
        self.use_changes(at, writer, 1, quota)?;
        let key = &mut self.keys[usize::from(index)];
        key.retired = key.retired.or(Some(at.height));
        key.note(at, writer, KeyChange::Compromised { from: Height::new(next) });
        Ok(())
    }

    /// A range of its keys.
    fn range(&self, first: KeyIndex, last: KeyIndex) -> Result<Vec<u16>, Refusal> {
        must(first <= last, "key_range_invalid")?;
        must(usize::from(last.get()) < self.keys.len(), "unknown_institution_key")?;
        Ok((first.get()..=last.get()).collect())
    }

    fn compromise(&mut self, at: At, writer: Writer, asked: &KeyCompromise) -> Verdict {
        let range = self.range(asked.first, asked.last)?;
        let earliest = range.iter().map(|index| self.keys[usize::from(*index)].added).min().unwrap();
        let from = if asked.from.get() == 0 { at.height } else { asked.from.get() };
        must(earliest <= from && from <= at.height, "compromise_height_invalid")?;
        let news: Vec<_> = range.iter().filter(|index| self.compromised.get(index) != Some(&from)).copied().collect();
        if news.is_empty() {
            let said = |entry: &&KeyEntry| matches!(entry.change, KeyChange::Compromised { .. });
            let history = &self.keys[usize::from(range[0])].history;
            return Err(("already_exists", history.iter().rev().find(said).unwrap().height.get()));
        }
        let mut after = self.compromised.clone();
        after.extend(range.iter().map(|index| (*index, from)));
        must(ranges(&after).len() <= 16, "compromised_list_full")?;
        self.compromised = after;
        for index in news {
            self.keys[usize::from(index)].note(at, writer, KeyChange::Compromised { from: Height::new(from) });
        }
        Ok(())
    }

    fn clear(&mut self, at: At, writer: Writer, asked: &KeyClear) -> Verdict {
        let range = self.range(asked.first, asked.last)?;
        let listed: Vec<_> = range.into_iter().filter(|index| self.compromised.contains_key(index)).collect();
        must(!listed.is_empty(), "keys_not_compromised")?;
        let mut after = self.compromised.clone();
        after.retain(|index, _| !listed.contains(index));
        must(ranges(&after).len() <= 16, "compromised_list_full")?;
        self.compromised = after;
        for index in listed {
            self.keys[usize::from(index)].note(at, writer, KeyChange::Cleared);
        }
        Ok(())
    }
}

impl Key {
    fn note(&mut self, at: At, writer: Writer, change: KeyChange) {
        let (height, time) = at.place();
        self.history.push(KeyEntry { change, writer, height, time });
    }
}
