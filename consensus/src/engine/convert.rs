//! Translation between Malachite's messages and ours. `None` means: no such message of ours exists.

use arc_malachitebft_core_consensus as cc;
use arc_malachitebft_core_types as ct;
use ct::{NilOrVal, Round as CoreRound, SignedMessage, Validity, ValueOrigin};
use sigeli_verifier::ids::Round;

use super::{
    Input, Timeout, TimeoutKind, Verdict,
    context::{CoreAddress, CoreHeight, CoreProposal, CoreVote, Ctx, core_kind, option, vote_kind},
};
use crate::statement::{
    Equivocation, Polka, RoundCertificate, RoundCertificateKind, RoundVote, SignedProposal, SignedStatement,
    SignedVote, Statement,
};

fn core_round(round: Option<Round>) -> CoreRound {
    round.map_or(CoreRound::Nil, |round| CoreRound::new(round.get()))
}

fn our_round(round: CoreRound) -> Option<Round> {
    round.as_u32().map(Round::new)
}

pub(super) const fn core_timeout(timeout: Timeout) -> ct::Timeout {
    let round = CoreRound::new(timeout.round.get());
    match timeout.kind {
        TimeoutKind::Propose => ct::Timeout::propose(round),
        TimeoutKind::Prevote => ct::Timeout::prevote(round),
        TimeoutKind::Precommit => ct::Timeout::precommit(round),
        TimeoutKind::Rebroadcast => ct::Timeout::rebroadcast(round),
    }
}

pub(super) fn our_timeout(timeout: ct::Timeout) -> Option<Timeout> {
    let kind = match timeout.kind {
        ct::TimeoutKind::Propose => TimeoutKind::Propose,
        ct::TimeoutKind::Prevote => TimeoutKind::Prevote,
        ct::TimeoutKind::Precommit => TimeoutKind::Precommit,
        ct::TimeoutKind::Rebroadcast => TimeoutKind::Rebroadcast,
        // Only with a target time, which is never set.
        ct::TimeoutKind::FinalizeHeight(_) => return None,
    };
    Some(Timeout { round: our_round(timeout.round)?, kind })
}

fn core_vote(vote: &SignedVote) -> ct::SignedVote<Ctx> {
    SignedMessage::new(CoreVote::from(&vote.vote), vote.signature)
}

pub(super) fn our_vote(vote: &ct::SignedVote<Ctx>) -> Option<SignedVote> {
    Some(SignedVote { vote: vote.message.to_vote()?, signature: vote.signature })
}

fn core_proposal(proposal: &SignedProposal) -> ct::SignedProposal<Ctx> {
    let message = CoreProposal {
        height: CoreHeight(proposal.height),
        round: CoreRound::new(proposal.round.get()),
        block: proposal.block.clone(),
        valid_round: core_round(proposal.valid_round),
        proposer: CoreAddress(proposal.proposer),
    };
    SignedMessage::new(message, proposal.signature)
}

pub(super) fn our_proposal(proposal: &ct::SignedProposal<Ctx>) -> Option<SignedProposal> {
    Some(SignedProposal {
        height: proposal.message.height.0,
        round: our_round(proposal.message.round)?,
        valid_round: our_round(proposal.message.valid_round),
        proposer: proposal.message.proposer.0,
        block: proposal.message.block.clone(),
        signature: proposal.signature,
    })
}

fn core_polka(polka: &Polka) -> ct::PolkaCertificate<Ctx> {
    ct::PolkaCertificate {
        height: CoreHeight(polka.height),
        round: CoreRound::new(polka.round.get()),
        value_id: polka.block,
        polka_signatures: polka
            .signatures
            .iter()
            .map(|(validator, signature)| ct::PolkaSignature::new(CoreAddress(*validator), *signature))
            .collect(),
    }
}

pub(super) fn our_polka(polka: &ct::PolkaCertificate<Ctx>) -> Option<Polka> {
    Some(Polka {
        height: polka.height.0,
        round: our_round(polka.round)?,
        block: polka.value_id,
        signatures: polka.polka_signatures.iter().map(|entry| (entry.address.0, entry.signature)).collect(),
    })
}

