//! The sentences in Georgian.

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

pub(super) const TEST_LEDGER: &str = "სატესტო რეესტრი (TEST LEDGER): მის ჩანაწერებს იურიდიული ძალა არ აქვს.";

pub(super) const fn verdict(verdict: Verdict, early: bool) -> &'static str {
    match verdict {
        Verdict::Valid => "ნამდვილია და ძალაშია",
        Verdict::Ended if early => "ნამდვილია, მაგრამ ჯერ არ შესულა ძალაში",
        Verdict::Ended => "ნამდვილია, მაგრამ ძალაში აღარ არის",
        Verdict::NotGenuine => "არ არის ნამდვილი",
        Verdict::Unchecked => "ვერ შემოწმდა",
    }
}

pub(super) const fn title(id: CheckId) -> &'static str {
    match id {
        CheckId::Document => "დოკუმენტი",
        CheckId::Registered => "რეგისტრაცია",
        CheckId::Ledger => "რეესტრი",
        CheckId::Institution => "დაწესებულება",
        CheckId::Programme => "პროგრამა",
        CheckId::Status => "სტატუსი",
        CheckId::Dates => "ვადები",
        CheckId::Seal => "გამცემის შტამპი",
    }
}

pub(super) const fn reason(reason: StatusReason) -> &'static str {
    match reason {
        StatusReason::Unspecified | StatusReason::AwardWithdrawn => "გამცემმა გააუქმა",
        StatusReason::IssuedInError => "შეცდომით იყო გაცემული",
        StatusReason::Superseded => "შეიცვალა ახალი ვერსიით",
        StatusReason::HolderRequest => "გაუქმდა მფლობელის თხოვნით",
        StatusReason::KeyCompromised => "გაცემული იყო კომპრომეტირებული გასაღებით",
        StatusReason::Order => "გაუქმდა სასამართლოს ან უწყების გადაწყვეტილებით",
        StatusReason::NotAccredited => "გაცემული იყო აკრედიტაციის ფარგლებს გარეთ",
        StatusReason::UnderReview => "მიმდინარეობს განხილვა",
        StatusReason::ReviewEnded => "განხილვა დასრულდა",
        StatusReason::Annulled => "ბათილად არის ცნობილი",
    }
}

pub(super) fn who(name: Option<&str>) -> String {
    name.map_or_else(
        || "დოკუმენტში მითითებული სახელი შეადარეთ პირადობის დოკუმენტს: მას ვერც ერთი რეესტრი ვერ ამოწმებს.".into(),
        |name| format!("{name}. შეადარეთ ეს სახელი პირადობის დოკუმენტს: მას ვერც ერთი რეესტრი ვერ ამოწმებს."),
    )
}

fn ago(seconds: u64) -> String {
    match Age::of(seconds) {
        Age::Seconds(count) => format!("{count} წამის წინ"),
        Age::Minutes(count) => format!("{count} წუთის წინ"),
        Age::Hours(count) => format!("{count} საათის წინ"),
        Age::Days(count) => format!("{count} დღის წინ"),
    }
}

