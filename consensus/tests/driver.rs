//! The driver alone, event by event.

use std::{collections::BTreeSet, sync::Arc};

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_consensus::{
    driver::{Action, Driver, DriverConfig, Event, PeerFault, TimerId},
    engine::{StrictCheck, Timeout, TimeoutKind},
    message::Message,
    params::ConsensusParams,
    ports::{Application as _, CommittedBlock, Fatal, Head, ProposeContext, Wal as _},
    signer::{GuardState, SignState},
    simulator::{
        ApplicationFactory as _, MemorySignState, MemoryWal, SimulatedGenesis, Simulation, TestApplication, TestFactory,
    },
    statement::{
        Polka, RoundCertificate, RoundCertificateKind, RoundVote, SignedProposal, SignedStatement, SignedVote,
        Statement,
    },
    sync::Peer,
    wal::WalDamage,
};
use sigeli_verifier::{
    block::Block,
    crypto::PublicKey,
    decode::Decode as _,
    encode::Encode as _,
    ids::{BlockId, GenesisHash, Height, Round, Signature, TimeMs, ValidatorAddress},
    vote::{Proposal, Vote, VoteKind},
};

type Node = Driver<TestApplication, MemoryWal, MemorySignState>;

const NOW: TimeMs = TimeMs::new(1_800_000_000_000);

fn key(node: usize) -> SigningKey {
    Simulation::<TestFactory>::key(node)
}

fn genesis(validators: usize) -> SimulatedGenesis {
    SimulatedGenesis {
        genesis: GenesisHash::new([7; 32]),
        time: TimeMs::new(NOW.get() - 1_000),
        validators: Simulation::<TestFactory>::validators(0..validators),
    }
}

fn address(node: usize) -> ValidatorAddress {
    Simulation::<TestFactory>::validators([node]).validators()[0].address()
}

/// A node of a ledger; `None` for an observer.
struct Bench {
    driver: Node,
    key: Option<SigningKey>,
    wal: MemoryWal,
    sign_state: MemorySignState,
}

impl Bench {
    fn open(validators: usize, node: Option<usize>) -> Self {
        Self::open_with(validators, node, &mut TestFactory::default())
    }

    fn open_with(validators: usize, node: Option<usize>, factory: &mut TestFactory) -> Self {
        let genesis = genesis(validators);
        let application = factory.create(0, &genesis);
        let key = node.map(key);
        let record = node.map(|node| SignState::new(genesis.genesis, address(node)).to_record());
        let sign_state = record.map_or_else(MemorySignState::default, MemorySignState::with);
        Self::reopen(application, key, MemoryWal::default(), sign_state).expect("a new node opens")
    }

    fn reopen(
        application: TestApplication,
        key: Option<SigningKey>,
        wal: MemoryWal,
        sign_state: MemorySignState,
    ) -> Result<Self, Fatal> {
        let public = key
            .as_ref()
            .map(|key| PublicKey::from_ed25519(key.verifying_key().as_bytes()).expect("a generated key is good"));
        let config = DriverConfig { params: ConsensusParams::default(), key: public, check: Arc::new(StrictCheck) };
        let driver = Driver::open(config, application, wal.clone(), sign_state.clone())?;
        Ok(Self { driver, key, wal, sign_state })
    }

    /// Takes an event and answers every request for a signature; returns all other actions.
    fn step(&mut self, event: Event) -> Vec<Action> {
        let mut done = Vec::new();
        let mut actions = self.driver.step(NOW, event);
        while !actions.is_empty() {
            let mut next = Vec::new();
            for action in actions {
                match (&action, &self.key) {
                    (Action::Sign { request, preimage, .. }, Some(key)) => {
                        let signature = Signature::new(key.sign(preimage).to_bytes());
                        next.extend(self.driver.step(NOW, Event::SignatureReady { request: *request, signature }));
                    }
                    _ => done.push(action),
                }
            }
            actions = next;
        }
        done
    }

    fn connect(&mut self, node: usize) -> Vec<Action> {
        self.step(Event::PeerConnected { peer: peer(node), validator: Some(address(node)) })
    }

    fn receive(&mut self, from: usize, message: &Message) -> Vec<Action> {
        self.step(Event::MessageReceived { from: peer(from), bytes: message.to_bytes().into() })
    }

