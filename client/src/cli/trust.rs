//! `sigeli trust`: which ledgers this computer believes, and since when.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::json;
use sigeli::{
    trust::{self, Fingerprint},
    values::{self, tbilisi},
};
use sigeli_verifier::{
    encode::Encode as _,
    ids::Height,
    trust::{NetworkKind, Trust, TrustedLedger, TrustedSet},
    verdict::Freshness,
};

use super::{args::NodeArgs, connect, failure::Failure, note, now, online, print};

#[derive(Debug, Subcommand)]
pub(super) enum TrustCommand {
    /// Shows which ledgers are believed, up to which block, and whose signatures count.
    Show(ShowArgs),
    /// Shows the digits by which a trust file is compared over the telephone, or compares them.
    Fingerprint(FingerprintArgs),
    /// Follows a ledger to its newest block by its validators' signatures alone, and changes of validators with it.
    Update(UpdateArgs),
    /// Writes a copy for somebody else.
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(super) struct TrustFileArg {
    /// The trust file; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
}

impl TrustFileArg {
    fn read(&self) -> Result<(PathBuf, Trust), Failure> {
        let path = trust::path(self.trust.as_deref())?;
        let read = trust::read(&path)?;
        Ok((path, read))
    }
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    file: TrustFileArg,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct FingerprintArgs {
    #[command(flatten)]
    file: TrustFileArg,
    /// The 96 digits that the other side read out: compares them, and fails if they are not this file's or its ledger's.
    #[arg(long, value_name = "DIGITS")]
    confirm: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    file: TrustFileArg,
    #[command(flatten)]
    node: NodeArgs,
    /// The largest age of the newest block in the file from which to go on: 30d, 12h. Longer is less safe: keys of validators
    /// that retired since may be in wrong hands.
    #[arg(long, value_name = "AGE", default_value = "30d", value_parser = values::parse_age)]
    max_age: Duration,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    file: TrustFileArg,
    /// Where to write it. A file that exists is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only the ledger whose genesis hash begins with these digits; by default all.
    #[arg(long, value_name = "HEX")]
    ledger: Option<String>,
}

pub(super) fn run(command: &TrustCommand) -> Result<u8, Failure> {
    match command {
        TrustCommand::Show(args) => show(args),
        TrustCommand::Fingerprint(args) => fingerprint(args),
        TrustCommand::Update(args) => update(args),
        TrustCommand::Export(args) => export(args),
    }
}

fn show(args: &ShowArgs) -> Result<u8, Failure> {
    let (path, trust) = args.file.read()?;
    if args.json {
        let ledgers: Vec<_> = trust.ledgers().iter().map(ledger_json).collect();
        let value =
            json!({ "format": "sigeli-trust-1", "checksum": hex::encode(trust.checksum()), "ledgers": ledgers });
        print(&format!("{value:#}\n"));
        return Ok(0);
    }
    let mut text = format!("Trust file {}\n", path.display());
    for ledger in trust.ledgers() {
        text.push_str(&ledger_text(ledger));
    }
    print(&text);
    Ok(0)
}

const fn kind_name(kind: NetworkKind) -> &'static str {
    match kind {
        NetworkKind::Production => "production",
        NetworkKind::Test => "test",
    }
}

/// The end of a range; none for what is in force.
fn end(set: &TrustedSet) -> Option<Height> {
    (set.last_height != Height::new(u64::MAX)).then_some(set.last_height)
}

fn ledger_json(ledger: &TrustedLedger) -> serde_json::Value {
    let set = |set: &TrustedSet| {
        let validators = set.set.validators().iter().map(|validator| {
            json!({
                "key": validator.key.to_string(),
                "authority": validator.authority.get(),
                "power": validator.power.get(),
            })
        });
        json!({
            "first_height": set.first_height.get(),
            "last_height": end(set).map(Height::get),
            "validators": validators.collect::<Vec<_>>(),
        })
    };
    let pinned = &ledger.checkpoint;
    json!({
        "genesis_hash": ledger.genesis.to_string(),
        "kind": kind_name(ledger.kind),
        "name_ka": ledger.name_ka.as_str(),
        "name_en": ledger.name_en.as_str(),
        "checkpoint": { "height": pinned.height.get(), "time_ms": pinned.time.get(), "id": pinned.id.to_string() },
        "sets": ledger.sets.iter().map(set).collect::<Vec<_>>(),
    })
}

fn ledger_text(ledger: &TrustedLedger) -> String {
    let pinned = &ledger.checkpoint;
    let mut text = format!(
        "\n{} / {}{}\n  Genesis:       {}\n  Pinned block:  {}, {}, {}\n",
        ledger.name_ka,
        ledger.name_en,
        if ledger.kind == NetworkKind::Test { "  (a TEST ledger: what it says does not count)" } else { "" },
        ledger.genesis,
        pinned.height,
        tbilisi(pinned.time),
        pinned.id,
    );
    for set in &ledger.sets {
        let last = end(set).map_or_else(|| "now".to_owned(), |last| last.to_string());
        text.push_str(&format!("  Blocks {} to {last}, signed by more than two thirds of:\n", set.first_height));
        for validator in set.set.validators() {
            text.push_str(&format!(
                "    authority {}, weight {}, key {}\n",
                validator.authority, validator.power, validator.key
            ));
        }
    }
    text
}

fn fingerprint(args: &FingerprintArgs) -> Result<u8, Failure> {
    let (path, trust) = args.file.read()?;
    let of_file = Fingerprint::of(trust.checksum());
    let Some(digits) = &args.confirm else {
        let mut text = format!(
            "Of this very file, {}. Compare it with that of the file which the operators publish, before the first \
             update:\n{of_file}\n",
            path.display()
        );
        for ledger in trust.ledgers() {
            let of_ledger = Fingerprint::of(ledger.genesis.get());
            text.push_str(&format!(
                "\nOf the ledger {} (it says nothing about the validators):\n{of_ledger}\n",
                ledger.name_en
            ));
        }
        print(&text);
        return Ok(0);
    };
    let heard = Fingerprint::parse(digits).map_err(|error| Failure::data(error.to_string()))?;
    if heard == of_file {
        print("The same: this is the very file that the other side has.\n");
        return Ok(0);
    }
    match trust.ledgers().iter().find(|ledger| ledger.genesis.as_bytes() == heard.bytes()) {
        Some(ledger) => {
            print(&format!(
                "The same ledger: {}. That does not confirm the validators in this file: compare the file's own digits too.\n",
                ledger.name_en
            ));
            Ok(0)
        }
        None => Err(Failure::data(
            "NOT the same: the digits are well read, but they are neither this file's nor its ledger's. Do not use the \
             file; get it anew from the ledger's operators. (After an update a file's own digits differ from those of the \
             published one: compare before it.)",
        )),
    }
}

fn update(args: &UpdateArgs) -> Result<u8, Failure> {
    let (path, trust) = args.file.read()?;
    let freshness = Freshness { at: now(), max_age_ms: u64::try_from(args.max_age.as_millis()).unwrap_or(u64::MAX) };
    let updated = online(async {
        let remote = connect(&args.node.nodes)?;
        Ok(trust::update(&remote, &trust, freshness, args.node.patience).await?)
    })?;
    if updated.trust != trust {
        trust::write(&path, &updated.trust)?;
    }
    let (before, after) = (updated.before, updated.after);
    if before == after {
        print(&format!("Up to date: block {}, {}.\n", after.height, tbilisi(after.time)));
        return Ok(0);
    }
    print(&format!("Followed from block {} to block {}, {}.\n", before.height, after.height, tbilisi(after.time)));
    match updated.changes {
        0 => print("The validators are the same.\n"),
        changes => print(&format!("The validators changed {changes} time(s); see `sigeli trust show`.\n")),
    }
    Ok(0)
}

fn export(args: &ExportArgs) -> Result<u8, Failure> {
    let (_, trust) = args.file.read()?;
    let chosen = match &args.ledger {
        None => trust,
        Some(begin) => {
            let begin = begin.to_lowercase();
            let found: Vec<_> =
                trust.ledgers().iter().filter(|one| one.genesis.to_string().starts_with(&begin)).collect();
            let [one] = found.as_slice() else {
                return Err(Failure::usage(format!(
                    "{} of the ledgers begin with {begin}: see `sigeli trust show`",
                    found.len()
                )));
            };
            Trust::new(vec![(*one).clone()]).ok_or_else(|| Failure::usage("no ledger"))?
        }
    };
    trust::write(&args.out, &chosen)?;
    note(format_args!("Whoever gets the file compares its fingerprint with you, not with whom it came from."));
    print(&format!(
        "{} ({} bytes), fingerprint:\n{}\n",
        args.out.display(),
        chosen.to_bytes().len(),
        Fingerprint::of(chosen.checksum())
    ));
    Ok(0)
}
