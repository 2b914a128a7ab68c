//! What is asked is handed on, and what is answered is told, word for word; what cannot be asked is refused.

use std::time::Duration;

use sigeli_ledger::outcome::Rejection;
use sigeli_node::grpc::{
    BackendError, Committed, Created, GrpcLimits, HeaderAt, InstitutionsQuery, KeysQuery, Outcome, PermissionsQuery,
    ProgrammesQuery, StampQuery,
};
use sigeli_proto::{
    limits::{LIST_ENTRIES_MAX, REQUEST_BYTES_MAX},
    v1::{self, ErrorCode, outcome::State},
};
use sigeli_verifier::{
    encode::Encode as _,
    evidence::Evidence,
    ids::{
        BatchRoot, BatchSequence, BlockId, Height, InstitutionId, KeyIndex, PermissionId, ProgrammeId, StatusHandle,
        TimeMs,
    },
    params::TRANSACTION_BYTES_MAX,
};
use tonic::Code;

use crate::{
    edge::{Edge, assert_refused, rejected, stamp_request, submit_request},
    fake::{self, Call, INSTITUTION},
};

#[tokio::test]
async fn transactions_are_handed_on_and_their_outcomes_told() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let id = fake::transaction().id();

    let committed = Outcome::Committed(Committed {
        height: Height::new(12),
        index: 3,
        block: BlockId::new([4; 32]),
        time: TimeMs::new(5),
        created: Created::Batch(BatchSequence::new(6)),
    });
    edge.fake.set_answer(Ok(committed));
    let answer = client.submit(submit_request(1_500)).await.unwrap().into_inner();
    let expected = v1::Committed {
        height: 12,
        index: 3,
        block_id: vec![4; 32],
        time_ms: 5,
        permission: None,
        batch_sequence: Some(6),
    };
    assert_eq!(answer.id, id.get());
    assert_eq!(answer.outcome.unwrap().state, Some(State::Committed(expected)));
    assert_eq!(edge.call().await, Call::Submit(id, Duration::from_millis(1_500)));

    edge.fake.set_answer(Ok(Outcome::Rejected(fake::already_committed())));
    let refusal = rejected(client.submit(submit_request(0)).await.unwrap().into_inner().outcome);
    assert_eq!((refusal.code, refusal.name.as_str(), refusal.first_height), (114, "already_committed", Some(11)));
    assert_eq!(edge.call().await, Call::Submit(id, Duration::ZERO));

    edge.fake.set_answer(Ok(Outcome::Rejected(Rejection::UnknownSender)));
    let request = v1::GetTransactionRequest { id: id.get().to_vec(), wait_ms: 60_000 };
    let refusal = rejected(client.get_transaction(request.clone()).await.unwrap().into_inner().outcome);
    assert_eq!((refusal.name.as_str(), refusal.first_height), ("unknown_sender", None));
    assert_eq!(edge.call().await, Call::Transaction(id, Duration::from_secs(60)));

    for (outcome, state) in
        [(Outcome::Pending, State::Pending(v1::Pending {})), (Outcome::Unknown, State::Unknown(v1::Unknown {}))]
    {
        edge.fake.set_answer(Ok(outcome));
        let answer = client.get_transaction(request.clone()).await.unwrap().into_inner();
        assert_eq!(answer.outcome.unwrap().state, Some(state));
    }
    let granted = Committed {
        height: Height::new(1),
        index: 0,
        block: BlockId::new([4; 32]),
        time: TimeMs::new(5),
        created: Created::Permission(PermissionId::new(8)),
    };
    edge.fake.set_answer(Ok(Outcome::Committed(granted)));
    match client.get_transaction(request).await.unwrap().into_inner().outcome.unwrap().state {
        Some(State::Committed(found)) => assert_eq!((found.permission, found.batch_sequence), (Some(8), None)),
        other => unreachable!("{other:?}"),
    }
    assert_eq!(edge.counters.requests("Submit", Code::Ok), 2);
    assert_eq!(edge.counters.requests("GetTransaction", Code::Ok), 4);
}

