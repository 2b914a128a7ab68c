//! What the model holds: plain maps and lists, nothing summed up and nothing cached, and the roots by the textbook.
//!
//! Values are encoded by the verifier's types, which `docs/protocol.md` fixes; names of register entries are written out
//! here. Nothing of the code under test is called.

use std::collections::{BTreeMap, BTreeSet};

use sigeli_ledger::genesis::Genesis;
use sigeli_verifier::{
    bounded::{List, Text},
    decode::Decode as _,
    encode::Encode as _,
    ids::{
        AuthoritySequence, GenesisHash, Height, KeyIndex, PermissionId, RegisterKey, RegisterRoot, StateRoot, TimeMs,
        TransactionId,
    },
    record::{
        AuthorityRecord, BatchChange, BatchRecord, BatchStatus, CompromisedKeys, GovernanceRecord, InstitutionEntry,
        InstitutionFacts, KeyEntry, KeyRecord, KeyState, PermissionEntry, PermissionRecord, PermissionStandings,
        PermissionState, Policy, ProgrammeRecord, StatusRecord, Writer,
    },
    register,
    state::{InstitutionRegisters, StateRoots},
    time::Day,
    transaction::{InstitutionKey, PermissionGrant, PermissionScope},
};

use crate::audit::{Entries, root};

/// A key of an institution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) given: InstitutionKey,
    pub(super) added: u64,
    pub(super) retired: Option<u64>,
    pub(super) history: Vec<KeyEntry>,
}

/// A permission of an institution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Permission {
    pub(super) grant: PermissionGrant,
    pub(super) authority: u8,
    pub(super) granted: u64,
    pub(super) predecessor: u32,
    pub(super) history: Vec<PermissionEntry>,
    /// The day of the block that wrote the newest entry.
    pub(super) written: Day,
    pub(super) batches: u32,
}

/// A batch: its record as it was anchored, and what was written about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    pub(super) anchored: BatchRecord,
    pub(super) history: Vec<BatchChange>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Institution {
    pub(super) registered: u64,
    pub(super) history: Vec<InstitutionEntry>,
    pub(super) keys: Vec<Key>,
    /// What the quality agency holds about keys: from which height on they are void.
    pub(super) compromised: BTreeMap<u16, u64>,
    pub(super) programmes: Vec<ProgrammeRecord>,
    pub(super) permissions: Vec<Permission>,
    pub(super) batches: BTreeMap<[u8; 32], Batch>,
    pub(super) statuses: BTreeMap<[u8; 32], Vec<StatusRecord>>,
    /// Day; batches, statuses, changes of keys and programmes of that day; `None` before the first.
    pub(super) used: Option<(i32, [u32; 3])>,
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) genesis: GenesisHash,
    pub(super) policy: Policy,
    pub(super) joint: GovernanceRecord,
    pub(super) authorities: BTreeMap<u8, AuthorityRecord>,
    pub(super) with_validators: BTreeSet<u8>,
    pub(super) institutions: BTreeMap<u32, Institution>,
    /// The institution that last took each legal id of a country.
    pub(super) legal_ids: BTreeMap<([u8; 3], String), u32>,
    /// Height and time of every transaction ever included.
    pub(super) included: BTreeMap<TransactionId, (u64, u64)>,
    /// The nodes that take part never change: their encoding.
    registry: Vec<u8>,
}

impl Institution {
    pub(super) fn newest(&self) -> &InstitutionEntry {
        self.history.last().unwrap()
    }

    /// Whether what was written by this writer at this height is void.
    pub(super) fn is_void(&self, writer: &Writer, at: Height) -> bool {
        let Writer::Institution { key } = writer else { return false };
        self.compromised.get(&key.get()).is_some_and(|from| *from <= at.get())
    }

    fn facts(&self) -> InstitutionFacts {
        let newest = self.newest();
        InstitutionFacts {
            kind: newest.kind,
            jurisdiction: newest.jurisdiction,
            legal_id: newest.legal_id.clone(),
            name_ka: newest.name_ka.clone(),
            name_en: newest.name_en.clone(),
            state: newest.state,
            registered: Height::new(self.registered),
            keys: count(&self.keys).try_into().unwrap(),
            permissions: count(&self.permissions),
            programmes: count(&self.programmes),
            batches: self.batches.len().try_into().unwrap(),
            entries: count(&self.history),
            compromised: List::new(ranges(&self.compromised)).unwrap(),
        }
    }

    /// How many keys are neither retired nor held void.
    pub(super) fn usable(&self) -> usize {
        let keys = (0_u16..).zip(&self.keys);
        keys.filter(|(index, key)| key.retired.is_none() && !self.compromised.contains_key(index)).count()
    }

