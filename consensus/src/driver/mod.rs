//! One node's consensus as a step function: an event goes in, actions come out.
//!
//! The driver owns one [`Engine`] per height, the checks before it, the write-ahead log, the sign-state, sync, and the
//! rules for when a height starts. It reads no clock, opens nothing and starts no thread: the clock comes with each event,
//! storage stands behind ports that are called synchronously, everything else is an [`Action`].
//!
//! Invariants:
//! - Before a signature is asked for, the WAL is synced; before it is released, the sign-state is durable. Nothing else is
//!   synced before it is sent: what we send binds us only by our signature, and our last signed message stands in the
//!   sign-state until the next signature's sync has made its WAL row durable. A replay that misses the row derives the
//!   message again from the rows before it, and gets the stored signature.
//! - One height is committed durably before anything of the next is done.
//! - After a [`Fatal`] the driver does nothing any more.
//! - A node without a vote (an observer, or a validator that may not sign) never starts an engine: it follows by sync.

mod height;
mod network;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use sigeli_verifier::{
    crypto::PublicKey,
    encode::Encode as _,
    evidence::Evidence,
    ids::{BlockId, Height, Round, Signature, TimeMs, ValidatorAddress},
    validators::address,
    vote::{Vote, VoteKind},
};

use crate::{
    block::SharedBlock,
    engine::{Engine, Input, SignatureCheck, Timeout},
    ingress::{Ingress, Refusal, WaitingQueue},
    message::Message,
    params::{ConsensusParams, OWN_STATEMENTS_MAX, REMEMBERED_BLOCKS_MAX, STATUS_MS},
    ports::{Application, Fatal, Head, SignStateStore, Wal},
    signer::{GuardState, RefusalReason, SignGuard, SignState, Signer},
    statement::{SignedProposal, SignedStatement, SignedVote, Slot, Statement},
    sync::{Peer, Syncer},
    wal::{WalLog, WalPosition},
};

/// What a driver is made of.
#[derive(Debug, Clone)]
pub struct DriverConfig {
    /// Timing, from genesis.
    pub params: ConsensusParams,
    /// The key that signs votes; `None` for an observer.
    pub key: Option<PublicKey>,
    /// The signature check: [`crate::engine::StrictCheck`] in a node.
    pub check: Arc<dyn SignatureCheck>,
}

/// The name of a timer. Setting one that runs replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerId {
    /// A consensus timer.
    Consensus {
        /// Its height.
        height: Height,
        /// Which.
        timeout: Timeout,
    },
    /// The next block is due, even an empty one.
    Heartbeat {
        /// The height it starts.
        height: Height,
    },
    /// From now on a peer's message may start the height.
    Wake {
        /// The height.
        height: Height,
    },
    /// A peer has committed this height and we have not.
    SyncGrace {
        /// The height.
        height: Height,
    },
    /// Nothing was committed while this validator, which was behind, held its vote back.
    HeldBack {
        /// The height.
        height: Height,
    },
    /// A sync request should have been answered.
    SyncResponse {
        /// The request.
        number: u64,
    },
    /// Tell the peers where we are.
    Status,
}

