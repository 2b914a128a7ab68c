//! Random histories of all kinds of transactions against a model: plain maps and lists, written from
//! `docs/protocol.md` without any call into the rules under test ([`state`], [`rules`], [`permits`], [`batches`],
//! [`statuses`]).
//!
//! For every transaction, valid or not, the verdict's name must be the model's, and so must the height that a retry is
//! told; the state root must be the one that the textbook gives for the model's maps. The same history is judged at the
//! same time by a ledger that restarts again and again, by one whose index of transactions forgets all but the last ten
//! minutes, and afterwards by one that is handed the finished blocks; and once more with its blocks cut elsewhere.

mod batches;
mod draw;
pub(crate) mod forgetful;
mod governing;
mod permits;
mod rules;
mod state;
mod statuses;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use sigeli_ledger::{
    chain::{Chain, ExecutedBlock},
    genesis::Genesis,
    memory::MemoryStore,
    outcome::{CheckError, Rejection},
    store::{Snapshot as _, Store},
};
use sigeli_verifier::{
    block::Block,
    certificate::CommitCertificate,
    decode::Decode as _,
    encode::Encode as _,
    ids::{Height, Round, TimeMs},
    record::Policy,
    transaction::{Payload, Sender, SignedTransaction},
};

use self::{
    draw::Drawer,
    forgetful::Forgetful,
    rules::{Asked, Verdict},
    state::Model,
};
use crate::{
    audit::{assert_histories_are_whole, assert_rows_are_committed},
    support::*,
};

