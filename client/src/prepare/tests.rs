use super::*;
use crate::batch::{BatchError, Damage};
use sigeli_verifier::{
    codes::Level,
    credential::{leaf_commitment, status_handle},
    domain,
    ids::{EctsTenths, PermissionId},
    time::Day,
    transaction::{CredentialType, Field},
};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

fn facts() -> BatchFacts {
    BatchFacts {
        accreditation: PermissionId::new(2),
        level: Level::new(6).unwrap(),
        field: Field::new(613).unwrap(),
        ects: EctsTenths::new(25),
        issued: Day::from_civil(2026, 11, 24).unwrap(),
        credential_type: CredentialType::MicroCredential,
    }
}

fn request(directory: &Path, files: &[(&str, &[u8])]) -> PrepareRequest {
    let files = files.iter().map(|(name, content)| {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    });
    PrepareRequest {
        institution: InstitutionId::new(7),
        facts: facts(),
        files: files.collect(),
        out: directory.join("batch"),
        as_file: AsFile::Detected,
    }
}

fn prepared(request: &PrepareRequest) -> Result<PreparedBatch, PrepareError> {
    prepare(request, &mut |_| {})
}

/// The root recomputed with nothing but the hash: by recursion over halves instead of levels.
fn textbook_root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len() / 2);
            domain::BATCH_NODE.hash(&[&textbook_root(left), &textbook_root(right)])
        }
    }
}

#[test]
fn a_batch_on_disk_holds_every_leaf_and_its_root_follows_from_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let request = request(
        directory.path(),
        &[("a.pdf", b"%PDF-1.7 a"), ("b.json", br#"{"b": 1, "proof": {"x": 1}}"#), ("c.txt", "სიგელი".as_bytes())],
    );
    let mut heard = Vec::new();
    let batch = prepare(&request, &mut |read| heard.push(read)).unwrap();
    assert_eq!(heard, [1, 2, 3]);
    assert_eq!((batch.tree().height().get(), batch.decoys()), (4, 13));

    let opened = PreparedBatch::open(&request.out).unwrap();
    assert_eq!(opened.files(), batch.files());
    assert_eq!((opened.facts(), opened.institution()), (&facts(), InstitutionId::new(7)));
    assert_eq!(opened.anchor(), batch.anchor());

    let leaves = std::fs::read(request.out.join("leaves")).unwrap();
    let leaves: Vec<[u8; 32]> = leaves[8..].as_chunks::<32>().0.to_vec();
    assert_eq!(leaves.len(), 16);
    assert_eq!(textbook_root(&leaves), opened.root().get());
    assert_eq!(leaves.iter().collect::<BTreeSet<_>>().len(), 16);

    let canonical: [(Profile, &[u8]); 3] =
        [(Profile::Raw, b"%PDF-1.7 a"), (Profile::Jcs, br#"{"b":1}"#), (Profile::Raw, "სიგელი".as_bytes())];
    let salts = std::fs::read(request.out.join("salts")).unwrap();
    for (position, (profile, bytes)) in canonical.into_iter().enumerate() {
        let file = &opened.files()[position];
        let document = domain::DOCUMENT.hash(&[&[profile.code()], bytes]);
        let salt = &salts[8 + 32 * position..40 + 32 * position];
        let leaf = domain::LEAF.hash(&[&[1, profile.code()], salt, &document]);
        assert_eq!(leaves[usize::try_from(file.index.get()).unwrap()], leaf);
        let handle = status_handle(&file.salt, &leaf_commitment(profile, &file.salt, &DocumentDigest::new(document)));
        assert_eq!(handle.get(), domain::STATUS.hash(&[salt, &leaf]));
    }
}

#[test]
fn places_and_salts_are_drawn_anew_each_time() {
    let contents: Vec<(String, Vec<u8>)> = (0..40).map(|n| (format!("{n}.txt"), vec![n; 3])).collect();
    let files: Vec<(&str, &[u8])> =
        contents.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    let mut orders = BTreeSet::new();
    let mut salts = BTreeSet::new();
    for _ in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let batch = prepared(&request(directory.path(), &files)).unwrap();
        assert_eq!(batch.tree().height().get(), 6);
        let order: Vec<_> = batch.files().iter().map(|file| file.index.get()).collect();
        assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 40);
        assert!(order.iter().all(|index| *index < 64));
        orders.insert(order);
        salts.extend(batch.files().iter().map(|file| *file.salt.as_bytes()));
    }
    assert_eq!(orders.len(), 5);
    assert_eq!(salts.len(), 200);
}

#[test]
fn secrets_are_for_their_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let request = request(directory.path(), &[("a", b"a")]);
    prepared(&request).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&request.out), 0o700);
    for name in ["salts", "leaves", "manifest.json"] {
        assert_eq!(mode(&request.out.join(name)), 0o600, "{name}");
    }
}

