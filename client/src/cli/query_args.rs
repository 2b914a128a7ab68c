//! The options of commands that only read.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use sigeli::{export, values};
use sigeli_verifier::{ids::TimeMs, time::Day};

/// Where to ask, whom to believe, and how to print.
#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    /// Address of a node, for example http://node.example.ge:7400. Name several to be independent of any one.
    #[arg(long = "node", value_name = "URL", env = "SIGELI_NODE", value_delimiter = ',')]
    pub(super) nodes: Vec<String>,
    /// Trust file that every answer is proved against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// How old an answer may be: 30s, 10m, 24h, 7d.
    #[arg(long, value_name = "AGE", default_value = "10m", value_parser = values::parse_age)]
    pub(super) max_age: Duration,
    /// Judge the age as of this time (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME", value_parser = values::parse_time)]
    pub(super) at: Option<TimeMs>,
    /// Print JSON for programs.
    #[arg(long)]
    pub(super) json: bool,
}

/// An institution, and where to ask about it.
#[derive(Debug, Args)]
pub(super) struct OfInstitution {
    #[command(flatten)]
    pub(super) read: ReadArgs,
    /// The institution's number.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    pub(super) institution: u32,
}

#[derive(Debug, Args)]
pub(super) struct PermissionsArgs {
    #[command(flatten)]
    pub(super) of: OfInstitution,
    /// Where they stand on this day, by all that is written about them; by default the newest block's day.
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) as_of: Option<Day>,
    /// Only what the ledger held at this time (RFC 3339): decisions taken later with effect for the past are left out.
    #[arg(long, value_name = "TIME", value_parser = values::parse_time)]
    pub(super) known: Option<TimeMs>,
}

#[derive(Debug, Args)]
pub(super) struct BatchesArgs {
    #[command(flatten)]
    pub(super) of: OfInstitution,
    /// Only those under this accreditation.
    #[arg(long, value_name = "ID", value_parser = values::parse_number, conflicts_with = "programme")]
    pub(super) accreditation: Option<u32>,
    /// Only those of this programme, under any of its accreditations.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) programme: Option<u32>,
    /// The institution that coordinates the programme, where it is another one.
    #[arg(long, value_name = "ID", value_parser = values::parse_number, requires = "programme")]
    pub(super) coordinator: Option<u32>,
    /// The first number to list: of the institution's batches, or of those under each accreditation.
    #[arg(long = "from", value_name = "NUMBER", default_value = "1", value_parser = values::parse_number)]
    pub(super) first: u32,
    /// How many to list at most.
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = values::parse_number)]
    pub(super) limit: u32,
}

#[derive(Debug, Args)]
pub(super) struct StatusesArgs {
    #[command(flatten)]
    pub(super) of: OfInstitution,
    /// Only the part of the register where this credential's status stands, or would stand: the node does not learn which
    /// credential is meant, only that it is one of many.
    #[arg(long, value_name = "CREDENTIAL")]
    pub(super) prefix_for: Option<PathBuf>,
    /// The credential's bundle, where it is not beside it.
    #[arg(long, value_name = "FILE", requires = "prefix_for")]
    pub(super) bundle: Option<PathBuf>,
    /// How much of the place the node learns, in bits: with 8, the credential is one of all but 1 in 256.
    #[arg(long, value_name = "BITS", default_value_t = 8, value_parser = clap::value_parser!(u8).range(0..=16))]
    pub(super) bits: u8,
}

#[derive(Debug, Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    pub(super) read: ReadArgs,
    /// The first block.
    #[arg(long, value_name = "HEIGHT", default_value_t = 1)]
    pub(super) from: u64,
    /// Go on with each block as it is committed, until the command is stopped.
    #[arg(long)]
    pub(super) follow: bool,
    /// Blocks without transactions too.
    #[arg(long)]
    pub(super) empty: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Writes every block and every transaction to a directory, in plain words and as canonical bytes, and tables for
    /// spreadsheets. Goes on with what is there already.
    Export(AuditExportArgs),
    /// Checks such a directory: offline, against the trust file alone.
    Verify(AuditVerifyArgs),
}

