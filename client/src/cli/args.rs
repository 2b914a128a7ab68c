//! The options. Their texts are what a registrar's clerk reads.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use sigeli::values::{self, StatedKey};
use sigeli_verifier::{
    bounded::Text,
    ids::{EctsTenths, TimeMs},
    params::{LEGAL_ID_BYTES_MAX, NAME_BYTES_MAX},
    time::Day,
    transaction::{Field, FieldPrefixes, Level, Levels, Modes, StatusReason},
};

type NameArg = Text<NAME_BYTES_MAX>;
type LegalIdArg = Text<LEGAL_ID_BYTES_MAX>;

/// Registers micro-credentials on Georgia's ledger, and checks them.
///
/// Credentials never leave this computer: the ledger gets one number for a whole batch. Each credential gets a small file,
/// its bundle (FILE.sigeli), with which anybody can check it, without a network.
#[derive(Debug, Parser)]
#[command(name = "sigeli", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Usual steps of an institution:\n  \
    sigeli keygen --out gtu.key\n  \
    sigeli batch prepare credentials/* --out batch-1 --institution 1 --accreditation 2 --issued 2026-11-24 --node URL\n  \
    sigeli batch anchor batch-1 --key gtu.key --node URL\n\
    Anybody:\n  \
    sigeli verify diploma.pdf")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a signing key.
    Keygen(KeygenArgs),
    /// Shows institutions, and registers them (for the quality agency).
    Institution {
        #[command(subcommand)]
        command: InstitutionCommand,
    },
    /// Permissions of institutions (for the quality agency and the Ministry).
    Permission {
        #[command(subcommand)]
        command: PermissionCommand,
    },
    /// Registers credentials, many at a time (for institutions).
    Batch {
        #[command(subcommand)]
        command: BatchCommand,
    },
    /// The institution's own signing keys.
    Key {
        #[command(subcommand)]
        command: super::own::KeyCommand,
    },
    /// The institution's programmes, which can then be accredited.
    Programme {
        #[command(subcommand)]
        command: super::own::ProgrammeCommand,
    },
    /// Transactions that pass from hand to hand: make, read, sign, merge, hand in.
    Tx {
        #[command(subcommand)]
        command: super::tx_args::TxCommand,
    },
    /// Gets the newest proof for credentials, so that they verify as up to date.
    Stamp(StampArgs),
    /// Revokes, suspends or reinstates a credential (for institutions).
    Status {
        #[command(subcommand)]
        command: StatusCommand,
    },
    /// Checks whether a credential is genuine and valid. Needs no network.
    Verify(VerifyArgs),
    /// Which ledgers this computer believes: show, follow, compare over the telephone.
    Trust {
        #[command(subcommand)]
        command: super::trust::TrustCommand,
    },
    /// Bundles in other forms: inside a credential, in an archive, as QR codes, in two halves. Needs no network.
    Bundle {
        #[command(subcommand)]
        command: super::bundle::BundleCommand,
    },
    /// Writes what stands against credentials as Bitstring Status Lists of the W3C (for institutions).
    StatusList(super::status_list::StatusListArgs),
    #[command(flatten)]
    Query(super::query_args::QueryCommand),
}

#[derive(Debug, Args)]
pub(super) struct KeygenArgs {
    /// Where to write the key. A file that exists is never overwritten.
    #[arg(long, value_name = "FILE", default_value = "sigeli.key")]
    pub(super) out: PathBuf,
}

/// Which nodes to talk to.
#[derive(Debug, Args)]
pub(super) struct NodeArgs {
    /// Address of a node, for example http://node.example.ge:7400. Name several to be independent of any one.
    #[arg(long = "node", value_name = "URL", env = "SIGELI_NODE", value_delimiter = ',')]
    pub(super) nodes: Vec<String>,
    /// How long to go on when nodes do not answer: 30s, 10m.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = values::parse_age)]
    pub(super) patience: Duration,
}

/// Who signs for an authority.
#[derive(Debug, Args)]
pub(super) struct AuthorityArgs {
    #[command(flatten)]
    pub(super) node: NodeArgs,
    /// The number of the authority that decides, as in the ledger's genesis.
    #[arg(long, value_name = "ID")]
    pub(super) authority: u8,
    /// Signing key file of the authority. Repeat it where several have to sign.
    #[arg(long = "key", value_name = "FILE", env = "SIGELI_KEY", required = true)]
    pub(super) keys: Vec<PathBuf>,
    /// Number and date of the decision, exactly as on the document. Only its hash goes to the ledger; the same decision
    /// is never executed twice.
    #[arg(long, value_name = "TEXT")]
    pub(super) decision: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum InstitutionCommand {
    /// Registers an institution and its first keys.
    Register(InstitutionArgs),
    /// Shows an institution and its history.
    Show(super::query_args::OfInstitution),
    /// Lists the institutions.
    List(super::query_args::ReadArgs),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum KindArg {
    University,
    TeachingUniversity,
    College,
    Vocational,
    LegalEntity,
    Foreign,
}

#[derive(Debug, Args)]
pub(super) struct InstitutionArgs {
    #[command(flatten)]
    pub(super) authority: AuthorityArgs,
    #[command(flatten)]
    pub(super) facts: InstitutionFactsArgs,
}

/// What is registered of an institution.
#[derive(Debug, Args)]
pub(super) struct InstitutionFactsArgs {
    /// The number that the institution gets; it must be free.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    pub(super) institution: u32,
    /// What it is.
    #[arg(long, value_enum)]
    pub(super) kind: KindArg,
    /// Identification code in its country's register.
    #[arg(long, value_name = "CODE", value_parser = values::parse_text::<LEGAL_ID_BYTES_MAX>)]
    pub(super) legal_id: LegalIdArg,
    /// Name in Georgian.
    #[arg(long, value_name = "NAME", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(super) name_ka: NameArg,
    /// Name in English.
    #[arg(long, value_name = "NAME", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(super) name_en: NameArg,
    /// Country whose law made it.
    #[arg(long, value_name = "CODE", default_value = "GEO", value_parser = values::parse_country)]
    pub(super) jurisdiction: [u8; 3],
    /// Public key of the institution, optionally with its purposes: KEY or KEY:anchor,status,admin. Repeatable.
    #[arg(long = "institution-key", value_name = "KEY", required = true, value_parser = values::parse_institution_key)]
    pub(super) institution_keys: Vec<StatedKey>,
    #[command(flatten)]
    pub(super) days: KeyDaysArgs,
    /// Hash of the institution's public profile, which is kept off the ledger; none by default.
    #[arg(long, value_name = "HASH", value_parser = values::parse_hash)]
    pub(super) profile: Option<[u8; 32]>,
}

/// The days on which new keys may sign.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct KeyDaysArgs {
    /// First day on which the keys may sign (in Tbilisi); by default today.
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) keys_from: Option<Day>,
    /// Last day on which the keys may sign; by default two years after the first.
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) keys_until: Option<Day>,
}

#[derive(Debug, Subcommand)]
pub(super) enum PermissionCommand {
    /// Grants a permission to an institution.
    Grant {
        #[command(subcommand)]
        kind: GrantKind,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum GrantKind {
    /// Authorisation: the institution may issue state-recognised documents (NCEQE).
    Authorisation(GrantArgs),
    /// The Minister's order for the pilot: fields and levels (Ministry).
    Order(OrderArgs),
    /// Accreditation of one programme (NCEQE).
    Accreditation(AccreditationArgs),
}

#[derive(Debug, Args)]
pub(super) struct GrantArgs {
    #[command(flatten)]
    pub(super) authority: AuthorityArgs,
    #[command(flatten)]
    pub(super) granted: GrantedArgs,
}

/// Who gets a permission, and for which days.
#[derive(Debug, Args)]
pub(super) struct GrantedArgs {
    /// The institution's number.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    pub(super) institution: u32,
    /// First day on which it holds (in Tbilisi).
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) from: Day,
    /// Last day on which it holds.
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) until: Day,
    /// Granted under conditions.
    #[arg(long)]
    pub(super) conditional: bool,
}

#[derive(Debug, Args)]
pub(super) struct OrderArgs {
    #[command(flatten)]
    pub(super) grant: GrantArgs,
    #[command(flatten)]
    pub(super) order: OrderedArgs,
}

/// What a Minister's order covers.
#[derive(Debug, Args)]
pub(super) struct OrderedArgs {
    /// Fields of study, ISCED-F 2013: 2, 3 or 4 digits each, for example 06,0714.
    #[arg(long, value_name = "FIELDS", value_parser = values::parse_fields)]
    pub(super) fields: FieldPrefixes,
    /// Levels of the National Qualifications Framework, for example 6,7.
    #[arg(long, value_name = "LEVELS", value_parser = values::parse_levels)]
    pub(super) levels: Levels,
}

#[derive(Debug, Args)]
pub(super) struct AccreditationArgs {
    #[command(flatten)]
    pub(super) grant: GrantArgs,
    #[command(flatten)]
    pub(super) programme: AccreditedArgs,
}

/// What the accreditation of a programme allows.
#[derive(Debug, Args)]
pub(super) struct AccreditedArgs {
    /// The institution that coordinates the programme and has registered it; by default the one that is accredited.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) coordinator: Option<u32>,
    /// The programme's number with the institution that coordinates it: `sigeli programme register` prints it.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) programme: u32,
    /// The programme's title in Georgian, exactly as it was registered.
    #[arg(long, value_name = "TITLE", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(super) title_ka: NameArg,
    /// The programme's title in English, exactly as it was registered.
    #[arg(long, value_name = "TITLE", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(super) title_en: NameArg,
    /// The foreign agency whose evaluation is recognised; left out when the quality agency evaluated the programme.
    #[arg(long, value_name = "NAME", default_value = "", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(super) agent: NameArg,
    /// Its level in the National Qualifications Framework.
    #[arg(long, value_name = "LEVEL", value_parser = values::parse_level)]
    pub(super) level: Level,
    /// Its fields of study, ISCED-F 2013: 2, 3 or 4 digits each.
    #[arg(long, value_name = "FIELDS", value_parser = values::parse_fields)]
    pub(super) fields: FieldPrefixes,
    /// The most credits (ECTS) that one credential may state.
    #[arg(long, value_name = "CREDITS", value_parser = values::parse_ects)]
    pub(super) ects_max: EctsTenths,
    /// How it is attended: on-site, online, blended, work-based; several separated by commas.
    #[arg(long, value_name = "MODES", value_parser = values::parse_modes)]
    pub(super) modes: Modes,
    /// The day by which the accreditation is to be reviewed; by default its last day.
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) review: Option<Day>,
    /// It leads to certificates of participation: attendance without an assessed outcome.
    #[arg(long)]
    pub(super) participation: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum BatchCommand {
    /// Makes a batch of credential files: salts, tree, manifest. Nothing leaves this computer.
    Prepare(PrepareArgs),
    /// Registers a prepared batch and writes one bundle per credential. Safe to repeat.
    Anchor(AnchorArgs),
    /// Suspends a whole batch until it is reinstated or revoked.
    Suspend(super::own::BatchStatusArgs),
    /// Makes a suspended batch valid again.
    Reinstate(super::own::BatchStatusArgs),
    /// Revokes a whole batch for good.
    Revoke(super::own::BatchStatusArgs),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum AsFileArg {
    /// Those that look like JSON but that two programs might read differently.
    Refused,
    /// All.
    All,
}

#[derive(Debug, Args)]
pub(super) struct PrepareArgs {
    /// The credentials: one file each, of one programme and date of issue.
    #[arg(value_name = "FILES", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Directory for the batch; empty or not there yet. Keep it: it holds what is needed to make bundles again.
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// The institution's number.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    pub(super) institution: u32,
    /// Number of the programme's accreditation within the institution.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) accreditation: u32,
    /// Date of issue that the credentials state.
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) issued: Day,
    /// Level that the credentials state; by default the accreditation's.
    #[arg(long, value_name = "LEVEL", value_parser = values::parse_level)]
    pub(super) level: Option<Level>,
    /// Field of study that the credentials state (4 digits, ISCED-F 2013); by default the accreditation's.
    #[arg(long, value_name = "FIELD", value_parser = values::parse_field)]
    pub(super) field: Option<Field>,
    /// Credits (ECTS) that the credentials state; by default the most that the accreditation allows.
    #[arg(long, value_name = "CREDITS", value_parser = values::parse_ects)]
    pub(super) ects: Option<EctsTenths>,
    /// Register files byte for byte instead of by their content. PDFs and pictures always are.
    #[arg(long, value_enum, value_name = "WHICH")]
    pub(super) as_file: Option<AsFileArg>,
    /// Address of a node, to look the accreditation up. Without it, --level, --field and --ects are needed.
    #[arg(long = "node", value_name = "URL", env = "SIGELI_NODE", value_delimiter = ',')]
    pub(super) nodes: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct AnchorArgs {
    /// The directory of the prepared batch. Bundles are written there.
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
    #[command(flatten)]
    pub(super) node: NodeArgs,
    /// Signing key file of the institution.
    #[arg(long, value_name = "FILE", env = "SIGELI_KEY")]
    pub(super) key: PathBuf,
    /// The institution's number, to be compared with the batch's.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    pub(super) institution: Option<u32>,
    /// Trust file that the proofs are checked against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// Make bundles smaller: without the accreditation's own record, and so without the programme's title.
    #[arg(long)]
    pub(super) small: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum StampCommand {
    /// Gets new proofs for whole folders, without telling a node which credentials are meant.
    Refresh(super::refresh::RefreshArgs),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct StampArgs {
    #[command(subcommand)]
    pub(super) command: Option<StampCommand>,
    /// The credentials; their bundles are expected beside them, as FILE.sigeli.
    #[arg(value_name = "FILES", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// The bundle, where it is not beside the credential (for one credential only).
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(super) node: NodeArgs,
    /// Trust file that the proofs are checked against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// Make bundles smaller: without the accreditation's own record, and so without the programme's title.
    #[arg(long)]
    pub(super) small: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum StatusCommand {
    /// Revokes a credential for good.
    Revoke(StatusArgs),
    /// Suspends a credential until it is reinstated or revoked.
    Suspend(StatusArgs),
    /// Makes a suspended credential valid again.
    Reinstate(StatusArgs),
    /// Drafts a change of credentials by decision of the quality agency or a court (for the quality agency); the same as
    /// `tx new status-order`.
    Order(super::tx_args::StatusOrderArgs),
    /// Drafts the annulment of orders, or of what compromised keys wrote (for the quality agency); the same as `tx new status-annul`.
    Annul(super::tx_args::StatusAnnulArgs),
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// The credential.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Why: 0 unspecified, 1 issued-in-error, 2 award-withdrawn, 3 superseded, 4 holder-request, 5 key-compromised,
    /// 6 order, 7 not-accredited; for suspensions 8 under-review; for reinstatements 9 review-ended.
    #[arg(long, value_name = "CODE", value_parser = values::parse_reason)]
    pub(super) reason: StatusReason,
    /// The bundle, where it is not beside the credential.
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(super) node: NodeArgs,
    /// Signing key file of the institution.
    #[arg(long, value_name = "FILE", env = "SIGELI_KEY")]
    pub(super) key: PathBuf,
    /// The institution's number, to be compared with the bundle's.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    pub(super) institution: Option<u32>,
    /// Trust file that the proofs are checked against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LanguageArg {
    /// English.
    En,
    /// ქართული.
    Ka,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 genuine and valid; 1 genuine, but no longer valid; 2 not genuine; 3 could not be checked \
    (no bundle, unknown ledger, status too old); of many, the worst: 2, then 3, then 1, then 0; 73: the result could not be \
    written; other codes from 64 on: the command itself failed."
)]
pub(super) struct VerifyArgs {
    /// The credential; or a folder, or a ZIP archive, of many.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The bundle; by default FILE.sigeli beside the credential, else the one inside it.
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Option<PathBuf>,
    /// Trust file: which ledgers to believe; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// Ask this node for the newest status first. Without it, no network is used.
    #[arg(long = "node", value_name = "URL", value_delimiter = ',')]
    pub(super) nodes: Vec<String>,
    /// How old the status may be: 30s, 10m, 24h, 7d.
    #[arg(long, value_name = "AGE", default_value = "24h", value_parser = values::parse_age)]
    pub(super) max_age: Duration,
    /// Judge as of this time (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME", value_parser = values::parse_time)]
    pub(super) at: Option<TimeMs>,
    /// Print JSON for programs.
    #[arg(long)]
    pub(super) json: bool,
    /// Write a table with a row for each of many credentials (CSV, UTF-8); an older one there is replaced.
    #[arg(long, value_name = "FILE")]
    pub(super) csv: Option<PathBuf>,
    /// How many of many credentials are checked at once; by default one for each processor.
    #[arg(long, value_name = "NUMBER")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Language of the texts; by default the system's.
    #[arg(long, value_enum, value_name = "LANG")]
    pub(super) lang: Option<LanguageArg>,
}
