//! The chunk of a PNG that holds a badge: an own strict walk over chunks (ISO/IEC 15948 §5), because a picture decoder would
//! decode the picture too, and one that repairs damage could find another text than the next program.

use std::borrow::Cow;

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use super::Picture;
use crate::document::{JSON_SIZE_BYTES_MAX, error::DocumentError};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Keywords of the chunks, Open Badges 3 and 2.
const KEYWORDS: [&[u8]; 2] = [b"openbadgecredential", b"openbadges"];

const MALFORMED: DocumentError = DocumentError::BadgePictureMalformed { picture: Picture::Png };

/// Whether the file has a PNG's signature.
pub(super) fn begins_like_one(file: &[u8]) -> bool {
    file.starts_with(SIGNATURE)
}

/// The text of the only `iTXt` chunk with a badge's keyword. What follows the end chunk is no part of the picture.
pub(super) fn text(file: &[u8]) -> Result<Option<Cow<'_, [u8]>>, DocumentError> {
    let mut rest = file.strip_prefix(SIGNATURE).ok_or(MALFORMED)?;
    let mut found = None;
    loop {
        let chunk = Chunk::take(&mut rest).ok_or(MALFORMED)?;
        match &chunk.kind {
            b"IEND" => return Ok(found),
            b"iTXt" => {
                if let Some(badge) = chunk.badge()?
                    && found.replace(badge).is_some()
                {
                    return Err(DocumentError::BadgeAmbiguous);
                }
            }
            _ => {}
        }
    }
}

struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    crc: u32,
}

impl<'a> Chunk<'a> {
    /// Takes the next chunk: length, kind, data, CRC.
    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let length = u32::from_be_bytes(*rest.split_off(..4)?.first_chunk()?);
        let kind = *rest.split_off(..4)?.first_chunk()?;
        let data = rest.split_off(..usize::try_from(length).ok()?)?;
        let crc = u32::from_be_bytes(*rest.split_off(..4)?.first_chunk()?);
        Some(Self { kind, data, crc })
    }

    /// The badge of an `iTXt` chunk: keyword, 0, compression flag, method, language, 0, translated keyword, 0, text.
    fn badge(&self) -> Result<Option<Cow<'a, [u8]>>, DocumentError> {
        let Some((keyword, rest)) = split_at_zero(self.data) else { return Ok(None) };
        if !KEYWORDS.contains(&keyword) {
            return Ok(None);
        }
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&self.kind);
        checksum.update(self.data);
        if checksum.finalize() != self.crc {
            return Err(MALFORMED);
        }
        let ([flag, method, rest @ ..], true) = (rest, rest.len() >= 2) else { return Err(MALFORMED) };
        let (_, rest) = split_at_zero(rest).ok_or(MALFORMED)?;
        let (_, text) = split_at_zero(rest).ok_or(MALFORMED)?;
        let text = match (flag, method) {
            (0, _) => Cow::Borrowed(text),
            (1, 0) => Cow::Owned(inflated(text)?),
            _ => return Err(MALFORMED),
        };
        if text.len() > JSON_SIZE_BYTES_MAX { Err(DocumentError::BadgeTooLarge) } else { Ok(Some(text)) }
    }
}

/// A compressed text. The specifications of Open Badges ask for uncompressed ones, but programs that save pictures anew
/// compress long texts.
fn inflated(compressed: &[u8]) -> Result<Vec<u8>, DocumentError> {
    decompress_to_vec_zlib_with_limit(compressed, JSON_SIZE_BYTES_MAX).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => DocumentError::BadgeTooLarge,
        _ => MALFORMED,
    })
}

fn split_at_zero(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = data.iter().position(|&byte| byte == 0)?;
    Some((data.get(..zero)?, data.get(zero + 1..)?))
}
