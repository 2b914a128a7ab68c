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

mod batch;
mod permission;
mod sender;
mod signatures;
mod status;

use sigeli_verifier::{
    ids::{GenesisHash, Height, InstitutionId, TimeMs},
    params::{AUTHORITY_VALIDITY_MS_MAX, INSTITUTION_VALIDITY_MS_MAX},
    time::Day,
    transaction::{Payload, Sender, SignedTransaction},
};

pub use self::{sender::Signer, signatures::SignatureMemory};
use crate::{
    execute::Effect,
    outcome::{CheckError, Rejection},
    state::{Overlay, Policy},
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
    let (ahead, from_institution) = match body.sender {
        Sender::Institution { .. } => (INSTITUTION_VALIDITY_MS_MAX, true),
        Sender::Authority { .. } => (AUTHORITY_VALIDITY_MS_MAX, false),
    };
    let latest = TimeMs::new(time.get().saturating_add(ahead));
    if valid_until > latest {
        return Err(Rejection::ValidityTooLong { valid_until, latest });
    }
    let for_institution = match body.payload {
        Payload::BatchAnchor(_) | Payload::StatusSet(_) => true,
        Payload::InstitutionRegister(_) | Payload::PermissionGrant(_) => false,
    };
    if for_institution != from_institution {
        return Err(Rejection::WrongSenderKind);
    }
    let count = transaction.signatures().len();
    if from_institution && count > 1 {
        return Err(Rejection::TooManySignatures { count, limit: 1 });
    }
    Ok(())
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
) -> Result<Effect, CheckError> {
    match sender::check_sender(state, terms, transaction, signatures)? {
        Signer::Institution { id, institution, key } => {
            let by = InstitutionSigner { id, institution: &institution, key };
            match &transaction.body().payload {
                Payload::BatchAnchor(anchor) => batch::check_anchor(state, terms, &by, anchor),
                Payload::StatusSet(set) => status::check_statuses(state, terms, &by, set),
                Payload::InstitutionRegister(_) | Payload::PermissionGrant(_) => Err(Rejection::WrongSenderKind.into()),
            }
        }
        Signer::Authority { id, record } => match &transaction.body().payload {
            Payload::InstitutionRegister(register) => permission::check_register(state, terms, id, record, register),
            Payload::PermissionGrant(grant) => permission::check_grant(state, terms, id, record, grant),
            Payload::BatchAnchor(_) | Payload::StatusSet(_) => Err(Rejection::WrongSenderKind.into()),
        },
    }
}

/// An institution whose signature was checked.
struct InstitutionSigner<'a> {
    id: InstitutionId,
    institution: &'a crate::state::Institution,
    key: sigeli_verifier::ids::KeyIndex,
}
