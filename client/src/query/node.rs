//! Asking nodes, and believing nothing that is not proved.
//!
//! Each answer is verified under a block that a quorum of the trust file's validators has confirmed, that is not older than
//! the reader allows, and not older than the newest block seen before in the same reading. A node whose answer proves nothing
//! is passed over for the next one; when none is left, the last refusal is the result.

use std::{sync::Mutex, time::Duration};

use sigeli_proto::v1::{self, RegisterKind, download_part::Part};
use sigeli_verifier::{
    block::{Block, Header},
    certificate::CommitCertificate,
    decode::Decode,
    ids::{BatchSequence, GenesisHash, Height, InstitutionId, PermissionId, RegisterRoot},
    params::{BLOCK_BYTES_MAX, REGISTER_DOWNLOAD_ENTRIES_MAX, TRANSACTIONS_PER_BLOCK_MAX},
    proof::{
        AccreditationPage, BatchItem, BatchPage, BatchRange, ConfirmedInstitution, ConfirmedState, EntryProof,
        InstitutionAnswer, InstitutionProof, PrefixProof, ProofError, RegisterDownload, RegisterEntry, RegisterPage,
        StateProof, WholeRegister,
    },
    register::RegisterPrefix,
    transaction::SignedTransaction,
    trust::{Trust, TrustedLedger},
    verdict::Freshness,
};
use tonic::Streaming;

use super::standing::Contradiction;
use crate::remote::{Remote, RemoteError, decoded, state_proof};

/// How long a node may take for the next part of a download.
const PART_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a followed stream may be silent before it is taken for dead: an idle ledger has a block every half minute.
const SILENCE_MAX: Duration = Duration::from_secs(180);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The nodes do not answer, or refuse.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// A node's answer proves nothing.
    #[error("a node's answer is refused: {0}")]
    Proof(#[from] ProofError),
    /// A node's answer is not one.
    #[error("a node's answer is refused: it cannot be read; check whether a newer version of this program is needed")]
    Malformed,
    /// A node broke off.
    #[error("a node broke off its answer; it is safe to repeat the command")]
    BrokenOff,
    /// The nodes are of a ledger that the trust file does not know.
    #[error("the nodes are of the ledger {genesis}, which the trust file does not know: check --node and --trust")]
    UnknownLedger {
        /// Their ledger.
        genesis: GenesisHash,
    },
    /// There is no such institution, which is proved.
    #[error("no institution has the number {institution}: check --institution")]
    NoInstitution {
        /// The number.
        institution: InstitutionId,
    },
    /// Proved records that cannot belong together.
    #[error("{0}: tell the ledger's operators")]
    Contradiction(#[from] Contradiction),
    /// More than this program holds.
    #[error("there are more than {limit} entries: ask for a part of them")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

impl QueryError {
    /// Whether another node may answer better.
    const fn is_nodes_fault(&self) -> bool {
        matches!(self, Self::Proof(_) | Self::Malformed | Self::BrokenOff)
    }
}

/// An institution with its proof, as of one block.
#[derive(Debug, Clone)]
pub struct ProvedInstitution {
    /// The state that holds it.
    pub state: ConfirmedState,
    /// Its number.
    pub institution: InstitutionId,
    /// Its record and the roots of its registers.
    pub proof: InstitutionProof,
}

/// A register as a whole, as of one block.
#[derive(Debug, Clone)]
pub struct Register {
    /// The state that holds it.
    pub state: ConfirmedState,
    /// The institution whose register it is, if it is one's.
    pub institution: Option<ProvedInstitution>,
    /// All entries, in the order in which they came.
    pub entries: Vec<RegisterEntry>,
}

/// Batches, as of one block.
#[derive(Debug, Clone)]
pub struct Batches {
    /// The institution.
    pub institution: ProvedInstitution,
    /// How many there are in all, of the institution or under the accreditation.
    pub total: u32,
    /// Those that were asked for, in order of number.
    pub items: Vec<BatchItem>,
}

/// A register that belongs to no institution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Common {
    /// All institutions.
    Institutions,
    /// Authorities, policy, usage.
    Governance,
}

/// A register of an institution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Its keys.
    Keys,
    /// Its programmes and permissions.
    Permissions,
}

/// A reader of one ledger.
#[derive(Debug)]
pub struct Reader {
    remote: Remote,
    ledger: TrustedLedger,
    freshness: Freshness,
    /// The newest height accepted so far: no answer may be older.
    height_min: Mutex<Height>,
}

