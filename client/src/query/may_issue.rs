//! What an institution may issue on a day: the rules under which the ledger takes a batch, asked before there is one.
//!
//! Pure, over verified records, and written from the rules (`docs/protocol.md` §6), not from the ledger's program.

use std::collections::BTreeSet;

use sigeli_verifier::{
    ids::{EctsTenths, KeyIndex, PermissionId, TimeMs},
    params::PERMISSIONS_JUDGED_MAX,
    record::{InstitutionFacts, KeyRecord, KeyState, Policy, Usage},
    time::Day,
    transaction::{Accreditation, FieldPrefix, FieldPrefixes, KeyPurposes, Levels, PermissionScope},
};

use super::standing::{Held, Standing};

/// All that the answer depends on. Every record was verified under one block.
#[derive(Debug, Clone, Copy)]
pub struct Holdings<'a> {
    /// The block's time: today is its day.
    pub time: TimeMs,
    /// What the institution's record says.
    pub facts: &'a InstitutionFacts,
    /// All its keys.
    pub keys: &'a [(KeyIndex, KeyRecord)],
    /// All its permissions, in order of number.
    pub permissions: &'a [Held],
    /// The policy.
    pub policy: &'a Policy,
    /// What it has used of its quotas; none when it never wrote anything.
    pub usage: Option<Usage>,
}

/// Why something cannot be issued today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The institution is closed.
    Closed {
        /// The first day of that.
        from: Day,
    },
    /// No key of the institution may anchor batches today.
    NoKey,
    /// All batches of the day are used.
    QuotaUsed {
        /// How many a day there are.
        quota: u32,
    },
    /// It was never authorised.
    NeverAuthorised,
    /// No authorisation holds; the newest one stands like this.
    NotAuthorised {
        /// The newest one.
        newest: PermissionId,
        /// Where it stands.
        standing: Standing,
    },
    /// It never had an order of the Minister, and the policy asks for one.
    NeverOrdered,
    /// No order of the Minister holds; the newest one stands like this.
    NotOrdered {
        /// The newest one.
        newest: PermissionId,
        /// Where it stands.
        standing: Standing,
    },
    /// The accreditation does not hold.
    NotAccredited {
        /// Where it stands.
        standing: Standing,
    },
    /// No order that holds covers the accreditation's level.
    LevelNotOrdered,
    /// No order that holds covers a field of the accreditation at its level.
    FieldNotOrdered,
    /// The accreditation allows fewer credits than the policy asks for at least.
    CreditsBelowPolicy {
        /// The least of the policy at that level.
        least: EctsTenths,
        /// The most of the accreditation.
        most: EctsTenths,
    },
}

impl Obstacle {
    /// A stable word for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "institution_closed",
            Self::NoKey => "no_anchoring_key",
            Self::QuotaUsed { .. } => "quota_used",
            Self::NeverAuthorised => "never_authorised",
            Self::NotAuthorised { .. } => "not_authorised",
            Self::NeverOrdered => "never_ordered",
            Self::NotOrdered { .. } => "not_ordered",
            Self::NotAccredited { .. } => "not_accredited",
            Self::LevelNotOrdered => "level_not_ordered",
            Self::FieldNotOrdered => "field_not_ordered",
            Self::CreditsBelowPolicy { .. } => "credits_below_policy",
        }
    }

    /// In a sentence, in English.
    #[must_use]
    pub fn words(&self) -> String {
        use crate::values::ects_text;
        match self {
            Self::Closed { from } => format!("the institution is closed since {from}"),
            Self::NoKey => "no key of the institution may anchor batches today".to_owned(),
            Self::QuotaUsed { quota } => format!("today's {quota} batches are used; the next day begins in Tbilisi"),
            Self::NeverAuthorised => "the institution was never authorised".to_owned(),
            Self::NotAuthorised { newest, standing } => {
                format!("no authorisation is in force (permission {newest}: {})", standing.words())
            }
            Self::NeverOrdered => "there is no order of the Minister for this institution".to_owned(),
            Self::NotOrdered { newest, standing } => {
                format!("no order of the Minister is in force (permission {newest}: {})", standing.words())
            }
            Self::NotAccredited { standing } => format!("the accreditation is not in force: {}", standing.words()),
            Self::LevelNotOrdered => "no order of the Minister in force covers this level".to_owned(),
            Self::FieldNotOrdered => "no order of the Minister in force covers these fields at this level".to_owned(),
            Self::CreditsBelowPolicy { least, most } => format!(
                "the policy asks for at least {} ECTS at this level, and the accreditation allows at most {}",
                ects_text(*least),
                ects_text(*most)
            ),
        }
    }
}

