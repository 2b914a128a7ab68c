//! The edge over real sockets, in front of a backend that does what the test says.

#[path = "grpc/fake.rs"]
mod fake;

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use fake::{Call, Event, Fake, INSTITUTION};
use prometheus_client::registry::Registry;
use prost::bytes::{Buf as _, BufMut as _};
use sigeli_ledger::outcome::Rejection;
use sigeli_node::grpc::{
    BackendError, Committed, Created, Drain, GrpcCounters, GrpcLimits, GrpcOptions, GrpcServer, HeaderAt, KeysQuery,
    Outcome, PermissionsQuery, StampQuery, serve, serve_metrics,
};
use sigeli_proto::{
    detail::error_detail,
    limits::{LIST_ENTRIES_MAX, REQUEST_BYTES_MAX},
    v1::{self, ErrorCode, ledger_client::LedgerClient, outcome::State},
};
use sigeli_verifier::{
    encode::Encode as _,
    ids::{
        AuthorityId, BatchRoot, BatchSequence, BlockId, Height, InstitutionId, KeyIndex, PermissionId, StatusHandle,
        TimeMs, TransactionId,
    },
    params::TRANSACTION_BYTES_MAX,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

/// Long enough for anything here on a busy machine; what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

struct Edge {
    fake: Arc<Fake>,
    events: mpsc::Receiver<Event>,
    counters: GrpcCounters,
    shutdown: CancellationToken,
    server: GrpcServer,
}

impl Edge {
    fn start(limits: GrpcLimits) -> Self {
        Self::start_with(GrpcOptions { limits, ..GrpcOptions::default() })
    }

    fn start_with(options: GrpcOptions) -> Self {
        let (fake, events) = Fake::new();
        let counters = GrpcCounters::default();
        let shutdown = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let backend = Arc::clone(&fake);
        let server = serve(listener, backend, options, counters.clone(), shutdown.clone()).expect("the edge starts");
        Self { fake, events, counters, shutdown, server }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    async fn channel(&self) -> Channel {
        endpoint(self.address()).connect().await.expect("the edge listens")
    }

    async fn client(&self) -> LedgerClient<Channel> {
        LedgerClient::new(self.channel().await)
    }

    async fn event(&mut self) -> Event {
        in_time(self.events.recv()).await.expect("the fake lives as long as the edge")
    }

    async fn entered(&mut self) -> Call {
        match self.event().await {
            Event::Entered(call) => call,
            Event::Left => unreachable!("no call had come in"),
        }
    }

    /// The one call since the last look, which has ended.
    async fn call(&mut self) -> Call {
        let call = self.entered().await;
        assert_eq!(self.event().await, Event::Left);
        call
    }

    async fn stop(self) -> Drain {
        self.shutdown.cancel();
        in_time(self.server.stopped()).await.expect("the edge stops without failing")
    }
}

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).expect("an address").connect_timeout(PATIENCE)
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes no longer than anything here should")
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Status>, status: Code, code: ErrorCode) {
    let refused = answer.expect_err("it is refused");
    assert_eq!(refused.code(), status, "{refused:?}");
    assert_eq!(error_detail(&refused).map(|detail| detail.code()), Some(code), "{refused:?}");
}

#[track_caller]
fn rejected(outcome: Option<v1::Outcome>) -> v1::Rejected {
    match outcome.and_then(|outcome| outcome.state) {
        Some(State::Rejected(rejected)) => rejected,
        other => unreachable!("not rejected, but {other:?}"),
    }
}

fn submit_request(wait_ms: u32) -> v1::SubmitRequest {
    v1::SubmitRequest { transaction: fake::transaction().to_bytes(), wait_ms }
}

fn stamp_request() -> v1::GetStampRequest {
    v1::GetStampRequest {
        institution: INSTITUTION,
        batch_root: vec![1; 32],
        status_handle: vec![2; 32],
        with_permission: true,
    }
}

