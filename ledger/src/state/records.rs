//! Records that only the ledger reads: authorities, policy, registry of nodes, usage; and an institution's full row.

use alloc::{collections::BTreeSet, vec::Vec};

use sigeli_verifier::{
    bounded::List,
    crypto::PublicKey,
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{AuthoritySequence, EctsTenths, RegisterRoot, ValidatorAddress},
    params::{AUTHORITY_KEYS_MAX, BATCH_HEIGHT_MAX, BATCH_HEIGHT_MIN, VALIDATORS_MAX},
    record::InstitutionFacts,
    state::InstitutionRegisters,
    time::Day,
    transaction::{Level, Name},
    validators::{Validator, ValidatorSet, ValidatorSetError},
};

/// Most observers on one ledger.
pub const OBSERVERS_MAX: usize = 256;

/// What an authority is, and so what it may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthorityKind {
    /// The Ministry of Education, Science and Youth: grants the pilot order.
    Ministry,
    /// The National Center for Educational Quality Enhancement: registers, authorises, accredits.
    Nceqe,
    /// The Education Management Information System.
    Emis,
    /// An operator of nodes, such as GRENA.
    Operator,
}

impl AuthorityKind {
    /// The code that is encoded.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ministry => 1,
            Self::Nceqe => 2,
            Self::Emis => 3,
            Self::Operator => 4,
        }
    }
}

impl Encode for AuthorityKind {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code());
    }
}

impl Decode for AuthorityKind {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("authority_kind")? {
            1 => Ok(Self::Ministry),
            2 => Ok(Self::Nceqe),
            3 => Ok(Self::Emis),
            4 => Ok(Self::Operator),
            value => Err(DecodeError::UnknownValue { field: "authority_kind", value: value.into() }),
        }
    }
}

/// An authority.
///
/// Encoding: kind (1), name_ka, name_en, keys (list), threshold (1), log keys (list), sequence (8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityRecord {
    /// What it is.
    pub kind: AuthorityKind,
    /// Its name in Georgian.
    pub name_ka: Name,
    /// Its name in English.
    pub name_en: Name,
    /// Its keys; their indexes count from 0.
    pub keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
    /// How many of them must sign, from 1.
    pub threshold: u8,
    /// Keys that sign checkpoints of the history log.
    pub log_keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
    /// The sequence number of its last transaction; 0 before the first.
    pub sequence: AuthoritySequence,
}

impl Encode for AuthorityRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        self.kind.encode(out);
        self.name_ka.encode(out);
        self.name_en.encode(out);
        self.keys.encode(out);
        out.push(self.threshold);
        self.log_keys.encode(out);
        self.sequence.encode(out);
    }
}

impl Decode for AuthorityRecord {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: AuthorityKind::decode(reader)?,
            name_ka: Name::decode(reader)?,
            name_en: Name::decode(reader)?,
            keys: List::decode(reader)?,
            threshold: reader.u8("threshold")?,
            log_keys: List::decode(reader)?,
            sequence: AuthoritySequence::decode(reader)?,
        })
    }
}

/// Why a policy is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The smallest credit volume is zero, or above the largest of a level.
    #[error("the least credits must be above 0 and at most the most credits of every level")]
    Ects,
    /// The smallest batch lies outside the protocol's limits.
    #[error("the least batch height must lie in {BATCH_HEIGHT_MIN}..={BATCH_HEIGHT_MAX}")]
    BatchHeight,
    /// A quota is zero.
    #[error("a daily quota must be at least 1")]
    Quota,
}

/// Limits that the authorities set.
///
/// Encoding: most credits per level (8 × 2), least credits (2), least batch height (1), tolerance (4), order required (1),
/// batches per day (4), statuses per day (4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The most credits of one credential at each level 1..=8.
    pub ects_max: [EctsTenths; 8],
    /// The least credits of one credential.
    pub ects_min: EctsTenths,
    /// The smallest height of a batch tree.
    pub batch_height_min: u8,
    /// How far a date of issue may lie ahead of ledger time, in milliseconds, before it counts as in the future.
    pub clock_tolerance_ms: u32,
    /// Whether a batch needs a Minister's order (stage one of the pilot).
    pub pilot_order_required: bool,
    /// How many batches one institution may anchor per day.
    pub batches_per_day: u32,
    /// How many statuses one institution may write per day.
    pub statuses_per_day: u32,
}

