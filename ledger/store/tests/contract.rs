//! The contract of the ledger's storage ports: one suite, run on every store.

mod common;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use common::Chain;
use sigeli_ledger::{
    memory::{Medium, MemoryStore},
    store::{HeightCommit, Snapshot, Store, StoreError, StoreReader},
};
use sigeli_store::{Options, RocksStore};
use sigeli_verifier::ids::Height;
use tempfile::TempDir;

/// A kind of store, and the place where one lies.
trait Place {
    type Store: Store;
    /// An empty place.
    fn new() -> Self;
    /// Opens the store, whatever was committed to it before.
    fn open(&self) -> Self::Store;
}

struct RocksPlace {
    path: PathBuf,
    _directory: TempDir,
}

impl Place for RocksPlace {
    type Store = RocksStore;

    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self { path: directory.path().join("store"), _directory: directory }
    }

    fn open(&self) -> RocksStore {
        let options = Options { genesis: Some(common::GENESIS), ..Options::default() };
        RocksStore::open(&self.path, &options).expect("the store opens")
    }
}

struct MemoryPlace(Medium);

impl Place for MemoryPlace {
    type Store = MemoryStore;

    fn new() -> Self {
        Self(Medium::new())
    }

    fn open(&self) -> MemoryStore {
        MemoryStore::open(self.0.clone())
    }
}

macro_rules! suite {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $name() { super::$name::<super::MemoryPlace>(); })+
        }
        mod rocks {
            $(#[test] fn $name() { super::$name::<super::RocksPlace>(); })+
        }
    };
}

suite!(
    an_empty_store_holds_nothing_and_takes_genesis_first,
    what_was_committed_is_there_after_each_reopening,
    heights_out_of_order_are_refused_and_kill,
    a_snapshot_stays_while_commits_go_on,
    threads_see_whole_heights_while_commits_go_on,
    ranges_of_state_are_paged,
    entries_with_empty_keys_and_values_are_kept,
);

fn assert_holds(store: &impl Store, chain: &Chain, heights: usize) {
    assert_eq!(chain.difference(&store.snapshot(), heights), Ok(None), "at {heights} heights");
}

fn an_empty_store_holds_nothing_and_takes_genesis_first<P: Place>() {
    let place = P::new();
    let mut chain = Chain::default();
    assert_holds(&place.open(), &chain, 0);
    let mut store = place.open();
    store.commit(chain.grow()).expect("genesis");
    assert_holds(&store, &chain, 1);
    let head = store.snapshot().head().expect("reads").expect("a head");
    assert_eq!((head.header.height, head.history.size()), (Height::new(0), 1));
}

fn what_was_committed_is_there_after_each_reopening<P: Place>() {
    let place = P::new();
    let mut chain = Chain::default();
    // Reopened after 0, 1, 3, 6, 10 .. heights: logs of different lengths are replayed.
    for pause in 0..9 {
        let mut store = place.open();
        assert_holds(&store, &chain, chain.commits.len());
        for _ in 0..pause {
            store.commit(chain.grow()).expect("the next height");
        }
        assert_holds(&store, &chain, chain.commits.len());
    }
    assert_holds(&place.open(), &chain, 36);
}

fn heights_out_of_order_are_refused_and_kill<P: Place>() {
    let chain = Chain::of(6);
    let give = |at: usize| -> HeightCommit { chain.commits[at].clone() };
    // Heights committed before, the one given, the head that the error names.
    for (before, given, head) in [(0, 1, 0), (3, 2, 2), (3, 0, 2), (3, 4, 2), (3, 5, 2), (1, 0, 0)] {
        let place = P::new();
        let mut store = place.open();
        for at in 0..before {
            store.commit(give(at)).expect("the next height");
        }
        let refused = store.commit(give(given));
        let expected = StoreError::OutOfOrder { given: Height::new(given as u64), head: Height::new(head) };
        assert_eq!(refused, Err(expected), "{given} after {before} heights");
        assert_eq!(store.commit(give(before)), Err(StoreError::Dead), "the right height comes too late");
        drop(store);
        // Nothing of it was written.
        assert_holds(&place.open(), &chain, before);
    }
}

