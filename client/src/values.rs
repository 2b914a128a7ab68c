//! Values as people write them: dates, times, ages, credits, levels, fields, keys. Each parser takes exactly one
//! spelling per value and says in its error what it would have taken.

use std::{fmt::Write as _, time::Duration};

use sigeli_verifier::{
    bounded::Text,
    crypto::PublicKey,
    domain,
    ids::{DecisionRef, EctsTenths, TimeMs},
    time::{Day, Window},
    transaction::{
        DecisionReason, Field, FieldPrefix, FieldPrefixes, InstitutionKey, KeyPurposes, Level, Levels, Modes,
        StatusReason,
    },
};

const MS_PER_SECOND: u64 = 1_000;
const SECONDS_PER_DAY: u64 = 24 * 60 * 60;
const TBILISI_OFFSET_MS: u64 = 4 * 60 * 60 * MS_PER_SECOND;

/// Why a value cannot be read. The message says what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a calendar day.
    #[error("write a day that exists as YYYY-MM-DD, for example 2026-11-24")]
    Day,
    /// Not a point in time.
    #[error(
        "write a time as in RFC 3339, with its zone, for example 2026-11-24T10:00:00Z or 2026-11-24T14:00:00+04:00"
    )]
    Time,
    /// Not an age.
    #[error("write an age as a whole number and its unit: s, m, h or d, for example 30s, 10m, 24h or 7d")]
    Age,
    /// Not credits.
    #[error("write credits with at most one decimal, for example 3 or 2.5 (at most 6553.5)")]
    Ects,
    /// Not a level.
    #[error("write a level of the National Qualifications Framework, 1 to 8")]
    Level,
    /// Not a list of levels.
    #[error("write levels of the National Qualifications Framework, 1 to 8, separated by commas, for example 6,7")]
    Levels,
    /// Not a field.
    #[error("write a detailed field of study as the four digits of ISCED-F 2013, for example 0613")]
    Field,
    /// Not a list of field prefixes.
    #[error("write fields of study as 2, 3 or 4 digits of ISCED-F 2013, separated by commas, for example 06,0714")]
    Fields,
    /// Not a public key.
    #[error("write a public key as the 64 hexadecimal digits that `sigeli keygen` prints")]
    PublicKey,
    /// Not an institution's key with its purposes.
    #[error(
        "write a public key, optionally followed by : and its purposes (anchor, status, admin), separated by commas"
    )]
    InstitutionKey,
    /// A window that ends before it begins.
    #[error("the last day lies before the first")]
    Window,
    /// Not the number of an institution, a permission or the like.
    #[error("write a whole number from 1")]
    Number,
    /// Not a reason for a status.
    #[error(
        "write a reason as its number or name: 0 unspecified, 1 issued-in-error, 2 award-withdrawn, 3 superseded, \
         4 holder-request, 5 key-compromised, 6 order, 7 not-accredited, 8 under-review (suspensions only), \
         9 review-ended (reinstatements only)"
    )]
    Reason,
    /// Not a reason for a decision.
    #[error(
        "write a reason as its number or name: 1 granted, 2 conditional, 3 renewed, 4 scope-changed, 5 monitoring-failed, \
         6 voluntary, 7 closed, 8 merged, 9 court-order, 10 appeal-upheld, 11 error-corrected"
    )]
    DecisionReason,
    /// Not a list of modes.
    #[error("write how the programme is attended: on-site, online, blended, work-based, several separated by commas")]
    Modes,
    /// Not 32 bytes.
    #[error("write 64 hexadecimal digits")]
    Hash,
    /// Not the index of a key.
    #[error("write the position of a key in its owner's list, a whole number from 0 to 65535")]
    Index,
    /// Not an alpha-3 code.
    #[error("write the country as three capital letters (ISO 3166-1 alpha-3), for example GEO")]
    Country,
    /// A text too long for the ledger, or one with control characters.
    #[error(
        "write at most {bytes_max} bytes of text (a Georgian letter takes 3), on one line, without control characters"
    )]
    Text {
        /// The limit in bytes.
        bytes_max: usize,
    },
}

