//! Frames: a length (u32, little-endian), then that many bytes.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Memory reserved before the first byte of a body has arrived, at most. It then grows with what arrives.
const RESERVED_BYTES_MAX: usize = 64 * 1024;
/// Bodies up to this size are written together with their length.
const COALESCED_BYTES_MAX: usize = 16 * 1024;

/// Reads a frame's length; `None` at a clean end between two frames.
///
/// # Errors
/// The transport's, and [`io::ErrorKind::UnexpectedEof`] inside the length.
pub(super) async fn read_length<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<u32>> {
    let mut bytes = [0; 4];
    let mut filled = 0;
    while filled < bytes.len() {
        match stream.read(&mut bytes[filled..]).await? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(Some(u32::from_le_bytes(bytes)))
}

/// Reads a body whose length the caller has checked.
///
/// # Errors
/// The transport's, and [`io::ErrorKind::UnexpectedEof`] if the stream ends early.
pub(super) async fn read_body<S: AsyncRead + Unpin>(stream: &mut S, length: u32) -> io::Result<Vec<u8>> {
    let mut body = Vec::with_capacity((length as usize).min(RESERVED_BYTES_MAX));
    stream.take(u64::from(length)).read_to_end(&mut body).await?;
    if body.len() != length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}

/// Reads a body and forgets it.
///
/// # Errors
/// As [`read_body`].
pub(super) async fn skip_body<S: AsyncRead + Unpin>(stream: &mut S, length: u32) -> io::Result<()> {
    let skipped = futures::io::copy(stream.take(u64::from(length)), &mut futures::io::sink()).await?;
    if skipped != u64::from(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Writes one frame, without flushing.
///
/// # Errors
/// The transport's, and [`io::ErrorKind::InvalidInput`] if the body's length does not fit 32 bits.
pub(super) async fn write_frame<S: AsyncWrite + Unpin>(stream: &mut S, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?.to_le_bytes();
    if body.len() <= COALESCED_BYTES_MAX {
        let mut frame = Vec::with_capacity(length.len() + body.len());
        frame.extend_from_slice(&length);
        frame.extend_from_slice(body);
        stream.write_all(&frame).await
    } else {
        stream.write_all(&length).await?;
        stream.write_all(body).await
    }
}

#[cfg(test)]
mod tests {
    use futures::{executor::block_on, io::Cursor};

    use super::*;

    #[test]
    fn frames_have_the_documented_bytes_and_read_back() {
        let mut wire = Vec::new();
        block_on(write_frame(&mut wire, b"abc")).expect("memory");
        assert_eq!(wire, [3, 0, 0, 0, b'a', b'b', b'c']);
        let long = vec![7; COALESCED_BYTES_MAX + 1];
        block_on(write_frame(&mut wire, &long)).expect("memory");
        block_on(write_frame(&mut wire, b"")).expect("memory");

        let mut stream = Cursor::new(wire);
        assert_eq!(block_on(read_length(&mut stream)).expect("a length"), Some(3));
        assert_eq!(block_on(read_body(&mut stream, 3)).expect("a body"), b"abc");
        let length = block_on(read_length(&mut stream)).expect("a length").expect("a frame");
        assert_eq!(block_on(read_body(&mut stream, length)).expect("a body"), long);
        assert_eq!(block_on(read_length(&mut stream)).expect("a length"), Some(0));
        assert_eq!(block_on(read_length(&mut stream)).expect("the end"), None);
    }

    #[test]
    fn truncation_is_an_error_everywhere_but_between_frames() {
        let wire = [3, 0, 0, 0, b'a', b'b'];
        for end in 1..4 {
            let error = block_on(read_length(&mut Cursor::new(&wire[..end]))).expect_err("inside the length");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        let error = block_on(read_body(&mut Cursor::new(&wire[4..]), 3)).expect_err("inside the body");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let error = block_on(skip_body(&mut Cursor::new(&wire[4..]), 3)).expect_err("inside the body");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn an_announced_length_reserves_little_memory() {
        let error = block_on(read_body(&mut Cursor::new([1; 10]), u32::MAX)).expect_err("ten bytes are not 4 GiB");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
