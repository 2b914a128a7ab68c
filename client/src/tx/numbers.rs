//! The numbers that new history entries get. Whoever changes a status says which entry of the history the change will be,
//! so that a transaction that was signed anew and sent twice changes nothing twice.

use std::collections::{BTreeMap, BTreeSet};

use sigeli_verifier::{
    bounded::List,
    ids::{BatchRoot, InstitutionId, StatusHandle},
    params::REGISTER_PREFIX_BITS_MAX,
    record::{BatchStatus, status_key},
    register::RegisterPrefix,
    transaction::{Payload, Sender},
    trust::Trust,
    verdict::Freshness,
};

use crate::{
    query::{
        node::{QueryError, Reader},
        records,
    },
    remote::{Remote, RemoteError},
};

/// A number that is not known yet: entries count from 1.
pub const UNKNOWN: u32 = 0;

/// The most credentials that are asked about one by one. All statuses of the institution are read for more.
const ONE_BY_ONE_MAX: usize = 16;

/// Why numbers are not known.
#[derive(Debug, thiserror::Error)]
pub enum NumbersError {
    /// What the nodes say of statuses is believed only when it is proved.
    #[error(
        "the numbers of new entries are looked up only where a trust file proves the answer: name one with --trust, or the \
         number with --entry"
    )]
    NoTrust,
    /// No answer.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// No proved answer.
    #[error("{0}")]
    Query(#[from] QueryError),
}

/// A history by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum History {
    Credential(InstitutionId, StatusHandle),
    Batch(InstitutionId, BatchRoot),
}

/// Whether a payload names the number of an entry that is not known yet.
#[must_use]
pub fn are_missing(sender: &Sender, payload: &Payload) -> bool {
    let mut missing = false;
    for_each(sender, &mut payload.clone(), |_, number| missing |= *number == UNKNOWN);
    missing
}

/// Writes the number of the next entry wherever it is not known yet, as the nodes prove it (statuses of credentials), or
/// state it (batches).
///
/// # Errors
/// [`NumbersError`]; the payload is then unchanged.
pub async fn look_up(
    remote: &Remote,
    trust: Option<&Trust>,
    freshness: Freshness,
    sender: &Sender,
    payload: &mut Payload,
) -> Result<(), NumbersError> {
    let (mut credentials, mut batches) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeSet::new());
    for_each(sender, &mut payload.clone(), |history, number| match history {
        _ if *number != UNKNOWN => {}
        History::Credential(institution, handle) => {
            credentials.entry(institution).or_default().insert(handle);
        }
        History::Batch(institution, root) => {
            batches.insert((institution, root));
        }
    });
    let mut entries = BTreeMap::new();
    for (institution, root) in batches {
        let written = match remote.batch(institution, &root).await?.status {
            BatchStatus::Valid => 0,
            BatchStatus::Changed(change) => change.entries,
        };
        entries.insert(History::Batch(institution, root), written);
    }
    if !credentials.is_empty() {
        let trust = trust.ok_or(NumbersError::NoTrust)?;
        let reader = Reader::new(remote.clone(), trust, freshness).await?;
        for (institution, handles) in credentials {
            let prefixes: Vec<_> = if handles.len() > ONE_BY_ONE_MAX {
                vec![RegisterPrefix::ALL]
            } else {
                let prefix = |handle| RegisterPrefix::of(&status_key(handle), REGISTER_PREFIX_BITS_MAX);
                handles.iter().filter_map(prefix).collect()
            };
            for handle in &handles {
                entries.insert(History::Credential(institution, *handle), 0);
            }
            for prefix in prefixes {
                let register = reader.statuses(institution, prefix).await?;
                for (handle, status) in records::statuses(&register.entries)? {
                    if let (true, Some(head)) = (handles.contains(&handle), status.head) {
                        entries.insert(History::Credential(institution, handle), head.entries);
                    }
                }
            }
        }
    }
    for_each(sender, payload, |history, number| {
        if let (UNKNOWN, Some(written)) = (*number, entries.get_mut(&history)) {
            *written = written.saturating_add(1);
            *number = *written;
        }
    });
    Ok(())
}

/// Every entry that a payload would add: whose history, and the number that is named.
fn for_each(sender: &Sender, payload: &mut Payload, mut edit: impl FnMut(History, &mut u32)) {
    let own = match sender {
        Sender::Institution { institution } => *institution,
        Sender::Authority { .. } | Sender::Authorities { .. } => InstitutionId::new(0),
    };
    match payload {
        Payload::BatchStatusSet(set) => edit(History::Batch(set.institution, set.root), &mut set.entry),
        Payload::BatchAnnul(annul) => {
            let institution = annul.institution;
            edit_all(&mut annul.entries, |named| edit(History::Batch(institution, named.root), &mut named.entry));
        }
        Payload::StatusSet(set) => {
            edit_all(&mut set.entries, |named| edit(History::Credential(own, named.handle), &mut named.entry));
        }
        Payload::StatusOrder(order) => {
            let institution = order.institution;
            edit_all(&mut order.entries, |named| {
                edit(History::Credential(institution, named.handle), &mut named.entry)
            });
        }
        Payload::StatusAnnul(annul) => {
            let institution = annul.institution;
            edit_all(&mut annul.entries, |named| {
                edit(History::Credential(institution, named.handle), &mut named.entry)
            });
        }
        _ => {}
    }
}

fn edit_all<T: Clone, const MAX: usize>(list: &mut List<T, MAX>, edit: impl FnMut(&mut T)) {
    let mut entries = list.to_vec();
    entries.iter_mut().for_each(edit);
    *list = List::new(entries).expect("as many entries as before");
}
