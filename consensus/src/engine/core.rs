//! Drives Malachite's core: translates inputs, answers its effects, suspends it when a signature is needed.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use arc_malachitebft_core_consensus as cc;
use arc_malachitebft_core_types as ct;
use arc_malachitebft_signing::VerifierExt as _;
use cc::{Effect, Resume};
use ct::{Round as CoreRound, SignedMessage};
use sigeli_verifier::{
    certificate::{CommitCertificate, CommitSignature},
    ids::{BlockId, GenesisHash, Height, Round, Signature, ValidatorAddress},
};

use super::{
    EngineError, Input, Output, SignatureCheck,
    context::{CoreAddress, CoreHeight, CoreProposal, CoreSet, CoreVote, Ctx},
    convert::{
        core_input, equivocations, our_input, our_polka, our_proposal, our_round_certificate, our_timeout, our_vote,
    },
    verifier::{Verifier, at_once},
};
use crate::{statement::Statement, validators::HeightValidators};

type CoreInput = cc::Input<Ctx>;
type CoreState = Box<cc::State<Ctx>>;
type CoreFuture = Pin<Box<dyn Future<Output = Result<(), cc::Error<Ctx>>> + Send>>;
type Generator = cc::r#gen::Gen<Effect<Ctx>, Resume<Ctx>, CoreFuture>;

/// Inputs that the core buffers for later heights: none ever reaches it, so the smallest capacity does.
const CORE_QUEUE_HEIGHTS: usize = 2;
/// Inputs that the core buffers per height, before its first round starts.
const CORE_QUEUE_PER_HEIGHT: usize = 8 * sigeli_verifier::params::VALIDATORS_MAX;
/// Most inputs from the network that wait while the core is suspended; more are dropped, as if lost.
const WAITING_MAX: usize = 4_096;

/// One queued step.
enum Queued {
    Start,
    Input(Box<Input>),
    EndReplay,
}

enum Running {
    /// Between two inputs.
    Idle(CoreState),
    /// Inside an input, waiting for the signature of this statement.
    Suspended(Box<Suspended>, Awaited),
    /// After an error.
    Dead,
}

/// An input in progress. The core borrows its state meanwhile, so the state travels inside and comes back through the
/// slot when the input is done.
struct Suspended {
    generator: Generator,
    state: Arc<Mutex<Option<CoreState>>>,
}

enum Awaited {
    Vote(CoreVote),
    Proposal(CoreProposal),
}

/// Consensus on one height.
pub struct Engine {
    height: Height,
    validators: HeightValidators,
    verifier: Verifier,
    running: Running,
    queue: VecDeque<Queued>,
    replaying: bool,
    address: ValidatorAddress,
    replayed_own: Vec<Input>,
    outputs: Vec<Output>,
    decided: Option<(BlockId, CommitCertificate)>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("height", &self.height)
            .field("replaying", &self.replaying)
            .field("queued", &self.queue.len())
            .finish_non_exhaustive()
    }
}

/// What an engine is made for.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The ledger, which every preimage names.
    pub genesis: GenesisHash,
    /// The height to decide.
    pub height: Height,
    /// Its validators and their proposer order.
    pub validators: HeightValidators,
    /// Our own address.
    pub address: ValidatorAddress,
    /// The signature check.
    pub check: Arc<dyn SignatureCheck>,
}

impl Engine {
    /// Prepares a height; `replay` holds what an earlier run logged at it, in order.
    ///
    /// [`Engine::start`] must follow.
    #[must_use]
    pub fn new(config: EngineConfig, replay: Vec<Input>) -> Self {
        let set = CoreSet::new(config.validators.clone());
        let params = cc::Params {
            address: CoreAddress(config.address),
            threshold_params: cc::ThresholdParams::default(),
            // The proposal carries the whole block, but only in this mode does the core ask for its validity.
            value_payload: ct::ValuePayload::ProposalAndParts,
            enabled: true,
        };
        let mut state =
            cc::State::new(Ctx, CoreHeight(config.height), set, params, CORE_QUEUE_HEIGHTS, CORE_QUEUE_PER_HEIGHT);
        let mut queue = VecDeque::from([Queued::Start]);
        let replaying = !replay.is_empty();
        let is_own = |input: &&Input| match input {
            Input::Vote(vote) => vote.vote.validator == config.address,
            Input::Proposal(proposal) => proposal.proposer == config.address,
            _ => false,
        };
        let replayed_own = replay.iter().filter(is_own).cloned().collect();
        if replaying {
            let entries: Vec<_> = replay.iter().map(core_input).collect();
            state.index_wal_entries(entries.iter());
            queue.extend(replay.into_iter().map(|input| Queued::Input(Box::new(input))));
        }
        queue.push_back(Queued::EndReplay);
        Self {
            height: config.height,
            validators: config.validators,
            verifier: Verifier { genesis: config.genesis, check: config.check, fresh: None },
            running: Running::Idle(Box::new(state)),
            queue,
            replaying,
            address: config.address,
            replayed_own,
            outputs: Vec::new(),
            decided: None,
        }
    }

