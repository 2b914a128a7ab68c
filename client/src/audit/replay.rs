//! What the register holds after a list of transactions, computed from the transactions alone. Inclusion means success, so
//! nothing is judged here: each transaction of a block has the effect that `docs/protocol.md` §6 gives it.
//!
//! Memory: institutions, their permissions, and those batches of which something was written later. Batches that nothing
//! was written about are not kept.

use std::collections::BTreeMap;

use sigeli_verifier::{
    ids::{AuthorityId, BatchRoot, DecisionRef, Height, InstitutionId, KeyIndex, PermissionId, TimeMs},
    record::{
        BatchState, InstitutionState, PermissionEntry, PermissionRecord, PermissionStanding, PermissionStandings,
        PermissionState, standing_on,
    },
    time::Day,
    transaction::{
        BatchAction, BatchStatusSet, DecisionReason, InstitutionKind, InstitutionRegister, Name, Payload,
        PermissionAction, PermissionAnnul, PermissionGrant, Sender, SignedTransaction, StatusReason,
    },
};

/// A transaction that no ledger would have included: it speaks of something that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it speaks of an institution or a permission that no transaction before it made")]
pub(crate) struct Impossible;

/// An institution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Institution {
    pub(crate) kind: InstitutionKind,
    pub(crate) jurisdiction: [u8; 3],
    pub(crate) legal_id: String,
    pub(crate) name_ka: Name,
    pub(crate) name_en: Name,
    pub(crate) state: InstitutionState,
    pub(crate) registered: Height,
    pub(crate) keys: u64,
    pub(crate) programmes: u64,
    pub(crate) batches: u32,
    /// From which block on what each key signed is void.
    pub(crate) compromised: BTreeMap<KeyIndex, Height>,
    pub(crate) permissions: Vec<Permission>,
}

/// A permission, its history, and the number of batches under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) record: PermissionRecord,
    pub(crate) history: Vec<PermissionEntry>,
    pub(crate) batches: u32,
}

/// A change of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchChange {
    pub(crate) state: BatchState,
    pub(crate) reason: StatusReason,
    pub(crate) height: Height,
    /// The institution's key that wrote it; none when an authority did.
    key: Option<KeyIndex>,
}

/// What was written about a batch: the newest change, and the changes that stand over one another, annulled ones left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct BatchHistory {
    newest: Option<BatchChange>,
    standing: Vec<BatchChange>,
}

/// The numbers that a batch gets when it is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchNumbers {
    pub(crate) sequence: u32,
    pub(crate) accreditation_sequence: u32,
}

/// The register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Replay {
    institutions: BTreeMap<InstitutionId, Institution>,
    changed: BTreeMap<(InstitutionId, BatchRoot), BatchHistory>,
}

/// The block of a transaction, and who sent it.
#[derive(Debug, Clone, Copy)]
struct By {
    height: Height,
    time: TimeMs,
    authority: Option<AuthorityId>,
    key: Option<KeyIndex>,
}

impl Replay {
    pub(crate) fn institutions(&self) -> &BTreeMap<InstitutionId, Institution> {
        &self.institutions
    }

    /// The newest change of a batch, if there is any.
    pub(crate) fn batch_change(&self, institution: InstitutionId, root: &BatchRoot) -> Option<&BatchChange> {
        self.changed.get(&(institution, *root)).and_then(|history| history.newest.as_ref())
    }

    fn institution(&mut self, institution: InstitutionId) -> Result<&mut Institution, Impossible> {
        self.institutions.get_mut(&institution).ok_or(Impossible)
    }

