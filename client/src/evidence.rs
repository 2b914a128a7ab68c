//! Evidence that a validator signed two messages where it may sign one: gathered from nodes, and judged offline.
//!
//! A piece proves itself: what a node says beside it is not believed. That a node has none proves nothing.

use sigeli_proto::v1;
use sigeli_verifier::{
    evidence::Evidence,
    params::{EVIDENCE_PER_VALIDATOR_MAX, VALIDATORS_MAX},
    trust::{Trust, TrustedLedger},
    validators::Validator,
};

use crate::remote::{Remote, RemoteError};

/// Most pieces that are taken from one node: as many as a node keeps of a full set of validators.
pub const EVIDENCE_MAX: usize = EVIDENCE_PER_VALIDATOR_MAX * VALIDATORS_MAX;

/// What a file of evidence is called: its id and this.
pub const EVIDENCE_SUFFIX: &str = ".evidence";

/// Whom a piece of evidence accuses, as far as the trust file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accused<'a> {
    /// The trust file holds no ledger of this identity.
    UnknownLedger,
    /// On this ledger no validator had the key at that height, or the trust file does not reach it.
    UnknownKey(&'a TrustedLedger),
    /// This validator of this ledger.
    Validator(&'a TrustedLedger, &'a Validator),
}

/// Looks the key up among the validators that the trust file knows for that ledger and height.
#[must_use]
pub fn accused<'a>(evidence: &Evidence, trust: &'a Trust) -> Accused<'a> {
    let known = trust.ledgers().iter().find(|ledger| ledger.genesis == *evidence.genesis());
    let Some(ledger) = known else { return Accused::UnknownLedger };
    let set = ledger.set_at(evidence.slot().height).map(|trusted| trusted.set.validators());
    let validator = set.and_then(|set| set.iter().find(|validator| validator.key == *evidence.key()));
    validator.map_or(Accused::UnknownKey(ledger), |validator| Accused::Validator(ledger, validator))
}

impl Remote {
    /// All evidence that a node has, at most [`EVIDENCE_MAX`] pieces. Each was checked.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn evidence(&self) -> Result<Vec<Evidence>, RemoteError> {
        let mut all = Vec::<Evidence>::new();
        loop {
            let after = all.last().map(Evidence::to_file).unwrap_or_default();
            let request = v1::ListEvidenceRequest { after, limit: 0 };
            let (page, more) = self.evidence_page(request).await?;
            let empty = page.is_empty();
            all.extend(page);
            if !more || empty || all.len() >= EVIDENCE_MAX {
                all.truncate(EVIDENCE_MAX);
                return Ok(all);
            }
        }
    }
}
