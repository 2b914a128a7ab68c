//! The eight lines and the four verdicts.

use std::collections::BTreeSet;

use sigeli_verifier::{
    bundle::Bundle,
    codes::StatusReason,
    ids::{BlockId, Height, PermissionId, TimeMs},
    params::CLOCK_TOLERANCE_MS,
    record::{BatchState, BatchStatus, PermissionState, StatusState, Writer},
    time::{Day, Window},
    trust::{Checkpoint, Trust},
    verdict::{CheckId, CheckState, DocumentDates, Finding, Freshness, Reading, Report, SealState, Verdict, judge},
};

use crate::common::world::{
    CREDENTIALS, HEADER_TIME, Setup, World, batch_change, by_key, by_order, closed, digest, status,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const READABLE: DocumentDates = DocumentDates { from: None, until: None, readable: true };
const SOON: Freshness = Freshness { at: TimeMs::new(HEADER_TIME + 1_000), max_age_ms: DAY_MS };

fn at(time: u64) -> Freshness {
    Freshness { at: TimeMs::new(time), max_age_ms: DAY_MS }
}

fn found(report: &Report<'_>, id: CheckId) -> Finding {
    report.checks().iter().find(|check| check.id == id).unwrap().finding
}

/// Judges and holds the answer to the rules, which are written here a second time.
fn judged<'a>(
    bundle: &'a Bundle,
    credential: usize,
    trust: &'a Trust,
    dates: DocumentDates,
    freshness: Freshness,
) -> Report<'a> {
    let report = judge(bundle, &digest(credential), trust, dates, freshness);
    check_rules(&report);
    report
}

fn check_rules(report: &Report<'_>) {
    assert_eq!(report.checks().map(|check| check.id), CheckId::ALL);
    let states = report.checks().map(|check| check.finding.state());
    let expected = if states[..5].contains(&CheckState::Fail) {
        Verdict::NotGenuine
    } else if states[..6].contains(&CheckState::Unknown) {
        Verdict::Unchecked
    } else if states[5..7].contains(&CheckState::Fail) {
        Verdict::Ended
    } else {
        Verdict::Valid
    };
    assert_eq!(report.verdict(), expected);
    assert_eq!(report.confirmed().is_some(), states[2] == CheckState::Pass, "facts come with a confirmed ledger");
}

fn line_and_verdict(world: &World, credential: usize, freshness: Freshness, line: CheckId) -> (Finding, Verdict) {
    let bundle = world.bundle(credential, false);
    let report = judged(&bundle, credential, &world.trust, READABLE, freshness);
    (found(&report, line), report.verdict())
}

#[test]
fn a_valid_credential_passes_every_line_but_the_seal() {
    let world = World::new();
    let bundle = world.bundle(0, true);
    let report = judged(&bundle, 0, &world.trust, READABLE, SOON);
    use Finding as F;
    assert_eq!(
        report.checks().map(|check| check.finding),
        [
            F::DocumentMatches,
            F::Registered,
            F::Confirmed,
            F::Authorised,
            F::Accredited,
            F::NotRevoked,
            F::InForce,
            F::SealNotChecked
        ]
    );
    assert_eq!((report.verdict(), report.verdict().exit_code()), (Verdict::Valid, 0));
    let confirmed = report.confirmed().unwrap();
    assert_eq!(confirmed.header, world.header_id());
    assert_eq!((confirmed.confirmed_by, confirmed.validators), (3, 4));
    assert_eq!(confirmed.time, TimeMs::new(HEADER_TIME));
    assert_eq!(confirmed.institution.name_en.as_str(), "Georgian Technical University");
}

/// What a reader of the document found: a contradiction counts where line 5 had passed, a seal never.
#[test]
fn a_contradiction_makes_it_false_and_a_seal_changes_nothing() {
    let world = World::new();
    let bundle = world.bundle(0, true);
    let seals = [
        (SealState::Absent, Finding::SealAbsent),
        (SealState::Valid, Finding::SealValid),
        (SealState::Broken, Finding::SealBroken),
        (SealState::NotChecked, Finding::SealNotChecked),
    ];
    for (seal, finding) in seals {
        for (contradicts, programme, verdict) in
            [(false, Finding::Accredited, Verdict::Valid), (true, Finding::Contradicted, Verdict::NotGenuine)]
        {
            let report = judged(&bundle, 0, &world.trust, READABLE, SOON).with_reading(Reading { contradicts, seal });
            check_rules(&report);
            assert_eq!((found(&report, CheckId::Programme), report.verdict()), (programme, verdict));
            assert_eq!(found(&report, CheckId::Seal), finding);
            assert_eq!(found(&report, CheckId::Status), Finding::NotRevoked, "the other lines stay");
        }
    }
    let unchecked = Report::unchecked(CheckId::Ledger, Finding::TrustUnreadable)
        .with_reading(Reading { contradicts: true, seal: SealState::Valid });
    assert_eq!(found(&unchecked, CheckId::Programme), Finding::NotReached, "nothing was confirmed to contradict");
    assert_eq!(unchecked.verdict(), Verdict::Unchecked);
}

