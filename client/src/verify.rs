//! Offline verification: a file, its bundle, a trust file, a time → a verdict. Synchronous; no socket, no runtime.
//!
//! What is true about the bytes is decided by `sigeli-verifier`; this module reads files and documents for it.

use std::path::{Path, PathBuf};

use sigeli_verifier::{
    bundle::Bundle,
    credential::Profile,
    decode::{Decode as _, DecodeError},
    ids::{DocumentDigest, TimeMs},
    params::BUNDLE_BYTES_MAX,
    trust::Trust,
    verdict::{CheckId, DocumentDates, Finding, Freshness, Reading, Report, SealState, judge},
};

use crate::{
    BUNDLE_SUFFIX, FILE_BYTES_MAX,
    carry::{
        archive::{Archive, ArchiveError},
        embed::{self, EmbedError},
    },
    document::{self, DocumentError, DocumentFacts, Picture, Seal, Standing},
    files::{self, FileError},
    many,
    trust::{self, TrustError},
};

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is none, or it cannot be read.
    #[error(
        "the bundle: {0}; it is called like the document, with {BUNDLE_SUFFIX} at the end: keep both together, or name it \
        with --bundle FILE"
    )]
    File(#[from] FileError),
    /// It is not a bundle.
    #[error("{} is not a bundle that this program can read ({error}): ask the institution for it again, and check whether a \
        newer version of this program is needed", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        error: DecodeError,
    },
    /// There is one in the document or its archive, and it cannot be used.
    #[error("the bundle in {}: {reason}: ask the institution for it again", path.display())]
    Carried {
        /// The document or the archive.
        path: PathBuf,
        /// Why.
        reason: CarryError,
    },
}

/// Why a bundle that lies in another file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// In a JSON credential.
    #[error("{0}")]
    Embedded(#[from] EmbedError),
    /// In a ZIP.
    #[error("{0}")]
    Archived(#[from] ArchiveError),
    /// In a ZIP, and it is not a bundle.
    #[error("it is not a bundle that this program can read ({0})")]
    Malformed(#[from] DecodeError),
}

impl BundleError {
    const fn finding(&self) -> Finding {
        match self {
            Self::File(FileError::Missing { .. }) => Finding::BundleMissing,
            Self::File(_) | Self::Malformed { .. } | Self::Carried { .. } => Finding::BundleUnreadable,
        }
    }
}

/// The name of a file's bundle: the file's whole name and `.sigeli`.
#[must_use]
pub fn bundle_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(BUNDLE_SUFFIX);
    PathBuf::from(name)
}

/// Reads a bundle.
///
/// # Errors
/// [`BundleError`].
pub fn read_bundle(path: &Path) -> Result<Bundle, BundleError> {
    let limit = u64::try_from(BUNDLE_BYTES_MAX).unwrap_or(u64::MAX);
    let bytes = files::read(path, limit)?;
    Bundle::from_bytes(&bytes).map_err(|error| BundleError::Malformed { path: path.to_owned(), error })
}

/// The bundle of a document: beside it, else inside it. `beside` is what reading the file beside it gave.
///
/// # Errors
/// `beside`'s; [`BundleError::Carried`] when there is none beside and one inside that cannot be read.
pub fn bundle_of(file: &[u8], path: &Path, beside: Result<Bundle, BundleError>) -> Result<Bundle, BundleError> {
    let Err(BundleError::File(FileError::Missing { .. })) = &beside else { return beside };
    match embed::extract(file) {
        Ok(None) => beside,
        Ok(Some(bundle)) => Ok(bundle),
        Err(error) => Err(BundleError::Carried { path: path.to_owned(), reason: error.into() }),
    }
}

/// A document under the profile of its bundle.
#[derive(Debug, Clone)]
pub struct ReadDocument {
    /// Its digest.
    pub digest: DocumentDigest,
    /// Which of its bytes are covered by the digest.
    pub profile: Profile,
    /// The picture it was taken out of, if it is a baked badge.
    pub picture: Option<Picture>,
    /// What it says about itself; `None` where this program cannot read it.
    pub facts: Option<DocumentFacts>,
    /// The issuer's own seal.
    pub seal: Seal,
}

impl ReadDocument {
    /// What it adds to a report.
    fn reading(&self, report: &Report<'_>) -> Reading {
        let contradicts = self.facts.as_ref().zip(report.confirmed()).is_some_and(|(facts, confirmed)| {
            !document::contradictions(&facts.stated, confirmed.batch.into()).is_empty()
        });
        let seal = match self.seal {
            Seal::Absent => SealState::Absent,
            Seal::Valid { .. } => SealState::Valid,
            Seal::Broken => SealState::Broken,
            Seal::NotChecked { .. } => SealState::NotChecked,
        };
        Reading { contradicts, seal }
    }
}

/// Reads a document as its bundle's receipt says it was registered.
///
/// # Errors
/// [`DocumentError`]: then it is not the document that was registered, since that one could be read.
pub fn read_document(file: &[u8], bundle: &Bundle) -> Result<ReadDocument, DocumentError> {
    let profile = bundle.receipt.profile;
    let canonical = document::canonicalise(file, Some(profile))?;
    Ok(ReadDocument {
        digest: canonical.digest(),
        profile,
        picture: canonical.picture(),
        facts: canonical.facts(),
        seal: document::seal(file, profile),
    })
}

/// Everything that a verdict rests on, read from the disk.
#[derive(Debug)]
pub struct Evidence {
    /// The document under the bundle's profile, when there is a bundle.
    pub document: Option<Result<ReadDocument, DocumentError>>,
    /// The bundle.
    pub bundle: Result<Bundle, BundleError>,
    /// The trust file.
    pub trust: Result<Trust, TrustError>,
}

/// Where the evidence is.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The document.
    pub file: PathBuf,
    /// Its bundle; beside the document, or else inside it, when not named.
    pub bundle: Option<PathBuf>,
    /// The trust file; see [`trust::path`] when not named.
    pub trust: Option<PathBuf>,
}

