//! Exports for Europe's systems: what they say, and whether the published schemas and shapes accept them.
//!
//! The schema and the shapes are read from the folder that `SIGELI_VECTORS` names. SHACL needs `python3` (or the one that
//! `SIGELI_PYTHON` names) with pyshacl. Where one of them is missing, the test prints that it was not run.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test panics to fail, and says what it did not run"
)]

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use serde_json::{Value, json};
use sigeli::{
    export::{ExportError, Identifiers, Subject, ebsi, elm},
    query::standing::Held,
};
use sigeli_verifier::{
    bounded::{List, Text},
    ids::{
        AuthorityId, AuthoritySequence, DecisionRef, EctsTenths, GenesisHash, Height, InstitutionId, PermissionId,
        ProgrammeId, TimeMs,
    },
    record::{
        AuthorityRecord, InstitutionFacts, InstitutionState, PermissionEntry, PermissionRecord, PermissionStanding,
        PermissionStandings, PermissionState,
    },
    time::{Day, Window},
    transaction::{
        Accreditation, AuthorityKind, CredentialType, DecisionReason, FieldPrefix, FieldPrefixes, InstitutionKind,
        Level, Levels, Modes, Name, PermissionScope,
    },
};

fn day(text: &str) -> Day {
    sigeli::values::parse_day(text).unwrap()
}

