//! Transactions: who asks the ledger for what (`docs/protocol.md` §6).
//!
//! The id hashes the body without signatures, so that a transaction can be signed by several hands in any order and
//! still executes once. A signature covers tag, genesis hash and id.

mod batch;
mod draft;
mod governance;
mod institution;
mod permission;

use alloc::vec::Vec;

use crate::{
    bounded::Text,
    crypto::{PublicKey, verify_signature},
    decode::{Decode, DecodeError, Reader},
    domain::{TAG_TRANSACTION, TRANSACTION},
    encode::{Encode, fields, put_list},
    history::{TransactionHash, TreeHash as _},
    ids::{
        AuthorityId, AuthoritySequence, GenesisHash, GovernanceSequence, InstitutionId, KeyIndex, Signature, TimeMs,
        TransactionId,
    },
    params::{NAME_BYTES_MAX, SIGNATURES_PER_TRANSACTION_MAX, TRANSACTION_BYTES_MAX},
    vote::join,
};

pub use self::{
    batch::{
        BatchAnchor, BatchAnnul, BatchAnnulEntry, BatchStatusSet, StatusAnnul, StatusAnnulEntry, StatusEntry,
        StatusOrder, StatusSet,
    },
    draft::{DRAFT_MAGIC, Draft, DraftError},
    governance::{AuthorityKeysSet, AuthorityRemove, AuthoritySet, PolicySet, UpgradeSchedule},
    institution::{
        InstitutionClose, InstitutionKey, InstitutionRegister, InstitutionReopen, InstitutionUpdate, KeyClear,
        KeyCompromise, KeyRetire, KeysAdd, ProgrammeRegister,
    },
    permission::{
        Accreditation, FieldPrefixes, PermissionAnnul, PermissionChange, PermissionGrant, PermissionReplace,
        PermissionScope,
    },
};
pub use crate::codes::{
    AuthorityKind, BatchAction, CredentialType, DecisionReason, Field, FieldPrefix, HashAlgorithm, InstitutionKind,
    KeyPurposes, Level, Levels, Modes, PermissionAction, StatusAction, StatusReason,
};

/// A public name, Georgian or English.
pub type Name = Text<NAME_BYTES_MAX>;

/// Who sends a transaction, and so which keys may sign it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// An institution; exactly one of its keys signs.
    Institution {
        /// Which.
        institution: InstitutionId,
    },
    /// An authority; at least its threshold of keys sign.
    Authority {
        /// Which.
        authority: AuthorityId,
        /// Its next sequence number.
        sequence: AuthoritySequence,
    },
    /// The authorities jointly; as many sign as the policy asks for, each by at least its threshold of keys. The index of
    /// a signature is 256 × the authority's number + the position of its key.
    Authorities {
        /// Their next sequence number.
        sequence: GovernanceSequence,
    },
}

/// The index of a signature under a joint transaction of the authorities.
#[must_use]
pub fn joint_key(authority: AuthorityId, key: u8) -> KeyIndex {
    KeyIndex::new(u16::from_be_bytes([authority.get(), key]))
}

/// Authority and position of the key of such an index.
#[must_use]
pub const fn joint_key_parts(index: KeyIndex) -> (AuthorityId, u8) {
    let [authority, key] = index.get().to_be_bytes();
    (AuthorityId::new(authority), key)
}

impl Encode for Sender {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Institution { institution } => {
                out.push(1);
                institution.encode(out);
            }
            Self::Authority { authority, sequence } => {
                out.push(2);
                authority.encode(out);
                sequence.encode(out);
            }
            Self::Authorities { sequence } => {
                out.push(3);
                sequence.encode(out);
            }
        }
    }
}

