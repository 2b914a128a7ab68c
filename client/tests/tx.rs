//! Drafts of transactions: every kind is made, read in plain words, signed by two hands, merged and decoded; and what is
//! refused on the way. The texts of `tests/golden/tx` are what a lawyer reads: change them with care. With
//! SIGELI_BLESS=1 in the environment the test writes them anew.
#![expect(clippy::unwrap_used, reason = "a test panics to fail")]

mod scripted;
#[expect(dead_code, reason = "each test program uses its own part")]
mod world;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use scripted::{Answer, Node, institution_key, keys_of};
use sigeli::{keys::SecretKey, tx::file, values};
use sigeli_verifier::{
    decode::Decode as _,
    encode::Encode as _,
    ids::AuthorityId,
    transaction::{Draft, Name, Payload, Sender, joint_key},
    trust::NetworkKind,
};
use world::{Issued, Run, World, sigeli};

const LEDGER: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const ROOT: &str = "4242424242424242424242424242424242424242424242424242424242424242";
const HANDLE: &str = "2323232323232323232323232323232323232323232323232323232323232323";
const LEAF: &str = "5656565656565656565656565656565656565656565656565656565656565656";
const AT: &str = "2026-11-24T09:00:00Z";

fn public(seed: u8) -> String {
    SecretKey::from_seed(&[seed; 32]).public().to_string()
}

