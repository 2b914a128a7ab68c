//! One round over many credentials: plan, download, compute, verify, write.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

use sigeli_verifier::{
    bundle::{Bundle, StampFile, StatusFinding, ledger_tag},
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    ids::{BatchRoot, Height, InstitutionId, RegisterRoot, StatusHandle, TimeMs},
    record::{StatusRecord, status_key},
    register::value_hash,
    trust::Trust,
    verdict::Freshness,
    verify::{self as verifier, VerifyError, handle_of},
};

use super::{
    cover::{Cover, Found},
    plan::{OfInstitution, Plan, Wanted},
};
use crate::{
    FILE_BYTES_MAX,
    carry::embed::{self, EmbedError},
    entropy::{Entropy, EntropyError},
    files::{self, Access, FileError},
    many::documents,
    query::node::{QueryError, Reader},
    remote::{Remote, RemoteError},
    verify::{self, BundleError, bundle_path},
};

/// The pause before a node is asked again that has changed in between; doubled each time.
const PAUSE_FIRST: Duration = Duration::from_millis(200);

/// What to refresh, and how.
#[derive(Debug, Clone, Copy)]
pub struct RefreshRequest<'a> {
    /// Files, and folders with all documents below them.
    pub paths: &'a [PathBuf],
    /// What proofs are checked against.
    pub trust: &'a Trust,
    /// The time, and how old an answer may be.
    pub freshness: Freshness,
    /// Whether bundles shall carry the accreditation's record.
    pub with_permission: bool,
    /// The fewest credentials that shall share a prefix which a node is told.
    pub anonymity_min: u64,
    /// How long to go on when the nodes' answers do not fit together.
    pub patience: Duration,
}

