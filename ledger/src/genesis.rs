//! The genesis document: who founds a ledger, with which nodes and under which policy.
//!
//! Its hash is the identity of the ledger and stands in every preimage that is signed. A [`Genesis`] is a document that
//! was checked; header 0 and the first state follow from it alone.

use alloc::{collections::BTreeSet, vec::Vec};

use sigeli_verifier::{
    block::{Block, Header, transactions_root},
    bounded::List,
    certificate::CommitCertificate,
    crypto::PublicKey,
    decode::{Decode, DecodeError, Reader},
    domain,
    encode::Encode,
    history::{Frontier, Rfc9162},
    ids::{AuthorityId, AuthoritySequence, BlockId, GenesisHash, Height, HistoryRoot, Round, TimeMs, ValidatorAddress},
    params::{AUTHORITIES_MAX, AUTHORITY_KEYS_MAX, PROTOCOL_VERSION, VALIDATORS_MAX},
    record::{AuthorityRecord, GovernanceRecord, Policy, PolicyError, approvals_for},
    transaction::{AuthorityKind, Name},
    trust::NetworkKind,
    validators::ValidatorSet,
};

use crate::{
    schedule::Schedule,
    state::{OBSERVERS_MAX, Overlay, RegisteredValidator, Registry, RegistryError, Write},
    store::{Head, HeightCommit, StoreError},
    tree::NodeReader,
};

/// One founding authority.
///
/// Encoding: id (1), kind (1), name_ka, name_en, keys (list), threshold (1), log keys (list).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisAuthority {
    /// Its number.
    pub id: AuthorityId,
    /// What it is.
    pub kind: AuthorityKind,
    /// Its name in Georgian.
    pub name_ka: Name,
    /// Its name in English.
    pub name_en: Name,
    /// Its keys; their indexes count from 0.
    pub keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
    /// How many of them must sign.
    pub threshold: u8,
    /// Keys that sign checkpoints of the history log; may be empty.
    pub log_keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
}

impl Encode for GenesisAuthority {
    fn encode(&self, out: &mut Vec<u8>) {
        self.id.encode(out);
        self.kind.encode(out);
        self.name_ka.encode(out);
        self.name_en.encode(out);
        self.keys.encode(out);
        out.push(self.threshold);
        self.log_keys.encode(out);
    }
}

impl Decode for GenesisAuthority {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            id: AuthorityId::decode(reader)?,
            kind: AuthorityKind::decode(reader)?,
            name_ka: Name::decode(reader)?,
            name_en: Name::decode(reader)?,
            keys: List::decode(reader)?,
            threshold: reader.u8("threshold")?,
            log_keys: List::decode(reader)?,
        })
    }
}

/// A time-out and by how much it grows each round, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// In round 0.
    pub first_ms: u32,
    /// More per round.
    pub step_ms: u32,
}

impl Encode for Timeout {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first_ms.to_le_bytes());
        out.extend_from_slice(&self.step_ms.to_le_bytes());
    }
}

impl Decode for Timeout {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { first_ms: reader.u32("timeout_first")?, step_ms: reader.u32("timeout_step")? })
    }
}

/// The parameters of consensus.
///
/// Encoding: propose, prevote, precommit (each 4 + 4), rebroadcast, cap, heartbeat, clock bound (4 each).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsensusParameters {
    /// How long to wait for a proposal.
    pub propose: Timeout,
    /// How long to wait for more prevotes after a mixed quorum.
    pub prevote: Timeout,
    /// How long to wait for more precommits after a mixed quorum.
    pub precommit: Timeout,
    /// How long until own votes are sent again, in milliseconds.
    pub rebroadcast_ms: u32,
    /// The longest any time-out grows, in milliseconds.
    pub cap_ms: u32,
    /// How long an idle ledger waits before an empty block, in milliseconds.
    pub heartbeat_ms: u32,
    /// How far a live proposal's time may lie from a validator's own clock, in milliseconds.
    pub clock_bound_ms: u32,
}

