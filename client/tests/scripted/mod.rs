//! A node that answers by script: over real gRPC on loopback, from a hand-made ledger (see `world`).

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
    credential::status_handle,
    decode::Decode as _,
    encode::Encode as _,
    ids::Height,
    record::{KeyRecord, KeyState, StatusState},
    state::StateRoots,
    transaction::{KeyPurposes, SignedTransaction, StatusReason},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::world::{BLOCK_TIME, Issued, World};

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
    /// The authority's last sequence number, one more at each question.
    pub(crate) sequence: u64,
    pub(crate) seen: Vec<SignedTransaction>,
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

/// The authority's only key.
pub(crate) fn authority_key() -> SecretKey {
    SecretKey::from_seed(&[60; 32])
}

impl Node {
    pub(crate) fn new(world: &Arc<World>, issued: &Arc<Issued>, answers: &[Answer]) -> Self {
        let script = Script {
            answers: answers.iter().cloned().collect(),
            proof: Proof::Good,
            written: None,
            sequence: 0,
            seen: Vec::new(),
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
        let state = Some(State::Unknown(v1::Unknown {}));
        Ok(Response::new(v1::TransactionStatus { outcome: Some(v1::Outcome { state }) }))
    }

    async fn get_stamp(&self, request: Request<v1::GetStampRequest>) -> Answered<v1::StampResponse> {
        let request = request.into_inner();
        let (proof, written) = {
            let script = self.script.lock().unwrap();
            (script.proof, script.written)
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
        let mut stamp = self.world.bundle(&self.issued, position, written).stamp;
        if proof == Proof::Altered {
            stamp.stamp.batch.level = sigeli_verifier::transaction::Level::new(7).unwrap();
        }
        if !request.with_permission {
            stamp.permission = None;
        }
        let (height, time_ms) = (stamp.stamp.header.height.get(), stamp.stamp.header.time.get());
        Ok(Response::new(v1::StampResponse { stamp: stamp.to_bytes(), height, time_ms }))
    }

    async fn get_header(&self, _: Request<v1::GetHeaderRequest>) -> Answered<v1::HeaderResponse> {
        let header = self.world.header(&StateRoots::EMPTY);
        let (block_id, header) = (header.id().to_wire(), header.to_bytes());
        Ok(Response::new(v1::HeaderResponse { header, certificate: Vec::new(), block_id }))
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

    async fn get_authority(&self, _: Request<v1::GetAuthorityRequest>) -> Answered<v1::Authority> {
        let key = v1::PublicKey { algorithm: 1, key: authority_key().public().as_bytes().to_vec() };
        let mut script = self.script.lock().unwrap();
        script.sequence += 1;
        Ok(Response::new(v1::Authority { sequence: script.sequence - 1, threshold: 1, keys: vec![key] }))
    }

    async fn get_institution(&self, _: Request<v1::GetInstitutionRequest>) -> Answered<v1::Institution> {
        Err(detail::status(ErrorCode::InstitutionNotFound, "none"))
    }

    async fn list_keys(&self, request: Request<v1::ListKeysRequest>) -> Answered<v1::ListKeysResponse> {
        // Two pages: the key stands on the second.
        let start = request.into_inner().start;
        let key = if start == 0 { SecretKey::from_seed(&[51; 32]) } else { institution_key() };
        let record =
            KeyRecord { purposes: KeyPurposes::ALL, key: key.public(), added: Height::new(1), state: KeyState::Active };
        let key = v1::InstitutionKey { index: start, record: record.to_bytes(), ..v1::InstitutionKey::default() };
        Ok(Response::new(v1::ListKeysResponse { keys: vec![key], next: (start == 0).then_some(3) }))
    }

    async fn list_permissions(&self, _: Request<v1::ListPermissionsRequest>) -> Answered<v1::ListPermissionsResponse> {
        let record = crate::world::permission_record().to_bytes();
        let permission = v1::Permission { number: 1, record, ..v1::Permission::default() };
        Ok(Response::new(v1::ListPermissionsResponse { permissions: vec![permission], next: None }))
    }

    async fn get_validators(&self, _: Request<v1::GetValidatorsRequest>) -> Answered<v1::ValidatorsResponse> {
        Ok(Response::new(v1::ValidatorsResponse { set: self.world.set.to_bytes() }))
    }
}
