//! Many credentials at once, by the binary: a folder and an archive, the table, the worst verdict, and what else can go wrong.
#![expect(clippy::unwrap_used, reason = "tests panic to fail")]
#![allow(dead_code, reason = "the fixture is shared, and each test binary uses a part of it")]

mod shelf;
mod world;

use std::{collections::BTreeMap, process::Stdio};

use serde_json::Value;
use shelf::{AT, verify};
use sigeli::carry::archive;
use sigeli_verifier::{encode::Encode as _, record::StatusState, transaction::StatusReason, trust::NetworkKind};
use world::{Issued, World, sigeli};

const PDF: &[u8] = b"%PDF-1.7 a credential";
const OTHER: &[u8] = b"%PDF-1.7 another one";
const JSON: &[u8] = br#"{"validFrom": "2026-11-20T00:00:00Z"}"#;

/// Credentials with every verdict: what each file's name begins with is its verdict.
fn issued(world: &World) -> Issued {
    let issued = Issued::new(&[("valid.pdf", PDF), ("ended.pdf", OTHER), ("valid.json", JSON)]);
    let directory = issued.directory.path();
    let revoked = Some((StatusState::Revoked, StatusReason::AwardWithdrawn));
    let folder = directory.join("all");
    std::fs::create_dir_all(folder.join("below")).unwrap();
    let put = |name: &str, content: &[u8], bundle: Option<&[u8]>| {
        std::fs::write(folder.join(name), content).unwrap();
        if let Some(bundle) = bundle {
            std::fs::write(folder.join(format!("{name}.sigeli")), bundle).unwrap();
        }
    };
    let valid = world.bundle(&issued, 0, None).to_bytes();
    put("valid.pdf", PDF, Some(&valid));
    put("below/valid.json", JSON, Some(&world.bundle(&issued, 2, None).to_bytes()));
    put("ended.pdf", OTHER, Some(&world.bundle(&issued, 1, revoked).to_bytes()));
    put("not_genuine.pdf", b"%PDF-1.7 a credentiaL", Some(&valid));
    put("unchecked.pdf", PDF, None);
    put("below/unchecked, =1+1.pdf", PDF, Some(&valid[..100]));
    issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
    issued
}

/// The rows of a table by file, as verdict and exit code. Plain cells only are split.
fn rows(table: &str) -> BTreeMap<String, (String, String)> {
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("file,verdict,exit,document,registered,"));
    let row = |line: &str| {
        let (file, rest) = match line.strip_prefix('"') {
            Some(quoted) => quoted.split_once("\",").unwrap(),
            None => line.split_once(',').unwrap(),
        };
        let mut cells = rest.split(',');
        (file.to_owned(), (cells.next().unwrap().to_owned(), cells.next().unwrap().to_owned()))
    };
    lines.map(row).collect()
}

#[test]
fn a_folder_gets_one_row_a_document_and_the_worst_verdict() {
    let issued = issued(&World::new(1));
    let directory = issued.directory.path();
    for jobs in ["1", "7"] {
        let run = verify(directory, &["all", "--csv", "table.csv", "--jobs", jobs]);
        assert_eq!(run.exit, 2, "{}{}", run.out, run.err);
        assert!(
            run.out.contains("         6 document(s)") && run.out.contains("         1 NOT GENUINE"),
            "{}",
            run.out
        );
        assert!(run.out.contains("         1 Document: document_changed"), "{}", run.out);
        let rows = rows(&std::fs::read_to_string(directory.join("table.csv")).unwrap());
        assert_eq!(rows.len(), 6);
        for (file, (verdict, exit)) in &rows {
            let name = file.rsplit('/').next().unwrap();
            assert!(name.starts_with(verdict.as_str()), "{file}: {verdict}");
            let expected = match verdict.as_str() {
                "valid" => "0",
                "ended" => "1",
                "not_genuine" => "2",
                _ => "3",
            };
            assert_eq!(exit, expected);
        }
    }
    // The order of badness: without what is not genuine 3, without what could not be checked 1, and then 0.
    for (remove, exit) in [("not_genuine", 3), ("unchecked", 1), ("ended", 0)] {
        for folder in ["all", "all/below"] {
            for entry in std::fs::read_dir(directory.join(folder)).unwrap() {
                let entry = entry.unwrap();
                if entry.file_name().to_str().unwrap().starts_with(remove) {
                    std::fs::remove_file(entry.path()).unwrap();
                }
            }
        }
        assert_eq!(verify(directory, &["all"]).exit, exit, "without {remove}");
    }
}

