//! Offline verification by the binary: the four exit codes, the JSON, the texts in both languages, and that no socket is
//! opened. The ledger behind it is made by hand (see `world`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests panic to fail, and print what they skip"
)]

mod shelf;
mod world;

use std::time::Duration;

use serde_json::Value;
use shelf::{AT, verify};
use sigeli::verify::Evidence;
use sigeli_verifier::{
    bundle::Bundle,
    decode::Decode as _,
    encode::Encode as _,
    ids::{AuthorityId, DecisionRef, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, TimeMs},
    record::{
        BatchChange, BatchRecord, BatchState, BatchStatus, InstitutionState, PermissionRecord, PermissionStanding,
        PermissionState, StatusState, Writer,
    },
    transaction::{DecisionReason, Field, Level, StatusReason},
    trust::NetworkKind,
    verdict::{Freshness, Verdict},
};
use world::{BLOCK_TIME, Issued, Run, Says, World, permission_record, run, sigeli};

const CREDENTIAL: &[u8] = r#"{
    "name": "Secure Web Applications",
    "validFrom": "2026-11-20T00:00:00Z",
    "credentialSubject": {"name": "ნინო მაგალითაშვილი"}
}"#
.as_bytes();
const ENDING: &[u8] = br#"{"validFrom": "2026-11-20T00:00:00Z", "validUntil": "2026-11-24T09:00:30Z"}"#;
const PDF: &[u8] = b"%PDF-1.7 a credential";

/// Three credentials, the last of which ends at [`AT`].
fn issued(world: &World) -> Issued {
    shelf::issued(world, &[("a.json", CREDENTIAL), ("b.pdf", PDF), ("c.json", ENDING)])
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}{}", run.out, run.err))
}

fn codes(report: &Value) -> Vec<&str> {
    report["checks"].as_array().unwrap().iter().map(|check| check["code"].as_str().unwrap()).collect()
}

#[test]
fn a_genuine_credential_is_valid_in_every_form_of_the_command() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    for args in [vec!["a.json"], vec!["b.pdf"], vec!["a.json", "--bundle", "a.json.sigeli"], vec!["a.json", "--json"]] {
        let run = verify(directory, &args);
        assert_eq!(run.exit, 0, "{args:?}: {}{}", run.out, run.err);
        assert_eq!(run.err, "");
    }
    // The same document, written in another way.
    issued.write(
        "a.json",
        r#"{"credentialSubject":{"name":"\u10DC\u10D8ნო მაგალითაშვილი"},"validFrom":"2026-11-20T00:00:00Z",
        "name":"Secure Web Applications","proof":{"type":"DataIntegrityProof"}}"#
            .as_bytes(),
    );
    assert_eq!(verify(directory, &["a.json"]).exit, 0);
    // The trust file of the user's configuration directory.
    std::fs::create_dir_all(directory.join(".config/sigeli")).unwrap();
    std::fs::copy(directory.join("trust"), directory.join(".config/sigeli/trust")).unwrap();
    assert_eq!(sigeli(directory, &["verify", "a.json", "--at", AT]).exit, 0);
}

