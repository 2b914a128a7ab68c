//! The forms in which a bundle travels, by the binary: two halves, inside a JSON credential, in a ZIP, as QR codes.
#![expect(clippy::unwrap_used, reason = "tests panic to fail")]
#![allow(dead_code, reason = "the fixture is shared, and each test binary uses a part of it")]

mod shelf;
mod world;

use std::path::Path;

use serde_json::Value;
use shelf::verify;
use sigeli::carry::code;
use sigeli_verifier::{bundle::Bundle, decode::Decode as _, encode::Encode as _};
use world::{Issued, World, sigeli};

const CREDENTIAL: &[u8] =
    br#"{ "validFrom": "2026-11-20T00:00:00Z", "proof": {"type": "DataIntegrityProof"}, "x": 1.0 }"#;
const PDF: &[u8] = b"%PDF-1.7 a credential";

fn issued(world: &World) -> Issued {
    shelf::issued(world, &[("a.json", CREDENTIAL), ("b.pdf", PDF)])
}

fn done(directory: &Path, args: &[&str]) -> String {
    let run = sigeli(directory, args);
    assert_eq!(run.exit, 0, "{args:?}: {}{}", run.out, run.err);
    run.out
}

fn removed(directory: &Path, name: &str) -> Vec<u8> {
    let bytes = std::fs::read(directory.join(name)).unwrap();
    std::fs::remove_file(directory.join(name)).unwrap();
    bytes
}

#[test]
fn a_bundle_inside_a_credential_is_found_there() {
    let issued = issued(&World::new(1));
    let directory = issued.directory.path();
    done(directory, &["bundle", "embed", "a.json", "--out", "both.json"]);
    let beside = removed(directory, "a.json.sigeli");
    assert_eq!(verify(directory, &["a.json"]).exit, 3);
    let run = verify(directory, &["both.json"]);
    assert_eq!((run.exit, run.err.as_str()), (0, ""), "{}", run.out);
    // In place, and out again.
    issued.write("a.json.sigeli", &beside);
    done(directory, &["bundle", "embed", "a.json"]);
    removed(directory, "a.json.sigeli");
    assert_eq!(verify(directory, &["a.json"]).exit, 0);
    done(directory, &["bundle", "extract", "a.json"]);
    assert_eq!(std::fs::read(directory.join("a.json.sigeli")).unwrap(), beside);
    // A change of the document is no less noticed; a change of the bundle is not taken for none.
    let text = String::from_utf8(std::fs::read(directory.join("both.json")).unwrap()).unwrap();
    issued.write("changed.json", text.replace("1.0", "1.5").as_bytes());
    assert_eq!(verify(directory, &["changed.json"]).exit, 2);
    issued.write("cut.json", text.replace("\"proofValue\":\"u", "\"proofValue\":\"uA").as_bytes());
    let run = verify(directory, &["cut.json", "--json"]);
    assert_eq!(run.exit, 3);
    assert!(run.out.contains("bundle_unreadable"), "{}", run.out);
}

#[test]
fn a_bundle_goes_only_where_it_belongs() {
    let issued = issued(&World::new(1));
    let directory = issued.directory.path();
    for args in [
        &["bundle", "embed", "b.pdf"][..],
        &["bundle", "embed", "a.json", "--bundle", "b.pdf.sigeli"],
        &["bundle", "zip", "a.json", "--bundle", "b.pdf.sigeli"],
        &["bundle", "extract", "a.json"],
        &["bundle", "extract", "b.pdf"],
    ] {
        let run = sigeli(directory, args);
        assert_eq!((run.exit, run.out.as_str()), (65, ""), "{args:?}: {}", run.err);
    }
    assert_eq!(std::fs::read(directory.join("a.json")).unwrap(), CREDENTIAL, "left as it was");
}

