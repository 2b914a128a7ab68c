//! Transactions in plain words: every field of every kind, by name. Adding a field to a transaction breaks the build here
//! until it is printed.

use sigeli_verifier::{
    bounded::List,
    params::INSTITUTION_KEYS_MAX,
    transaction::{
        AuthorityKeysSet, AuthorityRemove, AuthoritySet, BatchAnchor, BatchAnnul, BatchAnnulEntry, BatchStatusSet,
        InstitutionClose, InstitutionKey, InstitutionRegister, InstitutionReopen, InstitutionUpdate, KeyClear,
        KeyCompromise, KeyRetire, KeysAdd, Payload, PermissionAnnul, PermissionChange, PermissionGrant,
        PermissionReplace, PolicySet, ProgrammeRegister, Sender, StatusAction, StatusAnnul, StatusAnnulEntry,
        StatusEntry, StatusOrder, StatusSet, UpgradeSchedule,
    },
};

use crate::{
    query::{plain::Plain, words},
    values::ects_text,
};

/// The kind of a transaction, as a word for programs.
#[must_use]
pub const fn kind(payload: &Payload) -> &'static str {
    match payload {
        Payload::InstitutionRegister(_) => "institution_register",
        Payload::InstitutionUpdate(_) => "institution_update",
        Payload::InstitutionClose(_) => "institution_close",
        Payload::InstitutionReopen(_) => "institution_reopen",
        Payload::KeysAdd(_) => "keys_add",
        Payload::KeyRetire(_) => "key_retire",
        Payload::KeyCompromise(_) => "key_compromise",
        Payload::KeyClear(_) => "key_clear",
        Payload::ProgrammeRegister(_) => "programme_register",
        Payload::PermissionGrant(_) => "permission_grant",
        Payload::PermissionChange(_) => "permission_change",
        Payload::PermissionReplace(_) => "permission_replace",
        Payload::PermissionAnnul(_) => "permission_annul",
        Payload::BatchAnchor(_) => "batch_anchor",
        Payload::BatchStatusSet(_) => "batch_status_set",
        Payload::BatchAnnul(_) => "batch_annul",
        Payload::StatusSet(_) => "status_set",
        Payload::StatusOrder(_) => "status_order",
        Payload::StatusAnnul(_) => "status_annul",
        Payload::AuthorityKeysSet(_) => "authority_keys_set",
        Payload::AuthoritySet(_) => "authority_set",
        Payload::AuthorityRemove(_) => "authority_remove",
        Payload::PolicySet(_) => "policy_set",
        Payload::UpgradeSchedule(_) => "upgrade_schedule",
    }
}

/// Who sends a transaction.
#[must_use]
pub fn sender(sender: &Sender) -> Plain {
    match sender {
        Sender::Institution { institution } => {
            Plain::object([("kind", "institution".into()), ("institution", institution.get().into())])
        }
        Sender::Authority { authority, sequence } => Plain::object([
            ("kind", "authority".into()),
            ("authority", authority.get().into()),
            ("sequence", sequence.get().into()),
        ]),
        Sender::Authorities { sequence } => {
            Plain::object([("kind", "authorities".into()), ("sequence", sequence.get().into())])
        }
    }
}

/// The number of the institution that a transaction concerns, if it concerns one.
#[must_use]
pub fn institution(sent_by: &Sender, payload: &Payload) -> Option<u32> {
    let named = match payload {
        Payload::InstitutionRegister(payload) => Some(payload.institution),
        Payload::InstitutionUpdate(payload) => Some(payload.institution),
        Payload::InstitutionClose(payload) => Some(payload.institution),
        Payload::InstitutionReopen(payload) => Some(payload.institution),
        Payload::KeysAdd(payload) => Some(payload.institution),
        Payload::KeyRetire(payload) => Some(payload.institution),
        Payload::KeyCompromise(payload) => Some(payload.institution),
        Payload::KeyClear(payload) => Some(payload.institution),
        Payload::PermissionGrant(payload) => Some(payload.institution),
        Payload::PermissionChange(payload) => Some(payload.institution),
        Payload::PermissionReplace(payload) => Some(payload.grant.institution),
        Payload::PermissionAnnul(payload) => Some(payload.institution),
        Payload::BatchStatusSet(payload) => Some(payload.institution),
        Payload::BatchAnnul(payload) => Some(payload.institution),
        Payload::StatusOrder(payload) => Some(payload.institution),
        Payload::StatusAnnul(payload) => Some(payload.institution),
        Payload::ProgrammeRegister(_)
        | Payload::BatchAnchor(_)
        | Payload::StatusSet(_)
        | Payload::AuthorityKeysSet(_)
        | Payload::AuthoritySet(_)
        | Payload::AuthorityRemove(_)
        | Payload::PolicySet(_)
        | Payload::UpgradeSchedule(_) => match sent_by {
            Sender::Institution { institution } => Some(*institution),
            Sender::Authority { .. } | Sender::Authorities { .. } => None,
        },
    };
    named.map(sigeli_verifier::ids::InstitutionId::get)
}

