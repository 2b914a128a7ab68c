use super::*;

const A: Peer = Peer::new(1);
const B: Peer = Peer::new(2);

fn syncer(claims: &[(Peer, u64)]) -> Syncer {
    let mut syncer = Syncer::default();
    for (peer, height) in claims {
        syncer.on_connected(*peer);
        syncer.on_claim(*peer, Height::new(*height));
    }
    syncer
}

#[test]
fn asks_the_best_peer_once() {
    let mut syncer = syncer(&[(A, 10), (B, 20)]);
    let request = syncer.next_request(Height::new(5)).expect("both have it");
    assert_eq!((request.peer, request.from, request.count), (B, Height::new(5), 16));
    assert_eq!(syncer.next_request(Height::new(5)), None, "one at a time");
    assert!(syncer.on_response(B, Height::new(5), 16));
    assert_eq!(syncer.next_request(Height::new(21)), None, "nobody has it");
}

#[test]
fn a_stalling_peer_is_passed_over() {
    let mut syncer = syncer(&[(A, 10), (B, 1_000)]);
    let request = syncer.next_request(Height::new(5)).expect("both have it");
    assert_eq!(request.count, SYNC_BLOCKS_MAX);
    assert!(!syncer.on_timeout(request.number + 1), "another timer");
    assert!(syncer.on_timeout(request.number));
    assert!(!syncer.on_timeout(request.number), "only once");
    assert_eq!(syncer.next_request(Height::new(5)).map(|request| request.peer), Some(A));
    // It claims again: the other is still preferred.
    syncer.on_claim(B, Height::new(2_000));
    assert!(syncer.on_response(A, Height::new(5), 6));
    assert_eq!(syncer.next_request(Height::new(9)).map(|request| request.peer), Some(A));
}

#[test]
fn an_empty_or_foreign_answer_does_not_count() {
    let mut syncer = syncer(&[(A, 10), (B, 10)]);
    let request = syncer.next_request(Height::new(5)).expect("both have it");
    let other = if request.peer == A { B } else { A };
    assert!(!syncer.on_response(other, Height::new(5), 1), "the wrong peer");
    assert!(!syncer.on_response(request.peer, Height::new(6), 1), "the wrong height");
    assert!(syncer.on_response(request.peer, Height::new(5), 0), "empty, but the answer");
    assert_eq!(syncer.next_request(Height::new(5)).map(|request| request.peer), Some(other));
    assert!(!syncer.on_response(other, Height::new(5), 7), "more than asked for");
    assert_eq!(syncer.next_request(Height::new(5)), None, "both claims are taken back");
}

#[test]
fn a_peer_that_leaves_takes_its_request_along() {
    let mut syncer = syncer(&[(A, 10), (B, 20)]);
    let request = syncer.next_request(Height::new(5)).expect("both have it");
    syncer.on_disconnected(request.peer);
    assert!(!syncer.on_timeout(request.number));
    assert_eq!(syncer.next_request(Height::new(5)).map(|request| request.peer), Some(A));
    syncer.on_claim(B, Height::new(30));
    assert_eq!(syncer.highest_claim(), Height::new(10), "claims of strangers are not kept");
}

#[test]
fn the_number_of_peers_is_bounded() {
    let mut syncer = Syncer::default();
    for number in 0..10_000 {
        syncer.on_connected(Peer::new(number));
    }
    assert_eq!(syncer.peers.len(), PEERS_MAX);
}
