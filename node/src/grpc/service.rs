//! The methods: check the request, ask the backend within the limits, convert the answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sigeli_proto::{
    convert::{self, ConvertError, WireBytes as _},
    detail,
    limits::{LIST_ENTRIES_MAX, WAIT_MAX, WAIT_MS_MAX},
    plain,
    v1::{self, ErrorCode, ledger_server::Ledger},
};
use sigeli_verifier::{
    encode::Encode as _,
    evidence::Evidence,
    ids::{BatchRoot, BatchSequence, Height, InstitutionId, PermissionId, ProgrammeId, StatusHandle, TransactionId},
    proof::BatchRange,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, service::Interceptor};

use super::{
    backend::{
        Backend, BackendError, HeaderAt, InstitutionsQuery, KeysQuery, Outcome, PermissionsQuery, ProgrammesQuery,
        StampQuery,
    },
    blocks::{self, BlocksQuery},
    counters::GrpcCounters,
    download::{self, DownloadQuery},
    limits::GrpcLimits,
    outcome,
    proved::{self, BatchQuery, BatchesQuery, PermissionQuery},
    stream::{StreamReader, StreamRules, StreamWriter, stream},
};

/// Lets a limited number of requests be read at once. It runs on a request's headers; the permit travels in the request's
/// extensions, and so is given back when the method has taken the message out, or when the request is dropped.
#[derive(Debug, Clone)]
pub(super) struct Admission(Arc<Semaphore>);

/// The permit. Extensions must be `Clone`, permits are not.
#[derive(Clone)]
struct Admitted {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Admission {
    pub(super) fn new(limits: &GrpcLimits) -> Self {
        Self(Arc::new(Semaphore::new(limits.reading)))
    }
}

impl Interceptor for Admission {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let permit = Arc::clone(&self.0).try_acquire_owned().map_err(|_| error(BackendError::Busy))?;
        request.extensions_mut().insert(Admitted { _permit: Arc::new(permit) });
        Ok(request)
    }
}

/// The service.
pub(super) struct LedgerService {
    backend: Arc<dyn Backend>,
    limits: GrpcLimits,
    queries: Semaphore,
    waits: Semaphore,
    downloads: Arc<Semaphore>,
    block_streams: Arc<Semaphore>,
    counters: GrpcCounters,
    stopping: CancellationToken,
}

impl LedgerService {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        limits: GrpcLimits,
        counters: GrpcCounters,
        stopping: CancellationToken,
    ) -> Self {
        let queries = Semaphore::new(limits.queries);
        let waits = Semaphore::new(limits.waits);
        let downloads = Arc::new(Semaphore::new(limits.downloads));
        let block_streams = Arc::new(Semaphore::new(limits.block_streams));
        Self { backend, limits, queries, waits, downloads, block_streams, counters, stopping }
    }

    /// Counts and times a method.
    async fn observed<T>(
        &self,
        method: &'static str,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<Response<T>, Status> {
        let start = Instant::now();
        let result = work.await;
        let code = result.as_ref().map_or_else(Status::code, |_| Code::Ok);
        self.counters.on_answer(method, code, start.elapsed());
        result.map(Response::new)
    }

    /// Asks the backend something that it answers at once.
    async fn query<T>(&self, work: impl Future<Output = Result<T, BackendError>>) -> Result<T, Status> {
        let _permit = self.queries.try_acquire().map_err(|_| error(BackendError::Busy))?;
        in_time(self.limits.query, work).await
    }

    /// Asks the backend something that it may answer only when a transaction is final. Shutdown ends the wait.
    async fn wait(
        &self,
        wait: Duration,
        work: impl Future<Output = Result<Outcome, BackendError>>,
    ) -> Result<Outcome, Status> {
        if wait.is_zero() {
            return self.query(work).await;
        }
        let _permit = self.waits.try_acquire().map_err(|_| error(BackendError::Busy))?;
        tokio::select! {
            biased;
            answer = in_time(wait.saturating_add(self.limits.query), work) => answer,
            () = self.stopping.cancelled() => Err(error(BackendError::NotReady)),
        }
    }

    /// Opens a stream and lets `run` write it on a task of its own. Its end is counted as the answer.
    fn open<T, W>(
        &self,
        method: &'static str,
        (places, rules): (&Arc<Semaphore>, StreamRules),
        run: impl FnOnce(StreamWriter<T>) -> W,
    ) -> Result<Response<StreamReader<T>>, Status>
    where
        W: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let start = Instant::now();
        let counters = self.counters.clone();
        let Ok(permit) = Arc::clone(places).try_acquire_owned() else {
            let busy = error(BackendError::Busy);
            counters.on_answer(method, busy.code(), start.elapsed());
            return Err(busy);
        };
        let (writer, reader) = stream(rules, self.stopping.clone(), permit);
        let work = run(writer);
        tokio::spawn(async move {
            let code = work.await.err().map_or(Code::Ok, |status| status.code());
            counters.on_answer(method, code, start.elapsed());
        });
        Ok(Response::new(reader))
    }

    fn download(
        &self,
        method: &'static str,
        query: Result<DownloadQuery, ConvertError>,
    ) -> Result<Response<StreamReader<v1::DownloadPart>>, Status> {
        let query = self.checked(method, query.map_err(invalid))?;
        let rules =
            StreamRules { pause: self.limits.stream_pause, time: self.limits.download, over: ErrorCode::Timeout };
        let backend = Arc::clone(&self.backend);
        self.open(method, (&self.downloads, rules), |writer| download::run(backend, query, writer))
    }

    /// Counts a refusal.
    fn checked<T>(&self, method: &'static str, checked: Result<T, Status>) -> Result<T, Status> {
        checked.inspect_err(|status| self.counters.on_answer(method, status.code(), Duration::ZERO))
    }
}

