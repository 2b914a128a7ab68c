//! Plays scenarios on two nodes: one builds the blocks, the other judges them.

use std::{collections::BTreeSet, sync::Arc};

use sigeli_ledger::{
    chain::{BlockError, Chain, ExecutedBlock, ValidateError},
    check::SignatureMemory,
    execute::{BlockContext, Executor},
    memory::MemoryStore,
    outcome::{CheckError, Rejection},
    state::{Institution, View, keys},
    store::StoreError,
};
use sigeli_verifier::{
    block::{Block, Header, transactions_root},
    ids::{GenesisHash, InstitutionId, Round, TimeMs, ValidatorAddress},
    record::PermissionRecord,
    transaction::{Payload, SignedTransaction, Transaction},
};

use crate::{
    act::{Act, Scene, decision, read},
    cast::{Actor, Cast, Learn, institution},
    facts,
    found::{certificate, genesis, no_policy, set_policy, sign},
    numbers::Numbers,
    text::{Document, Scenario, Step, When, moment_of},
    words::Words,
};

/// What came of all files.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) errors: Vec<String>,
    /// Answers that some line expects.
    pub(crate) answers: BTreeSet<String>,
    /// Lines that ask for something.
    pub(crate) rows: usize,
}

/// An answer in full: two ways agree only when nothing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accepted,
    Rejected(Rejection),
    /// The node's program does not know the version that counts.
    Stopped,
}

impl Answer {
    const fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "ok",
            Self::Rejected(rejection) => rejection.name(),
            Self::Stopped => "ledger_stops",
        }
    }

    /// What the sender is told besides the code.
    fn message(&self) -> String {
        match self {
            Self::Rejected(rejection) => rejection.to_string(),
            Self::Accepted | Self::Stopped => String::new(),
        }
    }

    fn of_store(error: &StoreError) -> Self {
        match error {
            StoreError::UpgradeNeeded { .. } => Self::Stopped,
            other => panic!("{other}"),
        }
    }

    fn of_check(result: Result<(), CheckError>) -> Self {
        match result {
            Ok(()) => Self::Accepted,
            Err(CheckError::Rejected(rejection)) => Self::Rejected(rejection),
            Err(CheckError::Store(error)) => Self::of_store(&error),
        }
    }
}

/// What stands behind the arrow: a code, and maybe a part of the message in quotation marks.
struct Expected {
    code: String,
    says: Option<String>,
}

impl Expected {
    fn read(text: &str) -> Self {
        let (code, says) = match text.split_once('"') {
            Some((code, says)) => (code, Some(says.trim_end_matches('"').to_owned())),
            None => (text, None),
        };
        Self { code: code.trim().to_owned(), says }
    }
}

/// How a transaction is sent: what stands in brackets.
#[derive(Debug, Default)]
struct Envelope {
    signers: Option<Vec<String>>,
    valid_until: Option<TimeMs>,
    another_ledger: bool,
    sequence: Option<u64>,
    /// `Some(None)` is a transaction without a decision.
    decision: Option<Option<String>>,
    sender: Option<Words>,
    label: Option<String>,
    /// The number that each new history entry is said to get, where it is not the next one.
    entry: Option<u32>,
}

impl Envelope {
    /// `signed by 0,1; valid for 10 minutes; sequence 4; decision D1; no decision; another ledger; sent by GTU;
    /// called R1; entry 1`.
    fn read(mut words: Words, now: TimeMs) -> Result<Self, String> {
        let mut envelope = Self::default();
        while !words.is_empty() {
            match words.word()?.as_str() {
                ";" => {}
                "signed" => {
                    words.expect("by")?;
                    envelope.signers = Some(words.list()?);
                }
                "valid" if words.take("for") => {
                    let count: u64 = words.number()?;
                    let unit = match words.word()?.as_str() {
                        "ms" => 1,
                        "minutes" => 60_000,
                        "days" => 86_400_000,
                        other => return Err(format!("{other:?} is none of ms, minutes, days")),
                    };
                    envelope.valid_until = Some(TimeMs::new(now.get() + count * unit));
                }
                "valid" => {
                    words.expect("until")?;
                    envelope.valid_until = Some(moment_of(&words.word()?, &words.word()?)?);
                }
                "another" => {
                    words.expect("ledger")?;
                    envelope.another_ledger = true;
                }
                "sequence" => envelope.sequence = Some(words.number()?),
                "decision" => envelope.decision = Some(Some(words.word()?)),
                "no" => {
                    words.expect("decision")?;
                    envelope.decision = Some(None);
                }
                "sent" => {
                    words.expect("by")?;
                    envelope.sender = Some(Words::read(&words.word()?)?);
                }
                "entry" => envelope.entry = Some(words.number()?),
                "called" => envelope.label = Some(words.word()?),
                other => return Err(format!("{other:?} says nothing of how a transaction is sent")),
            }
        }
        Ok(envelope)
    }
}

