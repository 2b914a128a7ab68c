//! A verdict on paper: eight lines for people, one JSON object for programs; and many verdicts in one table.

use std::collections::BTreeMap;

use serde::Serialize;
use sigeli_verifier::{
    bundle::Bundle,
    transaction::PermissionScope,
    trust::NetworkKind,
    verdict::{Check, CheckId, CheckState, Verdict},
};

use crate::{
    many::{Tally, WORST_FIRST},
    values::{self, rfc3339},
    wording::{self, Language, Wording, age_s},
};

/// The version of the JSON format. A member may be added without changing it; none is removed or given another meaning.
pub const JSON_FORMAT: &str = "sigeli-verdict-1";

/// Whether lines are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With ANSI colours: green, red, grey.
    Coloured,
}

const RESET: &str = "\u{1B}[0m";

impl Style {
    fn paint(self, state: CheckState, text: &str) -> String {
        let colour = match state {
            CheckState::Pass => "\u{1B}[32m",
            CheckState::Fail => "\u{1B}[31m",
            CheckState::Unknown => "\u{1B}[90m",
        };
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("{colour}{text}{RESET}"),
        }
    }
}

const fn mark(state: CheckState) -> &'static str {
    match state {
        CheckState::Pass => "[ ok ]",
        CheckState::Fail => "[FAIL]",
        CheckState::Unknown => "[ -- ]",
    }
}

const fn state_of(verdict: Verdict) -> CheckState {
    match verdict {
        Verdict::Valid => CheckState::Pass,
        Verdict::Unchecked => CheckState::Unknown,
        Verdict::Ended | Verdict::NotGenuine => CheckState::Fail,
    }
}

/// The verdict, its eight lines, and whom to compare with the document, for a person to read.
#[must_use]
pub fn text(words: &Wording<'_>, style: Style) -> String {
    let report = words.report;
    let mut out = style.paint(state_of(report.verdict()), words.verdict());
    out.push('\n');
    if report.confirmed().is_some_and(|confirmed| confirmed.ledger.kind == NetworkKind::Test) {
        out.push_str(words.test_ledger());
        out.push('\n');
    }
    out.push('\n');
    let width = CheckId::ALL.iter().map(|id| words.title(*id).chars().count()).max().unwrap_or(0);
    for (number, check) in report.checks().iter().enumerate() {
        let state = check.finding.state();
        let title = words.title(check.id);
        let padding = " ".repeat(width.saturating_sub(title.chars().count()));
        let marked = style.paint(state, mark(state));
        out.push_str(&format!("{marked} {}. {title}{padding}  {}\n", number + 1, words.line(*check)));
    }
    out.push_str(&format!("\n{}\n", words.who()));
    out
}

/// The format of the summary of many verdicts in JSON.
pub const SUMMARY_FORMAT: &str = "sigeli-summary-1";

/// How many documents got which verdict, worst first, and what kept them from a better one.
#[must_use]
pub fn summary(tally: &Tally, language: Language, style: Style) -> String {
    let (documents, why) = match language {
        Language::English => ("document(s)", "Of these, by line and code (docs/protocol.md, section 12):"),
        Language::Georgian => ("დოკუმენტი", "მათ შორის, ხაზისა და კოდის მიხედვით (docs/protocol.md, თავი 12):"),
    };
    let mut out = format!("{:>10} {documents}\n", tally.count());
    if tally.is_test() {
        out.push_str(&format!("{}\n", wording::test_ledger(language)));
    }
    for verdict in WORST_FIRST.into_iter().filter(|verdict| tally.of(*verdict) > 0) {
        let name = style.paint(state_of(verdict), wording::verdict_name(verdict, language));
        out.push_str(&format!("{:>10} {name}\n", tally.of(verdict)));
    }
    if tally.findings().next().is_some() {
        out.push_str(&format!("{why}\n"));
        for (id, code, count) in tally.findings() {
            out.push_str(&format!("{count:>10} {}: {code}\n", wording::line_name(id, language)));
        }
    }
    out
}

#[derive(Serialize)]
struct SummaryJson {
    format: &'static str,
    exit: u8,
    documents: u64,
    verdicts: BTreeMap<&'static str, u64>,
    findings: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    test_ledger: bool,
}

