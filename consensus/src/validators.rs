//! The validator set of one height together with the order in which its members propose.

use std::sync::Arc;

use sigeli_verifier::{
    crypto::PublicKey,
    ids::{ValidatorAddress, VotingPower},
    validators::ValidatorSet,
};

/// One validator, its address computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The short name of the key.
    pub address: ValidatorAddress,
    /// The key that signs votes and proposals.
    pub key: PublicKey,
    /// The weight of its vote.
    pub power: VotingPower,
}

/// A validator set and its proposer order for one height, cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeightValidators {
    inner: Arc<Inner>,
}

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    set: ValidatorSet,
    members: Vec<Member>,
    order: Vec<usize>,
}

/// Why an order does not fit a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proposer order is not a permutation of the validator set")]
pub struct OrderError;

impl HeightValidators {
    /// Takes a set and an order, which must name every validator exactly once.
    ///
    /// # Errors
    /// [`OrderError`] otherwise.
    pub fn new(set: ValidatorSet, order: &[ValidatorAddress]) -> Result<Self, OrderError> {
        let members: Vec<_> = set
            .validators()
            .iter()
            .map(|validator| Member { address: validator.address(), key: validator.key, power: validator.power })
            .collect();
        let mut positions = Vec::with_capacity(order.len());
        for wanted in order {
            let position = members.iter().position(|member| member.address == *wanted).ok_or(OrderError)?;
            if positions.contains(&position) {
                return Err(OrderError);
            }
            positions.push(position);
        }
        if positions.len() != members.len() {
            return Err(OrderError);
        }
        Ok(Self { inner: Arc::new(Inner { set, members, order: positions }) })
    }

    /// The set.
    #[must_use]
    pub fn set(&self) -> &ValidatorSet {
        &self.inner.set
    }

    /// The members, in the set's order (by key).
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.inner.members
    }

    /// The member with this address.
    #[must_use]
    pub fn by_address(&self, address: &ValidatorAddress) -> Option<&Member> {
        self.inner.members.iter().find(|member| member.address == *address)
    }

    /// The position of this address in the set, as commit certificates name it.
    #[must_use]
    pub fn position(&self, address: &ValidatorAddress) -> Option<u8> {
        let position = self.inner.members.iter().position(|member| member.address == *address)?;
        u8::try_from(position).ok()
    }

    /// The proposer of a round: the order is walked round after round.
    #[must_use]
    pub fn proposer(&self, round: u32) -> &Member {
        let count = self.inner.order.len();
        let turn = usize::try_from(round).unwrap_or(0).checked_rem(count).expect("a set is never empty");
        &self.inner.members[self.inner.order[turn]]
    }
}
