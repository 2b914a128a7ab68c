//! Records: the values of the registers (`docs/protocol.md` §9). Each is a small head that holds the current state and
//! the number of its history entries.

use alloc::vec::Vec;

use crate::{
    batch::BatchHeight,
    bounded::{List, Text},
    crypto::PublicKey,
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{
        AuthorityId, BatchRoot, BatchSequence, DecisionRef, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId,
        RegisterKey, StatusHandle, TimeMs,
    },
    params::{COMPROMISED_KEYS_MAX, LEGAL_ID_BYTES_MAX},
    register,
    state::registers_root,
    time::{Day, Window},
    transaction::{
        CredentialType, Field, HashAlgorithm, InstitutionKind, KeyPurposes, Level, Name, PermissionScope, StatusReason,
        decode_bool,
    },
};

/// Key of an institution's record in the institutions register: its number.
#[must_use]
pub fn institution_key(institution: InstitutionId) -> RegisterKey {
    register::key(&institution.to_bytes())
}

/// Key of a batch's record in the batches register: institution and root.
#[must_use]
pub fn batch_key(institution: InstitutionId, root: &BatchRoot) -> RegisterKey {
    let mut name = institution.to_bytes();
    root.encode(&mut name);
    register::key(&name)
}

/// Key of an institution key in its institution's keys register: 1, then the index.
#[must_use]
pub fn key_key(index: KeyIndex) -> RegisterKey {
    let mut name = Vec::from([1]);
    index.encode(&mut name);
    register::key(&name)
}

/// Key of a permission's record in its institution's permissions register: 1, then the number.
#[must_use]
pub fn permission_key(permission: PermissionId) -> RegisterKey {
    let mut name = Vec::from([1]);
    permission.encode(&mut name);
    register::key(&name)
}

/// Key under which a permission is found again by what it was granted for: 2, authority, kind, decision.
#[must_use]
pub fn permission_content_key(authority: AuthorityId, scope: &PermissionScope, decision: &DecisionRef) -> RegisterKey {
    let mut name = Vec::from([2]);
    authority.encode(&mut name);
    name.push(scope.code());
    decision.encode(&mut name);
    register::key(&name)
}

/// Key of a status's head in its institution's statuses register: 1, then the handle.
#[must_use]
pub fn status_key(handle: &StatusHandle) -> RegisterKey {
    let mut name = Vec::from([1]);
    handle.encode(&mut name);
    register::key(&name)
}

/// Key of a history entry of a status: 2, handle, entry number from 1.
#[must_use]
pub fn status_entry_key(handle: &StatusHandle, entry: u32) -> RegisterKey {
    let mut name = Vec::from([2]);
    handle.encode(&mut name);
    name.extend_from_slice(&entry.to_le_bytes());
    register::key(&name)
}

/// A key, and the height from which signatures made with it are void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompromisedKey {
    /// The key.
    pub key: KeyIndex,
    /// The first height at which what it signed is void.
    pub from: Height,
}

impl Encode for CompromisedKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.key.encode(out);
        self.from.encode(out);
    }
}

impl Decode for CompromisedKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { key: KeyIndex::decode(reader)?, from: Height::decode(reader)? })
    }
}

/// What an institution's record says, without the roots of its registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionFacts {
    /// What it is.
    pub kind: InstitutionKind,
    /// Country, ISO 3166-1 alpha-3.
    pub jurisdiction: [u8; 3],
    /// Identification code in that country's register.
    pub legal_id: Text<LEGAL_ID_BYTES_MAX>,
    /// Name in Georgian.
    pub name_ka: Name,
    /// Name in English.
    pub name_en: Name,
    /// When it was registered.
    pub registered: Height,
    /// How many keys it has.
    pub keys: u16,
    /// How many permissions it was ever granted.
    pub permissions: u32,
    /// How many batches it has anchored.
    pub batches: u32,
    /// Its compromised keys, in ascending order of key.
    pub compromised: List<CompromisedKey, COMPROMISED_KEYS_MAX>,
}

impl InstitutionFacts {
    /// The value of the institution's entry: the facts, then the root over its registers.
    #[must_use]
    pub fn value(&self, registers: &[u8; 32]) -> Vec<u8> {
        let mut value = self.to_bytes();
        value.extend_from_slice(registers);
        value
    }

    /// The same, from the parts that a bundle carries.
    #[must_use]
    pub fn value_from_parts(&self, keys_and_permissions: &[u8; 32], statuses: &crate::ids::RegisterRoot) -> Vec<u8> {
        self.value(&registers_root(keys_and_permissions, statuses))
    }

    /// The height from which signatures of this key are void, if it was compromised.
    #[must_use]
    pub fn compromised_from(&self, key: KeyIndex) -> Option<Height> {
        self.compromised.iter().find(|entry| entry.key == key).map(|entry| entry.from)
    }
}