    /// Lets the three others report that they know nothing signed by us.
    fn make_ready(&mut self) -> Vec<Action> {
        let mut actions = self.step(Event::Started);
        let own = address(0);
        for node in 1..4 {
            actions.extend(self.connect(node));
            actions.extend(
                self.receive(node, &Message::Report { validator: own, committed: Height::new(0), highest: None }),
            );
        }
        assert_eq!(self.driver.guard_state(), Some(GuardState::Ready));
        actions
    }
}

fn peer(node: usize) -> Peer {
    Peer::new(node as u64)
}

fn sent(actions: &[Action]) -> Vec<Message> {
    let bytes = actions.iter().filter_map(|action| match action {
        Action::Broadcast { bytes } | Action::SendTo { bytes, .. } => Some(bytes),
        _ => None,
    });
    bytes.map(|bytes| Message::from_bytes(bytes).expect("what is sent can be read")).collect()
}

fn votes(actions: &[Action]) -> Vec<Vote> {
    let votes = sent(actions).into_iter().filter_map(|message| match message {
        Message::Vote(vote) => Some(vote.vote),
        _ => None,
    });
    votes.collect()
}

fn sign(node: usize, statement: &Statement) -> Signature {
    Signature::new(key(node).sign(&statement.preimage(&genesis(4).genesis)).to_bytes())
}

fn vote(node: usize, kind: VoteKind, round: u32, block: Option<BlockId>) -> Message {
    let vote = Vote { kind, height: Height::new(1), round: Round::new(round), block, validator: address(node) };
    Message::Vote(SignedVote { vote, signature: sign(node, &Statement::Vote(vote)) })
}

fn fires(round: u32, kind: TimeoutKind) -> Event {
    Event::TimerFired(TimerId::Consensus {
        height: Height::new(1),
        timeout: Timeout { round: Round::new(round), kind },
    })
}

/// The proposer of round 0, which is not node 0, and its proposal of a block of this time.
fn first_proposal(bench: &Bench, time: TimeMs) -> (usize, SignedProposal) {
    let head: Head = bench.driver.application().head();
    let creator = head.validators.proposer(0).address;
    let node = (1..4).find(|node| address(*node) == creator).expect("the tests' node 0 has no turn in round 0");
    let context = ProposeContext { height: Height::new(1), round: Round::new(0), now: time, creator };
    let mut application = TestFactory::default().create(0, &genesis(4));
    (node, propose(node, 0, application.propose(&context).expect("memory does not fail")))
}

fn propose(node: usize, round: u32, block: Block) -> SignedProposal {
    let block = sigeli_consensus::block::SharedBlock::new(block);
    let proposal = Proposal {
        height: Height::new(1),
        round: Round::new(round),
        valid_round: None,
        block: block.id(),
        proposer: address(node),
    };
    SignedProposal {
        height: proposal.height,
        round: proposal.round,
        valid_round: None,
        proposer: proposal.proposer,
        block,
        signature: sign(node, &Statement::Proposal(proposal)),
    }
}

/// Blocks that a sole validator committed.
fn committed(count: u64) -> Vec<CommittedBlock> {
    let mut bench = Bench::open(1, Some(0));
    let mut actions = bench.driver.step(NOW, Event::Started);
    while bench.driver.head().height.get() < count {
        let sign = actions.iter().find_map(|action| match action {
            Action::Sign { request, preimage, .. } => Some((*request, preimage.clone())),
            _ => None,
        });
        let (request, preimage) = sign.expect("a sole validator always has something to sign");
        let signature = Signature::new(key(0).sign(&preimage).to_bytes());
        actions = bench.driver.step(NOW, Event::SignatureReady { request, signature });
    }
    bench.driver.application().blocks().to_vec()
}

#[test]
fn nothing_is_signed_before_a_quorum_has_reported() {
    let mut bench = Bench::open(4, Some(0));
    let mut actions = bench.step(Event::Started);
    for node in 1..3 {
        assert_eq!(bench.driver.guard_state(), Some(GuardState::WaitingForReports));
        assert!(votes(&actions).is_empty());
        actions.extend(bench.connect(node));
        actions.extend(
            bench.receive(node, &Message::Report { validator: address(0), committed: Height::new(0), highest: None }),
        );
    }
    assert_eq!(bench.driver.guard_state(), Some(GuardState::Ready));
}

