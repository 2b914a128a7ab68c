//! Questions about the register, asked with the program of a node that answers by script: truly, and falsely.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test panics to fail")]

mod register;
#[expect(dead_code, reason = "each test program uses its own part")]
mod world;

use std::{path::Path, process::Command};

use register::{
    GTU,
    chain::Chain,
    node::{Lie, Node},
    state::State,
};
use serde_json::{Value, json};
use sigeli::keys::SecretKey;
use sigeli_verifier::{
    credential::status_handle,
    encode::Encode as _,
    evidence::Evidence,
    ids::{BlockId, GenesisHash, Height, Round},
    record::{StatusState, status_key},
    register::RegisterPrefix,
    statement::{SignedStatement, Statement},
    transaction::Payload,
    validators::address,
    vote::{Vote, VoteKind},
};

/// Half a minute after the newest block.
const NOW: &str = "2026-11-24T09:03:30Z";

/// A chain of three blocks, the newest over the state.
fn node() -> Node {
    let state = State::new();
    let mut chain = Chain::new(8);
    chain.push(Vec::new());
    let anchors = (30..33).map(|root| chain.by_institution(GTU, Payload::BatchAnchor(register::anchor(root, 3))));
    let signed = anchors.collect();
    chain.push(signed);
    chain.push_over(Vec::new(), state.roots().root());
    Node::new(chain, state)
}

struct Run {
    exit: i32,
    out: String,
    err: String,
}

/// Runs the program against nodes with a trust file.
struct Desk {
    directory: tempfile::TempDir,
    nodes: String,
}

impl Desk {
    async fn at(nodes: &[&Node]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("trust"), nodes[0].chain.validators.trust().to_bytes()).unwrap();
        let mut urls = Vec::new();
        for node in nodes {
            urls.push(node.serve().await);
        }
        Self { directory, nodes: urls.join(",") }
    }

    async fn run(&self, args: &[&str]) -> Run {
        run(self.directory.path(), &self.nodes, args).await
    }

    /// Asks, and reads the JSON.
    async fn ask(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json", "--at", NOW]].concat()).await;
        assert_eq!(ran.exit, 0, "{args:?}: {}", ran.err);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", ran.out))
    }

    async fn text(&self, args: &[&str]) -> String {
        let ran = self.run(&[args, &["--at", NOW]].concat()).await;
        assert_eq!(ran.exit, 0, "{args:?}: {}", ran.err);
        ran.out
    }
}

