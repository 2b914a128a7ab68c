//! The write-ahead log of one height: what the core was told, so that after a crash it can be told again.
//!
//! Rows are chained by hashes: each commits to the row before it, the first to ledger, validator and height. A row is
//! `version (1) ‖ height (8) ‖ sequence (8) ‖ payload length (4) ‖ CRC-32 of these 21 bytes (4) ‖ payload ‖ chain hash (32)`,
//! all little-endian. The head has a checksum of its own so that a damaged length cannot pass for a torn tail: a row is
//! torn only if it is the last, its head is whole and right (or itself cut short), and its bytes end early.
//!
//! Guarantees: every flipped bit, every missing, foreign, swapped or repeated row is [`WalDamage`]; a torn or missing
//! tail passes only if the sign-state does not name a row in it, since then no signature depended on it.
//!
//! A block is written once per height, as a row of its own; proposals and verdicts name it.

use std::collections::BTreeMap;

use sigeli_verifier::{
    block::Block,
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{BlockId, GenesisHash, Height, Round, Signature, ValidatorAddress},
    params::BLOCK_BYTES_MAX,
};

use crate::{
    block::SharedBlock,
    engine::{Input, Timeout, TimeoutKind, Verdict},
    ports::{Fatal, Wal},
    statement::{Polka, SignedProposal, SignedVote, put_option, read_option},
};

const VERSION: u8 = 1;
/// Bytes before the payload.
const HEAD_BYTES: usize = 1 + 8 + 8 + 4 + 4;
/// Bytes after the payload.
const HASH_BYTES: usize = 32;
/// Largest payload: a block and a tag.
const PAYLOAD_BYTES_MAX: usize = BLOCK_BYTES_MAX + 1;
/// Domain of the chain hash. Local to a node: never on a wire.
const CHAIN_CONTEXT: &str = "ge.microcredential.ledger 2026-11 v1 consensus write-ahead log";

/// A row by name: what the sign-state holds of the last synced one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalPosition {
    /// The height of the log.
    pub height: Height,
    /// The row's sequence.
    pub sequence: u64,
    /// The row's chain hash.
    pub hash: [u8; 32],
}

/// Why a log cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WalDamage {
    /// A row's head or payload is not what was written.
    #[error("row {sequence} is not what was written")]
    Row {
        /// Its expected sequence.
        sequence: u64,
    },
    /// A whole row cannot be read as an entry.
    #[error("row {sequence} holds no known entry: {error}")]
    Entry {
        /// Its sequence.
        sequence: u64,
        /// Why.
        error: DecodeError,
    },
    /// A row names a block that no row before it holds.
    #[error("row {sequence} names a block that is not in the log")]
    UnknownBlock {
        /// Its sequence.
        sequence: u64,
    },
    /// The sign-state names a row that is not there: signatures may have been forgotten.
    #[error("the log ends before row {named} of height {height}, which the sign-state names")]
    EndsEarly {
        /// The height.
        height: Height,
        /// The row's sequence.
        named: u64,
    },
    /// The sign-state names another row than the log holds.
    #[error("row {named} of height {height} is another than the sign-state names")]
    Mismatch {
        /// The height.
        height: Height,
        /// The row's sequence.
        named: u64,
    },
}

/// The log of one height, open for writing.
#[derive(Debug, Clone)]
pub struct WalLog {
    height: Height,
    next: u64,
    hash: [u8; 32],
    blocks: BTreeMap<BlockId, SharedBlock>,
}

impl WalLog {
    /// Opens the log of a height: checks every row, and that the row named by the sign-state is there.
    ///
    /// Returns the log, positioned after the last good row, and what it holds.
    ///
    /// # Errors
    /// [`WalDamage`]: the node must stop.
    pub fn open(
        genesis: &GenesisHash,
        validator: &ValidatorAddress,
        height: Height,
        rows: &[Vec<u8>],
        named: Option<&WalPosition>,
    ) -> Result<(Self, Vec<Input>), WalDamage> {
        let mut log = Self { height, next: 0, hash: anchor(genesis, validator, height), blocks: BTreeMap::new() };
        let named = named.filter(|position| position.height == height);
        let mut found = named.is_none();
        let mut inputs = Vec::new();
        for (position, row) in rows.iter().enumerate() {
            let is_last = position.saturating_add(1) == rows.len();
            let Some(payload) = log.check_row(row, is_last)? else { break };
            let sequence = log.next;
            log.hash = chain(&log.hash, row);
            log.next = log.next.saturating_add(1);
            if let Some(named) = named.filter(|named| named.sequence == sequence) {
                if named.hash != log.hash {
                    return Err(WalDamage::Mismatch { height, named: sequence });
                }
                found = true;
            }
            inputs.extend(log.read_entry(payload, sequence)?);
        }
        match named {
            Some(named) if !found => Err(WalDamage::EndsEarly { height, named: named.sequence }),
            _ => Ok((log, inputs)),
        }
    }

