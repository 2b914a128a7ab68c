//! Bitstring Status List v1.0 (W3C Recommendation, 2025): for wallets and verifiers that know no ledger.
//!
//! The list is made of what a quorum has confirmed about each credential, and of the places that the credentials themselves
//! name: `credentialStatus` of type `BitstringStatusListEntry` is part of the document that was registered, so that its
//! index cannot be changed afterwards. Only the institution can make the list: the ledger holds handles, which say nothing
//! about indexes.
//!
//! A bit is 1 in a list of purpose `revocation` when the credential has ended for good (revoked, replaced, its whole batch
//! revoked, or registered with a void key), and in one of purpose `suspension` while it is suspended. Entries of other
//! purposes are left out. All other places are 0, so that a list does not tell how many credentials there are.
//!
//! What this module does not do: sign. The institution secures the credential as it secures its others.

use std::{collections::BTreeMap, io::Write as _};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sigeli_verifier::{
    bundle::{Bundle, StatusFinding},
    credential::Profile,
    ids::TimeMs,
    record::{BatchState, BatchStatus, StatusState},
};

use crate::{
    document::{DocumentError, canonicalise},
    proof::compromised_from,
    values::rfc3339,
};

/// The fewest entries of a list, in bits: the Recommendation's, so that one entry hides among many.
pub const LENGTH_MIN: u32 = 131_072;

/// The most entries of a list, in bits: a list is at most 2 MiB before it is compressed.
pub const LENGTH_MAX: u32 = 16_777_216;

/// What a list says about credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// It has ended for good.
    Revocation,
    /// It is suspended.
    Suspension,
}

impl Purpose {
    /// Its name in the Recommendation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
        }
    }
}

/// Where a credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing stands against it.
    Valid,
    /// It is suspended.
    Suspended,
    /// It has ended for good.
    Ended,
}

/// Where the credential of a verified bundle stands. What has ended is not suspended any more.
#[must_use]
pub fn standing(bundle: &Bundle) -> Standing {
    let stamp = &bundle.stamp.stamp;
    let batch = match stamp.batch.status {
        BatchStatus::Changed(change) => match change.state {
            BatchState::Revoked => Standing::Ended,
            BatchState::Suspended => Standing::Suspended,
            BatchState::Reinstated | BatchState::Annulled => Standing::Valid,
        },
        BatchStatus::Valid => Standing::Valid,
    };
    let own = match stamp.status {
        StatusFinding::Present(record) => match record.state {
            StatusState::Revoked | StatusState::Superseded { .. } => Standing::Ended,
            StatusState::Suspended => Standing::Suspended,
            StatusState::Reinstated | StatusState::Annulled => Standing::Valid,
        },
        StatusFinding::Absent(_) => Standing::Valid,
    };
    if compromised_from(bundle).is_some() || [batch, own].contains(&Standing::Ended) {
        Standing::Ended
    } else if [batch, own].contains(&Standing::Suspended) {
        Standing::Suspended
    } else {
        Standing::Valid
    }
}

/// A credential's place in a list, as the credential names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where the list is published: its `statusListCredential`.
    pub list: String,
    /// Its purpose.
    pub purpose: Purpose,
    /// The index, from 0.
    pub index: u32,
}

/// Why no list is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BitstringError {
    /// The document cannot be read.
    #[error("{0}")]
    Document(#[from] DocumentError),
    /// An entry of `credentialStatus` is not one.
    #[error("an entry of credentialStatus has no {member} as the Recommendation has it")]
    Entry {
        /// What is missing or malformed.
        member: &'static str,
    },
    /// An index beyond the list.
    #[error("the index {index} of {list} is not below the length {length}: make lists longer")]
    Beyond {
        /// The list.
        list: String,
        /// The index.
        index: u32,
        /// The length in bits.
        length: u32,
    },
    /// Two credentials have one place: the status of either would be that of both.
    #[error("the place {index} of {list} was given to another credential too: neither can be reissued under it")]
    Taken {
        /// The list.
        list: String,
        /// The index.
        index: u32,
    },
    /// A length outside the limits.
    #[error("a list has {LENGTH_MIN} to {LENGTH_MAX} entries, a multiple of 8")]
    Length,
}

