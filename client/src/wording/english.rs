//! The sentences in English.

use sigeli_verifier::{
    ids::InstitutionId,
    record::{InstitutionState, PermissionState},
    transaction::StatusReason,
    verdict::{CheckId, Finding, Verdict},
};

use super::{Age, Covered, Standing, Wording};
use crate::{
    document::{Contradiction, NotChecked, Seal, Signer, StatedDate, listed},
    values::{ects_text, tbilisi},
};

pub(super) const TEST_LEDGER: &str = "TEST LEDGER: what it says has no legal force.";

pub(super) const fn verdict(verdict: Verdict, early: bool) -> &'static str {
    match verdict {
        Verdict::Valid => "GENUINE AND VALID",
        Verdict::Ended if early => "GENUINE, BUT NOT YET VALID",
        Verdict::Ended => "GENUINE, BUT NO LONGER VALID",
        Verdict::NotGenuine => "NOT GENUINE",
        Verdict::Unchecked => "COULD NOT BE CHECKED",
    }
}

pub(super) const fn title(id: CheckId) -> &'static str {
    match id {
        CheckId::Document => "Document",
        CheckId::Registered => "Registered",
        CheckId::Ledger => "Ledger",
        CheckId::Institution => "Institution",
        CheckId::Programme => "Programme",
        CheckId::Status => "Status",
        CheckId::Dates => "Dates",
        CheckId::Seal => "Issuer's seal",
    }
}

pub(super) const fn reason(reason: StatusReason) -> &'static str {
    match reason {
        StatusReason::Unspecified | StatusReason::AwardWithdrawn => "withdrawn by the issuer",
        StatusReason::IssuedInError => "issued in error",
        StatusReason::Superseded => "replaced by a newer version",
        StatusReason::HolderRequest => "withdrawn at the holder's request",
        StatusReason::KeyCompromised => "issued with a compromised key",
        StatusReason::Order => "withdrawn by order of a court or an authority",
        StatusReason::NotAccredited => "issued outside the accreditation",
        StatusReason::UnderReview => "under review",
        StatusReason::ReviewEnded => "the review has ended",
        StatusReason::Annulled => "annulled",
    }
}

pub(super) fn who(name: Option<&str>) -> String {
    name.map_or_else(
        || "Compare the name in the document with an identity document: no ledger can check it.".into(),
        |name| format!("{name}. Compare this name with an identity document: no ledger can check it."),
    )
}

