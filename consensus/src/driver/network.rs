//! Messages, peers and sync.

use std::sync::Arc;

use sigeli_verifier::{
    decode::Decode as _,
    encode::Encode as _,
    ids::{Height, Round, ValidatorAddress},
};

use super::{Action, Driver, PeerFault, Phase, TimerId};
use crate::{
    block::SharedBlock,
    engine::Input,
    ingress::{Refusal, Waiting},
    message::{Message, sync_response_from},
    params::{
        MESSAGE_BYTES_MAX, PROPOSAL_REQUESTS_PER_PEER_MAX, SYNC_BYTES_PER_PEER_MAX, SYNC_BYTES_SOFT_MAX, SYNC_GRACE_MS,
        SYNC_REQUESTS_PER_PEER_MAX, SYNC_RESPONSE_MS,
    },
    ports::{Application, CommittedBlock, Fatal, SignStateStore, Validity, Wal},
    signer::{GuardState, Report, SignGuard, SignState},
    statement::{SignedProposal, SignedStatement, SignedVote, votes_of_polka, votes_of_round_certificate},
    sync::Peer,
};

/// Where a message's height lies.
enum Placement {
    Past,
    Current,
    Next,
    Future,
}

impl<A: Application, W: Wal, S: SignStateStore> Driver<A, W, S> {
    pub(super) fn on_bytes(&mut self, from: Peer, bytes: &[u8]) -> Result<(), Fatal> {
        if !self.peers.contains_key(&from) {
            return Ok(());
        }
        // Blocks that were not asked for are not even decoded.
        if sync_response_from(bytes).is_some_and(|first| !self.syncer.expects(from, first)) {
            return Ok(());
        }
        let message = if bytes.len() > MESSAGE_BYTES_MAX { None } else { Message::from_bytes(bytes).ok() };
        let Some(message) = message else {
            self.drop_peer(from, PeerFault::Malformed);
            return Ok(());
        };
        match message {
            Message::Vote(vote) => self.on_vote_received(from, vote),
            Message::Proposal(proposal) => self.on_proposal_received(from, proposal),
            Message::Polka(polka) => match self.place(from, polka.height) {
                Placement::Current => match self.ingress.check_polka(&polka, &self.head.validators) {
                    Ok(()) => {
                        self.note_own_among(votes_of_polka(&polka))?;
                        self.wake_for_validator(from)?;
                        self.feed(Input::Polka(polka))
                    }
                    Err(refusal) => self.refuse(from, refusal),
                },
                Placement::Past | Placement::Next | Placement::Future => Ok(()),
            },
            Message::RoundCertificate(certificate) => match self.place(from, certificate.height) {
                Placement::Current => match self.ingress.check_round_certificate(&certificate, &self.head.validators) {
                    Ok(()) => {
                        self.note_own_among(votes_of_round_certificate(&certificate))?;
                        self.wake_for_validator(from)?;
                        self.feed(Input::RoundCertificate(certificate))
                    }
                    Err(refusal) => self.refuse(from, refusal),
                },
                Placement::Past | Placement::Next | Placement::Future => Ok(()),
            },
            Message::ProposalRequest { height, round } => {
                self.on_proposal_request(from, height, round);
                Ok(())
            }
            Message::ReportRequest { validator } => {
                let (committed, highest) = (self.head.height, self.highest.get(&validator).copied());
                self.send(from, &Message::Report { validator, committed, highest });
                Ok(())
            }
            Message::Report { validator, committed, highest } => self.on_report(from, validator, committed, highest),
            Message::Status { committed, started } => self.on_status(from, committed, started),
            Message::SyncRequest { from: first, count } => self.on_sync_request(from, first, count),
            Message::SyncResponse { from: first, blocks } => self.on_sync_response(from, first, blocks, bytes.len()),
        }
    }

    /// Places a message, and takes its height as a claim: who works on a height has committed the one before.
    fn place(&mut self, from: Peer, height: Height) -> Placement {
        let current = self.next_height();
        if height < current {
            // The sender lags. Once per height and peer is enough.
            if self.height.old_answered.insert(from) {
                self.send(from, &self.status());
            }
            return Placement::Past;
        }
        if height == current {
            return Placement::Current;
        }
        if let Some(previous) = height.previous() {
            self.claim(from, previous);
            self.note_lag();
        }
        if height == current.next() { Placement::Next } else { Placement::Future }
    }

