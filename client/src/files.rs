//! Files that must survive a crash: each write is either whole and durable when the call returns, or as if it had never
//! begun. A name appears only once its content is on the disk, and the directory that holds it is synced.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// What was attempted when the operating system refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileAction {
    /// Reading a file.
    Read,
    /// Writing a file or a directory.
    Write,
}

/// A file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is nothing under this name.
    #[error("there is no file {}: check the name", path.display())]
    Missing {
        /// The name.
        path: PathBuf,
    },
    /// It is not a plain file.
    #[error("{} is a directory, not a file: name the files in it, for example {}/*", path.display(), path.display())]
    IsDirectory {
        /// The name.
        path: PathBuf,
    },
    /// It is a pipe, a device or a socket.
    #[error("{} is no file but a pipe, a device or a socket: save what it holds in a file, and name that", path.display())]
    NotPlain {
        /// The name.
        path: PathBuf,
    },
    /// It exists and must not be overwritten.
    #[error("{} exists already and is not overwritten: choose another name", path.display())]
    Exists {
        /// The name.
        path: PathBuf,
    },
    /// It is larger than what is read.
    #[error("{} is larger than {bytes_max} bytes, the most that is read", path.display())]
    TooLarge {
        /// The name.
        path: PathBuf,
        /// The limit in bytes.
        bytes_max: u64,
    },
    /// The operating system refused.
    #[error("cannot {} {}: {source}; check the permissions and the free space, then try again",
        if *action == FileAction::Read { "read" } else { "write" }, path.display())]
    System {
        /// What was attempted.
        action: FileAction,
        /// The name.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

fn failed(action: FileAction, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| match (action, source.kind()) {
        (FileAction::Read, io::ErrorKind::NotFound) => FileError::Missing { path },
        (FileAction::Read, io::ErrorKind::IsADirectory) => FileError::IsDirectory { path },
        (FileAction::Write, io::ErrorKind::AlreadyExists) => FileError::Exists { path },
        _ => FileError::System { action, path, source },
    }
}

/// Reads a file of at most `bytes_max` bytes.
///
/// # Errors
/// [`FileError`].
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, FileError> {
    let (file, _) = open(path)?;
    read_open(&file, path, bytes_max)
}

/// Opens a plain file for reading, and says how long it is, in bytes. Anything else is refused before it is opened, since
/// opening a pipe waits for a writer.
pub(crate) fn open(path: &Path) -> Result<(File, u64), FileError> {
    let kind = std::fs::metadata(path).map_err(failed(FileAction::Read, path))?.file_type();
    if kind.is_dir() {
        return Err(FileError::IsDirectory { path: path.to_owned() });
    }
    if !kind.is_file() {
        return Err(FileError::NotPlain { path: path.to_owned() });
    }
    let file = File::open(path).map_err(failed(FileAction::Read, path))?;
    let length = file.metadata().map_err(failed(FileAction::Read, path))?.len();
    Ok((file, length))
}

/// Reads an open file, named `path` in errors.
///
/// # Errors
/// [`FileError`].
pub(crate) fn read_open(file: &File, path: &Path, bytes_max: u64) -> Result<Vec<u8>, FileError> {
    let too_large = || FileError::TooLarge { path: path.to_owned(), bytes_max };
    let size = file.metadata().map_err(failed(FileAction::Read, path))?.len();
    if size > bytes_max {
        return Err(too_large());
    }
    // The file may grow while it is read, so the limit is enforced on what arrives.
    let mut bytes = Vec::with_capacity(usize::try_from(size).map_err(|_| too_large())?);
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed(FileAction::Read, path))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max) { Ok(bytes) } else { Err(too_large()) }
}

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone: keys, salts, lists of names.
    Owner,
    /// Whom the user's mask allows.
    Everyone,
}

impl Access {
    const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everyone => 0o666,
        }
    }
}

/// Writes a file that must not exist yet; durable on return.
///
/// # Errors
/// [`FileError::Exists`], [`FileError::System`].
pub fn create(path: &Path, bytes: &[u8], access: Access) -> Result<(), FileError> {
    write_synced(path, bytes, access)?;
    sync_directory(parent(path))
}

/// Writes a file in place of any that has its name; durable on return. A crash leaves the old or the new content.
///
/// # Errors
/// [`FileError::System`].
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> Result<(), FileError> {
    let staged = staging_name(path)?;
    let written = write_synced(&staged, bytes, access)
        .and_then(|()| std::fs::rename(&staged, path).map_err(failed(FileAction::Write, path)));
    if written.is_err() {
        // Best effort: a staged file is never read, so that leaving it does no harm.
        drop(std::fs::remove_file(&staged));
        return written;
    }
    sync_directory(parent(path))
}

fn write_synced(path: &Path, bytes: &[u8], access: Access) -> Result<(), FileError> {
    let refused = |source| failed(FileAction::Write, path)(source);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(access.mode()).open(path).map_err(refused)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    remove_unless_whole(path, written)
}

