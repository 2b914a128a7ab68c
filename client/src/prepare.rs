//! Files → canonical bytes → salted leaves → shuffled among decoys → batch tree → a directory on the disk.
//!
//! Nothing leaves the machine here, and nothing may leave it before [`prepare`] has returned: by then the salts, without
//! which a bundle can never be made again, are durable. What the ledger will see is one root over at least 16 leaves; it
//! tells neither how many credentials there are nor, without a salt, whether a document is among them.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

use sigeli_verifier::{
    batch::{BatchHeight, BatchTree},
    credential::Profile,
    ids::{DocumentDigest, InstitutionId, Leaf, LeafIndex, Salt},
    params::BATCH_LEAVES_MAX,
};

use crate::{
    BUNDLE_SUFFIX, FILE_BYTES_MAX, FILE_NAME_BYTES_MAX,
    batch::{BatchFacts, PreparedBatch, PreparedFile},
    document::{self, DocumentError},
    entropy::{Entropy, EntropyError},
    files::{self, FileError},
};

/// Which files are registered byte for byte instead of by their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AsFile {
    /// Only those that are no credentials in JSON or signed text, such as PDFs.
    #[default]
    Detected,
    /// Also those that look like JSON but that two programs might read differently.
    Refused,
    /// All.
    All,
}

/// What to prepare.
#[derive(Debug, Clone)]
pub struct PrepareRequest {
    /// The institution that issues the credentials.
    pub institution: InstitutionId,
    /// What the credentials have in common.
    pub facts: BatchFacts,
    /// The credentials, one file each.
    pub files: Vec<PathBuf>,
    /// Where the batch is put: a directory that is empty or does not exist.
    pub out: PathBuf,
    /// Which files are registered byte for byte.
    pub as_file: AsFile,
}

/// Why files cannot be made a batch. Nothing is left behind then.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A file cannot be read, or the directory cannot be written.
    #[error("{0}")]
    File(#[from] FileError),
    /// The directory already holds a batch.
    #[error("{} already holds a prepared batch: anchor it with `sigeli batch anchor {}`, or choose another directory for \
        this one", directory.display(), directory.display())]
    BatchExists {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory holds something else.
    #[error("{} is not empty: choose a directory that is empty or does not exist yet", directory.display())]
    NotEmpty {
        /// The directory.
        directory: PathBuf,
    },
    /// No file was named.
    #[error("name at least one file to register")]
    NoFiles,
    /// More files than a batch holds.
    #[error("{count} files are more than one batch holds ({BATCH_LEAVES_MAX}): prepare several batches")]
    TooManyFiles {
        /// How many were named.
        count: usize,
    },
    /// A file is empty.
    #[error("{} is empty: leave it out", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file is itself a bundle.
    #[error("{} is a bundle, not a credential: leave it out", path.display())]
    IsBundle {
        /// The file.
        path: PathBuf,
    },
    /// The bundle's name would be longer than file systems allow.
    #[error(
        "the name of {} is too long: with {BUNDLE_SUFFIX} at the end it would have {bytes} bytes, and {FILE_NAME_BYTES_MAX} \
         are possible (a Georgian letter takes 3): rename the file",
        path.display()
    )]
    NameTooLong {
        /// The file.
        path: PathBuf,
        /// The length of the bundle's name.
        bytes: usize,
    },
    /// A file's name is not text.
    #[error("the name of {} is not valid UTF-8 text: rename the file", path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// A document cannot be read strictly.
    #[error("{}: {error} (option --as-file)", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        error: DocumentError,
    },
    /// Several files have the same content.
    #[error("the same credential is named more than once; leave all but one of each line out:{}", listed(groups))]
    Duplicates {
        /// The files, grouped by content.
        groups: Vec<Vec<PathBuf>>,
    },
    /// Several files have the same name, or one is named twice.
    #[error(
        "files of the same name would get bundles of the same name; rename or leave out all but one of each line:{}",
        listed(groups)
    )]
    SameName {
        /// The files, grouped by name.
        groups: Vec<Vec<PathBuf>>,
    },
    /// No random numbers.
    #[error("{0}")]
    Entropy(#[from] EntropyError),
}

fn listed(groups: &[Vec<PathBuf>]) -> String {
    let line =
        |group: &Vec<PathBuf>| group.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    groups.iter().map(|group| format!("\n  {}", line(group))).collect()
}

/// Prepares a batch; durable on return. `progress` hears how many files were read.
///
/// # Errors
/// [`PrepareError`].
pub fn prepare(request: &PrepareRequest, progress: &mut dyn FnMut(usize)) -> Result<PreparedBatch, PrepareError> {
    check_out(&request.out)?;
    let count = u32::try_from(request.files.len()).unwrap_or(u32::MAX);
    if count == 0 {
        return Err(PrepareError::NoFiles);
    }
    let height =
        BatchHeight::for_credentials(count).ok_or(PrepareError::TooManyFiles { count: request.files.len() })?;
    check_names(&request.files)?;
    let mut documents = Vec::with_capacity(request.files.len());
    for path in &request.files {
        documents.push(read_document(path, request.as_file)?);
        progress(documents.len());
    }
    check_distinct(&request.files, &documents)?;
    let (files, leaves) = place(&request.files, &documents, height)?;
    let tree = BatchTree::new(&leaves).expect("the leaves are a power of two within the limits");
    let batch = PreparedBatch::new(request.institution, request.facts, files, tree, &leaves)
        .expect("every file's leaf was put at its index");
    match batch.write(&request.out, &leaves) {
        // Something was put there meanwhile.
        Err(FileError::Exists { .. }) => Err(check_out(&request.out)
            .err()
            .unwrap_or_else(|| PrepareError::NotEmpty { directory: request.out.clone() })),
        written => written.map(|()| batch).map_err(PrepareError::from),
    }
}

