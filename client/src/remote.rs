//! Talking to nodes: several of one ledger, any of which may be down, slow, behind or wrong.
//!
//! A call goes to the node that answered last, then to the others in turn; each has a deadline. A request may be repeated
//! freely, since the ledger executes a transaction once. What a node answers is not believed where it matters: stamps are
//! verified by the caller.

mod answer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sigeli_proto::{
    convert::WireBytes as _,
    detail::error_detail,
    limits::{LIST_ENTRIES_MAX, RESPONSE_BYTES_MAX, WAIT_MS_MAX},
    v1::{self, ErrorCode, ledger_client::LedgerClient},
};
use sigeli_verifier::{
    block::Header,
    bundle::StampFile,
    certificate::CommitCertificate,
    crypto::PublicKey,
    decode::Decode,
    encode::Encode as _,
    evidence::Evidence,
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, BatchSequence, BlockId, GenesisHash, Height, InstitutionId,
        KeyIndex, PermissionId, ProgrammeId, StatusHandle, TimeMs, TransactionId,
    },
    proof::{EntryProof, InstitutionAnswer, StateProof},
    record::{BatchRecord, InstitutionFacts, KeyRecord, PermissionRecord, ProgrammeRecord},
    transaction::SignedTransaction,
    trust::NetworkKind,
    validators::ValidatorSet,
};
use tonic::{Code, Status, transport::Channel, transport::Endpoint};

pub use self::answer::{
    Absent, Authority, Committed, Decision, EXPIRED, FailureKind, LedgerStatus, NodeFailure, Outcome, Rejection,
    RemoteError, SEQUENCE_MISMATCH, Stated, VALIDITY_TOO_LONG,
};

/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a node may take to answer, apart from the waiting that it is asked to do.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Several nodes of one ledger. Cheap to clone; clones share connections and the memory of which node answers.
#[derive(Debug, Clone)]
pub struct Remote {
    nodes: Arc<[Node]>,
    preferred: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Node {
    url: String,
    client: LedgerClient<Channel>,
}

pub(crate) enum Failed {
    Status(Status),
    Malformed,
}

impl From<Status> for Failed {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl Remote {
    /// Takes the addresses of nodes, `http://HOST:PORT`, in order of preference. Connects when first needed. Must be
    /// called inside a tokio runtime.
    ///
    /// # Errors
    /// [`RemoteError::NoNode`], [`RemoteError::Address`].
    pub fn new<T: AsRef<str>>(urls: &[T]) -> Result<Self, RemoteError> {
        let nodes = urls.iter().map(|url| {
            let url = url.as_ref().trim().trim_end_matches('/').to_owned();
            let refused = || RemoteError::Address { url: url.clone() };
            // A path, or TLS that is not there, would only show up as a failing connection.
            let authority = url.strip_prefix("http://").filter(|rest| !rest.is_empty() && !rest.contains('/'));
            authority.ok_or_else(refused)?;
            let endpoint = Endpoint::from_shared(url.clone()).map_err(|_| refused())?;
            let channel = endpoint.connect_timeout(CONNECT_TIMEOUT).tcp_nodelay(true).connect_lazy();
            let client = LedgerClient::new(channel).max_decoding_message_size(RESPONSE_BYTES_MAX);
            Ok(Node { url, client })
        });
        let nodes = nodes.collect::<Result<Vec<_>, RemoteError>>()?;
        if nodes.is_empty() {
            return Err(RemoteError::NoNode);
        }
        Ok(Self { nodes: nodes.into(), preferred: Arc::default() })
    }

    /// The nodes' positions, the preferred one first.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.preferred.load(Ordering::Relaxed), self.nodes.len());
        (0..count).map(move |step| (first + step) % count)
    }

    fn prefer(&self, position: usize) {
        self.preferred.store(position % self.nodes.len(), Ordering::Relaxed);
    }

    /// How many nodes there are.
    pub(crate) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Asks another node first from now on.
    pub(crate) fn prefer_next(&self) {
        self.prefer(self.preferred.load(Ordering::Relaxed).wrapping_add(1));
    }

    /// Asks one node.
    async fn ask<T, F>(
        &self,
        position: usize,
        wait: Duration,
        ask: impl Fn(LedgerClient<Channel>) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        let answer = tokio::time::timeout(ANSWER_TIMEOUT + wait, ask(self.nodes[position].client.clone()));
        answer.await.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time").into()))
    }

