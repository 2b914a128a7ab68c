//! A number of bytes that threads share.

use std::sync::{Condvar, Mutex};

/// Bytes that may be in hand at once. Who needs more than all waits until nobody else has any.
#[derive(Debug)]
pub(super) struct Budget {
    bytes_max: u64,
    taken: Mutex<u64>,
    given_back: Condvar,
}

impl Budget {
    pub(super) const fn new(bytes_max: u64) -> Self {
        Self { bytes_max, taken: Mutex::new(0), given_back: Condvar::new() }
    }

    /// Waits for so many bytes, and holds them until the result is dropped.
    pub(super) fn take(&self, bytes: u64) -> Taken<'_> {
        let bytes = bytes.min(self.bytes_max);
        let fits = |taken: &mut u64| taken.saturating_add(bytes) > self.bytes_max;
        let taken = self.taken.lock().expect("nobody panics while holding the count");
        let mut taken = self.given_back.wait_while(taken, fits).expect("nobody panics while holding the count");
        *taken += bytes;
        Taken { budget: self, bytes }
    }
}

/// Bytes of a [`Budget`].
#[derive(Debug)]
pub(super) struct Taken<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.budget.taken.lock().expect("nobody panics while holding the count") -= self.bytes;
        self.budget.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn no_more_than_all_is_in_hand_and_nobody_waits_for_ever() {
        let (budget, in_hand) = (Budget::new(10), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (budget, in_hand) = (&budget, &in_hand);
                scope.spawn(move || {
                    for round in 0..200 {
                        // Up to twice of all, which counts as all.
                        let bytes = (thread * 7 + round * 3) % 21;
                        let _taken = budget.take(bytes);
                        let now = in_hand.fetch_add(bytes.min(10), Ordering::SeqCst) + bytes.min(10);
                        assert!(now <= 10, "{now}");
                        in_hand.fetch_sub(bytes.min(10), Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(*budget.taken.lock().unwrap(), 0);
    }
}
