//! A state of the register: institutions, keys, permissions, batches, statuses, governance.

use std::collections::BTreeMap;

use sigeli::keys::SecretKey;
use sigeli_verifier::{
    batch::BatchHeight,
    bounded::{List, Text},
    encode::Encode as _,
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, BatchSequence, DecisionRef, EctsTenths, Height, InstitutionId,
        KeyIndex, PermissionId, ProfileHash, StatusHandle,
    },
    proof::{EntryProof, InstitutionAnswer, InstitutionProof},
    record::{
        AuthorityRecord, BatchChange, BatchRecord, BatchState, BatchStatus, GovernanceRecord, InstitutionEntry,
        InstitutionFacts, InstitutionState, Judged, KeyChange, KeyEntry, KeyRecord, KeyState, PermissionEntry,
        PermissionRecord, PermissionStanding, PermissionStandings, PermissionState, Policy, ProgrammeRecord,
        StatusRecord, StatusState, Writer, permission_content, status_entry_name, status_name,
    },
    state::{InstitutionRegisters, StateRoots},
    transaction::{
        AuthorityKind, DecisionReason, HashAlgorithm, InstitutionKind, KeyPurposes, PermissionScope, StatusReason,
    },
};

use super::{GTU, MINISTRY, NCEQE, UG, accreditation, anchor, day, name, order, time, tree::Tree, window};

/// An institution and its own registers.
#[derive(Debug, Clone)]
pub(crate) struct Institution {
    pub(crate) facts: InstitutionFacts,
    pub(crate) keys: Tree,
    pub(crate) permissions: Tree,
    pub(crate) statuses: Tree,
    pub(crate) batches: Vec<(BatchRoot, BatchRecord)>,
}

/// The register.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) institutions: BTreeMap<InstitutionId, Institution>,
    pub(crate) governance: Tree,
}

fn numbered(kind: u8, number: u32) -> Vec<u8> {
    [&[kind][..], &number.to_le_bytes()].concat()
}

/// A change of a permission: when it was written, where it puts it, from which day.
pub(crate) type Change = (&'static str, PermissionState, &'static str);

impl Institution {
    fn new(name_ka: &str, name_en: &str) -> Self {
        let facts = InstitutionFacts {
            kind: InstitutionKind::University,
            jurisdiction: *b"GEO",
            legal_id: Text::new("211349192").unwrap(),
            name_ka: name(name_ka),
            name_en: name(name_en),
            state: InstitutionState::Active,
            registered: Height::new(1),
            keys: 0,
            permissions: 0,
            programmes: 0,
            batches: 0,
            entries: 1,
            compromised: List::empty(),
        };
        let (keys, permissions, statuses) = (Tree::default(), Tree::default(), Tree::default());
        Self { facts, keys, permissions, statuses, batches: Vec::new() }
    }

    pub(crate) fn registers(&self) -> InstitutionRegisters {
        InstitutionRegisters {
            keys: self.keys.root(),
            permissions: self.permissions.root(),
            statuses: self.statuses.root(),
        }
    }

    fn key(&mut self, purposes: KeyPurposes) {
        let index = self.facts.keys;
        self.facts.keys += 1;
        let record = KeyRecord {
            purposes,
            key: SecretKey::from_seed(&[40 + u8::try_from(index).unwrap(); 32]).public(),
            window: window("2026-01-01", "2028-12-31"),
            added: Height::new(1),
            state: KeyState::Active,
            entries: 1,
        };
        let entry = KeyEntry {
            change: KeyChange::Added,
            writer: Writer::Authority { authority: NCEQE, decision: DecisionRef::new([1; 32]) },
            height: Height::new(1),
            time: time("2026-08-01T12:00:00+04:00"),
        };
        self.keys.set([&[1][..], &index.to_le_bytes()].concat(), record.to_bytes());
        self.keys.set([&[2][..], &index.to_le_bytes(), &1_u32.to_le_bytes()].concat(), entry.to_bytes());
    }