/// A transaction ready to be judged.
struct Prepared {
    transaction: SignedTransaction,
    actor: Actor,
    learn: Option<Learn>,
    label: Option<String>,
}

/// A ledger under a scenario.
pub(crate) struct Runner {
    builder: Chain<MemoryStore>,
    judge: Chain<MemoryStore>,
    cast: Cast,
    now: TimeMs,
    /// What the block under construction holds.
    block: Vec<SignedTransaction>,
    /// That block as each node executed it; none while it is empty.
    executed: Option<(ExecutedBlock, ExecutedBlock)>,
}

const AUTHORITY_AHEAD_MS: u64 = 24 * 60 * 60 * 1_000;
const INSTITUTION_AHEAD_MS: u64 = 5 * 60 * 1_000;

impl Runner {
    /// Plays one scenario and writes down what was wrong with it.
    pub(crate) fn play(starts: &[Document], file: &str, scenario: &Scenario, report: &mut Report) {
        let place = |line: usize, error: &str| format!("{file}:{line}: {} — {error}", scenario.title);
        let mut runner = match Self::start(starts, scenario) {
            Ok(runner) => runner,
            Err(error) => return report.errors.push(place(scenario.line, &error)),
        };
        for step in &scenario.steps {
            if let Some(expected) = &step.expected {
                report.rows += 1;
                report.answers.insert(Expected::read(expected).code);
            }
            if let Err(error) = runner.step(step) {
                return report.errors.push(place(step.line, &error));
            }
        }
        let last = scenario.steps.last().map_or(scenario.line, |step| step.line);
        if let Err(error) = runner.close_block() {
            report.errors.push(place(last, &error));
        }
    }

    /// Founds the ledger and plays the starting position.
    fn start(starts: &[Document], scenario: &Scenario) -> Result<Self, String> {
        let named = |title: &String| {
            let mut all = starts.iter().flat_map(|document| &document.scenarios);
            all.find(|start| start.title == *title).ok_or_else(|| format!("there is no starting position {title:?}"))
        };
        let position = named(scenario.start.as_ref().ok_or("a line \"Start: …\" is missing")?)?;
        let mut policy = no_policy();
        for (_, words) in position.policy.iter().chain(&scenario.policy) {
            set_policy(&mut policy, &mut words.clone())?;
        }
        let genesis = genesis(policy, moment_of("2027-01-01", "00:00")?)?;
        let open = || Chain::open(MemoryStore::new(), genesis.clone()).map_err(|error| error.to_string());
        let now = genesis.document().time;
        let mut runner =
            Self { builder: open()?, judge: open()?, cast: Cast::new(), now, block: Vec::new(), executed: None };
        for step in &position.steps {
            runner.step(step).map_err(|error| format!("starting position, line {}: {error}", step.line))?;
        }
        runner.close_block()?;
        Ok(runner)
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let mut words = step.words.clone();
        if words.take("check") {
            self.close_block()?;
            return facts::check(&self.judge, &self.cast, words);
        }
        if words.take("plant") {
            self.close_block()?;
            return self.plant(words);
        }
        match step.when {
            When::Same => {}
            When::Next => self.open_block(TimeMs::new(self.now.get() + 1_000))?,
            When::At(time) => self.open_block(time)?,
        }
        let mut ahead = words.clone();
        if let (Ok(count), true) = (ahead.number::<u64>(), ahead.take("blocks")) {
            ahead.expect("pass")?;
            ahead.finish()?;
            return self.pass(count);
        }
        let expected = step.expected.as_ref().ok_or("the answer is missing: \"-> ok\" or a code")?;
        self.act(step, words, &Expected::read(expected))
    }

    /// Ends the block before and begins one at this time.
    fn open_block(&mut self, time: TimeMs) -> Result<(), String> {
        self.close_block()?;
        let head = self.builder.head().header.time;
        if time <= head {
            return Err(format!("the block before was at {head} ms, and this one would be at {time} ms"));
        }
        self.now = time;
        Ok(())
    }

    fn proposer(&self) -> ValidatorAddress {
        self.builder.schedule().order(self.builder.validators(), self.builder.next_height())[0]
    }

    /// Builds the block that the lines make, has it judged, and commits it on both nodes. No block is built of nothing.
    fn close_block(&mut self) -> Result<(), String> {
        if self.block.is_empty() { Ok(()) } else { self.commit() }
    }

