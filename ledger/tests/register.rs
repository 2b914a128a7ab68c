//! Registers against a textbook reference that is built from the plain map and shares no code with the crate but the
//! verifier's two hash functions, which `docs/protocol.md` fixes.
#![expect(clippy::panic, reason = "a failing helper fails its test")]

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use sigeli_ledger::tree::{Applied, Proof, Terminal, apply, prove, prove_prefix, root};
use sigeli_verifier::{
    ids::{RegisterKey, RegisterRoot, ValueHash},
    proof::{PrefixProof, PrefixTerminal},
    register::{AbsenceTerminal, RegisterPrefix, leaf, node, register_root},
};

type Map = BTreeMap<RegisterKey, ValueHash>;
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

const PREFIX: &[u8] = b"n\x01";

/// The textbook: the hash of the entries that share the first `depth` bits.
fn reference(entries: &[(RegisterKey, ValueHash)], depth: usize) -> [u8; 32] {
    match entries {
        [] => [0; 32],
        [(key, value)] => leaf(key, value),
        _ => {
            let (left, right): (Vec<_>, Vec<_>) = entries.iter().copied().partition(|(key, _)| !bit_of(key, depth));
            node(&reference(&left, depth + 1), &reference(&right, depth + 1))
        }
    }
}

fn bit_of(key: &RegisterKey, depth: usize) -> bool {
    key.as_bytes()[depth / 8] >> (7 - depth % 8) & 1 == 1
}

fn reference_root(map: &Map) -> RegisterRoot {
    let entries: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();
    RegisterRoot::new(reference(&entries, 0))
}

fn write(rows: &mut Rows, applied: Applied) -> RegisterRoot {
    for (key, value) in applied.writes {
        assert!(key.starts_with(PREFIX));
        match value {
            Some(value) => {
                rows.insert(key, value);
            }
            None => assert!(rows.remove(&key).is_some(), "only what exists is deleted"),
        }
    }
    applied.root
}

/// Keys that collide in their first bits: a prefix of one of four bytes, repeated, then a few free bits at the end.
fn key() -> impl Strategy<Value = RegisterKey> {
    let spread = any::<[u8; 32]>();
    let close = (0_u8..4, 0_usize..=32, any::<[u8; 32]>()).prop_map(|(fill, shared, mut bytes)| {
        bytes[..shared].fill(fill.wrapping_mul(0x55));
        bytes
    });
    prop_oneof![spread, close].prop_map(RegisterKey::new)
}

fn operations(count: usize) -> impl Strategy<Value = Vec<(RegisterKey, Option<u8>)>> {
    vec((key(), prop_oneof![3 => any::<u8>().prop_map(Some), 1 => Just(None)]), 0..count)
}

fn value(byte: u8) -> ValueHash {
    ValueHash::new([byte; 32])
}

fn check_proof(map: &Map, key: &RegisterKey, proof: &Proof, root: RegisterRoot) {
    match (map.get(key), proof.terminal) {
        (Some(value), Terminal::Present(found)) => {
            assert_eq!(*value, found);
            assert_eq!(proof.path.root_with(key, value), Ok(root));
        }
        (None, Terminal::Absent(terminal)) => {
            assert_eq!(proof.path.root_without(key, &terminal), Ok(root));
            if let AbsenceTerminal::Other { key: other, value } = terminal {
                assert_eq!(map.get(&other), Some(&value));
            }
        }
        (expected, found) => panic!("{expected:?} but {found:?}"),
    }
}

fn begins(key: &RegisterKey, prefix: RegisterPrefix) -> bool {
    (0..usize::from(prefix.length())).all(|depth| bit_of(key, depth) == (prefix.bits() >> (15 - depth) & 1 == 1))
}