impl Policy {
    /// Whether the limits make sense together.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn check(&self) -> Result<(), PolicyError> {
        if self.ects_min.get() == 0 || self.ects_max.iter().any(|most| *most < self.ects_min) {
            return Err(PolicyError::Ects);
        }
        if !(BATCH_HEIGHT_MIN..=BATCH_HEIGHT_MAX).contains(&self.batch_height_min) {
            return Err(PolicyError::BatchHeight);
        }
        if self.batches_per_day == 0 || self.statuses_per_day == 0 {
            return Err(PolicyError::Quota);
        }
        Ok(())
    }

    /// The most credits at a level.
    #[must_use]
    pub fn ects_max_at(&self, level: Level) -> EctsTenths {
        let place = usize::from(level.get()).saturating_sub(1);
        self.ects_max.get(place).copied().unwrap_or_default()
    }
}

impl Encode for Policy {
    fn encode(&self, out: &mut Vec<u8>) {
        for most in &self.ects_max {
            most.encode(out);
        }
        self.ects_min.encode(out);
        out.push(self.batch_height_min);
        out.extend_from_slice(&self.clock_tolerance_ms.to_le_bytes());
        out.push(self.pilot_order_required.into());
        out.extend_from_slice(&self.batches_per_day.to_le_bytes());
        out.extend_from_slice(&self.statuses_per_day.to_le_bytes());
    }
}

impl Decode for Policy {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut ects_max = [EctsTenths::default(); 8];
        for most in &mut ects_max {
            *most = EctsTenths::decode(reader)?;
        }
        Ok(Self {
            ects_max,
            ects_min: EctsTenths::decode(reader)?,
            batch_height_min: reader.u8("batch_height_min")?,
            clock_tolerance_ms: reader.u32("clock_tolerance_ms")?,
            pilot_order_required: match reader.u8("pilot_order_required")? {
                0 => false,
                1 => true,
                value => return Err(DecodeError::UnknownValue { field: "pilot_order_required", value: value.into() }),
            },
            batches_per_day: reader.u32("batches_per_day")?,
            statuses_per_day: reader.u32("statuses_per_day")?,
        })
    }
}

/// A validator and the key by which its node is known on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisteredValidator {
    /// The validator.
    pub validator: Validator,
    /// Its node's network key.
    pub network_key: PublicKey,
}

impl Encode for RegisteredValidator {
    fn encode(&self, out: &mut Vec<u8>) {
        self.validator.encode(out);
        self.network_key.encode(out);
    }
}

impl Decode for RegisteredValidator {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { validator: Validator::decode(reader)?, network_key: PublicKey::decode(reader)? })
    }
}

/// Who may take part: validators in order of consensus key, and observers in order of network key.
///
/// Encoding: list of (validator, network key), list of network keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    validators: Vec<RegisteredValidator>,
    observers: Vec<PublicKey>,
    set: ValidatorSet,
}

/// Why validators and observers do not make a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The validators do not make a set.
    #[error("{0}")]
    Validators(#[from] ValidatorSetError),
    /// Two nodes share a network key.
    #[error("a network key stands twice")]
    DuplicateNetworkKey,
    /// Too many observers.
    #[error("{count} observers exceed the limit of {OBSERVERS_MAX}")]
    Observers {
        /// How many.
        count: usize,
    },
}

