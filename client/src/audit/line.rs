//! The two kinds of lines of `ledger.jsonl`, each a pure function of canonical bytes: what a line says in plain words can
//! be computed again from the bytes at its end, and must then be the same text.

use sigeli_verifier::{
    block::{Block, Header},
    certificate::CommitCertificate,
    decode::Decode as _,
    encode::Encode as _,
    ids::{Height, TimeMs},
    time::Day,
    transaction::{SignedTransaction, Transaction},
};

use super::payload;
use crate::query::{plain::Plain, words};

/// Longest line that is read, in bytes: a transaction of 64 KiB takes twice that in hexadecimal, and its plain words, at
/// most, a few times that again.
pub const LINE_BYTES_MAX: usize = 2 * 1_024 * 1_024;

/// What stands on one line.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    /// A block, without its transactions.
    Block(Box<BlockLine>),
    /// A transaction of the block above.
    Transaction(Box<SignedTransaction>),
}

/// A header, the quorum's signatures, and how many transactions follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockLine {
    pub(crate) header: Header,
    pub(crate) certificate: CommitCertificate,
    pub(crate) transactions: u64,
}

impl BlockLine {
    pub(crate) fn of(block: &Block, certificate: &CommitCertificate) -> Self {
        Self {
            header: block.header,
            certificate: certificate.clone(),
            transactions: u64::try_from(block.transactions.len()).unwrap_or(u64::MAX),
        }
    }

    /// The line's value.
    pub(crate) fn plain(&self) -> Plain {
        let Self { header, certificate, transactions } = self;
        let Header {
            version,
            genesis,
            height,
            time,
            parent,
            creator,
            round,
            transactions_root,
            state_root,
            history_root,
            validators,
            next_validators,
        } = header;
        Plain::object([
            ("line", "block".into()),
            ("height", height.get().into()),
            ("time", words::time(*time)),
            ("day", words::day(Day::of(*time))),
            ("id", Plain::text(header.id())),
            ("parent", Plain::text(parent)),
            ("version", (*version).into()),
            ("genesis", Plain::text(genesis)),
            ("creator", Plain::text(creator)),
            ("round", round.get().into()),
            ("transactions", (*transactions).into()),
            ("transactions_root", Plain::text(transactions_root)),
            ("state_root", Plain::text(state_root)),
            ("history_root", Plain::text(history_root)),
            ("validators", Plain::text(validators)),
            ("next_validators", Plain::text(next_validators)),
            ("commit_round", certificate.round().get().into()),
            ("signers", Plain::list(certificate.signatures().iter().map(|entry| entry.validator))),
            ("header", hex::encode(header.to_bytes()).into()),
            ("certificate", hex::encode(certificate.to_bytes()).into()),
        ])
    }
}

/// Where a transaction stands: its block's height and time, and its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) height: Height,
    pub(crate) time: TimeMs,
    pub(crate) index: u64,
}

/// The value of a transaction's line.
pub(crate) fn transaction(place: Place, signed: &SignedTransaction) -> Plain {
    let Transaction { genesis, valid_until, sender, payload: asked } = signed.body();
    let signatures = signed
        .signatures()
        .iter()
        .map(|entry| Plain::object([("key", entry.key.get().into()), ("signature", Plain::text(entry.signature))]));
    Plain::object([
        ("line", "transaction".into()),
        ("height", place.height.get().into()),
        ("index", place.index.into()),
        ("time", words::time(place.time)),
        ("id", Plain::text(signed.id())),
        ("genesis", Plain::text(genesis)),
        ("valid_until", words::time(*valid_until)),
        ("sender", payload::sender(sender)),
        ("kind", payload::kind(asked).into()),
        ("institution", payload::institution(sender, asked).into()),
        ("fields", payload::fields(asked)),
        ("signatures", Plain::list(signatures)),
        ("transaction", hex::encode(signed.to_bytes()).into()),
    ])
}

/// Why a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    #[error("it is not one JSON object of this format")]
    Json,
    #[error("`{member}` is missing or is not hexadecimal")]
    Bytes { member: &'static str },
    #[error("`{member}` cannot be decoded: {error}")]
    Decode { member: &'static str, error: sigeli_verifier::decode::DecodeError },
}

/// Reads the canonical bytes of a line. What stands in plain words is not looked at: compare it with [`BlockLine::plain`] or
/// [`transaction`].
pub(crate) fn read(text: &str) -> Result<Line, LineError> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|_| LineError::Json)?;
    let bytes = |member: &'static str| {
        let digits = value.get(member).and_then(serde_json::Value::as_str);
        digits.and_then(|digits| hex::decode(digits).ok()).ok_or(LineError::Bytes { member })
    };
    match value.get("line").and_then(serde_json::Value::as_str) {
        Some("block") => {
            let header = Header::from_bytes(&bytes("header")?);
            let header = header.map_err(|error| LineError::Decode { member: "header", error })?;
            let certificate = CommitCertificate::from_bytes(&bytes("certificate")?);
            let certificate = certificate.map_err(|error| LineError::Decode { member: "certificate", error })?;
            let transactions = value.get("transactions").and_then(serde_json::Value::as_u64).ok_or(LineError::Json)?;
            Ok(Line::Block(Box::new(BlockLine { header, certificate, transactions })))
        }
        Some("transaction") => {
            let signed = SignedTransaction::from_bytes(&bytes("transaction")?);
            let signed = signed.map_err(|error| LineError::Decode { member: "transaction", error })?;
            Ok(Line::Transaction(Box::new(signed)))
        }
        _ => Err(LineError::Json),
    }
}

/// The first member in which two objects differ, by its path, for a message; `None` when they differ in spelling only.
pub(crate) fn first_difference(found: &str, expected: &str) -> Option<String> {
    let found: serde_json::Value = serde_json::from_str(found).ok()?;
    let expected: serde_json::Value = serde_json::from_str(expected).ok()?;
    difference("", &found, &expected)
}

fn difference(path: &str, found: &serde_json::Value, expected: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (found, expected) {
        (Value::Object(left), Value::Object(right)) => {
            let inside = right.iter().find_map(|(name, value)| match left.get(name) {
                Some(other) => difference(&under(name), other, value),
                None => Some(under(name)),
            });
            inside.or_else(|| left.keys().find(|name| !right.contains_key(*name)).map(|name| under(name)))
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .enumerate()
            .find_map(|(position, (left, right))| difference(&under(&position.to_string()), left, right)),
        _ => (found != expected).then(|| path.to_owned()),
    }
}