/// All that a transaction asks, field by field.
#[must_use]
pub fn fields(payload: &Payload) -> Plain {
    match payload {
        Payload::InstitutionRegister(payload) => institution_register(payload),
        Payload::InstitutionUpdate(payload) => institution_update(payload),
        Payload::InstitutionClose(payload) => institution_close(payload),
        Payload::InstitutionReopen(InstitutionReopen { institution, decision, reason }) => Plain::object([
            ("institution", institution.get().into()),
            ("decision", words::decision(*decision)),
            ("reason", words::decision_reason(*reason).into()),
        ]),
        Payload::KeysAdd(KeysAdd { institution, decision, keys }) => Plain::object([
            ("institution", institution.get().into()),
            ("decision", words::decision(*decision)),
            ("keys", institution_keys(keys)),
        ]),
        Payload::KeyRetire(KeyRetire { institution, decision, key }) => Plain::object([
            ("institution", institution.get().into()),
            ("decision", words::decision(*decision)),
            ("key", key.get().into()),
        ]),
        Payload::KeyCompromise(KeyCompromise { institution, decision, first, last, from }) => Plain::object([
            ("institution", institution.get().into()),
            ("decision", words::decision(*decision)),
            ("first_key", first.get().into()),
            ("last_key", last.get().into()),
            // 0 stands for the block that holds the transaction, or for an institution's own the one after it.
            ("from_height", (from.get() != 0).then_some(from.get()).into()),
        ]),
        Payload::KeyClear(KeyClear { institution, decision, first, last }) => Plain::object([
            ("institution", institution.get().into()),
            ("decision", words::decision(*decision)),
            ("first_key", first.get().into()),
            ("last_key", last.get().into()),
        ]),
        Payload::ProgrammeRegister(ProgrammeRegister { programme, title_ka, title_en, partners }) => Plain::object([
            ("programme", programme.get().into()),
            ("title", words::names(title_ka, title_en)),
            ("partners", Plain::list(partners.iter().map(|partner| partner.get()))),
        ]),
        Payload::PermissionGrant(grant) => permission_grant(grant),
        Payload::PermissionChange(payload) => permission_change(payload),
        Payload::PermissionReplace(PermissionReplace { replaced, effective, reason, grant }) => Plain::object([
            ("replaced", replaced.get().into()),
            ("effective", words::day(*effective)),
            ("reason", words::decision_reason(*reason).into()),
            ("grant", permission_grant(grant)),
        ]),
        Payload::PermissionAnnul(PermissionAnnul { institution, permission, decision, reason }) => Plain::object([
            ("institution", institution.get().into()),
            ("permission", permission.get().into()),
            ("decision", words::decision(*decision)),
            ("reason", words::decision_reason(*reason).into()),
        ]),
        Payload::BatchAnchor(anchor) => batch_anchor(anchor),
        Payload::BatchStatusSet(BatchStatusSet { institution, decision, root, entry, action, reason }) => {
            Plain::object([
                ("institution", institution.get().into()),
                ("decision", words::decision(*decision)),
                ("root", Plain::text(root)),
                ("entry", (*entry).into()),
                ("action", words::batch_action(*action).into()),
                ("reason", words::status_reason(*reason).into()),
            ])
        }
        Payload::BatchAnnul(BatchAnnul { institution, decision, entries }) => Plain::object([
            ("institution", institution.get().into()),
            ("decision", words::decision(*decision)),
            (
                "entries",
                Plain::list(entries.iter().map(|BatchAnnulEntry { root, entry }| {
                    Plain::object([("root", Plain::text(root)), ("entry", (*entry).into())])
                })),
            ),
        ]),
        Payload::StatusSet(StatusSet { entries }) => Plain::object([("entries", status_entries(entries))]),
        Payload::StatusOrder(StatusOrder { institution, decision, entries }) => Plain::object([
            ("institution", institution.get().into()),
            ("decision", words::decision(*decision)),
            ("entries", status_entries(entries)),
        ]),
        Payload::StatusAnnul(StatusAnnul { institution, decision, entries }) => Plain::object([
            ("institution", institution.get().into()),
            ("decision", words::decision(*decision)),
            (
                "entries",
                Plain::list(entries.iter().map(|StatusAnnulEntry { handle, entry }| {
                    Plain::object([("handle", Plain::text(handle)), ("entry", (*entry).into())])
                })),
            ),
        ]),
        Payload::AuthorityKeysSet(_)
        | Payload::AuthoritySet(_)
        | Payload::AuthorityRemove(_)
        | Payload::PolicySet(_)
        | Payload::UpgradeSchedule(_) => governance(payload),
    }
}

