//! The real ledger under the simulator: one institution that anchors batches and judges credentials, and retries all that
//! was committed long ago.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_consensus::{
    application::{Admission, LedgerApplication},
    ports::{Application as _, Fatal, ProposeContext},
    simulator::{ApplicationFactory, SimulatedGenesis},
};
use sigeli_ledger::{
    chain::Chain,
    check::SignatureMemory,
    execute::{BlockContext, execute},
    genesis::{ConsensusParameters, Genesis, GenesisAuthority, GenesisDocument},
    memory::MemoryStore,
    outcome::Rejection,
    prove::{batch_page, institution_proof, state_proof},
    state::RegisteredValidator,
    store::Snapshot as _,
};
use sigeli_verifier::{
    batch::BatchHeight,
    block::{Block, transactions_root},
    bounded::{List, Text},
    crypto::PublicKey,
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, BatchSequence, BlockId, DecisionRef, EctsTenths, GenesisHash,
        Height, InstitutionId, KeyIndex, PermissionId, ProfileHash, ProgrammeId, Signature, StatusHandle, TimeMs,
    },
    proof::BatchRange,
    record::Policy,
    time::{Day, Window},
    transaction::{
        Accreditation, AuthorityKind, BatchAnchor, CredentialType, Field, FieldPrefix, HashAlgorithm, InstitutionKey,
        InstitutionKind, InstitutionRegister, KeyPurposes, Level, Modes, Name, Payload, PermissionGrant,
        PermissionScope, ProgrammeRegister, Sender, SignedTransaction, StatusAction, StatusEntry, StatusReason,
        StatusSet, Transaction, TransactionSignature,
    },
    trust::{Checkpoint, NetworkKind, TrustedLedger, TrustedSet},
    validators::ValidatorSet,
};

const AGENCY: AuthorityId = AuthorityId::new(1);
const INSTITUTION: InstitutionId = InstitutionId::new(1);
/// The accreditation that the third of the first transactions grants: the second permission of the institution.
const ACCREDITATION: PermissionId = PermissionId::new(2);
/// Register the institution, authorise it, register its programme, accredit it.
const FOUNDING: u64 = 4;
/// The most that a batch page proves.
const PAGE: u32 = 256;

/// The key of an authority (kind 1), of a node in the network (2), or of the institution (3).
pub(crate) fn secret(kind: u8, index: u8) -> SigningKey {
    let mut seed = [0x33; 32];
    (seed[0], seed[1]) = (kind, index);
    SigningKey::from_bytes(&seed)
}

pub(crate) fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_ed25519(key.verifying_key().as_bytes()).expect("a generated key is good")
}

fn name(text: &str) -> Name {
    Text::new(text).expect("short")
}

fn always() -> Window {
    Window::new(Day::new(0), Day::new(100_000)).expect("in order")
}

pub(crate) fn document(validators: &ValidatorSet, time: TimeMs) -> GenesisDocument {
    let kinds = [AuthorityKind::Ministry, AuthorityKind::Nceqe, AuthorityKind::Emis, AuthorityKind::Operator];
    let authorities = (0_u8..).zip(kinds).map(|(number, kind)| GenesisAuthority {
        id: AuthorityId::new(number),
        kind,
        name_ka: name("უწყება"),
        name_en: name("Authority"),
        keys: List::new(vec![public(&secret(1, number))]).expect("one key"),
        threshold: 1,
        log_keys: List::empty(),
    });
    let registered = (0_u8..).zip(validators.validators()).map(|(number, validator)| RegisteredValidator {
        validator: *validator,
        network_key: public(&secret(2, number)),
    });
    GenesisDocument {
        version: 1,
        kind: NetworkKind::Test,
        name_ka: name("სიგელი"),
        name_en: name("Sigeli"),
        time,
        authorities: List::new(authorities.collect()).expect("four"),
        validators: List::new(registered.collect()).expect("four"),
        observers: List::empty(),
        policy: Policy {
            ects_max: [150; 8].map(EctsTenths::new),
            ects_min: [10; 8].map(EctsTenths::new),
            ects_recognised_max: EctsTenths::new(300),
            batch_height_min: 5,
            clock_tolerance_ms: 300_000,
            pilot_order_required: false,
            batches_per_day: 10_000,
            statuses_per_day: 10_000,
            changes_per_day: 10_000,
            approvals_min: 3,
        },
        consensus: ConsensusParameters::default(),
    }
}

