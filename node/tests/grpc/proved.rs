//! Proved answers travel whole: the canonical bytes that the backend found, and plain fields that say the same.

use sigeli_node::grpc::{BackendError, BatchQuery, BatchesQuery, GrpcLimits, PermissionQuery};
use sigeli_proto::{
    plain,
    v1::{self, ErrorCode},
};
use sigeli_verifier::{
    encode::Encode as _,
    ids::{AuthorityId, BatchRoot, BatchSequence, InstitutionId, PermissionId},
    proof::{BatchRange, InstitutionAnswer},
};
use tonic::Code;

use crate::{
    edge::{Edge, assert_refused},
    fake::{self, Call, INSTITUTION},
};

fn institution_bytes() -> Vec<u8> {
    InstitutionAnswer::Present(fake::institution_proof()).to_bytes()
}

fn state() -> Option<v1::StateProof> {
    Some(v1::StateProof { state_proof: fake::state_proof().to_bytes(), height: 42, time_ms: 42_000 })
}

#[tokio::test]
async fn authorities_and_the_state_are_told_with_their_proofs() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;

    let found = client.get_state_proof(v1::GetStateProofRequest {}).await.unwrap().into_inner();
    assert_eq!(Some(found), state());
    assert_eq!(edge.call().await, Call::StateProof);

    let found = client.get_authority(v1::GetAuthorityRequest { authority: 255 }).await.unwrap().into_inner();
    assert_eq!((found.number, found.record.clone()), (255, fake::authority().to_bytes()));
    assert_eq!((found.kind(), found.name_en.as_str(), found.ended), (v1::AuthorityKind::Nceqe, "NCEQE", false));
    assert_eq!((found.sequence, found.threshold, found.keys.len()), (9, 1, 1));
    assert_eq!(found.state, state());
    // Absent (0), nothing there (0), a path of one level: what the fake gives.
    assert_eq!(found.entry_proof[..2], [0, 0]);
    assert_eq!(edge.call().await, Call::Authority(AuthorityId::new(255)));

    let expected = fake::governance();
    let found = client.get_governance(v1::GetGovernanceRequest {}).await.unwrap().into_inner();
    assert_eq!(found.state, state());
    assert_eq!(
        (found.joint_proof, found.policy_proof),
        (expected.joint_proof.to_bytes(), expected.policy_proof.to_bytes())
    );
    assert_eq!((found.authorities.as_slice(), found.sequence), ([1, 2].as_slice(), 3));
    assert_eq!((found.version, found.upgrade_version, found.upgrade_height), (1, 2, 900));
    assert_eq!(found.policy, Some(plain::policy(&expected.policy)));
    assert_eq!(edge.call().await, Call::Governance);
}

#[tokio::test]
async fn an_institution_or_its_absence_is_told_with_its_proof() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;

    let request = v1::GetInstitutionRequest { institution: INSTITUTION };
    let found = client.get_institution(request).await.unwrap().into_inner();
    assert_eq!((found.state, found.institution_proof), (state(), institution_bytes()));
    assert_eq!(found.institution, Some(plain::institution(InstitutionId::new(INSTITUTION), &fake::facts())));
    assert_eq!(edge.call().await, Call::Institution(InstitutionId::new(INSTITUTION)));

    let request = v1::GetInstitutionRequest { institution: INSTITUTION + 1 };
    let found = client.get_institution(request).await.unwrap().into_inner();
    assert_eq!((found.state, found.institution), (state(), None));
    assert_eq!(found.institution_proof[0], 0, "absent");
}

#[tokio::test]
async fn a_permission_is_told_with_its_history() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let request = v1::GetPermissionRequest { institution: INSTITUTION, permission: u32::MAX };
    let found = client.get_permission(request).await.unwrap().into_inner();
    let expected = fake::permission_answer();
    let permission = PermissionId::new(u32::MAX);
    assert_eq!((found.state, found.institution_proof), (state(), institution_bytes()));
    assert_eq!(found.entry_proof, expected.proof.to_bytes());
    assert_eq!(found.permission, Some(plain::permission(permission, &fake::permission())));
    let proofs: Vec<_> = found.changes.iter().map(|change| change.entry_proof.clone()).collect();
    assert_eq!(proofs, expected.changes.iter().map(|(_, proof)| proof.to_bytes()).collect::<Vec<_>>());
    let shown: Vec<_> = found.changes.iter().map(|change| (change.number, change.state())).collect();
    assert_eq!(shown, [(1, v1::PermissionState::Active), (2, v1::PermissionState::Suspended)]);
    let query = PermissionQuery { institution: InstitutionId::new(INSTITUTION), permission };
    assert_eq!(edge.call().await, Call::Permission(query));
}

