use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;

const SAMPLE: &str = r#"{"id":"urn:a","ects":3,"ok":true,"none":null,"list":[1.5,"ა"],"proof":{"v":1}}"#;

fn profile(file: &[u8]) -> Result<Profile, &'static str> {
    canonicalise(file, None).map(|canonical| canonical.profile()).map_err(|error| error.code())
}

fn bytes(file: &[u8], force: Option<Profile>) -> Result<Vec<u8>, &'static str> {
    canonicalise(file, force).map(|canonical| canonical.bytes().to_vec()).map_err(|error| error.code())
}

fn sealed() -> String {
    let protected = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","b64":false,"crit":["b64"]}"#);
    format!(r#"{{"payload":"{{\"a\": 1}}","signatures":[{{"protected":"{protected}","signature":"x"}}]}}"#)
}

#[test]
fn kinds_are_detected() {
    for (file, expected) in [
        (&b"%PDF-1.7\n..."[..], Profile::Raw),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Profile::Raw),
        (b"<?xml version='1.0'?><europassCredential/>", Profile::Raw),
        (b"PK\x03\x04", Profile::Raw),
        (b"", Profile::Raw),
        (b"plain text", Profile::Raw),
        (b"[{\"a\":1}]", Profile::Raw),
        (b"\"text\"", Profile::Raw),
        (b"{\\rtf1\\ansi}", Profile::Raw),
        (b"www.example.org", Profile::Raw),
        (b"eyJh.eyJi", Profile::Raw),
        (b"eyJh.b.c.d.e", Profile::Raw),
        (b"{}", Profile::Jcs),
        (b" \r\n{\"a\":1}\n", Profile::Jcs),
        (b"{\"payload\":{},\"signature\":\"x\"}", Profile::Jcs),
        (b"eyJh.eyJi.c", Profile::Jws),
        (b"\n eyJh.eyJi.c \n", Profile::Jws),
        (b"eyJh.eyJi.c~WyJh~", Profile::Jws),
        (sealed().as_bytes(), Profile::Jades),
    ] {
        assert_eq!(profile(file), Ok(expected), "{}", String::from_utf8_lossy(file));
    }
}

#[test]
fn what_begins_like_a_json_object_is_never_silently_a_file() {
    for (file, code) in [
        (&b"{"[..], "json_syntax"),
        (b"{\"a\":1,\"a\":2}", "json_duplicate_name"),
        (b"{\"a\":1} x", "json_syntax"),
        (b"{'a':1}", "json_syntax"),
        (b"\xEF\xBB\xBF{}", "json_byte_order_mark"),
        (b"\xEF\xBB\xBF\n {}", "json_byte_order_mark"),
        (b"\x0c{}", "json_syntax"),
        (b"{\"a\":\"\xff\"}", "json_not_utf8"),
        (b"{\"payload\":\"a b\",\"signature\":\"x\"}", "jades_payload_encoding"),
    ] {
        assert_eq!(profile(file), Err(code), "{}", String::from_utf8_lossy(file));
        assert_eq!(bytes(file, Some(Profile::Raw)), Ok(file.to_vec()), "the issuer may anchor it as a file");
    }
}

#[test]
fn a_forced_profile_gives_its_bytes_or_its_error() {
    let sealed = sealed();
    assert_eq!(bytes(sealed.as_bytes(), Some(Profile::Jades)), Ok(b"{\"a\": 1}".to_vec()));
    let as_json = bytes(sealed.as_bytes(), Some(Profile::Jcs)).expect("a JWS in JSON is JSON too");
    assert!(as_json.starts_with(b"{\"payload\":\"{\\\"a\\\": 1}\",\"signatures\":[{\"protected\":"));
    assert_eq!(bytes(b" ewog.eyJi.c ", Some(Profile::Jws)), Ok(b"ewog.eyJi.c".to_vec()));
    for (file, force, code) in [
        (&b"%PDF-1.7"[..], Profile::Jcs, "json_syntax"),
        (b"[1]", Profile::Jcs, "json_not_an_object"),
        (b"%PDF-1.7", Profile::Jws, "jws_malformed"),
        (b"{}", Profile::Jws, "jws_malformed"),
        (b"{}", Profile::Jades, "jades_malformed"),
        (b"[1]", Profile::Jades, "json_not_an_object"),
        (b"eyJh.eyJi.c", Profile::Jades, "json_syntax"),
        (b"{\"payload\":\"YQ\",\"payload\":\"YQ\",\"signature\":\"x\"}", Profile::Jades, "json_duplicate_name"),
    ] {
        assert_eq!(bytes(file, Some(force)), Err(code), "{}", String::from_utf8_lossy(file));
    }
}

