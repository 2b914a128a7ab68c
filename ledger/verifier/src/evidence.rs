//! Proof that a validator signed two messages where it may sign one (`docs/protocol.md` §18).
//!
//! Such a file accuses by itself: both messages, both signatures, and the key. Whose key it is, a trust file or the ledger's
//! register of validators says. An [`Evidence`] that exists is valid: its only constructors check both signatures.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::{
    crypto::{PublicKey, verify_signature},
    decode::{Decode, DecodeError, Reader},
    domain::EVIDENCE,
    encode::Encode,
    ids::{EvidenceId, GenesisHash},
    statement::{SignedStatement, Slot},
    validators::address,
};

/// First bytes of a file of evidence: name and version.
pub const EVIDENCE_MAGIC: [u8; 8] = *b"SIGELIE\x01";

/// Longest file of evidence, in bytes: of two proposals, each made again from an earlier round.
pub const EVIDENCE_BYTES_MAX: usize = 8 + 32 + 33 + 2 * (1 + 8 + 4 + 5 + 32 + 20 + 64);

/// Why two messages are no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The bytes are none of this format.
    #[error("the file is no evidence that this program can read: {0}")]
    Decode(#[from] DecodeError),
    /// They are about different heights, rounds or kinds of message.
    #[error("the two messages do not exclude each other: they fill different slots")]
    Slot,
    /// They say the same.
    #[error("the two messages say the same")]
    Same,
    /// One of them is not the key's own.
    #[error("a message names another validator than the key's")]
    Validator,
    /// A signature does not verify.
    #[error("a signature does not verify: nothing is proved against this key")]
    Signature,
}

/// Two different messages that one key signed for one slot. Both signatures were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    genesis: GenesisHash,
    key: PublicKey,
    first: SignedStatement,
    second: SignedStatement,
}

impl Evidence {
    /// Takes the messages in any order.
    ///
    /// # Errors
    /// [`EvidenceError`], but for its first.
    pub fn new(
        genesis: GenesisHash,
        key: PublicKey,
        one: SignedStatement,
        other: SignedStatement,
    ) -> Result<Self, EvidenceError> {
        if one.statement.slot() != other.statement.slot() {
            return Err(EvidenceError::Slot);
        }
        if [one, other].iter().any(|signed| signed.statement.validator() != address(&key)) {
            return Err(EvidenceError::Validator);
        }
        let [said, said_too] = [one, other].map(|signed| signed.statement.preimage(&genesis));
        let (first, second) = match said.cmp(&said_too) {
            Ordering::Less => (one, other),
            Ordering::Equal => return Err(EvidenceError::Same),
            Ordering::Greater => (other, one),
        };
        let signed = |message: &[u8], by: SignedStatement| verify_signature(&key, message, &by.signature);
        if signed(&said, one) && signed(&said_too, other) {
            Ok(Self { genesis, key, first, second })
        } else {
            Err(EvidenceError::Signature)
        }
    }

    /// Reads a file and checks all that it claims.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn read(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let mut reader = Reader::new(bytes);
        if reader.array("magic")? != EVIDENCE_MAGIC {
            return Err(DecodeError::UnknownValue { field: "magic", value: 0 }.into());
        }
        let (genesis, key) = (GenesisHash::decode(&mut reader)?, PublicKey::decode(&mut reader)?);
        let first = SignedStatement::decode(&mut reader)?;
        let second = SignedStatement::decode(&mut reader)?;
        reader.finish()?;
        let evidence = Self::new(genesis, key, first, second)?;
        if evidence.first == first { Ok(evidence) } else { Err(DecodeError::NonCanonical { field: "second" }.into()) }
    }

    /// The file, as [`Evidence::read`] reads it; at most [`EVIDENCE_BYTES_MAX`].
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        let mut out = Vec::from(EVIDENCE_MAGIC);
        self.genesis.encode(&mut out);
        self.key.encode(&mut out);
        self.first.encode(&mut out);
        self.second.encode(&mut out);
        out
    }

    /// Its name: the hash of genesis, key, slot, and what was signed. The same two messages give the same name, in
    /// whichever order they came and with whichever signatures.
    #[must_use]
    pub fn id(&self) -> EvidenceId {
        let [first, second] = self.statements().map(|signed| signed.statement.preimage(&self.genesis));
        EvidenceId::new(EVIDENCE.hash(&[&self.key.to_bytes(), &first, &second]))
    }

    /// The ledger for which both were signed.
    #[must_use]
    pub const fn genesis(&self) -> &GenesisHash {
        &self.genesis
    }

    /// The key that signed both.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The slot that both fill.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        self.first.statement.slot()
    }

    /// The two messages, in ascending order of what was signed.
    #[must_use]
    pub const fn statements(&self) -> [&SignedStatement; 2] {
        [&self.first, &self.second]
    }
}
