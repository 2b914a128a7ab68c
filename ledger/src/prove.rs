//! Builds proofs from one snapshot: stamps, with which a learner's bundle is refreshed, and proved answers to all
//! questions about the register ([`sigeli_verifier::proof`]).
//!
//! All parts come from the snapshot's one height, so they fit together under its header. Whether they convince is for
//! [`sigeli_verifier::verify`] and [`sigeli_verifier::proof`]; nothing here is trusted by anyone. Downloads come in pages:
//! no answer holds more than one page in memory, however large the register is.

mod batches;
mod download;
mod rows;

use sigeli_verifier::{
    block::HeaderProof,
    bundle::{PermissionSection, Stamp, StampFile, StatusFinding},
    certificate::CommitCertificate,
    encode::Encode as _,
    ids::{BatchRoot, InstitutionId, RegisterKey, StatusHandle},
    proof::{AbsenceProof, InstitutionAnswer, InstitutionProof, StateProof},
    record::{batch_key, institution_key, permission_key, status_key},
    register::{RegisterPath, value_hash},
};

use crate::{
    state::{Institution, View, keys::Register},
    store::{Head, Snapshot, StoreError},
    tree::{self, Terminal},
};

pub use self::{
    batches::{accreditation_page, batch_page},
    download::{RegisterEntries, StatusEntries, entry, prefix_proof},
};

/// Why a proof cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// Nothing was committed yet but genesis, which no certificate confirms.
    #[error("no block was committed yet")]
    NothingCommitted,
    /// No such institution.
    #[error("institution {institution} is not registered")]
    UnknownInstitution {
        /// The number given.
        institution: InstitutionId,
    },
    /// No such batch.
    #[error("the institution has anchored no batch with this root")]
    UnknownBatch,
    /// Fatal.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Whose status under which batch is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The institution.
    pub institution: InstitutionId,
    /// The batch.
    pub batch: BatchRoot,
    /// The credential.
    pub handle: StatusHandle,
}

/// Builds a stamp for a credential, and the section with its accreditation as it stands now when wanted.
///
/// # Errors
/// [`ProveError`].
pub fn stamp<S: Snapshot>(snapshot: &S, subject: &Subject, with_permission: bool) -> Result<StampFile, ProveError> {
    let (header, certificate) = confirmed_head(snapshot)?;
    let view = View::new(snapshot);
    let id = subject.institution;
    let unknown = ProveError::UnknownInstitution { institution: id };
    let institution = view.institution(id)?.ok_or(unknown)?;
    let batch = view.batch(id, &subject.batch)?.ok_or(ProveError::UnknownBatch)?;
    let batch_path = present(snapshot, Register::Batches, &batch_key(id, &subject.batch), &batch.to_bytes())?;
    let institution_path = present(snapshot, Register::Institutions, &institution_key(id), &institution.value())?;
    let (status, status_path) = prove_status(snapshot, id, &subject.handle)?;
    let permission =
        with_permission.then(|| prove_permission(snapshot, id, &institution, batch.accreditation)).transpose()?;
    let stamp = Stamp {
        header,
        certificate,
        state_siblings: view.roots()?.pair_siblings(),
        batch,
        batch_path,
        keys_and_permissions: institution.registers.keys_and_permissions(),
        institution: institution.facts,
        institution_path,
        status,
        status_path,
    };
    Ok(StampFile { stamp, permission })
}

/// The newest header's proof part and the signatures under it.
fn confirmed_head<S: Snapshot>(snapshot: &S) -> Result<(HeaderProof, CommitCertificate), ProveError> {
    let Head { header, .. } = snapshot.head()?.ok_or(ProveError::NothingCommitted)?;
    let missing = StoreError::Corrupt { what: "head's certificate (missing)" };
    let certificate = snapshot.certificate(header.height)?.ok_or(missing)?;
    if certificate.signatures().is_empty() {
        return Err(ProveError::NothingCommitted);
    }
    Ok((header.proof(), certificate))
}

