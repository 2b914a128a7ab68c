//! Golden vectors: the bytes of one fixed example of every format, and a conformance hash over the encodings of 256
//! seeded values of it. A change here is a change of the format, and its commit is titled `format:`.
//!
//! `SIGELI_BLESS=1` writes `tests/vectors/golden.json` anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use sigeli_verifier::{
    block::{Block, transactions_root},
    codes::StatusReason,
    credential::{Profile, document_digest, leaf_commitment, status_handle},
    crypto::{PublicKey, verify_signature},
    encode::Encode as _,
    evidence::Evidence,
    history::{Rfc9162, tree_root},
    ids::{
        AuthorityId, BatchRoot, DecisionRef, KeyIndex, PermissionId, ProgrammeId, Round, Salt, Signature, StatusHandle,
        TimeMs,
    },
    record::{
        BatchState, batch_entry_key, batch_key, institution_entry_key, institution_key, key_entry_key, key_index_key,
        key_key, permission_content, permission_content_key, permission_entry_key, permission_key,
        permission_tally_key, programme_key, status_entry_key, status_key, usable_keys_key,
    },
    state::StateRoots,
    transaction::{Draft, Payload, Sender, SignedTransaction, Transaction, TransactionSignature, joint_key},
    vote::{Proposal, Vote, VoteKind},
};

use self::payloads::{
    INSTITUTION, accreditation_grant, authorities, authority, batch_anchor, institution, pilot_order, status_set,
    upgrade,
};
use crate::common::{
    draw::{Draw, payload::KINDS},
    world::{HEADER_TIME, Setup, World, batch_change, by_order, digest, document, seed, sign, signing_key},
};
use crate::evidence::{self, key_of, pairs};

mod payloads;
mod records;

/// The encoding of a value that a seed decides.
type AnyValue = Box<dyn Fn(&mut Draw) -> Vec<u8>>;

/// One format: a fixed example, and any value from a seed, both encoded.
struct Format {
    name: &'static str,
    example: Vec<u8>,
    any: AnyValue,
}

