//! Transactions that wait to be committed: a bounded pool in order of arrival.
//!
//! It checks nothing but limits and identity. Whoever admits a transaction has judged it against the newest state; whoever
//! builds a block judges it again. A sender that fills its share keeps nobody else out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sigeli_verifier::{
    encode::Encode as _,
    ids::{AuthorityId, InstitutionId, TimeMs, TransactionId},
    transaction::{Sender, SignedTransaction},
};

/// Most transactions in the pool.
pub const POOL_TRANSACTIONS_MAX: usize = 20_000;
/// Most encoded bytes in the pool.
pub const POOL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most transactions of one sender in the pool.
pub const POOL_TRANSACTIONS_PER_SENDER_MAX: usize = 2_000;

/// Why a transaction was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolRefusal {
    /// It is there already.
    #[error("the transaction is in the pool already")]
    Known,
    /// The pool is full.
    #[error("the pool is full")]
    Full,
    /// The sender's share of the pool is full.
    #[error("the sender has too many transactions in the pool")]
    SenderFull,
}

/// A sender's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    Institution(InstitutionId),
    Authority(AuthorityId),
    Authorities,
}

impl Share {
    const fn of(sender: Sender) -> Self {
        match sender {
            Sender::Institution { institution } => Self::Institution(institution),
            Sender::Authority { authority, .. } => Self::Authority(authority),
            Sender::Authorities { .. } => Self::Authorities,
        }
    }
}

#[derive(Debug, Clone)]
struct Entry {
    transaction: Arc<SignedTransaction>,
    arrival: u64,
    size_bytes: usize,
}

/// The pool.
#[derive(Debug, Clone, Default)]
pub struct Mempool {
    by_id: BTreeMap<TransactionId, Entry>,
    by_arrival: BTreeMap<u64, TransactionId>,
    by_expiry: BTreeSet<(TimeMs, TransactionId)>,
    by_share: BTreeMap<Share, usize>,
    size_bytes: usize,
    next_arrival: u64,
}

impl Mempool {
    /// How many transactions wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The encoded bytes that wait.
    #[must_use]
    pub const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Whether a transaction waits.
    #[must_use]
    pub fn contains(&self, id: &TransactionId) -> bool {
        self.by_id.contains_key(id)
    }

    /// A transaction that waits.
    #[must_use]
    pub fn get(&self, id: &TransactionId) -> Option<&Arc<SignedTransaction>> {
        self.by_id.get(id).map(|entry| &entry.transaction)
    }

    /// Whether [`Mempool::admit`] would take a transaction: asked before it is judged, which costs more.
    ///
    /// # Errors
    /// [`PoolRefusal`].
    pub fn check_room(&self, transaction: &SignedTransaction) -> Result<(), PoolRefusal> {
        if self.contains(&transaction.id()) {
            return Err(PoolRefusal::Known);
        }
        let full = self.len() >= POOL_TRANSACTIONS_MAX
            || self.size_bytes.saturating_add(transaction.to_bytes().len()) > POOL_BYTES_MAX;
        if full {
            return Err(PoolRefusal::Full);
        }
        let held = self.by_share.get(&Share::of(transaction.body().sender)).copied().unwrap_or(0);
        if held >= POOL_TRANSACTIONS_PER_SENDER_MAX { Err(PoolRefusal::SenderFull) } else { Ok(()) }
    }

    /// Takes a transaction in.
    ///
    /// # Errors
    /// [`PoolRefusal`].
    pub fn admit(&mut self, transaction: SignedTransaction) -> Result<(), PoolRefusal> {
        self.check_room(&transaction)?;
        let (id, body) = (transaction.id(), transaction.body());
        let size_bytes = transaction.to_bytes().len();
        let held = self.by_share.entry(Share::of(body.sender)).or_default();
        *held = held.saturating_add(1);
        self.by_expiry.insert((body.valid_until, id));
        self.by_arrival.insert(self.next_arrival, id);
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        let entry = Entry { transaction: Arc::new(transaction), arrival: self.next_arrival, size_bytes };
        self.by_id.insert(id, entry);
        self.next_arrival = self.next_arrival.saturating_add(1);
        Ok(())
    }

