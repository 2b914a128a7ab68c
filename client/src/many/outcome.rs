//! The verdict on one document of many, and its row in a table.

use sigeli_verifier::{
    bundle::Bundle,
    transaction::PermissionScope,
    trust::NetworkKind,
    verdict::{Check, Report, Verdict},
};

use crate::{
    audit::csv,
    values::{ects_text, rfc3339},
};

/// What a quorum has confirmed about a document, as it is written into a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// `production` or `test`.
    pub ledger_kind: &'static str,
    /// The institution's number.
    pub institution: u32,
    /// Its English name.
    pub institution_name: String,
    /// The programme's English title, where the bundle says.
    pub programme: Option<String>,
    /// The number of the accreditation.
    pub accreditation: u32,
    /// Level of the National Qualifications Framework.
    pub level: u8,
    /// Field of study, four digits.
    pub field: String,
    /// Credits (ECTS).
    pub ects: String,
    /// Date of issue.
    pub issued: String,
    /// The block in which the batch was registered, and its time.
    pub anchored: (u64, String),
    /// The block that all this is as of, and its time.
    pub as_of: (u64, String),
}

/// The verdict on one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its name: a path, or an entry of an archive.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The eight lines.
    pub checks: [Check; 8],
    /// What is confirmed, if anything.
    pub facts: Option<Facts>,
    /// What a line has no room for: why a file could not be read.
    pub note: Option<String>,
}

/// The first row of the table of results.
pub const CSV_HEADER: [&str; 25] = [
    "file",
    "verdict",
    "exit",
    "document",
    "registered",
    "ledger",
    "institution",
    "programme",
    "status",
    "dates",
    "seal",
    "ledger_kind",
    "institution_id",
    "institution_name",
    "programme_title",
    "accreditation",
    "level",
    "field",
    "ects",
    "issued",
    "anchored_height",
    "anchored_time",
    "as_of_height",
    "as_of_time",
    "note",
];

impl Outcome {
    pub(super) fn new(name: String, report: &Report<'_>, bundle: Option<&Bundle>, note: Option<String>) -> Self {
        Self { name, verdict: report.verdict(), checks: *report.checks(), facts: facts(report, bundle), note }
    }

    /// Its row, with a line feed: the cells of [`CSV_HEADER`], empty where nothing is known. No cell begins a formula.
    #[must_use]
    pub fn csv_row(&self) -> String {
        let mut cells = vec![self.name.clone(), self.verdict.name().to_owned(), self.verdict.exit_code().to_string()];
        cells.extend(self.checks.iter().map(|check| check.finding.code().to_owned()));
        match &self.facts {
            None => cells.extend(std::iter::repeat_n(String::new(), 13)),
            Some(facts) => cells.extend([
                facts.ledger_kind.to_owned(),
                facts.institution.to_string(),
                facts.institution_name.clone(),
                facts.programme.clone().unwrap_or_default(),
                facts.accreditation.to_string(),
                facts.level.to_string(),
                facts.field.clone(),
                facts.ects.clone(),
                facts.issued.clone(),
                facts.anchored.0.to_string(),
                facts.anchored.1.clone(),
                facts.as_of.0.to_string(),
                facts.as_of.1.clone(),
            ]),
        }
        cells.push(self.note.clone().unwrap_or_default());
        csv::row(cells)
    }

    /// The first row of the table, with a line feed.
    #[must_use]
    pub fn csv_header() -> String {
        csv::row(CSV_HEADER)
    }
}

fn facts(report: &Report<'_>, bundle: Option<&Bundle>) -> Option<Facts> {
    let (confirmed, bundle) = (report.confirmed()?, bundle?);
    let batch = confirmed.batch;
    let programme = confirmed.permission.and_then(|section| match &section.record.scope {
        PermissionScope::Accreditation(programme) => Some(programme.title_en.as_str().to_owned()),
        PermissionScope::Authorisation | PermissionScope::PilotOrder { .. } => None,
    });
    Some(Facts {
        ledger_kind: match confirmed.ledger.kind {
            NetworkKind::Production => "production",
            NetworkKind::Test => "test",
        },
        institution: bundle.receipt.institution.get(),
        institution_name: confirmed.institution.name_en.as_str().to_owned(),
        programme,
        accreditation: batch.accreditation.get(),
        level: batch.level.get(),
        field: batch.field.to_string(),
        ects: ects_text(batch.ects),
        issued: batch.issued.to_string(),
        anchored: (batch.anchored.get(), rfc3339(batch.anchored_time)),
        as_of: (confirmed.height.get(), rfc3339(confirmed.time)),
    })
}
