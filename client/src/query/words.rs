//! The codes of records and transactions as stable words for programs, and as plain values.

use sigeli_verifier::{
    bounded::List,
    crypto::PublicKey,
    ids::{DecisionRef, TimeMs},
    params::AUTHORITY_KEYS_MAX,
    record::{BatchState, InstitutionState, KeyChange, KeyState, PermissionState, Policy, StatusState, Writer},
    time::{Day, Window},
    transaction::{
        Accreditation, AuthorityKind, BatchAction, CredentialType, DecisionReason, Field, FieldPrefixes,
        InstitutionKind, KeyPurposes, Level, Levels, Modes, Name, PermissionAction, PermissionScope, StatusAction,
        StatusReason,
    },
};

use super::plain::Plain;
use crate::values::{ects_text, rfc3339};

macro_rules! words {
    ($($(#[$doc:meta])* $function:ident($type:ident) { $($variant:ident => $word:literal),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub const fn $function(value: $type) -> &'static str {
                match value {
                    $($type::$variant => $word),+
                }
            }
        )+
    };
}

words! {
    /// What an institution is.
    institution_kind(InstitutionKind) {
        University => "university",
        TeachingUniversity => "teaching_university",
        College => "college",
        Vocational => "vocational",
        LegalEntity => "legal_entity",
        Foreign => "foreign",
    }
    /// What a credential is.
    credential_type(CredentialType) {
        MicroCredential => "micro_credential",
        Participation => "participation",
    }
    /// What an authority is.
    authority_kind(AuthorityKind) {
        Ministry => "ministry",
        Nceqe => "nceqe",
        Emis => "emis",
        Operator => "operator",
    }
    /// What happens to a permission.
    permission_action(PermissionAction) {
        Suspend => "suspend",
        Reinstate => "reinstate",
        Withdraw => "withdraw",
    }
    /// Why an authority decided.
    decision_reason(DecisionReason) {
        Granted => "granted",
        Conditional => "conditional",
        Renewed => "renewed",
        ScopeChanged => "scope_changed",
        MonitoringFailed => "monitoring_failed",
        Voluntary => "voluntary",
        Closed => "closed",
        Merged => "merged",
        CourtOrder => "court_order",
        AppealUpheld => "appeal_upheld",
        ErrorCorrected => "error_corrected",
    }
    /// What happens to a batch.
    batch_action(BatchAction) {
        Suspend => "suspend",
        Reinstate => "reinstate",
        Revoke => "revoke",
    }
    /// What happens to a status.
    status_action(StatusAction) {
        Suspend => "suspend",
        Reinstate => "reinstate",
        Revoke => "revoke",
        Supersede => "supersede",
    }
    /// Why a status was written.
    status_reason(StatusReason) {
        Unspecified => "unspecified",
        IssuedInError => "issued_in_error",
        AwardWithdrawn => "award_withdrawn",
        Superseded => "superseded",
        HolderRequest => "holder_request",
        KeyCompromised => "key_compromised",
        Order => "order",
        NotAccredited => "not_accredited",
        UnderReview => "under_review",
        ReviewEnded => "review_ended",
        Annulled => "annulled",
    }
    /// Where a batch stands.
    batch_state(BatchState) {
        Suspended => "suspended",
        Reinstated => "reinstated",
        Revoked => "revoked",
        Annulled => "annulled",
    }
}

/// Where a status stands.
#[must_use]
pub const fn status_state(state: StatusState) -> &'static str {
    match state {
        StatusState::Suspended => "suspended",
        StatusState::Reinstated => "reinstated",
        StatusState::Revoked => "revoked",
        StatusState::Superseded { .. } => "superseded",
        StatusState::Annulled => "annulled",
    }
}

/// Where an entry puts a permission.
#[must_use]
pub const fn permission_state(state: PermissionState) -> &'static str {
    match state {
        PermissionState::Active => "active",
        PermissionState::Suspended => "suspended",
        PermissionState::Withdrawn => "withdrawn",
        PermissionState::Replaced { .. } => "replaced",
        PermissionState::Restored { .. } => "restored",
    }
}