fn time(text: &str) -> TimeMs {
    sigeli::values::parse_time(text).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn fields(texts: &[&str]) -> FieldPrefixes {
    List::new(texts.iter().map(|text| FieldPrefix::parse(text).unwrap()).collect()).unwrap()
}

fn facts() -> InstitutionFacts {
    InstitutionFacts {
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: Text::new("211349192").unwrap(),
        name_ka: name("საქართველოს ტექნიკური უნივერსიტეტი"),
        name_en: name("Georgian Technical University"),
        state: InstitutionState::Active,
        registered: Height::new(2),
        keys: 1,
        permissions: 3,
        programmes: 4,
        batches: 0,
        entries: 1,
        compromised: List::empty(),
    }
}

fn authority() -> AuthorityRecord {
    AuthorityRecord {
        kind: AuthorityKind::Nceqe,
        name_ka: name("განათლების ხარისხის განვითარების ეროვნული ცენტრი"),
        name_en: name("National Center for Educational Quality Enhancement"),
        keys: List::empty(),
        threshold: 1,
        log_keys: List::empty(),
        sequence: AuthoritySequence::new(1),
    }
}

fn accreditation(agent: &str) -> PermissionScope {
    PermissionScope::Accreditation(Accreditation {
        coordinator: InstitutionId::new(1),
        programme: ProgrammeId::new(4),
        title_ka: name("უსაფრთხო ვებაპლიკაციები"),
        title_en: name("Secure Web Applications"),
        agent: name(agent),
        level: Level::new(6).unwrap(),
        fields: fields(&["0613", "07"]),
        ects_max: EctsTenths::new(55),
        credential_type: CredentialType::MicroCredential,
        modes: Modes::new(5).unwrap(),
        review: day("2027-03-01"),
    })
}

fn order() -> PermissionScope {
    let levels = [Level::new(6).unwrap(), Level::new(7).unwrap()];
    PermissionScope::PilotOrder { fields: fields(&["06", "061", "0714"]), levels: Levels::of(&levels).unwrap() }
}

/// A permission granted at noon of 2026-08-15, and changes of it.
fn held(scope: PermissionScope, window: (&str, &str), changes: &[(PermissionState, &str)]) -> Held {
    let window = Window::new(day(window.0), day(window.1)).unwrap();
    let decision = DecisionRef::new([0xd5; 32]);
    let entry = |height, state, effective, written: &str| PermissionEntry {
        state,
        effective,
        reason: DecisionReason::Granted,
        decision,
        authority: AuthorityId::new(2),
        height: Height::new(height),
        time: time(written),
    };
    let mut history = vec![entry(3, PermissionState::Active, window.first(), "2026-08-15T12:00:00+04:00")];
    let more = changes.iter().map(|(state, from)| entry(9, *state, day(from), "2026-11-20T12:00:00+04:00"));
    history.extend(more);
    let granted = PermissionStandings::granted(window.first(), DecisionReason::Granted);
    let standing = history[1..].iter().fold(granted, |known, entry| {
        let PermissionEntry { effective, state, reason, time, .. } = *entry;
        known.changed(PermissionStanding { effective, state, reason }, Day::of(time)).unwrap()
    });
    let record = PermissionRecord {
        authority: AuthorityId::new(2),
        decision,
        window,
        conditional: false,
        scope,
        granted: Height::new(3),
        predecessor: PermissionId::new(0),
        standing,
        entries: u32::try_from(history.len()).unwrap(),
    };
    Held::new(PermissionId::new(2), record, history).unwrap()
}

/// Makes both documents, as of 2026-11-24.
fn export(facts: &InstitutionFacts, held: &Held, identifiers: &Identifiers) -> Result<(Value, Value), ExportError> {
    let authority = authority();
    let subject = Subject {
        genesis: GenesisHash::new([7; 32]),
        height: Height::new(42),
        time: time("2026-11-24T09:00:00Z"),
        institution: InstitutionId::new(1),
        facts,
        held,
        authority: &authority,
    };
    let elm = elm::accreditation(&subject, identifiers)?;
    let ebsi = ebsi::credential(&subject, identifiers)?;
    assert_eq!(elm.pretty(), elm::accreditation(&subject, identifiers)?.pretty(), "the same facts give the same bytes");
    assert_eq!(ebsi.pretty(), ebsi::credential(&subject, identifiers)?.pretty());
    Ok((serde_json::from_str(&elm.pretty()).unwrap(), serde_json::from_str(&ebsi.pretty()).unwrap()))
}

const DAYS: (&str, &str) = ("2026-09-01", "2027-08-31");

fn foreign() -> Identifiers {
    Identifiers { agency_country: Some(*b"DEU"), ..Identifiers::default() }
}

/// Every kind of permission, and an accreditation in every state.
fn all() -> BTreeMap<&'static str, (Value, Value)> {
    let by = PermissionId::new(3);
    let mut no_legal_id = facts();
    no_legal_id.legal_id = Text::new("").unwrap();
    let plain = Identifiers::default();
    let own = Identifiers {
        authority_did: Some("did:ebsi:zAuthority".into()),
        institution_did: Some("did:ebsi:zInstitution".into()),
        terms: "https://terms.example/v1#".into(),
        terms_of_use: Some("https://registry.example/own".into()),
        ..Identifiers::default()
    };
    let accredited = |changes: &[(PermissionState, &str)]| held(accreditation(""), DAYS, changes);
    let made = [
        ("accreditation", export(&facts(), &accredited(&[]), &plain)),
        ("named", export(&facts(), &accredited(&[]), &own)),
        ("foreign", export(&facts(), &held(accreditation("Akkreditierungsrat"), DAYS, &[]), &foreign())),
        ("suspended", export(&facts(), &accredited(&[(PermissionState::Suspended, "2026-11-20")]), &plain)),
        ("withdrawn", export(&facts(), &accredited(&[(PermissionState::Withdrawn, "2026-11-20")]), &plain)),
        ("replaced", export(&facts(), &accredited(&[(PermissionState::Replaced { by }, "2026-12-01")]), &plain)),
        ("authorisation", export(&no_legal_id, &held(PermissionScope::Authorisation, DAYS, &[]), &plain)),
        ("order", export(&facts(), &held(order(), DAYS, &[]), &plain)),
    ];
    made.into_iter().map(|(name, documents)| (name, documents.unwrap())).collect()
}

