//! One block: executed, and executed and committed by RocksDB, synced to a real disk.
//!
//! - `ledger::execute`: what a validator does before it votes, over a store in memory. `signatures=unseen` is a block of
//!   transactions that this node has never met; `signatures=seen` is the usual case, where the pool has verified them.
//! - `store::execute_and_commit`: the whole height, from the proposer's candidates to the acknowledgement: transactions unseen,
//!   certificate verified, one synced batch. `store::commit` is its second half alone.
//! - `ledger::execute/held=…`: how the cost of a block grows with the register that it writes into.
//! - `store::one/…`: the cost of one transaction, over RocksDB, as the register that it reads and writes grows: an anchor among
//!   batches, a revocation among one institution's statuses. `SIGELI_BENCH_LARGE=1` goes on to 1,000,000.
//!
//! Beside them the bare signatures, and the bare append and sync of a file as long as the block.

use std::{
    fs::File,
    hint::black_box,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput, measurement::WallTime};
use sigeli_benches::{primitives::BareSignatures, random::Random, world::World};
use sigeli_ledger::{check::SignatureMemory, execute::execute, memory::MemoryStore, store::Store};
use sigeli_store::{Options, RocksStore};
use sigeli_verifier::{encode::Encode as _, ids::InstitutionId, transaction::SignedTransaction};

const ANCHORS: [usize; 3] = [1, 100, 1_000];
const HELD: [usize; 3] = [1_000, 10_000, 100_000];
const INSTITUTIONS: u32 = 100;
/// Anchors in the blocks that are executed over growing registers.
const ANCHORS_GROWING: usize = 100;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    execution(&mut criterion);
    growth(&mut criterion);
    one_as_it_grows(&mut criterion);
    commits(&mut criterion);
    criterion.final_summary();
}

fn configure(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    group.sampling_mode(SamplingMode::Flat);
}

/// Executes a block over the head, as a validator that was sent it. Nothing is kept.
fn execute_over_head<S: Store>(world: &World<S>, transactions: &[SignedTransaction], seen: &mut SignatureMemory) {
    let snapshot = world.chain().snapshot();
    black_box(execute(&snapshot, world.context(), transactions, seen).expect("the workload is valid"));
}

fn execution(criterion: &mut Criterion) {
    let mut world = World::found(MemoryStore::new(), INSTITUTIONS, 1);
    world.fill_batches(HELD[0]);
    let mut group = criterion.benchmark_group("ledger");
    configure(&mut group);
    for count in ANCHORS {
        let transactions = world.anchors(count);
        group.throughput(Throughput::Elements(u64::try_from(count).expect("small")));
        group.bench_function(format!("execute/anchors={count},signatures=unseen"), |bencher| {
            bencher.iter(|| execute_over_head(&world, &transactions, &mut SignatureMemory::new()));
        });
        group.bench_function(format!("execute/anchors={count},signatures=seen"), |bencher| {
            let mut seen = SignatureMemory::new();
            bencher.iter(|| execute_over_head(&world, &transactions, &mut seen));
        });
        let bare = BareSignatures::draw(count, &mut Random::new(2));
        group.bench_function(format!("bare_signatures/count={count}"), |bencher| {
            bencher.iter(|| assert!(black_box(&bare).verify()));
        });
    }
    group.finish();
}

fn growth(criterion: &mut Criterion) {
    let mut world = World::found(MemoryStore::new(), INSTITUTIONS, 3);
    let mut group = criterion.benchmark_group("ledger");
    configure(&mut group);
    group.throughput(Throughput::Elements(u64::try_from(ANCHORS_GROWING).expect("small")));
    for held in HELD {
        world.fill_batches(held - ANCHORS_GROWING);
        let transactions = world.anchors(ANCHORS_GROWING);
        group.bench_function(format!("execute/held={held},anchors={ANCHORS_GROWING},signatures=seen"), |bencher| {
            let mut seen = SignatureMemory::new();
            bencher.iter(|| execute_over_head(&world, &transactions, &mut seen));
        });
        world.commit_all(transactions);
    }
    group.finish();
}

