//! Proved answers and downloads, each from one snapshot.

use sigeli_ledger::{
    prove::{self, ProveError, RegisterEntries, StatusEntries},
    state::{
        View,
        keys::{Governance, Register},
    },
    store::{Snapshot, StoreError},
};
use sigeli_verifier::{
    decode::Decode,
    encode::Encode as _,
    ids::{AuthorityId, InstitutionId, PermissionId},
    proof::EntryProof,
    record::{BatchStatus, InstitutionFacts},
};

use crate::grpc::{
    AuthorityAnswer, BatchAnswer, BatchQuery, BatchesAnswer, BatchesQuery, CutOff, DownloadPart, DownloadQuery,
    DownloadStart, GovernanceAnswer, InstitutionFound, InstitutionsQuery, Page, Parts, PermissionAnswer,
    PermissionQuery, WholeRegisterQuery,
};

const MISSING: StoreError = StoreError::Corrupt { what: "numbered record (missing)" };

/// Why a download ends early.
#[derive(Debug)]
pub(super) enum Ended {
    /// It cannot be proved.
    Prove(ProveError),
    /// Its reader does not take it.
    CutOff(CutOff),
}

impl From<ProveError> for Ended {
    fn from(error: ProveError) -> Self {
        Self::Prove(error)
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Prove(error.into())
    }
}

impl From<CutOff> for Ended {
    fn from(reason: CutOff) -> Self {
        Self::CutOff(reason)
    }
}

/// The record in a proof of presence.
fn record<T: Decode>(proof: &EntryProof) -> Result<Option<T>, StoreError> {
    match proof {
        EntryProof::Absent(_) => Ok(None),
        EntryProof::Present(present) => {
            let decoded = T::from_bytes(&present.value);
            decoded.map(Some).map_err(|_| StoreError::Corrupt { what: "register entry" })
        }
    }
}

/// A name of an entry in an institution's permissions: the kind, then its numbers.
fn name(kind: u8, permission: PermissionId) -> Vec<u8> {
    let mut name = vec![kind];
    permission.encode(&mut name);
    name
}

pub(super) fn authority<S: Snapshot>(
    snapshot: &S,
    authority: AuthorityId,
) -> Result<Option<AuthorityAnswer>, ProveError> {
    let Some(record) = View::new(snapshot).authority(authority)? else { return Ok(None) };
    let proof = match prove::state_proof(snapshot) {
        Ok(state) => {
            let name = Governance::Authority(authority).name();
            Some((state, prove::entry(snapshot, Register::Governance, &name)?))
        }
        // Genesis is signed by nobody: whoever trusts it has its document.
        Err(ProveError::NothingCommitted) => None,
        Err(error) => return Err(error),
    };
    Ok(Some(AuthorityAnswer { record, proof }))
}

pub(super) fn governance<S: Snapshot>(snapshot: &S) -> Result<GovernanceAnswer, ProveError> {
    let joint_proof = prove::entry(snapshot, Register::Governance, &Governance::Joint.name())?;
    let policy_proof = prove::entry(snapshot, Register::Governance, &Governance::Policy.name())?;
    Ok(GovernanceAnswer {
        state: prove::state_proof(snapshot)?,
        joint: record(&joint_proof)?.ok_or(MISSING)?,
        joint_proof,
        policy: record(&policy_proof)?.ok_or(MISSING)?,
        policy_proof,
    })
}

pub(super) fn institution<S: Snapshot>(
    snapshot: &S,
    institution: InstitutionId,
) -> Result<InstitutionFound, ProveError> {
    Ok(InstitutionFound {
        state: prove::state_proof(snapshot)?,
        answer: prove::institution_answer(snapshot, institution)?,
    })
}

pub(super) fn institutions<S: Snapshot>(
    snapshot: &S,
    query: InstitutionsQuery,
) -> Result<Page<InstitutionId, InstitutionFacts>, StoreError> {
    let InstitutionsQuery { start, limit } = query;
    let corrupt = || StoreError::Corrupt { what: "institution" };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let from = sigeli_ledger::state::keys::institution(start);
    let rows = snapshot.state_range(b"i", &from, limit.saturating_add(1))?;
    let mut entries = Vec::with_capacity(rows.len());
    for (key, row) in rows {
        let number = key.get(1..).and_then(|number| number.try_into().ok()).ok_or_else(corrupt)?;
        let institution = sigeli_ledger::state::Institution::from_bytes(&row).map_err(|_| corrupt())?;
        entries.push((InstitutionId::new(u32::from_be_bytes(number)), institution.facts));
    }
    let next = (entries.len() > limit).then(|| entries.pop()).flatten().map(|(number, _)| number);
    Ok(Page { entries, next })
}

