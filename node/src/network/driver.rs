//! The one task that owns the swarm: connections, dialling, and the lifetime of every peer's tasks. It never waits for a
//! peer or for the application.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU8,
    sync::Arc,
    time::Duration,
};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    allow_block_list::NotAllowed,
    core::{ConnectedPoint, transport::ListenerId},
    ping,
    swarm::{
        ConnectionId, DialError, ListenError, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

use super::{
    config::{Channel, NetworkConfig, NetworkLimits, PeerEntry},
    counters::NetworkCounters,
    handle::{Inner, Links, Network, NetworkError, NetworkEvent},
    link::Link,
    redial::Backoff,
    streams::{Inbound, Protocol},
    tasks::{AbortOnDrop, OpenCommand, TaskContext, read_channel, serve_request, write_channel},
    transport::{Behaviour, BehaviourEvent, build_swarm},
};

/// Two connections that began within this time may both be alive: both sides dialled at the same moment.
const SIMULTANEOUS_DIALS: Duration = Duration::from_secs(1);

/// Requests for substreams that wait for the driver; those who ask then wait in turn.
const COMMAND_QUEUE_MAX: usize = 256;
/// A connection that lived so long proves its peer well: the next dial starts with the shortest wait.
const STABLE_AFTER: Duration = Duration::from_secs(10);
/// Time for saying goodbye at shutdown.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// One allowed peer.
struct Peer {
    link: Arc<Link>,
    addresses: Vec<Multiaddr>,
    /// Established connections that are in use, oldest first.
    connections: Vec<Connection>,
    backoff: Backoff,
    /// When to dial; `None` while connected, while dialling, or without addresses.
    dial_at: Option<Instant>,
    /// The writing tasks, one per channel.
    _writers: [AbortOnDrop; 2],
    /// The tasks answering the peer's requests; as many as its semaphore admits.
    serving: JoinSet<()>,
}

/// One established connection of a peer.
struct Connection {
    id: ConnectionId,
    since: Instant,
    /// When a ping was last answered.
    heard: Instant,
    /// The reading tasks, one per channel at most.
    readers: [Option<AbortOnDrop>; 2],
}

/// The owner of the swarm; see the module.
pub(super) struct Driver {
    swarm: Swarm<Behaviour>,
    local: PeerId,
    limits: Arc<NetworkLimits>,
    counters: Arc<NetworkCounters>,
    links: Arc<Links>,
    peers: BTreeMap<PeerId, Peer>,
    /// Listeners that have no address yet.
    listeners_waiting: Vec<ListenerId>,
    listen_addrs: Vec<Multiaddr>,
    listening: watch::Sender<Option<Vec<Multiaddr>>>,
    events: mpsc::Sender<NetworkEvent>,
    /// Connects and disconnects that found the event queue full: at most two per peer.
    notices: VecDeque<Notice>,
    commands: mpsc::Receiver<OpenCommand>,
    commands_sender: mpsc::Sender<OpenCommand>,
    allowed: watch::Receiver<Vec<PeerEntry>>,
    stop: watch::Receiver<bool>,
}

/// A change of a peer's reachability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notice {
    Connected(PeerId),
    Disconnected(PeerId),
}

impl From<Notice> for NetworkEvent {
    fn from(notice: Notice) -> Self {
        match notice {
            Notice::Connected(peer) => Self::PeerConnected { peer },
            Notice::Disconnected(peer) => Self::PeerDisconnected { peer },
        }
    }
}

impl Driver {
    /// Builds the swarm and listens. Must be called within a tokio runtime.
    pub(super) fn new(config: NetworkConfig) -> Result<(Self, Network, mpsc::Receiver<NetworkEvent>), NetworkError> {
        let mut swarm = build_swarm(&config)?;
        let mut listeners_waiting = Vec::new();
        for address in config.listen {
            let id = swarm.listen_on(address.clone()).map_err(|source| NetworkError::Listen { address, source })?;
            listeners_waiting.push(id);
        }
        let local = *swarm.local_peer_id();
        let limits = Arc::new(config.limits);
        let counters = Arc::new(NetworkCounters::default());
        let links = Arc::new(Links::default());
        let (events, events_receiver) = mpsc::channel(limits.event_queue_max);
        let (commands_sender, commands) = mpsc::channel(COMMAND_QUEUE_MAX);
        let (allowed_sender, allowed) = watch::channel(config.peers.clone());
        let (stop_sender, stop) = watch::channel(false);
        let (listening, listening_receiver) = watch::channel(None);
        let network = Network {
            inner: Arc::new(Inner {
                local,
                limits: Arc::clone(&limits),
                counters: Arc::clone(&counters),
                links: Arc::clone(&links),
                commands: commands_sender.clone(),
                allowed: allowed_sender,
                stop: stop_sender,
                listening: listening_receiver,
            }),
        };
        let mut driver = Self {
            swarm,
            local,
            limits,
            counters,
            links,
            peers: BTreeMap::new(),
            listeners_waiting,
            listen_addrs: Vec::new(),
            listening,
            events,
            notices: VecDeque::new(),
            commands,
            commands_sender,
            allowed,
            stop,
        };
        driver.allow(config.peers);
        Ok((driver, network, events_receiver))
    }

