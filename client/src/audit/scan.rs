//! Reading `ledger.jsonl` line by line: every line must be exactly what its canonical bytes say, and the blocks must be the
//! ledger's. Holds one block at a time.

use std::io::{self, BufRead, Read as _};

use sigeli_verifier::{
    block::Block,
    ids::TransactionId,
    params::{BLOCK_BYTES_MAX, TRANSACTIONS_PER_BLOCK_MAX},
    transaction::{Sender, SignedTransaction},
};

use super::{
    chain::Chain,
    line::{self, BlockLine, LINE_BYTES_MAX, Line, Place},
};

/// What a scan tells while it goes.
pub(crate) trait Listener {
    /// Something is wrong with a line, counted from 1.
    fn problem(&mut self, line: u64, what: String);
    /// A whole block has passed, with or without problems.
    fn block(&mut self, block: &Block);
}

/// How a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct End {
    /// How many lines there are.
    pub(crate) lines: u64,
    /// Bytes up to the end of the last block that is whole: its line, and as many transactions as it says.
    pub(crate) whole_bytes: u64,
    /// Whether anything stands behind that.
    pub(crate) is_torn: bool,
}

/// A block whose transactions are still coming.
struct Open {
    line: u64,
    block_line: BlockLine,
    transactions: Vec<SignedTransaction>,
    /// How many lines of transactions came, readable or not.
    seen: u64,
    size_bytes: usize,
}

/// What a line turned out to be; its text stands in the buffer.
enum Read {
    /// A line of this many bytes, line feed included.
    Line(u64),
    /// A line of this many bytes that is longer than any of this format.
    Overlong(u64),
    /// The file ends within the line.
    Torn,
    /// The file ends.
    End,
}

fn next_line<R: BufRead>(reader: &mut R, text: &mut Vec<u8>) -> io::Result<Read> {
    text.clear();
    let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    let count = reader.by_ref().take(limit).read_until(b'\n', text)?;
    let mut size = u64::try_from(count).unwrap_or(u64::MAX);
    if count == 0 {
        return Ok(Read::End);
    }
    if text.pop_if(|last| *last == b'\n').is_some() {
        return Ok(Read::Line(size));
    }
    if size < limit {
        return Ok(Read::Torn);
    }
    // The rest of an overlong line is skipped, without holding it.
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(Read::Torn);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |position| position.saturating_add(1));
        reader.consume(length);
        size = size.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if end.is_some() {
            return Ok(Read::Overlong(size));
        }
    }
}

/// Scans all lines.
///
/// # Errors
/// Those of the reader.
pub(crate) fn scan<R: BufRead, L: Listener>(
    reader: &mut R,
    chain: &mut Chain<'_>,
    listener: &mut L,
) -> io::Result<End> {
    let mut end = End::default();
    let mut offset = 0_u64;
    let mut open: Option<Open> = None;
    let mut bytes = Vec::new();
    loop {
        let read = next_line(reader, &mut bytes)?;
        if let Read::End = read {
            break;
        }
        end.lines = end.lines.saturating_add(1);
        let number = end.lines;
        let text = match read {
            Read::Line(size) => {
                offset = offset.saturating_add(size);
                std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8")
            }
            Read::Overlong(size) => {
                offset = offset.saturating_add(size);
                Err("it is longer than any line of this format")
            }
            Read::Torn | Read::End => {
                listener.problem(number, "the file ends within this line".to_owned());
                end.is_torn = true;
                break;
            }
        };
        let parsed = text
            .map_err(ToOwned::to_owned)
            .and_then(|text| line::read(text).map(|parsed| (text, parsed)).map_err(|error| error.to_string()));
        match parsed {
            Ok((text, Line::Block(block_line))) => {
                if let Some(unfinished) = open.take() {
                    close(unfinished, chain, listener);
                }
                compare(number, text, &block_line.plain().line(), listener);
                let new =
                    Open { line: number, block_line: *block_line, transactions: Vec::new(), seen: 0, size_bytes: 0 };
                open = Some(new);
            }
            Ok((text, Line::Transaction(signed))) => match &mut open {
                Some(block) => transaction(number, text, *signed, block, listener),
                None => listener.problem(number, "a transaction stands before any block".to_owned()),
            },
            Err(what) => {
                listener.problem(number, what);
                if let Some(block) = &mut open {
                    block.seen = block.seen.saturating_add(1);
                }
            }
        }
        if open.as_ref().is_some_and(|block| block.seen >= block.block_line.transactions)
            && let Some(block) = open.take()
        {
            close(block, chain, listener);
            end.whole_bytes = offset;
        }
    }
    end.is_torn |= open.is_some() || offset > end.whole_bytes;
    if let Some(unfinished) = open {
        close(unfinished, chain, listener);
    }
    Ok(end)
}

