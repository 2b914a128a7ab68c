//! The node behind its gRPC edge: reads come from snapshots of the store, writes go to the consensus thread.

mod register;

use std::{sync::Arc, time::Duration};

use sigeli_ledger::{
    outcome::Rejection,
    prove::{self, ProveError, Subject},
    state::View,
    store::{Head, Snapshot, StoreError, StoreReader as _},
};
use sigeli_store::{RocksReader, evidence_place};
use sigeli_verifier::{
    codes::NetworkKind,
    evidence::Evidence,
    ids::{AuthorityId, GenesisHash, Height, InstitutionId, KeyIndex, PermissionId, ProgrammeId, TransactionId},
    proof::StateProof,
    record::{InstitutionFacts, KeyRecord, PermissionRecord, ProgrammeRecord, permission_content},
    transaction::{Payload, PermissionReplace, Sender, SignedTransaction},
    validators::ValidatorSet,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use self::register::Ended;
use crate::{
    grpc::{
        AuthorityAnswer, Backend, BackendError, BatchAnswer, BatchQuery, BatchesAnswer, BatchesQuery, BlockAnswer,
        Committed, Created, DownloadError, DownloadQuery, GovernanceAnswer, HeaderAnswer, HeaderAt, InstitutionFound,
        InstitutionsQuery, KeysQuery, NodeStatus, Outcome, Page, Parts, PermissionAnswer, PermissionQuery,
        PermissionsQuery, ProgrammesQuery, StampAnswer, StampQuery,
    },
    network::Network,
    progress::{Progress, Refusals},
};

/// What the consensus thread answers to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The mempool holds it.
    Pooled,
    /// The ledger refuses it.
    Rejected(Rejection),
    /// The mempool is full.
    Full,
}

/// A transaction on its way to the consensus thread.
#[derive(Debug)]
pub struct Submission {
    /// The transaction.
    pub transaction: SignedTransaction,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Admission>,
}

/// Answers the edge.
#[derive(Debug)]
pub struct NodeBackend {
    /// The operator's name for the node.
    pub name: String,
    /// The ledger.
    pub genesis_hash: GenesisHash,
    /// Whether what it says counts.
    pub kind: NetworkKind,
    /// The canonical genesis document.
    pub genesis: Arc<[u8]>,
    /// Snapshots.
    pub reader: RocksReader,
    /// The way to the consensus thread; bounded.
    pub submissions: mpsc::Sender<Submission>,
    /// Where the node is; changes with every commit and every refusal.
    pub progress: watch::Receiver<Progress>,
    /// Whether the node is fit to serve.
    pub ready: watch::Receiver<bool>,
    /// Transactions refused lately, after they had been pooled.
    pub refusals: Arc<Refusals>,
    /// The network, for the number of peers.
    pub network: Network,
    /// Told when the store fails.
    pub failed: mpsc::Sender<StoreError>,
}

impl NodeBackend {
    fn report(&self, error: StoreError) {
        tracing::error!(%error, "the store failed while answering a request");
        // A full channel means that a failure is already under way.
        if self.failed.try_send(error).is_err() {
            tracing::debug!("the node is already stopping");
        }
    }