#[test]
fn a_forged_report_drops_the_peer_and_refuses_nobody() {
    let mut bench = Bench::open(4, Some(0));
    bench.step(Event::Started);
    bench.connect(1);
    let forged = Vote {
        kind: VoteKind::Precommit,
        height: Height::new(9),
        round: Round::new(0),
        block: None,
        validator: address(0),
    };
    let signature = sign(1, &Statement::Vote(forged));
    let highest = Some(SignedStatement { statement: Statement::Vote(forged), signature });
    let actions = bench.receive(1, &Message::Report { validator: address(0), committed: Height::new(0), highest });
    assert!(actions.iter().any(|action| matches!(action, Action::DropPeer { reason: PeerFault::Refused(_), .. })));
    assert_eq!(bench.driver.guard_state(), Some(GuardState::WaitingForReports));
}

/// Whether the driver stopped because its key signed another statement at one of its slots.
fn is_stopped_as_twin(actions: &[Action]) -> bool {
    matches!(actions.last(), Some(Action::Stop { fatal: Fatal::DoubleSign { .. } }))
}

#[test]
fn another_statement_of_our_key_at_a_slot_that_we_filled_stops_the_node() {
    let voted = || {
        let mut bench = Bench::open(4, Some(0));
        bench.make_ready();
        let (node, proposal) = first_proposal(&bench, NOW);
        let block = proposal.block.id();
        let cast = only_vote(&bench.receive(node, &Message::Proposal(proposal)));
        assert_eq!(cast, Some((VoteKind::Prevote, Some(block))));
        (bench, block)
    };
    let (mut bench, block) = voted();
    assert!(!is_stopped_as_twin(&bench.receive(1, &vote(0, VoteKind::Prevote, 0, Some(block)))), "our own, echoed");
    assert!(is_stopped_as_twin(&bench.receive(1, &vote(0, VoteKind::Prevote, 0, None))));
    // The same in a report, in a quorum of prevotes and in a round certificate.
    let Message::Vote(other) = vote(0, VoteKind::Prevote, 0, Some(BlockId::new([9; 32]))) else { unreachable!() };
    let report =
        Message::Report { validator: address(0), committed: Height::new(0), highest: Some(other.to_statement()) };
    let polka = |signature| {
        let (height, round, block) = (other.vote.height, other.vote.round, BlockId::new([9; 32]));
        Message::Polka(Polka { height, round, block, signatures: vec![(address(0), signature)] })
    };
    let round_vote =
        RoundVote { kind: other.vote.kind, block: other.vote.block, validator: address(0), signature: other.signature };
    let certificate = Message::RoundCertificate(RoundCertificate {
        height: other.vote.height,
        round: other.vote.round,
        kind: RoundCertificateKind::Skip,
        votes: vec![round_vote],
    });
    for message in [report, polka(other.signature), certificate] {
        let (mut bench, _) = voted();
        assert!(is_stopped_as_twin(&bench.receive(2, &message)), "{message:?}");
    }
    // Nobody can stop us with a signature that is not our key's.
    let (mut bench, _) = voted();
    assert!(!is_stopped_as_twin(&bench.receive(2, &polka(Signature::new([1; 64])))));
}

#[test]
fn a_twin_is_noticed_at_an_earlier_slot_too_and_after_a_restart() {
    let mut bench = Bench::open(4, Some(0));
    bench.make_ready();
    bench.step(fires(0, TimeoutKind::Propose));
    for other in 1..4 {
        bench.receive(other, &vote(other, VoteKind::Prevote, 0, None));
    }
    let highest = bench.driver.sign_state().and_then(SignState::slot).expect("it has voted");
    assert_eq!(highest.step, sigeli_consensus::statement::Step::Precommit);
    let (application, wal) = bench.driver.into_parts();
    wal.clone().sync().expect("memory does not fail");
    let mut bench = Bench::reopen(application, bench.key, wal, bench.sign_state).expect("intact");
    bench.step(Event::Started);
    bench.connect(1);
    assert!(is_stopped_as_twin(&bench.receive(1, &vote(0, VoteKind::Prevote, 0, Some(BlockId::new([9; 32]))))));
}

#[test]
fn a_live_validator_stops_signing_when_its_key_signs_elsewhere() {
    let mut bench = Bench::open(4, Some(0));
    bench.make_ready();
    // A twin of ours has precommitted at a round that we have not reached.
    let actions = bench.receive(1, &vote(0, VoteKind::Precommit, 5, None));
    assert!(actions.iter().any(|action| matches!(action, Action::SigningRefused { .. })));
    assert!(matches!(bench.driver.guard_state(), Some(GuardState::Refused(_))));
    assert!(votes(&bench.step(fires(0, TimeoutKind::Propose))).is_empty());
}

