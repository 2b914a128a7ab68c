//! Blocks as they come, proved, as lines for programs.

use sigeli_verifier::{
    block::Block,
    certificate::CommitCertificate,
    ids::{BlockId, Height},
    proof::verify_block,
    trust::TrustedLedger,
};

use super::{
    chain::{Chain, ChainError},
    line::{self, BlockLine, Place},
};

/// A stream of events: the same lines as in `ledger.jsonl`. Each block is confirmed by itself and follows the one before.
#[derive(Debug)]
pub struct Events<'a> {
    ledger: &'a TrustedLedger,
    next: Height,
    last: Option<BlockId>,
    marked: Height,
}

impl<'a> Events<'a> {
    /// Begins with a height.
    #[must_use]
    pub const fn new(ledger: &'a TrustedLedger, from: Height) -> Self {
        Self { ledger, next: from, last: None, marked: from }
    }

    /// The height that is due.
    #[must_use]
    pub const fn next(&self) -> Height {
        self.next
    }

    /// Remembers where the stream is.
    pub const fn mark(&mut self) {
        self.marked = self.next;
    }

    /// Whether a block came since the mark.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.next > self.marked
    }

    /// Takes the next block and gives its lines.
    ///
    /// # Errors
    /// [`ChainError`]; nothing of the block is given then.
    pub fn take(&mut self, block: &Block, certificate: &CommitCertificate) -> Result<String, ChainError> {
        let header = &block.header;
        if header.height != self.next {
            return Err(ChainError::Gap { expected: self.next, found: header.height });
        }
        if header.height == Height::new(0) {
            if let Some(error) = Chain::new(self.ledger).take(block, certificate).into_iter().next() {
                return Err(error);
            }
        } else {
            verify_block(self.ledger, block, certificate)?;
        }
        if self.last.is_some_and(|last| last != header.parent) {
            return Err(ChainError::Parent { found: header.parent });
        }
        let mut lines = BlockLine::of(block, certificate).plain().line();
        lines.push('\n');
        for (index, signed) in (0..).zip(&block.transactions) {
            let place = Place { height: header.height, time: header.time, index };
            lines.push_str(&line::transaction(place, signed).line());
            lines.push('\n');
        }
        self.last = Some(header.id());
        self.next = Height::new(self.next.get().saturating_add(1));
        Ok(lines)
    }
}
