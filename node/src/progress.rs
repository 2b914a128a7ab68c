//! What the consensus thread tells the rest of the node.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use sigeli_ledger::outcome::Rejection;
use sigeli_verifier::ids::{Height, TransactionId};

/// Most refusals that are remembered.
const REFUSALS_MAX: usize = 10_000;

/// Where a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The newest committed height.
    pub height: Height,
    /// Whether peers have committed more.
    pub syncing: bool,
    /// Transactions that wait in the mempool.
    pub mempool_transactions: u64,
    /// Pooled transactions refused since the start.
    pub refused: u64,
}

/// Transactions that were pooled and then refused, the newest ten thousand, so that who waits for one is told why.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    by_id: BTreeMap<TransactionId, Rejection>,
    order: VecDeque<TransactionId>,
}

impl Refusals {
    /// Remembers a refusal; a newer one of the same transaction replaces it.
    pub fn add(&self, id: TransactionId, rejection: Rejection) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.by_id.insert(id, rejection).is_none() {
            remembered.order.push_back(id);
        }
        if remembered.order.len() > REFUSALS_MAX
            && let Some(oldest) = remembered.order.pop_front()
        {
            remembered.by_id.remove(&oldest);
        }
    }

    /// Forgets a refusal: the transaction was handed in again and accepted.
    pub fn remove(&self, id: &TransactionId) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.by_id.remove(id).is_some() {
            remembered.order.retain(|known| known != id);
        }
    }

    /// Why a transaction was refused, if it was lately.
    #[must_use]
    pub fn get(&self, id: &TransactionId) -> Option<Rejection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_refusals_are_remembered_up_to_the_limit() {
        let refusals = Refusals::default();
        let id = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
            TransactionId::new(bytes)
        };
        for number in 0..=REFUSALS_MAX {
            refusals.add(id(number), Rejection::WrongLedger);
        }
        assert_eq!(refusals.get(&id(0)), None);
        assert_eq!(refusals.get(&id(1)), Some(Rejection::WrongLedger));
        assert_eq!(refusals.get(&id(REFUSALS_MAX)), Some(Rejection::WrongLedger));
        refusals.remove(&id(5));
        assert_eq!(refusals.get(&id(5)), None);
    }
}
