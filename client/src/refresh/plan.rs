//! What is refreshed, grouped by institution and batch; and how much a node is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use sigeli_verifier::{
    batch::BatchHeight,
    ids::{BatchRoot, DocumentDigest, InstitutionId, RegisterKey},
    params::{BATCH_HEIGHT_MIN, REGISTER_PREFIX_BITS_MAX},
    register::RegisterPrefix,
};

/// The fewest credentials of an institution that shall share a prefix which a node is told, unless the caller says otherwise.
pub const ANONYMITY_MIN: u64 = 1_024;

/// How many first bits of a status key may be told, if an institution has at least so many credentials: as many as leave
/// `anonymity_min` of them under each prefix on average; at most 16, and 0 (the whole list) when there are too few.
#[must_use]
pub fn prefix_bits(credentials: u64, anonymity_min: u64) -> u8 {
    let groups = credentials / anonymity_min.max(1);
    groups.checked_ilog2().map_or(0, |bits| u8::try_from(bits).unwrap_or(u8::MAX).min(REGISTER_PREFIX_BITS_MAX))
}

/// The fewest credentials that a batch with a tree of this height has: it would be lower otherwise. The rest are decoys.
fn credentials_min(height: BatchHeight) -> u64 {
    if height.get() <= BATCH_HEIGHT_MIN { 1 } else { u64::from(height.leaf_count()) / 2 + 1 }
}

/// A credential and what is asked about it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The document.
    pub(super) file: PathBuf,
    /// Its digest.
    pub(super) digest: DocumentDigest,
    /// Its key in the institution's statuses.
    pub(super) key: RegisterKey,
}

/// The credentials of one institution, by batch.
#[derive(Debug, Default)]
pub(super) struct OfInstitution {
    pub(super) batches: BTreeMap<BatchRoot, (BatchHeight, Vec<Wanted>)>,
}

impl OfInstitution {
    /// The prefixes that are asked for: of one length, and together all that is wanted.
    pub(super) fn prefixes(&self, anonymity_min: u64) -> BTreeSet<RegisterPrefix> {
        let known = self.batches.values().map(|(height, _)| credentials_min(*height)).sum();
        let bits = prefix_bits(known, anonymity_min);
        let keys = || self.batches.values().flat_map(|(_, wanted)| wanted).map(|wanted| &wanted.key);
        let prefixes: BTreeSet<_> = keys().filter_map(|key| RegisterPrefix::of(key, bits)).collect();
        // Where half of all would be asked for one by one, the whole list tells less and costs little more.
        let all = 1_usize << bits;
        if prefixes.len() > all / 2 { BTreeSet::from([RegisterPrefix::ALL]) } else { prefixes }
    }
}

/// All that is wanted.
pub(super) type Plan = BTreeMap<InstitutionId, OfInstitution>;

#[cfg(test)]
mod tests {
    use sigeli_verifier::register;

    use super::*;

    #[test]
    fn no_prefix_has_fewer_credentials_than_asked_for() {
        assert_eq!(prefix_bits(0, 1_024), 0);
        assert_eq!(prefix_bits(2_047, 1_024), 0);
        assert_eq!(prefix_bits(2_048, 1_024), 1);
        assert_eq!(prefix_bits(65_537, 1_024), 6);
        assert_eq!(prefix_bits(1 << 30, 1_024), 16);
        assert_eq!(prefix_bits(u64::MAX, 0), 16);
        for credentials in [1, 1_000, 5_000, 70_000, 3_000_000_u64] {
            for anonymity_min in [1, 16, 1_000, 1 << 40] {
                let bits = prefix_bits(credentials, anonymity_min);
                assert!(bits == 0 || credentials >> bits >= anonymity_min);
                assert!(bits == 16 || credentials >> (bits + 1) < anonymity_min, "no more is downloaded than needed");
            }
        }
    }

    #[test]
    fn decoys_do_not_count() {
        let least = |height| credentials_min(BatchHeight::new(height).unwrap());
        assert_eq!((least(4), least(5), least(17)), (1, 17, 65_537));
        for height in 5..=20 {
            let height = BatchHeight::new(height).unwrap();
            let least = u32::try_from(credentials_min(height)).unwrap();
            assert_eq!(BatchHeight::for_credentials(least), Some(height));
            assert!(BatchHeight::for_credentials(least - 1) < Some(height));
        }
    }

    #[test]
    fn one_credential_asks_for_one_prefix_and_many_for_the_whole_list() {
        let wanted = |number: u32| Wanted {
            file: PathBuf::new(),
            digest: DocumentDigest::new([0; 32]),
            key: register::key(&number.to_le_bytes()),
        };
        let of = |count: u32| OfInstitution {
            batches: BTreeMap::from([(
                BatchRoot::new([1; 32]),
                (BatchHeight::new(17).unwrap(), (0..count).map(wanted).collect()),
            )]),
        };
        let one = of(1).prefixes(1_024);
        assert_eq!(one, BTreeSet::from([RegisterPrefix::of(&wanted(0).key, 6).unwrap()]));
        let few = of(20).prefixes(1_024);
        assert!(few.len() <= 20 && few.iter().all(|prefix| prefix.length() == 6));
        assert!((0..20).all(|number| few.iter().any(|prefix| prefix.contains(&wanted(number).key))));
        assert_eq!(of(10_000).prefixes(1_024), BTreeSet::from([RegisterPrefix::ALL]));
        assert_eq!(of(1).prefixes(1 << 40), BTreeSet::from([RegisterPrefix::ALL]));
    }
}