impl Sources {
    /// Where the bundle is.
    #[must_use]
    pub fn bundle_path(&self) -> PathBuf {
        self.bundle.clone().unwrap_or_else(|| bundle_path(&self.file))
    }
}

impl Evidence {
    /// Reads the evidence. A bundle or trust file that is missing or unreadable is part of the evidence.
    ///
    /// # Errors
    /// [`FileError`] when the document itself cannot be read: there is nothing to judge then.
    pub fn read(sources: &Sources) -> Result<Self, FileError> {
        let file = files::read(&sources.file, FILE_BYTES_MAX)?;
        let trust = trust::path(sources.trust.as_deref()).and_then(|path| trust::read(&path));
        let beside = read_bundle(&sources.bundle_path());
        let bundle = if sources.bundle.is_some() { beside } else { bundle_of(&file, &sources.file, beside) };
        Ok(Self::of(&file, bundle, trust))
    }

    /// Reads the evidence on a document that lies in an archive: its bundle beside it there, or else inside it.
    ///
    /// # Errors
    /// [`ArchiveError`] when the document itself cannot be read.
    pub fn in_archive(
        archive: &mut Archive,
        path: &Path,
        index: usize,
        trust: Option<&Path>,
    ) -> Result<Self, ArchiveError> {
        let file = archive.read(index, FILE_BYTES_MAX)?;
        let name = archive.name(index).unwrap_or_default();
        let bundle = many::entry_bundle(archive, path, &name, &file);
        let trust = trust::path(trust).and_then(|path| trust::read(&path));
        Ok(Self::of(&file, bundle, trust))
    }

    /// Puts evidence together.
    #[must_use]
    pub fn of(file: &[u8], bundle: Result<Bundle, BundleError>, trust: Result<Trust, TrustError>) -> Self {
        let document = bundle.as_ref().ok().map(|bundle| read_document(file, bundle));
        Self { document, bundle, trust }
    }

    /// The document, if it could be read.
    #[must_use]
    pub fn read_document(&self) -> Option<&ReadDocument> {
        self.document.as_ref()?.as_ref().ok()
    }

    /// The eight lines and the verdict.
    #[must_use]
    pub fn judge(&self, freshness: Freshness) -> Report<'_> {
        judge_read(&self.bundle, self.trust.as_ref().ok(), self.document.as_ref(), freshness)
    }
}

/// The eight lines and the verdict on what was read. `document` is `None` where there is no bundle that says how to read it.
#[must_use]
pub fn judge_read<'a>(
    bundle: &'a Result<Bundle, BundleError>,
    trust: Option<&'a Trust>,
    document: Option<&Result<ReadDocument, DocumentError>>,
    freshness: Freshness,
) -> Report<'a> {
    let bundle = match bundle {
        Ok(bundle) => bundle,
        Err(error) => return Report::unchecked(CheckId::Registered, error.finding()),
    };
    let Some(trust) = trust else {
        return Report::unchecked(CheckId::Ledger, Finding::TrustUnreadable);
    };
    match document {
        Some(Ok(document)) => {
            let dates = dates(document.facts.as_ref(), freshness.at);
            let report = judge(bundle, &document.digest, trust, dates, freshness);
            let reading = document.reading(&report);
            report.with_reading(reading)
        }
        // A size limit is this program's; any other error means that the registered document was another one.
        Some(Err(DocumentError::JsonTooLarge { .. } | DocumentError::BadgeTooLarge)) | None => {
            Report::unchecked(CheckId::Document, Finding::DocumentUnreadable)
        }
        Some(Err(_)) => Report::unchecked(CheckId::Document, Finding::DocumentChanged),
    }
}

/// The document's own dates as the verdict takes them: only what is certain whichever time zone is meant.
fn dates(facts: Option<&DocumentFacts>, at: TimeMs) -> DocumentDates {
    let unreadable = DocumentDates::default();
    let Some(facts) = facts else { return unreadable };
    let ms = |unix_ms: i64| TimeMs::new(u64::try_from(unix_ms).unwrap_or(0));
    let readable = DocumentDates { readable: true, ..unreadable };
    match facts.standing_at(at) {
        Standing::Unclear => unreadable,
        Standing::Current => readable,
        // The verdict's end is the last moment that is still inside, the document's the first that is not.
        Standing::Expired => {
            let end = facts.valid_until.moment().map(|end| ms(end.latest_unix_ms().saturating_sub(1)));
            DocumentDates { until: end, ..readable }
        }
        Standing::NotYetValid => {
            DocumentDates { from: facts.valid_from.moment().map(|start| ms(start.earliest_unix_ms())), ..readable }
        }
    }
}
