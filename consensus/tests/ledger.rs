//! The real ledger under the simulator: faults, transactions, and the same state everywhere.
#![expect(clippy::print_stdout, reason = "figures for the log of a nightly run")]

use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_consensus::{
    application::{Admission, LedgerApplication},
    params::ConsensusParams,
    ports::{Application as _, ProposeContext},
    simulator::{
        ApplicationFactory, FaultPlan, Random, RememberingCheck, SimulatedGenesis, Simulation, SimulationConfig,
        TestFactory,
    },
};
use sigeli_ledger::{
    chain::Chain,
    genesis::{ConsensusParameters, Genesis, GenesisAuthority, GenesisDocument},
    memory::MemoryStore,
    state::RegisteredValidator,
};
use sigeli_verifier::{
    bounded::{List, Text},
    certificate::{CommitCertificate, CommitSignature},
    crypto::PublicKey,
    ids::{
        AuthorityId, AuthoritySequence, DecisionRef, EctsTenths, GenesisHash, InstitutionId, KeyIndex, ProfileHash,
        Round, Signature, TimeMs,
    },
    record::Policy,
    time::{Day, Window},
    transaction::{
        AuthorityKind, InstitutionKey, InstitutionKind, InstitutionRegister, KeyPurposes, Name, Payload, Sender,
        SignedTransaction, Transaction, TransactionSignature,
    },
    trust::NetworkKind,
    validators::ValidatorSet,
    vote::{Vote, VoteKind},
};

const AGENCY: AuthorityId = AuthorityId::new(1);
const TRANSACTIONS: u64 = 30;

fn secret(kind: u8, index: u8) -> SigningKey {
    let mut seed = [0x33; 32];
    (seed[0], seed[1]) = (kind, index);
    SigningKey::from_bytes(&seed)
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_ed25519(key.verifying_key().as_bytes()).expect("a generated key is good")
}

fn name(text: &str) -> Name {
    Text::new(text).expect("short")
}

fn document(validators: &ValidatorSet, time: TimeMs) -> GenesisDocument {
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
            batches_per_day: 3,
            statuses_per_day: 5,
            approvals_min: 3,
        },
        consensus: ConsensusParameters::default(),
    }
}

/// The agency registers one institution after the other; every node hears of each.
fn registrations(genesis: GenesisHash, time: TimeMs) -> Vec<SignedTransaction> {
    let registration = |number: u64| {
        let institution = InstitutionId::new(u32::try_from(number).expect("few"));
        let window = Window::new(Day::new(0), Day::new(100_000)).expect("in order");
        let key = InstitutionKey { key: public(&secret(3, 0)), purposes: KeyPurposes::ALL, window };
        let body = Transaction {
            genesis,
            valid_until: TimeMs::new(time.get() + 86_400_000),
            sender: Sender::Authority { authority: AGENCY, sequence: AuthoritySequence::new(number) },
            payload: Payload::InstitutionRegister(InstitutionRegister {
                institution,
                jurisdiction: *b"GEO",
                legal_id: Text::new(&format!("{:09}", 200_000_000 + number)).expect("nine digits"),
                kind: InstitutionKind::University,
                name_ka: name("უნივერსიტეტი"),
                name_en: name("University"),
                profile: ProfileHash::new([0; 32]),
                decision: DecisionRef::new([u8::try_from(number).expect("few"); 32]),
                keys: List::new(vec![key]).expect("one key"),
            }),
        };
        let signature = Signature::new(secret(1, AGENCY.get()).sign(&body.preimage()).to_bytes());
        SignedTransaction::new(body, vec![TransactionSignature { key: KeyIndex::new(0), signature }]).expect("signed")
    };
    (1..=TRANSACTIONS).map(registration).collect()
}

#[derive(Debug, Default)]
struct LedgerFactory {
    genesis: Option<Genesis>,
    transactions: Vec<SignedTransaction>,
    next: [usize; 4],
}

impl ApplicationFactory for LedgerFactory {
    type Application = LedgerApplication<MemoryStore>;

    fn found(&mut self, validators: &ValidatorSet, time: TimeMs) -> GenesisHash {
        let genesis = Genesis::new(document(validators, time)).expect("a sound document");
        let hash = genesis.genesis_hash();
        self.genesis = Some(genesis);
        self.transactions = registrations(hash, time);
        hash
    }

    fn submit(&mut self, node: usize, application: &mut Self::Application, now: TimeMs) -> bool {
        while let Some(transaction) = self.transactions.get(self.next[node]) {
            match application.admit(transaction.clone(), now).expect("memory does not fail") {
                Admission::Pooled => return true,
                Admission::Known | Admission::Full => return false,
                // Committed already.
                Admission::Rejected(_) => self.next[node] += 1,
            }
        }
        false
    }

    fn create(&mut self, _: usize, _: &SimulatedGenesis) -> Self::Application {
        let genesis = self.genesis.clone().expect("founded before");
        LedgerApplication::new(Chain::open(MemoryStore::new(), genesis).expect("an empty store")).expect("a new chain")
    }

