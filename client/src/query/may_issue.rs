//! What an institution may issue on a day: the rules under which the ledger takes a batch, asked before there is one.
//!
//! Pure, over verified records, and written from the rules (`docs/protocol.md` §6), not from the ledger's program.

use std::collections::BTreeSet;

use sigeli_verifier::{
    ids::{EctsTenths, KeyIndex, PermissionId, TimeMs},
    record::{InstitutionFacts, KeyRecord, KeyState, Policy, Usage},
    time::Day,
    transaction::{Accreditation, Field, FieldPrefix, KeyPurposes, Levels, PermissionScope},
};

use super::standing::{Held, Standing, told};

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
    /// The authorisation that decides does not hold: the newest one whose days these are, or, where there is none, the newest
    /// ever granted.
    NotAuthorised {
        /// Which.
        newest: PermissionId,
        /// Where it stands.
        standing: Standing,
    },
    /// It never had an order of the Minister, and the policy asks for one.
    NeverOrdered,
    /// No order of the Minister holds, or the one that decides for the programme does not: the newest one whose days these
    /// are, or, where there is none, the newest ever granted.
    NotOrdered {
        /// Which.
        newest: PermissionId,
        /// Where it stands.
        standing: Standing,
    },
    /// The accreditation does not hold.
    NotAccredited {
        /// Where it stands.
        standing: Standing,
        /// The same in words, with what became of the one that stands in its place.
        told: String,
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
            Self::NotAccredited { told, .. } => format!("the accreditation is not in force: {told}"),
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

    let authorisations = newest_first(holdings.permissions, |scope| matches!(scope, PermissionScope::Authorisation));
    let deciding = authorisations.iter().find(|held| decides(held, day)).or_else(|| authorisations.first());
    let authorisation = deciding.filter(|held| held.standing(day) == Standing::Holds);
    if authorisation.is_none() {
        obstacles.push(deciding.map_or(Obstacle::NeverAuthorised, |newest| Obstacle::NotAuthorised {
            newest: newest.number(),
            standing: newest.standing(day),
        }));
    }
    let all = newest_first(holdings.permissions, |scope| matches!(scope, PermissionScope::PilotOrder { .. }));
    let orders: Vec<_> = all.iter().copied().filter(|held| decides(held, day)).collect();
    let ordered = orders.iter().any(|held| held.standing(day) == Standing::Holds);
    if holdings.policy.pilot_order_required && !ordered {
        let newest = orders.first().or_else(|| all.first());
        obstacles.push(newest.map_or(Obstacle::NeverOrdered, |newest| Obstacle::NotOrdered {
            newest: newest.number(),
            standing: newest.standing(day),
        }));
    }
    let accreditations = holdings.permissions.iter().filter_map(|held| match &held.record().scope {
        PermissionScope::Accreditation(accreditation) => Some((held, accreditation)),
        PermissionScope::Authorisation | PermissionScope::PilotOrder { .. } => None,
    });
    let programmes = accreditations.map(|(held, accreditation)| programme(holdings, held, accreditation, &orders));
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

/// The permissions of a kind, newest first.
fn newest_first(permissions: &[Held], is_kind: impl Fn(&PermissionScope) -> bool) -> Vec<&Held> {
    permissions.iter().rev().filter(|held| is_kind(&held.record().scope)).collect()
}

/// Whether a permission may decide on a day: it is one of its days, and no other has taken its place.
fn decides(held: &Held, day: Day) -> bool {
    let replaced = matches!(held.standing(day), Standing::Replaced { .. } | Standing::Restored { .. });
    held.record().window.contains(day) && !replaced
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
        let told = told(holdings.permissions, held, day);
        obstacles.push(Obstacle::NotAccredited { standing, told });
    }
    let least = policy.ects_min_at(accreditation.level);
    let ects_max = policy.ects_max_at(accreditation.level).min(accreditation.ects_max);
    if ects_max < least {
        obstacles.push(Obstacle::CreditsBelowPolicy { least, most: accreditation.ects_max });
    }
    let (fields, covering) = if policy.pilot_order_required {
        let ordered = Ordered::of(accreditation, orders, day);
        // Where no order is in force at all, that stands against everything already.
        if ordered.fields.is_empty() && orders.iter().any(|order| order.standing(day) == Standing::Holds) {
            obstacles.push(ordered.obstacle(day));
        }
        (prefixes(&ordered.fields), ordered.covering)
    } else {
        (prefixes(&fields_of(&accreditation.fields)), Vec::new())
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

/// What orders say about the level and the fields of an accreditation: of those that cover a field, the newest decides.
struct Ordered<'a> {
    /// The fields for which an order that holds decides.
    fields: BTreeSet<Field>,
    /// The orders that decide for them, newest first.
    covering: Vec<PermissionId>,
    /// The newest order that decides for a field and does not hold.
    halted: Option<&'a Held>,
    /// Whether an order that holds covers the level.
    at_level: bool,
}

impl<'a> Ordered<'a> {
    /// `orders` are those that may decide on the day, newest first.
    fn of(accreditation: &Accreditation, orders: &[&'a Held], day: Day) -> Self {
        let mut ordered = Self { fields: BTreeSet::new(), covering: Vec::new(), halted: None, at_level: false };
        let mut undecided = fields_of(&accreditation.fields);
        for order in orders {
            let PermissionScope::PilotOrder { fields, levels } = &order.record().scope else { continue };
            if !Levels::contains(*levels, accreditation.level) {
                continue;
            }
            let holds = order.standing(day) == Standing::Holds;
            ordered.at_level |= holds;
            let (decided, rest) =
                undecided.into_iter().partition(|field| fields.iter().any(|prefix| prefix.covers(*field)));
            undecided = rest;
            let decided: BTreeSet<Field> = decided;
            if decided.is_empty() {
                continue;
            }
            if holds {
                ordered.covering.push(order.number());
                ordered.fields.extend(decided);
            } else {
                ordered.halted = ordered.halted.or(Some(order));
            }
        }
        ordered
    }

    /// Why no field may be stated.
    fn obstacle(&self, day: Day) -> Obstacle {
        match self.halted {
            Some(order) => Obstacle::NotOrdered { newest: order.number(), standing: order.standing(day) },
            None if self.at_level => Obstacle::FieldNotOrdered,
            None => Obstacle::LevelNotOrdered,
        }
    }
}

/// All fields that lie under prefixes.
fn fields_of(prefixes: &[FieldPrefix]) -> BTreeSet<Field> {
    let all = (0..=9_999).filter_map(Field::new);
    all.filter(|field| prefixes.iter().any(|prefix| prefix.covers(*field))).collect()
}

/// The same fields as the fewest prefixes, in order of code.
fn prefixes(fields: &BTreeSet<Field>) -> Vec<FieldPrefix> {
    let mut found: Vec<FieldPrefix> = Vec::new();
    for field in fields {
        if found.last().is_some_and(|last| last.covers(*field)) {
            continue;
        }
        let widest = (2..=4_u8).zip([100, 10, 1]).find_map(|(digits, span)| {
            let value = field.get().checked_div(span)?;
            let first = value.checked_mul(span)?;
            let whole = (first..first.saturating_add(span))
                .all(|code| Field::new(code).is_some_and(|one| fields.contains(&one)));
            FieldPrefix::new(digits, value).filter(|_| whole)
        });
        found.extend(widest);
    }
    found
}

#[cfg(test)]
mod tests;