#[tokio::test]
async fn transactions_are_handed_on_and_their_outcomes_told() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let id = fake::transaction().id();

    let committed = Outcome::Committed(Committed {
        height: Height::new(12),
        index: 3,
        block: BlockId::new([4; 32]),
        time: TimeMs::new(5),
        created: Created::Batch(BatchSequence::new(6)),
    });
    edge.fake.set_answer(Ok(committed));
    let answer = client.submit(submit_request(1_500)).await.unwrap().into_inner();
    let expected = v1::Committed {
        height: 12,
        index: 3,
        block_id: vec![4; 32],
        time_ms: 5,
        permission: None,
        batch_sequence: Some(6),
    };
    assert_eq!(answer.id, id.get());
    assert_eq!(answer.outcome.unwrap().state, Some(State::Committed(expected)));
    assert_eq!(edge.call().await, Call::Submit(id, Duration::from_millis(1_500)));

    edge.fake.set_answer(Ok(Outcome::Rejected(fake::already_committed())));
    let refusal = rejected(client.submit(submit_request(0)).await.unwrap().into_inner().outcome);
    assert_eq!((refusal.code, refusal.name.as_str(), refusal.first_height), (114, "already_committed", Some(11)));
    assert_eq!(edge.call().await, Call::Submit(id, Duration::ZERO));

    edge.fake.set_answer(Ok(Outcome::Rejected(Rejection::UnknownSender)));
    let request = v1::GetTransactionRequest { id: id.get().to_vec(), wait_ms: 60_000 };
    let refusal = rejected(client.get_transaction(request.clone()).await.unwrap().into_inner().outcome);
    assert_eq!((refusal.name.as_str(), refusal.first_height), ("unknown_sender", None));
    assert_eq!(edge.call().await, Call::Transaction(id, Duration::from_secs(60)));

    for (outcome, state) in
        [(Outcome::Pending, State::Pending(v1::Pending {})), (Outcome::Unknown, State::Unknown(v1::Unknown {}))]
    {
        edge.fake.set_answer(Ok(outcome));
        let answer = client.get_transaction(request.clone()).await.unwrap().into_inner();
        assert_eq!(answer.outcome.unwrap().state, Some(state));
    }
    let granted = Committed {
        height: Height::new(1),
        index: 0,
        block: BlockId::new([4; 32]),
        time: TimeMs::new(5),
        created: Created::Permission(PermissionId::new(8)),
    };
    edge.fake.set_answer(Ok(Outcome::Committed(granted)));
    match client.get_transaction(request).await.unwrap().into_inner().outcome.unwrap().state {
        Some(State::Committed(found)) => assert_eq!((found.permission, found.batch_sequence), (Some(8), None)),
        other => unreachable!("{other:?}"),
    }
    assert_eq!(edge.counters.requests("Submit", Code::Ok), 2);
    assert_eq!(edge.counters.requests("GetTransaction", Code::Ok), 4);
}

#[tokio::test]
async fn what_is_no_transaction_is_rejected_with_its_code_and_not_handed_on() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let mut submit = async |transaction: Vec<u8>| {
        let answer = client.submit(v1::SubmitRequest { transaction, wait_ms: 1_000 }).await;
        answer.map(|answer| (answer.get_ref().id.clone(), rejected(answer.into_inner().outcome)))
    };

    let good = fake::transaction().to_bytes();
    let mut trailing = good.clone();
    trailing.push(0);
    let malformed = [Vec::new(), good[..good.len() - 1].to_vec(), trailing, vec![0; TRANSACTION_BYTES_MAX]];
    for bytes in malformed {
        let (id, refusal) = submit(bytes).await.unwrap();
        assert_eq!((id.len(), refusal.code, refusal.name.as_str()), (0, 100, "malformed"));
    }
    for size in [TRANSACTION_BYTES_MAX + 1, REQUEST_BYTES_MAX - 64] {
        let (id, refusal) = submit(vec![0; size]).await.unwrap();
        assert_eq!((id.len(), refusal.code, refusal.name.as_str()), (0, 101, "too_large"));
        assert!(refusal.message.contains(&size.to_string()), "{}", refusal.message);
    }
    let refused = submit(vec![0; REQUEST_BYTES_MAX + 1]).await.expect_err("the transport refuses what is larger still");
    assert_eq!(refused.code(), Code::OutOfRange);

    edge.fake.set_answer(Ok(Outcome::Rejected(fake::already_committed())));
    let (id, refusal) = submit(good).await.unwrap();
    assert_eq!((id, refusal.code), (fake::transaction().id().get().to_vec(), 114));
    assert_eq!(edge.call().await, Call::Submit(fake::transaction().id(), Duration::from_secs(1)), "the first call");
}

