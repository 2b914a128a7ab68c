//! The devnet's directory: made, marked as its own, locked while it runs, and only then ever replaced.
//!
//! | path | what |
//! |---|---|
//! | `.sigeli-devnet` | the mark; locked by the running devnet |
//! | `trust` | the trust file, which a verifier needs |
//! | `nodes/NAME/` | a node's home: keys, `config.toml`, `genesis`, database, `log` |
//! | `keys/NAME.key` | signing keys of authorities and institutions |
//! | `credentials/` | the credentials and, beside each, its bundle |
//! | `batches/` | what the institutions prepared |
//! | `artifacts/` | files that a verifier shall refuse, kept for trying it |

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use eyre::WrapErr as _;

/// The file that says: this directory was made by the devnet, which may delete what is in it.
const MARK: &str = ".sigeli-devnet";

/// What the mark says, for whoever looks.
const MARK_TEXT: &[u8] =
    b"Made by sigeli-devnet, which deletes everything in this directory when it starts here again.\n";

/// The devnet's directory, empty at first. No other devnet uses it while this value lives.
#[derive(Debug)]
pub(crate) struct Home {
    root: PathBuf,
    _lock: File,
}

impl Home {
    /// Makes the directory, or empties one that a devnet made before.
    ///
    /// # Errors
    /// When it holds anything and was not made by a devnet, when a devnet is running in it, or when the system refuses.
    pub(crate) fn create(path: &Path) -> eyre::Result<Self> {
        fs::create_dir_all(path).wrap_err_with(|| format!("cannot make the directory {}", path.display()))?;
        let root = path.canonicalize().wrap_err_with(|| format!("cannot use {}", path.display()))?;
        let lock = take(&root)?;
        for entry in fs::read_dir(&root)? {
            let entry = entry?;
            if entry.file_name() == MARK {
                continue;
            }
            let removed = if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())
            } else {
                fs::remove_file(entry.path())
            };
            removed.wrap_err_with(|| format!("cannot remove {}", entry.path().display()))?;
        }
        let home = Self { root, _lock: lock };
        for directory in [home.nodes(), home.keys(), home.credentials(), home.batches(), home.artifacts()] {
            fs::create_dir(&directory).wrap_err_with(|| format!("cannot make {}", directory.display()))?;
        }
        Ok(home)
    }

    /// The directory itself, absolute.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The trust file.
    pub(crate) fn trust(&self) -> PathBuf {
        self.root.join("trust")
    }

    /// The nodes' homes.
    pub(crate) fn nodes(&self) -> PathBuf {
        self.root.join("nodes")
    }

    /// Signing keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The credentials and their bundles.
    pub(crate) fn credentials(&self) -> PathBuf {
        self.root.join("credentials")
    }

    /// Prepared batches.
    pub(crate) fn batches(&self) -> PathBuf {
        self.root.join("batches")
    }

    /// Files that a verifier shall refuse.
    pub(crate) fn artifacts(&self) -> PathBuf {
        self.root.join("artifacts")
    }
}

/// Marks the directory if it is empty, and locks the mark.
fn take(root: &Path) -> eyre::Result<File> {
    let mark = root.join(MARK);
    let lock = match OpenOptions::new().write(true).open(&mark) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eyre::ensure!(
                fs::read_dir(root)?.next().is_none(),
                "{} was not made by the devnet and is not empty: it is left alone. Name another directory with --dir",
                root.display()
            );
            let mut lock = File::create_new(&mark).wrap_err_with(|| format!("cannot write {}", mark.display()))?;
            lock.write_all(MARK_TEXT)?;
            lock
        }
        Err(error) => return Err(error).wrap_err_with(|| format!("cannot open {}", mark.display())),
    };
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            eyre::bail!(
                "another devnet is running in {}: stop it, or name another directory with --dir",
                root.display()
            )
        }
        Err(TryLockError::Error(error)) => Err(error).wrap_err_with(|| format!("cannot lock {}", mark.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_directory_of_its_own_is_replaced() {
        let outside = tempfile::tempdir().unwrap();
        let path = outside.path().join("net");
        let home = Home::create(&path).unwrap();
        fs::write(home.trust(), b"x").unwrap();
        fs::create_dir(home.nodes().join("emis")).unwrap();
        let refused = Home::create(&path).unwrap_err();
        assert!(refused.to_string().contains("another devnet"), "{refused}");
        assert!(home.trust().exists(), "a running devnet's files are left alone");
        drop(home);

        let again = Home::create(&path).unwrap();
        assert!(!again.trust().exists() && !again.nodes().join("emis").exists() && again.nodes().exists());

        let foreign = outside.path().join("thesis");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("chapter-1"), b"years of work").unwrap();
        let refused = Home::create(&foreign).unwrap_err();
        assert!(refused.to_string().contains("not made by the devnet"), "{refused}");
        assert_eq!(fs::read(foreign.join("chapter-1")).unwrap(), b"years of work");
        assert!(!foreign.join(MARK).exists());
    }
}
