//! Handing a draft in, once enough have signed it.
//!
//! Safe to repeat: what the ledger holds already is found out first, and it executes a transaction once.

use std::time::Duration;

use sigeli_verifier::{
    ids::{Height, PermissionId, TimeMs, TransactionId},
    transaction::{Draft, Sender},
    trust::Trust,
};

use super::{
    known::{Known, KnownError},
    standing::{Objection, Shortfall, objection, shortfall},
};
use crate::{
    remote::{Decision, Outcome, Rejection, Remote, RemoteError},
    signing::SubmitError,
    values::tbilisi,
};

/// A draft that is on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// The transaction.
    pub id: TransactionId,
    /// The block that holds it.
    pub height: Height,
    /// Whether it, or another one with the same effect, had been handed in before.
    pub was_done: bool,
    /// The number of the permission that it made.
    pub permission: Option<PermissionId>,
}

/// Why a draft was not handed in, or not executed.
#[derive(Debug, thiserror::Error)]
pub enum SubmitDraftError {
    /// The nodes do not answer, or are of another ledger.
    #[error("{0}")]
    Known(#[from] KnownError),
    /// The signatures do not suffice.
    #[error(
        "the ledger would refuse this, and nothing was handed in: {0}. Look at it with `sigeli tx show --node URL`"
    )]
    Shortfall(#[from] Shortfall),
    /// No ledger would take it, whoever signs.
    #[error(
        "no ledger would take this transaction, whoever signs it, and nothing was handed in: look at it with `sigeli tx show`"
    )]
    Objection {
        /// Why.
        objection: Objection,
    },
    /// Its time has passed.
    #[error(
        "the transaction was valid until {} (Tbilisi time), and ledger time is {}: nothing was handed in. Make a new one \
        with `sigeli tx new` and have it signed again", tbilisi(*valid_until), tbilisi(*time)
    )]
    Expired {
        /// Until when it was valid.
        valid_until: TimeMs,
        /// Ledger time.
        time: TimeMs,
    },
    /// Its sequence number is taken, or not yet due.
    #[error(
        "the transaction carries the number {given}, and the next one due is {next}: nothing was handed in. {}",
        if given < next {
            "Another transaction took its number: make a new one with `sigeli tx new` and have it signed again"
        } else {
            "Hand in those that come before it first"
        }
    )]
    Sequence {
        /// The number that it carries.
        given: u64,
        /// The next one due.
        next: u64,
    },
    /// The ledger refuses it, or does not answer.
    #[error("{0}")]
    Submit(#[from] SubmitError),
}

impl From<RemoteError> for SubmitDraftError {
    fn from(error: RemoteError) -> Self {
        Self::Submit(error.into())
    }
}

/// Hands a draft in and waits until it is decided, for at most `patience`. Refuses what the ledger would refuse, as far as
/// that can be known before.
///
/// # Errors
/// [`SubmitDraftError`].
pub async fn submit(
    remote: &Remote,
    draft: &Draft,
    trust: Option<&Trust>,
    patience: Duration,
) -> Result<Submitted, SubmitDraftError> {
    let body = draft.body();
    let known = Known::from_nodes(remote, draft, trust).await?;
    let signed = draft.signed().ok_or(Shortfall::Unsigned)?;
    let id = signed.id();
    if let Outcome::Committed(committed) = remote.transaction(id).await? {
        let permission = committed.permission;
        return Ok(Submitted { id, height: committed.height, was_done: true, permission });
    }
    if let Some(objection) = objection(draft) {
        return Err(SubmitDraftError::Objection { objection });
    }
    shortfall(draft, &known)?;
    if let super::known::Source::Nodes { time, .. } = known.source
        && body.valid_until < time
    {
        return Err(SubmitDraftError::Expired { valid_until: body.valid_until, time });
    }
    check_sequence(&body.sender, &known)?;
    match remote.submit_until_decided(&signed, patience).await? {
        Decision::Committed(committed) => {
            let permission = committed.permission;
            Ok(Submitted { id, height: committed.height, was_done: false, permission })
        }
        Decision::Rejected(Rejection { first_height: Some(height), .. }) => {
            Ok(Submitted { id, height, was_done: true, permission: None })
        }
        Decision::Rejected(rejection) => Err(SubmitError::Rejected { rejection }.into()),
    }
}

fn check_sequence(sender: &Sender, known: &Known) -> Result<(), SubmitDraftError> {
    let (given, next) = match sender {
        Sender::Institution { .. } => return Ok(()),
        Sender::Authority { authority, sequence } => {
            (sequence.get(), known.authority(*authority).map(|found| found.next.get()))
        }
        Sender::Authorities { sequence } => (sequence.get(), known.joint_next.map(|next| next.get())),
    };
    match next {
        Some(next) if next != given => Err(SubmitDraftError::Sequence { given, next }),
        _ => Ok(()),
    }
}
