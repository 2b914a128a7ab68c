//! Answers as plain values, for `--json`. Names and meanings are stable; members may be added.

use sigeli_verifier::{
    ids::{AuthorityId, InstitutionId, StatusHandle, TimeMs},
    proof::{BatchItem, ConfirmedState},
    record::{
        AuthorityRecord, BatchRecord, BatchStatus, CompromisedKeys, GovernanceRecord, InstitutionEntry,
        InstitutionFacts, Judged, KeyRecord, PermissionEntry, PermissionState, ProgrammeRecord, StatusRecord,
        StatusState,
    },
    time::Day,
    trust::{NetworkKind, TrustedLedger},
};

use super::{
    may_issue::{MayIssue, Obstacle, Programme},
    plain::Plain,
    records::{Institution, Status},
    standing::{Held, Standing},
    words,
};
use crate::values::ects_text;

/// As of which block an answer is, and who has confirmed it.
#[must_use]
pub fn as_of(ledger: &TrustedLedger, state: &ConfirmedState) -> Plain {
    let network = match ledger.kind {
        NetworkKind::Production => "production",
        NetworkKind::Test => "test",
    };
    Plain::object([
        ("ledger", Plain::text(state.genesis())),
        ("network", network.into()),
        ("height", state.height().get().into()),
        ("block", Plain::text(state.header())),
        ("time", words::time(state.time())),
        ("day", words::day(Day::of(state.time()))),
        ("confirmed_by", count(state.confirmed_by())),
        ("validators", count(state.validators())),
    ])
}

fn count(number: usize) -> Plain {
    Plain::Number(u64::try_from(number).unwrap_or(u64::MAX))
}

/// An institution's facts.
#[must_use]
pub fn facts(number: InstitutionId, facts: &InstitutionFacts) -> Plain {
    let compromised = facts.compromised.iter().map(|CompromisedKeys { first, last, from }| {
        Plain::object([
            ("first_key", first.get().into()),
            ("last_key", last.get().into()),
            ("from_height", from.get().into()),
        ])
    });
    Plain::object([
        ("institution", number.get().into()),
        ("kind", words::institution_kind(facts.kind).into()),
        ("name", words::names(&facts.name_ka, &facts.name_en)),
        ("jurisdiction", words::code(&facts.jurisdiction)),
        ("legal_id", Plain::text(&facts.legal_id)),
        ("state", words::institution_state(&facts.state)),
        ("registered_height", facts.registered.get().into()),
        ("keys", facts.keys.into()),
        ("permissions", facts.permissions.into()),
        ("programmes", facts.programmes.into()),
        ("batches", facts.batches.into()),
        ("compromised_keys", Plain::list(compromised)),
    ])
}

/// An institution with its history.
#[must_use]
pub fn institution(institution: &Institution) -> Plain {
    let history = institution.history.iter().map(|entry| {
        let InstitutionEntry { kind, jurisdiction, legal_id, name_ka, name_en, profile, state, writer, height, time } =
            entry;
        Plain::object([
            ("kind", words::institution_kind(*kind).into()),
            ("jurisdiction", words::code(jurisdiction)),
            ("legal_id", Plain::text(legal_id)),
            ("name", words::names(name_ka, name_en)),
            ("profile", Plain::text(profile)),
            ("state", words::institution_state(state)),
            ("writer", words::writer(writer)),
            ("height", height.get().into()),
            ("time", words::time(*time)),
        ])
    });
    facts(institution.number, &institution.facts).with("history", Plain::list(history))
}

/// A key of an institution.
#[must_use]
pub fn key(index: sigeli_verifier::ids::KeyIndex, record: &KeyRecord) -> Plain {
    let KeyRecord { purposes, key, window, added, state, entries } = record;
    Plain::object([
        ("key", index.get().into()),
        ("public_key", Plain::text(key)),
        ("purposes", Plain::list(words::purposes(*purposes))),
        ("window", words::window(*window)),
        ("added_height", added.get().into()),
        ("state", words::key_state(*state)),
        ("changes", (*entries).into()),
    ])
}

