//! The substreams of the three protocols, as a libp2p behaviour: inbound ones are handed to the driver, outbound ones to
//! whoever asked. It reads and writes nothing.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId, Stream,
    core::{
        Endpoint, UpgradeInfo,
        transport::PortUse,
        upgrade::{InboundUpgrade, OutboundUpgrade},
    },
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
        NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};
use tokio::sync::oneshot;

use super::config::Channel;

/// What a substream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Messages of a channel, one way.
    OneWay(Channel),
    /// One request and its response.
    Sync,
}

impl AsRef<str> for Protocol {
    fn as_ref(&self) -> &str {
        match self {
            Self::OneWay(Channel::Consensus) => "/sigeli/consensus/1",
            Self::OneWay(Channel::Gossip) => "/sigeli/gossip/1",
            Self::Sync => "/sigeli/sync/1",
        }
    }
}

/// Why a substream could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenError {
    /// The peer does not speak the protocol.
    Unsupported,
    /// The connection failed, or was too slow.
    Failed,
}

/// Receives the substream, or learns of the failure; is dropped if the connection ends first.
pub(super) type OpenReply = oneshot::Sender<Result<Stream, OpenError>>;

/// Asks for a new substream. Sent to a connection's handler.
#[derive(Debug)]
pub(super) struct Open {
    protocol: Protocol,
    reply: OpenReply,
}

/// A peer opened a substream.
#[derive(Debug)]
pub(super) struct Inbound {
    /// Who.
    pub(super) peer: PeerId,
    /// On which connection.
    pub(super) connection: ConnectionId,
    /// For what.
    pub(super) protocol: Protocol,
    /// The substream, negotiated, nothing read yet.
    pub(super) stream: Stream,
}

/// The behaviour. Its queue holds no more than its callers have under way; the swarm empties it at each turn.
#[derive(Debug, Default)]
pub(super) struct Behaviour {
    queue: VecDeque<ToSwarm<Inbound, Open>>,
}

impl Behaviour {
    /// Opens a substream on an established connection. The swarm must be polled afterwards.
    pub(super) fn open(&mut self, peer_id: PeerId, connection: ConnectionId, protocol: Protocol, reply: OpenReply) {
        let (handler, event) = (NotifyHandler::One(connection), Open { protocol, reply });
        self.queue.push_back(ToSwarm::NotifyHandler { peer_id, handler, event });
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Inbound;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        (protocol, stream): THandlerOutEvent<Self>,
    ) {
        self.queue.push_back(ToSwarm::GenerateEvent(Inbound { peer, connection, protocol, stream }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.queue.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// One connection's part of the behaviour.
#[derive(Debug, Default)]
pub(super) struct Handler {
    to_open: VecDeque<Open>,
    inbound: VecDeque<(Protocol, Stream)>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = (Protocol, Stream);
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = OpenReply;

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        let protocols = vec![Protocol::OneWay(Channel::Consensus), Protocol::OneWay(Channel::Gossip), Protocol::Sync];
        SubstreamProtocol::new(Upgrade(protocols), ())
    }

    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Upgrade, OpenReply, Self::ToBehaviour>> {
        if let Some(inbound) = self.inbound.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(inbound));
        }
        if let Some(Open { protocol, reply }) = self.to_open.pop_front() {
            let protocol = SubstreamProtocol::new(Upgrade(vec![protocol]), reply);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        // The swarm polls again after each event it delivers to this handler.
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, open: Open) {
        self.to_open.push_back(open);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Upgrade, Upgrade, (), OpenReply>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, info: () }) => {
                self.inbound.push_back(protocol);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: (_, stream), info }) => {
                answer(info, Ok(stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => {
                let error = match error {
                    StreamUpgradeError::NegotiationFailed => OpenError::Unsupported,
                    StreamUpgradeError::Timeout | StreamUpgradeError::Io(_) => OpenError::Failed,
                    StreamUpgradeError::Apply(never) => match never {},
                };
                answer(info, Err(error));
            }
            _ => {}
        }
    }
}

/// Whoever asked may have given up meanwhile; the substream is then closed by being dropped.
fn answer(reply: OpenReply, result: Result<Stream, OpenError>) {
    if reply.send(result).is_err() {
        tracing::trace!("a substream is no longer wanted");
    }
}

/// Negotiates one of the given protocols and hands out the bare substream.
#[derive(Debug)]
pub(super) struct Upgrade(Vec<Protocol>);

impl UpgradeInfo for Upgrade {
    type Info = Protocol;
    type InfoIter = std::vec::IntoIter<Protocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Upgrade {
    type Output = (Protocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: Protocol) -> Self::Future {
        ready(Ok((protocol, stream)))
    }
}

impl OutboundUpgrade<Stream> for Upgrade {
    type Output = (Protocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, protocol: Protocol) -> Self::Future {
        ready(Ok((protocol, stream)))
    }
}
