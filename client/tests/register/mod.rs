//! A small ledger made by hand out of the verifier's formats: four validators, a chain of blocks, registers with their
//! trees and proofs. Not one line of the ledger's own program is behind it.
#![expect(dead_code, reason = "each test program uses its own part")]

pub(crate) mod chain;
pub(crate) mod node;
pub(crate) mod state;
pub(crate) mod tree;

use sigeli::{keys::SecretKey, values};
use sigeli_verifier::{
    bounded::{List, Text},
    ids::{
        AuthorityId, BatchRoot, BlockId, DecisionRef, EctsTenths, GenesisHash, Height, InstitutionId, PermissionId,
        ProfileHash, ProgrammeId, TimeMs, VotingPower,
    },
    time::{Day, Window},
    transaction::{
        Accreditation, BatchAnchor, CredentialType, Field, FieldPrefix, FieldPrefixes, HashAlgorithm, InstitutionKey,
        InstitutionKind, InstitutionRegister, KeyPurposes, Level, Levels, Modes, Name, PermissionGrant,
        PermissionScope,
    },
    trust::{Checkpoint, NetworkKind, Trust, TrustedLedger, TrustedSet},
    validators::{Validator, ValidatorSet},
};

pub(crate) const MINISTRY: AuthorityId = AuthorityId::new(1);
pub(crate) const NCEQE: AuthorityId = AuthorityId::new(2);
pub(crate) const GTU: InstitutionId = InstitutionId::new(1);
pub(crate) const UG: InstitutionId = InstitutionId::new(7);

pub(crate) fn day(text: &str) -> Day {
    values::parse_day(text).unwrap()
}

pub(crate) fn time(text: &str) -> TimeMs {
    values::parse_time(text).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn window(first: &str, last: &str) -> Window {
    Window::new(day(first), day(last)).unwrap()
}

pub(crate) fn fields(texts: &[&str]) -> FieldPrefixes {
    List::new(texts.iter().map(|text| FieldPrefix::parse(text).unwrap()).collect()).unwrap()
}

/// Four validators, one of each authority.
pub(crate) struct Validators {
    pub(crate) genesis: GenesisHash,
    pub(crate) keys: Vec<SecretKey>,
    pub(crate) set: ValidatorSet,
}

impl Validators {
    pub(crate) fn new(genesis: u8) -> Self {
        Self::of(GenesisHash::new([genesis; 32]), &[1, 2, 3, 4])
    }

    pub(crate) fn of(genesis: GenesisHash, seeds: &[u8]) -> Self {
        let keys: Vec<_> = seeds.iter().map(|seed| SecretKey::from_seed(&[*seed; 32])).collect();
        let validators = keys.iter().zip(1..).map(|(key, authority)| Validator {
            key: key.public(),
            authority: AuthorityId::new(authority),
            power: VotingPower::new(1),
        });
        let set = ValidatorSet::new(validators.collect()).unwrap();
        Self { genesis, keys, set }
    }

    pub(crate) fn ledger(&self) -> TrustedLedger {
        let set = TrustedSet {
            first_height: Height::new(0),
            last_height: Height::new(u64::MAX),
            first_time: TimeMs::new(0),
            last_time: TimeMs::new(u64::MAX),
            set: self.set.clone(),
        };
        TrustedLedger {
            genesis: self.genesis,
            kind: NetworkKind::Test,
            name_ka: name("მიკროკრედენციალების რეესტრი"),
            name_en: name("Register of Micro-credentials"),
            checkpoint: Checkpoint { height: Height::new(0), time: TimeMs::new(0), id: BlockId::new([0; 32]) },
            sets: vec![set],
        }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::new(vec![self.ledger()]).unwrap()
    }
}

pub(crate) fn accreditation(texts: &[&str]) -> Accreditation {
    Accreditation {
        coordinator: GTU,
        programme: ProgrammeId::new(4),
        title_ka: name("უსაფრთხო ვებაპლიკაციები"),
        title_en: name("=Secure, \"Web\" Applications"),
        agent: name(""),
        level: Level::new(6).unwrap(),
        fields: fields(texts),
        ects_max: EctsTenths::new(50),
        credential_type: CredentialType::MicroCredential,
        modes: Modes::new(5).unwrap(),
        review: day("2027-03-01"),
    }
}

pub(crate) fn order(texts: &[&str], levels: &[u8]) -> PermissionScope {
    let levels: Vec<_> = levels.iter().map(|level| Level::new(*level).unwrap()).collect();
    PermissionScope::PilotOrder { fields: fields(texts), levels: Levels::of(&levels).unwrap() }
}

pub(crate) fn grant(institution: InstitutionId, decision: u8, scope: PermissionScope) -> PermissionGrant {
    PermissionGrant {
        institution,
        decision: DecisionRef::new([decision; 32]),
        window: window("2026-09-01", "2027-08-31"),
        conditional: false,
        scope,
    }
}

pub(crate) fn register(institution: InstitutionId, name_en: &str) -> InstitutionRegister {
    let key = InstitutionKey {
        purposes: KeyPurposes::ALL,
        key: SecretKey::from_seed(&[40; 32]).public(),
        window: window("2026-01-01", "2028-12-31"),
    };
    InstitutionRegister {
        institution,
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: Text::new("211349192").unwrap(),
        name_ka: name("საქართველოს ტექნიკური უნივერსიტეტი"),
        name_en: name(name_en),
        profile: ProfileHash::new([3; 32]),
        decision: DecisionRef::new([1; 32]),
        keys: List::new(vec![key]).unwrap(),
    }
}

pub(crate) fn anchor(root: u8, accreditation: u32) -> BatchAnchor {
    BatchAnchor {
        root: BatchRoot::new([root; 32]),
        height: sigeli_verifier::batch::BatchHeight::new(4).unwrap(),
        hash_algorithm: HashAlgorithm::Blake3,
        accreditation: PermissionId::new(accreditation),
        level: Level::new(6).unwrap(),
        field: Field::new(613).unwrap(),
        ects: EctsTenths::new(30),
        issued: day("2026-11-20"),
        credential_type: CredentialType::MicroCredential,
    }
}
