//! Runs of every kind, drawn from seeds: seed n is a run of kind n modulo the number of kinds.
//!
//! Loss, delay, duplication and crashes are in every run; the kind adds what it is named for. A case is a function of its
//! seed and of this program, so a seed and a commit are all that is needed to see a failure again.

use std::{collections::BTreeMap, fmt, sync::Arc};

use sigeli_verifier::{ids::Height, validators::ValidatorSet};

use super::{
    ApplicationFactory, ClockFault, Crash, CrashPoint, FaultCounts, FaultPlan, Flaw, HomeCopy, Misdeed, Random, Report,
    Simulation, SimulationConfig, TestFactory, Violation, Window, Wipe,
};
use crate::{engine::SignatureCheck, params::ConsensusParams};

/// The faults of a run end before this, in virtual milliseconds.
const SPAN_MS: u64 = 4_000;
/// Nodes that are down then are up again, and what was late has come.
const HEALED_MS: u64 = 6_500;
/// How long after that every node must have reached the target.
const PATIENCE_MS: u64 = 60_000;
/// The height that must be reached.
const TARGET: u64 = 30;
/// The validator that misbehaves, is restored, or loses something.
const VICTIM: usize = 3;

/// What a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Loss, delay, duplication, partitions, crashes at any write.
    Crashes,
    /// Partitions of two and two, three and one, one-way, and flapping.
    Partitions,
    /// One clock is up to a day wrong, and jumps.
    Clocks,
    /// One validator contradicts its votes and proposals.
    Equivocation,
    /// One validator proposes invalid blocks.
    InvalidBlocks,
    /// One validator says nothing, or tells one other only.
    Silence,
    /// One validator floods future heights, or sends old messages again.
    Flood,
    /// One validator forges messages of others.
    Forgery,
    /// One validator lies about its height and in its answers to who catches up.
    LyingSync,
    /// One node's log or sign-state is wiped or has a bit turned over.
    Damage,
    /// One node's home, or its database alone, is restored from an old copy.
    Restore,
    /// One key runs on two machines.
    Twins,
    /// Validators come and go.
    Membership,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Crashes,
        Self::Partitions,
        Self::Clocks,
        Self::Equivocation,
        Self::InvalidBlocks,
        Self::Silence,
        Self::Flood,
        Self::Forgery,
        Self::LyingSync,
        Self::Damage,
        Self::Restore,
        Self::Twins,
        Self::Membership,
    ];

    /// The kind of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let count = u64::try_from(Self::ALL.len()).unwrap_or(1);
        let position = usize::try_from(seed.checked_rem(count).unwrap_or(0)).unwrap_or(0);
        Self::ALL.get(position).copied().unwrap_or(Self::Crashes)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Crashes => "crashes",
            Self::Partitions => "partitions",
            Self::Clocks => "clocks",
            Self::Equivocation => "equivocation",
            Self::InvalidBlocks => "invalid blocks",
            Self::Silence => "silence",
            Self::Flood => "flood and replay",
            Self::Forgery => "forgery",
            Self::LyingSync => "lying sync",
            Self::Damage => "damage",
            Self::Restore => "restore",
            Self::Twins => "twins",
            Self::Membership => "membership",
        })
    }
}

/// One run.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is about.
    pub kind: Kind,
    /// Whether the real ledger runs in it; else the small test application, which alone can be copied and change its
    /// validators.
    pub on_ledger: bool,
    /// What to simulate.
    pub config: SimulationConfig,
    /// Validator sets by the height from which they decide.
    pub changes: BTreeMap<Height, ValidatorSet>,
}

