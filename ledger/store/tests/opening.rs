//! What opening a store refuses, the death that all handles share, and the rows of consensus.

mod common;

use std::path::{Path, PathBuf};

use common::{Chain, GENESIS};
use rocksdb::{DB, WriteBatch};
use sigeli_ledger::store::{Snapshot, Store, StoreError, StoreReader};
use sigeli_store::{Census, ConsensusLog, LogRow, OpenError, Options, RocksStore};
use sigeli_verifier::ids::{GenesisHash, Height, Round, TransactionId};
use tempfile::TempDir;

/// Every column family, as a program that is not the store must name them.
const FAMILIES: [&str; 9] =
    ["blocks", "headers", "certificates", "transactions", "state", "meta", "consensus", "built", "evidence"];

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store");
    (directory, path)
}

fn open(path: &Path) -> Result<RocksStore, OpenError> {
    RocksStore::open(path, &Options::default())
}

/// A closed store with the first `heights` heights.
fn written(path: &Path, chain: &Chain, heights: usize) {
    let mut store = open(path).expect("the store opens");
    for commit in &chain.commits[..heights] {
        store.commit(commit.clone()).expect("the next height");
    }
}

/// Changes a closed store behind its back.
fn tamper(path: &Path, change: impl FnOnce(&DB, &mut WriteBatch)) {
    let rocks = rocksdb::Options::default();
    let database = DB::open_cf(&rocks, path, FAMILIES).expect("the database opens");
    let mut batch = WriteBatch::default();
    change(&database, &mut batch);
    database.write(batch).expect("writes");
}

fn key(height: u64) -> [u8; 8] {
    height.to_be_bytes()
}

#[test]
fn a_second_handle_is_refused_by_name() {
    let (_directory, path) = place();
    let store = open(&path).expect("the store opens");
    let reader = store.reader().clone();
    assert_eq!(open(&path).err(), Some(OpenError::Locked { path: path.clone() }));
    drop(store);
    assert_eq!(open(&path).err(), Some(OpenError::Locked { path: path.clone() }), "a reader keeps it open");
    drop(reader);
    open(&path).expect("closed with its last handle");
}

#[test]
fn another_ledger_is_refused() {
    let (_directory, path) = place();
    written(&path, &Chain::of(2), 2);
    let other = GenesisHash::new([1; 32]);
    let options = Options { genesis: Some(other), ..Options::default() };
    let refused = RocksStore::open(&path, &options).err();
    assert_eq!(refused, Some(OpenError::OtherLedger { found: GENESIS, expected: other }));
    assert_eq!(open(&path).expect("any ledger").reader().genesis(), Ok(Some(GENESIS)));
}

#[test]
fn a_store_is_created_whole_or_not_at_all() {
    let (directory, path) = place();
    let options = Options { create: false, ..Options::default() };
    assert_eq!(RocksStore::open(&path, &options).err(), Some(OpenError::Absent { path: path.clone() }));
    // What an interrupted creation leaves is no obstacle.
    std::fs::create_dir(directory.path().join("store.new")).expect("a directory");
    std::fs::write(directory.path().join("store.new/CURRENT"), b"unfinished").expect("writes");
    drop(open(&path).expect("creates"));
    assert!(!directory.path().join("store.new").exists());
    RocksStore::open(&path, &options).expect("is there now");
    // A store that has lost a file is not begun anew.
    written(&path, &Chain::of(2), 2);
    std::fs::remove_file(path.join("CURRENT")).expect("removes");
    assert!(matches!(open(&path).err(), Some(OpenError::Store(_))));
}

