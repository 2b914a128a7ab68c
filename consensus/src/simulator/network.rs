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
    ids::{AuthorityId, Height, Signature, TimeMs, ValidatorAddress, VotingPower},
    validators::{Validator, ValidatorSet, address},
};

use super::{
    ApplicationFactory, Crash, CrashPoint, FaultCounts, FaultPlan, MemorySignState, MemoryWal, Random,
    RememberingCheck, SimulatedGenesis, Violation, Wipe, checker::Checker, damage::Home, transit::empty_report,
};
use crate::{
    driver::{Action, Driver, DriverConfig, Event, TimerId},
    engine::SignatureCheck,
    params::ConsensusParams,
    ports::{Application, Fatal},
    signer::{GuardState, RefusalReason, SignState},
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
    /// Correct peers dropped by correct nodes.
    pub dropped_correct: u64,
    /// Transactions committed.
    pub transactions: u64,
    /// Validators that refused to sign, and why.
    pub refused: Vec<(usize, RefusalReason)>,
    /// Nodes that stopped themselves, rightly: liars when they heard of their second messages, and nodes whose log or
    /// sign-state was damaged.
    pub stopped: Vec<usize>,
    /// Keys that still vote on two machines.
    pub doubled_keys: usize,
    /// Blocks that were built after round 0.
    pub later_rounds: u64,
    /// The virtual times at which node 0 committed.
    pub commit_times_ms: Vec<u64>,
    /// Hash of everything that happened.
    pub trace: [u8; 32],
}

pub(super) enum Happening {
    Deliver { from: usize, bytes: Arc<[u8]> },
    Timer { timer: TimerId, generation: u64 },
    Signature { request: u64, signature: Signature },
    Connected { peer: usize },
    Disconnected { peer: usize },
    Crash(Crash),
    Copy,
    Restart,
}

pub(super) struct Scheduled {
    node: usize,
    /// Only for this life of the node; `None` for any.
    incarnation: Option<u64>,
    happening: Happening,
}

pub(super) struct Node<A> {
    pub(super) driver: Option<Driver<A, MemoryWal, MemorySignState>>,
    pub(super) stopped_application: Option<A>,
    pub(super) wal: MemoryWal,
    pub(super) sign_state: MemorySignState,
    pub(super) key: Option<SigningKey>,
    pub(super) public: Option<PublicKey>,
    pub(super) address: Option<ValidatorAddress>,
    pub(super) incarnation: u64,
    pub(super) timers: BTreeMap<TimerId, u64>,
    pub(super) armed: Option<Crash>,
    pub(super) copy: Option<Home<A>>,
    pub(super) skew_ms: u64,
    pub(super) checked: Height,
    /// Whether the next start must fail: its log or sign-state was damaged.
    pub(super) must_notice: bool,
}