impl Default for ConsensusParameters {
    fn default() -> Self {
        Self {
            propose: Timeout { first_ms: 1_000, step_ms: 250 },
            prevote: Timeout { first_ms: 500, step_ms: 250 },
            precommit: Timeout { first_ms: 500, step_ms: 250 },
            rebroadcast_ms: 2_000,
            cap_ms: 20_000,
            heartbeat_ms: 30_000,
            clock_bound_ms: 2_000,
        }
    }
}

impl ConsensusParameters {
    fn is_sound(&self) -> bool {
        let timeouts = [self.propose, self.prevote, self.precommit];
        let bounded = timeouts.iter().all(|timeout| timeout.first_ms > 0 && timeout.first_ms <= self.cap_ms);
        bounded && self.rebroadcast_ms > 0 && self.heartbeat_ms > 0 && self.clock_bound_ms > 0
    }
}

impl Encode for ConsensusParameters {
    fn encode(&self, out: &mut Vec<u8>) {
        for timeout in [self.propose, self.prevote, self.precommit] {
            timeout.encode(out);
        }
        for value in [self.rebroadcast_ms, self.cap_ms, self.heartbeat_ms, self.clock_bound_ms] {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

impl Decode for ConsensusParameters {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            propose: Timeout::decode(reader)?,
            prevote: Timeout::decode(reader)?,
            precommit: Timeout::decode(reader)?,
            rebroadcast_ms: reader.u32("rebroadcast_ms")?,
            cap_ms: reader.u32("cap_ms")?,
            heartbeat_ms: reader.u32("heartbeat_ms")?,
            clock_bound_ms: reader.u32("clock_bound_ms")?,
        })
    }
}

/// Everything a ledger starts from, not yet checked.
///
/// Encoding, in order of the fields; lists with a `u16` count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisDocument {
    /// The protocol version of block 0.
    pub version: u16,
    /// Whether what the ledger says counts.
    pub kind: NetworkKind,
    /// The ledger's name in Georgian.
    pub name_ka: Name,
    /// The ledger's name in English.
    pub name_en: Name,
    /// The time of block 0.
    pub time: TimeMs,
    /// The authorities, in ascending order of number.
    pub authorities: List<GenesisAuthority, AUTHORITIES_MAX>,
    /// The validators and their network keys, in ascending order of consensus key.
    pub validators: List<RegisteredValidator, VALIDATORS_MAX>,
    /// Network keys of the observers, in ascending order.
    pub observers: List<PublicKey, OBSERVERS_MAX>,
    /// The policy.
    pub policy: Policy,
    /// The parameters of consensus.
    pub consensus: ConsensusParameters,
}

impl Encode for GenesisDocument {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.version.to_le_bytes());
        self.kind.encode(out);
        self.name_ka.encode(out);
        self.name_en.encode(out);
        self.time.encode(out);
        self.authorities.encode(out);
        self.validators.encode(out);
        self.observers.encode(out);
        self.policy.encode(out);
        self.consensus.encode(out);
    }
}

impl Decode for GenesisDocument {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: reader.u16("protocol_version")?,
            kind: NetworkKind::decode(reader)?,
            name_ka: Name::decode(reader)?,
            name_en: Name::decode(reader)?,
            time: TimeMs::decode(reader)?,
            authorities: List::decode(reader)?,
            validators: List::decode(reader)?,
            observers: List::decode(reader)?,
            policy: Policy::decode(reader)?,
            consensus: ConsensusParameters::decode(reader)?,
        })
    }
}

