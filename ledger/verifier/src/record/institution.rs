//! Institutions, their keys and their programmes.

use alloc::vec::Vec;

use super::Writer;
use crate::{
    bounded::{List, Text},
    crypto::PublicKey,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields},
    ids::{DecisionRef, Height, InstitutionId, KeyIndex, ProfileHash, ProgrammeId, RegisterKey, RegisterRoot, TimeMs},
    params::{COMPROMISED_RANGES_MAX, LEGAL_ID_BYTES_MAX, PARTNERS_MAX},
    register,
    state::registers_root,
    time::{Day, Window},
    transaction::{DecisionReason, InstitutionKind, KeyPurposes, Name},
};

/// Key of an institution's record in the institutions register: its number.
#[must_use]
pub fn institution_key(institution: InstitutionId) -> RegisterKey {
    register::key(&institution.to_bytes())
}

/// Key of a history entry of an institution in the institutions register: its number, then the entry's, from 1.
#[must_use]
pub fn institution_entry_key(institution: InstitutionId, entry: u32) -> RegisterKey {
    let mut name = institution.to_bytes();
    entry.encode(&mut name);
    register::key(&name)
}

/// Key of an institution key in its institution's keys register: 1, then the index.
#[must_use]
pub fn key_key(index: KeyIndex) -> RegisterKey {
    let mut name = Vec::from([1]);
    index.encode(&mut name);
    register::key(&name)
}

/// Key of a history entry of an institution key: 2, index, entry number from 1.
#[must_use]
pub fn key_entry_key(index: KeyIndex, entry: u32) -> RegisterKey {
    let mut name = Vec::from([2]);
    index.encode(&mut name);
    entry.encode(&mut name);
    register::key(&name)
}

/// Key of the entry that finds an institution key again: 3, then the key's bytes. Its value is the index, `u16`.
#[must_use]
pub fn key_index_key(key: &PublicKey) -> RegisterKey {
    let mut name = Vec::from([3]);
    key.encode(&mut name);
    register::key(&name)
}

/// Key of the number of an institution's usable keys in its keys register: 4. The value is a `u16`: how many keys are
/// neither retired nor listed in [`InstitutionFacts::compromised`], whatever their days.
#[must_use]
pub fn usable_keys_key() -> RegisterKey {
    register::key(&[4])
}

/// Key of a programme in its coordinator's permissions register: 4, then the number.
#[must_use]
pub fn programme_key(programme: ProgrammeId) -> RegisterKey {
    let mut name = Vec::from([4]);
    programme.encode(&mut name);
    register::key(&name)
}

/// Keys that follow one another, and the height from which signatures made with them are void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompromisedKeys {
    /// The first key.
    pub first: KeyIndex,
    /// The last key, not before the first.
    pub last: KeyIndex,
    /// The first height at which what they signed is void. A key that was added later signed nothing before.
    pub from: Height,
}

fields!(CompromisedKeys { first, last, from });

impl CompromisedKeys {
    /// Whether it is of these keys.
    #[must_use]
    pub fn contains(&self, key: KeyIndex) -> bool {
        (self.first..=self.last).contains(&key)
    }

    /// Whether `next` may follow this range in a list: it begins after it, and not right after it with the same height, for
    /// the two would then be one range.
    fn may_precede(&self, next: &Self) -> bool {
        match next.first.get().checked_sub(self.last.get()) {
            None | Some(0) => false,
            Some(1) => self.from != next.from,
            Some(_) => true,
        }
    }

    /// Whether a list of ranges has the one form that it may have: each range holds a key, they ascend without overlap,
    /// and neighbours with the same height are one range.
    #[must_use]
    pub fn is_canonical(ranges: &[Self]) -> bool {
        ranges.iter().all(|range| range.first <= range.last) && ranges.is_sorted_by(Self::may_precede)
    }
}

/// Whether an institution exists still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstitutionState {
    /// It does.
    Active,
    /// It was closed. What it issued stands.
    Closed {
        /// The first day on which it is closed.
        from: Day,
        /// Why.
        reason: DecisionReason,
        /// The institution into which it was merged; 0 for none.
        successor: InstitutionId,
    },
}

impl InstitutionState {
    /// The first day on which it is closed, if it is to be.
    #[must_use]
    pub const fn closed_from(self) -> Option<Day> {
        match self {
            Self::Active => None,
            Self::Closed { from, .. } => Some(from),
        }
    }
}

impl Encode for InstitutionState {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Active => out.push(1),
            Self::Closed { from, reason, successor } => {
                out.push(2);
                from.encode(out);
                reason.encode(out);
                successor.encode(out);
            }
        }
    }
}

impl Decode for InstitutionState {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("institution_state")? {
            1 => Ok(Self::Active),
            2 => Ok(Self::Closed {
                from: Day::decode(reader)?,
                reason: DecisionReason::decode(reader)?,
                successor: InstitutionId::decode(reader)?,
            }),
            value => Err(DecodeError::UnknownValue { field: "institution_state", value: value.into() }),
        }
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
    /// Whether it exists still.
    pub state: InstitutionState,
    /// When it was registered.
    pub registered: Height,
    /// How many keys it ever had.
    pub keys: u16,
    /// How many permissions it was ever granted.
    pub permissions: u32,
    /// How many programmes it has registered.
    pub programmes: u32,
    /// How many batches it has anchored.
    pub batches: u32,
    /// How many history entries it has.
    pub entries: u32,
    /// The keys that the quality agency declared compromised: [canonical](CompromisedKeys::is_canonical).
    pub compromised: List<CompromisedKeys, COMPROMISED_RANGES_MAX>,
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
    pub fn value_from_parts(&self, keys_and_permissions: &[u8; 32], statuses: &RegisterRoot) -> Vec<u8> {
        self.value(&registers_root(keys_and_permissions, statuses))
    }

