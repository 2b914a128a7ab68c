//! The server: its own threads, its start and its end.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
    time::Duration,
};

use sigeli_proto::{
    FILE_DESCRIPTOR_SET,
    limits::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX},
    v1::ledger_server::LedgerServer,
};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tonic::{codegen::InterceptedService, server::NamedService as _, service::Routes, transport::Server};
use tonic_health::{ServingStatus, server::HealthReporter};

use super::{
    backend::Backend,
    connection::{ConnectionRules, Incoming},
    counters::GrpcCounters,
    limits::GrpcLimits,
    service::{Admission, LedgerService},
};

/// Largest message of the health and reflection services, in bytes: names only.
const AUXILIARY_BYTES_MAX: usize = 4 * 1_024;

/// How long the runtime's blocking work may hold up the end of its thread.
const RUNTIME_END: Duration = Duration::from_secs(1);

/// The service's name, as health and reflection know it.
const SERVICE: &str = LedgerServer::<LedgerService>::NAME;

/// How to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcOptions {
    /// What to take on at once.
    pub limits: GrpcLimits,
    /// Whether to answer reflection, so that tools can explore the interface. Off in production.
    pub reflection: bool,
    /// Threads of the edge's own runtime, at least 1.
    pub threads: usize,
}

impl Default for GrpcOptions {
    fn default() -> Self {
        Self { limits: GrpcLimits::default(), reflection: false, threads: 2 }
    }
}

/// Why the edge cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// The listener cannot be used.
    #[error("the gRPC listener cannot be used: {source}")]
    Listener {
        /// The system's words.
        source: io::Error,
    },
    /// The runtime or its thread cannot be started.
    #[error("the gRPC threads cannot be started: {source}")]
    Runtime {
        /// The system's words.
        source: io::Error,
    },
    /// The compiled-in description of the interface is not one.
    #[error("the interface's description cannot be served: {source}")]
    Reflection {
        /// The reflection service's words.
        source: Box<tonic_reflection::server::Error>,
    },
    /// The transport failed.
    #[error("the gRPC server failed: {source}")]
    Transport {
        /// Its words.
        source: tonic::transport::Error,
    },
    /// The edge's thread ended without saying why: it panicked.
    #[error("the gRPC server's thread has ended unexpectedly")]
    Panicked,
}

/// How the edge stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// Every request under way was answered and every connection closed.
    Complete,
    /// Time was up; what was left was cut.
    CutOff,
}

/// A running edge. It stops when the token given to [`serve`] is cancelled; dropping this does not stop it.
#[derive(Debug)]
pub struct GrpcServer {
    address: SocketAddr,
    finished: oneshot::Receiver<Result<Drain, GrpcError>>,
}

impl GrpcServer {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has stopped: after shutdown was asked for, or because it failed.
    ///
    /// # Errors
    /// [`GrpcError::Transport`], [`GrpcError::Panicked`].
    pub async fn stopped(self) -> Result<Drain, GrpcError> {
        self.finished.await.unwrap_or(Err(GrpcError::Panicked))
    }
}

/// Starts the edge on threads of its own (`grpc`, `grpc-worker`), on a bound listener.
///
/// # Errors
/// [`GrpcError`], when it cannot be started. What happens later is told by [`GrpcServer::stopped`].
pub fn serve(
    listener: TcpListener,
    backend: Arc<dyn Backend>,
    options: GrpcOptions,
    counters: GrpcCounters,
    shutdown: CancellationToken,
) -> Result<GrpcServer, GrpcError> {
    listener.set_nonblocking(true).map_err(|source| GrpcError::Listener { source })?;
    let address = listener.local_addr().map_err(|source| GrpcError::Listener { source })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads.max(1))
        .thread_name("grpc-worker")
        .enable_all()
        .build()
        .map_err(|source| GrpcError::Runtime { source })?;
    let edge = Edge { backend, limits: options.limits, counters, shutdown };
    let services = edge.services(options.reflection)?;

    let (sender, finished) = oneshot::channel();
    let run = move || {
        let result = runtime.block_on(edge.run(listener, services));
        runtime.shutdown_timeout(RUNTIME_END);
        // Nobody listens when the node has not waited for the end.
        drop(sender.send(result));
    };
    thread::Builder::new().name("grpc".to_owned()).spawn(run).map_err(|source| GrpcError::Runtime { source })?;
    Ok(GrpcServer { address, finished })
}