fn strings(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

/// Every kind, by the name of its golden text: the arguments after `tx new`, without the ledger and the file.
fn kinds() -> Vec<(&'static str, Vec<String>)> {
    let by = |more: &[&str]| {
        [strings(more), strings(&["--authority", "2", "--sequence", "14", "--decision", "N 12, 2026-11-20"])].concat()
    };
    let ministry = |more: &[&str]| {
        [strings(more), strings(&["--authority", "1", "--sequence", "3", "--decision", "N 5, 2026-11-20"])].concat()
    };
    let joint =
        |more: &[&str]| [strings(more), strings(&["--sequence", "7", "--decision", "N 1, 2026-11-20"])].concat();
    let (key, other) = (public(50), public(51));
    let key_status = format!("{other}:status,admin");
    let days = ["--keys-from", "2026-12-01", "--keys-until", "2028-11-30"];
    let with = |base: &[&str], more: &[&str]| strings(base).into_iter().chain(strings(more)).collect::<Vec<_>>();
    let granted = ["--institution", "7", "--from", "2026-12-01", "--until", "2031-11-30"];
    let accredited = [
        "--programme",
        "4",
        "--coordinator",
        "9",
        "--title-ka",
        "კურსი",
        "--title-en",
        "Course",
        "--level",
        "6",
        "--fields",
        "0613,07",
        "--ects-max",
        "5",
        "--modes",
        "on-site,online",
        "--review",
        "2029-06-01",
        "--agent",
        "Agency A",
    ];
    let changed = ["--institution", "7", "--permission", "3", "--change", "2", "--effective", "2026-12-01"];
    let replaced = ["--replaced", "3", "--effective", "2026-12-01", "--reason", "renewed"];
    let joined = |first: &str, parts: &[&[&str]]| -> Vec<String> {
        std::iter::once(first.to_owned()).chain(parts.iter().flat_map(|part| strings(part))).collect()
    };
    let refs = |parts: &[String]| parts.to_vec();
    let by_all = |parts: Vec<String>| by(&parts.iter().map(String::as_str).collect::<Vec<_>>());
    let ministry_all = |parts: Vec<String>| ministry(&parts.iter().map(String::as_str).collect::<Vec<_>>());
    let policy = [
        "--ects-max",
        "5,5,5,5,5,5,5,5",
        "--ects-min",
        "1,1,1,1,1,1,1,1",
        "--ects-recognised-max",
        "15",
        "--batch-height-min",
        "4",
        "--clock-tolerance",
        "10m",
        "--order-required",
        "no",
        "--batches-per-day",
        "100",
        "--statuses-per-day",
        "10000",
        "--changes-per-day",
        "256",
        "--approvals-min",
        "3",
    ];
    vec![
        (
            "institution-register",
            by_all(with(
                &[
                    "institution-register",
                    "--institution",
                    "7",
                    "--kind",
                    "legal-entity",
                    "--legal-id",
                    "204858001",
                    "--name-ka",
                    "გრენა",
                    "--name-en",
                    "GRENA",
                    "--institution-key",
                    &key,
                    "--institution-key",
                    &key_status,
                ],
                &days,
            )),
        ),
        (
            "institution-update",
            by(&[
                "institution-update",
                "--institution",
                "7",
                "--kind",
                "university",
                "--legal-id",
                "211349193",
                "--name-ka",
                "სახელი",
                "--name-en",
                "Name",
                "--profile",
                ROOT,
            ]),
        ),
        (
            "institution-close",
            by(&[
                "institution-close",
                "--institution",
                "7",
                "--from",
                "2026-12-31",
                "--reason",
                "merged",
                "--successor",
                "9",
            ]),
        ),
        ("institution-reopen", by(&["institution-reopen", "--institution", "7", "--reason", "court-order"])),
        ("keys-add", by_all(with(&["keys-add", "--institution", "7", "--institution-key", &key], &days))),
        ("keys-add-own", with(&["keys-add", "--institution", "7", "--institution-key", &key], &days)),
        ("key-retire", by(&["key-retire", "--institution", "7", "--index", "2"])),
        ("key-compromise", by(&["key-compromise", "--institution", "7", "--index", "2", "--from-block", "1200"])),
        ("key-compromise-now", by(&["key-compromise", "--institution", "7", "--index", "2", "--to-index", "9"])),
        ("key-compromise-own", strings(&["key-compromise", "--institution", "7", "--index", "2"])),
        ("key-clear", by(&["key-clear", "--institution", "7", "--index", "2", "--to-index", "9"])),
        (
            "programme-register",
            strings(&[
                "programme-register",
                "--institution",
                "9",
                "--programme",
                "4",
                "--title-ka",
                "კურსი",
                "--title-en",
                "Course",
                "--partner",
                "7",
                "--partner",
                "3",
            ]),
        ),
        (
            "grant-authorisation",
            by_all(joined("permission-grant", &[&["authorisation"], &granted, &["--conditional"]])),
        ),
        (
            "grant-order",
            ministry_all(joined("permission-grant", &[&["order"], &granted, &["--fields", "06", "--levels", "6,7"]])),
        ),
        ("grant-accreditation", by_all(joined("permission-grant", &[&["accreditation"], &granted, &accredited]))),
        ("permission-suspend", by_all(joined("permission-suspend", &[&changed, &["--reason", "monitoring-failed"]]))),
        ("permission-reinstate", by_all(joined("permission-reinstate", &[&changed, &["--reason", "appeal-upheld"]]))),
        ("permission-withdraw", by_all(joined("permission-withdraw", &[&changed, &["--reason", "voluntary"]]))),
        ("replace-authorisation", by_all(joined("permission-replace", &[&["authorisation"], &granted, &replaced]))),
        (
            "replace-order",
            ministry_all(joined(
                "permission-replace",
                &[&["order"], &granted, &replaced, &["--fields", "06,0714", "--levels", "6"]],
            )),
        ),
        (
            "replace-accreditation",
            by_all(joined("permission-replace", &[&["accreditation"], &granted, &replaced, &accredited])),
        ),
        (
            "permission-annul",
            by(&["permission-annul", "--institution", "7", "--permission", "3", "--reason", "court-order"]),
        ),
        ("batch-anchor", strings(&["batch-anchor", "batch"])),
        (
            "batch-revoke-own",
            strings(&[
                "batch-status",
                "--institution",
                "7",
                "--root",
                ROOT,
                "--action",
                "revoke",
                "--reason",
                "issued-in-error",
                "--entry",
                "1",
            ]),
        ),
        (
            "batch-suspend",
            by(&[
                "batch-status",
                "--institution",
                "7",
                "--root",
                ROOT,
                "--action",
                "suspend",
                "--reason",
                "under-review",
                "--entry",
                "1",
            ]),
        ),
        (
            "batch-reinstate",
            by(&[
                "batch-status",
                "--institution",
                "7",
                "--root",
                ROOT,
                "--action",
                "reinstate",
                "--reason",
                "review-ended",
                "--entry",
                "1",
            ]),
        ),
        ("batch-annul", by(&["batch-annul", "--institution", "7", "--root", ROOT, "--root", HANDLE, "--entry", "2"])),
        (
            "status-set",
            strings(&[
                "status-set",
                "--institution",
                "7",
                "--handle",
                HANDLE,
                "--handle",
                ROOT,
                "--action",
                "suspend",
                "--reason",
                "8",
                "--entry",
                "1",
            ]),
        ),
        (
            "status-order",
            by(&[
                "status-order",
                "--institution",
                "7",
                "--handle",
                HANDLE,
                "--action",
                "supersede",
                "--successor-leaf",
                LEAF,
                "--entry",
                "1",
            ]),
        ),
        (
            "status-order-revoke",
            by(&[
                "status-order",
                "--institution",
                "7",
                "--handle",
                HANDLE,
                "--action",
                "revoke",
                "--reason",
                "order",
                "--entry",
                "3",
            ]),
        ),
        (
            "status-annul",
            by(&["status-annul", "--institution", "7", "--handle", ROOT, "--handle", HANDLE, "--entry", "2"]),
        ),
        (
            "authority-keys",
            by(&[
                "authority-keys",
                "--authority-key",
                &key,
                "--authority-key",
                &other,
                "--threshold",
                "2",
                "--log-key",
                &public(52),
            ]),
        ),
        (
            "authority-set",
            joint(&[
                "authority-set",
                "--number",
                "5",
                "--kind",
                "operator",
                "--name-ka",
                "ახალი",
                "--name-en",
                "New",
                "--authority-key",
                &key,
                "--threshold",
                "1",
            ]),
        ),
        ("authority-remove", joint(&["authority-remove", "--number", "4"])),
        ("policy-set", [refs(&joint(&["policy-set"])), strings(&policy)].concat()),
        ("upgrade", joint(&["upgrade", "--protocol", "2", "--from-block", "90000"])),
        ("upgrade-back", joint(&["upgrade", "--protocol", "1", "--take-back"])),
    ]
}

struct Desk {
    issued: Issued,
}

impl Desk {
    fn new() -> Self {
        let issued = Issued::new(&[("a.pdf", b"%PDF-1.7 a")]);
        for (name, seed) in [("m1", 71), ("m2", 72), ("n1", 60), ("e1", 81), ("o1", 91), ("gtu", 50), ("other", 99)] {
            SecretKey::from_seed(&[seed; 32]).write(&issued.path(name)).unwrap();
        }
        Self { issued }
    }

    fn directory(&self) -> &Path {
        self.issued.directory.path()
    }

    fn run(&self, args: &[&str]) -> Run {
        sigeli(self.directory(), args)
    }

    fn ok(&self, args: &[&str]) -> Run {
        let run = self.run(args);
        assert_eq!(run.exit, 0, "{args:?}: {}{}", run.out, run.err);
        run
    }

    fn new_draft(&self, args: &[String], out: &str) -> Draft {
        let mut all = vec!["tx", "new"];
        all.extend(args.iter().map(String::as_str));
        all.extend(["--ledger", LEDGER, "--out", out, "--lang", "en"]);
        self.ok(&all);
        self.draft(out)
    }

    fn draft(&self, name: &str) -> Draft {
        file::read(&self.issued.path(name)).unwrap()
    }

    fn copy(&self, from: &str, to: &str) {
        std::fs::copy(self.issued.path(from), self.issued.path(to)).unwrap();
    }

    fn sign(&self, draft: &str, key: &str, more: &[&str]) -> Run {
        let mut args = vec!["tx", "sign", draft, "--key", key, "--yes", "--lang", "en"];
        args.extend(more);
        self.run(&args)
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tx").join(format!("{name}.txt"))
}

/// The text with what differs from run to run taken out: the id, until when it is valid, the root of a batch.
fn steady(text: &str, draft: &Draft) -> String {
    let until = values::tbilisi(draft.body().valid_until);
    assert!(text.contains(&until), "{text}");
    let text = text.replace(&draft.body().id().to_string(), "<ID>").replace(&until, "<TIME>");
    // A batch's salts are drawn anew each time.
    match &draft.body().payload {
        Payload::BatchAnchor(anchor) => text.replace(&anchor.root.to_string(), "<ROOT>"),
        _ => text,
    }
}

#[test]
fn every_kind_is_made_read_signed_merged_and_decoded() {
    let desk = Desk::new();
    let bless = std::env::var_os("SIGELI_BLESS").is_some();
    let mut codes = std::collections::BTreeSet::new();
    for (name, args) in kinds() {
        let out = format!("{name}.tx");
        let made = desk.new_draft(&args, &out);
        codes.insert(made.body().payload.code());
        let shown = desk.ok(&["tx", "show", &out, "--lang", "en", "--at", AT]).out;
        let text = steady(&shown, &made);
        if bless {
            std::fs::write(golden(name), &text).unwrap();
        }
        assert_eq!(text, std::fs::read_to_string(golden(name)).unwrap(), "{name}");
        // In Georgian: no sentence is left in English, apart from codes and names.
        let georgian = desk.ok(&["tx", "show", &out, "--lang", "ka", "--at", AT]).out;
        for english in
            ["What happens", "Every field", "Signatures", "Needed", "Ledger", "Decision", "Institution", "Reason"]
        {
            assert!(!georgian.contains(english), "{name}: {english}: {georgian}");
        }

        // Two hands sign copies of their own, which are merged.
        let (first, second) = (format!("{name}.1"), format!("{name}.2"));
        desk.copy(&out, &first);
        desk.copy(&out, &second);
        match made.body().sender {
            Sender::Institution { .. } => {
                assert_eq!(desk.sign(&first, "gtu", &["--index", "3"]).exit, 0, "{name}");
                let again = desk.sign(&first, "other", &["--index", "4"]);
                assert_eq!(again.exit, 65, "{name}: {}", again.err);
            }
            Sender::Authority { .. } => {
                assert_eq!(desk.sign(&first, "n1", &["--index", "0"]).exit, 0, "{name}");
                assert_eq!(desk.sign(&second, "other", &["--index", "1"]).exit, 0, "{name}");
            }
            Sender::Authorities { .. } => {
                assert_eq!(desk.sign(&first, "n1", &["--index", "0", "--authority", "2"]).exit, 0, "{name}");
                assert_eq!(desk.sign(&second, "e1", &["--index", "0", "--authority", "3"]).exit, 0, "{name}");
            }
        }
        let merged = format!("{name}.merged");
        desk.ok(&["tx", "merge", &first, &second, "--out", &merged]);
        let bytes = std::fs::read(desk.issued.path(&merged)).unwrap();
        let read = Draft::from_bytes(&bytes).unwrap();
        assert_eq!((read.to_bytes(), read.body()), (bytes, made.body()), "{name}");
        let seeds: &[u8] = match made.body().sender {
            Sender::Institution { .. } => &[50],
            Sender::Authority { .. } => &[60, 99],
            Sender::Authorities { .. } => &[60, 81],
        };
        assert_eq!(read.signatures().len(), seeds.len(), "{name}");
        for (entry, seed) in read.signatures().iter().zip(seeds) {
            assert!(read.is_signed_by(entry, &SecretKey::from_seed(&[*seed; 32]).public()), "{name}");
        }
    }
    let all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 18, 19, 32, 33, 34, 48, 49, 50, 64, 65, 66, 67, 68];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), all, "a kind has no draft here");
}

