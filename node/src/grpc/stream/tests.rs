use std::{future::poll_fn, sync::Arc};

use futures::FutureExt as _;
use tokio::sync::Semaphore;

use super::*;

/// A failure guard, never a measure.
const PATIENCE: Duration = Duration::from_secs(60);
/// Nothing is cut off.
const PATIENT: StreamRules = StreamRules { pause: PATIENCE, time: PATIENCE, over: ErrorCode::StreamEnded };
/// Short enough to wait for, and far from [`PATIENCE`].
const SHORT: Duration = Duration::from_millis(50);

struct Parts {
    writer: StreamWriter<u32>,
    reader: StreamReader<u32>,
    places: Arc<Semaphore>,
    stopping: CancellationToken,
}

fn open(rules: StreamRules) -> Parts {
    let places = Arc::new(Semaphore::new(1));
    let stopping = CancellationToken::new();
    let permit = Arc::clone(&places).try_acquire_owned().expect("there is one");
    let (writer, reader) = stream(rules, stopping.clone(), permit);
    Parts { writer, reader, places, stopping }
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes no longer than anything here should")
}

async fn next(reader: &mut StreamReader<u32>) -> Option<Result<u32, Status>> {
    in_time(poll_fn(|context| Pin::new(&mut *reader).poll_next(context))).await
}

fn code(end: Option<Result<u32, Status>>) -> ErrorCode {
    let status = end.expect("an end is told").expect_err("no message waits");
    detail::error_detail(&status).expect("it is one of ours").code()
}

#[tokio::test]
async fn messages_come_in_order_and_the_end_after_them() {
    let Parts { writer, mut reader, places, .. } = open(PATIENT);
    let writing = tokio::spawn(async move {
        for message in 0..10 {
            writer.put(message).await.expect("it is read");
        }
        writer.finish(Ok(())).await
    });
    for expected in 0..10 {
        assert!(matches!(next(&mut reader).await, Some(Ok(found)) if found == expected));
    }
    assert!(next(&mut reader).await.is_none());
    assert!(next(&mut reader).await.is_none(), "the end stays the end");
    assert!(in_time(writing).await.unwrap().is_ok());
    assert_eq!(places.available_permits(), 1);
}

#[tokio::test]
async fn no_more_messages_wait_than_there_is_room() {
    let Parts { writer, mut reader, .. } = open(PATIENT);
    for message in 0..2 {
        assert_eq!(writer.put(message).now_or_never(), Some(Ok(())));
    }
    let mut third = Box::pin(writer.put(2));
    assert!(third.as_mut().now_or_never().is_none());
    assert!(matches!(next(&mut reader).await, Some(Ok(0))));
    assert_eq!(third.now_or_never(), Some(Ok(())));
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_off_and_its_place_given_back() {
    let Parts { writer, mut reader, places, .. } = open(StreamRules { pause: SHORT, ..PATIENT });
    writer.put(0).await.unwrap();
    writer.put(1).await.unwrap();
    let start = Instant::now();
    assert_eq!(in_time(writer.put(2)).await, Err(CutOff::TooSlow));
    assert!(start.elapsed() >= SHORT);
    assert!(writer.finish(Err(CutOff::TooSlow.into())).await.is_err());
    assert_eq!(places.available_permits(), 1, "although the reader is still there");
    assert_eq!(code(next(&mut reader).await), ErrorCode::ReaderTooSlow);
    assert!(next(&mut reader).await.is_none());
}

#[tokio::test]
async fn a_reader_that_leaves_the_last_messages_is_cut_off_too() {
    let Parts { writer, mut reader, places, .. } = open(StreamRules { pause: SHORT, ..PATIENT });
    writer.put(0).await.unwrap();
    assert!(in_time(writer.finish(Ok(()))).await.is_err());
    assert_eq!(places.available_permits(), 1);
    assert_eq!(code(next(&mut reader).await), ErrorCode::ReaderTooSlow);
}

#[tokio::test]
async fn a_reader_that_goes_on_reading_is_cut_off_when_time_is_up() {
    let Parts { writer, mut reader, places, .. } = open(StreamRules { time: SHORT, ..PATIENT });
    let start = Instant::now();
    let writing = tokio::spawn(async move {
        loop {
            if let Err(reason) = writer.put(0).await {
                return (reason, writer.finish(Err(reason.into())).await.is_err());
            }
            tokio::task::yield_now().await;
        }
    });
    let end = loop {
        match next(&mut reader).await {
            Some(Ok(_)) => {}
            end => break end,
        }
    };
    assert_eq!(code(end), ErrorCode::StreamEnded);
    assert!(start.elapsed() >= SHORT);
    assert_eq!(in_time(writing).await.unwrap(), (CutOff::TimeIsUp, true));
    assert_eq!(places.available_permits(), 1);
}

#[tokio::test]
async fn waiting_for_work_ends_when_the_reader_goes_the_node_stops_or_time_is_up() {
    let never = std::future::pending::<()>;
    let Parts { writer, reader, .. } = open(PATIENT);
    let mut waiting = Box::pin(writer.wait(never()));
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(reader);
    assert_eq!(waiting.now_or_never(), Some(Err(CutOff::Gone)));
    assert_eq!(writer.put(0).now_or_never(), Some(Err(CutOff::Gone)));

    let Parts { writer, mut reader, stopping, .. } = open(PATIENT);
    assert_eq!(writer.wait(std::future::ready(5)).await, Ok(5));
    {
        let mut waiting = Box::pin(writer.wait(never()));
        assert!(waiting.as_mut().now_or_never().is_none());
        stopping.cancel();
        assert_eq!(waiting.now_or_never(), Some(Err(CutOff::Stopping)));
    }
    assert_eq!(writer.put(0).now_or_never(), Some(Err(CutOff::Stopping)));
    assert!(writer.finish(Err(CutOff::Stopping.into())).await.is_err());
    assert_eq!(code(next(&mut reader).await), ErrorCode::NotReady);

    let Parts { writer, reader: _reader, .. } = open(StreamRules { time: SHORT, ..PATIENT });
    let start = Instant::now();
    assert_eq!(in_time(writer.wait(never())).await, Err(CutOff::TimeIsUp));
    assert!(start.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_waiting_reader_hears_of_messages_and_of_the_end() {
    let Parts { writer, mut reader, .. } = open(PATIENT);
    let reading = tokio::spawn(async move { (next(&mut reader).await.map(Result::ok), next(&mut reader).await) });
    tokio::task::yield_now().await;
    writer.put(7).await.unwrap();
    // Until it was taken: a failure would take it back.
    writer.when(|state| state.queue.is_empty()).await.unwrap();
    let failure = StreamFailure::Status(detail::status(ErrorCode::Internal, "a fault"));
    assert!(writer.finish(Err(failure)).await.is_err());
    let (message, end) = in_time(reading).await.unwrap();
    assert_eq!(message, Some(Some(7)));
    assert_eq!(code(end), ErrorCode::Internal);
}

#[tokio::test]
async fn a_writer_that_vanishes_is_told_as_a_fault() {
    let Parts { writer, mut reader, .. } = open(PATIENT);
    writer.put(7).await.unwrap();
    drop(writer);
    assert_eq!(code(next(&mut reader).await), ErrorCode::Internal);
}