#[test]
fn two_halves_make_the_bundle_again() {
    let issued = issued(&World::new(1));
    let directory = issued.directory.path();
    done(directory, &["bundle", "split", "a.json"]);
    done(directory, &["bundle", "split", "b.pdf.sigeli"]);
    let bundle = removed(directory, "a.json.sigeli");
    done(directory, &["bundle", "join", "a.json.sigeli-receipt", "a.json.sigeli-stamp", "--out", "a.json.sigeli"]);
    assert_eq!(std::fs::read(directory.join("a.json.sigeli")).unwrap(), bundle);
    assert_eq!(verify(directory, &["a.json"]).exit, 0);
    for (receipt, stamp, reason) in [
        ("a.json.sigeli-receipt", "b.pdf.sigeli-stamp", "made for another receipt"),
        ("a.json.sigeli-stamp", "a.json.sigeli-stamp", "is not a receipt"),
        ("a.json.sigeli-receipt", "a.json.sigeli-receipt", "is not a stamp"),
    ] {
        let run = sigeli(directory, &["bundle", "join", receipt, stamp, "--out", "none"]);
        assert_eq!(run.exit, 65);
        assert!(run.err.contains(reason), "{}", run.err);
    }
    assert!(!directory.join("none").exists());
}

#[test]
fn codes_make_the_bundle_again_and_never_of_two() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    let text = done(directory, &["bundle", "qr", "b.pdf", "--text"]);
    let texts: Vec<&str> = text.lines().collect();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].starts_with("SGL1:"));
    done(directory, &["bundle", "from-qr", texts[0], "--out", "again"]);
    let bundle = std::fs::read(directory.join("b.pdf.sigeli")).unwrap();
    assert_eq!(std::fs::read(directory.join("again")).unwrap(), bundle);
    assert_eq!(verify(directory, &["b.pdf", "--bundle", "again"]).exit, 0);
    let small = done(directory, &["bundle", "qr", "b.pdf", "--text", "--small"]);
    assert!(small.len() < text.len());
    done(directory, &["bundle", "from-qr", small.trim(), "--out", "small"]);
    assert_eq!(verify(directory, &["b.pdf", "--bundle", "small"]).exit, 0);
    assert!(done(directory, &["bundle", "qr", "b.pdf.sigeli"]).contains('▀'));
    assert_eq!(done(directory, &["bundle", "qr", "b.pdf", "--out", "b"]), "b.png\n");
    assert!(std::fs::read(directory.join("b.png")).unwrap().starts_with(b"\x89PNG"));
    let run = sigeli(directory, &["bundle", "from-qr", "https://example.ge", "--out", "none"]);
    assert_eq!(run.exit, 65);
    assert!(run.err.contains("text 1 is not of a Sigeli bundle"), "{}", run.err);
}

/// A bundle of a given size: its institution's paths are made as long as it takes.
fn sized(world: &World, issued: &Issued, bytes: usize) -> Bundle {
    use sigeli_verifier::register::RegisterPath;
    let mut bundle = world.bundle(issued, 0, None);
    let mut siblings = Vec::new();
    while bundle.to_bytes().len() < bytes && siblings.len() < 256 {
        siblings.push(Some([7; 32]));
        bundle.stamp.stamp.batch_path = RegisterPath::new(siblings.clone()).unwrap();
    }
    bundle
}