pub(super) async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, BackendError>>,
) -> Result<T, Status> {
    match tokio::time::timeout(limit, work).await {
        Ok(answer) => answer.map_err(error),
        Err(_) => Err(detail::status(ErrorCode::Timeout, "the node did not find the answer in time; try again later")),
    }
}

pub(super) fn error(error: BackendError) -> Status {
    let code = match error {
        BackendError::BatchNotFound => ErrorCode::BatchNotFound,
        BackendError::InstitutionNotFound => ErrorCode::InstitutionNotFound,
        BackendError::HeightNotFound => ErrorCode::HeightNotFound,
        BackendError::AuthorityNotFound => ErrorCode::AuthorityNotFound,
        BackendError::Busy => ErrorCode::Busy,
        BackendError::NotReady => ErrorCode::NotReady,
        BackendError::Internal => ErrorCode::Internal,
    };
    detail::status(code, error.to_string())
}

fn invalid(error: ConvertError) -> Status {
    detail::status(ErrorCode::InvalidField, error.to_string())
}

fn wait_of(wait_ms: u32) -> Result<Duration, Status> {
    let wait = Duration::from_millis(wait_ms.into());
    if wait > WAIT_MAX {
        let message = format!("`wait_ms` is {wait_ms}, above {WAIT_MS_MAX}");
        return Err(detail::status(ErrorCode::WaitTooLong, message));
    }
    Ok(wait)
}

/// The first number of a list that counts from 1, and the limit.
fn numbers(start: u32, limit: u32) -> Result<BatchRange, Status> {
    let (first, limit) = (start.max(1), list_limit(limit)?);
    let last = first.saturating_add(limit - 1);
    let range = BatchRange::new(BatchSequence::new(first), BatchSequence::new(last));
    Ok(range.expect("it begins at 1 or later and is no longer than a list"))
}

fn list_limit(limit: u32) -> Result<u32, Status> {
    match limit {
        0 => Ok(LIST_ENTRIES_MAX),
        limit if limit <= LIST_ENTRIES_MAX => Ok(limit),
        found => Err(invalid(ConvertError::TooLarge { field: "limit", max: LIST_ENTRIES_MAX, found })),
    }
}

