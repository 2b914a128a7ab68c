//! A node that answers by script: over real gRPC on loopback, from a hand-made ledger (see `world`).

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test program uses its own part; which lint fires differs from one to the other"
)]

#[path = "../register/tree.rs"]
mod tree;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use sigeli::keys::SecretKey;
use sigeli_proto::{
    convert::WireBytes as _,
    detail,
    v1::{self, ErrorCode, ledger_server::Ledger, outcome::State},
};
use sigeli_verifier::{
    block::Header,
    bounded::List,
    certificate::CommitCertificate,
    credential::status_handle,
    decode::Decode as _,
    encode::Encode as _,
    ids::{AuthorityId, AuthoritySequence, EctsTenths, GovernanceSequence, Height, KeyIndex, TimeMs},
    proof::StateProof,
    record::{
        AuthorityRecord, BatchChange, BatchRecord, BatchState, BatchStatus, GovernanceRecord, KeyRecord, KeyState,
        Policy, ProgrammeRecord, StatusState, Writer,
    },
    register,
    state::StateRoots,
    time::{Day, Window},
    transaction::{AuthorityKind, KeyPurposes, Name, SignedTransaction, StatusReason},
    validators::ValidatorSet,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};
use tree::Tree;

use crate::world::{BLOCK_TIME, Issued, Says, World};

/// What the node does when a transaction is handed in.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Committed,
    Pending,
    Busy,
    Rejected { code: u32, first_height: Option<u64> },
}

/// What the node does when a proof is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Good,
    /// Of another credential.
    Swapped,
    /// With a level that nobody confirmed.
    Altered,
    NotFound,
}

/// What the node says, and what it was asked.
#[derive(Debug)]
pub(crate) struct Script {
    /// Answers to `Submit`, in order; the last one stays.
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) proof: Proof,
    pub(crate) written: Option<(StatusState, StatusReason)>,
    /// What every stamp says apart from that.
    pub(crate) says: Says,
    /// Whether GetTransaction knows the transaction as committed.
    pub(crate) is_done: bool,
    /// The authority's last sequence number, one more at each question.
    pub(crate) sequence: u64,
    pub(crate) seen: Vec<SignedTransaction>,
    /// The whole chain, from genesis, if headers are asked for.
    pub(crate) chain: Vec<Link>,
    /// How many of its headers were given away.
    pub(crate) headers_given: usize,
}

/// A block as far as a reader of headers knows it.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) header: Header,
    pub(crate) certificate: CommitCertificate,
    /// The validators of the next one.
    pub(crate) next: ValidatorSet,
}

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) world: Arc<World>,
    pub(crate) issued: Arc<Issued>,
    pub(crate) script: Arc<Mutex<Script>>,
}

/// The institution's key; its index is 3.
pub(crate) fn institution_key() -> SecretKey {
    SecretKey::from_seed(&[50; 32])
}

/// The keys of an authority: three of the Ministry, two of the quality agency, one of each other.
pub(crate) fn keys_of(authority: u8) -> Vec<SecretKey> {
    let seeds: &[u8] = match authority {
        1 => &[71, 72, 73],
        2 => &[60, 61],
        3 => &[81],
        _ => &[91],
    };
    seeds.iter().map(|seed| SecretKey::from_seed(&[*seed; 32])).collect()
}

/// An authority: the Ministry decides with two signatures, the others with one.
pub(crate) fn authority_record(authority: u8) -> AuthorityRecord {
    let (kind, name_ka, name_en) = match authority {
        1 => (AuthorityKind::Ministry, "სამინისტრო", "Ministry of Education, Science and Youth"),
        2 => (AuthorityKind::Nceqe, "ხარისხის ცენტრი", "National Center for Educational Quality Enhancement"),
        3 => (AuthorityKind::Emis, "მართვის სისტემა", "Education Management Information System"),
        _ => (AuthorityKind::Operator, "გრენა", "GRENA"),
    };
    AuthorityRecord {
        kind,
        name_ka: Name::new(name_ka).unwrap(),
        name_en: Name::new(name_en).unwrap(),
        keys: List::new(keys_of(authority).iter().map(SecretKey::public).collect()).unwrap(),
        threshold: if authority == 1 { 2 } else { 1 },
        log_keys: List::empty(),
        sequence: AuthoritySequence::new(0),
    }
}

/// The rules in force: three of the four authorities approve.
pub(crate) const fn policy() -> Policy {
    Policy {
        ects_max: [EctsTenths::new(50); 8],
        ects_min: [EctsTenths::new(10); 8],
        ects_recognised_max: EctsTenths::new(150),
        batch_height_min: 4,
        clock_tolerance_ms: 600_000,
        pilot_order_required: true,
        batches_per_day: 100,
        statuses_per_day: 10_000,
        changes_per_day: 256,
        approvals_min: 3,
    }
}

