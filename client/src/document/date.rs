//! Dates that a document states: RFC 3339 and `xsd:dateTime` texts, plain days, and JWT's seconds.
//!
//! A text without a zone means a different instant in each zone. It is not guessed: it becomes the range of instants it can
//! mean (zones reach from UTC−12 to UTC+14), so that a date long past is past for everybody and a day close to the edge
//! stays undecided.

use serde_json::{Number, Value};
use sigeli_verifier::{ids::TimeMs, time::Day};

const MS_PER_SECOND: i64 = 1_000;
const MS_PER_MINUTE: i64 = 60 * MS_PER_SECOND;
const MS_PER_HOUR: i64 = 60 * MS_PER_MINUTE;
const MS_PER_DAY: i64 = 24 * MS_PER_HOUR;

/// A local time is at its earliest instant where clocks are farthest ahead (UTC+14) …
const ZONE_AHEAD_MS_MAX: i64 = 14 * MS_PER_HOUR;
/// … and at its latest where they are farthest behind (UTC−12).
const ZONE_BEHIND_MS_MAX: i64 = 12 * MS_PER_HOUR;

/// Length of `YYYY-MM-DD`, in bytes.
const DAY_BYTES: usize = 10;

/// Longest text that is read as a date, in bytes; longer fractions are not in use.
const DATE_BYTES_MAX: usize = 64;

/// Latest second that is read: 9999-12-31T23:59:59Z.
const UNIX_SECONDS_MAX: i64 = 253_402_300_799;

/// Which edge of a day a date without a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayEdge {
    /// Its first instant: "valid from 1 May".
    Start,
    /// The first instant behind it: "valid until 1 May" includes 1 May.
    End,
}

/// An instant as a document states it. Without a zone in the text it is a range; with one, both ends are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    text: String,
    earliest_unix_ms: i64,
    latest_unix_ms: i64,
}

impl Moment {
    /// The document's own spelling (a JWT's number in digits); ASCII, at most 64 bytes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The earliest instant it can mean, in milliseconds since 1970-01-01T00:00:00Z; fractions below are cut off.
    #[must_use]
    pub const fn earliest_unix_ms(&self) -> i64 {
        self.earliest_unix_ms
    }

    /// The latest instant it can mean, in milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn latest_unix_ms(&self) -> i64 {
        self.latest_unix_ms
    }

    /// The day in Tbilisi on which it lies, if that is one day whichever zone is meant. A day without a time is itself.
    #[must_use]
    pub fn day(&self) -> Option<Day> {
        if self.text.len() == DAY_BYTES
            && let Some(midnight_ms) = Cursor(self.text.as_bytes()).midnight_ms()
        {
            return i32::try_from(midnight_ms.div_euclid(MS_PER_DAY)).ok().map(Day::new);
        }
        let day = |unix_ms: i64| Some(Day::of(TimeMs::new(u64::try_from(unix_ms).ok()?)));
        day(self.earliest_unix_ms).filter(|earliest| day(self.latest_unix_ms) == Some(*earliest))
    }

    /// The earliest day in Tbilisi on which it can lie. A day without a time is itself, but for the zones: where clocks are
    /// farthest ahead it begins while it is still the day before in Tbilisi.
    #[must_use]
    pub fn earliest_day(&self) -> Day {
        Day::of(TimeMs::new(u64::try_from(self.earliest_unix_ms).unwrap_or(0)))
    }

    /// The moment when the first of the two comes.
    pub(super) fn first(self, other: Self) -> Self {
        let earliest_unix_ms = self.earliest_unix_ms.min(other.earliest_unix_ms);
        let leading = if other.latest_unix_ms < self.latest_unix_ms { other } else { self };
        Self { earliest_unix_ms, ..leading }
    }

    /// The moment when both have come.
    pub(super) fn last(self, other: Self) -> Self {
        let latest_unix_ms = self.latest_unix_ms.max(other.latest_unix_ms);
        let leading = if other.earliest_unix_ms > self.earliest_unix_ms { other } else { self };
        Self { latest_unix_ms, ..leading }
    }
}

/// What a document says about one date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StatedDate {
    /// Nothing.
    #[default]
    Absent,
    /// A date this program understands.
    Stated(Moment),
    /// Something this program cannot read as a date: the fact is unknown, not absent.
    Unreadable,
}

impl StatedDate {
    /// The moment, if there is one.
    #[must_use]
    pub const fn moment(&self) -> Option<&Moment> {
        match self {
            Self::Stated(moment) => Some(moment),
            Self::Absent | Self::Unreadable => None,
        }
    }

