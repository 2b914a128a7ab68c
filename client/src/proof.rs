//! Fetching a proof and believing it only once it verifies.
//!
//! A stamp comes from one node and is checked by `sigeli-verifier` before anybody gets it: against the trust file if there is
//! one, else against the genesis hash and validators that the nodes themselves state. The latter catches a faulty node,
//! not a false one: only a trust file that came another way does.

use std::time::Duration;

use sigeli_verifier::{
    bundle::{Bundle, Receipt, StampFile, batch_tag, ledger_tag},
    ids::{BatchRoot, DocumentDigest, GenesisHash, Height, StatusHandle, TimeMs},
    transaction::Name,
    trust::{Checkpoint, Trust, TrustedLedger, TrustedSet},
    validators::ValidatorSet,
    verify::{self, VerifyError, handle_of},
};

use crate::{
    batch::{PreparedBatch, PreparedFile},
    remote::{Absent, LedgerStatus, Remote, RemoteError},
};

/// Why a proof was not obtained.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// No node gave an answer.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// The nodes are of a ledger that is not trusted.
    #[error("these nodes are of the ledger {genesis}, which the trust file does not list: check --node and --trust")]
    ForeignLedger {
        /// The ledger of the nodes.
        genesis: GenesisHash,
    },
    /// No node's proof verifies.
    #[error(
        "the nodes give a proof that does not verify ({error}): nothing was written. Tell the ledger's operators, and try \
        another node with --node"
    )]
    False {
        /// The step that failed.
        error: VerifyError,
    },
    /// The nodes do not yet know a height that is final.
    #[error(
        "the nodes have not caught up with block {height} yet: repeat the command in a minute; nothing is done twice"
    )]
    Behind {
        /// The height.
        height: Height,
    },
}

/// The nodes of a ledger, and what their proofs are checked against.
#[derive(Debug, Clone)]
pub(crate) struct Prover {
    remote: Remote,
    status: LedgerStatus,
    trust: Trust,
    is_pinned: bool,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) receipt: Receipt,
    pub(crate) document: DocumentDigest,
    pub(crate) root: BatchRoot,
    pub(crate) handle: StatusHandle,
    /// The stamp must be of this height or a later one.
    pub(crate) height_min: Height,
}

impl Question {
    /// About a credential of a prepared batch.
    pub(crate) fn of_prepared(batch: &PreparedBatch, file: &PreparedFile, height_min: Height) -> Self {
        let root = batch.root();
        let path = batch.tree().path(file.index).expect("an opened batch holds every file's index");
        let receipt = Receipt {
            profile: file.profile,
            salt: file.salt,
            institution: batch.institution(),
            batch: batch_tag(&root),
            path,
        };
        let handle = sigeli_verifier::credential::status_handle(&file.salt, &file.leaf());
        Self { receipt, document: file.document, root, handle, height_min }
    }

    /// About the document of a bundle, for a stamp that is not older than the one in it.
    pub(crate) fn of_bundle(bundle: &Bundle, document: DocumentDigest) -> Result<Self, VerifyError> {
        Ok(Self {
            receipt: bundle.receipt.clone(),
            document,
            root: verify::verify_document(bundle, &document)?,
            handle: handle_of(bundle, &document),
            height_min: bundle.stamp.stamp.header.height,
        })
    }
}

/// The pause before the nodes are asked again; doubled each time.
const PAUSE_FIRST: Duration = Duration::from_millis(100);

impl Prover {
    /// Asks the nodes which ledger they are of.
    pub(crate) async fn connect(remote: &Remote, trust: Option<&Trust>) -> Result<Self, ProofError> {
        let status = remote.status().await?;
        let remote = remote.clone();
        if let Some(trust) = trust {
            if !trust.ledgers().iter().any(|ledger| ledger.genesis == status.genesis) {
                return Err(ProofError::ForeignLedger { genesis: status.genesis });
            }
            return Ok(Self { remote, status, trust: trust.clone(), is_pinned: true });
        }
        let (header, _) = remote.final_header(None).await?;
        let set = remote.validators(header.height).await?;
        let checkpoint = Checkpoint { height: header.height, time: header.time, id: header.id() };
        let trust = stated(&status, checkpoint, set);
        Ok(Self { remote, status, trust, is_pinned: false })
    }

