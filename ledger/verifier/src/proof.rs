//! Proved answers: how a reader who trusts no node checks what a node says about the state (`docs/protocol.md` §17).
//!
//! Every answer stands under one header that a quorum has signed. [`StateProof`] leads from the trust file to the roots of
//! that header's registers ([`ConfirmedState`]); from there
//! - [`InstitutionAnswer`] leads to an institution's facts and the roots of its own registers, or to its absence;
//! - [`EntryProof`] leads to one entry of a register, or to its absence;
//! - [`WholeRegister`] and [`RegisterDownload`] compare all entries of a register with its root;
//! - [`PrefixProof`] does so for the entries whose keys begin with some bits;
//! - [`BatchPage`] and [`AccreditationPage`] lead to batches by number, none left out;
//! - [`verify_block`] leads to the transactions of a block.
//!
//! What is guaranteed: whoever accepts an answer holds what the confirmed state holds, no more and no less. What is not:
//! that the state is the newest one ([`ConfirmedState::check_freshness`] bounds its age), and that the node gave any
//! answer at all.
//!
//! # Why nothing can be hidden, added or altered
//!
//! Assume that a quorum signs only headers of a correctly executed ledger, and that no two inputs with one hash can be
//! found. Names, values, leaves, inner nodes and state nodes are hashed in domains of their own, and the hash of an empty
//! subtree, 32 zero bytes, is no known hash of anything. Let R be a root of a confirmed state and T its tree, whose shape
//! is a function of its set of keys.
//!
//! *Paths.* A path of depth d along the bits of a key k folds a bottom hash h into R by d inner nodes. R is the hash of
//! T's topmost subtree, so the last of these nodes has the same children as T's, and so on downwards: T has inner nodes
//! at depths 0..d along k, and its subtree S at depth d along k has the hash h. Where T has no inner node (a lone entry,
//! or nothing), R is a leaf's hash or zero, which no fold of an inner node gives. In particular no path is longer or
//! shorter than T's own.
//!
//! *One subtree, one set.* If h is zero, S is empty. If h is a leaf's hash, S holds that entry alone. If h is the hash a
//! [`crate::register::SubtreeHasher`] computed from at least two entries at depth d, it is an inner node's, whose
//! children are, by the same argument one level down, the subtrees of T. So S holds exactly these entries.
//!
//! *Prefixes.* Let P be a prefix of L bits, and E the entries received, each with a key that begins with P, in strictly
//! ascending order. The path follows the bits of P, so d ≤ L is required wherever less than the subtree at L is shown.
//! - Two entries or more: d = L is required, and h is the hash computed from E. S is the subtree of all keys with P, so it
//!   is E.
//! - One entry: h is its leaf and d ≤ L is required. S contains the subtree of P and holds this entry alone. With d > L
//!   the path would show a part of P's subtree only, and others could stand beside it.
//! - None, and h zero, d ≤ L: S is empty and contains the subtree of P.
//! - None, and h the leaf of another entry, d ≤ L: S holds that entry alone and contains the subtree of P; the entry's key
//!   is required not to begin with P, so nothing does.
//!
//! In all but the first case the deepest sibling must not be empty, as in every path to an entry: with that, a set of
//! entries has one proof. The whole register is the prefix of no bits.
//!
//! *Lists by number.* The ledger numbers an institution's batches 1, 2, 3, …, and counts them in the institution's facts;
//! likewise under each accreditation, where the tally counts. The number is part of the batch's record. So `total`
//! different numbers between 1 and `total`, each in a proved record, are all batches; a page of the numbers a..=b has all
//! that are between.

mod batches;
mod download;
mod entry;
mod state;

use crate::{
    certificate::CertificateError,
    ids::{Height, RegisterRoot},
    register::{PathError, SubtreeError},
};

pub(crate) use self::state::{HeaderError, confirm_header, trusted_set};
pub use self::{
    batches::{AccreditationPage, BatchItem, BatchPage, BatchRange, ProvedBatches},
    download::{PrefixProof, PrefixTerminal, RegisterDownload, RegisterEntry, RegisterPage, StatusName, WholeRegister},
    entry::{
        AbsenceProof, ConfirmedInstitution, EntryProof, InstitutionAnswer, InstitutionProof, PresenceProof,
        verify_absence, verify_entry,
    },
    state::{ConfirmedBlock, ConfirmedState, StateProof, verify_block},
};

/// Why an answer proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The header is of another ledger than the one trusted.
    #[error("the block is of another ledger")]
    OtherLedger,
    /// The header is of a protocol version that this program does not know.
    #[error("the ledger's protocol version {version} is not known to this program")]
    UnknownVersion {
        /// The version.
        version: u16,
    },
    /// The trust file has no validator set for the header's height.
    #[error("the trust file lists no validators for block {height}")]
    UnknownValidators {
        /// The height.
        height: Height,
    },
    /// The header's time lies outside the range for which its validators count.
    #[error("block {height} lies outside the time for which its validators are trusted")]
    OutsideTrustedTime {
        /// The height.
        height: Height,
    },
    /// The header that follows from all this is not confirmed by a quorum.
    #[error("the block is not confirmed by the ledger's validators: {0}")]
    NotConfirmed(CertificateError),
    /// A quorum has confirmed another header at the height that the trust file has pinned.
    #[error("block {height} is not the one that the trust file has pinned")]
    OtherThanPinned {
        /// The height.
        height: Height,
    },
    /// The state is older than asked, or than what the trust file has pinned.
    #[error("the state of block {height} is too old")]
    Stale {
        /// Its height.
        height: Height,
    },
    /// The reader's clock stands before a time that a quorum has confirmed: it cannot judge any age.
    #[error("the clock is behind the ledger")]
    ClockBehind,
    /// The transactions are not those of the header.
    #[error("the transactions are not those of the block")]
    OtherTransactions,
    /// A path is not that of a canonical register, or shows less than it must.
    #[error("the path is malformed: {0}")]
    Path(PathError),
    /// What was given leads to another root: something was changed, left out or added.
    #[error("the answer leads to the root {computed}, not to the confirmed one")]
    OtherRoot {
        /// The root it leads to.
        computed: RegisterRoot,
    },
    /// Entries of a download are out of order or twice.
    #[error("the entries are malformed: {0}")]
    Entries(SubtreeError),
    /// An entry of a download does not begin with the prefix asked for.
    #[error("an entry does not begin with the prefix asked for")]
    OutsidePrefix,
    /// A download has more entries than can be taken.
    #[error("the register has more than {limit} entries")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// The proof of a prefix is of another number of entries (none, one, several) than were received.
    #[error("the proof does not fit the number of entries")]
    OtherCount,
    /// An entry's value cannot be read.
    #[error("the value of an entry cannot be read")]
    Value,
    /// A page has another number of batches than the range asked for and the total say.
    #[error("{expected} batches were asked for, and {found} were given")]
    BatchCount {
        /// How many there must be.
        expected: u32,
        /// How many there are.
        found: usize,
    },
    /// A batch of a page has another number, or is of another accreditation, than the place where it stands says.
    #[error("a batch does not stand where its number says")]
    BatchNumber {
        /// The number that was expected.
        expected: u32,
    },
}