async fn run(directory: &Path, nodes: &str, args: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigeli"));
    command.args(args).current_dir(directory).env_clear().env("HOME", directory);
    command.env("SIGELI_TRUST", directory.join("trust")).env("SIGELI_NODE", nodes);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { exit: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Every question that is answered by one proof or several.
const QUESTIONS: [&[&str]; 11] = [
    &["institution", "list"],
    &["institution", "show", "--institution", "1"],
    &["permissions", "--institution", "1"],
    &["may-issue", "--institution", "1"],
    &["batches", "--institution", "1"],
    &["batches", "--institution", "1", "--accreditation", "4"],
    &["batches", "--institution", "1", "--programme", "4"],
    &["statuses", "--institution", "1"],
    &["policy"],
    &["authorities"],
    &["export", "--institution", "1", "--permission", "3", "--format", "elm"],
];

#[tokio::test(flavor = "multi_thread")]
async fn institutions() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    let list = desk.ask(&["institution", "list"]).await;
    assert_eq!(list["as_of"]["height"], 3);
    assert_eq!(list["as_of"]["time"], "2026-11-24T09:03:00.000Z");
    assert_eq!((&list["as_of"]["confirmed_by"], &list["as_of"]["validators"]), (&3.into(), &4.into()));
    let numbers: Vec<_> =
        list["institutions"].as_array().unwrap().iter().map(|one| one["institution"].clone()).collect();
    assert_eq!(numbers, [json!(1), json!(7)]);
    let one = desk.ask(&["institution", "show", "--institution", "1"]).await;
    assert_eq!(one["institution"]["name"]["en"], "Georgian Technical University");
    assert_eq!(one["institution"]["batches"], 300);
    assert_eq!(one["institution"]["history"][0]["writer"]["authority"], 2);
    let text = desk.text(&["institution", "show", "--institution", "1"]).await;
    assert!(
        text.starts_with("As of block 3 (2026-11-24 13:03:00 in Tbilisi), confirmed by 3 of 4 validators."),
        "{text}"
    );
    let none = desk.run(&["institution", "show", "--institution", "2", "--at", NOW]).await;
    assert_eq!((none.exit, none.out.as_str()), (65, ""), "{}", none.err);
    assert!(none.err.contains("no institution has the number 2"), "{}", none.err);
    for command in ["permissions", "may-issue", "batches", "statuses"] {
        let none = desk.run(&[command, "--institution", "2", "--at", NOW]).await;
        assert_eq!(none.exit, 65, "{command}: {}", none.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_as_of_a_day_and_as_known_then() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    let standings = async |more: &[&str]| {
        let answer = desk.ask(&[&["permissions", "--institution", "1"], more].concat()).await;
        let listed = answer["permissions"].as_array().unwrap().clone();
        listed.iter().map(|one| one["standing"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(standings(&[]).await, ["active", "active", "active", "withdrawn"]);
    assert_eq!(standings(&["--as-of", "2026-08-31"]).await, ["active", "not_yet", "not_yet", "not_yet"]);
    assert_eq!(standings(&["--as-of", "2026-09-14"]).await, ["active", "active", "active", "active"]);
    assert_eq!(standings(&["--as-of", "2026-09-15"]).await, ["active", "active", "suspended", "active"]);
    assert_eq!(standings(&["--as-of", "2026-09-30"]).await, ["active", "active", "suspended", "active"]);
    assert_eq!(standings(&["--as-of", "2026-11-09"]).await, ["active", "active", "active", "active"]);
    assert_eq!(standings(&["--as-of", "2026-11-10"]).await, ["active", "active", "active", "withdrawn"]);
    // The withdrawal was written on 2026-11-20 at noon, with effect for the past.
    let known = ["--as-of", "2026-11-10", "--known", "2026-11-20T11:59:59+04:00"];
    assert_eq!(standings(&known).await, ["active", "active", "active", "active"]);
    assert!(standings(&["--known", "2026-08-01T00:00:00Z"]).await.is_empty(), "nothing was granted by then");
    assert_eq!(standings(&["--as-of", "2028-01-01"]).await, ["active", "expired", "expired", "withdrawn"]);
    let text = desk.text(&["permissions", "--institution", "1"]).await;
    assert!(
        text.contains("from 2026-09-15 suspended (monitoring failed), by authority 2 on 2026-09-10 12:00:00"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_issued_today() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    let answer = desk.ask(&["may-issue", "--institution", "1"]).await;
    assert_eq!(answer["answer"]["may_issue"], true);
    assert_eq!(answer["answer"]["batches_left_today"], 93);
    let accreditations = answer["answer"]["accreditations"].as_array().unwrap();
    assert_eq!(accreditations[0]["usable"], true);
    assert_eq!(accreditations[0]["issued"], json!({"first": "2026-09-01", "last": "2026-11-24"}));
    assert_eq!(accreditations[1]["usable"], false);
    assert_eq!(accreditations[1]["obstacles"][0]["obstacle"], "not_accredited");
    let nothing = desk.ask(&["may-issue", "--institution", "7"]).await;
    let words: Vec<_> =
        nothing["answer"]["obstacles"].as_array().unwrap().iter().map(|one| one["obstacle"].clone()).collect();
    assert_eq!(words, [json!("no_anchoring_key"), json!("never_authorised"), json!("never_ordered")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_by_number_under_an_accreditation_and_of_a_programme() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    let page = desk.ask(&["batches", "--institution", "1", "--from", "2", "--limit", "3"]).await;
    let sequences = |page: &Value| {
        let batches = page["batches"].as_array().unwrap();
        batches.iter().map(|batch| batch["sequence"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((sequences(&page), &page["total"], &page["next"]), (vec![2, 3, 4], &300.into(), &5.into()));
    assert_eq!(page["batches"][0]["status"]["state"], "revoked");
    let end = desk.ask(&["batches", "--institution", "1", "--from", "299", "--limit", "100"]).await;
    assert_eq!((sequences(&end), &end["next"]), (vec![299, 300], &Value::Null));
    let beyond = desk.ask(&["batches", "--institution", "1", "--from", "301"]).await;
    assert_eq!((sequences(&beyond), &beyond["total"]), (vec![], &300.into()));
    let under = desk.ask(&["batches", "--institution", "1", "--accreditation", "4", "--limit", "256"]).await;
    assert_eq!((sequences(&under).len(), &under["total"]), (100, &100.into()));
    assert_eq!(sequences(&under)[..3], [1, 4, 7]);
    let none = desk.ask(&["batches", "--institution", "1", "--accreditation", "9"]).await;
    assert_eq!((sequences(&none), &none["total"]), (vec![], &0.into()));
    // More than a page: several answers, one after the other.
    let text = desk.text(&["batches", "--institution", "1", "--limit", "300"]).await;
    assert_eq!(text.matches("As of block 3").count(), 2);
    assert_eq!(text.matches("; root ").count(), 300);
    let programme = desk.text(&["batches", "--institution", "1", "--programme", "4", "--limit", "256"]).await;
    assert!(programme.contains("200 of 200 batches of institution 1 under accreditation 3"), "{programme}");
    assert!(programme.contains("100 of 100 batches of institution 1 under accreditation 4"), "{programme}");
    assert_eq!(desk.text(&["batches", "--institution", "1", "--programme", "5"]).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_as_a_whole() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    let all = desk.ask(&["statuses", "--institution", "1"]).await;
    let statuses = all["statuses"].as_array().unwrap();
    assert_eq!(statuses.len(), 40);
    assert_eq!(statuses[0]["handle"], "00".repeat(32));
    assert_eq!(statuses[0]["head"]["state"], "revoked");
    assert_eq!(statuses[0]["history"][0]["entry"], 1);
    assert_eq!(desk.ask(&["statuses", "--institution", "7"]).await["statuses"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_and_authorities() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    let policy = desk.ask(&["policy"]).await;
    assert_eq!(policy["policy"]["ects_max_by_level"], json!(["15", "15", "15", "15", "15", "15", "15", "15"]));
    assert_eq!((&policy["policy"]["approvals_min"], &policy["joint"]["version"]), (&3.into(), &1.into()));
    let authorities = desk.ask(&["authorities"]).await;
    let kinds: Vec<_> = authorities["authorities"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, [json!("ministry"), json!("nceqe"), json!("emis"), json!("operator")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lie_is_believed() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    let lies = [
        Lie::Omit,
        Lie::Alter,
        Lie::Invent,
        Lie::OtherRoots,
        Lie::NoQuorum,
        Lie::BreakOff,
        Lie::OtherInstitution,
        Lie::Garbage,
    ];
    for question in QUESTIONS {
        for lie in lies {
            let pages = question[0] == "batches" && !question.contains(&"--programme");
            let common = matches!(question, ["policy" | "authorities"] | ["institution", ..]);
            let is_told = match lie {
                Lie::Invent | Lie::BreakOff => !pages,
                Lie::OtherInstitution => !common,
                _ => true,
            };
            if !is_told {
                continue;
            }
            node.tell(lie);
            let ran = desk.run(&[question, &["--at", NOW, "--json"]].concat()).await;
            assert!(
                ran.exit == 65 || (matches!(lie, Lie::BreakOff | Lie::Garbage) && ran.exit == 69),
                "{question:?} {lie:?}: {}",
                ran.err
            );
            let error: Value = serde_json::from_str(&ran.out).unwrap();
            let expected = (Value::from("sigeli-error-1"), Value::from(ran.exit));
            assert_eq!(
                (error["format"].clone(), error["exit"].clone()),
                expected,
                "{question:?} {lie:?}: nothing else"
            );
            node.tell(Lie::None);
        }
        assert_eq!(desk.run(&[question, &["--at", NOW, "--json"]].concat()).await.exit, 0, "{question:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_node_is_asked_when_another_lies() {
    let (liar, honest) = (node(), node());
    liar.tell(Lie::Alter);
    let desk = Desk::at(&[&liar, &honest]).await;
    for question in QUESTIONS {
        let ran = desk.run(&[question, &["--at", NOW, "--json"]].concat()).await;
        assert_eq!(ran.exit, 0, "{question:?}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_answer_is_refused() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    let exit = async |more: &[&str]| desk.run(&[&["policy"], more].concat()).await.exit;
    assert_eq!(exit(&["--at", "2026-11-24T09:13:00Z"]).await, 0);
    assert_eq!(exit(&["--at", "2026-11-24T09:13:01Z"]).await, 65);
    assert_eq!(exit(&["--at", "2026-11-24T09:13:01Z", "--max-age", "1h"]).await, 0);
    // A clock two minutes behind can judge no age.
    assert_eq!(exit(&["--at", "2026-11-24T09:01:00Z"]).await, 0);
    assert_eq!(exit(&["--at", "2026-11-24T09:00:59Z"]).await, 65);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_trust_there_is_no_answer() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    std::fs::write(desk.directory.path().join("trust"), Chain::new(9).validators.trust().to_bytes()).unwrap();
    let ran = desk.run(&["policy", "--at", NOW]).await;
    assert_eq!((ran.exit, ran.out.as_str()), (65, ""), "{}", ran.err);
    std::fs::remove_file(desk.directory.path().join("trust")).unwrap();
    assert_eq!(desk.run(&["policy", "--at", NOW]).await.exit, 66);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_whole_blocks_without_a_gap() {
    let node = node();
    let desk = Desk::at(&[&node]).await;
    let ran = desk.run(&["events", "--from", "0", "--empty"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["line"].as_str().unwrap()).collect();
    let block = "block";
    assert_eq!(kinds, [block, block, block, "transaction", "transaction", "transaction", block]);
    assert_eq!(desk.run(&["events", "--from", "0"]).await.out.lines().count(), 4, "blocks with transactions only");
    assert_eq!(desk.run(&["events", "--from", "3"]).await.out, "");
    assert_eq!(desk.run(&["events", "--from", "4"]).await.exit, 65, "not there yet");
    for lie in [Lie::Omit, Lie::Alter] {
        node.tell(lie);
        let ran = desk.run(&["events", "--from", "1"]).await;
        assert_eq!((ran.exit, ran.out.as_str()), (65, ""), "{lie:?}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_export_from_nodes_that_break_off_is_whole_and_verifies() {
    let mut node = node();
    node.break_after = 1;
    let desk = Desk::at(&[&node, &node]).await;
    let ran = desk.run(&["audit", "export", "--out", "audit", "--from", "1", "--to", "2"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert!(ran.out.starts_with("2 blocks with 3 transactions are in audit: from block 1 to block 2"), "{}", ran.out);
    // The rest, on top of what is there.
    let ran = desk.run(&["audit", "export", "--out", "audit", "--from", "1"]).await;
    assert!(ran.exit == 0 && ran.out.starts_with("3 blocks"), "{} {}", ran.out, ran.err);
    let again = desk.run(&["audit", "export", "--out", "audit", "--from", "1"]).await;
    assert_eq!((again.exit, again.out), (0, ran.out), "nothing new: {}", again.err);
    let checked = desk.run(&["audit", "verify", "audit"]).await;
    assert_eq!(checked.exit, 0, "{}", checked.out);
    let path = desk.directory.path().join("audit/ledger.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"ects\":\"3\"", "\"ects\":\"4\"", 1)).unwrap();
    let checked = desk.run(&["audit", "verify", "audit"]).await;
    assert_eq!(checked.exit, 2);
    assert!(
        checked.out.contains("ledger.jsonl, line 3: `fields.ects` is not what the canonical bytes say"),
        "{}",
        checked.out
    );
    // A node that lies about a block is of no use, and nothing false is written.
    node.tell(Lie::Omit);
    let liar = Desk::at(&[&node]).await;
    assert_eq!(liar.run(&["audit", "export", "--out", "audit"]).await.exit, 65);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_hides_which_credential_is_meant() {
    let issued = world::Issued::new(&[("a.txt", b"a credential"), ("b.txt", b"another credential")]);
    let handles = issued.batch.files().iter().map(|file| status_handle(&file.salt, &file.leaf()));
    let handles: Vec<_> = handles.collect();
    let mut state = State::new();
    let gtu = state.institutions.get_mut(&GTU).unwrap();
    gtu.status(handles[0], StatusState::Revoked);
    let mut chain = Chain::new(8);
    chain.push(Vec::new());
    chain.push_over(Vec::new(), state.roots().root());
    let node = Node::new(chain, state);
    let desk = Desk::at(&[&node]).await;
    let bundles = world::World::new(8);
    let mut paths = Vec::new();
    for (position, name) in ["a.txt", "b.txt"].iter().enumerate() {
        let bundle = bundles.bundle(&issued, position, None);
        issued.write(&format!("{name}.sigeli"), &bundle.to_bytes());
        paths.push(issued.path(name).to_str().unwrap().to_owned());
    }
    let ask = async |path: &str, bits: &str| {
        let args = ["statuses", "--institution", "1", "--prefix-for", path, "--bits", bits];
        desk.ask(&args).await
    };
    for bits in ["0", "4", "8", "16"] {
        let revoked = ask(&paths[0], bits).await;
        assert_eq!(revoked["credential"]["status"]["head"]["state"], "revoked", "{bits}");
        assert_eq!(revoked["credential"]["handle"], handles[0].to_string());
        let valid = ask(&paths[1], bits).await;
        assert_eq!(
            (&valid["credential"]["status"], &valid["prefix_bits"]),
            (&Value::Null, &json!(bits.parse::<u8>().unwrap()))
        );
    }
    let prefix = |handle, bits| RegisterPrefix::of(&status_key(handle), bits).unwrap();
    let expected = [0, 4, 8, 16]
        .into_iter()
        .flat_map(|bits| handles.iter().map(move |handle| (u32::from(bits), u32::from(prefix(handle, bits).bits()))));
    assert_eq!(*node.asked.lock().unwrap(), expected.collect::<Vec<_>>(), "the node learns these bits and no more");
    let other = desk.run(&["statuses", "--institution", "7", "--prefix-for", &paths[0], "--at", NOW]).await;
    assert_eq!(other.exit, 64, "{}", other.err);
    let text = desk.text(&["statuses", "--institution", "1", "--prefix-for", &paths[1]]).await;
    assert!(text.contains("This credential: nothing is written about it"), "{text}");
}

/// A precommit for nil and one for a block, of a round of height 2.
fn evidence(key: &SecretKey, genesis: GenesisHash, round: u32) -> Evidence {
    let signed = |block| {
        let (kind, height, round) = (VoteKind::Precommit, Height::new(2), Round::new(round));
        let statement = Statement::Vote(Vote { kind, height, round, block, validator: address(&key.public()) });
        SignedStatement { statement, signature: key.sign(&statement.preimage(&genesis)) }
    };
    Evidence::new(genesis, key.public(), signed(None), signed(Some(BlockId::new([5; 32])))).unwrap()
}

#[tokio::test]
async fn evidence_is_gathered_from_every_node_and_judged_without_any() {
    let (mut one, mut other) = (node(), node());
    let genesis = one.chain.validators.genesis;
    let faulty = &one.chain.validators.keys[1];
    let all: Vec<_> = (0..5).map(|round| evidence(faulty, genesis, round)).collect();
    (one.evidence, other.evidence) = (all[..3].to_vec(), all[2..].to_vec());
    let desk = Desk::at(&[&one, &other]).await;
    let ran = desk.run(&["evidence", "list", "--json", "--out", "found"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let listed: Value = serde_json::from_str(&ran.out).unwrap();
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|piece| piece["id"].as_str().unwrap()).collect();
    assert_eq!(ids, all.iter().map(|piece| piece.id().to_string()).collect::<Vec<_>>(), "each once");
    assert_eq!(listed[4]["accused"], "validator");
    assert_eq!((&listed[4]["authority"], &listed[4]["round"]), (&json!(2), &json!(4)));
    assert_eq!(listed[4]["blocks"], json!([null, BlockId::new([5; 32]).to_string()]));

    // Each file proves itself to somebody who has the trust file and no network.
    let mut offline = vec!["evidence".to_owned(), "verify".to_owned()];
    offline.extend(ids.iter().map(|id| format!("found/{id}.evidence")));
    let ask = async |args: &[String]| desk.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let ran = ask(&offline).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert_eq!(ran.out.matches("authority 2").count(), 5, "{}", ran.out);
    assert!(ran.out.contains("signed two precommits where it may sign one: at height 2, round 4"), "{}", ran.out);

    // A stranger's key, and another ledger: proved, but against nobody that is known.
    let stranger = SecretKey::from_seed(&[77; 32]);
    let elsewhere = GenesisHash::new([99; 32]);
    let unknown = [evidence(&stranger, genesis, 0), evidence(faulty, elsewhere, 0)];
    for (name, piece) in ["stranger", "elsewhere"].iter().zip(&unknown) {
        std::fs::write(desk.directory.path().join(name), piece.to_file()).unwrap();
        let ran = desk.run(&["evidence", "verify", name]).await;
        assert_eq!(ran.exit, 3, "{}{}", ran.out, ran.err);
    }
    // One flipped bit, and the file proves nothing, whatever stands beside it.
    let mut damaged = all[0].to_file();
    damaged[60] ^= 1;
    std::fs::write(desk.directory.path().join("damaged"), damaged).unwrap();
    let ran = desk.run(&["evidence", "verify", "stranger", "damaged"]).await;
    assert_eq!(ran.exit, 2, "{}{}", ran.out, ran.err);

    // A node that answers with what is no evidence is not believed, and what the other has is still told.
    one.tell(Lie::Garbage);
    let ran = desk.run(&["evidence", "list", "--json"]).await;
    assert_eq!(ran.exit, 69, "{}", ran.err);
    let listed: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 3);
}
