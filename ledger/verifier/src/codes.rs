//! Codes and small quantities that records and transactions state: kinds, reasons, purposes, levels, fields.

use alloc::vec::Vec;

use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
};

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
        /// A certificate of participation: attendance without an assessed outcome.
        Participation = 2,
    }
);

code_enum!(
    /// What an authority is, and so what it may write.
    AuthorityKind, "authority_kind", {
        /// The Ministry of Education, Science and Youth: grants the pilot order.
        Ministry = 1,
        /// The National Center for Educational Quality Enhancement: registers, authorises, accredits.
        Nceqe = 2,
        /// The Education Management Information System.
        Emis = 3,
        /// An operator of nodes, such as GRENA.
        Operator = 4,
    }
);

code_enum!(
    /// What happens to a permission.
    PermissionAction, "permission_action", {
        /// Active → suspended.
        Suspend = 1,
        /// Suspended → active.
        Reinstate = 2,
        /// Active or suspended → withdrawn.
        Withdraw = 3,
    }
);

code_enum!(
    /// Why an authority's decision changes an institution or a permission.
    DecisionReason, "decision_reason", {
        /// Granted.
        Granted = 1,
        /// Granted under conditions, or because of them.
        Conditional = 2,
        /// Renewed for a further term.
        Renewed = 3,
        /// What it allows was changed.
        ScopeChanged = 4,
        /// A monitoring or evaluation was failed.
        MonitoringFailed = 5,
        /// At the institution's own request.
        Voluntary = 6,
        /// The institution or programme was closed.
        Closed = 7,
        /// The institution was merged into another.
        Merged = 8,
        /// By order of a court.
        CourtOrder = 9,
        /// An appeal was upheld.
        AppealUpheld = 10,
        /// An earlier entry was wrong.
        ErrorCorrected = 11,
    }
);

code_enum!(
    /// What happens to a batch as a whole.
    BatchAction, "batch_action", {
        /// Valid → suspended.
        Suspend = 1,
        /// Suspended → valid.
        Reinstate = 2,
        /// Valid or suspended → revoked, for good.
        Revoke = 3,
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
        /// What was written is annulled, and nothing before it stands; annulments only.
        Annulled = 10,
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

/// How a programme is attended: a non-empty set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Modes(u8);

impl Modes {
    /// On site.
    pub const ON_SITE: Self = Self(1);
    /// Online.
    pub const ONLINE: Self = Self(2);
    /// Partly on site and partly online.
    pub const BLENDED: Self = Self(4);
    /// Based on work.
    pub const WORK_BASED: Self = Self(8);

    /// Takes the bits: 1 on site, 2 online, 4 blended, 8 work-based; at least one.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        if bits == 0 || bits > 15 { None } else { Some(Self(bits)) }
    }

    /// The bits.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Encode for Modes {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
}

impl Decode for Modes {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bits = reader.u8("modes")?;
        Self::new(bits).ok_or_else(|| DecodeError::UnknownValue { field: "modes", value: bits.into() })
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

code_enum!(
    /// The hash of a batch tree.
    HashAlgorithm, "hash_algorithm", {
        /// BLAKE3-256 with the contexts of `docs/protocol.md` §3.
        Blake3 = 1,
    }
);

code_enum!(
    /// Whether what a ledger says counts. Every verdict on a test ledger says so.
    NetworkKind, "network_kind", {
        /// It counts.
        Production = 1,
        /// It is a test.
        Test = 2,
    }
);
