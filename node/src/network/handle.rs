//! The application's side: start the network, send, ask, and receive events.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, PoisonError, RwLock},
};

use futures::AsyncWriteExt;
use libp2p::{Multiaddr, PeerId, Stream, TransportError};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{
    config::{Channel, LimitError, NetworkConfig, NetworkLimits, PeerEntry},
    counters::NetworkCounters,
    driver::Driver,
    frame,
    link::{Link, Payload},
    outbox::Pushed,
    streams::{OpenError, Protocol},
    tasks::{OpenCommand, open_stream},
};

/// Why the network could not start.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The limits contradict each other.
    #[error(transparent)]
    Limits(#[from] LimitError),
    /// [`spawn`] was called outside a tokio runtime.
    #[error("the network needs a tokio runtime")]
    NoRuntime,
    /// The noise handshake could not be set up with the node's key.
    #[error("the noise handshake cannot be set up")]
    Noise(#[source] libp2p::noise::Error),
    /// An address is in use, not ours, or of a kind that is not supported.
    #[error("cannot listen on {address}")]
    Listen {
        /// The configured address.
        address: Multiaddr,
        /// What the transport says.
        source: TransportError<io::Error>,
    },
}

/// Why a request has no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The peer is not on the list, or not connected.
    #[error("the peer is not connected")]
    NotConnected,
    /// The request is too large; nothing was sent.
    #[error("the request has {size_bytes} bytes, the limit is {limit_bytes}")]
    RequestTooLarge {
        /// Its size, in bytes.
        size_bytes: usize,
        /// The limit, in bytes.
        limit_bytes: u32,
    },
    /// The peer announced a response above the limit; it was not read.
    #[error("the response has {size_bytes} bytes, the limit is {limit_bytes}")]
    ResponseTooLarge {
        /// The size announced, in bytes.
        size_bytes: u32,
        /// The limit, in bytes.
        limit_bytes: u32,
    },
    /// No complete response within [`NetworkLimits::request_timeout`].
    #[error("the peer did not answer in time")]
    Timeout,
    /// The peer closed the substream without a complete response: it is busy, refuses, or went away.
    #[error("the peer gave no answer")]
    NoAnswer,
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the protocol")]
    Unsupported,
}

/// Why a response was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// It is too large: a fault of this node.
    #[error("the response has {size_bytes} bytes, the limit is {limit_bytes}")]
    TooLarge {
        /// Its size, in bytes.
        size_bytes: usize,
        /// The limit, in bytes.
        limit_bytes: u32,
    },
    /// The request timed out or its connection ended.
    #[error("nobody waits for the response any more")]
    Gone,
}

/// What happened on the network.
#[derive(Debug)]
pub enum NetworkEvent {
    /// A peer is reachable: what was sent before may be lost, so send it what it needs. Precedes the peer's messages, unless
    /// the event queue was full at that moment. Comes again, without a disconnection between, when one of several
    /// connections was lost and another took its place.
    PeerConnected {
        /// Who.
        peer: PeerId,
    },
    /// The last connection to a peer ended. A few of its messages may still follow.
    PeerDisconnected {
        /// Who.
        peer: PeerId,
    },
    /// A message on a one-way channel.
    Message {
        /// The authenticated sender.
        peer: PeerId,
        /// The channel.
        channel: Channel,
        /// The message, within the channel's limit.
        bytes: Payload,
    },
    /// A peer asks.
    Request {
        /// The authenticated sender.
        peer: PeerId,
        /// The request, within its limit.
        bytes: Vec<u8>,
        /// Where the answer goes. Dropped without an answer, the peer gets [`RequestError::NoAnswer`].
        reply: Responder,
    },
}

/// Answers one request, once.
#[derive(Debug)]
pub struct Responder {
    response: oneshot::Sender<Vec<u8>>,
    limit_bytes: u32,
}

