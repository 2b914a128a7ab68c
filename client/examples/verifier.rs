//! A verifier's program: judges documents with the bundles beside them, with the newest status if nodes are named, else
//! offline. Prints one verdict per document and ends with the worst exit code of `sigeli verify`.
//!
//! `verifier TRUST NODES|- FILES...`, nodes separated by commas.
#![expect(clippy::print_stdout, reason = "a program of the command line")]

use std::{error::Error, path::Path, process::ExitCode, time::Duration};

use sigeli::api::{Config, Sigeli, verify_offline};

/// A status that is older than a day does not count as current.
const MAX_AGE: Duration = Duration::from_secs(86_400);

pub(crate) async fn run(args: &[String]) -> Result<Vec<(String, u8)>, Box<dyn Error>> {
    let [trust, nodes, files @ ..] = args else { return Err("usage: TRUST NODES|- FILES...".into()) };
    let ledger = match nodes.as_str() {
        "-" => None,
        nodes => {
            let nodes = nodes.split(',').map(str::to_owned).collect();
            Some(Sigeli::connect(Config::new(nodes, Some(trust.into()))).await?)
        }
    };
    let mut verdicts = Vec::new();
    for file in files {
        let verified = match &ledger {
            Some(ledger) => ledger.verify(Path::new(file), MAX_AGE).await?,
            None => verify_offline(Path::new(file), Some(Path::new(trust)), MAX_AGE)?,
        };
        let verdict = verified.verdict();
        verdicts.push((format!("{file}: {}", verdict.name()), verdict.exit_code()));
    }
    Ok(verdicts)
}

#[cfg_attr(test, allow(dead_code, clippy::allow_attributes, reason = "the test calls run"))]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let verdicts = run(&args).await?;
    verdicts.iter().for_each(|(line, _)| println!("{line}"));
    Ok(ExitCode::from(verdicts.iter().map(|(_, exit)| *exit).max().unwrap_or(0)))
}
