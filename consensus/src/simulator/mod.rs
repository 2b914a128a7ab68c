//! A whole network under virtual time: seeded faults, the real [`crate::driver::Driver`], independent checkers.
//!
//! Everything random comes from the seed, so that a run repeats bit for bit ([`Report::trace`]). Storage is modelled with
//! its durable prefix: a crash loses what was not synced. The checkers see what is sent and what is committed, never the
//! drivers' insides: agreement, certificates (by `sigeli_verifier`), no key signing twice, progress after the faults end.
//!
//! The network is generic over the application: [`TestApplication`] is a small state machine for tests only; the real
//! ledger plugs in through [`ApplicationFactory`].

mod application;
mod checker;
mod faults;
mod network;
mod storage;

use std::{collections::HashMap, sync::Mutex};

use sigeli_verifier::{
    crypto::PublicKey,
    ids::{GenesisHash, Signature, TimeMs},
    validators::ValidatorSet,
};

pub use self::{
    application::{TestApplication, TestFactory},
    checker::Violation,
    faults::{Crash, CrashPoint, FaultCounts, FaultPlan, HomeCopy, Random, Window, Wipe},
    network::{Report, Simulation, SimulationConfig},
    storage::{MemorySignState, MemoryWal},
};
use crate::{
    engine::{SignatureCheck, StrictCheck},
    ports::Application,
};

/// What all nodes of a simulated ledger start from.
#[derive(Debug, Clone)]
pub struct SimulatedGenesis {
    /// The ledger.
    pub genesis: GenesisHash,
    /// Its time.
    pub time: TimeMs,
    /// Its validators.
    pub validators: ValidatorSet,
}

/// Makes and restarts the applications of a simulated network.
pub trait ApplicationFactory {
    /// The application.
    type Application: Application;

    /// Founds a ledger of these validators at this time.
    fn found(&mut self, validators: &ValidatorSet, time: TimeMs) -> GenesisHash;

    /// Hands a node something to commit, if it likes: asked after its start and after each of its commits. Whether the
    /// application has taken something.
    fn submit(&mut self, node: usize, application: &mut Self::Application, now: TimeMs) -> bool;

    /// A new application at genesis.
    fn create(&mut self, node: usize, genesis: &SimulatedGenesis) -> Self::Application;

    /// A copy of what is durable of an application, for a node whose home is copied; `None` if this application has none.
    fn copy(&mut self, _application: &Self::Application) -> Option<Self::Application> {
        None
    }

    /// The application after a crash: only what was durable is left.
    fn reopen(&mut self, node: usize, crashed: Self::Application) -> Self::Application;
}

/// The strict check with a memory of its answers, shared by all simulated nodes: each of them would compute the same.
#[derive(Debug, Default)]
pub struct RememberingCheck {
    answers: Mutex<HashMap<[u8; 32], bool>>,
}

impl SignatureCheck for RememberingCheck {
    fn check(&self, key: &PublicKey, preimage: &[u8], signature: &Signature) -> bool {
        let mut hasher = blake3::Hasher::new();
        hasher.update(key.as_bytes()).update(signature.as_bytes()).update(preimage);
        let name = *hasher.finalize().as_bytes();
        let mut answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *answers.entry(name).or_insert_with(|| StrictCheck.check(key, preimage, signature))
    }
}