#[tonic::async_trait]
impl Ledger for LedgerService {
    async fn submit(&self, request: Request<v1::SubmitRequest>) -> Result<Response<v1::SubmitResponse>, Status> {
        let request = request.into_inner();
        self.observed("Submit", async {
            let wait = wait_of(request.wait_ms)?;
            let (id, outcome) = match outcome::read_transaction(&request.transaction) {
                Ok(transaction) => {
                    drop(request);
                    let id = transaction.id();
                    (id.to_wire(), self.wait(wait, self.backend.submit(transaction, wait)).await?)
                }
                Err(rejection) => (Vec::new(), Outcome::Rejected(rejection)),
            };
            Ok(v1::SubmitResponse { id, outcome: Some(outcome::message(outcome)) })
        })
        .await
    }

    async fn get_transaction(
        &self,
        request: Request<v1::GetTransactionRequest>,
    ) -> Result<Response<v1::TransactionStatus>, Status> {
        let request = request.into_inner();
        self.observed("GetTransaction", async {
            let wait = wait_of(request.wait_ms)?;
            let id = TransactionId::from_wire("id", &request.id).map_err(invalid)?;
            let outcome = self.wait(wait, self.backend.transaction(id, wait)).await?;
            Ok(v1::TransactionStatus { outcome: Some(outcome::message(outcome)) })
        })
        .await
    }

    async fn get_stamp(&self, request: Request<v1::GetStampRequest>) -> Result<Response<v1::StampResponse>, Status> {
        let request = request.into_inner();
        self.observed("GetStamp", async {
            let query = StampQuery {
                institution: InstitutionId::new(request.institution),
                root: BatchRoot::from_wire("batch_root", &request.batch_root).map_err(invalid)?,
                handle: StatusHandle::from_wire("status_handle", &request.status_handle).map_err(invalid)?,
                with_permission: request.with_permission,
            };
            let answer = self.query(self.backend.stamp(query)).await?;
            Ok(v1::StampResponse {
                stamp: answer.stamp.to_bytes(),
                height: answer.height.get(),
                time_ms: answer.time.get(),
            })
        })
        .await
    }

    async fn get_header(&self, request: Request<v1::GetHeaderRequest>) -> Result<Response<v1::HeaderResponse>, Status> {
        use v1::get_header_request::At;
        let request = request.into_inner();
        self.observed("GetHeader", async {
            let at = match request.at {
                Some(At::Height(height)) => HeaderAt::Height(Height::new(height)),
                Some(At::Latest(v1::Latest {})) => HeaderAt::Latest,
                None => return Err(invalid(ConvertError::Missing { field: "at" })),
            };
            let answer = self.query(self.backend.header(at)).await?;
            Ok(v1::HeaderResponse {
                header: answer.header.to_bytes(),
                certificate: answer.certificate.to_bytes(),
                block_id: answer.header.id().to_wire(),
            })
        })
        .await
    }

    async fn get_node_status(
        &self,
        _request: Request<v1::GetNodeStatusRequest>,
    ) -> Result<Response<v1::NodeStatus>, Status> {
        self.observed("GetNodeStatus", async {
            let status = self.query(self.backend.status()).await?;
            Ok(v1::NodeStatus {
                name: status.name,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                height: status.height.get(),
                header_id: status.header.to_wire(),
                state_root: status.state_root.to_wire(),
                genesis_hash: status.genesis.to_wire(),
                peers: status.peers,
                syncing: status.syncing,
                time_ms: status.time.get(),
                network: plain::network_kind(status.network).into(),
                mempool_transactions: status.mempool_transactions,
            })
        })
        .await
    }

    async fn get_genesis(
        &self,
        _request: Request<v1::GetGenesisRequest>,
    ) -> Result<Response<v1::GenesisResponse>, Status> {
        self.observed("GetGenesis", async {
            let genesis = self.query(self.backend.genesis()).await?;
            Ok(v1::GenesisResponse { genesis: genesis.to_vec() })
        })
        .await
    }

    async fn get_authority(
        &self,
        request: Request<v1::GetAuthorityRequest>,
    ) -> Result<Response<v1::Authority>, Status> {
        let request = request.into_inner();
        self.observed("GetAuthority", async {
            let authority = convert::authority_id("authority", request.authority).map_err(invalid)?;
            let answer = self.query(self.backend.authority(authority)).await?;
            Ok(proved::authority_message(authority, answer))
        })
        .await
    }