impl Reader {
    /// A reader of the ledger that the nodes are of, which the trust file must know.
    ///
    /// # Errors
    /// [`QueryError::UnknownLedger`], [`QueryError::Remote`].
    pub async fn new(remote: Remote, trust: &Trust, freshness: Freshness) -> Result<Self, QueryError> {
        let genesis = remote.status().await?.genesis;
        let ledger = trust.ledgers().iter().find(|ledger| ledger.genesis == genesis);
        let ledger = ledger.ok_or(QueryError::UnknownLedger { genesis })?.clone();
        Ok(Self { remote, ledger, freshness, height_min: Mutex::new(Height::new(0)) })
    }

    /// The ledger.
    #[must_use]
    pub const fn ledger(&self) -> &TrustedLedger {
        &self.ledger
    }

    /// Asks one node after the other until an answer proves what it says.
    async fn ask<T>(&self, ask: impl AsyncFn() -> Result<T, QueryError>) -> Result<T, QueryError> {
        let mut left = self.remote.node_count();
        loop {
            match ask().await {
                Err(error) if error.is_nodes_fault() && left > 1 => {
                    left -= 1;
                    self.remote.prefer_next();
                }
                other => return other,
            }
        }
    }

    fn confirm(&self, proof: &StateProof) -> Result<ConfirmedState, QueryError> {
        let state = proof.verify(&self.ledger)?;
        state.check_freshness(self.freshness)?;
        let mut seen = self.height_min.lock().expect("nobody panics while holding the height");
        state.check_height(*seen)?;
        *seen = state.height();
        Ok(state)
    }

    fn confirm_institution(
        &self,
        state: &ConfirmedState,
        institution: InstitutionId,
        answer: InstitutionAnswer,
    ) -> Result<ProvedInstitution, QueryError> {
        answer.verify(state, institution)?;
        match answer {
            InstitutionAnswer::Absent(_) => Err(QueryError::NoInstitution { institution }),
            InstitutionAnswer::Present(proof) => Ok(ProvedInstitution { state: *state, institution, proof }),
        }
    }

