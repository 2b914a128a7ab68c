//! Who takes part beside the four authorities, and the decisions that let them: two universities, one of which has a
//! programme accredited.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use eyre::WrapErr as _;
use sigeli::{
    accreditation,
    authority::{self, AuthoritySigner, Decided},
    batch::{BatchFacts, PreparedBatch},
    keys::SecretKey,
    prepare::{AsFile, PrepareRequest, prepare},
    remote::Remote,
    tx::{self, SubmitDraftError},
    values,
};
use sigeli_verifier::{
    bounded::{List, Text},
    ids::{
        AuthorityId, EctsTenths, GovernanceSequence, InstitutionId, KeyIndex, PermissionId, ProfileHash, ProgrammeId,
        TimeMs,
    },
    record::Policy,
    time::{Day, Window},
    transaction::{
        Accreditation, CredentialType, DecisionReason, Draft, Field, FieldPrefix, FieldPrefixes, InstitutionKey,
        InstitutionKind, InstitutionRegister, KeyPurposes, Levels, Modes, Name, Payload, PermissionAction,
        PermissionChange, PermissionGrant, PermissionScope, PolicySet, ProgrammeRegister, Sender, Transaction,
        TransactionSignature, joint_key,
    },
};

use crate::{
    genesis::{FOUNDERS, MINISTRY, NCEQE},
    home::Home,
    samples::Stated,
};

/// How long a transaction may take to become final.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The date of issue that the shipped samples state.
pub(crate) const SAMPLES_ISSUED: (i32, u8, u8) = (2026, 11, 16);

/// A university of the journey. Names are real because the pilot is theirs; nothing here was decided by anybody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct University {
    /// Its number on the ledger.
    pub(crate) id: InstitutionId,
    /// Its short name, which its key file bears.
    pub(crate) name: &'static str,
    legal_id: &'static str,
    name_ka: &'static str,
    name_en: &'static str,
}

/// Georgian Technical University: authorised, accredited, named in the pilot order.
pub(crate) const GTU: University = University {
    id: InstitutionId::new(1),
    name: "gtu",
    legal_id: "SAMPLE-1",
    name_ka: "საქართველოს ტექნიკური უნივერსიტეტი",
    name_en: "Georgian Technical University",
};

/// The University of Georgia: authorised, without an accredited programme.
pub(crate) const UG: University = University {
    id: InstitutionId::new(2),
    name: "ug",
    legal_id: "SAMPLE-2",
    name_ka: "საქართველოს უნივერსიტეტი",
    name_en: "The University of Georgia",
};

/// The programme, as the samples state it.
const PROGRAMME_KA: &str = "უსაფრთხო ვებაპლიკაციების შემუშავება";
const PROGRAMME_EN: &str = "Secure Web Application Development";
const LEVEL: &str = "6";
const FIELD: &str = "0613";
const ECTS: EctsTenths = EctsTenths::new(30);

/// How long transactions are valid: well below the ten minutes that institutions are allowed.
const VALIDITY_MS: u64 = 5 * 60 * 1_000;

/// How many days permissions hold beyond today.
const DAYS_AHEAD: i32 = 3 * 365;

