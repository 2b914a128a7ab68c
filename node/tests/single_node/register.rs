//! A register written through the edge and read back through it: every answer is verified from a trust file, offline, and
//! refused once it is altered.

use std::collections::BTreeMap;

use sigeli_proto::v1::{self, ErrorCode};
use sigeli_verifier::{
    block::{Block, Header},
    bounded::List,
    certificate::CommitCertificate,
    decode::Decode,
    encode::Encode as _,
    ids::{AuthorityId, BatchSequence, DecisionRef, InstitutionId, PermissionId, TimeMs},
    proof::{
        AccreditationPage, BatchPage, BatchRange, EntryProof, InstitutionAnswer, PrefixProof, RegisterDownload,
        StateProof, WholeRegister, verify_block,
    },
    record::{
        AuthorityRecord, BatchChange, BatchRecord, BatchState, GovernanceRecord, InstitutionFacts, KeyRecord,
        PermissionEntry, PermissionRecord, PermissionState, Policy, batch_entry_key, batch_key, permission_entry_key,
        permission_key, standing_on, status_key, status_name,
    },
    register::{self, RegisterPrefix},
    time::Day,
    transaction::{
        BatchAction, BatchStatusSet, Payload, SignedTransaction, StatusAction, StatusEntry, StatusReason, StatusSet,
    },
};
use tonic::Code;

use crate::solo::{Home, today};
use crate::world::{
    BATCHES, GTU, HANDLES, World, assert_all_bytes_count, assert_refused, download, handle, institution_of, read, root,
};

#[tokio::test]
async fn institutions_authorities_and_permissions_are_proved() {
    let mut world = World::permitted().await;
    let client = &mut world.client.clone();

    let found = client.get_state_proof(v1::GetStateProofRequest {}).await.unwrap().into_inner();
    world.confirmed(Some(&found));
    assert_all_bytes_count(&found.state_proof, |bytes| {
        StateProof::from_bytes(bytes).is_ok_and(|proof| proof.verify(&world.ledger).is_ok())
    });

    let found = client.get_institution(v1::GetInstitutionRequest { institution: GTU }).await.unwrap().into_inner();
    let state = world.confirmed(found.state.as_ref());
    assert_all_bytes_count(&found.institution_proof, |bytes| {
        let answer = InstitutionAnswer::from_bytes(bytes);
        answer.is_ok_and(|answer| matches!(answer.verify(&state, InstitutionId::new(GTU)), Ok(Some(_))))
    });
    let answer = institution_of(&found.institution_proof);
    assert!(answer.verify(&state, InstitutionId::new(2)).is_err(), "it is another one's");
    let proved = answer.verify(&state, InstitutionId::new(GTU)).unwrap().unwrap();
    let shown = found.institution.unwrap();
    assert_eq!(InstitutionFacts::from_bytes(&shown.facts).as_ref(), Ok(proved.facts()));
    assert_eq!((shown.number, shown.permission_count, shown.programme_count), (GTU, 6, 1));

    let found = client.get_institution(v1::GetInstitutionRequest { institution: 99 }).await.unwrap().into_inner();
    let state = world.confirmed(found.state.as_ref());
    let answer = institution_of(&found.institution_proof);
    assert_eq!((answer.verify(&state, InstitutionId::new(99)), found.institution), (Ok(None), None));
    assert!(answer.verify(&state, InstitutionId::new(GTU)).is_err(), "that one is there");

    let found = client.get_authority(v1::GetAuthorityRequest { authority: 2 }).await.unwrap().into_inner();
    let state = world.confirmed(found.state.as_ref());
    let key = register::key(&[1, 2]);
    let proof = EntryProof::from_bytes(&found.entry_proof).unwrap();
    let proved: AuthorityRecord = proof.verify_record(&state.roots().governance, &key).unwrap().unwrap();
    assert_eq!(AuthorityRecord::from_bytes(&found.record).as_ref(), Ok(&proved));
    assert_eq!((found.sequence, found.name_en.as_str()), (world.sequence, "centre"));

    let found = client.get_governance(v1::GetGovernanceRequest {}).await.unwrap().into_inner();
    let governance = world.confirmed(found.state.as_ref()).roots().governance;
    let proof = EntryProof::from_bytes(&found.policy_proof).unwrap();
    let policy: Policy = proof.verify_record(&governance, &register::key(&[2])).unwrap().unwrap();
    assert_eq!(found.policy.unwrap().batches_per_day, policy.batches_per_day);
    let proof = EntryProof::from_bytes(&found.joint_proof).unwrap();
    let joint: GovernanceRecord = proof.verify_record(&governance, &register::key(&[7])).unwrap().unwrap();
    assert_eq!(joint.authorities.to_vec(), [AuthorityId::new(2)]);
    assert_eq!(found.authorities, [2]);

    world.permissions_are_proved_with_their_histories().await;
    world.lists_end_at_their_limits().await;
    world.running.signal("-TERM");
    assert_eq!(world.running.wait().await, Some(0), "nothing keeps the node from stopping");
}

