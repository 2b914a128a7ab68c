//! Killing nodes at random moments under load: no anchor that was answered `committed` may ever be lost.
//!
//! Several streams anchor small batches through random nodes without a pause, while one node after the other is
//! killed with SIGKILL and started again; sometimes it is killed again while it is still starting. At most one node
//! is down at a time, as many as the ledger tolerates. Afterwards every acknowledged anchor must be proved, to the
//! offline verifier, by all four nodes. The schedule follows from a seed; what it meets does not, since processes and
//! disks are real.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sigeli::{batch::BatchFacts, keys::SecretKey, remote::Remote};
use sigeli_proto::v1::{self, ledger_client::LedgerClient, outcome::State};
use sigeli_verifier::{
    batch::{BatchPath, BatchTree},
    bundle::{Bundle, Receipt, StampFile, batch_tag, ledger_tag},
    credential::{Profile, document_digest, leaf_commitment, status_handle},
    decode::Decode as _,
    encode::Encode as _,
    ids::{BatchRoot, DocumentDigest, GenesisHash, Height, KeyIndex, Leaf, LeafIndex, Salt, TimeMs},
    params::INSTITUTION_VALIDITY_MS_MAX,
    time::Day,
    transaction::{BatchAnchor, HashAlgorithm, Payload, Sender, SignedTransaction, Transaction, TransactionSignature},
    trust::Trust,
    verify,
};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use crate::{
    cluster::{Cluster, Node},
    home::Home,
    observe::{self, Observer},
    pilot::{self, GTU, Pilot},
    poll,
};

/// How many anchors are in flight at a time.
const STREAMS: u64 = 6;
/// Leaves of each batch: the least that the ledger takes.
const LEAVES: usize = 16;
/// How long a node is asked to wait for an anchor to become final.
const ANSWER_WAIT_MS: u32 = 10_000;
/// How long the network may take, with all nodes back, until an anchor becomes final again.
const PROGRESS_LIMIT: Duration = Duration::from_secs(60);
/// How long an answer may take: the wait, and some time to give it.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// How many violations are printed.
const VIOLATIONS_SHOWN: usize = 20;
/// Between two kills, the network runs this long, in milliseconds.
const RUNNING_MS: std::ops::Range<u64> = 50..1_500;
/// A killed node stays down this long, in milliseconds.
const DOWN_MS: std::ops::Range<u64> = 0..1_000;
/// A node that is killed while it starts gets this long, in milliseconds.
const STARTING_MS: std::ops::Range<u64> = 1..400;
/// One start in this many ends in another kill.
const STARTS_PER_REPEATED_KILL: u64 = 4;

/// How often, and after which schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How many kills.
    pub(crate) runs: u32,
    /// What the schedule is drawn from.
    pub(crate) seed: u64,
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014): reproducible, and
/// never used for anything secret.
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number of the range; the bias of the remainder is below 2^-48 for ranges like ours.
    const fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next().to_le_bytes()));
        bytes
    }

    /// One of `count` positions.
    fn position(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).expect("few positions");
        usize::try_from(self.within(0..count)).expect("below a position")
    }
}

/// A batch of random leaves, one of which is the commitment of a document.
#[derive(Debug, Clone)]
struct Sample {
    document: DocumentDigest,
    salt: Salt,
    root: BatchRoot,
    path: BatchPath,
    tree_height: sigeli_verifier::batch::BatchHeight,
}

impl Sample {
    fn draw(random: &mut Random) -> Self {
        let document = document_digest(Profile::Raw, &random.bytes());
        let salt = Salt::new(random.bytes());
        let mut leaves: Vec<_> = (0..LEAVES).map(|_| Leaf::new(random.bytes())).collect();
        let index = random.position(LEAVES);
        leaves[index] = leaf_commitment(Profile::Raw, &salt, &document);
        let tree = BatchTree::new(&leaves).expect("16 leaves are a tree");
        let index = LeafIndex::new(u32::try_from(index).expect("below 16"));
        let path = tree.path(index).expect("the index lies inside");
        Self { document, salt, root: tree.root(), path, tree_height: tree.height() }
    }

    /// What proves it, with a node's stamp.
    fn bundle(&self, genesis: &GenesisHash, stamp: StampFile) -> Bundle {
        let receipt = Receipt {
            profile: Profile::Raw,
            salt: self.salt,
            institution: GTU.id,
            batch: batch_tag(&self.root),
            path: self.path.clone(),
        };
        Bundle { ledger: ledger_tag(genesis), receipt, stamp }
    }
}

