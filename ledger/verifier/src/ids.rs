//! Newtypes for every digest, identifier and quantity that could be swapped.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
};

macro_rules! bytes_type {
    ($(#[$doc:meta])* $name:ident, $size:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $size]);

        impl $name {
            /// Wraps the bytes.
            #[must_use]
            pub const fn new(bytes: [u8; $size]) -> Self {
                Self(bytes)
            }
            /// The bytes.
            #[must_use]
            pub const fn get(&self) -> [u8; $size] {
                self.0
            }
            /// The bytes, borrowed.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0);
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.array(stringify!($name)).map(Self)
            }
        }
    };
}

macro_rules! number_type {
    ($(#[$doc:meta])* $name:ident, $int:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($int);

        impl $name {
            /// Wraps the number.
            #[must_use]
            pub const fn new(value: $int) -> Self {
                Self(value)
            }
            /// The number.
            #[must_use]
            pub const fn get(self) -> $int {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0.to_le_bytes());
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.$int(stringify!($name)).map(Self)
            }
        }
    };
}

bytes_type!(/** Hash of the genesis document: the identity of a ledger. */ GenesisHash, 32);
bytes_type!(/** Identifier of a header, and so of a block. */ BlockId, 32);
bytes_type!(/** Hash of a transaction's body, without signatures. */ TransactionId, 32);
bytes_type!(/** Root over the transactions of one block. */ TransactionsRoot, 32);
bytes_type!(/** Root over all registers. */ StateRoot, 32);
bytes_type!(/** RFC 9162 root (SHA-256) over the ids of all earlier headers. */ HistoryRoot, 32);
bytes_type!(/** Hash of a validator set. */ ValidatorSetHash, 32);
bytes_type!(/** Digest of the canonical bytes of a document (`DOC`). */ DocumentDigest, 32);
bytes_type!(/** Salted commitment to a document (`LEAF`). */ Leaf, 32);
bytes_type!(/** Root of a perfect batch tree. */ BatchRoot, 32);
bytes_type!(/** Opaque name of a credential in its institution's status register (`STATUS`). */ StatusHandle, 32);
bytes_type!(/** Hash of the reference of an authority's decision (its number and date, for example); all zero where none stands behind a change. */ DecisionRef, 32);
bytes_type!(/** Hash of what a permission was granted for. */ PermissionContent, 32);
bytes_type!(/** Hash of an institution's public profile, which is kept off the ledger; all zero when there is none. */ ProfileHash, 32);
bytes_type!(/** Re-hashed key of a register entry. */ RegisterKey, 32);
bytes_type!(/** Hash of a register entry's value. */ ValueHash, 32);
bytes_type!(/** Root of a register; all zero when it is empty. */ RegisterRoot, 32);
bytes_type!(/** Short name of a validator key: the first 20 bytes of its hash. */ ValidatorAddress, 20);
bytes_type!(/** Name of the evidence that a validator signed two messages for one slot. */ EvidenceId, 32);
bytes_type!(/** An Ed25519 signature. */ Signature, 64);

number_type!(/** Position of a block; genesis is 0. */ Height, u64);
number_type!(/** Milliseconds since 1970-01-01T00:00:00Z. */ TimeMs, u64);
number_type!(/** Consensus round within a height, from 0. */ Round, u32);
number_type!(/** Position of a leaf in a batch tree, from 0. */ LeafIndex, u32);
number_type!(/** Number of an institution, chosen by the quality agency when it registers it; never 0. */ InstitutionId, u32);
number_type!(/** Number of a permission within its institution, from 1, in order of grant. */ PermissionId, u32);
number_type!(/** Number of a programme within the institution that coordinates it, from 1, in order of registration. */ ProgrammeId, u32);
number_type!(/** Number of a batch within its institution, from 1, in order of anchoring. */ BatchSequence, u32);
number_type!(/** Position of a key in its owner's list, from 0. */ KeyIndex, u16);
number_type!(/** Number of an authority in genesis. */ AuthorityId, u8);
number_type!(/** Weight of a validator's vote. */ VotingPower, u64);
number_type!(/** Sequence number of an authority's transactions, from 1. */ AuthoritySequence, u64);
number_type!(/** Sequence number of the authorities' joint transactions, from 1. */ GovernanceSequence, u64);
number_type!(/** Credits of the European Credit Transfer System, in tenths. */ EctsTenths, u16);

impl DecisionRef {
    /// No decision: what an institution does on its own.
    pub const NONE: Self = Self::new([0; 32]);
}

impl RegisterRoot {
    /// The root of an empty register.
    pub const EMPTY: Self = Self::new([0; 32]);
}

impl Height {
    /// The height after this one; saturates at the end of `u64`, which is never reached.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The height before this one, if any.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(height) => Some(Self(height)),
            None => None,
        }
    }
}

/// A secret 32-byte random value, drawn for one credential and erasable with it (`docs/protocol.md` §4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// Wraps the bytes. They must come from the operating system's random source.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The bytes. Never log them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Salt(..)")
    }
}

impl Encode for Salt {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl Decode for Salt {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array("salt").map(Self)
    }
}
