//! Stamps built from a ledger, judged by the offline verifier.

use sigeli_ledger::{
    prove::{ProveError, Subject, stamp},
    state::View,
};
use sigeli_verifier::{
    batch::{BatchHeight, BatchTree},
    bundle::{Bundle, Receipt, StampFile, StatusFinding, batch_tag, ledger_tag},
    credential::{Profile, document_digest, leaf_commitment, status_handle},
    encode::Encode as _,
    ids::{BatchRoot, DocumentDigest, Height, InstitutionId, Leaf, LeafIndex, Salt, StatusHandle, TimeMs},
    record::StatusState,
    transaction::{BatchAnchor, StatusAction, StatusEntry, StatusReason},
    trust::{Checkpoint, NetworkKind, Trust, TrustedLedger, TrustedSet},
    verify::{VerifyError, verify},
};

use crate::support::*;

/// A credential, its batch, and what its holder keeps.
pub(crate) struct Credential {
    pub(crate) document: DocumentDigest,
    pub(crate) handle: StatusHandle,
    pub(crate) root: BatchRoot,
    pub(crate) receipt: Receipt,
}

fn credentials() -> Vec<Credential> {
    credentials_of(0)
}

/// The 32 credentials of a batch.
pub(crate) fn credentials_of(batch: u8) -> Vec<Credential> {
    let documents: Vec<_> = (0..32_u8).map(|number| document_digest(Profile::Raw, &[batch, number])).collect();
    let salt = |number: usize| Salt::new([u8::try_from(number).unwrap(); 32]);
    let leaves: Vec<Leaf> = documents
        .iter()
        .enumerate()
        .map(|(number, document)| leaf_commitment(Profile::Raw, &salt(number), document))
        .collect();
    let tree = BatchTree::new(&leaves).unwrap();
    let root = tree.root();
    let credential = |(number, document): (usize, &DocumentDigest)| Credential {
        document: *document,
        handle: status_handle(&salt(number), &leaves[number]),
        root,
        receipt: Receipt {
            profile: Profile::Raw,
            salt: salt(number),
            institution: GTU,
            batch: batch_tag(&root),
            path: tree.path(LeafIndex::new(u32::try_from(number).unwrap())).unwrap(),
        },
    };
    documents.iter().enumerate().map(credential).collect()
}

pub(crate) fn trust(world: &World) -> Trust {
    let genesis = world.chain.genesis();
    let head = world.chain.head();
    let set = TrustedSet {
        first_height: Height::new(0),
        last_height: Height::new(u64::MAX),
        first_time: TimeMs::new(0),
        last_time: TimeMs::new(u64::MAX),
        set: world.chain.validators().clone(),
    };
    Trust::new(vec![TrustedLedger {
        genesis: genesis.genesis_hash(),
        kind: NetworkKind::Test,
        name_ka: genesis.document().name_ka.clone(),
        name_en: genesis.document().name_en.clone(),
        checkpoint: Checkpoint { height: head.header.height, time: head.header.time, id: head.id },
        sets: vec![set],
    }])
    .unwrap()
}

fn world_with_batch(credentials: &[Credential]) -> World {
    let mut world = World::founded(policy());
    let anchor = BatchAnchor { root: credentials[0].root, height: BatchHeight::new(5).unwrap(), ..batch(1) };
    world.commit(vec![world.anchor(anchor)]);
    world
}

pub(crate) fn subject(credential: &Credential) -> Subject {
    Subject { institution: GTU, batch: credential.root, handle: credential.handle }
}

pub(crate) fn bundle(world: &World, credential: &Credential, stamp: StampFile) -> Bundle {
    let ledger = ledger_tag(&world.chain.genesis().genesis_hash());
    Bundle { ledger, receipt: credential.receipt.clone(), stamp }
}

fn set_status(world: &mut World, credential: &Credential, action: StatusAction, reason: StatusReason) {
    let snapshot = world.chain.snapshot();
    let written = View::new(&snapshot).status(GTU, &credential.handle).unwrap().map_or(0, |record| record.entries);
    let entry = StatusEntry { handle: credential.handle, entry: written + 1, action, reason, successor: [0; 32] };
    drop(snapshot);
    world.commit(vec![world.statuses(vec![entry])]);
}

