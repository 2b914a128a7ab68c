//! Proved answers built from a ledger, judged by the offline verifier: every record of every register, every batch in its
//! lists, every page of every download.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a failing helper fails its test")]

#[expect(dead_code, reason = "these tests use a part of what the state machine's tests share")]
#[path = "machine/support.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use sigeli_ledger::{
    memory::MemorySnapshot,
    prove::{
        ProveError, RegisterEntries, StatusEntries, accreditation_page, batch_page, entry as prove_entry,
        institution_answer, institution_proof, prefix_proof, state_proof,
    },
    state::keys::Register,
    store::Snapshot as _,
};
use sigeli_verifier::{
    decode::Decode as _,
    encode::Encode as _,
    ids::{BatchRoot, BatchSequence, Height, InstitutionId, PermissionId, RegisterRoot, StatusHandle, TimeMs},
    proof::{
        BatchRange, ConfirmedState, EntryProof, ProofError, RegisterDownload, RegisterEntry, RegisterPage, StatusName,
        WholeRegister, verify_block,
    },
    record::{BatchState, StatusRecord},
    register::{self, RegisterPrefix},
    transaction::{
        BatchAction, BatchAnchor, BatchStatusSet, Payload, PermissionGrant, StatusAction, StatusEntry, StatusReason,
    },
    trust::{Checkpoint, NetworkKind, TrustedLedger, TrustedSet},
};

use crate::support::*;

const BATCHES: u32 = 30;
const STATUSES: u32 = 1_500;
/// A second accreditation of the same programme.
const SECOND: PermissionId = PermissionId::new(4);

fn handle_of(number: u32) -> StatusHandle {
    let mut handle = [0x11; 32];
    handle[..4].copy_from_slice(&number.to_le_bytes());
    StatusHandle::new(handle)
}

fn revocations(numbers: std::ops::Range<u32>, number: u32, action: StatusAction) -> Vec<StatusEntry> {
    let entry = |handle| StatusEntry {
        handle: handle_of(handle),
        entry: number,
        action,
        reason: StatusReason::IssuedInError,
        successor: [0; 32],
    };
    numbers.map(entry).collect()
}

/// A ledger with batches under two accreditations, some of them judged, and enough statuses for several pages.
fn world() -> World {
    let quotas = sigeli_verifier::record::Policy { batches_per_day: 1_000, statuses_per_day: 100_000, ..policy() };
    let mut world = World::founded(quotas);
    world.commit(vec![world.nceqe(4, Payload::InstitutionRegister(registration(InstitutionId::new(8))))]);
    let second = PermissionGrant { decision: decision(5), ..accreditation() };
    world.commit(vec![world.nceqe(5, Payload::PermissionGrant(second))]);
    let numbers = 1..=u8::try_from(BATCHES).unwrap();
    let anchors = numbers.map(|number| {
        let accreditation = if number.is_multiple_of(3) { SECOND } else { PermissionId::new(3) };
        world.anchor(BatchAnchor { accreditation, ..batch(number) })
    });
    world.commit(anchors.collect());
    for start in (0..STATUSES).step_by(500) {
        let transaction = world.statuses(revocations(start..start + 500, 1, StatusAction::Suspend));
        world.commit(vec![transaction]);
    }
    world.commit(vec![world.statuses(revocations(0..100, 2, StatusAction::Revoke))]);
    world
}

fn trusted(world: &World) -> TrustedLedger {
    let genesis = world.chain.genesis();
    let head = world.chain.head();
    TrustedLedger {
        genesis: genesis.genesis_hash(),
        kind: NetworkKind::Test,
        name_ka: genesis.document().name_ka.clone(),
        name_en: genesis.document().name_en.clone(),
        checkpoint: Checkpoint { height: head.header.height, time: head.header.time, id: head.id },
        sets: vec![TrustedSet {
            first_height: Height::new(0),
            last_height: Height::new(u64::MAX),
            first_time: TimeMs::new(0),
            last_time: TimeMs::new(u64::MAX),
            set: world.chain.validators().clone(),
        }],
    }
}

fn confirmed(world: &World) -> ConfirmedState {
    state_proof(&world.chain.snapshot()).unwrap().verify(&trusted(world)).unwrap()
}

