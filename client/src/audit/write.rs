//! Writing an export: block by block as they come, each checked before it is written, so that nothing false is ever kept.
//! An export that was cut off goes on where it stopped.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, BufWriter, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use sigeli_verifier::{
    block::Block,
    certificate::CommitCertificate,
    ids::{Height, TimeMs},
    trust::TrustedLedger,
};

use super::{
    chain::{Chain, ChainError},
    csv,
    directory::{Directory, Finish, SMALL_FILE_BYTES_MAX, Start},
    line::{self, BlockLine, Place},
    replay::Replay,
    scan::{self, Listener},
    tables::{self, Rows, Table, TableError},
};
use crate::files::{self, Access, FileError};

/// Why an export stops.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A small file cannot be read or written.
    #[error("{0}")]
    File(#[from] FileError),
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}; check the permissions and the free space, then try again", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A block is not the ledger's. Nothing of it was written.
    #[error("block {height} is refused: {error}")]
    Block {
        /// Its height.
        height: Height,
        /// Why.
        error: ChainError,
    },
    /// The directory holds another export.
    #[error("{} holds an export of another ledger, or one that begins elsewhere: choose another directory", path.display())]
    OtherExport {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds something else, or a damaged export.
    #[error("{}, line {line}: {what}. The export is damaged: choose another directory", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// No block of the range was written.
    #[error("there is no block to export")]
    Empty,
    /// A block holds a transaction that speaks of something that is not there.
    #[error("transaction {index} of block {height} speaks of something that no transaction before it made")]
    Impossible {
        /// The block.
        height: Height,
        /// The transaction's position.
        index: u64,
    },
}

pub(crate) fn system(path: &Path) -> impl FnOnce(io::Error) -> AuditError {
    let path = path.to_owned();
    move |source| AuditError::System { path, source }
}

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// The first height.
    pub from: Height,
    /// The last height.
    pub to: Height,
    /// Its time.
    pub time: TimeMs,
    /// How many blocks.
    pub blocks: u64,
    /// How many transactions.
    pub transactions: u64,
    /// Whether there are tables of institutions, permissions and batches: only when it begins at genesis.
    pub has_register: bool,
}

/// An export that is being written.
#[derive(Debug)]
pub struct Writer<'a> {
    directory: Directory,
    chain: Chain<'a>,
    genesis: sigeli_verifier::ids::GenesisHash,
    from: Height,
    bom: bool,
    out: Option<BufWriter<File>>,
    blocks: u64,
    transactions: u64,
}

/// Counts what passes, and keeps the first problem.
#[derive(Default)]
struct Resumed {
    problem: Option<(u64, String)>,
    blocks: u64,
    transactions: u64,
}

impl Listener for Resumed {
    fn problem(&mut self, line: u64, what: String) {
        self.problem.get_or_insert((line, what));
    }

    fn block(&mut self, block: &Block) {
        self.blocks = self.blocks.saturating_add(1);
        self.transactions = self.transactions.saturating_add(u64::try_from(block.transactions.len()).unwrap_or(0));
    }
}

impl<'a> Writer<'a> {
    /// Begins an export of the blocks from a height on, or goes on with the one in the directory. `bom` puts the mark of
    /// UTF-8 at the beginning of the tables.
    ///
    /// # Errors
    /// [`AuditError`]. A block that was written in part is written again; any other difference is damage, and refused.
    pub fn open(path: &Path, ledger: &'a TrustedLedger, from: Height, bom: bool) -> Result<Self, AuditError> {
        std::fs::create_dir_all(path).map_err(system(path))?;
        let directory = Directory::new(path);
        let new = |directory: Directory, chain| Self {
            directory,
            chain,
            genesis: ledger.genesis,
            from,
            bom,
            out: None,
            blocks: 0,
            transactions: 0,
        };
        let start = directory.start();
        if !start.exists() {
            if directory.ledger().exists() {
                return Err(AuditError::OtherExport { path: path.to_owned() });
            }
            return Ok(new(directory, Chain::new(ledger)));
        }
        let known = read_small(&start)?;
        let known = Start::parse(&known).filter(|known| (known.genesis, known.from) == (ledger.genesis, from));
        let known = known.ok_or_else(|| AuditError::OtherExport { path: path.to_owned() })?;
        let mut writer = new(directory, Chain::behind(ledger, known.frontier));
        writer.bom = known.bom;
        writer.resume()?;
        Ok(writer)
    }

