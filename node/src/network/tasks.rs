//! The tasks that move one peer's bytes: one writer per channel, one reader per inbound substream, one server per
//! inbound request. None of them ever waits for another peer.

use std::{io, sync::Arc, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{PeerId, Stream, swarm::ConnectionId};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    task::AbortHandle,
};

use super::{
    config::{Channel, NetworkLimits},
    counters::NetworkCounters,
    frame,
    handle::{NetworkEvent, Responder},
    link::{Link, Payload},
    streams::{OpenError, OpenReply, Protocol},
};

/// Wait before a substream that failed on a live connection is opened again.
const REOPEN_WAIT: Duration = Duration::from_millis(200);
/// A message is written again at most once after its substream failed: a receiver that refuses it must not block
/// those behind it.
const ATTEMPTS_MAX: u32 = 2;

/// Asks the driver for a substream to a peer.
#[derive(Debug)]
pub(super) struct OpenCommand {
    /// To whom.
    pub(super) peer: PeerId,
    /// On this connection, or on the one written to.
    pub(super) connection: Option<ConnectionId>,
    /// For what.
    pub(super) protocol: Protocol,
    /// Dropped if there is no such connection.
    pub(super) reply: OpenReply,
}

/// What every task needs.
#[derive(Debug, Clone)]
pub(super) struct TaskContext {
    /// The peer's link.
    pub(super) link: Arc<Link>,
    /// The limits.
    pub(super) limits: Arc<NetworkLimits>,
    /// The counts.
    pub(super) counters: Arc<NetworkCounters>,
}

/// Ends its task when dropped.
#[derive(Debug)]
pub(super) struct AbortOnDrop(AbortHandle);

impl AbortOnDrop {
    /// Starts a task.
    pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task).abort_handle())
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Opens a substream; `None` if the connection is gone.
pub(super) async fn open_stream(
    commands: &mpsc::Sender<OpenCommand>,
    peer: PeerId,
    connection: Option<ConnectionId>,
    protocol: Protocol,
) -> Option<Result<Stream, OpenError>> {
    let (reply, answer) = oneshot::channel();
    commands.send(OpenCommand { peer, connection, protocol, reply }).await.ok()?;
    answer.await.ok()
}

/// The message a writer holds, and how often it was tried.
struct Unsent {
    message: Arc<[u8]>,
    attempts: u32,
}

/// Writes the messages of one channel to one peer, over whichever connection the driver routes it, until it is aborted.
pub(super) async fn write_channel(context: TaskContext, channel: Channel, commands: mpsc::Sender<OpenCommand>) {
    let mut route = context.link.route.subscribe();
    let mut unsent = None;
    loop {
        let connection = *route.borrow_and_update();
        let write = async {
            let Some(connection) = connection else {
                return std::future::pending().await;
            };
            let protocol = Protocol::OneWay(channel);
            match open_stream(&commands, context.link.peer, Some(connection), protocol).await {
                Some(Ok(stream)) => write_stream(&context, channel, stream, &mut unsent).await,
                Some(Err(error)) => tracing::debug!(peer = %context.link.peer, ?channel, ?error, "no substream"),
                None => {}
            }
            tokio::time::sleep(REOPEN_WAIT).await;
        };
        tokio::select! {
            biased;
            changed = route.changed() => if changed.is_err() { return },
            () = write => {}
        }
        if connection.is_some() && !context.link.is_connected() && unsent.take().is_some() {
            context.counters.channel(channel).dropped_disconnected.increment();
        }
    }
}

/// Writes messages to one substream until it fails. What was not written completely stays in `unsent`.
async fn write_stream(context: &TaskContext, channel: Channel, mut stream: Stream, unsent: &mut Option<Unsent>) {
    let counters = context.counters.channel(channel);
    let outbox = context.link.outbox(channel);
    loop {
        let Unsent { message, attempts } = match unsent.take() {
            Some(unsent) => unsent,
            None => match next_message(outbox.pop(), &mut stream).await {
                Some(message) => Unsent { message, attempts: 0 },
                None => return,
            },
        };
        if attempts == ATTEMPTS_MAX {
            counters.dropped_reset.increment();
            continue;
        }
        // Kept there while it is written, since the driver may cancel this future at any await.
        *unsent = Some(Unsent { message: Arc::clone(&message), attempts: attempts + 1 });
        let written = async {
            frame::write_frame(&mut stream, &message).await?;
            stream.flush().await
        };
        if let Err(error) = written.await {
            tracing::debug!(peer = %context.link.peer, ?channel, %error, "substream failed");
            return;
        }
        *unsent = None;
        counters.messages_sent.increment();
        counters.bytes_sent.add(message.len() as u64);
    }
}