#[test]
fn the_summary_has_a_form_for_programs_and_one_in_georgian() {
    let issued = issued(&World::new(1));
    let directory = issued.directory.path();
    let run = verify(directory, &["all", "--json"]);
    let json: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(json["format"], "sigeli-summary-1");
    assert_eq!((&json["exit"], &json["documents"], &json["test_ledger"]), (&2.into(), &6.into(), &true.into()));
    for (verdict, count) in [("valid", 2), ("ended", 1), ("not_genuine", 1), ("unchecked", 2)] {
        assert_eq!(json["verdicts"][verdict], count, "{verdict}");
    }
    let findings = serde_json::json!({
        "document": {"document_changed": 1},
        "registered": {"bundle_missing": 1, "bundle_unreadable": 1},
        "status": {"revoked": 1},
        // Opaque files do not say until when they are valid: both valid PDFs' lines are open, which changes no verdict.
        "dates": json["findings"]["dates"],
    });
    assert_eq!(json["findings"], findings);
    assert!(verify(directory, &["all", "--lang", "ka"]).out.contains("6 დოკუმენტი"));
}

#[test]
fn an_archive_is_verified_as_it_is() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    let bundle = world.bundle(&issued, 0, None).to_bytes();
    let files = [
        ("x/a.pdf", PDF),
        ("x/a.pdf.sigeli", &bundle[..]),
        ("b.pdf", b"%PDF-1.7 changed"),
        ("b.pdf.sigeli", &bundle),
        ("c.pdf", PDF),
    ];
    issued.write("many.zip", &archive::pack(&files).unwrap());
    let run = verify(directory, &["many.zip", "--csv", "table.csv"]);
    assert_eq!(run.exit, 2, "{}{}", run.out, run.err);
    let rows = rows(&std::fs::read_to_string(directory.join("table.csv")).unwrap());
    let verdicts: Vec<_> = rows.iter().map(|(file, (verdict, _))| (file.as_str(), verdict.as_str())).collect();
    assert_eq!(verdicts, [("b.pdf", "not_genuine"), ("c.pdf", "unchecked"), ("x/a.pdf", "valid")]);
    // One credential and its bundle: the eight lines.
    issued.write("b.zip", &archive::pack(&files[..2]).unwrap());
    let run = verify(directory, &["b.zip"]);
    assert_eq!(run.exit, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("[ ok ] 1. Document"), "{}", run.out);
    let zipped = sigeli(directory, &["bundle", "zip", "all/valid.pdf", "--out", "made.zip"]);
    assert_eq!(zipped.exit, 0, "{}", zipped.err);
    let run = verify(directory, &["made.zip", "--json"]);
    assert_eq!((run.exit, run.err.as_str()), (0, ""), "{}", run.out);
    // An archive that is a document itself, and one without any bundle: documents like any other.
    issued.write("none.zip", &archive::pack(&files[4..]).unwrap());
    let run = verify(directory, &["none.zip", "--json"]);
    assert!(run.exit == 3 && run.out.contains("bundle_missing"), "{}", run.out);
    issued.write("b.zip.sigeli", &bundle);
    assert_eq!(verify(directory, &["b.zip"]).exit, 2);
}

#[test]
fn a_document_with_its_bundle_inside_counts_as_one() {
    let issued = issued(&World::new(1));
    let directory = issued.directory.path();
    let embedded = sigeli(directory, &["bundle", "embed", "all/below/valid.json"]);
    assert_eq!(embedded.exit, 0, "{}", embedded.err);
    std::fs::create_dir(directory.join("one")).unwrap();
    std::fs::rename(directory.join("all/below/valid.json"), directory.join("one/a.json")).unwrap();
    assert_eq!(verify(directory, &["one"]).exit, 0);
}

