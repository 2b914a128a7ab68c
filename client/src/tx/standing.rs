//! Who has signed a draft, and whether that is enough.

use std::collections::BTreeMap;

use sigeli_verifier::{
    crypto::PublicKey,
    ids::{AuthorityId, InstitutionId, KeyIndex},
    transaction::{AuthorityKind, Draft, Payload, Sender, TransactionSignature, joint_key_parts},
};

use super::known::Known;

/// What is known about one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureState {
    /// It is the key's.
    Valid,
    /// It is not the key's.
    Invalid,
    /// There is no such key.
    UnknownKey,
    /// The keys are not known.
    Unchecked,
}

/// The authority whose key a signature names, in a transaction of authorities, and the key's position.
#[must_use]
pub fn signed_as(sender: &Sender, key: KeyIndex) -> (Option<AuthorityId>, u16) {
    match sender {
        Sender::Institution { .. } => (None, key.get()),
        Sender::Authority { authority, .. } => (Some(*authority), key.get()),
        Sender::Authorities { .. } => {
            let (authority, position) = joint_key_parts(key);
            (Some(authority), position.into())
        }
    }
}

/// Checks one signature of a draft, as far as the keys are known.
#[must_use]
pub fn signature_state(draft: &Draft, entry: &TransactionSignature, known: Option<&Known>) -> SignatureState {
    let Some(known) = known else { return SignatureState::Unchecked };
    let (authority, position) = signed_as(&draft.body().sender, entry.key);
    let listed: Option<Vec<(u16, PublicKey)>> = match authority {
        Some(authority) => match known.authority(authority) {
            Some(found) => Some(found.key_positions()),
            // All authorities are known where any is asked for.
            None => Some(Vec::new()),
        },
        None => known.institution_key_positions(),
    };
    let Some(listed) = listed else { return SignatureState::Unchecked };
    match listed.iter().find(|(index, _)| *index == position) {
        None => SignatureState::UnknownKey,
        Some((_, key)) if draft.is_signed_by(entry, key) => SignatureState::Valid,
        Some(_) => SignatureState::Invalid,
    }
}

/// How many valid signatures each authority has given.
#[must_use]
pub fn signatures_by_authority(draft: &Draft, known: &Known) -> BTreeMap<AuthorityId, usize> {
    let mut counts = BTreeMap::new();
    for entry in draft.signatures() {
        if let (Some(authority), _) = signed_as(&draft.body().sender, entry.key)
            && signature_state(draft, entry, Some(known)) == SignatureState::Valid
        {
            *counts.entry(authority).or_insert(0) += 1;
        }
    }
    counts
}

/// Why the ledger would not take a draft's signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Shortfall {
    /// Nobody has signed.
    #[error("nobody has signed the draft yet")]
    Unsigned,
    /// A signature is false.
    #[error("the signature of {} is false: the draft was changed after it was signed, or another key was used", signatory(*authority, *key))]
    Invalid {
        /// The authority, if it is one's.
        authority: Option<AuthorityId>,
        /// The position of the key.
        key: u16,
    },
    /// There is no such key.
    #[error("there is no {}", signatory(*authority, *key))]
    UnknownKey {
        /// The authority, if it is one's.
        authority: Option<AuthorityId>,
        /// The position of the key.
        key: u16,
    },
    /// An institution's transaction carries one signature.
    #[error("an institution's transaction carries exactly one signature, and this one has {given}")]
    TooMany {
        /// How many it has.
        given: usize,
    },
    /// Fewer than the authority's threshold.
    #[error("authority {authority} decides with {threshold} signatures, and {given} of its keys signed")]
    TooFew {
        /// The authority.
        authority: AuthorityId,
        /// How many are needed.
        threshold: u8,
        /// How many there are.
        given: usize,
    },
    /// Fewer authorities than the policy asks for.
    #[error(
        "{needed} authorities must approve, and {given} do (an authority approves once as many of its keys signed as it needs)"
    )]
    TooFewApprovals {
        /// How many are needed.
        needed: u8,
        /// How many approve.
        given: usize,
    },
    /// The policy is not changed without the Ministry and the quality agency.
    #[error("the policy is not changed without {}, which has not approved yet", body_name(*kind))]
    ApprovalMissing {
        /// What is missing.
        kind: AuthorityKind,
    },
}

fn signatory(authority: Option<AuthorityId>, key: u16) -> String {
    authority.map_or_else(
        || format!("key {key} of the institution"),
        |authority| format!("key {key} of authority {authority}"),
    )
}

const fn body_name(kind: AuthorityKind) -> &'static str {
    match kind {
        AuthorityKind::Ministry => "the Ministry",
        AuthorityKind::Nceqe => "the quality agency",
        AuthorityKind::Emis => "the information system",
        AuthorityKind::Operator => "an operator",
    }
}

/// Whether the ledger would take the signatures, by what is known. What is not known is left to the ledger.
///
/// # Errors
/// The first [`Shortfall`].
pub fn shortfall(draft: &Draft, known: &Known) -> Result<(), Shortfall> {
    let sender = draft.body().sender;
    if draft.signatures().is_empty() {
        return Err(Shortfall::Unsigned);
    }
    for entry in draft.signatures() {
        let (authority, key) = signed_as(&sender, entry.key);
        match signature_state(draft, entry, Some(known)) {
            SignatureState::Valid | SignatureState::Unchecked => {}
            SignatureState::Invalid => return Err(Shortfall::Invalid { authority, key }),
            SignatureState::UnknownKey => return Err(Shortfall::UnknownKey { authority, key }),
        }
    }
    match sender {
        Sender::Institution { .. } if draft.signatures().len() > 1 => {
            Err(Shortfall::TooMany { given: draft.signatures().len() })
        }
        Sender::Institution { .. } => Ok(()),
        Sender::Authority { authority, .. } => {
            let given = draft.signatures().len();
            match known.authority(authority) {
                Some(found) if given < usize::from(found.threshold) => {
                    Err(Shortfall::TooFew { authority, threshold: found.threshold, given })
                }
                _ => Ok(()),
            }
        }
        Sender::Authorities { .. } => joint_shortfall(draft, known),
    }
}

