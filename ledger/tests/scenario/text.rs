//! From the text of a file to scenarios and their lines.

use sigeli_verifier::{ids::TimeMs, time::Day};

use crate::words::Words;

/// One file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) scenarios: Vec<Scenario>,
}

/// One independent story: where it starts, and what happens.
#[derive(Debug, Default)]
pub(crate) struct Scenario {
    pub(crate) title: String,
    pub(crate) line: usize,
    /// Title of the starting position; none is an empty ledger.
    pub(crate) start: Option<String>,
    /// Limits that differ from those of the starting position.
    pub(crate) policy: Vec<(usize, Words)>,
    pub(crate) steps: Vec<Step>,
}

/// When a line happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// In a new block at this time.
    At(TimeMs),
    /// In a new block, a second after the one before.
    Next,
    /// In the block of the line before.
    Same,
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) when: When,
    pub(crate) words: Words,
    /// What stands in brackets: how the transaction is sent.
    pub(crate) sent: Words,
    /// The answer expected; none for lines that ask for nothing.
    pub(crate) expected: Option<String>,
}

/// Reads a file.
pub(crate) fn parse(name: &str, text: &str) -> Result<Document, String> {
    let mut reader = Reader::default();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.split('#').next().unwrap_or("").trim();
        if !content.is_empty() {
            reader.line(line, content).map_err(|error| format!("{name}:{line}: {error}"))?;
        }
    }
    if reader.repeated.is_some() {
        return Err(format!("{name}: a repetition has no end"));
    }
    Ok(Document { name: name.to_owned(), scenarios: reader.scenarios })
}

#[derive(Default)]
struct Reader {
    scenarios: Vec<Scenario>,
    /// How often the lines that are being read happen, and the lines.
    repeated: Option<(usize, Vec<Step>)>,
}

impl Reader {
    fn line(&mut self, line: usize, content: &str) -> Result<(), String> {
        if let Some(title) = content.strip_prefix("Scenario:") {
            let title = title.trim().to_owned();
            self.scenarios.push(Scenario { title, line, ..Scenario::default() });
            return Ok(());
        }
        let scenario = self.scenarios.last_mut().ok_or("a file begins with a line \"Scenario: …\"")?;
        if let Some(start) = content.strip_prefix("Start:") {
            scenario.start = Some(start.trim().to_owned());
        } else if let Some(policy) = content.strip_prefix("Policy:") {
            scenario.policy.push((line, Words::read(policy)?));
        } else if let Some(times) = content.strip_prefix("Repeat ").and_then(|rest| rest.strip_suffix(" times:")) {
            let times = times.parse().map_err(|_| format!("{times} is no number"))?;
            if self.repeated.replace((times, Vec::new())).is_some() {
                return Err("a repetition within another".to_owned());
            }
        } else if content == "End of repetition" {
            let (times, steps) = self.repeated.take().ok_or("there is no repetition")?;
            scenario.steps.extend((0..times).flat_map(|_| steps.iter().cloned()));
        } else {
            let step = step(line, content)?;
            match &mut self.repeated {
                Some((_, steps)) => steps.push(step),
                None => scenario.steps.push(step),
            }
        }
        Ok(())
    }
}

fn step(line: usize, content: &str) -> Result<Step, String> {
    let (content, expected) = match content.rsplit_once("->") {
        Some((content, code)) => (content.trim(), Some(code.trim().to_owned())),
        None => (content, None),
    };
    let (content, sent) = match content.split_once('[') {
        Some((content, sent)) => (content, sent.strip_suffix(']').ok_or("a bracket is not closed")?),
        None => (content, ""),
    };
    let (first, rest) = content.split_once(' ').unwrap_or((content, ""));
    let (when, action) = match first {
        "next" => (When::Next, rest),
        "and" => (When::Same, rest),
        // What is read or planted belongs to no block.
        "check" | "plant" => (When::Same, content),
        _ => {
            let day = day(first)?;
            let rest = rest.trim_start();
            let (clock, action) = rest.split_once(' ').unwrap_or((rest, ""));
            match clock_ms(clock) {
                Some(ms) => (When::At(moment(day, ms)), action),
                None => (When::At(moment(day, NOON_MS)), rest),
            }
        }
    };
    Ok(Step { line, when, words: Words::read(action)?, sent: Words::read(sent)?, expected })
}

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const NOON_MS: i64 = DAY_MS / 2;
const TBILISI_OFFSET_MS: i64 = 4 * 60 * 60 * 1_000;

/// This many milliseconds after midnight in Tbilisi.
fn moment(day: Day, ms: i64) -> TimeMs {
    TimeMs::new(u64::try_from(i64::from(day.get()) * DAY_MS + ms - TBILISI_OFFSET_MS).unwrap())
}

/// A day such as `2027-06-30`.
pub(crate) fn day(text: &str) -> Result<Day, String> {
    let parts: Vec<_> = text.split('-').collect();
    let found = match parts.as_slice() {
        [year, month, day] if year.len() == 4 && month.len() == 2 && day.len() == 2 => {
            let civil = (year.parse().ok(), month.parse().ok(), day.parse().ok());
            if let (Some(year), Some(month), Some(day)) = civil { Day::from_civil(year, month, day) } else { None }
        }
        _ => None,
    };
    found.ok_or_else(|| format!("{text:?} is no day such as 2027-06-30"))
}

/// Milliseconds after midnight: `09:30`, `09:30:15` or `09:30:15.250`.
fn clock_ms(text: &str) -> Option<i64> {
    let (clock, ms) = text.split_once('.').unwrap_or((text, "0"));
    let parts = clock.split(':').map(str::parse::<i64>).collect::<Result<Vec<_>, _>>().ok()?;
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, 0),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    let ms: i64 = ms.parse().ok()?;
    let sound = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    (sound && (0..1_000).contains(&ms)).then_some(((hour * 60 + minute) * 60 + second) * 1_000 + ms)
}

/// A moment such as `2027-06-30 12:00`, of two words.
pub(crate) fn moment_of(date: &str, clock: &str) -> Result<TimeMs, String> {
    let ms = clock_ms(clock).ok_or_else(|| format!("{clock:?} is no time of day such as 09:30"))?;
    Ok(moment(day(date)?, ms))
}
