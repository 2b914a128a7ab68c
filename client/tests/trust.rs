//! Trust files: following a ledger whose validators change, against nodes that lag and lie; and the commands.
#![expect(clippy::unwrap_used, reason = "a test panics to fail")]

mod scripted;
mod world;

use std::{path::Path, sync::Arc, time::Duration};

use scripted::{Answer, Link, Node, dead};
use sigeli::{
    keys::SecretKey,
    remote::Remote,
    trust::{self, Fingerprint, UpdateError, Updated},
};
use sigeli_verifier::{
    block::Header,
    certificate::{CommitCertificate, CommitSignature},
    encode::Encode as _,
    ids::{AuthorityId, GenesisHash, Height, Round, TimeMs, ValidatorAddress, VotingPower},
    light::StepError,
    state::StateRoots,
    trust::{Checkpoint, NetworkKind, Trust, TrustedLedger},
    validators::{Validator, ValidatorSet},
    verdict::Freshness,
    vote::{Vote, VoteKind},
};
use world::{BLOCK_TIME, Issued, World, run, sigeli};

const SOON: Duration = Duration::from_secs(20);
const DAY_MS: u64 = 86_400_000;

/// Four keys of an era.
fn keys(era: u8) -> Vec<SecretKey> {
    (0..4).map(|number| SecretKey::from_seed(&[100 + era * 4 + number; 32])).collect()
}

fn set(era: u8) -> ValidatorSet {
    let keys = keys(era);
    let validator = |(key, authority): (&SecretKey, u8)| Validator {
        key: key.public(),
        authority: AuthorityId::new(authority),
        power: VotingPower::new(1),
    };
    ValidatorSet::new(keys.iter().zip(1..).map(validator).collect()).unwrap()
}

fn signed(genesis: &GenesisHash, header: &Header, era: u8) -> CommitCertificate {
    let keys = keys(era);
    let set = set(era);
    let signatures = set.validators().iter().zip(0..).map(|(validator, position)| {
        let vote = Vote {
            kind: VoteKind::Precommit,
            height: header.height,
            round: Round::new(0),
            block: Some(header.id()),
            validator: validator.address(),
        };
        let key = keys.iter().find(|key| key.public() == validator.key).unwrap();
        CommitSignature { validator: position, signature: key.sign(&vote.preimage(genesis)) }
    });
    CommitCertificate::new(Round::new(0), signatures.collect()).unwrap()
}

/// A chain by the eras of its heights, one header a day.
fn chain(world: &World, eras: &[u8]) -> Vec<Link> {
    let link = |(height, pair): (u64, &[u8])| {
        let header = Header {
            height: Height::new(height),
            time: TimeMs::new(BLOCK_TIME.get() + height * DAY_MS),
            creator: ValidatorAddress::new([0; 20]),
            validators: set(pair[0]).hash(),
            next_validators: set(pair[1]).hash(),
            ..world.header(&StateRoots::EMPTY)
        };
        let certificate = signed(&world.genesis, &header, pair[0]);
        Link { header, certificate, next: set(pair[1]) }
    };
    (0..).zip(eras.windows(2)).map(link).collect()
}

/// Trust in the first era, from genesis on, beside another ledger.
fn trusted(world: &World, chain: &[Link]) -> Trust {
    let mut own = world.trust(NetworkKind::Test).ledgers()[0].clone();
    let first = &chain[0].header;
    own.checkpoint = Checkpoint { height: first.height, time: first.time, id: first.id() };
    own.sets[0].set = set(0);
    Trust::new(vec![own, World::new(200).trust(NetworkKind::Production).ledgers()[0].clone()]).unwrap()
}

fn own(world: &World, trust: &Trust) -> TrustedLedger {
    trust.ledgers().iter().find(|ledger| ledger.genesis == world.genesis).unwrap().clone()
}

struct Scene {
    world: Arc<World>,
    issued: Arc<Issued>,
    chain: Vec<Link>,
    trust: Trust,
}

impl Scene {
    fn new(eras: &[u8]) -> Self {
        let world = Arc::new(World::new(1));
        let chain = chain(&world, eras);
        let trust = trusted(&world, &chain);
        Self { world, issued: Arc::new(Issued::new(&[("a.pdf", b"%PDF-1.7 a")])), chain, trust }
    }

    fn node(&self, chain: &[Link]) -> Node {
        let node = Node::new(&self.world, &self.issued, &[Answer::Committed]);
        node.set(|script| script.chain = chain.to_vec());
        node
    }

    /// A clock a minute after the newest header.
    fn now(&self) -> Freshness {
        let newest = self.chain.last().unwrap().header.time.get();
        Freshness { at: TimeMs::new(newest + 60_000), max_age_ms: 400 * DAY_MS }
    }

    async fn update(&self, urls: &[String]) -> Result<Updated, UpdateError> {
        trust::update(&Remote::new(urls).unwrap(), &self.trust, self.now(), SOON).await
    }
}

/// 300 heights; the validators change behind heights 41, 42 and 250.
fn long() -> Vec<u8> {
    (0_u32..301)
        .map(|height| {
            if height <= 41 {
                0
            } else if height <= 42 {
                1
            } else if height <= 250 {
                2
            } else {
                3
            }
        })
        .collect()
}