    fn key_entries(&self) -> Entries {
        let mut entries = Entries::new();
        for (index, key) in (0_u16..).zip(&self.keys) {
            let record = KeyRecord {
                purposes: key.given.purposes,
                key: key.given.key,
                window: key.given.window,
                added: Height::new(key.added),
                state: key.retired.map_or(KeyState::Active, |at| KeyState::Retired { at: Height::new(at) }),
                entries: count(&key.history),
            };
            entries.insert(name(&[&[1], &index.to_le_bytes()]), record.to_bytes());
            for (number, entry) in (1_u32..).zip(&key.history) {
                entries.insert(name(&[&[2], &index.to_le_bytes(), &number.to_le_bytes()]), entry.to_bytes());
            }
            entries.insert(name(&[&[3], &key.given.key.to_bytes()]), index.to_le_bytes().to_vec());
        }
        entries.insert(name(&[&[4]]), u16::try_from(self.usable()).unwrap().to_le_bytes().to_vec());
        entries
    }

    fn permission_entries(&self) -> Entries {
        let mut entries = Entries::new();
        for (number, permission) in (1_u32..).zip(&self.permissions) {
            let id = number.to_le_bytes();
            entries.insert(name(&[&[1], &id]), permission.record().to_bytes());
            entries.insert(name(&[&[2], &permission.content()]), id.to_vec());
            for (number, entry) in (1_u32..).zip(&permission.history) {
                entries.insert(name(&[&[3], &id, &number.to_le_bytes()]), entry.to_bytes());
            }
            if permission.batches > 0 {
                entries.insert(name(&[&[5], &id]), permission.batches.to_le_bytes().to_vec());
            }
        }
        for (number, programme) in (1_u32..).zip(&self.programmes) {
            entries.insert(name(&[&[4], &number.to_le_bytes()]), programme.to_bytes());
        }
        entries
    }

    fn status_entries(&self) -> Entries {
        let mut entries = Entries::new();
        for (handle, history) in &self.statuses {
            entries.insert(name(&[&[1], handle]), history.last().unwrap().to_bytes());
            for (number, entry) in (1_u32..).zip(history) {
                entries.insert(name(&[&[2], handle, &number.to_le_bytes()]), entry.to_bytes());
            }
        }
        entries
    }
}

/// An end: nothing that was announced for later days comes after it.
pub(super) const fn ends(state: PermissionState) -> bool {
    !matches!(state, PermissionState::Active | PermissionState::Suspended)
}

impl Permission {
    /// What it was granted for, by `docs/protocol.md` §9.
    fn content(&self) -> [u8; 32] {
        let mut bytes = vec![self.authority];
        bytes.extend(self.grant.decision.as_bytes());
        bytes.push(self.grant.scope.code());
        if let PermissionScope::Accreditation(accreditation) = &self.grant.scope {
            bytes.extend(accreditation.coordinator.get().to_le_bytes());
            bytes.extend(accreditation.programme.get().to_le_bytes());
        }
        sigeli_verifier::domain::PERMISSION_CONTENT.hash(&[&bytes])
    }

    /// Which entry counts from which day on, until the next: the entries played in the order of writing.
    pub(super) fn calendar(&self) -> BTreeMap<i32, PermissionEntry> {
        let mut calendar = BTreeMap::new();
        for entry in &self.history {
            let day = entry.effective.get();
            if ends(entry.state) {
                calendar.retain(|announced, _| *announced < day);
            }
            calendar.insert(day, *entry);
        }
        calendar
    }

    /// The head's list: what stands on the day of writing, and what comes after it.
    fn standings(&self) -> PermissionStandings {
        let calendar = self.calendar();
        let day = self.written.get();
        let present = calendar.range(..=day).next_back();
        let listed: Vec<_> = present.into_iter().chain(calendar.range(day + 1..)).collect();
        let mut bytes = u16::try_from(listed.len()).unwrap().to_le_bytes().to_vec();
        for (day, entry) in listed {
            bytes.extend(day.to_le_bytes());
            entry.state.encode(&mut bytes);
            entry.reason.encode(&mut bytes);
        }
        PermissionStandings::from_bytes(&bytes).unwrap()
    }

    pub(super) fn record(&self) -> PermissionRecord {
        PermissionRecord {
            authority: sigeli_verifier::ids::AuthorityId::new(self.authority),
            decision: self.grant.decision,
            window: self.grant.window,
            conditional: self.grant.conditional,
            scope: self.grant.scope.clone(),
            granted: Height::new(self.granted),
            predecessor: PermissionId::new(self.predecessor),
            standing: self.standings(),
            entries: count(&self.history),
        }
    }
}

/// The ranges of keys with successive numbers and the same height.
pub(super) fn ranges(void: &BTreeMap<u16, u64>) -> Vec<CompromisedKeys> {
    let mut ranges = Vec::<CompromisedKeys>::new();
    for (key, from) in void {
        let follows = key.checked_sub(1).is_some_and(|before| void.get(&before) == Some(from));
        let (key, from) = (KeyIndex::new(*key), Height::new(*from));
        match ranges.last_mut() {
            Some(range) if follows => range.last = key,
            _ => ranges.push(CompromisedKeys { first: key, last: key, from }),
        }
    }
    ranges
}

pub(super) fn count<T>(list: &[T]) -> u32 {
    list.len().try_into().unwrap()
}

