//! `sigeli-devnet`: a whole network on one machine, and who breaks it.
//!
//! It founds a test ledger with four authorities, runs their four `sigeli-node` processes on loopback, and plays the
//! journey of a credential through the client library over gRPC; `kills` instead kills nodes at random moments and
//! checks that no acknowledged anchor is lost. Nothing is simulated here: processes, sockets, disks and clocks are
//! real. It is a test ledger, and every verdict says so.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program speaks to its user")]

mod cluster;
mod genesis;
mod home;
mod journey;
mod kills;
mod observe;
mod pilot;
mod poll;
mod report;
mod samples;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use eyre::WrapErr as _;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{cluster::Cluster, home::Home, journey::Source};

/// Runs a whole Sigeli network of four authorities on this machine and plays the journey of a credential.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    journey: JourneyArgs,
}

#[derive(Debug, Args)]
struct NetworkArgs {
    /// Where the network lives. Deleted and made anew at each start, if the devnet made it.
    #[arg(long, value_name = "DIR", default_value = ".devnet")]
    dir: PathBuf,
    /// First of 12 consecutive ports on loopback; any free ones if not given.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    base_port: Option<u16>,
}

#[derive(Debug, Args)]
struct JourneyArgs {
    #[command(flatten)]
    network: NetworkArgs,
    /// Stop after the journey, instead of staying up until Ctrl-C.
    #[arg(long)]
    exit: bool,
    /// Your own documents, subfolders included, instead of the shipped samples. They are copied.
    #[arg(long, value_name = "DIR")]
    credentials: Option<PathBuf>,
    /// Write what happened as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Kill nodes with SIGKILL at random moments under load, and check that no acknowledged anchor is lost.
    Kills(KillsArgs),
}

#[derive(Debug, Args)]
struct KillsArgs {
    #[command(flatten)]
    network: NetworkArgs,
    /// How many kills.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// Whom to kill and when is drawn from this number. The nodes' own timing is real, and so differs between runs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = tokio::runtime::Runtime::new().wrap_err("cannot start").and_then(|runtime| {
        runtime.block_on(async {
            match cli.command {
                Some(Command::Kills(arguments)) => run_kills(&arguments).await,
                None => run_journey(&cli.journey).await,
            }
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nsigeli-devnet: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the user, or whoever supervises, wants the devnet to end. Listens from when it is made, and never forgets.
#[derive(Debug)]
struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens for Ctrl-C, SIGTERM and SIGHUP from now on.
    fn listen() -> eyre::Result<Self> {
        let (sender, receiver) = watch::channel(false);
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            sender.send_replace(true);
        });
        Ok(Self(receiver))
    }

    /// Resolves once the devnet is to end, at once if that was said before.
    async fn wait(&self) {
        // An error would mean that nobody listens any more, which happens only when the runtime ends.
        drop(self.0.clone().wait_for(|ends| *ends).await);
    }

    /// Does the work, unless the devnet is to end before it is done.
    async fn cuts<T>(&self, work: impl Future<Output = eyre::Result<T>>) -> eyre::Result<T> {
        tokio::select! {
            done = work => done,
            () = self.wait() => Err(eyre::eyre!("interrupted")),
        }
    }
}

/// Runs `work` on a fresh network whose nodes were started, and stops the network whatever happens.
async fn with_network<T>(
    network: &NetworkArgs,
    work: impl AsyncFnOnce(&Home, &mut Cluster, &Interrupt) -> eyre::Result<T>,
) -> eyre::Result<T> {
    let interrupt = Interrupt::listen()?;
    let home = Home::create(&network.dir)?;
    let mut cluster = Cluster::create(&home, network.base_port, pilot::now()).await?;
    let result = match cluster.start_all() {
        Ok(()) => work(&home, &mut cluster, &interrupt).await,
        Err(error) => Err(error),
    };
    let stopped = cluster.stop().await;
    match result {
        Ok(value) => stopped.wrap_err("the nodes did not stop cleanly").map(|()| value),
        // The first failure is the one that explains the others.
        Err(error) => Err(eyre::eyre!("{error:#}\nThe nodes' logs are {}/*/log", home.nodes().display())),
    }
}

