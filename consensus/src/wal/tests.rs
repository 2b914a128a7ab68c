use super::*;
use crate::{
    simulator::MemoryWal,
    testing::{GENESIS, block, propose, validator, vote},
};
use sigeli_verifier::vote::VoteKind;

const HEIGHT: Height = Height::new(5);

fn inputs() -> Vec<Input> {
    let block = block(0, 5, 0);
    let verdict =
        Verdict { round: Round::new(0), valid_round: None, proposer: validator(0), block: block.clone(), valid: true };
    let prevote = vote(1, VoteKind::Prevote, 5, 0, Some(block.id()));
    vec![
        Input::Proposal(propose(0, 0, None, block.clone())),
        Input::Verdict(verdict),
        Input::Vote(prevote),
        Input::Vote(vote(2, VoteKind::Precommit, 5, 0, None)),
        Input::Timeout(Timeout { round: Round::new(0), kind: TimeoutKind::Precommit }),
        Input::Polka(Polka {
            height: HEIGHT,
            round: Round::new(0),
            block: block.id(),
            signatures: vec![(validator(1), prevote.signature)],
        }),
        Input::Proposal(propose(1, 1, Some(0), block)),
    ]
}

fn open(rows: &[Vec<u8>], named: Option<&WalPosition>) -> Result<(WalLog, Vec<Input>), WalDamage> {
    WalLog::open(&GENESIS, &validator(0), HEIGHT, rows, named)
}

/// The rows of all inputs, and the position after each.
fn written() -> (Vec<Vec<u8>>, Vec<WalPosition>) {
    let mut store = MemoryWal::default();
    let (mut log, _) = open(&[], None).expect("an empty log opens");
    let mut positions = Vec::new();
    for input in inputs() {
        log.append(&mut store, &input).expect("memory does not fail");
        positions.push(log.position().expect("there is a row"));
    }
    store.sync().expect("memory does not fail");
    (store.read_all(HEIGHT).expect("memory does not fail"), positions)
}

#[test]
fn what_was_logged_is_read_back_and_goes_on() {
    let (rows, positions) = written();
    // The block stands once, before the first row that names it.
    assert_eq!(rows.len(), inputs().len() + 1);
    let (log, read) = open(&rows, positions.last()).expect("intact");
    assert_eq!(read, inputs());
    assert_eq!(log.position().as_ref(), positions.last());
    // Positions of other heights name nothing here.
    let other = WalPosition { height: Height::new(4), sequence: 99, hash: [0; 32] };
    assert!(open(&rows, Some(&other)).is_ok());
}

#[test]
fn every_flipped_bit_is_damage() {
    let (rows, positions) = written();
    let mut flips = 0;
    for (row, position) in (0..rows.len()).flat_map(|row| (0..rows[row].len()).map(move |byte| (row, byte))) {
        for bit in 0..8 {
            let mut damaged = rows.clone();
            damaged[row][position] ^= 1 << bit;
            // Whether or not the sign-state names a row.
            assert!(open(&damaged, None).is_err(), "row {row} byte {position} bit {bit}");
            assert!(open(&damaged, positions.last()).is_err(), "row {row} byte {position} bit {bit}");
            flips += 1;
        }
    }
    assert_eq!(flips, rows.iter().map(Vec::len).sum::<usize>() * 8);
}

#[test]
fn a_torn_tail_passes_only_when_nothing_was_signed_on_it() {
    let (rows, positions) = written();
    let last = rows.len() - 1;
    let (named, before) = (positions.last(), positions.iter().rev().nth(1));
    for length in 0..rows[last].len() {
        let mut torn = rows.clone();
        torn[last].truncate(length);
        let (_, read) = open(&torn, before).expect("the sign-state names the row before");
        assert_eq!(read.len(), inputs().len() - 1);
        assert_eq!(
            open(&torn, named).expect_err("named"),
            WalDamage::EndsEarly { height: HEIGHT, named: named.map_or(0, |position| position.sequence) }
        );
        // A row cut short in the middle is no torn tail.
        let mut cut = rows.clone();
        cut[2].truncate(length.min(rows[2].len() - 1));
        assert!(open(&cut, before).is_err());
    }
    assert!(matches!(open(&rows[..last], named), Err(WalDamage::EndsEarly { .. })));
    assert!(matches!(open(&[], named), Err(WalDamage::EndsEarly { .. })));
}

#[test]
fn foreign_missing_swapped_and_repeated_rows_are_damage() {
    let (rows, _) = written();
    for row in 0..rows.len() - 1 {
        let mut missing = rows.clone();
        missing.remove(row);
        assert!(open(&missing, None).is_err(), "missing {row}");
        let mut swapped = rows.clone();
        swapped.swap(row, row + 1);
        assert!(open(&swapped, None).is_err(), "swapped {row}");
        let mut repeated = rows.clone();
        repeated.insert(row, rows[row].clone());
        assert!(open(&repeated, None).is_err(), "repeated {row}");
    }
    assert!(WalLog::open(&GENESIS, &validator(1), HEIGHT, &rows, None).is_err(), "another validator's");
    assert!(WalLog::open(&GenesisHash::new([8; 32]), &validator(0), HEIGHT, &rows, None).is_err(), "another ledger's");
    assert!(WalLog::open(&GENESIS, &validator(0), Height::new(6), &rows, None).is_err(), "another height's");
}

#[test]
fn a_rewritten_log_does_not_match_the_sign_state() {
    let (_, positions) = written();
    let mut store = MemoryWal::default();
    let (mut log, _) = open(&[], None).expect("an empty log opens");
    for input in inputs().into_iter().rev().filter(|input| !matches!(input, Input::Timeout(_))) {
        log.append(&mut store, &input).expect("memory does not fail");
    }
    store.sync().expect("memory does not fail");
    let rows = store.read_all(HEIGHT).expect("memory does not fail");
    assert!(open(&rows, None).is_ok());
    assert!(matches!(open(&rows, positions.get(3)), Err(WalDamage::Mismatch { .. })));
}