#[test]
fn the_json_has_the_members_that_scripts_rely_on() {
    let world = World::new(1);
    let issued = issued(&world);
    let report = json(&verify(issued.directory.path(), &["a.json", "--json"]));
    assert_eq!(report["format"], "sigeli-verdict-1");
    assert_eq!((&report["verdict"], &report["exit"]), (&Value::from("valid"), &Value::from(0)));
    let checks = report["checks"].as_array().unwrap();
    let ids: Vec<_> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["document", "registered", "ledger", "institution", "programme", "status", "dates", "seal"]);
    let states: Vec<_> = checks.iter().map(|check| check["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["pass", "pass", "pass", "pass", "pass", "pass", "pass", "unknown"]);
    assert!(checks.iter().all(|check| check["text"].as_str().is_some_and(|text| !text.is_empty())));
    let facts = &report["facts"];
    for (member, expected) in [
        ("genesis_hash", Value::from(world.genesis.to_string())),
        ("height", Value::from(42)),
        ("time", Value::from("2026-11-24T09:00:00.000Z")),
        ("age_s", Value::from(30)),
        ("institution", Value::from("Georgian Technical University")),
        ("programme", Value::from("Secure Web Applications")),
        ("confirmed_by", Value::from(3)),
        ("validators", Value::from(4)),
        ("ledger_kind", Value::from("test")),
    ] {
        assert_eq!(facts[member], expected, "{member}");
    }
    let unchecked = json(&verify(issued.directory.path(), &["a.json", "--json", "--bundle", "none"]));
    assert_eq!(unchecked["verdict"], "unchecked");
    assert_eq!(unchecked["facts"]["height"], Value::Null);
    assert!(unchecked["facts"].as_object().unwrap().contains_key("genesis_hash"));
}

#[test]
fn what_has_ended_is_genuine_but_exits_1() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    for (state, code) in [
        (StatusState::Revoked, "revoked"),
        (StatusState::Suspended, "suspended"),
        (StatusState::Superseded { successor: [1; 32] }, "superseded"),
    ] {
        let bundle = world.bundle(&issued, 0, Some((state, StatusReason::IssuedInError)));
        issued.write("ended", &bundle.to_bytes());
        let run = verify(directory, &["a.json", "--bundle", "ended", "--json"]);
        let report = json(&run);
        assert_eq!((run.exit, codes(&report)[5]), (1, code));
        assert_eq!(report["verdict"], "ended");
    }
    let reinstated = world.bundle(&issued, 0, Some((StatusState::Reinstated, StatusReason::ReviewEnded)));
    issued.write("again", &reinstated.to_bytes());
    assert_eq!(verify(directory, &["a.json", "--bundle", "again"]).exit, 0);
    // The document's own end: one second before, and at it.
    let at = |at| json(&sigeli(directory, &["verify", "c.json", "--trust", "trust", "--json", "--at", at]));
    assert_eq!(at("2026-11-24T09:00:29Z")["exit"], 0);
    let expired = at("2026-11-24T09:00:30Z");
    assert_eq!((&expired["exit"], codes(&expired)[6]), (&Value::from(1), "expired"));
}

#[test]
fn what_is_false_exits_2() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    let changed = String::from_utf8(CREDENTIAL.to_vec()).unwrap().replace("Secure", "Sekure");
    issued.write("a.json", changed.as_bytes());
    issued.write("b.pdf", b"%PDF-1.7 a credentiaL");
    let mut broken = CREDENTIAL.to_vec();
    broken[0] = b'[';
    issued.write("c.json", &broken);
    for name in ["a.json", "b.pdf", "c.json"] {
        let run = verify(directory, &[name, "--json"]);
        assert_eq!((run.exit, codes(&json(&run))[0]), (2, "document_changed"), "{name}");
    }
    // Another credential's bundle; and a revocation taken out of a bundle.
    issued.write("a.json", CREDENTIAL);
    assert_eq!(verify(directory, &["a.json", "--bundle", "b.pdf.sigeli"]).exit, 2);
    let mut forged = world.bundle(&issued, 0, Some((StatusState::Revoked, StatusReason::Order)));
    forged.stamp.stamp.status = world.bundle(&issued, 0, None).stamp.stamp.status;
    issued.write("forged", &forged.to_bytes());
    let run = verify(directory, &["a.json", "--bundle", "forged", "--json"]);
    assert_eq!((run.exit, codes(&json(&run))[2]), (2, "not_confirmed"));
}