/// Kind and block of the only vote cast, if there is one.
fn only_vote(actions: &[Action]) -> Option<(VoteKind, Option<BlockId>)> {
    let votes = votes(actions);
    assert!(votes.len() <= 1, "{votes:?}");
    votes.first().map(|vote| (vote.kind, vote.block))
}

#[test]
fn a_timely_block_is_prevoted_at_once() {
    for offset_ms in [-2_000, 0, 2_000] {
        let mut bench = Bench::open(4, Some(0));
        bench.make_ready();
        // Above the parent's time, which is 1 s ago.
        let time = NOW.get().checked_add_signed(offset_ms).expect("no overflow").max(NOW.get() - 999);
        let (node, proposal) = first_proposal(&bench, TimeMs::new(time));
        let block = proposal.block.id();
        let actions = bench.receive(node, &Message::Proposal(proposal));
        assert_eq!(only_vote(&actions), Some((VoteKind::Prevote, Some(block))), "{offset_ms}");
    }
}

#[test]
fn an_untimely_block_is_withheld_until_our_prevote_and_then_followed() {
    let mut bench = Bench::open(4, Some(0));
    bench.make_ready();
    let (node, proposal) = first_proposal(&bench, TimeMs::new(NOW.get() + 2_001));
    let block = proposal.block.id();
    assert_eq!(only_vote(&bench.receive(node, &Message::Proposal(proposal))), None);
    let actions = bench.step(fires(0, TimeoutKind::Propose));
    assert_eq!(only_vote(&actions), Some((VoteKind::Prevote, None)));
    // The others found it timely: we follow, although we did not prevote it.
    let mut actions = Vec::new();
    for other in 1..4 {
        actions.extend(bench.receive(other, &vote(other, VoteKind::Prevote, 0, Some(block))));
    }
    assert_eq!(only_vote(&actions), Some((VoteKind::Precommit, Some(block))));
    for other in 1..4 {
        bench.receive(other, &vote(other, VoteKind::Precommit, 0, Some(block)));
    }
    assert_eq!(bench.driver.head().height, Height::new(1));
}

#[test]
fn an_invalid_block_gets_a_nil_prevote() {
    let mut bench = Bench::open(4, Some(0));
    bench.make_ready();
    let (node, proposal) = first_proposal(&bench, NOW);
    let mut block = proposal.block.block().clone();
    block.header.state_root = sigeli_verifier::ids::StateRoot::new([9; 32]);
    let actions = bench.receive(node, &Message::Proposal(propose(node, 0, block)));
    assert_eq!(only_vote(&actions), Some((VoteKind::Prevote, None)));
}

#[test]
fn after_a_restart_the_same_vote_leaves_again_and_no_other() {
    let mut bench = Bench::open(4, Some(0));
    bench.make_ready();
    let (node, proposal) = first_proposal(&bench, NOW);
    let block = proposal.block.id();
    let cast = (VoteKind::Prevote, Some(block));
    assert_eq!(only_vote(&bench.receive(node, &Message::Proposal(proposal))), Some(cast));
    let signed = bench.driver.sign_state().cloned();
    // Nothing buffered survives: our own vote is not in the log, only what led to it.
    let (application, wal) = bench.driver.into_parts();
    wal.crash(0, None);
    let (rows, sign_state) = (wal.rows(), bench.sign_state);
    let mut bench = Bench::reopen(application, bench.key, wal.clone(), sign_state.clone()).expect("intact");
    // The replay casts it again, and sends it to those who connect later.
    let again: BTreeSet<_> = votes(&bench.make_ready()).into_iter().map(|vote| (vote.kind, vote.block)).collect();
    assert_eq!(again, BTreeSet::from([cast]));
    assert_eq!(bench.driver.sign_state().cloned(), signed, "with the stored signature");
    // A timer that comes now does not change it.
    assert_eq!(only_vote(&bench.step(fires(0, TimeoutKind::Propose))), None);
    // The vote is in the log from now on, so that a later crash finds it there.
    wal.clone().sync().expect("memory does not fail");
    assert_eq!(wal.rows().len(), rows.len() + 1 + 1, "the vote, and the timer");
    // A log without its end is damage.
    let (application, _) = bench.driver.into_parts();
    let mut short = MemoryWal::default();
    for (sequence, row) in rows.iter().take(rows.len() - 1).enumerate() {
        short.append(Height::new(1), sequence as u64, row).expect("memory does not fail");
    }
    short.sync().expect("memory does not fail");
    let opened = Bench::reopen(application, Some(key(0)), short, sign_state);
    assert!(matches!(opened.map(|_| ()), Err(Fatal::Wal(WalDamage::EndsEarly { .. }))));
}

