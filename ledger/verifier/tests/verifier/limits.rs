//! Every limit that this crate enforces, at the limit and one beyond.

use sigeli_verifier::{
    batch::{BatchHeight, BatchPath, BatchTree},
    block::{Block, transactions_root},
    bounded::{List, Text},
    bundle::{Bundle, ReceiptPart, StampPart},
    certificate::{CommitCertificate, CommitSignature},
    codes::{Field, FieldPrefix, KeyPurposes, Level, StatusAction, StatusReason},
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{
        AuthorityId, GenesisHash, Height, InstitutionId, KeyIndex, Leaf, LeafIndex, Round, Signature, StatusHandle,
        TimeMs, VotingPower,
    },
    params::*,
    record::{AuthorityRecord, CompromisedKeys, GovernanceRecord, InstitutionFacts, ProgrammeRecord},
    register::RegisterPath,
    time::{Day, Window},
    transaction::{
        FieldPrefixes, InstitutionKey, Name, Payload, Sender, SignedTransaction, StatusEntry, StatusSet, Transaction,
        TransactionSignature,
    },
    trust::{Trust, TrustedLedger},
    validators::{Validator, ValidatorSet, ValidatorSetError},
};

use crate::common::{draw::Draw, textbook, world::World};

fn limit<T: Decode>(bytes: &[u8]) -> Option<(&'static str, usize)> {
    match T::from_bytes(bytes) {
        Err(DecodeError::LimitExceeded { field, limit }) => Some((field, limit)),
        _ => None,
    }
}

/// A list as encoded: a count, then as many copies of an item.
fn copies(count: usize, item: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(count).unwrap().to_le_bytes().to_vec();
    for _ in 0..count {
        bytes.extend_from_slice(item);
    }
    bytes
}

#[test]
fn batch_heights_are_4_to_20() {
    assert_eq!((BATCH_HEIGHT_MIN, BATCH_HEIGHT_MAX, BATCH_LEAVES_MAX), (4, 20, 1_048_576));
    for height in 0..=u8::MAX {
        let allowed = (4..=20).contains(&height);
        assert_eq!(BatchHeight::new(height).is_some(), allowed);
        assert_eq!(BatchHeight::from_bytes(&[height]).is_ok(), allowed);
        let siblings = vec![[1; 32]; height.into()];
        assert_eq!(BatchPath::new(LeafIndex::new(0), siblings.clone()).is_some(), allowed);
        let encoded = [&[height][..], &[0; 4], &siblings.concat()].concat();
        assert_eq!(BatchPath::from_bytes(&encoded).is_ok(), allowed, "{height}");
    }
    let height = |count| BatchHeight::for_credentials(count).map(BatchHeight::get);
    assert_eq!(
        [height(0), height(16), height(17), height(32), height(33)],
        [Some(4), Some(4), Some(5), Some(5), Some(6)]
    );
    assert_eq!((height(1 << 20), height((1 << 20) + 1), height(u32::MAX)), (Some(20), None, None));
    assert!(BatchTree::new(&[Leaf::new([0; 32]); 8]).is_none());
    assert!(BatchTree::new(&[Leaf::new([0; 32]); 16]).is_some());
}

#[test]
fn leaf_indexes_lie_inside_their_tree() {
    for height in [4_u8, 20] {
        let siblings = vec![[1; 32]; height.into()];
        for (index, allowed) in [((1_u32 << height) - 1, true), (1 << height, false), (u32::MAX, false)] {
            let position = LeafIndex::new(index);
            assert_eq!(BatchPath::new(position, siblings.clone()).is_some(), allowed);
            let encoded = [&[height][..], &index.to_le_bytes(), &siblings.concat()].concat();
            let error = DecodeError::NonCanonical { field: "leaf_index" };
            assert_eq!(BatchPath::from_bytes(&encoded).err(), (!allowed).then_some(error));
        }
    }
}

fn entry(action: StatusAction) -> StatusEntry {
    StatusEntry {
        handle: StatusHandle::new([1; 32]),
        entry: 1,
        action,
        reason: StatusReason::Unspecified,
        successor: if action == StatusAction::Supersede { [2; 32] } else { [0; 32] },
    }
}

