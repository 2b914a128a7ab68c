//! The options of `sigeli tx`. Their texts are what a lawyer of the quality agency reads.

mod governance;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sigeli::values::{self, StatedKey};
use sigeli_verifier::{
    bounded::Text,
    ids::TimeMs,
    params::{LEGAL_ID_BYTES_MAX, NAME_BYTES_MAX},
    time::Day,
    transaction::{DecisionReason, StatusReason},
};

use super::args::{
    AccreditedArgs, GrantedArgs, InstitutionFactsArgs, KeyDaysArgs, KindArg, LanguageArg, NodeArgs, OrderedArgs,
};

pub(super) use self::governance::{
    AuthorityKeyListArgs, AuthorityKeysArgs, AuthorityKindArg, AuthorityRemoveArgs, AuthoritySetArgs, PolicySetArgs,
    UpgradeArgs,
};

type NameArg = Text<NAME_BYTES_MAX>;
type LegalIdArg = Text<LEGAL_ID_BYTES_MAX>;

#[derive(Debug, Subcommand)]
pub(super) enum TxCommand {
    /// Makes the draft of a transaction. Nothing leaves this computer.
    New {
        #[command(subcommand)]
        kind: Box<NewKind>,
    },
    /// Says in plain words what a draft would do, who must sign it and who has.
    Show(ShowArgs),
    /// Shows a draft, then signs it.
    Sign(SignArgs),
    /// Puts the signatures of several copies of one draft together.
    Merge(MergeArgs),
    /// Hands a draft in and waits until it is decided. Safe to repeat.
    Submit(SubmitArgs),
}

/// Where a draft is written, for which ledger, and how long it is valid.
#[derive(Debug, Args)]
pub(super) struct DraftArgs {
    /// Where to write the draft. A file that exists is never overwritten.
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// The ledger, by the hash of its genesis document.
    #[arg(long, value_name = "HASH", value_parser = values::parse_hash)]
    pub(super) ledger: Option<[u8; 32]>,
    /// The ledger's genesis document.
    #[arg(long, value_name = "FILE")]
    pub(super) genesis: Option<PathBuf>,
    /// Address of a node, to look up the ledger and the transaction's number.
    #[arg(long = "node", value_name = "URL", env = "SIGELI_NODE", value_delimiter = ',')]
    pub(super) nodes: Vec<String>,
    /// Trust file that what nodes say is checked against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// For how many days authorities may sign it and hand it in, 1 to 90; by default 30.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=90))]
    pub(super) valid_days: Option<u32>,
    /// For how many minutes an institution may sign it and hand it in, 1 to 10; by default 8.
    #[arg(long, value_name = "MINUTES", conflicts_with = "valid_days", value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(super) valid_minutes: Option<u32>,
    /// Language of what is shown; by default the system's.
    #[arg(long, value_enum, value_name = "LANG")]
    pub(super) lang: Option<LanguageArg>,
}

/// A decision of one authority.
#[derive(Debug, Args)]
pub(super) struct AuthorityDraftArgs {
    #[command(flatten)]
    pub(super) draft: DraftArgs,
    /// The number of the authority that decides.
    #[arg(long, value_name = "ID")]
    pub(super) authority: u8,
    /// The number of this transaction among the authority's; looked up with --node.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) sequence: Option<u64>,
    /// Number and date of the decision, exactly as on the document. Only its hash goes to the ledger.
    #[arg(long, value_name = "TEXT", value_parser = parse_decision)]
    pub(super) decision: String,
}

/// A joint decision of the authorities.
#[derive(Debug, Args)]
pub(super) struct JointDraftArgs {
    #[command(flatten)]
    pub(super) draft: DraftArgs,
    /// The number of this transaction among the joint ones; looked up with --node.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) sequence: Option<u64>,
    /// Number and date of the decision, exactly as on the document. Only its hash goes to the ledger.
    #[arg(long, value_name = "TEXT", value_parser = parse_decision)]
    pub(super) decision: String,
}