/// An anchor that a node has acknowledged.
#[derive(Debug, Clone)]
struct Acknowledged {
    sample: Sample,
    height: Height,
    by: &'static str,
}

/// What a stream has done.
#[derive(Debug, Default)]
struct Streamed {
    acknowledged: Vec<Acknowledged>,
    /// Anchors without a final answer: the node died, was busy, or took too long. They may be on the ledger or not.
    unanswered: u64,
    /// Anchors that were refused, which none of these may be.
    violations: Vec<String>,
}

/// One client for each node, for one stream.
#[derive(Debug, Clone)]
struct Door {
    name: &'static str,
    client: LedgerClient<Channel>,
}

fn doors(nodes: &[Node]) -> eyre::Result<Vec<Door>> {
    let door = |node: &Node| {
        let endpoint = Endpoint::from_shared(node.grpc())?.connect_timeout(ANSWER_LIMIT).timeout(ANSWER_LIMIT);
        Ok(Door { name: node.name, client: LedgerClient::new(endpoint.connect_lazy()) })
    };
    nodes.iter().map(door).collect()
}

/// What all streams share.
#[derive(Debug)]
struct Load {
    genesis: GenesisHash,
    /// What every batch states.
    facts: BatchFacts,
    pilot: Pilot,
    /// How many anchors were acknowledged so far.
    acknowledged: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    fn signed(&self, sample: &Sample) -> SignedTransaction {
        let facts = &self.facts;
        let anchor = BatchAnchor {
            root: sample.root,
            height: sample.tree_height,
            hash_algorithm: HashAlgorithm::Blake3,
            accreditation: facts.accreditation,
            level: facts.level,
            field: facts.field,
            ects: facts.ects,
            issued: facts.issued,
            credential_type: facts.credential_type,
        };
        // Half of what is allowed, since a node that is catching up judges by an older ledger time.
        let valid_until = TimeMs::new(pilot::now().get().saturating_add(INSTITUTION_VALIDITY_MS_MAX / 2));
        let sender = Sender::Institution { institution: GTU.id };
        let body = Transaction { genesis: self.genesis, valid_until, sender, payload: Payload::BatchAnchor(anchor) };
        sign(body, &self.pilot.gtu)
    }

