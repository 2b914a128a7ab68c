//! The credentials of the journey: the shipped samples, or a folder of the user's own, copied into the devnet's
//! directory.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use eyre::WrapErr as _;
use sigeli::{
    BUNDLE_SUFFIX, FILE_BYTES_MAX,
    document::{Canonical, DocumentFacts, Group, Groups, Registered, canonicalise, contradictions},
    files, values,
};
use sigeli_verifier::{
    credential::Profile,
    ids::{DocumentDigest, EctsTenths},
    time::Day,
    transaction::{Field, Level},
};

use crate::genesis::{ECTS_MAX, ECTS_MIN};

macro_rules! samples {
    ($($name:literal),+ $(,)?) => {
        /// The shipped samples, by name. What they are and how they were made stands in `samples/README.md`.
        pub(crate) const SAMPLES: &[(&str, &[u8])] =
            &[$(($name, include_bytes!(concat!("../samples/", $name)))),+];
    };
}

samples!(
    "001-nino-magalitashvili.json",
    "002-giorgi-sanimushodze.json",
    "003-mariam-nimushashvili.json",
    "004-luka-satsdelidze.json",
    "005-ana-magalitashvili.json",
    "006-davit-sanimushodze.json",
    "007-tamar-nimushashvili.json",
    "008-levan-satsdelidze.json",
    "009-elene-magalitashvili.json",
    "010-sandro-sanimushodze.json",
    "011-natia-nimushashvili.pdf",
    "012-irakli-satsdelidze.pdf",
);

/// Puts the samples into a folder. Returns their paths, in order of name.
///
/// # Errors
/// When the system refuses.
pub(crate) fn unpack(into: &Path) -> eyre::Result<Vec<PathBuf>> {
    let write = |(name, bytes): &(&str, &[u8])| {
        let path = into.join(name);
        fs::write(&path, bytes).wrap_err_with(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    };
    SAMPLES.iter().map(write).collect()
}

/// What was found in a folder.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// The copies, in order of path.
    pub(crate) files: Vec<PathBuf>,
    /// What was left out: bundles, empty and hidden files.
    pub(crate) left_out: Vec<PathBuf>,
}

/// Copies every file of a folder and its subfolders, under the same relative path. Links to folders are not followed.
///
/// # Errors
/// When the system refuses, a name is not UTF-8 text, or there is no file at all.
pub(crate) fn gather(from: &Path, into: &Path) -> eyre::Result<Gathered> {
    let mut gathered = Gathered::default();
    gather_folder(from, into, &mut gathered)?;
    eyre::ensure!(!gathered.files.is_empty(), "there is no file to register in {}", from.display());
    gathered.files.sort();
    Ok(gathered)
}

fn gather_folder(from: &Path, into: &Path, gathered: &mut Gathered) -> eyre::Result<()> {
    let cannot_read = || format!("cannot read {}", from.display());
    for entry in fs::read_dir(from).wrap_err_with(cannot_read)? {
        let entry = entry.wrap_err_with(cannot_read)?;
        let (path, target) = (entry.path(), into.join(entry.file_name()));
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| eyre::eyre!("the name of {} is not UTF-8 text", path.display()))?;
        if name.starts_with('.') || name.ends_with(BUNDLE_SUFFIX) {
            gathered.left_out.push(path);
        } else if entry.file_type()?.is_dir() {
            gather_folder(&path, &target, gathered)?;
        } else {
            let about = fs::metadata(&path).wrap_err_with(|| format!("cannot read {}", path.display()))?;
            if about.is_file() && about.len() > 0 {
                fs::create_dir_all(into)?;
                fs::copy(&path, &target).wrap_err_with(|| format!("cannot copy {}", path.display()))?;
                gathered.files.push(target);
            } else {
                gathered.left_out.push(path);
            }
        }
    }
    Ok(())
}

/// The document in a file's bytes as a batch takes it: by its content, or byte for byte where that cannot be read.
pub(crate) fn canonical(bytes: &[u8]) -> eyre::Result<Canonical<'_>> {
    Ok(canonicalise(bytes, None).or_else(|_| canonicalise(bytes, Some(Profile::Raw)))?)
}

/// What the credentials of one programme state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stated {
    /// Their level.
    pub(crate) level: Level,
    /// Their field.
    pub(crate) field: Field,
    /// Their credits.
    pub(crate) ects: EctsTenths,
    /// Their date of issue.
    pub(crate) issued: Day,
}

/// Files that make one batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// What they state.
    pub(crate) stated: Stated,
    /// The files.
    pub(crate) files: Vec<PathBuf>,
}

