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
mod numbers;
mod run;
mod text;
mod words;

use std::{collections::BTreeSet, fs, path::PathBuf};

use sigeli_ledger::outcome::Rejection;
use sigeli_verifier::{
    bounded::List,
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    ids::{AuthorityId, AuthoritySequence, GenesisHash, InstitutionId, KeyIndex, TimeMs},
    params::TRANSACTION_BYTES_MAX,
    transaction::{
        Payload, Sender, SignedTransaction, StatusAction, StatusEntry, StatusOrder, StatusReason, Transaction,
    },
};

use crate::{
    run::{Report, Runner},
    text::{Document, parse},
};

/// Codes that no row can have, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("malformed", "told of bytes that are no transaction, before there is a sender: the test below and the decoder's"),
    (
        "too_large",
        "told of bytes before they are read: no signed transaction is larger than the limit, see the test below",
    ),
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

/// Plays one scenario of these lines from the usual pilot, and returns what was wrong.
fn errors_of(lines: &str) -> Vec<String> {
    let starts = documents(&folder().join("start"));
    let text = format!("Scenario: A title\nStart: the usual pilot\n{lines}\n");
    let document = match parse("lines.txt", &text) {
        Ok(document) => document,
        Err(error) => return vec![error],
    };
    let mut report = Report::default();
    for scenario in &document.scenarios {
        Runner::play(&starts, &document.name, scenario, &mut report);
    }
    report.errors
}

#[test]
fn an_error_names_file_line_expectation_and_finding() {
    assert_eq!(errors_of("2027-05-10 GTU anchors B1 -> ok"), Vec::<String>::new());
    let wrong = [
        ("2027-05-10 GTU anchors B1 -> level_mismatch", "lines.txt:3: A title — expected level_mismatch , found ok "),
        (
            "2027-05-10 GTU anchors B1 -> ok\nnext GTU anchors B2 level 5 -> ok",
            "lines.txt:4: A title — expected ok , found level_mismatch the level is 5, and 6 is accredited",
        ),
        (
            "2027-05-10 GTU anchors B2 level 5 -> level_mismatch \"level is 4\"",
            "lines.txt:3: A title — expected level_mismatch level is 4, found level_mismatch the level is 5, and 6 is \
             accredited",
        ),
        (
            "2027-05-10 GTU anchors B1 -> ok\ncheck batch B1 of GTU state revoked",
            "lines.txt:4: A title — expected state revoked, found valid",
        ),
        ("2027-05-10 GTU anchors B1 -> accepted", "lines.txt:3: A title — expected accepted , found ok "),
        ("2027-05-10 GTU anchors B1", "lines.txt:3: A title — the answer is missing: \"-> ok\" or a code"),
        ("2027-05-10 GTU eats B1 -> ok", "lines.txt:3: A title — \"eats\" is nothing that can be done"),
        ("2027-02-30 GTU anchors B1 -> ok", "lines.txt:3: \"2027-02-30\" is no day such as 2027-06-30"),
        (
            "2026-05-10 GTU anchors B1 -> ok",
            "lines.txt:3: A title — the block before was at 1799042407000 ms, and this one would be at 1778400000000 ms",
        ),
    ];
    for (lines, error) in wrong {
        assert_eq!(errors_of(lines), vec![error.to_owned()], "{lines}");
    }
}

/// A signed transaction of 11 short entries and `long` long ones.
fn sized(long: usize) -> Option<SignedTransaction> {
    let entry = |action| StatusEntry {
        handle: act::handle(1),
        entry: 1,
        action,
        reason: StatusReason::Unspecified,
        successor: if action == StatusAction::Supersede { [9; 32] } else { [0; 32] },
    };
    let mut entries = vec![entry(StatusAction::Suspend); 11];
    entries.resize(11 + long, entry(StatusAction::Supersede));
    let body = Transaction {
        genesis: GenesisHash::new([1; 32]),
        valid_until: TimeMs::new(1),
        sender: Sender::Authority { authority: AuthorityId::new(2), sequence: AuthoritySequence::new(1) },
        payload: Payload::StatusOrder(StatusOrder {
            institution: InstitutionId::new(7),
            decision: act::decision("D"),
            entries: List::new(entries).unwrap(),
        }),
    };
    found::sign(body, &[(KeyIndex::new(0), "GTU.0".to_owned())]).ok()
}

/// The two codes that no row can have: what the edge tells of bytes before they become a transaction.
#[test]
fn bytes_that_are_no_transaction_never_reach_a_rule() {
    let largest = sized(928).unwrap().to_bytes();
    assert_eq!(largest.len(), TRANSACTION_BYTES_MAX);
    assert!(SignedTransaction::from_bytes(&largest).is_ok());
    assert!(sized(929).is_none(), "no larger one can be made");
    let too_large = Rejection::TooLarge { bytes: largest.len() + 70, limit: TRANSACTION_BYTES_MAX };
    assert_eq!((too_large.code(), too_large.name()), (101, "too_large"));
    for length in (0..largest.len()).step_by(61) {
        let error = SignedTransaction::from_bytes(&largest[..length]).unwrap_err();
        assert!(matches!(error, DecodeError::UnexpectedEnd { .. }), "{length}: {error}");
        let malformed = Rejection::Malformed { error };
        assert_eq!((malformed.code(), malformed.name()), (100, "malformed"));
    }
}
