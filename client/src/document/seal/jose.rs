//! JSON Web Signatures: compact ones (VC-JWT, SD-JWT without its disclosures) and those in JSON serialisation (JAdES).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{NotChecked, SEALS_MAX, Seal, key::Key, together};
use crate::document::{jades, json::StrictJson, jws};

type Members = Map<String, Value>;

/// Header parameters that may be critical and whose meaning does not change what is signed (RFC 7797; ETSI TS 119 182-1
/// §5.2). `sigD` is none: it would sign something that is not in the file.
const CRITICAL: [&str; 8] = ["b64", "sigT", "sigX5ts", "srCms", "sigPl", "srAts", "adoTst", "sigPId"];

/// Checks a file whose text is a compact JWS.
pub(super) fn of_compact(file: &[u8]) -> Seal {
    let Some(signed) = jws::signed_text(file) else { return NotChecked::Malformed.seal() };
    let mut parts = signed.split(|&byte| byte == b'.');
    let (Some(protected), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return NotChecked::Malformed.seal();
    };
    let claims = jws::decode(payload).and_then(|payload| StrictJson::read(&payload).ok());
    let issuer = claims.as_ref().and_then(StrictJson::object).and_then(issuer);
    let header = header(protected).filter(|header| !header.contains_key("b64"));
    let Some(header) = header else { return NotChecked::Malformed.seal() };
    of_signature(&header, None, &[protected, b".", payload].concat(), signature, issuer)
}

/// Checks a JWS in JSON serialisation. Whether its payload is text or base64url, the bytes of the string are signed.
pub(super) fn of_json(object: &Members) -> Seal {
    let (Some(payload), Ok(carriers)) = (object.get("payload").and_then(Value::as_str), jades::signatures(object))
    else {
        return NotChecked::Malformed.seal();
    };
    if carriers.len() > SEALS_MAX {
        return NotChecked::Method.seal();
    }
    together(carriers.into_iter().map(|carrier| {
        let text = |name: &str| carrier.get(name).and_then(Value::as_str).unwrap_or_default().as_bytes();
        let Some(protected) = header(text("protected")) else { return NotChecked::Malformed.seal() };
        let other = carrier.get("header").and_then(Value::as_object);
        let message = [text("protected"), b".", payload.as_bytes()].concat();
        of_signature(&protected, other, &message, text("signature"), None)
    }))
}

fn header(protected: &[u8]) -> Option<Members> {
    StrictJson::read(&jws::decode(protected)?).ok()?.object().cloned()
}

/// The issuer of a JWT's claims, or of the credential in them, if it is a DID.
fn issuer(claims: &Members) -> Option<&str> {
    let of_credential = || match claims.get("issuer")? {
        Value::Object(members) => members.get("id"),
        other => Some(other),
    };
    claims.get("iss").or_else(of_credential)?.as_str().filter(|issuer| issuer.starts_with("did:"))
}

fn of_signature(
    protected: &Members,
    other: Option<&Members>,
    message: &[u8],
    signature: &[u8],
    issuer: Option<&str>,
) -> Seal {
    let is_critical_known = protected.get("crit").is_none_or(|names| {
        let known = |name: &Value| name.as_str().is_some_and(|name| CRITICAL.contains(&name));
        names.as_array().is_some_and(|names| names.iter().all(known))
    });
    let Some(algorithm) = protected.get("alg").and_then(Value::as_str).filter(|_| is_critical_known) else {
        return NotChecked::Method.seal();
    };
    let Some(signature) = jws::decode(signature) else { return NotChecked::Malformed.seal() };
    match key_of(protected, other, issuer) {
        Ok(key) => key.check(algorithm, message, &signature),
        Err(seal) => seal,
    }
}

/// The key that the headers name: a JWK, a certificate, a DID that is a key; else the issuer's, if that is one.
fn key_of(protected: &Members, other: Option<&Members>, issuer: Option<&str>) -> Result<Key, Seal> {
    let find = |name: &str| protected.get(name).or_else(|| other.and_then(|other| other.get(name)));
    if let Some(jwk) = find("jwk") {
        return jwk.as_object().and_then(Key::from_jwk).ok_or_else(|| NotChecked::Malformed.seal());
    }
    if let Some(chain) = find("x5c") {
        let first = chain.as_array().and_then(|chain| chain.first()).and_then(Value::as_str);
        let (key, certificate) = first.and_then(Key::from_certificate).ok_or_else(|| NotChecked::Malformed.seal())?;
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(certificate));
        return match find("x5t#S256") {
            Some(stated) if stated != &Value::String(digest) => Err(Seal::Broken),
            _ => Ok(key),
        };
    }
    let named = find("kid").and_then(Value::as_str).filter(|name| name.starts_with("did:"));
    named.or(issuer).and_then(Key::from_reference).ok_or_else(|| NotChecked::KeyElsewhere.seal())
}
