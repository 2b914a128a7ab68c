//! The edge's own limits. Those that clients must know (message sizes, longest wait) stand in `sigeli_proto::limits`.

use std::time::Duration;

use sigeli_proto::limits::{REQUEST_BYTES_MAX, WAIT_MAX};

/// How much the edge takes on at once, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcLimits {
    /// Most open connections; further ones are closed at once.
    pub connections: usize,
    /// Most requests of one connection at once; further ones are refused with RESOURCE_EXHAUSTED.
    pub requests_per_connection: usize,
    /// Most streams that a client may open on one connection; announced to it, so that a decent one waits.
    pub streams_per_connection: u32,
    /// Most requests being read and decoded at once, over all connections: bounds memory at this many of the largest.
    pub reading: usize,
    /// Most requests being answered from the ledger's state at once.
    pub queries: usize,
    /// Most requests waiting for a transaction to become final at once.
    pub waits: usize,
    /// Most downloads at once: each occupies a thread and a snapshot of the ledger.
    pub downloads: usize,
    /// Most streams of blocks at once.
    pub block_streams: usize,
    /// Most bytes of a request's headers.
    pub header_bytes: u32,
    /// How long the reader of a stream may leave a message unread.
    pub stream_pause: Duration,
    /// How long a download may last, and so hold a snapshot.
    pub download: Duration,
    /// How long a stream of blocks may last.
    pub block_stream: Duration,
    /// How long an answer from the ledger's state may take, and a wait beyond what the client asked for.
    pub query: Duration,
    /// How long a new connection may take to say that it speaks HTTP.
    pub handshake: Duration,
    /// After how long a connection is asked to close, so that clients spread over nodes again.
    pub connection_age: Duration,
    /// How often a silent connection is asked whether it still lives.
    pub keepalive: Duration,
    /// How long it may take to say yes.
    pub keepalive_answer: Duration,
    /// How long requests under way may take to finish after shutdown was asked for.
    pub drain: Duration,
}

impl Default for GrpcLimits {
    fn default() -> Self {
        Self {
            connections: 512,
            requests_per_connection: 64,
            streams_per_connection: 64,
            reading: 256,
            queries: 64,
            waits: 4_096,
            downloads: 16,
            block_streams: 32,
            header_bytes: 16 * 1_024,
            stream_pause: Duration::from_secs(15),
            download: Duration::from_secs(2 * 60),
            block_stream: Duration::from_secs(10 * 60),
            query: Duration::from_secs(10),
            handshake: Duration::from_secs(5),
            connection_age: Duration::from_secs(30 * 60),
            keepalive: Duration::from_secs(30),
            keepalive_answer: Duration::from_secs(20),
            drain: Duration::from_secs(10),
        }
    }
}

impl GrpcLimits {
    /// The most memory, in bytes, that requests being read can occupy.
    #[must_use]
    pub const fn reading_bytes_max(&self) -> usize {
        self.reading.saturating_mul(REQUEST_BYTES_MAX)
    }

    /// How long any request may take from its first byte to the first byte of its answer.
    #[must_use]
    pub const fn request(&self) -> Duration {
        // Twice: once for reading the request, once for answering it.
        WAIT_MAX.saturating_add(self.query).saturating_add(self.query)
    }

    /// After how long a connection is cut, if it has not closed by itself.
    #[must_use]
    pub const fn connection_end(&self) -> Duration {
        let streams =
            if self.download.as_nanos() > self.block_stream.as_nanos() { self.download } else { self.block_stream };
        // What began when the connection was asked to close may end by itself.
        self.connection_age.saturating_add(self.request()).saturating_add(streams).saturating_add(self.keepalive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_bound_memory_and_outlast_the_longest_wait() {
        let limits = GrpcLimits::default();
        assert!(limits.reading_bytes_max() <= 256 * 1_024 * 1_024);
        assert!(limits.request() > WAIT_MAX + limits.query);
        let longest = limits.request().max(limits.download).max(limits.block_stream);
        assert!(limits.connection_end() > limits.connection_age + longest);
        assert!(limits.stream_pause < limits.download && limits.stream_pause < limits.block_stream);
        assert!(limits.requests_per_connection <= limits.streams_per_connection as usize);
    }
}
