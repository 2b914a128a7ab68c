//! The payloads of governance that are drawn.

use sigeli_verifier::{
    bounded::List,
    crypto::PublicKey,
    ids::{AuthorityId, EctsTenths, Height},
    record::Policy,
    transaction::{AuthorityKeysSet, AuthorityKind, AuthoritySet, Payload, PolicySet, UpgradeSchedule},
};

use super::{draw::Drawer, state::Model};

impl Drawer {
    fn authority_key_list(&mut self, model: &Model) -> (Vec<PublicKey>, u8) {
        let count = self.random.pick(&[1, 1, 1, 2, 3]);
        let mut keys: Vec<_> = (0..count).map(|_| self.new_key()).collect();
        match self.random.below(16) {
            0 => keys.push(keys[0]),
            1 => keys.clear(),
            2 => {
                let taken: Vec<_> = model.authorities.values().flat_map(|record| record.keys.iter().copied()).collect();
                keys.push(self.random.pick(&taken));
            }
            _ => {}
        }
        let most = u8::try_from(keys.len()).unwrap();
        let threshold = if self.random.one_in(12) { self.random.pick(&[0, most + 1]) } else { 1 + most / 3 };
        (keys, threshold)
    }

    pub(super) fn authority_keys(&mut self, model: &Model) -> Payload {
        let (keys, threshold) = self.authority_key_list(model);
        let log_keys = List::new(vec![self.new_key()]).unwrap();
        let keys = List::new(keys).unwrap();
        Payload::AuthorityKeysSet(AuthorityKeysSet { decision: self.decision(), keys, threshold, log_keys })
    }

    pub(super) fn authority_set(&mut self, model: &Model) -> Payload {
        let (keys, threshold) = self.authority_key_list(model);
        let known: Vec<_> = model.authorities.keys().copied().collect();
        let next = known.iter().max().copied().unwrap_or(4).min(254) + 1;
        // One in eight would leave the ledger without its quality agency or its Ministry.
        let needed = [AuthorityKind::Nceqe, AuthorityKind::Ministry];
        let needed = model.authorities.iter().find(|(_, record)| needed.contains(&record.kind) && !record.is_ended());
        let authority = match needed {
            Some((id, _)) if self.random.one_in(8) => *id,
            _ if self.random.one_in(2) => next,
            _ => self.random.pick(&known),
        };
        let kind = match model.authorities.get(&authority) {
            Some(record) if !self.random.one_in(4) => record.kind,
            _ => self.random.pick(AuthorityKind::ALL),
        };
        Payload::AuthoritySet(AuthoritySet {
            decision: self.decision(),
            authority: AuthorityId::new(authority),
            kind,
            name_ka: self.name("უწყება"),
            name_en: self.name("Authority"),
            keys: List::new(keys).unwrap(),
            threshold,
            log_keys: List::empty(),
        })
    }

    pub(super) fn policy_set(&mut self, model: &Model) -> Payload {
        let live = u8::try_from(model.joint.authorities.len()).unwrap();
        let mut policy = Policy {
            batch_height_min: self.random.pick(&[4, 5, 5, 6]),
            clock_tolerance_ms: self.random.pick(&[0, 300_000, 43_200_000]),
            pilot_order_required: !self.random.one_in(4),
            batches_per_day: self.random.pick(&[4, 8, 30]),
            statuses_per_day: self.random.pick(&[6, 12, 40]),
            changes_per_day: self.random.pick(&[8, 10, 60]),
            approvals_min: live / 2 + 1 + u8::from(self.random.one_in(3)),
            ..model.policy
        };
        match self.random.below(24) {
            0 => policy.ects_min[2] = EctsTenths::new(0),
            1 => policy.batch_height_min = self.random.pick(&[3, 21]),
            2 => policy.batches_per_day = 0,
            4 => policy.changes_per_day = 0,
            3 => policy.approvals_min = self.random.pick(&[0, live / 2, live + 1]),
            _ => {}
        }
        Payload::PolicySet(PolicySet { decision: self.decision(), policy })
    }

    pub(super) fn upgrade(&mut self, model: &Model, height: u64) -> Payload {
        let announced = model.joint.upgrade_height.get() > 0;
        // Never so early that the run would reach it.
        let (version, at) = match self.random.below(8) {
            0 | 1 if announced => (1, 0),
            0 => (self.random.pick(&[0, 1]), 1_000_000),
            1 => (1, 0),
            2 => (2, if self.placeless { 1 } else { height + 99 }),
            _ => (self.random.pick(&[2, 2, 2, 3]), 1_000_000 + self.fresh() % 1_000),
        };
        Payload::UpgradeSchedule(UpgradeSchedule { decision: self.decision(), version, height: Height::new(at) })
    }
}
