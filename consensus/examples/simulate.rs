//! Runs simulator seeds for as long as one likes, on the real ledger and the small application, and appends what they came
//! to to a report. `./x simulate --help` says how.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

#[path = "../tests/support/ledger.rs"]
mod support;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    path::PathBuf,
    process::{Command, ExitCode},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use sigeli_consensus::simulator::{
    RememberingCheck,
    campaign::{Case, Tally},
};

use crate::support::LedgerFactory;

const HELP: &str = "\
Usage: ./x simulate [--minutes N] [--seeds N] [--seed S] [--jobs J] [--report FILE] [--stop]

  --minutes N    how long (default 10); seeds that are running then are finished
  --seeds N      at most so many seeds
  --seed S       the first seed (default: where the report's last campaign of this commit ended, else 0)
  --jobs J       how many at once (default: as many as this machine has processors)
  --report FILE  append a section to this file; a campaign of the same commit goes on where the last one ended
  --stop         stop at the first failure

To see one run again: ./x simulate --seed S --seeds 1, at the commit that the failure names. Exit code 1 when a seed failed.
";

struct Options {
    minutes: u64,
    seeds: u64,
    seed: Option<u64>,
    jobs: usize,
    report: Option<PathBuf>,
    stop: bool,
}

impl Options {
    fn read() -> Result<Self, String> {
        let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut options = Self { minutes: 10, seeds: u64::MAX, seed: None, jobs, report: None, stop: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            if name == "--stop" {
                options.stop = true;
                continue;
            }
            if name == "--help" || name == "-h" {
                return Err(String::new());
            }
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("{name} needs a number, not {value}"));
            match name.as_str() {
                "--minutes" => options.minutes = number()?,
                "--seeds" => options.seeds = number()?,
                "--seed" => options.seed = Some(number()?),
                "--jobs" => options.jobs = usize::try_from(number()?.max(1)).map_err(|error| error.to_string())?,
                "--report" => options.report = Some(PathBuf::from(&value)),
                _ => return Err(format!("unknown option: {name}")),
            }
        }
        Ok(options)
    }
}

/// The commit of the working directory, marked when files differ from it: with the seed all that a run depends on.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "consensus", "ledger"]);
    if changed.is_none_or(|files| !files.is_empty()) { format!("{commit}+changes") } else { commit }
}

/// Where the report's last campaign of this commit ended.
fn resumed_seed(report: &str, commit: &str) -> Option<u64> {
    let mark = format!("commit {commit}, seeds ");
    let line = report.lines().rfind(|line| line.contains(&mark))?;
    let (_, seeds) = line.split_once(&mark)?;
    let (_, last) = seeds.split_once(" to ")?;
    let digits: String = last.chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<u64>().ok()?.checked_add(1)
}

/// The day of a time, as year, month and day.
fn date(now: SystemTime) -> String {
    let days = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    // Years that begin in March, in cycles of 400 (146,097 days), counted from the year 0.
    let shifted = days + 719_468;
    let (cycle, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day_of_month:02}", cycle * 400 + year + carry)
}

/// What the workers share. Seeds are handed out one after the other, and each that is handed out is finished.
struct Shared {
    next: AtomicU64,
    stop: AtomicBool,
    tally: Mutex<Tally>,
}