    /// Starts the height and replays what was logged.
    ///
    /// # Errors
    /// [`EngineError`]: the node must stop.
    pub fn start(&mut self) -> Result<Vec<Output>, EngineError> {
        self.run()
    }

    /// Takes one input. While a signature is awaited the input waits in a bounded queue.
    ///
    /// # Errors
    /// [`EngineError`]: the node must stop.
    pub fn on_input(&mut self, input: Input) -> Result<Vec<Output>, EngineError> {
        let local = matches!(input, Input::Timeout(_) | Input::Propose { .. } | Input::Verdict(_));
        if local || self.queue.len() < WAITING_MAX {
            self.queue.push_back(Queued::Input(Box::new(input)));
        }
        self.run()
    }

    /// Takes the signature of the statement that the last [`Output::Sign`] asked for.
    ///
    /// # Errors
    /// [`EngineError::UnexpectedSignature`] when none is awaited, and all others: the node must stop.
    pub fn on_signature(&mut self, signature: Signature) -> Result<Vec<Output>, EngineError> {
        match std::mem::replace(&mut self.running, Running::Dead) {
            Running::Suspended(step, awaited) => {
                let resume = match awaited {
                    Awaited::Vote(vote) => Resume::SignedVote(SignedMessage::new(vote, signature)),
                    Awaited::Proposal(proposal) => Resume::SignedProposal(SignedMessage::new(proposal, signature)),
                };
                self.advance(step, resume)?;
                self.run()
            }
            Running::Idle(_) | Running::Dead => Err(EngineError::UnexpectedSignature { height: self.height }),
        }
    }

    /// Whether a signature is awaited.
    #[must_use]
    pub const fn is_suspended(&self) -> bool {
        matches!(self.running, Running::Suspended(..))
    }

    /// The current round; `None` before the start and while a signature is awaited.
    #[must_use]
    pub fn round(&self) -> Option<Round> {
        match &self.running {
            Running::Idle(state) => state.round().as_u32().map(Round::new),
            Running::Suspended(..) | Running::Dead => None,
        }
    }

    /// Whether no prevote of ours can be influenced any more in this round; `false` while a signature is awaited.
    #[must_use]
    pub fn is_past_prevote(&self, round: Round) -> bool {
        match &self.running {
            Running::Idle(state) => {
                let current = state.round().as_u32().map(Round::new);
                current > Some(round)
                    || (current == Some(round)
                        && (state.driver.step_is_prevote()
                            || state.driver.step_is_precommit()
                            || state.driver.step_is_commit()))
            }
            Running::Suspended(..) | Running::Dead => false,
        }
    }

    /// Whether the core waits for a value to propose in this round.
    #[must_use]
    pub fn awaits_value(&self, round: Round) -> bool {
        match &self.running {
            Running::Idle(state) => {
                state.round().as_u32().map(Round::new) == Some(round) && state.driver.step_is_propose()
            }
            Running::Suspended(..) | Running::Dead => false,
        }
    }

    fn run(&mut self) -> Result<Vec<Output>, EngineError> {
        while let Running::Idle(state) = &mut self.running {
            let Some(next) = self.queue.pop_front() else { break };
            let input = match next {
                Queued::Start => Some(cc::Input::StartHeight(
                    CoreHeight(self.height),
                    CoreSet::new(self.validators.clone()),
                    false,
                    None,
                    ct::VoteExtensionPolicy::Disabled,
                )),
                Queued::EndReplay => {
                    state.reset_entries_index();
                    self.replaying = false;
                    self.replayed_own = Vec::new();
                    self.outputs.push(Output::Replayed);
                    None
                }
                Queued::Input(input) => {
                    self.verifier.expect_fresh(&input, self.replaying);
                    Some(core_input(&input))
                }
            };
            if let Some(input) = input {
                self.feed(input)?;
            }
        }
        Ok(std::mem::take(&mut self.outputs))
    }