/// What may be issued under one accreditation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme<'a> {
    /// The accreditation's number.
    pub number: PermissionId,
    /// What it says.
    pub accreditation: &'a Accreditation,
    /// Why nothing may be issued under it today; empty when something may.
    pub obstacles: Vec<Obstacle>,
    /// The fields that may be stated: those of the accreditation that orders in force cover, as ISCED-F prefixes.
    pub fields: Vec<FieldPrefix>,
    /// The fewest credits that may be stated.
    pub ects_min: EctsTenths,
    /// The most credits that may be stated.
    pub ects_max: EctsTenths,
    /// The dates of issue that may be stated, both inclusive; none when nothing may be issued.
    pub issued: Option<(Day, Day)>,
    /// The orders that cover it, newest first; empty where the policy asks for none.
    pub orders: Vec<PermissionId>,
}

/// What an institution may issue on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayIssue<'a> {
    /// The day.
    pub day: Day,
    /// What stands against everything; empty when it may issue under the programmes that have no obstacles of their own.
    pub obstacles: Vec<Obstacle>,
    /// The authorisation that is in force.
    pub authorisation: Option<PermissionId>,
    /// How many batches it may still anchor today.
    pub batches_left: u32,
    /// Its accreditations, in order of number.
    pub programmes: Vec<Programme<'a>>,
}

impl MayIssue<'_> {
    /// Whether anything may be issued.
    #[must_use]
    pub fn anything(&self) -> bool {
        self.obstacles.is_empty() && self.programmes.iter().any(|programme| programme.obstacles.is_empty())
    }
}

/// What an institution may issue on the day of a block.
#[must_use]
pub fn may_issue<'a>(holdings: &Holdings<'a>) -> MayIssue<'a> {
    let day = Day::of(holdings.time);
    let mut obstacles = Vec::new();
    if let Some(from) = holdings.facts.state.closed_from().filter(|from| *from <= day) {
        obstacles.push(Obstacle::Closed { from });
    }
    if !holdings.keys.iter().any(|(index, key)| may_anchor(holdings.facts, *index, key, day)) {
        obstacles.push(Obstacle::NoKey);
    }
    let quota = holdings.policy.batches_per_day;
    let used = holdings.usage.map_or(0, |usage| usage.on(day).batches);
    let batches_left = quota.saturating_sub(used);
    if batches_left == 0 {
        obstacles.push(Obstacle::QuotaUsed { quota });
    }

    let authorisations = judged(holdings.permissions, |scope| matches!(scope, PermissionScope::Authorisation));
    let authorisation = authorisations.iter().find(|held| held.standing(day) == Standing::Holds);
    if authorisation.is_none() {
        obstacles.push(authorisations.first().map_or(Obstacle::NeverAuthorised, |newest| Obstacle::NotAuthorised {
            newest: newest.number(),
            standing: newest.standing(day),
        }));
    }
    let orders = judged(holdings.permissions, |scope| matches!(scope, PermissionScope::PilotOrder { .. }));
    let in_force: Vec<_> = orders.iter().copied().filter(|held| held.standing(day) == Standing::Holds).collect();
    if holdings.policy.pilot_order_required && in_force.is_empty() {
        obstacles.push(orders.first().map_or(Obstacle::NeverOrdered, |newest| Obstacle::NotOrdered {
            newest: newest.number(),
            standing: newest.standing(day),
        }));
    }
    let accreditations = holdings.permissions.iter().filter_map(|held| match &held.record().scope {
        PermissionScope::Accreditation(accreditation) => Some((held, accreditation)),
        PermissionScope::Authorisation | PermissionScope::PilotOrder { .. } => None,
    });
    let programmes = accreditations.map(|(held, accreditation)| programme(holdings, held, accreditation, &in_force));
    MayIssue {
        day,
        obstacles,
        authorisation: authorisation.map(|held| held.number()),
        batches_left,
        programmes: programmes.collect(),
    }
}