    /// Asks the nodes in turn until one answers.
    pub(crate) async fn call<T, F>(&self, ask: impl Fn(LedgerClient<Channel>) -> F) -> Result<T, RemoteError>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        let mut failures = Vec::new();
        let mut absent = None;
        for position in self.order() {
            match self.ask(position, Duration::ZERO, &ask).await {
                Ok(answer) => {
                    self.prefer(position);
                    return Ok(answer);
                }
                Err(failed) => match self.classify(position, failed)? {
                    // Another node may be ahead of this one.
                    Unhelpful::Absent(what) => absent = Some(what),
                    Unhelpful::Failed(failure) => failures.push(failure),
                },
            }
        }
        Err(absent.map_or(RemoteError::Unanswered { failures }, |what| RemoteError::NotFound { what }))
    }

    fn classify(&self, position: usize, failed: Failed) -> Result<Unhelpful, RemoteError> {
        let url = self.nodes[position].url.clone();
        let failure = |kind| Ok(Unhelpful::Failed(NodeFailure { url: url.clone(), kind }));
        let Failed::Status(status) = failed else { return failure(FailureKind::Malformed) };
        let code = error_detail(&status).map_or(ErrorCode::Unspecified, |detail| detail.code());
        match code {
            ErrorCode::BatchNotFound => return Ok(Unhelpful::Absent(Absent::Batch)),
            ErrorCode::InstitutionNotFound => return Ok(Unhelpful::Absent(Absent::Institution)),
            ErrorCode::HeightNotFound => return Ok(Unhelpful::Absent(Absent::Height)),
            ErrorCode::AuthorityNotFound => return Ok(Unhelpful::Absent(Absent::Authority)),
            _ => {}
        }
        match status.code() {
            Code::InvalidArgument | Code::Unimplemented | Code::FailedPrecondition => {
                Err(RemoteError::Refused { url: url.clone(), message: status.message().to_owned() })
            }
            Code::ResourceExhausted => failure(FailureKind::Busy),
            Code::DeadlineExceeded | Code::Cancelled => failure(FailureKind::TooSlow),
            Code::Unavailable | Code::Unknown => failure(FailureKind::Unreachable),
            _ => failure(FailureKind::Fault),
        }
    }

