//! `sigeli verify`: one credential or many; offline unless nodes are named.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Write as _},
    num::NonZeroUsize,
    path::Path,
};

use indicatif::{ProgressBar, ProgressStyle};
use sigeli::{
    carry::archive::{self, Archive},
    many::{self, ManyError, ManyRequest, Outcome},
    report::{self, Style},
    signing,
    stamp::{self, StampError, StampRequest},
    trust,
    verify::{Evidence, Sources, bundle_path},
    wording::{Language, Wording},
};
use sigeli_verifier::verdict::Freshness;

use super::{
    args::{LanguageArg, VerifyArgs},
    connect,
    failure::{EXIT_NO_INPUT, Failure},
    note, now, online, print,
};

pub(super) fn verify(args: &VerifyArgs) -> Result<u8, Failure> {
    if args.file.is_dir() {
        return many(args);
    }
    if let Some(mut archive) = archive(args)? {
        let mut documents = archive.documents();
        let (first, second) = (documents.next(), documents.next());
        drop(documents);
        return match (first, second) {
            (Some(only), None) if args.csv.is_none() => in_archive(args, &mut archive, only),
            _ => many(args),
        };
    }
    one(args)
}

/// The archive that the file is: a ZIP with bundles in it, unless it is a document itself, with a bundle of its own.
fn archive(args: &VerifyArgs) -> Result<Option<Archive>, Failure> {
    if args.bundle.is_some() || bundle_path(&args.file).exists() || !archive::is_one(&args.file)? {
        return Ok(None);
    }
    // What begins like a ZIP and is none, or none with bundles, is a document like any other.
    Ok(Archive::open(&args.file).ok().filter(Archive::has_bundles))
}

fn in_archive(args: &VerifyArgs, archive: &mut Archive, only: usize) -> Result<u8, Failure> {
    if !args.nodes.is_empty() {
        return Err(Failure::usage(UNPACK_FIRST));
    }
    let evidence = Evidence::in_archive(archive, &args.file, only, args.trust.as_deref())?;
    conclude(args, &evidence)
}

const UNPACK_FIRST: &str = "--node goes with one credential and its bundle: unpack the archive, or refresh the folder with \
    sigeli stamp refresh";

/// Every document of a folder or an archive.
fn many(args: &VerifyArgs) -> Result<u8, Failure> {
    if args.bundle.is_some() {
        return Err(Failure::usage("--bundle goes with one credential: of many, each lies beside its own"));
    }
    if !args.nodes.is_empty() {
        return Err(Failure::usage(UNPACK_FIRST));
    }
    let trust = trust::path(args.trust.as_deref()).and_then(|path| trust::read(&path));
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let request = ManyRequest { path: &args.file, trust: trust.as_ref().ok(), freshness: freshness(args), jobs };
    let mut table = args.csv.as_deref().map(Table::create).transpose()?;
    // Hidden where the standard error is no terminal.
    let style = ProgressStyle::with_template("Checked {pos}, {per_sec}, {elapsed}");
    let bar = ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let verified = many::verify(&request, &mut |outcome| {
        bar.inc(1);
        table.as_mut().map_or(Ok(()), |table| table.add(&outcome.csv_row()))
    });
    bar.finish_and_clear();
    let tally = match verified {
        Ok(tally) => tally,
        Err(ManyError::Source(error)) => return Err(error.into()),
        Err(ManyError::Taking(error)) => return Err(Failure::output(&error)),
    };
    if let Some(table) = table {
        table.finish()?;
    }
    if let Err(error) = &trust {
        note(format_args!("note: {error}"));
    }
    let Some(worst) = tally.worst() else {
        return Err(Failure {
            message: format!("there is no document in {}", args.file.display()),
            exit: EXIT_NO_INPUT,
        });
    };
    print(&if args.json {
        report::summary_json(&tally)
    } else {
        report::summary(&tally, language(args.lang), style_of_output())
    });
    Ok(worst.exit_code())
}