    /// Applies a transaction. Gives the numbers of the batch when it anchored one.
    pub(crate) fn apply(
        &mut self,
        height: Height,
        time: TimeMs,
        signed: &SignedTransaction,
    ) -> Result<Option<BatchNumbers>, Impossible> {
        let body = signed.body();
        let signer = signed.signatures().first().map(|entry| entry.key);
        let (authority, sender) = match body.sender {
            Sender::Institution { institution } => (None, Some(institution)),
            Sender::Authority { authority, .. } => (Some(authority), None),
            Sender::Authorities { .. } => (None, None),
        };
        let by = By { height, time, authority, key: signer.filter(|_| sender.is_some()) };
        match &body.payload {
            Payload::InstitutionRegister(register) => self.register(by, register),
            Payload::InstitutionUpdate(update) => {
                let institution = self.institution(update.institution)?;
                institution.kind = update.kind;
                institution.jurisdiction = update.jurisdiction;
                institution.legal_id = update.legal_id.to_string();
                institution.name_ka = update.name_ka.clone();
                institution.name_en = update.name_en.clone();
            }
            Payload::InstitutionClose(close) => {
                let (from, reason, successor) = (close.from, close.reason, close.successor);
                self.institution(close.institution)?.state = InstitutionState::Closed { from, reason, successor };
            }
            Payload::InstitutionReopen(reopen) => {
                self.institution(reopen.institution)?.state = InstitutionState::Active;
            }
            Payload::KeysAdd(add) => {
                let added = u64::try_from(add.keys.len()).unwrap_or(u64::MAX);
                let institution = self.institution(add.institution)?;
                institution.keys = institution.keys.saturating_add(added);
            }
            // An institution's own declaration retires a key and voids nothing.
            Payload::KeyCompromise(_) if sender.is_some() => {}
            Payload::KeyCompromise(compromise) => {
                let from = if compromise.from == Height::new(0) { height } else { compromise.from };
                let void = &mut self.institution(compromise.institution)?.compromised;
                void.extend((compromise.first.get()..=compromise.last.get()).map(|key| (KeyIndex::new(key), from)));
            }
            Payload::KeyClear(clear) => {
                let void = &mut self.institution(clear.institution)?.compromised;
                void.retain(|key, _| *key < clear.first || *key > clear.last);
            }
            Payload::ProgrammeRegister(_) => {
                let institution = self.institution(sender.ok_or(Impossible)?)?;
                institution.programmes = institution.programmes.saturating_add(1);
            }
            Payload::PermissionGrant(grant) => {
                let reason = if grant.conditional { DecisionReason::Conditional } else { DecisionReason::Granted };
                self.grant(by, grant, PermissionId::new(0), reason)?;
            }
            Payload::PermissionChange(change) => {
                let state = match change.action {
                    PermissionAction::Suspend => PermissionState::Suspended,
                    PermissionAction::Reinstate => PermissionState::Active,
                    PermissionAction::Withdraw => PermissionState::Withdrawn,
                };
                let standing = PermissionStanding { effective: change.effective, state, reason: change.reason };
                let held = self.permission(change.institution, change.permission)?;
                // An announced replacement that is taken back: the new permission gives the place back.
                let before = held.record.standing.on(change.effective).map(|standing| standing.state);
                if let Some(PermissionState::Replaced { by: successor }) = before {
                    let back = PermissionState::Replaced { by: change.permission };
                    let back = PermissionStanding { state: back, ..standing };
                    self.change(by, (change.institution, successor), back, change.decision)?;
                }
                self.change(by, (change.institution, change.permission), standing, change.decision)?;
            }
            Payload::PermissionReplace(replace) => {
                let number = self.grant(by, &replace.grant, replace.replaced, replace.reason)?;
                let state = PermissionState::Replaced { by: number };
                let standing = PermissionStanding { effective: replace.effective, state, reason: replace.reason };
                self.change(by, (replace.grant.institution, replace.replaced), standing, replace.grant.decision)?;
            }
            Payload::PermissionAnnul(annul) => self.annul(by, annul)?,
            Payload::BatchAnchor(anchor) => {
                let institution = self.institution(sender.ok_or(Impossible)?)?;
                institution.batches = institution.batches.checked_add(1).ok_or(Impossible)?;
                let sequence = institution.batches;
                let permission = place(anchor.accreditation).and_then(|at| institution.permissions.get_mut(at));
                let permission = permission.ok_or(Impossible)?;
                permission.batches = permission.batches.checked_add(1).ok_or(Impossible)?;
                let accreditation_sequence = permission.batches;
                return Ok(Some(BatchNumbers { sequence, accreditation_sequence }));
            }
            Payload::BatchStatusSet(set) => self.batch_status(by, set),
            Payload::BatchAnnul(annul) => {
                for entry in annul.entries.iter() {
                    self.batch_annul(by, annul.institution, entry.root)?;
                }
            }
            Payload::KeyRetire(_)
            | Payload::StatusSet(_)
            | Payload::StatusOrder(_)
            | Payload::StatusAnnul(_)
            | Payload::AuthorityKeysSet(_)
            | Payload::AuthoritySet(_)
            | Payload::AuthorityRemove(_)
            | Payload::PolicySet(_)
            | Payload::UpgradeSchedule(_) => {}
        }
        Ok(None)
    }

    fn register(&mut self, by: By, register: &InstitutionRegister) {
        let institution = Institution {
            kind: register.kind,
            jurisdiction: register.jurisdiction,
            legal_id: register.legal_id.to_string(),
            name_ka: register.name_ka.clone(),
            name_en: register.name_en.clone(),
            state: InstitutionState::Active,
            registered: by.height,
            keys: u64::try_from(register.keys.len()).unwrap_or(u64::MAX),
            programmes: 0,
            batches: 0,
            compromised: BTreeMap::new(),
            permissions: Vec::new(),
        };
        self.institutions.insert(register.institution, institution);
    }

    fn permission(&mut self, institution: InstitutionId, number: PermissionId) -> Result<&mut Permission, Impossible> {
        let permissions = &mut self.institution(institution)?.permissions;
        place(number).and_then(|at| permissions.get_mut(at)).ok_or(Impossible)
    }