    fn on_vote_received(&mut self, from: Peer, vote: SignedVote) -> Result<(), Fatal> {
        match self.place(from, vote.vote.height) {
            Placement::Past | Placement::Future => Ok(()),
            Placement::Current => match self.ingress.check_vote(&vote, &self.head.validators) {
                Ok(()) => {
                    self.note_signed(vote.to_statement())?;
                    // It waits until this height has started, or until it is known to be over.
                    if !self.wake_for_peer()? {
                        self.waiting.push(Waiting::Vote(vote));
                        return Ok(());
                    }
                    if vote.vote.height == self.next_height() { self.feed(Input::Vote(vote)) } else { Ok(()) }
                }
                Err(refusal) => self.refuse(from, refusal),
            },
            // The next set may be another: what does not fit today's is dropped without blame, the rest is checked again.
            Placement::Next => {
                if self.ingress.check_vote(&vote, &self.head.validators).is_ok() {
                    self.note_signed(vote.to_statement())?;
                    self.waiting.push(Waiting::Vote(vote));
                }
                Ok(())
            }
        }
    }

    fn on_proposal_received(&mut self, from: Peer, proposal: SignedProposal) -> Result<(), Fatal> {
        match self.place(from, proposal.height) {
            Placement::Past | Placement::Future => Ok(()),
            Placement::Current => match self.ingress.check_proposal(&proposal, &self.head.validators) {
                Ok(()) => {
                    self.note_signed(proposal.to_statement())?;
                    // It waits until this height has started, or until it is known to be over.
                    if !self.wake_for_peer()? {
                        self.waiting.push(Waiting::Proposal(proposal));
                        return Ok(());
                    }
                    if proposal.height == self.next_height() { self.admit_proposal(&proposal) } else { Ok(()) }
                }
                Err(refusal) => self.refuse(from, refusal),
            },
            // Order and set of the next height are not known yet: only the signature is checked.
            Placement::Next => {
                let statement = proposal.to_statement();
                if self.ingress.check_statement(&statement, &self.head.validators).is_ok() {
                    self.note_signed(statement)?;
                    self.waiting.push(Waiting::Proposal(proposal));
                }
                Ok(())
            }
        }
    }

    /// A vote that waited for this height, checked again against its set.
    pub(super) fn on_vote(&mut self, vote: SignedVote) -> Result<(), Fatal> {
        if self.ingress.check_vote(&vote, &self.head.validators).is_ok() {
            self.feed(Input::Vote(vote))
        } else {
            Ok(())
        }
    }

    /// A proposal that waited for this height, checked in full.
    pub(super) fn on_proposal(&mut self, proposal: SignedProposal) -> Result<(), Fatal> {
        if self.ingress.check_proposal(&proposal, &self.head.validators).is_ok() {
            self.admit_proposal(&proposal)
        } else {
            Ok(())
        }
    }

    /// Remembers a verified statement. One of our own key that we did not sign means that the key runs elsewhere.
    fn note_signed(&mut self, signed: SignedStatement) -> Result<(), Fatal> {
        self.remember(signed);
        self.note_own(&signed)
    }

    /// Looks at a verified statement, if it is of our key.
    fn note_own(&mut self, signed: &SignedStatement) -> Result<(), Fatal> {
        if self.own_address != Some(signed.statement.validator()) {
            return Ok(());
        }
        let before = self.guard_state();
        self.check_own(signed)?;
        self.tell_refusal(before);
        if self.guard_state() == before { Ok(()) } else { self.enter_height() }
    }

    /// Looks for statements of our key among the votes of a certificate, whose signatures are not verified yet.
    fn note_own_among(&mut self, votes: impl Iterator<Item = SignedVote>) -> Result<(), Fatal> {
        let own = self.own_address;
        for signed in votes.filter(|vote| own == Some(vote.vote.validator)).map(SignedVote::to_statement) {
            if self.ingress.check_statement(&signed, &self.head.validators).is_ok() {
                self.note_own(&signed)?;
            }
        }
        Ok(())
    }

    /// Tells the operator that this validator has lost its vote, once.
    pub(super) fn tell_refusal(&mut self, before: Option<GuardState>) {
        if let Some(GuardState::Refused(reason)) = self.guard_state().filter(|after| Some(*after) != before) {
            self.actions.push(Action::SigningRefused { reason });
        }
    }

