//! Who signed: the sender's record, sequence number, keys and signatures.

use sigeli_verifier::{
    ids::{AuthorityId, AuthoritySequence, InstitutionId, KeyIndex},
    record::KeyState,
    transaction::{KeyPurposes, Payload, Sender, SignedTransaction},
};

use super::{SignatureMemory, Terms};
use crate::{
    outcome::{CheckError, Rejection},
    state::{AuthorityRecord, Institution, Overlay},
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
    }
}

/// What a key must be allowed to do for this payload.
const fn purpose(payload: &Payload) -> KeyPurposes {
    match payload {
        Payload::BatchAnchor(_) => KeyPurposes::ANCHOR,
        Payload::StatusSet(_) => KeyPurposes::STATUS,
        Payload::InstitutionRegister(_) | Payload::PermissionGrant(_) => KeyPurposes::ADMIN,
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
    let key = entry.key;
    let record = state.key(id, key)?.ok_or(Rejection::UnknownKey { key })?;
    if let KeyState::Retired { at } = record.state {
        return Err(Rejection::KeyRetired { key, at }.into());
    }
    if let Some(from) = institution.facts.compromised_from(key).filter(|from| *from <= terms.height) {
        return Err(Rejection::KeyCompromised { key, from }.into());
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
