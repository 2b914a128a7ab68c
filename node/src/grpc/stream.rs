//! A stream of messages to one reader, bounded in room and in time.
//!
//! What it guarantees: what a stream occupies (its place among the limited number of streams, the messages that wait in
//! it, whatever its writer holds) is given back within [`StreamRules::pause`] once the reader stops reading, within
//! [`StreamRules::time`] in any case, and at once when the reader is gone or the node stops. A reader that is cut off finds
//! the reason as soon as it reads again; it does not find the messages that waited for it.

use std::{
    collections::VecDeque,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use sigeli_proto::{detail, v1::ErrorCode};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::{Instant, sleep_until},
};
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// Most messages that wait for the reader.
const ROOM: usize = 2;

/// How long a stream may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamRules {
    /// How long the reader may leave a message unread.
    pub(super) pause: Duration,
    /// How long the stream may last.
    pub(super) time: Duration,
    /// What the reader is told when it has lasted that long.
    pub(super) over: ErrorCode,
}

/// Why a stream ends before its writer has written everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CutOff {
    /// Nobody reads any more.
    #[error("the reader is gone")]
    Gone,
    /// The reader took nothing for too long.
    #[error("the reader took nothing for too long")]
    TooSlow,
    /// The stream has lasted as long as it may.
    #[error("the stream has lasted as long as it may")]
    TimeIsUp,
    /// The node stops.
    #[error("the node is stopping; try another node")]
    Stopping,
}

struct State<T> {
    queue: VecDeque<T>,
    /// How it ended; `None` while it goes on.
    end: Option<Result<(), Status>>,
    reader: Option<Waker>,
    is_read: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Told when a message was taken, and when the reader is gone.
    taken: Notify,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: Result<(), Status>, keep: bool) {
        let mut state = self.lock();
        if !keep {
            state.queue.clear();
        }
        state.end.get_or_insert(end);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }
}

/// Opens a stream. The permit is given back when the writer is dropped.
pub(super) fn stream<T>(
    rules: StreamRules,
    stopping: CancellationToken,
    permit: OwnedSemaphorePermit,
) -> (StreamWriter<T>, StreamReader<T>) {
    let state = State { queue: VecDeque::with_capacity(ROOM), end: None, reader: None, is_read: true };
    let shared = Arc::new(Shared { state: Mutex::new(state), taken: Notify::new() });
    let end = Instant::now() + rules.time;
    (StreamWriter { shared: Arc::clone(&shared), rules, end, stopping, _permit: permit }, StreamReader { shared })
}

/// The writing end.
pub(super) struct StreamWriter<T> {
    shared: Arc<Shared<T>>,
    rules: StreamRules,
    end: Instant,
    stopping: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl<T> StreamWriter<T> {
    /// Hands a message over, as soon as there is room for it.
    pub(super) async fn put(&self, message: T) -> Result<(), CutOff> {
        let mut message = Some(message);
        self.when(|state| {
            if state.queue.len() < ROOM {
                state.queue.extend(message.take());
            }
            message.is_none()
        })
        .await
    }

    /// Waits for something else than the reader, as long as the stream may go on.
    pub(super) async fn wait<R>(&self, work: impl Future<Output = R>) -> Result<R, CutOff> {
        let mut work = pin!(work);
        loop {
            let taken = self.shared.taken.notified();
            if !self.shared.lock().is_read {
                return Err(CutOff::Gone);
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Err(CutOff::Stopping),
                () = sleep_until(self.end) => return Err(CutOff::TimeIsUp),
                result = &mut work => return Ok(result),
                () = taken => {}
            }
        }
    }

    /// Ends the stream: waits until the reader has taken everything, then tells it how it ended. Returns what it is told.
    pub(super) async fn finish(self, end: Result<(), StreamFailure>) -> Result<(), Status> {
        let end = match end {
            Ok(()) => self.when(|state| state.queue.is_empty()).await.map_err(StreamFailure::CutOff),
            Err(failure) => Err(failure),
        };
        let (told, keep) = match end {
            Ok(()) => (Ok(()), true),
            Err(StreamFailure::CutOff(reason)) => (Err(self.status(reason)), false),
            Err(StreamFailure::Status(status)) => (Err(status), false),
        };
        self.shared.end(told.clone(), keep);
        told
    }

    /// Waits until `is_done` says so, which is asked whenever the reader has taken something.
    async fn when(&self, mut is_done: impl FnMut(&mut State<T>) -> bool) -> Result<(), CutOff> {
        let patience = (Instant::now() + self.rules.pause).min(self.end);
        loop {
            // Hears of all that is told from here on, polled or not.
            let taken = self.shared.taken.notified();
            if self.stopping.is_cancelled() {
                return Err(CutOff::Stopping);
            }
            if Instant::now() >= self.end {
                return Err(CutOff::TimeIsUp);
            }
            {
                let mut state = self.shared.lock();
                if !state.is_read {
                    return Err(CutOff::Gone);
                }
                if is_done(&mut state) {
                    if let Some(reader) = state.reader.take() {
                        reader.wake();
                    }
                    return Ok(());
                }
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Err(CutOff::Stopping),
                () = taken => {}
                () = sleep_until(patience) => {
                    return Err(if patience >= self.end { CutOff::TimeIsUp } else { CutOff::TooSlow });
                }
            }
        }
    }

    fn status(&self, reason: CutOff) -> Status {
        let code = match reason {
            CutOff::Gone => return Status::cancelled(reason.to_string()),
            CutOff::TooSlow => ErrorCode::ReaderTooSlow,
            CutOff::TimeIsUp => self.rules.over,
            CutOff::Stopping => ErrorCode::NotReady,
        };
        detail::status(code, reason.to_string())
    }
}

impl<T> Drop for StreamWriter<T> {
    fn drop(&mut self) {
        // Counts only where nobody has finished it: its task was ended with the runtime, or panicked.
        self.shared.end(Err(detail::status(ErrorCode::Internal, "the stream was abandoned")), false);
    }
}

/// How a stream fails.
#[derive(Debug)]
pub(super) enum StreamFailure {
    /// By the rules that every stream is held to.
    CutOff(CutOff),
    /// Otherwise.
    Status(Status),
}

impl From<CutOff> for StreamFailure {
    fn from(reason: CutOff) -> Self {
        Self::CutOff(reason)
    }
}

/// The reading end: what the transport sends.
pub(super) struct StreamReader<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Stream for StreamReader<T> {
    type Item = Result<T, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.shared.lock();
        if let Some(message) = state.queue.pop_front() {
            drop(state);
            self.shared.taken.notify_waiters();
            return Poll::Ready(Some(Ok(message)));
        }
        match &mut state.end {
            Some(end) => Poll::Ready(std::mem::replace(end, Ok(())).err().map(Err)),
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for StreamReader<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_read = false;
        state.queue.clear();
        drop(state);
        self.shared.taken.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