    /// What an institution's record says.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn institution(&self, institution: InstitutionId) -> Result<ProvedInstitution, QueryError> {
        self.ask(async || {
            let stated = self.remote.institution_answer(institution).await?;
            let state = self.confirm(&stated.state)?;
            self.confirm_institution(&state, institution, stated.answer)
        })
        .await
    }

    /// A register that belongs to no institution.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn common(&self, register: Common) -> Result<Register, QueryError> {
        let kind = match register {
            Common::Institutions => RegisterKind::Institutions,
            Common::Governance => RegisterKind::Governance,
        };
        let root = move |state: &ConfirmedState, _: Option<&ProvedInstitution>| match register {
            Common::Institutions => Some(state.roots().institutions),
            Common::Governance => Some(state.roots().governance),
        };
        self.ask(async || self.download(kind, None, root).await).await
    }

    /// A register of an institution.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn own(&self, register: Own, institution: InstitutionId) -> Result<Register, QueryError> {
        // Whether there is such an institution, its own proof says, not the absence of an answer.
        self.institution(institution).await?;
        let kind = match register {
            Own::Keys => RegisterKind::Keys,
            Own::Permissions => RegisterKind::Permissions,
        };
        let root = move |_: &ConfirmedState, institution: Option<&ProvedInstitution>| {
            institution.map(|institution| match register {
                Own::Keys => institution.proof.registers.keys,
                Own::Permissions => institution.proof.registers.permissions,
            })
        };
        self.ask(async || self.download(kind, Some(institution), root).await).await
    }

    async fn download(
        &self,
        kind: RegisterKind,
        of: Option<InstitutionId>,
        root: impl Fn(&ConfirmedState, Option<&ProvedInstitution>) -> Option<RegisterRoot>,
    ) -> Result<Register, QueryError> {
        let request =
            v1::DownloadRegisterRequest { register: kind.into(), institution: of.map_or(0, InstitutionId::get) };
        let opened = self.remote.call(async |mut client| Ok(client.download_register(request).await?.into_inner()));
        let mut parts = opened.await?;
        let (state, institution) = self.start(&mut parts, of).await?;
        let root = root(&state, institution.as_ref()).ok_or(QueryError::Malformed)?;
        let mut whole = WholeRegister::new();
        let mut entries = Vec::new();
        loop {
            match next_part(&mut parts).await? {
                Part::Start(_) => return Err(QueryError::Malformed),
                Part::Page(page) => {
                    for entry in read::<RegisterPage>(&page)?.into_entries() {
                        whole.push(&entry.name, &entry.value)?;
                        entries.push(entry);
                    }
                }
                Part::End(_) => break,
            }
        }
        whole.finish(&root)?;
        Ok(Register { state, institution, entries })
    }

    async fn start(
        &self,
        parts: &mut Streaming<v1::DownloadPart>,
        of: Option<InstitutionId>,
    ) -> Result<(ConfirmedState, Option<ProvedInstitution>), QueryError> {
        let Part::Start(start) = next_part(parts).await? else { return Err(QueryError::Malformed) };
        let proof = start.state.ok_or(QueryError::Malformed)?;
        let state = self.confirm(&read(&proof.state_proof)?)?;
        let institution = match of {
            None => None,
            Some(institution) => {
                let answer = read(&start.institution_proof)?;
                Some(self.confirm_institution(&state, institution, answer)?)
            }
        };
        Ok((state, institution))
    }

    /// All that is written about an institution's credentials whose entries' keys begin with a prefix, in order of key.
    ///
    /// # Errors
    /// [`QueryError`]; [`QueryError::TooMany`] above 2^20 entries.
    pub async fn statuses(&self, institution: InstitutionId, prefix: RegisterPrefix) -> Result<Register, QueryError> {
        Ok(self.proved_statuses(institution, prefix).await?.0)
    }

    /// As [`Self::statuses`], with the proof that no entry is left out.
    ///
    /// # Errors
    /// As [`Self::statuses`].
    pub async fn proved_statuses(
        &self,
        institution: InstitutionId,
        prefix: RegisterPrefix,
    ) -> Result<(Register, PrefixProof), QueryError> {
        self.institution(institution).await?;
        self.ask(async || self.download_statuses(institution, prefix).await).await
    }

    async fn download_statuses(
        &self,
        institution: InstitutionId,
        prefix: RegisterPrefix,
    ) -> Result<(Register, PrefixProof), QueryError> {
        let request = v1::DownloadStatusesRequest {
            institution: institution.get(),
            prefix_length: prefix.length().into(),
            prefix_bits: prefix.bits().into(),
        };
        let opened = self.remote.call(async |mut client| Ok(client.download_statuses(request).await?.into_inner()));
        let mut parts = opened.await?;
        let (state, found) = self.start(&mut parts, Some(institution)).await?;
        let root = found.as_ref().ok_or(QueryError::Malformed)?.proof.registers.statuses;
        let mut download = RegisterDownload::new(prefix);
        let mut entries = Vec::new();
        let proof: PrefixProof = loop {
            match next_part(&mut parts).await? {
                Part::Start(_) => return Err(QueryError::Malformed),
                Part::Page(page) => {
                    for entry in read::<RegisterPage>(&page)?.into_entries() {
                        download.push(&entry.name, &entry.value)?;
                        entries.push(entry);
                    }
                    if entries.len() > REGISTER_DOWNLOAD_ENTRIES_MAX {
                        return Err(QueryError::TooMany { limit: REGISTER_DOWNLOAD_ENTRIES_MAX });
                    }
                }
                Part::End(end) => break read(&end.prefix_proof)?,
            }
        };
        download.finish(&root, &proof)?;
        Ok((Register { state, institution: found, entries }, proof))
    }

    /// The batches of an institution, or those under one of its accreditations, with the numbers of a range.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn batches(
        &self,
        institution: InstitutionId,
        accreditation: Option<PermissionId>,
        range: BatchRange,
    ) -> Result<Batches, QueryError> {
        self.institution(institution).await?;
        let count = range.last().get().saturating_sub(range.first().get()).saturating_add(1);
        let request = v1::ListBatchesRequest {
            institution: institution.get(),
            accreditation: accreditation.map(PermissionId::get),
            start: range.first().get(),
            limit: count,
        };
        self.ask(async || {
            let (proof, answer, page, tally) = self
                .remote
                .call(async |mut client| {
                    let answer = client.list_batches(request).await?.into_inner();
                    let tally: Option<EntryProof> = match accreditation {
                        Some(_) => Some(decoded(&answer.tally_proof)?),
                        None => None,
                    };
                    let page: BatchPage = decoded(&answer.page)?;
                    Ok((state_proof(answer.state)?, decoded(&answer.institution_proof)?, page, tally))
                })
                .await?;
            let state = self.confirm(&proof)?;
            let found = self.confirm_institution(&state, institution, answer)?;
            let (total, items) = {
                let confirmed: ConfirmedInstitution<'_> = found.proof.verify(&state, institution)?;
                match accreditation.zip(tally) {
                    Some((accreditation, tally)) => {
                        let page = AccreditationPage { tally, page };
                        let proved = page.verify(&confirmed, accreditation, range)?;
                        (proved.total, proved.batches.to_vec())
                    }
                    None => {
                        let proved = page.verify(&confirmed, range)?;
                        (proved.total, proved.batches.to_vec())
                    }
                }
            };
            Ok(Batches { institution: found, total, items })
        })
        .await
    }

    /// The blocks from a height on, as far as there are any, or for ever.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn blocks(&self, from: Height, follow: bool) -> Result<Blocks, QueryError> {
        let request = v1::StreamBlocksRequest { start_height: from.get(), follow };
        let opened = self.remote.call(async |mut client| Ok(client.stream_blocks(request).await?.into_inner()));
        Ok(Blocks { parts: opened.await?, next: from, patience: if follow { SILENCE_MAX } else { PART_TIMEOUT } })
    }

    /// Passes over the node that answered last.
    pub fn try_another_node(&self) {
        self.remote.prefer_next();
    }
}

