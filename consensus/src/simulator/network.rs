//! The event loop of a simulated network.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fmt,
    sync::Arc,
};

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_verifier::{
    crypto::PublicKey,
    decode::Decode as _,
    encode::Encode as _,
    ids::{AuthorityId, BlockId, Height, Signature, TimeMs, ValidatorAddress, VotingPower},
    validators::{Validator, ValidatorSet},
};

use super::{
    ApplicationFactory, Crash, CrashPoint, FaultCounts, FaultPlan, MemorySignState, MemoryWal, Random,
    RememberingCheck, SimulatedGenesis, Violation, Wipe, checker::Checker,
};
use crate::{
    block::SharedBlock,
    driver::{Action, Driver, DriverConfig, Event, TimerId},
    engine::SignatureCheck,
    message::{Message, SYNC_RESPONSE_TAG},
    params::ConsensusParams,
    ports::{Application, Fatal},
    signer::{RefusalReason, SignState},
    statement::{SignedVote, Statement},
    sync::Peer,
};

/// What to simulate.
#[derive(Debug, Clone)]
pub struct SimulationConfig {
    /// Everything random comes from it.
    pub seed: u64,
    /// How many validators.
    pub nodes: usize,
    /// How many nodes without a vote, numbered after the validators.
    pub observers: usize,
    /// The height that every living node must reach.
    pub target: u64,
    /// Consensus timing.
    pub params: ConsensusParams,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// When all faults are over, in virtual milliseconds.
    pub healed_ms: u64,
    /// How long after that the target must be reached.
    pub patience_ms: u64,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The lowest height of the living nodes.
    pub height: u64,
    /// Virtual milliseconds.
    pub now_ms: u64,
    /// What went wrong.
    pub faults: FaultCounts,
    /// Certificates verified.
    pub certificates: u64,
    /// Signed statements seen on the wire.
    pub statements: u64,
    /// Proofs of misbehaviour held by the nodes, in all.
    pub equivocations: usize,
    /// Peers dropped for what they sent.
    pub dropped_peers: u64,
    /// Validators that refused to sign, and why.
    pub refused: Vec<(usize, RefusalReason)>,
    /// Equivocators that stopped themselves when they heard of their second messages.
    pub stopped: Vec<usize>,
    /// Blocks that were built after round 0.
    pub later_rounds: u64,
    /// The virtual times at which node 0 committed.
    pub commit_times_ms: Vec<u64>,
    /// Hash of everything that happened.
    pub trace: [u8; 32],
}

enum Happening {
    Deliver { from: usize, bytes: Arc<[u8]> },
    Timer { timer: TimerId, generation: u64 },
    Signature { request: u64, signature: Signature },
    Connected { peer: usize },
    Disconnected { peer: usize },
    Crash(Crash),
    Copy,
    Restart,
}

/// A copy of a node's home.
struct Home<A> {
    application: A,
    wal: MemoryWal,
    record: Option<Vec<u8>>,
}

struct Scheduled {
    node: usize,
    /// Only for this life of the node; `None` for any.
    incarnation: Option<u64>,
    happening: Happening,
}

struct Node<A> {
    driver: Option<Driver<A, MemoryWal, MemorySignState>>,
    stopped_application: Option<A>,
    wal: MemoryWal,
    sign_state: MemorySignState,
    key: Option<SigningKey>,
    public: Option<PublicKey>,
    address: Option<ValidatorAddress>,
    incarnation: u64,
    timers: BTreeMap<TimerId, u64>,
    armed: Option<Crash>,
    copy: Option<Home<A>>,
    skew_ms: u64,
    checked: Height,
}

/// A network in virtual time.
pub struct Simulation<F: ApplicationFactory> {
    config: SimulationConfig,
    factory: F,
    check: Arc<dyn SignatureCheck>,
    genesis: SimulatedGenesis,
    random: Random,
    nodes: Vec<Node<F::Application>>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    scheduled: BTreeMap<u64, Scheduled>,
    sequence: u64,
    now_ms: u64,
    sets: BTreeMap<Height, ValidatorSet>,
    checker: Checker,
    report: Report,
    trace: blake3::Hasher,
}