/// A network in virtual time.
pub struct Simulation<F: ApplicationFactory> {
    pub(super) config: SimulationConfig,
    pub(super) factory: F,
    pub(super) check: Arc<dyn SignatureCheck>,
    pub(super) genesis: SimulatedGenesis,
    pub(super) random: Random,
    pub(super) nodes: Vec<Node<F::Application>>,
    pub(super) queue: BinaryHeap<Reverse<(u64, u64)>>,
    pub(super) scheduled: BTreeMap<u64, Scheduled>,
    pub(super) sequence: u64,
    pub(super) now_ms: u64,
    pub(super) sets: BTreeMap<Height, ValidatorSet>,
    pub(super) checker: Checker,
    pub(super) report: Report,
    pub(super) trace: blake3::Hasher,
    /// Messages sent before, for those who send them again.
    pub(super) heard: Vec<Arc<[u8]>>,
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
/// How far a live block's time may be from a correct clock: the protocol's rule, written down for the checker.
const CLOCK_BOUND_MS: u64 = 2_000;

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
        let twins = &config.faults.twins;
        let single = config.nodes.saturating_add(config.observers);
        let total = single.saturating_add(twins.len());
        let nodes: Vec<_> = (0..total)
            .map(|number| {
                let twin = number.checked_sub(single).and_then(|number| twins.get(number));
                let key = (number < config.nodes).then_some(&number).or(twin).map(|number| Self::key(*number));
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
                    must_notice: false,
                }
            })
            .collect();
        let is_exempt = |node: &usize| config.faults.is_faulty(*node) && !config.faults.equivocators_watched;
        let exempt = (0..config.nodes).filter(is_exempt).filter_map(|node| nodes[node].address).collect();
        let ahead_ms_max = SKEW_MS_MAX.saturating_add(CLOCK_BOUND_MS);
        let checker = Checker::new(genesis.genesis, genesis.time, ahead_ms_max, exempt);
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
                dropped_correct: 0,
                transactions: 0,
                refused: Vec::new(),
                stopped: Vec::new(),
                doubled_keys: 0,
                later_rounds: 0,
                commit_times_ms: Vec::new(),
                trace: [0; 32],
            },
            trace: blake3::Hasher::new(),
            heard: Vec::new(),
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
                self.audit()?;
                return Ok(self.finish());
            }
        }
        let heights = self.nodes.iter().map(|node| node.driver.as_ref().map(|driver| driver.head().height.get()));
        Err(Violation::Stalled { now_ms: self.now_ms, heights: heights.collect() })
    }

    /// Whether a node's key is in a liar's hands: the node itself may come to harm.
    pub(super) fn is_liar(&self, number: usize) -> bool {
        let of = |faulty: &usize| self.nodes[*faulty].address;
        let address = self.nodes[number].address;
        let is_twin = address.is_some() && self.config.faults.twins.iter().any(|twin| of(twin) == address);
        is_twin || self.config.faults.is_faulty(number)
    }

    fn is_done(&self) -> bool {
        let dead = &self.config.faults.dead;
        let is_gone = |number: &usize| dead.contains(number) || self.report.stopped.contains(number);
        let is_liar = |number: &usize| self.is_liar(*number);
        let waited_for = self.nodes.iter().enumerate().filter(|(number, _)| !is_gone(number) && !is_liar(number));
        waited_for.into_iter().all(|(_, node)| {
            node.driver.as_ref().is_some_and(|driver| driver.head().height.get() >= self.config.target)
        })
    }

    fn doubled_keys(&self) -> usize {
        let votes = |node: &&Node<F::Application>| {
            node.driver.as_ref().is_some_and(|driver| driver.guard_state() == Some(GuardState::Ready))
        };
        let voting = |twin: &&usize| {
            let address = self.nodes[**twin].address;
            self.nodes.iter().filter(|node| node.address == address).filter(votes).count() > 1
        };
        self.config.faults.twins.iter().filter(voting).count()
    }

    fn finish(mut self) -> Report {
        let drivers = || self.nodes.iter().filter_map(|node| node.driver.as_ref());
        self.report.height = drivers().map(|driver| driver.head().height.get()).min().unwrap_or(0);
        self.report.doubled_keys = self.doubled_keys();
        self.report.now_ms = self.now_ms;
        self.report.certificates = self.checker.certificates;
        self.report.statements = self.checker.statements;
        self.report.trace = *self.trace.finalize().as_bytes();
        self.report
    }

    pub(super) fn schedule(&mut self, after_ms: u64, node: usize, incarnation: Option<u64>, happening: Happening) {
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
        let mut now_ms = START_MS.saturating_add(self.now_ms).saturating_add(node.skew_ms);
        for fault in self.config.faults.clocks.iter().filter(|fault| fault.node == number) {
            if (fault.from_ms..fault.to_ms).contains(&self.now_ms) {
                now_ms = now_ms.saturating_add_signed(fault.offset_ms);
                self.report.faults.clock = self.report.faults.clock.saturating_add(1);
            }
        }
        let now = TimeMs::new(now_ms);
        let Some(driver) = &mut node.driver else { return Ok(()) };
        let is_start = matches!(event, Event::Started);
        let before = driver.head().height;
        let actions = driver.step(now, event);
        let may_submit = is_start || driver.head().height > before;
        self.check_commits(number)?;
        if let Some(Action::Stop { fatal }) = actions.last() {
            let is_planned = self.nodes[number].armed.is_some() && matches!(fatal, Fatal::Storage { .. });
            if !is_planned {
                let is_found_out = self.is_liar(number)
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
            self.checker.on_commit(number, &committed, set, self.now_ms)?;
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
            Action::Broadcast { bytes } => self.broadcast(number, &bytes)?,
            Action::SendTo { peer, bytes } => {
                self.tap(&bytes)?;
                if !self.is_liar(number) {
                    self.check_released(number, &bytes)?;
                }
                let to = usize::try_from(peer.get()).unwrap_or(usize::MAX);
                let bytes = if self.config.faults.reports_emptied { empty_report(bytes) } else { bytes };
                let bytes = self.answer(number, bytes);
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
            Action::Accuse { evidence } => {
                let accused = self.nodes.iter().position(|node| node.address == Some(address(evidence.key())));
                if !accused.is_some_and(|accused| self.is_liar(accused)) {
                    return Err(Violation::FalselyAccused { node: number, evidence: evidence.id() });
                }
                self.report.equivocations = self.report.equivocations.saturating_add(1);
            }
            Action::DropPeer { peer, .. } => {
                self.report.dropped_peers = self.report.dropped_peers.saturating_add(1);
                let other = usize::try_from(peer.get()).unwrap_or(usize::MAX);
                if !self.is_liar(number) && !self.is_liar(other) {
                    self.report.dropped_correct = self.report.dropped_correct.saturating_add(1);
                }
                self.schedule(1_000, number, incarnation, Happening::Connected { peer: other });
            }
            Action::SigningRefused { reason } => self.report.refused.push((number, reason)),
            Action::Stop { fatal } => return Err(Violation::Stopped { node: number, fatal }),
        }
        Ok(())
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

    fn crash(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let (Some(driver), Some(crash)) = (node.driver.take(), node.armed.take()) else { return };
        let (application, _) = driver.into_parts();
        node.stopped_application = Some(application);
        node.incarnation = node.incarnation.saturating_add(1);
        node.timers.clear();
        let kept = self.random.position(4);
        let torn = self.random.chance_percent(50).then(|| self.random.position(300));
        // A bit turned over in a torn row, which is dropped anyhow, would prove nothing.
        let (kept, torn) = if crash.wipe == Wipe::WalBit { (0, None) } else { (kept, torn) };
        node.wal.crash(kept, torn);
        node.sign_state.crash();
        self.take_away(number, &crash);
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
        let incarnation = Some(node.incarnation);
        if self.is_rightly_down(number, opened.as_ref().err())? {
            return Ok(());
        }
        self.nodes[number].driver = opened.ok();
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
