//! A small ledger for the tests: fixed keys, four validators, a chain in memory, and valid transactions to vary.

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_ledger::{
    chain::{Chain, ExecutedBlock},
    genesis::{ConsensusParameters, Genesis, GenesisAuthority, GenesisDocument},
    memory::{Medium, MemoryStore},
    outcome::{CheckError, Rejection},
    state::RegisteredValidator,
    store::Store,
};
use sigeli_verifier::{
    batch::BatchHeight,
    bounded::{List, Text},
    certificate::{CommitCertificate, CommitSignature},
    crypto::PublicKey,
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, DecisionRef, EctsTenths, GovernanceSequence, InstitutionId,
        KeyIndex, PermissionId, ProfileHash, ProgrammeId, Round, Signature, StatusHandle, TimeMs, ValidatorAddress,
        VotingPower,
    },
    record::Policy,
    time::{Day, Window},
    transaction::{
        Accreditation, AuthorityKind, BatchAnchor, CredentialType, Field, FieldPrefix, HashAlgorithm, InstitutionKey,
        InstitutionKind, InstitutionRegister, KeyPurposes, Level, Levels, Modes, Name, Payload, PermissionGrant,
        PermissionScope, ProgrammeRegister, Sender, SignedTransaction, StatusAction, StatusEntry, StatusReason,
        StatusSet, Transaction, TransactionSignature, joint_key,
    },
    trust::NetworkKind,
    validators::Validator,
    vote::{Vote, VoteKind},
};

pub(crate) const MINISTRY: AuthorityId = AuthorityId::new(1);
pub(crate) const NCEQE: AuthorityId = AuthorityId::new(2);
pub(crate) const EMIS: AuthorityId = AuthorityId::new(3);
pub(crate) const GRENA: AuthorityId = AuthorityId::new(4);
pub(crate) const GTU: InstitutionId = InstitutionId::new(7);

pub(crate) const DAY_MS: u64 = 86_400_000;
pub(crate) const MINUTE_MS: u64 = 60_000;

/// 2026-11-24.
pub(crate) fn today() -> Day {
    Day::from_civil(2026, 11, 24).unwrap()
}

pub(crate) fn days_from_today(days: i32) -> Day {
    Day::new(today().get() + days)
}

/// Noon of 2026-11-24 in Tbilisi.
pub(crate) const NOON: TimeMs = TimeMs::new(1_795_507_200_000);

/// Three hours earlier: when the tests' ledgers are founded.
pub(crate) const MORNING: TimeMs = TimeMs::new(NOON.get() - 3 * 3_600_000);

pub(crate) fn after(time: TimeMs, ms: u64) -> TimeMs {
    TimeMs::new(time.get() + ms)
}

pub(crate) fn secret(kind: u8, index: u8) -> SigningKey {
    let mut seed = [0x5a; 32];
    seed[0] = kind;
    seed[1] = index;
    SigningKey::from_bytes(&seed)
}

pub(crate) fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_ed25519(&key.verifying_key().to_bytes()).unwrap()
}

pub(crate) fn validator_secret(index: u8) -> SigningKey {
    secret(1, index)
}

pub(crate) fn authority_secret(authority: AuthorityId, index: u8) -> SigningKey {
    secret(2 + authority.get(), index)
}

/// Key 0 may do everything, key 1 only anchors, key 2 only writes statuses.
pub(crate) fn institution_secret(institution: InstitutionId, index: u8) -> SigningKey {
    let mut seed = [0xa5; 32];
    seed[..4].copy_from_slice(&institution.get().to_le_bytes());
    seed[4] = index;
    SigningKey::from_bytes(&seed)
}

pub(crate) fn name(text: &str) -> Name {
    Text::new(text).unwrap()
}

pub(crate) fn policy() -> Policy {
    Policy {
        ects_max: [150, 150, 150, 150, 300, 300, 300, 300].map(EctsTenths::new),
        ects_min: [EctsTenths::new(10); 8],
        ects_recognised_max: EctsTenths::new(300),
        batch_height_min: 5,
        clock_tolerance_ms: 5 * 60 * 1_000,
        pilot_order_required: true,
        batches_per_day: 3,
        statuses_per_day: 5,
        changes_per_day: 100,
        approvals_min: 3,
    }
}

