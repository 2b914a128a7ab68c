//! `sigeli-node`: makes, runs and asks a validator of the Sigeli ledger.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program speaks to its operator")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use eyre::WrapErr as _;
use sigeli_node::{
    config::{Config, SIGN_STATE_FILE},
    keys,
    network::network_public_key,
    runtime::{self, Stop},
    sign_state, status, telemetry,
};

/// The exit code after a failure that a supervisor must not answer with a restart: storage failed, or going on could
/// sign twice. An operator looks first.
const EXIT_FAIL_STOP: u8 = 70;
/// The exit code after any other failure.
const EXIT_FAILURE: u8 = 1;

/// A validator of the Sigeli ledger.
#[derive(Debug, Parser)]
#[command(version, about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the keys of a new validator and print their public halves as JSON, for the genesis document.
    Init {
        /// The node's home: a folder for keys, configuration, genesis and database.
        #[arg(long)]
        home: PathBuf,
        /// The node's name, such as `nceqe`.
        #[arg(long)]
        name: String,
    },
    /// Run the validator until SIGTERM or Ctrl-C.
    ///
    /// Exit codes: 0 after a clean stop; 70 after a failure of storage or safety, in which case a supervisor must NOT
    /// restart it before an operator has read the log; 1 after anything else.
    Start {
        /// The node's home, holding `config.toml`, `genesis`, `validator.key` and `network.key`.
        #[arg(long)]
        home: PathBuf,
    },
    /// Ask a running node how it is.
    Status {
        /// The node's gRPC address, such as `http://127.0.0.1:7001`.
        #[arg(long, env = "SIGELI_NODE", conflicts_with = "home")]
        node: Option<String>,
        /// Or the node's home, whose configuration says the address.
        #[arg(long)]
        home: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Init { home, name } => init(&home, &name).map(|()| ExitCode::SUCCESS),
        Command::Start { home } => start(&home),
        Command::Status { node, home, json } => show_status(node, home, json).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("sigeli-node: {error:#}");
        ExitCode::from(EXIT_FAILURE)
    })
}

fn init(home: &Path, name: &str) -> eyre::Result<()> {
    std::fs::create_dir_all(home).wrap_err_with(|| format!("cannot make {}", home.display()))?;
    let validator = keys::create(&home.join(keys::VALIDATOR_KEY_FILE))?;
    let sign_state_path = home.join(SIGN_STATE_FILE);
    sign_state::create(&sign_state_path).wrap_err_with(|| format!("cannot make {}", sign_state_path.display()))?;
    let network = keys::create(&home.join(keys::NETWORK_KEY_FILE))?;
    let public = serde_json::json!({
        "name": name,
        "validator_key": hex::encode(validator.verifying_key().as_bytes()),
        "network_key": hex::encode(network_public_key(&network.to_bytes())),
    });
    println!("{public}");
    Ok(())
}

fn start(home: &Path) -> eyre::Result<ExitCode> {
    let config = Config::load(home)?;
    telemetry::start(&config.log)?;
    match runtime::run(home, config)? {
        Stop::Requested => Ok(ExitCode::SUCCESS),
        Stop::FailStop(fatal) => {
            eprintln!("sigeli-node: stopped for safety: {fatal}");
            eprintln!("sigeli-node: do not restart it before the cause is understood; see docs/operations.md");
            Ok(ExitCode::from(EXIT_FAIL_STOP))
        }
    }
}

fn show_status(node: Option<String>, home: Option<PathBuf>, json: bool) -> eyre::Result<()> {
    let url = match (node, home) {
        (Some(url), _) => url,
        (None, Some(home)) => format!("http://{}", Config::load(&home)?.grpc),
        (None, None) => eyre::bail!("name a node: --node http://HOST:PORT, or --home DIR"),
    };
    let status = status::ask(&url)?;
    if json {
        println!("{}", status.to_json())
    } else {
        print!("{}", status.to_text())
    }
    Ok(())
}
