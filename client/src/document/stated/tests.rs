use serde_json::json;

use super::*;

fn of(credential: &Value) -> StatedFacts {
    StatedFacts::read(credential.as_object().expect("the test gives an object"))
}

fn levels(facts: &StatedFacts) -> Vec<u8> {
    facts.levels.iter().map(|level| level.get()).collect()
}

fn fields(facts: &StatedFacts) -> Vec<String> {
    facts.fields.iter().map(FieldPrefix::to_string).collect()
}

fn credits(facts: &StatedFacts) -> Option<u16> {
    facts.credits.map(EctsTenths::get)
}

fn day(facts: &StatedFacts) -> Option<String> {
    facts.issued_on().map(|day| day.to_string())
}

fn alignment(framework: &str, code: &str, url: &str) -> Value {
    json!({"targetFramework": framework, "targetCode": code, "targetUrl": url, "targetName": "x"})
}

#[test]
fn open_badges_state_facts_by_alignments_and_credits() {
    let facts = of(&json!({
        "issuer": {"name": "GTU"}, "awardedDate": "2026-11-16T08:00:00Z", "validFrom": "2027-01-01T00:00:00Z",
        "credentialSubject": {"creditsEarned": 3, "achievement": {"name": "Web", "creditsAvailable": 2.5, "alignment": [
            alignment("National Qualifications Framework of Georgia", "6", "https://gtu.example/6"),
            alignment("European Qualifications Framework (EQF)", "6", "http://data.europa.eu/snb/eqf/6"),
            alignment("Qualifications Framework of the European Higher Education Area (QF-EHEA)", "1", "https://e.ge/1"),
            alignment("ISCED-F 2013", "0613", "http://data.europa.eu/snb/isced-f/0613"),
            alignment("Local list", "0999", "https://e.ge/0999")]}}
    }));
    assert_eq!((levels(&facts), fields(&facts)), (vec![6], vec!["0613".to_owned()]));
    assert_eq!(credits(&facts), Some(30), "earned and available are one number: the larger");
    assert_eq!(day(&facts).as_deref(), Some("2026-11-16"), "a start of validity is no date of issue");
    assert_eq!(facts.title.and_then(|title| title.english().map(str::to_owned)).as_deref(), Some("Web"));
    assert_eq!(facts.issuer.and_then(|name| name.english().map(str::to_owned)).as_deref(), Some("GTU"));
}

#[test]
fn europass_states_facts_by_its_lists() {
    let claim = |point: &str, system: &str| {
        json!({"title": {"en": "A"}, "awardedBy": {"awardingDate": "2026-05-01T00:00:00Z"}, "specifiedBy": [{
            "eqfLevel": {"id": "http://data.europa.eu/snb/eqf/6"}, "nqfLevel": {"id": "http://data.europa.eu/snb/qdr/c_1"},
            "thematicArea": [{"id": "http://data.europa.eu/snb/isced-f/0688"}, {"id": "https://e.ge/area"}],
            "ISCEDFCode": {"id": "https://data.europa.eu/snb/isced-f/06"},
            "creditPoint": {"point": point, "framework": {"id": system}}}]})
    };
    const ECTS: &str = "http://data.europa.eu/snb/education-credit/6fcec5c5af";
    const ECVET: &str = "http://data.europa.eu/snb/education-credit/60b314e826";
    let one = of(&json!({"issued": "2026-06-01", "credentialSubject": [{"hasClaim": claim("2", ECTS)}]}));
    assert_eq!((levels(&one), fields(&one)), (vec![6], vec!["06".to_owned(), "0688".to_owned()]));
    assert_eq!((credits(&one), day(&one).as_deref()), (Some(20), Some("2026-06-01")));
    let two = of(&json!({"credentialSubject": {"hasClaim": [claim("2", ECTS), claim("3.5", ECTS)]}}));
    assert_eq!(credits(&two), Some(55), "claims add up");
    assert_eq!(credits(&of(&json!({"credentialSubject": {"hasClaim": claim("60", ECVET)}}))), None, "other systems");
    let received = json!({"credentialSubject": {"hasClaim": {"creditReceived": [{"point": 4}]}}});
    assert_eq!(credits(&of(&received)), Some(40), "a system that is not named is ECTS");
}