fn may_anchor(facts: &InstitutionFacts, index: KeyIndex, key: &KeyRecord, day: Day) -> bool {
    key.state == KeyState::Active
        && key.purposes.allows(KeyPurposes::ANCHOR)
        && key.window.contains(day)
        && facts.compromised_from(index).is_none()
}

/// The permissions of a kind that the ledger looks at, newest first.
fn judged(permissions: &[Held], is_kind: impl Fn(&PermissionScope) -> bool) -> Vec<&Held> {
    permissions.iter().rev().filter(|held| is_kind(&held.record().scope)).take(PERMISSIONS_JUDGED_MAX).collect()
}

fn programme<'a>(
    holdings: &Holdings<'a>,
    held: &Held,
    accreditation: &'a Accreditation,
    orders: &[&Held],
) -> Programme<'a> {
    let (policy, day) = (holdings.policy, Day::of(holdings.time));
    let mut obstacles = Vec::new();
    let standing = held.standing(day);
    if standing != Standing::Holds {
        obstacles.push(Obstacle::NotAccredited { standing });
    }
    let least = policy.ects_min_at(accreditation.level);
    let ects_max = policy.ects_max_at(accreditation.level).min(accreditation.ects_max);
    if ects_max < least {
        obstacles.push(Obstacle::CreditsBelowPolicy { least, most: accreditation.ects_max });
    }
    let (fields, covering) = if policy.pilot_order_required {
        let at_level: Vec<_> = orders.iter().filter_map(|order| at_level(order, accreditation)).collect();
        let mut fields = BTreeSet::new();
        let mut covering = Vec::new();
        for (order, ordered) in &at_level {
            let common = common(&accreditation.fields, ordered);
            if !common.is_empty() {
                covering.push(*order);
            }
            fields.extend(common);
        }
        // Where no order is in force at all, that stands against everything already.
        if at_level.is_empty() && !orders.is_empty() {
            obstacles.push(Obstacle::LevelNotOrdered);
        } else if covering.is_empty() && !orders.is_empty() {
            obstacles.push(Obstacle::FieldNotOrdered);
        }
        (widest(&fields), covering)
    } else {
        (widest(&accreditation.fields.iter().copied().collect()), Vec::new())
    };
    let window = held.record().window;
    let latest = Day::of(TimeMs::new(holdings.time.get().saturating_add(policy.clock_tolerance_ms.into())));
    let issued = obstacles.is_empty().then(|| (window.first(), window.last().min(latest)));
    Programme {
        number: held.number(),
        accreditation,
        obstacles,
        fields,
        ects_min: least,
        ects_max,
        issued,
        orders: covering,
    }
}

/// An order that covers the accreditation's level, and its fields.
fn at_level<'a>(order: &'a Held, accreditation: &Accreditation) -> Option<(PermissionId, &'a FieldPrefixes)> {
    match &order.record().scope {
        PermissionScope::PilotOrder { fields, levels } if Levels::contains(*levels, accreditation.level) => {
            Some((order.number(), fields))
        }
        _ => None,
    }
}

/// What lies under both: of each pair of prefixes, one of which begins with the other, the longer one.
fn common(left: &FieldPrefixes, right: &FieldPrefixes) -> BTreeSet<FieldPrefix> {
    let mut common = BTreeSet::new();
    for one in left.iter() {
        for other in right.iter() {
            let (short, long) =
                if one.to_string().len() <= other.to_string().len() { (one, other) } else { (other, one) };
            if long.to_string().starts_with(&short.to_string()) {
                common.insert(*long);
            }
        }
    }
    common
}

/// The same fields without prefixes that lie under others, in order of code.
fn widest(fields: &BTreeSet<FieldPrefix>) -> Vec<FieldPrefix> {
    let mut sorted: Vec<_> = fields.iter().map(|field| (field.to_string(), *field)).collect();
    sorted.sort();
    let mut kept: Vec<(String, FieldPrefix)> = Vec::new();
    for (text, field) in sorted {
        if !kept.last().is_some_and(|(shorter, _)| text.starts_with(shorter.as_str())) {
            kept.push((text, field));
        }
    }
    kept.into_iter().map(|(_, field)| field).collect()
}

#[cfg(test)]
mod tests;