#[test]
fn what_cannot_be_checked_exits_3_and_never_2() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    issued.write("foreign", &World::new(2).trust(NetworkKind::Production).to_bytes());
    issued.write("garbage", b"no trust at all");
    issued.write("cut.sigeli", &world.bundle(&issued, 0, None).to_bytes()[..200]);
    let cases: [(&[&str], &str); 8] = [
        (&["a.json", "--trust", "trust", "--bundle", "none", "--at", AT], "bundle_missing"),
        (&["a.json", "--trust", "trust", "--bundle", "garbage", "--at", AT], "bundle_unreadable"),
        (&["a.json", "--trust", "trust", "--bundle", "cut.sigeli", "--at", AT], "bundle_unreadable"),
        (&["a.json", "--trust", "foreign", "--at", AT], "ledger_unknown"),
        (&["a.json", "--trust", "none", "--at", AT], "trust_unreadable"),
        (&["a.json", "--trust", "garbage", "--at", AT], "trust_unreadable"),
        (&["a.json", "--trust", "trust", "--at", "2026-11-24T09:10:01Z", "--max-age", "10m"], "status_stale"),
        (&["a.json", "--trust", "trust", "--at", "2026-11-23T09:00:00Z"], "clock_behind"),
    ];
    for (args, code) in cases {
        let mut all = vec!["verify", "--json"];
        all.extend(args);
        let run = sigeli(directory, &all);
        let report = json(&run);
        assert_eq!(run.exit, 3, "{args:?}");
        assert!(codes(&report).contains(&code), "{args:?}: {:?}", codes(&report));
    }
    let fresh = ["verify", "a.json", "--trust", "trust", "--at", "2026-11-24T09:10:00Z", "--max-age", "10m"];
    assert_eq!(sigeli(directory, &fresh).exit, 0, "as old as allowed is not too old");
    // What is final stays final, however old the stamp.
    let revoked = world.bundle(&issued, 0, Some((StatusState::Revoked, StatusReason::Order)));
    issued.write("revoked", &revoked.to_bytes());
    let late = ["verify", "a.json", "--trust", "trust", "--bundle", "revoked", "--at", "2031-01-01T00:00:00Z"];
    assert_eq!(sigeli(directory, &late).exit, 1);
}

#[test]
fn wrong_calls_have_codes_of_their_own_and_say_what_to_do() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    let cases: [(&[&str], i32, &str); 7] = [
        (&["verify"], 64, "FILE"),
        (&["verify", "a.json", "--at", "yesterday"], 64, "RFC 3339"),
        (&["verify", "a.json", "--max-age", "1w"], 64, "24h"),
        (&["verify", "missing.json"], 66, "check the name"),
        (&["stamp", ".", "--node", "http://127.0.0.1:1"], 66, "directory"),
        (&["batch", "anchor", "batch", "--key", "none", "--node", "http://127.0.0.1:1"], 66, "none"),
        (&["stamp", "a.json"], 64, "--node"),
    ];
    for (args, exit, says) in cases {
        let run = sigeli(directory, args);
        assert_eq!(run.exit, exit, "{args:?}: {}", run.err);
        assert!(run.err.contains(says), "{args:?}: {}", run.err);
        assert!(!run.err.contains("panicked"), "{}", run.err);
    }
    assert_eq!(sigeli(directory, &["--help"]).exit, 0);
}

#[test]
fn the_eight_lines_in_english() {
    let world = World::new(1);
    let issued = issued(&world);
    let run = verify(issued.directory.path(), &["a.json", "--lang", "en"]);
    assert_eq!(
        run.out,
        "\
GENUINE AND VALID
TEST LEDGER: what it says has no legal force.

[ ok ] 1. Document       The content of this file is exactly what the institution registered.
[ ok ] 2. Registered     Registered by Georgian Technical University on 2026-11-24 12:00:00 (Tbilisi time), block 40.
[ ok ] 3. Ledger         Confirmed by 3 of 4 validators of “Register of Micro-credentials”; the proof was checked on this computer.
[ ok ] 4. Institution    Georgian Technical University was authorised on that date (authorised until 2029-12-31).
[ ok ] 5. Programme      Secure Web Applications: NQF level 6, field 0613, 3 of at most 5 ECTS, issued on 2026-11-20; accredited on that date. Accredited until 2027-08-31. Compare with the document.
[ ok ] 6. Status         Not revoked as of 2026-11-24 13:00:00 (Tbilisi time), 30 seconds ago.
[ ok ] 7. Dates          Valid from 2026-11-20T00:00:00Z; no end date.
[ -- ] 8. Issuer's seal  The file bears no seal of its issuer; the ledger's proof needs none.

ნინო მაგალითაშვილი. Compare this name with an identity document: no ledger can check it.
"
    );
}

