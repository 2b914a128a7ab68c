//! A bundle inside a JSON credential, as a further entry of its top-level `proof` (`docs/protocol.md` §19).
//!
//! The digest of a JSON credential leaves the top-level `proof` out, so that the bundle can be put in after the credential
//! was registered, and replaced by a newer one. Every byte of the text outside that member stays as it is, and the other
//! entries of `proof` keep their content and order: an issuer's own seal over the document is not touched.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sigeli_verifier::{
    bundle::Bundle,
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    params::BUNDLE_BYTES_MAX,
};

use crate::document::{DocumentError, StrictJson};

/// The `type` of the entry of `proof` that holds a bundle.
pub const PROOF_TYPE: &str = "SigeliLedgerProof";

/// The name of the member that other systems look for proofs in.
const PROOF: &str = "proof";

/// How Multibase marks base64url without padding.
const MULTIBASE_BASE64URL: char = 'u';

/// Longest `proofValue` that is read, in characters: the largest bundle.
pub const PROOF_VALUE_CHARS_MAX: usize = 1 + BUNDLE_BYTES_MAX.div_ceil(3) * 4;

/// Why a bundle is not put into a document, or not found in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// The document is not strict JSON.
    #[error("a bundle can be put into a JSON credential only: {0}")]
    Document(#[from] DocumentError),
    /// The document is JSON, but not an object.
    #[error("a bundle can be put into a JSON credential only, and this is no JSON object")]
    NotAnObject,
    /// The document's `proof` is neither an object nor a list of objects.
    #[error("the credential's \"proof\" is neither an object nor a list of objects: nothing is put beside it")]
    ProofMalformed,
    /// The document holds several bundles.
    #[error("the credential holds {count} bundles; one at most is expected")]
    Several {
        /// How many.
        count: usize,
    },
    /// The entry that should hold a bundle does not.
    #[error("the credential's {PROOF_TYPE} holds no bundle that this program can read ({0})")]
    Malformed(DecodeError),
    /// The entry has no value in base64url.
    #[error("the credential's {PROOF_TYPE} has no \"proofValue\" in base64url, marked by u")]
    Value,
}

fn entry(bundle: &Bundle) -> Value {
    let value = format!("{MULTIBASE_BASE64URL}{}", URL_SAFE_NO_PAD.encode(bundle.to_bytes()));
    json!({ "type": PROOF_TYPE, "proofPurpose": "assertionMethod", "proofValue": value })
}

fn is_ours(entry: &Value) -> bool {
    entry.get("type").and_then(Value::as_str) == Some(PROOF_TYPE)
}

/// The entries of a `proof`.
fn entries(proof: &Value) -> Result<&[Value], EmbedError> {
    let entries = match proof {
        Value::Array(entries) => entries.as_slice(),
        one => std::slice::from_ref(one),
    };
    if entries.iter().all(Value::is_object) { Ok(entries) } else { Err(EmbedError::ProofMalformed) }
}

/// The bundle in a JSON credential; `None` when there is none, or when the file is not a JSON object.
///
/// # Errors
/// [`EmbedError::Several`], [`EmbedError::Malformed`], [`EmbedError::Value`].
pub fn extract(document: &[u8]) -> Result<Option<Bundle>, EmbedError> {
    // Most files are no JSON, and most JSON has no bundle: neither costs more than a search.
    if !document.trim_ascii_start().starts_with(b"{") || !contains(document, PROOF_TYPE.as_bytes()) {
        return Ok(None);
    }
    let Ok(json) = StrictJson::read(document) else { return Ok(None) };
    let Some(Ok(entries)) = json.value().get(PROOF).map(entries) else { return Ok(None) };
    let ours: Vec<&Value> = entries.iter().filter(|entry| is_ours(entry)).collect();
    match ours[..] {
        [] => Ok(None),
        [entry] => {
            let value = entry.get("proofValue").and_then(Value::as_str).ok_or(EmbedError::Value)?;
            let value = value.strip_prefix(MULTIBASE_BASE64URL).filter(|_| value.len() <= PROOF_VALUE_CHARS_MAX);
            let bytes = URL_SAFE_NO_PAD.decode(value.ok_or(EmbedError::Value)?).map_err(|_| EmbedError::Value)?;
            Bundle::from_bytes(&bytes).map(Some).map_err(EmbedError::Malformed)
        }
        [..] => Err(EmbedError::Several { count: ours.len() }),
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// The text of a JSON credential with a bundle in it, in place of one that it may hold already.
///
/// # Errors
/// [`EmbedError::Document`], [`EmbedError::NotAnObject`], [`EmbedError::ProofMalformed`].
pub fn embed(document: &[u8], bundle: &Bundle) -> Result<Vec<u8>, EmbedError> {
    let json = StrictJson::read(document)?;
    let Value::Object(members) = json.value() else { return Err(EmbedError::NotAnObject) };
    let ours = entry(bundle);
    let proof = match members.get(PROOF) {
        None => ours,
        Some(proof) => {
            let others = entries(proof)?.iter().filter(|entry| !is_ours(entry)).cloned();
            let mut all: Vec<Value> = others.collect();
            all.push(ours);
            if all.len() == 1 && proof.is_object() { all.remove(0) } else { Value::Array(all) }
        }
    };
    let proof = proof.to_string();
    let text = std::str::from_utf8(document).expect("strict JSON is UTF-8");
    let span = member_value(text, PROOF);
    let written = match span {
        Some((start, end)) => [&text[..start], &proof, &text[end..]].concat(),
        None => {
            let close = text.rfind('}').expect("an object ends with a bracket");
            let (before, after) = text.split_at(close);
            let before_space = before.trim_end().len();
            let comma = if members.is_empty() { "" } else { "," };
            [&before[..before_space], comma, "\"proof\":", &proof, &before[before_space..], after].concat()
        }
    };
    // What is handed out can be read again: the limit of size holds with the bundle in it too.
    StrictJson::read(written.as_bytes())?;
    Ok(written.into_bytes())
}

/// Where the value of a member of the outermost object stands in the text of a strictly read object.
fn member_value(text: &str, name: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let space = |mut at: usize| {
        while bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        at
    };
    let mut at = space(space(0) + 1);
    while bytes[at] == b'"' {
        let end = value_end(bytes, at);
        let found: String = serde_json::from_str(&text[at..end]).expect("strict JSON has strict names");
        let start = space(space(end) + 1);
        let end = value_end(bytes, start);
        if found == name {
            return Some((start, end));
        }
        // Past the comma; the closing bracket ends the loop.
        at = space(end);
        if bytes[at] == b',' {
            at = space(at + 1);
        }
    }
    None
}

/// Where a value that begins at `at` ends, in the text of strictly read JSON.
fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    loop {
        match bytes[at] {
            b'"' => {
                at += 1;
                while bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b',' | b':' if depth > 0 => {}
            byte if depth > 0 && byte.is_ascii_whitespace() => {}
            _ => {
                // A number or a word: up to what follows it.
                while bytes.get(at + 1).is_some_and(|byte| !b",:]} \t\r\n".contains(byte)) {
                    at += 1;
                }
            }
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
}

#[cfg(test)]
mod tests;
