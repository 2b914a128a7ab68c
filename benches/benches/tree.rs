//! The register tree beside `jmt` on the same work: both over BLAKE3, both over rows in a `BTreeMap`.
//!
//! Work: 1,000 new entries, given with their values, in one batch into a register that holds some already, until every row
//! to be written is encoded; and the proof of one entry with its value, present or absent. Nothing is written into the maps
//! while time is taken, so every repetition finds the same register.
//!
//! `jmt` is run twice: over encoded rows as ours (`jmt_rows`), and over decoded nodes in hash maps (`jmt_nodes`), which spares
//! it all encoding and is kinder than any database could be. It keeps versions, which a ledger with instant finality does not
//! need; the rows it makes stale, and their removal, are not counted.

use std::{
    collections::{BTreeMap, HashMap},
    hint::black_box,
    time::Duration,
};

use criterion::{BatchSize, BenchmarkGroup, Criterion, measurement::WallTime};
use jmt::{
    JellyfishMerkleTree, KeyHash, OwnedValue, RootHash, SimpleHasher, Version,
    storage::{LeafNode, Node, NodeBatch, NodeKey, TreeReader},
};
use sigeli_benches::random::Random;
use sigeli_ledger::tree::{Terminal, apply, prove};
use sigeli_verifier::{
    ids::{RegisterKey, RegisterRoot},
    register::value_hash,
};

const HELD: [usize; 3] = [1_000, 10_000, 100_000];
/// Only when `SIGELI_BENCH_LARGE` is set: filling `jmt` with so many takes a minute.
const LARGE: usize = 1_000_000;
const NEW: usize = 1_000;
/// Entries are put into an empty register in batches of this many.
const FILL: usize = 10_000;
/// As long as a batch record.
const VALUE_BYTES: usize = 65;
const PREFIX: &[u8] = b"n\x01";

type Entry = (RegisterKey, Vec<u8>);

/// BLAKE3 for `jmt`, as fast as it can be had: without a key, since `jmt` separates its domains by prefixes.
struct Blake3(blake3::Hasher);

impl SimpleHasher for Blake3 {
    fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

/// What each tree can do with a register.
trait Register: Default {
    /// What one batch writes, ready to be stored.
    type Rows;

    fn insert(&self, entries: Vec<Entry>) -> Self::Rows;
    fn store(&mut self, rows: Self::Rows);
    /// Value and proof of an entry: hands back something of the proof, so that it is made.
    fn prove(&self, key: &RegisterKey) -> usize;
    /// Whether the proof of an entry convinces, for this value or absence.
    fn convinces(&self, key: &RegisterKey, value: Option<&[u8]>) -> bool;
}

fn filled<R: Register>(held: &[Entry]) -> R {
    let mut register = R::default();
    for batch in held.chunks(FILL) {
        let rows = register.insert(batch.to_vec());
        register.store(rows);
    }
    register
}

// ---- Ours ---------------------------------------------------------------------------------------------------------------

#[derive(Default)]
struct Ours {
    pages: BTreeMap<Vec<u8>, Vec<u8>>,
    values: BTreeMap<RegisterKey, Vec<u8>>,
    root: RegisterRootOrEmpty,
}

struct RegisterRootOrEmpty(RegisterRoot);

impl Default for RegisterRootOrEmpty {
    fn default() -> Self {
        Self(RegisterRoot::EMPTY)
    }
}

struct OurRows {
    pages: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    values: Vec<Entry>,
    root: RegisterRoot,
}

impl Register for Ours {
    type Rows = OurRows;

    fn insert(&self, entries: Vec<Entry>) -> OurRows {
        let updates = entries.iter().map(|(key, value)| (*key, Some(value_hash(value)))).collect();
        let applied = apply(&self.pages, PREFIX, &updates).expect("the pages are whole");
        OurRows { pages: applied.writes, values: entries, root: applied.root }
    }

    fn store(&mut self, rows: OurRows) {
        for (key, row) in rows.pages {
            match row {
                Some(row) => self.pages.insert(key, row),
                None => self.pages.remove(&key),
            };
        }
        self.values.extend(rows.values);
        self.root = RegisterRootOrEmpty(rows.root);
    }

    fn prove(&self, key: &RegisterKey) -> usize {
        let proof = prove(&self.pages, PREFIX, key).expect("the pages are whole");
        let value = self.values.get(key).cloned();
        usize::from(black_box(&proof).path.depth()) + black_box(&value).as_ref().map_or(0, Vec::len)
    }

    fn convinces(&self, key: &RegisterKey, value: Option<&[u8]>) -> bool {
        let proof = prove(&self.pages, PREFIX, key).expect("the pages are whole");
        let root = match (proof.terminal, value) {
            (Terminal::Present(_), Some(value)) => proof.path.root_with(key, &value_hash(value)),
            (Terminal::Absent(terminal), None) => proof.path.root_without(key, &terminal),
            _ => return false,
        };
        root == Ok(self.root.0)
    }
}

// ---- The peer -----------------------------------------------------------------------------------------------------------

/// Where `jmt` keeps its nodes.
trait Nodes: Default {
    /// A batch of nodes as they are handed to the store.
    type Rows;

    fn rows(batch: &NodeBatch) -> Self::Rows;
    fn store(&mut self, rows: Self::Rows);
    fn get(&self, key: &NodeKey) -> Option<Node>;
}

/// Encoded, as a database keeps them.
#[derive(Default)]
struct EncodedNodes(BTreeMap<Vec<u8>, Vec<u8>>);

impl Nodes for EncodedNodes {
    type Rows = Vec<(Vec<u8>, Vec<u8>)>;

    fn rows(batch: &NodeBatch) -> Self::Rows {
        let bytes = |(key, node)| (borsh::to_vec(key).expect("memory"), borsh::to_vec(node).expect("memory"));
        batch.nodes().iter().map(bytes).collect()
    }

