//! Proved answers against a textbook tree that shares no code with the crate: what is true is accepted, and nothing else:
//! no changed bit, no entry left out, added or altered, no other header.
#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::{collection::vec, prelude::*, sample::Index};
use sigeli_verifier::{
    batch::BatchHeight,
    block::{Block, Header, transactions_root},
    bounded::{List, Text},
    certificate::{CertificateError, CommitCertificate, CommitSignature},
    codes::{CredentialType, Field, HashAlgorithm, InstitutionKind, Level, NetworkKind},
    crypto::PublicKey,
    decode::Decode,
    encode::Encode as _,
    ids::{
        AuthorityId, BatchRoot, BatchSequence, BlockId, EctsTenths, GenesisHash, Height, HistoryRoot, InstitutionId,
        KeyIndex, PermissionId, RegisterKey, RegisterRoot, Round, Signature, StateRoot, StatusHandle, TimeMs,
        ValidatorAddress, ValueHash, VotingPower,
    },
    proof::{
        AbsenceProof, AccreditationPage, BatchItem, BatchPage, BatchRange, ConfirmedState, EntryProof,
        InstitutionAnswer, InstitutionProof, PrefixProof, PrefixTerminal, ProofError, RegisterDownload, RegisterEntry,
        RegisterPage, StateProof, StatusName, WholeRegister, verify_block, verify_entry,
    },
    record::{BatchRecord, BatchStatus, InstitutionFacts, InstitutionState, Judged},
    register::{AbsenceTerminal, PathError, RegisterPath, RegisterPrefix, SubtreeError, register_root, subtree_hash},
    state::{InstitutionRegisters, StateRoots},
    time::{Day, Window},
    trust::{Checkpoint, TrustedLedger, TrustedSet},
    validators::{Validator, ValidatorSet},
    verdict::Freshness,
    vote::{Vote, VoteKind},
};

// ---------------------------------------------------------------------------------------------------------------------
// The textbook.

type Hash = [u8; 32];

fn derive(name: &str, parts: &[&[u8]]) -> Hash {
    blake3::derive_key(&format!("ge.microcredential.ledger 2026-11 v1 {name}"), &parts.concat())
}

fn bit(key: &Hash, depth: usize) -> bool {
    key[depth / 8] >> (7 - depth % 8) & 1 == 1
}

fn subtree(entries: &[(Hash, Hash)], depth: usize) -> Hash {
    match entries {
        [] => [0; 32],
        [(key, value)] => derive("register leaf", &[key, value]),
        many => {
            let (left, right): (Vec<_>, Vec<_>) = many.iter().partition(|(key, _)| !bit(key, depth));
            derive("register node", &[&subtree(&left, depth + 1), &subtree(&right, depth + 1)])
        }
    }
}

/// A register as a plain list of names and values.
#[derive(Debug, Clone, Default)]
struct Register(BTreeMap<Vec<u8>, Vec<u8>>);

impl Register {
    fn insert(&mut self, name: &[u8], value: &[u8]) {
        self.0.insert(name.to_vec(), value.to_vec());
    }

    fn hashed(&self) -> Vec<(Hash, Hash)> {
        let hash = |(name, value): (&Vec<u8>, &Vec<u8>)| key_and_value(name, value);
        let mut hashed: Vec<_> = self.0.iter().map(hash).collect();
        hashed.sort_unstable();
        hashed
    }

    fn root(&self) -> RegisterRoot {
        RegisterRoot::new(subtree(&self.hashed(), 0))
    }

    /// The siblings along `key` down to `depth_max` or to the first subtree of less than two entries, and what it holds.
    fn descend(&self, key: &Hash, depth_max: usize) -> (RegisterPath, Vec<(Hash, Hash)>) {
        let mut entries = self.hashed();
        let mut siblings = vec![];
        while entries.len() > 1 && siblings.len() < depth_max {
            let depth = siblings.len();
            let (on, off): (Vec<_>, Vec<_>) =
                entries.into_iter().partition(|(other, _)| bit(other, depth) == bit(key, depth));
            siblings.push(subtree(&off, depth + 1));
            entries = on;
        }
        siblings.reverse();
        let siblings = siblings.iter().map(|sibling| (*sibling != [0; 32]).then_some(*sibling)).collect();
        (RegisterPath::new(siblings).unwrap(), entries)
    }

    fn prove(&self, name: &[u8]) -> EntryProof {
        let key = derive("register key", &[name]);
        let (path, found) = self.descend(&key, 256);
        match (self.0.get(name), found.as_slice()) {
            (Some(value), _) => EntryProof::present(value.clone(), path).unwrap(),
            (None, found) => EntryProof::Absent(AbsenceProof { terminal: terminal(found), path }),
        }
    }

    fn path(&self, name: &[u8]) -> RegisterPath {
        self.descend(&derive("register key", &[name]), 256).0
    }

    fn prove_prefix(&self, prefix: RegisterPrefix) -> PrefixProof {
        let (path, found) = self.descend(&prefix.first_key().get(), prefix.length().into());
        let terminal = match found.as_slice() {
            [] => PrefixTerminal::Absent(AbsenceTerminal::Empty),
            [(key, _)] if !begins(key, prefix) => PrefixTerminal::Absent(terminal(&found)),
            _ => PrefixTerminal::Entries,
        };
        PrefixProof { terminal, path }
    }

    /// Names and values of the entries that begin with a prefix, in order of key.
    fn under(&self, prefix: RegisterPrefix) -> Vec<Entry> {
        let mut found: Vec<_> = self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        found.retain(|(name, _)| begins(&derive("register key", &[name]), prefix));
        sort(&mut found);
        found
    }
}

type Entry = (Vec<u8>, Vec<u8>);

fn sort(entries: &mut [Entry]) {
    entries.sort_by_key(|(name, _)| derive("register key", &[name]));
}

fn key_and_value(name: &[u8], value: &[u8]) -> (Hash, Hash) {
    (derive("register key", &[name]), derive("register value", &[value]))
}

fn begins(key: &Hash, prefix: RegisterPrefix) -> bool {
    let length: usize = prefix.length().into();
    (0..length).all(|depth| bit(key, depth) == (prefix.bits() >> (15 - depth) & 1 == 1))
}