/// A table of results that is written row by row.
struct Table {
    out: BufWriter<File>,
}

impl Table {
    fn create(path: &Path) -> Result<Self, Failure> {
        let cannot = |error| Failure::output(&format_args!("{}: {error}", path.display()));
        let mut table = Self { out: BufWriter::new(File::create(path).map_err(cannot)?) };
        table.add(&Outcome::csv_header()).map_err(cannot)?;
        Ok(table)
    }

    fn add(&mut self, row: &str) -> io::Result<()> {
        self.out.write_all(row.as_bytes())
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| Failure::output(&error))
    }
}

fn freshness(args: &VerifyArgs) -> Freshness {
    Freshness {
        at: args.at.unwrap_or_else(now),
        max_age_ms: u64::try_from(args.max_age.as_millis()).unwrap_or(u64::MAX),
    }
}

/// One document.
fn one(args: &VerifyArgs) -> Result<u8, Failure> {
    if args.csv.is_some() || args.jobs.is_some() {
        return Err(Failure::usage("--csv and --jobs go with a folder or an archive of credentials"));
    }
    let sources = Sources { file: args.file.clone(), bundle: args.bundle.clone(), trust: args.trust.clone() };
    let mut evidence = Evidence::read(&sources)?;
    if !args.nodes.is_empty() {
        refresh(args, &sources.bundle_path(), &mut evidence)?;
    }
    conclude(args, &evidence)
}

fn conclude(args: &VerifyArgs, evidence: &Evidence) -> Result<u8, Failure> {
    let freshness = freshness(args);
    let report = evidence.judge(freshness);
    let words =
        Wording { language: language(args.lang), report: &report, freshness, document: evidence.read_document() };
    if args.json {
        print(&report::json(&words, evidence.bundle.as_ref().ok()));
    } else {
        print(&report::text(&words, style_of_output()));
        explain(evidence);
    }
    Ok(report.verdict().exit_code())
}

/// Asks the nodes for a newer stamp, for this verdict alone. Without an answer the one on the disk is judged.
fn refresh(args: &VerifyArgs, bundle: &Path, evidence: &mut Evidence) -> Result<(), Failure> {
    let request = StampRequest {
        file: &args.file,
        bundle,
        trust: evidence.trust.as_ref().ok(),
        with_permission: true,
        patience: signing::PATIENCE_READING,
    };
    let fetched = online(async { Ok(stamp::fetch(&connect(&args.nodes)?, &request).await) })?;
    match fetched {
        Ok(newer) => evidence.bundle = Ok(newer),
        // What is wrong with the files is what the verdict is about.
        Err(StampError::Bundle(_) | StampError::Document { .. } | StampError::OtherDocument { .. }) => {}
        Err(error) => {
            note(format_args!("note: no newer status was obtained, the one in the bundle is judged: {error}"))
        }
    }
    Ok(())
}

/// What a line of the verdict has no room for: why files could not be read.
fn explain(evidence: &Evidence) {
    if let Err(error) = &evidence.bundle {
        note(format_args!("note: {error}"));
    }
    if let Err(error) = &evidence.trust {
        note(format_args!("note: {error}"));
    }
    if let Some(Err(error)) = &evidence.document {
        note(format_args!("note: the file cannot be read in the form in which it was registered: {error}"));
    }
}

pub(super) fn language(named: Option<LanguageArg>) -> Language {
    match named {
        Some(LanguageArg::En) => Language::English,
        Some(LanguageArg::Ka) => Language::Georgian,
        None => {
            let set = |name| std::env::var(name).ok().filter(|locale| !locale.is_empty());
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
            locale.map_or(Language::English, |locale| Language::of_locale(&locale))
        }
    }
}

fn style_of_output() -> Style {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if std::io::stdout().is_terminal() && !no_colour && !is_dumb { Style::Coloured } else { Style::Plain }
}
