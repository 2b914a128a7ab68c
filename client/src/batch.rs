//! A prepared batch on disk: what `prepare` leaves behind and `anchor` needs, from the first try to the last.
//!
//! | file | content | secret |
//! |---|---|---|
//! | `manifest.json` | what the batch is, and per file: name, path, profile, digest, leaf index | names of persons may show |
//! | `salts` | `SIGELIS` and version, then one 32-byte salt per file, in the manifest's order | yes: who has a salt can tell which entries of the ledger are about that credential |
//! | `leaves` | `SIGELIL` and version, then the 2^height leaves of the tree, decoys among them | no |
//! | `transaction` | the signed transaction last handed in, so that a retry hands in the same | no |
//!
//! All of it is readable by its owner alone, and stands under its name only when it is complete and on the disk. To be kept:
//! without the salts, a lost bundle cannot be made again and a credential without its bundle cannot be revoked.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sigeli_verifier::{
    batch::{BatchHeight, BatchTree},
    credential::{Profile, leaf_commitment},
    decode::Decode as _,
    encode::Encode as _,
    ids::{BatchRoot, DocumentDigest, EctsTenths, InstitutionId, Leaf, LeafIndex, PermissionId, Salt},
    params::{BATCH_LEAVES_MAX, TRANSACTION_BYTES_MAX},
    time::Day,
    transaction::{BatchAnchor, CredentialType, Field, HashAlgorithm, Level, SignedTransaction},
};

use crate::{
    files::{self, Access, FileError, StagedDirectory},
    values,
};

const MANIFEST: &str = "manifest.json";
const SALTS: &str = "salts";
const LEAVES: &str = "leaves";
const TRANSACTION: &str = "transaction";

const MANIFEST_FORMAT: &str = "sigeli-batch-1";
const SALTS_MAGIC: [u8; 8] = *b"SIGELIS\x01";
const LEAVES_MAGIC: [u8; 8] = *b"SIGELIL\x01";

/// Largest manifest that is read: 1,048,576 files of at most 4 KiB of text each.
const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * BATCH_LEAVES_MAX as u64;
/// Largest file of salts or leaves: the magic and 32 bytes for each leaf.
const HASHES_BYTES_MAX: u64 = 8 + 32 * BATCH_LEAVES_MAX as u64;

/// What every credential of a batch has in common: the public facts on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchFacts {
    /// The accreditation of the programme, by its number within the institution.
    pub accreditation: PermissionId,
    /// The level that the credentials state.
    pub level: Level,
    /// The field that the credentials state.
    pub field: Field,
    /// The credits that the credentials state.
    pub ects: EctsTenths,
    /// The date of issue that the credentials state.
    pub issued: Day,
    /// What the credentials are.
    pub credential_type: CredentialType,
}

/// One credential of a prepared batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedFile {
    /// The file's name; its bundle is called this and `.sigeli`.
    pub name: String,
    /// Where it was when the batch was prepared.
    pub path: PathBuf,
    /// Which of its bytes are hashed.
    pub profile: Profile,
    /// The digest of those bytes.
    pub document: DocumentDigest,
    /// Its salt.
    pub salt: Salt,
    /// Its place in the tree.
    pub index: LeafIndex,
}

impl PreparedFile {
    /// Its commitment, which stands in the tree.
    #[must_use]
    pub fn leaf(&self) -> Leaf {
        leaf_commitment(self.profile, &self.salt, &self.document)
    }
}

/// A batch, ready to be anchored. Its tree holds every file's leaf at its index.
#[derive(Debug, Clone)]
pub struct PreparedBatch {
    institution: InstitutionId,
    facts: BatchFacts,
    files: Vec<PreparedFile>,
    tree: BatchTree,
}

/// Why a directory is no batch that can be anchored.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// A file of it cannot be read or written.
    #[error("{0}")]
    File(#[from] FileError),
    /// It holds no batch.
    #[error("{} holds no prepared batch: prepare one with `sigeli batch prepare FILES… --out {}`",
        directory.display(), directory.display())]
    NotABatch {
        /// The directory.
        directory: PathBuf,
    },
    /// A file of it was changed or damaged since.
    #[error("{} was changed or damaged since the batch was prepared ({problem}): bring it back from your backup; \
        if the batch was not anchored yet, prepare it anew into another directory", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: Damage,
    },
}

/// What does not fit in a batch's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The manifest is no JSON of the expected shape.
    #[error("it is not of the expected form")]
    Form,
    /// The manifest is of a later version.
    #[error("it was written by a newer version of this program")]
    Version,
    /// A value in it is out of range.
    #[error("a value is out of range")]
    Value,
    /// It holds another number of entries than the manifest.
    #[error("it has the wrong length")]
    Length,
    /// The tree's root is another one than the manifest's.
    #[error("the leaves give another root")]
    Root,
    /// A file's leaf does not stand at its index.
    #[error("a file's salt and digest do not give its leaf")]
    Leaf,
}