    async fn get_state_proof(
        &self,
        _request: Request<v1::GetStateProofRequest>,
    ) -> Result<Response<v1::StateProof>, Status> {
        self.observed("GetStateProof", async { Ok(plain::state_proof(&self.query(self.backend.state_proof()).await?)) })
            .await
    }

    async fn get_governance(
        &self,
        _request: Request<v1::GetGovernanceRequest>,
    ) -> Result<Response<v1::GovernanceResponse>, Status> {
        self.observed("GetGovernance", async {
            Ok(proved::governance_message(&self.query(self.backend.governance()).await?))
        })
        .await
    }

    async fn get_institution(
        &self,
        request: Request<v1::GetInstitutionRequest>,
    ) -> Result<Response<v1::InstitutionResponse>, Status> {
        let institution = InstitutionId::new(request.into_inner().institution);
        self.observed("GetInstitution", async {
            let found = self.query(self.backend.institution(institution)).await?;
            Ok(proved::institution_message(institution, &found))
        })
        .await
    }

    async fn list_institutions(
        &self,
        request: Request<v1::ListInstitutionsRequest>,
    ) -> Result<Response<v1::ListInstitutionsResponse>, Status> {
        let request = request.into_inner();
        self.observed("ListInstitutions", async {
            let start = InstitutionId::new(request.start);
            let query = InstitutionsQuery { start, limit: list_limit(request.limit)? };
            let page = self.query(self.backend.institutions(query)).await?;
            Ok(v1::ListInstitutionsResponse {
                institutions: page.entries.iter().map(|(number, facts)| plain::institution(*number, facts)).collect(),
                next: page.next.map(InstitutionId::get),
            })
        })
        .await
    }

    async fn list_keys(&self, request: Request<v1::ListKeysRequest>) -> Result<Response<v1::ListKeysResponse>, Status> {
        let request = request.into_inner();
        self.observed("ListKeys", async {
            let query = KeysQuery {
                institution: InstitutionId::new(request.institution),
                start: convert::key_index("start", request.start).map_err(invalid)?,
                limit: list_limit(request.limit)?,
            };
            let page = self.query(self.backend.keys(query)).await?;
            Ok(v1::ListKeysResponse {
                keys: page.entries.iter().map(|(index, record)| plain::institution_key(*index, record)).collect(),
                next: page.next.map(|index| index.get().into()),
            })
        })
        .await
    }

    async fn list_programmes(
        &self,
        request: Request<v1::ListProgrammesRequest>,
    ) -> Result<Response<v1::ListProgrammesResponse>, Status> {
        let request = request.into_inner();
        self.observed("ListProgrammes", async {
            let query = ProgrammesQuery {
                institution: InstitutionId::new(request.institution),
                start: ProgrammeId::new(request.start.max(1)),
                limit: list_limit(request.limit)?,
            };
            let page = self.query(self.backend.programmes(query)).await?;
            Ok(v1::ListProgrammesResponse {
                programmes: page.entries.iter().map(|(number, record)| plain::programme(*number, record)).collect(),
                next: page.next.map(ProgrammeId::get),
            })
        })
        .await
    }

    async fn list_permissions(
        &self,
        request: Request<v1::ListPermissionsRequest>,
    ) -> Result<Response<v1::ListPermissionsResponse>, Status> {
        let request = request.into_inner();
        self.observed("ListPermissions", async {
            let query = PermissionsQuery {
                institution: InstitutionId::new(request.institution),
                start: PermissionId::new(request.start.max(1)),
                limit: list_limit(request.limit)?,
            };
            let page = self.query(self.backend.permissions(query)).await?;
            Ok(v1::ListPermissionsResponse {
                permissions: page.entries.iter().map(|(number, record)| plain::permission(*number, record)).collect(),
                next: page.next.map(PermissionId::get),
            })
        })
        .await
    }

    async fn get_permission(
        &self,
        request: Request<v1::GetPermissionRequest>,
    ) -> Result<Response<v1::PermissionResponse>, Status> {
        let request = request.into_inner();
        self.observed("GetPermission", async {
            let permission = PermissionId::new(request.permission);
            let query = PermissionQuery { institution: InstitutionId::new(request.institution), permission };
            Ok(proved::permission_message(permission, self.query(self.backend.permission(query)).await?))
        })
        .await
    }

