//! A ledger of one validator: the binary, its home, and transactions for it.

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
    state::RegisteredValidator,
};
use sigeli_proto::v1::{self, ledger_client::LedgerClient, outcome::State};
use sigeli_verifier::{
    bounded::List,
    codes::NetworkKind,
    crypto::PublicKey,
    encode::Encode as _,
    ids::{
        AuthorityId, AuthoritySequence, DecisionRef, EctsTenths, GenesisHash, InstitutionId, KeyIndex, ProfileHash,
        Signature, TimeMs, VotingPower,
    },
    record::Policy,
    time::{Day, Window},
    transaction::{
        AuthorityKind, InstitutionKey, InstitutionKind, InstitutionRegister, KeyPurposes, Name, Payload, Sender,
        SignedTransaction, Transaction, TransactionSignature,
    },
    validators::{Validator, ValidatorSet},
};
use tonic::transport::Channel;

/// A failure guard, never a measure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(10);

pub(crate) fn node(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sigeli-node")).args(arguments).output().unwrap()
}

pub(crate) fn public(hex_key: &serde_json::Value) -> PublicKey {
    let mut bytes = [0; 32];
    hex::decode_to_slice(hex_key.as_str().unwrap(), &mut bytes).unwrap();
    PublicKey::from_ed25519(&bytes).unwrap()
}

/// A home with keys, genesis and configuration; ports are free at the time of asking.
pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) authority: SigningKey,
    pub(crate) genesis: GenesisHash,
    pub(crate) validators: ValidatorSet,
    pub(crate) grpc: u16,
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The key of every institution of these tests.
pub(crate) fn institution_secret() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// A year on either side of now.
pub(crate) fn window() -> Window {
    let today = today().get();
    Window::new(Day::new(today - 365), Day::new(today + 365)).unwrap()
}

pub(crate) fn today() -> Day {
    Day::of(TimeMs::new(now_ms()))
}

pub(crate) fn now_ms() -> u64 {
    u64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

impl Home {
    pub(crate) fn new() -> Self {
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
                ects_min: [EctsTenths::new(10); 8],
                ects_recognised_max: EctsTenths::new(300),
                batch_height_min: 4,
                clock_tolerance_ms: 120_000,
                pilot_order_required: false,
                batches_per_day: 1_000,
                statuses_per_day: 10_000,
                changes_per_day: 10_000,
                approvals_min: 1,
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
        let validators = genesis.registry().set().clone();
        Self { folder, authority, genesis: genesis.genesis_hash(), validators, grpc }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    pub(crate) fn start(&self) -> Running {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_sigeli-node"))
            .args(["start", "--home", self.path().to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Running { child, log: self.log() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    pub(crate) async fn client(&self) -> LedgerClient<Channel> {
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
    pub(crate) fn registration(&self, institution: u32, sequence: u64, valid_until: u64) -> Transaction {
        let key = PublicKey::from_ed25519(institution_secret().verifying_key().as_bytes()).unwrap();
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
                profile: ProfileHash::new([4; 32]),
                decision: DecisionRef::new([3; 32]),
                keys: List::new(vec![InstitutionKey { purposes: KeyPurposes::ALL, key, window: window() }]).unwrap(),
            }),
        }
    }

    pub(crate) fn sign(&self, body: Transaction) -> SignedTransaction {
        let signature = Signature::new(self.authority.sign(&body.preimage()).to_bytes());
        SignedTransaction::new(body, vec![TransactionSignature { key: KeyIndex::new(0), signature }]).unwrap()
    }
}

pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) log: PathBuf,
}

impl Running {
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end without blocking the runtime: the client's connection must be able to hear of it.
    pub(crate) async fn wait(&mut self) -> Option<i32> {
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

pub(crate) async fn submit(client: &mut LedgerClient<Channel>, bytes: Vec<u8>) -> State {
    let request = v1::SubmitRequest { transaction: bytes, wait_ms: 30_000 };
    client.submit(request).await.unwrap().into_inner().outcome.unwrap().state.unwrap()
}

pub(crate) async fn refusal(client: &mut LedgerClient<Channel>, bytes: Vec<u8>) -> (u32, String, Option<u64>) {
    match submit(client, bytes).await {
        State::Rejected(rejected) => (rejected.code, rejected.name, rejected.first_height),
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) async fn status(client: &mut LedgerClient<Channel>) -> v1::NodeStatus {
    client.get_node_status(v1::GetNodeStatusRequest {}).await.unwrap().into_inner()
}