/// The authorities that approve a joint transaction: each with at least its threshold of valid signatures.
#[must_use]
pub fn approvals(draft: &Draft, known: &Known) -> Vec<AuthorityId> {
    let counts = signatures_by_authority(draft, known);
    let enough = |(authority, count): (&AuthorityId, &usize)| {
        let found = known.authority(*authority)?;
        (!found.is_ended() && *count >= usize::from(found.threshold)).then_some(*authority)
    };
    counts.iter().filter_map(enough).collect()
}

fn joint_shortfall(draft: &Draft, known: &Known) -> Result<(), Shortfall> {
    let approving = approvals(draft, known);
    let kinds = |wanted: AuthorityKind| {
        known.authorities.iter().filter(move |authority| authority.kind == wanted && !authority.is_ended())
    };
    if let Some(needed) = known.approvals_needed()
        && approving.len() < usize::from(needed)
    {
        return Err(Shortfall::TooFewApprovals { needed, given: approving.len() });
    }
    if matches!(draft.body().payload, Payload::PolicySet(_) | Payload::UpgradeSchedule(_)) {
        for kind in [AuthorityKind::Ministry, AuthorityKind::Nceqe] {
            let mut all = kinds(kind).peekable();
            if all.peek().is_some() && !all.any(|authority| approving.contains(&authority.id)) {
                return Err(Shortfall::ApprovalMissing { kind });
            }
        }
    }
    Ok(())
}

/// Why no ledger would ever take a transaction, whoever signs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// This kind of sender does not send this kind of transaction.
    WrongSender,
    /// An authority's transaction names no decision.
    DecisionMissing,
    /// An institution's own transaction names a decision.
    DecisionUnexpected,
    /// An institution writes about another one.
    WrongNamespace {
        /// That one.
        institution: InstitutionId,
    },
}

/// What the ledger asks of every transaction before it looks at its own state, except the time.
#[must_use]
pub fn objection(draft: &Draft) -> Option<Objection> {
    let body = draft.body();
    let (institution, authority, joint) = match body.sender {
        Sender::Institution { .. } => (true, false, false),
        Sender::Authority { .. } => (false, true, false),
        Sender::Authorities { .. } => (false, false, true),
    };
    let (may, subject, decision) = match &body.payload {
        Payload::BatchAnchor(_) | Payload::StatusSet(_) | Payload::ProgrammeRegister(_) => (institution, None, None),
        Payload::KeysAdd(add) => (!joint, Some(add.institution), Some(add.decision)),
        Payload::KeyRetire(retire) => (!joint, Some(retire.institution), Some(retire.decision)),
        Payload::KeyCompromise(compromise) => (!joint, Some(compromise.institution), Some(compromise.decision)),
        Payload::BatchStatusSet(set) => (!joint, Some(set.institution), Some(set.decision)),
        Payload::InstitutionRegister(register) => (authority, None, Some(register.decision)),
        Payload::InstitutionUpdate(update) => (authority, None, Some(update.decision)),
        Payload::InstitutionClose(close) => (authority, None, Some(close.decision)),
        Payload::InstitutionReopen(reopen) => (authority, None, Some(reopen.decision)),
        Payload::KeyClear(clear) => (authority, None, Some(clear.decision)),
        Payload::PermissionGrant(grant) => (authority, None, Some(grant.decision)),
        Payload::PermissionChange(change) => (authority, None, Some(change.decision)),
        Payload::PermissionReplace(replace) => (authority, None, Some(replace.grant.decision)),
        Payload::PermissionAnnul(annul) => (authority, None, Some(annul.decision)),
        Payload::BatchAnnul(annul) => (authority, None, Some(annul.decision)),
        Payload::StatusOrder(order) => (authority, None, Some(order.decision)),
        Payload::StatusAnnul(annul) => (authority, None, Some(annul.decision)),
        Payload::AuthorityKeysSet(set) => (authority, None, Some(set.decision)),
        Payload::AuthoritySet(set) => (joint, None, Some(set.decision)),
        Payload::AuthorityRemove(remove) => (joint, None, Some(remove.decision)),
        Payload::PolicySet(set) => (joint, None, Some(set.decision)),
        Payload::UpgradeSchedule(schedule) => (joint, None, Some(schedule.decision)),
    };
    if !may {
        return Some(Objection::WrongSender);
    }
    match (body.sender, subject, decision) {
        (Sender::Institution { institution: own }, Some(institution), _) if own != institution => {
            Some(Objection::WrongNamespace { institution })
        }
        (Sender::Institution { .. }, _, Some(decision)) if !decision.is_none() => Some(Objection::DecisionUnexpected),
        (Sender::Authority { .. } | Sender::Authorities { .. }, _, Some(decision)) if decision.is_none() => {
            Some(Objection::DecisionMissing)
        }
        _ => None,
    }
}