/// This computer's clock.
pub(crate) fn now() -> TimeMs {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    TimeMs::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The accredited institution and what it may issue; keys of all that take part.
#[derive(Debug)]
pub(crate) struct Pilot {
    /// The key of GTU.
    pub(crate) gtu: SecretKey,
    /// The key of the University of Georgia.
    pub(crate) ug: SecretKey,
    /// What the credentials of each of GTU's programmes state, under its accreditation, in the order asked for.
    pub(crate) programmes: Vec<BatchFacts>,
    /// How long each decision took to become final.
    pub(crate) finality: Vec<Duration>,
}

impl Pilot {
    /// Has the authorities decide everything that GTU needs to issue credentials of these programmes, and authorise the other
    /// university.
    ///
    /// # Errors
    /// When a decision does not become final.
    pub(crate) async fn set_up(home: &Home, remote: &Remote, programmes: &[Stated]) -> eyre::Result<Self> {
        let mut office = Office::open(home, remote)?;
        let (gtu, ug) = (new_key(home, GTU)?, new_key(home, UG)?);
        let today = Day::of(now());
        let first = programmes.iter().map(|stated| stated.issued).min().unwrap_or(today).min(today);
        let window = Window::new(first, Day::new(today.get().saturating_add(DAYS_AHEAD)));
        let window = window.ok_or_else(|| eyre::eyre!("the last day lies after the first"))?;

        for (university, key) in [(GTU, &gtu), (UG, &ug)] {
            office.register(university, key, window).await?;
            office.grant(NCEQE, university, window, "authorisation", PermissionScope::Authorisation).await?;
        }
        let fields: BTreeSet<_> = programmes.iter().map(|stated| stated.field).collect();
        let fields = fields.into_iter().map(detailed).collect::<eyre::Result<Vec<_>>>()?;
        let levels: BTreeSet<_> = programmes.iter().map(|stated| stated.level).collect();
        let levels = Levels::of(&levels.into_iter().collect::<Vec<_>>());
        let order = PermissionScope::PilotOrder {
            fields: FieldPrefixes::new(fields).wrap_err("the pilot order of this test names each field")?,
            levels: levels.ok_or_else(|| eyre::eyre!("there is at least one programme"))?,
        };
        office.grant(MINISTRY, GTU, window, "pilot order", order).await?;
        let mut granted = Vec::new();
        for (stated, number) in programmes.iter().zip(1..) {
            granted.push((office.accredit(&gtu, window, *stated, number).await?, stated.issued));
        }
        let permissions = remote.permissions(GTU.id).await?;
        let mut facts = Vec::new();
        for (number, issued) in granted {
            let record = permissions.iter().find(|(known, _)| *known == number);
            let (_, record) =
                record.ok_or_else(|| eyre::eyre!("the accreditation {number} was granted, but is not there"))?;
            facts.push(accreditation::facts_under(number, record, accreditation::Stated::default(), issued)?);
        }
        Ok(Self { gtu, ug, programmes: facts, finality: office.finality })
    }

    /// What the credentials of the first programme state.
    ///
    /// # Errors
    /// When there is none, which [`Self::set_up`] refuses.
    pub(crate) fn facts(&self) -> eyre::Result<BatchFacts> {
        self.programmes.first().copied().ok_or_else(|| eyre::eyre!("there is at least one programme"))
    }
}

/// What the samples state, or what is taken for what a document does not state.
///
/// # Errors
/// Never: the constants are values.
pub(crate) fn usual(issued: Day) -> eyre::Result<Stated> {
    Ok(Stated { level: values::parse_level(LEVEL)?, field: values::parse_field(FIELD)?, ects: ECTS, issued })
}

fn detailed(field: Field) -> eyre::Result<FieldPrefix> {
    FieldPrefix::new(4, field.get()).ok_or_else(|| eyre::eyre!("a field has four digits"))
}

fn new_key(home: &Home, university: University) -> eyre::Result<SecretKey> {
    let key = SecretKey::generate()?;
    key.write(&key_path(home, university.name))?;
    Ok(key)
}

/// Where a key is.
pub(crate) fn key_path(home: &Home, name: &str) -> PathBuf {
    home.keys().join(format!("{name}.key"))
}

/// The authorities that decide, and what deciding took.
pub(crate) struct Office<'a> {
    remote: &'a Remote,
    /// Of the founders, in their order, the key of each.
    keys: Vec<SecretKey>,
    /// How long each decision took to become final.
    pub(crate) finality: Vec<Duration>,
}

