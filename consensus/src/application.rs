//! The real ledger behind [`Application`]: the chain over any store, and the mempool before it.

use std::sync::Arc;

use sigeli_ledger::{
    chain::{Chain, CommitError, ExecutedBlock, ValidateError},
    outcome::{CheckError, Rejection},
    store::{Snapshot as _, Store, StoreError},
};
use sigeli_verifier::{
    block::Block,
    certificate::CommitCertificate,
    ids::{BlockId, Height, TimeMs, TransactionId},
    transaction::SignedTransaction,
};

use crate::{
    mempool::{Mempool, PoolRefusal},
    ports::{Application, CommitOutcome, CommittedBlock, Fatal, Head, ProposeContext, Validity},
    validators::HeightValidators,
};

/// Most executed blocks of one height that are kept. What is dropped is executed again.
const EXECUTED_MAX: usize = 8;
/// How many of the oldest pooled transactions are judged again after each commit: one that has become impossible must not
/// wake the network for ever.
const RECHECKED_MAX: usize = 64;

/// The ledger and its mempool.
#[derive(Debug)]
pub struct LedgerApplication<S: Store> {
    chain: Chain<S>,
    pool: Mempool,
    validators: HeightValidators,
    executed: Vec<(BlockId, ExecutedBlock)>,
    refused: Vec<(TransactionId, Rejection)>,
}

/// What became of a transaction that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is new and waits in the pool.
    Pooled,
    /// It waits there already.
    Known,
    /// There is no room for it now.
    Full,
    /// The ledger refuses it.
    Rejected(Rejection),
}

fn storage(error: &StoreError) -> Fatal {
    let what = match error {
        StoreError::Io { operation, .. } => operation,
        StoreError::Corrupt { what } => what,
        StoreError::OutOfOrder { .. } => "a height out of order",
        StoreError::UpgradeNeeded { version, height } => {
            return Fatal::UpgradeNeeded { version: *version, height: *height };
        }
        StoreError::Dead => "the store after an earlier failure",
    };
    Fatal::Storage { what }
}

fn height_validators<S: Store>(chain: &Chain<S>) -> Result<HeightValidators, Fatal> {
    let set = chain.validators();
    let order = chain.schedule().order(set, chain.next_height());
    Ok(HeightValidators::new(set.clone(), &order)?)
}

impl<S: Store> LedgerApplication<S> {
    /// Takes an open chain.
    ///
    /// # Errors
    /// [`Fatal::Order`], when the stored proposer schedule does not fit the validators.
    pub fn new(chain: Chain<S>) -> Result<Self, Fatal> {
        let validators = height_validators(&chain)?;
        Ok(Self { chain, pool: Mempool::default(), validators, executed: Vec::new(), refused: Vec::new() })
    }

    /// The chain.
    pub const fn chain(&self) -> &Chain<S> {
        &self.chain
    }

    /// The pool.
    pub const fn pool(&self) -> &Mempool {
        &self.pool
    }

    /// Gives the chain back.
    pub fn into_chain(self) -> Chain<S> {
        self.chain
    }

    /// Judges a transaction against the newest state and takes it into the pool.
    ///
    /// # Errors
    /// [`Fatal::Storage`].
    pub fn admit(&mut self, transaction: SignedTransaction, now: TimeMs) -> Result<Admission, Fatal> {
        match self.pool.check_room(&transaction) {
            Ok(()) => {}
            Err(PoolRefusal::Known) => return Ok(Admission::Known),
            Err(PoolRefusal::Full | PoolRefusal::SenderFull) => return Ok(Admission::Full),
        }
        match self.chain.check(&transaction, now) {
            Ok(()) => {}
            Err(CheckError::Rejected(rejection)) => return Ok(Admission::Rejected(rejection)),
            Err(CheckError::Store(error)) => return Err(storage(&error)),
        }
        Ok(self.pool.admit(transaction).map_or(Admission::Full, |()| Admission::Pooled))
    }

    /// Transactions that were pooled and then refused, since the last call.
    pub fn take_refused(&mut self) -> Vec<(TransactionId, Rejection)> {
        std::mem::take(&mut self.refused)
    }

