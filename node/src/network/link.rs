//! What the tasks and handles share about one peer, and the bytes received from it.

use std::{fmt, ops::Deref, sync::Arc};

use libp2p::{PeerId, swarm::ConnectionId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{
    config::{Channel, NetworkLimits},
    outbox::Outbox,
};

/// One allowed peer. Owned by the driver, which alone changes `route`; lent to the peer's tasks and the handles.
#[derive(Debug)]
pub(super) struct Link {
    /// Whose link this is.
    pub(super) peer: PeerId,
    /// The connection that is written to; `None` while the peer is not connected.
    pub(super) route: watch::Sender<Option<ConnectionId>>,
    outboxes: [Outbox; 2],
    budgets: [Arc<Semaphore>; 2],
    /// Requests to the peer under way.
    pub(super) requests_outbound: Semaphore,
    /// Requests of the peer being answered.
    pub(super) requests_inbound: Arc<Semaphore>,
}

impl Link {
    /// The link of a peer that is not connected yet.
    pub(super) fn new(peer: PeerId, limits: &NetworkLimits) -> Self {
        Self {
            peer,
            route: watch::Sender::new(None),
            outboxes: Channel::ALL.map(|channel| Outbox::new(channel, limits.channel(channel))),
            budgets: Channel::ALL
                .map(|channel| Arc::new(Semaphore::new(limits.channel(channel).inbound_bytes_max as usize))),
            requests_outbound: Semaphore::new(limits.requests_outbound_max),
            requests_inbound: Arc::new(Semaphore::new(limits.requests_inbound_max)),
        }
    }

    /// The queue of messages to the peer.
    pub(super) const fn outbox(&self, channel: Channel) -> &Outbox {
        &self.outboxes[channel.index()]
    }

    /// The budget of messages from the peer: one permit per byte.
    pub(super) const fn budget(&self, channel: Channel) -> &Arc<Semaphore> {
        &self.budgets[channel.index()]
    }

    /// Whether a connection is up.
    pub(super) fn is_connected(&self) -> bool {
        self.route.borrow().is_some()
    }
}

/// A received message. It counts against its sender's budget ([`ChannelLimits::inbound_bytes_max`]) until it is dropped
/// or turned into a plain vector, so the application should decode it soon and let go.
///
/// [`ChannelLimits::inbound_bytes_max`]: super::ChannelLimits::inbound_bytes_max
pub struct Payload {
    bytes: Vec<u8>,
    budget: OwnedSemaphorePermit,
}

impl Payload {
    /// Bytes and the part of the sender's budget they occupy.
    pub(super) const fn new(bytes: Vec<u8>, budget: OwnedSemaphorePermit) -> Self {
        Self { bytes, budget }
    }

    /// The bytes, no longer counted.
    pub fn into_vec(self) -> Vec<u8> {
        drop(self.budget);
        self.bytes
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Payload {
    /// The length only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.bytes.len())
    }
}