fn compare<L: Listener>(number: u64, text: &str, expected: &str, listener: &mut L) {
    if text == expected {
        return;
    }
    let what = match line::first_difference(text, expected) {
        Some(member) => format!("`{member}` is not what the canonical bytes say"),
        None => "it is not written as this program writes it".to_owned(),
    };
    listener.problem(number, what);
}

fn transaction<L: Listener>(number: u64, text: &str, signed: SignedTransaction, open: &mut Open, listener: &mut L) {
    let header = &open.block_line.header;
    let place = Place { height: header.height, time: header.time, index: open.seen };
    open.seen = open.seen.saturating_add(1);
    compare(number, text, &line::transaction(place, &signed).line(), listener);
    if signed.body().genesis != header.genesis {
        listener.problem(number, "the transaction is of another ledger".to_owned());
    }
    let one = matches!(signed.body().sender, Sender::Institution { .. });
    if one && signed.signatures().len() != 1 {
        listener.problem(number, "an institution's transaction has exactly one signature".to_owned());
    }
    if open.transactions.iter().any(|other| other.id() == signed.id()) {
        let id: TransactionId = signed.id();
        listener.problem(number, format!("transaction {id} stands twice in its block"));
    }
    open.size_bytes = open.size_bytes.saturating_add(text.len() / 2);
    let is_bounded = open.transactions.len() < TRANSACTIONS_PER_BLOCK_MAX && open.size_bytes <= 16 * BLOCK_BYTES_MAX;
    if is_bounded {
        open.transactions.push(signed);
    } else {
        listener.problem(number, "the block has more transactions than a block can hold".to_owned());
    }
}

fn close<L: Listener>(open: Open, chain: &mut Chain<'_>, listener: &mut L) {
    let Open { line, block_line, transactions, .. } = open;
    if u64::try_from(transactions.len()) != Ok(block_line.transactions) {
        let found = transactions.len();
        let said = block_line.transactions;
        listener.problem(line, format!("{said} transactions are said to follow, and {found} do"));
    }
    let block = Block { header: block_line.header, transactions };
    for error in chain.take(&block, &block_line.certificate) {
        listener.problem(line, format!("block {}: {error}", block.header.height));
    }
    listener.block(&block);
}

/// Gives every transaction with its place, of a file that was scanned without problems.
///
/// # Errors
/// Those of the reader and of `each`; [`io::ErrorKind::InvalidData`] when the file has changed since.
pub(crate) fn transactions<R: BufRead, E: From<io::Error>>(
    reader: &mut R,
    each: &mut dyn FnMut(Place, &SignedTransaction) -> Result<(), E>,
) -> Result<(), E> {
    let changed = || io::Error::new(io::ErrorKind::InvalidData, "the file has changed while it was read");
    let mut bytes = Vec::new();
    let mut place = None;
    loop {
        match next_line(reader, &mut bytes)? {
            Read::Line(_) => {}
            Read::End => return Ok(()),
            Read::Overlong(_) | Read::Torn => return Err(changed().into()),
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| changed())?;
        match line::read(text).map_err(|_| changed())? {
            Line::Block(block) => {
                place = Some(Place { height: block.header.height, time: block.header.time, index: 0 });
            }
            Line::Transaction(signed) => {
                let at: &mut Place = place.as_mut().ok_or_else(changed)?;
                each(*at, &signed)?;
                at.index = at.index.saturating_add(1);
            }
        }
    }
}
