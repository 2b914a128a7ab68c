//! Open Badges baked into pictures: the credential inside a PNG or an SVG (Open Badges 3.0 §5.3, 2.0 "Baking").
//!
//! What is registered of such a file is the credential, not the picture: programs that show, resize or re-compress pictures
//! change their bytes and leave the credential alone. So nothing of the picture is covered by the digest.
//!
//! A picture with two credentials, or with one that two readers may read differently, is refused. A picture without one, or
//! with a mere address of one (hosted badges of Open Badges 2), is a picture.

mod png;
mod svg;

use std::borrow::Cow;

use super::error::DocumentError;

/// The kinds of pictures that badges are baked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// Portable Network Graphics.
    Png,
    /// Scalable Vector Graphics.
    Svg,
}

impl Picture {
    /// The kind's usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Svg => "SVG",
        }
    }
}

/// A credential's text inside a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Baked<'file> {
    /// What it was baked into.
    pub(super) picture: Picture,
    /// The credential: JSON or a compact JWS; not checked here.
    pub(super) text: Cow<'file, [u8]>,
}

/// The kind of picture a file claims to be, if any that can hold a badge.
pub(super) fn picture_of(file: &[u8]) -> Option<Picture> {
    if png::begins_like_one(file) {
        Some(Picture::Png)
    } else if svg::begins_like_one(file) {
        Some(Picture::Svg)
    } else {
        None
    }
}

/// The credential baked into a picture; `None` for other files and for pictures without one.
///
/// # Errors
/// The `badge_…` codes: a damaged picture, several credentials, one that is too large.
pub(super) fn baked(file: &[u8]) -> Result<Option<Baked<'_>>, DocumentError> {
    match picture_of(file) {
        Some(picture @ Picture::Png) => Ok(png::text(file)?.map(|text| Baked { picture, text })),
        Some(picture @ Picture::Svg) => {
            Ok(svg::text(file)?.map(|text| Baked { picture, text: Cow::Owned(text.into_bytes()) }))
        }
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests;
