//! Networks with one named fault each, and planted faults that the checkers must find.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a failure names its run; figures for the log of a nightly run"
)]

use std::{collections::BTreeMap, sync::Arc};

use sigeli_consensus::{
    params::ConsensusParams,
    signer::RefusalReason,
    simulator::{
        Crash, CrashPoint, FaultPlan, HomeCopy, Random, Report, Simulation, SimulationConfig, TestFactory, Violation,
        Window, Wipe,
    },
};
use sigeli_verifier::ids::Height;

fn config(seed: u64, target: u64, faults: FaultPlan) -> SimulationConfig {
    SimulationConfig {
        seed,
        nodes: 4,
        observers: 0,
        target,
        params: ConsensusParams::default(),
        faults,
        healed_ms: 0,
        patience_ms: 600_000,
    }
}

fn run(config: SimulationConfig) -> Result<Report, Violation> {
    Simulation::new(config, TestFactory::default()).run()
}

fn crash(node: usize, at_ms: u64, down_ms: u64, wipe: Wipe) -> Crash {
    Crash { node, at_ms, point: CrashPoint::Between, down_ms, wipe }
}

/// The longest time between two commits of node 0.
fn longest_gap_ms(report: &Report) -> u64 {
    report.commit_times_ms.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}

#[test]
fn a_healthy_network_needs_no_second_round() {
    let report = run(config(1, 200, FaultPlan::default())).expect("healthy");
    println!("200 heights in {} virtual ms", report.now_ms);
    assert_eq!((report.later_rounds, report.dropped_peers, report.equivocations), (0, 0, 0));
    assert!(longest_gap_ms(&report) < 500, "{}", longest_gap_ms(&report));
}

#[test]
fn a_dead_validator_costs_a_timeout_only_when_its_time_is_up() {
    let faults = FaultPlan { dead: vec![2], ..FaultPlan::default() };
    let report = run(config(2, 300, faults)).expect("three of four go on");
    println!("300 heights in {} virtual ms, {} of them in a later round", report.now_ms, report.later_rounds);
    // Moved back for 2, 4, 8, ... 256 heights: without that every fourth height would wait, 75 of 300.
    assert!((1..=8).contains(&report.later_rounds), "{}", report.later_rounds);
    assert!(longest_gap_ms(&report) < 3_000, "{}", longest_gap_ms(&report));
}

#[test]
fn two_of_four_down_halt_the_network_and_it_goes_on_when_they_return() {
    for (seed, minutes) in [(1, 1), (2, 10), (3, 60)] {
        let down_ms = minutes * 60_000;
        let crashes = vec![crash(2, 1_000, down_ms, Wipe::Nothing), crash(3, 1_050, down_ms, Wipe::Nothing)];
        let mut config = config(seed, 60, FaultPlan { crashes, ..FaultPlan::default() });
        config.healed_ms = 1_050 + down_ms;
        let report = run(config).expect("it goes on");
        let stall = longest_gap_ms(&report) - down_ms;
        println!("{minutes} min down: {stall} ms until the next block");
        assert!(stall < 25_000, "{stall}");
    }
}

#[test]
fn all_four_crash_at_once_and_go_on() {
    for seed in 0..10 {
        let crashes = (0..4).map(|node| crash(node, 1_000 + seed, 500, Wipe::Nothing)).collect();
        let mut config = config(seed, 60, FaultPlan { crashes, ..FaultPlan::default() });
        config.healed_ms = 2_000;
        let report = run(config).expect("it goes on");
        assert!(longest_gap_ms(&report) < 10_000, "{}", longest_gap_ms(&report));
    }
}

/// Runs with one crash at this point of node 1's work, under ordinary delays.
fn run_crashed(seed: u64, at_ms: u64, point: CrashPoint) -> Report {
    let crashes = vec![Crash { node: 1, at_ms, point, down_ms: 150, wipe: Wipe::Nothing }];
    let mut config = config(seed, 15, FaultPlan { crashes, ..FaultPlan::default() });
    config.healed_ms = at_ms + 1_500;
    let report = run(config).unwrap_or_else(|violation| panic!("{point:?} at {at_ms} ms: {violation}"));
    assert_eq!((report.faults.crashes, report.refused.len(), report.dropped_peers), (1, 0, 0), "{point:?}");
    report
}

#[test]
fn a_crash_at_every_write_and_after_every_action_is_harmless() {
    // Three heights have some 45 WAL operations and 9 sign-state writes.
    for operation in 0..48 {
        run_crashed(1, 300, CrashPoint::WalOperation(operation));
    }
    for write in 0..10 {
        run_crashed(2, 300, CrashPoint::SignStateWrite(write));
    }
    for moment in 0..20 {
        for actions in 0..6 {
            run_crashed(3, 300 + moment * 9, CrashPoint::AfterActions(actions));
        }
    }
}

