//! `sigeli stamp refresh`: new stamps for many credentials.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use sigeli::{
    refresh::{self, ANONYMITY_MIN, RefreshRequest},
    trust,
    values::{self, tbilisi},
};
use sigeli_verifier::verdict::Freshness;

use super::{
    args::NodeArgs,
    connect,
    failure::{EXIT_DATA, EXIT_NO_INPUT, Failure},
    note, now, print,
};

#[derive(Debug, Args)]
pub(super) struct RefreshArgs {
    /// Folders and files: every credential below that has a bundle beside it or inside it.
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    /// Trust file that the proofs are checked against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// How many of an institution's credentials shall at least be possible, as far as a node can tell.
    #[arg(long, value_name = "NUMBER", default_value_t = ANONYMITY_MIN)]
    anonymity: u64,
    /// How old the nodes' newest block may be: 30s, 10m, 24h.
    #[arg(long, value_name = "AGE", default_value = "24h", value_parser = values::parse_age)]
    max_age: Duration,
    /// Judge the nodes' answers as of this time (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME", value_parser = values::parse_time)]
    at: Option<sigeli_verifier::ids::TimeMs>,
    /// Make bundles smaller: without the accreditation's own record, and so without the programme's title.
    #[arg(long)]
    small: bool,
}

pub(super) async fn refresh(args: &RefreshArgs) -> Result<u8, Failure> {
    let trust = trust::read(&trust::path(args.trust.as_deref())?)?;
    let remote = connect(&args.node.nodes)?;
    let request = RefreshRequest {
        paths: &args.folders,
        trust: &trust,
        freshness: Freshness {
            at: args.at.unwrap_or_else(now),
            max_age_ms: u64::try_from(args.max_age.as_millis()).unwrap_or(u64::MAX),
        },
        with_permission: !args.small,
        anonymity_min: args.anonymity,
        patience: args.node.patience,
    };
    let done = refresh::refresh(&remote, &request, &mut |renewed| refresh::write(&renewed)).await?;
    for (file, why) in &done.skipped {
        note(format_args!("error: {}: {why}", file.display()));
    }
    let Some((height, time)) = done.as_of else {
        if done.skipped.is_empty() {
            return Err(Failure { message: "there is no credential in these folders".into(), exit: EXIT_NO_INPUT });
        }
        return Err(Failure::data(format!("none of {} credential(s) was refreshed", done.skipped.len())));
    };
    let told = match done.told_bits {
        0 => "of each institution, the whole list was asked for".to_owned(),
        bits => format!("of status keys, at most {bits} bits were told"),
    };
    print(&format!(
        "{} bundle(s) are as of {} (Tbilisi time), block {height}, or newer; {} left as they were.\n\
         What the nodes learned: the batches (of at least {} leaves each); {told}.\n",
        done.renewed,
        tbilisi(time),
        done.skipped.len(),
        done.batch_leaves_min.unwrap_or(0),
    ));
    Ok(if done.skipped.is_empty() { 0 } else { EXIT_DATA })
}
