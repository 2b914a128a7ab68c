//! What is asked, from the options: one function per kind where it takes more than a constructor.

use std::path::{Path, PathBuf};

use sigeli::{batch::PreparedBatch, stamp, tx::numbers::UNKNOWN, values};
use sigeli_verifier::{
    bounded::List,
    ids::{
        AuthorityId, BatchRoot, DecisionRef, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, ProfileHash,
        ProgrammeId, StatusHandle,
    },
    params::{AUTHORITY_KEYS_MAX, STATUSES_PER_TRANSACTION_MAX},
    record::Policy,
    transaction::{
        AuthorityKeysSet, AuthorityKind, AuthorityRemove, AuthoritySet, BatchAction, BatchAnnul, BatchAnnulEntry,
        BatchStatusSet, InstitutionClose, InstitutionReopen, InstitutionUpdate, KeyClear, KeyCompromise, KeyRetire,
        KeysAdd, Payload, PermissionAction, PermissionAnnul, PermissionChange, PermissionReplace, PermissionScope,
        PolicySet, ProgrammeRegister, StatusAction, StatusAnnul, StatusAnnulEntry, StatusEntry, StatusOrder,
        StatusReason, StatusSet, UpgradeSchedule,
    },
};

use super::super::{
    failure::Failure,
    own, register,
    tx_args::{
        AuthorityDraftArgs, AuthorityKeyListArgs, AuthorityKindArg, BatchActionArg, BatchAnchorArgs, BatchAnnulArgs,
        BatchStatusArgs, CredentialsArgs, DraftArgs, EitherDraftArgs, EntryArgs, GrantScope, InstitutionCloseArgs,
        JointDraftArgs, KeyCompromiseArgs, KeyRangeArgs, NewKind, OwnDraftArgs, PermissionChangeArgs, PolicySetArgs,
        ProgrammeRegisterArgs, ReplaceScope, ReplacedArgs, StatusActionArg, StatusAnnulArgs, StatusChangeArgs,
        StatusOrderArgs,
    },
};

/// Who sends a draft, as far as the options say.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    Institution { institution: u32 },
    Authority { authority: u8, sequence: Option<u64> },
    Joint { sequence: Option<u64> },
}

impl By {
    pub(super) const fn sequence(&self) -> Option<u64> {
        match self {
            Self::Institution { .. } => None,
            Self::Authority { sequence, .. } | Self::Joint { sequence } => *sequence,
        }
    }
}

/// What a draft asks for, as far as the options say; the ledger knows the rest.
enum Content<'a> {
    Whole(Payload),
    Programme(&'a ProgrammeRegisterArgs),
    Change(&'a PermissionChangeArgs, PermissionAction, DecisionRef),
    Policy(&'a PolicySetArgs, DecisionRef),
}

/// A draft to be made.
pub(super) struct Asked<'a> {
    pub(super) draft: &'a DraftArgs,
    pub(super) by: By,
    pub(super) decision: Option<&'a str>,
    content: Content<'a>,
}

impl Asked<'_> {
    /// Whether the ledger has to be asked for the number of a programme.
    pub(super) const fn needs_programme(&self) -> bool {
        matches!(&self.content, Content::Programme(args) if args.programme.is_none())
    }

    /// The permission whose next change has a number that the ledger has to be asked for.
    pub(super) const fn needs_change(&self) -> Option<(InstitutionId, PermissionId)> {
        match &self.content {
            Content::Change(args, ..) if args.change.is_none() => {
                Some((InstitutionId::new(args.number.institution), PermissionId::new(args.permission)))
            }
            _ => None,
        }
    }

    /// The whole payload, with what the ledger knows: the policy in force, the next number of a programme or of a change.
    pub(super) fn payload(&self, policy: Option<Policy>, next: Option<u32>) -> Result<Payload, Failure> {
        match &self.content {
            Content::Whole(payload) => Ok(payload.clone()),
            Content::Programme(args) => {
                let number = args.programme.or(next).ok_or_else(|| {
                    Failure::usage("name the programme's number with --programme, or a node with --node to look it up")
                })?;
                Ok(Payload::ProgrammeRegister(ProgrammeRegister {
                    programme: ProgrammeId::new(number),
                    title_ka: args.title_ka.clone(),
                    title_en: args.title_en.clone(),
                    partners: own::partners(&args.partners)?,
                }))
            }
            Content::Change(args, action, decision) => {
                let entry = args.change.or(next).ok_or_else(|| {
                    Failure::usage("name the number of the change with --change, or a node with --node to look it up")
                })?;
                Ok(Payload::PermissionChange(PermissionChange {
                    institution: InstitutionId::new(args.number.institution),
                    permission: PermissionId::new(args.permission),
                    decision: *decision,
                    entry,
                    action: *action,
                    effective: args.effective,
                    reason: args.why.reason,
                }))
            }
            Content::Policy(args, decision) => {
                let policy = rules(args, policy)?;
                Ok(Payload::PolicySet(PolicySet { decision: *decision, policy }))
            }
        }
    }
}

