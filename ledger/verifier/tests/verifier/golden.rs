//! Golden vectors: the bytes of one fixed example of every format, and a conformance hash over the encodings of 256
//! seeded values of it. A change here is a change of the format, and its commit is titled `format:`.
//!
//! `SIGELI_BLESS=1` writes `tests/vectors/golden.json` anew.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use sigeli_verifier::{
    batch::BatchHeight,
    block::{Block, transactions_root},
    bounded::List,
    codes::{
        CredentialType, Field, FieldPrefix, HashAlgorithm, InstitutionKind, KeyPurposes, Level, Levels, StatusAction,
        StatusReason,
    },
    credential::{Profile, document_digest, leaf_commitment, status_handle},
    crypto::{PublicKey, verify_signature},
    encode::Encode,
    history::{Rfc9162, tree_root},
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, DecisionRef, EctsTenths, InstitutionId, KeyIndex, PermissionId,
        Round, Salt, Signature, StatusHandle, TimeMs,
    },
    record::{
        batch_key, institution_key, key_key, permission_content_key, permission_key, status_entry_key, status_key,
    },
    state::StateRoots,
    time::{Day, Window},
    transaction::{
        BatchAnchor, InstitutionKey, InstitutionRegister, Payload, PermissionGrant, PermissionScope, Sender,
        SignedTransaction, StatusEntry, StatusSet, Transaction, TransactionSignature,
    },
    vote::{Proposal, Vote, VoteKind},
};

use crate::common::{
    draw::Draw,
    world::{GTU, HEADER_TIME, World, digest, document, seed, sign, signing_key},
};