/// `2026-11-24`.
///
/// # Errors
/// [`ValueError::Day`].
pub fn parse_day(text: &str) -> Result<Day, ValueError> {
    let (year, rest) = text.split_at_checked(4).ok_or(ValueError::Day)?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    match rest.as_bytes() {
        [b'-', _, _, b'-', _, _] => {}
        _ => return Err(ValueError::Day),
    }
    let (month, day) = (rest.get(1..3).ok_or(ValueError::Day)?, rest.get(4..6).ok_or(ValueError::Day)?);
    if !(digits(year) && digits(month) && digits(day)) {
        return Err(ValueError::Day);
    }
    let number = |part: &str| part.parse::<u8>().map_err(|_| ValueError::Day);
    Day::from_civil(year.parse().map_err(|_| ValueError::Day)?, number(month)?, number(day)?).ok_or(ValueError::Day)
}

/// A time as in RFC 3339: `2026-11-24T10:00:00.5+04:00`. Digits below the millisecond are cut off; before 1970 is refused.
///
/// # Errors
/// [`ValueError::Time`].
pub fn parse_time(text: &str) -> Result<TimeMs, ValueError> {
    let refused = ValueError::Time;
    let (date, rest) = text.split_at_checked(10).ok_or(refused)?;
    let day = parse_day(date).map_err(|_| refused)?;
    let rest = rest.strip_prefix(['T', 't', ' ']).ok_or(refused)?;
    let (clock, rest) = rest.split_at_checked(8).ok_or(refused)?;
    let second_of_day = parse_clock(clock).ok_or(refused)?;
    let (fraction_ms, zone) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or(refused)?;
            let (digits, zone) = rest.split_at(end);
            if digits.is_empty() || digits.len() > 9 {
                return Err(refused);
            }
            let padded = format!("{digits:0<3}");
            (padded.get(..3).and_then(|ms| ms.parse::<i64>().ok()).ok_or(refused)?, zone)
        }
    };
    let offset_s = parse_zone(zone).ok_or(refused)?;
    let seconds = i64::from(day.get()) * 86_400 + second_of_day - offset_s;
    u64::try_from(seconds * 1_000 + fraction_ms).map(TimeMs::new).map_err(|_| refused)
}

/// `hh:mm:ss` as seconds of the day.
fn parse_clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(two_digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    (parts.next().is_none() && hour < 24 && minute < 60 && second < 60).then_some(hour * 3_600 + minute * 60 + second)
}

fn two_digits(text: &str) -> Option<i64> {
    let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

/// `Z` or `±hh:mm` as seconds ahead of UTC.
fn parse_zone(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// `30s`, `10m`, `24h`, `7d`.
///
/// # Errors
/// [`ValueError::Age`].
pub fn parse_age(text: &str) -> Result<Duration, ValueError> {
    let unit_s = match text.bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => SECONDS_PER_DAY,
        _ => return Err(ValueError::Age),
    };
    let number = text.get(..text.len() - 1).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = number.and_then(|digits| digits.parse::<u64>().ok()).and_then(|count| count.checked_mul(unit_s));
    // 100,000 years: so that no sum with a time overflows.
    seconds.filter(|seconds| *seconds <= 36_500_000 * SECONDS_PER_DAY).map(Duration::from_secs).ok_or(ValueError::Age)
}

/// `3` or `2.5`.
///
/// # Errors
/// [`ValueError::Ects`].
pub fn parse_ects(text: &str) -> Result<EctsTenths, ValueError> {
    let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(tenth) || tenth.len() != 1 {
        return Err(ValueError::Ects);
    }
    let whole = whole.parse::<u16>().ok().and_then(|whole| whole.checked_mul(10));
    let tenths = whole.zip(tenth.parse::<u16>().ok()).and_then(|(whole, tenth)| whole.checked_add(tenth));
    tenths.map(EctsTenths::new).ok_or(ValueError::Ects)
}

/// The spelling that [`parse_ects`] reads.
#[must_use]
pub fn ects_text(ects: EctsTenths) -> String {
    match (ects.get() / 10, ects.get() % 10) {
        (whole, 0) => whole.to_string(),
        (whole, tenth) => format!("{whole}.{tenth}"),
    }
}

/// `6`.
///
/// # Errors
/// [`ValueError::Level`].
pub fn parse_level(text: &str) -> Result<Level, ValueError> {
    text.parse().ok().and_then(Level::new).ok_or(ValueError::Level)
}

/// `6,7`.
///
/// # Errors
/// [`ValueError::Levels`].
pub fn parse_levels(text: &str) -> Result<Levels, ValueError> {
    let levels = text.split(',').map(|part| parse_level(part.trim())).collect::<Result<Vec<_>, _>>();
    levels.ok().and_then(|levels| Levels::of(&levels)).ok_or(ValueError::Levels)
}

/// `0613`.
///
/// # Errors
/// [`ValueError::Field`].
pub fn parse_field(text: &str) -> Result<Field, ValueError> {
    let is_plain = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok().and_then(Field::new).ok_or(ValueError::Field) } else { Err(ValueError::Field) }
}