/// Why a credential's bundle was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum Skipped {
    /// A file cannot be read or written.
    #[error("{0}")]
    File(#[from] FileError),
    /// There is no bundle that can be read.
    #[error("{0}")]
    Bundle(#[from] BundleError),
    /// The document is not the bundle's.
    #[error("it was changed, or is not the document that its bundle was made for")]
    OtherDocument,
    /// The bundle is of another ledger.
    #[error("its bundle is of another ledger than these nodes")]
    OtherLedger,
    /// The institution or its batch is not on the ledger.
    #[error("the nodes do not know its batch")]
    Unknown,
    /// No node has a proof that verifies, or is as new as the bundle.
    #[error("no node gave a proof that verifies ({error})")]
    False {
        /// The step that failed.
        error: VerifyError,
    },
    /// The bundle at hand is newer than what the nodes have.
    #[error("its bundle is newer than what the nodes have: repeat the command later")]
    Behind,
    /// The bundle cannot be put back into the document.
    #[error("{0}")]
    Embed(#[from] EmbedError),
}

/// Why nothing more was refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// A file or folder cannot be read.
    #[error("{0}")]
    File(#[from] FileError),
    /// The nodes do not answer, or not truly.
    #[error("{0}")]
    Query(#[from] QueryError),
    /// The nodes do not answer.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// No randomness.
    #[error("{0}")]
    Entropy(#[from] EntropyError),
    /// A proved entry of the statuses is no status.
    #[error("a node's answer is refused: a status cannot be read ({0})")]
    Status(DecodeError),
    /// The statuses changed each time while they were downloaded.
    #[error("the statuses of institution {institution} changed again and again while they were downloaded: try again")]
    Unsettled {
        /// The institution.
        institution: InstitutionId,
    },
}

/// A credential with its new bundle.
#[derive(Debug)]
pub struct Renewed {
    /// The document.
    pub file: PathBuf,
    /// The bundle, which verified.
    pub bundle: Bundle,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Refreshed {
    /// How many bundles are new.
    pub renewed: u64,
    /// The oldest block that any of them speaks of, and its time.
    pub as_of: Option<(Height, TimeMs)>,
    /// Which were left as they are, and why.
    pub skipped: Vec<(PathBuf, Skipped)>,
    /// The longest prefix of status keys, in bits, that a node was told.
    pub told_bits: u8,
    /// The fewest leaves of a batch that a node was asked about.
    pub batch_leaves_min: Option<u32>,
}

/// Gets new stamps for all credentials, and hands each verified bundle to `take`, which keeps it: [`write`] does.
///
/// # Errors
/// [`RefreshError`]; what was taken before stands.
pub async fn refresh(
    remote: &Remote,
    request: &RefreshRequest<'_>,
    take: &mut dyn FnMut(Renewed) -> Result<(), Skipped>,
) -> Result<Refreshed, RefreshError> {
    let reader = Reader::new(remote.clone(), request.trust, request.freshness).await?;
    let mut done = Refreshed::default();
    let plan = plan(&reader, request, &mut done)?;
    let mut round = Round { remote, reader, request, take, done };
    for (institution, of) in &plan {
        round.institution(*institution, of).await?;
    }
    Ok(round.done)
}

/// Puts a new bundle where the old one is: beside its document, or else inside it. In one step.
///
/// # Errors
/// [`Skipped::File`], [`Skipped::Embed`].
pub fn write(renewed: &Renewed) -> Result<(), Skipped> {
    let beside = bundle_path(&renewed.file);
    if beside.exists() {
        return Ok(files::replace(&beside, &renewed.bundle.to_bytes(), Access::Everyone)?);
    }
    let document = files::read(&renewed.file, FILE_BYTES_MAX)?;
    Ok(files::replace(&renewed.file, &embed::embed(&document, &renewed.bundle)?, Access::Everyone)?)
}

fn bundle_at(file: &Path, document: &[u8]) -> Result<Bundle, BundleError> {
    verify::bundle_of(document, file, verify::read_bundle(&bundle_path(file)))
}

/// Reads documents and bundles, one at a time, and groups what is asked about them.
fn plan(reader: &Reader, request: &RefreshRequest<'_>, done: &mut Refreshed) -> Result<Plan, RefreshError> {
    let ledger = ledger_tag(&reader.ledger().genesis);
    let mut plan = Plan::new();
    for file in documents(request.paths)? {
        let read = || {
            let content = files::read(&file, FILE_BYTES_MAX)?;
            let bundle = bundle_at(&file, &content)?;
            if bundle.ledger != ledger {
                return Err(Skipped::OtherLedger);
            }
            let document = verify::read_document(&content, &bundle).map_err(|_| Skipped::OtherDocument)?;
            let root = verifier::verify_document(&bundle, &document.digest).map_err(|_| Skipped::OtherDocument)?;
            Ok((bundle, document.digest, root))
        };
        let (bundle, digest, root) = match read() {
            Ok(read) => read,
            Err(why) => {
                done.skipped.push((file, why));
                continue;
            }
        };
        let key = status_key(&handle_of(&bundle, &digest));
        let height = bundle.receipt.path.height();
        let of = plan.entry(bundle.receipt.institution).or_default();
        of.batches.entry(root).or_insert_with(|| (height, Vec::new())).1.push(Wanted { file, digest, key });
    }
    Ok(plan)
}

struct Round<'a> {
    remote: &'a Remote,
    reader: Reader,
    request: &'a RefreshRequest<'a>,
    take: &'a mut dyn FnMut(Renewed) -> Result<(), Skipped>,
    done: Refreshed,
}

/// Downloaded statuses, all of one root.
struct Covers {
    root: RegisterRoot,
    covers: Vec<Cover>,
}

impl Round<'_> {
    async fn institution(&mut self, institution: InstitutionId, of: &OfInstitution) -> Result<(), RefreshError> {
        let mut covers = match self.covers(institution, of).await {
            Ok(covers) => covers,
            Err(RefreshError::Query(QueryError::NoInstitution { .. })) => {
                for wanted in of.batches.values().flat_map(|(_, wanted)| wanted) {
                    self.done.skipped.push((wanted.file.clone(), Skipped::Unknown));
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for (root, (height, wanted)) in &of.batches {
            let leaves = height.leaf_count();
            self.done.batch_leaves_min = Some(self.done.batch_leaves_min.map_or(leaves, |least| least.min(leaves)));
            let started = tokio::time::Instant::now();
            let mut pause = PAUSE_FIRST;
            let stamp = loop {
                let Some((stamp, statuses)) = self.batch_stamp(institution, root).await? else { break None };
                let is_settled = statuses == covers.root;
                let is_late = started.elapsed() >= self.request.patience;
                if is_settled && (is_late || !self.is_false(wanted, &stamp, &covers)?) {
                    break Some(stamp);
                }
                // Something was written about another credential in between, or this node is behind or wrong.
                if is_late {
                    return Err(RefreshError::Unsettled { institution });
                }
                self.remote.prefer_next();
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
                covers = self.covers(institution, of).await?;
            };
            for wanted in wanted {
                let renewed = match &stamp {
                    Some(stamp) => self.renew(wanted, stamp, &covers)?,
                    None => Err(Skipped::Unknown),
                };
                if let Err(why) = renewed.and_then(|renewed| self.keep(renewed)) {
                    self.done.skipped.push((wanted.file.clone(), why));
                }
            }
        }
        Ok(())
    }

    /// Whether a node's stamp does not verify for the first credential of a batch: then it does for none.
    fn is_false(&self, wanted: &[Wanted], stamp: &StampFile, covers: &Covers) -> Result<bool, RefreshError> {
        let Some(first) = wanted.first() else { return Ok(false) };
        Ok(matches!(self.renew(first, stamp, covers)?, Err(Skipped::False { .. })))
    }

    fn keep(&mut self, renewed: Renewed) -> Result<(), Skipped> {
        let header = renewed.bundle.stamp.stamp.header;
        (self.take)(renewed)?;
        self.done.renewed += 1;
        let as_of = (header.height, header.time);
        self.done.as_of = Some(self.done.as_of.map_or(as_of, |oldest| oldest.min(as_of)));
        Ok(())
    }

    /// Downloads what is written around the credentials, until all parts are of one root.
    async fn covers(&mut self, institution: InstitutionId, of: &OfInstitution) -> Result<Covers, RefreshError> {
        let wanted: HashSet<[u8; 32]> =
            of.batches.values().flat_map(|(_, wanted)| wanted).map(|wanted| wanted.key.get()).collect();
        let prefixes = of.prefixes(self.request.anonymity_min);
        let started = tokio::time::Instant::now();
        'again: loop {
            let mut covers = Covers { root: RegisterRoot::EMPTY, covers: Vec::new() };
            for prefix in &prefixes {
                self.done.told_bits = self.done.told_bits.max(prefix.length());
                let (register, proof) = self.reader.proved_statuses(institution, *prefix).await?;
                let Some(found) = &register.institution else {
                    return Err(QueryError::NoInstitution { institution }.into());
                };
                let root = found.proof.registers.statuses;
                if covers.covers.is_empty() {
                    covers.root = root;
                } else if covers.root != root {
                    if started.elapsed() >= self.request.patience {
                        return Err(RefreshError::Unsettled { institution });
                    }
                    continue 'again;
                }
                let mut values = HashMap::new();
                let leaves: Vec<_> = register
                    .entries
                    .iter()
                    .map(|entry| {
                        let key = entry.key();
                        if wanted.contains(key.as_bytes()) {
                            values.insert(key.get(), entry.value.to_vec());
                        }
                        (key, value_hash(&entry.value))
                    })
                    .collect();
                covers.covers.push(Cover::new(*prefix, &leaves, values, proof));
            }
            return Ok(covers);
        }
    }

    /// The stamp of nobody's credential in a batch, and the statuses root that it is under; `None` where no such batch is
    /// known.
    async fn batch_stamp(
        &self,
        institution: InstitutionId,
        root: &BatchRoot,
    ) -> Result<Option<(StampFile, RegisterRoot)>, RefreshError> {
        let handle = StatusHandle::new(Entropy::new().bytes()?);
        let stamp = match self.remote.stamp(institution, root, &handle, self.request.with_permission).await {
            Ok(stamp) => stamp,
            Err(RemoteError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let path = &stamp.stamp.status_path;
        let statuses = match &stamp.stamp.status {
            StatusFinding::Absent(terminal) => path.root_without(&status_key(&handle), terminal),
            // A status of a handle that is nobody's is no answer; the zero root fits no download.
            StatusFinding::Present(_) => Ok(RegisterRoot::new([0xFF; 32])),
        };
        Ok(Some((stamp, statuses.unwrap_or(RegisterRoot::new([0xFF; 32])))))
    }

    /// The new bundle of a credential, verified.
    fn renew(
        &self,
        wanted: &Wanted,
        stamp: &StampFile,
        covers: &Covers,
    ) -> Result<Result<Renewed, Skipped>, RefreshError> {
        let cover = covers.covers.iter().find(|cover| cover.prefix().contains(&wanted.key));
        let found = cover.and_then(|cover| cover.find(&wanted.key));
        let (found, status_path) = found.expect("all prefixes and values of what is wanted were downloaded");
        let status = match found {
            Found::Absent(terminal) => StatusFinding::Absent(terminal),
            Found::Present(value) => {
                StatusFinding::Present(StatusRecord::from_bytes(value).map_err(RefreshError::Status)?)
            }
        };
        let mut stamp = stamp.clone();
        (stamp.stamp.status, stamp.stamp.status_path) = (status, status_path);
        Ok(self.checked(wanted, stamp))
    }

    fn checked(&self, wanted: &Wanted, stamp: StampFile) -> Result<Renewed, Skipped> {
        // The document was read when all this was planned; its bundle is read again, since another run may have refreshed it.
        let old = match verify::read_bundle(&bundle_path(&wanted.file)) {
            Err(BundleError::File(FileError::Missing { .. })) => {
                bundle_at(&wanted.file, &files::read(&wanted.file, FILE_BYTES_MAX)?)?
            }
            other => other?,
        };
        if stamp.stamp.header.height < old.stamp.stamp.header.height {
            return Err(Skipped::Behind);
        }
        let bundle = Bundle { ledger: old.ledger, receipt: old.receipt, stamp };
        match verifier::verify(&bundle, &wanted.digest, self.request.trust) {
            // That the batch's key was compromised is what a genuine node answers: the verdict says so.
            Ok(_) | Err(VerifyError::KeyCompromised { .. }) => Ok(Renewed { file: wanted.file.clone(), bundle }),
            Err(error) => Err(Skipped::False { error }),
        }
    }
}
