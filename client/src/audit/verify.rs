//! Checking an export, alone and offline: against a trust file, and against nothing else.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use sigeli_verifier::{
    block::Block,
    history::Rfc9162,
    ids::{Height, HistoryRoot, TimeMs},
    trust::Trust,
};

use super::{
    chain::Chain,
    csv,
    directory::{Directory, Finish, Start},
    line::LINE_BYTES_MAX,
    scan::{self, Listener},
    tables::{Rows, Table},
    write::{AuditError, make_tables, read_small, system, tables_of},
};
use crate::files::FileError;

/// How many problems are kept; more are counted only.
pub const PROBLEMS_MAX: usize = 100;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name in the export's directory.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// The first problems, in order of file and line. None: the export is what the ledger's validators have confirmed.
    pub problems: Vec<Problem>,
    /// How many there are in all.
    pub problem_count: u64,
    /// Height and history root of the first block, as its line says.
    first: Option<(Height, HistoryRoot)>,
    /// First and last height.
    pub range: Option<(Height, Height)>,
    /// Time of the last block.
    pub time: Option<TimeMs>,
    /// How many blocks were read.
    pub blocks: u64,
    /// How many transactions were read.
    pub transactions: u64,
    /// Whether the tables were compared with the transactions. They are not when the transactions have problems.
    pub tables_compared: bool,
}

impl Checked {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.problem_count == 0
    }

    fn report(&mut self, file: &str, line: u64, what: impl Into<String>) {
        self.problem_count = self.problem_count.saturating_add(1);
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { file: file.to_owned(), line, what: what.into() });
        }
    }
}

/// What passes while the lines are read.
struct Lines<'a> {
    checked: &'a mut Checked,
}

impl Listener for Lines<'_> {
    fn problem(&mut self, line: u64, what: String) {
        self.checked.report(LEDGER, line, what);
    }

    fn block(&mut self, block: &Block) {
        let checked = &mut *self.checked;
        let height = block.header.height;
        checked.first.get_or_insert((height, block.header.history_root));
        checked.range = Some((checked.range.map_or(height, |(first, _)| first), height));
        checked.time = Some(block.header.time);
        checked.blocks = checked.blocks.saturating_add(1);
        let transactions = u64::try_from(block.transactions.len()).unwrap_or(u64::MAX);
        checked.transactions = checked.transactions.saturating_add(transactions);
    }
}

const START: &str = "start.json";
const LEDGER: &str = "ledger.jsonl";
const END: &str = "end.json";

/// Checks the export in a directory.
///
/// # Errors
/// [`AuditError::File`], [`AuditError::System`] when files cannot be read. What is wrong in them is no error.
pub fn verify(path: &Path, trust: &Trust) -> Result<Checked, AuditError> {
    let directory = Directory::new(path);
    let mut checked = Checked::default();
    let Some(start) = read_start(&directory, &mut checked)? else { return Ok(checked) };
    let Some(ledger) = trust.ledgers().iter().find(|ledger| ledger.genesis == start.genesis) else {
        checked.report(START, line_of(&start, "genesis"), "the trust file does not know this ledger");
        return Ok(checked);
    };
    let mut chain = Chain::behind(ledger, start.frontier.clone());
    let ledger_path = directory.ledger();
    let mut reader = BufReader::new(File::open(&ledger_path).map_err(system(&ledger_path))?);
    let end =
        scan::scan(&mut reader, &mut chain, &mut Lines { checked: &mut checked }).map_err(system(&ledger_path))?;
    if end.is_torn {
        checked.report(LEDGER, end.lines, "the file ends within a block");
    }
    check_first(&start, &mut checked);
    check_end(&directory, &chain, &mut checked)?;
    if checked.is_good()
        && let Some(time) = checked.time
    {
        let has_register = start.from == Height::new(0);
        let mut rows = ComparedRows::open(&directory, start.bom, has_register, &mut checked)?;
        match make_tables(&ledger_path, has_register, time, &mut rows) {
            Ok(()) => rows.finish()?,
            Err(AuditError::Impossible { height, index }) => {
                let what = format!("transaction {index} of block {height} speaks of something that is not there");
                rows.checked.report(LEDGER, 0, what);
            }
            Err(error) => return Err(error),
        }
        checked.tables_compared = true;
    }
    Ok(checked)
}

