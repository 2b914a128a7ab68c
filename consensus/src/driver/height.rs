//! The life of one height: start, replay, propose, judge, sign, decide, commit.

use std::{collections::VecDeque, sync::Arc};

use sigeli_verifier::{
    certificate::CommitCertificate,
    evidence::Evidence,
    ids::{BlockId, Round, Signature, ValidatorAddress},
};

use super::{Action, Driver, HeightState, PeerWake, PendingSignature, Phase, TimerId};
use crate::{
    block::SharedBlock,
    engine::{Engine, EngineConfig, Input, Output, Timeout, TimeoutKind, Verdict},
    ingress::Waiting,
    message::Message,
    params::{BLOCKS_PER_ROUND_MAX, HELD_BACK_MS, PROPOSALS_KEPT_MAX, ROUNDS_AHEAD_MAX, WAKE_MS, WITHHELD_MAX},
    ports::{Application, Fatal, ProposeContext, SignStateStore, Validity, Wal},
    signer::Permission,
    statement::{Equivocation, SignedProposal, SignedStatement, Statement},
    wal::WalLog,
};

impl<A: Application, W: Wal, S: SignStateStore> Driver<A, W, S> {
    /// Decides how to take part in the current height, after a commit and whenever that may have changed.
    pub(super) fn enter_height(&mut self) -> Result<(), Fatal> {
        if self.catching_up {
            return Ok(());
        }
        let may_vote = self.started && self.may_vote();
        match (&self.height.phase, may_vote) {
            (Phase::Following, true) => {
                self.height.phase = Phase::Idle;
                let height = self.next_height();
                self.set_timer(TimerId::Heartbeat { height }, self.config.params.heartbeat_ms);
                let has_work = self.application.has_transactions();
                if !self.height.replay.is_empty() || has_work {
                    self.wake(has_work)?;
                } else if self.waiting.has(height) {
                    self.wake_for_peer()?;
                }
            }
            (Phase::Idle | Phase::Running(_), false) => {
                self.height.phase = Phase::Following;
                self.pending = None;
                self.cancel_height_timers();
            }
            (Phase::Following, false) => {
                let timer = TimerId::HeldBack { height: self.next_height() };
                if self.started && self.may_vote_later() && !self.height.timers.contains(&timer) {
                    self.set_timer(timer, HELD_BACK_MS);
                }
                self.request_sync();
            }
            (Phase::Idle | Phase::Running(_), true) => {}
        }
        Ok(())
    }

    /// Starts the height because a validator works on it: at once if we have work too, else not too soon after the last
    /// commit, so that one faulty validator cannot make empty blocks at full speed. Whether it has started.
    pub(super) fn wake_for_peer(&mut self) -> Result<bool, Fatal> {
        if !matches!(self.height.phase, Phase::Idle) {
            return Ok(matches!(self.height.phase, Phase::Running(_)));
        }
        if self.height.peer_wake == PeerWake::Allowed || self.application.has_transactions() {
            self.wake(false)?;
            return Ok(true);
        }
        self.height.peer_wake = PeerWake::Waiting;
        Ok(false)
    }

    /// Starts the height if it has not started; `announce` tells the peers, who may have nothing to commit themselves.
    pub(super) fn wake(&mut self, announce: bool) -> Result<(), Fatal> {
        let Some(address) = self.own_address.filter(|_| matches!(self.height.phase, Phase::Idle)) else {
            return Ok(());
        };
        let height = self.next_height();
        self.cancel_timer(TimerId::Heartbeat { height });
        let config = EngineConfig {
            genesis: self.head.genesis,
            height,
            validators: self.head.validators.clone(),
            address,
            check: Arc::clone(&self.config.check),
        };
        let replay = std::mem::take(&mut self.height.replay);
        self.recall(&replay, address);
        self.height.replaying = true;
        let mut engine = Engine::new(config, replay);
        let outputs = engine.start()?;
        self.height.phase = Phase::Running(Box::new(engine));
        if announce {
            self.broadcast_status();
        }
        self.on_outputs(outputs)?;
        // A proposal may be in the log without the judgement of its block: withheld, or cut off by a crash.
        for proposal in self.height.proposals.clone() {
            self.judge(&proposal)?;
        }
        for waiting in self.waiting.take(height) {
            // What follows may commit the height; the rest is then of the past.
            if self.next_height() != height {
                break;
            }
            match waiting {
                Waiting::Vote(vote) => self.on_vote(vote)?,
                Waiting::Proposal(proposal) => self.on_proposal(proposal)?,
            }
        }
        Ok(())
    }