impl<F: ApplicationFactory> fmt::Debug for Simulation<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Simulation")
            .field("config", &self.config)
            .field("now_ms", &self.now_ms)
            .finish_non_exhaustive()
    }
}

/// The wall clock at virtual time 0.
const START_MS: u64 = 1_800_000_000_000;
/// The most that a simulated clock differs from another.
const SKEW_MS_MAX: u64 = 800;

impl<F: ApplicationFactory> Simulation<F> {
    /// The secret key of a simulated node.
    #[must_use]
    pub fn key(node: usize) -> SigningKey {
        let number = u64::try_from(node).unwrap_or(u64::MAX);
        SigningKey::from_bytes(&blake3::derive_key("sigeli simulator key", &number.to_le_bytes()))
    }

    /// The validators with these numbers, of weight 1, each of its own authority.
    #[must_use]
    pub fn validators(nodes: impl IntoIterator<Item = usize>) -> ValidatorSet {
        let validators = nodes
            .into_iter()
            .map(|node| Validator {
                key: public(&Self::key(node)),
                authority: AuthorityId::new(u8::try_from(node).unwrap_or(u8::MAX)),
                power: VotingPower::new(1),
            })
            .collect();
        ValidatorSet::new(validators).expect("distinct keys of weight 1 are a set")
    }

    /// Sets a network up at genesis.
    pub fn new(config: SimulationConfig, mut factory: F) -> Self {
        let (validators, time) = (Self::validators(0..config.nodes), TimeMs::new(START_MS));
        let genesis = SimulatedGenesis { genesis: factory.found(&validators, time), time, validators };
        let mut random = Random::new(config.seed);
        let total = config.nodes.saturating_add(config.observers);
        let nodes: Vec<_> = (0..total)
            .map(|number| {
                let key = (number < config.nodes).then(|| Self::key(number));
                let public = key.as_ref().map(public);
                let address = public.as_ref().map(sigeli_verifier::validators::address);
                let record = address.map(|address| SignState::new(genesis.genesis, address).to_record());
                Node {
                    driver: None,
                    stopped_application: Some(factory.create(number, &genesis)),
                    wal: MemoryWal::default(),
                    sign_state: record.map_or_else(MemorySignState::default, MemorySignState::with),
                    key,
                    public,
                    address,
                    incarnation: 0,
                    timers: BTreeMap::new(),
                    armed: None,
                    copy: None,
                    skew_ms: random.below(SKEW_MS_MAX),
                    checked: Height::new(0),
                }
            })
            .collect();
        let faulty = if config.faults.equivocators_watched { &[][..] } else { &config.faults.equivocators };
        let exempt = faulty.iter().filter_map(|node| nodes.get(*node)?.address).collect();
        let checker = Checker::new(genesis.genesis, exempt);
        let sets = BTreeMap::from([(Height::new(1), genesis.validators.clone())]);
        let mut simulation = Self {
            config,
            factory,
            check: Arc::new(RememberingCheck::default()),
            genesis,
            random,
            nodes,
            queue: BinaryHeap::new(),
            scheduled: BTreeMap::new(),
            sequence: 0,
            now_ms: 0,
            sets,
            checker,
            report: Report {
                height: 0,
                now_ms: 0,
                faults: FaultCounts::default(),
                certificates: 0,
                statements: 0,
                equivocations: 0,
                dropped_peers: 0,
                refused: Vec::new(),
                stopped: Vec::new(),
                later_rounds: 0,
                commit_times_ms: Vec::new(),
                trace: [0; 32],
            },
            trace: blake3::Hasher::new(),
        };
        for node in 0..total {
            if !simulation.config.faults.dead.contains(&node) {
                let at_ms = simulation.random.below(20);
                simulation.schedule(at_ms, node, None, Happening::Restart);
            }
        }
        for copy in simulation.config.faults.copies.clone() {
            simulation.schedule(copy.at_ms, copy.node, None, Happening::Copy);
        }
        for crash in simulation.config.faults.crashes.clone() {
            simulation.schedule(crash.at_ms, crash.node, None, Happening::Crash(crash));
        }
        simulation
    }