fn by_authority<'a>(by: &'a AuthorityDraftArgs, payload: impl FnOnce(DecisionRef) -> Payload) -> Asked<'a> {
    let content = Content::Whole(payload(values::decision_ref(&by.decision)));
    let sender = By::Authority { authority: by.authority, sequence: by.sequence };
    Asked { draft: &by.draft, by: sender, decision: Some(&by.decision), content }
}

fn by_either<'a>(by: &'a EitherDraftArgs, payload: impl FnOnce(InstitutionId, DecisionRef) -> Payload) -> Asked<'a> {
    let institution = InstitutionId::new(by.institution);
    let decision = by.decision.as_deref();
    let content = Content::Whole(payload(institution, decision.map_or(DecisionRef::NONE, values::decision_ref)));
    let sender = by.authority.map_or(By::Institution { institution: by.institution }, |authority| By::Authority {
        authority,
        sequence: by.sequence,
    });
    Asked { draft: &by.draft, by: sender, decision, content }
}

const fn by_institution<'a>(by: &'a OwnDraftArgs, content: Content<'a>) -> Asked<'a> {
    Asked { draft: &by.draft, by: By::Institution { institution: by.institution }, decision: None, content }
}

fn jointly<'a>(by: &'a JointDraftArgs, content: impl FnOnce(DecisionRef) -> Content<'a>) -> Asked<'a> {
    let content = content(values::decision_ref(&by.decision));
    Asked { draft: &by.draft, by: By::Joint { sequence: by.sequence }, decision: Some(&by.decision), content }
}