fn governance(payload: &Payload) -> Plain {
    match payload {
        Payload::AuthorityKeysSet(AuthorityKeysSet { decision, keys, threshold, log_keys }) => Plain::object([
            ("decision", words::decision(*decision)),
            ("keys", words::public_keys(keys)),
            ("threshold", (*threshold).into()),
            ("log_keys", words::public_keys(log_keys)),
        ]),
        Payload::AuthoritySet(AuthoritySet {
            decision,
            authority,
            kind,
            name_ka,
            name_en,
            keys,
            threshold,
            log_keys,
        }) => Plain::object([
            ("decision", words::decision(*decision)),
            ("authority", authority.get().into()),
            ("kind", words::authority_kind(*kind).into()),
            ("name", words::names(name_ka, name_en)),
            ("keys", words::public_keys(keys)),
            ("threshold", (*threshold).into()),
            ("log_keys", words::public_keys(log_keys)),
        ]),
        Payload::AuthorityRemove(AuthorityRemove { decision, authority }) => {
            Plain::object([("decision", words::decision(*decision)), ("authority", authority.get().into())])
        }
        Payload::PolicySet(PolicySet { decision, policy }) => {
            Plain::object([("decision", words::decision(*decision)), ("policy", words::policy(policy))])
        }
        Payload::UpgradeSchedule(UpgradeSchedule { decision, version, height }) => Plain::object([
            ("decision", words::decision(*decision)),
            ("version", (*version).into()),
            ("height", height.get().into()),
        ]),
        _ => Plain::Null,
    }
}

fn institution_register(payload: &InstitutionRegister) -> Plain {
    let InstitutionRegister { institution, kind, jurisdiction, legal_id, name_ka, name_en, profile, decision, keys } =
        payload;
    Plain::object([
        ("institution", institution.get().into()),
        ("kind", words::institution_kind(*kind).into()),
        ("jurisdiction", words::code(jurisdiction)),
        ("legal_id", Plain::text(legal_id)),
        ("name", words::names(name_ka, name_en)),
        ("profile", Plain::text(profile)),
        ("decision", words::decision(*decision)),
        ("keys", institution_keys(keys)),
    ])
}

fn institution_update(payload: &InstitutionUpdate) -> Plain {
    let InstitutionUpdate { institution, decision, kind, jurisdiction, legal_id, name_ka, name_en, profile } = payload;
    Plain::object([
        ("institution", institution.get().into()),
        ("decision", words::decision(*decision)),
        ("kind", words::institution_kind(*kind).into()),
        ("jurisdiction", words::code(jurisdiction)),
        ("legal_id", Plain::text(legal_id)),
        ("name", words::names(name_ka, name_en)),
        ("profile", Plain::text(profile)),
    ])
}