#[test]
fn a_node_that_was_away_for_long_catches_up() {
    let crashes = vec![crash(1, 500, 60_000, Wipe::Nothing)];
    let mut config = config(4, 0, FaultPlan { crashes, ..FaultPlan::default() });
    (config.healed_ms, config.patience_ms, config.target) = (64_000, 10_000, 300);
    let report = run(config).expect("it catches up within 3.5 s");
    assert!(report.height > 300);
}

#[test]
fn partitions_never_fork() {
    for (seed, side) in [(1, 0b0011), (2, 0b0001), (3, 0b0101)] {
        let cut = Window { from_ms: 500, to_ms: 10_000, severity: side };
        let mut config = config(seed, 80, FaultPlan { partitions: vec![cut], ..FaultPlan::default() });
        config.healed_ms = 10_000;
        let report = run(config).expect("it heals");
        println!("side {side:04b}: longest gap {} ms", longest_gap_ms(&report));
        assert!(report.faults.cut > 0);
    }
}

#[test]
fn an_idle_network_makes_a_block_per_heartbeat() {
    let mut config = config(5, 4, FaultPlan::default());
    config.healed_ms = 125_000;
    let report = Simulation::new(config, TestFactory { idle: true, ..TestFactory::default() }).run().expect("it beats");
    assert_eq!(report.height, 4, "one block each 30 s");
    assert_eq!(report.later_rounds, 0);
}

#[test]
fn validators_come_and_go() {
    let sets = [(10, vec![0, 1, 2, 3]), (20, vec![1, 2, 3, 4]), (30, vec![0, 1, 2, 4]), (40, vec![0, 1, 2, 3, 4])];
    let changes = sets.map(|(height, nodes)| (Height::new(height), Simulation::<TestFactory>::validators(nodes)));
    let factory = TestFactory { changes: Arc::new(BTreeMap::from(changes)), idle: false };
    for seed in 0..5 {
        let crashes = vec![crash(3, 1_500, 2_000, Wipe::Nothing)];
        let mut config = config(seed, 80, FaultPlan { crashes, ..FaultPlan::default() });
        (config.nodes, config.observers, config.healed_ms) = (5, 1, 3_500);
        let report = Simulation::new(config, factory.clone()).run().expect("sets change without a stop");
        assert_eq!((report.dropped_peers, report.refused.len()), (0, 0));
    }
}

#[test]
fn observers_follow() {
    let mut config = config(6, 100, FaultPlan::default());
    config.observers = 2;
    let report = run(config).expect("observers reach the target too");
    assert!(report.certificates >= 600);
}

#[test]
fn an_equivocator_is_named_and_forks_nobody() {
    for seed in 0..10 {
        let faults = FaultPlan { equivocators: vec![3], ..FaultPlan::default() };
        let report = run(config(seed, 60, faults)).expect("one of four may lie");
        assert!(report.faults.equivocations > 0 && report.equivocations > 0);
        assert_eq!(report.dropped_peers, 0);
    }
}

#[test]
fn an_equivocator_among_other_faults_forks_nobody() {
    for seed in 0..40 {
        let mut faults = FaultPlan::random(&mut Random::new(seed ^ 0xB12), 4, 3_000);
        faults.equivocators = vec![3];
        let mut config = config(seed, 40, faults);
        config.healed_ms = 6_000;
        let report = run(config).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        assert!(report.faults.equivocations > 0 && report.equivocations > 0, "seed {seed}");
    }
}

#[test]
fn seven_nodes_stand_two_faults_and_twenty_agree() {
    let faults = FaultPlan { dead: vec![1], equivocators: vec![4], ..FaultPlan::default() };
    let mut seven = config(1, 60, faults);
    seven.nodes = 7;
    assert_eq!(run(seven).expect("two of seven may fail").dropped_peers, 0);
    let mut twenty = config(2, 10, FaultPlan::default());
    twenty.nodes = 20;
    assert_eq!(run(twenty).expect("healthy").later_rounds, 0);
}

#[test]
fn planted_the_checker_finds_an_equivocator() {
    let faults = FaultPlan { equivocators: vec![3], equivocators_watched: true, ..FaultPlan::default() };
    assert!(matches!(run(config(1, 60, faults)), Err(Violation::DoubleSign { .. })));
}

/// Runs with one crash in the middle of work that takes something along.
fn run_wiped(seed: u64, wipe: Wipe, reports_emptied: bool) -> Result<Report, Violation> {
    let mut crash = crash(1, 700 + seed * 7, 200, wipe);
    // In the middle of a height: right after something was sent.
    crash.point = CrashPoint::AfterActions(9);
    // A slow network, so that a forgotten vote can still come out differently.
    let slow = Window { from_ms: 0, to_ms: 60_000, severity: 900 };
    let faults = FaultPlan { crashes: vec![crash], delays: vec![slow], reports_emptied, ..FaultPlan::default() };
    let mut config = config(seed, 30, faults);
    config.healed_ms = 20_000;
    run(config)
}