#[tokio::test]
async fn reads_are_asked_and_answered_word_for_word() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;

    let stamp = client.get_stamp(stamp_request()).await.unwrap().into_inner();
    assert_eq!(stamp, v1::StampResponse { stamp: fake::stamp().to_bytes(), height: 41, time_ms: 41_000 });
    let query = StampQuery {
        institution: InstitutionId::new(INSTITUTION),
        root: BatchRoot::new([1; 32]),
        handle: StatusHandle::new([2; 32]),
        with_permission: true,
    };
    assert_eq!(edge.call().await, Call::Stamp(query));

    use v1::get_header_request::At;
    for (at, asked) in
        [(At::Height(42), HeaderAt::Height(Height::new(42))), (At::Latest(v1::Latest {}), HeaderAt::Latest)]
    {
        let header = client.get_header(v1::GetHeaderRequest { at: Some(at) }).await.unwrap().into_inner();
        let (expected, certificate) = (fake::header(), fake::certificate());
        assert_eq!(header.header, expected.to_bytes());
        assert_eq!(header.certificate, certificate.to_bytes());
        assert_eq!(header.block_id, expected.id().get());
        assert_eq!(edge.call().await, Call::Header(asked));
    }

    let status = client.get_node_status(v1::GetNodeStatusRequest {}).await.unwrap().into_inner();
    let expected = v1::NodeStatus {
        name: "nceqe".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        height: 42,
        header_id: fake::header().id().get().to_vec(),
        state_root: vec![4; 32],
        genesis_hash: vec![1; 32],
        peers: 3,
        syncing: true,
        time_ms: 42_000,
        network: v1::NetworkKind::Test.into(),
        mempool_transactions: 5,
    };
    assert_eq!(status, expected);
    assert_eq!(edge.call().await, Call::Status);

    assert_eq!(client.get_genesis(v1::GetGenesisRequest {}).await.unwrap().into_inner().genesis, [6; 100]);
    assert_eq!(edge.call().await, Call::Genesis);

    let authority = client.get_authority(v1::GetAuthorityRequest { authority: 255 }).await.unwrap().into_inner();
    let shown = v1::PublicKey { algorithm: 1, key: fake::key().as_bytes().to_vec() };
    assert_eq!(authority, v1::Authority { sequence: 9, threshold: 1, keys: vec![shown.clone()] });
    assert_eq!(edge.call().await, Call::Authority(AuthorityId::new(255)));

    let request = v1::GetInstitutionRequest { institution: INSTITUTION };
    let institution = client.get_institution(request).await.unwrap().into_inner();
    assert_eq!(institution.facts, fake::facts().to_bytes());
    assert_eq!((institution.name_en.as_str(), institution.key_count), ("Georgian Technical University", 10));
    assert_eq!(edge.call().await, Call::Institution(InstitutionId::new(INSTITUTION)));

    let validators = client.get_validators(v1::GetValidatorsRequest { height: 43 }).await.unwrap().into_inner();
    assert_eq!(validators.set, fake::validators().to_bytes());
    assert_eq!(edge.call().await, Call::Validators(Height::new(43)));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let institution = InstitutionId::new(INSTITUTION);

    let request = v1::ListKeysRequest { institution: INSTITUTION, start: 8, limit: 2 };
    let keys = client.list_keys(request).await.unwrap().into_inner();
    let [key] = keys.keys.as_slice() else { unreachable!("one key: {keys:?}") };
    assert_eq!((key.index, key.record.clone(), keys.next), (8, fake::key_record().to_bytes(), Some(9)));
    assert_eq!(edge.call().await, Call::Keys(KeysQuery { institution, start: KeyIndex::new(8), limit: 2 }));

    // Numbers begin at 1, and no limit stands for the largest.
    let request = v1::ListPermissionsRequest { institution: INSTITUTION, start: 0, limit: 0 };
    let permissions = client.list_permissions(request).await.unwrap().into_inner();
    let [permission] = permissions.permissions.as_slice() else { unreachable!("one permission: {permissions:?}") };
    assert_eq!((permission.number, permission.record.clone()), (1, fake::permission().to_bytes()));
    assert_eq!(permissions.next, None);
    let query = PermissionsQuery { institution, start: PermissionId::new(1), limit: LIST_ENTRIES_MAX };
    assert_eq!(edge.call().await, Call::Permissions(query));
}

