//! A document against the register: what in it contradicts what is registered of it, and which documents can be
//! registered together.

use std::{collections::BTreeMap, fmt};

use sigeli_verifier::{
    ids::EctsTenths,
    record::BatchRecord,
    time::Day,
    transaction::{Field, FieldPrefix, Level},
};

use super::stated::StatedFacts;
use crate::{batch::BatchFacts, values::ects_text};

/// What the register knows of a document: what its batch states, and the latest day on which it can have been issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// The batch's level.
    pub level: Level,
    /// The batch's field.
    pub field: Field,
    /// The batch's credits.
    pub ects: EctsTenths,
    /// The day in Tbilisi on which the batch was anchored; for a batch that is not anchored yet, today.
    pub anchored: Day,
}

impl Registered {
    /// What will be registered when a batch with these facts is anchored today.
    #[must_use]
    pub const fn planned(facts: &BatchFacts, today: Day) -> Self {
        Self { level: facts.level, field: facts.field, ects: facts.ects, anchored: today }
    }
}

impl From<&BatchRecord> for Registered {
    fn from(batch: &BatchRecord) -> Self {
        Self { level: batch.level, field: batch.field, ects: batch.ects, anchored: Day::of(batch.anchored_time) }
    }
}

/// Something a document states that cannot be so if it is what the register says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// It states another level.
    Level {
        /// The first such level of the document.
        stated: Level,
        /// The batch's.
        registered: Level,
    },
    /// It states fields, and the batch's lies in none of them.
    Field {
        /// The document's fields, as broadly as it states them.
        stated: Vec<FieldPrefix>,
        /// The batch's.
        registered: Field,
    },
    /// It states more credits.
    Credits {
        /// The document's.
        stated: EctsTenths,
        /// The batch's.
        registered: EctsTenths,
    },
    /// It states a date of issue after the day on which it was registered.
    Issued {
        /// The earliest day in Tbilisi that the document's date can mean.
        stated: Day,
        /// The day on which the batch was anchored.
        anchored: Day,
    },
}

impl Contradiction {
    /// A stable, machine-readable name; never changes its meaning once published.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Level { .. } => "level_differs",
            Self::Field { .. } => "field_differs",
            Self::Credits { .. } => "credits_above",
            Self::Issued { .. } => "issued_after_anchor",
        }
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level { stated, registered } => {
                write!(formatter, "it states level {}, the batch level {}", stated.get(), registered.get())
            }
            Self::Field { stated, registered } => {
                write!(formatter, "it states field {}, the batch field {registered}", listed(stated))
            }
            Self::Credits { stated, registered } => {
                write!(formatter, "it states {} ECTS, the batch {}", ects_text(*stated), ects_text(*registered))
            }
            Self::Issued { stated, anchored } => {
                write!(formatter, "it states {stated} as its date of issue, which is after {anchored}")
            }
        }
    }
}

/// Field codes as a person writes them: `0613, 0714`.
pub(crate) fn listed(fields: &[FieldPrefix]) -> String {
    fields.iter().map(FieldPrefix::to_string).collect::<Vec<_>>().join(", ")
}

/// All that a document states and that contradicts the register, in the order level, field, credits, date; empty for one
/// that agrees, or states nothing that can be read.
///
/// A broader field than the batch's agrees with it, and so does the batch's among several, fewer credits, and a date that
/// may lie on the day of the anchor or before it whichever time zone is meant. A date from which the document is to be
/// valid is none of its issue.
#[must_use]
pub fn contradictions(stated: &StatedFacts, registered: Registered) -> Vec<Contradiction> {
    let mut found = Vec::new();
    if let Some(level) = stated.levels.iter().find(|level| **level != registered.level) {
        found.push(Contradiction::Level { stated: *level, registered: registered.level });
    }
    if !stated.fields.is_empty() && !stated.fields.iter().any(|field| field.covers(registered.field)) {
        found.push(Contradiction::Field { stated: stated.fields.clone(), registered: registered.field });
    }
    if let Some(credits) = stated.credits.filter(|credits| *credits > registered.ects) {
        found.push(Contradiction::Credits { stated: credits, registered: registered.ects });
    }
    if let Some(day) = stated.issued.moment().map(super::date::Moment::earliest_day)
        && day > registered.anchored
    {
        found.push(Contradiction::Issued { stated: day, anchored: registered.anchored });
    }
    found
}