fn governance() -> Tree {
    let mut tree = Tree::default();
    for authority in 1..=4 {
        tree.set(vec![1, authority], authority_record(authority).to_bytes());
    }
    let joint = GovernanceRecord {
        sequence: GovernanceSequence::new(6),
        ..GovernanceRecord::first(List::new((1..=4).map(AuthorityId::new).collect()).unwrap())
    };
    tree.set(vec![2], policy().to_bytes());
    tree.set(vec![7], joint.to_bytes());
    tree
}

/// The authority's first key.
pub(crate) fn authority_key() -> SecretKey {
    SecretKey::from_seed(&[60; 32])
}

impl Node {
    pub(crate) fn new(world: &Arc<World>, issued: &Arc<Issued>, answers: &[Answer]) -> Self {
        let script = Script {
            answers: answers.iter().cloned().collect(),
            proof: Proof::Good,
            written: None,
            says: Says::default(),
            is_done: false,
            sequence: 0,
            seen: Vec::new(),
            chain: Vec::new(),
            headers_given: 0,
        };
        Self { world: world.clone(), issued: issued.clone(), script: Arc::new(Mutex::new(script)) }
    }

    /// Serves on a free port until the test ends, and gives the address.
    pub(crate) async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = v1::ledger_server::LedgerServer::new(self.clone());
        let server = Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        url
    }

    pub(crate) fn seen(&self) -> Vec<SignedTransaction> {
        self.script.lock().unwrap().seen.clone()
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }
}

/// An address where nobody listens.
pub(crate) async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn committed() -> State {
    State::Committed(v1::Committed {
        height: 40,
        index: 0,
        block_id: vec![1; 32],
        time_ms: BLOCK_TIME.get(),
        permission: Some(5),
        batch_sequence: Some(1),
    })
}

type Answered<T> = Result<Response<T>, Status>;

impl Node {
    /// What answers about governance and institutions are as of. No institution is registered there.
    fn state(&self) -> v1::StateProof {
        let roots = StateRoots { governance: governance().root(), ..StateRoots::EMPTY };
        let header = self.world.header(&roots);
        let proof = StateProof { header: header.proof(), certificate: self.world.certificate(&header), roots };
        v1::StateProof { state_proof: proof.to_bytes(), height: header.height.get(), time_ms: header.time.get() }
    }
}

#[tonic::async_trait]
impl Ledger for Node {
    async fn submit(&self, request: Request<v1::SubmitRequest>) -> Answered<v1::SubmitResponse> {
        let signed = SignedTransaction::from_bytes(&request.into_inner().transaction).unwrap();
        let id = signed.id().to_wire();
        let mut script = self.script.lock().unwrap();
        script.seen.push(signed);
        let answer =
            if script.answers.len() > 1 { script.answers.pop_front() } else { script.answers.front().cloned() };
        let state = match answer.unwrap() {
            Answer::Committed => committed(),
            Answer::Pending => State::Pending(v1::Pending {}),
            Answer::Busy => return Err(detail::status(ErrorCode::Busy, "busy")),
            Answer::Rejected { code, first_height } => State::Rejected(v1::Rejected {
                code,
                name: "name_of_the_reason".into(),
                message: "the reason in words".into(),
                first_height,
            }),
        };
        Ok(Response::new(v1::SubmitResponse { id, outcome: Some(v1::Outcome { state: Some(state) }) }))
    }

    async fn get_transaction(&self, _: Request<v1::GetTransactionRequest>) -> Answered<v1::TransactionStatus> {
        let is_done = self.script.lock().unwrap().is_done;
        let state = Some(if is_done { committed() } else { State::Unknown(v1::Unknown {}) });
        Ok(Response::new(v1::TransactionStatus { outcome: Some(v1::Outcome { state }) }))
    }

    async fn get_stamp(&self, request: Request<v1::GetStampRequest>) -> Answered<v1::StampResponse> {
        let request = request.into_inner();
        let (proof, written, says) = {
            let script = self.script.lock().unwrap();
            (script.proof, script.written, script.says.clone())
        };
        if proof == Proof::NotFound || request.batch_root != self.issued.batch.root().to_wire() {
            return Err(detail::status(ErrorCode::BatchNotFound, "no such batch"));
        }
        let files = self.issued.batch.files();
        let mut asked = files.iter().map(|file| status_handle(&file.salt, &file.leaf()).to_wire());
        let position = asked.position(|handle| handle == request.status_handle).unwrap();
        let position = if proof == Proof::Swapped { (position + 1) % files.len() } else { position };
        // Something was written about every credential, so that one's proof does not fit another.
        let written = written
            .or_else(|| (proof == Proof::Swapped).then_some((StatusState::Reinstated, StatusReason::ReviewEnded)));
        let mut stamp = self.world.bundle_saying(&self.issued, position, &Says { written, ..says }).stamp;
        if proof == Proof::Altered {
            stamp.stamp.batch.level = sigeli_verifier::transaction::Level::new(7).unwrap();
        }
        if !request.with_permission {
            stamp.permission = None;
        }
        let (height, time_ms) = (stamp.stamp.header.height.get(), stamp.stamp.header.time.get());
        Ok(Response::new(v1::StampResponse { stamp: stamp.to_bytes(), height, time_ms }))
    }

