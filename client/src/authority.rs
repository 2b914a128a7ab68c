//! What authorities write: registering institutions, granting permissions.

use std::time::Duration;

use sigeli_verifier::{
    ids::{AuthorityId, Height, PermissionId},
    transaction::{InstitutionRegister, Payload, PermissionGrant},
};

use crate::{
    keys::SecretKey,
    remote::{Remote, RemoteError},
    signing::{self, Done, SubmitError},
};

/// Who decides.
#[derive(Debug, Clone, Copy)]
pub struct AuthoritySigner<'a> {
    /// The authority.
    pub authority: AuthorityId,
    /// Its keys: at least as many as its threshold.
    pub keys: &'a [SecretKey],
    /// How long to go on.
    pub patience: Duration,
}

/// A decision that is on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// The block that holds it.
    pub height: Height,
    /// Whether it had been made before: the same authority, decision and kind.
    pub was_decided: bool,
    /// From handing in to the answer that it is final.
    pub finality: Duration,
}

/// A permission that is on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// The decision.
    pub decided: Decided,
    /// The permission's number within the institution; `None` when no node tells it (any more).
    pub permission: Option<PermissionId>,
}

/// Registers an institution. Repeating is safe.
///
/// # Errors
/// [`SubmitError`].
pub async fn register_institution(
    remote: &Remote,
    signer: AuthoritySigner<'_>,
    register: InstitutionRegister,
) -> Result<Decided, SubmitError> {
    let (_, decided) = submit(remote, signer, &Payload::InstitutionRegister(register)).await?;
    Ok(decided)
}

/// Grants a permission. Repeating is safe: the same decision grants once.
///
/// # Errors
/// [`SubmitError`].
pub async fn grant_permission(
    remote: &Remote,
    signer: AuthoritySigner<'_>,
    grant: PermissionGrant,
) -> Result<Granted, SubmitError> {
    let (done, decided) = submit(remote, signer, &Payload::PermissionGrant(grant.clone())).await?;
    let permission = match done {
        Done::Now(committed) => committed.permission,
        Done::Before(_) => None,
    };
    let permission = match permission {
        Some(number) => Some(number),
        None => number_of(remote, signer.authority, &grant).await?,
    };
    Ok(Granted { decided, permission })
}

async fn submit(
    remote: &Remote,
    signer: AuthoritySigner<'_>,
    payload: &Payload,
) -> Result<(Done, Decided), SubmitError> {
    let started = tokio::time::Instant::now();
    let done = signing::submit_as_authority(remote, signer.authority, signer.keys, payload, signer.patience).await?;
    let (height, was_decided) = match &done {
        Done::Now(committed) => (committed.height, false),
        Done::Before(height) => (*height, true),
    };
    Ok((done, Decided { height, was_decided, finality: started.elapsed() }))
}

async fn number_of(
    remote: &Remote,
    authority: AuthorityId,
    grant: &PermissionGrant,
) -> Result<Option<PermissionId>, RemoteError> {
    let permissions = remote.permissions(grant.institution).await?;
    let found = permissions.iter().find(|(_, record)| {
        record.authority == authority && record.decision == grant.decision && record.scope.code() == grant.scope.code()
    });
    Ok(found.map(|(number, _)| *number))
}
