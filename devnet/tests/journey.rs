//! The whole network as its users run it: the journey's report and everything that it leaves on the disk, checked
//! with the separate program `sigeli`; staying up until a signal; foreign documents; and kills under load.
//!
//! The three programs stand beside each other once the workspace was built; Cargo builds them for `cargo test
//! --workspace`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test's helpers fail the test, and it says what it skips"
)]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

/// One network at a time: four of them would only measure how well they share two processors.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn devnet() -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_sigeli-devnet"));
    for name in ["sigeli-node", "sigeli"] {
        let beside = path.with_file_name(name);
        assert!(
            beside.is_file(),
            "{} is missing: run `./x test` (cargo test --release --workspace), which builds all programs",
            beside.display()
        );
    }
    Command::new(path)
}

fn sigeli() -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_sigeli-devnet")).with_file_name("sigeli"));
    command.env_remove("SIGELI_TRUST").env_remove("SIGELI_NODE");
    command
}

fn succeeded(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out.into_owned()
}

fn read_report(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry.as_str().unwrap()).collect()
}

/// Whether a process of this number runs our node.
fn runs_a_node(pid: u64) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program.ends_with("sigeli-node"))
}

fn pids(report: &Value) -> Vec<u64> {
    report["node_list"].as_array().unwrap().iter().map(|node| node["pid"].as_u64().unwrap()).collect()
}

/// Verifies each artifact with the separate program. Returns the exit codes that occurred.
fn check_artifacts(report: &Value) -> BTreeSet<i64> {
    let text = |artifact: &Value, name: &str| artifact[name].as_str().unwrap().to_owned();
    let mut codes = BTreeSet::new();
    for artifact in report["artifacts"].as_array().unwrap() {
        let output = sigeli()
            .args(["verify", &text(artifact, "file"), "--bundle", &text(artifact, "bundle")])
            .args(["--trust", &text(artifact, "trust"), "--at", &text(artifact, "at")])
            .args(["--max-age", &text(artifact, "max_age")])
            .output()
            .unwrap();
        let expected = artifact["expect_exit"].as_i64().unwrap();
        assert_eq!(output.status.code().map(i64::from), Some(expected), "{artifact}\n{output:?}");
        codes.insert(expected);
    }
    codes
}