#[tokio::test]
async fn what_is_no_transaction_is_rejected_with_its_code_and_not_handed_on() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let mut submit = async |transaction: Vec<u8>| {
        let answer = client.submit(v1::SubmitRequest { transaction, wait_ms: 1_000 }).await;
        answer.map(|answer| (answer.get_ref().id.clone(), rejected(answer.into_inner().outcome)))
    };

    let good = fake::transaction().to_bytes();
    let mut trailing = good.clone();
    trailing.push(0);
    let malformed = [Vec::new(), good[..good.len() - 1].to_vec(), trailing, vec![0; TRANSACTION_BYTES_MAX]];
    for bytes in malformed {
        let (id, refusal) = submit(bytes).await.unwrap();
        assert_eq!((id.len(), refusal.code, refusal.name.as_str()), (0, 100, "malformed"));
    }
    for size in [TRANSACTION_BYTES_MAX + 1, REQUEST_BYTES_MAX - 64] {
        let (id, refusal) = submit(vec![0; size]).await.unwrap();
        assert_eq!((id.len(), refusal.code, refusal.name.as_str()), (0, 101, "too_large"));
        assert!(refusal.message.contains(&size.to_string()), "{}", refusal.message);
    }
    let refused = submit(vec![0; REQUEST_BYTES_MAX + 1]).await.expect_err("the transport refuses what is larger still");
    assert_eq!(refused.code(), Code::OutOfRange);

    edge.fake.set_answer(Ok(Outcome::Rejected(fake::already_committed())));
    let (id, refusal) = submit(good).await.unwrap();
    assert_eq!((id, refusal.code), (fake::transaction().id().get().to_vec(), 114));
    assert_eq!(edge.call().await, Call::Submit(fake::transaction().id(), Duration::from_secs(1)), "the first call");
}

#[tokio::test]
async fn reads_are_asked_and_answered_word_for_word() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;

    let stamp = client.get_stamp(stamp_request()).await.unwrap().into_inner();
    assert_eq!(stamp, v1::StampResponse { stamp: fake::stamp().to_bytes(), height: 41, time_ms: 41_000 });
    let query = StampQuery {
        institution: InstitutionId::new(INSTITUTION),
        root: BatchRoot::new([1; 32]),
        handle: StatusHandle::new([2; 32]),
        with_permission: true,
    };
    assert_eq!(edge.call().await, Call::Stamp(query));

    use v1::get_header_request::At;
    for (at, asked) in
        [(At::Height(42), HeaderAt::Height(Height::new(42))), (At::Latest(v1::Latest {}), HeaderAt::Latest)]
    {
        let header = client.get_header(v1::GetHeaderRequest { at: Some(at) }).await.unwrap().into_inner();
        let (expected, certificate) = (fake::header(), fake::certificate());
        assert_eq!(header.header, expected.to_bytes());
        assert_eq!(header.certificate, certificate.to_bytes());
        assert_eq!(header.block_id, expected.id().get());
        assert_eq!(edge.call().await, Call::Header(asked));
    }

    let status = client.get_node_status(v1::GetNodeStatusRequest {}).await.unwrap().into_inner();
    let expected = v1::NodeStatus {
        name: "nceqe".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        height: 42,
        header_id: fake::header().id().get().to_vec(),
        state_root: vec![4; 32],
        genesis_hash: vec![1; 32],
        peers: 3,
        syncing: true,
        time_ms: 42_000,
        network: v1::NetworkKind::Test.into(),
        mempool_transactions: 5,
    };
    assert_eq!(status, expected);
    assert_eq!(edge.call().await, Call::Status);

    assert_eq!(client.get_genesis(v1::GetGenesisRequest {}).await.unwrap().into_inner().genesis, [6; 100]);
    assert_eq!(edge.call().await, Call::Genesis);

    let validators = client.get_validators(v1::GetValidatorsRequest { height: 43 }).await.unwrap().into_inner();
    assert_eq!(validators.set, fake::validators().to_bytes());
    assert_eq!(edge.call().await, Call::Validators(Height::new(43)));
}

