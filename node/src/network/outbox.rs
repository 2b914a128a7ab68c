//! The messages of one channel that wait to be written to one peer: bounded in number and in bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::config::{Channel, ChannelLimits};

/// A queue with one consumer (the peer's writing task) and any number of producers, none of which ever waits.
#[derive(Debug)]
pub(super) struct Outbox {
    channel: Channel,
    messages_max: usize,
    bytes_max: usize,
    queue: Mutex<Queue>,
    ready: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// Whether the peer is connected. A closed queue takes nothing.
    open: bool,
    messages: VecDeque<Arc<[u8]>>,
    /// Sum of the messages' lengths.
    bytes: usize,
}

/// What became of a message given to [`Outbox::push`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits to be sent.
    Queued,
    /// It waits to be sent; this many older ones were dropped for it.
    QueuedInsteadOf(u64),
    /// It was dropped: the queue is full.
    Full,
    /// It was dropped: the peer is not connected.
    Closed,
}

impl Outbox {
    /// A closed, empty queue.
    pub(super) fn new(channel: Channel, limits: &ChannelLimits) -> Self {
        Self {
            channel,
            messages_max: limits.outbox_messages_max,
            bytes_max: limits.outbox_bytes_max,
            queue: Mutex::new(Queue::default()),
            ready: Notify::new(),
        }
    }

    /// Appends a message, which must be within the channel's limit, or drops according to the channel's rule.
    pub(super) fn push(&self, message: Arc<[u8]>) -> Pushed {
        let mut queue = self.lock();
        if !queue.open {
            return Pushed::Closed;
        }
        let mut dropped = 0;
        while queue.messages.len() >= self.messages_max || queue.bytes + message.len() > self.bytes_max {
            if self.channel == Channel::Consensus {
                return Pushed::Full;
            }
            if queue.pop().is_none() {
                return Pushed::Full;
            }
            dropped += 1;
        }
        queue.bytes += message.len();
        queue.messages.push_back(message);
        drop(queue);
        self.ready.notify_one();
        if dropped == 0 { Pushed::Queued } else { Pushed::QueuedInsteadOf(dropped) }
    }

    /// Takes the oldest message, if there is one.
    pub(super) fn try_pop(&self) -> Option<Arc<[u8]>> {
        self.lock().pop()
    }

    /// Takes the oldest message, waiting for one. Loses nothing when cancelled.
    pub(super) async fn pop(&self) -> Arc<[u8]> {
        loop {
            if let Some(message) = self.try_pop() {
                return message;
            }
            self.ready.notified().await;
        }
    }

    /// Accepts messages from now on.
    pub(super) fn open(&self) {
        self.lock().open = true;
    }

    /// Accepts nothing more and discards what waits; returns how many messages that were.
    pub(super) fn close(&self) -> u64 {
        let mut queue = self.lock();
        queue.open = false;
        queue.bytes = 0;
        std::mem::take(&mut queue.messages).len() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No code panics while it holds the lock with the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn pop(&mut self) -> Option<Arc<[u8]>> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.len();
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(channel: Channel) -> Outbox {
        let limits =
            ChannelLimits { message_bytes_max: 10, outbox_messages_max: 3, outbox_bytes_max: 20, inbound_bytes_max: 0 };
        let outbox = Outbox::new(channel, &limits);
        outbox.open();
        outbox
    }

    fn message(byte: u8, length: usize) -> Arc<[u8]> {
        vec![byte; length].into()
    }

    fn drain(outbox: &Outbox) -> Vec<u8> {
        std::iter::from_fn(|| outbox.try_pop()).map(|message| message[0]).collect()
    }

    #[test]
    fn gossip_drops_the_oldest_by_number_and_by_bytes() {
        let outbox = outbox(Channel::Gossip);
        for byte in 1..=3 {
            assert_eq!(outbox.push(message(byte, 1)), Pushed::Queued);
        }
        assert_eq!(outbox.push(message(4, 1)), Pushed::QueuedInsteadOf(1));
        assert_eq!(drain(&outbox), [2, 3, 4]);

        assert_eq!(outbox.push(message(5, 10)), Pushed::Queued);
        assert_eq!(outbox.push(message(6, 10)), Pushed::Queued);
        assert_eq!(outbox.push(message(7, 1)), Pushed::QueuedInsteadOf(1));
        assert_eq!(drain(&outbox), [6, 7]);
    }

    #[test]
    fn consensus_drops_the_newest() {
        let outbox = outbox(Channel::Consensus);
        for byte in 1..=3 {
            assert_eq!(outbox.push(message(byte, 1)), Pushed::Queued);
        }
        assert_eq!(outbox.push(message(4, 1)), Pushed::Full);
        assert_eq!(drain(&outbox), [1, 2, 3]);
        // The room is free again.
        assert_eq!(outbox.push(message(5, 10)), Pushed::Queued);
        assert_eq!(outbox.push(message(6, 10)), Pushed::Queued);
        assert_eq!(outbox.push(message(7, 1)), Pushed::Full);
        assert_eq!(drain(&outbox), [5, 6]);
    }

    #[test]
    fn a_closed_queue_takes_nothing_and_keeps_nothing() {
        let outbox = outbox(Channel::Gossip);
        outbox.push(message(1, 10));
        outbox.push(message(2, 10));
        assert_eq!(outbox.close(), 2);
        assert_eq!(outbox.push(message(3, 1)), Pushed::Closed);
        outbox.open();
        assert_eq!(outbox.try_pop(), None);
        assert_eq!(outbox.push(message(4, 10)), Pushed::Queued);
        assert_eq!(outbox.push(message(5, 10)), Pushed::Queued);
    }
}
