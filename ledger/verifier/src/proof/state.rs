//! From the trust file to a confirmed header, its registers' roots, and its transactions.

use super::ProofError;
use crate::{
    block::{Block, HeaderProof},
    certificate::{CertificateError, CommitCertificate},
    encode::fields,
    ids::{BlockId, GenesisHash, Height, StateRoot, TimeMs},
    params::{CLOCK_TOLERANCE_MS, PROTOCOL_VERSION},
    state::StateRoots,
    transaction::SignedTransaction,
    trust::{Checkpoint, TrustedLedger, TrustedSet},
    verdict::Freshness,
};

/// Why a header is not looked at further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderError {
    UnknownVersion { version: u16 },
    UnknownValidators { height: Height },
    OutsideTrustedTime { height: Height },
}

impl From<HeaderError> for ProofError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::UnknownVersion { version } => Self::UnknownVersion { version },
            HeaderError::UnknownValidators { height } => Self::UnknownValidators { height },
            HeaderError::OutsideTrustedTime { height } => Self::OutsideTrustedTime { height },
        }
    }
}

/// The validators whose signatures count for a header: its version is known, the trust file has a set for its height, and
/// its time lies in that set's range (steps 3 to 5 of [`crate::verify`]).
pub(crate) fn trusted_set<'a>(ledger: &'a TrustedLedger, header: &HeaderProof) -> Result<&'a TrustedSet, HeaderError> {
    let HeaderProof { version, height, time, .. } = *header;
    if version != PROTOCOL_VERSION {
        return Err(HeaderError::UnknownVersion { version });
    }
    let trusted = ledger.set_at(height).ok_or(HeaderError::UnknownValidators { height })?;
    if time < trusted.first_time || time > trusted.last_time {
        return Err(HeaderError::OutsideTrustedTime { height });
    }
    Ok(trusted)
}

/// The id of the header with this state root, and how many of `trusted` have signed it: a quorum (step 11 of
/// [`crate::verify`]).
pub(crate) fn confirm_header(
    ledger: &TrustedLedger,
    trusted: &TrustedSet,
    header: &HeaderProof,
    certificate: &CommitCertificate,
    state_root: &StateRoot,
) -> Result<(BlockId, usize), CertificateError> {
    let id = header.id(&ledger.genesis, state_root, &trusted.set.hash());
    let confirmed_by = certificate.verify(&ledger.genesis, header.height, id, &trusted.set)?;
    Ok((id, confirmed_by))
}

/// A header's proof part, the signatures under it, and the roots of its registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateProof {
    /// The header's proof part.
    pub header: HeaderProof,
    /// The quorum's signatures.
    pub certificate: CommitCertificate,
    /// The roots of the registers after this block.
    pub roots: StateRoots,
}

fields!(StateRoots { institutions, batches, governance });
fields!(StateProof { header, certificate, roots });

impl StateProof {
    /// Checks that a quorum has confirmed these roots.
    ///
    /// # Errors
    /// [`ProofError::UnknownVersion`], [`ProofError::UnknownValidators`], [`ProofError::OutsideTrustedTime`],
    /// [`ProofError::NotConfirmed`], [`ProofError::OtherThanPinned`].
    pub fn verify(&self, ledger: &TrustedLedger) -> Result<ConfirmedState, ProofError> {
        let trusted = trusted_set(ledger, &self.header)?;
        let (header, confirmed_by) =
            confirm_header(ledger, trusted, &self.header, &self.certificate, &self.roots.root())
                .map_err(ProofError::NotConfirmed)?;
        check_pinned(ledger, self.header.height, header)?;
        Ok(ConfirmedState {
            genesis: ledger.genesis,
            header,
            height: self.header.height,
            time: self.header.time,
            roots: self.roots,
            confirmed_by,
            validators: trusted.set.validators().len(),
            checkpoint: ledger.checkpoint,
        })
    }
}

fn check_pinned(ledger: &TrustedLedger, height: Height, id: BlockId) -> Result<(), ProofError> {
    if ledger.is_other_than_pinned(height, id) {
        return Err(ProofError::OtherThanPinned { height });
    }
    Ok(())
}

/// Roots of registers that a quorum has confirmed. Made by [`StateProof::verify`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmedState {
    genesis: GenesisHash,
    header: BlockId,
    height: Height,
    time: TimeMs,
    roots: StateRoots,
    confirmed_by: usize,
    validators: usize,
    checkpoint: Checkpoint,
}