fn policy_draft(desk: &Desk, out: &str) -> Draft {
    let (_, args) = kinds().into_iter().find(|(name, _)| *name == "policy-set").unwrap();
    desk.new_draft(&args, out)
}

#[test]
fn files_that_are_no_drafts_are_refused_by_every_command() {
    let desk = Desk::new();
    let draft = policy_draft(&desk, "good.tx");
    let bytes = draft.to_bytes();
    desk.issued.write("short.tx", &bytes[..bytes.len() - 1]);
    desk.issued.write("long.tx", &[bytes.as_slice(), &[0]].concat());
    desk.issued.write("empty.tx", b"");
    desk.issued.write("huge.tx", &vec![0; file::DRAFT_FILE_BYTES_MAX + 1]);
    desk.issued.write("trust.tx", &World::new(1).trust(NetworkKind::Test).to_bytes());
    for name in ["short.tx", "long.tx", "empty.tx", "huge.tx", "trust.tx", "a.pdf"] {
        for args in [
            vec!["tx", "show", name],
            vec!["tx", "sign", name, "--key", "n1", "--index", "0", "--authority", "2", "--yes"],
            vec!["tx", "merge", "good.tx", name, "--out", "merged.tx"],
            vec!["tx", "submit", name, "--node", "http://127.0.0.1:9"],
        ] {
            let before = std::fs::read(desk.issued.path(name)).unwrap();
            let run = desk.run(&args);
            assert_eq!(run.exit, 65, "{args:?}: {}", run.err);
            assert_eq!(std::fs::read(desk.issued.path(name)).unwrap(), before, "{args:?}");
        }
    }
    assert!(!desk.issued.path("merged.tx").exists());
    assert_eq!(desk.run(&["tx", "show", "none.tx"]).exit, 66);
    // A draft is never overwritten by another.
    let run = desk.run(&["tx", "merge", "good.tx", "good.tx", "--out", "good.tx"]);
    assert_eq!((run.exit, desk.draft("good.tx")), (65, draft), "{}", run.err);
}