    fn on_report(
        &mut self,
        from: Peer,
        validator: ValidatorAddress,
        committed: Height,
        highest: Option<SignedStatement>,
    ) -> Result<(), Fatal> {
        self.claim(from, committed);
        let Some(reporter) = self.peers.get(&from).copied().flatten() else { return Ok(()) };
        let Some(key) = self.config.key.filter(|_| self.own_address == Some(validator)) else { return Ok(()) };
        if let Some(signed) = &highest {
            let preimage = signed.statement.preimage(&self.head.genesis);
            let is_ours = signed.statement.validator() == validator
                && self.config.check.check(&key, &preimage, &signed.signature);
            if !is_ours {
                return self.refuse(from, Refusal::Signature);
            }
            self.note_own(signed)?;
        }
        let before = self.guard_state();
        let known = self.sign_state().and_then(SignState::slot);
        let report = Report { committed, highest: highest.map(|signed| signed.statement.slot()) };
        if let Some(guard) = &mut self.guard {
            guard.on_report(reporter, report, known, self.head.height, &self.head.validators);
        }
        self.note_lag();
        if self.guard_state() == before { Ok(()) } else { self.enter_height() }
    }

    /// Asks everybody for the highest message signed by our key, while we may not sign.
    pub(super) fn request_reports(&mut self) {
        if self.guard.as_ref().map(SignGuard::state) == Some(GuardState::WaitingForReports)
            && let Some(validator) = self.own_address
        {
            self.broadcast(&Message::ReportRequest { validator });
        }
    }

    pub(super) fn on_peer_connected(&mut self, peer: Peer, validator: Option<ValidatorAddress>) {
        if self.peers.len() >= crate::params::PEERS_MAX && !self.peers.contains_key(&peer) {
            return;
        }
        self.peers.insert(peer, validator);
        self.syncer.on_connected(peer);
        self.send(peer, &self.status());
        if let Some(own) = self.own_address.filter(|_| self.guard_state() == Some(GuardState::WaitingForReports)) {
            self.send(peer, &Message::ReportRequest { validator: own });
        }
        for message in self.height.own.values().cloned().collect::<Vec<_>>() {
            self.send(peer, &message);
        }
    }

    /// Takes a peer's word for its height, with the weight of the validator that it is.
    fn claim(&mut self, from: Peer, committed: Height) {
        let validator = self.peers.get(&from).copied().flatten();
        let member = validator.and_then(|validator| self.head.validators.by_address(&validator));
        let power = member.map_or(0, |member| member.power.get());
        self.syncer.on_claim(from, committed, power);
    }

    /// Starts the height for a peer that is a validator; nobody else starts any.
    fn wake_for_validator(&mut self, from: Peer) -> Result<(), Fatal> {
        let validator = self.peers.get(&from).copied().flatten();
        if validator.is_some_and(|validator| self.head.validators.by_address(&validator).is_some()) {
            self.wake_for_peer()?;
        }
        Ok(())
    }

    fn on_proposal_request(&mut self, from: Peer, height: Height, round: Round) {
        match self.place(from, height) {
            Placement::Current => {
                let served = self.served.entry(from).or_default();
                served.proposal_requests = served.proposal_requests.saturating_add(1);
                if served.proposal_requests > PROPOSAL_REQUESTS_PER_PEER_MAX {
                    return;
                }
                let wanted = self.height.proposals.iter().filter(|proposal| proposal.round == round).cloned();
                for proposal in wanted.collect::<Vec<_>>() {
                    self.send(from, &Message::Proposal(proposal));
                }
            }
            Placement::Past | Placement::Next | Placement::Future => {}
        }
    }

    fn on_status(&mut self, from: Peer, committed: Height, started: bool) -> Result<(), Fatal> {
        self.claim(from, committed);
        if committed == self.head.height && started {
            return self.wake_for_validator(from);
        }
        if committed < self.head.height && self.height.old_answered.insert(from) {
            self.send(from, &self.status());
        }
        self.note_lag();
        Ok(())
    }

    fn status(&self) -> Message {
        Message::Status { committed: self.head.height, started: matches!(self.height.phase, Phase::Running(_)) }
    }

    pub(super) fn broadcast_status(&mut self) {
        self.broadcast(&self.status());
    }

    /// Fetches what peers have committed: at once when far behind or without a vote, else after a grace period in which
    /// consensus itself usually gets there.
    fn note_lag(&mut self) {
        let height = self.next_height();
        let claim = self.syncer.highest_claim();
        if claim > height || (claim == height && matches!(self.height.phase, Phase::Following)) {
            self.request_sync();
        } else if claim == height && !self.height.timers.contains(&TimerId::SyncGrace { height }) {
            self.set_timer(TimerId::SyncGrace { height }, SYNC_GRACE_MS);
        }
    }