impl ConfirmedState {
    /// The ledger.
    #[must_use]
    pub const fn genesis(&self) -> GenesisHash {
        self.genesis
    }

    /// The id of the header.
    #[must_use]
    pub const fn header(&self) -> BlockId {
        self.header
    }

    /// Its height.
    #[must_use]
    pub const fn height(&self) -> Height {
        self.height
    }

    /// Its time: everything proved under it is as of then.
    #[must_use]
    pub const fn time(&self) -> TimeMs {
        self.time
    }

    /// The roots of its registers.
    #[must_use]
    pub const fn roots(&self) -> &StateRoots {
        &self.roots
    }

    /// How many validators have signed it.
    #[must_use]
    pub const fn confirmed_by(&self) -> usize {
        self.confirmed_by
    }

    /// How many validators there are.
    #[must_use]
    pub const fn validators(&self) -> usize {
        self.validators
    }

    /// Whether this state is new enough for the reader: not before the header that the trust file has pinned, and at most
    /// [`Freshness::max_age_ms`] before [`Freshness::at`].
    ///
    /// # Errors
    /// [`ProofError::Stale`]; [`ProofError::ClockBehind`] when the reader's time lies more than
    /// [`CLOCK_TOLERANCE_MS`] before a confirmed one.
    pub fn check_freshness(&self, freshness: Freshness) -> Result<(), ProofError> {
        if self.height < self.checkpoint.height {
            return Err(ProofError::Stale { height: self.height });
        }
        let newest = self.time.max(self.checkpoint.time);
        if freshness.at.get().saturating_add(CLOCK_TOLERANCE_MS) < newest.get() {
            return Err(ProofError::ClockBehind);
        }
        if freshness.at.get().saturating_sub(self.time.get()) > freshness.max_age_ms {
            return Err(ProofError::Stale { height: self.height });
        }
        Ok(())
    }

    /// Whether this state is at least as new as one that the reader has seen before.
    ///
    /// # Errors
    /// [`ProofError::Stale`].
    pub fn check_height(&self, height_min: Height) -> Result<(), ProofError> {
        if self.height < height_min { Err(ProofError::Stale { height: self.height }) } else { Ok(()) }
    }
}

/// A block that a quorum has confirmed. Made by [`verify_block`] alone.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmedBlock<'a> {
    block: &'a Block,
    id: BlockId,
    confirmed_by: usize,
}

impl<'a> ConfirmedBlock<'a> {
    /// The block.
    #[must_use]
    pub const fn block(&self) -> &'a Block {
        self.block
    }

    /// Its transactions, in order of execution.
    #[must_use]
    pub fn transactions(&self) -> &'a [SignedTransaction] {
        &self.block.transactions
    }

    /// Its id. The next block names it as its parent.
    #[must_use]
    pub const fn id(&self) -> BlockId {
        self.id
    }

    /// How many validators have signed it.
    #[must_use]
    pub const fn confirmed_by(&self) -> usize {
        self.confirmed_by
    }
}

/// Checks that a quorum has confirmed a block and that these are its transactions, all of them, in this order. A reader
/// of a stream of blocks asks for heights without a gap; no parent needs to be compared, since each block is confirmed by
/// itself and a quorum confirms one block at each height.
///
/// # Errors
/// [`ProofError::OtherLedger`], those of [`StateProof::verify`], [`ProofError::UnknownValidators`] when the header names
/// other validators than the trust file, [`ProofError::OtherTransactions`].
pub fn verify_block<'a>(
    ledger: &TrustedLedger,
    block: &'a Block,
    certificate: &CommitCertificate,
) -> Result<ConfirmedBlock<'a>, ProofError> {
    let header = &block.header;
    if header.genesis != ledger.genesis {
        return Err(ProofError::OtherLedger);
    }
    let proof = header.proof();
    let trusted = trusted_set(ledger, &proof)?;
    if header.validators != trusted.set.hash() {
        return Err(ProofError::UnknownValidators { height: header.height });
    }
    let (id, confirmed_by) =
        confirm_header(ledger, trusted, &proof, certificate, &header.state_root).map_err(ProofError::NotConfirmed)?;
    check_pinned(ledger, header.height, id)?;
    if !block.has_own_transactions() {
        return Err(ProofError::OtherTransactions);
    }
    Ok(ConfirmedBlock { block, id, confirmed_by })
}
