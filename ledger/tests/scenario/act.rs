//! From the words of a line to the transaction that they describe.

use sigeli_verifier::{
    batch::BatchHeight,
    bounded::{List, Text},
    ids::{
        AuthorityId, BatchRoot, DecisionRef, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, ProfileHash,
        ProgrammeId, StatusHandle, TimeMs,
    },
    record::Policy,
    time::{Day, Window},
    transaction::*,
};

use crate::{
    cast::{Actor, Cast, Learn, institution, role_of},
    found::{padded, public, set_policy},
    text::day,
    words::{Words, code, name, small},
};

/// What a line asks for.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) payload: Payload,
    pub(crate) learn: Option<Learn>,
    /// By what later lines may speak of it.
    pub(crate) label: Option<String>,
}

/// What stands around a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    /// The block's time.
    pub(crate) time: TimeMs,
    /// The block's height.
    pub(crate) height: Height,
    /// The policy at the head.
    pub(crate) policy: Policy,
    /// The decision that authorities name.
    pub(crate) decision: DecisionRef,
}

impl From<Payload> for Act {
    fn from(payload: Payload) -> Self {
        Self { payload, learn: None, label: None }
    }
}

impl Act {
    fn learning(payload: Payload, learn: Learn) -> Self {
        Self { learn: Some(learn), ..Self::from(payload) }
    }
}

/// Reads an action after its actor.
pub(crate) fn read(cast: &Cast, scene: &Scene, actor: &Actor, mut words: Words) -> Result<Act, String> {
    let mut stage = Stage { cast, scene, actor, words: &mut words };
    let act = stage.act()?;
    words.finish()?;
    Ok(act)
}

struct Stage<'a> {
    cast: &'a Cast,
    scene: &'a Scene,
    actor: &'a Actor,
    words: &'a mut Words,
}

/// From and until when, unless a line says something else: the ledger's first year.
fn year() -> Window {
    Window::new(Day::from_civil(2027, 1, 1).unwrap(), Day::from_civil(2027, 12, 31).unwrap()).unwrap()
}

