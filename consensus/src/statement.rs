//! What a validator says under its signature: votes and proposals, and the slots they fill.

use std::fmt;

use sigeli_verifier::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{BlockId, GenesisHash, Height, Round, Signature, ValidatorAddress},
    vote::{Proposal, Vote, VoteKind},
};

use crate::block::SharedBlock;

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

/// A proposal with its block and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedProposal {
    /// The height proposed for.
    pub height: Height,
    /// The round proposed in.
    pub round: Round,
    /// The round in which the block gathered a quorum of prevotes, when it is proposed again.
    pub valid_round: Option<Round>,
    /// The proposer.
    pub proposer: ValidatorAddress,
    /// The block.
    pub block: SharedBlock,
    /// The proposer's signature.
    pub signature: Signature,
}

impl SignedProposal {
    /// What was signed.
    #[must_use]
    pub const fn proposal(&self) -> Proposal {
        Proposal {
            height: self.height,
            round: self.round,
            valid_round: self.valid_round,
            block: self.block.id(),
            proposer: self.proposer,
        }
    }

    /// The proposal as a statement, without the block.
    #[must_use]
    pub const fn to_statement(&self) -> SignedStatement {
        SignedStatement { statement: Statement::Proposal(self.proposal()), signature: self.signature }
    }
}

/// Two different statements of one validator for one slot: proof that it is faulty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Equivocation {
    /// The one seen first.
    pub first: SignedStatement,
    /// The one that contradicts it.
    pub second: SignedStatement,
}

/// A quorum of prevotes for one block in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polka {
    /// The height.
    pub height: Height,
    /// The round.
    pub round: Round,
    /// The block.
    pub block: BlockId,
    /// The voters and their signatures, at most `VALIDATORS_MAX`.
    pub signatures: Vec<(ValidatorAddress, Signature)>,
}

/// What a round certificate proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundCertificateKind {
    /// More than a third voted in a later round: code 1.
    Skip,
    /// A quorum precommitted, for whatever: code 2.
    Precommit,
}

/// One vote of a round certificate; height and round are the certificate's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundVote {
    /// The step.
    pub kind: VoteKind,
    /// The block, or none.
    pub block: Option<BlockId>,
    /// The voter.
    pub validator: ValidatorAddress,
    /// Its signature.
    pub signature: Signature,
}

/// Votes that justify entering a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundCertificate {
    /// The height.
    pub height: Height,
    /// The round of the votes.
    pub round: Round,
    /// What it proves.
    pub kind: RoundCertificateKind,
    /// The votes, at most `VALIDATORS_MAX`.
    pub votes: Vec<RoundVote>,
}

pub(crate) fn put_kind(out: &mut Vec<u8>, kind: VoteKind) {
    out.push(kind.code());
}

pub(crate) fn read_kind(reader: &mut Reader<'_>) -> Result<VoteKind, DecodeError> {
    match reader.u8("vote_kind")? {
        1 => Ok(VoteKind::Prevote),
        2 => Ok(VoteKind::Precommit),
        value => Err(DecodeError::UnknownValue { field: "vote_kind", value: value.into() }),
    }
}

pub(crate) fn put_option<T: Encode>(out: &mut Vec<u8>, value: Option<&T>) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            value.encode(out);
        }
    }
}

pub(crate) fn read_option<T: Decode>(reader: &mut Reader<'_>, field: &'static str) -> Result<Option<T>, DecodeError> {
    match reader.u8(field)? {
        0 => Ok(None),
        1 => T::decode(reader).map(Some),
        value => Err(DecodeError::UnknownValue { field, value: value.into() }),
    }
}

