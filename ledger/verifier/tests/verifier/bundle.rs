//! Bundles: accepted as they are, refused after any change.

use std::{collections::BTreeMap, rc::Rc};

use sigeli_verifier::{
    bundle::{Bundle, StampFile, StatusFinding},
    certificate::{CertificateError, CommitCertificate},
    codes::StatusReason,
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    ids::{BlockId, Height, PermissionId, Salt, Signature, TimeMs},
    record::{BatchState, BatchStatus, InstitutionState, PermissionState, StatusState},
    register::{AbsenceTerminal, PathError, RegisterPath},
    time::Day,
    transaction::PermissionScope,
    trust::{Checkpoint, Trust, TrustedSet},
    verdict::{DocumentDates, Freshness, Verdict, judge},
    verify::{VerifyError, verify},
};

use crate::common::world::{
    CREDENTIALS, HEADER_HEIGHT, HEADER_TIME, Setup, World, batch_change, by_key, by_order, closed, digest, document,
};

const FRESH: Freshness = Freshness { at: TimeMs::new(HEADER_TIME), max_age_ms: u64::MAX };
const DATES: DocumentDates = DocumentDates { from: None, until: None, readable: true };

fn outcome(bundle: &Bundle, credential: usize, trust: &Trust) -> Result<(), VerifyError> {
    verify(bundle, &digest(credential), trust).map(|_| ())
}

#[test]
fn every_credential_of_the_fixture_verifies_with_and_without_its_permission() {
    let world = World::new();
    for credential in 0..CREDENTIALS {
        for with_permission in [false, true] {
            let encoded = world.bundle(credential, with_permission).to_bytes();
            let bundle = Bundle::from_bytes(&encoded).unwrap();
            let digest = sigeli_verifier::credential::document_digest(bundle.receipt.profile, &document(credential));
            let confirmed = verify(&bundle, &digest, &world.trust).unwrap();
            assert_eq!(confirmed.header, world.header_id());
            assert_eq!(confirmed.permission.is_some(), with_permission);
        }
    }
}

/// A bundle by name: the ledger it is of, and the credential.
struct Kind {
    name: String,
    world: Rc<World>,
    credential: usize,
    encoded: Vec<u8>,
}

/// Bundles of every state and writer of a credential's and a batch's status, of a closed institution, and with the
/// permission section.
fn every_kind() -> Vec<Kind> {
    let mut kinds = vec![];
    let mut put = |name: &str, world: &Rc<World>, credential: usize, with_permission: bool| {
        let encoded = world.bundle(credential, with_permission).to_bytes();
        kinds.push(Kind { name: name.into(), world: Rc::clone(world), credential, encoded });
    };
    let world = Rc::new(World::new());
    let (empty, other) = world.absences();
    put("absent, empty slot", &world, empty, false);
    put("absent, other entry", &world, other, false);
    put("absent, other entry, with permission", &world, other, true);
    let own = ["suspended", "reinstated", "revoked", "superseded", "annulled by decision", "revoked by decision"];
    for (credential, name) in (4..).zip(own) {
        put(name, &world, credential, false);
    }
    let batches = [
        ("batch suspended", BatchState::Suspended, by_key(1)),
        ("batch reinstated", BatchState::Reinstated, by_key(1)),
        ("batch revoked by decision", BatchState::Revoked, by_order()),
        ("batch annulled by decision", BatchState::Annulled, by_order()),
    ];
    for (name, state, writer) in batches {
        let batch_status = batch_change(state, StatusReason::Unspecified, writer, 2);
        put(name, &Rc::new(World::with(Setup { batch_status, ..Setup::default() })), 0, false);
    }
    let institution = closed(Day::new(20_500));
    let compromised = vec![(0, HEADER_HEIGHT), (1, 3)];
    let announced = vec![(PermissionState::Replaced { by: PermissionId::new(4) }, Day::new(20_500))];
    let ended = World::with(Setup { institution, compromised, announced, ..Setup::default() });
    put("institution closed, keys compromised, accreditation replaced", &Rc::new(ended), 4, true);
    kinds
}

