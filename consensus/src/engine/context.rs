//! Malachite's `Context`, with our types in its slots. Together with `core.rs` the only code that names its traits.

use std::{fmt, sync::Arc};

use arc_malachitebft_core_types as ct;
use ct::{NilOrVal, Round as CoreRound, SignedExtension, VoteType};
use sigeli_verifier::{
    crypto::PublicKey,
    ids::{BlockId, Height, Round, Signature, ValidatorAddress},
    vote::{Proposal, Vote, VoteKind},
};

use crate::{
    block::SharedBlock,
    validators::{HeightValidators, Member},
};

/// The context: it has no state, since the proposer order travels with the validator set.
#[derive(Debug, Clone)]
pub(super) struct Ctx;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CoreAddress(pub(super) ValidatorAddress);

impl fmt::Debug for CoreAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for CoreAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ct::Address for CoreAddress {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct CoreHeight(pub(super) Height);

impl fmt::Display for CoreHeight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ct::Height for CoreHeight {
    const ZERO: Self = Self(Height::new(0));
    const INITIAL: Self = Self(Height::new(1));

    fn increment_by(&self, count: u64) -> Self {
        Self(Height::new(self.0.get().saturating_add(count)))
    }

    fn decrement_by(&self, count: u64) -> Option<Self> {
        self.0.get().checked_sub(count).map(|height| Self(Height::new(height)))
    }

    fn as_u64(&self) -> u64 {
        self.0.get()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoPart;

impl ct::ProposalPart<Ctx> for NoPart {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

impl ct::Value for SharedBlock {
    type Id = BlockId;

    fn id(&self) -> BlockId {
        Self::id(self)
    }
}

/// A proposal, whose equality is that of its content: the WAL replay compares with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CoreProposal {
    pub(super) height: CoreHeight,
    pub(super) round: CoreRound,
    pub(super) block: SharedBlock,
    pub(super) valid_round: CoreRound,
    pub(super) proposer: CoreAddress,
}

impl CoreProposal {
    /// Our form of it; `None` for a round that does not exist, which the core never makes.
    pub(super) fn to_proposal(&self) -> Option<Proposal> {
        Some(Proposal {
            height: self.height.0,
            round: Round::new(self.round.as_u32()?),
            valid_round: self.valid_round.as_u32().map(Round::new),
            block: self.block.id(),
            proposer: self.proposer.0,
        })
    }
}

impl ct::Proposal<Ctx> for CoreProposal {
    fn height(&self) -> CoreHeight {
        self.height
    }

    fn round(&self) -> CoreRound {
        self.round
    }

    fn value(&self) -> &SharedBlock {
        &self.block
    }

    fn take_value(self) -> SharedBlock {
        self.block
    }

    fn pol_round(&self) -> CoreRound {
        self.valid_round
    }

    fn validator_address(&self) -> &CoreAddress {
        &self.proposer
    }
}

/// A vote, whose equality is that of its content: the WAL replay compares with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CoreVote {
    pub(super) kind: VoteType,
    pub(super) height: CoreHeight,
    pub(super) round: CoreRound,
    pub(super) value: NilOrVal<BlockId>,
    pub(super) validator: CoreAddress,
}

impl CoreVote {
    /// Our form of it; `None` for a round that does not exist, which the core never makes.
    pub(super) fn to_vote(&self) -> Option<Vote> {
        Some(Vote {
            kind: vote_kind(self.kind),
            height: self.height.0,
            round: Round::new(self.round.as_u32()?),
            block: option(&self.value),
            validator: self.validator.0,
        })
    }
}

impl From<&Vote> for CoreVote {
    fn from(vote: &Vote) -> Self {
        Self {
            kind: core_kind(vote.kind),
            height: CoreHeight(vote.height),
            round: CoreRound::new(vote.round.get()),
            value: vote.block.map_or(NilOrVal::Nil, NilOrVal::Val),
            validator: CoreAddress(vote.validator),
        }
    }
}

pub(super) const fn vote_kind(kind: VoteType) -> VoteKind {
    match kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    }
}

pub(super) const fn core_kind(kind: VoteKind) -> VoteType {
    match kind {
        VoteKind::Prevote => VoteType::Prevote,
        VoteKind::Precommit => VoteType::Precommit,
    }
}

pub(super) const fn option(value: &NilOrVal<BlockId>) -> Option<BlockId> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(id) => Some(*id),
    }
}