#[test]
fn damage_to_the_newest_heights_is_found_when_opening() {
    let chain = Chain::of(20);
    let indexed = chain.commits[15..].iter().find_map(|commit| commit.block.transactions.first());
    let indexed = indexed.expect("a transaction among the newest heights").id();
    type Change<'a> = Box<dyn Fn(&DB, &mut WriteBatch) + 'a>;
    let delete = |family: &'static str, key: Vec<u8>| -> Change<'_> {
        Box::new(move |database, batch| batch.delete_cf(database.cf_handle(family).expect("a family"), &key))
    };
    // A row that is whole, under another key.
    let copy = |family: &'static str, from: Vec<u8>, to: Vec<u8>| -> Change<'_> {
        Box::new(move |database, batch| {
            let handle = database.cf_handle(family).expect("a family");
            let row = database.get_cf(handle, &from).expect("reads").expect("a row");
            batch.put_cf(handle, &to, row);
        })
    };
    let put = |family: &'static str, key: Vec<u8>| -> Change<'_> {
        Box::new(move |database, batch| batch.put_cf(database.cf_handle(family).expect("a family"), &key, b"x"))
    };
    let changes: Vec<(&str, Change<'_>)> = vec![
        ("blocks", delete("blocks", key(19).to_vec())),
        ("blocks", delete("blocks", key(10).to_vec())),
        ("headers", delete("headers", key(19).to_vec())),
        ("headers", delete("headers", key(5).to_vec())),
        ("certificates", delete("certificates", key(19).to_vec())),
        ("transactions", delete("transactions", indexed.get().to_vec())),
        ("meta", delete("meta", b"head".to_vec())),
        ("meta", delete("meta", b"genesis".to_vec())),
        ("meta", delete("meta", b"format".to_vec())),
        ("headers", copy("headers", key(18).to_vec(), key(19).to_vec())),
        ("blocks", copy("blocks", key(19).to_vec(), key(20).to_vec())),
        ("headers", put("headers", key(20).to_vec())),
        ("certificates", put("certificates", key(1_000).to_vec())),
        ("consensus", put("consensus", [key(19), key(0)].concat())),
        ("consensus", put("consensus", [key(21), key(0)].concat())),
        ("built", put("built", [&key(21)[..], &[0; 4]].concat())),
        ("built", put("built", vec![1, 2])),
    ];
    for (number, (what, change)) in changes.iter().enumerate() {
        let (_directory, path) = place();
        written(&path, &chain, 20);
        tamper(&path, change);
        assert_eq!(open(&path).err(), Some(OpenError::Store(StoreError::Corrupt { what })), "change {number}");
    }
}

#[test]
fn older_damage_is_found_by_reading_everything() {
    let (_directory, path) = place();
    let chain = Chain::of(40);
    written(&path, &chain, 40);
    let store = open(&path).expect("the store opens");
    let transactions = chain.commits.iter().map(|commit| commit.block.transactions.len() as u64).sum();
    let state = store.snapshot().state_range(&[], &[], usize::MAX).expect("reads");
    let expected = Census {
        heights: 40,
        transactions,
        state_entries: state.len() as u64,
        state_bytes: state.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum(),
    };
    assert!(transactions > 20 && state.len() > 20);
    assert_eq!(store.reader().check_all(), Ok(expected));
    drop(store);
    tamper(&path, |database, batch| batch.delete_cf(database.cf_handle("certificates").expect("a family"), key(3)));
    let store = open(&path).expect("the newest heights are whole");
    let corrupt = StoreError::Corrupt { what: "certificates" };
    assert_eq!(store.reader().check_all(), Err(corrupt));
    assert_eq!(store.snapshot().head(), Err(StoreError::Dead));
}

#[test]
fn an_error_ends_every_handle() {
    let (_directory, path) = place();
    let chain = Chain::of(4);
    let mut store = open(&path).expect("the store opens");
    for commit in &chain.commits[..2] {
        store.commit(commit.clone()).expect("the next height");
    }
    let mut log = store.consensus_log().expect("a log");
    log.append(Height::new(2), 0, b"kept in memory").expect("appends");
    let reader = store.reader().clone();
    let early = reader.snapshot();
    assert!(store.commit(chain.commits[3].clone()).is_err());
    for snapshot in [&store.snapshot(), &early] {
        assert_eq!(snapshot.head(), Err(StoreError::Dead));
        assert_eq!(snapshot.state(b"a"), Err(StoreError::Dead));
        assert_eq!(snapshot.state_range(b"a", b"a", 1), Err(StoreError::Dead));
        assert_eq!(snapshot.block(Height::new(0)), Err(StoreError::Dead));
        assert_eq!(snapshot.header(Height::new(0)), Err(StoreError::Dead));
        assert_eq!(snapshot.transaction(&TransactionId::new([0; 32])), Err(StoreError::Dead));
    }
    assert_eq!(reader.genesis(), Err(StoreError::Dead));
    assert_eq!(reader.check_all(), Err(StoreError::Dead));
    assert_eq!(reader.checkpoint(&path.with_file_name("copy")), Err(StoreError::Dead));
    assert_eq!(log.sync(), Err(StoreError::Dead));
    assert_eq!(log.append(Height::new(2), 1, b""), Err(StoreError::Dead));
    assert_eq!(log.rows(), Err(StoreError::Dead));
    assert_eq!(log.put_built_block(Height::new(2), Round::new(0), b""), Err(StoreError::Dead));
    assert_eq!(log.built_block(Height::new(2), Round::new(0)), Err(StoreError::Dead));
    assert_eq!(store.consensus_log().err(), Some(StoreError::Dead));
}

