//! Whole registers and prefixes.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::Index};
use sigeli_verifier::{
    decode::Decode as _,
    encode::Encode as _,
    ids::{RegisterKey, RegisterRoot, StatusHandle, ValueHash},
    proof::{
        PrefixProof, PrefixTerminal, ProofError, RegisterDownload, RegisterEntry, RegisterPage, StatusName,
        WholeRegister,
    },
    register::{AbsenceTerminal, PathError, RegisterPath, RegisterPrefix, SubtreeError, register_root, subtree_hash},
};

use crate::{
    textbook::{Entry, Hash, Register, begins, bit, derive, sort, subtree, terminal},
    world::{World, refuses_every_change, seed},
};

/// Keys that share many bits: one of four fillings up to a place, then free bits.
fn close_key() -> impl Strategy<Value = Hash> {
    (0_u8..4, 0_usize..=32, any::<Hash>()).prop_map(|(fill, shared, mut bytes)| {
        bytes[..shared].fill(fill.wrapping_mul(0x55));
        bytes
    })
}

fn typed(entries: &[(Hash, Hash)]) -> Vec<(RegisterKey, ValueHash)> {
    entries.iter().map(|(key, value)| (RegisterKey::new(*key), ValueHash::new(*value))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The hash of any set at any depth is the textbook's, and one change gives another.
    #[test]
    fn any_subtree_has_the_textbook_hash(set in vec((close_key(), any::<u8>()), 0..40), depth in 0_usize..=256, at in any::<Index>()) {
        let mut entries: BTreeMap<Hash, Hash> = set.iter().map(|(key, value)| (*key, [*value; 32])).collect();
        let all: Vec<_> = entries.iter().map(|(key, value)| (*key, *value)).collect();
        let root = register_root(&typed(&all)).unwrap();
        prop_assert_eq!(root.get(), subtree(&all, 0));
        if let Some((first, _)) = all.first() {
            let first = *first;
            entries.retain(|key, _| (0..depth).all(|place| bit(key, place) == bit(&first, place)));
        }
        let below: Vec<_> = entries.into_iter().collect();
        let depth = u16::try_from(depth).unwrap();
        prop_assert_eq!(subtree_hash(depth, &typed(&below)).unwrap(), subtree(&below, depth.into()));
        if below.len() < all.len() {
            prop_assert_eq!(subtree_hash(depth, &typed(&all)), Err(SubtreeError::Apart));
        }
        if !all.is_empty() {
            let place = at.index(all.len());
            let mut twice = all.clone();
            twice.insert(place, all[place]);
            prop_assert_eq!(register_root(&typed(&twice)), Err(SubtreeError::Unordered));
            let mut without = all.clone();
            without.remove(place);
            prop_assert_ne!(register_root(&typed(&without)).unwrap(), root);
            let mut changed = all;
            changed[place].1[0] ^= 1;
            prop_assert_ne!(register_root(&typed(&changed)).unwrap(), root);
        }
    }
}

/// 2^17 keys and names in order of key, so that neighbours share 16 bits and more.
fn pool() -> &'static [(Hash, Vec<u8>)] {
    static POOL: std::sync::OnceLock<Vec<(Hash, Vec<u8>)>> = std::sync::OnceLock::new();
    POOL.get_or_init(|| {
        let name = |number: u32| number.to_be_bytes().to_vec();
        let mut pool: Vec<_> =
            (0..1 << 17).map(|number| (derive("register key", &[&name(number)]), name(number))).collect();
        pool.sort_unstable();
        pool
    })
}

/// Registers of groups of neighbours: most subtrees are empty or chains, some entries share all the bits of a prefix.
fn register() -> impl Strategy<Value = Register> {
    vec((any::<Index>(), 1_usize..5), 0..6).prop_map(|groups| {
        let mut register = Register::default();
        for (start, count) in groups {
            let start = start.index(pool().len());
            for (_, name) in pool().iter().skip(start).take(count) {
                register.insert(name, &[&name[..], b" value"].concat());
            }
        }
        register
    })
}

