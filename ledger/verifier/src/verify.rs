//! The offline verifier: from a document's digest to what a quorum of the authorities has confirmed
//! (`docs/protocol.md` §12).
//!
//! [`verify`] answers one question, in numbered steps with one error variant each: is this document's commitment part
//! of a batch that stands, with this institution and this status, in a state that a quorum has signed? It reads no
//! clock. [`crate::verdict`] adds the questions of time and puts the answer into eight lines.

use crate::encode::Encode as _;
use crate::{
    bundle::{Bundle, PermissionSection, StatusFinding, batch_tag},
    certificate::CertificateError,
    credential::{leaf_commitment, status_handle},
    ids::{BatchRoot, BlockId, DocumentDigest, Height, Leaf, RegisterRoot, StatusHandle, TimeMs},
    proof::{HeaderError, confirm_header, trusted_set},
    record::{self, BatchRecord, InstitutionFacts},
    register::{PathError, value_hash},
    state::{keys_and_permissions, root_from_pair},
    transaction::PermissionScope,
    trust::{Trust, TrustedLedger},
};

/// Why a bundle does not prove a document. One variant per step, in the order of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Step 1: leaf and path give another batch root: the document is not the one that was registered.
    #[error("step 1: the document is not the one that the bundle was made for")]
    DocumentChanged,
    /// Step 2: no trusted ledger has this tag.
    #[error("step 2: the bundle is of a ledger that the trust file does not list")]
    UnknownLedger,
    /// Step 3: the header is of a protocol version that this program does not know.
    #[error("step 3: the ledger's protocol version {version} is not known to this program")]
    UnknownVersion {
        /// The version.
        version: u16,
    },
    /// Step 4: the trust file has no validator set for the header's height.
    #[error("step 4: the trust file lists no validators for block {height}")]
    UnknownValidators {
        /// The height.
        height: Height,
    },
    /// Step 5: the header's time lies outside the range for which its validators count.
    #[error("step 5: block {height} lies outside the time for which its validators are trusted")]
    OutsideTrustedTime {
        /// The height.
        height: Height,
    },
    /// Step 6: the batch record is of a tree of another height than the path.
    #[error("step 6: the path does not fit the height of the batch")]
    BatchHeight,
    /// Step 7: the batch's path is not that of a canonical register.
    #[error("step 7: the proof of the batch is malformed: {0}")]
    BatchPath(PathError),
    /// Step 8: the status's path is not that of a canonical register.
    #[error("step 8: the proof of the status is malformed: {0}")]
    StatusPath(PathError),
    /// Step 9: the permission section is not the institution's, or not of an accreditation.
    #[error("step 9: the proof of the accreditation does not fit the institution")]
    PermissionSection,
    /// Step 10: the institution's path is not that of a canonical register.
    #[error("step 10: the proof of the institution is malformed: {0}")]
    InstitutionPath(PathError),
    /// Step 11: the header that follows from all this is not confirmed by a quorum.
    #[error("step 11: the proof is not confirmed by the ledger's validators: {0}")]
    NotConfirmed(CertificateError),
    /// Step 12: a quorum has confirmed another header at the height that the trust file has pinned.
    #[error("step 12: block {height} is not the one that the trust file has pinned")]
    OtherThanPinned {
        /// The height.
        height: Height,
    },
    /// Step 13: the batch claims to be anchored after the header that proves it.
    #[error("step 13: the batch is dated after the block that proves it")]
    AnchoredLater,
    /// Step 14: the batch was signed with a key that was compromised by then.
    #[error("step 14: the batch was signed with a key that is void from block {from}")]
    KeyCompromised {
        /// The height from which the key is void.
        from: Height,
    },
}

impl VerifyError {
    /// The number of the step that failed.
    #[must_use]
    pub const fn step(&self) -> u8 {
        match self {
            Self::DocumentChanged => 1,
            Self::UnknownLedger => 2,
            Self::UnknownVersion { .. } => 3,
            Self::UnknownValidators { .. } => 4,
            Self::OutsideTrustedTime { .. } => 5,
            Self::BatchHeight => 6,
            Self::BatchPath(_) => 7,
            Self::StatusPath(_) => 8,
            Self::PermissionSection => 9,
            Self::InstitutionPath(_) => 10,
            Self::NotConfirmed(_) => 11,
            Self::OtherThanPinned { .. } => 12,
            Self::AnchoredLater => 13,
            Self::KeyCompromised { .. } => 14,
        }
    }
}

impl From<HeaderError> for VerifyError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::UnknownVersion { version } => Self::UnknownVersion { version },
            HeaderError::UnknownValidators { height } => Self::UnknownValidators { height },
            HeaderError::OutsideTrustedTime { height } => Self::OutsideTrustedTime { height },
        }
    }
}

/// What a quorum has confirmed about a document.
#[derive(Debug, Clone, Copy)]
pub struct Confirmed<'a> {
    /// The ledger.
    pub ledger: &'a TrustedLedger,
    /// The header that proves all this.
    pub header: BlockId,
    /// Its height.
    pub height: Height,
    /// Its time: everything below is as of then.
    pub time: TimeMs,
    /// How many validators have signed it.
    pub confirmed_by: usize,
    /// How many validators there are.
    pub validators: usize,
    /// The root of the document's batch.
    pub batch_root: BatchRoot,
    /// The record of the batch.
    pub batch: &'a BatchRecord,
    /// The record of the institution.
    pub institution: &'a InstitutionFacts,
    /// What is written about the credential.
    pub status: &'a StatusFinding,
    /// The accreditation as it stood then, if the bundle says.
    pub permission: Option<&'a PermissionSection>,
}

