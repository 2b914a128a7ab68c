//! Crashes and damage: what was acknowledged is there and whole, or its loss is told. Never other data.

mod common;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use common::{Chain, GENESIS, Random};
use sigeli_ledger::store::{Snapshot as _, Store as _, StoreError};
use sigeli_store::{OpenError, Options, RocksStore};

/// Names the store to a child process.
const STORE: &str = "SIGELI_STORE_OF_CHILD";
/// What a child logs before each commit.
const ROW: [u8; 500] = [1; 500];

fn open(path: &Path) -> Result<RocksStore, OpenError> {
    RocksStore::open(path, &Options { genesis: Some(GENESIS), ..Options::default() })
}

fn heights_of(store: &RocksStore) -> usize {
    let head = store.snapshot().head().expect("reads");
    head.map_or(0, |head| usize::try_from(head.history.size()).expect("few heights"))
}

fn copy_directory(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("removes");
    }
    fs::create_dir(to).expect("creates");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("lists");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copies");
    }
}

/// The files whose name ends so, largest first.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("lists").map(|entry| entry.expect("lists").path());
    let mut files: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    files.sort_by_key(|path| (u64::MAX - fs::metadata(path).expect("a file").len(), path.clone()));
    files
}

#[test]
fn a_copy_of_the_running_store_at_each_commit_is_whole() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (path, copy) = (directory.path().join("store"), directory.path().join("copy"));
    let mut store = open(&path).expect("the store opens");
    let mut chain = Chain::default();
    for heights in 1..=30 {
        store.commit(chain.grow()).expect("the next height");
        copy_directory(&path, &copy);
        let mut crashed = open(&copy).expect("the copy opens");
        assert_eq!(chain.difference(&crashed.snapshot(), heights), Ok(None), "at {heights} heights");
        let mut longer = Chain::of(heights);
        crashed.commit(longer.grow()).expect("goes on");
    }
}

/// Not a test of its own: the process that the next tests start. It commits heights and says so, until it is ended.
#[test]
#[ignore = "started by the tests that end it"]
#[expect(clippy::disallowed_methods, reason = "the parent names the store in the environment")]
fn child() {
    let path = PathBuf::from(std::env::var_os(STORE).expect("started by a parent"));
    let mut store = open(&path).expect("the store opens");
    let mut log = store.consensus_log().expect("a log");
    let mut chain = Chain::of(heights_of(&store));
    // An earlier child may have been ended between the log and the commit.
    let mut sequence = log.rows().expect("reads").len() as u64;
    let mut output = std::io::stdout();
    loop {
        let commit = chain.grow();
        let height = commit.head.header.height;
        let logged = match height.get() {
            0 => Ok(()),
            _ => log.append(height, sequence, &ROW).and_then(|()| log.sync()),
        };
        sequence = 0;
        match logged.and_then(|()| store.commit(commit)) {
            Ok(()) => writeln!(output, "committed {height}").expect("the parent listens"),
            Err(error) => {
                assert_eq!(store.snapshot().head(), Err(StoreError::Dead));
                writeln!(output, "failed {error:?}").expect("the parent listens");
                return;
            }
        }
        output.flush().expect("the parent listens");
    }
}

