//! Who is on stage: names, numbers and keys, as the accepted lines made them. Nothing here is read from the ledger.

use std::collections::BTreeMap;

use sigeli_verifier::{
    ids::{
        AuthorityId, AuthoritySequence, GovernanceSequence, Height, InstitutionId, KeyIndex, PermissionId, ProgrammeId,
    },
    transaction::{Name, Sender, SignedTransaction, joint_key},
};

use crate::{
    found::{AUTHORITIES, height},
    words::Words,
};

/// Institutions that have a number without being given one.
const INSTITUTIONS: [(&str, u32); 5] = [("GTU", 7), ("TSU", 8), ("ISU", 9), ("KIU", 10), ("ESU", 11)];

#[derive(Debug, Clone)]
pub(crate) struct Authority {
    pub(crate) id: AuthorityId,
    /// The roles whose keys it has.
    pub(crate) keys: Vec<String>,
    pub(crate) threshold: u8,
    sequence: u64,
}

/// Titles of a programme, Georgian and English.
pub(crate) type Titles = (Name, Name);

/// What an accepted transaction changes on stage.
#[derive(Debug, Clone)]
pub(crate) enum Learn {
    Keys(InstitutionId, Vec<String>),
    Programme(InstitutionId, Titles),
    Permission(InstitutionId, String),
    /// One that takes another's place.
    Instead(InstitutionId, String, PermissionId),
    /// One more entry in a permission's history.
    Changed(InstitutionId, PermissionId),
    AuthorityKeys(String, Vec<String>, u8),
    Authority(String, AuthorityId, Vec<String>, u8),
    Ended(String),
}

/// Who sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    Institution(InstitutionId),
    Authority(String),
    Jointly(Vec<String>),
}

#[derive(Debug, Default)]
pub(crate) struct Cast {
    authorities: BTreeMap<String, Authority>,
    joint_sequence: u64,
    keys: BTreeMap<InstitutionId, Vec<String>>,
    permissions: BTreeMap<(InstitutionId, String), PermissionId>,
    granted: BTreeMap<InstitutionId, u32>,
    /// How often permissions were changed.
    changes: BTreeMap<(InstitutionId, PermissionId), u32>,
    programmes: BTreeMap<InstitutionId, Vec<Titles>>,
    heights: BTreeMap<String, Height>,
    sent: BTreeMap<String, SignedTransaction>,
    decisions: u32,
}

impl Cast {
    pub(crate) fn new() -> Self {
        let authority = |(name, id, _, keys, threshold): (&str, u8, _, u8, u8)| {
            let keys = (0..keys).map(|index| format!("{name}.{index}")).collect();
            (name.to_owned(), Authority { id: AuthorityId::new(id), keys, threshold, sequence: 0 })
        };
        Self { authorities: AUTHORITIES.into_iter().map(authority).collect(), ..Self::default() }
    }

    /// `GTU`, `NCEQE`, `Ministry+NCEQE`, `everyone`, or `NCEQE jointly`.
    pub(crate) fn actor(&self, words: &mut Words) -> Result<Actor, String> {
        let word = words.word()?;
        let jointly = words.take("jointly");
        if word == "everyone" {
            let present = self.authorities.keys().filter(|name| !name.starts_with("former-"));
            return Ok(Actor::Jointly(present.cloned().collect()));
        }
        if jointly || word.contains('+') {
            return Ok(Actor::Jointly(word.split('+').map(str::to_owned).collect()));
        }
        if self.authorities.contains_key(&word) || word.starts_with("authority-") {
            return Ok(Actor::Authority(word));
        }
        Ok(Actor::Institution(institution(&word)?))
    }

    /// An authority by its name; one that never was by its number: `authority-9`.
    pub(crate) fn authority(&self, word: &str) -> Result<Authority, String> {
        if let Some(known) = self.authorities.get(word) {
            return Ok(known.clone());
        }
        let number = word.strip_prefix("authority-").and_then(|number| number.parse().ok());
        let id = AuthorityId::new(number.ok_or_else(|| format!("{word:?} is no authority"))?);
        Ok(Authority { id, keys: Vec::new(), threshold: 1, sequence: 0 })
    }

    pub(crate) fn sender(&self, actor: &Actor, sequence: Option<u64>) -> Result<Sender, String> {
        Ok(match actor {
            Actor::Institution(institution) => Sender::Institution { institution: *institution },
            Actor::Authority(name) => {
                let authority = self.authority(name)?;
                let sequence = AuthoritySequence::new(sequence.unwrap_or(authority.sequence + 1));
                Sender::Authority { authority: authority.id, sequence }
            }
            Actor::Jointly(_) => {
                Sender::Authorities { sequence: GovernanceSequence::new(sequence.unwrap_or(self.joint_sequence + 1)) }
            }
        })
    }

