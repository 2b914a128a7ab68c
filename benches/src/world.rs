//! A ledger that stands: four validators, accredited institutions, and valid transactions without end.

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_ledger::{
    chain::{Chain, ExecutedBlock},
    execute::BlockContext,
    genesis::{ConsensusParameters, Genesis, GenesisAuthority, GenesisDocument},
    state::RegisteredValidator,
    store::Store,
};
use sigeli_verifier::{
    batch::BatchHeight,
    bounded::{List, Text},
    certificate::{CommitCertificate, CommitSignature},
    crypto::PublicKey,
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, DecisionRef, EctsTenths, Height, InstitutionId, KeyIndex,
        PermissionId, ProfileHash, ProgrammeId, Round, Signature, StatusHandle, TimeMs, ValidatorAddress, VotingPower,
    },
    record::Policy,
    time::{Day, Window},
    transaction::{
        Accreditation, AuthorityKind, BatchAnchor, CredentialType, Field, FieldPrefix, HashAlgorithm, InstitutionKey,
        InstitutionKind, InstitutionRegister, KeyPurposes, Level, Levels, Modes, Name, Payload, PermissionGrant,
        PermissionScope, ProgrammeRegister, Sender, SignedTransaction, StatusAction, StatusEntry, StatusReason,
        StatusSet, Transaction, TransactionSignature,
    },
    trust::{Checkpoint, NetworkKind, Trust, TrustedLedger, TrustedSet},
    validators::Validator,
    vote::{Vote, VoteKind},
};

use crate::random::Random;

const MINISTRY: AuthorityId = AuthorityId::new(1);
const NCEQE: AuthorityId = AuthorityId::new(2);
const VALIDATORS: u8 = 4;

/// When the ledgers are founded: 2026-11-24, noon in Tbilisi. One second passes with each block.
const FOUNDED: TimeMs = TimeMs::new(1_795_507_200_000);
const BLOCK_MS: u64 = 1_000;
/// How long the transactions are valid: well below the ten minutes that institutions are allowed.
const VALIDITY_MS: u64 = 5 * 60 * 1_000;

/// The number that each institution's accreditation bears, after its authorisation (1) and the Minister's order (2).
const ACCREDITATION: PermissionId = PermissionId::new(3);
/// Institutions founded in one block: five transactions each.
const FOUNDED_PER_BLOCK: usize = 250;
/// Entries in one status transaction: as many as fit its 64 KiB.
const STATUSES_PER_TRANSACTION: usize = 900;

/// Statuses written in one block, some 50 transactions of nearly 64 KiB.
const STATUSES_PER_BLOCK: usize = 45_000;

/// Entries that a register is filled with at once: half of what a block may hold.
pub const ANCHORS_PER_BLOCK: usize = 5_000;

/// A ledger, and the secrets of everyone on it.
#[derive(Debug)]
pub struct World<S: Store> {
    chain: Chain<S>,
    now: TimeMs,
    random: Random,
    institutions: u32,
    /// Of the Ministry and of NCEQE: the number of the last transaction.
    sequences: [u64; 2],
    /// Anchors made so far: they go round the institutions.
    anchored: u32,
}

impl<S: Store> World<S> {
    /// Founds a ledger in an empty store and has this many institutions (at least one) registered, authorised, ordered and
    /// accredited.
    ///
    /// # Panics
    /// When the store fails, or is not empty.
    #[must_use]
    pub fn found(store: S, institutions: u32, seed: u64) -> Self {
        assert!(institutions > 0, "anchors need an institution");
        let genesis = Genesis::new(document()).expect("the document is a genesis");
        let chain = Chain::open(store, genesis).expect("the store is empty and works");
        assert!(chain.head().header.height == Height::new(0), "the store was empty");
        let mut world =
            Self { chain, now: FOUNDED, random: Random::new(seed), institutions, sequences: [0, 0], anchored: 0 };
        let numbers: Vec<u32> = (1..=institutions).collect();
        for group in numbers.chunks(FOUNDED_PER_BLOCK) {
            let founding = group.iter().flat_map(|number| world.founding(InstitutionId::new(*number))).collect();
            world.commit_all(founding);
        }
        world
    }

    /// The ledger.
    #[must_use]
    pub const fn chain(&self) -> &Chain<S> {
        &self.chain
    }

    /// The clock: the time of the next block.
    #[must_use]
    pub const fn now(&self) -> TimeMs {
        self.now
    }