impl Stage<'_> {
    fn act(&mut self) -> Result<Act, String> {
        let verb = self.words.word()?;
        match verb.as_str() {
            "registers" if self.words.take("programme") => self.programme(),
            "registers" => self.registers(),
            "renames" => self.renames(),
            "closes" => self.closes(),
            "reopens" => {
                let institution = self.institution()?;
                let reason = self.because(DecisionReason::ErrorCorrected)?;
                Ok(Payload::InstitutionReopen(InstitutionReopen { institution, decision: self.scene.decision, reason })
                    .into())
            }
            "adds" => self.adds(),
            "retires" => self.retires(),
            "declares" => self.declares(),
            "grants" => {
                let (grant, label) = self.grant()?;
                let learn = Learn::Permission(grant.institution, label.clone());
                Ok(Act { label: Some(label), ..Act::learning(Payload::PermissionGrant(grant), learn) })
            }
            "replaces" => self.replaces(),
            "anchors" => self.anchors(),
            "annuls" if self.words.take("withdrawal") => self.annuls_withdrawal(),
            "annuls" if self.words.take("batch") => self.batch("annuls"),
            "annuls" => self.annuls_statuses(),
            "suspends" | "reinstates" | "withdraws" if self.words.take("permission") => self.permission(&verb),
            "suspends" | "reinstates" | "revokes" if self.words.take("batch") => self.batch(&verb),
            "suspends" | "reinstates" | "revokes" | "supersedes" => self.statuses(1, &verb),
            "changes" => self.own_keys(),
            "sets" if self.words.take("policy") => {
                let mut policy = self.scene.policy;
                set_policy(&mut policy, self.words)?;
                Ok(Payload::PolicySet(PolicySet { decision: self.scene.decision, policy }).into())
            }
            "sets" => self.authority(),
            "ends" => {
                let word = self.words.word()?;
                let authority = self.cast.authority(&word)?.id;
                let remove = AuthorityRemove { decision: self.scene.decision, authority };
                Ok(Act::learning(Payload::AuthorityRemove(remove), Learn::Ended(word)))
            }
            "announces" => self.announces(),
            times => match times.parse() {
                Ok(times) => {
                    self.words.expect("times")?;
                    let verb = self.words.word()?;
                    self.statuses(times, &verb)
                }
                Err(_) => Err(format!("{verb:?} is nothing that can be done")),
            },
        }
    }

    fn institution(&mut self) -> Result<InstitutionId, String> {
        institution(&self.words.word()?)
    }

    /// `because merged`; the usual reason when nothing is said.
    fn because(&mut self, usual: DecisionReason) -> Result<DecisionReason, String> {
        if !self.words.take("because") {
            return Ok(usual);
        }
        code(DecisionReason::ALL, &self.words.word()?)
    }

    fn status_reason(&mut self, usual: StatusReason) -> Result<StatusReason, String> {
        if !self.words.take("because") {
            return Ok(usual);
        }
        code(StatusReason::ALL, &self.words.word()?)
    }

    /// `of TSU`; the sender itself when nothing is said.
    fn whose(&mut self) -> Result<InstitutionId, String> {
        if self.words.take("of") || self.words.take("to") {
            return self.institution();
        }
        match self.actor {
            Actor::Institution(institution) => Ok(*institution),
            other => Err(format!("of which institution? {other:?} is none")),
        }
    }

    /// An institution acts on its own, an authority on a decision, unless the line says something else.
    const fn decision(&self) -> DecisionRef {
        self.scene.decision
    }

    fn today(&self) -> Day {
        Day::of(self.scene.time)
    }

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

    fn registers(&mut self) -> Result<Act, String> {
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

    fn renames(&mut self) -> Result<Act, String> {
        let institution = self.institution()?;
        self.words.expect("to")?;
        let (name_ka, name_en) = (self.words.name()?, self.words.name()?);
        let kind = if self.words.take("kind") {
            code(InstitutionKind::ALL, &self.words.word()?)?
        } else {
            InstitutionKind::University
        };
        let decision = self.decision();
        let profile = ProfileHash::new(padded(b'p', name_en.as_str()));
        let update = InstitutionUpdate { institution, decision, kind, name_ka, name_en, profile };
        Ok(Payload::InstitutionUpdate(update).into())
    }

    fn closes(&mut self) -> Result<Act, String> {
        let institution = self.institution()?;
        let from = if self.words.take("from") { self.words.day()? } else { self.today() };
        let reason = self.because(DecisionReason::Closed)?;
        let successor = if self.words.take("into") { self.institution()? } else { InstitutionId::new(0) };
        let close = InstitutionClose { institution, decision: self.decision(), from, reason, successor };
        Ok(Payload::InstitutionClose(close).into())
    }

    fn adds(&mut self) -> Result<Act, String> {
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

    fn retires(&mut self) -> Result<Act, String> {
        self.words.expect("key")?;
        let key = self.words.number().map(KeyIndex::new)?;
        let institution = self.whose()?;
        Ok(Payload::KeyRetire(KeyRetire { institution, decision: self.decision(), key }).into())
    }

    fn declares(&mut self) -> Result<Act, String> {
        self.words.expect("key")?;
        let key = self.words.number().map(KeyIndex::new)?;
        let institution = self.whose()?;
        self.words.expect("compromised")?;
        let from =
            if self.words.take("from") { self.cast.height(self.scene.height, self.words)? } else { Height::new(0) };
        Ok(Payload::KeyCompromise(KeyCompromise { institution, decision: self.decision(), key, from }).into())
    }

    fn programme(&mut self) -> Result<Act, String> {
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

    /// `GTU an accreditation "Data analysis" level 6 …`: a permission and its name.
    fn grant(&mut self) -> Result<(PermissionGrant, String), String> {
        let institution = self.institution()?;
        if !self.words.take("an") {
            self.words.expect("a")?;
        }
        let kind = self.words.word()?;
        let label = self.words.quoted()?;
        let mut scope = Scope::new(institution);
        while !self.words.is_empty() {
            scope.read(self.words)?;
        }
        let window = Window::new(scope.from, scope.until).ok_or("the last day is before the first")?;
        let scope_given = match kind.as_str() {
            "authorisation" => PermissionScope::Authorisation,
            "order" => PermissionScope::PilotOrder {
                fields: scope.fields.clone().unwrap_or_else(|| fields(&["06"])),
                levels: Levels::of(&scope.levels).ok_or("an order covers a level")?,
            },
            "accreditation" => PermissionScope::Accreditation(scope.accreditation(self.cast, &label)?),
            other => return Err(format!("{other:?} is no permission")),
        };
        let conditional = scope.conditional;
        Ok((PermissionGrant { institution, decision: self.decision(), window, conditional, scope: scope_given }, label))
    }

    fn replaces(&mut self) -> Result<Act, String> {
        self.words.expect("permission")?;
        let mut ahead = self.words.clone();
        ahead.word()?;
        ahead.expect("of")?;
        let whose = institution(&ahead.word()?)?;
        let replaced = self.cast.permission(whose, self.words)?;
        self.words.expect("of")?;
        self.institution()?;
        let effective = self.effective()?;
        let reason = self.because(DecisionReason::Renewed)?;
        self.words.expect("granting")?;
        let (grant, label) = self.grant()?;
        let learn = Learn::Permission(grant.institution, label.clone());
        let replace = PermissionReplace { replaced, effective, reason, grant };
        Ok(Act { label: Some(label), ..Act::learning(Payload::PermissionReplace(replace), learn) })
    }

    fn effective(&mut self) -> Result<Day, String> {
        if self.words.take("from") { self.words.day() } else { Ok(self.today()) }
    }

    /// A permission, and whose it is: `"Data analysis" of GTU`.
    fn named_permission(&mut self) -> Result<(InstitutionId, PermissionId), String> {
        let mut ahead = self.words.clone();
        ahead.word()?;
        ahead.expect("of")?;
        let whose = institution(&ahead.word()?)?;
        let permission = self.cast.permission(whose, self.words)?;
        self.words.expect("of")?;
        Ok((self.institution()?, permission))
    }

    fn permission(&mut self, verb: &str) -> Result<Act, String> {
        let (institution, permission) = self.named_permission()?;
        let (action, usual) = match verb {
            "suspends" => (PermissionAction::Suspend, DecisionReason::MonitoringFailed),
            "reinstates" => (PermissionAction::Reinstate, DecisionReason::Granted),
            _ => (PermissionAction::Withdraw, DecisionReason::MonitoringFailed),
        };
        let effective = self.effective()?;
        let reason = self.because(usual)?;
        let decision = self.decision();
        let change = PermissionChange { institution, permission, decision, action, effective, reason };
        Ok(Payload::PermissionChange(change).into())
    }

    fn annuls_withdrawal(&mut self) -> Result<Act, String> {
        self.words.expect("of")?;
        let (institution, permission) = self.named_permission()?;
        let reason = self.because(DecisionReason::AppealUpheld)?;
        self.words.expect("granting")?;
        let label = self.words.quoted()?;
        let annul = PermissionAnnul { institution, permission, decision: self.decision(), reason };
        let learn = Learn::Permission(institution, label.clone());
        Ok(Act { label: Some(label), ..Act::learning(Payload::PermissionAnnul(annul), learn) })
    }

    fn anchors(&mut self) -> Result<Act, String> {
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

    fn batch(&mut self, verb: &str) -> Result<Act, String> {
        let label = self.words.word()?;
        let institution = self.whose()?;
        let (action, usual) = match verb {
            "suspends" => (BatchAction::Suspend, StatusReason::UnderReview),
            "reinstates" => (BatchAction::Reinstate, StatusReason::ReviewEnded),
            "revokes" => (BatchAction::Revoke, StatusReason::IssuedInError),
            _ => (BatchAction::Annul, StatusReason::Annulled),
        };
        let reason = self.status_reason(usual)?;
        let set = BatchStatusSet { institution, decision: self.decision(), root: root(&label), action, reason };
        Ok(Payload::BatchStatusSet(set).into())
    }

    /// `suspends credential C1 of GTU because order; revokes credential C2,C3 of GTU`, this many times over.
    fn statuses(&mut self, times: usize, verb: &str) -> Result<Act, String> {
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
            entries.extend(handles.into_iter().map(|handle| StatusEntry { handle, action, reason, successor }));
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

    fn annuls_statuses(&mut self) -> Result<Act, String> {
        let handles = List::new(self.handles()?).map_err(|error| error.to_string())?;
        let institution = self.whose()?;
        Ok(Payload::StatusAnnul(StatusAnnul { institution, decision: self.decision(), handles }).into())
    }

    /// `changes its keys to NCEQE.1,NCEQE.7 threshold 2`.
    fn own_keys(&mut self) -> Result<Act, String> {
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
    fn authority(&mut self) -> Result<Act, String> {
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
    fn announces(&mut self) -> Result<Act, String> {
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
}

/// What a line says about a permission that is to be granted.
struct Scope {
    institution: InstitutionId,
    coordinator: InstitutionId,
    from: Day,
    until: Day,
    conditional: bool,
    fields: Option<FieldPrefixes>,
    levels: Vec<Level>,
    programme: ProgrammeId,
    level: Level,
    ects: EctsTenths,
    credential_type: CredentialType,
    review: Option<Day>,
    agent: Name,
    title_ka: Option<Name>,
    title_en: Option<Name>,
}

impl Scope {
    fn new(institution: InstitutionId) -> Self {
        Self {
            institution,
            coordinator: institution,
            from: year().first(),
            until: year().last(),
            conditional: false,
            fields: None,
            levels: vec![Level::new(5).unwrap(), Level::new(6).unwrap()],
            programme: ProgrammeId::new(1),
            level: Level::new(6).unwrap(),
            ects: EctsTenths::new(150),
            credential_type: CredentialType::MicroCredential,
            review: None,
            agent: name("").unwrap(),
            title_ka: None,
            title_en: None,
        }
    }

    fn read(&mut self, words: &mut Words) -> Result<(), String> {
        match words.word()?.as_str() {
            "from" => self.from = words.day()?,
            "until" => self.until = words.day()?,
            "conditionally" => self.conditional = true,
            "fields" => self.fields = Some(words.fields()?),
            "levels" => self.levels = words.levels()?,
            "programme" => self.programme = words.number().map(ProgrammeId::new)?,
            "of" => self.coordinator = institution(&words.word()?)?,
            "level" => self.level = words.level()?,
            "ects" => self.ects = words.ects()?,
            "type" => self.credential_type = code(CredentialType::ALL, &words.word()?)?,
            "review" => self.review = Some(words.day()?),
            "agent" => self.agent = words.name()?,
            "title-ka" => self.title_ka = Some(words.name()?),
            "title-en" => self.title_en = Some(words.name()?),
            other => return Err(format!("{other:?} is nothing that {} can be granted", role_of(self.institution))),
        }
        Ok(())
    }

    /// The titles are those of the programme, unless the line says something else.
    fn accreditation(&self, cast: &Cast, label: &str) -> Result<Accreditation, String> {
        let registered = cast.titles(self.coordinator, self.programme);
        let (ka, en) = registered.map_or_else(|| Ok::<_, String>((georgian(label)?, name(label)?)), Ok)?;
        Ok(Accreditation {
            coordinator: self.coordinator,
            programme: self.programme,
            title_ka: self.title_ka.clone().unwrap_or(ka),
            title_en: self.title_en.clone().unwrap_or(en),
            agent: self.agent.clone(),
            level: self.level,
            fields: self.fields.clone().unwrap_or_else(|| fields(&["0613", "054"])),
            ects_max: self.ects,
            credential_type: self.credential_type,
            modes: Modes::BLENDED,
            review: self.review.unwrap_or(self.until),
        })
    }
}

/// A programme's Georgian title when none is said.
fn georgian(title: &str) -> Result<Name, String> {
    name(&format!("პროგრამა {title}"))
}

fn fields(prefixes: &[&str]) -> FieldPrefixes {
    FieldPrefixes::new(prefixes.iter().map(|prefix| FieldPrefix::parse(prefix).unwrap()).collect()).unwrap()
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

/// The root of a batch by its label.
pub(crate) fn root(label: &str) -> BatchRoot {
    BatchRoot::new(padded(b'b', label))
}

/// The number of a credential: `C17`.
pub(crate) fn credential(word: &str) -> Result<u32, String> {
    let number = word.strip_prefix('C').and_then(|number| number.parse().ok());
    number.ok_or_else(|| format!("{word:?} is no credential such as C17"))
}

/// The handle of a credential, in the order of the numbers.
pub(crate) fn handle(number: u32) -> StatusHandle {
    let mut bytes = [0xc0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    StatusHandle::new(bytes)
}

pub(crate) fn decision(label: &str) -> DecisionRef {
    DecisionRef::new(padded(b'd', label))
}

/// How a state or reason is written in a file.
pub(crate) fn written(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    small(text.split([' ', '(', '{']).next().unwrap_or(""))
}