impl World {
    async fn permissions_are_proved_with_their_histories(&mut self) {
        use PermissionState::{Active, Replaced, Restored, Suspended, Withdrawn};
        let by = PermissionId::new;
        let expected = [
            (1, vec![Active]),
            (2, vec![Active, Suspended, Active]),
            (3, vec![Active, Replaced { by: by(4) }]),
            (4, vec![Active]),
            (5, vec![Active, Withdrawn, Restored { by: by(6) }]),
            (6, vec![Active]),
            (7, vec![]),
            (0, vec![]),
        ];
        for (number, states) in expected {
            let request = v1::GetPermissionRequest { institution: GTU, permission: number };
            let found = self.client.get_permission(request).await.unwrap().into_inner();
            let state = self.confirmed(found.state.as_ref());
            let institution = institution_of(&found.institution_proof);
            let institution = institution.verify(&state, InstitutionId::new(GTU)).unwrap().unwrap();
            let root = institution.registers().permissions;
            let permission = PermissionId::new(number);
            let proof = EntryProof::from_bytes(&found.entry_proof).unwrap();
            let record: Option<PermissionRecord> = proof.verify_record(&root, &permission_key(permission)).unwrap();
            let shown = found.permission.as_ref().map(|shown| shown.record.clone());
            assert_eq!(shown, record.as_ref().map(PermissionRecord::to_bytes));
            assert_eq!(found.changes.len(), record.as_ref().map_or(0, |record| record.entries as usize));
            let mut history = Vec::new();
            for (entry, change) in (1..).zip(&found.changes) {
                let key = permission_entry_key(permission, entry);
                assert_all_bytes_count(&change.entry_proof, |bytes| {
                    let proof = EntryProof::from_bytes(bytes);
                    proof.is_ok_and(|proof| proof.verify_record::<PermissionEntry>(&root, &key).is_ok())
                });
                let proof = EntryProof::from_bytes(&change.entry_proof).unwrap();
                history.push(proof.verify_record::<PermissionEntry>(&root, &key).unwrap().unwrap());
                assert_eq!(change.number, entry);
            }
            assert_eq!(history.iter().map(|entry| entry.state).collect::<Vec<_>>(), states, "of {number}");
            if number == 2 {
                let on = |days| standing_on(&history, Day::new(today().get() + days)).unwrap().state;
                assert_eq!([on(-11), on(-10), on(-9)], [Active, Suspended, Active]);
            }
        }
        let request = v1::GetPermissionRequest { institution: 99, permission: 1 };
        assert_refused(self.client.get_permission(request).await, Code::NotFound, ErrorCode::InstitutionNotFound);
    }

    async fn lists_end_at_their_limits(&mut self) {
        let mut pages = Vec::new();
        let mut start = Some(0);
        while let Some(from) = start {
            let request = v1::ListInstitutionsRequest { start: from, limit: 2 };
            let page = self.client.list_institutions(request).await.unwrap().into_inner();
            pages.push(page.institutions.iter().map(|institution| institution.number).collect::<Vec<_>>());
            start = page.next;
        }
        assert_eq!(pages, [vec![1, 2], vec![3]]);
        let request = v1::ListInstitutionsRequest { start: 2, limit: 2 };
        let page = self.client.list_institutions(request).await.unwrap().into_inner();
        assert_eq!((page.institutions.len(), page.next), (2, None), "nothing follows a page that just holds the rest");

        let request = v1::ListProgrammesRequest { institution: GTU, start: 0, limit: 1 };
        let page = self.client.list_programmes(request).await.unwrap().into_inner();
        assert_eq!((page.programmes.len(), page.next), (1, None));
        assert_eq!(page.programmes[0].title_en, "Networks");
        let request = v1::ListPermissionsRequest { institution: GTU, start: 0, limit: 5 };
        let page = self.client.list_permissions(request).await.unwrap().into_inner();
        assert_eq!((page.permissions.len(), page.next), (5, Some(6)));
        let successor = |place: usize| page.permissions[place].standings.last().unwrap().successor;
        assert_eq!((successor(2), successor(4)), (4, 6));
    }