    /// Where the next block will stand.
    #[must_use]
    pub fn context(&self) -> BlockContext {
        BlockContext {
            genesis: self.chain.genesis().genesis_hash(),
            height: self.chain.next_height(),
            time: self.chain.block_time(self.now),
            creator: self.proposer(),
            round: Round::new(0),
        }
    }

    fn proposer(&self) -> ValidatorAddress {
        let order = self.chain.schedule().order(self.chain.validators(), self.chain.next_height());
        *order.first().expect("there are validators")
    }

    /// Signed anchors of new batches, going round the institutions.
    pub fn anchors(&mut self, count: usize) -> Vec<SignedTransaction> {
        let height = BatchHeight::new(10).expect("an allowed height");
        (0..count)
            .map(|_| {
                let root = BatchRoot::new(self.random.bytes());
                self.anchored = self.anchored.wrapping_add(1);
                let institution = InstitutionId::new(1 + self.anchored % self.institutions);
                self.anchor(institution, root, height)
            })
            .collect()
    }

    /// A signed anchor of a batch.
    #[must_use]
    pub fn anchor(&self, institution: InstitutionId, root: BatchRoot, height: BatchHeight) -> SignedTransaction {
        let anchor = BatchAnchor {
            root,
            height,
            hash_algorithm: HashAlgorithm::Blake3,
            accreditation: ACCREDITATION,
            level: level(6),
            field: Field::new(613).expect("a field of study"),
            ects: EctsTenths::new(30),
            issued: today(-1),
            credential_type: CredentialType::MicroCredential,
        };
        self.by_institution(institution, Payload::BatchAnchor(anchor))
    }

    /// Signed revocations of this many unknown credentials, in as few transactions as they fit.
    pub fn revocations(&mut self, institution: InstitutionId, count: usize) -> Vec<SignedTransaction> {
        let entries: Vec<_> = (0..count)
            .map(|_| StatusEntry {
                entry: 1,
                handle: StatusHandle::new(self.random.bytes()),
                action: StatusAction::Revoke,
                reason: StatusReason::IssuedInError,
                successor: [0; 32],
            })
            .collect();
        let sets = entries.chunks(STATUSES_PER_TRANSACTION).map(|chunk| {
            let entries = List::new(chunk.to_vec()).expect("fewer than the most entries");
            self.by_institution(institution, Payload::StatusSet(StatusSet { entries }))
        });
        sets.collect()
    }

    /// Executes a block of these transactions, as its proposer does. Their signatures are verified unless this world has
    /// seen them.
    ///
    /// # Panics
    /// When one is refused: the workload is valid.
    pub fn execute(&mut self, transactions: Vec<SignedTransaction>) -> ExecutedBlock {
        let (count, creator) = (transactions.len(), self.proposer());
        let proposed = self.chain.propose(transactions, self.now, creator, Round::new(0)).expect("the store works");
        assert!(proposed.rejected.is_empty(), "the workload is valid: {:?}", proposed.rejected.first());
        assert!(proposed.executed.block().transactions.len() == count, "the workload fits one block");
        proposed.executed
    }

    /// Precommits of the first so many of the four validators.
    #[must_use]
    pub fn certificate(&self, executed: &ExecutedBlock, signers: usize) -> CommitCertificate {
        let (header, genesis) = (executed.header(), self.chain.genesis().genesis_hash());
        let signatures = self.chain.validators().validators().iter().zip(0_u8..).take(signers);
        let signatures = signatures.map(|(validator, position)| {
            let vote = Vote {
                kind: VoteKind::Precommit,
                height: header.height,
                round: header.round,
                block: Some(executed.id()),
                validator: validator.address(),
            };
            let mut keys = (0..VALIDATORS).map(validator_secret);
            let key = keys.find(|key| public(key) == validator.key).expect("the validators are ours");
            let signature = Signature::new(key.sign(&vote.preimage(&genesis)).to_bytes());
            CommitSignature { validator: position, signature }
        });
        CommitCertificate::new(header.round, signatures.collect()).expect("each validator signs once")
    }

    /// Commits a block, and lets a second pass.
    ///
    /// # Panics
    /// When it is not confirmed, or the store fails.
    pub fn commit(&mut self, executed: ExecutedBlock, certificate: CommitCertificate) {
        self.chain.commit(executed, certificate).expect("a quorum has signed and the store works");
        self.now = TimeMs::new(self.now.get() + BLOCK_MS);
    }

