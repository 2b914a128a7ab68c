//! Whether a transaction may be included now, and what it would do: cheapest questions first.
//!
//! 1. Without state: ledger, validity in time, sender kind, number of signatures.
//! 2. Replay: an included transaction that has not expired is refused.
//! 3. The sender: registered, sequence number, keys, their purposes, the signatures.
//! 4. The rules of the payload. They come after the signatures, so that a stranger's bytes cost few reads.
//!
//! Everything is judged at ledger time: the block's, and the day it falls on in Tbilisi.
//!
//! **Exactly once.** An institution's transaction is valid for at most 10 minutes, so the rule "the memory at block time T
//! is exactly the ids in blocks with time ≥ T − 10 min" and the rule "an unexpired id that was ever included is refused"
//! have the same verdict: if the id was included at time U, then `valid_until ≤ U + 10 min`; once `U < T − 10 min`, the
//! transaction has expired at T. The index of all ids therefore serves, and pruning it by that window changes nothing.
//! An authority's transactions are bound by their sequence numbers; for them the index only tells a retry where the first
//! one went, and a pruned index answers `sequence_mismatch` instead.

mod authority;
mod batch;
mod batch_status;
mod compromise;
mod governance;
mod history;
mod institution;
mod keys;
mod permission;
mod quota;
mod sender;
mod signatures;
mod standing;
mod status;

use alloc::vec::Vec;

use sigeli_verifier::{
    ids::{AuthorityId, DecisionRef, GenesisHash, Height, InstitutionId, KeyIndex, TimeMs},
    params::{AUTHORITY_VALIDITY_MS_MAX, INSTITUTION_VALIDITY_MS_MAX},
    record::{AuthorityRecord, Policy, Writer},
    time::Day,
    transaction::{AuthorityKind, Payload, Sender, SignedTransaction},
};

pub use self::{sender::Signer, signatures::SignatureMemory};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Institution, Overlay, Write},
    tree::NodeReader,
};

/// Under what a transaction is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The ledger.
    pub genesis: GenesisHash,
    /// The height of the block that would hold it.
    pub height: Height,
    /// That block's time.
    pub time: TimeMs,
    /// The policy in force.
    pub policy: Policy,
}

impl Terms {
    /// The day in Tbilisi.
    #[must_use]
    pub fn day(&self) -> Day {
        Day::of(self.time)
    }
}

/// Step 1: what can be told without state. The size needs no question: a larger [`SignedTransaction`] cannot exist.
///
/// # Errors
/// [`Rejection`].
pub fn check_stateless(transaction: &SignedTransaction, genesis: &GenesisHash, time: TimeMs) -> Result<(), Rejection> {
    let body = transaction.body();
    if body.genesis != *genesis {
        return Err(Rejection::WrongLedger);
    }
    let valid_until = body.valid_until;
    if valid_until < time {
        return Err(Rejection::Expired { valid_until, time });
    }
    let ahead = match body.sender {
        Sender::Institution { .. } => INSTITUTION_VALIDITY_MS_MAX,
        Sender::Authority { .. } | Sender::Authorities { .. } => AUTHORITY_VALIDITY_MS_MAX,
    };
    let latest = TimeMs::new(time.get().saturating_add(ahead));
    if valid_until > latest {
        return Err(Rejection::ValidityTooLong { valid_until, latest });
    }
    if !may_send(&body.sender, &body.payload) {
        return Err(Rejection::WrongSenderKind);
    }
    let count = transaction.signatures().len();
    if matches!(body.sender, Sender::Institution { .. }) && count > 1 {
        return Err(Rejection::TooManySignatures { count, limit: 1 });
    }
    Ok(())
}