    /// Restores from the log what the driver itself keeps beside the engine.
    fn recall(&mut self, replay: &[Input], own: ValidatorAddress) {
        for input in replay {
            match input {
                Input::Proposal(proposal) => self.keep_proposal(proposal),
                Input::Verdict(verdict) => {
                    let block = &verdict.block;
                    self.height.blocks.insert(block.id(), block.clone());
                    self.height.judged.insert((verdict.round, block.id()));
                    let header = &block.block().header;
                    if verdict.proposer == own && header.creator == own && header.round == verdict.round {
                        self.height.built.insert(verdict.round, block.clone());
                    }
                }
                _ => {}
            }
        }
    }

    /// Feeds the engine, if it runs.
    pub(super) fn feed(&mut self, input: Input) -> Result<(), Fatal> {
        let Phase::Running(engine) = &mut self.height.phase else { return Ok(()) };
        let outputs = engine.on_input(input)?;
        self.on_outputs(outputs)?;
        self.release_withheld()
    }

    fn on_outputs(&mut self, outputs: Vec<Output>) -> Result<(), Fatal> {
        let height = self.next_height();
        let mut queue = VecDeque::from(outputs);
        while let Some(output) = queue.pop_front() {
            match output {
                Output::Log(input) => self.height.log.append(&mut self.wal, &input)?,
                Output::Sign(statement) => queue.extend(self.on_sign(statement)?),
                Output::PublishVote(vote) => self.publish(vote.vote.kind.code(), Message::Vote(vote)),
                Output::PublishProposal(proposal) => {
                    self.keep_proposal(&proposal);
                    self.publish(0, Message::Proposal(proposal));
                }
                Output::PublishPolka(polka) => self.publish(3, Message::Polka(polka)),
                Output::PublishRoundCertificate(certificate) => {
                    self.publish(4, Message::RoundCertificate(certificate));
                }
                Output::SetTimer(timeout) => {
                    let after_ms = self.config.params.duration_ms(timeout);
                    self.set_timer(TimerId::Consensus { height, timeout }, after_ms);
                }
                Output::CancelTimer(timeout) => self.cancel_timer(TimerId::Consensus { height, timeout }),
                Output::CancelAllTimers => self.cancel_consensus_timers(),
                Output::RoundStarted { round, .. } => {
                    self.height.round = round;
                    self.height.own.clear();
                }
                Output::GetValue { round } => {
                    self.height.value_wanted = Some(round);
                    if !self.height.replaying {
                        queue.extend(self.provide_value()?);
                    }
                }
                Output::Replayed => {
                    self.height.replaying = false;
                    queue.extend(self.provide_value()?);
                }
                Output::Decided { block, certificate, equivocations } => {
                    self.accuse(&equivocations);
                    return self.on_decided(block, certificate);
                }
            }
        }
        Ok(())
    }

    fn publish(&mut self, slot: u8, message: Message) {
        self.broadcast(&message);
        self.height.own.insert(slot, message);
    }

    /// Answers the engine's wish for a block, once the replay is over. The same slot always gets the same block.
    fn provide_value(&mut self) -> Result<Vec<Output>, Fatal> {
        let Phase::Running(engine) = &mut self.height.phase else { return Ok(Vec::new()) };
        let Some(round) = self.height.value_wanted.take().filter(|round| engine.awaits_value(*round)) else {
            return Ok(Vec::new());
        };
        let block = match (self.height.built.get(&round), self.own_address) {
            (Some(block), _) => block.clone(),
            (None, Some(creator)) => {
                let context = ProposeContext { height: self.head.height.next(), round, now: self.now, creator };
                SharedBlock::new(self.application.propose(&context)?)
            }
            (None, None) => return Ok(Vec::new()),
        };
        self.height.built.insert(round, block.clone());
        self.height.blocks.insert(block.id(), block.clone());
        self.height.judged.insert((round, block.id()));
        Ok(engine.on_input(Input::Propose { round, block })?)
    }