impl PreparedBatch {
    /// How many leaves stand for no credential.
    #[must_use]
    pub fn decoys(&self) -> u32 {
        let credentials = u32::try_from(self.files().len()).unwrap_or(u32::MAX);
        self.tree().height().leaf_count().saturating_sub(credentials)
    }
}

fn check_out(directory: &Path) -> Result<(), PrepareError> {
    let failed = |source| FileError::System { action: files::FileAction::Read, path: directory.to_owned(), source };
    match std::fs::read_dir(directory).map(|mut entries| entries.next().is_none()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error).into()),
        Ok(true) => Ok(()),
        Ok(false) if PreparedBatch::open(directory).is_ok() => {
            Err(PrepareError::BatchExists { directory: directory.to_owned() })
        }
        Ok(false) => Err(PrepareError::NotEmpty { directory: directory.to_owned() }),
    }
}

fn check_names(paths: &[PathBuf]) -> Result<(), PrepareError> {
    let mut by_name = BTreeMap::<&OsStr, Vec<PathBuf>>::new();
    for path in paths {
        let name = path.file_name().filter(|name| name.to_str().is_some());
        let name = name.ok_or_else(|| PrepareError::Name { path: path.clone() })?;
        if name.as_encoded_bytes().ends_with(BUNDLE_SUFFIX.as_bytes()) {
            return Err(PrepareError::IsBundle { path: path.clone() });
        }
        let bytes = name.len() + BUNDLE_SUFFIX.len();
        if bytes > FILE_NAME_BYTES_MAX {
            return Err(PrepareError::NameTooLong { path: path.clone(), bytes });
        }
        by_name.entry(name).or_default().push(path.clone());
    }
    let groups: Vec<_> = by_name.into_values().filter(|group| group.len() > 1).collect();
    if groups.is_empty() { Ok(()) } else { Err(PrepareError::SameName { groups }) }
}

fn read_document(path: &Path, as_file: AsFile) -> Result<(Profile, DocumentDigest), PrepareError> {
    let file = files::read(path, FILE_BYTES_MAX)?;
    if file.is_empty() {
        return Err(PrepareError::Empty { path: path.to_owned() });
    }
    let force = (as_file == AsFile::All).then_some(Profile::Raw);
    let canonical = match document::canonicalise(&file, force) {
        Err(_) if as_file == AsFile::Refused => document::canonicalise(&file, Some(Profile::Raw)),
        read => read,
    };
    let canonical = canonical.map_err(|error| PrepareError::Document { path: path.to_owned(), error })?;
    Ok((canonical.profile(), canonical.digest()))
}

fn check_distinct(paths: &[PathBuf], documents: &[(Profile, DocumentDigest)]) -> Result<(), PrepareError> {
    let mut by_content = BTreeMap::<DocumentDigest, Vec<PathBuf>>::new();
    for (path, (_, document)) in paths.iter().zip(documents) {
        by_content.entry(*document).or_default().push(path.clone());
    }
    let groups: Vec<_> = by_content.into_values().filter(|group| group.len() > 1).collect();
    if groups.is_empty() { Ok(()) } else { Err(PrepareError::Duplicates { groups }) }
}

/// Draws each file's salt and place. All other leaves are random, which nobody can tell from a commitment.
fn place(
    paths: &[PathBuf],
    documents: &[(Profile, DocumentDigest)],
    height: BatchHeight,
) -> Result<(Vec<PreparedFile>, Vec<Leaf>), PrepareError> {
    let mut entropy = Entropy::new();
    let mut leaves = Vec::new();
    for _ in 0..height.leaf_count() {
        leaves.push(Leaf::new(entropy.bytes()?));
    }
    // The first part of a Fisher-Yates shuffle: `free` ends in the places already given away.
    let mut free: Vec<u32> = (0..height.leaf_count()).collect();
    let mut files = Vec::with_capacity(paths.len());
    for (path, (profile, document)) in paths.iter().zip(documents) {
        let left = u32::try_from(free.len()).expect("a tree has at most 2^20 leaves");
        let drawn = usize::try_from(entropy.below(left)?).expect("an index of a list fits usize");
        let index = LeafIndex::new(free.swap_remove(drawn));
        let name = path.file_name().and_then(OsStr::to_str).expect("names were checked").to_owned();
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let file = PreparedFile {
            name,
            path,
            profile: *profile,
            document: *document,
            salt: Salt::new(entropy.bytes()?),
            index,
        };
        leaves[usize::try_from(index.get()).expect("an index of a list fits usize")] = file.leaf();
        files.push(file);
    }
    Ok((files, leaves))
}

#[cfg(test)]
mod tests;
