//! A node that answers all that is asked about a state, or lies.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::Stream;
use sigeli_proto::{
    convert::WireBytes as _,
    detail,
    v1::{self, ErrorCode, RegisterKind, download_part::Part, ledger_server::Ledger},
};
use sigeli_verifier::{
    bundle::{Stamp, StampFile, StatusFinding},
    decode::Decode as _,
    encode::Encode as _,
    evidence::Evidence,
    ids::{BatchRoot, BatchSequence, InstitutionId, PermissionId, StatusHandle},
    proof::{BatchItem, BatchPage, BatchRange, EntryProof, RegisterEntry, RegisterPage, StateProof},
    record::{StatusRecord, status_name},
    register::RegisterPrefix,
    state::StateRoots,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use super::{chain::Chain, state::State, tree::Tree};

/// How a node lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    /// One entry or batch is left out.
    Omit,
    /// One byte of one value is another.
    Alter,
    /// An entry stands there that the register does not have.
    Invent,
    /// The roots are those of another state, under the same signatures.
    OtherRoots,
    /// The signatures are one too few.
    NoQuorum,
    /// The answer ends without its last part.
    BreakOff,
    /// The institution's proof is another institution's.
    OtherInstitution,
    /// A stamp says what nobody confirmed.
    OtherStamp,
    /// The bytes are no message.
    Garbage,
}

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) chain: Arc<Chain>,
    pub(crate) state: Arc<State>,
    pub(crate) lie: Arc<Mutex<Lie>>,
    /// The prefixes of statuses that were asked for.
    pub(crate) asked: Arc<Mutex<Vec<(u32, u32)>>>,
    /// The batches and handles that stamps were asked for.
    pub(crate) stamps: Arc<Mutex<Vec<(BatchRoot, StatusHandle)>>>,
    /// How many calls came.
    pub(crate) calls: Arc<AtomicUsize>,
    /// After how many blocks a stream breaks off.
    pub(crate) break_after: usize,
    /// What it has seen validators sign against the rules.
    pub(crate) evidence: Vec<Evidence>,
}

impl Node {
    /// A node whose newest block is over this state.
    pub(crate) fn new(chain: Chain, state: State) -> Self {
        Self {
            chain: Arc::new(chain),
            state: Arc::new(state),
            lie: Arc::new(Mutex::new(Lie::None)),
            asked: Arc::default(),
            stamps: Arc::default(),
            calls: Arc::default(),
            break_after: usize::MAX,
            evidence: Vec::new(),
        }
    }

    pub(crate) fn tell(&self, lie: Lie) {
        *self.lie.lock().unwrap() = lie;
    }

