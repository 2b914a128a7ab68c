//! Whose turn it is, told from committed headers: the rule of the protocol written down a second time, for the checkers.

use std::collections::BTreeMap;

use sigeli_verifier::{block::Header, ids::ValidatorAddress, validators::ValidatorSet};

/// Turns missed in a row, and the first height with an ordinary turn again.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    missed: BTreeMap<ValidatorAddress, (u32, u64)>,
}

impl Turns {
    /// Who must have built the block that this header describes, as far as its round goes; and counts its turns.
    pub(super) fn on_header(&mut self, header: &Header, set: &ValidatorSet) -> Option<ValidatorAddress> {
        let height = header.height.get();
        let is_back = |who: &ValidatorAddress| self.missed.get(who).is_some_and(|(_, until)| height < *until);
        let all: Vec<_> = set.validators().iter().map(|validator| validator.address()).collect();
        let turned = |back: bool| {
            let part: Vec<_> = all.iter().filter(|who| is_back(who) == back).copied().collect();
            let start = usize::try_from(height).ok().and_then(|height| height.checked_rem(part.len())).unwrap_or(0);
            part.iter().cycle().skip(start).take(part.len()).copied().collect::<Vec<_>>()
        };
        let order = [turned(false), turned(true)].concat();
        let round = usize::try_from(header.round.get()).unwrap_or(usize::MAX);
        let builder = order.get(round.checked_rem(order.len())?).copied();
        self.missed.retain(|who, _| order.contains(who));
        for who in order.iter().take(round) {
            let (count, until) = self.missed.entry(*who).or_default();
            *count = count.saturating_add(1).min(8);
            *until = height.saturating_add(1).saturating_add(2_u64.saturating_pow(*count));
        }
        self.missed.remove(&header.creator);
        builder
    }
}
