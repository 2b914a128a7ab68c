//! Seeded randomness, and the plan of what goes wrong when.

/// A small seeded generator (SplitMix64). Not for cryptography.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        match self.next().checked_rem(bound) {
            Some(number) => number,
            None => 0,
        }
    }

    /// A number from `low` to `high`, both included.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// A position in a list of `count`.
    pub fn position(&mut self, count: usize) -> usize {
        usize::try_from(self.below(u64::try_from(count).unwrap_or(1))).unwrap_or(0)
    }

    /// Whether something of this probability happens.
    pub const fn chance_percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// A span of virtual time in which something is wrong, in milliseconds from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first millisecond.
    pub from_ms: u64,
    /// The first millisecond after it.
    pub to_ms: u64,
    /// How bad: percent for loss, milliseconds for delay, a bit mask of one side's nodes for a partition.
    pub severity: u64,
}

impl Window {
    pub(super) const fn holds(&self, now_ms: u64) -> bool {
        self.from_ms <= now_ms && now_ms < self.to_ms
    }
}

/// Where in its work a node crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashPoint {
    /// Between two events.
    Between,
    /// After this many further WAL operations.
    WalOperation(u32),
    /// At the next but this many write of the sign-state, before it is durable.
    SignStateWrite(u32),
    /// In the next step that does something, after this many of its actions.
    AfterActions(usize),
}

/// What a crash takes with it beyond what was not durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wipe {
    /// Nothing.
    Nothing,
    /// The WAL.
    Wal,
    /// The sign-state.
    SignState,
    /// Both, and an empty sign-state is put in place: what no operator may do.
    Everything,
    /// One bit of the WAL's rows of the height being decided is another one after the crash.
    WalBit,
    /// One bit of the sign-state is another one after the crash.
    SignStateBit,
    /// What the database alone has committed since the node's last [`HomeCopy`]: WAL and sign-state are the newest.
    DatabaseSinceCopy,
    /// All that was written since the node's last [`HomeCopy`]: database, WAL and sign-state are the copy's. Nothing is lost
    /// when there is no copy, or when the node has committed fewer than two blocks since: see [`crate::signer`].
    SinceCopy,
}

/// A crash and the restart after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// Who.
    pub node: usize,
    /// When, in milliseconds from the start; the point may come later.
    pub at_ms: u64,
    /// Where in its work.
    pub point: CrashPoint,
    /// For how long it is down.
    pub down_ms: u64,
    /// What is lost.
    pub wipe: Wipe,
}

/// A copy of a node's whole home, taken while it runs; a later one replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HomeCopy {
    /// Whose.
    pub node: usize,
    /// When, in milliseconds from the start.
    pub at_ms: u64,
}

/// A node's clock is wrong for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockFault {
    /// Whose.
    pub node: usize,
    /// The first millisecond.
    pub from_ms: u64,
    /// The first millisecond after it.
    pub to_ms: u64,
    /// How far it is ahead, or behind if negative.
    pub offset_ms: i64,
}

/// How a faulty proposer spoils each of its blocks, and signs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It follows another block than the head.
    Parent,
    /// Its time is that of its parent.
    TimeBack,
    /// Its time is an hour ahead.
    TimeAhead,
    /// It names another state.
    State,
    /// It names other transactions than it holds.
    Transactions,
    /// It names another history.
    History,
    /// It names another validator set for the next height.
    NextValidators,
    /// It names another creator.
    Creator,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Parent,
        Self::TimeBack,
        Self::TimeAhead,
        Self::State,
        Self::Transactions,
        Self::History,
        Self::NextValidators,
        Self::Creator,
    ];
}

/// What a faulty validator does beside, or in place of, what a correct one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdeed {
    /// It neither proposes nor votes.
    Silent,
    /// Its proposals and votes reach one other node only.
    Withhold,
    /// It proposes spoiled blocks.
    Invalid(Flaw),
    /// It adds votes for future heights and rounds to each of its votes.
    Flood,
    /// It sends old messages of everybody again.
    Replay,
    /// It sends votes, reports and quorums in others' names, with signatures that are not theirs.
    Forge,
    /// It lies about its height, and answers who catches up with changed blocks and cut certificates.
    LieInSync,
}