/// What every complete journey's report says.
fn check_report(report: &Value, credentials: u64) {
    let names: BTreeSet<_> = report.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "artifacts",
        "credentials",
        "finality_ms",
        "genuine",
        "height",
        "killed_node_caught_up_ms",
        "node_list",
        "nodes",
        "receipt_bytes",
        "revoked_detected",
        "stamp_bytes",
        "state_roots",
        "tampered_detected",
        "unaccredited_rejected_code",
        "suspended_rejected_code",
    ];
    assert_eq!(names, expected.into());
    assert_eq!(report["nodes"], 4);
    let nodes: Vec<_> =
        report["node_list"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(nodes, ["ministry", "nceqe", "emis", "grena"]);
    let roots = strings(&report["state_roots"]);
    assert_eq!(roots.len(), 4);
    assert!(roots.iter().all(|root| *root == roots[0] && root.len() == 64), "{roots:?}");
    assert_eq!((report["credentials"].as_u64(), report["genuine"].as_u64()), (Some(credentials), Some(credentials)));
    assert_eq!((&report["revoked_detected"], &report["tampered_detected"]), (&true.into(), &true.into()));
    assert_eq!(report["unaccredited_rejected_code"], "accreditation_missing");
    assert_eq!(report["suspended_rejected_code"], "accreditation_suspended");
    // Two registrations, two authorisations, order, programme, accreditation, batch, revocation, policy, suspension,
    // reinstatement, second batch, withdrawal.
    assert!(report["finality_ms"].as_array().unwrap().len() >= 14, "{report}");
    // Genesis and those fourteen, unless one block held several.
    assert!(report["height"].as_u64().unwrap() >= 1);
    assert!(report["receipt_bytes"].as_u64().unwrap() > 0 && report["stamp_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn the_journey_leaves_what_a_stranger_can_verify() {
    let _alone = alone();
    let outside = tempfile::tempdir().unwrap();
    let (home, report) = (outside.path().join("net"), outside.path().join("report.json"));
    let output = devnet().args(["--exit", "--dir"]).arg(&home).arg("--report").arg(&report).output().unwrap();
    let text = succeeded(&output);
    assert!(text.contains("The journey is complete."), "{text}");

    let report = read_report(&report);
    check_report(&report, 12);
    assert_eq!(check_artifacts(&report), [0, 1, 2, 3].into());
    assert!(!pids(&report).into_iter().any(runs_a_node), "a node outlived the devnet");
    assert!(home.join("trust").is_file());
    for name in ["ministry", "nceqe", "emis", "grena"] {
        assert!(home.join("nodes").join(name).join("log").is_file(), "{name}");
    }
    let credentials = fs::read_dir(home.join("credentials")).unwrap().count();
    assert_eq!(credentials, 24, "twelve credentials, each with its bundle");
}

#[test]
fn a_directory_that_is_not_the_devnets_is_left_alone() {
    let outside = tempfile::tempdir().unwrap();
    let precious = outside.path().join("precious");
    fs::write(&precious, b"x").unwrap();
    let output = devnet().args(["--exit", "--dir"]).arg(outside.path()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("was not made by the devnet"), "{output:?}");
    assert_eq!(fs::read(&precious).unwrap(), b"x");
}

/// A devnet that runs; interrupted when the test ends early, so that its nodes end with it.
struct Running(Option<Child>);

impl Running {
    fn interrupt(&mut self) -> Output {
        let child = self.0.take().unwrap();
        let pid = child.id().to_string();
        assert!(Command::new("sh").args(["-c", "kill -INT \"$0\"", &pid]).status().unwrap().success());
        child.wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.is_some() {
            self.interrupt();
        }
    }
}

#[test]
fn it_stays_up_until_a_signal_and_takes_its_nodes_along() {
    let _alone = alone();
    let outside = tempfile::tempdir().unwrap();
    let (home, report) = (outside.path().join("net"), outside.path().join("report.json"));
    let mut child = devnet()
        .arg("--dir")
        .arg(&home)
        .arg("--report")
        .arg(&report)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut devnet = Running(Some(child));
    // The last of the commands to try. Without it, the output ends when the devnet does.
    let invited = lines.by_ref().map(Result::unwrap).any(|line| line.contains("sigeli-node start --home"));
    assert!(invited, "{:?}", devnet.0.take().unwrap().wait_with_output());
    let report = read_report(&report);
    let running = pids(&report);
    assert!(running.iter().all(|pid| runs_a_node(*pid)), "{running:?}");

    // A client reaches the network meanwhile.
    let node = report["node_list"][3]["grpc"].as_str().unwrap();
    let file = report["artifacts"][0]["file"].as_str().unwrap();
    let stamp = sigeli().args(["stamp", file, "--node", node, "--trust"]).arg(home.join("trust")).output().unwrap();
    succeeded(&stamp);

    let output = devnet.interrupt();
    assert!(output.status.success(), "{output:?}");
    assert!(!running.into_iter().any(runs_a_node), "a node outlived the devnet");
}

#[test]
fn foreign_documents_are_anchored_and_verify() {
    let Some(vectors) = std::env::var_os("SIGELI_VECTORS").map(PathBuf::from) else {
        println!("skipped: SIGELI_VECTORS is not set");
        return;
    };
    let _alone = alone();
    let outside = tempfile::tempdir().unwrap();
    let documents = outside.path().join("documents");
    let wanted: [(&str, IsWanted); 4] = [
        ("europass-elm", |name| name.contains(".json")),
        ("ob3-validator", |name| name.starts_with("simple.")),
        ("vc-dm2", |_| true),
        ("pdf", |_| true),
    ];
    let mut count = 0;
    for (folder, is_wanted) in wanted {
        count += copy(&vectors.join(folder), &documents.join(folder), is_wanted);
    }
    assert!(count >= 10, "{} holds only {count} documents", vectors.display());
    let report = outside.path().join("report.json");
    let output = devnet()
        .args(["--exit", "--dir"])
        .arg(outside.path().join("net"))
        .arg("--credentials")
        .arg(&documents)
        .arg("--report")
        .arg(&report)
        .output()
        .unwrap();
    succeeded(&output);
    let report = read_report(&report);
    check_report(&report, count);
    assert!(check_artifacts(&report).is_superset(&[1, 2, 3].into()));
}

/// Whether a file of this name is wanted.
type IsWanted = fn(&str) -> bool;

/// Copies the wanted files of a folder and its subfolders. Returns how many.
fn copy(from: &Path, into: &Path, is_wanted: IsWanted) -> u64 {
    let mut count = 0;
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = into.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            count += copy(&entry.path(), &target, is_wanted);
        } else if is_wanted(entry.file_name().to_str().unwrap()) {
            fs::create_dir_all(into).unwrap();
            fs::copy(entry.path(), target).unwrap();
            count += 1;
        }
    }
    count
}

#[test]
fn no_acknowledged_anchor_is_lost_when_nodes_are_killed() {
    let _alone = alone();
    let outside = tempfile::tempdir().unwrap();
    let output = devnet()
        .args(["kills", "--runs", "3", "--seed", "1", "--dir"])
        .arg(outside.path().join("net"))
        .output()
        .unwrap();
    let text = succeeded(&output);
    assert!(text.contains("No violation."), "{text}");
}
