//! Downloads: registers as a whole, and statuses whose keys begin with some bits.

use std::sync::Arc;

use sigeli_proto::{
    convert::ConvertError,
    v1::{self, download_part::Part},
};
use sigeli_verifier::{
    encode::Encode as _,
    ids::InstitutionId,
    proof::{InstitutionProof, PrefixProof, RegisterPage, StateProof},
    register::RegisterPrefix,
};
use tokio::runtime::Handle;

use super::{
    backend::{Backend, BackendError},
    proved,
    service::error,
    stream::{CutOff, StreamFailure, StreamWriter},
};

/// A register that is downloaded as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WholeRegisterQuery {
    /// All institutions and their histories.
    Institutions,
    /// Authorities, policy, validators, joint affairs.
    Governance,
    /// An institution's keys.
    Keys(InstitutionId),
    /// An institution's programmes and permissions.
    Permissions(InstitutionId),
}

/// What is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadQuery {
    /// All entries of a register.
    Register(WholeRegisterQuery),
    /// Entries of an institution's statuses.
    Statuses {
        /// The institution.
        institution: InstitutionId,
        /// What their keys begin with.
        prefix: RegisterPrefix,
    },
}

impl DownloadQuery {
    /// Reads a request for a register.
    pub(super) fn register(request: &v1::DownloadRegisterRequest) -> Result<Self, ConvertError> {
        let institution = InstitutionId::new(request.institution);
        let of_none = || match request.institution {
            0 => Ok(()),
            found => Err(ConvertError::TooLarge { field: "institution", max: 0, found }),
        };
        let register = match request.register() {
            v1::RegisterKind::Unspecified => return Err(ConvertError::Missing { field: "register" }),
            v1::RegisterKind::Institutions => of_none().map(|()| WholeRegisterQuery::Institutions)?,
            v1::RegisterKind::Governance => of_none().map(|()| WholeRegisterQuery::Governance)?,
            v1::RegisterKind::Keys => WholeRegisterQuery::Keys(institution),
            v1::RegisterKind::Permissions => WholeRegisterQuery::Permissions(institution),
        };
        Ok(Self::Register(register))
    }

    /// Reads a request for statuses.
    pub(super) fn statuses(request: &v1::DownloadStatusesRequest) -> Result<Self, ConvertError> {
        let prefix = sigeli_proto::convert::register_prefix(request.prefix_bits, request.prefix_length)?;
        Ok(Self::Statuses { institution: InstitutionId::new(request.institution), prefix })
    }
}

/// A part of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadPart {
    /// The first one.
    Start(Box<DownloadStart>),
    /// Entries.
    Page(RegisterPage),
    /// The last one.
    End {
        /// That these are all entries that were asked for, where that needs a proof.
        proof: Option<PrefixProof>,
    },
}

/// What a download is as of, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadStart {
    /// What the download is as of.
    pub state: StateProof,
    /// Whose register it is, where it belongs to an institution.
    pub institution: Option<InstitutionProof>,
}

/// Why a download ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// The node has no answer.
    #[error("{0}")]
    Backend(#[from] BackendError),
    /// A part was not taken.
    #[error("{0}")]
    CutOff(#[from] CutOff),
}

impl From<DownloadError> for StreamFailure {
    fn from(failure: DownloadError) -> Self {
        match failure {
            DownloadError::Backend(reason) => Self::Status(error(reason)),
            DownloadError::CutOff(reason) => Self::CutOff(reason),
        }
    }
}

/// Where a backend puts the parts of a download.
pub struct Parts {
    writer: StreamWriter<v1::DownloadPart>,
    runtime: Handle,
    entry_count: u64,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Parts").field("entry_count", &self.entry_count).finish_non_exhaustive()
    }
}

impl Parts {
    /// Hands a part to the reader. Blocks until there is room for it; must be called on a thread for blocking work.
    ///
    /// # Errors
    /// [`CutOff`]: nothing more will be taken.
    pub fn put(&mut self, part: DownloadPart) -> Result<(), CutOff> {
        let part = match part {
            DownloadPart::Start(start) => Part::Start(proved::start_message(*start)),
            DownloadPart::Page(page) => {
                let count = u64::try_from(page.entries().len()).unwrap_or(u64::MAX);
                self.entry_count = self.entry_count.saturating_add(count);
                Part::Page(page.to_bytes())
            }
            DownloadPart::End { proof } => Part::End(v1::DownloadEnd {
                entry_count: self.entry_count,
                prefix_proof: proof.map(|proof| proof.to_bytes()).unwrap_or_default(),
            }),
        };
        self.runtime.block_on(self.writer.put(v1::DownloadPart { part: Some(part) }))
    }
}

/// Runs a download on a thread for blocking work, and returns what its reader is told in the end.
pub(super) async fn run(
    backend: Arc<dyn Backend>,
    query: DownloadQuery,
    writer: StreamWriter<v1::DownloadPart>,
) -> Result<(), tonic::Status> {
    let runtime = Handle::current();
    let work = move || {
        let mut parts = Parts { writer, runtime, entry_count: 0 };
        let result = backend.download(query, &mut parts);
        (parts.writer, result)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok((writer, result)) => writer.finish(result.map_err(Into::into)).await,
        // It panicked; the stream was ended when its writer was dropped.
        Err(_) => Err(error(BackendError::Internal)),
    }
}
