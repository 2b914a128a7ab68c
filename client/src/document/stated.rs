//! What a credential states of what the register knows too: level, field, credits, date of issue, programme, issuer.
//!
//! The members that are read, format by format, stand in `docs/documents.md`. What is not written in one of those ways is
//! not read, and so never contradicts anything: a name in prose is for people to compare.

use serde_json::{Map, Value};
use sigeli_verifier::{
    ids::EctsTenths,
    time::Day,
    transaction::{FieldPrefix, Level},
};

use super::date::{DayEdge, Moment, StatedDate};
use super::text::LocalText;

type Members = Map<String, Value>;

const EQF_URI: &str = "data.europa.eu/snb/eqf/";
const ISCED_F_URI: &str = "data.europa.eu/snb/isced-f/";
/// The European Credit Transfer System in the European list of credit systems.
const ECTS_URI: &str = "data.europa.eu/snb/education-credit/6fcec5c5af";

/// Deepest nesting of lists that is looked into: JSON-LD may wrap a value in a list, not in many.
const LIST_DEPTH_MAX: usize = 4;

/// What a credential states of what the register knows too. Read tolerantly, never trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatedFacts {
    /// The levels, of the National Qualifications Framework or the European one, which agree number by number. Ascending,
    /// distinct; more than one if the document states several.
    pub levels: Vec<Level>,
    /// The fields of ISCED-F 2013, as broadly as stated. Ascending, distinct.
    pub fields: Vec<FieldPrefix>,
    /// The credits of all that the credential is about together, rounded up to tenths; 6553.5 stands for all above.
    pub credits: Option<EctsTenths>,
    /// When it says to have been issued or awarded: the latest of its statements.
    pub issued: StatedDate,
    /// The title of the programme; the credential's own where none is stated.
    pub title: Option<LocalText>,
    /// The name the document gives its issuer.
    pub issuer: Option<LocalText>,
}

impl StatedFacts {
    /// The day in Tbilisi on which the credential was issued, if the document says so for certain.
    #[must_use]
    pub fn issued_on(&self) -> Option<Day> {
        self.issued.moment().and_then(Moment::day)
    }

    /// Reads a credential: the object that holds `credentialSubject`, or an assertion of Open Badges 2.
    pub(super) fn read(credential: &Members) -> Self {
        let mut facts = Self { issued: StatedDate::Absent, ..Self::default() };
        let mut credits = Sum::default();
        for name in ["issued", "awardedDate", "issuedOn"] {
            facts.add_date(credential.get(name));
        }
        for subject in objects(credential.get("credentialSubject")) {
            facts.add_outline(subject);
            let mut of_claims = Sum::default();
            for name in ["achievement", "hasClaim", "achieved"] {
                objects(subject.get(name)).for_each(|claim| of_claims.add(facts.add_claim(claim)));
            }
            // What was earned and what could be earned are one number told twice: the larger counts.
            credits.add(ects(subject).max(of_claims.0));
        }
        objects(credential.get("badge")).for_each(|badge| credits.add(facts.add_claim(badge)));
        facts.credits = credits.0;
        facts.levels.sort_unstable();
        facts.levels.dedup();
        facts.fields.sort_unstable();
        facts.fields.dedup();
        let issuer = objects(credential.get("issuer"));
        let of_badge = objects(credential.get("badge")).flat_map(|badge| objects(badge.get("issuer")));
        facts.issuer = issuer.chain(of_badge).find_map(|issuer| named(issuer, &["legalName", "name", "prefLabel"]));
        facts
    }

    /// Reads an achievement, a claim of the European Learning Model or a badge class; returns its credits.
    fn add_claim(&mut self, claim: &Members) -> Option<EctsTenths> {
        self.add_outline(claim);
        self.add_date(claim.get("issuedOn"));
        objects(claim.get("awardedBy")).for_each(|process| self.add_date(process.get("awardingDate")));
        let mut credits = ects(claim);
        for specification in objects(claim.get("specifiedBy")) {
            self.add_outline(specification);
            credits = credits.max(ects(specification));
        }
        if self.title.is_none() {
            self.title = named(claim, &["name", "title"]);
        }
        credits
    }

    fn add_date(&mut self, value: Option<&Value>) {
        let stated = StatedDate::from_text(value, DayEdge::Start);
        self.issued = std::mem::take(&mut self.issued).and(stated, Moment::last);
    }

    /// Adds levels and fields that stand directly in an object.
    fn add_outline(&mut self, object: &Members) {
        for name in ["eqfLevel", "nqfLevel"] {
            self.levels.extend(values(object.get(name)).filter_map(level));
        }
        for name in ["ISCEDFCode", "iscedF", "thematicArea"] {
            self.fields.extend(values(object.get(name)).filter_map(field));
        }
        for alignment in objects(object.get("alignment")) {
            self.add_alignment(alignment);
        }
    }

    /// An alignment of Open Badges: by the address of its target, else by the framework's name and the code in it.
    fn add_alignment(&mut self, alignment: &Members) {
        let text = |name: &str| alignment.get(name).and_then(Value::as_str);
        let framework = text("targetFramework").unwrap_or_default().to_lowercase();
        let code = |expected: bool| text("targetCode").filter(|_| expected).map(str::trim);
        let by_address = text("targetUrl").and_then(|address| code_after(address, EQF_URI)).and_then(level_code);
        self.levels.extend(by_address.or_else(|| code(is_level_framework(&framework)).and_then(level_code)));
        let by_address =
            text("targetUrl").and_then(|address| code_after(address, ISCED_F_URI)).and_then(FieldPrefix::parse);
        let by_name = || code(framework.contains("isced-f") || framework.contains("isced f"));
        self.fields.extend(by_address.or_else(|| by_name().and_then(FieldPrefix::parse)));
    }
}

