//! Exports for auditors: written from a hand-made chain, checked offline, damaged in every way.
#![expect(clippy::unwrap_used, reason = "a test panics to fail")]

mod register;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sigeli::audit::{self, AuditError, ChainError, Checked, Exported, Writer};
use sigeli_verifier::{
    bounded::List,
    ids::{BatchRoot, DecisionRef, Height, KeyIndex, PermissionId, StatusHandle},
    transaction::{
        BatchAction, BatchAnnul, BatchAnnulEntry, BatchStatusSet, DecisionReason, InstitutionClose, InstitutionKind,
        InstitutionUpdate, KeyCompromise, Payload, PermissionAction, PermissionAnnul, PermissionChange,
        PermissionReplace, PermissionScope, ProgrammeRegister, StatusAction, StatusEntry, StatusReason, StatusSet,
    },
};

use register::{
    GTU, MINISTRY, NCEQE, UG, accreditation, anchor, chain::Chain, day, grant, name, order, register as registered,
};

fn change(permission: u32, action: PermissionAction, effective: &str) -> Payload {
    Payload::PermissionChange(PermissionChange {
        institution: GTU,
        permission: PermissionId::new(permission),
        decision: DecisionRef::new([60; 32]),
        entry: 2,
        action,
        effective: day(effective),
        reason: DecisionReason::MonitoringFailed,
    })
}

fn batch_status(root: u8, action: BatchAction, reason: StatusReason) -> Payload {
    Payload::BatchStatusSet(BatchStatusSet {
        institution: GTU,
        decision: DecisionRef::new([61; 32]),
        root: BatchRoot::new([root; 32]),
        entry: 1,
        action,
        reason,
    })
}

fn annulled_batch(root: u8, entry: u32) -> Payload {
    Payload::BatchAnnul(BatchAnnul {
        institution: GTU,
        decision: DecisionRef::new([61; 32]),
        entries: List::new(vec![BatchAnnulEntry { root: BatchRoot::new([root; 32]), entry }]).unwrap(),
    })
}

