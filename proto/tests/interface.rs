//! The interface as others compile against it: names and numbers never change, and plain fields say what the canonical
//! bytes beside them say.

use prost::Message;
use sigeli_proto::{FILE_DESCRIPTOR_SET, limits, plain, v1};
use sigeli_verifier::{
    batch::BatchHeight,
    bounded::{List, Text},
    codes::{
        AuthorityKind, CredentialType, DecisionReason, Field, FieldPrefix, HashAlgorithm, InstitutionKind, KeyPurposes,
        Level, Levels, Modes, NetworkKind, StatusReason,
    },
    crypto::PublicKey,
    decode::Decode as _,
    ids::{
        AuthorityId, AuthoritySequence, BatchRoot, BatchSequence, DecisionRef, EctsTenths, Height, InstitutionId,
        KeyIndex, PermissionId, ProgrammeId, TimeMs,
    },
    params::{COMPROMISED_RANGES_MAX, FIELDS_PER_PERMISSION_MAX, LEGAL_ID_BYTES_MAX, NAME_BYTES_MAX},
    record::{
        AuthorityRecord, BatchChange, BatchRecord, BatchState, BatchStatus, CompromisedKeys, InstitutionFacts,
        InstitutionState, Judged, KeyRecord, KeyState, PermissionEntry, PermissionRecord, PermissionStanding,
        PermissionStandings, PermissionState, Policy, ProgrammeRecord, Writer,
    },
    time::{Day, Window},
    transaction::{Accreditation, Name, PermissionScope},
};