/// One format: a fixed example, and any value from a seed, both encoded.
struct Format {
    name: &'static str,
    example: Vec<u8>,
    any: fn(&mut Draw) -> Vec<u8>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Vector {
    /// The example, in hexadecimal.
    bytes: String,
    /// BLAKE3 over the encodings of the values of seeds 0 to 255, each behind its length as `u32`, little-endian.
    conformance: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Golden {
    formats: BTreeMap<String, Vector>,
    /// Hashes that follow from the examples, in hexadecimal.
    derived: BTreeMap<String, String>,
}

fn institution() -> Sender {
    Sender::Institution { institution: InstitutionId::new(GTU) }
}

fn authority(number: u8, sequence: u64) -> Sender {
    Sender::Authority { authority: AuthorityId::new(number), sequence: AuthoritySequence::new(sequence) }
}

fn institution_register(world: &World) -> Payload {
    Payload::InstitutionRegister(InstitutionRegister {
        institution: InstitutionId::new(GTU),
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: world.facts.legal_id.clone(),
        name_ka: world.facts.name_ka.clone(),
        name_en: world.facts.name_en.clone(),
        decision: DecisionRef::new(seed("decision", 1)),
        keys: List::new(vec![InstitutionKey { purposes: KeyPurposes::ALL, key: world.key.key }]).unwrap(),
    })
}

fn permission_grant(scope: PermissionScope) -> Payload {
    let day = |year, month, day| Day::from_civil(year, month, day).unwrap();
    Payload::PermissionGrant(PermissionGrant {
        institution: InstitutionId::new(GTU),
        decision: DecisionRef::new(seed("decision", 2)),
        window: Window::new(day(2026, 1, 1), day(2032, 12, 31)).unwrap(),
        conditional: true,
        scope,
    })
}

fn pilot_order() -> PermissionScope {
    PermissionScope::PilotOrder {
        fields: List::new(["06", "0613"].map(|digits| FieldPrefix::parse(digits).unwrap()).to_vec()).unwrap(),
        levels: Levels::of(&[Level::new(6).unwrap(), Level::new(7).unwrap()]).unwrap(),
    }
}

fn batch_anchor() -> Payload {
    Payload::BatchAnchor(BatchAnchor {
        root: BatchRoot::new(seed("batch", 1)),
        height: BatchHeight::new(17).unwrap(),
        hash_algorithm: HashAlgorithm::Blake3,
        accreditation: PermissionId::new(3),
        level: Level::new(6).unwrap(),
        field: Field::new(613).unwrap(),
        ects: EctsTenths::new(30),
        issued: Day::from_civil(2026, 11, 23).unwrap(),
        credential_type: CredentialType::MicroCredential,
    })
}

fn status_set() -> Payload {
    let entry = |number, action, reason, successor| StatusEntry {
        handle: StatusHandle::new(seed("handle", number)),
        action,
        reason,
        successor,
    };
    Payload::StatusSet(StatusSet {
        entries: List::new(vec![
            entry(0, StatusAction::Suspend, StatusReason::UnderReview, [0; 32]),
            entry(1, StatusAction::Reinstate, StatusReason::ReviewEnded, [0; 32]),
            entry(2, StatusAction::Revoke, StatusReason::AwardWithdrawn, [0; 32]),
            entry(3, StatusAction::Supersede, StatusReason::Superseded, seed("leaf", 0)),
        ])
        .unwrap(),
    })
}

fn transaction(world: &World, sender: Sender, payload: Payload) -> Transaction {
    Transaction { genesis: world.genesis, valid_until: TimeMs::new(HEADER_TIME + 600_000), sender, payload }
}

/// Signed by key 100 and 101 of the fixture, as keys 0 and 2 of the sender.
fn signed(body: Transaction) -> SignedTransaction {
    let preimage = [&b"sigeli/tx/v1\0\0\0\0"[..], &body.genesis.get(), &body.id().get()].concat();
    let signature = |key, number| TransactionSignature {
        key: KeyIndex::new(key),
        signature: Signature::new(sign(&signing_key(number), &preimage)),
    };
    SignedTransaction::new(body, vec![signature(2, 101), signature(0, 100)]).unwrap()
}

fn block(world: &World) -> Block {
    let transactions = vec![
        signed(transaction(world, institution(), batch_anchor())),
        signed(transaction(world, institution(), status_set())),
        signed(transaction(world, authority(2, 7), permission_grant(world.permission.scope.clone()))),
    ];
    let mut header = world.header;
    header.transactions_root = transactions_root(&transactions);
    Block { header, transactions }
}

fn proposal(world: &World) -> Proposal {
    Proposal {
        height: world.header.height,
        round: Round::new(2),
        valid_round: Some(Round::new(1)),
        block: world.header_id(),
        proposer: world.header.creator,
    }
}

fn formats(world: &World) -> Vec<Format> {
    let format = |name, example: Vec<u8>, any| Format { name, example, any };
    let of = |sender, payload| transaction(world, sender, payload).to_bytes();
    let nil = Vote { block: None, kind: VoteKind::Prevote, ..world.precommit(0) };
    let fresh = Proposal { valid_round: None, ..proposal(world) };
    let (empty, other) = world.absences();
    let record = |credential: usize| {
        let (_, record) = world.statuses.iter().find(|(with_status, _)| *with_status == credential).unwrap();
        record.to_bytes()
    };
    let any_transaction: fn(&mut Draw) -> Vec<u8> = |draw| draw.transaction().to_bytes();
    let any_status: fn(&mut Draw) -> Vec<u8> = |draw| draw.status_record().to_bytes();
    let any_bundle: fn(&mut Draw) -> Vec<u8> = |draw| draw.bundle().to_bytes();
    let any_vote: fn(&mut Draw) -> Vec<u8> = |draw| draw.vote().preimage(&draw.genesis()).to_vec();
    let any_proposal: fn(&mut Draw) -> Vec<u8> = |draw| draw.proposal().preimage(&draw.genesis()).to_vec();
    vec![
        format("transaction: institution register", of(authority(2, 1), institution_register(world)), |draw| {
            let payload = draw.institution_register();
            draw.transaction_of(payload).to_bytes()
        }),
        format(
            "transaction: permission grant, authorisation",
            of(authority(2, 2), permission_grant(PermissionScope::Authorisation)),
            |draw| {
                let payload = draw.permission_grant();
                draw.transaction_of(payload).to_bytes()
            },
        ),
        format(
            "transaction: permission grant, pilot order",
            of(authority(1, 1), permission_grant(pilot_order())),
            any_transaction,
        ),
        format(
            "transaction: permission grant, accreditation",
            of(authority(2, 3), permission_grant(world.permission.scope.clone())),
            any_transaction,
        ),
        format("transaction: batch anchor", of(institution(), batch_anchor()), |draw| {
            let payload = draw.batch_anchor();
            draw.transaction_of(payload).to_bytes()
        }),
        format("transaction: status set", of(institution(), status_set()), |draw| {
            let payload = draw.status_set();
            draw.transaction_of(payload).to_bytes()
        }),
        format("transaction preimage", transaction(world, institution(), batch_anchor()).preimage().to_vec(), |draw| {
            draw.transaction().preimage().to_vec()
        }),
        format("signed transaction", signed(transaction(world, institution(), batch_anchor())).to_bytes(), |draw| {
            draw.signed_transaction().to_bytes()
        }),
        format(
            "transaction leaf data",
            signed(transaction(world, institution(), batch_anchor())).leaf_data(),
            |draw| draw.signed_transaction().leaf_data(),
        ),
        format("header", world.header.to_bytes(), |draw| draw.header().to_bytes()),
        format("header proof part", world.header.proof().to_bytes(), |draw| draw.header_proof().to_bytes()),
        format("block", block(world).to_bytes(), |draw| draw.block().to_bytes()),
        format("vote preimage: precommit", world.precommit(2).preimage(&world.genesis).to_vec(), any_vote),
        format("vote preimage: prevote nil", nil.preimage(&world.genesis).to_vec(), any_vote),
        format("proposal preimage: again", proposal(world).preimage(&world.genesis).to_vec(), any_proposal),
        format("proposal preimage: fresh", fresh.preimage(&world.genesis).to_vec(), any_proposal),
        format("validator set", world.validators.to_bytes(), |draw| draw.validator_set().to_bytes()),
        format("certificate", world.certificate.to_bytes(), |draw| draw.certificate().to_bytes()),
        format("batch path", world.receipt(5).path.to_bytes(), |draw| draw.batch_path().to_bytes()),
        format("register path", world.stamp(5).status_path.to_bytes(), |draw| draw.register_path().to_bytes()),
        format("status finding: empty slot", world.stamp(empty).status.to_bytes(), |draw| {
            draw.status_finding().to_bytes()
        }),
        format("status finding: other entry", world.stamp(other).status.to_bytes(), |draw| {
            draw.status_finding().to_bytes()
        }),
        format("status finding: present", world.stamp(6).status.to_bytes(), |draw| draw.status_finding().to_bytes()),
        format("institution facts", world.facts.to_bytes(), |draw| draw.institution_facts().to_bytes()),
        format("institution value", world.facts.value(&seed("registers", 0)), |draw| {
            draw.institution_facts().value(&draw.bytes())
        }),
        format("key record", world.key.to_bytes(), |draw| draw.key_record().to_bytes()),
        format("permission record", world.permission.to_bytes(), |draw| draw.permission_record().to_bytes()),
        format("batch record", world.batch.to_bytes(), |draw| draw.batch_record().to_bytes()),
        format("status record: suspended", record(4), any_status),
        format("status record: reinstated", record(5), any_status),
        format("status record: revoked", record(6), any_status),
        format("status record: superseded", record(7), any_status),
        format("receipt", world.receipt(0).to_bytes(), |draw| draw.receipt().to_bytes()),
        format("stamp", world.stamp(0).to_bytes(), |draw| draw.stamp().to_bytes()),
        format("stamp file", world.bundle(0, true).stamp.to_bytes(), |draw| draw.stamp_file().to_bytes()),
        format("bundle: absent, empty slot", world.bundle(empty, false).to_bytes(), any_bundle),
        format("bundle: absent, other entry", world.bundle(other, false).to_bytes(), any_bundle),
        format("bundle: with permission", world.bundle(other, true).to_bytes(), any_bundle),
        format("bundle: revoked", world.bundle(6, true).to_bytes(), any_bundle),
        format("trust file", world.trust.to_bytes(), |draw| draw.trust().to_bytes()),
    ]
}

fn derived(world: &World) -> BTreeMap<String, String> {
    let (empty, other) = world.absences();
    let anchor = signed(transaction(world, institution(), batch_anchor()));
    let block = block(world);
    let roots = world.roots();
    let handle = StatusHandle::new(seed("handle", 0));
    let institution = InstitutionId::new(GTU);
    let history: Vec<[u8; 32]> = (0..5).map(|number| seed("header", number)).collect();
    let leaf = leaf_commitment(Profile::Raw, &Salt::new([0x11; 32]), &digest(0));
    let mut derived = BTreeMap::new();
    let mut put = |name: &str, value: String| assert_eq!(derived.insert(name.into(), value), None);
    put("document of the bundle: absent, empty slot", hex::encode(document(empty)));
    put("document of the bundle: absent, other entry", hex::encode(document(other)));
    put("document of the bundle: revoked", hex::encode(document(6)));
    put("document digest, raw, of credential 0", digest(0).to_string());
    put("leaf, raw, salt 32 times 0x11, of credential 0", leaf.to_string());
    put("status handle of that leaf", status_handle(&Salt::new([0x11; 32]), &leaf).to_string());
    put("transaction id: batch anchor", anchor.id().to_string());
    put("transaction leaf: batch anchor", hex::encode(anchor.leaf()));
    put("transactions root of the block", transactions_root(&block.transactions).to_string());
    put("transactions root without transactions", transactions_root(&[]).to_string());
    put("header id", world.header.id().to_string());
    put("header id of the block", block.header.id().to_string());
    put("validator set hash", world.validators.hash().to_string());
    put("validator address 0", world.validators.validators()[0].address().to_string());
    put("state root", world.header.state_root.to_string());
    put("state root without entries", StateRoots::EMPTY.root().to_string());
    put("history root of five ids", hex::encode(tree_root::<Rfc9162>(history.iter().map(<[u8; 32]>::as_slice))));
    put("batch root", roots.batch.to_string());
    put("register root: statuses", roots.statuses.to_string());
    put("register key: institution", institution_key(institution).to_string());
    put("register key: batch", batch_key(institution, &BatchRoot::new(seed("batch", 1))).to_string());
    put("register key: key 1", key_key(KeyIndex::new(1)).to_string());
    put("register key: permission 3", permission_key(PermissionId::new(3)).to_string());
    put(
        "register key: permission by content",
        permission_content_key(AuthorityId::new(1), &pilot_order(), &DecisionRef::new(seed("decision", 1))).to_string(),
    );
    put("register key: status", status_key(&handle).to_string());
    put("register key: status entry 2", status_entry_key(&handle, 2).to_string());
    derived
}

fn vectors() -> Golden {
    let world = World::new();
    let formats = formats(&world).into_iter().map(|format| {
        let mut hasher = blake3::Hasher::new();
        for seed in 0..256 {
            let bytes = (format.any)(&mut Draw::new(seed));
            hasher.update(&u32::try_from(bytes.len()).unwrap().to_le_bytes()).update(&bytes);
        }
        let conformance = hasher.finalize().to_hex().to_string();
        (format.name.to_owned(), Vector { bytes: hex::encode(format.example), conformance })
    });
    Golden { formats: formats.collect(), derived: derived(&world) }
}

#[expect(clippy::disallowed_methods, reason = "the variable asks for new vectors; the ledger is not run")]
fn asked_to_bless() -> bool {
    std::env::var_os("SIGELI_BLESS").is_some_and(|value| value == "1")
}

#[test]
fn every_format_has_its_golden_bytes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/golden.json");
    let found = vectors();
    if asked_to_bless() {
        fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        println!("notice: {} written anew", path.display());
        return;
    }
    let expected: Golden = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (name, vector) in &expected.formats {
        assert_eq!(found.formats.get(name), Some(vector), "{name}");
    }
    for (name, hash) in &expected.derived {
        assert_eq!(found.derived.get(name), Some(hash), "{name}");
    }
    assert_eq!(found, expected, "a format without vectors: run with SIGELI_BLESS=1");
}

#[test]
fn fixture_and_crate_agree_on_every_derived_hash() {
    let world = World::new();
    assert_eq!(world.header.id(), world.header_id());
    assert_eq!(world.validators.hash(), world.header.validators);
    assert_eq!(document_digest(Profile::Raw, &document(3)), digest(3));
    // The certificate stands over the preimage that the crate builds.
    for entry in world.certificate.signatures() {
        let validator = world.validators.validators()[usize::from(entry.validator)];
        let preimage = world.precommit(entry.validator).preimage(&world.genesis);
        assert!(verify_signature(&validator.key, &preimage, &entry.signature));
    }
    assert!(block(&world).has_own_transactions());
    let body = transaction(&world, institution(), batch_anchor());
    let transaction = signed(body);
    let key = |number| {
        let bytes = *signing_key(number).verifying_key().as_bytes();
        PublicKey::from_ed25519(&bytes).unwrap()
    };
    let [first, second] = transaction.signatures() else { panic!("two signatures") };
    assert!(transaction.is_signed_by(first, &key(100)) && transaction.is_signed_by(second, &key(101)));
    assert!(!transaction.is_signed_by(first, &key(101)));
}
