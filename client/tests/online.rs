//! What the client does when nodes are down, slow, behind or wrong: over real gRPC, against nodes that answer by script.
#![expect(clippy::unwrap_used, reason = "a test panics to fail")]

mod scripted;
mod world;

use std::{sync::Arc, time::Duration};

use scripted::{Answer, Node, Proof, authority_key, dead, institution_key};
use sigeli::{
    ProofError,
    anchor::{AnchorError, AnchorProgress, AnchorRequest, Anchored, anchor},
    authority::{AuthoritySigner, grant_permission},
    remote::{Remote, RemoteError},
    signing::SubmitError,
    stamp::{self, StampError, StampRequest},
    status::{self, StatusError, StatusRequest},
    values,
};
use sigeli_verifier::{
    decode::Decode as _,
    encode::Encode as _,
    ids::{AuthorityId, InstitutionId, KeyIndex, PermissionId},
    record::StatusState,
    transaction::{PermissionGrant, PermissionScope, Sender, SignedTransaction, StatusAction, StatusReason},
    trust::{NetworkKind, Trust},
};
use world::{Issued, World, run, sigeli};

const SHORT: Duration = Duration::from_millis(700);
const ALREADY_EXISTS: Answer = Answer::Rejected { code: 200, first_height: Some(40) };
const NOT_ACCREDITED: Answer = Answer::Rejected { code: 309, first_height: None };
const EXPIRED: Answer = Answer::Rejected { code: 111, first_height: None };