/// `06,0714`.
///
/// # Errors
/// [`ValueError::Fields`].
pub fn parse_fields(text: &str) -> Result<FieldPrefixes, ValueError> {
    let prefixes = text.split(',').map(|part| FieldPrefix::parse(part.trim())).collect::<Option<Vec<_>>>();
    prefixes.and_then(|prefixes| FieldPrefixes::new(prefixes).ok()).ok_or(ValueError::Fields)
}

/// A public key's 64 hexadecimal digits.
///
/// # Errors
/// [`ValueError::PublicKey`].
pub fn parse_public_key(text: &str) -> Result<PublicKey, ValueError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| ValueError::PublicKey)?;
    PublicKey::from_ed25519(&bytes).map_err(|_| ValueError::PublicKey)
}

/// A key that an institution is to get, and what it may do; the days on which it may are stated beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatedKey {
    /// What it may do.
    pub purposes: KeyPurposes,
    /// The key.
    pub key: PublicKey,
}

impl StatedKey {
    /// The key as it goes to the ledger.
    #[must_use]
    pub const fn within(self, window: Window) -> InstitutionKey {
        InstitutionKey { purposes: self.purposes, key: self.key, window }
    }
}

/// A public key and its purposes: `KEY` (all of them) or `KEY:anchor,status`.
///
/// # Errors
/// [`ValueError::InstitutionKey`].
pub fn parse_institution_key(text: &str) -> Result<StatedKey, ValueError> {
    let refused = ValueError::InstitutionKey;
    let (key, purposes) = match text.split_once(':') {
        None => (text, KeyPurposes::ALL),
        Some((key, names)) => {
            let mut bits = 0;
            for name in names.split(',') {
                bits |= match name.trim() {
                    "anchor" => KeyPurposes::ANCHOR.get(),
                    "status" => KeyPurposes::STATUS.get(),
                    "admin" => KeyPurposes::ADMIN.get(),
                    _ => return Err(refused),
                };
            }
            (key, KeyPurposes::new(bits).ok_or(refused)?)
        }
    };
    Ok(StatedKey { purposes, key: parse_public_key(key).map_err(|_| refused)? })
}

/// The names of what a key may do, as [`parse_institution_key`] reads them.
#[must_use]
pub fn purpose_names(purposes: KeyPurposes) -> String {
    let all = [(KeyPurposes::ANCHOR, "anchor"), (KeyPurposes::STATUS, "status"), (KeyPurposes::ADMIN, "admin")];
    let names: Vec<_> = all.iter().filter(|(one, _)| purposes.allows(*one)).map(|(_, name)| *name).collect();
    names.join(",")
}

