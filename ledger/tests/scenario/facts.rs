//! What a `check` line reads from the ledger: facts that no code tells, such as numbers and states.

use std::collections::BTreeMap;

use sigeli_ledger::{chain::Chain, memory::MemoryStore, state::View};
use sigeli_verifier::{
    ids::{KeyIndex, ProfileHash},
    record::{BatchStatus, CompromisedKeys, KeyState, PermissionStanding, StatusState, Writer},
};

use crate::{
    act::{credential, handle, root, written},
    cast::{Cast, institution},
    words::Words,
};

type Facts = BTreeMap<&'static str, String>;

/// Compares what the rest of the line says with what the ledger holds.
pub(crate) fn check(chain: &Chain<MemoryStore>, cast: &Cast, mut words: Words) -> Result<(), String> {
    let facts = read(chain, cast, &mut words)?;
    while !words.is_empty() {
        let (fact, expected) = (words.word()?, words.word()?);
        let found = facts.get(fact.as_str()).ok_or_else(|| format!("{fact:?} is none of {facts:?}"))?;
        if *found != expected {
            return Err(format!("expected {fact} {expected}, found {found}"));
        }
    }
    Ok(())
}

fn read(chain: &Chain<MemoryStore>, cast: &Cast, words: &mut Words) -> Result<Facts, String> {
    let snapshot = chain.snapshot();
    let view = View::new(&snapshot);
    let missing = || "the ledger holds no such thing".to_owned();
    let kind = words.word()?;
    match kind.as_str() {
        "institution" => {
            let whose = institution(&words.word()?)?;
            let facts = view.institution(whose).unwrap().ok_or_else(missing)?.facts;
            let history = listed(facts.entries, |entry| {
                let entry = view.institution_entry(whose, entry).unwrap()?;
                Some(format!("{}:{}:{}", entry.name_en, written(&entry.state), profile(&entry.profile)))
            });
            Ok(Facts::from([
                ("history", history),
                ("keys", facts.keys.to_string()),
                ("permissions", facts.permissions.to_string()),
                ("programmes", facts.programmes.to_string()),
                ("batches", facts.batches.to_string()),
                ("entries", facts.entries.to_string()),
                ("kind", written(&facts.kind)),
                ("state", written(&facts.state)),
                ("name-en", facts.name_en.to_string()),
                ("compromised", facts.compromised.len().to_string()),
                ("ranges", ranges(&facts.compromised)),
                ("usable", view.usable_keys(whose).unwrap().to_string()),
                ("country", String::from_utf8_lossy(&facts.jurisdiction).into_owned()),
                ("legal-id", facts.legal_id.to_string()),
            ]))
        }
        "batch" => {
            let label = words.word()?;
            words.expect("of")?;
            let whose = institution(&words.word()?)?;
            let record = view.batch(whose, &root(&label)).unwrap().ok_or_else(missing)?;
            let (state, entries, by) = match record.status {
                BatchStatus::Valid => ("valid".to_owned(), 0, "nobody"),
                BatchStatus::Changed(change) => (written(&change.state), change.entries, writer(&change.writer)),
            };
            let restores = if let BatchStatus::Changed(change) = record.status { change.restores } else { 0 };
            let history = listed(entries, |entry| {
                view.batch_entry(whose, &root(&label), entry).unwrap().map(|change| written(&change.state))
            });
            Ok(Facts::from([
                ("history", history),
                ("number", record.sequence.to_string()),
                ("number-under-accreditation", record.accreditation_sequence.to_string()),
                ("accreditation", record.accreditation.to_string()),
                ("authorisation", record.judged.authorisation.to_string()),
                ("order", record.judged.order.to_string()),
                ("key", record.key.to_string()),
                ("state", state),
                ("restores", restores.to_string()),
                ("entries", entries.to_string()),
                ("by", by.to_owned()),
            ]))
        }
        "credential" => {
            let number = credential(&words.word()?)?;
            words.expect("of")?;
            let whose = institution(&words.word()?)?;
            let record = view.status(whose, &handle(number)).unwrap().ok_or_else(missing)?;
            let history = listed(record.entries, |entry| {
                view.status_entry(whose, &handle(number), entry).unwrap().map(|change| written(&change.state))
            });
            let replaced = matches!(record.state, StatusState::Superseded { successor } if successor != [0; 32]);
            Ok(Facts::from([
                ("history", history),
                ("state", written(&record.state)),
                ("reason", written(&record.reason)),
                ("entries", record.entries.to_string()),
                ("restores", record.restores.to_string()),
                ("by", writer(&record.writer).to_owned()),
                ("replaced", replaced.to_string()),
            ]))
        }
        "permission" => {
            let mut ahead = words.clone();
            ahead.word()?;
            ahead.expect("of")?;
            let whose = institution(&ahead.word()?)?;
            let number = cast.permission(whose, words)?;
            words.expect("of")?;
            words.word()?;
            let record = view.permission(whose, number).unwrap().ok_or_else(missing)?;
            let history = listed(record.entries, |entry| {
                let entry = view.permission_entry(whose, number, entry).unwrap()?;
                Some(format!("{}:{}", written(&entry.state), entry.effective))
            });
            let stands = |known: &PermissionStanding| format!("{}:{}", written(&known.state), known.effective);
            let standing: Vec<_> = record.standing.as_slice().iter().map(stands).collect();
            let last = record.standing.newest().ok_or_else(missing)?;
            Ok(Facts::from([
                ("history", history),
                ("number", number.to_string()),
                ("standing", standing.join(",")),
                ("state", written(&last.state)),
                ("reason", written(&last.reason)),
                ("effective", last.effective.to_string()),
                ("from", record.window.first().to_string()),
                ("until", record.window.last().to_string()),
                ("conditional", record.conditional.to_string()),
                ("predecessor", record.predecessor.to_string()),
                ("entries", record.entries.to_string()),
                ("batches", view.permission_tally(whose, number).unwrap().to_string()),
            ]))
        }
        "key" => {
            let index = KeyIndex::new(words.number()?);
            words.expect("of")?;
            let whose = institution(&words.word()?)?;
            let record = view.key(whose, index).unwrap().ok_or_else(missing)?;
            let institution = view.institution(whose).unwrap().ok_or_else(missing)?;
            let state = match record.state {
                KeyState::Active => "active",
                KeyState::Retired { .. } => "retired",
            };
            let compromised = institution.facts.compromised_from(index);
            let history = listed(record.entries, |entry| {
                view.key_entry(whose, index, entry).unwrap().map(|entry| written(&entry.change))
            });
            Ok(Facts::from([
                ("history", history),
                ("state", state.to_owned()),
                ("entries", record.entries.to_string()),
                ("compromised", compromised.map_or_else(|| "no".to_owned(), |from| format!("from-{from}"))),
            ]))
        }
        "authority" => {
            let id = cast.authority(&words.word()?)?.id;
            let record = view.authority(id).unwrap().ok_or_else(missing)?;
            Ok(Facts::from([
                ("kind", written(&record.kind)),
                ("keys", record.keys.len().to_string()),
                ("threshold", record.threshold.to_string()),
                ("sequence", record.sequence.to_string()),
            ]))
        }
        "governance" => {
            let joint = view.joint().unwrap();
            let after = |height: u64| height.saturating_sub(chain.head().header.height.get()).to_string();
            Ok(Facts::from([
                ("authorities", joint.authorities.len().to_string()),
                ("members", joint.authorities.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
                ("sequence", joint.sequence.to_string()),
                ("version", joint.version.to_string()),
                ("announced", joint.upgrade_version.to_string()),
                ("blocks-until-upgrade", after(joint.upgrade_height.get())),
            ]))
        }
        other => Err(format!("{other:?} cannot be checked")),
    }
}

/// All entries of a history, oldest first; `missing` where one should be.
fn listed(entries: u32, read: impl Fn(u32) -> Option<String>) -> String {
    let entries = (1..=entries).map(|entry| read(entry).unwrap_or_else(|| "missing".to_owned()));
    entries.collect::<Vec<_>>().join(",")
}

/// `4,6..9`, or `none`.
fn ranges(ranges: &[CompromisedKeys]) -> String {
    let text = |range: &CompromisedKeys| match (range.first, range.last) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}..{last}"),
    };
    if ranges.is_empty() { "none".to_owned() } else { ranges.iter().map(text).collect::<Vec<_>>().join(",") }
}

/// A profile by the name from which it was made.
fn profile(profile: &ProfileHash) -> &'static str {
    if *profile == ProfileHash::new([0; 32]) { "none" } else { "given" }
}

const fn writer(writer: &Writer) -> &'static str {
    match writer {
        Writer::Institution { .. } => "institution",
        Writer::Authority { .. } => "authority",
    }
}
