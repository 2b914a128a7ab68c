//! Every domain of every hash and every signature.
//!
//! Hashes are separated by BLAKE3 `derive_key` contexts, never by prefix bytes, so that an inner node of a tree is
//! exactly one 64-byte compression. The keys below are `BLAKE3-derive-key-context(name)`, written out so that no
//! context string is hashed at run time; a test recomputes them. Signatures are separated by a 16-byte tag, followed
//! by the genesis hash.

use blake3::{Hasher, hazmat::HasherExt};

/// A hash domain: a constant context string and its derived key.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    name: &'static str,
    key: [u8; 32],
}

impl Context {
    /// The context string.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// A hasher of this domain.
    #[must_use]
    pub fn hasher(&self) -> Hasher {
        Hasher::new_from_context_key(&self.key)
    }

    /// The hash of the concatenation of the parts. The caller sees to it that the concatenation is unambiguous.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = self.hasher();
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

/// Tag of a transaction signature.
pub const TAG_TRANSACTION: [u8; 16] = *b"sigeli/tx/v1\0\0\0\0";
/// Tag of a prevote or precommit.
pub const TAG_VOTE: [u8; 16] = *b"sigeli/vote/v1\0\0";
/// Tag of a proposal.
pub const TAG_PROPOSAL: [u8; 16] = *b"sigeli/prop/v1\0\0";

/// Digest of a document: `DOC`.
pub const DOCUMENT: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 document digest",
    key: [
        117, 79, 92, 152, 5, 53, 132, 171, 183, 157, 207, 44, 40, 193, 174, 232, 189, 62, 82, 20, 251, 197, 195, 130,
        15, 191, 76, 229, 252, 146, 149, 87,
    ],
};
/// Salted commitment to a document: `LEAF`.
pub const LEAF: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 leaf commitment",
    key: [
        112, 117, 156, 219, 88, 246, 165, 138, 198, 60, 29, 210, 159, 178, 156, 152, 75, 163, 89, 223, 51, 209, 89,
        116, 155, 87, 85, 112, 199, 60, 250, 76,
    ],
};
/// Inner node of a batch tree: `NODE`.
pub const BATCH_NODE: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 merkle node",
    key: [
        103, 125, 130, 60, 32, 115, 72, 38, 56, 136, 175, 182, 134, 214, 28, 219, 31, 19, 42, 168, 200, 118, 26, 80,
        125, 36, 33, 58, 170, 237, 139, 144,
    ],
};
/// Name of a credential in the status register: `STATUS`.
pub const STATUS: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 status handle",
    key: [
        192, 224, 247, 5, 214, 44, 196, 136, 127, 195, 35, 200, 37, 89, 198, 185, 45, 134, 149, 235, 140, 77, 87, 72,
        183, 85, 26, 59, 68, 128, 52, 149,
    ],
};
/// The genesis document.
pub const GENESIS: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 genesis",
    key: [
        92, 158, 195, 58, 216, 5, 8, 10, 138, 204, 253, 229, 97, 63, 162, 13, 15, 44, 48, 154, 211, 145, 134, 170, 133,
        206, 246, 224, 177, 71, 79, 147,
    ],
};
/// The proof part of a header.
pub const HEADER: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 header",
    key: [
        217, 184, 12, 61, 192, 151, 189, 19, 209, 127, 211, 56, 112, 132, 199, 223, 98, 233, 208, 33, 196, 25, 75, 222,
        129, 4, 231, 13, 199, 56, 2, 244,
    ],
};
/// The rest of a header.
pub const HEADER_REST: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 header rest",
    key: [
        254, 121, 100, 126, 168, 236, 181, 21, 216, 74, 127, 15, 43, 108, 174, 33, 219, 255, 199, 211, 21, 255, 189,
        68, 181, 128, 197, 146, 20, 15, 22, 248,
    ],
};
/// A validator set.
pub const VALIDATOR_SET: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 validator set",
    key: [
        34, 3, 57, 120, 239, 224, 251, 229, 200, 47, 214, 172, 183, 181, 161, 184, 102, 233, 65, 112, 108, 24, 227,
        112, 149, 129, 136, 132, 14, 25, 69, 81,
    ],
};
/// A validator's address.
pub const VALIDATOR_ADDRESS: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 validator address",
    key: [
        119, 253, 233, 100, 71, 12, 83, 87, 193, 111, 158, 194, 221, 134, 23, 25, 170, 24, 254, 40, 161, 247, 123, 168,
        172, 203, 67, 25, 155, 128, 78, 255,
    ],
};
/// A transaction's body.
pub const TRANSACTION: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 transaction",
    key: [
        212, 151, 47, 86, 197, 223, 253, 240, 93, 66, 228, 216, 128, 252, 213, 130, 141, 40, 248, 27, 246, 170, 170,
        227, 52, 93, 242, 157, 43, 196, 146, 129,
    ],
};
/// Leaf of the transaction tree.
pub const TRANSACTION_LEAF: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 transaction leaf",
    key: [
        143, 89, 180, 92, 111, 173, 239, 192, 199, 64, 214, 82, 129, 196, 127, 151, 236, 11, 216, 253, 79, 171, 215,
        90, 143, 117, 252, 245, 233, 227, 182, 76,
    ],
};
/// Inner node of the transaction tree.
pub const TRANSACTION_NODE: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 transaction node",
    key: [
        130, 84, 11, 211, 119, 250, 44, 15, 233, 82, 144, 187, 135, 121, 222, 0, 115, 1, 144, 124, 126, 216, 11, 43,
        255, 226, 4, 72, 227, 94, 106, 13,
    ],
};
/// The reference of an authority's decision.
pub const DECISION: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 decision reference",
    key: [
        112, 246, 155, 241, 146, 84, 162, 55, 198, 105, 32, 25, 251, 47, 236, 251, 130, 234, 34, 178, 110, 235, 57, 19,
        139, 229, 173, 236, 247, 70, 94, 124,
    ],
};
/// Key of a register entry.
pub const REGISTER_KEY: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 register key",
    key: [
        175, 221, 117, 79, 166, 217, 216, 163, 249, 216, 173, 226, 3, 182, 13, 104, 195, 63, 148, 249, 161, 117, 41,
        42, 51, 19, 70, 17, 23, 75, 124, 12,
    ],
};
/// Value of a register entry.
pub const REGISTER_VALUE: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 register value",
    key: [
        66, 169, 0, 235, 178, 72, 188, 218, 129, 213, 178, 3, 59, 15, 69, 52, 208, 18, 183, 179, 16, 241, 20, 198, 166,
        55, 53, 165, 99, 66, 193, 200,
    ],
};
/// Leaf of a register.
pub const REGISTER_LEAF: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 register leaf",
    key: [
        153, 0, 53, 63, 22, 133, 142, 50, 101, 193, 120, 70, 60, 0, 20, 223, 251, 225, 126, 48, 158, 60, 225, 24, 237,
        86, 111, 172, 146, 240, 18, 120,
    ],
};
/// Inner node of a register.
pub const REGISTER_NODE: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 register node",
    key: [
        86, 67, 245, 133, 21, 67, 116, 44, 221, 121, 54, 134, 47, 133, 252, 228, 105, 209, 109, 62, 245, 130, 43, 62,
        89, 143, 204, 4, 68, 99, 210, 160,
    ],
};
/// What a permission was granted for.
pub const PERMISSION_CONTENT: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 permission content",
    key: [
        1, 168, 114, 129, 177, 144, 35, 76, 63, 2, 1, 134, 247, 8, 146, 218, 200, 27, 43, 74, 139, 75, 233, 190, 65,
        179, 248, 0, 78, 244, 225, 227,
    ],
};
/// Node over the fixed slots of the state, and over an institution's own registers.
pub const STATE_NODE: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 state node",
    key: [
        80, 229, 233, 150, 228, 125, 195, 129, 15, 82, 79, 88, 64, 251, 162, 22, 19, 126, 10, 96, 157, 11, 110, 113, 7,
        70, 76, 83, 28, 62, 211, 64,
    ],
};
/// Name of evidence against a validator.
pub const EVIDENCE: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 evidence",
    key: [
        48, 44, 142, 35, 165, 115, 183, 224, 215, 100, 139, 10, 213, 127, 53, 36, 69, 101, 90, 227, 156, 93, 133, 0,
        196, 18, 183, 248, 222, 20, 25, 125,
    ],
};
/// A receipt, to tell which one a stamp was made for.
pub const RECEIPT: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 receipt tag",
    key: [
        112, 201, 40, 249, 218, 144, 170, 123, 111, 67, 79, 97, 105, 170, 37, 11, 61, 203, 50, 15, 251, 68, 182, 235,
        249, 46, 157, 0, 29, 68, 213, 21,
    ],
};
/// A bundle, to tell which one a part of it belongs to.
pub const BUNDLE: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 bundle tag",
    key: [
        218, 203, 215, 89, 185, 62, 84, 188, 125, 142, 67, 64, 118, 94, 20, 93, 50, 219, 66, 97, 238, 23, 88, 168, 238,
        210, 99, 163, 210, 245, 232, 196,
    ],
};

