//! Ledger time and civil days. Dates on the ledger are days in Tbilisi (UTC+4, no summer time), both ends inclusive.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::TimeMs,
};

const TBILISI_OFFSET_MS: i64 = 4 * 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A civil day: days since 1970-01-01, proleptic Gregorian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// Wraps the number of days since 1970-01-01.
    #[must_use]
    pub const fn new(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The day in Tbilisi at this moment. Saturates far outside any real date.
    #[must_use]
    pub fn of(time: TimeMs) -> Self {
        let local = i64::try_from(time.get()).unwrap_or(i64::MAX).saturating_add(TBILISI_OFFSET_MS);
        Self(i32::try_from(local.div_euclid(DAY_MS)).unwrap_or(i32::MAX))
    }

    /// The day of a civil date, if it exists (year −9999..=9999).
    #[must_use]
    pub fn from_civil(year: i32, month: u8, day: u8) -> Option<Self> {
        if !(-9_999..=9_999).contains(&year)
            || !(1..=12).contains(&month)
            || day == 0
            || day > days_in_month(year, month)
        {
            return None;
        }
        // Days from civil, H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", §days_from_civil.
        let shifted = if month <= 2 { year.checked_sub(1)? } else { year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let month_shifted = i32::from(month).checked_add(9)?.rem_euclid(12);
        let day_of_year = month_shifted
            .checked_mul(153)?
            .checked_add(2)?
            .checked_div(5)?
            .checked_add(i32::from(day))?
            .checked_sub(1)?;
        let leap_days = year_of_era.checked_div(4)?.checked_sub(year_of_era.checked_div(100)?)?;
        let day_of_era = year_of_era.checked_mul(365)?.checked_add(leap_days)?.checked_add(day_of_year)?;
        era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468).map(Self)
    }

    /// The civil date: year, month 1..=12, day 1..=31.
    #[must_use]
    pub fn civil(self) -> (i32, u8, u8) {
        // Civil from days, same source.
        let shifted = i64::from(self.0).saturating_add(719_468);
        let era = shifted.div_euclid(146_097);
        let doe = shifted.rem_euclid(146_097);
        let step = |value: i64, by: i64| value.checked_div(by).unwrap_or(0);
        let yoe = step(
            doe.saturating_sub(step(doe, 1_460)).saturating_add(step(doe, 36_524)).saturating_sub(step(doe, 146_096)),
            365,
        );
        let year_days = yoe.saturating_mul(365).saturating_add(step(yoe, 4)).saturating_sub(step(yoe, 100));
        let doy = doe.saturating_sub(year_days);
        let mp = step(doy.saturating_mul(5).saturating_add(2), 153);
        let day = doy.saturating_sub(step(mp.saturating_mul(153).saturating_add(2), 5)).saturating_add(1);
        let month = if mp < 10 { mp.saturating_add(3) } else { mp.saturating_sub(9) };
        let year = yoe.saturating_add(era.saturating_mul(400)).saturating_add(i64::from(month <= 2));
        (i32::try_from(year).unwrap_or(i32::MAX), u8::try_from(month).unwrap_or(0), u8::try_from(day).unwrap_or(0))
    }
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(formatter, "{year:04}-{month:02}-{day:02}")
    }
}

impl Encode for Day {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }
}

impl Decode for Day {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.i32("day").map(Self)
    }
}

/// A window of days, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    first: Day,
    last: Day,
}

impl Window {
    /// A window whose first day is not after its last.
    #[must_use]
    pub fn new(first: Day, last: Day) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The first day.
    #[must_use]
    pub const fn first(self) -> Day {
        self.first
    }

    /// The last day.
    #[must_use]
    pub const fn last(self) -> Day {
        self.last
    }

    /// Whether the day lies inside.
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        self.first <= day && day <= self.last
    }
}

impl Encode for Window {
    fn encode(&self, out: &mut Vec<u8>) {
        self.first.encode(out);
        self.last.encode(out);
    }
}

impl Decode for Window {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = Day::decode(reader)?;
        let last = Day::decode(reader)?;
        Self::new(first, last).ok_or(DecodeError::NonCanonical { field: "window" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_round_trip_and_match_known_days() {
        assert_eq!(Day::from_civil(1970, 1, 1), Some(Day::new(0)));
        assert_eq!(Day::from_civil(2000, 3, 1), Some(Day::new(11_017)));
        assert_eq!(Day::from_civil(2023, 2, 29), None);
        assert_eq!(Day::from_civil(2024, 2, 29).map(Day::civil), Some((2024, 2, 29)));
        assert_eq!(Day::from_civil(2026, 13, 1), None);
        assert_eq!(Day::from_civil(2026, 4, 31), None);
        for days in (-1_000_000..1_000_000).step_by(997) {
            let (year, month, day) = Day::new(days).civil();
            assert_eq!(Day::from_civil(year, month, day), Some(Day::new(days)));
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_tbilisi() {
        let midnight = 20 * 60 * 60 * 1_000; // 20:00 UTC on 1970-01-01
        assert_eq!(Day::of(TimeMs::new(midnight - 1)), Day::new(0));
        assert_eq!(Day::of(TimeMs::new(midnight)), Day::new(1));
    }
}
