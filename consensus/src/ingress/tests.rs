use super::*;
use crate::{
    engine::StrictCheck,
    testing::{GENESIS, block, propose, validator, validators, vote},
};
use sigeli_verifier::{ids::Signature, vote::VoteKind};

fn ingress() -> Ingress {
    Ingress::new(GENESIS, Arc::new(StrictCheck))
}

#[test]
fn votes() {
    let set = validators();
    let good = vote(1, VoteKind::Prevote, 5, 0, None);
    let mut other_round = good;
    other_round.vote.round = Round::new(1);
    let mut stolen = good;
    stolen.vote.validator = validator(2);
    let mut broken = good;
    broken.signature = Signature::new([1; 64]);
    let cases = [
        ("good", good, Ok(())),
        ("stranger", vote(9, VoteKind::Prevote, 5, 0, None), Err(Refusal::UnknownSigner)),
        ("changed after signing", other_round, Err(Refusal::Signature)),
        ("another's name", stolen, Err(Refusal::Signature)),
        ("broken signature", broken, Err(Refusal::Signature)),
        ("round too high", vote(1, VoteKind::Prevote, 5, ROUND_MAX + 1, None), Err(Refusal::Round)),
    ];
    for (name, vote, expected) in cases {
        assert_eq!(ingress().check_vote(&vote, &set), expected, "{name}");
    }
}

#[test]
fn proposals() {
    let set = validators();
    let with = |change: fn(&mut sigeli_verifier::block::Header)| {
        let mut inner = block(1, 5, 1).block().clone();
        change(&mut inner.header);
        crate::block::SharedBlock::new(inner)
    };
    let mut moved = propose(1, 1, None, block(1, 5, 1));
    moved.height = Height::new(6);
    let mut broken = propose(1, 1, None, block(1, 5, 1));
    broken.signature = Signature::new([1; 64]);
    let cases = [
        ("fresh", propose(1, 1, None, block(1, 5, 1)), Ok(())),
        ("again, by the next proposer", propose(2, 2, Some(1), block(1, 5, 1)), Ok(())),
        ("no turn", propose(2, 1, None, block(2, 5, 1)), Err(Refusal::Proposer)),
        ("stranger", propose(9, 1, None, block(9, 5, 1)), Err(Refusal::Proposer)),
        ("another's block as fresh", propose(2, 2, None, block(1, 5, 2)), Err(Refusal::Creator)),
        ("an older block as fresh", propose(1, 5, None, block(1, 5, 1)), Err(Refusal::Creator)),
        ("valid round not before", propose(1, 1, Some(1), block(1, 5, 1)), Err(Refusal::Creator)),
        ("built after its valid round", propose(2, 2, Some(0), block(1, 5, 1)), Err(Refusal::Creator)),
        ("another height", moved, Err(Refusal::Block)),
        ("another ledger", propose(1, 1, None, with(|h| h.genesis = GenesisHash::new([9; 32]))), Err(Refusal::Block)),
        ("another version", propose(1, 1, None, with(|h| h.version += 1)), Err(Refusal::Block)),
        (
            "another set",
            propose(1, 1, None, with(|h| h.validators = sigeli_verifier::ids::ValidatorSetHash::new([0; 32]))),
            Err(Refusal::Block),
        ),
        (
            "other transactions",
            propose(1, 1, None, with(|h| h.transactions_root = sigeli_verifier::ids::TransactionsRoot::new([0; 32]))),
            Err(Refusal::Transactions),
        ),
        ("broken signature", broken, Err(Refusal::Signature)),
        ("round too high", propose(1, ROUND_MAX + 1, None, block(1, 5, ROUND_MAX + 1)), Err(Refusal::Round)),
    ];
    for (name, proposal, expected) in cases {
        assert_eq!(ingress().check_proposal(&proposal, &set), expected, "{name}");
    }
}

#[test]
fn certificates() {
    let set = validators();
    let signature = Signature::new([0; 64]);
    let polka = |signers: &[usize]| Polka {
        height: Height::new(5),
        round: Round::new(0),
        block: block(0, 5, 0).id(),
        signatures: signers.iter().map(|node| (validator(*node), signature)).collect(),
    };
    assert_eq!(ingress().check_polka(&polka(&[0, 1, 2]), &set), Ok(()));
    assert_eq!(ingress().check_polka(&polka(&[0, 1, 1]), &set), Err(Refusal::Certificate));
    assert_eq!(ingress().check_polka(&polka(&[]), &set), Err(Refusal::Certificate));
    assert_eq!(ingress().check_polka(&polka(&[0, 9]), &set), Err(Refusal::UnknownSigner));
}

#[test]
fn the_waiting_queue_is_bounded_by_validator() {
    let mut queue = WaitingQueue::default();
    for round in 0..100 {
        queue.push(Waiting::Vote(vote(1, VoteKind::Prevote, 6, round, None)));
        queue.push(Waiting::Proposal(propose(1, round, None, block(1, 6, round))));
    }
    // One validator's flood leaves room for the others.
    let other = vote(2, VoteKind::Prevote, 6, 0, None);
    queue.push(Waiting::Vote(other));
    queue.push(Waiting::Vote(other));
    let later = vote(2, VoteKind::Prevote, 7, 0, None);
    queue.push(Waiting::Vote(later));
    assert!(queue.has(Height::new(6)));
    let taken = queue.take(Height::new(6));
    assert_eq!(taken.len(), NEXT_VOTES_PER_VALIDATOR_MAX + 1 + 1);
    assert_eq!(taken.last(), Some(&Waiting::Vote(other)));
    assert!(!queue.has(Height::new(6)) && queue.has(Height::new(7)));
    queue.forget_below(Height::new(8));
    assert!(!queue.has(Height::new(7)));
}