    /// The transactions in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SignedTransaction>> {
        self.by_arrival.values().filter_map(|id| self.by_id.get(id)).map(|entry| &entry.transaction)
    }

    /// Takes a transaction out, if it is there.
    pub fn remove(&mut self, id: &TransactionId) -> bool {
        let Some(entry) = self.by_id.remove(id) else { return false };
        let body = entry.transaction.body();
        self.by_arrival.remove(&entry.arrival);
        self.by_expiry.remove(&(body.valid_until, *id));
        self.size_bytes = self.size_bytes.saturating_sub(entry.size_bytes);
        let share = Share::of(body.sender);
        if let Some(held) = self.by_share.get_mut(&share) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.by_share.remove(&share);
            }
        }
        true
    }

    /// Takes out all that may no longer be included at this ledger time, and says until when each might.
    pub fn expire(&mut self, time: TimeMs) -> Vec<(TimeMs, TransactionId)> {
        let expired: Vec<_> = self.by_expiry.iter().take_while(|(until, _)| *until < time).copied().collect();
        for (_, id) in &expired {
            self.remove(id);
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use sigeli_verifier::{
        batch::BatchHeight,
        ids::{BatchRoot, EctsTenths, GenesisHash, KeyIndex, PermissionId, Signature},
        time::Day,
        transaction::{
            BatchAnchor, CredentialType, Field, HashAlgorithm, Level, Payload, Transaction, TransactionSignature,
        },
    };

    use super::*;

    fn transaction(institution: u32, number: u64, valid_until: u64) -> SignedTransaction {
        let mut root = [0; 32];
        root[..8].copy_from_slice(&number.to_le_bytes());
        let anchor = BatchAnchor {
            root: BatchRoot::new(root),
            height: BatchHeight::new(4).unwrap(),
            hash_algorithm: HashAlgorithm::Blake3,
            accreditation: PermissionId::new(1),
            level: Level::new(6).unwrap(),
            field: Field::new(613).unwrap(),
            ects: EctsTenths::new(30),
            issued: Day::new(20_000),
            credential_type: CredentialType::MicroCredential,
        };
        let body = Transaction {
            genesis: GenesisHash::new([0; 32]),
            valid_until: TimeMs::new(valid_until),
            sender: Sender::Institution { institution: InstitutionId::new(institution) },
            payload: Payload::BatchAnchor(anchor),
        };
        let signature = TransactionSignature { key: KeyIndex::new(0), signature: Signature::new([0; 64]) };
        SignedTransaction::new(body, vec![signature]).unwrap()
    }

    #[test]
    fn order_of_arrival_is_kept_and_duplicates_are_refused() {
        let mut pool = Mempool::default();
        let all: Vec<_> = [3, 1, 2].map(|number| transaction(1, number, 10)).into();
        for transaction in &all {
            pool.admit(transaction.clone()).unwrap();
        }
        assert_eq!(pool.admit(all[0].clone()), Err(PoolRefusal::Known));
        assert!(pool.iter().map(|entry| entry.id()).eq(all.iter().map(SignedTransaction::id)));
        assert!(pool.remove(&all[1].id()));
        assert!(!pool.remove(&all[1].id()));
        assert_eq!(pool.len(), 2);
        assert_eq!(pool.size_bytes(), 2 * all[0].to_bytes().len());
    }

    #[test]
    fn expiry_is_exact() {
        let mut pool = Mempool::default();
        let (early, late) = (transaction(1, 1, 10), transaction(1, 2, 11));
        pool.admit(late.clone()).unwrap();
        pool.admit(early.clone()).unwrap();
        assert_eq!(pool.expire(TimeMs::new(10)), []);
        assert_eq!(pool.expire(TimeMs::new(11)), [(TimeMs::new(10), early.id())]);
        assert!(pool.contains(&late.id()));
    }

    #[test]
    fn one_sender_fills_its_share_and_all_fill_the_pool() {
        let mut pool = Mempool::default();
        let share = u64::try_from(POOL_TRANSACTIONS_PER_SENDER_MAX).unwrap();
        for number in 0..share {
            pool.admit(transaction(1, number, 10)).unwrap();
        }
        assert_eq!(pool.admit(transaction(1, share, 10)), Err(PoolRefusal::SenderFull));
        let others = u64::try_from(POOL_TRANSACTIONS_MAX / POOL_TRANSACTIONS_PER_SENDER_MAX).unwrap();
        for institution in 2..=u32::try_from(others).unwrap() {
            for number in 0..share {
                pool.admit(transaction(institution, number, 10)).unwrap();
            }
        }
        assert_eq!(pool.len(), POOL_TRANSACTIONS_MAX);
        assert_eq!(pool.admit(transaction(99, 0, 10)), Err(PoolRefusal::Full));
        assert!(pool.remove(&transaction(1, 0, 10).id()));
        pool.admit(transaction(99, 0, 10)).unwrap();
        pool.expire(TimeMs::new(11));
        assert!(pool.is_empty() && pool.size_bytes() == 0 && pool.by_share.is_empty() && pool.by_arrival.is_empty());
    }
}