fn sign(genesis: GenesisHash, valid_until: TimeMs, sender: Sender, payload: Payload) -> SignedTransaction {
    let key = match sender {
        Sender::Authority { authority, .. } => secret(1, authority.get()),
        Sender::Institution { .. } | Sender::Authorities { .. } => secret(3, 0),
    };
    let body = Transaction { genesis, valid_until, sender, payload };
    let signature = Signature::new(key.sign(&body.preimage()).to_bytes());
    SignedTransaction::new(body, vec![TransactionSignature { key: KeyIndex::new(0), signature }]).expect("signed")
}

/// The agency registers the institution.
pub(crate) fn registration(genesis: GenesisHash, time: TimeMs) -> SignedTransaction {
    let key = InstitutionKey { key: public(&secret(3, 0)), purposes: KeyPurposes::ALL, window: always() };
    let payload = Payload::InstitutionRegister(InstitutionRegister {
        institution: INSTITUTION,
        jurisdiction: *b"GEO",
        legal_id: Text::new("200000001").expect("nine digits"),
        kind: InstitutionKind::University,
        name_ka: name("უნივერსიტეტი"),
        name_en: name("University"),
        profile: ProfileHash::new([0; 32]),
        decision: DecisionRef::new([1; 32]),
        keys: List::new(vec![key]).expect("one key"),
    });
    let sender = Sender::Authority { authority: AGENCY, sequence: AuthoritySequence::new(1) };
    sign(genesis, TimeMs::new(time.get() + 86_400_000), sender, payload)
}

fn grant(decision: u8, scope: PermissionScope) -> Payload {
    Payload::PermissionGrant(PermissionGrant {
        institution: INSTITUTION,
        decision: DecisionRef::new([decision; 32]),
        window: always(),
        conditional: false,
        scope,
    })
}

fn accreditation() -> PermissionScope {
    PermissionScope::Accreditation(Accreditation {
        coordinator: INSTITUTION,
        programme: ProgrammeId::new(1),
        title_ka: name("მონაცემთა ანალიზი"),
        title_en: name("Data analysis"),
        agent: name(""),
        level: Level::new(6).expect("a level"),
        fields: List::new(vec![FieldPrefix::parse("0613").expect("a field")]).expect("one"),
        ects_max: EctsTenths::new(150),
        credential_type: CredentialType::MicroCredential,
        modes: Modes::ONLINE,
        review: Day::new(90_000),
    })
}

