//! The library's front door: one value that stands for a ledger and its nodes, with what an institution and a verifier do.
//!
//! - **Several nodes.** A call goes to the node that answered last, then to the others in turn, each with a deadline; what one
//!   node says is not believed but proved, so that any of them will do.
//! - **Exactly once.** [`Sigeli::anchor`] writes the signed transaction beside the batch before it leaves the machine, and
//!   hands in these very bytes until they are decided; the ledger executes one id once, and one batch root once. So whatever
//!   failed, by crash, time-out or a pulled plug: call it again with the same directory. The same holds for
//!   [`Sigeli::revoke`] and its like, whose effect is compared with what is asked.
//! - **Deadlines.** Each call ends within [`Config::patience`], and says then whether the matter is undecided or failed.
//! - **Two flavours.** [`Sigeli`] is async (tokio); [`blocking::Sigeli`] is the same for programs that are not.
//!
//! What is not here, such as queries, audits and governance, is in the modules of the library, over [`Sigeli::remote`].
//! Runnable programs are in `client/examples`; `docs/integrate.md` is for other languages.

pub mod blocking;

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sigeli_verifier::{
    ids::{InstitutionId, PermissionId, TimeMs},
    time::Day,
    transaction::{StatusAction, StatusReason},
    trust::Trust,
    verdict::{Freshness, Report, Verdict},
};

use crate::{
    accreditation::{self, AccreditationError, Stated},
    anchor::{self, AnchorError, AnchorRequest, Anchored},
    batch::PreparedBatch,
    files::FileError,
    keys::SecretKey,
    prepare::{self, AsFile, PrepareError, PrepareRequest},
    remote::{LedgerStatus, Remote, RemoteError},
    signing,
    stamp::{self, StampError, StampRequest, Stamped},
    status::{self, StatusChanged, StatusError, StatusRequest},
    trust::{self, TrustError, UpdateError},
    verify::{Evidence, Sources, bundle_path},
};

/// Which ledger, through which nodes, and how long to go on.
#[derive(Debug, Clone)]
pub struct Config {
    /// Addresses of nodes, `http://HOST:PORT`, in order of preference. One is enough to work; several are independent of any
    /// one.
    pub nodes: Vec<String>,
    /// The trust file that every proof is checked against. Without it the nodes' own statements are: that finds a faulty
    /// node, not a false one.
    pub trust: Option<PathBuf>,
    /// How long one call may go on.
    pub patience: Duration,
}