#[tokio::test]
async fn changes_of_validators_are_found_and_followed_with_few_headers() {
    let scene = Scene::new(&long());
    let node = scene.node(&scene.chain);
    let updated = scene.update(&[dead().await, node.serve().await]).await.unwrap();
    let ledger = own(&scene.world, &updated.trust);
    assert_eq!((updated.changes, updated.before.height.get(), updated.after.height.get()), (3, 0, 299));
    assert_eq!(ledger.checkpoint.id, scene.chain[299].header.id());
    let ranges: Vec<_> = ledger.sets.iter().map(|set| (set.first_height.get(), set.last_height.get())).collect();
    assert_eq!(ranges, [(0, 41), (42, 42), (43, 250), (251, u64::MAX)]);
    let sets: Vec<_> = ledger.sets.iter().map(|trusted| trusted.set.clone()).collect();
    assert_eq!(sets, [set(0), set(1), set(2), set(3)]);
    assert!(node.script.lock().unwrap().headers_given < 40, "{}", node.script.lock().unwrap().headers_given);
    // The neighbour is left alone; a second time there is nothing to do.
    assert_eq!(updated.trust.ledgers().len(), 2);
    let remote = Remote::new(&[node.serve().await]).unwrap();
    let again = trust::update(&remote, &updated.trust, scene.now(), SOON).await.unwrap();
    assert_eq!((again.trust, again.before), (updated.trust, updated.after));
}

#[tokio::test]
async fn a_node_that_lags_is_passed_over_and_never_moves_the_file_back() {
    let scene = Scene::new(&[0, 0, 0, 1, 1, 1, 1]);
    let ahead = scene.update(&[scene.node(&scene.chain).serve().await]).await.unwrap();
    let behind = scene.node(&scene.chain[..3]).serve().await;
    let remote = |urls: &[String]| Remote::new(urls).unwrap();
    let refused =
        trust::update(&remote(std::slice::from_ref(&behind)), &ahead.trust, scene.now(), SOON).await.unwrap_err();
    assert!(matches!(refused, UpdateError::Behind { height } if height.get() == 2), "{refused}");
    let both = [behind, scene.node(&scene.chain).serve().await];
    assert_eq!(trust::update(&remote(&both), &ahead.trust, scene.now(), SOON).await.unwrap().trust, ahead.trust);
}

#[tokio::test]
async fn a_node_that_lies_is_found_out_and_an_honest_one_helps() {
    let scene = Scene::new(&[0, 0, 0, 0, 1, 1, 1, 1]);
    let genesis = scene.world.genesis;
    // Strangers' signatures under a header that names the known set; a change to strangers that nobody signed; another set
    // than the header names; a fork of what is pinned.
    let mut strangers = scene.chain[..3].to_vec();
    strangers[2].certificate = signed(&genesis, &strangers[2].header, 9);
    let mut usurped = scene.chain.clone();
    for link in &mut usurped[2..] {
        link.header.next_validators = set(9).hash();
        link.next = set(9);
    }
    for link in &mut usurped[3..] {
        link.header.validators = set(9).hash();
        link.certificate = signed(&genesis, &link.header, 9);
    }
    let mut swapped = scene.chain.clone();
    swapped[3].next = set(9);
    let mut forked = scene.chain[..1].to_vec();
    forked[0].header.time = TimeMs::new(BLOCK_TIME.get() + 1);
    let honest = scene.node(&scene.chain).serve().await;
    for (name, lies) in [("strangers", strangers), ("usurped", usurped), ("swapped", swapped), ("forked", forked)] {
        let liar = scene.node(&lies).serve().await;
        let refused = scene.update(std::slice::from_ref(&liar)).await.unwrap_err();
        let UpdateError::False { error } = &refused else { panic!("{name}: {refused}") };
        match name {
            "swapped" => assert!(matches!(error, StepError::OtherNext { .. })),
            "forked" => assert!(matches!(error, StepError::OtherThanPinned { .. })),
            _ => assert!(matches!(error, StepError::NotConfirmed(_)), "{name}: {error}"),
        }
        let updated = scene.update(&[liar, honest.clone()]).await.unwrap();
        assert_eq!((updated.after.height.get(), updated.changes), (6, 1), "{name}");
    }
}

#[tokio::test]
async fn another_ledger_and_a_file_that_is_too_old_are_refused_in_words() {
    let scene = Scene::new(&[0, 0, 0]);
    let node = scene.node(&scene.chain).serve().await;
    let remote = Remote::new(std::slice::from_ref(&node)).unwrap();
    let other = World::new(7).trust(NetworkKind::Test);
    let refused = trust::update(&remote, &other, scene.now(), SOON).await.unwrap_err();
    assert!(matches!(refused, UpdateError::ForeignLedger { .. }));
    let at = |days: u64, more: u64| Freshness {
        at: TimeMs::new(BLOCK_TIME.get() + days * DAY_MS + more),
        max_age_ms: 30 * DAY_MS,
    };
    assert_eq!(trust::update(&remote, &scene.trust, at(30, 0), SOON).await.unwrap().after.height.get(), 1);
    let refused = trust::update(&remote, &scene.trust, at(30, 1), SOON).await.unwrap_err();
    let text = refused.to_string();
    assert!(matches!(refused, UpdateError::TooOld { days: 30, days_max: 30 }), "{text}");
    assert!(text.contains("Get a new trust file") && text.contains("fingerprint"), "{text}");
    let refused = trust::update(&remote, &scene.trust, at(0, 0), SOON).await.unwrap_err();
    assert!(matches!(refused, UpdateError::ClockBehind), "{refused}");
}

