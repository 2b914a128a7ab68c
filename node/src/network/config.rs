//! What a node must be told before it can speak to others, and every limit of the network in one place.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId, identity};
use zeroize::Zeroizing;

/// One mebibyte, in bytes.
const MIB: u32 = 1024 * 1024;
/// One kibibyte, in bytes.
const KIB: u32 = 1024;

/// Configuration of [`spawn`](super::spawn).
#[derive(Clone)]
pub struct NetworkConfig {
    /// The node's Ed25519 network secret (seed). Not the validator key: this one only authenticates connections.
    pub secret: Zeroizing<[u8; 32]>,
    /// Where to listen: `/ip4/A/tcp/P` and `/ip4/A/udp/P/quic-v1` (or `ip6`). Port 0 lets the system choose.
    pub listen: Vec<Multiaddr>,
    /// The peers that may connect and are dialled. An entry for the node itself is ignored.
    pub peers: Vec<PeerEntry>,
    /// The limits; [`NetworkLimits::default`] fits the protocol's parameters.
    pub limits: NetworkLimits,
}

impl std::fmt::Debug for NetworkConfig {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkConfig")
            .field("listen", &self.listen)
            .field("peers", &self.peers)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A peer that is allowed to connect, and where it can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerEntry {
    /// Its identity, from [`peer_id_of`] its registered network key.
    pub peer: PeerId,
    /// Its addresses, dialled in this order until one answers. Empty: the peer is only waited for.
    pub addresses: Vec<Multiaddr>,
}

/// A one-way channel: best effort, bounded, in order while one connection lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Proposals, votes and certificates. When the sender's queue is full the *new* message is dropped and counted: its
    /// predecessors are usually needed to understand it, and consensus sends it again.
    Consensus,
    /// Transactions. When the sender's queue is full the *oldest* is dropped; when the application falls behind, gossip
    /// is dropped before anything else.
    Gossip,
}

impl Channel {
    /// Both channels.
    pub const ALL: [Self; 2] = [Self::Consensus, Self::Gossip];

    /// Position in arrays that hold one element per channel, in the order of [`Channel::ALL`].
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Consensus => 0,
            Self::Gossip => 1,
        }
    }
}

/// Limits of one [`Channel`]. Sizes are in bytes of messages, without framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelLimits {
    /// Largest message sent or accepted.
    pub message_bytes_max: u32,
    /// Messages waiting to be sent to one peer.
    pub outbox_messages_max: usize,
    /// Bytes waiting to be sent to one peer. At least one message.
    pub outbox_bytes_max: usize,
    /// Bytes received from one peer and not yet dropped by the application, each message counted with
    /// [`NetworkLimits::message_overhead_bytes`]. At least one message with its overhead.
    pub inbound_bytes_max: u32,
}

/// Every limit of the network. Memory held for one peer's messages is at most, for both channels together, the
/// `inbound_bytes_max` and `outbox_bytes_max` (messages broadcast are shared between the peers' queues), plus
/// `requests_inbound_max` responses, plus the transport's windows (QUIC: 15 MB a connection; yamux: 256 KiB a stream, more
/// only while it is read faster than it fills).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkLimits {
    /// Limits of [`Channel::Consensus`].
    pub consensus: ChannelLimits,
    /// Limits of [`Channel::Gossip`].
    pub gossip: ChannelLimits,
    /// What a received message costs of its sender's budget beyond its length, so that tiny messages are bounded too.
    pub message_overhead_bytes: u32,
    /// Events waiting for the application. Gossip is admitted only while less than half of it is taken.
    pub event_queue_max: usize,
    /// Largest request, in bytes.
    pub sync_request_bytes_max: u32,
    /// Largest response, in bytes.
    pub sync_response_bytes_max: u32,
    /// Requests of one peer being answered at the same time; further ones are refused.
    pub requests_inbound_max: usize,
    /// Requests to one peer under way at the same time; further ones wait, within their time-out.
    pub requests_outbound_max: usize,
    /// A request's whole time, from the call to the last byte of the answer; also the time we give an inbound one.
    pub request_timeout: Duration,
    /// Inbound connections that have not finished their handshake; further ones are closed at once.
    pub pending_inbound_max: u32,
    /// Time for a connection's handshake.
    pub handshake_timeout: Duration,
    /// Connections kept per peer: two, so that both sides may dial at the same moment. The oldest is closed first.
    pub connections_per_peer: usize,
    /// First wait before a failed or lost peer is dialled again. It doubles with each failure.
    pub redial_min: Duration,
    /// Longest wait between two dials.
    pub redial_max: Duration,
    /// Time between two pings on a connection.
    pub ping_interval: Duration,
    /// A connection on which no ping was answered for so long is dead and closed. More than two `ping_interval`, and
    /// enough for a block on the slowest link, since pings wait behind what was written before them.
    pub silence_max: Duration,
}