#[test]
fn the_eight_lines_in_georgian() {
    let world = World::new(1);
    let issued = issued(&world);
    let revoked = world.bundle(&issued, 1, Some((StatusState::Revoked, StatusReason::HolderRequest)));
    issued.write("b.pdf.sigeli", &revoked.to_bytes());
    let run = verify(issued.directory.path(), &["b.pdf", "--lang", "ka"]);
    assert_eq!(
        run.out,
        "\
ნამდვილია, მაგრამ ძალაში აღარ არის
სატესტო რეესტრი (TEST LEDGER): მის ჩანაწერებს იურიდიული ძალა არ აქვს.

[ ok ] 1. დოკუმენტი        ეს ფაილი ზუსტად ის არის, რომელიც დაწესებულებამ დაარეგისტრირა.
[ ok ] 2. რეგისტრაცია      დაარეგისტრირა: საქართველოს ტექნიკური უნივერსიტეტი; 2026-11-24 12:00:00 (თბილისის დროით), ბლოკი 40.
[ ok ] 3. რეესტრი          ადასტურებს რეესტრის „მიკროკრედენციალების რეესტრი“ 4 ვალიდატორიდან 3; მტკიცებულება ამ კომპიუტერზე შემოწმდა.
[ ok ] 4. დაწესებულება     საქართველოს ტექნიკური უნივერსიტეტი იმ დღეს ავტორიზებული იყო (ავტორიზაციის ვადა: 2029-12-31).
[ ok ] 5. პროგრამა         უსაფრთხო ვებაპლიკაციები: ეროვნული ჩარჩოს დონე 6, სფერო 0613, 3 ECTS (დასაშვებია არაუმეტეს 5), გაცემულია 2026-11-20; იმ დღეს აკრედიტებული იყო. აკრედიტაციის ვადა: 2027-08-31. შეადარეთ დოკუმენტს.
[FAIL] 6. სტატუსი          გაუქმებულია 2026-11-24 12:30:00: გაუქმდა მფლობელის თხოვნით.
[ -- ] 7. ვადები           ასეთ ფაილში ვადებს ეს პროგრამა ვერ კითხულობს: ნახეთ დოკუმენტში.
[ -- ] 8. გამცემის შტამპი  ფაილში გამცემის შტამპს, თუ არის, ეს პროგრამა არ ამოწმებს.

დოკუმენტში მითითებული სახელი შეადარეთ პირადობის დოკუმენტს: მას ვერც ერთი რეესტრი ვერ ამოწმებს.
"
    );
    let production = Issued::new(&[("p.pdf", PDF)]);
    production.write("p.pdf.sigeli", &world.bundle(&production, 0, None).to_bytes());
    production.write("trust", &world.trust(NetworkKind::Production).to_bytes());
    let run = verify(production.directory.path(), &["p.pdf"]);
    assert_eq!((run.exit, run.out.contains("TEST LEDGER")), (0, false));
}

const STATING: &[u8] = br#"{"name":"Web","issued":"2026-11-16T08:00:00Z","credentialSubject":{
    "achieved":{"nqfLevel":6,"iscedF":"0613","ectsCredits":3}}}"#;

/// Another record than the one that was registered.
type Altered = fn(BatchRecord) -> BatchRecord;