    /// Reads a member that should be a date text.
    pub(super) fn from_text(value: Option<&Value>, edge: DayEdge) -> Self {
        match value {
            None | Some(Value::Null) => Self::Absent,
            Some(Value::String(text)) => parse(text, edge).map_or(Self::Unreadable, Self::Stated),
            // JSON-LD's long form of a typed literal.
            Some(Value::Object(members)) if members.contains_key("@value") => {
                Self::from_text(members.get("@value"), edge)
            }
            Some(_) => Self::Unreadable,
        }
    }

    /// Reads a JWT's `exp`, `nbf` or `iat`: seconds since 1970 (RFC 7519, section 2); a fraction is cut off.
    pub(super) fn from_seconds(value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Absent,
            Some(Value::Number(number)) => from_number(number).map_or(Self::Unreadable, Self::Stated),
            Some(_) => Self::Unreadable,
        }
    }

    /// Two statements on one matter: both count, `combine` says how; an unreadable one makes the matter unknown.
    pub(super) fn and(self, other: Self, combine: fn(Moment, Moment) -> Moment) -> Self {
        match (self, other) {
            (Self::Absent, stated) | (stated, Self::Absent) => stated,
            (Self::Stated(one), Self::Stated(two)) => Self::Stated(combine(one, two)),
            _ => Self::Unreadable,
        }
    }
}

fn from_number(number: &Number) -> Option<Moment> {
    let text = number.to_string();
    // A double prints as digits with a fraction, or with an exponent when it is out of any calendar's range.
    let whole = text.split('.').next().unwrap_or_default();
    let is_in_range = |seconds: &i64| !text.starts_with('-') && *seconds <= UNIX_SECONDS_MAX;
    let seconds = whole.parse::<i64>().ok().filter(is_in_range)?;
    let unix_ms = seconds * MS_PER_SECOND;
    Some(Moment { text, earliest_unix_ms: unix_ms, latest_unix_ms: unix_ms })
}

/// Reads `YYYY-MM-DD`, or that with `Thh:mm:ss`, a fraction, and a zone `Z` or `±hh:mm`, each optional in this order.
///
/// Accepted besides RFC 3339: no zone (both `xsd:dateTime` and plain days), `24:00:00` for the end of a day
/// (`xsd:dateTime`). Not read: leap seconds, years beyond four digits, zones beyond ±23:59.
fn parse(text: &str, edge: DayEdge) -> Option<Moment> {
    if text.len() > DATE_BYTES_MAX {
        return None;
    }
    let mut cursor = Cursor(text.as_bytes());
    let midnight_ms = cursor.midnight_ms()?;
    let local_ms = if cursor.take(b"Tt").is_some() {
        midnight_ms + cursor.time_of_day_ms()?
    } else {
        midnight_ms + if edge == DayEdge::End { MS_PER_DAY } else { 0 }
    };
    let zone_ms = cursor.zone()?;
    if !cursor.0.is_empty() {
        return None;
    }
    let (ahead_ms, behind_ms) = zone_ms.map_or((ZONE_AHEAD_MS_MAX, ZONE_BEHIND_MS_MAX), |zone_ms| (zone_ms, -zone_ms));
    Some(Moment { text: text.to_owned(), earliest_unix_ms: local_ms - ahead_ms, latest_unix_ms: local_ms + behind_ms })
}

