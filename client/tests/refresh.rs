//! New stamps for many credentials at once: that they are the ones a node would give for each, and what a node learns.
#![expect(clippy::unwrap_used, reason = "a test panics to fail")]

mod register;
#[allow(dead_code, clippy::allow_attributes, reason = "each test program uses its own part")]
mod world;

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use register::{
    GTU,
    chain::Chain,
    node::{Lie, Node},
    state::State,
};
use sigeli_verifier::{
    bundle::{Bundle, Receipt, batch_tag, ledger_tag},
    credential::status_handle,
    decode::Decode as _,
    encode::Encode as _,
    ids::{Height, StatusHandle},
    record::{StatusState, status_key},
    register::RegisterPrefix,
};
use world::Issued;

const NOW: &str = "2026-11-24T09:03:30Z";
const COUNT: usize = 40;

/// A node, and a folder of credentials of one batch, each with an old bundle; of every fourth something is written.
struct Desk {
    issued: Issued,
    node: Node,
    handles: Vec<StatusHandle>,
}

fn state(issued: &Issued, handles: &[StatusHandle]) -> State {
    let mut state = State::new();
    let gtu = state.institutions.get_mut(&GTU).unwrap();
    gtu.anchored(issued.batch.root(), issued.batch.tree().height());
    for (handle, number) in handles.iter().zip(0..) {
        match number % 8 {
            0 => gtu.status(*handle, StatusState::Revoked),
            4 => gtu.status(*handle, StatusState::Suspended),
            _ => {}
        }
    }
    state
}

impl Desk {
    fn new() -> Self {
        Self::of((0..COUNT).map(|number| (format!("c{number}.pdf"), format!("%PDF {number}"))).collect())
    }

    fn of(contents: Vec<(String, String)>) -> Self {
        let files: Vec<_> = contents.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
        let issued = Issued::new(&files);
        let handles: Vec<_> = issued.batch.files().iter().map(|file| status_handle(&file.salt, &file.leaf())).collect();
        let state = state(&issued, &handles);
        let mut chain = Chain::new(8);
        chain.push(Vec::new());
        chain.push_over(Vec::new(), state.roots().root());
        let node = Node::new(chain, state);
        let desk = Self { issued, node, handles };
        std::fs::create_dir(desk.path("all")).unwrap();
        for (position, (name, content)) in contents.iter().enumerate() {
            desk.issued.write(&format!("all/{name}"), content.as_bytes());
            desk.issued.write(&format!("all/{name}.sigeli"), &desk.old(position).to_bytes());
        }
        desk.issued.write("trust", &desk.node.chain.validators.trust().to_bytes());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.issued.path(name)
    }

    /// A bundle with a receipt that is true and a stamp that is not: refreshing believes nothing of it but its height.
    fn old(&self, position: usize) -> Bundle {
        let batch = &self.issued.batch;
        let file = &batch.files()[position];
        let root = batch.root();
        let receipt = Receipt {
            profile: file.profile,
            salt: file.salt,
            institution: GTU,
            batch: batch_tag(&root),
            path: batch.tree().path(file.index).unwrap(),
        };
        let mut stamp = self.node.stamp(GTU, root, &self.handles[(position + 1) % COUNT]).unwrap();
        stamp.stamp.header.height = Height::new(1);
        Bundle { ledger: ledger_tag(&self.node.chain.validators.genesis), receipt, stamp }
    }

    fn bundle(&self, name: &str) -> Bundle {
        Bundle::from_bytes(&std::fs::read(self.path(&format!("all/{name}.sigeli"))).unwrap()).unwrap()
    }

    async fn run(&self, urls: &[String], args: &[&str]) -> (i32, String, String) {
        self.run_command(&["stamp", "refresh"], urls, args).await
    }