    async fn list_batches(
        &self,
        request: Request<v1::ListBatchesRequest>,
    ) -> Result<Response<v1::ListBatchesResponse>, Status> {
        let request = request.into_inner();
        self.observed("ListBatches", async {
            let query = BatchesQuery {
                institution: InstitutionId::new(request.institution),
                accreditation: request.accreditation.map(PermissionId::new),
                range: numbers(request.start, request.limit)?,
            };
            Ok(proved::batches_message(query.range, self.query(self.backend.batches(query)).await?))
        })
        .await
    }

    async fn get_batch(&self, request: Request<v1::GetBatchRequest>) -> Result<Response<v1::BatchResponse>, Status> {
        let request = request.into_inner();
        self.observed("GetBatch", async {
            let root = BatchRoot::from_wire("batch_root", &request.batch_root).map_err(invalid)?;
            let query = BatchQuery {
                institution: InstitutionId::new(request.institution),
                root,
                start: request.start.max(1),
                limit: list_limit(request.limit)?,
            };
            Ok(proved::batch_message(&root, self.query(self.backend.batch(query)).await?))
        })
        .await
    }

    type DownloadRegisterStream = StreamReader<v1::DownloadPart>;

    async fn download_register(
        &self,
        request: Request<v1::DownloadRegisterRequest>,
    ) -> Result<Response<Self::DownloadRegisterStream>, Status> {
        self.download("DownloadRegister", DownloadQuery::register(&request.into_inner()))
    }

    type DownloadStatusesStream = StreamReader<v1::DownloadPart>;

    async fn download_statuses(
        &self,
        request: Request<v1::DownloadStatusesRequest>,
    ) -> Result<Response<Self::DownloadStatusesStream>, Status> {
        self.download("DownloadStatuses", DownloadQuery::statuses(&request.into_inner()))
    }

    type StreamBlocksStream = StreamReader<v1::BlockPart>;

    async fn stream_blocks(
        &self,
        request: Request<v1::StreamBlocksRequest>,
    ) -> Result<Response<Self::StreamBlocksStream>, Status> {
        const METHOD: &str = "StreamBlocks";
        let request = request.into_inner();
        let newest = self.checked(METHOD, self.query(self.backend.newest()).await)?;
        let query = self.checked(METHOD, BlocksQuery::new(&request, newest).map_err(error))?;
        let GrpcLimits { stream_pause: pause, block_stream: time, query: read, .. } = self.limits;
        let rules = StreamRules { pause, time, over: ErrorCode::StreamEnded };
        let backend = Arc::clone(&self.backend);
        self.open(METHOD, (&self.block_streams, rules), |writer| blocks::run(backend, query, read, writer))
    }

    async fn get_validators(
        &self,
        request: Request<v1::GetValidatorsRequest>,
    ) -> Result<Response<v1::ValidatorsResponse>, Status> {
        let height = Height::new(request.into_inner().height);
        self.observed("GetValidators", async {
            let set = self.query(self.backend.validators(height)).await?;
            Ok(v1::ValidatorsResponse { set: set.to_bytes() })
        })
        .await
    }

    async fn list_evidence(
        &self,
        request: Request<v1::ListEvidenceRequest>,
    ) -> Result<Response<v1::ListEvidenceResponse>, Status> {
        let request = request.into_inner();
        self.observed("ListEvidence", async {
            let limit = usize::try_from(list_limit(request.limit)?).unwrap_or(usize::MAX);
            let after = (!request.after.is_empty()).then(|| Evidence::read(&request.after)).transpose();
            let after = after.map_err(|_| invalid(ConvertError::Unreadable { field: "after" }))?;
            // One more than asked for tells whether there are more.
            let mut found = self.query(self.backend.evidence(after.as_ref(), limit.saturating_add(1))).await?;
            let more = found.len() > limit;
            found.truncate(limit);
            Ok(v1::ListEvidenceResponse { evidence: found.iter().map(Evidence::to_file).collect(), more })
        })
        .await
    }
}