fn run_all(options: &Options, first: u64) -> Tally {
    let deadline = Instant::now() + Duration::from_secs(options.minutes.saturating_mul(60));
    let end = first.saturating_add(options.seeds);
    let shared =
        Shared { next: AtomicU64::new(first), stop: AtomicBool::new(false), tally: Mutex::new(Tally::default()) };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                while !shared.stop.load(Ordering::Relaxed) && Instant::now() < deadline {
                    let seed = shared.next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    run_one(seed, options, &shared);
                }
            });
        }
    });
    shared.tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn run_one(seed: u64, options: &Options, shared: &Shared) {
    let case = Case::new(seed);
    let check = Arc::new(RememberingCheck::default());
    // A broken invariant is a finding like any other; the other seeds go on.
    let run = || {
        if case.on_ledger { case.run(LedgerFactory::default(), check) } else { case.run(case.test_factory(), check) }
    };
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    let mut tally = shared.tally.lock().unwrap_or_else(PoisonError::into_inner);
    match result {
        Ok(result) => tally.add(seed, &case, &result),
        Err(_) => tally.add_panicked(seed, &case),
    }
    if let Some((failed, what)) = tally.failed.last().filter(|(failed, _)| *failed == seed) {
        eprintln!("seed {failed} ({}): {what}", case.kind);
        if options.stop {
            shared.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn section(tally: &Tally, commit: &str, first: u64, jobs: usize, seconds: u64) -> String {
    let mut text = String::new();
    let last = first.saturating_add(tally.seeds()).saturating_sub(1);
    let rate = tally.seeds().saturating_mul(3_600).checked_div(seconds.max(1)).unwrap_or(0);
    let mut line = |words: String| writeln!(text, "{words}").expect("memory takes it");
    line(format!("### Simulator, {}, commit {commit}, seeds {first} to {last}", date(SystemTime::now())));
    line(String::new());
    line(format!(
        "{} seeds in {seconds} s with {jobs} jobs on {} {} ({} seeds an hour), {} of them on the real ledger.",
        tally.seeds(),
        std::env::consts::OS,
        std::env::consts::ARCH,
        rate,
        tally.on_ledger,
    ));
    let kinds: Vec<_> = tally.runs.iter().map(|(kind, runs)| format!("{kind} {runs}")).collect();
    line(format!("- Runs by kind: {}.", kinds.join(", ")));
    let figures = BTreeMap::from([
        ("messages lost", tally.faults.lost),
        ("delayed", tally.faults.delayed),
        ("cut off", tally.faults.cut),
        ("cut off in one direction", tally.faults.one_way),
        ("duplicated", tally.faults.duplicated),
        ("steps under a wrong clock", tally.faults.clock),
        ("misdeeds", tally.faults.misdeeds),
        ("equivocations", tally.faults.equivocations),
        ("crashes", tally.faults.crashes),
        ("damaged logs and sign-states", tally.faults.damages),
        ("homes or databases restored from an old copy", tally.faults.restores),
    ]);
    let figures: Vec<_> = figures.iter().map(|(name, figure)| format!("{name} {figure}")).collect();
    line(format!("- Faults: {}.", figures.join(", ")));
    line(format!(
        "- Checked: {} heights reached by every node in {} virtual hours ({} built after round 0), {} transactions, {} \
         certificates, {} signatures on the wire. Nodes that rightly lost their vote {}, or stopped {}.",
        tally.heights,
        tally.virtual_ms / 3_600_000,
        tally.later_rounds,
        tally.transactions,
        tally.certificates,
        tally.statements,
        tally.refused,
        tally.stopped,
    ));
    line(format!("- **Violations: {}.**", tally.failed.len()));
    for (seed, what) in &tally.failed {
        line(format!("  - seed {seed}: {what}. Again: `./x simulate --seed {seed} --seeds 1` at {commit}."));
    }
    text
}

fn append(path: &PathBuf, section: &str) -> io::Result<()> {
    let mut report = match fs::read_to_string(path) {
        Ok(report) => report,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    report.push('\n');
    report.push_str(section);
    fs::write(path, report)
}

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{HELP}");
            if problem.is_empty() {
                return ExitCode::SUCCESS;
            }
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let commit = commit();
    let report = options.report.as_ref().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let first = options.seed.or_else(|| resumed_seed(&report, &commit)).unwrap_or(0);
    let started = Instant::now();
    let tally = run_all(&options, first);
    let section = section(&tally, &commit, first, options.jobs, started.elapsed().as_secs());
    println!("{section}");
    if let Some(path) = &options.report
        && let Err(error) = append(path, &section)
    {
        eprintln!("the report could not be written to {}: {error}", path.display());
        return ExitCode::from(2);
    }
    if tally.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