#[test]
fn a_proposer_builds_one_block_per_slot_whatever_happens() {
    let mut bench = Bench::open(1, Some(0));
    let actions = bench.driver.step(NOW, Event::Started);
    let proposed = |actions: &[Action]| {
        actions.iter().find_map(|action| match action {
            Action::Sign { statement: Statement::Proposal(proposal), .. } => Some(proposal.block),
            _ => None,
        })
    };
    let block = proposed(&actions).expect("a sole validator proposes at once");
    // The crash comes before the signature; the log has the block. Another clock would make another block.
    let (application, wal) = bench.driver.into_parts();
    wal.crash(0, None);
    let mut bench = Bench::reopen(application, bench.key, wal, bench.sign_state).expect("intact");
    let later = TimeMs::new(NOW.get() + 500);
    assert_eq!(proposed(&bench.driver.step(later, Event::Started)), Some(block));
}

#[test]
fn a_wrong_answer_of_the_signer_is_fatal() {
    let mut bench = Bench::open(1, Some(0));
    let actions = bench.driver.step(NOW, Event::Started);
    let request = actions.iter().find_map(|action| match action {
        Action::Sign { request, .. } => Some(*request),
        _ => None,
    });
    let request = request.expect("a sole validator proposes at once");
    // The answer to another request is nobody's.
    assert!(
        bench
            .driver
            .step(NOW, Event::SignatureReady { request: request + 1, signature: Signature::new([1; 64]) })
            .is_empty()
    );
    let actions = bench.driver.step(NOW, Event::SignatureReady { request, signature: Signature::new([1; 64]) });
    assert!(matches!(actions.last(), Some(Action::Stop { fatal: Fatal::WrongSignature { .. } })));
    assert!(bench.driver.step(NOW, Event::Started).is_empty(), "a stopped driver does nothing");
}

#[test]
fn storage_errors_are_fatal_before_anything_leaves() {
    for (wal, sign_state) in [(Some(0), None), (Some(1), None), (Some(2), None), (None, Some(0))] {
        let mut bench = Bench::open(1, Some(0));
        if let Some(count) = wal {
            bench.wal.fail_after(count);
        }
        if let Some(count) = sign_state {
            bench.sign_state.fail_after(count);
        }
        let actions = bench.step(Event::Started);
        assert!(matches!(actions.last(), Some(Action::Stop { fatal: Fatal::Storage { .. } })), "{wal:?}");
        let is_signed = |message: &Message| matches!(message, Message::Vote(_) | Message::Proposal(_));
        assert!(!sent(&actions).iter().any(is_signed));
    }
}

#[test]
fn an_observer_syncs_only_what_is_certified() {
    let blocks = committed(3);
    let mut other_certificate = blocks.clone();
    other_certificate[1].certificate = blocks[0].certificate.clone();
    let mut other_block = blocks.clone();
    let mut changed = Block::clone(&blocks[1].block);
    changed.header.time = TimeMs::new(changed.header.time.get() + 1);
    other_block[1].block = Arc::new(changed);
    let gap = vec![blocks[1].clone()];
    let cases = [
        ("true", blocks, 3, false),
        ("another height's certificate", other_certificate, 1, true),
        ("a changed block", other_block, 1, true),
        ("not the next height", gap, 0, true),
        ("nothing", Vec::new(), 0, false),
    ];
    for (name, answer, height, is_dropped) in cases {
        let mut bench = Bench::open(1, None);
        bench.step(Event::Started);
        bench.connect(1);
        let actions = bench.receive(1, &Message::Status { committed: Height::new(3), started: false });
        assert!(sent(&actions).contains(&Message::SyncRequest { from: Height::new(1), count: 3 }), "{name}");
        let actions = bench.receive(1, &Message::SyncResponse { from: Height::new(1), blocks: answer });
        assert_eq!(bench.driver.head().height.get(), height, "{name}");
        let dropped = actions.iter().any(|action| matches!(action, Action::DropPeer { .. }));
        assert_eq!(dropped, is_dropped, "{name}");
    }
}