impl Encode for InstitutionFacts {
    fn encode(&self, out: &mut Vec<u8>) {
        self.kind.encode(out);
        out.extend_from_slice(&self.jurisdiction);
        self.legal_id.encode(out);
        self.name_ka.encode(out);
        self.name_en.encode(out);
        self.registered.encode(out);
        out.extend_from_slice(&self.keys.to_le_bytes());
        out.extend_from_slice(&self.permissions.to_le_bytes());
        out.extend_from_slice(&self.batches.to_le_bytes());
        self.compromised.encode(out);
    }
}

impl Decode for InstitutionFacts {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let facts = Self {
            kind: InstitutionKind::decode(reader)?,
            jurisdiction: reader.array("jurisdiction")?,
            legal_id: Text::decode(reader)?,
            name_ka: Text::decode(reader)?,
            name_en: Text::decode(reader)?,
            registered: Height::decode(reader)?,
            keys: reader.u16("keys")?,
            permissions: reader.u32("permissions")?,
            batches: reader.u32("batches")?,
            compromised: List::decode(reader)?,
        };
        if !facts.compromised.is_sorted_by(|left, right| left.key < right.key) {
            return Err(DecodeError::NonCanonical { field: "compromised" });
        }
        Ok(facts)
    }
}

/// A key of an institution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRecord {
    /// What it may do.
    pub purposes: KeyPurposes,
    /// The key.
    pub key: PublicKey,
    /// When it was added.
    pub added: Height,
    /// Whether it may still be used.
    pub state: KeyState,
}

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It may.
    Active,
    /// It was retired; what it signed before stands.
    Retired {
        /// When.
        at: Height,
    },
}

impl Encode for KeyRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        self.purposes.encode(out);
        self.key.encode(out);
        self.added.encode(out);
        match self.state {
            KeyState::Active => out.push(1),
            KeyState::Retired { at } => {
                out.push(2);
                at.encode(out);
            }
        }
    }
}

impl Decode for KeyRecord {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            purposes: KeyPurposes::decode(reader)?,
            key: PublicKey::decode(reader)?,
            added: Height::decode(reader)?,
            state: match reader.u8("key_state")? {
                1 => KeyState::Active,
                2 => KeyState::Retired { at: Height::decode(reader)? },
                value => return Err(DecodeError::UnknownValue { field: "key_state", value: value.into() }),
            },
        })
    }
}

/// Where a permission stands. Expiry is computed from its window, never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionState {
    /// It holds within its window.
    Active,
}

/// A permission of an institution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionRecord {
    /// Who granted it.
    pub authority: AuthorityId,
    /// The decision.
    pub decision: DecisionRef,
    /// The days on which it holds.
    pub window: Window,
    /// Whether it was granted under conditions.
    pub conditional: bool,
    /// What it allows.
    pub scope: PermissionScope,
    /// When it was granted.
    pub granted: Height,
    /// Where it stands.
    pub state: PermissionState,
    /// How many history entries it has.
    pub entries: u32,
}

impl Encode for PermissionRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        self.authority.encode(out);
        self.decision.encode(out);
        self.window.encode(out);
        out.push(self.conditional.into());
        self.scope.encode(out);
        self.granted.encode(out);
        out.push(match self.state {
            PermissionState::Active => 1,
        });
        out.extend_from_slice(&self.entries.to_le_bytes());
    }
}

impl Decode for PermissionRecord {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            authority: AuthorityId::decode(reader)?,
            decision: DecisionRef::decode(reader)?,
            window: Window::decode(reader)?,
            conditional: decode_bool(reader, "conditional")?,
            scope: PermissionScope::decode(reader)?,
            granted: Height::decode(reader)?,
            state: match reader.u8("permission_state")? {
                1 => PermissionState::Active,
                value => return Err(DecodeError::UnknownValue { field: "permission_state", value: value.into() }),
            },
            entries: reader.u32("permission_entries")?,
        })
    }
}

/// The permissions that were judged when a batch was anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// Days on which the accreditation held.
    pub accreditation_window: Window,
    /// The most credits that the accreditation allowed.
    pub ects_max: EctsTenths,
    /// The authorisation.
    pub authorisation: PermissionId,
    /// Days on which the authorisation held.
    pub authorisation_window: Window,
    /// The pilot order; 0 where the policy asked for none.
    pub order: PermissionId,
}

/// Where a batch as a whole stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchStatus {
    /// Nothing was written against it.
    Valid,
    /// It was revoked.
    Revoked {
        /// Why.
        reason: StatusReason,
        /// When, in ledger time.
        time: TimeMs,
    },
}

