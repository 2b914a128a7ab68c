//! Published vectors for documents: leaves computed by someone else's code, RFC 8785, JSONTestSuite, Data Integrity.
//!
//! The vectors are not part of this repository: `SIGELI_VECTORS` names the folder that holds them. Without it nothing here
//! runs, which each test prints; with it, a missing file is a failure.
#![expect(clippy::print_stderr, reason = "a test that was not run says so")]

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sigeli::document::{Seal, Signer, StatedDate, StrictJson, canonicalise, seal};
use sigeli_verifier::credential::{Profile, leaf_commitment, status_handle};
use sigeli_verifier::ids::Salt;

/// The vectors' folder, or `None` after a printed notice. A relative path counts from the repository's root, where the
/// tests are started, not from this crate's folder, where cargo runs them.
fn vectors(what: &str) -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folder = std::env::var_os("SIGELI_VECTORS").map(|folder| root.join(folder));
    if folder.is_none() {
        eprintln!("SIGELI_VECTORS not set: {what} not run");
    }
    folder
}

#[expect(clippy::panic, reason = "a missing vector file must fail the test, and the message names it")]
fn read(path: PathBuf) -> Vec<u8> {
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("SIGELI_VECTORS is set, but {} cannot be read: {error}", path.display()))
}

fn read_text(path: PathBuf) -> String {
    String::from_utf8(read(path)).expect("the vector file is text")
}

#[test]
fn leaves_equal_those_of_the_reference_computation() {
    let Some(folder) = vectors("leaf vectors") else { return };
    let table = read_text(folder.join("../research/leaf-vectors.txt"));
    let salt = Salt::new([0x11; 32]);
    let mut rows = 0;
    for row in table.lines() {
        let [file, profile, size_bytes, document, leaf, status] = *row.split('|').collect::<Vec<_>>() else {
            panic!("a row has six columns: {row}");
        };
        let file_bytes = read(folder.join(file));
        let canonical = canonicalise(&file_bytes, None).expect("every sample has canonical bytes");
        let expected = match profile {
            "1" => Profile::Raw,
            "2" => Profile::Jcs,
            "3" => Profile::Jws,
            "4" => Profile::Jades,
            other => panic!("unknown profile {other}"),
        };
        assert_eq!(canonical.profile(), expected, "{file}");
        assert_eq!(canonical.bytes().len().to_string(), size_bytes, "{file}");
        assert_eq!(hex::encode(canonical.digest().as_bytes()), document, "{file}");
        let computed = leaf_commitment(expected, &salt, &canonical.digest());
        assert_eq!(hex::encode(computed.as_bytes()), leaf, "{file}");
        assert_eq!(hex::encode(status_handle(&salt, &computed).as_bytes()), status, "{file}");
        assert_eq!(
            canonicalise(&file_bytes, Some(expected)),
            Ok(canonical),
            "{file}: the receipt's profile gives the same"
        );
        rows += 1;
    }
    assert_eq!(rows, 6);
}

#[test]
fn canonical_json_equals_the_rfc_8785_samples() {
    let Some(folder) = vectors("RFC 8785 samples") else { return };
    for name in ["arrays", "french", "structures", "unicode", "values", "weird"] {
        let input = read(folder.join(format!("jcs/input/{name}.json")));
        let canonical = StrictJson::read(&input).expect("the samples are strict JSON").canonical_bytes();
        assert_eq!(canonical, read(folder.join(format!("jcs/output/{name}.json"))), "{name}");
        let hex_text: String = read_text(folder.join(format!("jcs/outhex/{name}.txt"))).split_whitespace().collect();
        assert_eq!(hex::encode(&canonical), hex_text, "{name}");
    }
}

#[test]
fn numbers_are_written_as_ecmascript_writes_them() {
    let Some(folder) = vectors("ES6 numbers") else { return };
    let mut count = 0;
    for line in read_text(folder.join("jcs/es6-numbers-1000.txt")).lines() {
        let (bits, expected) = line.split_once(',').expect("a line is bits,text");
        let number = f64::from_bits(u64::from_str_radix(bits, 16).expect("the bits are hexadecimal"));
        // The exponent form is never read as an integer, so that large values pass the strict reader.
        let json = StrictJson::read(format!("{number:e}").as_bytes()).expect("a finite number is strict JSON");
        assert_eq!(json.canonical_bytes(), expected.as_bytes(), "{bits}");
        // ECMAScript's own spelling reads back to the same number, unless it is an integer that readers round differently.
        match StrictJson::read(expected.as_bytes()) {
            Ok(again) => assert_eq!(again.canonical_bytes(), expected.as_bytes(), "{bits}"),
            Err(error) => assert_eq!(error.code(), "json_integer_too_large", "{bits}"),
        }
        count += 1;
    }
    assert_eq!(count, 1_000);
}