    fn commit(&mut self) -> Result<(), String> {
        self.block.clear();
        let (built, judged) = match self.executed.take() {
            Some(executed) => executed,
            None => {
                let proposer = self.proposer();
                let built = self.builder.propose([], self.now, proposer, Round::new(0));
                let built = built.map_err(|error| error.to_string())?.executed;
                let judged = self.judge.validate(built.block().clone()).map_err(|error| error.to_string())?;
                (built, judged)
            }
        };
        let certificate = certificate(&self.builder, &built);
        self.judge.commit(judged, certificate.clone()).map_err(|error| error.to_string())?;
        self.builder.commit(built, certificate).map_err(|error| error.to_string())
    }

    /// Empty blocks, a second apart.
    fn pass(&mut self, count: u64) -> Result<(), String> {
        for passed in 0..count {
            if passed > 0 {
                self.now = TimeMs::new(self.now.get() + 1_000);
            }
            self.commit()?;
        }
        Ok(())
    }

    fn act(&mut self, step: &Step, words: Words, expected: &Expected) -> Result<(), String> {
        let Prepared { transaction, actor, learn, label } = self.prepare(step, words)?;
        if let Some(label) = &label {
            self.cast.remember_sent(label.clone(), transaction.clone());
        }
        let pool = self.in_pool(&transaction);
        let (built, by_builder) = self.in_building(&transaction);
        let (judged, by_judge) = self.in_judging(&transaction, by_builder.as_ref());
        if pool != built || built != judged {
            return Err(format!("the pool says {pool:?}, the builder {built:?}, the judge {judged:?}"));
        }
        let says = match &expected.says {
            Some(says) => self.cast.with_heights(says)?,
            None => String::new(),
        };
        if pool.name() != expected.code || !pool.message().contains(&says) {
            return Err(format!("expected {} {says}, found {} {}", expected.code, pool.name(), pool.message()));
        }
        if pool == Answer::Accepted {
            self.block.push(transaction);
            self.executed = by_builder.zip(by_judge);
            let height = self.builder.next_height();
            self.cast.accept(&actor, learn, label, height);
        }
        Ok(())
    }

    /// Makes the transaction that a line describes, and signs it.
    fn prepare(&mut self, step: &Step, mut words: Words) -> Result<Prepared, String> {
        let mut envelope = Envelope::read(step.sent.clone(), self.now)?;
        let actor = self.cast.actor(&mut words)?;
        if words.take("sends") {
            let label = words.word()?;
            words.expect("again")?;
            words.finish()?;
            let transaction = self.cast.sent(&label)?;
            return Ok(Prepared { transaction, actor, learn: None, label: None });
        }
        let usual = match &actor {
            Actor::Institution(_) => None,
            Actor::Authority(_) | Actor::Jointly(_) => Some(self.cast.new_decision()),
        };
        let named = envelope.decision.take().unwrap_or(usual);
        let scene = Scene {
            time: self.now,
            height: self.builder.next_height(),
            policy: View::new(&self.builder.snapshot()).policy().map_err(|error| error.to_string())?,
            decision: named.map_or(sigeli_verifier::ids::DecisionRef::NONE, |label| decision(&label)),
        };
        let Act { mut payload, learn, label } = read(&self.cast, &scene, &actor, words)?;
        let sender = match &mut envelope.sender {
            Some(words) => self.cast.actor(words)?,
            None => actor,
        };
        let own = if let Actor::Institution(own) = &sender { *own } else { InstitutionId::new(0) };
        let snapshot = self.builder.snapshot();
        Numbers::new(&View::new(&snapshot), &self.block).fill(own, &mut payload, envelope.entry);
        let transaction = self.signed(&sender, &envelope, payload)?;
        Ok(Prepared { transaction, actor: sender, learn, label: envelope.label.or(label) })
    }

    fn signed(&self, actor: &Actor, envelope: &Envelope, payload: Payload) -> Result<SignedTransaction, String> {
        let ahead = match actor {
            Actor::Institution(_) => INSTITUTION_AHEAD_MS,
            Actor::Authority(_) | Actor::Jointly(_) => AUTHORITY_AHEAD_MS,
        };
        let own = self.builder.genesis().genesis_hash();
        let body = Transaction {
            genesis: if envelope.another_ledger { GenesisHash::new([1; 32]) } else { own },
            valid_until: envelope.valid_until.unwrap_or_else(|| TimeMs::new(self.now.get() + ahead)),
            sender: self.cast.sender(actor, envelope.sequence)?,
            payload,
        };
        let signers = match &envelope.signers {
            Some(said) => self.cast.signers_said(actor, said)?,
            None => self.cast.signers(actor)?,
        };
        sign(body, &signers)
    }

