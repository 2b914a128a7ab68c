use sigeli_verifier::credential::Profile;

use super::*;
use crate::document::{JSON_SIZE_BYTES_MAX, canonicalise};

const CREDENTIAL: &str = r#"{"name":"ბეჯი","credentialSubject":{}}"#;
const SIGNED: &str = "eyJh.eyJi.c2ln";

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(kind);
    checksum.update(data);
    let length = u32::try_from(data.len()).expect("a small chunk");
    [&length.to_be_bytes()[..], kind, data, &checksum.finalize().to_be_bytes()].concat()
}

fn text_chunk(keyword: &str, text: &str) -> Vec<u8> {
    chunk(b"iTXt", &[keyword.as_bytes(), b"\0\0\0en\0badge\0", text.as_bytes()].concat())
}

fn compressed_chunk(keyword: &str, text: &[u8]) -> Vec<u8> {
    let text = miniz_oxide::deflate::compress_to_vec_zlib(text, 6);
    chunk(b"iTXt", &[keyword.as_bytes(), b"\0\x01\0\0\0", &text].concat())
}

fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &[0; 13]), chunks.concat(), chunk(b"IEND", b"")].concat()
}

fn svg(inside: &str) -> Vec<u8> {
    format!(
        r#"<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">
        <svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"><g>{inside}</g></svg>"#
    )
    .into_bytes()
}

fn element(inside: &str) -> Vec<u8> {
    svg(&format!("<openbadges:credential>{inside}</openbadges:credential>"))
}

/// The profile, the picture and the canonical text of a file, or the code of its error.
fn read(file: &[u8]) -> Result<(Profile, Option<Picture>, Vec<u8>), &'static str> {
    let canonical = canonicalise(file, None).map_err(|error| error.code())?;
    let again = canonicalise(file, Some(canonical.profile())).expect("what is detected can be asked for");
    assert_eq!(canonical, again);
    Ok((canonical.profile(), canonical.picture(), canonical.bytes().to_vec()))
}

fn is_json_in(file: &[u8], picture: Picture) {
    let expected = canonicalise(CREDENTIAL.as_bytes(), None).expect("JSON").bytes().to_vec();
    assert_eq!(read(file), Ok((Profile::Jcs, Some(picture), expected)));
}

fn is_picture(file: &[u8]) {
    assert_eq!(read(file), Ok((Profile::Raw, None, file.to_vec())));
}

#[test]
fn the_credential_in_a_png_is_the_document_whatever_the_picture() {
    let badge = text_chunk("openbadgecredential", CREDENTIAL);
    let plain = png(&[badge.clone(), chunk(b"IDAT", b"pixels")]);
    is_json_in(&plain, Picture::Png);
    is_json_in(&png(&[chunk(b"IDAT", b"other pixels"), badge, chunk(b"tEXt", b"date:modify\0now")]), Picture::Png);
    is_json_in(&png(&[compressed_chunk("openbadgecredential", CREDENTIAL.as_bytes())]), Picture::Png);
    is_json_in(&png(&[text_chunk("openbadges", CREDENTIAL)]), Picture::Png);
    is_json_in(&[plain, b"what viewers ignore".to_vec()].concat(), Picture::Png);
    let indented = CREDENTIAL.replace(':', " : \n");
    is_json_in(&png(&[text_chunk("openbadgecredential", &indented)]), Picture::Png);
    let signed = png(&[text_chunk("openbadgecredential", &format!("{SIGNED}\n"))]);
    assert_eq!(read(&signed), Ok((Profile::Jws, Some(Picture::Png), SIGNED.into())));
    assert_eq!(
        canonicalise(&signed, None).expect("a badge").digest(),
        canonicalise(SIGNED.as_bytes(), None).expect("a JWS").digest(),
        "the badge and the credential are one document"
    );
}

