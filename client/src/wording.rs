//! What the lines of a verdict say, in Georgian and English: one plain sentence each, and what to do where something can
//! be done. Codes are the verifier's and stable; these texts may change.

mod english;
mod georgian;

use sigeli_verifier::{
    credential::Profile,
    ids::TimeMs,
    record::{
        BatchChange, BatchRecord, BatchState, BatchStatus, InstitutionFacts, PermissionRecord, PermissionStanding,
        PermissionState, StatusRecord, StatusState, Writer,
    },
    time::Day,
    transaction::{PermissionScope, StatusReason},
    verdict::{Check, CheckId, Finding, Freshness, Report, Verdict},
    verify::Confirmed,
};

use crate::{
    document::{self, Contradiction, DocumentFacts, LocalText, NotChecked, Seal},
    verify::ReadDocument,
};

/// The languages of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Georgian.
    Georgian,
}

impl Language {
    /// The language of a POSIX locale such as `ka_GE.UTF-8`: Georgian for `ka`, English for all others.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("ka") { Self::Georgian } else { Self::English }
    }

    /// Its code in ISO 639-1.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Georgian => "ka",
        }
    }
}

/// What a verdict is called.
#[must_use]
pub const fn verdict_name(verdict: Verdict, language: Language) -> &'static str {
    match language {
        Language::English => english::verdict(verdict, false),
        Language::Georgian => georgian::verdict(verdict, false),
    }
}

/// What a line of a verdict is about, in one word or two.
#[must_use]
pub const fn line_name(id: CheckId, language: Language) -> &'static str {
    match language {
        Language::English => english::title(id),
        Language::Georgian => georgian::title(id),
    }
}

/// That a ledger is a test, and what it confirms is worth nothing.
#[must_use]
pub const fn test_ledger(language: Language) -> &'static str {
    match language {
        Language::English => english::TEST_LEDGER,
        Language::Georgian => georgian::TEST_LEDGER,
    }
}

/// A report and all that its sentences speak of.
#[derive(Debug, Clone, Copy)]
pub struct Wording<'a> {
    /// The language.
    pub language: Language,
    /// The report.
    pub report: &'a Report<'a>,
    /// When it was made.
    pub freshness: Freshness,
    /// The document, if it could be read.
    pub document: Option<&'a ReadDocument>,
}