    /// The keys that sign when nothing is said: an institution's first, an authority's first as many as it needs.
    pub(crate) fn signers(&self, actor: &Actor) -> Result<Vec<(KeyIndex, String)>, String> {
        let enough = |name: &String| {
            let authority = self.authority(name)?;
            let keys = authority.keys.into_iter().take(usize::from(authority.threshold));
            Ok::<_, String>((authority.id, (0_u8..).zip(keys).collect::<Vec<_>>()))
        };
        match actor {
            Actor::Institution(institution) => Ok(vec![(KeyIndex::new(0), self.key(*institution, 0))]),
            Actor::Authority(name) => {
                let keys = enough(name)?.1;
                Ok(keys.into_iter().map(|(index, role)| (KeyIndex::new(index.into()), role)).collect())
            }
            Actor::Jointly(names) => {
                let mut signers = Vec::new();
                for name in names {
                    let (id, keys) = enough(name)?;
                    signers.extend(keys.into_iter().map(|(index, role)| (joint_key(id, index), role)));
                }
                Ok(signers)
            }
        }
    }

    /// `0,2` or `1=GTU.0`; jointly `Ministry.0,NCEQE.1=EMIS.0`. After `=` stands whose key signs in truth.
    pub(crate) fn signers_said(&self, actor: &Actor, said: &[String]) -> Result<Vec<(KeyIndex, String)>, String> {
        said.iter().map(|entry| self.signer(actor, entry)).collect()
    }

    fn signer(&self, actor: &Actor, entry: &str) -> Result<(KeyIndex, String), String> {
        let (key, role) = entry.split_once('=').map_or((entry, None), |(key, role)| (key, Some(role.to_owned())));
        let wrong = || format!("{entry:?} is no key");
        let number = |text: &str| text.parse::<u16>().map_err(|_| wrong());
        match actor {
            Actor::Institution(institution) => {
                let index = number(key)?;
                Ok((KeyIndex::new(index), role.unwrap_or_else(|| self.key(*institution, index))))
            }
            Actor::Authority(name) => {
                let index = number(key)?;
                let own = self.authority(name)?.keys.get(usize::from(index)).cloned();
                Ok((KeyIndex::new(index), role.or(own).unwrap_or_else(|| format!("{name}.{index}"))))
            }
            Actor::Jointly(_) => {
                let (name, index) = key.split_once('.').ok_or_else(wrong)?;
                let authority = self.authority(name)?;
                let index = u8::try_from(number(index)?).map_err(|_| wrong())?;
                let own = authority.keys.get(usize::from(index)).cloned();
                Ok((joint_key(authority.id, index), role.or(own).unwrap_or_else(|| format!("{name}.{index}"))))
            }
        }
    }

    /// The role whose key an institution has at this place.
    fn key(&self, institution: InstitutionId, index: u16) -> String {
        let known = self.keys.get(&institution).and_then(|keys| keys.get(usize::from(index)));
        known.cloned().unwrap_or_else(|| format!("{}.{index}", role_of(institution)))
    }

    pub(crate) fn keys_count(&self, institution: InstitutionId) -> usize {
        self.keys.get(&institution).map_or(0, Vec::len)
    }

    /// A permission by its name in quotation marks, or by its number.
    pub(crate) fn permission(&self, institution: InstitutionId, words: &mut Words) -> Result<PermissionId, String> {
        if !words.quoted_comes() {
            return words.number().map(PermissionId::new);
        }
        let label = words.quoted()?;
        let known = self.permissions.get(&(institution, label.clone())).copied();
        known.ok_or_else(|| format!("no permission {label:?} was granted"))
    }

    /// The number that the next change of a permission gets: the grant is the first.
    pub(crate) fn change_next(&self, institution: InstitutionId, permission: PermissionId) -> u32 {
        self.changes.get(&(institution, permission)).copied().unwrap_or(0) + 2
    }

    fn changed(&mut self, institution: InstitutionId, permission: PermissionId) {
        *self.changes.entry((institution, permission)).or_default() += 1;
    }

    fn granted(&mut self, institution: InstitutionId, label: String) {
        let count = self.granted.entry(institution).or_default();
        *count += 1;
        self.permissions.insert((institution, label), PermissionId::new(*count));
    }

    pub(crate) fn programme_next(&self, institution: InstitutionId) -> ProgrammeId {
        ProgrammeId::new(u32::try_from(self.programmes.get(&institution).map_or(0, Vec::len)).unwrap() + 1)
    }

