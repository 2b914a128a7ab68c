//! JWS in JSON serialisation (RFC 7515, section 7.2; ETSI JAdES): the payload that the seals sign.
//!
//! Headers and signatures stay outside the digest, because archive time stamps (`etsiU`) grow there during a document's
//! life. The payload is what every seal signs, so it must be the same bytes for each of them and for each reader.

use serde_json::{Map, Value};

use super::error::DocumentError;
use super::json::StrictJson;
use super::jws;

/// Whether the object is a JWS in JSON serialisation: a string `payload` with a string `signature` (flattened form) or an
/// array `signatures` (general form).
pub(super) fn is_signed(object: &Map<String, Value>) -> bool {
    object.get("payload").is_some_and(Value::is_string)
        && (object.get("signature").is_some_and(Value::is_string)
            || object.get("signatures").is_some_and(Value::is_array))
}

/// The payload: the string's UTF-8 bytes if every protected header says `b64: false` (RFC 7797), else base64url-decoded.
///
/// # Errors
/// The `jades_…` codes: wrong shape, invalid protected header, headers that disagree, payload undecodable or empty.
pub(super) fn payload(object: &Map<String, Value>) -> Result<Vec<u8>, DocumentError> {
    let payload = object.get("payload").and_then(Value::as_str).ok_or(DocumentError::JadesMalformed)?;
    let mut encodings = Vec::new();
    for (index, signature) in signatures(object)?.into_iter().enumerate() {
        let encoding = encoding(signature).ok_or(DocumentError::JadesProtectedHeader { number: index + 1 })?;
        encodings.push(encoding);
    }
    let encoding = *encodings.first().ok_or(DocumentError::JadesMalformed)?;
    if encodings.iter().any(|other| *other != encoding) {
        return Err(DocumentError::JadesEncodingDisagreement);
    }
    let bytes = match encoding {
        Encoding::Text => payload.as_bytes().to_vec(),
        Encoding::Base64Url => jws::decode(payload.as_bytes()).ok_or(DocumentError::JadesPayloadEncoding)?,
    };
    if bytes.is_empty() { Err(DocumentError::JadesPayloadEmpty) } else { Ok(bytes) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Base64Url,
    Text,
}

/// The objects that carry `protected`, `header` and `signature`: the outer one (flattened) or the entries of `signatures`.
pub(super) fn signatures(object: &Map<String, Value>) -> Result<Vec<&Map<String, Value>>, DocumentError> {
    let carriers = match (object.get("signature"), object.get("signatures")) {
        (Some(_), None) => vec![object],
        (None, Some(Value::Array(entries))) => {
            entries.iter().map(Value::as_object).collect::<Option<Vec<_>>>().ok_or(DocumentError::JadesMalformed)?
        }
        _ => return Err(DocumentError::JadesMalformed),
    };
    if carriers.iter().all(|carrier| carrier.get("signature").is_some_and(Value::is_string)) {
        Ok(carriers)
    } else {
        Err(DocumentError::JadesMalformed)
    }
}

/// How one signature wants the payload read; `None` if its headers are not valid.
///
/// `b64` counts only in the protected header, and `b64: false` must be named in `crit` (RFC 7797, section 6): without it,
/// a reader that does not know `b64` would decode the same payload differently.
fn encoding(signature: &Map<String, Value>) -> Option<Encoding> {
    if let Some(header) = signature.get("header")
        && header.as_object()?.contains_key("b64")
    {
        return None;
    }
    let Some(protected) = signature.get("protected") else {
        return Some(Encoding::Base64Url);
    };
    let header = StrictJson::read(&jws::decode(protected.as_str()?.as_bytes())?).ok()?;
    let header = header.object()?;
    match header.get("b64") {
        None | Some(Value::Bool(true)) => Some(Encoding::Base64Url),
        Some(Value::Bool(false)) => {
            let names = header.get("crit")?.as_array()?;
            names.iter().any(|name| name == "b64").then_some(Encoding::Text)
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn protected(header: &Value) -> String {
        URL_SAFE_NO_PAD.encode(header.to_string())
    }

    fn text_header() -> String {
        protected(&json!({"alg": "RS256", "b64": false, "crit": ["sigT", "b64"]}))
    }

    fn payload_of(document: &Value) -> Result<Vec<u8>, &'static str> {
        payload(document.as_object().expect("the test gives an object")).map_err(|error| error.code())
    }

    #[test]
    fn payload_is_text_or_base64url_as_the_protected_header_says() {
        let encoded = protected(&json!({"alg": "ES256"}));
        for (document, expected) in [
            (json!({"payload": "{\"ა\":1}", "protected": text_header(), "signature": "x"}), "{\"ა\":1}"),
            (json!({"payload": "aGk", "protected": encoded, "signature": "x"}), "hi"),
            (json!({"payload": "aGk", "protected": protected(&json!({"b64": true})), "signature": "x"}), "hi"),
            (json!({"payload": "aGk", "header": {"alg": "ES256"}, "signature": "x"}), "hi"),
            (
                json!({"payload": "aGk", "signatures": [
                {"protected": text_header(), "header": {"etsiU": []}, "signature": "x"},
                {"protected": text_header(), "signature": "y"}]}),
                "aGk",
            ),
        ] {
            assert_eq!(payload_of(&document), Ok(expected.as_bytes().to_vec()), "{document}");
        }
    }

    #[test]
    fn archive_time_stamps_leave_the_payload_alone() {
        let young = json!({"payload": "p", "signatures": [{"protected": text_header(), "signature": "x"}]});
        let old = json!({"payload": "p", "signatures": [{"protected": text_header(), "header": {"etsiU": ["t"]}, "signature": "x"}]});
        assert_eq!(payload_of(&young), payload_of(&old));
    }

    #[test]
    fn each_fault_has_its_code() {
        let encoded = protected(&json!({"alg": "ES256"}));
        for (document, code) in [
            (json!({"payload": "a", "protected": encoded, "signature": "x", "signatures": []}), "jades_malformed"),
            (json!({"payload": "a", "signatures": []}), "jades_malformed"),
            (json!({"payload": "a", "signatures": ["x"]}), "jades_malformed"),
            (json!({"payload": "a", "signatures": [{"protected": encoded}]}), "jades_malformed"),
            (json!({"payload": 1, "signature": "x"}), "jades_malformed"),
            (json!({"payload": "a", "signature": 1}), "jades_malformed"),
            (json!({"payload": "a", "protected": 1, "signature": "x"}), "jades_protected_header"),
            (json!({"payload": "a", "protected": "e30=", "signature": "x"}), "jades_protected_header"),
            (json!({"payload": "a", "protected": protected(&json!([])), "signature": "x"}), "jades_protected_header"),
            (
                json!({"payload": "a", "protected": URL_SAFE_NO_PAD.encode("{\"b64\":true,\"b64\":false}"), "signature": "x"}),
                "jades_protected_header",
            ),
            (
                json!({"payload": "a", "protected": protected(&json!({"b64": "false"})), "signature": "x"}),
                "jades_protected_header",
            ),
            (
                json!({"payload": "a", "protected": protected(&json!({"b64": false})), "signature": "x"}),
                "jades_protected_header",
            ),
            (
                json!({"payload": "a", "protected": protected(&json!({"b64": false, "crit": ["exp"]})), "signature": "x"}),
                "jades_protected_header",
            ),
            (
                json!({"payload": "a", "protected": encoded, "header": {"b64": false}, "signature": "x"}),
                "jades_protected_header",
            ),
            (json!({"payload": "a", "protected": encoded, "header": 5, "signature": "x"}), "jades_protected_header"),
            (
                json!({"payload": "aGk", "signatures": [{"protected": encoded, "signature": "x"},
                {"protected": text_header(), "signature": "y"}]}),
                "jades_encoding_disagreement",
            ),
            (json!({"payload": "a b", "protected": encoded, "signature": "x"}), "jades_payload_encoding"),
            (json!({"payload": "", "protected": encoded, "signature": "x"}), "jades_payload_empty"),
            (json!({"payload": "", "protected": text_header(), "signature": "x"}), "jades_payload_empty"),
        ] {
            assert_eq!(payload_of(&document), Err(code), "{document}");
        }
    }

    #[test]
    fn the_number_of_the_faulty_signature_is_told() {
        let document = json!({"payload": "a", "signatures": [{"protected": text_header(), "signature": "x"},
            {"protected": "!", "signature": "y"}]});
        let error = payload(document.as_object().expect("an object")).expect_err("the second header is no base64url");
        assert_eq!(error, DocumentError::JadesProtectedHeader { number: 2 });
    }

    #[test]
    fn only_the_two_serialisations_are_recognised() {
        for (document, expected) in [
            (json!({"payload": "a", "signature": "x"}), true),
            (json!({"payload": "a", "signatures": []}), true),
            (json!({"payload": "a"}), false),
            (json!({"payload": {}, "signature": "x"}), false),
            (json!({"payload": "a", "signature": {}}), false),
            (json!({"signature": "x"}), false),
        ] {
            assert_eq!(is_signed(document.as_object().expect("an object")), expected, "{document}");
        }
    }
}
