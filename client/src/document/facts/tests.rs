use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

/// 2026-11-24T00:00:00Z.
const NOW: TimeMs = TimeMs::new(1_795_478_400_000);

fn facts(file: &str) -> Option<DocumentFacts> {
    canonicalise(file.as_bytes(), None).expect("the test gives a well-formed file").facts()
}

fn of(document: &Value) -> DocumentFacts {
    facts(&document.to_string()).expect("a JSON document can be read")
}

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({"alg": "ES256"})), part(claims))
}

fn english(text: Option<&LocalText>) -> Option<&str> {
    text.and_then(LocalText::english)
}

#[test]
fn open_badges_say_title_issuer_and_dates() {
    let facts = of(&json!({
        "name": "Teamwork Badge", "issuer": {"id": "https://e.ge", "name": "GTU"},
        "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2027-01-01T00:00:00+04:00",
        "credentialSubject": {"achievement": {"name": "Teamwork"}, "identifier": [
            {"identityType": "emailAddress", "hashed": false, "identityHash": "a@e.ge"},
            {"identityType": "name", "hashed": true, "identityHash": "sha256$ff"},
            {"identityType": "name", "hashed": false, "identityHash": "ანა ყიფიანი"}]},
    }));
    assert_eq!(english(facts.title.as_ref()), Some("Teamwork Badge"));
    assert_eq!(english(facts.stated.issuer.as_ref()), Some("GTU"));
    assert_eq!(english(facts.holder_name.as_ref()), Some("ანა ყიფიანი"));
    assert_eq!(facts.valid_until.moment().map(Moment::text), Some("2027-01-01T00:00:00+04:00"));
    assert_eq!(facts.standing_at(NOW), Standing::Current);
}

#[test]
fn europass_says_names_in_its_languages() {
    let credential = json!({
        "displayParameter": {"title": {"en": "Micro-Credential", "ka": ["მიკროკრედენციალი"]}},
        "issuer": {"legalName": {"en": "GTU", "ka": "სტუ"}}, "issued": "2023-09-27T13:54:17+02:00",
        "issuanceDate": "2023-09-27T13:54:17+02:00", "expirationDate": "2024-09-25T00:00:00Z",
        "credentialSubject": [{"givenName": {"en": "Ana"}, "familyName": {"en": "Kipiani"}, "hasClaim": {"title": {"en": "Claim"}}}],
    });
    for document in [credential.clone(), json!({"credential": credential, "deliveryDetails": {}})] {
        let facts = of(&document);
        assert_eq!(facts.title.as_ref().and_then(LocalText::georgian), Some("მიკროკრედენციალი"));
        assert_eq!(facts.stated.issuer.as_ref().and_then(LocalText::georgian), Some("სტუ"));
        assert_eq!(english(facts.holder_name.as_ref()), Some("Ana Kipiani"));
        assert_eq!(facts.stated.issued.moment().map(Moment::earliest_unix_ms), Some(1_695_815_657_000));
        assert_eq!(facts.valid_from, facts.stated.issued);
        assert_eq!(facts.standing_at(NOW), Standing::Expired);
    }
}

