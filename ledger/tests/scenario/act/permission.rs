//! Permissions: granting them, and what happens to them.

use sigeli_verifier::{
    ids::{EctsTenths, InstitutionId, PermissionId, ProgrammeId},
    time::{Day, Window},
    transaction::*,
};

use super::{Act, Stage, georgian, year};
use crate::{
    cast::{Cast, Learn, institution, role_of},
    words::{Words, code, name},
};

impl Stage<'_> {
    pub(super) fn grants(&mut self) -> Result<Act, String> {
        let (grant, label) = self.grant()?;
        let learn = Learn::Permission(grant.institution, label.clone());
        Ok(Act { label: Some(label), ..Act::learning(Payload::PermissionGrant(grant), learn) })
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

    pub(super) fn replaces(&mut self) -> Result<Act, String> {
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
        let learn = Learn::Instead(grant.institution, label.clone(), replaced);
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

    pub(super) fn permission(&mut self, verb: &str) -> Result<Act, String> {
        let (institution, permission) = self.named_permission()?;
        let (action, usual) = match verb {
            "suspends" => (PermissionAction::Suspend, DecisionReason::MonitoringFailed),
            "reinstates" => (PermissionAction::Reinstate, DecisionReason::Granted),
            _ => (PermissionAction::Withdraw, DecisionReason::MonitoringFailed),
        };
        let entry = if self.words.take("as") {
            self.words.expect("change")?;
            self.words.number()?
        } else {
            self.cast.change_next(institution, permission)
        };
        let effective = self.effective()?;
        let reason = self.because(usual)?;
        let decision = self.decision();
        let change = PermissionChange { institution, permission, decision, entry, action, effective, reason };
        Ok(Act::learning(Payload::PermissionChange(change), Learn::Changed(institution, permission)))
    }

    pub(super) fn annuls_withdrawal(&mut self) -> Result<Act, String> {
        self.words.expect("of")?;
        let (institution, permission) = self.named_permission()?;
        let reason = self.because(DecisionReason::AppealUpheld)?;
        self.words.expect("granting")?;
        let label = self.words.quoted()?;
        let annul = PermissionAnnul { institution, permission, decision: self.decision(), reason };
        let learn = Learn::Instead(institution, label.clone(), permission);
        Ok(Act { label: Some(label), ..Act::learning(Payload::PermissionAnnul(annul), learn) })
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

fn fields(prefixes: &[&str]) -> FieldPrefixes {
    FieldPrefixes::new(prefixes.iter().map(|prefix| FieldPrefix::parse(prefix).unwrap()).collect()).unwrap()
}
