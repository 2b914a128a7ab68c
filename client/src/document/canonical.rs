//! Which profile a file has, and its canonical bytes under it.

use std::borrow::Cow;

use sigeli_verifier::credential::{Profile, document_digest};
use sigeli_verifier::ids::DocumentDigest;

use super::badge::{self, Baked, Picture};
use super::error::DocumentError;
use super::facts::DocumentFacts;
use super::json::StrictJson;
use super::{facts, jades, jws};

/// A document's canonical bytes and the profile that made them. Only [`canonicalise`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical<'file> {
    profile: Profile,
    bytes: Cow<'file, [u8]>,
    picture: Option<Picture>,
}

impl Canonical<'_> {
    fn into_owned(self) -> Canonical<'static> {
        Canonical { profile: self.profile, bytes: Cow::Owned(self.bytes.into_owned()), picture: self.picture }
    }

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

    /// The picture that the document was taken out of, if it is a baked badge. Nothing of the picture is in the bytes.
    #[must_use]
    pub const fn picture(&self) -> Option<Picture> {
        self.picture
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
/// Detection, first match wins: a picture (PNG, SVG) with a baked badge → by the badge's text as if it were the file;
/// text of the form of a compact JWS (three base64url parts, the first beginning `eyJ`; or such a text, `~`, and SD-JWT
/// disclosures) → JWS; text whose first character besides white space is `{` → JADES if it is a JWS in JSON
/// serialisation, else JCS; anything else (PDF, other pictures, XML, JSON arrays) → RAW.
///
/// # Errors
/// A file that begins like a JSON object but is not strict JSON is refused, never taken as RAW behind the caller's back:
/// the issuer decides, by `force`. So is a picture that is damaged or holds several badges. With `force`, any code of the
/// profile's group, or of badges. RAW never fails.
pub fn canonicalise(file: &[u8], force: Option<Profile>) -> Result<Canonical<'_>, DocumentError> {
    if force == Some(Profile::Raw) {
        return Ok(raw(file));
    }
    match (badge::baked(file)?, force) {
        (Some(Baked { picture, text }), _) => {
            let canonical = match text {
                Cow::Borrowed(text) => of_text(text, force)?,
                Cow::Owned(text) => of_text(&text, force)?.into_owned(),
            };
            // The address of a hosted badge is no credential.
            match canonical.profile {
                Profile::Raw => Ok(raw(file)),
                _ => Ok(Canonical { picture: Some(picture), ..canonical }),
            }
        }
        (None, Some(_)) if badge::picture_of(file).is_some() => Err(DocumentError::BadgeMissing),
        (None, _) => of_text(file, force),
    }
}

fn of_text(text: &[u8], force: Option<Profile>) -> Result<Canonical<'_>, DocumentError> {
    match force {
        None => detected(text),
        Some(Profile::Raw) => Ok(raw(text)),
        Some(Profile::Jcs) => StrictJson::read(text).and_then(jcs),
        Some(Profile::Jws) => jws::signed_text(text).map(signed_text).ok_or(DocumentError::JwsMalformed),
        Some(Profile::Jades) => StrictJson::read(text).and_then(|json| signed_payload(&json)),
    }
}

fn detected(text: &[u8]) -> Result<Canonical<'_>, DocumentError> {
    if jws::begins_like_one(text)
        && let Some(signed) = jws::signed_text(text)
    {
        return Ok(signed_text(signed));
    }
    if !begins_like_json_object(text) {
        return Ok(raw(text));
    }
    let json = StrictJson::read(text)?;
    if json.object().is_some_and(jades::is_signed) { signed_payload(&json) } else { jcs(json) }
}

/// Whether the first character besides white space and a byte order mark is `{`. Rich text (`{\rtf`) is no JSON object in
/// any reader.
fn begins_like_json_object(file: &[u8]) -> bool {
    let text = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file).trim_ascii_start();
    text.starts_with(b"{") && !text.starts_with(b"{\\rtf")
}

const fn raw(file: &[u8]) -> Canonical<'_> {
    Canonical { profile: Profile::Raw, bytes: Cow::Borrowed(file), picture: None }
}

const fn signed_text(signed: &[u8]) -> Canonical<'_> {
    Canonical { profile: Profile::Jws, bytes: Cow::Borrowed(signed), picture: None }
}

/// Drops the top-level `proof` only: what an embedded-proof signer hashes (`eddsa-jcs-2022`), unchanged when proofs are added.
fn jcs(mut json: StrictJson) -> Result<Canonical<'static>, DocumentError> {
    if json.object().is_none() {
        return Err(DocumentError::JsonNotAnObject);
    }
    let _proof = json.take_top_level("proof");
    Ok(Canonical { profile: Profile::Jcs, bytes: Cow::Owned(json.canonical_bytes()), picture: None })
}

fn signed_payload(json: &StrictJson) -> Result<Canonical<'static>, DocumentError> {
    let payload = jades::payload(json.object().ok_or(DocumentError::JsonNotAnObject)?)?;
    Ok(Canonical { profile: Profile::Jades, bytes: Cow::Owned(payload), picture: None })
}

#[cfg(test)]
mod tests;
