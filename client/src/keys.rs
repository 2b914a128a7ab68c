//! Signing keys and the files that hold them.
//!
//! A key file is a text of one meaningful line, `sigeli-key v1 ed25519 SEED` (64 hexadecimal digits); empty lines and
//! lines that begin with `#` are comments. Only its owner may read it: a file that others can read is refused. Keys come
//! from the operating system's random source, are never overwritten, and are wiped from memory when dropped.

use std::{
    fmt,
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use ed25519_dalek::{Signer as _, SigningKey};
use sigeli_verifier::{crypto::PublicKey, ids::Signature};
use zeroize::Zeroizing;

use crate::files::{self, Access, FileError};

/// The beginning of a key file's line: name, version, algorithm.
const PREFIX: &str = "sigeli-key v1 ed25519 ";

/// Longest key file that is read, in bytes.
const KEY_FILE_BYTES_MAX: u64 = 4_096;

/// Why a key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the signing key: {0}")]
    File(#[from] FileError),
    /// Others than its owner may read the file.
    #[error(
        "other users of this computer can read the signing key {path} (mode {mode:o}): run `chmod 600 {path}`; \
         if others may have read it, have the key replaced",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not a key file.
    #[error("{} is not a signing key file: make one with `sigeli keygen`", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The operating system has no random numbers.
    #[error("the operating system gives no random numbers: {source}")]
    Entropy {
        /// What it says.
        source: io::Error,
    },
}

/// A secret signing key. Wiped from memory when dropped.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Draws a key from the operating system's random source.
    ///
    /// # Errors
    /// [`KeyError::Entropy`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|error| KeyError::Entropy { source: io::Error::other(error) })?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of a seed (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::from_ed25519(self.0.verifying_key().as_bytes())
            .expect("a public key derived from a seed is a point of large order")
    }

    /// Signs a message, which begins with its domain tag and the genesis hash.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature::new(self.0.sign(message).to_bytes())
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => FileError::Missing { path: path.to_owned() },
            _ => FileError::System { action: files::FileAction::Read, path: path.to_owned(), source },
        })?;
        // The permissions of the very file that is read, not of whatever has its name a moment earlier.
        let mode = file.metadata().map(|metadata| metadata.mode() & 0o777).unwrap_or(0o777);
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let text = Zeroizing::new(files::read_open(&file, path, KEY_FILE_BYTES_MAX)?);
        parse(&text).ok_or_else(|| KeyError::Malformed { path: path.to_owned() })
    }

    /// Writes a new key file, readable by its owner alone; durable on return.
    ///
    /// # Errors
    /// [`KeyError::File`], also when the file exists already.
    pub fn write(&self, path: &Path) -> Result<(), KeyError> {
        let seed = Zeroizing::new(self.0.to_bytes());
        let digits = Zeroizing::new(hex::encode(seed.as_ref()));
        let text = Zeroizing::new(format!(
            "# Sigeli signing key. Whoever has this file signs in your name: keep it secret, and keep a copy safe.\n\
             # Public key: {}\n{PREFIX}{}\n",
            self.public(),
            digits.as_str(),
        ));
        Ok(files::create(path, text.as_bytes(), Access::Owner)?)
    }
}

fn parse(text: &[u8]) -> Option<SecretKey> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let digits = lines.next()?.strip_prefix(PREFIX)?;
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(digits, seed.as_mut()).ok()?;
    lines.next().is_none().then(|| SecretKey::from_seed(&seed))
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey(public {})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigeli_verifier::crypto::verify_signature;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_seed_of_rfc_8032_gives_its_key_and_signature() {
        let mut seed = [0; 32];
        hex::decode_to_slice("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", &mut seed).unwrap();
        let key = SecretKey::from_seed(&seed);
        assert_eq!(key.public().to_string(), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert!(
            key.sign(b"").to_string().starts_with("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901")
        );
        assert!(verify_signature(&key.public(), b"", &key.sign(b"")));
    }

    #[test]
    fn a_key_file_round_trips_for_its_owner_alone_and_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("k");
        let key = SecretKey::generate().unwrap();
        key.write(&path).unwrap();
        assert_eq!(SecretKey::read(&path).unwrap().public(), key.public());
        assert!(matches!(SecretKey::generate().unwrap().write(&path), Err(KeyError::File(FileError::Exists { .. }))));
        for mode in [0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = SecretKey::read(&path).unwrap_err();
            assert!(matches!(refused, KeyError::Exposed { mode: found, .. } if found == mode));
            assert!(refused.to_string().contains("chmod 600"));
        }
        assert!(
            !format!("{key:?}").contains(&hex::encode(key.0.to_bytes())),
            "debugging output must not tell the seed"
        );
    }

    #[test]
    fn what_is_not_one_key_is_refused() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        assert!(parse(format!("# a\n\n{PREFIX}{seed}\n").as_bytes()).is_some());
        for text in [
            String::new(),
            seed.to_owned(),
            format!("{PREFIX}{}", &seed[..62]),
            format!("{PREFIX}{seed}\n{PREFIX}{seed}"),
            format!("sigeli-key v2 ed25519 {seed}"),
        ] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(parse(&[0xFF, 0xFE]).is_none());
    }
}
