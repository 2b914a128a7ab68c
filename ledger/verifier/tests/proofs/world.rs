//! A small ledger under one header: four validators, an institution with batches, permissions and statuses.

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_verifier::{
    batch::BatchHeight,
    block::{Header, transactions_root},
    bounded::{List, Text},
    certificate::{CommitCertificate, CommitSignature},
    codes::{CredentialType, Field, HashAlgorithm, InstitutionKind, Level, NetworkKind},
    crypto::PublicKey,
    encode::Encode as _,
    ids::{
        AuthorityId, BatchRoot, BatchSequence, BlockId, EctsTenths, GenesisHash, Height, HistoryRoot, KeyIndex,
        PermissionId, Round, Signature, StateRoot, StatusHandle, TimeMs, ValidatorAddress, VotingPower,
    },
    proof::{BatchItem, BatchPage, ConfirmedState, EntryProof, InstitutionProof, StateProof, StatusName},
    record::{BatchRecord, BatchStatus, InstitutionFacts, InstitutionState, Judged},
    state::{InstitutionRegisters, StateRoots},
    time::{Day, Window},
    trust::{Checkpoint, TrustedLedger, TrustedSet},
    validators::{Validator, ValidatorSet},
    vote::{Vote, VoteKind},
};

use crate::textbook::{Hash, Register, derive};

pub(crate) fn seed(purpose: &str, number: u64) -> Hash {
    blake3::derive_key("sigeli proofs fixture", &[purpose.as_bytes(), &number.to_le_bytes()].concat())
}

pub(crate) const TIME: u64 = 1_795_521_600_000;
pub(crate) const HEIGHT: u64 = 7;
pub(crate) const GTU: u32 = 1;
pub(crate) const ACCREDITATION: u32 = 3;
/// The batches of the institution; those with an odd number are under [`ACCREDITATION`].
pub(crate) const BATCHES: u32 = 21;

pub(crate) fn name_of(institution: u32, root: &Hash) -> Vec<u8> {
    [&institution.to_le_bytes()[..], root].concat()
}

pub(crate) fn batch(sequence: u32) -> BatchRecord {
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

pub(crate) fn facts() -> InstitutionFacts {
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

pub(crate) struct World {
    pub(crate) institutions: Register,
    pub(crate) batches: Register,
    pub(crate) permissions: Register,
    pub(crate) statuses: Register,
    pub(crate) registers: InstitutionRegisters,
    pub(crate) roots: StateRoots,
    pub(crate) keys: Vec<SigningKey>,
    pub(crate) set: ValidatorSet,
    pub(crate) ledger: TrustedLedger,
    pub(crate) header: Header,
}

impl World {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn certificate(&self, id: BlockId) -> CommitCertificate {
        sign(&self.header, id, &self.set, &self.keys, &[0, 1, 3])
    }

    pub(crate) fn state(&self) -> StateProof {
        StateProof { header: self.header.proof(), certificate: self.certificate(self.header.id()), roots: self.roots }
    }

    pub(crate) fn confirmed(&self) -> ConfirmedState {
        self.state().verify(&self.ledger).unwrap()
    }

    pub(crate) fn institution(&self) -> InstitutionProof {
        let path = self.institutions.path(&GTU.to_le_bytes());
        InstitutionProof { facts: facts(), registers: self.registers, path }
    }

    pub(crate) fn items(&self, sequences: impl IntoIterator<Item = u32>) -> Vec<BatchItem> {
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

    pub(crate) fn page(&self, sequences: impl IntoIterator<Item = u32>) -> BatchPage {
        BatchPage::new(self.items(sequences)).unwrap()
    }

    pub(crate) fn tally(&self, permission: u32) -> EntryProof {
        self.permissions.prove(&[&[5], &permission.to_le_bytes()[..]].concat())
    }
}

pub(crate) fn validators(number: u64) -> (ValidatorSet, Vec<SigningKey>) {
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

pub(crate) fn header(genesis: GenesisHash, roots: StateRoots, set: &ValidatorSet) -> Header {
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

pub(crate) fn textbook_state_root(roots: &StateRoots) -> StateRoot {
    let node = |left: &Hash, right: &Hash| derive("state node", &[left, right]);
    let zero = [0; 32];
    let first = node(roots.institutions.as_bytes(), roots.batches.as_bytes());
    let second = node(roots.governance.as_bytes(), &zero);
    let rest = node(&node(&zero, &zero), &node(&zero, &zero));
    StateRoot::new(node(&node(&first, &second), &rest))
}

pub(crate) fn ledger(genesis: GenesisHash, set: &ValidatorSet) -> TrustedLedger {
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

pub(crate) fn sign(
    header: &Header,
    id: BlockId,
    set: &ValidatorSet,
    keys: &[SigningKey],
    signers: &[u8],
) -> CommitCertificate {
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
pub(crate) fn refuses_every_change(bytes: &[u8], accepts: impl Fn(&[u8]) -> bool) {
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