/// Every finding has its sentence; details are there whenever the ledger's line passed.
pub(super) fn line(finding: Finding, words: &Wording<'_>) -> String {
    let fixed = match finding {
        Finding::DocumentMatches => return matches(words),
        Finding::DocumentChanged => "ეს ფაილი შეცვლილია ან არ არის ის, რომელიც დარეგისტრირდა.",
        Finding::DocumentUnreadable => "ფაილი ზედმეტად დიდია იმ სახით წასაკითხად, რომლითაც დარეგისტრირდა.",
        Finding::BundleMissing => {
            "ფაილს არ ახლავს დადასტურება (ფაილის სახელი და .sigeli): სთხოვეთ მფლობელს ან დაწესებულებას."
        }
        Finding::BundleUnreadable => "დადასტურება (.sigeli) არ იკითხება: სთხოვეთ ხელახლა მფლობელს ან დაწესებულებას.",
        Finding::TrustUnreadable => "ნდობის ფაილი არ არის ან არ იკითხება: მიიღეთ იგი რეესტრის ოპერატორებისგან.",
        Finding::NotReached => "არ შემოწმებულა.",
        Finding::NotConfirmed => "მტკიცებულება შეცვლილია ან რეესტრის ვალიდატორებს იგი არასოდეს დაუდასტურებიათ.",
        Finding::ProofMalformed => "მტკიცებულება თავის თავს ეწინააღმდეგება.",
        Finding::OtherThanPinned => {
            "ამ სიმაღლეზე ვალიდატორებმა სხვა ბლოკიც დაადასტურეს: ეს ის ბლოკი არ არის, რომელიც ნდობის ფაილშია ჩაწერილი."
        }
        Finding::OutsideTrustedTime => "ბლოკი სცდება დროს, რომელშიც მის ვალიდატორებს ნდობა აქვთ.",
        Finding::LedgerUnknown => "დადასტურება ეკუთვნის რეესტრს, რომელიც ნდობის ფაილში არ არის.",
        Finding::VersionUnknown => "რეესტრის წესები ამ პროგრამაზე ახალია: განაახლეთ პროგრამა.",
        Finding::ValidatorsUnknown => {
            "ნდობის ფაილში არ არის ამ ბლოკის ვალიდატორები: მიიღეთ ახალი ფაილი რეესტრის ოპერატორებისგან."
        }
        Finding::KeyCompromised => "რეგისტრაციისას გამოყენებული გასაღები მანამდე გამოცხადდა კომპრომეტირებულად.",
        Finding::ClockBehind => "ამ კომპიუტერის საათი რეესტრის დროს ჩამორჩება: გაასწორეთ და შეამოწმეთ ხელახლა.",
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
        Covered::File => "ეს ფაილი".into(),
        Covered::Content => "ამ ფაილის შინაარსი".into(),
        Covered::Badge { title: None } => "ამ სურათში ჩადებული დოკუმენტი".into(),
        Covered::Badge { title: Some(title) } => format!("ამ სურათში ჩადებული დოკუმენტი „{title}“"),
    };
    let is = match words.confirmed() {
        None => "ის არის, რომლისთვისაც თანდართული დადასტურება (.sigeli) შეიქმნა",
        Some(_) => "ზუსტად ის არის, რომელიც დაწესებულებამ დაარეგისტრირა",
    };
    let unprotected = match words.covered() {
        Covered::Badge { .. } => " თვით სურათი დაცული არ არის: ნუ დაეყრდნობით იმას, რასაც ის აჩვენებს.",
        _ => "",
    };
    format!("{what} {is}.{unprotected}")
}

fn seal(finding: Finding, words: &Wording<'_>) -> String {
    match (finding, words.seal()) {
        (Finding::SealValid, Seal::Valid { signer: Signer::Certificate { holder } }) => format!(
            "ფაილში არსებული შტამპი სწორია; მის სერტიფიკატში მფლობელად მითითებულია „{holder}“. თვით სერტიფიკატი არ შემოწმებულა."
        ),
        (Finding::SealValid, Seal::Valid { signer: Signer::Key { name } }) => format!(
            "ფაილში არსებული შტამპი სწორია გასაღებით {name}. ვის ეკუთვნის ეს გასაღები, ეს პროგრამა არ ამოწმებს."
        ),
        (Finding::SealValid, _) => "ფაილში არსებული შტამპი სწორია.".into(),
        (Finding::SealBroken, _) => {
            "ფაილში არსებული შტამპი დარღვეულია: შეცვლილია ის ან დაშტამპული ტექსტი. რეესტრის მტკიცებულება მას არ ეყრდნობა."
                .into()
        }
        (Finding::SealAbsent, _) => "ფაილს გამცემის შტამპი არ აქვს; რეესტრის მტკიცებულებას იგი არ სჭირდება.".into(),
        (_, Seal::NotChecked { why: NotChecked::Method }) => {
            "ფაილში არის შტამპი, რომლის სახეობას ეს პროგრამა არ ამოწმებს.".into()
        }
        (_, Seal::NotChecked { why: NotChecked::KeyElsewhere }) => {
            "ფაილში არის შტამპი, რომლის გასაღები ფაილში არ არის: იგი არ შემოწმებულა.".into()
        }
        (_, Seal::NotChecked { why: NotChecked::Malformed }) => {
            "ფაილში არის შტამპი, რომელიც არ იკითხება: იგი არ შემოწმებულა.".into()
        }
        _ => "ფაილში გამცემის შტამპს, თუ არის, ეს პროგრამა არ ამოწმებს.".into(),
    }
}