/// The kind of a permission.
#[must_use]
pub const fn permission_kind(scope: &PermissionScope) -> &'static str {
    match scope {
        PermissionScope::Authorisation => "authorisation",
        PermissionScope::PilotOrder { .. } => "pilot_order",
        PermissionScope::Accreditation(_) => "accreditation",
    }
}

/// The levels of a set, ascending.
#[must_use]
pub fn levels(levels: Levels) -> Vec<u8> {
    (1..=8).filter_map(Level::new).filter(|level| levels.contains(*level)).map(Level::get).collect()
}

/// The modes of a set.
#[must_use]
pub fn modes(modes: Modes) -> Vec<&'static str> {
    let all = [
        (Modes::ON_SITE, "on_site"),
        (Modes::ONLINE, "online"),
        (Modes::BLENDED, "blended"),
        (Modes::WORK_BASED, "work_based"),
    ];
    all.into_iter().filter(|(mode, _)| modes.get() & mode.get() != 0).map(|(_, word)| word).collect()
}

/// What a key may do.
#[must_use]
pub fn purposes(purposes: KeyPurposes) -> Vec<&'static str> {
    let all = [(KeyPurposes::ANCHOR, "anchor"), (KeyPurposes::STATUS, "status"), (KeyPurposes::ADMIN, "admin")];
    all.into_iter().filter(|(purpose, _)| purposes.allows(*purpose)).map(|(_, word)| word).collect()
}

/// A day, `YYYY-MM-DD`.
#[must_use]
pub fn day(day: Day) -> Plain {
    Plain::text(day)
}

/// A time in UTC.
#[must_use]
pub fn time(time: TimeMs) -> Plain {
    rfc3339(time).into()
}

/// First and last day.
#[must_use]
pub fn window(window: Window) -> Plain {
    Plain::object([("first", day(window.first())), ("last", day(window.last()))])
}

/// A decision's hash; nothing when none stands behind a change.
#[must_use]
pub fn decision(decision: DecisionRef) -> Plain {
    (!decision.is_none()).then(|| decision.to_string()).into()
}

/// A name in both languages.
#[must_use]
pub fn names(ka: &Name, en: &Name) -> Plain {
    Plain::object([("ka", Plain::text(ka)), ("en", Plain::text(en))])
}

/// A number that is 0 where there is none.
#[must_use]
pub fn unless_zero(number: u32) -> Plain {
    (number != 0).then_some(number).into()
}

/// ISCED-F prefixes.
#[must_use]
pub fn fields(fields: &FieldPrefixes) -> Plain {
    Plain::list(fields.iter().map(Plain::text))
}

/// An ISCED-F field.
#[must_use]
pub fn field(field: Field) -> Plain {
    Plain::text(field)
}

/// A country or other ASCII code. Other bytes appear escaped.
#[must_use]
pub fn code(bytes: &[u8]) -> Plain {
    bytes.escape_ascii().to_string().into()
}

/// Public keys.
#[must_use]
pub fn public_keys(keys: &List<PublicKey, AUTHORITY_KEYS_MAX>) -> Plain {
    Plain::list(keys.iter().map(Plain::text))
}

/// Who wrote a change.
#[must_use]
pub fn writer(writer: &Writer) -> Plain {
    match writer {
        Writer::Institution { key } => Plain::object([("by", "institution".into()), ("key", key.get().into())]),
        Writer::Authority { authority, decision: reference } => Plain::object([
            ("by", "authority".into()),
            ("authority", authority.get().into()),
            ("decision", decision(*reference)),
        ]),
    }
}

/// Whether an institution exists still.
#[must_use]
pub fn institution_state(state: &InstitutionState) -> Plain {
    match state {
        InstitutionState::Active => Plain::object([("state", "active".into())]),
        InstitutionState::Closed { from, reason, successor } => Plain::object([
            ("state", "closed".into()),
            ("from", day(*from)),
            ("reason", decision_reason(*reason).into()),
            ("successor", unless_zero(successor.get())),
        ]),
    }
}

/// Whether a key may be used.
#[must_use]
pub fn key_state(state: KeyState) -> Plain {
    match state {
        KeyState::Active => Plain::object([("state", "active".into())]),
        KeyState::Retired { at } => Plain::object([("state", "retired".into()), ("height", at.get().into())]),
    }
}