/// Takes a file away that this call has made and could not fill, as on a full disk: an empty file under the name of a key would
/// look like one, and bar the name for the next attempt.
fn remove_unless_whole(path: &Path, written: io::Result<()>) -> Result<(), FileError> {
    written.map_err(|source| {
        // Best effort: the error that is told is the one of writing.
        drop(std::fs::remove_file(path));
        failed(FileAction::Write, path)(source)
    })
}

/// A directory that is filled under a name of its own and appears under its final name in one step.
#[derive(Debug)]
pub(crate) struct StagedDirectory {
    staged: PathBuf,
    target: PathBuf,
    published: bool,
}

impl StagedDirectory {
    /// Makes an empty directory beside `target`, for its owner alone. The missing directories above are made too.
    pub(crate) fn create(target: &Path) -> Result<Self, FileError> {
        let above = parent(target);
        std::fs::create_dir_all(above).map_err(failed(FileAction::Write, above))?;
        let staged = staging_name(target)?;
        DirBuilder::new().mode(0o700).create(&staged).map_err(failed(FileAction::Write, &staged))?;
        Ok(Self { staged, target: target.to_owned(), published: false })
    }

    /// Where to write meanwhile.
    pub(crate) fn path(&self) -> &Path {
        &self.staged
    }

    /// Gives the directory its final name; durable on return. Fails when the name is taken by anything but an empty
    /// directory.
    pub(crate) fn publish(mut self) -> Result<(), FileError> {
        sync_directory(&self.staged)?;
        std::fs::rename(&self.staged, &self.target).map_err(|source| match source.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => {
                FileError::Exists { path: self.target.clone() }
            }
            _ => FileError::System { action: FileAction::Write, path: self.target.clone(), source },
        })?;
        self.published = true;
        sync_directory(parent(&self.target))
    }
}

impl Drop for StagedDirectory {
    fn drop(&mut self) {
        if !self.published {
            // Best effort: a staged directory is never read, so that leaving it does no harm.
            drop(std::fs::remove_dir_all(&self.staged));
        }
    }
}

/// A hidden name beside `path` that no other run uses. It does not grow with the target's name, which may be as long as
/// the file system allows.
fn staging_name(path: &Path) -> Result<PathBuf, FileError> {
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(|error| failed(FileAction::Write, path)(io::Error::other(error)))?;
    Ok(parent(path).join(format!(".{}.partial", hex::encode(suffix))))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn sync_directory(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(failed(FileAction::Write, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn create_never_overwrites_and_replace_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        create(&path, b"one", Access::Owner).unwrap();
        assert!(matches!(create(&path, b"two", Access::Owner), Err(FileError::Exists { .. })));
        assert_eq!(read(&path, 3).unwrap(), b"one");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        replace(&path, b"three", Access::Everyone).unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"three");
        assert!(matches!(read(&path, 4), Err(FileError::TooLarge { bytes_max: 4, .. })));
        assert_eq!(names(directory.path()), ["a"]);
        // A replacement that cannot be completed leaves the old content alone, and no staged file.
        let taken = directory.path().join("d");
        std::fs::create_dir_all(taken.join("x")).unwrap();
        assert!(replace(&taken, b"four", Access::Everyone).is_err());
        assert_eq!(names(directory.path()), ["a", "d"]);
    }

    #[test]
    fn a_file_that_could_not_be_filled_is_taken_away_and_its_name_is_free() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        std::fs::write(&path, b"").unwrap();
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(remove_unless_whole(&path, Err(full)), Err(FileError::System { .. })));
        assert_eq!(names(directory.path()), Vec::<String>::new());
        create(&path, b"whole", Access::Owner).unwrap();
        assert!(remove_unless_whole(&path, Ok(())).is_ok() && read(&path, 5).is_ok());
    }

    #[test]
    fn a_staged_directory_appears_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("above/batch");
        {
            let staged = StagedDirectory::create(&target).unwrap();
            create(&staged.path().join("f"), b"1", Access::Owner).unwrap();
            assert!(!target.exists());
        }
        assert_eq!(names(&directory.path().join("above")), Vec::<String>::new(), "an abandoned one is removed");
        let staged = StagedDirectory::create(&target).unwrap();
        create(&staged.path().join("f"), b"1", Access::Owner).unwrap();
        staged.publish().unwrap();
        assert_eq!(names(&target), ["f"]);
        let second = StagedDirectory::create(&target).unwrap();
        assert!(matches!(second.publish(), Err(FileError::Exists { .. })));
        assert_eq!(names(&target), ["f"]);
        assert_eq!(names(&directory.path().join("above")), ["batch"]);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let directory = tempfile::tempdir().unwrap();
        let missing = read(&directory.path().join("none"), 1).unwrap_err();
        assert!(matches!(missing, FileError::Missing { .. }));
        let not_a_file = read(directory.path(), 1 << 40).unwrap_err();
        assert!(matches!(not_a_file, FileError::IsDirectory { .. }), "{not_a_file}");
    }
}