fn status_transaction(entries: Vec<StatusEntry>) -> Transaction {
    Transaction {
        genesis: GenesisHash::new([1; 32]),
        valid_until: TimeMs::new(1),
        sender: Sender::Institution { institution: InstitutionId::new(1) },
        payload: Payload::StatusSet(StatusSet { entries: List::new(entries).unwrap() }),
    }
}

fn signatures(count: u16) -> Vec<TransactionSignature> {
    (0..count).map(|key| TransactionSignature { key: KeyIndex::new(key), signature: Signature::new([0; 64]) }).collect()
}

#[test]
fn a_transaction_sets_at_most_1024_statuses() {
    let revoke = entry(StatusAction::Revoke);
    let full = SignedTransaction::new(status_transaction(vec![revoke; 1_024]), signatures(1)).unwrap();
    assert_eq!(SignedTransaction::from_bytes(&full.to_bytes()).as_ref(), Ok(&full));
    assert_eq!(STATUSES_PER_TRANSACTION_MAX, 1_024);
    assert!(List::<_, STATUSES_PER_TRANSACTION_MAX>::new(vec![revoke; 1_025]).is_err());
    let encoded = copies(1_025, &revoke.to_bytes());
    assert_eq!(limit::<List<StatusEntry, STATUSES_PER_TRANSACTION_MAX>>(&encoded), Some(("list", 1_024)));
}

#[test]
fn an_order_and_an_annulment_name_at_most_1024_credentials_or_batches() {
    let head = [vec![0; 4], vec![0; 32]].concat();
    let order = |count| [vec![49], head.clone(), copies(count, &entry(StatusAction::Revoke).to_bytes())].concat();
    let annulment = |kind, count| [vec![kind], head.clone(), copies(count, &[7; 36])].concat();
    for payload in [order(1_024), annulment(34, 1_024), annulment(50, 1_024)] {
        let payload = Payload::from_bytes(&payload).unwrap();
        let body = Transaction { payload, ..status_transaction(vec![]) };
        assert!(SignedTransaction::new(body, signatures(1)).is_some());
    }
    assert_eq!(limit::<Payload>(&order(1_025)), Some(("list", 1_024)));
    assert_eq!(limit::<Payload>(&annulment(34, 1_025)), Some(("list", 1_024)));
    assert_eq!(limit::<Payload>(&annulment(50, 1_025)), Some(("list", 1_024)));
}

/// A transaction of exactly this encoded size. Entries of 38 and 70 bytes make every second size, signatures of 67 the
/// others.
pub(crate) fn status_transaction_of(size: usize) -> (Transaction, Vec<TransactionSignature>) {
    let empty = status_transaction(vec![]);
    for signed in 1..=16 {
        for replaced in 0..=1_000 {
            let fixed = empty.to_bytes().len() + 2 + usize::from(signed) * 67 + replaced * 70;
            let Some(rest) = size.checked_sub(fixed) else { break };
            if rest % 38 == 0 && rest / 38 + replaced <= 1_024 {
                let mut entries = vec![entry(StatusAction::Supersede); replaced];
                entries.resize(replaced + rest / 38, entry(StatusAction::Revoke));
                return (status_transaction(entries), signatures(signed));
            }
        }
    }
    panic!("no transaction of {size} bytes")
}

#[test]
fn a_signed_transaction_takes_at_most_64_kib() {
    let (body, signed) = status_transaction_of(TRANSACTION_BYTES_MAX);
    let full = SignedTransaction::new(body, signed).unwrap();
    assert_eq!(full.to_bytes().len(), 65_536);
    assert_eq!(SignedTransaction::from_bytes(&full.to_bytes()).as_ref(), Ok(&full));

    let (body, signed) = status_transaction_of(TRANSACTION_BYTES_MAX + 1);
    let mut encoded = body.to_bytes();
    encoded.extend(copies(signed.len(), &[]));
    signed.iter().for_each(|signature| signature.encode(&mut encoded));
    assert_eq!(encoded.len(), 65_537);
    assert_eq!(limit::<SignedTransaction>(&encoded), Some(("transaction", 65_536)));
    // What could not be decoded cannot be built.
    assert_eq!(SignedTransaction::new(body, signed), None);
}