pub(super) fn asked(kind: &NewKind) -> Result<Asked<'_>, Failure> {
    Ok(match kind {
        NewKind::InstitutionRegister(args) => {
            let registration = register::registration(&args.facts, values::decision_ref(&args.by.decision))?;
            by_authority(&args.by, |_| Payload::InstitutionRegister(registration))
        }
        NewKind::InstitutionUpdate(args) => by_authority(&args.by, |decision| {
            Payload::InstitutionUpdate(InstitutionUpdate {
                institution: InstitutionId::new(args.number.institution),
                decision,
                kind: register::kind(args.kind),
                jurisdiction: args.jurisdiction,
                legal_id: args.legal_id.clone(),
                name_ka: args.name_ka.clone(),
                name_en: args.name_en.clone(),
                profile: ProfileHash::new(args.profile.unwrap_or_default()),
            })
        }),
        NewKind::InstitutionClose(args) => close(args),
        NewKind::InstitutionReopen(args) => by_authority(&args.by, |decision| {
            let institution = InstitutionId::new(args.number.institution);
            Payload::InstitutionReopen(InstitutionReopen { institution, decision, reason: args.why.reason })
        }),
        NewKind::KeysAdd(args) => {
            let keys = register::keys(&args.keys, args.days)?;
            by_either(&args.by, |institution, decision| Payload::KeysAdd(KeysAdd { institution, decision, keys }))
        }
        NewKind::KeyRetire(args) => by_either(&args.by, |institution, decision| {
            Payload::KeyRetire(KeyRetire { institution, decision, key: KeyIndex::new(args.index) })
        }),
        NewKind::KeyCompromise(args) => compromise(args)?,
        NewKind::KeyClear(args) => {
            let (first, last) = key_range(args.keys)?;
            by_authority(&args.by, |decision| {
                let institution = InstitutionId::new(args.number.institution);
                Payload::KeyClear(KeyClear { institution, decision, first, last })
            })
        }
        NewKind::ProgrammeRegister(args) => by_institution(&args.by, Content::Programme(args)),
        NewKind::PermissionGrant { scope } => grant(scope)?,
        NewKind::PermissionSuspend(args) => change(args, PermissionAction::Suspend),
        NewKind::PermissionReinstate(args) => change(args, PermissionAction::Reinstate),
        NewKind::PermissionWithdraw(args) => change(args, PermissionAction::Withdraw),
        NewKind::PermissionReplace { scope } => replace(scope)?,
        NewKind::PermissionAnnul(args) => by_authority(&args.by, |decision| {
            Payload::PermissionAnnul(PermissionAnnul {
                institution: InstitutionId::new(args.number.institution),
                permission: PermissionId::new(args.permission),
                decision,
                reason: args.why.reason,
            })
        }),
        NewKind::BatchAnchor(args) => anchor(args)?,
        NewKind::BatchStatus(args) => batch_status(args),
        NewKind::BatchAnnul(args) => batch_annul(args)?,
        NewKind::StatusSet(args) => {
            let entries = entries(&args.change, args.by.institution)?;
            by_institution(&args.by, Content::Whole(Payload::StatusSet(StatusSet { entries })))
        }
        NewKind::StatusOrder(args) => status_order(args)?,
        NewKind::StatusAnnul(args) => status_annul(args)?,
        NewKind::AuthorityKeys(args) => {
            let (keys, log_keys) = key_lists(&args.list)?;
            let threshold = args.list.threshold;
            by_authority(&args.by, |decision| {
                Payload::AuthorityKeysSet(AuthorityKeysSet { decision, keys, threshold, log_keys })
            })
        }
        NewKind::AuthoritySet(args) => {
            let (keys, log_keys) = key_lists(&args.list)?;
            jointly(&args.by, |decision| {
                Content::Whole(Payload::AuthoritySet(AuthoritySet {
                    decision,
                    authority: AuthorityId::new(args.number),
                    kind: authority_kind(args.kind),
                    name_ka: args.name_ka.clone(),
                    name_en: args.name_en.clone(),
                    keys,
                    threshold: args.list.threshold,
                    log_keys,
                }))
            })
        }
        NewKind::AuthorityRemove(args) => jointly(&args.by, |decision| {
            let authority = AuthorityId::new(args.number);
            Content::Whole(Payload::AuthorityRemove(AuthorityRemove { decision, authority }))
        }),
        NewKind::PolicySet(args) => jointly(&args.by, |decision| Content::Policy(args, decision)),
        NewKind::Upgrade(args) => jointly(&args.by, |decision| {
            let height = Height::new(args.from_block.unwrap_or(0));
            Content::Whole(Payload::UpgradeSchedule(UpgradeSchedule { decision, version: args.protocol, height }))
        }),
    })
}

fn close(args: &InstitutionCloseArgs) -> Asked<'_> {
    by_authority(&args.by, |decision| {
        Payload::InstitutionClose(InstitutionClose {
            institution: InstitutionId::new(args.number.institution),
            decision,
            from: args.from,
            reason: args.why.reason,
            successor: InstitutionId::new(args.successor.unwrap_or(0)),
        })
    })
}

fn compromise(args: &KeyCompromiseArgs) -> Result<Asked<'_>, Failure> {
    let (first, last) = key_range(args.keys)?;
    if first != last && args.by.authority.is_none() {
        return Err(Failure::usage("an institution declares one key at a time; the quality agency also several"));
    }
    Ok(by_either(&args.by, |institution, decision| {
        let from = Height::new(args.from_block.unwrap_or(0));
        Payload::KeyCompromise(KeyCompromise { institution, decision, first, last, from })
    }))
}