fn a_snapshot_stays_while_commits_go_on<P: Place>() {
    let place = P::new();
    let mut store = place.open();
    let reader = store.reader().clone();
    let chain = Chain::of(40);
    let mut snapshots = vec![reader.snapshot()];
    for commit in &chain.commits {
        store.commit(commit.clone()).expect("the next height");
        snapshots.push(reader.snapshot());
    }
    for (heights, snapshot) in snapshots.iter().enumerate() {
        assert_eq!(chain.difference(snapshot, heights), Ok(None), "snapshot after {heights} heights");
    }
}

fn threads_see_whole_heights_while_commits_go_on<P: Place>() {
    let place = P::new();
    let mut store = place.open();
    let chain = Chain::of(60);
    let (is_done, readings) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let reader = store.reader().clone();
            let (chain, is_done, readings) = (&chain, &is_done, &readings);
            scope.spawn(move || {
                let mut newest = 0;
                loop {
                    let is_last = is_done.load(Ordering::SeqCst);
                    let snapshot = reader.snapshot();
                    let head = snapshot.head().expect("reads");
                    let heights = head.map_or(0, |head| head.header.height.get() + 1);
                    assert!(heights >= newest, "heights never go back");
                    newest = heights;
                    let heights = usize::try_from(heights).expect("few heights");
                    assert_eq!(chain.difference(&snapshot, heights), Ok(None));
                    readings.fetch_add(1, Ordering::SeqCst);
                    if is_last {
                        assert_eq!(heights, 60, "the last commit is seen by a snapshot taken after it");
                        return;
                    }
                }
            });
        }
        for commit in &chain.commits {
            store.commit(commit.clone()).expect("the next height");
        }
        is_done.store(true, Ordering::SeqCst);
    });
    assert!(readings.load(Ordering::SeqCst) >= 2);
}

fn ranges_of_state_are_paged<P: Place>() {
    let place = P::new();
    let mut store = place.open();
    let mut genesis = Chain::default().grow();
    let entries: Vec<(Vec<u8>, Vec<u8>)> =
        [&b"a"[..], b"a\x00", b"ab", b"abc", b"a\xFF", b"b", b"\xFF", b"\xFF\xFF\x01"]
            .iter()
            .map(|key| (key.to_vec(), [b"value of ", *key].concat()))
            .collect();
    genesis.state = entries.iter().cloned().map(|(key, value)| (key, Some(value))).collect();
    store.commit(genesis).expect("genesis");
    let snapshot = store.snapshot();
    let range = |prefix: &[u8], from: &[u8], limit| snapshot.state_range(prefix, from, limit).expect("reads");
    assert_eq!(range(b"a", b"a", 100), entries[..5]);
    assert_eq!(range(b"a", b"ab", 100), entries[2..5]);
    assert_eq!(range(b"a", b"aa", 2), entries[2..4]);
    assert_eq!(range(b"ab", b"ab", 100), entries[2..4]);
    assert_eq!(range(b"a", b"a", 0), []);
    assert_eq!(range(b"a", b"a\xFF\xFF", 100), []);
    assert_eq!(range(b"c", b"c", 100), []);
    assert_eq!(range(b"\xFF", b"\xFF", 100), entries[6..]);
    assert_eq!(range(b"\xFF\xFF", b"\xFF\xFF", 100), entries[7..]);
    assert_eq!(range(b"", b"", 100), entries);
    // Page by page, from the key after the last one, gives all.
    for limit in 1..=9 {
        let (mut pages, mut from) = (Vec::new(), Vec::new());
        loop {
            let page = range(b"", &from, limit);
            let Some((last, _)) = page.last() else { break };
            from = [&last[..], &[0]].concat();
            assert!(page.len() <= limit);
            pages.extend(page);
        }
        assert_eq!(pages, entries, "pages of {limit}");
    }
}

fn entries_with_empty_keys_and_values_are_kept<P: Place>() {
    let place = P::new();
    let mut store = place.open();
    let mut chain = Chain::default();
    let mut genesis = chain.grow();
    genesis.state = [(vec![], Some(vec![1])), (vec![5], Some(vec![]))].into();
    store.commit(genesis).expect("genesis");
    assert_eq!(store.snapshot().state(&[]), Ok(Some(vec![1])));
    assert_eq!(store.snapshot().state(&[5]), Ok(Some(vec![])));
    let mut second = chain.grow();
    second.state = [(vec![], None), (vec![5], None), (vec![6], None)].into();
    store.commit(second).expect("the next height");
    assert_eq!(store.snapshot().state_range(&[], &[], 10), Ok(vec![]));
}
