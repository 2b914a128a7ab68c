//! Why the ledger refuses something. Three kinds, told apart by type: [`Rejection`] is the sender's fault and final for
//! these bytes at this time; [`Transient`] may pass later; [`StoreError`] is fatal and stops the node.

use sigeli_verifier::ids::Height;

use crate::store::StoreError;

macro_rules! rejections {
    ($($(#[doc = $doc:literal])* $code:literal $name:ident $variant:ident $({ $($(#[doc = $field_doc:literal])* $field:ident: $type:ty),+ $(,)? })? => $($text:expr),+;)+) => {
        /// Why a transaction is refused. Codes and names are stable: a number once given is never given again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        pub enum Rejection {
            $($(#[doc = $doc])* #[error($($text),+)] $variant $({ $($(#[doc = $field_doc])* $field: $type),+ })?),+
        }

        impl Rejection {
            /// Every code and name, in order of code.
            pub const ALL: &'static [(u16, &'static str)] = &[$(($code, stringify!($name))),+];

            /// The stable number: 1xx form, ledger, time and signatures; 2xx institutions and permissions; 3xx batches;
            /// 4xx statuses; 5xx governance.
            #[must_use]
            pub const fn code(&self) -> u16 {
                match self {
                    $(Self::$variant $({ $($field: _),+ })? => $code),+
                }
            }

            /// The stable name.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant $({ $($field: _),+ })? => stringify!($name)),+
                }
            }
        }
    };
}

mod rejection;

pub use self::rejection::Rejection;

/// Something that may pass later, without anybody's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Transient {
    /// The block is above the next height: catch up first.
    #[error("block {height} cannot be judged while the head is {head}")]
    BlockAhead {
        /// The block's height.
        height: Height,
        /// The head's.
        head: Height,
    },
    /// The block is at or below the head: it was decided already.
    #[error("block {height} is decided: the head is {head}")]
    BlockBehind {
        /// The block's height.
        height: Height,
        /// The head's.
        head: Height,
    },
}

/// Why a transaction was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The sender's fault.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// Fatal.
    #[error("{0}")]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use sigeli_verifier::decode::DecodeError;

    use super::*;

    #[test]
    fn codes_ascend_and_names_differ() {
        assert!(Rejection::ALL.is_sorted_by(|left, right| left.0 < right.0));
        let names: alloc::collections::BTreeSet<_> = Rejection::ALL.iter().map(|entry| entry.1).collect();
        assert_eq!(names.len(), Rejection::ALL.len());
        // A reader of the protocol finds each of them there.
        let protocol = include_str!("../../docs/protocol.md");
        for (code, name) in Rejection::ALL {
            assert!(protocol.contains(&alloc::format!("| {code} | {name} |")), "docs/protocol.md lacks {code} {name}");
        }
        let rejection = Rejection::Malformed { error: DecodeError::TrailingBytes { count: 1 } };
        assert_eq!((rejection.code(), rejection.name()), (100, "malformed"));
    }
}
