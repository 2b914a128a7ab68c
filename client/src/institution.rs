//! What an institution writes about itself: its keys, its programmes, its batches as a whole. Repeating is always safe.

use std::time::Duration;

use sigeli_verifier::{
    bounded::List,
    ids::{BatchRoot, DecisionRef, Height, InstitutionId, KeyIndex, ProgrammeId},
    params::{INSTITUTION_KEYS_MAX, PARTNERS_MAX},
    record::{BatchState, BatchStatus},
    transaction::{
        BatchAction, BatchStatusSet, InstitutionKey, KeyCompromise, KeyPurposes, KeyRetire, KeysAdd, Name, Payload,
        ProgrammeRegister, StatusReason,
    },
};

use crate::{
    keys::SecretKey,
    remote::Remote,
    signing::{Done, InstitutionSigner, SubmitError},
};

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub struct OwnSigner<'a> {
    /// The institution.
    pub institution: InstitutionId,
    /// One of its keys: an administrating one, or for batches one that may change statuses.
    pub key: &'a SecretKey,
    /// How long to go on.
    pub patience: Duration,
}

/// Something that is on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The block that holds it.
    pub height: Height,
    /// Whether it had been written before.
    pub was_written: bool,
}

impl From<Done> for Written {
    fn from(done: Done) -> Self {
        match done {
            Done::Now(committed) => Self { height: committed.height, was_written: false },
            Done::Before(height) => Self { height, was_written: true },
        }
    }
}

async fn submit(
    remote: &Remote,
    signer: OwnSigner<'_>,
    purpose: KeyPurposes,
    payload: Payload,
) -> Result<Written, SubmitError> {
    let found = InstitutionSigner::find(remote, signer.institution, signer.key, purpose).await?;
    Ok(found.submit(remote, payload, None, &mut |_| Ok(()), signer.patience).await?.into())
}

/// Gives the institution further keys.
///
/// # Errors
/// [`SubmitError`].
pub async fn add_keys(
    remote: &Remote,
    signer: OwnSigner<'_>,
    keys: List<InstitutionKey, INSTITUTION_KEYS_MAX>,
) -> Result<Written, SubmitError> {
    let add = KeysAdd { institution: signer.institution, decision: DecisionRef::NONE, keys };
    submit(remote, signer, KeyPurposes::ADMIN, Payload::KeysAdd(add)).await
}

/// Retires one of the institution's keys: what it signed stands.
///
/// # Errors
/// [`SubmitError`].
pub async fn retire_key(remote: &Remote, signer: OwnSigner<'_>, key: KeyIndex) -> Result<Written, SubmitError> {
    let retire = KeyRetire { institution: signer.institution, decision: DecisionRef::NONE, key };
    submit(remote, signer, KeyPurposes::ADMIN, Payload::KeyRetire(retire)).await
}

/// Declares one of the institution's keys compromised: the key is retired and its history says why; what it signed stands.
/// To have void what it signed takes a decision of the quality agency.
///
/// # Errors
/// [`SubmitError`].
pub async fn declare_compromised(
    remote: &Remote,
    signer: OwnSigner<'_>,
    key: KeyIndex,
) -> Result<Written, SubmitError> {
    let from = Height::new(0);
    let (institution, decision) = (signer.institution, DecisionRef::NONE);
    let compromise = KeyCompromise { institution, decision, first: key, last: key, from };
    submit(remote, signer, KeyPurposes::ADMIN, Payload::KeyCompromise(compromise)).await
}

/// A programme that is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Programme {
    /// Its number with the institution.
    pub number: ProgrammeId,
    /// Where it was written.
    pub written: Written,
}

/// Registers a programme under the institution's next number; one with the same titles and partners is not registered
/// twice.
///
/// # Errors
/// [`SubmitError`].
pub async fn register_programme(
    remote: &Remote,
    signer: OwnSigner<'_>,
    title_ka: Name,
    title_en: Name,
    partners: List<InstitutionId, PARTNERS_MAX>,
) -> Result<Programme, SubmitError> {
    let known = remote.programmes(signer.institution).await?;
    let same = known
        .iter()
        .find(|(_, record)| record.title_ka == title_ka && record.title_en == title_en && record.partners == partners);
    if let Some((number, record)) = same {
        let written = Written { height: record.registered, was_written: true };
        return Ok(Programme { number: *number, written });
    }
    let last = known.last().map_or(0, |(number, _)| number.get());
    let number = ProgrammeId::new(last.saturating_add(1));
    let register = ProgrammeRegister { programme: number, title_ka, title_en, partners };
    let written = submit(remote, signer, KeyPurposes::ADMIN, Payload::ProgrammeRegister(register)).await?;
    Ok(Programme { number, written })
}

/// Suspends, reinstates or revokes one of the institution's batches as a whole.
///
/// # Errors
/// [`SubmitError`].
pub async fn change_batch(
    remote: &Remote,
    signer: OwnSigner<'_>,
    root: BatchRoot,
    action: BatchAction,
    reason: StatusReason,
) -> Result<Written, SubmitError> {
    let record = remote.batch(signer.institution, &root).await.map_err(SubmitError::from)?;
    let written = match record.status {
        BatchStatus::Valid => 0,
        BatchStatus::Changed(change) => change.entries,
    };
    let (institution, decision, entry) = (signer.institution, DecisionRef::NONE, written.saturating_add(1));
    let set = BatchStatusSet { institution, decision, root, entry, action, reason };
    match submit(remote, signer, KeyPurposes::STATUS, Payload::BatchStatusSet(set)).await {
        // An earlier run may have done it and been interrupted before it was told.
        Err(SubmitError::Rejected { rejection }) => {
            let wanted = match action {
                BatchAction::Suspend => BatchState::Suspended,
                BatchAction::Reinstate => BatchState::Reinstated,
                BatchAction::Revoke => BatchState::Revoked,
            };
            match remote.batch(signer.institution, &root).await.map(|record| record.status) {
                Ok(BatchStatus::Changed(change)) if change.state == wanted && change.reason == reason => {
                    Ok(Written { height: change.height, was_written: true })
                }
                _ => Err(SubmitError::Rejected { rejection }),
            }
        }
        other => other,
    }
}
