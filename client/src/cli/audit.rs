//! `sigeli audit`: exports for auditors, and their check.

use sigeli::{
    audit::{self, AuditError, Checked, Writer},
    query::{node::Reader, plain::Plain, words},
    values::tbilisi,
};
use sigeli_verifier::{ids::Height, verdict::Freshness};

use super::{
    connect,
    failure::{EXIT_DATA, EXIT_SYSTEM, Failure, of_file},
    note, now, print,
    query::read_trust,
    query_args::{AuditExportArgs, AuditVerifyArgs},
};

/// The export is not what the validators have confirmed: as for a credential that is not genuine.
const EXIT_FALSE: u8 = 2;

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        let exit = match &error {
            AuditError::File(error) => of_file(error),
            AuditError::System { .. } => EXIT_SYSTEM,
            AuditError::Block { .. }
            | AuditError::OtherExport { .. }
            | AuditError::Damaged { .. }
            | AuditError::Empty
            | AuditError::Impossible { .. } => EXIT_DATA,
        };
        Self { message: error.to_string(), exit }
    }
}

/// How often nodes may break off without a further block.
const BREAKS_MAX: usize = 3;

/// `audit export`.
pub(super) async fn export(args: &AuditExportArgs) -> Result<u8, Failure> {
    if args.to.is_some_and(|to| to < args.from) {
        return Err(Failure::usage("--to lies before --from"));
    }
    let trust = read_trust(args.trust.as_deref())?;
    // History does not age.
    let freshness = Freshness { at: now(), max_age_ms: u64::MAX };
    let reader = Reader::new(connect(&args.nodes)?, &trust, freshness).await?;
    let mut writer = Writer::open(&args.out, reader.ledger(), Height::new(args.from), args.bom)?;
    let is_done = |next: Height| args.to.is_some_and(|to| next.get() > to);
    let mut breaks = 0;
    while !is_done(writer.next()) {
        let before = writer.next();
        match fetch(&reader, &mut writer, is_done).await {
            Ok(()) => break,
            Err(Stop::Ours(failure)) => return Err(failure),
            Err(Stop::Nodes(error)) => {
                breaks = if writer.next() == before { breaks + 1 } else { 0 };
                if breaks >= BREAKS_MAX {
                    return Err(error.into());
                }
                reader.try_another_node();
            }
        }
    }
    if let Some(to) = args.to.filter(|to| writer.next().get() <= *to) {
        note(format_args!("note: the ledger does not reach block {to} yet"));
    }
    let exported = writer.finish()?;
    print(&format!(
        "{} blocks with {} transactions are in {}: from block {} to block {} ({} in Tbilisi).\n",
        exported.blocks,
        exported.transactions,
        args.out.display(),
        exported.from,
        exported.to,
        tbilisi(exported.time)
    ));
    if !exported.has_register {
        note(format_args!("Tables of institutions, permissions and batches need an export from block 0."));
    }
    Ok(0)
}

enum Stop {
    Nodes(sigeli::query::node::QueryError),
    Ours(Failure),
}

async fn fetch(reader: &Reader, writer: &mut Writer<'_>, is_done: impl Fn(Height) -> bool) -> Result<(), Stop> {
    use sigeli::remote::{Absent, RemoteError};
    let mut blocks = match reader.blocks(writer.next(), false).await {
        Ok(blocks) => blocks,
        // Nothing is newer than what is there already.
        Err(sigeli::query::node::QueryError::Remote(RemoteError::NotFound { what: Absent::Height })) => return Ok(()),
        Err(error) => return Err(Stop::Ours(error.into())),
    };
    while !is_done(writer.next()) {
        let Some((block, certificate)) = blocks.next().await.map_err(Stop::Nodes)? else { break };
        writer.take(&block, &certificate).map_err(|error| Stop::Ours(error.into()))?;
    }
    Ok(())
}

/// `audit verify`.
pub(super) fn verify(args: &AuditVerifyArgs) -> Result<u8, Failure> {
    let trust = read_trust(args.trust.as_deref())?;
    let checked = audit::verify(&args.directory, &trust)?;
    print(&if args.json { json(&checked).pretty() } else { text(&checked) });
    Ok(if checked.is_good() { 0 } else { EXIT_FALSE })
}

fn json(checked: &Checked) -> Plain {
    let problems = checked.problems.iter().map(|problem| {
        Plain::object([
            ("file", problem.file.as_str().into()),
            ("line", problem.line.into()),
            ("what", problem.what.as_str().into()),
        ])
    });
    Plain::object([
        ("good", checked.is_good().into()),
        ("problem_count", checked.problem_count.into()),
        ("problems", Plain::list(problems)),
        ("from", checked.range.map(|(first, _)| first.get()).into()),
        ("to", checked.range.map(|(_, last)| last.get()).into()),
        ("time", checked.time.map(words::time).into()),
        ("blocks", checked.blocks.into()),
        ("transactions", checked.transactions.into()),
        ("tables_compared", checked.tables_compared.into()),
    ])
}

fn text(checked: &Checked) -> String {
    let mut text = String::new();
    for problem in &checked.problems {
        text += &format!("{}, line {}: {}\n", problem.file, problem.line, problem.what);
    }
    let kept = u64::try_from(checked.problems.len()).unwrap_or(u64::MAX);
    if checked.problem_count > kept {
        text += &format!("… and {} more\n", checked.problem_count - kept);
    }
    match (checked.is_good(), checked.range) {
        (true, Some((first, last))) => {
            text += &format!(
                "All is as the ledger's validators have confirmed it: {} blocks, {first} to {last}, {} transactions, and \
                the tables.\n",
                checked.blocks, checked.transactions
            );
        }
        _ => text += "This is NOT what the ledger's validators have confirmed.\n",
    }
    text
}