fn ago(seconds: u64) -> String {
    let (count, unit) = match Age::of(seconds) {
        Age::Seconds(count) => (count, "second"),
        Age::Minutes(count) => (count, "minute"),
        Age::Hours(count) => (count, "hour"),
        Age::Days(count) => (count, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

/// Every finding has its sentence; details are there whenever the ledger's line passed.
pub(super) fn line(finding: Finding, words: &Wording<'_>) -> String {
    let fixed = match finding {
        Finding::DocumentMatches => return matches(words),
        Finding::DocumentChanged => "This file was changed, or is not the registered one.",
        Finding::DocumentUnreadable => "This file is too large to be read in the form in which it was registered.",
        Finding::BundleMissing => {
            "There is no bundle (the file's name and .sigeli) beside this file: ask the holder or the institution for it."
        }
        Finding::BundleUnreadable => "The bundle cannot be read: ask the holder or the institution for it again.",
        Finding::TrustUnreadable => "There is no trust file that can be read: get it from the ledger's operators.",
        Finding::NotReached => "Not checked.",
        Finding::NotConfirmed => "The proof was altered, or the ledger's validators never confirmed it.",
        Finding::ProofMalformed => "The proof contradicts itself.",
        Finding::OtherThanPinned => {
            "A quorum signed two different blocks at this height: this is not the one that the trust file has pinned."
        }
        Finding::OutsideTrustedTime => "The block lies outside the time for which its validators are trusted.",
        Finding::LedgerUnknown => "The bundle is of a ledger that the trust file does not list.",
        Finding::VersionUnknown => "The ledger's rules are newer than this program: get a newer version of it.",
        Finding::ValidatorsUnknown => {
            "The trust file does not list the validators of this block: get a newer one from the ledger's operators."
        }
        Finding::KeyCompromised => "It was registered with a key that was reported compromised before that.",
        Finding::ClockBehind => "This computer's clock is behind the ledger's time: set it, then check again.",
        Finding::SealValid | Finding::SealBroken | Finding::SealAbsent | Finding::SealNotChecked => {
            return seal(finding, words);
        }
        Finding::InForce | Finding::Expired | Finding::NotYetValid | Finding::DatesUnknown => {
            return dates(finding, words);
        }
        Finding::Registered | Finding::Confirmed | Finding::Authorised | Finding::AuthorisedThenClosed => {
            return registration(finding, words);
        }
        Finding::Accredited | Finding::AccreditedThen => return programme(finding, words),
        Finding::Contradicted => return contradicted(words),
        Finding::NotRevoked
        | Finding::Reinstated
        | Finding::Revoked
        | Finding::Suspended
        | Finding::Superseded
        | Finding::BatchRevoked
        | Finding::BatchSuspended
        | Finding::Annulled
        | Finding::StatusStale => return status(finding, words),
    };
    fixed.into()
}

fn matches(words: &Wording<'_>) -> String {
    let what = match words.covered() {
        Covered::File => "This file".into(),
        Covered::Content => "The content of this file".into(),
        Covered::Badge { title: None } => "The credential inside this picture".into(),
        Covered::Badge { title: Some(title) } => format!("The credential \u{201C}{title}\u{201D} inside this picture"),
    };
    let is = match (words.confirmed(), words.covered()) {
        (None, _) => "is the one that its bundle was made for",
        (Some(_), Covered::Content) => "is exactly what the institution registered",
        (Some(_), _) => "is exactly the one that the institution registered",
    };
    let unprotected = match words.covered() {
        Covered::Badge { .. } => " The picture around it is not protected: do not rely on what it shows.",
        _ => "",
    };
    format!("{what} {is}.{unprotected}")
}

fn seal(finding: Finding, words: &Wording<'_>) -> String {
    match (finding, words.seal()) {
        (Finding::SealValid, Seal::Valid { signer: Signer::Certificate { holder } }) => format!(
            "A seal inside the file is valid under a certificate that names \u{201C}{holder}\u{201D}. The certificate itself was not checked."
        ),
        (Finding::SealValid, Seal::Valid { signer: Signer::Key { name } }) => format!(
            "A seal inside the file is valid under the key {name}. Whose key that is, this program does not check."
        ),
        (Finding::SealValid, _) => "A seal inside the file is valid.".into(),
        (Finding::SealBroken, _) => {
            "A seal inside the file is broken: it, or what it seals, was changed. The ledger's proof does not rest on it."
                .into()
        }
        (Finding::SealAbsent, _) => "The file bears no seal of its issuer; the ledger's proof needs none.".into(),
        (_, Seal::NotChecked { why: NotChecked::Method }) => {
            "There is a seal inside the file, of a kind that this program does not check.".into()
        }
        (_, Seal::NotChecked { why: NotChecked::KeyElsewhere }) => {
            "There is a seal inside the file whose key is not in it: it was not checked.".into()
        }
        (_, Seal::NotChecked { why: NotChecked::Malformed }) => {
            "There is a seal inside the file that cannot be read: it was not checked.".into()
        }
        _ => "A seal of the issuer inside the file, if there is one, is not checked by this program.".into(),
    }
}

fn contradicted(words: &Wording<'_>) -> String {
    let one = |contradiction: &Contradiction| match contradiction {
        Contradiction::Level { stated, registered } => {
            format!("it states level {}, registered is {}", stated.get(), registered.get())
        }
        Contradiction::Field { stated, registered } => {
            format!("it states field {}, registered is {registered}", listed(stated))
        }
        Contradiction::Credits { stated, registered } => {
            format!("it states {} ECTS, registered are {}", ects_text(*stated), ects_text(*registered))
        }
        Contradiction::Issued { stated, anchored } => {
            format!("it states that it was issued on {stated}, and was registered on {anchored}")
        }
    };
    let all: Vec<_> = words.contradictions().iter().map(one).collect();
    format!("The document says something else than what was registered: {}.", all.join("; "))
}

fn registration(finding: Finding, words: &Wording<'_>) -> String {
    let (Some(confirmed), Some(institution)) = (words.confirmed(), words.institution()) else {
        return match finding {
            Finding::Registered => "It was registered.".into(),
            _ => "The ledger's validators confirm what follows.".into(),
        };
    };
    let batch = confirmed.batch;
    match finding {
        Finding::Registered => format!(
            "Registered by {institution} on {} (Tbilisi time), block {}.",
            tbilisi(batch.anchored_time),
            batch.anchored
        ),
        Finding::Confirmed => format!(
            "Confirmed by {} of {} validators of \u{201C}{}\u{201D}; the proof was checked on this computer.",
            confirmed.confirmed_by, confirmed.validators, confirmed.ledger.name_en
        ),
        _ => {
            let last = batch.judged.authorisation_window.last();
            let since = closure(confirmed.institution.state).filter(|_| finding == Finding::AuthorisedThenClosed);
            let since = since.map(|closed| format!(" {closed}")).unwrap_or_default();
            format!("{institution} was authorised on that date (authorised until {last}).{since}")
        }
    }
}

fn closure(state: InstitutionState) -> Option<String> {
    let InstitutionState::Closed { from, successor, .. } = state else { return None };
    let merged = if successor == InstitutionId::new(0) {
        String::new()
    } else {
        format!(", merged into the institution with number {successor}")
    };
    Some(format!("It is closed since {from}{merged}; that does not touch what it issued before."))
}

fn programme(finding: Finding, words: &Wording<'_>) -> String {
    let Some(batch) = words.batch() else { return "The programme was accredited on that date.".into() };
    let name = words
        .programme()
        .map_or_else(|| format!("Programme with accreditation {}", batch.accreditation), |title| title.to_owned());
    let now =
        words.accreditation().unwrap_or_else(|| Standing::Holds { last: batch.judged.accreditation_window.last() });
    let mut since = standing(now);
    if finding == Finding::AccreditedThen {
        since.push_str(" That does not touch what was issued before.");
    }
    let compare = if words.is_stated() { "The document states the same." } else { "Compare with the document." };
    format!(
        "{name}: NQF level {}, field {}, {} of at most {} ECTS, issued on {}; accredited on that date. {since} {compare}",
        batch.level.get(),
        batch.field,
        ects_text(batch.ects),
        ects_text(batch.judged.ects_max),
        batch.issued,
    )
}

fn standing(now: Standing) -> String {
    match now {
        Standing::Holds { last } => format!("Accredited until {last}."),
        Standing::Announced { state, from } => format!("Accredited still; it {} on {from}.", will(state)),
        Standing::SuspendedUntil { day } => format!("The accreditation is suspended until {day}."),
        Standing::Ended { last } => format!("The accreditation ended on its last day, {last}."),
        Standing::Changed { state, since } => format!("The accreditation {} since {since}.", became(state)),
    }
}

fn will(state: PermissionState) -> String {
    match state {
        PermissionState::Active => "will hold".into(),
        PermissionState::Suspended => "will be suspended".into(),
        PermissionState::Withdrawn => "will be withdrawn".into(),
        PermissionState::Replaced { by } | PermissionState::Restored { by } => {
            format!("will be replaced by the accreditation with number {by}")
        }
    }
}

fn became(state: PermissionState) -> String {
    match state {
        PermissionState::Active => "holds".into(),
        PermissionState::Suspended => "is suspended".into(),
        PermissionState::Withdrawn => "is withdrawn".into(),
        PermissionState::Replaced { by } => format!("is replaced by the one with number {by}"),
        PermissionState::Restored { by } => {
            format!("was withdrawn, that was annulled, and the one with number {by} stands in its place")
        }
    }
}

fn status(finding: Finding, words: &Wording<'_>) -> String {
    let Some((time, age)) = words.as_of() else { return "Not checked.".into() };
    let as_of = format!("as of {} (Tbilisi time), {}", tbilisi(time), ago(age));
    let written = words.written(finding);
    let by = if written.as_ref().is_some_and(|written| written.by_authority) {
        " by order of the quality agency"
    } else if written.as_ref().is_some_and(|written| written.again) {
        " (again: what was written later was annulled by the quality agency)"
    } else {
        ""
    };
    let of_batch = written.as_ref().is_some_and(|written| written.of_batch);
    let it = if of_batch { "Its whole batch" } else { "It" };
    let (on, why) = written.map(|written| (tbilisi(written.time), reason(written.reason))).unwrap_or_default();
    match finding {
        Finding::NotRevoked => format!("Not revoked {as_of}."),
        Finding::Reinstated => format!("{it} was suspended and is valid again since {on}{by}; {as_of}."),
        Finding::Revoked => format!("Revoked on {on}{by}: {why}."),
        Finding::Suspended => format!("Suspended on {on}{by}: {why}; {as_of}."),
        Finding::Superseded => format!("Replaced by a newer version on {on}{by}: ask the holder for that one."),
        Finding::BatchRevoked => format!("Its whole batch was revoked on {on}{by}: {why}."),
        Finding::BatchSuspended => format!("Its whole batch is suspended since {on}{by}: {why}; {as_of}."),
        Finding::Annulled => {
            let what = if of_batch { "its whole batch" } else { "it" };
            format!(
                "Not revoked: what was written against {what}, by order or with a compromised key, was annulled on \
                 {on}{by}; {as_of}."
            )
        }
        _ => format!(
            "The last known status is too old to be relied on: {}, {}. Get a newer stamp (`sigeli stamp FILE`, or verify \
             with --node URL), or ask the holder for a newer bundle.",
            tbilisi(time),
            ago(age)
        ),
    }
}

fn dates(finding: Finding, words: &Wording<'_>) -> String {
    let Some(facts) = words.facts() else {
        return "This kind of file states no dates that this program can read: look for them in the document.".into();
    };
    let text = |date: &StatedDate| date.moment().map(|moment| moment.text().to_owned());
    let (from, until) = (text(&facts.valid_from), text(&facts.valid_until));
    match (finding, from, until) {
        (Finding::Expired, _, Some(until)) => format!("Expired: it was valid until {until}."),
        (Finding::NotYetValid, Some(from), _) => format!("Not valid yet: it will be from {from}."),
        (Finding::InForce, Some(from), Some(until)) => format!("Valid from {from} until {until}."),
        (Finding::InForce, Some(from), None) => format!("Valid from {from}; no end date."),
        (Finding::InForce, None, Some(until)) => format!("Valid until {until}."),
        (Finding::InForce, None, None) => "The document states no limits to its validity.".into(),
        _ => "The dates in the document cannot be read with certainty: look at them yourself.".into(),
    }
}
