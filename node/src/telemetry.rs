//! Logs: to standard error, as text or JSON lines. No key, salt or document is ever logged.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::LogSection;

/// What is logged unless the configuration says otherwise: what an operator acts on.
const DEFAULT_FILTER: &str = "info,arc_malachitebft=warn,libp2p=warn,quinn=warn";

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("log.filter {filter:?} is not a filter; try \"info\"")]
    Filter {
        /// What stands there.
        filter: String,
    },
    /// Logging was started before.
    #[error("logging was started twice")]
    Twice,
}

/// Starts logging for this process.
///
/// # Errors
/// [`TelemetryError`].
pub fn start(section: &LogSection) -> Result<(), TelemetryError> {
    let text = section.filter.as_deref().unwrap_or(DEFAULT_FILTER);
    let filter = EnvFilter::try_new(text).map_err(|_| TelemetryError::Filter { filter: text.to_owned() })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = if section.json { builder.json().try_init() } else { builder.try_init() };
    started.map_err(|_| TelemetryError::Twice)
}
