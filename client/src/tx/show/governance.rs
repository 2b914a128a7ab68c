//! Authorities, rules, upgrades.

use sigeli_verifier::{
    crypto::PublicKey,
    ids::{EctsTenths, Height},
    record::Policy,
    transaction::{AuthorityKeysSet, AuthorityRemove, AuthoritySet, PolicySet, Sender, UpgradeSchedule},
};

use super::{
    Sheet,
    terms::{self, Both, both, say},
};
use crate::{tx::known::KnownAuthority, values::ects_text};

const AUTHORITY: Both = both("Authority", "უწყება");
const THRESHOLD: Both = both("Signatures needed", "საჭირო ხელმოწერები");

pub(super) fn own_keys(sheet: &mut Sheet<'_>, set: &AuthorityKeysSet, sender: &Sender) {
    let AuthorityKeysSet { decision, keys, threshold, log_keys } = set;
    let language = sheet.language();
    let Sender::Authority { authority, .. } = sender else {
        key_fields(sheet, keys, *threshold, log_keys);
        sheet.decision(decision);
        return;
    };
    let who = sheet.view.authority(*authority);
    sheet.happens(say!(
        language,
        "Authority {who} decides from then on with {threshold} of the {count} keys listed here. Its keys of before sign nothing any more.",
        "უწყება {who} ამიერიდან წყვეტს აქ ჩამოთვლილი {count} გასაღებიდან {threshold} ხელმოწერით. ძველი გასაღებები ვეღარაფერს მოაწერს ხელს.",
        count = keys.len()
    ));
    key_warnings(
        sheet,
        sheet.view.known.and_then(|known| known.authority(*authority)).cloned().as_ref(),
        keys,
        *threshold,
    );
    key_fields(sheet, keys, *threshold, log_keys);
    sheet.decision(decision);
}

fn key_fields(sheet: &mut Sheet<'_>, keys: &[PublicKey], threshold: u8, log_keys: &[PublicKey]) {
    sheet.detail(THRESHOLD, threshold.to_string());
    for (number, key) in keys.iter().enumerate() {
        sheet.detail_numbered(both("Key", "გასაღები"), number, key.to_string());
    }
    for (number, key) in log_keys.iter().enumerate() {
        sheet.detail_numbered(
            both("Key for checkpoints", "გასაღები საკონტროლო წერტილებისთვის"),
            number,
            key.to_string(),
        );
    }
    if log_keys.is_empty() {
        let none = both("none", "არ არის").text(sheet.language());
        sheet.detail(both("Keys for checkpoints", "გასაღებები საკონტროლო წერტილებისთვის"), none);
    }
}

/// What is dangerous about another list of keys.
fn key_warnings(sheet: &mut Sheet<'_>, before: Option<&KnownAuthority>, keys: &[PublicKey], threshold: u8) {
    let language = sheet.language();
    sheet.warn(both(
        "All keys of the authority are replaced by those listed. Compare each with what its holder tells you in person. Drafts signed with other keys become worthless.",
        "უწყების ყველა გასაღები იცვლება ჩამოთვლილით. თითოეული შეადარეთ იმას, რასაც მფლობელი პირადად გეტყვით. სხვა გასაღებებით ხელმოწერილი პროექტები ძალას კარგავს.",
    ).text(language).into());
    if usize::from(threshold) > keys.len() || threshold == 0 {
        sheet.warn(
            both(
                "The ledger will refuse this: as many keys as must sign are not listed.",
                "რეესტრი უარს იტყვის: ჩამოთვლილი გასაღებები საჭირო ხელმოწერებისთვის არ კმარა.",
            )
            .text(language)
            .into(),
        );
    }
    if threshold == 1 {
        sheet.warn(
            both(
                "A single key suffices from then on: whoever has it decides alone.",
                "ამიერიდან ერთი გასაღებიც კმარა: ვისაც იგი აქვს, მარტო წყვეტს.",
            )
            .text(language)
            .into(),
        );
    }
    let Some(before) = before else { return };
    if threshold < before.threshold {
        sheet.warn(say!(
            language,
            "This LOWERS the number of signatures from {old} to {threshold}.",
            "ეს ამცირებს საჭირო ხელმოწერების რაოდენობას: იყო {old}, იქნება {threshold}.",
            old = before.threshold
        ));
    }
    for key in before.keys.iter().filter(|key| !keys.contains(key)) {
        sheet.warn(say!(language, "This key goes: {key}", "ეს გასაღები იშლება: {key}"));
    }
    for key in keys.iter().filter(|key| !before.keys.contains(key)) {
        sheet.warn(say!(language, "This key is new: {key}", "ეს გასაღები ახალია: {key}"));
    }
}

