//! Connections: how many there may be, and how long each may take to become useful and may last.
//!
//! The transport bounds what happens inside a connection; it bounds neither their number nor one that never speaks, and it
//! leaves accept errors to a busy loop. This module does.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep_until},
};
use tokio_stream::Stream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::counters::GrpcCounters;

/// How long to leave the listener alone after the system failed to accept (out of file descriptors, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How many bytes make a connection useful: HTTP/2's preface has 24, a shorter request of HTTP/1 ends with its sender.
const USEFUL_BYTES: usize = 16;

/// What every connection is held to.
#[derive(Debug, Clone)]
pub(super) struct ConnectionRules {
    /// Most open at once.
    pub(super) connections: usize,
    /// How long one may take to send its first bytes.
    pub(super) handshake: Duration,
    /// How long one may last.
    pub(super) lifetime: Duration,
}

/// The listener as a stream of guarded connections. Dropping it closes the listener.
pub(super) struct Incoming {
    listener: TcpListener,
    rules: ConnectionRules,
    slots: Arc<Semaphore>,
    counters: GrpcCounters,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Incoming {
    pub(super) fn new(listener: TcpListener, rules: ConnectionRules, counters: GrpcCounters) -> Self {
        let slots = Arc::new(Semaphore::new(rules.connections));
        Self { listener, rules, slots, counters, pause: None }
    }

    /// The guarded connection; `None` when there are too many, or it is already gone.
    fn admit(&self, stream: TcpStream) -> Option<Connection> {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            self.counters.on_connection_refused();
            return None;
        };
        stream.set_nodelay(true).ok()?;
        Some(Connection::new(stream, &self.rules, self.counters.clone(), slot))
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.listener.poll_accept(context)) {
                Ok((stream, _)) => {
                    if let Some(connection) = self.admit(stream) {
                        return Poll::Ready(Some(Ok(connection)));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    self.pause = Some(Box::pin(sleep_until(Instant::now() + ACCEPT_PAUSE)));
                }
            }
        }
    }
}

/// One connection. Reading fails once its time is over, which ends it.
pub(super) struct Connection {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    /// Bytes still missing until it counts as useful, and how long it may last from then on.
    unproven: Option<(usize, Duration)>,
    counters: GrpcCounters,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, rules: &ConnectionRules, counters: GrpcCounters, slot: OwnedSemaphorePermit) -> Self {
        counters.on_connection_opened();
        let end = Box::pin(sleep_until(Instant::now() + rules.handshake));
        Self { stream, end, unproven: Some((USEFUL_BYTES, rules.lifetime)), counters, _slot: slot }
    }

    fn on_read(&mut self, count: usize) {
        if let Some((missing, lifetime)) = self.unproven {
            let missing = missing.saturating_sub(count);
            self.unproven = (missing > 0).then_some((missing, lifetime));
            if missing == 0 {
                self.end.as_mut().reset(Instant::now() + lifetime);
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.counters.on_connection_closed();
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the connection's time is over")));
        }
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        self.on_read(buffer.filled().len().saturating_sub(before));
        Poll::Ready(read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}
