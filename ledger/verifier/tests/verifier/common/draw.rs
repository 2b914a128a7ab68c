//! Values of every format, each a function of a seed alone: for round trips and for conformance hashes.

use sigeli_verifier::{
    batch::{BatchHeight, BatchPath},
    block::{Block, Header, HeaderProof},
    bounded::{List, Text},
    bundle::{Bundle, PermissionSection, Receipt, Stamp, StampFile, StatusFinding},
    certificate::{CommitCertificate, CommitSignature},
    codes::{Field, FieldPrefix, KeyPurposes, Level, NetworkKind},
    credential::Profile,
    crypto::PublicKey,
    ids::{
        AuthorityId, AuthoritySequence, BlockId, DecisionRef, EctsTenths, GenesisHash, GovernanceSequence, Height,
        HistoryRoot, InstitutionId, KeyIndex, LeafIndex, RegisterKey, RegisterRoot, Round, Salt, Signature, StateRoot,
        TimeMs, TransactionsRoot, ValidatorAddress, ValidatorSetHash, ValueHash, VotingPower,
    },
    register::{AbsenceTerminal, RegisterPath},
    time::{Day, Window},
    transaction::{Draft, FieldPrefixes, Name, Payload, Sender, SignedTransaction, Transaction, TransactionSignature},
    trust::{Checkpoint, Trust, TrustedLedger, TrustedSet},
    validators::{Validator, ValidatorSet},
    vote::{Proposal, Vote, VoteKind},
};

use super::world::signing_key;

pub(crate) mod payload;
mod record;