/// The leaf of a document under a bundle's receipt.
#[must_use]
pub fn leaf_of(bundle: &Bundle, document: &DocumentDigest) -> Leaf {
    leaf_commitment(bundle.receipt.profile, &bundle.receipt.salt, document)
}

/// The status handle of a document under a bundle's receipt.
#[must_use]
pub fn handle_of(bundle: &Bundle, document: &DocumentDigest) -> StatusHandle {
    status_handle(&bundle.receipt.salt, &leaf_of(bundle, document))
}

/// Step 1: the batch root of a document under a bundle's receipt.
///
/// # Errors
/// [`VerifyError::DocumentChanged`].
pub fn verify_document(bundle: &Bundle, document: &DocumentDigest) -> Result<BatchRoot, VerifyError> {
    let root = bundle.receipt.path.root(&leaf_of(bundle, document));
    if batch_tag(&root) == bundle.receipt.batch { Ok(root) } else { Err(VerifyError::DocumentChanged) }
}

/// Verifies a bundle for a document, whose digest was computed under the receipt's profile.
///
/// # Errors
/// [`VerifyError`], of the first step that fails.
pub fn verify<'a>(
    bundle: &'a Bundle,
    document: &DocumentDigest,
    trust: &'a Trust,
) -> Result<Confirmed<'a>, VerifyError> {
    let confirmed = confirm(bundle, document, trust)?;
    check_key(&confirmed)?;
    Ok(confirmed)
}

/// Steps 1 to 13: what a quorum has confirmed, whether or not the batch may stand.
pub(crate) fn confirm<'a>(
    bundle: &'a Bundle,
    document: &DocumentDigest,
    trust: &'a Trust,
) -> Result<Confirmed<'a>, VerifyError> {
    let receipt = &bundle.receipt;
    let stamp = &bundle.stamp.stamp;

    // 1
    let batch_root = verify_document(bundle, document)?;
    // 2
    let ledger = trust.by_tag(&bundle.ledger).ok_or(VerifyError::UnknownLedger)?;
    // 3, 4, 5
    let (height, time) = (stamp.header.height, stamp.header.time);
    let trusted = trusted_set(ledger, &stamp.header)?;
    // 6
    if stamp.batch.height != receipt.path.height() {
        return Err(VerifyError::BatchHeight);
    }
    // 7
    let batch_key = record::batch_key(receipt.institution, &batch_root);
    let batches =
        stamp.batch_path.root_with(&batch_key, &value_hash(&stamp.batch.to_bytes())).map_err(VerifyError::BatchPath)?;
    // 8
    let statuses = status_root(bundle, document)?;
    // 9
    if let Some(permission) = &bundle.stamp.permission {
        check_permission(permission, &stamp.batch, &stamp.keys_and_permissions)?;
    }
    // 10
    let institution_value = stamp.institution.value_from_parts(&stamp.keys_and_permissions, &statuses);
    let institutions = stamp
        .institution_path
        .root_with(&record::institution_key(receipt.institution), &value_hash(&institution_value))
        .map_err(VerifyError::InstitutionPath)?;
    // 11
    let state_root = root_from_pair(&institutions, &batches, &stamp.state_siblings);
    let (header, confirmed_by) = confirm_header(ledger, trusted, &stamp.header, &stamp.certificate, &state_root)
        .map_err(VerifyError::NotConfirmed)?;
    // 12
    if ledger.is_other_than_pinned(height, header) {
        return Err(VerifyError::OtherThanPinned { height });
    }
    // 13
    if stamp.batch.anchored > height || stamp.batch.anchored_time > time {
        return Err(VerifyError::AnchoredLater);
    }
    Ok(Confirmed {
        ledger,
        header,
        height,
        time,
        confirmed_by,
        validators: trusted.set.validators().len(),
        batch_root,
        batch: &stamp.batch,
        institution: &stamp.institution,
        status: &stamp.status,
        permission: bundle.stamp.permission.as_ref(),
    })
}

/// Step 14: the key that signed the batch was not compromised by then.
pub(crate) fn check_key(confirmed: &Confirmed<'_>) -> Result<(), VerifyError> {
    match confirmed.institution.compromised_from(confirmed.batch.key) {
        Some(from) if from <= confirmed.batch.anchored => Err(VerifyError::KeyCompromised { from }),
        _ => Ok(()),
    }
}

fn status_root(bundle: &Bundle, document: &DocumentDigest) -> Result<RegisterRoot, VerifyError> {
    let stamp = &bundle.stamp.stamp;
    let key = record::status_key(&handle_of(bundle, document));
    match &stamp.status {
        StatusFinding::Absent(terminal) => stamp.status_path.root_without(&key, terminal),
        StatusFinding::Present(record) => stamp.status_path.root_with(&key, &value_hash(&record.to_bytes())),
    }
    .map_err(VerifyError::StatusPath)
}

fn check_permission(section: &PermissionSection, batch: &BatchRecord, committed: &[u8; 32]) -> Result<(), VerifyError> {
    let key = record::permission_key(batch.accreditation);
    let permissions = section
        .path
        .root_with(&key, &value_hash(&section.record.to_bytes()))
        .map_err(|_| VerifyError::PermissionSection)?;
    let is_accreditation = matches!(section.record.scope, PermissionScope::Accreditation(_));
    if is_accreditation && keys_and_permissions(&section.keys, &permissions) == *committed {
        Ok(())
    } else {
        Err(VerifyError::PermissionSection)
    }
}
