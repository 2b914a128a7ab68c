//! A key never signs twice.
//!
//! The [`SignState`] holds the highest message that the key signed, whole, with its signature, and names the last WAL row
//! that was durable before it. It is stored before the signature is released. A message is signed only above the highest
//! slot; the same message gets the stored signature again; any other is [`Fatal`].
//!
//! The [`SignGuard`] catches what no local record can: a restored or copied validator. A starting validator signs nothing
//! before validators that together with it are a quorum have reported the height they have committed and the highest
//! message they hold of its key. A report counts once this node has itself committed the height that it claims, block by
//! block and certificate by certificate. So a liar can hold a validator back only by silence: the message is proven by its
//! signature, the height by the certificates; and what is claimed too high never counts, just as what is never said.
//!
//! Why the highest counted claim, and not one that more than f stand behind: whoever reached height h precommitted h - 1
//! together with a quorum, of which each had committed h - 2. That quorum and the reporters' share validators, but none of
//! them need be among the f + 1 highest claims: laggards may be. The highest claim is thus at least h - 2, unless f others
//! lie while this one is restored. On the way there, each certificate that carries a signature of our key above the
//! sign-state proves a copy ([`SignGuard::on_own_message`]). The two heights that may be left are passed without a vote
//! ([`SignGuard::voting_from`]), unless nothing is committed meanwhile: then the others may need this vote, and whatever
//! of ours they acted upon stands in their logs and thus in their reports.
//!
//! What is left: a copy from within the height being decided looks like the node itself. Then only those tell it that have
//! received the newer message and not restarted, or have acted upon it.
//!
//! A `recover` mode (voting again two heights above the reported tip after a lost sign-state) is not here: a validator
//! that is refused follows the ledger without a vote.

use std::collections::{BTreeMap, BTreeSet};

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

/// How many heights above the reported tip a validator that was behind lets pass without its vote.
pub const HEIGHTS_HELD_BACK: u32 = 2;

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

/// What another validator reports of our key, its signature verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The height that the reporter has committed.
    pub committed: Height,
    /// The slot of the highest message of our key that it holds.
    pub highest: Option<Slot>,
}

/// Collects reports of what our key signed.
#[derive(Debug, Clone)]
pub struct SignGuard {
    validator: ValidatorAddress,
    known: Option<Slot>,
    /// The height up to which this node knows by itself what it signed: its head and its sign-state when it was opened.
    own_height: Height,
    /// Each reporter's first claim: our key has signed nothing since but what we signed.
    claims: BTreeMap<ValidatorAddress, Height>,
    voting_from: Height,
    state: GuardState,
}

impl SignGuard {
    /// Starts waiting; `state` is the key's sign-state, if there is one, `head` the committed height.
    #[must_use]
    pub fn new(validator: ValidatorAddress, state: Option<&SignState>, head: Height) -> Self {
        let refused = GuardState::Refused(RefusalReason::SignStateMissing);
        let known = state.and_then(SignState::slot);
        Self {
            validator,
            known,
            own_height: known.map_or(head, |slot| slot.height.max(head)),
            claims: BTreeMap::new(),
            voting_from: Height::default(),
            state: if state.is_some() { GuardState::WaitingForReports } else { refused },
        }
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> GuardState {
        self.state
    }

    /// The lowest height to vote at, once ready: two above the first that nobody is known to have committed, if this node
    /// was behind. 0 when it was not.
    #[must_use]
    pub const fn voting_from(&self) -> Height {
        self.voting_from
    }

    /// Votes from the next height on: the heights held back for were not committed without this vote.
    pub const fn release(&mut self) {
        self.voting_from = Height::new(0);
    }

    /// Takes notice of a verified message of our key, wherever it comes from; `known` is the sign-state's slot now.
    ///
    /// One above the sign-state refuses for ever, at any time: the sign-state is stored before a message leaves.
    pub fn on_own_message(&mut self, reported: Slot, known: Option<Slot>) {
        self.known = self.known.max(known);
        if Some(reported) > self.known && !matches!(self.state, GuardState::Refused(_)) {
            self.state = GuardState::Refused(RefusalReason::SignedElsewhere { known: self.known, reported });
        }
    }

    /// Takes a report by another validator. The caller has verified that `highest` is signed by our key; `head` is what
    /// this node has committed.
    pub fn on_report(
        &mut self,
        reporter: ValidatorAddress,
        report: Report,
        known: Option<Slot>,
        head: Height,
        validators: &HeightValidators,
    ) {
        if let Some(reported) = report.highest {
            self.on_own_message(reported, known);
        }
        if reporter != self.validator && validators.by_address(&reporter).is_some() {
            self.claims.entry(reporter).or_insert(report.committed);
        }
        self.update(head, validators);
    }

    /// Counts again after a commit: claims are reached, and the validators of the next height may be others. A sole
    /// validator is ready at once.
    pub fn update(&mut self, head: Height, validators: &HeightValidators) {
        if self.state != GuardState::WaitingForReports {
            return;
        }
        let reached: BTreeSet<_> = self.claims.iter().filter(|(_, claim)| **claim <= head).map(|(by, _)| *by).collect();
        let counted = validators
            .members()
            .iter()
            .filter(|member| member.address == self.validator || reached.contains(&member.address));
        let power = counted.map(|member| member.power.get()).sum();
        if !validators.set().is_quorum(power) {
            return;
        }
        self.state = GuardState::Ready;
        let tip = self.claims.values().filter(|claim| **claim <= head).max().copied().unwrap_or_default();
        if tip > self.own_height {
            self.voting_from = (0..=HEIGHTS_HELD_BACK).fold(tip, |height, _| height.next());
        }
    }
}

#[cfg(test)]
mod tests;