/// A batch. Institution and root are its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRecord {
    /// Its number within the institution.
    pub sequence: BatchSequence,
    /// Height of its tree.
    pub height: BatchHeight,
    /// Hash of its tree.
    pub hash_algorithm: HashAlgorithm,
    /// The block that holds it.
    pub anchored: Height,
    /// That block's time.
    pub anchored_time: TimeMs,
    /// The institution's key that signed it.
    pub key: KeyIndex,
    /// The accreditation it was issued under.
    pub accreditation: PermissionId,
    /// Level of its credentials.
    pub level: Level,
    /// Field of its credentials.
    pub field: Field,
    /// Credits of its credentials.
    pub ects: EctsTenths,
    /// Issue date of its credentials.
    pub issued: Day,
    /// What its credentials are.
    pub credential_type: CredentialType,
    /// What was judged at ledger time.
    pub judged: Judged,
    /// Where it stands.
    pub status: BatchStatus,
}

impl Encode for BatchRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        self.sequence.encode(out);
        self.height.encode(out);
        self.hash_algorithm.encode(out);
        self.anchored.encode(out);
        self.anchored_time.encode(out);
        self.key.encode(out);
        self.accreditation.encode(out);
        self.level.encode(out);
        self.field.encode(out);
        self.ects.encode(out);
        self.issued.encode(out);
        self.credential_type.encode(out);
        self.judged.accreditation_window.encode(out);
        self.judged.ects_max.encode(out);
        self.judged.authorisation.encode(out);
        self.judged.authorisation_window.encode(out);
        self.judged.order.encode(out);
        match self.status {
            BatchStatus::Valid => out.push(0),
            BatchStatus::Revoked { reason, time } => {
                out.push(1);
                reason.encode(out);
                time.encode(out);
            }
        }
    }
}

impl Decode for BatchRecord {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sequence: BatchSequence::decode(reader)?,
            height: BatchHeight::decode(reader)?,
            hash_algorithm: HashAlgorithm::decode(reader)?,
            anchored: Height::decode(reader)?,
            anchored_time: TimeMs::decode(reader)?,
            key: KeyIndex::decode(reader)?,
            accreditation: PermissionId::decode(reader)?,
            level: Level::decode(reader)?,
            field: Field::decode(reader)?,
            ects: EctsTenths::decode(reader)?,
            issued: Day::decode(reader)?,
            credential_type: CredentialType::decode(reader)?,
            judged: Judged {
                accreditation_window: Window::decode(reader)?,
                ects_max: EctsTenths::decode(reader)?,
                authorisation: PermissionId::decode(reader)?,
                authorisation_window: Window::decode(reader)?,
                order: PermissionId::decode(reader)?,
            },
            status: match reader.u8("batch_status")? {
                0 => BatchStatus::Valid,
                1 => BatchStatus::Revoked { reason: StatusReason::decode(reader)?, time: TimeMs::decode(reader)? },
                value => return Err(DecodeError::UnknownValue { field: "batch_status", value: value.into() }),
            },
        })
    }
}

/// Where a credential stands, once anything was written about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    /// Suspended, until reinstated or ended.
    Suspended,
    /// Valid again after a suspension.
    Reinstated,
    /// Revoked for good.
    Revoked,
    /// Replaced for good.
    Superseded {
        /// Leaf of the credential that replaces it.
        successor: [u8; 32],
    },
}

impl StatusState {
    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Revoked | Self::Superseded { .. })
    }
}

/// The status of a credential: the value of its head, and of each history entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRecord {
    /// Where it stands.
    pub state: StatusState,
    /// Why.
    pub reason: StatusReason,
    /// The block that holds the change.
    pub height: Height,
    /// That block's time.
    pub time: TimeMs,
    /// The institution's key that signed it.
    pub key: KeyIndex,
    /// How many entries there are, this one included.
    pub entries: u32,
}

impl Encode for StatusRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        match self.state {
            StatusState::Suspended => out.push(1),
            StatusState::Reinstated => out.push(2),
            StatusState::Revoked => out.push(3),
            StatusState::Superseded { successor } => {
                out.push(4);
                out.extend_from_slice(&successor);
            }
        }
        self.reason.encode(out);
        self.height.encode(out);
        self.time.encode(out);
        self.key.encode(out);
        out.extend_from_slice(&self.entries.to_le_bytes());
    }
}

impl Decode for StatusRecord {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            state: match reader.u8("status_state")? {
                1 => StatusState::Suspended,
                2 => StatusState::Reinstated,
                3 => StatusState::Revoked,
                4 => StatusState::Superseded { successor: reader.array("successor")? },
                value => return Err(DecodeError::UnknownValue { field: "status_state", value: value.into() }),
            },
            reason: StatusReason::decode(reader)?,
            height: Height::decode(reader)?,
            time: TimeMs::decode(reader)?,
            key: KeyIndex::decode(reader)?,
            entries: reader.u32("status_entries")?,
        })
    }
}
