//! Records of every kind.

use sigeli_verifier::{
    bounded::List,
    codes::{AuthorityKind, CredentialType, DecisionReason, HashAlgorithm, InstitutionKind, StatusReason},
    ids::{
        AuthorityId, AuthoritySequence, BatchSequence, GovernanceSequence, Height, KeyIndex, PermissionId, ProfileHash,
    },
    record::{
        AuthorityRecord, BatchChange, BatchRecord, BatchState, BatchStatus, CompromisedKeys, GovernanceRecord,
        InstitutionEntry, InstitutionFacts, InstitutionState, Judged, KeyChange, KeyEntry, KeyRecord, KeyState,
        PermissionEntry, PermissionRecord, PermissionStanding, PermissionStandings, PermissionState, Policy,
        ProgrammeRecord, StatusRecord, StatusState, Writer,
    },
    time::Day,
};

use super::Draw;

impl Draw {
    pub(crate) fn writer(&mut self) -> Writer {
        if self.flag() {
            Writer::Institution { key: KeyIndex::new(self.u16()) }
        } else {
            Writer::Authority { authority: AuthorityId::new(self.u8()), decision: self.decision() }
        }
    }

    pub(crate) fn status_record(&mut self) -> StatusRecord {
        StatusRecord {
            state: match self.below(5) {
                0 => StatusState::Suspended,
                1 => StatusState::Reinstated,
                2 => StatusState::Revoked,
                3 => StatusState::Superseded { successor: self.bytes() },
                _ => StatusState::Annulled,
            },
            reason: self.one_of(StatusReason::ALL),
            height: self.height(),
            time: self.time(),
            writer: self.writer(),
            entries: self.u32(),
            restores: self.u32(),
        }
    }

    pub(crate) fn institution_state(&mut self) -> InstitutionState {
        if self.flag() {
            InstitutionState::Active
        } else {
            InstitutionState::Closed {
                from: self.day(),
                reason: self.one_of(DecisionReason::ALL),
                successor: self.institution(),
            }
        }
    }

    pub(crate) fn institution_facts(&mut self) -> InstitutionFacts {
        let compromised = (0..self.below(5) as u16)
            .map(|group| {
                let first = group * 16 + self.below(16) as u16;
                // Never up to the next group's first key.
                let last = first + self.below(u64::from(group * 16 + 16 - first)) as u16;
                let from = Height::new(self.height().get() / 8 * 8 + u64::from(group));
                CompromisedKeys { first: KeyIndex::new(first), last: KeyIndex::new(last), from }
            })
            .collect();
        InstitutionFacts {
            kind: self.one_of(InstitutionKind::ALL),
            jurisdiction: self.jurisdiction(),
            legal_id: self.text(),
            name_ka: self.text(),
            name_en: self.text(),
            state: self.institution_state(),
            registered: self.height(),
            keys: self.u16(),
            permissions: self.u32(),
            programmes: self.u32(),
            batches: self.u32(),
            entries: self.u32(),
            compromised: List::new(compromised).unwrap(),
        }
    }

    pub(crate) fn institution_entry(&mut self) -> InstitutionEntry {
        InstitutionEntry {
            kind: self.one_of(InstitutionKind::ALL),
            jurisdiction: self.jurisdiction(),
            legal_id: self.text(),
            name_ka: self.text(),
            name_en: self.text(),
            profile: ProfileHash::new(self.bytes()),
            state: self.institution_state(),
            writer: self.writer(),
            height: self.height(),
            time: self.time(),
        }
    }

    pub(crate) fn key_record(&mut self) -> KeyRecord {
        KeyRecord {
            purposes: self.purposes(),
            key: self.key(),
            window: self.window(),
            added: self.height(),
            state: if self.flag() { KeyState::Active } else { KeyState::Retired { at: self.height() } },
            entries: self.u32(),
        }
    }

    pub(crate) fn key_entry(&mut self) -> KeyEntry {
        KeyEntry {
            change: match self.below(4) {
                0 => KeyChange::Added,
                1 => KeyChange::Retired,
                2 => KeyChange::Cleared,
                _ => KeyChange::Compromised { from: self.height() },
            },
            writer: self.writer(),
            height: self.height(),
            time: self.time(),
        }
    }

    pub(crate) fn programme_record(&mut self) -> ProgrammeRecord {
        ProgrammeRecord {
            title_ka: self.text(),
            title_en: self.text(),
            partners: self.list(4, Self::institution),
            registered: self.height(),
            key: KeyIndex::new(self.u16()),
        }
    }

