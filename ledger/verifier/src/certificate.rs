//! The commit certificate: a quorum of precommits for one block (`docs/protocol.md` §8).

use alloc::vec::Vec;

use crate::{
    crypto::verify_signature,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, put_list},
    ids::{BlockId, GenesisHash, Height, Round, Signature},
    params::VALIDATORS_MAX,
    validators::ValidatorSet,
    vote::{Vote, VoteKind},
};

/// One validator's precommit signature, named by its position in the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitSignature {
    /// Position in the validator set, which is ordered by key.
    pub validator: u8,
    /// The signature over the precommit.
    pub signature: Signature,
}

impl Encode for CommitSignature {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.validator);
        self.signature.encode(out);
    }
}

impl Decode for CommitSignature {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { validator: reader.u8("validator")?, signature: Signature::decode(reader)? })
    }
}

/// The round of the commit and the signatures, in ascending order of validator. Height and block are the header's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitCertificate {
    round: Round,
    signatures: Vec<CommitSignature>,
}

/// Why a certificate does not confirm a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A signer's position lies outside the set.
    #[error("signer {validator} is not in the validator set")]
    UnknownValidator {
        /// The position.
        validator: u8,
    },
    /// A signature does not verify.
    #[error("the signature of validator {validator} does not verify")]
    Signature {
        /// The position.
        validator: u8,
    },
    /// The signers are not a quorum.
    #[error("the signers hold {power} of {total}: not more than two thirds")]
    NoQuorum {
        /// Their weight.
        power: u64,
        /// The weight of the set.
        total: u64,
    },
}

impl CommitCertificate {
    /// Takes signatures in any order; `None` when a validator stands twice or there are too many.
    #[must_use]
    pub fn new(round: Round, mut signatures: Vec<CommitSignature>) -> Option<Self> {
        signatures.sort_by_key(|entry| entry.validator);
        let distinct = signatures.is_sorted_by(|left, right| left.validator < right.validator);
        (distinct && signatures.len() <= VALIDATORS_MAX).then_some(Self { round, signatures })
    }

    /// The round in which the block was committed.
    #[must_use]
    pub const fn round(&self) -> Round {
        self.round
    }

    /// The signatures, in ascending order of validator.
    #[must_use]
    pub fn signatures(&self) -> &[CommitSignature] {
        &self.signatures
    }

    /// Checks every signature, and that the signers are a quorum of `set`. Returns how many signed.
    ///
    /// # Errors
    /// [`CertificateError`], the first in order of signer.
    pub fn verify(
        &self,
        genesis: &GenesisHash,
        height: Height,
        block: BlockId,
        set: &ValidatorSet,
    ) -> Result<usize, CertificateError> {
        let mut power = 0_u64;
        for entry in &self.signatures {
            let validator = set
                .validators()
                .get(usize::from(entry.validator))
                .ok_or(CertificateError::UnknownValidator { validator: entry.validator })?;
            power = power.saturating_add(validator.power.get());
        }
        if !set.is_quorum(power) {
            return Err(CertificateError::NoQuorum { power, total: set.total_power() });
        }
        for entry in &self.signatures {
            let unknown = CertificateError::UnknownValidator { validator: entry.validator };
            let validator = set.validators().get(usize::from(entry.validator)).ok_or(unknown)?;
            let address = validator.address();
            let vote =
                Vote { kind: VoteKind::Precommit, height, round: self.round, block: Some(block), validator: address };
            if !verify_signature(&validator.key, &vote.preimage(genesis), &entry.signature) {
                return Err(CertificateError::Signature { validator: entry.validator });
            }
        }
        Ok(self.signatures.len())
    }
}

impl Encode for CommitCertificate {
    fn encode(&self, out: &mut Vec<u8>) {
        self.round.encode(out);
        put_list(out, &self.signatures);
    }
}

impl Decode for CommitCertificate {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let round = Round::decode(reader)?;
        let signatures = reader.list::<CommitSignature>("commit_signatures", VALIDATORS_MAX)?;
        if !signatures.is_sorted_by(|left, right| left.validator < right.validator) {
            return Err(DecodeError::NonCanonical { field: "commit_signatures" });
        }
        Ok(Self { round, signatures })
    }
}