/// Every register, with the root that a confirmed state or institution gives it.
fn registers(world: &World) -> Vec<(Register, RegisterRoot)> {
    let (state, snapshot) = (confirmed(world), world.chain.snapshot());
    let mut registers = vec![
        (Register::Institutions, state.roots().institutions),
        (Register::Batches, state.roots().batches),
        (Register::Governance, state.roots().governance),
    ];
    for id in [GTU, InstitutionId::new(8)] {
        let proof = institution_proof(&snapshot, id).unwrap();
        let institution = proof.verify(&state, id).unwrap();
        registers.push((Register::Keys(id), institution.registers().keys));
        registers.push((Register::Permissions(id), institution.registers().permissions));
        registers.push((Register::Statuses(id), institution.registers().statuses));
    }
    registers
}

fn pages(mut next: impl FnMut() -> Option<RegisterPage>) -> Vec<RegisterPage> {
    std::iter::from_fn(&mut next).collect()
}

fn all_pages(snapshot: &MemorySnapshot, register: Register) -> Vec<RegisterPage> {
    let mut entries = RegisterEntries::new(snapshot, register);
    pages(|| entries.next_page().unwrap())
}

fn status_pages(snapshot: &MemorySnapshot, prefix: RegisterPrefix) -> Vec<RegisterPage> {
    let mut entries = StatusEntries::new(snapshot, GTU, prefix);
    pages(|| entries.next_page().unwrap())
}

fn entries(pages: &[RegisterPage]) -> Vec<RegisterEntry> {
    let read_back = |page: &RegisterPage| RegisterPage::from_bytes(&page.to_bytes()).unwrap().into_entries();
    pages.iter().flat_map(read_back).collect()
}

#[test]
fn every_register_is_downloaded_as_a_whole() {
    let world = world();
    let snapshot = world.chain.snapshot();
    let mut kinds = BTreeSet::new();
    for (register, root) in registers(&world) {
        let pages = all_pages(&snapshot, register);
        assert!(pages.iter().all(|page| !page.is_empty()), "no page is empty");
        let entries = entries(&pages);
        let finish = |entries: &[RegisterEntry]| {
            let mut whole = WholeRegister::new();
            entries.iter().try_for_each(|entry| whole.push(&entry.name, &entry.value))?;
            whole.finish(&root)
        };
        assert_eq!(finish(&entries), Ok(entries.len()), "{register:?}");
        if let [_, others @ ..] = entries.as_slice() {
            assert!(finish(others).is_err());
        }
        if matches!(register, Register::Statuses(GTU)) {
            assert_eq!(entries.len(), 3_100, "heads and history");
            assert!(pages.len() > 3 && pages.iter().all(|page| page.entries().len() <= 1_024));
        }
        if matches!(register, Register::Permissions(GTU)) {
            kinds.extend(entries.iter().map(|entry| entry.name[0]));
        }
    }
    assert_eq!(kinds, BTreeSet::from([1, 2, 3, 4, 5]), "permissions of every kind");
}

#[test]
fn every_entry_is_proved_by_its_name() {
    let world = world();
    let snapshot = world.chain.snapshot();
    for (register, root) in registers(&world) {
        for (number, entry) in entries(&all_pages(&snapshot, register)).into_iter().enumerate() {
            if number % 7 != 0 && number > 200 {
                continue;
            }
            let proof = prove_entry(&snapshot, register, &entry.name).unwrap();
            assert_eq!(proof.verify(&root, &entry.key()), Ok(Some(&entry.value[..])), "{register:?} {entry:?}");
            let absent_name = [&entry.name[..], &[0]].concat();
            let absent = prove_entry(&snapshot, register, &absent_name).unwrap();
            assert!(matches!(absent, EntryProof::Absent(_)));
            assert_eq!(absent.verify(&root, &register::key(&absent_name)), Ok(None));
        }
        let absent = prove_entry(&snapshot, register, b"").unwrap();
        assert_eq!(absent.verify(&root, &register::key(b"")), Ok(None));
    }
    // A name of the right form with nothing under it.
    let (register, root) = registers(&world)[5];
    assert_eq!(register, Register::Statuses(GTU));
    let name = StatusName::Head(handle_of(STATUSES)).to_bytes();
    let absent = prove_entry(&snapshot, register, &name).unwrap();
    assert_eq!(absent.verify_record::<StatusRecord>(&root, &register::key(&name)), Ok(None));
    let name = StatusName::Head(handle_of(0)).to_bytes();
    let present = prove_entry(&snapshot, register, &name).unwrap();
    let record = present.verify_record::<StatusRecord>(&root, &register::key(&name)).unwrap().unwrap();
    assert_eq!(record.entries, 2);
}