#[test]
fn an_accreditation_says_what_the_ledger_holds() {
    let all = all();
    let (elm, ebsi) = &all["accreditation"];
    assert_eq!(elm["dcType"]["id"], "http://data.europa.eu/snb/accreditation/820101cba6");
    assert_eq!(elm["title"], json!({"ka": "უსაფრთხო ვებაპლიკაციები", "en": "Secure Web Applications"}));
    let ids = |list: &Value| list.as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    let isced = |code: &str| json!(format!("http://data.europa.eu/snb/isced-f/{code}"));
    assert_eq!(ids(&elm["limitField"]), [isced("0613"), isced("07")]);
    assert_eq!(elm["limitEQFLevel"]["id"], "http://data.europa.eu/snb/eqf/6");
    assert_eq!(elm["limitJurisdiction"]["id"], "http://publications.europa.eu/resource/authority/atu/GEO");
    assert_eq!(
        (&elm["valid"], &elm["expiryDate"]),
        (&json!("2026-09-01T00:00:00+04:00"), &json!("2027-08-31T23:59:59+04:00"))
    );
    assert_eq!(
        (&elm["issued"], &elm["reviewDate"]),
        (&json!("2026-08-15T08:00:00.000Z"), &json!("2027-03-01T00:00:00+04:00"))
    );
    assert_eq!((&elm["decision"]["sigeli:limitEctsTenths"], &elm["status"]), (&json!(55), &json!("active")));
    assert_eq!(elm["decision"]["notation"], "d5".repeat(32));
    assert_eq!(elm["accreditingAgent"]["legalName"]["en"], "National Center for Educational Quality Enhancement");

    let subject = &ebsi["credentialSubject"];
    assert_eq!(subject["reservedAttributeId"], "d5".repeat(32));
    let limits = &subject["accreditedFor"][0];
    assert_eq!(limits["sigeli:limitField"], json!([isced("0613"), isced("07")]));
    assert_eq!(limits["sigeli:limitEqfLevel"], json!(["http://data.europa.eu/snb/eqf/6"]));
    assert_eq!(limits["sigeli:limitEctsTenths"], 55);
    assert_eq!(ebsi["expirationDate"], "2027-08-31T23:59:59+04:00");
    assert_eq!(ebsi.get("proof"), None, "nothing is signed here");
    assert_eq!(elm.get("proof"), None);
}

#[test]
fn what_ended_early_expires_on_the_day_before() {
    let all = all();
    let ends = |name: &str| {
        (all[name].0["status"].clone(), all[name].0["expiryDate"].clone(), all[name].1["expirationDate"].clone())
    };
    let of = |status: &str, end: &str| (json!(status), json!(end), json!(end));
    assert_eq!(ends("withdrawn"), of("withdrawn", "2026-11-19T23:59:59+04:00"));
    // Replaced from a day that has not come: in force still.
    assert_eq!(ends("replaced"), of("active", "2026-11-30T23:59:59+04:00"));
    assert_eq!(ends("suspended"), of("suspended", "2027-08-31T23:59:59+04:00"));
}

