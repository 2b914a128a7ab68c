//! The element of an SVG that holds a badge.
//!
//! Read with an XML parser, by namespaces, because a search for text would take a comment for a credential. The parser streams:
//! it builds no tree, expands no entities of the document's own (inside a badge they are refused) and bounds namespaces and
//! nesting, so that a small file cannot cost much.

use std::borrow::Cow;

use quick_xml::{
    XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesRef, BytesStart, Event},
    name::{Namespace, ResolveResult},
    reader::NsReader,
};

use super::Picture;
use crate::document::{JSON_SIZE_BYTES_MAX, error::DocumentError, jws};

/// The elements, Open Badges 3 and 2: namespace and name.
const ELEMENTS: [(&str, &str); 2] =
    [("https://purl.imsglobal.org/ob/v3p0", "credential"), ("http://openbadges.org", "assertion")];

const MALFORMED: DocumentError = DocumentError::BadgePictureMalformed { picture: Picture::Svg };

/// Whether the file is XML text that names one of the namespaces of badges, so that looking into it pays.
pub(super) fn begins_like_one(file: &[u8]) -> bool {
    file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file).trim_ascii_start().starts_with(b"<")
        && ELEMENTS.iter().any(|(namespace, _)| contains(file, namespace.as_bytes()))
}

/// The text of the only badge: the element's content, or the JWS in its attribute `verify`.
pub(super) fn text(file: &[u8]) -> Result<Option<String>, DocumentError> {
    if file.len() > JSON_SIZE_BYTES_MAX {
        return Err(DocumentError::BadgeTooLarge);
    }
    let mut reader = NsReader::from_str(std::str::from_utf8(file).map_err(|_| MALFORMED)?);
    reader.config_mut().check_comments = true;
    let mut found = None;
    let mut is_root = true;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| MALFORMED)?;
        let (element, is_empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::Eof => return Ok(found),
            _ => continue,
        };
        if std::mem::take(&mut is_root) && element.local_name().as_ref() != "svg" {
            return Ok(None);
        }
        if is_badge(&namespace, element) {
            let signed = signed(element)?;
            let content = if is_empty { String::new() } else { content(&mut reader)? };
            let badge = inner(content, signed)?;
            if badge.is_some() && std::mem::replace(&mut found, badge).is_some() {
                return Err(DocumentError::BadgeAmbiguous);
            }
        }
    }
}

fn is_badge(namespace: &ResolveResult<'_>, element: &BytesStart<'_>) -> bool {
    let ResolveResult::Bound(Namespace(namespace)) = namespace else { return false };
    ELEMENTS.iter().any(|(of_badge, name)| namespace == of_badge && element.local_name().as_ref() == *name)
}

/// The element's attribute `verify`, if it is a JWS. In Open Badges 2 it may be an address instead.
fn signed(element: &BytesStart<'_>) -> Result<Option<String>, DocumentError> {
    let mut signed = None;
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|_| MALFORMED)?;
        if attribute.key.as_ref() == "verify" {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| MALFORMED)?;
            signed = jws::signed_text(value.as_bytes()).is_some().then(|| value.into_owned());
        }
    }
    Ok(signed)
}

/// The text up to the element's end. Elements inside are refused: which text would be meant?
fn content(reader: &mut NsReader<&[u8]>) -> Result<String, DocumentError> {
    let mut content = String::new();
    loop {
        match reader.read_event().map_err(|_| MALFORMED)? {
            Event::Text(text) => content.push_str(&text.xml10_content()),
            Event::CData(text) => content.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => content.push_str(&resolved(&reference)?),
            Event::Comment(_) | Event::PI(_) => {}
            Event::End(_) => return Ok(content),
            _ => return Err(MALFORMED),
        }
    }
}

/// A character by its number, or one of the five entities that every XML document has.
fn resolved<'a>(reference: &'a BytesRef<'_>) -> Result<Cow<'a, str>, DocumentError> {
    match reference.resolve_char_ref().map_err(|_| MALFORMED)? {
        Some(character) => Ok(Cow::Owned(character.to_string())),
        None => resolve_xml_entity(reference).map(Cow::Borrowed).ok_or(MALFORMED),
    }
}

fn inner(content: String, signed: Option<String>) -> Result<Option<String>, DocumentError> {
    match (content.trim().is_empty(), signed) {
        (true, signed) => Ok(signed),
        (false, None) => Ok(Some(content)),
        (false, Some(_)) => Err(DocumentError::BadgeAmbiguous),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