/// What an institution does itself, or an authority by decision.
#[derive(Debug, Args)]
pub(super) struct EitherDraftArgs {
    #[command(flatten)]
    pub(super) draft: DraftArgs,
    /// The institution's number. Without --authority it sends the transaction itself.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    pub(super) institution: u32,
    /// The number of the authority that decides, where it is not the institution itself.
    #[arg(long, value_name = "ID", requires = "decision")]
    pub(super) authority: Option<u8>,
    /// The number of this transaction among the authority's; looked up with --node.
    #[arg(long, value_name = "N", requires = "authority", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) sequence: Option<u64>,
    /// Number and date of the authority's decision, exactly as on the document. Only its hash goes to the ledger.
    #[arg(long, value_name = "TEXT", requires = "authority", value_parser = parse_decision)]
    pub(super) decision: Option<String>,
}

/// What an institution does itself.
#[derive(Debug, Args)]
pub(super) struct OwnDraftArgs {
    #[command(flatten)]
    pub(super) draft: DraftArgs,
    /// The institution's number.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    pub(super) institution: u32,
}

fn parse_decision(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("write the number and date of the decision") } else { Ok(text.to_owned()) }
}

#[derive(Debug, Subcommand)]
pub(super) enum NewKind {
    /// Register an institution (quality agency).
    InstitutionRegister(InstitutionRegisterArgs),
    /// Change what an institution is called and what it is (quality agency).
    InstitutionUpdate(InstitutionUpdateArgs),
    /// Close an institution (quality agency).
    InstitutionClose(InstitutionCloseArgs),
    /// Take back an institution's closure (quality agency).
    InstitutionReopen(InstitutionReopenArgs),
    /// Give an institution further keys (institution, or quality agency).
    KeysAdd(KeysAddArgs),
    /// Retire a key of an institution (institution, or quality agency).
    KeyRetire(KeyRetireArgs),
    /// Declare keys of an institution compromised (institution: one of its own; quality agency: several at once).
    KeyCompromise(KeyCompromiseArgs),
    /// Take back that keys of an institution are compromised (quality agency).
    KeyClear(KeyClearArgs),
    /// Register a programme (institution).
    ProgrammeRegister(ProgrammeRegisterArgs),
    /// Grant a permission (quality agency; Minister's orders: Ministry).
    PermissionGrant {
        #[command(subcommand)]
        scope: GrantScope,
    },
    /// Suspend a permission (who granted it).
    PermissionSuspend(PermissionChangeArgs),
    /// Reinstate a suspended permission (who granted it).
    PermissionReinstate(PermissionChangeArgs),
    /// Withdraw a permission (who granted it).
    PermissionWithdraw(PermissionChangeArgs),
    /// Replace a permission by a new one: a renewal, or another scope (who granted it).
    PermissionReplace {
        #[command(subcommand)]
        scope: ReplaceScope,
    },
    /// Annul the withdrawal of a permission (who granted it).
    PermissionAnnul(PermissionAnnulArgs),
    /// Register a prepared batch (institution).
    BatchAnchor(BatchAnchorArgs),
    /// Change the status of a whole batch (institution, or quality agency).
    BatchStatus(BatchStatusArgs),
    /// Annul the newest change of whole batches: an order, or the work of a compromised key (quality agency).
    BatchAnnul(BatchAnnulArgs),
    /// Change the status of credentials (institution).
    StatusSet(StatusSetArgs),
    /// Change the status of credentials by decision (quality agency).
    StatusOrder(StatusOrderArgs),
    /// Annul the newest entry about credentials: an order, or the work of a compromised key (quality agency).
    StatusAnnul(StatusAnnulArgs),
    /// Change an authority's own keys (that authority).
    AuthorityKeys(AuthorityKeysArgs),
    /// Add or change an authority (the authorities jointly).
    AuthoritySet(AuthoritySetArgs),
    /// End an authority (the authorities jointly).
    AuthorityRemove(AuthorityRemoveArgs),
    /// Set the rules of the ledger (the authorities jointly).
    PolicySet(Box<PolicySetArgs>),
    /// Announce another protocol version (the authorities jointly).
    Upgrade(UpgradeArgs),
}

#[derive(Debug, Args)]
pub(super) struct InstitutionRegisterArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) facts: InstitutionFactsArgs,
}

/// An institution by its number.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct InstitutionNumber {
    /// The institution's number.
    #[arg(long, value_name = "ID", env = "SIGELI_INSTITUTION", value_parser = values::parse_number)]
    pub(super) institution: u32,
}

