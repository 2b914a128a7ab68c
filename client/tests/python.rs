//! The worked example in Python, against a node over real gRPC: what it makes from the documents alone, this library accepts.
//!
//! Runs where `python3`, or the interpreter that `SIGELI_PYTHON` names, has the packages of
//! `client/examples/python/requirements.txt`; elsewhere it says that it did not.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test panics to fail, and says what it leaves out")]

mod scripted;
mod world;

use std::{path::Path, process::Command, sync::Arc};

use scripted::{Answer, Node, dead, institution_key};
use sigeli_verifier::{
    batch::BatchPath,
    credential::{Profile, document_digest, leaf_commitment},
    decode::Decode as _,
    encode::Encode as _,
    ids::{KeyIndex, Salt},
    transaction::Payload,
    trust::NetworkKind,
};
use world::{Issued, World, run, sigeli};

fn python() -> Option<String> {
    let python = std::env::var("SIGELI_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let asked = Command::new(&python).args(["-c", "import blake3, grpc, grpc_tools, nacl.signing"]).output();
    let is_there = asked.is_ok_and(|output| output.status.success());
    if !is_there {
        println!("NOT RUN: {python} lacks the packages of client/examples/python/requirements.txt (set SIGELI_PYTHON)");
    }
    is_there.then_some(python)
}

fn program() -> String {
    format!("{}/examples/python/sigeli_example.py", env!("CARGO_MANIFEST_DIR"))
}

fn ok(python: &str, directory: &Path, args: &[&str]) -> String {
    let program = program();
    let run = run(python, directory, &[&[program.as_str()], args].concat());
    assert_eq!(run.exit, 0, "{args:?}: {}{}", run.out, run.err);
    run.out
}

fn address(url: &str) -> &str {
    url.strip_prefix("http://").unwrap()
}

fn hex32(value: &serde_json::Value) -> [u8; 32] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

#[test]
fn its_hashes_and_signatures_are_those_of_the_golden_vectors() {
    let Some(python) = python() else { return };
    let golden = format!("{}/../ledger/verifier/tests/vectors/golden.json", env!("CARGO_MANIFEST_DIR"));
    ok(&python, Path::new(env!("CARGO_MANIFEST_DIR")), &["vectors", &golden]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_anchors_one_transaction_past_dead_and_busy_nodes_and_finds_it_done() {
    let Some(python) = python() else { return };
    let world = Arc::new(World::new(1));
    let issued = Arc::new(Issued::new(&[("a.pdf", b"%PDF-1.7 a"), ("b.pdf", b"%PDF-1.7 b")]));
    let already = Answer::Rejected { code: 200, first_height: Some(40) };
    let node = Node::new(&world, &issued, &[Answer::Busy, Answer::Pending, Answer::Committed, already]);
    let nodes = format!("{},{}", address(&dead().await), address(&node.serve().await));
    institution_key().write(&issued.path("key")).unwrap();
    let files = issued.clone();
    tokio::task::spawn_blocking(move || {
        let directory = files.directory.path();
        let args = ["anchor", "state", "key", "1", "1", "6", "613", "30", "2026-11-20", &nodes, "a.pdf", "b.pdf"];
        for _ in 0..2 {
            assert!(ok(&python, directory, &args).starts_with("anchored in block 40"));
        }
    })
    .await
    .unwrap();

    let seen = node.seen();
    assert!(seen.len() == 4 && seen.iter().all(|signed| *signed == seen[0]), "the same bytes, again and again");
    let signature = &seen[0].signatures()[0];
    assert!(signature.key == KeyIndex::new(3) && seen[0].is_signed_by(signature, &institution_key().public()));
    let Payload::BatchAnchor(anchor) = &seen[0].body().payload else { panic!("another kind") };
    // Each file's salt and path, as the program keeps them, lead to the root that it anchored.
    let state: serde_json::Value = serde_json::from_slice(&std::fs::read(issued.path("state")).unwrap()).unwrap();
    for (entry, content) in state["files"].as_array().unwrap().iter().zip([b"%PDF-1.7 a", b"%PDF-1.7 b"]) {
        let siblings: Vec<_> = entry["siblings"].as_array().unwrap().iter().map(hex32).collect();
        let index = u32::try_from(entry["index"].as_u64().unwrap()).unwrap();
        let path = [&[4][..], &index.to_le_bytes(), siblings.as_flattened()].concat();
        let digest = document_digest(Profile::Raw, content);
        let leaf = leaf_commitment(Profile::Raw, &Salt::new(hex32(&entry["salt"])), &digest);
        assert_eq!(BatchPath::from_bytes(&path).unwrap().root(&leaf), anchor.root);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bundles_it_writes_verify() {
    let Some(python) = python() else { return };
    let world = Arc::new(World::new(1));
    let issued = Arc::new(Issued::new(&[("a.pdf", b"%PDF-1.7 a"), ("b.pdf", b"%PDF-1.7 b")]));
    let node = Node::new(&world, &issued, &[Answer::Committed]);
    let nodes = address(&node.serve().await).to_owned();
    // The batch that the node knows, as the program would have kept it.
    let files: Vec<_> = issued
        .batch
        .files()
        .iter()
        .zip(0..)
        .map(|(file, position)| {
            let path = world.bundle(&issued, position, None).receipt.path.to_bytes();
            let siblings: Vec<_> = path[5..].chunks(32).map(hex::encode).collect();
            serde_json::json!({
                "file": file.path,
                "salt": hex::encode(file.salt.as_bytes()),
                "index": file.index.get(),
                "siblings": siblings,
            })
        })
        .collect();
    let root = issued.batch.root().to_string();
    let state = serde_json::json!({ "institution": 1, "root": root, "height": 4, "files": files });
    issued.write("state", state.to_string().as_bytes());
    issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
    tokio::task::spawn_blocking(move || {
        let directory = issued.directory.path();
        ok(&python, directory, &["bundles", "state", &nodes]);
        for file in ["a.pdf", "b.pdf"] {
            let run = sigeli(directory, &["verify", file, "--trust", "trust", "--at", "2026-11-24T09:05:00Z"]);
            assert_eq!(run.exit, 0, "{file}: {}{}", run.out, run.err);
        }
    })
    .await
    .unwrap();
}
