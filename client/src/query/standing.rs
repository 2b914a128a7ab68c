//! Where a permission stands on a day, from its record and its whole history. Pure: the same verified records always give
//! the same answer, whatever the node that sent them thinks.

use sigeli_verifier::{
    ids::{PermissionId, TimeMs},
    record::{
        PermissionEntry, PermissionRecord, PermissionStanding, PermissionStandings, PermissionState, standing_on,
    },
    time::Day,
};

/// A permission as a register holds it: its number, its record, and all entries of its history, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    number: PermissionId,
    record: PermissionRecord,
    history: Vec<PermissionEntry>,
}

/// A record and a history that cannot belong together: the register was not written by the ledger's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record and history of permission {number} contradict each other")]
pub struct Contradiction {
    /// The permission.
    pub number: PermissionId,
}

/// Where a permission stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its days have not begun.
    NotYet {
        /// Its first day.
        first: Day,
    },
    /// It holds.
    Holds,
    /// It is suspended.
    Suspended {
        /// The first day of that.
        since: Day,
    },
    /// It was withdrawn.
    Withdrawn {
        /// The first day of that.
        since: Day,
    },
    /// Another one took its place.
    Replaced {
        /// Which.
        by: PermissionId,
        /// The first day of that.
        since: Day,
    },
    /// Its withdrawal was annulled, and another one took its place.
    Restored {
        /// Which.
        by: PermissionId,
        /// The first day of that.
        since: Day,
    },
    /// Its days have passed.
    Expired {
        /// Its last day.
        last: Day,
    },
}

impl Standing {
    /// One word for programs and lists.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotYet { .. } => "not_yet",
            Self::Holds => "active",
            Self::Suspended { .. } => "suspended",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Replaced { .. } => "replaced",
            Self::Restored { .. } => "restored",
            Self::Expired { .. } => "expired",
        }
    }

    /// The permission that stands in its place.
    #[must_use]
    pub const fn successor(self) -> Option<PermissionId> {
        match self {
            Self::Replaced { by, .. } | Self::Restored { by, .. } => Some(by),
            Self::NotYet { .. }
            | Self::Holds
            | Self::Suspended { .. }
            | Self::Withdrawn { .. }
            | Self::Expired { .. } => None,
        }
    }

    /// In a few words, in English.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::NotYet { first } => format!("not in force before {first}"),
            Self::Holds => "in force".to_owned(),
            Self::Suspended { since } => format!("suspended since {since}"),
            Self::Withdrawn { since } => format!("withdrawn since {since}"),
            Self::Replaced { by, since } => format!("replaced by permission {by} since {since}"),
            Self::Restored { by, since } => {
                format!("withdrawn from {since}, which was annulled: permission {by} stands in its place")
            }
            Self::Expired { last } => format!("expired: {last} was its last day"),
        }
    }
}