/// Ten blocks: two institutions, permissions through all their states, batches, statuses, a compromised key.
fn chain() -> Chain {
    let mut chain = Chain::new(8);
    let one = chain.by_authority(NCEQE, Payload::InstitutionRegister(registered(GTU, "Georgian Technical University")));
    let two = chain.by_authority(NCEQE, Payload::InstitutionRegister(registered(UG, "@University, of \"Georgia\"")));
    chain.push(vec![one, two]);
    let programme = Payload::ProgrammeRegister(ProgrammeRegister {
        programme: sigeli_verifier::ids::ProgrammeId::new(4),
        title_ka: name("უსაფრთხო ვებაპლიკაციები"),
        title_en: name("=Secure, \"Web\" Applications"),
        partners: List::new(vec![UG]).unwrap(),
    });
    let programme = chain.by_institution(GTU, programme);
    let authorisation =
        chain.by_authority(NCEQE, Payload::PermissionGrant(grant(GTU, 10, PermissionScope::Authorisation)));
    let ordered =
        chain.by_authority(MINISTRY, Payload::PermissionGrant(grant(GTU, 11, order(&["06", "0714"], &[6, 7]))));
    let accredited = PermissionScope::Accreditation(accreditation(&["0613"]));
    let accredited = chain.by_authority(NCEQE, Payload::PermissionGrant(grant(GTU, 12, accredited)));
    chain.push(vec![programme, authorisation, ordered, accredited]);
    chain.push(Vec::new());
    let batches: Vec<_> =
        (20..24).map(|root| chain.by_institution(GTU, Payload::BatchAnchor(anchor(root, 3)))).collect();
    chain.push(batches);
    let suspend = chain.by_authority(NCEQE, change(2, PermissionAction::Suspend, "2026-11-24"));
    let withdraw = chain.by_authority(NCEQE, change(1, PermissionAction::Withdraw, "2026-11-20"));
    chain.push(vec![suspend, withdraw]);
    let annul = Payload::PermissionAnnul(PermissionAnnul {
        institution: GTU,
        permission: PermissionId::new(1),
        decision: DecisionRef::new([62; 32]),
        reason: DecisionReason::AppealUpheld,
    });
    let annul = chain.by_authority(NCEQE, annul);
    let replace = Payload::PermissionReplace(PermissionReplace {
        replaced: PermissionId::new(3),
        effective: day("2026-12-01"),
        reason: DecisionReason::Renewed,
        grant: grant(GTU, 13, PermissionScope::Accreditation(accreditation(&["06"]))),
    });
    let replace = chain.by_authority(NCEQE, replace);
    chain.push(vec![annul, replace]);
    let revoke = chain.by_institution(GTU, batch_status(20, BatchAction::Revoke, StatusReason::IssuedInError));
    let suspend = chain.by_authority(NCEQE, batch_status(21, BatchAction::Suspend, StatusReason::UnderReview));
    chain.push(vec![revoke, suspend]);
    let compromised = Payload::KeyCompromise(KeyCompromise {
        institution: GTU,
        decision: DecisionRef::new([63; 32]),
        first: KeyIndex::new(0),
        last: KeyIndex::new(0),
        from: Height::new(7),
    });
    let compromised = chain.by_authority(NCEQE, compromised);
    let annulled = chain.by_authority(NCEQE, annulled_batch(20, 2));
    chain.push(vec![compromised, annulled]);
    let entry = |handle: u8, action, successor| StatusEntry {
        handle: StatusHandle::new([handle; 32]),
        entry: 1,
        action,
        reason: StatusReason::Unspecified,
        successor: [successor; 32],
    };
    let entries = vec![entry(1, StatusAction::Revoke, 0), entry(2, StatusAction::Supersede, 9)];
    let statuses = chain.by_institution(UG, Payload::StatusSet(StatusSet { entries: List::new(entries).unwrap() }));
    let update = Payload::InstitutionUpdate(InstitutionUpdate {
        institution: UG,
        decision: DecisionRef::new([64; 32]),
        kind: InstitutionKind::College,
        jurisdiction: *b"GEO",
        legal_id: sigeli_verifier::bounded::Text::new("204855590").unwrap(),
        name_ka: name("საქართველოს უნივერსიტეტი"),
        name_en: name("-University of Georgia"),
        profile: sigeli_verifier::ids::ProfileHash::new([4; 32]),
    });
    let update = chain.by_authority(NCEQE, update);
    let close = Payload::InstitutionClose(InstitutionClose {
        institution: UG,
        decision: DecisionRef::new([65; 32]),
        from: day("2026-12-31"),
        reason: DecisionReason::Merged,
        successor: GTU,
    });
    let close = chain.by_authority(NCEQE, close);
    chain.push(vec![statuses, update, close]);
    chain.push(Vec::new());
    chain
}

fn export(chain: &Chain, directory: &Path, from: u64, bom: bool) -> Result<Exported, AuditError> {
    let ledger = chain.validators.ledger();
    let mut writer = Writer::open(directory, &ledger, Height::new(from), bom)?;
    let first = usize::try_from(writer.next().get()).unwrap();
    for (block, certificate) in &chain.blocks[first..] {
        writer.take(block, certificate)?;
    }
    writer.finish()
}

fn check(chain: &Chain, directory: &Path) -> Checked {
    audit::verify(directory, &chain.validators.trust()).unwrap()
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    });
    entries.collect()
}

fn exported(from: u64, bom: bool) -> (Chain, tempfile::TempDir, Exported) {
    let chain = chain();
    let directory = tempfile::tempdir().unwrap();
    let exported = export(&chain, directory.path(), from, bom).unwrap();
    (chain, directory, exported)
}