#[test]
fn signing_asks_refuses_what_it_knows_to_be_wrong_and_is_done_once() {
    let desk = Desk::new();
    policy_draft(&desk, "p.tx");
    // Nobody can be asked in a test.
    let run = desk.run(&["tx", "sign", "p.tx", "--key", "n1", "--index", "0", "--authority", "2"]);
    assert_eq!((run.exit, run.err.contains("--yes")), (64, true), "{}", run.err);
    assert!(run.out.contains("set the rules"), "a draft is shown before it is signed: {}", run.out);
    assert!(desk.draft("p.tx").signatures().is_empty());
    // A joint transaction does not tell whose key it is, nor where it stands.
    assert_eq!(desk.sign("p.tx", "n1", &["--index", "0"]).exit, 64);
    assert_eq!(desk.sign("p.tx", "n1", &["--authority", "2"]).exit, 64);
    assert_eq!(desk.sign("p.tx", "n1", &["--authority", "2", "--index", "256"]).exit, 64);
    assert!(desk.draft("p.tx").signatures().is_empty());

    assert_eq!(desk.sign("p.tx", "n1", &["--authority", "2", "--index", "0"]).exit, 0);
    let signed = desk.draft("p.tx");
    assert_eq!(signed.signatures()[0].key, joint_key(AuthorityId::new(2), 0));
    // Twice is once; another key in the same place is refused.
    let again = desk.sign("p.tx", "n1", &["--authority", "2", "--index", "0"]);
    assert_eq!((again.exit, again.err.contains("before")), (0, true), "{}", again.err);
    assert_eq!(desk.sign("p.tx", "other", &["--authority", "2", "--index", "0"]).exit, 65);
    assert_eq!(desk.draft("p.tx"), signed);
}

