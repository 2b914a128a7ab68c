//! `sigeli tx`: drafts of transactions that pass from hand to hand.

mod payload;

use std::{
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::Path,
};

use sigeli::{
    keys::SecretKey,
    tx::{
        self, Known, View, file,
        numbers::{self, NumbersError},
    },
};
use sigeli_verifier::{
    ids::{
        AuthorityId, AuthoritySequence, GenesisHash, GovernanceSequence, InstitutionId, KeyIndex, Signature, TimeMs,
    },
    params::AUTHORITY_VALIDITY_MS_MAX,
    record::Policy,
    transaction::{Draft, Payload, Sender, Transaction, TransactionSignature},
    trust::Trust,
    verdict::Freshness,
};

use self::payload::{Asked, By};
use super::{
    connect,
    failure::Failure,
    note, now, online, print, trust_if_any,
    tx_args::{
        DraftArgs, LookArgs, MergeArgs, NewKind, ShowArgs, SignArgs, StatusAnnulArgs, StatusOrderArgs, SubmitArgs,
        TxCommand,
    },
    verify::language,
};

/// How old a proof may be from which the number of an entry is read: an hour. An older history would only be refused.
const NUMBERS_AGE_MS_MAX: u64 = 60 * 60 * 1_000;
const MS_PER_MINUTE: u64 = 60 * 1_000;
const MS_PER_DAY: u64 = 24 * 60 * MS_PER_MINUTE;
/// For how many days authorities may sign a draft unless it is stated.
const VALID_DAYS: u32 = 30;
/// For how many minutes an institution may sign a draft unless it is stated; the rest of the ten that the ledger allows
/// is for clocks that differ.
const VALID_MINUTES: u32 = 8;

pub(super) fn tx(command: &TxCommand) -> Result<u8, Failure> {
    match command {
        TxCommand::New { kind } => new(kind),
        TxCommand::Show(args) => show(args),
        TxCommand::Sign(args) => sign(args),
        TxCommand::Merge(args) => merge(args),
        TxCommand::Submit(args) => online(submit(args)),
    }
}

pub(super) fn status_order(args: &StatusOrderArgs) -> Result<u8, Failure> {
    make(&payload::status_order(args)?)
}

pub(super) fn status_annul(args: &StatusAnnulArgs) -> Result<u8, Failure> {
    make(&payload::status_annul(args)?)
}

fn new(kind: &NewKind) -> Result<u8, Failure> {
    make(&payload::asked(kind)?)
}

/// What the draft's maker has to know of the ledger.
struct Ledger {
    genesis: GenesisHash,
    sequence: Option<u64>,
    policy: Option<Policy>,
    /// The next number of a programme, or of a change of a permission.
    next: Option<u32>,
}

/// Makes a draft, writes it and shows it.
fn make(asked: &Asked<'_>) -> Result<u8, Failure> {
    let draft = asked.draft;
    let trust = trust_if_any(draft.trust.as_deref())?;
    let ledger = ledger(asked, trust.as_ref())?;
    let sender = sender(&asked.by, ledger.sequence)?;
    let mut payload = asked.payload(ledger.policy, ledger.next)?;
    if numbers::are_missing(&sender, &payload) {
        look_up_numbers(draft, trust.as_ref(), &sender, &mut payload)?;
    }
    let valid_until = valid_until(draft, &sender)?;
    let made = Draft::new(Transaction { genesis: ledger.genesis, valid_until, sender, payload });
    // What could never be handed in is not written: a signature's bytes have room in every draft that can be.
    check_size(&made)?;
    file::create(&draft.out, &made)?;
    let language = language(draft.lang);
    let known = draft.genesis.as_deref().map(Known::from_genesis).transpose()?;
    let view = View {
        draft: &made,
        known: known.as_ref(),
        trust: trust.as_ref(),
        language,
        at: now(),
        decision: asked.decision,
    };
    print(&tx::show(&view));
    let out = draft.out.display();
    note(format_args!("The draft is in {out}. Next: sigeli tx sign {out} --key FILE --index N"));
    Ok(0)
}