    pub(crate) const fn status(&self) -> &LedgerStatus {
        &self.status
    }

    /// A bundle that verifies. Asks again, also other nodes, until `patience` ends.
    pub(crate) async fn bundle(
        &self,
        question: &Question,
        with_permission: bool,
        patience: Duration,
    ) -> Result<Bundle, ProofError> {
        let started = tokio::time::Instant::now();
        let mut pause = PAUSE_FIRST;
        loop {
            let failure = match self.try_bundle(question, with_permission).await {
                Ok(bundle) => return Ok(bundle),
                Err(failure) => failure,
            };
            let may_pass = match &failure {
                ProofError::Remote(RemoteError::NotFound { what }) => *what == Absent::Batch,
                ProofError::Remote(error) => matches!(error, RemoteError::Unanswered { .. }),
                ProofError::Behind { .. } | ProofError::False { .. } => true,
                ProofError::ForeignLedger { .. } => false,
            };
            if !may_pass || started.elapsed() >= patience {
                return Err(failure);
            }
            self.remote.prefer_next();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    async fn try_bundle(&self, question: &Question, with_permission: bool) -> Result<Bundle, ProofError> {
        let receipt = question.receipt.clone();
        let stamp = self.remote.stamp(receipt.institution, &question.root, &question.handle, with_permission).await?;
        let height = stamp.stamp.header.height;
        if height < question.height_min {
            return Err(ProofError::Behind { height: question.height_min });
        }
        let bundle = Bundle { ledger: ledger_tag(&self.status.genesis), receipt, stamp };
        match verify::verify(&bundle, &question.document, &self.trust) {
            // That the batch's key was compromised is what a genuine node answers: the verdict says so.
            Ok(_) | Err(VerifyError::KeyCompromised { .. }) => Ok(bundle),
            Err(error) if self.is_pinned => Err(ProofError::False { error }),
            Err(_) => self.check_by_stated_set(bundle, question).await,
        }
    }

    /// The validators may have changed since the newest header was asked for.
    async fn check_by_stated_set(&self, bundle: Bundle, question: &Question) -> Result<Bundle, ProofError> {
        let set = self.remote.validators(bundle.stamp.stamp.header.height).await?;
        let newest = self.trust.ledgers().first().map(|ledger| ledger.checkpoint);
        let checkpoint = newest.expect("the stated trust holds one ledger");
        let trust = stated(&self.status, checkpoint, set);
        match verify::verify(&bundle, &question.document, &trust) {
            Ok(_) | Err(VerifyError::KeyCompromised { .. }) => {}
            Err(error) => return Err(ProofError::False { error }),
        }
        Ok(bundle)
    }
}

/// The height from which the key of a proved batch is void, if the batch was anchored with it from that height on: then
/// the batch does not stand.
pub(crate) fn compromised_from(bundle: &Bundle) -> Option<Height> {
    let stamp = &bundle.stamp.stamp;
    stamp.institution.compromised_from(stamp.batch.key).filter(|from| *from <= stamp.batch.anchored)
}

/// Trust in what the nodes state about themselves.
fn stated(status: &LedgerStatus, checkpoint: Checkpoint, set: ValidatorSet) -> Trust {
    let name = Name::new("").expect("an empty text is within every limit");
    let set = TrustedSet {
        first_height: Height::new(0),
        last_height: Height::new(u64::MAX),
        first_time: TimeMs::new(0),
        last_time: TimeMs::new(u64::MAX),
        set,
    };
    let ledger = TrustedLedger {
        genesis: status.genesis,
        kind: status.kind,
        name_ka: name.clone(),
        name_en: name,
        checkpoint,
        sets: vec![set],
    };
    Trust::new(vec![ledger]).expect("one ledger is within the limits")
}

/// The stamp of a bundle that verified.
pub(crate) fn height_and_time(stamp: &StampFile) -> (Height, TimeMs) {
    (stamp.stamp.header.height, stamp.stamp.header.time)
}