    /// One page of batches, verified; and its total and what follows.
    async fn page(&mut self, accreditation: Option<u32>, start: u32, limit: u32) -> (Vec<u32>, u32, Option<u32>) {
        let request = v1::ListBatchesRequest { institution: GTU, accreditation, start, limit };
        let found = self.client.list_batches(request).await.unwrap().into_inner();
        let state = self.confirmed(found.state.as_ref());
        let institution = institution_of(&found.institution_proof);
        let institution = institution.verify(&state, InstitutionId::new(GTU)).unwrap().unwrap();
        let last = start.max(1) + if limit == 0 { 255 } else { limit - 1 };
        let range = BatchRange::new(BatchSequence::new(start.max(1)), BatchSequence::new(last)).unwrap();
        let holds = |bytes: &[u8]| -> Option<u32> {
            let page = BatchPage::from_bytes(bytes).ok()?;
            let Some(accreditation) = accreditation else {
                return page.verify(&institution, range).ok().map(|proved| proved.total);
            };
            let page = AccreditationPage { tally: EntryProof::from_bytes(&found.tally_proof).ok()?, page };
            page.verify(&institution, PermissionId::new(accreditation), range).ok().map(|proved| proved.total)
        };
        assert_eq!(holds(&found.page), Some(found.total));
        assert_all_bytes_count(&found.page, |bytes| holds(bytes).is_some());
        let page = BatchPage::from_bytes(&found.page).unwrap();
        if let Some((_, rest)) = page.items().split_last() {
            let shorter = BatchPage::new(rest.to_vec()).unwrap();
            assert_eq!(holds(&shorter.to_bytes()), None, "one was left out");
        }
        let shown: Vec<_> = found.batches.iter().map(|batch| batch.record.clone()).collect();
        assert_eq!(shown, page.items().iter().map(|item| item.record.to_bytes()).collect::<Vec<_>>());
        let numbers = page.items().iter().map(|item| match accreditation {
            None => item.record.sequence.get(),
            Some(_) => item.record.accreditation_sequence.get(),
        });
        (numbers.collect(), found.total, found.next)
    }
}

