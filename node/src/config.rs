//! The node's configuration: read once, checked once, never reloaded.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use libp2p::Multiaddr;
use serde::Deserialize;

use crate::network::PeerEntry;

/// File name of the configuration in a node's home.
pub const CONFIG_FILE: &str = "config.toml";
/// File name of the genesis document in a node's home.
pub const GENESIS_FILE: &str = "genesis";
/// Folder of the database in a node's home.
pub const DATABASE_FOLDER: &str = "db";
/// File name of the sign-state in a node's home.
pub const SIGN_STATE_FILE: &str = "sign-state";

/// Largest configuration file that is read, in bytes.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The file is larger than any configuration.
    #[error("{path} has {bytes} bytes, more than the {CONFIG_BYTES_MAX} of any configuration")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The file is not TOML of the expected shape.
    #[error("{path} is not a configuration: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        source: toml::de::Error,
    },
    /// A peer's key is not 64 hexadecimal digits of an Ed25519 key.
    #[error("network.peers: {key:?} is not a network public key (64 hexadecimal digits)")]
    PeerKey {
        /// What stands there.
        key: String,
    },
    /// A peer stands twice.
    #[error("network.peers: {key} stands twice")]
    PeerTwice {
        /// Its key.
        key: String,
    },
    /// No address to listen on.
    #[error("network.listen is empty: other validators could not connect")]
    NoListen,
}

/// `config.toml`, as it stands in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    network: NetworkSection,
    grpc: ListenSection,
    metrics: Option<ListenSection>,
    #[serde(default)]
    log: LogSection,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkSection {
    listen: Vec<Multiaddr>,
    #[serde(default)]
    peers: Vec<PeerSection>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeerSection {
    key: String,
    addresses: Vec<Multiaddr>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListenSection {
    listen: SocketAddr,
}

/// How the node logs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    /// A `tracing` filter, such as `info` or `info,libp2p=warn`. Default: `info`, and of libraries only warnings.
    pub filter: Option<String>,
    /// Whether to write JSON lines instead of text.
    #[serde(default)]
    pub json: bool,
}

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The node's name in logs and status.
    pub name: String,
    /// Addresses to listen on for peers.
    pub listen: Vec<Multiaddr>,
    /// Where to find the peers that genesis allows. Keys that are not in genesis get no connection.
    pub peers: Vec<(String, [u8; 32], PeerEntry)>,
    /// Address of the gRPC service.
    pub grpc: SocketAddr,
    /// Address of the metrics endpoint, if any.
    pub metrics: Option<SocketAddr>,
    /// How the node logs.
    pub log: LogSection,
}

impl Config {
    /// Reads and checks the configuration in a node's home.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(home: &Path) -> Result<Self, ConfigError> {
        let path = home.join(CONFIG_FILE);
        let read = |source| ConfigError::Read { path: path.clone(), source };
        let bytes = std::fs::metadata(&path).map_err(read)?.len();
        if bytes > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLarge { path, bytes });
        }
        let text = std::fs::read_to_string(&path).map_err(read)?;
        Self::parse(&text, &path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|source| ConfigError::Parse { path: path.to_owned(), source })?;
        if file.network.listen.is_empty() {
            return Err(ConfigError::NoListen);
        }
        let mut seen = BTreeSet::new();
        let mut peers = Vec::with_capacity(file.network.peers.len());
        for peer in file.network.peers {
            let mut key = [0; 32];
            let peer_id = hex::decode_to_slice(&peer.key, &mut key)
                .ok()
                .and_then(|()| crate::network::peer_id_of(&key).ok())
                .ok_or_else(|| ConfigError::PeerKey { key: peer.key.clone() })?;
            if !seen.insert(key) {
                return Err(ConfigError::PeerTwice { key: peer.key });
            }
            peers.push((peer.key, key, PeerEntry { peer: peer_id, addresses: peer.addresses }));
        }
        Ok(Self {
            name: file.name,
            listen: file.network.listen,
            peers,
            grpc: file.grpc.listen,
            metrics: file.metrics.map(|section| section.listen),
            log: file.log,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
name = "ministry"
[network]
listen = ["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/udp/1/quic-v1"]
[[network.peers]]
key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
addresses = ["/ip4/127.0.0.1/tcp/2"]
[grpc]
listen = "127.0.0.1:3"
[metrics]
listen = "127.0.0.1:4"
"#;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("config.toml"))
    }

    #[test]
    fn a_good_file_is_read() {
        let config = parse(GOOD).unwrap();
        assert_eq!((config.name.as_str(), config.listen.len(), config.peers.len()), ("ministry", 2, 1));
        assert_eq!(config.metrics, Some("127.0.0.1:4".parse().unwrap()));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(matches!(parse(&GOOD.replace("d75a", "xyza")), Err(ConfigError::PeerKey { .. })));
        assert!(matches!(parse(&GOOD.replace("d75a98", "d75a")), Err(ConfigError::PeerKey { .. })));
        assert!(matches!(parse(&GOOD.replace("[metrics]", "[metrix]")), Err(ConfigError::Parse { .. })));
        let peer = GOOD.split("[[network.peers]]").nth(1).unwrap().split("[grpc]").next().unwrap();
        let twice = GOOD.replace("[grpc]", &format!("[[network.peers]]{peer}[grpc]"));
        assert!(matches!(parse(&twice), Err(ConfigError::PeerTwice { .. })));
        let silent = GOOD.replace(r#"["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/udp/1/quic-v1"]"#, "[]");
        assert!(matches!(parse(&silent), Err(ConfigError::NoListen)));
    }
}