impl Default for NetworkLimits {
    /// Fits blocks of 4 MiB and transactions of 64 KiB (the protocol's limits), with room for their envelopes.
    fn default() -> Self {
        Self {
            consensus: ChannelLimits {
                message_bytes_max: 4 * MIB + 64 * KIB,
                outbox_messages_max: 1024,
                outbox_bytes_max: 16 * MIB as usize,
                inbound_bytes_max: 12 * MIB,
            },
            gossip: ChannelLimits {
                message_bytes_max: 64 * KIB + 4 * KIB,
                outbox_messages_max: 4096,
                outbox_bytes_max: 4 * MIB as usize,
                inbound_bytes_max: 4 * MIB,
            },
            message_overhead_bytes: 4 * KIB,
            event_queue_max: 4096,
            sync_request_bytes_max: KIB,
            sync_response_bytes_max: 8 * MIB,
            requests_inbound_max: 2,
            requests_outbound_max: 2,
            request_timeout: Duration::from_secs(20),
            pending_inbound_max: 128,
            handshake_timeout: Duration::from_secs(5),
            connections_per_peer: 2,
            redial_min: Duration::from_millis(200),
            redial_max: Duration::from_secs(10),
            ping_interval: Duration::from_secs(2),
            silence_max: Duration::from_secs(15),
        }
    }
}

/// A pair of limits that contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// One message would not fit into the queue that is to hold it.
    #[error("{channel:?}: the outbox of {outbox_bytes} bytes cannot hold a message of {message_bytes} bytes")]
    OutboxBelowMessage {
        /// The channel concerned.
        channel: Channel,
        /// Size of the outbox, in bytes.
        outbox_bytes: usize,
        /// Size of the largest message, in bytes.
        message_bytes: u32,
    },
    /// One message would never be admitted.
    #[error("{channel:?}: the inbound budget of {budget_bytes} bytes cannot hold a message of {message_bytes} bytes")]
    BudgetBelowMessage {
        /// The channel concerned.
        channel: Channel,
        /// The budget, in bytes.
        budget_bytes: u32,
        /// Size of the largest message with its overhead, in bytes.
        message_bytes: u64,
    },
    /// A count that must be at least one (two for `connections_per_peer` and `event_queue_max`) is smaller.
    #[error("a queue, a number of requests or a number of connections is too small to work")]
    CountTooSmall,
    /// `redial_min` is zero or above `redial_max`.
    #[error("the shortest wait before a redial must be above zero and at most the longest")]
    RedialOrder,
    /// `silence_max` is at most two `ping_interval`, or `ping_interval` is zero.
    #[error("a connection must stay silent for more than two pings before it is dead")]
    SilenceTooShort,
}

impl NetworkLimits {
    /// The limits of a channel.
    pub const fn channel(&self, channel: Channel) -> &ChannelLimits {
        match channel {
            Channel::Consensus => &self.consensus,
            Channel::Gossip => &self.gossip,
        }
    }

    /// Checks that the limits fit each other.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn check(&self) -> Result<(), LimitError> {
        for channel in Channel::ALL {
            let limits = self.channel(channel);
            let message_bytes = limits.message_bytes_max;
            if limits.outbox_bytes_max < message_bytes as usize {
                let outbox_bytes = limits.outbox_bytes_max;
                return Err(LimitError::OutboxBelowMessage { channel, outbox_bytes, message_bytes });
            }
            let cost = u64::from(message_bytes) + u64::from(self.message_overhead_bytes);
            if u64::from(limits.inbound_bytes_max) < cost {
                let budget_bytes = limits.inbound_bytes_max;
                return Err(LimitError::BudgetBelowMessage { channel, budget_bytes, message_bytes: cost });
            }
            if limits.outbox_messages_max == 0 {
                return Err(LimitError::CountTooSmall);
            }
        }
        let ones = [self.requests_inbound_max, self.requests_outbound_max, self.pending_inbound_max as usize];
        if ones.contains(&0) || self.connections_per_peer < 2 || self.event_queue_max < 2 {
            return Err(LimitError::CountTooSmall);
        }
        if self.redial_min.is_zero() || self.redial_min > self.redial_max {
            return Err(LimitError::RedialOrder);
        }
        if self.ping_interval.is_zero() || self.silence_max <= self.ping_interval.saturating_mul(2) {
            return Err(LimitError::SilenceTooShort);
        }
        Ok(())
    }
}

