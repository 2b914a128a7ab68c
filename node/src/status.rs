//! What `sigeli-node status` asks and prints.

use std::{fmt::Write as _, time::Duration};

use sigeli_proto::v1::{self, ledger_client::LedgerClient};

/// How long to wait for a node's answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a node's status is not known.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The address is not one.
    #[error("{url} is not an address; expected http://HOST:PORT")]
    Address {
        /// What was given.
        url: String,
    },
    /// Nobody answers there.
    #[error("no node answers at {url}: {source}")]
    Connect {
        /// The address.
        url: String,
        /// The transport's words.
        source: tonic::transport::Error,
    },
    /// The node refuses.
    #[error("the node at {url} answers: {message}")]
    Refused {
        /// The address.
        url: String,
        /// Its words.
        message: String,
    },
    /// The client's own runtime could not start.
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

/// A node's status.
#[derive(Debug)]
pub struct NodeStatus(v1::NodeStatus);

/// Asks a node.
///
/// # Errors
/// [`StatusError`].
pub fn ask(url: &str) -> Result<NodeStatus, StatusError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let endpoint = tonic::transport::Endpoint::from_shared(url.to_owned())
            .map_err(|_| StatusError::Address { url: url.to_owned() })?
            .connect_timeout(TIMEOUT)
            .timeout(TIMEOUT);
        let connected = endpoint.connect().await;
        let channel = connected.map_err(|source| StatusError::Connect { url: url.to_owned(), source })?;
        let answer = LedgerClient::new(channel).get_node_status(v1::GetNodeStatusRequest {}).await;
        answer
            .map(|answer| NodeStatus(answer.into_inner()))
            .map_err(|status| StatusError::Refused { url: url.to_owned(), message: status.message().to_owned() })
    })
}

impl NodeStatus {
    /// The status as one JSON object: `height header_id state_root genesis_hash peers syncing`, and a few more.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let status = &self.0;
        serde_json::json!({
            "name": status.name,
            "version": status.version,
            "height": status.height,
            "header_id": hex::encode(&status.header_id),
            "state_root": hex::encode(&status.state_root),
            "genesis_hash": hex::encode(&status.genesis_hash),
            "peers": status.peers,
            "syncing": status.syncing,
            "time_ms": status.time_ms,
            "network": if status.network() == v1::NetworkKind::Production { "production" } else { "test" },
            "mempool_transactions": status.mempool_transactions,
        })
    }

    /// The status for a person, a line per fact.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if let serde_json::Value::Object(fields) = self.to_json() {
            for (name, value) in fields {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let written = writeln!(text, "{name:<21} {value}");
                debug_assert!(written.is_ok(), "writing to a string cannot fail");
            }
        }
        text
    }
}