#[test]
fn a_stamp_convinces_the_verifier_at_every_height() {
    let credentials = credentials();
    let mut world = world_with_batch(&credentials);
    let check = |world: &World| {
        for credential in &credentials {
            for with_permission in [false, true] {
                let file = stamp(&world.chain.snapshot(), &subject(credential), with_permission).unwrap();
                let bundle = bundle(world, credential, file);
                let trust = trust(world);
                let confirmed = verify(&bundle, &credential.document, &trust).unwrap();
                assert_eq!(confirmed.height, world.chain.head().header.height);
                assert_eq!(confirmed.header, world.chain.head().id);
                assert_eq!((confirmed.confirmed_by, confirmed.validators), (4, 4));
                assert_eq!(confirmed.permission.is_some(), with_permission);
                assert_eq!(confirmed.batch.anchored, Height::new(6));
            }
        }
    };
    check(&world);
    set_status(&mut world, &credentials[3], StatusAction::Revoke, StatusReason::IssuedInError);
    check(&world);
    world.commit(vec![world.anchor(batch(9))]);
    set_status(&mut world, &credentials[5], StatusAction::Suspend, StatusReason::UnderReview);
    check(&world);
}

#[test]
fn a_stamp_tells_the_status() {
    let credentials = credentials();
    let mut world = world_with_batch(&credentials);
    let of = |world: &World, credential: &Credential| {
        let file = stamp(&world.chain.snapshot(), &subject(credential), false).unwrap();
        let bundle = bundle(world, credential, file);
        let trust = trust(world);
        *verify(&bundle, &credential.document, &trust).unwrap().status
    };
    assert!(matches!(of(&world, &credentials[0]), StatusFinding::Absent(_)));
    set_status(&mut world, &credentials[0], StatusAction::Suspend, StatusReason::UnderReview);
    let StatusFinding::Present(record) = of(&world, &credentials[0]) else { panic!("present") };
    assert_eq!((record.state, record.height), (StatusState::Suspended, Height::new(7)));
    assert!(matches!(of(&world, &credentials[1]), StatusFinding::Absent(_)));
    set_status(&mut world, &credentials[0], StatusAction::Reinstate, StatusReason::ReviewEnded);
    let StatusFinding::Present(record) = of(&world, &credentials[0]) else { panic!("present") };
    assert_eq!((record.state, record.entries), (StatusState::Reinstated, 2));
}

#[test]
fn parts_of_two_heights_do_not_fit_together() {
    let credentials = credentials();
    let mut world = world_with_batch(&credentials);
    let old = stamp(&world.chain.snapshot(), &subject(&credentials[0]), false).unwrap();
    set_status(&mut world, &credentials[0], StatusAction::Revoke, StatusReason::IssuedInError);
    let new = stamp(&world.chain.snapshot(), &subject(&credentials[0]), false).unwrap();
    let mut forged = new;
    forged.stamp.status = old.stamp.status;
    forged.stamp.status_path = old.stamp.status_path.clone();
    let trust = trust(&world);
    let bundle = bundle(&world, &credentials[0], forged);
    assert!(matches!(verify(&bundle, &credentials[0].document, &trust), Err(VerifyError::NotConfirmed(_))));
    let mut older = bundle;
    older.stamp = old;
    assert!(verify(&older, &credentials[0].document, &trust).is_ok(), "the older stamp is true of its own height");
}

#[test]
fn what_is_not_there_cannot_be_stamped() {
    let credentials = credentials();
    let empty = World::new(policy());
    let subject = subject(&credentials[0]);
    assert_eq!(stamp(&empty.chain.snapshot(), &subject, false), Err(ProveError::NothingCommitted));
    let world = World::founded(policy());
    assert_eq!(stamp(&world.chain.snapshot(), &subject, false), Err(ProveError::UnknownBatch));
    let institution = InstitutionId::new(8);
    let stranger = Subject { institution, ..subject };
    let expected = ProveError::UnknownInstitution { institution };
    assert_eq!(stamp(&world.chain.snapshot(), &stranger, false), Err(expected));
}

#[test]
fn a_stamp_is_small() {
    let credentials = credentials();
    let world = world_with_batch(&credentials);
    let file = stamp(&world.chain.snapshot(), &subject(&credentials[0]), true).unwrap();
    let bytes = bundle(&world, &credentials[0], file).to_bytes().len();
    assert!(bytes < 2_000, "{bytes}");
}
