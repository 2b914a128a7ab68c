//! What is checked when a store is opened. RocksDB has replayed its log by then.
//!
//! - The format version is this program's; the ledger is the one asked for.
//! - The head marker, and the header, block, certificate and transaction index of the newest heights agree and are linked.
//! - Nothing lies above the head, but rows of consensus for the next height.
//!
//! The number of heights is compared with the mark afterwards (`mark.rs`). Older heights are checked when they are read,
//! and all of them by [`RocksReader::check_all`](crate::RocksReader::check_all).

use sigeli_ledger::store::StoreError;
use sigeli_verifier::ids::{GenesisHash, Height};

use crate::{
    create::OpenError,
    database::{Database, Tip, View, next_height},
    snapshot::{check_height, corrupt, genesis, head},
    tables::{
        Blocks, BuiltBlocks, Certificates, ConsensusRows, FORMAT_VERSION, Format, HeadMarker, Headers, STATE, Table,
        Transactions, height_of,
    },
};

/// How many of the newest heights are read when the store is opened.
const HEIGHTS_CHECKED: u64 = 16;

/// Checks the store and finds its newest height.
pub(crate) fn check(database: &Database, expected: Option<GenesisHash>) -> Result<Option<Tip>, OpenError> {
    let view = database.view();
    check_format(&view)?;
    let tip = newest(&view)?;
    if let (Some(tip), Some(expected)) = (tip, expected)
        && tip.genesis != expected
    {
        return Err(OpenError::OtherLedger { found: tip.genesis, expected });
    }
    match tip {
        Some(tip) => check_newest_heights(&view, tip)?,
        None => check_empty(&view)?,
    }
    check_consensus_rows(&view, next_height(tip))?;
    Ok(tip)
}

fn check_format(view: &View<'_>) -> Result<(), OpenError> {
    let found = view.row::<Format, _>(&(), |row| Ok(row.version))?.ok_or(corrupt::<Format>())?;
    if found == FORMAT_VERSION { Ok(()) } else { Err(OpenError::FormatVersion { found, expected: FORMAT_VERSION }) }
}

fn newest(view: &View<'_>) -> Result<Option<Tip>, StoreError> {
    match (head(view)?, genesis(view)?) {
        (None, None) => Ok(None),
        (Some(head), Some(genesis)) if head.header.genesis == genesis => {
            Ok(Some(Tip { height: head.header.height, id: head.id, genesis }))
        }
        _ => Err(corrupt::<HeadMarker>()),
    }
}

fn check_newest_heights(view: &View<'_>, tip: Tip) -> Result<(), StoreError> {
    let mut parent = None;
    let first = tip.height.get().saturating_sub(HEIGHTS_CHECKED - 1);
    for height in (first..=tip.height.get()).map(Height::new) {
        let block = check_height(view, height, parent)?;
        if block.header.genesis != tip.genesis {
            return Err(corrupt::<Headers>());
        }
        parent = Some(block.header.id());
    }
    if parent != Some(tip.id) {
        return Err(corrupt::<HeadMarker>());
    }
    for family in [Blocks::NAME, Headers::NAME, Certificates::NAME] {
        if view.last_key(family)?.as_deref().and_then(height_of) != Some(tip.height) {
            return Err(StoreError::Corrupt { what: family });
        }
    }
    Ok(())
}

fn check_empty(view: &View<'_>) -> Result<(), StoreError> {
    for family in [Blocks::NAME, Headers::NAME, Certificates::NAME, Transactions::NAME, STATE] {
        if view.last_key(family)?.is_some() {
            return Err(StoreError::Corrupt { what: family });
        }
    }
    Ok(())
}

/// All rows of consensus are of the next height.
fn check_consensus_rows(view: &View<'_>, next: Height) -> Result<(), StoreError> {
    for family in [ConsensusRows::NAME, BuiltBlocks::NAME] {
        let mut first = None;
        view.scan(family, &[], None, |key, _| {
            first = Some(key.to_vec());
            Ok(core::ops::ControlFlow::Break(()))
        })?;
        for key in first.into_iter().chain(view.last_key(family)?) {
            if height_of(&key) != Some(next) {
                return Err(StoreError::Corrupt { what: family });
            }
        }
    }
    Ok(())
}
