//! The command line `sigeli`. It parses, calls the library, and says what happened in plain words.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