/// Documents that state the same of what the register knows too, and so can share a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<T> {
    /// The levels they state; more than one fits into no batch.
    pub levels: Vec<Level>,
    /// The fields they state.
    pub fields: Vec<FieldPrefix>,
    /// The credits they state.
    pub credits: Option<EctsTenths>,
    /// The day of issue in Tbilisi that they state.
    pub issued: Option<Day>,
    /// The title of the programme that they state, in Georgian where there is one.
    pub title: Option<String>,
    /// The documents, in the order in which they were added.
    pub documents: Vec<T>,
}

impl<T> Group<T> {
    /// Whether the documents state nothing that the register knows too, or cannot be read by this program.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.levels.is_empty()
            && self.fields.is_empty()
            && self.credits.is_none()
            && self.issued.is_none()
            && self.title.is_none()
    }

    /// The field that a batch of these documents states: the most detailed one, filled up with zeros to the four digits
    /// that mean "not further defined" in ISCED-F (`061` → `0610`). `None` if they state none.
    #[must_use]
    pub fn field(&self) -> Option<Field> {
        let detailed = self.fields.iter().max_by_key(|field| field.to_string().len())?;
        format!("{detailed}00").get(..4)?.parse().ok().and_then(Field::new)
    }
}

impl<T> fmt::Display for Group<T> {
    /// One line for a clerk: how many documents, and what they state.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stated = Vec::new();
        if !self.levels.is_empty() {
            let levels: Vec<_> = self.levels.iter().map(|level| level.get().to_string()).collect();
            stated.push(format!("level {}", levels.join(" and ")));
        }
        if !self.fields.is_empty() {
            stated.push(format!("field {}", listed(&self.fields)));
        }
        stated.extend(self.credits.map(|credits| format!("{} ECTS", ects_text(credits))));
        stated.extend(self.issued.map(|day| format!("issued on {day}")));
        stated.extend(self.title.as_ref().map(|title| format!("“{title}”")));
        let stated = if stated.is_empty() { "state nothing that can be read".to_owned() } else { stated.join(", ") };
        write!(formatter, "{} document(s): {stated}", self.documents.len())
    }
}

type Key = (Vec<Level>, Vec<FieldPrefix>, Option<EctsTenths>, Option<Day>, Option<String>);

/// Sorts documents into groups that can share a batch. What is kept of each is what the caller hands in, such as its path
/// or its number.
#[derive(Debug, Clone)]
pub struct Groups<T>(BTreeMap<Key, Vec<T>>);

impl<T> Default for Groups<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Groups<T> {
    /// Adds a document; `None` for one that this program cannot read, or whose content it cannot tell.
    pub fn add(&mut self, stated: Option<&StatedFacts>, document: T) {
        let key = stated.map_or_else(Key::default, |stated| {
            let title = stated.title.as_ref().and_then(|title| title.georgian()).map(str::to_owned);
            (stated.levels.clone(), stated.fields.clone(), stated.credits, stated.issued_on(), title)
        });
        self.0.entry(key).or_default().push(document);
    }

    /// The groups, those that state least first.
    #[must_use]
    pub fn into_groups(self) -> Vec<Group<T>> {
        let group = |((levels, fields, credits, issued, title), documents)| Group {
            levels,
            fields,
            credits,
            issued,
            title,
            documents,
        };
        self.0.into_iter().map(group).collect()
    }
}

#[cfg(test)]
mod tests;
