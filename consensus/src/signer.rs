//! A key never signs twice.
//!
//! The [`SignState`] holds the highest message that the key signed, whole, with its signature, and names the last WAL row
//! that was durable before it. It is stored before the signature is released. A message is signed only above the highest
//! slot; the same message gets the stored signature again; any other is [`Fatal`].
//!
//! The [`SignGuard`] catches what no local record can: a restored or copied validator. A starting validator signs nothing
//! before validators that together with it are a quorum have reported the highest message they hold of its key. Reports
//! carry the signed message itself, so that a lying peer can hold a validator back only by silence.
//!
//! A `recover` mode (voting again two heights above the reported tip after a lost sign-state) is not here: a validator
//! that is refused follows the ledger without a vote.

use std::collections::BTreeSet;

use sigeli_verifier::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{GenesisHash, Height, Signature, ValidatorAddress},
};

use crate::{
    ports::{Fatal, SignStateStore},
    statement::{SignedStatement, Slot, Statement, put_option, read_option},
    validators::HeightValidators,
    wal::WalPosition,
};

const VERSION: u8 = 1;
/// Domain of the record's checksum. Local to a node: never on a wire.
const CHECKSUM_CONTEXT: &str = "ge.microcredential.ledger 2026-11 v1 sign state";

/// What a key has signed, last of all.
///
/// Record: version (1), genesis (32), validator (20), 0 or 1 and a signed statement, 0 or 1 and a WAL position (height 8,
/// sequence 8, hash 32), checksum (32).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignState {
    /// The ledger.
    pub genesis: GenesisHash,
    /// The key's address.
    pub validator: ValidatorAddress,
    /// The message in the highest slot signed.
    pub highest: Option<SignedStatement>,
    /// The last WAL row that was durable before that signature was released.
    pub wal: Option<WalPosition>,
}

impl Encode for WalPosition {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.hash);
    }
}

impl Decode for WalPosition {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            height: Height::decode(reader)?,
            sequence: reader.u64("wal_sequence")?,
            hash: reader.array("wal_hash")?,
        })
    }
}

impl SignState {
    /// The state of a key that never signed anything: made together with the key, never later.
    #[must_use]
    pub const fn new(genesis: GenesisHash, validator: ValidatorAddress) -> Self {
        Self { genesis, validator, highest: None, wal: None }
    }

    /// The highest slot signed.
    #[must_use]
    pub fn slot(&self) -> Option<Slot> {
        self.highest.map(|signed| signed.statement.slot())
    }

    /// The record that is stored.
    #[must_use]
    pub fn to_record(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.genesis.encode(&mut out);
        self.validator.encode(&mut out);
        put_option(&mut out, self.highest.as_ref());
        put_option(&mut out, self.wal.as_ref());
        out.extend_from_slice(&blake3::derive_key(CHECKSUM_CONTEXT, &out));
        out
    }

    /// Reads a record of this ledger and key.
    ///
    /// # Errors
    /// [`Fatal::SignStateDamaged`] when a bit differs, or when it belongs to another ledger or key.
    pub fn from_record(record: &[u8], genesis: &GenesisHash, validator: &ValidatorAddress) -> Result<Self, Fatal> {
        let damaged = |what| Fatal::SignStateDamaged { what };
        let (body, checksum) = record.split_last_chunk::<32>().ok_or_else(|| damaged("too short"))?;
        if *checksum != blake3::derive_key(CHECKSUM_CONTEXT, body) {
            return Err(damaged("checksum"));
        }
        let mut reader = Reader::new(body);
        let state = Self::read(&mut reader).map_err(|_| damaged("format"))?;
        reader.finish().map_err(|_| damaged("length"))?;
        if state.genesis != *genesis {
            return Err(damaged("another ledger's"));
        }
        if state.validator != *validator {
            return Err(damaged("another key's"));
        }
        Ok(state)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = reader.u8("sign_state_version")?;
        if version != VERSION {
            return Err(DecodeError::UnknownValue { field: "sign_state_version", value: version.into() });
        }
        Ok(Self {
            genesis: GenesisHash::decode(reader)?,
            validator: ValidatorAddress::decode(reader)?,
            highest: read_option(reader, "highest")?,
            wal: read_option(reader, "wal_position")?,
        })
    }
}

/// What may happen with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It was signed before: here is that signature.
    Signed(Signature),
    /// It lies above everything signed: ask the signer.
    New,
}

/// The sign-state and its store.
#[derive(Debug)]
pub struct Signer<S> {
    state: SignState,
    store: S,
}

