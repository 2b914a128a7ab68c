//! The verdict: eight lines in fixed order, each pass, fail or unknown, and one of four verdicts
//! (`docs/protocol.md` §12). Wording is the client's; codes are stable.

use crate::{
    bundle::{Bundle, StatusFinding},
    ids::{DocumentDigest, Height, TimeMs},
    params::CLOCK_TOLERANCE_MS,
    record::{BatchState, BatchStatus, PermissionRecord, PermissionState, StatusState, Writer},
    time::Day,
    trust::Trust,
    verify::{Confirmed, VerifyError, check_key, confirm},
};

/// The eight lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckId {
    /// 1. The file is the one that was registered.
    Document,
    /// 2. An institution registered it.
    Registered,
    /// 3. The ledger's validators confirm it.
    Ledger,
    /// 4. The institution was authorised.
    Institution,
    /// 5. The programme was accredited for what the credential states.
    Programme,
    /// 6. Nothing was written against it, as of a stated time.
    Status,
    /// 7. The document is within its own dates.
    Dates,
    /// 8. The issuer's own seal. Never changes the verdict.
    Seal,
}

impl CheckId {
    /// All lines, in order.
    pub const ALL: [Self; 8] = [
        Self::Document,
        Self::Registered,
        Self::Ledger,
        Self::Institution,
        Self::Programme,
        Self::Status,
        Self::Dates,
        Self::Seal,
    ];

    /// The line's stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Registered => "registered",
            Self::Ledger => "ledger",
            Self::Institution => "institution",
            Self::Programme => "programme",
            Self::Status => "status",
            Self::Dates => "dates",
            Self::Seal => "seal",
        }
    }
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckState {
    /// Green.
    Pass,
    /// Red.
    Fail,
    /// Grey. Never counted as passed.
    Unknown,
}

