//! What the node does with its files, its exit codes and bad transactions.

use std::fs;

use sigeli_proto::v1::{self, outcome::State};
use sigeli_verifier::{encode::Encode as _, ids::GenesisHash, params::TRANSACTION_BYTES_MAX};

use crate::solo::{Home, node, now_ms, refusal, status, submit};

#[tokio::test]
async fn bad_transactions_get_their_own_codes_and_change_nothing() {
    let home = Home::new();
    let mut running = home.start();
    let mut client = home.client().await;
    let hour = now_ms() + 3_600_000;

    let good = home.sign(home.registration(1, 1, hour)).to_bytes();
    let State::Committed(committed) = submit(&mut client, good.clone()).await else { panic!("not committed") };
    let before = status(&mut client).await;
    assert_eq!(before.height, committed.height);

    let mut malformed = good.clone();
    malformed.push(0);
    assert_eq!(refusal(&mut client, malformed).await, (100, "malformed".into(), None));
    assert_eq!(refusal(&mut client, Vec::new()).await.1, "malformed");
    let oversized = vec![0; TRANSACTION_BYTES_MAX + 1];
    assert_eq!(refusal(&mut client, oversized).await, (101, "too_large".into(), None));
    let mut forged = home.sign(home.registration(2, 2, hour)).to_bytes();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(refusal(&mut client, forged).await.1, "wrong_signature");
    let expired = home.sign(home.registration(2, 2, now_ms() - 1)).to_bytes();
    assert_eq!(refusal(&mut client, expired).await.1, "expired");
    let endless = home.sign(home.registration(2, 2, now_ms() + 91 * 24 * 3_600_000)).to_bytes();
    assert_eq!(refusal(&mut client, endless).await.1, "validity_too_long");
    let replayed = refusal(&mut client, good).await;
    assert_eq!(replayed, (114, "already_committed".into(), Some(committed.height)));
    let gap = home.sign(home.registration(2, 3, hour)).to_bytes();
    assert_eq!(refusal(&mut client, gap).await.1, "sequence_mismatch");
    let mut elsewhere = home.registration(2, 2, hour);
    elsewhere.genesis = GenesisHash::new([9; 32]);
    assert_eq!(refusal(&mut client, home.sign(elsewhere).to_bytes()).await.1, "wrong_ledger");
    let again = home.sign(home.registration(1, 2, hour)).to_bytes();
    assert_eq!(refusal(&mut client, again).await, (200, "already_exists".into(), Some(committed.height)));

    let after = status(&mut client).await;
    assert_eq!((after.state_root, after.mempool_transactions), (before.state_root, 0));
    running.signal("-TERM");
    assert_eq!(running.wait().await, Some(0));
}

#[tokio::test]
async fn a_restart_goes_on_where_it_stopped_and_a_second_process_is_refused() {
    let home = Home::new();
    let hour = now_ms() + 3_600_000;
    let mut first = home.start();
    let mut client = home.client().await;
    let transaction = home.sign(home.registration(1, 1, hour)).to_bytes();
    let State::Committed(committed) = submit(&mut client, transaction.clone()).await else { panic!("not committed") };

    let second = node(&["start", "--home", home.path().to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    assert!(String::from_utf8_lossy(&second.stderr).contains("database"), "{second:?}");

    // Killed, not stopped.
    first.child.kill().unwrap();
    first.wait().await;
    let mut again = home.start();
    let mut client = home.client().await;
    assert_eq!(refusal(&mut client, transaction).await, (114, "already_committed".into(), Some(committed.height)));
    let next = home.sign(home.registration(2, 2, hour)).to_bytes();
    assert!(matches!(submit(&mut client, next).await, State::Committed(_)));
    let shown = node(&["status", "--node", &home.url(), "--json"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    for field in ["height", "header_id", "state_root", "genesis_hash", "peers", "syncing"] {
        assert!(!shown[field].is_null(), "{field} is missing: {shown}");
    }
    assert_eq!(shown["genesis_hash"], home.genesis.to_string());
    again.signal("-TERM");
    assert_eq!(again.wait().await, Some(0));
}

#[tokio::test]
async fn a_damaged_sign_state_stops_the_node_with_the_code_that_forbids_a_restart() {
    let home = Home::new();
    let mut first = home.start();
    let mut client = home.client().await;
    let transaction = home.sign(home.registration(1, 1, now_ms() + 3_600_000)).to_bytes();
    assert!(matches!(submit(&mut client, transaction).await, State::Committed(_)));
    first.signal("-TERM");
    assert_eq!(first.wait().await, Some(0));
    let path = home.path().join("sign-state");
    let mut record = fs::read(&path).unwrap();
    record[60] ^= 1;
    fs::write(&path, record).unwrap();
    assert_eq!(home.start().wait().await, Some(70));
}

#[tokio::test]
async fn a_lost_sign_state_means_no_vote() {
    let home = Home::new();
    fs::remove_file(home.path().join("sign-state")).unwrap();
    let running = home.start();
    let mut client = home.client().await;
    let transaction = home.sign(home.registration(1, 1, now_ms() + 3_600_000)).to_bytes();
    let request = v1::SubmitRequest { transaction, wait_ms: 3_000 };
    let outcome = client.submit(request).await.unwrap().into_inner().outcome.unwrap().state.unwrap();
    assert!(matches!(outcome, State::Pending(_)), "{outcome:?}");
    assert_eq!(status(&mut client).await.height, 0, "nothing may be committed without a vote");
    drop(running);
}

#[test]
fn init_never_overwrites() {
    let home = Home::new();
    let keys = fs::read(home.path().join("validator.key")).unwrap();
    let again = node(&["init", "--home", home.path().to_str().unwrap(), "--name", "solo"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(fs::read(home.path().join("validator.key")).unwrap(), keys);
}
