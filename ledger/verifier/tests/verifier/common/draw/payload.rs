//! Payloads of every kind.

use sigeli_verifier::{
    codes::{
        AuthorityKind, BatchAction, CredentialType, DecisionReason, HashAlgorithm, InstitutionKind, Levels, Modes,
        PermissionAction, StatusAction, StatusReason,
    },
    ids::{AuthorityId, BatchRoot, KeyIndex, PermissionId, ProfileHash, ProgrammeId, StatusHandle},
    transaction::{
        Accreditation, AuthorityKeysSet, AuthorityRemove, AuthoritySet, BatchAnchor, BatchAnnul, BatchAnnulEntry,
        BatchStatusSet, InstitutionClose, InstitutionKey, InstitutionRegister, InstitutionReopen, InstitutionUpdate,
        KeyClear, KeyCompromise, KeyRetire, KeysAdd, Payload, PermissionAnnul, PermissionChange, PermissionGrant,
        PermissionReplace, PermissionScope, PolicySet, ProgrammeRegister, StatusAnnul, StatusAnnulEntry, StatusEntry,
        StatusOrder, StatusSet, Transaction, UpgradeSchedule,
    },
};

use super::Draw;

/// The codes of all kinds.
pub(crate) const KINDS: [u8; 24] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 18, 19, 32, 33, 34, 48, 49, 50, 64, 65, 66, 67, 68];

impl Draw {
    fn permission(&mut self) -> PermissionId {
        PermissionId::new(self.u32())
    }

    fn reason(&mut self) -> DecisionReason {
        self.one_of(DecisionReason::ALL)
    }

    fn institution_key(&mut self) -> InstitutionKey {
        InstitutionKey { purposes: self.purposes(), key: self.key(), window: self.window() }
    }

    pub(crate) fn scope(&mut self) -> PermissionScope {
        match self.below(3) {
            0 => PermissionScope::Authorisation,
            1 => PermissionScope::PilotOrder {
                fields: self.fields(),
                levels: Levels::new(1 + self.below(255) as u8).unwrap(),
            },
            _ => PermissionScope::Accreditation(Accreditation {
                coordinator: self.institution(),
                programme: ProgrammeId::new(self.u32()),
                title_ka: self.text(),
                title_en: self.text(),
                agent: self.text(),
                level: self.level(),
                fields: self.fields(),
                ects_max: self.ects(),
                credential_type: self.one_of(CredentialType::ALL),
                modes: Modes::new(1 + self.below(15) as u8).unwrap(),
                review: self.day(),
            }),
        }
    }

    fn grant(&mut self) -> PermissionGrant {
        PermissionGrant {
            institution: self.institution(),
            decision: self.decision(),
            window: self.window(),
            conditional: self.flag(),
            scope: self.scope(),
        }
    }

    fn status_entry(&mut self) -> StatusEntry {
        let action = self.one_of(StatusAction::ALL);
        StatusEntry {
            handle: StatusHandle::new(self.bytes()),
            entry: self.u32(),
            action,
            reason: self.one_of(StatusReason::ALL),
            successor: if action == StatusAction::Supersede { self.bytes() } else { [0; 32] },
        }
    }

    /// A payload of the kind with this code.
    pub(crate) fn payload(&mut self, kind: u8) -> Payload {
        let payload = match kind {
            1..=9 => self.institution_payload(kind),
            16..=19 => self.permission_payload(kind),
            32..=50 => self.batch_payload(kind),
            _ => self.governance_payload(kind),
        };
        assert_eq!(payload.code(), kind);
        payload
    }

    fn institution_payload(&mut self, kind: u8) -> Payload {
        match kind {
            1 => Payload::InstitutionRegister(InstitutionRegister {
                institution: self.institution(),
                kind: self.one_of(InstitutionKind::ALL),
                jurisdiction: self.jurisdiction(),
                legal_id: self.text(),
                name_ka: self.text(),
                name_en: self.text(),
                profile: ProfileHash::new(self.bytes()),
                decision: self.decision(),
                keys: self.list(3, Self::institution_key),
            }),
            2 => Payload::InstitutionUpdate(InstitutionUpdate {
                institution: self.institution(),
                decision: self.decision(),
                kind: self.one_of(InstitutionKind::ALL),
                jurisdiction: self.jurisdiction(),
                legal_id: self.text(),
                name_ka: self.text(),
                name_en: self.text(),
                profile: ProfileHash::new(self.bytes()),
            }),
            3 => Payload::InstitutionClose(InstitutionClose {
                institution: self.institution(),
                decision: self.decision(),
                from: self.day(),
                reason: self.reason(),
                successor: self.institution(),
            }),
            4 => Payload::InstitutionReopen(InstitutionReopen {
                institution: self.institution(),
                decision: self.decision(),
                reason: self.reason(),
            }),
            5 => Payload::KeysAdd(KeysAdd {
                institution: self.institution(),
                decision: self.decision(),
                keys: self.list(3, Self::institution_key),
            }),
            6 => Payload::KeyRetire(KeyRetire {
                institution: self.institution(),
                decision: self.decision(),
                key: KeyIndex::new(self.u16()),
            }),
            7 => Payload::KeyCompromise(KeyCompromise {
                institution: self.institution(),
                decision: self.decision(),
                first: KeyIndex::new(self.u16()),
                last: KeyIndex::new(self.u16()),
                from: self.height(),
            }),
            9 => Payload::KeyClear(KeyClear {
                institution: self.institution(),
                decision: self.decision(),
                first: KeyIndex::new(self.u16()),
                last: KeyIndex::new(self.u16()),
            }),
            _ => Payload::ProgrammeRegister(ProgrammeRegister {
                programme: ProgrammeId::new(self.u32()),
                title_ka: self.text(),
                title_en: self.text(),
                partners: self.list(4, Self::institution),
            }),
        }
    }