#[test]
fn a_transaction_bears_1_to_512_signatures_of_different_keys() {
    let body = || status_transaction(vec![entry(StatusAction::Revoke)]);
    assert!(SignedTransaction::new(body(), signatures(0)).is_none());
    assert_eq!(SIGNATURES_PER_TRANSACTION_MAX, 512);
    assert!(SignedTransaction::new(body(), signatures(512)).is_some());
    assert!(SignedTransaction::new(body(), signatures(513)).is_none());
    assert!(SignedTransaction::new(body(), vec![signatures(1)[0]; 2]).is_none());

    let encoded = |entries: &[u16]| {
        let mut bytes = body().to_bytes();
        bytes.extend(copies(entries.len(), &[]));
        for key in entries {
            bytes.extend_from_slice(&key.to_le_bytes());
            bytes.push(1);
            bytes.extend_from_slice(&[0; 64]);
        }
        bytes
    };
    let most: Vec<u16> = (0..512).map(|key| key * 100).collect();
    assert!(SignedTransaction::from_bytes(&encoded(&most)).is_ok());
    let more: Vec<u16> = (0..513).map(|key| key * 100).collect();
    assert_eq!(limit::<SignedTransaction>(&encoded(&more)), Some(("signatures", 512)));
    for disordered in [&[][..], &[1, 0], &[1, 1]] {
        let error = DecodeError::NonCanonical { field: "signatures" };
        assert_eq!(SignedTransaction::from_bytes(&encoded(disordered)), Err(error));
    }
}

#[test]
fn a_block_holds_at_most_10_000_transactions() {
    let one = SignedTransaction::new(status_transaction(vec![entry(StatusAction::Revoke)]), signatures(1)).unwrap();
    let header = Draw::new(1).header();
    let with = |count| [header.to_bytes(), copies(count, &one.to_bytes())].concat();
    let full = Block::from_bytes(&with(10_000)).unwrap();
    assert_eq!(full.transactions.len(), TRANSACTIONS_PER_BLOCK_MAX);
    assert_eq!(limit::<Block>(&with(10_001)), Some(("transactions", 10_000)));
}

#[test]
fn a_block_takes_at_most_4_mib() {
    let header = Draw::new(1).header();
    let head = header.to_bytes().len() + 2;
    // As many of the largest transactions as fit, and one that fills the block to the byte.
    let large = TRANSACTION_BYTES_MAX;
    let count = (BLOCK_BYTES_MAX - head) / large;
    let block = |size: usize| {
        let rest = size - head - count * large;
        let mut transactions = vec![status_transaction_of(large); count];
        transactions.push(status_transaction_of(rest));
        let transactions: Vec<_> =
            transactions.into_iter().map(|(body, signed)| SignedTransaction::new(body, signed).unwrap()).collect();
        let mut header = header;
        header.transactions_root = transactions_root(&transactions);
        let block = Block { header, transactions };
        assert_eq!(block.to_bytes().len(), size);
        block
    };
    let full = block(BLOCK_BYTES_MAX);
    let decoded = Block::from_bytes(&full.to_bytes()).unwrap();
    assert!(decoded.has_own_transactions());
    assert_eq!(decoded, full);
    assert_eq!(limit::<Block>(&block(BLOCK_BYTES_MAX + 1).to_bytes()), Some(("block", 4_194_304)));
}

fn validator(number: u64, authority: u8, power: u64) -> Validator {
    Validator { key: Draw::new(number).key(), authority: AuthorityId::new(authority), power: VotingPower::new(power) }
}

#[test]
fn a_validator_set_has_1_to_100_validators() {
    let of = |count: u64| (0..count).map(|number| validator(number, number as u8, 1)).collect::<Vec<_>>();
    assert_eq!(ValidatorSet::new(of(0)), Err(ValidatorSetError::Count { count: 0 }));
    let full = ValidatorSet::new(of(100)).unwrap();
    assert_eq!(ValidatorSet::from_bytes(&full.to_bytes()).as_ref(), Ok(&full));
    assert_eq!(ValidatorSet::new(of(101)), Err(ValidatorSetError::Count { count: 101 }));
    let mut sorted = of(101);
    sorted.sort_by_key(|validator| validator.key);
    let encoded = [copies(101, &[]), sorted.iter().flat_map(Validator::to_bytes).collect()].concat();
    assert_eq!(limit::<ValidatorSet>(&encoded), Some(("validators", 100)));
}