    pub(crate) fn permission(
        &mut self,
        scope: PermissionScope,
        days: (&str, &str),
        changes: &[Change],
    ) -> PermissionId {
        self.facts.permissions += 1;
        let number = self.facts.permissions;
        let authority = if matches!(scope, PermissionScope::PilotOrder { .. }) { MINISTRY } else { NCEQE };
        let decision = DecisionRef::new([u8::try_from(number).unwrap(); 32]);
        let window = window(days.0, days.1);
        let first = PermissionEntry {
            state: PermissionState::Active,
            effective: window.first(),
            reason: DecisionReason::Granted,
            decision,
            authority,
            height: Height::new(2),
            time: time("2026-08-15T12:00:00+04:00"),
        };
        let more = (3..).zip(changes).map(|(height, (written, state, effective))| PermissionEntry {
            state: *state,
            effective: day(effective),
            reason: DecisionReason::MonitoringFailed,
            decision: DecisionRef::new([99; 32]),
            authority,
            height: Height::new(height),
            time: time(&format!("{written}T12:00:00+04:00")),
        });
        let history: Vec<_> = std::iter::once(first).chain(more).collect();
        let granted = PermissionStandings::granted(window.first(), DecisionReason::Granted);
        let standing = history[1..].iter().fold(granted, |known, entry| {
            let PermissionEntry { effective, state, reason, time, .. } = *entry;
            known
                .changed(PermissionStanding { effective, state, reason }, sigeli_verifier::time::Day::of(time))
                .unwrap()
        });
        let record = PermissionRecord {
            authority,
            decision,
            window,
            conditional: false,
            scope: scope.clone(),
            granted: first.height,
            predecessor: PermissionId::new(0),
            standing,
            entries: u32::try_from(history.len()).unwrap(),
        };
        self.permissions.set(numbered(1, number), record.to_bytes());
        let content = permission_content(authority, &decision, &scope);
        self.permissions.set([&[2][..], content.as_bytes()].concat(), number.to_le_bytes().to_vec());
        for (position, entry) in (1_u32..).zip(&history) {
            let name = [numbered(3, number), position.to_le_bytes().to_vec()].concat();
            self.permissions.set(name, entry.to_bytes());
        }
        PermissionId::new(number)
    }

    fn programme(&mut self, number: u32) {
        self.facts.programmes = number;
        let record = ProgrammeRecord {
            title_ka: accreditation(&["06"]).title_ka,
            title_en: accreditation(&["06"]).title_en,
            partners: List::empty(),
            registered: Height::new(2),
            key: KeyIndex::new(0),
        };
        self.permissions.set(numbered(4, number), record.to_bytes());
    }

    fn batch(&mut self, accreditation: PermissionId) {
        self.facts.batches += 1;
        let sequence = self.facts.batches;
        let within = self.batches.iter().filter(|(_, record)| record.accreditation == accreditation).count();
        let within = u32::try_from(within).unwrap() + 1;
        let mut root = [7; 32];
        root[..4].copy_from_slice(&sequence.to_le_bytes());
        let facts = anchor(0, accreditation.get());
        let change = BatchChange {
            state: BatchState::Revoked,
            reason: StatusReason::IssuedInError,
            height: Height::new(9),
            time: time("2026-11-21T12:00:00+04:00"),
            writer: Writer::Institution { key: KeyIndex::new(0) },
            entries: 1,
            restores: 0,
        };
        let record = BatchRecord {
            sequence: BatchSequence::new(sequence),
            accreditation_sequence: BatchSequence::new(within),
            height: facts.height,
            hash_algorithm: HashAlgorithm::Blake3,
            anchored: Height::new(8),
            anchored_time: time("2026-11-20T12:00:00+04:00"),
            key: KeyIndex::new(0),
            accreditation,
            level: facts.level,
            field: facts.field,
            ects: facts.ects,
            issued: facts.issued,
            credential_type: facts.credential_type,
            judged: Judged {
                accreditation_window: window("2026-09-01", "2027-08-31"),
                ects_max: EctsTenths::new(50),
                authorisation: PermissionId::new(1),
                authorisation_window: window("2024-01-01", "2029-12-31"),
                order: PermissionId::new(2),
            },
            status: if sequence == 2 { BatchStatus::Changed(change) } else { BatchStatus::Valid },
        };
        self.batches.push((BatchRoot::new(root), record));
        self.permissions.set(numbered(5, accreditation.get()), within.to_le_bytes().to_vec());
    }

    /// A batch with this root and a tree of this height, under the accreditation 3.
    pub(crate) fn anchored(&mut self, root: BatchRoot, height: BatchHeight) {
        self.batch(PermissionId::new(3));
        let last = self.batches.last_mut().unwrap();
        last.0 = root;
        last.1.height = height;
        last.1.anchored = Height::new(1);
    }

    pub(crate) fn status(&mut self, handle: StatusHandle, state: StatusState) {
        let record = StatusRecord {
            state,
            reason: StatusReason::AwardWithdrawn,
            height: Height::new(9),
            time: time("2026-11-22T12:00:00+04:00"),
            writer: Writer::Institution { key: KeyIndex::new(1) },
            entries: 1,
            restores: 0,
        };
        self.statuses.set(status_name(&handle), record.to_bytes());
        self.statuses.set(status_entry_name(&handle, 1), record.to_bytes());
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        ects_max: [EctsTenths::new(150); 8],
        ects_min: [EctsTenths::new(10); 8],
        ects_recognised_max: EctsTenths::new(300),
        batch_height_min: 4,
        clock_tolerance_ms: 0,
        pilot_order_required: true,
        batches_per_day: 100,
        statuses_per_day: 1_000,
        changes_per_day: 256,
        approvals_min: 3,
    }
}