impl CheckState {
    /// The state's stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

macro_rules! finding {
    ($($(#[$doc:meta])* $variant:ident = ($name:literal, $state:ident)),+ $(,)?) => {
        /// What a line found: a stable code, which fixes the line's state.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Finding {
            $($(#[$doc])* $variant),+
        }

        impl Finding {
            /// All findings.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// The state of a line with this finding.
            #[must_use]
            pub const fn state(self) -> CheckState {
                match self {
                    $(Self::$variant => CheckState::$state),+
                }
            }
        }
    };
}

finding! {
    /// The file is exactly the one that was registered.
    DocumentMatches = ("document_matches", Pass),
    /// The file was changed, or is not the one that the bundle was made for.
    DocumentChanged = ("document_changed", Fail),
    /// The file cannot be read under the profile it was registered with.
    DocumentUnreadable = ("document_unreadable", Unknown),
    /// There is no bundle.
    BundleMissing = ("bundle_missing", Unknown),
    /// The bundle is not one, or of a version that this program does not know.
    BundleUnreadable = ("bundle_unreadable", Unknown),
    /// There is no trust file, or it cannot be read.
    TrustUnreadable = ("trust_unreadable", Unknown),
    /// Not checked, since a line before it failed or could not be checked.
    NotReached = ("not_reached", Unknown),
    /// A batch of the institution holds the document.
    Registered = ("registered", Pass),
    /// A quorum of the ledger's validators has signed.
    Confirmed = ("confirmed", Pass),
    /// The proof was altered, or no quorum has signed it.
    NotConfirmed = ("not_confirmed", Fail),
    /// The proof contradicts itself.
    ProofMalformed = ("proof_malformed", Fail),
    /// The block lies outside the time for which its validators are trusted.
    OutsideTrustedTime = ("outside_trusted_time", Fail),
    /// The trust file does not list the bundle's ledger.
    LedgerUnknown = ("ledger_unknown", Unknown),
    /// The ledger's protocol version is newer than this program.
    VersionUnknown = ("version_unknown", Unknown),
    /// A quorum has confirmed another block at the height that the trust file has pinned.
    OtherThanPinned = ("other_than_pinned", Fail),
    /// The trust file lists no validators for the bundle's block.
    ValidatorsUnknown = ("validators_unknown", Unknown),
    /// The institution was authorised when the batch was anchored.
    Authorised = ("authorised", Pass),
    /// It was authorised then; the institution has been closed since.
    AuthorisedThenClosed = ("authorised_then_closed", Pass),
    /// The batch was signed with a key that was compromised by then.
    KeyCompromised = ("key_compromised", Fail),
    /// The programme was accredited when the batch was anchored.
    Accredited = ("accredited", Pass),
    /// It was accredited then; the accreditation has ended, or does not hold for now.
    AccreditedThen = ("accredited_then_ended", Pass),
    /// The programme was accredited, but the document states a level, field, credits or date of issue that cannot be so.
    Contradicted = ("contradicted", Fail),
    /// Nothing was written against the credential.
    NotRevoked = ("not_revoked", Pass),
    /// It was suspended and is valid again.
    Reinstated = ("reinstated", Pass),
    /// It was revoked.
    Revoked = ("revoked", Fail),
    /// It is suspended.
    Suspended = ("suspended", Fail),
    /// It was replaced by a newer version.
    Superseded = ("superseded", Fail),
    /// Its whole batch was revoked.
    BatchRevoked = ("batch_revoked", Fail),
    /// Its whole batch is suspended.
    BatchSuspended = ("batch_suspended", Fail),
    /// What was written against it, by order or with a compromised key, is annulled.
    Annulled = ("annulled", Pass),
    /// The stamp is older than the verifier accepts.
    StatusStale = ("status_stale", Unknown),
    /// The verifier's clock is behind the stamp or the trust file.
    ClockBehind = ("clock_behind", Unknown),
    /// The document is within its own dates.
    InForce = ("in_force", Pass),
    /// The document's own end date has passed.
    Expired = ("expired", Fail),
    /// The document's own start date lies ahead.
    NotYetValid = ("not_yet_valid", Fail),
    /// The document states no dates that this program can read.
    DatesUnknown = ("dates_unknown", Unknown),
    /// The issuer's own seal is right under the key that the document names; whose key that is was not judged.
    SealValid = ("seal_valid", Pass),
    /// The issuer's own seal is wrong.
    SealBroken = ("seal_broken", Fail),
    /// The document bears no seal of its issuer.
    SealAbsent = ("seal_absent", Unknown),
    /// The issuer's own seal, if there is one, was not checked.
    SealNotChecked = ("seal_not_checked", Unknown),
}

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub id: CheckId,
    /// What it found.
    pub finding: Finding,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Genuine and valid.
    Valid,
    /// Genuine, but no longer valid.
    Ended,
    /// Not genuine.
    NotGenuine,
    /// Could not be checked.
    Unchecked,
}

impl Verdict {
    /// The verdict's stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Ended => "ended",
            Self::NotGenuine => "not_genuine",
            Self::Unchecked => "unchecked",
        }
    }

    /// The exit code of a program that reports it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Ended => 1,
            Self::NotGenuine => 2,
            Self::Unchecked => 3,
        }
    }
}

/// What a document says about its own validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DocumentDates {
    /// Valid from this moment, inclusive.
    pub from: Option<TimeMs>,
    /// Valid until this moment, inclusive.
    pub until: Option<TimeMs>,
    /// Whether its dates can be read at all: false for opaque files.
    pub readable: bool,
}

/// When the verifier asks, and how old an answer it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// The verifier's clock.
    pub at: TimeMs,
    /// The largest age of a stamp, in milliseconds.
    pub max_age_ms: u64,
}

/// What is known of a document's own seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SealState {
    /// It bears none.
    Absent,
    /// It is right under the key that the document names.
    Valid,
    /// It is wrong.
    Broken,
    /// It was not checked, or not looked for.
    #[default]
    NotChecked,
}

/// What only a reader of the document can tell. The verifier reads no documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// Whether the document states something that cannot be so if it is what the confirmed batch record says it is.
    pub contradicts: bool,
    /// Its own seal.
    pub seal: SealState,
}

/// Eight lines, one verdict, and what was confirmed.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    checks: [Check; 8],
    verdict: Verdict,
    confirmed: Option<Confirmed<'a>>,
}

impl<'a> Report<'a> {
    fn new(findings: [Finding; 8], confirmed: Option<Confirmed<'a>>) -> Self {
        let mut findings = findings.into_iter();
        let checks = CheckId::ALL.map(|id| Check { id, finding: findings.next().unwrap_or(Finding::NotReached) });
        Self { verdict: verdict(&checks), checks, confirmed }
    }