    /// Appends an input, and before it the block it names unless the log holds it. Buffered by the port.
    ///
    /// # Errors
    /// [`Fatal::Storage`].
    pub fn append(&mut self, wal: &mut impl Wal, input: &Input) -> Result<(), Fatal> {
        if let Some(block) = block_of(input)
            && !self.blocks.contains_key(&block.id())
        {
            let mut payload = vec![1];
            block.block().encode(&mut payload);
            self.append_payload(wal, &payload)?;
            self.blocks.insert(block.id(), block.clone());
        }
        self.append_payload(wal, &entry_payload(input))
    }

    /// The last row, if there is one.
    #[must_use]
    pub fn position(&self) -> Option<WalPosition> {
        let sequence = self.next.checked_sub(1)?;
        Some(WalPosition { height: self.height, sequence, hash: self.hash })
    }

    fn append_payload(&mut self, wal: &mut impl Wal, payload: &[u8]) -> Result<(), Fatal> {
        let row = encode_row(&self.hash, self.height, self.next, payload);
        wal.append(self.height, self.next, &row)?;
        self.hash = chain(&self.hash, &row);
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    /// The payload of a good row; `None` for a torn last one.
    fn check_row<'a>(&self, row: &'a [u8], is_last: bool) -> Result<Option<&'a [u8]>, WalDamage> {
        let damaged = WalDamage::Row { sequence: self.next };
        let torn = if is_last { Ok(None) } else { Err(damaged) };
        let Some((head, rest)) = row.split_at_checked(HEAD_BYTES) else {
            // Even a cut head must agree with what would have been written, as far as it goes.
            let fixed = head_bytes(self.height, self.next, 0);
            let known = row.len().min(1 + 8 + 8);
            return if row.get(..known) == fixed.get(..known) { torn } else { Err(damaged) };
        };
        let length = head.get(17..21).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
        if head != head_bytes(self.height, self.next, length) {
            return Err(damaged);
        }
        let length = usize::try_from(length).map_err(|_| damaged)?;
        if length > PAYLOAD_BYTES_MAX {
            return Err(damaged);
        }
        let whole = length.saturating_add(HASH_BYTES);
        if rest.len() < whole {
            return torn;
        }
        let (payload, hash) = rest.split_at_checked(length).ok_or(damaged)?;
        if rest.len() == whole && hash == row_hash(&self.hash, head, payload) {
            Ok(Some(payload))
        } else {
            Err(damaged)
        }
    }

    fn read_entry(&mut self, payload: &[u8], sequence: u64) -> Result<Option<Input>, WalDamage> {
        let damaged = |error| WalDamage::Entry { sequence, error };
        match Entry::from_bytes(payload).map_err(damaged)? {
            Entry::Block(block) => {
                let block = SharedBlock::new(block);
                self.blocks.insert(block.id(), block);
                Ok(None)
            }
            Entry::Vote(vote) => Ok(Some(Input::Vote(vote))),
            Entry::Polka(polka) => Ok(Some(Input::Polka(polka))),
            Entry::Timeout(timeout) => Ok(Some(Input::Timeout(timeout))),
            Entry::Proposal { naming, signature } => {
                let Naming { round, valid_round, proposer, block } = naming;
                let block = self.blocks.get(&block).cloned().ok_or(WalDamage::UnknownBlock { sequence })?;
                let height = self.height;
                Ok(Some(Input::Proposal(SignedProposal { height, round, valid_round, proposer, block, signature })))
            }
            Entry::Verdict { naming, valid } => {
                let Naming { round, valid_round, proposer, block } = naming;
                let block = self.blocks.get(&block).cloned().ok_or(WalDamage::UnknownBlock { sequence })?;
                Ok(Some(Input::Verdict(Verdict { round, valid_round, proposer, block, valid })))
            }
        }
    }
}

fn anchor(genesis: &GenesisHash, validator: &ValidatorAddress, height: Height) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(CHAIN_CONTEXT);
    hasher.update(genesis.as_bytes()).update(validator.as_bytes()).update(&height.get().to_le_bytes());
    *hasher.finalize().as_bytes()
}

fn head_bytes(height: Height, sequence: u64, length: u32) -> [u8; HEAD_BYTES] {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.push(VERSION);
    head.extend_from_slice(&height.get().to_le_bytes());
    head.extend_from_slice(&sequence.to_le_bytes());
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
    head.try_into().expect("1 + 8 + 8 + 4 + 4 bytes are a head")
}