#[test]
fn a_draft_that_was_changed_after_a_signature_is_refused_at_merge() {
    let desk = Desk::new();
    policy_draft(&desk, "p.tx");
    desk.copy("p.tx", "mine.tx");
    assert_eq!(desk.sign("mine.tx", "n1", &["--authority", "2", "--index", "0"]).exit, 0);
    let mine = desk.draft("mine.tx");
    // Somebody lowers the number of approvals and keeps the signature.
    let mut body = mine.body().clone();
    let Payload::PolicySet(set) = &mut body.payload else { unreachable!("it is a policy") };
    set.policy.approvals_min = 1;
    let mut tampered = Draft::new(body);
    tampered.add(mine.signatures()[0]).unwrap();
    desk.issued.write("tampered.tx", &tampered.to_bytes());
    let run = desk.run(&["tx", "merge", "mine.tx", "tampered.tx", "--out", "merged.tx"]);
    assert_eq!((run.exit, run.err.contains("different transactions")), (65, true), "{}", run.err);
    assert!(!desk.issued.path("merged.tx").exists());
    // A signature that was changed on its way contradicts the true one.
    let mut bytes = mine.to_bytes();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    desk.issued.write("damaged.tx", &bytes);
    let run = desk.run(&["tx", "merge", "mine.tx", "damaged.tx", "--out", "merged.tx"]);
    assert_eq!((run.exit, run.err.contains("two different signatures")), (65, true), "{}", run.err);
}

