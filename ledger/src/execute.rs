//! One block over one state: transactions in, writes and roots out. Nothing is written here.
//!
//! [`Executor`] judges a transaction completely before it changes anything, so a refused one leaves no trace and the
//! proposer may go on with the next.

use alloc::{collections::BTreeSet, vec::Vec};

use sigeli_verifier::{
    block::Header,
    ids::{
        BlockId, GenesisHash, Height, HistoryRoot, Round, StateRoot, TimeMs, TransactionId, TransactionsRoot,
        ValidatorAddress, ValidatorSetHash,
    },
    params::PROTOCOL_VERSION,
    state::StateRoots,
    transaction::SignedTransaction,
};

use crate::{
    check::{SignatureMemory, Terms, check_stateful, check_stateless},
    outcome::{CheckError, Rejection},
    schedule::Schedule,
    state::{Finished, Overlay, Registry, View, Write},
    store::{Snapshot, StateWrites, StoreError},
    tree::NodeReader,
};

/// What a block's place, and not its transactions, decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockContext {
    /// The ledger.
    pub genesis: GenesisHash,
    /// The block's height.
    pub height: Height,
    /// The block's time: ledger time.
    pub time: TimeMs,
    /// The validator that built it.
    pub creator: ValidatorAddress,
    /// The round in which it was built.
    pub round: Round,
}

/// What a block did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// State entries to write.
    pub writes: StateWrites,
    /// The root over all registers.
    pub state_root: StateRoot,
    /// The roots of the registers.
    pub roots: StateRoots,
    /// Who may take part from the next height on, and who commits it.
    pub registry: Registry,
    /// The proposer schedule of the next height.
    pub schedule: Schedule,
}

/// A block under execution.
#[derive(Debug)]
pub struct Executor<'a, S> {
    snapshot: &'a S,
    overlay: Overlay<'a, S>,
    context: BlockContext,
    terms: Terms,
    included: BTreeSet<TransactionId>,
}

impl<'a, S: Snapshot> Executor<'a, S> {
    /// Starts a block over the state of its parent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new(snapshot: &'a S, context: BlockContext) -> Result<Self, StoreError> {
        let view = View::new(snapshot);
        let BlockContext { genesis, height, time, .. } = context;
        check_version(&view, height)?;
        let terms = Terms { genesis, height, time, policy: view.policy()? };
        Ok(Self { snapshot, overlay: Overlay::new(snapshot), context, terms, included: BTreeSet::new() })
    }

    /// Judges a transaction without including it.
    ///
    /// # Errors
    /// [`CheckError`].
    pub fn check(&self, transaction: &SignedTransaction, signatures: &mut SignatureMemory) -> Result<(), CheckError> {
        self.judge(transaction, signatures).map(|_| ())
    }

    fn judge(
        &self,
        transaction: &SignedTransaction,
        signatures: &mut SignatureMemory,
    ) -> Result<Vec<Write>, CheckError> {
        check_stateless(transaction, &self.terms.genesis, self.terms.time)?;
        self.check_new(transaction)?;
        check_stateful(&self.overlay, &self.terms, transaction, signatures)
    }

    /// Step 2: whether the transaction is in this block or an earlier one. See [`crate::check`] for why the whole index
    /// serves.
    fn check_new(&self, transaction: &SignedTransaction) -> Result<(), CheckError> {
        let id = transaction.id();
        if self.included.contains(&id) {
            return Err(Rejection::AlreadyInBlock { id }.into());
        }
        match self.snapshot.transaction(&id)? {
            Some(place) => Err(Rejection::AlreadyCommitted { height: place.height }.into()),
            None => Ok(()),
        }
    }

    /// Judges a transaction and includes it. A refused one changes nothing.
    ///
    /// # Errors
    /// [`CheckError`].
    pub fn include(
        &mut self,
        transaction: &SignedTransaction,
        signatures: &mut SignatureMemory,
    ) -> Result<(), CheckError> {
        let writes = self.judge(transaction, signatures)?;
        self.apply(writes)?;
        self.included.insert(transaction.id());
        Ok(())
    }

    fn apply(&mut self, writes: Vec<Write>) -> Result<(), StoreError> {
        for write in writes {
            // A new policy holds from the next transaction on.
            if let Write::Policy(policy) = &write {
                self.terms.policy = *policy;
            }
            self.overlay.write(write)?;
        }
        Ok(())
    }

    /// Ends the block: moves the schedule on and hashes the registers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finish(mut self) -> Result<Executed, StoreError> {
        let view = View::new(self.snapshot);
        // No transaction of this version changes the registry.
        let (registry, before) = (view.registry()?, view.schedule()?);
        let schedule = before.after_block(registry.set(), &placeholder_header(&self.context));
        if schedule != before {
            self.overlay.put_schedule(&schedule);
        }
        let Finished { writes, roots } = self.overlay.finish()?;
        Ok(Executed { writes, state_root: roots.root(), roots, registry, schedule })
    }
}

/// Whether this program knows the protocol version that counts at a height. Fatal when not: it could neither judge nor
/// build the block.
///
/// # Errors
/// [`StoreError::UpgradeNeeded`], and the store's own.
pub fn check_version<R: NodeReader>(view: &View<'_, R>, height: Height) -> Result<(), StoreError> {
    let version = view.joint()?.version_at(height);
    if version == PROTOCOL_VERSION { Ok(()) } else { Err(StoreError::UpgradeNeeded { version, height }) }
}

/// The schedule depends on height, creator and round alone, and the state root depends on the schedule: so the header
/// that the schedule sees has no roots yet.
const fn placeholder_header(context: &BlockContext) -> Header {
    Header {
        version: PROTOCOL_VERSION,
        genesis: context.genesis,
        height: context.height,
        time: context.time,
        parent: BlockId::new([0; 32]),
        creator: context.creator,
        round: context.round,
        transactions_root: TransactionsRoot::new([0; 32]),
        state_root: StateRoot::new([0; 32]),
        history_root: HistoryRoot::new([0; 32]),
        validators: ValidatorSetHash::new([0; 32]),
        next_validators: ValidatorSetHash::new([0; 32]),
    }
}

/// Why a block cannot be executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// A transaction fails, so the block is invalid.
    #[error("transaction {index} fails: {rejection}")]
    Transaction {
        /// Its position, from 0.
        index: usize,
        /// Why.
        rejection: Rejection,
    },
    /// Fatal.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Executes a block's transactions over its parent's state.
///
/// # Errors
/// [`ExecuteError`].
pub fn execute<S: Snapshot>(
    snapshot: &S,
    context: BlockContext,
    transactions: &[SignedTransaction],
    signatures: &mut SignatureMemory,
) -> Result<Executed, ExecuteError> {
    let mut executor = Executor::new(snapshot, context)?;
    for (index, transaction) in transactions.iter().enumerate() {
        executor.include(transaction, signatures).map_err(|error| match error {
            CheckError::Rejected(rejection) => ExecuteError::Transaction { index, rejection },
            CheckError::Store(error) => ExecuteError::Store(error),
        })?;
    }
    Ok(executor.finish()?)
}
