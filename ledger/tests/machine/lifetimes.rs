//! What an old credential proves, years after it was issued: through rotations of its institution's keys, a compromise,
//! a new name, the suspension, withdrawal and restoration of its accreditation, a suspension of its whole batch, and the
//! closure of the institution. At each step a stamp is built and judged offline: the record of the batch still says what
//! was true then, and the lines say what is true now.

use sigeli_ledger::{prove::stamp, state::View};
use sigeli_verifier::{
    batch::BatchHeight,
    bounded::List,
    ids::{DecisionRef, Height, InstitutionId, KeyIndex, PermissionId, ProfileHash, TimeMs},
    record::{BatchStatus, PermissionState},
    transaction::{
        BatchAction, BatchAnchor, BatchAnnul, BatchAnnulEntry, BatchStatusSet, DecisionReason, InstitutionClose,
        InstitutionKind, InstitutionReopen, InstitutionUpdate, KeyCompromise, KeyPurposes, KeyRetire, KeysAdd, Payload,
        PermissionAction, PermissionAnnul, PermissionChange, StatusReason,
    },
    verdict::{DocumentDates, Finding, Freshness, Verdict, judge},
};

use crate::{
    stamps::{Credential, bundle, credentials_of, subject, trust},
    support::*,
};

/// The fixed story's ledger, the quality agency's next sequence number, and a credential of each batch.
struct Story {
    world: World,
    sequence: u64,
    /// Anchored with key 1; with key 4 before, at, and after the height from which that is void.
    credentials: [Credential; 4],
    anchored: [Height; 4],
}

/// What the lines on institution, programme and status say, and the verdict.
type Said = (Verdict, [Finding; 3]);

use Finding as F;

const VALID: Said = (Verdict::Valid, [F::Authorised, F::Accredited, F::NotRevoked]);
const VOID: Said = (Verdict::NotGenuine, [F::KeyCompromised, F::NotReached, F::NotReached]);

impl Story {
    fn agency(&mut self, payload: Payload) {
        let transaction = self.world.nceqe(self.sequence, payload);
        self.sequence += 1;
        self.world.commit(vec![transaction]);
    }

    fn anchor(&mut self, number: usize, key: u8) {
        let root = self.credentials[number].root;
        let anchor = BatchAnchor { root, height: BatchHeight::new(5).unwrap(), ..batch(1) };
        self.anchored[number] = self.world.chain.next_height();
        self.world.commit(vec![self.world.by_key(key, Payload::BatchAnchor(anchor))]);
    }

    /// A new key of the institution, and the end of an old one.
    fn rotate(&mut self, by: u8, new: u8, old: u16) {
        let (institution, decision) = (GTU, DecisionRef::NONE);
        let keys = List::new(vec![institution_key(GTU, new, KeyPurposes::ALL)]).unwrap();
        let add = self.world.by_key(by, Payload::KeysAdd(KeysAdd { institution, decision, keys }));
        let retire = KeyRetire { institution, decision, key: KeyIndex::new(old) };
        let retire = self.world.by_key(new, Payload::KeyRetire(retire));
        self.world.commit(vec![add, retire]);
    }

    fn compromise(&mut self, from: Height) {
        let (first, last) = (KeyIndex::new(4), KeyIndex::new(4));
        let compromise = KeyCompromise { institution: GTU, decision: decision(80), first, last, from };
        self.agency(Payload::KeyCompromise(compromise));
    }

    fn accreditation(&mut self, permission: u32, action: PermissionAction, reason: DecisionReason, days: i32) {
        let (permission, effective) = (PermissionId::new(permission), days_from_today(days));
        let snapshot = self.world.chain.snapshot();
        let known = sigeli_ledger::state::View::new(&snapshot).permission(GTU, permission).unwrap().unwrap();
        let entry = known.entries + 1;
        let change =
            PermissionChange { institution: GTU, permission, decision: decision(81), entry, action, effective, reason };
        self.agency(Payload::PermissionChange(change));
    }

    fn batch(&mut self, number: usize, action: BatchAction, reason: StatusReason) {
        let (root, decision, entry) = (self.credentials[number].root, decision(82), self.next_entry(number));
        let set = BatchStatusSet { institution: GTU, decision, root, entry, action, reason };
        self.agency(Payload::BatchStatusSet(set));
    }

    fn annul_batch(&mut self, number: usize) {
        let (root, entry) = (self.credentials[number].root, self.next_entry(number));
        let entries = List::new(vec![BatchAnnulEntry { root, entry }]).unwrap();
        self.agency(Payload::BatchAnnul(BatchAnnul { institution: GTU, decision: decision(83), entries }));
    }