/// Proves the roots of the registers.
///
/// # Errors
/// [`ProveError::NothingCommitted`], [`ProveError::Store`].
pub fn state_proof<S: Snapshot>(snapshot: &S) -> Result<StateProof, ProveError> {
    let (header, certificate) = confirmed_head(snapshot)?;
    Ok(StateProof { header, certificate, roots: View::new(snapshot).roots()? })
}

/// Proves an institution.
///
/// # Errors
/// [`ProveError::UnknownInstitution`], [`ProveError::Store`].
pub fn institution_proof<S: Snapshot>(snapshot: &S, id: InstitutionId) -> Result<InstitutionProof, ProveError> {
    match institution_answer(snapshot, id)? {
        InstitutionAnswer::Present(proof) => Ok(proof),
        InstitutionAnswer::Absent(_) => Err(ProveError::UnknownInstitution { institution: id }),
    }
}

/// Proves an institution, or that no institution has this number.
///
/// # Errors
/// [`StoreError`].
pub fn institution_answer<S: Snapshot>(snapshot: &S, id: InstitutionId) -> Result<InstitutionAnswer, StoreError> {
    let key = institution_key(id);
    match View::new(snapshot).institution(id)? {
        Some(institution) => {
            let path = present(snapshot, Register::Institutions, &key, &institution.value())?;
            let Institution { facts, registers, .. } = institution;
            Ok(InstitutionAnswer::Present(InstitutionProof { facts, registers, path }))
        }
        None => absent(snapshot, Register::Institutions, &key).map(InstitutionAnswer::Absent),
    }
}

/// Proves that a key is absent.
fn absent<S: Snapshot>(snapshot: &S, register: Register, key: &RegisterKey) -> Result<AbsenceProof, StoreError> {
    let proof = tree::prove(snapshot, &register.prefix(), key)?;
    match proof.terminal {
        Terminal::Absent(terminal) => Ok(AbsenceProof { terminal, path: proof.path }),
        Terminal::Present(_) => Err(StoreError::Corrupt { what: "register and record differ" }),
    }
}

/// Proves an entry that is known to be present with this value.
fn present<S: Snapshot>(
    snapshot: &S,
    register: Register,
    key: &RegisterKey,
    value: &[u8],
) -> Result<RegisterPath, StoreError> {
    let proof = tree::prove(snapshot, &register.prefix(), key)?;
    if proof.terminal == Terminal::Present(value_hash(value)) {
        Ok(proof.path)
    } else {
        Err(StoreError::Corrupt { what: "register and record differ" })
    }
}

fn prove_status<S: Snapshot>(
    snapshot: &S,
    institution: InstitutionId,
    handle: &StatusHandle,
) -> Result<(StatusFinding, RegisterPath), StoreError> {
    let key = status_key(handle);
    let register = Register::Statuses(institution);
    match View::new(snapshot).status(institution, handle)? {
        Some(record) => {
            let path = present(snapshot, register, &key, &record.to_bytes())?;
            Ok((StatusFinding::Present(record), path))
        }
        None => {
            let AbsenceProof { terminal, path } = absent(snapshot, register, &key)?;
            Ok((StatusFinding::Absent(terminal), path))
        }
    }
}

fn prove_permission<S: Snapshot>(
    snapshot: &S,
    id: InstitutionId,
    institution: &Institution,
    permission: sigeli_verifier::ids::PermissionId,
) -> Result<PermissionSection, StoreError> {
    let missing = StoreError::Corrupt { what: "permission (missing)" };
    let record = View::new(snapshot).permission(id, permission)?.ok_or(missing)?;
    let path = present(snapshot, Register::Permissions(id), &permission_key(permission), &record.to_bytes())?;
    Ok(PermissionSection { record, path, keys: institution.registers.keys })
}
