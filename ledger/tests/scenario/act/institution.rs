//! Institutions, their keys and programmes.

use sigeli_verifier::{
    bounded::{List, Text},
    ids::{Height, InstitutionId, KeyIndex, ProfileHash, ProgrammeId},
    time::{Day, Window},
    transaction::*,
};

use super::{Act, Stage, georgian, year};
use crate::{
    cast::{Actor, Learn, institution, role_of},
    found::{derived, public},
    text::day,
    words::{Words, code, name},
};

impl Stage<'_> {
    /// `all,anchor+status,admin=GTU.0,anchor/2027-02-01..2027-02-28`: purposes, whose key it is in truth, on which days.
    fn keys(&mut self, whose: InstitutionId, first: usize) -> Result<(Vec<InstitutionKey>, Vec<String>), String> {
        let (mut keys, mut roles) = (Vec::new(), Vec::new());
        for word in self.words.list()? {
            let (word, window) = match word.split_once('/') {
                Some((word, days)) => {
                    let (from, until) = days.split_once("..").ok_or("days are FIRST..LAST")?;
                    let window = Window::new(day(from)?, day(until)?).ok_or("the last day is before the first")?;
                    (word.to_owned(), window)
                }
                None => (word, Window::new(year().first(), Day::from_civil(2036, 12, 31).unwrap()).unwrap()),
            };
            let usual = format!("{}.{}", role_of(whose), first + roles.len());
            let (purposes, role) =
                word.split_once('=').map_or((word.as_str(), usual), |(purposes, role)| (purposes, role.to_owned()));
            keys.push(InstitutionKey { purposes: purposes_of(purposes)?, key: public(&role), window });
            roles.push(role);
        }
        Ok((keys, roles))
    }

    pub(super) fn registers(&mut self) -> Result<Act, String> {
        let word = self.words.word()?;
        let institution = institution(&word)?;
        let usual = format!("{:09}", 211_349_192 + institution.get());
        let mut register = InstitutionRegister {
            institution,
            kind: InstitutionKind::University,
            jurisdiction: *b"GEO",
            legal_id: Text::new(&usual).unwrap(),
            name_ka: name(&word)?,
            name_en: name(&word)?,
            profile: ProfileHash::new([0; 32]),
            decision: self.decision(),
            keys: List::empty(),
        };
        let mut keys = None;
        while !self.words.is_empty() {
            match self.words.word()?.as_str() {
                "kind" => register.kind = code(InstitutionKind::ALL, &self.words.word()?)?,
                "country" => {
                    let country = self.words.word()?;
                    register.jurisdiction = country.as_bytes().try_into().map_err(|_| "a country has three letters")?;
                }
                "legal-id" => {
                    register.legal_id = Text::new(&self.words.quoted()?).map_err(|error| error.to_string())?;
                }
                "name-ka" => register.name_ka = self.words.name()?,
                "name-en" => register.name_en = self.words.name()?,
                "keys" => keys = Some(self.keys(institution, 0)?),
                other => return Err(format!("{other:?} is nothing that an institution is registered with")),
            }
        }
        let (keys, roles) = match keys {
            Some(keys) => keys,
            None => Stage { words: &mut Words::read("all,anchor,status,admin")?, ..*self }.keys(institution, 0)?,
        };
        register.keys = List::new(keys).map_err(|error| error.to_string())?;
        Ok(Act::learning(Payload::InstitutionRegister(register), Learn::Keys(institution, roles)))
    }

    pub(super) fn renames(&mut self) -> Result<Act, String> {
        let institution = self.institution()?;
        self.words.expect("to")?;
        let (name_ka, name_en) = (self.words.name()?, self.words.name()?);
        let kind = if self.words.take("kind") {
            code(InstitutionKind::ALL, &self.words.word()?)?
        } else {
            InstitutionKind::University
        };
        let decision = self.decision();
        let profile = ProfileHash::new(derived(b'p', name_en.as_str()));
        let update = InstitutionUpdate { institution, decision, kind, name_ka, name_en, profile };
        Ok(Payload::InstitutionUpdate(update).into())
    }

    pub(super) fn closes(&mut self) -> Result<Act, String> {
        let institution = self.institution()?;
        let from = if self.words.take("from") { self.words.day()? } else { self.today() };
        let reason = self.because(DecisionReason::Closed)?;
        let successor = if self.words.take("into") { self.institution()? } else { InstitutionId::new(0) };
        let close = InstitutionClose { institution, decision: self.decision(), from, reason, successor };
        Ok(Payload::InstitutionClose(close).into())
    }

    pub(super) fn adds(&mut self) -> Result<Act, String> {
        self.words.expect("keys")?;
        // Whose keys are added is said after the keys, so that they are read twice.
        let mut ahead = self.words.clone();
        ahead.word()?;
        let institution = Stage { words: &mut ahead, ..*self }.whose()?;
        let (keys, roles) = self.keys(institution, self.cast.keys_count(institution))?;
        self.whose()?;
        let keys = List::new(keys).map_err(|error| error.to_string())?;
        let add = KeysAdd { institution, decision: self.decision(), keys };
        Ok(Act::learning(Payload::KeysAdd(add), Learn::Keys(institution, roles)))
    }

    pub(super) fn retires(&mut self) -> Result<Act, String> {
        self.words.expect("key")?;
        let key = self.words.number().map(KeyIndex::new)?;
        let institution = self.whose()?;
        Ok(Payload::KeyRetire(KeyRetire { institution, decision: self.decision(), key }).into())
    }

    pub(super) fn declares(&mut self) -> Result<Act, String> {
        self.words.expect("key")?;
        let key = self.words.number().map(KeyIndex::new)?;
        let institution = self.whose()?;
        self.words.expect("compromised")?;
        let from =
            if self.words.take("from") { self.cast.height(self.scene.height, self.words)? } else { Height::new(0) };
        Ok(Payload::KeyCompromise(KeyCompromise { institution, decision: self.decision(), key, from }).into())
    }

    pub(super) fn programme(&mut self) -> Result<Act, String> {
        let Actor::Institution(by) = *self.actor else { return Err("an institution registers programmes".to_owned()) };
        let usual = self.cast.programme_next(by);
        let programme = if self.words.quoted_comes() { usual } else { self.words.number().map(ProgrammeId::new)? };
        let title_en = self.words.name()?;
        let mut title_ka = georgian(title_en.as_str())?;
        let mut partners = Vec::new();
        while !self.words.is_empty() {
            match self.words.word()?.as_str() {
                "with" => {
                    partners = self.words.list()?.iter().map(|word| institution(word)).collect::<Result<_, _>>()?;
                }
                "title-ka" => title_ka = self.words.name()?,
                other => return Err(format!("{other:?} is nothing that a programme is registered with")),
            }
        }
        let learn = Learn::Programme(by, (title_ka.clone(), title_en.clone()));
        let partners = List::new(partners).map_err(|error| error.to_string())?;
        let register = ProgrammeRegister { programme, title_ka, title_en, partners };
        Ok(Act::learning(Payload::ProgrammeRegister(register), learn))
    }

    pub(super) fn reopens(&mut self) -> Result<Act, String> {
        let institution = self.institution()?;
        let reason = self.because(DecisionReason::ErrorCorrected)?;
        let decision = self.decision();
        Ok(Payload::InstitutionReopen(InstitutionReopen { institution, decision, reason }).into())
    }
}

fn purposes_of(word: &str) -> Result<KeyPurposes, String> {
    let mut bits = 0;
    for purpose in word.split('+') {
        bits |= match purpose {
            "all" => KeyPurposes::ALL.get(),
            "anchor" => KeyPurposes::ANCHOR.get(),
            "status" => KeyPurposes::STATUS.get(),
            "admin" => KeyPurposes::ADMIN.get(),
            other => return Err(format!("{other:?} is no purpose of a key")),
        };
    }
    KeyPurposes::new(bits).ok_or_else(|| "a key has a purpose".to_owned())
}