#[test]
fn a_png_without_a_credential_is_a_picture() {
    for chunks in [
        vec![],
        vec![text_chunk("Comment", CREDENTIAL)],
        vec![chunk(b"tEXt", b"openbadges\0x")],
        vec![chunk(b"iTXt", b"no end of the keyword")],
        vec![text_chunk("openbadges", "https://badges.example/1")],
        vec![text_chunk("openbadges", "")],
    ] {
        is_picture(&png(&chunks));
    }
    let hosted = png(&[text_chunk("openbadges", "https://badges.example/1")]);
    for (profile, code) in [(Profile::Jcs, "json_syntax"), (Profile::Jws, "jws_malformed")] {
        assert_eq!(canonicalise(&hosted, Some(profile)).map_err(|error| error.code()).err(), Some(code));
    }
    assert_eq!(canonicalise(&png(&[]), Some(Profile::Jcs)), Err(DocumentError::BadgeMissing));
}

#[test]
fn a_png_that_two_programs_may_read_differently_is_refused() {
    let badge = text_chunk("openbadgecredential", CREDENTIAL);
    let whole = png(std::slice::from_ref(&badge));
    for end in (8..whole.len()).chain([8, 20]) {
        assert_eq!(read(&whole[..end]), Err("badge_picture_malformed"), "cut at {end}");
    }
    assert_eq!(read(&png(&[badge.clone(), badge.clone()])), Err("badge_ambiguous"));
    assert_eq!(read(&png(&[badge, text_chunk("openbadges", "https://e.ge")])), Err("badge_ambiguous"));
    let mut damaged = whole.clone();
    let at = whole.windows(4).position(|window| window == b"name").expect("the badge is there");
    damaged[at] ^= 1;
    assert_eq!(read(&damaged), Err("badge_picture_malformed"), "the checksum differs");
    for data in [&b"openbadgecredential\0"[..], b"openbadgecredential\0\0\0en", b"openbadgecredential\0\x02\0\0\0{}"] {
        assert_eq!(read(&png(&[chunk(b"iTXt", data)])), Err("badge_picture_malformed"));
    }
    let not_compressed = chunk(b"iTXt", b"openbadgecredential\0\x01\0\0\0{}");
    assert_eq!(read(&png(&[not_compressed])), Err("badge_picture_malformed"));
    assert_eq!(read(&png(&[text_chunk("openbadgecredential", r#"{"a":1,"a":2}"#)])), Err("json_duplicate_name"));
}

#[test]
fn a_text_in_a_png_has_the_limit_of_json() {
    let text = |size_bytes: usize| format!("{CREDENTIAL}{}", " ".repeat(size_bytes - CREDENTIAL.len()));
    let (most, more) = (text(JSON_SIZE_BYTES_MAX), text(JSON_SIZE_BYTES_MAX + 1));
    is_json_in(&png(&[compressed_chunk("openbadgecredential", most.as_bytes())]), Picture::Png);
    is_json_in(&png(&[text_chunk("openbadgecredential", &most)]), Picture::Png);
    assert_eq!(read(&png(&[compressed_chunk("openbadgecredential", more.as_bytes())])), Err("badge_too_large"));
    assert_eq!(read(&png(&[text_chunk("openbadgecredential", &more)])), Err("badge_too_large"));
    let most = svg(&format!("<openbadges:credential>{CREDENTIAL}</openbadges:credential>"));
    let padded = |size_bytes: usize| [most.clone(), vec![b' '; size_bytes - most.len()]].concat();
    is_json_in(&padded(JSON_SIZE_BYTES_MAX), Picture::Svg);
    assert_eq!(read(&padded(JSON_SIZE_BYTES_MAX + 1)), Err("badge_too_large"));
}

#[test]
fn the_credential_in_an_svg_is_the_document_whatever_the_drawing() {
    is_json_in(&element(&format!("<![CDATA[ {CREDENTIAL}\n]]>")), Picture::Svg);
    is_json_in(&element(&CREDENTIAL.replace('"', "&quot;").replace('ბ', "&#x10D1;")), Picture::Svg);
    is_json_in(&element(&format!("<!-- a comment -->{CREDENTIAL}<?note?>")), Picture::Svg);
    let drawing =
        format!(r#"<path d="M0,0"/><openbadges:credential>{CREDENTIAL}</openbadges:credential><circle r="1"/>"#);
    is_json_in(&svg(&drawing), Picture::Svg);
    is_json_in(&[b"\xEF\xBB\xBF\n".to_vec(), element(CREDENTIAL)].concat(), Picture::Svg);
    is_json_in(
        &svg(&format!(r#"<credential xmlns="https://purl.imsglobal.org/ob/v3p0">{CREDENTIAL}</credential>"#)),
        Picture::Svg,
    );
    is_json_in(
        &svg(&format!(
            r#"<b:assertion xmlns:b="http://openbadges.org" verify="https://e.ge/1">{CREDENTIAL}</b:assertion>"#
        )),
        Picture::Svg,
    );
    for inside in [
        format!(r#"<openbadges:credential verify="{SIGNED}"/>"#),
        format!(r#"<openbadges:credential verify="{SIGNED}"> </openbadges:credential>"#),
        format!("<openbadges:credential>\n{SIGNED}\n</openbadges:credential>"),
    ] {
        assert_eq!(read(&svg(&inside)), Ok((Profile::Jws, Some(Picture::Svg), SIGNED.into())), "{inside}");
    }
}

#[test]
fn an_svg_without_a_credential_is_a_picture() {
    for inside in [
        "",
        r#"<openbadges:credential verify="https://e.ge/1"/>"#,
        "<openbadges:credential/>",
        "<openbadges:other>{}</openbadges:other>",
        "<credential>{}</credential>",
        "<!-- <openbadges:credential>{}</openbadges:credential> -->",
        "<![CDATA[<openbadges:credential>{}</openbadges:credential>]]>",
        r#"<openbadges:credential xmlns:openbadges="https://elsewhere.example">{}</openbadges:credential>"#,
        "<openbadges:credential>https://e.ge/1</openbadges:credential>",
    ] {
        is_picture(&svg(inside));
    }
    is_picture(b"<svg xmlns='http://www.w3.org/2000/svg'><broken");
    is_picture(br#"<html xmlns:b="http://openbadges.org"><b:assertion>{}</b:assertion></html>"#);
}

#[test]
fn an_svg_that_two_programs_may_read_differently_is_refused() {
    let one = format!("<openbadges:credential>{CREDENTIAL}</openbadges:credential>");
    assert_eq!(read(&svg(&one.repeat(2))), Err("badge_ambiguous"));
    let both = format!(r#"<openbadges:credential verify="{SIGNED}">{CREDENTIAL}</openbadges:credential>"#);
    assert_eq!(read(&svg(&both)), Err("badge_ambiguous"));
    for inside in [
        "<openbadges:credential>{<b/>}</openbadges:credential>",
        "<openbadges:credential>&own;</openbadges:credential>",
        "<openbadges:credential>&#0;</openbadges:credential>",
        "<openbadges:credential>{}",
        "<openbadges:credential>{}</openbadges:other>",
        r#"<openbadges:credential verify="a" verify="b">{}</openbadges:credential>"#,
        "<g></h>",
    ] {
        assert_eq!(read(&svg(inside)), Err("badge_picture_malformed"), "{inside}");
    }
    let whole = element(CREDENTIAL);
    assert_eq!(read(&whole[..whole.len() - 20]), Err("badge_picture_malformed"));
    assert_eq!(read(&[whole, vec![0xFF]].concat()), Err("badge_picture_malformed"), "not UTF-8");
    assert_eq!(read(&element(r#"{"a":1,"a":2}"#)), Err("json_duplicate_name"));
}

#[test]
fn hostile_drawings_cost_little() {
    let deep = format!("{}{}", "<g>".repeat(400_000), "</g>".repeat(400_000));
    assert_eq!(read(&svg(&deep)), Err("badge_picture_malformed"), "nesting is bounded");
    let namespaces: String = (0..400_000).map(|number| format!(r#"<g xmlns:n{number}="x">"#)).collect();
    assert_eq!(read(&svg(&namespaces)), Err("badge_picture_malformed"), "namespaces are bounded");
    let entities = r#"<!DOCTYPE svg [<!ENTITY a "xxxxxxxxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;">]>"#;
    let drawing = format!(
        r#"{entities}<svg xmlns:o="http://openbadges.org">{}<o:assertion>{CREDENTIAL}</o:assertion></svg>"#,
        "&b;".repeat(100_000)
    );
    is_json_in(drawing.as_bytes(), Picture::Svg);
}
