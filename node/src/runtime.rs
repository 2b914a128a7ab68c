//! Builds the validator's parts, runs them, and stops them in order.
//!
//! Three kinds of threads: the network's runtime; the edge's own runtime, which cannot starve the rest; and one consensus
//! thread, which owns the driver, the store's writing handle and the validator key, and does one thing after another.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::Path,
    pin::Pin,
    sync::Arc,
};

use sigeli_consensus::{
    application::LedgerApplication,
    driver::{Driver, DriverConfig},
    engine::StrictCheck,
    params::{ConsensusParams, MESSAGE_BYTES_MAX},
    ports::Fatal,
};
use sigeli_ledger::{
    chain::{Chain, OpenError},
    genesis::{Genesis, GenesisDocument, GenesisError},
    store::StoreError,
};
use sigeli_store::{EvidenceLog, Options, RocksReader, RocksStore};
use sigeli_verifier::{
    crypto::PublicKey,
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    validators::address,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    backend::NodeBackend,
    config::{Config, DATABASE_FOLDER, GENESIS_FILE, SIGN_STATE_FILE},
    consensus::{Consensus, ConsensusPorts, End},
    grpc::{self, GrpcCounters, GrpcError, GrpcOptions},
    keys::{self, KeyError},
    metrics::Metrics,
    network::{self, NetworkConfig, NetworkError, NetworkLimits, PeerEntry},
    progress::{Progress, Refusals},
    sign_state::SignStateFile,
    wal::RocksWal,
};

/// Largest genesis document that is read, in bytes.
const GENESIS_BYTES_MAX: u64 = 1024 * 1024;
/// Transactions on their way to the consensus thread.
const SUBMISSIONS_MAX: usize = 1024;
/// Threads of the network's runtime.
const NETWORK_THREADS: usize = 2;

/// Why the node stopped without an error of its own.
#[derive(Debug)]
pub enum Stop {
    /// Somebody asked it to.
    Requested,
    /// Storage or safety failed.
    FailStop(Fatal),
}