#[tokio::test]
async fn batches_are_proved_page_by_page() {
    let mut world = World::anchored().await;
    let all = BATCHES + 1;
    assert_eq!(world.page(None, 0, 0).await, ((1..=256).collect(), all, Some(257)));
    assert_eq!(world.page(None, 257, 256).await, (vec![257, 258], all, None));
    assert_eq!(world.page(None, 257, 1).await, (vec![257], all, Some(258)));
    assert_eq!(world.page(None, 259, 1).await, (vec![], all, None));
    assert_eq!(world.page(Some(2), 1, 256).await, ((1..=256).collect(), BATCHES, Some(257)));
    assert_eq!(world.page(Some(2), 257, 1).await, (vec![257], BATCHES, None));
    assert_eq!(world.page(Some(4), 0, 0).await, (vec![1], 1, None));
    assert_eq!(world.page(Some(3), 0, 0).await, (vec![], 0, None), "nothing was issued under it");
    assert_eq!(world.page(Some(99), 0, 0).await, (vec![], 0, None), "there is none of this number");
    let request = v1::ListBatchesRequest { institution: 99, ..v1::ListBatchesRequest::default() };
    assert_refused(world.client.list_batches(request).await, Code::NotFound, ErrorCode::InstitutionNotFound);

    for (entry, action, reason) in [
        (1, BatchAction::Suspend, StatusReason::UnderReview),
        (2, BatchAction::Reinstate, StatusReason::ReviewEnded),
        (3, BatchAction::Suspend, StatusReason::UnderReview),
    ] {
        let institution = InstitutionId::new(GTU);
        let (decision, root) = (DecisionRef::NONE, root(100));
        let set = BatchStatusSet { institution, decision, root, entry, action, reason };
        let transaction = world.by_institution(Payload::BatchStatusSet(set));
        world.commit(transaction).await;
    }
    use BatchState::{Reinstated, Suspended};
    let cases = [
        (100, 0, 0, vec![Suspended, Reinstated, Suspended], None),
        (100, 2, 2, vec![Reinstated, Suspended], None),
        (100, 1, 2, vec![Suspended, Reinstated], Some(3)),
        (100, 4, 1, vec![], None),
        (1, 0, 0, vec![], None),
        (9_999, 0, 0, vec![], None),
    ];
    for (number, start, limit, states, next) in cases {
        let batch_root = root(number).get().to_vec();
        let request = v1::GetBatchRequest { institution: GTU, batch_root, start, limit };
        let found = world.client.get_batch(request).await.unwrap().into_inner();
        let batches = world.confirmed(found.state.as_ref()).roots().batches;
        let (institution, root) = (InstitutionId::new(GTU), root(number));
        let key = batch_key(institution, &root);
        assert_all_bytes_count(&found.entry_proof, |bytes| {
            let proof = EntryProof::from_bytes(bytes);
            proof.is_ok_and(|proof| proof.verify_record::<BatchRecord>(&batches, &key).is_ok())
        });
        let proof = EntryProof::from_bytes(&found.entry_proof).unwrap();
        let record: Option<BatchRecord> = proof.verify_record(&batches, &key).unwrap();
        assert_eq!(found.batch.map(|batch| batch.record), record.map(|record| record.to_bytes()));
        assert_eq!(record.is_some(), number != 9_999);
        let mut history = Vec::new();
        for (entry, change) in (start.max(1)..).zip(&found.changes) {
            let proof = EntryProof::from_bytes(&change.entry_proof).unwrap();
            let key = batch_entry_key(institution, &root, entry);
            let proved: BatchChange = proof.verify_record(&batches, &key).unwrap().unwrap();
            assert_eq!((change.number, proved.entries), (entry, entry));
            history.push(proved.state);
        }
        assert_eq!((history, found.next), (states, next), "of {number} from {start}");
    }
}

#[tokio::test]
async fn registers_and_statuses_are_proved_by_download() {
    let mut world = World::permitted().await;
    let entries = (0..HANDLES).map(|number| StatusEntry {
        entry: 1,
        handle: handle(number),
        action: StatusAction::Revoke,
        reason: StatusReason::IssuedInError,
        successor: [0; 32],
    });
    let set = StatusSet { entries: List::new(entries.collect()).unwrap() };
    let transaction = world.by_institution(Payload::StatusSet(set));
    world.commit(transaction).await;

    for kind in [
        v1::RegisterKind::Institutions,
        v1::RegisterKind::Governance,
        v1::RegisterKind::Keys,
        v1::RegisterKind::Permissions,
    ] {
        let of_one = matches!(kind, v1::RegisterKind::Keys | v1::RegisterKind::Permissions);
        let institution = if of_one { GTU } else { 0 };
        let request = v1::DownloadRegisterRequest { register: kind.into(), institution };
        let stream = world.client.download_register(request).await.unwrap().into_inner();
        let found = download(read(stream).await.unwrap());
        let state = world.confirmed(found.start.state.as_ref());
        assert_eq!((of_one, found.end.prefix_proof.len()), (!found.start.institution_proof.is_empty(), 0));
        let root = match kind {
            v1::RegisterKind::Institutions => state.roots().institutions,
            v1::RegisterKind::Governance => state.roots().governance,
            _ => {
                let answer = institution_of(&found.start.institution_proof);
                let proved = answer.verify(&state, InstitutionId::new(GTU)).unwrap().unwrap();
                let registers = proved.registers();
                if kind == v1::RegisterKind::Keys { registers.keys } else { registers.permissions }
            }
        };
        let whole = |entries: &[(Vec<u8>, Vec<u8>)]| {
            let mut register = WholeRegister::new();
            entries.iter().for_each(|(name, value)| register.push(name, value).unwrap());
            register.finish(&root)
        };
        assert_eq!(whole(&found.entries), Ok(found.entries.len()));
        for left_out in 0..found.entries.len() {
            let mut entries = found.entries.clone();
            entries.remove(left_out);
            assert!(whole(&entries).is_err(), "{kind:?} without entry {left_out}");
        }
        let entries: BTreeMap<_, _> = found.entries.into_iter().collect();
        match kind {
            v1::RegisterKind::Institutions => assert_eq!(entries.len(), 6, "three, each with one entry of history"),
            v1::RegisterKind::Governance => assert!(Policy::from_bytes(&entries[&vec![2]]).is_ok()),
            v1::RegisterKind::Keys => assert!(KeyRecord::from_bytes(&entries[&vec![1, 0, 0]]).is_ok()),
            _ => {
                let third = PermissionRecord::from_bytes(&entries[&vec![1, 3, 0, 0, 0]]).unwrap();
                assert_eq!(
                    third.standing.newest().unwrap().state,
                    PermissionState::Replaced { by: PermissionId::new(4) }
                );
            }
        }
    }
    world.statuses_are_proved_by_prefix().await;

    let not_there = v1::DownloadRegisterRequest { register: v1::RegisterKind::Keys.into(), institution: 99 };
    let stream = world.client.download_register(not_there).await.unwrap().into_inner();
    assert_refused(read(stream).await, Code::NotFound, ErrorCode::InstitutionNotFound);
    let not_there = v1::DownloadStatusesRequest { institution: 99, prefix_length: 0, prefix_bits: 0 };
    let stream = world.client.download_statuses(not_there).await.unwrap().into_inner();
    assert_refused(read(stream).await, Code::NotFound, ErrorCode::InstitutionNotFound);
}