impl<S: SignStateStore> Signer<S> {
    /// Loads the state of a key; `None` when there is no record, and then the key must not sign.
    ///
    /// # Errors
    /// [`Fatal::SignStateDamaged`], [`Fatal::Storage`].
    pub fn load(mut store: S, genesis: &GenesisHash, validator: &ValidatorAddress) -> Result<Option<Self>, Fatal> {
        let Some(record) = store.load()? else { return Ok(None) };
        let state = SignState::from_record(&record, genesis, validator)?;
        Ok(Some(Self { state, store }))
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> &SignState {
        &self.state
    }

    /// Whether a statement may be signed.
    ///
    /// # Errors
    /// [`Fatal::DoubleSign`] when another statement fills its slot, [`Fatal::SignBelow`] when a later slot is filled.
    pub fn check(&self, statement: &Statement) -> Result<Permission, Fatal> {
        let slot = statement.slot();
        let Some(signed) = &self.state.highest else { return Ok(Permission::New) };
        let highest = signed.statement.slot();
        match slot.cmp(&highest) {
            std::cmp::Ordering::Greater => Ok(Permission::New),
            std::cmp::Ordering::Equal if signed.statement == *statement => Ok(Permission::Signed(signed.signature)),
            std::cmp::Ordering::Equal => Err(Fatal::DoubleSign { slot }),
            std::cmp::Ordering::Less => Err(Fatal::SignBelow { slot, highest }),
        }
    }

    /// Stores a signed statement durably. Only after this may the signature be released.
    ///
    /// # Errors
    /// Those of [`Signer::check`], and [`Fatal::Storage`].
    pub fn record(&mut self, signed: SignedStatement, wal: Option<WalPosition>) -> Result<(), Fatal> {
        if matches!(self.check(&signed.statement)?, Permission::Signed(_)) {
            return Ok(());
        }
        let state = SignState { highest: Some(signed), wal, ..self.state.clone() };
        self.store.store(&state.to_record())?;
        self.state = state;
        Ok(())
    }
}

/// Why a validator may not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// There is no sign-state: it was lost, or this key was never initialised here.
    SignStateMissing,
    /// A peer holds a message of our key above our sign-state: it was restored from a copy, or the key runs twice.
    SignedElsewhere {
        /// The highest slot that the sign-state knows.
        known: Option<Slot>,
        /// The slot that a peer holds.
        reported: Slot,
    },
}

/// Whether a starting validator may sign yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardState {
    /// Too few peers have reported.
    WaitingForReports,
    /// It may.
    Ready,
    /// It may not, until an operator has acted.
    Refused(RefusalReason),
}

/// Collects reports of the highest message signed by our key.
#[derive(Debug, Clone)]
pub struct SignGuard {
    validator: ValidatorAddress,
    known: Option<Slot>,
    reporters: BTreeSet<ValidatorAddress>,
    state: GuardState,
}

impl SignGuard {
    /// Starts waiting; `state` is the key's sign-state, if there is one.
    #[must_use]
    pub fn new(validator: ValidatorAddress, state: Option<&SignState>) -> Self {
        let refused = GuardState::Refused(RefusalReason::SignStateMissing);
        Self {
            validator,
            known: state.and_then(SignState::slot),
            reporters: BTreeSet::new(),
            state: if state.is_some() { GuardState::WaitingForReports } else { refused },
        }
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> GuardState {
        self.state
    }

    /// Takes a report by another validator. The caller has verified that `highest` is signed by our key.
    ///
    /// A report above the sign-state refuses for ever, at any time: the sign-state is stored before a message leaves.
    pub fn on_report(
        &mut self,
        reporter: ValidatorAddress,
        highest: Option<Slot>,
        known: Option<Slot>,
        validators: &HeightValidators,
    ) {
        self.known = self.known.max(known);
        if let Some(reported) = highest.filter(|reported| Some(*reported) > self.known) {
            if !matches!(self.state, GuardState::Refused(_)) {
                let reason = RefusalReason::SignedElsewhere { known: self.known, reported };
                self.state = GuardState::Refused(reason);
            }
            return;
        }
        if reporter != self.validator && validators.by_address(&reporter).is_some() {
            self.reporters.insert(reporter);
        }
        self.update(validators);
    }

    /// Counts again: the validators of the next height may be others. A sole validator is ready at once.
    pub fn update(&mut self, validators: &HeightValidators) {
        if self.state != GuardState::WaitingForReports {
            return;
        }
        let counted = validators
            .members()
            .iter()
            .filter(|member| member.address == self.validator || self.reporters.contains(&member.address));
        let power = counted.map(|member| member.power.get()).sum();
        if validators.set().is_quorum(power) {
            self.state = GuardState::Ready;
        }
    }
}

#[cfg(test)]
mod tests;
