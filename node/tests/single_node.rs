//! The binary from outside: a ledger of one validator, its gRPC edge, its files and its exit codes.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a failing helper fails its test, which shows the node's log"
)]

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_ledger::{
    genesis::{ConsensusParameters, Genesis, GenesisAuthority, GenesisDocument},
    state::{AuthorityKind, Policy, RegisteredValidator},
};
use sigeli_proto::v1::{self, ledger_client::LedgerClient, outcome::State};
use sigeli_verifier::{
    bounded::List,
    codes::NetworkKind,
    crypto::PublicKey,
    encode::Encode as _,
    ids::{
        AuthorityId, AuthoritySequence, DecisionRef, EctsTenths, GenesisHash, InstitutionId, KeyIndex, Signature,
        TimeMs, VotingPower,
    },
    params::TRANSACTION_BYTES_MAX,
    transaction::{
        InstitutionKey, InstitutionKind, InstitutionRegister, KeyPurposes, Name, Payload, Sender, SignedTransaction,
        Transaction, TransactionSignature,
    },
    validators::Validator,
};
use tonic::transport::Channel;

/// A failure guard, never a measure.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(10);

fn node(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sigeli-node")).args(arguments).output().unwrap()
}

fn public(hex_key: &serde_json::Value) -> PublicKey {
    let mut bytes = [0; 32];
    hex::decode_to_slice(hex_key.as_str().unwrap(), &mut bytes).unwrap();
    PublicKey::from_ed25519(&bytes).unwrap()
}

