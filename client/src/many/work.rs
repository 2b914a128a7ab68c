//! The threads that read and judge.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{
        Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use sigeli_verifier::{
    bundle::Bundle,
    decode::Decode as _,
    params::BUNDLE_BYTES_MAX,
    trust::Trust,
    verdict::{CheckId, Finding, Freshness, Report},
};

use super::{
    Outcome, SourceError, Tally,
    budget::Budget,
    source::{Source, Waiting},
};
use crate::{
    BUNDLE_SUFFIX, FILE_BYTES_MAX,
    carry::archive::Archive,
    files::{self, FileError},
    verify::{self, BundleError, bundle_path},
};

/// The most threads.
pub const JOBS_MAX: usize = 256;

/// Bytes of documents that all threads together hold, unless one document alone is larger.
pub const IN_HAND_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Names that wait for each thread, and verdicts that wait to be taken from it.
const QUEUE_OF_JOB: usize = 16;

/// What to verify, and against what.
#[derive(Debug, Clone, Copy)]
pub struct ManyRequest<'a> {
    /// A folder or an archive.
    pub path: &'a Path,
    /// What is trusted; without it no document can be checked.
    pub trust: Option<&'a Trust>,
    /// The time to judge at, and how old a status may be.
    pub freshness: Freshness,
    /// How many threads; at most [`JOBS_MAX`] are used.
    pub jobs: NonZeroUsize,
}

/// Why not all verdicts were given.
#[derive(Debug, thiserror::Error)]
pub enum ManyError<E> {
    /// There is nothing to read from.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The verdicts could not be taken.
    #[error("{0}")]
    Taking(E),
}

/// Verifies every document of a folder or an archive, and hands each verdict out as it comes.
///
/// # Errors
/// [`ManyError::Source`] before the first verdict; [`ManyError::Taking`] with the error of `take`, after which no more is
/// read.
pub fn verify<E>(
    request: &ManyRequest<'_>,
    take: &mut dyn FnMut(&Outcome) -> Result<(), E>,
) -> Result<Tally, ManyError<E>> {
    let source = Source::open(request.path)?;
    let jobs = request.jobs.get().min(JOBS_MAX);
    let budget = Budget::new(IN_HAND_BYTES_MAX);
    let (hand_out, waiting) = sync_channel(jobs * QUEUE_OF_JOB);
    let (tell, outcomes) = sync_channel(jobs * QUEUE_OF_JOB);
    let waiting = Mutex::new(Some(waiting));
    std::thread::scope(|scope| {
        // Whoever has nobody left to hand to, or to take from, ends: that is how all end early, and at the end.
        let walker = &source;
        scope.spawn(move || walker.walk(&mut |next| hand_out.send(next).is_ok()));
        for _ in 0..jobs {
            let (tell, waiting, budget) = (tell.clone(), &waiting, &budget);
            let worker = Worker { request, archive: source.archive(), budget };
            scope.spawn(move || worker.run(waiting, &tell));
        }
        drop(tell);
        let mut tally = Tally::default();
        for outcome in outcomes {
            if let Err(error) = take(&outcome) {
                // The threads notice when the verdicts' receiver is gone, at the end of this block.
                return Err(ManyError::Taking(error));
            }
            tally.add(&outcome);
        }
        Ok(tally)
    })
}

struct Worker<'a> {
    request: &'a ManyRequest<'a>,
    archive: Option<Archive>,
    budget: &'a Budget,
}

impl Worker<'_> {
    fn run(mut self, waiting: &Mutex<Option<Receiver<Waiting>>>, tell: &SyncSender<Outcome>) {
        let queue = || waiting.lock().expect("nobody panics while holding the queue");
        loop {
            let next = queue().as_ref().and_then(|queue| queue.recv().ok());
            let Some(next) = next else { break };
            if tell.send(self.outcome(next)).is_err() {
                // Nobody listens: without a queue the walker ends, and so do the others.
                drop(queue().take());
                break;
            }
        }
    }

    fn outcome(&mut self, waiting: Waiting) -> Outcome {
        match waiting {
            Waiting::File(path) => self.of_file(&path),
            Waiting::Entry(index) => self.of_entry(index),
            Waiting::Unreadable(path, why) => unreadable(shown(&path), why),
        }
    }

    fn of_file(&self, path: &Path) -> Outcome {
        // A file that grows after this is still bounded by the limit of one file.
        let size = std::fs::metadata(path).map_or(0, |known| known.len());
        let _held = self.budget.take(size);
        let file = match files::read(path, FILE_BYTES_MAX) {
            Ok(file) => file,
            Err(error) => return unreadable(shown(path), error.to_string()),
        };
        let bundle = verify::bundle_of(&file, path, verify::read_bundle(&bundle_path(path)));
        self.judged(shown(path), &file, &bundle)
    }

    fn of_entry(&mut self, index: usize) -> Outcome {
        let Some(archive) = &mut self.archive else { unreachable!("entries come from archives alone") };
        let name = archive.name(index).unwrap_or_default();
        let _held = self.budget.take(archive.stated_size(index).min(FILE_BYTES_MAX));
        let file = match archive.read(index, FILE_BYTES_MAX) {
            Ok(file) => file,
            Err(error) => return unreadable(name, error.to_string()),
        };
        let bundle = entry_bundle(archive, self.request.path, &name, &file);
        self.judged(name, &file, &bundle)
    }

    fn judged(&self, name: String, file: &[u8], bundle: &Result<Bundle, BundleError>) -> Outcome {
        let document = bundle.as_ref().ok().map(|bundle| verify::read_document(file, bundle));
        let report = verify::judge_read(bundle, self.request.trust, document.as_ref(), self.request.freshness);
        let note = match (bundle, &document) {
            (Err(BundleError::File(FileError::Missing { .. })), _) => None,
            (Err(error), _) => Some(error.to_string()),
            (Ok(_), Some(Err(error))) => Some(error.to_string()),
            (Ok(_), _) => None,
        };
        Outcome::new(name, &report, bundle.as_ref().ok(), note)
    }
}

/// The bundle of an entry: the entry beside it, else the one inside it.
///
/// # Errors
/// As [`verify::bundle_of`].
pub(crate) fn entry_bundle(archive: &mut Archive, path: &Path, name: &str, file: &[u8]) -> Result<Bundle, BundleError> {
    let Some(index) = archive.find(&format!("{name}{BUNDLE_SUFFIX}")) else {
        let missing = BundleError::File(FileError::Missing { path: bundle_path(Path::new(name)) });
        return verify::bundle_of(file, path, Err(missing));
    };
    let carried = |reason| BundleError::Carried { path: path.to_owned(), reason };
    let limit = u64::try_from(BUNDLE_BYTES_MAX).unwrap_or(u64::MAX);
    let bytes = archive.read(index, limit).map_err(|error| carried(error.into()))?;
    Bundle::from_bytes(&bytes).map_err(|error| carried(error.into()))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn unreadable(name: String, note: String) -> Outcome {
    let report = Report::unchecked(CheckId::Document, Finding::DocumentUnreadable);
    Outcome::new(name, &report, None, Some(note))
}