fn ok(directory: &Path, args: &[&str]) -> String {
    let run = sigeli(directory, args);
    assert_eq!(run.exit, 0, "{args:?}: {}{}", run.out, run.err);
    run.out
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_show_compare_follow_and_export() {
    let scene = Scene::new(&[0, 0, 1, 1]);
    let url = scene.node(&scene.chain).serve().await;
    let (trust, genesis) = (scene.trust.clone(), scene.world.genesis);
    let issued = scene.issued.clone();
    issued.write("trust", &trust.to_bytes());
    let files = tokio::task::spawn_blocking(move || {
        let directory = issued.directory.path();
        let said = ok(directory, &["trust", "show", "--trust", "trust"]);
        assert!(
            said.contains("TEST ledger") && said.contains(&genesis.to_string()) && said.contains("Blocks 0 to now")
        );
        let json: serde_json::Value =
            serde_json::from_str(&ok(directory, &["trust", "show", "--json", "--trust", "trust"])).unwrap();
        assert_eq!(json["checksum"], hex::encode(trust.checksum()));
        assert_eq!(json["ledgers"].as_array().unwrap().len(), 2);
        assert_eq!(json["ledgers"][0]["sets"][0]["last_height"], serde_json::Value::Null);

        let file = Fingerprint::of(trust.checksum()).to_string();
        let ledger = Fingerprint::of(genesis.get()).to_string();
        let said = ok(directory, &["trust", "fingerprint", "--trust", "trust"]);
        assert!(said.contains(&file) && said.contains(&ledger));
        let confirm =
            |digits: &str| sigeli(directory, &["trust", "fingerprint", "--trust", "trust", "--confirm", digits]);
        assert!(confirm(&file.replace('\n', "  ")).out.contains("this is the very file"));
        assert!(confirm(&ledger).out.contains("does not confirm the validators"));
        let other = confirm(&Fingerprint::of([3; 32]).to_string());
        assert!(other.exit == 65 && other.err.contains("NOT the same"));
        let misheard = confirm(&format!("{}{}", if file.starts_with('0') { 1 } else { 0 }, &file[1..]));
        assert!(misheard.exit == 65 && misheard.err.contains("group 1 was misread"), "{}", misheard.err);

        // One ledger for somebody else, byte by byte what was there.
        let digits = &genesis.to_string()[..8];
        ok(directory, &["trust", "export", "--trust", "trust", "--out", "one", "--ledger", digits]);
        let one = trust::read(&issued.path("one")).unwrap();
        assert_eq!(one.ledgers(), [trust.ledgers().iter().find(|ledger| ledger.genesis == genesis).unwrap().clone()]);
        assert_eq!(
            sigeli(directory, &["trust", "export", "--trust", "trust", "--out", "x", "--ledger", "ffff"]).exit,
            64
        );

        // The chain of this test lies around its own time, long before or after the clock of this computer.
        let run = run(
            env!("CARGO_BIN_EXE_sigeli"),
            directory,
            &["trust", "update", "--trust", "trust", "--node", &url, "--max-age", "36500d"],
        );
        (run.exit, run.err, std::fs::read(issued.path("trust")).unwrap(), trust)
    })
    .await
    .unwrap();
    let (exit, said, after, before) = files;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    if now + 120_000 < u128::from(scene.chain[2].header.time.get()) {
        assert!(exit == 65 && said.contains("clock is behind"), "{said}");
        assert_eq!(after, before.to_bytes());
    } else {
        assert_eq!(exit, 0, "{said}");
        assert_ne!(after, before.to_bytes());
    }
}

/// A damaged trust file is "could not be checked" for whoever verifies.
#[test]
fn a_damaged_trust_file_never_makes_a_credential_look_false() {
    let world = World::new(1);
    let issued = Issued::new(&[("a.pdf", b"%PDF-1.7 a")]);
    issued.write("a.pdf.sigeli", &world.bundle(&issued, 0, None).to_bytes());
    let good = world.trust(NetworkKind::Test).to_bytes();
    let verify = ["verify", "a.pdf", "--trust", "trust", "--at", "2026-11-24T09:05:00Z"];
    for position in (0..good.len()).step_by(29) {
        let mut damaged = good.clone();
        damaged[position] ^= 0x10;
        issued.write("trust", &damaged);
        let run = sigeli(issued.directory.path(), &verify);
        assert_eq!(run.exit, 3, "byte {position}: {}", run.out);
    }
    issued.write("trust", &good);
    assert_eq!(sigeli(issued.directory.path(), &verify).exit, 0);
}
