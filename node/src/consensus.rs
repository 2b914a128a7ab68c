//! The consensus thread: feeds the driver with messages, timers and transactions, and does what it asks.
//!
//! One thread owns the driver, the validator key and the store's writing handle. Everything it does, disk included, happens
//! in order: that is what the driver's guarantees rest on.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::Arc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ed25519_dalek::{Signer as _, SigningKey};
use libp2p::PeerId;
use sigeli_consensus::{
    application::{Admission as PoolAdmission, LedgerApplication},
    driver::{Action, Driver, Event, TimerId},
    ports::Fatal,
    signer::GuardState,
    sync::Peer,
};
use sigeli_ledger::state::Registry;
use sigeli_store::{EvidenceLog, RocksStore};
use sigeli_verifier::{
    decode::Decode as _,
    encode::Encode as _,
    ids::{Signature, TimeMs, ValidatorAddress},
    params::TRANSACTION_BYTES_MAX,
    transaction::SignedTransaction,
    validators::address,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    backend::{Admission, Submission},
    metrics::ConsensusMetrics,
    network::{Channel, Network, NetworkEvent, peer_id_of},
    progress::{Progress, Refusals},
    sign_state::SignStateFile,
    wal::RocksWal,
};

/// For how long a peer is ignored that sent what no correct node sends.
const MUTE: Duration = Duration::from_secs(10);
/// Most submissions taken in before consensus is told; fewer when a peer has said something meanwhile.
const SUBMISSIONS_AT_ONCE: usize = 256;
/// Most events of the network that are taken in before a waiting submission gets its turn.
const EVENTS_IN_A_ROW_MAX: u32 = 64;
/// Most pooled transactions told to a peer that connects.
const RESEND_MAX: usize = 1_000;

type NodeDriver = Driver<LedgerApplication<RocksStore>, RocksWal, SignStateFile>;

/// What the consensus thread is connected to.
#[derive(Debug)]
pub struct ConsensusPorts {
    /// The network.
    pub network: Network,
    /// What happens on it.
    pub events: mpsc::Receiver<NetworkEvent>,
    /// Transactions from the edge.
    pub submitted: mpsc::Receiver<Submission>,
    /// Where the node is.
    pub progress: watch::Sender<Progress>,
    /// Whether it is fit to serve.
    pub ready: watch::Sender<bool>,
    /// What was refused after it was pooled.
    pub refusals: Arc<Refusals>,
    /// Where evidence against validators is kept.
    pub evidence: EvidenceLog,
    /// What is counted.
    pub metrics: ConsensusMetrics,
    /// Tells it to stop.
    pub shutdown: CancellationToken,
}

/// How the thread ended.
#[derive(Debug)]
pub enum End {
    /// It was asked to.
    Requested,
    /// A channel to it closed although nobody had asked it to stop: who held the other end has failed.
    Abandoned {
        /// Who.
        by: &'static str,
    },
    /// Storage or safety failed.
    Fatal(Fatal),
}

/// A running consensus thread.
#[derive(Debug)]
pub struct Consensus {
    end: oneshot::Receiver<End>,
}

impl Consensus {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, when it gives no thread.
    pub fn start(driver: NodeDriver, key: SigningKey, registry: Registry, ports: ConsensusPorts) -> io::Result<Self> {
        let (ended, end) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("consensus".into()).spawn(move || {
            let worker = Worker::new(driver, key, &registry, ports);
            let end = runtime.block_on(worker.run());
            if let End::Fatal(fatal) = &end {
                tracing::error!(%fatal, "consensus has stopped");
            }
            if ended.send(end).is_err() {
                tracing::debug!("nobody waits for the consensus thread any more");
            }
        })?;
        Ok(Self { end })
    }

    /// Waits for its end; `None` when it panicked.
    pub async fn ended(self) -> Option<End> {
        self.end.await.ok()
    }
}

