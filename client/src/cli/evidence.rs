//! `evidence list` and `evidence verify`.

use std::fmt::Write as _;

use sigeli::{
    evidence::{Accused, EVIDENCE_SUFFIX, accused},
    files::{self, Access},
    query::plain::Plain,
};
use sigeli_verifier::{
    evidence::{EVIDENCE_BYTES_MAX, Evidence},
    ids::BlockId,
    statement::Step,
    trust::Trust,
};

use super::{
    connect,
    failure::Failure,
    note, print,
    query::read_trust,
    query_args::{EvidenceListArgs, EvidenceVerifyArgs},
};

/// Every node answered; or every file proves something against a known validator.
const EXIT_PROVED: u8 = 0;
/// No evidence at all.
const EXIT_FALSE: u8 = 2;
/// Two messages of one key, but of nobody that the trust file knows.
const EXIT_UNKNOWN: u8 = 3;

/// Asks each node on its own: one may have seen what another has not. What was found is told even when a node fails; the
/// exit code is then the failure's.
pub(super) async fn list(args: &EvidenceListArgs) -> Result<u8, Failure> {
    let trust = read_trust(args.trust.as_deref())?;
    let mut found = Vec::<Evidence>::new();
    let mut exit = EXIT_PROVED;
    for url in &args.nodes {
        match connect(std::slice::from_ref(url))?.evidence().await {
            Ok(pieces) => {
                for piece in pieces {
                    if !found.iter().any(|known| known.id() == piece.id()) {
                        found.push(piece);
                    }
                }
            }
            Err(error) => {
                note(format_args!("{url} was not asked: {error}"));
                exit = Failure::from(error).exit;
            }
        }
    }
    if let Some(directory) = &args.out {
        std::fs::create_dir_all(directory).map_err(|error| Failure::system(&error))?;
        for piece in &found {
            let path = directory.join(format!("{}{EVIDENCE_SUFFIX}", piece.id()));
            files::replace(&path, &piece.to_file(), Access::Everyone)?;
        }
    }
    say(&found, &trust, args.json);
    Ok(exit)
}

/// Judges files alone, with no network.
pub(super) fn verify(args: &EvidenceVerifyArgs) -> Result<u8, Failure> {
    let trust = read_trust(args.trust.as_deref())?;
    let mut exit = EXIT_PROVED;
    let mut found = Vec::new();
    for path in &args.files {
        // One byte more than the longest tells a longer file apart.
        let bytes = files::read(path, EVIDENCE_BYTES_MAX as u64 + 1)?;
        match Evidence::read(&bytes) {
            Ok(evidence) => {
                if !matches!(accused(&evidence, &trust), Accused::Validator(..)) && exit == EXIT_PROVED {
                    exit = EXIT_UNKNOWN;
                }
                found.push(evidence);
            }
            Err(error) => {
                note(format_args!("{}: {error}", path.display()));
                exit = EXIT_FALSE;
            }
        }
    }
    say(&found, &trust, args.json);
    Ok(exit)
}

fn say(found: &[Evidence], trust: &Trust, json: bool) {
    if json {
        print(&Plain::list(found.iter().map(|evidence| plain(evidence, trust))).pretty());
    } else if found.is_empty() {
        print("No evidence against any validator.\n");
    } else {
        print(&found.iter().map(|evidence| text(evidence, trust)).collect::<String>());
    }
}

const fn message(step: Step) -> &'static str {
    match step {
        Step::Proposal => "proposals",
        Step::Prevote => "prevotes",
        Step::Precommit => "precommits",
    }
}

fn blocks(evidence: &Evidence) -> [Option<BlockId>; 2] {
    evidence.statements().map(|signed| signed.statement.block())
}

fn text(evidence: &Evidence, trust: &Trust) -> String {
    let slot = evidence.slot();
    let who = match accused(evidence, trust) {
        Accused::Validator(ledger, validator) => {
            format!("The validator of authority {} on {}", validator.authority, ledger.name_en.as_str())
        }
        Accused::UnknownKey(ledger) => format!(
            "A key that your trust file does not know as a validator of {} at this height",
            ledger.name_en.as_str()
        ),
        Accused::UnknownLedger => "A key on a ledger that your trust file does not know".to_owned(),
    };
    let mut out = format!(
        "{who} signed two {} where it may sign one: at height {}, round {}.\n  key        {}\n",
        message(slot.step),
        slot.height,
        slot.round,
        evidence.key()
    );
    for block in blocks(evidence) {
        let block = block.map_or_else(|| "no block".to_owned(), |id| format!("block {id}"));
        let _infallible = writeln!(out, "  one for    {block}");
    }
    let _infallible = writeln!(out, "  evidence   {}", evidence.id());
    out
}

fn plain(evidence: &Evidence, trust: &Trust) -> Plain {
    let slot = evidence.slot();
    let (known, authority) = match accused(evidence, trust) {
        Accused::Validator(_, validator) => ("validator", Plain::Number(validator.authority.get().into())),
        Accused::UnknownKey(_) => ("unknown_key", Plain::Null),
        Accused::UnknownLedger => ("unknown_ledger", Plain::Null),
    };
    let block = |block: Option<BlockId>| block.map_or(Plain::Null, |id| Plain::Text(id.to_string()));
    Plain::object([
        ("id", Plain::Text(evidence.id().to_string())),
        ("accused", Plain::Text(known.to_owned())),
        ("authority", authority),
        ("key", Plain::Text(evidence.key().to_string())),
        ("ledger", Plain::Text(evidence.genesis().to_string())),
        ("messages", Plain::Text(message(slot.step).to_owned())),
        ("height", Plain::Number(slot.height.get())),
        ("round", Plain::Number(slot.round.get().into())),
        ("blocks", Plain::list(blocks(evidence).map(block))),
    ])
}