async fn scripted(desk: Desk, answers: &[Answer], with: impl FnOnce(&Desk, &Node, &str) + Send + 'static) {
    let issued = Arc::new(Issued::new(&[("a.pdf", b"%PDF-1.7 a")]));
    let node = Node::new(&Arc::new(World::new(1)), &issued, answers);
    let url = node.serve().await;
    tokio::task::spawn_blocking(move || with(&desk, &node, &url)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_of_four_authorities_change_the_policy() {
    scripted(Desk::new(), &[Answer::Committed], |desk, node, url| {
        desk.issued.write("trust", &World::new(1).trust(NetworkKind::Test).to_bytes());
        // The number and the rules that stay are looked up, and proved.
        desk.ok(&[
            "tx",
            "new",
            "policy-set",
            "--decision",
            "N 1, 2026-11-20",
            "--batches-per-day",
            "200",
            "--node",
            url,
            "--trust",
            "trust",
            "--out",
            "p.tx",
        ]);
        let made = desk.draft("p.tx");
        let Payload::PolicySet(set) = &made.body().payload else { unreachable!("it is a policy") };
        assert_eq!(set.policy, sigeli_verifier::record::Policy { batches_per_day: 200, ..scripted::policy() });
        assert!(matches!(made.body().sender, Sender::Authorities { sequence } if sequence.get() == 7));
        let submit = ["tx", "submit", "p.tx", "--node", url, "--patience", "5s"];
        let refused = |why: &str| {
            let run = desk.run(&submit);
            assert_eq!((run.exit, run.err.contains(why)), (65, true), "{}", run.err);
        };
        refused("nobody has signed");
        // The position of a key is looked up; a stranger's key has none; a key elsewhere is told where it stands.
        let by = |key: &str, authority: &str, more: &[&str]| {
            let args = [&["--authority", authority, "--node", url, "--trust", "trust"], more].concat();
            desk.sign("p.tx", key, &args)
        };
        assert_eq!(by("other", "2", &[]).exit, 65);
        let elsewhere = by("m2", "1", &["--index", "0"]);
        assert!(elsewhere.exit == 65 && elsewhere.err.contains("stands at position 1"), "{}", elsewhere.err);
        assert_eq!(by("n1", "2", &[]).exit, 0);
        assert_eq!(by("e1", "3", &[]).exit, 0);
        assert_eq!(by("o1", "4", &[]).exit, 0);
        // Three approve, but the Ministry must be among them.
        refused("the Ministry");
        assert_eq!(by("m2", "1", &[]).exit, 0);
        refused("the Ministry");
        assert_eq!(node.seen().len(), 0, "nothing was handed in before it can succeed");
        let shown = desk.ok(&["tx", "show", "p.tx", "--node", url, "--trust", "trust", "--lang", "en"]).out;
        assert!(shown.contains("TEST LEDGER") && shown.contains("proved against the trust file"), "{shown}");
        assert!(shown.contains("200   (CHANGED, was 100)"), "{shown}");
        assert!(
            shown.contains(
                "authority 1 (Ministry of Education, Science and Youth): 1 of 2 signatures, has not signed enough"
            ),
            "{shown}"
        );
        assert!(shown.contains("Signed: key 1 of authority 1: genuine"), "{shown}");
        assert_eq!(by("m1", "1", &[]).exit, 0);
        let shown = desk.ok(&["tx", "show", "p.tx", "--node", url, "--lang", "en"]).out;
        assert!(shown.contains("That is enough"), "{shown}");
        let run = desk.ok(&submit);
        assert!(run.out.contains("final, in block 40"), "{}", run.out);
        assert_eq!(node.seen(), [desk.draft("p.tx").signed().unwrap()]);
        // Handing it in again finds it done, and hands nothing in.
        node.set(|script| script.is_done = true);
        assert!(desk.ok(&submit).out.contains("before this command"));
        assert_eq!(node.seen().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ledger_would_refuse_is_not_handed_in() {
    scripted(Desk::new(), &[Answer::Rejected { code: 310, first_height: None }], |desk, node, url| {
        let submit = |draft: &str, exit: i32, why: &str| {
            let run = desk.run(&["tx", "submit", draft, "--node", url, "--patience", "2s"]);
            assert!(run.exit == exit && run.err.contains(why), "{draft}: {}{}", run.out, run.err);
        };
        let close = |out: &str, more: &[&str]| {
            let base = [
                "tx",
                "new",
                "institution-close",
                "--institution",
                "7",
                "--from",
                "2026-12-31",
                "--reason",
                "voluntary",
                "--authority",
                "2",
                "--decision",
                "N 12",
                "--out",
                out,
            ];
            desk.ok(&[&base, more].concat());
        };
        // Another ledger's.
        close("foreign.tx", &["--ledger", ROOT, "--sequence", "1"]);
        assert_eq!(desk.sign("foreign.tx", "n1", &["--index", "0"]).exit, 0);
        submit("foreign.tx", 65, "meant for the ledger");
        assert_eq!(desk.run(&["tx", "show", "foreign.tx", "--node", url]).exit, 65);
        let mixed = desk.run(&[
            "tx",
            "new",
            "authority-remove",
            "--number",
            "4",
            "--decision",
            "N",
            "--ledger",
            ROOT,
            "--node",
            url,
            "--out",
            "x.tx",
        ]);
        assert_eq!(mixed.exit, 64, "{}", mixed.err);
        // Another number than the next.
        close("number.tx", &["--ledger", LEDGER, "--sequence", "2"]);
        assert_eq!(desk.sign("number.tx", "n1", &["--index", "0"]).exit, 0);
        submit("number.tx", 65, "the next one due is 1");
        // A false signature: by another key than the one in its place.
        close("false.tx", &["--node", url, "--sequence", "1"]);
        assert_eq!(desk.sign("false.tx", "other", &["--index", "1"]).exit, 0);
        submit("false.tx", 65, "is false");
        let shown = desk.ok(&["tx", "show", "false.tx", "--node", url, "--lang", "en"]).out;
        assert!(shown.contains("Signed: key 1 of authority 2: FALSE"), "{shown}");
        close("unknown.tx", &["--node", url, "--sequence", "1"]);
        assert_eq!(desk.sign("unknown.tx", "n1", &["--index", "9"]).exit, 0);
        submit("unknown.tx", 65, "there is no key 9");
        assert_eq!(node.seen().len(), 0);
        // What the ledger alone can judge is handed in, and its refusal told with the code.
        close("good.tx", &["--node", url, "--sequence", "1"]);
        assert_eq!(desk.sign("good.tx", "n1", &["--node", url]).exit, 0);
        submit("good.tx", 65, "code 310");
        assert_eq!(node.seen().len(), 1);
        // A retry that another transaction has made good is a success.
        node.set(|script| script.answers = [Answer::Rejected { code: 200, first_height: Some(12) }].into());
        assert!(desk.ok(&["tx", "submit", "good.tx", "--node", url]).out.contains("block 12"));
        assert_eq!(desk.run(&["tx", "submit", "good.tx", "--node", "http://127.0.0.1:9"]).exit, 69);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_institution_manages_its_keys_programmes_and_batches() {
    scripted(Desk::new(), &[Answer::Committed], |desk, node, url| {
        let own = ["--institution", "1", "--key", "gtu", "--node", url, "--patience", "3s"];
        assert_eq!(institution_key().public(), SecretKey::from_seed(&[50; 32]).public());
        let ok = |args: &[&str]| desk.ok(&[args, &own].concat()).out;
        let key = public(52);
        let said =
            ok(&["key", "add", "--institution-key", &key, "--keys-from", "2026-12-01", "--keys-until", "2027-12-01"]);
        assert!(
            said.contains("1 further key(s), which may sign from 2026-12-01 until 2027-12-01 (block 40)"),
            "{said}"
        );
        assert!(ok(&["key", "retire", "--index", "1"]).contains("is retired (block 40)"));
        assert!(ok(&["key", "compromise", "--index", "1"]).contains("is declared compromised in block 40"));
        let said = ok(&[
            "programme",
            "register",
            "--title-ka",
            "სხვა",
            "--title-en",
            "Other",
            "--partner",
            "9",
            "--partner",
            "7",
        ]);
        assert!(said.contains("programme 5 of institution 1"), "{said}");
        let codes: Vec<_> = node.seen().iter().map(|signed| signed.body().payload.code()).collect();
        assert_eq!(codes, [5, 6, 7, 8]);
        // The same titles and partners are one programme, however often the command is repeated.
        let said = ok(&["programme", "register", "--title-ka", "კურსი", "--title-en", "Course"]);
        assert!(said.contains("programme 4 of institution 1 (block 9; it had been before"), "{said}");
        assert_eq!(node.seen().len(), 4);
        assert!(ok(&["batch", "revoke", "batch", "--reason", "1"]).contains("revoked for good (block 40)"));
        // A repeated suspension is found done; another reason is not.
        node.set(|script| script.answers = [Answer::Rejected { code: 331, first_height: None }].into());
        let said = ok(&["batch", "suspend", "--root", ROOT, "--reason", "under-review"]);
        assert!(said.contains("(block 33; it had been before this command)"), "{said}");
        let other = desk.run(&[&["batch", "suspend", "--root", ROOT, "--reason", "order"], own.as_slice()].concat());
        assert_eq!((other.exit, other.err.contains("331")), (65, true), "{}", other.err);
        let stranger = ["key", "retire", "--index", "1", "--institution", "1", "--key", "other", "--node", url];
        assert_eq!(desk.run(&stranger).exit, 65);
        assert_eq!(keys_of(1).len(), 3);
    })
    .await;
}

/// A genesis document, field by field as `docs/protocol.md` §14 lists them; without validators and observers.
fn genesis() -> Vec<u8> {
    let mut out = Vec::new();
    1_u16.encode(&mut out);
    NetworkKind::Test.encode(&mut out);
    Name::new("სატესტო რეესტრი").unwrap().encode(&mut out);
    Name::new("Test Register").unwrap().encode(&mut out);
    1_795_510_800_000_u64.encode(&mut out);
    4_u16.encode(&mut out);
    for authority in 1..=4 {
        let record = scripted::authority_record(authority);
        out.push(authority);
        record.kind.encode(&mut out);
        record.name_ka.encode(&mut out);
        record.name_en.encode(&mut out);
        record.keys.encode(&mut out);
        out.push(record.threshold);
        record.log_keys.encode(&mut out);
    }
    0_u16.encode(&mut out);
    0_u16.encode(&mut out);
    scripted::policy().encode(&mut out);
    out.extend_from_slice(&[0; 40]);
    out
}

#[test]
fn the_genesis_document_suffices_to_check_signatures_without_a_network() {
    let desk = Desk::new();
    let document = genesis();
    desk.issued.write("genesis", &document);
    let decided = ["--decision", "N 1, 2026-11-20", "--sequence", "1", "--genesis", "genesis", "--lang", "en"];
    let made =
        desk.ok(&[&["tx", "new", "policy-set", "--approvals-min", "4", "--out", "p.tx"], decided.as_slice()].concat());
    assert!(made.out.contains("TEST LEDGER") && made.out.contains("Test Register"), "{}", made.out);
    assert!(made.out.contains("4   (CHANGED, was 3)"), "{}", made.out);
    let ledger = sigeli_verifier::domain::GENESIS.hash(&[&document]);
    assert_eq!(desk.draft("p.tx").body().genesis.get(), ledger, "the hash of the document is the ledger");

    // The position of a key is looked up in the document; a key that is not in it is refused.
    let by = |key: &str, authority: &str| desk.sign("p.tx", key, &["--authority", authority, "--genesis", "genesis"]);
    assert_eq!(by("other", "2").exit, 65);
    for (key, authority) in [("n1", "2"), ("e1", "3"), ("m1", "1"), ("m2", "1")] {
        assert_eq!(by(key, authority).exit, 0);
    }
    let show = || {
        desk.ok(&["tx", "show", "p.tx", "--genesis", "genesis", "--lang", "en", "--decision", "N 1, 2026-11-20 "]).out
    };
    let shown = show();
    assert!(shown.contains("That is enough") && shown.contains("Signed: key 1 of authority 1: genuine"), "{shown}");
    assert!(shown.contains("= the decision that you named"), "{shown}");
    let other = desk.ok(&["tx", "show", "p.tx", "--lang", "en", "--decision", "N 2"]).out;
    assert!(other.contains("IS NOT THE DECISION") && other.contains("not checked"), "{other}");
    // A signature of a key that the document does not name.
    assert_eq!(desk.sign("p.tx", "other", &["--authority", "4", "--index", "0"]).exit, 0);
    assert!(show().contains("FALSE, unless the keys were changed"), "{}", show());

    // A document that was changed is another ledger's, and a damaged one is none.
    let mut changed = document.clone();
    changed[document.len() - 1] = 1;
    desk.issued.write("changed", &changed);
    desk.issued.write("short", &document[..document.len() - 1]);
    for (name, why) in [("changed", "meant for the ledger"), ("short", "not a genesis document")] {
        let run = desk.run(&["tx", "show", "p.tx", "--genesis", name]);
        assert!(run.exit == 65 && run.err.contains(why), "{}", run.err);
    }
}