/// JSONTestSuite's `y_` cases that I-JSON (and so the strict reader) refuses.
const REFUSED_THOUGH_GRAMMATICAL: [(&str, &str); 2] = [
    ("y_object_duplicated_key.json", "json_duplicate_name"),
    ("y_object_duplicated_key_and_value.json", "json_duplicate_name"),
];

/// What becomes of the `i_` cases, which the grammar leaves to the reader. Only underflow is accepted: it is zero.
const IMPLEMENTATION_DEFINED: [(&str, &str); 35] = [
    ("i_number_double_huge_neg_exp.json", "accepted"),
    ("i_number_huge_exp.json", "json_number_too_large"),
    ("i_number_neg_int_huge_exp.json", "json_number_too_large"),
    ("i_number_pos_double_huge_exp.json", "json_number_too_large"),
    ("i_number_real_neg_overflow.json", "json_number_too_large"),
    ("i_number_real_pos_overflow.json", "json_number_too_large"),
    ("i_number_real_underflow.json", "accepted"),
    ("i_number_too_big_neg_int.json", "json_integer_too_large"),
    ("i_number_too_big_pos_int.json", "json_integer_too_large"),
    ("i_number_very_big_negative_int.json", "json_integer_too_large"),
    ("i_object_key_lone_2nd_surrogate.json", "json_lone_surrogate"),
    ("i_string_1st_surrogate_but_2nd_missing.json", "json_lone_surrogate"),
    ("i_string_1st_valid_surrogate_2nd_invalid.json", "json_lone_surrogate"),
    ("i_string_UTF-16LE_with_BOM.json", "json_not_utf8"),
    ("i_string_UTF-8_invalid_sequence.json", "json_not_utf8"),
    ("i_string_UTF8_surrogate_U+D800.json", "json_not_utf8"),
    ("i_string_incomplete_surrogate_and_escape_valid.json", "json_lone_surrogate"),
    ("i_string_incomplete_surrogate_pair.json", "json_lone_surrogate"),
    ("i_string_incomplete_surrogates_escape_valid.json", "json_lone_surrogate"),
    ("i_string_invalid_lonely_surrogate.json", "json_lone_surrogate"),
    ("i_string_invalid_surrogate.json", "json_lone_surrogate"),
    ("i_string_invalid_utf-8.json", "json_not_utf8"),
    ("i_string_inverted_surrogates_U+1D11E.json", "json_lone_surrogate"),
    ("i_string_iso_latin_1.json", "json_not_utf8"),
    ("i_string_lone_second_surrogate.json", "json_lone_surrogate"),
    ("i_string_lone_utf8_continuation_byte.json", "json_not_utf8"),
    ("i_string_not_in_unicode_range.json", "json_not_utf8"),
    ("i_string_overlong_sequence_2_bytes.json", "json_not_utf8"),
    ("i_string_overlong_sequence_6_bytes.json", "json_not_utf8"),
    ("i_string_overlong_sequence_6_bytes_null.json", "json_not_utf8"),
    ("i_string_truncated-utf-8.json", "json_not_utf8"),
    ("i_string_utf16BE_no_BOM.json", "json_not_utf8"),
    ("i_string_utf16LE_no_BOM.json", "json_not_utf8"),
    ("i_structure_500_nested_arrays.json", "json_too_deep"),
    ("i_structure_UTF-8_BOM_empty_object.json", "json_byte_order_mark"),
];