#[tokio::test]
async fn evidence_comes_in_pages_each_behind_the_last_piece_of_the_one_before() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let all: Vec<_> = fake::evidence().iter().map(Evidence::to_file).collect();
    let request = |after: &[u8], limit| v1::ListEvidenceRequest { after: after.to_vec(), limit };
    let page = client.list_evidence(request(&[], 2)).await.unwrap().into_inner();
    assert_eq!((&page.evidence[..], page.more), (&all[..2], true));
    assert_eq!(edge.call().await, Call::Evidence(None, 3));
    let page = client.list_evidence(request(&all[1], 2)).await.unwrap().into_inner();
    assert_eq!((&page.evidence[..], page.more), (&all[2..], false));
    assert_eq!(edge.call().await, Call::Evidence(Some(fake::evidence()[1].id()), 3));
    let page = client.list_evidence(request(&[], 256)).await.unwrap().into_inner();
    assert_eq!((page.evidence.len(), page.more), (3, false));

    let mut damaged = all[1].clone();
    damaged[100] ^= 1;
    for refused in [request(&damaged, 2), request(&[1], 2), request(&[], 257)] {
        let status = client.list_evidence(refused).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let institution = InstitutionId::new(INSTITUTION);

    let request = v1::ListKeysRequest { institution: INSTITUTION, start: 8, limit: 2 };
    let keys = client.list_keys(request).await.unwrap().into_inner();
    let [key] = keys.keys.as_slice() else { unreachable!("one key: {keys:?}") };
    assert_eq!((key.index, key.record.clone(), keys.next), (8, fake::key_record().to_bytes(), Some(9)));
    assert_eq!(edge.call().await, Call::Keys(KeysQuery { institution, start: KeyIndex::new(8), limit: 2 }));

    let request = v1::ListProgrammesRequest { institution: INSTITUTION, start: 4, limit: LIST_ENTRIES_MAX };
    let programmes = client.list_programmes(request).await.unwrap().into_inner();
    let [programme] = programmes.programmes.as_slice() else { unreachable!("one programme: {programmes:?}") };
    assert_eq!((programme.number, programme.record.clone()), (4, fake::programme().to_bytes()));
    assert_eq!(programmes.next, Some(5));
    let query = ProgrammesQuery { institution, start: ProgrammeId::new(4), limit: LIST_ENTRIES_MAX };
    assert_eq!(edge.call().await, Call::Programmes(query));

    let request = v1::ListInstitutionsRequest { start: 6, limit: 1 };
    let institutions = client.list_institutions(request).await.unwrap().into_inner();
    let [found] = institutions.institutions.as_slice() else { unreachable!("one institution: {institutions:?}") };
    assert_eq!((found.number, found.facts.clone()), (6, fake::facts().to_bytes()));
    assert_eq!(institutions.next, Some(u32::MAX));
    let query = InstitutionsQuery { start: InstitutionId::new(6), limit: 1 };
    assert_eq!(edge.call().await, Call::Institutions(query));

    // Numbers begin at 1, and no limit stands for the largest.
    let request = v1::ListPermissionsRequest { institution: INSTITUTION, start: 0, limit: 0 };
    let permissions = client.list_permissions(request).await.unwrap().into_inner();
    let [permission] = permissions.permissions.as_slice() else { unreachable!("one permission: {permissions:?}") };
    assert_eq!((permission.number, permission.record.clone()), (1, fake::permission().to_bytes()));
    assert_eq!(permissions.next, None);
    let query = PermissionsQuery { institution, start: PermissionId::new(1), limit: LIST_ENTRIES_MAX };
    assert_eq!(edge.call().await, Call::Permissions(query));
}