/// A home with keys, genesis and configuration; ports are free at the time of asking.
struct Home {
    folder: tempfile::TempDir,
    authority: SigningKey,
    genesis: GenesisHash,
    grpc: u16,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn now_ms() -> u64 {
    u64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = node(&["init", "--home", folder.path().to_str().unwrap(), "--name", "solo"]);
        assert!(made.status.success(), "{made:?}");
        let keys: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        let authority = SigningKey::from_bytes(&[7; 32]);
        let authority_key = PublicKey::from_ed25519(authority.verifying_key().as_bytes()).unwrap();
        let name = |text| Name::new(text).unwrap();
        let document = GenesisDocument {
            version: 1,
            kind: NetworkKind::Test,
            name_ka: name("ტესტი"),
            name_en: name("test"),
            time: TimeMs::new(now_ms() - 1_000),
            authorities: List::new(vec![GenesisAuthority {
                id: AuthorityId::new(2),
                kind: AuthorityKind::Nceqe,
                name_ka: name("ცენტრი"),
                name_en: name("centre"),
                keys: List::new(vec![authority_key]).unwrap(),
                threshold: 1,
                log_keys: List::empty(),
            }])
            .unwrap(),
            validators: List::new(vec![RegisteredValidator {
                validator: Validator {
                    key: public(&keys["validator_key"]),
                    authority: AuthorityId::new(2),
                    power: VotingPower::new(1),
                },
                network_key: public(&keys["network_key"]),
            }])
            .unwrap(),
            observers: List::empty(),
            policy: Policy {
                ects_max: [EctsTenths::new(600); 8],
                ects_min: EctsTenths::new(10),
                batch_height_min: 4,
                clock_tolerance_ms: 120_000,
                pilot_order_required: false,
                batches_per_day: 100,
                statuses_per_day: 100,
            },
            consensus: ConsensusParameters::default(),
        };
        let genesis = Genesis::new(document).unwrap();
        fs::write(folder.path().join("genesis"), genesis.document().to_bytes()).unwrap();
        let grpc = free_port();
        let config = format!(
            "name = \"solo\"\n[network]\nlisten = [\"/ip4/127.0.0.1/tcp/0\"]\n[grpc]\nlisten = \"127.0.0.1:{grpc}\"\n\
             [log]\nfilter = \"info\"\n"
        );
        fs::write(folder.path().join("config.toml"), config).unwrap();
        Self { folder, authority, genesis: genesis.genesis_hash(), grpc }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    fn start(&self) -> Running {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_sigeli-node"))
            .args(["start", "--home", self.path().to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Running { child, log: self.log() }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    async fn client(&self) -> LedgerClient<Channel> {
        let endpoint = tonic::transport::Endpoint::from_shared(self.url()).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            match endpoint.connect().await {
                Ok(channel) => return LedgerClient::new(channel),
                Err(error) => assert!(Instant::now() < deadline, "the node does not answer: {error}"),
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// A registration of an institution, valid for an hour unless said otherwise.
    fn registration(&self, institution: u32, sequence: u64, valid_until: u64) -> Transaction {
        let key = PublicKey::from_ed25519(SigningKey::from_bytes(&[9; 32]).verifying_key().as_bytes()).unwrap();
        Transaction {
            genesis: self.genesis,
            valid_until: TimeMs::new(valid_until),
            sender: Sender::Authority { authority: AuthorityId::new(2), sequence: AuthoritySequence::new(sequence) },
            payload: Payload::InstitutionRegister(InstitutionRegister {
                institution: InstitutionId::new(institution),
                kind: InstitutionKind::University,
                jurisdiction: *b"GEO",
                legal_id: sigeli_verifier::bounded::Text::new(&format!("{institution}")).unwrap(),
                name_ka: Name::new("უნივერსიტეტი").unwrap(),
                name_en: Name::new("University").unwrap(),
                decision: DecisionRef::new([3; 32]),
                keys: List::new(vec![InstitutionKey { purposes: KeyPurposes::ALL, key }]).unwrap(),
            }),
        }
    }

    fn sign(&self, body: Transaction) -> SignedTransaction {
        let signature = Signature::new(self.authority.sign(&body.preimage()).to_bytes());
        SignedTransaction::new(body, vec![TransactionSignature { key: KeyIndex::new(0), signature }]).unwrap()
    }
}

struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end without blocking the runtime: the client's connection must be able to hear of it.
    async fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the node does not stop");
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
        if std::thread::panicking() {
            println!("{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

async fn submit(client: &mut LedgerClient<Channel>, bytes: Vec<u8>) -> State {
    let request = v1::SubmitRequest { transaction: bytes, wait_ms: 30_000 };
    client.submit(request).await.unwrap().into_inner().outcome.unwrap().state.unwrap()
}

async fn refusal(client: &mut LedgerClient<Channel>, bytes: Vec<u8>) -> (u32, String, Option<u64>) {
    match submit(client, bytes).await {
        State::Rejected(rejected) => (rejected.code, rejected.name, rejected.first_height),
        other => panic!("not refused: {other:?}"),
    }
}

async fn status(client: &mut LedgerClient<Channel>) -> v1::NodeStatus {
    client.get_node_status(v1::GetNodeStatusRequest {}).await.unwrap().into_inner()
}

#[tokio::test]
async fn bad_transactions_get_their_own_codes_and_change_nothing() {
    let home = Home::new();
    let mut running = home.start();
    let mut client = home.client().await;
    let hour = now_ms() + 3_600_000;

    let good = home.sign(home.registration(1, 1, hour)).to_bytes();
    let State::Committed(committed) = submit(&mut client, good.clone()).await else { panic!("not committed") };
    let before = status(&mut client).await;
    assert_eq!(before.height, committed.height);

    let mut malformed = good.clone();
    malformed.push(0);
    assert_eq!(refusal(&mut client, malformed).await, (100, "malformed".into(), None));
    assert_eq!(refusal(&mut client, Vec::new()).await.1, "malformed");
    let oversized = vec![0; TRANSACTION_BYTES_MAX + 1];
    assert_eq!(refusal(&mut client, oversized).await, (101, "too_large".into(), None));
    let mut forged = home.sign(home.registration(2, 2, hour)).to_bytes();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(refusal(&mut client, forged).await.1, "wrong_signature");
    let expired = home.sign(home.registration(2, 2, now_ms() - 1)).to_bytes();
    assert_eq!(refusal(&mut client, expired).await.1, "expired");
    let endless = home.sign(home.registration(2, 2, now_ms() + 91 * 24 * 3_600_000)).to_bytes();
    assert_eq!(refusal(&mut client, endless).await.1, "validity_too_long");
    let replayed = refusal(&mut client, good).await;
    assert_eq!(replayed, (114, "already_committed".into(), Some(committed.height)));
    let gap = home.sign(home.registration(2, 3, hour)).to_bytes();
    assert_eq!(refusal(&mut client, gap).await.1, "sequence_mismatch");
    let mut elsewhere = home.registration(2, 2, hour);
    elsewhere.genesis = GenesisHash::new([9; 32]);
    assert_eq!(refusal(&mut client, home.sign(elsewhere).to_bytes()).await.1, "wrong_ledger");
    let again = home.sign(home.registration(1, 2, hour)).to_bytes();
    assert_eq!(refusal(&mut client, again).await, (200, "already_exists".into(), Some(committed.height)));

    let after = status(&mut client).await;
    assert_eq!((after.state_root, after.mempool_transactions), (before.state_root, 0));
    running.signal("-TERM");
    assert_eq!(running.wait().await, Some(0));
}

#[tokio::test]
async fn a_restart_goes_on_where_it_stopped_and_a_second_process_is_refused() {
    let home = Home::new();
    let hour = now_ms() + 3_600_000;
    let mut first = home.start();
    let mut client = home.client().await;
    let transaction = home.sign(home.registration(1, 1, hour)).to_bytes();
    let State::Committed(committed) = submit(&mut client, transaction.clone()).await else { panic!("not committed") };

    let second = node(&["start", "--home", home.path().to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    assert!(String::from_utf8_lossy(&second.stderr).contains("database"), "{second:?}");

    // Killed, not stopped.
    first.child.kill().unwrap();
    first.wait().await;
    let mut again = home.start();
    let mut client = home.client().await;
    assert_eq!(refusal(&mut client, transaction).await, (114, "already_committed".into(), Some(committed.height)));
    let next = home.sign(home.registration(2, 2, hour)).to_bytes();
    assert!(matches!(submit(&mut client, next).await, State::Committed(_)));
    let shown = node(&["status", "--node", &home.url(), "--json"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    for field in ["height", "header_id", "state_root", "genesis_hash", "peers", "syncing"] {
        assert!(!shown[field].is_null(), "{field} is missing: {shown}");
    }
    assert_eq!(shown["genesis_hash"], home.genesis.to_string());
    again.signal("-TERM");
    assert_eq!(again.wait().await, Some(0));
}

#[tokio::test]
async fn a_damaged_sign_state_stops_the_node_with_the_code_that_forbids_a_restart() {
    let home = Home::new();
    let mut first = home.start();
    let mut client = home.client().await;
    let transaction = home.sign(home.registration(1, 1, now_ms() + 3_600_000)).to_bytes();
    assert!(matches!(submit(&mut client, transaction).await, State::Committed(_)));
    first.signal("-TERM");
    assert_eq!(first.wait().await, Some(0));
    let path = home.path().join("sign-state");
    let mut record = fs::read(&path).unwrap();
    record[60] ^= 1;
    fs::write(&path, record).unwrap();
    assert_eq!(home.start().wait().await, Some(70));
}

#[tokio::test]
async fn a_lost_sign_state_means_no_vote() {
    let home = Home::new();
    fs::remove_file(home.path().join("sign-state")).unwrap();
    let running = home.start();
    let mut client = home.client().await;
    let transaction = home.sign(home.registration(1, 1, now_ms() + 3_600_000)).to_bytes();
    let request = v1::SubmitRequest { transaction, wait_ms: 3_000 };
    let outcome = client.submit(request).await.unwrap().into_inner().outcome.unwrap().state.unwrap();
    assert!(matches!(outcome, State::Pending(_)), "{outcome:?}");
    assert_eq!(status(&mut client).await.height, 0, "nothing may be committed without a vote");
    drop(running);
}

#[test]
fn init_never_overwrites() {
    let home = Home::new();
    let keys = fs::read(home.path().join("validator.key")).unwrap();
    let again = node(&["init", "--home", home.path().to_str().unwrap(), "--name", "solo"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(fs::read(home.path().join("validator.key")).unwrap(), keys);
}