    fn permission_state(&mut self) -> PermissionState {
        match self.below(5) {
            0 => PermissionState::Active,
            1 => PermissionState::Suspended,
            2 => PermissionState::Withdrawn,
            3 => PermissionState::Replaced { by: PermissionId::new(self.u32()) },
            _ => PermissionState::Restored { by: PermissionId::new(self.u32()) },
        }
    }

    /// One to four of them, of which only the last may be an end.
    fn permission_standings(&mut self) -> PermissionStandings {
        let first = self.day().get().saturating_sub(1_000);
        let mut standings = PermissionStandings::granted(Day::new(first), self.one_of(DecisionReason::ALL));
        for place in 1..=i32::from(self.u8() % 4) {
            if standings.newest().unwrap().state.is_end() {
                break;
            }
            let effective = Day::new(first.saturating_add(place.saturating_mul(90)));
            let (state, reason) = (self.permission_state(), self.one_of(DecisionReason::ALL));
            let change = PermissionStanding { effective, state, reason };
            standings = standings.changed(change, Day::new(first)).unwrap();
        }
        standings
    }

    pub(crate) fn permission_record(&mut self) -> PermissionRecord {
        PermissionRecord {
            authority: AuthorityId::new(self.u8()),
            decision: self.decision(),
            window: self.window(),
            conditional: self.flag(),
            scope: self.scope(),
            granted: self.height(),
            predecessor: PermissionId::new(self.u32()),
            standing: self.permission_standings(),
            entries: self.u32(),
        }
    }

    pub(crate) fn permission_entry(&mut self) -> PermissionEntry {
        PermissionEntry {
            state: self.permission_state(),
            effective: self.day(),
            reason: self.one_of(DecisionReason::ALL),
            decision: self.decision(),
            authority: AuthorityId::new(self.u8()),
            height: self.height(),
            time: self.time(),
        }
    }

    pub(crate) fn batch_change(&mut self) -> BatchChange {
        BatchChange {
            state: self.one_of(&[
                BatchState::Suspended,
                BatchState::Reinstated,
                BatchState::Revoked,
                BatchState::Annulled,
            ]),
            reason: self.one_of(StatusReason::ALL),
            height: self.height(),
            time: self.time(),
            writer: self.writer(),
            entries: self.u32(),
            restores: self.u32(),
        }
    }

    pub(crate) fn batch_record(&mut self) -> BatchRecord {
        BatchRecord {
            sequence: BatchSequence::new(self.u32()),
            accreditation_sequence: BatchSequence::new(self.u32()),
            height: self.batch_height(),
            hash_algorithm: HashAlgorithm::Blake3,
            anchored: self.height(),
            anchored_time: self.time(),
            key: KeyIndex::new(self.u16()),
            accreditation: PermissionId::new(self.u32()),
            level: self.level(),
            field: self.field(),
            ects: self.ects(),
            issued: self.day(),
            credential_type: self.one_of(CredentialType::ALL),
            judged: Judged {
                accreditation_window: self.window(),
                ects_max: self.ects(),
                authorisation: PermissionId::new(self.u32()),
                authorisation_window: self.window(),
                order: PermissionId::new(self.u32()),
            },
            status: if self.flag() { BatchStatus::Valid } else { BatchStatus::Changed(self.batch_change()) },
        }
    }

    pub(crate) fn authority_record(&mut self) -> AuthorityRecord {
        AuthorityRecord {
            kind: self.one_of(AuthorityKind::ALL),
            name_ka: self.text(),
            name_en: self.text(),
            keys: self.keys(),
            threshold: self.u8(),
            log_keys: self.keys(),
            sequence: AuthoritySequence::new(self.u64()),
        }
    }

    pub(crate) fn policy(&mut self) -> Policy {
        Policy {
            ects_max: [(); 8].map(|()| self.ects()),
            ects_min: [(); 8].map(|()| self.ects()),
            ects_recognised_max: self.ects(),
            batch_height_min: self.u8(),
            clock_tolerance_ms: self.u32(),
            pilot_order_required: self.flag(),
            batches_per_day: self.u32(),
            statuses_per_day: self.u32(),
            changes_per_day: self.u32(),
            approvals_min: self.u8(),
        }
    }

    pub(crate) fn governance_record(&mut self) -> GovernanceRecord {
        GovernanceRecord {
            authorities: self.list(5, |draw| AuthorityId::new(draw.u8())),
            sequence: GovernanceSequence::new(self.u64()),
            version: self.u16(),
            upgrade_version: self.u16(),
            upgrade_height: Height::new(self.u64()),
        }
    }
}
