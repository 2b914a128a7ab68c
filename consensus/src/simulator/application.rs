//! A small deterministic state machine for tests: it counts, and executes no transaction.

use std::{collections::BTreeMap, sync::Arc};

use sigeli_verifier::{
    block::{Block, Header, transactions_root},
    certificate::CommitCertificate,
    ids::{BlockId, GenesisHash, Height, HistoryRoot, Round, StateRoot, TimeMs, ValidatorAddress},
    params::PROTOCOL_VERSION,
    validators::ValidatorSet,
};

use super::{ApplicationFactory, SimulatedGenesis};
use crate::{
    ports::{Application, CommitOutcome, CommittedBlock, Fatal, Head, ProposeContext, Validity},
    proposer::Schedule,
    validators::HeightValidators,
};

/// How far a live block's time may be from the clock, in milliseconds.
const CLOCK_BOUND_MS: u64 = 2_000;

/// The test application. Its state is the hash of all block times; its validators change as its factory says.
#[derive(Debug, Clone)]
pub struct TestApplication {
    genesis: SimulatedGenesis,
    changes: Arc<BTreeMap<Height, ValidatorSet>>,
    busy: bool,
    blocks: Vec<CommittedBlock>,
    parent: BlockId,
    time: TimeMs,
    state: StateRoot,
    set: ValidatorSet,
    schedule: Schedule,
}

impl TestApplication {
    fn height(&self) -> Height {
        Height::new(u64::try_from(self.blocks.len()).unwrap_or(u64::MAX))
    }

    /// The set of a height: that of the latest change at or below it.
    fn set_at(&self, height: Height) -> ValidatorSet {
        self.changes
            .range(..=height)
            .next_back()
            .map_or_else(|| self.genesis.validators.clone(), |(_, set)| set.clone())
    }

    fn state_after(&self, time: TimeMs) -> StateRoot {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.state.as_bytes()).update(&time.get().to_le_bytes());
        StateRoot::new(*hasher.finalize().as_bytes())
    }

    fn header(&self, time: TimeMs, creator: ValidatorAddress, round: Round) -> Header {
        let height = self.height().next();
        Header {
            version: PROTOCOL_VERSION,
            genesis: self.genesis.genesis,
            height,
            time,
            parent: self.parent,
            creator,
            round,
            transactions_root: transactions_root(&[]),
            state_root: self.state_after(time),
            history_root: HistoryRoot::new([0; 32]),
            validators: self.set.hash(),
            next_validators: self.set_at(height.next()).hash(),
        }
    }

    fn order(&self) -> HeightValidators {
        let order = self.schedule.order(&self.set, self.height().next());
        HeightValidators::new(self.set.clone(), &order).expect("the schedule orders exactly its set")
    }

    /// All committed blocks, from height 1.
    #[must_use]
    pub fn blocks(&self) -> &[CommittedBlock] {
        &self.blocks
    }
}

impl Application for TestApplication {
    fn head(&self) -> Head {
        Head {
            genesis: self.genesis.genesis,
            height: self.height(),
            id: self.parent,
            time: self.time,
            validators: self.order(),
        }
    }

    fn has_transactions(&self) -> bool {
        self.busy
    }

    fn propose(&mut self, context: &ProposeContext) -> Result<Block, Fatal> {
        let time = TimeMs::new(context.now.get().max(self.time.get().saturating_add(1)));
        Ok(Block { header: self.header(time, context.creator, context.round), transactions: Vec::new() })
    }

    fn validate(&mut self, block: &Block, live: Option<TimeMs>) -> Result<Validity, Fatal> {
        let header = &block.header;
        if *header != self.header(header.time, header.creator, header.round) || !block.transactions.is_empty() {
            return Ok(Validity::Invalid { reason: "header" });
        }
        if header.time <= self.time {
            return Ok(Validity::Invalid { reason: "time" });
        }
        match live {
            Some(now) if header.time.get().abs_diff(now.get()) > CLOCK_BOUND_MS => Ok(Validity::Untimely),
            _ => Ok(Validity::Valid),
        }
    }

    fn commit(&mut self, block: Arc<Block>, certificate: CommitCertificate) -> Result<CommitOutcome, Fatal> {
        if self.validate(&block, None)? != Validity::Valid {
            return Err(Fatal::Application { what: "an invalid block was committed" });
        }
        self.schedule = self.schedule.after_block(&self.set, &block.header);
        self.parent = block.header.id();
        self.time = block.header.time;
        self.state = block.header.state_root;
        self.blocks.push(CommittedBlock { block, certificate });
        self.set = self.set_at(self.height().next());
        Ok(CommitOutcome { validators: self.order() })
    }

    fn block_at(&self, height: Height) -> Result<Option<CommittedBlock>, Fatal> {
        let position = height.get().checked_sub(1).and_then(|position| usize::try_from(position).ok());
        Ok(position.and_then(|position| self.blocks.get(position)).cloned())
    }
}

/// Makes test applications.
#[derive(Debug, Clone, Default)]
pub struct TestFactory {
    /// Validator sets by the height from which they decide; before the first the genesis set does.
    pub changes: Arc<BTreeMap<Height, ValidatorSet>>,
    /// Whether there is always something to commit; otherwise only the heartbeat makes blocks.
    pub idle: bool,
}

impl ApplicationFactory for TestFactory {
    type Application = TestApplication;

    fn found(&mut self, _: &ValidatorSet, _: TimeMs) -> GenesisHash {
        GenesisHash::new(*blake3::hash(b"simulated ledger").as_bytes())
    }

    fn submit(&mut self, _: usize, _: &mut TestApplication, _: TimeMs) -> bool {
        false
    }

    fn create(&mut self, _: usize, genesis: &SimulatedGenesis) -> TestApplication {
        TestApplication {
            genesis: genesis.clone(),
            changes: Arc::clone(&self.changes),
            busy: !self.idle,
            blocks: Vec::new(),
            parent: BlockId::new([0; 32]),
            time: genesis.time,
            state: StateRoot::new([0; 32]),
            set: genesis.validators.clone(),
            schedule: Schedule::new(),
        }
    }

    fn copy(&mut self, application: &TestApplication) -> Option<TestApplication> {
        Some(application.clone())
    }

    fn build_at(&mut self, application: &mut TestApplication, mut block: Block, time: TimeMs) -> Result<Block, Fatal> {
        (block.header.time, block.header.state_root) = (time, application.state_after(time));
        Ok(block)
    }

    fn reopen(&mut self, _: usize, crashed: TestApplication) -> TestApplication {
        crashed
    }
}
