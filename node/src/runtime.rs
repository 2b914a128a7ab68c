//! Builds and supervises the validator's parts (being written).

use std::path::Path;

use crate::config::Config;

/// Why the node stopped without an error of its own.
#[derive(Debug)]
pub enum Stop {
    /// Somebody asked it to.
    Requested,
    /// Storage or safety failed.
    FailStop(String),
}

/// Runs the validator until it is asked to stop.
///
/// # Errors
/// Not yet able to run.
pub fn run(home: &Path, _config: Config) -> eyre::Result<Stop> {
    eyre::bail!("{}: this build cannot run a validator yet", home.display())
}
