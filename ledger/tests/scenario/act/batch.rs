//! Batches and statuses of credentials.

use sigeli_verifier::{
    batch::BatchHeight,
    bounded::List,
    ids::{BatchRoot, EctsTenths, PermissionId, StatusHandle},
    transaction::*,
};

use super::{Act, Stage, credential, handle, root};
use crate::{
    cast::Actor,
    words::{Words, code},
};

/// Stands for the number of the next entry, until whoever plays the line looks it up.
const NEXT: u32 = 0;

impl Stage<'_> {
    pub(super) fn anchors(&mut self) -> Result<Act, String> {
        let Actor::Institution(by) = *self.actor else { return Err("an institution anchors batches".to_owned()) };
        let label = self.words.word()?;
        let mut accreditation = None;
        let mut anchor = BatchAnchor {
            root: root(&label),
            height: BatchHeight::new(10).unwrap(),
            hash_algorithm: HashAlgorithm::Blake3,
            accreditation: PermissionId::new(0),
            level: Level::new(6).unwrap(),
            field: Field::new(613).unwrap(),
            ects: EctsTenths::new(30),
            issued: self.today(),
            credential_type: CredentialType::MicroCredential,
        };
        while !self.words.is_empty() {
            match self.words.word()?.as_str() {
                "under" => accreditation = Some(self.cast.permission(by, self.words)?),
                "level" => anchor.level = self.words.level()?,
                "field" => {
                    let word = self.words.word()?;
                    let digits = word.len() == 4;
                    let field = word.parse().ok().filter(|_| digits).and_then(Field::new);
                    anchor.field = field.ok_or_else(|| format!("{word:?} is no field of four digits"))?;
                }
                "ects" => anchor.ects = self.words.ects()?,
                "issued" => anchor.issued = self.words.day()?,
                "type" => anchor.credential_type = code(CredentialType::ALL, &self.words.word()?)?,
                "height" => {
                    let height = BatchHeight::new(self.words.number()?);
                    anchor.height = height.ok_or("a batch tree has a height from 4 to 20")?;
                }
                other => return Err(format!("{other:?} is nothing that a batch states")),
            }
        }
        anchor.accreditation = match accreditation {
            Some(given) => given,
            None => self.cast.permission(by, &mut Words::read("\"Data analysis\"")?)?,
        };
        Ok(Act { label: Some(label), ..Act::from(Payload::BatchAnchor(anchor)) })
    }

    pub(super) fn batch(&mut self, verb: &str) -> Result<Act, String> {
        let label = self.words.word()?;
        let institution = self.whose()?;
        let (action, usual) = match verb {
            "suspends" => (BatchAction::Suspend, StatusReason::UnderReview),
            "reinstates" => (BatchAction::Reinstate, StatusReason::ReviewEnded),
            "revokes" => (BatchAction::Revoke, StatusReason::IssuedInError),
            other => return Err(format!("{other:?} is nothing that happens to a batch")),
        };
        let reason = self.status_reason(usual)?;
        let (decision, root, entry) = (self.decision(), root(&label), NEXT);
        let set = BatchStatusSet { institution, decision, root, entry, action, reason };
        Ok(Payload::BatchStatusSet(set).into())
    }

    /// `annuls batch B1,B2 of GTU`: the ledger wants them in the order of their roots, unless the line says `as written`.
    pub(super) fn annuls_batches(&mut self) -> Result<Act, String> {
        let mut roots: Vec<BatchRoot> = self.words.list()?.iter().map(|label| root(label)).collect();
        let institution = self.whose()?;
        if self.words.take("as") {
            self.words.expect("written")?;
        } else {
            roots.sort();
        }
        let entries = roots.into_iter().map(|root| BatchAnnulEntry { root, entry: NEXT }).collect();
        let entries = List::new(entries).map_err(|error| error.to_string())?;
        Ok(Payload::BatchAnnul(BatchAnnul { institution, decision: self.decision(), entries }).into())
    }

    /// `suspends credential C1 of GTU because order; revokes credential C2,C3 of GTU`, this many times over.
    pub(super) fn statuses(&mut self, times: usize, verb: &str) -> Result<Act, String> {
        let (mut entries, mut whose) = (Vec::new(), None);
        let mut verb = verb.to_owned();
        loop {
            let (action, usual) = match verb.as_str() {
                "suspends" => (StatusAction::Suspend, StatusReason::UnderReview),
                "reinstates" => (StatusAction::Reinstate, StatusReason::ReviewEnded),
                "revokes" => (StatusAction::Revoke, StatusReason::IssuedInError),
                "supersedes" => (StatusAction::Supersede, StatusReason::Superseded),
                other => return Err(format!("{other:?} is nothing that happens to a credential")),
            };
            let handles = self.handles()?;
            let supersedes = action == StatusAction::Supersede;
            let by_nothing = supersedes && self.words.take("by-nothing");
            let successor = if supersedes && !by_nothing { [9; 32] } else { [0; 32] };
            if self.words.take("of") {
                whose = Some(self.institution()?);
            }
            let reason = self.status_reason(usual)?;
            entries.extend(handles.into_iter().map(|handle| StatusEntry {
                handle,
                entry: NEXT,
                action,
                reason,
                successor,
            }));
            if !self.words.take(";") {
                break;
            }
            verb = self.words.word()?;
        }
        let entries: Vec<_> = (0..times).flat_map(|_| entries.iter().copied()).collect();
        let entries = List::new(entries).map_err(|error| error.to_string())?;
        match (self.actor, whose) {
            (Actor::Institution(_), None) => Ok(Payload::StatusSet(StatusSet { entries }).into()),
            (Actor::Institution(_), Some(_)) => Err("an institution has no words for others' credentials".to_owned()),
            (_, whose) => {
                let institution = whose.ok_or("whose credentials?")?;
                Ok(Payload::StatusOrder(StatusOrder { institution, decision: self.decision(), entries }).into())
            }
        }
    }

    /// `credential C1,C2`, `credential C1..C6`, `credential none`.
    fn handles(&mut self) -> Result<Vec<StatusHandle>, String> {
        self.words.expect("credential")?;
        let mut handles = Vec::new();
        for word in self.words.list()? {
            let (first, last) = word.split_once("..").unwrap_or((&word, &word));
            handles.extend((credential(first)?..=credential(last)?).map(handle));
        }
        Ok(handles)
    }

    pub(super) fn annuls_statuses(&mut self) -> Result<Act, String> {
        let entries = self.handles()?.into_iter().map(|handle| StatusAnnulEntry { handle, entry: NEXT }).collect();
        let entries = List::new(entries).map_err(|error| error.to_string())?;
        let institution = self.whose()?;
        Ok(Payload::StatusAnnul(StatusAnnul { institution, decision: self.decision(), entries }).into())
    }
}