    /// Refuses a pooled transaction that the committed state refuses. One that only the block under construction excludes
    /// stays: that block may never be committed.
    fn refuse_if_hopeless(&mut self, id: TransactionId, now: TimeMs) -> Result<(), Fatal> {
        let Some(transaction) = self.pool.get(&id).cloned() else { return Ok(()) };
        match self.chain.check(&transaction, now) {
            Ok(()) => Ok(()),
            Err(CheckError::Rejected(rejection)) => {
                self.pool.remove(&id);
                self.refused.push((id, rejection));
                Ok(())
            }
            Err(CheckError::Store(error)) => Err(storage(&error)),
        }
    }

    fn keep(&mut self, executed: ExecutedBlock) {
        if self.executed.len() >= EXECUTED_MAX {
            self.executed.remove(0);
        }
        self.executed.push((executed.id(), executed));
    }

    fn find(&self, id: &BlockId) -> Option<&ExecutedBlock> {
        self.executed.iter().find(|(known, _)| known == id).map(|(_, executed)| executed)
    }

    /// Takes out of the pool what the new head has committed or made impossible.
    fn clean_pool(&mut self, block: &Block) -> Result<(), Fatal> {
        for transaction in &block.transactions {
            self.pool.remove(&transaction.id());
        }
        let time = block.header.time;
        for (valid_until, id) in self.pool.expire(time) {
            self.refused.push((id, Rejection::Expired { valid_until, time }));
        }
        let oldest: Vec<_> = self.pool.iter().take(RECHECKED_MAX).map(|transaction| transaction.id()).collect();
        for id in oldest {
            self.refuse_if_hopeless(id, time)?;
        }
        Ok(())
    }
}

impl<S: Store> Application for LedgerApplication<S> {
    fn head(&self) -> Head {
        let head = self.chain.head();
        Head {
            genesis: head.header.genesis,
            height: head.header.height,
            id: head.id,
            time: head.header.time,
            validators: self.validators.clone(),
        }
    }

    fn has_transactions(&self) -> bool {
        !self.pool.is_empty()
    }

    fn propose(&mut self, context: &ProposeContext) -> Result<Block, Fatal> {
        let candidates = self.pool.iter().map(|transaction| transaction.as_ref().clone());
        let proposed = self
            .chain
            .propose(candidates, context.now, context.creator, context.round)
            .map_err(|error| storage(&error))?;
        for (id, _) in proposed.rejected {
            self.refuse_if_hopeless(id, context.now)?;
        }
        let block = Block::clone(proposed.executed.block());
        self.keep(proposed.executed);
        Ok(block)
    }

    fn validate(&mut self, block: &Block, live: Option<TimeMs>) -> Result<Validity, Fatal> {
        if self.find(&block.header.id()).is_none() {
            match self.chain.validate(block.clone()) {
                Ok(executed) => self.keep(executed),
                Err(ValidateError::Invalid(_) | ValidateError::Transient(_)) => {
                    return Ok(Validity::Invalid { reason: "the ledger's rules refuse it" });
                }
                Err(ValidateError::Store(error)) => return Err(storage(&error)),
            }
        }
        let bound = u64::from(self.chain.genesis().consensus().clock_bound_ms);
        match live {
            Some(now) if block.header.time.get().abs_diff(now.get()) > bound => Ok(Validity::Untimely),
            _ => Ok(Validity::Valid),
        }
    }

    fn commit(&mut self, block: Arc<Block>, certificate: CommitCertificate) -> Result<CommitOutcome, Fatal> {
        let id = block.header.id();
        let executed = match self.find(&id).cloned() {
            Some(executed) => executed,
            None => self.chain.validate(Arc::clone(&block)).map_err(|error| match error {
                ValidateError::Store(error) => storage(&error),
                ValidateError::Invalid(_) | ValidateError::Transient(_) => {
                    Fatal::Application { what: "a block to be committed is invalid" }
                }
            })?,
        };
        self.executed.clear();
        self.chain.commit(executed, certificate).map_err(|error| match error {
            CommitError::Store(error) => storage(&error),
            CommitError::NotChild => Fatal::Application { what: "a block to be committed is not the head's child" },
            CommitError::Certificate(_) => Fatal::OwnCertificate { height: block.header.height },
        })?;
        self.clean_pool(&block)?;
        self.validators = height_validators(&self.chain)?;
        Ok(CommitOutcome { validators: self.validators.clone() })
    }

    fn block_at(&self, height: Height) -> Result<Option<CommittedBlock>, Fatal> {
        if height == Height::new(0) {
            return Ok(None);
        }
        let found = self.chain.snapshot().block(height).map_err(|error| storage(&error))?;
        Ok(found.map(|(block, certificate)| CommittedBlock { block: Arc::new(block), certificate }))
    }
}