/// What goes wrong in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// Messages are lost.
    pub losses: Vec<Window>,
    /// Messages take longer, and overtake each other.
    pub delays: Vec<Window>,
    /// Sync responses are lost: nobody catches up.
    pub syncs_lost: Vec<Window>,
    /// The network is cut in two.
    pub partitions: Vec<Window>,
    /// One side does not hear the other, but is heard: the mask names those who are not heard.
    pub one_way: Vec<Window>,
    /// Messages arrive twice.
    pub duplications: Vec<Window>,
    /// Clocks are wrong.
    pub clocks: Vec<ClockFault>,
    /// Validators that misbehave in other ways than by contradicting themselves.
    pub misdeeds: Vec<(usize, Misdeed)>,
    /// Validators whose key runs on a second machine too, from the start. The second machines are numbered after all others.
    pub twins: Vec<usize>,
    /// Nodes crash.
    pub crashes: Vec<Crash>,
    /// Homes are copied.
    pub copies: Vec<HomeCopy>,
    /// Nodes that are down from the start and stay so.
    pub dead: Vec<usize>,
    /// Nodes that sign a second, conflicting message whenever they vote or propose, and send it to half of the others.
    pub equivocators: Vec<usize>,
    /// Whether the double-sign checker watches the equivocators too, and so must find them.
    pub equivocators_watched: bool,
    /// Whether reports of a validator's signed messages arrive empty, at height 0: takes the guard's eyes away.
    pub reports_emptied: bool,
}

/// How often something went wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// Messages lost.
    pub lost: u64,
    /// Messages delayed beyond the ordinary.
    pub delayed: u64,
    /// Messages lost at a partition.
    pub cut: u64,
    /// Messages lost in one direction only.
    pub one_way: u64,
    /// Messages that arrived twice.
    pub duplicated: u64,
    /// Steps of a node whose clock was wrong.
    pub clock: u64,
    /// Messages of misbehaving validators that a correct one would not have sent, or would not have left out.
    pub misdeeds: u64,
    /// Logs and sign-states that lost something or had a bit turned over.
    pub damages: u64,
    /// Crashes.
    pub crashes: u64,
    /// Homes restored from an old copy.
    pub restores: u64,
    /// Conflicting votes and proposals sent.
    pub equivocations: u64,
}

impl FaultCounts {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in [
            (&mut self.lost, other.lost),
            (&mut self.delayed, other.delayed),
            (&mut self.cut, other.cut),
            (&mut self.one_way, other.one_way),
            (&mut self.duplicated, other.duplicated),
            (&mut self.clock, other.clock),
            (&mut self.misdeeds, other.misdeeds),
            (&mut self.damages, other.damages),
            (&mut self.crashes, other.crashes),
            (&mut self.restores, other.restores),
            (&mut self.equivocations, other.equivocations),
        ] {
            *sum = sum.saturating_add(count);
        }
    }
}

impl FaultPlan {
    /// Whether a validator is under a liar's control: nothing that its key signs is held against the rest.
    pub(super) fn is_faulty(&self, node: usize) -> bool {
        self.equivocators.contains(&node)
            || self.twins.contains(&node)
            || self.misdeeds.iter().any(|(liar, _)| *liar == node)
    }

    /// Draws loss, delay, partition and crashes for `nodes` nodes, all within `span_ms`.
    ///
    /// Crashes never overlap more than the faults that the network tolerates allow for progress: they may, and then the
    /// network stands still until a node is back.
    #[must_use]
    pub fn random(random: &mut Random, nodes: usize, span_ms: u64) -> Self {
        let mut plan = Self::default();
        let window = |random: &mut Random, low: u64, high: u64| {
            let from_ms = random.below(span_ms);
            let to_ms = from_ms.saturating_add(random.between(200, 1_200)).min(span_ms);
            Window { from_ms, to_ms, severity: random.between(low, high) }
        };
        for _ in 0..random.between(1, 2) {
            plan.losses.push(window(random, 5, 40));
        }
        for _ in 0..random.between(1, 2) {
            plan.delays.push(window(random, 50, 900));
        }
        if random.chance_percent(50) {
            let all = 1_u64.checked_shl(u32::try_from(nodes).unwrap_or(0)).unwrap_or(u64::MAX);
            plan.partitions.push(window(random, 1, all.saturating_sub(2)));
        }
        for _ in 0..random.between(1, 4) {
            let point = match random.below(4) {
                0 => CrashPoint::Between,
                1 => CrashPoint::WalOperation(u32::try_from(random.below(12)).unwrap_or(0)),
                2 => CrashPoint::SignStateWrite(u32::try_from(random.below(4)).unwrap_or(0)),
                _ => CrashPoint::AfterActions(random.position(4)),
            };
            plan.crashes.push(Crash {
                node: random.position(nodes),
                at_ms: random.below(span_ms),
                point,
                down_ms: random.between(50, 1_500),
                wipe: Wipe::Nothing,
            });
        }
        plan.crashes.sort_by_key(|crash| crash.at_ms);
        plan
    }
}
