//! Transactions: who asks the ledger for what (`docs/protocol.md` §6).
//!
//! The id hashes the body without signatures, so that a transaction can be signed by several hands in any order and
//! still executes once. A signature covers tag, genesis hash and id.

use alloc::vec::Vec;

use crate::{
    batch::BatchHeight,
    bounded::{List, Text},
    crypto::{PublicKey, verify_signature},
    decode::{Decode, DecodeError, Reader},
    domain::{TAG_TRANSACTION, TRANSACTION},
    encode::{Encode, put_list},
    history::{TransactionHash, TreeHash as _},
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, DecisionRef, EctsTenths, GenesisHash, InstitutionId, KeyIndex,
        PermissionId, Signature, StatusHandle, TimeMs, TransactionId,
    },
    params::{
        FIELDS_PER_PERMISSION_MAX, INSTITUTION_KEYS_MAX, LEGAL_ID_BYTES_MAX, NAME_BYTES_MAX,
        SIGNATURES_PER_TRANSACTION_MAX, STATUSES_PER_TRANSACTION_MAX, TRANSACTION_BYTES_MAX,
    },
    time::{Day, Window},
    vote::join,
};

pub use crate::codes::{
    CredentialType, Field, FieldPrefix, HashAlgorithm, InstitutionKind, KeyPurposes, Level, Levels, StatusAction,
    StatusReason,
};

/// A public name, Georgian or English.
pub type Name = Text<NAME_BYTES_MAX>;

/// Field prefixes of a permission.
pub type FieldPrefixes = List<FieldPrefix, FIELDS_PER_PERMISSION_MAX>;

/// A key that an institution is registered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstitutionKey {
    /// What it may do.
    pub purposes: KeyPurposes,
    /// The key.
    pub key: PublicKey,
}

impl Encode for InstitutionKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.purposes.encode(out);
        self.key.encode(out);
    }
}

impl Decode for InstitutionKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { purposes: KeyPurposes::decode(reader)?, key: PublicKey::decode(reader)? })
    }
}

/// Registers an institution. Written by the quality agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionRegister {
    /// The number it gets; not 0, not taken.
    pub institution: InstitutionId,
    /// What it is.
    pub kind: InstitutionKind,
    /// ISO 3166-1 alpha-3 code of the country whose law made it, upper case: `GEO`.
    pub jurisdiction: [u8; 3],
    /// Its identification code in that country's register.
    pub legal_id: Text<LEGAL_ID_BYTES_MAX>,
    /// Its name in Georgian.
    pub name_ka: Name,
    /// Its name in English.
    pub name_en: Name,
    /// The decision to register it.
    pub decision: DecisionRef,
    /// Its first keys, at least one; their indexes count from 0.
    pub keys: List<InstitutionKey, INSTITUTION_KEYS_MAX>,
}

impl Encode for InstitutionRegister {
    fn encode(&self, out: &mut Vec<u8>) {
        self.institution.encode(out);
        self.kind.encode(out);
        out.extend_from_slice(&self.jurisdiction);
        self.legal_id.encode(out);
        self.name_ka.encode(out);
        self.name_en.encode(out);
        self.decision.encode(out);
        self.keys.encode(out);
    }
}

impl Decode for InstitutionRegister {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            institution: InstitutionId::decode(reader)?,
            kind: InstitutionKind::decode(reader)?,
            jurisdiction: reader.array("jurisdiction")?,
            legal_id: Text::decode(reader)?,
            name_ka: Text::decode(reader)?,
            name_en: Text::decode(reader)?,
            decision: DecisionRef::decode(reader)?,
            keys: List::decode(reader)?,
        })
    }
}

/// What a permission allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionScope {
    /// The institution may issue state-recognised documents (authorisation by the quality agency).
    Authorisation,
    /// The Minister's order for the pilot: fields and levels.
    PilotOrder {
        /// Covered fields; at least one.
        fields: FieldPrefixes,
        /// Covered levels.
        levels: Levels,
    },
    /// Accreditation of one programme by the quality agency.
    Accreditation {
        /// The programme's title in Georgian.
        title_ka: Name,
        /// The programme's title in English.
        title_en: Name,
        /// Its level.
        level: Level,
        /// Its fields; at least one.
        fields: FieldPrefixes,
        /// The most credits one credential may state.
        ects_max: EctsTenths,
        /// What it leads to.
        credential_type: CredentialType,
    },
}