#[test]
fn json_test_suite_is_read_as_pinned() {
    let Some(folder) = vectors("JSONTestSuite") else { return };
    let mut counts = [0; 3];
    for line in read_text(folder.join("json-test-suite/test_parsing.jsonl")).lines() {
        let case: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        let name = case["name"].as_str().expect("a case has a name");
        let text = STANDARD.decode(case["base64"].as_str().expect("a case has a text")).expect("the text is base64");
        let verdict = StrictJson::read(&text).map_or_else(|error| error.code(), |_| "accepted");
        let pinned =
            |table: &[(&str, &'static str)]| table.iter().find(|(case, _)| *case == name).map(|(_, verdict)| *verdict);
        match &name[..2] {
            "y_" => {
                counts[0] += 1;
                assert_eq!(verdict, pinned(&REFUSED_THOUGH_GRAMMATICAL).unwrap_or("accepted"), "{name}");
            }
            "n_" => {
                counts[1] += 1;
                assert_ne!(verdict, "accepted", "{name}");
            }
            _ => {
                counts[2] += 1;
                assert_eq!(Some(verdict), pinned(&IMPLEMENTATION_DEFINED), "{name}");
            }
        }
    }
    assert_eq!(counts, [95, 186, 35]);
}

/// A JCS document has the bytes that `eddsa-jcs-2022` hashes, with and without its proof.
#[test]
fn data_integrity_hashes_the_same_bytes() {
    let Some(folder) = vectors("vc-di-eddsa") else { return };
    let expected = read(folder.join("vc-di-eddsa/eddsa-jcs-2022/canonDocJCS.txt"));
    for file in ["eddsa-jcs-2022/signedJCS.json", "unsigned.json"] {
        let file_bytes = read(folder.join("vc-di-eddsa").join(file));
        let canonical = canonicalise(&file_bytes, None).expect("strict JSON");
        assert_eq!(canonical.bytes(), expected.trim_ascii(), "{file}");
    }
}

/// Foreign documents are anchorable as they are, and say what a reader of the file finds in it.
#[test]
fn foreign_documents_are_read() {
    let Some(folder) = vectors("foreign documents") else { return };
    for (file, profile, title, holder, issuer, is_expiry_stated) in [
        (
            "europass-elm/Sample-MC-Annex1-signed.jsonld",
            Profile::Jades,
            Some("Micro-Credential"),
            Some("Ana Andromeda"),
            true,
            false,
        ),
        (
            "europass-elm/Sample-MC-Annex1-unsigned.jsonld",
            Profile::Jcs,
            Some("Micro-Credential"),
            Some("Ana Andromeda"),
            true,
            false,
        ),
        (
            "europass-elm/Sample-CertOfPart-unsigned-uploadable.json",
            Profile::Jcs,
            Some("Certificate of Participation"),
            Some("Ana Andromeda"),
            true,
            false,
        ),
        (
            "europass-elm/credential-sample.jsonld",
            Profile::Jcs,
            Some("Some kind of credential"),
            Some("Max Power"),
            true,
            true,
        ),
        ("ob3-validator/simple.json", Profile::Jcs, Some("Teamwork Badge"), None, true, false),
        ("ob3-validator/simple.jwt", Profile::Jws, Some("Example University Degree"), None, true, false),
        ("ob3-validator/simple-err-expired.json", Profile::Jcs, Some("Teamwork Badge"), None, true, true),
    ] {
        let file_bytes = read(folder.join(file));
        let canonical = canonicalise(&file_bytes, None).expect("every sample has canonical bytes");
        assert_eq!(canonical.profile(), profile, "{file}");
        let facts = canonical.facts().expect("the sample is a JSON credential");
        assert_eq!(facts.title.as_ref().and_then(|text| text.english()), title, "{file}");
        assert_eq!(facts.holder_name.as_ref().and_then(|text| text.english()), holder, "{file}");
        assert_eq!(facts.stated.issuer.is_some(), issuer, "{file}");
        assert!(facts.valid_from.moment().is_some(), "{file}");
        assert_eq!(facts.valid_until != StatedDate::Absent, is_expiry_stated, "{file}");
    }
}

/// Every foreign document: which profile it has, and a place of its content that a forger would change, or `None` where
/// the document is a picture or PDF whose every byte counts.
const FOREIGN: [(&str, Profile, Option<&str>); 27] = [
    ("europass-elm/Sample-MC-Annex1-signed.jsonld", Profile::Jades, Some("Andromeda")),
    ("europass-elm/Sample-MC-Annex1-unsigned.jsonld", Profile::Jcs, Some("Andromeda")),
    ("europass-elm/Sample-CertOfPart-signed.jsonld", Profile::Jades, Some("Andromeda")),
    ("europass-elm/Sample-CertOfPart-unsigned-uploadable.json", Profile::Jcs, Some("Andromeda")),
    ("europass-elm/credential-sample.jsonld", Profile::Jcs, Some("Max Power")),
    ("ob3-validator/simple.json", Profile::Jcs, Some("Teamwork Badge")),
    ("ob3-validator/simple.1ob", Profile::Jcs, Some("Teamwork Badge")),
    ("ob3-validator/simple-noproof.json", Profile::Jcs, Some("credentialSubject")),
    ("ob3-validator/simple_v1.json", Profile::Jcs, Some("Teamwork Badge")),
    ("ob3-validator/complete.json", Profile::Jcs, Some("1EdTech University Degree for Example Student")),
    ("ob3-validator/complete_v1.json", Profile::Jcs, Some("1EdTech University Degree for Example Student")),
    ("ob3-validator/simple-json.svg", Profile::Jcs, Some("Teamwork Badge")),
    ("ob3-validator/simple-json.png", Profile::Jcs, Some("Teamwork Badge")),
    ("ob3-validator/simple-jwt.svg", Profile::Jws, Some(".eyJ")),
    ("ob3-validator/simple-jwt.png", Profile::Jws, Some(".eyJ")),
    ("ob3-validator/simple-jwt_v1.svg", Profile::Jws, Some(".eyJ")),
    ("ob3-validator/simple-jwt_v1.png", Profile::Jws, Some(".eyJ")),
    ("ob3-validator/simple.jwt", Profile::Jws, Some(".eyJ")),
    ("ob3-validator/velocity.jwt", Profile::Jws, Some(".eyJ")),
    ("ob3-validator/clr20/simple.jwt", Profile::Jws, Some(".eyJ")),
    ("ob3-validator/clr20/complex.json", Profile::Jcs, Some("credentialSubject")),
    ("vc-dm2/verifiable-credential/example-1.json", Profile::Jcs, Some("AlumniCredential")),
    ("vc-dm2/verifiable-credential/example-23.json", Profile::Jcs, Some("VerifiableCredential")),
    ("vc-di-eddsa/eddsa-jcs-2022/signedJCS.json", Profile::Jcs, Some("AlumniCredential")),
    ("pdf/minimal-document.pdf", Profile::Raw, None),
    ("pdf/crazyones-pdfa.pdf", Profile::Raw, None),
    ("pdf/libreoffice-writer-password.pdf", Profile::Raw, None),
];

#[test]
fn foreign_documents_changed_in_content_are_other_documents() {
    let Some(folder) = vectors("changed foreign documents") else { return };
    for (file, profile, content) in FOREIGN {
        let original = read(folder.join(file));
        let canonical = canonicalise(&original, None).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(canonical.profile(), profile, "{file}");
        assert_eq!(canonical.picture().is_some(), file.ends_with(".png") || file.ends_with(".svg"), "{file}");
        let at = content.map_or(original.len() / 2, |content| {
            let start = original.windows(content.len()).position(|window| window == content.as_bytes());
            start.unwrap_or_else(|| panic!("{file} does not hold {content}")) + content.len() - 1
        });
        let mut changed = original.clone();
        changed[at] ^= 1;
        let changed = canonicalise(&changed, Some(profile));
        assert!(changed.is_err() || changed.is_ok_and(|changed| changed.digest() != canonical.digest()), "{file}");
    }
}

#[test]
fn foreign_json_written_anew_is_the_same_document() {
    let Some(folder) = vectors("rewritten foreign documents") else { return };
    let rewritten = |file: &str| {
        let value: serde_json::Value = serde_json::from_slice(&read(folder.join(file))).expect("the sample is JSON");
        // Pretty-printed, with the members in another order: the map of this library sorts them.
        serde_json::to_vec_pretty(&value).expect("a value can be written")
    };
    for (file, profile, _) in FOREIGN.iter().filter(|(file, _, _)| file.contains(".json") || file.ends_with(".1ob")) {
        let original = read(folder.join(file));
        let changed = rewritten(file);
        assert_ne!(original, changed, "{file}");
        let digest = canonicalise(&original, None).expect("readable").digest();
        assert_eq!(canonicalise(&changed, Some(*profile)).expect("readable").digest(), digest, "{file}");
    }
}

/// The picture of a baked badge may be saved anew in any way that keeps the credential.
#[test]
fn a_badge_in_a_recompressed_picture_is_the_same_document() {
    let Some(folder) = vectors("recompressed badges") else { return };
    for file in ["simple-json.png", "simple-jwt.png", "simple-jwt_v1.png"] {
        let original = read(folder.join("ob3-validator").join(file));
        let digest = canonicalise(&original, None).expect("readable").digest();
        let changed = recompressed(&original);
        assert_ne!(changed.len(), original.len(), "{file}");
        assert_eq!(canonicalise(&changed, None).expect("readable").digest(), digest, "{file}");
    }
    let original = read_text(folder.join("ob3-validator/simple-json.svg"));
    let redrawn = original.replace("stroke-width=\"2\"", "stroke-width='3'").replace("<g>", "<g id=\"new\">");
    assert_ne!(original, redrawn);
    let digest = |text: &str| canonicalise(text.as_bytes(), None).expect("readable").digest();
    assert_eq!(digest(&redrawn), digest(&original));
}

/// A PNG saved anew: pixels compressed again into one chunk, texts compressed, other chunks dropped.
fn recompressed(png: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(kind);
        checksum.update(data);
        let length = u32::try_from(data.len()).expect("a chunk is below 4 GiB");
        [&length.to_be_bytes()[..], kind, data, &checksum.finalize().to_be_bytes()].concat()
    };
    let (mut out, mut pixels, mut rest) = (png[..8].to_vec(), Vec::new(), &png[8..]);
    while !rest.is_empty() {
        let length = usize::try_from(u32::from_be_bytes(rest[..4].try_into().expect("four bytes"))).expect("it fits");
        let (kind, data) = (&rest[4..8], &rest[8..8 + length]);
        match kind {
            b"IHDR" => out.extend(chunk(kind, data)),
            b"IDAT" => pixels.extend_from_slice(data),
            b"iTXt" => {
                let keyword_end = data.iter().position(|&byte| byte == 0).expect("a keyword ends");
                let text = miniz_oxide::deflate::compress_to_vec_zlib(&data[keyword_end + 5..], 9);
                let anew = [&data[..keyword_end], b"\0\x01\0en\0\0", &text].concat();
                out.extend(chunk(kind, &anew));
            }
            _ => {}
        }
        rest = &rest[12 + length..];
    }
    let pixels = miniz_oxide::inflate::decompress_to_vec_zlib(&pixels).expect("the pixels are compressed");
    out.extend(chunk(b"IDAT", &miniz_oxide::deflate::compress_to_vec_zlib(&pixels, 9)));
    out.extend(chunk(b"IEND", b""));
    out
}

/// Seals in foreign documents: those that can be checked offline are right, and wrong once the content is changed.
#[test]
fn foreign_seals_are_checked_where_they_can_be() {
    let Some(folder) = vectors("foreign seals") else { return };
    let found = |bytes: &[u8], profile: Profile| match seal(bytes, profile) {
        Seal::Valid { signer: Signer::Certificate { holder } } => format!("certificate of {holder}"),
        Seal::Valid { signer: Signer::Key { name } } => name.split(':').take(2).collect::<Vec<_>>().join(":"),
        Seal::Broken => "broken".into(),
        Seal::Absent => "absent".into(),
        Seal::NotChecked { why } => format!("{why:?}"),
    };
    for (file, profile, content) in FOREIGN {
        let expected = match file {
            "europass-elm/Sample-MC-Annex1-signed.jsonld" | "europass-elm/Sample-CertOfPart-signed.jsonld" => {
                "certificate of ORGANIZACION TEST"
            }
            "ob3-validator/clr20/simple.jwt"
            | "ob3-validator/simple-jwt.png"
            | "ob3-validator/simple-jwt.svg"
            | "ob3-validator/simple-jwt_v1.png"
            | "ob3-validator/simple-jwt_v1.svg" => "urn:ietf",
            "vc-di-eddsa/eddsa-jcs-2022/signedJCS.json" => "did:key",
            "ob3-validator/simple.jwt" | "ob3-validator/velocity.jwt" => "KeyElsewhere",
            _ if profile == Profile::Raw => "Opaque",
            _ if String::from_utf8_lossy(&read(folder.join(file))).contains("\"proof\"") => "Method",
            _ => "absent",
        };
        let original = read(folder.join(file));
        assert_eq!(found(&original, profile), expected, "{file}");
        // A change inside the credential breaks the seals that were right.
        let Some(content) = content.filter(|_| expected.starts_with("certificate") || expected.contains(':')) else {
            continue;
        };
        if file.ends_with(".png") {
            continue;
        }
        let start = original.windows(content.len()).position(|window| window == content.as_bytes());
        let mut changed = original.clone();
        // Behind the place that was found, so that the payload of a JWS is hit and not its form.
        changed[start.expect("the content is there") + content.len() + 5] ^= 2;
        assert!(["broken", "Malformed"].contains(&found(&changed, profile).as_str()), "{file}");
    }
}