pub(crate) fn document(policy: Policy) -> GenesisDocument {
    let authority = |id: AuthorityId, kind, ka: &str, en: &str, keys: u8, threshold| GenesisAuthority {
        id,
        kind,
        name_ka: name(ka),
        name_en: name(en),
        keys: List::new((0..keys).map(|index| public(&authority_secret(id, index))).collect()).unwrap(),
        threshold,
        log_keys: List::empty(),
    };
    let mut validators: Vec<_> = (0..4_u8)
        .map(|index| RegisteredValidator {
            validator: Validator {
                key: public(&validator_secret(index)),
                authority: AuthorityId::new(index + 1),
                power: VotingPower::new(1),
            },
            network_key: public(&secret(9, index)),
        })
        .collect();
    validators.sort_by_key(|entry| entry.validator.key);
    GenesisDocument {
        version: 1,
        kind: NetworkKind::Test,
        name_ka: name("სიგელი, სატესტო"),
        name_en: name("Sigeli, test"),
        time: TimeMs::new(MORNING.get() - 1_000),
        authorities: List::new(vec![
            authority(MINISTRY, AuthorityKind::Ministry, "სამინისტრო", "Ministry", 1, 1),
            authority(NCEQE, AuthorityKind::Nceqe, "ხარისხის ეროვნული ცენტრი", "NCEQE", 3, 2),
            authority(EMIS, AuthorityKind::Emis, "ემისი", "EMIS", 1, 1),
            authority(GRENA, AuthorityKind::Operator, "გრენა", "GRENA", 1, 1),
        ])
        .unwrap(),
        validators: List::new(validators).unwrap(),
        observers: List::new(vec![public(&secret(10, 0))]).unwrap(),
        policy,
        consensus: ConsensusParameters::default(),
    }
}

/// A ledger and the secrets of everyone on it.
pub(crate) struct World {
    pub(crate) chain: Chain<MemoryStore>,
    pub(crate) now: TimeMs,
}

impl World {
    pub(crate) fn new(policy: Policy) -> Self {
        let chain = Chain::open(MemoryStore::new(), Genesis::new(document(policy)).unwrap()).unwrap();
        Self { chain, now: MORNING }
    }

    /// With the institution registered (block 1), authorised (2), under an order (3: fields 06, levels 5 and 6), its
    /// programme 1 registered (4) and accredited (5, permission 3: level 6, fields 0613 and 054, 15 credits), each from 30
    /// days ago to 30 days ahead. It is noon then.
    pub(crate) fn founded(policy: Policy) -> Self {
        let mut world = Self::new(policy);
        for transaction in world.founding() {
            world.commit(vec![transaction]);
        }
        world.now = NOON;
        world
    }

    pub(crate) fn founding(&self) -> Vec<SignedTransaction> {
        vec![
            self.nceqe(1, Payload::InstitutionRegister(registration(GTU))),
            self.nceqe(2, Payload::PermissionGrant(authorisation())),
            self.ministry(1, Payload::PermissionGrant(order())),
            self.by_institution(Payload::ProgrammeRegister(programme_1())),
            self.nceqe(3, Payload::PermissionGrant(accreditation())),
        ]
    }

    pub(crate) fn medium(&self) -> Medium {
        self.chain.store().medium()
    }

    /// The ledger opened again on the same medium.
    pub(crate) fn reopened(self) -> Self {
        let genesis = self.chain.genesis().clone();
        let medium = self.medium();
        drop(self.chain);
        Self { chain: Chain::open(MemoryStore::open(medium), genesis).unwrap(), now: self.now }
    }

    pub(crate) fn proposer(&self) -> ValidatorAddress {
        self.chain.schedule().order(self.chain.validators(), self.chain.next_height())[0]
    }

    /// Proposes a block of all these transactions, which must all be accepted, and commits it.
    pub(crate) fn commit(&mut self, transactions: Vec<SignedTransaction>) {
        let count = transactions.len();
        let rejected = self.try_commit(transactions);
        assert_eq!(rejected, vec![], "of {count}");
    }

    /// Proposes a block of these transactions, commits it, and returns what was left out.
    pub(crate) fn try_commit(&mut self, transactions: Vec<SignedTransaction>) -> Vec<(usize, Rejection)> {
        let ids: Vec<_> = transactions.iter().map(SignedTransaction::id).collect();
        let proposed = self.chain.propose(transactions, self.now, self.proposer(), Round::new(0)).unwrap();
        self.finish(proposed.executed);
        let position = |wanted| ids.iter().position(|id| *id == wanted).unwrap();
        proposed.rejected.into_iter().map(|(id, rejection)| (position(id), rejection)).collect()
    }

    pub(crate) fn finish(&mut self, executed: ExecutedBlock) {
        let certificate = certificate(&self.chain, &executed);
        self.chain.commit(executed, certificate).unwrap();
    }

