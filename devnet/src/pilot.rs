//! Who takes part beside the four authorities, and the decisions that let them: two universities, one of which has a
//! programme accredited.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sigeli::{
    accreditation::{self, Stated},
    authority::{self, AuthoritySigner, Decided},
    batch::{BatchFacts, PreparedBatch},
    keys::SecretKey,
    prepare::{AsFile, PrepareRequest, prepare},
    remote::Remote,
    values,
};
use sigeli_verifier::{
    bounded::{List, Text},
    ids::{AuthorityId, EctsTenths, InstitutionId, PermissionId, TimeMs},
    time::{Day, Window},
    transaction::{
        CredentialType, InstitutionKey, InstitutionKind, InstitutionRegister, KeyPurposes, Level, Levels, Name,
        PermissionGrant, PermissionScope,
    },
};

use crate::{
    genesis::{FOUNDERS, MINISTRY, NCEQE},
    home::Home,
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
    /// What GTU's credentials state, under its accreditation.
    pub(crate) facts: BatchFacts,
    /// How long each decision took to become final.
    pub(crate) finality: Vec<Duration>,
}

impl Pilot {
    /// Has the authorities decide everything that GTU needs to issue credentials dated `issued`, and authorise the
    /// other university.
    ///
    /// # Errors
    /// When a decision does not become final.
    pub(crate) async fn set_up(home: &Home, remote: &Remote, issued: Day) -> eyre::Result<Self> {
        let mut office = Office::open(home, remote)?;
        let (gtu, ug) = (new_key(home, GTU)?, new_key(home, UG)?);
        let today = Day::of(now());
        let window = Window::new(issued.min(today), Day::new(issued.max(today).get().saturating_add(DAYS_AHEAD)));
        let window = window.ok_or_else(|| eyre::eyre!("the last day lies after the first"))?;

        for (university, key) in [(GTU, &gtu), (UG, &ug)] {
            office.register(university, key).await?;
            office.grant(NCEQE, university, window, "authorisation", PermissionScope::Authorisation).await?;
        }
        let level = values::parse_level(LEVEL)?;
        let fields = values::parse_fields(FIELD)?;
        let order = PermissionScope::PilotOrder { fields: fields.clone(), levels: levels(level)? };
        office.grant(MINISTRY, GTU, window, "pilot order", order).await?;
        let scope = PermissionScope::Accreditation {
            title_ka: Name::new(PROGRAMME_KA)?,
            title_en: Name::new(PROGRAMME_EN)?,
            level,
            fields,
            ects_max: ECTS,
            credential_type: CredentialType::MicroCredential,
        };
        let number = office.grant(NCEQE, GTU, window, "accreditation", scope).await?;

        let permissions = remote.permissions(GTU.id).await?;
        let record = permissions.iter().find(|(known, _)| *known == number);
        let (_, record) =
            record.ok_or_else(|| eyre::eyre!("the accreditation {number} was granted, but is not there"))?;
        let facts = accreditation::facts_under(number, record, Stated::default(), issued)?;
        Ok(Self { gtu, ug, facts, finality: office.finality })
    }
}

fn levels(level: Level) -> eyre::Result<Levels> {
    Levels::of(&[level]).ok_or_else(|| eyre::eyre!("one level is not none"))
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
struct Office<'a> {
    remote: &'a Remote,
    nceqe: Vec<SecretKey>,
    ministry: Vec<SecretKey>,
    finality: Vec<Duration>,
}

impl<'a> Office<'a> {
    fn open(home: &Home, remote: &'a Remote) -> eyre::Result<Self> {
        let keys = |authority: AuthorityId| -> eyre::Result<Vec<SecretKey>> {
            let founders = FOUNDERS.iter().filter(|founder| founder.id == authority);
            founders.map(|founder| Ok(SecretKey::read(&key_path(home, founder.name))?)).collect()
        };
        Ok(Self { remote, nceqe: keys(NCEQE)?, ministry: keys(MINISTRY)?, finality: Vec::new() })
    }

    fn signer(&self, authority: AuthorityId) -> AuthoritySigner<'_> {
        let keys = if authority == MINISTRY { &self.ministry } else { &self.nceqe };
        AuthoritySigner { authority, keys, patience: PATIENCE }
    }

    fn note(&mut self, decided: Decided) {
        self.finality.push(decided.finality);
    }

    async fn register(&mut self, university: University, key: &SecretKey) -> eyre::Result<()> {
        let register = InstitutionRegister {
            institution: university.id,
            kind: InstitutionKind::University,
            jurisdiction: *b"GEO",
            legal_id: Text::new(university.legal_id)?,
            name_ka: Name::new(university.name_ka)?,
            name_en: Name::new(university.name_en)?,
            decision: decision(university, "registration"),
            keys: List::new(vec![InstitutionKey { purposes: KeyPurposes::ALL, key: key.public() }])?,
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
