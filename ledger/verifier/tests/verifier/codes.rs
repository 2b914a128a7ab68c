//! Every code and tag: those of `docs/protocol.md` are read, and no other.

use sigeli_verifier::{
    bundle::StatusFinding,
    codes::{
        AuthorityKind, BatchAction, CredentialType, DecisionReason, HashAlgorithm, InstitutionKind, KeyPurposes, Level,
        Levels, Modes, NetworkKind, PermissionAction, StatusAction, StatusReason,
    },
    decode::{Decode, DecodeError, Reader},
    encode::Encode,
    ids::{AuthorityId, KeyIndex},
    record::{BatchState, BatchStatus, InstitutionState, KeyChange, KeyState, PermissionState, StatusState, Writer},
    transaction::{Payload, PermissionScope, Sender, joint_key, joint_key_parts},
};

use crate::common::draw::payload::KINDS;

/// Of the 256 first bytes, those `known` are not refused as a value of `field`, and all others are.
fn check_tags<T: Decode>(field: &'static str, known: impl IntoIterator<Item = u8>) {
    let known: Vec<u8> = known.into_iter().collect();
    for tag in 0..=u8::MAX {
        let bytes = [&[tag][..], &[1; 4_000]].concat();
        let error = T::decode(&mut Reader::new(&bytes)).err();
        let refused = error == Some(DecodeError::UnknownValue { field, value: tag.into() });
        assert_eq!(refused, !known.contains(&tag), "{field} {tag}: {error:?}");
    }
}

/// As [`check_tags`], for a value that is nothing but its code; each code is written as it is read.
fn check_codes<T: Decode + Encode>(field: &'static str, known: impl IntoIterator<Item = u8> + Clone) {
    check_tags::<T>(field, known.clone());
    for code in known {
        let value = T::from_bytes(&[code]).unwrap_or_else(|error| panic!("{field} {code}: {error}"));
        assert_eq!(value.to_bytes(), [code]);
    }
}

#[test]
fn codes_are_those_of_the_protocol() {
    check_codes::<InstitutionKind>("institution_kind", 1..=6);
    check_codes::<CredentialType>("credential_type", 1..=2);
    check_codes::<AuthorityKind>("authority_kind", 1..=4);
    check_codes::<PermissionAction>("permission_action", 1..=3);
    check_codes::<DecisionReason>("decision_reason", 1..=11);
    check_codes::<BatchAction>("batch_action", 1..=3);
    check_codes::<StatusAction>("status_action", 1..=4);
    check_codes::<StatusReason>("status_reason", 0..=10);
    check_codes::<HashAlgorithm>("hash_algorithm", 1..=1);
    check_codes::<NetworkKind>("network_kind", 1..=2);
    check_codes::<BatchState>("batch_state", 1..=4);
    check_codes::<KeyPurposes>("key_purposes", 1..=7);
    check_codes::<Modes>("modes", 1..=15);
    check_codes::<Level>("level", 1..=8);
    check_codes::<Levels>("levels", 1..=255);
    check_codes::<bool>("boolean", 0..=1);
}

#[test]
fn tags_are_those_of_the_protocol() {
    check_tags::<Sender>("sender", 1..=3);
    check_tags::<Payload>("transaction_kind", KINDS);
    check_tags::<PermissionScope>("permission_kind", 1..=3);
    check_tags::<Writer>("writer", 1..=2);
    check_tags::<InstitutionState>("institution_state", 1..=2);
    check_tags::<KeyState>("key_state", 1..=2);
    check_tags::<KeyChange>("key_change", 1..=4);
    check_tags::<PermissionState>("permission_state", 1..=5);
    check_tags::<StatusState>("status_state", 1..=5);
    check_tags::<BatchStatus>("batch_state", 0..=4);
    check_tags::<StatusFinding>("absence", 0..=2);
}

#[test]
fn sets_are_made_of_their_bits_and_are_never_empty() {
    let purposes = [KeyPurposes::ANCHOR, KeyPurposes::STATUS, KeyPurposes::ADMIN].map(KeyPurposes::get);
    assert_eq!(purposes, [1, 2, 4]);
    let modes = [Modes::ON_SITE, Modes::ONLINE, Modes::BLENDED, Modes::WORK_BASED].map(Modes::get);
    assert_eq!(modes, [1, 2, 4, 8]);
    for bits in 0..=u8::MAX {
        assert_eq!(KeyPurposes::new(bits).map(KeyPurposes::get), (1..=7).contains(&bits).then_some(bits));
        assert_eq!(Modes::new(bits).map(Modes::get), (1..=15).contains(&bits).then_some(bits));
    }
    let both = KeyPurposes::new(3).unwrap();
    assert!(both.allows(KeyPurposes::ANCHOR) && both.allows(KeyPurposes::STATUS) && !both.allows(KeyPurposes::ADMIN));
    assert!(!both.allows(KeyPurposes::ALL) && KeyPurposes::ALL.allows(both));
}

#[test]
fn a_joint_index_is_256_times_the_authority_plus_the_key() {
    for authority in 0..=u8::MAX {
        for key in 0..=u8::MAX {
            let index = joint_key(AuthorityId::new(authority), key);
            assert_eq!(index, KeyIndex::new(u16::from(authority) * 256 + u16::from(key)));
            assert_eq!(joint_key_parts(index), (AuthorityId::new(authority), key));
        }
    }
}