impl Decode for Sender {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("sender")? {
            1 => Ok(Self::Institution { institution: InstitutionId::decode(reader)? }),
            2 => Ok(Self::Authority {
                authority: AuthorityId::decode(reader)?,
                sequence: AuthoritySequence::decode(reader)?,
            }),
            3 => Ok(Self::Authorities { sequence: GovernanceSequence::decode(reader)? }),
            value => Err(DecodeError::UnknownValue { field: "sender", value: value.into() }),
        }
    }
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $code:literal $name:ident,)+) => {
        /// What is asked.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Payload {
            $($(#[$doc])* $name($name)),+
        }

        impl Payload {
            /// The kind's byte. 69 (validators) is reserved, and others for the kinds of later versions.
            #[must_use]
            pub const fn code(&self) -> u8 {
                match self {
                    $(Self::$name(_) => $code),+
                }
            }
        }

        impl Encode for Payload {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(self.code());
                match self {
                    $(Self::$name(payload) => payload.encode(out)),+
                }
            }
        }

        impl Decode for Payload {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match reader.u8("transaction_kind")? {
                    $($code => $name::decode(reader).map(Self::$name),)+
                    value => Err(DecodeError::UnknownValue { field: "transaction_kind", value: value.into() }),
                }
            }
        }
    };
}

payloads! {
    /// Register an institution.
    1 InstitutionRegister,
    /// Change what an institution is called and what it is.
    2 InstitutionUpdate,
    /// Close an institution.
    3 InstitutionClose,
    /// Take back a closure.
    4 InstitutionReopen,
    /// Give an institution further keys.
    5 KeysAdd,
    /// Retire a key of an institution.
    6 KeyRetire,
    /// Declare keys of an institution compromised.
    7 KeyCompromise,
    /// Register a programme.
    8 ProgrammeRegister,
    /// Take back that keys of an institution are compromised.
    9 KeyClear,
    /// Grant a permission.
    16 PermissionGrant,
    /// Suspend, reinstate or withdraw a permission.
    17 PermissionChange,
    /// Replace a permission.
    18 PermissionReplace,
    /// Annul the withdrawal of a permission.
    19 PermissionAnnul,
    /// Anchor a batch.
    32 BatchAnchor,
    /// Set the status of a batch.
    33 BatchStatusSet,
    /// Annul what was written about batches.
    34 BatchAnnul,
    /// Set statuses of credentials.
    48 StatusSet,
    /// Set statuses of credentials by decision.
    49 StatusOrder,
    /// Annul what was written about credentials.
    50 StatusAnnul,
    /// Change the sending authority's own keys.
    64 AuthorityKeysSet,
    /// Add or change an authority.
    65 AuthoritySet,
    /// End an authority.
    66 AuthorityRemove,
    /// Set the policy.
    67 PolicySet,
    /// Announce another protocol version.
    68 UpgradeSchedule,
}

/// A transaction without its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The ledger it is meant for.
    pub genesis: GenesisHash,
    /// The last ledger time at which it may be included.
    pub valid_until: TimeMs,
    /// Who sends it.
    pub sender: Sender,
    /// What is asked.
    pub payload: Payload,
}

/// Bytes of a transaction's signing preimage.
pub const TRANSACTION_PREIMAGE_BYTES: usize = 16 + 32 + 32;

impl Transaction {
    /// The id: the hash of the body.
    #[must_use]
    pub fn id(&self) -> TransactionId {
        id_of(&self.to_bytes())
    }

    /// The bytes that every signer signs: tag, genesis hash, id.
    #[must_use]
    pub fn preimage(&self) -> [u8; TRANSACTION_PREIMAGE_BYTES] {
        signing_preimage(&self.genesis, &self.id())
    }
}

fn id_of(body: &[u8]) -> TransactionId {
    TransactionId::new(TRANSACTION.hash(&[body]))
}

fn signing_preimage(genesis: &GenesisHash, id: &TransactionId) -> [u8; TRANSACTION_PREIMAGE_BYTES] {
    join(&[&TAG_TRANSACTION, genesis.as_bytes(), id.as_bytes()])
}

fields!(Transaction { genesis, valid_until, sender, payload });

