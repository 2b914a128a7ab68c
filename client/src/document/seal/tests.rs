use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{key::Key, *};

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn multikey() -> String {
    let key = signing_key().verifying_key().to_bytes();
    format!("z{}", bs58::encode([&[0xED, 0x01][..], &key].concat()).into_string())
}

fn name() -> String {
    format!("did:key:{}", multikey())
}

fn valid() -> Seal {
    Seal::Valid { signer: Signer::Key { name: name() } }
}

const fn not(why: NotChecked) -> Seal {
    Seal::NotChecked { why }
}

fn of(document: &Value) -> Seal {
    seal(document.to_string().as_bytes(), Profile::Jcs)
}

fn options() -> Value {
    json!({"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
        "created": "2026-11-16T08:00:00Z", "verificationMethod": format!("{0}#{1}", name(), multikey())})
}

/// A proof over `document` as the specification describes it, by an own path: members sorted by this library's map.
fn proof(document: &Value, options: &Value) -> Value {
    let hash = |value: &Value| Sha256::digest(value.to_string());
    let signature = signing_key().sign(&[hash(options), hash(document)].concat());
    let mut proof = options.clone();
    proof["proofValue"] = format!("z{}", bs58::encode(signature.to_bytes()).into_string()).into();
    proof
}

fn credential() -> Value {
    json!({"@context": ["https://a.example", "https://b.example"], "name": "x", "credentialSubject": {"id": "did:x:1"}})
}

fn sealed(proofs: Value) -> Value {
    let mut document = credential();
    document["proof"] = proofs;
    document
}

#[test]
fn a_proof_is_right_under_the_key_it_names() {
    assert_eq!(of(&credential()), Seal::Absent);
    let good = proof(&credential(), &options());
    assert_eq!(of(&sealed(good.clone())), valid());
    assert_eq!(of(&sealed(json!([good]))), valid());
    let pretty = serde_json::to_string_pretty(&sealed(good)).expect("a value is text");
    assert_eq!(seal(pretty.as_bytes(), Profile::Jcs), valid(), "layout is not sealed");
    assert_eq!(seal(pretty.as_bytes(), Profile::Raw), valid(), "a JSON credential that is registered as a file");
    for method in
        [json!(name()), json!(format!("https://e.ge/issuer#{}", multikey())), json!({"publicKeyMultibase": multikey()})]
    {
        let mut options = options();
        options["verificationMethod"] = method;
        assert_eq!(of(&sealed(proof(&credential(), &options))), valid());
    }
}

#[test]
fn what_was_changed_after_sealing_breaks_it() {
    let good = proof(&credential(), &options());
    let mut changed = sealed(good.clone());
    changed["name"] = "y".into();
    assert_eq!(of(&changed), Seal::Broken);
    let mut later = good.clone();
    later["created"] = "2026-11-17T08:00:00Z".into();
    assert_eq!(of(&sealed(later)), Seal::Broken);
    let mut short = good.clone();
    short["proofValue"] = "z2".into();
    assert_eq!(of(&sealed(short)), Seal::Broken);
    let mut of_other = proof(&json!({"name": "other"}), &options());
    assert_eq!(of(&sealed(of_other.clone())), Seal::Broken);
    of_other["type"] = "Other".into();
    assert_eq!(
        of(&sealed(json!([good, of_other]))),
        valid(),
        "one that is not checked does not count against one that is"
    );
}

#[test]
fn what_cannot_be_checked_here_is_not_judged() {
    let with = |member: &str, value: Value| {
        let mut options = options();
        options[member] = value;
        of(&sealed(proof(&credential(), &options)))
    };
    assert_eq!(with("cryptosuite", json!("eddsa-rdfc-2022")), not(NotChecked::Method));
    assert_eq!(with("type", json!("Ed25519Signature2020")), not(NotChecked::Method));
    assert_eq!(with("proofPurpose", json!("authentication")), not(NotChecked::Method));
    assert_eq!(with("previousProof", json!("urn:uuid:1")), not(NotChecked::Method));
    assert_eq!(with("verificationMethod", json!("https://e.ge/key")), not(NotChecked::KeyElsewhere));
    assert_eq!(with("verificationMethod", json!("did:web:e.ge#key-1")), not(NotChecked::KeyElsewhere));
    assert_eq!(with("verificationMethod", json!(format!("{}#other", name()))), not(NotChecked::KeyElsewhere));
    assert_eq!(of(&sealed(json!("text"))), not(NotChecked::Malformed));
    let mut unreadable = proof(&credential(), &options());
    unreadable["proofValue"] = "u!".into();
    assert_eq!(of(&sealed(unreadable)), not(NotChecked::Malformed));
    assert_eq!(seal(b"%PDF-1.7", Profile::Raw), not(NotChecked::Opaque));
    assert_eq!(seal(b"{", Profile::Jcs), not(NotChecked::Malformed));
    let receipt = json!({"type": "SigeliLedgerProof", "proofValue": "uAA"});
    assert_eq!(of(&sealed(json!([receipt]))), Seal::Absent, "a bundle is no seal of the issuer");
    assert_eq!(of(&sealed(json!([receipt, proof(&credential(), &options())]))), valid());
}