    /// Reads from one snapshot. A storage failure goes to whoever stops the node.
    fn query<T>(
        &self,
        query: impl FnOnce(&sigeli_store::RocksSnapshot<'_>) -> Result<T, StoreError>,
    ) -> Result<T, BackendError> {
        query(&self.reader.snapshot()).map_err(|error| {
            self.report(error);
            BackendError::Internal
        })
    }

    fn prove_error(&self, error: ProveError) -> BackendError {
        match error {
            ProveError::NothingCommitted => BackendError::NotReady,
            ProveError::UnknownInstitution { .. } => BackendError::InstitutionNotFound,
            ProveError::UnknownBatch => BackendError::BatchNotFound,
            ProveError::Store(error) => {
                self.report(error);
                BackendError::Internal
            }
        }
    }

    /// Builds a proof of a few paths from one snapshot.
    fn prove<T>(
        &self,
        prove: impl FnOnce(&sigeli_store::RocksSnapshot<'_>) -> Result<T, ProveError>,
    ) -> Result<T, BackendError> {
        prove(&self.reader.snapshot()).map_err(|error| self.prove_error(error))
    }

    /// Builds a proof of many paths from one snapshot, on a thread for blocking work.
    async fn prove_many<T: Send + 'static>(
        &self,
        prove: impl FnOnce(&sigeli_store::RocksSnapshot<'_>) -> Result<T, ProveError> + Send + 'static,
    ) -> Result<T, BackendError> {
        let reader = self.reader.clone();
        let work = move || prove(&reader.snapshot());
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result.map_err(|error| self.prove_error(error)),
            // The runtime is ending, or the work has panicked and said so.
            Err(error) if error.is_cancelled() => Err(BackendError::NotReady),
            Err(_) => Err(BackendError::Internal),
        }
    }

    /// Where a transaction stands now, without the mempool.
    fn committed(&self, id: &TransactionId) -> Result<Option<Committed>, BackendError> {
        self.query(|snapshot| {
            let Some(place) = snapshot.transaction(id)? else { return Ok(None) };
            let missing = StoreError::Corrupt { what: "block of an indexed transaction (missing)" };
            let (block, _) = snapshot.block(place.height)?.ok_or_else(|| missing.clone())?;
            let index = usize::try_from(place.index).unwrap_or(usize::MAX);
            let transaction = block.transactions.get(index).ok_or(missing)?;
            let created = created(snapshot, transaction)?;
            let header = block.header;
            Ok(Some(Committed {
                height: place.height,
                index: place.index,
                block: header.id(),
                time: header.time,
                created,
            }))
        })
    }

    /// Waits until a transaction is committed or refused, or time is up; `pooled` says what it is then.
    async fn settle(&self, id: TransactionId, wait: Duration, pooled: bool) -> Result<Outcome, BackendError> {
        let deadline = Instant::now() + wait;
        let mut progress = self.progress.clone();
        loop {
            progress.borrow_and_update();
            if let Some(committed) = self.committed(&id)? {
                return Ok(Outcome::Committed(committed));
            }
            if let Some(rejection) = self.refusals.get(&id) {
                return Ok(Outcome::Rejected(rejection));
            }
            match tokio::time::timeout_at(deadline, progress.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(BackendError::NotReady),
                Err(_) => return Ok(if pooled { Outcome::Pending } else { Outcome::Unknown }),
            }
        }
    }
}

/// What a committed transaction created.
fn created(snapshot: &impl Snapshot, transaction: &SignedTransaction) -> Result<Created, StoreError> {
    let view = View::new(snapshot);
    let body = transaction.body();
    match (&body.payload, body.sender) {
        (Payload::BatchAnchor(anchor), Sender::Institution { institution }) => {
            let batch = view.batch(institution, &anchor.root)?;
            Ok(batch.map_or(Created::Nothing, |batch| Created::Batch(batch.sequence)))
        }
        (
            Payload::PermissionGrant(grant) | Payload::PermissionReplace(PermissionReplace { grant, .. }),
            Sender::Authority { authority, .. },
        ) => {
            let content = permission_content(authority, &grant.decision, &grant.scope);
            let found = view.permission_by_content(grant.institution, &content)?;
            Ok(found.map_or(Created::Nothing, Created::Permission))
        }
        (Payload::PermissionAnnul(annul), Sender::Authority { authority, .. }) => {
            let Some(old) = view.permission(annul.institution, annul.permission)? else { return Ok(Created::Nothing) };
            let content = permission_content(authority, &annul.decision, &old.scope);
            let found = view.permission_by_content(annul.institution, &content)?;
            Ok(found.map_or(Created::Nothing, Created::Permission))
        }
        _ => Ok(Created::Nothing),
    }
}

fn head(snapshot: &impl Snapshot) -> Result<Head, StoreError> {
    snapshot.head()?.ok_or(StoreError::Corrupt { what: "head (missing)" })
}

#[tonic::async_trait]
impl Backend for NodeBackend {
    async fn submit(&self, transaction: SignedTransaction, wait: Duration) -> Result<Outcome, BackendError> {
        let id = transaction.id();
        // A replay of what is final needs no place in a queue.
        if let Some(Committed { height, .. }) = self.committed(&id)? {
            return Ok(Outcome::Rejected(Rejection::AlreadyCommitted { height }));
        }
        let (reply, answer) = oneshot::channel();
        self.submissions.try_send(Submission { transaction, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => BackendError::Busy,
            mpsc::error::TrySendError::Closed(_) => BackendError::NotReady,
        })?;
        match answer.await.map_err(|_| BackendError::NotReady)? {
            Admission::Pooled if wait.is_zero() => Ok(Outcome::Pending),
            Admission::Pooled => self.settle(id, wait, true).await,
            Admission::Rejected(rejection) => Ok(Outcome::Rejected(rejection)),
            Admission::Full => Err(BackendError::Busy),
        }
    }

