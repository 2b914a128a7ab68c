//! `sigeli verify`: offline unless nodes are named.

use std::{io::IsTerminal as _, path::Path};

use sigeli::{
    report::{self, Style},
    signing,
    stamp::{self, StampError, StampRequest},
    verify::{Evidence, Sources},
    wording::{Language, Wording},
};
use sigeli_verifier::verdict::Freshness;

use super::{
    args::{LanguageArg, VerifyArgs},
    connect,
    failure::Failure,
    note, now, online, print,
};

pub(super) fn verify(args: &VerifyArgs) -> Result<u8, Failure> {
    let sources = Sources { file: args.file.clone(), bundle: args.bundle.clone(), trust: args.trust.clone() };
    let mut evidence = Evidence::read(&sources)?;
    if !args.nodes.is_empty() {
        refresh(args, &sources.bundle_path(), &mut evidence)?;
    }
    let freshness = Freshness {
        at: args.at.unwrap_or_else(now),
        max_age_ms: u64::try_from(args.max_age.as_millis()).unwrap_or(u64::MAX),
    };
    let report = evidence.judge(freshness);
    let words =
        Wording { language: language(args.lang), report: &report, freshness, document: evidence.read_document() };
    if args.json {
        print(&report::json(&words, evidence.bundle.as_ref().ok()));
    } else {
        print(&report::text(&words, style()));
        explain(&evidence);
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

fn style() -> Style {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if std::io::stdout().is_terminal() && !no_colour && !is_dumb { Style::Coloured } else { Style::Plain }
}
