//! How many documents got which verdict, and why.

use std::collections::BTreeMap;

use sigeli_verifier::verdict::{CheckId, CheckState, Verdict};

use super::Outcome;

/// The verdicts from the worst on. What is not genuine outweighs everything; what could not be checked might be not genuine;
/// what has ended is known to be genuine.
pub const WORST_FIRST: [Verdict; 4] = [Verdict::NotGenuine, Verdict::Unchecked, Verdict::Ended, Verdict::Valid];

/// The worse of two verdicts, as [`WORST_FIRST`] has it.
#[must_use]
pub fn worse(one: Verdict, other: Verdict) -> Verdict {
    let is_either = |verdict: &Verdict| *verdict == one || *verdict == other;
    WORST_FIRST.into_iter().find(is_either).unwrap_or(one)
}

/// Counts over many documents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    count: u64,
    verdicts: BTreeMap<Verdict, u64>,
    /// By line and code: what keeps documents from being valid, and what is said beside.
    findings: BTreeMap<(CheckId, &'static str), u64>,
    is_test: bool,
}

impl Tally {
    /// Counts a document.
    pub fn add(&mut self, outcome: &Outcome) {
        self.count += 1;
        *self.verdicts.entry(outcome.verdict).or_default() += 1;
        for check in &outcome.checks {
            let is_silent = check.finding.state() == CheckState::Pass || check.finding.code() == "not_reached";
            // The seal's line never changes a verdict.
            if !is_silent && check.id != CheckId::Seal {
                *self.findings.entry((check.id, check.finding.code())).or_default() += 1;
            }
        }
        self.is_test |= outcome.facts.as_ref().is_some_and(|facts| facts.ledger_kind == "test");
    }

    /// How many documents were counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How many got a verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or(0)
    }

    /// The findings that are not passed, with how many documents have each; in order of line and code.
    pub fn findings(&self) -> impl Iterator<Item = (CheckId, &'static str, u64)> {
        self.findings.iter().map(|((id, code), count)| (*id, *code, *count))
    }

    /// Whether any document is confirmed by a test ledger.
    #[must_use]
    pub const fn is_test(&self) -> bool {
        self.is_test
    }

    /// The worst verdict; `None` without documents.
    #[must_use]
    pub fn worst(&self) -> Option<Verdict> {
        self.verdicts.keys().copied().reduce(worse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_have_one_order_of_badness() {
        use Verdict::{Ended, NotGenuine, Unchecked, Valid};
        for (one, other, expected) in [
            (Valid, Valid, Valid),
            (Valid, Ended, Ended),
            (Ended, Unchecked, Unchecked),
            (Unchecked, NotGenuine, NotGenuine),
            (Valid, NotGenuine, NotGenuine),
            (Valid, Unchecked, Unchecked),
            (Ended, NotGenuine, NotGenuine),
        ] {
            assert_eq!((worse(one, other), worse(other, one)), (expected, expected));
        }
        assert_eq!(Tally::default().worst(), None);
    }
}