pub(super) fn authority(sheet: &mut Sheet<'_>, set: &AuthoritySet) {
    let AuthoritySet { decision, authority, kind, name_ka, name_en, keys, threshold, log_keys } = set;
    let language = sheet.language();
    let before = sheet.view.known.and_then(|known| known.authority(*authority)).cloned();
    let is_known = before.is_some();
    sheet.happens(if is_known {
        say!(
            language,
            "Authority {authority} is from then on “{name_en}”, with the kind, keys and number of signatures listed here.",
            "უწყება {authority} ამიერიდან არის „{name_ka}“, აქ მითითებული სახით, გასაღებებითა და საჭირო ხელმოწერებით."
        )
    } else {
        say!(
            language,
            "“{name_en}” becomes authority {authority}. If there is an authority of this number already, this is what it becomes.",
            "„{name_ka}“ ხდება უწყება {authority}. თუ ამ ნომრით უწყება უკვე არსებობს, იგი ასეთი გახდება."
        )
    });
    if let Some(before) = &before
        && before.kind != *kind
    {
        sheet.warn(say!(
            language,
            "This changes what the authority may write: it was a {old}.",
            "ეს ცვლის, თუ რისი ჩაწერა შეუძლია უწყებას: იყო {old}.",
            old = terms::authority_kind(before.kind).text(language)
        ));
    }
    key_warnings(sheet, before.as_ref(), keys, *threshold);
    sheet.detail(AUTHORITY, authority.to_string());
    sheet.detail_of(both("What it is", "სახე"), terms::authority_kind(*kind));
    sheet.detail(both("Name in Georgian", "სახელი ქართულად"), name_ka.to_string());
    sheet.detail(both("Name in English", "სახელი ინგლისურად"), name_en.to_string());
    key_fields(sheet, keys, *threshold, log_keys);
    sheet.decision(decision);
}

pub(super) fn remove(sheet: &mut Sheet<'_>, remove: &AuthorityRemove) {
    let AuthorityRemove { decision, authority } = *remove;
    let language = sheet.language();
    let who = sheet.view.authority(authority);
    sheet.happens(say!(
        language,
        "Authority {who} is ended: it decides and approves nothing any more. What it decided before stands.",
        "უწყება {who}-ის უფლებამოსილება წყდება: იგი ვეღარაფერს გადაწყვეტს და ვერაფერს დაეთანხმება. მანამდე გადაწყვეტილი ძალაში რჩება."
    ));
    sheet.warn(
        both(
            "This REMOVES an authority for ever: its number is never given again.",
            "ეს სამუდამოდ შლის უწყებას: მისი ნომერი აღარასოდეს მიენიჭება სხვას.",
        )
        .text(language)
        .into(),
    );
    sheet.detail(AUTHORITY, who);
    sheet.decision(&decision);
}