#[test]
fn statuses_end_a_credential_and_only_the_final_ones_outlive_the_stamp() {
    let world = World::new();
    let late = at(HEADER_TIME + DAY_MS + 1);
    let behind = at(HEADER_TIME - CLOCK_TOLERANCE_MS - 1);
    let status = |credential, freshness| line_and_verdict(&world, credential, freshness, CheckId::Status);
    assert_eq!(status(4, SOON), (Finding::Suspended, Verdict::Ended));
    assert_eq!(status(5, SOON), (Finding::Reinstated, Verdict::Valid));
    assert_eq!(status(8, SOON), (Finding::Annulled, Verdict::Valid));
    assert_eq!(status(9, SOON), (Finding::Revoked, Verdict::Ended), "by order");
    for (credential, finding) in [(6, Finding::Revoked), (7, Finding::Superseded)] {
        for freshness in [SOON, late, behind] {
            assert_eq!(status(credential, freshness), (finding, Verdict::Ended));
        }
    }
    // What the quality agency ordered it may have annulled since.
    for credential in [0, 4, 5, 8, 9] {
        assert_eq!(status(credential, late), (Finding::StatusStale, Verdict::Unchecked));
        assert_eq!(status(credential, behind), (Finding::ClockBehind, Verdict::Unchecked));
    }
}

#[test]
fn a_revoked_batch_ends_each_of_its_credentials() {
    for writer in [by_key(1), by_order()] {
        let revoked = batch_change(BatchState::Revoked, StatusReason::IssuedInError, writer, 1);
        let world = World::with(Setup { batch_status: revoked, ..Setup::default() });
        for credential in 0..CREDENTIALS {
            let answer = |freshness| line_and_verdict(&world, credential, freshness, CheckId::Status);
            let revoked = (Finding::BatchRevoked, Verdict::Ended);
            assert_eq!(answer(SOON), revoked);
            // The credentials' own ends, where they are the institution's, outlive the stamp too.
            let old = match (writer, credential) {
                (Writer::Institution { .. }, _) => revoked,
                (Writer::Authority { .. }, 6) => (Finding::Revoked, Verdict::Ended),
                (Writer::Authority { .. }, 7) => (Finding::Superseded, Verdict::Ended),
                (Writer::Authority { .. }, _) => (Finding::StatusStale, Verdict::Unchecked),
            };
            assert_eq!(answer(at(HEADER_TIME + 10 * DAY_MS)), old);
        }
    }
}

/// The credential's own states, as 0 (nothing written) to 5.
fn own_states() -> [Option<StatusState>; 6] {
    [
        None,
        Some(StatusState::Suspended),
        Some(StatusState::Reinstated),
        Some(StatusState::Revoked),
        Some(StatusState::Superseded { successor: [1; 32] }),
        Some(StatusState::Annulled),
    ]
}

