//! The validator's network: opaque bytes between the ledger's registered nodes, over libp2p (TCP with noise and
//! yamux, and QUIC), in one swarm.
//!
//! What it guarantees:
//! - **Only registered peers.** A connection is refused, in either direction, as soon as the handshake has proved the
//!   remote's [`PeerId`] and it is not on the list: before any protocol of ours or of libp2p's is offered to it. The
//!   list is replaced by [`Network::set_allowed`].
//! - **Bounded memory, counted in bytes.** Every queue has a limit ([`NetworkLimits`]); a length is checked before a byte
//!   of the message is read, and memory grows with the bytes received, not with the length announced. A received
//!   message occupies its sender's budget until the application drops it ([`Payload`]).
//! - **A slow or dead peer delays nobody else.** Each peer has its own queues, its own writing tasks and its own budget.
//! - **Order.** Messages of one channel to one peer arrive in the order they were sent, as long as one connection lasts.
//!
//! What it deliberately does not do:
//! - It does not promise delivery. A message for a peer that is not connected is dropped; a full queue drops (the oldest
//!   gossip; the newest consensus message, which consensus sends again); a message may arrive twice when a connection
//!   is replaced. Whoever needs certainty resends on [`NetworkEvent::PeerConnected`] or asks with [`Network::request`].
//! - It decodes nothing, knows no height and no validator set, and stores nothing.
//! - It resolves no names and discovers no peers: addresses are IP addresses from the configuration or the ledger.
//!
//! # Protocols
//! Each message is a frame: its length (u32, little-endian), then that many bytes.
//!
//! | protocol | stream | frames |
//! |---|---|---|
//! | `/sigeli/consensus/1` | long-lived, one way, opened by the sender | any number |
//! | `/sigeli/gossip/1` | long-lived, one way, opened by the sender | any number |
//! | `/sigeli/sync/1` | one per request | one from the opener, then one from the other side |
//!
//! Plain substreams rather than libp2p's request-response: no round trip of negotiation per message, order is kept, and
//! a receiver that stops reading slows its sender down through the transport's own flow control. A frame above the
//! limit resets its substream and is counted; the connection stays, since honest senders check the same limit before
//! sending and a reset costs an attacker as much as it costs us.

mod config;
mod counters;
mod driver;
mod frame;
mod handle;
mod link;
mod outbox;
mod redial;
mod streams;
mod tasks;
mod transport;

pub use config::{
    Channel, ChannelLimits, LimitError, NetworkConfig, NetworkKeyError, NetworkLimits, PeerEntry, network_public_key,
    peer_id_of,
};
pub use counters::{ChannelCounters, Counter, NetworkCounters};
pub use handle::{Network, NetworkError, NetworkEvent, RequestError, Responder, ResponseError, spawn};
pub use libp2p::{Multiaddr, PeerId};
pub use link::Payload;