/// What is to be anchored.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Batches; those of one programme follow one another.
    pub(crate) batches: Vec<Planned>,
    /// Files that fit into no batch, and why.
    pub(crate) left_out: Vec<(PathBuf, String)>,
}

/// Divides files into batches. Those of a batch state the same level, field, credits and date of issue; what a file does not
/// state is taken from `usual`. A batch takes each name once, since bundles are called after it, and each content once.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn plan(paths: &[PathBuf], usual: Stated) -> eyre::Result<Plan> {
    #[derive(Default)]
    struct Batch {
        names: BTreeSet<OsString>,
        contents: BTreeSet<DocumentDigest>,
        files: Vec<PathBuf>,
    }
    let mut plan = Plan::default();
    let mut programmes = BTreeMap::<Stated, Vec<Batch>>::new();
    for path in paths {
        let bytes = files::read(path, FILE_BYTES_MAX)?;
        let canonical = canonical(&bytes)?;
        let stated = match stated(canonical.facts().as_ref(), usual) {
            Ok(stated) => stated,
            Err(reason) => {
                plan.left_out.push((path.clone(), reason));
                continue;
            }
        };
        let digest = canonical.digest();
        let name = path.file_name().unwrap_or_default().to_owned();
        let batches = programmes.entry(stated).or_default();
        let fits = |batch: &Batch| !batch.names.contains(&name) && !batch.contents.contains(&digest);
        let place = batches.iter().position(fits).unwrap_or_else(|| {
            batches.push(Batch::default());
            batches.len() - 1
        });
        let batch = &mut batches[place];
        batch.contents.insert(digest);
        batch.files.push(path.clone());
        batch.names.insert(name);
    }
    for (stated, batches) in programmes {
        plan.batches.extend(batches.into_iter().map(|batch| Planned { stated, files: batch.files }));
    }
    Ok(plan)
}

/// What a document states, filled up with what is usual; why not, where no accreditation could cover it.
fn stated(facts: Option<&DocumentFacts>, usual: Stated) -> Result<Stated, String> {
    let Some(facts) = facts.map(|facts| &facts.stated) else { return Ok(usual) };
    let mut group = Groups::default();
    group.add(Some(facts), ());
    let field = group.into_groups().first().and_then(Group::field);
    let stated = Stated {
        level: facts.levels.first().copied().unwrap_or(usual.level),
        field: field.unwrap_or(usual.field),
        ects: facts.credits.map_or(usual.ects, |credits| credits.max(ECTS_MIN)),
        issued: facts.issued_on().filter(|day| *day <= usual.issued).unwrap_or(usual.issued),
    };
    if stated.ects > ECTS_MAX {
        let (more, most) = (values::ects_text(stated.ects), values::ects_text(ECTS_MAX));
        return Err(format!("it states {more} ECTS, and this ledger's policy allows at most {most}"));
    }
    let registered = Registered { level: stated.level, field: stated.field, ects: stated.ects, anchored: usual.issued };
    let found: Vec<_> = contradictions(facts, registered).iter().map(ToString::to_string).collect();
    if found.is_empty() { Ok(stated) } else { Err(found.join("; ")) }
}

