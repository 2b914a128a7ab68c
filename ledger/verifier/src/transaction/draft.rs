//! A transaction on its way from hand to hand: the body, and the signatures collected so far (`docs/protocol.md` §6).

use alloc::vec::Vec;

use crate::{
    crypto::PublicKey,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, put_list},
    ids::TransactionId,
    params::{SIGNATURES_PER_TRANSACTION_MAX, TRANSACTION_BYTES_MAX},
    transaction::{SignedTransaction, Transaction, TransactionSignature},
};

/// The first bytes of a draft file, the last of them its version.
pub const DRAFT_MAGIC: [u8; 8] = *b"SIGELID\x01";

/// A transaction and its signatures so far: none, some or all, in strictly ascending order of key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    body: Transaction,
    signatures: Vec<TransactionSignature>,
}

/// Why a signature cannot be added to a draft, or two drafts cannot be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The drafts are of different transactions.
    #[error("the files hold different transactions")]
    DifferentTransactions {
        /// The id of the other one.
        other: TransactionId,
    },
    /// One key has signed twice, differently. Ed25519 signatures are deterministic, so one of them is false.
    #[error("two different signatures of one key")]
    DifferentSignatures,
    /// There would be too many signatures, or the transaction would be too large.
    #[error("too many signatures, or the transaction is too large")]
    TooLarge,
}

impl Draft {
    /// A transaction that nobody has signed yet.
    #[must_use]
    pub const fn new(body: Transaction) -> Self {
        Self { body, signatures: Vec::new() }
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Transaction {
        &self.body
    }

    /// The signatures so far. Nobody has checked them: see [`Draft::is_signed_by`].
    #[must_use]
    pub fn signatures(&self) -> &[TransactionSignature] {
        &self.signatures
    }

    /// Whether `entry` is a signature of `key` over this transaction.
    #[must_use]
    pub fn is_signed_by(&self, entry: &TransactionSignature, key: &PublicKey) -> bool {
        crate::crypto::verify_signature(key, &self.body.preimage(), &entry.signature)
    }

    /// Adds a signature; adding the same one again changes nothing.
    ///
    /// # Errors
    /// [`DraftError`]; the draft is then unchanged.
    pub fn add(&mut self, entry: TransactionSignature) -> Result<(), DraftError> {
        let place = match self.signatures.binary_search_by_key(&entry.key, |known| known.key) {
            Ok(place) => {
                let same = self.signatures.get(place).is_some_and(|known| *known == entry);
                return if same { Ok(()) } else { Err(DraftError::DifferentSignatures) };
            }
            Err(place) => place,
        };
        let mut signatures = self.signatures.clone();
        signatures.insert(place, entry);
        if SignedTransaction::new(self.body.clone(), signatures.clone()).is_none() {
            return Err(DraftError::TooLarge);
        }
        self.signatures = signatures;
        Ok(())
    }

    /// Adds the signatures of another copy of the same draft.
    ///
    /// # Errors
    /// [`DraftError`]; the draft is then unchanged.
    pub fn merge(&mut self, other: &Self) -> Result<(), DraftError> {
        if self.body != other.body {
            return Err(DraftError::DifferentTransactions { other: other.body.id() });
        }
        let mut merged = self.clone();
        for entry in &other.signatures {
            merged.add(*entry)?;
        }
        *self = merged;
        Ok(())
    }

    /// The transaction with the signatures so far; `None` before the first one.
    #[must_use]
    pub fn signed(&self) -> Option<SignedTransaction> {
        SignedTransaction::new(self.body.clone(), self.signatures.clone())
    }
}

impl Encode for Draft {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&DRAFT_MAGIC);
        self.body.encode(out);
        put_list(out, &self.signatures);
    }
}

impl Decode for Draft {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.array::<8>("magic")? != DRAFT_MAGIC {
            return Err(DecodeError::NonCanonical { field: "magic" });
        }
        let before = reader.remaining();
        let body = Transaction::decode(reader)?;
        let signatures: Vec<TransactionSignature> = reader.list("signatures", SIGNATURES_PER_TRANSACTION_MAX)?;
        if before.saturating_sub(reader.remaining()) > TRANSACTION_BYTES_MAX {
            return Err(DecodeError::LimitExceeded { field: "transaction", limit: TRANSACTION_BYTES_MAX });
        }
        if !signatures.is_sorted_by(|left, right| left.key < right.key) {
            return Err(DecodeError::NonCanonical { field: "signatures" });
        }
        Ok(Self { body, signatures })
    }
}
