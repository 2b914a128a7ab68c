//! What institutions do about themselves: keys, programmes, whole batches.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sigeli::{
    batch::PreparedBatch,
    institution::{self, OwnSigner, Written},
    keys::SecretKey,
    values::{self, StatedKey},
};
use sigeli_verifier::{
    bounded::{List, Text},
    ids::{BatchRoot, InstitutionId, KeyIndex},
    params::NAME_BYTES_MAX,
    transaction::{BatchAction, StatusReason},
};

use super::{
    args::{KeyDaysArgs, NodeArgs},
    connect,
    failure::Failure,
    print, register,
};

/// Who signs for an institution.
#[derive(Debug, Args)]
pub(super) struct OwnArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// The institution's number.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    institution: u32,
    /// Signing key file of the institution.
    #[arg(long, value_name = "FILE", env = "SIGELI_KEY")]
    key: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Gives the institution further keys. The signing key must be one that administrates.
    Add(KeyAddArgs),
    /// Retires a key: it signs nothing any more; what it signed stays valid.
    Retire(KeyIndexArgs),
    /// Declares a key compromised from now on: it signs nothing any more. To void what it signed before, ask the quality
    /// agency.
    Compromise(KeyIndexArgs),
}

#[derive(Debug, Args)]
pub(super) struct KeyAddArgs {
    #[command(flatten)]
    own: OwnArgs,
    /// New public key, optionally with its purposes: KEY or KEY:anchor,status,admin. Repeatable.
    #[arg(long = "institution-key", value_name = "KEY", required = true, value_parser = values::parse_institution_key)]
    keys: Vec<StatedKey>,
    #[command(flatten)]
    days: KeyDaysArgs,
}

#[derive(Debug, Args)]
pub(super) struct KeyIndexArgs {
    #[command(flatten)]
    own: OwnArgs,
    /// The position of the key in the institution's list, from 0.
    #[arg(long, value_name = "N", value_parser = values::parse_index)]
    index: u16,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProgrammeCommand {
    /// Registers a programme. It can then be accredited, and can never be changed.
    Register(ProgrammeArgs),
}

#[derive(Debug, Args)]
pub(super) struct ProgrammeArgs {
    #[command(flatten)]
    own: OwnArgs,
    /// Title in Georgian.
    #[arg(long, value_name = "TITLE", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    title_ka: Text<NAME_BYTES_MAX>,
    /// Title in English.
    #[arg(long, value_name = "TITLE", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    title_en: Text<NAME_BYTES_MAX>,
    /// Number of an institution that awards it jointly. Repeatable.
    #[arg(long = "partner", value_name = "ID", value_parser = values::parse_number)]
    partners: Vec<u32>,
}

#[derive(Debug, Args)]
pub(super) struct BatchStatusArgs {
    /// The directory of the batch, as it was prepared.
    #[arg(value_name = "DIR", required_unless_present = "root", conflicts_with = "root")]
    directory: Option<PathBuf>,
    /// The root of the batch, where its directory is not at hand.
    #[arg(long, value_name = "HASH", value_parser = values::parse_hash)]
    root: Option<[u8; 32]>,
    /// Why: 0 unspecified, 1 issued-in-error, 2 award-withdrawn, 4 holder-request, 5 key-compromised, 6 order,
    /// 7 not-accredited; for suspensions 8 under-review; for reinstatements 9 review-ended.
    #[arg(long, value_name = "CODE", value_parser = values::parse_reason)]
    reason: StatusReason,
    #[command(flatten)]
    own: OwnArgs,
}

fn signer<'a>(own: &OwnArgs, key: &'a SecretKey) -> OwnSigner<'a> {
    OwnSigner { institution: InstitutionId::new(own.institution), key, patience: own.node.patience }
}

fn when(written: &Written) -> String {
    let before = if written.was_written { "; it had been before this command" } else { "" };
    format!(" (block {}{before})", written.height)
}

pub(super) async fn key(command: &KeyCommand) -> Result<u8, Failure> {
    let own = match command {
        KeyCommand::Add(args) => &args.own,
        KeyCommand::Retire(args) | KeyCommand::Compromise(args) => &args.own,
    };
    let secret = SecretKey::read(&own.key)?;
    let remote = connect(&own.node.nodes)?;
    let signer = signer(own, &secret);
    print(&match command {
        KeyCommand::Add(args) => {
            let keys = register::keys(&args.keys, args.days)?;
            let window = register::key_window(args.days)?;
            let count = keys.len();
            let written = institution::add_keys(&remote, signer, keys).await?;
            let (first, last) = (window.first(), window.last());
            format!(
                "Institution {} has {count} further key(s), which may sign from {first} until {last}{}.\n",
                own.institution,
                when(&written)
            )
        }
        KeyCommand::Retire(args) => {
            let written = institution::retire_key(&remote, signer, KeyIndex::new(args.index)).await?;
            format!("Key {} of institution {} is retired{}.\n", args.index, own.institution, when(&written))
        }
        KeyCommand::Compromise(args) => {
            let written = institution::declare_compromised(&remote, signer, KeyIndex::new(args.index)).await?;
            format!(
                "Key {} of institution {} is declared compromised in block {}: it signs nothing any more, and what it signed before \
                 stands{}.\n",
                args.index,
                own.institution,
                written.height,
                if written.was_written { "; it had been declared before this command" } else { "" }
            )
        }
    });
    Ok(0)
}

pub(super) async fn programme(command: &ProgrammeCommand) -> Result<u8, Failure> {
    let ProgrammeCommand::Register(args) = command;
    let secret = SecretKey::read(&args.own.key)?;
    let remote = connect(&args.own.node.nodes)?;
    let partners = partners(&args.partners)?;
    let (title_ka, title_en) = (args.title_ka.clone(), args.title_en.clone());
    let programme =
        institution::register_programme(&remote, signer(&args.own, &secret), title_ka, title_en, partners).await?;
    print(&format!(
        "“{}” is programme {} of institution {}{}.\n",
        args.title_en,
        programme.number,
        args.own.institution,
        when(&programme.written)
    ));
    Ok(0)
}

/// Partners as the ledger wants them: in ascending order, each once.
pub(super) fn partners(
    numbers: &[u32],
) -> Result<List<InstitutionId, { sigeli_verifier::params::PARTNERS_MAX }>, Failure> {
    let mut partners: Vec<_> = numbers.iter().copied().map(InstitutionId::new).collect();
    partners.sort();
    partners.dedup();
    List::new(partners).map_err(|error| Failure::usage(format!("too many partners: {error}")))
}

pub(super) async fn batch(args: &BatchStatusArgs, action: BatchAction) -> Result<u8, Failure> {
    let secret = SecretKey::read(&args.own.key)?;
    let root = match (&args.directory, args.root) {
        (Some(directory), _) => PreparedBatch::open(directory)?.root(),
        (None, Some(root)) => BatchRoot::new(root),
        (None, None) => return Err(Failure::usage("name the batch by its directory or with --root")),
    };
    let remote = connect(&args.own.node.nodes)?;
    let written = institution::change_batch(&remote, signer(&args.own, &secret), root, action, args.reason).await?;
    let done = match action {
        BatchAction::Suspend => "suspended",
        BatchAction::Reinstate => "valid again",
        BatchAction::Revoke => "revoked for good",
    };
    print(&format!(
        "All credentials of the batch {root} are {done}{}. Bundles handed out earlier show it once they are refreshed.\n",
        when(&written)
    ));
    Ok(0)
}