    fn store(&mut self, rows: Self::Rows) {
        self.0.extend(rows);
    }

    fn get(&self, key: &NodeKey) -> Option<Node> {
        let row = self.0.get(&borsh::to_vec(key).expect("memory"))?;
        Some(borsh::from_slice(row).expect("what was encoded"))
    }
}

/// As they are, in a hash map: as in its own tests.
#[derive(Default)]
struct PlainNodes(HashMap<NodeKey, Node>);

impl Nodes for PlainNodes {
    type Rows = Vec<(NodeKey, Node)>;

    fn rows(batch: &NodeBatch) -> Self::Rows {
        batch.nodes().iter().map(|(key, node)| (key.clone(), node.clone())).collect()
    }

    fn store(&mut self, rows: Self::Rows) {
        self.0.extend(rows);
    }

    fn get(&self, key: &NodeKey) -> Option<Node> {
        self.0.get(key).cloned()
    }
}

struct Peer<N> {
    nodes: N,
    values: BTreeMap<KeyHash, OwnedValue>,
    /// The version of the newest batch; none before the first.
    version: Option<Version>,
    root: RootHash,
}

impl<N: Nodes> Default for Peer<N> {
    fn default() -> Self {
        Self { nodes: N::default(), values: BTreeMap::new(), version: None, root: RootHash([0; 32]) }
    }
}

impl<N: Nodes> TreeReader for Peer<N> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.nodes.get(key))
    }

    fn get_value_option(&self, _: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.values.get(&key).cloned())
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None) // Only asked while a tree is restored.
    }
}

struct PeerRows<R> {
    nodes: R,
    values: Vec<(KeyHash, OwnedValue)>,
    version: Version,
    root: RootHash,
}

impl<N: Nodes> Register for Peer<N> {
    type Rows = PeerRows<N::Rows>;

    fn insert(&self, entries: Vec<Entry>) -> Self::Rows {
        let version = self.version.map_or(0, |version| version + 1);
        let tree = JellyfishMerkleTree::<_, Blake3>::new(self);
        let entries = entries.into_iter().map(|(key, value)| (KeyHash(key.get()), Some(value)));
        let (root, batch) = tree.put_value_set(entries, version).expect("the nodes are whole");
        let values = batch.node_batch.values().iter();
        let values = values.filter_map(|((_, key), value)| Some((*key, value.clone()?))).collect();
        PeerRows { nodes: N::rows(&batch.node_batch), values, version, root }
    }

    fn store(&mut self, rows: Self::Rows) {
        self.nodes.store(rows.nodes);
        self.values.extend(rows.values);
        self.version = Some(rows.version);
        self.root = rows.root;
    }

    fn prove(&self, key: &RegisterKey) -> usize {
        let tree = JellyfishMerkleTree::<_, Blake3>::new(self);
        let version = self.version.expect("something was put");
        let (value, proof) = tree.get_with_proof(KeyHash(key.get()), version).expect("the nodes are whole");
        usize::from(black_box(&proof).leaf().is_some()) + black_box(&value).as_ref().map_or(0, Vec::len)
    }

    fn convinces(&self, key: &RegisterKey, value: Option<&[u8]>) -> bool {
        let tree = JellyfishMerkleTree::<_, Blake3>::new(self);
        let version = self.version.expect("something was put");
        let (found, proof) = tree.get_with_proof(KeyHash(key.get()), version).expect("the nodes are whole");
        found.as_deref() == value && proof.verify(self.root, KeyHash(key.get()), value).is_ok()
    }
}

// ---- The race -----------------------------------------------------------------------------------------------------------

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let large = std::env::var_os("SIGELI_BENCH_LARGE").map(|_| LARGE);
    for held in HELD.into_iter().chain(large) {
        let mut random = Random::new(u64::try_from(held).expect("small"));
        let mut draw = |count| -> Vec<Entry> {
            (0..count).map(|_| (RegisterKey::new(random.bytes()), random.document(VALUE_BYTES))).collect()
        };
        let (old, new) = (draw(held), draw(NEW));
        run::<Ours>(&mut criterion, "sigeli", &old, &new);
        run::<Peer<EncodedNodes>>(&mut criterion, "jmt_rows", &old, &new);
        run::<Peer<PlainNodes>>(&mut criterion, "jmt_nodes", &old, &new);
    }
    criterion.final_summary();
}

fn run<R: Register>(criterion: &mut Criterion, name: &str, old: &[Entry], new: &[Entry]) {
    let register: R = filled(old);
    assert!(old.iter().step_by(97).all(|(key, value)| register.convinces(key, Some(value))));
    assert!(new.iter().step_by(97).all(|(key, _)| register.convinces(key, None)));
    assert!(old.iter().step_by(97).all(|(key, _)| !register.convinces(key, None)));

    let mut group = criterion.benchmark_group("tree");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let held = old.len();
    group.bench_function(format!("insert/by={name},held={held},new={}", new.len()), |bencher| {
        bencher.iter_batched(|| new.to_vec(), |entries| register.insert(entries), BatchSize::LargeInput);
    });
    group.sample_size(20);
    prove_one(&mut group, &format!("prove_present/by={name},held={held}"), &register, old);
    prove_one(&mut group, &format!("prove_absent/by={name},held={held}"), &register, new);
    group.finish();
}

fn prove_one<R: Register>(group: &mut BenchmarkGroup<'_, WallTime>, id: &str, register: &R, entries: &[Entry]) {
    group.bench_function(id, |bencher| {
        let mut keys = entries.iter().map(|(key, _)| key).cycle();
        bencher.iter(|| register.prove(keys.next().expect("a cycle does not end")));
    });
}