/// What happened to a key.
#[must_use]
pub fn key_change(change: KeyChange) -> Plain {
    match change {
        KeyChange::Added => Plain::object([("change", "added".into())]),
        KeyChange::Retired => Plain::object([("change", "retired".into())]),
        KeyChange::Compromised { from } => {
            Plain::object([("change", "compromised".into()), ("from_height", from.get().into())])
        }
        KeyChange::Cleared => Plain::object([("change", "cleared".into())]),
    }
}

/// What a permission allows.
#[must_use]
pub fn scope(scope: &PermissionScope) -> Plain {
    let kind = ("kind", permission_kind(scope).into());
    match scope {
        PermissionScope::Authorisation => Plain::object([kind]),
        PermissionScope::PilotOrder { fields: covered, levels: allowed } => {
            Plain::object([kind, ("fields", fields(covered)), ("levels", Plain::list(levels(*allowed)))])
        }
        PermissionScope::Accreditation(Accreditation {
            coordinator,
            programme,
            title_ka,
            title_en,
            agent,
            level,
            fields: covered,
            ects_max,
            credential_type: leads_to,
            modes: attended,
            review,
        }) => Plain::object([
            kind,
            ("coordinator", coordinator.get().into()),
            ("programme", programme.get().into()),
            ("title", names(title_ka, title_en)),
            ("agency", (!agent.as_str().is_empty()).then(|| agent.to_string()).into()),
            ("level", level.get().into()),
            ("fields", fields(covered)),
            ("ects_max", ects_text(*ects_max).into()),
            ("credential_type", credential_type(*leads_to).into()),
            ("modes", Plain::list(modes(*attended))),
            ("review", day(*review)),
        ]),
    }
}

/// The limits that the authorities set.
#[must_use]
pub fn policy(policy: &Policy) -> Plain {
    let Policy {
        ects_max,
        ects_min,
        ects_recognised_max,
        batch_height_min,
        clock_tolerance_ms,
        pilot_order_required,
        batches_per_day,
        statuses_per_day,
        changes_per_day,
        approvals_min,
    } = policy;
    let credits = |levels: &[sigeli_verifier::ids::EctsTenths; 8]| Plain::list(levels.map(ects_text));
    Plain::object([
        ("ects_min_by_level", credits(ects_min)),
        ("ects_max_by_level", credits(ects_max)),
        ("ects_recognised_max", ects_text(*ects_recognised_max).into()),
        ("batch_height_min", (*batch_height_min).into()),
        ("clock_tolerance_ms", (*clock_tolerance_ms).into()),
        ("pilot_order_required", (*pilot_order_required).into()),
        ("batches_per_day", (*batches_per_day).into()),
        ("statuses_per_day", (*statuses_per_day).into()),
        ("changes_per_day", (*changes_per_day).into()),
        ("approvals_min", (*approvals_min).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_a_word_of_its_own() {
        fn distinct<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) {
            let words: BTreeSet<_> = all.iter().map(|value| word(*value)).collect();
            assert_eq!(words.len(), all.len());
            assert!(words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        }
        distinct(InstitutionKind::ALL, institution_kind);
        distinct(CredentialType::ALL, credential_type);
        distinct(AuthorityKind::ALL, authority_kind);
        distinct(PermissionAction::ALL, permission_action);
        distinct(DecisionReason::ALL, decision_reason);
        distinct(BatchAction::ALL, batch_action);
        distinct(StatusAction::ALL, status_action);
        distinct(StatusReason::ALL, status_reason);
    }

    #[test]
    fn sets_are_lists_in_order() {
        assert_eq!(levels(Levels::new(0b1000_0001).unwrap()), [1, 8]);
        assert_eq!(modes(Modes::new(15).unwrap()), ["on_site", "online", "blended", "work_based"]);
        assert_eq!(modes(Modes::ONLINE), ["online"]);
        assert_eq!(purposes(KeyPurposes::ALL), ["anchor", "status", "admin"]);
        assert_eq!(purposes(KeyPurposes::STATUS), ["status"]);
    }
}