fn authority(number: u8, kind: AuthorityKind) -> AuthorityRecord {
    let key = |seed: u8| SecretKey::from_seed(&[seed; 32]).public();
    AuthorityRecord {
        kind,
        name_ka: name("უწყება"),
        name_en: name(&format!("Authority {number}")),
        keys: List::new(vec![key(60 + number)]).unwrap(),
        threshold: 1,
        log_keys: List::empty(),
        sequence: AuthoritySequence::new(5),
    }
}

impl State {
    /// Two institutions; the first with everything, the second with nothing.
    pub(crate) fn new() -> Self {
        let mut gtu = Institution::new("საქართველოს ტექნიკური უნივერსიტეტი", "Georgian Technical University");
        gtu.key(KeyPurposes::ALL);
        gtu.key(KeyPurposes::STATUS);
        gtu.programme(4);
        gtu.permission(PermissionScope::Authorisation, ("2024-01-01", "2029-12-31"), &[]);
        gtu.permission(order(&["06", "0714"], &[6, 7]), ("2026-09-01", "2027-08-31"), &[]);
        let suspended = ("2026-09-10", PermissionState::Suspended, "2026-09-15");
        let reinstated = ("2026-10-01", PermissionState::Active, "2026-10-01");
        let accredited = PermissionScope::Accreditation(accreditation(&["0613"]));
        let third = gtu.permission(accredited, ("2026-09-01", "2027-08-31"), &[suspended, reinstated]);
        let withdrawn = ("2026-11-20", PermissionState::Withdrawn, "2026-11-10");
        let mut wider = accreditation(&["06"]);
        wider.title_en = name("Networks");
        let wider = PermissionScope::Accreditation(wider);
        let fourth = gtu.permission(wider, ("2026-09-01", "2027-08-31"), &[withdrawn]);
        for number in 0..300 {
            gtu.batch(if number % 3 == 0 { fourth } else { third });
        }
        for number in 0..40 {
            let state = if number % 2 == 0 { StatusState::Revoked } else { StatusState::Suspended };
            gtu.status(StatusHandle::new([number; 32]), state);
        }
        let ug = Institution::new("საქართველოს უნივერსიტეტი", "University of Georgia");

        let mut governance = Tree::default();
        let kinds = [AuthorityKind::Ministry, AuthorityKind::Nceqe, AuthorityKind::Emis, AuthorityKind::Operator];
        for (number, kind) in (1..).zip(kinds) {
            governance.set(vec![1, number], authority(number, kind).to_bytes());
        }
        governance.set(vec![2], policy().to_bytes());
        governance.set(vec![3], vec![0; 100]);
        let usage: Vec<u8> =
            [day("2026-11-24").to_bytes(), 7_u32.to_bytes(), 3_u32.to_bytes(), 1_u32.to_bytes()].concat();
        governance.set([&[5][..], &GTU.to_bytes()].concat(), usage);
        let authorities = (1..=4).map(AuthorityId::new).collect();
        governance.set(vec![7], GovernanceRecord::first(List::new(authorities).unwrap()).to_bytes());
        Self { institutions: BTreeMap::from([(GTU, gtu), (UG, ug)]), governance }
    }

    pub(crate) fn institutions_tree(&self) -> Tree {
        let mut tree = Tree::default();
        for (number, institution) in &self.institutions {
            tree.set(number.to_bytes(), institution.facts.value(&institution.registers().root()));
            let facts = &institution.facts;
            let entry = InstitutionEntry {
                kind: facts.kind,
                jurisdiction: facts.jurisdiction,
                legal_id: facts.legal_id.clone(),
                name_ka: facts.name_ka.clone(),
                name_en: facts.name_en.clone(),
                profile: ProfileHash::new([2; 32]),
                state: facts.state,
                writer: Writer::Authority { authority: NCEQE, decision: DecisionRef::new([1; 32]) },
                height: facts.registered,
                time: time("2026-08-01T12:00:00+04:00"),
            };
            tree.set([number.to_bytes(), 1_u32.to_bytes()].concat(), entry.to_bytes());
        }
        tree
    }

    pub(crate) fn batches_tree(&self) -> Tree {
        let mut tree = Tree::default();
        for (number, institution) in &self.institutions {
            for (root, record) in &institution.batches {
                tree.set([number.to_bytes(), root.to_bytes()].concat(), record.to_bytes());
            }
        }
        tree
    }

    pub(crate) fn roots(&self) -> StateRoots {
        StateRoots {
            institutions: self.institutions_tree().root(),
            batches: self.batches_tree().root(),
            governance: self.governance.root(),
        }
    }

    pub(crate) fn institution(&self, number: InstitutionId) -> InstitutionAnswer {
        let tree = self.institutions_tree();
        match self.institutions.get(&number) {
            Some(institution) => InstitutionAnswer::Present(InstitutionProof {
                facts: institution.facts.clone(),
                registers: institution.registers(),
                path: tree.path(&number.to_bytes()),
            }),
            None => match tree.prove(&number.to_bytes()) {
                EntryProof::Absent(absence) => InstitutionAnswer::Absent(absence),
                EntryProof::Present(_) => unreachable!("no institution has this number"),
            },
        }
    }
}
