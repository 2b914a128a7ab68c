//! How a bundle travels: beside its document, inside it, with it in one archive, or on paper.
//!
//! | carrier | module | for |
//! |---|---|---|
//! | `FILE.sigeli` beside the document | [`crate::verify::bundle_path`] | any document |
//! | a further entry of a JSON credential's `proof` | [`embed`] | JSON credentials, whose digest leaves `proof` out |
//! | a ZIP of document and bundle | [`archive`] | a PDF that is sent as one file |
//! | one or more QR codes | [`code`], [`qr`] | paper |
//!
//! All carry the same bytes (`docs/protocol.md` §10). None is trusted: what comes out is verified as any bundle.

pub mod archive;
pub mod base45;
pub mod code;
pub mod embed;
pub mod qr;
