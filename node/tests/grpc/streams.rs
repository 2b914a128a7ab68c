//! Streams: what they carry, and that no reader can hold one up.

use std::time::Duration;

use sigeli_node::grpc::{
    BackendError, DownloadPart, DownloadQuery, DownloadStart, Drain, GrpcLimits, WholeRegisterQuery,
};
use sigeli_proto::{
    limits::STREAM_MESSAGE_BYTES_MAX,
    v1::{self, ErrorCode, download_part::Part, ledger_client::LedgerClient},
};
use sigeli_verifier::{
    encode::Encode as _,
    ids::{Height, InstitutionId},
    params::REGISTER_VALUE_BYTES_MAX,
    proof::{InstitutionAnswer, PrefixProof, PrefixTerminal, RegisterEntry, RegisterPage},
    register::{AbsenceTerminal, RegisterPath, RegisterPrefix},
};
use tonic::{Code, Status, Streaming, transport::Channel};

use crate::{
    edge::{Edge, PATIENCE, assert_refused, endpoint, in_time},
    fake::{self, Call, Event, INSTITUTION},
};

/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(100);

fn page(entries: u8, value_bytes: usize) -> RegisterPage {
    let mut page = RegisterPage::new();
    for number in 0..entries {
        let entry = RegisterEntry::new(vec![1, number], vec![number; value_bytes]).expect("within its limits");
        page.push(entry).expect("it has room");
    }
    page
}

fn download() -> v1::DownloadRegisterRequest {
    v1::DownloadRegisterRequest { register: v1::RegisterKind::Permissions.into(), institution: INSTITUTION }
}

fn start() -> DownloadPart {
    let institution = Some(fake::institution_proof());
    DownloadPart::Start(Box::new(DownloadStart { state: fake::state_proof(), institution }))
}

/// More than any buffer on the way takes: 64 MiB.
fn endless() -> Vec<DownloadPart> {
    let large = DownloadPart::Page(page(15, REGISTER_VALUE_BYTES_MAX));
    std::iter::once(start()).chain(std::iter::repeat_n(large, 128)).collect()
}

/// Reads a stream to its end: the messages, and the error that ended it.
async fn read<T>(mut stream: Streaming<T>) -> (Vec<T>, Option<Status>) {
    let mut messages = Vec::new();
    loop {
        match in_time(stream.message()).await {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => return (messages, None),
            Err(status) => return (messages, Some(status)),
        }
    }
}

/// A client that takes little before it reads.
async fn narrow(edge: &Edge) -> LedgerClient<Channel> {
    let endpoint = endpoint(edge.address()).initial_stream_window_size(65_535).initial_connection_window_size(65_535);
    LedgerClient::new(endpoint.connect().await.expect("the edge listens")).max_decoding_message_size(1 << 20)
}

async fn entered(edge: &mut Edge, wanted: &Call) {
    loop {
        if edge.event().await == Event::Entered(wanted.clone()) {
            return;
        }
    }
}

/// Waits until a download's backend has let go of everything.
async fn left(edge: &mut Edge) {
    while edge.event().await != Event::Left {}
}

