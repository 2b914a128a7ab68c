//! Why the ledger refuses something. Three kinds, told apart by type: [`Rejection`] is the sender's fault and final for
//! these bytes at this time; [`Transient`] may pass later; [`StoreError`] is fatal and stops the node.

use sigeli_verifier::{
    decode::DecodeError,
    ids::{
        AuthorityId, AuthoritySequence, EctsTenths, Height, InstitutionId, KeyIndex, PermissionId, TimeMs,
        TransactionId,
    },
    time::{Day, Window},
    transaction::{Field, Level, StatusAction, StatusReason},
};

use crate::store::StoreError;

macro_rules! rejections {
    ($($(#[doc = $doc:literal])* $code:literal $name:ident $variant:ident $({ $($(#[doc = $field_doc:literal])* $field:ident: $type:ty),+ $(,)? })? => $($text:expr),+;)+) => {
        /// Why a transaction is refused. Codes and names are stable: a number once given is never given again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        pub enum Rejection {
            $($(#[doc = $doc])* #[error($($text),+)] $variant $({ $($(#[doc = $field_doc])* $field: $type),+ })?),+
        }

        impl Rejection {
            /// Every code and name, in order of code.
            pub const ALL: &'static [(u16, &'static str)] = &[$(($code, stringify!($name))),+];

            /// The stable number: 1xx form, ledger, time and signatures; 2xx institutions and permissions; 3xx batches;
            /// 4xx statuses.
            #[must_use]
            pub const fn code(&self) -> u16 {
                match self {
                    $(Self::$variant $({ $($field: _),+ })? => $code),+
                }
            }

            /// The stable name.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant $({ $($field: _),+ })? => stringify!($name)),+
                }
            }
        }
    };
}