/// Which kind of sender sends which kind of transaction.
const fn may_send(sender: &Sender, payload: &Payload) -> bool {
    match payload {
        Payload::BatchAnchor(_) | Payload::StatusSet(_) | Payload::ProgrammeRegister(_) => {
            matches!(sender, Sender::Institution { .. })
        }
        Payload::KeysAdd(_) | Payload::KeyRetire(_) | Payload::KeyCompromise(_) | Payload::BatchStatusSet(_) => {
            !matches!(sender, Sender::Authorities { .. })
        }
        Payload::InstitutionRegister(_)
        | Payload::InstitutionUpdate(_)
        | Payload::InstitutionClose(_)
        | Payload::InstitutionReopen(_)
        | Payload::KeyClear(_)
        | Payload::PermissionGrant(_)
        | Payload::PermissionChange(_)
        | Payload::PermissionReplace(_)
        | Payload::PermissionAnnul(_)
        | Payload::BatchAnnul(_)
        | Payload::StatusOrder(_)
        | Payload::StatusAnnul(_)
        | Payload::AuthorityKeysSet(_) => matches!(sender, Sender::Authority { .. }),
        Payload::AuthoritySet(_)
        | Payload::AuthorityRemove(_)
        | Payload::PolicySet(_)
        | Payload::UpgradeSchedule(_) => {
            matches!(sender, Sender::Authorities { .. })
        }
    }
}

/// Steps 3 and 4: the sender and the rules of the payload. Returns what the transaction does.
///
/// # Errors
/// [`CheckError`].
pub(crate) fn check_stateful<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    transaction: &SignedTransaction,
    signatures: &mut SignatureMemory,
) -> Result<Vec<Write>, CheckError> {
    let payload = &transaction.body().payload;
    match sender::check_sender(state, terms, transaction, signatures)? {
        Signer::Institution { id, institution, key } => {
            by_institution(state, terms, &InstitutionSigner { id, institution: &institution, key }, payload)
        }
        Signer::Authority { id, record } => {
            let by = AuthoritySigner { id, record: &record };
            let mut writes = by_authority(state, terms, &by, payload)?;
            // The sequence number is used up. A change of the authority's own keys carries it already.
            if !matches!(payload, Payload::AuthorityKeysSet(_)) {
                writes.push(Write::Authority(id, record));
            }
            Ok(writes)
        }
        Signer::Authorities { record, approvals } => {
            let by = governance::JointSigner { record, approvals: &approvals };
            governance::check(state, terms, by, payload)
        }
    }
}

fn by_institution<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &InstitutionSigner<'_>,
    payload: &Payload,
) -> Result<Vec<Write>, CheckError> {
    match payload {
        Payload::BatchAnchor(anchor) => batch::check_anchor(state, terms, by, anchor),
        Payload::StatusSet(set) => status::check_set(state, terms, by, set),
        Payload::ProgrammeRegister(register) => institution::check_programme(state, terms, by, register),
        Payload::KeysAdd(add) => {
            let target = by.target(add.institution, &add.decision)?;
            keys::check_add(state, terms, target, add)
        }
        Payload::KeyRetire(retire) => {
            let target = by.target(retire.institution, &retire.decision)?;
            keys::check_retire(state, terms, target, retire)
        }
        Payload::KeyCompromise(compromise) => {
            let target = by.target(compromise.institution, &compromise.decision)?;
            compromise::check_compromise(state, terms, target, compromise)
        }
        Payload::BatchStatusSet(set) => {
            let target = by.target(set.institution, &set.decision)?;
            batch_status::check_status(state, terms, &target, set)
        }
        _ => Err(Rejection::WrongSenderKind.into()),
    }
}

