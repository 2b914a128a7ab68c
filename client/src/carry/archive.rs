//! ZIP archives of documents and their bundles.
//!
//! An archive is read as it lies on the disk, entry by entry and by several threads at once; nothing is unpacked, so that no
//! name in it can reach outside. Names are compared and shown, never opened. Sizes that an archive states are limits, not
//! promises: an entry that turns out larger is refused.

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::{
    BUNDLE_SUFFIX,
    files::{self, FileAction, FileError},
};

/// The most entries of an archive: two files for each credential of four full batches.
pub const ARCHIVE_ENTRIES_MAX: usize = 8 * 1_048_576;

/// How every ZIP that holds something begins.
const MAGIC: &[u8] = b"PK\x03\x04";

/// Why an archive, or an entry of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be read.
    #[error("{0}")]
    File(#[from] FileError),
    /// It is no ZIP that this program reads.
    #[error("{} cannot be read as a ZIP archive ({error}): unpack it, and name the folder", path.display())]
    Malformed {
        /// The archive.
        path: PathBuf,
        /// Why.
        error: ZipError,
    },
    /// It has too many entries.
    #[error("{} holds more than {ARCHIVE_ENTRIES_MAX} entries, the most that is read", path.display())]
    TooMany {
        /// The archive.
        path: PathBuf,
    },
    /// An entry is larger than what is read.
    #[error("{name} is larger than {bytes_max} bytes, the most that is read")]
    EntryTooLarge {
        /// The entry.
        name: String,
        /// The limit in bytes.
        bytes_max: u64,
    },
    /// An entry is damaged, encrypted, or packed in a way that this program does not know.
    #[error("{name} cannot be unpacked: {error}")]
    Entry {
        /// The entry.
        name: String,
        /// Why.
        error: ZipError,
    },
}

/// Bytes that are read at once where little is asked for.
const BUFFER_BYTES: usize = 16 * 1_024;

/// A file that several readers read at once, each at a place of its own and through a buffer of its own.
#[derive(Debug, Clone)]
struct SharedFile {
    file: Arc<File>,
    length: u64,
    at: u64,
    /// What the file holds from `buffer_at` on.
    buffer: Vec<u8>,
    buffer_at: u64,
}

impl SharedFile {
    /// The bytes at the present place that were read before.
    fn buffered(&self) -> &[u8] {
        let from = self.at.checked_sub(self.buffer_at).and_then(|from| usize::try_from(from).ok());
        from.and_then(|from| self.buffer.get(from..)).unwrap_or_default()
    }
}

impl Read for SharedFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.buffered().is_empty() && out.len() < BUFFER_BYTES {
            self.buffer.resize(BUFFER_BYTES, 0);
            let count = self.file.read_at(&mut self.buffer, self.at)?;
            self.buffer.truncate(count);
            self.buffer_at = self.at;
        }
        let count = match self.buffered() {
            [] if out.len() < BUFFER_BYTES => 0,
            [] => self.file.read_at(out, self.at)?,
            mut buffered => buffered.read(out)?,
        };
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// An open archive. A clone shares its list of entries.
#[derive(Debug, Clone)]
pub struct Archive {
    zip: ZipArchive<SharedFile>,
}

/// Whether a file begins like a ZIP that holds something.
///
/// # Errors
/// [`FileError`] when it is no plain file, or cannot be read.
pub fn is_one(path: &Path) -> Result<bool, FileError> {
    let (file, _) = files::open(path)?;
    let mut first = [0; MAGIC.len()];
    match file.read_exact_at(&mut first, 0) {
        Ok(()) => Ok(first == MAGIC),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(source) => Err(FileError::System { action: FileAction::Read, path: path.to_owned(), source }),
    }
}

