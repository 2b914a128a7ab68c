//! Catching up: which peer to ask for which blocks. The verification and application of what comes is the driver's.
//!
//! One request is under way at a time. A claimed height is never trusted: it only decides who is asked. A claim counts as
//! backed up to the height that more than f of the validators' weight claim, so that one liar alone is asked for its
//! inventions only when nobody has anything backed, and not again once it has failed a few times.
//!
//! There is one record per peer, and it outlives the connection: failures are not forgotten by connecting again. The peer
//! with the fewest failures is asked, and among equals the one that was asked longest ago. A peer that stalls, answers with
//! nothing, with too much or with less than it could (a drip) fails; a full answer takes a failure back. A peer whose
//! blocks do not verify is dropped by the driver.

use std::collections::BTreeMap;

use sigeli_verifier::ids::Height;

use crate::params::{PEERS_MAX, SYNC_BLOCKS_MAX, SYNC_BYTES_SOFT_MAX};

/// A peer that failed so often is asked for nothing that is not backed by others.
const UNBACKED_FAILURES_MAX: u32 = 3;

/// A peer: a number that the transport gives, the same each time that it connects while this node runs.
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
    connected: bool,
    /// The validators' weight that speaks through it; 0 for an observer.
    power: u64,
    committed: Height,
    failures: u32,
    /// The number of the last request to it, plus one.
    asked: u64,
}

/// Who has what, and what was asked.
#[derive(Debug, Clone, Default)]
pub struct Syncer {
    peers: BTreeMap<Peer, Known>,
    under_way: Option<Request>,
    next_number: u64,
}

impl Syncer {
    /// A peer connected. When the records are full, one of a peer that is gone makes room.
    pub fn on_connected(&mut self, peer: Peer) {
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&peer) {
            let gone = self.peers.iter().find(|(_, known)| !known.connected).map(|(gone, _)| *gone);
            let Some(gone) = gone else { return };
            self.peers.remove(&gone);
        }
        let known = self.peers.entry(peer).or_default();
        (known.connected, known.committed) = (true, Height::default());
    }

    /// A peer is gone; its request, if any, is void and counts as a failure. What is known of it stays.
    pub fn on_disconnected(&mut self, peer: Peer) {
        if let Some(known) = self.peers.get_mut(&peer) {
            (known.connected, known.committed, known.power) = (false, Height::default(), 0);
        }
        if self.under_way.take_if(|request| request.peer == peer).is_some() {
            self.punish(peer, Height::default());
        }
    }

    /// A connected peer claims to have committed this height; `power` is the weight of the validator that it is.
    pub fn on_claim(&mut self, peer: Peer, committed: Height, power: u64) {
        if let Some(known) = self.peers.get_mut(&peer).filter(|known| known.connected) {
            known.committed = known.committed.max(committed);
            known.power = power;
        }
    }

    /// The highest height that connected peers of more than this weight claim: with f of the validator set, at least one
    /// correct validator has committed it.
    #[must_use]
    pub fn backed_claim(&self, faulty_power_max: u64) -> Height {
        let mut claims: Vec<_> =
            self.peers.values().filter(|known| known.connected).map(|known| (known.committed, known.power)).collect();
        claims.sort_unstable_by_key(|(committed, _)| std::cmp::Reverse(*committed));
        let mut weight = 0_u64;
        for (committed, power) in claims {
            weight = weight.saturating_add(power);
            if weight > faulty_power_max {
                return committed;
            }
        }
        Height::default()
    }

    /// The highest height that any connected peer claims that has not failed too often.
    #[must_use]
    pub fn highest_claim(&self) -> Height {
        let claims = self.peers.values().filter(|known| known.connected && known.failures < UNBACKED_FAILURES_MAX);
        claims.map(|known| known.committed).max().unwrap_or_default()
    }

    /// The request under way.
    #[must_use]
    pub const fn under_way(&self) -> Option<&Request> {
        self.under_way.as_ref()
    }

    /// Whether an answer with blocks from this height on is expected from this peer.
    #[must_use]
    pub fn expects(&self, peer: Peer, from: Height) -> bool {
        self.under_way.is_some_and(|request| request.peer == peer && request.from == from)
    }

    /// Starts a request for `from` and what follows; `None` when one is under way or nobody claims to have it. `backed` is
    /// [`Syncer::backed_claim`].
    pub fn next_request(&mut self, from: Height, backed: Height) -> Option<Request> {
        if self.under_way.is_some() {
            return None;
        }
        let has = |known: &Known| known.connected && known.committed >= from;
        let may = |known: &Known| has(known) && (backed >= from || known.failures < UNBACKED_FAILURES_MAX);
        let candidates = self.peers.iter_mut().filter(|(_, known)| may(known));
        let (peer, known) = candidates.min_by_key(|(peer, known)| (known.failures, known.asked, **peer))?;
        let last = if backed >= from { known.committed.min(backed) } else { known.committed };
        let ahead = last.get().saturating_sub(from.get()).saturating_add(1);
        let count = u16::try_from(ahead).unwrap_or(SYNC_BLOCKS_MAX).min(SYNC_BLOCKS_MAX);
        let request = Request { number: self.next_number, peer: *peer, from, count };
        self.next_number = self.next_number.saturating_add(1);
        known.asked = self.next_number;
        self.under_way = Some(request);
        Some(request)
    }

    /// Whether this is the answer to the request under way, which it ends: the right peer and height, not more blocks than
    /// asked for. `size_bytes` is the answer's size: a long one may hold fewer blocks. An empty answer takes the peer's
    /// claim back.
    pub fn on_response(&mut self, peer: Peer, from: Height, count: usize, size_bytes: usize) -> bool {
        let expected = |request: &mut Request| request.peer == peer && request.from == from;
        let Some(request) = self.under_way.take_if(expected) else { return false };
        let wanted = usize::from(request.count);
        if count == 0 || count > wanted {
            self.punish(peer, from);
        } else if let Some(known) = self.peers.get_mut(&peer) {
            let is_full = count == wanted || size_bytes > SYNC_BYTES_SOFT_MAX;
            known.failures = if is_full { known.failures.saturating_sub(1) } else { known.failures.saturating_add(1) };
        }
        count <= wanted
    }

    /// The request with this number was not answered in time. Whether it was still under way.
    pub fn on_timeout(&mut self, number: u64) -> bool {
        let Some(request) = self.under_way.take_if(|request| request.number == number) else { return false };
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
