//! The rules of joint transactions: authorities, policy, upgrades.

use alloc::vec::Vec;

use sigeli_verifier::{
    bounded::List,
    ids::{AuthorityId, AuthoritySequence, Height},
    params::{AUTHORITIES_MAX, UPGRADE_NOTICE_BLOCKS_MIN},
    record::{AuthorityRecord, GovernanceRecord, approvals_for},
    transaction::{AuthorityKind, AuthorityRemove, AuthoritySet, Payload, PolicySet, UpgradeSchedule},
};

use super::{Terms, authority::check_keys};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Overlay, Write},
    store::StoreError,
    tree::NodeReader,
};

/// The authorities whose signatures were checked: enough for a joint transaction.
pub(super) struct JointSigner<'a> {
    /// Their joint affairs, with the sequence number of this transaction.
    pub(super) record: GovernanceRecord,
    /// Those who approve.
    pub(super) approvals: &'a [(AuthorityId, AuthorityRecord)],
}

/// Judges a joint transaction.
pub(super) fn check<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: JointSigner<'_>,
    payload: &Payload,
) -> Result<Vec<Write>, CheckError> {
    let decision = match payload {
        Payload::AuthoritySet(set) => set.decision,
        Payload::AuthorityRemove(remove) => remove.decision,
        Payload::PolicySet(set) => set.decision,
        Payload::UpgradeSchedule(schedule) => schedule.decision,
        _ => return Err(Rejection::WrongSenderKind.into()),
    };
    if decision.is_none() {
        return Err(Rejection::DecisionMissing.into());
    }
    match payload {
        Payload::AuthoritySet(set) => check_authority(state, terms, by, set),
        Payload::AuthorityRemove(remove) => check_removal(state, terms, by, remove),
        Payload::PolicySet(set) => check_policy(state, by, set),
        Payload::UpgradeSchedule(schedule) => check_upgrade(state, terms, by, schedule),
        _ => Err(Rejection::WrongSenderKind.into()),
    }
}

fn check_authority<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: JointSigner<'_>,
    set: &AuthoritySet,
) -> Result<Vec<Write>, CheckError> {
    let id = set.authority;
    if set.name_ka.as_str().is_empty() || set.name_en.as_str().is_empty() {
        return Err(Rejection::NameMissing.into());
    }
    check_keys(state, id, &set.keys, set.threshold)?;
    let mut joint = by.record.clone();
    let present = state.view().authority(id)?;
    let sequence = match &present {
        Some(record) if record.is_ended() => return Err(Rejection::AuthorityEnded { authority: id }.into()),
        Some(record) => record.sequence,
        None => {
            let mut authorities = joint.authorities.to_vec();
            authorities.push(id);
            authorities.sort();
            joint.authorities =
                List::new(authorities).map_err(|_| Rejection::TooManyAuthorities { limit: AUTHORITIES_MAX })?;
            AuthoritySequence::new(0)
        }
    };
    // The majority of the others cannot make itself a Ministry or a quality agency, whose approval policies need.
    let new_kind = present.as_ref().is_none_or(|record| record.kind != set.kind);
    if new_kind && matches!(set.kind, AuthorityKind::Ministry | AuthorityKind::Nceqe) {
        check_approval(state, by.approvals, &by.record, set.kind)?;
    }
    if let Some(before) = present.filter(|record| record.kind != set.kind) {
        check_needed(state, terms, &joint, id, before.kind)?;
    }
    let record = AuthorityRecord {
        kind: set.kind,
        name_ka: set.name_ka.clone(),
        name_en: set.name_en.clone(),
        keys: set.keys.clone(),
        threshold: set.threshold,
        log_keys: set.log_keys.clone(),
        sequence,
    };
    Ok(Vec::from([Write::Authority(id, record), Write::Joint(joint)]))
}

fn check_removal<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: JointSigner<'_>,
    remove: &AuthorityRemove,
) -> Result<Vec<Write>, CheckError> {
    let authority = remove.authority;
    let view = state.view();
    let mut record = view.authority(authority)?.ok_or(Rejection::UnknownAuthority { authority })?;
    if record.is_ended() {
        return Err(Rejection::AuthorityEnded { authority }.into());
    }
    let validators = view.registry()?;
    if validators.validators().iter().any(|entry| entry.validator.authority == authority) {
        return Err(Rejection::AuthorityHasValidators { authority }.into());
    }
    let mut joint = by.record;
    check_needed(state, terms, &joint, authority, record.kind)?;
    let rest: Vec<_> = joint.authorities.iter().copied().filter(|other| *other != authority).collect();
    joint.authorities = List::new(rest).map_err(|_| StoreError::Corrupt { what: "authorities" })?;
    record.keys = List::empty();
    record.log_keys = List::empty();
    Ok(Vec::from([Write::Authority(authority, record), Write::Joint(joint)]))
}