fn row_hash(previous: &[u8; 32], head: &[u8], payload: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(CHAIN_CONTEXT);
    hasher.update(previous).update(head).update(payload);
    *hasher.finalize().as_bytes()
}

/// The chain hash that a whole row ends with.
fn chain(previous: &[u8; 32], row: &[u8]) -> [u8; 32] {
    row.last_chunk::<HASH_BYTES>().copied().unwrap_or(*previous)
}

fn encode_row(previous: &[u8; 32], height: Height, sequence: u64, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("payloads are bounded by the block size");
    let head = head_bytes(height, sequence, length);
    let mut row = Vec::with_capacity(payload.len().saturating_add(HEAD_BYTES + HASH_BYTES));
    row.extend_from_slice(&head);
    row.extend_from_slice(payload);
    row.extend_from_slice(&row_hash(previous, &head, payload));
    row
}

const fn block_of(input: &Input) -> Option<&SharedBlock> {
    match input {
        Input::Proposal(proposal) => Some(&proposal.block),
        Input::Verdict(verdict) => Some(&verdict.block),
        Input::Propose { block, .. } => Some(block),
        Input::Vote(_) | Input::Polka(_) | Input::RoundCertificate(_) | Input::Timeout(_) => None,
    }
}

/// What a proposal or a verdict says, its block by id.
struct Naming {
    round: Round,
    valid_round: Option<Round>,
    proposer: ValidatorAddress,
    block: BlockId,
}

/// A payload: a tag byte, then 1 block, 2 vote, 3 proposal (round, valid round, proposer, block id, signature),
/// 4 verdict (the same, a boolean for the signature), 5 timeout (round, kind), 6 polka.
enum Entry {
    Block(Block),
    Vote(SignedVote),
    Proposal { naming: Naming, signature: Signature },
    Verdict { naming: Naming, valid: bool },
    Timeout(Timeout),
    Polka(Polka),
}

fn put_naming(out: &mut Vec<u8>, naming: &Naming) {
    naming.round.encode(out);
    put_option(out, naming.valid_round.as_ref());
    naming.proposer.encode(out);
    naming.block.encode(out);
}

fn entry_payload(input: &Input) -> Vec<u8> {
    let mut out = Vec::new();
    match input {
        Input::Vote(vote) => {
            out.push(2);
            vote.encode(&mut out);
        }
        Input::Proposal(SignedProposal { round, valid_round, proposer, block, signature, .. }) => {
            out.push(3);
            let naming = Naming { round: *round, valid_round: *valid_round, proposer: *proposer, block: block.id() };
            put_naming(&mut out, &naming);
            signature.encode(&mut out);
        }
        Input::Verdict(Verdict { round, valid_round, proposer, block, valid }) => {
            out.push(4);
            let naming = Naming { round: *round, valid_round: *valid_round, proposer: *proposer, block: block.id() };
            put_naming(&mut out, &naming);
            out.push(u8::from(*valid));
        }
        Input::Timeout(timeout) => {
            out.push(5);
            timeout.round.encode(&mut out);
            out.push(timeout.kind.code());
        }
        Input::Polka(polka) => {
            out.push(6);
            polka.encode(&mut out);
        }
        // The core logs the votes of a round certificate one by one, and a proposed block as a verdict.
        Input::RoundCertificate(_) | Input::Propose { .. } => unreachable!("the engine never logs these inputs"),
    }
    out
}

impl Decode for Naming {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            round: Round::decode(reader)?,
            valid_round: read_option(reader, "valid_round")?,
            proposer: ValidatorAddress::decode(reader)?,
            block: BlockId::decode(reader)?,
        })
    }
}

impl Decode for Entry {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("wal_entry")? {
            1 => Block::decode(reader).map(Self::Block),
            2 => SignedVote::decode(reader).map(Self::Vote),
            3 => Ok(Self::Proposal { naming: Naming::decode(reader)?, signature: Signature::decode(reader)? }),
            4 => {
                let naming = Naming::decode(reader)?;
                match reader.u8("valid")? {
                    0 => Ok(Self::Verdict { naming, valid: false }),
                    1 => Ok(Self::Verdict { naming, valid: true }),
                    value => Err(DecodeError::UnknownValue { field: "valid", value: value.into() }),
                }
            }
            5 => {
                let round = Round::decode(reader)?;
                let code = reader.u8("timeout_kind")?;
                let kind = TimeoutKind::from_code(code)
                    .ok_or_else(|| DecodeError::UnknownValue { field: "timeout_kind", value: code.into() })?;
                Ok(Self::Timeout(Timeout { round, kind }))
            }
            6 => Polka::decode(reader).map(Self::Polka),
            value => Err(DecodeError::UnknownValue { field: "wal_entry", value: value.into() }),
        }
    }
}

#[cfg(test)]
mod tests;
