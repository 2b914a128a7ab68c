//! What is checked before the core sees a message, and what waits for the next height.
//!
//! A vote or proposal passes only with: a signer in the validator set of its height, a signature that verifies, a round
//! below the limit; a proposal also from the proposer of its round, with a block of this ledger and height, whose header
//! commits to its transactions. Certificates pass when each signer is in the set and stands once; the core then verifies
//! their signatures by the same rule.

use std::{collections::BTreeMap, sync::Arc};

use sigeli_verifier::{
    ids::{GenesisHash, Height, Round, ValidatorAddress},
    params::PROTOCOL_VERSION,
};

use crate::{
    engine::SignatureCheck,
    params::{NEXT_PROPOSALS_MAX, NEXT_VOTES_PER_VALIDATOR_MAX, ROUND_MAX},
    statement::{Polka, RoundCertificate, SignedProposal, SignedStatement, SignedVote},
    validators::HeightValidators,
};

/// Why a message is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The signer is not a validator of this height.
    #[error("the signer is not in the validator set")]
    UnknownSigner,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// The round is beyond any that can be reached.
    #[error("the round is too high")]
    Round,
    /// The proposer has no turn in this round.
    #[error("the proposer has no turn in this round")]
    Proposer,
    /// The block is of another ledger, version or height than the proposal.
    #[error("the block does not belong to this proposal")]
    Block,
    /// The header does not commit to the transactions.
    #[error("the header does not commit to the transactions")]
    Transactions,
    /// A fresh proposal whose block names another creator or round, or a valid round not before the round.
    #[error("creator, round or valid round contradict the proposal")]
    Creator,
    /// A certificate names a validator twice, or nobody.
    #[error("the certificate names a validator twice, or nobody")]
    Certificate,
}

/// The checks.
#[derive(Debug, Clone)]
pub struct Ingress {
    genesis: GenesisHash,
    check: Arc<dyn SignatureCheck>,
}

impl Ingress {
    /// Checks for one ledger.
    #[must_use]
    pub const fn new(genesis: GenesisHash, check: Arc<dyn SignatureCheck>) -> Self {
        Self { genesis, check }
    }

    /// Checks signer and signature.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check_statement(&self, signed: &SignedStatement, validators: &HeightValidators) -> Result<(), Refusal> {
        let member = validators.by_address(&signed.statement.validator()).ok_or(Refusal::UnknownSigner)?;
        if signed.statement.slot().round.get() > ROUND_MAX {
            return Err(Refusal::Round);
        }
        let preimage = signed.statement.preimage(&self.genesis);
        if self.check.check(&member.key, &preimage, &signed.signature) { Ok(()) } else { Err(Refusal::Signature) }
    }

    /// Checks a vote.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check_vote(&self, vote: &SignedVote, validators: &HeightValidators) -> Result<(), Refusal> {
        self.check_statement(&vote.to_statement(), validators)
    }

    /// Checks a proposal and its block; cheap checks first.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check_proposal(&self, proposal: &SignedProposal, validators: &HeightValidators) -> Result<(), Refusal> {
        let header = &proposal.block.block().header;
        if proposal.round.get() > ROUND_MAX {
            return Err(Refusal::Round);
        }
        if validators.proposer(proposal.round.get()).address != proposal.proposer {
            return Err(Refusal::Proposer);
        }
        let belongs = header.height == proposal.height
            && header.genesis == self.genesis
            && header.version == PROTOCOL_VERSION
            && header.validators == validators.set().hash();
        if !belongs {
            return Err(Refusal::Block);
        }
        let consistent = match proposal.valid_round {
            // The creator is checked only for a fresh proposal: a later proposer may pass on another's block.
            None => header.creator == proposal.proposer && header.round == proposal.round,
            Some(valid_round) => valid_round < proposal.round && header.round <= valid_round,
        };
        if !consistent {
            return Err(Refusal::Creator);
        }
        self.check_statement(&proposal.to_statement(), validators)?;
        if proposal.block.block().has_own_transactions() { Ok(()) } else { Err(Refusal::Transactions) }
    }

    /// Checks the shape of a quorum of prevotes.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check_polka(&self, polka: &Polka, validators: &HeightValidators) -> Result<(), Refusal> {
        check_signers(polka.round, polka.signatures.iter().map(|(validator, _)| *validator), validators)
    }

    /// Checks the shape of a round certificate.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check_round_certificate(
        &self,
        certificate: &RoundCertificate,
        validators: &HeightValidators,
    ) -> Result<(), Refusal> {
        check_signers(certificate.round, certificate.votes.iter().map(|vote| vote.validator), validators)
    }
}

fn check_signers(
    round: Round,
    signers: impl Iterator<Item = ValidatorAddress>,
    validators: &HeightValidators,
) -> Result<(), Refusal> {
    if round.get() > ROUND_MAX {
        return Err(Refusal::Round);
    }
    let mut seen = std::collections::BTreeSet::new();
    for signer in signers {
        if validators.by_address(&signer).is_none() {
            return Err(Refusal::UnknownSigner);
        }
        if !seen.insert(signer) {
            return Err(Refusal::Certificate);
        }
    }
    if seen.is_empty() { Err(Refusal::Certificate) } else { Ok(()) }
}

/// A vote or proposal that waits for its height to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// A vote.
    Vote(SignedVote),
    /// A proposal.
    Proposal(SignedProposal),
}

impl Waiting {
    fn height(&self) -> Height {
        match self {
            Self::Vote(vote) => vote.vote.height,
            Self::Proposal(proposal) => proposal.height,
        }
    }
}

/// Checked messages for a height that has not started: at most [`NEXT_VOTES_PER_VALIDATOR_MAX`] votes per validator, one
/// proposal per validator, [`NEXT_PROPOSALS_MAX`] proposals in all. What does not fit is dropped; it is sent again.
#[derive(Debug, Clone, Default)]
pub struct WaitingQueue {
    by_height: BTreeMap<Height, Vec<Waiting>>,
}

impl WaitingQueue {
    /// Adds a message, if it is new and there is room. The caller bounds the heights to two and has checked it.
    pub fn push(&mut self, message: Waiting) {
        let queue = self.by_height.entry(message.height()).or_default();
        let has_room = match &message {
            Waiting::Vote(vote) => {
                let of_validator = |entry: &&Waiting| matches!(entry, Waiting::Vote(other) if other.vote.validator == vote.vote.validator);
                queue.iter().filter(of_validator).count() < NEXT_VOTES_PER_VALIDATOR_MAX
            }
            Waiting::Proposal(proposal) => {
                let proposers = queue.iter().filter_map(|entry| match entry {
                    Waiting::Proposal(other) => Some(other.proposer),
                    Waiting::Vote(_) => None,
                });
                let proposers: Vec<_> = proposers.collect();
                proposers.len() < NEXT_PROPOSALS_MAX && !proposers.contains(&proposal.proposer)
            }
        };
        if has_room && !queue.contains(&message) {
            queue.push(message);
        }
    }

    /// Whether anything waits for this height.
    #[must_use]
    pub fn has(&self, height: Height) -> bool {
        self.by_height.contains_key(&height)
    }

    /// Takes what waits for this height, in order of arrival, and forgets all below.
    pub fn take(&mut self, height: Height) -> Vec<Waiting> {
        let taken = self.by_height.remove(&height).unwrap_or_default();
        self.forget_below(height);
        taken
    }

    /// Forgets all below this height.
    pub fn forget_below(&mut self, height: Height) {
        self.by_height.retain(|waiting, _| *waiting >= height);
    }
}

#[cfg(test)]
mod tests;
