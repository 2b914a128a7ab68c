//! How commands other than `verify` end when they fail: a sentence and an exit code (those of `sysexits.h`, so that they
//! never meet the four of a verdict).

use std::fmt::Display;

use sigeli::{
    EntropyError, ProofError,
    accreditation::AccreditationError,
    anchor::AnchorError,
    batch::BatchError,
    carry::{archive::ArchiveError, code::CodeError, embed::EmbedError},
    files::FileError,
    keys::KeyError,
    many::SourceError,
    prepare::PrepareError,
    query::node::QueryError,
    refresh::RefreshError,
    remote::RemoteError,
    signing::SubmitError,
    stamp::StampError,
    status::StatusError,
    trust::{TrustError, UpdateError},
    tx::{DraftFileError, KnownError, SignError, SubmitDraftError},
    values::ValueError,
    verify::BundleError,
};

/// Wrongly called.
pub(super) const EXIT_USAGE: u8 = 64;
/// The files cannot be used, or the ledger refuses.
pub(super) const EXIT_DATA: u8 = 65;
/// A named file is not there.
pub(super) const EXIT_NO_INPUT: u8 = 66;
/// The result could not be written: a full disk, or a reader that has gone.
pub(super) const EXIT_OUTPUT: u8 = 73;
/// No node answers in time.
pub(super) const EXIT_UNAVAILABLE: u8 = 69;
/// The computer refuses to read or write.
pub(super) const EXIT_SYSTEM: u8 = 74;

/// A failed command.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) exit: u8,
}

impl Failure {
    fn new(error: &impl Display, exit: u8) -> Self {
        Self { message: error.to_string(), exit }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: EXIT_USAGE }
    }

    pub(super) fn data(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: EXIT_DATA }
    }

    /// What was read cannot be used.
    pub(super) fn unusable(error: &impl Display) -> Self {
        Self::new(error, EXIT_DATA)
    }

    /// The result could not be written.
    pub(super) fn output(error: &impl Display) -> Self {
        Self { message: format!("the result could not be written: {error}"), exit: EXIT_OUTPUT }
    }

    pub(super) fn system(error: &impl Display) -> Self {
        Self::new(error, EXIT_SYSTEM)
    }
}

pub(super) const fn of_file(error: &FileError) -> u8 {
    match error {
        FileError::Missing { .. } | FileError::IsDirectory { .. } | FileError::NotPlain { .. } => EXIT_NO_INPUT,
        FileError::Exists { .. } | FileError::TooLarge { .. } => EXIT_DATA,
        FileError::System { .. } => EXIT_SYSTEM,
    }
}

pub(super) const fn of_remote(error: &RemoteError) -> u8 {
    match error {
        RemoteError::NoNode | RemoteError::Address { .. } => EXIT_USAGE,
        RemoteError::Unanswered { .. } | RemoteError::Undecided { .. } => EXIT_UNAVAILABLE,
        RemoteError::NotFound { .. } | RemoteError::Refused { .. } => EXIT_DATA,
    }
}

const fn of_proof(error: &ProofError) -> u8 {
    match error {
        ProofError::Remote(error) => of_remote(error),
        ProofError::Behind { .. } => EXIT_UNAVAILABLE,
        ProofError::ForeignLedger { .. } | ProofError::False { .. } => EXIT_DATA,
    }
}

const fn of_submit(error: &SubmitError) -> u8 {
    match error {
        SubmitError::Remote(error) => of_remote(error),
        SubmitError::File(error) => of_file(error),
        _ => EXIT_DATA,
    }
}

const fn of_stamp(error: &StampError) -> u8 {
    match error {
        StampError::File(error) => of_file(error),
        StampError::Proof(error) => of_proof(error),
        _ => EXIT_DATA,
    }
}

const fn of_known(error: &KnownError) -> u8 {
    match error {
        KnownError::File(error) => of_file(error),
        KnownError::Remote(error) => of_remote(error),
        KnownError::Malformed { .. } | KnownError::OtherLedger { .. } | KnownError::False { .. } => EXIT_DATA,
    }
}