impl World {
    /// How many statuses begin with a prefix; verified.
    async fn statuses(&mut self, institution: u32, prefix: RegisterPrefix) -> Vec<Vec<u8>> {
        let (prefix_length, prefix_bits) = (prefix.length().into(), prefix.bits().into());
        let request = v1::DownloadStatusesRequest { institution, prefix_length, prefix_bits };
        let stream = self.client.download_statuses(request).await.unwrap().into_inner();
        let found = download(read(stream).await.unwrap());
        let state = self.confirmed(found.start.state.as_ref());
        let answer = institution_of(&found.start.institution_proof);
        let proved = answer.verify(&state, InstitutionId::new(institution)).unwrap().unwrap();
        let root = proved.registers().statuses;
        let proof = PrefixProof::from_bytes(&found.end.prefix_proof).unwrap();
        let holds = |prefix, entries: &[(Vec<u8>, Vec<u8>)], proof: &PrefixProof| {
            let mut register = RegisterDownload::new(prefix);
            entries.iter().all(|(name, value)| register.push(name, value).is_ok())
                && register.finish(&root, proof).is_ok_and(|count| count == entries.len() as u64)
        };
        assert!(holds(prefix, &found.entries, &proof), "{prefix:?}");
        assert_all_bytes_count(&found.end.prefix_proof, |bytes| {
            PrefixProof::from_bytes(bytes).is_ok_and(|proof| holds(prefix, &found.entries, &proof))
        });
        if let Some((_, rest)) = found.entries.split_last() {
            assert!(!holds(prefix, rest, &proof), "one was left out of {prefix:?}");
        }
        found.entries.into_iter().map(|(name, _)| name).collect()
    }

    async fn statuses_are_proved_by_prefix(&mut self) {
        let all = self.statuses(GTU, RegisterPrefix::ALL).await;
        assert_eq!(all.len(), 2 * usize::from(HANDLES), "each has a head and one entry of history");
        let mut parts = Vec::new();
        let mut next = RegisterPrefix::new(0, 3);
        while let Some(prefix) = next {
            parts.extend(self.statuses(GTU, prefix).await);
            next = prefix.next();
        }
        assert_eq!(parts, all, "the parts are the whole, in the same order");
        let sought = status_key(&handle(17));
        for length in [1, 8, 15, 16] {
            let prefix = RegisterPrefix::of(&sought, length).unwrap();
            let found = self.statuses(GTU, prefix).await;
            assert!(found.contains(&status_name(&handle(17))), "{length} bits");
            assert!(found.iter().all(|name| prefix.contains(&register::key(name))));
        }
        // Among 65,536 prefixes and 600 entries, most are empty.
        let empty = (0..=u16::MAX).filter_map(|bits| RegisterPrefix::new(bits, 16));
        let empty = empty.filter(|prefix| !all.iter().any(|name| prefix.contains(&register::key(name)))).take(3);
        for prefix in empty.collect::<Vec<_>>() {
            assert_eq!(self.statuses(GTU, prefix).await.len(), 0);
        }
        assert_eq!(self.statuses(2, RegisterPrefix::ALL).await.len(), 0, "nothing was ever written");
    }

