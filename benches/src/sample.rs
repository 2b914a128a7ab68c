//! One credential on a ledger of a given size: document, bundle and trust file as a verifier receives them.

use sigeli_ledger::{
    memory::MemoryStore,
    prove::{Subject, stamp},
};
use sigeli_verifier::{
    batch::{BatchHeight, BatchTree},
    bundle::{Bundle, Receipt, Stamp, StampFile, StatusFinding, batch_tag, ledger_tag},
    credential::{Profile, document_digest, leaf_commitment, status_handle},
    encode::Encode as _,
    ids::{BlockId, DocumentDigest, InstitutionId, Leaf, LeafIndex, Salt, TimeMs},
    record::{batch_key, institution_key, status_key},
    register::value_hash,
    state::root_from_pair,
    trust::Trust,
    verdict::{DocumentDates, Freshness, Verdict, judge},
    verify::{handle_of, verify_document},
};

use crate::{random::Random, world::World};

/// How large the ledger is on which the credential stands.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Height of the credential's batch tree.
    pub batch_height: u8,
    /// Batches in the register.
    pub batches: usize,
    /// Institutions in the register.
    pub institutions: u32,
    /// Revocations in the institution's own register.
    pub revocations: usize,
    /// Signatures in the certificate, 3 or 4.
    pub signers: usize,
    /// Size of the document.
    pub document_bytes: usize,
}

/// A genuine credential, never revoked, with a fresh stamp.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The document, registered as it is.
    pub document: Vec<u8>,
    /// Its bundle.
    pub bundle: Bundle,
    /// A trust file's content that believes the ledger.
    pub trust: Trust,
    /// When the verifier asks.
    pub freshness: Freshness,
}

const INSTITUTION: InstitutionId = InstitutionId::new(1);

impl Sample {
    /// Builds the ledger and takes the bundle from it. What it returns convinces the verifier.
    ///
    /// # Panics
    /// When it does not, or the scale is outside the protocol's limits.
    #[must_use]
    pub fn draw(scale: &Scale, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let document = random.document(scale.document_bytes);
        let salt = Salt::new(random.bytes());
        let leaf = leaf_commitment(Profile::Raw, &salt, &document_digest(Profile::Raw, &document));

        let height = BatchHeight::new(scale.batch_height).expect("an allowed height");
        let mut leaves: Vec<_> = (0..height.leaf_count()).map(|_| Leaf::new(random.bytes())).collect();
        let index = height.leaf_count() / 3;
        leaves[usize::try_from(index).expect("32 bits fit")] = leaf;
        let tree = BatchTree::new(&leaves).expect("as many leaves as the height says");

        let mut world = World::found(MemoryStore::new(), scale.institutions, random.next());
        world.fill_batches(scale.batches.saturating_sub(1));
        let mut last = world.revocations(INSTITUTION, scale.revocations);
        last.push(world.anchor(INSTITUTION, tree.root(), height));
        let executed = world.execute(last);
        let certificate = world.certificate(&executed, scale.signers);
        world.commit(executed, certificate);

        let subject = Subject { institution: INSTITUTION, batch: tree.root(), handle: status_handle(&salt, &leaf) };
        let receipt = Receipt {
            profile: Profile::Raw,
            salt,
            institution: INSTITUTION,
            batch: batch_tag(&tree.root()),
            path: tree.path(LeafIndex::new(index)).expect("the index lies inside"),
        };
        let bundle = Bundle {
            ledger: ledger_tag(&world.chain().genesis().genesis_hash()),
            receipt,
            stamp: stamp(&world.chain().snapshot(), &subject, false).expect("the batch is anchored"),
        };
        let freshness = Freshness { at: TimeMs::new(world.now().get()), max_age_ms: 24 * 3_600_000 };
        let sample = Self { document, bundle, trust: world.trust(), freshness };
        let report = judge(&sample.bundle, &sample.digest(), &sample.trust, DocumentDates::default(), freshness);
        assert!(report.verdict() == Verdict::Valid, "the sample is genuine: {:?}", report.checks());
        sample
    }

    /// The document's digest.
    #[must_use]
    pub fn digest(&self) -> DocumentDigest {
        document_digest(self.bundle.receipt.profile, &self.document)
    }