    /// The report of a document for which nothing could be checked: `finding` says why, on the line it belongs to.
    #[must_use]
    pub fn unchecked(id: CheckId, finding: Finding) -> Self {
        let findings = CheckId::ALL.map(|line| {
            if line == id {
                finding
            } else if line == CheckId::Seal {
                Finding::SealNotChecked
            } else {
                Finding::NotReached
            }
        });
        Self::new(findings, None)
    }

    /// The report with what a reader of the document found: a contradiction turns line 5 red where that line passed, and the seal
    /// takes line 8.
    #[must_use]
    pub fn with_reading(self, reading: Reading) -> Self {
        let findings = self.checks.map(|check| match (check.id, check.finding) {
            (CheckId::Programme, Finding::Accredited | Finding::AccreditedThen) if reading.contradicts => {
                Finding::Contradicted
            }
            (CheckId::Seal, _) => match reading.seal {
                SealState::Absent => Finding::SealAbsent,
                SealState::Valid => Finding::SealValid,
                SealState::Broken => Finding::SealBroken,
                SealState::NotChecked => Finding::SealNotChecked,
            },
            (_, finding) => finding,
        });
        Self::new(findings, self.confirmed)
    }

    /// The lines, in order.
    #[must_use]
    pub const fn checks(&self) -> &[Check; 8] {
        &self.checks
    }

    /// The verdict.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What a quorum has confirmed; present when line 3 passes.
    #[must_use]
    pub const fn confirmed(&self) -> Option<&Confirmed<'a>> {
        self.confirmed.as_ref()
    }
}

/// Red in 1–5: not genuine. Else grey in 1–6: unchecked. Else red in 6 or 7: ended. Else valid. Line 8 never counts.
fn verdict(checks: &[Check; 8]) -> Verdict {
    let any = |last: CheckId, state: CheckState| {
        checks.iter().any(|check| check.id <= last && check.finding.state() == state)
    };
    if any(CheckId::Programme, CheckState::Fail) {
        Verdict::NotGenuine
    } else if any(CheckId::Status, CheckState::Unknown) {
        Verdict::Unchecked
    } else if any(CheckId::Dates, CheckState::Fail) {
        Verdict::Ended
    } else {
        Verdict::Valid
    }
}

/// Verifies a bundle for a document and judges the answer at a time.
#[must_use]
pub fn judge<'a>(
    bundle: &'a Bundle,
    document: &DocumentDigest,
    trust: &'a Trust,
    dates: DocumentDates,
    freshness: Freshness,
) -> Report<'a> {
    use Finding as F;
    let confirmed = match confirm(bundle, document, trust) {
        Ok(confirmed) => confirmed,
        Err(error) => return failed(error, None, dates, freshness),
    };
    if let Err(error) = check_key(&confirmed) {
        return failed(error, Some(confirmed), dates, freshness);
    }
    let today = Day::of(freshness.at);
    let closed = confirmed.institution.state.closed_from().is_some_and(|from| from <= today);
    let institution = if closed { F::AuthorisedThenClosed } else { F::Authorised };
    let programme = match confirmed.permission {
        Some(section) if !holds(&section.record, today) => F::AccreditedThen,
        _ => F::Accredited,
    };
    let findings = [
        F::DocumentMatches,
        F::Registered,
        F::Confirmed,
        institution,
        programme,
        status(&confirmed, freshness),
        document_dates(dates, freshness.at),
        F::SealNotChecked,
    ];
    Report::new(findings, Some(confirmed))
}

fn failed<'a>(
    error: VerifyError,
    confirmed: Option<Confirmed<'a>>,
    dates: DocumentDates,
    freshness: Freshness,
) -> Report<'a> {
    use Finding as F;
    let dates = document_dates(dates, freshness.at);
    let not = F::NotReached;
    let seal = F::SealNotChecked;
    let ledger = |finding| [F::DocumentMatches, not, finding, not, not, not, dates, seal];
    let findings = match error {
        VerifyError::DocumentChanged => [F::DocumentChanged, not, not, not, not, not, dates, seal],
        VerifyError::UnknownLedger => ledger(F::LedgerUnknown),
        VerifyError::UnknownVersion { .. } => ledger(F::VersionUnknown),
        VerifyError::UnknownValidators { .. } => ledger(F::ValidatorsUnknown),
        VerifyError::OutsideTrustedTime { .. } => ledger(F::OutsideTrustedTime),
        VerifyError::BatchHeight
        | VerifyError::BatchPath(_)
        | VerifyError::StatusPath(_)
        | VerifyError::PermissionSection
        | VerifyError::InstitutionPath(_)
        | VerifyError::AnchoredLater => ledger(F::ProofMalformed),
        VerifyError::NotConfirmed(_) => ledger(F::NotConfirmed),
        VerifyError::OtherThanPinned { .. } => ledger(F::OtherThanPinned),
        VerifyError::KeyCompromised { .. } => {
            [F::DocumentMatches, F::Registered, F::Confirmed, F::KeyCompromised, not, not, dates, seal]
        }
    };
    Report::new(findings, confirmed)
}