    async fn transaction(&self, id: TransactionId, wait: Duration) -> Result<Outcome, BackendError> {
        self.settle(id, wait, false).await
    }

    async fn stamp(&self, query: StampQuery) -> Result<StampAnswer, BackendError> {
        let subject = Subject { institution: query.institution, batch: query.root, handle: query.handle };
        let answer = prove::stamp(&self.reader.snapshot(), &subject, query.with_permission);
        let stamp = answer.map_err(|error| self.prove_error(error))?;
        let (height, time) = (stamp.stamp.header.height, stamp.stamp.header.time);
        Ok(StampAnswer { stamp, height, time })
    }

    async fn header(&self, at: HeaderAt) -> Result<HeaderAnswer, BackendError> {
        let found = self.query(|snapshot| {
            let height = match at {
                HeaderAt::Height(height) => height,
                HeaderAt::Latest => head(snapshot)?.header.height,
            };
            snapshot.block(height)
        })?;
        let (block, certificate) = found.ok_or(BackendError::HeightNotFound)?;
        Ok(HeaderAnswer { header: block.header, certificate })
    }

    async fn status(&self) -> Result<NodeStatus, BackendError> {
        let head = self.query(|snapshot| head(snapshot))?;
        let progress = *self.progress.borrow();
        Ok(NodeStatus {
            name: self.name.clone(),
            height: head.header.height,
            header: head.id,
            state_root: head.header.state_root,
            time: head.header.time,
            genesis: self.genesis_hash,
            network: self.kind,
            peers: u32::try_from(self.network.connected().len()).unwrap_or(u32::MAX),
            syncing: progress.syncing,
            mempool_transactions: progress.mempool_transactions,
        })
    }

    async fn genesis(&self) -> Result<Arc<[u8]>, BackendError> {
        Ok(Arc::clone(&self.genesis))
    }

    async fn authority(&self, authority: AuthorityId) -> Result<AuthorityAnswer, BackendError> {
        self.prove(|snapshot| register::authority(snapshot, authority))?.ok_or(BackendError::AuthorityNotFound)
    }

    async fn state_proof(&self) -> Result<StateProof, BackendError> {
        self.prove(|snapshot| prove::state_proof(snapshot))
    }

    async fn governance(&self) -> Result<GovernanceAnswer, BackendError> {
        self.prove(|snapshot| register::governance(snapshot))
    }

    async fn institution(&self, institution: InstitutionId) -> Result<InstitutionFound, BackendError> {
        self.prove(|snapshot| register::institution(snapshot, institution))
    }

    async fn institutions(
        &self,
        query: InstitutionsQuery,
    ) -> Result<Page<InstitutionId, InstitutionFacts>, BackendError> {
        self.query(|snapshot| register::institutions(snapshot, query))
    }

    async fn keys(&self, query: KeysQuery) -> Result<Page<KeyIndex, KeyRecord>, BackendError> {
        let page = self.query(|snapshot| {
            let view = View::new(snapshot);
            let Some(institution) = view.institution(query.institution)? else { return Ok(None) };
            let total = institution.facts.keys;
            let page = page(query.start.get().into(), query.limit, total.into(), |number| {
                let index = KeyIndex::new(u16::try_from(number).unwrap_or(u16::MAX));
                Ok(view.key(query.institution, index)?.map(|record| (index, record)))
            })?;
            Ok(Some(page))
        })?;
        let (entries, next) = page.ok_or(BackendError::InstitutionNotFound)?;
        Ok(Page { entries, next: next.map(|number| KeyIndex::new(u16::try_from(number).unwrap_or(u16::MAX))) })
    }

    async fn programmes(&self, query: ProgrammesQuery) -> Result<Page<ProgrammeId, ProgrammeRecord>, BackendError> {
        let page = self.query(|snapshot| {
            let view = View::new(snapshot);
            let Some(institution) = view.institution(query.institution)? else { return Ok(None) };
            // Numbers count from 1.
            let end = institution.facts.programmes.saturating_add(1);
            let page = page(query.start.get(), query.limit, end, |number| {
                let number = ProgrammeId::new(number);
                Ok(view.programme(query.institution, number)?.map(|record| (number, record)))
            })?;
            Ok(Some(page))
        })?;
        let (entries, next) = page.ok_or(BackendError::InstitutionNotFound)?;
        Ok(Page { entries, next: next.map(ProgrammeId::new) })
    }