    /// Executes a block of these transactions and commits it with three signatures.
    pub fn commit_all(&mut self, transactions: Vec<SignedTransaction>) {
        let executed = self.execute(transactions);
        let certificate = self.certificate(&executed, 3);
        self.commit(executed, certificate);
    }

    /// Anchors new batches until there are this many.
    pub fn fill_batches(&mut self, held: usize) {
        loop {
            let missing = held.saturating_sub(usize::try_from(self.anchored).expect("32 bits fit"));
            if missing == 0 {
                return;
            }
            let transactions = self.anchors(missing.min(ANCHORS_PER_BLOCK));
            self.commit_all(transactions);
        }
    }

    /// Revokes this many more unknown credentials of the first institution.
    pub fn fill_statuses(&mut self, count: usize) {
        let mut missing = count;
        while missing > 0 {
            let now = missing.min(STATUSES_PER_BLOCK);
            let transactions = self.revocations(InstitutionId::new(1), now);
            self.commit_all(transactions);
            missing -= now;
        }
    }

    /// A trust file's content that believes this ledger.
    #[must_use]
    pub fn trust(&self) -> Trust {
        let (genesis, head) = (self.chain.genesis(), self.chain.head());
        let set = TrustedSet {
            first_height: Height::new(0),
            last_height: Height::new(u64::MAX),
            first_time: TimeMs::new(0),
            last_time: TimeMs::new(u64::MAX),
            set: self.chain.validators().clone(),
        };
        let ledger = TrustedLedger {
            genesis: genesis.genesis_hash(),
            kind: NetworkKind::Test,
            name_ka: genesis.document().name_ka.clone(),
            name_en: genesis.document().name_en.clone(),
            checkpoint: Checkpoint { height: head.header.height, time: head.header.time, id: head.id },
            sets: vec![set],
        };
        Trust::new(vec![ledger]).expect("one ledger makes a trust file")
    }

    fn founding(&mut self, institution: InstitutionId) -> [SignedTransaction; 5] {
        let grant = |world: &mut Self, authority, number, scope| {
            let window = Window::new(today(-30), today(300)).expect("it ends after it begins");
            let decision = DecisionRef::new([number; 32]);
            let grant = PermissionGrant { institution, decision, window, conditional: false, scope };
            world.by_authority(authority, Payload::PermissionGrant(grant))
        };
        let registration = self.by_authority(NCEQE, Payload::InstitutionRegister(registration(institution)));
        let order = PermissionScope::PilotOrder {
            fields: fields("06"),
            levels: Levels::of(&[level(5), level(6)]).expect("two levels"),
        };
        let (title_ka, title_en) = (name("მონაცემთა ანალიზი"), name("Data analysis"));
        let programme = ProgrammeRegister {
            programme: ProgrammeId::new(1),
            title_ka: title_ka.clone(),
            title_en: title_en.clone(),
            partners: List::empty(),
        };
        let accreditation = PermissionScope::Accreditation(Accreditation {
            coordinator: institution,
            programme: programme.programme,
            title_ka,
            title_en,
            agent: name(""),
            level: level(6),
            fields: fields("0613"),
            ects_max: EctsTenths::new(150),
            credential_type: CredentialType::MicroCredential,
            modes: Modes::ONLINE,
            review: today(300),
        });
        [
            registration,
            self.by_institution(institution, Payload::ProgrammeRegister(programme)),
            grant(self, NCEQE, 2, PermissionScope::Authorisation),
            grant(self, MINISTRY, 3, order),
            grant(self, NCEQE, 4, accreditation),
        ]
    }

    fn by_authority(&mut self, authority: AuthorityId, payload: Payload) -> SignedTransaction {
        let [ministry, nceqe] = &mut self.sequences;
        let sequence = if authority == MINISTRY { ministry } else { nceqe };
        *sequence += 1;
        let sender = Sender::Authority { authority, sequence: AuthoritySequence::new(*sequence) };
        self.sign(sender, payload, &authority_secret(authority))
    }

    fn by_institution(&self, institution: InstitutionId, payload: Payload) -> SignedTransaction {
        self.sign(Sender::Institution { institution }, payload, &institution_secret(institution))
    }