#[tokio::test]
async fn a_register_comes_in_parts() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let pages = [page(3, 10), page(15, REGISTER_VALUE_BYTES_MAX), page(1, 0)];
    let mut parts = vec![start()];
    parts.extend(pages.iter().cloned().map(DownloadPart::Page));
    parts.push(DownloadPart::End { proof: None });
    edge.fake.set_download(parts);

    let (found, end) = read(client.download_register(download()).await.unwrap().into_inner()).await;
    assert!(end.is_none(), "{end:?}");
    let mut found = found.into_iter().map(|part| part.part.unwrap());
    let Some(Part::Start(start)) = found.next() else { unreachable!("it begins with the start") };
    let state = v1::StateProof { state_proof: fake::state_proof().to_bytes(), height: 42, time_ms: 42_000 };
    assert_eq!(start.state, Some(state));
    assert_eq!(start.institution_proof, InstitutionAnswer::Present(fake::institution_proof()).to_bytes());
    for page in pages {
        assert_eq!(found.next(), Some(Part::Page(page.to_bytes())));
    }
    assert_eq!(found.next(), Some(Part::End(v1::DownloadEnd { entry_count: 19, prefix_proof: Vec::new() })));
    assert_eq!(found.next(), None);
    let register = WholeRegisterQuery::Permissions(InstitutionId::new(INSTITUTION));
    assert_eq!(edge.call().await, Call::Download(DownloadQuery::Register(register)));

    for (register, kind, institution) in [
        (WholeRegisterQuery::Institutions, v1::RegisterKind::Institutions, 0),
        (WholeRegisterQuery::Governance, v1::RegisterKind::Governance, 0),
        (WholeRegisterQuery::Keys(InstitutionId::new(9)), v1::RegisterKind::Keys, 9),
    ] {
        let start = DownloadStart { state: fake::state_proof(), institution: None };
        edge.fake.set_download(vec![DownloadPart::Start(Box::new(start))]);
        let request = v1::DownloadRegisterRequest { register: kind.into(), institution };
        let (found, _) = read(client.download_register(request).await.unwrap().into_inner()).await;
        let Some(Part::Start(start)) = found[0].part.clone() else { unreachable!("{found:?}") };
        assert_eq!(start.institution_proof.len(), 0);
        assert_eq!(edge.call().await, Call::Download(DownloadQuery::Register(register)));
    }
    assert_eq!(edge.counters.requests("DownloadRegister", Code::Ok), 4);
}

#[tokio::test]
async fn statuses_come_with_the_proof_of_their_prefix() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let proof = PrefixProof {
        terminal: PrefixTerminal::Absent(AbsenceTerminal::Empty),
        path: RegisterPath::new(Vec::new()).unwrap(),
    };
    edge.fake.set_download(vec![start(), DownloadPart::End { proof: Some(proof.clone()) }]);
    for (prefix_length, prefix_bits) in [(0, 0), (1, 0x8000), (16, 0xffff)] {
        let request = v1::DownloadStatusesRequest { institution: INSTITUTION, prefix_length, prefix_bits };
        let (found, end) = read(client.download_statuses(request).await.unwrap().into_inner()).await;
        assert!(end.is_none(), "{end:?}");
        let last = found.last().unwrap().part.clone();
        assert_eq!(last, Some(Part::End(v1::DownloadEnd { entry_count: 0, prefix_proof: proof.to_bytes() })));
        let (bits, length) = (u16::try_from(prefix_bits).unwrap(), u8::try_from(prefix_length).unwrap());
        let prefix = RegisterPrefix::new(bits, length).unwrap();
        let query = DownloadQuery::Statuses { institution: InstitutionId::new(INSTITUTION), prefix };
        assert_eq!(edge.call().await, Call::Download(query));
    }
}

