//! What faulty validators send. They run the ordinary driver; their lies are made of what it wants to send.

use std::sync::Arc;

use ed25519_dalek::Signer as _;
use sigeli_verifier::{
    certificate::CommitCertificate,
    decode::Decode as _,
    encode::Encode as _,
    ids::{BlockId, Height, HistoryRoot, Round, Signature, StateRoot, TimeMs, TransactionsRoot, ValidatorSetHash},
    vote::{Vote, VoteKind},
};

use super::{
    ApplicationFactory, Violation,
    faults::{Flaw, Misdeed},
    network::Simulation,
};
use crate::{
    block::SharedBlock,
    message::Message,
    params::ROUND_MAX,
    ports::CommittedBlock,
    statement::{Polka, SignedProposal, SignedStatement, SignedVote, Statement},
};

/// Most old messages that a replayer keeps.
const HEARD_MAX: usize = 256;
/// How many votes for later heights come with each vote of a flooder.
const FLOOD: u64 = 12;
/// How far ahead of all clocks an untimely block is, in milliseconds.
const AHEAD_MS: u64 = 3_600_000;

impl<F: ApplicationFactory> Simulation<F> {
    /// Sends a message to everybody, or what a faulty validator sends in its place.
    pub(super) fn broadcast(&mut self, number: usize, bytes: &Arc<[u8]>) -> Result<(), Violation> {
        self.tap(bytes)?;
        if !self.is_liar(number) {
            self.check_released(number, bytes)?;
        }
        self.equivocate(number, bytes)?;
        let misdeeds: Vec<_> = self
            .config
            .faults
            .misdeeds
            .iter()
            .filter(|(liar, _)| *liar == number)
            .map(|(_, misdeed)| *misdeed)
            .collect();
        let mut bytes = Arc::clone(bytes);
        let mut reached: Vec<_> = (0..self.nodes.len()).filter(|to| *to != number).collect();
        for misdeed in misdeeds {
            let is_signed = matches!(Message::from_bytes(&bytes), Ok(Message::Vote(_) | Message::Proposal(_)));
            match misdeed {
                Misdeed::Silent if is_signed => reached.clear(),
                Misdeed::Withhold if is_signed => reached.truncate(1),
                Misdeed::Invalid(flaw) => match self.spoil(number, flaw, &bytes) {
                    Some(spoiled) => bytes = spoiled,
                    None => continue,
                },
                Misdeed::Flood if is_signed => self.flood(number, &bytes),
                Misdeed::Replay => self.replay(number),
                Misdeed::Forge if is_signed => self.forge(number, &bytes),
                Misdeed::LieInSync => match lie_about_height(&bytes) {
                    Some(lie) => bytes = lie,
                    None => continue,
                },
                Misdeed::Silent | Misdeed::Withhold | Misdeed::Flood | Misdeed::Forge => continue,
            }
            self.report.faults.misdeeds = self.report.faults.misdeeds.saturating_add(1);
        }
        self.remember_heard(&bytes);
        for to in reached {
            self.transmit(number, to, &bytes);
        }
        Ok(())
    }

    /// What a node answers to one other, or what a faulty validator answers in its place.
    pub(super) fn answer(&mut self, number: usize, bytes: Arc<[u8]>) -> Arc<[u8]> {
        let misdeeds = &self.config.faults.misdeeds;
        let Some((_, misdeed)) = misdeeds.iter().find(|(liar, _)| *liar == number).copied() else { return bytes };
        let lie = match (misdeed, Message::from_bytes(&bytes)) {
            (Misdeed::LieInSync, Ok(Message::SyncResponse { from, blocks })) => self.lie_in_sync(number, from, blocks),
            (Misdeed::LieInSync, _) => lie_about_height(&bytes),
            (Misdeed::Forge, Ok(Message::Report { validator, committed, .. })) => {
                let vote = Vote {
                    kind: VoteKind::Precommit,
                    height: (0..9).fold(committed, |height, _| height.next()),
                    round: Round::new(0),
                    block: None,
                    validator,
                };
                let highest =
                    Some(SignedStatement { statement: Statement::Vote(vote), signature: self.no_signature() });
                Some(Message::Report { validator, committed, highest }.to_bytes().into())
            }
            (Misdeed::Invalid(flaw), _) => self.spoil(number, flaw, &bytes),
            _ => None,
        };
        self.report.faults.misdeeds = self.report.faults.misdeeds.saturating_add(u64::from(lie.is_some()));
        lie.unwrap_or(bytes)
    }