async fn next_part(parts: &mut Streaming<v1::DownloadPart>) -> Result<Part, QueryError> {
    let message = tokio::time::timeout(PART_TIMEOUT, parts.message()).await.map_err(|_| QueryError::BrokenOff)?;
    let part = message.map_err(|_| QueryError::BrokenOff)?.ok_or(QueryError::BrokenOff)?;
    part.part.ok_or(QueryError::Malformed)
}

fn read<T: Decode>(bytes: &[u8]) -> Result<T, QueryError> {
    T::from_bytes(bytes).map_err(|_| QueryError::Malformed)
}

/// The range of batch numbers from one on, at most `limit` and at most one page of them.
#[must_use]
pub fn batch_range(first: u32, limit: u32) -> Option<BatchRange> {
    let last = first.checked_add(limit.clamp(1, sigeli_verifier::params::BATCH_PAGE_MAX).saturating_sub(1))?;
    BatchRange::new(BatchSequence::new(first), BatchSequence::new(last))
}

/// A stream of blocks: whole ones, without a gap, not yet checked against anything.
#[derive(Debug)]
pub struct Blocks {
    parts: Streaming<v1::BlockPart>,
    next: Height,
    patience: Duration,
}

impl Blocks {
    /// The height that comes next.
    #[must_use]
    pub const fn height(&self) -> Height {
        self.next
    }

    /// The next block; `None` at the end of what the node has.
    ///
    /// # Errors
    /// [`QueryError::BrokenOff`], [`QueryError::Malformed`] when parts do not make a block, or another height comes.
    pub async fn next(&mut self) -> Result<Option<(Block, CommitCertificate)>, QueryError> {
        let Some(first) = self.part().await? else { return Ok(None) };
        let header: Header = read(&first.header)?;
        let certificate: CommitCertificate = read(&first.certificate)?;
        if header.height != self.next {
            return Err(QueryError::Malformed);
        }
        let mut transactions = Vec::<SignedTransaction>::new();
        let mut size_bytes = 0_usize;
        let mut part = first;
        loop {
            if part.height != header.height.get() {
                return Err(QueryError::Malformed);
            }
            for bytes in &part.transactions {
                size_bytes = size_bytes.saturating_add(bytes.len());
                if size_bytes > BLOCK_BYTES_MAX || transactions.len() >= TRANSACTIONS_PER_BLOCK_MAX {
                    return Err(QueryError::Malformed);
                }
                transactions.push(read(bytes)?);
            }
            if part.last {
                break;
            }
            part = self.part().await?.ok_or(QueryError::BrokenOff)?;
            if !part.header.is_empty() {
                return Err(QueryError::Malformed);
            }
        }
        self.next = Height::new(self.next.get().saturating_add(1));
        Ok(Some((Block { header, transactions }, certificate)))
    }

    async fn part(&mut self) -> Result<Option<v1::BlockPart>, QueryError> {
        let message = tokio::time::timeout(self.patience, self.parts.message()).await;
        // A node ends streams now and then on purpose: whoever wants more asks again from the next height.
        message.map_err(|_| QueryError::BrokenOff)?.map_err(|_| QueryError::BrokenOff)
    }
}
