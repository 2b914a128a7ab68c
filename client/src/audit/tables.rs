//! The tables of an export, row by row, from its transactions.

use std::collections::BTreeMap;

use sigeli_verifier::{
    ids::{Height, InstitutionId, KeyIndex, PermissionId, TimeMs},
    record::{InstitutionState, PermissionState},
    time::Day,
    transaction::{Accreditation, BatchAnchor, Payload, PermissionScope, Sender, SignedTransaction},
};

use super::{
    csv,
    line::Place,
    payload,
    replay::{BatchNumbers, Impossible, Institution, Permission, Replay},
};
use crate::{
    query::{plain::Plain, standing::Held, words},
    values::{ects_text, rfc3339},
};

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Transactions,
    Institutions,
    Permissions,
    Batches,
}

impl Table {
    pub(crate) const ALL: [Self; 4] = [Self::Transactions, Self::Institutions, Self::Permissions, Self::Batches];

    /// The name of its file.
    pub(crate) const fn file_name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions.csv",
            Self::Institutions => "institutions.csv",
            Self::Permissions => "permissions.csv",
            Self::Batches => "batches.csv",
        }
    }

    /// Its first row.
    pub(crate) fn head(self) -> String {
        match self {
            Self::Transactions => csv::row([
                "height",
                "index",
                "time",
                "id",
                "sender",
                "sequence",
                "kind",
                "institution",
                "summary",
                "signed_by_keys",
            ]),
            Self::Institutions => csv::row([
                "institution",
                "kind",
                "name_ka",
                "name_en",
                "jurisdiction",
                "legal_id",
                "state",
                "closed_from",
                "reason",
                "successor",
                "registered_height",
                "keys",
                "programmes",
                "permissions",
                "batches",
                "compromised_keys",
            ]),
            Self::Permissions => csv::row([
                "institution",
                "permission",
                "kind",
                "standing",
                "title_ka",
                "title_en",
                "coordinator",
                "programme",
                "agency",
                "levels",
                "fields",
                "ects_max",
                "credential_type",
                "modes",
                "review",
                "first_day",
                "last_day",
                "conditional",
                "authority",
                "decision",
                "granted_height",
                "predecessor",
                "state",
                "successor",
                "effective",
                "reason",
                "changes",
                "batches",
            ]),
            Self::Batches => csv::row([
                "institution",
                "sequence",
                "accreditation",
                "accreditation_sequence",
                "root",
                "tree_height",
                "anchored_height",
                "anchored_time",
                "key",
                "key_void_from_height",
                "level",
                "field",
                "ects",
                "issued",
                "credential_type",
                "status",
                "status_reason",
                "status_height",
            ]),
        }
    }
}

/// Takes the rows of tables, each table's in order: to write them, or to compare them with what is written.
pub(crate) trait Rows {
    /// What can go wrong.
    type Error;
    /// Takes a row, line feed included. Rows of different tables may come in turn.
    fn row(&mut self, table: Table, row: &str) -> Result<(), Self::Error>;
}

/// Why tables cannot be made.
#[derive(Debug)]
pub(crate) enum TableError<E> {
    /// A transaction cannot be.
    Impossible { height: Height, index: u64 },
    /// The taker of rows refuses.
    Rows(E),
}

/// The row of a transaction.
pub(crate) fn transaction_row(place: Place, signed: &SignedTransaction) -> String {
    let body = signed.body();
    let (sender, sequence) = match body.sender {
        Sender::Institution { institution } => (format!("institution {institution}"), String::new()),
        Sender::Authority { authority, sequence } => (format!("authority {authority}"), sequence.to_string()),
        Sender::Authorities { sequence } => ("authorities".to_owned(), sequence.to_string()),
    };
    let institution = payload::institution(&body.sender, &body.payload);
    let keys: Vec<_> = signed.signatures().iter().map(|entry| entry.key.to_string()).collect();
    csv::row([
        place.height.to_string(),
        place.index.to_string(),
        rfc3339(place.time),
        signed.id().to_string(),
        sender,
        sequence,
        payload::kind(&body.payload).to_owned(),
        institution.map(|number| number.to_string()).unwrap_or_default(),
        payload::summary(&payload::fields(&body.payload)),
        keys.join(" "),
    ])
}