fn child_command(path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(STORE, path).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The height that a line of the child's acknowledges.
fn acknowledged(line: &str) -> Option<usize> {
    line.rsplit_once("committed ").map(|(_, height)| height.trim().parse().expect("a height"))
}

#[test]
fn what_a_killed_process_has_acknowledged_is_there() {
    const KILLS: usize = 40;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store");
    let mut random = Random(2_026);
    let mut before = 0;
    let mut unacknowledged = 0;
    for kill in 0..KILLS {
        let mut child = child_command(&path).spawn().expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let (mut wanted, mut last) = (1 + random.below(12), None);
        let mut line = String::new();
        while wanted > 0 && lines.read_line(&mut line).expect("reads") > 0 {
            if let Some(height) = acknowledged(&line) {
                last = Some(height);
                wanted -= 1;
            }
            line.clear();
        }
        // The child is on its way through the next heights: end it after a while that differs each time.
        for _ in 0..random.below(400_000) {
            std::hint::spin_loop();
        }
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
        let mut rest = String::new();
        lines.read_to_string(&mut rest).expect("reads");
        let last = rest.lines().filter_map(acknowledged).next_back().or(last).expect("an acknowledgement");
        let store = open(&path).expect("the store opens after a crash");
        let heights = heights_of(&store);
        assert!(heights > last, "kill {kill}: {last} was acknowledged, {heights} heights are there");
        assert!(heights <= last + 2, "one height at most is durable and not acknowledged");
        assert!(heights > before);
        unacknowledged += heights - last - 1;
        before = heights;
        assert_eq!(Chain::of(heights).difference(&store.snapshot(), heights), Ok(None), "kill {kill}");
        let rows = store.consensus_log().and_then(|log| log.rows()).expect("reads");
        assert!(rows.iter().all(|row| row.bytes == ROW));
        assert_eq!(store.reader().check_all().map(|census| census.heights), Ok(heights as u64));
    }
    assert!(unacknowledged <= KILLS);
}

#[test]
fn a_failed_write_kills_and_loses_nothing_acknowledged() {
    // A limit on the size of files, its signal ignored, makes the log's write fail in the middle of a batch.
    for limit_blocks in [250, 277, 301, 350] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("store");
        drop(open(&path).expect("creates"));
        let direct = child_command(&path);
        let script = format!("trap '' XFSZ; ulimit -f {limit_blocks}; exec \"$0\" \"$@\"");
        let mut limited = Command::new("sh");
        limited.arg("-c").arg(script).arg(direct.get_program()).args(direct.get_args());
        limited.env(STORE, &path).stderr(Stdio::null());
        let output = limited.output().expect("runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let last = text.lines().filter_map(acknowledged).next_back();
        assert!(text.contains("failed Io"), "limit {limit_blocks}: {text}");
        let heights = last.map_or(0, |last| last + 1);
        let store = open(&path).expect("the store opens when there is room again");
        let found = heights_of(&store);
        assert!(found == heights || found == heights + 1, "{heights} acknowledged, {found} found");
        assert_eq!(Chain::of(found).difference(&store.snapshot(), found), Ok(None));
    }
}

/// What became of damaged stores.
#[derive(Debug, Default)]
struct Tally {
    /// Opening was refused.
    refused: usize,
    /// Opening succeeded, a read failed.
    failed: usize,
    /// Everything read is right.
    harmless: usize,
}

/// Opens a damaged copy and reads all of it. Right data, or an error; else the test fails.
fn tally(tally: &mut Tally, copy: &Path, chain: &Chain, what: &str) {
    let heights = chain.commits.len();
    match open(copy) {
        Err(error) => {
            assert!(matches!(error, OpenError::Store(_) | OpenError::HeightsLost { .. }), "{what}: {error:?}");
            tally.refused += 1;
        }
        Ok(store) => match chain.difference(&store.snapshot(), heights) {
            Err(StoreError::Corrupt { .. } | StoreError::Io { .. }) => {
                assert_eq!(store.snapshot().head(), Err(StoreError::Dead), "{what}");
                tally.failed += 1;
            }
            Ok(None) => tally.harmless += 1,
            other => assert_eq!(other, Ok(None), "{what}: other data, or an unknown error"),
        },
    }
}

fn flip(file: &Path, bit: usize) {
    let mut bytes = fs::read(file).expect("reads");
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(file, bytes).expect("writes");
}

fn flips(original: &Path, chain: &Chain, ending: &str, count: usize, seed: u64) -> Tally {
    let copy = original.with_file_name("copy");
    let candidates: Vec<_> = files(original, ending)
        .into_iter()
        .filter(|file| fs::metadata(file).is_ok_and(|found| found.len() > 0))
        .collect();
    assert!(!candidates.is_empty(), "there are files of {ending}");
    let mut random = Random(seed);
    let mut result = Tally::default();
    for number in 0..count {
        copy_directory(original, &copy);
        let name = candidates[random.below(candidates.len())].file_name().expect("a name");
        let length = usize::try_from(fs::metadata(copy.join(name)).expect("a file").len()).expect("a small file");
        let bit = random.below(length * 8);
        flip(&copy.join(name), bit);
        tally(&mut result, &copy, chain, &format!("seed {seed}, flip {number}: bit {bit} of {}", name.display()));
    }
    result
}

/// A closed store whose data lie in table files, or, without reopening, in the log.
fn closed_store(path: &Path, heights: usize, reopened: usize) -> Chain {
    let chain = Chain::of(heights);
    let mut store = open(path).expect("the store opens");
    for commit in &chain.commits {
        store.commit(commit.clone()).expect("the next height");
    }
    drop(store);
    for _ in 0..reopened {
        drop(open(path).expect("the store opens"));
    }
    chain
}

#[test]
fn flipped_bits_in_table_files_never_give_other_data() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store");
    let chain = closed_store(&path, 60, 2);
    let tally = flips(&path, &chain, ".sst", 300, 11);
    assert!(tally.refused + tally.failed >= 200, "most bits of a table file matter: {tally:?}");
}