/// What happens to a node.
#[derive(Debug, Clone)]
pub enum Event {
    /// The node starts. First of all, once.
    Started,
    /// A message arrived, unchecked.
    MessageReceived {
        /// From whom.
        from: Peer,
        /// The bytes.
        bytes: Arc<[u8]>,
    },
    /// A timer fired that was set and not cancelled since.
    TimerFired(TimerId),
    /// The signer answers [`Action::Sign`].
    SignatureReady {
        /// The request.
        request: u64,
        /// The signature.
        signature: Signature,
    },
    /// An authenticated peer connected.
    PeerConnected {
        /// The peer.
        peer: Peer,
        /// The validator that it is, by the committed registry.
        validator: Option<ValidatorAddress>,
    },
    /// A peer is gone.
    PeerDisconnected {
        /// The peer.
        peer: Peer,
    },
    /// The mempool got something.
    TransactionsAvailable,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send to all connected peers.
    Broadcast {
        /// An encoded [`Message`].
        bytes: Arc<[u8]>,
    },
    /// Send to one peer.
    SendTo {
        /// The peer.
        peer: Peer,
        /// An encoded [`Message`].
        bytes: Arc<[u8]>,
    },
    /// Start a timer.
    SetTimer {
        /// Its name.
        timer: TimerId,
        /// How long it runs.
        after_ms: u64,
    },
    /// Stop a timer, if it runs.
    CancelTimer {
        /// Its name.
        timer: TimerId,
    },
    /// Sign these bytes with the validator key and answer with [`Event::SignatureReady`]. The WAL is synced.
    ///
    /// Asked once: a signer that fails for a while is asked again by whoever performs the action. Until the answer comes,
    /// this validator casts no vote at this height; blocks may still come by sync, and a late answer is then ignored.
    Sign {
        /// The request to name in the answer.
        request: u64,
        /// What is signed.
        statement: Statement,
        /// Its bytes.
        preimage: Vec<u8>,
    },
    /// A block was committed durably.
    Committed {
        /// Its height.
        height: Height,
        /// Its id.
        block: BlockId,
        /// Its transactions, for the mempool.
        transactions: usize,
    },
    /// A validator has signed two conflicting messages. Durable before the operator hears of it; consensus goes on either way.
    Accuse {
        /// The proof.
        evidence: Box<Evidence>,
    },
    /// Close the connection: the peer sent something that no correct node sends.
    DropPeer {
        /// The peer.
        peer: Peer,
        /// What.
        reason: PeerFault,
    },
    /// This validator may not sign; it follows without a vote.
    SigningRefused {
        /// Why.
        reason: RefusalReason,
    },
    /// Stop. The driver does nothing any more.
    Stop {
        /// Why.
        fatal: Fatal,
    },
}

/// Why a peer is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerFault {
    /// Its bytes are no message, or one that is too large.
    Malformed,
    /// Its message failed a check that a correct relay makes too.
    Refused(Refusal),
    /// Its synced block is not certified, or does not follow ours.
    SyncedBlock,
}

/// Where the current height stands.
enum Phase {
    /// No vote: blocks come by sync.
    Following,
    /// Nothing to do yet.
    Idle,
    /// At work.
    Running(Box<Engine>),
}

/// What a peer was given since the last status.
#[derive(Debug, Clone, Copy, Default)]
struct Served {
    sync_requests: u32,
    sync_bytes: usize,
    proposal_requests: u32,
}

/// Whether a peer's message may start the height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PeerWake {
    /// It may.
    Allowed,
    /// Not yet; none has come.
    Early,
    /// Not yet; one has come, and starts the height when it may.
    Waiting,
}

struct PendingSignature {
    request: u64,
    statement: Statement,
    wal: Option<WalPosition>,
}

/// The working state of one height; thrown away after it.
struct HeightState {
    phase: Phase,
    log: WalLog,
    replay: Vec<Input>,
    replaying: bool,
    value_wanted: Option<Round>,
    built: BTreeMap<Round, SharedBlock>,
    blocks: BTreeMap<BlockId, SharedBlock>,
    proposals: Vec<SignedProposal>,
    seen: BTreeMap<Round, BTreeSet<BlockId>>,
    judged: BTreeSet<(Round, BlockId)>,
    withheld: Vec<SignedProposal>,
    own: BTreeMap<u8, Message>,
    round: Round,
    peer_wake: PeerWake,
    timers: BTreeSet<TimerId>,
    old_answered: BTreeSet<Peer>,
}

/// One node's consensus.
pub struct Driver<A, W, S> {
    config: DriverConfig,
    own_address: Option<ValidatorAddress>,
    application: A,
    wal: W,
    signer: Option<Signer<S>>,
    guard: Option<SignGuard>,
    /// The lowest height at which we may vote: above all that was signed, unless the WAL of that height is here.
    voting_from: Height,
    ingress: Ingress,
    head: Head,
    height: HeightState,
    waiting: WaitingQueue,
    peers: BTreeMap<Peer, Option<ValidatorAddress>>,
    syncer: Syncer,
    /// What each peer was given since the last status.
    served: BTreeMap<Peer, Served>,
    highest: BTreeMap<ValidatorAddress, SignedStatement>,
    /// What our key signed here, at the height being decided and the one before: at most [`OWN_STATEMENTS_MAX`].
    signed: BTreeMap<Slot, Statement>,
    pending: Option<PendingSignature>,
    next_request: u64,
    now: TimeMs,
    actions: Vec<Action>,
    started: bool,
    /// Whether synced blocks are being committed: no height starts meanwhile.
    catching_up: bool,
    stopped: bool,
}