/// The bytes not yet read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Takes the next byte if it is one of `accepted`.
    fn take(&mut self, accepted: &[u8]) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        accepted.contains(&byte).then(|| {
            self.0 = rest;
            byte
        })
    }

    /// Takes exactly `count` digits as a number; `count` ≤ 4.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let mut number = 0;
        for _ in 0..count {
            number = number * 10 + i64::from(self.take(b"0123456789")? - b'0');
        }
        Some(number)
    }

    /// Takes `YYYY-MM-DD`, if there is such a day; returns its midnight in milliseconds since 1970-01-01.
    fn midnight_ms(&mut self) -> Option<i64> {
        let year = self.digits(4)?;
        self.take(b"-")?;
        let month = self.digits(2)?;
        self.take(b"-")?;
        let day = self.digits(2)?;
        let day = Day::from_civil(i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
        Some(i64::from(day.get()) * MS_PER_DAY)
    }

    /// Takes `hh:mm:ss` and a fraction; returns milliseconds since midnight, the whole day for `24:00:00`.
    fn time_of_day_ms(&mut self) -> Option<i64> {
        let hour = self.digits(2).filter(|hour| *hour <= 24)?;
        self.take(b":")?;
        let minute = self.digits(2).filter(|minute| *minute <= 59)?;
        self.take(b":")?;
        let second = self.digits(2).filter(|second| *second <= 59)?;
        let fraction_ms = if self.take(b".").is_some() { self.fraction_ms()? } else { 0 };
        let time_ms = hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * MS_PER_SECOND + fraction_ms;
        (time_ms <= MS_PER_DAY).then_some(time_ms)
    }

    /// Takes one or more digits of a fraction of a second; those below a millisecond are cut off.
    fn fraction_ms(&mut self) -> Option<i64> {
        let mut fraction_ms = self.digits(1)? * 100;
        let mut unit_ms = 10;
        while let Some(digit) = self.take(b"0123456789") {
            fraction_ms += i64::from(digit - b'0') * unit_ms;
            unit_ms /= 10;
        }
        Some(fraction_ms)
    }

    /// Takes `Z` or `±hh:mm`: `Some(Some(ms ahead of UTC))`; `Some(None)` where no zone begins.
    fn zone(&mut self) -> Option<Option<i64>> {
        if self.0.is_empty() {
            return Some(None);
        }
        if self.take(b"Zz").is_some() {
            return Some(Some(0));
        }
        let sign = if self.take(b"+-")? == b'-' { -1 } else { 1 };
        let hour = self.digits(2).filter(|hour| *hour <= 23)?;
        self.take(b":")?;
        let minute = self.digits(2).filter(|minute| *minute <= 59)?;
        Some(Some(sign * (hour * MS_PER_HOUR + minute * MS_PER_MINUTE)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn range(text: &str, edge: DayEdge) -> Option<(i64, i64)> {
        parse(text, edge).map(|moment| (moment.earliest_unix_ms, moment.latest_unix_ms))
    }

    fn instant(text: &str) -> Option<i64> {
        let (earliest, latest) = range(text, DayEdge::Start)?;
        assert_eq!(earliest, latest, "{text} has a zone and so is one instant");
        Some(earliest)
    }

    /// The expected numbers come from GNU `date -u -d TEXT +%s`.
    #[test]
    fn zoned_texts_are_instants() {
        for (text, unix_ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2010-01-01T00:00:00Z", 1_262_304_000_000),
            ("2023-09-27T13:54:17+02:00", 1_695_815_657_000),
            ("2022-11-10T07:38:00-08:00", 1_668_094_680_000),
            ("2024-02-29T23:59:59Z", 1_709_251_199_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2026-11-24t10:00:00z", 1_795_514_400_000),
            ("2026-11-24T10:00:00-00:00", 1_795_514_400_000),
            ("2026-11-24T24:00:00Z", 1_795_564_800_000),
            ("2026-11-24T24:00:00.000Z", 1_795_564_800_000),
            ("2026-12-31T23:59:59.9Z", 1_798_761_599_900),
            ("2026-12-31T23:59:59.9999999999Z", 1_798_761_599_999),
            ("2026-12-31T23:59:59.0001Z", 1_798_761_599_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("2026-11-24T10:00:00+23:59", 1_795_428_060_000),
            ("2026-11-24T10:00:00-23:59", 1_795_600_740_000),
        ] {
            assert_eq!(instant(text), Some(unix_ms), "{text}");
        }
    }

    #[test]
    fn texts_without_a_zone_are_ranges() {
        let midnight = 1_727_222_400_000; // 2024-09-25T00:00:00Z
        let (ahead, behind) = (14 * MS_PER_HOUR, 12 * MS_PER_HOUR);
        let expected = Some((midnight - ahead, midnight + behind));
        assert_eq!(range("2024-09-25T00:00:00", DayEdge::End), expected);
        assert_eq!(range("2024-09-25T00:00:00", DayEdge::Start), expected);
        assert_eq!(range("2024-09-25", DayEdge::Start), expected);
        assert_eq!(
            range("2024-09-25", DayEdge::End),
            Some((midnight + MS_PER_DAY - ahead, midnight + MS_PER_DAY + behind))
        );
        assert_eq!(range("2024-09-25Z", DayEdge::Start), Some((midnight, midnight)), "xsd:date with a zone");
    }

    #[test]
    fn other_texts_are_not_dates() {
        for text in [
            "",
            "x",
            "2026",
            "2026-11",
            "2026-1-24",
            "26-11-24",
            "2026-00-10",
            "2026-13-10",
            "2026-11-00",
            "2026-11-31",
            "2026-02-29",
            "1900-02-29",
            "2023-02-30",
            "2026-11-24T",
            "2026-11-24T10",
            "2026-11-24T10:00",
            "2026-11-24T10:00Z",
            "2026-11-24 10:00:00Z",
            "2026-11-24T10:00:00.Z",
            "2026-11-24T10:00:60Z",
            "2016-12-31T23:59:60Z",
            "2026-11-24T24:00:01Z",
            "2026-11-24T24:00:00.001Z",
            "2026-11-24T25:00:00Z",
            "2026-11-24T10:60:00Z",
            "2026-11-24T10:00:00+2400",
            "2026-11-24T10:00:00+24:00",
            "2026-11-24T10:00:00+04",
            "2026-11-24T10:00:00+04:60",
            "2026-11-24T10:00:00Zx",
            "2026-11-24T10:00:00Z ",
            " 2026-11-24T10:00:00Z",
            "-2026-11-24T10:00:00Z",
            "12026-11-24T10:00:00Z",
            "2026-11-24T10:00:00−04:00",
            "২০২৬-11-24T10:00:00Z",
            "2026-11-24T10:00:00,5Z",
            "24.11.2026",
            "1795514400",
            "2026-11-24T10:00:00.\0Z",
        ] {
            assert_eq!(parse(text, DayEdge::Start), None, "{text}");
        }
        let fraction_too_long = format!("2026-11-24T10:00:00.{}Z", "0".repeat(DATE_BYTES_MAX));
        assert_eq!(parse(&fraction_too_long, DayEdge::Start), None);
    }

    #[test]
    fn members_of_other_types_are_unreadable_and_missing_ones_absent() {
        let text = |value: &Value| StatedDate::from_text(Some(value), DayEdge::Start);
        assert_eq!(StatedDate::from_text(None, DayEdge::Start), StatedDate::Absent);
        assert_eq!(text(&json!(null)), StatedDate::Absent);
        for value in
            [json!(1), json!(true), json!([]), json!(["2026-11-24"]), json!({}), json!("soon"), json!({"@value": 3})]
        {
            assert_eq!(text(&value), StatedDate::Unreadable, "{value}");
        }
        assert_eq!(text(&json!({"@value": "1970-01-01T00:00:00Z"})).moment().map(Moment::earliest_unix_ms), Some(0));
    }

    #[test]
    fn seconds_are_read_up_to_year_9999() {
        let seconds = |value: Value| StatedDate::from_seconds(Some(&value)).moment().map(Moment::latest_unix_ms);
        assert_eq!(seconds(json!(0)), Some(0));
        assert_eq!(seconds(json!(1_262_304_000)), Some(1_262_304_000_000));
        assert_eq!(seconds(json!(1_262_304_000.75)), Some(1_262_304_000_000));
        assert_eq!(seconds(json!(1e9)), Some(1_000_000_000_000));
        assert_eq!(seconds(json!(UNIX_SECONDS_MAX)), Some(UNIX_SECONDS_MAX * 1000));
        for value in [
            json!(UNIX_SECONDS_MAX + 1),
            json!(-1),
            json!(-0.5),
            json!(1e300),
            json!(u64::MAX),
            json!("1262304000"),
            json!([]),
        ] {
            assert_eq!(StatedDate::from_seconds(Some(&value)), StatedDate::Unreadable, "{value}");
        }
        assert_eq!(StatedDate::from_seconds(None), StatedDate::Absent);
    }

    #[test]
    fn two_statements_both_count() {
        let stated = |text: &str| StatedDate::from_text(Some(&json!(text)), DayEdge::End);
        let (early, late, wide) =
            (stated("2024-01-01T00:00:00Z"), stated("2025-01-01T00:00:00Z"), stated("2024-01-01T00:00:00"));
        assert_eq!(late.clone().and(early.clone(), Moment::first), early);
        assert_eq!(early.clone().and(late.clone(), Moment::first), early);
        assert_eq!(early.clone().and(late.clone(), Moment::last), late);
        assert_eq!(early.clone().and(StatedDate::Absent, Moment::last), early);
        assert_eq!(StatedDate::Absent.and(early.clone(), Moment::last), early);
        assert_eq!(early.clone().and(StatedDate::Unreadable, Moment::last), StatedDate::Unreadable);
        assert_eq!(StatedDate::Absent.and(StatedDate::Unreadable, Moment::last), StatedDate::Unreadable);
        let mixed = early.clone().and(wide.clone(), Moment::first);
        let (early, wide, mixed) =
            (early.moment().expect("read"), wide.moment().expect("read"), mixed.moment().expect("read").clone());
        assert_eq!(mixed.latest_unix_ms, early.latest_unix_ms, "past for everybody once the earlier end is past");
        assert_eq!(mixed.earliest_unix_ms, wide.earliest_unix_ms, "perhaps past as soon as one may be");
    }
}