fn contradicted(words: &Wording<'_>) -> String {
    let one = |contradiction: &Contradiction| match contradiction {
        Contradiction::Level { stated, registered } => {
            format!("მითითებულია დონე {}, დარეგისტრირებულია {}", stated.get(), registered.get())
        }
        Contradiction::Field { stated, registered } => {
            format!("მითითებულია სფერო {}, დარეგისტრირებულია {registered}", listed(stated))
        }
        Contradiction::Credits { stated, registered } => {
            format!("მითითებულია {} ECTS, დარეგისტრირებულია {}", ects_text(*stated), ects_text(*registered))
        }
        Contradiction::Issued { stated, anchored } => {
            format!("გაცემის თარიღად მითითებულია {stated}, დარეგისტრირდა კი {anchored}")
        }
    };
    let all: Vec<_> = words.contradictions().iter().map(one).collect();
    format!("დოკუმენტში სხვა რამ წერია, ვიდრე დარეგისტრირდა: {}.", all.join("; "))
}

fn registration(finding: Finding, words: &Wording<'_>) -> String {
    let (Some(confirmed), Some(institution)) = (words.confirmed(), words.institution()) else {
        return match finding {
            Finding::Registered => "დარეგისტრირებულია.".into(),
            _ => "რეესტრის ვალიდატორები ადასტურებენ.".into(),
        };
    };
    let batch = confirmed.batch;
    match finding {
        Finding::Registered => format!(
            "დაარეგისტრირა: {institution}; {} (თბილისის დროით), ბლოკი {}.",
            tbilisi(batch.anchored_time),
            batch.anchored
        ),
        Finding::Confirmed => format!(
            "ადასტურებს რეესტრის „{}“ {} ვალიდატორიდან {}; მტკიცებულება ამ კომპიუტერზე შემოწმდა.",
            confirmed.ledger.name_ka, confirmed.validators, confirmed.confirmed_by
        ),
        _ => {
            let last = batch.judged.authorisation_window.last();
            let since = closure(confirmed.institution.state).filter(|_| finding == Finding::AuthorisedThenClosed);
            let since = since.map(|closed| format!(" {closed}")).unwrap_or_default();
            format!("{institution} იმ დღეს ავტორიზებული იყო (ავტორიზაციის ვადა: {last}).{since}")
        }
    }
}

fn closure(state: InstitutionState) -> Option<String> {
    let InstitutionState::Closed { from, successor, .. } = state else { return None };
    let merged = if successor == InstitutionId::new(0) {
        String::new()
    } else {
        format!(" და შეუერთდა დაწესებულებას № {successor}")
    };
    Some(format!("დაწესებულება დახურულია {from}-დან{merged}; ეს მანამდე გაცემულს არ ეხება."))
}

fn programme(finding: Finding, words: &Wording<'_>) -> String {
    let Some(batch) = words.batch() else {
        return "პროგრამა იმ დღეს აკრედიტებული იყო.".into();
    };
    let name = words
        .programme()
        .map_or_else(|| format!("პროგრამა (აკრედიტაცია {})", batch.accreditation), |title| title.to_owned());
    let now =
        words.accreditation().unwrap_or_else(|| Standing::Holds { last: batch.judged.accreditation_window.last() });
    let mut since = standing(now);
    if finding == Finding::AccreditedThen {
        since.push_str(" ეს მანამდე გაცემულს არ ეხება.");
    }
    let compare = if words.is_stated() {
        "დოკუმენტშიც ასე წერია."
    } else {
        "შეადარეთ დოკუმენტს."
    };
    format!(
        "{name}: ეროვნული ჩარჩოს დონე {}, სფერო {}, {} ECTS (დასაშვებია არაუმეტეს {}), გაცემულია {}; იმ დღეს აკრედიტებული \
         იყო. {since} {compare}",
        batch.level.get(),
        batch.field,
        ects_text(batch.ects),
        ects_text(batch.judged.ects_max),
        batch.issued,
    )
}

fn standing(now: Standing) -> String {
    match now {
        Standing::Holds { last } => format!("აკრედიტაციის ვადა: {last}."),
        Standing::Announced { state, from } => format!("აკრედიტაცია ჯერ ძალაშია; {from}-დან {}.", will(state)),
        Standing::SuspendedUntil { day } => format!("აკრედიტაცია შეჩერებულია {day}-მდე."),
        Standing::Ended { last } => format!("აკრედიტაციას ვადა გაუვიდა: მისი ბოლო დღე იყო {last}."),
        Standing::Changed { state, since } => format!("აკრედიტაცია {since}-დან {}.", became(state)),
    }
}

fn will(state: PermissionState) -> String {
    match state {
        PermissionState::Active => "ძალაში იქნება".into(),
        PermissionState::Suspended => "შეჩერდება".into(),
        PermissionState::Withdrawn => "გაუქმდება".into(),
        PermissionState::Replaced { by } | PermissionState::Restored { by } => {
            format!("მას შეცვლის აკრედიტაცია № {by}")
        }
    }
}