    fn reopen(&mut self, node: usize, crashed: Self::Application) -> Self::Application {
        self.next[node] = 0;
        let medium = crashed.chain().store().medium();
        let genesis = self.genesis.clone().expect("founded before");
        let chain = Chain::open(MemoryStore::open(medium), genesis).expect("what was committed is whole");
        LedgerApplication::new(chain).expect("the chain goes on")
    }
}

#[test]
fn the_real_ledger_agrees_under_faults() {
    let (mut heights, mut crashes) = (0, 0);
    for seed in 0..12 {
        let mut random = Random::new(seed ^ 0x1ED6E4);
        let config = SimulationConfig {
            seed,
            nodes: 4,
            observers: 0,
            // Each registration needs the one before it, so at least as many blocks as registrations are made.
            target: TRANSACTIONS,
            params: ConsensusParams::default(),
            faults: FaultPlan::random(&mut random, 4, 3_000),
            healed_ms: 5_500,
            patience_ms: 30_000,
        };
        let simulation = Simulation::new(config, LedgerFactory::default());
        let report = simulation.with_check(Arc::new(RememberingCheck::default())).run();
        let report = report.unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        assert_eq!((report.dropped_peers, report.refused.len()), (0, 0), "seed {seed}");
        heights += report.height;
        crashes += report.faults.crashes;
    }
    println!("{heights} heights of the real ledger, {crashes} crashes");
}

/// Two transactions that exclude each other wait in the pool. A proposal takes the first; as long as it is not committed,
/// the second is not refused, since it may be the one that is.
#[test]
fn a_proposal_that_is_not_committed_refuses_nothing() {
    let now = TimeMs::new(1_800_000_000_000);
    let set = Simulation::<TestFactory>::validators(0..4);
    let genesis = Genesis::new(document(&set, TimeMs::new(now.get() - 1_000))).expect("a sound document");
    let hash = genesis.genesis_hash();
    let chain = Chain::open(MemoryStore::new(), genesis).expect("a new store");
    let mut ledger = LedgerApplication::new(chain).expect("a sound schedule");
    let first = registrations(hash, now)[0].clone();
    let second = registrations(hash, TimeMs::new(now.get() + 1))[0].clone();
    assert_ne!(first.id(), second.id());
    for transaction in [first, second] {
        assert_eq!(ledger.admit(transaction, now).expect("the store works"), Admission::Pooled);
    }
    let creator = set.validators()[0].address();
    let context = ProposeContext { height: ledger.head().height.next(), round: Round::new(0), now, creator };
    let block = ledger.propose(&context).expect("the store works");
    assert_eq!(block.transactions.len(), 1);
    assert_eq!(ledger.take_refused(), []);
    assert_eq!(ledger.pool().len(), 2);
}

/// A transaction that the new head has made impossible leaves the pool of a node that never proposes, too: it must not
/// give that node a reason to wake the others for ever.
#[test]
fn a_transaction_that_became_impossible_leaves_the_pool() {
    let now = TimeMs::new(1_800_000_000_000);
    let set = Simulation::<TestFactory>::validators(0..4);
    let genesis = Genesis::new(document(&set, TimeMs::new(now.get() - 1_000))).expect("a sound document");
    let hash = genesis.genesis_hash();
    let open = || {
        let chain = Chain::open(MemoryStore::new(), genesis.clone()).expect("a new store");
        LedgerApplication::new(chain).expect("a sound schedule")
    };
    let (mut proposer, mut follower) = (open(), open());
    let first = registrations(hash, now)[0].clone();
    let second = registrations(hash, TimeMs::new(now.get() + 1))[0].clone();
    assert_eq!(proposer.admit(first, now).expect("the store works"), Admission::Pooled);
    assert_eq!(follower.admit(second.clone(), now).expect("the store works"), Admission::Pooled);
    let creator = set.validators()[0].address();
    let context = ProposeContext { height: proposer.head().height.next(), round: Round::new(0), now, creator };
    let block = proposer.propose(&context).expect("the store works");
    let signatures = (0..4).map(|node| {
        let key = Simulation::<TestFactory>::key(node);
        let position = set.validators().iter().position(|validator| validator.key == public(&key)).expect("a member");
        let vote = Vote {
            kind: VoteKind::Precommit,
            height: block.header.height,
            round: Round::new(0),
            block: Some(block.header.id()),
            validator: set.validators()[position].address(),
        };
        let signature = Signature::new(key.sign(&vote.preimage(&hash)).to_bytes());
        CommitSignature { validator: u8::try_from(position).expect("four"), signature }
    });
    let mut signatures: Vec<_> = signatures.collect();
    signatures.sort_by_key(|entry| entry.validator);
    let certificate = CommitCertificate::new(Round::new(0), signatures).expect("four signers");
    follower.commit(Arc::new(block), certificate).expect("a valid block");
    assert!(!follower.has_transactions());
    let refused: Vec<_> = follower.take_refused().into_iter().map(|(id, _)| id).collect();
    assert_eq!(refused, [second.id()]);
}
