//! Commands, their options, and what they print.

mod args;
mod audit;
mod bundle;
mod evidence;
mod failure;
mod issue;
mod own;
mod query;
mod query_args;
mod query_text;
mod refresh;
mod register;
mod status_list;
mod trust;
mod tx;
mod tx_args;
mod verify;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::SystemTime,
};

use clap::Parser as _;
use sigeli::{
    document::is_invisible,
    keys::SecretKey,
    remote::Remote,
    report,
    trust::{self as trust_file, TRUST_VARIABLE},
};
use sigeli_verifier::{
    ids::TimeMs,
    transaction::{BatchAction, StatusAction},
    trust::Trust,
};

use self::{
    args::{
        BatchCommand, Cli, Command, InstitutionCommand, KeygenArgs, PermissionCommand, StampCommand, StatusCommand,
    },
    failure::{EXIT_OUTPUT, EXIT_USAGE, Failure},
    query_args::{AuditCommand, EvidenceCommand, QueryCommand},
};

/// Runs the command line and gives the program's exit code.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors. A closed pipe is nobody's.
            drop(error.print());
            if !error.use_stderr() {
                return ExitCode::SUCCESS;
            }
            return ended(Err(Failure::usage(error.kind().to_string())), false);
        }
    };
    ended(dispatch(&cli.command), true)
}

/// The exit code, once the failure was told: to people (`tell`), and to programs that asked for JSON.
fn ended(result: Result<u8, Failure>, tell: bool) -> ExitCode {
    let mut exit = match result {
        Ok(exit) => exit,
        Err(failure) => {
            if tell {
                note(format_args!("error: {}", failure.message));
            }
            if std::env::args_os().any(|arg| arg == "--json") {
                print(&report::error_json(failure.exit, &failure.message));
            }
            failure.exit
        }
    };
    if OUTPUT_FAILED.load(Ordering::Relaxed) && exit < EXIT_USAGE {
        note(format_args!("error: the result could not be written: a full disk, or a reader that has gone"));
        exit = EXIT_OUTPUT;
    }
    ExitCode::from(exit)
}

/// Whether anything that was printed did not arrive.
static OUTPUT_FAILED: AtomicBool = AtomicBool::new(false);

/// Says something beside the result, on standard error. Whether anybody still listens changes nothing about the result.
fn note(text: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    drop(writeln!(std::io::stderr(), "{}", visible(&text.to_string())));
}

fn dispatch(command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Keygen(args) => keygen(args),
        Command::Institution { command: InstitutionCommand::Register(args) } => online(register::institution(args)),
        Command::Institution { command: InstitutionCommand::Show(args) } => online(query::institution(args)),
        Command::Institution { command: InstitutionCommand::List(args) } => online(query::institutions(args)),
        Command::Permission { command: PermissionCommand::Grant { kind } } => online(register::permission(kind)),
        Command::Batch { command: BatchCommand::Prepare(args) } => issue::prepare(args),
        Command::Batch { command: BatchCommand::Anchor(args) } => online(issue::anchor(args)),
        Command::Batch { command: BatchCommand::Suspend(args) } => online(own::batch(args, BatchAction::Suspend)),
        Command::Batch { command: BatchCommand::Reinstate(args) } => online(own::batch(args, BatchAction::Reinstate)),
        Command::Batch { command: BatchCommand::Revoke(args) } => online(own::batch(args, BatchAction::Revoke)),
        Command::Key { command } => online(own::key(command)),
        Command::Programme { command } => online(own::programme(command)),
        Command::Tx { command } => tx::tx(command),
        Command::Stamp(args) => match &args.command {
            Some(StampCommand::Refresh(args)) => online(refresh::refresh(args)),
            None => online(issue::stamp(args)),
        },
        Command::Status { command } => match command {
            StatusCommand::Revoke(args) => online(issue::status(args, StatusAction::Revoke)),
            StatusCommand::Suspend(args) => online(issue::status(args, StatusAction::Suspend)),
            StatusCommand::Reinstate(args) => online(issue::status(args, StatusAction::Reinstate)),
            StatusCommand::Order(args) => tx::status_order(args),
            StatusCommand::Annul(args) => tx::status_annul(args),
        },
        Command::Verify(args) => verify::verify(args),
        Command::Trust { command } => trust::run(command),
        Command::StatusList(args) => online(status_list::status_list(args)),
        Command::Bundle { command } => bundle::bundle(command),
        Command::Query(command) => read(command),
    }
}