/// `online` or `on-site,work-based`.
///
/// # Errors
/// [`ValueError::Modes`].
pub fn parse_modes(text: &str) -> Result<Modes, ValueError> {
    let mut bits = 0;
    for name in text.split(',') {
        bits |= match name.trim() {
            "on-site" => Modes::ON_SITE.get(),
            "online" => Modes::ONLINE.get(),
            "blended" => Modes::BLENDED.get(),
            "work-based" => Modes::WORK_BASED.get(),
            _ => return Err(ValueError::Modes),
        };
    }
    Modes::new(bits).ok_or(ValueError::Modes)
}

/// 32 bytes as 64 hexadecimal digits: a root, a handle, a ledger.
///
/// # Errors
/// [`ValueError::Hash`].
pub fn parse_hash(text: &str) -> Result<[u8; 32], ValueError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| ValueError::Hash)?;
    Ok(bytes)
}

/// The position of a key, from 0.
///
/// # Errors
/// [`ValueError::Index`].
pub fn parse_index(text: &str) -> Result<u16, ValueError> {
    text.parse().map_err(|_| ValueError::Index)
}

/// The reason for a decision: its number or its name.
///
/// # Errors
/// [`ValueError::DecisionReason`].
pub fn parse_decision_reason(text: &str) -> Result<DecisionReason, ValueError> {
    let named = DecisionReason::ALL.iter().copied().find(|reason| decision_reason_name(*reason) == text);
    let numbered = text.parse().ok().and_then(DecisionReason::from_code);
    named.or(numbered).ok_or(ValueError::DecisionReason)
}

/// The name of a reason for a decision.
#[must_use]
pub const fn decision_reason_name(reason: DecisionReason) -> &'static str {
    match reason {
        DecisionReason::Granted => "granted",
        DecisionReason::Conditional => "conditional",
        DecisionReason::Renewed => "renewed",
        DecisionReason::ScopeChanged => "scope-changed",
        DecisionReason::MonitoringFailed => "monitoring-failed",
        DecisionReason::Voluntary => "voluntary",
        DecisionReason::Closed => "closed",
        DecisionReason::Merged => "merged",
        DecisionReason::CourtOrder => "court-order",
        DecisionReason::AppealUpheld => "appeal-upheld",
        DecisionReason::ErrorCorrected => "error-corrected",
    }
}

/// A number from 1: institutions and permissions are numbered so.
///
/// # Errors
/// [`ValueError::Number`].
pub fn parse_number(text: &str) -> Result<u32, ValueError> {
    text.parse().ok().filter(|number| *number > 0).ok_or(ValueError::Number)
}

/// The reason for a status: its number or its name. That of an annulment goes with the annulment and cannot be chosen.
///
/// # Errors
/// [`ValueError::Reason`].
pub fn parse_reason(text: &str) -> Result<StatusReason, ValueError> {
    let named = StatusReason::ALL.iter().copied().find(|reason| reason_name(*reason) == text);
    let numbered = text.parse().ok().and_then(StatusReason::from_code);
    let chosen = named.or(numbered).filter(|reason| *reason != StatusReason::Annulled);
    chosen.ok_or(ValueError::Reason)
}

/// The name of a reason for a status.
#[must_use]
pub const fn reason_name(reason: StatusReason) -> &'static str {
    match reason {
        StatusReason::Unspecified => "unspecified",
        StatusReason::IssuedInError => "issued-in-error",
        StatusReason::AwardWithdrawn => "award-withdrawn",
        StatusReason::Superseded => "superseded",
        StatusReason::HolderRequest => "holder-request",
        StatusReason::KeyCompromised => "key-compromised",
        StatusReason::Order => "order",
        StatusReason::NotAccredited => "not-accredited",
        StatusReason::UnderReview => "under-review",
        StatusReason::ReviewEnded => "review-ended",
        StatusReason::Annulled => "annulled",
    }
}