/// Field table: kind (1), height (8), round (4), block (1 or 33), validator (20), signature (64).
impl Encode for SignedVote {
    fn encode(&self, out: &mut Vec<u8>) {
        put_kind(out, self.vote.kind);
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
            kind: read_kind(reader)?,
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

/// Field table: height (8), round (4), block id (32), count (2), then per voter address (20) and signature (64).
impl Encode for Polka {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.round.encode(out);
        self.block.encode(out);
        sigeli_verifier::encode::put_count(out, self.signatures.len());
        for (validator, signature) in &self.signatures {
            validator.encode(out);
            signature.encode(out);
        }
    }
}

impl Decode for Polka {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let height = Height::decode(reader)?;
        let round = Round::decode(reader)?;
        let block = BlockId::decode(reader)?;
        let count = reader.count("polka_signatures", sigeli_verifier::params::VALIDATORS_MAX)?;
        let signatures = (0..count)
            .map(|_| Ok((ValidatorAddress::decode(reader)?, Signature::decode(reader)?)))
            .collect::<Result<_, DecodeError>>()?;
        Ok(Self { height, round, block, signatures })
    }
}

/// Field table: kind (1), block (1 or 33), validator (20), signature (64).
impl Encode for RoundVote {
    fn encode(&self, out: &mut Vec<u8>) {
        put_kind(out, self.kind);
        put_option(out, self.block.as_ref());
        self.validator.encode(out);
        self.signature.encode(out);
    }
}

impl Decode for RoundVote {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: read_kind(reader)?,
            block: read_option(reader, "vote_block")?,
            validator: ValidatorAddress::decode(reader)?,
            signature: Signature::decode(reader)?,
        })
    }
}

/// Field table: height (8), round (4), kind (1), count (2), votes.
impl Encode for RoundCertificate {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.round.encode(out);
        out.push(match self.kind {
            RoundCertificateKind::Skip => 1,
            RoundCertificateKind::Precommit => 2,
        });
        sigeli_verifier::encode::put_list(out, &self.votes);
    }
}

impl Decode for RoundCertificate {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            height: Height::decode(reader)?,
            round: Round::decode(reader)?,
            kind: match reader.u8("round_certificate_kind")? {
                1 => RoundCertificateKind::Skip,
                2 => RoundCertificateKind::Precommit,
                value => {
                    return Err(DecodeError::UnknownValue { field: "round_certificate_kind", value: value.into() });
                }
            },
            votes: reader.list("round_votes", sigeli_verifier::params::VALIDATORS_MAX)?,
        })
    }
}

/// Field table: height (8), round (4), valid round (1 or 5), proposer (20), signature (64), block.
impl Encode for SignedProposal {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.round.encode(out);
        put_option(out, self.valid_round.as_ref());
        self.proposer.encode(out);
        self.signature.encode(out);
        self.block.block().encode(out);
    }
}

impl Decode for SignedProposal {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            height: Height::decode(reader)?,
            round: Round::decode(reader)?,
            valid_round: read_option(reader, "valid_round")?,
            proposer: ValidatorAddress::decode(reader)?,
            signature: Signature::decode(reader)?,
            block: SharedBlock::new(sigeli_verifier::block::Block::decode(reader)?),
        })
    }
}

/// The prevotes that a quorum consists of; their signatures are as good as the quorum's.
pub(crate) fn votes_of_polka(polka: &Polka) -> impl Iterator<Item = SignedVote> {
    polka.signatures.iter().map(|(validator, signature)| SignedVote {
        vote: Vote {
            kind: VoteKind::Prevote,
            height: polka.height,
            round: polka.round,
            block: Some(polka.block),
            validator: *validator,
        },
        signature: *signature,
    })
}

/// The votes that a round certificate consists of; their signatures are as good as the certificate's.
pub(crate) fn votes_of_round_certificate(certificate: &RoundCertificate) -> impl Iterator<Item = SignedVote> {
    certificate.votes.iter().map(|vote| SignedVote {
        vote: Vote {
            kind: vote.kind,
            height: certificate.height,
            round: certificate.round,
            block: vote.block,
            validator: vote.validator,
        },
        signature: vote.signature,
    })
}
