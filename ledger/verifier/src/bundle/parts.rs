//! A bundle in two files: the receipt that is kept for ever, and the stamp that is refreshed (`docs/protocol.md` §10).
//!
//! Both carry the first bytes of a hash of the receipt, so that the stamp of another credential is noticed when the two
//! are joined and not taken for a forgery when they are verified. Security never rests on these bytes.

use alloc::vec::Vec;

use super::{Bundle, Receipt, StampFile, TAG_BYTES};
use crate::{
    decode::{Decode, DecodeError, Reader},
    domain,
    encode::Encode,
    params::BUNDLE_BYTES_MAX,
};

/// First bytes of a receipt in a file of its own: name and version.
pub const RECEIPT_MAGIC: [u8; 8] = *b"SIGELIR\x01";

/// First bytes of a stamp in a file of its own: name and version.
pub const STAMP_MAGIC: [u8; 8] = *b"SIGELIS\x01";

/// The first bytes of the hash of a receipt: which receipt a stamp was made for.
#[must_use]
pub fn receipt_tag(receipt: &Receipt) -> [u8; TAG_BYTES] {
    domain::RECEIPT.hash(&[&receipt.to_bytes()]).first_chunk().copied().unwrap_or_default()
}

/// The first bytes of the hash of a bundle: which bundle a part of one belongs to, where it is carried in several.
#[must_use]
pub fn bundle_tag(bundle: &[u8]) -> [u8; TAG_BYTES] {
    domain::BUNDLE.hash(&[bundle]).first_chunk().copied().unwrap_or_default()
}

/// What a learner keeps for ever, in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptPart {
    /// The first bytes of the ledger's genesis hash.
    pub ledger: [u8; TAG_BYTES],
    /// The receipt.
    pub receipt: Receipt,
}

/// What is refreshed, in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampPart {
    /// The first bytes of the ledger's genesis hash.
    pub ledger: [u8; TAG_BYTES],
    /// Which receipt it was made for: [`receipt_tag`].
    pub receipt: [u8; TAG_BYTES],
    /// The stamp and its sections.
    pub stamp: StampFile,
}

/// Why a receipt and a stamp make no bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// They speak of two ledgers.
    #[error("the receipt and the stamp are of two ledgers")]
    OtherLedger,
    /// The stamp was made for another receipt.
    #[error("the stamp was made for another receipt")]
    OtherReceipt,
}

impl Bundle {
    /// The two halves of a bundle.
    #[must_use]
    pub fn split(self) -> (ReceiptPart, StampPart) {
        let receipt = receipt_tag(&self.receipt);
        let stamp = StampPart { ledger: self.ledger, receipt, stamp: self.stamp };
        (ReceiptPart { ledger: self.ledger, receipt: self.receipt }, stamp)
    }

    /// The bundle of two halves. That they belong together is a matter of their tags; that the result is true, of
    /// [`crate::verify`].
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn join(receipt: ReceiptPart, stamp: StampPart) -> Result<Self, JoinError> {
        if receipt.ledger != stamp.ledger {
            return Err(JoinError::OtherLedger);
        }
        if receipt_tag(&receipt.receipt) != stamp.receipt {
            return Err(JoinError::OtherReceipt);
        }
        Ok(Self { ledger: receipt.ledger, receipt: receipt.receipt, stamp: stamp.stamp })
    }
}

fn check_size_and_magic(reader: &mut Reader<'_>, magic: [u8; 8]) -> Result<(), DecodeError> {
    if reader.remaining() > BUNDLE_BYTES_MAX {
        return Err(DecodeError::LimitExceeded { field: "bundle", limit: BUNDLE_BYTES_MAX });
    }
    if reader.array::<8>("magic")? == magic { Ok(()) } else { Err(DecodeError::NonCanonical { field: "magic" }) }
}

impl Encode for ReceiptPart {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&RECEIPT_MAGIC);
        out.extend_from_slice(&self.ledger);
        self.receipt.encode(out);
    }
}

impl Decode for ReceiptPart {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        check_size_and_magic(reader, RECEIPT_MAGIC)?;
        Ok(Self { ledger: reader.array("ledger_tag")?, receipt: Receipt::decode(reader)? })
    }
}

impl Encode for StampPart {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&STAMP_MAGIC);
        out.extend_from_slice(&self.ledger);
        out.extend_from_slice(&self.receipt);
        self.stamp.encode(out);
    }
}

impl Decode for StampPart {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        check_size_and_magic(reader, STAMP_MAGIC)?;
        Ok(Self {
            ledger: reader.array("ledger_tag")?,
            receipt: reader.array("receipt_tag")?,
            stamp: StampFile::decode(reader)?,
        })
    }
}
