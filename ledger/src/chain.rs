//! The chain: the one owner of the head. Builds, judges and commits blocks.
//!
//! A block passes through types: bytes → [`Block`] (well-formed) → [`ExecutedBlock`] (its structure was checked, it was
//! executed over its own parent, and its header names the result) → committed, with a certificate of a quorum of its
//! validators. The later types can only be had from here.
//!
//! Not decided here: who may propose when, and whether a proposal's time is near the clock. Consensus checks both for
//! live proposals only.

use alloc::{sync::Arc, vec::Vec};

use sigeli_verifier::{
    block::{Block, Header, transactions_root},
    certificate::{CertificateError, CommitCertificate},
    encode::Encode as _,
    history::Rfc9162,
    ids::{
        BlockId, GenesisHash, Height, HistoryRoot, Round, StateRoot, TimeMs, TransactionId, TransactionsRoot,
        ValidatorAddress,
    },
    params::{BLOCK_BYTES_MAX, PROTOCOL_VERSION, TRANSACTIONS_PER_BLOCK_MAX},
    transaction::SignedTransaction,
    validators::ValidatorSet,
};

use crate::{
    check::SignatureMemory,
    execute::{BlockContext, ExecuteError, Executed, Executor, check_version, execute},
    genesis::Genesis,
    outcome::{CheckError, Rejection, Transient},
    schedule::Schedule,
    state::{Registry, View},
    store::{Head, HeightCommit, Snapshot as _, StateWrites, Store, StoreError, StoreReader},
};

/// Bytes of an encoded block without transactions: the header, and the count.
const EMPTY_BLOCK_BYTES: usize = 2 + 32 + 8 + 8 + 32 + 20 + 4 + 5 * 32 + 2;

/// A block that was executed over its own parent, with everything it writes.
#[derive(Debug, Clone)]
pub struct ExecutedBlock {
    block: Arc<Block>,
    writes: StateWrites,
    head: Head,
    registry: Registry,
    schedule: Schedule,
}

impl ExecutedBlock {
    /// The block.
    #[must_use]
    pub const fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> BlockId {
        self.head.id
    }

    /// Its header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.head.header
    }
}

/// A block that was built here.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// The block, executed.
    pub executed: ExecutedBlock,
    /// The candidates that were left out because they fail, in order.
    pub rejected: Vec<(TransactionId, Rejection)>,
}

/// Why a ledger cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The store holds another ledger.
    #[error("the store holds ledger {found}, not {wanted}")]
    AnotherGenesis {
        /// The genesis hash in the store.
        found: GenesisHash,
        /// The one given.
        wanted: GenesisHash,
    },
    /// Fatal.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Why a block is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Another protocol version.
    #[error("protocol version {version} is not {PROTOCOL_VERSION}")]
    Version {
        /// The version given.
        version: u16,
    },
    /// Another ledger.
    #[error("the block is of another ledger")]
    Genesis,
    /// Not the head's child.
    #[error("the block's parent is not the head")]
    Parent,
    /// Not after its parent.
    #[error("the block's time {time} is not after its parent's {parent}")]
    Time {
        /// Its time.
        time: TimeMs,
        /// Its parent's.
        parent: TimeMs,
    },
    /// The creator is not a validator of this height.
    #[error("the creator is not a validator")]
    Creator,
    /// Another validator set, or another next one.
    #[error("the block names other validators")]
    Validators,
    /// Another history.
    #[error("the block commits to another history")]
    History,
    /// Too many transactions, or too many bytes.
    #[error("the block holds {transactions} transactions in {bytes} bytes: too large")]
    TooLarge {
        /// Transactions.
        transactions: usize,
        /// Bytes of its encoding.
        bytes: usize,
    },
    /// The header commits to other transactions.
    #[error("the header commits to other transactions")]
    Transactions,
    /// A transaction fails.
    #[error("transaction {index} fails: {rejection}")]
    Transaction {
        /// Its position, from 0.
        index: usize,
        /// Why.
        rejection: Rejection,
    },
    /// Execution ends in another state.
    #[error("the header names another state")]
    State,
}

/// Why a block was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidateError {
    /// The block is invalid, whoever sent it.
    #[error("{0}")]
    Invalid(#[from] BlockError),
    /// It is not of the next height.
    #[error("{0}")]
    Transient(#[from] Transient),
    /// Fatal.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<ExecuteError> for ValidateError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Transaction { index, rejection } => BlockError::Transaction { index, rejection }.into(),
            ExecuteError::Store(error) => error.into(),
        }
    }
}