/// Why a genesis document is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Another protocol version.
    #[error("protocol version {version} is not {PROTOCOL_VERSION}")]
    Version {
        /// The version given.
        version: u16,
    },
    /// The ledger or an authority has no name.
    #[error("a name is empty")]
    NameMissing,
    /// Time 0 is refused: it would be a forgotten field.
    #[error("the time is missing")]
    TimeMissing,
    /// Authorities, validators or observers are not in ascending order, or one stands twice.
    #[error("{list} are not in strictly ascending order")]
    Order {
        /// Which list.
        list: &'static str,
    },
    /// An authority has no keys, one twice, or a threshold outside 1..=keys.
    #[error("authority {authority} needs distinct keys and a threshold from 1 to their number")]
    AuthorityKeys {
        /// The authority.
        authority: AuthorityId,
    },
    /// One key belongs to two authorities.
    #[error("a key belongs to two authorities")]
    SharedKey,
    /// There is no quality agency, so nothing could ever be registered.
    #[error("no authority is the quality agency")]
    QualityAgencyMissing,
    /// The policy asks for a Minister's order, and there is no Ministry.
    #[error("no authority is the Ministry, whose order the policy requires")]
    MinistryMissing,
    /// A validator's authority is not listed.
    #[error("authority {authority} of a validator is not listed")]
    UnknownAuthority {
        /// The authority.
        authority: AuthorityId,
    },
    /// Validators and observers do not fit together.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// The policy makes no sense.
    #[error("{0}")]
    Policy(#[from] PolicyError),
    /// Joint transactions would need the approval of half of the authorities or fewer, or of more than there are.
    #[error("joint transactions must need the approval of more than half of the authorities, and of at most all")]
    Approvals,
    /// A time-out is zero or above the cap.
    #[error("every time must be above 0, and no time-out above the cap")]
    Consensus,
}

impl GenesisError {
    /// The stable number.
    #[must_use]
    pub const fn code(&self) -> u16 {
        match self {
            Self::Version { .. } => 1,
            Self::NameMissing => 2,
            Self::TimeMissing => 3,
            Self::Order { .. } => 4,
            Self::AuthorityKeys { .. } => 5,
            Self::SharedKey => 6,
            Self::QualityAgencyMissing => 7,
            Self::MinistryMissing => 8,
            Self::UnknownAuthority { .. } => 9,
            Self::Registry(_) => 10,
            Self::Policy(_) => 11,
            Self::Consensus => 12,
            Self::Approvals => 13,
        }
    }
}

/// A checked genesis document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    document: GenesisDocument,
    registry: Registry,
    hash: GenesisHash,
}

impl Genesis {
    /// Checks a document.
    ///
    /// # Errors
    /// [`GenesisError`], of the first rule that fails.
    pub fn new(document: GenesisDocument) -> Result<Self, GenesisError> {
        if document.version != PROTOCOL_VERSION {
            return Err(GenesisError::Version { version: document.version });
        }
        let mut names = Vec::from([&document.name_ka, &document.name_en]);
        names.extend(document.authorities.iter().flat_map(|authority| [&authority.name_ka, &authority.name_en]));
        if names.iter().any(|name| name.as_str().is_empty()) {
            return Err(GenesisError::NameMissing);
        }
        if document.time == TimeMs::new(0) {
            return Err(GenesisError::TimeMissing);
        }
        check_authorities(&document)?;
        let registry = check_registry(&document)?;
        document.policy.check()?;
        if !approvals_for(document.authorities.len()).contains(&document.policy.approvals_min) {
            return Err(GenesisError::Approvals);
        }
        if !document.consensus.is_sound() {
            return Err(GenesisError::Consensus);
        }
        let hash = GenesisHash::new(domain::GENESIS.hash(&[&document.to_bytes()]));
        Ok(Self { document, registry, hash })
    }

    /// The document.
    #[must_use]
    pub const fn document(&self) -> &GenesisDocument {
        &self.document
    }

    /// The ledger's identity.
    #[must_use]
    pub const fn genesis_hash(&self) -> GenesisHash {
        self.hash
    }

    /// The set that commits block 1. Header 0 names it, too.
    #[must_use]
    pub const fn validator_set(&self) -> &ValidatorSet {
        self.registry.set()
    }

    /// Who may take part at first.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The parameters of consensus.
    #[must_use]
    pub const fn consensus(&self) -> &ConsensusParameters {
        &self.document.consensus
    }

