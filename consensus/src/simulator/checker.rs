//! Independent checkers: they see what is sent and what is committed.

use std::collections::{BTreeMap, BTreeSet};

use sigeli_verifier::{
    certificate::{CertificateError, CommitCertificate},
    crypto::verify_signature,
    encode::Encode as _,
    ids::{BlockId, EvidenceId, GenesisHash, Height, TimeMs, ValidatorAddress},
    validators::ValidatorSet,
    vote::{Vote, VoteKind},
};

use super::turns::Turns;
use crate::{
    message::Message,
    ports::{CommittedBlock, Fatal},
    statement::{SignedStatement, SignedVote, Slot, votes_of_polka, votes_of_round_certificate},
};

/// What must never happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Two nodes committed different blocks at one height.
    #[error("node {node} committed another block at height {height} than was committed before")]
    Agreement {
        /// The second node.
        node: usize,
        /// The height.
        height: Height,
    },
    /// A node accused a validator that broke no rule.
    #[error("node {node} accused a validator that broke no rule (evidence {evidence})")]
    FalselyAccused {
        /// The accuser.
        node: usize,
        /// Its evidence.
        evidence: EvidenceId,
    },
    /// A committed block's certificate does not verify.
    #[error("the certificate of height {height} on node {node} does not verify: {error}")]
    Certificate {
        /// The node.
        node: usize,
        /// The height.
        height: Height,
        /// Why.
        error: CertificateError,
    },
    /// A committed block's certificate does not hold a quorum's signatures, counted anew.
    #[error("the certificate of height {height} on node {node} holds {power} of {total} by another count")]
    Quorum {
        /// The node.
        node: usize,
        /// The height.
        height: Height,
        /// The weight of the signatures that are right.
        power: u64,
        /// The weight of the set.
        total: u64,
    },
    /// A block's time is not after its parent's, or further ahead of all correct clocks than the protocol allows.
    #[error("the block of height {height} on node {node} has the time {time}, after {parent}, at {now_ms} ms")]
    Time {
        /// The node.
        node: usize,
        /// The height.
        height: Height,
        /// The block's time.
        time: TimeMs,
        /// Its parent's.
        parent: TimeMs,
        /// When it was committed.
        now_ms: u64,
    },
    /// A block was built by a validator whose turn it was not.
    #[error("the block of height {height} on node {node} was built out of turn")]
    Turn {
        /// The node.
        node: usize,
        /// The height.
        height: Height,
    },
    /// A signature left a node before its sign-state, or what it rests on in the log, was durable.
    #[error("node {node} released its signature at {slot} before it was durable")]
    Released {
        /// The node.
        node: usize,
        /// The slot.
        slot: Slot,
    },
    /// A node came up again on a damaged log or sign-state, as if nothing had happened.
    #[error("node {node} did not notice that its log or sign-state is damaged")]
    DamageMissed {
        /// The node.
        node: usize,
    },
    /// A committed block is not what its transactions give when they are executed again, or cannot be.
    #[error("the block of height {height} is not what its transactions give")]
    Validity {
        /// The height.
        height: Height,
    },
    /// A transaction was committed twice.
    #[error("a transaction of height {height} was committed before")]
    CommittedTwice {
        /// The second height.
        height: Height,
    },
    /// Something acknowledged is not there, or not proved.
    #[error("node {node} has lost what was acknowledged: {what}")]
    Lost {
        /// The node.
        node: usize,
        /// What.
        what: &'static str,
    },
    /// Correct nodes drop or refuse one another, or a fault that must be noticed was not.
    #[error("not as it must be in a run of this kind: {what}")]
    Unexpected {
        /// What.
        what: &'static str,
    },
    /// A block does not follow the one before it.
    #[error("the block of height {height} on node {node} does not follow")]
    Chain {
        /// The node.
        node: usize,
        /// The height.
        height: Height,
    },
    /// A key signed two messages for one slot.
    #[error("validator {validator} signed twice at {slot}")]
    DoubleSign {
        /// Whose key.
        validator: ValidatorAddress,
        /// The slot.
        slot: Slot,
    },
    /// A node stopped itself.
    #[error("node {node} stopped: {fatal}")]
    Stopped {
        /// The node.
        node: usize,
        /// Why.
        fatal: Fatal,
    },
    /// The network does not go on after the faults have ended.
    #[error("at {now_ms} ms the nodes stand at {heights:?}")]
    Stalled {
        /// When.
        now_ms: u64,
        /// The heights of the nodes; `None` for one that is down.
        heights: Vec<Option<u64>>,
    },
}

/// Remembers everything that was committed and signed.
#[derive(Debug)]
pub(super) struct Checker {
    genesis: GenesisHash,
    start: TimeMs,
    ahead_ms_max: u64,
    blocks: BTreeMap<Height, Known>,
    verified: BTreeSet<[u8; 32]>,
    turns: Turns,
    signed: BTreeMap<(ValidatorAddress, Slot), Vec<u8>>,
    exempt: Vec<ValidatorAddress>,
    pub(super) certificates: u64,
    pub(super) statements: u64,
}

