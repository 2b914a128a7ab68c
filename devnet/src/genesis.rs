//! The test ledger that a devnet founds: four authorities with one validator each, of equal weight.

use eyre::WrapErr as _;
use sigeli_ledger::{
    genesis::{ConsensusParameters, Genesis, GenesisAuthority, GenesisDocument},
    state::RegisteredValidator,
};
use sigeli_verifier::{
    block::Header,
    bounded::List,
    crypto::PublicKey,
    ids::{AuthorityId, EctsTenths, Height, TimeMs, VotingPower},
    params::{BATCH_HEIGHT_MIN, PROTOCOL_VERSION},
    record::Policy,
    transaction::{AuthorityKind, Name},
    trust::{Checkpoint, NetworkKind, Trust, TrustedLedger, TrustedSet},
    validators::Validator,
};

/// One of the four founding authorities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Founder {
    /// Its number.
    pub(crate) id: AuthorityId,
    /// Its short name, which its node, its home and its key file bear.
    pub(crate) name: &'static str,
    kind: AuthorityKind,
    name_ka: &'static str,
    name_en: &'static str,
}

/// The Ministry's number.
pub(crate) const MINISTRY: AuthorityId = AuthorityId::new(1);
/// The quality agency's number.
pub(crate) const NCEQE: AuthorityId = AuthorityId::new(2);

/// The four, in order of number.
pub(crate) const FOUNDERS: [Founder; 4] = [
    Founder {
        id: MINISTRY,
        name: "ministry",
        kind: AuthorityKind::Ministry,
        name_ka: "საქართველოს განათლების, მეცნიერებისა და ახალგაზრდობის სამინისტრო",
        name_en: "Ministry of Education, Science and Youth of Georgia",
    },
    Founder {
        id: NCEQE,
        name: "nceqe",
        kind: AuthorityKind::Nceqe,
        name_ka: "განათლების ხარისხის განვითარების ეროვნული ცენტრი",
        name_en: "National Center for Educational Quality Enhancement",
    },
    Founder {
        id: AuthorityId::new(3),
        name: "emis",
        kind: AuthorityKind::Emis,
        name_ka: "განათლების მართვის საინფორმაციო სისტემა",
        name_en: "Education Management Information System",
    },
    Founder {
        id: AuthorityId::new(4),
        name: "grena",
        kind: AuthorityKind::Operator,
        name_ka: "სამეცნიერო და საგანმანათლებლო ქსელების ასოციაცია „გრენა“",
        name_en: "Georgian Research and Educational Networking Association",
    },
];

/// The public keys that a founder brings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FounderKeys {
    /// What signs its transactions.
    pub(crate) authority: PublicKey,
    /// What signs its validator's votes.
    pub(crate) validator: PublicKey,
    /// What its node is known by.
    pub(crate) network: PublicKey,
}

/// The most credits (ECTS, in tenths) of one credential at any level. No law limits micro-credentials yet; a year's
/// work is 60.
pub(crate) const ECTS_MAX: EctsTenths = EctsTenths::new(600);
/// The least.
pub(crate) const ECTS_MIN: EctsTenths = EctsTenths::new(10);
/// High enough that `kills`, which anchors without a pause, never meets it.
const PER_DAY_MAX: u32 = 10_000_000;

