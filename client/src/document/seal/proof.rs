//! Data Integrity proofs in JSON credentials (W3C VC Data Integrity; `eddsa-jcs-2022` of vc-di-eddsa §3.3).

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{LEDGER_PROOF_TYPE, NotChecked, SEALS_MAX, Seal, key, key::Key, together};
use crate::document::json::StrictJson;

type Members = Map<String, Value>;

/// Checks the entries of the top-level `proof`.
pub(super) fn of_json(mut json: StrictJson) -> Seal {
    let proofs = match json.take_top_level("proof") {
        None | Some(Value::Null) => return Seal::Absent,
        Some(Value::Array(entries)) => entries,
        Some(other) => vec![other],
    };
    let is_seal = |entry: &&Value| entry.get("type").and_then(Value::as_str) != Some(LEDGER_PROOF_TYPE);
    let proofs: Vec<_> = proofs.iter().filter(is_seal).collect();
    if proofs.len() > SEALS_MAX {
        return NotChecked::Method.seal();
    }
    together(proofs.into_iter().map(|proof| match proof {
        Value::Object(proof) => of_proof(&json, proof),
        _ => NotChecked::Malformed.seal(),
    }))
}

fn of_proof(document: &StrictJson, proof: &Members) -> Seal {
    let text = |name: &str| proof.get(name).and_then(Value::as_str);
    let is_known = text("type") == Some("DataIntegrityProof")
        && text("cryptosuite") == Some("eddsa-jcs-2022")
        && text("proofPurpose") == Some("assertionMethod")
        // A proof that follows another one signs that one too.
        && !proof.contains_key("previousProof");
    if !is_known {
        return NotChecked::Method.seal();
    }
    let Some(key) = proof.get("verificationMethod").and_then(of_method) else {
        return NotChecked::KeyElsewhere.seal();
    };
    let Some(signature) = text("proofValue").and_then(key::base58) else {
        return NotChecked::Malformed.seal();
    };
    let Some(document) = under_context(document, proof.get("@context")) else { return Seal::Broken };
    let mut options = proof.clone();
    options.remove("proofValue");
    let options = StrictJson::of_value(Value::Object(options)).canonical_bytes();
    let hashes = [Sha256::digest(options), Sha256::digest(document.canonical_bytes())].concat();
    key.check("EdDSA", &hashes, &signature)
}

/// A key that stands in the proof itself: a DID that is a key, an address with a key as its fragment, or an object with
/// `publicKeyMultibase`.
fn of_method(method: &Value) -> Option<Key> {
    match method {
        Value::String(reference) => Key::from_reference(reference),
        Value::Object(members) => Key::from_multikey(members.get("publicKeyMultibase")?.as_str()?),
        _ => None,
    }
}

/// The document under the proof's own `@context`, if it has one, with which the document's must begin; `None` if it does not.
fn under_context(document: &StrictJson, context: Option<&Value>) -> Option<StrictJson> {
    let Some(context) = context else { return Some(document.clone()) };
    let list = |value: &Value| match value {
        Value::Array(entries) => entries.clone(),
        other => vec![other.clone()],
    };
    let mut members = document.object()?.clone();
    let of_document = list(members.get("@context")?);
    if !of_document.starts_with(&list(context)) {
        return None;
    }
    members.insert("@context".into(), context.clone());
    Some(StrictJson::of_value(Value::Object(members)))
}
