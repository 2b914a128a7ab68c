//! Draws what to ask next: mostly what could pass, spoiled often enough that every refusal comes, too.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use sigeli_verifier::{
    crypto::PublicKey,
    ids::{
        AuthorityId, AuthoritySequence, DecisionRef, GenesisHash, GovernanceSequence, InstitutionId, KeyIndex,
        Signature, TimeMs,
    },
    transaction::{AuthorityKind, Payload, Sender, SignedTransaction, Transaction, TransactionSignature, joint_key},
};

use super::{rules::Asked, state::Model};
use crate::support::{authority_secret, public};

/// SplitMix64.
#[derive(Debug, Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }
    /// A number in `first..=last`.
    pub(super) fn within(&mut self, first: i32, last: i32) -> i32 {
        first + i32::try_from(self.below(usize::try_from(last - first + 1).unwrap())).unwrap()
    }
    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
    pub(super) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }
}

/// Who is to send a payload, if nothing is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Institution(u32),
    Kind(AuthorityKind),
    AnyAuthority,
    Authorities,
}

#[derive(Debug)]
pub(super) struct Drawer {
    pub(super) random: Random,
    /// Every secret key that was ever given out.
    pub(super) keyring: BTreeMap<PublicKey, SigningKey>,
    /// What was asked lately, and who was to send it.
    past: Vec<(Asked, Who)>,
    fresh: u64,
    /// Whether nothing may depend on where blocks begin.
    pub(super) placeless: bool,
}

/// Kinds of payload and how often they are drawn.
const KINDS: [(u8, usize); 24] = [
    (1, 3),
    (2, 3),
    (3, 3),
    (4, 4),
    (5, 5),
    (6, 2),
    (7, 6),
    (8, 4),
    (9, 4),
    (16, 9),
    (17, 8),
    (18, 5),
    (19, 4),
    (32, 18),
    (33, 7),
    (34, 3),
    (48, 12),
    (49, 4),
    (50, 6),
    (64, 3),
    (65, 3),
    (66, 3),
    (67, 3),
    (68, 3),
];

impl Drawer {
    pub(super) fn new(seed: u64, placeless: bool) -> Self {
        let mut keyring = BTreeMap::new();
        for (authority, keys) in [(1, 1), (2, 3), (3, 1), (4, 1)] {
            for key in 0..keys {
                let secret = authority_secret(AuthorityId::new(authority), key);
                keyring.insert(public(&secret), secret);
            }
        }
        Self { random: Random(seed), keyring, past: vec![], fresh: seed << 32, placeless }
    }

    /// A number that was never drawn before.
    pub(super) fn fresh(&mut self) -> u64 {
        self.fresh += 1;
        self.fresh
    }

    pub(super) fn new_key(&mut self) -> PublicKey {
        let mut seed = [0x77; 32];
        seed[..8].copy_from_slice(&self.fresh().to_le_bytes());
        let secret = SigningKey::from_bytes(&seed);
        let key = public(&secret);
        self.keyring.insert(key, secret);
        key
    }

    /// What is asked next. Retries are the same bytes again, or the same wish signed again.
    pub(super) fn draw(&mut self, model: &Model, height: u64, time: u64) -> Asked {
        if !self.past.is_empty() && self.random.one_in(9) {
            let (asked, who) = self.random.pick(&self.past);
            if self.random.one_in(2) {
                return asked;
            }
            let payload = asked.transaction.body().payload.clone();
            return self.sign(model, who, payload, time);
        }
        let mut ticket = self.random.below(KINDS.iter().map(|(_, weight)| weight).sum());
        let mut kinds = KINDS.iter();
        let code = loop {
            let (code, weight) = kinds.next().unwrap();
            match ticket.checked_sub(*weight) {
                Some(rest) => ticket = rest,
                None => break *code,
            }
        };
        let (mut who, mut payload) = self.payload(code, model, height, time);
        assert_eq!(payload.code(), code);
        if let Who::Institution(id) = who
            && self.usable_keys(model, id, &payload, time).is_empty()
            && !self.random.one_in(5)
        {
            (who, payload) = self.rescue(id, time);
        }
        let asked = self.sign(model, who, payload, time);
        if self.past.len() >= 40 {
            let place = self.random.below(40);
            self.past.swap_remove(place);
        }
        self.past.push((asked.clone(), who));
        asked
    }

