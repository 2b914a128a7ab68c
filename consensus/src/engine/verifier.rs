//! Signature checks for the core, all of them by the one rule of `sigeli_verifier`.

use std::sync::Arc;

use arc_malachitebft_core_consensus as cc;
use arc_malachitebft_core_types as ct;
use arc_malachitebft_signing as signing;
use ct::SignedMessage;
use futures::FutureExt as _;
use sigeli_verifier::{
    crypto::PublicKey,
    ids::{GenesisHash, Signature},
};
use signing::VerificationResult;

use super::{
    Input, SignatureCheck,
    context::{CoreProposal, CoreVote, Ctx},
};
use crate::statement::{SignedStatement, Statement};

/// The check, and the message that ingress has just checked: the core asks again about it, and only about it is the
/// answer known.
pub(super) struct Verifier {
    pub(super) genesis: GenesisHash,
    pub(super) check: Arc<dyn SignatureCheck>,
    pub(super) fresh: Option<SignedStatement>,
}

impl Verifier {
    /// Notes that this input's own signature was checked by ingress.
    pub(super) fn expect_fresh(&mut self, input: &Input, replaying: bool) {
        self.fresh = match input {
            _ if replaying => None,
            Input::Vote(vote) => Some(vote.to_statement()),
            Input::Proposal(proposal) => Some(proposal.to_statement()),
            _ => None,
        };
    }

    pub(super) fn verify(&self, message: &SignedMessage<Ctx, cc::ConsensusMsg<Ctx>>, key: &PublicKey) -> bool {
        let statement = match &message.message {
            cc::ConsensusMsg::Vote(vote) => vote.to_vote().map(Statement::Vote),
            cc::ConsensusMsg::Proposal(proposal) => proposal.to_proposal().map(Statement::Proposal),
        };
        let Some(statement) = statement else { return false };
        self.fresh == Some(SignedStatement { statement, signature: message.signature })
            || self.check.check(key, &statement.preimage(&self.genesis), &message.signature)
    }

    fn result(&self, statement: Option<Statement>, signature: &Signature, key: &PublicKey) -> VerificationResult {
        VerificationResult::from_bool(
            statement.is_some_and(|statement| self.check.check(key, &statement.preimage(&self.genesis), signature)),
        )
    }
}

#[async_trait::async_trait]
impl signing::Verifier<Ctx> for Verifier {
    async fn verify_signed_vote(
        &self,
        vote: &CoreVote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, signing::Error> {
        Ok(self.result(vote.to_vote().map(Statement::Vote), signature, key))
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &CoreProposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, signing::Error> {
        Ok(self.result(proposal.to_proposal().map(Statement::Proposal), signature, key))
    }

    async fn verify_signed_vote_extension(
        &self,
        _: &ct::VoteExtensionScope<Ctx>,
        (): &(),
        _: &Signature,
        _: &PublicKey,
    ) -> Result<VerificationResult, signing::Error> {
        Ok(VerificationResult::Invalid)
    }

    async fn verify_validator_proof(&self, _: &ct::ValidatorProof<Ctx>) -> Result<VerificationResult, signing::Error> {
        Ok(VerificationResult::Invalid)
    }
}

/// The value of a future that never waits: every check above answers at once.
pub(super) fn at_once(
    future: impl Future<Output = Result<(), ct::CertificateError<Ctx>>>,
) -> Result<(), ct::CertificateError<Ctx>> {
    future.now_or_never().unwrap_or(Err(ct::CertificateError::VerificationError(None)))
}