    /// The pool's way: judged over the head and what the block holds already, and not included.
    fn in_pool(&mut self, transaction: &SignedTransaction) -> Answer {
        if self.block.is_empty() {
            return Answer::of_check(self.builder.check(transaction, self.now));
        }
        let context = BlockContext {
            genesis: self.builder.genesis().genesis_hash(),
            height: self.builder.next_height(),
            time: self.now,
            creator: ValidatorAddress::new([0; 20]),
            round: Round::new(0),
        };
        let snapshot = self.builder.snapshot();
        let mut signatures = SignatureMemory::new();
        let mut executor = Executor::new(&snapshot, context).unwrap();
        for before in &self.block {
            executor.include(before, &mut signatures).unwrap();
        }
        Answer::of_check(executor.check(transaction, &mut signatures))
    }

    /// The builder's way: a candidate for the next block. Returns the block that came of it, with the transaction or
    /// without, unless the ledger has stopped.
    fn in_building(&mut self, transaction: &SignedTransaction) -> (Answer, Option<ExecutedBlock>) {
        let candidates: Vec<_> = self.block.iter().chain([transaction]).cloned().collect();
        let proposer = self.proposer();
        match self.builder.propose(candidates, self.now, proposer, Round::new(0)) {
            Ok(proposed) => match proposed.rejected.as_slice() {
                [] => (Answer::Accepted, Some(proposed.executed)),
                [(id, rejection)] if *id == transaction.id() => (Answer::Rejected(*rejection), Some(proposed.executed)),
                others => panic!("{others:?}"),
            },
            Err(error) => (Answer::of_store(&error), None),
        }
    }

    /// The judge's way: a block that holds the transaction, built by a node that includes whatever it is given.
    fn in_judging(
        &mut self,
        transaction: &SignedTransaction,
        built: Option<&ExecutedBlock>,
    ) -> (Answer, Option<ExecutedBlock>) {
        let transactions: Vec<_> = self.block.iter().chain([transaction]).cloned().collect();
        let header = *built.map_or_else(|| &self.builder.head().header, ExecutedBlock::header);
        let header = Header { transactions_root: transactions_root(&transactions), ..header };
        match self.judge.validate(Arc::new(Block { header, transactions })) {
            Ok(executed) => {
                assert_eq!(Some(executed.id()), built.map(ExecutedBlock::id), "both nodes come to the same block");
                (Answer::Accepted, Some(executed))
            }
            Err(ValidateError::Invalid(BlockError::Transaction { index, rejection })) => {
                assert_eq!(index, self.block.len(), "the line's own transaction fails");
                (Answer::Rejected(rejection), None)
            }
            Err(ValidateError::Store(error)) => (Answer::of_store(&error), None),
            Err(other) => panic!("{other}"),
        }
    }

    /// States that take more transactions than a test can send: `plant batches of GTU 4294967295`.
    fn plant(&self, mut words: Words) -> Result<(), String> {
        let what = words.word()?;
        if what == "entries" {
            words.expect("of")?;
            words.expect("permission")?;
            let mut ahead = words.clone();
            ahead.word()?;
            ahead.expect("of")?;
            let whose = institution(&ahead.word()?)?;
            let number = self.cast.permission(whose, &mut words)?;
            words.expect("of")?;
            words.word()?;
            let entries = words.number()?;
            return self.plant_row::<PermissionRecord>(&keys::permission(whose, number), |record| {
                record.entries = entries;
                Ok(())
            });
        }
        words.expect("of")?;
        let whose: InstitutionId = institution(&words.word()?)?;
        let count = words.number()?;
        words.finish()?;
        self.plant_row::<Institution>(&keys::institution(whose), |record| {
            let facts = &mut record.facts;
            *match what.as_str() {
                "batches" => &mut facts.batches,
                "permissions" => &mut facts.permissions,
                "programmes" => &mut facts.programmes,
                "history" => &mut facts.entries,
                other => return Err(format!("{other:?} cannot be planted")),
            } = count;
            Ok(())
        })
    }

    fn plant_row<T>(&self, key: &[u8], change: impl Fn(&mut T) -> Result<(), String>) -> Result<(), String>
    where
        T: sigeli_verifier::decode::Decode + sigeli_verifier::encode::Encode,
    {
        for chain in [&self.builder, &self.judge] {
            let medium = chain.store().medium();
            let entries = medium.entries();
            let row = entries.get(key).ok_or("the ledger holds no such thing")?;
            let mut record = T::from_bytes(row).map_err(|error| error.to_string())?;
            change(&mut record)?;
            medium.plant(key.to_vec(), Some(record.to_bytes()));
        }
        Ok(())
    }
}