    pub(super) fn request_sync(&mut self) {
        let backed = self.backed_claim();
        let Some(request) = self.syncer.next_request(self.next_height(), backed) else { return };
        self.send(request.peer, &Message::SyncRequest { from: request.from, count: request.count });
        self.set_timer(TimerId::SyncResponse { number: request.number }, SYNC_RESPONSE_MS);
    }

    fn on_sync_request(&mut self, from: Peer, first: Height, count: u16) -> Result<(), Fatal> {
        let served = self.served.entry(from).or_default();
        served.sync_requests = served.sync_requests.saturating_add(1);
        if served.sync_requests > SYNC_REQUESTS_PER_PEER_MAX.saturating_mul(2) {
            return Ok(());
        }
        if served.sync_requests > SYNC_REQUESTS_PER_PEER_MAX || served.sync_bytes > SYNC_BYTES_PER_PEER_MAX {
            // It has had its share: it should ask somebody else, and need not wait to learn it.
            self.send(from, &Message::SyncResponse { from: first, blocks: Vec::new() });
            return Ok(());
        }
        let mut blocks = Vec::new();
        let (mut height, mut size) = (first, 0_usize);
        for _ in 0..count {
            let Some(committed) = self.application.block_at(height)? else { break };
            size = size.saturating_add(committed.block.to_bytes().len());
            blocks.push(committed);
            height = height.next();
            if size > SYNC_BYTES_SOFT_MAX {
                break;
            }
        }
        let served = self.served.entry(from).or_default();
        served.sync_bytes = served.sync_bytes.saturating_add(size);
        self.send(from, &Message::SyncResponse { from: first, blocks });
        Ok(())
    }

    fn on_sync_response(
        &mut self,
        from: Peer,
        first: Height,
        blocks: Vec<CommittedBlock>,
        size_bytes: usize,
    ) -> Result<(), Fatal> {
        let number = self.syncer.under_way().map(|request| request.number);
        if !self.syncer.on_response(from, first, blocks.len(), size_bytes) {
            return Ok(());
        }
        if let Some(number) = number {
            self.actions.push(Action::CancelTimer { timer: TimerId::SyncResponse { number } });
        }
        self.catching_up = true;
        let result = self.apply_all_synced(from, &blocks);
        self.catching_up = false;
        result?;
        self.request_sync();
        self.enter_height()
    }

    fn apply_all_synced(&mut self, from: Peer, blocks: &[CommittedBlock]) -> Result<(), Fatal> {
        for committed in blocks {
            let height = committed.block.header.height;
            if height < self.next_height() {
                // Consensus was faster.
                continue;
            }
            if !self.apply_synced(committed)? {
                self.drop_peer(from, PeerFault::SyncedBlock);
                break;
            }
        }
        Ok(())
    }

    /// Verifies a block and its certificate against our own set and head, and commits it outside the core. `false` when
    /// the peer lied.
    fn apply_synced(&mut self, committed: &CommittedBlock) -> Result<bool, Fatal> {
        let height = self.next_height();
        let header = &committed.block.header;
        let set = self.head.validators.set();
        let follows = header.height == height
            && header.genesis == self.head.genesis
            && header.parent == self.head.id
            && header.validators == set.hash();
        if !follows {
            return Ok(false);
        }
        let block = SharedBlock::new(Arc::unwrap_or_clone(Arc::clone(&committed.block)));
        let certified = committed.certificate.verify(&self.head.genesis, height, block.id(), set).is_ok();
        if !certified || !block.block().has_own_transactions() {
            return Ok(false);
        }
        match self.application.validate(block.block(), None)? {
            Validity::Valid => {}
            Validity::Invalid { reason } => return Err(Fatal::CertifiedInvalid { height, reason }),
            Validity::Untimely => return Err(Fatal::CertifiedInvalid { height, reason: "judged by a clock" }),
        }
        self.commit(block, committed.certificate.clone())?;
        Ok(true)
    }

    fn refuse(&mut self, from: Peer, refusal: Refusal) -> Result<(), Fatal> {
        self.drop_peer(from, PeerFault::Refused(refusal));
        Ok(())
    }

    fn drop_peer(&mut self, peer: Peer, reason: PeerFault) {
        self.peers.remove(&peer);
        self.syncer.on_disconnected(peer);
        self.actions.push(Action::DropPeer { peer, reason });
    }
}