    /// Syncs the WAL, then gets a signature: from the sign-state if it is there, else from the signer.
    fn on_sign(&mut self, statement: Statement) -> Result<Vec<Output>, Fatal> {
        self.wal.sync()?;
        let wal = self.height.log.position();
        let Some(signer) = &self.signer else {
            return Err(Fatal::SignStateDamaged { what: "missing" });
        };
        match signer.check(&statement)? {
            Permission::Signed(signature) => {
                let Phase::Running(engine) = &mut self.height.phase else { return Ok(Vec::new()) };
                Ok(engine.on_signature(signature)?)
            }
            Permission::New => {
                let request = self.next_request;
                self.next_request = self.next_request.saturating_add(1);
                let preimage = statement.preimage(&self.head.genesis);
                self.pending = Some(PendingSignature { request, statement, wal });
                self.actions.push(Action::Sign { request, statement, preimage });
                Ok(Vec::new())
            }
        }
    }

    /// Releases a signature after the sign-state is durable. An answer to a request of an abandoned height is forgotten.
    pub(super) fn on_signature(&mut self, request: u64, signature: Signature) -> Result<(), Fatal> {
        let Some(pending) = self.pending.take_if(|pending| pending.request == request) else { return Ok(()) };
        let (Some(key), Some(signer)) = (&self.config.key, &mut self.signer) else { return Ok(()) };
        let preimage = pending.statement.preimage(&self.head.genesis);
        if !self.config.check.check(key, &preimage, &signature) {
            return Err(Fatal::WrongSignature { slot: pending.statement.slot() });
        }
        let signed = SignedStatement { statement: pending.statement, signature };
        signer.record(signed, pending.wal)?;
        self.remember(signed);
        self.keep_signed(signed.statement);
        let Phase::Running(engine) = &mut self.height.phase else { return Ok(()) };
        let outputs = engine.on_signature(signature)?;
        self.on_outputs(outputs)?;
        self.release_withheld()
    }

    pub(super) fn on_consensus_timer(&mut self, timeout: Timeout) -> Result<(), Fatal> {
        if timeout.kind == TimeoutKind::Rebroadcast && timeout.round == self.height.round {
            let has = self.height.proposals.iter().any(|proposal| proposal.round == timeout.round);
            if has {
                // The core sends votes again, but not a proposal.
                if let Some(message) = self.height.own.get(&0).cloned() {
                    self.broadcast(&message);
                }
            } else {
                self.broadcast(&Message::ProposalRequest { height: self.next_height(), round: timeout.round });
            }
            self.broadcast_status();
        }
        self.feed(Input::Timeout(timeout))
    }

    pub(super) fn keep_proposal(&mut self, proposal: &SignedProposal) {
        self.height.blocks.insert(proposal.block.id(), proposal.block.clone());
        if !self.height.proposals.contains(proposal) {
            if self.height.proposals.len() >= PROPOSALS_KEPT_MAX {
                self.height.proposals.remove(0);
            }
            self.height.proposals.push(proposal.clone());
        }
    }

    /// Feeds a checked proposal, and the judgement of its block: at once, or after our prevote if its time is wrong.
    pub(super) fn admit_proposal(&mut self, proposal: &SignedProposal) -> Result<(), Fatal> {
        // A faulty proposer must not fill memory, nor make us execute block after block.
        if proposal.round.get() > self.height.round.get().saturating_add(ROUNDS_AHEAD_MAX) {
            return Ok(());
        }
        let seen = self.height.seen.entry(proposal.round).or_default();
        if seen.len() >= BLOCKS_PER_ROUND_MAX && !seen.contains(&proposal.block.id()) {
            return Ok(());
        }
        seen.insert(proposal.block.id());
        self.keep_proposal(proposal);
        self.feed(Input::Proposal(proposal.clone()))?;
        self.judge(proposal)
    }

    /// Feeds the judgement of a proposal's block, once per round and block.
    fn judge(&mut self, proposal: &SignedProposal) -> Result<(), Fatal> {
        let is_known = self.height.judged.contains(&(proposal.round, proposal.block.id()));
        if is_known || proposal.height != self.next_height() {
            return Ok(());
        }
        let live = proposal.valid_round.is_none().then_some(self.now);
        match self.application.validate(proposal.block.block(), live)? {
            Validity::Untimely => {
                if self.height.withheld.len() < WITHHELD_MAX && !self.height.withheld.contains(proposal) {
                    self.height.withheld.push(proposal.clone());
                }
                self.release_withheld()
            }
            verdict => self.feed_verdict(proposal, verdict == Validity::Valid),
        }
    }