impl PermissionScope {
    /// The kind's byte: 1 authorisation, 2 pilot order, 3 accreditation.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Authorisation => 1,
            Self::PilotOrder { .. } => 2,
            Self::Accreditation { .. } => 3,
        }
    }
}

impl Encode for PermissionScope {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code());
        match self {
            Self::Authorisation => {}
            Self::PilotOrder { fields, levels } => {
                fields.encode(out);
                levels.encode(out);
            }
            Self::Accreditation { title_ka, title_en, level, fields, ects_max, credential_type } => {
                title_ka.encode(out);
                title_en.encode(out);
                level.encode(out);
                fields.encode(out);
                ects_max.encode(out);
                credential_type.encode(out);
            }
        }
    }
}

impl Decode for PermissionScope {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("permission_kind")? {
            1 => Ok(Self::Authorisation),
            2 => Ok(Self::PilotOrder { fields: List::decode(reader)?, levels: Levels::decode(reader)? }),
            3 => Ok(Self::Accreditation {
                title_ka: Text::decode(reader)?,
                title_en: Text::decode(reader)?,
                level: Level::decode(reader)?,
                fields: List::decode(reader)?,
                ects_max: EctsTenths::decode(reader)?,
                credential_type: CredentialType::decode(reader)?,
            }),
            value => Err(DecodeError::UnknownValue { field: "permission_kind", value: value.into() }),
        }
    }
}

/// Grants a permission. The quality agency authorises and accredits, the Ministry grants the pilot order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionGrant {
    /// Who gets it.
    pub institution: InstitutionId,
    /// The decision that grants it.
    pub decision: DecisionRef,
    /// The days on which it holds.
    pub window: Window,
    /// Whether it was granted under conditions.
    pub conditional: bool,
    /// What it allows.
    pub scope: PermissionScope,
}

impl Encode for PermissionGrant {
    fn encode(&self, out: &mut Vec<u8>) {
        self.institution.encode(out);
        self.decision.encode(out);
        self.window.encode(out);
        out.push(self.conditional.into());
        self.scope.encode(out);
    }
}

/// Reads a boolean: 0 or 1.
pub(crate) fn decode_bool(reader: &mut Reader<'_>, field: &'static str) -> Result<bool, DecodeError> {
    match reader.u8(field)? {
        0 => Ok(false),
        1 => Ok(true),
        value => Err(DecodeError::UnknownValue { field, value: value.into() }),
    }
}

impl Decode for PermissionGrant {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            institution: InstitutionId::decode(reader)?,
            decision: DecisionRef::decode(reader)?,
            window: Window::decode(reader)?,
            conditional: decode_bool(reader, "conditional")?,
            scope: PermissionScope::decode(reader)?,
        })
    }
}

/// Anchors one batch of credentials of one programme, level, field, credit volume and issue date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchAnchor {
    /// Root of the batch tree.
    pub root: BatchRoot,
    /// Height of the batch tree.
    pub height: BatchHeight,
    /// Hash of the batch tree.
    pub hash_algorithm: HashAlgorithm,
    /// The accreditation of the programme.
    pub accreditation: PermissionId,
    /// Level that the credentials state.
    pub level: Level,
    /// Field that the credentials state.
    pub field: Field,
    /// Credits that the credentials state.
    pub ects: EctsTenths,
    /// Date of issue that the credentials state.
    pub issued: Day,
    /// What the credentials are.
    pub credential_type: CredentialType,
}

impl Encode for BatchAnchor {
    fn encode(&self, out: &mut Vec<u8>) {
        self.root.encode(out);
        self.height.encode(out);
        self.hash_algorithm.encode(out);
        self.accreditation.encode(out);
        self.level.encode(out);
        self.field.encode(out);
        self.ects.encode(out);
        self.issued.encode(out);
        self.credential_type.encode(out);
    }
}

