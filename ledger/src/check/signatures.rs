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
#[derive(Debug)]
pub struct SignatureMemory {
    known: BTreeSet<Name>,
    order: VecDeque<Name>,
    capacity: usize,
}

/// Leaf of the transaction, index of the key, the key.
type Name = ([u8; 32], KeyIndex, [u8; 32]);

impl Default for SignatureMemory {
    fn default() -> Self {
        Self::new()
    }
}

impl SignatureMemory {
    /// Nothing verified yet.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_capacity(REMEMBERED_MAX)
    }

    /// Nothing verified yet; remembers at most this many.
    #[must_use]
    pub const fn with_capacity(capacity: usize) -> Self {
        Self { known: BTreeSet::new(), order: VecDeque::new(), capacity }
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
        if self.order.len() >= self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(name);
        self.order.push_back(name);
        true
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use ed25519_dalek::{Signer as _, SigningKey};
    use sigeli_verifier::{
        bounded::List,
        ids::{GenesisHash, InstitutionId, Signature, TimeMs},
        transaction::{Payload, Sender, StatusSet, Transaction},
    };

    use super::*;

    fn public(key: &SigningKey) -> PublicKey {
        PublicKey::from_ed25519(&key.verifying_key().to_bytes()).unwrap()
    }

    fn signed(key: &SigningKey, valid_until: u64) -> SignedTransaction {
        let body = Transaction {
            genesis: GenesisHash::new([1; 32]),
            valid_until: TimeMs::new(valid_until),
            sender: Sender::Institution { institution: InstitutionId::new(1) },
            payload: Payload::StatusSet(StatusSet { entries: List::empty() }),
        };
        let signature = Signature::new(key.sign(&body.preimage()).to_bytes());
        SignedTransaction::new(body, vec![TransactionSignature { key: KeyIndex::new(0), signature }]).unwrap()
    }

    #[test]
    fn a_remembered_signature_counts_for_its_own_key_and_transaction_alone() {
        let (key, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let (one, two) = (signed(&key, 1), signed(&key, 2));
        let entry = one.signatures()[0];
        let mut memory = SignatureMemory::new();
        assert!(memory.is_signed_by(&one, &entry, &public(&key)));
        assert!(memory.is_signed_by(&one, &entry, &public(&key)));
        assert!(!memory.is_signed_by(&one, &entry, &public(&other)));
        assert!(!memory.is_signed_by(&two, &entry, &public(&key)), "another transaction's signature");
        let forged = SignedTransaction::new(two.body().clone(), vec![entry]).unwrap();
        assert!(!memory.is_signed_by(&forged, &entry, &public(&key)));
        assert_eq!(memory.order.len(), 1, "failures are not remembered");
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let transactions: Vec<_> = (0..5).map(|number| signed(&key, number)).collect();
        let mut memory = SignatureMemory::with_capacity(3);
        for transaction in &transactions {
            assert!(memory.is_signed_by(transaction, &transaction.signatures()[0], &public(&key)));
        }
        let kept: Vec<_> = memory.order.iter().map(|name| name.0).collect();
        let newest: Vec<_> = transactions[2..].iter().map(SignedTransaction::leaf).collect();
        assert_eq!(kept, newest);
        assert_eq!(memory.known.len(), 3);
    }
}
