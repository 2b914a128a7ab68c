//! A register written through the edge, and what its tests ask of it.

use ed25519_dalek::Signer as _;
use sigeli_proto::{
    detail::error_detail,
    v1::{self, ErrorCode, download_part::Part, ledger_client::LedgerClient, outcome::State},
};
use sigeli_verifier::{
    batch::BatchHeight,
    bounded::List,
    codes::NetworkKind,
    decode::Decode,
    encode::Encode as _,
    ids::{
        BatchRoot, BlockId, DecisionRef, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, ProgrammeId,
        Signature, StatusHandle, TimeMs,
    },
    proof::{ConfirmedState, InstitutionAnswer, RegisterPage, StateProof},
    time::Day,
    transaction::{
        Accreditation, BatchAnchor, CredentialType, DecisionReason, Field, FieldPrefix, HashAlgorithm, Level, Modes,
        Name, Payload, PermissionAction, PermissionAnnul, PermissionChange, PermissionGrant, PermissionReplace,
        PermissionScope, ProgrammeRegister, Sender, SignedTransaction, Transaction, TransactionSignature,
    },
    trust::{Checkpoint, TrustedLedger, TrustedSet},
};
use tonic::{Code, Status, Streaming, transport::Channel};

use crate::solo::{Home, Running, institution_secret, now_ms, submit, today, window};

pub(crate) const GTU: u32 = 1;
/// Batches under accreditation 2: a full page and one more.
pub(crate) const BATCHES: u32 = 257;
pub(crate) const HANDLES: u16 = 300;

pub(crate) type Client = LedgerClient<Channel>;

/// A running node with a register in it.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) running: Running,
    pub(crate) client: Client,
    pub(crate) ledger: TrustedLedger,
    pub(crate) sequence: u64,
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn decision(number: u8) -> DecisionRef {
    DecisionRef::new([number; 32])
}

pub(crate) fn root(number: u32) -> BatchRoot {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    BatchRoot::new(bytes)
}

pub(crate) fn handle(number: u16) -> StatusHandle {
    let mut bytes = [8; 32];
    bytes[..2].copy_from_slice(&number.to_le_bytes());
    StatusHandle::new(bytes)
}

pub(crate) fn accreditation(number: u8) -> PermissionGrant {
    let scope = PermissionScope::Accreditation(Accreditation {
        coordinator: InstitutionId::new(GTU),
        programme: ProgrammeId::new(1),
        title_ka: name("ქსელები"),
        title_en: name("Networks"),
        agent: name(""),
        level: Level::new(6).unwrap(),
        fields: List::new(vec![FieldPrefix::parse("0613").unwrap()]).unwrap(),
        ects_max: EctsTenths::new(150),
        credential_type: CredentialType::MicroCredential,
        modes: Modes::ONLINE,
        review: today(),
    });
    PermissionGrant {
        institution: InstitutionId::new(GTU),
        decision: decision(number),
        window: window(),
        conditional: false,
        scope,
    }
}