#[test]
fn what_cannot_be_read_is_counted_and_never_called_false() {
    let issued = issued(&World::new(1));
    let directory = issued.directory.path();
    let folder = directory.join("odd");
    std::fs::create_dir(&folder).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink(folder.join("nowhere"), folder.join("dangling")).unwrap();
    let run = verify(directory, &["odd", "--csv", "table.csv"]);
    assert_eq!(run.exit, 3, "{}{}", run.out, run.err);
    let table = std::fs::read_to_string(directory.join("table.csv")).unwrap();
    assert!(table.contains("a pipe, a device or a socket") && table.contains("there is no file"), "{table}");
    // Alone, a pipe or a device is refused at once: nothing waits for a writer, or reads without end.
    for file in ["odd/pipe", "/dev/zero"] {
        let run = verify(directory, &[file, "--json"]);
        assert_eq!(run.exit, 66, "{}{}", run.out, run.err);
        assert!(run.err.contains("a pipe, a device or a socket"), "{}", run.err);
        let json: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!((&json["format"], &json["exit"]), (&"sigeli-error-1".into(), &66.into()));
    }
    // Without a trust file, with another ledger's, and with an old status: 3 for what is not plainly false.
    std::fs::remove_file(directory.join("all/not_genuine.pdf")).unwrap();
    issued.write("foreign", &World::new(2).trust(NetworkKind::Production).to_bytes());
    for args in [
        &["verify", "all", "--trust", "none", "--at", AT][..],
        &["verify", "all", "--trust", "foreign", "--at", AT],
        &["verify", "all", "--trust", "trust", "--at", "2027-11-24T09:00:30Z"],
    ] {
        assert_eq!(sigeli(directory, args).exit, 3, "{args:?}");
    }
}

#[test]
fn wrong_calls_and_empty_folders_have_codes_of_their_own() {
    let issued = issued(&World::new(1));
    let directory = issued.directory.path();
    std::fs::create_dir(directory.join("empty")).unwrap();
    for (args, exit) in [
        (&["empty"][..], 66),
        (&["all", "--bundle", "x"], 64),
        (&["all", "--node", "http://127.0.0.1:9"], 64),
        (&["all/valid.pdf", "--csv", "x"], 64),
        (&["all/valid.pdf", "--jobs", "2"], 64),
        (&["all", "--jobs", "0"], 64),
        (&["none"], 66),
        (&["all", "--csv", "missing/table.csv"], 73),
    ] {
        let run = verify(directory, args);
        assert_eq!(run.exit, exit, "{args:?}: {}{}", run.out, run.err);
        assert!(run.out.is_empty() && !run.err.is_empty(), "{args:?}: {}", run.out);
        let mut with_json = args.to_vec();
        with_json.push("--json");
        let run = verify(directory, &with_json);
        let json: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!((&json["format"], &json["exit"]), (&"sigeli-error-1".into(), &exit.into()), "{args:?}");
        assert!(json["error"].as_str().is_some_and(|error| !error.is_empty()));
    }
}

#[test]
fn a_result_that_does_not_arrive_is_not_called_a_success() {
    let issued = issued(&World::new(1));
    let directory = issued.directory.path();
    let run = |args: &[&str], out: Stdio| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sigeli"));
        command.args(["verify", "--trust", "trust", "--at", AT]).args(args);
        command.current_dir(directory).stdout(out).stderr(Stdio::null()).status().unwrap().code().unwrap()
    };
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    for args in [&["all/valid.pdf"][..], &["all/valid.pdf", "--json"], &["all"], &["all/not_genuine.pdf"]] {
        assert_eq!((run(args, full()), run(args, closed())), (73, 73), "{args:?}");
    }
    assert_eq!(run(&["all", "--csv", "/dev/full"], Stdio::null()), 73);
}