/// The first key of a range, and the last.
fn key_range(KeyRangeArgs { index, to_index }: KeyRangeArgs) -> Result<(KeyIndex, KeyIndex), Failure> {
    let last = to_index.unwrap_or(index);
    if last < index {
        return Err(Failure::usage("--to-index is the last key, and not before the first, --index"));
    }
    Ok((KeyIndex::new(index), KeyIndex::new(last)))
}

fn grant(scope: &GrantScope) -> Result<Asked<'_>, Failure> {
    let (args, scope) = match scope {
        GrantScope::Authorisation(args) => (args, PermissionScope::Authorisation),
        GrantScope::Order { grant, order } => (grant, register::ordered(order)),
        GrantScope::Accreditation { grant, programme } => (grant, register::accredited(programme, &grant.granted)),
    };
    let grant = register::grant(&args.granted, values::decision_ref(&args.by.decision), scope)?;
    Ok(by_authority(&args.by, |_| Payload::PermissionGrant(grant)))
}

fn replace(scope: &ReplaceScope) -> Result<Asked<'_>, Failure> {
    let (args, scope): (&ReplacedArgs, _) = match scope {
        ReplaceScope::Authorisation(args) => (args, PermissionScope::Authorisation),
        ReplaceScope::Order { replaced, order } => (replaced, register::ordered(order)),
        ReplaceScope::Accreditation { replaced, programme } => {
            (replaced, register::accredited(programme, &replaced.grant.granted))
        }
    };
    let by = &args.grant.by;
    let grant = register::grant(&args.grant.granted, values::decision_ref(&by.decision), scope)?;
    let replace = PermissionReplace {
        replaced: PermissionId::new(args.replaced),
        effective: args.effective,
        reason: args.why.reason,
        grant,
    };
    Ok(by_authority(by, |_| Payload::PermissionReplace(replace)))
}

fn change(args: &PermissionChangeArgs, action: PermissionAction) -> Asked<'_> {
    let PermissionChangeArgs { by, .. } = args;
    let content = Content::Change(args, action, values::decision_ref(&by.decision));
    let sender = By::Authority { authority: by.authority, sequence: by.sequence };
    Asked { draft: &by.draft, by: sender, decision: Some(&by.decision), content }
}

fn anchor(args: &BatchAnchorArgs) -> Result<Asked<'_>, Failure> {
    let batch = PreparedBatch::open(&args.directory)?;
    let by = By::Institution { institution: batch.institution().get() };
    let content = Content::Whole(Payload::BatchAnchor(batch.anchor()));
    Ok(Asked { draft: &args.draft, by, decision: None, content })
}

/// The number of the entry that a change will be, if it is named.
fn number(args: EntryArgs) -> u32 {
    args.entry.unwrap_or(UNKNOWN)
}

fn batch_annul(args: &BatchAnnulArgs) -> Result<Asked<'_>, Failure> {
    let (institution, entry) = (InstitutionId::new(args.number.institution), number(args.entry));
    let mut roots: Vec<_> = args.roots.iter().copied().map(BatchRoot::new).collect();
    roots.sort();
    roots.dedup();
    let entries = List::new(roots.into_iter().map(|root| BatchAnnulEntry { root, entry }).collect());
    let entries =
        entries.map_err(|_| Failure::usage(format!("name at most {STATUSES_PER_TRANSACTION_MAX} batches at once")))?;
    Ok(by_authority(&args.by, |decision| Payload::BatchAnnul(BatchAnnul { institution, decision, entries })))
}

fn batch_status(args: &BatchStatusArgs) -> Asked<'_> {
    let action = match args.action {
        BatchActionArg::Suspend => BatchAction::Suspend,
        BatchActionArg::Reinstate => BatchAction::Reinstate,
        BatchActionArg::Revoke => BatchAction::Revoke,
    };
    let (reason, entry) = (args.reason, number(args.number));
    by_either(&args.by, |institution, decision| {
        let root = BatchRoot::new(args.root);
        Payload::BatchStatusSet(BatchStatusSet { institution, decision, root, entry, action, reason })
    })
}