#[test]
fn what_makes_no_batch_is_refused_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let refused = |files: &[(&str, &[u8])]| {
        let request = request(root, files);
        let error = prepared(&request).unwrap_err();
        assert!(!request.out.exists());
        let left: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_str().unwrap().ends_with(".partial")), "{left:?}");
        error
    };
    assert!(matches!(refused(&[]), PrepareError::NoFiles));
    assert!(matches!(refused(&[("empty", b"")]), PrepareError::Empty { .. }));
    assert!(matches!(refused(&[("a.pdf.sigeli", b"x")]), PrepareError::IsBundle { .. }));
    let name = |letters: usize| format!("{}.pdf", "ა".repeat(letters));
    // "a", 81 letters and ".pdf" take 248 bytes, and 255 with ".sigeli".
    let longest = format!("a{}", name(81));
    let directory_of_longest = tempfile::tempdir().unwrap();
    prepared(&request(directory_of_longest.path(), &[(longest.as_str(), b"x")])).unwrap();
    let too_long = format!("ab{}", name(81));
    assert!(matches!(refused(&[(too_long.as_str(), b"x")]), PrepareError::NameTooLong { bytes: 256, .. }));
    assert!(matches!(refused(&[("x/a", b"1"), ("y/a", b"2")]), PrepareError::SameName { groups } if groups.len() == 1));
    let duplicates = refused(&[("a.json", br#"{"a":1}"#), ("b.json", br#"{ "a": 1.0 }"#), ("c.json", br#"{"a":2}"#)]);
    assert!(matches!(&duplicates, PrepareError::Duplicates { groups } if groups[0].len() == 2), "{duplicates}");
    assert!(duplicates.to_string().contains("b.json"));
    let twice = refused(&[("d.json", br#"{"a":1,"a":2}"#)]);
    assert!(matches!(twice, PrepareError::Document { .. }), "{twice}");
    assert!(twice.to_string().contains("--as-file"));
    let missing = PrepareRequest { files: vec![root.join("none")], ..request(root, &[]) };
    assert!(matches!(prepared(&missing), Err(PrepareError::File(FileError::Missing { .. }))));
    let folder = PrepareRequest { files: vec![root.to_owned()], ..request(root, &[]) };
    assert!(matches!(prepared(&folder), Err(PrepareError::File(FileError::IsDirectory { .. }))));
}

#[test]
fn what_cannot_be_read_as_json_can_be_registered_as_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let twice = ("d.json", br#"{"a":1,"a":2}"#.as_slice());
    let plain = ("e.json", br#"{"a":1}"#.as_slice());
    for (as_file, expected) in [(AsFile::Refused, [Profile::Raw, Profile::Jcs]), (AsFile::All, [Profile::Raw; 2])] {
        let out = directory.path().join(format!("{as_file:?}"));
        let request = PrepareRequest { as_file, out, ..request(directory.path(), &[twice, plain]) };
        let batch = prepared(&request).unwrap();
        assert_eq!(batch.files().iter().map(|file| file.profile).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_directory_is_never_prepared_into_twice() {
    let directory = tempfile::tempdir().unwrap();
    let request = request(directory.path(), &[("a", b"a")]);
    std::fs::create_dir(&request.out).unwrap();
    let root = prepared(&request).unwrap().root();
    assert!(matches!(prepared(&request), Err(PrepareError::BatchExists { .. })));
    assert_eq!(PreparedBatch::open(&request.out).unwrap().root(), root);
    let other = PrepareRequest { out: directory.path().to_owned(), ..request };
    assert!(matches!(prepared(&other), Err(PrepareError::NotEmpty { .. })));
}

/// A crash can at most leave a staged directory, under a name that nothing reads. And should a directory under the final
/// name ever lack a part or be cut short (a bad disk, a careless copy), it is refused, never taken for a smaller batch.
#[test]
fn a_batch_with_any_part_missing_cut_or_changed_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let request = request(directory.path(), &[("a", b"a"), ("b", b"b")]);
    prepared(&request).unwrap();
    for name in ["manifest.json", "salts", "leaves"] {
        let path = request.out.join(name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(PreparedBatch::open(&request.out).is_err(), "{name} missing");
        for length in [0, 1, 8, 40, whole.len() - 32, whole.len() - 2] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(PreparedBatch::open(&request.out).is_err(), "{name} cut to {length}");
        }
        if name != "manifest.json" {
            for position in 0..whole.len() {
                let mut changed = whole.clone();
                changed[position] ^= 1;
                std::fs::write(&path, &changed).unwrap();
                assert!(PreparedBatch::open(&request.out).is_err(), "{name} changed at {position}");
            }
        }
        std::fs::write(&path, &whole).unwrap();
        PreparedBatch::open(&request.out).unwrap();
    }
}

#[test]
fn a_manifest_cannot_send_a_bundle_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let request = request(directory.path(), &[("a", b"a")]);
    prepared(&request).unwrap();
    let path = request.out.join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for name in ["../a", "/tmp/a", "..", "x/a", ""] {
        std::fs::write(&path, text.replace(r#""name": "a""#, &format!(r#""name": "{name}""#))).unwrap();
        let refused = PreparedBatch::open(&request.out).unwrap_err();
        assert!(matches!(refused, BatchError::Damaged { problem: Damage::Value, .. }), "{name}: {refused}");
    }
    std::fs::write(&path, text.replace("sigeli-batch-1", "sigeli-batch-2")).unwrap();
    assert!(matches!(PreparedBatch::open(&request.out), Err(BatchError::Damaged { problem: Damage::Version, .. })));
}
