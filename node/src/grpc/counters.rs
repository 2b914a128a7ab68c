//! What the edge counts, for the metrics page.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use tonic::Code;

/// Labels of a request: method and gRPC status. Both are from fixed lists, so the number of series is bounded.
type RequestLabels = [(&'static str, &'static str); 2];

/// Counts of the edge, shared by all its parts: clones count together.
#[derive(Debug, Clone)]
pub struct GrpcCounters {
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    seconds: Family<[(&'static str, &'static str); 1], Histogram>,
    connections: Gauge,
    connections_refused: Counter<u64, AtomicU64>,
}

/// Upper bounds of the duration histogram, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0];

impl Default for GrpcCounters {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
        }
    }
}

impl GrpcCounters {
    /// Puts the counts on the metrics page. Call it once per registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("grpc");
        registry.register("requests", "Requests answered, by method and status", self.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from the decoded request to its answer, waits included",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register(
            "connections_refused",
            "Connections closed at once because there were too many",
            self.connections_refused.clone(),
        );
    }

    /// How many requests of a method were answered with a status.
    #[must_use]
    pub fn requests(&self, method: &'static str, code: Code) -> u64 {
        self.requests.get_or_create(&labels(method, code)).get()
    }

    /// How many connections were refused.
    #[must_use]
    pub fn connections_refused(&self) -> u64 {
        self.connections_refused.get()
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> i64 {
        self.connections.get()
    }

    pub(super) fn on_answer(&self, method: &'static str, code: Code, took: Duration) {
        self.requests.get_or_create(&labels(method, code)).inc();
        self.seconds.get_or_create(&[("method", method)]).observe(took.as_secs_f64());
    }

    pub(super) fn on_connection_opened(&self) {
        self.connections.inc();
    }

    pub(super) fn on_connection_closed(&self) {
        self.connections.dec();
    }

    pub(super) fn on_connection_refused(&self) {
        self.connections_refused.inc();
    }
}

const fn labels(method: &'static str, code: Code) -> RequestLabels {
    [("method", method), ("status", code_name(code))]
}

/// The status as its specification spells it.
const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