#[test]
fn only_the_outermost_proof_is_dropped() {
    assert_eq!(
        bytes(br#"{"proof":1,"b":{"proof":2},"a":[{"proof":3}]}"#, None),
        Ok(br#"{"a":[{"proof":3}],"b":{"proof":2}}"#.to_vec())
    );
    assert_eq!(bytes(br#"{"proof":1}"#, None), Ok(b"{}".to_vec()));
    assert_eq!(bytes(br#"{"Proof":1,"proofs":2}"#, None), Ok(br#"{"Proof":1,"proofs":2}"#.to_vec()));
}

#[test]
fn spelling_does_not_change_the_digest() {
    let digest = |file: &str| canonicalise(file.as_bytes(), None).expect("strict JSON").digest();
    for file in [
        "{ \"id\" : \"urn:a\",\r\n\t\"ects\": 3, \"ok\": true, \"none\": null, \"list\": [ 1.5 , \"ა\" ], \"proof\": {} }\n",
        r#"{"list":[1.5,"ა"],"none":null,"ok":true,"ects":3,"id":"urn:a"}"#,
        r#"{"id":"urn:\u0061","ects":3.0,"ok":true,"none":null,"list":[15e-1,"\u10d0"],"proof":[1,2]}"#,
        r#"{"\u0069d":"urn:a","ects":0.3e1,"ok":true,"none":null,"list":[1.50,"ა"]}"#,
    ] {
        assert_eq!(digest(file), digest(SAMPLE), "{file}");
    }
}

/// Every single byte replaced by each of the 255 others: another digest or a refusal, except where the change is one of
/// spelling. Which changes those are is decided by a general JSON library, not by the code under test.
#[test]
fn every_single_byte_change_of_content_is_seen() {
    let original = canonicalise(SAMPLE.as_bytes(), None).expect("strict JSON").digest();
    let content = |file: &[u8]| {
        let mut value = serde_json::from_slice::<serde_json::Value>(file).ok()?;
        value.as_object_mut()?.remove("proof");
        Some(value)
    };
    let mut same = Vec::new();
    for offset in 0..SAMPLE.len() {
        for byte in 0..=u8::MAX {
            let mut file = SAMPLE.as_bytes().to_vec();
            if std::mem::replace(&mut file[offset], byte) == byte {
                continue;
            }
            let is_seen = canonicalise(&file, None).map_or(true, |canonical| canonical.digest() != original);
            if !is_seen {
                assert_eq!(content(&file), content(SAMPLE.as_bytes()), "offset {offset}, byte {byte:#04x}");
                same.push(offset);
            }
        }
    }
    same.dedup();
    let proof_start = SAMPLE.find("\"proof\":").expect("the sample has a proof") + "\"proof\":".len();
    assert!(same.iter().all(|offset| *offset >= proof_start), "only the dropped proof may change unseen: {same:?}");
    assert!(!same.is_empty(), "a change inside the proof is not content");
}

#[test]
fn every_single_byte_change_of_a_jws_or_file_is_seen() {
    for (file, force) in [("eyJh.eyJi.c0A", None), ("%PDF-1.4 x", Some(Profile::Raw))] {
        let original = canonicalise(file.as_bytes(), force).expect("canonical").digest();
        for offset in 0..file.len() {
            for byte in 0..=u8::MAX {
                let mut changed = file.as_bytes().to_vec();
                if std::mem::replace(&mut changed[offset], byte) != byte {
                    let is_seen =
                        canonicalise(&changed, force).map_or(true, |canonical| canonical.digest() != original);
                    assert!(is_seen, "{file}, offset {offset}, byte {byte:#04x}");
                }
            }
        }
    }
}

#[test]
fn the_same_bytes_under_another_profile_have_another_digest() {
    let file = br#"{"a":1}"#;
    let jcs = canonicalise(file, None).expect("strict JSON");
    let raw = canonicalise(file, Some(Profile::Raw)).expect("a file");
    assert_eq!(jcs.bytes(), raw.bytes());
    assert_ne!(jcs.digest(), raw.digest());
}

#[test]
fn every_json_refusal_tells_the_clerk_what_to_do() {
    for file in [
        &b"{"[..],
        b"{\"a\":1,\"a\":1}",
        b"{\"a\":1e999}",
        b"{\"a\":9007199254740992}",
        b"{\"a\":\"\\ud800\"}",
        b"\xEF\xBB\xBF{}",
        b"{\"a\":\"\xff\"}",
        b"{\"payload\":\"\",\"signature\":\"x\"}",
        b"{\"payload\":\"!\",\"signature\":\"x\"}",
    ] {
        let message = canonicalise(file, None).expect_err("a refusal").to_string();
        assert!(message.ends_with("cannot be anchored as JSON; anchor as a file"), "{message}");
    }
}

proptest! {
    #[test]
    fn no_file_panics_under_any_profile(file in prop::collection::vec(any::<u8>(), 0..200), start in "(\\{\"payload\":\"|eyJ|\\{|%PDF-)?") {
        let mut bytes = start.into_bytes();
        bytes.extend(file);
        for force in [None, Some(Profile::Raw), Some(Profile::Jcs), Some(Profile::Jws), Some(Profile::Jades)] {
            if let Ok(canonical) = canonicalise(&bytes, force) {
                prop_assert!(canonical.facts().is_none() || !canonical.bytes().is_empty());
                prop_assert!(force.is_none_or(|profile| profile == canonical.profile()));
            }
        }
    }
}
