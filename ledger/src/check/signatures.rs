//! The signatures that were verified already, so that a transaction admitted to the pool is not verified again when it
//! is proposed and when its block is judged.

use alloc::collections::{BTreeSet, VecDeque};

use sigeli_verifier::{
    crypto::PublicKey,
    ids::KeyIndex,
    transaction::{SignedTransaction, TransactionSignature},
};

/// Most verified signatures that are remembered: several full blocks.
const REMEMBERED_MAX: usize = 65_536;

/// A bounded memory of verified signatures, oldest forgotten first.
///
/// It never changes a verdict: an entry names the leaf of the transaction (which commits id and signatures), the
/// index of the key, and the public key under which the check succeeded. Only successes are remembered.
#[derive(Debug, Default)]
pub struct SignatureMemory {
    known: BTreeSet<Name>,
    order: VecDeque<Name>,
}

/// Leaf of the transaction, index of the key, the key.
type Name = ([u8; 32], KeyIndex, [u8; 32]);

impl SignatureMemory {
    /// Nothing verified yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { known: BTreeSet::new(), order: VecDeque::new() }
    }

    /// Whether `entry` is a signature of `key` over the transaction.
    pub fn is_signed_by(
        &mut self,
        transaction: &SignedTransaction,
        entry: &TransactionSignature,
        key: &PublicKey,
    ) -> bool {
        let name = (transaction.leaf(), entry.key, *key.as_bytes());
        if self.known.contains(&name) {
            return true;
        }
        if !transaction.is_signed_by(entry, key) {
            return false;
        }
        if self.order.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(name);
        self.order.push_back(name);
        true
    }
}
