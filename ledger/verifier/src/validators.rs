//! The validator set and the integer quorum rule (`docs/protocol.md` §8).

use alloc::{collections::BTreeMap, collections::BTreeSet, vec::Vec};

use crate::{
    crypto::PublicKey,
    decode::{Decode, DecodeError, Reader},
    domain,
    encode::{Encode, put_list},
    ids::{AuthorityId, ValidatorAddress, ValidatorSetHash, VotingPower},
    params::VALIDATORS_MAX,
};

/// A validator: its consensus key, the authority that runs it, its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validator {
    /// The key that signs votes and proposals.
    pub key: PublicKey,
    /// The authority that runs it: the unit of independence.
    pub authority: AuthorityId,
    /// The weight of its vote, at least 1.
    pub power: VotingPower,
}

impl Validator {
    /// The short name of the key.
    #[must_use]
    pub fn address(&self) -> ValidatorAddress {
        address(&self.key)
    }
}

/// The address of a key: the first 20 bytes of the hash of its encoding.
#[must_use]
pub fn address(key: &PublicKey) -> ValidatorAddress {
    let hash = domain::VALIDATOR_ADDRESS.hash(&[&key.to_bytes()]);
    ValidatorAddress::new(core::array::from_fn(|position| hash.get(position).copied().unwrap_or_default()))
}

impl Encode for Validator {
    fn encode(&self, out: &mut Vec<u8>) {
        self.key.encode(out);
        self.authority.encode(out);
        self.power.encode(out);
    }
}

impl Decode for Validator {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            key: PublicKey::decode(reader)?,
            authority: AuthorityId::decode(reader)?,
            power: VotingPower::decode(reader)?,
        })
    }
}

/// Why validators do not make a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// No validator, or more than the limit.
    #[error("a set has 1 to {VALIDATORS_MAX} validators, not {count}")]
    Count {
        /// The number given.
        count: usize,
    },
    /// A key stands twice.
    #[error("a validator key stands twice in the set")]
    DuplicateKey,
    /// A weight is zero, or the sum overflows.
    #[error("a validator has no weight, or the weights overflow")]
    Power,
    /// One authority could stop the ledger or outvote it: it holds more than f, the weight that may fail.
    #[error("authority {authority} holds {power} of {total}: more than may fail at once")]
    AuthorityTooPowerful {
        /// The authority.
        authority: AuthorityId,
        /// Its weight.
        power: u64,
        /// The weight of the set.
        total: u64,
    },
}

/// A set of validators in canonical order (by key), each key once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorSet {
    validators: Vec<Validator>,
    total: u64,
}

impl ValidatorSet {
    /// Takes validators in any order.
    ///
    /// A set of fewer than four cannot tolerate a fault (f = 0); it is allowed, for tests and single-node ledgers,
    /// as long as each authority runs one validator of equal weight.
    ///
    /// # Errors
    /// [`ValidatorSetError`].
    pub fn new(mut validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        if validators.is_empty() || validators.len() > VALIDATORS_MAX {
            return Err(ValidatorSetError::Count { count: validators.len() });
        }
        validators.sort_by_key(|validator| validator.key);
        let keys: BTreeSet<_> = validators.iter().map(|validator| validator.key).collect();
        if keys.len() != validators.len() {
            return Err(ValidatorSetError::DuplicateKey);
        }
        let mut total = 0_u64;
        let mut by_authority = BTreeMap::<AuthorityId, u64>::new();
        for validator in &validators {
            let power = validator.power.get();
            // Products of three must not overflow in the quorum rule.
            total = total
                .checked_add(power)
                .filter(|sum| *sum <= u64::MAX / 4 && power > 0)
                .ok_or(ValidatorSetError::Power)?;
            let held = by_authority.entry(validator.authority).or_default();
            *held = held.saturating_add(power);
        }
        let set = Self { validators, total };
        // f of an equal-weight set of n < 4 is 0; there each authority may hold one validator's weight.
        let allowed =
            set.faulty_power_max().max(set.validators.iter().map(|validator| validator.power.get()).min().unwrap_or(0));
        for (authority, power) in by_authority {
            if power > allowed {
                return Err(ValidatorSetError::AuthorityTooPowerful { authority, power, total });
            }
        }
        Ok(set)
    }

    /// The validators, ordered by key.
    #[must_use]
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// The weight of the set.
    #[must_use]
    pub const fn total_power(&self) -> u64 {
        self.total
    }

    /// The largest weight that may be faulty: f = ⌊(total − 1) / 3⌋.
    #[must_use]
    pub const fn faulty_power_max(&self) -> u64 {
        self.total.saturating_sub(1) / 3
    }

    /// Whether this weight is a quorum: more than two thirds of the set.
    #[must_use]
    pub const fn is_quorum(&self, power: u64) -> bool {
        power.saturating_mul(3) > self.total.saturating_mul(2)
    }

    /// The validator with this address.
    #[must_use]
    pub fn by_address(&self, wanted: &ValidatorAddress) -> Option<&Validator> {
        self.validators.iter().find(|validator| validator.address() == *wanted)
    }

    /// The hash that headers commit to.
    #[must_use]
    pub fn hash(&self) -> ValidatorSetHash {
        ValidatorSetHash::new(domain::VALIDATOR_SET.hash(&[&self.to_bytes()]))
    }
}

impl Encode for ValidatorSet {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.validators);
    }
}

impl Decode for ValidatorSet {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let validators = reader.list::<Validator>("validators", VALIDATORS_MAX)?;
        let ordered = validators.is_sorted_by(|left, right| left.key < right.key);
        match Self::new(validators) {
            Ok(set) if ordered => Ok(set),
            _ => Err(DecodeError::NonCanonical { field: "validators" }),
        }
    }
}
