//! Document → digest → salted leaf → status handle (`docs/protocol.md` §4). How a file becomes canonical bytes is the
//! client's business; what is hashed is fixed here.

use alloc::vec::Vec;

use crate::{
    decode::{Decode, DecodeError, Reader},
    domain,
    encode::Encode,
    ids::{DocumentDigest, Leaf, Salt, StatusHandle},
};

/// Version byte of the leaf commitment.
const LEAF_VERSION: u8 = 1;

/// Which bytes of a document are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// The file as it is.
    Raw,
    /// Strict JSON without its top-level `proof`, canonicalised by RFC 8785.
    Jcs,
    /// Compact JWS text; of an SD-JWT the part before the first `~`.
    Jws,
    /// The payload bytes of a JAdES or JWS JSON serialisation.
    Jades,
}

impl Profile {
    /// The profile's byte.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Raw => 1,
            Self::Jcs => 2,
            Self::Jws => 3,
            Self::Jades => 4,
        }
    }
}

impl Encode for Profile {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code());
    }
}

impl Decode for Profile {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("profile")? {
            1 => Ok(Self::Raw),
            2 => Ok(Self::Jcs),
            3 => Ok(Self::Jws),
            4 => Ok(Self::Jades),
            value => Err(DecodeError::UnknownValue { field: "profile", value: value.into() }),
        }
    }
}

/// `DOC`: the digest of a document's canonical bytes under a profile.
#[must_use]
pub fn document_digest(profile: Profile, canonical: &[u8]) -> DocumentDigest {
    DocumentDigest::new(domain::DOCUMENT.hash(&[&[profile.code()], canonical]))
}

/// `LEAF`: the salted commitment that enters the batch tree.
///
/// The salt is part of the message, not the key of a keyed hash: binding then rests on ordinary collision resistance.
#[must_use]
pub fn leaf_commitment(profile: Profile, salt: &Salt, document: &DocumentDigest) -> Leaf {
    Leaf::new(domain::LEAF.hash(&[&[LEAF_VERSION, profile.code()], salt.as_bytes(), document.as_bytes()]))
}

/// `STATUS`: the opaque name under which a credential's status is written. Without the salt it is noise.
#[must_use]
pub fn status_handle(salt: &Salt, leaf: &Leaf) -> StatusHandle {
    StatusHandle::new(domain::STATUS.hash(&[salt.as_bytes(), leaf.as_bytes()]))
}