#[test]
fn institutions_are_proved_and_their_absence_too() {
    let world = world();
    let (snapshot, state) = (world.chain.snapshot(), confirmed(&world));
    let answer = institution_answer(&snapshot, GTU).unwrap();
    let institution = answer.verify(&state, GTU).unwrap().unwrap();
    assert_eq!((institution.facts().batches, institution.facts().permissions), (BATCHES, 4));
    for number in (9..60).chain([0, 1, u32::MAX]) {
        let id = InstitutionId::new(number);
        assert_eq!(institution_answer(&snapshot, id).unwrap().verify(&state, id), Ok(None));
        assert_eq!(institution_proof(&snapshot, id), Err(ProveError::UnknownInstitution { institution: id }));
    }
}

fn range(first: u32, last: u32) -> BatchRange {
    BatchRange::new(BatchSequence::new(first), BatchSequence::new(last)).unwrap()
}

#[test]
fn batches_are_listed_by_institution_and_by_accreditation() {
    let world = world();
    let (snapshot, state) = (world.chain.snapshot(), confirmed(&world));
    let proof = institution_proof(&snapshot, GTU).unwrap();
    let gtu = proof.verify(&state, GTU).unwrap();
    let anchored: Vec<_> = (1..=u8::try_from(BATCHES).unwrap()).map(|number| BatchRoot::new([number; 32])).collect();

    let mut listed = vec![];
    for first in (1..=BATCHES).step_by(7) {
        let page = batch_page(&snapshot, GTU, range(first, first + 6)).unwrap();
        let proved = page.verify(&gtu, range(first, first + 6)).unwrap();
        assert_eq!(proved.total, BATCHES);
        listed.extend(proved.batches.iter().map(|item| item.root));
        assert!(page.verify(&gtu, range(first + 1, first + 7)).is_err());
    }
    assert_eq!(listed, anchored);
    assert!(batch_page(&snapshot, GTU, range(31, 31)).unwrap().verify(&gtu, range(31, 31)).unwrap().batches.is_empty());

    for (accreditation, of_second) in [(SECOND, true), (PermissionId::new(3), false)] {
        let expected: Vec<_> =
            anchored.iter().filter(|root| root.as_bytes()[0].is_multiple_of(3) == of_second).copied().collect();
        let page = accreditation_page(&snapshot, GTU, accreditation, range(1, 256)).unwrap();
        let proved = page.verify(&gtu, accreditation, range(1, 256)).unwrap();
        assert_eq!(proved.batches.iter().map(|item| item.root).collect::<Vec<_>>(), expected);
        let part = accreditation_page(&snapshot, GTU, accreditation, range(3, 5)).unwrap();
        let proved = part.verify(&gtu, accreditation, range(3, 5)).unwrap();
        assert_eq!(proved.batches.iter().map(|item| item.root).collect::<Vec<_>>(), expected[2..5]);
    }
    for other in [PermissionId::new(1), PermissionId::new(99)] {
        let none = accreditation_page(&snapshot, GTU, other, range(1, 256)).unwrap();
        assert_eq!(none.verify(&gtu, other, range(1, 256)).unwrap().total, 0);
    }
    let unknown = ProveError::UnknownInstitution { institution: InstitutionId::new(9) };
    assert_eq!(batch_page(&snapshot, InstitutionId::new(9), range(1, 2)), Err(unknown.clone()));
    assert_eq!(accreditation_page(&snapshot, InstitutionId::new(9), SECOND, range(1, 2)), Err(unknown));
}

#[test]
fn a_judged_batch_is_listed_as_it_stands() {
    let mut world = world();
    let root = BatchRoot::new([4; 32]);
    let set = BatchStatusSet {
        entry: 1,
        institution: GTU,
        root,
        action: BatchAction::Revoke,
        reason: StatusReason::IssuedInError,
        decision: sigeli_verifier::ids::DecisionRef::NONE,
    };
    world.commit(vec![world.by_institution(Payload::BatchStatusSet(set))]);
    let (snapshot, state) = (world.chain.snapshot(), confirmed(&world));
    let proof = institution_proof(&snapshot, GTU).unwrap();
    let gtu = proof.verify(&state, GTU).unwrap();
    let page = batch_page(&snapshot, GTU, range(4, 4)).unwrap();
    let proved = page.verify(&gtu, range(4, 4)).unwrap();
    assert_eq!(proved.batches[0].record.status.state(), Some(BatchState::Revoked));
    let entries = entries(&all_pages(&snapshot, Register::Batches));
    assert_eq!(entries.len(), 31, "thirty batches and one change");
}