/// The routes, and the health service's other end.
struct Services {
    routes: Routes,
    health: HealthReporter,
}

struct Edge {
    backend: Arc<dyn Backend>,
    limits: GrpcLimits,
    counters: GrpcCounters,
    shutdown: CancellationToken,
}

impl Edge {
    fn services(&self, with_reflection: bool) -> Result<Services, GrpcError> {
        let service = LedgerService::new(
            Arc::clone(&self.backend),
            self.limits.clone(),
            self.counters.clone(),
            self.shutdown.clone(),
        );
        let ledger = LedgerServer::new(service)
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(RESPONSE_BYTES_MAX);
        let (health, health_server) = tonic_health::server::health_reporter();
        let mut routes = Routes::default()
            .add_service(InterceptedService::new(ledger, Admission::new(&self.limits)))
            .add_service(health_server.max_decoding_message_size(AUXILIARY_BYTES_MAX));
        if with_reflection {
            let describe = || {
                tonic_reflection::server::Builder::configure()
                    .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
                    .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            };
            let failed = |source| GrpcError::Reflection { source: Box::new(source) };
            let newest = describe().build_v1().map_err(failed)?;
            // Most tools still ask the older one.
            let alpha = describe().build_v1alpha().map_err(failed)?;
            routes = routes
                .add_service(newest.max_decoding_message_size(AUXILIARY_BYTES_MAX))
                .add_service(alpha.max_decoding_message_size(AUXILIARY_BYTES_MAX));
        }
        Ok(Services { routes, health })
    }

    async fn run(self, listener: TcpListener, services: Services) -> Result<Drain, GrpcError> {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(|source| GrpcError::Listener { source })?;
        let rules = ConnectionRules {
            connections: self.limits.connections,
            handshake: self.limits.handshake,
            lifetime: self.limits.connection_end(),
        };
        let incoming = Incoming::new(listener, rules, self.counters.clone());
        let following = follow_readiness(self.backend.readiness(), services.health, self.shutdown.clone());
        let following = tokio::spawn(following);

        let stop = self.shutdown.clone();
        let serving =
            self.transport().add_routes(services.routes).serve_with_incoming_shutdown(incoming, stop.cancelled_owned());
        let time_is_up = async {
            self.shutdown.cancelled().await;
            tokio::time::sleep(self.limits.drain).await;
        };
        let result = tokio::select! {
            served = serving => served.map(|()| Drain::Complete).map_err(|source| GrpcError::Transport { source }),
            () = time_is_up => Ok(Drain::CutOff),
        };
        following.abort();
        result
    }

    fn transport(&self) -> Server {
        let limits = &self.limits;
        Server::builder()
            .concurrency_limit_per_connection(limits.requests_per_connection)
            .load_shed(true)
            .timeout(limits.request())
            .max_concurrent_streams(limits.streams_per_connection)
            .max_connection_age(limits.connection_age)
            .http2_keepalive_interval(Some(limits.keepalive))
            .http2_keepalive_timeout(Some(limits.keepalive_answer))
            .http2_max_header_list_size(limits.header_bytes)
    }
}

/// Lets health say what the backend's readiness says, for the ledger's service and for the server as a whole, and that it
/// does not serve once shutdown begins.
async fn follow_readiness(mut ready: watch::Receiver<bool>, mut health: HealthReporter, shutdown: CancellationToken) {
    loop {
        let is_ready = *ready.borrow_and_update();
        tell(&health, if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing }).await;
        let is_known = tokio::select! {
            changed = ready.changed() => changed.is_ok(),
            () = shutdown.cancelled() => break,
        };
        if !is_known {
            // Whoever knew is gone.
            tell(&health, ServingStatus::NotServing).await;
            shutdown.cancelled().await;
            break;
        }
    }
    tell(&health, ServingStatus::NotServing).await;
    // Ends the streams of those who watch; they would hold up the drain.
    for name in ["", SERVICE] {
        health.clear_service_status(name).await;
    }
}

async fn tell(health: &HealthReporter, status: ServingStatus) {
    for name in ["", SERVICE] {
        health.set_service_status(name, status).await;
    }
}