impl Registry {
    /// Takes validators and observers in any order.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn new(mut validators: Vec<RegisteredValidator>, mut observers: Vec<PublicKey>) -> Result<Self, RegistryError> {
        let set = ValidatorSet::new(validators.iter().map(|entry| entry.validator).collect())?;
        if observers.len() > OBSERVERS_MAX {
            return Err(RegistryError::Observers { count: observers.len() });
        }
        validators.sort_by_key(|entry| entry.validator.key);
        observers.sort();
        let network_keys: BTreeSet<_> =
            validators.iter().map(|entry| entry.network_key).chain(observers.iter().copied()).collect();
        if network_keys.len() != validators.len().saturating_add(observers.len()) {
            return Err(RegistryError::DuplicateNetworkKey);
        }
        Ok(Self { validators, observers, set })
    }

    /// The validators with their network keys, ordered by consensus key.
    #[must_use]
    pub fn validators(&self) -> &[RegisteredValidator] {
        &self.validators
    }

    /// Network keys of the observers, in order.
    #[must_use]
    pub fn observers(&self) -> &[PublicKey] {
        &self.observers
    }

    /// The set that votes.
    #[must_use]
    pub const fn set(&self) -> &ValidatorSet {
        &self.set
    }

    /// The network key of the validator with this address.
    #[must_use]
    pub fn network_key(&self, address: &ValidatorAddress) -> Option<PublicKey> {
        let mut validators = self.validators.iter();
        validators.find(|entry| entry.validator.address() == *address).map(|entry| entry.network_key)
    }
}

impl Encode for Registry {
    fn encode(&self, out: &mut Vec<u8>) {
        sigeli_verifier::encode::put_list(out, &self.validators);
        sigeli_verifier::encode::put_list(out, &self.observers);
    }
}

impl Decode for Registry {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let validators: Vec<RegisteredValidator> = reader.list("validators", VALIDATORS_MAX)?;
        let observers: Vec<PublicKey> = reader.list("observers", OBSERVERS_MAX)?;
        let ordered = validators.is_sorted_by_key(|entry| entry.validator.key) && observers.is_sorted();
        match Self::new(validators, observers) {
            Ok(registry) if ordered => Ok(registry),
            _ => Err(DecodeError::NonCanonical { field: "registry" }),
        }
    }
}

/// What an institution has used of its daily quotas.
///
/// Encoding: day (4), batches (4), statuses (4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The day that is counted, in Tbilisi.
    pub day: Day,
    /// Batches anchored on that day.
    pub batches: u32,
    /// Statuses written on that day.
    pub statuses: u32,
}

impl Usage {
    /// What was used of the given day's quotas.
    #[must_use]
    pub fn on(self, day: Day) -> Self {
        if self.day == day { self } else { Self::none(day) }
    }

    /// Nothing used.
    #[must_use]
    pub const fn none(day: Day) -> Self {
        Self { day, batches: 0, statuses: 0 }
    }
}

impl Encode for Usage {
    fn encode(&self, out: &mut Vec<u8>) {
        self.day.encode(out);
        out.extend_from_slice(&self.batches.to_le_bytes());
        out.extend_from_slice(&self.statuses.to_le_bytes());
    }
}

impl Decode for Usage {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { day: Day::decode(reader)?, batches: reader.u32("batches")?, statuses: reader.u32("statuses")? })
    }
}

/// An institution: its facts and the roots of its own registers.
///
/// Encoding: facts, then the roots of keys, permissions, statuses (3 × 32). The register commits
/// [`InstitutionFacts::value`] of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Institution {
    /// What its record says.
    pub facts: InstitutionFacts,
    /// The roots of its registers.
    pub registers: InstitutionRegisters,
}

impl Institution {
    /// The value that the institutions register commits.
    #[must_use]
    pub fn value(&self) -> Vec<u8> {
        self.facts.value(&self.registers.root())
    }
}

impl Encode for Institution {
    fn encode(&self, out: &mut Vec<u8>) {
        self.facts.encode(out);
        self.registers.keys.encode(out);
        self.registers.permissions.encode(out);
        self.registers.statuses.encode(out);
    }
}

impl Decode for Institution {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            facts: InstitutionFacts::decode(reader)?,
            registers: InstitutionRegisters {
                keys: RegisterRoot::decode(reader)?,
                permissions: RegisterRoot::decode(reader)?,
                statuses: RegisterRoot::decode(reader)?,
            },
        })
    }
}