#[test]
fn validator_sets_are_ordered_distinct_and_weighted() {
    let error = Err(DecodeError::NonCanonical { field: "validators" });
    let set = ValidatorSet::new((0..4).map(|number| validator(number, number as u8, 1)).collect()).unwrap();
    let encode = |validators: &[Validator]| {
        [copies(validators.len(), &[]), validators.iter().flat_map(Validator::to_bytes).collect()].concat()
    };
    let mut swapped = set.validators().to_vec();
    swapped.swap(1, 2);
    assert_eq!(ValidatorSet::from_bytes(&encode(&swapped)), error);
    assert_eq!(ValidatorSet::from_bytes(&encode(&[])), error);
    let twice = vec![validator(0, 0, 1), validator(0, 1, 1)];
    assert_eq!(ValidatorSet::new(twice), Err(ValidatorSetError::DuplicateKey));
    assert_eq!(ValidatorSet::new(vec![validator(0, 0, 0)]), Err(ValidatorSetError::Power));
    let quarter = u64::MAX / 4;
    assert!(ValidatorSet::new(vec![validator(0, 0, quarter)]).is_ok());
    assert_eq!(ValidatorSet::new(vec![validator(0, 0, quarter + 1)]), Err(ValidatorSetError::Power));
    assert_eq!(ValidatorSet::new(vec![validator(0, 0, quarter), validator(1, 1, 1)]), Err(ValidatorSetError::Power));
}

#[test]
fn a_quorum_is_more_than_two_thirds_and_no_authority_holds_more_than_may_fail() {
    for (count, faulty, quorum) in
        [(1, 0, 1), (2, 0, 2), (3, 0, 3), (4, 1, 3), (5, 1, 4), (6, 1, 5), (7, 2, 5), (100, 33, 67)]
    {
        let set = ValidatorSet::new((0..count).map(|number| validator(number, number as u8, 1)).collect()).unwrap();
        assert_eq!((set.total_power(), set.faulty_power_max()), (count, faulty));
        assert!(set.is_quorum(quorum) && !set.is_quorum(quorum - 1));
        // Two quorums share more than may fail; what may fail leaves a quorum.
        assert!(2 * quorum - count > faulty && count - faulty >= quorum);
    }
    // Authority 0 runs two of seven (f = 2), then three.
    let run = |held: u64| {
        ValidatorSet::new(
            (0..7).map(|number| validator(number, if number < held { 0 } else { number as u8 }, 1)).collect(),
        )
    };
    assert!(run(2).is_ok());
    let refused = ValidatorSetError::AuthorityTooPowerful { authority: AuthorityId::new(0), power: 3, total: 7 };
    assert_eq!(run(3), Err(refused));
    // Sets of fewer than four: one equal validator each, nothing more.
    assert!(ValidatorSet::new(vec![validator(0, 0, 5), validator(1, 1, 5)]).is_ok());
    assert!(ValidatorSet::new(vec![validator(0, 0, 1), validator(1, 0, 1)]).is_err());
    assert!(ValidatorSet::new(vec![validator(0, 0, 1), validator(1, 1, 2)]).is_err());
}

#[test]
fn a_certificate_bears_at_most_100_signatures_in_order() {
    let of = |positions: &[u8]| -> Vec<CommitSignature> {
        positions
            .iter()
            .map(|position| CommitSignature { validator: *position, signature: Signature::new([0; 64]) })
            .collect()
    };
    let round = Round::new(0);
    let hundred: Vec<u8> = (0..100).collect();
    let full = CommitCertificate::new(round, of(&hundred)).unwrap();
    assert_eq!(CommitCertificate::from_bytes(&full.to_bytes()).as_ref(), Ok(&full));
    let more: Vec<u8> = (0..101).collect();
    assert!(CommitCertificate::new(round, of(&more)).is_none());
    assert!(CommitCertificate::new(round, of(&[1, 1])).is_none());
    let encode = |positions: &[u8]| {
        [vec![0; 4], copies(positions.len(), &[]), of(positions).iter().flat_map(CommitSignature::to_bytes).collect()]
            .concat()
    };
    assert_eq!(limit::<CommitCertificate>(&encode(&more)), Some(("commit_signatures", 100)));
    for disordered in [[1, 0], [1, 1]] {
        let error = DecodeError::NonCanonical { field: "commit_signatures" };
        assert_eq!(CommitCertificate::from_bytes(&encode(&disordered)), Err(error));
    }
}