    /// Wraps and signs a payload, with something wrong now and then.
    fn sign(&mut self, model: &Model, who: Who, payload: Payload, time: u64) -> Asked {
        let spoil = if self.random.one_in(7) { self.random.below(11) } else { usize::MAX };
        let who = if spoil == 0 {
            self.random.pick(&[
                Who::Institution(1),
                Who::Kind(AuthorityKind::Nceqe),
                Who::Kind(AuthorityKind::Emis),
                Who::AnyAuthority,
                Who::Authorities,
            ])
        } else {
            who
        };
        let (sender, mut signers) = self.signers(model, who, &payload, spoil, time);
        let limit = if matches!(sender, Sender::Institution { .. }) { 600_000 } else { 7_776_000_000 };
        let ahead = match (self.placeless, limit) {
            (true, 600_000) => 540_000,
            (true, _) => self.random.pick(&[3_500_000, 100_500_000]),
            (false, 600_000) => self.random.pick(&[limit, limit, 0, 1, 60_000, 300_000]),
            (false, _) => self.random.pick(&[limit, 0, 3_600_000, 86_400_000, 864_000_000]),
        };
        let valid_until = match spoil {
            1 => time - self.random.pick(&[1, 1_000_000]) - u64::from(self.placeless) * 60_000,
            2 => time + limit + self.random.pick(&[1, 1_000_000]) + u64::from(self.placeless) * 60_000,
            _ => time + ahead,
        };
        let genesis = if spoil == 3 { GenesisHash::new([3; 32]) } else { model.genesis };
        match spoil {
            4 => {
                signers.pop();
            }
            5 => {
                let stranger = self.new_key();
                signers.push((self.random.pick(&[0, 1, 2, 5, 40, 513, 516, 2_000]), stranger));
            }
            6 => {
                let stranger = self.new_key();
                if let Some(last) = signers.last_mut() {
                    last.1 = stranger;
                }
            }
            7 => {
                if let Some(last) = signers.last_mut() {
                    last.0 = self.random.pick(&[3, 90, 700]);
                }
            }
            _ => {}
        }
        if signers.is_empty() {
            signers.push((0, self.new_key()));
        }
        self.seal(Transaction { genesis, valid_until: TimeMs::new(valid_until), sender, payload }, signers, spoil == 8)
    }

    fn seal(&self, body: Transaction, mut signers: Vec<(u16, PublicKey)>, broken: bool) -> Asked {
        use ed25519_dalek::Signer as _;
        signers.sort_by_key(|(index, _)| *index);
        signers.dedup_by_key(|(index, _)| *index);
        let preimage = body.preimage();
        let mut signed_by: Vec<_> = signers.iter().map(|(_, key)| Some(*key)).collect();
        let signature = |(index, key): &(u16, PublicKey)| TransactionSignature {
            key: KeyIndex::new(*index),
            signature: Signature::new(self.keyring[key].sign(&preimage).to_bytes()),
        };
        let mut signatures: Vec<_> = signers.iter().map(signature).collect();
        if broken {
            let mut bytes = signatures[0].signature.get();
            bytes[40] ^= 4;
            signatures[0].signature = Signature::new(bytes);
            signed_by[0] = None;
        }
        Asked { transaction: SignedTransaction::new(body, signatures).unwrap(), signed_by }
    }