/// What `descriptor.proto` of protobuf calls these, as far as this test reads them.
mod descriptor {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Set {
        #[prost(message, repeated, tag = "1")]
        pub(super) files: Vec<File>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct File {
        #[prost(string, tag = "2")]
        pub(super) package: String,
        #[prost(message, repeated, tag = "4")]
        pub(super) messages: Vec<Message>,
        #[prost(message, repeated, tag = "5")]
        pub(super) enums: Vec<Enum>,
        #[prost(message, repeated, tag = "6")]
        pub(super) services: Vec<Service>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Message {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(message, repeated, tag = "2")]
        pub(super) fields: Vec<Field>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Field {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(int32, tag = "3")]
        pub(super) number: i32,
        #[prost(int32, tag = "4")]
        pub(super) label: i32,
        #[prost(int32, tag = "5")]
        pub(super) kind: i32,
        #[prost(string, tag = "6")]
        pub(super) type_name: String,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Enum {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(message, repeated, tag = "2")]
        pub(super) values: Vec<Value>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Value {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(int32, tag = "2")]
        pub(super) number: i32,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Service {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(message, repeated, tag = "2")]
        pub(super) methods: Vec<Method>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Method {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(string, tag = "2")]
        pub(super) input: String,
        #[prost(string, tag = "3")]
        pub(super) output: String,
        #[prost(bool, tag = "6")]
        pub(super) streams_answers: bool,
    }
}

/// One line per method, field and enum value.
fn listing() -> String {
    let set = descriptor::Set::decode(FILE_DESCRIPTOR_SET).expect("the build writes a descriptor set");
    let mut lines = Vec::new();
    for file in &set.files {
        let package = &file.package;
        for service in &file.services {
            for method in &service.methods {
                let stream = if method.streams_answers { "stream " } else { "" };
                lines.push(format!(
                    "rpc {package}.{}/{} {} {stream}{}",
                    service.name, method.name, method.input, method.output
                ));
            }
        }
        for message in &file.messages {
            for field in &message.fields {
                let repeated = if field.label == 3 { "repeated " } else { "" };
                let kind = match field.kind {
                    4 => "uint64",
                    8 => "bool",
                    9 => "string",
                    11 | 14 => field.type_name.as_str(),
                    12 => "bytes",
                    13 => "uint32",
                    _ => "?",
                };
                lines.push(format!("{}.{} = {} {repeated}{kind}", message.name, field.name, field.number));
            }
        }
        for kind in &file.enums {
            for value in &kind.values {
                lines.push(format!("{}.{} = {}", kind.name, value.name, value.number));
            }
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

#[test]
fn names_and_numbers_are_those_published() {
    let found = listing();
    let published = include_str!("interface.txt");
    for line in published.lines() {
        assert!(found.lines().any(|other| other == line), "published and now gone or changed: {line}");
    }
    assert!(found == published, "write the new parts of the interface into interface.txt:\n{found}");
}

fn key() -> PublicKey {
    // RFC 8032, section 7.1, test 1.
    let bytes = [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1,
        0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ];
    PublicKey::from_ed25519(&bytes).expect("a published key")
}

fn longest_name() -> Name {
    let name = "ა".repeat(NAME_BYTES_MAX / 3);
    assert_eq!(name.len(), NAME_BYTES_MAX);
    Name::new(&name).expect("as long as names may be")
}

fn day(year: i32, month: u8, day: u8) -> Day {
    Day::from_civil(year, month, day).expect("within its range")
}

fn largest_permission() -> PermissionRecord {
    PermissionRecord {
        authority: AuthorityId::new(255),
        decision: DecisionRef::new([9; 32]),
        window: Window::new(day(2026, 11, 24), day(2033, 11, 23)).expect("within its range"),
        conditional: true,
        scope: PermissionScope::Accreditation(Accreditation {
            coordinator: InstitutionId::new(u32::MAX),
            programme: ProgrammeId::new(u32::MAX),
            title_ka: longest_name(),
            title_en: longest_name(),
            agent: longest_name(),
            level: Level::new(6).expect("within its range"),
            fields: List::new(vec![FieldPrefix::new(4, 613).expect("within its range"); FIELDS_PER_PERMISSION_MAX])
                .expect("within its range"),
            ects_max: EctsTenths::new(u16::MAX),
            credential_type: CredentialType::Participation,
            modes: Modes::new(15).expect("within its range"),
            review: day(2029, 11, 24),
        }),
        granted: Height::new(u64::MAX),
        predecessor: PermissionId::new(6),
        standing: announced(&[
            PermissionState::Suspended,
            PermissionState::Active,
            PermissionState::Replaced { by: PermissionId::new(8) },
        ]),
        entries: u32::MAX,
    }
}

/// Granted, and changed from the first days of 2029, 2030, 2031 on.
fn announced(states: &[PermissionState]) -> PermissionStandings {
    let first = day(2026, 11, 24);
    let granted = PermissionStandings::granted(first, DecisionReason::Granted);
    (2029..).zip(states).fold(granted, |known, (year, state)| {
        let reason = DecisionReason::ScopeChanged;
        known
            .changed(PermissionStanding { effective: day(year, 1, 1), state: *state, reason }, first)
            .expect("at most three changes are announced")
    })
}

#[test]
fn a_permission_is_shown_as_it_is_recorded() {
    let record = largest_permission();
    let sent = plain::permission(PermissionId::new(7), &record).encode_to_vec();
    assert!(sent.len() <= limits::LIST_ENTRY_BYTES_MAX, "{} bytes", sent.len());

    let shown = v1::Permission::decode(sent.as_slice()).unwrap();
    assert_eq!(PermissionRecord::from_bytes(&shown.record), Ok(record));
    assert_eq!((shown.number, shown.authority, shown.conditional), (7, 255, true));
    assert_eq!((shown.first_day.as_str(), shown.last_day.as_str()), ("2026-11-24", "2033-11-23"));
    assert_eq!((shown.decision.as_slice(), shown.granted_height), ([9; 32].as_slice(), u64::MAX));
    assert_eq!(shown.kind(), v1::PermissionKind::Accreditation);
    assert_eq!((shown.levels.as_slice(), shown.ects_tenths_max), ([6].as_slice(), 65_535));
    assert_eq!(shown.fields.first().map(String::as_str), Some("0613"), "leading zeros belong to the code");
    assert_eq!((shown.title_ka.len(), shown.title_en.len()), (NAME_BYTES_MAX, NAME_BYTES_MAX));
    assert_eq!(shown.credential_type(), v1::CredentialType::Participation);
    assert_eq!((shown.coordinator, shown.programme, shown.agent.len()), (u32::MAX, u32::MAX, NAME_BYTES_MAX));
    use v1::AttendanceMode as Mode;
    assert!(shown.modes().eq([Mode::OnSite, Mode::Online, Mode::Blended, Mode::WorkBased]));
    assert_eq!(shown.review_day, "2029-11-24");
    let standings: Vec<_> = shown.standings.iter().map(|one| (one.effective_day.as_str(), one.state())).collect();
    let expected = [
        ("2026-11-24", v1::PermissionState::Active),
        ("2029-01-01", v1::PermissionState::Suspended),
        ("2030-01-01", v1::PermissionState::Active),
        ("2031-01-01", v1::PermissionState::Replaced),
    ];
    assert_eq!(standings, expected);
    let last = shown.standings.last().unwrap();
    assert_eq!((last.successor, last.reason()), (8, v1::DecisionReason::ScopeChanged));
    assert_eq!((shown.predecessor, shown.entry_count), (6, u32::MAX));
}

#[test]
fn states_without_a_successor_show_none() {
    use v1::PermissionState as Shown;
    let states = [
        (PermissionState::Active, (Shown::Active, 0)),
        (PermissionState::Suspended, (Shown::Suspended, 0)),
        (PermissionState::Withdrawn, (Shown::Withdrawn, 0)),
        (PermissionState::Replaced { by: PermissionId::new(3) }, (Shown::Replaced, 3)),
        (PermissionState::Restored { by: PermissionId::new(4) }, (Shown::Restored, 4)),
    ];
    for (state, expected) in states {
        let record = PermissionRecord { standing: announced(&[state]), ..largest_permission() };
        let shown = plain::permission(PermissionId::new(1), &record).standings.pop().unwrap();
        assert_eq!((shown.state(), shown.successor), expected);
        assert_eq!(i32::from(shown.state()), i32::from(state.code()));
    }
}

#[test]
fn orders_show_all_their_levels_and_authorisations_none() {
    let levels = [4, 5, 8].map(|level| Level::new(level).unwrap());
    let order = PermissionRecord {
        scope: PermissionScope::PilotOrder {
            fields: List::new(vec![FieldPrefix::new(2, 6).unwrap()]).unwrap(),
            levels: Levels::of(&levels).unwrap(),
        },
        ..largest_permission()
    };
    let shown = plain::permission(PermissionId::new(1), &order);
    assert_eq!((shown.kind(), shown.levels), (v1::PermissionKind::PilotOrder, vec![4, 5, 8]));
    assert_eq!(shown.fields, ["06"]);

    let authorisation = PermissionRecord { scope: PermissionScope::Authorisation, ..largest_permission() };
    let shown = plain::permission(PermissionId::new(1), &authorisation);
    assert_eq!(shown.kind(), v1::PermissionKind::Authorisation);
    assert_eq!((shown.levels.len(), shown.fields.len(), shown.ects_tenths_max), (0, 0, 0));
    assert_eq!(shown.credential_type(), v1::CredentialType::Unspecified);
}

#[test]
fn an_institution_and_its_keys_are_shown_as_they_are_recorded() {
    let compromised = |index: usize| {
        let first = u16::try_from(3 * index).unwrap();
        CompromisedKeys { first: KeyIndex::new(first), last: KeyIndex::new(first + 1), from: Height::new(u64::MAX) }
    };
    let facts = InstitutionFacts {
        kind: InstitutionKind::University,
        jurisdiction: *b"GEO",
        legal_id: Text::new(&"9".repeat(LEGAL_ID_BYTES_MAX)).unwrap(),
        name_ka: longest_name(),
        name_en: Name::new("Georgian Technical University").unwrap(),
        state: InstitutionState::Closed {
            from: day(2027, 1, 1),
            reason: DecisionReason::Merged,
            successor: InstitutionId::new(9),
        },
        registered: Height::new(3),
        keys: 17,
        permissions: 2,
        programmes: 4,
        batches: 5,
        entries: 6,
        compromised: List::new((0..COMPROMISED_RANGES_MAX).map(compromised).collect()).unwrap(),
    };
    let sent = plain::institution(InstitutionId::new(7), &facts).encode_to_vec();
    assert!(sent.len() <= limits::LIST_ENTRY_BYTES_MAX, "{} bytes", sent.len());
    let shown = v1::Institution::decode(sent.as_slice()).unwrap();
    assert_eq!(InstitutionFacts::from_bytes(&shown.facts).as_ref(), Ok(&facts));
    assert_eq!((shown.kind(), shown.jurisdiction.as_str()), (v1::InstitutionKind::University, "GEO"));
    assert_eq!((shown.name_en.as_str(), shown.name_ka.len()), ("Georgian Technical University", NAME_BYTES_MAX));
    assert_eq!((shown.registered_height, shown.key_count, shown.permission_count, shown.batch_count), (3, 17, 2, 5));
    assert_eq!(shown.compromised.len(), COMPROMISED_RANGES_MAX);
    let last = shown.compromised.last().map(|range| (range.first, range.last, range.from_height));
    assert_eq!(last, Some((45, 46, u64::MAX)));
    assert_eq!((shown.number, shown.programme_count, shown.entry_count), (7, 4, 6));
    assert_eq!((shown.state(), shown.closed_from.as_str()), (v1::InstitutionState::Closed, "2027-01-01"));
    assert_eq!((shown.closure_reason(), shown.successor), (v1::DecisionReason::Merged, 9));

    let shown =
        plain::institution(InstitutionId::new(7), &InstitutionFacts { state: InstitutionState::Active, ..facts });
    assert_eq!((shown.state(), shown.closed_from.as_str()), (v1::InstitutionState::Active, ""));
    assert_eq!((shown.closure_reason(), shown.successor), (v1::DecisionReason::Unspecified, 0));
}

#[test]
fn keys_programmes_and_authorities_are_shown_as_they_are_recorded() {
    let record = KeyRecord {
        purposes: KeyPurposes::new(5).unwrap(),
        key: key(),
        window: Window::new(day(2026, 11, 24), day(2027, 11, 23)).unwrap(),
        added: Height::new(3),
        state: KeyState::Retired { at: Height::new(9) },
        entries: 2,
    };
    let shown = plain::institution_key(KeyIndex::new(65_535), &record);
    assert_eq!(KeyRecord::from_bytes(&shown.record), Ok(record));
    assert_eq!((shown.index, shown.added_height, shown.retired_height), (65_535, 3, Some(9)));
    assert_eq!((shown.may_anchor, shown.may_set_status, shown.may_administer), (true, false, true));
    assert_eq!(shown.key, Some(v1::PublicKey { algorithm: 1, key: key().as_bytes().to_vec() }));
    assert_eq!((shown.first_day.as_str(), shown.last_day.as_str()), ("2026-11-24", "2027-11-23"));
    assert_eq!(shown.entry_count, 2);

    let record = ProgrammeRecord {
        title_ka: longest_name(),
        title_en: Name::new("Network engineering").unwrap(),
        partners: List::new((1..=16).map(InstitutionId::new).collect()).unwrap(),
        registered: Height::new(5),
        key: KeyIndex::new(2),
    };
    let shown = plain::programme(ProgrammeId::new(3), &record);
    assert!(shown.encoded_len() <= limits::LIST_ENTRY_BYTES_MAX);
    assert_eq!(ProgrammeRecord::from_bytes(&shown.record), Ok(record));
    assert_eq!((shown.number, shown.registered_height, shown.key), (3, 5, 2));
    assert_eq!((shown.title_ka.len(), shown.title_en.as_str()), (NAME_BYTES_MAX, "Network engineering"));
    assert_eq!(shown.partners, (1..=16).collect::<Vec<_>>());

    let record = AuthorityRecord {
        kind: AuthorityKind::Nceqe,
        name_ka: longest_name(),
        name_en: Name::new("NCEQE").unwrap(),
        keys: List::new(vec![key()]).unwrap(),
        threshold: 1,
        log_keys: List::new(vec![key(), key()]).unwrap(),
        sequence: AuthoritySequence::new(12),
    };
    let shown = plain::authority(AuthorityId::new(2), &record);
    assert_eq!(AuthorityRecord::from_bytes(&shown.record).as_ref(), Ok(&record));
    assert_eq!((shown.number, shown.kind(), shown.ended), (2, v1::AuthorityKind::Nceqe, false));
    assert_eq!((shown.name_ka.len(), shown.name_en.as_str()), (NAME_BYTES_MAX, "NCEQE"));
    assert_eq!((shown.sequence, shown.threshold, shown.keys.len(), shown.log_keys.len()), (12, 1, 1, 2));
    let ended = AuthorityRecord { keys: List::empty(), log_keys: List::empty(), ..record };
    assert!(plain::authority(AuthorityId::new(2), &ended).ended);
}

#[test]
fn codes_on_the_wire_are_the_codes_of_the_ledger() {
    for kind in InstitutionKind::ALL {
        assert_eq!(i32::from(plain::institution_kind(*kind)), i32::from(kind.code()));
    }
    for kind in NetworkKind::ALL {
        assert_eq!(i32::from(plain::network_kind(*kind)), i32::from(kind.code()));
    }
    for kind in CredentialType::ALL {
        assert_eq!(i32::from(plain::credential_type(*kind)), i32::from(kind.code()));
    }
    for kind in AuthorityKind::ALL {
        assert_eq!(i32::from(plain::authority_kind(*kind)), i32::from(kind.code()));
    }
    for reason in StatusReason::ALL {
        assert_eq!(i32::from(plain::status_reason(*reason)), i32::from(reason.code()));
    }
    let states = [BatchState::Suspended, BatchState::Reinstated, BatchState::Revoked, BatchState::Annulled];
    for state in states {
        assert_eq!(i32::from(plain::batch_state(state)), i32::from(state.code()));
    }
    for reason in DecisionReason::ALL {
        assert_eq!(i32::from(plain::decision_reason(*reason)), i32::from(reason.code()));
    }
    let field = Field::new(613).unwrap();
    assert_eq!(field.to_string(), "0613");
    let kinds = [v1::PermissionKind::Authorisation, v1::PermissionKind::PilotOrder, v1::PermissionKind::Accreditation];
    let scopes = [
        PermissionScope::Authorisation.code(),
        PermissionScope::PilotOrder { fields: List::empty(), levels: Levels::new(1).unwrap() }.code(),
        largest_permission().scope.code(),
    ];
    assert_eq!(kinds.map(i32::from), scopes.map(i32::from));
}

#[test]
fn batches_and_changes_are_shown_as_they_are_recorded() {
    let decision = DecisionRef::new([9; 32]);
    let change = BatchChange {
        state: BatchState::Revoked,
        reason: StatusReason::Order,
        height: Height::new(90),
        time: TimeMs::new(91),
        writer: Writer::Authority { authority: AuthorityId::new(2), decision },
        entries: 3,
        restores: 2,
    };
    let window = |year| Window::new(day(year, 1, 1), day(year, 12, 31)).unwrap();
    let record = BatchRecord {
        sequence: BatchSequence::new(11),
        accreditation_sequence: BatchSequence::new(12),
        height: BatchHeight::new(13).unwrap(),
        hash_algorithm: HashAlgorithm::Blake3,
        anchored: Height::new(14),
        anchored_time: TimeMs::new(15),
        key: KeyIndex::new(16),
        accreditation: PermissionId::new(17),
        level: Level::new(6).unwrap(),
        field: Field::new(613).unwrap(),
        ects: EctsTenths::new(30),
        issued: day(2026, 6, 1),
        credential_type: CredentialType::MicroCredential,
        judged: Judged {
            accreditation_window: window(2026),
            ects_max: EctsTenths::new(50),
            authorisation: PermissionId::new(18),
            authorisation_window: window(2025),
            order: PermissionId::new(19),
        },
        status: BatchStatus::Changed(change),
    };
    let root = BatchRoot::new([1; 32]);
    let shown = plain::batch(&root, &record);
    assert_eq!((shown.root.as_slice(), BatchRecord::from_bytes(&shown.record)), ([1; 32].as_slice(), Ok(record)));
    assert_eq!((shown.sequence, shown.accreditation_sequence, shown.tree_height), (11, 12, 13));
    assert_eq!((shown.anchored_height, shown.anchored_time_ms, shown.key, shown.accreditation), (14, 15, 16, 17));
    assert_eq!((shown.level, shown.field.as_str(), shown.ects_tenths), (6, "0613", 30));
    assert_eq!(
        (shown.issued_day.as_str(), shown.credential_type()),
        ("2026-06-01", v1::CredentialType::MicroCredential)
    );
    let judged = v1::Judged {
        accreditation_first_day: "2026-01-01".to_owned(),
        accreditation_last_day: "2026-12-31".to_owned(),
        ects_tenths_max: 50,
        authorisation: 18,
        authorisation_first_day: "2025-01-01".to_owned(),
        authorisation_last_day: "2025-12-31".to_owned(),
        order: 19,
    };
    assert_eq!(shown.judged, Some(judged));
    let found = shown.change.unwrap();
    assert_eq!((found.number, found.state(), found.reason()), (3, v1::BatchState::Revoked, v1::StatusReason::Order));
    assert_eq!((found.height, found.time_ms, found.entry_proof.len()), (90, 91, 0));
    use v1::batch_change::Writer as Shown;
    let writer = v1::AuthorityWriter { authority: 2, decision: vec![9; 32] };
    assert_eq!(found.writer, Some(Shown::Authority(writer)));
    let own = BatchChange { writer: Writer::Institution { key: KeyIndex::new(5) }, ..change };
    assert_eq!(plain::batch_change(&own).writer, Some(Shown::Key(5)));
    assert_eq!(plain::batch(&root, &BatchRecord { status: BatchStatus::Valid, ..record }).change, None);

    let entry = PermissionEntry {
        state: PermissionState::Restored { by: PermissionId::new(4) },
        effective: day(2026, 3, 1),
        reason: DecisionReason::AppealUpheld,
        decision,
        authority: AuthorityId::new(2),
        height: Height::new(8),
        time: TimeMs::new(9),
    };
    let expected = v1::PermissionChange {
        number: 2,
        entry_proof: Vec::new(),
        state: v1::PermissionState::Restored.into(),
        successor: 4,
        effective_day: "2026-03-01".to_owned(),
        reason: v1::DecisionReason::AppealUpheld.into(),
        decision: vec![9; 32],
        authority: 2,
        height: 8,
        time_ms: 9,
    };
    assert_eq!(plain::permission_change(2, &entry), expected);
}

#[test]
fn the_policy_is_shown_level_by_level() {
    let policy = Policy {
        ects_max: [110, 120, 130, 140, 150, 160, 170, 180].map(EctsTenths::new),
        ects_min: [1, 2, 3, 4, 5, 6, 7, 8].map(EctsTenths::new),
        ects_recognised_max: EctsTenths::new(300),
        batch_height_min: 4,
        clock_tolerance_ms: 5,
        pilot_order_required: true,
        batches_per_day: 6,
        statuses_per_day: 7,
        changes_per_day: 8,
        approvals_min: 3,
    };
    let expected = v1::Policy {
        ects_tenths_max: vec![110, 120, 130, 140, 150, 160, 170, 180],
        ects_tenths_min: vec![1, 2, 3, 4, 5, 6, 7, 8],
        ects_tenths_recognised_max: 300,
        batch_height_min: 4,
        clock_tolerance_ms: 5,
        pilot_order_required: true,
        batches_per_day: 6,
        statuses_per_day: 7,
        changes_per_day: 8,
        approvals_min: 3,
    };
    assert_eq!(plain::policy(&policy), expected);
}

#[test]
fn outcomes_round_trip() {
    use v1::outcome::State;
    let states = [
        State::Committed(v1::Committed {
            height: u64::MAX,
            index: 9_999,
            block_id: vec![1; 32],
            time_ms: 1_795_000_000_000,
            permission: Some(1),
            batch_sequence: None,
        }),
        State::Pending(v1::Pending {}),
        State::Rejected(v1::Rejected {
            code: 7,
            name: "already_exists".to_owned(),
            message: "it stands".to_owned(),
            first_height: Some(0),
        }),
        State::Unknown(v1::Unknown {}),
    ];
    for state in states {
        let outcome = v1::Outcome { state: Some(state) };
        assert_eq!(v1::Outcome::decode(outcome.encode_to_vec().as_slice()), Ok(outcome));
    }
}
