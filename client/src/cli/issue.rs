//! What institutions do: prepare, anchor, refresh, change a status.

use indicatif::{ProgressBar, ProgressStyle};
use sigeli::{
    accreditation::{self, AccreditationError, Stated},
    anchor::{AnchorProgress, AnchorRequest},
    batch::{BatchFacts, PreparedBatch},
    keys::SecretKey,
    prepare::{self, AsFile, PrepareRequest},
    remote::RemoteError,
    stamp::{self, StampRequest, Stamped},
    status::{self, StatusRequest},
    values::{ects_text, tbilisi},
    verify::bundle_path,
    wording,
};
use sigeli_verifier::{
    bundle::StatusFinding,
    ids::{InstitutionId, PermissionId},
    record::{BatchState, BatchStatus, StatusState},
    transaction::{CredentialType, StatusAction},
};

use super::{
    args::{AnchorArgs, AsFileArg, PrepareArgs, StampArgs, StatusArgs},
    connect,
    failure::Failure,
    note, online, print, trust_if_any,
};

/// From how many steps on work is long enough to show its progress.
const LONG_WORK: usize = 64;

/// A progress bar on the standard error, if that is a terminal and the work is long.
fn bar(total: usize, what: &'static str) -> ProgressBar {
    if total < LONG_WORK {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos} of {len}, {eta} left");
    let bar = ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX)).with_message(what);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn set(bar: &ProgressBar, done: usize) {
    bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
}

pub(super) fn prepare(args: &PrepareArgs) -> Result<u8, Failure> {
    let facts = facts(args)?;
    let request = PrepareRequest {
        institution: InstitutionId::new(args.institution),
        facts,
        files: args.files.clone(),
        out: args.out.clone(),
        as_file: match args.as_file {
            None => AsFile::Detected,
            Some(AsFileArg::Refused) => AsFile::Refused,
            Some(AsFileArg::All) => AsFile::All,
        },
    };
    let bar = bar(args.files.len(), "Reading");
    let prepared = prepare::prepare(&request, &mut |read| set(&bar, read));
    bar.finish_and_clear();
    let batch = prepared?;
    let out = args.out.display();
    print(&format!(
        "Prepared {} credential(s) of institution {} under accreditation {}: level {}, field {}, {} ECTS, issued on {}.\n\
         Root: {}\n\
         The batch is in {out}. Keep it, and keep it to yourselves: it holds the salts.\n\
         Next: sigeli batch anchor {out} --key FILE --node URL\n",
        batch.files().len(),
        batch.institution(),
        facts.accreditation,
        facts.level.get(),
        facts.field,
        ects_text(facts.ects),
        facts.issued,
        batch.root(),
    ));
    Ok(0)
}

/// What the credentials have in common: from the accreditation on the ledger, else as stated.
fn facts(args: &PrepareArgs) -> Result<BatchFacts, Failure> {
    let stated = Stated { level: args.level, field: args.field, ects: args.ects };
    let number = PermissionId::new(args.accreditation);
    let as_stated = args.level.zip(args.field).zip(args.ects).map(|((level, field), ects)| BatchFacts {
        accreditation: number,
        level,
        field,
        ects,
        issued: args.issued,
        credential_type: CredentialType::MicroCredential,
    });
    if args.nodes.is_empty() {
        return as_stated.ok_or_else(|| {
            Failure::usage(
                "name a node with --node URL to look the accreditation up, or state --level, --field and --ects yourself",
            )
        });
    }
    let permissions =
        online(async { Ok(connect(&args.nodes)?.permissions(InstitutionId::new(args.institution)).await) })?;
    let permissions = match (permissions, as_stated) {
        (Err(error @ RemoteError::Unanswered { .. }), Some(facts)) => {
            note(format_args!("note: the accreditation was not looked up, and is taken as stated: {error}"));
            return Ok(facts);
        }
        (permissions, _) => permissions?,
    };
    let (_, record) =
        permissions.iter().find(|(found, _)| *found == number).ok_or(AccreditationError::Missing { number })?;
    Ok(accreditation::facts_under(number, record, stated, args.issued)?)
}

pub(super) async fn anchor(args: &AnchorArgs) -> Result<u8, Failure> {
    let key = SecretKey::read(&args.key)?;
    let trust = trust_if_any(args.trust.as_deref())?;
    check_institution(args)?;
    let remote = connect(&args.node.nodes)?;
    let request = AnchorRequest {
        directory: &args.directory,
        key: &key,
        trust: trust.as_ref(),
        with_permission: !args.small,
        patience: args.node.patience,
    };
    let mut shown = ProgressBar::hidden();
    let anchored = sigeli::anchor::anchor(&remote, &request, &mut |progress| match progress {
        AnchorProgress::Submitting => note(format_args!("Handing the batch in …")),
        AnchorProgress::Final { height } => {
            note(format_args!("The batch is final, in block {height}. Getting the bundles …"))
        }
        AnchorProgress::Bundles { written: 1, total } => shown = bar(total, "Bundles"),
        AnchorProgress::Bundles { written, .. } => set(&shown, written),
    })
    .await;
    shown.finish_and_clear();
    let anchored = anchored?;
    let before = if anchored.was_anchored { " It had been before this command." } else { "" };
    print(&format!(
        "Registered in block {}.{before}\n{} bundle(s) are in {}, each checked. Give each learner the credential and its \
         bundle.\n",
        anchored.height,
        anchored.bundles.len(),
        args.directory.display(),
    ));
    Ok(0)
}