/// The summary for a program: one JSON object, as `docs/protocol.md` §12 describes it.
#[must_use]
pub fn summary_json(tally: &Tally) -> String {
    let mut findings = BTreeMap::<_, BTreeMap<_, _>>::new();
    for (id, code, count) in tally.findings() {
        findings.entry(id.name()).or_default().insert(code, count);
    }
    let json = SummaryJson {
        format: SUMMARY_FORMAT,
        exit: tally.worst().map_or(0, Verdict::exit_code),
        documents: tally.count(),
        verdicts: WORST_FIRST.into_iter().map(|verdict| (verdict.name(), tally.of(verdict))).collect(),
        findings,
        test_ledger: tally.is_test(),
    };
    let mut out = serde_json::to_string_pretty(&json).expect("texts and numbers always serialise");
    out.push('\n');
    out
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    format: &'static str,
    exit: u8,
    error: &'a str,
}

/// A command's failure for a program: one JSON object, `{"format": "sigeli-error-1", "exit": …, "error": …}`.
#[must_use]
pub fn error_json(exit: u8, error: &str) -> String {
    let json = ErrorJson { format: "sigeli-error-1", exit, error };
    let mut out = serde_json::to_string_pretty(&json).expect("texts and numbers always serialise");
    out.push('\n');
    out
}

#[derive(Serialize)]
struct ReportJson<'a> {
    format: &'static str,
    verdict: &'static str,
    exit: u8,
    text: &'static str,
    checks: Vec<CheckJson>,
    facts: FactsJson<'a>,
}

#[derive(Serialize)]
struct CheckJson {
    id: &'static str,
    state: &'static str,
    code: &'static str,
    text: String,
}

#[derive(Serialize, Default)]
struct FactsJson<'a> {
    genesis_hash: Option<String>,
    ledger_kind: Option<&'static str>,
    height: Option<u64>,
    time: Option<String>,
    age_s: Option<u64>,
    institution: Option<&'a str>,
    institution_ka: Option<&'a str>,
    institution_id: Option<u32>,
    programme: Option<&'a str>,
    programme_ka: Option<&'a str>,
    accreditation: Option<u32>,
    level: Option<u8>,
    field: Option<String>,
    ects: Option<String>,
    issued: Option<String>,
    anchored_height: Option<u64>,
    anchored_time: Option<String>,
    confirmed_by: Option<usize>,
    validators: Option<usize>,
}

/// The verdict for a program: one JSON object, as `docs/protocol.md` §12 describes it. Members of `facts` are `null` unless a
/// quorum confirmed them; `institution` and `programme` are the English names whatever the language of the texts.
#[must_use]
pub fn json(words: &Wording<'_>, bundle: Option<&Bundle>) -> String {
    let report = words.report;
    let check = |check: &Check| CheckJson {
        id: check.id.name(),
        state: check.finding.state().name(),
        code: check.finding.code(),
        text: words.line(*check),
    };
    let json = ReportJson {
        format: JSON_FORMAT,
        verdict: report.verdict().name(),
        exit: report.verdict().exit_code(),
        text: words.verdict(),
        checks: report.checks().iter().map(check).collect(),
        facts: facts(words, bundle),
    };
    let mut out = serde_json::to_string_pretty(&json).expect("texts and numbers always serialise");
    out.push('\n');
    out
}

fn facts<'a>(words: &Wording<'a>, bundle: Option<&Bundle>) -> FactsJson<'a> {
    let Some(confirmed) = words.report.confirmed() else { return FactsJson::default() };
    let batch = confirmed.batch;
    let titles = confirmed.permission.and_then(|section| match &section.record.scope {
        PermissionScope::Accreditation(programme) => Some((programme.title_ka.as_str(), programme.title_en.as_str())),
        PermissionScope::Authorisation | PermissionScope::PilotOrder { .. } => None,
    });
    FactsJson {
        genesis_hash: Some(confirmed.ledger.genesis.to_string()),
        ledger_kind: Some(match confirmed.ledger.kind {
            NetworkKind::Production => "production",
            NetworkKind::Test => "test",
        }),
        height: Some(confirmed.height.get()),
        time: Some(rfc3339(confirmed.time)),
        age_s: Some(age_s(confirmed.time, words.freshness.at)),
        institution: Some(confirmed.institution.name_en.as_str()),
        institution_ka: Some(confirmed.institution.name_ka.as_str()),
        institution_id: bundle.map(|bundle| bundle.receipt.institution.get()),
        programme: titles.map(|(_, english)| english),
        programme_ka: titles.map(|(georgian, _)| georgian),
        accreditation: Some(batch.accreditation.get()),
        level: Some(batch.level.get()),
        field: Some(batch.field.to_string()),
        ects: Some(values::ects_text(batch.ects)),
        issued: Some(batch.issued.to_string()),
        anchored_height: Some(batch.anchored.get()),
        anchored_time: Some(rfc3339(batch.anchored_time)),
        confirmed_by: Some(confirmed.confirmed_by),
        validators: Some(confirmed.validators),
    }
}