/// Why the node could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file of the node's home cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// The system's words.
        source: io::Error,
    },
    /// The genesis file is not a genesis document.
    #[error("the genesis file is not a genesis document: {0}")]
    GenesisFormat(#[from] DecodeError),
    /// The genesis document is unsound.
    #[error("the genesis document is refused: {0}")]
    Genesis(#[from] GenesisError),
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// This node's network key is not the one that genesis names for its validator key.
    #[error("genesis names another network key for this validator: was network.key replaced?")]
    NetworkKey,
    /// The database cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Store(#[from] sigeli_store::OpenError),
    /// The database holds something else.
    #[error("the ledger cannot be opened: {0}")]
    Ledger(#[from] OpenError),
    /// The network cannot start.
    #[error("the network cannot start: {0}")]
    Network(#[from] NetworkError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// The edge failed.
    #[error(transparent)]
    Edge(#[from] GrpcError),
    /// The metrics page failed.
    #[error(transparent)]
    Metrics(#[from] grpc::MetricsError),
    /// A part ended although nobody had asked it to.
    #[error("{part} has ended without being asked to")]
    EndedEarly {
        /// Which.
        part: &'static str,
    },
    /// Threads or signal handlers cannot be set up.
    #[error("cannot set up the node's threads: {0}")]
    Threads(#[from] io::Error),
}

/// What the node is made of, before it runs.
struct Parts {
    driver: Driver<LedgerApplication<RocksStore>, RocksWal, SignStateFile>,
    reader: RocksReader,
    evidence: EvidenceLog,
    genesis: Genesis,
}

/// Runs the validator until SIGTERM or SIGINT, or until it must stop.
///
/// # Errors
/// [`RunError`], when it cannot start or a part other than consensus ends.
pub fn run(home: &Path, config: Config) -> Result<Stop, RunError> {
    let genesis = load_genesis(&home.join(GENESIS_FILE))?;
    let validator_key = keys::load(&home.join(keys::VALIDATOR_KEY_FILE))?;
    let network_key = keys::load(&home.join(keys::NETWORK_KEY_FILE))?;
    let own_network_key = network::network_public_key(&network_key.to_bytes());
    let public = PublicKey::from_ed25519(validator_key.verifying_key().as_bytes())?;
    let registered = genesis.registry().network_key(&address(&public));
    if registered.is_some_and(|key| *key.as_bytes() != own_network_key) {
        return Err(RunError::NetworkKey);
    }
    let opened = open(home, genesis, public);
    let parts = match opened {
        Ok(Ok(parts)) => parts,
        Ok(Err(fatal)) => return Ok(Stop::FailStop(fatal)),
        Err(error) => return Err(error),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(NETWORK_THREADS)
        .thread_name("network")
        .enable_all()
        .build()?;
    let stop = runtime.block_on(serve(config, parts, validator_key, network_key.to_bytes(), own_network_key));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    stop
}

fn load_genesis(path: &Path) -> Result<Genesis, RunError> {
    let read = |source| RunError::Read { path: path.display().to_string(), source };
    if std::fs::metadata(path).map_err(read)?.len() > GENESIS_BYTES_MAX {
        return Err(read(io::ErrorKind::FileTooLarge.into()));
    }
    let document = GenesisDocument::from_bytes(&std::fs::read(path).map_err(read)?)?;
    Ok(Genesis::new(document)?)
}

/// Opens store, chain, log and sign-state. A [`Fatal`] is damage: the node must not start.
fn open(home: &Path, genesis: Genesis, key: PublicKey) -> Result<Result<Parts, Fatal>, RunError> {
    let options = Options { genesis: Some(genesis.genesis_hash()), ..Options::default() };
    let store = RocksStore::open(&home.join(DATABASE_FOLDER), &options)?;
    let chain = Chain::open(store, genesis.clone())?;
    let reader = chain.reader().clone();
    let evidence = chain.store().evidence_log();
    let log = match chain.store().consensus_log() {
        Ok(log) => RocksWal::new(log),
        Err(error) => {
            tracing::error!(%error, "the consensus log cannot be read");
            return Ok(Err(Fatal::Storage { what: "reading the consensus log" }));
        }
    };
    let sign_state = SignStateFile::new(home.join(SIGN_STATE_FILE), genesis.genesis_hash(), address(&key));
    let is_validator = genesis.registry().network_key(&address(&key)).is_some();
    let config = DriverConfig {
        params: consensus_params(&genesis),
        key: is_validator.then_some(key),
        check: Arc::new(StrictCheck),
    };
    let driver = LedgerApplication::new(chain).and_then(|ledger| Driver::open(config, ledger, log, sign_state));
    Ok(driver.map(|driver| Parts { driver, reader, evidence, genesis }))
}

fn consensus_params(genesis: &Genesis) -> ConsensusParams {
    let parameters = genesis.consensus();
    ConsensusParams {
        propose_ms: parameters.propose.first_ms.into(),
        prevote_ms: parameters.prevote.first_ms.into(),
        precommit_ms: parameters.precommit.first_ms.into(),
        propose_step_ms: parameters.propose.step_ms.into(),
        prevote_step_ms: parameters.prevote.step_ms.into(),
        precommit_step_ms: parameters.precommit.step_ms.into(),
        rebroadcast_ms: parameters.rebroadcast_ms.into(),
        timeout_ms_max: parameters.cap_ms.into(),
        heartbeat_ms: parameters.heartbeat_ms.into(),
    }
}

/// The peers that genesis allows, less ourselves, with the addresses that the configuration knows.
fn allowed_peers(config: &Config, genesis: &Genesis, own: &[u8; 32]) -> Vec<PeerEntry> {
    let registry = genesis.registry();
    let validators = registry.validators().iter().map(|entry| entry.network_key);
    let keys = validators.chain(registry.observers().iter().copied()).filter(|key| key.as_bytes() != own);
    keys.filter_map(|key| {
        let peer = network::peer_id_of(key.as_bytes()).ok()?;
        let known = config.peers.iter().find(|(_, bytes, _)| bytes == key.as_bytes());
        Some(PeerEntry { peer, addresses: known.map(|(_, _, entry)| entry.addresses.clone()).unwrap_or_default() })
    })
    .collect()
}

fn listen(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).map_err(|source| RunError::Listen { address, source })
}

/// Limits that fit consensus's largest message: a sync response.
fn network_limits() -> NetworkLimits {
    let mut limits = NetworkLimits::default();
    let largest = u32::try_from(MESSAGE_BYTES_MAX).unwrap_or(u32::MAX);
    limits.consensus.message_bytes_max = largest;
    limits.consensus.outbox_bytes_max = MESSAGE_BYTES_MAX.saturating_mul(2);
    limits.consensus.inbound_bytes_max = largest.saturating_mul(2);
    limits
}

async fn serve(
    config: Config,
    parts: Parts,
    validator_key: ed25519_dalek::SigningKey,
    network_secret: [u8; 32],
    own_network_key: [u8; 32],
) -> Result<Stop, RunError> {
    let Parts { driver, reader, evidence, genesis } = parts;
    for (name, key, _) in &config.peers {
        let known = genesis.registry().validators().iter().any(|entry| entry.network_key.as_bytes() == key)
            || genesis.registry().observers().iter().any(|observer| observer.as_bytes() == key);
        if !known {
            tracing::warn!(key = %name, "network.peers names a key that genesis does not allow: no connection");
        }
    }
    let grpc_listener = listen(config.grpc)?;
    let metrics_listener = config.metrics.map(listen).transpose()?;
    let (network, events, network_task) = network::spawn(NetworkConfig {
        secret: network_secret.into(),
        listen: config.listen.clone(),
        peers: allowed_peers(&config, &genesis, &own_network_key),
        limits: network_limits(),
    })?;

    let shutdown = CancellationToken::new();
    let (submissions, submitted) = mpsc::channel(SUBMISSIONS_MAX);
    let (progress_writer, progress) = watch::channel(Progress::default());
    let (ready_writer, ready) = watch::channel(false);
    let (failed, mut store_failed) = mpsc::channel::<StoreError>(1);
    let refusals = Arc::new(Refusals::default());
    let grpc_counters = GrpcCounters::default();
    let metrics = Metrics::new(&grpc_counters, progress.clone(), network.clone());

    let consensus = Consensus::start(
        driver,
        validator_key,
        genesis.registry().clone(),
        ConsensusPorts {
            network: network.clone(),
            events,
            submitted,
            progress: progress_writer,
            ready: ready_writer,
            refusals: Arc::clone(&refusals),
            evidence,
            metrics: metrics.consensus(),
            shutdown: shutdown.clone(),
        },
    )?;
    let backend = Arc::new(NodeBackend {
        name: config.name.clone(),
        genesis_hash: genesis.genesis_hash(),
        kind: genesis.document().kind,
        genesis: genesis.document().to_bytes().into(),
        reader,
        submissions,
        progress,
        ready,
        refusals,
        network: network.clone(),
        failed,
    });
    let options = GrpcOptions { reflection: true, ..GrpcOptions::default() };
    let edge = grpc::serve(grpc_listener, backend, options, grpc_counters, shutdown.clone())?;
    let metrics_page = serve_metrics(metrics_listener, metrics, shutdown.clone());
    tracing::info!(name = %config.name, genesis = %genesis.genesis_hash(), grpc = %config.grpc, "started");

    let parts = Running {
        consensus: Ended::new(consensus.ended()),
        edge: Ended::new(async move { edge.stopped().await.map(|_| ()) }),
        metrics: Ended::new(metrics_page),
        network: Ended::new(network_task),
    };
    let failed = async {
        match store_failed.recv().await {
            Some(error) => {
                tracing::error!(%error, "reading the store has failed");
                Fatal::Storage { what: "reading the store" }
            }
            // The edge holds the other end; its own end is told elsewhere.
            None => std::future::pending().await,
        }
    };
    supervise(parts, asked_to_stop(), failed, shutdown, network.shutdown()).await
}

/// A future and, once it has ended, its end: waiting for it again is allowed, and waits for nothing.
struct Ended<T> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    output: Option<T>,
}

impl<T> Ended<T> {
    fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self { future: Some(Box::pin(future)), output: None }
    }

    /// Waits for the end. Safe to cancel.
    async fn wait(&mut self) -> &mut Option<T> {
        if let Some(future) = &mut self.future {
            let output = future.await;
            self.future = None;
            self.output = Some(output);
        }
        &mut self.output
    }
}

/// The running parts of a node; `N` is how the network's task ends.
struct Running<N> {
    consensus: Ended<Option<End>>,
    edge: Ended<Result<(), GrpcError>>,
    metrics: Ended<Result<(), RunError>>,
    network: Ended<N>,
}

/// Waits for the first reason to stop and then stops the parts in order: no new work from the edge, then consensus, then
/// the network. A part that ends without having been asked to is a failure, however quietly it ends; consensus's own
/// failure outweighs every other reason.
async fn supervise<E>(
    mut parts: Running<Result<(), E>>,
    asked: impl Future<Output = ()>,
    failed: impl Future<Output = Fatal>,
    shutdown: CancellationToken,
    stop_network: impl Future<Output = ()>,
) -> Result<Stop, RunError> {
    let mut outcome = tokio::select! {
        // What was asked for explains every other end.
        biased;
        () = asked => Ok(Stop::Requested),
        fatal = failed => Ok(Stop::FailStop(fatal)),
        end = parts.consensus.wait() => stop_of(end.take().flatten()),
        end = parts.edge.wait() => Err(match end.take() {
            Some(Err(error)) => RunError::Edge(error),
            _ => RunError::EndedEarly { part: "the edge" },
        }),
        end = parts.metrics.wait() => Err(match end.take() {
            Some(Err(error)) => error,
            _ => RunError::EndedEarly { part: "the metrics page" },
        }),
        _ = parts.network.wait() => Err(RunError::EndedEarly { part: "the network" }),
    };
    tracing::info!("stopping");
    shutdown.cancel();
    if let Some(Err(error)) = parts.edge.wait().await {
        tracing::warn!(%error, "the edge did not stop cleanly");
    }
    if let Some(end) = parts.consensus.wait().await.take()
        && let Ok(Stop::FailStop(fatal)) = stop_of(end)
        && !matches!(outcome, Ok(Stop::FailStop(_)))
    {
        outcome = Ok(Stop::FailStop(fatal));
    }
    stop_network.await;
    if matches!(parts.network.wait().await, Some(Err(_))) {
        tracing::warn!("the network's task has ended with a panic");
    }
    outcome
}

fn stop_of(end: Option<End>) -> Result<Stop, RunError> {
    match end {
        Some(End::Fatal(fatal)) => Ok(Stop::FailStop(fatal)),
        Some(End::Requested) => Ok(Stop::Requested),
        Some(End::Abandoned { by }) => Err(RunError::EndedEarly { part: by }),
        // It panicked: what it was doing is unknown, so nothing may be signed before somebody has looked.
        None => Ok(Stop::FailStop(Fatal::Application { what: "the consensus thread has panicked" })),
    }
}

async fn serve_metrics(
    listener: Option<TcpListener>,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    match listener {
        Some(listener) => {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            Ok(grpc::serve_metrics(listener, metrics.registry(), shutdown).await?)
        }
        None => {
            shutdown.cancelled().await;
            Ok(())
        }
    }
}

/// Waits for SIGTERM or SIGINT.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signal handlers cannot be set up: stop the node with SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    type Parts = Running<Result<(), ()>>;

    /// Parts that end only when they are asked to.
    fn parts(shutdown: &CancellationToken) -> Parts {
        let after = |token: CancellationToken| async move { token.cancelled().await };
        let (first, second, third) = (after(shutdown.clone()), after(shutdown.clone()), after(shutdown.clone()));
        Running {
            consensus: Ended::new(async move {
                first.await;
                Some(End::Requested)
            }),
            edge: Ended::new(async move {
                second.await;
                Ok(())
            }),
            metrics: Ended::new(async move {
                third.await;
                Ok(())
            }),
            network: Ended::new(pending()),
        }
    }

    /// Runs parts of which one is another; `asked` when somebody asks the node to stop.
    async fn run_with(change: impl FnOnce(&mut Parts), asked: bool) -> Result<Stop, RunError> {
        let shutdown = CancellationToken::new();
        let mut parts = parts(&shutdown);
        let (network_stopped, stopped) = tokio::sync::oneshot::channel::<()>();
        parts.network = Ended::new(async move {
            // Its sender is dropped when the network is told to stop.
            assert!(stopped.await.is_err());
            Ok(())
        });
        change(&mut parts);
        let stop_network = async move {
            // Where the network's task has been exchanged for one that has ended, nobody listens.
            drop(network_stopped);
        };
        let asked = async move {
            if !asked {
                pending::<()>().await;
            }
        };
        supervise(parts, asked, pending(), shutdown, stop_network).await
    }

    #[tokio::test]
    async fn what_was_asked_for_is_a_clean_stop() {
        assert!(matches!(run_with(|_| (), true).await, Ok(Stop::Requested)));
    }

    #[tokio::test]
    async fn a_part_that_ends_by_itself_is_a_failure_and_never_polled_again() {
        let early = |part| move |result| assert!(matches!(result, Err(RunError::EndedEarly { part: p }) if p == part));
        early("the network")(run_with(|parts| parts.network = Ended::new(ready(Ok(()))), false).await);
        early("the network")(run_with(|parts| parts.network = Ended::new(ready(Err(()))), false).await);
        early("the edge")(run_with(|parts| parts.edge = Ended::new(ready(Ok(()))), false).await);
        early("the metrics page")(run_with(|parts| parts.metrics = Ended::new(ready(Ok(()))), false).await);
        let abandoned = || Ended::new(ready(Some(End::Abandoned { by: "the network" })));
        early("the network")(run_with(|parts| parts.consensus = abandoned(), false).await);
        let failed = run_with(|parts| parts.edge = Ended::new(ready(Err(GrpcError::Panicked))), false).await;
        assert!(matches!(failed, Err(RunError::Edge(GrpcError::Panicked))));
    }

    #[tokio::test]
    async fn a_safety_failure_outweighs_every_other_end() {
        let fatal = || Fatal::Storage { what: "test" };
        let failing = || Ended::new(ready(Some(End::Fatal(fatal()))));
        for asked in [false, true] {
            let outcome = run_with(|parts| parts.consensus = failing(), asked).await;
            assert!(matches!(outcome, Ok(Stop::FailStop(_))), "{outcome:?}");
        }
        let both = |parts: &mut Parts| {
            parts.edge = Ended::new(ready(Ok(())));
            parts.consensus = failing();
        };
        assert!(matches!(run_with(both, false).await, Ok(Stop::FailStop(_))));
        // A panic of the consensus thread is one too.
        let outcome = run_with(|parts| parts.consensus = Ended::new(ready(None)), false).await;
        assert!(matches!(outcome, Ok(Stop::FailStop(_))));
    }
}