impl<A, W, S> fmt::Debug for Driver<A, W, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Driver")
            .field("head", &self.head.height)
            .field("own_address", &self.own_address)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}

impl<A: Application, W: Wal, S: SignStateStore> Driver<A, W, S> {
    /// Opens a node at its head: loads the sign-state and checks the WAL of the next height against it.
    ///
    /// # Errors
    /// [`Fatal`]: damage. The node must not start.
    pub fn open(config: DriverConfig, application: A, mut wal: W, sign_state: S) -> Result<Self, Fatal> {
        let head = application.head();
        let own_address = config.key.as_ref().map(address);
        let next = head.height.next();
        let (mut signer, mut guard) = (None, None);
        if let Some(own) = own_address {
            signer = Signer::load(sign_state, &head.genesis, &own)?;
            guard = Some(SignGuard::new(own, signer.as_ref().map(Signer::state), head.height));
        }
        let named = signer.as_ref().and_then(|signer: &Signer<S>| signer.state().wal);
        let rows = wal.read_all(next)?;
        let owner = own_address.unwrap_or_else(|| ValidatorAddress::new([0; 20]));
        let (log, replay) = WalLog::open(&head.genesis, &owner, next, &rows, named.as_ref())?;
        // Ahead of the head lies what the sign-state of a restored database has signed already: no vote until past it.
        let signed = signer.as_ref().and_then(|signer| signer.state().slot()).map(|slot| slot.height);
        let voting_from = signed.filter(|height| *height > next).map_or_else(Height::default, Height::next);
        let ingress = Ingress::new(head.genesis, Arc::clone(&config.check));
        let mut driver = Self {
            config,
            own_address,
            application,
            wal,
            signer,
            guard,
            voting_from,
            ingress,
            height: HeightState::new(log, replay),
            head,
            waiting: WaitingQueue::default(),
            peers: BTreeMap::new(),
            syncer: Syncer::default(),
            served: BTreeMap::new(),
            highest: BTreeMap::new(),
            signed: BTreeMap::new(),
            pending: None,
            next_request: 0,
            now: TimeMs::new(0),
            actions: Vec::new(),
            started: false,
            catching_up: false,
            stopped: false,
        };
        driver.remember_signed()?;
        Ok(driver)
    }

    /// Takes one event. `now` is the wall clock, used only for block times and the clock bound.
    ///
    /// The actions stand in the order in which they must be done; the driver waits for none of them.
    pub fn step(&mut self, now: TimeMs, event: Event) -> Vec<Action> {
        if self.stopped {
            return Vec::new();
        }
        self.now = now;
        if let Err(fatal) = self.on_event(event) {
            self.stopped = true;
            self.height.phase = Phase::Following;
            self.actions.push(Action::Stop { fatal });
        }
        std::mem::take(&mut self.actions)
    }

    /// The tip.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Whether validators of more than f weight claim to have committed more than the height that is being decided: this
    /// node is catching up. One liar cannot say so.
    pub fn is_behind(&self) -> bool {
        self.backed_claim() > self.head.height.next()
    }

    fn backed_claim(&self) -> Height {
        self.syncer.backed_claim(self.head.validators.set().faulty_power_max())
    }

    /// Whether this node may sign, or why not; `None` for an observer.
    pub fn guard_state(&self) -> Option<GuardState> {
        self.guard.as_ref().map(SignGuard::state)
    }

    /// The sign-state; `None` for an observer, and when it is missing.
    pub fn sign_state(&self) -> Option<&SignState> {
        self.signer.as_ref().map(Signer::state)
    }

    /// The application.
    pub const fn application(&self) -> &A {
        &self.application
    }

    /// The application, to admit transactions. Committing past the driver is not allowed.
    pub const fn application_mut(&mut self) -> &mut A {
        &mut self.application
    }

