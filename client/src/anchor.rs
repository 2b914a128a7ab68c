//! A prepared batch → the ledger → one bundle per credential.
//!
//! Exactly once, however often it is repeated: the signed transaction is durable before it leaves the machine and is handed
//! in again while it is valid; after that a new one is signed, and the ledger, which keys batches by their root, answers
//! that the first one was executed, if it was. A bundle appears under its name only once it has been verified.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use sigeli_verifier::{
    encode::Encode as _,
    ids::{BatchRoot, GenesisHash, Height},
    transaction::{KeyPurposes, Payload},
    trust::Trust,
};

use crate::{
    BUNDLE_SUFFIX, FILE_BYTES_MAX,
    batch::{self, BatchError, PreparedBatch, PreparedFile},
    document,
    files::{self, Access, FileError},
    keys::SecretKey,
    proof::{ProofError, Prover, Question, compromised_from},
    remote::Remote,
    signing::{Done, InstitutionSigner, SubmitError},
};

/// How many proofs are fetched at a time.
const PROOFS_AT_A_TIME: usize = 16;

/// How to anchor.
#[derive(Debug)]
pub struct AnchorRequest<'a> {
    /// Where the batch was prepared; bundles are written there too.
    pub directory: &'a Path,
    /// The institution's key.
    pub key: &'a SecretKey,
    /// What proofs are checked against; the nodes' own statements when absent.
    pub trust: Option<&'a Trust>,
    /// Whether bundles shall carry the accreditation's record, and so the programme's title.
    pub with_permission: bool,
    /// How long to go on.
    pub patience: Duration,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorProgress {
    /// The transaction is being handed in.
    Submitting,
    /// The batch is final.
    Final {
        /// The block.
        height: Height,
    },
    /// Bundles are being written.
    Bundles {
        /// How many are.
        written: usize,
        /// How many there will be.
        total: usize,
    },
}

/// A batch that is on the ledger, and its bundles.
#[derive(Debug, Clone)]
pub struct Anchored {
    /// The ledger.
    pub genesis: GenesisHash,
    /// The batch's root.
    pub root: BatchRoot,
    /// The block that holds it.
    pub height: Height,
    /// Whether an earlier run had anchored it.
    pub was_anchored: bool,
    /// From handing in to the answer that it is final.
    pub finality: Duration,
    /// The bundles, in the order of the files.
    pub bundles: Vec<PathBuf>,
}

/// Why a batch was not anchored, or not all bundles were written. Repeating is always safe.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The directory holds no sound batch.
    #[error("{0}")]
    Batch(#[from] BatchError),
    /// A file cannot be read or written.
    #[error("{0}")]
    File(#[from] FileError),
    /// A credential is not the one that was prepared.
    #[error("{} is not what it was when the batch was prepared: nothing was registered. Bring the file back, or prepare the \
        batch anew into another directory", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The transaction was not executed.
    #[error("{0}")]
    Submit(#[from] SubmitError),
    /// It was, but a proof is missing.
    #[error(
        "the batch is registered, but its bundles are not complete: {0}\nRun `sigeli batch anchor` again to get them"
    )]
    Proof(#[source] ProofError),
    /// It was, but with a key that was declared compromised since, so that its bundles are worthless.
    #[error(
        "the batch was registered with a key that is void from block {from} on: its credentials verify as not genuine. No \
        bundle was written; register them anew with another key"
    )]
    Compromised {
        /// The height from which the key is void.
        from: Height,
    },
    /// The ledger could not be asked at all, or is not trusted.
    #[error("{0}")]
    Ledger(#[source] ProofError),
}

/// Anchors a batch and writes its bundles.
///
/// # Errors
/// [`AnchorError`].
pub async fn anchor(
    remote: &Remote,
    request: &AnchorRequest<'_>,
    progress: &mut (dyn FnMut(AnchorProgress) + Send),
) -> Result<Anchored, AnchorError> {
    let batch = PreparedBatch::open(request.directory)?;
    let kept = batch::read_transaction(request.directory);
    if kept.is_none() {
        // Before anything leaves the machine: a file that was changed since would get a bundle that does not fit it.
        batch.files().iter().try_for_each(check_unchanged)?;
    }
    let prover = Prover::connect(remote, request.trust).await.map_err(AnchorError::Ledger)?;
    let signer = InstitutionSigner::find(remote, batch.institution(), request.key, KeyPurposes::ANCHOR).await?;
    progress(AnchorProgress::Submitting);
    let started = tokio::time::Instant::now();
    let payload = Payload::BatchAnchor(batch.anchor());
    let mut keep = |signed: &_| batch::write_transaction(request.directory, signed);
    let done = signer.submit(remote, payload, kept, &mut keep, request.patience).await?;
    let finality = started.elapsed();
    let (height, was_anchored) = match done {
        Done::Now(committed) => (committed.height, false),
        Done::Before(height) => (height, true),
    };
    progress(AnchorProgress::Final { height });
    let bundles = write_bundles(&prover, &batch, height, request, progress).await?;
    Ok(Anchored { genesis: prover.status().genesis, root: batch.root(), height, was_anchored, finality, bundles })
}

fn check_unchanged(file: &PreparedFile) -> Result<(), AnchorError> {
    let content = files::read(&file.path, FILE_BYTES_MAX)?;
    match document::canonicalise(&content, Some(file.profile)) {
        Ok(canonical) if canonical.digest() == file.document => Ok(()),
        _ => Err(AnchorError::Changed { path: file.path.clone() }),
    }
}

async fn write_bundles(
    prover: &Prover,
    batch: &PreparedBatch,
    height: Height,
    request: &AnchorRequest<'_>,
    progress: &mut (dyn FnMut(AnchorProgress) + Send),
) -> Result<Vec<PathBuf>, AnchorError> {
    let total = batch.files().len();
    let proofs = stream::iter(batch.files()).map(|file| async move {
        let question = Question::of_prepared(batch, file, height);
        let bundle = prover.bundle(&question, request.with_permission, request.patience).await;
        bundle.map(|bundle| (file, bundle)).map_err(AnchorError::Proof)
    });
    let mut proofs = proofs.buffered(PROOFS_AT_A_TIME);
    let mut bundles = Vec::with_capacity(total);
    while let Some((file, bundle)) = proofs.try_next().await? {
        if let Some(from) = compromised_from(&bundle) {
            return Err(AnchorError::Compromised { from });
        }
        let path = request.directory.join(format!("{}{BUNDLE_SUFFIX}", file.name));
        files::replace(&path, &bundle.to_bytes(), Access::Everyone)?;
        bundles.push(path);
        progress(AnchorProgress::Bundles { written: bundles.len(), total });
    }
    Ok(bundles)
}
