//! The trust file: which ledgers a verifier believes, and whose signatures (`docs/protocol.md` §11).

use alloc::vec::Vec;

use crate::{
    decode::{Decode, DecodeError, Reader},
    domain,
    encode::{Encode, put_list},
    ids::{BlockId, GenesisHash, Height, TimeMs},
    params::{TRUST_BYTES_MAX, TRUST_LEDGERS_MAX, TRUST_SETS_MAX},
    transaction::Name,
    validators::ValidatorSet,
};

pub use crate::codes::NetworkKind;

/// First bytes of a trust file: name and version.
pub const TRUST_MAGIC: [u8; 8] = *b"SIGELIT\x01";

/// A header that the verifier's owner has pinned. It never moves back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its height.
    pub height: Height,
    /// Its time.
    pub time: TimeMs,
    /// Its id.
    pub id: BlockId,
}

impl Encode for Checkpoint {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.time.encode(out);
        self.id.encode(out);
    }
}

impl Decode for Checkpoint {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { height: Height::decode(reader)?, time: TimeMs::decode(reader)?, id: BlockId::decode(reader)? })
    }
}

/// A validator set and the heights and times for which its signatures count, all ends inclusive. The set in force has
/// the largest number as its last height and time, since nobody knows yet when it ends; the light step
/// ([`crate::light`]) writes the end once the ledger has passed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedSet {
    /// The first height that it commits.
    pub first_height: Height,
    /// The last height that it commits.
    pub last_height: Height,
    /// The earliest time of a header that it commits.
    pub first_time: TimeMs,
    /// The latest time of a header that it commits.
    pub last_time: TimeMs,
    /// The set.
    pub set: ValidatorSet,
}

impl Encode for TrustedSet {
    fn encode(&self, out: &mut Vec<u8>) {
        self.first_height.encode(out);
        self.last_height.encode(out);
        self.first_time.encode(out);
        self.last_time.encode(out);
        self.set.encode(out);
    }
}

impl Decode for TrustedSet {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let set = Self {
            first_height: Height::decode(reader)?,
            last_height: Height::decode(reader)?,
            first_time: TimeMs::decode(reader)?,
            last_time: TimeMs::decode(reader)?,
            set: ValidatorSet::decode(reader)?,
        };
        if set.first_height > set.last_height || set.first_time > set.last_time {
            return Err(DecodeError::NonCanonical { field: "trusted_range" });
        }
        Ok(set)
    }
}

/// One ledger that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedLedger {
    /// Its identity.
    pub genesis: GenesisHash,
    /// Whether what it says counts.
    pub kind: NetworkKind,
    /// Its name in Georgian.
    pub name_ka: Name,
    /// Its name in English.
    pub name_en: Name,
    /// The newest pinned header.
    pub checkpoint: Checkpoint,
    /// Its validator sets, in ascending order of height, without overlap.
    pub sets: Vec<TrustedSet>,
}

impl TrustedLedger {
    /// The set that commits this height, if it is known.
    #[must_use]
    pub fn set_at(&self, height: Height) -> Option<&TrustedSet> {
        self.sets.iter().find(|trusted| trusted.first_height <= height && height <= trusted.last_height)
    }

    /// Whether this is a header at the height of the pinned one, and not that one.
    #[must_use]
    pub fn is_other_than_pinned(&self, height: Height, id: BlockId) -> bool {
        height == self.checkpoint.height && id != self.checkpoint.id
    }
}

impl Encode for TrustedLedger {
    fn encode(&self, out: &mut Vec<u8>) {
        self.genesis.encode(out);
        self.kind.encode(out);
        self.name_ka.encode(out);
        self.name_en.encode(out);
        self.checkpoint.encode(out);
        put_list(out, &self.sets);
    }
}

impl Decode for TrustedLedger {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ledger = Self {
            genesis: GenesisHash::decode(reader)?,
            kind: NetworkKind::decode(reader)?,
            name_ka: Name::decode(reader)?,
            name_en: Name::decode(reader)?,
            checkpoint: Checkpoint::decode(reader)?,
            sets: reader.list("trusted_sets", TRUST_SETS_MAX)?,
        };
        let ascending = ledger.sets.is_sorted_by(|left, right| left.last_height < right.first_height);
        if ascending && !ledger.sets.is_empty() {
            Ok(ledger)
        } else {
            Err(DecodeError::NonCanonical { field: "trusted_sets" })
        }
    }
}

/// The ledgers a verifier believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// In ascending order of genesis hash, each once.
    ledgers: Vec<TrustedLedger>,
}

impl Trust {
    /// Takes ledgers in any order; `None` when there are none, too many, or one twice.
    #[must_use]
    pub fn new(mut ledgers: Vec<TrustedLedger>) -> Option<Self> {
        ledgers.sort_by_key(|ledger| ledger.genesis);
        let distinct = ledgers.is_sorted_by(|left, right| left.genesis < right.genesis);
        (distinct && !ledgers.is_empty() && ledgers.len() <= TRUST_LEDGERS_MAX).then_some(Self { ledgers })
    }

    /// The ledgers.
    #[must_use]
    pub fn ledgers(&self) -> &[TrustedLedger] {
        &self.ledgers
    }

    /// The ledger whose genesis hash starts with these bytes, if exactly one does.
    #[must_use]
    pub fn by_tag(&self, tag: &[u8; 8]) -> Option<&TrustedLedger> {
        let mut found = self.ledgers.iter().filter(|ledger| ledger.genesis.as_bytes().starts_with(tag));
        match (found.next(), found.next()) {
            (Some(ledger), None) => Some(ledger),
            _ => None,
        }
    }

    /// Magic and ledgers: what the checksum is over.
    fn content(&self) -> Vec<u8> {
        let mut content = TRUST_MAGIC.to_vec();
        put_list(&mut content, &self.ledgers);
        content
    }

    /// The checksum that ends the file. It tells damage from content, so that a damaged file is refused and never makes a
    /// genuine credential look false; whoever forges a file computes it anew.
    #[must_use]
    pub fn checksum(&self) -> [u8; 32] {
        domain::TRUST_FILE.hash(&[&self.content()])
    }
}

impl Encode for Trust {
    fn encode(&self, out: &mut Vec<u8>) {
        let content = self.content();
        out.extend_from_slice(&content);
        out.extend_from_slice(&domain::TRUST_FILE.hash(&[&content]));
    }
}

impl Decode for Trust {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.remaining() > TRUST_BYTES_MAX {
            return Err(DecodeError::LimitExceeded { field: "trust_file", limit: TRUST_BYTES_MAX });
        }
        if reader.array::<8>("magic")? != TRUST_MAGIC {
            return Err(DecodeError::NonCanonical { field: "magic" });
        }
        let ledgers = reader.list::<TrustedLedger>("ledgers", TRUST_LEDGERS_MAX)?;
        let ordered = ledgers.is_sorted_by(|left, right| left.genesis < right.genesis);
        let stated = reader.array::<32>("checksum")?;
        let Some(trust) = Self::new(ledgers).filter(|_| ordered) else {
            return Err(DecodeError::NonCanonical { field: "ledgers" });
        };
        // What was read has one encoding, so that its checksum is that of the bytes.
        if trust.checksum() == stated { Ok(trust) } else { Err(DecodeError::NonCanonical { field: "checksum" }) }
    }
}
