//! Evidence against validators: kept for good, beside the ledger and apart from it.
//!
//! What a node has seen is its own: two nodes may hold different evidence, and nothing of it is under the state root. Each
//! piece proves itself (`sigeli_verifier::evidence`), whoever hands it out.

use core::{fmt, ops::ControlFlow};
use std::sync::Arc;

use sigeli_ledger::store::StoreError;
use sigeli_verifier::{
    evidence::Evidence,
    ids::{EvidenceId, ValidatorAddress},
    params::EVIDENCE_PER_VALIDATOR_MAX,
    validators::address,
};

use crate::{
    database::{Batch, Database, View},
    rows::{self, Bytes, EvidenceRow},
    snapshot::{RocksReader, corrupt},
    tables::{EvidenceRows, Table},
};

/// Writes evidence.
pub struct EvidenceLog {
    database: Arc<Database>,
}

impl fmt::Debug for EvidenceLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EvidenceLog").finish_non_exhaustive()
    }
}

impl EvidenceLog {
    pub(crate) const fn new(database: Arc<Database>) -> Self {
        Self { database }
    }

    /// Keeps a piece of evidence; durable on return. Returns whether it is new: what is known already is not written
    /// again, and of more than [`EVIDENCE_PER_VALIDATOR_MAX`] against one validator the later are dropped.
    ///
    /// # Errors
    /// [`StoreError`]; the store is dead afterwards.
    pub fn keep(&mut self, evidence: &Evidence) -> Result<bool, StoreError> {
        let _tip = self.database.lock()?;
        let view = self.database.view();
        let validator = address(evidence.key());
        let known = read(&view, (validator, None), |found| found == validator, EVIDENCE_PER_VALIDATOR_MAX)?;
        if known.len() >= EVIDENCE_PER_VALIDATOR_MAX || known.iter().any(|known| known.id() == evidence.id()) {
            return Ok(false);
        }
        let mut batch = Batch::new(&self.database);
        let file = evidence.to_file();
        batch.put::<EvidenceRows>(&(validator, evidence.id()), &EvidenceRow { file: Bytes(&file) })?;
        drop(view);
        self.database.write(batch)?;
        Ok(true)
    }
}

/// A piece of evidence by the validator and by its name, in the order in which [`RocksReader::evidence`] lists them.
pub type EvidencePlace = (ValidatorAddress, Option<EvidenceId>);

/// The order's place of a piece of evidence.
#[must_use]
pub fn evidence_place(evidence: &Evidence) -> EvidencePlace {
    (address(evidence.key()), Some(evidence.id()))
}

impl RocksReader {
    /// At most `limit` pieces of evidence, by validator and then by name, behind `after`; from the first without it.
    ///
    /// # Errors
    /// [`StoreError`]; the store is dead afterwards.
    pub fn evidence(&self, after: Option<EvidencePlace>, limit: usize) -> Result<Vec<Evidence>, StoreError> {
        let from = after.unwrap_or((ValidatorAddress::new([0; 20]), None));
        read(&self.database().view(), from, |_| true, limit)
    }
}

/// Pieces of evidence behind a place, while their validator is one that is wanted.
fn read(
    view: &View<'_>,
    (validator, after): EvidencePlace,
    wanted: impl Fn(ValidatorAddress) -> bool,
    limit: usize,
) -> Result<Vec<Evidence>, StoreError> {
    let after = after.map(|id| EvidenceRows::key(&(validator, id)));
    let from = after.clone().unwrap_or_else(|| validator.get().to_vec());
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    view.scan(EvidenceRows::NAME, &from, None, |key, bytes| {
        if after.as_deref() == Some(key) {
            return Ok(ControlFlow::Continue(()));
        }
        let row: EvidenceRow<'_> = rows::decode(EvidenceRows::NAME, key, bytes)?;
        let evidence = Evidence::read(row.file.0).map_err(|_| corrupt::<EvidenceRows>())?;
        if EvidenceRows::key(&(address(evidence.key()), evidence.id())) != key {
            return Err(corrupt::<EvidenceRows>());
        }
        if !wanted(address(evidence.key())) {
            return Ok(ControlFlow::Break(()));
        }
        found.push(evidence);
        Ok(if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(found)
}