impl ct::Vote<Ctx> for CoreVote {
    fn height(&self) -> CoreHeight {
        self.height
    }

    fn round(&self) -> CoreRound {
        self.round
    }

    fn value(&self) -> &NilOrVal<BlockId> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<BlockId> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &CoreAddress {
        &self.validator
    }

    fn extension(&self) -> Option<&SignedExtension<Ctx>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Ctx>> {
        None
    }

    fn extend(self, _: SignedExtension<Ctx>) -> Self {
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CoreValidator {
    address: CoreAddress,
    member: Member,
}

impl ct::Validator<Ctx> for CoreValidator {
    fn address(&self) -> &CoreAddress {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.member.key
    }

    fn voting_power(&self) -> u64 {
        self.member.power.get()
    }
}

/// A validator set with the proposer order of its height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CoreSet {
    validators: Arc<[CoreValidator]>,
    source: HeightValidators,
}

impl CoreSet {
    pub(super) fn new(source: HeightValidators) -> Self {
        let validators = source
            .members()
            .iter()
            .map(|member| CoreValidator { address: CoreAddress(member.address), member: member.clone() })
            .collect();
        Self { validators, source }
    }
}

impl ct::ValidatorSet<Ctx> for CoreSet {
    fn count(&self) -> usize {
        self.validators.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.source.set().total_power()
    }

    fn get_by_address(&self, address: &CoreAddress) -> Option<&CoreValidator> {
        self.validators.iter().find(|validator| validator.address == *address)
    }

    fn get_by_index(&self, index: usize) -> Option<&CoreValidator> {
        self.validators.get(index)
    }
}

/// Ed25519 with our signature and key types. Verification goes through `sigeli_verifier::crypto` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scheme;

impl ct::SigningScheme for Scheme {
    type DecodingError = &'static str;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Signature, Self::DecodingError> {
        bytes.try_into().map(Signature::new).map_err(|_| "a signature has 64 bytes")
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.get().to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, Self::DecodingError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| "a key has 32 bytes")?;
        PublicKey::from_ed25519(bytes).map_err(|_| "not an Ed25519 key")
    }

    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.as_bytes().to_vec()
    }
}

impl ct::Context for Ctx {
    type Address = CoreAddress;
    type Height = CoreHeight;
    type ProposalPart = NoPart;
    type Proposal = CoreProposal;
    type Validator = CoreValidator;
    type ValidatorSet = CoreSet;
    type Timeouts = ct::LinearTimeouts;
    type Value = SharedBlock;
    type Vote = CoreVote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, set: &'a CoreSet, _: CoreHeight, round: CoreRound) -> &'a CoreValidator {
        let proposer = set.source.proposer(round.as_u32().unwrap_or(0)).address;
        let position = set.source.position(&proposer).map_or(0, usize::from);
        &set.validators[position]
    }

    fn new_proposal(
        &self,
        height: CoreHeight,
        round: CoreRound,
        block: SharedBlock,
        valid_round: CoreRound,
        proposer: CoreAddress,
    ) -> CoreProposal {
        CoreProposal { height, round, block, valid_round, proposer }
    }

    fn new_prevote(
        &self,
        height: CoreHeight,
        round: CoreRound,
        value: NilOrVal<BlockId>,
        validator: CoreAddress,
    ) -> CoreVote {
        CoreVote { kind: VoteType::Prevote, height, round, value, validator }
    }

    fn new_precommit(
        &self,
        height: CoreHeight,
        round: CoreRound,
        value: NilOrVal<BlockId>,
        validator: CoreAddress,
    ) -> CoreVote {
        CoreVote { kind: VoteType::Precommit, height, round, value, validator }
    }
}