/// `GEO`.
///
/// # Errors
/// [`ValueError::Country`].
pub fn parse_country(text: &str) -> Result<[u8; 3], ValueError> {
    let letters = <[u8; 3]>::try_from(text.as_bytes()).map_err(|_| ValueError::Country)?;
    if letters.iter().all(u8::is_ascii_uppercase) { Ok(letters) } else { Err(ValueError::Country) }
}

/// A text that the ledger takes: at most `MAX` bytes, no control characters.
///
/// # Errors
/// [`ValueError::Text`].
pub fn parse_text<const MAX: usize>(text: &str) -> Result<Text<MAX>, ValueError> {
    Text::new(text.trim()).map_err(|_| ValueError::Text { bytes_max: MAX })
}

/// The days from `first` to `last`, both included.
///
/// # Errors
/// [`ValueError::Window`].
pub fn window(first: Day, last: Day) -> Result<Window, ValueError> {
    Window::new(first, last).ok_or(ValueError::Window)
}

/// The reference of a decision (its number and date, as on the document), hashed for the ledger. White space around it
/// does not count.
#[must_use]
pub fn decision_ref(text: &str) -> DecisionRef {
    DecisionRef::new(domain::DECISION.hash(&[text.trim().as_bytes()]))
}

/// A time in the form of RFC 3339, in UTC, to the millisecond.
#[must_use]
pub fn rfc3339(time: TimeMs) -> String {
    let (date, clock) = date_and_clock(time.get());
    let ms = time.get() % MS_PER_SECOND;
    format!("{date}T{clock}.{ms:03}Z")
}

/// A time as a person in Georgia reads it: `2026-11-24 14:00:05`, Tbilisi time.
#[must_use]
pub fn tbilisi(time: TimeMs) -> String {
    let (date, clock) = date_and_clock(time.get().saturating_add(TBILISI_OFFSET_MS));
    format!("{date} {clock}")
}

