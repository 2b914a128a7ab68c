//! No reader of documents panics, whatever the file; and JSON that another reader reads differently has another digest.

use proptest::prelude::*;
use sigeli::document::{canonicalise, seal};
use sigeli_verifier::credential::Profile;

const PROFILES: [Option<Profile>; 5] =
    [None, Some(Profile::Raw), Some(Profile::Jcs), Some(Profile::Jws), Some(Profile::Jades)];

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(kind);
    checksum.update(data);
    let length = u32::try_from(data.len()).expect("a small chunk");
    [&length.to_be_bytes()[..], kind, data, &checksum.finalize().to_be_bytes()].concat()
}

fn baked_png(text: &[u8], is_compressed: bool) -> Vec<u8> {
    let text = if is_compressed { miniz_oxide::deflate::compress_to_vec_zlib(text, 6) } else { text.to_vec() };
    let badge = [&b"openbadgecredential\0"[..], &[u8::from(is_compressed), 0, 0, 0], &text].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &[0; 13]), chunk(b"iTXt", &badge), chunk(b"IEND", b"")].concat()
}

/// One file of every kind that is read.
fn samples() -> Vec<Vec<u8>> {
    let json = r#"{"name":[{"@value":"ვები","@language":"ka"}],"issued":"2026-11-16","validUntil":"2031-11-16T08:00:00Z",
        "credentialSubject":{"givenName":{"en":"Ana"},"creditsEarned":2.5,"achievement":{"name":"Web","alignment":[
        {"targetFramework":"ISCED-F","targetCode":"0613","targetUrl":"http://data.europa.eu/snb/isced-f/0613"}]},
        "hasClaim":[{"specifiedBy":{"eqfLevel":{"id":"http://data.europa.eu/snb/eqf/6"},"creditPoint":{"point":"1e3"}}}]},
        "proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","proofValue":"z2","verificationMethod":"did:key:z6Mk"}}"#;
    let jws = "eyJhbGciOiJFUzI1NiIsImp3ayI6eyJrdHkiOiJFQyJ9fQ.eyJ2YyI6eyJuYW1lIjoieCJ9LCJleHAiOjE5MDAwMDAwMDB9.c2ln";
    let jades = r#"{"payload":"eyJuYW1lIjoieCJ9","signatures":[{"protected":"eyJhbGciOiJSUzI1NiIsIng1YyI6WyJNSUlCIl19","signature":"c2ln"}]}"#;
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:b="https://purl.imsglobal.org/ob/v3p0"><b:credential verify="x"><![CDATA[{json}]]></b:credential></svg>"#
    );
    vec![
        json.into(),
        jws.into(),
        format!("{jws}~WyJz~").into(),
        jades.into(),
        svg.into(),
        baked_png(json.as_bytes(), false),
        baked_png(json.as_bytes(), true),
        baked_png(jws.as_bytes(), false),
        b"%PDF-1.7 text".to_vec(),
    ]
}

/// Reads a file in every way there is.
fn read_all(file: &[u8]) {
    for force in PROFILES {
        match canonicalise(file, force) {
            Ok(canonical) => {
                drop((canonical.digest(), canonical.facts(), canonical.picture(), seal(file, canonical.profile())));
            }
            Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
        }
    }
}

proptest! {
    #[test]
    fn no_changed_file_panics(
        sample in 0_usize..9,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        splice in prop::option::of((0_usize..9, any::<prop::sample::Index>(), any::<prop::sample::Index>())),
    ) {
        let samples = samples();
        let mut file = samples[sample].clone();
        for (at, mask) in &flips {
            let at = at.index(file.len());
            file[at] ^= mask;
        }
        if let Some((other, from, at)) = splice {
            let piece = &samples[other][from.index(samples[other].len())..];
            let at = at.index(file.len());
            file.splice(at..at, piece.iter().copied());
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        read_all(&file);
    }

    #[test]
    fn no_random_bytes_panic(file in prop::collection::vec(any::<u8>(), 0..256), sample in 0_usize..9) {
        read_all(&file);
        let start = &samples()[sample];
        let half = start.len() / 2;
        read_all(&[&start[..half], &file].concat());
    }

    /// Held against another JSON reader: what it reads differently has another digest, but for the proof.
    #[test]
    fn json_that_reads_differently_is_another_document(at in any::<prop::sample::Index>(), mask in 1_u8..) {
        let file = &samples()[0];
        let mut changed = file.clone();
        let at = at.index(file.len());
        changed[at] ^= mask;
        let digest = |file: &[u8]| canonicalise(file, Some(Profile::Jcs)).ok().map(|canonical| canonical.digest());
        let without_proof = |file: &[u8]| {
            let mut value: serde_json::Value = serde_json::from_slice(file).ok()?;
            value.as_object_mut()?.remove("proof");
            Some(value)
        };
        if let Some(changed_digest) = digest(&changed) {
            let is_same = without_proof(&changed) == without_proof(file);
            prop_assert_eq!(is_same, digest(file) == Some(changed_digest));
        }
    }
}
