//! What a document says about itself: names to show and dates to judge. Read tolerantly, never trusted.
//!
//! Formats: Open Badges 3.0 and 2.0, W3C VC 1.1/2.0 as JSON, the Europass Learning Model (plain, or wrapped as
//! `{"credential": …}` for upload), the claims of a JWT (`vc` or the credential itself), and the payload of JAdES. What is
//! missing or unreadable is said to be so; nothing here fails.

use serde_json::{Map, Value};
use sigeli_verifier::{credential::Profile, ids::TimeMs};

use super::canonical::{Canonical, canonicalise};
use super::date::{DayEdge, Moment, StatedDate};
use super::json::StrictJson;
use super::jws;
use super::stated::{StatedFacts, named};
use super::text::LocalText;

type Members = Map<String, Value>;

/// What a document says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentFacts {
    /// From when it says to be valid: the latest of `validFrom`, `issuanceDate` and a JWT's `nbf`.
    pub valid_from: StatedDate,
    /// From when it says to be no longer valid: the earliest of `validUntil`, `expirationDate` and a JWT's `exp`.
    pub valid_until: StatedDate,
    /// The credential's title.
    pub title: Option<LocalText>,
    /// The name of the person it is about. The ledger cannot check it: "compare it with an identity document".
    pub holder_name: Option<LocalText>,
    /// What it states of what the register knows too. The verdict's institution and programme come from the ledger, not
    /// from here; where both speak, they must agree.
    pub stated: StatedFacts,
}

/// How an instant stands to the dates a document states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Before the start, whichever zone is meant.
    NotYetValid,
    /// Between start and end, or no limits stated.
    Current,
    /// At or behind the end, whichever zone is meant.
    Expired,
    /// A date is unreadable, or its text lacks a zone and the instant is within a day of it.
    Unclear,
}

impl DocumentFacts {
    /// How `time` stands to the stated dates. A certain answer from one date outweighs doubt about the other; expiry
    /// outweighs a start in the future.
    #[must_use]
    pub fn standing_at(&self, time: TimeMs) -> Standing {
        let unix_ms = i64::try_from(time.get()).unwrap_or(i64::MAX);
        let end = self.valid_until.moment();
        if end.is_some_and(|end| unix_ms >= end.latest_unix_ms()) {
            return Standing::Expired;
        }
        let start = self.valid_from.moment();
        if start.is_some_and(|start| unix_ms < start.earliest_unix_ms()) {
            return Standing::NotYetValid;
        }
        let is_clear = self.valid_until != StatedDate::Unreadable
            && self.valid_from != StatedDate::Unreadable
            && end.is_none_or(|end| unix_ms < end.earliest_unix_ms())
            && start.is_none_or(|start| unix_ms >= start.latest_unix_ms());
        if is_clear { Standing::Current } else { Standing::Unclear }
    }
}

/// Reads the facts out of canonical bytes; `None` if they are no document this program can read.
pub(super) fn read(canonical: &Canonical<'_>) -> Option<DocumentFacts> {
    match canonical.profile() {
        // A JSON credential or JWT that its issuer anchored as a plain file still says what it says.
        Profile::Raw => {
            canonicalise(canonical.bytes(), None).ok().filter(|inner| inner.profile() != Profile::Raw)?.facts()
        }
        // Not `StrictJson`: the canonical form of 1e20 is an integer literal that the strict reader refuses.
        Profile::Jcs => {
            serde_json::from_slice::<Members>(canonical.bytes()).ok().map(|document| from_document(&document))
        }
        Profile::Jades => from_payload(canonical.bytes()),
        Profile::Jws => from_payload(&jws::payload(canonical.bytes())?),
    }
}

fn from_payload(payload: &[u8]) -> Option<DocumentFacts> {
    let payload = StrictJson::read(payload).ok()?;
    let claims = payload.object()?;
    let credential = claims.get("vc").and_then(Value::as_object).unwrap_or(claims);
    let mut facts = from_document(credential);
    facts.valid_from = facts.valid_from.and(StatedDate::from_seconds(claims.get("nbf")), Moment::last);
    facts.valid_until = facts.valid_until.and(StatedDate::from_seconds(claims.get("exp")), Moment::first);
    facts.stated.issued = facts.stated.issued.and(StatedDate::from_seconds(claims.get("iat")), Moment::last);
    Some(facts)
}

fn from_document(document: &Members) -> DocumentFacts {
    let credential = match document.get("credential").and_then(Value::as_object) {
        Some(inner) if !document.contains_key("credentialSubject") => inner,
        _ => document,
    };
    let start = |name| StatedDate::from_text(credential.get(name), DayEdge::Start);
    let end = |name| StatedDate::from_text(credential.get(name), DayEdge::End);
    let subject = single(credential.get("credentialSubject"));
    let mut stated = StatedFacts::read(credential);
    let title = title(credential, subject);
    stated.title = stated.title.or_else(|| title.clone());
    // `expires` is the end of an assertion of Open Badges 2.
    DocumentFacts {
        valid_from: start("validFrom").and(start("issuanceDate"), Moment::last),
        valid_until: end("validUntil").and(end("expirationDate"), Moment::first).and(end("expires"), Moment::first),
        title,
        holder_name: subject.and_then(holder_name),
        stated,
    }
}

/// The object, or the only object of an array: of several subjects none is *the* subject.
fn single(value: Option<&Value>) -> Option<&Members> {
    match value? {
        Value::Object(members) => Some(members),
        Value::Array(entries) => match entries.as_slice() {
            [Value::Object(members)] => Some(members),
            _ => None,
        },
        _ => None,
    }
}

/// `name` (VC, Open Badges), the display title (ELM), the achievement's name (Open Badges), the only claim's title (ELM),
/// the badge class's name (Open Badges 2).
fn title(credential: &Members, subject: Option<&Members>) -> Option<LocalText> {
    let within = |members: Option<&Members>, name: &str, names: &[&str]| {
        single(members.and_then(|members| members.get(name))).and_then(|inner| named(inner, names))
    };
    named(credential, &["name", "title"])
        .or_else(|| within(Some(credential), "displayParameter", &["title"]))
        .or_else(|| within(subject, "achievement", &["name"]))
        .or_else(|| within(subject, "hasClaim", &["title"]))
        .or_else(|| within(Some(credential), "badge", &["name"]))
}

/// `name` (VC), `fullName` (ELM), given and family name (ELM, schema.org), or an unhashed Open Badges identifier of type `name`.
fn holder_name(subject: &Members) -> Option<LocalText> {
    named(subject, &["name", "fullName"]).or_else(|| {
        match (named(subject, &["givenName"]), named(subject, &["familyName"])) {
            (Some(given), Some(family)) => Some(LocalText::joined(given, family)),
            _ => subject.get("identifier").and_then(badge_identity_name),
        }
    })
}

fn badge_identity_name(identifiers: &Value) -> Option<LocalText> {
    let identifiers = match identifiers {
        Value::Array(entries) => entries.as_slice(),
        other => std::slice::from_ref(other),
    };
    let is_name = |identity: &&Members| {
        identity.get("identityType").is_some_and(|kind| kind == "name")
            && identity.get("hashed").is_some_and(|hashed| hashed == false)
    };
    let identity = identifiers.iter().filter_map(Value::as_object).find(is_name)?;
    identity.get("identityHash").and_then(LocalText::read)
}

#[cfg(test)]
mod tests;