    fn feed_verdict(&mut self, proposal: &SignedProposal, valid: bool) -> Result<(), Fatal> {
        let SignedProposal { round, valid_round, proposer, block, .. } = proposal.clone();
        self.height.judged.insert((round, block.id()));
        self.feed(Input::Verdict(Verdict { round, valid_round, proposer, block, valid }))
    }

    /// An untimely block is judged once our prevote of its round can no longer depend on it: others may have found it
    /// timely, and then we must be able to follow them.
    fn release_withheld(&mut self) -> Result<(), Fatal> {
        loop {
            let Phase::Running(engine) = &self.height.phase else { return Ok(()) };
            let is_free = |proposal: &SignedProposal| engine.is_past_prevote(proposal.round);
            let Some(position) = self.height.withheld.iter().position(is_free) else { return Ok(()) };
            let proposal = self.height.withheld.remove(position);
            let valid = self.application.validate(proposal.block.block(), None)? == Validity::Valid;
            self.feed_verdict(&proposal, valid)?;
        }
    }

    fn on_decided(&mut self, block: BlockId, certificate: CommitCertificate) -> Result<(), Fatal> {
        let height = self.next_height();
        let block = self.height.blocks.get(&block).ok_or(Fatal::DecidedBlockMissing { height, block })?.clone();
        self.commit(block, certificate)
    }

    /// Commits a decided or synced block durably and goes on to the next height.
    pub(super) fn commit(&mut self, block: SharedBlock, certificate: CommitCertificate) -> Result<(), Fatal> {
        let height = self.next_height();
        self.cancel_height_timers();
        let guard_before = self.guard_state();
        for signed in self.certified(height, block.id(), &certificate) {
            self.remember(signed);
            if self.own_address == Some(signed.statement.validator()) {
                self.check_own(&signed)?;
            }
        }
        let outcome = self.application.commit(block.to_arc(), certificate)?;
        self.wal.truncate_below(height.next())?;
        self.pending = None;
        self.head.height = height;
        self.head.id = block.id();
        self.head.time = block.block().header.time;
        self.head.validators = outcome.validators;
        if let Some(guard) = &mut self.guard {
            guard.update(height, &self.head.validators);
        }
        self.tell_refusal(guard_before);
        self.signed.retain(|slot, _| slot.height >= height);
        let owner = self.own_address.unwrap_or_else(|| ValidatorAddress::new([0; 20]));
        let (log, _) = WalLog::open(&self.head.genesis, &owner, height.next(), &[], None)?;
        self.height = HeightState::new(log, Vec::new());
        self.height.peer_wake = PeerWake::Early;
        self.set_timer(TimerId::Wake { height: height.next() }, WAKE_MS);
        self.waiting.forget_below(height.next());
        let transactions = block.block().transactions.len();
        self.actions.push(Action::Committed { height, block: block.id(), transactions });
        if !self.catching_up {
            self.broadcast_status();
        }
        self.enter_height()
    }

    /// Hands on what proves that a validator broke its word at this height.
    fn accuse(&mut self, equivocations: &[Equivocation]) {
        for Equivocation { first, second } in equivocations {
            let member = self.head.validators.by_address(&first.statement.validator());
            let evidence = member.map(|member| Evidence::new(self.head.genesis, member.key, *first, *second));
            // The core compares what it was given, and signatures are checked before.
            let evidence = evidence.and_then(Result::ok).expect("what the core calls an equivocation is one");
            self.actions.push(Action::Accuse { evidence: Box::new(evidence) });
        }
    }

    fn cancel_consensus_timers(&mut self) {
        let timers = self.height.timers.iter().filter(|timer| matches!(timer, TimerId::Consensus { .. }));
        for timer in timers.copied().collect::<Vec<_>>() {
            self.cancel_timer(timer);
        }
    }

    fn cancel_height_timers(&mut self) {
        for timer in std::mem::take(&mut self.height.timers) {
            self.actions.push(Action::CancelTimer { timer });
        }
    }

    /// The round of the current height, for status displays.
    pub fn round(&self) -> Round {
        self.height.round
    }
}