#[test]
fn blocks_that_nobody_asked_for_are_ignored() {
    let mut bench = Bench::open(1, None);
    bench.step(Event::Started);
    bench.connect(1);
    bench.receive(1, &Message::SyncResponse { from: Height::new(1), blocks: committed(2) });
    assert_eq!(bench.driver.head().height, Height::new(0));
}

/// Whether consensus on the next height has started.
fn is_started(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::SetTimer { timer: TimerId::Consensus { .. }, .. }))
}

#[test]
fn an_idle_height_starts_only_for_a_reason() {
    let heartbeat = TimerId::Heartbeat { height: Height::new(1) };
    let status = |height, started| Message::Status { committed: Height::new(height), started };
    let idle = || {
        let mut bench = Bench::open_with(4, Some(0), &mut TestFactory { idle: true, ..TestFactory::default() });
        let actions = bench.make_ready();
        assert!(!is_started(&actions));
        assert!(actions.contains(&Action::SetTimer { timer: heartbeat, after_ms: 30_000 }));
        assert!(!is_started(&bench.receive(1, &status(0, false))), "others are idle too");
        bench
    };
    let own_reasons = [Event::TransactionsAvailable, Event::TimerFired(heartbeat)];
    for reason in own_reasons {
        let actions = idle().step(reason);
        assert!(is_started(&actions));
        assert!(sent(&actions).contains(&status(0, true)), "the others are told, for they may have no reason");
    }
    for reason in [status(0, true), vote(1, VoteKind::Prevote, 0, None)] {
        let actions = idle().receive(1, &reason);
        assert!(is_started(&actions));
        assert!(!sent(&actions).contains(&status(0, true)), "who told us has told all");
    }
}

#[test]
fn after_a_commit_a_peer_starts_no_height_at_once_and_an_observer_none_at_all() {
    let committed = || {
        let mut bench = Bench::open_with(4, Some(0), &mut TestFactory { idle: true, ..TestFactory::default() });
        bench.make_ready();
        bench.step(Event::PeerConnected { peer: peer(9), validator: None });
        let (node, proposal) = first_proposal(&bench, NOW);
        let block = Some(proposal.block.id());
        bench.receive(node, &Message::Proposal(proposal));
        for kind in [VoteKind::Prevote, VoteKind::Precommit] {
            for other in 1..4 {
                bench.receive(other, &vote(other, kind, 0, block));
            }
        }
        assert_eq!(bench.driver.head().height, Height::new(1));
        bench
    };
    let status = Message::Status { committed: Height::new(1), started: true };
    let wake = || Event::TimerFired(TimerId::Wake { height: Height::new(2) });
    let mut bench = committed();
    assert!(!is_started(&bench.receive(1, &status)), "too soon");
    assert!(is_started(&bench.step(wake())), "it has waited");
    let mut bench = committed();
    assert!(!is_started(&bench.step(wake())), "nobody has asked");
    assert!(!is_started(&bench.receive(9, &status)), "an observer");
    assert!(is_started(&bench.receive(1, &status)));
    let mut bench = committed();
    assert!(!is_started(&bench.receive(9, &status)));
    assert!(!is_started(&bench.step(wake())), "an observer's wish is not kept");
}

#[test]
fn one_liar_does_not_make_us_look_behind() {
    let mut bench = Bench::open(4, Some(0));
    bench.make_ready();
    let status = |height| Message::Status { committed: Height::new(height), started: false };
    bench.receive(1, &status(u64::MAX));
    assert!(!bench.driver.is_behind());
    bench.receive(2, &status(5));
    assert!(bench.driver.is_behind(), "more than f have committed 5");
}

