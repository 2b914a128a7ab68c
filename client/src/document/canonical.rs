//! Which profile a file has, and its canonical bytes under it.

use std::borrow::Cow;

use sigeli_verifier::credential::{Profile, document_digest};
use sigeli_verifier::ids::DocumentDigest;

use super::error::DocumentError;
use super::facts::DocumentFacts;
use super::json::StrictJson;
use super::{facts, jades, jws};

/// A document's canonical bytes and the profile that made them. Only [`canonicalise`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical<'file> {
    profile: Profile,
    bytes: Cow<'file, [u8]>,
}

impl Canonical<'_> {
    /// The profile the bytes belong to; the receipt records it.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The document digest (`DOC`): over the profile's byte and the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> DocumentDigest {
        document_digest(self.profile, &self.bytes)
    }

    /// What the document says about itself, read from the canonical bytes alone; `None` for a document this program cannot
    /// read (a PDF, a picture). Unlike a document that states nothing, such a one may state an end date unseen.
    #[must_use]
    pub fn facts(&self) -> Option<DocumentFacts> {
        facts::read(self)
    }
}

/// The canonical bytes of `file`: under the profile `force`, else under the one its content shows.
///
/// To verify, pass the receipt's profile: the bytes are then that profile's or an error, whatever detection would say.
/// Detection, first match wins: text of the form of a compact JWS (three base64url parts, the first beginning `eyJ`; or
/// such a text, `~`, and SD-JWT disclosures) → JWS; text whose first character besides white space is `{` → JADES if
/// it is a JWS in JSON serialisation, else JCS; anything else (PDF, pictures, XML, JSON arrays) → RAW.
///
/// # Errors
/// A file that begins like a JSON object but is not strict JSON is refused, never taken as RAW behind the caller's back:
/// the issuer decides, by `force`. With `force`, any code of the profile's group. RAW never fails.
pub fn canonicalise(file: &[u8], force: Option<Profile>) -> Result<Canonical<'_>, DocumentError> {
    match force {
        None => detected(file),
        Some(Profile::Raw) => Ok(raw(file)),
        Some(Profile::Jcs) => StrictJson::read(file).and_then(jcs),
        Some(Profile::Jws) => jws::signed_text(file).map(signed_text).ok_or(DocumentError::JwsMalformed),
        Some(Profile::Jades) => StrictJson::read(file).and_then(|json| signed_payload(&json)),
    }
}

fn detected(file: &[u8]) -> Result<Canonical<'_>, DocumentError> {
    if jws::begins_like_one(file)
        && let Some(signed) = jws::signed_text(file)
    {
        return Ok(signed_text(signed));
    }
    if !begins_like_json_object(file) {
        return Ok(raw(file));
    }
    let json = StrictJson::read(file)?;
    if json.object().is_some_and(jades::is_signed) { signed_payload(&json) } else { jcs(json) }
}

/// Whether the first character besides white space and a byte order mark is `{`. Rich text (`{\rtf`) is no JSON object in
/// any reader.
fn begins_like_json_object(file: &[u8]) -> bool {
    let text = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file).trim_ascii_start();
    text.starts_with(b"{") && !text.starts_with(b"{\\rtf")
}

const fn raw(file: &[u8]) -> Canonical<'_> {
    Canonical { profile: Profile::Raw, bytes: Cow::Borrowed(file) }
}

const fn signed_text(signed: &[u8]) -> Canonical<'_> {
    Canonical { profile: Profile::Jws, bytes: Cow::Borrowed(signed) }
}

/// Drops the top-level `proof` only: what an embedded-proof signer hashes (`eddsa-jcs-2022`), unchanged when proofs are added.
fn jcs(mut json: StrictJson) -> Result<Canonical<'static>, DocumentError> {
    if json.object().is_none() {
        return Err(DocumentError::JsonNotAnObject);
    }
    json.remove_top_level("proof");
    Ok(Canonical { profile: Profile::Jcs, bytes: Cow::Owned(json.canonical_bytes()) })
}

fn signed_payload(json: &StrictJson) -> Result<Canonical<'static>, DocumentError> {
    let payload = jades::payload(json.object().ok_or(DocumentError::JsonNotAnObject)?)?;
    Ok(Canonical { profile: Profile::Jades, bytes: Cow::Owned(payload) })
}

#[cfg(test)]
mod tests;
