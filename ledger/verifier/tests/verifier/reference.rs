//! Shipped trees against textbook ones.

use proptest::prelude::*;
use sigeli_verifier::{
    batch::{BatchPath, BatchTree},
    history::{Frontier, Rfc9162, TransactionHash, TreeHash, is_consistent, root_from_inclusion, tree_root},
    ids::{Leaf, LeafIndex, RegisterKey, RegisterRoot, ValueHash},
    register::{self, AbsenceTerminal, PathError},
    state::{InstitutionRegisters, StateRoots, root_from_pair},
};

use crate::common::{
    draw::Draw,
    textbook::{self, Hash, LogHash, Register, Terminal},
    world::{path_of, seed},
};

fn leaves(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|index| seed("log", index as u64)[..index % 33].to_vec()).collect()
}

fn check_log<H: TreeHash>(hash: LogHash) {
    let all = leaves(65);
    let mut frontier = Frontier::default();
    let mut roots = vec![];
    for size in 0..=64 {
        let of_size = &all[..size];
        let root = textbook::mth(hash, of_size);
        assert_eq!(frontier.size(), size as u64);
        assert_eq!(frontier.root::<H>(), root, "size {size}");
        assert_eq!(tree_root::<H>(of_size.iter().map(Vec::as_slice)), root, "size {size}");
        let peaks = frontier.peaks().to_vec();
        assert_eq!(Frontier::from_parts(size as u64, peaks.clone()), Some(frontier.clone()));
        assert_eq!(Frontier::from_parts(size as u64 ^ 1, peaks), None);
        frontier.push::<H>(&all[size]);
        roots.push(root);
    }
    for size in 1..=64_usize {
        let of_size = &all[..size];
        for index in 0..size {
            let path = textbook::path(hash, index, of_size);
            let leaf = hash.leaf(&of_size[index]);
            let found = |index: usize, size: usize, path: &[Hash]| {
                root_from_inclusion::<H>(leaf, index as u64, size as u64, path)
            };
            assert_eq!(found(index, size, &path), Some(roots[size]), "{index} of {size}");
            // A path proves one position of one size only.
            assert!((0..size).all(|other| other == index || found(other, size, &path) != Some(roots[size])));
            assert_eq!(found(index, size, &[&path[..], &[[0; 32]]].concat()), None);
            if let Some((_, shorter)) = path.split_last() {
                assert_eq!(found(index, size, shorter), None);
            }
        }
        for first in 1..=size {
            let path = textbook::proof(hash, first, of_size);
            let consistent = |first_root: &Hash, path: &[Hash]| {
                is_consistent::<H>((first as u64, first_root), (size as u64, &roots[size]), path)
            };
            assert!(consistent(&roots[first], &path), "{first} in {size}");
            assert!(!consistent(&roots[first - 1], &path), "{first} in {size}");
            assert!(!consistent(&roots[first], &[&path[..], &[[0; 32]]].concat()));
            for position in 0..path.len() {
                let mut altered = path.clone();
                altered[position][0] ^= 1;
                assert!(!consistent(&roots[first], &altered));
                altered.remove(position);
                assert!(!consistent(&roots[first], &altered));
            }
        }
        // An empty tree proves nothing.
        assert!(!is_consistent::<H>((0, &roots[0]), (size as u64, &roots[size]), &[]));
    }
    assert!(!is_consistent::<H>((0, &roots[0]), (0, &roots[0]), &[]));
}

#[test]
fn history_log_is_rfc_9162_for_every_size_up_to_64() {
    check_log::<Rfc9162>(textbook::SHA256);
}

#[test]
fn transaction_tree_has_the_same_shape_with_its_own_hashes() {
    check_log::<TransactionHash>(textbook::TRANSACTIONS);
}

