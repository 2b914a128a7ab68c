//! Changing a credential's status: revoke it, suspend it, reinstate it.
//!
//! What goes to the ledger is an opaque handle and a code. The bundle beside the document gets a new stamp that shows the
//! change, so that whoever receives both sees it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sigeli_verifier::{
    bounded::List,
    bundle::StatusFinding,
    ids::{Height, InstitutionId},
    record::{StatusRecord, StatusState},
    transaction::{KeyPurposes, Payload, StatusAction, StatusEntry, StatusReason, StatusSet},
    trust::Trust,
};

use crate::{
    keys::SecretKey,
    proof::{ProofError, Prover, Question},
    remote::Remote,
    signing::{Done, InstitutionSigner, SubmitError},
    stamp::{self, StampError, Stamped},
};

/// What is to become of a credential.
#[derive(Debug)]
pub struct StatusRequest<'a> {
    /// The document.
    pub file: &'a Path,
    /// Its bundle.
    pub bundle: &'a Path,
    /// The institution that is named as its issuer, to be compared with the bundle's; not compared when absent.
    pub institution: Option<InstitutionId>,
    /// What happens. `Supersede` is not among this function's actions.
    pub action: StatusAction,
    /// Why.
    pub reason: StatusReason,
    /// The institution's key.
    pub key: &'a SecretKey,
    /// What proofs are checked against; the nodes' own statements when absent.
    pub trust: Option<&'a Trust>,
    /// How long to go on.
    pub patience: Duration,
}

/// A status that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChanged {
    /// The block that holds the change.
    pub height: Height,
    /// Whether it had been changed like this before.
    pub was_changed: bool,
    /// From handing in to the answer that it is final.
    pub finality: Duration,
    /// The bundle with its new stamp.
    pub stamped: Stamped,
}

/// Why a status was not changed.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Document and bundle cannot be used.
    #[error("{0}")]
    Stamp(#[from] StampError),
    /// The credential is another institution's.
    #[error("{} was issued by institution {issuer}, not by {named}: check --institution", path.display())]
    OtherInstitution {
        /// The document.
        path: PathBuf,
        /// Who issued it.
        issuer: InstitutionId,
        /// Who was named.
        named: InstitutionId,
    },
    /// The transaction was not executed.
    #[error("{0}")]
    Submit(#[from] SubmitError),
    /// It was, but the new stamp is missing.
    #[error("the status is changed, but the bundle does not show it yet: {0}\nRun `sigeli stamp` on the file")]
    Proof(#[source] ProofError),
    /// Where the credential stands could not be found out before the change.
    #[error("nothing was changed: {0}")]
    Unproved(#[source] ProofError),
    /// The action needs more than a reason.
    #[error("this action is not available here")]
    Action,
}

/// Changes a credential's status and refreshes its bundle. Repeating is safe.
///
/// # Errors
/// [`StatusError`].
pub async fn change(remote: &Remote, request: &StatusRequest<'_>) -> Result<StatusChanged, StatusError> {
    let known = stamp::read_both(request.file, request.bundle)?;
    let issuer = known.bundle.receipt.institution;
    if let Some(named) = request.institution.filter(|named| *named != issuer) {
        return Err(StatusError::OtherInstitution { path: request.file.to_owned(), issuer, named });
    }
    let wanted = wanted_state(request.action).ok_or(StatusError::Action)?;
    let prover = stamp::prover_for(remote, &known.bundle, request.bundle, request.trust).await?;
    let with_permission = known.bundle.stamp.permission.is_some();
    let signer = InstitutionSigner::find(remote, issuer, request.key, KeyPurposes::STATUS).await?;
    let proved = prover.bundle(&known.question, false, request.patience).await.map_err(StatusError::Unproved)?;
    let written = match proved.stamp.stamp.status {
        StatusFinding::Present(record) => record.entries,
        StatusFinding::Absent(_) => 0,
    };
    let entry = StatusEntry {
        handle: known.question.handle,
        entry: written.saturating_add(1),
        action: request.action,
        reason: request.reason,
        successor: [0; 32],
    };
    let entries = List::new(vec![entry]).expect("one entry is within the limits");
    let payload = Payload::StatusSet(StatusSet { entries });
    let started = tokio::time::Instant::now();
    let submitted = signer.submit(remote, payload, None, &mut |_| Ok(()), request.patience).await;
    let finality = started.elapsed();
    let (height, was_changed) = match submitted {
        Ok(Done::Now(committed)) => (committed.height, false),
        Ok(Done::Before(height)) => (height, true),
        // An earlier run may have done it and been interrupted before it was told.
        Err(SubmitError::Rejected { rejection }) => match present(&prover, &known.question, request.patience).await {
            Some(record) if record.state == wanted && record.reason == request.reason => (record.height, true),
            _ => return Err(SubmitError::Rejected { rejection }.into()),
        },
        Err(error) => return Err(error.into()),
    };
    let question = Question { height_min: height.max(known.question.height_min), ..known.question };
    let bundle = prover.bundle(&question, with_permission, request.patience).await.map_err(StatusError::Proof)?;
    let stamped = stamp::replace(request.bundle, &bundle).map_err(StampError::from)?;
    Ok(StatusChanged { height, was_changed, finality, stamped })
}

const fn wanted_state(action: StatusAction) -> Option<StatusState> {
    match action {
        StatusAction::Suspend => Some(StatusState::Suspended),
        StatusAction::Reinstate => Some(StatusState::Reinstated),
        StatusAction::Revoke => Some(StatusState::Revoked),
        StatusAction::Supersede => None,
    }
}

/// What is written about the credential now, if it can be found out.
async fn present(prover: &Prover, question: &Question, patience: Duration) -> Option<StatusRecord> {
    match prover.bundle(question, false, patience).await.ok()?.stamp.stamp.status {
        StatusFinding::Present(record) => Some(record),
        StatusFinding::Absent(_) => None,
    }
}
