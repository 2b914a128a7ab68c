//! The node's metrics: every name in one place. Prefix `sigeli`.

use std::{fmt, sync::Arc, sync::atomic::AtomicU64};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{
        counter::{ConstCounter, Counter},
        gauge::ConstGauge,
        histogram::Histogram,
    },
    registry::Registry,
};
use tokio::sync::watch;

use crate::{
    grpc::GrpcCounters,
    network::{Channel, Network},
    progress::Progress,
};

/// Upper bounds of the step histogram, in seconds.
const STEP_SECONDS: [f64; 10] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0];

/// What the consensus thread counts.
#[derive(Debug, Clone)]
pub struct ConsensusMetrics {
    /// Blocks committed since the start.
    pub blocks: Counter<u64, AtomicU64>,
    /// Transactions in them.
    pub transactions: Counter<u64, AtomicU64>,
    /// Statements signed.
    pub signatures: Counter<u64, AtomicU64>,
    /// Pieces of evidence against validators kept since the start.
    pub evidence: Counter<u64, AtomicU64>,
    /// Peers muted for a message that no correct node sends.
    pub peers_muted: Counter<u64, AtomicU64>,
    /// Time of one step of the consensus thread, its writes included, in seconds.
    pub step_seconds: Histogram,
}

/// All metrics of a node.
#[derive(Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    consensus: ConsensusMetrics,
}

impl Metrics {
    /// Registers everything.
    #[must_use]
    pub fn new(grpc: &GrpcCounters, progress: watch::Receiver<Progress>, network: Network) -> Self {
        let consensus = ConsensusMetrics {
            blocks: Counter::default(),
            transactions: Counter::default(),
            signatures: Counter::default(),
            evidence: Counter::default(),
            peers_muted: Counter::default(),
            step_seconds: Histogram::new(STEP_SECONDS),
        };
        let mut registry = Registry::with_prefix("sigeli");
        grpc.register(&mut registry);
        let part = registry.sub_registry_with_prefix("consensus");
        part.register("blocks", "Blocks committed since the start", consensus.blocks.clone());
        part.register("transactions", "Transactions committed since the start", consensus.transactions.clone());
        part.register("signatures", "Votes and proposals signed since the start", consensus.signatures.clone());
        let evidence = "Pieces of evidence against validators kept since the start";
        part.register("evidence", evidence, consensus.evidence.clone());
        part.register("peers_muted", "Peers muted for a wrong message", consensus.peers_muted.clone());
        part.register("step_seconds", "Time of one step of consensus", consensus.step_seconds.clone());
        registry.register_collector(Box::new(ProgressCollector { progress, network }));
        Self { registry: Arc::new(registry), consensus }
    }

    /// What the consensus thread counts into.
    #[must_use]
    pub fn consensus(&self) -> ConsensusMetrics {
        self.consensus.clone()
    }

    /// The registry, for the metrics page.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }
}

/// Reads what others count anyway, when the page is asked for.
#[derive(Debug)]
struct ProgressCollector {
    progress: watch::Receiver<Progress>,
    network: Network,
}

impl ProgressCollector {
    fn gauges(&self) -> [(&'static str, &'static str, u64); 4] {
        let progress = *self.progress.borrow();
        let peers = u64::try_from(self.network.connected().len()).unwrap_or(u64::MAX);
        [
            ("height", "Newest committed height", progress.height.get()),
            ("syncing", "1 while peers have committed more", progress.syncing.into()),
            ("mempool_transactions", "Transactions that wait for inclusion", progress.mempool_transactions),
            ("peers", "Connected peers", peers),
        ]
    }

    fn counters(&self) -> Vec<(String, &'static str, u64)> {
        let counters = self.network.counters();
        let mut all = vec![
            ("network_strangers_refused".into(), "Connections of unknown keys", counters.strangers_refused.get()),
            ("network_inbound_failed".into(), "Inbound connections that failed", counters.inbound_failed.get()),
            ("network_dials_failed".into(), "Dials without a connection", counters.dials_failed.get()),
            ("network_connections_opened".into(), "Connections to peers", counters.connections_opened.get()),
            ("network_connections_silent".into(), "Connections closed as dead", counters.connections_silent.get()),
        ];
        for (name, channel) in [("consensus", Channel::Consensus), ("gossip", Channel::Gossip)] {
            let counts = counters.channel(channel);
            for (what, help, value) in [
                ("messages_sent", "Messages sent", counts.messages_sent.get()),
                ("bytes_sent", "Bytes sent", counts.bytes_sent.get()),
                ("messages_received", "Messages received", counts.messages_received.get()),
                ("bytes_received", "Bytes received", counts.bytes_received.get()),
                ("dropped_outbox_full", "Messages dropped: outbox full", counts.dropped_outbox_full.get()),
                ("dropped_inbound", "Messages dropped: node behind", counts.dropped_inbound.get()),
                ("oversized_received", "Frames refused for their size", counts.oversized_received.get()),
            ] {
                all.push((format!("network_{name}_{what}"), help, value));
            }
        }
        all
    }
}

impl Collector for ProgressCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, help, value) in self.gauges() {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        for (name, help, value) in self.counters() {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(&name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}