/// Asks which entries of their histories the changes will be.
fn look_up_numbers(
    draft: &DraftArgs,
    trust: Option<&Trust>,
    sender: &Sender,
    payload: &mut Payload,
) -> Result<(), Failure> {
    if draft.nodes.is_empty() {
        return Err(Failure::usage(
            "name the number of the new entry with --entry, or a node with --node to look it up",
        ));
    }
    let freshness = Freshness { at: now(), max_age_ms: NUMBERS_AGE_MS_MAX };
    online(async {
        let remote = connect(&draft.nodes)?;
        match numbers::look_up(&remote, trust, freshness, sender, payload).await {
            Ok(()) => Ok(()),
            Err(NumbersError::Remote(error)) => Err(error.into()),
            Err(NumbersError::Query(error)) => Err(error.into()),
            Err(error @ NumbersError::NoTrust) => Err(Failure::usage(error.to_string())),
        }
    })
}

fn check_size(draft: &Draft) -> Result<(), Failure> {
    let entry = TransactionSignature { key: KeyIndex::new(0), signature: Signature::new([0; 64]) };
    draft.clone().add(entry).map_err(|_| Failure::usage("this is too much for one transaction: split it"))
}

/// Looks up what is not stated, and sees that all that is named speaks of one ledger.
fn ledger(asked: &Asked<'_>, trust: Option<&Trust>) -> Result<Ledger, Failure> {
    let draft = asked.draft;
    let founding = draft.genesis.as_deref().map(Known::from_genesis).transpose()?;
    let mut ledger = Ledger {
        genesis: GenesisHash::new([0; 32]),
        sequence: asked.by.sequence(),
        policy: founding.as_ref().and_then(|known| known.policy),
        next: None,
    };
    let mut named: Vec<_> =
        draft.ledger.map(GenesisHash::new).into_iter().chain(founding.map(|known| known.genesis)).collect();
    if !draft.nodes.is_empty() {
        named.push(online(ask_nodes(asked, trust, &mut ledger))?);
    }
    let Some(genesis) = named.first().copied() else {
        return Err(Failure::usage("name the ledger: --ledger HASH, --genesis FILE or --node URL"));
    };
    if let Some(other) = named.iter().find(|other| **other != genesis) {
        return Err(Failure::usage(format!(
            "two ledgers are named, {genesis} and {other}: check --ledger, --genesis and --node"
        )));
    }
    ledger.genesis = genesis;
    Ok(ledger)
}

async fn ask_nodes(asked: &Asked<'_>, trust: Option<&Trust>, ledger: &mut Ledger) -> Result<GenesisHash, Failure> {
    let remote = connect(&asked.draft.nodes)?;
    let status = remote.status().await?;
    match asked.by {
        By::Institution { institution } if asked.needs_programme() => {
            let facts = remote.institution(InstitutionId::new(institution)).await?;
            ledger.next = Some(facts.programmes.saturating_add(1));
        }
        By::Authority { authority, sequence: None } => {
            let found = remote.authority(AuthorityId::new(authority)).await?;
            ledger.sequence = Some(found.next.get());
        }
        By::Joint { sequence } => {
            let (next, policy) = Known::joint(&remote, trust).await?;
            ledger.sequence = sequence.or_else(|| Some(next.get()));
            ledger.policy = Some(policy);
        }
        By::Institution { .. } | By::Authority { .. } => {}
    }
    if let Some((institution, permission)) = asked.needs_change() {
        let permissions = remote.permissions(institution).await?;
        let known = permissions.into_iter().find(|(number, _)| *number == permission);
        let (_, record) = known.ok_or_else(|| {
            Failure::usage(format!("institution {institution} has no permission {permission}: check --permission"))
        })?;
        ledger.next = Some(record.entries.saturating_add(1));
    }
    Ok(status.genesis)
}

fn sender(by: &By, sequence: Option<u64>) -> Result<Sender, Failure> {
    let unknown =
        || Failure::usage("name the number of the transaction with --sequence, or a node with --node to look it up");
    Ok(match *by {
        By::Institution { institution } => Sender::Institution { institution: InstitutionId::new(institution) },
        By::Authority { authority, .. } => Sender::Authority {
            authority: AuthorityId::new(authority),
            sequence: AuthoritySequence::new(sequence.ok_or_else(unknown)?),
        },
        By::Joint { .. } => Sender::Authorities { sequence: GovernanceSequence::new(sequence.ok_or_else(unknown)?) },
    })
}