#[test]
fn flipped_bits_in_the_log_never_lose_heights_silently() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store");
    let chain = closed_store(&path, 30, 0);
    let tally = flips(&path, &chain, ".log", 200, 12);
    assert!(tally.harmless == 0, "every bit of the log matters: {tally:?}");
}

#[test]
fn flipped_bits_in_the_other_files_never_give_other_data() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store");
    let chain = closed_store(&path, 60, 1);
    let manifest = files(&path, "").into_iter().find(|file| file.to_string_lossy().contains("MANIFEST"));
    let manifest = manifest.expect("a manifest").file_name().expect("a name").to_string_lossy().into_owned();
    for (name, count) in [(manifest.as_str(), 100), ("CURRENT", 40), ("ACKNOWLEDGED", 40)] {
        flips(&path, &chain, name, count, 13);
    }
}

/// Where the types of a log file's records stand: byte 6 of each record, which has 7 bytes before its data.
fn record_types(file: &Path) -> Vec<usize> {
    let bytes = fs::read(file).expect("reads");
    let (mut at, mut types) = (0, Vec::new());
    while at + 7 <= bytes.len().min(32 * 1_024) {
        types.push(at + 6);
        at += 7 + usize::from(bytes[at + 4]) + 256 * usize::from(bytes[at + 5]);
    }
    types
}

#[test]
fn a_record_of_a_recyclable_type_does_not_keep_the_store_from_answering() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (path, copy) = (directory.path().join("store"), directory.path().join("copy"));
    closed_store(&path, 8, 1);
    let mut store = open(&path).expect("the store opens");
    for commit in &Chain::of(12).commits[8..] {
        store.commit(commit.clone()).expect("the next height");
    }
    drop(store);
    let logs = files(&path, "").into_iter().filter(|file| {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        name.starts_with("MANIFEST-") || name.ends_with(".log")
    });
    let mut flipped = 0;
    for log in logs {
        for at in record_types(&log) {
            copy_directory(&path, &copy);
            // Full becomes recyclable full: RocksDB alone would read this record for ever.
            flip(&copy.join(log.file_name().expect("a name")), at * 8 + 2);
            let refused = open(&copy).err();
            assert!(matches!(refused, Some(OpenError::Store(StoreError::Corrupt { .. }))), "byte {at}: {refused:?}");
            flipped += 1;
        }
    }
    assert!(flipped > 20, "only {flipped} records");
}

#[test]
fn a_log_cut_anywhere_is_told_and_without_the_mark_leaves_whole_heights() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (path, copy) = (directory.path().join("store"), directory.path().join("copy"));
    let chain = closed_store(&path, 12, 0);
    let log = files(&path, ".log").remove(0);
    let name = log.file_name().expect("a name");
    let length = fs::metadata(&log).expect("a file").len();
    let mut seen = vec![false; 13];
    for cut in (0..length).step_by(311) {
        copy_directory(&path, &copy);
        let file = fs::OpenOptions::new().write(true).open(copy.join(name)).expect("opens");
        file.set_len(cut).expect("cuts");
        let refused = open(&copy).err();
        assert!(
            matches!(refused, Some(OpenError::HeightsLost { acknowledged: 12, .. } | OpenError::Store(_))),
            "{cut} of {length} bytes: {refused:?}"
        );
        // A power cut may take the mark too. What remains are whole heights, or nothing at all.
        copy_directory(&path, &copy);
        let file = fs::OpenOptions::new().write(true).open(copy.join(name)).expect("opens");
        file.set_len(cut).expect("cuts");
        fs::write(copy.join("ACKNOWLEDGED"), b"").expect("empties");
        match open(&copy) {
            Ok(store) => {
                let heights = heights_of(&store);
                assert!(heights < 12);
                assert_eq!(chain.difference(&store.snapshot(), heights), Ok(None), "{cut} of {length} bytes");
                seen[heights] = true;
            }
            Err(error) => assert_eq!(error, OpenError::Store(StoreError::Corrupt { what: "meta" }), "{cut} bytes"),
        }
    }
    assert!(seen[..12].iter().all(|seen| *seen), "each number of heights was met: {seen:?}");
}
