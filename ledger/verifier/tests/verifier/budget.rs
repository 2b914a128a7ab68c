//! The byte budget of the size goal (DESIGN: at p99 at most 2,860 bytes, one QR code in Base45): 100,000 credentials in
//! the batch, 1,000,000 batches, 500 institutions, 100,000 revocations, 4 validators, the names of a real institution.
//!
//! Keys of registers are hashes, so a register of n entries is a trie of n random keys. This test draws such tries and
//! measures real paths in them (depth, number of siblings that are not empty, what stands at an empty position), then
//! encodes a bundle with paths of that shape. Nothing is estimated.

use std::collections::BTreeSet;

use sigeli_verifier::{
    batch::{BatchHeight, BatchPath},
    bounded::Text,
    bundle::{Bundle, StatusFinding},
    encode::Encode as _,
    ids::{LeafIndex, RegisterKey, ValueHash},
    register::{AbsenceTerminal, RegisterPath},
};

use crate::common::{draw::Draw, world::World};

const GOAL_BYTES: usize = 2_860;
const CREDENTIALS_PER_BATCH: u32 = 100_000;
const BATCHES: usize = 1_000_000;
const INSTITUTIONS: usize = 500;
/// An institution's record, the entry of its registration, and that of one change.
const KEYS_PER_INSTITUTION: usize = 3;
const REVOCATIONS: usize = 100_000;
/// A revocation writes a head and a history entry into its institution's statuses.
const KEYS_PER_REVOCATION: usize = 2;
const SAMPLES: usize = 10_000;

/// Names in the records, as bytes of UTF-8: Georgian 98, English 29 (Georgian Technical University).
const NAME_KA_BYTES: usize = 98;
const NAME_EN_BYTES: usize = 29;

/// A trie of random keys. 64 bits of each key decide its position; two never coincide in these numbers.
struct Trie(Vec<u64>);

/// A position in a trie: for each level whether the sibling has entries, root first; and whether the end is empty.
struct Position {
    siblings: Vec<bool>,
    empty: bool,
}

impl Trie {
    fn draw(draw: &mut Draw, size: usize) -> Self {
        let mut keys = BTreeSet::new();
        while keys.len() < size {
            keys.insert(draw.u64());
        }
        Self(keys.into_iter().collect())
    }

    /// The entries whose first `depth` bits are those of `key`.
    fn below(&self, key: u64, depth: u32) -> usize {
        let rest = u64::MAX.checked_shr(depth).unwrap_or(0);
        self.0.partition_point(|other| *other <= key | rest) - self.0.partition_point(|other| *other < key & !rest)
    }

    fn position(&self, key: u64) -> Position {
        let mut siblings = vec![];
        let mut here = self.0.len();
        while here > 1 {
            let depth = siblings.len() as u32 + 1;
            let sibling = key ^ (1 << (64 - depth));
            siblings.push(self.below(sibling, depth) > 0);
            here = self.below(key, depth);
        }
        Position { siblings, empty: here == 0 }
    }

    fn present(&self, draw: &mut Draw) -> Position {
        self.position(self.0[draw.below(self.0.len() as u64) as usize])
    }

    fn absent(&self, draw: &mut Draw) -> Position {
        self.position(draw.u64())
    }
}

fn path(position: &Position) -> RegisterPath {
    RegisterPath::new(position.siblings.iter().rev().map(|sibling| sibling.then_some([7; 32])).collect()).unwrap()
}

fn template(world: &World, signers: &[u8]) -> Bundle {
    template_of(world, signers, CREDENTIALS_PER_BATCH)
}

fn template_of(world: &World, signers: &[u8], credentials: u32) -> Bundle {
    let mut bundle = world.bundle(0, false);
    let height = BatchHeight::for_credentials(credentials).unwrap();
    bundle.receipt.path = BatchPath::new(LeafIndex::new(0), vec![[7; 32]; height.get().into()]).unwrap();
    let stamp = &mut bundle.stamp.stamp;
    stamp.institution.name_ka = Text::new(&"x".repeat(NAME_KA_BYTES)).unwrap();
    stamp.institution.name_en = Text::new(&"x".repeat(NAME_EN_BYTES)).unwrap();
    stamp.certificate = world.certificate_by(signers);
    bundle
}

fn percentile(sorted: &[usize], per_mille: usize) -> usize {
    sorted[(sorted.len() * per_mille).div_ceil(1_000) - 1]
}