fn rows(directory: &Path, name: &str) -> Vec<String> {
    fs::read_to_string(directory.join(name)).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn an_export_holds_every_block_and_verifies_alone() {
    let (chain, directory, exported) = exported(0, false);
    assert_eq!((exported.to, exported.blocks, exported.transactions), (Height::new(10), 11, 21));
    assert!(exported.has_register);
    let checked = check(&chain, directory.path());
    assert_eq!(checked.problems, []);
    assert_eq!(checked.range, Some((Height::new(0), Height::new(10))));
    assert_eq!((checked.blocks, checked.transactions, checked.tables_compared), (11, 21, true));
    let names: Vec<_> = files(directory.path()).into_keys().collect();
    assert_eq!(
        names,
        [
            "batches.csv",
            "end.json",
            "institutions.csv",
            "ledger.jsonl",
            "permissions.csv",
            "start.json",
            "transactions.csv",
        ]
    );
}

#[test]
fn the_lines_say_every_field_in_plain_words() {
    let (_, directory, _) = exported(0, false);
    let lines = rows(directory.path(), "ledger.jsonl");
    assert_eq!(lines.len(), 11 + 21);
    let find = |kind: &str| -> serde_json::Value {
        let line = lines.iter().find(|line| line.contains(&format!("\"kind\":\"{kind}\",\"institution\""))).unwrap();
        serde_json::from_str(line).unwrap()
    };
    let grant = find("permission_replace");
    assert_eq!(grant["sender"], serde_json::json!({"kind": "authority", "authority": 2, "sequence": 8}));
    let fields = &grant["fields"];
    assert_eq!((&fields["replaced"], &fields["reason"]), (&3.into(), &"renewed".into()));
    assert_eq!(fields["grant"]["scope"]["ects_max"], "5");
    assert_eq!(fields["grant"]["scope"]["modes"], serde_json::json!(["on_site", "blended"]));
    assert_eq!(fields["grant"]["window"], serde_json::json!({"first": "2026-09-01", "last": "2027-08-31"}));
    let status = find("status_set");
    assert_eq!(status["fields"]["entries"][1]["successor"], "09".repeat(32));
    assert_eq!(status["fields"]["entries"][0]["successor"], serde_json::Value::Null);
    assert_eq!(status["signatures"].as_array().unwrap().len(), 1);
    let block: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!((&block["height"], &block["time"]), (&1.into(), &"2026-11-24T09:01:00.000Z".into()));
    assert_eq!(block["signers"], serde_json::json!([0, 1, 2]));
}

#[test]
fn the_tables_say_what_became_of_everything() {
    let (_, directory, _) = exported(0, false);
    let institutions = rows(directory.path(), "institutions.csv");
    assert!(institutions[1].starts_with("1,university,საქართველოს ტექნიკური უნივერსიტეტი,"), "{institutions:?}");
    assert!(institutions[1].ends_with(",active,,,,1,1,1,5,4,0 from block 7"), "{institutions:?}");
    assert!(
        institutions[2].contains("'-University of Georgia,GEO,204855590,closed,2026-12-31,merged,1,1,"),
        "{institutions:?}"
    );
    let permissions = rows(directory.path(), "permissions.csv");
    let standings: Vec<_> = permissions[1..].iter().map(|row| row.split(',').nth(3).unwrap()).collect();
    assert_eq!(standings, ["restored", "suspended", "active", "active", "active"]);
    assert!(permissions[3].contains(",replaced,5,2026-12-01,renewed,2,4"), "{}", permissions[3]);
    assert!(permissions[1].contains(",restored,4,2026-11-20,appeal_upheld,3,0"), "{}", permissions[1]);
    let batches = rows(directory.path(), "batches.csv");
    assert_eq!(batches.len(), 5);
    let ends: Vec<_> = batches[1..].iter().map(|row| row.split(",micro_credential,").nth(1).unwrap()).collect();
    assert_eq!(ends, ["annulled,annulled,8", "suspended,under_review,7", "valid,,", "valid,,"]);
    // The key is void from block 7 on, and the batches stand in block 4.
    assert!(batches[1].contains(",4,2026-11-24T09:04:00.000Z,0,,6,0613,3,"), "{}", batches[1]);
}

#[test]
fn no_cell_can_become_a_formula() {
    let (_, directory, _) = exported(0, false);
    for (name, bytes) in files(directory.path()) {
        if !name.ends_with(".csv") {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let mut quoted = false;
        let mut at_start = true;
        for character in text.chars() {
            assert!(!at_start || !"=+-@".contains(character), "{name}: {text}");
            match character {
                '"' => {
                    quoted = !quoted;
                    // The first character of a quoted cell is looked at as well.
                    continue;
                }
                ',' | '\n' if !quoted => at_start = true,
                _ => at_start = false,
            }
        }
    }
    let transactions = fs::read_to_string(directory.path().join("transactions.csv")).unwrap();
    assert!(transactions.contains("name.en=@University"), "inside a cell it harms nobody");
    assert!(fs::read_to_string(directory.path().join("permissions.csv")).unwrap().contains("\"'=Secure, \"\"Web\"\""));
}

#[test]
fn the_mark_of_utf_8_is_put_where_it_is_asked_for() {
    let (chain, directory, _) = exported(0, true);
    for (name, bytes) in files(directory.path()) {
        assert_eq!(bytes.starts_with("\u{FEFF}".as_bytes()), name.ends_with(".csv"), "{name}");
    }
    assert!(check(&chain, directory.path()).is_good());
}

#[test]
fn a_part_of_the_ledger_verifies_too_but_has_no_register() {
    let (chain, directory, exported) = exported(5, false);
    assert_eq!((exported.from, exported.blocks, exported.has_register), (Height::new(5), 6, false));
    let checked = check(&chain, directory.path());
    assert_eq!(checked.problems, []);
    assert!(!files(directory.path()).contains_key("batches.csv"));
}

/// Every byte of every file, one bit of it turned: found, and the line named.
#[test]
fn a_change_of_any_byte_is_found_and_its_line_named() {
    for from in [0, 8] {
        let (chain, directory, _) = exported(from, false);
        let trust = chain.validators.trust();
        for (name, bytes) in files(directory.path()) {
            let path = directory.path().join(&name);
            // Every byte of the small files and every 101st of the large ones: all of them take minutes.
            let step = if bytes.len() < 4_096 { 1 } else { 101 };
            for position in (0..bytes.len()).step_by(step) {
                let mut changed = bytes.clone();
                changed[position] ^= 1 << (position % 8);
                fs::write(&path, &changed).unwrap();
                let checked = audit::verify(directory.path(), &trust).unwrap();
                let before = bytes[..position].iter().filter(|byte| **byte == b'\n').count();
                let line = u64::try_from(before).unwrap() + 1;
                let is_small = name.ends_with(".json");
                let named = checked.problems.iter().any(|problem| {
                    problem.file == name && (is_small || problem.line == line || problem.line == line + 1)
                });
                assert!(named, "{name} byte {position} line {line}: {:?}", checked.problems);
            }
            fs::write(&path, &bytes).unwrap();
        }
        assert!(check(&chain, directory.path()).is_good());
    }
}

#[test]
fn lines_that_are_cut_moved_doubled_or_left_out_are_found() {
    let (chain, directory, _) = exported(0, false);
    let path = directory.path().join("ledger.jsonl");
    let good = rows(directory.path(), "ledger.jsonl");
    let with = |lines: &[String]| {
        fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        check(&chain, directory.path())
    };
    assert!(with(&good).is_good());
    for position in 0..good.len() {
        let mut without = good.clone();
        without.remove(position);
        assert!(!with(&without).is_good(), "line {position} left out");
        let mut doubled = good.clone();
        doubled.insert(position, good[position].clone());
        assert!(!with(&doubled).is_good(), "line {position} doubled");
        if position > 0 {
            let mut moved = good.clone();
            moved.swap(position - 1, position);
            assert!(!with(&moved).is_good(), "line {position} moved");
            assert!(!with(&good[..position]).is_good(), "the end from line {position} on cut off");
        }
    }
    assert!(!with(&[]).is_good());
}

#[test]
fn what_only_a_forger_would_keep_consistent_is_found_by_the_signatures() {
    // Every word, root and table fits, and the ledger's number is right, but the validators are others.
    let mut forged = chain();
    let trust = forged.validators.trust();
    forged.forge(&[11, 12, 13, 14]);
    let directory = tempfile::tempdir().unwrap();
    export(&forged, directory.path(), 0, false).unwrap();
    assert!(check(&forged, directory.path()).is_good(), "by the forger's own trust file");
    let checked = audit::verify(directory.path(), &trust).unwrap();
    let blocks =
        rows(directory.path(), "ledger.jsonl").iter().filter(|line| line.contains("\"line\":\"block\"")).count();
    let lines: Vec<_> = checked.problems.iter().filter(|problem| problem.what.contains("validators")).collect();
    assert_eq!(lines.len(), blocks - 1, "all but genesis: {:?}", checked.problems);
    let strangers = Chain::new(9);
    let checked = audit::verify(directory.path(), &strangers.validators.trust()).unwrap();
    assert_eq!(
        (checked.problems[0].file.as_str(), checked.problems[0].line, checked.problem_count),
        ("start.json", 3, 1)
    );
}

#[test]
fn a_block_that_is_not_the_ledgers_is_never_written() {
    let chain = chain();
    let directory = tempfile::tempdir().unwrap();
    let ledger = chain.validators.ledger();
    let open = || Writer::open(directory.path(), &ledger, Height::new(0), false).unwrap();
    let mut writer = open();
    for (block, certificate) in &chain.blocks[..5] {
        writer.take(block, certificate).unwrap();
    }
    let (block, certificate) = &chain.blocks[5];
    let mut without = block.clone();
    without.transactions.pop();
    let refused = writer.take(&without, certificate);
    assert!(matches!(refused, Err(AuditError::Block { error: ChainError::Proof(_), .. })), "{refused:?}");
    drop(writer);
    let mut writer = open();
    assert_eq!(writer.next(), Height::new(5), "what was written before stands");
    let refused = writer.take(&chain.blocks[6].0, &chain.blocks[6].1);
    assert!(matches!(refused, Err(AuditError::Block { error: ChainError::Gap { .. }, .. })), "{refused:?}");
    drop(writer);
    export(&chain, directory.path(), 0, false).unwrap();
    assert!(check(&chain, directory.path()).is_good());
}

#[test]
fn an_export_that_was_cut_anywhere_goes_on_to_the_same_bytes() {
    let (chain, whole, _) = exported(0, false);
    let expected = files(whole.path());
    let ledger = &expected["ledger.jsonl"];
    for position in (0..=ledger.len()).step_by(997).chain([ledger.len() - 1, ledger.len()]) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("start.json"), &expected["start.json"]).unwrap();
        fs::write(directory.path().join("ledger.jsonl"), &ledger[..position]).unwrap();
        export(&chain, directory.path(), 0, false).unwrap();
        assert!(files(directory.path()) == expected, "cut at {position}");
    }
    // A line feed short of the end: the last line is written again.
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("start.json"), &expected["start.json"]).unwrap();
    export(&chain, directory.path(), 0, false).unwrap();
    assert!(files(directory.path()) == expected);
}

