//! The bare primitives that a bench is put beside in the same run, so that one run tells a ratio whatever the machine and its
//! load.

use std::hint::black_box;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sigeli_verifier::{register::node, vote::VOTE_PREIMAGE_BYTES};

use crate::random::Random;

/// Keys, and signatures by them over messages as long as a vote: Ed25519 without anything of ours around it.
#[derive(Debug)]
pub struct BareSignatures(Vec<(VerifyingKey, [u8; VOTE_PREIMAGE_BYTES], Signature)>);

impl BareSignatures {
    /// This many, each by its own key.
    pub fn draw(count: usize, random: &mut Random) -> Self {
        Self(
            (0..count)
                .map(|_| {
                    let key = SigningKey::from_bytes(&random.bytes());
                    let message = random.bytes();
                    (key.verifying_key(), message, key.sign(&message))
                })
                .collect(),
        )
    }

    /// Verifies them all, strictly. Whether all are right.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the bare primitive is what is measured; its verdict is used by no one"
    )]
    pub fn verify(&self) -> bool {
        self.0.iter().all(|(key, message, signature)| key.verify_strict(black_box(message), signature).is_ok())
    }
}

/// Hashes 64 bytes this many times, each one compression under one of our contexts, in a chain: as a path is folded.
#[must_use]
pub fn bare_compressions(count: u32) -> [u8; 32] {
    let sibling = black_box([7; 32]);
    (0..count).fold(black_box([1; 32]), |hash, _| node(&hash, &sibling))
}