fn check_text<const MAX: usize>() {
    let at_limit = Text::<MAX>::new(&"x".repeat(MAX)).unwrap();
    assert_eq!(Text::<MAX>::from_bytes(&at_limit.to_bytes()).as_ref(), Ok(&at_limit));
    assert!(Text::<MAX>::new(&"x".repeat(MAX + 1)).is_err());
    assert_eq!(limit::<Text<MAX>>(&copies(MAX + 1, b"x")), Some(("text", MAX)));
}

#[test]
fn names_take_at_most_192_bytes_and_legal_ids_32() {
    check_text::<192>();
    check_text::<32>();
    assert_eq!((NAME_BYTES_MAX, LEGAL_ID_BYTES_MAX), (192, 32));
    // Georgian letters take three bytes: 64 fit.
    assert!(Name::new(&"ქ".repeat(64)).is_ok() && Name::new(&"ქ".repeat(65)).is_err());
}

fn check_list<T: Decode + Encode + PartialEq + std::fmt::Debug, const MAX: usize>(item: &T) {
    let at_limit = copies(MAX, &item.to_bytes());
    assert_eq!(List::<T, MAX>::from_bytes(&at_limit).unwrap().to_bytes(), at_limit);
    assert_eq!(limit::<List<T, MAX>>(&copies(MAX + 1, &item.to_bytes())), Some(("list", MAX)));
}

fn range(first: u16, last: u16, from: u64) -> CompromisedKeys {
    CompromisedKeys { first: KeyIndex::new(first), last: KeyIndex::new(last), from: Height::new(from) }
}

#[test]
fn lists_of_keys_fields_and_compromised_keys_are_bounded() {
    assert_eq!((INSTITUTION_KEYS_MAX, FIELDS_PER_PERMISSION_MAX, COMPROMISED_RANGES_MAX), (16, 64, 16));
    let window = Window::new(Day::new(0), Day::new(1)).unwrap();
    let key = Draw::new(0).key();
    check_list::<_, INSTITUTION_KEYS_MAX>(&InstitutionKey { purposes: KeyPurposes::ALL, key, window });
    check_list::<_, AUTHORITY_KEYS_MAX>(&key);
    check_list::<_, PARTNERS_MAX>(&InstitutionId::new(7));
    check_list::<_, AUTHORITIES_MAX>(&AuthorityId::new(7));
    check_list::<_, COMPROMISED_RANGES_MAX>(&range(1, 1, 1));
    check_list::<_, FIELDS_PER_PERMISSION_MAX>(&FieldPrefix::parse("06").unwrap());
    let prefixes = FieldPrefixes::new(vec![FieldPrefix::parse("06").unwrap(); 64]).unwrap();
    assert_eq!(FieldPrefixes::from_bytes(&prefixes.to_bytes()), Ok(prefixes));

    let mut facts = Draw::new(2).institution_facts();
    let mut compromise = |ranges: &[(u16, u16, u64)]| {
        let ranges = ranges.iter().map(|(first, last, from)| range(*first, *last, *from)).collect();
        facts.compromised = List::new(ranges).unwrap();
        InstitutionFacts::from_bytes(&facts.to_bytes()).map(|_| ())
    };
    let sixteen: Vec<_> = (0..16).map(|key| (2 * key, 2 * key, 1)).collect();
    assert!(compromise(&sixteen).is_ok());
    assert!(compromise(&[(0, u16::MAX, 1)]).is_ok());
    // Neighbours that differ in height, and the same height where a key lies between.
    assert!(compromise(&[(0, 3, 1), (4, 4, 2), (5, 9, 1), (11, 11, 1)]).is_ok());
    for wrong in [
        &[(1, 0, 1)][..],
        &[(1, 1, 1), (0, 0, 1)],
        &[(1, 1, 1), (1, 1, 2)],
        &[(1, 3, 1), (3, 4, 2)],
        &[(1, 5, 1), (2, 3, 2)],
        &[(1, 2, 1), (3, 4, 1)],
        &[(5, 5, 1), (9, 8, 1)],
    ] {
        assert_eq!(compromise(wrong), Err(DecodeError::NonCanonical { field: "compromised" }), "{wrong:?}");
    }
}