/// Why an authority decides.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ReasonArgs {
    /// Why: granted, conditional, renewed, scope-changed, monitoring-failed, voluntary, closed, merged, court-order,
    /// appeal-upheld, error-corrected.
    #[arg(long, value_name = "REASON", value_parser = values::parse_decision_reason)]
    pub(super) reason: DecisionReason,
}

#[derive(Debug, Args)]
pub(super) struct InstitutionUpdateArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) number: InstitutionNumber,
    /// What it is from now on.
    #[arg(long, value_enum)]
    pub(super) kind: KindArg,
    /// Identification code in its country's register from now on.
    #[arg(long, value_name = "CODE", value_parser = values::parse_text::<LEGAL_ID_BYTES_MAX>)]
    pub(super) legal_id: LegalIdArg,
    /// Country whose law made it.
    #[arg(long, value_name = "CODE", default_value = "GEO", value_parser = values::parse_country)]
    pub(super) jurisdiction: [u8; 3],
    /// Name in Georgian from now on.
    #[arg(long, value_name = "NAME", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(super) name_ka: NameArg,
    /// Name in English from now on.
    #[arg(long, value_name = "NAME", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(super) name_en: NameArg,
    /// Hash of the public profile from now on; none by default.
    #[arg(long, value_name = "HASH", value_parser = values::parse_hash)]
    pub(super) profile: Option<[u8; 32]>,
}

#[derive(Debug, Args)]
pub(super) struct InstitutionCloseArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) number: InstitutionNumber,
    /// The first day on which it is closed (in Tbilisi).
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) from: Day,
    #[command(flatten)]
    pub(super) why: ReasonArgs,
    /// The institution into which it was merged; only with --reason merged.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) successor: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct InstitutionReopenArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) number: InstitutionNumber,
    #[command(flatten)]
    pub(super) why: ReasonArgs,
}

#[derive(Debug, Args)]
pub(super) struct KeysAddArgs {
    #[command(flatten)]
    pub(super) by: EitherDraftArgs,
    /// New public key, optionally with its purposes: KEY or KEY:anchor,status,admin. Repeatable.
    #[arg(long = "institution-key", value_name = "KEY", required = true, value_parser = values::parse_institution_key)]
    pub(super) keys: Vec<StatedKey>,
    #[command(flatten)]
    pub(super) days: KeyDaysArgs,
}

#[derive(Debug, Args)]
pub(super) struct KeyRetireArgs {
    #[command(flatten)]
    pub(super) by: EitherDraftArgs,
    /// The position of the key in the institution's list, from 0.
    #[arg(long, value_name = "N", value_parser = values::parse_index)]
    pub(super) index: u16,
}

#[derive(Debug, Args)]
pub(super) struct KeyCompromiseArgs {
    #[command(flatten)]
    pub(super) by: EitherDraftArgs,
    #[command(flatten)]
    pub(super) keys: KeyRangeArgs,
    /// The first block in which what the keys signed is void (quality agency only); by default the block that will hold
    /// this.
    #[arg(long, value_name = "BLOCK", requires = "authority", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) from_block: Option<u64>,
}

/// Keys that follow one another.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct KeyRangeArgs {
    /// The position of the key in the institution's list, from 0.
    #[arg(long, value_name = "N", value_parser = values::parse_index)]
    pub(super) index: u16,
    /// The position of the last key, where several that follow one another are meant (quality agency only).
    #[arg(long, value_name = "N", value_parser = values::parse_index)]
    pub(super) to_index: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct KeyClearArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) number: InstitutionNumber,
    #[command(flatten)]
    pub(super) keys: KeyRangeArgs,
}

#[derive(Debug, Args)]
pub(super) struct ProgrammeRegisterArgs {
    #[command(flatten)]
    pub(super) by: OwnDraftArgs,
    /// The programme's number: the institution's next; looked up with --node.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) programme: Option<u32>,
    /// Title in Georgian.
    #[arg(long, value_name = "TITLE", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(super) title_ka: NameArg,
    /// Title in English.
    #[arg(long, value_name = "TITLE", value_parser = values::parse_text::<NAME_BYTES_MAX>)]
    pub(super) title_en: NameArg,
    /// Number of an institution that awards it jointly. Repeatable.
    #[arg(long = "partner", value_name = "ID", value_parser = values::parse_number)]
    pub(super) partners: Vec<u32>,
}