    /// The sender, and under which indexes which keys sign.
    fn signers(
        &mut self,
        model: &Model,
        who: Who,
        payload: &Payload,
        spoil: usize,
        time: u64,
    ) -> (Sender, Vec<(u16, PublicKey)>) {
        let step = |random: &mut Random| if spoil == 9 { random.pick(&[0, 2, 3]) } else { 1 };
        match who {
            Who::Institution(id) => {
                let id = if spoil == 10 { self.random.pick(&[0, 5, 99]) } else { id };
                (
                    Sender::Institution { institution: InstitutionId::new(id) },
                    self.institution_key(model, id, payload, time),
                )
            }
            Who::Authorities => {
                let sequence = GovernanceSequence::new(model.joint.sequence.get() + step(&mut self.random));
                (Sender::Authorities { sequence }, self.joint_keys(model))
            }
            Who::Kind(_) | Who::AnyAuthority => {
                let fits = |(_, record): &(&u8, &sigeli_verifier::record::AuthorityRecord)| match who {
                    Who::Kind(kind) => record.kind == kind && !record.keys.is_empty(),
                    _ => true,
                };
                let fitting: Vec<_> = model.authorities.iter().filter(fits).map(|(id, _)| *id).collect();
                let id = match spoil {
                    10 => self.random.pick(&[1, 2, 3, 4, 5, 6, 250]),
                    _ if fitting.is_empty() => 2,
                    _ => self.random.pick(&fitting),
                };
                let Some(record) = model.authorities.get(&id) else {
                    let sender =
                        Sender::Authority { authority: AuthorityId::new(id), sequence: AuthoritySequence::new(1) };
                    return (sender, vec![(0, self.new_key())]);
                };
                let sequence = AuthoritySequence::new(record.sequence.get() + step(&mut self.random));
                let least = usize::from(record.threshold);
                let many = if record.keys.len() > least && self.random.one_in(3) { record.keys.len() } else { least };
                let keys = (0_u16..).zip(record.keys.iter().copied()).take(many).collect();
                (Sender::Authority { authority: AuthorityId::new(id), sequence }, keys)
            }
        }
    }

    /// The keys with which the institution may sign this.
    fn usable_keys(&self, model: &Model, id: u32, payload: &Payload, time: u64) -> Vec<(u16, PublicKey)> {
        let Some(institution) = model.institutions.get(&id) else { return vec![] };
        let day = sigeli_verifier::time::Day::of(TimeMs::new(time));
        let needed = match payload {
            Payload::BatchAnchor(_) => 1,
            Payload::StatusSet(_) | Payload::BatchStatusSet(_) => 2,
            _ => 4,
        };
        let usable = (0_u16..).zip(&institution.keys).filter(|(index, key)| {
            key.retired.is_none()
                && !institution.compromised.contains_key(index)
                && key.given.window.contains(day)
                && key.given.purposes.get() & needed != 0
        });
        usable.map(|(index, key)| (index, key.given.key)).collect()
    }

    /// A key of the institution that may sign this, mostly.
    fn institution_key(&mut self, model: &Model, id: u32, payload: &Payload, time: u64) -> Vec<(u16, PublicKey)> {
        let Some(institution) = model.institutions.get(&id) else { return vec![(0, self.new_key())] };
        let usable = self.usable_keys(model, id, payload, time);
        if usable.is_empty() || self.random.one_in(12) {
            let index = self.random.below(institution.keys.len());
            vec![(u16::try_from(index).unwrap(), institution.keys[index].given.key)]
        } else {
            vec![self.random.pick(&usable)]
        }
    }

    /// Enough authorities, mostly.
    fn joint_keys(&mut self, model: &Model) -> Vec<(u16, PublicKey)> {
        let live: Vec<_> = model.authorities.iter().filter(|(_, record)| !record.keys.is_empty()).collect();
        let wanted = model.approvals_needed();
        let leave_out = (self.random.one_in(8)).then(|| self.random.below(live.len()));
        let all = self.random.one_in(2);
        let mut keys = vec![];
        let mut approving = 0;
        for (place, (id, record)) in live.into_iter().enumerate() {
            if leave_out == Some(place) || (!all && approving >= wanted) {
                continue;
            }
            approving += 1;
            let least = usize::from(record.threshold) - usize::from(self.random.one_in(25));
            let signing = (0_u8..).zip(record.keys.iter()).take(least);
            keys.extend(signing.map(|(position, key)| (joint_key(AuthorityId::new(*id), position).get(), *key)));
        }
        keys
    }

    /// A decision that was never used, mostly.
    pub(super) fn decision(&mut self) -> DecisionRef {
        let mut bytes = [0xde; 32];
        let number = if self.random.one_in(12) { self.fresh.saturating_sub(8) } else { self.fresh() };
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        if self.random.one_in(25) { DecisionRef::NONE } else { DecisionRef::new(bytes) }
    }
}