#[tokio::test]
async fn fields_out_of_range_are_refused_before_anything_is_asked() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let (status, code) = (Code::InvalidArgument, ErrorCode::InvalidField);

    for length in [0, 31, 33] {
        let id = vec![1; length];
        assert_refused(
            client.get_transaction(v1::GetTransactionRequest { id: id.clone(), wait_ms: 0 }).await,
            status,
            code,
        );
        let request = v1::GetStampRequest { batch_root: id.clone(), ..stamp_request() };
        assert_refused(client.get_stamp(request).await, status, code);
        let request = v1::GetStampRequest { status_handle: id, ..stamp_request() };
        assert_refused(client.get_stamp(request).await, status, code);
    }
    assert_refused(client.get_header(v1::GetHeaderRequest { at: None }).await, status, code);
    assert_refused(client.get_authority(v1::GetAuthorityRequest { authority: 256 }).await, status, code);
    let request = v1::ListKeysRequest { institution: INSTITUTION, start: 65_536, limit: 0 };
    assert_refused(client.list_keys(request).await, status, code);
    let request = v1::ListKeysRequest { institution: INSTITUTION, start: 0, limit: LIST_ENTRIES_MAX + 1 };
    assert_refused(client.list_keys(request).await, status, code);
    let request = v1::ListPermissionsRequest { institution: INSTITUTION, start: 0, limit: LIST_ENTRIES_MAX + 1 };
    assert_refused(client.list_permissions(request).await, status, code);
    let request = v1::ListProgrammesRequest { institution: INSTITUTION, start: 0, limit: LIST_ENTRIES_MAX + 1 };
    assert_refused(client.list_programmes(request).await, status, code);
    let request = v1::ListInstitutionsRequest { start: 0, limit: LIST_ENTRIES_MAX + 1 };
    assert_refused(client.list_institutions(request).await, status, code);
    let request =
        v1::ListBatchesRequest { institution: INSTITUTION, limit: LIST_ENTRIES_MAX + 1, ..Default::default() };
    assert_refused(client.list_batches(request).await, status, code);
    let batch = v1::GetBatchRequest { institution: INSTITUTION, batch_root: vec![1; 32], start: 0, limit: 0 };
    assert_refused(client.get_batch(v1::GetBatchRequest { limit: 257, ..batch.clone() }).await, status, code);
    assert_refused(client.get_batch(v1::GetBatchRequest { batch_root: vec![1; 31], ..batch }).await, status, code);
    use v1::RegisterKind;
    for (kind, institution) in [
        (0, INSTITUTION),
        (5, INSTITUTION),
        (RegisterKind::Governance.into(), 1),
        (RegisterKind::Institutions.into(), 1),
    ] {
        let request = v1::DownloadRegisterRequest { register: kind, institution };
        assert_refused(client.download_register(request).await, status, code);
    }
    for (prefix_length, prefix_bits) in [(17, 0), (0, 1), (1, 0x4000), (15, 1), (16, 65_536), (256, 0)] {
        let request = v1::DownloadStatusesRequest { institution: INSTITUTION, prefix_length, prefix_bits };
        assert_refused(client.download_statuses(request).await, status, code);
    }
    assert_refused(client.submit(submit_request(60_001)).await, status, ErrorCode::WaitTooLong);
    let request = v1::GetTransactionRequest { id: vec![1; 32], wait_ms: u32::MAX };
    assert_refused(client.get_transaction(request).await, status, ErrorCode::WaitTooLong);

    client.get_genesis(v1::GetGenesisRequest {}).await.unwrap();
    assert_eq!(edge.call().await, Call::Genesis, "the first thing that the backend hears of");
    assert_eq!(edge.counters.requests("ListKeys", Code::InvalidArgument), 2);
}

#[tokio::test]
async fn the_backends_errors_have_stable_codes() {
    let edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    for (error, status, code) in [
        (BackendError::BatchNotFound, Code::NotFound, ErrorCode::BatchNotFound),
        (BackendError::InstitutionNotFound, Code::NotFound, ErrorCode::InstitutionNotFound),
        (BackendError::HeightNotFound, Code::NotFound, ErrorCode::HeightNotFound),
        (BackendError::AuthorityNotFound, Code::NotFound, ErrorCode::AuthorityNotFound),
        (BackendError::Busy, Code::ResourceExhausted, ErrorCode::Busy),
        (BackendError::NotReady, Code::Unavailable, ErrorCode::NotReady),
        (BackendError::Internal, Code::Internal, ErrorCode::Internal),
    ] {
        edge.fake.set_answer(Err(error));
        assert_refused(client.get_stamp(stamp_request()).await, status, code);
        assert_refused(client.submit(submit_request(10)).await, status, code);
        assert_refused(client.get_node_status(v1::GetNodeStatusRequest {}).await, status, code);
    }
}