#[tokio::test]
async fn batches_come_in_proved_pages() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let institution = InstitutionId::new(INSTITUTION);
    let range = |first, last| BatchRange::new(BatchSequence::new(first), BatchSequence::new(last)).unwrap();

    // The smallest numbers stand for the beginning and for the longest page; 300 there are.
    let cases = [
        ((0, 0), range(1, 256), Some(257)),
        ((1, 256), range(1, 256), Some(257)),
        ((44, 256), range(44, 299), Some(300)),
        ((45, 256), range(45, 300), None),
        ((300, 1), range(300, 300), None),
        ((u32::MAX, 256), range(u32::MAX, u32::MAX), None),
    ];
    for ((start, limit), range, next) in cases {
        let request = v1::ListBatchesRequest { institution: INSTITUTION, accreditation: None, start, limit };
        let found = client.list_batches(request).await.unwrap().into_inner();
        assert_eq!((found.total, found.next), (300, next), "from {start}");
        assert_eq!(edge.call().await, Call::Batches(BatchesQuery { institution, accreditation: None, range }));
        assert_eq!((found.state, found.institution_proof), (state(), institution_bytes()));
        let expected = fake::batches_answer(false);
        assert_eq!((found.page, found.tally_proof.len()), (expected.page.to_bytes(), 0));
        assert_eq!(found.batches, [plain::batch(&BatchRoot::new([1; 32]), &fake::batch_record())]);
    }

    let request = v1::ListBatchesRequest { institution: INSTITUTION, accreditation: Some(3), start: 1, limit: 2 };
    let found = client.list_batches(request).await.unwrap().into_inner();
    assert_eq!(found.tally_proof, fake::batches_answer(true).tally.unwrap().to_bytes());
    let accreditation = Some(PermissionId::new(3));
    assert_eq!(edge.call().await, Call::Batches(BatchesQuery { institution, accreditation, range: range(1, 2) }));
}

#[tokio::test]
async fn a_batch_is_told_with_part_of_its_history() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let institution = InstitutionId::new(INSTITUTION);
    let root = BatchRoot::new([1; 32]);
    for ((start, limit), (first, most)) in [((0, 0), (1, 256)), ((2, 1), (2, 1)), ((u32::MAX, 256), (u32::MAX, 256))] {
        let request = v1::GetBatchRequest { institution: INSTITUTION, batch_root: vec![1; 32], start, limit };
        let found = client.get_batch(request).await.unwrap().into_inner();
        let expected = fake::batch_answer();
        assert_eq!((found.state, found.institution_proof), (state(), institution_bytes()));
        assert_eq!(found.entry_proof, expected.proof.to_bytes());
        assert_eq!(found.batch, Some(plain::batch(&root, &fake::batch_record())));
        let [change] = found.changes.as_slice() else { unreachable!("one change: {:?}", found.changes) };
        let (entry, proof) = &expected.changes[0];
        assert_eq!(*change, v1::BatchChange { entry_proof: proof.to_bytes(), ..plain::batch_change(entry) });
        assert_eq!(found.next, Some(3));
        let query = BatchQuery { institution, root, start: first, limit: most };
        assert_eq!(edge.call().await, Call::Batch(query));
    }
}

#[tokio::test]
async fn proved_answers_have_the_backends_errors() {
    let edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    for (error, status, code) in [
        (BackendError::InstitutionNotFound, Code::NotFound, ErrorCode::InstitutionNotFound),
        (BackendError::NotReady, Code::Unavailable, ErrorCode::NotReady),
        (BackendError::Internal, Code::Internal, ErrorCode::Internal),
    ] {
        edge.fake.set_answer(Err(error));
        let request = v1::GetPermissionRequest { institution: INSTITUTION, permission: 1 };
        assert_refused(client.get_permission(request).await, status, code);
        let request = v1::ListBatchesRequest { institution: INSTITUTION, ..v1::ListBatchesRequest::default() };
        assert_refused(client.list_batches(request).await, status, code);
        let request = v1::GetBatchRequest { batch_root: vec![1; 32], ..v1::GetBatchRequest::default() };
        assert_refused(client.get_batch(request).await, status, code);
        assert_refused(client.get_state_proof(v1::GetStateProofRequest {}).await, status, code);
        assert_refused(client.get_governance(v1::GetGovernanceRequest {}).await, status, code);
    }
}
