//! Compiles the interface with a compiler written in Rust (protox), so that no `protoc` has to be installed, and keeps the
//! file descriptors for server reflection.

use std::{env, error::Error, fs, path::PathBuf};

use protox::prost::Message as _;

const FOLDER: &str = "proto";
const FILE: &str = "proto/sigeli/v1/ledger.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let mut descriptors = protox::compile([FILE], [FOLDER])?;
    tonic_prost_build::configure().compile_fds(descriptors.clone())?;

    // Reflection serves names and types; the positions and comments of the source would only make it larger.
    for file in &mut descriptors.file {
        file.source_code_info = None;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR for build scripts")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    Ok(())
}
