//! The light step, on synthetic chains whose validator sets change.

use proptest::prelude::*;
use sigeli_verifier::{
    block::Header,
    bounded::Text,
    certificate::{CertificateError, CommitCertificate, CommitSignature},
    codes::NetworkKind,
    crypto::PublicKey,
    decode::Decode as _,
    encode::Encode as _,
    ids::{
        AuthorityId, BlockId, GenesisHash, Height, HistoryRoot, Round, Signature, StateRoot, TimeMs, TransactionsRoot,
        ValidatorAddress, VotingPower,
    },
    light::{LightStep, StepError},
    params::{CLOCK_TOLERANCE_MS, TRUST_SETS_MAX},
    trust::{Checkpoint, Trust, TrustedLedger, TrustedSet},
    validators::{Validator, ValidatorSet},
    verdict::Freshness,
    vote::{Vote, VoteKind},
};

use crate::common::world::{seed, sign, signing_key};

const START: u64 = 1_795_000_000_000;
const STEP_MS: u64 = 30_000;
const MONTH: u64 = 30 * 86_400_000;

fn genesis() -> GenesisHash {
    GenesisHash::new(seed("genesis", 77))
}

/// Four validators of equal weight with the keys `from` to `from + 3`.
fn set(from: u64) -> ValidatorSet {
    let validator = |number: u64| Validator {
        key: PublicKey::from_ed25519(signing_key(number).verifying_key().as_bytes()).unwrap(),
        authority: AuthorityId::new((number - from) as u8 + 1),
        power: VotingPower::new(1),
    };
    ValidatorSet::new((from..from + 4).map(validator).collect()).unwrap()
}

/// A chain: who commits each height, from 0, and one height more. Sets are named by their first key.
struct Chain {
    sets: Vec<u64>,
    headers: Vec<Header>,
}

impl Chain {
    fn new(sets: &[u64]) -> Self {
        let mut headers = Vec::<Header>::new();
        for (height, pair) in (0_u64..).zip(sets.windows(2)) {
            headers.push(Header {
                version: 1,
                genesis: genesis(),
                height: Height::new(height),
                time: TimeMs::new(START + height * STEP_MS),
                parent: headers.last().map_or(BlockId::new([0; 32]), Header::id),
                creator: ValidatorAddress::new([0; 20]),
                round: Round::new(0),
                transactions_root: TransactionsRoot::new(seed("transactions", height)),
                state_root: StateRoot::new(seed("state", height)),
                history_root: HistoryRoot::new(seed("history", height)),
                validators: set(pair[0]).hash(),
                next_validators: set(pair[1]).hash(),
            });
        }
        Self { sets: sets.to_vec(), headers }
    }

    /// What somebody believes who knows genesis alone.
    fn trusted(&self) -> TrustedLedger {
        let first = &self.headers[0];
        TrustedLedger {
            genesis: genesis(),
            kind: NetworkKind::Test,
            name_ka: Text::new("").unwrap(),
            name_en: Text::new("").unwrap(),
            checkpoint: Checkpoint { height: first.height, time: first.time, id: first.id() },
            sets: vec![TrustedSet {
                first_height: Height::new(0),
                last_height: Height::new(u64::MAX),
                first_time: TimeMs::new(0),
                last_time: TimeMs::new(u64::MAX),
                set: set(self.sets[0]),
            }],
        }
    }

    fn at(&self, height: usize) -> (Header, CommitCertificate, ValidatorSet) {
        let header = self.headers[height];
        (header, signed(&header, self.sets[height], 4), set(self.sets[height + 1]))
    }
}

/// The first `count` validators of a set sign a header.
fn signed(header: &Header, set_from: u64, count: usize) -> CommitCertificate {
    let set = set(set_from);
    let signature = |(position, validator): (usize, &Validator)| {
        let key = (set_from..set_from + 4).map(signing_key);
        let key = key.into_iter().find(|key| validator.key.to_bytes()[1..] == *key.verifying_key().as_bytes()).unwrap();
        let vote = Vote {
            kind: VoteKind::Precommit,
            height: header.height,
            round: Round::new(0),
            block: Some(header.id()),
            validator: validator.address(),
        };
        let signature = Signature::new(sign(&key, &vote.preimage(&genesis())));
        CommitSignature { validator: position as u8, signature }
    };
    let signatures = set.validators().iter().enumerate().take(count).map(signature).collect();
    CommitCertificate::new(Round::new(0), signatures).unwrap()
}

const fn at(ms: u64) -> Freshness {
    Freshness { at: TimeMs::new(ms), max_age_ms: MONTH }
}

fn try_step(
    ledger: &TrustedLedger,
    (header, certificate, next): &(Header, CommitCertificate, ValidatorSet),
) -> Result<TrustedLedger, StepError> {
    ledger.advanced(&LightStep { header, certificate, next }, at(START + 1_000_000))
}