#[test]
fn what_the_ledger_does_not_know_is_an_option() {
    let all = all();
    let (elm, ebsi) = &all["named"];
    assert_eq!(
        (&ebsi["issuer"], &elm["organisation"]["id"]),
        (&json!("did:ebsi:zAuthority"), &json!("did:ebsi:zInstitution"))
    );
    assert_eq!(ebsi["termsOfUse"][0]["id"], "https://registry.example/own");
    assert_eq!(elm["decision"]["https://terms.example/v1#limitEctsTenths"], 55);
    let status = ebsi["credentialStatus"]["id"].as_str().unwrap();
    assert!(status.ends_with(&format!("/issuers/did:ebsi:zInstitution/attributes/{}", "d5".repeat(32))), "{status}");
    let foreign = held(accreditation("Akkreditierungsrat"), DAYS, &[]);
    let refused = export(&facts(), &foreign, &Identifiers::default());
    assert_eq!(refused, Err(ExportError::AgencyCountry { agency: "Akkreditierungsrat".into() }));
    let (elm, _) = &all["foreign"];
    assert_eq!(elm["accreditingAgent"]["legalName"]["en"], "Akkreditierungsrat");
    assert_eq!(elm["publisher"]["legalName"]["en"], "National Center for Educational Quality Enhancement");
    // A permission that never ends, in a year that no format can write.
    let window = Window::new(day("2026-09-01"), Day::new(i32::MAX)).unwrap();
    let mut record = held(PermissionScope::Authorisation, DAYS, &[]).record().clone();
    record.window = window;
    let history = held(PermissionScope::Authorisation, DAYS, &[]).history().to_vec();
    let endless = Held::new(PermissionId::new(2), record, history).unwrap();
    assert!(matches!(export(&facts(), &endless, &Identifiers::default()), Err(ExportError::Day { .. })));
}

fn vectors() -> Option<PathBuf> {
    let folder = std::env::var_os("SIGELI_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        println!("NOT RUN: SIGELI_VECTORS is not set, so that there is no published schema to check against");
    }
    folder
}

/// A JSON schema of the keywords that EBSI's has; another keyword is an error of the test.
struct Schema<'a> {
    root: &'a Value,
    unresolved: Vec<String>,
}

impl<'a> Schema<'a> {
    fn check(&mut self, schema: &'a Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        for (keyword, rule) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "$schema" | "title" | "description" | "$defs" => {}
                "type" => {
                    let fits = match rule.as_str().unwrap() {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        other => panic!("type {other}"),
                    };
                    if !fits {
                        wrong.push(format!("{at} is no {rule}"));
                    }
                }
                "properties" => {
                    for (name, rule) in rule.as_object().unwrap() {
                        if let Some(member) = value.get(name) {
                            self.check(rule, member, &format!("{at}.{name}"), wrong);
                        }
                    }
                }
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        self.check(rule, item, &format!("{at}[]"), wrong);
                    }
                }
                "required" => {
                    let missing =
                        rule.as_array().unwrap().iter().filter(|name| value.get(name.as_str().unwrap()).is_none());
                    wrong.extend(missing.map(|name| format!("{at} has no {name}")));
                }
                "allOf" => rule.as_array().unwrap().iter().for_each(|rule| self.check(rule, value, at, wrong)),
                "anyOf" => {
                    let fits = rule.as_array().unwrap().iter().any(|rule| {
                        let mut inside = Vec::new();
                        self.check(rule, value, at, &mut inside);
                        inside.is_empty()
                    });
                    if !fits {
                        wrong.push(format!("{at} fits no form"));
                    }
                }
                "const" => {
                    if rule != value {
                        wrong.push(format!("{at} is not {rule}"));
                    }
                }
                "format" => {
                    let text = value.as_str().unwrap_or_default();
                    let has_scheme =
                        text.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
                    if rule != "uri" || !has_scheme || text.contains(' ') {
                        wrong.push(format!("{at} is no {rule}"));
                    }
                }
                "$ref" => {
                    let name = rule.as_str().unwrap();
                    match name.strip_prefix('#') {
                        Some(pointer) => {
                            let target = self.root.pointer(pointer).unwrap();
                            self.check(target, value, at, wrong);
                        }
                        None => self.unresolved.push(name.to_owned()),
                    }
                }
                other => panic!("a keyword that this test does not know: {other}"),
            }
        }
    }
}

