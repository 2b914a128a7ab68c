//! The network between real nodes on loopback: mesh, requests, strangers, sizes, reconnecting, slow receivers.
//!
//! No test sleeps: each waits for the event it names, with a time limit that only guards against hanging.

#![expect(clippy::panic, reason = "an unexpected event fails the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder,
    multiaddr::Protocol,
    noise, ping,
    swarm::{SwarmEvent, dial_opts::DialOpts},
    tcp, yamux,
};
use sigeli_node::network::{
    Channel, Network, NetworkConfig, NetworkEvent, NetworkLimits, PeerEntry, RequestError, ResponseError,
    network_public_key, peer_id_of, spawn,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc::Receiver, watch},
    task::JoinHandle,
};
use zeroize::Zeroizing;

const GUARD: Duration = Duration::from_secs(30);
const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

struct Node {
    peer: PeerId,
    network: Network,
    events: Receiver<NetworkEvent>,
    task: JoinHandle<()>,
}

fn secret(seed: u8) -> [u8; 32] {
    [seed; 32]
}

fn peer(seed: u8) -> PeerId {
    peer_id_of(&network_public_key(&secret(seed))).expect("a key derived from a secret is valid")
}

fn start(seed: u8, listen: &[Multiaddr], peers: Vec<PeerEntry>, limits: NetworkLimits) -> Node {
    let config = NetworkConfig { secret: Zeroizing::new(secret(seed)), listen: listen.to_vec(), peers, limits };
    let (network, events, task) = spawn(config).expect("loopback is available");
    Node { peer: peer(seed), network, events, task }
}

fn address(text: &str) -> Multiaddr {
    text.parse().expect("a multiaddress")
}

fn waited_for(seeds: impl IntoIterator<Item = u8>) -> Vec<PeerEntry> {
    seeds.into_iter().map(|seed| PeerEntry { peer: peer(seed), addresses: Vec::new() }).collect()
}

async fn guarded<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(GUARD, future).await.unwrap_or_else(|_| panic!("not within {GUARD:?}: {what}"))
}

impl Node {
    async fn entry(&self) -> PeerEntry {
        let addresses = guarded("listening", self.network.listen_addrs()).await;
        assert!(!addresses.is_empty());
        PeerEntry { peer: self.peer, addresses }
    }

    async fn event(&mut self, what: &str) -> NetworkEvent {
        guarded(what, self.events.recv()).await.expect("the network runs")
    }

    async fn wait_connected(&mut self, count: usize) {
        let mut connected = BTreeSet::new();
        while connected.len() < count {
            match self.event("peers connected").await {
                NetworkEvent::PeerConnected { peer } => connected.insert(peer),
                NetworkEvent::PeerDisconnected { peer } => connected.remove(&peer),
                other => panic!("unexpected {other:?}"),
            };
        }
    }

