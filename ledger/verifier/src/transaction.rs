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

/// A public name, Georgian or English.
pub type Name = Text<NAME_BYTES_MAX>;

macro_rules! code_enum {
    ($(#[$doc:meta])* $name:ident, $field:literal, { $($(#[$variant_doc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// Every value, in order of code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code that is encoded.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code),+
                }
            }

            /// The value of a code.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(self.code());
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let code = reader.u8($field)?;
                Self::from_code(code).ok_or_else(|| DecodeError::UnknownValue { field: $field, value: code.into() })
            }
        }
    };
}

code_enum!(
    /// What an institution is.
    InstitutionKind, "institution_kind", {
        /// Higher education: university.
        University = 1,
        /// Higher education: teaching university.
        TeachingUniversity = 2,
        /// Higher education: college.
        College = 3,
        /// Vocational institution.
        Vocational = 4,
        /// Any other legal entity that may provide.
        LegalEntity = 5,
        /// A foreign institution.
        Foreign = 6,
    }
);

code_enum!(
    /// What kind of credential a programme leads to.
    CredentialType, "credential_type", {
        /// A micro-credential in the sense of Council Recommendation 2022/C 243/02.
        MicroCredential = 1,
    }
);

code_enum!(
    /// What happens to a credential's status.
    StatusAction, "status_action", {
        /// Valid → suspended.
        Suspend = 1,
        /// Suspended → valid.
        Reinstate = 2,
        /// Valid or suspended → revoked, for good.
        Revoke = 3,
        /// Valid or suspended → replaced by a newer credential, for good.
        Supersede = 4,
    }
);

code_enum!(
    /// Why a status was written. There is deliberately no code that says something about a person.
    StatusReason, "status_reason", {
        /// No reason given.
        Unspecified = 0,
        /// Issued in error.
        IssuedInError = 1,
        /// The award was withdrawn.
        AwardWithdrawn = 2,
        /// Replaced by a newer version.
        Superseded = 3,
        /// At the holder's request.
        HolderRequest = 4,
        /// The issuing key was compromised.
        KeyCompromised = 5,
        /// By order of a court or an authority.
        Order = 6,
        /// Issued outside the accreditation.
        NotAccredited = 7,
        /// Under review; suspensions only.
        UnderReview = 8,
        /// The review ended; reinstatements only.
        ReviewEnded = 9,
    }
);

/// What a key of an institution may do: a non-empty set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPurposes(u8);

impl KeyPurposes {
    /// Anchor batches.
    pub const ANCHOR: Self = Self(1);
    /// Write statuses.
    pub const STATUS: Self = Self(2);
    /// Manage the institution's own keys.
    pub const ADMIN: Self = Self(4);
    /// Everything.
    pub const ALL: Self = Self(7);

    /// Takes the bits: 1 anchor, 2 status, 4 admin; at least one.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        if bits == 0 || bits > 7 { None } else { Some(Self(bits)) }
    }

    /// The bits.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether everything in `other` is allowed.
    #[must_use]
    pub const fn allows(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Encode for KeyPurposes {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
}

impl Decode for KeyPurposes {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bits = reader.u8("key_purposes")?;
        Self::new(bits).ok_or_else(|| DecodeError::UnknownValue { field: "key_purposes", value: bits.into() })
    }
}

/// A level of the National Qualifications Framework, 1..=8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// Takes a level 1..=8.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        if level >= 1 && level <= 8 { Some(Self(level)) } else { None }
    }

    /// The level.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Encode for Level {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
}

impl Decode for Level {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let level = reader.u8("level")?;
        Self::new(level).ok_or_else(|| DecodeError::UnknownValue { field: "level", value: level.into() })
    }
}

/// A non-empty set of levels: bit `level − 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Levels(u8);

impl Levels {
    /// Takes the bits; at least one.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        if bits == 0 { None } else { Some(Self(bits)) }
    }

    /// The set of these levels; `None` when there are none.
    #[must_use]
    pub fn of(levels: &[Level]) -> Option<Self> {
        Self::new(levels.iter().fold(0, |bits, level| bits | bit(*level)))
    }

    /// The bits.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether the level is in the set.
    #[must_use]
    pub fn contains(self, level: Level) -> bool {
        self.0 & bit(level) != 0
    }
}

fn bit(level: Level) -> u8 {
    1_u8.checked_shl(u32::from(level.get()).saturating_sub(1)).unwrap_or(0)
}

impl Encode for Levels {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
}

impl Decode for Levels {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::new(reader.u8("levels")?).ok_or(DecodeError::UnknownValue { field: "levels", value: 0 })
    }
}

/// A detailed field of study, ISCED-F 2013: four digits, 0..=9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(u16);

impl Field {
    /// Takes a four-digit code.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        if code <= 9_999 { Some(Self(code)) } else { None }
    }

    /// The code.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl core::fmt::Display for Field {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "{:04}", self.0)
    }
}

impl Encode for Field {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }
}

impl Decode for Field {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = reader.u16("field")?;
        Self::new(code).ok_or_else(|| DecodeError::UnknownValue { field: "field", value: code.into() })
    }
}

/// A prefix of ISCED-F codes: broad (2 digits), narrow (3) or detailed (4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPrefix {
    digits: u8,
    value: u16,
}

impl FieldPrefix {
    /// Takes 2, 3 or 4 digits and their value.
    #[must_use]
    pub const fn new(digits: u8, value: u16) -> Option<Self> {
        let above = match digits {
            2 => 100,
            3 => 1_000,
            4 => 10_000,
            _ => return None,
        };
        if value < above { Some(Self { digits, value }) } else { None }
    }

    /// Reads "06", "061" or "0613".
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::new(u8::try_from(text.len()).ok()?, text.parse().ok()?)
    }

    /// Whether the field lies under the prefix.
    #[must_use]
    pub const fn covers(self, field: Field) -> bool {
        let shortened = match self.digits {
            2 => field.get() / 100,
            3 => field.get() / 10,
            _ => field.get(),
        };
        shortened == self.value
    }
}

impl core::fmt::Display for FieldPrefix {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "{:0width$}", self.value, width = usize::from(self.digits))
    }
}

impl Encode for FieldPrefix {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.digits);
        out.extend_from_slice(&self.value.to_le_bytes());
    }
}

impl Decode for FieldPrefix {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let digits = reader.u8("field_prefix")?;
        let value = reader.u16("field_prefix")?;
        Self::new(digits, value).ok_or(DecodeError::NonCanonical { field: "field_prefix" })
    }
}

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

code_enum!(
    /// The hash of a batch tree.
    HashAlgorithm, "hash_algorithm", {
        /// BLAKE3-256 with the contexts of `docs/protocol.md` §3.
        Blake3 = 1,
    }
);

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
        TransactionId::new(TRANSACTION.hash(&[&self.to_bytes()]))
    }

    /// The bytes that every signer signs: tag, genesis hash, id.
    #[must_use]
    pub fn preimage(&self) -> [u8; TRANSACTION_PREIMAGE_BYTES] {
        preimage(&self.genesis, &self.id())
    }
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
    /// Puts body and signatures together; `None` when there is no signature, too many, or two of one key.
    #[must_use]
    pub fn new(body: Transaction, mut signatures: Vec<TransactionSignature>) -> Option<Self> {
        signatures.sort_by_key(|entry| entry.key);
        let distinct = signatures.is_sorted_by(|left, right| left.key < right.key);
        let counted = !signatures.is_empty() && signatures.len() <= SIGNATURES_PER_TRANSACTION_MAX;
        let id = body.id();
        (distinct && counted).then_some(Self { body, id, signatures })
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
