//! A small complete ledger, built by hand: values from the crate, every tree from the textbook.
//!
//! Four validators; Georgian Technical University (1) with keys, permissions, batches and statuses; two more
//! institutions; one header with its certificate; one trust file. Everything follows from fixed seeds.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_verifier::{
    batch::{BatchHeight, BatchPath},
    block::Header,
    bounded::{List, Text},
    bundle::{Bundle, PermissionSection, Receipt, Stamp, StampFile, StatusFinding},
    certificate::{CommitCertificate, CommitSignature},
    codes::{
        CredentialType, DecisionReason, Field, FieldPrefix, HashAlgorithm, InstitutionKind, KeyPurposes, Level, Levels,
        Modes, NetworkKind, StatusReason,
    },
    credential::Profile,
    crypto::PublicKey,
    encode::Encode as _,
    ids::{
        AuthorityId, BatchRoot, BatchSequence, BlockId, DecisionRef, DocumentDigest, EctsTenths, GenesisHash, Height,
        HistoryRoot, InstitutionId, KeyIndex, LeafIndex, PermissionId, ProfileHash, ProgrammeId, RegisterKey,
        RegisterRoot, Round, Salt, Signature, StateRoot, TimeMs, TransactionsRoot, ValidatorAddress, ValidatorSetHash,
        ValueHash, VotingPower,
    },
    record::{
        BatchChange, BatchRecord, BatchState, BatchStatus, CompromisedKeys, InstitutionEntry, InstitutionFacts,
        InstitutionState, Judged, KeyChange, KeyEntry, KeyRecord, KeyState, PermissionEntry, PermissionRecord,
        PermissionStanding, PermissionStandings, PermissionState, ProgrammeRecord, StatusRecord, StatusState, Writer,
    },
    register::{AbsenceTerminal, RegisterPath},
    time::{Day, Window},
    transaction::{Accreditation, PermissionScope},
    trust::{Checkpoint, Trust, TrustedLedger, TrustedSet},
    validators::{Validator, ValidatorSet},
    vote::{Vote, VoteKind},
};

use super::textbook::{self, Hash, Register, Terminal};

/// A key pair from a number.
pub(crate) fn signing_key(number: u64) -> SigningKey {
    SigningKey::from_bytes(&seed("key", number))
}

/// A signature over a preimage.
pub(crate) fn sign(key: &SigningKey, preimage: &[u8]) -> [u8; 64] {
    key.sign(preimage).to_bytes()
}

/// 32 bytes from a purpose and a number.
pub(crate) fn seed(purpose: &str, number: u64) -> Hash {
    blake3::derive_key("sigeli test fixture", &[purpose.as_bytes(), &number.to_le_bytes()].concat())
}

fn public_key(number: u64) -> PublicKey {
    PublicKey::from_ed25519(signing_key(number).verifying_key().as_bytes()).unwrap()
}

/// 2026-11-24T12:00:00Z, the time of the header.
pub(crate) const HEADER_TIME: u64 = 1_795_521_600_000;
/// The height of the header.
pub(crate) const HEADER_HEIGHT: u64 = 7;
/// The institution of the fixture.
pub(crate) const GTU: u32 = 1;
/// Credentials in the batch of the fixture; credential `i` has leaf index `i`.
pub(crate) const CREDENTIALS: usize = 11;

/// What a test may set before the ledger is built and signed.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) version: u16,
    pub(crate) batch_height: u8,
    pub(crate) batch_status: BatchStatus,
    pub(crate) anchored: u64,
    pub(crate) anchored_time: u64,
    pub(crate) compromised: Vec<(u16, u64)>,
    pub(crate) accreditation: PermissionScope,
    pub(crate) accreditation_window: Window,
    /// What is announced about the accreditation, in the block of the header.
    pub(crate) announced: Vec<(PermissionState, Day)>,
    pub(crate) institution: InstitutionState,
    /// Statuses set in place of the fixture's own, or added to them.
    pub(crate) statuses: Vec<(usize, StatusRecord)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            version: 1,
            batch_height: 4,
            batch_status: BatchStatus::Valid,
            anchored: 5,
            anchored_time: HEADER_TIME - 60_000,
            compromised: vec![],
            accreditation: accreditation(),
            accreditation_window: window((2026, 1, 1), (2032, 12, 31)),
            announced: vec![],
            institution: InstitutionState::Active,
            statuses: vec![],
        }
    }
}

