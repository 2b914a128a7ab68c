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

/// A report of a height and no message.
fn at(committed: u64) -> Report {
    Report { committed: Height::new(committed), highest: None }
}

fn holding(highest: Slot) -> Report {
    Report { committed: Height::new(0), highest: Some(highest) }
}

const fn head(height: u64) -> Height {
    Height::new(height)
}

#[test]
fn the_guard_waits_for_a_quorum_with_itself() {
    let state = SignState::new(GENESIS, validator(0));
    let set = validators();
    let mut guard = SignGuard::new(validator(0), Some(&state), head(0));
    guard.update(head(0), &set);
    assert_eq!(guard.state(), GuardState::WaitingForReports);
    guard.on_report(validator(1), at(0), None, head(0), &set);
    // Neither the same peer again, nor ourselves, nor a stranger counts.
    for uncounted in [1, 0, 9] {
        guard.on_report(validator(uncounted), at(0), None, head(0), &set);
        assert_eq!(guard.state(), GuardState::WaitingForReports, "{uncounted}");
    }
    guard.on_report(validator(2), at(0), None, head(0), &set);
    assert_eq!(guard.state(), GuardState::Ready);
    assert_eq!(guard.voting_from(), head(0));
}

#[test]
fn a_claim_counts_once_it_is_reached_and_a_lie_never() {
    let state = SignState::new(GENESIS, validator(0));
    let set = validators();
    let mut guard = SignGuard::new(validator(0), Some(&state), head(5));
    guard.on_report(validator(1), at(5), None, head(5), &set);
    guard.on_report(validator(2), at(20), None, head(5), &set);
    guard.on_report(validator(3), at(u64::MAX), None, head(5), &set);
    // What a peer says later neither raises nor lowers what it said first: our key has signed nothing since.
    guard.on_report(validator(2), at(5), None, head(5), &set);
    guard.on_report(validator(2), at(30), None, head(5), &set);
    for height in 5..20 {
        guard.update(head(height), &set);
        assert_eq!(guard.state(), GuardState::WaitingForReports, "{height}");
    }
    guard.update(head(20), &set);
    assert_eq!(guard.state(), GuardState::Ready);
    // Two heights may hold signatures of ours that nobody has told of: 21 and 22.
    assert_eq!(guard.voting_from(), head(23));
    guard.release();
    assert_eq!(guard.voting_from(), head(0));
}

#[test]
fn nothing_is_held_back_by_claims_that_the_sign_state_knows_of() {
    let set = validators();
    for (signed, claim, expected) in [(None, 4, 0), (None, 5, 8), (Some(5), 5, 0), (Some(5), 6, 9), (Some(6), 6, 0)] {
        let mut state = SignState::new(GENESIS, validator(0));
        state.highest = signed.map(|height| vote(0, VoteKind::Prevote, height, 0, None).to_statement());
        let mut guard = SignGuard::new(validator(0), Some(&state), head(4));
        for reporter in 1..3 {
            guard.on_report(validator(reporter), at(claim), state.slot(), head(claim), &set);
        }
        assert_eq!(guard.state(), GuardState::Ready);
        assert_eq!(guard.voting_from(), head(expected), "signed {signed:?}, others at {claim}");
    }
}

#[test]
fn the_guard_refuses_what_was_signed_elsewhere() {
    use crate::statement::Step;
    let set = validators();
    let mut state = SignState::new(GENESIS, validator(0));
    state.highest = Some(vote(0, VoteKind::Prevote, 5, 0, None).to_statement());
    let known = state.slot().expect("it has signed");
    // Equal and lower reports are ordinary.
    let mut guard = SignGuard::new(validator(0), Some(&state), head(4));
    guard.on_report(validator(1), holding(known), Some(known), head(4), &set);
    guard.on_report(validator(2), holding(slot(4, Step::Precommit)), Some(known), head(4), &set);
    assert_eq!(guard.state(), GuardState::Ready);
    // A higher one refuses, before and after it was ready, and for good.
    let reported = slot(5, Step::Precommit);
    let refused = GuardState::Refused(RefusalReason::SignedElsewhere { known: Some(known), reported });
    guard.on_report(validator(3), holding(reported), Some(known), head(4), &set);
    assert_eq!(guard.state(), refused);
    guard.on_report(validator(2), at(4), Some(reported), head(4), &set);
    assert_eq!(guard.state(), refused);
    // Without a sign-state nothing helps.
    let mut guard = SignGuard::new(validator(0), None, head(4));
    for reporter in 1..4 {
        guard.on_report(validator(reporter), at(0), None, head(4), &set);
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
    let mut guard = SignGuard::new(validator(0), Some(&SignState::new(GENESIS, validator(0))), head(0));
    guard.update(head(0), &set);
    assert_eq!(guard.state(), GuardState::Ready);
}