fn name(parts: &[&[u8]]) -> RegisterKey {
    register::key(&parts.concat())
}

impl Model {
    pub(super) fn new(genesis: &Genesis) -> Self {
        let document = genesis.document();
        let authorities = document.authorities.iter().map(|authority| {
            let record = AuthorityRecord {
                kind: authority.kind,
                name_ka: authority.name_ka.clone(),
                name_en: authority.name_en.clone(),
                keys: authority.keys.clone(),
                threshold: authority.threshold,
                log_keys: authority.log_keys.clone(),
                sequence: AuthoritySequence::new(0),
            };
            (authority.id.get(), record)
        });
        let ids = document.authorities.iter().map(|authority| authority.id).collect();
        let mut registry = document.validators.to_bytes();
        document.observers.encode(&mut registry);
        Self {
            genesis: genesis.genesis_hash(),
            policy: document.policy,
            joint: GovernanceRecord::first(List::new(ids).unwrap()),
            authorities: authorities.collect(),
            with_validators: document.validators.iter().map(|entry| entry.validator.authority.get()).collect(),
            institutions: BTreeMap::new(),
            legal_ids: BTreeMap::new(),
            included: BTreeMap::new(),
            registry,
        }
    }

    /// The state root, from nothing but the maps. No turn is ever missed here, so the schedule is empty.
    pub(super) fn state_root(&self) -> StateRoot {
        let (mut institutions, mut batches) = (Entries::new(), Entries::new());
        let mut governance = Entries::from([
            (name(&[&[2]]), self.policy.to_bytes()),
            (name(&[&[3]]), self.registry.clone()),
            (name(&[&[4]]), vec![0, 0]),
            (name(&[&[7]]), self.joint.to_bytes()),
        ]);
        for (id, authority) in &self.authorities {
            governance.insert(name(&[&[1, *id]]), authority.to_bytes());
        }
        for (id, institution) in &self.institutions {
            let id = id.to_le_bytes();
            let registers = InstitutionRegisters {
                keys: own(&institution.key_entries()),
                permissions: own(&institution.permission_entries()),
                statuses: own(&institution.status_entries()),
            };
            institutions.insert(name(&[&id]), institution.facts().value(&registers.root()));
            for (number, entry) in (1_u32..).zip(&institution.history) {
                institutions.insert(name(&[&id, &number.to_le_bytes()]), entry.to_bytes());
            }
            for (root, batch) in &institution.batches {
                let mut record = batch.anchored;
                record.status = batch.history.last().map_or(BatchStatus::Valid, |newest| BatchStatus::Changed(*newest));
                batches.insert(name(&[&id, root]), record.to_bytes());
                for (number, entry) in (1_u32..).zip(&batch.history) {
                    batches.insert(name(&[&id, root, &number.to_le_bytes()]), entry.to_bytes());
                }
            }
            if let Some((day, used)) = institution.used {
                let usage = [&day.to_le_bytes()[..], used.map(u32::to_le_bytes).as_flattened()].concat();
                governance.insert(name(&[&[5], &id]), usage);
            }
        }
        for ((jurisdiction, legal_id), id) in &self.legal_ids {
            let legal_id = Text::<32>::new(legal_id).unwrap();
            governance.insert(name(&[&[6], jurisdiction, &legal_id.to_bytes()]), id.to_le_bytes().to_vec());
        }
        StateRoots { institutions: own(&institutions), batches: own(&batches), governance: own(&governance) }.root()
    }

    /// The same without heights and times: what does not depend on where blocks begin.
    pub(super) fn without_places(&self) -> Self {
        let mut bare = self.clone();
        bare.included.values_mut().for_each(|place| *place = (0, 0));
        let (nowhere, never) = (Height::new(0), TimeMs::new(0));
        for institution in bare.institutions.values_mut() {
            institution.registered = 0;
            institution.history.iter_mut().for_each(|entry| (entry.height, entry.time) = (nowhere, never));
            institution.compromised.values_mut().for_each(|from| *from = 0);
            institution.programmes.iter_mut().for_each(|programme| programme.registered = nowhere);
            for key in &mut institution.keys {
                (key.added, key.retired) = (0, key.retired.map(|_| 0));
                for entry in &mut key.history {
                    (entry.height, entry.time) = (nowhere, never);
                    if let sigeli_verifier::record::KeyChange::Compromised { from } = &mut entry.change {
                        *from = nowhere;
                    }
                }
            }
            for permission in &mut institution.permissions {
                permission.granted = 0;
                permission.history.iter_mut().for_each(|entry| (entry.height, entry.time) = (nowhere, never));
            }
            for batch in institution.batches.values_mut() {
                (batch.anchored.anchored, batch.anchored.anchored_time) = (nowhere, never);
                batch.history.iter_mut().for_each(|entry| (entry.height, entry.time) = (nowhere, never));
            }
            for entry in institution.statuses.values_mut().flatten() {
                (entry.height, entry.time) = (nowhere, never);
            }
        }
        bare
    }
}

fn own(entries: &Entries) -> RegisterRoot {
    root(Some(entries))
}