#[test]
fn a_checkpoint_is_a_store_of_its_moment() {
    let (_directory, path) = place();
    let chain = Chain::of(12);
    let mut store = open(&path).expect("the store opens");
    for (commit, heights) in chain.commits.iter().zip(1_usize..) {
        store.commit(commit.clone()).expect("the next height");
        if heights % 4 == 0 {
            store.reader().checkpoint(&path.with_file_name(format!("copy {heights}"))).expect("copies");
        }
    }
    for heights in [4, 8, 12] {
        let mut copy = open(&path.with_file_name(format!("copy {heights}"))).expect("the copy opens");
        assert_eq!(chain.difference(&copy.snapshot(), heights), Ok(None));
        if let Some(next) = chain.commits.get(heights) {
            copy.commit(next.clone()).expect("the copy goes on");
        }
    }
    assert_eq!(chain.difference(&store.snapshot(), 12), Ok(None), "the original is untouched");
    assert!(store.reader().checkpoint(&path).is_err());
    store.snapshot().head().expect("a refused copy does not kill");
}

fn row(height: u64, sequence: u64, bytes: &[u8]) -> LogRow {
    LogRow { height: Height::new(height), sequence, bytes: bytes.to_vec() }
}

fn opened_with_log(path: &Path) -> (RocksStore, ConsensusLog) {
    let store = open(path).expect("the store opens");
    let log = store.consensus_log().expect("a log");
    (store, log)
}

#[test]
fn synced_rows_stay_and_unsynced_ones_do_not() {
    let (_directory, path) = place();
    written(&path, &Chain::of(1), 1);
    let (store, mut log) = opened_with_log(&path);
    let next = Height::new(1);
    log.append(next, 0, b"first").expect("appends");
    log.append(next, 1, b"").expect("appends");
    log.sync().expect("syncs");
    log.append(next, 2, b"unsynced").expect("appends");
    assert_eq!(log.rows(), Ok(vec![row(1, 0, b"first"), row(1, 1, b"")]));
    drop((store, log));
    let (store, mut log) = opened_with_log(&path);
    assert_eq!(log.rows(), Ok(vec![row(1, 0, b"first"), row(1, 1, b"")]));
    // The sequence goes on where the durable rows end.
    log.append(next, 2, b"third").expect("appends");
    log.sync().expect("syncs");
    log.sync().expect("nothing to sync");
    drop((store, log));
    let (_store, log) = opened_with_log(&path);
    assert_eq!(log.rows().map(|rows| rows.len()), Ok(3));
}

#[test]
fn a_row_in_the_place_of_another_replaces_it_and_all_after_it() {
    let (_directory, path) = place();
    let chain = Chain::of(2);
    written(&path, &chain, 1);
    let next = Height::new(1);
    let (store, mut log) = opened_with_log(&path);
    for sequence in 0..5 {
        log.append(next, sequence, b"old").expect("appends");
    }
    log.sync().expect("syncs");
    log.append(next, 5, b"never synced").expect("appends");
    log.append(next, 3, b"newer").expect("replaces");
    log.append(next, 2, b"new").expect("replaces");
    assert_eq!(log.rows().map(|rows| rows.len()), Ok(5), "not before the sync");
    drop((store, log));
    let (store, mut log) = opened_with_log(&path);
    assert_eq!(log.rows().map(|rows| rows.len()), Ok(5), "not before the sync");
    log.append(next, 3, b"newer").expect("replaces");
    log.append(next, 2, b"new").expect("replaces");
    log.append(next, 3, b"last").expect("appends");
    log.sync().expect("syncs");
    let expected = vec![row(1, 0, b"old"), row(1, 1, b"old"), row(1, 2, b"new"), row(1, 3, b"last")];
    assert_eq!(log.rows(), Ok(expected.clone()));
    drop((store, log));
    let (mut store, mut log) = opened_with_log(&path);
    assert_eq!(log.rows(), Ok(expected));
    // A replacement that a commit overtakes changes nothing of the next height.
    log.append(next, 0, b"overtaken").expect("replaces");
    store.commit(chain.commits[1].clone()).expect("the next height");
    log.append(Height::new(2), 0, b"next height").expect("appends");
    log.sync().expect("syncs");
    assert_eq!(log.rows(), Ok(vec![row(2, 0, b"next height")]));
}

