//! Answers for people: plain lines, in English. Programs read `--json`.

use std::fmt::Write as _;

use sigeli::{
    query::{
        answer::Look,
        may_issue::{MayIssue, Obstacle},
        plain::Plain,
        records::{Institution, Status},
        standing::Held,
        words,
    },
    values::{ects_text, tbilisi},
};
use sigeli_verifier::{
    ids::{AuthorityId, InstitutionId, StatusHandle},
    proof::{BatchItem, ConfirmedState},
    record::{AuthorityRecord, BatchStatus, CompromisedKeys, InstitutionFacts, InstitutionState, StatusRecord},
    transaction::PermissionScope,
    trust::{NetworkKind, TrustedLedger},
};

/// As of when all that follows is.
pub(super) fn as_of(ledger: &TrustedLedger, state: &ConfirmedState) -> String {
    let test = if ledger.kind == NetworkKind::Test { " This is a test ledger: nothing here counts." } else { "" };
    format!(
        "As of block {} ({} in Tbilisi), confirmed by {} of {} validators.{test}\n",
        state.height(),
        tbilisi(state.time()),
        state.confirmed_by(),
        state.validators()
    )
}

fn add(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to memory does not fail");
}

/// `word_of_a_code` as people read it.
fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

pub(super) fn institution_line(number: InstitutionId, facts: &InstitutionFacts) -> String {
    let closed = match facts.state {
        InstitutionState::Active => String::new(),
        InstitutionState::Closed { from, .. } => format!(", closed from {from}"),
    };
    format!("{number:>5}  {} / {}{closed}\n", facts.name_ka, facts.name_en)
}

pub(super) fn institution(institution: &Institution) -> String {
    let (number, facts) = (institution.number, &institution.facts);
    let mut text = String::new();
    add(&mut text, format_args!("Institution {number}: {} / {}", facts.name_ka, facts.name_en));
    let country = facts.jurisdiction.escape_ascii();
    let kind = spaced(words::institution_kind(facts.kind));
    add(&mut text, format_args!("  {kind}, {country} {}, registered in block {}", facts.legal_id, facts.registered));
    match facts.state {
        InstitutionState::Active => add(&mut text, format_args!("  active")),
        InstitutionState::Closed { from, reason, successor } => {
            let into = if successor.get() == 0 { String::new() } else { format!(" into institution {successor}") };
            let reason = spaced(words::decision_reason(reason));
            add(&mut text, format_args!("  closed from {from}: {reason}{into}; what it issued stands"));
        }
    }
    let (keys, permissions) = (facts.keys, facts.permissions);
    let (programmes, batches) = (facts.programmes, facts.batches);
    let counts = format_args!("  {keys} keys, {permissions} permissions, {programmes} programmes, {batches} batches");
    add(&mut text, counts);
    for &CompromisedKeys { first, last, from } in facts.compromised.iter() {
        if first == last {
            add(&mut text, format_args!("  key {first} is compromised: what it signed from block {from} on is void"));
        } else {
            let keys =
                format_args!("  keys {first} to {last} are compromised: what they signed from block {from} on is void");
            add(&mut text, keys);
        }
    }
    for entry in &institution.history {
        let state = match entry.state {
            InstitutionState::Active => "active".to_owned(),
            InstitutionState::Closed { from, .. } => format!("closed from {from}"),
        };
        let (height, time) = (entry.height, tbilisi(entry.time));
        let legal_id = format_args!("{} {}", entry.jurisdiction.escape_ascii(), entry.legal_id);
        let names = format_args!("{} / {}", entry.name_ka, entry.name_en);
        add(&mut text, format_args!("  {time}, block {height}: {names}, {legal_id}, {state}"));
    }
    text
}