impl<'a> Office<'a> {
    /// Opens the authorities' key files.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn open(home: &Home, remote: &'a Remote) -> eyre::Result<Self> {
        let keys = FOUNDERS.iter().map(|founder| Ok(SecretKey::read(&key_path(home, founder.name))?));
        Ok(Self { remote, keys: keys.collect::<eyre::Result<_>>()?, finality: Vec::new() })
    }

    /// The key of an authority: each has one.
    fn keys(&self, authority: AuthorityId) -> &[SecretKey] {
        let position = FOUNDERS.iter().position(|founder| founder.id == authority);
        position.map_or(&[], |position| std::slice::from_ref(&self.keys[position]))
    }

    fn signer(&self, authority: AuthorityId) -> AuthoritySigner<'_> {
        AuthoritySigner { authority, keys: self.keys(authority), patience: PATIENCE }
    }

    fn note(&mut self, decided: Decided) {
        self.finality.push(decided.finality);
    }

    async fn register(&mut self, university: University, key: &SecretKey, window: Window) -> eyre::Result<()> {
        let register = InstitutionRegister {
            institution: university.id,
            kind: InstitutionKind::University,
            jurisdiction: *b"GEO",
            legal_id: Text::new(university.legal_id)?,
            name_ka: Name::new(university.name_ka)?,
            name_en: Name::new(university.name_en)?,
            profile: ProfileHash::new([0; 32]),
            decision: decision(university, "registration"),
            keys: List::new(vec![InstitutionKey { purposes: KeyPurposes::ALL, key: key.public(), window }])?,
        };
        let decided = authority::register_institution(self.remote, self.signer(NCEQE), register).await?;
        self.note(decided);
        Ok(())
    }

    async fn grant(
        &mut self,
        authority: AuthorityId,
        university: University,
        window: Window,
        what: &str,
        scope: PermissionScope,
    ) -> eyre::Result<PermissionId> {
        let grant = PermissionGrant {
            institution: university.id,
            decision: decision(university, what),
            window,
            conditional: false,
            scope,
        };
        let granted = authority::grant_permission(self.remote, self.signer(authority), grant).await?;
        self.note(granted.decided);
        granted.permission.ok_or_else(|| eyre::eyre!("no node tells the number of the {what} of {}", university.name))
    }
}

impl Office<'_> {
    /// GTU registers a programme, and the quality agency accredits it.
    async fn accredit(
        &mut self,
        gtu: &SecretKey,
        window: Window,
        stated: Stated,
        number: u32,
    ) -> eyre::Result<PermissionId> {
        let is_of_samples = (stated.field, stated.level, stated.ects)
            == (values::parse_field(FIELD)?, values::parse_level(LEVEL)?, ECTS);
        let (title_ka, title_en) = if is_of_samples {
            (PROGRAMME_KA.to_owned(), PROGRAMME_EN.to_owned())
        } else {
            (format!("სანიმუშო პროგრამა № {number}"), format!("Sample programme {number}"))
        };
        let (title_ka, title_en) = (Name::new(&title_ka)?, Name::new(&title_en)?);
        let programme = ProgrammeRegister {
            programme: ProgrammeId::new(number),
            title_ka: title_ka.clone(),
            title_en: title_en.clone(),
            partners: List::empty(),
        };
        self.by_institution(GTU, gtu, Payload::ProgrammeRegister(programme)).await?;
        let scope = PermissionScope::Accreditation(Accreditation {
            coordinator: GTU.id,
            programme: ProgrammeId::new(number),
            title_ka,
            title_en,
            agent: Name::new("")?,
            level: stated.level,
            fields: FieldPrefixes::new(vec![detailed(stated.field)?])?,
            ects_max: stated.ects,
            credential_type: CredentialType::MicroCredential,
            modes: Modes::ONLINE,
            review: window.last(),
        });
        self.grant(NCEQE, GTU, window, &format!("accreditation {number}"), scope).await
    }
}