pub(crate) fn download(
    prefix: RegisterPrefix,
    entries: &[Entry],
    proof: &PrefixProof,
    root: &RegisterRoot,
) -> Result<u64, ProofError> {
    let mut download = RegisterDownload::new(prefix);
    for (name, value) in entries {
        download.push(name, value)?;
    }
    download.finish(root, proof)
}

fn whole(entries: &[Entry], root: &RegisterRoot) -> Result<usize, ProofError> {
    let mut whole = WholeRegister::new();
    for (name, value) in entries {
        whole.push(name, value)?;
    }
    whole.finish(root)
}

/// All proofs that a liar may draw from the register along a prefix: of every length, to every entry, to keys nearby.
fn candidates(register: &Register, prefix: RegisterPrefix) -> Vec<PrefixProof> {
    let mut proofs = vec![];
    let mut add = |path: RegisterPath, found: Vec<(Hash, Hash)>| {
        for terminal in [PrefixTerminal::Entries, PrefixTerminal::Absent(terminal(&found))] {
            proofs.push(PrefixProof { terminal, path: path.clone() });
        }
    };
    for depth in 0..=24 {
        let (path, found) = register.descend(&prefix.first_key().get(), depth);
        add(path, found);
    }
    for (name, _) in register.under(prefix) {
        let key = derive("register key", &[&name]);
        for beside in 0..32 {
            let mut near = key;
            near[beside / 8] ^= 0x80 >> (beside % 8);
            let (path, found) = register.descend(&near, 256);
            add(path, found);
        }
        let (path, found) = register.descend(&key, 256);
        add(path, found);
    }
    proofs
}

