//! Authorities, policy, upgrades.

use sigeli_verifier::{
    bounded::List,
    ids::{AuthorityId, Height},
    transaction::*,
};

use super::{Act, Stage};
use crate::{
    cast::{Actor, Learn},
    found::{public, set_policy},
    words::{code, name},
};

impl Stage<'_> {
    /// `changes its keys to NCEQE.1,NCEQE.7 threshold 2`.
    pub(super) fn own_keys(&mut self) -> Result<Act, String> {
        self.words.expect("its")?;
        self.words.expect("keys")?;
        self.words.expect("to")?;
        let roles = self.words.list()?;
        let threshold = self.threshold()?;
        let keys = List::new(roles.iter().map(|role| public(role)).collect()).map_err(|error| error.to_string())?;
        let set = AuthorityKeysSet { decision: self.decision(), keys, threshold, log_keys: List::empty() };
        let learn = match self.actor {
            Actor::Authority(name) => Some(Learn::AuthorityKeys(name.clone(), roles, threshold)),
            _ => None,
        };
        Ok(Act { learn, ..Act::from(Payload::AuthorityKeysSet(set)) })
    }

    fn threshold(&mut self) -> Result<u8, String> {
        if self.words.take("threshold") { self.words.number() } else { Ok(1) }
    }

    /// `sets authority ESFA number 5 kind operator keys ESFA.0 threshold 1`.
    pub(super) fn authority(&mut self) -> Result<Act, String> {
        self.words.expect("authority")?;
        let word = self.words.word()?;
        let known = self.cast.authority(&word).ok();
        let mut id = known.as_ref().map(|known| known.id);
        let mut roles = known.as_ref().map_or_else(|| vec![format!("{word}.0")], |known| known.keys.clone());
        let mut threshold = known.map_or(1, |known| known.threshold);
        let (mut kind, mut name_ka, mut name_en) = (AuthorityKind::Operator, name(&word)?, name(&word)?);
        while !self.words.is_empty() {
            match self.words.word()?.as_str() {
                "number" => id = Some(AuthorityId::new(self.words.number()?)),
                "kind" => kind = code(AuthorityKind::ALL, &self.words.word()?)?,
                "keys" => roles = self.words.list()?,
                "threshold" => threshold = self.words.number()?,
                "name-ka" => name_ka = self.words.name()?,
                "name-en" => name_en = self.words.name()?,
                other => return Err(format!("{other:?} is nothing that an authority has")),
            }
        }
        let authority = id.ok_or("a new authority needs a number")?;
        let keys = List::new(roles.iter().map(|role| public(role)).collect()).map_err(|error| error.to_string())?;
        let decision = self.decision();
        let log_keys = List::empty();
        let set = AuthoritySet { decision, authority, kind, name_ka, name_en, keys, threshold, log_keys };
        Ok(Act::learning(Payload::AuthoritySet(set), Learn::Authority(word, authority, roles, threshold)))
    }

    /// `announces version 2 in 100 blocks`, or `at block 0`.
    pub(super) fn announces(&mut self) -> Result<Act, String> {
        self.words.expect("version")?;
        let version = self.words.number()?;
        let height = if self.words.take("in") {
            let blocks: u64 = self.words.number()?;
            self.words.expect("blocks")?;
            Height::new(self.scene.height.get() + blocks)
        } else {
            self.words.expect("at")?;
            self.words.expect("block")?;
            Height::new(self.words.number()?)
        };
        let decision = self.decision();
        Ok(Payload::UpgradeSchedule(UpgradeSchedule { decision, version, height }).into())
    }

    pub(super) fn sets_policy(&mut self) -> Result<Act, String> {
        let mut policy = self.scene.policy;
        set_policy(&mut policy, self.words)?;
        Ok(Payload::PolicySet(PolicySet { decision: self.decision(), policy }).into())
    }

    pub(super) fn ends(&mut self) -> Result<Act, String> {
        let word = self.words.word()?;
        let remove = AuthorityRemove { decision: self.decision(), authority: self.cast.authority(&word)?.id };
        Ok(Act::learning(Payload::AuthorityRemove(remove), Learn::Ended(word)))
    }
}