/// The next message to write; `None` once the remote has closed the substream, on which it never sends anything.
async fn next_message(message: impl Future<Output = Arc<[u8]>>, stream: &mut Stream) -> Option<Arc<[u8]>> {
    let mut nothing = [0; 1];
    tokio::select! {
        biased;
        _ = stream.read(&mut nothing) => None,
        message = message => Some(message),
    }
}

/// Reads the messages of one inbound substream and hands them to the application, until the stream ends or misbehaves.
///
/// A consensus message waits for its budget and for the event queue; meanwhile nothing more is read, and the transport
/// slows the sender down. A gossip message waits for its budget only, and is dropped while half the queue is taken.
pub(super) async fn read_channel(
    context: TaskContext,
    channel: Channel,
    mut stream: Stream,
    events: mpsc::Sender<NetworkEvent>,
) {
    if let Err(error) = read_stream(&context, channel, &mut stream, &events).await {
        tracing::debug!(peer = %context.link.peer, ?channel, %error, "inbound substream ended");
    }
}

async fn read_stream(
    context: &TaskContext,
    channel: Channel,
    stream: &mut Stream,
    events: &mpsc::Sender<NetworkEvent>,
) -> io::Result<()> {
    let counters = context.counters.channel(channel);
    let peer = context.link.peer;
    while let Some(length) = frame::read_length(stream).await? {
        if length > context.limits.channel(channel).message_bytes_max {
            counters.oversized_received.increment();
            tracing::warn!(%peer, ?channel, length, "frame above the limit: substream reset");
            return Ok(());
        }
        let cost = length.saturating_add(context.limits.message_overhead_bytes);
        let budget = Arc::clone(context.link.budget(channel));
        let budget = budget.acquire_many_owned(cost).await.expect("budgets are never closed");
        let crowded = || events.capacity() <= events.max_capacity() / 2;
        if channel == Channel::Gossip && crowded() {
            frame::skip_body(stream, length).await?;
            counters.dropped_inbound.increment();
            continue;
        }
        let bytes = Payload::new(frame::read_body(stream, length).await?, budget);
        let event = NetworkEvent::Message { peer, channel, bytes };
        let place = match channel {
            Channel::Gossip => match events.try_reserve() {
                Ok(place) => place,
                Err(_) => {
                    counters.dropped_inbound.increment();
                    continue;
                }
            },
            Channel::Consensus => match events.reserve().await {
                Ok(place) => place,
                Err(_) => return Ok(()), // The application has gone.
            },
        };
        counters.messages_received.increment();
        counters.bytes_received.add(u64::from(length));
        place.send(event);
    }
    Ok(())
}

/// Answers one inbound request, within the request time-out. `_permit` is its place among the peer's requests.
pub(super) async fn serve_request(
    context: TaskContext,
    mut stream: Stream,
    events: mpsc::Sender<NetworkEvent>,
    _permit: OwnedSemaphorePermit,
) {
    let answer = answer_request(&context, &mut stream, &events);
    match tokio::time::timeout(context.limits.request_timeout, answer).await {
        Ok(Ok(true)) => context.counters.requests_served.increment(),
        Ok(Ok(false)) => context.counters.requests_refused.increment(),
        Ok(Err(error)) => tracing::debug!(peer = %context.link.peer, %error, "request failed"),
        Err(_) => {
            context.counters.requests_refused.increment();
            tracing::debug!(peer = %context.link.peer, "request not answered in time");
        }
    }
}

/// Whether a response was sent.
async fn answer_request(
    context: &TaskContext,
    stream: &mut Stream,
    events: &mpsc::Sender<NetworkEvent>,
) -> io::Result<bool> {
    let peer = context.link.peer;
    let Some(length) = frame::read_length(stream).await? else { return Ok(false) };
    if length > context.limits.sync_request_bytes_max {
        tracing::warn!(%peer, length, "request above the limit: substream reset");
        return Ok(false);
    }
    let bytes = frame::read_body(stream, length).await?;
    let (reply, response) = Responder::new(context.limits.sync_response_bytes_max);
    if events.send(NetworkEvent::Request { peer, bytes, reply }).await.is_err() {
        return Ok(false);
    }
    let Ok(response) = response.await else { return Ok(false) };
    frame::write_frame(stream, &response).await?;
    stream.close().await?;
    Ok(true)
}