    /// How the ledger is.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn status(&self) -> Result<LedgerStatus, RemoteError> {
        self.call(async |mut client| {
            let status = client.get_node_status(v1::GetNodeStatusRequest {}).await?.into_inner();
            let kind = match status.network() {
                v1::NetworkKind::Production => NetworkKind::Production,
                v1::NetworkKind::Test => NetworkKind::Test,
                v1::NetworkKind::Unspecified => return Err(Failed::Malformed),
            };
            let genesis =
                GenesisHash::from_wire("genesis_hash", &status.genesis_hash).map_err(|_| Failed::Malformed)?;
            Ok(LedgerStatus { genesis, kind, height: Height::new(status.height), time: TimeMs::new(status.time_ms) })
        })
        .await
    }

    /// The newest proof for a credential.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn stamp(
        &self,
        institution: InstitutionId,
        root: &BatchRoot,
        handle: &StatusHandle,
        with_permission: bool,
    ) -> Result<StampFile, RemoteError> {
        let request = v1::GetStampRequest {
            institution: institution.get(),
            batch_root: root.to_wire(),
            status_handle: handle.to_wire(),
            with_permission,
        };
        self.call(async |mut client| decoded(&client.get_stamp(request.clone()).await?.into_inner().stamp)).await
    }

    /// The header of a height, or the newest, and the signatures that make it final. That they are a quorum's is checked by
    /// whoever believes it.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn final_header(&self, height: Option<Height>) -> Result<(Header, CommitCertificate), RemoteError> {
        use v1::get_header_request::At;
        let at = height.map_or(At::Latest(v1::Latest {}), |height| At::Height(height.get()));
        let request = v1::GetHeaderRequest { at: Some(at) };
        self.call(async |mut client| {
            let answer = client.get_header(request).await?.into_inner();
            let header: Header = decoded(&answer.header)?;
            if height.is_some_and(|height| header.height != height) {
                return Err(Failed::Malformed);
            }
            Ok((header, decoded(&answer.certificate)?))
        })
        .await
    }

    /// The validators that commit the block of a height.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn validators(&self, height: Height) -> Result<ValidatorSet, RemoteError> {
        let request = v1::GetValidatorsRequest { height: height.get() };
        self.call(async |mut client| decoded(&client.get_validators(request).await?.into_inner().set)).await
    }

    /// One page of evidence, each piece checked, and whether there are more.
    pub(crate) async fn evidence_page(
        &self,
        request: v1::ListEvidenceRequest,
    ) -> Result<(Vec<Evidence>, bool), RemoteError> {
        self.call(async |mut client| {
            let answer = client.list_evidence(request.clone()).await?.into_inner();
            let pieces = answer.evidence.iter().map(|bytes| Evidence::read(bytes).map_err(|_| Failed::Malformed));
            Ok((pieces.collect::<Result<_, _>>()?, answer.more))
        })
        .await
    }

    /// What an institution's record says, as a node states it.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn institution(&self, institution: InstitutionId) -> Result<InstitutionFacts, RemoteError> {
        match self.institution_answer(institution).await?.answer {
            InstitutionAnswer::Present(proof) => Ok(proof.facts),
            InstitutionAnswer::Absent(_) => Err(RemoteError::NotFound { what: Absent::Institution }),
        }
    }

    /// What the register says about an institution's number, and the state that it is to be verified against.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn institution_answer(
        &self,
        institution: InstitutionId,
    ) -> Result<Stated<InstitutionAnswer>, RemoteError> {
        let request = v1::GetInstitutionRequest { institution: institution.get() };
        self.call(async |mut client| {
            let answer = client.get_institution(request).await?.into_inner();
            Ok(Stated { state: state_proof(answer.state)?, answer: decoded(&answer.institution_proof)? })
        })
        .await
    }

    /// An institution's keys.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn institution_keys(
        &self,
        institution: InstitutionId,
    ) -> Result<Vec<(KeyIndex, KeyRecord)>, RemoteError> {
        let mut keys = Vec::new();
        let mut start = Some(0);
        while let Some(from) = start.take() {
            let request = v1::ListKeysRequest { institution: institution.get(), start: from, limit: LIST_ENTRIES_MAX };
            let page = self.call(async |mut client| Ok(client.list_keys(request).await?.into_inner())).await?;
            for key in page.keys {
                // A key of an algorithm that this program does not know is not one of ours.
                if let (Ok(index), Ok(record)) = (u16::try_from(key.index), KeyRecord::from_bytes(&key.record)) {
                    keys.push((KeyIndex::new(index), record));
                }
            }
            start = page.next.filter(|next| *next > from);
        }
        Ok(keys)
    }

    /// An institution's permissions.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn permissions(
        &self,
        institution: InstitutionId,
    ) -> Result<Vec<(PermissionId, PermissionRecord)>, RemoteError> {
        let mut permissions = Vec::new();
        let mut start = Some(0);
        while let Some(from) = start.take() {
            let request =
                v1::ListPermissionsRequest { institution: institution.get(), start: from, limit: LIST_ENTRIES_MAX };
            let page = self.call(async |mut client| Ok(client.list_permissions(request).await?.into_inner())).await?;
            for permission in page.permissions {
                // Nor is a permission of a kind that this program does not know.
                if let Ok(record) = PermissionRecord::from_bytes(&permission.record) {
                    permissions.push((PermissionId::new(permission.number), record));
                }
            }
            start = page.next.filter(|next| *next > from);
        }
        Ok(permissions)
    }

    /// An authority's keys, threshold and next sequence number.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn authority(&self, authority: AuthorityId) -> Result<Authority, RemoteError> {
        let request = v1::GetAuthorityRequest { authority: authority.get().into() };
        let answer = self.call(async |mut client| Ok(client.get_authority(request).await?.into_inner())).await?;
        let key = |key: &v1::PublicKey| {
            let is_ed25519 = key.algorithm == u32::from(sigeli_verifier::crypto::ALGORITHM_ED25519);
            let bytes = <[u8; 32]>::try_from(key.key.as_slice()).ok().filter(|_| is_ed25519)?;
            PublicKey::from_ed25519(&bytes).ok()
        };
        Ok(Authority {
            next: AuthoritySequence::new(answer.sequence.saturating_add(1)),
            threshold: answer.threshold,
            keys: answer.keys.iter().map(key).collect(),
        })
    }

    /// An institution's programmes, as a node states them, in order of number.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn programmes(
        &self,
        institution: InstitutionId,
    ) -> Result<Vec<(ProgrammeId, ProgrammeRecord)>, RemoteError> {
        let mut programmes = Vec::new();
        let mut start = Some(0);
        while let Some(from) = start.take() {
            let request =
                v1::ListProgrammesRequest { institution: institution.get(), start: from, limit: LIST_ENTRIES_MAX };
            let page = self.call(async |mut client| {
                let page = client.list_programmes(request).await?.into_inner();
                let record =
                    |programme: &v1::Programme| Ok((ProgrammeId::new(programme.number), decoded(&programme.record)?));
                let records = page.programmes.iter().map(record).collect::<Result<Vec<_>, Failed>>()?;
                Ok((records, page.next))
            });
            let (records, next) = page.await?;
            programmes.extend(records);
            start = next.filter(|next| *next > from);
        }
        Ok(programmes)
    }

    /// A batch's record, as a node states it.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn batch(&self, institution: InstitutionId, root: &BatchRoot) -> Result<BatchRecord, RemoteError> {
        let request = v1::GetBatchRequest {
            institution: institution.get(),
            batch_root: root.to_wire(),
            ..v1::GetBatchRequest::default()
        };
        let batch = self.call(async |mut client| {
            let answer = client.get_batch(request.clone()).await?.into_inner();
            answer.batch.map(|batch| decoded(&batch.record)).transpose()
        });
        batch.await?.ok_or(RemoteError::NotFound { what: Absent::Batch })
    }

    /// What the governance register says about an authority's number, and the state that it is to be verified against.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn authority_entry(&self, authority: AuthorityId) -> Result<Stated<EntryProof>, RemoteError> {
        let request = v1::GetAuthorityRequest { authority: authority.get().into() };
        self.call(async |mut client| {
            let answer = client.get_authority(request).await?.into_inner();
            Ok(Stated { state: state_proof(answer.state)?, answer: decoded(&answer.entry_proof)? })
        })
        .await
    }

    /// What the governance register says about the authorities' joint affairs and about the policy, and the state that both
    /// are to be verified against.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn governance(&self) -> Result<Stated<(EntryProof, EntryProof)>, RemoteError> {
        self.call(async |mut client| {
            let answer = client.get_governance(v1::GetGovernanceRequest {}).await?.into_inner();
            let entries = (decoded(&answer.joint_proof)?, decoded(&answer.policy_proof)?);
            Ok(Stated { state: state_proof(answer.state)?, answer: entries })
        })
        .await
    }

    /// The encoded genesis document. Whoever uses it compares its hash with the ledger's identity.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn genesis_document(&self) -> Result<Vec<u8>, RemoteError> {
        self.call(async |mut client| Ok(client.get_genesis(v1::GetGenesisRequest {}).await?.into_inner().genesis)).await
    }

    /// Hands a transaction to one node.
    async fn submit(&self, position: usize, bytes: &[u8], wait: Duration) -> Result<Outcome, Failed> {
        let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(WAIT_MS_MAX).min(WAIT_MS_MAX);
        let request = v1::SubmitRequest { transaction: bytes.to_vec(), wait_ms };
        self.ask(position, wait, async |mut client| outcome(client.submit(request.clone()).await?.into_inner().outcome))
            .await
    }

    /// Where a transaction stands, as the first node that knows it says.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn transaction(&self, id: TransactionId) -> Result<Outcome, RemoteError> {
        let request = v1::GetTransactionRequest { id: id.to_wire(), wait_ms: 0 };
        let mut seen = Outcome::Unknown;
        let mut failures = Vec::new();
        for position in self.order() {
            let asked = self.ask(position, Duration::ZERO, async |mut client| {
                outcome(client.get_transaction(request.clone()).await?.into_inner().outcome)
            });
            match asked.await {
                Ok(committed @ Outcome::Committed(_)) => return Ok(committed),
                Ok(Outcome::Unknown) => {}
                Ok(other) => seen = other,
                Err(failed) => match self.classify(position, failed)? {
                    Unhelpful::Absent(_) => {}
                    Unhelpful::Failed(failure) => failures.push(failure),
                },
            }
        }
        if failures.len() == self.nodes.len() { Err(RemoteError::Unanswered { failures }) } else { Ok(seen) }
    }

    /// Hands in a transaction, again and again and to one node after the other, until it is decided or `patience` ends. A
    /// refusal counts once every node that answers has given one: a node that is behind refuses what others accept.
    ///
    /// # Errors
    /// [`RemoteError::Undecided`] when the time is up; [`RemoteError::Unanswered`] when no node ever answered until then;
    /// [`RemoteError::Refused`].
    pub async fn submit_until_decided(
        &self,
        signed: &SignedTransaction,
        patience: Duration,
    ) -> Result<Decision, RemoteError> {
        let started = tokio::time::Instant::now();
        let bytes = signed.to_bytes();
        let mut ever_accepted = false;
        let mut pause = PAUSE_FIRST;
        loop {
            let mut failures = Vec::new();
            let mut rejections = Vec::new();
            for position in self.order() {
                let left = patience.saturating_sub(started.elapsed());
                match self.submit(position, &bytes, left.min(SUBMIT_WAIT)).await {
                    Ok(Outcome::Committed(committed)) => {
                        self.prefer(position);
                        return Ok(Decision::Committed(committed));
                    }
                    Ok(Outcome::Rejected(rejection)) => rejections.push(rejection),
                    Ok(Outcome::Pending | Outcome::Unknown) => ever_accepted = true,
                    Err(failed) => match self.classify(position, failed)? {
                        Unhelpful::Absent(_) => {}
                        Unhelpful::Failed(failure) => failures.push(failure),
                    },
                }
            }
            if rejections.len() + failures.len() == self.nodes.len() && !rejections.is_empty() {
                return self.rejected(signed.id(), rejections).await;
            }
            let waited = started.elapsed();
            if waited >= patience {
                let none_answered = failures.len() == self.nodes.len() && !ever_accepted;
                return Err(if none_answered {
                    RemoteError::Unanswered { failures }
                } else {
                    RemoteError::Undecided { id: signed.id(), waited }
                });
            }
            tokio::time::sleep(pause.min(patience.saturating_sub(waited))).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// A refusal may come from a transaction that is final already: it expired since, or was included before.
    async fn rejected(&self, id: TransactionId, rejections: Vec<Rejection>) -> Result<Decision, RemoteError> {
        if let Ok(Outcome::Committed(committed)) = self.transaction(id).await {
            return Ok(Decision::Committed(committed));
        }
        let best = rejections.iter().position(|rejection| rejection.first_height.is_some()).unwrap_or(0);
        let rejection = rejections.into_iter().nth(best).expect("there is at least one refusal");
        Ok(Decision::Rejected(rejection))
    }
}

/// How long one node is asked to wait for a transaction to become final before the next is tried.
const SUBMIT_WAIT: Duration = Duration::from_secs(10);
/// The pause after no node could help; doubled each time …
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// … up to this.
const PAUSE_MAX: Duration = Duration::from_secs(3);

enum Unhelpful {
    Absent(Absent),
    Failed(NodeFailure),
}

pub(crate) fn state_proof(state: Option<v1::StateProof>) -> Result<StateProof, Failed> {
    decoded(&state.ok_or(Failed::Malformed)?.state_proof)
}

pub(crate) fn decoded<T: Decode>(bytes: &[u8]) -> Result<T, Failed> {
    T::from_bytes(bytes).map_err(|_| Failed::Malformed)
}

fn outcome(outcome: Option<v1::Outcome>) -> Result<Outcome, Failed> {
    use v1::outcome::State;
    Ok(match outcome.and_then(|outcome| outcome.state) {
        Some(State::Committed(committed)) => Outcome::Committed(Committed {
            height: Height::new(committed.height),
            block: BlockId::from_wire("block_id", &committed.block_id).map_err(|_| Failed::Malformed)?,
            time: TimeMs::new(committed.time_ms),
            permission: committed.permission.map(PermissionId::new),
            batch: committed.batch_sequence.map(BatchSequence::new),
        }),
        Some(State::Rejected(rejected)) => Outcome::Rejected(Rejection {
            code: rejected.code,
            name: rejected.name,
            message: rejected.message,
            first_height: rejected.first_height.map(Height::new),
        }),
        Some(State::Pending(_)) => Outcome::Pending,
        Some(State::Unknown(_)) | None => Outcome::Unknown,
    })
}
