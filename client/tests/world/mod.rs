//! A ledger of one height, made by hand out of the verifier's formats: every register holds at most one entry, so that its
//! root is that entry's leaf and every path is empty.

use std::path::{Path, PathBuf};

use sigeli::{
    batch::{BatchFacts, PreparedBatch},
    keys::SecretKey,
    prepare::{self, AsFile, PrepareRequest},
};
use sigeli_verifier::{
    block::Header,
    bounded::List,
    bundle::{Bundle, PermissionSection, Receipt, Stamp, StampFile, StatusFinding, batch_tag, ledger_tag},
    certificate::{CommitCertificate, CommitSignature},
    credential::status_handle,
    encode::Encode as _,
    ids::{
        AuthorityId, BatchSequence, BlockId, DecisionRef, EctsTenths, GenesisHash, Height, HistoryRoot, InstitutionId,
        KeyIndex, PermissionId, ProgrammeId, RegisterRoot, Round, TimeMs, TransactionsRoot, VotingPower,
    },
    params::PROTOCOL_VERSION,
    record::{
        self, BatchRecord, BatchStatus, CompromisedKeys, InstitutionFacts, InstitutionState, Judged, PermissionRecord,
        PermissionStandings, StatusRecord, StatusState, Writer,
    },
    register::{self, AbsenceTerminal, RegisterPath},
    state::{InstitutionRegisters, StateRoots},
    time::{Day, Window},
    transaction::{
        Accreditation, CredentialType, DecisionReason, Field, FieldPrefix, HashAlgorithm, InstitutionKind, Level,
        Modes, Name, PermissionScope, StatusReason,
    },
    trust::{Checkpoint, NetworkKind, Trust, TrustedLedger, TrustedSet},
    validators::{Validator, ValidatorSet},
    vote::{Vote, VoteKind},
};

/// 2026-11-24T09:00:00Z: 13:00 in Tbilisi. The ledger's newest block.
pub(crate) const BLOCK_TIME: TimeMs = TimeMs::new(1_795_510_800_000);
/// An hour earlier: the batch.
const ANCHOR_TIME: TimeMs = TimeMs::new(BLOCK_TIME.get() - 3_600_000);
/// Half an hour earlier: the revocation.
const STATUS_TIME: TimeMs = TimeMs::new(BLOCK_TIME.get() - 1_800_000);
const HEIGHT: Height = Height::new(42);
const INSTITUTION: InstitutionId = InstitutionId::new(1);

/// The ledger, its genesis and its four validators.
pub(crate) struct World {
    pub(crate) genesis: GenesisHash,
    keys: Vec<SecretKey>,
    pub(crate) set: ValidatorSet,
}

/// What the ledger says apart from the batch itself.
#[derive(Debug, Clone)]
pub(crate) struct Says {
    /// What was written about the credential.
    pub(crate) written: Option<(StatusState, StatusReason)>,
    /// By whom that, and what was written about the batch, was written.
    pub(crate) writer: Writer,
    /// What was written about the batch.
    pub(crate) batch: BatchStatus,
    /// From which height on the institution's key 0, which anchored the batch in block 40, is void.
    pub(crate) compromised: Option<u64>,
    /// Whether the institution exists still.
    pub(crate) institution: InstitutionState,
    /// The accreditation.
    pub(crate) permission: PermissionRecord,
    /// What its record of the batch is, given the one that follows from the batch.
    pub(crate) record: fn(BatchRecord) -> BatchRecord,
}

impl Default for Says {
    fn default() -> Self {
        Self {
            written: None,
            writer: Writer::Institution { key: KeyIndex::new(0) },
            batch: BatchStatus::Valid,
            compromised: None,
            institution: InstitutionState::Active,
            permission: permission_record(),
            record: |record| record,
        }
    }
}

/// One prepared batch in a directory of its own.
pub(crate) struct Issued {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) batch: PreparedBatch,
}