pub(super) fn status_order(args: &StatusOrderArgs) -> Result<Asked<'_>, Failure> {
    let institution = args.number.institution;
    let entries = entries(&args.change, institution)?;
    Ok(by_authority(&args.by, |decision| {
        Payload::StatusOrder(StatusOrder { institution: InstitutionId::new(institution), decision, entries })
    }))
}

pub(super) fn status_annul(args: &StatusAnnulArgs) -> Result<Asked<'_>, Failure> {
    let institution = args.number.institution;
    let mut handles = handles(&args.credentials, institution)?;
    handles.sort();
    handles.dedup();
    let entry = number(args.entry);
    let entries = handles.into_iter().map(|handle| StatusAnnulEntry { handle, entry }).collect();
    let entries = List::new(entries).map_err(|_| too_many())?;
    Ok(by_authority(&args.by, |decision| {
        Payload::StatusAnnul(StatusAnnul { institution: InstitutionId::new(institution), decision, entries })
    }))
}

fn too_many() -> Failure {
    Failure::usage(format!("name at most {STATUSES_PER_TRANSACTION_MAX} credentials at once"))
}

/// The names of credentials in the status register. Files must be the institution's own.
fn handles(args: &CredentialsArgs, institution: u32) -> Result<Vec<StatusHandle>, Failure> {
    let mut handles: Vec<_> = args.handles.iter().copied().map(StatusHandle::new).collect();
    for path in &args.credentials {
        handles.push(of_institution(path, institution)?.handle);
    }
    Ok(handles)
}

fn of_institution(path: &Path, institution: u32) -> Result<stamp::Identified, Failure> {
    let found = stamp::identify(path, &sigeli::verify::bundle_path(path))?;
    if found.institution.get() == institution {
        return Ok(found);
    }
    Err(Failure::data(format!(
        "{} was issued by institution {}, not by {institution}: check --institution",
        path.display(),
        found.institution
    )))
}

fn entries(
    args: &StatusChangeArgs,
    institution: u32,
) -> Result<List<StatusEntry, STATUSES_PER_TRANSACTION_MAX>, Failure> {
    let action = match args.action {
        StatusActionArg::Suspend => StatusAction::Suspend,
        StatusActionArg::Reinstate => StatusAction::Reinstate,
        StatusActionArg::Revoke => StatusAction::Revoke,
        StatusActionArg::Supersede => StatusAction::Supersede,
    };
    let handles = handles(&args.credentials, institution)?;
    let successor = successor(args, institution, action, handles.len())?;
    let reason = match (action, args.reason) {
        (StatusAction::Supersede, None | Some(StatusReason::Superseded)) => StatusReason::Superseded,
        (StatusAction::Supersede, Some(_)) => {
            return Err(Failure::usage("a replacement has no other --reason than superseded"));
        }
        (_, reason) => reason.ok_or_else(|| Failure::usage("say why with --reason"))?,
    };
    let entry = number(args.number);
    let entries = handles.into_iter().map(|handle| StatusEntry { handle, entry, action, reason, successor }).collect();
    List::new(entries).map_err(|_| too_many())
}

fn successor(
    args: &StatusChangeArgs,
    institution: u32,
    action: StatusAction,
    count: usize,
) -> Result<[u8; 32], Failure> {
    let named: (Option<&PathBuf>, Option<[u8; 32]>) = (args.successor.as_ref(), args.successor_leaf);
    match (action, named) {
        (StatusAction::Supersede, _) if count != 1 => {
            Err(Failure::usage("name one credential at a time when it is replaced by another"))
        }
        (StatusAction::Supersede, (Some(path), _)) => Ok(of_institution(path, institution)?.leaf.get()),
        (StatusAction::Supersede, (None, Some(leaf))) => Ok(leaf),
        (StatusAction::Supersede, (None, None)) => {
            Err(Failure::usage("name the newer credential with --successor or --successor-leaf"))
        }
        (_, (None, None)) => Ok([0; 32]),
        _ => Err(Failure::usage("--successor goes with --action supersede alone")),
    }
}