impl<'a> Wording<'a> {
    /// The verdict in a few words.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        let early = self.report.verdict() == Verdict::Ended
            && self.report.checks().iter().filter(|check| check.id <= CheckId::Status).all(is_passed)
            && self.report.checks().iter().any(|check| check.finding == Finding::NotYetValid);
        match self.language {
            Language::English => english::verdict(self.report.verdict(), early),
            Language::Georgian => georgian::verdict(self.report.verdict(), early),
        }
    }

    /// What a line is about, in one word or two.
    #[must_use]
    pub const fn title(&self, id: CheckId) -> &'static str {
        line_name(id, self.language)
    }

    /// What a line says, in one sentence or two.
    #[must_use]
    pub fn line(&self, check: Check) -> String {
        match self.language {
            Language::English => english::line(check.finding, self),
            Language::Georgian => georgian::line(check.finding, self),
        }
    }

    /// The name in the document, which no ledger can check.
    #[must_use]
    pub fn who(&self) -> String {
        let name = self.facts().and_then(|facts| facts.holder_name.as_ref()).and_then(|name| self.local(name));
        match self.language {
            Language::English => english::who(name),
            Language::Georgian => georgian::who(name),
        }
    }

    /// The warning that the ledger is a test.
    #[must_use]
    pub const fn test_ledger(&self) -> &'static str {
        test_ledger(self.language)
    }

    /// The institution's name, when it is confirmed.
    #[must_use]
    pub fn institution(&self) -> Option<&'a str> {
        self.confirmed().map(|confirmed| match self.language {
            Language::English => confirmed.institution.name_en.as_str(),
            Language::Georgian => confirmed.institution.name_ka.as_str(),
        })
    }

    /// The programme's title, when it is confirmed and the bundle carries it.
    #[must_use]
    pub fn programme(&self) -> Option<&'a str> {
        match &self.confirmed()?.permission?.record.scope {
            PermissionScope::Accreditation(programme) => Some(match self.language {
                Language::English => programme.title_en.as_str(),
                Language::Georgian => programme.title_ka.as_str(),
            }),
            PermissionScope::Authorisation | PermissionScope::PilotOrder { .. } => None,
        }
    }

    /// What the document says about itself.
    fn facts(&self) -> Option<&'a DocumentFacts> {
        self.document?.facts.as_ref()
    }

    /// What of the file the first line speaks of.
    fn covered(&self) -> Covered<'a> {
        match self.document {
            Some(ReadDocument { picture: Some(_), facts, .. }) => {
                let title = facts.as_ref().and_then(|facts| facts.title.as_ref());
                Covered::Badge { title: title.and_then(|title| self.local(title)) }
            }
            Some(ReadDocument { profile: Profile::Jcs | Profile::Jws | Profile::Jades, .. }) => Covered::Content,
            _ => Covered::File,
        }
    }

    /// What the document states that the confirmed batch record denies.
    fn contradictions(&self) -> Vec<Contradiction> {
        self.facts()
            .zip(self.batch())
            .map_or_else(Vec::new, |(facts, batch)| document::contradictions(&facts.stated, batch.into()))
    }

    /// Whether the document states the level, the field and the credits of the batch record, so that nobody has to compare them.
    fn is_stated(&self) -> bool {
        self.facts().zip(self.batch()).is_some_and(|(facts, batch)| {
            let stated = &facts.stated;
            !stated.levels.is_empty() && !stated.fields.is_empty() && stated.credits == Some(batch.ects)
        }) && self.contradictions().is_empty()
    }

    /// What was found of the issuer's own seal.
    fn seal(&self) -> &'a Seal {
        self.document.map_or(&Seal::NotChecked { why: NotChecked::Opaque }, |document| &document.seal)
    }

    fn confirmed(&self) -> Option<&'a Confirmed<'a>> {
        self.report.confirmed()
    }

    fn batch(&self) -> Option<&'a BatchRecord> {
        self.confirmed().map(|confirmed| confirmed.batch)
    }

    fn status(&self) -> Option<&'a StatusRecord> {
        match self.confirmed()?.status {
            sigeli_verifier::bundle::StatusFinding::Present(record) => Some(record),
            sigeli_verifier::bundle::StatusFinding::Absent(_) => None,
        }
    }

    /// What is written about the whole batch.
    fn batch_change(&self) -> Option<&'a BatchChange> {
        match &self.batch()?.status {
            BatchStatus::Changed(change) => Some(change),
            BatchStatus::Valid => None,
        }
    }

    /// What the finding of the status line rests on: what was written about the credential, or about its whole batch.
    fn written(&self, finding: Finding) -> Option<Written> {
        let own = self.status().map(|record| (record.state, Written::of_credential(record)));
        let batch = self.batch_change().map(|change| (change.state, Written::of_batch(change)));
        match finding {
            Finding::BatchRevoked | Finding::BatchSuspended => batch.map(|(_, written)| written),
            Finding::Reinstated | Finding::Annulled => {
                let (credential, whole) = match finding {
                    Finding::Reinstated => (StatusState::Reinstated, BatchState::Reinstated),
                    _ => (StatusState::Annulled, BatchState::Annulled),
                };
                let own = own.filter(|(state, _)| *state == credential).map(|(_, written)| written);
                own.or_else(|| batch.filter(|(state, _)| *state == whole).map(|(_, written)| written))
            }
            _ => own.map(|(_, written)| written),
        }
    }

    /// Where the accreditation stands on the day of the verdict, if the bundle carries its record.
    fn accreditation(&self) -> Option<Standing> {
        let record = &self.confirmed()?.permission?.record;
        Some(Standing::of(record, Day::of(self.freshness.at)))
    }

    /// The time that the status speaks of, and its age in seconds.
    fn as_of(&self) -> Option<(TimeMs, u64)> {
        let time = self.confirmed()?.time;
        Some((time, age_s(time, self.freshness.at)))
    }

    fn local<'b>(&self, text: &'b LocalText) -> Option<&'b str> {
        match self.language {
            Language::English => text.english(),
            Language::Georgian => text.georgian(),
        }
    }
}