/// How often each kind of payload met each verdict.
type Seen = BTreeMap<(u8, &'static str), u32>;

fn verdict_of(rejection: &Rejection) -> Verdict {
    let height = match rejection {
        Rejection::AlreadyExists { height } | Rejection::AlreadyCommitted { height } => height.get(),
        _ => 0,
    };
    Err((rejection.name(), height))
}

/// The candidates' verdicts, in their order: what is in the block was accepted, all else is reported as refused.
fn verdicts(
    asked: &[Asked],
    accepted: &[SignedTransaction],
    rejected: &[(sigeli_verifier::ids::TransactionId, Rejection)],
) -> Vec<Verdict> {
    let (mut accepted, mut rejected) = (accepted.iter().peekable(), rejected.iter());
    let verdicts: Vec<_> = asked
        .iter()
        .map(|asked| {
            // Not by id: the same body may have been refused before, signed by another key.
            if accepted.next_if(|next| **next == asked.transaction).is_some() {
                return Ok(());
            }
            let (known, rejection) = rejected.next().unwrap();
            assert_eq!(*known, asked.transaction.id(), "refusals come in the order of the candidates");
            verdict_of(rejection)
        })
        .collect();
    assert!(accepted.next().is_none() && rejected.next().is_none(), "nothing else is in the block");
    verdicts
}

/// Builds a block of the candidates and returns it with their verdicts.
fn propose<S: Store>(chain: &mut Chain<S>, asked: &[Asked], time: u64) -> (ExecutedBlock, Vec<Verdict>) {
    let proposer = chain.schedule().order(chain.validators(), chain.next_height())[0];
    let candidates = asked.iter().map(|asked| asked.transaction.clone());
    let proposed = chain.propose(candidates, TimeMs::new(time), proposer, Round::new(0)).unwrap();
    let executed = proposed.executed;
    assert_eq!(executed.header().time, TimeMs::new(time));
    let verdicts = verdicts(asked, &executed.block().transactions, &proposed.rejected);
    (executed, verdicts)
}

fn reopened<S: Store>(chain: Chain<S>, open: impl FnOnce(S) -> S) -> Chain<S> {
    let genesis = chain.genesis().clone();
    Chain::open(open(chain.into_store()), genesis).unwrap()
}

fn open_again(store: MemoryStore) -> MemoryStore {
    MemoryStore::open(store.medium())
}

/// What a ledger says whose index forgets what is older than ten minutes: the same to institutions; an authority's late
/// retry is only told that its sequence number was used.
fn forgetful_verdict(model: &Model, asked: &Asked, verdict: Verdict, time: u64) -> Verdict {
    let Err(("already_committed", _)) = verdict else { return verdict };
    let (_, included) = model.included[&asked.transaction.id()];
    if included + 600_000 >= time {
        return verdict;
    }
    match asked.transaction.body().sender {
        Sender::Institution { institution } => panic!("institution {institution} could repeat a transaction"),
        Sender::Authorities { .. } => Err(("joint_sequence_mismatch", 0)),
        Sender::Authority { authority, .. } => {
            let ended = model.authorities[&authority.get()].keys.is_empty();
            Err((if ended { "authority_ended" } else { "sequence_mismatch" }, 0))
        }
    }
}

fn tight() -> Policy {
    Policy { batches_per_day: 8, statuses_per_day: 12, changes_per_day: 10, clock_tolerance_ms: 0, ..policy() }
}

/// A history of at least `count` transactions on three ledgers and the model.
fn run(seed: u64, count: usize, seen: &mut Seen) {
    let genesis = Genesis::new(document(tight())).unwrap();
    let mut chain = Chain::open(MemoryStore::new(), genesis.clone()).unwrap();
    let mut forgetful = Chain::open(Forgetful::new(), genesis.clone()).unwrap();
    let mut model = Model::new(&genesis);
    let mut drawer = Drawer::new(seed, false);
    let (mut time, mut drawn) = (MORNING.get(), 0);
    while drawn < count {
        time += match drawer.random.below(12) {
            0..=1 => DAY_MS,
            2 => 600_000,
            3 => 7 * 3_600_000,
            _ => 1 + drawer.random.next() % 90_000,
        };
        let height = chain.next_height().get();
        let (mut asked, mut expected, mut block, mut expected_forgetful) = (vec![], vec![], BTreeSet::new(), vec![]);
        for _ in 0..drawer.random.below(45) {
            let next = drawer.draw(&model, height, time);
            let id = next.transaction.id();
            let verdict = model.judge(&next, height, time, block.contains(&id));
            if verdict.is_ok() {
                block.insert(id);
            }
            expected_forgetful.push(forgetful_verdict(&model, &next, verdict, time));
            let name = verdict.err().map_or("ok", |(name, _)| name);
            *seen.entry((next.transaction.body().payload.code(), name)).or_default() += 1;
            expected.push(verdict);
            asked.push(next);
        }
        drawn += asked.len();
        if let Some(first) = asked.first() {
            // The pool judges a transaction as the only one of the next block.
            let judged = match chain.check(&first.transaction, TimeMs::new(time)) {
                Ok(()) => Ok(()),
                Err(CheckError::Rejected(rejection)) => verdict_of(&rejection),
                Err(CheckError::Store(error)) => panic!("{error}"),
            };
            assert_eq!(judged, expected[0], "seed {seed}, block {height}, in the pool");
        }
        let (executed, found) = propose(&mut chain, &asked, time);
        assert_same(&asked, &found, &expected, (seed, height));
        let certificate = certificate(&chain, &executed);
        chain.commit(executed.clone(), certificate.clone()).unwrap();
        if drawn >= count || height.is_multiple_of(4) {
            assert_eq!(chain.state_root(), model.state_root(), "seed {seed}, block {height}");
        }

        forgetful.store().forget_before(time.saturating_sub(600_000));
        let (again, found) = propose(&mut forgetful, &asked, time);
        assert_same(&asked, &found, &expected_forgetful, (seed, height));
        assert_eq!(again.id(), executed.id(), "seed {seed}, block {height}");
        forgetful.commit(again, certificate).unwrap();
        if drawer.random.one_in(9) {
            chain = reopened(chain, open_again);
        }
        if drawer.random.one_in(9) {
            forgetful = reopened(forgetful, Forgetful::open_again);
        }
    }
    replay(&chain, genesis);
    let entries = chain.store().medium().entries();
    assert_rows_are_committed(&entries, chain.state_root());
    assert_histories_are_whole(&entries);
}

fn assert_same(asked: &[Asked], found: &[Verdict], expected: &[Verdict], (seed, height): (u64, u64)) {
    for ((asked, found), expected) in asked.iter().zip(found).zip(expected) {
        assert_eq!(found, expected, "seed {seed}, block {height}: {:#?}", asked.transaction);
    }
}

/// The finished blocks, as bytes, give the same ledger on an empty store.
fn replay(told: &Chain<MemoryStore>, genesis: Genesis) {
    let mut fresh = Chain::open(MemoryStore::new(), genesis).unwrap();
    let snapshot = told.snapshot();
    for height in 1..=told.head().header.height.get() {
        let (block, certificate): (Block, CommitCertificate) = snapshot.block(Height::new(height)).unwrap().unwrap();
        let executed = fresh.validate(Block::from_bytes(&block.to_bytes()).unwrap()).unwrap();
        fresh.commit(executed, certificate).unwrap();
    }
    assert_eq!(fresh.head(), told.head());
    assert_eq!(fresh.store().medium().entries(), told.store().medium().entries());
}

/// 25,000 transactions in five histories. Prints how often each kind met each verdict.
fn quarter(number: u64) {
    let mut seen = Seen::new();
    for seed in 0..5 {
        run(5 * number + seed, 5_000, &mut seen);
    }
    let mut kinds = BTreeMap::<u8, (u32, u32)>::new();
    let mut names = BTreeMap::<&str, u32>::new();
    for ((code, name), count) in &seen {
        let (accepted, refused) = kinds.entry(*code).or_default();
        *(if *name == "ok" { accepted } else { refused }) += count;
        *names.entry(name).or_default() += count;
    }
    println!("kind: accepted, refused: {kinds:?}\nverdicts: {names:?}");
    // A model that refuses everything would agree, too: every kind must get somewhere, and be stopped.
    assert_eq!(kinds.len(), 24);
    for (code, (accepted, refused)) in kinds {
        assert!(accepted >= 50 && refused >= 150, "kind {code}: {accepted} accepted, {refused} refused");
    }
    let missing: Vec<_> = Rejection::ALL.iter().filter(|(_, name)| !names.contains_key(name)).collect();
    let rare: Vec<_> = missing.iter().filter(|(_, name)| !RARE.contains(name)).collect();
    // Of the rarest ones, such as a suspended order where no other is in force, a quarter may miss a few.
    assert!(rare.len() <= 3, "no transaction met {rare:?}");
    assert!(names["ok"] > 25_000 / 4, "{}", names["ok"]);
}

/// Refusals that random histories of this length need not meet: bytes that are no transaction, and limits on how many of
/// something there can be. The table of scenarios meets them.
const RARE: [&str; 10] = [
    "compromised_list_full",
    "usable_key_limit",
    "malformed",
    "too_large",
    "key_limit",
    "numbers_exhausted",
    "permission_history_full",
    "too_many_authorities",
    "too_many_announced",
    "too_many_permissions",
];

#[test]
fn random_histories_agree_with_the_model_1() {
    quarter(0);
}

#[test]
fn random_histories_agree_with_the_model_2() {
    quarter(1);
}

#[test]
fn random_histories_agree_with_the_model_3() {
    quarter(2);
}

#[test]
fn random_histories_agree_with_the_model_4() {
    quarter(3);
}

/// Transactions that come at one hour, in the order in which they come; a block of its own for each that voids what was
/// written from its own height on.
type Hour = (u64, Vec<Asked>);

/// Plays hours with blocks cut wherever `cut` says, and returns the verdicts' names and the model at the end.
fn play(hours: &[Hour], mut cut: impl FnMut() -> bool, seed: u64) -> (Vec<&'static str>, Model) {
    let genesis = Genesis::new(document(tight())).unwrap();
    let mut chain = Chain::open(MemoryStore::new(), genesis.clone()).unwrap();
    let mut model = Model::new(&genesis);
    let mut names = vec![];
    for (hour, asked) in hours {
        let mut time = *hour;
        let mut rest = &asked[..];
        while !rest.is_empty() {
            time += 1;
            let alone = |asked: &Asked| matches!(asked.transaction.body().payload, Payload::KeyCompromise(_));
            let mut length = 1;
            while length < rest.len() && !alone(&rest[length]) && !alone(&rest[length - 1]) && !cut() {
                length += 1;
            }
            let (block, later) = rest.split_at(length);
            rest = later;
            let height = chain.next_height().get();
            let mut included = BTreeSet::new();
            let expected: Vec<_> = block
                .iter()
                .map(|asked| {
                    let id = asked.transaction.id();
                    let verdict = model.judge(asked, height, time, included.contains(&id));
                    included.extend(verdict.is_ok().then_some(id));
                    verdict
                })
                .collect();
            let (executed, found) = propose(&mut chain, block, time);
            assert_same(block, &found, &expected, (seed, height));
            assert_eq!(executed.header().state_root, model.state_root(), "seed {seed}, block {height}");
            let certificate = certificate(&chain, &executed);
            chain.commit(executed, certificate).unwrap();
            names.extend(found.into_iter().map(|verdict| match verdict {
                Ok(()) => "ok",
                // In the same block or in an earlier one: that is what the cuts decide.
                Err(("already_in_block" | "already_committed", _)) => "already",
                Err((name, _)) => name,
            }));
        }
    }
    (names, model)
}

/// Wherever the blocks are cut, the same transactions get the same verdicts, and the registers differ only in heights and
/// times.
#[test]
fn blocks_may_be_cut_anywhere() {
    for seed in 100..104 {
        let mut drawer = Drawer::new(seed, true);
        let genesis = Genesis::new(document(tight())).unwrap();
        let mut model = Model::new(&genesis);
        let (mut hours, mut time, mut height): (Vec<Hour>, _, _) = (vec![], MORNING.get(), 0);
        let mut likely = 0;
        for _ in 0..40 {
            time += drawer.random.pick(&[3_600_000, 7_200_000, DAY_MS]);
            let mut hour = vec![];
            for place in 0..50 {
                height += 1;
                let asked = drawer.draw(&model, height, time);
                likely += usize::from(model.judge(&asked, height, time + place, false).is_ok());
                hour.push(asked);
            }
            hours.push((time, hour));
        }
        let whole = play(&hours, || false, seed);
        let accepted = whole.0.iter().filter(|name| **name == "ok").count();
        assert!(accepted > 400 && likely > 400, "seed {seed}: {accepted}");
        let single = play(&hours, || true, seed);
        let mixed = play(&hours, || drawer.random.one_in(4), seed);
        for (names, model) in [single, mixed] {
            assert_eq!(names, whole.0, "seed {seed}");
            assert_eq!(model.without_places().state_root(), whole.1.without_places().state_root(), "seed {seed}");
        }
    }
}