    /// Shares the memory of signature checks with other simulations of the same keys.
    #[must_use]
    pub fn with_check(mut self, check: Arc<dyn SignatureCheck>) -> Self {
        self.check = check;
        self
    }

    /// Runs until the faults are over and every living node has reached the target.
    ///
    /// # Errors
    /// [`Violation`], the first.
    pub fn run(mut self) -> Result<Report, Violation> {
        let limit_ms = self.config.healed_ms.saturating_add(self.config.patience_ms);
        while let Some(Reverse((at_ms, sequence))) = self.queue.pop() {
            if at_ms > limit_ms {
                break;
            }
            self.now_ms = at_ms;
            let Some(scheduled) = self.scheduled.remove(&sequence) else { continue };
            self.on_scheduled(scheduled)?;
            if self.now_ms >= self.config.healed_ms && self.is_done() {
                return Ok(self.finish());
            }
        }
        let heights = self.nodes.iter().map(|node| node.driver.as_ref().map(|driver| driver.head().height.get()));
        Err(Violation::Stalled { now_ms: self.now_ms, heights: heights.collect() })
    }

    fn is_done(&self) -> bool {
        let dead = &self.config.faults.dead;
        let is_gone = |number: &usize| dead.contains(number) || self.report.stopped.contains(number);
        self.nodes.iter().enumerate().filter(|(number, _)| !is_gone(number)).all(|(_, node)| {
            node.driver.as_ref().is_some_and(|driver| driver.head().height.get() >= self.config.target)
        })
    }

    fn finish(mut self) -> Report {
        let drivers = || self.nodes.iter().filter_map(|node| node.driver.as_ref());
        self.report.height = drivers().map(|driver| driver.head().height.get()).min().unwrap_or(0);
        self.report.equivocations = drivers().map(|driver| driver.equivocations().count()).sum();
        self.report.now_ms = self.now_ms;
        self.report.certificates = self.checker.certificates;
        self.report.statements = self.checker.statements;
        self.report.trace = *self.trace.finalize().as_bytes();
        self.report
    }

    fn schedule(&mut self, after_ms: u64, node: usize, incarnation: Option<u64>, happening: Happening) {
        self.sequence = self.sequence.saturating_add(1);
        self.queue.push(Reverse((self.now_ms.saturating_add(after_ms), self.sequence)));
        self.scheduled.insert(self.sequence, Scheduled { node, incarnation, happening });
    }

    fn on_scheduled(&mut self, scheduled: Scheduled) -> Result<(), Violation> {
        let number = scheduled.node;
        let node = &mut self.nodes[number];
        if scheduled.incarnation.is_some_and(|incarnation| incarnation != node.incarnation) {
            return Ok(());
        }
        let event = match scheduled.happening {
            Happening::Restart => return self.restart(number),
            Happening::Copy => {
                self.copy_home(number);
                return Ok(());
            }
            Happening::Crash(crash) => {
                self.arm(number, crash);
                return Ok(());
            }
            Happening::Deliver { from, bytes } => {
                self.record(number, 1, &bytes);
                Event::MessageReceived { from: peer(from), bytes }
            }
            Happening::Timer { timer, generation } => {
                if node.timers.get(&timer) != Some(&generation) {
                    return Ok(());
                }
                node.timers.remove(&timer);
                self.record(number, 2, format!("{timer:?}").as_bytes());
                Event::TimerFired(timer)
            }
            Happening::Signature { request, signature } => {
                self.record(number, 3, signature.as_bytes());
                Event::SignatureReady { request, signature }
            }
            Happening::Connected { peer: other } => {
                let validator = self.nodes[other].address;
                Event::PeerConnected { peer: peer(other), validator }
            }
            Happening::Disconnected { peer: other } => Event::PeerDisconnected { peer: peer(other) },
        };
        self.step(number, event)
    }

    fn record(&mut self, node: usize, tag: u8, bytes: &[u8]) {
        let node = u64::try_from(node).unwrap_or(u64::MAX);
        self.trace.update(&self.now_ms.to_le_bytes()).update(&node.to_le_bytes()).update(&[tag]).update(bytes);
    }