fn terminal(found: &[(Hash, Hash)]) -> AbsenceTerminal {
    match found {
        [(key, value)] => AbsenceTerminal::Other { key: RegisterKey::new(*key), value: ValueHash::new(*value) },
        _ => AbsenceTerminal::Empty,
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// A small ledger under one header.

fn seed(purpose: &str, number: u64) -> Hash {
    blake3::derive_key("sigeli proofs fixture", &[purpose.as_bytes(), &number.to_le_bytes()].concat())
}

const TIME: u64 = 1_795_521_600_000;
const HEIGHT: u64 = 7;
const GTU: u32 = 1;
const ACCREDITATION: u32 = 3;
/// The batches of the institution; those with an odd number are under [`ACCREDITATION`].
const BATCHES: u32 = 21;

fn name_of(institution: u32, root: &Hash) -> Vec<u8> {
    [&institution.to_le_bytes()[..], root].concat()
}

fn batch(sequence: u32) -> BatchRecord {
    let window = Window::new(Day::from_civil(2026, 1, 1).unwrap(), Day::from_civil(2032, 12, 31).unwrap()).unwrap();
    let odd = sequence % 2 == 1;
    BatchRecord {
        sequence: BatchSequence::new(sequence),
        accreditation_sequence: BatchSequence::new(sequence.div_ceil(2)),
        height: BatchHeight::new(4).unwrap(),
        hash_algorithm: HashAlgorithm::Blake3,
        anchored: Height::new(5),
        anchored_time: TimeMs::new(TIME - 60_000),
        key: KeyIndex::new(0),
        accreditation: PermissionId::new(if odd { ACCREDITATION } else { 4 }),
        level: Level::new(6).unwrap(),
        field: Field::new(613).unwrap(),
        ects: EctsTenths::new(30),
        issued: Day::from_civil(2026, 11, 23).unwrap(),
        credential_type: CredentialType::MicroCredential,
        judged: Judged {
            accreditation_window: window,
            ects_max: EctsTenths::new(60),
            authorisation: PermissionId::new(1),
            authorisation_window: window,
            order: PermissionId::new(2),
        },
        status: BatchStatus::Valid,
    }
}

fn facts() -> InstitutionFacts {
    InstitutionFacts {
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: Text::new("211349192").unwrap(),
        name_ka: Text::new("საქართველოს ტექნიკური უნივერსიტეტი").unwrap(),
        name_en: Text::new("Georgian Technical University").unwrap(),
        state: InstitutionState::Active,
        registered: Height::new(2),
        keys: 1,
        permissions: 4,
        programmes: 0,
        batches: BATCHES,
        entries: 1,
        compromised: List::empty(),
    }
}

struct World {
    institutions: Register,
    batches: Register,
    permissions: Register,
    statuses: Register,
    registers: InstitutionRegisters,
    roots: StateRoots,
    keys: Vec<SigningKey>,
    set: ValidatorSet,
    ledger: TrustedLedger,
    header: Header,
}

impl World {
    fn new() -> Self {
        let mut batches = Register::default();
        for sequence in 1..=BATCHES {
            batches.insert(&name_of(GTU, &seed("batch", sequence.into())), &batch(sequence).to_bytes());
            batches.insert(&name_of(2, &seed("batch", sequence.into())), &batch(sequence).to_bytes());
        }
        let mut permissions = Register::default();
        for (permission, tally) in [(ACCREDITATION, BATCHES.div_ceil(2)), (4, BATCHES / 2)] {
            permissions.insert(&[&[1], &permission.to_le_bytes()[..]].concat(), b"a permission");
            permissions.insert(&[&[5], &permission.to_le_bytes()[..]].concat(), &tally.to_le_bytes());
        }
        let mut statuses = Register::default();
        for number in 0..40 {
            let handle = StatusHandle::new(seed("handle", number));
            statuses.insert(&StatusName::Head(handle).to_bytes(), b"revoked");
            statuses.insert(&StatusName::Entry(handle, 1).to_bytes(), b"revoked");
        }
        let mut keys = Register::default();
        keys.insert(&[1, 0, 0], b"a key");
        let registers =
            InstitutionRegisters { keys: keys.root(), permissions: permissions.root(), statuses: statuses.root() };
        let mut institutions = Register::default();
        institutions.insert(&GTU.to_le_bytes(), &facts().value(&registers.root()));
        for other in 2..9_u32 {
            institutions.insert(&other.to_le_bytes(), &facts().value(&[0; 32]));
        }
        let mut governance = Register::default();
        governance.insert(&[2], b"a policy");
        let roots =
            StateRoots { institutions: institutions.root(), batches: batches.root(), governance: governance.root() };
        let (set, keys) = validators(0);
        let genesis = GenesisHash::new(seed("genesis", 0));
        let header = header(genesis, roots, &set);
        let ledger = ledger(genesis, &set);
        Self { institutions, batches, permissions, statuses, registers, roots, keys, set, ledger, header }
    }

    fn certificate(&self, id: BlockId) -> CommitCertificate {
        sign(&self.header, id, &self.set, &self.keys, &[0, 1, 3])
    }

    fn state(&self) -> StateProof {
        StateProof { header: self.header.proof(), certificate: self.certificate(self.header.id()), roots: self.roots }
    }

    fn confirmed(&self) -> ConfirmedState {
        self.state().verify(&self.ledger).unwrap()
    }

    fn institution(&self) -> InstitutionProof {
        let path = self.institutions.path(&GTU.to_le_bytes());
        InstitutionProof { facts: facts(), registers: self.registers, path }
    }

    fn items(&self, sequences: impl IntoIterator<Item = u32>) -> Vec<BatchItem> {
        let item = |sequence: u32| {
            let root = seed("batch", sequence.into());
            BatchItem {
                root: BatchRoot::new(root),
                record: batch(sequence),
                path: self.batches.path(&name_of(GTU, &root)),
            }
        };
        sequences.into_iter().map(item).collect()
    }

    fn page(&self, sequences: impl IntoIterator<Item = u32>) -> BatchPage {
        BatchPage::new(self.items(sequences)).unwrap()
    }

    fn tally(&self, permission: u32) -> EntryProof {
        self.permissions.prove(&[&[5], &permission.to_le_bytes()[..]].concat())
    }
}

fn validators(number: u64) -> (ValidatorSet, Vec<SigningKey>) {
    let keys: Vec<_> = (0..4).map(|place| SigningKey::from_bytes(&seed("validator", number * 10 + place))).collect();
    let validator = |(authority, key): (u8, &SigningKey)| Validator {
        key: PublicKey::from_ed25519(key.verifying_key().as_bytes()).unwrap(),
        authority: AuthorityId::new(authority),
        power: VotingPower::new(1),
    };
    let set = ValidatorSet::new((0_u8..).zip(&keys).map(validator).collect()).unwrap();
    let of = |validator: &Validator| {
        let own = |key: &&SigningKey| key.verifying_key().as_bytes() == validator.key.as_bytes();
        keys.iter().find(own).unwrap().clone()
    };
    let ordered = set.validators().iter().map(of).collect();
    (set, ordered)
}

fn header(genesis: GenesisHash, roots: StateRoots, set: &ValidatorSet) -> Header {
    Header {
        version: 1,
        genesis,
        height: Height::new(HEIGHT),
        time: TimeMs::new(TIME),
        parent: BlockId::new(seed("parent", 0)),
        creator: ValidatorAddress::new([7; 20]),
        round: Round::new(0),
        transactions_root: transactions_root(&[]),
        state_root: textbook_state_root(&roots),
        history_root: HistoryRoot::new(seed("history", 0)),
        validators: set.hash(),
        next_validators: set.hash(),
    }
}

fn textbook_state_root(roots: &StateRoots) -> StateRoot {
    let node = |left: &Hash, right: &Hash| derive("state node", &[left, right]);
    let zero = [0; 32];
    let first = node(roots.institutions.as_bytes(), roots.batches.as_bytes());
    let second = node(roots.governance.as_bytes(), &zero);
    let rest = node(&node(&zero, &zero), &node(&zero, &zero));
    StateRoot::new(node(&node(&first, &second), &rest))
}

fn ledger(genesis: GenesisHash, set: &ValidatorSet) -> TrustedLedger {
    TrustedLedger {
        genesis,
        kind: NetworkKind::Test,
        name_ka: Text::new("სატესტო").unwrap(),
        name_en: Text::new("test").unwrap(),
        checkpoint: Checkpoint {
            height: Height::new(5),
            time: TimeMs::new(TIME - 5_000),
            id: BlockId::new(seed("pinned", 0)),
        },
        sets: vec![TrustedSet {
            first_height: Height::new(1),
            last_height: Height::new(1_000),
            first_time: TimeMs::new(TIME - 1_000_000),
            last_time: TimeMs::new(TIME + 1_000_000),
            set: set.clone(),
        }],
    }
}

fn sign(header: &Header, id: BlockId, set: &ValidatorSet, keys: &[SigningKey], signers: &[u8]) -> CommitCertificate {
    let signature = |place: &u8| {
        let position = usize::from(*place);
        let vote = Vote {
            kind: VoteKind::Precommit,
            height: header.height,
            round: Round::new(1),
            block: Some(id),
            validator: set.validators()[position].address(),
        };
        let signature = keys[position].sign(&vote.preimage(&header.genesis)).to_bytes();
        CommitSignature { validator: *place, signature: Signature::new(signature) }
    };
    CommitCertificate::new(Round::new(1), signers.iter().map(signature).collect()).unwrap()
}

/// Calls `accepts` with every encoding that differs from `bytes` in one bit, and with every shorter one; it must be false.
fn refuses_every_change(bytes: &[u8], accepts: impl Fn(&[u8]) -> bool) {
    assert!(accepts(bytes), "the unchanged bytes are accepted");
    for position in 0..bytes.len() * 8 {
        let mut changed = bytes.to_vec();
        changed[position / 8] ^= 1 << (position % 8);
        assert!(!accepts(&changed), "bit {position} of {}", bytes.len() * 8);
    }
    for length in 0..bytes.len() {
        assert!(!accepts(&bytes[..length]), "cut to {length}");
    }
    assert!(!accepts(&[bytes, &[0]].concat()), "a byte more");
}

// ---------------------------------------------------------------------------------------------------------------------
// States.

#[test]
fn a_state_is_confirmed_by_its_quorum_alone() {
    let world = World::new();
    let state = world.confirmed();
    assert_eq!(
        (state.height(), state.time(), state.header()),
        (Height::new(HEIGHT), TimeMs::new(TIME), world.header.id())
    );
    assert_eq!((state.confirmed_by(), state.validators(), state.genesis()), (3, 4, world.ledger.genesis));
    assert_eq!(*state.roots(), world.roots);

    let refused = |proof: &StateProof, ledger: &TrustedLedger| proof.verify(ledger).unwrap_err();
    let proof = world.state();
    let few =
        StateProof { certificate: sign(&world.header, world.header.id(), &world.set, &world.keys, &[0, 1]), ..proof };
    let no_quorum = CertificateError::NoQuorum { power: 2, total: 4 };
    assert_eq!(refused(&few, &world.ledger), ProofError::NotConfirmed(no_quorum));

    // Another ledger's header, confirmed by that ledger's own validators.
    let (other_set, other_keys) = validators(1);
    let other = ledger(GenesisHash::new(seed("genesis", 1)), &other_set);
    let other_header = header(other.genesis, world.roots, &other_set);
    let foreign = StateProof {
        header: other_header.proof(),
        certificate: sign(&other_header, other_header.id(), &other_set, &other_keys, &[0, 1, 2]),
        roots: world.roots,
    };
    assert!(foreign.verify(&other).is_ok());
    assert_eq!(
        refused(&foreign, &world.ledger),
        ProofError::NotConfirmed(CertificateError::Signature { validator: 0 })
    );
    // The same validators on another ledger.
    let same_set = ledger(GenesisHash::new(seed("genesis", 1)), &world.set);
    assert_eq!(refused(&proof, &same_set), ProofError::NotConfirmed(CertificateError::Signature { validator: 0 }));
}

#[test]
fn a_state_outside_what_is_trusted_is_refused() {
    let world = World::new();
    let with = |change: &dyn Fn(&mut Header, &mut TrustedLedger)| {
        let (mut header, mut ledger) = (world.header, world.ledger.clone());
        change(&mut header, &mut ledger);
        let certificate = sign(&header, header.id(), &world.set, &world.keys, &[0, 1, 2]);
        StateProof { header: header.proof(), certificate, roots: world.roots }.verify(&ledger).err()
    };
    let height = Height::new(HEIGHT);
    assert_eq!(with(&|_, _| ()), None);
    assert_eq!(with(&|header, _| header.version = 2), Some(ProofError::UnknownVersion { version: 2 }));
    let unknown = Some(ProofError::UnknownValidators { height });
    assert_eq!(with(&|_, ledger| ledger.sets[0].first_height = Height::new(8)), unknown);
    assert_eq!(with(&|_, ledger| ledger.sets[0].last_height = Height::new(6)), unknown);
    let outside = Some(ProofError::OutsideTrustedTime { height });
    assert_eq!(with(&|_, ledger| ledger.sets[0].first_time = TimeMs::new(TIME + 1)), outside);
    assert_eq!(with(&|_, ledger| ledger.sets[0].last_time = TimeMs::new(TIME - 1)), outside);
    assert_eq!(with(&|_, ledger| ledger.checkpoint.height = height), Some(ProofError::OtherThanPinned { height }));
    assert_eq!(
        with(&|header, ledger| ledger.checkpoint = Checkpoint { height, time: header.time, id: header.id() }),
        None
    );
}

#[test]
fn an_old_state_is_refused() {
    let world = World::new();
    let fresh = |at: u64, max_age_ms: u64| {
        world.confirmed().check_freshness(Freshness { at: TimeMs::new(at), max_age_ms }).err()
    };
    let stale = Some(ProofError::Stale { height: Height::new(HEIGHT) });
    assert_eq!(fresh(TIME, 0), None);
    assert_eq!(fresh(TIME + 1_000, 1_000), None);
    assert_eq!(fresh(TIME + 1_001, 1_000), stale);
    assert_eq!(fresh(TIME - 120_000, 1_000), None);
    assert_eq!(fresh(TIME - 120_001, 1_000), Some(ProofError::ClockBehind));
    assert_eq!(world.confirmed().check_height(Height::new(HEIGHT)), Ok(()));
    assert_eq!(world.confirmed().check_height(Height::new(HEIGHT + 1)).err(), stale);

    let mut pinned = world.ledger.clone();
    pinned.checkpoint.height = Height::new(HEIGHT + 1);
    pinned.checkpoint.time = TimeMs::new(TIME + 1_000);
    let before = world.state().verify(&pinned).unwrap();
    let at = Freshness { at: TimeMs::new(TIME), max_age_ms: u64::MAX };
    assert_eq!(before.check_freshness(at).err(), stale);
}

#[test]
fn a_state_proof_has_no_bit_to_spare() {
    let world = World::new();
    refuses_every_change(&world.state().to_bytes(), |bytes| {
        StateProof::from_bytes(bytes).is_ok_and(|proof| proof.verify(&world.ledger).is_ok())
    });
}

#[test]
fn a_block_is_proved_with_its_transactions() {
    let world = World::new();
    let block = Block { header: world.header, transactions: vec![] };
    let certificate = world.certificate(world.header.id());
    let confirmed = verify_block(&world.ledger, &block, &certificate).unwrap();
    assert_eq!((confirmed.id(), confirmed.confirmed_by()), (world.header.id(), 3));
    assert!(confirmed.transactions().is_empty() && *confirmed.block() == block);

    let other = Block { header: Header { transactions_root: seed_root(), ..world.header }, transactions: vec![] };
    let certificate_of_other = world.certificate(other.header.id());
    let refused = verify_block(&world.ledger, &other, &certificate_of_other).err();
    assert_eq!(refused, Some(ProofError::OtherTransactions));
    let foreign = ledger(GenesisHash::new(seed("genesis", 1)), &world.set);
    assert_eq!(verify_block(&foreign, &block, &certificate).err(), Some(ProofError::OtherLedger));
    let (others, _) = validators(1);
    let renamed = Block { header: Header { validators: others.hash(), ..world.header }, transactions: vec![] };
    let height = Height::new(HEIGHT);
    let refused = verify_block(&world.ledger, &renamed, &world.certificate(renamed.header.id())).err();
    assert_eq!(refused, Some(ProofError::UnknownValidators { height }));
    let mut pinned = world.ledger.clone();
    pinned.checkpoint.height = height;
    assert_eq!(verify_block(&pinned, &block, &certificate).err(), Some(ProofError::OtherThanPinned { height }));

    refuses_every_change(&block.to_bytes(), |bytes| {
        Block::from_bytes(bytes).is_ok_and(|block| verify_block(&world.ledger, &block, &certificate).is_ok())
    });
}

fn seed_root() -> sigeli_verifier::ids::TransactionsRoot {
    sigeli_verifier::ids::TransactionsRoot::new(seed("transactions", 0))
}

// ---------------------------------------------------------------------------------------------------------------------
// Entries and institutions.

#[test]
fn an_institution_is_proved_or_its_absence() {
    let world = World::new();
    let state = world.confirmed();
    let present = InstitutionAnswer::Present(world.institution());
    let gtu = present.verify(&state, InstitutionId::new(GTU)).unwrap().unwrap();
    assert_eq!(
        (gtu.institution(), gtu.facts(), gtu.registers()),
        (InstitutionId::new(GTU), &facts(), &world.registers)
    );
    assert_eq!(*gtu.state(), state);
    assert!(present.verify(&state, InstitutionId::new(2)).is_err());
    refuses_every_change(&present.to_bytes(), |bytes| {
        InstitutionAnswer::from_bytes(bytes).is_ok_and(|answer| answer.verify(&state, InstitutionId::new(GTU)).is_ok())
    });

    let (mut empty, mut other) = (0, 0);
    for number in 100..160_u32 {
        let EntryProof::Absent(absence) = world.institutions.prove(&number.to_le_bytes()) else { unreachable!() };
        let seen = if absence.terminal == AbsenceTerminal::Empty { &mut empty } else { &mut other };
        *seen += 1;
        let answer = InstitutionAnswer::Absent(absence);
        assert_eq!(answer.verify(&state, InstitutionId::new(number)), Ok(None));
        assert!(answer.verify(&state, InstitutionId::new(GTU)).is_err());
        if *seen == 1 {
            refuses_every_change(&answer.to_bytes(), |bytes| {
                InstitutionAnswer::from_bytes(bytes)
                    .is_ok_and(|answer| answer.verify(&state, InstitutionId::new(number)).is_ok())
            });
        }
    }
    assert!(empty > 0 && other > 0, "both ways of absence occur");
}

#[test]
fn an_entry_is_proved_or_its_absence() {
    let world = World::new();
    let root = world.registers.permissions;
    let key = |name: &[u8]| sigeli_verifier::register::key(name);
    let name = [&[5], &ACCREDITATION.to_le_bytes()[..]].concat();
    let proof = world.permissions.prove(&name);
    assert_eq!(proof.verify(&root, &key(&name)), Ok(Some(&11_u32.to_le_bytes()[..])));
    assert_eq!(proof.verify_record::<u32>(&root, &key(&name)), Ok(Some(11)));
    assert_eq!(proof.verify_record::<u64>(&root, &key(&name)), Err(ProofError::Value));
    assert!(proof.verify(&root, &key(b"another")).is_err());
    assert!(proof.verify(&world.registers.statuses, &key(&name)).is_err());
    assert!(verify_entry(&root, &key(&name), &12_u32.to_le_bytes(), &world.permissions.path(&name)).is_err());
    refuses_every_change(&proof.to_bytes(), |bytes| {
        EntryProof::from_bytes(bytes).is_ok_and(|proof| proof.verify(&root, &key(&name)).is_ok())
    });
    let absent = world.permissions.prove(b"nothing");
    assert_eq!(absent.verify(&root, &key(b"nothing")), Ok(None));
    assert!(absent.verify(&root, &key(&name)).is_err());
}

// ---------------------------------------------------------------------------------------------------------------------
// Batches.

fn range(first: u32, last: u32) -> BatchRange {
    BatchRange::new(BatchSequence::new(first), BatchSequence::new(last)).unwrap()
}

#[test]
fn batches_come_by_number_without_a_gap() {
    let world = World::new();
    let (state, proof) = (world.confirmed(), world.institution());
    let gtu = proof.verify(&state, InstitutionId::new(GTU)).unwrap();
    let all = world.page(1..=BATCHES);
    let proved = all.verify(&gtu, range(1, 256)).unwrap();
    assert_eq!((proved.total, proved.batches), (BATCHES, all.items()));
    assert!(world.page(4..=9).verify(&gtu, range(4, 9)).is_ok());
    assert!(world.page([]).verify(&gtu, range(BATCHES + 1, BATCHES + 9)).is_ok());

    let count = |expected, found| Err(ProofError::BatchCount { expected, found });
    assert_eq!(world.page(4..=8).verify(&gtu, range(4, 9)), count(6, 5));
    assert_eq!(world.page(4..=10).verify(&gtu, range(4, 9)), count(6, 7));
    assert_eq!(world.page([]).verify(&gtu, range(1, 256)), count(BATCHES, 0));
    let number = |expected| Err(ProofError::BatchNumber { expected });
    assert_eq!(world.page([4, 5, 5, 7]).verify(&gtu, range(4, 7)), number(6));
    assert_eq!(world.page([4, 6, 5, 7]).verify(&gtu, range(4, 7)), number(5));
    // A record under another root, and a number that the ledger never gave.
    let mut items = world.items(4..=5);
    items[1].root = BatchRoot::new(seed("batch", 6));
    assert!(BatchPage::new(items.clone()).unwrap().verify(&gtu, range(4, 5)).is_err());
    let mut items = world.items([4, 4]);
    items[1].record.sequence = BatchSequence::new(5);
    assert!(BatchPage::new(items).unwrap().verify(&gtu, range(4, 5)).is_err());

    refuses_every_change(&world.page(7..=9).to_bytes(), |bytes| {
        BatchPage::from_bytes(bytes).is_ok_and(|page| page.verify(&gtu, range(7, 9)).is_ok())
    });
}

#[test]
fn a_neighbours_batches_are_not_the_institutions() {
    let world = World::new();
    let (state, proof) = (world.confirmed(), world.institution());
    let gtu = proof.verify(&state, InstitutionId::new(GTU)).unwrap();
    let mut items = world.items(1..=1);
    items[0].path = world.batches.path(&name_of(2, items[0].root.as_bytes()));
    assert!(matches!(BatchPage::new(items).unwrap().verify(&gtu, range(1, 1)), Err(ProofError::OtherRoot { .. })));
}

#[test]
fn batches_under_an_accreditation_come_by_its_own_numbers() {
    let world = World::new();
    let (state, proof) = (world.confirmed(), world.institution());
    let gtu = proof.verify(&state, InstitutionId::new(GTU)).unwrap();
    let accreditation = PermissionId::new(ACCREDITATION);
    let page = |sequences: &[u32]| AccreditationPage {
        tally: world.tally(ACCREDITATION),
        page: world.page(sequences.iter().copied()),
    };
    let odd: Vec<_> = (1..=BATCHES).step_by(2).collect();
    assert_eq!(page(&odd).verify(&gtu, accreditation, range(1, 256)).unwrap().total, BATCHES.div_ceil(2));
    assert!(page(&[3, 5, 7]).verify(&gtu, accreditation, range(2, 4)).is_ok());
    let number = |expected| Err(ProofError::BatchNumber { expected });
    assert_eq!(page(&[3, 6, 7]).verify(&gtu, accreditation, range(2, 4)), number(3));
    assert_eq!(page(&[3, 5, 8]).verify(&gtu, accreditation, range(2, 4)), number(4));
    let short = page(&odd[1..]);
    let short = short.verify(&gtu, accreditation, range(1, 256));
    assert_eq!(short, Err(ProofError::BatchCount { expected: 11, found: 10 }));
    // The tally of another accreditation, which would hide the last batch.
    let hidden = AccreditationPage { tally: world.tally(4), page: world.page(odd[..10].iter().copied()) };
    assert!(matches!(hidden.verify(&gtu, accreditation, range(1, 256)), Err(ProofError::OtherRoot { .. })));
    // No batch was ever anchored under this one.
    let none = AccreditationPage { tally: world.tally(9), page: world.page([]) };
    assert_eq!(none.verify(&gtu, PermissionId::new(9), range(1, 256)).unwrap().total, 0);
    assert!(none.verify(&gtu, accreditation, range(1, 256)).is_err());

    refuses_every_change(&page(&[3, 5]).to_bytes(), |bytes| {
        AccreditationPage::from_bytes(bytes).is_ok_and(|page| page.verify(&gtu, accreditation, range(2, 3)).is_ok())
    });
}

#[test]
fn ranges_are_bounded() {
    let new = |first, last| BatchRange::new(BatchSequence::new(first), BatchSequence::new(last));
    assert_eq!(new(0, 3), None);
    assert_eq!(new(4, 3), None);
    assert_eq!(new(1, 257), None);
    assert_eq!(new(u32::MAX - 255, u32::MAX).unwrap().within(u32::MAX).count(), 256);
    assert_eq!(range(3, 5).within(2).count(), 0);
    assert_eq!(range(3, 5).within(4).map(BatchSequence::get).collect::<Vec<_>>(), [3, 4]);
    let world = World::new();
    let item = world.items([1]).remove(0);
    assert!(BatchPage::new(vec![item.clone(); 257]).is_none());
    let mut bytes = BatchPage::new(vec![item.clone(); 256]).unwrap().to_bytes();
    assert!(BatchPage::from_bytes(&bytes).is_ok());
    bytes[..2].copy_from_slice(&257_u16.to_le_bytes());
    item.encode(&mut bytes);
    assert!(BatchPage::from_bytes(&bytes).is_err());
}

// ---------------------------------------------------------------------------------------------------------------------
// Whole registers and prefixes.

/// Keys that share many bits: one of four fillings up to a place, then free bits.
fn close_key() -> impl Strategy<Value = Hash> {
    (0_u8..4, 0_usize..=32, any::<Hash>()).prop_map(|(fill, shared, mut bytes)| {
        bytes[..shared].fill(fill.wrapping_mul(0x55));
        bytes
    })
}

fn typed(entries: &[(Hash, Hash)]) -> Vec<(RegisterKey, ValueHash)> {
    entries.iter().map(|(key, value)| (RegisterKey::new(*key), ValueHash::new(*value))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The hash of any set at any depth is the textbook's, and one change gives another.
    #[test]
    fn any_subtree_has_the_textbook_hash(set in vec((close_key(), any::<u8>()), 0..40), depth in 0_usize..=256, at in any::<Index>()) {
        let mut entries: BTreeMap<Hash, Hash> = set.iter().map(|(key, value)| (*key, [*value; 32])).collect();
        let all: Vec<_> = entries.iter().map(|(key, value)| (*key, *value)).collect();
        let root = register_root(&typed(&all)).unwrap();
        prop_assert_eq!(root.get(), subtree(&all, 0));
        if let Some((first, _)) = all.first() {
            let first = *first;
            entries.retain(|key, _| (0..depth).all(|place| bit(key, place) == bit(&first, place)));
        }
        let below: Vec<_> = entries.into_iter().collect();
        let depth = u16::try_from(depth).unwrap();
        prop_assert_eq!(subtree_hash(depth, &typed(&below)).unwrap(), subtree(&below, depth.into()));
        if below.len() < all.len() {
            prop_assert_eq!(subtree_hash(depth, &typed(&all)), Err(SubtreeError::Apart));
        }
        if !all.is_empty() {
            let place = at.index(all.len());
            let mut twice = all.clone();
            twice.insert(place, all[place]);
            prop_assert_eq!(register_root(&typed(&twice)), Err(SubtreeError::Unordered));
            let mut without = all.clone();
            without.remove(place);
            prop_assert_ne!(register_root(&typed(&without)).unwrap(), root);
            let mut changed = all;
            changed[place].1[0] ^= 1;
            prop_assert_ne!(register_root(&typed(&changed)).unwrap(), root);
        }
    }
}

/// 2^17 keys and names in order of key, so that neighbours share 16 bits and more.
fn pool() -> &'static [(Hash, Vec<u8>)] {
    static POOL: std::sync::OnceLock<Vec<(Hash, Vec<u8>)>> = std::sync::OnceLock::new();
    POOL.get_or_init(|| {
        let name = |number: u32| number.to_be_bytes().to_vec();
        let mut pool: Vec<_> =
            (0..1 << 17).map(|number| (derive("register key", &[&name(number)]), name(number))).collect();
        pool.sort_unstable();
        pool
    })
}

/// Registers of groups of neighbours: most subtrees are empty or chains, some entries share all the bits of a prefix.
fn register() -> impl Strategy<Value = Register> {
    vec((any::<Index>(), 1_usize..5), 0..6).prop_map(|groups| {
        let mut register = Register::default();
        for (start, count) in groups {
            let start = start.index(pool().len());
            for (_, name) in pool().iter().skip(start).take(count) {
                register.insert(name, &[&name[..], b" value"].concat());
            }
        }
        register
    })
}

fn download(
    prefix: RegisterPrefix,
    entries: &[Entry],
    proof: &PrefixProof,
    root: &RegisterRoot,
) -> Result<u64, ProofError> {
    let mut download = RegisterDownload::new(prefix);
    for (name, value) in entries {
        download.push(name, value)?;
    }
    download.finish(root, proof)
}

fn whole(entries: &[Entry], root: &RegisterRoot) -> Result<usize, ProofError> {
    let mut whole = WholeRegister::new();
    for (name, value) in entries {
        whole.push(name, value)?;
    }
    whole.finish(root)
}

/// All proofs that a liar may draw from the register along a prefix: of every length, to every entry, to keys nearby.
fn candidates(register: &Register, prefix: RegisterPrefix) -> Vec<PrefixProof> {
    let mut proofs = vec![];
    let mut add = |path: RegisterPath, found: Vec<(Hash, Hash)>| {
        for terminal in [PrefixTerminal::Entries, PrefixTerminal::Absent(terminal(&found))] {
            proofs.push(PrefixProof { terminal, path: path.clone() });
        }
    };
    for depth in 0..=24 {
        let (path, found) = register.descend(&prefix.first_key().get(), depth);
        add(path, found);
    }
    for (name, _) in register.under(prefix) {
        let key = derive("register key", &[&name]);
        for beside in 0..32 {
            let mut near = key;
            near[beside / 8] ^= 0x80 >> (beside % 8);
            let (path, found) = register.descend(&near, 256);
            add(path, found);
        }
        let (path, found) = register.descend(&key, 256);
        add(path, found);
    }
    proofs
}

/// Wrong lists of entries for a prefix: one left out, altered, twice, added; all left out; halves.
fn lies(truth: &[Entry], prefix: RegisterPrefix) -> Vec<Vec<Entry>> {
    let mut lies = vec![];
    for place in 0..truth.len() {
        let mut without = truth.to_vec();
        without.remove(place);
        lies.push(without);
        let mut altered = truth.to_vec();
        altered[place].1.push(0);
        lies.push(altered);
        lies.push(vec![truth[place].clone()]);
        lies.push(truth[place..].to_vec());
        lies.push(truth[..place].to_vec());
    }
    let strangers = pool().iter().filter(|(key, _)| begins(key, prefix));
    for (_, name) in strangers.take(100) {
        let mut added = truth.to_vec();
        added.push((name.clone(), b"a stranger".to_vec()));
        sort(&mut added);
        added.dedup_by(|left, right| left.0 == right.0);
        lies.push(added);
    }
    lies.retain(|lie| lie != truth);
    lies
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// For any register and any prefix the truth is accepted and no lie is, whatever proof stands beside it.
    #[test]
    fn a_prefix_is_what_the_register_holds(register in register(), length in 0_u8..=16, at in any::<Index>(), bits in any::<u16>()) {
        let names: Vec<_> = register.0.keys().collect();
        let of_entry = (!names.is_empty()).then(|| derive("register key", &[names[at.index(names.len())]]));
        let mut flipped = of_entry;
        if let (Some(key), 1..) = (&mut flipped, length) {
            let last = usize::from(length) - 1;
            key[last / 8] ^= 0x80 >> (last % 8);
        }
        let anywhere = Some({ let mut key = [0; 32]; key[..2].copy_from_slice(&bits.to_be_bytes()); key });
        let root = register.root();
        for key in [of_entry, flipped, anywhere].into_iter().flatten() {
            let prefix = RegisterPrefix::of(&RegisterKey::new(key), length).unwrap();
            let truth = register.under(prefix);
            let proof = register.prove_prefix(prefix);
            prop_assert_eq!(download(prefix, &truth, &proof, &root), Ok(truth.len() as u64));
            prop_assert_eq!(PrefixProof::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
            let mut proofs = candidates(&register, prefix);
            for other in &proofs {
                let accepted = download(prefix, &truth, other, &root).is_ok();
                prop_assert_eq!(accepted, *other == proof, "a set has one proof: {:?}", other);
            }
            proofs.push(proof);
            for lie in lies(&truth, prefix) {
                for proof in &proofs {
                    prop_assert!(download(prefix, &lie, proof, &root).is_err(), "{:?} under {:?}", lie, proof);
                }
            }
        }
    }

    /// A whole register is accepted in any order, and in order as a stream; nothing may miss.
    #[test]
    fn a_whole_register_is_what_its_root_says(register in register(), at in any::<Index>()) {
        let (root, truth) = (register.root(), register.under(RegisterPrefix::ALL));
        let mut turned = truth.clone();
        turned.rotate_left(if truth.is_empty() { 0 } else { at.index(truth.len()) });
        prop_assert_eq!(whole(&turned, &root), Ok(truth.len()));
        let stream = |entries: &[Entry]| {
            let mut download = RegisterDownload::new(RegisterPrefix::ALL);
            entries.iter().try_for_each(|(name, value)| download.push(name, value))?;
            download.finish_whole(&root)
        };
        prop_assert_eq!(stream(&truth), Ok(truth.len() as u64));
        prop_assert_eq!(stream(&turned).is_ok(), turned == truth);
        for lie in lies(&truth, RegisterPrefix::ALL).into_iter().take(100) {
            prop_assert!(whole(&lie, &root).is_err());
            prop_assert!(stream(&lie).is_err());
        }
        if let Some(first) = truth.first() {
            let twice = [&truth[..], std::slice::from_ref(first)].concat();
            prop_assert_eq!(whole(&twice, &root), Err(ProofError::Entries(SubtreeError::Unordered)));
        }
    }
}

/// One register in which every case of a prefix occurs.
fn cases() -> (Register, Vec<(&'static str, RegisterPrefix)>) {
    let mut register = Register::default();
    // A pair that shares 16 bits and more, and a lone entry in the other half.
    let pair = pool().windows(2).find(|pair| pair[0].0[..2] == pair[1].0[..2]).unwrap();
    let side = bit(&pair[0].0, 0);
    let lone = pool().iter().find(|(key, _)| bit(key, 0) != side).unwrap();
    for (_, name) in [&pair[0], &pair[1], lone] {
        register.insert(name, b"value");
    }
    let of = |(key, _): &(Hash, Vec<u8>), length| RegisterPrefix::of(&RegisterKey::new(*key), length).unwrap();
    let last = |prefix: RegisterPrefix| {
        let bit = 0x8000 >> (prefix.length() - 1);
        RegisterPrefix::new(prefix.bits() ^ bit, prefix.length()).unwrap()
    };
    let cases = vec![
        ("many at the root", RegisterPrefix::ALL),
        ("two below a chain", of(&pair[0], 16)),
        ("two at the first bit", of(&pair[0], 1)),
        ("one above the prefix", of(lone, 16)),
        ("one at the prefix", of(lone, 1)),
        ("none beside a chain", last(of(&pair[0], 9))),
        ("none, another above", last(of(lone, 5))),
    ];
    (register, cases)
}

#[test]
fn every_case_of_a_prefix_has_no_bit_to_spare() {
    let (register, cases) = cases();
    let root = register.root();
    for (case, prefix) in cases {
        let truth = register.under(prefix);
        let proof = register.prove_prefix(prefix);
        let shape = (truth.len(), proof.path.depth(), proof.terminal);
        let expected = match case {
            "many at the root" => truth.len() == 3 && shape.1 == 0,
            "two below a chain" => truth.len() == 2 && shape.1 == 16,
            "two at the first bit" => truth.len() == 2 && shape.1 == 1,
            "one above the prefix" | "one at the prefix" => truth.len() == 1 && shape.1 == 1,
            "none beside a chain" => shape.2 == PrefixTerminal::Absent(AbsenceTerminal::Empty) && shape.1 == 9,
            _ => matches!(shape, (0, 1, PrefixTerminal::Absent(AbsenceTerminal::Other { .. }))),
        };
        assert!(expected, "{case}: {shape:?}");
        refuses_every_change(&proof.to_bytes(), |bytes| {
            PrefixProof::from_bytes(bytes).is_ok_and(|proof| download(prefix, &truth, &proof, &root).is_ok())
        });
    }
    let nothing = Register::default();
    let prefix = RegisterPrefix::new(0x8000, 1).unwrap();
    assert_eq!(download(prefix, &[], &nothing.prove_prefix(prefix), &RegisterRoot::EMPTY), Ok(0));
    assert_eq!(whole(&[], &RegisterRoot::EMPTY), Ok(0));
}

#[test]
fn a_download_names_what_is_wrong() {
    let world = World::new();
    let root = world.statuses.root();
    let prefix = RegisterPrefix::new(0, 2).unwrap();
    let truth = world.statuses.under(prefix);
    let proof = world.statuses.prove_prefix(prefix);
    assert!(truth.len() > 4);
    assert_eq!(download(prefix, &truth, &proof, &root), Ok(truth.len() as u64));
    let (name, value) = world.statuses.under(prefix.next().unwrap()).remove(0);
    let mut started = RegisterDownload::new(prefix);
    assert_eq!(started.push(&name, &value), Err(ProofError::OutsidePrefix));
    started.push(&truth[1].0, &truth[1].1).unwrap();
    let unordered = Err(ProofError::Entries(SubtreeError::Unordered));
    assert_eq!(started.push(&truth[0].0, &truth[0].1), unordered);
    assert_eq!(started.push(&truth[1].0, &truth[1].1), unordered);
    assert_eq!(started.count(), 1);
    assert_eq!(started.clone().finish_whole(&root), Err(ProofError::OtherCount));
    let deep = PrefixProof { terminal: PrefixTerminal::Entries, path: world.statuses.path(&truth[1].0) };
    assert_eq!(started.finish(&root, &deep), Err(ProofError::Path(PathError::Depth)));
    let absent = PrefixProof { terminal: PrefixTerminal::Absent(AbsenceTerminal::Empty), path: proof.path.clone() };
    assert_eq!(download(prefix, &truth, &absent, &root), Err(ProofError::OtherCount));
    assert_eq!(download(prefix, &[], &proof, &root), Err(ProofError::OtherCount));
    // A subtree of another register, and one of another depth.
    assert!(matches!(download(prefix, &truth, &proof, &world.registers.keys), Err(ProofError::OtherRoot { .. })));
    let higher = world.statuses.prove_prefix(RegisterPrefix::new(0, 1).unwrap());
    assert_eq!(download(prefix, &truth, &higher, &root), Err(ProofError::Path(PathError::Depth)));
}

#[test]
fn pages_are_bounded_and_read_back() {
    let entry = |size| RegisterEntry::new(vec![1; 64], vec![7; size]).unwrap();
    assert!(RegisterEntry::new(vec![0; 65], vec![]).is_err());
    assert!(RegisterEntry::new(vec![], vec![0; 32 * 1_024 + 1]).is_err());
    let mut page = RegisterPage::new();
    let mut count = 0;
    while page.push(entry(32 * 1_024)).is_ok() {
        count += 1;
    }
    assert_eq!(count, 15, "half a mebibyte holds fifteen of the largest entries");
    let bytes = page.to_bytes();
    assert!(bytes.len() <= 512 * 1_024);
    assert_eq!(RegisterPage::from_bytes(&bytes), Ok(page.clone()));
    let mut longer = bytes;
    longer[..2].copy_from_slice(&16_u16.to_le_bytes());
    entry(32 * 1_024).encode(&mut longer);
    assert!(RegisterPage::from_bytes(&longer).is_err());
    let mut small = RegisterPage::new();
    assert!(small.is_empty());
    for _ in 0..1_024 {
        small.push(entry(1)).unwrap();
    }
    assert_eq!(small.push(entry(1)), Err(entry(1)));
    assert_eq!(RegisterPage::from_bytes(&small.to_bytes()).unwrap().into_entries().len(), 1_024);
}

#[test]
fn names_of_statuses_read_back() {
    let handle = StatusHandle::new(seed("handle", 1));
    for name in [StatusName::Head(handle), StatusName::Entry(handle, 7)] {
        assert_eq!(StatusName::from_bytes(&name.to_bytes()), Ok(name));
    }
    assert_eq!(
        sigeli_verifier::record::status_entry_key(&handle, 7),
        sigeli_verifier::register::key(&StatusName::Entry(handle, 7).to_bytes())
    );
    assert_eq!(
        sigeli_verifier::record::status_key(&handle),
        sigeli_verifier::register::key(&StatusName::Head(handle).to_bytes())
    );
    assert!(StatusName::from_bytes(&[3; 33]).is_err());
}

// ---------------------------------------------------------------------------------------------------------------------
// Conformance: the formats of `docs/protocol.md` §17 stay what they are.

#[test]
fn the_formats_stay_what_they_are() {
    let world = World::new();
    let (register, cases) = cases();
    let prefixes: Vec<u8> = cases.iter().flat_map(|(_, prefix)| register.prove_prefix(*prefix).to_bytes()).collect();
    let mut page = RegisterPage::new();
    for (name, value) in register.under(RegisterPrefix::ALL) {
        page.push(RegisterEntry::new(name, value).unwrap()).unwrap();
    }
    let accreditation = AccreditationPage { tally: world.tally(ACCREDITATION), page: world.page([1, 3]) };
    let formats: [(&str, Vec<u8>, &str); 8] = [
        ("state", world.state().to_bytes(), "347 ce723994031f554b8e3bea36d5cb7d0dcdf759b2dce2ba4cd41d80c0148984ce"),
        (
            "institution",
            InstitutionAnswer::Present(world.institution()).to_bytes(),
            "371 5ed57f43632d48098d86d5c3b7aeec5a00792e958d63228ed69cdc13e47c53c6",
        ),
        (
            "absent",
            world.institutions.prove(&100_u32.to_le_bytes()).to_bytes(),
            "165 4c6155e0810c9e472529361f6ab78c0d3d9c34fba2976396153ca2c1e7ec164a",
        ),
        (
            "entry",
            world.tally(ACCREDITATION).to_bytes(),
            "106 e9441a942d81f46b395e759592acc108b7c3ac59f828c443517286d536f6e85a",
        ),
        ("prefixes", prefixes, "317 df05dd1061c4592f218f98245f6dc45c629d31d629fe79dbfd02d81b700242de"),
        ("register page", page.to_bytes(), "41 1a02686eabef0dea929b59575d29959191403f04a9e7a4696ba1b21463730704"),
        (
            "batches",
            world.page(1..=3).to_bytes(),
            "762 ca4d37ea8c20c39c9e55e5e5c09fdc970649da8e29d1f707657ac66a0de43392",
        ),
        (
            "accreditation",
            accreditation.to_bytes(),
            "572 0fd074ab5115e3dd083718ca41e4ef9c1f6e5ababc02dce098d03ad7792e7b1f",
        ),
    ];
    let found: Vec<_> = formats.iter().map(|(name, bytes, _)| (*name, digest(bytes))).collect();
    let expected: Vec<_> = formats.iter().map(|(name, _, digest)| (*name, (*digest).to_owned())).collect();
    assert_eq!(found, expected);
}

/// Length and BLAKE3 hash.
fn digest(bytes: &[u8]) -> String {
    format!("{} {}", bytes.len(), blake3::hash(bytes).to_hex())
}