    /// Reads what is there, cuts off what is not whole, and opens the file for more.
    fn resume(&mut self) -> Result<(), AuditError> {
        let path = self.directory.ledger();
        if !path.exists() {
            self.out = Some(self.create_ledger()?);
            return Ok(());
        }
        // The chain of a cut export must not have seen the block that is cut off: it is read twice.
        let whole = {
            let mut chain = self.chain.clone();
            let mut reader = BufReader::new(File::open(&path).map_err(system(&path))?);
            scan::scan(&mut reader, &mut chain, &mut Resumed::default()).map_err(system(&path))?.whole_bytes
        };
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(system(&path))?;
        file.set_len(whole).map_err(system(&path))?;
        let mut resumed = Resumed::default();
        let mut reader = BufReader::new(&file);
        scan::scan(&mut reader, &mut self.chain, &mut resumed).map_err(system(&path))?;
        if let Some((line, what)) = resumed.problem {
            return Err(AuditError::Damaged { path, line, what });
        }
        (self.blocks, self.transactions) = (resumed.blocks, resumed.transactions);
        let mut file = file;
        file.seek(io::SeekFrom::End(0)).map_err(system(&path))?;
        self.out = Some(BufWriter::new(file));
        Ok(())
    }

    fn create_ledger(&self) -> Result<BufWriter<File>, AuditError> {
        let path = self.directory.ledger();
        let file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(system(&path))?;
        Ok(BufWriter::new(file))
    }

    /// The height of the block that is due. Blocks before the first one exported are due too: the history log begins with
    /// genesis.
    #[must_use]
    pub const fn next(&self) -> Height {
        self.chain.next()
    }

    /// Takes the next block.
    ///
    /// # Errors
    /// [`AuditError::Block`] when it is not the ledger's next one; the export is then of no further use until it is opened
    /// again. [`AuditError::System`], [`AuditError::File`].
    pub fn take(&mut self, block: &Block, certificate: &CommitCertificate) -> Result<(), AuditError> {
        let height = block.header.height;
        if height == self.from && self.out.is_none() {
            self.begin()?;
        }
        if let Some(error) = self.chain.take(block, certificate).into_iter().next() {
            return Err(AuditError::Block { height, error });
        }
        let path = self.directory.ledger();
        let Some(out) = &mut self.out else { return Ok(()) };
        let mut write = |text: String| writeln!(out, "{text}").map_err(system(&path));
        write(BlockLine::of(block, certificate).plain().line())?;
        for (index, signed) in (0..).zip(&block.transactions) {
            let place = Place { height, time: block.header.time, index };
            write(line::transaction(place, signed).line())?;
            self.transactions = self.transactions.saturating_add(1);
        }
        self.blocks = self.blocks.saturating_add(1);
        Ok(())
    }

    fn begin(&mut self) -> Result<(), AuditError> {
        let frontier = self.chain.frontier().clone();
        let start = Start { genesis: self.genesis, from: self.from, frontier, bom: self.bom };
        files::create(&self.directory.start(), start.text().as_bytes(), Access::Everyone)?;
        self.out = Some(self.create_ledger()?);
        Ok(())
    }

    /// Makes the export durable and writes its tables and its end.
    ///
    /// # Errors
    /// [`AuditError::Empty`] when it holds no block that a quorum has confirmed, [`AuditError::Impossible`],
    /// [`AuditError::System`], [`AuditError::File`].
    pub fn finish(mut self) -> Result<Exported, AuditError> {
        let path = self.directory.ledger();
        let last = self.chain.last().filter(|_| self.blocks > 0);
        let (Some(out), Some((id, time)), Some(to)) = (self.out.take(), last, self.chain.confirmed()) else {
            return Err(AuditError::Empty);
        };
        let file = out.into_inner().map_err(|error| system(&path)(error.into_error()))?;
        file.sync_all().map_err(system(&path))?;
        let from = self.from;
        let has_register = from == Height::new(0);
        let mut rows = WrittenRows::create(&self.directory, self.bom, has_register)?;
        make_tables(&path, has_register, time, &mut rows)?;
        rows.publish(&self.directory)?;
        let (blocks, transactions) = (self.blocks, self.transactions);
        let end = Finish { to, id, time, blocks, transactions };
        files::replace(&self.directory.end(), end.text().as_bytes(), Access::Everyone)?;
        Ok(Exported { from, to, time, blocks, transactions, has_register })
    }
}