/// The places that a JSON credential names; none where it names none, or is of another form than JSON.
///
/// # Errors
/// [`BitstringError::Document`], [`BitstringError::Entry`].
pub fn places(file: &[u8], profile: Profile) -> Result<Vec<Place>, BitstringError> {
    if !matches!(profile, Profile::Jcs | Profile::Jades) {
        return Ok(Vec::new());
    }
    let canonical = canonicalise(file, Some(profile))?;
    let Ok(document) = serde_json::from_slice::<Value>(canonical.bytes()) else { return Ok(Vec::new()) };
    let entries = match document.get("credentialStatus") {
        None => return Ok(Vec::new()),
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let is_ours = |entry: &&Value| entry.get("type").and_then(Value::as_str) == Some("BitstringStatusListEntry");
    entries.iter().filter(is_ours).filter_map(|entry| place(entry).transpose()).collect()
}

fn place(entry: &Value) -> Result<Option<Place>, BitstringError> {
    let text = |member| entry.get(member).and_then(Value::as_str).ok_or(BitstringError::Entry { member });
    let purpose = match text("statusPurpose")? {
        "revocation" => Purpose::Revocation,
        "suspension" => Purpose::Suspension,
        _ => return Ok(None),
    };
    let index = text("statusListIndex")?;
    let is_decimal = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    let index = index.parse().ok().filter(|_| is_decimal);
    let index = index.ok_or(BitstringError::Entry { member: "statusListIndex" })?;
    Ok(Some(Place { list: text("statusListCredential")?.to_owned(), purpose, index }))
}

/// The bits of one list.
#[derive(Debug, Clone)]
struct Bits {
    set: Vec<u8>,
    taken: Vec<u8>,
}

/// Lists that are being made, by address and purpose.
#[derive(Debug, Clone)]
pub struct Lists {
    length: u32,
    lists: BTreeMap<(String, Purpose), Bits>,
}

/// What the credential of a list says beside its bits.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    /// The issuer's identifier, a URL or DID.
    pub issuer: &'a str,
    /// The time of the oldest block that it rests on.
    pub valid_from: TimeMs,
    /// Until when it may be relied on.
    pub valid_until: TimeMs,
}

impl Lists {
    /// No list yet; each will have `length` entries.
    ///
    /// # Errors
    /// [`BitstringError::Length`].
    pub fn new(length: u32) -> Result<Self, BitstringError> {
        if (LENGTH_MIN..=LENGTH_MAX).contains(&length) && length.is_multiple_of(8) {
            Ok(Self { length, lists: BTreeMap::new() })
        } else {
            Err(BitstringError::Length)
        }
    }

    /// Enters a credential at a place.
    ///
    /// # Errors
    /// [`BitstringError::Beyond`], [`BitstringError::Taken`].
    pub fn enter(&mut self, place: &Place, standing: Standing) -> Result<(), BitstringError> {
        let Place { list, purpose, index } = place;
        if *index >= self.length {
            return Err(BitstringError::Beyond { list: list.clone(), index: *index, length: self.length });
        }
        let bytes = usize::try_from(self.length / 8).expect("a list fits the memory");
        let bits = self
            .lists
            .entry((list.clone(), *purpose))
            .or_insert_with(|| Bits { set: vec![0; bytes], taken: vec![0; bytes] });
        // Index 0 is the leftmost bit: the most significant one of the first byte.
        let (byte, bit) = (usize::try_from(index / 8).expect("as above"), 0x80_u8 >> (index % 8));
        if bits.taken[byte] & bit != 0 {
            return Err(BitstringError::Taken { list: list.clone(), index: *index });
        }
        bits.taken[byte] |= bit;
        let is_set = match purpose {
            Purpose::Revocation => standing == Standing::Ended,
            Purpose::Suspension => standing == Standing::Suspended,
        };
        if is_set {
            bits.set[byte] |= bit;
        }
        Ok(())
    }

    /// The unsigned credentials, each with a name for its file: of its purpose and of the hash of its address.
    pub fn credentials(&self, published: Published<'_>) -> impl Iterator<Item = (String, String)> {
        self.lists.iter().map(move |((list, purpose), bits)| {
            let name = format!("{}-{}.json", purpose.name(), hex::encode(&Sha256::digest(list.as_bytes())[..8]));
            (name, credential(list, *purpose, bits, published))
        })
    }
}

/// The list compressed as the Recommendation has it: GZIP, base64url without padding, Multibase `u`. Without a time in it,
/// so that the same bits give the same text.
fn encoded(bits: &[u8]) -> String {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let packed = encoder.write_all(bits).and_then(|()| encoder.finish()).expect("a vector takes every write");
    format!("u{}", URL_SAFE_NO_PAD.encode(packed))
}

