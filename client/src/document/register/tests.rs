use serde_json::json;
use sigeli_verifier::{ids::PermissionId, transaction::CredentialType};

use super::*;
use crate::document::{StatedFacts, canonicalise};

fn day(text: &str) -> Day {
    crate::values::parse_day(text).expect("the test gives a day")
}

fn registered() -> Registered {
    let facts = BatchFacts {
        accreditation: PermissionId::new(1),
        level: Level::new(6).expect("a level"),
        field: Field::new(613).expect("a field"),
        ects: EctsTenths::new(30),
        issued: day("2026-11-16"),
        credential_type: CredentialType::MicroCredential,
    };
    Registered::planned(&facts, day("2026-11-20"))
}

fn stated(achieved: &serde_json::Value, issued: &str) -> StatedFacts {
    let text = json!({"issued": issued, "credentialSubject": {"achieved": achieved}}).to_string();
    canonicalise(text.as_bytes(), None).expect("JSON").facts().expect("a credential").stated
}

fn codes(achieved: &serde_json::Value, issued: &str) -> Vec<&'static str> {
    contradictions(&stated(achieved, issued), registered()).iter().map(Contradiction::code).collect()
}

#[test]
fn only_what_cannot_be_so_contradicts() {
    let fit = json!({"nqfLevel": 6, "iscedF": "0613", "ectsCredits": 3});
    assert_eq!(codes(&fit, "2026-11-20"), [""; 0]);
    for (achieved, issued, expected) in [
        (json!({}), "soon", &[][..]),
        (json!({"nqfLevel": 5}), "2026-11-16", &["level_differs"]),
        (json!({"nqfLevel": 6, "eqfLevel": 7}), "2026-11-16", &["level_differs"]),
        (json!({"iscedF": "06"}), "2026-11-16", &[]),
        (json!({"iscedF": ["0915", "061"]}), "2026-11-16", &[]),
        (json!({"iscedF": "0612"}), "2026-11-16", &["field_differs"]),
        (json!({"iscedF": ["07", "0915"]}), "2026-11-16", &["field_differs"]),
        (json!({"ectsCredits": 2}), "2026-11-16", &[]),
        (json!({"ectsCredits": 3.01}), "2026-11-16", &["credits_above"]),
        (json!({}), "2026-11-20T23:59:59+04:00", &[]),
        (json!({}), "2026-11-21T00:00:00+04:00", &["issued_after_anchor"]),
        // A day without a zone has begun somewhere while it is still the day before in Tbilisi.
        (json!({}), "2026-11-21", &[]),
        (json!({}), "2026-11-22", &["issued_after_anchor"]),
        (
            json!({"nqfLevel": 1, "iscedF": "01", "ectsCredits": 4}),
            "2027-01-01",
            &["level_differs", "field_differs", "credits_above", "issued_after_anchor"],
        ),
    ] {
        assert_eq!(codes(&achieved, issued), expected, "{achieved} {issued}");
    }
}

#[test]
fn a_clerk_reads_what_differs() {
    let found = contradictions(
        &stated(&json!({"nqfLevel": 5, "iscedF": ["07", "0915"], "ectsCredits": 3.5}), "2027-01-01T12:00:00Z"),
        registered(),
    );
    let lines: Vec<_> = found.iter().map(Contradiction::to_string).collect();
    assert_eq!(
        lines,
        [
            "it states level 5, the batch level 6",
            "it states field 07, 0915, the batch field 0613",
            "it states 3.5 ECTS, the batch 3",
            "it states 2027-01-01 as its date of issue, which is after 2026-11-20",
        ]
    );
}

#[test]
fn documents_that_state_the_same_share_a_group() {
    let web = json!({"title": {"ka": "ვები", "en": "Web"}, "nqfLevel": 6, "iscedF": ["061", "0613"], "ectsCredits": 3});
    let mut groups = Groups::default();
    groups.add(Some(&stated(&web, "2026-11-16")), 0);
    groups.add(None, 1);
    groups.add(Some(&stated(&json!({"nqfLevel": [5, 6]}), "2026-11-16")), 2);
    groups.add(Some(&stated(&web, "2026-11-16T10:00:00+04:00")), 3);
    groups.add(Some(&stated(&web, "2026-11-17")), 4);
    let groups = groups.into_groups();
    let lines: Vec<_> = groups.iter().map(Group::to_string).collect();
    assert_eq!(
        lines,
        [
            "1 document(s): state nothing that can be read",
            "1 document(s): level 5 and 6, issued on 2026-11-16",
            "2 document(s): level 6, field 061, 0613, 3 ECTS, issued on 2026-11-16, “ვები”",
            "1 document(s): level 6, field 061, 0613, 3 ECTS, issued on 2026-11-17, “ვები”",
        ]
    );
    assert_eq!(groups[2].documents, [0, 3]);
    assert!(groups[0].is_silent() && !groups[1].is_silent());
    assert_eq!(groups[2].field(), Field::new(613));
}

#[test]
fn a_broad_field_is_filled_up_to_four_digits() {
    for (stated, expected) in [("06", 600), ("061", 610), ("003", 30), ("0613", 613)] {
        let group = Group {
            levels: vec![],
            fields: vec![FieldPrefix::parse(stated).expect("a prefix")],
            credits: None,
            issued: None,
            title: None,
            documents: vec![()],
        };
        assert_eq!(group.field(), Field::new(expected), "{stated}");
    }
}
