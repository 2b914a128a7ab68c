//! Credentials in a directory with their bundles beside them, and the binary that verifies them there.

use std::path::Path;

use sigeli_verifier::{encode::Encode as _, trust::NetworkKind};

use crate::world::{Issued, Run, World, sigeli};

/// 30 s after the newest block.
pub(crate) const AT: &str = "2026-11-24T09:00:30Z";

/// A directory with these credentials, their bundles beside them, and the trust file `trust`.
pub(crate) fn issued(world: &World, files: &[(&str, &[u8])]) -> Issued {
    let issued = Issued::new(files);
    for (position, (name, _)) in files.iter().enumerate() {
        issued.write(&format!("{name}.sigeli"), &world.bundle(&issued, position, None).to_bytes());
    }
    issued.write("trust", &world.trust(NetworkKind::Test).to_bytes());
    issued
}

/// Runs `verify` in the directory, with its trust file and at [`AT`].
pub(crate) fn verify(directory: &Path, args: &[&str]) -> Run {
    sigeli(directory, &[&["verify", "--trust", "trust", "--at", AT], args].concat())
}