#[test]
fn several_seals_give_one_finding() {
    let good = proof(&credential(), &options());
    let mut broken = good.clone();
    broken["created"] = "2020-01-01T00:00:00Z".into();
    assert_eq!(of(&sealed(json!([good, broken]))), Seal::Broken);
    assert_eq!(of(&sealed(json!(vec![good.clone(); SEALS_MAX]))), valid());
    assert_eq!(of(&sealed(json!(vec![good; SEALS_MAX + 1]))), not(NotChecked::Method));
}

#[test]
fn a_proof_with_a_context_seals_the_document_under_it() {
    let mut options = options();
    options["@context"] = json!(["https://a.example"]);
    let mut signed = credential();
    signed["@context"] = json!(["https://a.example"]);
    let mut document = signed.clone();
    document["@context"] = json!(["https://a.example", "https://added.example"]);
    document["proof"] = proof(&signed, &options);
    assert_eq!(of(&document), valid());
    document["@context"] = json!(["https://added.example", "https://a.example"]);
    assert_eq!(of(&document), Seal::Broken);
}

fn jws(header: &Value, payload: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(payload));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(sign(signed.as_bytes())))
}

fn ed25519(message: &[u8]) -> Vec<u8> {
    signing_key().sign(message).to_bytes().to_vec()
}

fn okp() -> Value {
    let key = signing_key().verifying_key().to_bytes();
    json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key)})
}

fn of_jws(header: Value, payload: Value) -> Seal {
    seal(jws(&header, &payload, ed25519).as_bytes(), Profile::Jws)
}

#[test]
fn a_compact_jws_is_right_under_the_key_in_it() {
    let claims = json!({"vc": {"name": "x"}});
    let thumbprint = Key::from_jwk(okp().as_object().expect("an object")).expect("a key");
    let by_jwk = thumbprint.check("EdDSA", b"", &ed25519(b""));
    assert_eq!(of_jws(json!({"alg": "EdDSA", "jwk": okp()}), claims.clone()), by_jwk);
    assert!(matches!(by_jwk, Seal::Valid { .. }));
    assert_eq!(of_jws(json!({"alg": "EdDSA", "kid": format!("{}#{}", name(), multikey())}), claims.clone()), valid());
    assert_eq!(of_jws(json!({"alg": "EdDSA", "kid": "key-1"}), json!({"iss": name()})), valid());
    assert_eq!(of_jws(json!({"alg": "EdDSA"}), json!({"issuer": {"id": name()}})), valid());
    let did_jwk = format!("did:jwk:{}#0", URL_SAFE_NO_PAD.encode(okp().to_string()));
    assert_eq!(of_jws(json!({"alg": "EdDSA", "kid": did_jwk}), claims.clone()), by_jwk);
    let text = jws(&json!({"alg": "EdDSA", "jwk": okp()}), &claims, ed25519);
    assert_eq!(
        seal(format!(" {text}~WyJz~\n").as_bytes(), Profile::Jws),
        by_jwk,
        "an SD-JWT's disclosures are beside it"
    );
    assert_eq!(of_jws(json!({"alg": "EdDSA", "jwk": okp(), "crit": ["sigT"], "sigT": "x"}), claims.clone()), by_jwk);

    let (signed, _) = text.rsplit_once('.').expect("three parts");
    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([1; 64]));
    assert_eq!(seal(forged.as_bytes(), Profile::Jws), Seal::Broken);
    for (header, why) in [
        (json!({"alg": "EdDSA"}), NotChecked::KeyElsewhere),
        (json!({"alg": "EdDSA", "kid": "did:web:e.ge#1"}), NotChecked::KeyElsewhere),
        (json!({"alg": "none", "jwk": okp()}), NotChecked::Method),
        (json!({"alg": "ES256", "jwk": okp()}), NotChecked::Method),
        (json!({"alg": "EdDSA", "jwk": okp(), "crit": ["exp"]}), NotChecked::Method),
        (json!({"alg": "EdDSA", "jwk": okp(), "crit": "b64"}), NotChecked::Method),
        (json!({"alg": "EdDSA", "jwk": okp(), "b64": false}), NotChecked::Malformed),
        (json!({"alg": "EdDSA", "jwk": {"kty": "oct"}}), NotChecked::Malformed),
        (json!({"alg": "RS256", "x5c": ["MIIB"]}), NotChecked::Malformed),
        (json!({"alg": "RS256", "x5c": []}), NotChecked::Malformed),
    ] {
        assert_eq!(of_jws(header.clone(), claims.clone()), not(why), "{header}");
    }
}