    fn lie(&self) -> Lie {
        *self.lie.lock().unwrap()
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

    fn state_proof(&self) -> v1::StateProof {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (block, certificate) = self.chain.newest();
        let mut certificate = certificate.clone();
        let mut roots = self.state.roots();
        match self.lie() {
            Lie::OtherRoots => {
                let mut other = (*self.state).clone();
                other.governance.set(vec![99], vec![1]);
                roots = StateRoots { governance: other.governance.root(), ..roots };
            }
            Lie::NoQuorum => {
                let fewer = certificate.signatures()[..2].to_vec();
                certificate = sigeli_verifier::certificate::CommitCertificate::new(certificate.round(), fewer).unwrap();
            }
            _ => {}
        }
        let proof = StateProof { header: block.header.proof(), certificate, roots };
        let mut bytes = proof.to_bytes();
        if self.lie() == Lie::Garbage {
            bytes.pop();
        }
        v1::StateProof { state_proof: bytes, height: block.header.height.get(), time_ms: block.header.time.get() }
    }

    /// The true stamp of a credential, or of nobody's; `None` when there is no such batch.
    pub(crate) fn stamp(&self, number: InstitutionId, root: BatchRoot, handle: &StatusHandle) -> Option<StampFile> {
        let own = self.state.institutions.get(&number)?;
        let (_, record) = own.batches.iter().find(|(known, _)| *known == root)?;
        let (block, certificate) = self.chain.newest();
        let name = status_name(handle);
        let (status, status_path) = match own.statuses.prove(&name) {
            EntryProof::Absent(absence) => (StatusFinding::Absent(absence.terminal), absence.path),
            EntryProof::Present(present) => {
                (StatusFinding::Present(StatusRecord::from_bytes(&present.value).unwrap()), present.path)
            }
        };
        let stamp = Stamp {
            header: block.header.proof(),
            certificate: certificate.clone(),
            state_siblings: self.state.roots().pair_siblings(),
            batch: *record,
            batch_path: self.state.batches_tree().path(&[number.to_bytes(), root.to_bytes()].concat()),
            institution: own.facts.clone(),
            institution_path: self.state.institutions_tree().path(&number.to_bytes()),
            keys_and_permissions: own.registers().keys_and_permissions(),
            status,
            status_path,
        };
        Some(StampFile { stamp, permission: None })
    }

    fn institution_proof(&self, number: u32) -> Vec<u8> {
        let asked = InstitutionId::new(number);
        let other = self.state.institutions.keys().find(|known| **known != asked).copied().unwrap();
        let number = if self.lie() == Lie::OtherInstitution { other } else { asked };
        self.state.institution(number).to_bytes()
    }

    fn parts(&self, start: v1::DownloadStart, mut entries: Vec<RegisterEntry>, proof: Vec<u8>) -> Parts {
        let altered = |entry: &RegisterEntry| {
            let mut value = entry.value.to_vec();
            *value.last_mut().unwrap() ^= 1;
            RegisterEntry::new(entry.name.to_vec(), value).unwrap()
        };
        match self.lie() {
            Lie::Omit => drop(entries.pop()),
            Lie::Alter => {
                let last = entries.pop().unwrap();
                entries.push(altered(&last));
            }
            Lie::Invent => entries.push(RegisterEntry::new(vec![1, 77, 0], vec![5]).unwrap()),
            _ => {}
        }
        let mut parts = vec![Part::Start(start)];
        // Small pages, so that there are several.
        for chunk in entries.chunks(16) {
            let mut page = RegisterPage::new();
            for entry in chunk {
                page.push(entry.clone()).unwrap();
            }
            parts.push(Part::Page(page.to_bytes()));
        }
        if self.lie() != Lie::BreakOff {
            let entry_count = u64::try_from(entries.len()).unwrap();
            parts.push(Part::End(v1::DownloadEnd { entry_count, prefix_proof: proof }));
        }
        let parts = parts.into_iter().map(|part| Ok(v1::DownloadPart { part: Some(part) }));
        Box::pin(tokio_stream::iter(parts.collect::<Vec<_>>()))
    }
}

fn entries(tree: &Tree) -> Vec<RegisterEntry> {
    let entries = tree.entries.iter().map(|(name, value)| RegisterEntry::new(name.clone(), value.clone()).unwrap());
    entries.collect()
}

type Answered<T> = Result<Response<T>, Status>;
type Parts = Pin<Box<dyn Stream<Item = Result<v1::DownloadPart, Status>> + Send>>;
type BlockParts = Pin<Box<dyn Stream<Item = Result<v1::BlockPart, Status>> + Send>>;

fn not_needed<T>() -> Answered<T> {
    Err(Status::unimplemented("not needed"))
}

#[tonic::async_trait]
impl Ledger for Node {
    type DownloadRegisterStream = Parts;
    type DownloadStatusesStream = Parts;
    type StreamBlocksStream = BlockParts;

    async fn get_node_status(&self, _: Request<v1::GetNodeStatusRequest>) -> Answered<v1::NodeStatus> {
        let (block, _) = self.chain.newest();
        Ok(Response::new(v1::NodeStatus {
            genesis_hash: self.chain.validators.genesis.to_wire(),
            network: v1::NetworkKind::Test.into(),
            height: block.header.height.get(),
            time_ms: block.header.time.get(),
            ..v1::NodeStatus::default()
        }))
    }

    async fn get_institution(&self, request: Request<v1::GetInstitutionRequest>) -> Answered<v1::InstitutionResponse> {
        let number = request.into_inner().institution;
        let institution_proof = self.institution_proof(number);
        let state = Some(self.state_proof());
        Ok(Response::new(v1::InstitutionResponse { state, institution_proof, institution: None }))
    }