/// The European framework, or the Georgian one: by its name, or without a country. Other countries count otherwise.
fn is_level_framework(name: &str) -> bool {
    let is_georgian = name.contains("georgia") || name.contains("ეროვნული კვალიფიკაციების ჩარჩო");
    let is_national = name.contains("national qualifications framework") || name.contains("nqf");
    name.contains("european qualifications framework")
        || matches!(name.trim(), "eqf" | "nqf" | "national qualifications framework")
        || (is_georgian && is_national)
        || name.contains("ეროვნული კვალიფიკაციების ჩარჩო")
}

/// `6`, `"6"`, the European list's address, or an object with such an `id`, `notation` or `@value`.
fn level(value: &Value) -> Option<Level> {
    match value {
        Value::Number(number) => level_code(number.to_string().trim_end_matches(".0")),
        Value::String(text) => level_code(text.trim()).or_else(|| level_code(code_after(text, EQF_URI)?)),
        Value::Object(members) => ["id", "@id", "@value", "notation"]
            .iter()
            .find_map(|name| members.get(*name).filter(|inner| !inner.is_object()).and_then(level)),
        _ => None,
    }
}

fn level_code(code: &str) -> Option<Level> {
    let [digit @ b'1'..=b'8'] = code.as_bytes() else { return None };
    Level::new(digit - b'0')
}

/// `"0613"`, the European list's address, or an object with such an `id` or `@value`. A number is not read: it would have
/// lost its leading zero.
fn field(value: &Value) -> Option<FieldPrefix> {
    match value {
        Value::String(text) => {
            FieldPrefix::parse(text.trim()).or_else(|| FieldPrefix::parse(code_after(text, ISCED_F_URI)?))
        }
        Value::Object(members) => ["id", "@id", "@value"]
            .iter()
            .find_map(|name| members.get(*name).filter(|inner| inner.is_string()).and_then(field)),
        _ => None,
    }
}

/// What follows `list` in an address `http://LIST…` or `https://LIST…`.
fn code_after<'a>(address: &'a str, list: &str) -> Option<&'a str> {
    let address = address.trim();
    address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"))?.strip_prefix(list)
}

/// The most credits that an object states of itself. Those of Open Badges are taken as ECTS, which is what a credit is in
/// Georgian law; those of the European Learning Model only where their system is ECTS or unnamed.
fn ects(object: &Members) -> Option<EctsTenths> {
    let plain = ["ectsCredits", "creditsEarned", "creditsAvailable"]
        .iter()
        .flat_map(|name| values(object.get(*name)).filter_map(tenths));
    let points =
        ["creditPoint", "creditReceived"].iter().flat_map(|name| objects(object.get(*name))).filter(|points| {
            let systems = || values(points.get("framework"));
            systems().next().is_none() || systems().any(is_ects)
        });
    plain.chain(points.flat_map(|points| values(points.get("point")).filter_map(tenths))).max()
}

fn is_ects(system: &Value) -> bool {
    match system {
        Value::String(address) => code_after(address, ECTS_URI) == Some(""),
        Value::Object(members) => members.get("id").is_some_and(|id| id.is_string() && is_ects(id)),
        _ => false,
    }
}

/// A number of credits, as a number or as text, rounded up to tenths.
fn tenths(value: &Value) -> Option<EctsTenths> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Object(members) => return members.get("@value").filter(|inner| !inner.is_object()).and_then(tenths),
        _ => return None,
    };
    // A double with an exponent is far above any limit, or almost nothing.
    let (text, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, ""));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(whole) || !is_plain(fraction) {
        return None;
    }
    match exponent.as_bytes() {
        [] => {}
        [b'-', ..] => return Some(EctsTenths::new(1)),
        _ => return Some(EctsTenths::new(u16::MAX)),
    }
    let (tenth, rest) = fraction.split_at(1);
    let round_up = u16::from(rest.bytes().any(|digit| digit != b'0'));
    let whole = whole.parse::<u16>().ok().and_then(|whole| whole.checked_mul(10));
    let tenth = tenth.parse::<u16>().ok().map(|tenth| tenth + round_up);
    let tenths = whole.zip(tenth).and_then(|(whole, tenth)| whole.checked_add(tenth));
    Some(EctsTenths::new(tenths.unwrap_or(u16::MAX)))
}

/// Credits that add up; nothing as long as none are stated.
#[derive(Default)]
struct Sum(Option<EctsTenths>);

impl Sum {
    fn add(&mut self, credits: Option<EctsTenths>) {
        if let Some(more) = credits {
            let before = self.0.map_or(0, EctsTenths::get);
            self.0 = Some(EctsTenths::new(before.saturating_add(more.get())));
        }
    }
}

/// The value, or the entries of the list.
fn values(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let mut found = Vec::new();
    collect(value, LIST_DEPTH_MAX, &mut found);
    found.into_iter()
}

fn collect<'a>(value: Option<&'a Value>, depth: usize, into: &mut Vec<&'a Value>) {
    match value {
        Some(Value::Array(entries)) if depth > 0 => {
            entries.iter().for_each(|entry| collect(Some(entry), depth - 1, into));
        }
        Some(Value::Null) | None => {}
        Some(value) => into.push(value),
    }
}

/// The object, or the objects of the list.
pub(super) fn objects(value: Option<&Value>) -> impl Iterator<Item = &Members> {
    values(value).filter_map(Value::as_object)
}

/// The first of the members that holds a text.
pub(super) fn named(members: &Members, names: &[&str]) -> Option<LocalText> {
    names.iter().find_map(|name| members.get(*name).and_then(LocalText::read))
}

#[cfg(test)]
mod tests;