    /// Anchors one batch after the other, through random nodes, until told to stop.
    async fn stream(self: Arc<Self>, mut doors: Vec<Door>, mut random: Random) -> Streamed {
        let mut done = Streamed::default();
        while !self.stop.load(Ordering::Relaxed) {
            let sample = Sample::draw(&mut random);
            let position = random.position(doors.len());
            let door = &mut doors[position];
            let transaction = self.signed(&sample).to_bytes();
            let answer = door.client.submit(v1::SubmitRequest { transaction, wait_ms: ANSWER_WAIT_MS }).await;
            match answer.ok().and_then(|answer| answer.into_inner().outcome).and_then(|outcome| outcome.state) {
                Some(State::Committed(committed)) => {
                    let height = Height::new(committed.height);
                    done.acknowledged.push(Acknowledged { sample, height, by: door.name });
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                Some(State::Rejected(rejected)) => {
                    done.violations.push(format!(
                        "{} refused a sound anchor: {} ({})",
                        door.name, rejected.name, rejected.message
                    ));
                }
                Some(State::Pending(_) | State::Unknown(_)) | None => {
                    done.unanswered += 1;
                    // A node that is down refuses at once: let others run before the next try.
                    tokio::task::yield_now().await;
                }
            }
        }
        done
    }
}

fn sign(body: Transaction, key: &SecretKey) -> SignedTransaction {
    let signature = TransactionSignature { key: KeyIndex::new(0), signature: key.sign(&body.preimage()) };
    SignedTransaction::new(body, vec![signature]).expect("an anchor with one signature is within every limit")
}

/// One kill, for the table.
#[derive(Debug)]
struct Kill {
    name: &'static str,
    at: Duration,
    down: Duration,
    /// `None` when it was killed again while starting.
    back: Option<Back>,
}

/// How a killed node came back.
#[derive(Debug)]
struct Back {
    /// The height that the others had when it was started.
    height: Height,
    /// How long it took to have it, too.
    caught_up: Duration,
    /// How long it took until an anchor was acknowledged that was not before the node had caught up.
    served: Duration,
}

/// Runs the network under load, kills, restarts, and checks. Prints a table.
///
/// # Errors
/// When an acknowledged anchor is not provable on some node, nodes differ, a node ends by itself or does not come
/// back, or a sound anchor was refused.
pub(crate) async fn run(home: &Home, cluster: &mut Cluster, plan: Plan) -> eyre::Result<()> {
    println!("{} kills by the schedule of seed {}, in {}", plan.runs, plan.seed, home.root().display());
    let observers = Observer::all(cluster)?;
    observe::wait_ready(cluster, &observers).await?;
    let remote = Remote::new(&cluster.urls())?;
    let pilot = Pilot::set_up(home, &remote, &[pilot::usual(Day::of(pilot::now()))?]).await?;
    let trust = crate::genesis::trust(cluster.genesis())?;
    sigeli::trust::write(&home.trust(), &trust)?;
    let load = Arc::new(Load {
        genesis: cluster.genesis().genesis_hash(),
        facts: pilot.facts()?,
        pilot,
        acknowledged: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    });

    let mut random = Random(plan.seed);
    let mut streams = JoinSet::new();
    for _ in 0..STREAMS {
        let drawn = Random(random.next());
        streams.spawn(Arc::clone(&load).stream(doors(cluster.nodes())?, drawn));
    }
    let killed = kill_all(cluster, &observers, &load, plan.runs, &mut random).await;
    load.stop.store(true, Ordering::Relaxed);
    let mut done = Streamed::default();
    while let Some(stream) = streams.join_next().await {
        let stream = stream?;
        done.acknowledged.extend(stream.acknowledged);
        done.violations.extend(stream.violations);
        done.unanswered += stream.unanswered;
    }
    let kills = killed?;
    let agreement = observe::agreement(cluster, &observers).await?;
    let acknowledged = Arc::new(done.acknowledged);
    let proved = prove_all(cluster, &acknowledged, &trust).await?;
    done.violations.extend(proved.violations);
    print!("{}", table(&kills));
    println!(
        "\n{} anchors were acknowledged, {} had no final answer. All nodes at block {} with one state root.",
        acknowledged.len(),
        done.unanswered,
        agreement.height,
    );
    println!("{} proofs verified: each acknowledged anchor on each of {} nodes.", proved.proofs, observers.len());
    eyre::ensure!(!acknowledged.is_empty(), "no anchor was acknowledged, so that nothing was shown");
    let violations = &done.violations;
    let some: Vec<_> = violations.iter().take(VIOLATIONS_SHOWN).map(String::as_str).collect();
    eyre::ensure!(violations.is_empty(), "{} VIOLATIONS, such as:\n  {}", violations.len(), some.join("\n  "));
    println!("No violation.");
    Ok(())
}

async fn kill_all(
    cluster: &mut Cluster,
    observers: &[Observer],
    load: &Load,
    runs: u32,
    random: &mut Random,
) -> eyre::Result<Vec<Kill>> {
    let begun = Instant::now();
    let mut kills = Vec::<Kill>::new();
    let mut starting = None;
    for run in 1..=runs {
        let position = match starting.take() {
            Some(position) => {
                delay(random.within(STARTING_MS)).await;
                position
            }
            None => {
                delay(random.within(RUNNING_MS)).await;
                random.position(observers.len())
            }
        };
        let name = observers[position].name;
        cluster.kill(position).await?;
        let (at, killed) = (begun.elapsed(), Instant::now());
        delay(random.within(DOWN_MS)).await;
        let down = killed.elapsed();
        let tip = observe::tip(observers).await?;
        let started = Instant::now();
        cluster.start(position)?;
        let back = if run < runs && random.within(0..STARTS_PER_REPEATED_KILL) == 0 {
            starting = Some(position);
            None
        } else {
            observe::wait_height(cluster, &observers[position], tip).await?;
            let caught_up = started.elapsed();
            wait_progress(cluster, load).await?;
            Some(Back { height: tip, caught_up, served: started.elapsed() })
        };
        kills.push(Kill { name, at, down, back });
        println!("kill {run:>3}: {name}");
    }
    Ok(kills)
}

/// Waits until another anchor is acknowledged: the network works again, and the next kill meets it at work.
async fn wait_progress(cluster: &mut Cluster, load: &Load) -> eyre::Result<()> {
    let before = load.acknowledged.load(Ordering::Relaxed);
    poll::until("an anchor becoming final again", PROGRESS_LIMIT, async || {
        cluster.check_running()?;
        Ok((load.acknowledged.load(Ordering::Relaxed) > before).then_some(()))
    })
    .await
}

/// Part of the schedule: when something happens, not a wait for something to have happened.
async fn delay(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

fn table(kills: &[Kill]) -> String {
    let mut text = format!("\n{:>4}  {:<9} {:>9} {:>8}  {}\n", "kill", "node", "at ms", "down ms", "came back");
    for (number, kill) in (1..).zip(kills) {
        let back = kill.back.as_ref().map_or_else(
            || "killed again while starting".to_owned(),
            |back| {
                let (caught_up, served) = (back.caught_up.as_millis(), back.served.as_millis());
                format!("had block {} after {caught_up} ms, an anchor final after {served} ms", back.height)
            },
        );
        let (at, down) = (kill.at.as_millis(), kill.down.as_millis());
        writeln!(text, "{number:>4}  {:<9} {at:>9} {down:>8}  {back}", kill.name).expect("writing to a string works");
    }
    text
}

/// What the proofs have shown.
#[derive(Debug, Default)]
struct Proved {
    proofs: usize,
    violations: Vec<String>,
}

/// Has every node prove every acknowledged anchor to the offline verifier.
async fn prove_all(cluster: &Cluster, acknowledged: &Arc<Vec<Acknowledged>>, trust: &Trust) -> eyre::Result<Proved> {
    let genesis = cluster.genesis().genesis_hash();
    let mut nodes = JoinSet::new();
    for door in doors(cluster.nodes())? {
        nodes.spawn(prove_on(door, genesis, Arc::clone(acknowledged), trust.clone()));
    }
    let mut all = Proved::default();
    while let Some(proved) = nodes.join_next().await {
        let proved = proved?;
        all.proofs += proved.proofs;
        all.violations.extend(proved.violations);
    }
    Ok(all)
}

async fn prove_on(mut door: Door, genesis: GenesisHash, acknowledged: Arc<Vec<Acknowledged>>, trust: Trust) -> Proved {
    let mut proved = Proved::default();
    for anchor in acknowledged.iter() {
        match prove(&mut door, &genesis, anchor, &trust).await {
            Ok(()) => proved.proofs += 1,
            Err(error) => proved.violations.push(format!(
                "batch {}, acknowledged by {} in block {}, is not provable on {}: {error:#}",
                anchor.sample.root, anchor.by, anchor.height, door.name
            )),
        }
    }
    proved
}

async fn prove(door: &mut Door, genesis: &GenesisHash, anchor: &Acknowledged, trust: &Trust) -> eyre::Result<()> {
    let Sample { document, salt, root, .. } = &anchor.sample;
    let handle = status_handle(salt, &leaf_commitment(Profile::Raw, salt, document));
    let request = v1::GetStampRequest {
        institution: GTU.id.get(),
        batch_root: root.as_bytes().to_vec(),
        status_handle: handle.as_bytes().to_vec(),
        with_permission: false,
    };
    let answer = door.client.get_stamp(request).await?.into_inner();
    let bundle = anchor.sample.bundle(genesis, StampFile::from_bytes(&answer.stamp)?);
    let confirmed = verify::verify(&bundle, document, trust)?;
    eyre::ensure!(
        confirmed.batch.anchored == anchor.height,
        "it is proved as of block {} instead",
        confirmed.batch.anchored
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_follows_from_the_seed() {
        // The first outputs for seed 1234567, as published with the reference implementation.
        let mut random = Random(1_234_567);
        let first = [random.next(), random.next(), random.next()];
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        let drawn: std::collections::BTreeSet<_> = (0..200).map(|_| random.within(3..7)).collect();
        assert_eq!(drawn, (3..7).collect());
    }

    #[test]
    fn a_sample_lies_in_its_own_tree() {
        let mut random = Random(7);
        let sample = Sample::draw(&mut random);
        let leaf = leaf_commitment(Profile::Raw, &sample.salt, &sample.document);
        assert_eq!(sample.path.root(&leaf), sample.root);
        assert_ne!(Sample::draw(&mut random).root, sample.root);
    }
}