fn became(state: PermissionState) -> String {
    match state {
        PermissionState::Active => "ძალაშია".into(),
        PermissionState::Suspended => "შეჩერებულია".into(),
        PermissionState::Withdrawn => "გაუქმებულია".into(),
        PermissionState::Replaced { by } => format!("შეცვლილია აკრედიტაციით № {by}"),
        PermissionState::Restored { by } => {
            format!("გაუქმებული იყო; გაუქმება ბათილად გამოცხადდა და მის ნაცვლად მოქმედებს აკრედიტაცია № {by}")
        }
    }
}

fn status(finding: Finding, words: &Wording<'_>) -> String {
    let Some((time, age)) = words.as_of() else { return "არ შემოწმებულა.".into() };
    let as_of = format!("{} (თბილისის დროით), {}", tbilisi(time), ago(age));
    let written = words.written(finding);
    let by = if written.as_ref().is_some_and(|written| written.by_authority) {
        " ხარისხის განვითარების ეროვნული ცენტრის გადაწყვეტილებით"
    } else if written.as_ref().is_some_and(|written| written.again) {
        " (ხელახლა: შემდეგ ჩაწერილი ხარისხის განვითარების ეროვნულმა ცენტრმა ბათილად ცნო)"
    } else {
        ""
    };
    let of_batch = written.as_ref().is_some_and(|written| written.of_batch);
    let (on, why) = written.map(|written| (tbilisi(written.time), reason(written.reason))).unwrap_or_default();
    match finding {
        Finding::NotRevoked => format!("გაუქმებული არ არის: {as_of}."),
        Finding::Reinstated => {
            let it = if of_batch {
                "მთელი პარტია შეჩერებული"
            } else {
                "შეჩერებული"
            };
            format!("{it} იყო და კვლავ ძალაშია: {on}{by}; მდგომარეობა: {as_of}.")
        }
        Finding::Revoked => format!("გაუქმებულია {on}{by}: {why}."),
        Finding::Suspended => format!("შეჩერებულია {on}{by}: {why}; მდგომარეობა: {as_of}."),
        Finding::Superseded => format!("შეიცვალა ახალი ვერსიით {on}{by}: სთხოვეთ იგი მფლობელს."),
        Finding::BatchRevoked => format!("მთელი პარტია გაუქმებულია {on}{by}: {why}."),
        Finding::BatchSuspended => format!("მთელი პარტია შეჩერებულია {on}{by}: {why}; მდგომარეობა: {as_of}."),
        Finding::Annulled => {
            let what = if of_batch { "მთელი პარტიის" } else { "მის" };
            format!(
                "გაუქმებული არ არის: {what} წინააღმდეგ ჩანაწერი, გადაწყვეტილებით ან კომპრომეტირებული გასაღებით გაკეთებული, ბათილად გამოცხადდა \
                 {on}{by}; მდგომარეობა: {as_of}."
            )
        }
        _ => format!(
            "უკანასკნელი ცნობილი სტატუსი ზედმეტად ძველია: {as_of}. მიიღეთ ახალი (`sigeli stamp FILE` ან შემოწმება \
             --node URL პარამეტრით) ან სთხოვეთ მფლობელს განახლებული დადასტურება.",
        ),
    }
}

fn dates(finding: Finding, words: &Wording<'_>) -> String {
    let Some(facts) = words.facts() else {
        return "ასეთ ფაილში ვადებს ეს პროგრამა ვერ კითხულობს: ნახეთ დოკუმენტში.".into();
    };
    let text = |date: &StatedDate| date.moment().map(|moment| moment.text().to_owned());
    let (from, until) = (text(&facts.valid_from), text(&facts.valid_until));
    match (finding, from, until) {
        (Finding::Expired, _, Some(until)) => format!("ვადა გასულია: ძალაში იყო {until}-მდე."),
        (Finding::NotYetValid, Some(from), _) => format!("ჯერ არ შესულა ძალაში: ძალაშია {from}-დან."),
        (Finding::InForce, Some(from), Some(until)) => format!("ძალაშია {from}-დან {until}-მდე."),
        (Finding::InForce, Some(from), None) => format!("ძალაშია {from}-დან; ვადა არ არის შეზღუდული."),
        (Finding::InForce, None, Some(until)) => format!("ძალაშია {until}-მდე."),
        (Finding::InForce, None, None) => "დოკუმენტი ვადას არ ზღუდავს.".into(),
        _ => "დოკუმენტის ვადები ცალსახად არ იკითხება: ნახეთ თავად.".into(),
    }
}
