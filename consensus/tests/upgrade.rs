//! A program that does not know the protocol version on which the authorities have agreed stops before its first block,
//! whatever it is asked, and says which version and height need a newer program.

use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_consensus::{
    application::LedgerApplication,
    ports::{Application as _, Fatal, ProposeContext},
    simulator::{Simulation, TestFactory},
};
use sigeli_ledger::{
    chain::Chain,
    genesis::{ConsensusParameters, Genesis, GenesisAuthority, GenesisDocument},
    memory::MemoryStore,
    state::RegisteredValidator,
};
use sigeli_verifier::{
    block::Block,
    bounded::{List, Text},
    certificate::{CommitCertificate, CommitSignature},
    crypto::PublicKey,
    ids::{
        AuthorityId, DecisionRef, EctsTenths, GovernanceSequence, Height, KeyIndex, Round, Signature, TimeMs,
        ValidatorAddress,
    },
    params::UPGRADE_NOTICE_BLOCKS_MIN,
    record::Policy,
    transaction::{
        AuthorityKind, Name, Payload, Sender, SignedTransaction, Transaction, TransactionSignature, UpgradeSchedule,
        joint_key,
    },
    trust::NetworkKind,
    vote::{Vote, VoteKind},
};

const FOUNDED: TimeMs = TimeMs::new(1_800_000_000_000);

fn authority_secret(authority: u8) -> SigningKey {
    SigningKey::from_bytes(&[authority + 1; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_ed25519(key.verifying_key().as_bytes()).expect("a generated key is good")
}

fn name(text: &str) -> Name {
    Text::new(text).expect("short")
}

fn genesis() -> Genesis {
    let kinds = [AuthorityKind::Ministry, AuthorityKind::Nceqe, AuthorityKind::Emis, AuthorityKind::Operator];
    let authorities = (0_u8..).zip(kinds).map(|(number, kind)| GenesisAuthority {
        id: AuthorityId::new(number),
        kind,
        name_ka: name("უწყება"),
        name_en: name("Authority"),
        keys: List::new(vec![public(&authority_secret(number))]).expect("one key"),
        threshold: 1,
        log_keys: List::empty(),
    });
    let set = Simulation::<TestFactory>::validators(0..4);
    let registered = (0_u8..).zip(set.validators()).map(|(number, validator)| RegisteredValidator {
        validator: *validator,
        network_key: public(&SigningKey::from_bytes(&[number + 100; 32])),
    });
    let document = GenesisDocument {
        version: 1,
        kind: NetworkKind::Test,
        name_ka: name("სიგელი"),
        name_en: name("Sigeli"),
        time: FOUNDED,
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
            changes_per_day: 5,
            approvals_min: 3,
        },
        consensus: ConsensusParameters::default(),
    };
    Genesis::new(document).expect("a sound document")
}

/// Ministry, quality agency and EMIS announce version 2.
fn announcement(genesis: &Genesis, height: Height) -> SignedTransaction {
    let body = Transaction {
        genesis: genesis.genesis_hash(),
        valid_until: TimeMs::new(FOUNDED.get() + 3_600_000),
        sender: Sender::Authorities { sequence: GovernanceSequence::new(1) },
        payload: Payload::UpgradeSchedule(UpgradeSchedule { decision: DecisionRef::new([5; 32]), version: 2, height }),
    };
    let signature = |authority: u8| TransactionSignature {
        key: KeyIndex::new(joint_key(AuthorityId::new(authority), 0).get()),
        signature: Signature::new(authority_secret(authority).sign(&body.preimage()).to_bytes()),
    };
    let signatures = (0..3).map(signature).collect();
    SignedTransaction::new(body, signatures).expect("three signatures")
}

fn certificate(genesis: &Genesis, block: &Block) -> CommitCertificate {
    let set = genesis.validator_set();
    let key_of = |address: ValidatorAddress| {
        let own = |node: &usize| Simulation::<TestFactory>::validators([*node]).validators()[0].address() == address;
        Simulation::<TestFactory>::key((0..4).find(own).expect("one of the four"))
    };
    let signatures = (0_u8..).zip(set.validators()).map(|(position, validator)| {
        let vote = Vote {
            kind: VoteKind::Precommit,
            height: block.header.height,
            round: block.header.round,
            block: Some(block.header.id()),
            validator: validator.address(),
        };
        let preimage = vote.preimage(&genesis.genesis_hash());
        let signature = Signature::new(key_of(validator.address()).sign(&preimage).to_bytes());
        CommitSignature { validator: position, signature }
    });
    CommitCertificate::new(block.header.round, signatures.collect()).expect("four signers")
}

fn context(ledger: &LedgerApplication<MemoryStore>, creator: ValidatorAddress) -> ProposeContext {
    let height = ledger.head().height.next();
    let now = TimeMs::new(FOUNDED.get() + height.get() * 1_000);
    ProposeContext { height, round: Round::new(0), now, creator }
}

#[test]
fn a_program_stops_before_the_first_block_of_a_version_that_it_does_not_know() {
    let genesis = genesis();
    let creator = genesis.validator_set().validators()[0].address();
    let chain = Chain::open(MemoryStore::new(), genesis.clone()).expect("a new store");
    let mut ledger = LedgerApplication::new(chain).expect("a sound schedule");
    let first = Height::new(1 + UPGRADE_NOTICE_BLOCKS_MIN);
    let transaction = announcement(&genesis, first);
    ledger.admit(transaction.clone(), FOUNDED).expect("the version is known still");
    let mut last = None;
    while ledger.head().height.next() < first {
        let proposed = ledger.propose(&context(&ledger, creator)).expect("the version is known still");
        let block = Arc::new(proposed);
        assert_eq!(block.transactions.is_empty(), last.is_some(), "the first block announces");
        ledger.commit(Arc::clone(&block), certificate(&genesis, &block)).expect("the last block before is committed");
        last = Some(block);
    }
    let stopped = Fatal::UpgradeNeeded { version: 2, height: first };
    let mut later = (*last.expect("a hundred blocks")).clone();
    later.header.height = first;
    let next = context(&ledger, creator);
    assert_eq!(ledger.propose(&next), Err(stopped.clone()));
    assert_eq!(ledger.validate(&later, None), Err(stopped.clone()));
    assert_eq!(ledger.admit(transaction, next.now), Err(stopped.clone()));
    // It stays so after a restart; nothing is lost.
    let medium = ledger.chain().store().medium();
    let head = ledger.head();
    let chain = Chain::open(MemoryStore::open(medium), genesis).expect("what was committed is whole");
    let mut ledger = LedgerApplication::new(chain).expect("a sound schedule");
    assert_eq!(ledger.head(), head);
    assert_eq!(ledger.propose(&next), Err(stopped));
    let text = Fatal::UpgradeNeeded { version: 2, height: first }.to_string();
    assert!(text.contains("version 2") && text.contains("block 101"), "{text}");
}