fn day(year: i32, month: u8, day: u8) -> Day {
    Day::from_civil(year, month, day).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl World {
    pub(crate) fn new(genesis: u8) -> Self {
        let keys: Vec<_> = (1..=4).map(|seed| SecretKey::from_seed(&[seed; 32])).collect();
        let validators = keys.iter().zip(1..).map(|(key, authority)| Validator {
            key: key.public(),
            authority: AuthorityId::new(authority),
            power: VotingPower::new(1),
        });
        let set = ValidatorSet::new(validators.collect()).unwrap();
        Self { genesis: GenesisHash::new([genesis; 32]), keys, set }
    }

    pub(crate) fn trust(&self, kind: NetworkKind) -> Trust {
        let set = TrustedSet {
            first_height: Height::new(0),
            last_height: Height::new(u64::MAX),
            first_time: TimeMs::new(0),
            last_time: TimeMs::new(u64::MAX),
            set: self.set.clone(),
        };
        Trust::new(vec![TrustedLedger {
            genesis: self.genesis,
            kind,
            name_ka: name("მიკროკრედენციალების რეესტრი"),
            name_en: name("Register of Micro-credentials"),
            checkpoint: Checkpoint { height: Height::new(0), time: TimeMs::new(0), id: BlockId::new([0; 32]) },
            sets: vec![set],
        }])
        .unwrap()
    }

    /// The bundle of a batch's file, as the ledger is when nothing or this was written about it.
    pub(crate) fn bundle(
        &self,
        issued: &Issued,
        position: usize,
        written: Option<(StatusState, StatusReason)>,
    ) -> Bundle {
        self.bundle_saying(issued, position, &Says { written, ..Says::default() })
    }

    /// The bundle of a batch's file, as the ledger is when it says this.
    pub(crate) fn bundle_saying(&self, issued: &Issued, position: usize, says: &Says) -> Bundle {
        let batch = &issued.batch;
        let file = &batch.files()[position];
        let root = batch.root();
        let here = || RegisterPath::new(Vec::new()).unwrap();
        let one = |key, value: &[u8]| RegisterRoot::new(register::leaf(&key, &register::value_hash(value)));

        let (status, statuses) = match says.written {
            None => (StatusFinding::Absent(AbsenceTerminal::Empty), RegisterRoot::EMPTY),
            Some((state, reason)) => {
                let record = StatusRecord {
                    state,
                    reason,
                    height: Height::new(41),
                    time: STATUS_TIME,
                    writer: says.writer,
                    entries: 1,
                    restores: 0,
                };
                let handle = status_handle(&file.salt, &file.leaf());
                (StatusFinding::Present(record), one(record::status_key(&handle), &record.to_bytes()))
            }
        };
        let permission = says.permission.clone();
        let permissions = one(record::permission_key(PermissionId::new(1)), &permission.to_bytes());
        let keys = RegisterRoot::new([7; 32]);
        let registers = InstitutionRegisters { keys, permissions, statuses };
        let institution = institution_facts(says);
        let value = institution.value(&registers.root());
        let record = (says.record)(BatchRecord { status: says.batch, ..batch_record(batch) });
        let roots = StateRoots {
            institutions: one(record::institution_key(INSTITUTION), &value),
            batches: one(record::batch_key(INSTITUTION, &root), &record.to_bytes()),
            governance: RegisterRoot::new([9; 32]),
        };
        let header = self.header(&roots);
        let stamp = Stamp {
            header: header.proof(),
            certificate: self.certificate(&header),
            state_siblings: roots.pair_siblings(),
            batch: record,
            batch_path: here(),
            institution,
            institution_path: here(),
            keys_and_permissions: registers.keys_and_permissions(),
            status,
            status_path: here(),
        };
        let receipt = Receipt {
            profile: file.profile,
            salt: file.salt,
            institution: INSTITUTION,
            batch: batch_tag(&root),
            path: batch.tree().path(file.index).unwrap(),
        };
        let permission = Some(PermissionSection { record: permission, path: here(), keys });
        Bundle { ledger: ledger_tag(&self.genesis), receipt, stamp: StampFile { stamp, permission } }
    }

    /// The newest header, over these registers.
    pub(crate) fn header(&self, roots: &StateRoots) -> Header {
        Header {
            version: PROTOCOL_VERSION,
            genesis: self.genesis,
            height: HEIGHT,
            time: BLOCK_TIME,
            parent: BlockId::new([3; 32]),
            creator: self.set.validators()[0].address(),
            round: Round::new(0),
            transactions_root: TransactionsRoot::new([4; 32]),
            state_root: roots.root(),
            history_root: HistoryRoot::new([5; 32]),
            validators: self.set.hash(),
            next_validators: self.set.hash(),
        }
    }

    /// Three of the four validators sign.
    pub(crate) fn certificate(&self, header: &Header) -> CommitCertificate {
        let signatures = self.set.validators().iter().zip(0..).take(3).map(|(validator, position)| {
            let vote = Vote {
                kind: VoteKind::Precommit,
                height: header.height,
                round: Round::new(0),
                block: Some(header.id()),
                validator: validator.address(),
            };
            let key = self.keys.iter().find(|key| key.public() == validator.key).unwrap();
            CommitSignature { validator: position, signature: key.sign(&vote.preimage(&self.genesis)) }
        });
        CommitCertificate::new(Round::new(0), signatures.collect()).unwrap()
    }
}

fn institution_facts(says: &Says) -> InstitutionFacts {
    let key = KeyIndex::new(0);
    let compromised = says.compromised.map(|from| CompromisedKeys { first: key, last: key, from: Height::new(from) });
    InstitutionFacts {
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: sigeli_verifier::bounded::Text::new("211349192").unwrap(),
        name_ka: name("საქართველოს ტექნიკური უნივერსიტეტი"),
        name_en: name("Georgian Technical University"),
        state: says.institution,
        registered: Height::new(2),
        keys: 1,
        permissions: 1,
        programmes: 1,
        batches: 1,
        entries: 1,
        compromised: List::new(compromised.into_iter().collect()).unwrap(),
    }
}

pub(crate) fn permission_record() -> PermissionRecord {
    PermissionRecord {
        authority: AuthorityId::new(2),
        decision: DecisionRef::new([6; 32]),
        window: Window::new(day(2026, 9, 1), day(2027, 8, 31)).unwrap(),
        conditional: false,
        scope: PermissionScope::Accreditation(Accreditation {
            coordinator: INSTITUTION,
            programme: ProgrammeId::new(1),
            title_ka: name("უსაფრთხო ვებაპლიკაციები"),
            title_en: name("Secure Web Applications"),
            agent: name(""),
            level: Level::new(6).unwrap(),
            fields: List::new(vec![FieldPrefix::parse("0613").unwrap()]).unwrap(),
            ects_max: EctsTenths::new(50),
            credential_type: CredentialType::MicroCredential,
            modes: Modes::ONLINE,
            review: day(2027, 8, 31),
        }),
        granted: Height::new(3),
        predecessor: PermissionId::new(0),
        standing: PermissionStandings::granted(day(2026, 9, 1), DecisionReason::Granted),
        entries: 1,
    }
}

pub(crate) fn batch_record(batch: &PreparedBatch) -> BatchRecord {
    let facts = batch.facts();
    BatchRecord {
        sequence: BatchSequence::new(1),
        accreditation_sequence: BatchSequence::new(1),
        height: batch.tree().height(),
        hash_algorithm: HashAlgorithm::Blake3,
        anchored: Height::new(40),
        anchored_time: ANCHOR_TIME,
        key: KeyIndex::new(0),
        accreditation: facts.accreditation,
        level: facts.level,
        field: facts.field,
        ects: facts.ects,
        issued: facts.issued,
        credential_type: facts.credential_type,
        judged: Judged {
            accreditation_window: permission_record().window,
            ects_max: EctsTenths::new(50),
            authorisation: PermissionId::new(2),
            authorisation_window: Window::new(day(2024, 1, 1), day(2029, 12, 31)).unwrap(),
            order: PermissionId::new(3),
        },
        status: BatchStatus::Valid,
    }
}

impl Issued {
    /// Prepares a batch of these files with the library.
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let paths = files.iter().map(|(name, content)| {
            let path = directory.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        });
        let request = PrepareRequest {
            institution: INSTITUTION,
            facts: BatchFacts {
                accreditation: PermissionId::new(1),
                level: Level::new(6).unwrap(),
                field: Field::new(613).unwrap(),
                ects: EctsTenths::new(30),
                issued: day(2026, 11, 20),
                credential_type: CredentialType::MicroCredential,
            },
            files: paths.collect(),
            out: directory.path().join("batch"),
            as_file: AsFile::Detected,
        };
        let batch = prepare::prepare(&request, &mut |_| {}).unwrap();
        Self { directory, batch }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// A program run: exit code, standard output, standard error.
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the binary, with nothing of the user's environment that could change what it does.
pub(crate) fn sigeli(directory: &Path, args: &[&str]) -> Run {
    run(env!("CARGO_BIN_EXE_sigeli"), directory, args)
}

pub(crate) fn run(program: &str, directory: &Path, args: &[&str]) -> Run {
    let mut command = std::process::Command::new(program);
    command.args(args).current_dir(directory).env_clear().env("HOME", directory).env("LANG", "C.UTF-8");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { exit: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