pub(crate) fn anchor(number: u32, accreditation: u32) -> BatchAnchor {
    BatchAnchor {
        root: root(number),
        height: BatchHeight::new(10).unwrap(),
        hash_algorithm: HashAlgorithm::Blake3,
        accreditation: PermissionId::new(accreditation),
        level: Level::new(6).unwrap(),
        field: Field::new(613).unwrap(),
        ects: EctsTenths::new(30),
        issued: Day::new(today().get() - 1),
        credential_type: CredentialType::MicroCredential,
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let home = Home::new();
        let set = TrustedSet {
            first_height: Height::new(0),
            last_height: Height::new(u64::MAX),
            first_time: TimeMs::new(0),
            last_time: TimeMs::new(u64::MAX),
            set: home.validators.clone(),
        };
        let ledger = TrustedLedger {
            genesis: home.genesis,
            kind: NetworkKind::Test,
            name_ka: name("ტესტი"),
            name_en: name("test"),
            checkpoint: Checkpoint { height: Height::new(0), time: TimeMs::new(0), id: BlockId::new([0; 32]) },
            sets: vec![set],
        };
        let running = home.start();
        let client = home.client().await;
        Self { home, running, client, ledger, sequence: 0 }
    }

    pub(crate) async fn commit(&mut self, transaction: SignedTransaction) -> v1::Committed {
        match submit(&mut self.client, transaction.to_bytes()).await {
            State::Committed(committed) => committed,
            other => panic!("not committed: {other:?}"),
        }
    }

    pub(crate) async fn nceqe(&mut self, payload: Payload) -> v1::Committed {
        self.sequence += 1;
        let body = Transaction { payload, ..self.home.registration(0, self.sequence, now_ms() + 3_600_000) };
        self.commit(self.home.sign(body)).await
    }

    pub(crate) fn by_institution(&self, payload: Payload) -> SignedTransaction {
        let body = Transaction {
            genesis: self.home.genesis,
            valid_until: TimeMs::new(now_ms() + 300_000),
            sender: Sender::Institution { institution: InstitutionId::new(GTU) },
            payload,
        };
        let signature = Signature::new(institution_secret().sign(&body.preimage()).to_bytes());
        SignedTransaction::new(body, vec![TransactionSignature { key: KeyIndex::new(0), signature }]).unwrap()
    }

    pub(crate) async fn registered(&mut self, institution: u32) {
        self.sequence += 1;
        let body = self.home.registration(institution, self.sequence, now_ms() + 3_600_000);
        self.commit(self.home.sign(body)).await;
    }

    /// Institutions 1 to 3; of the first: authorisation 1, accreditation 2 (suspended and reinstated), accreditation 3
    /// (replaced by 4), accreditation 5 (withdrawn, and restored as 6), and one programme.
    pub(crate) async fn permitted() -> Self {
        let mut world = Self::start().await;
        for institution in 1..=3 {
            world.registered(institution).await;
        }
        let programme = ProgrammeRegister {
            programme: ProgrammeId::new(1),
            title_ka: name("ქსელები"),
            title_en: name("Networks"),
            partners: List::empty(),
        };
        let registered = world.by_institution(Payload::ProgrammeRegister(programme));
        assert_eq!(world.commit(registered).await.permission, None);
        let authorisation = PermissionGrant { scope: PermissionScope::Authorisation, ..accreditation(10) };
        let granted = world.nceqe(Payload::PermissionGrant(authorisation)).await;
        assert_eq!((granted.permission, granted.batch_sequence), (Some(1), None));
        assert_eq!(world.nceqe(Payload::PermissionGrant(accreditation(11))).await.permission, Some(2));
        assert_eq!(world.nceqe(Payload::PermissionGrant(accreditation(12))).await.permission, Some(3));

        world.change((2, 2), 20, PermissionAction::Suspend, DecisionReason::MonitoringFailed).await;
        world.change((2, 3), 21, PermissionAction::Reinstate, DecisionReason::AppealUpheld).await;
        let replace = PermissionReplace {
            replaced: PermissionId::new(3),
            effective: today(),
            reason: DecisionReason::Renewed,
            grant: accreditation(13),
        };
        assert_eq!(world.nceqe(Payload::PermissionReplace(replace)).await.permission, Some(4));
        assert_eq!(world.nceqe(Payload::PermissionGrant(accreditation(14))).await.permission, Some(5));
        world.change((5, 2), 22, PermissionAction::Withdraw, DecisionReason::MonitoringFailed).await;
        let annul = PermissionAnnul {
            institution: InstitutionId::new(GTU),
            permission: PermissionId::new(5),
            decision: decision(23),
            reason: DecisionReason::CourtOrder,
        };
        assert_eq!(world.nceqe(Payload::PermissionAnnul(annul)).await.permission, Some(6));
        world
    }

    pub(crate) async fn change(
        &mut self,
        (permission, entry): (u32, u32),
        number: u8,
        action: PermissionAction,
        reason: DecisionReason,
    ) {
        let change = PermissionChange {
            institution: InstitutionId::new(GTU),
            permission: PermissionId::new(permission),
            decision: decision(number),
            entry,
            action,
            effective: Day::new(today().get() - 30 + i32::from(number)),
            reason,
        };
        assert_eq!(self.nceqe(Payload::PermissionChange(change)).await.permission, None);
    }

    /// With [`BATCHES`] batches under accreditation 2 and one under 4.
    pub(crate) async fn anchored() -> Self {
        let mut world = Self::permitted().await;
        let mut ids = Vec::new();
        for number in 1..=BATCHES + 1 {
            let accreditation = if number == 100 { 4 } else { 2 };
            let transaction = world.by_institution(Payload::BatchAnchor(anchor(number, accreditation))).to_bytes();
            let request = v1::SubmitRequest { transaction, wait_ms: 0 };
            ids.push(world.client.submit(request).await.unwrap().into_inner().id);
        }
        let mut sequences = Vec::new();
        for id in ids {
            let request = v1::GetTransactionRequest { id, wait_ms: 60_000 };
            let outcome = world.client.get_transaction(request).await.unwrap().into_inner().outcome.unwrap();
            let Some(State::Committed(committed)) = outcome.state else { panic!("not committed: {outcome:?}") };
            sequences.push(committed.batch_sequence.unwrap());
        }
        sequences.sort_unstable();
        assert_eq!(sequences, (1..=BATCHES + 1).collect::<Vec<_>>());
        world
    }

    /// The state that an answer is as of, as the trust file confirms it.
    pub(crate) fn confirmed(&self, state: Option<&v1::StateProof>) -> ConfirmedState {
        let state = state.unwrap();
        let confirmed = StateProof::from_bytes(&state.state_proof).unwrap().verify(&self.ledger).unwrap();
        assert_eq!((state.height, state.time_ms), (confirmed.height().get(), confirmed.time().get()));
        confirmed
    }
}