    /// The height from which signatures of this key are void, if the quality agency declared it compromised.
    #[must_use]
    pub fn compromised_from(&self, key: KeyIndex) -> Option<Height> {
        self.compromised.iter().find(|range| range.contains(key)).map(|range| range.from)
    }

    /// Whether what this writer wrote at this height is void, because the key was compromised by then.
    #[must_use]
    pub fn is_void(&self, writer: &Writer, at: Height) -> bool {
        match writer {
            Writer::Institution { key } => self.compromised_from(*key).is_some_and(|from| from <= at),
            Writer::Authority { .. } => false,
        }
    }
}

impl Encode for InstitutionFacts {
    fn encode(&self, out: &mut Vec<u8>) {
        self.kind.encode(out);
        self.jurisdiction.encode(out);
        self.legal_id.encode(out);
        self.name_ka.encode(out);
        self.name_en.encode(out);
        self.state.encode(out);
        self.registered.encode(out);
        self.keys.encode(out);
        self.permissions.encode(out);
        self.programmes.encode(out);
        self.batches.encode(out);
        self.entries.encode(out);
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
            state: InstitutionState::decode(reader)?,
            registered: Height::decode(reader)?,
            keys: reader.u16("keys")?,
            permissions: reader.u32("permissions")?,
            programmes: reader.u32("programmes")?,
            batches: reader.u32("batches")?,
            entries: reader.u32("entries")?,
            compromised: List::decode(reader)?,
        };
        if !CompromisedKeys::is_canonical(&facts.compromised) {
            return Err(DecodeError::NonCanonical { field: "compromised" });
        }
        Ok(facts)
    }
}

/// What an institution's record said after one change of it: a history entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionEntry {
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
    /// Hash of its public profile.
    pub profile: ProfileHash,
    /// Whether it exists still.
    pub state: InstitutionState,
    /// Who wrote the change.
    pub writer: Writer,
    /// The block that holds the change.
    pub height: Height,
    /// That block's time.
    pub time: TimeMs,
}

fields!(InstitutionEntry { kind, jurisdiction, legal_id, name_ka, name_en, profile, state, writer, height, time });

/// A key of an institution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRecord {
    /// What it may do.
    pub purposes: KeyPurposes,
    /// The key.
    pub key: PublicKey,
    /// The days on which it may sign.
    pub window: Window,
    /// When it was added.
    pub added: Height,
    /// Whether it may still be used.
    pub state: KeyState,
    /// How many history entries it has.
    pub entries: u32,
}

fields!(KeyRecord { purposes, key, window, added, state, entries });

/// Whether a key may be used. Whether what it signed is void stands in the institution's record, where every verifier sees
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It may.
    Active,
    /// It was retired, or its institution declared it compromised; what it signed before stands.
    Retired {
        /// When.
        at: Height,
    },
}

impl Encode for KeyState {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Active => out.push(1),
            Self::Retired { at } => {
                out.push(2);
                at.encode(out);
            }
        }
    }
}

impl Decode for KeyState {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("key_state")? {
            1 => Ok(Self::Active),
            2 => Ok(Self::Retired { at: Height::decode(reader)? }),
            value => Err(DecodeError::UnknownValue { field: "key_state", value: value.into() }),
        }
    }
}

/// What happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChange {
    /// It was added.
    Added,
    /// It was retired.
    Retired,
    /// It was declared compromised. By the quality agency: what it signed from a height on is void. By the institution
    /// itself: the key was retired, if it was not, and nothing is void.
    Compromised {
        /// The first height at which what it signed is void. In an institution's own declaration it is the height after the
        /// declaration's.
        from: Height,
    },
    /// The quality agency took back what it had declared.
    Cleared,
}

impl Encode for KeyChange {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Added => out.push(1),
            Self::Retired => out.push(2),
            Self::Compromised { from } => {
                out.push(3);
                from.encode(out);
            }
            Self::Cleared => out.push(4),
        }
    }
}

impl Decode for KeyChange {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("key_change")? {
            1 => Ok(Self::Added),
            2 => Ok(Self::Retired),
            3 => Ok(Self::Compromised { from: Height::decode(reader)? }),
            4 => Ok(Self::Cleared),
            value => Err(DecodeError::UnknownValue { field: "key_change", value: value.into() }),
        }
    }
}

/// One change of a key: a history entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEntry {
    /// What happened.
    pub change: KeyChange,
    /// Who wrote it.
    pub writer: Writer,
    /// The block that holds the change.
    pub height: Height,
    /// That block's time.
    pub time: TimeMs,
}

fields!(KeyEntry { change, writer, height, time });

/// A programme. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgrammeRecord {
    /// Its title in Georgian.
    pub title_ka: Name,
    /// Its title in English.
    pub title_en: Name,
    /// The institutions that award it jointly with the one that coordinates it, in ascending order.
    pub partners: List<InstitutionId, PARTNERS_MAX>,
    /// When it was registered.
    pub registered: Height,
    /// The coordinator's key that registered it.
    pub key: KeyIndex,
}

fields!(ProgrammeRecord { title_ka, title_en, partners, registered, key });

impl DecisionRef {
    /// Whether no decision is named.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}