/// A programme.
#[must_use]
pub fn programme(number: sigeli_verifier::ids::ProgrammeId, record: &ProgrammeRecord) -> Plain {
    let ProgrammeRecord { title_ka, title_en, partners, registered, key } = record;
    Plain::object([
        ("programme", number.get().into()),
        ("title", words::names(title_ka, title_en)),
        ("partners", Plain::list(partners.iter().map(|partner| partner.get()))),
        ("registered_height", registered.get().into()),
        ("key", key.get().into()),
    ])
}

/// On which day a permission is looked at, and by which knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The day.
    pub day: Day,
    /// Only what the ledger held at this time; all of it when there is none.
    pub known: Option<TimeMs>,
}

impl Look {
    /// Where a permission stands; `None` when the ledger did not hold it yet.
    #[must_use]
    pub fn standing(&self, held: &Held) -> Option<Standing> {
        match self.known {
            None => Some(held.standing(self.day)),
            Some(time) => held.standing_known_at(self.day, time),
        }
    }

    /// The entries that are looked at.
    #[must_use]
    pub fn history<'a>(&self, held: &'a Held) -> &'a [PermissionEntry] {
        match self.known {
            None => held.history(),
            Some(time) => held.known_at(time),
        }
    }
}

/// A permission as it stands by a look; `None` when the ledger did not hold it yet.
#[must_use]
pub fn permission(held: &Held, look: Look, batches: u32) -> Option<Plain> {
    let standing = look.standing(held)?;
    let record = held.record();
    Some(Plain::object([
        ("permission", held.number().get().into()),
        ("standing", standing.word().into()),
        ("standing_words", standing.words().into()),
        ("scope", words::scope(&record.scope)),
        ("window", words::window(record.window)),
        ("conditional", record.conditional.into()),
        ("authority", record.authority.get().into()),
        ("decision", words::decision(record.decision)),
        ("granted_height", record.granted.get().into()),
        ("predecessor", words::unless_zero(record.predecessor.get())),
        ("batches", batches.into()),
        ("history", Plain::list(look.history(held).iter().map(change))),
    ]))
}

fn change(entry: &PermissionEntry) -> Plain {
    let PermissionEntry { state, effective, reason, decision, authority, height, time } = entry;
    let successor = match state {
        PermissionState::Replaced { by } | PermissionState::Restored { by } => Some(by.get()),
        PermissionState::Active | PermissionState::Suspended | PermissionState::Withdrawn => None,
    };
    Plain::object([
        ("state", words::permission_state(*state).into()),
        ("successor", successor.into()),
        ("effective", words::day(*effective)),
        ("reason", words::decision_reason(*reason).into()),
        ("decision", words::decision(*decision)),
        ("authority", authority.get().into()),
        ("height", height.get().into()),
        ("time", words::time(*time)),
    ])
}

/// What an institution may issue.
#[must_use]
pub fn may_issue(answer: &MayIssue<'_>) -> Plain {
    Plain::object([
        ("may_issue", answer.anything().into()),
        ("day", words::day(answer.day)),
        ("obstacles", obstacles(&answer.obstacles)),
        ("authorisation", answer.authorisation.map(sigeli_verifier::ids::PermissionId::get).into()),
        ("batches_left_today", answer.batches_left.into()),
        ("accreditations", Plain::list(answer.programmes.iter().map(|programme| issuable(answer, programme)))),
    ])
}

fn issuable(answer: &MayIssue<'_>, programme: &Programme<'_>) -> Plain {
    let accreditation = programme.accreditation;
    let issued =
        programme.issued.map(|(first, last)| Plain::object([("first", words::day(first)), ("last", words::day(last))]));
    Plain::object([
        ("accreditation", programme.number.get().into()),
        ("usable", (answer.obstacles.is_empty() && programme.obstacles.is_empty()).into()),
        ("obstacles", obstacles(&programme.obstacles)),
        ("title", words::names(&accreditation.title_ka, &accreditation.title_en)),
        ("level", accreditation.level.get().into()),
        ("fields", Plain::list(programme.fields.iter().map(Plain::text))),
        ("ects_min", ects_text(programme.ects_min).into()),
        ("ects_max", ects_text(programme.ects_max).into()),
        ("issued", issued.into()),
        ("orders", Plain::list(programme.orders.iter().map(|order| order.get()))),
    ])
}

fn obstacles(obstacles: &[Obstacle]) -> Plain {
    Plain::list(
        obstacles
            .iter()
            .map(|obstacle| Plain::object([("obstacle", obstacle.word().into()), ("words", obstacle.words().into())])),
    )
}