#[tokio::test]
async fn fields_out_of_range_are_refused_before_anything_is_asked() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let (status, code) = (Code::InvalidArgument, ErrorCode::InvalidField);

    for length in [0, 31, 33] {
        let id = vec![1; length];
        assert_refused(
            client.get_transaction(v1::GetTransactionRequest { id: id.clone(), wait_ms: 0 }).await,
            status,
            code,
        );
        let request = v1::GetStampRequest { batch_root: id.clone(), ..stamp_request() };
        assert_refused(client.get_stamp(request).await, status, code);
        let request = v1::GetStampRequest { status_handle: id, ..stamp_request() };
        assert_refused(client.get_stamp(request).await, status, code);
    }
    assert_refused(client.get_header(v1::GetHeaderRequest { at: None }).await, status, code);
    assert_refused(client.get_authority(v1::GetAuthorityRequest { authority: 256 }).await, status, code);
    let request = v1::ListKeysRequest { institution: INSTITUTION, start: 65_536, limit: 0 };
    assert_refused(client.list_keys(request).await, status, code);
    let request = v1::ListKeysRequest { institution: INSTITUTION, start: 0, limit: LIST_ENTRIES_MAX + 1 };
    assert_refused(client.list_keys(request).await, status, code);
    let request = v1::ListPermissionsRequest { institution: INSTITUTION, start: 0, limit: LIST_ENTRIES_MAX + 1 };
    assert_refused(client.list_permissions(request).await, status, code);
    assert_refused(client.submit(submit_request(60_001)).await, status, ErrorCode::WaitTooLong);
    let request = v1::GetTransactionRequest { id: vec![1; 32], wait_ms: u32::MAX };
    assert_refused(client.get_transaction(request).await, status, ErrorCode::WaitTooLong);

    client.get_genesis(v1::GetGenesisRequest {}).await.unwrap();
    assert_eq!(edge.call().await, Call::Genesis, "the first thing that the backend hears of");
    assert_eq!(edge.counters.requests("ListKeys", Code::InvalidArgument), 2);
}

#[tokio::test]
async fn the_backends_errors_have_stable_codes() {
    let edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    for (error, status, code) in [
        (BackendError::BatchNotFound, Code::NotFound, ErrorCode::BatchNotFound),
        (BackendError::InstitutionNotFound, Code::NotFound, ErrorCode::InstitutionNotFound),
        (BackendError::HeightNotFound, Code::NotFound, ErrorCode::HeightNotFound),
        (BackendError::AuthorityNotFound, Code::NotFound, ErrorCode::AuthorityNotFound),
        (BackendError::Busy, Code::ResourceExhausted, ErrorCode::Busy),
        (BackendError::NotReady, Code::Unavailable, ErrorCode::NotReady),
        (BackendError::Internal, Code::Internal, ErrorCode::Internal),
    ] {
        edge.fake.set_answer(Err(error));
        assert_refused(client.get_stamp(stamp_request()).await, status, code);
        assert_refused(client.submit(submit_request(10)).await, status, code);
        assert_refused(client.get_node_status(v1::GetNodeStatusRequest {}).await, status, code);
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let limits = GrpcLimits { query: Duration::from_millis(50), ..GrpcLimits::default() };
    let mut edge = Edge::start(limits);
    let mut client = edge.client().await;
    edge.fake.set_open(false);
    assert_refused(in_time(client.get_stamp(stamp_request())).await, Code::DeadlineExceeded, ErrorCode::Timeout);
    edge.call().await;
    // A wait is given up only after what the client asked for has passed as well.
    let start = tokio::time::Instant::now();
    assert_refused(in_time(client.submit(submit_request(200))).await, Code::DeadlineExceeded, ErrorCode::Timeout);
    assert!(start.elapsed() >= Duration::from_millis(250));
    edge.call().await;
}

#[tokio::test]
async fn a_clients_own_deadline_ends_the_work() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    edge.fake.set_open(false);
    let mut request = tonic::Request::new(submit_request(60_000));
    request.set_timeout(Duration::from_millis(100));
    let refused = in_time(client.submit(request)).await.expect_err("the deadline passes");
    assert!(matches!(refused.code(), Code::Cancelled | Code::DeadlineExceeded), "{refused:?}");
    // The backend's future was dropped, although nobody has let it go on.
    edge.call().await;
}