fn credential(list: &str, purpose: Purpose, bits: &Bits, published: Published<'_>) -> String {
    let ttl = published.valid_until.get().saturating_sub(published.valid_from.get());
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": list,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": published.issuer,
        "validFrom": rfc3339(published.valid_from),
        "validUntil": rfc3339(published.valid_until),
        "credentialSubject": {
            "id": format!("{list}#list"),
            "type": "BitstringStatusList",
            "statusPurpose": purpose.name(),
            "encodedList": encoded(&bits.set),
            "ttl": ttl,
        },
    });
    let mut out = serde_json::to_string_pretty(&credential).expect("texts and numbers always serialise");
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    const LIST: &str = "https://gtu.example/status/1";

    fn at(index: u32, purpose: Purpose) -> Place {
        Place { list: LIST.to_owned(), purpose, index }
    }

    fn published() -> Published<'static> {
        Published {
            issuer: "did:web:gtu.example",
            valid_from: TimeMs::new(1_795_510_800_000),
            valid_until: TimeMs::new(1_795_597_200_000),
        }
    }

    fn unpacked(text: &str) -> Vec<u8> {
        let packed = URL_SAFE_NO_PAD.decode(text.strip_prefix('u').unwrap()).unwrap();
        let mut bits = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bits).unwrap();
        bits
    }

    #[test]
    fn the_list_of_the_recommendation_is_read_and_an_empty_one_says_the_same() {
        // W3C Bitstring Status List v1.0, example 10: 131,072 entries, none set.
        let published = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA";
        assert_eq!(unpacked(published), vec![0; 16_384]);
        assert_eq!(unpacked(&encoded(&[0; 16_384])), vec![0; 16_384]);
    }

    #[test]
    fn bits_stand_where_the_credentials_say() {
        let mut lists = Lists::new(LENGTH_MIN).unwrap();
        for (index, standing) in [
            (0, Standing::Ended),
            (7, Standing::Valid),
            (9, Standing::Ended),
            (10, Standing::Suspended),
            (LENGTH_MIN - 1, Standing::Ended),
        ] {
            for purpose in [Purpose::Revocation, Purpose::Suspension] {
                lists.enter(&at(index, purpose), standing).unwrap();
            }
        }
        let made: Vec<_> = lists.credentials(published()).collect();
        assert_eq!(made.len(), 2);
        assert!(made[0].0.starts_with("revocation-") && made[1].0.starts_with("suspension-"));
        let bits = |text: &str| {
            let json: Value = serde_json::from_str(text).unwrap();
            unpacked(json["credentialSubject"]["encodedList"].as_str().unwrap())
        };
        let (revoked, suspended) = (bits(&made[0].1), bits(&made[1].1));
        assert_eq!((revoked[0], revoked[1], revoked[16_383], revoked.len()), (0x80, 0x40, 0x01, 16_384));
        assert_eq!(revoked.iter().map(|byte| byte.count_ones()).sum::<u32>(), 3);
        assert_eq!((suspended[1], suspended.iter().map(|byte| byte.count_ones()).sum::<u32>()), (0x20, 1));
        let json: Value = serde_json::from_str(&made[0].1).unwrap();
        assert_eq!(json["id"], LIST);
        assert_eq!(json["validUntil"], "2026-11-25T09:00:00.000Z");
        assert_eq!(json["credentialSubject"]["ttl"], 86_400_000);
        assert_eq!(made, lists.credentials(published()).collect::<Vec<_>>(), "made the same way each time");
    }

    #[test]
    fn places_are_inside_the_list_and_given_once() {
        let mut lists = Lists::new(LENGTH_MIN).unwrap();
        let beyond = lists.enter(&at(LENGTH_MIN, Purpose::Revocation), Standing::Valid);
        assert!(matches!(beyond, Err(BitstringError::Beyond { index: LENGTH_MIN, .. })));
        lists.enter(&at(5, Purpose::Revocation), Standing::Valid).unwrap();
        lists.enter(&at(5, Purpose::Suspension), Standing::Valid).unwrap();
        let taken = lists.enter(&at(5, Purpose::Revocation), Standing::Ended);
        assert!(matches!(taken, Err(BitstringError::Taken { index: 5, .. })));
        for (length, fits) in [
            (LENGTH_MIN - 8, false),
            (LENGTH_MIN, true),
            (LENGTH_MIN + 1, false),
            (LENGTH_MAX, true),
            (LENGTH_MAX + 8, false),
        ] {
            assert_eq!(Lists::new(length).is_ok(), fits, "{length}");
        }
    }

    #[test]
    fn places_are_read_as_the_recommendation_has_them() {
        let read = |status: Value| {
            let text = json!({ "credentialStatus": status }).to_string();
            places(text.as_bytes(), Profile::Jcs)
        };
        let entry = |purpose: &str, index: Value| {
            json!({"type": "BitstringStatusListEntry", "statusPurpose": purpose, "statusListIndex": index,
                "statusListCredential": LIST})
        };
        assert_eq!(read(entry("revocation", json!("94567"))), Ok(vec![at(94_567, Purpose::Revocation)]));
        let both = json!([entry("revocation", json!("1")), entry("suspension", json!("2")), entry("message", json!("3")),
            {"type": "StatusList2021Entry"}]);
        assert_eq!(read(both), Ok(vec![at(1, Purpose::Revocation), at(2, Purpose::Suspension)]));
        for index in [json!(1), json!("-1"), json!("+1"), json!(""), json!("1.0"), json!("4294967296"), Value::Null] {
            let error = Err(BitstringError::Entry { member: "statusListIndex" });
            assert_eq!(read(entry("revocation", index)), error);
        }
        assert_eq!(
            read(json!({"type": "BitstringStatusListEntry"})),
            Err(BitstringError::Entry { member: "statusPurpose" })
        );
        assert_eq!(places(b"{}", Profile::Jcs), Ok(Vec::new()));
        assert_eq!(places(b"%PDF", Profile::Raw), Ok(Vec::new()));
    }
}
