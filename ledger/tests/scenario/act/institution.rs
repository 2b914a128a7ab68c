//! Institutions, their keys and programmes.

use sigeli_verifier::{
    bounded::{List, Text},
    ids::{Height, InstitutionId, KeyIndex, ProfileHash, ProgrammeId},
    params::LEGAL_ID_BYTES_MAX,
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
        let mut register = InstitutionRegister {
            institution,
            kind: InstitutionKind::University,
            jurisdiction: *b"GEO",
            legal_id: usual_legal_id(institution),
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
                "country" => register.jurisdiction = self.country()?,
                "legal-id" => register.legal_id = self.legal_id()?,
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

    fn country(&mut self) -> Result<[u8; 3], String> {
        let country = self.words.word()?;
        country.as_bytes().try_into().map_err(|_| "a country has three letters".to_owned())
    }

    fn legal_id(&mut self) -> Result<Text<LEGAL_ID_BYTES_MAX>, String> {
        Text::new(&self.words.quoted()?).map_err(|error| error.to_string())
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
        let jurisdiction = if self.words.take("country") { self.country()? } else { *b"GEO" };
        let legal_id = if self.words.take("legal-id") { self.legal_id()? } else { usual_legal_id(institution) };
        let update =
            InstitutionUpdate { institution, decision, kind, jurisdiction, legal_id, name_ka, name_en, profile };
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
        let (first, last) = self.key_range()?;
        let institution = self.whose()?;
        self.words.expect("compromised")?;
        let from =
            if self.words.take("from") { self.cast.height(self.scene.height, self.words)? } else { Height::new(0) };
        let decision = self.decision();
        Ok(Payload::KeyCompromise(KeyCompromise { institution, decision, first, last, from }).into())
    }

    pub(super) fn clears(&mut self) -> Result<Act, String> {
        let (first, last) = self.key_range()?;
        let institution = self.whose()?;
        Ok(Payload::KeyClear(KeyClear { institution, decision: self.decision(), first, last }).into())
    }

    /// `key 4`, or `keys 4..9`.
    fn key_range(&mut self) -> Result<(KeyIndex, KeyIndex), String> {
        if self.words.take("key") {
            let key = self.words.number().map(KeyIndex::new)?;
            return Ok((key, key));
        }
        self.words.expect("keys")?;
        let word = self.words.word()?;
        let wrong = || format!("{word:?} are no keys such as 4..9");
        let (first, last) = word.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.parse().map(KeyIndex::new).map_err(|_| wrong());
        Ok((number(first)?, number(last)?))
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

/// The legal id of an institution of which none is said.
fn usual_legal_id(institution: InstitutionId) -> Text<LEGAL_ID_BYTES_MAX> {
    Text::new(&format!("{:09}", 211_349_192 + institution.get())).unwrap()
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