/// The whole table, written out: each state of a batch against each of a credential.
#[test]
fn an_end_comes_before_a_suspension_and_the_batch_before_the_credential() {
    use Finding as F;
    let table = [
        (None, [F::NotRevoked, F::Suspended, F::Reinstated, F::Revoked, F::Superseded, F::Annulled]),
        (
            Some(BatchState::Suspended),
            [F::BatchSuspended, F::BatchSuspended, F::BatchSuspended, F::Revoked, F::Superseded, F::BatchSuspended],
        ),
        (
            Some(BatchState::Reinstated),
            [F::Reinstated, F::Suspended, F::Reinstated, F::Revoked, F::Superseded, F::Annulled],
        ),
        (Some(BatchState::Revoked), [F::BatchRevoked; 6]),
        (
            Some(BatchState::Annulled),
            [F::Annulled, F::Suspended, F::Reinstated, F::Revoked, F::Superseded, F::Annulled],
        ),
    ];
    for (batch, row) in table {
        for (own, expected) in own_states().into_iter().zip(row) {
            for writer in [by_key(1), by_order()] {
                let record = |state| status(state, StatusReason::Unspecified, writer, 1);
                let batch_status =
                    batch.map_or(BatchStatus::Valid, |state| batch_change(state, StatusReason::Unspecified, writer, 1));
                let statuses = own.map(|state| (0, record(state))).into_iter().collect();
                let world = World::with(Setup { batch_status, statuses, ..Setup::default() });
                let is_own = matches!(writer, Writer::Institution { .. });
                let is_end = is_own && matches!(expected, F::BatchRevoked | F::Revoked | F::Superseded);
                let ended = if expected.state() == CheckState::Fail { Verdict::Ended } else { Verdict::Valid };
                let answer = |freshness| line_and_verdict(&world, 0, freshness, CheckId::Status);
                assert_eq!(answer(SOON), (expected, ended), "{batch:?} {own:?}");
                // Of an old stamp only an end that the institution has written is told.
                let old = if is_end { (expected, Verdict::Ended) } else { (F::StatusStale, Verdict::Unchecked) };
                assert_eq!(answer(at(HEADER_TIME + 2 * DAY_MS)), old, "{batch:?} {own:?}");
            }
        }
    }
}

#[test]
fn an_end_by_order_or_with_a_void_key_counts_while_the_stamp_is_fresh_and_is_not_final() {
    use Finding as F;
    let late = at(HEADER_TIME + 2 * DAY_MS);
    let behind = at(HEADER_TIME - CLOCK_TOLERANCE_MS - 1);
    // Everything in the fixture was written at height 6; key 1 did not sign the batch.
    let answers = |from: u64, batch: Option<Writer>, own: Option<Writer>| {
        let revoked = |writer| batch_change(BatchState::Revoked, StatusReason::IssuedInError, writer, 1);
        let record = |writer| status(StatusState::Revoked, StatusReason::IssuedInError, writer, 1);
        let world = World::with(Setup {
            compromised: vec![(1, from)],
            batch_status: batch.map_or(BatchStatus::Valid, revoked),
            statuses: own.map(|writer| (0, record(writer))).into_iter().collect(),
            ..Setup::default()
        });
        [SOON, late, behind].map(|freshness| line_and_verdict(&world, 0, freshness, CheckId::Status).0)
    };
    assert_eq!(answers(6, None, Some(by_key(1))), [F::Revoked, F::StatusStale, F::ClockBehind]);
    assert_eq!(answers(7, None, Some(by_key(1))), [F::Revoked; 3]);
    assert_eq!(answers(0, None, Some(by_order())), [F::Revoked, F::StatusStale, F::ClockBehind]);
    assert_eq!(answers(0, None, Some(by_key(2))), [F::Revoked; 3]);
    assert_eq!(answers(6, Some(by_key(1)), None), [F::BatchRevoked, F::StatusStale, F::ClockBehind]);
    assert_eq!(answers(7, Some(by_key(1)), None), [F::BatchRevoked; 3]);
    // The batch's end may be annulled; the credential's own may not, and then it is what stays.
    assert_eq!(answers(6, Some(by_key(1)), Some(by_key(2))), [F::BatchRevoked, F::Revoked, F::Revoked]);
    assert_eq!(answers(7, Some(by_order()), Some(by_key(1))), [F::BatchRevoked, F::Revoked, F::Revoked]);
    assert_eq!(answers(6, Some(by_order()), Some(by_key(1))), [F::BatchRevoked, F::StatusStale, F::ClockBehind]);
}

#[test]
fn a_stamp_is_fresh_up_to_its_largest_age_and_not_a_millisecond_longer() {
    let world = World::new();
    let status = |freshness| line_and_verdict(&world, 0, freshness, CheckId::Status);
    assert_eq!(status(at(HEADER_TIME + DAY_MS)), (Finding::NotRevoked, Verdict::Valid));
    assert_eq!(status(at(HEADER_TIME + DAY_MS + 1)), (Finding::StatusStale, Verdict::Unchecked));
    let none = Freshness { at: TimeMs::new(HEADER_TIME), max_age_ms: 0 };
    assert_eq!(status(none), (Finding::NotRevoked, Verdict::Valid));
    let any = Freshness { at: TimeMs::new(u64::MAX), max_age_ms: u64::MAX };
    assert_eq!(status(any), (Finding::NotRevoked, Verdict::Valid));
}

