//! A text as a QR code (ISO/IEC 18004), as a picture or in a terminal.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use qrcode::{Color, EcLevel, QrCode, QrResult, Version, bits::Bits, types::QrError};

use super::base45;

/// Light modules around the code: the standard's quiet zone.
const QUIET_MODULES: usize = 4;

/// Pixels of a module's side in a picture. A version 40 code is then 740 pixels wide.
pub const MODULE_PIXELS: usize = 4;

/// There is no code of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text does not fit one QR code, or is not in its alphabet")]
pub struct NoCode;

fn code(text: &str, version: Version) -> QrResult<QrCode> {
    if !text.bytes().all(|byte| base45::ALPHABET.contains(&byte)) {
        return Err(QrError::InvalidCharacter);
    }
    let mut bits = Bits::new(version);
    bits.push_alphanumeric_data(text.as_bytes())?;
    bits.push_terminator(EcLevel::L)?;
    QrCode::with_bits(bits, EcLevel::L)
}

/// A QR code with the lowest error correction, L: paper and screens are clean, and a signature notices what is misread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qr {
    width: usize,
    dark: Vec<bool>,
}

impl Qr {
    /// The smallest code of a text in Base45's characters, as one alphanumeric segment: its size then follows from the
    /// text's length alone.
    ///
    /// # Errors
    /// [`NoCode`] above 4,296 characters, or with another character.
    pub fn new(text: &str) -> Result<Self, NoCode> {
        let code = (1..=40).find_map(|version| code(text, Version::Normal(version)).ok()).ok_or(NoCode)?;
        Ok(Self {
            width: code.width(),
            dark: code.into_colors().into_iter().map(|color| color == Color::Dark).collect(),
        })
    }

    /// Modules on a side, without the quiet zone.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Modules on a side, with the quiet zone.
    const fn outer(&self) -> usize {
        self.width + 2 * QUIET_MODULES
    }

    /// Whether a module is dark; the quiet zone begins at 0.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET_MODULES).filter(|at| *at < self.width);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| self.dark[y * self.width + x])
    }

    /// The code for a terminal: two modules in each character, one above the other, on whatever background.
    #[must_use]
    pub fn terminal(&self) -> String {
        let mut out = String::new();
        for y in (0..self.outer()).step_by(2) {
            for x in 0..self.outer() {
                // Light is drawn, since most terminals are dark; the quiet zone makes either readable.
                out.push(match (self.is_dark(x, y), self.is_dark(x, y + 1)) {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                });
            }
            out.push('\n');
        }
        out
    }

    /// The code as a PNG picture: one bit a pixel, black on white, [`MODULE_PIXELS`] to a module.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let side = self.outer() * MODULE_PIXELS;
        let mut rows = Vec::with_capacity(side * (side / 8 + 1));
        for y in 0..side {
            rows.push(0); // no filter
            for byte in 0..side.div_ceil(8) {
                let light = |bit: usize| {
                    let x = byte * 8 + bit;
                    x < side && !self.is_dark(x / MODULE_PIXELS, y / MODULE_PIXELS)
                };
                rows.push((0..8).fold(0_u8, |bits, bit| (bits << 1) | u8::from(light(bit))));
            }
        }
        let side = u32::try_from(side).expect("a code is at most 177 modules wide").to_be_bytes();
        // Width, height, one bit a pixel, greyscale, the only compression and filter methods, not interlaced.
        let header = [&side[..], &side[..], &[1, 0, 0, 0, 0]].concat();
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(&rows).and_then(|()| encoder.finish()).expect("a vector takes every write");
        let mut png = b"\x89PNG\r\n\x1A\n".to_vec();
        for (name, data) in [(b"IHDR", &header[..]), (b"IDAT", &packed), (b"IEND", &[])] {
            push_chunk(&mut png, *name, data);
        }
        png
    }
}

/// A chunk of a PNG: length, name, data, CRC-32 of name and data.
fn push_chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    png.extend(u32::try_from(data.len()).expect("a picture of a code is small").to_be_bytes());
    png.extend(name);
    png.extend(data);
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&name);
    checksum.update(data);
    png.extend(checksum.finalize().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// What a scanner sees on a grid of pixels, where `true` is dark.
    fn scanned(side: usize, dark: impl Fn(usize, usize) -> bool) -> String {
        let shade = |x, y| if dark(x, y) { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, shade);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    fn pixels(png: &[u8]) -> (usize, Vec<u8>) {
        let side = u32::from_be_bytes(*png[16..].first_chunk().unwrap()) as usize;
        let packed = u32::from_be_bytes(*png[33..].first_chunk().unwrap()) as usize;
        assert_eq!((&png[12..16], &png[37..41]), (&b"IHDR"[..], &b"IDAT"[..]));
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&png[41..41 + packed]).read_to_end(&mut rows).unwrap();
        assert_eq!(rows.len(), side * (1 + side.div_ceil(8)));
        (side, rows)
    }

    #[test]
    fn pictures_and_terminals_are_scanned_back() {
        for length in [10, 500, 4_291] {
            let text: String = "SGL1:"
                .chars()
                .chain("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".chars().cycle().take(length))
                .collect();
            let qr = Qr::new(&text).unwrap();
            let (side, rows) = pixels(&qr.png());
            let stride = 1 + side.div_ceil(8);
            let dark = |x: usize, y: usize| rows[y * stride + 1 + x / 8] & (0x80 >> (x % 8)) == 0;
            assert_eq!(scanned(side, dark), text);
            let drawn: Vec<Vec<char>> = qr.terminal().lines().map(|line| line.chars().collect()).collect();
            let dark = |x: usize, y: usize| match drawn[y / 8][x / 4] {
                ' ' => true,
                '▀' => y / 4 % 2 == 1,
                '▄' => (y / 4).is_multiple_of(2),
                _ => false,
            };
            assert_eq!(scanned((qr.width() + 8) * 4, dark), text);
        }
    }

    #[test]
    fn the_largest_text_that_fits_is_what_the_standard_says() {
        assert_eq!(Qr::new(&"A".repeat(4_296)).unwrap().width(), 177);
        assert_eq!(Qr::new(&"A".repeat(4_297)), Err(NoCode));
        // Digits, which a code could hold more densely, change nothing.
        assert_eq!(Qr::new(&"0".repeat(4_296)).unwrap().width(), 177);
        assert_eq!(Qr::new("a"), Err(NoCode));
    }
}