rejections! {
    /// The bytes are not a transaction. Told at the edge, where bytes come in.
    100 malformed Malformed {
        /// What is wrong with them.
        error: DecodeError,
    } => "the bytes are not a transaction: {error}";
    /// The encoding is larger than the limit. Told at the edge, where bytes come in.
    101 too_large TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The largest allowed.
        limit: usize,
    } => "the transaction takes {bytes} bytes, and at most {limit} are allowed";
    /// It names another genesis.
    110 wrong_ledger WrongLedger => "the transaction is meant for another ledger";
    /// Its time has passed.
    111 expired Expired {
        /// Until when it was valid.
        valid_until: TimeMs,
        /// Ledger time.
        time: TimeMs,
    } => "the transaction was valid until {valid_until} ms, and ledger time is {time} ms";
    /// It would be valid for too long.
    112 validity_too_long ValidityTooLong {
        /// Until when it would be valid.
        valid_until: TimeMs,
        /// The latest allowed now.
        latest: TimeMs,
    } => "the transaction would be valid until {valid_until} ms, and now at most {latest} ms is allowed";
    /// An institution sent what authorities send, or the other way round.
    113 wrong_sender_kind WrongSenderKind => "this kind of transaction is not for this kind of sender";
    /// This very transaction was included before.
    114 already_committed AlreadyCommitted {
        /// The block that holds it.
        height: Height,
    } => "this transaction was included in block {height}";
    /// The block under construction holds it already.
    115 already_in_block AlreadyInBlock {
        /// Its id.
        id: TransactionId,
    } => "the block already holds transaction {id}";
    /// No such institution or authority.
    120 unknown_sender UnknownSender => "the sender is not registered";
    /// An institution's transaction has more than one signature, or an authority's more than it has keys.
    121 too_many_signatures TooManySignatures {
        /// How many there are.
        count: usize,
        /// The most allowed.
        limit: usize,
    } => "the transaction has {count} signatures, and at most {limit} are allowed";
    /// Fewer signatures than the authority's threshold.
    122 too_few_signatures TooFewSignatures {
        /// How many there are.
        count: usize,
        /// How many are needed.
        threshold: u8,
    } => "the transaction has {count} signatures, and {threshold} are needed";
    /// The sender has no key with this index.
    123 unknown_key UnknownKey {
        /// The index.
        key: KeyIndex,
    } => "the sender has no key {key}";
    /// The key was retired.
    124 key_retired KeyRetired {
        /// The key.
        key: KeyIndex,
        /// When.
        at: Height,
    } => "key {key} was retired in block {at}";
    /// The key was compromised.
    125 key_compromised KeyCompromised {
        /// The key.
        key: KeyIndex,
        /// From which block on its signatures are void.
        from: Height,
    } => "signatures of key {key} are void from block {from}";
    /// The key's purposes do not include this.
    126 key_not_allowed KeyNotAllowed {
        /// The key.
        key: KeyIndex,
    } => "key {key} may not be used for this";
    /// A signature does not verify.
    127 wrong_signature WrongSignature {
        /// The key it claims.
        key: KeyIndex,
    } => "the signature of key {key} does not verify";
    /// An authority's sequence number is not the next one.
    128 sequence_mismatch SequenceMismatch {
        /// The number given.
        given: AuthoritySequence,
        /// The next one.
        expected: AuthoritySequence,
    } => "the sequence number is {given}, and the next one is {expected}";
    /// This authority may not write this.
    129 wrong_authority WrongAuthority {
        /// The authority.
        authority: AuthorityId,
    } => "authority {authority} may not write this";
    /// What is to be created exists: a late or re-signed retry.
    200 already_exists AlreadyExists {
        /// The block that created it.
        height: Height,
    } => "this was already written in block {height}";
    /// The number 0 is no institution's.
    201 institution_number_reserved InstitutionNumberReserved => "institution number 0 is reserved";
    /// The jurisdiction is not three capital letters.
    202 jurisdiction_invalid JurisdictionInvalid => "the jurisdiction is not a three-letter country code in capitals";
    /// The legal id is empty or not printable ASCII.
    203 legal_id_invalid LegalIdInvalid => "the legal id is empty or holds characters other than printable ASCII";
    /// A name is empty.
    204 name_missing NameMissing => "a name is empty";
    /// No key was given.
    205 keys_missing KeysMissing => "an institution needs at least one key";
    /// One key was given twice.
    206 key_duplicate KeyDuplicate => "a key is given twice";
    /// The legal id belongs to another institution.
    207 legal_id_taken LegalIdTaken {
        /// That institution.
        institution: InstitutionId,
    } => "the legal id is that of institution {institution}";
    /// No such institution.
    210 unknown_institution UnknownInstitution {
        /// The number given.
        institution: InstitutionId,
    } => "institution {institution} is not registered";
    /// An order or accreditation covers no field.
    211 fields_missing FieldsMissing => "the permission covers no field";
    /// An accreditation allows no credits.
    212 ects_missing EctsMissing => "the accreditation allows no credits";
    /// The institution has all the permissions or batches that can be numbered.
    213 numbers_exhausted NumbersExhausted => "the institution has no number left for this";
    /// The tree is smaller than the policy allows.
    300 batch_too_small BatchTooSmall {
        /// Its height.
        height: u8,
        /// The least allowed.
        least: u8,
    } => "the batch tree has height {height}, and at least {least} is needed";
    /// The institution was never authorised.
    301 authorisation_missing AuthorisationMissing => "the institution was never authorised";
    /// Its authorisation is not in force yet.
    302 authorisation_not_yet AuthorisationNotYet {
        /// Its first day.
        first: Day,
    } => "the institution's authorisation begins on {first}";
    /// Its authorisation has ended.
    303 authorisation_expired AuthorisationExpired {
        /// Its last day.
        last: Day,
    } => "the institution's authorisation ended on {last}";
    /// The Minister has made no order for the institution.
    304 order_missing OrderMissing => "there is no Minister's order for the institution";
    /// The order is not in force yet.
    305 order_not_yet OrderNotYet {
        /// Its first day.
        first: Day,
    } => "the Minister's order begins on {first}";
    /// The order has ended.
    306 order_expired OrderExpired {
        /// Its last day.
        last: Day,
    } => "the Minister's order ended on {last}";
    /// The order in force does not cover the level.
    307 order_level_mismatch OrderLevelMismatch {
        /// The level.
        level: Level,
    } => "the Minister's order does not cover level {}", level.get();
    /// The order in force does not cover the field.
    308 order_field_mismatch OrderFieldMismatch {
        /// The field.
        field: Field,
    } => "the Minister's order does not cover field {field}";
    /// The institution has no such permission.
    309 accreditation_missing AccreditationMissing {
        /// The number given.
        permission: PermissionId,
    } => "the institution has no permission {permission}";
    /// The permission is not an accreditation.
    310 not_an_accreditation NotAnAccreditation {
        /// The number given.
        permission: PermissionId,
    } => "permission {permission} is not an accreditation";
    /// The accreditation is not in force yet.
    311 accreditation_not_yet AccreditationNotYet {
        /// Its first day.
        first: Day,
    } => "the accreditation begins on {first}";
    /// The accreditation has ended.
    312 accreditation_lapsed AccreditationLapsed {
        /// Its last day.
        last: Day,
    } => "the accreditation ended on {last}";
    /// The level is not the accredited one.
    313 level_mismatch LevelMismatch {
        /// The level given.
        given: Level,
        /// The accredited one.
        accredited: Level,
    } => "the level is {}, and {} is accredited", given.get(), accredited.get();
    /// The field is not accredited.
    314 field_not_covered FieldNotCovered {
        /// The field.
        field: Field,
    } => "the accreditation does not cover field {field}";
    /// More credits than accredited.
    315 ects_over_accreditation EctsOverAccreditation {
        /// Tenths of credits given.
        given: EctsTenths,
        /// The most accredited.
        most: EctsTenths,
    } => "{given} tenths of credits are stated, and at most {most} are accredited";
    /// Credits outside what the policy allows at this level.
    316 ects_outside_policy EctsOutsidePolicy {
        /// Tenths of credits given.
        given: EctsTenths,
        /// The least allowed.
        least: EctsTenths,
        /// The most allowed.
        most: EctsTenths,
    } => "{given} tenths of credits are stated, and {least} to {most} are allowed";
    /// Issued on a day on which the programme was not accredited.
    317 issued_outside_window IssuedOutsideWindow {
        /// The date of issue.
        issued: Day,
        /// The accreditation's days.
        window: Window,
    } => "the date of issue {issued} lies outside the accreditation's {} to {}", window.first(), window.last();
    /// Issued in the future.
    318 issued_in_future IssuedInFuture {
        /// The date of issue.
        issued: Day,
        /// Today, with the policy's tolerance.
        today: Day,
    } => "the date of issue {issued} lies after {today}";
    /// The programme leads to another kind of credential.
    319 credential_type_mismatch CredentialTypeMismatch => "the accreditation is for another type of credential";
    /// The institution's quota for today is used up.
    320 quota_exceeded QuotaExceeded {
        /// The quota per day.
        quota: u32,
    } => "the institution's quota of {quota} for this day is used up";
    /// No status is to be set.
    400 statuses_missing StatusesMissing => "the transaction sets no status";
    /// The status cannot follow the present one.
    401 status_transition_invalid StatusTransitionInvalid {
        /// Position of the entry, from 0.
        entry: usize,
        /// What was to happen.
        action: StatusAction,
    } => "entry {entry}: {action:?} cannot follow the credential's present status";
    /// The reason does not fit the action.
    402 status_reason_invalid StatusReasonInvalid {
        /// Position of the entry, from 0.
        entry: usize,
        /// The reason.
        reason: StatusReason,
    } => "entry {entry}: the reason {reason:?} does not fit the action";
    /// The credential is to be replaced by nothing.
    403 successor_missing SuccessorMissing {
        /// Position of the entry, from 0.
        entry: usize,
    } => "entry {entry}: the replacing credential is missing";
}

/// Something that may pass later, without anybody's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Transient {
    /// The block is above the next height: catch up first.
    #[error("block {height} cannot be judged while the head is {head}")]
    BlockAhead {
        /// The block's height.
        height: Height,
        /// The head's.
        head: Height,
    },
    /// The block is at or below the head: it was decided already.
    #[error("block {height} is decided: the head is {head}")]
    BlockBehind {
        /// The block's height.
        height: Height,
        /// The head's.
        head: Height,
    },
}

/// Why a transaction was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The sender's fault.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// Fatal.
    #[error("{0}")]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_names_differ() {
        assert!(Rejection::ALL.is_sorted_by(|left, right| left.0 < right.0));
        let names: alloc::collections::BTreeSet<_> = Rejection::ALL.iter().map(|entry| entry.1).collect();
        assert_eq!(names.len(), Rejection::ALL.len());
        let rejection = Rejection::Malformed { error: DecodeError::TrailingBytes { count: 1 } };
        assert_eq!((rejection.code(), rejection.name()), (100, "malformed"));
    }
}