    /// The number that the next change of a batch gets.
    fn next_entry(&self, number: usize) -> u32 {
        let snapshot = self.world.chain.snapshot();
        let record = View::new(&snapshot).batch(GTU, &self.credentials[number].root).unwrap().unwrap();
        match record.status {
            BatchStatus::Valid => 1,
            BatchStatus::Changed(change) => change.entries + 1,
        }
    }

    /// Judges a credential of each batch by stamps of the newest block, on a day from today.
    fn say(&self, expected: [Said; 4]) {
        for (number, expected) in expected.into_iter().enumerate() {
            let found = self.judged(number, true);
            assert_eq!(found, expected, "batch {number}");
            // Without the section the line speaks as of registration: then the programme was accredited.
            let (verdict, mut lines) = expected;
            if lines[1] == F::AccreditedThen {
                lines[1] = F::Accredited;
            }
            assert_eq!(self.judged(number, false), (verdict, lines), "batch {number}, without the accreditation");
        }
    }

    fn judged(&self, number: usize, with_permission: bool) -> Said {
        let (world, credential) = (&self.world, &self.credentials[number]);
        let file = stamp(&world.chain.snapshot(), &subject(credential), with_permission).unwrap();
        let bundle = bundle(world, credential, file);
        let trust = trust(world);
        let dates = DocumentDates { readable: true, ..DocumentDates::default() };
        let at = world.chain.head().header.time.max(world.now);
        let freshness = Freshness { at, max_age_ms: DAY_MS };
        let report = judge(&bundle, &credential.document, &trust, dates, freshness);
        // Whatever has become of it: it was registered, and its record says what held then.
        let confirmed = report.confirmed().expect("the ledger confirms the registration");
        let key = KeyIndex::new(if number == 0 { 1 } else { 4 });
        assert_eq!((confirmed.batch.anchored, confirmed.batch.key), (self.anchored[number], key));
        assert_eq!(confirmed.batch.accreditation, PermissionId::new(3));
        assert_eq!(confirmed.batch.judged.accreditation_window, window(-30, 30));
        assert_eq!(confirmed.batch.judged.authorisation, PermissionId::new(1));
        let [document, registered, ledger, institution, programme, status, dates, _] = report.checks();
        let first = [document.finding, registered.finding, ledger.finding, dates.finding];
        assert_eq!(first, [F::DocumentMatches, F::Registered, F::Confirmed, F::InForce]);
        (report.verdict(), [institution.finding, programme.finding, status.finding])
    }

    /// The record of the institution and of the batch's accreditation, as a stamp of now proves them.
    fn proved(&self) -> (sigeli_verifier::record::InstitutionFacts, PermissionState) {
        let file = stamp(&self.world.chain.snapshot(), &subject(&self.credentials[0]), true).unwrap();
        (file.stamp.institution.clone(), file.permission.unwrap().record.standing.newest().unwrap().state)
    }
}

/// Three rotations, with batches anchored by the first and by the third key on the way.
fn rotated() -> Story {
    let credentials = [1, 2, 3, 4].map(|batch| credentials_of(batch).swap_remove(7));
    let world = World::founded(sigeli_verifier::record::Policy { batches_per_day: 9, ..policy() });
    let mut story = Story { world, sequence: 4, credentials, anchored: [Height::new(0); 4] };
    story.anchor(0, 1);
    assert_eq!(story.judged(0, true), VALID);
    story.rotate(0, 3, 1);
    assert_eq!(story.judged(0, true), VALID);
    story.rotate(3, 4, 3);
    for number in 1..4 {
        story.anchor(number, 4);
    }
    story.rotate(0, 5, 4);
    story
}

#[test]
fn keys_come_and_go_and_what_they_signed_stands() {
    let story = rotated();
    story.say([VALID; 4]);
    let (facts, _) = story.proved();
    assert_eq!((facts.keys, facts.batches), (6, 4));
}

#[test]
fn a_compromise_voids_what_was_anchored_from_its_height_on() {
    let mut story = rotated();
    let [_, before, at, later] = story.anchored;
    assert!(before < at && at < later);
    story.compromise(at);
    story.say([VALID, VALID, VOID, VOID]);
    // The quality agency finds that it was stolen later, and then that it was stolen at once.
    story.compromise(later);
    story.say([VALID, VALID, VALID, VOID]);
    story.compromise(later.next());
    story.say([VALID; 4]);
    story.compromise(before);
    story.say([VALID, VOID, VOID, VOID]);
    // Nothing else makes what is void genuine, or what is genuine void.
    story.batch(2, BatchAction::Revoke, StatusReason::KeyCompromised);
    story.say([VALID, VOID, VOID, VOID]);
}