impl Held {
    /// Takes a permission.
    ///
    /// # Errors
    /// [`Contradiction`] when the history is not as long as the record says, does not begin with the grant on the first day
    /// of the window, goes back in time, or does not lead to where the record says the permission stands.
    pub fn new(
        number: PermissionId,
        record: PermissionRecord,
        history: Vec<PermissionEntry>,
    ) -> Result<Self, Contradiction> {
        let counted = u32::try_from(history.len()) == Ok(record.entries);
        let begins = history.first().is_some_and(|first| {
            first.effective == record.window.first()
                && first.state == PermissionState::Active
                && first.height == record.granted
                && first.decision == record.decision
                && first.authority == record.authority
        });
        let ordered = history.is_sorted_by(|left, right| left.height <= right.height && left.time <= right.time);
        if counted && begins && ordered && replayed(&history).as_ref() == Some(&record.standing) {
            Ok(Self { number, record, history })
        } else {
            Err(Contradiction { number })
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> PermissionId {
        self.number
    }

    /// Its record.
    #[must_use]
    pub const fn record(&self) -> &PermissionRecord {
        &self.record
    }

    /// Its history, oldest entry first; at least the grant.
    #[must_use]
    pub fn history(&self) -> &[PermissionEntry] {
        &self.history
    }

    /// The entries that the ledger held at a time: all whose block is not later.
    #[must_use]
    pub fn known_at(&self, time: TimeMs) -> &[PermissionEntry] {
        let count = self.history.partition_point(|entry| entry.time <= time);
        &self.history[..count]
    }

    /// Where it stands on a day, by all that was written about it until now, decisions with effect for the past included.
    #[must_use]
    pub fn standing(&self, day: Day) -> Standing {
        self.standing_by(&self.history, day)
    }

    /// Where it stood on a day by what the ledger held at a time; `None` when it had not been granted by then.
    #[must_use]
    pub fn standing_known_at(&self, day: Day, time: TimeMs) -> Option<Standing> {
        let known = self.known_at(time);
        (!known.is_empty()).then(|| self.standing_by(known, day))
    }

    fn standing_by(&self, history: &[PermissionEntry], day: Day) -> Standing {
        let window = self.record.window;
        if day < window.first() {
            return Standing::NotYet { first: window.first() };
        }
        // The grant counts from the first day of the window, so that there is an entry from here on.
        let Some(entry) = standing_on(history, day) else { return Standing::NotYet { first: window.first() } };
        let since = entry.effective;
        match entry.state {
            PermissionState::Suspended => Standing::Suspended { since },
            PermissionState::Withdrawn => Standing::Withdrawn { since },
            PermissionState::Replaced { by } => Standing::Replaced { by, since },
            PermissionState::Restored { by } => Standing::Restored { by, since },
            PermissionState::Active if day > window.last() => Standing::Expired { last: window.last() },
            PermissionState::Active => Standing::Holds,
        }
    }

    /// The last day on which it holds or may hold again by what is written so far: the day before it was withdrawn or
    /// replaced, or the end of its window, whichever comes first. May lie before its first day, when it never held.
    #[must_use]
    pub fn last_day(&self) -> Day {
        let last = self.record.window.last();
        let ended = self.record.standing.newest().filter(|newest| newest.state.is_end());
        ended.map_or(last, |ended| last.min(Day::new(ended.effective.get().saturating_sub(1))))
    }
}

/// Where a history leads, each entry on the day on which it was written. `None` for one that the ledger's rules do not
/// allow: it is empty, tells the past otherwise than it was, or announces too much.
fn replayed(history: &[PermissionEntry]) -> Option<PermissionStandings> {
    let (first, changes) = history.split_first()?;
    let granted = PermissionStandings::granted(first.effective, first.reason);
    changes.iter().try_fold(granted, |standing, entry| {
        let today = Day::of(entry.time);
        let PermissionEntry { effective, state, reason, .. } = *entry;
        let earliest = standing.earliest(today).filter(|earliest| *earliest <= effective);
        earliest.and_then(|_| standing.changed(PermissionStanding { effective, state, reason }, today).ok())
    })
}

/// Where a permission stands on a day, in words. Where another stands in its place, and that one does not hold either, this
/// says what became of it: of the last in the row, as far as the list reaches.
#[must_use]
pub fn told(permissions: &[Held], held: &Held, day: Day) -> String {
    let standing = held.standing(day);
    let mut words = standing.words();
    let (mut next, mut seen) = (standing.successor(), 0);
    while let Some(number) = next.filter(|_| seen < permissions.len()) {
        let Some(other) = permissions.iter().find(|other| other.number() == number) else { break };
        let standing = other.standing(day);
        next = standing.successor();
        seen += 1;
        if next.is_none() && standing != Standing::Holds {
            words.push_str(&format!("; permission {number}: {}", standing.words()));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigeli_verifier::transaction::DecisionReason;

    use crate::query::examples::{day, entry, grant, held, noon};

    #[test]
    fn the_days_at_each_edge() {
        let plain = held(1, grant("2026-09-01", "2027-08-31"), &[]);
        assert_eq!(plain.standing(day("2026-08-31")), Standing::NotYet { first: day("2026-09-01") });
        assert_eq!(plain.standing(day("2026-09-01")), Standing::Holds);
        assert_eq!(plain.standing(day("2027-08-31")), Standing::Holds);
        assert_eq!(plain.standing(day("2027-09-01")), Standing::Expired { last: day("2027-08-31") });
        assert_eq!(plain.last_day(), day("2027-08-31"));

        let since = |text| Standing::Suspended { since: day(text) };
        let changed = held(
            1,
            grant("2026-09-01", "2027-08-31"),
            &[
                entry(10, "2026-11-24", PermissionState::Suspended, "2026-12-01"),
                entry(11, "2026-12-20", PermissionState::Active, "2027-01-01"),
                entry(12, "2027-02-01", PermissionState::Withdrawn, "2027-01-15"),
            ],
        );
        assert_eq!(changed.standing(day("2026-11-30")), Standing::Holds, "a later day does not count yet");
        assert_eq!(changed.standing(day("2026-12-01")), since("2026-12-01"));
        assert_eq!(changed.standing(day("2026-12-31")), since("2026-12-01"));
        assert_eq!(changed.standing(day("2027-01-01")), Standing::Holds);
        assert_eq!(changed.standing(day("2027-01-14")), Standing::Holds);
        assert_eq!(changed.standing(day("2027-01-15")), Standing::Withdrawn { since: day("2027-01-15") });
        assert_eq!(changed.standing(day("2028-01-01")).word(), "withdrawn", "the end of its days changes nothing");
        assert_eq!(changed.last_day(), day("2027-01-14"));
    }

    #[test]
    fn what_is_decided_later_for_the_past_was_not_known_before() {
        let changed = held(
            1,
            grant("2026-09-01", "2027-08-31"),
            &[entry(12, "2027-02-01", PermissionState::Withdrawn, "2027-01-15")],
        );
        let written = changed.history()[1].time;
        let before = TimeMs::new(written.get() - 1);
        assert_eq!(changed.standing_known_at(day("2027-01-20"), before), Some(Standing::Holds));
        assert_eq!(changed.standing_known_at(day("2027-01-20"), written).unwrap().word(), "withdrawn");
        assert_eq!(changed.standing_known_at(day("2027-01-20"), TimeMs::new(0)), None);
    }

    #[test]
    fn entries_of_one_day_count_in_order() {
        let changed = held(
            1,
            grant("2026-09-01", "2027-08-31"),
            &[
                entry(10, "2026-11-24", PermissionState::Suspended, "2026-11-24"),
                entry(11, "2026-11-24", PermissionState::Active, "2026-11-24"),
            ],
        );
        assert_eq!(changed.standing(day("2026-11-24")), Standing::Holds);
    }

    #[test]
    fn withdrawn_before_it_began_it_never_held() {
        let changed = held(
            1,
            grant("2026-09-01", "2027-08-31"),
            &[entry(10, "2026-08-01", PermissionState::Withdrawn, "2026-09-01")],
        );
        assert_eq!(changed.standing(day("2026-08-31")).word(), "not_yet");
        assert_eq!(changed.standing(day("2026-09-01")).word(), "withdrawn");
        assert_eq!(changed.last_day(), day("2026-08-31"));
    }

    #[test]
    fn an_end_cancels_what_was_announced_and_is_taken_back_before_its_day() {
        let mut changes = vec![
            entry(10, "2026-11-24", PermissionState::Suspended, "2027-02-01"),
            entry(11, "2026-11-25", PermissionState::Withdrawn, "2027-01-15"),
        ];
        let ended = held(1, grant("2026-09-01", "2027-08-31"), &changes);
        assert_eq!(ended.standing(day("2027-02-01")), Standing::Withdrawn { since: day("2027-01-15") });
        assert_eq!(ended.last_day(), day("2027-01-14"));
        changes.push(entry(12, "2027-01-14", PermissionState::Active, "2027-01-15"));
        let back = held(1, grant("2026-09-01", "2027-08-31"), &changes);
        assert_eq!(back.standing(day("2027-02-01")), Standing::Holds);
        assert_eq!(back.last_day(), day("2027-08-31"));
        let before = noon("2027-01-13");
        assert_eq!(back.standing_known_at(day("2027-01-15"), before).unwrap().word(), "withdrawn");
    }

    #[test]
    fn what_became_of_the_one_in_its_place_is_told() {
        let restored = PermissionState::Restored { by: PermissionId::new(2) };
        let first = [
            entry(10, "2026-11-01", PermissionState::Withdrawn, "2026-11-01"),
            entry(11, "2026-11-02", restored, "2026-11-01"),
        ];
        let second = entry(12, "2026-12-01", PermissionState::Withdrawn, "2026-12-01");
        let of = |second: &[PermissionEntry]| {
            vec![held(1, grant("2026-09-01", "2027-08-31"), &first), held(2, grant("2026-09-01", "2027-08-31"), second)]
        };
        let words = "withdrawn from 2026-11-01, which was annulled: permission 2 stands in its place";
        let holds = of(&[]);
        assert_eq!(told(&holds, &holds[0], day("2026-12-01")), words);
        let again = of(&[second]);
        assert_eq!(told(&again, &again[0], day("2026-11-30")), words);
        let more = format!("{words}; permission 2: withdrawn since 2026-12-01");
        assert_eq!(told(&again, &again[0], day("2026-12-01")), more);
        assert_eq!(told(&again[..1], &again[0], day("2026-12-01")), words, "what is not known is not told");
        assert_eq!(told(&again, &again[1], day("2026-12-01")), "withdrawn since 2026-12-01");
    }

    #[test]
    fn a_history_that_is_not_the_records_is_refused() {
        let good = held(
            1,
            grant("2026-09-01", "2027-08-31"),
            &[
                entry(10, "2026-11-24", PermissionState::Suspended, "2026-12-01"),
                entry(11, "2026-12-20", PermissionState::Active, "2027-01-01"),
            ],
        );
        let (record, history) = (good.record().clone(), good.history().to_vec());
        let refused = |record: &PermissionRecord, history: Vec<PermissionEntry>| {
            Held::new(PermissionId::new(1), record.clone(), history)
                .expect_err("record and history do not belong together");
        };
        refused(&record, history[..2].to_vec());
        refused(&record, history[1..].to_vec());
        refused(&record, Vec::new());
        let mut otherwise = history.clone();
        otherwise[1].effective = day("2026-12-02");
        refused(&record, otherwise);
        let mut backwards = history.clone();
        backwards.swap(1, 2);
        refused(&record, backwards);
        let mut other = record.clone();
        other.standing = PermissionStandings::granted(day("2026-09-01"), DecisionReason::Granted);
        refused(&other, history.clone());
        let mut begins_late = history;
        begins_late[0].effective = day("2026-09-02");
        refused(&record, begins_late);
    }
}