    fn permission_payload(&mut self, kind: u8) -> Payload {
        match kind {
            16 => Payload::PermissionGrant(self.grant()),
            17 => Payload::PermissionChange(PermissionChange {
                institution: self.institution(),
                permission: self.permission(),
                decision: self.decision(),
                entry: self.u32(),
                action: self.one_of(PermissionAction::ALL),
                effective: self.day(),
                reason: self.reason(),
            }),
            18 => Payload::PermissionReplace(PermissionReplace {
                replaced: self.permission(),
                effective: self.day(),
                reason: self.reason(),
                grant: self.grant(),
            }),
            _ => Payload::PermissionAnnul(PermissionAnnul {
                institution: self.institution(),
                permission: self.permission(),
                decision: self.decision(),
                reason: self.reason(),
            }),
        }
    }

    fn batch_payload(&mut self, kind: u8) -> Payload {
        match kind {
            32 => Payload::BatchAnchor(BatchAnchor {
                root: BatchRoot::new(self.bytes()),
                height: self.batch_height(),
                hash_algorithm: HashAlgorithm::Blake3,
                accreditation: self.permission(),
                level: self.level(),
                field: self.field(),
                ects: self.ects(),
                issued: self.day(),
                credential_type: self.one_of(CredentialType::ALL),
            }),
            33 => Payload::BatchStatusSet(BatchStatusSet {
                institution: self.institution(),
                decision: self.decision(),
                root: BatchRoot::new(self.bytes()),
                entry: self.u32(),
                action: self.one_of(BatchAction::ALL),
                reason: self.one_of(StatusReason::ALL),
            }),
            34 => Payload::BatchAnnul(BatchAnnul {
                institution: self.institution(),
                decision: self.decision(),
                entries: self.list(6, |draw| BatchAnnulEntry { root: BatchRoot::new(draw.bytes()), entry: draw.u32() }),
            }),
            48 => Payload::StatusSet(StatusSet { entries: self.list(6, Self::status_entry) }),
            49 => Payload::StatusOrder(StatusOrder {
                institution: self.institution(),
                decision: self.decision(),
                entries: self.list(6, Self::status_entry),
            }),
            _ => Payload::StatusAnnul(StatusAnnul {
                institution: self.institution(),
                decision: self.decision(),
                entries: self
                    .list(6, |draw| StatusAnnulEntry { handle: StatusHandle::new(draw.bytes()), entry: draw.u32() }),
            }),
        }
    }

    fn governance_payload(&mut self, kind: u8) -> Payload {
        match kind {
            64 => Payload::AuthorityKeysSet(AuthorityKeysSet {
                decision: self.decision(),
                keys: self.keys(),
                threshold: self.u8(),
                log_keys: self.keys(),
            }),
            65 => Payload::AuthoritySet(AuthoritySet {
                decision: self.decision(),
                authority: AuthorityId::new(self.u8()),
                kind: self.one_of(AuthorityKind::ALL),
                name_ka: self.text(),
                name_en: self.text(),
                keys: self.keys(),
                threshold: self.u8(),
                log_keys: self.keys(),
            }),
            66 => Payload::AuthorityRemove(AuthorityRemove {
                decision: self.decision(),
                authority: AuthorityId::new(self.u8()),
            }),
            67 => Payload::PolicySet(PolicySet { decision: self.decision(), policy: self.policy() }),
            _ => Payload::UpgradeSchedule(UpgradeSchedule {
                decision: self.decision(),
                version: self.u16(),
                height: self.height(),
            }),
        }
    }

    pub(crate) fn transaction(&mut self) -> Transaction {
        let kind = self.one_of(&KINDS);
        let payload = self.payload(kind);
        self.transaction_of(payload)
    }
}