    fn feed(&mut self, input: CoreInput) -> Result<(), EngineError> {
        let Running::Idle(mut state) = std::mem::replace(&mut self.running, Running::Dead) else {
            return Err(EngineError::Impossible { height: self.height, what: "an input inside an input" });
        };
        let slot = Arc::new(Mutex::new(None));
        let back = Arc::clone(&slot);
        let generator = Generator::new(|co| {
            let future: CoreFuture = Box::pin(async move {
                let result = cc::handle(co, &mut state, &(), input).await;
                *back.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
                result
            });
            future
        });
        self.advance(Box::new(Suspended { generator, state: slot }), Resume::Start)
    }

    /// Runs the core until it completes the input or needs a signature.
    fn advance(&mut self, mut step: Box<Suspended>, mut resume: Resume<Ctx>) -> Result<(), EngineError> {
        loop {
            match step.generator.resume_with(resume) {
                cc::r#gen::CoResult::Yielded(Effect::SignVote(vote, _)) => {
                    let statement = Statement::Vote(vote.to_vote().ok_or_else(|| self.impossible("vote round"))?);
                    self.outputs.push(Output::Sign(statement));
                    self.running = Running::Suspended(step, Awaited::Vote(vote));
                    return Ok(());
                }
                cc::r#gen::CoResult::Yielded(Effect::SignProposal(proposal, _)) => {
                    let inner = proposal.to_proposal().ok_or_else(|| self.impossible("proposal round"))?;
                    self.outputs.push(Output::Sign(Statement::Proposal(inner)));
                    self.running = Running::Suspended(step, Awaited::Proposal(proposal));
                    return Ok(());
                }
                cc::r#gen::CoResult::Yielded(effect) => resume = self.on_effect(effect)?,
                cc::r#gen::CoResult::Complete(result) => {
                    self.verifier.fresh = None;
                    result.map_err(|error| self.core_error(&error))?;
                    let state = step.state.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let state = state.ok_or_else(|| self.impossible("lost state"))?;
                    self.running = Running::Idle(state);
                    return Ok(());
                }
            }
        }
    }

    /// Answers every effect but the two that sign.
    fn on_effect(&mut self, effect: Effect<Ctx>) -> Result<Resume<Ctx>, EngineError> {
        Ok(match effect {
            Effect::CancelAllTimeouts(_) => self.emit(Output::CancelAllTimers),
            Effect::CancelTimeout(timeout, _) => match our_timeout(timeout) {
                Some(timeout) => self.emit(Output::CancelTimer(timeout)),
                None => Resume::Continue,
            },
            Effect::ScheduleTimeout(timeout, _) => {
                let timeout = our_timeout(timeout).ok_or_else(|| self.impossible("timeout"))?;
                self.emit(Output::SetTimer(timeout))
            }
            Effect::StartRound(_, round, proposer, _, _) => {
                let round = self.our_round(round)?;
                self.emit(Output::RoundStarted { round, proposer: proposer.0 })
            }
            Effect::PublishConsensusMsg(cc::SignedConsensusMsg::Vote(vote), _)
            | Effect::PublishLivenessMsg(cc::LivenessMsg::Vote(vote), _)
            | Effect::RepublishVote(vote, _) => {
                let vote = our_vote(&vote).ok_or_else(|| self.impossible("vote"))?;
                self.emit(Output::PublishVote(vote))
            }
            Effect::PublishConsensusMsg(cc::SignedConsensusMsg::Proposal(proposal), _) => {
                let proposal = our_proposal(&proposal).ok_or_else(|| self.impossible("proposal"))?;
                self.emit(Output::PublishProposal(proposal))
            }
            Effect::PublishLivenessMsg(cc::LivenessMsg::PolkaCertificate(polka), _) => {
                let polka = our_polka(&polka).ok_or_else(|| self.impossible("polka"))?;
                self.emit(Output::PublishPolka(polka))
            }
            Effect::PublishLivenessMsg(cc::LivenessMsg::SkipRoundCertificate(certificate), _)
            | Effect::RepublishRoundCertificate(certificate, _) => {
                let certificate =
                    our_round_certificate(&certificate).ok_or_else(|| self.impossible("round certificate"))?;
                self.emit(Output::PublishRoundCertificate(certificate))
            }
            Effect::GetValue(_, round, _, _) => {
                let round = self.our_round(round)?;
                self.emit(Output::GetValue { round })
            }
            // A proposal carries its whole block: there is nothing to stream again.
            Effect::RestreamProposal(..) => Resume::Continue,
            // Sync goes past the core: it never holds a synced value.
            Effect::CertVerifiedSyncValue(_, _, _) => Resume::Continue,
            Effect::CertRejectedSyncValue(_, _, _, _) => Resume::Continue,
            Effect::WalAppend(_, input, _) => {
                let input = our_input(&input).ok_or_else(|| self.impossible("WAL entry"))?;
                if self.replaying && !self.is_new_own_message(&input) {
                    Resume::Continue
                } else {
                    self.emit(Output::Log(input))
                }
            }
            Effect::Decide(certificate, _, _) => {
                self.decided = Some((certificate.value_id, self.commit_certificate(&certificate)?));
                Resume::Continue
            }
            Effect::Finalize(_, _, evidence, _) => {
                let (block, certificate) = self.decided.take().ok_or_else(|| self.impossible("decision"))?;
                let equivocations = equivocations(&evidence);
                self.emit(Output::Decided { block, certificate, equivocations })
            }
            // Vote extensions are disabled: their type is `()`, and a vote never carries one.
            Effect::ExtendVote(..) => Resume::VoteExtension(None),
            Effect::VerifyVoteExtension(..) => {
                Resume::VoteExtensionValidity(Err(cc::VoteExtensionError::InvalidVoteExtension))
            }
            Effect::VerifySignature(message, key, _) => Resume::SignatureValidity(self.verifier.verify(&message, &key)),
            Effect::VerifyCommitCertificate(certificate, set, thresholds, _) => Resume::CertificateValidity(at_once(
                self.verifier.verify_commit_certificate(&Ctx, &certificate, &set, thresholds),
            )),
            Effect::VerifyExtendedCommitCertificate(certificate, set, thresholds, policy, _) => {
                Resume::CertificateValidity(at_once(self.verifier.verify_extended_commit_certificate(
                    &Ctx,
                    &certificate,
                    &set,
                    thresholds,
                    policy,
                )))
            }
            Effect::VerifyPolkaCertificate(certificate, set, thresholds, _) => Resume::CertificateValidity(at_once(
                self.verifier.verify_polka_certificate(&Ctx, &certificate, &set, thresholds),
            )),
            Effect::VerifyRoundCertificate(certificate, set, thresholds, _) => Resume::CertificateValidity(at_once(
                self.verifier.verify_round_certificate(&Ctx, &certificate, &set, thresholds),
            )),
            Effect::SignVote(..) | Effect::SignProposal(..) => return Err(self.impossible("signing effect")),
        })
    }

    /// Whether the replay made a message of ours that the WAL does not hold: the run before crashed between its
    /// signature and the next sync. It must be logged now, for its slot may soon lie below the highest signed one.
    fn is_new_own_message(&self, input: &Input) -> bool {
        let own = match input {
            Input::Vote(vote) => vote.vote.validator == self.address,
            Input::Proposal(proposal) => proposal.proposer == self.address,
            _ => false,
        };
        own && !self.replayed_own.contains(input)
    }

    fn emit(&mut self, output: Output) -> Resume<Ctx> {
        self.outputs.push(output);
        Resume::Continue
    }

    fn commit_certificate(&self, certificate: &ct::CommitCertificate<Ctx>) -> Result<CommitCertificate, EngineError> {
        let signatures = certificate
            .commit_signatures
            .iter()
            .map(|entry| {
                let validator = self.validators.position(&entry.address.0)?;
                Some(CommitSignature { validator, signature: entry.signature })
            })
            .collect::<Option<Vec<_>>>();
        let round = self.our_round(certificate.round)?;
        signatures
            .and_then(|signatures| CommitCertificate::new(round, signatures))
            .ok_or_else(|| self.impossible("commit certificate"))
    }

    fn our_round(&self, round: CoreRound) -> Result<Round, EngineError> {
        round.as_u32().map(Round::new).ok_or_else(|| self.impossible("round"))
    }

    const fn impossible(&self, what: &'static str) -> EngineError {
        EngineError::Impossible { height: self.height, what }
    }

    fn core_error(&self, error: &cc::Error<Ctx>) -> EngineError {
        let (height, reason) = (self.height, error.to_string());
        match error {
            cc::Error::ReplayDivergence(..) => EngineError::ReplayDivergence { height, reason },
            _ => EngineError::Core { height, reason },
        }
    }
}