#[test]
fn what_one_peer_may_ask_for_is_limited() {
    let mut bench = Bench::open(4, Some(0));
    bench.make_ready();
    let (node, proposal) = first_proposal(&bench, NOW);
    bench.receive(node, &Message::Proposal(proposal));
    let request = Message::ProposalRequest { height: Height::new(1), round: Round::new(0) };
    let answered =
        |bench: &mut Bench, from| (0..100).filter(|_| !sent(&bench.receive(from, &request)).is_empty()).count();
    assert_eq!(answered(&mut bench, 1), 4);
    // Connecting again gives nothing more, another peer has its own share, and time gives all of it back.
    bench.step(Event::PeerDisconnected { peer: peer(1) });
    bench.connect(1);
    assert_eq!(answered(&mut bench, 1), 0);
    assert_eq!(answered(&mut bench, 2), 4);
    bench.step(Event::TimerFired(TimerId::Status));
    assert_eq!(answered(&mut bench, 1), 4);
    let sync = Message::SyncRequest { from: Height::new(1), count: 1 };
    assert_eq!((0..2_000).filter(|_| !sent(&bench.receive(3, &sync)).is_empty()).count(), 512);
}

#[test]
fn unwanted_blocks_are_not_decoded() {
    let mut bench = Bench::open(1, None);
    bench.step(Event::Started);
    bench.connect(1);
    let mut junk = Message::SyncResponse { from: Height::new(1), blocks: Vec::new() }.to_bytes();
    junk.extend_from_slice(&[7; 100]);
    let receive = || Event::MessageReceived { from: peer(1), bytes: junk.clone().into() };
    assert!(bench.step(receive()).is_empty(), "nobody asked for it");
    bench.receive(1, &Message::Status { committed: Height::new(3), started: false });
    let dropped = [Action::DropPeer { peer: peer(1), reason: PeerFault::Malformed }];
    assert_eq!(bench.step(receive()), dropped, "as an answer it is read");
}

#[test]
fn a_lost_proposal_is_asked_for_and_given() {
    let mut bench = Bench::open(4, Some(0));
    bench.make_ready();
    let (node, proposal) = first_proposal(&bench, NOW);
    let request = Message::ProposalRequest { height: Height::new(1), round: Round::new(0) };
    assert!(sent(&bench.step(fires(0, TimeoutKind::Rebroadcast))).contains(&request));
    assert!(sent(&bench.receive(2, &request)).is_empty(), "we have none either");
    bench.receive(node, &Message::Proposal(proposal.clone()));
    assert!(!sent(&bench.step(fires(0, TimeoutKind::Rebroadcast))).contains(&request));
    assert_eq!(sent(&bench.receive(2, &request)), [Message::Proposal(proposal)]);
}

#[test]
fn a_faulty_proposer_makes_us_look_at_two_blocks_of_a_round_at_most() {
    let mut bench = Bench::open(4, Some(0));
    bench.make_ready();
    for offset in 0..10 {
        let (node, proposal) = first_proposal(&bench, TimeMs::new(NOW.get() + offset));
        bench.receive(node, &Message::Proposal(proposal));
    }
    let request = Message::ProposalRequest { height: Height::new(1), round: Round::new(0) };
    assert_eq!(sent(&bench.receive(2, &request)).len(), 2);
}

#[test]
fn junk_and_strangers() {
    let mut bench = Bench::open(4, Some(0));
    bench.step(Event::Started);
    let junk = |from| Event::MessageReceived { from: peer(from), bytes: vec![1, 99].into() };
    assert!(bench.step(junk(7)).is_empty(), "who is not connected is not heard");
    bench.connect(1);
    let actions = bench.step(junk(1));
    assert_eq!(actions, [Action::DropPeer { peer: peer(1), reason: PeerFault::Malformed }]);
}

#[test]
fn committed_blocks_are_served_and_a_laggard_is_told_where_we_are() {
    let blocks = committed(2);
    let mut bench = Bench::open(1, None);
    bench.step(Event::Started);
    bench.connect(1);
    bench.receive(1, &Message::Status { committed: Height::new(2), started: false });
    bench.receive(1, &Message::SyncResponse { from: Height::new(1), blocks: blocks.clone() });
    let actions = bench.receive(1, &Message::SyncRequest { from: Height::new(2), count: 10 });
    let expected = Message::SyncResponse { from: Height::new(2), blocks: blocks[1..].to_vec() };
    assert_eq!(sent(&actions), [expected]);
    let late = Message::ProposalRequest { height: Height::new(1), round: Round::new(0) };
    let told = Message::Status { committed: Height::new(2), started: false };
    assert_eq!(sent(&bench.receive(1, &late)), [told]);
    assert!(sent(&bench.receive(1, &late)).is_empty(), "once per height");
}