/// Commands that only read.
fn read(command: &QueryCommand) -> Result<u8, Failure> {
    match command {
        QueryCommand::Permissions(args) => online(query::permissions(args)),
        QueryCommand::MayIssue(args) => online(query::may_issue_today(args)),
        QueryCommand::Batches(args) => online(query::batches(args)),
        QueryCommand::Statuses(args) => online(query::statuses(args)),
        QueryCommand::Events(args) => online(query::events(args)),
        QueryCommand::Policy(args) => online(query::policy(args)),
        QueryCommand::Authorities(args) => online(query::authorities(args)),
        QueryCommand::Audit { command: AuditCommand::Export(args) } => online(audit::export(args)),
        QueryCommand::Audit { command: AuditCommand::Verify(args) } => audit::verify(args),
        QueryCommand::Evidence { command: EvidenceCommand::List(args) } => online(evidence::list(args)),
        QueryCommand::Evidence { command: EvidenceCommand::Verify(args) } => evidence::verify(args),
        QueryCommand::Export(args) => online(query::export_permissions(args)),
    }
}

/// Runs what needs the network. The only place that makes a runtime: offline commands never come here.
fn online<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::system(&error))?.block_on(work)
}

fn keygen(args: &KeygenArgs) -> Result<u8, Failure> {
    let key = SecretKey::generate()?;
    key.write(&args.out)?;
    note(format_args!(
        "The signing key is in {}. Keep it secret, and keep a copy in a safe place.",
        args.out.display()
    ));
    note(format_args!("Its public key, which may be given to anybody:"));
    print(&format!("{}\n", key.public()));
    Ok(0)
}

/// Prints to the standard output. If that fails, the command goes on, and its exit code says so in the end.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(visible(text).as_bytes()).and_then(|()| out.flush()).is_err() {
        OUTPUT_FAILED.store(true, Ordering::Relaxed);
    }
}

/// The text as it may be shown: control characters other than line ends and tabs, and characters that are invisible or turn
/// the writing direction, become escapes, so that no name of a file or a person can command the terminal or dress up the
/// sentence it stands in. The escapes are those of JSON, which therefore stays what it was. The colours of a verdict stay.
fn visible(text: &str) -> String {
    const COLOURS: [&str; 4] = ["\u{1B}[0m", "\u{1B}[31m", "\u{1B}[32m", "\u{1B}[90m"];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let colour = COLOURS.into_iter().find(|colour| rest.starts_with(colour));
        let taken = colour.map_or_else(|| character.len_utf8(), str::len);
        let is_plain = matches!(character, '\n' | '\t') || !(character.is_control() || is_invisible(character));
        match rest.get(..taken) {
            Some(shown) if colour.is_some() || is_plain => out.push_str(shown),
            _ => {
                let escaped =
                    character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
                out.push_str(&escaped);
            }
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// This computer's clock.
fn now() -> TimeMs {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    TimeMs::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn connect(urls: &[String]) -> Result<Remote, Failure> {
    Ok(Remote::new(urls)?)
}

fn read_keys(paths: &[PathBuf]) -> Result<Vec<SecretKey>, Failure> {
    Ok(paths.iter().map(|path| SecretKey::read(path)).collect::<Result<_, _>>()?)
}

/// The trust file that proofs are checked against: as named, or the user's if there is one.
fn trust_if_any(named: Option<&Path>) -> Result<Option<Trust>, Failure> {
    let Ok(path) = trust_file::path(named) else { return Ok(None) };
    let is_asked_for = named.is_some() || std::env::var_os(TRUST_VARIABLE).is_some_and(|value| !value.is_empty());
    if !is_asked_for && !path.exists() {
        return Ok(None);
    }
    Ok(Some(trust_file::read(&path)?))
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn nothing_that_is_printed_commands_the_terminal() {
        for (text, expected) in [
            ("ნინო\tab\n", "ნინო\tab\n"),
            ("\u{1B}[32m[ ok ]\u{1B}[0m", "\u{1B}[32m[ ok ]\u{1B}[0m"),
            ("a\u{1B}[2Jb\u{7}\r", "a\\u001b[2Jb\\u0007\\u000d"),
            ("\u{1B}]0;title\u{9C}", "\\u001b]0;title\\u009c"),
            ("fdp.\u{202E}nosj", "fdp.\\u202enosj"),
            ("\"a\u{E0001}\"", r#""a\udb40\udc01""#),
            ("", ""),
        ] {
            assert_eq!(visible(text), expected);
        }
    }
}