pub(super) fn policy(sheet: &mut Sheet<'_>, set: &PolicySet) {
    let PolicySet { decision, policy } = set;
    let language = sheet.language();
    let before = sheet.view.known.and_then(|known| known.policy);
    sheet.happens(both(
        "The rules listed here replace all rules of before, from the next transaction on. What was written under the old rules stands.",
        "აქ ჩამოთვლილი წესები მომდევნო ტრანზაქციიდან ცვლის ყველა წინა წესს. ძველი წესებით ჩაწერილი ძალაში რჩება.",
    ).text(language).into());
    policy_warnings(sheet, policy, before.as_ref());
    rules(sheet, policy, before.as_ref());
    sheet.decision(decision);
}

fn policy_warnings(sheet: &mut Sheet<'_>, policy: &Policy, before: Option<&Policy>) {
    let language = sheet.language();
    if let Err(error) = policy.check() {
        sheet.warn(say!(language, "The ledger will refuse this: {error}.", "რეესტრი უარს იტყვის: {error}."));
    }
    match before {
        Some(before) if policy.approvals_min < before.approvals_min => sheet.warn(say!(
            language,
            "This LOWERS the number of authorities that must approve joint transactions from {old} to {new}.",
            "ეს ამცირებს იმ უწყებების რაოდენობას, რომლებიც ერთობლივ ტრანზაქციებს უნდა დაეთანხმონ: იყო {old}, იქნება {new}.",
            old = before.approvals_min,
            new = policy.approvals_min
        )),
        Some(_) => {}
        None => sheet.warn(say!(
            language,
            "Joint transactions need {new} approving authorities from then on; how many they need now is not known here.",
            "ამიერიდან ერთობლივ ტრანზაქციებს {new} უწყების თანხმობა სჭირდება; ამჟამინდელი რაოდენობა აქ უცნობია.",
            new = policy.approvals_min
        )),
    }
    if !policy.pilot_order_required && before.is_none_or(|before| before.pilot_order_required) {
        sheet.warn(
            both(
                "Batches need no Minister's order from then on.",
                "ამიერიდან პარტიებს მინისტრის ბრძანება აღარ სჭირდება.",
            )
            .text(language)
            .into(),
        );
    }
}

/// Every rule, and what it was where that is known and other.
fn rules(sheet: &mut Sheet<'_>, policy: &Policy, before: Option<&Policy>) {
    let Policy {
        ects_max,
        ects_min,
        ects_recognised_max,
        batch_height_min,
        clock_tolerance_ms,
        pilot_order_required,
        batches_per_day,
        statuses_per_day,
        changes_per_day,
        approvals_min,
    } = *policy;
    let language = sheet.language();
    let levels = |least: &[EctsTenths; 8], most: &[EctsTenths; 8], level: usize| {
        let (least, most) = (least.get(level).copied(), most.get(level).copied());
        let text = |credits: Option<EctsTenths>| credits.map(ects_text).unwrap_or_default();
        say!(language, "{least} to {most} ECTS", "{least} – {most} ECTS", least = text(least), most = text(most))
    };
    for level in 0..ects_max.len() {
        let was = before.map(|before| levels(&before.ects_min, &before.ects_max, level));
        let label = both("Credits at level", "კრედიტები დონეზე").text(language);
        sheet
            .details
            .push((format!("{label} {}", level + 1), changed(sheet, &levels(&ects_min, &ects_max, level), was)));
    }
    let height = |height: u8| {
        let leaves = 1_u32.checked_shl(height.into()).unwrap_or(0);
        say!(language, "tree of height {height} (room for {leaves})", "ხე სიმაღლით {height} (ადგილი {leaves}-ისთვის)")
    };
    let seconds = |ms: u32| {
        let (whole, rest) = (ms / 1_000, ms % 1_000);
        say!(language, "{whole}.{rest:03} seconds", "{whole}.{rest:03} წამი")
    };
    let needed = |needed: bool| terms::yes_no(needed).text(language).to_owned();
    let recognised = format!("{} ECTS", ects_text(ects_recognised_max));
    for (label, now, was) in [
        (
            both("Credits recognised towards one programme, at most", "ერთ პროგრამაში აღიარებული კრედიტების მაქსიმუმი"),
            recognised,
            before.map(|before| format!("{} ECTS", ects_text(before.ects_recognised_max))),
        ),
        (
            both("Smallest batch", "უმცირესი პარტია"),
            height(batch_height_min),
            before.map(|before| height(before.batch_height_min)),
        ),
        (
            both("Dates of issue may lie ahead by", "გაცემის თარიღი შეიძლება უსწრებდეს"),
            seconds(clock_tolerance_ms),
            before.map(|before| seconds(before.clock_tolerance_ms)),
        ),
        (
            both("Batches need a Minister's order", "პარტიას სჭირდება მინისტრის ბრძანება"),
            needed(pilot_order_required),
            before.map(|before| needed(before.pilot_order_required)),
        ),
        (
            both("Batches of one institution per day", "ერთი დაწესებულების პარტიები დღეში"),
            batches_per_day.to_string(),
            before.map(|before| before.batches_per_day.to_string()),
        ),
        (
            both("Status changes of one institution per day", "ერთი დაწესებულების სტატუსის ცვლილებები დღეში"),
            statuses_per_day.to_string(),
            before.map(|before| before.statuses_per_day.to_string()),
        ),
        (
            both(
                "Changes of one institution's own keys and programmes per day",
                "ერთი დაწესებულების საკუთარი გასაღებებისა და პროგრამების ცვლილებები დღეში",
            ),
            changes_per_day.to_string(),
            before.map(|before| before.changes_per_day.to_string()),
        ),
        (
            both("Authorities that approve joint transactions", "უწყებები, რომლებიც ერთობლივ ტრანზაქციებს ეთანხმებიან"),
            approvals_min.to_string(),
            before.map(|before| before.approvals_min.to_string()),
        ),
    ] {
        let text = changed(sheet, &now, was);
        sheet.detail(label, text);
    }
}