fn check_institution(args: &AnchorArgs) -> Result<(), Failure> {
    let Some(named) = args.institution else { return Ok(()) };
    let batch = PreparedBatch::open(&args.directory).map_err(sigeli::anchor::AnchorError::from)?;
    if batch.institution().get() == named {
        return Ok(());
    }
    let own = batch.institution();
    Err(Failure::usage(format!("this batch was prepared for institution {own}, not {named}: check --institution")))
}

pub(super) async fn stamp(args: &StampArgs) -> Result<u8, Failure> {
    if args.bundle.is_some() && args.files.len() > 1 {
        return Err(Failure::usage("--bundle goes with one credential: name them one at a time"));
    }
    let trust = trust_if_any(args.trust.as_deref())?;
    let remote = connect(&args.node.nodes)?;
    let bar = bar(args.files.len(), "Refreshing");
    let mut failed = None;
    for (done, file) in args.files.iter().enumerate() {
        let bundle = args.bundle.clone().unwrap_or_else(|| bundle_path(file));
        let request = StampRequest {
            file,
            bundle: &bundle,
            trust: trust.as_ref(),
            with_permission: !args.small,
            patience: args.node.patience,
        };
        match stamp::refresh(&remote, &request).await {
            Ok(stamped) => bar.suspend(|| {
                print(&format!(
                    "{}: {} as of {} (Tbilisi time), block {}.\n",
                    file.display(),
                    status_text(&stamped),
                    tbilisi(stamped.time),
                    stamped.height,
                ));
            }),
            // The others are refreshed all the same.
            Err(error) => {
                bar.suspend(|| note(format_args!("error: {}: {error}", file.display())));
                failed.get_or_insert(error);
            }
        }
        set(&bar, done + 1);
    }
    bar.finish_and_clear();
    match failed {
        None => Ok(0),
        Some(error) => Ok(Failure::from(error).exit),
    }
}

/// What counts of all that is written: a compromised key, then an end, then a suspension, of each the batch's first.
fn status_text(stamped: &Stamped) -> String {
    if let Some(from) = stamped.compromised {
        return format!("NOT GENUINE (registered with a key that is void from block {from} on)");
    }
    let batch = match &stamped.batch {
        BatchStatus::Changed(change) => Some((change.state, wording::reason(change.reason))),
        BatchStatus::Valid => None,
    };
    let own = match &stamped.status {
        StatusFinding::Present(record) => Some((record.state, wording::reason(record.reason))),
        StatusFinding::Absent(_) => None,
    };
    match (batch, own) {
        (Some((BatchState::Revoked, why)), _) => format!("revoked with its whole batch ({why})"),
        (_, Some((StatusState::Revoked, why))) => format!("revoked ({why})"),
        (_, Some((StatusState::Superseded { .. }, _))) => "replaced by a newer version".into(),
        (Some((BatchState::Suspended, why)), _) => format!("suspended with its whole batch ({why})"),
        (_, Some((StatusState::Suspended, why))) => format!("suspended ({why})"),
        (_, Some((StatusState::Reinstated, _))) | (Some((BatchState::Reinstated, _)), None) => {
            "not revoked (reinstated after a suspension)".into()
        }
        (_, Some((StatusState::Annulled, _))) | (Some((BatchState::Annulled, _)), None) => {
            "not revoked (what was written with a compromised key is annulled)".into()
        }
        (None, None) => "not revoked".into(),
    }
}

pub(super) async fn status(args: &StatusArgs, action: StatusAction) -> Result<u8, Failure> {
    let key = SecretKey::read(&args.key)?;
    let trust = trust_if_any(args.trust.as_deref())?;
    let remote = connect(&args.node.nodes)?;
    let bundle = args.bundle.clone().unwrap_or_else(|| bundle_path(&args.file));
    let request = StatusRequest {
        file: &args.file,
        bundle: &bundle,
        institution: args.institution.map(InstitutionId::new),
        action,
        reason: args.reason,
        key: &key,
        trust: trust.as_ref(),
        patience: args.node.patience,
    };
    let changed = status::change(&remote, &request).await?;
    let before = if changed.was_changed { " It had been before this command." } else { "" };
    print(&format!(
        "{}: {} (block {}).{before}\nThe bundle {} shows it. Bundles handed out earlier show it once they are refreshed.\n",
        args.file.display(),
        status_text(&changed.stamped),
        changed.height,
        bundle.display(),
    ));
    Ok(0)
}