/// An encoding with a list of `count` items in it: what stands before the list, the list, what stands behind it.
fn with_list(before: &[u8], count: usize, item: &[u8], behind: &[u8]) -> Vec<u8> {
    [before.to_vec(), copies(count, item), behind.to_vec()].concat()
}

/// The list at this place takes `most` items and no more.
fn check_place<T: Decode>(most: usize, before: &[u8], item: &[u8], behind: &[u8]) {
    let error = T::from_bytes(&with_list(before, most, item, behind)).err();
    assert_eq!(error, None);
    assert_eq!(limit::<T>(&with_list(before, most + 1, item, behind)), Some(("list", most)));
}

#[test]
fn every_bounded_list_of_a_payload_or_record_has_its_own_limit() {
    assert_eq!((AUTHORITIES_MAX, AUTHORITY_KEYS_MAX, PARTNERS_MAX, INSTITUTION_KEYS_MAX), (32, 16, 16, 16));
    let key = Draw::new(0).key().to_bytes();
    let institution_key = [&[7][..], &key, &[0; 8]].concat();
    let no_text = [0; 2];
    // Institution register: id, kind, jurisdiction, legal id, two names, profile, decision; keys.
    let register = [&[1, 1, 0, 0, 0, 1][..], b"GEO", &[0; 6], &[0; 64]].concat();
    check_place::<Payload>(16, &register, &institution_key, &[]);
    // Keys add: institution, decision; keys.
    check_place::<Payload>(16, &[&[5][..], &[0; 36]].concat(), &institution_key, &[]);
    // Programme register: number, two titles; partners. Programme record: two titles; partners; height, key.
    check_place::<Payload>(16, &[&[8, 1, 0, 0, 0][..], &[0; 4]].concat(), &[7, 0, 0, 0], &[]);
    check_place::<ProgrammeRecord>(16, &[0; 4], &[7, 0, 0, 0], &[0; 10]);
    // Permission grant: institution, decision, window, conditional, order; field prefixes; levels.
    let grant = [&[16][..], &[0; 45], &[2]].concat();
    check_place::<Payload>(64, &grant, &[2, 6, 0], &[1]);
    // Accreditation: coordinator, programme, titles, agent, level; field prefixes; credits, type, modes, review.
    let accreditation = [&[16][..], &[0; 45], &[3], &[0; 8], &[0; 6], &[6]].concat();
    check_place::<Payload>(64, &accreditation, &[2, 6, 0], &[1, 0, 1, 1, 0, 0, 0, 0]);
    // Authority keys set: decision; keys; threshold, log keys. And the log keys.
    let own = [&[64][..], &[0; 32]].concat();
    check_place::<Payload>(16, &own, &key, &[1, 0, 0]);
    check_place::<Payload>(16, &[&own[..], &[0, 0, 1]].concat(), &key, &[]);
    // Authority set: decision, number, kind, names; keys; threshold, log keys. Authority record: the same, and a sequence.
    let set = [&[65][..], &[0; 32], &[1, 1], &no_text, &no_text].concat();
    check_place::<Payload>(16, &set, &key, &[1, 0, 0]);
    check_place::<Payload>(16, &[&set[..], &[0, 0, 1]].concat(), &key, &[]);
    check_place::<AuthorityRecord>(16, &[1, 0, 0, 0, 0], &key, &[&[1, 0, 0][..], &[0; 8]].concat());
    check_place::<AuthorityRecord>(16, &[1, 0, 0, 0, 0, 0, 0, 1], &key, &[0; 8]);
    // Governance record: authorities; sequence, two versions, height.
    check_place::<GovernanceRecord>(32, &[], &[1], &[0; 20]);
}

#[test]
fn register_paths_have_at_most_256_siblings_and_no_zero_among_them() {
    let deepest = RegisterPath::new(vec![Some([1; 32]); 256]).unwrap();
    assert_eq!(RegisterPath::from_bytes(&deepest.to_bytes()).as_ref(), Ok(&deepest));
    assert!(RegisterPath::new(vec![None; 257]).is_none());
    let deeper = [&257_u16.to_le_bytes()[..], &[0; 33]].concat();
    assert_eq!(limit::<RegisterPath>(&deeper), Some(("register_depth", 256)));
    let zero = [&1_u16.to_le_bytes()[..], &[1], &[0; 32]].concat();
    assert_eq!(RegisterPath::from_bytes(&zero), Err(DecodeError::NonCanonical { field: "register_sibling" }));
    let stray = [&1_u16.to_le_bytes()[..], &[2]].concat();
    assert_eq!(RegisterPath::from_bytes(&stray), Err(DecodeError::NonCanonical { field: "register_bitmap" }));
}