    /// Runs until [`Network::shutdown`], the last handle's or the event receiver's end.
    pub(super) async fn run(mut self) {
        self.report_listening();
        let mut silence_checks = tokio::time::interval(self.limits.ping_interval);
        silence_checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let dial_at = self.peers.values().filter_map(|peer| peer.dial_at).min();
            let dial_due = async {
                match dial_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                Some(command) = self.commands.recv() => self.on_open(command),
                () = dial_due => self.dial_due(),
                _ = silence_checks.tick() => self.give_up_silent(),
                () = send_notice(&self.events, &mut self.notices), if !self.notices.is_empty() => {}
                changed = self.allowed.changed() => {
                    if changed.is_err() {
                        break; // The last handle is gone.
                    }
                    let peers = self.allowed.borrow_and_update().clone();
                    self.allow(peers);
                }
                () = stopped(&mut self.stop) => break,
                () = self.events.closed() => break,
            }
        }
        self.say_goodbye().await;
    }

    /// Closes what is open, so that peers need not wait for a time-out to notice.
    async fn say_goodbye(mut self) {
        for (peer, state) in std::mem::take(&mut self.peers) {
            self.links.remove(&peer);
            disconnect(&state.link, &self.counters);
            if self.swarm.disconnect_peer_id(peer).is_err() {
                tracing::trace!(%peer, "there was no connection to close");
            }
        }
        let closed = async {
            while self.swarm.network_info().connection_counters().num_established() > 0 {
                self.swarm.select_next_some().await;
            }
        };
        if tokio::time::timeout(GOODBYE_TIMEOUT, closed).await.is_err() {
            tracing::debug!("some connections did not close in time");
        }
    }

    /// Makes the list of allowed peers this one.
    fn allow(&mut self, entries: Vec<PeerEntry>) {
        let mut entries: BTreeMap<_, _> = entries.into_iter().map(|entry| (entry.peer, entry.addresses)).collect();
        entries.remove(&self.local);
        let removed: Vec<_> = self.peers.keys().filter(|peer| !entries.contains_key(peer)).copied().collect();
        for peer in removed {
            self.disallow(peer);
        }
        for (peer, addresses) in entries {
            match self.peers.get_mut(&peer) {
                Some(state) if state.addresses == addresses => {}
                Some(state) => {
                    state.addresses = addresses;
                    state.backoff.reset();
                    if state.connections.is_empty() {
                        state.dial_at = (!state.addresses.is_empty()).then(Instant::now);
                    }
                }
                None => self.add_peer(peer, addresses),
            }
        }
    }

    fn add_peer(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        let link = Arc::new(Link::new(peer, &self.limits));
        let context = self.context(&link);
        let writers = Channel::ALL
            .map(|channel| AbortOnDrop::spawn(write_channel(context.clone(), channel, self.commands_sender.clone())));
        let dial_at = (!addresses.is_empty()).then(Instant::now);
        let backoff = Backoff::new(self.limits.redial_min, self.limits.redial_max);
        let (connections, serving) = (Vec::new(), JoinSet::new());
        self.links.insert(Arc::clone(&link));
        self.peers.insert(peer, Peer { link, addresses, connections, backoff, dial_at, _writers: writers, serving });
        self.swarm.behaviour_mut().allow.allow_peer(peer);
    }

    fn disallow(&mut self, peer: PeerId) {
        // Closes the peer's connections; those still being established are refused when they are.
        self.swarm.behaviour_mut().allow.disallow_peer(peer);
        self.links.remove(&peer);
        if let Some(state) = self.peers.remove(&peer)
            && disconnect(&state.link, &self.counters)
        {
            self.notify(Notice::Disconnected(peer));
        }
    }

    fn context(&self, link: &Arc<Link>) -> TaskContext {
        let (limits, counters) = (Arc::clone(&self.limits), Arc::clone(&self.counters));
        TaskContext { link: Arc::clone(link), limits, counters }
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Streams(inbound)) => self.on_inbound(inbound),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { peer, connection, result: Ok(_) })) => {
                let connections = self.peers.get_mut(&peer).map(|state| &mut state.connections);
                if let Some(alive) = connections.into_iter().flatten().find(|known| known.id == connection) {
                    alive.heard = Instant::now();
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                tracing::debug!(peer = %peer_id, ?cause, "connection closed");
                self.forget(peer_id, connection_id);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.on_dial_failed(peer, &error);
            }
            SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
                self.on_inbound_failed(&error, &send_back_addr);
            }
            SwarmEvent::NewListenAddr { listener_id, address } => {
                tracing::info!(%address, "listening");
                self.listen_addrs.push(address);
                self.listeners_waiting.retain(|waiting| *waiting != listener_id);
                self.report_listening();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listen_addrs.retain(|known| *known != address);
                self.report_listening();
            }
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                tracing::error!(?addresses, ?reason, "a listener ended");
                self.listen_addrs.retain(|known| !addresses.contains(known));
                self.listeners_waiting.retain(|waiting| *waiting != listener_id);
                self.report_listening();
            }
            _ => {}
        }
    }

    fn report_listening(&self) {
        if self.listeners_waiting.is_empty() {
            self.listening.send_replace(Some(self.listen_addrs.clone()));
        }
    }

    fn on_established(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        let now = Instant::now();
        let Some(state) = self.peers.get(&peer) else {
            self.swarm.close_connection(id); // Removed from the list in this very moment.
            return;
        };
        self.counters.connections_opened.increment();
        // A peer dials only while it has no connection. An inbound one therefore means that it has lost those older
        // than the time in which both sides may have dialled each other: it restarted, or its host did.
        let mut dead: Vec<_> = state
            .connections
            .iter()
            .filter(|old| endpoint.is_listener() && now - old.since > self.limits.handshake_timeout)
            .map(|old| old.id)
            .collect();
        let kept = state.connections.len() - dead.len();
        if dead.is_empty() && kept >= self.limits.connections_per_peer {
            dead.push(state.connections[0].id);
        }
        for old in dead {
            self.give_up(peer, old);
        }
        let Some(state) = self.peers.get_mut(&peer) else { return };
        // For the same reason, what is written goes to the inbound connection from now on, unless both are so young that
        // both sides may have dialled at the same moment. A connection whose host has died would swallow it for seconds.
        let route = *state.link.route.borrow();
        let is_superseded = |old: &Connection| Some(old.id) == route && now - old.since > SIMULTANEOUS_DIALS;
        let takes_over = endpoint.is_listener() && state.connections.iter().any(is_superseded);
        state.connections.push(Connection { id, since: now, heard: now, readers: [None, None] });
        state.dial_at = None;
        if takes_over {
            state.link.route.send_replace(Some(id));
            self.notify(Notice::Connected(peer));
        } else if !state.link.is_connected() {
            tracing::info!(%peer, "connected");
            for channel in Channel::ALL {
                state.link.outbox(channel).open();
            }
            state.link.route.send_replace(Some(id));
            self.notify(Notice::Connected(peer));
        }
    }

    /// Closes a connection that is superfluous or dead. Its end may take long to be reported, so it is forgotten now.
    fn give_up(&mut self, peer: PeerId, id: ConnectionId) {
        self.swarm.close_connection(id);
        self.forget(peer, id);
    }

    /// Closes the connections on which no ping was answered for too long. The ping behaviour's own failures come later:
    /// it forgives the first one, and waits ten seconds for each new substream.
    fn give_up_silent(&mut self) {
        let silence_max = self.limits.silence_max;
        let connections =
            self.peers.iter().flat_map(|(peer, state)| state.connections.iter().map(|known| (*peer, known)));
        let silent = connections.filter(|(_, known)| known.heard.elapsed() > silence_max);
        for (peer, id) in silent.map(|(peer, known)| (peer, known.id)).collect::<Vec<_>>() {
            tracing::info!(%peer, "pings are not answered: connection closed");
            self.counters.connections_silent.increment();
            self.give_up(peer, id);
        }
    }

    /// Removes a connection from its peer, and moves what is written to it to another one, if there is one.
    fn forget(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        let Some(position) = state.connections.iter().position(|connection| connection.id == id) else { return };
        let connection = state.connections.remove(position);
        if connection.since.elapsed() >= STABLE_AFTER {
            state.backoff.reset();
        }
        if *state.link.route.borrow() != Some(id) {
            return;
        }
        if let Some(newest) = state.connections.last() {
            state.link.route.send_replace(Some(newest.id));
            // What was written to the lost connection may be lost, and the peer may even have started anew.
            self.notify(Notice::Connected(peer));
            return;
        }
        tracing::info!(%peer, "disconnected");
        disconnect(&state.link, &self.counters);
        schedule_dial(state);
        self.notify(Notice::Disconnected(peer));
    }

    fn on_inbound(&mut self, inbound: Inbound) {
        let Inbound { peer, connection, protocol, stream } = inbound;
        let Some(link) = self.peers.get(&peer).map(|state| Arc::clone(&state.link)) else { return };
        let context = self.context(&link);
        let Some(state) = self.peers.get_mut(&peer) else { return };
        let Some(connection) = state.connections.iter_mut().find(|known| known.id == connection) else { return };
        match protocol {
            Protocol::OneWay(channel) => {
                // A peer that opens the same channel again has given up the substream before.
                let reader = AbortOnDrop::spawn(read_channel(context, channel, stream, self.events.clone()));
                connection.readers[channel.index()] = Some(reader);
            }
            Protocol::Sync => {
                while state.serving.try_join_next().is_some() {}
                match Arc::clone(&link.requests_inbound).try_acquire_owned() {
                    Ok(permit) => {
                        state.serving.spawn(serve_request(context, stream, self.events.clone(), permit));
                    }
                    Err(_) => self.counters.requests_refused.increment(),
                }
            }
        }
    }

    fn on_open(&mut self, command: OpenCommand) {
        let OpenCommand { peer, connection, protocol, reply } = command;
        let Some(state) = self.peers.get(&peer) else { return };
        let connection = connection.or_else(|| *state.link.route.borrow());
        let Some(connection) = connection.filter(|id| state.connections.iter().any(|known| known.id == *id)) else {
            return;
        };
        self.swarm.behaviour_mut().streams.open(peer, connection, protocol, reply);
    }

    fn dial_due(&mut self) {
        let now = Instant::now();
        for (peer, state) in &mut self.peers {
            if state.dial_at.is_none_or(|at| at > now) {
                continue;
            }
            state.dial_at = None;
            // One address after the other: of two raced connections the other side would see both, and could write to
            // the loser. From a new port: dialling from the listening port would let two simultaneous dials meet in
            // one TCP connection that both sides believe to have opened.
            let options = DialOpts::peer_id(*peer)
                .condition(PeerCondition::NotDialing)
                .addresses(state.addresses.clone())
                .override_dial_concurrency_factor(NonZeroU8::MIN)
                .allocate_new_port()
                .build();
            match self.swarm.dial(options) {
                // Being dialled already: the end of that will be reported. Connections that were given up may still
                // be closing and must not prevent a dial.
                Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
                Err(error) => {
                    tracing::debug!(%peer, %error, "cannot dial");
                    self.counters.dials_failed.increment();
                    schedule_dial(state);
                }
            }
        }
    }

    fn on_dial_failed(&mut self, peer: PeerId, error: &DialError) {
        self.counters.dials_failed.increment();
        tracing::debug!(%peer, %error, "dial failed");
        if let DialError::Denied { cause } = error
            && cause.downcast_ref::<NotAllowed>().is_some()
        {
            self.counters.strangers_refused.increment();
        }
        if let Some(state) = self.peers.get_mut(&peer)
            && state.connections.is_empty()
        {
            schedule_dial(state);
        }
    }

    fn on_inbound_failed(&self, error: &ListenError, from: &Multiaddr) {
        if let ListenError::Denied { cause } = error
            && cause.downcast_ref::<NotAllowed>().is_some()
        {
            tracing::warn!(%from, "stranger refused");
            self.counters.strangers_refused.increment();
            return;
        }
        tracing::debug!(%from, %error, "inbound connection failed");
        self.counters.inbound_failed.increment();
    }

    /// Tells the application, now or when it has room. A peer's pending notices never exceed "disconnected, connected":
    /// a connect the application has not heard of is cancelled by the disconnect that follows.
    fn notify(&mut self, notice: Notice) {
        if let Notice::Disconnected(peer) = notice
            && let Some(unheard) = self.notices.iter().position(|pending| *pending == Notice::Connected(peer))
        {
            self.notices.remove(unheard);
            return;
        }
        if self.notices.is_empty() {
            match self.events.try_send(notice.into()) {
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => return,
                Err(mpsc::error::TrySendError::Full(_)) => {}
            }
        }
        self.notices.push_back(notice);
    }
}

/// Hands the oldest notice to the application as soon as it has room. Loses nothing when cancelled.
async fn send_notice(events: &mpsc::Sender<NetworkEvent>, notices: &mut VecDeque<Notice>) {
    if let Ok(permit) = events.reserve().await
        && let Some(notice) = notices.pop_front()
    {
        permit.send(notice.into());
    }
}

/// Waits for [`Network::shutdown`] or the end of the last handle.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Ends a peer's session: nothing is queued for it any more. Returns whether it was connected.
fn disconnect(link: &Link, counters: &NetworkCounters) -> bool {
    for channel in Channel::ALL {
        counters.channel(channel).dropped_disconnected.add(link.outbox(channel).close());
    }
    link.route.send_replace(None).is_some()
}

fn schedule_dial(state: &mut Peer) {
    if !state.addresses.is_empty() {
        state.dial_at = Some(Instant::now() + state.backoff.next_wait());
    }
}
