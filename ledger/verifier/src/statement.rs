//! What a validator says under its signature: votes and proposals, and the slots they fill (`docs/protocol.md` §8).

use alloc::vec::Vec;
use core::fmt;

use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{BlockId, GenesisHash, Height, Round, Signature, ValidatorAddress},
    vote::{Proposal, Vote, VoteKind},
};

/// The kind of a signed message, in the order in which one round signs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A proposal: code 1.
    Proposal,
    /// A prevote: code 2.
    Prevote,
    /// A precommit: code 3.
    Precommit,
}

impl Step {
    /// The step's code in the sign-state.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Proposal => 1,
            Self::Prevote => 2,
            Self::Precommit => 3,
        }
    }

    /// The step of a code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Proposal),
            2 => Some(Self::Prevote),
            3 => Some(Self::Precommit),
            _ => None,
        }
    }
}

/// A place that one key may fill with one message only. Ordered as a correct validator fills them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The height.
    pub height: Height,
    /// The round.
    pub round: Round,
    /// The kind of message.
    pub step: Step,
}

impl fmt::Display for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "height {} round {} step {:?}", self.height, self.round, self.step)
    }
}

/// A message before it is signed: what the signer is asked to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// A prevote or precommit.
    Vote(Vote),
    /// A proposal, naming its block by id.
    Proposal(Proposal),
}

impl Statement {
    /// The slot it fills.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        match self {
            Self::Vote(vote) => Slot {
                height: vote.height,
                round: vote.round,
                step: match vote.kind {
                    VoteKind::Prevote => Step::Prevote,
                    VoteKind::Precommit => Step::Precommit,
                },
            },
            Self::Proposal(proposal) => Slot { height: proposal.height, round: proposal.round, step: Step::Proposal },
        }
    }

    /// Whose it is.
    #[must_use]
    pub const fn validator(&self) -> ValidatorAddress {
        match self {
            Self::Vote(vote) => vote.validator,
            Self::Proposal(proposal) => proposal.proposer,
        }
    }

    /// The block it speaks for; `None` for a vote for none.
    #[must_use]
    pub const fn block(&self) -> Option<BlockId> {
        match self {
            Self::Vote(vote) => vote.block,
            Self::Proposal(proposal) => Some(proposal.block),
        }
    }

    /// The bytes that are signed (`sigeli_verifier::vote`).
    #[must_use]
    pub fn preimage(&self, genesis: &GenesisHash) -> Vec<u8> {
        match self {
            Self::Vote(vote) => vote.preimage(genesis).to_vec(),
            Self::Proposal(proposal) => proposal.preimage(genesis).to_vec(),
        }
    }
}

/// A statement and its signature: small, whatever the size of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedStatement {
    /// The statement.
    pub statement: Statement,
    /// The signature over [`Statement::preimage`].
    pub signature: Signature,
}

/// A vote and its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedVote {
    /// The vote.
    pub vote: Vote,
    /// The voter's signature.
    pub signature: Signature,
}

impl SignedVote {
    /// The vote as a statement.
    #[must_use]
    pub const fn to_statement(self) -> SignedStatement {
        SignedStatement { statement: Statement::Vote(self.vote), signature: self.signature }
    }
}

impl Encode for VoteKind {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code());
    }
}

impl Decode for VoteKind {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("vote_kind")? {
            1 => Ok(Self::Prevote),
            2 => Ok(Self::Precommit),
            value => Err(DecodeError::UnknownValue { field: "vote_kind", value: value.into() }),
        }
    }
}

/// Writes 0, or 1 and the value.
pub fn put_option<T: Encode>(out: &mut Vec<u8>, value: Option<&T>) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            value.encode(out);
        }
    }
}

/// Reads what [`put_option`] wrote.
///
/// # Errors
/// [`DecodeError`], under the field's name.
pub fn read_option<T: Decode>(reader: &mut Reader<'_>, field: &'static str) -> Result<Option<T>, DecodeError> {
    match reader.u8(field)? {
        0 => Ok(None),
        1 => T::decode(reader).map(Some),
        value => Err(DecodeError::UnknownValue { field, value: value.into() }),
    }
}

/// Field table: kind (1), height (8), round (4), block (1 or 33), validator (20), signature (64).
impl Encode for SignedVote {
    fn encode(&self, out: &mut Vec<u8>) {
        self.vote.kind.encode(out);
        self.vote.height.encode(out);
        self.vote.round.encode(out);
        put_option(out, self.vote.block.as_ref());
        self.vote.validator.encode(out);
        self.signature.encode(out);
    }
}

impl Decode for SignedVote {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let vote = Vote {
            kind: VoteKind::decode(reader)?,
            height: Height::decode(reader)?,
            round: Round::decode(reader)?,
            block: read_option(reader, "vote_block")?,
            validator: ValidatorAddress::decode(reader)?,
        };
        Ok(Self { vote, signature: Signature::decode(reader)? })
    }
}

/// Field table: 1 and a signed vote, or 2, height (8), round (4), valid round (1 or 5), block id (32), proposer (20),
/// signature (64).
impl Encode for SignedStatement {
    fn encode(&self, out: &mut Vec<u8>) {
        match &self.statement {
            Statement::Vote(vote) => {
                out.push(1);
                SignedVote { vote: *vote, signature: self.signature }.encode(out);
            }
            Statement::Proposal(proposal) => {
                out.push(2);
                proposal.height.encode(out);
                proposal.round.encode(out);
                put_option(out, proposal.valid_round.as_ref());
                proposal.block.encode(out);
                proposal.proposer.encode(out);
                self.signature.encode(out);
            }
        }
    }
}

impl Decode for SignedStatement {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("statement")? {
            1 => SignedVote::decode(reader).map(SignedVote::to_statement),
            2 => {
                let proposal = Proposal {
                    height: Height::decode(reader)?,
                    round: Round::decode(reader)?,
                    valid_round: read_option(reader, "valid_round")?,
                    block: BlockId::decode(reader)?,
                    proposer: ValidatorAddress::decode(reader)?,
                };
                Ok(Self { statement: Statement::Proposal(proposal), signature: Signature::decode(reader)? })
            }
            value => Err(DecodeError::UnknownValue { field: "statement", value: value.into() }),
        }
    }
}