fn check_prefix(map: &Map, prefix: RegisterPrefix, proof: &PrefixProof, root: RegisterRoot) {
    let below: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).filter(|(key, _)| begins(key, prefix)).collect();
    let computed = match (below.as_slice(), proof.terminal) {
        ([], PrefixTerminal::Absent(terminal)) => proof.path.root_without_prefix(&prefix, &terminal),
        ([(key, value)], PrefixTerminal::Entries) => {
            assert!(proof.path.depth() <= prefix.depth());
            proof.path.root_with(key, value)
        }
        ([_, _, ..], PrefixTerminal::Entries) => {
            proof.path.root_above(&prefix, reference(&below, prefix.length().into()))
        }
        (expected, found) => panic!("{expected:?} but {found:?}"),
    };
    assert_eq!(computed, Ok(root), "{prefix:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// The prefixes of keys, and those beside them, are proved as the textbook has them, at every length.
    #[test]
    fn prefixes_are_proved_as_the_textbook_has_them(entries in vec((key(), any::<u8>()), 0..60), asked in vec(key(), 4)) {
        let map: Map = entries.iter().map(|(key, byte)| (*key, value(*byte))).collect();
        let mut rows = Rows::new();
        let updates = map.iter().map(|(key, value)| (*key, Some(*value))).collect();
        let applied = apply(&rows, PREFIX, &updates).unwrap();
        let root = write(&mut rows, applied);
        let leaves: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();
        prop_assert_eq!(register_root(&leaves), Ok(root));
        for key in map.keys().take(12).chain(&asked) {
            for length in 0..=16 {
                let prefix = RegisterPrefix::of(key, length).unwrap();
                for prefix in [Some(prefix), prefix.next()].into_iter().flatten() {
                    check_prefix(&map, prefix, &prove_prefix(&rows, PREFIX, &prefix).unwrap(), root);
                }
            }
        }
    }

    /// Any batches of puts and deletes give the textbook root, pages that depend on the entries alone, and proofs that
    /// the verifier accepts.
    #[test]
    fn any_history_gives_the_textbook_register(batches in vec(operations(40), 1..6), asked in vec(key(), 8)) {
        let (mut map, mut rows) = (Map::new(), Rows::new());
        for batch in batches {
            let updates: BTreeMap<_, _> = batch.iter().map(|(key, byte)| (*key, byte.map(value))).collect();
            for (key, value) in &updates {
                match value {
                    Some(value) => map.insert(*key, *value),
                    None => map.remove(key),
                };
            }
            let applied = apply(&rows, PREFIX, &updates).unwrap();
            let new_root = write(&mut rows, applied);
            prop_assert_eq!(new_root, reference_root(&map));
            prop_assert_eq!(root(&rows, PREFIX).unwrap(), new_root);
        }
        let at_once: BTreeMap<_, _> = map.iter().map(|(key, value)| (*key, Some(*value))).collect();
        let mut fresh = Rows::new();
        let applied = apply(&fresh, PREFIX, &at_once).unwrap();
        let new_root = write(&mut fresh, applied);
        prop_assert_eq!(&fresh, &rows);
        for key in map.keys().chain(&asked) {
            check_proof(&map, key, &prove(&rows, PREFIX, key).unwrap(), new_root);
        }
    }

    /// The order in which entries come does not matter.
    #[test]
    fn order_does_not_matter(entries in vec((key(), any::<u8>()), 1..60), seed in any::<u64>()) {
        let map: Map = entries.iter().map(|(key, byte)| (*key, value(*byte))).collect();
        let mut shuffled: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();
        let mut state = seed | 1;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
        }
        let mut rows = Rows::new();
        for (key, value) in shuffled {
            let applied = apply(&rows, PREFIX, &BTreeMap::from([(key, Some(value))])).unwrap();
            write(&mut rows, applied);
        }
        prop_assert_eq!(root(&rows, PREFIX).unwrap(), reference_root(&map));
    }

    /// Putting entries and deleting them again leaves nothing behind.
    #[test]
    fn deleting_restores(base in vec((key(), any::<u8>()), 0..30), more in vec((key(), any::<u8>()), 1..30)) {
        let base: BTreeMap<_, _> = base.iter().map(|(key, byte)| (*key, Some(value(*byte)))).collect();
        let mut rows = Rows::new();
        let applied = apply(&rows, PREFIX, &base).unwrap();
        write(&mut rows, applied);
        let before = rows.clone();
        let more: Vec<_> = more.iter().filter(|(key, _)| !base.contains_key(key)).collect();
        let puts = more.iter().map(|(key, byte)| (*key, Some(value(*byte)))).collect();
        let applied = apply(&rows, PREFIX, &puts).unwrap();
        write(&mut rows, applied);
        let deletes = more.iter().map(|(key, _)| (*key, None)).collect();
        let applied = apply(&rows, PREFIX, &deletes).unwrap();
        write(&mut rows, applied);
        prop_assert_eq!(rows, before);
    }
}

#[test]
fn two_keys_that_differ_in_the_last_bit_make_the_deepest_path() {
    let mut last = [0xff; 32];
    let first = RegisterKey::new(last);
    last[31] = 0xfe;
    let second = RegisterKey::new(last);
    let map = Map::from([(first, value(1)), (second, value(2))]);
    let mut rows = Rows::new();
    let updates = map.iter().map(|(key, value)| (*key, Some(*value))).collect();
    let applied = apply(&rows, PREFIX, &updates).unwrap();
    let new_root = write(&mut rows, applied);
    assert_eq!(new_root, reference_root(&map));
    let proof = prove(&rows, PREFIX, &first).unwrap();
    assert_eq!(proof.path.depth(), 256);
    check_proof(&map, &first, &proof, new_root);
    let applied = apply(&rows, PREFIX, &BTreeMap::from([(first, None)])).unwrap();
    assert_eq!(write(&mut rows, applied), RegisterRoot::new(leaf(&second, &value(2))));
    assert_eq!(rows.len(), 1, "one page is left");
    let applied = apply(&rows, PREFIX, &BTreeMap::from([(second, None)])).unwrap();
    assert_eq!(write(&mut rows, applied), RegisterRoot::EMPTY);
    assert!(rows.is_empty());
}

#[test]
fn a_missing_or_damaged_page_is_noticed() {
    let mut rows = Rows::new();
    let updates = (0_u8..64).map(|byte| (sigeli_verifier::register::key(&[byte]), Some(value(byte)))).collect();
    let applied = apply(&rows, PREFIX, &updates).unwrap();
    write(&mut rows, applied);
    let below = rows.keys().find(|key| key[PREFIX.len()] == 1).unwrap().clone();
    let asked = updates.keys().find(|key| key.as_bytes()[0] & 0xf0 == below[PREFIX.len() + 1]).unwrap();
    let page = rows.insert(below.clone(), vec![0; 3]).unwrap();
    assert!(prove(&rows, PREFIX, asked).is_err());
    rows.remove(&below);
    assert!(prove(&rows, PREFIX, asked).is_err());
    assert!(apply(&rows, PREFIX, &BTreeMap::from([(*asked, None)])).is_err());
    rows.insert(below, page);
    assert!(prove(&rows, PREFIX, asked).is_ok());
}