/// Checks that `holds` says yes to these bytes, and no to them with any of a few thousand bits changed.
pub(crate) fn assert_all_bytes_count(bytes: &[u8], holds: impl Fn(&[u8]) -> bool) {
    assert!(holds(bytes), "it holds as it was sent");
    let step = bytes.len() / 400 + 1;
    let mut altered = bytes.to_vec();
    for place in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
        altered[place] ^= 1;
        assert!(!holds(&altered), "byte {place} was changed, and nothing noticed");
        altered[place] ^= 1;
    }
}

pub(crate) fn institution_of(bytes: &[u8]) -> InstitutionAnswer {
    InstitutionAnswer::from_bytes(bytes).unwrap()
}

#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Status>, status: Code, code: ErrorCode) {
    let refused = answer.expect_err("it is refused");
    let found = error_detail(&refused).map(|detail| detail.code());
    assert_eq!((refused.code(), found), (status, Some(code)), "{refused:?}");
}

pub(crate) async fn read<T>(mut stream: Streaming<T>) -> Result<Vec<T>, Status> {
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    Ok(messages)
}

/// A download, taken apart.
pub(crate) struct Download {
    pub(crate) start: v1::DownloadStart,
    pub(crate) entries: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) end: v1::DownloadEnd,
}

pub(crate) fn download(parts: Vec<v1::DownloadPart>) -> Download {
    let mut parts: Vec<_> = parts.into_iter().map(|part| part.part.unwrap()).collect();
    let Some(Part::End(end)) = parts.pop() else { panic!("no end") };
    let mut parts = parts.into_iter();
    let Some(Part::Start(start)) = parts.next() else { panic!("no start") };
    let mut entries = Vec::new();
    for part in parts {
        let Part::Page(page) = part else { panic!("no page: {part:?}") };
        for entry in RegisterPage::from_bytes(&page).unwrap().into_entries() {
            entries.push((entry.name.to_vec(), entry.value.to_vec()));
        }
    }
    assert_eq!(end.entry_count, entries.len() as u64);
    Download { start, entries, end }
}