async fn run_journey(arguments: &JourneyArgs) -> eyre::Result<()> {
    let source = source(arguments)?;
    with_network(&arguments.network, async |home, cluster, interrupt| {
        println!("A Sigeli test network on this machine, in {}", home.root().display());
        let report = interrupt.cuts(Box::pin(journey::play(home, cluster, &source))).await?;
        if let Some(path) = &arguments.report {
            report.write(path)?;
        }
        if arguments.exit {
            println!("\nThe journey is complete.");
            return Ok(());
        }
        invite(home, cluster, &report)?;
        stay(cluster, interrupt).await
    })
    .await
}

fn source(arguments: &JourneyArgs) -> eyre::Result<Source> {
    let Some(folder) = &arguments.credentials else { return Ok(Source::Samples) };
    let folder = folder.canonicalize().wrap_err_with(|| format!("cannot use {}", folder.display()))?;
    eyre::ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    let home = std::path::absolute(&arguments.network.dir)?;
    let home = home.canonicalize().unwrap_or(home);
    // The one would be deleted with the network, the other copied into itself.
    eyre::ensure!(
        !folder.starts_with(&home) && !home.starts_with(&folder),
        "{} and the network's directory {} lie within each other: name another with --dir",
        folder.display(),
        home.display()
    );
    Ok(Source::Folder(folder))
}

/// Stays up until Ctrl-C, which is a good end here. Tells of nodes that end by themselves.
async fn stay(cluster: &mut Cluster, interrupt: &Interrupt) -> eyre::Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    let end = interrupt.wait();
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => {
                println!("\nStopping the nodes.");
                return Ok(());
            }
            _ = ticks.tick() => {
                for (name, status) in cluster.take_ended()? {
                    println!("{name} has ended ({status}).");
                }
            }
        }
    }
}

/// What to try next, with the paths of this run.
fn invite(home: &Home, cluster: &Cluster, report: &report::Report) -> eyre::Result<()> {
    let programs = std::env::current_exe()?;
    let program = |name: &str| quoted(&programs.with_file_name(name));
    let (sigeli, node) = (program("sigeli"), program("sigeli-node"));
    println!("\nThe network stays up until Ctrl-C.\n");
    for (node, entry) in cluster.nodes().iter().zip(&report.node_list) {
        let pid = entry.pid.map_or_else(String::new, |pid| format!("pid {pid}"));
        println!("  {:<9} gRPC {}  metrics {}  {pid}", entry.name, entry.grpc, node.metrics());
    }
    let url = &report.node_list[0].grpc;
    let trust = quoted(&home.trust());
    let gtu = quoted(&pilot::key_path(home, pilot::GTU.name));
    println!("\nTry next:");
    let valid = report.artifacts.iter().find(|artifact| artifact.expect_exit == 0);
    for artifact in valid.into_iter().chain(report.artifacts.iter().find(|artifact| artifact.expect_exit == 2)) {
        println!("  {sigeli} verify {} --trust {trust}", quoted(&artifact.file));
    }
    if let Some(artifact) = valid {
        let file = quoted(&artifact.file);
        println!("  {sigeli} stamp {file} --trust {trust} --node {url}");
        println!("  {sigeli} status revoke {file} --reason award-withdrawn --key {gtu} --trust {trust} --node {url}");
    }
    println!("  {node} status --node {url} --json");
    if let Some(pid) = report.node_list[3].pid {
        println!("  kill -9 {pid}; {node} start --home {}", quoted(&home.nodes().join(report.node_list[3].name)));
    }
    Ok(())
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte));
    if is_plain { text.into_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

async fn run_kills(arguments: &KillsArgs) -> eyre::Result<()> {
    with_network(&arguments.network, async |home, cluster, interrupt| {
        let plan = kills::Plan { runs: arguments.runs, seed: arguments.seed };
        interrupt.cuts(kills::run(home, cluster, plan)).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_takes_the_fixed_names() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        let words = "sigeli-devnet --exit --dir d --credentials c --report r --base-port 7400";
        let cli = Cli::try_parse_from(words.split(' ')).unwrap();
        assert!(cli.command.is_none() && cli.journey.exit && cli.journey.network.base_port == Some(7400));
        let cli = Cli::try_parse_from("sigeli-devnet kills --runs 40 --seed 7 --dir d".split(' ')).unwrap();
        assert!(matches!(cli.command, Some(Command::Kills(KillsArgs { runs: 40, seed: 7, .. }))));
    }

    #[test]
    fn paths_are_quoted_where_a_shell_would_misread_them() {
        assert_eq!(quoted(Path::new("/a/b-1.json")), "/a/b-1.json");
        assert_eq!(quoted(Path::new("/a b/it's")), "'/a b/it'\\''s'");
    }
}