#[test]
fn an_elliptic_signature_is_checked() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).expect("a key");
    let point = pair.public_key().as_ref();
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..])});
    let sign = |message: &[u8]| pair.sign(&random, message).expect("a signature").as_ref().to_vec();
    let text = jws(&json!({"alg": "ES256", "jwk": jwk}), &json!({"name": "x"}), sign);
    assert!(matches!(seal(text.as_bytes(), Profile::Jws), Seal::Valid { .. }));
    let other = jws(&json!({"alg": "ES256", "jwk": jwk}), &json!({"name": "x"}), |_| sign(b"other"));
    assert_eq!(seal(other.as_bytes(), Profile::Jws), Seal::Broken);
}

/// RFC 7515 A.3 (ES256), RFC 8037 A.3 and A.4 (Ed25519 and its thumbprint).
#[test]
fn published_signatures_are_right() {
    let check = |jwk: Value, algorithm: &str, text: &str| {
        let (message, signature) = text.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        Key::from_jwk(jwk.as_object().expect("an object")).expect("a key").check(
            algorithm,
            message.as_bytes(),
            &signature,
        )
    };
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let text = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert!(matches!(check(ec, "ES256", text), Seal::Valid { .. }));
    let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let thumbprint =
        "urn:ietf:params:oauth:jwk-thumbprint:sha-256:kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".to_owned();
    assert_eq!(check(okp, "EdDSA", text), Seal::Valid { signer: Signer::Key { name: thumbprint } });
}

#[test]
fn keys_that_say_nothing_are_not_used() {
    let rsa = |bytes: usize, first: u8, exponent: &[u8]| {
        let modulus = [vec![first], vec![0xFF; bytes - 1]].concat();
        let jwk = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent)});
        Key::from_jwk(jwk.as_object().expect("an object")).is_some()
    };
    const E: &[u8] = &[1, 0, 1];
    assert!(rsa(256, 0x80, E) && rsa(1_024, 0xFF, E));
    assert!(!rsa(256, 0x7F, E) && !rsa(1_025, 0x01, E), "2,047 and 8,193 bits");
    assert!(!rsa(256, 0x80, &[3]) && !rsa(256, 0x80, &[1, 0, 2]) && !rsa(256, 0x80, &[2, 0, 0, 0, 1]));
    assert!(!rsa(256, 0x80, &[]));
    let small_order = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([0; 32])});
    let key = Key::from_jwk(small_order.as_object().expect("an object")).expect("32 bytes");
    assert_eq!(key.check("EdDSA", b"", &[0; 64]), not(NotChecked::Malformed));
    assert_eq!(key::base58(&format!("z{}", "1".repeat(512))).map(|bytes| bytes.len()), Some(512));
    assert_eq!(key::base58(&format!("z{}", "1".repeat(513))), None);
}

#[test]
fn a_jws_in_json_serialisation_is_checked_over_its_payload_text() {
    let header = json!({"alg": "EdDSA", "jwk": okp(), "b64": false, "crit": ["b64"]});
    let protected = URL_SAFE_NO_PAD.encode(header.to_string());
    let payload = json!({"name": "ა"}).to_string();
    let signature = URL_SAFE_NO_PAD.encode(ed25519(format!("{protected}.{payload}").as_bytes()));
    let document = |payload: &str, signature: &str| {
        json!({"payload": payload, "signatures": [{"protected": protected, "header": {"etsiU": ["later"]}, "signature": signature}]}).to_string()
    };
    let good = document(&payload, &signature);
    assert!(matches!(seal(good.as_bytes(), Profile::Jades), Seal::Valid { .. }));
    assert_eq!(seal(document("{}", &signature).as_bytes(), Profile::Jades), Seal::Broken);
    assert_eq!(seal(document(&payload, "!").as_bytes(), Profile::Jades), not(NotChecked::Malformed));
    let flat = json!({"payload": payload, "protected": protected, "signature": signature}).to_string();
    assert!(matches!(seal(flat.as_bytes(), Profile::Jades), Seal::Valid { .. }));
    let unprotected = json!({"payload": "e30", "header": {"alg": "EdDSA"}, "signature": signature}).to_string();
    assert_eq!(seal(unprotected.as_bytes(), Profile::Jades), not(NotChecked::Malformed));
}
