//! What validators sign: votes and proposals (`docs/protocol.md` §8). Consensus and the verifier share these preimages.

use crate::{
    domain::{TAG_PROPOSAL, TAG_VOTE},
    ids::{BlockId, GenesisHash, Height, Round, ValidatorAddress},
};

/// The step in which a vote is cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoteKind {
    /// First step.
    Prevote,
    /// Second step; a quorum of these commits.
    Precommit,
}

impl VoteKind {
    /// The kind's byte.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Prevote => 1,
            Self::Precommit => 2,
        }
    }
}

/// A vote for a block, or for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// The step.
    pub kind: VoteKind,
    /// The height voted on.
    pub height: Height,
    /// The round voted in.
    pub round: Round,
    /// The block, or `None` for nil.
    pub block: Option<BlockId>,
    /// The voter.
    pub validator: ValidatorAddress,
}

/// Bytes of a vote preimage.
pub const VOTE_PREIMAGE_BYTES: usize = 16 + 32 + 1 + 8 + 4 + 1 + 32 + 20;
/// Bytes of a proposal preimage.
pub const PROPOSAL_PREIMAGE_BYTES: usize = 16 + 32 + 8 + 4 + 8 + 32 + 20;

impl Vote {
    /// The bytes that are signed: tag, genesis, kind, height, round, nil (0) or block (1), block id or zeros, voter.
    #[must_use]
    pub fn preimage(&self, genesis: &GenesisHash) -> [u8; VOTE_PREIMAGE_BYTES] {
        let block = self.block.map_or([0; 32], |id| id.get());
        join(&[
            &TAG_VOTE,
            genesis.as_bytes(),
            &[self.kind.code()],
            &self.height.get().to_le_bytes(),
            &self.round.get().to_le_bytes(),
            &[u8::from(self.block.is_some())],
            &block,
            self.validator.as_bytes(),
        ])
    }
}

/// A proposal of a block in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proposal {
    /// The height proposed for.
    pub height: Height,
    /// The round proposed in.
    pub round: Round,
    /// The round in which the block gathered a quorum of prevotes, when it is proposed again.
    pub valid_round: Option<Round>,
    /// The block.
    pub block: BlockId,
    /// The proposer.
    pub proposer: ValidatorAddress,
}

impl Proposal {
    /// The bytes that are signed: tag, genesis, height, round, valid round as `i64` (−1 for none), block id, proposer.
    #[must_use]
    pub fn preimage(&self, genesis: &GenesisHash) -> [u8; PROPOSAL_PREIMAGE_BYTES] {
        let valid_round = self.valid_round.map_or(-1, |round| i64::from(round.get()));
        join(&[
            &TAG_PROPOSAL,
            genesis.as_bytes(),
            &self.height.get().to_le_bytes(),
            &self.round.get().to_le_bytes(),
            &valid_round.to_le_bytes(),
            self.block.as_bytes(),
            self.proposer.as_bytes(),
        ])
    }
}

/// Concatenates parts whose lengths add up to `N` (the callers' constants say so, and tests hold them to it).
pub(crate) fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
    debug_assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), N);
    out
}
