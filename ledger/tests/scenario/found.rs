//! The ledger that every starting position is founded on: six authorities, four validators.

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_ledger::{
    chain::{Chain, ExecutedBlock},
    genesis::{ConsensusParameters, Genesis, GenesisAuthority, GenesisDocument},
    memory::MemoryStore,
    state::RegisteredValidator,
};
use sigeli_verifier::{
    bounded::List,
    certificate::{CommitCertificate, CommitSignature},
    crypto::PublicKey,
    ids::{AuthorityId, EctsTenths, Height, KeyIndex, Signature, TimeMs, VotingPower},
    record::Policy,
    register,
    transaction::{AuthorityKind, SignedTransaction, Transaction, TransactionSignature},
    trust::NetworkKind,
    validators::Validator,
    vote::{Vote, VoteKind},
};

use crate::words::{Words, level, name};

/// Names, numbers, kinds, number of keys and threshold of the founding authorities.
pub(crate) const AUTHORITIES: [(&str, u8, AuthorityKind, u8, u8); 6] = [
    ("Ministry", 1, AuthorityKind::Ministry, 1, 1),
    ("NCEQE", 2, AuthorityKind::Nceqe, 3, 2),
    ("EMIS", 3, AuthorityKind::Emis, 1, 1),
    ("GRENA", 4, AuthorityKind::Operator, 1, 1),
    ("DGA", 5, AuthorityKind::Operator, 1, 1),
    ("GITA", 6, AuthorityKind::Operator, 1, 1),
];

/// Who runs the validators: neither the Ministry nor the quality agency, so that these can be ended.
const VALIDATORS: [(&str, u8); 4] = [("validator.0", 3), ("validator.1", 4), ("validator.2", 5), ("validator.3", 6)];

/// The key of a role, derived from its name: `GTU.0` is the first key of GTU.
pub(crate) fn secret(role: &str) -> SigningKey {
    SigningKey::from_bytes(&derived(b'k', role))
}

pub(crate) fn public(role: &str) -> PublicKey {
    PublicKey::from_ed25519(&secret(role).verifying_key().to_bytes()).unwrap()
}

/// 32 bytes that differ for names that differ.
pub(crate) fn derived(kind: u8, label: &str) -> [u8; 32] {
    register::key(&[&[kind], label.as_bytes()].concat()).get()
}

/// No limit is set yet: the starting position sets each.
pub(crate) const fn no_policy() -> Policy {
    Policy {
        ects_max: [EctsTenths::new(0); 8],
        ects_min: [EctsTenths::new(0); 8],
        ects_recognised_max: EctsTenths::new(0),
        batch_height_min: 0,
        clock_tolerance_ms: 0,
        pilot_order_required: false,
        batches_per_day: 0,
        statuses_per_day: 0,
        changes_per_day: 0,
        approvals_min: 0,
    }
}

/// Changes limits: `batches_per_day 3 ects_max 1,2,3 15.0`.
pub(crate) fn set_policy(policy: &mut Policy, words: &mut Words) -> Result<(), String> {
    while !words.is_empty() {
        match words.word()?.as_str() {
            "ects_max" => set_levels(&mut policy.ects_max, words)?,
            "ects_min" => set_levels(&mut policy.ects_min, words)?,
            "ects_recognised_max" => policy.ects_recognised_max = words.ects()?,
            "batch_height_min" => policy.batch_height_min = words.number()?,
            "clock_tolerance_ms" => policy.clock_tolerance_ms = words.number()?,
            "pilot_order_required" => {
                policy.pilot_order_required = words.take("yes");
                if !policy.pilot_order_required {
                    words.expect("no")?;
                }
            }
            "batches_per_day" => policy.batches_per_day = words.number()?,
            "statuses_per_day" => policy.statuses_per_day = words.number()?,
            "changes_per_day" => policy.changes_per_day = words.number()?,
            "approvals_min" => policy.approvals_min = words.number()?,
            other => return Err(format!("{other:?} is no limit")),
        }
    }
    Ok(())
}

fn set_levels(limits: &mut [EctsTenths; 8], words: &mut Words) -> Result<(), String> {
    let chosen = if words.take("all") { (1..=8).map(|at| at.to_string()).collect() } else { words.list()? };
    let credits = words.ects()?;
    for word in chosen {
        limits[usize::from(level(&word)?.get()) - 1] = credits;
    }
    Ok(())
}

pub(crate) fn genesis(policy: Policy, time: TimeMs) -> Result<Genesis, String> {
    let authorities = AUTHORITIES.map(|(role, id, kind, keys, threshold)| GenesisAuthority {
        id: AuthorityId::new(id),
        kind,
        name_ka: name(role).unwrap(),
        name_en: name(role).unwrap(),
        keys: List::new((0..keys).map(|index| public(&format!("{role}.{index}"))).collect()).unwrap(),
        threshold,
        log_keys: List::empty(),
    });
    let mut validators = VALIDATORS.map(|(role, authority)| RegisteredValidator {
        validator: Validator { key: public(role), authority: AuthorityId::new(authority), power: VotingPower::new(1) },
        network_key: public(&format!("{role}.network")),
    });
    validators.sort_by_key(|entry| entry.validator.key);
    let document = GenesisDocument {
        version: 1,
        kind: NetworkKind::Test,
        name_ka: name("სიგელი, სცენარები").unwrap(),
        name_en: name("Sigeli, scenarios").unwrap(),
        time,
        authorities: List::new(authorities.to_vec()).unwrap(),
        validators: List::new(validators.to_vec()).unwrap(),
        observers: List::empty(),
        policy,
        consensus: ConsensusParameters::default(),
    };
    Genesis::new(document).map_err(|error| error.to_string())
}

pub(crate) fn sign(body: Transaction, keys: &[(KeyIndex, String)]) -> Result<SignedTransaction, String> {
    let preimage = body.preimage();
    let signatures = keys
        .iter()
        .map(|(key, role)| TransactionSignature {
            key: *key,
            signature: Signature::new(secret(role).sign(&preimage).to_bytes()),
        })
        .collect();
    SignedTransaction::new(body, signatures).ok_or_else(|| "no such transaction can be signed".to_owned())
}

/// The precommits of all four validators.
pub(crate) fn certificate(chain: &Chain<MemoryStore>, executed: &ExecutedBlock) -> CommitCertificate {
    let round = executed.header().round;
    let genesis = chain.genesis().genesis_hash();
    let signatures = chain.validators().validators().iter().zip(0_u8..).map(|(validator, position)| {
        let role = VALIDATORS.iter().map(|(role, _)| role).find(|role| public(role) == validator.key).unwrap();
        let vote = Vote {
            kind: VoteKind::Precommit,
            height: executed.header().height,
            round,
            block: Some(executed.id()),
            validator: validator.address(),
        };
        let signature = Signature::new(secret(role).sign(&vote.preimage(&genesis)).to_bytes());
        CommitSignature { validator: position, signature }
    });
    CommitCertificate::new(round, signatures.collect()).unwrap()
}

/// A height from a word: a number.
pub(crate) fn height(word: &str) -> Result<Height, String> {
    word.parse().map(Height::new).map_err(|_| format!("{word:?} is no height"))
}