    async fn download_register(
        &self,
        request: Request<v1::DownloadRegisterRequest>,
    ) -> Answered<Self::DownloadRegisterStream> {
        let request = request.into_inner();
        let own = self.state.institutions.get(&InstitutionId::new(request.institution));
        let none = || detail::status(ErrorCode::InstitutionNotFound, "none");
        let tree = match request.register() {
            RegisterKind::Institutions => self.state.institutions_tree(),
            RegisterKind::Governance => self.state.governance.clone(),
            RegisterKind::Keys => own.ok_or_else(none)?.keys.clone(),
            RegisterKind::Permissions => own.ok_or_else(none)?.permissions.clone(),
            RegisterKind::Unspecified => return Err(Status::invalid_argument("no register")),
        };
        let institution_proof = own.map(|_| self.institution_proof(request.institution)).unwrap_or_default();
        let start = v1::DownloadStart { state: Some(self.state_proof()), institution_proof };
        Ok(Response::new(self.parts(start, entries(&tree), Vec::new())))
    }

    async fn download_statuses(
        &self,
        request: Request<v1::DownloadStatusesRequest>,
    ) -> Answered<Self::DownloadStatusesStream> {
        let request = request.into_inner();
        self.asked.lock().unwrap().push((request.prefix_length, request.prefix_bits));
        let own = self.state.institutions.get(&InstitutionId::new(request.institution)).unwrap();
        let length = u8::try_from(request.prefix_length).unwrap();
        let prefix = RegisterPrefix::new(u16::try_from(request.prefix_bits).unwrap(), length).unwrap();
        let (entries, proof) = own.statuses.prefix(prefix);
        let institution_proof = self.institution_proof(request.institution);
        let start = v1::DownloadStart { state: Some(self.state_proof()), institution_proof };
        Ok(Response::new(self.parts(start, entries, proof.to_bytes())))
    }

    async fn list_batches(&self, request: Request<v1::ListBatchesRequest>) -> Answered<v1::ListBatchesResponse> {
        let request = request.into_inner();
        let number = InstitutionId::new(request.institution);
        let own = self.state.institutions.get(&number).unwrap();
        let tree = self.state.batches_tree();
        let listed = own.batches.iter().filter(|(_, record)| {
            request.accreditation.is_none_or(|wanted| record.accreditation == PermissionId::new(wanted))
        });
        let range =
            BatchRange::new(BatchSequence::new(request.start), BatchSequence::new(request.start + request.limit - 1));
        let range = range.unwrap();
        let within: Vec<_> = listed.collect();
        let total = u32::try_from(within.len()).unwrap();
        let places = range.within(total).map(|place| usize::try_from(place.get() - 1).unwrap());
        let mut items: Vec<_> = places
            .map(|place| {
                let (root, record) = *within[place];
                BatchItem { root, record, path: tree.path(&[number.to_bytes(), root.to_bytes()].concat()) }
            })
            .collect();
        match self.lie() {
            Lie::Omit => drop(items.pop()),
            Lie::Alter => items[0].record.level = sigeli_verifier::transaction::Level::new(7).unwrap(),
            _ => {}
        }
        let tally =
            |accreditation: u32| own.permissions.prove(&[&[5][..], &accreditation.to_le_bytes()].concat()).to_bytes();
        Ok(Response::new(v1::ListBatchesResponse {
            state: Some(self.state_proof()),
            institution_proof: self.institution_proof(request.institution),
            tally_proof: request.accreditation.map(tally).unwrap_or_default(),
            page: BatchPage::new(items).unwrap().to_bytes(),
            batches: Vec::new(),
            total,
            next: None,
        }))
    }

    async fn stream_blocks(&self, request: Request<v1::StreamBlocksRequest>) -> Answered<Self::StreamBlocksStream> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let request = request.into_inner();
        let first = usize::try_from(request.start_height).unwrap();
        if first >= self.chain.blocks.len() {
            return Err(detail::status(ErrorCode::HeightNotFound, "not yet"));
        }
        let mut parts = Vec::new();
        for (block, certificate) in self.chain.blocks[first..].iter().take(self.break_after) {
            let mut transactions: Vec<_> = block.transactions.iter().map(|signed| signed.to_bytes()).collect();
            match self.lie() {
                Lie::Omit => drop(transactions.pop()),
                Lie::Alter => {
                    if let Some(last) = transactions.last_mut() {
                        *last.last_mut().unwrap() ^= 1;
                    }
                }
                _ => {}
            }
            // One transaction in each part, to have several.
            let height = block.header.height.get();
            let rest = transactions.split_off(transactions.len().min(1));
            let last = rest.is_empty();
            let (header, certificate) = (block.header.to_bytes(), certificate.to_bytes());
            parts.push(Ok(v1::BlockPart { height, header, certificate, transactions, last }));
            let count = rest.len();
            for (position, transaction) in (1..).zip(rest) {
                let last = position == count;
                parts.push(Ok(v1::BlockPart {
                    height,
                    transactions: vec![transaction],
                    last,
                    ..v1::BlockPart::default()
                }));
            }
        }
        if self.lie() == Lie::BreakOff || self.chain.blocks.len() - first > self.break_after {
            parts.push(Err(detail::status(ErrorCode::NotReady, "stopping")));
        }
        Ok(Response::new(Box::pin(tokio_stream::iter(parts))))
    }