fn window(first: (i32, u8, u8), last: (i32, u8, u8)) -> Window {
    let day = |(year, month, day)| Day::from_civil(year, month, day).unwrap();
    Window::new(day(first), day(last)).unwrap()
}

fn fields() -> List<FieldPrefix, 64> {
    List::new(vec![FieldPrefix::parse("0613").unwrap(), FieldPrefix::parse("061").unwrap()]).unwrap()
}

/// The accreditation of the fixture.
pub(crate) fn accreditation() -> PermissionScope {
    let programme = programme();
    PermissionScope::Accreditation(Accreditation {
        coordinator: InstitutionId::new(GTU),
        programme: ProgrammeId::new(1),
        title_ka: programme.title_ka,
        title_en: programme.title_en,
        agent: Text::new("").unwrap(),
        level: Level::new(6).unwrap(),
        fields: fields(),
        ects_max: EctsTenths::new(60),
        credential_type: CredentialType::MicroCredential,
        modes: Modes::new(Modes::ON_SITE.get() | Modes::BLENDED.get()).unwrap(),
        review: Day::from_civil(2029, 12, 31).unwrap(),
    })
}

/// The programme of the fixture, awarded jointly with institutions 2 and 4.
pub(crate) fn programme() -> ProgrammeRecord {
    ProgrammeRecord {
        title_ka: Text::new("მონაცემთა ანალიზი").unwrap(),
        title_en: Text::new("Data analysis").unwrap(),
        partners: List::new(vec![InstitutionId::new(2), InstitutionId::new(4)]).unwrap(),
        registered: Height::new(1),
        key: KeyIndex::new(0),
    }
}

/// The quality agency, by a decision.
pub(crate) fn by_order() -> Writer {
    Writer::Authority { authority: AuthorityId::new(2), decision: DecisionRef::new(seed("decision", 9)) }
}

/// The institution, with a key.
pub(crate) const fn by_key(key: u16) -> Writer {
    Writer::Institution { key: KeyIndex::new(key) }
}

/// What is written about a batch: entry `entries`, at height 6.
pub(crate) fn batch_change(state: BatchState, reason: StatusReason, writer: Writer, entries: u32) -> BatchStatus {
    let time = TimeMs::new(HEADER_TIME - 20_000);
    BatchStatus::Changed(BatchChange { state, reason, height: Height::new(6), time, writer, entries, restores: 0 })
}

/// The institution closed from a day on, for a merger into institution 2.
pub(crate) fn closed(from: Day) -> InstitutionState {
    InstitutionState::Closed { from, reason: DecisionReason::Merged, successor: InstitutionId::new(2) }
}

/// The ledger.
pub(crate) struct World {
    pub(crate) genesis: GenesisHash,
    pub(crate) validators: ValidatorSet,
    pub(crate) header: Header,
    pub(crate) certificate: CommitCertificate,
    pub(crate) trust: Trust,
    pub(crate) facts: InstitutionFacts,
    pub(crate) key: KeyRecord,
    pub(crate) permission: PermissionRecord,
    pub(crate) batch: BatchRecord,
    pub(crate) statuses: Vec<(usize, StatusRecord)>,
    /// The secret keys of the validators, in the order of the set.
    keys: Vec<SigningKey>,
    leaves: Vec<Hash>,
    state_slots: [Hash; 8],
    institutions: Register,
    batches: Register,
    own_keys: Register,
    own_permissions: Register,
    own_statuses: Register,
}