/// What the journey does beyond the first decisions, as files that pass from hand to hand are handed in.
impl Office<'_> {
    /// An institution's own transaction.
    async fn by_institution(
        &mut self,
        university: University,
        key: &SecretKey,
        payload: Payload,
    ) -> eyre::Result<tx::Submitted> {
        let sender = Sender::Institution { institution: university.id };
        let draft = self.draft(sender, payload, &[(KeyIndex::new(0), key)]).await?;
        Ok(self.hand_in(&draft).await?)
    }

    async fn draft(&self, sender: Sender, payload: Payload, signers: &[(KeyIndex, &SecretKey)]) -> eyre::Result<Draft> {
        let status = self.remote.status().await?;
        let valid_until = TimeMs::new(status.time.max(now()).get().saturating_add(VALIDITY_MS));
        let body = Transaction { genesis: status.genesis, valid_until, sender, payload };
        let preimage = body.preimage();
        let mut draft = Draft::new(body);
        for (index, key) in signers {
            draft.add(TransactionSignature { key: *index, signature: key.sign(&preimage) })?;
        }
        Ok(draft)
    }

    async fn hand_in(&mut self, draft: &Draft) -> Result<tx::Submitted, SubmitDraftError> {
        let started = Instant::now();
        let submitted = tx::submit(self.remote, draft, None, PATIENCE).await?;
        self.finality.push(started.elapsed());
        Ok(submitted)
    }

    /// The quality agency suspends, reinstates or withdraws GTU's accreditation from today on.
    ///
    /// # Errors
    /// When the ledger refuses, or does not answer.
    pub(crate) async fn change_accreditation(
        &mut self,
        permission: PermissionId,
        action: PermissionAction,
        reason: DecisionReason,
        what: &str,
    ) -> eyre::Result<tx::Submitted> {
        let permissions = self.remote.permissions(GTU.id).await?;
        let known = permissions.iter().find(|(number, _)| *number == permission);
        let (_, record) = known.ok_or_else(|| eyre::eyre!("{} has no permission {permission}", GTU.name))?;
        let change = PermissionChange {
            institution: GTU.id,
            permission,
            decision: decision(GTU, what),
            entry: record.entries.saturating_add(1),
            action,
            effective: Day::of(now()),
            reason,
        };
        let sequence = self.remote.authority(NCEQE).await?.next;
        let sender = Sender::Authority { authority: NCEQE, sequence };
        let key = &self.keys(NCEQE)[0];
        let draft = self.draft(sender, Payload::PermissionChange(change), &[(KeyIndex::new(0), key)]).await?;
        Ok(self.hand_in(&draft).await?)
    }

    /// These authorities set the policy jointly, by the ledger's first joint transaction.
    ///
    /// # Errors
    /// [`SubmitDraftError`], also when they are too few.
    pub(crate) async fn set_policy(
        &mut self,
        policy: Policy,
        approving: &[AuthorityId],
    ) -> eyre::Result<Result<tx::Submitted, SubmitDraftError>> {
        let set = PolicySet { decision: values::decision_ref("SAMPLE joint decision on the policy"), policy };
        let sender = Sender::Authorities { sequence: GovernanceSequence::new(1) };
        let signers: Vec<_> = approving.iter().map(|id| (joint_key(*id, 0), &self.keys(*id)[0])).collect();
        let draft = self.draft(sender, Payload::PolicySet(set), &signers).await?;
        Ok(self.hand_in(&draft).await)
    }
}

fn decision(university: University, what: &str) -> sigeli_verifier::ids::DecisionRef {
    values::decision_ref(&format!("SAMPLE {what} of {}", university.name_en))
}

/// Prepares a batch of a university's credentials in a new directory.
///
/// # Errors
/// When a file cannot be registered.
pub(crate) fn prepare_batch(
    university: University,
    facts: BatchFacts,
    files: &[PathBuf],
    out: &Path,
) -> eyre::Result<PreparedBatch> {
    let request = PrepareRequest {
        institution: university.id,
        facts,
        files: files.to_vec(),
        out: out.to_owned(),
        // Foreign folders hold files that look like JSON and are none.
        as_file: AsFile::Refused,
    };
    Ok(prepare(&request, &mut |_| {})?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_ledger_and_the_programme_is_the_samples() {
        for name in [GTU.name_ka, GTU.name_en, UG.name_ka, UG.name_en, PROGRAMME_KA, PROGRAMME_EN] {
            assert!(Name::new(name).is_ok(), "{name}");
        }
        for (name, bytes) in crate::samples::SAMPLES.iter().filter(|(name, _)| name.ends_with(".json")) {
            let text = std::str::from_utf8(bytes).unwrap();
            for stated in [PROGRAMME_KA, PROGRAMME_EN, FIELD, "2026-11-16", GTU.name_en] {
                assert!(text.contains(stated), "{name} does not state {stated}");
            }
        }
    }
}