fn ranges(ledger: &TrustedLedger) -> Vec<(u64, u64, u64, u64)> {
    let range =
        |set: &TrustedSet| (set.first_height.get(), set.last_height.get(), set.first_time.get(), set.last_time.get());
    ledger.sets.iter().map(range).collect()
}

#[test]
fn changes_are_followed_one_by_one_and_the_rest_is_skipped() {
    // The set changes behind heights 3 and 7.
    let chain = Chain::new(&[10, 10, 10, 10, 20, 20, 20, 20, 30, 30, 30]);
    let start = chain.trusted();
    // Neither change can be skipped: what is signed by strangers is not believed.
    for height in [4, 5, 7, 9] {
        let error = StepError::OtherValidators { height: Height::new(height as u64) };
        assert_eq!(try_step(&start, &chain.at(height)), Err(error));
    }
    let one = try_step(&start, &chain.at(3)).unwrap();
    assert_eq!(one.checkpoint.id, chain.headers[3].id());
    let two = try_step(&try_step(&one, &chain.at(7)).unwrap(), &chain.at(9)).unwrap();
    let (third, seventh) = (START + 3 * STEP_MS, START + 7 * STEP_MS);
    let end = u64::MAX;
    assert_eq!(ranges(&two), [(0, 3, 0, third), (4, 7, third + 1, seventh), (8, end, seventh + 1, end)]);
    assert_eq!(two.sets.iter().map(|known| known.set.clone()).collect::<Vec<_>>(), [set(10), set(20), set(30)]);
    assert_eq!((two.checkpoint.height.get(), two.checkpoint.id), (9, chain.headers[9].id()));
    // What comes out is a trust file.
    let trust = Trust::new(vec![two.clone()]).unwrap();
    assert_eq!(Trust::from_bytes(&trust.to_bytes()).unwrap().ledgers(), std::slice::from_ref(&two));
    // The same step again changes nothing; one below is refused.
    assert_eq!(try_step(&two, &chain.at(9)), Ok(two.clone()));
    assert_eq!(try_step(&two, &chain.at(8)), Err(StepError::Backwards { height: Height::new(8) }));
}

#[test]
fn a_quorum_of_the_set_in_force_must_have_signed_this_very_header() {
    let chain = Chain::new(&[10, 10, 10, 20, 20]);
    let start = chain.trusted();
    let (header, _, next) = chain.at(2);
    let no_quorum = StepError::NotConfirmed(CertificateError::NoQuorum { power: 2, total: 4 });
    assert_eq!(try_step(&start, &(header, signed(&header, 10, 2), next.clone())), Err(no_quorum));
    try_step(&start, &(header, signed(&header, 10, 3), next.clone())).unwrap();
    let forged = StepError::NotConfirmed(CertificateError::Signature { validator: 0 });
    // The next set's signatures, another header's, and a header that names friends as the next set.
    assert_eq!(try_step(&start, &(header, signed(&header, 20, 4), next.clone())), Err(forged));
    assert_eq!(try_step(&start, &(header, signed(&chain.headers[1], 10, 4), next)), Err(forged));
    let friends = Header { next_validators: set(90).hash(), ..header };
    assert_eq!(try_step(&start, &(friends, signed(&header, 10, 4), set(90))), Err(forged));
    let error = StepError::OtherNext { height: Height::new(2) };
    assert_eq!(try_step(&start, &(header, signed(&header, 10, 4), set(90))), Err(error));
}

#[test]
fn a_header_of_another_ledger_version_or_fork_is_refused() {
    let chain = Chain::new(&[10; 6]);
    let start = try_step(&chain.trusted(), &chain.at(3)).unwrap();
    let resigned = |change: &dyn Fn(&mut Header)| {
        let (mut header, _, next) = chain.at(4);
        change(&mut header);
        try_step(&start, &(header, signed(&header, 10, 4), next)).unwrap_err()
    };
    assert_eq!(resigned(&|header| header.genesis = GenesisHash::new([1; 32])), StepError::OtherLedger);
    assert_eq!(resigned(&|header| header.version = 2), StepError::UnknownVersion { version: 2 });
    let (three, four) = (Height::new(3), Height::new(4));
    assert_eq!(resigned(&|header| header.height = three), StepError::OtherThanPinned { height: three });
    let time = start.checkpoint.time;
    assert_eq!(resigned(&|header| header.time = time), StepError::NotLater { height: four });
    let late = TimeMs::new(START + 1_000_000 + CLOCK_TOLERANCE_MS);
    assert_eq!(resigned(&|header| header.time = TimeMs::new(late.get() + 1)), StepError::ClockBehind);
    let (mut header, _, next) = chain.at(4);
    header.time = late;
    try_step(&start, &(header, signed(&header, 10, 4), next)).unwrap();
}