/// Whether a permission holds on a day that is not before the stamp's, by its head alone: exactly, as of the stamp. A
/// withdrawal that was annulled counts as never made; what became of the permission that stands for this one, this head
/// cannot say.
fn holds(record: &PermissionRecord, day: Day) -> bool {
    let stands = record.standing.on(day).map(|standing| standing.state);
    let active = matches!(stands, Some(PermissionState::Active | PermissionState::Restored { .. }));
    active && day <= record.window.last()
}

fn status(confirmed: &Confirmed<'_>, freshness: Freshness) -> Finding {
    let newest = confirmed.time.max(confirmed.ledger.checkpoint.time);
    let aged = if freshness.at.get().saturating_add(CLOCK_TOLERANCE_MS) < newest.get() {
        Finding::ClockBehind
    } else if freshness.at.get().saturating_sub(confirmed.time.get()) > freshness.max_age_ms {
        Finding::StatusStale
    } else {
        return standing(confirmed);
    };
    // What is final stays final, however old the stamp.
    final_end(confirmed).unwrap_or(aged)
}

/// Where a credential stands as of the stamp: an end first, then a suspension, of each the whole batch's before its own;
/// else what its own newest change says; else what the batch's says.
const fn standing(confirmed: &Confirmed<'_>) -> Finding {
    let own = match confirmed.status {
        StatusFinding::Present(record) => Some(record.state),
        StatusFinding::Absent(_) => None,
    };
    match (confirmed.batch.status.state(), own) {
        (Some(BatchState::Revoked), _) => Finding::BatchRevoked,
        (_, Some(StatusState::Revoked)) => Finding::Revoked,
        (_, Some(StatusState::Superseded { .. })) => Finding::Superseded,
        (Some(BatchState::Suspended), _) => Finding::BatchSuspended,
        (_, Some(StatusState::Suspended)) => Finding::Suspended,
        (_, Some(StatusState::Reinstated)) | (Some(BatchState::Reinstated), None) => Finding::Reinstated,
        (_, Some(StatusState::Annulled)) | (Some(BatchState::Annulled), None) => Finding::Annulled,
        (None, None) => Finding::NotRevoked,
    }
}

/// The end of a credential that its institution has written with a sound key: nothing takes that back. An authority's own
/// end, and one that was written with a key that was compromised by then, count until the quality agency annuls them, and
/// an old stamp cannot tell whether it did.
fn final_end(confirmed: &Confirmed<'_>) -> Option<Finding> {
    let is_final = |writer: &Writer, at: Height| {
        matches!(writer, Writer::Institution { .. }) && !confirmed.institution.is_void(writer, at)
    };
    if let BatchStatus::Changed(change) = &confirmed.batch.status
        && change.state == BatchState::Revoked
        && is_final(&change.writer, change.height)
    {
        return Some(Finding::BatchRevoked);
    }
    match confirmed.status {
        StatusFinding::Present(record) if is_final(&record.writer, record.height) => match record.state {
            StatusState::Revoked => Some(Finding::Revoked),
            StatusState::Superseded { .. } => Some(Finding::Superseded),
            StatusState::Suspended | StatusState::Reinstated | StatusState::Annulled => None,
        },
        _ => None,
    }
}

fn document_dates(dates: DocumentDates, at: TimeMs) -> Finding {
    match dates {
        DocumentDates { until: Some(until), .. } if until < at => Finding::Expired,
        DocumentDates { from: Some(from), .. } if from > at => Finding::NotYetValid,
        DocumentDates { readable: true, .. } => Finding::InForce,
        _ => Finding::DatesUnknown,
    }
}