#[derive(Debug, Args)]
pub(super) struct GrantDraftArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) granted: GrantedArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum GrantScope {
    /// Authorisation.
    Authorisation(GrantDraftArgs),
    /// Minister's order for the pilot.
    Order {
        #[command(flatten)]
        grant: GrantDraftArgs,
        #[command(flatten)]
        order: OrderedArgs,
    },
    /// Accreditation of a programme.
    Accreditation {
        #[command(flatten)]
        grant: GrantDraftArgs,
        #[command(flatten)]
        programme: AccreditedArgs,
    },
}

/// Which permission is replaced, from when on, and why.
#[derive(Debug, Args)]
pub(super) struct ReplacedArgs {
    #[command(flatten)]
    pub(super) grant: GrantDraftArgs,
    /// The number of the permission that ends.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) replaced: u32,
    /// The first day on which it is replaced (in Tbilisi).
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) effective: Day,
    #[command(flatten)]
    pub(super) why: ReasonArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReplaceScope {
    /// Authorisation.
    Authorisation(ReplacedArgs),
    /// Minister's order for the pilot.
    Order {
        #[command(flatten)]
        replaced: ReplacedArgs,
        #[command(flatten)]
        order: OrderedArgs,
    },
    /// Accreditation of a programme.
    Accreditation {
        #[command(flatten)]
        replaced: ReplacedArgs,
        #[command(flatten)]
        programme: AccreditedArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct PermissionChangeArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) number: InstitutionNumber,
    /// The permission's number within the institution.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) permission: u32,
    /// The number that the change gets in the permission's history, where the grant is number 1: so that a second copy does
    /// nothing. A node is asked for it unless it is stated.
    #[arg(long, value_name = "NUMBER", value_parser = values::parse_number)]
    pub(super) change: Option<u32>,
    /// The first day on which it counts (in Tbilisi): from the day of what stands now until the day after the last.
    #[arg(long, value_name = "DATE", value_parser = values::parse_day)]
    pub(super) effective: Day,
    #[command(flatten)]
    pub(super) why: ReasonArgs,
}

#[derive(Debug, Args)]
pub(super) struct PermissionAnnulArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) number: InstitutionNumber,
    /// The number of the permission that was withdrawn.
    #[arg(long, value_name = "ID", value_parser = values::parse_number)]
    pub(super) permission: u32,
    #[command(flatten)]
    pub(super) why: ReasonArgs,
}

#[derive(Debug, Args)]
pub(super) struct BatchAnchorArgs {
    #[command(flatten)]
    pub(super) draft: DraftArgs,
    /// The directory of the batch, as it was prepared.
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum BatchActionArg {
    /// Until it is reinstated or revoked.
    Suspend,
    /// Valid again.
    Reinstate,
    /// For good.
    Revoke,
}

/// Which entry of a history a change will be.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct EntryArgs {
    /// The number of the entry that the change will be in the history of each; looked up with --node.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) entry: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct BatchStatusArgs {
    #[command(flatten)]
    pub(super) by: EitherDraftArgs,
    /// The root of the batch.
    #[arg(long, value_name = "HASH", value_parser = values::parse_hash)]
    pub(super) root: [u8; 32],
    /// What happens to it.
    #[arg(long, value_enum)]
    pub(super) action: BatchActionArg,
    /// Why, as for `sigeli status`.
    #[arg(long, value_name = "CODE", value_parser = values::parse_reason)]
    pub(super) reason: StatusReason,
    #[command(flatten)]
    pub(super) number: EntryArgs,
}

#[derive(Debug, Args)]
pub(super) struct BatchAnnulArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) number: InstitutionNumber,
    /// The root of a batch. Repeatable.
    #[arg(long = "root", value_name = "HASH", required = true, value_parser = values::parse_hash)]
    pub(super) roots: Vec<[u8; 32]>,
    #[command(flatten)]
    pub(super) entry: EntryArgs,
}