/// The rows of institutions and permissions after all transactions, as of the time of the last block.
pub(crate) fn register_rows<R: Rows>(replay: &Replay, last: TimeMs, rows: &mut R) -> Result<(), TableError<R::Error>> {
    for (number, institution) in replay.institutions() {
        rows.row(Table::Institutions, &institution_row(*number, institution)).map_err(TableError::Rows)?;
        for (position, permission) in (1..).zip(&institution.permissions) {
            let row = permission_row(*number, PermissionId::new(position), permission, Day::of(last));
            let row = row.map_err(|_| TableError::Impossible { height: permission.record.granted, index: 0 })?;
            rows.row(Table::Permissions, &row).map_err(TableError::Rows)?;
        }
    }
    Ok(())
}

fn institution_row(number: InstitutionId, institution: &Institution) -> String {
    let (state, from, reason, successor) = match institution.state {
        InstitutionState::Active => ("active", String::new(), "", String::new()),
        InstitutionState::Closed { from, reason, successor } => {
            let successor = if successor.get() == 0 { String::new() } else { successor.to_string() };
            ("closed", from.to_string(), words::decision_reason(reason), successor)
        }
    };
    csv::row([
        number.to_string(),
        words::institution_kind(institution.kind).to_owned(),
        institution.name_ka.to_string(),
        institution.name_en.to_string(),
        institution.jurisdiction.escape_ascii().to_string(),
        institution.legal_id.clone(),
        state.to_owned(),
        from,
        reason.to_owned(),
        successor,
        institution.registered.to_string(),
        institution.keys.to_string(),
        institution.programmes.to_string(),
        institution.permissions.len().to_string(),
        institution.batches.to_string(),
        void_keys(&institution.compromised),
    ])
}

/// `2 from block 7; 4-9 from block 12`: keys that follow one another with the same block are told together.
fn void_keys(void: &BTreeMap<KeyIndex, Height>) -> String {
    let mut ranges = Vec::<(KeyIndex, KeyIndex, Height)>::new();
    for (&key, &from) in void {
        match ranges.last_mut() {
            Some((_, last, same)) if *same == from && last.get().checked_add(1) == Some(key.get()) => *last = key,
            _ => ranges.push((key, key, from)),
        }
    }
    let text = |(first, last, from): &(KeyIndex, KeyIndex, Height)| {
        if first == last { format!("{first} from block {from}") } else { format!("{first}-{last} from block {from}") }
    };
    ranges.iter().map(text).collect::<Vec<_>>().join("; ")
}

/// What a scope says, in the columns of its table.
#[derive(Default)]
struct ScopeCells {
    title_ka: String,
    title_en: String,
    coordinator: String,
    programme: String,
    agency: String,
    levels: String,
    fields: String,
    ects_max: String,
    credential_type: &'static str,
    modes: String,
    review: String,
}

fn scope_cells(scope: &PermissionScope) -> ScopeCells {
    let join = |plain: Plain| match plain {
        Plain::List(items) => {
            let texts = items.into_iter().map(|item| match item {
                Plain::Text(text) => text,
                other => other.line(),
            });
            texts.collect::<Vec<_>>().join(" ")
        }
        other => other.line(),
    };
    match scope {
        PermissionScope::Authorisation => ScopeCells::default(),
        PermissionScope::PilotOrder { fields, levels } => ScopeCells {
            levels: join(Plain::list(words::levels(*levels))),
            fields: join(words::fields(fields)),
            ..ScopeCells::default()
        },
        PermissionScope::Accreditation(Accreditation {
            coordinator,
            programme,
            title_ka,
            title_en,
            agent,
            level,
            fields,
            ects_max,
            credential_type,
            modes,
            review,
        }) => ScopeCells {
            title_ka: title_ka.to_string(),
            title_en: title_en.to_string(),
            coordinator: coordinator.to_string(),
            programme: programme.to_string(),
            agency: agent.to_string(),
            levels: level.get().to_string(),
            fields: join(words::fields(fields)),
            ects_max: ects_text(*ects_max),
            credential_type: words::credential_type(*credential_type),
            modes: words::modes(*modes).join(" "),
            review: review.to_string(),
        },
    }
}

