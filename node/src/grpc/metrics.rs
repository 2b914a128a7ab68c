//! The metrics page: `GET /metrics`, for Prometheus, on its own port.

use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    codegen::{Service, http},
    service::{AxumBody, AxumRouter, Routes},
    transport::Server,
};

use super::{
    connection::{ConnectionRules, Incoming},
    counters::GrpcCounters,
};

/// Largest page, in bytes; a larger one is refused with status 500 rather than sent in part.
pub const METRICS_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Most open connections: scrapers are few.
const CONNECTIONS_MAX: usize = 16;
/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(5);
/// How long a connection may take to begin, and may last. A scraper opens another one.
const RULES: ConnectionRules =
    ConnectionRules { connections: CONNECTIONS_MAX, handshake: REQUEST, lifetime: Duration::from_secs(10 * 60) };
/// How long requests under way may take after shutdown was asked for.
const DRAIN: Duration = Duration::from_secs(2);
/// What the OpenMetrics text format is called.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics page's transport failed.
#[derive(Debug, thiserror::Error)]
#[error("the metrics page failed: {source}")]
pub struct MetricsError {
    #[from]
    source: tonic::transport::Error,
}

/// Serves the registry's metrics at `/metrics` until shutdown. Any other path answers 404, any other method 405.
///
/// # Errors
/// [`MetricsError`].
pub async fn serve_metrics(
    listener: TcpListener,
    registry: Arc<Registry>,
    shutdown: CancellationToken,
) -> Result<(), MetricsError> {
    let router = AxumRouter::new().route_service("/metrics", MetricsPage { registry });
    let mut routes = Routes::default();
    *routes.axum_router_mut() = router;
    // Its connections are not among those of the gRPC port.
    let incoming = Incoming::new(listener, RULES, GrpcCounters::default());
    let serving = Server::builder()
        .accept_http1(true)
        .timeout(REQUEST)
        .concurrency_limit_per_connection(1)
        .load_shed(true)
        .max_concurrent_streams(4)
        .http2_keepalive_interval(Some(REQUEST))
        .http2_max_header_list_size(16 * 1_024)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, shutdown.clone().cancelled_owned());
    let time_is_up = async {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = serving => Ok(served?),
        () = time_is_up => Ok(()),
    }
}

#[derive(Debug, Clone)]
struct MetricsPage {
    registry: Arc<Registry>,
}

impl Service<http::Request<AxumBody>> for MetricsPage {
    type Response = http::Response<AxumBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<AxumBody>) -> Self::Future {
        ready(Ok(self.answer(request.method())))
    }
}

impl MetricsPage {
    fn answer(&self, method: &http::Method) -> http::Response<AxumBody> {
        if !matches!(*method, http::Method::GET | http::Method::HEAD) {
            let mut response = http::Response::new(AxumBody::from("only GET\n"));
            *response.status_mut() = http::StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(http::header::ALLOW, http::HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let mut page = BoundedText { text: String::new(), limit: METRICS_BYTES_MAX };
        if prometheus_client::encoding::text::encode(&mut page, &self.registry).is_err() {
            let mut response = http::Response::new(AxumBody::from("the metrics exceed their limit\n"));
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            return response;
        }
        let mut response = http::Response::new(AxumBody::from(page.text));
        response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(CONTENT_TYPE));
        response
    }
}

/// A text that refuses to grow beyond its limit.
struct BoundedText {
    text: String,
    limit: usize,
}

impl fmt::Write for BoundedText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.text.len().saturating_add(part.len()) > self.limit {
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn a_bounded_text_ends_at_its_limit() {
        let mut text = BoundedText { text: String::new(), limit: 4 };
        assert_eq!(text.write_str("abcd"), Ok(()));
        assert_eq!(text.write_str("e"), Err(fmt::Error));
        assert_eq!(text.text, "abcd");
    }
}