/// A registered document that states something else than the register is not genuine, and the line says what.
#[test]
fn a_document_that_contradicts_the_register_exits_2() {
    let world = World::new(1);
    let issued = Issued::new(&[("s.json", STATING)]);
    issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
    let verified = |record: fn(BatchRecord) -> BatchRecord, language: &str| {
        let says = Says { record, ..Says::default() };
        issued.write("s.json.sigeli", &world.bundle_saying(&issued, 0, &says).to_bytes());
        let run = verify(issued.directory.path(), &["s.json", "--json", "--lang", language]);
        let report = json(&run);
        let check = report["checks"][4].clone();
        let text = check["text"].as_str().unwrap().to_owned();
        (run.exit, check["code"].as_str().unwrap().to_owned(), text)
    };
    let (exit, code, text) = verified(|record| record, "en");
    assert_eq!((exit, code.as_str()), (0, "accredited"));
    assert!(text.ends_with(" The document states the same."), "{text}");
    let (_, _, text) = verified(|record| BatchRecord { ects: EctsTenths::new(40), ..record }, "en");
    assert!(text.ends_with(" Compare with the document."), "fewer credits than registered: {text}");
    let cases: [(Altered, &str, &str); 4] = [
        (
            |record| BatchRecord { level: Level::new(5).unwrap(), ..record },
            "The document says something else than what was registered: it states level 6, registered is 5.",
            "მითითებულია დონე 6, დარეგისტრირებულია 5.",
        ),
        (
            |record| BatchRecord { field: Field::new(612).unwrap(), ..record },
            "it states field 0613, registered is 0612.",
            "მითითებულია სფერო 0613, დარეგისტრირებულია 0612.",
        ),
        (
            |record| BatchRecord { ects: EctsTenths::new(25), ..record },
            "it states 3 ECTS, registered are 2.5.",
            "მითითებულია 3 ECTS, დარეგისტრირებულია 2.5.",
        ),
        (
            |record| BatchRecord { anchored_time: TimeMs::new(1_794_700_800_000), ..record },
            "it states that it was issued on 2026-11-16, and was registered on 2026-11-15.",
            "გაცემის თარიღად მითითებულია 2026-11-16, დარეგისტრირდა კი 2026-11-15.",
        ),
    ];
    for (record, english, georgian) in cases {
        for (language, expected) in [("en", english), ("ka", georgian)] {
            let (exit, code, text) = verified(record, language);
            assert_eq!((exit, code.as_str()), (2, "contradicted"), "{expected}");
            assert!(text.ends_with(expected), "{text}");
        }
    }
}

/// A seal of the issuer, whatever it is worth, does not change the verdict.
#[test]
fn a_seal_is_told_and_never_counts() {
    let world = World::new(1);
    let sealed = r#"{"name":"x","proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","proofPurpose":"assertionMethod",
        "verificationMethod":"did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2","proofValue":"z2"}}"#;
    let foreign = sealed.replace("eddsa-jcs-2022", "eddsa-rdfc-2022").replace('x', "y");
    let issued =
        Issued::new(&[("broken.json", sealed.as_bytes()), ("foreign.json", foreign.as_bytes()), ("a.pdf", PDF)]);
    issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
    for (position, (name, code)) in
        [("broken.json", "seal_broken"), ("foreign.json", "seal_not_checked"), ("a.pdf", "seal_not_checked")]
            .iter()
            .enumerate()
    {
        issued.write(&format!("{name}.sigeli"), &world.bundle(&issued, position, None).to_bytes());
        let run = verify(issued.directory.path(), &[name, "--json"]);
        assert_eq!((run.exit, codes(&json(&run))[7]), (0, *code), "{name}");
    }
}

