//! An institution's program: registers a folder of credentials and writes a bundle for each. Safe to run again after any
//! failure: the batch that was prepared is found, and nothing is registered twice.
//!
//! `institution NODES TRUST KEY INSTITUTION ACCREDITATION ISSUED OUT FILES...`, nodes separated by commas.
#![expect(clippy::print_stdout, reason = "a program of the command line")]

use std::{error::Error, path::PathBuf};

use sigeli::{
    accreditation::Stated,
    api::{Config, Prepare, blocking::Sigeli},
    batch::PreparedBatch,
    keys::SecretKey,
    values,
};
use sigeli_verifier::ids::{InstitutionId, PermissionId};

pub(crate) fn run(args: &[String]) -> Result<String, Box<dyn Error>> {
    let [nodes, trust, key, institution, accreditation, issued, out, files @ ..] = args else {
        return Err("usage: NODES TRUST KEY INSTITUTION ACCREDITATION ISSUED OUT FILES...".into());
    };
    let nodes = nodes.split(',').map(str::to_owned).collect();
    let ledger = Sigeli::connect(Config::new(nodes, Some(trust.into())))?;
    let key = SecretKey::read(key.as_ref())?;
    let out = PathBuf::from(out);
    // A batch that an earlier run has prepared keeps its salts: it is anchored, not made again.
    if PreparedBatch::open(&out).is_err() {
        ledger.prepare(&Prepare {
            institution: InstitutionId::new(institution.parse()?),
            accreditation: PermissionId::new(accreditation.parse()?),
            issued: values::parse_day(issued)?,
            stated: Stated::default(),
            files: files.iter().map(PathBuf::from).collect(),
            out: out.clone(),
        })?;
    }
    let anchored = ledger.anchor(&out, &key)?;
    Ok(format!("root {} in block {}, {} bundles", anchored.root, anchored.height, anchored.bundles.len()))
}

#[cfg_attr(test, allow(dead_code, clippy::allow_attributes, reason = "the test calls run"))]
fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    println!("{}", run(&args)?);
    Ok(())
}
