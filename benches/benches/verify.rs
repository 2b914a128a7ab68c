//! The verifier's hot path, beside the bare primitives that it cannot do without.
//!
//! - `bundle_cold`: what one offline check does after its files were read: trust file and bundle decoded, document digested,
//!   all steps verified, eight lines judged.
//! - `header_known`: the same when this header's certificate was verified before, as in a batch of checks: everything but
//!   the signatures, and the trust file decoded already.
//! - `bare_*`: the same number of strict Ed25519 verifications, of compressions, and the digest of the same document.

use std::{collections::BTreeMap, hint::black_box, time::Duration};

use criterion::Criterion;
use sigeli_benches::{
    primitives::{BareSignatures, bare_compressions},
    random::Random,
    sample::{Sample, Scale, header_of},
};
use sigeli_verifier::{
    bundle::Bundle,
    credential::document_digest,
    decode::Decode as _,
    domain::DOCUMENT,
    encode::Encode as _,
    trust::Trust,
    verdict::{DocumentDates, Verdict, judge},
};

/// A year of a country's use, but for the number of batches, which is a fifteenth of it: four levels of one path.
const SCALE: Scale =
    Scale { batch_height: 17, batches: 16_384, institutions: 500, revocations: 200, signers: 3, document_bytes: 4_096 };

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    verify(&mut criterion);
    criterion.final_summary();
}

fn verify(criterion: &mut Criterion) {
    let sample = Sample::draw(&SCALE, 1);
    let (bundle_bytes, trust_bytes) = (sample.bundle.to_bytes(), sample.trust.to_bytes());
    let digest = sample.digest();
    let (signers, compressions) = (SCALE.signers, sample.compressions());

    let mut group = criterion.benchmark_group("verifier");
    group.sample_size(50).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));

    group.bench_function(format!("bundle_cold/bytes={},signatures={signers}", bundle_bytes.len()), |bencher| {
        bencher.iter(|| {
            let trust = Trust::from_bytes(black_box(&trust_bytes)).expect("a trust file");
            let bundle = Bundle::from_bytes(black_box(&bundle_bytes)).expect("a bundle");
            let digest = document_digest(bundle.receipt.profile, &sample.document);
            let dates = DocumentDates::default();
            let report = judge(&bundle, &digest, &trust, dates, sample.freshness);
            assert!(report.verdict() == Verdict::Valid);
        });
    });
    group.bench_function(format!("header_known/bytes={},signatures=0", bundle_bytes.len()), |bencher| {
        let known = BTreeMap::from([(
            header_of(&sample.bundle, &digest, &sample.trust),
            sample.bundle.stamp.stamp.certificate.clone(),
        )]);
        bencher.iter(|| {
            let bundle = Bundle::from_bytes(black_box(&bundle_bytes)).expect("a bundle");
            let digest = document_digest(bundle.receipt.profile, &sample.document);
            let header = header_of(&bundle, &digest, &sample.trust);
            assert!(known.get(&header) == Some(&bundle.stamp.stamp.certificate));
        });
    });

    let bare = BareSignatures::draw(signers, &mut Random::new(2));
    group.bench_function(format!("bare_signatures/count={signers}"), |bencher| {
        bencher.iter(|| assert!(black_box(&bare).verify()));
    });
    group.bench_function(format!("bare_compressions/count={compressions}"), |bencher| {
        bencher.iter(|| bare_compressions(black_box(compressions)));
    });
    // The same bytes as the verifier hashes, profile and document, but laid end to end.
    let message = [&[sample.bundle.receipt.profile.code()], &sample.document[..]].concat();
    group.bench_function(format!("bare_document_digest/bytes={}", message.len()), |bencher| {
        bencher.iter(|| DOCUMENT.hash(&[black_box(&message)]));
    });

    group.bench_function(format!("decode_bundle/bytes={}", bundle_bytes.len()), |bencher| {
        bencher.iter(|| Bundle::from_bytes(black_box(&bundle_bytes)).expect("a bundle"));
    });
    group.bench_function(format!("decode_trust/bytes={}", trust_bytes.len()), |bencher| {
        bencher.iter(|| Trust::from_bytes(black_box(&trust_bytes)).expect("a trust file"));
    });
    group.finish();
}