    /// The pool's verdict on a transaction now.
    pub(crate) fn verdict(&mut self, transaction: &SignedTransaction) -> Result<(), Rejection> {
        match self.chain.check(transaction, self.now) {
            Ok(()) => Ok(()),
            Err(CheckError::Rejected(rejection)) => Err(rejection),
            Err(CheckError::Store(error)) => panic!("{error}"),
        }
    }

    pub(crate) fn body(&self, sender: Sender, ahead_ms: u64, payload: Payload) -> Transaction {
        let genesis = self.chain.genesis().genesis_hash();
        Transaction { genesis, valid_until: after(self.now, ahead_ms), sender, payload }
    }

    pub(crate) fn by_institution(&self, payload: Payload) -> SignedTransaction {
        self.by_key(0, payload)
    }

    pub(crate) fn by_key(&self, key: u8, payload: Payload) -> SignedTransaction {
        let body = self.body(Sender::Institution { institution: GTU }, 5 * MINUTE_MS, payload);
        sign(body, &[(key.into(), &institution_secret(GTU, key))])
    }

    pub(crate) fn anchor(&self, anchor: BatchAnchor) -> SignedTransaction {
        self.by_institution(Payload::BatchAnchor(anchor))
    }

    pub(crate) fn statuses(&self, entries: Vec<StatusEntry>) -> SignedTransaction {
        self.by_institution(Payload::StatusSet(StatusSet { entries: List::new(entries).unwrap() }))
    }

    pub(crate) fn nceqe(&self, sequence: u64, payload: Payload) -> SignedTransaction {
        let sender = Sender::Authority { authority: NCEQE, sequence: AuthoritySequence::new(sequence) };
        let keys = [authority_secret(NCEQE, 0), authority_secret(NCEQE, 2)];
        sign(self.body(sender, DAY_MS, payload), &[(0, &keys[0]), (2, &keys[1])])
    }

    pub(crate) fn ministry(&self, sequence: u64, payload: Payload) -> SignedTransaction {
        let sender = Sender::Authority { authority: MINISTRY, sequence: AuthoritySequence::new(sequence) };
        sign(self.body(sender, DAY_MS, payload), &[(0, &authority_secret(MINISTRY, 0))])
    }

    pub(crate) fn emis(&self, sequence: u64, payload: Payload) -> SignedTransaction {
        let sender = Sender::Authority { authority: EMIS, sequence: AuthoritySequence::new(sequence) };
        sign(self.body(sender, DAY_MS, payload), &[(0, &authority_secret(EMIS, 0))])
    }

    /// Approved by Ministry, quality agency and EMIS.
    pub(crate) fn joint(&self, sequence: u64, payload: Payload) -> SignedTransaction {
        let sender = Sender::Authorities { sequence: GovernanceSequence::new(sequence) };
        let signers = [(MINISTRY, 0), (NCEQE, 0), (NCEQE, 2), (EMIS, 0)];
        let keys = signers.map(|(authority, key)| (joint_key(authority, key).get(), authority_secret(authority, key)));
        let by_reference: Vec<_> = keys.iter().map(|(index, key)| (*index, key)).collect();
        sign(self.body(sender, DAY_MS, payload), &by_reference)
    }
}

pub(crate) fn sign(body: Transaction, keys: &[(u16, &SigningKey)]) -> SignedTransaction {
    let preimage = body.preimage();
    let signatures = keys
        .iter()
        .map(|(index, key)| TransactionSignature {
            key: KeyIndex::new(*index),
            signature: Signature::new(key.sign(&preimage).to_bytes()),
        })
        .collect();
    SignedTransaction::new(body, signatures).unwrap()
}

/// The precommits of all four validators.
pub(crate) fn certificate<S: Store>(chain: &Chain<S>, executed: &ExecutedBlock) -> CommitCertificate {
    let round = executed.header().round;
    let genesis = chain.genesis().genesis_hash();
    let signatures = chain.validators().validators().iter().zip(0_u8..).map(|(validator, position)| {
        let key = (0..4).map(validator_secret).find(|key| public(key) == validator.key).unwrap();
        let vote = Vote {
            kind: VoteKind::Precommit,
            height: executed.header().height,
            round,
            block: Some(executed.id()),
            validator: validator.address(),
        };
        let signature = Signature::new(key.sign(&vote.preimage(&genesis)).to_bytes());
        CommitSignature { validator: position, signature }
    });
    CommitCertificate::new(round, signatures.collect()).unwrap()
}