    /// Verifies blocks that came in one part each; genesis is signed by nobody.
    fn assert_confirmed(&self, parts: &[v1::BlockPart]) {
        for part in parts {
            assert!(part.last);
            let transactions = part.transactions.iter().map(|bytes| SignedTransaction::from_bytes(bytes).unwrap());
            let header = Header::from_bytes(&part.header).unwrap();
            let block = Block { header, transactions: transactions.collect() };
            let certificate = CommitCertificate::from_bytes(&part.certificate).unwrap();
            if part.height == 0 {
                assert!(certificate.signatures().is_empty());
                continue;
            }
            let confirmed = verify_block(&self.ledger, &block, &certificate).unwrap();
            assert_eq!(confirmed.block().header.height.get(), part.height);
            if !block.transactions.is_empty() {
                let without = Block { header: block.header, transactions: Vec::new() };
                assert!(verify_block(&self.ledger, &without, &certificate).is_err(), "transactions were left out");
            }
            let mut moved = block.clone();
            moved.header.time = TimeMs::new(moved.header.time.get() + 1);
            assert!(verify_block(&self.ledger, &moved, &certificate).is_err());
        }
    }
}

#[tokio::test]
async fn blocks_are_followed_through_a_restart() {
    let mut world = World::start().await;
    world.registered(1).await;
    world.registered(2).await;
    let request = |start_height, follow| v1::StreamBlocksRequest { start_height, follow };
    let stream = world.client.stream_blocks(request(0, false)).await.unwrap().into_inner();
    let found = read(stream).await.unwrap();
    assert!(found.len() >= 3);
    assert_eq!(found.iter().map(|part| part.height).collect::<Vec<_>>(), (0..found.len() as u64).collect::<Vec<_>>());
    world.assert_confirmed(&found);

    let next = found.len() as u64;
    let mut stream = world.client.stream_blocks(request(next, true)).await.unwrap().into_inner();
    world.registered(3).await;
    let part = stream.message().await.unwrap().unwrap();
    assert_eq!(part.height, next);
    world.assert_confirmed(&[part]);

    world.running.signal("-TERM");
    let end = loop {
        match stream.message().await {
            Ok(Some(part)) => world.assert_confirmed(&[part]),
            end => break end,
        }
    };
    assert_refused(end, Code::Unavailable, ErrorCode::NotReady);
    assert_eq!(world.running.wait().await, Some(0), "the stream does not hold the node up");

    world.running = world.home.start();
    world.client = world.home.client().await;
    let mut stream = world.client.stream_blocks(request(next, true)).await.unwrap().into_inner();
    world.registered(4).await;
    let mut height = next;
    loop {
        let part = stream.message().await.unwrap().unwrap();
        assert_eq!(part.height, height, "no gap");
        world.assert_confirmed(std::slice::from_ref(&part));
        height += 1;
        let bytes = part.transactions.iter().map(|bytes| SignedTransaction::from_bytes(bytes).unwrap());
        let registers = |transaction: SignedTransaction| match &transaction.body().payload {
            Payload::InstitutionRegister(register) => register.institution.get() == 4,
            _ => false,
        };
        if bytes.into_iter().any(registers) {
            break;
        }
    }
}

#[tokio::test]
async fn nothing_is_proved_before_a_quorum_has_signed() {
    let home = Home::new();
    std::fs::remove_file(home.path().join("sign-state")).unwrap();
    let _running = home.start();
    let mut client = home.client().await;
    let (status, code) = (Code::Unavailable, ErrorCode::NotReady);
    assert_refused(client.get_state_proof(v1::GetStateProofRequest {}).await, status, code);
    assert_refused(client.get_governance(v1::GetGovernanceRequest {}).await, status, code);
    assert_refused(client.get_institution(v1::GetInstitutionRequest { institution: 1 }).await, status, code);
    let request = v1::DownloadRegisterRequest { register: v1::RegisterKind::Governance.into(), institution: 0 };
    assert_refused(read(client.download_register(request).await.unwrap().into_inner()).await, status, code);
    // Authorities are asked for before the first transaction is signed.
    let found = client.get_authority(v1::GetAuthorityRequest { authority: 2 }).await.unwrap().into_inner();
    assert_eq!((found.sequence, found.state, found.entry_proof.len()), (0, None, 0));
}