/// The checksum of a trust file.
pub const TRUST_FILE: Context = Context {
    name: "ge.microcredential.ledger 2026-11 v1 trust file",
    key: [
        8, 177, 25, 163, 25, 229, 108, 58, 86, 78, 122, 79, 151, 231, 91, 36, 56, 245, 78, 170, 229, 37, 86, 122, 32,
        61, 47, 169, 48, 224, 102, 4,
    ],
};

/// All hash domains, for the tests and the documentation.
pub const ALL: [&Context; 23] = [
    &DOCUMENT,
    &LEAF,
    &BATCH_NODE,
    &STATUS,
    &GENESIS,
    &HEADER,
    &HEADER_REST,
    &VALIDATOR_SET,
    &VALIDATOR_ADDRESS,
    &TRANSACTION,
    &TRANSACTION_LEAF,
    &TRANSACTION_NODE,
    &DECISION,
    &REGISTER_KEY,
    &REGISTER_VALUE,
    &REGISTER_LEAF,
    &REGISTER_NODE,
    &PERMISSION_CONTENT,
    &STATE_NODE,
    &TRUST_FILE,
    &EVIDENCE,
    &RECEIPT,
    &BUNDLE,
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn keys_are_those_of_their_contexts_and_all_differ() {
        for context in ALL {
            assert_eq!(context.key, blake3::hazmat::hash_derive_key_context(context.name), "{}", context.name);
            assert_eq!(context.hash(&[b"ab", b"c"]), blake3::derive_key(context.name, b"abc"));
        }
        assert_eq!(ALL.iter().map(|context| context.name).collect::<BTreeSet<_>>().len(), ALL.len());
        let tags = BTreeSet::from([TAG_TRANSACTION, TAG_VOTE, TAG_PROPOSAL]);
        assert_eq!(tags.len(), 3);
    }
}