    async fn run_command(&self, name: &[&str], urls: &[String], args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigeli"));
        command.args(name).args(["all", "--trust", "trust", "--at", NOW, "--node", &urls.join(",")]);
        command.args(args).current_dir(self.issued.directory.path()).env_clear().env("LANG", "C.UTF-8");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Each bundle is the receipt it had, with the stamp that the node would have given for it.
    fn check(&self) {
        for (position, handle) in self.handles.iter().enumerate() {
            let bundle = self.bundle(&format!("c{position}.pdf"));
            assert_eq!(bundle.receipt, self.old(position).receipt);
            let expected = self.node.stamp(GTU, self.issued.batch.root(), handle).unwrap();
            assert_eq!(bundle.stamp, expected, "credential {position}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bundle_is_what_the_node_would_have_given_and_the_node_knows_of_none() {
    // Few credentials: the whole list. As if there were enough of them: prefixes, or the list again where it is half of all.
    for anonymity in ["1024", "2"] {
        let desk = Desk::new();
        let url = desk.node.serve().await;
        let (exit, out, err) = desk.run(&[url], &["--anonymity", anonymity]).await;
        assert_eq!((exit, err.as_str()), (0, ""), "{out}");
        assert!(out.starts_with("40 bundle(s) are as of"), "{out}");
        desk.check();
        let asked: BTreeSet<u32> = desk.node.asked.lock().unwrap().iter().map(|(bits, _)| *bits).collect();
        assert_eq!(asked, BTreeSet::from([0]));
        let stamps = desk.node.stamps.lock().unwrap().clone();
        assert_eq!(stamps.len(), 1, "one question for the batch");
        assert!(!desk.handles.contains(&stamps[0].1), "and no credential's handle in it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_credential_of_many_is_asked_for_by_a_prefix() {
    let desk = Desk::new();
    for position in 0..COUNT {
        if position != 8 && position != 9 {
            std::fs::remove_file(desk.path(&format!("all/c{position}.pdf"))).unwrap();
        }
    }
    let url = desk.node.serve().await;
    // The batch has 33 credentials at least, as far as its tree shows: at most 5 bits for one of them each.
    let (exit, out, err) = desk.run(&[url], &["--anonymity", "1"]).await;
    assert_eq!((exit, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("at most 5 bits were told"), "{out}");
    let told = |position: usize| {
        let prefix = RegisterPrefix::of(&status_key(&desk.handles[position]), 5).unwrap();
        (u32::from(prefix.length()), u32::from(prefix.bits()))
    };
    let asked: BTreeSet<_> = desk.node.asked.lock().unwrap().iter().copied().collect();
    assert_eq!(asked, BTreeSet::from([told(8), told(9)]));
    for position in [8, 9] {
        let expected = desk.node.stamp(GTU, desk.issued.batch.root(), &desk.handles[position]).unwrap();
        assert_eq!(desk.bundle(&format!("c{position}.pdf")).stamp, expected);
    }
    assert_eq!(desk.bundle("c0.pdf"), desk.old(0), "what has no document is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_change_nothing_and_an_honest_node_is_asked_then() {
    for lie in [Lie::OtherStamp, Lie::Omit, Lie::Alter, Lie::NoQuorum, Lie::OtherRoots, Lie::BreakOff, Lie::Garbage] {
        let desk = Desk::new();
        let liar = Node::new(
            {
                let mut chain = Chain::new(8);
                chain.push(Vec::new());
                chain.push_over(Vec::new(), desk.node.state.roots().root());
                chain
            },
            (*desk.node.state).clone(),
        );
        liar.tell(lie);
        let (false_url, url) = (liar.serve().await, desk.node.serve().await);
        let (exit, out, err) = desk.run(std::slice::from_ref(&false_url), &["--patience", "1s"]).await;
        assert!(exit >= 64, "{lie:?}: {exit} {out}{err}");
        for position in 0..COUNT {
            assert_eq!(desk.bundle(&format!("c{position}.pdf")), desk.old(position), "{lie:?}");
        }
        let (exit, out, err) = desk.run(&[false_url, url], &[]).await;
        assert_eq!(exit, 0, "{lie:?}: {out}{err}");
        desk.check();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_refreshed_is_named_and_the_rest_is_refreshed() {
    let desk = Desk::new();
    desk.issued.write("all/c1.pdf", b"%PDF changed");
    std::fs::remove_file(desk.path("all/c2.pdf.sigeli")).unwrap();
    let mut foreign = desk.old(3);
    foreign.ledger[0] ^= 1;
    desk.issued.write("all/c3.pdf.sigeli", &foreign.to_bytes());
    let mut newer = desk.old(5);
    newer.stamp.stamp.header.height = Height::new(3);
    desk.issued.write("all/c5.pdf.sigeli", &newer.to_bytes());
    let url = desk.node.serve().await;
    let (exit, out, err) = desk.run(&[url], &[]).await;
    assert_eq!(exit, 65, "{out}{err}");
    assert!(out.starts_with("36 bundle(s) are as of") && out.contains("4 left as they were"), "{out}");
    for (name, why) in [
        ("c1.pdf", "it was changed"),
        ("c2.pdf", "there is no file"),
        ("c3.pdf", "another ledger"),
        ("c5.pdf", "newer than what the nodes have"),
    ] {
        assert!(err.lines().any(|line| line.contains(name) && line.contains(why)), "{name}: {err}");
    }
    assert_eq!(desk.bundle("c5.pdf"), newer, "a stamp never goes back");
    let expected = desk.node.stamp(GTU, desk.issued.batch.root(), &desk.handles[0]).unwrap();
    assert_eq!(desk.bundle("c0.pdf").stamp, expected);
}

const LIST: &str = "https://gtu.example/status/1";

/// A credential that names its places in two lists.
fn listed(number: usize, index: usize) -> (String, String) {
    let entry = |purpose: &str| {
        format!(
            r#"{{"type":"BitstringStatusListEntry","statusPurpose":"{purpose}","statusListIndex":"{index}","statusListCredential":"{LIST}"}}"#
        )
    };
    let content = format!(r#"{{"n":{number},"credentialStatus":[{},{}]}}"#, entry("revocation"), entry("suspension"));
    (format!("c{number}.json"), content)
}

/// The places whose bits are set, by purpose.
fn set(desk: &Desk, printed: &str) -> Vec<(String, Vec<usize>)> {
    let read = |name: &str| {
        let text = std::fs::read_to_string(desk.path(name)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let subject = &json["credentialSubject"];
        assert_eq!((json["id"].as_str(), json["issuer"].as_str()), (Some(LIST), Some("did:web:gtu.example")));
        let packed = subject["encodedList"].as_str().unwrap().strip_prefix('u').unwrap();
        let packed = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, packed).unwrap();
        let mut bits = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut bits).unwrap();
        assert_eq!(bits.len(), 16_384);
        let is_set = |index: &usize| bits[index / 8] & (0x80 >> (index % 8)) != 0;
        (subject["statusPurpose"].as_str().unwrap().to_owned(), (0..131_072).filter(is_set).collect())
    };
    printed.lines().map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn status_lists_say_what_the_ledger_says() {
    let place = |number: usize| 131_071 - number * 3_001;
    let desk = Desk::of((0..COUNT).map(|number| listed(number, place(number))).collect());
    let url = desk.node.serve().await;
    let args = ["--out", "lists", "--issuer", "did:web:gtu.example"];
    let (exit, out, err) = desk.run_command(&["status-list"], std::slice::from_ref(&url), &args).await;
    assert_eq!(exit, 0, "{out}{err}");
    let places = |rest: usize| {
        let mut places: Vec<_> = (0..COUNT).filter(|number| number % 8 == rest).map(place).collect();
        places.sort_unstable();
        places
    };
    assert_eq!(set(&desk, &out), [("revocation".to_owned(), places(0)), ("suspension".to_owned(), places(4))]);
    assert_eq!(*desk.node.asked.lock().unwrap(), [(0, 0)], "the whole list, whoever is asked about");
    assert_eq!(desk.bundle("c0.json"), desk.old(0), "bundles are left alone");
    // Where a credential would be missing, and so be called valid, there is no list.
    std::fs::remove_dir_all(desk.path("lists")).unwrap();
    let kept = std::fs::read(desk.path("all/c3.json.sigeli")).unwrap();
    std::fs::remove_file(desk.path("all/c3.json.sigeli")).unwrap();
    let (exit, _, err) = desk.run_command(&["status-list"], std::slice::from_ref(&url), &args).await;
    assert!(exit == 65 && err.contains("c3.json"), "{err}");
    assert!(!desk.path("lists").exists());
    desk.issued.write("all/c3.json.sigeli", &kept);
    // Keep what an independent implementation is tried on (docs/exports.md).
    if let Some(folder) = std::env::var_os("SIGELI_KEEP_LISTS") {
        let (exit, out, err) = desk.run_command(&["status-list"], &[url], &args).await;
        assert_eq!(exit, 0, "{err}");
        for line in out.lines() {
            let name = std::path::Path::new(line).file_name().unwrap();
            std::fs::copy(desk.path(line), std::path::Path::new(&folder).join(name)).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_place_is_not_given_to_two_credentials() {
    let desk = Desk::of((0..COUNT).map(|number| listed(number, if number == 9 { 8 } else { number })).collect());
    let url = desk.node.serve().await;
    let args = ["--out", "lists", "--issuer", "did:web:gtu.example"];
    let (exit, _, err) = desk.run_command(&["status-list"], &[url], &args).await;
    assert!(exit == 65 && err.contains("was given to another credential too"), "{err}");
    assert!(!desk.path("lists").exists());
}