fn trusted_ledgers(count: usize) -> Vec<TrustedLedger> {
    let template = World::new().trust.ledgers()[0].clone();
    (0..count)
        .map(|number| TrustedLedger { genesis: GenesisHash::new([number as u8; 32]), ..template.clone() })
        .collect()
}

fn encode_trust(ledgers: &[TrustedLedger]) -> Vec<u8> {
    let content = [
        b"SIGELIT\x01".to_vec(),
        copies(ledgers.len(), &[]),
        ledgers.iter().flat_map(TrustedLedger::to_bytes).collect(),
    ]
    .concat();
    let checksum = textbook::context("trust file", &content);
    [content, checksum.to_vec()].concat()
}

#[test]
fn a_trust_file_lists_1_to_16_ledgers_once_and_in_order() {
    let full = Trust::new(trusted_ledgers(16)).unwrap();
    assert_eq!(Trust::from_bytes(&full.to_bytes()).as_ref(), Ok(&full));
    assert!(Trust::new(trusted_ledgers(17)).is_none() && Trust::new(vec![]).is_none());
    assert_eq!(limit::<Trust>(&encode_trust(&trusted_ledgers(17))), Some(("ledgers", 16)));
    let error = DecodeError::NonCanonical { field: "ledgers" };
    let mut swapped = trusted_ledgers(2);
    swapped.swap(0, 1);
    let twice = vec![trusted_ledgers(1)[0].clone(); 2];
    assert!(Trust::new(twice.clone()).is_none());
    for disordered in [swapped, twice, vec![]] {
        assert_eq!(Trust::from_bytes(&encode_trust(&disordered)), Err(error));
    }
}

#[test]
fn a_trusted_ledger_lists_1_to_1024_sets_without_overlap() {
    let template = &trusted_ledgers(1)[0];
    let with = |count: u64, length: u64, step: u64| {
        let one = ValidatorSet::new(vec![validator(0, 0, 1)]).unwrap();
        let sets = (0..count).map(|number| sigeli_verifier::trust::TrustedSet {
            first_height: Height::new(number * step),
            last_height: Height::new(number * step + length - 1),
            set: one.clone(),
            ..template.sets[0].clone()
        });
        encode_trust(&[TrustedLedger { sets: sets.collect(), ..template.clone() }])
    };
    let full = Trust::from_bytes(&with(1_024, 10, 10)).unwrap();
    let ledger = &full.ledgers()[0];
    let at = |height| ledger.set_at(Height::new(height)).map(|set| set.first_height.get());
    assert_eq!((at(0), at(9), at(10), at(10_239), at(10_240)), (Some(0), Some(0), Some(10), Some(10_230), None));
    assert_eq!(limit::<Trust>(&with(1_025, 10, 10)), Some(("trusted_sets", 1_024)));
    let error = Err(DecodeError::NonCanonical { field: "trusted_sets" });
    assert_eq!(Trust::from_bytes(&with(2, 11, 10)), error);
    assert_eq!(Trust::from_bytes(&with(0, 1, 1)), error);
    // Times and heights may not run backwards inside a range.
    let mut backwards = template.clone();
    backwards.sets[0].last_time = TimeMs::new(backwards.sets[0].first_time.get() - 1);
    let error = Err(DecodeError::NonCanonical { field: "trusted_range" });
    assert_eq!(Trust::from_bytes(&encode_trust(&[backwards])), error);
    let mut backwards = template.clone();
    backwards.sets[0].last_height = Height::new(0);
    assert_eq!(Trust::from_bytes(&encode_trust(&[backwards])), error);
}