    async fn get_header(&self, request: Request<v1::GetHeaderRequest>) -> Answered<v1::HeaderResponse> {
        let chain = self.script.lock().unwrap().chain.clone();
        if let Some(newest) = chain.len().checked_sub(1) {
            let height = match request.into_inner().at.unwrap() {
                v1::get_header_request::At::Height(height) => usize::try_from(height).unwrap(),
                v1::get_header_request::At::Latest(_) => newest,
            };
            let Some(link) = chain.get(height) else {
                return Err(detail::status(ErrorCode::HeightNotFound, "above the newest"));
            };
            self.script.lock().unwrap().headers_given += 1;
            let (header, certificate) = (link.header.to_bytes(), link.certificate.to_bytes());
            return Ok(Response::new(v1::HeaderResponse { header, certificate, block_id: Vec::new() }));
        }
        // The block before the one that every proof is of.
        let proved = self.world.header(&StateRoots::EMPTY);
        let (height, time) = (proved.height.previous().unwrap(), TimeMs::new(proved.time.get() - 1_000));
        let header = Header { height, time, ..proved };
        let (block_id, header) = (header.id().to_wire(), header.to_bytes());
        let certificate = self.world.certificate(&Header { height, time, ..proved }).to_bytes();
        Ok(Response::new(v1::HeaderResponse { header, certificate, block_id }))
    }

    async fn get_node_status(&self, _: Request<v1::GetNodeStatusRequest>) -> Answered<v1::NodeStatus> {
        Ok(Response::new(v1::NodeStatus {
            genesis_hash: self.world.genesis.to_wire(),
            network: v1::NetworkKind::Test.into(),
            height: 42,
            time_ms: BLOCK_TIME.get(),
            ..v1::NodeStatus::default()
        }))
    }

    async fn get_genesis(&self, _: Request<v1::GetGenesisRequest>) -> Answered<v1::GenesisResponse> {
        Err(Status::unimplemented("not needed"))
    }

    async fn get_authority(&self, request: Request<v1::GetAuthorityRequest>) -> Answered<v1::Authority> {
        let asked = u8::try_from(request.into_inner().authority).unwrap();
        if !(1..=4).contains(&asked) {
            return Err(detail::status(ErrorCode::AuthorityNotFound, "none"));
        }
        let record = authority_record(asked);
        let key =
            |key: &sigeli_verifier::crypto::PublicKey| v1::PublicKey { algorithm: 1, key: key.as_bytes().to_vec() };
        let mut script = self.script.lock().unwrap();
        script.sequence += 1;
        Ok(Response::new(v1::Authority {
            sequence: script.sequence - 1,
            threshold: record.threshold.into(),
            keys: record.keys.iter().map(key).collect(),
            number: asked.into(),
            record: record.to_bytes(),
            state: Some(self.state()),
            entry_proof: governance().prove(&[1, asked]).to_bytes(),
            ..v1::Authority::default()
        }))
    }

    async fn get_governance(&self, _: Request<v1::GetGovernanceRequest>) -> Answered<v1::GovernanceResponse> {
        let tree = governance();
        Ok(Response::new(v1::GovernanceResponse {
            state: Some(self.state()),
            joint_proof: tree.prove(&[7]).to_bytes(),
            policy_proof: tree.prove(&[2]).to_bytes(),
            ..v1::GovernanceResponse::default()
        }))
    }

    async fn get_institution(&self, _: Request<v1::GetInstitutionRequest>) -> Answered<v1::InstitutionResponse> {
        let absent = sigeli_verifier::proof::InstitutionAnswer::Absent(sigeli_verifier::proof::AbsenceProof {
            terminal: register::AbsenceTerminal::Empty,
            path: register::RegisterPath::new(Vec::new()).unwrap(),
        });
        let institution_proof = absent.to_bytes();
        Ok(Response::new(v1::InstitutionResponse { state: Some(self.state()), institution_proof, institution: None }))
    }