impl PreparedBatch {
    /// Puts a batch together; `None` unless each file's leaf stands at its own index among the leaves.
    pub(crate) fn new(
        institution: InstitutionId,
        facts: BatchFacts,
        files: Vec<PreparedFile>,
        tree: BatchTree,
        leaves: &[Leaf],
    ) -> Option<Self> {
        let mut taken = std::collections::BTreeSet::new();
        let all_stand = files.iter().all(|file| {
            let at = usize::try_from(file.index.get()).ok().and_then(|index| leaves.get(index));
            taken.insert(file.index) && at == Some(&file.leaf())
        });
        (all_stand && !files.is_empty()).then_some(Self { institution, facts, files, tree })
    }

    /// The institution that issues it.
    #[must_use]
    pub const fn institution(&self) -> InstitutionId {
        self.institution
    }

    /// What its credentials have in common.
    #[must_use]
    pub const fn facts(&self) -> &BatchFacts {
        &self.facts
    }

    /// Its credentials, in the order in which they were named.
    #[must_use]
    pub fn files(&self) -> &[PreparedFile] {
        &self.files
    }

    /// Its tree.
    #[must_use]
    pub const fn tree(&self) -> &BatchTree {
        &self.tree
    }

    /// The root that is anchored.
    #[must_use]
    pub fn root(&self) -> BatchRoot {
        self.tree.root()
    }

    /// What the ledger is asked to anchor.
    #[must_use]
    pub fn anchor(&self) -> BatchAnchor {
        BatchAnchor {
            root: self.root(),
            height: self.tree.height(),
            hash_algorithm: HashAlgorithm::Blake3,
            accreditation: self.facts.accreditation,
            level: self.facts.level,
            field: self.facts.field,
            ects: self.facts.ects,
            issued: self.facts.issued,
            credential_type: self.facts.credential_type,
        }
    }

    /// Writes the batch as a new directory, which appears complete or not at all; durable on return.
    pub(crate) fn write(&self, directory: &Path, leaves: &[Leaf]) -> Result<(), FileError> {
        let staged = StagedDirectory::create(directory)?;
        let mut salts = zeroize::Zeroizing::new(SALTS_MAGIC.to_vec());
        // Reserved at once: a vector that grows would leave copies of salts behind.
        salts.reserve_exact(32 * self.files.len());
        self.files.iter().for_each(|file| salts.extend_from_slice(file.salt.as_bytes()));
        files::create(&staged.path().join(SALTS), &salts, Access::Owner)?;
        let mut hashes = LEAVES_MAGIC.to_vec();
        leaves.iter().for_each(|leaf| hashes.extend_from_slice(leaf.as_bytes()));
        files::create(&staged.path().join(LEAVES), &hashes, Access::Owner)?;
        files::create(&staged.path().join(MANIFEST), &self.manifest(), Access::Owner)?;
        staged.publish()
    }

