//! Fixtures for the unit tests.

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_verifier::{
    block::{Block, Header, transactions_root},
    ids::{BlockId, GenesisHash, Height, HistoryRoot, Round, Signature, StateRoot, TimeMs, ValidatorAddress},
    params::PROTOCOL_VERSION,
    vote::{Proposal, Vote, VoteKind},
};

use crate::{
    block::SharedBlock,
    simulator::{Simulation, TestFactory},
    statement::{SignedProposal, SignedVote, Statement},
    validators::HeightValidators,
};

pub(crate) const GENESIS: GenesisHash = GenesisHash::new([7; 32]);

pub(crate) fn key(node: usize) -> SigningKey {
    Simulation::<TestFactory>::key(node)
}

/// Four validators that propose in the order of their numbers.
pub(crate) fn validators() -> HeightValidators {
    let order: Vec<_> = (0..4).map(validator).collect();
    HeightValidators::new(Simulation::<TestFactory>::validators(0..4), &order).expect("four distinct validators")
}

pub(crate) fn validator(node: usize) -> ValidatorAddress {
    let set = Simulation::<TestFactory>::validators([node]);
    set.validators()[0].address()
}

fn sign(node: usize, statement: &Statement) -> Signature {
    Signature::new(key(node).sign(&statement.preimage(&GENESIS)).to_bytes())
}

pub(crate) fn vote(node: usize, kind: VoteKind, height: u64, round: u32, block: Option<BlockId>) -> SignedVote {
    let vote = Vote { kind, height: Height::new(height), round: Round::new(round), block, validator: validator(node) };
    SignedVote { vote, signature: sign(node, &Statement::Vote(vote)) }
}

pub(crate) fn block(node: usize, height: u64, round: u32) -> SharedBlock {
    SharedBlock::new(Block {
        header: Header {
            version: PROTOCOL_VERSION,
            genesis: GENESIS,
            height: Height::new(height),
            time: TimeMs::new(height.saturating_add(1_000)),
            parent: BlockId::new([1; 32]),
            creator: validator(node),
            round: Round::new(round),
            transactions_root: transactions_root(&[]),
            state_root: StateRoot::new([2; 32]),
            history_root: HistoryRoot::new([3; 32]),
            validators: validators().set().hash(),
            next_validators: validators().set().hash(),
        },
        transactions: Vec::new(),
    })
}

pub(crate) fn propose(node: usize, round: u32, valid_round: Option<u32>, block: SharedBlock) -> SignedProposal {
    let height = block.block().header.height;
    let (round, valid_round) = (Round::new(round), valid_round.map(Round::new));
    let proposer = validator(node);
    let proposal = Proposal { height, round, valid_round, block: block.id(), proposer };
    let signature = sign(node, &Statement::Proposal(proposal));
    SignedProposal { height, round, valid_round, proposer, block, signature }
}
