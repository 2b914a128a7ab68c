//! The files of an export, and the two small ones that say where it begins and ends.

use std::path::{Path, PathBuf};

use sigeli_verifier::{
    history::Frontier,
    ids::{BlockId, GenesisHash, Height, TimeMs},
};

use crate::{
    query::{plain::Plain, words},
    values::parse_time,
};

/// The format's name and version.
const FORMAT: &str = "sigeli-audit-1";
/// Largest of the two small files, in bytes.
pub(crate) const SMALL_FILE_BYTES_MAX: u64 = 64 * 1_024;

/// The paths of an export's files.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    path: PathBuf,
}

impl Directory {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn start(&self) -> PathBuf {
        self.path.join("start.json")
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.path.join("ledger.jsonl")
    }

    pub(crate) fn end(&self) -> PathBuf {
        self.path.join("end.json")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Where an export begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) genesis: GenesisHash,
    pub(crate) from: Height,
    /// The log over all blocks before.
    pub(crate) frontier: Frontier,
    /// Whether the tables begin with the mark of UTF-8.
    pub(crate) bom: bool,
}

impl Start {
    pub(crate) fn text(&self) -> String {
        Plain::object([
            ("format", FORMAT.into()),
            ("genesis", Plain::text(self.genesis)),
            ("from", self.from.get().into()),
            ("history_peaks", Plain::list(self.frontier.peaks().iter().map(hex::encode))),
            ("byte_order_mark", self.bom.into()),
        ])
        .pretty()
    }

    /// Reads what [`Self::text`] writes, and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let from = value.get("from")?.as_u64()?;
        let peaks = value.get("history_peaks")?.as_array()?.iter().map(|peak| digest(peak.as_str()?));
        let start = Self {
            genesis: GenesisHash::new(digest(value.get("genesis")?.as_str()?)?),
            from: Height::new(from),
            frontier: Frontier::from_parts(from, peaks.collect::<Option<Vec<_>>>()?)?,
            bom: value.get("byte_order_mark")?.as_bool()?,
        };
        (start.text() == text).then_some(start)
    }
}

/// Where an export ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finish {
    pub(crate) to: Height,
    pub(crate) id: BlockId,
    pub(crate) time: TimeMs,
    pub(crate) blocks: u64,
    pub(crate) transactions: u64,
}

impl Finish {
    pub(crate) fn text(&self) -> String {
        Plain::object([
            ("format", FORMAT.into()),
            ("to", self.to.get().into()),
            ("id", Plain::text(self.id)),
            ("time", words::time(self.time)),
            ("blocks", self.blocks.into()),
            ("transactions", self.transactions.into()),
        ])
        .pretty()
    }

    /// Reads what [`Self::text`] writes, and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let end = Self {
            to: Height::new(value.get("to")?.as_u64()?),
            id: BlockId::new(digest(value.get("id")?.as_str()?)?),
            time: parse_time(value.get("time")?.as_str()?).ok()?,
            blocks: value.get("blocks")?.as_u64()?,
            transactions: value.get("transactions")?.as_u64()?,
        };
        (end.text() == text).then_some(end)
    }
}

fn digest(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}