pub(crate) fn read_small(path: &Path) -> Result<String, AuditError> {
    let bytes = files::read(path, SMALL_FILE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| AuditError::Damaged {
        path: path.to_owned(),
        line: 1,
        what: "it is not UTF-8".to_owned(),
    })
}

/// Makes all rows of all tables out of `ledger.jsonl`, which was checked. Reads it twice: what became of a batch is known
/// at the end only.
pub(crate) fn make_tables<R: Rows<Error = AuditError>>(
    ledger: &Path,
    has_register: bool,
    last: TimeMs,
    rows: &mut R,
) -> Result<(), AuditError> {
    enum Stop {
        Io(io::Error),
        Audit(AuditError),
    }
    impl From<io::Error> for Stop {
        fn from(error: io::Error) -> Self {
            Self::Io(error)
        }
    }
    let stopped = |stop| match stop {
        Stop::Io(error) => system(ledger)(error),
        Stop::Audit(error) => error,
    };
    let open = || File::open(ledger).map(BufReader::new).map_err(system(ledger));
    let impossible = |place: Place| Stop::Audit(AuditError::Impossible { height: place.height, index: place.index });

    let mut end = Replay::default();
    scan::transactions(&mut open()?, &mut |place, signed| {
        rows.row(Table::Transactions, &tables::transaction_row(place, signed)).map_err(Stop::Audit)?;
        if has_register {
            end.apply(place.height, place.time, signed).map_err(|_| impossible(place))?;
        }
        Ok(())
    })
    .map_err(stopped)?;
    if !has_register {
        return Ok(());
    }
    tables::register_rows(&end, last, rows).map_err(|error| match error {
        TableError::Impossible { height, index } => AuditError::Impossible { height, index },
        TableError::Rows(error) => error,
    })?;
    let mut replay = Replay::default();
    scan::transactions(&mut open()?, &mut |place, signed| {
        let numbers = replay.apply(place.height, place.time, signed).map_err(|_| impossible(place))?;
        match tables::batch_row(place, signed, numbers, &end) {
            Some(row) => rows.row(Table::Batches, &row).map_err(Stop::Audit),
            None => Ok(()),
        }
    })
    .map_err(stopped)
}

/// The tables that an export has.
pub(crate) fn tables_of(has_register: bool) -> &'static [Table] {
    if has_register { &Table::ALL } else { &[Table::Transactions] }
}

/// Writes tables under names of their own, which they lose when all are whole.
struct WrittenRows {
    files: Vec<(Table, PathBuf, BufWriter<File>)>,
}

impl WrittenRows {
    fn create(directory: &Directory, bom: bool, has_register: bool) -> Result<Self, AuditError> {
        let files = tables_of(has_register).iter().map(|table| {
            let path = directory.file(&format!("{}.partial", table.file_name()));
            let mut file = BufWriter::new(File::create(&path).map_err(system(&path))?);
            let head = if bom { csv::BOM.to_owned() + &table.head() } else { table.head() };
            file.write_all(head.as_bytes()).map_err(system(&path))?;
            Ok((*table, path, file))
        });
        Ok(Self { files: files.collect::<Result<_, AuditError>>()? })
    }

    fn publish(self, directory: &Directory) -> Result<(), AuditError> {
        for (table, path, file) in self.files {
            let file = file.into_inner().map_err(|error| system(&path)(error.into_error()))?;
            file.sync_all().map_err(system(&path))?;
            std::fs::rename(&path, directory.file(table.file_name())).map_err(system(&path))?;
        }
        let path = directory.path();
        File::open(path).and_then(|directory| directory.sync_all()).map_err(system(path))
    }
}

impl Rows for WrittenRows {
    type Error = AuditError;

    fn row(&mut self, table: Table, row: &str) -> Result<(), AuditError> {
        match self.files.iter_mut().find(|(known, ..)| *known == table) {
            Some((_, path, file)) => file.write_all(row.as_bytes()).map_err(system(path)),
            None => Ok(()),
        }
    }
}
