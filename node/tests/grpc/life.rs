//! The server as a whole: its methods, health, reflection, metrics, threads and end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use prometheus_client::registry::Registry;
use prost::bytes::{Buf as _, BufMut as _};
use sigeli_node::grpc::{Drain, GrpcLimits, GrpcOptions, serve_metrics};
use sigeli_proto::v1::{self, ErrorCode, ledger_client::LedgerClient};
use sigeli_verifier::ids::TransactionId;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    edge::{Edge, PATIENCE, assert_refused, endpoint, in_time, stamp_request, submit_request},
    fake::{Call, Event},
};

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
