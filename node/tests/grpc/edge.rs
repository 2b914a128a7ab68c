//! A running edge in front of the fake, and what the tests ask of it.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use sigeli_node::grpc::{Drain, GrpcCounters, GrpcLimits, GrpcOptions, GrpcServer, serve};
use sigeli_proto::{
    detail::error_detail,
    v1::{self, ErrorCode, ledger_client::LedgerClient, outcome::State},
};
use sigeli_verifier::encode::Encode as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use crate::fake::{self, Call, Event, Fake, INSTITUTION};

/// Long enough for anything here on a busy machine; what takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Edge {
    pub(crate) fake: Arc<Fake>,
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) counters: GrpcCounters,
    pub(crate) shutdown: CancellationToken,
    pub(crate) server: GrpcServer,
}

impl Edge {
    pub(crate) fn start(limits: GrpcLimits) -> Self {
        Self::start_with(GrpcOptions { limits, ..GrpcOptions::default() })
    }

    pub(crate) fn start_with(options: GrpcOptions) -> Self {
        let (fake, events) = Fake::new();
        let counters = GrpcCounters::default();
        let shutdown = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let backend = Arc::clone(&fake);
        let server = serve(listener, backend, options, counters.clone(), shutdown.clone()).expect("the edge starts");
        Self { fake, events, counters, shutdown, server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) async fn channel(&self) -> Channel {
        endpoint(self.address()).connect().await.expect("the edge listens")
    }

    pub(crate) async fn client(&self) -> LedgerClient<Channel> {
        LedgerClient::new(self.channel().await)
    }

    pub(crate) async fn event(&mut self) -> Event {
        in_time(self.events.recv()).await.expect("the fake lives as long as the edge")
    }

    pub(crate) async fn entered(&mut self) -> Call {
        match self.event().await {
            Event::Entered(call) => call,
            Event::Left => unreachable!("no call had come in"),
        }
    }

    /// The one call since the last look, which has ended.
    pub(crate) async fn call(&mut self) -> Call {
        let call = self.entered().await;
        assert_eq!(self.event().await, Event::Left);
        call
    }

    pub(crate) async fn stop(self) -> Drain {
        self.shutdown.cancel();
        in_time(self.server.stopped()).await.expect("the edge stops without failing")
    }
}

pub(crate) fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).expect("an address").connect_timeout(PATIENCE)
}

pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes no longer than anything here should")
}

#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Status>, status: Code, code: ErrorCode) {
    let refused = answer.expect_err("it is refused");
    assert_eq!(refused.code(), status, "{refused:?}");
    assert_eq!(error_detail(&refused).map(|detail| detail.code()), Some(code), "{refused:?}");
}

#[track_caller]
pub(crate) fn rejected(outcome: Option<v1::Outcome>) -> v1::Rejected {
    match outcome.and_then(|outcome| outcome.state) {
        Some(State::Rejected(rejected)) => rejected,
        other => unreachable!("not rejected, but {other:?}"),
    }
}

pub(crate) fn submit_request(wait_ms: u32) -> v1::SubmitRequest {
    v1::SubmitRequest { transaction: fake::transaction().to_bytes(), wait_ms }
}

pub(crate) fn stamp_request() -> v1::GetStampRequest {
    v1::GetStampRequest {
        institution: INSTITUTION,
        batch_root: vec![1; 32],
        status_handle: vec![2; 32],
        with_permission: true,
    }
}
