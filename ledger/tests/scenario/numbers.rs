//! The numbers that new history entries get: what a sender asks a node for before it signs.

use std::collections::BTreeMap;

use sigeli_ledger::{state::View, tree::NodeReader};
use sigeli_verifier::{
    ids::InstitutionId,
    record::BatchStatus,
    transaction::{Payload, Sender, SignedTransaction},
};

/// Whose history, of a batch or of a credential.
type Subject = (InstitutionId, bool, [u8; 32]);

/// How many entries each history has after some transactions over a head.
pub(crate) struct Numbers<'a, R: NodeReader> {
    view: &'a View<'a, R>,
    added: BTreeMap<Subject, u32>,
}

impl<'a, R: NodeReader> Numbers<'a, R> {
    pub(crate) fn new(view: &'a View<'a, R>, block: &[SignedTransaction]) -> Self {
        let mut numbers = Self { view, added: BTreeMap::new() };
        for transaction in block {
            let body = transaction.body();
            let own =
                if let Sender::Institution { institution } = body.sender { institution } else { InstitutionId::new(0) };
            numbers.fill(own, &mut body.payload.clone(), None);
        }
        numbers
    }

    /// Writes into a payload the number of each entry that it would add, or the one that is said.
    pub(crate) fn fill(&mut self, own: InstitutionId, payload: &mut Payload, said: Option<u32>) {
        let mut number = |institution, of_batch, name: [u8; 32]| {
            let next = self.next((institution, of_batch, name));
            said.unwrap_or(next)
        };
        match payload {
            Payload::BatchStatusSet(set) => set.entry = number(set.institution, true, set.root.get()),
            Payload::BatchAnnul(annul) => {
                let institution = annul.institution;
                change(&mut annul.entries, |entry| entry.entry = number(institution, true, entry.root.get()));
            }
            Payload::StatusSet(set) => {
                change(&mut set.entries, |entry| entry.entry = number(own, false, entry.handle.get()));
            }
            Payload::StatusOrder(order) => {
                let institution = order.institution;
                change(&mut order.entries, |entry| entry.entry = number(institution, false, entry.handle.get()));
            }
            Payload::StatusAnnul(annul) => {
                let institution = annul.institution;
                change(&mut annul.entries, |entry| entry.entry = number(institution, false, entry.handle.get()));
            }
            _ => {}
        }
    }

    fn next(&mut self, subject: Subject) -> u32 {
        let (institution, of_batch, name) = subject;
        let stored = if of_batch {
            let record = self.view.batch(institution, &sigeli_verifier::ids::BatchRoot::new(name)).unwrap();
            record.map_or(0, |record| match record.status {
                BatchStatus::Valid => 0,
                BatchStatus::Changed(change) => change.entries,
            })
        } else {
            let record = self.view.status(institution, &sigeli_verifier::ids::StatusHandle::new(name)).unwrap();
            record.map_or(0, |record| record.entries)
        };
        let added = self.added.entry(subject).or_default();
        *added += 1;
        stored + *added
    }
}

fn change<T: Clone, const MAX: usize>(list: &mut sigeli_verifier::bounded::List<T, MAX>, edit: impl FnMut(&mut T)) {
    let mut entries = list.to_vec();
    entries.iter_mut().for_each(edit);
    *list = sigeli_verifier::bounded::List::new(entries).unwrap();
}