fn valid_until(draft: &DraftArgs, sender: &Sender) -> Result<TimeMs, Failure> {
    let ms = match sender {
        Sender::Institution { .. } if draft.valid_days.is_some() => {
            return Err(Failure::usage("an institution's transaction is valid for minutes: use --valid-minutes"));
        }
        Sender::Institution { .. } => u64::from(draft.valid_minutes.unwrap_or(VALID_MINUTES)) * MS_PER_MINUTE,
        Sender::Authority { .. } | Sender::Authorities { .. } if draft.valid_minutes.is_some() => {
            return Err(Failure::usage("an authority's transaction is valid for days: use --valid-days"));
        }
        Sender::Authority { .. } | Sender::Authorities { .. } => {
            (u64::from(draft.valid_days.unwrap_or(VALID_DAYS)) * MS_PER_DAY).min(AUTHORITY_VALIDITY_MS_MAX)
        }
    };
    Ok(TimeMs::new(now().get().saturating_add(ms)))
}

/// What is known about a draft, by what was named to look it up.
fn known(draft: &Draft, look: &LookArgs, trust: Option<&Trust>) -> Result<Option<Known>, Failure> {
    let founding = look.genesis.as_deref().map(Known::from_genesis).transpose()?;
    if let Some(founding) = &founding {
        founding.check_ledger(draft.body())?;
    }
    if look.nodes.is_empty() {
        return Ok(founding);
    }
    online(async { Ok(Some(Known::from_nodes(&connect(&look.nodes)?, draft, trust).await?)) })
}

/// Shows a draft, and gives back what is known about it.
fn show_draft(draft: &Draft, look: &LookArgs) -> Result<Option<Known>, Failure> {
    let trust = trust_if_any(look.trust.as_deref())?;
    let known = known(draft, look, trust.as_ref())?;
    let view = View {
        draft,
        known: known.as_ref(),
        trust: trust.as_ref(),
        language: language(look.lang),
        at: look.at.unwrap_or_else(now),
        decision: look.decision.as_deref(),
    };
    print(&tx::show(&view));
    Ok(known)
}

fn show(args: &ShowArgs) -> Result<u8, Failure> {
    show_draft(&file::read(&args.file)?, &args.look)?;
    Ok(0)
}

fn sign(args: &SignArgs) -> Result<u8, Failure> {
    let mut draft = file::read(&args.file)?;
    let key = SecretKey::read(&args.key)?;
    let known = show_draft(&draft, &args.look)?;
    let signing = file::Signing { key: &key, index: args.index, authority: args.authority.map(AuthorityId::new) };
    let is_new = file::sign(&mut draft, signing, known.as_ref())?;
    if !is_new {
        note(format_args!("This key has signed the draft before; nothing was changed."));
        return Ok(0);
    }
    if !args.yes {
        confirm(&args.file)?;
    }
    // Somebody else may have signed meanwhile, while this one was being read.
    let mut newest = file::read(&args.file)?;
    let merged = newest.merge(&draft);
    merged.map_err(|error| {
        Failure::data(format!("{} was changed while you read it ({error}): nothing was signed", args.file.display()))
    })?;
    file::replace(&args.file, &newest)?;
    note(format_args!("Signed. The draft in {} has {} signature(s).", args.file.display(), newest.signatures().len()));
    Ok(0)
}

/// Asks the person at the terminal. A program has nobody to ask.
fn confirm(path: &Path) -> Result<(), Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::usage(format!(
            "{} was not signed: nobody can be asked here. A script signs with --yes",
            path.display()
        )));
    }
    let mut out = std::io::stderr();
    drop(write!(out, "\nSign this? Type yes: ").and_then(|()| out.flush()));
    let mut answer = String::new();
    let read = stdin.lock().read_line(&mut answer);
    match (read, answer.trim()) {
        (Ok(_), "yes" | "დიახ") => Ok(()),
        _ => Err(Failure::data(format!("{} was not signed", path.display()))),
    }
}

fn merge(args: &MergeArgs) -> Result<u8, Failure> {
    let (first, others) = args.files.split_first().ok_or_else(|| Failure::usage("name two drafts or more"))?;
    let merged = file::merge(first, others)?;
    file::create(&args.out, &merged)?;
    note(format_args!("The draft in {} has {} signature(s).", args.out.display(), merged.signatures().len()));
    Ok(0)
}

async fn submit(args: &SubmitArgs) -> Result<u8, Failure> {
    let draft = file::read(&args.file)?;
    let trust = trust_if_any(args.trust.as_deref())?;
    let remote = connect(&args.node.nodes)?;
    let submitted = tx::submit(&remote, &draft, trust.as_ref(), args.node.patience).await?;
    let before = if submitted.was_done { " It had been before this command." } else { "" };
    let number =
        submitted.permission.map(|number| format!(" The permission's number is {number}.")).unwrap_or_default();
    print(&format!("Transaction {} is final, in block {}.{before}{number}\n", submitted.id, submitted.height));
    Ok(0)
}
