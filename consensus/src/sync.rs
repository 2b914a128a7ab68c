//! Catching up: which peer to ask for which blocks. The verification and application of what comes is the driver's.
//!
//! One request is under way at a time. A peer that stalls, answers with nothing, or lies is asked again only when no other
//! peer claims to have the block; a peer whose blocks do not verify is dropped for good. A claimed height is never trusted:
//! it only decides who is asked.

use std::collections::BTreeMap;

use sigeli_verifier::ids::Height;

use crate::params::{PEERS_MAX, SYNC_BLOCKS_MAX};

/// A connected peer: a number that the transport gives, not reused while the node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(u64);

impl Peer {
    /// Wraps the transport's number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The transport's number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A request under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Its number, for the timer.
    pub number: u64,
    /// Who is asked.
    pub peer: Peer,
    /// The first height asked for.
    pub from: Height,
    /// At most how many blocks.
    pub count: u16,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    committed: Height,
    failures: u32,
}

/// Who has what, and what was asked.
#[derive(Debug, Clone, Default)]
pub struct Syncer {
    peers: BTreeMap<Peer, Known>,
    under_way: Option<Request>,
    next_number: u64,
}

impl Syncer {
    /// A peer connected.
    pub fn on_connected(&mut self, peer: Peer) {
        if self.peers.len() < PEERS_MAX {
            self.peers.entry(peer).or_default();
        }
    }

    /// A peer is gone; its request, if any, is void.
    pub fn on_disconnected(&mut self, peer: Peer) {
        self.peers.remove(&peer);
        if self.under_way.is_some_and(|request| request.peer == peer) {
            self.under_way = None;
        }
    }

    /// A connected peer claims to have committed this height.
    pub fn on_claim(&mut self, peer: Peer, committed: Height) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.committed = known.committed.max(committed);
        }
    }

    /// The highest height that any peer claims.
    #[must_use]
    pub fn highest_claim(&self) -> Height {
        self.peers.values().map(|known| known.committed).max().unwrap_or_default()
    }

    /// The request under way.
    #[must_use]
    pub const fn under_way(&self) -> Option<&Request> {
        self.under_way.as_ref()
    }

    /// Starts a request for `from` and what follows; `None` when one is under way or nobody claims to have it.
    ///
    /// Asks the peer with the fewest failures, then the highest claim, then the lowest number.
    pub fn next_request(&mut self, from: Height) -> Option<Request> {
        if self.under_way.is_some() {
            return None;
        }
        let candidates = self.peers.iter().filter(|(_, known)| known.committed >= from);
        let (peer, known) =
            candidates.min_by_key(|(peer, known)| (known.failures, std::cmp::Reverse(known.committed), **peer))?;
        let ahead = known.committed.get().saturating_sub(from.get()).saturating_add(1);
        let count = u16::try_from(ahead).unwrap_or(SYNC_BLOCKS_MAX).min(SYNC_BLOCKS_MAX);
        let request = Request { number: self.next_number, peer: *peer, from, count };
        self.next_number = self.next_number.saturating_add(1);
        self.under_way = Some(request);
        Some(request)
    }

    /// Whether this is the answer to the request under way, which it ends: the right peer and height, not more blocks than
    /// asked for. An empty answer takes the peer's claim back.
    pub fn on_response(&mut self, peer: Peer, from: Height, count: usize) -> bool {
        let expected = |request: &Request| request.peer == peer && request.from == from;
        let Some(request) = self.under_way.filter(expected) else { return false };
        self.under_way = None;
        if count == 0 || count > usize::from(request.count) {
            self.punish(peer, from);
        }
        count <= usize::from(request.count)
    }

    /// The request with this number was not answered in time. Whether it was still under way.
    pub fn on_timeout(&mut self, number: u64) -> bool {
        let Some(request) = self.under_way.filter(|request| request.number == number) else { return false };
        self.under_way = None;
        self.punish(request.peer, request.from);
        true
    }

    fn punish(&mut self, peer: Peer, from: Height) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.failures = known.failures.saturating_add(1);
            known.committed = from.previous().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests;