/// Line 1 of a badge speaks of the credential in the picture, however the picture was saved.
#[test]
fn a_badge_is_the_credential_in_its_picture() {
    let chunk = |kind: &[u8], data: &[u8]| {
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(kind);
        checksum.update(data);
        [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], kind, data, &checksum.finalize().to_be_bytes()].concat()
    };
    let picture = |credential: &[u8], pixels: &[u8]| {
        let badge = [b"openbadgecredential\0\0\0\0\0", credential].concat();
        let chunks = [chunk(b"IDAT", pixels), chunk(b"iTXt", &badge), chunk(b"IEND", b"")];
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.concat()].concat()
    };
    let world = World::new(1);
    let issued = Issued::new(&[("badge.png", &picture(CREDENTIAL, b"red"))]);
    issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
    issued.write("badge.png.sigeli", &world.bundle(&issued, 0, None).to_bytes());
    issued.write("badge.png", &picture(CREDENTIAL, b"green"));
    let line = |args: &[&str]| {
        let run = verify(issued.directory.path(), args);
        (run.exit, json(&run)["checks"][0]["text"].as_str().unwrap().to_owned())
    };
    let english = "The credential “Secure Web Applications” inside this picture is exactly the one that the institution \
        registered. The picture around it is not protected: do not rely on what it shows.";
    assert_eq!(line(&["badge.png", "--json", "--lang", "en"]), (0, english.into()));
    let (_, georgian) = line(&["badge.png", "--json", "--lang", "ka"]);
    assert!(georgian.contains("თვით სურათი დაცული არ არის"), "{georgian}");
    let forged = String::from_utf8(CREDENTIAL.to_vec()).unwrap().replace("Secure", "Other");
    issued.write("badge.png", &picture(forged.as_bytes(), b"red"));
    assert_eq!(line(&["badge.png", "--json", "--lang", "en"]).0, 2);
}

/// Every bit of a bundle is bound: whichever is turned, the credential is no longer shown as valid.
#[test]
fn no_bit_of_a_bundle_can_be_turned() {
    let world = World::new(1);
    let issued = issued(&world);
    let whole = world.bundle(&issued, 0, None).to_bytes();
    let trust = world.trust(NetworkKind::Production);
    let freshness = Freshness { at: TimeMs::new(BLOCK_TIME.get() + 1_000), max_age_ms: u64::MAX };
    let verdict = |bytes: &[u8]| {
        let bundle = Bundle::from_bytes(bytes);
        let path = || "b".into();
        let bundle = bundle.map_err(|error| sigeli::verify::BundleError::Malformed { path: path(), error });
        Evidence::of(CREDENTIAL, bundle, Ok(trust.clone())).judge(freshness).verdict()
    };
    assert_eq!(verdict(&whole), Verdict::Valid);
    let mut counts = [0_usize; 2];
    for position in 0..whole.len() {
        for bit in 0..8 {
            let mut turned = whole.clone();
            turned[position] ^= 1 << bit;
            match verdict(&turned) {
                Verdict::NotGenuine => counts[0] += 1,
                Verdict::Unchecked => counts[1] += 1,
                other => panic!("bit {bit} of byte {position} gives {other:?}"),
            }
        }
        assert_ne!(verdict(&whole[..position]), Verdict::Valid);
    }
    println!("{} bits turned: {} not genuine, {} unchecked", whole.len() * 8, counts[0], counts[1]);
    assert_eq!(counts[0] + counts[1], whole.len() * 8);
}

/// Offline means: no socket, and so no runtime that would open one.
#[test]
fn verification_opens_no_socket() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: strace is not installed");
        return;
    }
    let log = issued.path("log");
    let binary = env!("CARGO_BIN_EXE_sigeli");
    let args = [
        "-f",
        "-e",
        "trace=network,clone,clone3",
        "-o",
        "log",
        binary,
        "verify",
        "a.json",
        "--trust",
        "trust",
        "--at",
        AT,
    ];
    let traced = run("strace", directory, &args);
    if traced.err.contains("ptrace") {
        println!("skipped: strace is not allowed here: {}", traced.err);
        return;
    }
    assert_eq!(traced.exit, 0, "{}", traced.err);
    let calls = std::fs::read_to_string(&log).unwrap();
    assert!(calls.contains("exited with 0"), "strace saw the program: {calls}");
    for call in ["socket", "connect", "bind", "sendto", "clone"] {
        assert!(!calls.contains(&format!("{call}(")), "{calls}");
    }
}