fn download(world: &World, prefix: RegisterPrefix, entries: &[RegisterEntry]) -> Result<u64, ProofError> {
    let (snapshot, state) = (world.chain.snapshot(), confirmed(world));
    let institution = institution_proof(&snapshot, GTU).unwrap();
    let root = institution.verify(&state, GTU).unwrap().registers().statuses;
    let mut download = RegisterDownload::new(prefix);
    entries.iter().try_for_each(|entry| download.push(&entry.name, &entry.value))?;
    download.finish(&root, &prefix_proof(&snapshot, GTU, &prefix).unwrap())
}

#[test]
fn statuses_are_downloaded_by_prefix() {
    let world = world();
    let snapshot = world.chain.snapshot();
    let everything: BTreeMap<_, _> =
        entries(&all_pages(&snapshot, Register::Statuses(GTU))).into_iter().map(|entry| (entry.key(), entry)).collect();
    let (mut none, mut one, mut many) = (0, 0, 0);
    for length in [0, 1, 3, 8, 11, 12, 16] {
        let mut prefixes: BTreeSet<_> =
            everything.keys().step_by(37).map(|key| RegisterPrefix::of(key, length).unwrap()).collect();
        let next: Vec<_> = prefixes.iter().filter_map(RegisterPrefix::next).collect();
        prefixes.extend(next);
        for prefix in prefixes {
            let pages = status_pages(&snapshot, prefix);
            let found = entries(&pages);
            let expected: Vec<_> =
                everything.iter().filter(|(key, _)| prefix.contains(key)).map(|(_, entry)| entry.clone()).collect();
            assert_eq!(found, expected, "in order of key: {prefix:?}");
            assert_eq!(download(&world, prefix, &found), Ok(found.len() as u64), "{prefix:?}");
            if let [_, others @ ..] = found.as_slice() {
                assert!(download(&world, prefix, others).is_err());
            }
            match found.len() {
                0 => none += 1,
                1 => one += 1,
                _ => many += 1,
            }
            assert!(pages.iter().all(|page| page.entries().len() <= 1_024));
        }
    }
    assert!(none > 10 && one > 10 && many > 10, "{none}, {one}, {many}");
    let all = entries(&status_pages(&snapshot, RegisterPrefix::ALL));
    assert_eq!(all.len(), everything.len());
    assert!(all.iter().all(|entry| StatusName::from_bytes(&entry.name).is_ok()));
}

#[test]
fn an_institution_without_statuses_has_none_under_any_prefix() {
    let world = World::founded(policy());
    for length in [0, 5, 16] {
        let prefix = RegisterPrefix::new(0, length).unwrap();
        assert_eq!(status_pages(&world.chain.snapshot(), prefix), vec![]);
        assert_eq!(download(&world, prefix, &[]), Ok(0));
    }
}

#[test]
fn an_answer_of_another_height_is_refused() {
    let mut world = world();
    let before = world.chain.snapshot();
    let old_state = state_proof(&before).unwrap();
    let old = institution_proof(&before, GTU).unwrap();
    let old_trust = trusted(&world);
    world.commit(vec![world.statuses(vec![entry(1, StatusAction::Revoke, StatusReason::IssuedInError)])]);
    let (state, new) = (confirmed(&world), institution_proof(&world.chain.snapshot(), GTU).unwrap());
    assert!(matches!(old.verify(&state, GTU), Err(ProofError::OtherRoot { .. })));
    let earlier = old_state.verify(&old_trust).unwrap();
    assert!(matches!(new.verify(&earlier, GTU), Err(ProofError::OtherRoot { .. })));
    assert!(old.verify(&earlier, GTU).is_ok() && new.verify(&state, GTU).is_ok());
    assert_eq!(earlier.check_height(state.height()), Err(ProofError::Stale { height: earlier.height() }));
    // The roots of one height under the header of another.
    let mixed = sigeli_verifier::proof::StateProof { roots: *state.roots(), ..old_state };
    assert!(matches!(mixed.verify(&old_trust), Err(ProofError::NotConfirmed(_))));
}

#[test]
fn every_block_is_proved_with_its_transactions() {
    let world = world();
    let (ledger, snapshot) = (trusted(&world), world.chain.snapshot());
    for height in 1..=world.chain.head().header.height.get() {
        let (block, certificate) = snapshot.block(Height::new(height)).unwrap().unwrap();
        let confirmed = verify_block(&ledger, &block, &certificate).unwrap();
        assert_eq!(confirmed.confirmed_by(), 4);
        let mut less = block.clone();
        less.transactions.pop();
        assert_eq!(verify_block(&ledger, &less, &certificate).err(), Some(ProofError::OtherTransactions));
    }
}

#[test]
fn genesis_alone_proves_nothing() {
    let world = World::new(policy());
    assert_eq!(state_proof(&world.chain.snapshot()), Err(ProveError::NothingCommitted));
}
