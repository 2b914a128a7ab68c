//! `sigeli status-list`: what stands against an institution's credentials, for systems that know no ledger.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use sigeli::{
    FILE_BYTES_MAX,
    export::bitstring::{self, BitstringError, LENGTH_MIN, Lists, Published},
    files::{self, Access},
    refresh::{self, RefreshRequest},
    trust, values,
};
use sigeli_verifier::{ids::TimeMs, verdict::Freshness};

use super::{
    args::NodeArgs,
    connect,
    failure::{EXIT_DATA, Failure},
    note, now, print,
};

#[derive(Debug, Args)]
pub(super) struct StatusListArgs {
    /// Folders and files: all credentials whose credentialStatus names a list, with their bundles.
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    /// Trust file that the proofs are checked against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Directory for one unsigned credential per list and purpose; a file that exists is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The issuer's identifier: a URL or DID, the same as in the credentials.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// How many entries each list has; the same each time.
    #[arg(long, value_name = "NUMBER", default_value_t = LENGTH_MIN)]
    length: u32,
    /// How long the lists may be relied on, from the time of the ledger's block on.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = values::parse_age)]
    valid_for: Duration,
    /// How old the nodes' newest block may be: 30s, 10m, 24h.
    #[arg(long, value_name = "AGE", default_value = "1h", value_parser = values::parse_age)]
    max_age: Duration,
    /// Judge the nodes' answers as of this time (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME", value_parser = values::parse_time)]
    at: Option<TimeMs>,
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) async fn status_list(args: &StatusListArgs) -> Result<u8, Failure> {
    let trust = trust::read(&trust::path(args.trust.as_deref())?)?;
    let remote = connect(&args.node.nodes)?;
    let mut lists = Lists::new(args.length).map_err(|error| Failure::usage(error.to_string()))?;
    let request = RefreshRequest {
        paths: &args.folders,
        trust: &trust,
        freshness: Freshness { at: args.at.unwrap_or_else(now), max_age_ms: milliseconds(args.max_age) },
        with_permission: false,
        // Whole lists: they are of all credentials anyway.
        anonymity_min: u64::MAX,
        patience: args.node.patience,
    };
    let (mut entered, mut refused) = (0_u64, Vec::new());
    let done = refresh::refresh(&remote, &request, &mut |renewed| {
        let file = files::read(&renewed.file, FILE_BYTES_MAX)?;
        let standing = bitstring::standing(&renewed.bundle);
        let mut enter = || -> Result<(), BitstringError> {
            for place in bitstring::places(&file, renewed.bundle.receipt.profile)? {
                lists.enter(&place, standing)?;
                entered += 1;
            }
            Ok(())
        };
        if let Err(error) = enter() {
            refused.push((renewed.file.clone(), error));
        }
        Ok(())
    })
    .await?;
    // A list that leaves a credential out would call it valid: nothing is written then.
    for (file, why) in &done.skipped {
        note(format_args!("error: {}: {why}", file.display()));
    }
    for (file, why) in &refused {
        note(format_args!("error: {}: {why}", file.display()));
    }
    let failures = done.skipped.len() + refused.len();
    if failures > 0 {
        return Err(Failure::data(format!(
            "no list was written, since {failures} credential(s) would be missing in it"
        )));
    }
    let Some((height, time)) = done.as_of.filter(|_| entered > 0) else {
        return Err(Failure { message: "no credential names a bitstring status list".into(), exit: EXIT_DATA });
    };
    let until = TimeMs::new(time.get().saturating_add(milliseconds(args.valid_for)));
    std::fs::create_dir_all(&args.out).map_err(|error| Failure::output(&error))?;
    for (name, text) in lists.credentials(Published { issuer: &args.issuer, valid_from: time, valid_until: until }) {
        let path = args.out.join(name);
        files::replace(&path, text.as_bytes(), Access::Everyone)?;
        print(&format!("{}\n", path.display()));
    }
    note(format_args!(
        "{entered} place(s), as of block {height}. Sign each list as you sign your credentials, and publish it."
    ));
    Ok(0)
}