    /// Gives the storage back, for a restart in the simulator.
    pub fn into_parts(self) -> (A, W) {
        (self.application, self.wal)
    }

    fn on_event(&mut self, event: Event) -> Result<(), Fatal> {
        match event {
            Event::Started => self.on_started(),
            Event::MessageReceived { from, bytes } => self.on_bytes(from, &bytes),
            Event::TimerFired(timer) => self.on_timer(timer),
            Event::SignatureReady { request, signature } => self.on_signature(request, signature),
            Event::PeerConnected { peer, validator } => {
                self.on_peer_connected(peer, validator);
                Ok(())
            }
            Event::PeerDisconnected { peer } => {
                self.peers.remove(&peer);
                self.syncer.on_disconnected(peer);
                self.request_sync();
                Ok(())
            }
            Event::TransactionsAvailable => self.wake(true),
        }
    }

    fn on_started(&mut self) -> Result<(), Fatal> {
        self.started = true;
        self.set_timer(TimerId::Status, STATUS_MS);
        if let Some(GuardState::Refused(reason)) = self.guard_state() {
            self.actions.push(Action::SigningRefused { reason });
        }
        if let Some(guard) = &mut self.guard {
            guard.update(self.head.height, &self.head.validators);
        }
        self.request_reports();
        self.enter_height()
    }

    fn on_timer(&mut self, timer: TimerId) -> Result<(), Fatal> {
        self.height.timers.remove(&timer);
        match timer {
            TimerId::Consensus { height, timeout } if height == self.next_height() => self.on_consensus_timer(timeout),
            TimerId::Heartbeat { height } if height == self.next_height() => self.wake(true),
            TimerId::Wake { height } if height == self.next_height() => {
                let waiting = self.height.peer_wake == PeerWake::Waiting;
                self.height.peer_wake = PeerWake::Allowed;
                if waiting { self.wake(false) } else { Ok(()) }
            }
            TimerId::SyncGrace { height } if height == self.next_height() => {
                self.request_sync();
                Ok(())
            }
            TimerId::HeldBack { height } if height == self.next_height() => {
                if let Some(guard) = &mut self.guard {
                    guard.release();
                }
                self.enter_height()
            }
            TimerId::SyncResponse { number } => {
                if self.syncer.on_timeout(number) {
                    self.request_sync();
                }
                Ok(())
            }
            TimerId::Status => {
                self.set_timer(TimerId::Status, STATUS_MS);
                self.served.clear();
                self.broadcast_status();
                self.request_reports();
                self.request_sync();
                Ok(())
            }
            TimerId::Consensus { .. }
            | TimerId::Heartbeat { .. }
            | TimerId::SyncGrace { .. }
            | TimerId::Wake { .. }
            | TimerId::HeldBack { .. } => Ok(()),
        }
    }

    /// The height being decided.
    const fn next_height(&self) -> Height {
        self.head.height.next()
    }

    /// Whether we take part in the current height.
    fn may_vote(&self) -> bool {
        self.may_vote_later() && !self.is_held_back()
    }

    /// Whether only the height keeps us from taking part.
    fn may_vote_later(&self) -> bool {
        let ready = self.guard.as_ref().is_some_and(|guard| guard.state() == GuardState::Ready);
        let member = self.own_address.is_some_and(|own| self.head.validators.by_address(&own).is_some());
        ready && member && self.next_height() >= self.voting_from
    }

    /// Whether this height passes without our vote because this node was behind when it started.
    fn is_held_back(&self) -> bool {
        self.guard.as_ref().is_some_and(|guard| self.next_height() < guard.voting_from())
    }

    /// Remembers a verified statement, if it is its validator's highest, for validators that ask after a restart.
    fn remember(&mut self, signed: SignedStatement) {
        let known = self.highest.entry(signed.statement.validator()).or_insert(signed);
        if signed.statement.slot() > known.statement.slot() {
            *known = signed;
        }
    }