/// Roots of the ledger's trees.
pub(crate) struct Roots {
    pub(crate) batch: BatchRoot,
    pub(crate) statuses: RegisterRoot,
}

/// The bytes of credential `index`.
pub(crate) fn document(index: usize) -> Vec<u8> {
    format!("credential {index} of the fixture").into_bytes()
}

fn salt(index: usize) -> Hash {
    seed("salt", index as u64)
}

/// The document digest of credential `index`, computed by the textbook.
pub(crate) fn digest(index: usize) -> DocumentDigest {
    DocumentDigest::new(textbook::context("document digest", &[&[1][..], &document(index)].concat()))
}

fn leaf(index: usize) -> Hash {
    textbook::context("leaf commitment", &[&[1, 1][..], &salt(index), &digest(index).get()].concat())
}

fn handle(index: usize) -> Hash {
    textbook::context("status handle", &[salt(index), leaf(index)].concat())
}

fn with_prefix(prefix: &[u8], rest: &[u8]) -> Vec<u8> {
    [prefix, rest].concat()
}

/// What is written about a credential: entry `entries`, at height 6.
pub(crate) fn status(state: StatusState, reason: StatusReason, writer: Writer, entries: u32) -> StatusRecord {
    let time = TimeMs::new(HEADER_TIME - 30_000);
    StatusRecord { state, reason, height: Height::new(6), time, writer, entries, restores: 0 }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Self {
        let genesis = GenesisHash::new(seed("genesis", 0));
        let mut own_keys = Register::default();
        let key = KeyRecord {
            purposes: KeyPurposes::ALL,
            key: public_key(100),
            window: window((2026, 1, 1), (2027, 12, 31)),
            added: Height::new(1),
            state: KeyState::Active,
            entries: 1,
        };
        own_keys.insert(&[1, 0, 0], &key.to_bytes());
        let retired = KeyState::Retired { at: Height::new(4) };
        let retired = KeyRecord { key: public_key(101), state: retired, entries: 2, ..key };
        own_keys.insert(&[1, 1, 0], &retired.to_bytes());
        for (index, entry, change) in [(0, 1, KeyChange::Added), (1, 1, KeyChange::Added), (1, 2, KeyChange::Retired)] {
            own_keys.insert(&[2, index, 0, entry, 0, 0, 0], &key_entry(change).to_bytes());
        }
        for (index, record) in [(0_u16, &key), (1, &retired)] {
            own_keys.insert(&[&[3][..], &record.key.to_bytes()].concat(), &index.to_bytes());
        }
        own_keys.insert(&[4], &1_u16.to_bytes());

        let mut own_permissions = Register::default();
        let permission = |authority, scope, window: Window| PermissionRecord {
            authority: AuthorityId::new(authority),
            decision: DecisionRef::new(seed("decision", authority.into())),
            window,
            conditional: false,
            scope,
            granted: Height::new(2),
            predecessor: PermissionId::new(0),
            standing: PermissionStandings::granted(window.first(), DecisionReason::Granted),
            entries: 1,
        };
        let long = window((2025, 9, 1), (2031, 8, 31));
        let mut accredited = permission(2, setup.accreditation, setup.accreditation_window);
        for (state, effective) in setup.announced {
            let change = PermissionStanding { effective, state, reason: DecisionReason::MonitoringFailed };
            accredited.standing = accredited.standing.changed(change, Day::of(TimeMs::new(HEADER_TIME))).unwrap();
            accredited.entries += 1;
        }
        let order = PermissionScope::PilotOrder { fields: fields(), levels: Levels::new(0b0110_0000).unwrap() };
        let granted =
            [permission(2, PermissionScope::Authorisation, long), permission(1, order, long), accredited.clone()];
        for (number, record) in (1_u32..).zip(&granted) {
            let numbered = |code: u8| with_prefix(&[code], &number.to_le_bytes());
            own_permissions.insert(&numbered(1), &record.to_bytes());
            own_permissions.insert(&with_prefix(&numbered(3), &[1, 0, 0, 0]), &grant_entry(record).to_bytes());
        }
        own_permissions.insert(&[4, 1, 0, 0, 0], &programme().to_bytes());
        own_permissions.insert(&[5, 3, 0, 0, 0], &2_u32.to_le_bytes());

        // Credentials 0 to 3 and 10 have no status; 4 to 9 have one each.
        let mut statuses = BTreeMap::from([
            (4, status(StatusState::Suspended, StatusReason::UnderReview, by_key(1), 1)),
            (5, status(StatusState::Reinstated, StatusReason::ReviewEnded, by_key(1), 2)),
            (6, status(StatusState::Revoked, StatusReason::IssuedInError, by_key(1), 1)),
            (7, status(StatusState::Superseded { successor: leaf(0) }, StatusReason::Superseded, by_key(1), 1)),
            (8, status(StatusState::Annulled, StatusReason::Annulled, by_order(), 2)),
            (9, status(StatusState::Revoked, StatusReason::Order, by_order(), 1)),
        ]);
        statuses.extend(setup.statuses);
        let statuses: Vec<(usize, StatusRecord)> = statuses.into_iter().collect();
        let mut own_statuses = Register::default();
        for (credential, record) in &statuses {
            own_statuses.insert(&with_prefix(&[1], &handle(*credential)), &record.to_bytes());
            let entry = [&[2][..], &handle(*credential), &record.entries.to_le_bytes()].concat();
            own_statuses.insert(&entry, &record.to_bytes());
        }

        let mut institutions = Register::default();
        let facts = InstitutionFacts {
            kind: InstitutionKind::University,
            jurisdiction: *b"GEO",
            legal_id: Text::new("211349192").unwrap(),
            name_ka: Text::new("საქართველოს ტექნიკური უნივერსიტეტი").unwrap(),
            name_en: Text::new("Georgian Technical University").unwrap(),
            state: setup.institution,
            registered: Height::new(1),
            keys: 2,
            permissions: 3,
            programmes: 1,
            batches: 2,
            entries: 1,
            compromised: List::new(
                setup
                    .compromised
                    .iter()
                    .map(|(key, from)| CompromisedKeys {
                        first: KeyIndex::new(*key),
                        last: KeyIndex::new(*key),
                        from: Height::new(*from),
                    })
                    .collect(),
            )
            .unwrap(),
        };
        let own = textbook::state_node(
            &textbook::state_node(&own_keys.root(), &own_permissions.root()),
            &own_statuses.root(),
        );
        institutions.insert(&GTU.to_le_bytes(), &[facts.to_bytes(), own.to_vec()].concat());
        institutions.insert(&[1, 0, 0, 0, 1, 0, 0, 0], &institution_entry(&facts).to_bytes());
        for other in 2..=5_u32 {
            institutions.insert(&other.to_le_bytes(), &seed("institution", other.into()));
        }

        let leaves: Vec<Hash> =
            (0..16).map(|index| if index < CREDENTIALS { leaf(index) } else { seed("decoy", index as u64) }).collect();
        let batch = BatchRecord {
            sequence: BatchSequence::new(1),
            accreditation_sequence: BatchSequence::new(1),
            height: BatchHeight::new(setup.batch_height).unwrap(),
            hash_algorithm: HashAlgorithm::Blake3,
            anchored: Height::new(setup.anchored),
            anchored_time: TimeMs::new(setup.anchored_time),
            key: KeyIndex::new(0),
            accreditation: PermissionId::new(3),
            level: Level::new(6).unwrap(),
            field: Field::new(613).unwrap(),
            ects: EctsTenths::new(30),
            issued: Day::from_civil(2026, 11, 23).unwrap(),
            credential_type: CredentialType::MicroCredential,
            judged: Judged {
                accreditation_window: setup.accreditation_window,
                ects_max: EctsTenths::new(60),
                authorisation: PermissionId::new(1),
                authorisation_window: long,
                order: PermissionId::new(2),
            },
            status: setup.batch_status,
        };
        let mut batches = Register::default();
        let batch_name = |root: &Hash| [&GTU.to_le_bytes()[..], root].concat();
        let root = textbook::batch_root(&leaves);
        batches.insert(&batch_name(&root), &batch.to_bytes());
        if let BatchStatus::Changed(change) = batch.status {
            let entry = [batch_name(&root), change.entries.to_le_bytes().to_vec()].concat();
            batches.insert(&entry, &change.to_bytes());
        }
        for other in 0..6 {
            batches.insert(&batch_name(&seed("batch", other)), &batch.to_bytes());
        }

        let mut governance = Register::default();
        governance.insert(b"policy", b"of the fixture");
        let mut state_slots = [[0; 32]; 8];
        state_slots[0] = institutions.root();
        state_slots[1] = batches.root();
        state_slots[2] = governance.root();

        let (validators, keys) = validators();
        let header = Header {
            version: setup.version,
            genesis,
            height: Height::new(HEADER_HEIGHT),
            time: TimeMs::new(HEADER_TIME),
            parent: BlockId::new(seed("parent", 0)),
            creator: ValidatorAddress::new(textbook_address(&validators.validators()[1].key)),
            round: Round::new(0),
            transactions_root: TransactionsRoot::new(textbook::mth(textbook::TRANSACTIONS, &[])),
            state_root: StateRoot::new(textbook::state_root(&state_slots)),
            history_root: HistoryRoot::new(textbook::mth(textbook::SHA256, &[seed("parent", 0).to_vec()])),
            validators: ValidatorSetHash::new(textbook::context("validator set", &validators.to_bytes())),
            next_validators: ValidatorSetHash::new(textbook::context("validator set", &validators.to_bytes())),
        };
        let trust = Trust::new(vec![ledger(genesis, &validators), neighbour()]).unwrap();
        let mut world = Self {
            genesis,
            validators,
            header,
            certificate: CommitCertificate::new(Round::new(1), vec![]).unwrap(),
            trust,
            facts,
            key,
            permission: accredited,
            batch,
            statuses,
            keys,
            leaves,
            state_slots,
            institutions,
            batches,
            own_keys,
            own_permissions,
            own_statuses,
        };
        world.certificate = world.certificate_by(&[0, 1, 3]);
        world
    }

    /// The header's id, by `docs/protocol.md` §7.
    pub(crate) fn header_id(&self) -> BlockId {
        let header = &self.header;
        let rest = [
            &header.parent.get()[..],
            &header.creator.get(),
            &header.round.get().to_le_bytes(),
            &header.transactions_root.get(),
            &header.history_root.get(),
            &header.next_validators.get(),
        ]
        .concat();
        let proof = [
            &header.version.to_le_bytes()[..],
            &header.genesis.get(),
            &header.height.get().to_le_bytes(),
            &header.time.get().to_le_bytes(),
            &header.state_root.get(),
            &header.validators.get(),
            &textbook::context("header rest", &rest),
        ]
        .concat();
        BlockId::new(textbook::context("header", &proof))
    }

    /// A certificate of these validators, by position.
    pub(crate) fn certificate_by(&self, signers: &[u8]) -> CommitCertificate {
        let round = Round::new(1);
        let signatures = signers.iter().map(|signer| {
            let preimage = [
                &b"sigeli/vote/v1\0\0"[..],
                &self.genesis.get(),
                &[2],
                &self.header.height.get().to_le_bytes(),
                &round.get().to_le_bytes(),
                &[1],
                &self.header_id().get(),
                &textbook_address(&self.validators.validators()[usize::from(*signer)].key),
            ]
            .concat();
            let signature = Signature::new(sign(&self.keys[usize::from(*signer)], &preimage));
            CommitSignature { validator: *signer, signature }
        });
        CommitCertificate::new(round, signatures.collect()).unwrap()
    }

    /// Roots that no format of a bundle names.
    pub(crate) fn roots(&self) -> Roots {
        Roots {
            batch: BatchRoot::new(textbook::batch_root(&self.leaves)),
            statuses: RegisterRoot::new(self.own_statuses.root()),
        }
    }

    /// A precommit as validator `signer` would cast it for the header.
    pub(crate) fn precommit(&self, signer: u8) -> Vote {
        Vote {
            kind: VoteKind::Precommit,
            height: self.header.height,
            round: Round::new(1),
            block: Some(self.header_id()),
            validator: self.validators.validators()[usize::from(signer)].address(),
        }
    }

    pub(crate) fn receipt(&self, credential: usize) -> Receipt {
        let root = textbook::batch_root(&self.leaves);
        let index = LeafIndex::new(credential as u32);
        Receipt {
            profile: Profile::Raw,
            salt: Salt::new(salt(credential)),
            institution: InstitutionId::new(GTU),
            batch: *root.first_chunk().unwrap(),
            path: BatchPath::new(index, textbook::batch_path(&self.leaves, credential)).unwrap(),
        }
    }

    pub(crate) fn stamp(&self, credential: usize) -> Stamp {
        let root = textbook::batch_root(&self.leaves);
        let (batch_path, _) = prove(&self.batches, &[&GTU.to_le_bytes()[..], &root].concat());
        let (institution_path, _) = prove(&self.institutions, &GTU.to_le_bytes());
        let (status_path, terminal) = prove(&self.own_statuses, &with_prefix(&[1], &handle(credential)));
        let slots = &self.state_slots;
        Stamp {
            header: self.header.proof(),
            certificate: self.certificate.clone(),
            state_siblings: [
                textbook::state_node(&slots[2], &slots[3]),
                textbook::state_node(
                    &textbook::state_node(&slots[4], &slots[5]),
                    &textbook::state_node(&slots[6], &slots[7]),
                ),
            ],
            batch: self.batch,
            batch_path,
            institution: self.facts.clone(),
            institution_path,
            keys_and_permissions: textbook::state_node(&self.own_keys.root(), &self.own_permissions.root()),
            status: match self.statuses.iter().find(|(with_status, _)| *with_status == credential) {
                Some((_, record)) => StatusFinding::Present(*record),
                None => StatusFinding::Absent(match terminal {
                    Terminal::Empty => AbsenceTerminal::Empty,
                    Terminal::Leaf { key, value } => {
                        AbsenceTerminal::Other { key: RegisterKey::new(key), value: ValueHash::new(value) }
                    }
                }),
            },
            status_path,
        }
    }

    pub(crate) fn permission_section(&self) -> PermissionSection {
        let (path, _) = prove(&self.own_permissions, &[1, 3, 0, 0, 0]);
        PermissionSection { record: self.permission.clone(), path, keys: RegisterRoot::new(self.own_keys.root()) }
    }

    pub(crate) fn bundle(&self, credential: usize, with_permission: bool) -> Bundle {
        Bundle {
            ledger: *self.genesis.get().first_chunk().unwrap(),
            receipt: self.receipt(credential),
            stamp: StampFile {
                stamp: self.stamp(credential),
                permission: with_permission.then(|| self.permission_section()),
            },
        }
    }

    /// The first credential whose absence is shown by an empty slot, and by another entry.
    pub(crate) fn absences(&self) -> (usize, usize) {
        let find = |wanted_empty: bool| {
            (0..CREDENTIALS)
                .find(|credential| match self.stamp(*credential).status {
                    StatusFinding::Absent(terminal) => (terminal == AbsenceTerminal::Empty) == wanted_empty,
                    StatusFinding::Present(_) => false,
                })
                .unwrap()
        };
        (find(true), find(false))
    }
}