/// Refuses to end the last quality agency, or the last Ministry while batches need its order.
fn check_needed<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    joint: &GovernanceRecord,
    without: AuthorityId,
    kind: AuthorityKind,
) -> Result<(), CheckError> {
    let needed = match kind {
        AuthorityKind::Nceqe => true,
        AuthorityKind::Ministry => terms.policy.pilot_order_required,
        AuthorityKind::Emis | AuthorityKind::Operator => false,
    };
    if needed && !any_of_kind(state, joint, kind, Some(without))? {
        return Err(Rejection::AuthorityNeeded { kind }.into());
    }
    Ok(())
}

fn any_of_kind<R: NodeReader>(
    state: &Overlay<'_, R>,
    joint: &GovernanceRecord,
    kind: AuthorityKind,
    without: Option<AuthorityId>,
) -> Result<bool, StoreError> {
    for &authority in joint.authorities.iter().filter(|other| Some(**other) != without) {
        let missing = StoreError::Corrupt { what: "authority (missing)" };
        if state.view().authority(authority)?.ok_or(missing)?.kind == kind {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses without the approval of an authority of this kind, where one exists.
fn check_approval<R: NodeReader>(
    state: &Overlay<'_, R>,
    approvals: &[(AuthorityId, AuthorityRecord)],
    joint: &GovernanceRecord,
    kind: AuthorityKind,
) -> Result<(), CheckError> {
    let approves = approvals.iter().any(|(_, record)| record.kind == kind);
    if !approves && any_of_kind(state, joint, kind, None)? {
        return Err(Rejection::ApprovalMissing { kind }.into());
    }
    Ok(())
}

/// Refuses without the approval of the Ministry and of the quality agency, where they exist.
fn check_both_approve<R: NodeReader>(state: &Overlay<'_, R>, by: &JointSigner<'_>) -> Result<(), CheckError> {
    for kind in [AuthorityKind::Ministry, AuthorityKind::Nceqe] {
        check_approval(state, by.approvals, &by.record, kind)?;
    }
    Ok(())
}

/// A policy whose limits make sense, and whose number of approvals fits the authorities that there are.
fn check_policy<R: NodeReader>(
    state: &Overlay<'_, R>,
    by: JointSigner<'_>,
    set: &PolicySet,
) -> Result<Vec<Write>, CheckError> {
    check_both_approve(state, &by)?;
    set.policy.check().map_err(|error| Rejection::PolicyInvalid { error })?;
    let (given, allowed) = (set.policy.approvals_min, approvals_for(by.record.authorities.len()));
    if !allowed.contains(&given) {
        return Err(Rejection::ApprovalsInvalid { given, least: *allowed.start(), most: *allowed.end() }.into());
    }
    if set.policy.pilot_order_required && !any_of_kind(state, &by.record, AuthorityKind::Ministry, None)? {
        return Err(Rejection::AuthorityNeeded { kind: AuthorityKind::Ministry }.into());
    }
    Ok(Vec::from([Write::Policy(set.policy), Write::Joint(by.record)]))
}

/// The next version, announced in time; or the version in force at height 0, which takes an announcement back.
fn check_upgrade<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: JointSigner<'_>,
    schedule: &UpgradeSchedule,
) -> Result<Vec<Write>, CheckError> {
    check_both_approve(state, &by)?;
    let UpgradeSchedule { version, height, .. } = *schedule;
    let mut joint = by.record;
    let in_force = joint.version_at(terms.height);
    let announced = joint.upgrade_height > terms.height;
    let takes_back = version == in_force && announced && height == Height::new(0);
    if Some(version) != in_force.checked_add(1) && !takes_back {
        return Err(Rejection::UpgradeVersionInvalid { given: version, in_force }.into());
    }
    let earliest = Height::new(terms.height.get().saturating_add(UPGRADE_NOTICE_BLOCKS_MIN));
    if !takes_back && height < earliest {
        return Err(Rejection::UpgradeTooSoon { height, earliest }.into());
    }
    joint.version = in_force;
    joint.upgrade_version = version;
    joint.upgrade_height = height;
    Ok(Vec::from([Write::Joint(joint)]))
}