    /// Single compressions that verifying takes beside the document's digest: nodes of paths, leaves, and the blocks of
    /// 64 bytes of what is longer. A lower bound: the verifier may compute a hash twice.
    #[must_use]
    pub fn compressions(&self) -> u32 {
        let Bundle { receipt, stamp: StampFile { stamp, .. }, .. } = &self.bundle;
        let of_value = |bytes: usize| bytes.div_ceil(64);
        let paths = usize::from(receipt.path.height().get())
            + usize::from(stamp.batch_path.depth())
            + usize::from(stamp.institution_path.depth())
            + usize::from(stamp.status_path.depth());
        // Leaf commitment (66 bytes: two blocks) and status handle; keys of the three registers and their leaves.
        let leaves = 2 + 1 + 3 + 3;
        let institution = stamp.institution.to_bytes().len() + 32;
        let values = of_value(stamp.batch.to_bytes().len()) + of_value(institution);
        // Own registers, the pair and its two siblings; the header (154 bytes); an address for each signer.
        let rest = 1 + 3 + of_value(2 + 32 + 8 + 8 + 32 + 32 + 32) + stamp.certificate.signatures().len();
        u32::try_from(paths + leaves + values + rest).expect("a few dozen")
    }
}

/// Steps 1 to 10 of the verifier and the header's id: all but the certificate's signatures, by the verifier's own functions.
/// What a verifier has to do for a header whose certificate it has verified before.
///
/// # Panics
/// When the bundle is not that of a genuine credential without a status and without optional sections.
#[must_use]
pub fn header_of(bundle: &Bundle, document: &DocumentDigest, trust: &Trust) -> BlockId {
    let Stamp { status, status_path, batch, batch_path, institution, institution_path, .. } = &bundle.stamp.stamp;
    let Stamp { header, keys_and_permissions, state_siblings, .. } = &bundle.stamp.stamp;
    let id = bundle.receipt.institution;
    let root = verify_document(bundle, document).expect("the document is the one registered");
    let ledger = trust.by_tag(&bundle.ledger).expect("the ledger is trusted");
    let trusted = ledger.set_at(header.height).expect("the height's validators are known");
    assert!(trusted.first_time <= header.time && header.time <= trusted.last_time);
    assert!(batch.height == bundle.receipt.path.height());
    let batches = batch_path.root_with(&batch_key(id, &root), &value_hash(&batch.to_bytes()));
    let batches = batches.expect("a canonical path");
    let StatusFinding::Absent(terminal) = status else { unreachable!("the sample has no status") };
    let statuses = status_path.root_without(&status_key(&handle_of(bundle, document)), terminal);
    let value = institution.value_from_parts(keys_and_permissions, &statuses.expect("a canonical path"));
    let institutions = institution_path.root_with(&institution_key(id), &value_hash(&value));
    let state = root_from_pair(&institutions.expect("a canonical path"), &batches, state_siblings);
    header.id(&ledger.genesis, &state, &trusted.set.hash())
}

#[cfg(test)]
mod tests {
    use sigeli_verifier::verify::verify;

    use super::*;

    const SMALL: Scale =
        Scale { batch_height: 5, batches: 20, institutions: 3, revocations: 10, signers: 3, document_bytes: 100 };

    #[test]
    fn a_seed_gives_one_sample_and_the_known_header_path_ends_in_the_verifiers_header() {
        let sample = Sample::draw(&SMALL, 1);
        assert_eq!(Sample::draw(&SMALL, 1).bundle.to_bytes(), sample.bundle.to_bytes());
        assert_ne!(Sample::draw(&SMALL, 2).bundle.to_bytes(), sample.bundle.to_bytes());
        let confirmed = verify(&sample.bundle, &sample.digest(), &sample.trust).unwrap();
        assert_eq!(header_of(&sample.bundle, &sample.digest(), &sample.trust), confirmed.header);
        assert_eq!(confirmed.confirmed_by, 3);
    }

    #[test]
    fn another_header_follows_from_another_proof() {
        let sample = Sample::draw(&SMALL, 1);
        let genuine = header_of(&sample.bundle, &sample.digest(), &sample.trust);
        let mut bundle = sample.bundle.clone();
        bundle.stamp.stamp.keys_and_permissions[0] ^= 1;
        assert_ne!(header_of(&bundle, &sample.digest(), &sample.trust), genuine);
    }
}
