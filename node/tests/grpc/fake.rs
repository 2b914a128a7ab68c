//! A backend that answers what the test says, reports every call, and can be held up.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_ledger::outcome::Rejection;
use sigeli_node::grpc::{
    AuthorityAnswer, Backend, BackendError, BatchAnswer, BatchQuery, BatchesAnswer, BatchesQuery, BlockAnswer,
    DownloadError, DownloadPart, DownloadQuery, GovernanceAnswer, HeaderAnswer, HeaderAt, InstitutionFound,
    InstitutionsQuery, KeysQuery, NodeStatus, Outcome, Page, Parts, PermissionAnswer, PermissionQuery,
    PermissionsQuery, ProgrammesQuery, StampAnswer, StampQuery,
};
use sigeli_verifier::{
    batch::BatchHeight,
    block::{Block, Header},
    bounded::{List, Text},
    bundle::{Stamp, StampFile, StatusFinding},
    certificate::{CommitCertificate, CommitSignature},
    codes::{
        AuthorityKind, CredentialType, DecisionReason, Field, HashAlgorithm, InstitutionKind, KeyPurposes, Level,
        NetworkKind, StatusReason,
    },
    crypto::PublicKey,
    encode::Encode as _,
    evidence::Evidence,
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, BatchSequence, BlockId, DecisionRef, EctsTenths, EvidenceId,
        GenesisHash, GovernanceSequence, Height, HistoryRoot, InstitutionId, KeyIndex, PermissionId, ProfileHash,
        ProgrammeId, RegisterRoot, Round, Signature, StateRoot, TimeMs, TransactionId, TransactionsRoot,
        ValidatorAddress, ValidatorSetHash, VotingPower,
    },
    proof::{AbsenceProof, BatchItem, BatchPage, EntryProof, InstitutionAnswer, InstitutionProof, StateProof},
    record::{
        AuthorityRecord, BatchChange, BatchRecord, BatchState, BatchStatus, GovernanceRecord, InstitutionFacts,
        InstitutionState, Judged, KeyRecord, KeyState, PermissionEntry, PermissionRecord, PermissionStandings,
        PermissionState, Policy, ProgrammeRecord, Writer,
    },
    register::{AbsenceTerminal, RegisterPath},
    state::{InstitutionRegisters, StateRoots},
    statement::{SignedStatement, Statement},
    time::{Day, Window},
    transaction::{
        InstitutionKey, InstitutionRegister, Payload, PermissionScope, Sender, SignedTransaction, Transaction,
        TransactionSignature,
    },
    validators::{Validator, ValidatorSet, address},
    vote::{Vote, VoteKind},
};
use tokio::sync::{mpsc, watch};

/// The institution that exists.
pub(crate) const INSTITUTION: u32 = 7;

/// What the backend was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Submit(TransactionId, Duration),
    Transaction(TransactionId, Duration),
    Stamp(StampQuery),
    Header(HeaderAt),
    Status,
    Genesis,
    Authority(AuthorityId),
    Institution(InstitutionId),
    Keys(KeysQuery),
    Programmes(ProgrammesQuery),
    Permissions(PermissionsQuery),
    StateProof,
    Governance,
    Institutions(InstitutionsQuery),
    Permission(PermissionQuery),
    Batches(BatchesQuery),
    Batch(BatchQuery),
    Download(DownloadQuery),
    Block(Height),
    Newest,
    Reached(Height),
    Validators(Height),
    Evidence(Option<EvidenceId>, usize),
}

/// What happened in the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A call came in.
    Entered(Call),
    /// A call ended: answered, or dropped by the edge.
    Left,
}

pub(crate) struct Fake {
    events: mpsc::Sender<Event>,
    open: watch::Sender<bool>,
    ready: watch::Sender<bool>,
    answer: Mutex<Result<Outcome, BackendError>>,
    download: Mutex<Vec<DownloadPart>>,
    newest: watch::Sender<Height>,
    transactions: Mutex<Vec<SignedTransaction>>,
}

struct Leaving(mpsc::Sender<Event>);

impl Drop for Leaving {
    fn drop(&mut self) {
        // A test that does not look at events leaves the channel full or closed.
        drop(self.0.try_send(Event::Left));
    }
}

impl Fake {
    pub(crate) fn new() -> (Arc<Self>, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(1_024);
        let fake = Self {
            events,
            open: watch::Sender::new(true),
            ready: watch::Sender::new(true),
            answer: Mutex::new(Ok(Outcome::Pending)),
            download: Mutex::default(),
            newest: watch::Sender::new(Height::new(42)),
            transactions: Mutex::default(),
        };
        (Arc::new(fake), receiver)
    }

