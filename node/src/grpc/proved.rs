//! Proved answers: what is asked, what the backend finds, and the messages that tell it.

use sigeli_proto::{plain, v1};
use sigeli_verifier::{
    block::Block,
    certificate::CommitCertificate,
    encode::Encode as _,
    ids::{AuthorityId, BatchRoot, InstitutionId, PermissionId},
    proof::{BatchPage, BatchRange, EntryProof, InstitutionAnswer, InstitutionProof, StateProof},
    record::{AuthorityRecord, BatchChange, BatchRecord, GovernanceRecord, PermissionEntry, PermissionRecord, Policy},
};

use super::download::DownloadStart;

/// An authority as of the newest height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityAnswer {
    /// Its record.
    pub record: AuthorityRecord,
    /// Its proof; none while nothing but genesis was committed.
    pub proof: Option<(StateProof, EntryProof)>,
}

/// Policy and joint affairs of the authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GovernanceAnswer {
    /// What it is as of.
    pub state: StateProof,
    /// The joint affairs.
    pub joint: GovernanceRecord,
    /// Their proof.
    pub joint_proof: EntryProof,
    /// The policy.
    pub policy: Policy,
    /// Its proof.
    pub policy_proof: EntryProof,
}

/// What there is under an institution's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionFound {
    /// What it is as of.
    pub state: StateProof,
    /// The institution, or its absence.
    pub answer: InstitutionAnswer,
}

/// Which permission is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionQuery {
    /// The institution.
    pub institution: InstitutionId,
    /// The permission's number.
    pub permission: PermissionId,
}

/// A permission and its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionAnswer {
    /// What it is as of.
    pub state: StateProof,
    /// The institution.
    pub institution: InstitutionProof,
    /// The record; `None` when there is no such permission.
    pub record: Option<PermissionRecord>,
    /// Its proof, or that of its absence.
    pub proof: EntryProof,
    /// Its whole history, oldest first.
    pub changes: Vec<(PermissionEntry, EntryProof)>,
}

/// Which batches are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchesQuery {
    /// The institution.
    pub institution: InstitutionId,
    /// Only those under this accreditation.
    pub accreditation: Option<PermissionId>,
    /// Their numbers.
    pub range: BatchRange,
}

/// Batches by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchesAnswer {
    /// What it is as of.
    pub state: StateProof,
    /// The institution.
    pub institution: InstitutionProof,
    /// The proof of how many there are under the accreditation, where one was asked for.
    pub tally: Option<EntryProof>,
    /// How many there are in all.
    pub total: u32,
    /// The batches.
    pub page: BatchPage,
}

/// Which batch is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchQuery {
    /// The institution that anchored it.
    pub institution: InstitutionId,
    /// Its root.
    pub root: BatchRoot,
    /// The first change wanted, at least 1.
    pub start: u32,
    /// The most changes wanted: 1 to `LIST_ENTRIES_MAX`.
    pub limit: u32,
}

/// A batch and part of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchAnswer {
    /// What it is as of.
    pub state: StateProof,
    /// The institution.
    pub institution: InstitutionProof,
    /// The record; `None` when there is no such batch.
    pub record: Option<BatchRecord>,
    /// Its proof, or that of its absence.
    pub proof: EntryProof,
    /// The changes asked for, oldest first.
    pub changes: Vec<(BatchChange, EntryProof)>,
    /// The number of the first change after them, if there is one.
    pub next: Option<u32>,
}

/// A block and what makes it final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockAnswer {
    /// The block.
    pub block: Block,
    /// The quorum's signatures; none for genesis.
    pub certificate: CommitCertificate,
}

/// The encoding of the answer that holds this institution.
pub(super) fn institution_proof(institution: InstitutionProof) -> Vec<u8> {
    InstitutionAnswer::Present(institution).to_bytes()
}

pub(super) fn authority_message(number: AuthorityId, answer: AuthorityAnswer) -> v1::Authority {
    let mut message = plain::authority(number, &answer.record);
    if let Some((state, proof)) = answer.proof {
        message.state = Some(plain::state_proof(&state));
        message.entry_proof = proof.to_bytes();
    }
    message
}