impl Case {
    /// The case of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0xCA_4BA1_64E5);
        let kind = Kind::of(seed);
        let mut config = SimulationConfig {
            seed,
            nodes: 4,
            observers: 0,
            target: TARGET,
            params: ConsensusParams::default(),
            faults: FaultPlan::random(&mut random, 4, SPAN_MS),
            healed_ms: HEALED_MS,
            patience_ms: PATIENCE_MS,
        };
        let window = Window { from_ms: 0, to_ms: SPAN_MS, severity: random.between(1, 20) };
        config.faults.duplications.push(window);
        let mut changes = BTreeMap::new();
        if kind == Kind::Membership {
            (config.nodes, config.observers) = (5, 1);
            changes = members(&mut random);
        }
        add_faults(kind, &mut config.faults, &mut random);
        let is_small = matches!(kind, Kind::Restore | Kind::Membership);
        Self { kind, on_ledger: !is_small && random.chance_percent(50), config, changes }
    }

    /// The small application for this case.
    #[must_use]
    pub fn test_factory(&self) -> TestFactory {
        TestFactory { changes: Arc::new(self.changes.clone()), idle: false }
    }

    /// Runs it, and checks what every run of its kind must come to.
    ///
    /// # Errors
    /// [`Violation`], the first.
    pub fn run<F: ApplicationFactory>(&self, factory: F, check: Arc<dyn SignatureCheck>) -> Result<Report, Violation> {
        let report = Simulation::new(self.config.clone(), factory).with_check(check).run()?;
        let unexpected = |what| Err(Violation::Unexpected { what });
        let may_lose_its_vote = matches!(self.kind, Kind::Restore | Kind::Twins | Kind::Damage);
        let faults = &self.config.faults;
        if report.dropped_correct > 0 {
            return unexpected("correct nodes have dropped one another");
        }
        let is_right = |node: usize| faults.is_faulty(node) || (may_lose_its_vote && node >= VICTIM);
        if report.refused.iter().any(|(node, _)| !is_right(*node)) {
            return unexpected("a correct validator has lost its vote");
        }
        if report.stopped.iter().any(|node| *node < VICTIM) {
            return unexpected("a correct node has stopped");
        }
        if report.doubled_keys > 0 {
            return unexpected("a key still votes on two machines");
        }
        match self.kind {
            Kind::Equivocation if report.equivocations == 0 => unexpected("nobody can prove the equivocation"),
            Kind::Partitions if report.faults.cut == 0 && report.faults.one_way == 0 => unexpected("nothing was cut"),
            Kind::Clocks if report.faults.clock == 0 => unexpected("no clock was wrong"),
            _ => Ok(report),
        }
    }
}

fn members(random: &mut Random) -> BTreeMap<Height, ValidatorSet> {
    let sets = [vec![0, 1, 2, 3], vec![1, 2, 3, 4], vec![0, 1, 2, 4], vec![0, 1, 2, 3, 4], vec![0, 1, 3, 4]];
    let mut height = 2;
    let changes = sets.into_iter().map(|nodes| {
        // Sometimes in consecutive blocks.
        height = random.between(1, 8).saturating_add(height);
        (Height::new(height), Simulation::<TestFactory>::validators(nodes))
    });
    changes.collect()
}

fn add_faults(kind: Kind, faults: &mut FaultPlan, random: &mut Random) {
    let misdeed = |faults: &mut FaultPlan, misdeed| faults.misdeeds.push((VICTIM, misdeed));
    match kind {
        Kind::Crashes | Kind::Membership => {}
        Kind::Partitions => cut(faults, random),
        Kind::Clocks => spoil_clock(faults, random),
        Kind::Equivocation => faults.equivocators.push(VICTIM),
        Kind::InvalidBlocks => {
            let flaw = Flaw::ALL.get(random.position(Flaw::ALL.len())).copied().unwrap_or(Flaw::Parent);
            misdeed(faults, Misdeed::Invalid(flaw));
        }
        Kind::Silence => misdeed(faults, if random.chance_percent(50) { Misdeed::Silent } else { Misdeed::Withhold }),
        Kind::Flood => misdeed(faults, if random.chance_percent(50) { Misdeed::Flood } else { Misdeed::Replay }),
        Kind::Forgery => misdeed(faults, Misdeed::Forge),
        Kind::LyingSync => misdeed(faults, Misdeed::LieInSync),
        Kind::Damage => {
            let wipe = [Wipe::Wal, Wipe::WalBit, Wipe::SignStateBit, Wipe::SignState];
            let wipe = wipe.get(random.position(wipe.len())).copied().unwrap_or(Wipe::Wal);
            replace_crashes_of_victim(faults, random, wipe);
        }
        Kind::Restore => {
            let wipe = if random.chance_percent(70) { Wipe::SinceCopy } else { Wipe::DatabaseSinceCopy };
            restore(faults, random, wipe);
        }
        Kind::Twins => faults.twins.push(VICTIM),
    }
}

/// Two and two, three and one, in both directions or one, for long or in turns.
fn cut(faults: &mut FaultPlan, random: &mut Random) {
    let sides = [0b0011, 0b0101, 0b0110, 0b0001, 0b0010, 0b0100, 0b1000, 0b1110];
    let severity = sides.get(random.position(sides.len())).copied().unwrap_or(1);
    let one_way = random.chance_percent(40);
    let (held_ms, pause_ms) = if random.chance_percent(50) {
        (random.between(100, 500), random.between(50, 500))
    } else {
        (random.between(1_000, SPAN_MS), 0)
    };
    let mut from_ms = random.below(1_000);
    while from_ms < SPAN_MS {
        let to_ms = from_ms.saturating_add(held_ms).min(SPAN_MS);
        let window = Window { from_ms, to_ms, severity };
        if one_way {
            faults.one_way.push(window)
        } else {
            faults.partitions.push(window)
        }
        from_ms = to_ms.saturating_add(pause_ms).saturating_add(1);
    }
}

