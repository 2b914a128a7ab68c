//! Scenarios: text files that say who asks the ledger for what, and what it must answer. `docs/scenarios.md` tells how
//! they are written; nobody needs to program to read or add one.
//!
//! Every line is judged in three ways that must agree to the last detail: by the pool, by the node that builds a block,
//! and by another node that judges a block holding it. Accepted lines are committed on both nodes.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a failing helper fails its test")]

mod act;
mod cast;
mod facts;
mod found;
mod run;
mod text;
mod words;

use std::{collections::BTreeSet, fs, path::PathBuf};

use sigeli_ledger::outcome::Rejection;

use crate::{
    run::{Report, Runner},
    text::{Document, parse},
};

/// Codes that no row can have, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("malformed", "told of bytes that are no transaction, before there is a sender: the test below and the decoder's"),
    ("too_large", "told of bytes before they are read: no signed transaction is larger than the limit, see the test below"),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenario")
}

/// The scenario files of a folder, in order of name.
fn documents(folder: &PathBuf) -> Vec<Document> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        parse(&name, &fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{error}"))
    };
    paths.iter().map(read).collect()
}

fn run_all() -> Report {
    let starts = documents(&folder().join("start"));
    let mut report = Report::default();
    for document in documents(&folder()) {
        for scenario in &document.scenarios {
            Runner::play(&starts, &document.name, scenario, &mut report);
        }
    }
    report
}

#[test]
fn the_ledger_answers_every_line_as_written() {
    let report = run_all();
    assert!(report.errors.is_empty(), "{} lines fail:\n{}", report.errors.len(), report.errors.join("\n"));
    assert!(report.rows >= 250, "{} rows are left", report.rows);
    let elsewhere: BTreeSet<_> = ELSEWHERE.iter().map(|(name, _)| *name).collect();
    let missing: Vec<_> = Rejection::ALL
        .iter()
        .map(|(_, name)| *name)
        .filter(|name| !report.answers.contains(*name) && !elsewhere.contains(name))
        .collect();
    assert!(missing.is_empty(), "no row expects {missing:?}");
    let rows: Vec<_> = elsewhere.iter().filter(|name| report.answers.contains(**name)).collect();
    assert!(rows.is_empty(), "rows do expect {rows:?}: strike them from the list");
}
