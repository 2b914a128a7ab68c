//! When to dial a peer again: a fixed schedule that doubles and is bounded, without jitter.

use std::time::Duration;

/// The schedule of one peer: `min`, `2 min`, `4 min`, … up to `max`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// A schedule without failures yet.
    pub(super) const fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, failures: 0 }
    }

    /// The wait after one more failure.
    pub(super) fn next_wait(&mut self) -> Duration {
        let factor = 2u32.checked_pow(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        self.min.checked_mul(factor).map_or(self.max, |wait| wait.min(self.max))
    }

    /// Forgets the failures: a connection has proved stable.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound_and_start_again() {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        let waits: Vec<_> = (0..8).map(|_| backoff.next_wait().as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        for _ in 0..100 {
            assert_eq!(backoff.next_wait(), Duration::from_secs(10));
        }
        backoff.reset();
        assert_eq!(backoff.next_wait(), Duration::from_millis(200));
    }
}