#[test]
fn an_export_grows_with_the_ledger() {
    let mut chain = chain();
    let directory = tempfile::tempdir().unwrap();
    export(&chain, directory.path(), 0, false).unwrap();
    let more = chain.by_institution(GTU, Payload::BatchAnchor(anchor(30, 5)));
    chain.push(vec![more]);
    let grown = export(&chain, directory.path(), 0, false).unwrap();
    assert_eq!((grown.to, grown.transactions), (Height::new(11), 22));
    assert!(check(&chain, directory.path()).is_good());
    assert_eq!(rows(directory.path(), "batches.csv").len(), 6);
}

#[test]
fn another_export_or_a_damaged_one_is_not_continued() {
    let (chain, directory, _) = exported(0, false);
    let refused = export(&chain, directory.path(), 3, false);
    assert!(matches!(refused, Err(AuditError::OtherExport { .. })), "{refused:?}");
    let other = Chain::new(9);
    let refused = export(&other, directory.path(), 0, false);
    assert!(matches!(refused, Err(AuditError::OtherExport { .. })), "{refused:?}");
    let path: PathBuf = directory.path().join("ledger.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    bytes[500] ^= 1;
    fs::write(&path, bytes).unwrap();
    let refused = export(&chain, directory.path(), 0, false);
    assert!(matches!(refused, Err(AuditError::Damaged { line: 1, .. })), "{refused:?}");
    let refused = export(&chain, tempfile::tempdir().unwrap().path(), 11, false);
    assert!(matches!(refused, Err(AuditError::Empty)), "{refused:?}");
}

#[test]
fn genesis_alone_is_confirmed_by_nobody() {
    let chain = Chain::new(8);
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(export(&chain, directory.path(), 0, false), Err(AuditError::Empty)));
}