    async fn list_programmes(&self, _: Request<v1::ListProgrammesRequest>) -> Answered<v1::ListProgrammesResponse> {
        let record = ProgrammeRecord {
            title_ka: Name::new("კურსი").unwrap(),
            title_en: Name::new("Course").unwrap(),
            partners: List::empty(),
            registered: Height::new(9),
            key: KeyIndex::new(0),
        };
        let programme = v1::Programme { number: 4, record: record.to_bytes(), ..v1::Programme::default() };
        Ok(Response::new(v1::ListProgrammesResponse { programmes: vec![programme], next: None }))
    }

    async fn get_batch(&self, _: Request<v1::GetBatchRequest>) -> Answered<v1::BatchResponse> {
        let change = BatchChange {
            state: BatchState::Suspended,
            reason: StatusReason::UnderReview,
            height: Height::new(33),
            time: BLOCK_TIME,
            writer: Writer::Institution { key: KeyIndex::new(3) },
            entries: 1,
            restores: 0,
        };
        let status = BatchStatus::Changed(change);
        let record = BatchRecord { status, ..crate::world::batch_record(&self.issued.batch) };
        let batch = Some(v1::Batch { record: record.to_bytes(), ..v1::Batch::default() });
        Ok(Response::new(v1::BatchResponse { batch, ..v1::BatchResponse::default() }))
    }

    async fn get_state_proof(&self, _: Request<v1::GetStateProofRequest>) -> Answered<v1::StateProof> {
        Err(Status::unimplemented("not needed"))
    }

    async fn list_institutions(
        &self,
        _: Request<v1::ListInstitutionsRequest>,
    ) -> Answered<v1::ListInstitutionsResponse> {
        Err(Status::unimplemented("not needed"))
    }

    async fn get_permission(&self, _: Request<v1::GetPermissionRequest>) -> Answered<v1::PermissionResponse> {
        Err(Status::unimplemented("not needed"))
    }

    async fn list_batches(&self, _: Request<v1::ListBatchesRequest>) -> Answered<v1::ListBatchesResponse> {
        Err(Status::unimplemented("not needed"))
    }

    type DownloadRegisterStream = tokio_stream::Empty<Result<v1::DownloadPart, Status>>;
    async fn download_register(
        &self,
        _: Request<v1::DownloadRegisterRequest>,
    ) -> Answered<Self::DownloadRegisterStream> {
        Err(Status::unimplemented("not needed"))
    }

    type DownloadStatusesStream = tokio_stream::Empty<Result<v1::DownloadPart, Status>>;
    async fn download_statuses(
        &self,
        _: Request<v1::DownloadStatusesRequest>,
    ) -> Answered<Self::DownloadStatusesStream> {
        Err(Status::unimplemented("not needed"))
    }

    type StreamBlocksStream = tokio_stream::Empty<Result<v1::BlockPart, Status>>;
    async fn stream_blocks(&self, _: Request<v1::StreamBlocksRequest>) -> Answered<Self::StreamBlocksStream> {
        Err(Status::unimplemented("not needed"))
    }

    async fn list_keys(&self, request: Request<v1::ListKeysRequest>) -> Answered<v1::ListKeysResponse> {
        // Two pages: the key stands on the second.
        let start = request.into_inner().start;
        let key = if start == 0 { SecretKey::from_seed(&[51; 32]) } else { institution_key() };
        let record = KeyRecord {
            purposes: KeyPurposes::ALL,
            key: key.public(),
            window: Window::new(Day::new(0), Day::new(100_000)).unwrap(),
            added: Height::new(1),
            state: KeyState::Active,
            entries: 1,
        };
        let key = v1::InstitutionKey { index: start, record: record.to_bytes(), ..v1::InstitutionKey::default() };
        Ok(Response::new(v1::ListKeysResponse { keys: vec![key], next: (start == 0).then_some(3) }))
    }

    async fn list_permissions(&self, _: Request<v1::ListPermissionsRequest>) -> Answered<v1::ListPermissionsResponse> {
        let record = crate::world::permission_record().to_bytes();
        let permission = v1::Permission { number: 1, record, ..v1::Permission::default() };
        Ok(Response::new(v1::ListPermissionsResponse { permissions: vec![permission], next: None }))
    }

    async fn get_validators(&self, request: Request<v1::GetValidatorsRequest>) -> Answered<v1::ValidatorsResponse> {
        let chain = self.script.lock().unwrap().chain.clone();
        if !chain.is_empty() {
            let before = usize::try_from(request.into_inner().height - 1).unwrap();
            return Ok(Response::new(v1::ValidatorsResponse { set: chain[before].next.to_bytes() }));
        }
        Ok(Response::new(v1::ValidatorsResponse { set: self.world.set.to_bytes() }))
    }

    async fn list_evidence(&self, _: Request<v1::ListEvidenceRequest>) -> Answered<v1::ListEvidenceResponse> {
        Ok(Response::new(v1::ListEvidenceResponse { evidence: Vec::new(), more: false }))
    }
}