fn institution_close(payload: &InstitutionClose) -> Plain {
    let InstitutionClose { institution, decision, from, reason, successor } = payload;
    Plain::object([
        ("institution", institution.get().into()),
        ("decision", words::decision(*decision)),
        ("from", words::day(*from)),
        ("reason", words::decision_reason(*reason).into()),
        ("successor", words::unless_zero(successor.get())),
    ])
}

fn institution_keys(keys: &List<InstitutionKey, INSTITUTION_KEYS_MAX>) -> Plain {
    Plain::list(keys.iter().map(|InstitutionKey { purposes, key, window }| {
        Plain::object([
            ("purposes", Plain::list(words::purposes(*purposes))),
            ("key", Plain::text(key)),
            ("window", words::window(*window)),
        ])
    }))
}

fn permission_grant(grant: &PermissionGrant) -> Plain {
    let PermissionGrant { institution, decision, window, conditional, scope } = grant;
    Plain::object([
        ("institution", institution.get().into()),
        ("decision", words::decision(*decision)),
        ("window", words::window(*window)),
        ("conditional", (*conditional).into()),
        ("scope", words::scope(scope)),
    ])
}

fn permission_change(payload: &PermissionChange) -> Plain {
    let PermissionChange { institution, permission, decision, entry, action, effective, reason } = payload;
    Plain::object([
        ("institution", institution.get().into()),
        ("permission", permission.get().into()),
        ("decision", words::decision(*decision)),
        ("entry", (*entry).into()),
        ("action", words::permission_action(*action).into()),
        ("effective", words::day(*effective)),
        ("reason", words::decision_reason(*reason).into()),
    ])
}

fn batch_anchor(anchor: &BatchAnchor) -> Plain {
    let BatchAnchor { root, height, hash_algorithm, accreditation, level, field, ects, issued, credential_type } =
        anchor;
    Plain::object([
        ("root", Plain::text(root)),
        ("tree_height", height.get().into()),
        ("hash_algorithm", hash_algorithm.code().into()),
        ("accreditation", accreditation.get().into()),
        ("level", level.get().into()),
        ("field", words::field(*field)),
        ("ects", ects_text(*ects).into()),
        ("issued", words::day(*issued)),
        ("credential_type", words::credential_type(*credential_type).into()),
    ])
}

fn status_entries(entries: &[StatusEntry]) -> Plain {
    Plain::list(entries.iter().map(|StatusEntry { handle, entry, action, reason, successor }| {
        let successor = (*action == StatusAction::Supersede).then(|| hex::encode(successor));
        Plain::object([
            ("handle", Plain::text(handle)),
            ("entry", (*entry).into()),
            ("action", words::status_action(*action).into()),
            ("reason", words::status_reason(*reason).into()),
            ("successor", successor.into()),
        ])
    }))
}

/// The fields on one line, for people: `institution=1; window.first=2026-09-01`. Lists of more than eight items are counted.
#[must_use]
pub fn summary(fields: &Plain) -> String {
    let mut parts = Vec::new();
    flatten("", fields, &mut parts);
    parts.join("; ")
}

const LISTED_MAX: usize = 8;

fn flatten(name: &str, value: &Plain, parts: &mut Vec<String>) {
    let mut say = |text: &str| parts.push(format!("{name}={text}"));
    match value {
        Plain::Null => {}
        Plain::Bool(value) => say(if *value { "yes" } else { "no" }),
        Plain::Number(value) => say(&value.to_string()),
        Plain::Text(value) => say(value),
        Plain::List(items) if items.len() > LISTED_MAX => say(&format!("{} items", items.len())),
        Plain::List(items) => {
            let items: Vec<_> = items.iter().map(item).collect();
            say(&items.join(", "));
        }
        Plain::Object(members) => {
            for (member, value) in members {
                let name = if name.is_empty() { member.to_string() } else { format!("{name}.{member}") };
                flatten(&name, value, parts);
            }
        }
    }
}

fn item(value: &Plain) -> String {
    match value {
        Plain::Null => "none".to_owned(),
        Plain::Bool(value) => value.to_string(),
        Plain::Number(value) => value.to_string(),
        Plain::Text(value) => value.clone(),
        Plain::List(items) => items.iter().map(item).collect::<Vec<_>>().join("+"),
        Plain::Object(_) => format!("({})", summary(value)),
    }
}