/// The genesis of a test ledger, founded at `time`.
///
/// # Errors
/// When the keys do not make one: a key that stands twice.
pub(crate) fn genesis(keys: &[FounderKeys; 4], time: TimeMs) -> eyre::Result<Genesis> {
    let founders = || FOUNDERS.iter().zip(keys);
    let authorities = founders().map(|(founder, keys)| {
        Ok(GenesisAuthority {
            id: founder.id,
            kind: founder.kind,
            name_ka: Name::new(founder.name_ka)?,
            name_en: Name::new(founder.name_en)?,
            keys: List::new(vec![keys.authority])?,
            threshold: 1,
            log_keys: List::empty(),
        })
    });
    let mut validators: Vec<_> = founders()
        .map(|(founder, keys)| RegisteredValidator {
            validator: Validator { key: keys.validator, authority: founder.id, power: VotingPower::new(1) },
            network_key: keys.network,
        })
        .collect();
    validators.sort_by_key(|entry| entry.validator.key);
    let document = GenesisDocument {
        version: PROTOCOL_VERSION,
        kind: NetworkKind::Test,
        name_ka: Name::new("სიგელის სატესტო რეესტრი")?,
        name_en: Name::new("Sigeli test ledger on one machine")?,
        time,
        authorities: List::new(authorities.collect::<eyre::Result<_>>()?)?,
        validators: List::new(validators)?,
        observers: List::empty(),
        policy: Policy {
            ects_max: [ECTS_MAX; 8],
            ects_min: [ECTS_MIN; 8],
            ects_recognised_max: ECTS_MAX,
            batch_height_min: BATCH_HEIGHT_MIN,
            clock_tolerance_ms: 2 * 60 * 1_000,
            pilot_order_required: true,
            batches_per_day: PER_DAY_MAX,
            statuses_per_day: PER_DAY_MAX,
            changes_per_day: PER_DAY_MAX,
            approvals_min: 3,
        },
        consensus: ConsensusParameters::default(),
    };
    Genesis::new(document).wrap_err("the genesis document of the test ledger")
}

/// The trust file of a ledger whose validators never change: genesis as the checkpoint, and its one set for ever.
///
/// # Errors
/// When block 0 cannot be computed.
pub(crate) fn trust(genesis: &Genesis) -> eyre::Result<Trust> {
    let Header { height, time, .. } = genesis.genesis_block()?.header;
    let ledger = TrustedLedger {
        genesis: genesis.genesis_hash(),
        kind: genesis.document().kind,
        name_ka: genesis.document().name_ka.clone(),
        name_en: genesis.document().name_en.clone(),
        checkpoint: Checkpoint { height, time, id: genesis.genesis_block()?.header.id() },
        sets: vec![TrustedSet {
            first_height: Height::new(1),
            last_height: Height::new(u64::MAX),
            first_time: time,
            last_time: TimeMs::new(u64::MAX),
            set: genesis.validator_set().clone(),
        }],
    };
    Trust::new(vec![ledger]).ok_or_else(|| eyre::eyre!("one ledger makes a trust file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigeli::keys::SecretKey;
    use sigeli_verifier::{decode::Decode as _, encode::Encode as _};

    fn keys() -> [FounderKeys; 4] {
        let key = |seed: u8| SecretKey::from_seed(&[seed; 32]).public();
        [1, 2, 3, 4].map(|n| FounderKeys { authority: key(n), validator: key(n + 10), network: key(n + 20) })
    }

    #[test]
    fn the_document_survives_its_encoding_and_no_authority_can_stop_the_ledger_alone() {
        let genesis = genesis(&keys(), TimeMs::new(1_795_000_000_000)).unwrap();
        let read = Genesis::from_bytes(&genesis.to_bytes()).unwrap();
        assert_eq!(read.genesis_hash(), genesis.genesis_hash());
        assert_eq!(read.document().kind, NetworkKind::Test);
        let set = genesis.validator_set();
        assert_eq!((set.validators().len(), set.total_power(), set.faulty_power_max()), (4, 4, 1));
        assert!(set.is_quorum(3) && !set.is_quorum(2));
    }

    #[test]
    fn the_trust_file_names_this_ledger_and_its_set() {
        let genesis = genesis(&keys(), TimeMs::new(1_795_000_000_000)).unwrap();
        let trust = trust(&genesis).unwrap();
        let read = Trust::from_bytes(&trust.to_bytes()).unwrap();
        let ledger = &read.ledgers()[0];
        assert_eq!(ledger.genesis, genesis.genesis_hash());
        assert_eq!(ledger.set_at(Height::new(1)).unwrap().set.hash(), genesis.validator_set().hash());
        assert_eq!(ledger.checkpoint.id, genesis.commit().unwrap().head.id);
    }

    #[test]
    fn a_key_that_stands_twice_founds_nothing() {
        let mut keys = keys();
        keys[3].authority = keys[0].authority;
        assert!(genesis(&keys, TimeMs::new(1)).is_err());
    }
}