/// The first history entry of an institution.
pub(crate) fn institution_entry(facts: &InstitutionFacts) -> InstitutionEntry {
    InstitutionEntry {
        kind: facts.kind,
        jurisdiction: facts.jurisdiction,
        legal_id: facts.legal_id.clone(),
        name_ka: facts.name_ka.clone(),
        name_en: facts.name_en.clone(),
        profile: ProfileHash::new(seed("profile", 1)),
        state: InstitutionState::Active,
        writer: by_order(),
        height: facts.registered,
        time: TimeMs::new(HEADER_TIME - 600_000),
    }
}

/// What happened to a key, by the institution itself.
pub(crate) fn key_entry(change: KeyChange) -> KeyEntry {
    KeyEntry { change, writer: by_key(0), height: Height::new(4), time: TimeMs::new(HEADER_TIME - 90_000) }
}

/// The first history entry of a permission.
pub(crate) fn grant_entry(record: &PermissionRecord) -> PermissionEntry {
    PermissionEntry {
        state: PermissionState::Active,
        effective: record.window.first(),
        reason: DecisionReason::Granted,
        decision: record.decision,
        authority: record.authority,
        height: record.granted,
        time: TimeMs::new(HEADER_TIME - 500_000),
    }
}

fn prove(register: &Register, name: &[u8]) -> (RegisterPath, Terminal) {
    let (siblings, terminal) = register.prove(&textbook::register_key(name));
    (path_of(&siblings), terminal)
}