/// The file with one bit of one byte changed, such that another document results. The change is sought near the middle,
/// and preferably one after which the document can still be read.
///
/// # Errors
/// When every single change leaves the document as it is, which holds for no file that can be registered.
pub(crate) fn tampered(bytes: &[u8]) -> eyre::Result<Vec<u8>> {
    /// Positions that are tried for a change that leaves the document readable, before any other is taken.
    const READABLE_TRIES: usize = 256;
    let original = canonical(bytes)?;
    let (profile, digest) = (original.profile(), original.digest());
    let middle = bytes.len() / 2;
    let positions = || (middle..bytes.len()).chain(0..middle);
    let changed_at = |position: usize| {
        let mut changed = bytes.to_vec();
        changed[position] ^= 1;
        changed
    };
    let readable = positions()
        .take(READABLE_TRIES)
        .map(changed_at)
        .find(|changed| canonicalise(changed, Some(profile)).is_ok_and(|canonical| canonical.digest() != digest));
    let other = || {
        positions()
            .map(changed_at)
            .find(|changed| !canonicalise(changed, Some(profile)).is_ok_and(|canonical| canonical.digest() == digest))
    };
    readable.or_else(other).ok_or_else(|| eyre::eyre!("no change of this file changes the document"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_sample_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
        let mut shipped: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "README.md")
            .collect();
        shipped.sort();
        assert_eq!(SAMPLES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), shipped);
        assert!(SAMPLES.len() >= 10);
    }

    #[test]
    fn a_folder_is_copied_with_its_paths_and_divided_where_names_or_contents_repeat() {
        let outside = tempfile::tempdir().unwrap();
        let (from, into) = (outside.path().join("from"), outside.path().join("into"));
        for (path, bytes) in [
            ("a.json", br#"{"a": 1, "proof": 1}"#.as_slice()),
            ("x/a.json", br#"{"a":2}"#),
            ("x/y/same-content.json", br#"{"a":1}"#),
            ("x/twice.json", br#"{"a":1,"a":2}"#),
            ("b.pdf", b"%PDF"),
            ("b.pdf.sigeli", b"an old bundle"),
            ("x/empty", b""),
            (".hidden/secret", b"s"),
        ] {
            let path = from.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let gathered = gather(&from, &into).unwrap();
        let relative: Vec<_> = gathered.files.iter().map(|path| path.strip_prefix(&into).unwrap()).collect();
        let expected = ["a.json", "b.pdf", "x/a.json", "x/twice.json", "x/y/same-content.json"];
        assert_eq!(relative, expected.map(Path::new));
        assert_eq!(gathered.left_out.len(), 3, "{:?}", gathered.left_out);

        let plan = plan(&gathered.files, usual()).unwrap();
        assert_eq!(plan.batches.iter().map(|batch| batch.files.len()).collect::<Vec<_>>(), [3, 2]);
        assert!(plan.left_out.is_empty() && plan.batches.iter().all(|batch| batch.stated == usual()));
        let planned: BTreeSet<_> = plan.batches.into_iter().flat_map(|batch| batch.files).collect();
        assert_eq!(planned, gathered.files.into_iter().collect());

        assert!(gather(&from.join("x/empty-folder"), &into).is_err());
    }

    fn usual() -> Stated {
        Stated {
            level: Level::new(6).unwrap(),
            field: Field::new(613).unwrap(),
            ects: EctsTenths::new(30),
            issued: values::parse_day("2026-11-24").unwrap(),
        }
    }

    #[test]
    fn files_are_divided_by_what_they_state() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for (name, text) in [
            ("1.json", r#"{"issued":"2026-11-16","credentialSubject":{"achieved":{"nqfLevel":5,"iscedF":"07"}}}"#),
            ("2.json", r#"{"credentialSubject":{"achieved":{"nqfLevel":[5,6]}}}"#),
            ("3.json", r#"{"credentialSubject":{"creditsEarned":60.5}}"#),
            ("4.pdf", "%PDF"),
            ("5.json", r#"{"issued":"2026-12-24"}"#),
            (
                "6.json",
                r#"{"issued":"2026-11-16","credentialSubject":{"achieved":{"iscedF":["07"],"eqfLevel":"5"},"x":1}}"#,
            ),
        ] {
            paths.push(folder.path().join(name));
            fs::write(paths.last().unwrap(), text).unwrap();
        }
        let plan = plan(&paths, usual()).unwrap();
        let shown = |batch: &Planned| {
            let names = batch.files.iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
            (
                batch.stated.level.get(),
                batch.stated.field.to_string(),
                batch.stated.issued.to_string(),
                names.collect::<Vec<_>>(),
            )
        };
        let batches: Vec<_> = plan.batches.iter().map(shown).collect();
        let text = |text: &str| text.to_owned();
        assert_eq!(
            batches,
            [
                (5, text("0700"), text("2026-11-16"), vec![text("1"), text("6")]),
                (6, text("0613"), text("2026-11-24"), vec![text("4")]),
            ]
        );
        let left_out: Vec<_> = plan.left_out.iter().map(|(path, _)| path.file_name().unwrap()).collect();
        assert_eq!(left_out, ["2.json", "3.json", "5.json"]);
    }

    #[test]
    fn a_tampered_file_differs_in_one_bit_and_is_another_document() {
        let proof_in_the_middle = br#"{"a":1,"proof":{"x":"0123456789012345678901234567890123456789"}}"#;
        let all = SAMPLES.iter().map(|(_, bytes)| *bytes).chain([proof_in_the_middle.as_slice()]);
        for bytes in all {
            let changed = tampered(bytes).unwrap();
            let bits: u32 = changed.iter().zip(bytes).map(|(left, right)| (left ^ right).count_ones()).sum();
            assert_eq!((bits, changed.len()), (1, bytes.len()));
            let original = canonical(bytes).unwrap();
            let after = canonicalise(&changed, Some(original.profile()));
            assert!(!after.is_ok_and(|after| after.bytes() == original.bytes()));
        }
    }
}