fn core_round_certificate(certificate: &RoundCertificate) -> ct::RoundCertificate<Ctx> {
    ct::RoundCertificate {
        height: CoreHeight(certificate.height),
        round: CoreRound::new(certificate.round.get()),
        cert_type: match certificate.kind {
            RoundCertificateKind::Skip => ct::RoundCertificateType::Skip,
            RoundCertificateKind::Precommit => ct::RoundCertificateType::Precommit,
        },
        round_signatures: certificate
            .votes
            .iter()
            .map(|vote| {
                let value = vote.block.map_or(NilOrVal::Nil, NilOrVal::Val);
                ct::RoundSignature::new(core_kind(vote.kind), value, CoreAddress(vote.validator), vote.signature)
            })
            .collect(),
    }
}

pub(super) fn our_round_certificate(certificate: &ct::RoundCertificate<Ctx>) -> Option<RoundCertificate> {
    Some(RoundCertificate {
        height: certificate.height.0,
        round: our_round(certificate.round)?,
        kind: match certificate.cert_type {
            ct::RoundCertificateType::Skip => RoundCertificateKind::Skip,
            ct::RoundCertificateType::Precommit => RoundCertificateKind::Precommit,
        },
        votes: certificate
            .round_signatures
            .iter()
            .map(|entry| RoundVote {
                kind: vote_kind(entry.vote_type),
                block: option(&entry.value_id),
                validator: entry.address.0,
                signature: entry.signature,
            })
            .collect(),
    })
}

pub(super) fn core_input(input: &Input) -> cc::Input<Ctx> {
    match input {
        Input::Vote(vote) => cc::Input::Vote(core_vote(vote)),
        Input::Proposal(proposal) => cc::Input::Proposal(core_proposal(proposal)),
        Input::Verdict(verdict) => cc::Input::ProposedValue(
            cc::ProposedValue {
                height: CoreHeight(verdict.block.block().header.height),
                round: CoreRound::new(verdict.round.get()),
                valid_round: core_round(verdict.valid_round),
                proposer: CoreAddress(verdict.proposer),
                value: verdict.block.clone(),
                validity: Validity::from_bool(verdict.valid),
            },
            ValueOrigin::Consensus,
        ),
        Input::Polka(polka) => cc::Input::PolkaCertificate(core_polka(polka)),
        Input::RoundCertificate(certificate) => cc::Input::RoundCertificate(core_round_certificate(certificate)),
        Input::Timeout(timeout) => cc::Input::TimeoutElapsed(core_timeout(*timeout)),
        Input::Propose { round, block } => cc::Input::Propose(cc::LocallyProposedValue::new(
            CoreHeight(block.block().header.height),
            CoreRound::new(round.get()),
            block.clone(),
        )),
    }
}

/// The inputs that the core logs.
pub(super) fn our_input(input: &cc::Input<Ctx>) -> Option<Input> {
    match input {
        cc::Input::Vote(vote) => our_vote(vote).map(Input::Vote),
        cc::Input::Proposal(proposal) => our_proposal(proposal).map(Input::Proposal),
        cc::Input::PolkaCertificate(polka) => our_polka(polka).map(Input::Polka),
        cc::Input::TimeoutElapsed(timeout) => our_timeout(*timeout).map(Input::Timeout),
        cc::Input::ProposedValue(value, _) => Some(Input::Verdict(Verdict {
            round: our_round(value.round)?,
            valid_round: our_round(value.valid_round),
            proposer: value.proposer.0,
            block: value.value.clone(),
            valid: value.validity.is_valid(),
        })),
        cc::Input::StartHeight(..)
        | cc::Input::RoundCertificate(_)
        | cc::Input::Propose(_)
        | cc::Input::SyncValueResponse(_) => None,
    }
}

/// The proofs of misbehaviour, by validator.
pub(super) fn equivocations(evidence: &cc::MisbehaviorEvidence<Ctx>) -> Vec<Equivocation> {
    let votes = evidence.votes.iter().flat_map(|(_, pairs)| pairs).filter_map(|(first, second)| {
        Some(Equivocation { first: our_vote(first)?.to_statement(), second: our_vote(second)?.to_statement() })
    });
    let proposals = evidence.proposals.iter().flat_map(|(_, pairs)| pairs).filter_map(|(first, second)| {
        let statement = |signed: &ct::SignedProposal<Ctx>| {
            let proposal = signed.message.to_proposal()?;
            Some(SignedStatement { statement: Statement::Proposal(proposal), signature: signed.signature })
        };
        Some(Equivocation { first: statement(first)?, second: statement(second)? })
    });
    votes.chain(proposals).collect()
}