#[test]
fn ebsis_schema_accepts_every_export() {
    let Some(folder) = vectors() else { return };
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(folder.join("ebsi").join(name)).unwrap()).unwrap()
    };
    let root = read("schema.json");
    let mut schema = Schema { root: &root, unresolved: Vec::new() };
    let mut check = |value: &Value| {
        let mut wrong = Vec::new();
        schema.check(&root, value, "", &mut wrong);
        wrong
    };
    assert_eq!(check(&read("accredited-to-attest.json")), [] as [String; 0], "EBSI's own example");
    for (name, (_, ebsi)) in all() {
        assert_eq!(check(&ebsi), [] as [String; 0], "{name}");
        for member in ["expirationDate", "credentialSubject", "credentialStatus", "termsOfUse"] {
            let mut without = ebsi.clone();
            without.as_object_mut().unwrap().remove(member);
            assert_ne!(check(&without), [] as [String; 0], "{name} without {member}");
        }
        let mut other = ebsi.clone();
        other["credentialStatus"]["type"] = json!("StatusList2021Entry");
        assert_ne!(check(&other), [] as [String; 0]);
    }
    schema.unresolved.dedup();
    println!("not checked, because it is not in the folder: {}", schema.unresolved.join(", "));
}

#[test]
fn fields_and_levels_are_terms_of_the_eus_lists() {
    let Some(folder) = vectors() else { return };
    let lists = folder.join("europass-elm").join("cv");
    let list = |name: &str| std::fs::read_to_string(lists.join(name)).unwrap();
    let known = list("isced-f.xsd")
        + &list("eqf.xsd")
        + &list("europass-accreditation-types.xsd")
        + &list("europass-credential-types.xsd");
    for (name, (elm, _)) in all() {
        let mut terms = Vec::new();
        for member in ["limitField", "limitEQFLevel", "dcType", "limitCredentialType"] {
            match &elm[member] {
                Value::Array(items) => terms.extend(items.clone()),
                Value::Null => {}
                one => terms.push(one.clone()),
            }
        }
        assert!(!terms.is_empty());
        for term in terms {
            assert!(known.contains(&format!("value={}", term["id"])), "{name}: {term}");
        }
    }
}

const SHACL: &str = "
import sys
from rdflib import Graph
from pyshacl import validate
shapes = Graph().parse(sys.argv[1], format='turtle')
for path in sys.argv[2:]:
    data = Graph().parse(path, format='json-ld')
    conforms, _, text = validate(data, shacl_graph=shapes, inference='none')
    print(path.split('/')[-1], conforms)
    if not conforms:
        print(text)
";

#[test]
fn the_shapes_of_the_accreditation_schema_accept_every_export() {
    let Some(folder) = vectors() else { return };
    let python = std::env::var_os("SIGELI_PYTHON").unwrap_or_else(|| "python3".into());
    let probe = Command::new(&python).args(["-c", "import pyshacl"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        println!("NOT RUN: there is no python3 with pyshacl; name one with SIGELI_PYTHON");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let validate = |documents: &[(String, &Value)]| {
        let paths = documents.iter().map(|(name, document)| {
            let path = directory.path().join(format!("{name}.jsonld"));
            std::fs::write(&path, document.to_string()).unwrap();
            path
        });
        let paths: Vec<_> = paths.collect();
        let shapes = folder.join("europass-elm").join("AMS-constraints.ttl");
        let output = Command::new(&python).args(["-c", SHACL]).arg(shapes).args(paths).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let all = all();
    let documents: Vec<_> = all.iter().map(|(name, (elm, _))| ((*name).to_owned(), elm)).collect();
    let expected: String = all.keys().map(|name| format!("{name}.jsonld True\n")).collect();
    assert_eq!(validate(&documents), expected);
    // The shapes are looked at: each of these must be refused.
    let elm = &all["accreditation"].0;
    for member in ["dcType", "title", "organisation", "accreditingAgent"] {
        let mut without = elm.clone();
        without.as_object_mut().unwrap().remove(member);
        assert!(validate(&[(format!("no-{member}"), &without)]).contains(" False\n"), "{member}");
    }
    let mut closed = elm.clone();
    closed["sigeli:limitEctsTenths"] = json!(55);
    assert!(validate(&[("closed".to_owned(), &closed)]).contains(" False\n"), "the shape is closed");
}