impl Responder {
    /// A responder, and where its response arrives.
    pub(super) fn new(limit_bytes: u32) -> (Self, oneshot::Receiver<Vec<u8>>) {
        let (response, receiver) = oneshot::channel();
        (Self { response, limit_bytes }, receiver)
    }

    /// Sends the response. Does not wait.
    ///
    /// # Errors
    /// See [`ResponseError`]; the peer then gets [`RequestError::NoAnswer`].
    pub fn respond(self, response: Vec<u8>) -> Result<(), ResponseError> {
        if response.len() > self.limit_bytes as usize {
            return Err(ResponseError::TooLarge { size_bytes: response.len(), limit_bytes: self.limit_bytes });
        }
        self.response.send(response).map_err(|_| ResponseError::Gone)
    }
}

/// The links of all allowed peers, shared by the driver (which alone changes the map) and the handles.
#[derive(Debug, Default)]
pub(super) struct Links(RwLock<BTreeMap<PeerId, Arc<Link>>>);

impl Links {
    /// Adds a peer.
    pub(super) fn insert(&self, link: Arc<Link>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(link.peer, link);
    }

    /// Removes a peer.
    pub(super) fn remove(&self, peer: &PeerId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(peer);
    }

    fn get(&self, peer: &PeerId) -> Option<Arc<Link>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(peer).cloned()
    }

    fn for_each(&self, mut visit: impl FnMut(&Link)) {
        for link in self.0.read().unwrap_or_else(PoisonError::into_inner).values() {
            visit(link);
        }
    }
}

/// A handle to a running network; cheap to clone. When the last one is dropped the network stops.
#[derive(Debug, Clone)]
pub struct Network {
    pub(super) inner: Arc<Inner>,
}

/// What the handles share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) local: PeerId,
    pub(super) limits: Arc<NetworkLimits>,
    pub(super) counters: Arc<NetworkCounters>,
    pub(super) links: Arc<Links>,
    pub(super) commands: mpsc::Sender<OpenCommand>,
    pub(super) allowed: watch::Sender<Vec<PeerEntry>>,
    pub(super) stop: watch::Sender<bool>,
    /// `None` until every listener has an address.
    pub(super) listening: watch::Receiver<Option<Vec<Multiaddr>>>,
}

/// Starts a network on the current tokio runtime and listens.
///
/// The events must be received steadily: while the queue is full, consensus messages and requests wait at their senders
/// and gossip is dropped. Dropping the receiver stops the network. The task ends after [`Network::shutdown`]; it never
/// fails by itself.
///
/// # Errors
/// See [`NetworkError`]. Nothing keeps running then.
pub fn spawn(config: NetworkConfig) -> Result<(Network, mpsc::Receiver<NetworkEvent>, JoinHandle<()>), NetworkError> {
    config.limits.check()?;
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| NetworkError::NoRuntime)?;
    let (driver, network, events) = Driver::new(config)?;
    Ok((network, events, runtime.spawn(driver.run())))
}

impl Network {
    /// This node's identity.
    pub fn local_peer(&self) -> PeerId {
        self.inner.local
    }

    /// What the network has counted.
    pub fn counters(&self) -> &NetworkCounters {
        &self.inner.counters
    }

    /// Sends a message to every connected peer. Never waits; see [`Channel`] for what a full queue drops. A message above the
    /// channel's limit is not sent, and counted.
    pub fn broadcast(&self, channel: Channel, message: Arc<[u8]>) {
        if self.fits(channel, &message) {
            self.inner.links.for_each(|link| self.push(link, channel, Arc::clone(&message)));
        }
    }

    /// Sends a message to one peer, as [`Network::broadcast`] does to all.
    pub fn send(&self, peer: PeerId, channel: Channel, message: Arc<[u8]>) {
        if self.fits(channel, &message) {
            match self.inner.links.get(&peer) {
                Some(link) => self.push(&link, channel, message),
                None => self.counters().channel(channel).dropped_disconnected.increment(),
            }
        }
    }

