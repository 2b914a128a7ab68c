use super::*;

const A: Peer = Peer::new(1);
const B: Peer = Peer::new(2);
const C: Peer = Peer::new(3);
/// No claim is backed.
const NOTHING: Height = Height::new(0);

fn syncer(claims: &[(Peer, u64)]) -> Syncer {
    let mut syncer = Syncer::default();
    for (peer, height) in claims {
        syncer.on_connected(*peer);
        syncer.on_claim(*peer, Height::new(*height), 1);
    }
    syncer
}

#[test]
fn asks_the_best_peer_once() {
    let mut syncer = syncer(&[(A, 4), (B, 20)]);
    let request = syncer.next_request(Height::new(5), NOTHING).expect("one has it");
    assert_eq!((request.peer, request.from, request.count), (B, Height::new(5), 16));
    assert_eq!(syncer.next_request(Height::new(5), NOTHING), None, "one at a time");
    assert!(syncer.on_response(B, Height::new(5), 16, 0));
    assert_eq!(syncer.next_request(Height::new(21), NOTHING), None, "nobody has it");
}

#[test]
fn a_stalling_peer_is_passed_over() {
    let mut syncer = syncer(&[(A, 4), (B, 1_000)]);
    let request = syncer.next_request(Height::new(5), NOTHING).expect("both have it");
    assert_eq!(request.count, SYNC_BLOCKS_MAX);
    syncer.on_claim(A, Height::new(10), 1);
    assert!(!syncer.on_timeout(request.number + 1), "another timer");
    assert!(syncer.on_timeout(request.number));
    assert!(!syncer.on_timeout(request.number), "only once");
    assert_eq!(syncer.next_request(Height::new(5), NOTHING).map(|request| request.peer), Some(A));
    // It claims again: the other is still preferred.
    syncer.on_claim(B, Height::new(2_000), 1);
    assert!(syncer.on_response(A, Height::new(5), 6, 0));
    assert_eq!(syncer.next_request(Height::new(9), NOTHING).map(|request| request.peer), Some(A));
}

#[test]
fn an_empty_or_foreign_answer_does_not_count() {
    let mut syncer = syncer(&[(A, 10), (B, 10)]);
    let request = syncer.next_request(Height::new(5), NOTHING).expect("both have it");
    let other = if request.peer == A { B } else { A };
    assert!(!syncer.on_response(other, Height::new(5), 1, 0), "the wrong peer");
    assert!(!syncer.on_response(request.peer, Height::new(6), 1, 0), "the wrong height");
    assert!(syncer.on_response(request.peer, Height::new(5), 0, 0), "empty, but the answer");
    assert_eq!(syncer.next_request(Height::new(5), NOTHING).map(|request| request.peer), Some(other));
    assert!(!syncer.on_response(other, Height::new(5), 7, 0), "more than asked for");
    assert_eq!(syncer.next_request(Height::new(5), NOTHING), None, "both claims are taken back");
}

#[test]
fn a_peer_that_leaves_takes_its_request_along() {
    let mut syncer = syncer(&[(A, 10), (B, 20)]);
    let request = syncer.next_request(Height::new(5), NOTHING).expect("both have it");
    syncer.on_disconnected(request.peer);
    assert!(!syncer.on_timeout(request.number));
    assert_eq!(syncer.next_request(Height::new(5), NOTHING).map(|request| request.peer), Some(B));
    syncer.on_claim(A, Height::new(30), 1);
    assert_eq!(syncer.highest_claim(), Height::new(20), "claims of strangers are not kept");
}

#[test]
fn the_number_of_peers_is_bounded() {
    let mut syncer = Syncer::default();
    for number in 0..10_000 {
        syncer.on_connected(Peer::new(number));
    }
    assert_eq!(syncer.peers.len(), PEERS_MAX);
}

/// Lets the peers answer as they do until `from` is reached; how often each was asked.
fn ask(syncer: &mut Syncer, mut from: u64, to: u64, backed: u64, faulty: Peer) -> BTreeMap<Peer, u32> {
    let mut asked = BTreeMap::new();
    while from <= to {
        let request = syncer.next_request(Height::new(from), Height::new(backed)).expect("somebody has it");
        let times: &mut u32 = asked.entry(request.peer).or_default();
        *times = times.saturating_add(1);
        // The faulty one drips: a block at a time.
        let count = if request.peer == faulty { 1 } else { request.count };
        assert!(syncer.on_response(request.peer, request.from, count.into(), 0));
        from = from.saturating_add(u64::from(count));
    }
    asked
}

#[test]
fn a_drip_is_passed_over_and_the_others_take_turns() {
    let mut syncer = syncer(&[(A, 10_000), (B, 10_000), (C, u64::MAX)]);
    let asked = ask(&mut syncer, 1, 10_000, 10_000, C);
    assert_eq!(asked[&C], 1, "{asked:?}");
    assert!(asked[&A].abs_diff(asked[&B]) <= 1, "{asked:?}");
}

#[test]
fn failures_outlive_a_connection() {
    let mut syncer = syncer(&[(A, 100), (B, 100)]);
    for _ in 0..5 {
        while let Some(request) = syncer.next_request(Height::new(1), Height::new(100)).filter(|r| r.peer == A) {
            assert!(syncer.on_timeout(request.number));
        }
        assert!(syncer.on_response(B, Height::new(1), 64, 0));
        syncer.on_disconnected(A);
        syncer.on_connected(A);
        syncer.on_claim(A, Height::new(100), 1);
    }
    let asked = ask(&mut syncer, 1, 100, 100, C);
    assert_eq!(asked.get(&A), None, "{asked:?}");
}

#[test]
fn a_claim_is_backed_by_more_than_the_faulty_weight() {
    let mut syncer = syncer(&[(A, u64::MAX), (B, 20), (C, 10)]);
    assert_eq!(syncer.backed_claim(0), Height::new(u64::MAX));
    assert_eq!(syncer.backed_claim(1), Height::new(20));
    assert_eq!(syncer.backed_claim(2), Height::new(10));
    assert_eq!(syncer.backed_claim(3), Height::new(0));
    // An observer has no weight, and who is gone claims nothing.
    syncer.on_claim(B, Height::new(30), 0);
    assert_eq!(syncer.backed_claim(1), Height::new(10));
    syncer.on_disconnected(A);
    assert_eq!(syncer.backed_claim(1), Height::new(0));
}

#[test]
fn a_liar_is_not_asked_for_its_inventions_for_ever() {
    let mut syncer = syncer(&[(A, u64::MAX), (B, 20), (C, 20)]);
    let mut asked = 0_u32;
    for _ in 0..100 {
        if let Some(request) = syncer.next_request(Height::new(21), Height::new(20)) {
            assert_eq!(request.peer, A);
            assert!(syncer.on_timeout(request.number));
            asked = asked.saturating_add(1);
        }
        syncer.on_claim(A, Height::new(u64::MAX), 1);
    }
    assert_eq!(asked, UNBACKED_FAILURES_MAX);
    assert_eq!(syncer.highest_claim(), Height::new(20));
}