type KeyList = List<sigeli_verifier::crypto::PublicKey, AUTHORITY_KEYS_MAX>;

fn key_lists(args: &AuthorityKeyListArgs) -> Result<(KeyList, KeyList), Failure> {
    let list = |keys: &[_]| {
        List::new(keys.to_vec()).map_err(|error| Failure::usage(format!("too many keys of one authority: {error}")))
    };
    if usize::from(args.threshold) > args.keys.len() {
        return Err(Failure::usage("--threshold is larger than the number of keys"));
    }
    if args.keys.iter().enumerate().any(|(position, key)| args.keys[..position].contains(key)) {
        return Err(Failure::usage("a key is named twice with --authority-key"));
    }
    Ok((list(&args.keys)?, list(&args.log_keys)?))
}

const fn authority_kind(kind: AuthorityKindArg) -> AuthorityKind {
    match kind {
        AuthorityKindArg::Ministry => AuthorityKind::Ministry,
        AuthorityKindArg::Nceqe => AuthorityKind::Nceqe,
        AuthorityKindArg::Emis => AuthorityKind::Emis,
        AuthorityKindArg::Operator => AuthorityKind::Operator,
    }
}

/// The rules in force with those that are named changed; without rules in force, all must be named.
fn rules(args: &PolicySetArgs, in_force: Option<Policy>) -> Result<Policy, Failure> {
    fn pick<T>(named: Option<T>, in_force: Option<T>, option: &str) -> Result<T, Failure> {
        named.or(in_force).ok_or_else(|| {
            Failure::usage(format!(
                "the rules in force are not known here: name --node or --genesis, or every rule ({option} is missing)"
            ))
        })
    }
    let levels = |named: &Option<Vec<EctsTenths>>| {
        let named = named.as_deref().map(<[EctsTenths; 8]>::try_from).transpose();
        named.map_err(|_| Failure::usage("name eight numbers of credits, one for each level"))
    };
    let tolerance = args.clock_tolerance.map(|time| u32::try_from(time.as_millis())).transpose();
    let tolerance = tolerance.map_err(|_| Failure::usage("--clock-tolerance is too long"))?;
    let policy = Policy {
        ects_max: pick(levels(&args.ects_max)?, in_force.map(|rules| rules.ects_max), "--ects-max")?,
        ects_min: pick(levels(&args.ects_min)?, in_force.map(|rules| rules.ects_min), "--ects-min")?,
        ects_recognised_max: pick(
            args.ects_recognised_max,
            in_force.map(|rules| rules.ects_recognised_max),
            "--ects-recognised-max",
        )?,
        batch_height_min: pick(
            args.batch_height_min,
            in_force.map(|rules| rules.batch_height_min),
            "--batch-height-min",
        )?,
        clock_tolerance_ms: pick(tolerance, in_force.map(|rules| rules.clock_tolerance_ms), "--clock-tolerance")?,
        pilot_order_required: pick(
            args.order_required,
            in_force.map(|rules| rules.pilot_order_required),
            "--order-required",
        )?,
        batches_per_day: pick(args.batches_per_day, in_force.map(|rules| rules.batches_per_day), "--batches-per-day")?,
        statuses_per_day: pick(
            args.statuses_per_day,
            in_force.map(|rules| rules.statuses_per_day),
            "--statuses-per-day",
        )?,
        changes_per_day: pick(args.changes_per_day, in_force.map(|rules| rules.changes_per_day), "--changes-per-day")?,
        approvals_min: pick(args.approvals_min, in_force.map(|rules| rules.approvals_min), "--approvals-min")?,
    };
    policy.check().map_err(|error| Failure::usage(format!("these rules cannot be: {error}")))?;
    Ok(policy)
}