fn spoil_clock(faults: &mut FaultPlan, random: &mut Random) {
    let node = random.position(4);
    let mut from_ms = 0;
    while from_ms < SPAN_MS {
        let to_ms = from_ms.saturating_add(random.between(200, 2_000));
        let most = [3_000, 60_000, 3_600_000, 86_400_000].get(random.position(4)).copied().unwrap_or(3_000);
        let offset = i64::try_from(random.below(most)).unwrap_or(0);
        let offset_ms = if random.chance_percent(50) { offset } else { offset.saturating_neg() };
        faults.clocks.push(ClockFault { node, from_ms, to_ms, offset_ms });
        from_ms = to_ms;
    }
}

/// One crash of the victim that takes something along, in the middle of a height; the others crash as drawn.
fn replace_crashes_of_victim(faults: &mut FaultPlan, random: &mut Random, wipe: Wipe) {
    faults.crashes.retain(|crash| crash.node != VICTIM);
    let at_ms = random.between(500, SPAN_MS);
    let point = CrashPoint::AfterActions(random.position(10));
    faults.crashes.push(Crash { node: VICTIM, at_ms, point, down_ms: random.between(100, 600), wipe });
    faults.crashes.sort_by_key(|crash| crash.at_ms);
}

/// The victim is restored from a copy, while all others restart, so that none remembers from its life before what the
/// victim has signed since; for a while it cannot catch up, so that its own certificates do not warn it.
fn restore(faults: &mut FaultPlan, random: &mut Random, wipe: Wipe) {
    let copied_ms = random.between(300, 1_500);
    let lost_ms = copied_ms.saturating_add(random.between(800, 2_200));
    let down_ms = random.between(200, 900);
    faults.copies.push(HomeCopy { node: VICTIM, at_ms: copied_ms });
    faults.crashes.clear();
    let point = CrashPoint::AfterActions(random.position(9));
    faults.crashes.push(Crash { node: VICTIM, at_ms: lost_ms, point, down_ms, wipe });
    for node in 0..VICTIM {
        let at_ms = lost_ms.saturating_add(random.between(1, 500));
        let down_ms = random.between(50, 500);
        faults.crashes.push(Crash { node, at_ms, point: CrashPoint::Between, down_ms, wipe: Wipe::Nothing });
    }
    faults.delays.push(Window { from_ms: 0, to_ms: 4_500, severity: random.between(20, 400) });
    if random.chance_percent(70) {
        faults.syncs_lost.push(Window { from_ms: lost_ms, to_ms: HEALED_MS, severity: 100 });
    }
}

/// What many runs came to.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Runs by kind.
    pub runs: BTreeMap<Kind, u64>,
    /// Runs of the real ledger.
    pub on_ledger: u64,
    /// Heights reached by every node, added up.
    pub heights: u64,
    /// Virtual milliseconds.
    pub virtual_ms: u64,
    /// Certificates checked.
    pub certificates: u64,
    /// Signed statements on the wire checked.
    pub statements: u64,
    /// Transactions committed.
    pub transactions: u64,
    /// Blocks that were built after round 0.
    pub later_rounds: u64,
    /// Validators that rightly lost their vote.
    pub refused: u64,
    /// Nodes that rightly stopped.
    pub stopped: u64,
    /// What went wrong.
    pub faults: FaultCounts,
    /// Runs in which something happened that must never happen: seed and what.
    pub failed: Vec<(u64, String)>,
}

impl Tally {
    /// Counts a run.
    pub fn add(&mut self, seed: u64, case: &Case, result: &Result<Report, Violation>) {
        let runs = self.runs.entry(case.kind).or_default();
        *runs = runs.saturating_add(1);
        let report = match result {
            Ok(report) => report,
            Err(violation) => return self.failed.push((seed, violation.to_string())),
        };
        let count = |list: usize| u64::try_from(list).unwrap_or(u64::MAX);
        for (sum, figure) in [
            (&mut self.on_ledger, u64::from(case.on_ledger)),
            (&mut self.heights, report.height),
            (&mut self.virtual_ms, report.now_ms),
            (&mut self.certificates, report.certificates),
            (&mut self.statements, report.statements),
            (&mut self.transactions, report.transactions),
            (&mut self.later_rounds, report.later_rounds),
            (&mut self.refused, count(report.refused.len())),
            (&mut self.stopped, count(report.stopped.len())),
        ] {
            *sum = sum.saturating_add(figure);
        }
        self.faults.add(&report.faults);
    }

    /// Counts a run that panicked.
    pub fn add_panicked(&mut self, seed: u64, case: &Case) {
        let runs = self.runs.entry(case.kind).or_default();
        *runs = runs.saturating_add(1);
        self.failed.push((seed, "an invariant is broken (panic)".to_owned()));
    }

    /// How many runs.
    #[must_use]
    pub fn seeds(&self) -> u64 {
        self.runs.values().sum()
    }
}