#[test]
fn plain_terms_and_badges_of_the_second_version_are_read() {
    let plain = of(&json!({"credentialSubject": {"achieved": {
        "title": {"ka": "ვები"}, "issuedOn": "2026-11-16", "ectsCredits": "3", "nqfLevel": 6, "eqfLevel": "6", "iscedF": "0613"}}}));
    assert_eq!((levels(&plain), fields(&plain)), (vec![6], vec!["0613".to_owned()]));
    assert_eq!((credits(&plain), day(&plain).as_deref()), (Some(30), Some("2026-11-16")));
    let badge = of(&json!({"type": "Assertion", "issuedOn": "2016-12-31T23:59:59Z", "badge": {"name": "Robots",
        "issuer": {"name": "Labs"}, "alignment": [alignment("EQF", "5", "https://e.ge/5")]}}));
    assert_eq!((levels(&badge), day(&badge).as_deref()), (vec![5], Some("2017-01-01")), "the day in Tbilisi");
    assert_eq!(badge.issuer.and_then(|name| name.english().map(str::to_owned)).as_deref(), Some("Labs"));
}

#[test]
fn levels_and_fields_are_read_in_their_own_spelling_only() {
    for (value, expected) in [
        (json!(6), Some(6)),
        (json!(6.0), Some(6)),
        (json!("6"), Some(6)),
        (json!(" 6 "), Some(6)),
        (json!({"@value": "6"}), Some(6)),
        (json!("https://data.europa.eu/snb/eqf/6"), Some(6)),
        (json!({"id": "urn:x", "notation": "7"}), Some(7)),
        (json!(0), None),
        (json!(9), None),
        (json!(6.5), None),
        (json!("06"), None),
        (json!("Level 6"), None),
        (json!("http://data.europa.eu/snb/eqf/6/7"), None),
        (json!("http://elsewhere.example/data.europa.eu/snb/eqf/6"), None),
        (json!({"id": {"id": 6}}), None),
        (json!(true), None),
    ] {
        assert_eq!(level(&value).map(Level::get), expected, "{value}");
    }
    for (value, expected) in [
        (json!("0613"), Some("0613")),
        (json!("06"), Some("06")),
        (json!({"id": "http://data.europa.eu/snb/isced-f/061"}), Some("061")),
        (json!(613), None),
        (json!("6"), None),
        (json!("06130"), None),
        (json!("+613"), None),
        (json!("http://data.europa.eu/snb/isced-f/06a3"), None),
    ] {
        assert_eq!(field(&value).map(|field| field.to_string()).as_deref(), expected, "{value}");
    }
    for (name, expected) in [
        ("eqf", true),
        ("nqf", true),
        ("national qualifications framework of georgia", true),
        ("ეროვნული კვალიფიკაციების ჩარჩო", true),
        ("national qualifications framework of kenya", false),
        ("qualifications framework of the european higher education area (qf-ehea)", false),
        ("", false),
    ] {
        assert_eq!(is_level_framework(name), expected, "{name}");
    }
}

#[test]
fn credits_are_rounded_up_and_never_wrap() {
    for (value, expected) in [
        (json!(3), Some(30)),
        (json!(2.5), Some(25)),
        (json!(2.51), Some(26)),
        (json!("2.50"), Some(25)),
        (json!(0), Some(0)),
        (json!(0.0), Some(0)),
        (json!(1e-7), Some(1)),
        (json!(6553.5), Some(65_535)),
        (json!(6553.6), Some(u16::MAX)),
        (json!(6554), Some(u16::MAX)),
        (json!(1e300), Some(u16::MAX)),
        (json!("99999999999999999999"), Some(u16::MAX)),
        (json!("6553.99"), Some(u16::MAX)),
        (json!(-1), None),
        (json!("3 ECTS"), None),
        (json!("3,5"), None),
        (json!(""), None),
        (json!(null), None),
    ] {
        assert_eq!(tenths(&value).map(EctsTenths::get), expected, "{value}");
    }
    let many = json!({"credentialSubject": {"hasClaim": [{"ectsCredits": 6000}, {"ectsCredits": 6000}]}});
    assert_eq!(credits(&of(&many)), Some(u16::MAX));
}

#[test]
fn the_latest_statement_is_the_date_of_issue() {
    let facts = of(&json!({"issued": "2026-05-01", "awardedDate": "2026-05-02", "credentialSubject": {}}));
    assert_eq!(day(&facts).as_deref(), Some("2026-05-02"));
    let unreadable = of(&json!({"issued": "May", "awardedDate": "2026-05-02"}));
    assert_eq!((unreadable.issued.clone(), day(&unreadable)), (StatedDate::Unreadable, None));
    let zoneless = of(&json!({"issued": "2026-05-01T23:00:00"}));
    assert_eq!(day(&zoneless), None, "another day in other zones");
    assert_eq!(of(&json!({})), StatedFacts::default());
}