impl Archive {
    /// Reads an archive's list of entries.
    ///
    /// # Errors
    /// [`ArchiveError::File`], [`ArchiveError::Malformed`], [`ArchiveError::TooMany`].
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let (file, length) = files::open(path)?;
        let shared = SharedFile { file: Arc::new(file), length, at: 0, buffer: Vec::new(), buffer_at: 0 };
        let zip = ZipArchive::new(shared).map_err(|error| ArchiveError::Malformed { path: path.to_owned(), error })?;
        if zip.len() > ARCHIVE_ENTRIES_MAX {
            return Err(ArchiveError::TooMany { path: path.to_owned() });
        }
        Ok(Self { zip })
    }

    /// The numbers of entries that are documents: neither folders, nor bundles, nor what systems put into archives of
    /// their own (hidden files, `__MACOSX`).
    pub fn documents(&self) -> impl Iterator<Item = usize> {
        (0..self.zip.len()).filter(|index| self.name(*index).is_some_and(|name| is_document(&name)))
    }

    /// Whether a bundle lies in it.
    #[must_use]
    pub fn has_bundles(&self) -> bool {
        (0..self.zip.len()).any(|index| self.name(index).is_some_and(|name| name.ends_with(BUNDLE_SUFFIX)))
    }

    /// An entry's name; `None` where it is no text.
    #[must_use]
    pub fn name(&self, index: usize) -> Option<String> {
        Some(self.zip.name_for_index(index)?.ok()?.into_owned())
    }

    /// The number of the entry with a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.zip.index_for_name(name)
    }

    /// An entry's unpacked size as the archive states it, in bytes; 0 where it cannot be told.
    #[must_use]
    pub fn stated_size(&self, index: usize) -> u64 {
        self.zip.by_index_data(index).map_or(0, |entry| entry.size())
    }

    /// An entry's content.
    ///
    /// # Errors
    /// [`ArchiveError::EntryTooLarge`], [`ArchiveError::Entry`].
    pub fn read(&mut self, index: usize, bytes_max: u64) -> Result<Vec<u8>, ArchiveError> {
        let name = self.name(index).unwrap_or_default();
        let failed = |error| ArchiveError::Entry { name: name.clone(), error };
        let mut content = Vec::new();
        let entry = self.zip.by_index(index).map_err(failed)?;
        if !entry.is_file() {
            return Err(failed(ZipError::FileNotFound));
        }
        let mut limited = entry.take(bytes_max.saturating_add(1));
        limited.read_to_end(&mut content).map_err(|error| failed(ZipError::Io(error)))?;
        if u64::try_from(content.len()).is_ok_and(|length| length <= bytes_max) {
            Ok(content)
        } else {
            Err(ArchiveError::EntryTooLarge { name, bytes_max })
        }
    }
}

fn is_document(name: &str) -> bool {
    let is_hidden = name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
    !(name.is_empty() || name.ends_with('/') || name.ends_with(BUNDLE_SUFFIX) || is_hidden)
}

/// An archive of files, packed the same way each time: by name and content alone, without a clock.
///
/// # Errors
/// [`ArchiveError::Entry`] when two files share a name, or a name is too long for the format.
pub fn pack(files: &[(&str, &[u8])]) -> Result<Vec<u8>, ArchiveError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, content) in files {
        let failed = |error| ArchiveError::Entry { name: (*name).to_owned(), error };
        writer.start_file(*name, options).map_err(failed)?;
        writer.write_all(content).map_err(|error| failed(ZipError::Io(error)))?;
    }
    let packed = writer.finish().map_err(|error| ArchiveError::Entry { name: String::new(), error })?;
    Ok(packed.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Access;

    fn packed(files: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.zip");
        files::create(&path, &pack(files).unwrap(), Access::Everyone).unwrap();
        (directory, path)
    }

    #[test]
    fn entries_are_read_back_by_any_number_of_readers() {
        let large: Vec<u8> = (0..200_000_u32).flat_map(|number| number.wrapping_mul(number).to_le_bytes()).collect();
        let (_directory, path) =
            packed(&[("a.pdf", &large), ("a.pdf.sigeli", b"b"), ("x/c.json", b"{}"), ("x/.hidden", b"h")]);
        let archive = Archive::open(&path).unwrap();
        let names: Vec<_> = archive.documents().map(|index| archive.name(index).unwrap()).collect();
        assert_eq!(names, ["a.pdf", "x/c.json"]);
        assert!(archive.has_bundles());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mut reader = archive.clone();
                let large = &large;
                scope.spawn(move || {
                    for _ in 0..8 {
                        let at = reader.find("a.pdf").unwrap();
                        assert_eq!(reader.read(at, 1 << 20).unwrap(), *large);
                        let at = reader.find("x/c.json").unwrap();
                        assert_eq!((reader.stated_size(at), reader.read(at, 2).unwrap()), (2, b"{}".to_vec()));
                    }
                });
            }
        });
        let files = [("a", &b"1"[..]), ("b", b"2")];
        assert_eq!(pack(&files).unwrap(), pack(&files).unwrap());
    }

    #[test]
    fn what_is_too_large_or_damaged_is_refused() {
        let (_directory, path) = packed(&[("a", &[7; 1_000])]);
        let mut archive = Archive::open(&path).unwrap();
        assert_eq!(archive.read(0, 1_000).unwrap().len(), 1_000);
        assert!(matches!(archive.read(0, 999), Err(ArchiveError::EntryTooLarge { bytes_max: 999, .. })));
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(matches!(Archive::open(&path), Err(ArchiveError::Malformed { .. })));
        // Changed content is noticed by its checksum.
        let mut changed = whole;
        let content = changed.windows(4).position(|window| window == b"PK\x01\x02").unwrap() - 2;
        changed[content] ^= 0x10;
        std::fs::write(&path, &changed).unwrap();
        assert!(matches!(Archive::open(&path).unwrap().read(0, 1_000), Err(ArchiveError::Entry { .. })));
    }
}
