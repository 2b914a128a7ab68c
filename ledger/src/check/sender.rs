//! Who signed: the sender's record, sequence number, keys and signatures.

use alloc::{
    collections::{BTreeMap, btree_map::Entry},
    vec::Vec,
};

use sigeli_verifier::{
    ids::{AuthorityId, AuthoritySequence, GovernanceSequence, InstitutionId, KeyIndex},
    record::{AuthorityRecord, GovernanceRecord, KeyState},
    transaction::{KeyPurposes, Payload, Sender, SignedTransaction, joint_key_parts},
};

use super::{SignatureMemory, Terms};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Institution, Overlay},
    tree::NodeReader,
};

/// A sender whose signatures were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// An institution, by one of its keys.
    Institution {
        /// Its number.
        id: InstitutionId,
        /// Its record.
        institution: Institution,
        /// The key.
        key: KeyIndex,
    },
    /// An authority, by at least its threshold of keys.
    Authority {
        /// Its number.
        id: AuthorityId,
        /// Its record, with the sequence number of this transaction.
        record: AuthorityRecord,
    },
    /// As many authorities as [`Policy::approvals_needed`](sigeli_verifier::record::Policy::approvals_needed) says, each by at least its threshold of keys.
    Authorities {
        /// Their joint affairs, with the sequence number of this transaction.
        record: GovernanceRecord,
        /// Those who approve, in ascending order.
        approvals: Vec<(AuthorityId, AuthorityRecord)>,
    },
}

pub(super) fn check_sender<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    transaction: &SignedTransaction,
    signatures: &mut SignatureMemory,
) -> Result<Signer, CheckError> {
    match transaction.body().sender {
        Sender::Institution { institution } => check_institution(state, terms, transaction, institution, signatures),
        Sender::Authority { authority, sequence } => {
            check_authority(state, transaction, authority, sequence, signatures)
        }
        Sender::Authorities { sequence } => check_authorities(state, terms, transaction, sequence, signatures),
    }
}

/// What a key must be allowed to do for this payload.
const fn purpose(payload: &Payload) -> KeyPurposes {
    match payload {
        Payload::BatchAnchor(_) => KeyPurposes::ANCHOR,
        Payload::StatusSet(_) | Payload::BatchStatusSet(_) => KeyPurposes::STATUS,
        _ => KeyPurposes::ADMIN,
    }
}

fn check_institution<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    transaction: &SignedTransaction,
    id: InstitutionId,
    signatures: &mut SignatureMemory,
) -> Result<Signer, CheckError> {
    let [entry] = transaction.signatures() else {
        return Err(Rejection::TooManySignatures { count: transaction.signatures().len(), limit: 1 }.into());
    };
    let institution = state.institution(id)?.ok_or(Rejection::UnknownSender)?;
    let (key, day) = (entry.key, terms.day());
    if let Some(from) = institution.facts.state.closed_from().filter(|from| *from <= day) {
        return Err(Rejection::InstitutionClosed { from }.into());
    }
    let record = state.key(id, key)?.ok_or(Rejection::UnknownKey { key })?;
    if let KeyState::Retired { at } = record.state {
        return Err(Rejection::KeyRetired { key, at }.into());
    }
    if let Some(from) = institution.facts.compromised_from(key) {
        return Err(Rejection::KeyCompromised { key, from }.into());
    }
    let (first, last) = (record.window.first(), record.window.last());
    if day < first {
        return Err(Rejection::KeyNotYet { key, first }.into());
    }
    if day > last {
        return Err(Rejection::KeyExpired { key, last }.into());
    }
    if !record.purposes.allows(purpose(&transaction.body().payload)) {
        return Err(Rejection::KeyNotAllowed { key }.into());
    }
    if !signatures.is_signed_by(transaction, entry, &record.key) {
        return Err(Rejection::WrongSignature { key }.into());
    }
    Ok(Signer::Institution { id, institution, key })
}

fn check_authority<R: NodeReader>(
    state: &Overlay<'_, R>,
    transaction: &SignedTransaction,
    id: AuthorityId,
    sequence: AuthoritySequence,
    signatures: &mut SignatureMemory,
) -> Result<Signer, CheckError> {
    let mut record = state.view().authority(id)?.ok_or(Rejection::UnknownSender)?;
    if record.is_ended() {
        return Err(Rejection::AuthorityEnded { authority: id }.into());
    }
    let expected = AuthoritySequence::new(record.sequence.get().saturating_add(1));
    if sequence != expected {
        return Err(Rejection::SequenceMismatch { given: sequence, expected }.into());
    }
    let count = transaction.signatures().len();
    if count < usize::from(record.threshold) {
        return Err(Rejection::TooFewSignatures { count, threshold: record.threshold }.into());
    }
    if count > record.keys.len() {
        return Err(Rejection::TooManySignatures { count, limit: record.keys.len() }.into());
    }
    for entry in transaction.signatures() {
        let key = record.keys.get(usize::from(entry.key.get())).ok_or(Rejection::UnknownKey { key: entry.key })?;
        if !signatures.is_signed_by(transaction, entry, key) {
            return Err(Rejection::WrongSignature { key: entry.key }.into());
        }
    }
    record.sequence = sequence;
    Ok(Signer::Authority { id, record })
}

/// Every signature must be valid; an authority with fewer than its threshold does not count as approving.
fn check_authorities<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    transaction: &SignedTransaction,
    sequence: GovernanceSequence,
    signatures: &mut SignatureMemory,
) -> Result<Signer, CheckError> {
    let view = state.view();
    let mut record = view.joint()?;
    let expected = GovernanceSequence::new(record.sequence.get().saturating_add(1));
    if sequence != expected {
        return Err(Rejection::JointSequenceMismatch { given: sequence, expected }.into());
    }
    let mut signed = BTreeMap::<AuthorityId, (AuthorityRecord, usize)>::new();
    for entry in transaction.signatures() {
        let unknown = Rejection::UnknownKey { key: entry.key };
        let (authority, position) = joint_key_parts(entry.key);
        let (record, count) = match signed.entry(authority) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert((view.authority(authority)?.ok_or(unknown)?, 0)),
        };
        let key = record.keys.get(usize::from(position)).ok_or(unknown)?;
        if !signatures.is_signed_by(transaction, entry, key) {
            return Err(Rejection::WrongSignature { key: entry.key }.into());
        }
        *count = count.saturating_add(1);
    }
    let approvals: Vec<_> = signed
        .into_iter()
        .filter(|(_, (record, count))| *count >= usize::from(record.threshold))
        .map(|(authority, (record, _))| (authority, record))
        .collect();
    let needed = terms.policy.approvals_needed(record.authorities.len());
    if approvals.len() < usize::from(needed) {
        return Err(Rejection::TooFewApprovals { count: approvals.len(), needed }.into());
    }
    record.sequence = sequence;
    Ok(Signer::Authorities { record, approvals })
}
