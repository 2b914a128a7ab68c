//! Many seeded runs of a whole network, of every kind of fault: a short selection of what `./x simulate` runs for as long as
//! one likes.

#[path = "support/ledger.rs"]
mod support;

use std::{
    io::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use sigeli_consensus::simulator::{
    RememberingCheck, Report, Violation,
    campaign::{Case, Kind, Tally},
};

use crate::support::LedgerFactory;

fn run(seed: u64) -> (Case, Result<Report, Violation>) {
    let case = Case::new(seed);
    let check = Arc::new(RememberingCheck::default());
    let result =
        if case.on_ledger { case.run(LedgerFactory::default(), check) } else { case.run(case.test_factory(), check) };
    (case, result)
}

/// How many seeds: 260, twenty of each kind, or what the environment says.
fn seed_count() -> u64 {
    std::env::var("SIGELI_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(260)
}

#[test]
fn networks_with_faults_agree_and_go_on() {
    let (count, next, tally) = (seed_count(), AtomicU64::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= count {
                    return;
                }
                let (case, result) = run(seed);
                tally.lock().unwrap_or_else(PoisonError::into_inner).add(seed, &case, &result);
            }
        };
        scope.spawn(work);
        scope.spawn(work);
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Past the test harness, which shows the output of failing tests only: the counts belong in the log of every run.
    let figures = format!("{} seeds, {} of them on the real ledger: {tally:?}", tally.seeds(), tally.on_ledger);
    writeln!(std::io::stderr(), "{figures}").expect("standard error is open");
    assert!(tally.failed.is_empty(), "{} of {} seeds failed: {:#?}", tally.failed.len(), tally.seeds(), tally.failed);
    if count >= 200 {
        let faults = tally.faults;
        let all = [
            faults.lost,
            faults.delayed,
            faults.cut,
            faults.one_way,
            faults.duplicated,
            faults.clock,
            faults.misdeeds,
            faults.damages,
            faults.crashes,
            faults.restores,
            faults.equivocations,
            tally.refused,
            tally.stopped,
            tally.transactions,
            tally.later_rounds,
        ];
        assert!(all.iter().all(|figure| *figure > 0), "a fault that never happened proves nothing: {tally:?}");
        assert_eq!(tally.runs.len(), Kind::ALL.len());
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    // One of each kind.
    for seed in 100..113 {
        let (first, second) = (run(seed).1, run(seed).1);
        assert_eq!(first, second, "seed {seed}");
        assert!(first.is_ok(), "seed {seed}: {first:?}");
    }
    assert_ne!(run(3).1.expect("passes").trace, run(16).1.expect("passes").trace);
}
