//! A whole network under virtual time: seeded faults, the real [`crate::driver::Driver`], independent checkers.
//!
//! Everything random comes from the seed, so that a run repeats bit for bit ([`Report::trace`]). Storage is modelled with
//! its durable prefix: a crash loses what was not synced. The checkers see what is sent, stored and committed, never the
//! drivers' insides: agreement, certificates (by `sigeli_verifier` and counted anew), no key signing twice, nothing released
//! before it is durable, proposers in turn, block times near correct clocks, progress after the faults end; at the end of
//! a run validity by building every block again, no transaction twice, and all that was acknowledged proved on every node.
//!
//! [`campaign`] draws runs of every kind from seeds.
//!
//! The network is generic over the application: [`TestApplication`] is a small state machine for tests only; the real
//! ledger plugs in through [`ApplicationFactory`].

mod application;
mod audit;
pub mod campaign;
mod checker;
mod damage;
mod faults;
mod misdeeds;
mod network;
mod storage;
mod transit;
mod turns;

use std::{collections::HashMap, sync::Mutex};

use sigeli_verifier::{
    block::{Block, Header},
    crypto::PublicKey,
    ids::{GenesisHash, Signature, TimeMs},
    validators::ValidatorSet,
};

pub use self::{
    application::{TestApplication, TestFactory},
    checker::Violation,
    faults::{ClockFault, Crash, CrashPoint, FaultCounts, FaultPlan, Flaw, HomeCopy, Misdeed, Random, Window, Wipe},
    network::{Report, Simulation, SimulationConfig},
    storage::{MemorySignState, MemoryWal},
};
use crate::{
    engine::{SignatureCheck, StrictCheck},
    ports::{Application, Fatal, ProposeContext},
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

    /// Builds, on a new application at the block's parent, a block of the same transactions, creator, round and time. It
    /// must be the same block: what it says of the state is then what its transactions give. `None` when the application
    /// does not take the transactions. Unless overridden it builds a block without any.
    ///
    /// # Errors
    /// [`Fatal`].
    fn rebuild(&mut self, application: &mut Self::Application, block: &Block) -> Result<Option<Block>, Fatal> {
        let Header { height, round, time: now, creator, .. } = block.header;
        application.propose(&ProposeContext { height, round, now, creator }).map(Some)
    }

    /// A block of this time that a liar builds on its head in place of an honest one, its state executed, so that only its
    /// time is wrong.
    ///
    /// # Errors
    /// [`Fatal`].
    fn build_at(&mut self, application: &mut Self::Application, block: Block, time: TimeMs) -> Result<Block, Fatal>;

    /// Whether all that a node was told to be committed, by any node at any time in the run, is there and can be proved:
    /// asked for each node at the end of a run. Otherwise what is missing.
    ///
    /// # Errors
    /// What is missing or not proved.
    fn check_acknowledged(&mut self, _application: &Self::Application) -> Result<(), &'static str> {
        Ok(())
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