    pub(crate) fn titles(&self, institution: InstitutionId, programme: ProgrammeId) -> Option<Titles> {
        let place = usize::try_from(programme.get()).unwrap().checked_sub(1)?;
        self.programmes.get(&institution)?.get(place).cloned()
    }

    /// `now` is the block itself; `the block of B1`, `the block before B1`, `the block after B1` rest on a line that was
    /// accepted; `block 5` is a number.
    pub(crate) fn height(&self, now: Height, words: &mut Words) -> Result<Height, String> {
        if words.take("now") {
            return Ok(Height::new(0));
        }
        if words.take("block") {
            return height(&words.word()?);
        }
        if words.take("this") {
            words.expect("block")?;
            return Ok(now);
        }
        words.expect("the")?;
        if words.take("next") {
            words.expect("block")?;
            return Ok(now.next());
        }
        words.expect("block")?;
        let place = words.word()?;
        let label = words.word()?;
        let known = *self.heights.get(&label).ok_or_else(|| format!("no line {label:?} was accepted"))?;
        match place.as_str() {
            "of" => Ok(known),
            "before" => Ok(Height::new(known.get() - 1)),
            "after" => Ok(known.next()),
            _ => Err(format!("{place:?} is not of, before or after")),
        }
    }

    /// `{B1}` stands for the height of the block that holds B1.
    pub(crate) fn with_heights(&self, text: &str) -> Result<String, String> {
        let Some((before, rest)) = text.split_once('{') else { return Ok(text.to_owned()) };
        let (label, after) = rest.split_once('}').ok_or("a brace is not closed")?;
        let height = self.heights.get(label).ok_or_else(|| format!("no line {label:?} was accepted"))?;
        Ok(format!("{before}{height}{}", self.with_heights(after)?))
    }

    /// A decision that no other line names.
    pub(crate) fn new_decision(&mut self) -> String {
        self.decisions += 1;
        format!("decision {}", self.decisions)
    }

    pub(crate) fn sent(&self, label: &str) -> Result<SignedTransaction, String> {
        self.sent.get(label).cloned().ok_or_else(|| format!("no line {label:?} was sent"))
    }

    pub(crate) fn remember_sent(&mut self, label: String, transaction: SignedTransaction) {
        self.sent.insert(label, transaction);
    }

    /// A line was accepted.
    pub(crate) fn accept(&mut self, actor: &Actor, learn: Option<Learn>, label: Option<String>, height: Height) {
        match actor {
            Actor::Institution(_) => {}
            Actor::Authority(name) => self.authorities.get_mut(name).unwrap().sequence += 1,
            Actor::Jointly(_) => self.joint_sequence += 1,
        }
        if let Some(label) = label {
            self.heights.insert(label, height);
        }
        match learn {
            Some(Learn::Keys(institution, keys)) => self.keys.entry(institution).or_default().extend(keys),
            Some(Learn::Programme(institution, titles)) => self.programmes.entry(institution).or_default().push(titles),
            Some(Learn::Permission(institution, label)) => self.granted(institution, label),
            Some(Learn::Instead(institution, label, old)) => {
                self.granted(institution, label);
                self.changed(institution, old);
            }
            Some(Learn::Changed(institution, permission)) => self.changed(institution, permission),
            Some(Learn::AuthorityKeys(name, keys, threshold)) => {
                let authority = self.authorities.get_mut(&name).unwrap();
                authority.keys = keys;
                authority.threshold = threshold;
            }
            Some(Learn::Authority(name, id, keys, threshold)) => {
                let sequence = self.authorities.get(&name).map_or(0, |known| known.sequence);
                self.authorities.insert(name, Authority { id, keys, threshold, sequence });
            }
            // It keeps its name and its number, but takes no part.
            Some(Learn::Ended(name)) => {
                let ended = self.authorities.remove(&name).unwrap();
                self.authorities.insert(format!("former-{name}"), ended);
            }
            None => {}
        }
    }
}

/// An institution by its name, or by its number: `institution-13`.
pub(crate) fn institution(word: &str) -> Result<InstitutionId, String> {
    let known = INSTITUTIONS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    let number = known.or_else(|| word.strip_prefix("institution-").and_then(|number| number.parse().ok()));
    number.map(InstitutionId::new).ok_or_else(|| format!("{word:?} is neither an authority nor an institution"))
}

/// The name from which an institution's keys are derived.
pub(crate) fn role_of(institution: InstitutionId) -> String {
    let known = INSTITUTIONS.iter().find(|(_, number)| *number == institution.get());
    known.map_or_else(|| format!("institution-{institution}"), |(name, _)| (*name).to_owned())
}