pub(super) fn permission<S: Snapshot>(snapshot: &S, query: PermissionQuery) -> Result<PermissionAnswer, ProveError> {
    let PermissionQuery { institution, permission } = query;
    let register = Register::Permissions(institution);
    let state = prove::state_proof(snapshot)?;
    let institution = prove::institution_proof(snapshot, institution)?;
    let proof = prove::entry(snapshot, register, &name(1, permission))?;
    let found: Option<sigeli_verifier::record::PermissionRecord> = record(&proof)?;
    let count = found.as_ref().map_or(0, |record| record.entries);
    let mut changes = Vec::new();
    for number in 1..=count {
        let mut name = name(3, permission);
        number.encode(&mut name);
        let proof = prove::entry(snapshot, register, &name)?;
        changes.push((record(&proof)?.ok_or(MISSING)?, proof));
    }
    Ok(PermissionAnswer { state, institution, record: found, proof, changes })
}

pub(super) fn batches<S: Snapshot>(snapshot: &S, query: BatchesQuery) -> Result<BatchesAnswer, ProveError> {
    let state = prove::state_proof(snapshot)?;
    let institution = prove::institution_proof(snapshot, query.institution)?;
    let (tally, total, page) = match query.accreditation {
        None => {
            let page = prove::batch_page(snapshot, query.institution, query.range)?;
            (None, institution.facts.batches, page)
        }
        Some(accreditation) => {
            let found = prove::accreditation_page(snapshot, query.institution, accreditation, query.range)?;
            let total = record(&found.tally)?.unwrap_or(0);
            (Some(found.tally), total, found.page)
        }
    };
    Ok(BatchesAnswer { state, institution, tally, total, page })
}

pub(super) fn batch<S: Snapshot>(snapshot: &S, query: BatchQuery) -> Result<BatchAnswer, ProveError> {
    let mut name = query.institution.to_bytes();
    query.root.encode(&mut name);
    let state = prove::state_proof(snapshot)?;
    let institution = prove::institution_proof(snapshot, query.institution)?;
    let proof = prove::entry(snapshot, Register::Batches, &name)?;
    let found: Option<sigeli_verifier::record::BatchRecord> = record(&proof)?;
    let count = match found.as_ref().map(|record| &record.status) {
        None | Some(BatchStatus::Valid) => 0,
        Some(BatchStatus::Changed(change)) => change.entries,
    };
    let end = count.saturating_add(1);
    let stop = query.start.saturating_add(query.limit).min(end);
    let mut changes = Vec::new();
    for number in query.start..stop {
        let mut name = name.clone();
        number.encode(&mut name);
        let proof = prove::entry(snapshot, Register::Batches, &name)?;
        changes.push((record(&proof)?.ok_or(MISSING)?, proof));
    }
    let next = (stop < end).then_some(stop);
    Ok(BatchAnswer { state, institution, record: found, proof, changes, next })
}

pub(super) fn download<S: Snapshot>(snapshot: &S, query: DownloadQuery, parts: &mut Parts) -> Result<(), Ended> {
    let state = prove::state_proof(snapshot)?;
    match query {
        DownloadQuery::Register(register) => {
            let (register, institution) = match register {
                WholeRegisterQuery::Institutions => (Register::Institutions, None),
                WholeRegisterQuery::Governance => (Register::Governance, None),
                WholeRegisterQuery::Keys(institution) => (Register::Keys(institution), Some(institution)),
                WholeRegisterQuery::Permissions(institution) => (Register::Permissions(institution), Some(institution)),
            };
            let institution = institution.map(|number| prove::institution_proof(snapshot, number)).transpose()?;
            parts.put(DownloadPart::Start(Box::new(DownloadStart { state, institution })))?;
            let mut entries = RegisterEntries::new(snapshot, register);
            while let Some(page) = entries.next_page()? {
                parts.put(DownloadPart::Page(page))?;
            }
            parts.put(DownloadPart::End { proof: None })?;
        }
        DownloadQuery::Statuses { institution: number, prefix } => {
            let institution = Some(prove::institution_proof(snapshot, number)?);
            parts.put(DownloadPart::Start(Box::new(DownloadStart { state, institution })))?;
            let mut entries = StatusEntries::new(snapshot, number, prefix);
            while let Some(page) = entries.next_page()? {
                parts.put(DownloadPart::Page(page))?;
            }
            let proof = Some(prove::prefix_proof(snapshot, number, &prefix)?);
            parts.put(DownloadPart::End { proof })?;
        }
    }
    Ok(())
}
