//! The trust file on disk: which ledgers this computer believes. It is public and binary (`docs/protocol.md` §11); what
//! matters is where it came from.

mod fingerprint;
mod update;

use std::path::{Path, PathBuf};

use sigeli_verifier::{
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    params::TRUST_BYTES_MAX,
    trust::Trust,
};

use crate::files::{self, Access, FileError};

pub use self::{
    fingerprint::{Fingerprint, FingerprintError, GROUPS},
    update::{MAX_AGE, UpdateError, Updated, update},
};

/// The environment variable that names the trust file.
pub const TRUST_VARIABLE: &str = "SIGELI_TRUST";

/// Why there is no trust to judge by.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// No file was named and the user has no configuration directory.
    #[error("no trust file is known: name one with --trust FILE, or set {TRUST_VARIABLE}")]
    Unnamed,
    /// The file cannot be read or written.
    #[error(
        "the trust file: {0}; get it from the ledger's operators, and name it with --trust FILE or {TRUST_VARIABLE}"
    )]
    File(#[from] FileError),
    /// It is not a trust file.
    #[error("{} is not a trust file that this program can read ({error}): get it anew from the ledger's operators, and \
        check whether a newer version of this program is needed", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        error: DecodeError,
    },
    /// It would be larger than what is read.
    #[error("{} would be larger than {TRUST_BYTES_MAX} bytes, the most that is read: get a new trust file from the ledger's \
        operators", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

/// Where the trust file is: as named, else as [`TRUST_VARIABLE`] says, else `sigeli/trust` in the user's configuration
/// directory (`$XDG_CONFIG_HOME`, else `~/.config`). It need not exist.
///
/// # Errors
/// [`TrustError::Unnamed`].
pub fn path(named: Option<&Path>) -> Result<PathBuf, TrustError> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    if let Some(path) = variable(TRUST_VARIABLE) {
        return Ok(path);
    }
    let configuration = variable("XDG_CONFIG_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| home.join(".config")));
    configuration.map(|directory| directory.join("sigeli").join("trust")).ok_or(TrustError::Unnamed)
}

/// Reads a trust file.
///
/// # Errors
/// [`TrustError`].
pub fn read(path: &Path) -> Result<Trust, TrustError> {
    let limit = u64::try_from(TRUST_BYTES_MAX).unwrap_or(u64::MAX);
    let bytes = files::read(path, limit)?;
    Trust::from_bytes(&bytes).map_err(|error| TrustError::Malformed { path: path.to_owned(), error })
}

/// Writes a trust file in place of any under that name; durable on return. A crash leaves the old or the new one.
///
/// # Errors
/// [`TrustError::File`]; [`TrustError::TooLarge`] when the file could not be read again.
pub fn write(path: &Path, trust: &Trust) -> Result<(), TrustError> {
    let bytes = trust.to_bytes();
    if bytes.len() > TRUST_BYTES_MAX {
        return Err(TrustError::TooLarge { path: path.to_owned() });
    }
    Ok(files::replace(path, &bytes, Access::Everyone)?)
}
