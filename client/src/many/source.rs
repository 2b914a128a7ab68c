//! Where many documents come from.

use std::path::{Path, PathBuf};

use crate::{
    BUNDLE_SUFFIX,
    carry::archive::{Archive, ArchiveError},
    files::FileError,
};

/// Deepest folder that is read below the one that was named.
const DEPTH_MAX: usize = 64;

/// Endings of files that are no documents but of bundles.
const BUNDLE_SUFFIXES: [&str; 3] = [BUNDLE_SUFFIX, ".sigeli-receipt", ".sigeli-stamp"];

/// Why there is nothing to read documents from.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The folder cannot be read.
    #[error("{0}")]
    File(#[from] FileError),
    /// The archive cannot be read.
    #[error("{0}")]
    Archive(#[from] ArchiveError),
}

/// A document that waits to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Waiting {
    /// A file.
    File(PathBuf),
    /// An entry of the archive.
    Entry(usize),
    /// A folder that cannot be read, or lies too deep, and why: it counts as one document.
    Unreadable(PathBuf, String),
}

/// A folder or an archive.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Folder(PathBuf),
    Archive(Archive),
}

impl Source {
    /// Opens a folder, or else an archive.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        if path.is_dir() {
            // That it can be read at all is found out before anything is reported about it.
            std::fs::read_dir(path).map_err(|source| unreadable(path, source))?;
            return Ok(Self::Folder(path.to_owned()));
        }
        Ok(Self::Archive(Archive::open(path)?))
    }

    /// A reader of its own for one thread, of an archive.
    pub(super) fn archive(&self) -> Option<Archive> {
        match self {
            Self::Folder(_) => None,
            Self::Archive(archive) => Some(archive.clone()),
        }
    }

    /// Hands out the documents, until `take` says that nobody wants more.
    pub(super) fn walk(&self, take: &mut dyn FnMut(Waiting) -> bool) {
        match self {
            Self::Folder(path) => {
                walk_folder(path, 0, take);
            }
            Self::Archive(archive) => {
                let mut entries = archive.documents();
                while entries.next().is_some_and(|entry| take(Waiting::Entry(entry))) {}
            }
        }
    }
}

/// The documents that are named, and all those below the folders that are.
///
/// # Errors
/// [`FileError`] when a folder cannot be read whole.
pub(crate) fn documents(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    let mut all = Vec::new();
    let mut failed = None;
    for path in paths {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        walk_folder(path, 0, &mut |waiting| {
            match waiting {
                Waiting::File(path) => all.push(path),
                Waiting::Entry(_) => unreachable!("folders have no entries of archives"),
                Waiting::Unreadable(path, why) => failed = Some(unreadable(&path, std::io::Error::other(why))),
            }
            failed.is_none()
        });
    }
    failed.map_or(Ok(all), Err)
}

fn unreadable(path: &Path, source: std::io::Error) -> FileError {
    FileError::System { action: crate::files::FileAction::Read, path: path.to_owned(), source }
}

fn walk_folder(folder: &Path, depth: usize, take: &mut dyn FnMut(Waiting) -> bool) -> bool {
    if depth > DEPTH_MAX {
        return take(Waiting::Unreadable(folder.to_owned(), format!("folders are read {DEPTH_MAX} levels deep")));
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return take(Waiting::Unreadable(folder.to_owned(), error.to_string())),
    };
    // Folders wait until the files are handed out, so that one folder at a time is open.
    let mut folders = Vec::new();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return take(Waiting::Unreadable(folder.to_owned(), error.to_string())),
        };
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if name.starts_with('.') || BUNDLE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
            continue;
        }
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if path.is_dir() {
            if !is_link {
                folders.push(path);
            }
        } else if !take(Waiting::File(path)) {
            return false;
        }
    }
    folders.iter().all(|folder| walk_folder(folder, depth + 1, take))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(path: &Path) -> Vec<Waiting> {
        let mut all = Vec::new();
        Source::open(path).unwrap().walk(&mut |waiting| {
            all.push(waiting);
            true
        });
        all
    }

    #[test]
    fn a_folder_gives_documents_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in
            ["a.pdf", "a.pdf.sigeli", "a.pdf.sigeli-receipt", "a.pdf.sigeli-stamp", ".b", "x/c", "x/y/d", ".h/e"]
        {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), b"").unwrap();
        }
        std::os::unix::fs::symlink(root, root.join("x/up")).unwrap();
        std::os::unix::fs::symlink(root.join("a.pdf"), root.join("x/also")).unwrap();
        let mut names: Vec<_> = walked(root)
            .into_iter()
            .map(|waiting| match waiting {
                Waiting::File(path) => path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(),
                other => unreachable!("{other:?}"),
            })
            .collect();
        names.sort();
        assert_eq!(names, ["a.pdf", "x/also", "x/c", "x/y/d"]);
        // Whoever has enough gets no more.
        let mut count = 0;
        Source::open(root).unwrap().walk(&mut |_| {
            count += 1;
            count < 2
        });
        assert_eq!(count, 2);
    }

    #[test]
    fn a_folder_that_lies_too_deep_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let mut deep = directory.path().to_owned();
        for _ in 0..DEPTH_MAX {
            deep.push("d");
        }
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("a"), b"").unwrap();
        assert_eq!(walked(directory.path()), [Waiting::File(deep.join("a"))]);
        std::fs::create_dir(deep.join("d")).unwrap();
        assert!(matches!(&walked(directory.path())[1], Waiting::Unreadable(path, _) if *path == deep.join("d")));
    }

    #[test]
    fn what_is_neither_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(Source::open(&directory.path().join("none")), Err(SourceError::Archive(_))));
        std::fs::write(directory.path().join("a"), b"no archive").unwrap();
        let error = Source::open(&directory.path().join("a")).unwrap_err();
        assert!(matches!(error, SourceError::Archive(ArchiveError::Malformed { .. })));
    }
}