/// A stream of numbers from a seed.
pub(crate) struct Draw(blake3::OutputReader);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(blake3::Hasher::new_derive_key("sigeli test values").update(&seed.to_le_bytes()).finalize_xof())
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.0.fill(&mut out);
        out
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.bytes())
    }

    pub(crate) fn u8(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.u64() % limit
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    fn list<T, const MAX: usize>(&mut self, longest: u64, mut item: impl FnMut(&mut Self) -> T) -> List<T, MAX> {
        let count = self.below(longest + 1);
        List::new((0..count).map(|_| item(self)).collect()).unwrap()
    }

    pub(crate) fn text<const MAX: usize>(&mut self) -> Text<MAX> {
        let letters = ['a', 'Z', '9', ' ', '-', 'ა', 'ქ', 'ჰ', 'é', '𝒳'];
        let mut text = String::new();
        for _ in 0..self.below(MAX as u64 + 1) {
            let letter = self.one_of(&letters);
            if text.len() + letter.len_utf8() > MAX {
                break;
            }
            text.push(letter);
        }
        Text::new(&text).unwrap()
    }

    pub(crate) fn key(&mut self) -> PublicKey {
        PublicKey::from_ed25519(signing_key(self.u64()).verifying_key().as_bytes()).unwrap()
    }

    fn signature(&mut self) -> Signature {
        Signature::new(self.bytes())
    }

    fn day(&mut self) -> Day {
        Day::new(self.u32().cast_signed())
    }

    fn window(&mut self) -> Window {
        let (a, b) = (self.day(), self.day());
        Window::new(a.min(b), a.max(b)).unwrap()
    }

    fn height(&mut self) -> Height {
        Height::new(self.u64())
    }

    fn time(&mut self) -> TimeMs {
        TimeMs::new(self.u64())
    }

    fn level(&mut self) -> Level {
        Level::new(1 + self.below(8) as u8).unwrap()
    }

    fn field(&mut self) -> Field {
        Field::new(self.below(10_000) as u16).unwrap()
    }

    fn ects(&mut self) -> EctsTenths {
        EctsTenths::new(self.u16())
    }

    fn purposes(&mut self) -> KeyPurposes {
        KeyPurposes::new(1 + self.below(7) as u8).unwrap()
    }

    fn fields(&mut self) -> FieldPrefixes {
        self.list(5, |draw| {
            let digits = 2 + draw.below(3) as u8;
            FieldPrefix::new(digits, draw.below(10_u64.pow(digits.into())) as u16).unwrap()
        })
    }

    fn decision(&mut self) -> DecisionRef {
        if self.below(4) == 0 { DecisionRef::NONE } else { DecisionRef::new(self.bytes()) }
    }

    fn keys<const MAX: usize>(&mut self) -> List<PublicKey, MAX> {
        self.list(3, Self::key)
    }

    fn institution(&mut self) -> InstitutionId {
        InstitutionId::new(self.u32())
    }

    fn jurisdiction(&mut self) -> [u8; 3] {
        self.one_of(&[*b"GEO", *b"DEU", *b"XKX"])
    }

    pub(crate) fn transaction_of(&mut self, payload: Payload) -> Transaction {
        Transaction {
            genesis: GenesisHash::new(self.bytes()),
            valid_until: self.time(),
            sender: match self.below(3) {
                0 => Sender::Institution { institution: InstitutionId::new(self.u32()) },
                1 => Sender::Authority {
                    authority: AuthorityId::new(self.u8()),
                    sequence: AuthoritySequence::new(self.u64()),
                },
                _ => Sender::Authorities { sequence: GovernanceSequence::new(self.u64()) },
            },
            payload,
        }
    }

    pub(crate) fn signed_transaction(&mut self) -> SignedTransaction {
        let body = self.transaction();
        let count = 1 + self.below(4) as u16;
        let signatures = (0..count).map(|key| TransactionSignature {
            key: KeyIndex::new(key * 16_000 + self.below(16_000) as u16),
            signature: self.signature(),
        });
        let signatures = signatures.collect();
        SignedTransaction::new(body, signatures).unwrap()
    }

    pub(crate) fn draft(&mut self) -> Draft {
        let mut draft = Draft::new(self.transaction());
        for group in 0..self.below(4) as u16 {
            let key = KeyIndex::new(group * 16_000 + self.below(16_000) as u16);
            draft.add(TransactionSignature { key, signature: self.signature() }).unwrap();
        }
        draft
    }

    pub(crate) fn header(&mut self) -> Header {
        Header {
            version: self.u16(),
            genesis: GenesisHash::new(self.bytes()),
            height: self.height(),
            time: self.time(),
            parent: BlockId::new(self.bytes()),
            creator: ValidatorAddress::new(self.bytes()),
            round: Round::new(self.u32()),
            transactions_root: TransactionsRoot::new(self.bytes()),
            state_root: StateRoot::new(self.bytes()),
            history_root: HistoryRoot::new(self.bytes()),
            validators: ValidatorSetHash::new(self.bytes()),
            next_validators: ValidatorSetHash::new(self.bytes()),
        }
    }

    pub(crate) fn header_proof(&mut self) -> HeaderProof {
        self.header().proof()
    }

    pub(crate) fn block(&mut self) -> Block {
        let count = self.below(4);
        Block { header: self.header(), transactions: (0..count).map(|_| self.signed_transaction()).collect() }
    }

    pub(crate) fn vote(&mut self) -> Vote {
        Vote {
            kind: self.one_of(&[VoteKind::Prevote, VoteKind::Precommit]),
            height: self.height(),
            round: Round::new(self.u32()),
            block: self.flag().then(|| BlockId::new(self.bytes())),
            validator: ValidatorAddress::new(self.bytes()),
        }
    }

    pub(crate) fn proposal(&mut self) -> Proposal {
        Proposal {
            height: self.height(),
            round: Round::new(self.u32()),
            valid_round: self.flag().then(|| Round::new(self.u32())),
            block: BlockId::new(self.bytes()),
            proposer: ValidatorAddress::new(self.bytes()),
        }
    }

    pub(crate) fn genesis(&mut self) -> GenesisHash {
        GenesisHash::new(self.bytes())
    }

    pub(crate) fn validator_set(&mut self) -> ValidatorSet {
        let count = 1 + self.below(9) as u8;
        let power = VotingPower::new(1 + self.below(1_000_000));
        let validators =
            (0..count).map(|authority| Validator { key: self.key(), authority: AuthorityId::new(authority), power });
        ValidatorSet::new(validators.collect()).unwrap()
    }

    pub(crate) fn certificate(&mut self) -> CommitCertificate {
        let count = self.below(6) as u8;
        let signatures = (0..count)
            .map(|group| CommitSignature { validator: group * 40 + self.below(40) as u8, signature: self.signature() });
        let signatures = signatures.collect();
        CommitCertificate::new(Round::new(self.u32()), signatures).unwrap()
    }

    fn batch_height(&mut self) -> BatchHeight {
        BatchHeight::new(4 + self.below(17) as u8).unwrap()
    }

    pub(crate) fn batch_path(&mut self) -> BatchPath {
        let height = self.batch_height();
        let index = LeafIndex::new(self.below(height.leaf_count().into()) as u32);
        BatchPath::new(index, (0..height.get()).map(|_| self.bytes()).collect()).unwrap()
    }

    pub(crate) fn register_path(&mut self) -> RegisterPath {
        let depth = if self.below(8) == 0 { self.below(257) } else { self.below(40) };
        RegisterPath::new((0..depth).map(|_| self.flag().then(|| self.bytes())).collect()).unwrap()
    }

    pub(crate) fn status_finding(&mut self) -> StatusFinding {
        match self.below(3) {
            0 => StatusFinding::Absent(AbsenceTerminal::Empty),
            1 => StatusFinding::Absent(AbsenceTerminal::Other {
                key: RegisterKey::new(self.bytes()),
                value: ValueHash::new(self.bytes()),
            }),
            _ => StatusFinding::Present(self.status_record()),
        }
    }

    pub(crate) fn receipt(&mut self) -> Receipt {
        Receipt {
            profile: self.one_of(&[Profile::Raw, Profile::Jcs, Profile::Jws, Profile::Jades]),
            salt: Salt::new(self.bytes()),
            institution: InstitutionId::new(self.u32()),
            batch: self.bytes(),
            path: self.batch_path(),
        }
    }

    pub(crate) fn stamp(&mut self) -> Stamp {
        Stamp {
            header: self.header_proof(),
            certificate: self.certificate(),
            state_siblings: [self.bytes(), self.bytes()],
            batch: self.batch_record(),
            batch_path: self.register_path(),
            institution: self.institution_facts(),
            institution_path: self.register_path(),
            keys_and_permissions: self.bytes(),
            status: self.status_finding(),
            status_path: self.register_path(),
        }
    }

    pub(crate) fn stamp_file(&mut self) -> StampFile {
        StampFile {
            stamp: self.stamp(),
            permission: self.flag().then(|| PermissionSection {
                record: self.permission_record(),
                path: self.register_path(),
                keys: RegisterRoot::new(self.bytes()),
            }),
        }
    }

    pub(crate) fn bundle(&mut self) -> Bundle {
        Bundle { ledger: self.bytes(), receipt: self.receipt(), stamp: self.stamp_file() }
    }

    fn trusted_ledger(&mut self) -> TrustedLedger {
        let count = 1 + self.below(3);
        let mut first = self.below(1_000);
        let sets = (0..count)
            .map(|_| {
                let last = first + self.below(1_000);
                let (a, b) = (self.time(), self.time());
                let set = TrustedSet {
                    first_height: Height::new(first),
                    last_height: Height::new(last),
                    first_time: a.min(b),
                    last_time: a.max(b),
                    set: self.validator_set(),
                };
                first = last + 1 + self.below(10);
                set
            })
            .collect();
        TrustedLedger {
            genesis: self.genesis(),
            kind: self.one_of(NetworkKind::ALL),
            name_ka: self.text::<{ sigeli_verifier::params::NAME_BYTES_MAX }>() as Name,
            name_en: self.text(),
            checkpoint: Checkpoint { height: self.height(), time: self.time(), id: BlockId::new(self.bytes()) },
            sets,
        }
    }

    pub(crate) fn trust(&mut self) -> Trust {
        let count = 1 + self.below(3);
        Trust::new((0..count).map(|_| self.trusted_ledger()).collect()).unwrap()
    }
}
