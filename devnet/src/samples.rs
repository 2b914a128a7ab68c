//! The credentials of the journey: the shipped samples, or a folder of the user's own, copied into the devnet's
//! directory.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use eyre::WrapErr as _;
use sigeli::{
    BUNDLE_SUFFIX, FILE_BYTES_MAX,
    document::{Canonical, canonicalise},
    files,
};
use sigeli_verifier::{credential::Profile, ids::DocumentDigest};

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

/// Divides files into batches. A batch takes each name once, since bundles are called after it, and each content
/// once; so there is one batch, unless names or contents repeat.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn batches(paths: &[PathBuf]) -> eyre::Result<Vec<Vec<PathBuf>>> {
    #[derive(Default)]
    struct Batch {
        names: BTreeSet<OsString>,
        contents: BTreeSet<DocumentDigest>,
        files: Vec<PathBuf>,
    }
    let mut batches = Vec::<Batch>::new();
    for path in paths {
        let bytes = files::read(path, FILE_BYTES_MAX)?;
        let digest = canonical(&bytes)?.digest();
        let name = path.file_name().unwrap_or_default().to_owned();
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
    Ok(batches.into_iter().map(|batch| batch.files).collect())
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

        let batches = batches(&gathered.files).unwrap();
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(batches.concat().into_iter().collect::<BTreeSet<_>>(), gathered.files.into_iter().collect());

        assert!(gather(&from.join("x/empty-folder"), &into).is_err());
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