fn changed(sheet: &Sheet<'_>, now: &str, was: Option<String>) -> String {
    match was {
        Some(was) if was != now => {
            say!(sheet.language(), "{now}   (CHANGED, was {was})", "{now}   (იცვლება, იყო {was})")
        }
        _ => now.to_owned(),
    }
}

pub(super) fn upgrade(sheet: &mut Sheet<'_>, schedule: &UpgradeSchedule) {
    let UpgradeSchedule { decision, version, height } = *schedule;
    let language = sheet.language();
    let takes_back = height == Height::new(0);
    if takes_back {
        sheet.happens(say!(
            language,
            "The upgrade that was announced is taken back: the ledger stays at protocol version {version}.",
            "გამოცხადებული განახლება უქმდება: რეესტრი რჩება პროტოკოლის ვერსია {version}-ზე."
        ));
    } else {
        sheet.happens(say!(
            language,
            "From block {height} on the ledger follows protocol version {version}. It replaces an upgrade that was announced before.",
            "ბლოკ {height}-დან რეესტრი პროტოკოლის ვერსია {version}-ს მიჰყვება. ეს ცვლის ადრე გამოცხადებულ განახლებას."
        ));
        sheet.warn(say!(
            language,
            "Every node whose program does not know version {version} by block {height} STOPS there. If too many stop, the ledger stops.",
            "ყველა კვანძი, რომლის პროგრამა ბლოკ {height}-მდე ვერსია {version}-ს არ იცნობს, იქ ჩერდება. თუ ბევრი გაჩერდა, რეესტრიც გაჩერდება."
        ));
    }
    sheet.detail(both("Protocol version", "პროტოკოლის ვერსია"), version.to_string());
    let height = if takes_back {
        both("0 (takes an announcement back)", "0 (აუქმებს გამოცხადებულს)").text(language).into()
    } else {
        height.to_string()
    };
    sheet.detail(both("From block", "ბლოკიდან"), height);
    sheet.decision(&decision);
}