#[test]
fn inclusion_holds_at_the_largest_sizes() {
    // In a tree of 2^63 leaves the first leaf has 63 siblings; one more is beyond the limit.
    let path = vec![[3; 32]; 63];
    let fold = path.iter().fold([1; 32], |hash, sibling| Rfc9162::node(&hash, sibling));
    assert_eq!(root_from_inclusion::<Rfc9162>([1; 32], 0, 1 << 63, &path), Some(fold));
    assert_eq!(root_from_inclusion::<Rfc9162>([1; 32], 0, u64::MAX, &[[3; 32]; 64]), None);
    assert_eq!(root_from_inclusion::<Rfc9162>([1; 32], u64::MAX, u64::MAX, &[]), None);
    assert_eq!(root_from_inclusion::<Rfc9162>([1; 32], 0, 0, &[]), None);
}

#[test]
fn batch_trees_of_every_small_height_agree() {
    for height in 4..=8_u32 {
        let hashes: Vec<Hash> = (0..1_u64 << height).map(|index| seed("batch leaf", index)).collect();
        let leaves: Vec<Leaf> = hashes.iter().copied().map(Leaf::new).collect();
        let tree = BatchTree::new(&leaves).unwrap();
        assert_eq!(tree.root().get(), textbook::batch_root(&hashes));
        assert_eq!(u32::from(tree.height().get()), height);
        for (index, leaf) in leaves.iter().enumerate() {
            let position = LeafIndex::new(index as u32);
            let path = tree.path(position).unwrap();
            assert_eq!(path, BatchPath::new(position, textbook::batch_path(&hashes, index)).unwrap());
            assert_eq!(path.root(leaf), tree.root());
            let next = BatchPath::new(LeafIndex::new(index as u32 ^ 1), textbook::batch_path(&hashes, index)).unwrap();
            assert_ne!(next.root(leaf), tree.root());
        }
        assert!(tree.path(LeafIndex::new(1 << height)).is_none());
        assert!(BatchTree::new(&leaves[1..]).is_none());
    }
}

/// A register of the textbook, checked against every proof function for these keys.
fn check_register(register: &Register, keys: &[Hash]) {
    let entries = register.entries();
    let root = RegisterRoot::new(register.root());
    for key in keys {
        let (siblings, terminal) = register.prove(key);
        let path = path_of(&siblings);
        let key = RegisterKey::new(*key);
        assert_eq!(usize::from(path.depth()), siblings.len());
        match terminal {
            Terminal::Leaf { key: found, value } if found == key.get() => {
                let value = ValueHash::new(value);
                assert_eq!(path.root_with(&key, &value), Ok(root));
                let altered = ValueHash::new(value.get().map(|byte| byte ^ 1));
                assert_ne!(path.root_with(&key, &altered), Ok(root));
                // What is present cannot be shown absent.
                assert_ne!(path.root_without(&key, &AbsenceTerminal::Empty), Ok(root));
                let same = AbsenceTerminal::Other { key, value };
                assert_eq!(path.root_without(&key, &same), Err(PathError::SameKey));
            }
            Terminal::Leaf { key: other, value } => {
                let terminal = AbsenceTerminal::Other { key: RegisterKey::new(other), value: ValueHash::new(value) };
                assert_eq!(path.root_without(&key, &terminal), Ok(root));
                assert_ne!(path.root_without(&key, &AbsenceTerminal::Empty), Ok(root));
                // The same leaf does not stand for a key that leaves its path.
                if path.depth() > 0 {
                    let mut off = key.get();
                    off[0] ^= 0x80;
                    assert_eq!(path.root_without(&RegisterKey::new(off), &terminal), Err(PathError::OffPath));
                }
            }
            Terminal::Empty => {
                assert_eq!(path.root_without(&key, &AbsenceTerminal::Empty), Ok(root));
                assert_ne!(path.root_with(&key, &ValueHash::new([1; 32])), Ok(root));
            }
        }
    }
    if let [(key, value)] = entries.as_slice() {
        assert_eq!(root.get(), register::leaf(&RegisterKey::new(*key), &ValueHash::new(*value)));
    }
    if entries.is_empty() {
        assert_eq!(root, RegisterRoot::EMPTY);
    }
}