    /// Waits until `peer` is gone. Two nodes that dialled each other at the same moment have two connections; when these
    /// close one after the other, the peer is announced once more before it is gone, and so may any other peer be.
    async fn wait_disconnected(&mut self, peer: PeerId) {
        loop {
            match self.event("the peer's end").await {
                NetworkEvent::PeerDisconnected { peer: gone } => {
                    assert_eq!(gone, peer);
                    return;
                }
                NetworkEvent::PeerConnected { .. } => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Waits until `peer` is announced, while nobody leaves.
    async fn wait_for(&mut self, peer: PeerId) {
        loop {
            match self.event("the peer").await {
                NetworkEvent::PeerConnected { peer: known } if known == peer => return,
                NetworkEvent::PeerConnected { .. } => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// The next event, which must be a message.
    async fn message_only(&mut self) -> (PeerId, Channel, Vec<u8>) {
        match self.event("a message").await {
            NetworkEvent::Message { peer, channel, bytes } => (peer, channel, bytes.into_vec()),
            other => panic!("unexpected {other:?}"),
        }
    }

    /// The next message, while the peer stays reachable: it may be announced again, but never lost.
    async fn message_while_connected(&mut self) -> (PeerId, Channel, Vec<u8>) {
        loop {
            match self.event("a message").await {
                NetworkEvent::Message { peer, channel, bytes } => return (peer, channel, bytes.into_vec()),
                NetworkEvent::PeerConnected { .. } => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// The next message, over any change of connection.
    async fn message(&mut self) -> (PeerId, Channel, Vec<u8>) {
        loop {
            match self.event("a message").await {
                NetworkEvent::Message { peer, channel, bytes } => return (peer, channel, bytes.into_vec()),
                NetworkEvent::PeerConnected { .. } | NetworkEvent::PeerDisconnected { .. } => {}
                NetworkEvent::Request { .. } => panic!("nobody asks here"),
            }
        }
    }
}

/// Nodes with seeds 1 to `count`, each of which dials all others, all at the same time.
async fn mesh(count: u8, listen: &[&str], limits: &NetworkLimits) -> Vec<Node> {
    let listen: Vec<_> = listen.iter().map(|text| address(text)).collect();
    let mut nodes = Vec::new();
    for seed in 1..=count {
        nodes.push(start(seed, &listen, waited_for(1..=count), limits.clone()));
    }
    let mut entries = Vec::new();
    for node in &nodes {
        entries.push(node.entry().await);
    }
    for node in &nodes {
        node.network.set_allowed(entries.clone());
    }
    for node in &mut nodes {
        node.wait_connected(usize::from(count) - 1).await;
    }
    nodes
}

async fn every_broadcast_reaches_every_other(listen: &[&str]) {
    const ROUNDS: u32 = 50;
    let mut nodes = mesh(4, listen, &NetworkLimits::default()).await;
    let all: BTreeSet<_> = nodes.iter().map(|node| node.peer).collect();
    for node in &nodes {
        let others: Vec<_> = all.iter().copied().filter(|peer| *peer != node.peer).collect();
        assert_eq!(node.network.connected(), others);
    }
    for round in 0..ROUNDS {
        for node in &nodes {
            for channel in Channel::ALL {
                node.network.broadcast(channel, round.to_le_bytes().to_vec().into());
            }
        }
    }
    for node in &mut nodes {
        let mut received: BTreeMap<(PeerId, Channel), Vec<u32>> = BTreeMap::new();
        for _ in 0..2 * 3 * ROUNDS {
            let (from, channel, bytes) = node.message().await;
            let round = u32::from_le_bytes(bytes.try_into().expect("four bytes"));
            received.entry((from, channel)).or_default().push(round);
        }
        assert_eq!(received.len(), 6);
        for ((from, channel), rounds) in received {
            assert_ne!(from, node.peer);
            assert_eq!(rounds, (0..ROUNDS).collect::<Vec<_>>(), "{from} {channel:?}: all, once, in order");
        }
    }
    for node in nodes {
        let counters = node.network.counters();
        // A message is counted after it was written, and so perhaps after it was received.
        let counted = async {
            while counters.channel(Channel::Consensus).messages_sent.get() < u64::from(3 * ROUNDS) {
                tokio::task::yield_now().await;
            }
        };
        guarded("all messages counted as sent", counted).await;
        assert_eq!(counters.channel(Channel::Consensus).messages_sent.get(), u64::from(3 * ROUNDS));
        assert_eq!(counters.channel(Channel::Gossip).bytes_received.get(), u64::from(3 * 4 * ROUNDS));
        guarded("shutdown", node.network.shutdown()).await;
        guarded("the task's end", node.task).await.expect("no panic");
        assert!(node.network.connected().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_mesh_over_tcp() {
    every_broadcast_reaches_every_other(&[TCP]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_mesh_over_quic() {
    every_broadcast_reaches_every_other(&[QUIC]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_mesh_over_both() {
    every_broadcast_reaches_every_other(&[TCP, QUIC]).await;
}

#[tokio::test]
async fn a_request_is_answered_up_to_the_limits() {
    let limits = NetworkLimits::default();
    let mut nodes = mesh(2, &[TCP], &limits).await;
    let mut server = nodes.pop().expect("two nodes");
    let asking = nodes.pop().expect("two nodes");
    let client = asking.network.clone();
    let serving = tokio::spawn(async move {
        loop {
            match server.events.recv().await {
                Some(NetworkEvent::Request { bytes, reply, .. }) => match bytes.as_slice() {
                    b"large" => reply.respond(vec![7; 8 << 20]).expect("within the limit"),
                    b"too large" => {
                        let error = reply.respond(vec![7; (8 << 20) + 1]).expect_err("above the limit");
                        let limit_bytes = 8 << 20;
                        assert_eq!(error, ResponseError::TooLarge { size_bytes: (8 << 20) + 1, limit_bytes });
                    }
                    b"silence" => drop(reply),
                    b"stop" => return,
                    _ => reply.respond(bytes.iter().rev().copied().collect()).expect("within the limit"),
                },
                other => panic!("unexpected {other:?}"),
            }
        }
    });
    let ask = |request: &[u8]| {
        let (client, request) = (client.clone(), request.to_vec());
        async move { guarded("an answer", client.request(peer(2), request)).await }
    };
    assert_eq!(ask(b"abc").await, Ok(b"cba".to_vec()));
    assert_eq!(ask(b"").await, Ok(Vec::new()));
    assert_eq!(ask(&[1; 1024]).await, Ok(vec![1; 1024]));
    let refused = Err(RequestError::RequestTooLarge { size_bytes: 1025, limit_bytes: 1024 });
    assert_eq!(ask(&[1; 1025]).await, refused);
    assert_eq!(ask(b"large").await, Ok(vec![7; 8 << 20]));
    assert_eq!(ask(b"too large").await, Err(RequestError::NoAnswer));
    assert_eq!(ask(b"silence").await, Err(RequestError::NoAnswer));
    assert_eq!(client.request(peer(3), Vec::new()).await, Err(RequestError::NotConnected));
    // More at once than are served at once: the rest waits its turn.
    let many = futures::future::join_all((0..20u8).map(|i| ask(&[i, 200]))).await;
    let expected: Vec<_> = (0..20u8).map(|i| Ok(vec![200, i])).collect();
    assert_eq!(many, expected);
    // The server goes away in the middle of a request.
    let lost = ask(b"stop").await;
    assert!(matches!(lost, Err(RequestError::NoAnswer | RequestError::NotConnected)), "{lost:?}");
    serving.await.expect("no panic");
}

#[tokio::test]
async fn an_unanswered_request_times_out_and_a_forged_length_is_not_read() {
    let patient = NetworkLimits { request_timeout: Duration::from_millis(300), ..NetworkLimits::default() };
    let strict = NetworkLimits { sync_response_bytes_max: 100, ..patient.clone() };
    let mut server = start(1, &[address(TCP)], waited_for([2]), NetworkLimits::default());
    let mut client = start(2, &[], vec![server.entry().await], strict);
    client.wait_connected(1).await;
    server.wait_connected(1).await;

    let request = client.network.request(server.peer, b"x".to_vec());
    let (answer, held) = futures::join!(request, server.event("the request"));
    assert_eq!(answer, Err(RequestError::Timeout));
    drop(held);

    let answer = async {
        match server.event("the request").await {
            NetworkEvent::Request { reply, .. } => reply.respond(vec![0; 101]).expect("the server's limit is higher"),
            other => panic!("unexpected {other:?}"),
        }
    };
    let (result, ()) = futures::join!(client.network.request(peer(1), b"y".to_vec()), answer);
    assert_eq!(result, Err(RequestError::ResponseTooLarge { size_bytes: 101, limit_bytes: 100 }));
}

/// A libp2p node that shares no code with ours beyond libp2p itself, and offers ping.
fn foreign_swarm() -> Swarm<ping::Behaviour> {
    let builder = SwarmBuilder::with_existing_identity(
        libp2p::identity::Keypair::ed25519_from_bytes(secret(99)).expect("any 32 bytes are a seed"),
    );
    let builder = builder.with_tokio().with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default);
    let builder = builder.expect("noise").with_quic();
    let ping = ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_millis(1)));
    builder.with_behaviour(|_| ping).expect("infallible").build()
}

#[tokio::test]
async fn a_stranger_is_refused_before_any_protocol() {
    for listen in [TCP, QUIC] {
        let mut node = start(1, &[address(listen)], waited_for([2]), NetworkLimits::default());
        let entry = node.entry().await;

        // A foreign implementation gets as far as the handshake; not one ping is answered.
        let mut stranger = foreign_swarm();
        let dial = DialOpts::peer_id(node.peer).addresses(entry.addresses.clone()).build();
        stranger.dial(dial).expect("a dialable address");
        let refused = async {
            loop {
                match stranger.select_next_some().await {
                    SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => return,
                    SwarmEvent::Behaviour(ping::Event { result: Ok(_), .. }) => panic!("a ping was answered"),
                    _ => {}
                }
            }
        };
        guarded("the refusal", refused).await;

        // Our own implementation with a key that is not on the list: none of its protocols opens.
        let mut impostor = start(98, &[], vec![entry.clone()], NetworkLimits::default());
        loop {
            match impostor.event("the refusal").await {
                NetworkEvent::PeerConnected { peer } => {
                    impostor.network.broadcast(Channel::Consensus, vec![1].into());
                    let answer = impostor.network.request(peer, b"x".to_vec()).await;
                    assert!(matches!(answer, Err(RequestError::NotConnected | RequestError::NoAnswer)), "{answer:?}");
                }
                NetworkEvent::PeerDisconnected { .. } => break,
                other => panic!("unexpected {other:?}"),
            }
        }
        assert!(node.network.counters().strangers_refused.get() >= 2);

        // The node answers those it knows, and has noticed nothing of the strangers.
        let mut known = start(2, &[], vec![entry], NetworkLimits::default());
        known.wait_connected(1).await;
        known.network.broadcast(Channel::Consensus, vec![2].into());
        match node.event("the known peer").await {
            NetworkEvent::PeerConnected { peer } => assert_eq!(peer, known.peer),
            other => panic!("unexpected {other:?}"),
        }
        assert_eq!(node.message().await, (known.peer, Channel::Consensus, vec![2]));
        assert_eq!(node.network.connected(), [known.peer]);
        assert_eq!(node.network.counters().connections_opened.get(), 1);
    }
}

#[tokio::test]
async fn a_dialled_address_with_another_identity_is_not_connected() {
    let node = start(1, &[address(TCP)], waited_for([2]), NetworkLimits::default());
    let wrong = PeerEntry { peer: peer(3), addresses: node.entry().await.addresses };
    let dialler = start(2, &[], vec![wrong], NetworkLimits::default());
    let failed = async {
        while dialler.network.counters().dials_failed.get() < 2 {
            tokio::task::yield_now().await;
        }
    };
    guarded("two failed dials", failed).await;
    assert!(dialler.network.connected().is_empty());
    assert_eq!(dialler.network.counters().connections_opened.get(), 0);
}

#[tokio::test]
async fn messages_of_the_limit_pass_and_larger_ones_do_not() {
    for channel in Channel::ALL {
        for listen in [TCP, QUIC] {
            let limits = NetworkLimits::default();
            let limit = limits.channel(channel).message_bytes_max as usize;
            let mut careless = limits.clone();
            match channel {
                Channel::Consensus => careless.consensus.message_bytes_max += 1,
                Channel::Gossip => careless.gossip.message_bytes_max += 1,
            }
            let mut receiver = start(1, &[address(listen)], waited_for([2]), limits);
            let mut sender = start(2, &[], vec![receiver.entry().await], careless);
            sender.wait_connected(1).await;
            receiver.wait_connected(1).await;

            let largest: Vec<u8> = (0..limit).map(|i| i.to_le_bytes()[0]).collect();
            sender.network.send(receiver.peer, channel, largest.clone().into());
            assert_eq!(receiver.message().await, (sender.peer, channel, largest));

            // One byte more: the receiver resets the substream without reading it, keeps the connection, and takes the
            // next messages. The sender gives the large one up.
            sender.network.send(receiver.peer, channel, vec![0; limit + 1].into());
            let next = async {
                loop {
                    sender.network.send(receiver.peer, channel, vec![1].into());
                    let arrived = tokio::time::timeout(Duration::from_millis(50), receiver.message()).await;
                    if let Ok(message) = arrived {
                        return message;
                    }
                }
            };
            assert_eq!(guarded("the next message", next).await, (sender.peer, channel, vec![1]));
            let counters = receiver.network.counters();
            assert!(counters.channel(channel).oversized_received.get() >= 1);
            assert_eq!(counters.connections_opened.get(), 1);

            // What our own limit forbids is not even queued.
            receiver.network.send(sender.peer, channel, vec![0; limit + 1].into());
            assert_eq!(receiver.network.counters().channel(channel).oversized_sent.get(), 1);
        }
    }
}

#[tokio::test]
async fn a_peer_that_returns_is_connected_again() {
    for listen in [TCP, QUIC] {
        let mut away = start(1, &[address(listen)], waited_for([2]), NetworkLimits::default());
        let entry = away.entry().await;
        let mut node = start(2, &[], vec![entry.clone()], NetworkLimits::default());
        away.wait_connected(1).await;
        node.wait_connected(1).await;

        guarded("shutdown", away.network.shutdown()).await;
        let gone = node.event("the peer's leaving").await;
        assert!(matches!(gone, NetworkEvent::PeerDisconnected { peer } if peer == entry.peer), "{gone:?}");
        assert!(node.network.connected().is_empty());
        node.network.broadcast(Channel::Consensus, vec![1].into());
        let counters = node.network.counters();
        assert_eq!(counters.channel(Channel::Consensus).dropped_disconnected.get(), 1);

        // The returning node dials nobody: it is the other one that keeps trying.
        let back = async {
            loop {
                let secret = Zeroizing::new(secret(1));
                let (listen, peers) = (entry.addresses.clone(), waited_for([2]));
                // The old socket may take a moment to be closed by the system.
                match spawn(NetworkConfig { secret, listen, peers, limits: NetworkLimits::default() }) {
                    Ok((network, events, task)) => return Node { peer: peer(1), network, events, task },
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let mut back = guarded("the port", back).await;
        back.wait_connected(1).await;
        node.wait_connected(1).await;
        node.network.broadcast(Channel::Consensus, vec![2].into());
        assert_eq!(back.message().await, (node.peer, Channel::Consensus, vec![2]));
        back.network.broadcast(Channel::Gossip, vec![3].into());
        assert_eq!(node.message().await, (back.peer, Channel::Gossip, vec![3]));
    }
}

#[tokio::test]
async fn the_list_can_change() {
    let mut nodes = mesh(3, &[TCP], &NetworkLimits::default()).await;
    let second = nodes[1].entry().await;
    nodes[0].network.set_allowed(vec![second.clone()]);
    nodes[0].wait_disconnected(peer(3)).await;
    nodes[2].wait_disconnected(peer(1)).await;
    assert_eq!(nodes[0].network.connected(), [peer(2)]);

    let third = nodes[2].entry().await;
    nodes[0].network.set_allowed(vec![second, third]);
    nodes[0].wait_for(peer(3)).await;
    let all: Vec<_> = BTreeSet::from([peer(2), peer(3)]).into_iter().collect();
    assert_eq!(nodes[0].network.connected(), all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_stops_receiving_delays_nobody_and_bounds_its_memory() {
    const MESSAGES: usize = 300;
    const SIZE: usize = 64 * 1024;
    for listen in [TCP, QUIC] {
        let mut limits = NetworkLimits::default();
        limits.consensus.message_bytes_max = 1 << 20;
        limits.consensus.inbound_bytes_max = 2 << 20;
        limits.consensus.outbox_bytes_max = 2 << 20;
        let mut nodes = mesh(3, &[listen], &limits).await;
        let stalled = nodes.pop().expect("three nodes");
        let mut busy = nodes.pop().expect("three nodes");
        let sender = nodes.pop().expect("three nodes");

        // `stalled` receives no event at all, `busy` each one before the next is sent.
        for number in 0..MESSAGES {
            let mut message = vec![0; SIZE];
            message[..8].copy_from_slice(&(number as u64).to_le_bytes());
            sender.network.broadcast(Channel::Consensus, message.clone().into());
            assert_eq!(busy.message().await, (sender.peer, Channel::Consensus, message));
        }
        let dropped = sender.network.counters().channel(Channel::Consensus).dropped_outbox_full.get();
        let handed = stalled.network.counters().channel(Channel::Consensus).bytes_received.get();
        assert!(dropped > 0, "18.75 MiB must not fit into 2 MiB at either end and the transport's window");
        assert!(handed <= 2 << 20, "{handed} bytes are more than the budget of one sender");
        assert_eq!(busy.network.counters().channel(Channel::Consensus).messages_received.get(), MESSAGES as u64);

        // Once it receives again, it gets what was waiting, in order, and new messages.
        let mut stalled = stalled;
        let mut last = None;
        let last_number = async {
            loop {
                sender.network.send(stalled.peer, Channel::Consensus, u64::MAX.to_le_bytes().to_vec().into());
                while let Ok(message) = tokio::time::timeout(Duration::from_millis(50), stalled.message()).await {
                    let number = u64::from_le_bytes(message.2[..8].try_into().expect("eight bytes"));
                    if number == u64::MAX {
                        return;
                    }
                    assert!(last.is_none_or(|last| last < number), "in order");
                    last = Some(number);
                }
            }
        };
        guarded("a new message", last_number).await;
        assert!(last.is_some());
    }
}

#[tokio::test]
async fn gossip_is_dropped_first_when_the_application_falls_behind() {
    let limits = NetworkLimits { event_queue_max: 16, ..NetworkLimits::default() };
    let mut nodes = mesh(2, &[TCP], &limits).await;
    let mut slow = nodes.pop().expect("two nodes");
    let sender = nodes.pop().expect("two nodes");
    for number in 0..100u8 {
        sender.network.send(slow.peer, Channel::Gossip, vec![number].into());
    }
    let counted = async {
        let gossip = slow.network.counters().channel(Channel::Gossip);
        while gossip.messages_received.get() + gossip.dropped_inbound.get() < 100 {
            tokio::task::yield_now().await;
        }
    };
    guarded("all gossip", counted).await;
    assert_eq!(slow.network.counters().channel(Channel::Gossip).messages_received.get(), 8);
    for number in 0..100u8 {
        sender.network.send(slow.peer, Channel::Consensus, vec![number].into());
    }
    let (mut gossip, mut consensus) = (Vec::new(), Vec::new());
    while consensus.len() < 100 {
        let (_, channel, bytes) = slow.message().await;
        match channel {
            Channel::Gossip => gossip.push(bytes[0]),
            Channel::Consensus => consensus.push(bytes[0]),
        }
    }
    assert_eq!(gossip, (0..8).collect::<Vec<_>>());
    assert_eq!(consensus, (0..100).collect::<Vec<_>>(), "no consensus message is lost");
}

/// What a [`Proxy`] does with the bytes it gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    /// Accepts connections and forwards nothing: a network that has gone silent.
    Shut,
    /// Closes every connection.
    Cut,
}

/// A TCP forwarder that can go silent or cut its connections.
struct Proxy {
    entry: PeerEntry,
    gate: watch::Sender<Gate>,
    connections: watch::Receiver<u32>,
}

impl Proxy {
    async fn start(target: &PeerEntry, gate: Gate) -> Self {
        let port = target.addresses[0].iter().find_map(|part| match part {
            Protocol::Tcp(port) => Some(port),
            _ => None,
        });
        let target_address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.expect("a TCP address")));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let entry = PeerEntry { peer: target.peer, addresses: vec![address(&format!("/ip4/127.0.0.1/tcp/{port}"))] };
        let (gate, gate_receiver) = watch::channel(gate);
        let (count, connections) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                let Ok(far) = TcpStream::connect(target_address).await else { continue };
                let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                tokio::spawn(forward(near_read, far_write, gate_receiver.clone()));
                tokio::spawn(forward(far_read, near_write, gate_receiver.clone()));
            }
        });
        Self { entry, gate, connections }
    }

    async fn wait_connections(&mut self, count: u32) {
        guarded("a connection", self.connections.wait_for(|seen| *seen >= count)).await.expect("the proxy runs");
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut gate: watch::Receiver<Gate>) {
    let mut cut = gate.clone();
    let bytes = async {
        let mut buffer = [0; 4096];
        loop {
            let length = from.read(&mut buffer).await.unwrap_or(0);
            // A shut gate keeps the end of the bytes back too.
            let open = gate.wait_for(|gate| *gate == Gate::Open).await.is_ok();
            if !open || length == 0 || to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = bytes => {}
        _ = cut.wait_for(|gate| *gate == Gate::Cut) => {}
    }
}

#[tokio::test]
async fn of_two_connections_either_carries_everything() {
    for cut_first in [true, false] {
        let limits = NetworkLimits::default();
        let mut one = start(1, &[address(TCP)], waited_for([2]), limits.clone());
        let mut two = start(2, &[address(TCP)], waited_for([1]), limits);
        let mut to_two = Proxy::start(&two.entry().await, Gate::Shut).await;
        let mut to_one = Proxy::start(&one.entry().await, Gate::Shut).await;
        // Both dial; neither handshake can end before both have begun.
        one.network.set_allowed(vec![to_two.entry.clone()]);
        two.network.set_allowed(vec![to_one.entry.clone()]);
        to_two.wait_connections(1).await;
        to_one.wait_connections(1).await;
        to_two.gate.send_replace(Gate::Open);
        to_one.gate.send_replace(Gate::Open);
        one.wait_connected(1).await;
        two.wait_connected(1).await;
        let both = async {
            while [&one, &two].iter().any(|node| node.network.counters().connections_opened.get() < 2) {
                tokio::task::yield_now().await;
            }
        };
        guarded("both connections", both).await;

        let talk = async |one: &mut Node, two: &mut Node| {
            for number in 0..20u8 {
                one.network.broadcast(Channel::Consensus, vec![number].into());
                two.network.broadcast(Channel::Consensus, vec![number].into());
            }
            for number in 0..20u8 {
                assert_eq!(two.message_only().await, (one.peer, Channel::Consensus, vec![number]));
                assert_eq!(one.message_only().await, (two.peer, Channel::Consensus, vec![number]));
            }
        };
        talk(&mut one, &mut two).await;
        // One connection ends; the peers stay connected over the other: told again that the peer is there, since what
        // was under way may be lost, but not that it was gone.
        let cut = if cut_first { &to_two } else { &to_one };
        cut.gate.send_replace(Gate::Cut);
        let noticed = async {
            loop {
                one.network.broadcast(Channel::Gossip, vec![1].into());
                two.network.broadcast(Channel::Gossip, vec![1].into());
                let arrived = futures::future::join(one.message_while_connected(), two.message_while_connected());
                if tokio::time::timeout(Duration::from_millis(50), arrived).await.is_ok() {
                    return;
                }
            }
        };
        guarded("messages over the other connection", noticed).await;
        assert_eq!(one.network.connected(), [two.peer]);
        assert_eq!(two.network.connected(), [one.peer]);
    }
}

#[tokio::test]
async fn a_silent_connection_is_given_up_and_replaced() {
    let limits = NetworkLimits {
        ping_interval: Duration::from_millis(50),
        silence_max: Duration::from_millis(500),
        handshake_timeout: Duration::from_millis(500),
        ..NetworkLimits::default()
    };
    let mut one = start(1, &[address(TCP)], waited_for([2]), limits.clone());
    let proxy = Proxy::start(&one.entry().await, Gate::Open).await;
    let mut two = start(2, &[], vec![proxy.entry.clone()], limits);
    one.wait_connected(1).await;
    two.wait_connected(1).await;

    proxy.gate.send_replace(Gate::Shut);
    for node in [&mut one, &mut two] {
        let event = node.event("the silence").await;
        assert!(matches!(event, NetworkEvent::PeerDisconnected { .. }), "{event:?}");
        assert!(node.network.counters().connections_silent.get() >= 1);
    }
    proxy.gate.send_replace(Gate::Open);
    one.wait_connected(1).await;
    two.wait_connected(1).await;
    two.network.broadcast(Channel::Consensus, vec![1].into());
    assert_eq!(one.message().await, (two.peer, Channel::Consensus, vec![1]));
}

#[tokio::test]
async fn a_peer_that_restarts_replaces_its_dead_connection_at_once() {
    let limits = NetworkLimits { handshake_timeout: Duration::from_millis(500), ..NetworkLimits::default() };
    let mut node = start(1, &[address(TCP)], waited_for([2]), limits.clone());
    let entry = node.entry().await;
    let proxy = Proxy::start(&entry, Gate::Open).await;
    let mut before = start(2, &[], vec![proxy.entry.clone()], limits.clone());
    node.wait_connected(1).await;
    before.wait_connected(1).await;
    let connected = Instant::now(); // Not before: the connection must be at least as old as what is measured.
    // Both sides might be dialling each other until the time for handshakes is over.
    while connected.elapsed() <= limits.handshake_timeout {
        node.network.send(before.peer, Channel::Consensus, vec![1].into());
        before.message_only().await;
    }

    // The peer dies, and its network does not say so.
    proxy.gate.send_replace(Gate::Shut);
    guarded("the end", before.network.shutdown()).await;
    let mut after = start(2, &[], vec![entry], limits);
    after.wait_connected(1).await;
    let end = node.event("the end of the dead connection").await;
    assert!(matches!(end, NetworkEvent::PeerDisconnected { .. }), "{end:?}");
    node.wait_connected(1).await;
    node.network.send(after.peer, Channel::Consensus, vec![2].into());
    assert_eq!(after.message_only().await, (node.peer, Channel::Consensus, vec![2]));
    assert_eq!(node.network.counters().connections_silent.get(), 0, "not by waiting for pings");
}

#[tokio::test]
async fn half_open_handshakes_and_garbage_do_not_keep_peers_apart() {
    const ATTACKERS: usize = 400;
    let mut victim = start(1, &[address(TCP)], waited_for([2]), NetworkLimits::default());
    let entry = victim.entry().await;
    let port = entry.addresses[0].iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    });
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port.expect("a TCP address")));
    let mut held = Vec::new();
    for number in 0..ATTACKERS {
        let mut connection = TcpStream::connect(target).await.expect("the listener accepts");
        // Nothing at all, the first step of the handshake and then nothing, or bytes without sense.
        match number % 3 {
            0 => {}
            1 => drop(connection.write_all(b"\x13/multistream/1.0.0\n\x07/noise\n").await),
            _ => drop(connection.write_all(&[0xff; 4096]).await),
        }
        held.push(connection);
    }
    let refused = async {
        while victim.network.counters().inbound_failed.get() < (ATTACKERS / 2) as u64 {
            tokio::task::yield_now().await;
        }
    };
    guarded("most attackers refused", refused).await;

    // The places for unfinished handshakes are taken; the victim itself dials out, and is connected.
    let mut friend = start(2, &[address(TCP)], vec![entry.clone()], NetworkLimits::default());
    victim.network.set_allowed(vec![friend.entry().await]);
    victim.wait_connected(1).await;
    friend.wait_connected(1).await;
    friend.network.broadcast(Channel::Consensus, vec![1].into());
    assert_eq!(victim.message().await, (friend.peer, Channel::Consensus, vec![1]));
    assert_eq!(victim.network.connected(), [friend.peer]);
    drop(held);
}