    /// Everything that height 0 writes: block 0, the first state, and an empty certificate.
    ///
    /// # Errors
    /// None in practice: nothing is read from a medium.
    pub fn commit(&self) -> Result<HeightCommit, StoreError> {
        let nothing = alloc::collections::BTreeMap::<Vec<u8>, Vec<u8>>::new();
        let finished = self.initial_state(&nothing)?.finish()?;
        let header = Header {
            version: self.document.version,
            genesis: self.hash,
            height: Height::new(0),
            time: self.document.time,
            parent: BlockId::new([0; 32]),
            creator: ValidatorAddress::new([0; 20]),
            round: Round::new(0),
            transactions_root: transactions_root(&[]),
            state_root: finished.roots.root(),
            history_root: HistoryRoot::new(Frontier::default().root::<Rfc9162>()),
            validators: self.validator_set().hash(),
            next_validators: self.validator_set().hash(),
        };
        let id = header.id();
        let mut history = Frontier::default();
        history.push::<Rfc9162>(id.as_bytes());
        let none = StoreError::Corrupt { what: "empty certificate" };
        Ok(HeightCommit {
            block: alloc::sync::Arc::new(Block { header, transactions: Vec::new() }),
            certificate: CommitCertificate::new(Round::new(0), Vec::new()).ok_or(none)?,
            state: finished.writes,
            head: Head { header, id, history },
        })
    }

    /// Block 0.
    ///
    /// # Errors
    /// As [`Genesis::commit`].
    pub fn genesis_block(&self) -> Result<Block, StoreError> {
        self.commit().map(|commit| (*commit.block).clone())
    }

    fn initial_state<'a, R: NodeReader>(&self, nothing: &'a R) -> Result<Overlay<'a, R>, StoreError> {
        let mut overlay = Overlay::new(nothing);
        for authority in self.document.authorities.iter() {
            let record = AuthorityRecord {
                kind: authority.kind,
                name_ka: authority.name_ka.clone(),
                name_en: authority.name_en.clone(),
                keys: authority.keys.clone(),
                threshold: authority.threshold,
                log_keys: authority.log_keys.clone(),
                sequence: AuthoritySequence::new(0),
            };
            overlay.write(Write::Authority(authority.id, record))?;
        }
        let ids = self.document.authorities.iter().map(|authority| authority.id).collect();
        let authorities = List::new(ids).map_err(|_| StoreError::Corrupt { what: "authorities of genesis" })?;
        overlay.write(Write::Joint(GovernanceRecord::first(authorities)))?;
        overlay.write(Write::Policy(self.document.policy))?;
        overlay.put_registry(&self.registry);
        overlay.put_schedule(&Schedule::new());
        Ok(overlay)
    }
}

fn check_authorities(document: &GenesisDocument) -> Result<(), GenesisError> {
    let authorities = &document.authorities;
    if !authorities.is_sorted_by(|left, right| left.id < right.id) {
        return Err(GenesisError::Order { list: "authorities" });
    }
    let mut keys = BTreeSet::new();
    for authority in authorities.iter() {
        let own: BTreeSet<_> = authority.keys.iter().copied().collect();
        let threshold = usize::from(authority.threshold);
        if own.len() != authority.keys.len() || threshold == 0 || threshold > own.len() {
            return Err(GenesisError::AuthorityKeys { authority: authority.id });
        }
        if !keys.is_disjoint(&own) {
            return Err(GenesisError::SharedKey);
        }
        keys.extend(own);
    }
    let has = |kind| authorities.iter().any(|authority| authority.kind == kind);
    if !has(AuthorityKind::Nceqe) {
        return Err(GenesisError::QualityAgencyMissing);
    }
    if document.policy.pilot_order_required && !has(AuthorityKind::Ministry) {
        return Err(GenesisError::MinistryMissing);
    }
    Ok(())
}

fn check_registry(document: &GenesisDocument) -> Result<Registry, GenesisError> {
    let validators = &document.validators;
    if !validators.is_sorted_by(|left, right| left.validator.key < right.validator.key) {
        return Err(GenesisError::Order { list: "validators" });
    }
    if !document.observers.is_sorted_by(|left, right| left < right) {
        return Err(GenesisError::Order { list: "observers" });
    }
    for entry in validators.iter() {
        let authority = entry.validator.authority;
        if !document.authorities.iter().any(|known| known.id == authority) {
            return Err(GenesisError::UnknownAuthority { authority });
        }
    }
    Ok(Registry::new(validators.to_vec(), document.observers.to_vec())?)
}

impl Encode for Genesis {
    fn encode(&self, out: &mut Vec<u8>) {
        self.document.encode(out);
    }
}

impl Decode for Genesis {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::new(GenesisDocument::decode(reader)?).map_err(|_| DecodeError::NonCanonical { field: "genesis" })
    }
}