    fn manifest(&self) -> Vec<u8> {
        let files = self.files.iter().map(|file| FileJson {
            name: file.name.clone(),
            path: file.path.clone(),
            profile: profile_name(file.profile).into(),
            document: file.document.to_string(),
            leaf_index: file.index.get(),
        });
        let manifest = ManifestJson {
            format: MANIFEST_FORMAT.into(),
            institution: self.institution.get(),
            accreditation: self.facts.accreditation.get(),
            level: self.facts.level.get(),
            field: self.facts.field.to_string(),
            ects: values::ects_text(self.facts.ects),
            issued: self.facts.issued.to_string(),
            credential_type: self.facts.credential_type.code(),
            height: self.tree.height().get(),
            root: self.root().to_string(),
            files: files.collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&manifest).expect("texts and numbers always serialise");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a batch, and checks that its parts fit together.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn open(directory: &Path) -> Result<Self, BatchError> {
        let path = directory.join(MANIFEST);
        let bytes = match files::read(&path, MANIFEST_BYTES_MAX) {
            Err(FileError::Missing { .. }) => return Err(BatchError::NotABatch { directory: directory.to_owned() }),
            read => read?,
        };
        let damaged = |problem| BatchError::Damaged { path: path.clone(), problem };
        let version = serde_json::from_slice::<FormatJson>(&bytes).map_err(|_| damaged(Damage::Form))?;
        if version.format != MANIFEST_FORMAT {
            return Err(damaged(Damage::Version));
        }
        let manifest = serde_json::from_slice::<ManifestJson>(&bytes).map_err(|_| damaged(Damage::Form))?;
        let (facts, height) = manifest.facts().ok_or_else(|| damaged(Damage::Value))?;
        let salts = read_hashes(&directory.join(SALTS), SALTS_MAGIC, manifest.files.len())?;
        let files = manifest.files.iter().zip(salts.iter()).map(|(file, salt)| file.prepared(Salt::new(*salt)));
        let files = files.collect::<Option<Vec<_>>>().ok_or_else(|| damaged(Damage::Value))?;

        let leaves_path = directory.join(LEAVES);
        let leaf_count = usize::try_from(height.leaf_count()).map_err(|_| damaged(Damage::Value))?;
        let leaves: Vec<_> =
            read_hashes(&leaves_path, LEAVES_MAGIC, leaf_count)?.iter().map(|hash| Leaf::new(*hash)).collect();
        let of_leaves = |problem| BatchError::Damaged { path: leaves_path.clone(), problem };
        let tree = BatchTree::new(&leaves).ok_or_else(|| of_leaves(Damage::Length))?;
        if tree.root().to_string() != manifest.root {
            return Err(of_leaves(Damage::Root));
        }
        let batch = Self::new(InstitutionId::new(manifest.institution), facts, files, tree, &leaves);
        batch.ok_or_else(|| BatchError::Damaged { path: directory.join(SALTS), problem: Damage::Leaf })
    }
}

/// The transaction that was last handed in for the batch, if one was and can be read. One that cannot be read is
/// none: the batch's root makes a second one harmless.
pub(crate) fn read_transaction(directory: &Path) -> Option<SignedTransaction> {
    let limit = u64::try_from(TRANSACTION_BYTES_MAX).unwrap_or(u64::MAX);
    let bytes = files::read(&directory.join(TRANSACTION), limit).ok()?;
    SignedTransaction::from_bytes(&bytes).ok()
}

/// Keeps the transaction that is about to be handed in; durable on return.
pub(crate) fn write_transaction(directory: &Path, signed: &SignedTransaction) -> Result<(), FileError> {
    files::replace(&directory.join(TRANSACTION), &signed.to_bytes(), Access::Owner)
}

fn read_hashes(path: &Path, magic: [u8; 8], count: usize) -> Result<zeroize::Zeroizing<Vec<[u8; 32]>>, BatchError> {
    let damaged = |problem| BatchError::Damaged { path: path.to_owned(), problem };
    let bytes = zeroize::Zeroizing::new(files::read(path, HASHES_BYTES_MAX)?);
    let hashes = bytes.strip_prefix(&magic).ok_or_else(|| damaged(Damage::Form))?;
    match hashes.as_chunks::<32>() {
        (hashes, []) if hashes.len() == count => Ok(zeroize::Zeroizing::new(hashes.to_vec())),
        _ => Err(damaged(Damage::Length)),
    }
}

#[derive(Deserialize)]
struct FormatJson {
    format: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestJson {
    format: String,
    institution: u32,
    accreditation: u32,
    level: u8,
    field: String,
    ects: String,
    issued: String,
    credential_type: u8,
    height: u8,
    root: String,
    files: Vec<FileJson>,
}

impl ManifestJson {
    fn facts(&self) -> Option<(BatchFacts, BatchHeight)> {
        let facts = BatchFacts {
            accreditation: PermissionId::new(self.accreditation),
            level: Level::new(self.level)?,
            field: values::parse_field(&self.field).ok()?,
            ects: values::parse_ects(&self.ects).ok()?,
            issued: values::parse_day(&self.issued).ok()?,
            credential_type: CredentialType::from_code(self.credential_type)?,
        };
        Some((facts, BatchHeight::new(self.height)?))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileJson {
    name: String,
    path: PathBuf,
    profile: String,
    document: String,
    leaf_index: u32,
}

impl FileJson {
    fn prepared(&self, salt: Salt) -> Option<PreparedFile> {
        let mut document = [0; 32];
        hex::decode_to_slice(&self.document, &mut document).ok()?;
        // A name with a separator would let a bundle be written elsewhere.
        let is_plain = Path::new(&self.name).file_name().is_some_and(|name| name == self.name.as_str());
        is_plain.then_some(PreparedFile {
            name: self.name.clone(),
            path: self.path.clone(),
            profile: profile_of(&self.profile)?,
            document: DocumentDigest::new(document),
            salt,
            index: LeafIndex::new(self.leaf_index),
        })
    }
}

/// The stable name of a profile.
#[must_use]
pub const fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Raw => "raw",
        Profile::Jcs => "jcs",
        Profile::Jws => "jws",
        Profile::Jades => "jades",
    }
}

fn profile_of(name: &str) -> Option<Profile> {
    [Profile::Raw, Profile::Jcs, Profile::Jws, Profile::Jades]
        .into_iter()
        .find(|profile| profile_name(*profile) == name)
}
