//! An operator's program: asks each node by itself how far it is, then follows the ledger with the trust file. For a timer:
//! a node that is behind or silent, or validators that changed, show at once.
//!
//! `operator TRUST NODES...`
#![expect(clippy::print_stdout, reason = "a program of the command line")]

use std::error::Error;

use sigeli::{
    api::{Config, Sigeli},
    remote::Remote,
    values::tbilisi,
};

pub(crate) async fn run(args: &[String]) -> Result<Vec<String>, Box<dyn Error>> {
    let [trust, nodes @ ..] = args else { return Err("usage: TRUST NODES...".into()) };
    let mut lines = Vec::new();
    for node in nodes {
        lines.push(match Remote::new(std::slice::from_ref(node))?.status().await {
            Ok(status) => format!("{node}: block {}, {}", status.height, tbilisi(status.time)),
            Err(error) => format!("{node}: SILENT: {error}"),
        });
    }
    let mut ledger = Sigeli::connect(Config::new(nodes.to_vec(), Some(trust.into()))).await?;
    lines.push(match ledger.follow().await {
        Ok(changes) => format!("trust file: follows; the validators changed {changes} time(s)"),
        Err(error) => format!("trust file: DOES NOT FOLLOW: {error}"),
    });
    Ok(lines)
}

#[cfg_attr(test, allow(dead_code, clippy::allow_attributes, reason = "the test calls run"))]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    run(&args).await?.iter().for_each(|line| println!("{line}"));
    Ok(())
}
