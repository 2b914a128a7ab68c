//! Randomness from the operating system: salts, decoys and the order of leaves.

use std::io;

/// The operating system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random numbers: {source}")]
pub struct EntropyError {
    source: io::Error,
}

/// Bytes fetched from the operating system at a time, so that a large batch does not make a system call per number.
const POOL_BYTES: usize = 4_096;

/// A pool of bytes from the operating system. There is no generator of our own: every byte that is handed out came from
/// there, once.
#[derive(Debug)]
pub(crate) struct Entropy {
    pool: Box<[u8; POOL_BYTES]>,
    used: usize,
}

impl Entropy {
    pub(crate) fn new() -> Self {
        Self { pool: Box::new([0; POOL_BYTES]), used: POOL_BYTES }
    }

    /// `N` random bytes; `N` must not exceed the pool.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], EntropyError> {
        const { assert!(N <= POOL_BYTES, "the pool must hold what is asked for") };
        if POOL_BYTES - self.used < N {
            getrandom::fill(self.pool.as_mut_slice())
                .map_err(|error| EntropyError { source: io::Error::other(error) })?;
            self.used = 0;
        }
        let taken = &mut self.pool[self.used..self.used + N];
        let bytes = (*taken).try_into().expect("a slice of N bytes");
        // A salt that was handed out shall not linger here.
        zeroize::Zeroize::zeroize(taken);
        self.used += N;
        Ok(bytes)
    }

    /// A number below `bound`, each equally likely.
    pub(crate) fn below(&mut self, bound: u32) -> Result<u32, EntropyError> {
        assert!(bound > 0, "there is no number below zero");
        // The largest multiple of the bound: numbers above it would favour small remainders.
        let fair = u32::MAX - u32::MAX % bound;
        loop {
            let number = u32::from_le_bytes(self.bytes()?);
            if number < fair {
                return Ok(number % bound);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_not_handed_out_twice_and_numbers_stay_below_their_bound() {
        let mut entropy = Entropy::new();
        let drawn: std::collections::BTreeSet<[u8; 32]> = (0..1_000).map(|_| entropy.bytes().unwrap()).collect();
        assert_eq!(drawn.len(), 1_000);
        let mut counts = [0_u32; 6];
        for _ in 0..6_000 {
            counts[usize::try_from(entropy.below(6).unwrap()).unwrap()] += 1;
        }
        // 1,000 expected in each, standard deviation 29: ten of them are never reached by a fair source.
        assert!(counts.iter().all(|count| (710..1_290).contains(count)), "{counts:?}");
        assert_eq!(entropy.below(1).unwrap(), 0);
    }
}
