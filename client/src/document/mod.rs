//! How a credential file becomes canonical bytes, and what those bytes say about themselves.
//!
//! A registered credential is a digest of *canonical bytes*, so that a file which was merely re-indented, re-sealed or
//! archived still verifies, and a file whose content changed does not. Which bytes are canonical depends on the profile,
//! which the receipt records and the leaf commits to:
//!
//! | profile | canonical bytes | not covered by the digest |
//! |---|---|---|
//! | RAW | the file as it is | nothing |
//! | JCS | the strictly read JSON object without its top-level `proof`, in the form of RFC 8785 | white space, order of names, spelling of numbers and escapes, `proof` |
//! | JWS | the compact JWS text | ASCII white space around it; in an SD-JWT, everything from the first `~` |
//! | JADES | the `payload` of a JWS in JSON serialisation | the headers and signatures around it |
//!
//! A badge baked into a PNG or SVG picture is the credential in it, under one of the last three profiles; nothing of the picture
//! is covered by the digest.
//!
//! # Guarantees
//! - No input panics; time and memory are linear in the file's size (sorting of names apart).
//! - Under one profile, files that differ in more than the last column never share canonical bytes. For JSON this rests on
//!   [`StrictJson`], which refuses every text that two JSON programs may read differently; two literals that round to one
//!   IEEE 754 double are one number, as RFC 8785 has it.
//! - [`Canonical::facts`] reads only bytes that the digest covers.
//!
//! # What this module does not do
//! It judges no key or certificate of a seal ([`seal`](fn@seal)) and checks no SD-JWT disclosure against its digest, fetches nothing, expands no JSON-LD, and normalises no Unicode.

mod badge;
mod canonical;
mod date;
mod error;
mod facts;
mod jades;
mod json;
mod jws;
mod register;
mod seal;
mod stated;
mod text;

pub use badge::Picture;
pub use canonical::{Canonical, canonicalise};
pub use date::{Moment, StatedDate};
pub use error::{DocumentError, Position};
pub use facts::{DocumentFacts, Standing};
pub use json::{JSON_DEPTH_MAX, JSON_INTEGER_MAX, JSON_SIZE_BYTES_MAX, StrictJson};
pub(crate) use register::listed;
pub use register::{Contradiction, Group, Groups, Registered, contradictions};
pub use seal::{NotChecked, SEALS_MAX, Seal, Signer, seal};
pub use stated::StatedFacts;
pub use text::{LocalText, is_invisible};