    fn step(&mut self, number: usize, event: Event) -> Result<(), Violation> {
        let node = &mut self.nodes[number];
        let now = TimeMs::new(START_MS.saturating_add(self.now_ms).saturating_add(node.skew_ms));
        let Some(driver) = &mut node.driver else { return Ok(()) };
        let is_start = matches!(event, Event::Started);
        let before = driver.head().height;
        let actions = driver.step(now, event);
        let may_submit = is_start || driver.head().height > before;
        self.check_commits(number)?;
        if let Some(Action::Stop { fatal }) = actions.last() {
            let is_planned = self.nodes[number].armed.is_some() && matches!(fatal, Fatal::Storage { .. });
            if !is_planned {
                let is_found_out = self.config.faults.equivocators.contains(&number)
                    && !self.config.faults.equivocators_watched
                    && matches!(fatal, Fatal::DoubleSign { .. });
                if is_found_out {
                    // It has heard of a message that it did not sign itself: its key is in two hands, and it says no more.
                    self.nodes[number].driver = None;
                    self.report.stopped.push(number);
                    return Ok(());
                }
                return Err(Violation::Stopped { node: number, fatal: fatal.clone() });
            }
            self.crash(number);
            return Ok(());
        }
        let survives = match self.nodes[number].armed.map(|crash| crash.point) {
            Some(CrashPoint::AfterActions(count)) if !actions.is_empty() => Some(count),
            _ => None,
        };
        for action in actions.into_iter().take(survives.unwrap_or(usize::MAX)) {
            self.perform(number, action)?;
        }
        if survives.is_some() {
            self.crash(number);
        }
        let Some(driver) = self.nodes[number].driver.as_mut().filter(|_| may_submit) else { return Ok(()) };
        if self.factory.submit(number, driver.application_mut(), now) {
            self.step(number, Event::TransactionsAvailable)?;
        }
        Ok(())
    }

    fn check_commits(&mut self, number: usize) -> Result<(), Violation> {
        let node = &mut self.nodes[number];
        let Some(driver) = &node.driver else { return Ok(()) };
        let head = driver.head();
        while node.checked < head.height {
            let height = node.checked.next();
            let stopped = |fatal| Violation::Stopped { node: number, fatal };
            let committed = driver.application().block_at(height).map_err(stopped)?;
            let committed = committed.ok_or(Violation::Chain { node: number, height })?;
            let set = self.sets.get(&height).ok_or(Violation::Chain { node: number, height })?;
            self.checker.on_commit(number, &committed, set)?;
            if number == 0 {
                self.report.commit_times_ms.push(self.now_ms);
                self.report.later_rounds =
                    self.report.later_rounds.saturating_add(u64::from(committed.block.header.round.get() > 0));
            }
            node.checked = height;
        }
        self.sets.entry(head.height.next()).or_insert_with(|| head.validators.set().clone());
        Ok(())
    }

    fn perform(&mut self, number: usize, action: Action) -> Result<(), Violation> {
        let incarnation = Some(self.nodes[number].incarnation);
        match action {
            Action::Broadcast { bytes } => {
                self.tap(&bytes)?;
                self.equivocate(number, &bytes)?;
                for to in 0..self.nodes.len() {
                    if to != number {
                        self.transmit(number, to, &bytes);
                    }
                }
            }
            Action::SendTo { peer, bytes } => {
                self.tap(&bytes)?;
                let to = usize::try_from(peer.get()).unwrap_or(usize::MAX);
                let bytes = if self.config.faults.reports_emptied { empty_report(bytes) } else { bytes };
                self.transmit(number, to, &bytes);
            }
            Action::SetTimer { timer, after_ms } => {
                let generation = self.sequence;
                self.nodes[number].timers.insert(timer, generation);
                self.schedule(after_ms, number, incarnation, Happening::Timer { timer, generation });
            }
            Action::CancelTimer { timer } => {
                self.nodes[number].timers.remove(&timer);
            }
            Action::Sign { request, preimage, .. } => {
                if let Some(key) = &self.nodes[number].key {
                    let signature = Signature::new(key.sign(&preimage).to_bytes());
                    self.schedule(1, number, incarnation, Happening::Signature { request, signature });
                }
            }
            Action::Committed { block, .. } => self.record(number, 4, block.as_bytes()),
            Action::DropPeer { peer, .. } => {
                self.report.dropped_peers = self.report.dropped_peers.saturating_add(1);
                let other = usize::try_from(peer.get()).unwrap_or(usize::MAX);
                self.schedule(1_000, number, incarnation, Happening::Connected { peer: other });
            }
            Action::SigningRefused { reason } => self.report.refused.push((number, reason)),
            Action::Stop { fatal } => return Err(Violation::Stopped { node: number, fatal }),
        }
        Ok(())
    }