/// Thirty-two bytes are not an Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the network key is not a valid Ed25519 public key")]
pub struct NetworkKeyError;

/// The libp2p identity that belongs to an Ed25519 network key, as genesis and the ledger register it.
///
/// # Errors
/// [`NetworkKeyError`] if the bytes are not a point of the curve.
pub fn peer_id_of(public_key: &[u8; 32]) -> Result<PeerId, NetworkKeyError> {
    let key = identity::ed25519::PublicKey::try_from_bytes(public_key).map_err(|_| NetworkKeyError)?;
    Ok(identity::PublicKey::from(key).to_peer_id())
}

/// The Ed25519 public key of a network secret (seed).
pub fn network_public_key(secret: &[u8; 32]) -> [u8; 32] {
    let mut copy = Zeroizing::new(*secret);
    let secret = identity::ed25519::SecretKey::try_from_bytes(&mut *copy).expect("any 32 bytes are an Ed25519 seed");
    identity::ed25519::Keypair::from(secret).public().to_bytes()
}

/// The libp2p key pair of a network secret (seed).
pub(super) fn keypair_of(secret: &[u8; 32]) -> identity::Keypair {
    let mut copy = Zeroizing::new(*secret);
    identity::Keypair::ed25519_from_bytes(&mut *copy).expect("any 32 bytes are an Ed25519 seed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_of_the_rfc_8032_key() {
        // RFC 8032 §7.1, test 1; the identity is base58 of 00 24 08 01 12 20 and the key, computed independently.
        let secret = hex32("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = hex32("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert_eq!(network_public_key(&secret), public);
        let peer = peer_id_of(&public).expect("a valid key");
        assert_eq!(peer.to_string(), "12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV");
        assert_eq!(keypair_of(&secret).public().to_peer_id(), peer);
    }

    #[test]
    fn bytes_that_are_no_point_are_refused() {
        let mut bytes = [0; 32];
        bytes[0] = 2; // y = 2 has no x on the curve
        assert_eq!(peer_id_of(&bytes), Err(NetworkKeyError));
    }

    #[test]
    fn default_limits_fit_each_other_and_contradictions_are_found() {
        assert_eq!(NetworkLimits::default().check(), Ok(()));
        let mut limits = NetworkLimits::default();
        limits.gossip.inbound_bytes_max = limits.gossip.message_bytes_max;
        assert!(matches!(limits.check(), Err(LimitError::BudgetBelowMessage { channel: Channel::Gossip, .. })));
        let mut limits = NetworkLimits::default();
        limits.consensus.outbox_bytes_max = 1;
        assert!(matches!(limits.check(), Err(LimitError::OutboxBelowMessage { channel: Channel::Consensus, .. })));
        let limits = NetworkLimits { connections_per_peer: 1, ..NetworkLimits::default() };
        assert_eq!(limits.check(), Err(LimitError::CountTooSmall));
        let limits = NetworkLimits { redial_min: Duration::ZERO, ..NetworkLimits::default() };
        assert_eq!(limits.check(), Err(LimitError::RedialOrder));
        let limits = NetworkLimits { silence_max: Duration::from_secs(4), ..NetworkLimits::default() };
        assert_eq!(limits.check(), Err(LimitError::SilenceTooShort));
    }

    #[test]
    fn the_secret_is_not_printed() {
        let config = NetworkConfig {
            secret: Zeroizing::new([0xab; 32]),
            listen: Vec::new(),
            peers: Vec::new(),
            limits: NetworkLimits::default(),
        };
        let text = format!("{config:?}");
        assert!(!text.contains("171") && !text.contains("ab, ab"), "{text}");
    }

    fn hex32(text: &str) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hexadecimal");
        }
        bytes
    }
}
