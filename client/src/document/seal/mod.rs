//! The issuer's own seal, as far as a program without a network can check it: `eddsa-jcs-2022` proofs, compact JWS, JAdES.
//!
//! A seal is *valid* if its signature is right under the key that the file itself names. **Whose** key that is, is not
//! judged: not the chain of a certificate, its revocation or its days, and not the page that a key's address leads to. The
//! proof of origin is the institution's transaction on the ledger; the seal is shown beside it and never changes the
//! verdict.
//!
//! What needs more than the file (RDF canonicalisation, a key behind an address) is not checked and said to be so. With
//! several seals, one that is broken outweighs all, and a valid one outweighs those that were not checked.

mod jose;
mod key;
mod proof;

use std::borrow::Cow;

use sigeli_verifier::credential::Profile;

use super::badge;
use super::canonical::canonicalise;
use super::json::StrictJson;

/// Most seals of one file that are checked; a file with more is not checked.
pub const SEALS_MAX: usize = 16;

/// The type of the entry in `proof` that carries a bundle: not a seal of the issuer.
const LEDGER_PROOF_TYPE: &str = "SigeliLedgerProof";

/// What was found of an issuer's own seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// There is none.
    Absent,
    /// The signature is right under the key that the file names.
    Valid {
        /// Whose key the file says it is.
        signer: Signer,
    },
    /// The signature is wrong: the file was changed after it was sealed, or never sealed so.
    Broken,
    /// There is one, or may be one, that was not checked.
    NotChecked {
        /// Why.
        why: NotChecked,
    },
}

/// What a file says of the key that sealed it. Not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// A bare key: its `did:key` name, or the thumbprint of RFC 7638.
    Key {
        /// The name.
        name: String,
    },
    /// A certificate: the name of its holder, cleaned for display.
    Certificate {
        /// The organisation, else the common name, else the empty text.
        holder: String,
    },
}

/// Why a seal was not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotChecked {
    /// The file is of a kind that this program does not look into (a PDF, a picture).
    Opaque,
    /// A method that this program does not have, such as one that needs RDF.
    Method,
    /// The key is not in the file.
    KeyElsewhere,
    /// The seal is not written as its method asks, or its key is none that this program can use.
    Malformed,
}

impl NotChecked {
    const fn seal(self) -> Seal {
        Seal::NotChecked { why: self }
    }
}

/// Checks the seals in a file that is registered under `profile`; those of the credential in it, if it is a badge.
#[must_use]
pub fn seal(file: &[u8], profile: Profile) -> Seal {
    let profile = match profile {
        Profile::Raw => canonicalise(file, None).map_or(Profile::Raw, |canonical| canonical.profile()),
        other => other,
    };
    let text = match badge::baked(file) {
        Ok(Some(baked)) => baked.text,
        Ok(None) => Cow::Borrowed(file),
        Err(_) => return NotChecked::Malformed.seal(),
    };
    match profile {
        Profile::Raw => NotChecked::Opaque.seal(),
        Profile::Jws => jose::of_compact(&text),
        Profile::Jcs => with_json(&text, proof::of_json),
        Profile::Jades => with_json(&text, |json| json.object().map_or(Seal::Absent, jose::of_json)),
    }
}

fn with_json(text: &[u8], check: impl FnOnce(StrictJson) -> Seal) -> Seal {
    StrictJson::read(text).map_or_else(|_| NotChecked::Malformed.seal(), check)
}

/// The finding on several seals.
fn together(seals: impl IntoIterator<Item = Seal>) -> Seal {
    let weight = |seal: &Seal| match seal {
        Seal::Absent => 0,
        Seal::NotChecked { .. } => 1,
        Seal::Valid { .. } => 2,
        Seal::Broken => 3,
    };
    let heavier = |one: Seal, two: Seal| if weight(&two) > weight(&one) { two } else { one };
    seals.into_iter().fold(Seal::Absent, heavier)
}

#[cfg(test)]
mod tests;