fn permission_row(
    institution: InstitutionId,
    number: PermissionId,
    permission: &Permission,
    day: Day,
) -> Result<String, Impossible> {
    let Permission { record, history, batches } = permission;
    let held = Held::new(number, record.clone(), history.clone()).map_err(|_| Impossible)?;
    let cells = scope_cells(&record.scope);
    let or_none = |number: u32| if number == 0 { String::new() } else { number.to_string() };
    // What stands at last, by all that is written.
    let last = record.standing.newest().ok_or(Impossible)?;
    let successor = match last.state {
        PermissionState::Replaced { by } | PermissionState::Restored { by } => by.to_string(),
        PermissionState::Active | PermissionState::Suspended | PermissionState::Withdrawn => String::new(),
    };
    Ok(csv::row([
        institution.to_string(),
        number.to_string(),
        words::permission_kind(&record.scope).to_owned(),
        held.standing(day).word().to_owned(),
        cells.title_ka,
        cells.title_en,
        cells.coordinator,
        cells.programme,
        cells.agency,
        cells.levels,
        cells.fields,
        cells.ects_max,
        cells.credential_type.to_owned(),
        cells.modes,
        cells.review,
        record.window.first().to_string(),
        record.window.last().to_string(),
        if record.conditional { "yes" } else { "no" }.to_owned(),
        record.authority.to_string(),
        record.decision.to_string(),
        record.granted.to_string(),
        or_none(record.predecessor.get()),
        words::permission_state(last.state).to_owned(),
        successor,
        last.effective.to_string(),
        words::decision_reason(last.reason).to_owned(),
        record.entries.to_string(),
        batches.to_string(),
    ]))
}

/// The row of a batch, when the transaction anchored one. `end` is the register after all transactions.
pub(crate) fn batch_row(
    place: Place,
    signed: &SignedTransaction,
    numbers: Option<BatchNumbers>,
    end: &Replay,
) -> Option<String> {
    let numbers = numbers?;
    let (Payload::BatchAnchor(anchor), Sender::Institution { institution }) =
        (&signed.body().payload, signed.body().sender)
    else {
        return None;
    };
    let BatchAnchor { root, height, hash_algorithm: _, accreditation, level, field, ects, issued, credential_type } =
        anchor;
    let key = signed.signatures().first()?.key;
    let void = end.institutions().get(&institution).and_then(|institution| institution.compromised.get(&key));
    let void = void.filter(|from| **from <= place.height);
    let change = end.batch_change(institution, root);
    Some(csv::row([
        institution.to_string(),
        numbers.sequence.to_string(),
        accreditation.to_string(),
        numbers.accreditation_sequence.to_string(),
        root.to_string(),
        height.get().to_string(),
        place.height.to_string(),
        rfc3339(place.time),
        key.to_string(),
        void.map(ToString::to_string).unwrap_or_default(),
        level.get().to_string(),
        field.to_string(),
        ects_text(*ects),
        issued.to_string(),
        words::credential_type(*credential_type).to_owned(),
        change.map_or("valid", |change| words::batch_state(change.state)).to_owned(),
        change.map_or("", |change| words::status_reason(change.reason)).to_owned(),
        change.map(|change| change.height.to_string()).unwrap_or_default(),
    ]))
}