/// A permission as it stands by a look; empty when the ledger did not hold it yet.
pub(super) fn permission(held: &Held, look: Look, batches: u32) -> String {
    let Some(standing) = look.standing(held) else { return String::new() };
    let record = held.record();
    let mut text = String::new();
    let (number, window) = (held.number(), record.window);
    let kind = spaced(words::permission_kind(&record.scope));
    let condition = if record.conditional { ", under conditions" } else { "" };
    let (first, last) = (window.first(), window.last());
    add(&mut text, format_args!("{number:>5}  {kind}, {first} to {last}{condition}: {}", standing.words()));
    match &record.scope {
        PermissionScope::Authorisation => {}
        PermissionScope::PilotOrder { fields, levels } => {
            let levels = joined(words::levels(*levels));
            let fields = joined(fields.iter());
            add(&mut text, format_args!("       levels {levels}; fields {fields}"));
        }
        PermissionScope::Accreditation(accreditation) => {
            let (ka, en) = (&accreditation.title_ka, &accreditation.title_en);
            let (programme, coordinator) = (accreditation.programme, accreditation.coordinator);
            add(&mut text, format_args!("       {ka} / {en} (programme {programme} of institution {coordinator})"));
            let (level, ects) = (accreditation.level.get(), ects_text(accreditation.ects_max));
            let fields = joined(accreditation.fields.iter());
            let kind = spaced(words::credential_type(accreditation.credential_type));
            add(&mut text, format_args!("       level {level}; fields {fields}; at most {ects} ECTS; {kind}"));
            let agency = accreditation.agent.as_str();
            let agency = if agency.is_empty() { String::new() } else { format!("; evaluated by {agency}") };
            add(
                &mut text,
                format_args!("       to be reviewed by {}; {batches} batches{agency}", accreditation.review),
            );
        }
    }
    for entry in look.history(held) {
        let (state, effective) = (words::permission_state(entry.state), entry.effective);
        let (reason, authority) = (spaced(words::decision_reason(entry.reason)), entry.authority);
        let (height, time) = (entry.height, tbilisi(entry.time));
        let line = format_args!(
            "       from {effective} {state} ({reason}), by authority {authority} on {time}, block {height}"
        );
        add(&mut text, line);
    }
    text
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

pub(super) fn may_issue(answer: &MayIssue<'_>) -> String {
    let mut text = String::new();
    if answer.anything() {
        let left = answer.batches_left;
        add(&mut text, format_args!("May issue on {}; {left} batches are left today.", answer.day));
    } else {
        add(&mut text, format_args!("May issue nothing on {}.", answer.day));
    }
    add_obstacles(&mut text, "", &answer.obstacles);
    for programme in &answer.programmes {
        let (number, accreditation) = (programme.number, programme.accreditation);
        let usable = if programme.obstacles.is_empty() { "usable" } else { "not usable" };
        let (ka, en) = (&accreditation.title_ka, &accreditation.title_en);
        add(&mut text, format_args!("Accreditation {number}, {usable}: {ka} / {en}"));
        add_obstacles(&mut text, "  ", &programme.obstacles);
        if let Some((first, last)) = programme.issued {
            let (level, fields) = (accreditation.level.get(), joined(&programme.fields));
            let (least, most) = (ects_text(programme.ects_min), ects_text(programme.ects_max));
            add(&mut text, format_args!("  level {level}; fields {fields}; {least} to {most} ECTS"));
            add(&mut text, format_args!("  date of issue {first} to {last}"));
            if !programme.orders.is_empty() {
                add(&mut text, format_args!("  covered by permission {}", joined(&programme.orders)));
            }
        }
    }
    text
}

fn add_obstacles(text: &mut String, indent: &str, obstacles: &[Obstacle]) {
    for obstacle in obstacles {
        add(text, format_args!("{indent}- {}", obstacle.words()));
    }
}

pub(super) fn batch(item: &BatchItem) -> String {
    let record = &item.record;
    let status = match record.status {
        BatchStatus::Valid => "valid".to_owned(),
        BatchStatus::Changed(change) => {
            let reason = spaced(words::status_reason(change.reason));
            format!("{} in block {} ({reason})", words::batch_state(change.state), change.height)
        }
    };
    let (sequence, anchored, time) = (record.sequence, record.anchored, tbilisi(record.anchored_time));
    let (level, field, ects) = (record.level.get(), record.field, ects_text(record.ects));
    let (accreditation, within) = (record.accreditation, record.accreditation_sequence);
    format!(
        "{sequence:>5}  {status}; issued {}, level {level}, field {field}, {ects} ECTS; anchored {time}, block {anchored}\n       \
        accreditation {accreditation}, number {within} under it; root {}\n",
        record.issued, item.root
    )
}

pub(super) fn status(handle: &StatusHandle, status: &Status) -> String {
    match &status.head {
        Some(head) => format!("{handle}  {}\n", status_words(head)),
        None => String::new(),
    }
}

pub(super) fn status_words(record: &StatusRecord) -> String {
    let (state, reason) = (words::status_state(record.state), spaced(words::status_reason(record.reason)));
    format!("{state} in block {} on {} ({reason})", record.height, tbilisi(record.time))
}

pub(super) fn authority(number: AuthorityId, record: &AuthorityRecord) -> String {
    let kind = words::authority_kind(record.kind);
    let keys = if record.is_ended() {
        "ended".to_owned()
    } else {
        format!("{} of {} keys must sign", record.threshold, record.keys.len())
    };
    format!("{number:>5}  {} / {} ({kind}), {keys}\n", record.name_ka, record.name_en)
}

/// The members of an object, one on each line.
pub(super) fn members(plain: &Plain) -> String {
    let Plain::Object(members) = plain else { return String::new() };
    let mut text = String::new();
    for (name, value) in members {
        let value = match value {
            Plain::Text(value) => value.clone(),
            Plain::List(items) => joined(items.iter().map(|item| match item {
                Plain::Text(value) => value.clone(),
                other => other.line(),
            })),
            other => other.line(),
        };
        add(&mut text, format_args!("  {}: {value}", spaced(name)));
    }
    text
}