macro_rules! failures {
    ($($error:ty => $exit:expr),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let exit: fn(&$error) -> u8 = $exit;
                Self::new(&error, exit(&error))
            }
        })+
    };
}

failures! {
    FileError => of_file,
    RemoteError => of_remote,
    SubmitError => of_submit,
    StampError => of_stamp,
    ValueError => |_| EXIT_USAGE,
    BundleError => |error| match error {
        BundleError::File(error) => of_file(error),
        BundleError::Malformed { .. } | BundleError::Carried { .. } => EXIT_DATA,
    },
    EmbedError => |_| EXIT_DATA,
    CodeError => |_| EXIT_DATA,
    RefreshError => |error| match error {
        RefreshError::File(error) => of_file(error),
        RefreshError::Remote(error) | RefreshError::Query(QueryError::Remote(error)) => of_remote(error),
        RefreshError::Query(_) | RefreshError::Status(_) => EXIT_DATA,
        RefreshError::Unsettled { .. } => EXIT_UNAVAILABLE,
        RefreshError::Entropy(_) => EXIT_SYSTEM,
    },
    SourceError => |error| match error {
        SourceError::File(error) | SourceError::Archive(ArchiveError::File(error)) => of_file(error),
        SourceError::Archive(_) => EXIT_DATA,
    },
    ArchiveError => |error| match error {
        ArchiveError::File(error) => of_file(error),
        _ => EXIT_DATA,
    },
    KnownError => of_known,
    DraftFileError => |error| match error {
        DraftFileError::File(error) => of_file(error),
        DraftFileError::Malformed { .. } | DraftFileError::Merge { .. } => EXIT_DATA,
    },
    SignError => |error| match error {
        SignError::AuthorityUnnamed | SignError::IndexUnnamed | SignError::IndexTooLarge { .. } => EXIT_USAGE,
        _ => EXIT_DATA,
    },
    SubmitDraftError => |error| match error {
        SubmitDraftError::Known(error) => of_known(error),
        SubmitDraftError::Submit(error) => of_submit(error),
        _ => EXIT_DATA,
    },
    BatchError => |_| EXIT_DATA,
    AccreditationError => |_| EXIT_DATA,
    EntropyError => |_| EXIT_SYSTEM,
    KeyError => |error| match error {
        KeyError::File(error) => of_file(error),
        KeyError::Entropy { .. } => EXIT_SYSTEM,
        KeyError::Exposed { .. } | KeyError::Malformed { .. } => EXIT_DATA,
    },
    TrustError => |error| match error {
        TrustError::File(error) => of_file(error),
        TrustError::Unnamed => EXIT_USAGE,
        TrustError::Malformed { .. } | TrustError::TooLarge { .. } => EXIT_DATA,
    },
    UpdateError => |error| match error {
        UpdateError::Remote(error) => of_remote(error),
        UpdateError::Behind { .. } | UpdateError::TooSlow { .. } => EXIT_UNAVAILABLE,
        UpdateError::ForeignLedger { .. }
        | UpdateError::TooOld { .. }
        | UpdateError::ClockBehind
        | UpdateError::False { .. } => EXIT_DATA,
    },
    PrepareError => |error| match error {
        PrepareError::File(error) => of_file(error),
        PrepareError::Entropy(_) => EXIT_SYSTEM,
        _ => EXIT_DATA,
    },
    AnchorError => |error| match error {
        AnchorError::File(error) => of_file(error),
        AnchorError::Submit(error) => of_submit(error),
        AnchorError::Proof(error) | AnchorError::Ledger(error) => of_proof(error),
        AnchorError::Batch(_) | AnchorError::Changed { .. } | AnchorError::Compromised { .. } => EXIT_DATA,
    },
    StatusError => |error| match error {
        StatusError::Stamp(error) => of_stamp(error),
        StatusError::Submit(error) => of_submit(error),
        StatusError::Proof(error) | StatusError::Unproved(error) => of_proof(error),
        StatusError::OtherInstitution { .. } | StatusError::Action => EXIT_DATA,
    },
}