/// The algorithm byte before a signature, as before a public key, so that the algorithm can be succeeded.
const ED25519: u8 = 1;

/// A signature and the position of its key in the sender's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionSignature {
    /// The key.
    pub key: KeyIndex,
    /// The signature over [`Transaction::preimage`].
    pub signature: Signature,
}

impl Encode for TransactionSignature {
    fn encode(&self, out: &mut Vec<u8>) {
        self.key.encode(out);
        out.push(ED25519);
        self.signature.encode(out);
    }
}

impl Decode for TransactionSignature {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let key = KeyIndex::decode(reader)?;
        match reader.u8("signature_algorithm")? {
            ED25519 => Ok(Self { key, signature: Signature::decode(reader)? }),
            value => Err(DecodeError::UnknownValue { field: "signature_algorithm", value: value.into() }),
        }
    }
}

/// A transaction with signatures in strictly ascending order of key, well-formed but not yet checked against keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    body: Transaction,
    id: TransactionId,
    signatures: Vec<TransactionSignature>,
}

impl SignedTransaction {
    /// Puts body and signatures together; `None` when there is no signature, too many, or two of one key, or when the
    /// encoding would exceed [`TRANSACTION_BYTES_MAX`].
    #[must_use]
    pub fn new(body: Transaction, mut signatures: Vec<TransactionSignature>) -> Option<Self> {
        signatures.sort_by_key(|entry| entry.key);
        let distinct = signatures.is_sorted_by(|left, right| left.key < right.key);
        let counted = !signatures.is_empty() && signatures.len() <= SIGNATURES_PER_TRANSACTION_MAX;
        let mut encoded = body.to_bytes();
        let id = id_of(&encoded);
        put_list(&mut encoded, &signatures);
        let fits = encoded.len() <= TRANSACTION_BYTES_MAX;
        (distinct && counted && fits).then_some(Self { body, id, signatures })
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Transaction {
        &self.body
    }

    /// The id of the body, computed once.
    #[must_use]
    pub const fn id(&self) -> TransactionId {
        self.id
    }

    /// The signatures, in ascending order of key; at least one.
    #[must_use]
    pub fn signatures(&self) -> &[TransactionSignature] {
        &self.signatures
    }

    /// Whether `entry` is a signature of `key` over this transaction.
    #[must_use]
    pub fn is_signed_by(&self, entry: &TransactionSignature, key: &PublicKey) -> bool {
        verify_signature(key, &signing_preimage(&self.body.genesis, &self.id), &entry.signature)
    }

    /// The data of its leaf in the transaction tree: the id, then the encoded signatures.
    #[must_use]
    pub fn leaf_data(&self) -> Vec<u8> {
        let mut data = self.id.to_bytes();
        put_list(&mut data, &self.signatures);
        data
    }

    /// Its leaf in the transaction tree.
    #[must_use]
    pub fn leaf(&self) -> [u8; 32] {
        TransactionHash::leaf(&self.leaf_data())
    }
}

impl Encode for SignedTransaction {
    fn encode(&self, out: &mut Vec<u8>) {
        self.body.encode(out);
        put_list(out, &self.signatures);
    }
}

impl Decode for SignedTransaction {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let before = reader.remaining();
        let body = Transaction::decode(reader)?;
        let signatures = reader.list::<TransactionSignature>("signatures", SIGNATURES_PER_TRANSACTION_MAX)?;
        if before.saturating_sub(reader.remaining()) > TRANSACTION_BYTES_MAX {
            return Err(DecodeError::LimitExceeded { field: "transaction", limit: TRANSACTION_BYTES_MAX });
        }
        let ordered = signatures.is_sorted_by(|left, right| left.key < right.key);
        match Self::new(body, signatures) {
            Some(signed) if ordered => Ok(signed),
            _ => Err(DecodeError::NonCanonical { field: "signatures" }),
        }
    }
}