#[test]
fn bundles_and_trust_files_are_bounded_before_they_are_read() {
    let bundle = World::new().bundle(0, true).to_bytes();
    let padded = |bytes: &[u8], size: usize| {
        let mut bytes = bytes.to_vec();
        bytes.resize(size, 0);
        bytes
    };
    let at_limit = Bundle::from_bytes(&padded(&bundle, BUNDLE_BYTES_MAX));
    assert_eq!(at_limit, Err(DecodeError::TrailingBytes { count: 65_536 - bundle.len() }));
    assert_eq!(limit::<Bundle>(&padded(&bundle, BUNDLE_BYTES_MAX + 1)), Some(("bundle", 65_536)));
    let (receipt, stamp) = World::new().bundle(0, true).split();
    let (receipt, stamp) = (receipt.to_bytes(), stamp.to_bytes());
    let at_limit = ReceiptPart::from_bytes(&padded(&receipt, BUNDLE_BYTES_MAX));
    assert_eq!(at_limit, Err(DecodeError::TrailingBytes { count: 65_536 - receipt.len() }));
    assert_eq!(limit::<ReceiptPart>(&padded(&receipt, BUNDLE_BYTES_MAX + 1)), Some(("bundle", 65_536)));
    let at_limit = StampPart::from_bytes(&padded(&stamp, BUNDLE_BYTES_MAX));
    assert_eq!(at_limit, Err(DecodeError::TrailingBytes { count: 65_536 - stamp.len() }));
    assert_eq!(limit::<StampPart>(&padded(&stamp, BUNDLE_BYTES_MAX + 1)), Some(("bundle", 65_536)));
    let trust = World::new().trust.to_bytes();
    let at_limit = Trust::from_bytes(&padded(&trust, TRUST_BYTES_MAX));
    assert_eq!(at_limit, Err(DecodeError::TrailingBytes { count: 1_048_576 - trust.len() }));
    assert_eq!(limit::<Trust>(&padded(&trust, TRUST_BYTES_MAX + 1)), Some(("trust_file", 1_048_576)));
}

#[test]
fn codes_outside_their_ranges_are_refused() {
    assert!((0..=255).all(|level| Level::new(level).is_some() == (1..=8).contains(&level)));
    assert!((0..=255).all(|bits| KeyPurposes::new(bits).is_some() == (1..=7).contains(&bits)));
    assert!(Field::new(9_999).is_some() && Field::new(10_000).is_none());
    assert!(Field::from_bytes(&10_000_u16.to_le_bytes()).is_err());
    for (digits, largest) in [(2, 99), (3, 999), (4, 9_999)] {
        assert!(FieldPrefix::new(digits, largest).is_some() && FieldPrefix::new(digits, largest + 1).is_none());
        let encoded = |value: u16| [&[digits][..], &value.to_le_bytes()].concat();
        assert!(FieldPrefix::from_bytes(&encoded(largest)).is_ok());
        assert!(FieldPrefix::from_bytes(&encoded(largest + 1)).is_err());
    }
    assert!(FieldPrefix::new(1, 1).is_none() && FieldPrefix::new(5, 1).is_none());
    let field = Field::new(613).unwrap();
    let covers = |text| FieldPrefix::parse(text).is_some_and(|prefix| prefix.covers(field));
    assert!(covers("06") && covers("061") && covers("0613"));
    assert!(!covers("61") && !covers("07") && !covers("0611") && !covers("613") && !covers("6") && !covers(""));
    assert_eq!((field.to_string(), FieldPrefix::parse("061").unwrap().to_string()), ("0613".into(), "061".into()));
}

#[test]
fn windows_do_not_end_before_they_begin() {
    let encoded = |first: i32, last: i32| [first.to_le_bytes(), last.to_le_bytes()].concat();
    let window = Window::new(Day::new(-1), Day::new(-1)).unwrap();
    assert_eq!(Window::from_bytes(&encoded(-1, -1)), Ok(window));
    assert_eq!(Window::from_bytes(&encoded(0, -1)), Err(DecodeError::NonCanonical { field: "window" }));
    assert_eq!(Window::new(Day::new(0), Day::new(-1)), None);
    assert!(window.contains(Day::new(-1)) && !window.contains(Day::new(-2)) && !window.contains(Day::new(0)));
}

#[test]
fn list_counts_cannot_reserve_more_than_the_input_holds() {
    // A count of 65,535 with nothing behind it ends at once.
    let mut reader = Reader::new(&[0xFF, 0xFF]);
    assert_eq!(reader.list::<TimeMs>("times", 65_535), Err(DecodeError::UnexpectedEnd { field: "TimeMs" }));
}
