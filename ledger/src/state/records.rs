//! Records that only the ledger reads: the registry of nodes; and an institution's full row.

use alloc::{collections::BTreeSet, vec::Vec};

use sigeli_verifier::{
    crypto::PublicKey,
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{RegisterRoot, ValidatorAddress},
    params::VALIDATORS_MAX,
    record::InstitutionFacts,
    state::InstitutionRegisters,
    validators::{Validator, ValidatorSet, ValidatorSetError},
};

/// Most observers on one ledger.
pub const OBSERVERS_MAX: usize = 256;

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