#[test]
fn a_name_is_changed_and_the_credential_shows_the_present_one() {
    let mut story = rotated();
    let name_before = story.proved().0.name_en;
    story.agency(Payload::InstitutionUpdate(InstitutionUpdate {
        institution: GTU,
        decision: decision(83),
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: story.proved().0.legal_id,
        name_ka: name("ახალი უნივერსიტეტი"),
        name_en: name("New University"),
        profile: ProfileHash::new([9; 32]),
    }));
    story.say([VALID; 4]);
    assert_eq!(story.proved().0.name_en, name("New University"));
    // What it was called then stands in its history, which starts with it.
    let snapshot = story.world.chain.snapshot();
    let first = sigeli_ledger::state::View::new(&snapshot).institution_entry(GTU, 1).unwrap().unwrap();
    assert_eq!(first.name_en, name_before);
}

#[test]
fn an_accreditation_ends_and_comes_back_and_what_was_issued_stands() {
    use PermissionAction::{Reinstate, Suspend, Withdraw};
    let mut story = rotated();
    let then = (Verdict::Valid, [F::Authorised, F::AccreditedThen, F::NotRevoked]);
    let steps = [
        // Announced for tomorrow: it holds today.
        (Suspend, DecisionReason::MonitoringFailed, 1, VALID, then),
        // And taken back.
        (Reinstate, DecisionReason::AppealUpheld, 1, VALID, VALID),
        (Withdraw, DecisionReason::MonitoringFailed, 2, VALID, VALID),
    ];
    for (action, reason, days, today, tomorrow) in steps {
        story.accreditation(3, action, reason, days);
        story.say([today; 4]);
        let now = story.world.now;
        story.world.now = after(now, DAY_MS);
        story.say([tomorrow; 4]);
        story.world.now = now;
    }
    story.world.now = after(NOON, 2 * DAY_MS);
    story.world.commit(vec![]);
    story.say([then; 4]);
    // Nothing new can be anchored under it, and what was anchored stands.
    let refused = BatchAnchor { issued: days_from_today(0), ..batch(99) };
    let refused = story.world.by_key(5, Payload::BatchAnchor(refused));
    assert_eq!(story.world.verdict(&refused).unwrap_err().name(), "accreditation_withdrawn");
    // A court takes the withdrawal back: permission 4 stands for permission 3, which counts as held.
    let annul = PermissionAnnul {
        institution: GTU,
        permission: PermissionId::new(3),
        decision: decision(84),
        reason: DecisionReason::CourtOrder,
    };
    story.agency(Payload::PermissionAnnul(annul));
    assert_eq!(story.proved().1, PermissionState::Restored { by: PermissionId::new(4) });
    story.say([VALID; 4]);
    // The final withdrawal is of permission 4. The old batches speak of permission 3; new ones find 4 withdrawn.
    story.accreditation(4, Withdraw, DecisionReason::MonitoringFailed, 2);
    story.say([VALID; 4]);
    let refused = BatchAnchor { accreditation: PermissionId::new(4), ..batch(98) };
    let refused = story.world.by_key(5, Payload::BatchAnchor(refused));
    assert_eq!(story.world.verdict(&refused).unwrap_err().name(), "accreditation_withdrawn");
}

#[test]
fn a_batch_is_suspended_and_reinstated_as_a_whole() {
    let mut story = rotated();
    story.batch(0, BatchAction::Suspend, StatusReason::UnderReview);
    let suspended = (Verdict::Ended, [F::Authorised, F::Accredited, F::BatchSuspended]);
    story.say([suspended, VALID, VALID, VALID]);
    story.batch(0, BatchAction::Reinstate, StatusReason::ReviewEnded);
    let reinstated = (Verdict::Valid, [F::Authorised, F::Accredited, F::Reinstated]);
    story.say([reinstated, VALID, VALID, VALID]);
    story.batch(1, BatchAction::Revoke, StatusReason::NotAccredited);
    let revoked = (Verdict::Ended, [F::Authorised, F::Accredited, F::BatchRevoked]);
    story.say([reinstated, revoked, VALID, VALID]);
}

