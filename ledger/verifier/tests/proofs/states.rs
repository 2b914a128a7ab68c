//! Confirmed states and blocks.

use sigeli_verifier::{
    block::{Block, Header},
    certificate::CertificateError,
    decode::Decode as _,
    encode::Encode as _,
    ids::{GenesisHash, Height, TimeMs},
    proof::{ProofError, StateProof, verify_block},
    trust::{Checkpoint, TrustedLedger},
    verdict::Freshness,
};

use crate::world::{HEIGHT, TIME, World, header, ledger, refuses_every_change, seed, sign, validators};

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
