//! What a validator says under its signature: votes and proposals, and the slots they fill.

use sigeli_verifier::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{BlockId, Height, Round, Signature, ValidatorAddress},
    vote::{Proposal, Vote, VoteKind},
};

pub use sigeli_verifier::statement::{SignedStatement, SignedVote, Slot, Statement, Step};
pub(crate) use sigeli_verifier::statement::{put_option, read_option};

use crate::block::SharedBlock;

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
        self.kind.encode(out);
        put_option(out, self.block.as_ref());
        self.validator.encode(out);
        self.signature.encode(out);
    }
}

impl Decode for RoundVote {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: VoteKind::decode(reader)?,
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