#[tokio::test]
async fn queries_and_waits_above_their_limits_are_refused_and_do_not_block_each_other() {
    let mut edge = Edge::start(GrpcLimits { queries: 1, waits: 1, reading: 1, ..GrpcLimits::default() });
    let mut client = edge.client().await;
    edge.fake.set_open(false);

    let mut other = client.clone();
    let query = tokio::spawn(async move { other.get_stamp(stamp_request()).await });
    assert!(matches!(edge.entered().await, Call::Stamp(_)));
    assert_refused(client.get_stamp(stamp_request()).await, Code::ResourceExhausted, ErrorCode::Busy);
    assert_refused(client.submit(submit_request(0)).await, Code::ResourceExhausted, ErrorCode::Busy);

    let mut other = client.clone();
    let wait = tokio::spawn(async move { other.submit(submit_request(60_000)).await });
    assert!(matches!(edge.entered().await, Call::Submit(..)));
    assert_refused(client.submit(submit_request(60_000)).await, Code::ResourceExhausted, ErrorCode::Busy);

    edge.fake.set_open(true);
    in_time(query).await.unwrap().unwrap();
    in_time(wait).await.unwrap().unwrap();
    client.get_stamp(stamp_request()).await.expect("the permit was given back");
    client.submit(submit_request(60_000)).await.expect("the permit was given back");
}

#[tokio::test]
async fn requests_are_read_only_within_the_limit() {
    let edge = Edge::start(GrpcLimits { reading: 0, ..GrpcLimits::default() });
    let mut client = edge.client().await;
    assert_refused(client.submit(submit_request(0)).await, Code::ResourceExhausted, ErrorCode::Busy);
    let mut health = HealthClient::new(edge.channel().await);
    health.check(HealthCheckRequest { service: String::new() }).await.expect("health is still told");
}

#[tokio::test]
async fn one_connection_has_a_limited_number_of_requests() {
    let limits = GrpcLimits { requests_per_connection: 1, ..GrpcLimits::default() };
    let mut edge = Edge::start(limits);
    let mut client = edge.client().await;
    edge.fake.set_open(false);
    let mut other = client.clone();
    let first = tokio::spawn(async move { other.get_stamp(stamp_request()).await });
    edge.entered().await;
    let refused = client.get_stamp(stamp_request()).await.expect_err("the connection has one already");
    assert_eq!(refused.code(), Code::ResourceExhausted);

    // Another connection is not concerned.
    let mut stranger = edge.client().await;
    let second = tokio::spawn(async move { stranger.get_stamp(stamp_request()).await });
    edge.entered().await;
    edge.fake.set_open(true);
    in_time(first).await.unwrap().unwrap();
    in_time(second).await.unwrap().unwrap();
}

#[tokio::test]
async fn connections_above_the_limit_are_closed_at_once() {
    let edge = Edge::start(GrpcLimits { connections: 1, ..GrpcLimits::default() });
    let mut client = edge.client().await;
    client.get_genesis(v1::GetGenesisRequest {}).await.unwrap();

    let mut second = TcpStream::connect(edge.address()).await.expect("the kernel accepts");
    let mut rest = Vec::new();
    let end = in_time(second.read_to_end(&mut rest)).await;
    assert!(rest.is_empty() && end.is_ok_and(|count| count == 0), "closed without a word");
    assert_eq!((edge.counters.connections(), edge.counters.connections_refused()), (1, 1));
    client.get_genesis(v1::GetGenesisRequest {}).await.expect("the first is not concerned");
}

#[tokio::test]
async fn a_connection_that_never_speaks_is_closed() {
    let limits = GrpcLimits { handshake: Duration::from_millis(50), connections: 1, ..GrpcLimits::default() };
    let edge = Edge::start(limits);
    let mut silent = TcpStream::connect(edge.address()).await.expect("the edge listens");
    // The first bytes of the preface, and no more.
    silent.write_all(b"PRI * HTTP").await.unwrap();
    let mut rest = Vec::new();
    // Closed or reset, whichever: it ends.
    drop(in_time(silent.read_to_end(&mut rest)).await);
    // Its slot is free again, and one that speaks stays: time must pass for that, four times the handshake's.
    let mut client = loop {
        if let Ok(channel) = endpoint(edge.address()).connect().await {
            let mut client = LedgerClient::new(channel);
            if client.get_genesis(v1::GetGenesisRequest {}).await.is_ok() {
                break client;
            }
        }
    };
    edge.fake.set_open(false);
    let open = edge.fake.clone();
    let later = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        open.set_open(true);
    });
    in_time(client.get_genesis(v1::GetGenesisRequest {})).await.expect("it speaks");
    later.await.unwrap();
}