fn numbered(number: u64) -> [u8; 32] {
    let mut bytes = [0x44; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn anchor(number: u64, time: TimeMs) -> Payload {
    let today = Day::new(i32::try_from(time.get() / 86_400_000).expect("a day of this century"));
    Payload::BatchAnchor(BatchAnchor {
        root: BatchRoot::new(numbered(number)),
        height: BatchHeight::new(10).expect("a height"),
        hash_algorithm: HashAlgorithm::Blake3,
        accreditation: ACCREDITATION,
        level: Level::new(6).expect("a level"),
        field: Field::new(613).expect("a field"),
        ects: EctsTenths::new(30),
        issued: today,
        credential_type: CredentialType::MicroCredential,
    })
}

fn status(handle: u64, action: StatusAction) -> Payload {
    let handle = StatusHandle::new(numbered(handle));
    let suspends = action == StatusAction::Suspend;
    let reason = if suspends { StatusReason::IssuedInError } else { StatusReason::ReviewEnded };
    let entry = StatusEntry { handle, entry: if suspends { 1 } else { 2 }, action, reason, successor: [0; 32] };
    Payload::StatusSet(StatusSet { entries: List::new(vec![entry]).expect("one") })
}

/// Transaction `number` of the workload: after the founding two anchors, a suspension and its end, and so on. Each can be
/// included only after the one before; none twice, and that of a suspension only because it was before.
fn transaction(number: u64, genesis: GenesisHash, time: TimeMs) -> SignedTransaction {
    let agency = |sequence| Sender::Authority { authority: AGENCY, sequence: AuthoritySequence::new(sequence) };
    let institution = Sender::Institution { institution: INSTITUTION };
    let (long, short) = (TimeMs::new(time.get() + 86_400_000), TimeMs::new(time.get() + 590_000));
    match number {
        0 => registration(genesis, time),
        1 => sign(genesis, long, agency(2), grant(2, PermissionScope::Authorisation)),
        2 => {
            let programme = ProgrammeRegister {
                programme: ProgrammeId::new(1),
                title_ka: name("მონაცემთა ანალიზი"),
                title_en: name("Data analysis"),
                partners: List::empty(),
            };
            sign(genesis, short, institution, Payload::ProgrammeRegister(programme))
        }
        3 => sign(genesis, long, agency(3), grant(3, accreditation())),
        _ => {
            let payload = match number % 4 {
                2 => status(number, StatusAction::Suspend),
                3 => status(number - 1, StatusAction::Reinstate),
                _ => anchor(number, time),
            };
            sign(genesis, short, institution, payload)
        }
    }
}

/// The workload, and what was acknowledged of it.
#[derive(Debug, Default)]
pub(crate) struct LedgerFactory {
    genesis: Option<Genesis>,
    time: TimeMs,
    transactions: Vec<SignedTransaction>,
    next: BTreeMap<usize, usize>,
    /// Transactions that a node has said to be committed, and at which height.
    acknowledged: BTreeMap<usize, Height>,
}

impl LedgerFactory {
    fn genesis(&self) -> &Genesis {
        self.genesis.as_ref().expect("founded before")
    }

    fn transaction(&mut self, number: usize) -> SignedTransaction {
        let hash = self.genesis().genesis_hash();
        while self.transactions.len() <= number {
            self.transactions.push(transaction(self.transactions.len() as u64, hash, self.time));
        }
        self.transactions[number].clone()
    }

    fn trusted(&self) -> TrustedLedger {
        let genesis = self.genesis();
        let document = genesis.document();
        TrustedLedger {
            genesis: genesis.genesis_hash(),
            kind: NetworkKind::Test,
            name_ka: document.name_ka.clone(),
            name_en: document.name_en.clone(),
            checkpoint: Checkpoint { height: Height::new(0), time: document.time, id: BlockId::new([0; 32]) },
            sets: vec![TrustedSet {
                first_height: Height::new(0),
                last_height: Height::new(u64::MAX),
                first_time: TimeMs::new(0),
                last_time: TimeMs::new(u64::MAX),
                set: genesis.validator_set().clone(),
            }],
        }
    }
}

impl ApplicationFactory for LedgerFactory {
    type Application = LedgerApplication<MemoryStore>;

    fn found(&mut self, validators: &ValidatorSet, time: TimeMs) -> GenesisHash {
        let genesis = Genesis::new(document(validators, time)).expect("a sound document");
        let hash = genesis.genesis_hash();
        (self.genesis, self.time) = (Some(genesis), time);
        hash
    }

    fn submit(&mut self, node: usize, application: &mut Self::Application, now: TimeMs) -> bool {
        let mut number = self.next.get(&node).copied().unwrap_or(0);
        // A client that has missed the answer tries again what is long done.
        let old = number.checked_sub(2).map(|old| self.transaction(old));
        let retried = old.map(|old| application.admit(old, now).expect("memory does not fail"));
        let mut pooled = retried == Some(Admission::Pooled);
        loop {
            match application.admit(self.transaction(number), now).expect("memory does not fail") {
                Admission::Rejected(Rejection::AlreadyCommitted { height }) => {
                    self.acknowledged.entry(number).or_insert(height);
                    number += 1;
                }
                admission => {
                    pooled |= admission == Admission::Pooled;
                    break;
                }
            }
        }
        self.next.insert(node, number);
        pooled
    }

    fn create(&mut self, _: usize, _: &SimulatedGenesis) -> Self::Application {
        let chain = Chain::open(MemoryStore::new(), self.genesis().clone()).expect("an empty store");
        LedgerApplication::new(chain).expect("a new chain")
    }

    fn rebuild(&mut self, application: &mut Self::Application, block: &Block) -> Result<Option<Block>, Fatal> {
        for transaction in &block.transactions {
            if application.admit(transaction.clone(), block.header.time)? != Admission::Pooled {
                return Ok(None);
            }
        }
        let header = &block.header;
        let context =
            ProposeContext { height: header.height, round: header.round, now: header.time, creator: header.creator };
        application.propose(&context).map(Some)
    }

    fn build_at(
        &mut self,
        application: &mut Self::Application,
        mut block: Block,
        time: TimeMs,
    ) -> Result<Block, Fatal> {
        let header = &mut block.header;
        let (genesis, height) = (header.genesis, header.height);
        let context = BlockContext { genesis, height, time, creator: header.creator, round: header.round };
        let executed = execute(&application.chain().snapshot(), context, &[], &mut SignatureMemory::new())
            .map_err(|_| Fatal::Application { what: "memory" })?;
        (header.time, header.state_root) = (time, executed.state_root);
        header.transactions_root = transactions_root(&[]);
        block.transactions.clear();
        Ok(block)
    }

    fn check_acknowledged(&mut self, application: &Self::Application) -> Result<(), &'static str> {
        let (snapshot, head) = (application.chain().snapshot(), application.chain().head().header.height);
        let state = state_proof(&snapshot).map_err(|_| "no proof of the state")?;
        let state = state.verify(&self.trusted()).map_err(|_| "a confirmed state")?;
        let due: Vec<_> =
            self.acknowledged.iter().filter(|(_, height)| **height <= head).map(|(number, _)| *number).collect();
        for number in &due {
            let id = self.transactions[*number].id();
            snapshot.transaction(&id).ok().flatten().ok_or("a transaction")?;
        }
        let mut wanted: BTreeSet<_> = due
            .iter()
            .filter(|number| **number as u64 >= FOUNDING && **number % 4 < 2)
            .map(|number| BatchRoot::new(numbered(*number as u64)))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let institution = institution_proof(&snapshot, INSTITUTION).map_err(|_| "the institution")?;
        let institution = institution.verify(&state, INSTITUTION).map_err(|_| "a proof of the institution")?;
        let total = institution.facts().batches;
        for first in (1..=total).step_by(PAGE as usize) {
            let last = total.min(first + PAGE - 1);
            let range = BatchRange::new(BatchSequence::new(first), BatchSequence::new(last)).ok_or("a range")?;
            let page = batch_page(&snapshot, INSTITUTION, range).map_err(|_| "a batch")?;
            let proved = page.verify(&institution, range).map_err(|_| "a proof of a batch")?;
            for item in proved.batches {
                wanted.remove(&item.root);
            }
        }
        if wanted.is_empty() { Ok(()) } else { Err("an anchor") }
    }

    fn reopen(&mut self, node: usize, crashed: Self::Application) -> Self::Application {
        self.next.remove(&node);
        let medium = crashed.chain().store().medium();
        let chain =
            Chain::open(MemoryStore::open(medium), self.genesis().clone()).expect("what was committed is whole");
        LedgerApplication::new(chain).expect("the chain goes on")
    }
}
