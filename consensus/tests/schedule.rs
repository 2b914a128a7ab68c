//! The proposer schedule under random histories.

use proptest::prelude::*;
use sigeli_consensus::{
    proposer::{MISSES_MAX, Schedule},
    simulator::{Simulation, TestFactory},
};
use sigeli_verifier::{
    block::{Header, transactions_root},
    decode::Decode as _,
    encode::Encode as _,
    ids::{BlockId, GenesisHash, Height, HistoryRoot, Round, StateRoot, TimeMs, ValidatorAddress, ValidatorSetHash},
    validators::ValidatorSet,
};

fn set(nodes: impl IntoIterator<Item = usize>) -> ValidatorSet {
    Simulation::<TestFactory>::validators(nodes)
}

fn header(height: u64, round: u32, creator: ValidatorAddress) -> Header {
    Header {
        version: 1,
        genesis: GenesisHash::new([0; 32]),
        height: Height::new(height),
        time: TimeMs::new(height),
        parent: BlockId::new([0; 32]),
        creator,
        round: Round::new(round),
        transactions_root: transactions_root(&[]),
        state_root: StateRoot::new([0; 32]),
        history_root: HistoryRoot::new([0; 32]),
        validators: ValidatorSetHash::new([0; 32]),
        next_validators: ValidatorSetHash::new([0; 32]),
    }
}

/// Everybody stands in the order exactly once.
fn check_order(order: &[ValidatorAddress], set: &ValidatorSet) {
    let mut sorted = order.to_vec();
    sorted.sort();
    let mut expected: Vec<_> = set.validators().iter().map(|validator| validator.address()).collect();
    expected.sort();
    assert_eq!(sorted, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_ever_left_out_and_all_nodes_agree(
        steps in prop::collection::vec((0_u32..12, 2_usize..8), 1..120),
    ) {
        let mut schedule = Schedule::new();
        for (height, (round, members)) in (1_u64..).zip(steps) {
            let set = set(0..members);
            let order = schedule.order(&set, Height::new(height));
            check_order(&order, &set);
            let creator = order[round as usize % order.len()];
            let next = schedule.after_block(&set, &header(height, round, creator));
            // What another node reads back is the same schedule and gives the same order.
            let read = Schedule::from_bytes(&next.to_bytes()).expect("canonical");
            prop_assert_eq!(&read, &next);
            prop_assert_eq!(read.order(&set, Height::new(height + 1)), next.order(&set, Height::new(height + 1)));
            // Who built the block has a clean record; who had a turn before has not.
            prop_assert!(next.entries().iter().all(|entry| entry.validator != creator));
            for missed in order.iter().take(round as usize).filter(|address| **address != creator) {
                let entry = next.entries().iter().find(|entry| entry.validator == *missed).expect("it is recorded");
                prop_assert!(entry.misses >= 1 && entry.misses <= MISSES_MAX);
                prop_assert_eq!(entry.until.get(), height + 1 + (1 << entry.misses));
            }
            schedule = next;
        }
    }

    #[test]
    fn dead_validators_cost_a_round_only_when_their_time_is_up(
        members in 4_usize..10,
        dead in prop::collection::btree_set(0_usize..10, 1..3),
        heights in 50_u64..600,
    ) {
        let set = set(0..members);
        let dead: Vec<_> = dead.into_iter().filter(|node| *node < members)
            .map(|node| self::set([node]).validators()[0].address()).collect();
        let mut schedule = Schedule::new();
        let mut misses = vec![0_u32; dead.len()];
        for height in 1..=heights {
            let order = schedule.order(&set, Height::new(height));
            let round = order.iter().position(|address| !dead.contains(address)).expect("somebody lives");
            for (count, _) in misses.iter_mut().zip(&dead).filter(|(_, address)| order[..round].contains(address)) {
                *count += 1;
            }
            schedule = schedule.after_block(&set, &header(height, u32::try_from(round).expect("few validators"), order[round]));
        }
        // The k-th miss is followed by 2^min(k, 8) heights without a turn.
        let mut allowed = 1;
        let mut passed = 0;
        for k in 1.. {
            passed += (1 << k.min(8)) + 1;
            if passed >= heights { break; }
            allowed += 1;
        }
        for count in misses {
            prop_assert!(count <= allowed, "{count} misses in {heights} heights, at most {allowed} allowed");
        }
    }
}

#[test]
fn turns_go_round_and_a_comeback_clears_the_record() {
    let set = set(0..4);
    let mut schedule = Schedule::new();
    let firsts: Vec<_> = (1..=4).map(|height| schedule.order(&set, Height::new(height))[0]).collect();
    check_order(&firsts, &set);
    // It misses twice, is moved back, and builds a block from the end of the order.
    for height in [1, 2] {
        let order = schedule.order(&set, Height::new(height));
        schedule = schedule.after_block(&set, &header(height, 1, order[1]));
    }
    assert_eq!(schedule.entries().len(), 2);
    let order = schedule.order(&set, Height::new(3));
    assert!(schedule.entries().iter().all(|entry| order[2..].contains(&entry.validator)));
    schedule = schedule.after_block(&set, &header(3, 3, order[3]));
    // The creator's record is clean; the three before it missed.
    assert_eq!(schedule.entries().len(), 3);
    assert!(schedule.entries().iter().all(|entry| entry.validator != order[3]));
    // Nobody is forgotten even when all have missed.
    check_order(&schedule.order(&set, Height::new(4)), &set);
}

#[test]
fn the_bytes_are_pinned_and_strict() {
    let set = set(0..4);
    let order = Schedule::new().order(&set, Height::new(1));
    let schedule = Schedule::new().after_block(&set, &header(1, 2, order[2]));
    let bytes = schedule.to_bytes();
    assert_eq!(bytes.len(), 2 + 2 * (20 + 1 + 8));
    assert_eq!(bytes[..2], [2, 0]);
    assert_eq!(bytes[22..31], [1, 4, 0, 0, 0, 0, 0, 0, 0], "one miss, back at height 4");
    let mut swapped = bytes[..2].to_vec();
    swapped.extend_from_slice(&bytes[31..]);
    swapped.extend_from_slice(&bytes[2..31]);
    assert!(Schedule::from_bytes(&swapped).is_err(), "out of order");
    let mut none = bytes.clone();
    none[22] = 0;
    assert!(Schedule::from_bytes(&none).is_err(), "no miss");
    none[22] = MISSES_MAX + 1;
    assert!(Schedule::from_bytes(&none).is_err(), "too many misses");
    assert_eq!(Schedule::new().to_bytes(), [0, 0]);
}
