//! Creating and opening the database directory.
//!
//! A store is created beside its place and renamed into it when it is complete, so that a crash leaves none or a whole
//! one. An existing directory is never created anew: RocksDB would, when a file is missing, and the ledger would be gone.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rocksdb::{Cache, DB, DBRecoveryMode, LogLevel};
use sigeli_ledger::store::StoreError;
use sigeli_verifier::ids::GenesisHash;

use crate::{
    database::{Batch, Database},
    precheck,
    rows::FormatRow,
    tables::{FORMAT_VERSION, Format, descriptors},
};

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// The ledger that the store must belong to. `None` opens any, for tools that only look.
    pub genesis: Option<GenesisHash>,
    /// Whether to create the store when its directory is absent or empty.
    pub create: bool,
    /// Memory for cached blocks, indexes and filters of all tables together, in bytes.
    pub cache_bytes: usize,
    /// Memory for writes not yet in table files, of all tables together, in bytes.
    pub write_buffer_bytes: usize,
    /// Most files that RocksDB keeps open.
    pub files_open_max: i32,
}

impl Default for Options {
    /// Any ledger, created if absent, 64 MiB of cache, 64 MiB of write buffers, 512 files.
    fn default() -> Self {
        Self {
            genesis: None,
            create: true,
            cache_bytes: 64 * 1_024 * 1_024,
            write_buffer_bytes: 64 * 1_024 * 1_024,
            files_open_max: 512,
        }
    }
}

/// Why a store was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is no store in the directory, and none was to be created.
    #[error("there is no store at {path}")]
    Absent {
        /// The directory.
        path: PathBuf,
    },
    /// Another process, or another handle of this one, has the store open.
    #[error("the store at {path} is in use")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The store was written by a program with another format.
    #[error("the store has format version {found}; this program reads {expected}")]
    FormatVersion {
        /// The store's.
        found: u32,
        /// This program's.
        expected: u32,
    },
    /// The store belongs to another ledger.
    #[error("the store belongs to ledger {found}, not to {expected}")]
    OtherLedger {
        /// The store's.
        found: GenesisHash,
        /// The one asked for.
        expected: GenesisHash,
    },
    /// Heights that this store has acknowledged are gone: its log was damaged or cut, or older files were put back.
    #[error("the store has acknowledged {acknowledged} heights, but holds {found}")]
    HeightsLost {
        /// Number of heights once durable.
        acknowledged: u64,
        /// Number of heights found.
        found: u64,
    },
    /// The medium failed or the data is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the database at `path`, creating it if allowed.
pub(crate) fn open(path: &Path, options: &Options) -> Result<Database, OpenError> {
    if is_absent(path).map_err(|error| failed("looking for the store", &error))? {
        if !options.create {
            return Err(OpenError::Absent { path: path.to_owned() });
        }
        create(path, options)?;
    }
    precheck::check(path)?;
    open_rocks(path, options, false).map(Database::new)
}

fn is_absent(path: &Path) -> io::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().transpose()?.is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn create(path: &Path, options: &Options) -> Result<(), OpenError> {
    let mut name = path.file_name().unwrap_or(path.as_os_str()).to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    // What a crash has left of an earlier attempt was never a store.
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("removing an unfinished store", &error))?,
        _ => {}
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(|error| failed("creating the store's parent directory", &error))?;
    let database = Database::new(open_rocks(&new, options, true)?);
    let mut batch = Batch::new(&database);
    batch.put::<Format>(&(), &FormatRow { version: FORMAT_VERSION })?;
    database.write(batch)?;
    drop(database);
    // `rename` replaces an empty directory, and nothing else.
    fs::rename(&new, path).map_err(|error| failed("putting the new store into its place", &error))?;
    sync_directory(parent).map_err(|error| failed("syncing the store's parent directory", &error))?;
    Ok(())
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// An operating system's error in the port's terms.
pub(crate) fn failed(operation: &'static str, error: &io::Error) -> StoreError {
    StoreError::Io { operation, detail: error.to_string() }
}

fn open_rocks(path: &Path, options: &Options, create: bool) -> Result<DB, OpenError> {
    let cache = Cache::new_lru_cache(options.cache_bytes);
    let rocks = rocks_options(options, create);
    DB::open_cf_descriptors(&rocks, path, descriptors(&cache)).map_err(|error| {
        let detail = error.into_string();
        if detail.contains("/LOCK") {
            OpenError::Locked { path: path.to_owned() }
        } else if detail.starts_with("Corruption") {
            OpenError::Store(StoreError::Corrupt { what: "the database's files" })
        } else {
            OpenError::Store(StoreError::Io { operation: "opening the database", detail })
        }
    })
}

fn rocks_options(options: &Options, create: bool) -> rocksdb::Options {
    let mut rocks = rocksdb::Options::default();
    rocks.create_if_missing(create);
    rocks.create_missing_column_families(create);
    rocks.set_paranoid_checks(true);
    // A batch cut off at the log's end was never acknowledged and is dropped; damage before the end is an error. The
    // default would drop, without a word, all that follows the damage.
    rocks.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    rocks.set_recycle_log_file_num(0);
    rocks.set_track_and_verify_wals_in_manifest(true);
    rocks.set_db_write_buffer_size(options.write_buffer_bytes);
    // Bounds the time of recovery, and what rows of seldom written tables keep on the disk.
    rocks.set_max_total_wal_size(256 * 1_024 * 1_024);
    rocks.set_max_open_files(options.files_open_max);
    rocks.set_bytes_per_sync(1_024 * 1_024);
    rocks.set_log_level(LogLevel::Warn);
    rocks.set_keep_log_file_num(4);
    rocks.set_max_log_file_size(4 * 1_024 * 1_024);
    rocks.set_max_manifest_file_size(16 * 1_024 * 1_024);
    rocks.set_stats_dump_period_sec(0);
    rocks.set_stats_persist_period_sec(0);
    rocks
}