fn batch() -> (Arc<World>, Arc<Issued>) {
    let issued = Issued::new(&[("a.pdf", b"%PDF-1.7 a"), ("b.json", br#"{"b": 1}"#)]);
    (Arc::new(World::new(1)), Arc::new(issued))
}

async fn anchored(
    issued: &Issued,
    urls: &[String],
    trust: Option<&Trust>,
    patience: Duration,
) -> Result<Anchored, AnchorError> {
    let directory = issued.path("batch");
    let key = institution_key();
    let request = AnchorRequest { directory: &directory, key: &key, trust, with_permission: true, patience };
    anchor(&Remote::new(urls).unwrap(), &request, &mut |_| {}).await
}

fn kept(issued: &Issued) -> SignedTransaction {
    SignedTransaction::from_bytes(&std::fs::read(issued.path("batch/transaction")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_batch_is_anchored_past_a_dead_node_and_a_busy_one_with_one_transaction() {
    let (world, issued) = batch();
    let busy = Node::new(&world, &issued, &[Answer::Busy]);
    let good = Node::new(&world, &issued, &[Answer::Pending, Answer::Pending, Answer::Committed]);
    let urls = [dead().await, busy.serve().await, good.serve().await];
    let trust = world.trust(NetworkKind::Test);
    let directory = issued.path("batch");
    let key = institution_key();
    let request = AnchorRequest {
        directory: &directory,
        key: &key,
        trust: Some(&trust),
        with_permission: true,
        patience: Duration::from_secs(30),
    };
    let mut heard = Vec::new();
    let anchored = anchor(&Remote::new(&urls).unwrap(), &request, &mut |progress| heard.push(progress)).await.unwrap();
    assert_eq!((anchored.height.get(), anchored.was_anchored, anchored.root), (40, false, issued.batch.root()));
    assert_eq!(heard.last(), Some(&AnchorProgress::Bundles { written: 2, total: 2 }));

    let seen = good.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().chain(&busy.seen()).all(|signed| *signed == kept(&issued)), "one transaction, again and again");
    let signature = &seen[0].signatures()[0];
    assert_eq!(signature.key, KeyIndex::new(3));
    assert!(seen[0].is_signed_by(signature, &institution_key().public()));

    // The bundles are where they should be, and verify.
    std::fs::copy(issued.path("batch/a.pdf.sigeli"), issued.path("a.pdf.sigeli")).unwrap();
    issued.write("trust", &trust.to_bytes());
    for args in [
        ["verify", "a.pdf", "--trust", "trust", "--at", "2026-11-24T09:05:00Z"].as_slice(),
        &["verify", "b.json", "--bundle", "batch/b.json.sigeli", "--trust", "trust", "--at", "2026-11-24T09:05:00Z"],
    ] {
        assert_eq!(sigeli(issued.directory.path(), args).exit, 0, "{args:?}");
    }
}

#[tokio::test]
async fn repeating_hands_in_the_same_transaction_and_finds_the_batch_anchored() {
    let (world, issued) = batch();
    let node = Node::new(&world, &issued, &[Answer::Pending]);
    let urls = [node.serve().await];
    let undecided = anchored(&issued, &urls, None, SHORT).await.unwrap_err();
    assert!(matches!(undecided, AnchorError::Submit(SubmitError::Remote(RemoteError::Undecided { .. }))));
    assert!(undecided.to_string().contains("Repeat the same command"));
    let first = kept(&issued);
    node.set(|script| script.answers = [ALREADY_EXISTS].into());
    // Even if the credential is gone by now: what was handed in is what was prepared.
    std::fs::remove_file(issued.path("a.pdf")).unwrap();
    let again = anchored(&issued, &urls, None, SHORT).await.unwrap();
    assert_eq!((again.height.get(), again.was_anchored, again.bundles.len()), (40, true, 2));
    assert!(node.seen().iter().all(|signed| *signed == first));
}

#[tokio::test]
async fn an_expired_transaction_is_signed_anew_with_the_same_content() {
    let (world, issued) = batch();
    let node = Node::new(&world, &issued, &[EXPIRED, Answer::Committed]);
    let urls = [node.serve().await];
    let anchored = anchored(&issued, &urls, None, Duration::from_secs(30)).await.unwrap();
    assert!(!anchored.was_anchored);
    let seen = node.seen();
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0].id(), seen[1].id());
    assert_eq!(seen[0].body().payload, seen[1].body().payload);
    assert_eq!(kept(&issued), seen[1]);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_and_no_bundle_is_made() {
    let (world, issued) = batch();
    let node = Node::new(&world, &issued, &[NOT_ACCREDITED]);
    let refused = anchored(&issued, &[node.serve().await], None, SHORT).await.unwrap_err();
    let AnchorError::Submit(SubmitError::Rejected { rejection }) = &refused else { panic!("{refused}") };
    assert_eq!(rejection.code, 309);
    let text = refused.to_string();
    assert!(text.contains("309") && text.contains("--accreditation"), "{text}");
    assert!(!issued.path("batch/a.pdf.sigeli").exists());
}

#[tokio::test]
async fn a_node_that_is_behind_does_not_have_the_last_word() {
    let (world, issued) = batch();
    let behind = Node::new(&world, &issued, &[NOT_ACCREDITED]);
    behind.set(|script| script.proof = Proof::NotFound);
    let ahead = Node::new(&world, &issued, &[Answer::Pending, Answer::Committed]);
    let urls = [behind.serve().await, ahead.serve().await];
    assert_eq!(anchored(&issued, &urls, None, Duration::from_secs(30)).await.unwrap().bundles.len(), 2);
    assert_eq!((behind.seen().len(), ahead.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_false_proof_is_never_handed_out() {
    for proof in [Proof::Swapped, Proof::Altered] {
        for with_trust in [true, false] {
            let (world, issued) = batch();
            let node = Node::new(&world, &issued, &[Answer::Committed]);
            node.set(|script| script.proof = proof);
            let trust = world.trust(NetworkKind::Test);
            let url = node.serve().await;
            let refused =
                anchored(&issued, std::slice::from_ref(&url), with_trust.then_some(&trust), SHORT).await.unwrap_err();
            assert!(matches!(refused, AnchorError::Proof(ProofError::False { .. })), "{proof:?}: {refused}");
            assert!(!issued.path("batch/a.pdf.sigeli").exists() && !issued.path("batch/b.json.sigeli").exists());
            // Another node helps.
            let honest = Node::new(&world, &issued, &[ALREADY_EXISTS]);
            let urls = [url, honest.serve().await];
            anchored(&issued, &urls, with_trust.then_some(&trust), Duration::from_secs(30)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn nothing_is_handed_in_to_another_ledger_or_for_a_changed_file_or_with_a_foreign_key() {
    let (world, issued) = batch();
    let node = Node::new(&world, &issued, &[Answer::Committed]);
    let urls = [node.serve().await];
    let other = World::new(2).trust(NetworkKind::Test);
    let foreign = anchored(&issued, &urls, Some(&other), SHORT).await.unwrap_err();
    assert!(matches!(foreign, AnchorError::Ledger(ProofError::ForeignLedger { .. })));

    let directory = issued.path("batch");
    let key = sigeli::keys::SecretKey::from_seed(&[99; 32]);
    let request =
        AnchorRequest { directory: &directory, key: &key, trust: None, with_permission: false, patience: SHORT };
    let refused = anchor(&Remote::new(&urls).unwrap(), &request, &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, AnchorError::Submit(SubmitError::ForeignKey { .. })));

    issued.write("a.pdf", b"%PDF-1.7 b");
    let changed = anchored(&issued, &urls, None, SHORT).await.unwrap_err();
    assert!(matches!(changed, AnchorError::Changed { .. }));
    assert_eq!(node.seen().len(), 0);
    assert!(!issued.path("batch/transaction").exists());
}

#[tokio::test]
async fn a_revocation_shows_in_the_bundle_and_can_be_repeated() {
    let (world, issued) = batch();
    let node = Node::new(&world, &issued, &[Answer::Committed]);
    let remote = Remote::new(&[node.serve().await]).unwrap();
    let bundle = issued.write("a.pdf.sigeli", &world.bundle(&issued, 0, None).to_bytes());
    let file = issued.path("a.pdf");
    let key = institution_key();
    let request = |reason, institution| StatusRequest {
        file: &file,
        bundle: &bundle,
        institution: Some(InstitutionId::new(institution)),
        action: StatusAction::Revoke,
        reason,
        key: &key,
        trust: None,
        patience: SHORT,
    };
    let wrong = status::change(&remote, &request(StatusReason::Order, 2)).await.unwrap_err();
    assert!(matches!(wrong, StatusError::OtherInstitution { .. }));
    assert_eq!(node.seen().len(), 0);

    node.set(|script| script.written = Some((StatusState::Revoked, StatusReason::Order)));
    let changed = status::change(&remote, &request(StatusReason::Order, 1)).await.unwrap();
    assert!(!changed.was_changed);
    // The ledger refuses a second revocation; the same one is found done, another one is not.
    node.set(|script| script.answers = [Answer::Rejected { code: 401, first_height: None }].into());
    assert!(status::change(&remote, &request(StatusReason::Order, 1)).await.unwrap().was_changed);
    let other = status::change(&remote, &request(StatusReason::HolderRequest, 1)).await.unwrap_err();
    assert!(matches!(other, StatusError::Submit(SubmitError::Rejected { .. })));

    issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
    assert_eq!(sigeli(issued.directory.path(), &["verify", "a.pdf", "--trust", "trust"]).exit, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_key_was_compromised_is_the_answer_of_a_genuine_node() {
    let (world, issued) = batch();
    let node = Node::new(&world, &issued, &[ALREADY_EXISTS]);
    node.set(|script| script.says.compromised = Some(40));
    let url = node.serve().await;
    issued.write("a.pdf.sigeli", &world.bundle(&issued, 0, None).to_bytes());
    issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
    // No bundle is handed out for what does not stand.
    let refused = anchored(&issued, std::slice::from_ref(&url), None, SHORT).await.unwrap_err();
    assert!(matches!(refused, AnchorError::Compromised { from } if from.get() == 40), "{refused}");
    tokio::task::spawn_blocking(move || {
        let directory = issued.directory.path();
        let at = ["verify", "a.pdf", "--trust", "trust", "--at", "2026-11-24T09:05:00Z"];
        let run = sigeli(directory, &[&at, ["--node", url.as_str()].as_slice()].concat());
        assert_eq!((run.exit, run.err.as_str()), (2, ""), "{}", run.out);
        assert!(run.out.contains("NOT GENUINE") && run.out.contains("reported compromised"), "{}", run.out);
        // The bundle on the disk is older than that, and says so once it is refreshed.
        assert_eq!(sigeli(directory, &at).exit, 0);
        let run = sigeli(directory, &["stamp", "a.pdf", "--node", &url, "--trust", "trust"]);
        assert!(run.exit == 0 && run.out.contains("NOT GENUINE"), "{}{}", run.out, run.err);
        assert_eq!(sigeli(directory, &at).exit, 2);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_stamp_is_for_the_document_of_the_bundle_and_its_ledger() {
    let (world, issued) = batch();
    let node = Node::new(&world, &issued, &[Answer::Committed]);
    let remote = Remote::new(&[dead().await, node.serve().await]).unwrap();
    let bundle = issued.write("a.pdf.sigeli", &world.bundle(&issued, 0, None).to_bytes());
    let file = issued.path("a.pdf");
    let request = StampRequest { file: &file, bundle: &bundle, trust: None, with_permission: false, patience: SHORT };
    let before = std::fs::read(&bundle).unwrap();
    let stamped = stamp::refresh(&remote, &request).await.unwrap();
    assert_eq!(stamped.height.get(), 42);
    assert!(std::fs::read(&bundle).unwrap().len() < before.len(), "without the accreditation's record it is smaller");

    let other = issued.path("b.json");
    let refused = stamp::refresh(&remote, &StampRequest { file: &other, ..request }).await.unwrap_err();
    assert!(matches!(refused, StampError::OtherDocument { .. }));
    let foreign = issued.write("foreign", &World::new(3).bundle(&issued, 0, None).to_bytes());
    let refused = stamp::refresh(&remote, &StampRequest { bundle: &foreign, ..request }).await.unwrap_err();
    assert!(matches!(refused, StampError::OtherLedger { .. }));
    let nobody = Remote::new(&[dead().await]).unwrap();
    let refused = stamp::refresh(&nobody, &request).await.unwrap_err();
    assert!(matches!(refused, StampError::Proof(ProofError::Remote(RemoteError::Unanswered { .. }))));
    assert!(refused.to_string().contains("cannot be reached"), "{refused}");
}

#[tokio::test]
async fn an_authority_whose_number_was_taken_signs_again_with_the_next() {
    let (world, issued) = batch();
    let mismatch = Answer::Rejected { code: 128, first_height: None };
    let node = Node::new(&world, &issued, &[mismatch, Answer::Committed]);
    let remote = Remote::new(&[node.serve().await]).unwrap();
    let keys = [authority_key()];
    let signer = AuthoritySigner { authority: AuthorityId::new(2), keys: &keys, patience: Duration::from_secs(30) };
    let grant = PermissionGrant {
        institution: InstitutionId::new(1),
        decision: values::decision_ref("N 1, 2026-09-01"),
        window: world::permission_record().window,
        conditional: false,
        scope: PermissionScope::Authorisation,
    };
    let granted = grant_permission(&remote, signer, grant.clone()).await.unwrap();
    assert_eq!((granted.permission, granted.decided.was_decided), (Some(PermissionId::new(5)), false));
    let sequences: Vec<_> = node
        .seen()
        .iter()
        .map(|signed| match signed.body().sender {
            Sender::Authority { sequence, .. } => sequence.get(),
            Sender::Institution { .. } | Sender::Authorities { .. } => 0,
        })
        .collect();
    assert_eq!(sequences, [1, 2]);

    // Granted before: the number is looked up by authority, decision and kind.
    let known = world::permission_record();
    let grant = PermissionGrant { decision: known.decision, scope: known.scope, ..grant };
    node.set(|script| script.answers = [ALREADY_EXISTS].into());
    let granted = grant_permission(&remote, signer, grant).await.unwrap();
    assert_eq!((granted.permission, granted.decided.was_decided), (Some(PermissionId::new(1)), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_an_institution_work_together() {
    let (world, issued) = batch();
    let node = Node::new(&world, &issued, &[Answer::Committed]);
    let url = node.serve().await;
    institution_key().write(&issued.path("gtu.key")).unwrap();
    issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
    let directory = issued.directory.path().to_owned();
    let script = node.clone();
    tokio::task::spawn_blocking(move || {
        let ok = |args: &[&str]| {
            let run = sigeli(&directory, args);
            assert_eq!(run.exit, 0, "{args:?}: {}{}", run.out, run.err);
            run.out
        };
        let said = ok(&[
            "batch",
            "prepare",
            "a.pdf",
            "--out",
            "other",
            "--institution",
            "1",
            "--accreditation",
            "1",
            "--issued",
            "2026-11-20",
            "--node",
            &url,
        ]);
        assert!(said.contains("level 6, field 0613, 5 ECTS"), "{said}");
        let outside = [
            "batch",
            "prepare",
            "a.pdf",
            "--out",
            "x",
            "--institution",
            "1",
            "--accreditation",
            "1",
            "--issued",
            "2028-01-01",
            "--node",
            &url,
        ];
        assert_eq!(sigeli(&directory, &outside).exit, 65);
        let said = ok(&["batch", "anchor", "batch", "--key", "gtu.key", "--node", &url, "--trust", "trust"]);
        assert!(said.contains("Registered in block 40") && said.contains("2 bundle(s)"), "{said}");
        let bundle = ["a.pdf", "--bundle", "batch/a.pdf.sigeli"];
        let with = |command: &[&'static str], more: &[&str]| {
            let args: Vec<&str> = command.iter().chain(&bundle).copied().chain(more.iter().copied()).collect();
            ok(&args)
        };
        assert!(with(&["stamp"], &["--node", &url]).contains("not revoked as of"));
        let at = ["--trust", "trust", "--at", "2026-11-24T09:05:00Z"];
        with(&["verify"], &at);
        script.set(|script| script.written = Some((StatusState::Revoked, StatusReason::IssuedInError)));
        // Offline nothing has changed; whoever asks a node sees it, and the file on the disk is left alone.
        let online: Vec<&str> = ["verify"].iter().chain(&bundle).chain(&at).copied().chain(["--node", &url]).collect();
        assert_eq!(sigeli(&directory, &online).exit, 1);
        with(&["verify"], &at);
        let said = with(&["status", "revoke"], &["--reason", "issued-in-error", "--key", "gtu.key", "--node", &url]);
        assert!(said.contains("revoked (issued in error)"), "{said}");
        let offline: Vec<&str> = ["verify"].iter().chain(&bundle).chain(&at).copied().collect();
        assert_eq!(sigeli(&directory, &offline).exit, 1);
        // A node that cannot be reached does not change a verdict.
        let nobody: Vec<&str> = offline.iter().copied().chain(["--node", "http://127.0.0.1:9"]).collect();
        let run = run(env!("CARGO_BIN_EXE_sigeli"), &directory, &nobody);
        assert_eq!((run.exit, run.err.contains("no newer status")), (1, true), "{}", run.err);
    })
    .await
    .unwrap();
}