/// The line of a member of `start.json`.
fn line_of(start: &Start, member: &str) -> u64 {
    let text = start.text();
    let before = text.lines().take_while(|line| !line.trim_start().starts_with(&format!("\"{member}\"")));
    u64::try_from(before.count()).unwrap_or(u64::MAX).saturating_add(1)
}

fn read_start(directory: &Directory, checked: &mut Checked) -> Result<Option<Start>, AuditError> {
    let text = match read_small(&directory.start()) {
        Ok(text) => text,
        Err(AuditError::Damaged { line, what, .. }) => {
            checked.report(START, line, what);
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let start = Start::parse(&text);
    if start.is_none() {
        checked.report(START, 1, "it is not the beginning of an export as this program writes it");
    }
    Ok(start)
}

fn check_first(start: &Start, checked: &mut Checked) {
    let Some((first, root)) = checked.first else {
        checked.report(LEDGER, 1, "there is no block");
        return;
    };
    if first != start.from {
        checked.report(START, line_of(start, "from"), format!("the export begins with block {first}"));
    }
    if root != HistoryRoot::new(start.frontier.root::<Rfc9162>()) {
        let what = "the history log that it gives is not the one of the first block";
        checked.report(START, line_of(start, "history_peaks"), what);
    }
}

fn check_end(directory: &Directory, chain: &Chain<'_>, checked: &mut Checked) -> Result<(), AuditError> {
    let text = match read_small(&directory.end()) {
        Ok(text) => text,
        Err(AuditError::File(FileError::Missing { .. })) => {
            checked.report(END, 1, "it is missing: the export was not finished");
            return Ok(());
        }
        Err(AuditError::Damaged { line, what, .. }) => {
            checked.report(END, line, what);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let found = chain.last().zip(checked.range).map(|((id, time), (_, to))| Finish {
        to,
        id,
        time,
        blocks: checked.blocks,
        transactions: checked.transactions,
    });
    if Finish::parse(&text).is_none_or(|said| Some(said) != found) {
        checked.report(END, 1, "it does not say what the lines are");
    }
    if chain.confirmed().is_none() && checked.is_good() {
        checked.report(LEDGER, 1, "no block that a quorum has confirmed is there");
    }
    Ok(())
}

/// Compares rows with those of the files.
struct ComparedRows<'a> {
    checked: &'a mut Checked,
    files: Vec<TableFile>,
}

struct TableFile {
    table: Table,
    path: std::path::PathBuf,
    reader: BufReader<File>,
    line: u64,
}

impl TableFile {
    /// The next line, with its line feed, at most [`LINE_BYTES_MAX`] bytes.
    fn next(&mut self) -> Result<Vec<u8>, AuditError> {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut line);
        read.map_err(system(&self.path))?;
        self.line = self.line.saturating_add(1);
        Ok(line)
    }
}

impl<'a> ComparedRows<'a> {
    fn open(
        directory: &Directory,
        bom: bool,
        has_register: bool,
        checked: &'a mut Checked,
    ) -> Result<Self, AuditError> {
        let mut rows = Self { checked, files: Vec::new() };
        for table in tables_of(has_register) {
            let path = directory.file(table.file_name());
            let reader = match File::open(&path) {
                Ok(file) => BufReader::new(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    rows.checked.report(table.file_name(), 0, "the file is missing");
                    continue;
                }
                Err(error) => return Err(system(&path)(error)),
            };
            rows.files.push(TableFile { table: *table, path, reader, line: 0 });
            let head = if bom { csv::BOM.to_owned() + &table.head() } else { table.head() };
            rows.row(*table, &head)?;
        }
        Ok(rows)
    }

    /// Nothing may stand behind the last row.
    fn finish(mut self) -> Result<(), AuditError> {
        for file in &mut self.files {
            if !file.next()?.is_empty() {
                self.checked.report(
                    file.table.file_name(),
                    file.line,
                    "there are more rows than the transactions make",
                );
            }
        }
        Ok(())
    }
}

impl Rows for ComparedRows<'_> {
    type Error = AuditError;

    fn row(&mut self, table: Table, row: &str) -> Result<(), AuditError> {
        let Some(file) = self.files.iter_mut().find(|file| file.table == table) else { return Ok(()) };
        let line = file.next()?;
        if line != row.as_bytes() {
            self.checked.report(table.file_name(), file.line, "the row is not what the transactions make");
        }
        Ok(())
    }
}
