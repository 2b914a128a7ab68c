//! One height of Tendermint consensus, run by Malachite's core behind our own inputs and outputs.
//!
//! This module is the only one that names Malachite: `context.rs` fills its types, `core.rs` drives it. An [`Engine`]
//! serves exactly one height and is thrown away after it, so that no message of another height ever enters the core.
//!
//! Guarantees: outputs stand in the order in which their effects must happen; when a signature is needed the core is
//! suspended, and [`Output::Sign`] is the last output until [`Engine::on_signature`] continues it; the same inputs and
//! the same signatures give the same outputs (the core's clock is used only with a target time, which is never set).
//!
//! It does not decide what is valid, does not keep time, and stores nothing.

mod context;
mod convert;
mod core;
mod verifier;

use sigeli_verifier::{
    certificate::CommitCertificate,
    ids::{BlockId, Height, Round, Signature, ValidatorAddress},
};

pub use self::core::{Engine, EngineConfig};
use crate::{
    block::SharedBlock,
    statement::{Equivocation, Polka, RoundCertificate, SignedProposal, SignedVote, Statement},
};

/// What a consensus timer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeoutKind {
    /// The proposal of a round: code 1.
    Propose,
    /// More prevotes after a quorum that does not agree: code 2.
    Prevote,
    /// More precommits after a quorum that does not agree: code 3.
    Precommit,
    /// Progress; then the last votes are sent again: code 4.
    Rebroadcast,
}

impl TimeoutKind {
    /// The code in the WAL.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Propose => 1,
            Self::Prevote => 2,
            Self::Precommit => 3,
            Self::Rebroadcast => 4,
        }
    }

    /// The kind of a code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Propose),
            2 => Some(Self::Prevote),
            3 => Some(Self::Precommit),
            4 => Some(Self::Rebroadcast),
            _ => None,
        }
    }
}

/// A consensus timer of one height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeout {
    /// The round that waits.
    pub round: Round,
    /// What it waits for.
    pub kind: TimeoutKind,
}

/// The application's judgement of a block, for the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The round of the proposal that brought the block.
    pub round: Round,
    /// The valid round of that proposal.
    pub valid_round: Option<Round>,
    /// The proposer of that proposal.
    pub proposer: ValidatorAddress,
    /// The block.
    pub block: SharedBlock,
    /// Whether it may be voted for.
    pub valid: bool,
}

/// What enters the engine. Everything from the network was checked by [`crate::ingress`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A vote of this height.
    Vote(SignedVote),
    /// A proposal of this height; a [`Input::Verdict`] on its block follows, at once or later.
    Proposal(SignedProposal),
    /// A judgement of a block.
    Verdict(Verdict),
    /// A quorum of prevotes.
    Polka(Polka),
    /// A reason to enter a round.
    RoundCertificate(RoundCertificate),
    /// A timer fired.
    Timeout(Timeout),
    /// The block that [`Output::GetValue`] asked for.
    Propose {
        /// The round it asked for.
        round: Round,
        /// The block.
        block: SharedBlock,
    },
}

/// What the engine wants done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Append to the WAL (buffered). Never emitted for an input that is being replayed.
    Log(Input),
    /// Sign this; the engine is suspended until [`Engine::on_signature`].
    Sign(Statement),
    /// Send our vote to everybody.
    PublishVote(SignedVote),
    /// Send a proposal to everybody.
    PublishProposal(SignedProposal),
    /// Send a quorum of prevotes to everybody.
    PublishPolka(Polka),
    /// Send a reason to enter a round to everybody.
    PublishRoundCertificate(RoundCertificate),
    /// Start a timer; a second one of the same name replaces the first.
    SetTimer(Timeout),
    /// Stop a timer, if it runs.
    CancelTimer(Timeout),
    /// Stop all timers of the height.
    CancelAllTimers,
    /// A round starts.
    RoundStarted {
        /// The round.
        round: Round,
        /// Who proposes in it.
        proposer: ValidatorAddress,
    },
    /// It is our turn: answer with [`Input::Propose`], after the replay if one is under way.
    GetValue {
        /// The round to propose in.
        round: Round,
    },
    /// The replay has ended: from here on outputs are live.
    Replayed,
    /// The height is decided. Nothing that enters the engine afterwards changes it.
    Decided {
        /// The block.
        block: BlockId,
        /// The quorum of precommits.
        certificate: CommitCertificate,
        /// What faulty validators signed at this height.
        equivocations: Vec<Equivocation>,
    },
}

/// Why the engine cannot go on. Each is a broken invariant: the node must stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The core refused to go on.
    #[error("the consensus core failed at height {height}: {reason}")]
    Core {
        /// The height.
        height: Height,
        /// The core's own words.
        reason: String,
    },
    /// The replay derived a message other than the one in the WAL.
    #[error("the replay at height {height} derived another message than the WAL holds: {reason}")]
    ReplayDivergence {
        /// The height.
        height: Height,
        /// The core's own words.
        reason: String,
    },
    /// A signature arrived that nobody waits for.
    #[error("a signature arrived at height {height} that was not asked for")]
    UnexpectedSignature {
        /// The height.
        height: Height,
    },
    /// The core made a message that cannot exist.
    #[error("the consensus core made an impossible message at height {height}: {what}")]
    Impossible {
        /// The height.
        height: Height,
        /// What.
        what: &'static str,
    },
}

/// Answers signature checks; the node's is [`StrictCheck`], the simulator's remembers answers.
pub trait SignatureCheck: Send + Sync + std::fmt::Debug {
    /// Whether `sigeli_verifier::crypto::verify_signature` accepts. Must not block and must be a pure function.
    fn check(&self, key: &sigeli_verifier::crypto::PublicKey, preimage: &[u8], signature: &Signature) -> bool;
}

/// The one signature rule, asked each time.
#[derive(Debug, Clone, Copy, Default)]
pub struct StrictCheck;

impl SignatureCheck for StrictCheck {
    fn check(&self, key: &sigeli_verifier::crypto::PublicKey, preimage: &[u8], signature: &Signature) -> bool {
        sigeli_verifier::crypto::verify_signature(key, preimage, signature)
    }
}