    async fn permissions(&self, query: PermissionsQuery) -> Result<Page<PermissionId, PermissionRecord>, BackendError> {
        let page = self.query(|snapshot| {
            let view = View::new(snapshot);
            let Some(institution) = view.institution(query.institution)? else { return Ok(None) };
            // Numbers count from 1.
            let end = institution.facts.permissions.saturating_add(1);
            let page = page(query.start.get(), query.limit, end, |number| {
                let number = PermissionId::new(number);
                Ok(view.permission(query.institution, number)?.map(|record| (number, record)))
            })?;
            Ok(Some(page))
        })?;
        let (entries, next) = page.ok_or(BackendError::InstitutionNotFound)?;
        Ok(Page { entries, next: next.map(PermissionId::new) })
    }

    async fn permission(&self, query: PermissionQuery) -> Result<PermissionAnswer, BackendError> {
        self.prove_many(move |snapshot| register::permission(snapshot, query)).await
    }

    async fn batches(&self, query: BatchesQuery) -> Result<BatchesAnswer, BackendError> {
        self.prove_many(move |snapshot| register::batches(snapshot, query)).await
    }

    async fn batch(&self, query: BatchQuery) -> Result<BatchAnswer, BackendError> {
        self.prove_many(move |snapshot| register::batch(snapshot, query)).await
    }

    fn download(&self, query: DownloadQuery, parts: &mut Parts) -> Result<(), DownloadError> {
        register::download(&self.reader.snapshot(), query, parts).map_err(|ended| match ended {
            Ended::Prove(error) => DownloadError::Backend(self.prove_error(error)),
            Ended::CutOff(reason) => DownloadError::CutOff(reason),
        })
    }

    async fn block(&self, height: Height) -> Result<BlockAnswer, BackendError> {
        let found = self.prove_many(move |snapshot| Ok(snapshot.block(height)?)).await?;
        let (block, certificate) = found.ok_or(BackendError::HeightNotFound)?;
        Ok(BlockAnswer { block, certificate })
    }

    async fn newest(&self) -> Result<Height, BackendError> {
        Ok(self.query(|snapshot| head(snapshot))?.header.height)
    }

    async fn reached(&self, height: Height) -> Result<(), BackendError> {
        // The store is ahead of what is told.
        if self.newest().await? >= height {
            return Ok(());
        }
        let mut progress = self.progress.clone();
        let reached = progress.wait_for(|progress| progress.height >= height).await;
        reached.map(|_| ()).map_err(|_| BackendError::NotReady)
    }

    async fn validators(&self, height: Height) -> Result<ValidatorSet, BackendError> {
        let found = self.query(|snapshot| {
            let head = head(snapshot)?.header;
            let wanted = if height == head.height.next() {
                head.next_validators
            } else if let Some(header) = snapshot.header(height)? {
                header.validators
            } else {
                return Ok(None);
            };
            // The registry holds the set of the next height. Sets of the past differ only after a change of validators.
            let registry = View::new(snapshot).registry()?;
            Ok((registry.set().hash() == wanted).then(|| registry.set().clone()))
        })?;
        found.ok_or(BackendError::HeightNotFound)
    }

    async fn evidence(&self, after: Option<&Evidence>, limit: usize) -> Result<Vec<Evidence>, BackendError> {
        self.reader.evidence(after.map(evidence_place), limit).map_err(|error| {
            self.report(error);
            BackendError::Internal
        })
    }

    fn readiness(&self) -> watch::Receiver<bool> {
        self.ready.clone()
    }
}

/// Entries `start..end`, at most `limit`, and where the list goes on.
fn page<T>(
    start: u32,
    limit: u32,
    end: u32,
    entry: impl Fn(u32) -> Result<Option<T>, StoreError>,
) -> Result<(Vec<T>, Option<u32>), StoreError> {
    let stop = start.saturating_add(limit).min(end);
    let mut entries = Vec::new();
    for number in start..stop {
        entries.push(entry(number)?.ok_or(StoreError::Corrupt { what: "numbered record (missing)" })?);
    }
    Ok((entries, (stop < end).then_some(stop)))
}