#[test]
fn a_clock_may_be_behind_stamp_and_checkpoint_by_the_tolerance() {
    let world = World::new();
    let status = |freshness| line_and_verdict(&world, 0, freshness, CheckId::Status);
    assert_eq!(status(at(HEADER_TIME - CLOCK_TOLERANCE_MS)), (Finding::NotRevoked, Verdict::Valid));
    assert_eq!(status(at(HEADER_TIME - CLOCK_TOLERANCE_MS - 1)), (Finding::ClockBehind, Verdict::Unchecked));
    assert_eq!(status(at(0)), (Finding::ClockBehind, Verdict::Unchecked));

    // A checkpoint that is newer than the stamp binds the clock as well.
    let newer = HEADER_TIME + 10_000_000;
    let mut ledgers = world.trust.ledgers().to_vec();
    for ledger in &mut ledgers {
        let id = BlockId::new([9; 32]);
        ledger.checkpoint = Checkpoint { height: Height::new(9), time: TimeMs::new(newer), id };
    }
    let trust = Trust::new(ledgers).unwrap();
    let bundle = world.bundle(0, false);
    let finding = |time| found(&judged(&bundle, 0, &trust, READABLE, at(time)), CheckId::Status);
    assert_eq!(finding(newer - CLOCK_TOLERANCE_MS), Finding::NotRevoked);
    assert_eq!(finding(newer - CLOCK_TOLERANCE_MS - 1), Finding::ClockBehind);
}

#[test]
fn a_documents_own_dates_end_it_both_ends_inclusive() {
    let world = World::new();
    let bundle = world.bundle(0, false);
    let now = SOON.at.get();
    let dates = |from: Option<u64>, until: Option<u64>, readable| {
        let dates = DocumentDates { from: from.map(TimeMs::new), until: until.map(TimeMs::new), readable };
        let report = judged(&bundle, 0, &world.trust, dates, SOON);
        (found(&report, CheckId::Dates), report.verdict())
    };
    assert_eq!(dates(Some(now), Some(now), true), (Finding::InForce, Verdict::Valid));
    assert_eq!(dates(None, Some(now - 1), true), (Finding::Expired, Verdict::Ended));
    assert_eq!(dates(Some(now + 1), None, true), (Finding::NotYetValid, Verdict::Ended));
    assert_eq!(dates(Some(now + 1), Some(now - 1), true), (Finding::Expired, Verdict::Ended));
    // An opaque file: grey, and still valid, since line 7 cannot make a verdict "unchecked".
    assert_eq!(dates(None, None, false), (Finding::DatesUnknown, Verdict::Valid));
}

#[test]
fn an_accreditation_that_ended_since_is_said_to_have_and_changes_nothing() {
    let header_day = Day::of(TimeMs::new(HEADER_TIME));
    let ending = Window::new(Day::new(header_day.get() - 100), header_day).unwrap();
    let world = World::with(Setup { accreditation_window: ending, ..Setup::default() });
    let programme = |with_permission, time| {
        let bundle = world.bundle(0, with_permission);
        let freshness = Freshness { at: TimeMs::new(time), max_age_ms: 10 * DAY_MS };
        let report = judged(&bundle, 0, &world.trust, READABLE, freshness);
        (found(&report, CheckId::Programme), report.verdict())
    };
    // The last day ends at midnight in Tbilisi, 20:00 UTC.
    let midnight = HEADER_TIME + 8 * 60 * 60 * 1_000;
    assert_eq!(programme(true, midnight - 1), (Finding::Accredited, Verdict::Valid));
    assert_eq!(programme(true, midnight), (Finding::AccreditedThen, Verdict::Valid));
    // Without the section the line speaks as of registration.
    assert_eq!(programme(false, midnight), (Finding::Accredited, Verdict::Valid));
}

/// Noon in Tbilisi on a day.
fn noon(day: Day) -> TimeMs {
    TimeMs::new(u64::try_from(day.get()).unwrap() * DAY_MS + DAY_MS / 3)
}