#[test]
fn registers_agree_on_hashed_keys_of_every_small_size() {
    let mut register = Register::default();
    let names: Vec<Vec<u8>> = (0..80_u64).map(|number| number.to_le_bytes().to_vec()).collect();
    let keys: Vec<Hash> = names.iter().map(|name| textbook::register_key(name)).collect();
    for (name, key) in names.iter().zip(&keys).take(40) {
        assert_eq!(register::key(name).get(), *key);
        check_register(&register, &keys);
        register.insert(name, name);
    }
}

#[test]
fn registers_agree_on_keys_that_share_all_but_their_last_bits() {
    let mut register = Register::default();
    let mut keys = vec![];
    for last in [0, 1, 2, 3, 128] {
        let mut key = [0xA5; 32];
        key[31] = last;
        keys.push(key);
    }
    for key in &keys[..4] {
        register.insert_hashed(*key, seed("value", key[31].into()));
        check_register(&register, &keys);
    }
    assert_eq!(register.prove(&keys[0]).0.len(), 256);
}

#[test]
fn bits_and_shared_bits_count_from_the_most_significant() {
    let mut draw = Draw::new(3);
    for _ in 0..200 {
        let left = RegisterKey::new(draw.bytes());
        let mut other = left.get();
        let position = draw.below(256) as usize;
        other[position / 8] ^= 0x80 >> (position % 8);
        let right = RegisterKey::new(other);
        assert_eq!(usize::from(register::shared_bits(&left, &right)), position);
        assert_ne!(register::bit(&left, position as u16), register::bit(&right, position as u16));
    }
    let key = RegisterKey::new([0xFF; 32]);
    assert_eq!(register::shared_bits(&key, &key), 256);
    assert!(register::bit(&key, 255) && !register::bit(&key, 256));
}

#[test]
fn state_root_is_a_perfect_tree_over_eight_slots() {
    let root = |number| RegisterRoot::new(seed("slot", number));
    let roots = StateRoots { institutions: root(0), batches: root(1), governance: root(2) };
    let mut slots = [[0; 32]; 8];
    for (slot, number) in slots.iter_mut().zip(0..3) {
        *slot = seed("slot", number);
    }
    assert_eq!(roots.root().get(), textbook::state_root(&slots));
    assert_eq!(root_from_pair(&root(0), &root(1), &roots.pair_siblings()), roots.root());
    assert_eq!(StateRoots::EMPTY.root().get(), textbook::state_root(&[[0; 32]; 8]));
    let own = InstitutionRegisters { keys: root(0), permissions: root(1), statuses: root(2) };
    assert_eq!(own.root(), textbook::state_node(&textbook::state_node(&slots[0], &slots[1]), &slots[2]));
}

proptest! {
    #[test]
    fn registers_agree_under_any_insertions_and_removals(
        // Few distinct bytes, so that long shared prefixes are common.
        inserted in prop::collection::vec((prop::array::uniform32(prop::sample::select(vec![0_u8, 1, 0x80, 0xFF])), any::<u64>()), 0..24),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        asked in prop::collection::vec(prop::array::uniform32(any::<u8>()), 0..8),
    ) {
        let mut register = Register::default();
        let mut keys: Vec<Hash> = asked;
        for (key, value) in &inserted {
            register.insert_hashed(*key, seed("value", *value));
            keys.push(*key);
            // A neighbour that differs in one late bit.
            let mut near = *key;
            near[30] ^= 1;
            keys.push(near);
        }
        check_register(&register, &keys);
        for index in removed {
            if !inserted.is_empty() {
                register.remove(&inserted[index.index(inserted.len())].0);
            }
        }
        check_register(&register, &keys);
    }

    #[test]
    fn logs_of_any_leaves_agree(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..40)) {
        let root = textbook::mth(textbook::SHA256, &leaves);
        prop_assert_eq!(tree_root::<Rfc9162>(leaves.iter().map(Vec::as_slice)), root);
        let root = textbook::mth(textbook::TRANSACTIONS, &leaves);
        prop_assert_eq!(tree_root::<TransactionHash>(leaves.iter().map(Vec::as_slice)), root);
    }
}