/// Registers of so many records, and of 1,000,000 when asked for.
fn held_growing() -> Vec<usize> {
    let large = std::env::var_os("SIGELI_BENCH_LARGE").is_some();
    HELD.into_iter().chain(large.then_some(1_000_000)).collect()
}

/// One transaction of known signature over a register that grows. Batches stand in one register for all institutions,
/// statuses in their institution's own: each grows alone.
fn one_as_it_grows(criterion: &mut Criterion) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's directory can be written");
    let open =
        |name: &str| RocksStore::open(&directory.path().join(name), &Options::default()).expect("the store opens");
    let mut group = criterion.benchmark_group("store");
    configure(&mut group);
    let mut world = World::found(open("batches"), INSTITUTIONS, 5);
    for held in held_growing() {
        world.fill_batches(held);
        let one = world.anchors(1);
        one_over_head(&mut group, &format!("one/anchor,batches={held}"), &world, &one);
        // The drawn anchor was counted: it is made, so that the register holds what it says.
        world.commit_all(one);
    }
    let mut world = World::found(open("statuses"), 1, 6);
    let mut filled = 0;
    for held in held_growing() {
        world.fill_statuses(held - filled);
        filled = held;
        let one = world.revocations(InstitutionId::new(1), 1);
        one_over_head(&mut group, &format!("one/revocation,statuses={held}"), &world, &one);
    }
    group.finish();
}

fn one_over_head<S: Store>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    world: &World<S>,
    one: &[SignedTransaction],
) {
    group.throughput(Throughput::Elements(1));
    group.bench_function(name, |bencher| {
        let mut seen = SignatureMemory::new();
        bencher.iter(|| execute_over_head(world, one, &mut seen));
    });
}

fn commits(criterion: &mut Criterion) {
    // On the disk that holds the build, and not in a temporary directory that may be memory.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's directory can be written");
    let store = RocksStore::open(&directory.path().join("store"), &Options::default()).expect("the store opens");
    let mut world = World::found(store, INSTITUTIONS, 4);
    world.fill_batches(HELD[0]);
    let mut group = criterion.benchmark_group("store");
    configure(&mut group);
    for count in ANCHORS {
        group.throughput(Throughput::Elements(u64::try_from(count).expect("small")));
        group.bench_function(format!("execute_and_commit/anchors={count}"), |bencher| {
            bencher.iter_custom(|heights| (0..heights).map(|_| height(&mut world, count).whole()).sum());
        });
        group.bench_function(format!("commit/anchors={count}"), |bencher| {
            bencher.iter_custom(|heights| (0..heights).map(|_| height(&mut world, count).commit).sum());
        });
        let block = vec![7; height(&mut world, count).block_bytes];
        group.bench_function(format!("bare_append_and_sync/bytes={}", block.len()), |bencher| {
            let mut file = file(directory.path());
            bencher.iter(|| {
                file.write_all(black_box(&block)).expect("the disk is not full");
                file.sync_data().expect("the disk works");
            });
        });
    }
    group.finish();
}

fn file(directory: &Path) -> File {
    let path = directory.join("appended");
    File::options().create(true).append(true).open(path).expect("the directory can be written")
}

/// What one height took.
struct Taken {
    execute: Duration,
    commit: Duration,
    block_bytes: usize,
}

impl Taken {
    fn whole(&self) -> Duration {
        self.execute + self.commit
    }
}

/// One more height with this many new anchors. Signing, by institutions and validators, is not the node's work and not taken
/// into account.
fn height<S: Store>(world: &mut World<S>, count: usize) -> Taken {
    let transactions = world.anchors(count);
    let begun = Instant::now();
    let executed = world.execute(transactions);
    let execute = begun.elapsed();
    let block_bytes = executed.block().to_bytes().len();
    let certificate = world.certificate(&executed, 3);
    let begun = Instant::now();
    world.commit(executed, certificate);
    Taken { execute, commit: begun.elapsed(), block_bytes }
}
