//! The swarm: transports, their limits, and what runs on each connection.

use std::time::Duration;

use libp2p::{
    Swarm, SwarmBuilder,
    allow_block_list::{self, AllowedPeers},
    connection_limits::{self, ConnectionLimits},
    noise, ping,
    swarm::NetworkBehaviour,
    tcp, yamux,
};

use super::{
    config::{NetworkConfig, keypair_of},
    handle::NetworkError,
    streams,
};

/// Hard limit of connections per peer, dying ones included. The driver keeps fewer
/// ([`connections_per_peer`](super::NetworkLimits::connections_per_peer)) and closes the rest, which can take a while when a peer lost its power.
const CONNECTIONS_PER_PEER_HARD_MAX: u32 = 8;
/// Substreams of one yamux connection, both directions: two channels and the requests need fewer than ten.
const YAMUX_STREAMS_MAX: usize = 64;
/// Substreams a peer may open on one QUIC connection.
const QUIC_STREAMS_MAX: u32 = 64;
/// Inbound substreams of one connection whose protocol is not agreed yet; further ones are dropped.
const NEGOTIATING_STREAMS_MAX: usize = 16;
/// A QUIC connection that hears nothing for so long is dead, in milliseconds.
const QUIC_IDLE_MS_MAX: u32 = 6_000;
/// Time between two keep-alive packets of an idle QUIC connection.
const QUIC_KEEP_ALIVE: Duration = Duration::from_secs(1);

/// What runs on each connection. The list comes first: it refuses strangers before the others hear of them.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) allow: allow_block_list::Behaviour<AllowedPeers>,
    pub(super) limits: connection_limits::Behaviour,
    pub(super) ping: ping::Behaviour,
    pub(super) streams: streams::Behaviour,
}

/// The swarm, not listening yet. Must be called within a tokio runtime.
pub(super) fn build_swarm(config: &NetworkConfig) -> Result<Swarm<Behaviour>, NetworkError> {
    let limits = &config.limits;
    let connections = ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.pending_inbound_max))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_HARD_MAX));
    let ping = ping::Config::new().with_interval(limits.ping_interval).with_timeout(limits.silence_max);
    let behaviour = Behaviour {
        allow: allow_block_list::Behaviour::default(),
        limits: connection_limits::Behaviour::new(connections),
        ping: ping::Behaviour::new(ping),
        streams: streams::Behaviour::default(),
    };
    let yamux = || {
        let mut yamux = yamux::Config::default();
        yamux.set_max_num_streams(YAMUX_STREAMS_MAX);
        yamux
    };
    let handshake_timeout = limits.handshake_timeout;
    let swarm = SwarmBuilder::with_existing_identity(keypair_of(&config.secret))
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux)
        .map_err(NetworkError::Noise)?
        .with_quic_config(|mut quic| {
            quic.handshake_timeout = handshake_timeout;
            quic.max_idle_timeout = QUIC_IDLE_MS_MAX;
            quic.keep_alive_interval = QUIC_KEEP_ALIVE;
            quic.max_concurrent_stream_limit = QUIC_STREAMS_MAX;
            quic
        })
        .with_behaviour(|_| behaviour)
        .unwrap_or_else(|never| match never {})
        .with_swarm_config(|swarm| swarm.with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS_MAX))
        .with_connection_timeout(handshake_timeout)
        .build();
    Ok(swarm)
}
