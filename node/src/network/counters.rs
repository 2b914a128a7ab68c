//! What the network counts, for the metrics page and for tests. Counting costs one relaxed atomic addition.

use std::sync::atomic::{AtomicU64, Ordering};

use super::config::Channel;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The count since the start of the network.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds `amount`.
    pub(super) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Adds one.
    pub(super) fn increment(&self) {
        self.add(1);
    }
}

/// Counts of one [`Channel`], over all peers.
#[derive(Debug, Default)]
pub struct ChannelCounters {
    /// Messages written to a peer's substream.
    pub messages_sent: Counter,
    /// Bytes of these messages.
    pub bytes_sent: Counter,
    /// Messages handed to the application.
    pub messages_received: Counter,
    /// Bytes of these messages.
    pub bytes_received: Counter,
    /// Messages not queued because their peer was unknown or not connected, or discarded when it went away.
    pub dropped_disconnected: Counter,
    /// Messages dropped because a peer's outbox was full (the oldest gossip, the newest consensus message).
    pub dropped_outbox_full: Counter,
    /// Messages given up after their substream was reset twice.
    pub dropped_reset: Counter,
    /// Received messages dropped because the application fell behind (gossip only).
    pub dropped_inbound: Counter,
    /// Messages of ours refused for their size before sending: a fault of this node.
    pub oversized_sent: Counter,
    /// Frames of others refused for the length they announced.
    pub oversized_received: Counter,
}

/// What the network has counted since it was started.
#[derive(Debug, Default)]
pub struct NetworkCounters {
    channels: [ChannelCounters; 2],
    /// Connections closed because the authenticated peer is not on the list.
    pub strangers_refused: Counter,
    /// Inbound connections that failed before the peer was authenticated, or exceeded a limit.
    pub inbound_failed: Counter,
    /// Dials that ended without a connection.
    pub dials_failed: Counter,
    /// Connections established with allowed peers.
    pub connections_opened: Counter,
    /// Connections closed because pings were not answered.
    pub connections_silent: Counter,
    /// Requests answered to peers.
    pub requests_served: Counter,
    /// Requests of peers refused: too many at once, oversized, unanswered in time, or answered with too much.
    pub requests_refused: Counter,
}

impl NetworkCounters {
    /// The counts of one channel.
    pub fn channel(&self, channel: Channel) -> &ChannelCounters {
        &self.channels[channel.index()]
    }
}