#[test]
fn a_jwt_is_bounded_by_its_claims_and_by_its_credential() {
    let credential =
        json!({"name": "Degree", "issuanceDate": "2010-01-01T00:00:00Z", "expirationDate": "2030-01-01T00:00:00Z"});
    let nested = facts(&jwt(&json!({"vc": credential, "nbf": 1_262_304_000, "exp": 1_600_000_000, "iat": 5})))
        .expect("readable");
    assert_eq!(english(nested.title.as_ref()), Some("Degree"));
    assert_eq!(nested.valid_until.moment().map(Moment::text), Some("1600000000"), "the earlier end counts");
    assert_eq!(nested.stated.issued.moment().map(Moment::earliest_unix_ms), Some(5_000));
    assert_eq!(nested.standing_at(NOW), Standing::Expired);

    let flat = facts(&jwt(&json!({"name": "Degree", "validUntil": "2020-01-01T00:00:00Z", "exp": 1_900_000_000})))
        .expect("readable");
    assert_eq!(flat.valid_until.moment().map(Moment::text), Some("2020-01-01T00:00:00Z"));

    let disclosed = format!(
        "{}~{}~",
        jwt(&json!({"name": "Degree"})),
        URL_SAFE_NO_PAD.encode(r#"["s","validUntil","2020-01-01T00:00:00Z"]"#)
    );
    assert_eq!(
        facts(&disclosed).expect("readable").valid_until,
        StatedDate::Absent,
        "disclosures are not covered by the digest"
    );
}

#[test]
fn a_seal_tells_its_payload_and_nothing_around_it() {
    let protected = URL_SAFE_NO_PAD.encode(r#"{"b64":false,"crit":["b64"]}"#);
    let document = json!({"payload": json!({"validUntil": "2020-01-01T00:00:00Z"}).to_string(), "protected": protected, "signature": "x",
        "validUntil": "2099-01-01T00:00:00Z", "name": "outside"});
    let facts = of(&document);
    assert_eq!(facts.standing_at(NOW), Standing::Expired);
    assert_eq!(facts.title, None);
}

#[test]
fn opaque_files_say_nothing_and_plain_json_still_speaks() {
    for file in ["%PDF-1.7", "text", "[1]", "eyJh.eyJi.c"] {
        assert_eq!(facts(file), None, "{file}");
    }
    let file = r#"{"validUntil":"2020-01-01T00:00:00Z"}"#;
    let raw =
        canonicalise(file.as_bytes(), Some(Profile::Raw)).expect("a file").facts().expect("it is JSON all the same");
    assert_eq!(raw.standing_at(NOW), Standing::Expired);
    let refused =
        canonicalise(br#"{"validUntil":"2020-01-01T00:00:00Z","a":1,"a":2}"#, Some(Profile::Raw)).expect("a file");
    assert_eq!(refused.facts(), None, "ambiguous JSON says nothing for certain");
    assert_eq!(of(&json!({})), DocumentFacts::default());
    assert_eq!(of(&json!({})).standing_at(NOW), Standing::Current);
}

#[test]
fn large_numbers_do_not_hide_the_facts() {
    assert_eq!(facts(r#"{"n":1e20,"name":"x"}"#).and_then(|facts| facts.title), LocalText::read(&json!("x")));
}

#[test]
fn wrong_types_are_ignored_in_names_and_unknown_in_dates() {
    let facts = of(&json!({"name": 5, "issuer": "https://e.ge", "validFrom": 5, "validUntil": "soon", "issued": [],
        "credentialSubject": [{"name": "A"}, {"name": "B"}], "displayParameter": 1}));
    let expected = DocumentFacts {
        valid_from: StatedDate::Unreadable,
        valid_until: StatedDate::Unreadable,
        stated: StatedFacts { issued: StatedDate::Unreadable, ..StatedFacts::default() },
        ..DocumentFacts::default()
    };
    assert_eq!(facts, expected);
    assert_eq!(facts.standing_at(NOW), Standing::Unclear);
}

#[test]
fn standing_changes_exactly_at_the_stated_instants() {
    let facts = of(&json!({"validFrom": "2026-01-01T00:00:00Z", "validUntil": "2027-01-01T00:00:00Z"}));
    let (start, end) = (1_767_225_600_000, 1_798_761_600_000);
    for (unix_ms, expected) in [
        (start - 1, Standing::NotYetValid),
        (start, Standing::Current),
        (end - 1, Standing::Current),
        (end, Standing::Expired),
    ] {
        assert_eq!(facts.standing_at(TimeMs::new(unix_ms)), expected, "{unix_ms}");
    }
}

#[test]
fn a_date_without_a_zone_is_unclear_for_a_day_only() {
    let facts = of(&json!({"validFrom": "2026-01-01", "validUntil": "2026-12-31"}));
    let hour = 3_600_000;
    let (start, end) = (1_767_225_600_000, 1_798_761_600_000); // midnights in UTC; the last day counts
    for (unix_ms, expected) in [
        (start - 14 * hour - 1, Standing::NotYetValid),
        (start - 14 * hour, Standing::Unclear),
        (start + 12 * hour - 1, Standing::Unclear),
        (start + 12 * hour, Standing::Current),
        (end - 14 * hour - 1, Standing::Current),
        (end - 14 * hour, Standing::Unclear),
        (end + 12 * hour - 1, Standing::Unclear),
        (end + 12 * hour, Standing::Expired),
    ] {
        assert_eq!(facts.standing_at(TimeMs::new(unix_ms)), expected, "{unix_ms}");
    }
    let half_known = of(&json!({"validFrom": "?", "validUntil": "2020-01-01"}));
    assert_eq!(half_known.standing_at(NOW), Standing::Expired, "one certain answer is enough");
}
