//! Golden bytes of the formats that the ledger itself owns: the genesis document and the governance records
//! (`docs/protocol.md` §9, §14). A change here is a change of the format, and its commit is titled `format:`.

use std::fmt::Write as _;

use sigeli_ledger::{genesis::GenesisDocument, state::View};
use sigeli_verifier::{decode::Decode, encode::Encode};

use crate::{replay::story, support::*};

/// A line per format: its name, a colon, its bytes in hexadecimal.
const VECTORS: &str = include_str!("../vectors/ledger.txt");

fn line<T: Encode + Decode + PartialEq + std::fmt::Debug>(text: &mut String, name: &str, value: &T) {
    let bytes = value.to_bytes();
    assert_eq!(T::from_bytes(&bytes).as_ref(), Ok(value), "{name} is read back");
    assert!(T::from_bytes(&bytes[..bytes.len() - 1]).is_err(), "{name} cut short is refused");
    write!(text, "{name}: ").unwrap();
    bytes.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
    text.push('\n');
}

#[test]
fn every_format_has_its_golden_bytes() {
    let mut text = String::new();
    line::<GenesisDocument>(&mut text, "genesis document", &document(policy()));
    let world = story();
    let snapshot = world.chain.snapshot();
    let view = View::new(&snapshot);
    line(&mut text, "authority record", &view.authority(NCEQE).unwrap().unwrap());
    line(&mut text, "joint affairs", &view.joint().unwrap());
    line(&mut text, "policy", &view.policy().unwrap());
    line(&mut text, "registry", &view.registry().unwrap());
    line(&mut text, "schedule", &view.schedule().unwrap());
    line(&mut text, "usage", &view.usage(GTU).unwrap().unwrap());
    assert_eq!(text, VECTORS, "the formats' bytes have changed");
}