    async fn submit(&self, _: Request<v1::SubmitRequest>) -> Answered<v1::SubmitResponse> {
        not_needed()
    }
    async fn get_transaction(&self, _: Request<v1::GetTransactionRequest>) -> Answered<v1::TransactionStatus> {
        not_needed()
    }
    async fn get_stamp(&self, request: Request<v1::GetStampRequest>) -> Answered<v1::StampResponse> {
        let request = request.into_inner();
        let root = BatchRoot::from_bytes(&request.batch_root).unwrap();
        let handle = StatusHandle::from_bytes(&request.status_handle).unwrap();
        self.stamps.lock().unwrap().push((root, handle));
        let Some(mut stamp) = self.stamp(InstitutionId::new(request.institution), root, &handle) else {
            return Err(detail::status(ErrorCode::BatchNotFound, "none"));
        };
        if self.lie() == Lie::OtherStamp {
            stamp.stamp.batch.level = sigeli_verifier::transaction::Level::new(7).unwrap();
        }
        let header = stamp.stamp.header;
        Ok(Response::new(v1::StampResponse {
            stamp: stamp.to_bytes(),
            height: header.height.get(),
            time_ms: header.time.get(),
        }))
    }
    async fn get_header(&self, _: Request<v1::GetHeaderRequest>) -> Answered<v1::HeaderResponse> {
        not_needed()
    }
    async fn get_genesis(&self, _: Request<v1::GetGenesisRequest>) -> Answered<v1::GenesisResponse> {
        not_needed()
    }
    async fn get_state_proof(&self, _: Request<v1::GetStateProofRequest>) -> Answered<v1::StateProof> {
        not_needed()
    }
    async fn get_authority(&self, _: Request<v1::GetAuthorityRequest>) -> Answered<v1::Authority> {
        not_needed()
    }
    async fn get_governance(&self, _: Request<v1::GetGovernanceRequest>) -> Answered<v1::GovernanceResponse> {
        not_needed()
    }
    async fn list_institutions(
        &self,
        _: Request<v1::ListInstitutionsRequest>,
    ) -> Answered<v1::ListInstitutionsResponse> {
        not_needed()
    }
    async fn list_keys(&self, _: Request<v1::ListKeysRequest>) -> Answered<v1::ListKeysResponse> {
        not_needed()
    }
    async fn list_programmes(&self, _: Request<v1::ListProgrammesRequest>) -> Answered<v1::ListProgrammesResponse> {
        not_needed()
    }
    async fn list_permissions(&self, _: Request<v1::ListPermissionsRequest>) -> Answered<v1::ListPermissionsResponse> {
        not_needed()
    }
    async fn get_permission(&self, _: Request<v1::GetPermissionRequest>) -> Answered<v1::PermissionResponse> {
        not_needed()
    }
    async fn get_batch(&self, _: Request<v1::GetBatchRequest>) -> Answered<v1::BatchResponse> {
        not_needed()
    }
    async fn get_validators(&self, _: Request<v1::GetValidatorsRequest>) -> Answered<v1::ValidatorsResponse> {
        not_needed()
    }

    /// Pages of two.
    async fn list_evidence(&self, request: Request<v1::ListEvidenceRequest>) -> Answered<v1::ListEvidenceResponse> {
        let after = request.into_inner().after;
        let mut files: Vec<_> = self.evidence.iter().map(Evidence::to_file).collect();
        files.drain(..files.iter().position(|file| *file == after).map_or(0, |position| position + 1));
        let more = files.len() > 2;
        files.truncate(2);
        if self.lie() == Lie::Garbage {
            files.iter_mut().for_each(|file| file[60] ^= 1);
        }
        Ok(Response::new(v1::ListEvidenceResponse { evidence: files, more }))
    }
}