struct Worker {
    driver: NodeDriver,
    key: SigningKey,
    ports: ConsensusPorts,
    validators: BTreeMap<PeerId, ValidatorAddress>,
    /// The numbers of all peers ever connected, as many as are registered: connecting again gives no new name.
    numbers: BTreeMap<PeerId, Peer>,
    /// The connected ones.
    peers: BTreeMap<Peer, PeerId>,
    muted: BTreeMap<PeerId, Instant>,
    next_number: u64,
    timers: BTreeMap<TimerId, Instant>,
}

fn now() -> TimeMs {
    // A clock before 1970 cannot make a valid block: its blocks are refused by the others as untimely.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimeMs::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Worker {
    fn new(driver: NodeDriver, key: SigningKey, registry: &Registry, ports: ConsensusPorts) -> Self {
        let validators = registry
            .validators()
            .iter()
            .filter_map(|entry| Some((peer_id_of(entry.network_key.as_bytes()).ok()?, entry.validator.address())))
            .collect();
        Self {
            driver,
            key,
            ports,
            validators,
            numbers: BTreeMap::new(),
            peers: BTreeMap::new(),
            muted: BTreeMap::new(),
            next_number: 0,
            timers: BTreeMap::new(),
        }
    }

    async fn run(mut self) -> End {
        if let Err(fatal) = self.feed(Event::Started) {
            return End::Fatal(fatal);
        }
        let mut events_in_a_row = 0_u32;
        loop {
            if let Err(fatal) = self.fire_due() {
                return End::Fatal(fatal);
            }
            self.publish();
            let due = self.next_due();
            // What peers say goes first: consensus must not wait for the edge. But the edge gets a turn now and then.
            let edge_first = events_in_a_row >= EVENTS_IN_A_ROW_MAX && !self.ports.submitted.is_empty();
            events_in_a_row = if edge_first { 0 } else { events_in_a_row };
            let step = tokio::select! {
                biased;
                () = self.ports.shutdown.cancelled() => return End::Requested,
                event = self.ports.events.recv(), if !edge_first => match event {
                    Some(event) => {
                        events_in_a_row += 1;
                        self.on_network(event)
                    }
                    None => return self.abandoned("the network"),
                },
                submission = self.ports.submitted.recv() => match submission {
                    Some(submission) => {
                        events_in_a_row = 0;
                        self.on_submissions(submission)
                    }
                    None => return self.abandoned("the edge"),
                },
                () = tokio::time::sleep_until(due) => Ok(()),
            };
            if let Err(fatal) = step {
                return End::Fatal(fatal);
            }
        }
    }

    /// How it ends when a channel has closed. The others may be stopping too, just before this thread hears of it.
    fn abandoned(&self, by: &'static str) -> End {
        if self.ports.shutdown.is_cancelled() { End::Requested } else { End::Abandoned { by } }
    }

    fn next_due(&self) -> Instant {
        // Without any timer the loop still looks around now and then.
        let idle = Instant::now() + Duration::from_secs(1);
        self.timers.values().chain(self.muted.values()).min().map_or(idle, |due| (*due).min(idle))
    }

    fn fire_due(&mut self) -> Result<(), Fatal> {
        let moment = Instant::now();
        loop {
            let due = self.timers.iter().filter(|(_, due)| **due <= moment).min_by_key(|(_, due)| **due);
            let Some(timer) = due.map(|(timer, _)| *timer) else { break };
            self.timers.remove(&timer);
            self.feed(Event::TimerFired(timer))?;
        }
        let heard: Vec<_> = self.muted.iter().filter(|(_, until)| **until <= moment).map(|(peer, _)| *peer).collect();
        for peer in heard {
            self.muted.remove(&peer);
            if self.ports.network.connected().contains(&peer) {
                self.on_connected(peer)?;
            }
        }
        Ok(())
    }

    /// Feeds the driver and does what it asks, until it asks for nothing more.
    fn feed(&mut self, event: Event) -> Result<(), Fatal> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let started = std::time::Instant::now();
            let actions = self.driver.step(now(), event);
            self.ports.metrics.step_seconds.observe(started.elapsed().as_secs_f64());
            for action in actions {
                self.perform(action, &mut events)?;
            }
        }
        Ok(())
    }

    fn perform(&mut self, action: Action, events: &mut VecDeque<Event>) -> Result<(), Fatal> {
        match action {
            Action::Broadcast { bytes } => self.ports.network.broadcast(Channel::Consensus, bytes),
            Action::SendTo { peer, bytes } => {
                if let Some(id) = self.peers.get(&peer) {
                    self.ports.network.send(*id, Channel::Consensus, bytes);
                }
            }
            Action::SetTimer { timer, after_ms } => {
                self.timers.insert(timer, Instant::now() + Duration::from_millis(after_ms));
            }
            Action::CancelTimer { timer } => {
                self.timers.remove(&timer);
            }
            Action::Sign { request, preimage, .. } => {
                self.ports.metrics.signatures.inc();
                let signature = Signature::new(self.key.sign(&preimage).to_bytes());
                events.push_back(Event::SignatureReady { request, signature });
            }
            Action::Committed { height, block, transactions } => {
                self.ports.metrics.blocks.inc();
                self.ports.metrics.transactions.inc_by(u64::try_from(transactions).unwrap_or(u64::MAX));
                tracing::info!(%height, %block, transactions, "committed");
                self.publish();
            }
            Action::Accuse { evidence } => {
                let kept = self.ports.evidence.keep(&evidence);
                if kept.map_err(|_| Fatal::Storage { what: "keeping evidence" })? {
                    self.ports.metrics.evidence.inc();
                    let (validator, slot) = (address(evidence.key()), evidence.slot());
                    let id = evidence.id();
                    tracing::error!(%validator, %slot, %id, "a validator has signed two conflicting messages: evidence kept");
                }
            }
            Action::DropPeer { peer, reason } => {
                if let Some(id) = self.peers.remove(&peer) {
                    self.ports.metrics.peers_muted.inc();
                    tracing::warn!(peer = %id, ?reason, "muting a peer that sent what no correct node sends");
                    self.muted.insert(id, Instant::now() + MUTE);
                }
            }
            Action::SigningRefused { reason } => {
                tracing::error!(?reason, "this validator may not sign: it follows the ledger without a vote");
            }
            Action::Stop { fatal } => return Err(fatal),
        }
        Ok(())
    }

    fn on_network(&mut self, event: NetworkEvent) -> Result<(), Fatal> {
        match event {
            NetworkEvent::PeerConnected { peer } => self.on_connected(peer),
            NetworkEvent::PeerDisconnected { peer } => {
                // A mute outlives the connection: a peer must not get out of it by connecting again.
                tracing::info!(%peer, "disconnected");
                let Some(number) = self.numbers.get(&peer).copied() else { return Ok(()) };
                if self.peers.remove(&number).is_none() {
                    return Ok(());
                }
                self.feed(Event::PeerDisconnected { peer: number })
            }
            NetworkEvent::Message { peer, channel, bytes } => {
                if self.muted.contains_key(&peer) {
                    return Ok(());
                }
                if !self.numbers.get(&peer).is_some_and(|number| self.peers.contains_key(number)) {
                    // The event of its connection found the queue full.
                    self.on_connected(peer)?;
                }
                match channel {
                    Channel::Consensus => self.on_message(peer, bytes.into_vec().into()),
                    Channel::Gossip => self.on_gossip(peer, &bytes.into_vec()),
                }
            }
            // Blocks are fetched by messages of the consensus channel; nothing is asked in this way.
            NetworkEvent::Request { .. } => Ok(()),
        }
    }

    fn on_connected(&mut self, peer: PeerId) -> Result<(), Fatal> {
        if self.muted.contains_key(&peer) {
            return Ok(());
        }
        let number = if let Some(number) = self.numbers.get(&peer) {
            *number
        } else {
            let number = Peer::new(self.next_number);
            self.next_number += 1;
            self.numbers.insert(peer, number);
            number
        };
        self.peers.insert(number, peer);
        let validator = self.validators.get(&peer).copied();
        tracing::info!(%peer, validator = ?validator, "connected");
        for transaction in self.driver.application().pool().iter().take(RESEND_MAX) {
            self.ports.network.send(peer, Channel::Gossip, transaction.to_bytes().into());
        }
        self.feed(Event::PeerConnected { peer: number, validator })
    }

    fn on_message(&mut self, peer: PeerId, bytes: Arc<[u8]>) -> Result<(), Fatal> {
        let Some(from) = self.numbers.get(&peer).copied() else { return Ok(()) };
        self.feed(Event::MessageReceived { from, bytes })
    }

    fn on_gossip(&mut self, peer: PeerId, bytes: &[u8]) -> Result<(), Fatal> {
        let decoded =
            if bytes.len() > TRANSACTION_BYTES_MAX { None } else { SignedTransaction::from_bytes(bytes).ok() };
        let Some(transaction) = decoded else {
            tracing::warn!(%peer, "a peer gossips what is no transaction");
            return Ok(());
        };
        let (id, admission) = (transaction.id(), self.driver.application_mut().admit(transaction, now())?);
        match admission {
            PoolAdmission::Pooled => {
                self.ports.refusals.remove(&id);
                self.feed(Event::TransactionsAvailable)
            }
            PoolAdmission::Known | PoolAdmission::Full | PoolAdmission::Rejected(_) => Ok(()),
        }
    }

    fn on_submissions(&mut self, first: Submission) -> Result<(), Fatal> {
        let mut pooled = self.on_submission(first)?;
        for _ in 1..SUBMISSIONS_AT_ONCE {
            if !self.ports.events.is_empty() {
                break;
            }
            let Ok(submission) = self.ports.submitted.try_recv() else { break };
            pooled |= self.on_submission(submission)?;
        }
        if pooled { self.feed(Event::TransactionsAvailable) } else { Ok(()) }
    }

    /// Takes a transaction from the edge; says whether it is new in the pool.
    fn on_submission(&mut self, submission: Submission) -> Result<bool, Fatal> {
        let Submission { transaction, reply } = submission;
        let (id, bytes) = (transaction.id(), transaction.to_bytes());
        let (answer, pooled) = match self.driver.application_mut().admit(transaction, now())? {
            PoolAdmission::Pooled => {
                self.ports.refusals.remove(&id);
                self.ports.network.broadcast(Channel::Gossip, bytes.into());
                (Admission::Pooled, true)
            }
            PoolAdmission::Known => (Admission::Pooled, false),
            PoolAdmission::Full => (Admission::Full, false),
            PoolAdmission::Rejected(rejection) => (Admission::Rejected(rejection), false),
        };
        if reply.send(answer).is_err() {
            tracing::debug!(%id, "who submitted a transaction has gone away");
        }
        Ok(pooled)
    }

    /// Tells the rest of the node where this one is.
    fn publish(&mut self) {
        let refused = self.driver.application_mut().take_refused();
        for (id, rejection) in &refused {
            tracing::info!(%id, %rejection, "a pooled transaction was refused");
            self.ports.refusals.add(*id, *rejection);
        }
        let behind = self.driver.is_behind();
        let progress = Progress {
            height: self.driver.head().height,
            syncing: behind,
            mempool_transactions: u64::try_from(self.driver.application().pool().len()).unwrap_or(u64::MAX),
            refused: self.ports.progress.borrow().refused + u64::try_from(refused.len()).unwrap_or(0),
        };
        self.ports.progress.send_if_modified(|known| {
            let changed = *known != progress;
            *known = progress;
            changed
        });
        let fit = matches!(self.driver.guard_state(), None | Some(GuardState::Ready)) && !behind;
        self.ports.ready.send_if_modified(|known| std::mem::replace(known, fit) != fit);
    }
}