/// Siblings of the textbook as a path of the crate.
pub(crate) fn path_of(siblings: &[Hash]) -> RegisterPath {
    RegisterPath::new(siblings.iter().map(|sibling| (*sibling != [0; 32]).then_some(*sibling)).collect()).unwrap()
}

fn textbook_address(key: &PublicKey) -> [u8; 20] {
    *textbook::context("validator address", &key.to_bytes()).first_chunk().unwrap()
}

/// Four validators of weight 1, one per authority, and their secret keys in the order of the set.
pub(crate) fn validators() -> (ValidatorSet, Vec<SigningKey>) {
    let mut keys: Vec<SigningKey> = (0..4).map(signing_key).collect();
    let validator = |number: u64| Validator {
        key: public_key(number),
        authority: AuthorityId::new(number as u8 + 1),
        power: VotingPower::new(1),
    };
    let set = ValidatorSet::new((0..4).map(validator).collect()).unwrap();
    keys.sort_by_key(|key| *key.verifying_key().as_bytes());
    (set, keys)
}

fn ledger(genesis: GenesisHash, set: &ValidatorSet) -> TrustedLedger {
    TrustedLedger {
        genesis,
        kind: NetworkKind::Test,
        name_ka: Text::new("საცდელი რეესტრი").unwrap(),
        name_en: Text::new("Test ledger").unwrap(),
        checkpoint: Checkpoint {
            height: Height::new(3),
            time: TimeMs::new(HEADER_TIME - 120_000),
            id: BlockId::new(seed("checkpoint", 0)),
        },
        sets: vec![TrustedSet {
            first_height: Height::new(1),
            last_height: Height::new(u64::MAX),
            first_time: TimeMs::new(HEADER_TIME - 600_000),
            last_time: TimeMs::new(u64::MAX),
            set: set.clone(),
        }],
    }
}

/// Another ledger, which the trust file lists too.
fn neighbour() -> TrustedLedger {
    let validator = |number: u64| Validator {
        key: public_key(number),
        authority: AuthorityId::new(number as u8),
        power: VotingPower::new(5),
    };
    let set = ValidatorSet::new((50..57).map(validator).collect()).unwrap();
    TrustedLedger {
        kind: NetworkKind::Production,
        name_en: Text::new("Neighbour").unwrap(),
        ..ledger(GenesisHash::new(seed("genesis", 1)), &set)
    }
}