pub(crate) fn window(from: i32, to: i32) -> Window {
    Window::new(days_from_today(from), days_from_today(to)).unwrap()
}

pub(crate) fn decision(number: u8) -> DecisionRef {
    DecisionRef::new([number; 32])
}

/// A key of the institution, for a year on either side.
pub(crate) fn institution_key(institution: InstitutionId, index: u8, purposes: KeyPurposes) -> InstitutionKey {
    let key = public(&institution_secret(institution, index));
    InstitutionKey { purposes, key, window: window(-365, 365) }
}

pub(crate) fn registration(institution: InstitutionId) -> InstitutionRegister {
    let key = |index, purposes| institution_key(institution, index, purposes);
    InstitutionRegister {
        institution,
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: Text::new(&format!("{:09}", 211_349_192 + institution.get())).unwrap(),
        name_ka: name("საქართველოს ტექნიკური უნივერსიტეტი"),
        name_en: name("Georgian Technical University"),
        profile: ProfileHash::new([3; 32]),
        decision: decision(1),
        keys: List::new(vec![key(0, KeyPurposes::ALL), key(1, KeyPurposes::ANCHOR), key(2, KeyPurposes::STATUS)])
            .unwrap(),
    }
}

fn grant(number: u8, scope: PermissionScope) -> PermissionGrant {
    PermissionGrant { institution: GTU, decision: decision(number), window: window(-30, 30), conditional: false, scope }
}

pub(crate) fn authorisation() -> PermissionGrant {
    grant(2, PermissionScope::Authorisation)
}

pub(crate) fn fields(prefixes: &[&str]) -> List<FieldPrefix, 64> {
    List::new(prefixes.iter().map(|prefix| FieldPrefix::parse(prefix).unwrap()).collect()).unwrap()
}

pub(crate) fn level(level: u8) -> Level {
    Level::new(level).unwrap()
}

pub(crate) fn order() -> PermissionGrant {
    let levels = Levels::of(&[level(5), level(6)]).unwrap();
    grant(3, PermissionScope::PilotOrder { fields: fields(&["06"]), levels })
}

pub(crate) fn title() -> (Name, Name) {
    (name("მონაცემთა ანალიზი"), name("Data analysis"))
}

/// The first programme of an institution, which awards it alone.
pub(crate) fn programme_1() -> ProgrammeRegister {
    let (title_ka, title_en) = title();
    ProgrammeRegister { programme: ProgrammeId::new(1), title_ka, title_en, partners: List::empty() }
}

/// The accreditation of programme 1 of [`GTU`].
pub(crate) fn programme(at: u8, prefixes: &[&str], ects_max: u16) -> PermissionScope {
    PermissionScope::Accreditation(accreditation_of(GTU, at, prefixes, ects_max))
}

/// The accreditation of an institution's programme 1, to be reviewed in ten days.
pub(crate) fn accreditation_of(coordinator: InstitutionId, at: u8, prefixes: &[&str], ects_max: u16) -> Accreditation {
    let (title_ka, title_en) = title();
    Accreditation {
        coordinator,
        programme: ProgrammeId::new(1),
        title_ka,
        title_en,
        agent: name(""),
        level: level(at),
        fields: fields(prefixes),
        ects_max: EctsTenths::new(ects_max),
        credential_type: CredentialType::MicroCredential,
        modes: Modes::ONLINE,
        review: days_from_today(10),
    }
}

pub(crate) fn accreditation() -> PermissionGrant {
    grant(4, programme(6, &["0613", "054"], 150))
}

/// A batch that the founded ledger accepts.
pub(crate) fn batch(number: u8) -> BatchAnchor {
    BatchAnchor {
        root: BatchRoot::new([number; 32]),
        height: BatchHeight::new(10).unwrap(),
        hash_algorithm: HashAlgorithm::Blake3,
        accreditation: PermissionId::new(3),
        level: level(6),
        field: Field::new(613).unwrap(),
        ects: EctsTenths::new(30),
        issued: days_from_today(-1),
        credential_type: CredentialType::MicroCredential,
    }
}

pub(crate) fn handle(number: u8) -> StatusHandle {
    StatusHandle::new([number; 32])
}

pub(crate) fn entry(number: u8, action: StatusAction, reason: StatusReason) -> StatusEntry {
    let successor = if action == StatusAction::Supersede { [9; 32] } else { [0; 32] };
    StatusEntry { handle: handle(number), entry: 1, action, reason, successor }
}