pub(super) fn governance_message(answer: &GovernanceAnswer) -> v1::GovernanceResponse {
    let GovernanceAnswer { state, joint, joint_proof, policy, policy_proof } = answer;
    v1::GovernanceResponse {
        state: Some(plain::state_proof(state)),
        joint_proof: joint_proof.to_bytes(),
        policy_proof: policy_proof.to_bytes(),
        authorities: joint.authorities.iter().map(|authority| authority.get().into()).collect(),
        sequence: joint.sequence.get(),
        version: joint.version.into(),
        upgrade_version: joint.upgrade_version.into(),
        upgrade_height: joint.upgrade_height.get(),
        policy: Some(plain::policy(policy)),
    }
}

pub(super) fn institution_message(number: InstitutionId, found: &InstitutionFound) -> v1::InstitutionResponse {
    let institution = match &found.answer {
        InstitutionAnswer::Present(proof) => Some(plain::institution(number, &proof.facts)),
        InstitutionAnswer::Absent(_) => None,
    };
    v1::InstitutionResponse {
        state: Some(plain::state_proof(&found.state)),
        institution_proof: found.answer.to_bytes(),
        institution,
    }
}

pub(super) fn permission_message(number: PermissionId, answer: PermissionAnswer) -> v1::PermissionResponse {
    let PermissionAnswer { state, institution, record, proof, changes } = answer;
    let changes = (1_u32..).zip(&changes).map(|(number, (entry, proof))| v1::PermissionChange {
        entry_proof: proof.to_bytes(),
        ..plain::permission_change(number, entry)
    });
    v1::PermissionResponse {
        state: Some(plain::state_proof(&state)),
        institution_proof: institution_proof(institution),
        entry_proof: proof.to_bytes(),
        permission: record.map(|record| plain::permission(number, &record)),
        changes: changes.collect(),
    }
}

pub(super) fn batches_message(range: BatchRange, answer: BatchesAnswer) -> v1::ListBatchesResponse {
    let BatchesAnswer { state, institution, tally, total, page } = answer;
    let next = range.last().get().checked_add(1).filter(|next| *next <= total);
    v1::ListBatchesResponse {
        state: Some(plain::state_proof(&state)),
        institution_proof: institution_proof(institution),
        tally_proof: tally.map(|proof| proof.to_bytes()).unwrap_or_default(),
        page: page.to_bytes(),
        batches: page.items().iter().map(|item| plain::batch(&item.root, &item.record)).collect(),
        total,
        next,
    }
}

pub(super) fn batch_message(root: &BatchRoot, answer: BatchAnswer) -> v1::BatchResponse {
    let BatchAnswer { state, institution, record, proof, changes, next } = answer;
    let changes = changes
        .iter()
        .map(|(change, proof)| v1::BatchChange { entry_proof: proof.to_bytes(), ..plain::batch_change(change) });
    v1::BatchResponse {
        state: Some(plain::state_proof(&state)),
        institution_proof: institution_proof(institution),
        entry_proof: proof.to_bytes(),
        batch: record.map(|record| plain::batch(root, &record)),
        changes: changes.collect(),
        next,
    }
}

/// Where the transactions of a message end: the next one may be the largest and still fit.
const PART_BYTES: usize = 512 * 1_024;

/// The messages that tell a block, in order.
pub(super) fn block_messages(answer: &BlockAnswer) -> impl Iterator<Item = v1::BlockPart> + Send + use<'_> {
    let BlockAnswer { block, certificate } = answer;
    let height = block.header.height.get();
    let mut transactions = block.transactions.iter();
    let mut is_first = true;
    let mut is_last = false;
    std::iter::from_fn(move || {
        if is_last {
            return None;
        }
        let mut part = v1::BlockPart { height, ..v1::BlockPart::default() };
        if std::mem::take(&mut is_first) {
            part.header = block.header.to_bytes();
            part.certificate = certificate.to_bytes();
        }
        let mut size_bytes = 0_usize;
        while size_bytes < PART_BYTES
            && let Some(transaction) = transactions.next()
        {
            let bytes = transaction.to_bytes();
            // Its tag and length take 4 bytes.
            size_bytes = size_bytes.saturating_add(bytes.len()).saturating_add(4);
            part.transactions.push(bytes);
        }
        is_last = transactions.len() == 0;
        part.last = is_last;
        Some(part)
    })
}

/// The start of a download.
pub(super) fn start_message(start: DownloadStart) -> v1::DownloadStart {
    v1::DownloadStart {
        state: Some(plain::state_proof(&start.state)),
        institution_proof: start.institution.map(institution_proof).unwrap_or_default(),
    }
}
