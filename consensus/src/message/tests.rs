use super::*;
use crate::{
    statement::{RoundCertificateKind, RoundVote},
    testing::{block, propose, validator, vote},
};
use sigeli_verifier::{certificate::CommitSignature, vote::VoteKind};

/// One of each, with every optional part once there and once not.
fn messages() -> Vec<Message> {
    let block = block(0, 5, 0);
    let prevote = vote(1, VoteKind::Prevote, 5, 0, Some(block.id()));
    let nil = vote(2, VoteKind::Precommit, 5, 1, None);
    let round_vote = |vote: SignedVote| RoundVote {
        kind: vote.vote.kind,
        block: vote.vote.block,
        validator: vote.vote.validator,
        signature: vote.signature,
    };
    let certificate = |kind| {
        let votes = vec![round_vote(prevote), round_vote(nil)];
        Message::RoundCertificate(RoundCertificate { height: Height::new(5), round: Round::new(0), kind, votes })
    };
    let signature = CommitSignature { validator: 1, signature: prevote.signature };
    let commit = CommitCertificate::new(Round::new(0), vec![signature]).expect("one signer");
    let fresh = propose(0, 0, None, block.clone());
    vec![
        Message::Vote(prevote),
        Message::Vote(nil),
        Message::Proposal(fresh.clone()),
        Message::Proposal(propose(1, 1, Some(0), block.clone())),
        Message::Polka(Polka {
            height: Height::new(5),
            round: Round::new(0),
            block: block.id(),
            signatures: vec![(validator(1), prevote.signature)],
        }),
        certificate(RoundCertificateKind::Skip),
        certificate(RoundCertificateKind::Precommit),
        Message::ProposalRequest { height: Height::new(5), round: Round::new(2) },
        Message::ReportRequest { validator: validator(3) },
        Message::Report { validator: validator(3), committed: Height::new(4), highest: None },
        Message::Report { validator: validator(1), committed: Height::new(4), highest: Some(prevote.to_statement()) },
        Message::Report { validator: validator(0), committed: Height::new(4), highest: Some(fresh.to_statement()) },
        Message::Status { committed: Height::new(4), started: false },
        Message::Status { committed: Height::new(4), started: true },
        Message::SyncRequest { from: Height::new(5), count: SYNC_BLOCKS_MAX },
        Message::SyncResponse { from: Height::new(5), blocks: Vec::new() },
        Message::SyncResponse {
            from: Height::new(5),
            blocks: vec![CommittedBlock { block: block.to_arc(), certificate: commit }],
        },
    ]
}

#[test]
fn what_is_sent_is_what_arrives() {
    for message in messages() {
        assert_eq!(Message::from_bytes(&message.to_bytes()).as_ref(), Ok(&message));
    }
}

#[test]
fn the_bytes_are_pinned() {
    let status = Message::Status { committed: Height::new(4), started: true };
    assert_eq!(status.to_bytes(), [1, 8, 4, 0, 0, 0, 0, 0, 0, 0, 1]);
    let request = Message::SyncRequest { from: Height::new(5), count: 64 };
    assert_eq!(request.to_bytes(), [1, 9, 5, 0, 0, 0, 0, 0, 0, 0, 64, 0]);
    // Golden bytes: a line per message, its bytes in hexadecimal. Changing one is a commit titled `format:`.
    let lines: String = messages().iter().map(|message| hexadecimal(&message.to_bytes()) + "\n").collect();
    assert_eq!(lines, include_str!("../../tests/vectors/messages.txt"));
    // Conformance: changing this hash is a commit titled `format:`.
    let mut hasher = blake3::Hasher::new();
    for message in messages() {
        let bytes = message.to_bytes();
        hasher.update(&u64::try_from(bytes.len()).expect("small").to_le_bytes()).update(&bytes);
    }
    assert_eq!(hasher.finalize().to_string(), "3a375ded0205c05642e35aa04e6819e3a54fac3604b8705301b565a875075b1f");
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn no_other_bytes_are_read() {
    for message in messages() {
        let bytes = message.to_bytes();
        for length in 0..bytes.len() {
            assert!(Message::from_bytes(&bytes[..length]).is_err(), "{message:?} cut to {length}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(Message::from_bytes(&longer).is_err());
        // One encoding per value: whatever else decodes encodes to itself, so no two byte strings mean the same.
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes.clone();
                other[position] ^= 1 << bit;
                if let Ok(read) = Message::from_bytes(&other) {
                    assert_eq!(read.to_bytes(), other, "{message:?} at {position}");
                }
            }
        }
    }
    for junk in [
        &[][..],
        &[0, 1],
        &[2, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[1, 0],
        &[1, 11],
        &[1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 65, 0],
    ] {
        assert!(Message::from_bytes(junk).is_err(), "{junk:?}");
    }
}
