//! Issuing: the tree over a batch, and the leaf of each document, beside the bare hashes.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput};
use sigeli_benches::{primitives::bare_compressions, random::Random};
use sigeli_verifier::{
    batch::{BatchTree, node},
    credential::{Profile, document_digest, leaf_commitment, status_handle},
    ids::{Leaf, LeafIndex, Salt},
};

const HEIGHTS: [u32; 3] = [10, 14, 17];
const DOCUMENT_BYTES: usize = 4_096;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    tree(&mut criterion);
    leaves(&mut criterion);
    criterion.final_summary();
}

fn tree(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batch");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for height in HEIGHTS {
        let count = 1_u32 << height;
        let mut random = Random::new(height.into());
        let leaves: Vec<_> = (0..count).map(|_| Leaf::new(random.bytes())).collect();
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function(format!("build_tree/leaves={count}"), |bencher| {
            bencher.iter(|| BatchTree::new(black_box(&leaves)).expect("a power of two"));
        });
        // One hash per inner node, over the same pairs as the lowest level, so that memory is read as the tree reads it.
        let (pairs, _) = leaves.as_chunks::<2>();
        let pairs: Vec<_> = pairs.iter().map(|[left, right]| [left.get(), right.get()]).collect();
        group.bench_function(format!("bare_compressions/count={}", count - 1), |bencher| {
            bencher.iter(|| {
                for [left, right] in pairs.iter().chain(&pairs).skip(1) {
                    black_box(node(left, right));
                }
            });
        });
    }
    let count = 1_u32 << 17;
    let mut random = Random::new(17);
    let leaves: Vec<_> = (0..count).map(|_| Leaf::new(random.bytes())).collect();
    let tree = BatchTree::new(&leaves).expect("a power of two");
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("path/leaves={count}"), |bencher| {
        let mut index = 0;
        bencher.iter(|| {
            index = (index + 40_503) % count;
            tree.path(LeafIndex::new(index)).expect("the index lies inside")
        });
    });
    group.finish();
}

fn leaves(criterion: &mut Criterion) {
    let mut random = Random::new(3);
    let (document, salt) = (random.document(DOCUMENT_BYTES), Salt::new(random.bytes()));
    let mut group = criterion.benchmark_group("batch");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Bytes(u64::try_from(DOCUMENT_BYTES).expect("small")));
    group.bench_function(format!("leaf_and_handle/document_bytes={DOCUMENT_BYTES}"), |bencher| {
        bencher.iter(|| {
            let leaf = leaf_commitment(Profile::Raw, &salt, &document_digest(Profile::Raw, black_box(&document)));
            (leaf, status_handle(&salt, &leaf))
        });
    });
    group.bench_function(format!("bare_blake3/bytes={DOCUMENT_BYTES}"), |bencher| {
        bencher.iter(|| blake3::hash(black_box(&document)));
    });
    // Leaf (66 bytes) and handle (64 bytes).
    group.bench_function("bare_compressions/count=3", |bencher| bencher.iter(|| bare_compressions(black_box(3))));
    group.finish();
}