impl Format {
    fn new(name: &'static str, example: Vec<u8>, any: impl Fn(&mut Draw) -> Vec<u8> + 'static) -> Self {
        Self { name, example, any: Box::new(any) }
    }
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

/// An upgrade on its way from hand to hand: unsigned, and signed by key 0 of authority 1 and keys 0 and 1 of authority 2.
fn drafts(world: &World) -> (Draft, Draft) {
    let unsigned = Draft::new(transaction(world, authorities(4), upgrade()));
    let mut signed = unsigned.clone();
    for (owner, key, number) in [(2, 1, 122), (1, 0, 120), (2, 0, 121)] {
        let preimage = unsigned.body().preimage();
        let signature = Signature::new(sign(&signing_key(number), &preimage));
        signed.add(TransactionSignature { key: joint_key(AuthorityId::new(owner), key), signature }).unwrap();
    }
    (unsigned, signed)
}

fn block(world: &World) -> Block {
    let transactions = vec![
        signed(transaction(world, institution(), batch_anchor())),
        signed(transaction(world, institution(), status_set())),
        signed(transaction(world, authority(2, 7), accreditation_grant(world))),
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

fn transactions(world: &World) -> Vec<Format> {
    let anchor = signed(transaction(world, institution(), batch_anchor()));
    let (unsigned, joint) = drafts(world);
    let mut formats: Vec<Format> = payloads::examples(world)
        .into_iter()
        .map(|(name, sender, payload)| {
            let kind = payload.code();
            Format::new(name, transaction(world, sender, payload).to_bytes(), move |draw| {
                let payload = draw.payload(kind);
                draw.transaction_of(payload).to_bytes()
            })
        })
        .collect();
    formats.extend([
        Format::new("transaction preimage", anchor.body().preimage().to_vec(), |draw| {
            draw.transaction().preimage().to_vec()
        }),
        Format::new("signed transaction", anchor.to_bytes(), |draw| draw.signed_transaction().to_bytes()),
        Format::new("signed transaction: joint", joint.signed().unwrap().to_bytes(), |draw| {
            draw.signed_transaction().to_bytes()
        }),
        Format::new("transaction leaf data", anchor.leaf_data(), |draw| draw.signed_transaction().leaf_data()),
        Format::new("draft: unsigned", unsigned.to_bytes(), |draw| draw.draft().to_bytes()),
        Format::new("draft: signed jointly", joint.to_bytes(), |draw| draw.draft().to_bytes()),
    ]);
    formats
}

/// One pair of each kind of evidence of a key.
fn evidence(signing: &SigningKey, kind: usize) -> Evidence {
    let (one, other) = pairs(signing)[kind];
    Evidence::new(evidence::genesis(), key_of(signing), one, other).unwrap()
}

fn chain(world: &World) -> Vec<Format> {
    let any_evidence: fn(&mut Draw) -> Vec<u8> =
        |draw| evidence(&SigningKey::from_bytes(&draw.bytes()), usize::from(draw.u8() % 4)).to_file();
    let format = |name, example, any: fn(&mut Draw) -> Vec<u8>| Format::new(name, example, any);
    let nil = Vote { block: None, kind: VoteKind::Prevote, ..world.precommit(0) };
    let fresh = Proposal { valid_round: None, ..proposal(world) };
    let any_vote: fn(&mut Draw) -> Vec<u8> = |draw| draw.vote().preimage(&draw.genesis()).to_vec();
    let any_proposal: fn(&mut Draw) -> Vec<u8> = |draw| draw.proposal().preimage(&draw.genesis()).to_vec();
    vec![
        format("header", world.header.to_bytes(), |draw| draw.header().to_bytes()),
        format("header proof part", world.header.proof().to_bytes(), |draw| draw.header_proof().to_bytes()),
        format("block", block(world).to_bytes(), |draw| draw.block().to_bytes()),
        format("vote preimage: precommit", world.precommit(2).preimage(&world.genesis).to_vec(), any_vote),
        format("vote preimage: prevote nil", nil.preimage(&world.genesis).to_vec(), any_vote),
        format("proposal preimage: again", proposal(world).preimage(&world.genesis).to_vec(), any_proposal),
        format("proposal preimage: fresh", fresh.preimage(&world.genesis).to_vec(), any_proposal),
        format("validator set", world.validators.to_bytes(), |draw| draw.validator_set().to_bytes()),
        format("certificate", world.certificate.to_bytes(), |draw| draw.certificate().to_bytes()),
        format("evidence: precommits", evidence(&signing_key(1), 1).to_file(), any_evidence),
        format("evidence: proposals", evidence(&signing_key(1), 3).to_file(), any_evidence),
    ]
}

fn proofs(world: &World) -> Vec<Format> {
    let format = |name, example, any: fn(&mut Draw) -> Vec<u8>| Format::new(name, example, any);
    let (empty, other) = world.absences();
    let any_finding: fn(&mut Draw) -> Vec<u8> = |draw| draw.status_finding().to_bytes();
    let any_bundle: fn(&mut Draw) -> Vec<u8> = |draw| draw.bundle().to_bytes();
    vec![
        format("batch path", world.receipt(5).path.to_bytes(), |draw| draw.batch_path().to_bytes()),
        format("register path", world.stamp(5).status_path.to_bytes(), |draw| draw.register_path().to_bytes()),
        format("status finding: empty slot", world.stamp(empty).status.to_bytes(), any_finding),
        format("status finding: other entry", world.stamp(other).status.to_bytes(), any_finding),
        format("status finding: present", world.stamp(6).status.to_bytes(), any_finding),
        format("receipt", world.receipt(0).to_bytes(), |draw| draw.receipt().to_bytes()),
        format("stamp", world.stamp(0).to_bytes(), |draw| draw.stamp().to_bytes()),
        format("stamp file", world.bundle(0, true).stamp.to_bytes(), |draw| draw.stamp_file().to_bytes()),
        format("bundle: absent, empty slot", world.bundle(empty, false).to_bytes(), any_bundle),
        format("bundle: absent, other entry", world.bundle(other, false).to_bytes(), any_bundle),
        format("bundle: with permission", world.bundle(other, true).to_bytes(), any_bundle),
        format("bundle: revoked", world.bundle(6, true).to_bytes(), any_bundle),
        format("bundle: annulled", world.bundle(8, false).to_bytes(), any_bundle),
        format("bundle: batch revoked", batch_revoked().bundle(other, false).to_bytes(), any_bundle),
        format("receipt part", world.bundle(0, true).split().0.to_bytes(), |draw| draw.bundle().split().0.to_bytes()),
        format("stamp part", world.bundle(0, true).split().1.to_bytes(), |draw| draw.bundle().split().1.to_bytes()),
        format("trust file", world.trust.to_bytes(), |draw| draw.trust().to_bytes()),
    ]
}

/// The same ledger, in whose block 7 the batch was revoked by order.
fn batch_revoked() -> World {
    let batch_status = batch_change(BatchState::Revoked, StatusReason::Order, by_order(), 1);
    World::with(Setup { batch_status, ..Setup::default() })
}

fn formats(world: &World) -> Vec<Format> {
    let formats = [transactions(world), chain(world), proofs(world), records::formats(world)];
    formats.into_iter().flatten().collect()
}

fn derived(world: &World) -> BTreeMap<String, String> {
    let (empty, other) = world.absences();
    let anchor = signed(transaction(world, institution(), batch_anchor()));
    let block = block(world);
    let roots = world.roots();
    let handle = StatusHandle::new(seed("handle", 0));
    let root = BatchRoot::new(seed("batch", 1));
    let permission = PermissionId::new(3);
    let history: Vec<[u8; 32]> = (0..5).map(|number| seed("header", number)).collect();
    let leaf = leaf_commitment(Profile::Raw, &Salt::new([0x11; 32]), &digest(0));
    let mut derived = BTreeMap::new();
    let mut put = |name: &str, value: String| assert_eq!(derived.insert(name.into(), value), None);
    put("document of the bundle: absent, empty slot", hex::encode(document(empty)));
    put("document of the bundle: absent, other entry", hex::encode(document(other)));
    put("document of the bundle: revoked", hex::encode(document(6)));
    put("document of the bundle: annulled", hex::encode(document(8)));
    put("document digest, raw, of credential 0", digest(0).to_string());
    put("leaf, raw, salt 32 times 0x11, of credential 0", leaf.to_string());
    put("status handle of that leaf", status_handle(&Salt::new([0x11; 32]), &leaf).to_string());
    put("transaction id: batch anchor", anchor.id().to_string());
    put("transaction id: upgrade schedule", drafts(world).0.body().id().to_string());
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
    put("register key: institution", institution_key(INSTITUTION).to_string());
    put("register key: batch", batch_key(INSTITUTION, &root).to_string());
    put("register key: key 1", key_key(KeyIndex::new(1)).to_string());
    put("register key: permission 3", permission_key(permission).to_string());
    put("register key: institution entry 2", institution_entry_key(INSTITUTION, 2).to_string());
    put("register key: batch entry 2", batch_entry_key(INSTITUTION, &root, 2).to_string());
    put("register key: key 1, entry 2", key_entry_key(KeyIndex::new(1), 2).to_string());
    put("register key: index of a key", key_index_key(&world.key.key).to_string());
    put("register key: usable keys", usable_keys_key().to_string());
    put("register key: permission 3, entry 2", permission_entry_key(permission, 2).to_string());
    put("register key: programme 1", programme_key(ProgrammeId::new(1)).to_string());
    put("register key: tally of permission 3", permission_tally_key(permission).to_string());
    let decision = DecisionRef::new(seed("decision", 1));
    let order = permission_content(AuthorityId::new(1), &decision, &pilot_order());
    put("permission content: order", order.to_string());
    let accredited = permission_content(AuthorityId::new(2), &decision, &World::new().permission.scope);
    put("permission content: accreditation", accredited.to_string());
    put("register key: permission by content", permission_content_key(&order).to_string());
    put("register key: status", status_key(&handle).to_string());
    put("register key: status entry 2", status_entry_key(&handle, 2).to_string());
    derived
}

fn vectors() -> Golden {
    let world = World::new();
    let count = formats(&world).len();
    let formats = formats(&world).into_iter().map(|format| {
        let mut hasher = blake3::Hasher::new();
        for seed in 0..256 {
            let bytes = (format.any)(&mut Draw::new(seed));
            hasher.update(&u32::try_from(bytes.len()).unwrap().to_le_bytes()).update(&bytes);
        }
        let conformance = hasher.finalize().to_hex().to_string();
        (format.name.to_owned(), Vector { bytes: hex::encode(format.example), conformance })
    });
    let golden = Golden { formats: formats.collect(), derived: derived(&world) };
    assert_eq!(golden.formats.len(), count, "two formats of one name");
    golden
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
fn every_kind_of_transaction_has_golden_bytes() {
    let world = World::new();
    let kinds: BTreeSet<u8> = payloads::examples(&world).iter().map(|(_, _, payload)| payload.code()).collect();
    assert_eq!(kinds, BTreeSet::from(KINDS));
}

#[test]
fn a_joint_signature_names_authority_and_key() {
    let (unsigned, signed) = drafts(&World::new());
    assert!(unsigned.signed().is_none());
    let keys: Vec<u16> = signed.signatures().iter().map(|entry| entry.key.get()).collect();
    assert_eq!(keys, [256, 512, 513]);
    for (entry, number) in signed.signatures().iter().zip([120, 121, 122]) {
        let key = |number| PublicKey::from_ed25519(signing_key(number).verifying_key().as_bytes()).unwrap();
        assert!(signed.is_signed_by(entry, &key(number)) && !signed.is_signed_by(entry, &key(number + 1)));
        assert!(signed.signed().unwrap().is_signed_by(entry, &key(number)));
    }
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