/// Sizes of `SAMPLES` bundles, sorted; `revocations` is how many fall into the institution's own register.
fn sizes(mut bundle: Bundle, revocations: usize) -> Vec<usize> {
    let mut draw = Draw::new(2_026);
    let batches = Trie::draw(&mut draw, BATCHES);
    let mut institutions = Trie::draw(&mut draw, INSTITUTIONS * KEYS_PER_INSTITUTION);
    let mut statuses = Trie::draw(&mut draw, revocations * KEYS_PER_REVOCATION);
    let mut sizes: Vec<usize> = (0..SAMPLES)
        .map(|sample| {
            // Small registers differ from one institution to the next; a large one is its own average.
            if sample % 10 == 0 {
                institutions = Trie::draw(&mut draw, INSTITUTIONS * KEYS_PER_INSTITUTION);
                if revocations < REVOCATIONS {
                    statuses = Trie::draw(&mut draw, revocations * KEYS_PER_REVOCATION);
                }
            }
            let stamp = &mut bundle.stamp.stamp;
            stamp.batch_path = path(&batches.present(&mut draw));
            stamp.institution_path = path(&institutions.present(&mut draw));
            let absence = statuses.absent(&mut draw);
            stamp.status_path = path(&absence);
            stamp.status = StatusFinding::Absent(if absence.empty {
                AbsenceTerminal::Empty
            } else {
                AbsenceTerminal::Other { key: RegisterKey::new([7; 32]), value: ValueHash::new([7; 32]) }
            });
            bundle.to_bytes().len()
        })
        .collect();
    sizes.sort_unstable();
    sizes
}

#[test]
fn ninety_nine_of_a_hundred_bundles_fit_one_qr_code() {
    let world = World::new();
    println!("bundle bytes (receipt and stamp, no optional section), {SAMPLES} samples, goal {GOAL_BYTES} at p99");
    println!("{:<44} {:>6} {:>6} {:>6} {:>6}", "", "p50", "p90", "p99", "max");
    let table = |name: &str, signers: &[u8], revocations: usize| {
        let sizes = sizes(template(&world, signers), revocations);
        let at = |per_mille| percentile(&sizes, per_mille);
        println!("{name:<44} {:>6} {:>6} {:>6} {:>6}", at(500), at(900), at(990), at(1_000));
        at(990)
    };
    let quorum = table("revocations spread, 3 of 4 signatures", &[0, 1, 3], REVOCATIONS / INSTITUTIONS);
    let all = table("revocations spread, 4 of 4 signatures", &[0, 1, 2, 3], REVOCATIONS / INSTITUTIONS);
    table("all revocations in one, 3 of 4 signatures", &[0, 1, 3], REVOCATIONS);
    table("all revocations in one, 4 of 4 signatures", &[0, 1, 2, 3], REVOCATIONS);
    assert!(quorum <= GOAL_BYTES, "{quorum}");
    assert!(all <= GOAL_BYTES, "{all}");
}

/// The bytes of a register path of this shape.
fn path_bytes(position: &Position) -> usize {
    2 + position.siblings.len().div_ceil(8) + 32 * position.siblings.iter().filter(|sibling| **sibling).count()
}

/// The bytes of what stands at an absent key.
const fn terminal_bytes(position: &Position) -> usize {
    if position.empty { 1 } else { 1 + 32 + 32 }
}

/// The bytes of a bundle without what depends on the registers' sizes and on the number of signatures.
fn rest_bytes(world: &World, credentials: u32) -> usize {
    let mut bundle = template_of(world, &[0, 1, 3], credentials);
    let stamp = &mut bundle.stamp.stamp;
    let here = || RegisterPath::new(Vec::new()).unwrap();
    (stamp.batch_path, stamp.institution_path, stamp.status_path) = (here(), here(), here());
    stamp.status = StatusFinding::Absent(AbsenceTerminal::Empty);
    bundle.to_bytes().len() - 3 * 2 - 1 - 3 * SIGNATURE_BYTES
}

/// A signature in a certificate: the validator's position, and the signature.
const SIGNATURE_BYTES: usize = 65;

/// Sizes of `SAMPLES` bundles by the shapes of their paths, without the rest.
fn paths_bytes(draw: &mut Draw, batches: &Trie, statuses: &Trie) -> Vec<usize> {
    let institutions = Trie::draw(draw, INSTITUTIONS * KEYS_PER_INSTITUTION);
    let mut sizes: Vec<_> = (0..SAMPLES)
        .map(|_| {
            let status = statuses.absent(draw);
            path_bytes(&batches.present(draw))
                + path_bytes(&institutions.present(draw))
                + path_bytes(&status)
                + terminal_bytes(&status)
        })
        .collect();
    sizes.sort_unstable();
    sizes
}

