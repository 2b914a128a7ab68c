//! Headers and blocks (`docs/protocol.md` §7).

use alloc::vec::Vec;

use crate::{
    decode::{Decode, DecodeError, Reader},
    domain::{HEADER, HEADER_REST},
    encode::{Encode, put_list},
    history::{TransactionHash, tree_root},
    ids::{
        BlockId, GenesisHash, Height, HistoryRoot, Round, StateRoot, TimeMs, TransactionsRoot, ValidatorAddress,
        ValidatorSetHash,
    },
    params::{BLOCK_BYTES_MAX, TRANSACTIONS_PER_BLOCK_MAX},
    transaction::SignedTransaction,
};

/// Everything a block commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The protocol version of its rules and formats.
    pub version: u16,
    /// The ledger.
    pub genesis: GenesisHash,
    /// Its position; genesis is 0.
    pub height: Height,
    /// Its creator's clock, strictly after its parent's.
    pub time: TimeMs,
    /// The id of the header before it; all zero for genesis.
    pub parent: BlockId,
    /// The validator that built it; all zero for genesis.
    pub creator: ValidatorAddress,
    /// The round in which it was built.
    pub round: Round,
    /// Root over its transactions.
    pub transactions_root: TransactionsRoot,
    /// Root of the state after it.
    pub state_root: StateRoot,
    /// RFC 9162 root of the tree whose leaf i is header i's id, for all i below its height.
    pub history_root: HistoryRoot,
    /// The validators that commit it.
    pub validators: ValidatorSetHash,
    /// The validators that commit the next one.
    pub next_validators: ValidatorSetHash,
}

/// The part of a header that a bundle carries, less what a verifier recomputes or trusts already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderProof {
    /// The protocol version.
    pub version: u16,
    /// The height.
    pub height: Height,
    /// The time.
    pub time: TimeMs,
    /// Digest of the rest of the header.
    pub rest: [u8; 32],
}

impl HeaderProof {
    /// The id of the header that has this proof part, this genesis, this state root and these validators.
    #[must_use]
    pub fn id(&self, genesis: &GenesisHash, state_root: &StateRoot, validators: &ValidatorSetHash) -> BlockId {
        BlockId::new(HEADER.hash(&[
            &self.version.to_le_bytes(),
            genesis.as_bytes(),
            &self.height.get().to_le_bytes(),
            &self.time.get().to_le_bytes(),
            state_root.as_bytes(),
            validators.as_bytes(),
            &self.rest,
        ]))
    }
}

impl Encode for HeaderProof {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.version.to_le_bytes());
        self.height.encode(out);
        self.time.encode(out);
        out.extend_from_slice(&self.rest);
    }
}

impl Decode for HeaderProof {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: reader.u16("protocol_version")?,
            height: Height::decode(reader)?,
            time: TimeMs::decode(reader)?,
            rest: reader.array("header_rest")?,
        })
    }
}

impl Header {
    /// The part that bundles carry.
    #[must_use]
    pub fn proof(&self) -> HeaderProof {
        let rest = HEADER_REST.hash(&[
            self.parent.as_bytes(),
            self.creator.as_bytes(),
            &self.round.get().to_le_bytes(),
            self.transactions_root.as_bytes(),
            self.history_root.as_bytes(),
            self.next_validators.as_bytes(),
        ]);
        HeaderProof { version: self.version, height: self.height, time: self.time, rest }
    }

    /// The header's id, which is also the block's: H(proof part ‖ digest of the rest).
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.proof().id(&self.genesis, &self.state_root, &self.validators)
    }
}

impl Encode for Header {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.version.to_le_bytes());
        self.genesis.encode(out);
        self.height.encode(out);
        self.time.encode(out);
        self.parent.encode(out);
        self.creator.encode(out);
        self.round.encode(out);
        self.transactions_root.encode(out);
        self.state_root.encode(out);
        self.history_root.encode(out);
        self.validators.encode(out);
        self.next_validators.encode(out);
    }
}

impl Decode for Header {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: reader.u16("protocol_version")?,
            genesis: GenesisHash::decode(reader)?,
            height: Height::decode(reader)?,
            time: TimeMs::decode(reader)?,
            parent: BlockId::decode(reader)?,
            creator: ValidatorAddress::decode(reader)?,
            round: Round::decode(reader)?,
            transactions_root: TransactionsRoot::decode(reader)?,
            state_root: StateRoot::decode(reader)?,
            history_root: HistoryRoot::decode(reader)?,
            validators: ValidatorSetHash::decode(reader)?,
            next_validators: ValidatorSetHash::decode(reader)?,
        })
    }
}

/// A header and its transactions. That the one commits to the other is checked by [`Block::has_own_transactions`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The transactions, in order of execution; at most [`TRANSACTIONS_PER_BLOCK_MAX`].
    pub transactions: Vec<SignedTransaction>,
}

/// The root over transactions: an RFC 9162 tree over their leaf data, with BLAKE3.
#[must_use]
pub fn transactions_root(transactions: &[SignedTransaction]) -> TransactionsRoot {
    let leaves: Vec<_> = transactions.iter().map(SignedTransaction::leaf_data).collect();
    TransactionsRoot::new(tree_root::<TransactionHash>(leaves.iter().map(Vec::as_slice)))
}

impl Block {
    /// Whether the header's transactions root is that of the transactions.
    #[must_use]
    pub fn has_own_transactions(&self) -> bool {
        transactions_root(&self.transactions) == self.header.transactions_root
    }
}

impl Encode for Block {
    fn encode(&self, out: &mut Vec<u8>) {
        self.header.encode(out);
        put_list(out, &self.transactions);
    }
}

impl Decode for Block {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let before = reader.remaining();
        let header = Header::decode(reader)?;
        let transactions = reader.list("transactions", TRANSACTIONS_PER_BLOCK_MAX)?;
        if before.saturating_sub(reader.remaining()) > BLOCK_BYTES_MAX {
            return Err(DecodeError::LimitExceeded { field: "block", limit: BLOCK_BYTES_MAX });
        }
        Ok(Self { header, transactions })
    }
}