/// A batch.
#[must_use]
pub fn batch(item: &BatchItem) -> Plain {
    let BatchRecord {
        sequence,
        accreditation_sequence,
        height,
        hash_algorithm,
        anchored,
        anchored_time,
        key,
        accreditation,
        level,
        field,
        ects,
        issued,
        credential_type,
        judged,
        status,
    } = &item.record;
    let Judged { accreditation_window, ects_max, authorisation, authorisation_window, order } = judged;
    let judged = Plain::object([
        ("accreditation_window", words::window(*accreditation_window)),
        ("ects_max", ects_text(*ects_max).into()),
        ("authorisation", authorisation.get().into()),
        ("authorisation_window", words::window(*authorisation_window)),
        ("order", words::unless_zero(order.get())),
    ]);
    let status = match status {
        BatchStatus::Valid => Plain::object([("state", "valid".into())]),
        BatchStatus::Changed(change) => Plain::object([
            ("state", words::batch_state(change.state).into()),
            ("reason", words::status_reason(change.reason).into()),
            ("height", change.height.get().into()),
            ("time", words::time(change.time)),
            ("writer", words::writer(&change.writer)),
            ("changes", change.entries.into()),
        ]),
    };
    Plain::object([
        ("root", Plain::text(item.root)),
        ("sequence", sequence.get().into()),
        ("accreditation", accreditation.get().into()),
        ("accreditation_sequence", accreditation_sequence.get().into()),
        ("tree_height", height.get().into()),
        ("hash_algorithm", hash_algorithm.code().into()),
        ("anchored_height", anchored.get().into()),
        ("anchored_time", words::time(*anchored_time)),
        ("key", key.get().into()),
        ("level", level.get().into()),
        ("field", words::field(*field)),
        ("ects", ects_text(*ects).into()),
        ("issued", words::day(*issued)),
        ("credential_type", words::credential_type(*credential_type).into()),
        ("judged", judged),
        ("status", status),
    ])
}

/// What is written about a credential.
#[must_use]
pub fn status(handle: &StatusHandle, status: &Status) -> Plain {
    let history = status.history.iter().map(|(number, record)| status_record(record).with("entry", *number));
    Plain::object([
        ("handle", Plain::text(handle)),
        ("head", status.head.as_ref().map(status_record).into()),
        ("history", Plain::list(history)),
    ])
}

fn status_record(record: &StatusRecord) -> Plain {
    let StatusRecord { state, reason, height, time, writer, entries, restores } = record;
    let successor = match state {
        StatusState::Superseded { successor } => Some(hex::encode(successor)),
        _ => None,
    };
    Plain::object([
        ("state", words::status_state(*state).into()),
        ("successor", successor.into()),
        ("reason", words::status_reason(*reason).into()),
        ("height", height.get().into()),
        ("time", words::time(*time)),
        ("writer", words::writer(writer)),
        ("entries", (*entries).into()),
        ("restores", (*restores != 0).then_some(*restores).into()),
    ])
}

/// An authority.
#[must_use]
pub fn authority(number: AuthorityId, record: &AuthorityRecord) -> Plain {
    let AuthorityRecord { kind, name_ka, name_en, keys, threshold, log_keys, sequence } = record;
    Plain::object([
        ("authority", number.get().into()),
        ("kind", words::authority_kind(*kind).into()),
        ("name", words::names(name_ka, name_en)),
        ("ended", record.is_ended().into()),
        ("keys", words::public_keys(keys)),
        ("threshold", (*threshold).into()),
        ("log_keys", words::public_keys(log_keys)),
        ("sequence", sequence.get().into()),
    ])
}

/// The joint affairs of the authorities.
#[must_use]
pub fn joint(record: &GovernanceRecord) -> Plain {
    let GovernanceRecord { authorities, sequence, version, upgrade_version, upgrade_height } = record;
    Plain::object([
        ("authorities", Plain::list(authorities.iter().map(|authority| authority.get()))),
        ("sequence", sequence.get().into()),
        ("version", (*version).into()),
        ("upgrade_version", (*upgrade_version).into()),
        ("upgrade_height", (upgrade_height.get() != 0).then_some(upgrade_height.get()).into()),
    ])
}