#[test]
fn an_accreditation_that_does_not_hold_for_now_is_said_not_to() {
    let effective = Day::new(Day::of(TimeMs::new(HEADER_TIME)).get() + 30);
    let by = PermissionId::new(4);
    let (suspended, active) = (PermissionState::Suspended, PermissionState::Active);
    // What is announced for the day, and for 400 days later; whether it holds the day before, on the day, and long after.
    let standings: [(&[PermissionState], [bool; 3]); 8] = [
        (&[], [true, true, true]),
        (&[active], [true, true, true]),
        (&[suspended], [true, false, false]),
        (&[suspended, active], [true, false, true]),
        (&[PermissionState::Withdrawn], [true, false, false]),
        (&[suspended, PermissionState::Withdrawn], [true, false, false]),
        (&[PermissionState::Replaced { by }], [true, false, false]),
        (&[PermissionState::Restored { by }], [true, true, true]),
    ];
    for (states, expected) in standings {
        let days = [effective, Day::new(effective.get() + 400)];
        let announced = states.iter().copied().zip(days).collect();
        let world = World::with(Setup { announced, ..Setup::default() });
        for (offset, holds) in [-1, 0, 500].into_iter().zip(expected) {
            let day = Day::new(effective.get() + offset);
            let freshness = Freshness { at: noon(day), max_age_ms: u64::MAX };
            let programme = |with_permission| {
                let bundle = world.bundle(0, with_permission);
                let report = judged(&bundle, 0, &world.trust, READABLE, freshness);
                (found(&report, CheckId::Programme), report.verdict())
            };
            let expected = if holds { Finding::Accredited } else { Finding::AccreditedThen };
            // What came later never takes away what was: the verdict stays.
            assert_eq!(programme(true), (expected, Verdict::Valid), "{states:?} {offset}");
            assert_eq!(programme(false), (Finding::Accredited, Verdict::Valid));
        }
    }
}

#[test]
fn an_institution_closed_since_is_said_to_be_and_changes_nothing() {
    let from = Day::new(Day::of(TimeMs::new(HEADER_TIME)).get() + 30);
    let world = World::with(Setup { institution: closed(from), ..Setup::default() });
    let institution = |time: u64| {
        let freshness = Freshness { at: TimeMs::new(time), max_age_ms: u64::MAX };
        line_and_verdict(&world, 0, freshness, CheckId::Institution)
    };
    // The day begins at midnight in Tbilisi, 20:00 UTC of the day before.
    let midnight = u64::try_from(from.get()).unwrap() * DAY_MS - DAY_MS / 6;
    assert_eq!(institution(midnight - 1), (Finding::Authorised, Verdict::Valid));
    assert_eq!(institution(midnight), (Finding::AuthorisedThenClosed, Verdict::Valid));
    // A key that was compromised by then weighs more than a closure.
    let world = World::with(Setup { institution: closed(from), compromised: vec![(0, 5)], ..Setup::default() });
    let answer = line_and_verdict(&world, 0, at(midnight), CheckId::Institution);
    assert_eq!(answer, (Finding::KeyCompromised, Verdict::NotGenuine));
}

#[test]
fn a_compromised_key_makes_a_confirmed_batch_not_genuine() {
    let anchored = Setup::default().anchored;
    for (from, expected) in [
        (0, (Finding::KeyCompromised, Verdict::NotGenuine)),
        (anchored, (Finding::KeyCompromised, Verdict::NotGenuine)),
        (anchored + 1, (Finding::Authorised, Verdict::Valid)),
    ] {
        let world = World::with(Setup { compromised: vec![(0, from)], ..Setup::default() });
        assert_eq!(line_and_verdict(&world, 0, SOON, CheckId::Institution), expected);
        assert_eq!(line_and_verdict(&world, 0, SOON, CheckId::Ledger).0, Finding::Confirmed);
        let bundle = world.bundle(6, false);
        let report = judged(&bundle, 6, &world.trust, READABLE, SOON);
        // What was confirmed is still told: which institution, and when.
        assert_eq!(report.confirmed().unwrap().institution.name_en.as_str(), "Georgian Technical University");
    }
}

#[test]
fn red_before_grey_before_ended() {
    let world = World::new();
    let expired = DocumentDates { from: None, until: Some(TimeMs::new(1)), readable: true };
    let verdict =
        |bundle: &Bundle, credential, freshness| judged(bundle, credential, &world.trust, expired, freshness).verdict();
    // Expired and changed: not genuine. Expired and stale: unchecked. Expired and fresh: ended.
    assert_eq!(verdict(&world.bundle(0, false), 1, SOON), Verdict::NotGenuine);
    assert_eq!(verdict(&world.bundle(0, false), 0, at(HEADER_TIME + 2 * DAY_MS)), Verdict::Unchecked);
    assert_eq!(verdict(&world.bundle(0, false), 0, SOON), Verdict::Ended);
    let mut foreign = world.bundle(0, false);
    foreign.ledger[0] ^= 1;
    assert_eq!(verdict(&foreign, 0, SOON), Verdict::Unchecked);
}