/// Wrong lists of entries for a prefix: one left out, altered, twice, added; all left out; halves.
fn lies(truth: &[Entry], prefix: RegisterPrefix) -> Vec<Vec<Entry>> {
    let mut lies = vec![];
    for place in 0..truth.len() {
        let mut without = truth.to_vec();
        without.remove(place);
        lies.push(without);
        let mut altered = truth.to_vec();
        altered[place].1.push(0);
        lies.push(altered);
        lies.push(vec![truth[place].clone()]);
        lies.push(truth[place..].to_vec());
        lies.push(truth[..place].to_vec());
    }
    let strangers = pool().iter().filter(|(key, _)| begins(key, prefix));
    for (_, name) in strangers.take(100) {
        let mut added = truth.to_vec();
        added.push((name.clone(), b"a stranger".to_vec()));
        sort(&mut added);
        added.dedup_by(|left, right| left.0 == right.0);
        lies.push(added);
    }
    lies.retain(|lie| lie != truth);
    lies
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// For any register and any prefix the truth is accepted and no lie is, whatever proof stands beside it.
    #[test]
    fn a_prefix_is_what_the_register_holds(register in register(), length in 0_u8..=16, at in any::<Index>(), bits in any::<u16>()) {
        let names: Vec<_> = register.0.keys().collect();
        let of_entry = (!names.is_empty()).then(|| derive("register key", &[names[at.index(names.len())]]));
        let mut flipped = of_entry;
        if let (Some(key), 1..) = (&mut flipped, length) {
            let last = usize::from(length) - 1;
            key[last / 8] ^= 0x80 >> (last % 8);
        }
        let anywhere = Some({ let mut key = [0; 32]; key[..2].copy_from_slice(&bits.to_be_bytes()); key });
        let root = register.root();
        for key in [of_entry, flipped, anywhere].into_iter().flatten() {
            let prefix = RegisterPrefix::of(&RegisterKey::new(key), length).unwrap();
            let truth = register.under(prefix);
            let proof = register.prove_prefix(prefix);
            prop_assert_eq!(download(prefix, &truth, &proof, &root), Ok(truth.len() as u64));
            prop_assert_eq!(PrefixProof::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
            let mut proofs = candidates(&register, prefix);
            for other in &proofs {
                let accepted = download(prefix, &truth, other, &root).is_ok();
                prop_assert_eq!(accepted, *other == proof, "a set has one proof: {:?}", other);
            }
            proofs.push(proof);
            for lie in lies(&truth, prefix) {
                for proof in &proofs {
                    prop_assert!(download(prefix, &lie, proof, &root).is_err(), "{:?} under {:?}", lie, proof);
                }
            }
        }
    }

    /// A whole register is accepted in any order, and in order as a stream; nothing may miss.
    #[test]
    fn a_whole_register_is_what_its_root_says(register in register(), at in any::<Index>()) {
        let (root, truth) = (register.root(), register.under(RegisterPrefix::ALL));
        let mut turned = truth.clone();
        turned.rotate_left(if truth.is_empty() { 0 } else { at.index(truth.len()) });
        prop_assert_eq!(whole(&turned, &root), Ok(truth.len()));
        let stream = |entries: &[Entry]| {
            let mut download = RegisterDownload::new(RegisterPrefix::ALL);
            entries.iter().try_for_each(|(name, value)| download.push(name, value))?;
            download.finish_whole(&root)
        };
        prop_assert_eq!(stream(&truth), Ok(truth.len() as u64));
        prop_assert_eq!(stream(&turned).is_ok(), turned == truth);
        for lie in lies(&truth, RegisterPrefix::ALL).into_iter().take(100) {
            prop_assert!(whole(&lie, &root).is_err());
            prop_assert!(stream(&lie).is_err());
        }
        if let Some(first) = truth.first() {
            let twice = [&truth[..], std::slice::from_ref(first)].concat();
            prop_assert_eq!(whole(&twice, &root), Err(ProofError::Entries(SubtreeError::Unordered)));
        }
    }
}

/// One register in which every case of a prefix occurs.
pub(crate) fn cases() -> (Register, Vec<(&'static str, RegisterPrefix)>) {
    let mut register = Register::default();
    // A pair that shares 16 bits and more, and a lone entry in the other half.
    let pair = pool().windows(2).find(|pair| pair[0].0[..2] == pair[1].0[..2]).unwrap();
    let side = bit(&pair[0].0, 0);
    let lone = pool().iter().find(|(key, _)| bit(key, 0) != side).unwrap();
    for (_, name) in [&pair[0], &pair[1], lone] {
        register.insert(name, b"value");
    }
    let of = |(key, _): &(Hash, Vec<u8>), length| RegisterPrefix::of(&RegisterKey::new(*key), length).unwrap();
    let last = |prefix: RegisterPrefix| {
        let bit = 0x8000 >> (prefix.length() - 1);
        RegisterPrefix::new(prefix.bits() ^ bit, prefix.length()).unwrap()
    };
    let cases = vec![
        ("many at the root", RegisterPrefix::ALL),
        ("two below a chain", of(&pair[0], 16)),
        ("two at the first bit", of(&pair[0], 1)),
        ("one above the prefix", of(lone, 16)),
        ("one at the prefix", of(lone, 1)),
        ("none beside a chain", last(of(&pair[0], 9))),
        ("none, another above", last(of(lone, 5))),
    ];
    (register, cases)
}

#[test]
fn every_case_of_a_prefix_has_no_bit_to_spare() {
    let (register, cases) = cases();
    let root = register.root();
    for (case, prefix) in cases {
        let truth = register.under(prefix);
        let proof = register.prove_prefix(prefix);
        let shape = (truth.len(), proof.path.depth(), proof.terminal);
        let expected = match case {
            "many at the root" => truth.len() == 3 && shape.1 == 0,
            "two below a chain" => truth.len() == 2 && shape.1 == 16,
            "two at the first bit" => truth.len() == 2 && shape.1 == 1,
            "one above the prefix" | "one at the prefix" => truth.len() == 1 && shape.1 == 1,
            "none beside a chain" => shape.2 == PrefixTerminal::Absent(AbsenceTerminal::Empty) && shape.1 == 9,
            _ => matches!(shape, (0, 1, PrefixTerminal::Absent(AbsenceTerminal::Other { .. }))),
        };
        assert!(expected, "{case}: {shape:?}");
        refuses_every_change(&proof.to_bytes(), |bytes| {
            PrefixProof::from_bytes(bytes).is_ok_and(|proof| download(prefix, &truth, &proof, &root).is_ok())
        });
    }
    let nothing = Register::default();
    let prefix = RegisterPrefix::new(0x8000, 1).unwrap();
    assert_eq!(download(prefix, &[], &nothing.prove_prefix(prefix), &RegisterRoot::EMPTY), Ok(0));
    assert_eq!(whole(&[], &RegisterRoot::EMPTY), Ok(0));
}

#[test]
fn a_download_names_what_is_wrong() {
    let world = World::new();
    let root = world.statuses.root();
    let prefix = RegisterPrefix::new(0, 2).unwrap();
    let truth = world.statuses.under(prefix);
    let proof = world.statuses.prove_prefix(prefix);
    assert!(truth.len() > 4);
    assert_eq!(download(prefix, &truth, &proof, &root), Ok(truth.len() as u64));
    let (name, value) = world.statuses.under(prefix.next().unwrap()).remove(0);
    let mut started = RegisterDownload::new(prefix);
    assert_eq!(started.push(&name, &value), Err(ProofError::OutsidePrefix));
    started.push(&truth[1].0, &truth[1].1).unwrap();
    let unordered = Err(ProofError::Entries(SubtreeError::Unordered));
    assert_eq!(started.push(&truth[0].0, &truth[0].1), unordered);
    assert_eq!(started.push(&truth[1].0, &truth[1].1), unordered);
    assert_eq!(started.count(), 1);
    assert_eq!(started.clone().finish_whole(&root), Err(ProofError::OtherCount));
    let deep = PrefixProof { terminal: PrefixTerminal::Entries, path: world.statuses.path(&truth[1].0) };
    assert_eq!(started.finish(&root, &deep), Err(ProofError::Path(PathError::Depth)));
    let absent = PrefixProof { terminal: PrefixTerminal::Absent(AbsenceTerminal::Empty), path: proof.path.clone() };
    assert_eq!(download(prefix, &truth, &absent, &root), Err(ProofError::OtherCount));
    assert_eq!(download(prefix, &[], &proof, &root), Err(ProofError::OtherCount));
    // A subtree of another register, and one of another depth.
    assert!(matches!(download(prefix, &truth, &proof, &world.registers.keys), Err(ProofError::OtherRoot { .. })));
    let higher = world.statuses.prove_prefix(RegisterPrefix::new(0, 1).unwrap());
    assert_eq!(download(prefix, &truth, &higher, &root), Err(ProofError::Path(PathError::Depth)));
}

#[test]
fn pages_are_bounded_and_read_back() {
    let entry = |size| RegisterEntry::new(vec![1; 64], vec![7; size]).unwrap();
    assert!(RegisterEntry::new(vec![0; 65], vec![]).is_err());
    assert!(RegisterEntry::new(vec![], vec![0; 32 * 1_024 + 1]).is_err());
    let mut page = RegisterPage::new();
    let mut count = 0;
    while page.push(entry(32 * 1_024)).is_ok() {
        count += 1;
    }
    assert_eq!(count, 15, "half a mebibyte holds fifteen of the largest entries");
    let bytes = page.to_bytes();
    assert!(bytes.len() <= 512 * 1_024);
    assert_eq!(RegisterPage::from_bytes(&bytes), Ok(page.clone()));
    let mut longer = bytes;
    longer[..2].copy_from_slice(&16_u16.to_le_bytes());
    entry(32 * 1_024).encode(&mut longer);
    assert!(RegisterPage::from_bytes(&longer).is_err());
    let mut small = RegisterPage::new();
    assert!(small.is_empty());
    for _ in 0..1_024 {
        small.push(entry(1)).unwrap();
    }
    assert_eq!(small.push(entry(1)), Err(entry(1)));
    assert_eq!(RegisterPage::from_bytes(&small.to_bytes()).unwrap().into_entries().len(), 1_024);
}

#[test]
fn names_of_statuses_read_back() {
    let handle = StatusHandle::new(seed("handle", 1));
    for name in [StatusName::Head(handle), StatusName::Entry(handle, 7)] {
        assert_eq!(StatusName::from_bytes(&name.to_bytes()), Ok(name));
    }
    assert_eq!(
        sigeli_verifier::record::status_entry_key(&handle, 7),
        sigeli_verifier::register::key(&StatusName::Entry(handle, 7).to_bytes())
    );
    assert_eq!(
        sigeli_verifier::record::status_key(&handle),
        sigeli_verifier::register::key(&StatusName::Head(handle).to_bytes())
    );
    assert!(StatusName::from_bytes(&[3; 33]).is_err());
}
