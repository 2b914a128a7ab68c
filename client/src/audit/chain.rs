//! Whether blocks are those of a ledger: each confirmed by its validators, each the successor of the one before, and the
//! history log over all of them.

use sigeli_verifier::{
    block::Block,
    certificate::CommitCertificate,
    history::{Frontier, Rfc9162},
    ids::{BlockId, Height, HistoryRoot, TimeMs},
    params::PROTOCOL_VERSION,
    proof::{ProofError, verify_block},
    trust::TrustedLedger,
};

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It is not confirmed, or its transactions are others.
    #[error("{0}")]
    Proof(#[from] ProofError),
    /// It is not the next one.
    #[error("block {expected} is missing: block {found} follows instead")]
    Gap {
        /// The height that was due.
        expected: Height,
        /// The one found.
        found: Height,
    },
    /// It names another parent.
    #[error("it does not follow the block before it: its parent is {found}")]
    Parent {
        /// The parent that it names.
        found: BlockId,
    },
    /// It is not later than its parent.
    #[error("its time is not after that of the block before it")]
    Time,
    /// The history log is another one.
    #[error("its history root is not the one over the blocks before it ({expected})")]
    History {
        /// The root computed.
        expected: HistoryRoot,
    },
    /// Height 0 with anything that only a later block has.
    #[error("it is not a genesis block")]
    Genesis,
}

/// The state of a check: what the next block must follow. Holds at most 64 hashes.
#[derive(Debug, Clone)]
pub(crate) struct Chain<'a> {
    ledger: &'a TrustedLedger,
    frontier: Frontier,
    last: Option<(BlockId, TimeMs)>,
    /// The height of the newest block that a quorum has confirmed: with it, all before it.
    confirmed: Option<Height>,
}

impl<'a> Chain<'a> {
    /// Begins at genesis.
    pub(crate) fn new(ledger: &'a TrustedLedger) -> Self {
        Self { ledger, frontier: Frontier::default(), last: None, confirmed: None }
    }

    /// Begins behind the blocks whose log this is. Whether it is theirs, the first block's history root says.
    pub(crate) const fn behind(ledger: &'a TrustedLedger, frontier: Frontier) -> Self {
        Self { ledger, frontier, last: None, confirmed: None }
    }

    /// The height that is due.
    pub(crate) const fn next(&self) -> Height {
        Height::new(self.frontier.size())
    }

    /// The log over the blocks so far.
    pub(crate) const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Id and time of the newest block.
    pub(crate) const fn last(&self) -> Option<(BlockId, TimeMs)> {
        self.last
    }

    /// The height of the newest block that a quorum has confirmed.
    pub(crate) const fn confirmed(&self) -> Option<Height> {
        self.confirmed
    }

    /// Takes the next block. Gives all that is wrong with it, and goes on behind it in any case.
    pub(crate) fn take(&mut self, block: &Block, certificate: &CommitCertificate) -> Vec<ChainError> {
        let header = &block.header;
        let mut wrong = Vec::new();
        if header.height != self.next() {
            wrong.push(ChainError::Gap { expected: self.next(), found: header.height });
        }
        if header.height == Height::new(0) {
            wrong.extend(self.genesis(block, certificate));
        } else {
            match verify_block(self.ledger, block, certificate) {
                Ok(_) => self.confirmed = Some(header.height),
                Err(error) => wrong.push(error.into()),
            }
        }
        if let Some((id, time)) = self.last {
            if header.parent != id {
                wrong.push(ChainError::Parent { found: header.parent });
            }
            if header.time <= time {
                wrong.push(ChainError::Time);
            }
        }
        let expected = HistoryRoot::new(self.frontier.root::<Rfc9162>());
        if header.history_root != expected {
            wrong.push(ChainError::History { expected });
        }
        let id = header.id();
        self.frontier.push::<Rfc9162>(id.as_bytes());
        self.last = Some((id, header.time));
        wrong
    }

    /// No quorum signs genesis: its id is confirmed by the block that follows.
    fn genesis(&self, block: &Block, certificate: &CommitCertificate) -> Option<ChainError> {
        let header = &block.header;
        if header.genesis != self.ledger.genesis {
            return Some(ProofError::OtherLedger.into());
        }
        if header.version != PROTOCOL_VERSION {
            return Some(ProofError::UnknownVersion { version: header.version }.into());
        }
        let is_first = header.parent == BlockId::new([0; 32])
            && block.transactions.is_empty()
            && certificate.signatures().is_empty()
            && block.has_own_transactions();
        (!is_first).then_some(ChainError::Genesis)
    }
}