/// Every finding that `judge` gives over a wide set of inputs, and those that callers give through `unchecked`.
#[test]
fn every_finding_is_reachable() {
    let mut reached = BTreeSet::new();
    let mut note = |report: &Report<'_>| {
        check_rules(report);
        reached.extend(report.checks().map(|check| check.finding));
    };
    let ending = Window::new(Day::new(20_000), Day::new(20_001)).unwrap();
    let batch = |state| batch_change(state, StatusReason::Unspecified, by_key(1), 1);
    let worlds = [
        Setup::default(),
        Setup { compromised: vec![(0, 5)], ..Setup::default() },
        Setup { batch_status: batch(BatchState::Revoked), ..Setup::default() },
        Setup { batch_status: batch(BatchState::Suspended), ..Setup::default() },
        Setup { institution: closed(Day::new(20_000)), ..Setup::default() },
        Setup { accreditation_window: ending, ..Setup::default() },
        Setup { version: 2, ..Setup::default() },
        Setup { anchored: 8, ..Setup::default() },
    ]
    .map(World::with);
    let dates = [
        READABLE,
        DocumentDates::default(),
        DocumentDates { until: Some(TimeMs::new(1)), ..READABLE },
        DocumentDates { from: Some(TimeMs::new(u64::MAX)), ..READABLE },
    ];
    for world in &worlds {
        let narrowed = |narrow: fn(&mut sigeli_verifier::trust::TrustedSet)| {
            let mut ledgers = world.trust.ledgers().to_vec();
            ledgers.iter_mut().for_each(|ledger| narrow(&mut ledger.sets[0]));
            Trust::new(ledgers).unwrap()
        };
        let mut forked = world.trust.ledgers().to_vec();
        for ledger in &mut forked {
            ledger.checkpoint.height = world.header.height;
        }
        let trusts = [
            world.trust.clone(),
            Trust::new(forked).unwrap(),
            narrowed(|set| set.last_height = Height::new(2)),
            narrowed(|set| set.last_time = set.first_time),
        ];
        for credential in 0..CREDENTIALS - 1 {
            let bundle = world.bundle(credential, true);
            let mut unsigned = bundle.clone();
            unsigned.stamp.stamp.certificate = world.certificate_by(&[0, 1]);
            let mut foreign = bundle.clone();
            foreign.ledger = [0; 8];
            for freshness in [SOON, at(0), at(u64::MAX)] {
                for trust in &trusts {
                    note(&judge(&bundle, &digest(credential), trust, dates[credential % 4], freshness));
                }
                note(&judge(&bundle, &digest(credential + 1), &world.trust, READABLE, freshness));
                note(&judge(&unsigned, &digest(credential), &world.trust, READABLE, freshness));
                note(&judge(&foreign, &digest(credential), &world.trust, READABLE, freshness));
                for seal in [SealState::Absent, SealState::Valid, SealState::Broken] {
                    let report = judge(&bundle, &digest(credential), &world.trust, READABLE, freshness);
                    note(&report.with_reading(Reading { contradicts: true, seal }));
                }
            }
        }
    }
    for (line, finding) in [
        (CheckId::Document, Finding::DocumentUnreadable),
        (CheckId::Registered, Finding::BundleMissing),
        (CheckId::Registered, Finding::BundleUnreadable),
        (CheckId::Ledger, Finding::TrustUnreadable),
    ] {
        let report = Report::unchecked(line, finding);
        note(&report);
        assert_eq!((found(&report, line), report.verdict()), (finding, Verdict::Unchecked));
    }
    assert_eq!(reached, Finding::ALL.iter().copied().collect());
}

#[test]
fn codes_and_exit_codes_are_stable() {
    let codes: Vec<&str> = Finding::ALL.iter().map(|finding| finding.code()).collect();
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    assert_eq!(
        CheckId::ALL.map(CheckId::name),
        ["document", "registered", "ledger", "institution", "programme", "status", "dates", "seal"]
    );
    let verdicts = [Verdict::Valid, Verdict::Ended, Verdict::NotGenuine, Verdict::Unchecked];
    assert_eq!(verdicts.map(Verdict::name), ["valid", "ended", "not_genuine", "unchecked"]);
    assert_eq!(verdicts.map(Verdict::exit_code), [0, 1, 2, 3]);
    assert_eq!(CheckState::Pass.name(), "pass");
    assert_eq!(CheckState::Fail.name(), "fail");
    assert_eq!(CheckState::Unknown.name(), "unknown");
}