    /// Fills the memory of signed messages from the last certificates and the WAL: a restart must not forget what others
    /// ask for. Our own among them tell whether the sign-state is the newest.
    fn remember_signed(&mut self) -> Result<(), Fatal> {
        let (set, count) = (self.head.validators.set().hash(), self.head.validators.members().len());
        let mut height = self.head.height;
        for _ in 0..REMEMBERED_BLOCKS_MAX {
            let Some(committed) = self.application.block_at(height)? else { break };
            // Positions in a certificate mean the members of its own height's set.
            if committed.block.header.validators != set || self.highest.len() >= count {
                break;
            }
            for signed in self.certified(height, committed.block.header.id(), &committed.certificate) {
                self.remember(signed);
            }
            let Some(previous) = height.previous() else { break };
            height = previous;
        }
        let mut signed = Vec::new();
        for input in &self.height.replay {
            match input {
                Input::Vote(vote) => signed.push(vote.to_statement()),
                Input::Proposal(proposal) => signed.push(proposal.to_statement()),
                _ => {}
            }
        }
        for statement in signed {
            self.remember(statement);
            if self.own_address == Some(statement.statement.validator()) {
                self.keep_signed(statement.statement);
            }
        }
        let known = self.sign_state().and_then(|state| state.highest);
        if let Some(known) = known {
            self.keep_signed(known.statement);
        }
        match self.own_address.and_then(|own| self.highest.get(&own).copied()) {
            Some(own) => self.check_own(&own),
            None => Ok(()),
        }
    }

    /// The precommits in a certificate of a height that the current set decided.
    fn certified(
        &self,
        height: Height,
        block: BlockId,
        certificate: &sigeli_verifier::certificate::CommitCertificate,
    ) -> Vec<SignedStatement> {
        let members = self.head.validators.members();
        let signed = certificate.signatures().iter().filter_map(|entry| {
            let vote = Vote {
                kind: VoteKind::Precommit,
                height,
                round: certificate.round(),
                block: Some(block),
                validator: members.get(usize::from(entry.validator))?.address,
            };
            Some(SignedVote { vote, signature: entry.signature }.to_statement())
        });
        signed.collect()
    }

    /// Remembers what our key signed here.
    fn keep_signed(&mut self, statement: Statement) {
        self.signed.insert(statement.slot(), statement);
        while self.signed.len() > OWN_STATEMENTS_MAX {
            self.signed.pop_first();
        }
    }

    /// Holds a verified message of our key against what we know to have signed: another one in the same slot is fatal, one
    /// above the sign-state takes our vote.
    fn check_own(&mut self, signed: &SignedStatement) -> Result<(), Fatal> {
        let slot = signed.statement.slot();
        if self.signed.get(&slot).is_some_and(|known| *known != signed.statement) {
            return Err(Fatal::DoubleSign { slot });
        }
        let known = self.sign_state().and_then(SignState::slot);
        if let Some(guard) = &mut self.guard {
            guard.on_own_message(slot, known);
        }
        Ok(())
    }

    fn set_timer(&mut self, timer: TimerId, after_ms: u64) {
        if !matches!(timer, TimerId::SyncResponse { .. } | TimerId::Status) {
            self.height.timers.insert(timer);
        }
        self.actions.push(Action::SetTimer { timer, after_ms });
    }

    fn cancel_timer(&mut self, timer: TimerId) {
        if self.height.timers.remove(&timer) {
            self.actions.push(Action::CancelTimer { timer });
        }
    }

    fn broadcast(&mut self, message: &Message) {
        self.actions.push(Action::Broadcast { bytes: message.to_bytes().into() });
    }

    fn send(&mut self, peer: Peer, message: &Message) {
        self.actions.push(Action::SendTo { peer, bytes: message.to_bytes().into() });
    }
}

impl HeightState {
    fn new(log: WalLog, replay: Vec<Input>) -> Self {
        Self {
            phase: Phase::Following,
            log,
            replay,
            replaying: false,
            value_wanted: None,
            built: BTreeMap::new(),
            blocks: BTreeMap::new(),
            proposals: Vec::new(),
            seen: BTreeMap::new(),
            judged: BTreeSet::new(),
            withheld: Vec::new(),
            own: BTreeMap::new(),
            round: Round::new(0),
            peer_wake: PeerWake::Allowed,
            timers: BTreeSet::new(),
            old_answered: BTreeSet::new(),
        }
    }
}