#[test]
fn the_largest_age_does_not_overflow() {
    let world = World::new(1);
    let issued = issued(&world);
    let longest = sigeli::values::parse_age("36500000d").unwrap();
    assert_eq!(longest, Duration::from_secs(36_500_000 * 86_400));
    assert_eq!(verify(issued.directory.path(), &["a.json", "--max-age", "36500000d"]).exit, 0);
}

/// The exit code is the answer that scripts read: it says so when the words did not arrive, and does not depend on whether
/// anybody reads the notes.
#[test]
fn a_verdict_that_does_not_arrive_has_an_exit_code_of_its_own() {
    let world = World::new(1);
    let issued = issued(&world);
    let directory = issued.directory.path();
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    for (args, exit) in [(vec!["a.json"], 0), (vec!["a.json", "--bundle", "none.sigeli"], 3), (vec!["none.json"], 66)] {
        let mut all = vec!["verify", "--trust", "trust", "--at", AT];
        all.extend(args);
        let status = |out: std::process::Stdio| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sigeli"));
            command.args(&all).current_dir(directory).stdout(out).stderr(closed()).status().unwrap().code()
        };
        assert_eq!(status(std::process::Stdio::null()), Some(exit), "{all:?}");
        let unheard = if exit < 64 { 73 } else { exit };
        assert_eq!(status(closed().into()), Some(unheard), "{all:?}");
    }
}

/// The line of a check in both languages, and the exit code.
fn said(says: &Says, check: usize) -> (i32, String, String) {
    let world = World::new(1);
    let issued = issued(&world);
    issued.write("b.pdf.sigeli", &world.bundle_saying(&issued, 1, says).to_bytes());
    let run = verify(issued.directory.path(), &["b.pdf", "--json", "--lang", "en"]);
    let line = |run: &Run| json(run)["checks"][check]["text"].as_str().unwrap().to_owned();
    let georgian = verify(issued.directory.path(), &["b.pdf", "--json", "--lang", "ka"]);
    (run.exit, line(&run), line(&georgian))
}

#[test]
fn an_accreditation_that_ended_is_told_with_its_true_reason() {
    let day = |text: &str| sigeli::values::parse_day(text).unwrap();
    // What is written on 2026-11-22.
    let after = |changes: &[(PermissionState, &str)]| {
        let mut record = permission_record();
        for (state, effective) in changes {
            let reason = DecisionReason::MonitoringFailed;
            let change = PermissionStanding { effective: day(effective), state: *state, reason };
            record.standing = record.standing.changed(change, day("2026-11-22")).unwrap();
            record.entries += 1;
        }
        record
    };
    let with = |state, effective| after(&[(state, effective)]);
    let by = PermissionId::new(8);
    for (record, english, georgian) in [
        (
            with(PermissionState::Suspended, "2026-11-22"),
            "is suspended since 2026-11-22.",
            "2026-11-22-დან შეჩერებულია",
        ),
        (
            with(PermissionState::Withdrawn, "2026-11-22"),
            "is withdrawn since 2026-11-22.",
            "2026-11-22-დან გაუქმებულია",
        ),
        (
            with(PermissionState::Replaced { by }, "2026-11-22"),
            "is replaced by the one with number 8 since 2026-11-22.",
            "№ 8",
        ),
        (
            with(PermissionState::Restored { by }, "2026-11-22"),
            "the one with number 8 stands in its place since",
            "№ 8",
        ),
        (
            after(&[(PermissionState::Suspended, "2026-11-22"), (PermissionState::Active, "2026-12-01")]),
            "is suspended until 2026-12-01.",
            "შეჩერებულია 2026-12-01-მდე",
        ),
        (
            PermissionRecord {
                window: sigeli_verifier::time::Window::new(day("2026-09-01"), day("2026-11-23")).unwrap(),
                ..permission_record()
            },
            "ended on its last day, 2026-11-23.",
            "2026-11-23",
        ),
        (
            after(&[(PermissionState::Withdrawn, "2026-12-01"), (PermissionState::Active, "2026-12-01")]),
            "accredited on that date",
            "",
        ),
        (
            with(PermissionState::Withdrawn, "2026-12-01"),
            "it will be withdrawn on 2026-12-01.",
            "2026-12-01-დან გაუქმდება",
        ),
    ] {
        // What holds still, or by another number, is not said to have ended.
        let holds =
            english.contains("will be") || english.contains("on that date") || english.contains("stands in its place");
        let (exit, en, ka) = said(&Says { permission: record, ..Says::default() }, 4);
        assert_eq!(exit, 0, "what was issued before stands: {en}");
        assert!(en.contains(english) && ka.contains(georgian), "{en} / {ka}");
        assert_eq!(en.contains("does not touch what was issued before"), !holds, "{en}");
    }
}