    fn fits(&self, channel: Channel, message: &[u8]) -> bool {
        let fits = message.len() <= self.inner.limits.channel(channel).message_bytes_max as usize;
        if !fits {
            self.counters().channel(channel).oversized_sent.increment();
            tracing::error!(?channel, bytes = message.len(), "message above the channel's limit was not sent");
        }
        fits
    }

    fn push(&self, link: &Link, channel: Channel, message: Arc<[u8]>) {
        let counters = self.counters().channel(channel);
        match link.outbox(channel).push(message) {
            Pushed::Queued => {}
            Pushed::QueuedInsteadOf(dropped) => counters.dropped_outbox_full.add(dropped),
            Pushed::Full => counters.dropped_outbox_full.increment(),
            Pushed::Closed => counters.dropped_disconnected.increment(),
        }
    }

    /// Asks one peer and waits for its answer, at most [`NetworkLimits::request_timeout`]. Safe to cancel.
    ///
    /// # Errors
    /// See [`RequestError`]. After any of them another peer may be asked.
    pub async fn request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, RequestError> {
        let limit_bytes = self.inner.limits.sync_request_bytes_max;
        if request.len() > limit_bytes as usize {
            return Err(RequestError::RequestTooLarge { size_bytes: request.len(), limit_bytes });
        }
        let link = self.inner.links.get(&peer).filter(|link| link.is_connected()).ok_or(RequestError::NotConnected)?;
        let exchange = async {
            let _place = link.requests_outbound.acquire().await.expect("never closed");
            match open_stream(&self.inner.commands, peer, None, Protocol::Sync).await {
                None => Err(RequestError::NotConnected),
                Some(Err(OpenError::Unsupported)) => Err(RequestError::Unsupported),
                Some(Err(OpenError::Failed)) => Err(RequestError::NoAnswer),
                Some(Ok(stream)) => self.exchange(stream, &request).await,
            }
        };
        tokio::time::timeout(self.inner.limits.request_timeout, exchange).await.unwrap_or(Err(RequestError::Timeout))
    }

    async fn exchange(&self, mut stream: Stream, request: &[u8]) -> Result<Vec<u8>, RequestError> {
        let no_answer = |_: io::Error| RequestError::NoAnswer;
        frame::write_frame(&mut stream, request).await.map_err(no_answer)?;
        stream.close().await.map_err(no_answer)?;
        let size_bytes = frame::read_length(&mut stream).await.map_err(no_answer)?.ok_or(RequestError::NoAnswer)?;
        let limit_bytes = self.inner.limits.sync_response_bytes_max;
        if size_bytes > limit_bytes {
            return Err(RequestError::ResponseTooLarge { size_bytes, limit_bytes });
        }
        frame::read_body(&mut stream, size_bytes).await.map_err(no_answer)
    }

    /// Replaces the list of allowed peers. Connections to peers no longer on it are closed; new ones are dialled. Takes
    /// effect soon; of several calls in a row the last one counts.
    pub fn set_allowed(&self, peers: Vec<PeerEntry>) {
        self.inner.allowed.send_replace(peers);
    }

    /// The connected peers, in ascending order.
    pub fn connected(&self) -> Vec<PeerId> {
        let mut connected = Vec::new();
        self.inner.links.for_each(|link| {
            if link.is_connected() {
                connected.push(link.peer);
            }
        });
        connected
    }

    /// The addresses on which this node listens, with the ports the system chose, in no particular order. Waits until
    /// each listener has its first address; empty once the network has stopped before that.
    pub async fn listen_addrs(&self) -> Vec<Multiaddr> {
        let mut listening = self.inner.listening.clone();
        listening.wait_for(Option::is_some).await.map_or_else(|_| Vec::new(), |a| a.clone().unwrap_or_default())
    }

    /// Closes all connections and stops; returns when the network has stopped. Messages still queued are discarded.
    pub async fn shutdown(&self) {
        self.inner.stop.send_replace(true);
        self.inner.stop.closed().await;
    }
}