#[test]
fn every_single_bit_flip_is_refused() {
    for Kind { name, world, credential, encoded } in every_kind() {
        assert_eq!(outcome(&Bundle::from_bytes(&encoded).unwrap(), credential, &world.trust), Ok(()), "{name}");
        let mut outcomes = BTreeMap::<String, usize>::new();
        for position in 0..encoded.len() * 8 {
            let mut flipped = encoded.clone();
            flipped[position / 8] ^= 1 << (position % 8);
            let outcome = match Bundle::from_bytes(&flipped) {
                Err(_) => "decode error".into(),
                Ok(bundle) => {
                    let verdict = judge(&bundle, &digest(credential), &world.trust, DATES, FRESH).verdict();
                    assert!(matches!(verdict, Verdict::NotGenuine | Verdict::Unchecked), "{name}: bit {position}");
                    let error = verify(&bundle, &digest(credential), &world.trust).unwrap_err();
                    format!("step {:2}, {}", error.step(), verdict.name())
                }
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
        println!("{name}: {} bytes, {} flips", encoded.len(), encoded.len() * 8);
        for (outcome, count) in &outcomes {
            println!("  {count:>6} {outcome}");
        }
    }
}

#[test]
fn every_byte_inserted_or_removed_is_refused() {
    for Kind { name, world, credential, encoded } in every_kind() {
        let refused = |bytes: &[u8], position: usize| {
            let decoded = Bundle::from_bytes(bytes);
            let accepted = decoded.is_ok_and(|bundle| outcome(&bundle, credential, &world.trust).is_ok());
            assert!(!accepted, "{name}: byte {position}");
        };
        for position in 0..encoded.len() {
            let mut shorter = encoded.clone();
            let removed = shorter.remove(position);
            refused(&shorter, position);
            let mut longer = encoded.clone();
            longer.insert(position, removed ^ 1);
            refused(&longer, position);
        }
    }
}

#[test]
fn sections_are_known_once_each_and_fill_their_length() {
    let world = World::new();
    let stamp = world.stamp(0).to_bytes();
    let permission = world.permission_section().to_bytes();
    let decode = |sections: &[(u8, &[u8])]| {
        let mut bytes = stamp.clone();
        bytes.push(sections.len() as u8);
        for (tag, content) in sections {
            bytes.push(*tag);
            bytes.extend_from_slice(&(content.len() as u16).to_le_bytes());
            bytes.extend_from_slice(content);
        }
        StampFile::from_bytes(&bytes)
    };
    assert_eq!(decode(&[]), Ok(world.bundle(0, false).stamp));
    assert_eq!(decode(&[(1, &permission)]), Ok(world.bundle(0, true).stamp));
    let disordered = Err(DecodeError::NonCanonical { field: "section" });
    assert_eq!(decode(&[(1, &permission), (1, &permission)]), disordered);
    assert_eq!(decode(&[(0, &permission)]), disordered);
    for tag in [2, 3, 255] {
        let unknown = Err(DecodeError::UnknownValue { field: "section", value: tag.into() });
        assert_eq!(decode(&[(tag, &[])]), unknown);
        assert_eq!(decode(&[(1, &permission), (tag, &[])]), unknown);
    }
    let longer = [&permission[..], &[0]].concat();
    assert_eq!(decode(&[(1, &longer)]), Err(DecodeError::TrailingBytes { count: 1 }));
    assert!(decode(&[(1, &permission[1..])]).is_err());
}

/// Takes each part of a bundle from one of two, as the bits of `choice` say.
fn spliced(first: &Bundle, second: &Bundle, choice: u32) -> Bundle {
    let mut bundle = first.clone();
    let (to, from) = (&mut bundle.stamp.stamp, second.stamp.stamp.clone());
    let mut parts: [&mut dyn FnMut(); 12] = [
        &mut || bundle.receipt.salt = second.receipt.salt,
        &mut || bundle.receipt.path = second.receipt.path.clone(),
        &mut || to.header = from.header,
        &mut || to.certificate = from.certificate.clone(),
        &mut || to.batch = from.batch,
        &mut || to.batch_path = from.batch_path.clone(),
        &mut || to.institution = from.institution.clone(),
        &mut || to.institution_path = from.institution_path.clone(),
        &mut || to.keys_and_permissions = from.keys_and_permissions,
        &mut || to.status = from.status,
        &mut || to.status_path = from.status_path.clone(),
        &mut || bundle.stamp.permission = second.stamp.permission.clone(),
    ];
    for (bit, part) in parts.iter_mut().enumerate() {
        if choice >> bit & 1 == 1 {
            part();
        }
    }
    bundle
}

/// Two states signed by the same validators at the same height, and several credentials of one batch: whatever is put
/// together from two true bundles verifies only if it is a true bundle itself.
#[test]
fn no_mixture_of_two_true_bundles_verifies() {
    let world = World::new();
    let revoked = batch_change(BatchState::Revoked, StatusReason::Order, by_order(), 1);
    let ended = Setup { batch_status: revoked, compromised: vec![(1, 6)], ..Setup::default() };
    let ended = World::with(Setup { accreditation: PermissionScope::Authorisation, ..ended });
    let pairs = [
        (world.bundle(0, false), ended.bundle(0, false)),
        (world.bundle(0, true), world.bundle(6, true)),
        (world.bundle(6, true), ended.bundle(2, false)),
    ];
    // Every bundle that is true, by what a learner or a node could put together: the section is optional.
    let true_bundles: Vec<Bundle> = [&world, &ended]
        .into_iter()
        .flat_map(|world| {
            (0..CREDENTIALS).flat_map(|credential| [false, true].map(|with| world.bundle(credential, with)))
        })
        .collect();
    for (first, second) in pairs {
        let mut accepted = 0;
        for choice in 0..1 << 12 {
            let bundle = spliced(&first, &second, choice);
            if (0..CREDENTIALS).any(|credential| outcome(&bundle, credential, &world.trust).is_ok()) {
                assert!(true_bundles.contains(&bundle), "{choice:#b}");
                accepted += 1;
            }
        }
        // At least the two themselves; so the test does not pass by refusing everything.
        assert!(accepted >= 2, "{accepted}");
    }
}

#[test]
fn a_bundle_ends_where_it_ends() {
    for Kind { encoded, .. } in every_kind() {
        for length in 0..encoded.len() {
            let error = Bundle::from_bytes(&encoded[..length]).unwrap_err();
            assert!(matches!(error, DecodeError::UnexpectedEnd { .. }), "{length}: {error}");
        }
        for trailing in [0, 0xFF] {
            let error = Bundle::from_bytes(&[&encoded[..], &[trailing]].concat()).unwrap_err();
            assert_eq!(error, DecodeError::TrailingBytes { count: 1 });
        }
    }
}

/// The path with its deepest sibling emptied.
fn hollow(path: &RegisterPath) -> RegisterPath {
    let mut siblings = path.siblings().to_vec();
    siblings[0] = None;
    RegisterPath::new(siblings).unwrap()
}

/// The fixture's trust file with every set narrowed.
fn narrowed(world: &World, narrow: impl Fn(&mut TrustedSet)) -> Trust {
    let mut ledgers = world.trust.ledgers().to_vec();
    ledgers.iter_mut().flat_map(|ledger| &mut ledger.sets).for_each(narrow);
    Trust::new(ledgers).unwrap()
}

fn corrupted(world: &World, credential: usize, corrupt: impl FnOnce(&mut Bundle)) -> Result<(), VerifyError> {
    let mut bundle = world.bundle(credential, true);
    corrupt(&mut bundle);
    let error = outcome(&bundle, credential, &world.trust);
    // What is refused in memory survives its encoding and is refused again.
    let again = Bundle::from_bytes(&bundle.to_bytes()).unwrap();
    assert_eq!(outcome(&again, credential, &world.trust), error);
    error
}

#[test]
fn step_1_a_document_or_receipt_of_another() {
    let world = World::new();
    let error = Err(VerifyError::DocumentChanged);
    let bundle = world.bundle(0, true);
    assert_eq!(outcome(&bundle, 1, &world.trust), error);
    assert_eq!(corrupted(&world, 0, |bundle| bundle.receipt.salt = Salt::new([0; 32])), error);
    assert_eq!(corrupted(&world, 0, |bundle| bundle.receipt.path = world.receipt(1).path), error);
    assert_eq!(corrupted(&world, 0, |bundle| bundle.receipt.batch[7] ^= 1), error);
}

#[test]
fn step_2_a_ledger_that_is_not_listed() {
    let world = World::new();
    assert_eq!(corrupted(&world, 0, |bundle| bundle.ledger[7] ^= 1), Err(VerifyError::UnknownLedger));
    // Two listed ledgers with one tag: which is meant cannot be known.
    let mut ledgers = world.trust.ledgers().to_vec();
    let position = ledgers.iter().position(|ledger| ledger.genesis == world.genesis).unwrap();
    let mut twin = ledgers[position].clone();
    let mut genesis = twin.genesis.get();
    genesis[31] ^= 1;
    twin.genesis = sigeli_verifier::ids::GenesisHash::new(genesis);
    ledgers.push(twin);
    let trust = Trust::new(ledgers).unwrap();
    assert_eq!(outcome(&world.bundle(0, true), 0, &trust), Err(VerifyError::UnknownLedger));
    // A listed neighbour's name on the bundle leads to the neighbour's validators.
    let neighbour =
        *world.trust.ledgers().iter().find(|ledger| ledger.genesis != world.genesis).unwrap().genesis.as_bytes();
    let error = corrupted(&world, 0, |bundle| bundle.ledger.copy_from_slice(&neighbour[..8]));
    assert!(matches!(error, Err(VerifyError::NotConfirmed(CertificateError::NoQuorum { .. }))), "{error:?}");
}

#[test]
fn step_3_a_protocol_version_that_is_not_known() {
    for version in [0, 2, u16::MAX] {
        let world = World::with(Setup { version, ..Setup::default() });
        assert_eq!(outcome(&world.bundle(0, true), 0, &world.trust), Err(VerifyError::UnknownVersion { version }));
    }
}

#[test]
fn step_4_a_height_for_which_no_validators_are_listed() {
    let world = World::new();
    let bundle = world.bundle(0, true);
    let height = Height::new(HEADER_HEIGHT);
    let before = narrowed(&world, |set| set.last_height = Height::new(HEADER_HEIGHT - 1));
    assert_eq!(outcome(&bundle, 0, &before), Err(VerifyError::UnknownValidators { height }));
    let after = narrowed(&world, |set| set.first_height = Height::new(HEADER_HEIGHT + 1));
    assert_eq!(outcome(&bundle, 0, &after), Err(VerifyError::UnknownValidators { height }));
    let exact = narrowed(&world, |set| (set.first_height, set.last_height) = (height, height));
    assert_eq!(outcome(&bundle, 0, &exact), Ok(()));
}

#[test]
fn step_5_a_time_outside_the_range_of_its_validators() {
    let world = World::new();
    let bundle = world.bundle(0, true);
    let height = Height::new(HEADER_HEIGHT);
    let before = narrowed(&world, |set| set.last_time = TimeMs::new(HEADER_TIME - 1));
    assert_eq!(outcome(&bundle, 0, &before), Err(VerifyError::OutsideTrustedTime { height }));
    let after = narrowed(&world, |set| set.first_time = TimeMs::new(HEADER_TIME + 1));
    assert_eq!(outcome(&bundle, 0, &after), Err(VerifyError::OutsideTrustedTime { height }));
    let exact =
        narrowed(&world, |set| (set.first_time, set.last_time) = (TimeMs::new(HEADER_TIME), TimeMs::new(HEADER_TIME)));
    assert_eq!(outcome(&bundle, 0, &exact), Ok(()));
}

#[test]
fn step_6_a_path_of_another_height_than_the_batch() {
    let world = World::with(Setup { batch_height: 5, ..Setup::default() });
    assert_eq!(outcome(&world.bundle(0, true), 0, &world.trust), Err(VerifyError::BatchHeight));
}

#[test]
fn step_7_a_batch_path_of_no_canonical_register() {
    let world = World::new();
    let error = corrupted(&world, 0, |bundle| {
        let stamp = &mut bundle.stamp.stamp;
        stamp.batch_path = hollow(&stamp.batch_path);
    });
    assert_eq!(error, Err(VerifyError::BatchPath(PathError::DeepestSiblingEmpty)));
}

#[test]
fn step_8_a_status_path_of_no_canonical_register() {
    let world = World::new();
    let (empty, other) = world.absences();
    for credential in [empty, other, 4] {
        let error = corrupted(&world, credential, |bundle| {
            let stamp = &mut bundle.stamp.stamp;
            stamp.status_path = hollow(&stamp.status_path);
        });
        assert_eq!(error, Err(VerifyError::StatusPath(PathError::DeepestSiblingEmpty)));
    }
    // A revoked credential whose own entry is passed off as another's.
    let revoked = world.bundle(6, true);
    let key = sigeli_verifier::record::status_key(&sigeli_verifier::verify::handle_of(&revoked, &digest(6)));
    let StatusFinding::Present(record) = revoked.stamp.stamp.status else { panic!("the fixture revokes 6") };
    let value = sigeli_verifier::register::value_hash(&record.to_bytes());
    let error = corrupted(&world, 6, |bundle| {
        bundle.stamp.stamp.status = StatusFinding::Absent(AbsenceTerminal::Other { key, value });
    });
    assert_eq!(error, Err(VerifyError::StatusPath(PathError::SameKey)));
    // Another credential's absence, or its entry from elsewhere in the register.
    let error = corrupted(&world, other, |bundle| {
        let StatusFinding::Absent(AbsenceTerminal::Other { key, .. }) = &mut bundle.stamp.stamp.status else {
            panic!("the fixture shows another entry")
        };
        let mut bytes = key.get();
        bytes[0] ^= 0x80;
        *key = sigeli_verifier::ids::RegisterKey::new(bytes);
    });
    assert_eq!(error, Err(VerifyError::StatusPath(PathError::OffPath)));
}

#[test]
fn step_9_a_permission_section_of_something_else() {
    let world = World::new();
    let error = Err(VerifyError::PermissionSection);
    let section = |change: fn(&mut sigeli_verifier::bundle::PermissionSection)| {
        corrupted(&world, 0, |bundle| change(bundle.stamp.permission.as_mut().unwrap()))
    };
    assert_eq!(section(|section| section.path = hollow(&section.path)), error);
    assert_eq!(section(|section| section.keys = sigeli_verifier::ids::RegisterRoot::EMPTY), error);
    assert_eq!(section(|section| section.record.conditional = true), error);
    assert_eq!(section(|section| section.record.scope = PermissionScope::Authorisation), error);
    // Truly signed, yet not an accreditation.
    let world = World::with(Setup { accreditation: PermissionScope::Authorisation, ..Setup::default() });
    assert_eq!(outcome(&world.bundle(0, true), 0, &world.trust), error);
    assert_eq!(outcome(&world.bundle(0, false), 0, &world.trust), Ok(()));
}

#[test]
fn step_10_an_institution_path_of_no_canonical_register() {
    let world = World::new();
    let error = corrupted(&world, 0, |bundle| {
        let stamp = &mut bundle.stamp.stamp;
        stamp.institution_path = hollow(&stamp.institution_path);
    });
    assert_eq!(error, Err(VerifyError::InstitutionPath(PathError::DeepestSiblingEmpty)));
}

#[test]
fn step_11_signatures_that_do_not_confirm_the_header() {
    let world = World::new();
    let with = |certificate: CommitCertificate| match corrupted(&world, 0, |bundle| {
        bundle.stamp.stamp.certificate = certificate
    }) {
        Err(VerifyError::NotConfirmed(error)) => error,
        other => panic!("{other:?}"),
    };
    let good = world.certificate.clone();
    let changed = |change: fn(&mut Vec<sigeli_verifier::certificate::CommitSignature>)| {
        let mut signatures = good.signatures().to_vec();
        change(&mut signatures);
        CommitCertificate::new(good.round(), signatures).unwrap()
    };
    // A quorum of four is three: more than two thirds.
    assert_eq!(with(world.certificate_by(&[])), CertificateError::NoQuorum { power: 0, total: 4 });
    assert_eq!(with(world.certificate_by(&[1, 2])), CertificateError::NoQuorum { power: 2, total: 4 });
    for signers in [&[0, 1, 2][..], &[1, 2, 3], &[0, 1, 2, 3]] {
        let certificate = world.certificate_by(signers);
        assert_eq!(corrupted(&world, 0, |bundle| bundle.stamp.stamp.certificate = certificate), Ok(()));
    }
    assert_eq!(
        with(changed(|signatures| signatures[2].validator = 4)),
        CertificateError::UnknownValidator { validator: 4 }
    );
    assert_eq!(
        with(changed(|signatures| signatures[1].signature = signatures[0].signature)),
        CertificateError::Signature { validator: 1 }
    );
    // One validator's signature under another's name; a surplus signature that is false.
    assert_eq!(with(changed(|signatures| signatures[2].validator = 2)), CertificateError::Signature { validator: 2 });
    let mut four = world.certificate_by(&[0, 1, 2, 3]).signatures().to_vec();
    four[3].signature = Signature::new([0; 64]);
    let four = CommitCertificate::new(good.round(), four).unwrap();
    assert_eq!(with(four), CertificateError::Signature { validator: 3 });
    // Signatures of another round.
    let round = sigeli_verifier::ids::Round::new(2);
    let other_round = CommitCertificate::new(round, good.signatures().to_vec()).unwrap();
    assert_eq!(with(other_round), CertificateError::Signature { validator: 0 });
}

#[test]
fn step_11_facts_that_the_signed_header_does_not_hold() {
    let world = World::new();
    let not_confirmed = Err(VerifyError::NotConfirmed(CertificateError::Signature { validator: 0 }));
    let change = |credential, change: &dyn Fn(&mut Bundle)| corrupted(&world, credential, change);
    // Another institution's name on the receipt, a better level, a later time, an untrue name.
    assert_eq!(
        change(0, &|bundle| bundle.receipt.institution = sigeli_verifier::ids::InstitutionId::new(2)),
        not_confirmed
    );
    assert_eq!(
        change(0, &|bundle| bundle.stamp.stamp.batch.level = sigeli_verifier::codes::Level::new(7).unwrap()),
        not_confirmed
    );
    assert_eq!(change(0, &|bundle| bundle.stamp.stamp.header.time = TimeMs::new(HEADER_TIME + 1)), not_confirmed);
    assert_eq!(
        change(0, &|bundle| {
            bundle.stamp.stamp.institution.name_en = sigeli_verifier::bounded::Text::new("Another University").unwrap();
        }),
        not_confirmed
    );
    // A revocation turned into an absence, a reinstatement, or another credential's absence.
    assert_eq!(
        change(6, &|bundle| bundle.stamp.stamp.status = StatusFinding::Absent(AbsenceTerminal::Empty)),
        not_confirmed
    );
    assert_eq!(
        change(6, &|bundle| {
            if let StatusFinding::Present(record) = &mut bundle.stamp.stamp.status {
                record.state = StatusState::Reinstated;
            }
        }),
        not_confirmed
    );
    let stamp = world.stamp(0);
    let error = change(6, &|bundle| {
        bundle.stamp.stamp.status = stamp.status;
        bundle.stamp.stamp.status_path = stamp.status_path.clone();
    });
    assert!(matches!(error, Err(VerifyError::NotConfirmed(_) | VerifyError::StatusPath(_))), "{error:?}");
    // A change of the batch turned into its absence, another state, or another writer's.
    let revoked = batch_change(BatchState::Revoked, StatusReason::IssuedInError, by_key(1), 1);
    let ended = World::with(Setup { batch_status: revoked, institution: closed(Day::new(20_500)), ..Setup::default() });
    for better in [
        BatchStatus::Valid,
        batch_change(BatchState::Annulled, StatusReason::IssuedInError, by_key(1), 1),
        batch_change(BatchState::Revoked, StatusReason::IssuedInError, by_order(), 1),
        batch_change(BatchState::Revoked, StatusReason::IssuedInError, by_key(0), 1),
    ] {
        assert_eq!(corrupted(&ended, 0, |bundle| bundle.stamp.stamp.batch.status = better), not_confirmed);
    }
    // A closed institution passed off as active.
    let reopened = |bundle: &mut Bundle| bundle.stamp.stamp.institution.state = InstitutionState::Active;
    assert_eq!(corrupted(&ended, 0, reopened), not_confirmed);
    // A history entry of the status in place of its head: same value, another key, so another root.
    assert_eq!(
        change(5, &|bundle| {
            if let StatusFinding::Present(record) = &mut bundle.stamp.stamp.status {
                record.reason = StatusReason::Unspecified;
            }
        }),
        not_confirmed
    );
}

#[test]
fn step_12_another_header_than_the_pinned_one() {
    let world = World::new();
    let pinned_at = |height: u64, id| {
        let mut ledgers = world.trust.ledgers().to_vec();
        let ledger = ledgers.iter_mut().find(|ledger| ledger.genesis == world.genesis).unwrap();
        ledger.checkpoint = Checkpoint { height: Height::new(height), time: TimeMs::new(HEADER_TIME), id };
        outcome(&world.bundle(0, true), 0, &Trust::new(ledgers).unwrap())
    };
    let id = world.header.id();
    let mut other = id.get();
    other[31] ^= 1;
    let other = BlockId::new(other);
    let height = Height::new(HEADER_HEIGHT);
    assert_eq!(pinned_at(HEADER_HEIGHT, id), Ok(()));
    assert_eq!(pinned_at(HEADER_HEIGHT, other), Err(VerifyError::OtherThanPinned { height }));
    assert_eq!(pinned_at(HEADER_HEIGHT - 1, other), Ok(()));
    assert_eq!(pinned_at(HEADER_HEIGHT + 1, other), Ok(()));
}

#[test]
fn step_13_a_batch_dated_after_its_proof() {
    let later = World::with(Setup { anchored: HEADER_HEIGHT + 1, ..Setup::default() });
    assert_eq!(outcome(&later.bundle(0, true), 0, &later.trust), Err(VerifyError::AnchoredLater));
    let later = World::with(Setup { anchored_time: HEADER_TIME + 1, ..Setup::default() });
    assert_eq!(outcome(&later.bundle(0, true), 0, &later.trust), Err(VerifyError::AnchoredLater));
    let same = Setup { anchored: HEADER_HEIGHT, anchored_time: HEADER_TIME, ..Setup::default() };
    let same = World::with(same);
    assert_eq!(outcome(&same.bundle(0, true), 0, &same.trust), Ok(()));
}

#[test]
fn step_14_a_batch_signed_with_a_key_that_was_compromised_by_then() {
    let anchored = Setup::default().anchored;
    let with = |compromised: Vec<(u16, u64)>| {
        let world = World::with(Setup { compromised, ..Setup::default() });
        outcome(&world.bundle(0, true), 0, &world.trust)
    };
    for from in [0, anchored - 1, anchored] {
        assert_eq!(with(vec![(0, from), (1, 0)]), Err(VerifyError::KeyCompromised { from: Height::new(from) }));
    }
    assert_eq!(with(vec![(0, anchored + 1)]), Ok(()));
    assert_eq!(with(vec![(1, 0)]), Ok(()));
}

#[test]
fn steps_are_numbered_in_order() {
    let height = Height::new(0);
    let path = PathError::SameKey;
    let confirmed = CertificateError::UnknownValidator { validator: 0 };
    let errors = [
        VerifyError::DocumentChanged,
        VerifyError::UnknownLedger,
        VerifyError::UnknownVersion { version: 0 },
        VerifyError::UnknownValidators { height },
        VerifyError::OutsideTrustedTime { height },
        VerifyError::BatchHeight,
        VerifyError::BatchPath(path),
        VerifyError::StatusPath(path),
        VerifyError::PermissionSection,
        VerifyError::InstitutionPath(path),
        VerifyError::NotConfirmed(confirmed),
        VerifyError::OtherThanPinned { height },
        VerifyError::AnchoredLater,
        VerifyError::KeyCompromised { from: height },
    ];
    for (number, error) in (1_u8..).zip(errors) {
        assert_eq!(error.step(), number);
        assert!(error.to_string().starts_with(&format!("step {number}: ")));
    }
}