#[tokio::test]
async fn a_download_that_fails_says_so_and_has_no_end() {
    let edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    for (error, status, code) in [
        (BackendError::InstitutionNotFound, Code::NotFound, ErrorCode::InstitutionNotFound),
        (BackendError::NotReady, Code::Unavailable, ErrorCode::NotReady),
        (BackendError::Internal, Code::Internal, ErrorCode::Internal),
    ] {
        edge.fake.set_answer(Err(error));
        let (_, end) = read(client.download_register(download()).await.unwrap().into_inner()).await;
        assert_refused(end.map_or(Ok(()), Err), status, code);
    }
    assert_eq!(edge.counters.requests("DownloadRegister", Code::NotFound), 1);
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_and_its_place_is_free_again() {
    let mut edge = Edge::start(GrpcLimits { downloads: 1, stream_pause: SHORT, ..GrpcLimits::default() });
    edge.fake.set_download(endless());
    let mut client = narrow(&edge).await;
    let stuck = client.download_register(download()).await.unwrap().into_inner();
    // Nobody reads `stuck`, and yet the backend is let go.
    left(&mut edge).await;
    edge.fake.set_download(vec![start(), DownloadPart::End { proof: None }]);
    let mut other = edge.client().await;
    let found = loop {
        // The place is given back just after the backend has left.
        match other.download_register(download()).await {
            Ok(stream) => break read(stream.into_inner()).await,
            Err(status) => assert_eq!(status.code(), Code::ResourceExhausted),
        }
    };
    assert_eq!((found.0.len(), found.1.is_none()), (2, true), "{:?}", found.1);
    let (_, end) = read(stuck).await;
    assert_refused(end.map_or(Ok(()), Err), Code::Aborted, ErrorCode::ReaderTooSlow);
    assert_eq!(edge.counters.requests("DownloadRegister", Code::Aborted), 1);
}

#[tokio::test]
async fn a_download_ends_when_its_time_is_up() {
    let limits = GrpcLimits { download: SHORT, ..GrpcLimits::default() };
    let mut edge = Edge::start(limits);
    edge.fake.set_download(endless());
    let mut client = narrow(&edge).await;
    let stuck = client.download_register(download()).await.unwrap().into_inner();
    left(&mut edge).await;
    let (_, end) = read(stuck).await;
    assert_refused(end.map_or(Ok(()), Err), Code::DeadlineExceeded, ErrorCode::Timeout);
}

#[tokio::test]
async fn downloads_and_streams_above_their_limits_are_refused_and_do_not_concern_each_other() {
    let mut edge = Edge::start(GrpcLimits { downloads: 1, block_streams: 1, ..GrpcLimits::default() });
    edge.fake.set_download(endless());
    let mut client = narrow(&edge).await;
    let held = client.download_register(download()).await.unwrap();
    assert_refused(client.download_register(download()).await, Code::ResourceExhausted, ErrorCode::Busy);
    let statuses = v1::DownloadStatusesRequest { institution: INSTITUTION, prefix_length: 0, prefix_bits: 0 };
    assert_refused(client.download_statuses(statuses).await, Code::ResourceExhausted, ErrorCode::Busy);

    let follow = v1::StreamBlocksRequest { start_height: 43, follow: true };
    let mut other = edge.client().await;
    let followed = other.stream_blocks(follow).await.expect("blocks have places of their own");
    assert_refused(other.stream_blocks(follow).await, Code::ResourceExhausted, ErrorCode::Busy);
    other.get_genesis(v1::GetGenesisRequest {}).await.expect("queries are not concerned");

    // Whoever goes away gives its place back.
    drop((held, followed));
    edge.fake.set_newest(43);
    while let Err(status) = other.stream_blocks(follow).await {
        assert_eq!(status.code(), Code::ResourceExhausted);
    }
    while let Err(status) = other.download_statuses(statuses).await {
        assert_eq!(status.code(), Code::ResourceExhausted);
    }
    left(&mut edge).await;
}

fn heights(parts: &[v1::BlockPart]) -> Vec<u64> {
    parts.iter().map(|part| part.height).collect()
}

#[tokio::test]
async fn blocks_come_from_any_height_to_the_newest() {
    let edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    edge.fake.set_transactions(vec![fake::transaction(), fake::transaction()]);
    for first in [0, 40, 42] {
        let request = v1::StreamBlocksRequest { start_height: first, follow: false };
        let (found, end) = read(client.stream_blocks(request).await.unwrap().into_inner()).await;
        assert!(end.is_none(), "{end:?}");
        assert_eq!(heights(&found), (first..=42).collect::<Vec<_>>());
        for part in found {
            let expected = fake::block(Height::new(part.height), Vec::new());
            assert_eq!(
                (part.header, part.certificate),
                (expected.block.header.to_bytes(), fake::certificate().to_bytes())
            );
            assert_eq!(part.transactions, vec![fake::transaction().to_bytes(); 2]);
            assert!(part.last);
        }
    }
    let not_there = |start_height, follow| v1::StreamBlocksRequest { start_height, follow };
    for request in [not_there(43, false), not_there(44, true), not_there(u64::MAX, false), not_there(u64::MAX, true)] {
        assert_refused(client.stream_blocks(request).await, Code::NotFound, ErrorCode::HeightNotFound);
    }
}

#[tokio::test]
async fn a_large_block_comes_in_parts_of_at_most_a_mebibyte() {
    let edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let size = fake::transaction().to_bytes().len();
    let count = 3 * 1_024 * 1_024 / size;
    edge.fake.set_transactions(vec![fake::transaction(); count]);
    let request = v1::StreamBlocksRequest { start_height: 42, follow: false };
    let (found, end) = read(client.stream_blocks(request).await.unwrap().into_inner()).await;
    assert!(end.is_none(), "{end:?}");
    assert!(found.len() > 3);
    assert_eq!(found.iter().map(|part| part.transactions.len()).sum::<usize>(), count);
    for (position, part) in found.iter().enumerate() {
        assert!(prost::Message::encoded_len(part) <= STREAM_MESSAGE_BYTES_MAX);
        assert_eq!(part.height, 42);
        assert_eq!(part.header.is_empty(), position != 0);
        assert_eq!(part.certificate.is_empty(), position != 0);
        assert_eq!(part.last, position + 1 == found.len());
    }
}

#[tokio::test]
async fn followers_get_each_block_as_it_is_committed_and_go_on_after_a_reconnect() {
    let mut edge = Edge::start(GrpcLimits::default());
    let mut client = edge.client().await;
    let follow = |start_height| v1::StreamBlocksRequest { start_height, follow: true };
    let mut stream = client.stream_blocks(follow(42)).await.unwrap().into_inner();
    assert_eq!(in_time(stream.message()).await.unwrap().unwrap().height, 42);
    // It waits for the next one, and asks for no block meanwhile.
    entered(&mut edge, &Call::Reached(Height::new(43))).await;
    assert!(edge.events.try_recv().is_err());
    edge.fake.set_newest(45);
    for height in 43..=45 {
        assert_eq!(in_time(stream.message()).await.unwrap().unwrap().height, height);
    }
    entered(&mut edge, &Call::Reached(Height::new(46))).await;
    drop(stream);
    // The wait's future is dropped with the reader.
    left(&mut edge).await;

    let mut again = edge.client().await.stream_blocks(follow(46)).await.unwrap().into_inner();
    edge.fake.set_newest(46);
    assert_eq!(in_time(again.message()).await.unwrap().unwrap().height, 46);
}

#[tokio::test]
async fn a_followers_time_ends_with_a_code_that_says_to_ask_again() {
    let edge = Edge::start(GrpcLimits { block_stream: SHORT, ..GrpcLimits::default() });
    let mut client = edge.client().await;
    let request = v1::StreamBlocksRequest { start_height: 43, follow: true };
    let (found, end) = read(client.stream_blocks(request).await.unwrap().into_inner()).await;
    assert_eq!(found.len(), 0);
    assert_refused(end.map_or(Ok(()), Err), Code::Unavailable, ErrorCode::StreamEnded);
}

#[tokio::test]
async fn a_slow_follower_is_cut_off() {
    let edge = Edge::start(GrpcLimits { stream_pause: SHORT, ..GrpcLimits::default() });
    let size = fake::transaction().to_bytes().len();
    edge.fake.set_transactions(vec![fake::transaction(); 1_024 * 1_024 / size]);
    let mut client = narrow(&edge).await;
    let request = v1::StreamBlocksRequest { start_height: 0, follow: true };
    let stuck = client.stream_blocks(request).await.unwrap().into_inner();
    let cut = async {
        while edge.counters.requests("StreamBlocks", Code::Aborted) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time(cut).await;
    let (found, end) = read(stuck).await;
    assert!(found.len() < 43, "it has lost what waited for it");
    assert_refused(end.map_or(Ok(()), Err), Code::Aborted, ErrorCode::ReaderTooSlow);
}

#[tokio::test]
async fn shutdown_ends_streams_with_a_code() {
    let mut edge = Edge::start(GrpcLimits { drain: PATIENCE, ..GrpcLimits::default() });
    edge.fake.set_download(endless());
    let stuck = narrow(&edge).await.download_register(download()).await.unwrap().into_inner();
    let request = v1::StreamBlocksRequest { start_height: 43, follow: true };
    let waiting = edge.client().await.stream_blocks(request).await.unwrap().into_inner();
    entered(&mut edge, &Call::Reached(Height::new(43))).await;

    edge.shutdown.cancel();
    let (stuck, waiting) = tokio::join!(read(stuck), read(waiting));
    assert_refused(stuck.1.map_or(Ok(()), Err), Code::Unavailable, ErrorCode::NotReady);
    assert_refused(waiting.1.map_or(Ok(()), Err), Code::Unavailable, ErrorCode::NotReady);
    assert_eq!(in_time(edge.server.stopped()).await.unwrap(), Drain::Complete);
}