/// A stolen key revokes a batch that was anchored long before: the agency voids the key, and then the revocation.
#[test]
fn what_a_stolen_key_wrote_against_a_batch_is_annulled() {
    let mut story = rotated();
    let from = story.world.chain.next_height();
    let (institution, decision) = (GTU, DecisionRef::NONE);
    let root = story.credentials[0].root;
    let (action, reason) = (BatchAction::Revoke, StatusReason::IssuedInError);
    let stolen = BatchStatusSet { institution, decision, root, entry: 1, action, reason };
    story.world.commit(vec![story.world.by_key(5, Payload::BatchStatusSet(stolen))]);
    let revoked = (Verdict::Ended, [F::Authorised, F::Accredited, F::BatchRevoked]);
    story.say([revoked, VALID, VALID, VALID]);
    let decision = crate::support::decision(85);
    let (first, last) = (KeyIndex::new(5), KeyIndex::new(5));
    story.agency(Payload::KeyCompromise(KeyCompromise { institution, decision, first, last, from }));
    story.say([revoked, VALID, VALID, VALID]);
    story.annul_batch(0);
    let annulled = (Verdict::Valid, [F::Authorised, F::Accredited, F::Annulled]);
    story.say([annulled, VALID, VALID, VALID]);
}

#[test]
fn an_institution_is_closed_and_what_it_issued_stands() {
    let mut story = rotated();
    let close = InstitutionClose {
        institution: GTU,
        decision: decision(86),
        from: days_from_today(1),
        reason: DecisionReason::Voluntary,
        successor: InstitutionId::new(0),
    };
    story.agency(Payload::InstitutionClose(close));
    story.say([VALID; 4]);
    story.world.now = after(NOON, DAY_MS);
    story.world.commit(vec![]);
    let closed = (Verdict::Valid, [F::AuthorisedThenClosed, F::Accredited, F::NotRevoked]);
    story.say([closed; 4]);
    // It sends nothing any more; the quality agency still writes about what it issued.
    let refused = story.world.by_key(5, Payload::BatchAnchor(batch(97)));
    assert_eq!(story.world.verdict(&refused).unwrap_err().name(), "institution_closed");
    story.batch(1, BatchAction::Revoke, StatusReason::Order);
    story.compromise(story.anchored[3]);
    let revoked = (Verdict::Ended, [F::AuthorisedThenClosed, F::Accredited, F::BatchRevoked]);
    story.say([closed, revoked, closed, VOID]);
    let (institution, decision) = (GTU, decision(87));
    let reason = DecisionReason::ErrorCorrected;
    story.agency(Payload::InstitutionReopen(InstitutionReopen { institution, decision, reason }));
    let revoked = (Verdict::Ended, [F::Authorised, F::Accredited, F::BatchRevoked]);
    story.say([VALID, revoked, VALID, VOID]);
}

/// All of it happens to one credential, one thing after the other.
#[test]
fn one_credential_lives_through_it_all() {
    let mut story = rotated();
    let lines = |programme, status| (Verdict::Valid, [F::Authorised, programme, status]);
    let of = |story: &Story| story.judged(1, true);
    story.compromise(story.anchored[2]);
    assert_eq!(of(&story), VALID);
    story.accreditation(3, PermissionAction::Suspend, DecisionReason::CourtOrder, 0);
    assert_eq!(of(&story), lines(F::AccreditedThen, F::NotRevoked));
    story.batch(1, BatchAction::Suspend, StatusReason::Order);
    assert_eq!(of(&story), (Verdict::Ended, [F::Authorised, F::AccreditedThen, F::BatchSuspended]));
    story.accreditation(3, PermissionAction::Withdraw, DecisionReason::MonitoringFailed, 0);
    story.batch(1, BatchAction::Reinstate, StatusReason::Order);
    assert_eq!(of(&story), lines(F::AccreditedThen, F::Reinstated));
    let close = InstitutionClose {
        institution: GTU,
        decision: decision(88),
        from: days_from_today(0),
        reason: DecisionReason::Closed,
        successor: InstitutionId::new(0),
    };
    story.agency(Payload::InstitutionClose(close));
    let ended = [F::AuthorisedThenClosed, F::AccreditedThen, F::Reinstated];
    assert_eq!(of(&story), (Verdict::Valid, ended));
    // Years later only the stamp is too old; a new one says the same as ever.
    story.world.now = TimeMs::new(NOON.get() + 4_000 * DAY_MS);
    assert_eq!(of(&story), (Verdict::Unchecked, [F::AuthorisedThenClosed, F::AccreditedThen, F::StatusStale]));
    story.world.commit(vec![]);
    assert_eq!(of(&story), (Verdict::Valid, ended));
    assert_eq!(story.judged(2, true), VOID);
}
