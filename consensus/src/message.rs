//! What validators send to each other.
//!
//! A message is a version byte, a tag byte and a body in the canonical encoding; decoding is total, bounded and strict.
//! Only votes, proposals and the statements in reports are signed: for the rest the transport's authentication is enough,
//! since nothing is believed that is not proven by signatures.

use std::sync::Arc;

use sigeli_verifier::{
    block::Block,
    certificate::CommitCertificate,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, put_count},
    ids::{Height, Round, ValidatorAddress},
};

use crate::{
    params::{MESSAGE_BYTES_MAX, SYNC_BLOCKS_MAX},
    ports::CommittedBlock,
    statement::{Polka, RoundCertificate, SignedProposal, SignedStatement, SignedVote, put_option, read_option},
};

/// The version of the messages.
pub const MESSAGE_VERSION: u8 = 1;

/// The tag of a sync response, the second byte of the message.
pub const SYNC_RESPONSE_TAG: u8 = 10;

/// A message between two nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Tag 1: a vote.
    Vote(SignedVote),
    /// Tag 2: a proposal with its block.
    Proposal(SignedProposal),
    /// Tag 3: a quorum of prevotes.
    Polka(Polka),
    /// Tag 4: a reason to enter a round.
    RoundCertificate(RoundCertificate),
    /// Tag 5: asks for the proposal of a round (height 8, round 4).
    ProposalRequest {
        /// The height.
        height: Height,
        /// The round.
        round: Round,
    },
    /// Tag 6: asks for the highest message signed by a validator (address 20).
    ReportRequest {
        /// Whose.
        validator: ValidatorAddress,
    },
    /// Tag 7: answers it (address 20, height 8, 0 or 1 and the signed statement).
    Report {
        /// Whose.
        validator: ValidatorAddress,
        /// The height that the sender has committed.
        committed: Height,
        /// The message, if any is known.
        highest: Option<SignedStatement>,
    },
    /// Tag 8: where the sender is (height 8, started 1).
    Status {
        /// Its last committed height.
        committed: Height,
        /// Whether it has started to work on the next.
        started: bool,
    },
    /// Tag 9: asks for committed blocks (height 8, count 2, from 1 to [`SYNC_BLOCKS_MAX`]).
    SyncRequest {
        /// The first height.
        from: Height,
        /// At most how many.
        count: u16,
    },
    /// Tag 10: answers it (height 8, count 2, then block and certificate each).
    SyncResponse {
        /// The height of the first block.
        from: Height,
        /// Blocks of consecutive heights; empty when the sender has none to give.
        blocks: Vec<CommittedBlock>,
    },
}

/// The first height of a sync response, read without its blocks; `None` for any other bytes.
#[must_use]
pub fn sync_response_from(bytes: &[u8]) -> Option<Height> {
    match bytes.split_first_chunk::<10>()?.0 {
        [MESSAGE_VERSION, SYNC_RESPONSE_TAG, height @ ..] => Some(Height::new(u64::from_le_bytes(*height))),
        _ => None,
    }
}

impl Encode for Message {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(MESSAGE_VERSION);
        match self {
            Self::Vote(vote) => {
                out.push(1);
                vote.encode(out);
            }
            Self::Proposal(proposal) => {
                out.push(2);
                proposal.encode(out);
            }
            Self::Polka(polka) => {
                out.push(3);
                polka.encode(out);
            }
            Self::RoundCertificate(certificate) => {
                out.push(4);
                certificate.encode(out);
            }
            Self::ProposalRequest { height, round } => {
                out.push(5);
                height.encode(out);
                round.encode(out);
            }
            Self::ReportRequest { validator } => {
                out.push(6);
                validator.encode(out);
            }
            Self::Report { validator, committed, highest } => {
                out.push(7);
                validator.encode(out);
                committed.encode(out);
                put_option(out, highest.as_ref());
            }
            Self::Status { committed, started } => {
                out.push(8);
                committed.encode(out);
                out.push(u8::from(*started));
            }
            Self::SyncRequest { from, count } => {
                out.push(9);
                from.encode(out);
                out.extend_from_slice(&count.to_le_bytes());
            }
            Self::SyncResponse { from, blocks } => {
                out.push(SYNC_RESPONSE_TAG);
                from.encode(out);
                put_count(out, blocks.len());
                for entry in blocks {
                    entry.block.encode(out);
                    entry.certificate.encode(out);
                }
            }
        }
    }
}

impl Decode for Message {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.remaining() > MESSAGE_BYTES_MAX {
            return Err(DecodeError::LimitExceeded { field: "message", limit: MESSAGE_BYTES_MAX });
        }
        let version = reader.u8("message_version")?;
        if version != MESSAGE_VERSION {
            return Err(DecodeError::UnknownValue { field: "message_version", value: version.into() });
        }
        Ok(match reader.u8("message_tag")? {
            1 => Self::Vote(SignedVote::decode(reader)?),
            2 => Self::Proposal(SignedProposal::decode(reader)?),
            3 => Self::Polka(Polka::decode(reader)?),
            4 => Self::RoundCertificate(RoundCertificate::decode(reader)?),
            5 => Self::ProposalRequest { height: Height::decode(reader)?, round: Round::decode(reader)? },
            6 => Self::ReportRequest { validator: ValidatorAddress::decode(reader)? },
            7 => Self::Report {
                validator: ValidatorAddress::decode(reader)?,
                committed: Height::decode(reader)?,
                highest: read_option(reader, "highest")?,
            },
            8 => Self::Status {
                committed: Height::decode(reader)?,
                started: match reader.u8("started")? {
                    0 => false,
                    1 => true,
                    value => return Err(DecodeError::UnknownValue { field: "started", value: value.into() }),
                },
            },
            9 => {
                let from = Height::decode(reader)?;
                let count = reader.u16("sync_count")?;
                if count == 0 || count > SYNC_BLOCKS_MAX {
                    return Err(DecodeError::UnknownValue { field: "sync_count", value: count.into() });
                }
                Self::SyncRequest { from, count }
            }
            SYNC_RESPONSE_TAG => {
                let from = Height::decode(reader)?;
                let count = reader.count("sync_blocks", usize::from(SYNC_BLOCKS_MAX))?;
                let blocks = (0..count)
                    .map(|_| {
                        let block = Arc::new(Block::decode(reader)?);
                        Ok(CommittedBlock { block, certificate: CommitCertificate::decode(reader)? })
                    })
                    .collect::<Result<_, DecodeError>>()?;
                Self::SyncResponse { from, blocks }
            }
            value => return Err(DecodeError::UnknownValue { field: "message_tag", value: value.into() }),
        })
    }
}

#[cfg(test)]
mod tests;