#[test]
fn planted_a_wiped_log_stops_the_node() {
    let mut stopped = 0;
    for seed in 0..20 {
        match run_wiped(seed, Wipe::Wal, false) {
            // Between two heights there is nothing to lose.
            Ok(report) if report.stopped.is_empty() => {}
            Ok(report) => {
                assert_eq!(report.stopped, [1], "seed {seed}");
                stopped += 1;
            }
            Err(other) => panic!("seed {seed}: {other}"),
        }
    }
    println!("{stopped} of 20 wiped logs stopped the node");
    assert!(stopped >= 10, "{stopped}");
}

#[test]
fn planted_a_lost_sign_state_takes_the_vote() {
    for seed in 0..5 {
        let mut config =
            config(seed, 60, FaultPlan { crashes: vec![crash(1, 900, 100, Wipe::SignState)], ..FaultPlan::default() });
        config.healed_ms = 3_000;
        let report = run(config).expect("three of four go on, the fourth follows");
        assert_eq!(report.refused, [(1, RefusalReason::SignStateMissing)]);
    }
}

#[test]
fn planted_a_node_made_anew_is_refused_by_its_peers_reports() {
    let mut refused = 0;
    for seed in 0..20 {
        let report = run_wiped(seed, Wipe::Everything, false).unwrap_or_else(|violation| panic!("{seed}: {violation}"));
        refused += report.refused.len();
        assert!(report.refused.iter().all(|(node, reason)| {
            *node == 1 && matches!(reason, RefusalReason::SignedElsewhere { known: None, .. })
        }));
    }
    println!("{refused} of 20 were refused");
    assert_eq!(refused, 20);
}

#[test]
fn planted_without_the_reports_a_node_made_anew_signs_twice() {
    let found =
        (0..20).filter(|seed| matches!(run_wiped(*seed, Wipe::Everything, true), Err(Violation::DoubleSign { .. })));
    let found = found.count();
    println!("the checker saw {found} of 20 sign twice");
    assert!(found > 0);
}

/// Node 1 loses its disk and is restored from a copy, sign-state and all, while every other node restarts once, so that
/// none of them remembers from its life before what node 1 signed since the copy.
fn run_restored(seed: u64, reports_emptied: bool) -> Result<Report, Violation> {
    let mut random = Random::new(seed ^ 0xC0B1);
    let copied_ms = random.between(300, 1_500);
    // Long enough for the network to go on by some heights.
    let lost_ms = copied_ms + random.between(1_000, 2_500);
    let down_ms = random.between(400, 900);
    let mut crashes = vec![crash(1, lost_ms, down_ms, Wipe::SinceCopy)];
    crashes[0].point = CrashPoint::AfterActions(random.position(9));
    for other in [0, 2, 3] {
        crashes.push(crash(other, lost_ms + random.between(1, 500), random.between(50, 500), Wipe::Nothing));
    }
    let delays = vec![Window { from_ms: 0, to_ms: 4_500, severity: random.between(20, 400) }];
    let losses = vec![Window { from_ms: 0, to_ms: 4_500, severity: random.between(0, 20) }];
    let copies = vec![HomeCopy { node: 1, at_ms: copied_ms }];
    // For a while it cannot catch up, so that its own certificates do not warn it.
    let syncs_lost = vec![Window { from_ms: lost_ms, to_ms: 7_500, severity: 100 }];
    let faults = FaultPlan { crashes, copies, delays, losses, syncs_lost, reports_emptied, ..FaultPlan::default() };
    let mut config = config(seed, 60, faults);
    config.healed_ms = 8_000;
    run(config)
}

#[test]
fn a_validator_restored_from_a_copy_never_signs_an_old_height_again() {
    let (mut refused, mut restored) = (0, 0);
    for seed in 0..200 {
        let report = run_restored(seed, false).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        assert_eq!(report.dropped_peers, 0, "seed {seed}");
        assert!(report.refused.iter().all(|(node, _)| *node == 1), "seed {seed}: {:?}", report.refused);
        restored += report.faults.restores;
        refused += report.refused.len();
    }
    println!("{restored} restored from a copy, {refused} of them without a vote for good");
    assert!(restored >= 50 && refused >= 40, "{restored} {refused}");
}

#[test]
fn planted_without_the_reports_a_restored_validator_signs_twice() {
    let found = (0..100).filter(|seed| matches!(run_restored(*seed, true), Err(Violation::DoubleSign { .. }))).count();
    println!("the checker saw {found} of 100 sign twice");
    assert!(found >= 3, "{found}");
}
