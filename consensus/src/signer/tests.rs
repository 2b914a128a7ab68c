use super::*;
use crate::{
    simulator::MemorySignState,
    testing::{GENESIS, block, propose, validator, validators, vote},
};
use sigeli_verifier::{ids::Round, vote::VoteKind};

fn fresh() -> (MemorySignState, Signer<MemorySignState>) {
    let store = MemorySignState::with(SignState::new(GENESIS, validator(0)).to_record());
    let signer = reload(&store);
    (store, signer)
}

fn reload(store: &MemorySignState) -> Signer<MemorySignState> {
    Signer::load(store.clone(), &GENESIS, &validator(0)).expect("intact").expect("there is a record")
}

#[test]
fn the_table_of_slots() {
    let block = block(0, 5, 1);
    let signed = vote(0, VoteKind::Prevote, 5, 1, Some(block.id())).to_statement();
    let (store, mut signer) = fresh();
    signer.record(signed, None).expect("the first message");
    let prevote = |height, round, id| vote(0, VoteKind::Prevote, height, round, id).to_statement().statement;
    let precommit = |height, round, id| vote(0, VoteKind::Precommit, height, round, id).to_statement().statement;
    let proposal = |round| propose(0, round, None, block.clone()).to_statement().statement;
    let id = Some(block.id());
    let slot = signed.statement.slot();
    // After a restart the same answers are given.
    for signer in [&signer, &reload(&store)] {
        assert_eq!(signer.check(&prevote(5, 1, id)), Ok(Permission::Signed(signed.signature)));
        assert_eq!(signer.check(&prevote(5, 1, None)), Err(Fatal::DoubleSign { slot }));
        for above in [precommit(5, 1, id), proposal(2), prevote(5, 2, None), prevote(6, 0, id)] {
            assert_eq!(signer.check(&above), Ok(Permission::New), "{above:?}");
        }
        for below in [proposal(1), precommit(5, 0, id), prevote(5, 0, id), precommit(4, 9, None)] {
            let expected = Fatal::SignBelow { slot: below.slot(), highest: slot };
            assert_eq!(signer.check(&below), Err(expected), "{below:?}");
        }
    }
}

#[test]
fn a_signature_is_released_only_after_the_record_is_stored() {
    let (store, mut signer) = fresh();
    let before = store.record();
    store.fail_after(0);
    let signed = vote(0, VoteKind::Prevote, 5, 0, None).to_statement();
    assert!(matches!(signer.record(signed, None), Err(Fatal::Storage { .. })));
    assert_eq!(store.record(), before);
    assert_eq!(signer.check(&signed.statement), Ok(Permission::New));
}

#[test]
fn every_flipped_bit_of_the_record_is_damage() {
    let wal = Some(WalPosition { height: Height::new(5), sequence: 3, hash: [4; 32] });
    for highest in [
        None,
        Some(vote(0, VoteKind::Precommit, 5, 2, None).to_statement()),
        Some(propose(0, 3, Some(1), block(0, 5, 1)).to_statement()),
    ] {
        let state = SignState { highest, wal, ..SignState::new(GENESIS, validator(0)) };
        let record = state.to_record();
        assert_eq!(SignState::from_record(&record, &GENESIS, &validator(0)), Ok(state));
        for position in 0..record.len() {
            for bit in 0..8 {
                let mut damaged = record.clone();
                damaged[position] ^= 1 << bit;
                assert!(SignState::from_record(&damaged, &GENESIS, &validator(0)).is_err(), "{position} {bit}");
            }
            assert!(SignState::from_record(&record[..position], &GENESIS, &validator(0)).is_err());
        }
        assert!(SignState::from_record(&record, &GENESIS, &validator(1)).is_err(), "another key's");
        assert!(
            SignState::from_record(&record, &GenesisHash::new([9; 32]), &validator(0)).is_err(),
            "another ledger's"
        );
    }
}

fn slot(height: u64, step: crate::statement::Step) -> Slot {
    Slot { height: Height::new(height), round: Round::new(0), step }
}

#[test]
fn the_guard_waits_for_a_quorum_with_itself() {
    let state = SignState::new(GENESIS, validator(0));
    let set = validators();
    let mut guard = SignGuard::new(validator(0), Some(&state));
    guard.update(&set);
    assert_eq!(guard.state(), GuardState::WaitingForReports);
    guard.on_report(validator(1), None, None, &set);
    // Neither the same peer again, nor ourselves, nor a stranger counts.
    for uncounted in [1, 0, 9] {
        guard.on_report(validator(uncounted), None, None, &set);
        assert_eq!(guard.state(), GuardState::WaitingForReports, "{uncounted}");
    }
    guard.on_report(validator(2), None, None, &set);
    assert_eq!(guard.state(), GuardState::Ready);
}

#[test]
fn the_guard_refuses_what_was_signed_elsewhere() {
    use crate::statement::Step;
    let set = validators();
    let mut state = SignState::new(GENESIS, validator(0));
    state.highest = Some(vote(0, VoteKind::Prevote, 5, 0, None).to_statement());
    let known = state.slot();
    // Equal and lower reports are ordinary.
    let mut guard = SignGuard::new(validator(0), Some(&state));
    guard.on_report(validator(1), known, known, &set);
    guard.on_report(validator(2), Some(slot(4, Step::Precommit)), known, &set);
    assert_eq!(guard.state(), GuardState::Ready);
    // A higher one refuses, before and after it was ready, and for good.
    let reported = slot(5, Step::Precommit);
    let refused = GuardState::Refused(RefusalReason::SignedElsewhere { known, reported });
    guard.on_report(validator(3), Some(reported), known, &set);
    assert_eq!(guard.state(), refused);
    guard.on_report(validator(2), None, Some(reported), &set);
    assert_eq!(guard.state(), refused);
    // Without a sign-state nothing helps.
    let mut guard = SignGuard::new(validator(0), None);
    for reporter in 1..4 {
        guard.on_report(validator(reporter), None, None, &set);
    }
    assert_eq!(guard.state(), GuardState::Refused(RefusalReason::SignStateMissing));
}

#[test]
fn a_sole_validator_is_ready_at_once() {
    let set = HeightValidators::new(
        crate::simulator::Simulation::<crate::simulator::TestFactory>::validators([0]),
        &[validator(0)],
    )
    .expect("one validator");
    let mut guard = SignGuard::new(validator(0), Some(&SignState::new(GENESIS, validator(0))));
    guard.update(&set);
    assert_eq!(guard.state(), GuardState::Ready);
}