impl Decode for BatchAnchor {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            root: BatchRoot::decode(reader)?,
            height: BatchHeight::decode(reader)?,
            hash_algorithm: HashAlgorithm::decode(reader)?,
            accreditation: PermissionId::decode(reader)?,
            level: Level::decode(reader)?,
            field: Field::decode(reader)?,
            ects: EctsTenths::decode(reader)?,
            issued: Day::decode(reader)?,
            credential_type: CredentialType::decode(reader)?,
        })
    }
}

/// One change of one credential's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusEntry {
    /// The credential.
    pub handle: StatusHandle,
    /// What happens.
    pub action: StatusAction,
    /// Why.
    pub reason: StatusReason,
    /// Leaf of the credential that replaces it; all zero unless the action is `Supersede`.
    pub successor: [u8; 32],
}

impl Encode for StatusEntry {
    fn encode(&self, out: &mut Vec<u8>) {
        self.handle.encode(out);
        self.action.encode(out);
        self.reason.encode(out);
        if self.action == StatusAction::Supersede {
            out.extend_from_slice(&self.successor);
        }
    }
}

impl Decode for StatusEntry {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let handle = StatusHandle::decode(reader)?;
        let action = StatusAction::decode(reader)?;
        let reason = StatusReason::decode(reader)?;
        let successor = if action == StatusAction::Supersede { reader.array("successor")? } else { [0; 32] };
        Ok(Self { handle, action, reason, successor })
    }
}

/// Sets statuses in the sending institution's own namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet {
    /// The changes, applied in order; at least one.
    pub entries: List<StatusEntry, STATUSES_PER_TRANSACTION_MAX>,
}

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
            value => Err(DecodeError::UnknownValue { field: "sender", value: value.into() }),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Register an institution.
    InstitutionRegister(InstitutionRegister),
    /// Grant a permission.
    PermissionGrant(PermissionGrant),
    /// Anchor a batch.
    BatchAnchor(BatchAnchor),
    /// Set statuses.
    StatusSet(StatusSet),
}

impl Payload {
    /// The kind's byte. 17 onwards, 34 onwards, 49 onwards and 64 onwards are reserved for the kinds of later versions.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::InstitutionRegister(_) => 1,
            Self::PermissionGrant(_) => 16,
            Self::BatchAnchor(_) => 32,
            Self::StatusSet(_) => 48,
        }
    }
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
        preimage(&self.genesis, &self.id())
    }
}

fn id_of(body: &[u8]) -> TransactionId {
    TransactionId::new(TRANSACTION.hash(&[body]))
}

fn preimage(genesis: &GenesisHash, id: &TransactionId) -> [u8; TRANSACTION_PREIMAGE_BYTES] {
    join(&[&TAG_TRANSACTION, genesis.as_bytes(), id.as_bytes()])
}

impl Encode for Transaction {
    fn encode(&self, out: &mut Vec<u8>) {
        self.genesis.encode(out);
        self.valid_until.encode(out);
        self.sender.encode(out);
        out.push(self.payload.code());
        match &self.payload {
            Payload::InstitutionRegister(payload) => payload.encode(out),
            Payload::PermissionGrant(payload) => payload.encode(out),
            Payload::BatchAnchor(payload) => payload.encode(out),
            Payload::StatusSet(payload) => payload.entries.encode(out),
        }
    }
}

impl Decode for Transaction {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            genesis: GenesisHash::decode(reader)?,
            valid_until: TimeMs::decode(reader)?,
            sender: Sender::decode(reader)?,
            payload: match reader.u8("transaction_kind")? {
                1 => Payload::InstitutionRegister(InstitutionRegister::decode(reader)?),
                16 => Payload::PermissionGrant(PermissionGrant::decode(reader)?),
                32 => Payload::BatchAnchor(BatchAnchor::decode(reader)?),
                48 => Payload::StatusSet(StatusSet { entries: List::decode(reader)? }),
                value => return Err(DecodeError::UnknownValue { field: "transaction_kind", value: value.into() }),
            },
        })
    }
}

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
        self.signature.encode(out);
    }
}

impl Decode for TransactionSignature {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { key: KeyIndex::decode(reader)?, signature: Signature::decode(reader)? })
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
        verify_signature(key, &preimage(&self.body.genesis, &self.id), &entry.signature)
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
