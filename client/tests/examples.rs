//! The programs of `client/examples`, run against nodes over real gRPC.
#![expect(clippy::unwrap_used, reason = "a test panics to fail")]

#[path = "../examples/institution.rs"]
mod institution;
#[path = "../examples/operator.rs"]
mod operator;
mod scripted;
#[path = "../examples/verifier.rs"]
mod verifier;
#[allow(dead_code, clippy::allow_attributes, reason = "the command line is not run here")]
mod world;

use std::{sync::Arc, time::Duration};

use scripted::{Answer, Node, dead, institution_key};
use sigeli::api::{Config, ConnectError, Sigeli};
use sigeli_verifier::{
    encode::Encode as _, record::StatusState, transaction::StatusReason, trust::NetworkKind, verdict::Verdict,
};
use world::{Issued, World};

const FOREVER: Duration = Duration::from_secs(1 << 40);

struct Scene {
    world: Arc<World>,
    issued: Arc<Issued>,
    node: Node,
    url: String,
}

impl Scene {
    async fn new(answers: &[Answer]) -> Self {
        let world = Arc::new(World::new(1));
        let issued = Arc::new(Issued::new(&[("a.pdf", b"%PDF-1.7 a"), ("b.json", br#"{"b": 1}"#)]));
        let node = Node::new(&world, &issued, answers);
        let url = node.serve().await;
        issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
        institution_key().write(&issued.path("key")).unwrap();
        Self { world, issued, node, url }
    }

    fn path(&self, name: &str) -> String {
        self.issued.path(name).to_str().unwrap().to_owned()
    }

    fn config(&self, urls: &[String]) -> Config {
        let patience = Duration::from_secs(20);
        Config { patience, ..Config::new(urls.to_vec(), Some(self.issued.path("trust"))) }
    }
}

/// The institution's program is interrupted while the ledger is undecided, and run again: one transaction, every bundle.
#[tokio::test(flavor = "multi_thread")]
async fn the_institutions_program_finishes_what_it_began() {
    let scene = Scene::new(&[Answer::Pending, Answer::Busy, Answer::Committed]).await;
    let nodes = format!("{},{}", dead().await, scene.url);
    // The batch was prepared by an earlier run; its facts are on the disk.
    let args: Vec<String> =
        [&nodes, &scene.path("trust"), &scene.path("key"), "1", "1", "2026-11-20", &scene.path("batch")]
            .map(str::to_owned)
            .to_vec();
    for _ in 0..2 {
        let args = args.clone();
        let said = tokio::task::spawn_blocking(move || institution::run(&args).map_err(|error| error.to_string()));
        let said = said.await.unwrap().unwrap();
        assert!(said.ends_with("in block 40, 2 bundles"), "{said}");
    }
    let seen = scene.node.seen();
    assert!(seen.len() >= 3 && seen.iter().all(|signed| signed.id() == seen[0].id()), "{} ids", seen.len());
    // Prepared anew, the accreditation comes from the ledger.
    let mut fresh = args.clone();
    fresh[6] = scene.path("fresh");
    fresh.push(scene.path("a.pdf"));
    fresh[5] = "2028-01-01".to_owned();
    let refused = tokio::task::spawn_blocking(move || institution::run(&fresh).map_err(|error| error.to_string()));
    let refused = refused.await.unwrap().unwrap_err();
    assert!(refused.contains("2028-01-01"), "{refused}");
    assert!(!scene.issued.path("fresh").exists());
}

#[tokio::test]
async fn the_verifiers_program_tells_valid_from_revoked_and_never_blames_the_document_for_the_network() {
    let scene = Scene::new(&[Answer::Committed]).await;
    scene.issued.write("a.pdf.sigeli", &scene.world.bundle(&scene.issued, 0, None).to_bytes());
    let ledger = Sigeli::connect(scene.config(&[dead().await, scene.url.clone()])).await.unwrap();
    let file = scene.issued.path("a.pdf");
    let valid = ledger.verify(&file, FOREVER).await.unwrap();
    assert!(valid.refresh_failure().is_none());
    // This computer's clock may be before or after the ledger of the test: stale or fresh, it is never "not genuine".
    assert!(matches!(valid.verdict(), Verdict::Valid | Verdict::Unchecked), "{:?}", valid.verdict());
    scene.node.set(|script| script.written = Some((StatusState::Revoked, StatusReason::IssuedInError)));
    assert_eq!(ledger.verify(&file, FOREVER).await.unwrap().verdict(), Verdict::Ended);
    let args = [scene.path("trust"), scene.url.clone(), scene.path("a.pdf")];
    let verdicts = verifier::run(&args).await.unwrap();
    assert!(verdicts[0].0.ends_with("a.pdf: ended") && verdicts[0].1 == 1, "{verdicts:?}");
    // Offline the bundle is older than the revocation; a file of other content is not genuine.
    let offline = [scene.path("trust"), "-".to_owned(), scene.path("a.pdf")];
    assert!(matches!(verifier::run(&offline).await.unwrap()[0].1, 0 | 3));
    scene.issued.write("a.pdf", b"%PDF-1.7 b");
    assert_eq!(verifier::run(&offline).await.unwrap()[0].1, 2);
}

#[tokio::test]
async fn the_operators_program_names_the_silent_node_and_the_trust_file_that_does_not_follow() {
    let scene = Scene::new(&[Answer::Committed]).await;
    let silent = dead().await;
    let lines = operator::run(&[scene.path("trust"), silent.clone(), scene.url.clone()]).await.unwrap();
    assert!(lines[0].starts_with(&silent) && lines[0].contains("SILENT"), "{lines:?}");
    assert!(lines[1].contains("block 42"), "{lines:?}");
    // The trust file of this test is pinned to 1970.
    assert!(lines[2].contains("DOES NOT FOLLOW") && lines[2].contains("days old"), "{lines:?}");
}

#[tokio::test]
async fn a_connection_is_refused_to_another_ledger_and_with_a_damaged_trust_file() {
    let scene = Scene::new(&[Answer::Committed]).await;
    scene.issued.write("trust", &World::new(2).trust(NetworkKind::Test).to_bytes());
    let refused = Sigeli::connect(scene.config(std::slice::from_ref(&scene.url))).await.unwrap_err();
    assert!(matches!(refused, ConnectError::ForeignLedger { .. }), "{refused}");
    scene.issued.write("trust", b"SIGELIT");
    let refused = Sigeli::connect(scene.config(std::slice::from_ref(&scene.url))).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Trust(_)), "{refused}");
}

/// Revoking through the library: the bundle shows it, and a repetition finds it done.
#[tokio::test]
async fn a_revocation_is_made_once_and_seen_in_the_bundle() {
    let scene = Scene::new(&[Answer::Committed, Answer::Rejected { code: 401, first_height: None }]).await;
    scene.issued.write("a.pdf.sigeli", &scene.world.bundle(&scene.issued, 0, None).to_bytes());
    scene.node.set(|script| script.written = Some((StatusState::Revoked, StatusReason::IssuedInError)));
    let ledger = Sigeli::connect(scene.config(std::slice::from_ref(&scene.url))).await.unwrap();
    let file = scene.issued.path("a.pdf");
    let key = institution_key();
    let first = ledger.revoke(&file, StatusReason::IssuedInError, &key).await.unwrap();
    let second = ledger.revoke(&file, StatusReason::IssuedInError, &key).await.unwrap();
    assert_eq!((first.was_changed, second.was_changed), (false, true));
    assert_eq!(ledger.verify(&file, FOREVER).await.unwrap().verdict(), Verdict::Ended);
}
