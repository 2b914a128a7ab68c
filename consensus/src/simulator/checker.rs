//! Independent checkers: they see what is sent and what is committed.

use std::collections::BTreeMap;

use sigeli_verifier::{
    certificate::CertificateError,
    ids::{BlockId, GenesisHash, Height, ValidatorAddress},
    validators::ValidatorSet,
};

use crate::{
    message::Message,
    ports::{CommittedBlock, Fatal},
    statement::{SignedStatement, Slot},
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
    blocks: BTreeMap<Height, (BlockId, [u8; 32])>,
    signed: BTreeMap<(ValidatorAddress, Slot), Vec<u8>>,
    exempt: Vec<ValidatorAddress>,
    pub(super) certificates: u64,
    pub(super) statements: u64,
}

impl Checker {
    pub(super) const fn new(genesis: GenesisHash, exempt: Vec<ValidatorAddress>) -> Self {
        Self { genesis, blocks: BTreeMap::new(), signed: BTreeMap::new(), exempt, certificates: 0, statements: 0 }
    }

    /// A node committed this block under this set.
    pub(super) fn on_commit(
        &mut self,
        node: usize,
        committed: &CommittedBlock,
        set: &ValidatorSet,
    ) -> Result<(), Violation> {
        let header = &committed.block.header;
        let (height, id) = (header.height, header.id());
        if let Some(previous) = height.previous().and_then(|previous| self.blocks.get(&previous))
            && header.parent != previous.0
        {
            return Err(Violation::Chain { node, height });
        }
        let known = self.blocks.entry(height).or_insert_with(|| (id, header.state_root.get()));
        if *known != (id, header.state_root.get()) {
            return Err(Violation::Agreement { node, height });
        }
        if header.validators != set.hash() || header.genesis != self.genesis {
            return Err(Violation::Chain { node, height });
        }
        self.certificates = self.certificates.saturating_add(1);
        match committed.certificate.verify(&self.genesis, height, id, set) {
            Ok(_) => Ok(()),
            Err(error) => Err(Violation::Certificate { node, height, error }),
        }
    }

    /// A message was sent by its author or by a relay.
    pub(super) fn on_sent(&mut self, message: &Message) -> Result<(), Violation> {
        match message {
            Message::Vote(vote) => self.on_statement(vote.to_statement()),
            Message::Proposal(proposal) => self.on_statement(proposal.to_statement()),
            Message::Report { highest: Some(signed), .. } => self.on_statement(*signed),
            _ => Ok(()),
        }
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