#[test]
fn nobody_goes_on_from_a_checkpoint_that_is_too_old_or_with_a_clock_that_is_behind() {
    let chain = Chain::new(&[10; 4]);
    let start = chain.trusted();
    let (header, certificate, next) = chain.at(2);
    let step = LightStep { header: &header, certificate: &certificate, next: &next };
    start.advanced(&step, at(START + MONTH)).unwrap();
    assert_eq!(start.advanced(&step, at(START + MONTH + 1)), Err(StepError::TooOld { age_ms: MONTH + 1 }));
    assert_eq!(start.advanced(&step, at(START - CLOCK_TOLERANCE_MS - 1)), Err(StepError::ClockBehind));
    assert_eq!(start.check_age(at(START - CLOCK_TOLERANCE_MS)), Ok(()));
}

#[test]
fn sets_that_are_listed_already_are_never_rewritten() {
    let chain = Chain::new(&[10, 10, 10, 20, 20, 20]);
    let followed = try_step(&chain.trusted(), &chain.at(2)).unwrap();
    // A file that lists both sets, pinned before the change: the change is found as listed.
    let early = TrustedLedger { checkpoint: chain.trusted().checkpoint, ..followed.clone() };
    let stepped = try_step(&early, &chain.at(2)).unwrap();
    assert_eq!(stepped, followed);
    assert_eq!(try_step(&early, &chain.at(4)).unwrap().sets, followed.sets);
    // A quorum of the first set that names another successor, or another height of the change, contradicts the file.
    let contradicts = |height: usize, next: u64| {
        let mut header = chain.headers[height];
        header.next_validators = set(next).hash();
        let step = (header, signed(&header, 10, 4), set(next));
        assert_eq!(try_step(&early, &step), Err(StepError::Contradiction { height: header.height }));
    };
    contradicts(2, 90);
    contradicts(2, 10);
    contradicts(1, 20);
}

#[test]
fn the_number_of_sets_is_bounded() {
    let chain = Chain::new(&[10, 10, 20, 20]);
    let listed = |count: usize| {
        let (first, template) = (1_000_000, chain.trusted());
        let mut sets: Vec<TrustedSet> = (0..count as u64)
            .map(|number| TrustedSet {
                first_height: Height::new(first + number),
                last_height: Height::new(first + number),
                ..template.sets[0].clone()
            })
            .collect();
        sets.last_mut().unwrap().last_height = Height::new(u64::MAX);
        let height = Height::new(first + count as u64);
        let header = Header { height, time: TimeMs::new(START + STEP_MS), ..chain.headers[1] };
        try_step(&TrustedLedger { sets, ..template }, &(header, signed(&header, 10, 4), set(20)))
    };
    assert_eq!(listed(TRUST_SETS_MAX - 1).unwrap().sets.len(), 1_024);
    assert_eq!(listed(TRUST_SETS_MAX), Err(StepError::TooManySets));
}

proptest! {
    /// Whatever steps are offered, in whatever order, honest or signed by the wrong set: what is believed is what the chain
    /// says. Offered every header in order, everything is believed.
    #[test]
    fn only_what_the_chain_says_is_ever_believed(
        lengths in prop::collection::vec(1_usize..4, 1..5),
        offers in prop::collection::vec((any::<prop::sample::Index>(), prop::bool::weighted(0.8)), 0..12),
    ) {
        let eras: Vec<u64> = (0_u64..)
            .zip(&lengths)
            .flat_map(|(era, length)| std::iter::repeat_n(era * 10 + 100, *length))
            .collect();
        let sets = [eras.clone(), vec![*eras.last().unwrap()]].concat();
        let chain = Chain::new(&sets);
        // The file that one begins with says nothing certain about what follows its checkpoint.
        let check = |ledger: &TrustedLedger, stepped: bool| {
            let known = ledger.checkpoint.height.get() as usize + 1 + usize::from(stepped);
            for (height, from) in sets.iter().enumerate().take(known) {
                prop_assert_eq!(&ledger.set_at(Height::new(height as u64)).unwrap().set, &set(*from));
            }
            Ok(())
        };
        let mut ledger = chain.trusted();
        let mut stepped = false;
        for (index, honest) in offers {
            let height = index.index(chain.headers.len());
            let (header, certificate, next) = chain.at(height);
            let certificate = if honest { certificate } else { signed(&header, 900, 4) };
            if let Ok(next) = try_step(&ledger, &(header, certificate, next)) {
                prop_assert!(honest || height == 0, "genesis alone is signed by nobody");
                prop_assert!(next.checkpoint.height >= ledger.checkpoint.height);
                (ledger, stepped) = (next, true);
            }
            check(&ledger, stepped)?;
        }
        for height in ledger.checkpoint.height.get() as usize..chain.headers.len() {
            ledger = try_step(&ledger, &chain.at(height)).unwrap();
        }
        check(&ledger, true)?;
        prop_assert_eq!(ledger.sets.len(), lengths.len());
    }
}