impl Config {
    /// These nodes, this trust file, and the patience of the command line (5 minutes).
    #[must_use]
    pub fn new(nodes: Vec<String>, trust: Option<PathBuf>) -> Self {
        Self { nodes, trust, patience: signing::PATIENCE }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An address is wrong, or no node answers.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// The trust file cannot be used.
    #[error("{0}")]
    Trust(#[from] TrustError),
    /// The nodes are of a ledger that the trust file does not list.
    #[error("these nodes are of the ledger {}, which the trust file does not list", status.genesis)]
    ForeignLedger {
        /// What the nodes say they are.
        status: LedgerStatus,
    },
    /// The operating system gives no runtime (blocking only).
    #[error("cannot start the network runtime: {source}")]
    Runtime {
        /// What it says.
        source: std::io::Error,
    },
}

/// Why a batch was not prepared. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum PrepareOnlineError {
    /// The accreditation was not looked up.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// It does not cover the credentials.
    #[error("{0}")]
    Accreditation(#[from] AccreditationError),
    /// The files do not make a batch.
    #[error("{0}")]
    Prepare(#[from] PrepareError),
}

/// What to prepare.
#[derive(Debug, Clone)]
pub struct Prepare {
    /// The institution that issues.
    pub institution: InstitutionId,
    /// Its accreditation under which it issues.
    pub accreditation: PermissionId,
    /// The date of issue that the credentials bear.
    pub issued: Day,
    /// What the credentials say of level, field and credits, where the accreditation leaves a choice.
    pub stated: Stated,
    /// The credentials, one file each.
    pub files: Vec<PathBuf>,
    /// Where the batch is put: a directory that is empty or does not exist.
    pub out: PathBuf,
}

/// How a verification ended, and on what it rests.
#[derive(Debug)]
pub struct Verified {
    evidence: Evidence,
    freshness: Freshness,
    refresh: Option<StampError>,
}

impl Verified {
    /// The eight lines, the verdict, and what was confirmed.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        self.evidence.judge(self.freshness)
    }

    /// The verdict alone. Only [`Verdict::NotGenuine`] says that a document is false; no failure of a network, a node or a
    /// file ever leads to it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.report().verdict()
    }

    /// What was read: document, bundle, trust.
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Why no newer status was obtained, if one was asked for: then the stamp in the bundle was judged.
    #[must_use]
    pub const fn refresh_failure(&self) -> Option<&StampError> {
        self.refresh.as_ref()
    }
}

/// Verifies a document with the bundle beside it, offline: no socket is opened. `max_age` is the largest age of a status that
/// still counts as current.
///
/// # Errors
/// [`FileError`] when the document itself cannot be read. A bundle or trust file that is missing or damaged is part of the
/// verdict.
pub fn verify_offline(file: &Path, trust: Option<&Path>, max_age: Duration) -> Result<Verified, FileError> {
    let sources = Sources { file: file.to_owned(), bundle: None, trust: trust.map(Path::to_owned) };
    Ok(Verified { evidence: Evidence::read(&sources)?, freshness: freshness(max_age), refresh: None })
}

fn freshness(max_age: Duration) -> Freshness {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Freshness { at: TimeMs::new(ms(since)), max_age_ms: ms(max_age) }
}

/// A ledger, through its nodes. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Sigeli {
    config: Config,
    remote: Remote,
    trust: Option<Trust>,
    status: LedgerStatus,
}

