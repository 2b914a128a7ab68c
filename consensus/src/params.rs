//! Timing and limits of consensus, in one place.

use sigeli_verifier::params::{BLOCK_BYTES_MAX, VALIDATORS_MAX};

use crate::engine::{Timeout, TimeoutKind};

/// Timing, equal on all nodes of a ledger (from genesis). All in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsensusParams {
    /// How long the first round waits for a proposal.
    pub propose_ms: u64,
    /// How long the first round waits for more prevotes.
    pub prevote_ms: u64,
    /// How long the first round waits for more precommits.
    pub precommit_ms: u64,
    /// What each later round adds to the wait for a proposal.
    pub propose_step_ms: u64,
    /// What each later round adds to the wait for prevotes.
    pub prevote_step_ms: u64,
    /// What each later round adds to the wait for precommits.
    pub precommit_step_ms: u64,
    /// After how long without progress the last votes are sent again.
    pub rebroadcast_ms: u64,
    /// The longest any of these becomes.
    pub timeout_ms_max: u64,
    /// A block is made at least this often, even an empty one.
    pub heartbeat_ms: u64,
}

impl Default for ConsensusParams {
    fn default() -> Self {
        Self {
            propose_ms: 1_000,
            prevote_ms: 500,
            precommit_ms: 500,
            propose_step_ms: 250,
            prevote_step_ms: 250,
            precommit_step_ms: 250,
            rebroadcast_ms: 2_000,
            timeout_ms_max: 20_000,
            heartbeat_ms: 30_000,
        }
    }
}

impl ConsensusParams {
    /// How long a timer runs.
    #[must_use]
    pub fn duration_ms(&self, timeout: Timeout) -> u64 {
        let (first, step) = match timeout.kind {
            TimeoutKind::Propose => (self.propose_ms, self.propose_step_ms),
            TimeoutKind::Prevote => (self.prevote_ms, self.prevote_step_ms),
            TimeoutKind::Precommit => (self.precommit_ms, self.precommit_step_ms),
            TimeoutKind::Rebroadcast => (self.rebroadcast_ms, 0),
        };
        first.saturating_add(step.saturating_mul(timeout.round.get().into())).min(self.timeout_ms_max)
    }
}

/// Highest round that a message may name. At the longest time-outs a height takes longer than a year to get there.
pub const ROUND_MAX: u32 = 1_000_000;
/// Largest encoded message: a sync response ends with the block that passes [`SYNC_BYTES_SOFT_MAX`].
pub const MESSAGE_BYTES_MAX: usize = 2 * BLOCK_BYTES_MAX + 1_024 * 1_024;
/// A sync response takes no further block once it is this long.
pub const SYNC_BYTES_SOFT_MAX: usize = BLOCK_BYTES_MAX;
/// Most blocks asked for at once.
pub const SYNC_BLOCKS_MAX: u16 = 64;
/// How long a peer may take to answer a sync request.
pub const SYNC_RESPONSE_MS: u64 = 5_000;
/// How long consensus may take to commit a height that a peer has committed before it is fetched.
pub const SYNC_GRACE_MS: u64 = 300;
/// How long a validator that was behind waits at a height, without its vote, before it votes there after all: nothing was
/// committed meanwhile, so the others may need it.
pub const HELD_BACK_MS: u64 = 5_000;
/// Most statements of our own key that are remembered, the latest of them.
pub const OWN_STATEMENTS_MAX: usize = 1_024;
/// In how many blocks below the head a node looks, when it starts, for the last signature of each validator.
pub const REMEMBERED_BLOCKS_MAX: u64 = 16;
/// How often a node tells its peers where it is.
pub const STATUS_MS: u64 = 5_000;
/// Most sync requests of one peer that are answered with blocks within [`STATUS_MS`].
pub const SYNC_REQUESTS_PER_PEER_MAX: u32 = 256;
/// Most bytes of blocks that are sent to one peer in answer to its sync requests within [`STATUS_MS`], but for the last.
pub const SYNC_BYTES_PER_PEER_MAX: usize = 64 * 1_024 * 1_024;
/// Most proposal requests of one peer that are answered within [`STATUS_MS`]: a correct one asks once per rebroadcast.
pub const PROPOSAL_REQUESTS_PER_PEER_MAX: u32 = 4;
/// How soon after a commit a peer's message may start a height for which we have nothing to commit.
pub const WAKE_MS: u64 = 250;
/// Most peers that are tracked.
pub const PEERS_MAX: usize = 256;
/// Most votes of one validator that wait for the next height.
pub const NEXT_VOTES_PER_VALIDATOR_MAX: usize = 8;
/// Most proposals that wait for the next height; each may be as large as a block.
pub const NEXT_PROPOSALS_MAX: usize = 4;
/// Most proposals of the current height that are kept for peers that lost them.
pub const PROPOSALS_KEPT_MAX: usize = 16;
/// Most distinct blocks of one round that are looked at: one, and a second that proves misbehaviour. The core keeps no more.
pub const BLOCKS_PER_ROUND_MAX: usize = 2;
/// How many rounds ahead of ours a proposal may be. The core takes no later one.
pub const ROUNDS_AHEAD_MAX: u32 = 10;
/// Most blocks withheld for their time in one height.
pub const WITHHELD_MAX: usize = 16;

/// Largest commit certificate: round, count, and a position and a signature for each validator.
const CERTIFICATE_BYTES_MAX: usize = 4 + 2 + 65 * VALIDATORS_MAX;
/// [`SYNC_BLOCKS_MAX`], as a count of things in memory.
pub(crate) const SYNC_BLOCKS_COUNT_MAX: usize = 64;
const _: () = assert!(SYNC_BLOCKS_MAX == 64, "the two are equal");
const _: () = assert!(
    16 + SYNC_BYTES_SOFT_MAX + BLOCK_BYTES_MAX + SYNC_BLOCKS_COUNT_MAX * CERTIFICATE_BYTES_MAX < MESSAGE_BYTES_MAX,
    "the longest sync response is a message"
);