    /// A faulty validator contradicts each of its votes and proposals towards every second peer.
    fn equivocate(&mut self, number: usize, bytes: &[u8]) -> Result<(), Violation> {
        if !self.config.faults.equivocators.contains(&number) {
            return Ok(());
        }
        let forged = match Message::from_bytes(bytes) {
            Ok(Message::Vote(SignedVote { mut vote, .. })) if Some(vote.validator) == self.nodes[number].address => {
                vote.block = if vote.block.is_some() { None } else { Some(BlockId::new([9; 32])) };
                let signature = self.sign(number, Statement::Vote(vote));
                Message::Vote(SignedVote { vote, signature })
            }
            Ok(Message::Proposal(proposal)) if Some(proposal.proposer) == self.nodes[number].address => {
                // Another block, and an invalid one: its state root is that of another time.
                let mut block = proposal.block.block().clone();
                block.header.time = TimeMs::new(block.header.time.get().saturating_add(1));
                self.propose_instead(number, proposal, SharedBlock::new(block))
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

    fn sign(&self, number: usize, statement: Statement) -> Signature {
        let preimage = statement.preimage(&self.genesis.genesis);
        let key = self.nodes[number].key.as_ref().expect("only validators misbehave");
        Signature::new(key.sign(&preimage).to_bytes())
    }

    /// Bytes that are nobody's signature.
    const fn no_signature(&mut self) -> Signature {
        let mut bytes = [7; 64];
        let [first, ..] = &mut bytes;
        *first = self.random.next().to_le_bytes()[0];
        Signature::new(bytes)
    }

    fn propose_instead(&self, number: usize, mut proposal: SignedProposal, block: SharedBlock) -> Message {
        proposal.block = block;
        proposal.signature = self.sign(number, Statement::Proposal(proposal.proposal()));
        Message::Proposal(proposal)
    }

    /// The validator's own fresh proposal with a spoiled block, signed; `None` for any other message.
    fn spoil(&mut self, number: usize, flaw: Flaw, bytes: &[u8]) -> Option<Arc<[u8]>> {
        let Ok(Message::Proposal(proposal)) = Message::from_bytes(bytes) else { return None };
        if Some(proposal.proposer) != self.nodes[number].address || proposal.valid_round.is_some() {
            return None;
        }
        let mut block = proposal.block.block().clone();
        let header = &mut block.header;
        match flaw {
            Flaw::Parent => header.parent = BlockId::new([3; 32]),
            Flaw::TimeBack | Flaw::TimeAhead => {
                let driver = self.nodes[number].driver.as_mut()?;
                let ahead = TimeMs::new(header.time.get().saturating_add(AHEAD_MS));
                let time = if flaw == Flaw::TimeBack { driver.head().time } else { ahead };
                block = self.factory.build_at(driver.application_mut(), block, time).ok()?;
            }
            Flaw::State => header.state_root = StateRoot::new([3; 32]),
            Flaw::Transactions => header.transactions_root = TransactionsRoot::new([3; 32]),
            Flaw::History => header.history_root = HistoryRoot::new([3; 32]),
            Flaw::NextValidators => header.next_validators = ValidatorSetHash::new([3; 32]),
            Flaw::Creator => {
                let members = self.genesis.validators.validators();
                let other = members.iter().find(|member| Some(member.address()) != self.nodes[number].address)?;
                header.creator = other.address();
            }
        }
        Some(self.propose_instead(number, proposal, SharedBlock::new(block)).to_bytes().into())
    }

    fn flood(&mut self, number: usize, bytes: &[u8]) {
        let Ok(Message::Vote(SignedVote { vote, .. })) = Message::from_bytes(bytes) else { return };
        let everybody: Vec<_> = (0..self.nodes.len()).filter(|to| *to != number).collect();
        for ahead in 1..=FLOOD {
            let height = Height::new(vote.height.get().saturating_add(ahead));
            let round = self.random.below(u64::from(ROUND_MAX).saturating_mul(2));
            let round = Round::new(u32::try_from(round).unwrap_or(0));
            let vote = Vote { height, round, ..vote };
            let signature = self.sign(number, Statement::Vote(vote));
            let bytes: Arc<[u8]> = Message::Vote(SignedVote { vote, signature }).to_bytes().into();
            for to in &everybody {
                self.transmit(number, *to, &bytes);
            }
        }
    }

    fn remember_heard(&mut self, bytes: &Arc<[u8]>) {
        if self.heard.len() < HEARD_MAX {
            self.heard.push(Arc::clone(bytes));
        } else {
            let position = self.random.position(HEARD_MAX);
            self.heard[position] = Arc::clone(bytes);
        }
    }

    fn replay(&mut self, number: usize) {
        for _ in 0..2 {
            if self.heard.is_empty() {
                return;
            }
            let position = self.random.position(self.heard.len());
            let to = self.random.position(self.nodes.len());
            let bytes = Arc::clone(&self.heard[position]);
            if to != number {
                self.transmit(number, to, &bytes);
            }
        }
    }

    /// Votes of the others, and a quorum of them, for the opposite of what the validator votes itself.
    fn forge(&mut self, number: usize, bytes: &[u8]) {
        // Each forgery that is noticed costs the connection for a while: too many would be silence.
        if !self.random.chance_percent(15) {
            return;
        }
        let Ok(Message::Vote(SignedVote { vote, .. })) = Message::from_bytes(bytes) else { return };
        let block = BlockId::new([5; 32]);
        let members: Vec<_> = self.genesis.validators.validators().iter().map(|member| member.address()).collect();
        let mut forged = Vec::new();
        for validator in &members {
            let vote = Vote { block: Some(block), validator: *validator, ..vote };
            forged.push(Message::Vote(SignedVote { vote, signature: self.no_signature() }));
        }
        let signatures = members.iter().map(|validator| (*validator, Signature::new([7; 64]))).collect();
        forged.push(Message::Polka(Polka { height: vote.height, round: vote.round, block, signatures }));
        let position = self.random.position(forged.len());
        let bytes: Arc<[u8]> = forged.swap_remove(position).to_bytes().into();
        for to in (0..self.nodes.len()).filter(|to| *to != number) {
            self.transmit(number, to, &bytes);
        }
    }

    fn lie_in_sync(&mut self, number: usize, from: Height, mut blocks: Vec<CommittedBlock>) -> Option<Arc<[u8]>> {
        let last = blocks.last_mut()?;
        let certificate = &last.certificate;
        match self.random.below(4) {
            0 => last.certificate = CommitCertificate::new(certificate.round(), Vec::new())?,
            1 => {
                let few = certificate.signatures().iter().take(2).copied().collect();
                last.certificate = CommitCertificate::new(certificate.round(), few)?;
            }
            2 => {
                let mut block = last.block.as_ref().clone();
                block.header.time = TimeMs::new(block.header.time.get().saturating_add(1));
                last.block = Arc::new(block);
            }
            _ => {
                // Its own signature in the place of all others.
                let mut block = last.block.as_ref().clone();
                block.header.time = TimeMs::new(block.header.time.get().saturating_add(1));
                let vote = Vote {
                    kind: VoteKind::Precommit,
                    height: block.header.height,
                    round: certificate.round(),
                    block: Some(block.header.id()),
                    validator: self.nodes[number].address?,
                };
                let signature = self.sign(number, Statement::Vote(vote));
                let mut signatures = certificate.signatures().to_vec();
                signatures.iter_mut().for_each(|entry| entry.signature = signature);
                last.certificate = CommitCertificate::new(certificate.round(), signatures)?;
                last.block = Arc::new(block);
            }
        }
        Some(Message::SyncResponse { from, blocks }.to_bytes().into())
    }
}

/// A status with a height that does not exist; `None` for any other message.
fn lie_about_height(bytes: &[u8]) -> Option<Arc<[u8]>> {
    let Ok(Message::Status { committed, started }) = Message::from_bytes(bytes) else { return None };
    let committed = Height::new(committed.get().saturating_add(1_000));
    Some(Message::Status { committed, started }.to_bytes().into())
}
