use super::*;
use crate::document::canonicalise;
use proptest::prelude::*;
use sigeli_verifier::credential::Profile;

/// Golden bundles of the verifier: bytes by name.
fn golden(name: &str) -> Bundle {
    let text = include_str!("../../../../ledger/verifier/tests/vectors/golden.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let bytes = hex::decode(golden["formats"][name]["bytes"].as_str().unwrap()).unwrap();
    Bundle::from_bytes(&bytes).unwrap()
}

fn digest(document: &[u8]) -> Vec<u8> {
    canonicalise(document, Some(Profile::Jcs)).unwrap().digest().as_bytes().to_vec()
}

const OLDER: &str = "bundle: with permission";
const NEWER: &str = "bundle: batch revoked";

#[test]
fn a_bundle_goes_in_and_comes_out_and_the_digest_stays() {
    let (older, newer) = (golden(OLDER), golden(NEWER));
    for document in [
        "{}",
        "{ }",
        " {\n  \"a\": 1.50,\n  \"b\": [true, {\"proof\": 3}]\n}\n",
        r#"{"proof":{"type":"DataIntegrityProof","proofValue":"z3"},"a":"}"}"#,
        r#"{"a":"\"proof\":{}","proof": [ {"type":"A"} , {"type":"B"} ] }"#,
        r#"{"pr\u006fof": [], "a" : "\\"}"#,
        r#"{"z":-1e5,"x":null,"proof":[{"x":"]}"}]}"#,
    ] {
        let document = document.as_bytes();
        assert_eq!(extract(document), Ok(None));
        let first = embed(document, &older).unwrap();
        assert_eq!(extract(&first), Ok(Some(older.clone())));
        assert_eq!(digest(&first), digest(document));
        let second = embed(&first, &newer).unwrap();
        assert_eq!(extract(&second), Ok(Some(newer.clone())));
        assert_eq!(digest(&second), digest(document));
        assert_eq!(embed(&second, &newer).unwrap(), second, "the same bundle changes nothing");
        // Other entries are all there still.
        let others = |text: &[u8]| {
            let proof = serde_json::from_slice::<Value>(text).unwrap().get(PROOF).cloned().unwrap_or(json!([]));
            entries(&proof).unwrap().iter().filter(|entry| !is_ours(entry)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(others(&second), others(document));
    }
}

#[test]
fn bytes_outside_the_proof_stay_as_they_are() {
    let text = "{\r\n\t\"a\" : 1.50e0 ,\"\\u0062\":\"\\u10DC\" , \"proof\" : {\"type\":\"A\"} , \"c\":[ ] }\n";
    let embedded = String::from_utf8(embed(text.as_bytes(), &golden(OLDER)).unwrap()).unwrap();
    let (before, after) = text.split_once("{\"type\":\"A\"}").unwrap();
    assert!(embedded.starts_with(before) && embedded.ends_with(after));
    let embedded = String::from_utf8(embed(b"{\"a\" : 1.0\n}\n", &golden(OLDER)).unwrap()).unwrap();
    assert!(embedded.starts_with("{\"a\" : 1.0,\"proof\":{") && embedded.ends_with("}\n}\n"));
}

#[test]
fn what_cannot_hold_a_bundle_is_refused_and_left_alone() {
    let bundle = golden(OLDER);
    assert!(matches!(embed(b"%PDF-1.7", &bundle), Err(EmbedError::Document(_))));
    assert!(matches!(embed(b"{\"a\":1,\"a\":2}", &bundle), Err(EmbedError::Document(_))));
    assert_eq!(embed(b"[]", &bundle), Err(EmbedError::NotAnObject));
    for proof in ["3", "\"x\"", "null", "[3]", "[[]]"] {
        let document = format!("{{\"proof\":{proof}}}");
        assert_eq!(embed(document.as_bytes(), &bundle), Err(EmbedError::ProofMalformed), "{proof}");
    }
    // A document that would outgrow what can be read again.
    let size = crate::document::JSON_SIZE_BYTES_MAX;
    let document = format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
    assert_eq!(document.len(), size);
    assert!(matches!(
        embed(document.as_bytes(), &bundle),
        Err(EmbedError::Document(DocumentError::JsonTooLarge { .. }))
    ));
}

#[test]
fn damaged_entries_are_told_from_missing_ones() {
    let with = |value: &str| format!("{{\"proof\":{{\"type\":\"{PROOF_TYPE}\",\"proofValue\":{value}}}}}");
    for value in ["3", "\"\"", "\"zAA\"", "\"uA A\"", "\"uAAA=\""] {
        assert_eq!(extract(with(value).as_bytes()), Err(EmbedError::Value), "{value}");
    }
    assert!(matches!(extract(with("\"uAAAA\"").as_bytes()), Err(EmbedError::Malformed(_))));
    assert_eq!(
        extract(with(&format!("\"u{}\"", "A".repeat(PROOF_VALUE_CHARS_MAX))).as_bytes()),
        Err(EmbedError::Value)
    );
    let one = entry(&golden(OLDER)).to_string();
    assert_eq!(extract(format!("{{\"proof\":[{one},{one}]}}").as_bytes()), Err(EmbedError::Several { count: 2 }));
    // Only the outermost proof counts.
    assert_eq!(extract(format!("{{\"a\":{{\"proof\":{one}}}}}").as_bytes()), Ok(None));
    assert_eq!(extract(PROOF_TYPE.as_bytes()), Ok(None));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[\\PC\"\\\\{}\\[\\],: ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[\\PC\"\\\\{}]{0,5}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_object_takes_a_bundle(
        members in prop::collection::btree_map("[\\PC\"\\\\{}]{0,5}", json_value(), 0..5),
        proof in prop::option::of(prop::collection::vec(Just(json!({"type": "A", "x": "\"]}"})), 0..3)),
        pretty: bool,
    ) {
        let mut object: serde_json::Map<String, Value> = members.into_iter().filter(|(name, _)| name != PROOF).collect();
        if let Some(proof) = proof {
            object.insert(PROOF.to_owned(), Value::from(proof));
        }
        let object = Value::Object(object);
        let text = if pretty { serde_json::to_vec_pretty(&object) } else { serde_json::to_vec(&object) }.unwrap();
        let bundle = golden(OLDER);
        let embedded = embed(&text, &bundle).unwrap();
        prop_assert_eq!(digest(&embedded), digest(&text));
        prop_assert_eq!(extract(&embedded), Ok(Some(bundle)));
    }
}
