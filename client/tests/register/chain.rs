//! A chain of blocks, signed by three of the four validators each.

use sigeli::keys::SecretKey;
use sigeli_verifier::{
    block::{Block, Header, transactions_root},
    certificate::{CommitCertificate, CommitSignature},
    history::{Frontier, Rfc9162},
    ids::{
        AuthorityId, AuthoritySequence, BlockId, Height, HistoryRoot, InstitutionId, KeyIndex, Round, StateRoot,
        TimeMs, ValidatorAddress,
    },
    params::PROTOCOL_VERSION,
    transaction::{Payload, Sender, SignedTransaction, Transaction, TransactionSignature},
    vote::{Vote, VoteKind},
};

use super::Validators;

/// The time of genesis: 2026-11-24T09:00:00Z. Blocks follow every minute.
pub(crate) const GENESIS_TIME: TimeMs = TimeMs::new(1_795_510_800_000);

pub(crate) struct Chain {
    pub(crate) validators: Validators,
    pub(crate) blocks: Vec<(Block, CommitCertificate)>,
    frontier: Frontier,
    sequences: [u64; 3],
}

impl Chain {
    /// A chain with its genesis block.
    pub(crate) fn new(genesis: u8) -> Self {
        let validators = Validators::new(genesis);
        let mut chain = Self { validators, blocks: Vec::new(), frontier: Frontier::default(), sequences: [0; 3] };
        let header = chain.header(Vec::new().as_slice(), StateRoot::new([0; 32]));
        chain.frontier.push::<Rfc9162>(header.id().as_bytes());
        let none = CommitCertificate::new(Round::new(0), Vec::new()).unwrap();
        chain.blocks.push((Block { header, transactions: Vec::new() }, none));
        chain
    }

    fn header(&self, transactions: &[SignedTransaction], state_root: StateRoot) -> Header {
        let height = u64::try_from(self.blocks.len()).unwrap();
        let set = self.validators.set.hash();
        let creator =
            if height == 0 { ValidatorAddress::new([0; 20]) } else { self.validators.set.validators()[0].address() };
        Header {
            version: PROTOCOL_VERSION,
            genesis: self.validators.genesis,
            height: Height::new(height),
            time: TimeMs::new(GENESIS_TIME.get() + height * 60_000),
            parent: self.blocks.last().map_or(BlockId::new([0; 32]), |(block, _)| block.header.id()),
            creator,
            round: Round::new(0),
            transactions_root: transactions_root(transactions),
            state_root,
            history_root: HistoryRoot::new(self.frontier.root::<Rfc9162>()),
            validators: set,
            next_validators: set,
        }
    }

    pub(crate) fn certificate(&self, header: &Header) -> CommitCertificate {
        let set = &self.validators.set;
        let signatures = set.validators().iter().zip(0..).take(3).map(|(validator, position)| {
            let vote = Vote {
                kind: VoteKind::Precommit,
                height: header.height,
                round: Round::new(0),
                block: Some(header.id()),
                validator: validator.address(),
            };
            let key = self.validators.keys.iter().find(|key| key.public() == validator.key).unwrap();
            CommitSignature { validator: position, signature: key.sign(&vote.preimage(&self.validators.genesis)) }
        });
        CommitCertificate::new(Round::new(0), signatures.collect()).unwrap()
    }

    /// Appends a block over this state.
    pub(crate) fn push_over(&mut self, transactions: Vec<SignedTransaction>, state_root: StateRoot) {
        let header = self.header(&transactions, state_root);
        let certificate = self.certificate(&header);
        self.frontier.push::<Rfc9162>(header.id().as_bytes());
        self.blocks.push((Block { header, transactions }, certificate));
    }

    /// The same blocks, made and signed by other validators.
    pub(crate) fn forge(&mut self, seeds: &[u8]) {
        self.validators = Validators::of(self.validators.genesis, seeds);
        self.frontier = Frontier::default();
        let blocks = std::mem::take(&mut self.blocks);
        for (block, _) in blocks {
            self.push_over(block.transactions, block.header.state_root);
        }
        self.blocks[0].1 = CommitCertificate::new(Round::new(0), Vec::new()).unwrap();
    }

    /// Appends a block.
    pub(crate) fn push(&mut self, transactions: Vec<SignedTransaction>) {
        let height = u8::try_from(self.blocks.len()).unwrap();
        self.push_over(transactions, StateRoot::new([height; 32]));
    }

    pub(crate) fn newest(&self) -> &(Block, CommitCertificate) {
        self.blocks.last().unwrap()
    }

    /// A transaction of an authority, signed by its two keys.
    pub(crate) fn by_authority(&mut self, authority: AuthorityId, payload: Payload) -> SignedTransaction {
        let sequence = &mut self.sequences[usize::from(authority.get())];
        *sequence += 1;
        let sender = Sender::Authority { authority, sequence: AuthoritySequence::new(*sequence) };
        self.signed(sender, payload, &[0, 1])
    }

    /// A transaction of an institution, signed by its key 0.
    pub(crate) fn by_institution(&self, institution: InstitutionId, payload: Payload) -> SignedTransaction {
        self.signed(Sender::Institution { institution }, payload, &[0])
    }

    fn signed(&self, sender: Sender, payload: Payload, keys: &[u16]) -> SignedTransaction {
        let valid_until = TimeMs::new(GENESIS_TIME.get() + 600_000);
        let body = Transaction { genesis: self.validators.genesis, valid_until, sender, payload };
        let signatures = keys.iter().map(|key| TransactionSignature {
            key: KeyIndex::new(*key),
            signature: SecretKey::from_seed(&[40 + u8::try_from(*key).unwrap(); 32]).sign(&body.preimage()),
        });
        let signatures = signatures.collect();
        SignedTransaction::new(body, signatures).unwrap()
    }
}
