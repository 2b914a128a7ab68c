//! A bundle as text that fits QR codes (`docs/protocol.md` §19).
//!
//! A bundle that fits one code is `SGL1:` and its bytes in Base45. A larger one is cut into parts, each `SGLP:` and, in
//! Base45, its number, how many parts there are, eight bytes of the bundle's hash, and a piece of the bundle. By that hash
//! pieces of two bundles are never put together.

use sigeli_verifier::{
    bundle::{Bundle, TAG_BYTES, bundle_tag},
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    params::BUNDLE_BYTES_MAX,
};

use super::base45;

/// How the text of a whole bundle begins. Each character beyond six would take the goal of 2,860 bytes out of one code.
pub const WHOLE_PREFIX: &str = "SGL1:";

/// How the text of a part begins.
pub const PART_PREFIX: &str = "SGLP:";

/// The most characters that a QR code holds in its alphanumeric mode: version 40, error correction L (ISO/IEC 18004).
pub const CODE_CHARS_MAX: usize = 4_296;

/// The most bytes of a bundle that fit one code: 2,860.
pub const WHOLE_BYTES_MAX: usize = (CODE_CHARS_MAX - WHOLE_PREFIX.len()) / 3 * 2;

/// The bytes in front of a part's piece: number, count, tag.
const PART_HEAD_BYTES: usize = 2 + TAG_BYTES;

/// The most bytes of a bundle that one part carries: 2,850.
pub const PART_BYTES_MAX: usize = (CODE_CHARS_MAX - PART_PREFIX.len()) / 3 * 2 - PART_HEAD_BYTES;

/// The most parts: 23, what the largest bundle takes.
pub const PARTS_MAX: usize = BUNDLE_BYTES_MAX.div_ceil(PART_BYTES_MAX);

/// Why texts make no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// A text is of something else.
    #[error("text {position} is not of a Sigeli bundle: it begins with neither {WHOLE_PREFIX} nor {PART_PREFIX}")]
    Foreign {
        /// Which text, from 1.
        position: usize,
    },
    /// A text is damaged.
    #[error("text {position} is damaged: scan the code again")]
    Damaged {
        /// Which text, from 1.
        position: usize,
    },
    /// Parts of two bundles, or a whole one and something else.
    #[error("text {position} is of another bundle than the ones before it")]
    Mixed {
        /// Which text, from 1.
        position: usize,
    },
    /// A part is not there.
    #[error("part {part} of {count} is missing: scan that code too")]
    Missing {
        /// The first part that is missing, from 1.
        part: usize,
        /// How many there are.
        count: usize,
    },
    /// The texts hold no bundle.
    #[error("what the codes hold is not a bundle that this program can read ({0})")]
    Bundle(#[from] DecodeError),
}

/// The texts of a bundle: one if it fits one code, else as few as it takes, of equal size.
#[must_use]
pub fn texts(bundle: &Bundle) -> Vec<String> {
    let bytes = bundle.to_bytes();
    if bytes.len() <= WHOLE_BYTES_MAX {
        return vec![format!("{WHOLE_PREFIX}{}", base45::encode(&bytes))];
    }
    let count = bytes.len().div_ceil(PART_BYTES_MAX);
    let number = |at: usize| u8::try_from(at).expect("a bundle's size limit allows few parts");
    let tag = bundle_tag(&bytes);
    let pieces = bytes.chunks(bytes.len().div_ceil(count)).enumerate();
    pieces
        .map(|(before, piece)| {
            let part = [&[number(before + 1), number(count)], &tag[..], piece].concat();
            format!("{PART_PREFIX}{}", base45::encode(&part))
        })
        .collect()
}

struct Part {
    number: usize,
    count: usize,
    tag: [u8; TAG_BYTES],
    piece: Vec<u8>,
}

fn part(text: &str) -> Option<Part> {
    let bytes = base45::decode(text)?;
    let (head, piece) = bytes.split_first_chunk::<PART_HEAD_BYTES>()?;
    let [number, count, tag @ ..] = *head;
    let (number, count) = (usize::from(number), usize::from(count));
    let fits = (2..=PARTS_MAX).contains(&count) && (1..=count).contains(&number);
    (fits && !piece.is_empty() && piece.len() <= PART_BYTES_MAX).then(|| Part {
        number,
        count,
        tag,
        piece: piece.to_vec(),
    })
}

/// The bundle of the texts that its codes hold, in any order; a part that is given twice counts once. White space around
/// a text is left out; Base45 has a space of its own, but neither begins nor ends with it here.
///
/// # Errors
/// [`CodeError`].
pub fn bundle<T: AsRef<str>>(texts: &[T]) -> Result<Bundle, CodeError> {
    let mut whole: Option<Vec<u8>> = None;
    let mut parts: Vec<Part> = Vec::new();
    for (text, position) in texts.iter().zip(1..) {
        let text = text.as_ref().trim();
        if let Some(text) = text.strip_prefix(WHOLE_PREFIX) {
            let bytes = base45::decode(text).ok_or(CodeError::Damaged { position })?;
            if !parts.is_empty() || whole.as_ref().is_some_and(|known| *known != bytes) {
                return Err(CodeError::Mixed { position });
            }
            whole = Some(bytes);
        } else if let Some(text) = text.strip_prefix(PART_PREFIX) {
            let part = part(text).ok_or(CodeError::Damaged { position })?;
            let belongs = |known: &Part| {
                (known.count, known.tag) == (part.count, part.tag)
                    && (known.number != part.number || known.piece == part.piece)
            };
            if whole.is_some() || !parts.iter().all(belongs) {
                return Err(CodeError::Mixed { position });
            }
            parts.push(part);
        } else {
            return Err(CodeError::Foreign { position });
        }
    }
    let bytes = match whole {
        Some(bytes) => bytes,
        None => together(&parts)?,
    };
    Ok(Bundle::from_bytes(&bytes)?)
}

fn together(parts: &[Part]) -> Result<Vec<u8>, CodeError> {
    let count = parts.first().map_or(1, |part| part.count);
    let mut bytes = Vec::new();
    for number in 1..=count {
        let part = parts.iter().find(|part| part.number == number);
        bytes.extend_from_slice(&part.ok_or(CodeError::Missing { part: number, count })?.piece);
    }
    match parts.first() {
        Some(part) if bundle_tag(&bytes) == part.tag => Ok(bytes),
        // The parts carry one tag, yet another bundle's: one of them was changed.
        _ => Err(CodeError::Damaged { position: 1 }),
    }
}
