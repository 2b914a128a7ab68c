//! Many seeded runs of a whole network with loss, delay, partitions and crashes.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sigeli_consensus::{
    params::ConsensusParams,
    simulator::{
        FaultCounts, FaultPlan, Random, RememberingCheck, Report, Simulation, SimulationConfig, TestFactory, Violation,
    },
};

const NODES: usize = 4;
const TARGET: u64 = 50;
const FAULT_SPAN_MS: u64 = 4_000;
const HEALED_MS: u64 = 6_500;
const PATIENCE_MS: u64 = 60_000;

fn config(seed: u64) -> SimulationConfig {
    let mut random = Random::new(seed ^ 0x5EED);
    SimulationConfig {
        seed,
        nodes: NODES,
        observers: 0,
        target: TARGET,
        params: ConsensusParams::default(),
        faults: FaultPlan::random(&mut random, NODES, FAULT_SPAN_MS),
        healed_ms: HEALED_MS,
        patience_ms: PATIENCE_MS,
    }
}

fn run(seed: u64) -> Result<Report, Violation> {
    Simulation::new(config(seed), TestFactory::default()).with_check(Arc::new(RememberingCheck::default())).run()
}

/// How many seeds: 200, or what the environment says (nightly runs ask for more).
fn seed_count() -> u64 {
    std::env::var("SIGELI_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(200)
}

#[test]
fn networks_with_faults_agree_and_go_on() {
    let count = seed_count();
    let next = AtomicU64::new(0);
    let reports = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut reports = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= count {
                            return reports;
                        }
                        reports.push((seed, run(seed)));
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no run panics")).collect::<Vec<_>>()
    });
    let mut total = FaultCounts::default();
    let (mut heights, mut certificates, mut statements, mut later, mut virtual_ms) = (0, 0, 0, 0, 0);
    let mut failed = Vec::new();
    for (seed, result) in &reports {
        match result {
            Ok(report) => {
                let plan = config(*seed).faults;
                assert!(!plan.losses.is_empty() && !plan.delays.is_empty() && !plan.crashes.is_empty(), "seed {seed}");
                assert!(report.height >= TARGET, "seed {seed} ends at height {}", report.height);
                total.lost += report.faults.lost;
                total.delayed += report.faults.delayed;
                total.cut += report.faults.cut;
                total.crashes += report.faults.crashes;
                heights += report.height;
                certificates += report.certificates;
                statements += report.statements;
                later += report.later_rounds;
                virtual_ms += report.now_ms;
                if report.dropped_peers > 0 {
                    failed.push(format!("seed {seed}: {} correct peers were dropped", report.dropped_peers));
                }
                if !report.refused.is_empty() {
                    failed.push(format!("seed {seed}: refused to sign: {:?}", report.refused));
                }
            }
            Err(violation) => failed.push(format!("seed {seed}: {violation}")),
        }
    }
    // Past the test harness, which shows the output of failing tests only: the counts belong in the log of every run.
    let figures = format!(
        "{} seeds, {heights} heights in {} virtual seconds, {later} blocks built after round 0, {certificates} \
         certificates and {statements} statements checked; faults: {total:?}",
        reports.len(),
        virtual_ms / 1_000
    );
    writeln!(std::io::stderr(), "{figures}").expect("standard error is open");
    assert!(failed.is_empty(), "{} of {} seeds failed:\n{}", failed.len(), reports.len(), failed.join("\n"));
    assert!(total.lost > 0 && total.delayed > 0 && total.cut > 0 && total.crashes >= reports.len() as u64 / 2);
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [3, 7] {
        let first = run(seed).expect("the seed passes");
        let second = run(seed).expect("the seed passes");
        assert_eq!(first, second, "seed {seed}");
    }
    assert_ne!(run(3).expect("passes").trace, run(7).expect("passes").trace);
}
