//! The sign-state's file: one record, replaced atomically and durably before a signature is released.
//!
//! A new key gets a file that says that it never signed ([`create`]); the first start binds it to the ledger. Nothing else
//! ever creates the file: a validator without one may not sign.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use sigeli_consensus::{
    ports::{Fatal, SignStateStore},
    signer::SignState,
};
use sigeli_verifier::ids::{GenesisHash, ValidatorAddress};

use crate::keys::folder_of;

/// What the file of a key holds that never signed and belongs to no ledger yet.
const NEW_KEY: &[u8] = b"sigeli sign-state: this key has never signed\n";

/// Most bytes of a record: far above any.
const RECORD_BYTES_MAX: u64 = 64 * 1024;

/// The file.
#[derive(Debug)]
pub struct SignStateFile {
    path: PathBuf,
    folder: PathBuf,
    genesis: GenesisHash,
    validator: ValidatorAddress,
    dead: bool,
}

/// Makes the file of a new key. It must not exist.
///
/// # Errors
/// The system's; an existing file is never overwritten.
pub fn create(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(NEW_KEY)?;
    file.sync_all()?;
    File::open(folder_of(path))?.sync_all()
}

impl SignStateFile {
    /// The file of one key on one ledger. Opens nothing yet.
    #[must_use]
    pub fn new(path: PathBuf, genesis: GenesisHash, validator: ValidatorAddress) -> Self {
        let folder = folder_of(&path).to_owned();
        Self { path, folder, genesis, validator, dead: false }
    }

    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            Ok(metadata) if metadata.len() > RECORD_BYTES_MAX => return Err(io::ErrorKind::FileTooLarge.into()),
            Ok(_) => {}
        }
        let record = fs::read(&self.path)?;
        if record == NEW_KEY {
            return Ok(Some(SignState::new(self.genesis, self.validator).to_record()));
        }
        Ok(Some(record))
    }

    fn replace(&self, record: &[u8]) -> io::Result<()> {
        let temporary = self.path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(record)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        File::open(&self.folder)?.sync_all()
    }
}

impl SignStateStore for SignStateFile {
    fn load(&mut self) -> Result<Option<Vec<u8>>, Fatal> {
        self.read().map_err(|error| {
            tracing::error!(path = %self.path.display(), %error, "the sign-state cannot be read");
            Fatal::Storage { what: "reading the sign-state" }
        })
    }

    fn store(&mut self, record: &[u8]) -> Result<(), Fatal> {
        if self.dead {
            return Err(Fatal::Storage { what: "the sign-state after an earlier failure" });
        }
        self.replace(record).map_err(|error| {
            // A failed sync is never tried again: the kernel may have dropped what it could not write.
            self.dead = true;
            tracing::error!(path = %self.path.display(), %error, "the sign-state cannot be stored");
            Fatal::Storage { what: "storing the sign-state" }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path) -> SignStateFile {
        let (genesis, validator) = (GenesisHash::new([1; 32]), ValidatorAddress::new([2; 20]));
        SignStateFile::new(folder.join("sign-state"), genesis, validator)
    }

    #[test]
    fn a_missing_file_is_none_and_a_new_key_is_bound_to_the_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = file(folder.path());
        assert_eq!(state.load().unwrap(), None);
        create(&folder.path().join("sign-state")).unwrap();
        let record = state.load().unwrap().unwrap();
        let bound = SignState::from_record(&record, &state.genesis, &state.validator).unwrap();
        assert_eq!(bound.highest, None);
        assert!(create(&folder.path().join("sign-state")).is_err(), "an existing state is never overwritten");
    }

    #[test]
    fn a_stored_record_is_read_back_and_a_failure_is_final() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = file(folder.path());
        state.store(b"one").unwrap();
        state.store(b"two").unwrap();
        assert_eq!(state.load().unwrap().as_deref(), Some(&b"two"[..]));
        fs::create_dir(folder.path().join("sign-state.new")).unwrap();
        assert!(state.store(b"three").is_err());
        fs::remove_dir(folder.path().join("sign-state.new")).unwrap();
        assert!(state.store(b"three").is_err(), "a store that failed stays dead");
        assert_eq!(state.load().unwrap().as_deref(), Some(&b"two"[..]));
    }
}