#[test]
fn a_commit_deletes_the_rows_of_its_height() {
    let (_directory, path) = place();
    let chain = Chain::of(3);
    written(&path, &chain, 1);
    let (mut store, mut log) = opened_with_log(&path);
    for sequence in 0..300 {
        log.append(Height::new(1), sequence, &sequence.to_le_bytes()).expect("appends");
    }
    log.sync().expect("syncs");
    log.append(Height::new(1), 300, b"unsynced").expect("appends");
    assert_eq!(log.put_built_block(Height::new(1), Round::new(0), b"block"), Ok(true));
    assert_eq!(log.put_built_block(Height::new(1), Round::new(7), b"other"), Ok(true));
    store.commit(chain.commits[1].clone()).expect("the next height");
    assert_eq!(log.rows(), Ok(vec![]));
    assert_eq!(log.built_block(Height::new(1), Round::new(0)), Ok(None));
    assert_eq!(log.built_block(Height::new(1), Round::new(7)), Ok(None));
    // What comes too late is dropped, without an error and without a trace.
    log.sync().expect("syncs nothing");
    log.append(Height::new(1), 301, b"late").expect("drops");
    assert_eq!(log.put_built_block(Height::new(1), Round::new(8), b"late"), Ok(true));
    log.append(Height::new(2), 0, b"next height").expect("appends");
    log.sync().expect("syncs");
    assert_eq!(log.built_block(Height::new(1), Round::new(8)), Ok(None));
    drop((store, log));
    let (mut store, log) = opened_with_log(&path);
    assert_eq!(log.rows(), Ok(vec![row(2, 0, b"next height")]));
    store.commit(chain.commits[2].clone()).expect("the next height");
    assert_eq!(chain.difference(&store.snapshot(), 3), Ok(None));
}

#[test]
fn the_first_block_of_a_slot_stays() {
    let (_directory, path) = place();
    written(&path, &Chain::of(1), 1);
    let slot = (Height::new(1), Round::new(3));
    let (store, mut log) = opened_with_log(&path);
    assert_eq!(log.built_block(slot.0, slot.1), Ok(None));
    assert_eq!(log.put_built_block(slot.0, slot.1, b"first"), Ok(true));
    drop((store, log));
    let (_store, mut log) = opened_with_log(&path);
    assert_eq!(log.put_built_block(slot.0, slot.1, b"second"), Ok(false));
    assert_eq!(log.put_built_block(slot.0, slot.1, b"first"), Ok(true));
    assert_eq!(log.built_block(slot.0, slot.1), Ok(Some(b"first".to_vec())));
    assert_eq!(log.built_block(slot.0, Round::new(2)), Ok(None));
}

#[test]
fn rows_of_later_heights_are_refused_and_kill() {
    let refused = StoreError::OutOfOrder { given: Height::new(2), head: Height::new(0) };
    let (_directory, path) = place();
    written(&path, &Chain::of(1), 1);
    let (store, mut log) = opened_with_log(&path);
    assert_eq!(log.append(Height::new(2), 0, b""), Err(refused.clone()));
    assert_eq!(store.snapshot().head(), Err(StoreError::Dead));
    drop((store, log));
    let (store, mut log) = opened_with_log(&path);
    assert_eq!(log.put_built_block(Height::new(2), Round::new(0), b""), Err(refused));
    assert_eq!(store.snapshot().head(), Err(StoreError::Dead));
}

#[test]
fn a_gap_in_the_rows_is_damage() {
    for lost in 0..3_u64 {
        let (_directory, path) = place();
        written(&path, &Chain::of(1), 1);
        let (store, mut log) = opened_with_log(&path);
        for sequence in 0..4 {
            log.append(Height::new(1), sequence, b"row").expect("appends");
        }
        log.sync().expect("syncs");
        drop((store, log));
        let gone = [key(1), key(lost)].concat();
        tamper(&path, |database, batch| batch.delete_cf(database.cf_handle("consensus").expect("a family"), gone));
        let store = open(&path).expect("the store opens");
        assert_eq!(store.consensus_log().err(), Some(StoreError::Corrupt { what: "consensus" }), "row {lost}");
    }
}

#[test]
#[should_panic(expected = "numbered from 0 without gaps")]
fn a_sequence_out_of_order_is_a_mistake_of_the_caller() {
    let (_directory, path) = place();
    written(&path, &Chain::of(1), 1);
    let (_store, mut log) = opened_with_log(&path);
    log.append(Height::new(1), 1, b"").expect("panics");
}