    /// What transactions are answered; an error is what every call is answered.
    pub(crate) fn set_answer(&self, answer: Result<Outcome, BackendError>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// The parts of every download. What `answer` says comes after them.
    pub(crate) fn set_download(&self, parts: Vec<DownloadPart>) {
        *self.download.lock().unwrap_or_else(PoisonError::into_inner) = parts;
    }

    /// The newest height.
    pub(crate) fn set_newest(&self, height: u64) {
        self.newest.send_replace(Height::new(height));
    }

    /// The transactions of every block.
    pub(crate) fn set_transactions(&self, transactions: Vec<SignedTransaction>) {
        *self.transactions.lock().unwrap_or_else(PoisonError::into_inner) = transactions;
    }

    /// Holds up every call, or lets them go on.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.send_replace(ready);
    }

    async fn enter(&self, call: Call) -> Result<Outcome, BackendError> {
        drop(self.events.try_send(Event::Entered(call)));
        let _leaving = Leaving(self.events.clone());
        self.open.subscribe().wait_for(|open| *open).await.expect("the fake holds the sender");
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl Backend for Fake {
    async fn submit(&self, transaction: SignedTransaction, wait: Duration) -> Result<Outcome, BackendError> {
        self.enter(Call::Submit(transaction.id(), wait)).await
    }

    async fn transaction(&self, id: TransactionId, wait: Duration) -> Result<Outcome, BackendError> {
        self.enter(Call::Transaction(id, wait)).await
    }

    async fn stamp(&self, query: StampQuery) -> Result<StampAnswer, BackendError> {
        self.enter(Call::Stamp(query)).await?;
        Ok(StampAnswer { stamp: stamp(), height: Height::new(41), time: TimeMs::new(41_000) })
    }

    async fn header(&self, at: HeaderAt) -> Result<HeaderAnswer, BackendError> {
        self.enter(Call::Header(at)).await?;
        Ok(HeaderAnswer { header: header(), certificate: certificate() })
    }

    async fn status(&self) -> Result<NodeStatus, BackendError> {
        self.enter(Call::Status).await?;
        Ok(NodeStatus {
            name: "nceqe".to_owned(),
            height: Height::new(42),
            header: header().id(),
            state_root: StateRoot::new([4; 32]),
            time: TimeMs::new(42_000),
            genesis: GenesisHash::new([1; 32]),
            network: NetworkKind::Test,
            peers: 3,
            syncing: true,
            mempool_transactions: 5,
        })
    }

    async fn genesis(&self) -> Result<Arc<[u8]>, BackendError> {
        self.enter(Call::Genesis).await?;
        Ok(Arc::from([6_u8; 100]))
    }

    async fn authority(&self, authority: AuthorityId) -> Result<AuthorityAnswer, BackendError> {
        self.enter(Call::Authority(authority)).await?;
        Ok(AuthorityAnswer { record: self::authority(), proof: Some((state_proof(), absence())) })
    }

    async fn evidence(&self, after: Option<&Evidence>, limit: usize) -> Result<Vec<Evidence>, BackendError> {
        self.enter(Call::Evidence(after.map(Evidence::id), limit)).await?;
        let mut all = evidence();
        all.drain(
            ..after.map_or(0, |after| all.iter().position(|known| known == after).map_or(all.len(), |at| at + 1)),
        );
        all.truncate(limit);
        Ok(all)
    }

    async fn state_proof(&self) -> Result<StateProof, BackendError> {
        self.enter(Call::StateProof).await?;
        Ok(state_proof())
    }

    async fn governance(&self) -> Result<GovernanceAnswer, BackendError> {
        self.enter(Call::Governance).await?;
        Ok(governance())
    }

    async fn institution(&self, institution: InstitutionId) -> Result<InstitutionFound, BackendError> {
        self.enter(Call::Institution(institution)).await?;
        let answer = if institution.get() == INSTITUTION {
            InstitutionAnswer::Present(institution_proof())
        } else {
            InstitutionAnswer::Absent(AbsenceProof { terminal: AbsenceTerminal::Empty, path: path() })
        };
        Ok(InstitutionFound { state: state_proof(), answer })
    }

    async fn institutions(
        &self,
        query: InstitutionsQuery,
    ) -> Result<Page<InstitutionId, InstitutionFacts>, BackendError> {
        self.enter(Call::Institutions(query)).await?;
        Ok(Page { entries: vec![(query.start, facts())], next: Some(InstitutionId::new(u32::MAX)) })
    }

    async fn keys(&self, query: KeysQuery) -> Result<Page<KeyIndex, KeyRecord>, BackendError> {
        self.enter(Call::Keys(query)).await?;
        Ok(Page { entries: vec![(query.start, key_record())], next: Some(KeyIndex::new(9)) })
    }

    async fn programmes(&self, query: ProgrammesQuery) -> Result<Page<ProgrammeId, ProgrammeRecord>, BackendError> {
        self.enter(Call::Programmes(query)).await?;
        Ok(Page { entries: vec![(query.start, programme())], next: Some(ProgrammeId::new(5)) })
    }

    async fn permissions(&self, query: PermissionsQuery) -> Result<Page<PermissionId, PermissionRecord>, BackendError> {
        self.enter(Call::Permissions(query)).await?;
        Ok(Page { entries: vec![(query.start, permission())], next: None })
    }

    async fn permission(&self, query: PermissionQuery) -> Result<PermissionAnswer, BackendError> {
        self.enter(Call::Permission(query)).await?;
        Ok(permission_answer())
    }

    async fn batches(&self, query: BatchesQuery) -> Result<BatchesAnswer, BackendError> {
        self.enter(Call::Batches(query)).await?;
        Ok(batches_answer(query.accreditation.is_some()))
    }

    async fn batch(&self, query: BatchQuery) -> Result<BatchAnswer, BackendError> {
        self.enter(Call::Batch(query)).await?;
        Ok(batch_answer())
    }

    fn download(&self, query: DownloadQuery, parts: &mut Parts) -> Result<(), DownloadError> {
        drop(self.events.try_send(Event::Entered(Call::Download(query))));
        let _leaving = Leaving(self.events.clone());
        let scripted = self.download.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for part in scripted {
            parts.put(part)?;
        }
        let end = *self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(end.map(|_| ())?)
    }

    async fn block(&self, height: Height) -> Result<BlockAnswer, BackendError> {
        self.enter(Call::Block(height)).await?;
        let transactions = self.transactions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(block(height, transactions))
    }

    async fn newest(&self) -> Result<Height, BackendError> {
        self.enter(Call::Newest).await?;
        Ok(*self.newest.borrow())
    }

    async fn reached(&self, height: Height) -> Result<(), BackendError> {
        drop(self.events.try_send(Event::Entered(Call::Reached(height))));
        let _leaving = Leaving(self.events.clone());
        self.newest.subscribe().wait_for(|newest| *newest >= height).await.expect("the fake holds the sender");
        Ok(())
    }

    async fn validators(&self, height: Height) -> Result<ValidatorSet, BackendError> {
        self.enter(Call::Validators(height)).await?;
        Ok(validators())
    }

    fn readiness(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }
}

/// RFC 8032, section 7.1, test 1.
pub(crate) fn key() -> PublicKey {
    let bytes = [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1,
        0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ];
    PublicKey::from_ed25519(&bytes).expect("a published key")
}

fn window() -> Window {
    Window::new(Day::new(20_000), Day::new(21_000)).expect("in order")
}

pub(crate) fn header() -> Header {
    Header {
        version: 1,
        genesis: GenesisHash::new([1; 32]),
        height: Height::new(42),
        time: TimeMs::new(42_000),
        parent: BlockId::new([2; 32]),
        creator: ValidatorAddress::new([3; 20]),
        round: Round::new(0),
        transactions_root: TransactionsRoot::new([5; 32]),
        state_root: StateRoot::new([4; 32]),
        history_root: HistoryRoot::new([6; 32]),
        validators: ValidatorSetHash::new([7; 32]),
        next_validators: ValidatorSetHash::new([7; 32]),
    }
}

pub(crate) fn certificate() -> CommitCertificate {
    let signature = CommitSignature { validator: 0, signature: Signature::new([8; 64]) };
    CommitCertificate::new(Round::new(0), vec![signature]).expect("one signer")
}

/// Three pieces of evidence against one validator: a prevote for nil and one for a block in each of three rounds.
pub(crate) fn evidence() -> Vec<Evidence> {
    let signing = SigningKey::from_bytes(&[3; 32]);
    let key = PublicKey::from_ed25519(signing.verifying_key().as_bytes()).expect("a key derived from a secret");
    let genesis = GenesisHash::new([1; 32]);
    let signed = |round, block| {
        let (height, round) = (Height::new(40), Round::new(round));
        let vote = Vote { kind: VoteKind::Prevote, height, round, block, validator: address(&key) };
        let statement = Statement::Vote(vote);
        let signature = Signature::new(signing.sign(&statement.preimage(&genesis)).to_bytes());
        SignedStatement { statement, signature }
    };
    let piece = |round| Evidence::new(genesis, key, signed(round, None), signed(round, Some(BlockId::new([9; 32]))));
    (0..3).map(|round| piece(round).expect("two prevotes of one round")).collect()
}

fn path() -> RegisterPath {
    RegisterPath::new(vec![Some([1; 32])]).expect("short")
}

fn absence() -> EntryProof {
    EntryProof::Absent(AbsenceProof { terminal: AbsenceTerminal::Empty, path: path() })
}

fn presence(value: Vec<u8>) -> EntryProof {
    EntryProof::present(value, path()).expect("short")
}

pub(crate) fn state_proof() -> StateProof {
    StateProof { header: header().proof(), certificate: certificate(), roots: StateRoots::EMPTY }
}

pub(crate) fn institution_proof() -> InstitutionProof {
    let root = RegisterRoot::new([2; 32]);
    let registers = InstitutionRegisters { keys: root, permissions: root, statuses: root };
    InstitutionProof { facts: facts(), registers, path: path() }
}

pub(crate) fn authority() -> AuthorityRecord {
    AuthorityRecord {
        kind: AuthorityKind::Nceqe,
        name_ka: Text::new("ცენტრი").expect("short"),
        name_en: Text::new("NCEQE").expect("short"),
        keys: List::new(vec![key()]).expect("one"),
        threshold: 1,
        log_keys: List::empty(),
        sequence: AuthoritySequence::new(9),
    }
}

pub(crate) fn governance() -> GovernanceAnswer {
    let joint = GovernanceRecord {
        authorities: List::new(vec![AuthorityId::new(1), AuthorityId::new(2)]).expect("two"),
        sequence: GovernanceSequence::new(3),
        version: 1,
        upgrade_version: 2,
        upgrade_height: Height::new(900),
    };
    let policy = Policy {
        ects_max: [EctsTenths::new(150); 8],
        ects_min: [EctsTenths::new(10); 8],
        ects_recognised_max: EctsTenths::new(300),
        batch_height_min: 4,
        clock_tolerance_ms: 5,
        pilot_order_required: true,
        batches_per_day: 6,
        statuses_per_day: 7,
        changes_per_day: 8,
        approvals_min: 2,
    };
    let (joint_proof, policy_proof) = (presence(joint.to_bytes()), presence(policy.to_bytes()));
    GovernanceAnswer { state: state_proof(), joint, joint_proof, policy, policy_proof }
}

pub(crate) fn permission_answer() -> PermissionAnswer {
    let entry = |state| PermissionEntry {
        state,
        effective: Day::new(20_000),
        reason: DecisionReason::Granted,
        decision: DecisionRef::new([9; 32]),
        authority: AuthorityId::new(2),
        height: Height::new(3),
        time: TimeMs::new(4),
    };
    let entries = [entry(PermissionState::Active), entry(PermissionState::Suspended)];
    PermissionAnswer {
        state: state_proof(),
        institution: institution_proof(),
        record: Some(permission()),
        proof: presence(permission().to_bytes()),
        changes: entries.map(|entry| (entry, presence(entry.to_bytes()))).into(),
    }
}

pub(crate) fn batches_answer(of_accreditation: bool) -> BatchesAnswer {
    let items = vec![BatchItem { root: BatchRoot::new([1; 32]), record: batch_record(), path: path() }];
    BatchesAnswer {
        state: state_proof(),
        institution: institution_proof(),
        tally: of_accreditation.then(|| presence(300_u32.to_bytes())),
        total: 300,
        page: BatchPage::new(items).expect("one"),
    }
}

pub(crate) fn batch_answer() -> BatchAnswer {
    let change = BatchChange {
        state: BatchState::Suspended,
        reason: StatusReason::UnderReview,
        height: Height::new(50),
        time: TimeMs::new(51),
        writer: Writer::Institution { key: KeyIndex::new(1) },
        entries: 2,
        restores: 0,
    };
    BatchAnswer {
        state: state_proof(),
        institution: institution_proof(),
        record: Some(batch_record()),
        proof: presence(batch_record().to_bytes()),
        changes: vec![(change, presence(change.to_bytes()))],
        next: Some(3),
    }
}

pub(crate) fn block(height: Height, transactions: Vec<SignedTransaction>) -> BlockAnswer {
    let block = Block { header: Header { height, ..header() }, transactions };
    BlockAnswer { block, certificate: certificate() }
}

pub(crate) fn facts() -> InstitutionFacts {
    InstitutionFacts {
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: Text::new("211349192").expect("short"),
        name_ka: Text::new("საქართველოს ტექნიკური უნივერსიტეტი").expect("short"),
        name_en: Text::new("Georgian Technical University").expect("short"),
        state: InstitutionState::Active,
        registered: Height::new(2),
        keys: 10,
        permissions: 3,
        programmes: 2,
        batches: 1,
        entries: 1,
        compromised: List::empty(),
    }
}

pub(crate) fn key_record() -> KeyRecord {
    KeyRecord {
        purposes: KeyPurposes::ALL,
        key: key(),
        window: window(),
        added: Height::new(2),
        state: KeyState::Active,
        entries: 1,
    }
}

pub(crate) fn programme() -> ProgrammeRecord {
    ProgrammeRecord {
        title_ka: Text::new("ქსელები").expect("short"),
        title_en: Text::new("Networks").expect("short"),
        partners: List::new(vec![InstitutionId::new(9)]).expect("one"),
        registered: Height::new(3),
        key: KeyIndex::new(0),
    }
}

pub(crate) fn permission() -> PermissionRecord {
    PermissionRecord {
        authority: AuthorityId::new(2),
        decision: DecisionRef::new([9; 32]),
        window: window(),
        conditional: false,
        scope: PermissionScope::Authorisation,
        granted: Height::new(3),
        predecessor: PermissionId::new(0),
        standing: PermissionStandings::granted(window().first(), DecisionReason::Granted),
        entries: 2,
    }
}

pub(crate) fn validators() -> ValidatorSet {
    let validator = Validator { key: key(), authority: AuthorityId::new(1), power: VotingPower::new(1) };
    ValidatorSet::new(vec![validator]).expect("one validator is a set")
}

pub(crate) fn batch_record() -> BatchRecord {
    BatchRecord {
        sequence: BatchSequence::new(1),
        accreditation_sequence: BatchSequence::new(1),
        height: BatchHeight::new(4).expect("the smallest"),
        hash_algorithm: HashAlgorithm::Blake3,
        anchored: Height::new(40),
        anchored_time: TimeMs::new(40_000),
        key: KeyIndex::new(0),
        accreditation: PermissionId::new(3),
        level: Level::new(6).expect("in range"),
        field: Field::new(613).expect("in range"),
        ects: EctsTenths::new(30),
        issued: Day::new(20_500),
        credential_type: CredentialType::MicroCredential,
        judged: Judged {
            accreditation_window: window(),
            ects_max: EctsTenths::new(30),
            authorisation: PermissionId::new(1),
            authorisation_window: window(),
            order: PermissionId::new(2),
        },
        status: BatchStatus::Valid,
    }
}

pub(crate) fn stamp() -> StampFile {
    let path = RegisterPath::new(vec![Some([1; 32])]).expect("short");
    let stamp = Stamp {
        header: header().proof(),
        certificate: certificate(),
        state_siblings: [[1; 32], [2; 32]],
        batch: batch_record(),
        batch_path: path.clone(),
        institution: facts(),
        institution_path: path.clone(),
        keys_and_permissions: [3; 32],
        status: StatusFinding::Absent(AbsenceTerminal::Empty),
        status_path: path,
    };
    StampFile { stamp, permission: None }
}

/// A transaction that decodes; its signature is nobody's.
pub(crate) fn transaction() -> SignedTransaction {
    let body = Transaction {
        genesis: GenesisHash::new([1; 32]),
        valid_until: TimeMs::new(100_000),
        sender: Sender::Authority { authority: AuthorityId::new(2), sequence: AuthoritySequence::new(1) },
        payload: Payload::InstitutionRegister(InstitutionRegister {
            institution: InstitutionId::new(INSTITUTION),
            kind: InstitutionKind::University,
            jurisdiction: *b"GEO",
            legal_id: facts().legal_id,
            name_ka: facts().name_ka,
            name_en: facts().name_en,
            profile: ProfileHash::new([3; 32]),
            decision: DecisionRef::new([9; 32]),
            keys: List::new(vec![InstitutionKey { purposes: KeyPurposes::ALL, key: key(), window: window() }])
                .expect("one"),
        }),
    };
    let signature = TransactionSignature { key: KeyIndex::new(0), signature: Signature::new([8; 64]) };
    SignedTransaction::new(body, vec![signature]).expect("one signature")
}

pub(crate) fn already_committed() -> Rejection {
    Rejection::AlreadyCommitted { height: Height::new(11) }
}
