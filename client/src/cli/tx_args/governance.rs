//! Arguments of transactions about authorities, policy and upgrades.

use std::time::Duration;

use clap::{Args, ValueEnum};
use sigeli::values;
use sigeli_verifier::{crypto::PublicKey, ids::EctsTenths, params::NAME_BYTES_MAX};

use super::{AuthorityDraftArgs, JointDraftArgs, NameArg};

/// An authority's keys.
#[derive(Debug, Args)]
pub(in crate::cli) struct AuthorityKeyListArgs {
    /// Public key of the authority. Repeatable; the order gives the positions, from 0.
    #[arg(long = "authority-key", value_name = "KEY", required = true, value_parser = values::parse_public_key)]
    pub(in crate::cli) keys: Vec<PublicKey>,
    /// How many of them must sign.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(in crate::cli) threshold: u8,
    /// Public key that signs checkpoints of the history. Repeatable; none by default.
    #[arg(long = "log-key", value_name = "KEY", value_parser = values::parse_public_key)]
    pub(in crate::cli) log_keys: Vec<PublicKey>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuthorityKeysArgs {
    #[command(flatten)]
    pub(in crate::cli) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(in crate::cli) list: AuthorityKeyListArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum AuthorityKindArg {
    /// Grants the Minister's orders.
    Ministry,
    /// The quality agency.
    Nceqe,
    /// The education information system.
    Emis,
    /// An operator of nodes.
    Operator,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuthoritySetArgs {
    #[command(flatten)]
    pub(in crate::cli) by: JointDraftArgs,
    /// The number of the authority that is added or changed.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) number: u8,
    /// What it is.
    #[arg(long, value_enum)]
    pub(in crate::cli) kind: AuthorityKindArg,
    /// Name in Georgian.
    #[arg(long, value_name = "NAME", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(in crate::cli) name_ka: NameArg,
    /// Name in English.
    #[arg(long, value_name = "NAME", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(in crate::cli) name_en: NameArg,
    #[command(flatten)]
    pub(in crate::cli) list: AuthorityKeyListArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuthorityRemoveArgs {
    #[command(flatten)]
    pub(in crate::cli) by: JointDraftArgs,
    /// The number of the authority that is ended.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) number: u8,
}

/// Rules; those that are not named stay as they are, which takes --node or --genesis to know.
#[derive(Debug, Args)]
pub(in crate::cli) struct PolicySetArgs {
    #[command(flatten)]
    pub(in crate::cli) by: JointDraftArgs,
    /// The most credits (ECTS) of one credential at the levels 1 to 8: eight numbers, separated by commas.
    #[arg(long, value_name = "CREDITS", value_delimiter = ',', value_parser = values::parse_ects)]
    pub(in crate::cli) ects_max: Option<Vec<EctsTenths>>,
    /// The least credits (ECTS) of one credential at the levels 1 to 8: eight numbers, separated by commas.
    #[arg(long, value_name = "CREDITS", value_delimiter = ',', value_parser = values::parse_ects)]
    pub(in crate::cli) ects_min: Option<Vec<EctsTenths>>,
    /// The most credits (ECTS) from such credentials that count towards one programme of study.
    #[arg(long, value_name = "CREDITS", value_parser = values::parse_ects)]
    pub(in crate::cli) ects_recognised_max: Option<EctsTenths>,
    /// The smallest height of a batch's tree, 4 to 20.
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u8).range(4..=20))]
    pub(in crate::cli) batch_height_min: Option<u8>,
    /// How far a date of issue may lie ahead: 10m.
    #[arg(long, value_name = "TIME", value_parser = values::parse_age)]
    pub(in crate::cli) clock_tolerance: Option<Duration>,
    /// Whether a batch needs a Minister's order.
    #[arg(long, value_name = "YES/NO", value_parser = parse_yes_no)]
    pub(in crate::cli) order_required: Option<bool>,
    /// How many batches one institution may register per day.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) batches_per_day: Option<u32>,
    /// How many statuses one institution may write per day.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) statuses_per_day: Option<u32>,
    /// How many changes of its own keys and programmes one institution may make per day.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) changes_per_day: Option<u32>,
    /// How many authorities must approve joint transactions: more than half of them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(in crate::cli) approvals_min: Option<u8>,
}

fn parse_yes_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("write yes or no"),
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct UpgradeArgs {
    #[command(flatten)]
    pub(in crate::cli) by: JointDraftArgs,
    /// The protocol version; with --take-back the one in force.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) protocol: u16,
    /// The first block of that version.
    #[arg(long, value_name = "BLOCK", required_unless_present = "take_back", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) from_block: Option<u64>,
    /// Take an announced upgrade back.
    #[arg(long, conflicts_with = "from_block")]
    pub(in crate::cli) take_back: bool,
}