/// What of a file a digest covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Covered<'a> {
    /// Every byte.
    File,
    /// Its content, not its layout.
    Content,
    /// The credential in a picture, not the picture.
    Badge { title: Option<&'a str> },
}

/// When, why and by whom something was written about a credential.
struct Written {
    time: TimeMs,
    reason: StatusReason,
    by_authority: bool,
    /// Whether it stands again, since what was written later was annulled.
    again: bool,
    of_batch: bool,
}

impl Written {
    const fn of_credential(record: &StatusRecord) -> Self {
        let again = record.restores != 0;
        let by_authority = !again && matches!(record.writer, Writer::Authority { .. });
        Self { time: record.time, reason: record.reason, by_authority, again, of_batch: false }
    }

    const fn of_batch(change: &BatchChange) -> Self {
        let again = change.restores != 0;
        let by_authority = !again && matches!(change.writer, Writer::Authority { .. });
        Self { time: change.time, reason: change.reason, by_authority, again, of_batch: true }
    }
}

/// Where an accreditation stands on a day, as its record tells: the newest change, which may lie ahead, and its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It holds, and nothing else is announced.
    Holds { last: Day },
    /// It holds until this change, which is announced for a later day.
    Announced { state: PermissionState, from: Day },
    /// It is suspended until a later day, for which its reinstatement is announced.
    SuspendedUntil { day: Day },
    /// Its last day has passed.
    Ended { last: Day },
    /// This change put an end to it, for now or for good.
    Changed { state: PermissionState, since: Day },
}

impl Standing {
    fn of(record: &PermissionRecord, day: Day) -> Self {
        let last = record.window.last();
        // Nothing is announced that would count after the last day.
        let next = record.standing.after(day).filter(|next| next.effective <= last);
        let Some(PermissionStanding { state, effective: since, .. }) = record.standing.on(day).copied() else {
            return Self::Holds { last };
        };
        match state {
            _ if state.is_end() && since <= last => Self::Changed { state, since },
            _ if last < day => Self::Ended { last },
            PermissionState::Suspended => match next {
                Some(next) if next.state == PermissionState::Active => Self::SuspendedUntil { day: next.effective },
                _ => Self::Changed { state, since },
            },
            _ => match next {
                Some(next) if next.state != PermissionState::Active => {
                    Self::Announced { state: next.state, from: next.effective }
                }
                _ => Self::Holds { last },
            },
        }
    }
}

const fn is_passed(check: &Check) -> bool {
    matches!(check.finding.state(), sigeli_verifier::verdict::CheckState::Pass)
}

/// How many seconds lie between a header's time and the verifier's clock; 0 when the clock is behind.
#[must_use]
pub const fn age_s(time: TimeMs, at: TimeMs) -> u64 {
    at.get().saturating_sub(time.get()) / 1_000
}

/// The institution's name in both languages, for messages that are not verdicts.
#[must_use]
pub fn both_names(facts: &InstitutionFacts) -> String {
    format!("{} / {}", facts.name_ka, facts.name_en)
}

/// Why a status was written, in English.
#[must_use]
pub const fn reason(reason: StatusReason) -> &'static str {
    english::reason(reason)
}

/// An age in its largest whole unit.
enum Age {
    Seconds(u64),
    Minutes(u64),
    Hours(u64),
    Days(u64),
}

impl Age {
    const fn of(seconds: u64) -> Self {
        match seconds {
            0..=119 => Self::Seconds(seconds),
            120..=7_199 => Self::Minutes(seconds / 60),
            7_200..=172_799 => Self::Hours(seconds / 3_600),
            _ => Self::Days(seconds / 86_400),
        }
    }
}
