//! The command line `sigeli`. It parses, calls the library, and says what happened in plain words.
#![expect(clippy::print_stderr, reason = "a command line prints")]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