fn by_authority<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    payload: &Payload,
) -> Result<Vec<Write>, CheckError> {
    match payload {
        Payload::InstitutionRegister(register) => institution::check_register(state, terms, by, register),
        Payload::InstitutionUpdate(update) => institution::check_update(state, terms, by, update),
        Payload::InstitutionClose(close) => institution::check_close(state, terms, by, close),
        Payload::InstitutionReopen(reopen) => institution::check_reopen(state, terms, by, reopen),
        Payload::KeysAdd(add) => keys::check_add(state, terms, by.target(state, add.institution, &add.decision)?, add),
        Payload::KeyRetire(retire) => {
            keys::check_retire(state, terms, by.target(state, retire.institution, &retire.decision)?, retire)
        }
        Payload::KeyCompromise(compromise) => {
            let target = by.target(state, compromise.institution, &compromise.decision)?;
            compromise::check_compromise(state, terms, target, compromise)
        }
        Payload::KeyClear(clear) => {
            compromise::check_clear(state, terms, by.target(state, clear.institution, &clear.decision)?, clear)
        }
        Payload::PermissionGrant(grant) => permission::check_grant(state, terms, by, grant),
        Payload::PermissionChange(change) => permission::check_change(state, terms, by, change),
        Payload::PermissionReplace(replace) => permission::check_replace(state, terms, by, replace),
        Payload::PermissionAnnul(annul) => permission::check_annul(state, terms, by, annul),
        Payload::BatchStatusSet(set) => {
            batch_status::check_status(state, terms, &by.target(state, set.institution, &set.decision)?, set)
        }
        Payload::BatchAnnul(annul) => {
            batch_status::check_annul(state, terms, &by.target(state, annul.institution, &annul.decision)?, annul)
        }
        Payload::StatusOrder(order) => {
            status::check_order(state, terms, &by.target(state, order.institution, &order.decision)?, order)
        }
        Payload::StatusAnnul(annul) => {
            status::check_annul(state, terms, &by.target(state, annul.institution, &annul.decision)?, annul)
        }
        Payload::AuthorityKeysSet(set) => authority::check_own_keys(state, by, set),
        _ => Err(Rejection::WrongSenderKind.into()),
    }
}

/// An institution whose signature was checked.
struct InstitutionSigner<'a> {
    id: InstitutionId,
    institution: &'a Institution,
    key: KeyIndex,
}

/// An authority whose signatures were checked.
struct AuthoritySigner<'a> {
    id: AuthorityId,
    record: &'a AuthorityRecord,
}

/// An institution that something is written about, by whom it may be.
struct Target {
    id: InstitutionId,
    institution: Institution,
    writer: Writer,
}

impl InstitutionSigner<'_> {
    const fn writer(&self) -> Writer {
        Writer::Institution { key: self.key }
    }

    /// The sender itself, and no other: an institution writes in its own namespace, on its own decision.
    fn target(&self, institution: InstitutionId, decision: &DecisionRef) -> Result<Target, Rejection> {
        if institution != self.id {
            return Err(Rejection::WrongNamespace { institution });
        }
        if !decision.is_none() {
            return Err(Rejection::DecisionUnexpected);
        }
        Ok(Target { id: self.id, institution: self.institution.clone(), writer: self.writer() })
    }
}

impl AuthoritySigner<'_> {
    const fn writer(&self, decision: DecisionRef) -> Writer {
        Writer::Authority { authority: self.id, decision }
    }

    /// Refuses all but one kind of authority, and a transaction without a decision.
    fn require(&self, kind: AuthorityKind, decision: &DecisionRef) -> Result<(), Rejection> {
        if self.record.kind != kind {
            return Err(Rejection::WrongAuthority { authority: self.id });
        }
        if decision.is_none() {
            return Err(Rejection::DecisionMissing);
        }
        Ok(())
    }

    /// The quality agency may write about every registered institution.
    fn target<R: NodeReader>(
        &self,
        state: &Overlay<'_, R>,
        institution: InstitutionId,
        decision: &DecisionRef,
    ) -> Result<Target, CheckError> {
        self.require(AuthorityKind::Nceqe, decision)?;
        let found = state.institution(institution)?.ok_or(Rejection::UnknownInstitution { institution })?;
        Ok(Target { id: institution, institution: found, writer: self.writer(*decision) })
    }
}
