//! Refreshing a bundle: the same receipt, a newer stamp.
//!
//! A stamp never goes back: a node that is behind cannot make a newer one disappear.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sigeli_verifier::{
    bundle::{Bundle, StatusFinding, ledger_tag},
    encode::Encode as _,
    ids::{Height, InstitutionId, Leaf, StatusHandle, TimeMs},
    record::BatchStatus,
    trust::Trust,
    verify::{VerifyError, leaf_of},
};

use crate::{
    FILE_BYTES_MAX,
    document::DocumentError,
    files::{self, Access, FileError},
    proof::{ProofError, Prover, Question, compromised_from, height_and_time},
    remote::Remote,
    verify::{self, BundleError},
};

/// What to refresh.
#[derive(Debug, Clone, Copy)]
pub struct StampRequest<'a> {
    /// The document.
    pub file: &'a Path,
    /// Its bundle.
    pub bundle: &'a Path,
    /// What proofs are checked against; the nodes' own statements when absent.
    pub trust: Option<&'a Trust>,
    /// Whether the bundle shall carry the accreditation's record.
    pub with_permission: bool,
    /// How long to go on.
    pub patience: Duration,
}

/// A bundle that was refreshed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The bundle.
    pub bundle: PathBuf,
    /// The height that it speaks of now.
    pub height: Height,
    /// The time of that height.
    pub time: TimeMs,
    /// What is written about the credential.
    pub status: StatusFinding,
    /// What is written about its whole batch.
    pub batch: BatchStatus,
    /// The height from which the key is void with which its batch was registered, if the batch does not stand for that.
    pub compromised: Option<Height>,
}

/// Why a bundle was not refreshed; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum StampError {
    /// The document cannot be read, or the bundle not be written.
    #[error("{0}")]
    File(#[from] FileError),
    /// The bundle cannot be read.
    #[error("{0}")]
    Bundle(#[from] BundleError),
    /// The document cannot be read as it was registered.
    #[error("{} is not the document of this bundle: {error}", path.display())]
    Document {
        /// The document.
        path: PathBuf,
        /// Why.
        error: DocumentError,
    },
    /// The document is not the bundle's.
    #[error("{} was changed, or is not the document that {} was made for", path.display(), bundle.display())]
    OtherDocument {
        /// The document.
        path: PathBuf,
        /// The bundle.
        bundle: PathBuf,
    },
    /// The bundle is of another ledger than the nodes.
    #[error("{} is of another ledger than these nodes: check --node", bundle.display())]
    OtherLedger {
        /// The bundle.
        bundle: PathBuf,
    },
    /// No proof.
    #[error("{0}")]
    Proof(#[from] ProofError),
}

/// A document, its bundle, and what to ask about them.
pub(crate) struct Known {
    pub(crate) bundle: Bundle,
    pub(crate) question: Question,
}

/// Reads document and bundle and sees that they belong together.
pub(crate) fn read_both(file: &Path, bundle_path: &Path) -> Result<Known, StampError> {
    let content = files::read(file, FILE_BYTES_MAX)?;
    let bundle = verify::read_bundle(bundle_path)?;
    let document = verify::read_document(&content, &bundle)
        .map_err(|error| StampError::Document { path: file.to_owned(), error })?;
    let other = |_: VerifyError| StampError::OtherDocument { path: file.to_owned(), bundle: bundle_path.to_owned() };
    let question = Question::of_bundle(&bundle, document.digest).map_err(other)?;
    Ok(Known { bundle, question })
}

/// What a credential is called on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identified {
    /// Who issued it.
    pub institution: InstitutionId,
    /// Its name in the status register.
    pub handle: StatusHandle,
    /// Its leaf: what a credential that it replaces names it by.
    pub leaf: Leaf,
}

/// Reads a document and its bundle, sees that they belong together, and says what the credential is called on the ledger.
///
/// # Errors
/// [`StampError`].
pub fn identify(file: &Path, bundle: &Path) -> Result<Identified, StampError> {
    let Known { bundle, question } = read_both(file, bundle)?;
    let leaf = leaf_of(&bundle, &question.document);
    Ok(Identified { institution: bundle.receipt.institution, handle: question.handle, leaf })
}

/// The nodes of the bundle's ledger.
pub(crate) async fn prover_for(
    remote: &Remote,
    bundle: &Bundle,
    path: &Path,
    trust: Option<&Trust>,
) -> Result<Prover, StampError> {
    let prover = Prover::connect(remote, trust).await?;
    if ledger_tag(&prover.status().genesis) == bundle.ledger {
        Ok(prover)
    } else {
        Err(StampError::OtherLedger { bundle: path.to_owned() })
    }
}

/// Fetches the newest bundle of a document without writing it.
///
/// # Errors
/// [`StampError`].
pub async fn fetch(remote: &Remote, request: &StampRequest<'_>) -> Result<Bundle, StampError> {
    let known = read_both(request.file, request.bundle)?;
    let prover = prover_for(remote, &known.bundle, request.bundle, request.trust).await?;
    Ok(prover.bundle(&known.question, request.with_permission, request.patience).await?)
}

/// Fetches the newest bundle of a document and puts it in place of the old one.
///
/// # Errors
/// [`StampError`].
pub async fn refresh(remote: &Remote, request: &StampRequest<'_>) -> Result<Stamped, StampError> {
    let bundle = fetch(remote, request).await?;
    Ok(replace(request.bundle, &bundle)?)
}

/// Puts a verified bundle in place of the old one.
pub(crate) fn replace(path: &Path, bundle: &Bundle) -> Result<Stamped, FileError> {
    files::replace(path, &bundle.to_bytes(), Access::Everyone)?;
    let (height, time) = height_and_time(&bundle.stamp);
    let stamp = &bundle.stamp.stamp;
    let compromised = compromised_from(bundle);
    Ok(Stamped { bundle: path.to_owned(), height, time, status: stamp.status, batch: stamp.batch.status, compromised })
}
