//! What exceeds a limit is refused or cut, and nothing else suffers for it.

use std::time::Duration;

use sigeli_node::grpc::GrpcLimits;
use sigeli_proto::v1::{self, ErrorCode, ledger_client::LedgerClient};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    edge::{Edge, assert_refused, endpoint, in_time, stamp_request, submit_request},
    fake::Call,
};

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