impl Sigeli {
    /// Reads the trust file, asks the nodes which ledger they are of, and compares the two. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        let trust = config.trust.as_deref().map(trust::read).transpose()?;
        let remote = Remote::new(&config.nodes)?;
        let status = remote.status().await?;
        let is_listed = |trust: &Trust| trust.ledgers().iter().any(|ledger| ledger.genesis == status.genesis);
        if trust.as_ref().is_some_and(|trust| !is_listed(trust)) {
            return Err(ConnectError::ForeignLedger { status });
        }
        Ok(Self { config, remote, trust, status })
    }

    /// The ledger as it was when the connection was made.
    #[must_use]
    pub const fn status(&self) -> &LedgerStatus {
        &self.status
    }

    /// The nodes, for the functions of other modules.
    #[must_use]
    pub const fn remote(&self) -> &Remote {
        &self.remote
    }

    /// What proofs are checked against.
    #[must_use]
    pub const fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// Files → a batch on the disk. Nothing leaves the machine but the question for the accreditation.
    ///
    /// # Errors
    /// [`PrepareOnlineError`].
    pub async fn prepare(&self, request: &Prepare) -> Result<PreparedBatch, PrepareOnlineError> {
        let permissions = self.remote.permissions(request.institution).await?;
        let number = request.accreditation;
        let found = permissions.iter().find(|(found, _)| *found == number);
        let (_, record) = found.ok_or(AccreditationError::Missing { number })?;
        let facts = accreditation::facts_under(number, record, request.stated, request.issued)?;
        let request = PrepareRequest {
            institution: request.institution,
            facts,
            files: request.files.clone(),
            out: request.out.clone(),
            as_file: AsFile::Detected,
        };
        Ok(prepare::prepare(&request, &mut |_| {})?)
    }

    /// A prepared batch → the ledger → one verified bundle per credential, in the batch's directory. Exactly once: repeat it
    /// with the same directory after any failure.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub async fn anchor(&self, directory: &Path, key: &SecretKey) -> Result<Anchored, AnchorError> {
        let request = AnchorRequest {
            directory,
            key,
            trust: self.trust.as_ref(),
            with_permission: true,
            patience: self.config.patience,
        };
        anchor::anchor(&self.remote, &request, &mut |_| {}).await
    }

    /// Revokes a credential for good and refreshes the bundle beside it. Repeating it with the same reason finds it done.
    ///
    /// # Errors
    /// [`StatusError`].
    pub async fn revoke(
        &self,
        file: &Path,
        reason: StatusReason,
        key: &SecretKey,
    ) -> Result<StatusChanged, StatusError> {
        self.change(file, StatusAction::Revoke, reason, key).await
    }

    /// Suspends a credential until it is reinstated or revoked; the reason is that it is under review.
    ///
    /// # Errors
    /// [`StatusError`].
    pub async fn suspend(&self, file: &Path, key: &SecretKey) -> Result<StatusChanged, StatusError> {
        self.change(file, StatusAction::Suspend, StatusReason::UnderReview, key).await
    }

    /// Ends a suspension.
    ///
    /// # Errors
    /// [`StatusError`].
    pub async fn reinstate(&self, file: &Path, key: &SecretKey) -> Result<StatusChanged, StatusError> {
        self.change(file, StatusAction::Reinstate, StatusReason::ReviewEnded, key).await
    }

    async fn change(
        &self,
        file: &Path,
        action: StatusAction,
        reason: StatusReason,
        key: &SecretKey,
    ) -> Result<StatusChanged, StatusError> {
        let bundle = bundle_path(file);
        let request = StatusRequest {
            file,
            bundle: &bundle,
            institution: None,
            action,
            reason,
            key,
            trust: self.trust.as_ref(),
            patience: self.config.patience,
        };
        status::change(&self.remote, &request).await
    }

    /// Refreshes the stamp in the bundle beside a document, so that it verifies as up to date. Never goes back.
    ///
    /// # Errors
    /// [`StampError`]; the bundle is then as it was.
    pub async fn stamp(&self, file: &Path) -> Result<Stamped, StampError> {
        stamp::refresh(&self.remote, &self.stamp_request(file, &bundle_path(file), self.config.patience)).await
    }

    /// Verifies a document with the bundle beside it and the newest status that a node proves, without writing anything. If no
    /// node helps, the status in the bundle is judged by its age, and [`Verified::refresh_failure`] says why.
    ///
    /// # Errors
    /// [`FileError`] when the document itself cannot be read.
    pub async fn verify(&self, file: &Path, max_age: Duration) -> Result<Verified, FileError> {
        let mut verified = verify_offline(file, self.config.trust.as_deref(), max_age)?;
        if verified.evidence.bundle.is_ok() {
            let bundle = bundle_path(file);
            let patience = self.config.patience.min(signing::PATIENCE_READING);
            match stamp::fetch(&self.remote, &self.stamp_request(file, &bundle, patience)).await {
                Ok(newer) => verified.evidence.bundle = Ok(newer),
                Err(error) => verified.refresh = Some(error),
            }
        }
        Ok(verified)
    }

    fn stamp_request<'a>(&'a self, file: &'a Path, bundle: &'a Path, patience: Duration) -> StampRequest<'a> {
        StampRequest { file, bundle, trust: self.trust.as_ref(), with_permission: true, patience }
    }

    /// Follows the ledger by certificates alone and replaces the trust file by one that is pinned to the newest block, if it
    /// was pinned at most [`trust::MAX_AGE`] ago. Answers how often the validators changed.
    ///
    /// # Errors
    /// [`FollowError`]; the file is then as it was.
    pub async fn follow(&mut self) -> Result<usize, FollowError> {
        let path = self.config.trust.as_deref().ok_or(TrustError::Unnamed)?;
        let known = trust::read(path)?;
        let updated = trust::update(&self.remote, &known, freshness(trust::MAX_AGE), self.config.patience).await?;
        if updated.trust != known {
            trust::write(path, &updated.trust)?;
        }
        self.trust = Some(updated.trust);
        Ok(updated.changes)
    }
}

/// Why the trust file does not follow the ledger.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The file cannot be read or written, or none was named.
    #[error("{0}")]
    Trust(#[from] TrustError),
    /// The nodes do not lead on from it.
    #[error("{0}")]
    Update(#[from] UpdateError),
}
