//! A chain of heights that anyone can compute from nothing, and the comparison of a store with it.
//!
//! The blocks are linked and commit to their transactions as real ones do; signatures and state roots are not real, because
//! the store does not look at them.

use std::{collections::BTreeMap, sync::Arc};

use sigeli_ledger::store::{Head, HeightCommit, Snapshot, StateWrites, StoreError, TransactionPlace};
use sigeli_verifier::{
    block::{Block, Header, transactions_root},
    bounded::List,
    certificate::{CommitCertificate, CommitSignature},
    history::{Frontier, Rfc9162},
    ids::{
        BlockId, GenesisHash, Height, HistoryRoot, InstitutionId, KeyIndex, Round, Signature, StateRoot, StatusHandle,
        TimeMs, TransactionId, ValidatorAddress, ValidatorSetHash,
    },
    transaction::{
        Payload, Sender, SignedTransaction, StatusAction, StatusEntry, StatusReason, StatusSet, Transaction,
        TransactionSignature,
    },
};

/// SplitMix64: seeded numbers.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.next().to_le_bytes()[0])
    }
}

/// The ledger of these tests.
pub(crate) const GENESIS: GenesisHash = GenesisHash::new([0x6E; 32]);

/// The chain up to some height: what was committed, in order.
#[derive(Default)]
pub(crate) struct Chain {
    pub(crate) commits: Vec<HeightCommit>,
}

impl Chain {
    /// The first `heights` heights.
    pub(crate) fn of(heights: usize) -> Self {
        let mut chain = Self::default();
        for _ in 0..heights {
            chain.grow();
        }
        chain
    }

    /// Adds the next height and returns it.
    pub(crate) fn grow(&mut self) -> HeightCommit {
        let number = self.commits.len() as u64;
        let mut random = Random(number);
        let parent = self.commits.last().map(|commit| &commit.head);
        let transactions: Vec<_> = match number {
            0 => Vec::new(),
            _ => (0..random.below(5)).map(|_| transaction(&mut random)).collect(),
        };
        let before = parent.map(|head| head.history.clone()).unwrap_or_default();
        let header = Header {
            version: 1,
            genesis: GENESIS,
            height: Height::new(number),
            time: TimeMs::new(1_000 * number),
            parent: parent.map_or(BlockId::new([0; 32]), |head| head.id),
            creator: ValidatorAddress::new(random.bytes()),
            round: Round::new(0),
            transactions_root: transactions_root(&transactions),
            state_root: StateRoot::new(random.bytes()),
            history_root: HistoryRoot::new(before.root::<Rfc9162>()),
            validators: ValidatorSetHash::new([4; 32]),
            next_validators: ValidatorSetHash::new([4; 32]),
        };
        let mut history: Frontier = before;
        history.push::<Rfc9162>(header.id().as_bytes());
        let signatures = (0..if number == 0 { 0 } else { 3 })
            .map(|validator| CommitSignature { validator, signature: Signature::new(random.bytes()) })
            .collect();
        let commit = HeightCommit {
            block: Arc::new(Block { header, transactions }),
            certificate: CommitCertificate::new(Round::new(0), signatures).expect("distinct signers"),
            state: state_writes(&mut random),
            head: Head { header, id: header.id(), history },
        };
        self.commits.push(commit.clone());
        commit
    }

    /// The state after the first `heights` heights.
    fn state(&self, heights: usize) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut state = BTreeMap::new();
        for (key, value) in self.commits.iter().take(heights).flat_map(|commit| &commit.state) {
            match value {
                Some(value) => state.insert(key.clone(), value.clone()),
                None => state.remove(key),
            };
        }
        state
    }

    /// Reads everything and names the first difference from the first `heights` heights, if there is one.
    pub(crate) fn difference(&self, snapshot: &impl Snapshot, heights: usize) -> Result<Option<String>, StoreError> {
        let head = heights.checked_sub(1).map(|last| self.commits[last].head.clone());
        if snapshot.head()? != head {
            return Ok(Some("head".into()));
        }
        for (commit, number) in self.commits[..heights].iter().zip(0..) {
            let height = Height::new(number);
            if snapshot.header(height)? != Some(commit.block.header) {
                return Ok(Some(format!("header {height}")));
            }
            if snapshot.certificate(height)?.as_ref() != Some(&commit.certificate) {
                return Ok(Some(format!("certificate {height}")));
            }
            if snapshot.block(height)? != Some(((*commit.block).clone(), commit.certificate.clone())) {
                return Ok(Some(format!("block or certificate {height}")));
            }
            for (transaction, index) in commit.block.transactions.iter().zip(0..) {
                if snapshot.transaction(&transaction.id())? != Some(TransactionPlace { height, index }) {
                    return Ok(Some(format!("transaction {index} of {height}")));
                }
            }
        }
        self.difference_of_absence(snapshot, heights)
    }

    fn difference_of_absence(&self, snapshot: &impl Snapshot, heights: usize) -> Result<Option<String>, StoreError> {
        let next = Height::new(heights as u64);
        if snapshot.header(next)?.is_some() || snapshot.block(next)?.is_some() || snapshot.certificate(next)?.is_some()
        {
            return Ok(Some(format!("something at {next}")));
        }
        let later = self.commits[heights..].iter().flat_map(|commit| &commit.block.transactions);
        for transaction in later.take(20) {
            if snapshot.transaction(&transaction.id())?.is_some() {
                return Ok(Some("a later transaction".into()));
            }
        }
        if snapshot.transaction(&TransactionId::new([0xEE; 32]))?.is_some() {
            return Ok(Some("an unknown transaction".into()));
        }
        let expected = self.state(heights);
        for key in (0..KEYS).map(state_key) {
            if snapshot.state(&key)? != expected.get(&key).cloned() {
                return Ok(Some(format!("state {key:?}")));
            }
        }
        let all: Vec<_> = expected.into_iter().collect();
        Ok((snapshot.state_range(&[], &[], usize::MAX)? != all).then(|| "range of state".into()))
    }
}

fn transaction(random: &mut Random) -> SignedTransaction {
    let entry = StatusEntry {
        entry: 1,
        handle: StatusHandle::new(random.bytes()),
        action: StatusAction::Suspend,
        reason: StatusReason::ALL[0],
        successor: [0; 32],
    };
    let body = Transaction {
        genesis: GENESIS,
        valid_until: TimeMs::new(random.next()),
        sender: Sender::Institution { institution: InstitutionId::new(1) },
        payload: Payload::StatusSet(StatusSet { entries: List::new(vec![entry]).expect("one entry") }),
    };
    let signature = TransactionSignature { key: KeyIndex::new(0), signature: Signature::new(random.bytes()) };
    SignedTransaction::new(body, vec![signature]).expect("one signature")
}

/// Few keys, so that entries are overwritten and deleted again and again.
const KEYS: usize = 60;

fn state_key(number: usize) -> Vec<u8> {
    let number = u8::try_from(number).expect("fewer than 256 keys");
    // Three prefixes, one of them of bytes that have no successor.
    match number % 3 {
        0 => vec![b'a', number],
        1 => vec![b'b', number, number],
        _ => vec![0xFF, 0xFF, number],
    }
}

fn state_writes(random: &mut Random) -> StateWrites {
    (0..1 + random.below(20))
        .map(|_| {
            let value = vec![random.next().to_le_bytes()[0]; random.below(200)];
            (state_key(random.below(KEYS)), (random.below(4) > 0).then_some(value))
        })
        .collect()
}