fn date_and_clock(ms: u64) -> (Day, String) {
    let seconds = ms / MS_PER_SECOND;
    let second_of_day = seconds % SECONDS_PER_DAY;
    let mut clock = String::with_capacity(8);
    let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    write!(clock, "{hour:02}:{minute:02}:{second:02}").expect("writing to a string cannot fail");
    (Day::new(i32::try_from(seconds / SECONDS_PER_DAY).unwrap_or(i32::MAX)), clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_take_one_spelling_and_round_trip() {
        assert_eq!(parse_day("2026-11-24"), Ok(Day::from_civil(2026, 11, 24).unwrap()));
        for refused in
            ["2026-2-01", "2026-02-30", "20261124", "2026-11-24 ", "+026-11-24", "2026/11/24", "", "ოქტომბერი"]
        {
            assert_eq!(parse_day(refused), Err(ValueError::Day), "{refused}");
        }
        let noon = parse_time("2026-11-24T12:00:00Z").unwrap();
        assert_eq!(parse_time("2026-11-24T16:00:00+04:00"), Ok(noon));
        assert_eq!(parse_time("2026-11-24T07:30:00.000-04:30"), Ok(noon));
        assert_eq!(rfc3339(noon), "2026-11-24T12:00:00.000Z");
        assert_eq!(tbilisi(noon), "2026-11-24 16:00:00");
        assert_eq!(rfc3339(parse_time("2026-11-24T12:00:00.0459Z").unwrap()), "2026-11-24T12:00:00.045Z");
        assert_eq!(parse_time("1970-01-01T00:00:00Z"), Ok(TimeMs::new(0)));
        for refused in [
            "2026-11-24",
            "2026-11-24T12:00:00",
            "2026-11-24T24:00:00Z",
            "2026-11-24T12:00Z",
            "2026-11-24T12:00:00.Z",
            "2026-11-24T12:00:00+4:00",
            "2026-11-24T12:00:00Zx",
            "1969-12-31T23:59:59Z",
            "2026-11-24T12:00:0\u{10D0}Z",
        ] {
            assert_eq!(parse_time(refused), Err(ValueError::Time), "{refused}");
        }
    }

    #[test]
    fn ages_credits_levels_and_fields() {
        assert_eq!(parse_age("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_age("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_age("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(parse_age("7d"), Ok(Duration::from_secs(604_800)));
        for refused in ["", "s", "24", "-1h", "1.5h", "1w", "99999999999999999999d", "1ჰ"] {
            assert_eq!(parse_age(refused), Err(ValueError::Age), "{refused}");
        }
        for (text, tenths) in [("3", 30), ("2.5", 25), ("0.1", 1), ("6553.5", 65_535)] {
            assert_eq!(parse_ects(text), Ok(EctsTenths::new(tenths)));
            assert_eq!(ects_text(EctsTenths::new(tenths)), text);
        }
        for refused in ["", ".5", "3.", "3.25", "-1", "6553.6", "3,5", "+3"] {
            assert_eq!(parse_ects(refused), Err(ValueError::Ects), "{refused}");
        }
        assert_eq!(parse_levels("6, 7").map(Levels::get), Ok(0b110_0000));
        assert_eq!(parse_levels("6,9"), Err(ValueError::Levels));
        assert_eq!(parse_field("0613").map(Field::get), Ok(613));
        assert_eq!(parse_field("613"), Err(ValueError::Field));
        assert_eq!(parse_fields("06,061,0613").map(|list| list.len()), Ok(3));
        assert_eq!(parse_fields("6"), Err(ValueError::Fields));
        for reason in StatusReason::ALL.iter().filter(|reason| **reason != StatusReason::Annulled) {
            assert_eq!(parse_reason(reason_name(*reason)), Ok(*reason));
            assert_eq!(parse_reason(&reason.code().to_string()), Ok(*reason));
            assert!(ValueError::Reason.to_string().contains(&format!("{} {}", reason.code(), reason_name(*reason))));
        }
        assert_eq!(parse_reason("10"), Err(ValueError::Reason));
        assert_eq!(parse_reason("annulled"), Err(ValueError::Reason));
        assert_eq!((parse_number("1"), parse_number("0")), (Ok(1), Err(ValueError::Number)));
        assert_eq!(parse_country("GEO"), Ok(*b"GEO"));
        assert_eq!(parse_country("Geo"), Err(ValueError::Country));
    }

    #[test]
    fn reasons_of_decisions_and_modes_are_named_as_they_are_listed() {
        for reason in DecisionReason::ALL {
            let name = decision_reason_name(*reason);
            assert_eq!(parse_decision_reason(name), Ok(*reason));
            assert_eq!(parse_decision_reason(&reason.code().to_string()), Ok(*reason));
            assert!(ValueError::DecisionReason.to_string().contains(&format!("{} {name}", reason.code())));
        }
        assert_eq!(parse_decision_reason("12"), Err(ValueError::DecisionReason));
        assert_eq!(parse_modes("on-site, work-based").map(Modes::get), Ok(9));
        for refused in ["", "on site", "online,", "ONLINE"] {
            assert_eq!(parse_modes(refused), Err(ValueError::Modes), "{refused}");
        }
        assert_eq!(parse_hash(&"0f".repeat(32)), Ok([15; 32]));
        assert_eq!((parse_hash("0f"), parse_index("65536")), (Err(ValueError::Hash), Err(ValueError::Index)));
    }

    #[test]
    fn an_institution_key_without_purposes_may_do_everything() {
        let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(parse_institution_key(key).unwrap().purposes, KeyPurposes::ALL);
        let limited = parse_institution_key(&format!("{key}:anchor,status")).unwrap();
        assert_eq!(limited.purposes.get(), 3);
        assert_eq!(limited.key.to_string(), key);
        assert_eq!(purpose_names(limited.purposes), "anchor,status");
        assert_eq!(parse_institution_key(&format!("{key}:")), Err(ValueError::InstitutionKey));
        assert_eq!(parse_institution_key(&format!("{key}:all")), Err(ValueError::InstitutionKey));
        assert_eq!(parse_institution_key("d75a"), Err(ValueError::InstitutionKey));
    }
}