    fn grant(
        &mut self,
        by: By,
        grant: &PermissionGrant,
        predecessor: PermissionId,
        reason: DecisionReason,
    ) -> Result<PermissionId, Impossible> {
        let authority = by.authority.ok_or(Impossible)?;
        let record = PermissionRecord {
            authority,
            decision: grant.decision,
            window: grant.window,
            conditional: grant.conditional,
            scope: grant.scope.clone(),
            granted: by.height,
            predecessor,
            standing: PermissionStandings::granted(grant.window.first(), reason),
            entries: 1,
        };
        let first = PermissionEntry {
            state: PermissionState::Active,
            effective: grant.window.first(),
            reason,
            decision: grant.decision,
            authority,
            height: by.height,
            time: by.time,
        };
        let permissions = &mut self.institution(grant.institution)?.permissions;
        permissions.push(Permission { record, history: vec![first], batches: 0 });
        u32::try_from(permissions.len()).map(PermissionId::new).map_err(|_| Impossible)
    }

    fn change(
        &mut self,
        by: By,
        (institution, number): (InstitutionId, PermissionId),
        standing: PermissionStanding,
        decision: DecisionRef,
    ) -> Result<(), Impossible> {
        let authority = by.authority.ok_or(Impossible)?;
        let Permission { record, history, .. } = self.permission(institution, number)?;
        record.standing = record.standing.changed(standing, Day::of(by.time)).map_err(|_| Impossible)?;
        record.entries = record.entries.checked_add(1).ok_or(Impossible)?;
        let PermissionStanding { effective, state, reason } = standing;
        history.push(PermissionEntry {
            state,
            effective,
            reason,
            decision,
            authority,
            height: by.height,
            time: by.time,
        });
        Ok(())
    }

    /// A withdrawal is annulled: the new permission stands where the withdrawn one stood before.
    fn annul(&mut self, by: By, annul: &PermissionAnnul) -> Result<(), Impossible> {
        let Permission { record: withdrawn, mut history, .. } =
            self.permission(annul.institution, annul.permission)?.clone();
        let grant = PermissionGrant {
            institution: annul.institution,
            decision: annul.decision,
            window: withdrawn.window,
            conditional: withdrawn.conditional,
            scope: withdrawn.scope,
        };
        let number = self.grant(by, &grant, annul.permission, annul.reason)?;
        let effective = withdrawn.standing.newest().ok_or(Impossible)?.effective;
        let last = history.iter().rposition(|entry| entry.state == PermissionState::Withdrawn);
        history.remove(last.ok_or(Impossible)?);
        if let Some(before) =
            standing_on(&history, effective).filter(|before| before.state == PermissionState::Suspended)
        {
            let PermissionEntry { state, effective, reason, decision, .. } = *before;
            let suspended = PermissionStanding { effective, state, reason };
            self.change(by, (annul.institution, number), suspended, decision)?;
        }
        let state = PermissionState::Restored { by: number };
        let restored = PermissionStanding { effective, state, reason: annul.reason };
        self.change(by, (annul.institution, annul.permission), restored, annul.decision)
    }

    fn batch_status(&mut self, by: By, set: &BatchStatusSet) {
        let state = match set.action {
            BatchAction::Suspend => BatchState::Suspended,
            BatchAction::Reinstate => BatchState::Reinstated,
            BatchAction::Revoke => BatchState::Revoked,
        };
        let change = BatchChange { state, reason: set.reason, height: by.height, key: by.key };
        let history = self.changed.entry((set.institution, set.root)).or_default();
        history.newest = Some(change);
        history.standing.push(change);
    }

    /// The change that stands goes, and those below it that are void.
    fn batch_annul(&mut self, by: By, institution: InstitutionId, root: BatchRoot) -> Result<(), Impossible> {
        let compromised = &self.institutions.get(&institution).ok_or(Impossible)?.compromised;
        let is_void = |change: &BatchChange| {
            let from = change.key.and_then(|key| compromised.get(&key));
            from.is_some_and(|from| *from <= change.height)
        };
        let history = self.changed.get_mut(&(institution, root)).ok_or(Impossible)?;
        history.standing.pop().ok_or(Impossible)?;
        while history.standing.last().is_some_and(is_void) {
            history.standing.pop();
        }
        let restored = history.standing.last();
        let (state, reason) =
            restored.map_or((BatchState::Annulled, StatusReason::Annulled), |change| (change.state, change.reason));
        history.newest = Some(BatchChange { state, reason, height: by.height, key: by.key });
        Ok(())
    }
}

/// A permission's place in its institution's list.
fn place(number: PermissionId) -> Option<usize> {
    usize::try_from(number.get().checked_sub(1)?).ok()
}