/// Why a block was not committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// It was executed over another head.
    #[error("the block is not a child of the head")]
    NotChild,
    /// The certificate does not confirm it.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
    /// Fatal.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// A ledger at its head.
#[derive(Debug)]
pub struct Chain<S: Store> {
    store: S,
    genesis: Genesis,
    head: Head,
    registry: Registry,
    schedule: Schedule,
    signatures: SignatureMemory,
}

impl<S: Store> Chain<S> {
    /// Opens a ledger; founds it in an empty store.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(mut store: S, genesis: Genesis) -> Result<Self, OpenError> {
        let stored = store.snapshot().head()?;
        let head = if let Some(head) = stored {
            head
        } else {
            let commit = genesis.commit()?;
            let head = commit.head.clone();
            store.commit(commit)?;
            head
        };
        let (found, wanted) = (head.header.genesis, genesis.genesis_hash());
        if found != wanted {
            return Err(OpenError::AnotherGenesis { found, wanted });
        }
        let (registry, schedule) = {
            let snapshot = store.snapshot();
            let view = View::new(&snapshot);
            (view.registry()?, view.schedule()?)
        };
        Ok(Self { store, genesis, head, registry, schedule, signatures: SignatureMemory::new() })
    }

    /// The genesis.
    #[must_use]
    pub const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The newest committed header, its id, and the history's frontier.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The height that comes next.
    #[must_use]
    pub const fn next_height(&self) -> Height {
        self.head.header.height.next()
    }

    /// The validators that commit the next height.
    #[must_use]
    pub const fn validators(&self) -> &ValidatorSet {
        self.registry.set()
    }

    /// Who may take part in the next height.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The proposer schedule of the next height.
    #[must_use]
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// A snapshot of the head.
    pub fn snapshot(&self) -> <S::Reader as StoreReader>::Snapshot<'_> {
        self.store.snapshot()
    }

    /// A handle that reads from other threads.
    pub fn reader(&self) -> &S::Reader {
        self.store.reader()
    }

    /// The store, for what else it keeps. Heights are committed through [`Chain::commit`] alone.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Gives the store back.
    pub fn into_store(self) -> S {
        self.store
    }

    /// The time of a block built now: the clock's, but after the head's.
    #[must_use]
    pub fn block_time(&self, now: TimeMs) -> TimeMs {
        now.max(TimeMs::new(self.head.header.time.get().saturating_add(1)))
    }

    fn context(&self, time: TimeMs, creator: ValidatorAddress, round: Round) -> BlockContext {
        BlockContext { genesis: self.genesis.genesis_hash(), height: self.next_height(), time, creator, round }
    }

    /// Judges a transaction as if it were the only one of a block built now: the pool's admission.
    ///
    /// # Errors
    /// [`CheckError`].
    pub fn check(&mut self, transaction: &SignedTransaction, now: TimeMs) -> Result<(), CheckError> {
        let context = self.context(self.block_time(now), ValidatorAddress::new([0; 20]), Round::new(0));
        let snapshot = self.store.snapshot();
        Executor::new(&snapshot, context)?.check(transaction, &mut self.signatures)
    }

    /// Builds the next block from the candidates, in their order. Failing ones are left out and reported; the first that
    /// does not fit any more ends the block.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn propose(
        &mut self,
        candidates: impl IntoIterator<Item = SignedTransaction>,
        now: TimeMs,
        creator: ValidatorAddress,
        round: Round,
    ) -> Result<Proposed, StoreError> {
        let context = self.context(self.block_time(now), creator, round);
        let (mut transactions, mut rejected) = (Vec::new(), Vec::new());
        let executed = {
            let snapshot = self.store.snapshot();
            let mut executor = Executor::new(&snapshot, context)?;
            let mut bytes = EMPTY_BLOCK_BYTES;
            for candidate in candidates {
                bytes = bytes.saturating_add(candidate.to_bytes().len());
                if bytes > BLOCK_BYTES_MAX || transactions.len() >= TRANSACTIONS_PER_BLOCK_MAX {
                    break;
                }
                match executor.include(&candidate, &mut self.signatures) {
                    Ok(()) => transactions.push(candidate),
                    Err(CheckError::Rejected(rejection)) => {
                        bytes = bytes.saturating_sub(candidate.to_bytes().len());
                        rejected.push((candidate.id(), rejection));
                    }
                    Err(CheckError::Store(error)) => return Err(error),
                }
            }
            executor.finish()?
        };
        let header = self.header(&context, transactions_root(&transactions), &executed);
        let block = Arc::new(Block { header, transactions });
        Ok(Proposed { executed: self.executed_block(block, executed), rejected })
    }

    fn header(&self, context: &BlockContext, transactions_root: TransactionsRoot, executed: &Executed) -> Header {
        Header {
            version: PROTOCOL_VERSION,
            genesis: context.genesis,
            height: context.height,
            time: context.time,
            parent: self.head.id,
            creator: context.creator,
            round: context.round,
            transactions_root,
            state_root: executed.state_root,
            history_root: HistoryRoot::new(self.head.history.root::<Rfc9162>()),
            validators: self.registry.set().hash(),
            next_validators: executed.registry.set().hash(),
        }
    }

    fn executed_block(&self, block: Arc<Block>, executed: Executed) -> ExecutedBlock {
        let header = block.header;
        let id = header.id();
        let mut history = self.head.history.clone();
        history.push::<Rfc9162>(id.as_bytes());
        let Executed { writes, registry, schedule, .. } = executed;
        ExecutedBlock { block, writes, head: Head { header, id, history }, registry, schedule }
    }

    /// Judges a block built elsewhere: structure first, then execution, then the state it names.
    ///
    /// # Errors
    /// [`ValidateError`].
    pub fn validate(&mut self, block: impl Into<Arc<Block>>) -> Result<ExecutedBlock, ValidateError> {
        let block = block.into();
        let header = &block.header;
        check_version(&View::new(&self.store.snapshot()), self.next_height())?;
        self.check_place(header)?;
        self.check_size(&block)?;
        if !block.has_own_transactions() {
            return Err(BlockError::Transactions.into());
        }
        let context = self.context(header.time, header.creator, header.round);
        let executed = {
            let snapshot = self.store.snapshot();
            execute(&snapshot, context, &block.transactions, &mut self.signatures)?
        };
        if header.next_validators != executed.registry.set().hash() {
            return Err(BlockError::Validators.into());
        }
        if header.state_root != executed.state_root {
            return Err(BlockError::State.into());
        }
        Ok(self.executed_block(block, executed))
    }

    fn check_place(&self, header: &Header) -> Result<(), ValidateError> {
        if header.genesis != self.genesis.genesis_hash() {
            return Err(BlockError::Genesis.into());
        }
        if header.version != PROTOCOL_VERSION {
            return Err(BlockError::Version { version: header.version }.into());
        }
        let (height, head) = (header.height, self.head.header.height);
        if height <= head {
            return Err(Transient::BlockBehind { height, head }.into());
        }
        if height != head.next() {
            return Err(Transient::BlockAhead { height, head }.into());
        }
        if header.parent != self.head.id {
            return Err(BlockError::Parent.into());
        }
        let (time, parent) = (header.time, self.head.header.time);
        if time <= parent {
            return Err(BlockError::Time { time, parent }.into());
        }
        if header.validators != self.registry.set().hash() {
            return Err(BlockError::Validators.into());
        }
        if self.registry.set().by_address(&header.creator).is_none() {
            return Err(BlockError::Creator.into());
        }
        if header.history_root.get() != self.head.history.root::<Rfc9162>() {
            return Err(BlockError::History.into());
        }
        Ok(())
    }

    fn check_size(&self, block: &Block) -> Result<(), BlockError> {
        let transactions = block.transactions.len();
        let sizes = block.transactions.iter().map(|transaction| transaction.to_bytes().len());
        let bytes = sizes.fold(EMPTY_BLOCK_BYTES, usize::saturating_add);
        if transactions > TRANSACTIONS_PER_BLOCK_MAX || bytes > BLOCK_BYTES_MAX {
            return Err(BlockError::TooLarge { transactions, bytes });
        }
        Ok(())
    }

    /// Commits an executed block with the certificate of its quorum. Durable on return.
    ///
    /// # Errors
    /// [`CommitError`]; nothing was written unless it is [`CommitError::Store`], after which the store is dead.
    pub fn commit(&mut self, executed: ExecutedBlock, certificate: CommitCertificate) -> Result<(), CommitError> {
        let header = &executed.head.header;
        if header.parent != self.head.id {
            return Err(CommitError::NotChild);
        }
        certificate.verify(&header.genesis, header.height, executed.head.id, self.registry.set())?;
        let ExecutedBlock { block, writes, head, registry, schedule } = executed;
        self.store.commit(HeightCommit { block, certificate, state: writes, head: head.clone() })?;
        self.head = head;
        self.registry = registry;
        self.schedule = schedule;
        Ok(())
    }

    /// The root of the state at the head.
    #[must_use]
    pub const fn state_root(&self) -> StateRoot {
        self.head.header.state_root
    }
}