    fn tap(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        Message::from_bytes(bytes).map_or(Ok(()), |message| self.checker.on_sent(&message))
    }

    /// A faulty validator contradicts each of its votes and proposals towards every second peer.
    fn equivocate(&mut self, number: usize, bytes: &[u8]) -> Result<(), Violation> {
        if !self.config.faults.equivocators.contains(&number) {
            return Ok(());
        }
        let (Ok(message), Some(key)) = (Message::from_bytes(bytes), &self.nodes[number].key) else { return Ok(()) };
        let genesis = self.genesis.genesis;
        let sign = |statement: Statement| Signature::new(key.sign(&statement.preimage(&genesis)).to_bytes());
        let forged = match message {
            Message::Vote(SignedVote { mut vote, .. }) if Some(vote.validator) == self.nodes[number].address => {
                vote.block = if vote.block.is_some() { None } else { Some(BlockId::new([9; 32])) };
                Message::Vote(SignedVote { vote, signature: sign(Statement::Vote(vote)) })
            }
            Message::Proposal(mut proposal) if Some(proposal.proposer) == self.nodes[number].address => {
                // Another block, and an invalid one: its state root is that of another time.
                let mut block = proposal.block.block().clone();
                block.header.time = TimeMs::new(block.header.time.get().saturating_add(1));
                proposal.block = SharedBlock::new(block);
                proposal.signature = sign(Statement::Proposal(proposal.proposal()));
                Message::Proposal(proposal)
            }
            _ => return Ok(()),
        };
        let forged: Arc<[u8]> = forged.to_bytes().into();
        self.tap(&forged)?;
        self.report.faults.equivocations = self.report.faults.equivocations.saturating_add(1);
        for to in (0..self.nodes.len()).filter(|to| *to != number && to % 2 == 0) {
            self.transmit(number, to, &forged);
        }
        Ok(())
    }

    fn transmit(&mut self, from: usize, to: usize, bytes: &Arc<[u8]>) {
        let now = self.now_ms;
        let (faults, counts) = (&self.config.faults, &mut self.report.faults);
        let side = |mask: u64, node: usize| mask.checked_shr(u32::try_from(node).unwrap_or(64)).unwrap_or(0) & 1;
        if faults.partitions.iter().any(|cut| cut.holds(now) && side(cut.severity, from) != side(cut.severity, to)) {
            counts.cut = counts.cut.saturating_add(1);
            return;
        }
        // The second byte of a message is its tag.
        let is_sync = bytes.get(1) == Some(&SYNC_RESPONSE_TAG);
        if is_sync && faults.syncs_lost.iter().any(|window| window.holds(now)) {
            counts.lost = counts.lost.saturating_add(1);
            return;
        }
        let loss = faults.losses.iter().filter(|window| window.holds(now)).map(|window| window.severity).max();
        if loss.is_some_and(|percent| self.random.chance_percent(percent)) {
            counts.lost = counts.lost.saturating_add(1);
            return;
        }
        let mut after_ms = self.random.between(8, 30);
        let delay = faults.delays.iter().filter(|window| window.holds(now)).map(|window| window.severity).max();
        if let Some(most) = delay.filter(|_| self.random.chance_percent(30)) {
            after_ms = after_ms.saturating_add(self.random.below(most));
            counts.delayed = counts.delayed.saturating_add(1);
        }
        let incarnation = self.nodes.get(to).map(|node| node.incarnation);
        self.schedule(after_ms, to, incarnation, Happening::Deliver { from, bytes: Arc::clone(bytes) });
    }