    fn sign(&self, sender: Sender, payload: Payload, key: &SigningKey) -> SignedTransaction {
        let valid_until = TimeMs::new(self.now.get() + VALIDITY_MS);
        let body = Transaction { genesis: self.chain.genesis().genesis_hash(), valid_until, sender, payload };
        let signature = Signature::new(key.sign(&body.preimage()).to_bytes());
        let entry = TransactionSignature { key: KeyIndex::new(0), signature };
        SignedTransaction::new(body, vec![entry]).expect("one signature, and within the size limit")
    }
}

fn secret(kind: u8, number: u32) -> SigningKey {
    let mut seed = [0xb5; 32];
    seed[0] = kind;
    seed[1..5].copy_from_slice(&number.to_le_bytes());
    SigningKey::from_bytes(&seed)
}

fn validator_secret(index: u8) -> SigningKey {
    secret(1, index.into())
}

fn authority_secret(authority: AuthorityId) -> SigningKey {
    secret(2, authority.get().into())
}

fn institution_secret(institution: InstitutionId) -> SigningKey {
    secret(3, institution.get())
}

fn network_secret(index: u8) -> SigningKey {
    secret(4, index.into())
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_ed25519(&key.verifying_key().to_bytes()).expect("a secret's public key is a key")
}

fn name(text: &str) -> Name {
    Text::new(text).expect("a short name")
}

fn level(number: u8) -> Level {
    Level::new(number).expect("a level of the framework")
}

fn fields(prefix: &str) -> List<FieldPrefix, 64> {
    List::new(vec![FieldPrefix::parse(prefix).expect("a prefix")]).expect("one prefix")
}

fn today(days_later: i32) -> Day {
    Day::new(Day::of(FOUNDED).get() + days_later)
}

fn registration(institution: InstitutionId) -> InstitutionRegister {
    let window = Window::new(today(-30), today(300)).expect("it ends after it begins");
    let key = InstitutionKey { purposes: KeyPurposes::ALL, key: public(&institution_secret(institution)), window };
    InstitutionRegister {
        institution,
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: Text::new(&format!("{:09}", 211_349_192 + institution.get())).expect("nine digits"),
        name_ka: name("საქართველოს ტექნიკური უნივერსიტეტი"),
        name_en: name("Georgian Technical University"),
        profile: ProfileHash::new([0; 32]),
        decision: DecisionRef::new([1; 32]),
        keys: List::new(vec![key]).expect("one key"),
    }
}

fn document() -> GenesisDocument {
    let authority = |id: AuthorityId, kind, ka: &str, en: &str| GenesisAuthority {
        id,
        kind,
        name_ka: name(ka),
        name_en: name(en),
        keys: List::new(vec![public(&authority_secret(id))]).expect("one key"),
        threshold: 1,
        log_keys: List::empty(),
    };
    let mut validators: Vec<_> = (0..VALIDATORS)
        .map(|index| RegisteredValidator {
            validator: Validator {
                key: public(&validator_secret(index)),
                authority: AuthorityId::new(index + 1),
                power: VotingPower::new(1),
            },
            network_key: public(&network_secret(index)),
        })
        .collect();
    validators.sort_by_key(|entry| entry.validator.key);
    GenesisDocument {
        version: 1,
        kind: NetworkKind::Test,
        name_ka: name("სიგელი, საზომი"),
        name_en: name("Sigeli, benches"),
        time: TimeMs::new(FOUNDED.get() - BLOCK_MS),
        authorities: List::new(vec![
            authority(MINISTRY, AuthorityKind::Ministry, "სამინისტრო", "Ministry"),
            authority(NCEQE, AuthorityKind::Nceqe, "ხარისხის ეროვნული ცენტრი", "NCEQE"),
            authority(AuthorityId::new(3), AuthorityKind::Emis, "ემისი", "EMIS"),
            authority(AuthorityId::new(4), AuthorityKind::Operator, "გრენა", "GRENA"),
        ])
        .expect("four authorities"),
        validators: List::new(validators).expect("four validators"),
        observers: List::empty(),
        policy: Policy {
            ects_max: [EctsTenths::new(600); 8],
            ects_min: [EctsTenths::new(10); 8],
            ects_recognised_max: EctsTenths::new(600),
            batch_height_min: 4,
            clock_tolerance_ms: 5 * 60 * 1_000,
            pilot_order_required: true,
            batches_per_day: 10_000_000,
            statuses_per_day: 10_000_000,
            changes_per_day: 10_000_000,
            approvals_min: 3,
        },
        consensus: ConsensusParameters::default(),
    }
}