#[test]
fn large_bundles_take_several_codes_of_which_none_may_be_missing_or_foreign() {
    let world = World::new(1);
    let issued = issued(&world);
    let texts = |bundle: &Bundle| code::texts(bundle);
    for bytes in [2_900, 5_000, 6_000, 9_000] {
        let bundle = sized(&world, &issued, bytes);
        let parts = texts(&bundle);
        assert_eq!(parts.len(), bundle.to_bytes().len().div_ceil(code::PART_BYTES_MAX));
        for part in &parts {
            assert!(part.len() <= code::CODE_CHARS_MAX && part.starts_with("SGLP:"));
            sigeli::carry::qr::Qr::new(part).unwrap();
        }
        let mut shuffled = parts.clone();
        shuffled.reverse();
        shuffled.push(parts[0].clone());
        assert_eq!(code::bundle(&shuffled), Ok(bundle.clone()));
        let missing = code::bundle(&parts[1..]);
        assert_eq!(missing, Err(code::CodeError::Missing { part: 1, count: parts.len() }));
        let mut other = bundle.clone();
        other.receipt.salt = sigeli_verifier::ids::Salt::new([9; 32]);
        let mut mixed = parts.clone();
        mixed[1] = texts(&other)[1].clone();
        assert_eq!(code::bundle(&mixed), Err(code::CodeError::Mixed { position: 2 }));
    }
    // At the size that fits one code, and above it.
    assert_eq!((code::WHOLE_BYTES_MAX, code::PART_BYTES_MAX, code::PARTS_MAX), (2_860, 2_850, 23));
    let whole =
        "A".repeat(code::WHOLE_PREFIX.len()) + &sigeli::carry::base45::encode(&vec![255; code::WHOLE_BYTES_MAX]);
    assert!(whole.len() <= code::CODE_CHARS_MAX && whole.len() + 3 > code::CODE_CHARS_MAX);
}

#[test]
fn damaged_texts_are_told_from_foreign_ones() {
    let world = World::new(1);
    let issued = issued(&world);
    let bundle = world.bundle(&issued, 0, None);
    let whole = code::texts(&bundle).remove(0);
    let parts = code::texts(&sized(&world, &issued, 4_000));
    let read = |texts: &[&str]| code::bundle(texts).unwrap_err();
    use code::CodeError::{Bundle as Undecoded, Damaged, Foreign, Missing, Mixed};
    assert_eq!(read(&["SGL2:00"]), Foreign { position: 1 });
    assert_eq!(read(&[&whole.to_lowercase()]), Foreign { position: 1 });
    assert_eq!(read(&["SGL1:a"]), Damaged { position: 1 });
    assert_eq!(read(&["SGLP:00"]), Damaged { position: 1 });
    assert_eq!(read(&[&whole, &parts[0]]), Mixed { position: 2 });
    assert_eq!(read(&[&parts[0], &whole]), Mixed { position: 2 });
    assert_eq!(read(&[]), Missing { part: 1, count: 1 });
    assert!(matches!(read(&["SGL1:"]), Undecoded(_)));
    // Numbers outside the count, counts outside the limit, and a piece of nothing.
    let part = |head: [u8; 2], piece: &[u8]| {
        format!("SGLP:{}", sigeli::carry::base45::encode(&[&head[..], &[0; 8], piece].concat()))
    };
    for (head, piece) in [([0, 2], &[1][..]), ([3, 2], &[1]), ([1, 1], &[1]), ([1, 24], &[1]), ([1, 2], &[])] {
        assert_eq!(read(&[&part(head, piece)]), Damaged { position: 1 }, "{head:?}");
    }
    assert_eq!(read(&[&part([1, 23], &[1])]), Missing { part: 2, count: 23 });
    // Pieces that agree on their tag, but are not what it is of.
    assert_eq!(read(&[&part([1, 2], &[1]), &part([2, 2], &[2])]), Damaged { position: 1 });
}

#[test]
fn a_bundle_is_shown_without_its_secret() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    let text = done(directory, &["bundle", "show", "b.pdf"]);
    assert!(text.contains("Georgian Technical University") && text.contains("unchecked"), "{text}");
    let json: Value = serde_json::from_str(&done(directory, &["bundle", "show", "b.pdf.sigeli", "--json"])).unwrap();
    assert_eq!(json["format"], "sigeli-bundle-1");
    assert_eq!((&json["height"], &json["status"]), (&Value::from(42), &Value::from("nothing written")));
    let bundle = Bundle::from_bytes(&std::fs::read(directory.join("b.pdf.sigeli")).unwrap()).unwrap();
    assert_eq!(json["bundle_bytes"], bundle.to_bytes().len());
    let salt = hex::encode(bundle.receipt.salt.as_bytes());
    assert!(!text.contains(&salt) && !json.to_string().contains(&salt));
}