    fn arm(&mut self, number: usize, crash: Crash) {
        let node = &mut self.nodes[number];
        if node.driver.is_none() || node.armed.is_some() {
            return;
        }
        node.armed = Some(crash);
        match crash.point {
            CrashPoint::Between => self.crash(number),
            CrashPoint::WalOperation(count) => node.wal.fail_after(count),
            CrashPoint::SignStateWrite(count) => node.sign_state.fail_after(count),
            CrashPoint::AfterActions(_) => {}
        }
    }

    fn copy_home(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let Some(driver) = &node.driver else { return };
        let Some(application) = self.factory.copy(driver.application()) else { return };
        node.copy = Some(Home { application, wal: node.wal.copy(), record: node.sign_state.record() });
    }

    /// Puts the copy of a node's home in the place of what it wrote since.
    fn restore_home(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let (Some(Home { application, wal, record }), Some(lost)) = (node.copy.take(), &node.stopped_application)
        else {
            return;
        };
        if lost.head().height.get() < application.head().height.get().saturating_add(2) {
            return;
        }
        node.checked = application.head().height;
        node.stopped_application = Some(application);
        node.wal = wal;
        node.sign_state.overwrite(record);
        self.report.faults.restores = self.report.faults.restores.saturating_add(1);
    }

    fn crash(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let (Some(driver), Some(crash)) = (node.driver.take(), node.armed.take()) else { return };
        let (application, _) = driver.into_parts();
        node.stopped_application = Some(application);
        node.incarnation = node.incarnation.saturating_add(1);
        node.timers.clear();
        let kept = self.random.position(4);
        let torn = self.random.chance_percent(50).then(|| self.random.position(300));
        node.wal.crash(kept, torn);
        node.sign_state.crash();
        if matches!(crash.wipe, Wipe::Wal | Wipe::Everything) {
            node.wal.wipe();
        }
        match (crash.wipe, node.address) {
            (Wipe::SignState, _) => node.sign_state.overwrite(None),
            (Wipe::Everything, Some(address)) => {
                let empty = SignState::new(self.genesis.genesis, address).to_record();
                node.sign_state.overwrite(Some(empty));
            }
            (Wipe::SinceCopy, _) => self.restore_home(number),
            _ => {}
        }
        self.report.faults.crashes = self.report.faults.crashes.saturating_add(1);
        self.record(number, 5, &[]);
        self.schedule(crash.down_ms, number, None, Happening::Restart);
        for other in (0..self.nodes.len()).filter(|other| *other != number) {
            let incarnation = Some(self.nodes[other].incarnation);
            self.schedule(5, other, incarnation, Happening::Disconnected { peer: number });
        }
    }

    fn restart(&mut self, number: usize) -> Result<(), Violation> {
        let node = &mut self.nodes[number];
        let Some(application) = node.stopped_application.take() else { return Ok(()) };
        let application = if node.incarnation == 0 { application } else { self.factory.reopen(number, application) };
        let config = DriverConfig { params: self.config.params, key: node.public, check: Arc::clone(&self.check) };
        let opened = Driver::open(config, application, node.wal.clone(), node.sign_state.clone());
        node.driver = Some(opened.map_err(|fatal| Violation::Stopped { node: number, fatal })?);
        let incarnation = Some(node.incarnation);
        self.record(number, 6, &[]);
        self.step(number, Event::Started)?;
        for other in (0..self.nodes.len()).filter(|other| *other != number) {
            if self.nodes[other].driver.is_some() {
                let back = Some(self.nodes[other].incarnation);
                self.schedule(7, other, back, Happening::Connected { peer: number });
                self.schedule(7, number, incarnation, Happening::Connected { peer: other });
            }
        }
        Ok(())
    }
}

fn peer(node: usize) -> Peer {
    Peer::new(u64::try_from(node).unwrap_or(u64::MAX))
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_ed25519(key.verifying_key().as_bytes()).expect("a generated key is a point of large order")
}

/// The message, or, if it is a report, one that knows nothing.
fn empty_report(bytes: Arc<[u8]>) -> Arc<[u8]> {
    match Message::from_bytes(&bytes) {
        Ok(Message::Report { validator, .. }) => {
            Message::Report { validator, committed: Height::new(0), highest: None }.to_bytes().into()
        }
        _ => bytes,
    }
}