#[test]
fn closures_batches_and_orders_are_told() {
    let authority = Writer::Authority { authority: AuthorityId::new(2), decision: DecisionRef::new([1; 32]) };
    let change = |state, reason, writer| {
        let (height, time) = (Height::new(41), BLOCK_TIME);
        BatchStatus::Changed(BatchChange { state, reason, height, time, writer, entries: 1, restores: 0 })
    };
    let institution = InstitutionState::Closed {
        from: sigeli::values::parse_day("2026-11-24").unwrap(),
        reason: DecisionReason::Merged,
        successor: InstitutionId::new(9),
    };
    let (exit, en, ka) = said(&Says { institution, ..Says::default() }, 3);
    assert!(exit == 0 && en.contains("closed since 2026-11-24, merged into the institution with number 9"), "{en}");
    assert!(ka.contains("№ 9"), "{ka}");

    let own = Writer::Institution { key: KeyIndex::new(0) };
    let batch = |state, reason, writer| said(&Says { batch: change(state, reason, writer), ..Says::default() }, 5);
    let (exit, en, ka) = batch(BatchState::Suspended, StatusReason::UnderReview, own);
    assert!(exit == 1 && en.contains("whole batch is suspended since") && en.contains(": under review"), "{en}");
    assert!(ka.contains("მთელი პარტია შეჩერებულია"), "{ka}");
    let (exit, en, ka) = batch(BatchState::Revoked, StatusReason::NotAccredited, authority);
    assert!(exit == 1 && en.contains("by order of the quality agency: issued outside the accreditation"), "{en}");
    assert!(ka.contains("ხარისხის განვითარების ეროვნული ცენტრის გადაწყვეტილებით"), "{ka}");
    let (exit, en, _) = batch(BatchState::Annulled, StatusReason::Annulled, authority);
    assert!(exit == 0 && en.contains("by order or with a compromised key, was annulled on"), "{en}");
    let (exit, en, _) = batch(BatchState::Reinstated, StatusReason::ReviewEnded, own);
    assert!(exit == 0 && en.starts_with("Its whole batch was suspended and is valid again"), "{en}");

    let written =
        |state, reason| said(&Says { written: Some((state, reason)), writer: authority, ..Says::default() }, 5);
    let (exit, en, _) = written(StatusState::Revoked, StatusReason::Order);
    assert!(exit == 1 && en.contains("by order of the quality agency"), "{en}");
    let (exit, en, ka) = written(StatusState::Annulled, StatusReason::Annulled);
    assert!(exit == 0 && en.contains("annulled") && ka.contains("ბათილად"), "{en} / {ka}");
}
