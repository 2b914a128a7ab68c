//! Many credentials at once: every document of a folder or a ZIP archive, with several threads and bounded memory.
//!
//! - A document's bundle is the file beside it, else the one inside it, as for one document alone.
//! - The verdict on one document does not depend on the others, nor on how many threads there are; the order in which the
//!   verdicts come does.
//! - What cannot be read is a document that could not be checked: it is counted, and never left out.
//! - Memory: the queues hold a few names for each thread, the documents in hand at most [`IN_HAND_BYTES_MAX`] bytes (or one
//!   document, if that is larger), and an archive its list of entries.
//!
//! Folders are read with all they contain. Left out are hidden files and folders, bundles, the halves of bundles, and links to
//! folders.

mod budget;
mod outcome;
mod source;
mod tally;
mod work;

pub use self::{
    outcome::{CSV_HEADER, Facts, Outcome},
    source::SourceError,
    tally::{Tally, WORST_FIRST, worse},
    work::{IN_HAND_BYTES_MAX, JOBS_MAX, ManyError, ManyRequest, verify},
};
pub(crate) use self::{source::documents, work::entry_bundle};