#[derive(Debug, Args)]
pub(super) struct AuditExportArgs {
    /// Address of a node, for example http://node.example.ge:7400. Name several to be independent of any one.
    #[arg(long = "node", value_name = "URL", env = "SIGELI_NODE", value_delimiter = ',')]
    pub(super) nodes: Vec<String>,
    /// Trust file that every block is checked against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// The first block to write. All before it are read and checked too. Only an export from 0 has tables of institutions,
    /// permissions and batches.
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    pub(super) from: u64,
    /// The last block to write; by default the newest.
    #[arg(long, value_name = "HEIGHT")]
    pub(super) to: Option<u64>,
    /// The directory.
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Begin the tables with the mark of UTF-8, which some spreadsheet programs need for Georgian.
    #[arg(long)]
    pub(super) bom: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the export is what the ledger's validators have confirmed; 2 it is not (each difference is \
    named by file and line); 64 and above: the command itself failed."
)]
pub(super) struct AuditVerifyArgs {
    /// The directory.
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
    /// Trust file; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// Print JSON for programs.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArg {
    /// elm:Accreditation of the European Learning Model 3, JSON-LD.
    Elm,
    /// EBSI VerifiableAccreditationToAttest, unsigned.
    Ebsi,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pub(super) of: OfInstitution,
    /// Which form.
    #[arg(long, value_enum)]
    pub(super) format: FormatArg,
    /// Only this permission; by default all.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) permission: Option<u32>,
    /// Directory for one file per permission; a file that exists is replaced. Without it, one permission is printed.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// DID of the accrediting authority. By default a urn:uuid derived from the ledger and the authority's number.
    #[arg(long, value_name = "DID")]
    pub(super) authority_did: Option<String>,
    /// DID of the institution. By default a urn:uuid derived from the ledger and the institution's number.
    #[arg(long, value_name = "DID")]
    pub(super) institution_did: Option<String>,
    /// EBSI's Trusted Issuers Registry. The default is that of EBSI's test network.
    #[arg(long, value_name = "URL", default_value = export::REGISTRY)]
    pub(super) registry: String,
    /// The authority's own accreditation. By default the registry's entry of the authority.
    #[arg(long, value_name = "URL")]
    pub(super) terms_of_use: Option<String>,
    /// The schema of the credentials that the institution may issue.
    #[arg(long, value_name = "URL", default_value = export::ATTESTED_SCHEMA)]
    pub(super) attested_schema: String,
    /// Their types.
    #[arg(long, value_name = "TYPES", value_delimiter = ',',
        default_values = ["VerifiableCredential", "EuropeanDigitalCredential"])]
    pub(super) attested_types: Vec<String>,
    /// The schema of the EBSI accreditation itself. The default is EBSI's accreditation schema 1.3.0 on its test network.
    #[arg(long, value_name = "URL", default_value = export::CREDENTIAL_SCHEMA)]
    pub(super) credential_schema: String,
    /// What our own terms begin with; the default makes them IRIs of a scheme that is not registered.
    #[arg(long, value_name = "IRI", default_value = export::TERMS)]
    pub(super) terms: String,
    /// Country of a foreign agency that evaluated a programme (ISO 3166-1 alpha-3).
    #[arg(long, value_name = "CODE", value_parser = values::parse_country)]
    pub(super) agency_country: Option<[u8; 3]>,
}

#[derive(Debug, Subcommand)]
pub(super) enum EvidenceCommand {
    /// Asks nodes which validators they have seen sign two messages where they may sign one.
    List(EvidenceListArgs),
    /// Checks files of evidence. Needs no network. Exit 0: proved against a validator that the trust file knows; 2: a file
    /// proves nothing; 3: the key or the ledger is unknown.
    Verify(EvidenceVerifyArgs),
}

#[derive(Debug, Args)]
pub(super) struct EvidenceListArgs {
    /// Address of a node, for example http://node.example.ge:7400. Each one that is named is asked.
    #[arg(long = "node", value_name = "URL", env = "SIGELI_NODE", value_delimiter = ',', required = true)]
    pub(super) nodes: Vec<String>,
    /// Trust file that tells whose keys these are; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// Also write each piece into this directory, as a file that proves itself.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) out: Option<PathBuf>,
    /// Print JSON for programs.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct EvidenceVerifyArgs {
    /// The files.
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Trust file that tells whose keys these are; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// Print JSON for programs.
    #[arg(long)]
    pub(super) json: bool,
}

/// The commands that only read, beside those on institutions.
#[derive(Debug, Subcommand)]
pub(super) enum QueryCommand {
    /// Lists an institution's permissions with their history, as they stand now or stood on a day.
    Permissions(PermissionsArgs),
    /// Says what an institution may issue today, and what stands against the rest.
    MayIssue(OfInstitution),
    /// Lists an institution's batches.
    Batches(BatchesArgs),
    /// Lists what is written about an institution's credentials.
    Statuses(StatusesArgs),
    /// Prints blocks and transactions as they were committed, one JSON object per line.
    Events(EventsArgs),
    /// Shows the limits that the authorities have set.
    Policy(ReadArgs),
    /// Lists the authorities.
    Authorities(ReadArgs),
    /// Exports the ledger for auditors, and checks such exports.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Finds and checks evidence against validators that broke the rules of consensus.
    Evidence {
        #[command(subcommand)]
        command: EvidenceCommand,
    },
    /// Exports permissions in the forms that Europe's systems read.
    Export(ExportArgs),
}