#[test]
fn sizes_by_shape_are_those_of_encoded_bundles() {
    let (world, mut draw) = (World::new(), Draw::new(7));
    let trie = Trie::draw(&mut draw, 200);
    for credentials in [1, 100_000, 1_048_576] {
        for _ in 0..200 {
            let mut bundle = template_of(&world, &[0, 1, 3], credentials);
            let stamp = &mut bundle.stamp.stamp;
            let (batch, institution, status) =
                (trie.present(&mut draw), trie.present(&mut draw), trie.absent(&mut draw));
            (stamp.batch_path, stamp.institution_path, stamp.status_path) =
                (path(&batch), path(&institution), path(&status));
            stamp.status = StatusFinding::Absent(if status.empty {
                AbsenceTerminal::Empty
            } else {
                AbsenceTerminal::Other { key: RegisterKey::new([7; 32]), value: ValueHash::new([7; 32]) }
            });
            let by_shape = rest_bytes(&world, credentials)
                + 3 * SIGNATURE_BYTES
                + path_bytes(&batch)
                + path_bytes(&institution)
                + path_bytes(&status)
                + terminal_bytes(&status);
            assert_eq!(by_shape, bundle.to_bytes().len());
        }
    }
}

/// `cargo test --release -p sigeli-verifier --test verifier -- --ignored --nocapture table_of_sizes`
#[test]
#[ignore = "prints the table of benches/README.md; the test above holds the goal"]
fn table_of_sizes() {
    let (world, mut draw) = (World::new(), Draw::new(2_026));
    let batches = [1_000, 10_000, 100_000, 1_000_000].map(|count| (count, Trie::draw(&mut draw, count)));
    let statuses = [100, 1_000, 10_000, 100_000, 1_000_000]
        .map(|count| (count, Trie::draw(&mut draw, count * KEYS_PER_REVOCATION)));
    for (validators, signatures) in [(4, 3), (7, 5), (20, 14)] {
        println!("\n{validators} validators, {signatures} signatures\n");
        print!("| credentials in the batch | batches |");
        statuses.iter().for_each(|(count, _)| print!(" {count} revocations |"));
        println!("\n|---|---|{}", "---|".repeat(statuses.len()));
        for credentials in [16, 1_024, 100_000, 1_048_576] {
            let rest = rest_bytes(&world, credentials) + signatures * SIGNATURE_BYTES;
            for (count, batches) in &batches {
                print!("| {credentials} | {count} |");
                for (_, statuses) in &statuses {
                    print!(" {} |", rest + percentile(&paths_bytes(&mut draw, batches, statuses), 990));
                }
                println!();
            }
        }
    }
}

#[test]
fn fixed_parts_are_what_the_budget_says() {
    let world = World::new();
    let bundle = template(&world, &[0, 1, 3]);
    let stamp = &bundle.stamp.stamp;
    let parts = [
        ("magic and ledger tag", 16, 16),
        ("receipt", bundle.receipt.to_bytes().len(), 1 + 32 + 4 + 8 + 1 + 4 + 17 * 32),
        ("header", stamp.header.to_bytes().len(), 2 + 8 + 8 + 32),
        ("certificate, 3 signatures", stamp.certificate.to_bytes().len(), 4 + 2 + 3 * 65),
        ("state siblings", 64, 64),
        ("batch record", stamp.batch.to_bytes().len(), 69),
        (
            "institution facts",
            stamp.institution.to_bytes().len(),
            1 + 3 + 11 + 100 + 31 + 1 + 8 + 2 + 4 + 4 + 4 + 4 + 2,
        ),
        ("keys and permissions", 32, 32),
        ("number of sections", 1, 1),
    ];
    for (name, size, expected) in parts {
        println!("{name:<28} {size:>5}");
        assert_eq!(size, expected, "{name}");
    }
}

#[test]
fn a_trie_of_this_test_has_the_paths_of_the_textbook_register() {
    let mut draw = Draw::new(5);
    let trie = Trie::draw(&mut draw, 60);
    let mut register = crate::common::textbook::Register::default();
    let full = |key: u64| {
        let mut full = [0; 32];
        full[..8].copy_from_slice(&key.to_be_bytes());
        full
    };
    for key in &trie.0 {
        register.insert_hashed(full(*key), [1; 32]);
    }
    let absent: Vec<u64> = (0..60).map(|_| draw.u64()).collect();
    for key in trie.0.iter().chain(&absent) {
        let position = trie.position(*key);
        let (mut siblings, terminal) = register.prove(&full(*key));
        siblings.reverse();
        let filled: Vec<bool> = siblings.iter().map(|sibling| *sibling != [0; 32]).collect();
        assert_eq!(position.siblings, filled);
        assert_eq!(position.empty, terminal == crate::common::textbook::Terminal::Empty);
    }
}