/// Credentials: by file, or by their names in the status register.
#[derive(Debug, Args)]
pub(super) struct CredentialsArgs {
    /// A credential; its bundle is expected beside it, as FILE.sigeli. Repeatable.
    #[arg(long = "credential", value_name = "FILE", required_unless_present = "handles")]
    pub(super) credentials: Vec<PathBuf>,
    /// A credential's name in the status register. Repeatable.
    #[arg(long = "handle", value_name = "HASH", value_parser = values::parse_hash)]
    pub(super) handles: Vec<[u8; 32]>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum StatusActionArg {
    /// Until it is reinstated or ended.
    Suspend,
    /// Valid again.
    Reinstate,
    /// For good.
    Revoke,
    /// Replaced by a newer one, for good.
    Supersede,
}

/// What happens to credentials.
#[derive(Debug, Args)]
pub(super) struct StatusChangeArgs {
    #[command(flatten)]
    pub(super) credentials: CredentialsArgs,
    /// What happens to them.
    #[arg(long, value_enum)]
    pub(super) action: StatusActionArg,
    /// Why, as for `sigeli status`; not with --action supersede, which has one reason only.
    #[arg(long, value_name = "CODE", value_parser = values::parse_reason)]
    pub(super) reason: Option<StatusReason>,
    /// The newer credential, with --action supersede; its bundle is expected beside it.
    #[arg(long, value_name = "FILE", conflicts_with = "successor_leaf")]
    pub(super) successor: Option<PathBuf>,
    /// The newer credential's leaf, where its file is not at hand.
    #[arg(long, value_name = "HASH", value_parser = values::parse_hash)]
    pub(super) successor_leaf: Option<[u8; 32]>,
    #[command(flatten)]
    pub(super) number: EntryArgs,
}

#[derive(Debug, Args)]
pub(super) struct StatusSetArgs {
    #[command(flatten)]
    pub(super) by: OwnDraftArgs,
    #[command(flatten)]
    pub(super) change: StatusChangeArgs,
}

#[derive(Debug, Args)]
pub(super) struct StatusOrderArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) number: InstitutionNumber,
    #[command(flatten)]
    pub(super) change: StatusChangeArgs,
}

#[derive(Debug, Args)]
pub(super) struct StatusAnnulArgs {
    #[command(flatten)]
    pub(super) by: AuthorityDraftArgs,
    #[command(flatten)]
    pub(super) number: InstitutionNumber,
    #[command(flatten)]
    pub(super) credentials: CredentialsArgs,
    #[command(flatten)]
    pub(super) entry: EntryArgs,
}

/// What a draft is read with.
#[derive(Debug, Args)]
pub(super) struct LookArgs {
    /// Address of a node: then signatures are checked against the keys as they are now, and names are shown.
    #[arg(long = "node", value_name = "URL", env = "SIGELI_NODE", value_delimiter = ',')]
    pub(super) nodes: Vec<String>,
    /// The ledger's genesis document: without a network, signatures are checked against the keys of the beginning.
    #[arg(long, value_name = "FILE")]
    pub(super) genesis: Option<PathBuf>,
    /// Trust file that what nodes say is checked against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// Number and date of the decision before you, to see whether the draft names it.
    #[arg(long, value_name = "TEXT")]
    pub(super) decision: Option<String>,
    /// Read it as of this time (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME", value_parser = values::parse_time)]
    pub(super) at: Option<TimeMs>,
    /// Language; by default the system's.
    #[arg(long, value_enum, value_name = "LANG")]
    pub(super) lang: Option<LanguageArg>,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The draft.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// The draft. Your signature is added to it.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Your signing key file.
    #[arg(long, value_name = "FILE", env = "SIGELI_KEY")]
    pub(super) key: PathBuf,
    /// The position of your key in its owner's list, from 0; looked up with --node or --genesis.
    #[arg(long, value_name = "N", value_parser = values::parse_index)]
    pub(super) index: Option<u16>,
    /// The number of your authority; needed for joint transactions.
    #[arg(long, value_name = "ID")]
    pub(super) authority: Option<u8>,
    /// Sign without being asked, for scripts.
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// Copies of one draft, two or more.
    #[arg(value_name = "FILES", required = true, num_args = 2..)]
    pub(super) files: Vec<PathBuf>,
    /// Where to write the draft with all signatures. A file that exists is never overwritten.
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct SubmitArgs {
    /// The draft.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) node: NodeArgs,
    /// Trust file that what nodes say is checked against; by default SIGELI_TRUST, else the user's.
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
}