/// A block that some node has committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    id: BlockId,
    state: [u8; 32],
    time: TimeMs,
}

impl Checker {
    /// `start` is the wall clock of virtual time 0, where genesis lies; `ahead_ms_max` is how far a block's time may be
    /// ahead of it; the keys of `exempt` may sign what they like.
    pub(super) fn new(genesis: GenesisHash, start: TimeMs, ahead_ms_max: u64, exempt: Vec<ValidatorAddress>) -> Self {
        Self {
            genesis,
            start,
            ahead_ms_max,
            blocks: BTreeMap::new(),
            verified: BTreeSet::new(),
            turns: Turns::default(),
            signed: BTreeMap::new(),
            exempt,
            certificates: 0,
            statements: 0,
        }
    }

    /// A node committed this block under this set.
    pub(super) fn on_commit(
        &mut self,
        node: usize,
        committed: &CommittedBlock,
        set: &ValidatorSet,
        now_ms: u64,
    ) -> Result<(), Violation> {
        let header = &committed.block.header;
        let (height, time) = (header.height, header.time);
        let found = Known { id: header.id(), state: header.state_root.get(), time };
        let parent = height.previous().and_then(|previous| self.blocks.get(&previous)).copied();
        if parent.is_some_and(|parent| header.parent != parent.id) {
            return Err(Violation::Chain { node, height });
        }
        let known = self.blocks.get(&height).copied();
        if known.is_some_and(|known| known != found) {
            return Err(Violation::Agreement { node, height });
        }
        if header.validators != set.hash() || header.genesis != self.genesis {
            return Err(Violation::Chain { node, height });
        }
        let parent = parent.map_or(self.start, |parent| parent.time);
        let latest = self.start.get().saturating_add(now_ms).saturating_add(self.ahead_ms_max);
        if time <= parent || time.get() > latest {
            return Err(Violation::Time { node, height, time, parent, now_ms });
        }
        if known.is_none() {
            self.blocks.insert(height, found);
            if self.turns.on_header(header, set) != Some(header.creator) {
                return Err(Violation::Turn { node, height });
            }
        }
        self.certificates = self.certificates.saturating_add(1);
        self.check_certificate(node, &committed.certificate, (height, found.id), set)
    }

    /// By the verifier that everybody else uses, and by a count of our own.
    fn check_certificate(
        &mut self,
        node: usize,
        certificate: &CommitCertificate,
        (height, id): (Height, BlockId),
        set: &ValidatorSet,
    ) -> Result<(), Violation> {
        let name = blake3::hash(&[&id.as_bytes()[..], &certificate.to_bytes()].concat());
        if !self.verified.insert(*name.as_bytes()) {
            return Ok(());
        }
        certificate.verify(&self.genesis, height, id, set).map_err(|error| Violation::Certificate {
            node,
            height,
            error,
        })?;
        let (mut power, mut total) = (0_u64, 0_u64);
        for (number, validator) in set.validators().iter().enumerate() {
            let mut entries = certificate.signatures().iter().filter(|entry| usize::from(entry.validator) == number);
            let vote = Vote {
                kind: VoteKind::Precommit,
                height,
                round: certificate.round(),
                block: Some(id),
                validator: validator.address(),
            };
            let preimage = vote.preimage(&self.genesis);
            total = total.saturating_add(validator.power.get());
            if entries.any(|entry| verify_signature(&validator.key, &preimage, &entry.signature)) {
                power = power.saturating_add(validator.power.get());
            }
        }
        let is_quorum = power > total.saturating_mul(2).checked_div(3).unwrap_or(u64::MAX);
        if is_quorum { Ok(()) } else { Err(Violation::Quorum { node, height, power, total }) }
    }

    /// A message was sent by its author or by a relay.
    pub(super) fn on_sent(&mut self, message: &Message) -> Result<(), Violation> {
        match message {
            Message::Vote(vote) => self.on_statement(vote.to_statement()),
            Message::Proposal(proposal) => self.on_statement(proposal.to_statement()),
            Message::Report { highest: Some(signed), .. } => self.on_statement(*signed),
            Message::Polka(polka) => self.on_votes(votes_of_polka(polka)),
            Message::RoundCertificate(certificate) => self.on_votes(votes_of_round_certificate(certificate)),
            _ => Ok(()),
        }
    }

    fn on_votes(&mut self, mut votes: impl Iterator<Item = SignedVote>) -> Result<(), Violation> {
        votes.try_for_each(|vote| self.on_statement(vote.to_statement()))
    }

    fn on_statement(&mut self, signed: SignedStatement) -> Result<(), Violation> {
        let (validator, slot) = (signed.statement.validator(), signed.statement.slot());
        if self.exempt.contains(&validator) {
            return Ok(());
        }
        self.statements = self.statements.saturating_add(1);
        let preimage = signed.statement.preimage(&self.genesis);
        let known = self.signed.entry((validator, slot)).or_insert_with(|| preimage.clone());
        if *known == preimage { Ok(()) } else { Err(Violation::DoubleSign { validator, slot }) }
    }
}