#[tokio::test]
async fn headers_above_the_limit_are_refused() {
    let mut edge = Edge::start(GrpcLimits { header_bytes: 2_048, ..GrpcLimits::default() });
    let mut client = edge.client().await;
    let mut request = tonic::Request::new(v1::GetGenesisRequest {});
    request.metadata_mut().insert("x-padding", "x".repeat(4_096).parse().unwrap());
    in_time(client.get_genesis(request)).await.expect_err("its headers are too large");
    edge.client().await.get_genesis(v1::GetGenesisRequest {}).await.unwrap();
    assert_eq!(edge.call().await, Call::Genesis);
    assert!(edge.events.try_recv().is_err(), "one call only");
}

/// Passes bytes through.
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;
    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

async fn raw(channel: Channel, path: &'static str, message: &[u8]) -> Result<Vec<u8>, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("the edge listens");
    let request = tonic::Request::new(message.to_vec());
    client.unary(request, PathAndQuery::from_static(path), Bytes).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn unknown_methods_and_undecodable_messages_are_refused() {
    let mut edge = Edge::start(GrpcLimits::default());
    let channel = edge.channel().await;
    for path in ["/sigeli.v1.Ledger/Mint", "/sigeli.v2.Ledger/Submit", "/sigeli.v1.Ledger"] {
        let refused = raw(channel.clone(), path, &[]).await.expect_err("there is no such method");
        assert_eq!(refused.code(), Code::Unimplemented, "{path}");
    }
    // A field that announces more bytes than there are.
    let refused = raw(channel.clone(), "/sigeli.v1.Ledger/Submit", &[0x0a, 0x7f, 0]).await.expect_err("no message");
    assert_eq!(refused.code(), Code::Internal);
    raw(channel, "/sigeli.v1.Ledger/GetGenesis", &[]).await.expect("the empty message is one");
    assert_eq!(edge.call().await, Call::Genesis, "the first thing that the backend hears of");
}

#[tokio::test]
async fn health_follows_readiness() {
    let edge = Edge::start(GrpcLimits::default());
    for service in ["", "sigeli.v1.Ledger"] {
        edge.fake.set_ready(false);
        let mut health = HealthClient::new(edge.channel().await);
        let request = HealthCheckRequest { service: service.to_owned() };
        let mut watch = health.watch(request.clone()).await.unwrap().into_inner();
        while in_time(watch.message()).await.unwrap().unwrap().status() != ServingStatus::NotServing {}
        edge.fake.set_ready(true);
        assert_eq!(in_time(watch.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
        assert_eq!(health.check(request).await.unwrap().into_inner().status(), ServingStatus::Serving);
    }
    let mut health = HealthClient::new(edge.channel().await);
    let refused = health.check(HealthCheckRequest { service: "sigeli.v1.Admin".to_owned() }).await;
    assert_eq!(refused.expect_err("there is no such service").code(), Code::NotFound);
}

async fn reflected_services(channel: Channel) -> Result<Vec<String>, Status> {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(channel);
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await?.into_inner();
    let answer = in_time(answers.message()).await?.and_then(|answer| answer.message_response);
    match answer {
        Some(MessageResponse::ListServicesResponse(list)) => {
            Ok(list.service.into_iter().map(|service| service.name).collect())
        }
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn reflection_answers_only_where_it_is_wanted() {
    let edge = Edge::start_with(GrpcOptions { reflection: true, ..GrpcOptions::default() });
    let services = reflected_services(edge.channel().await).await.unwrap();
    for service in ["sigeli.v1.Ledger", "grpc.health.v1.Health"] {
        assert!(services.iter().any(|name| name == service), "{services:?}");
    }
    let edge = Edge::start(GrpcLimits::default());
    let refused = reflected_services(edge.channel().await).await.expect_err("it is off");
    assert_eq!(refused.code(), Code::Unimplemented);
}

#[tokio::test]
async fn shutdown_answers_what_is_under_way_and_ends_waits() {
    let mut edge = Edge::start(GrpcLimits { drain: PATIENCE, ..GrpcLimits::default() });
    let address = edge.address();
    let mut health = HealthClient::new(edge.channel().await);
    let mut watch = health.watch(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
    in_time(watch.message()).await.unwrap().expect("the present status");

    edge.fake.set_open(false);
    let (mut query, mut wait) = (edge.client().await, edge.client().await);
    let query = tokio::spawn(async move { query.get_stamp(stamp_request()).await });
    assert!(matches!(edge.entered().await, Call::Stamp(_)));
    let wait = tokio::spawn(async move { wait.submit(submit_request(60_000)).await });
    assert!(matches!(edge.entered().await, Call::Submit(..)));

    edge.shutdown.cancel();
    assert_refused(in_time(wait).await.unwrap(), Code::Unavailable, ErrorCode::NotReady);
    assert_eq!(edge.event().await, Event::Left, "the wait's future is dropped");
    let last = async {
        let mut last = None;
        while let Ok(Some(status)) = watch.message().await {
            last = Some(status.status());
        }
        last
    };
    assert_eq!(in_time(last).await, Some(ServingStatus::NotServing), "watchers are told, and let go");
    assert!(!query.is_finished());
    edge.fake.set_open(true);
    in_time(query).await.unwrap().expect("what was under way is answered");

    assert_eq!(in_time(edge.server.stopped()).await.unwrap(), Drain::Complete);
    TcpStream::connect(address).await.expect_err("nobody listens any more");
}

#[tokio::test]
async fn shutdown_cuts_what_does_not_end() {
    let mut edge = Edge::start(GrpcLimits { drain: Duration::from_millis(50), ..GrpcLimits::default() });
    edge.fake.set_open(false);
    let mut client = edge.client().await;
    let stuck = tokio::spawn(async move { client.get_stamp(stamp_request()).await });
    edge.entered().await;
    assert_eq!(edge.stop().await, Drain::CutOff);
    in_time(stuck).await.unwrap().expect_err("it was cut");
}

/// Nothing of the edge runs on the caller's threads: there is no runtime here at all while the server starts.
#[test]
fn the_edge_runs_on_threads_of_its_own() {
    let edge = Edge::start(GrpcLimits::default());
    let client = std::thread::spawn({
        let address = edge.address();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let channel = endpoint(address).connect().await.unwrap();
                LedgerClient::new(channel).get_genesis(v1::GetGenesisRequest {}).await.unwrap();
            });
        }
    });
    client.join().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(edge.stop()), Drain::Complete);
}

#[tokio::test]
async fn an_id_asked_for_is_the_id_handed_on() {
    let mut edge = Edge::start(GrpcLimits::default());
    let bytes: [u8; 32] = std::array::from_fn(|position| u8::try_from(position).unwrap());
    let request = v1::GetTransactionRequest { id: bytes.to_vec(), wait_ms: 0 };
    edge.client().await.get_transaction(request).await.unwrap();
    assert_eq!(edge.call().await, Call::Transaction(TransactionId::new(bytes), Duration::ZERO));
}

/// One request over a fresh connection; the whole answer.
async fn http(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the page is served");
    stream.write_all(request.as_bytes()).await.expect("the page listens");
    let mut answer = String::new();
    in_time(stream.read_to_string(&mut answer)).await.expect("an answer in text");
    answer
}

#[tokio::test]
async fn metrics_are_served_as_prometheus_reads_them() {
    let edge = Edge::start(GrpcLimits::default());
    edge.client().await.get_genesis(v1::GetGenesisRequest {}).await.unwrap();
    let mut registry = Registry::with_prefix("sigeli");
    edge.counters.register(&mut registry);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve_metrics(listener, Arc::new(registry), shutdown.clone()));

    let page = http(address, "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"), "{page}");
    let counted = "\nsigeli_grpc_requests_total{method=\"GetGenesis\",status=\"OK\"} 1\n";
    assert!(page.contains(counted), "{page}");
    assert!(page.contains("\nsigeli_grpc_request_duration_seconds_count{method=\"GetGenesis\"} 1\n"), "{page}");
    assert!(page.ends_with("# EOF\n"), "{page}");

    let other = http(address, "GET /debug HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 404 "), "{other}");
    let other =
        http(address, "POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 405 "), "{other}");
    let other = http(address, "not http\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 400 "), "{other}");

    shutdown.cancel();
    in_time(serving).await.unwrap().unwrap();
    TcpStream::connect(address).await.expect_err("nobody listens any more");
}
