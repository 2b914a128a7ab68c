//! The sender's faults, with their stable numbers and names (`docs/protocol.md` §6).

use sigeli_verifier::{
    decode::DecodeError,
    ids::{
        AuthorityId, AuthoritySequence, EctsTenths, GovernanceSequence, Height, InstitutionId, KeyIndex, PermissionId,
        ProgrammeId, TimeMs, TransactionId,
    },
    record::PolicyError,
    time::{Day, Window},
    transaction::{AuthorityKind, BatchAction, DecisionReason, Field, Level, StatusAction, StatusReason},
};

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
    /// An authority's transaction names no decision.
    116 decision_missing DecisionMissing => "an authority's transaction needs the hash of a decision";
    /// An institution's own transaction names a decision.
    117 decision_unexpected DecisionUnexpected => "an institution acts on its own: its transaction names no decision";
    /// An institution writes about another one.
    118 wrong_namespace WrongNamespace {
        /// The institution that it writes about.
        institution: InstitutionId,
    } => "an institution may not write about institution {institution}";
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
    /// The key may not be used yet.
    130 key_not_yet KeyNotYet {
        /// The key.
        key: KeyIndex,
        /// Its first day.
        first: Day,
    } => "key {key} may be used from {first} on";
    /// The key may be used no more.
    131 key_expired KeyExpired {
        /// The key.
        key: KeyIndex,
        /// Its last day.
        last: Day,
    } => "key {key} could be used until {last}";
    /// The institution is closed.
    132 institution_closed InstitutionClosed {
        /// The first day on which it is.
        from: Day,
    } => "the institution is closed from {from} on";
    /// The authority was ended.
    133 authority_ended AuthorityEnded {
        /// Which.
        authority: AuthorityId,
    } => "authority {authority} was ended";
    /// Too few authorities approve a joint transaction.
    134 too_few_approvals TooFewApprovals {
        /// How many do.
        count: usize,
        /// How many are needed.
        needed: u8,
    } => "{count} authorities approve, and {needed} are needed";
    /// An authority that must approve does not.
    135 approval_missing ApprovalMissing {
        /// What it is.
        kind: AuthorityKind,
    } => "the approval of {} is missing", authority_name(*kind);
    /// A joint transaction's sequence number is not the next one.
    136 joint_sequence_mismatch JointSequenceMismatch {
        /// The number given.
        given: GovernanceSequence,
        /// The next one.
        expected: GovernanceSequence,
    } => "the joint sequence number is {given}, and the next one is {expected}";
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
    /// The institution would have too many keys.
    208 key_limit KeyLimit {
        /// The most to which the sender may bring it.
        limit: u16,
    } => "the sender may bring an institution to at most {limit} keys, retired ones included";
    /// A key that is to be added is the institution's already, and not as it would be added, or not all of them are.
    209 key_exists KeyExists {
        /// Its index.
        key: KeyIndex,
    } => "one of the keys is the institution's key {key} already";
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
    /// The institution has no such key.
    214 unknown_institution_key UnknownInstitutionKey {
        /// The index given.
        key: KeyIndex,
    } => "the institution has no key {key}";
    /// The height from which a key is to be void is not allowed.
    215 compromise_height_invalid CompromiseHeightInvalid {
        /// The height given.
        from: Height,
        /// The earliest allowed.
        earliest: Height,
        /// The latest allowed.
        latest: Height,
    } => "block {from} is given, and blocks {earliest} to {latest} are allowed";
    /// The institution's record would list more ranges of compromised keys than it can.
    216 compromised_list_full CompromisedListFull {
        /// The most it can list.
        limit: usize,
    } => "the compromised keys of the institution would make more than {limit} ranges: declare wider ones";
    /// The institution is not closed.
    217 institution_not_closed InstitutionNotClosed => "the institution is not closed";
    /// The successor of a closed institution does not fit.
    218 successor_invalid SuccessorInvalid {
        /// The number given.
        successor: InstitutionId,
    } => "institution {successor} cannot be the successor: only a merger has one, which is another registered institution";
    /// The reason does not fit what the decision does.
    219 decision_reason_invalid DecisionReasonInvalid {
        /// The reason.
        reason: DecisionReason,
    } => "the reason {} does not fit", reason.code();
    /// A programme's number is not the next one.
    220 programme_number_mismatch ProgrammeNumberMismatch {
        /// The number given.
        given: ProgrammeId,
        /// The next one.
        expected: ProgrammeId,
    } => "the programme's number is {given}, and the next one is {expected}";
    /// Partners are not in ascending order, not registered, or the sender itself.
    221 partner_invalid PartnerInvalid {
        /// The first that is wrong.
        institution: InstitutionId,
    } => "institution {institution} cannot be a partner here: partners are other registered institutions in ascending order";
    /// The programme is not registered.
    222 unknown_programme UnknownProgramme {
        /// The institution that is said to coordinate it.
        coordinator: InstitutionId,
        /// Its number there.
        programme: ProgrammeId,
    } => "institution {coordinator} has no programme {programme}";
    /// The institution does not award the programme.
    223 not_a_partner NotAPartner {
        /// The institution.
        institution: InstitutionId,
    } => "institution {institution} does not award this programme";
    /// The titles are not those of the programme.
    224 title_mismatch TitleMismatch => "the titles are not those under which the programme is registered";
    /// The review is due outside the accreditation's days.
    225 review_outside_window ReviewOutsideWindow {
        /// The day of the review.
        review: Day,
        /// The accreditation's days.
        window: Window,
    } => "the review on {review} lies outside the accreditation's {} to {}", window.first(), window.last();
    /// The institution has no such permission.
    226 unknown_permission UnknownPermission {
        /// The number given.
        permission: PermissionId,
    } => "the institution has no permission {permission}";
    /// The change cannot follow the permission's present state.
    227 permission_transition_invalid PermissionTransitionInvalid {
        /// The permission.
        permission: PermissionId,
    } => "this cannot follow the present state of permission {permission}";
    /// The change would count before the one that came before it.
    228 effective_too_early EffectiveTooEarly {
        /// The day given.
        given: Day,
        /// The earliest allowed.
        earliest: Day,
    } => "the change would count from {given}, and the one before it counts from {earliest}";
    /// A permission is to be replaced by one of another kind.
    229 permission_kind_mismatch PermissionKindMismatch => "a permission can be replaced only by one of its kind";
    /// The permission was suspended and reinstated as often as it can be.
    230 permission_history_full PermissionHistoryFull {
        /// The most entries.
        limit: u32,
    } => "the permission has {limit} history entries: it can only be withdrawn or replaced";
    /// The institution coordinates as many programmes as it can.
    231 programme_limit ProgrammeLimit {
        /// The most.
        limit: u32,
    } => "the institution coordinates {limit} programmes, and can coordinate no more";
    /// A range of keys does not ascend, or an institution declares more than one key at once.
    232 key_range_invalid KeyRangeInvalid {
        /// The first key given.
        first: KeyIndex,
        /// The last key given.
        last: KeyIndex,
    } => "keys {first} to {last} are given: a range ascends, and an institution declares one key at a time";
    /// None of the keys was declared compromised by the quality agency.
    233 keys_not_compromised KeysNotCompromised {
        /// The first key given.
        first: KeyIndex,
        /// The last key given.
        last: KeyIndex,
    } => "none of the keys {first} to {last} is declared compromised";
    /// The institution would bring itself to too many usable keys.
    234 usable_key_limit UsableKeyLimit {
        /// The most.
        limit: u16,
    } => "an institution may bring itself to at most {limit} keys that are neither retired nor compromised";
    /// The number is that of another institution, or of this one under other facts.
    235 number_taken NumberTaken {
        /// The number.
        institution: InstitutionId,
    } => "institution {institution} is registered already, with other facts";
    /// The change would count from a day after the permission's days.
    240 effective_too_late EffectiveTooLate {
        /// The day given.
        given: Day,
        /// The latest allowed.
        latest: Day,
    } => "the change would count from {given}, and {latest} is the latest day";
    /// As many changes of the permission are announced for later days as can be.
    241 too_many_announced TooManyAnnounced {
        /// The most standings, the present one included.
        limit: usize,
    } => "with its present state and what is announced for later days the permission would stand in more than {limit} ways: take one back first";
    /// The decision has granted something else of this kind.
    242 decision_used DecisionUsed {
        /// What it granted.
        permission: PermissionId,
    } => "the decision has granted permission {permission}, which says something else";
    /// An accreditation is replaced by one of another programme.
    243 programme_mismatch ProgrammeMismatch => "an accreditation is replaced only by one of the same programme";
    /// The new permission does not hold on the day on which it takes the old one's place.
    244 replacement_gap ReplacementGap {
        /// The day on which the old one ends.
        effective: Day,
        /// The days of the new one.
        window: Window,
    } => "the old permission would end on {effective}, and the new one holds from {} to {}", window.first(), window.last();
    /// The institution has as many permissions of this kind as it can.
    245 too_many_permissions TooManyPermissions {
        /// The most.
        limit: usize,
    } => "the institution has {limit} permissions of this kind whose days have not ended, and can have no more";
    /// Something else was written since the change was drawn up.
    249 history_moved HistoryMoved {
        /// The number that the next change gets.
        next: u32,
    } => "the history has moved on: the next change is number {next}";
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
    /// The authorisation is suspended.
    321 authorisation_suspended AuthorisationSuspended {
        /// Since when.
        since: Day,
    } => "the institution's authorisation is suspended since {since}";
    /// The authorisation was withdrawn.
    322 authorisation_withdrawn AuthorisationWithdrawn {
        /// Since when.
        since: Day,
    } => "the institution's authorisation is withdrawn since {since}";
    /// The order is suspended.
    323 order_suspended OrderSuspended {
        /// Since when.
        since: Day,
    } => "the Minister's order is suspended since {since}";
    /// The order was withdrawn.
    324 order_withdrawn OrderWithdrawn {
        /// Since when.
        since: Day,
    } => "the Minister's order is withdrawn since {since}";
    /// The accreditation is suspended.
    325 accreditation_suspended AccreditationSuspended {
        /// Since when.
        since: Day,
    } => "the accreditation is suspended since {since}";
    /// The accreditation was withdrawn.
    326 accreditation_withdrawn AccreditationWithdrawn {
        /// Since when.
        since: Day,
    } => "the accreditation is withdrawn since {since}";
    /// Another accreditation took its place.
    327 accreditation_replaced AccreditationReplaced {
        /// Which.
        by: PermissionId,
    } => "the accreditation was replaced by permission {by}";
    /// The institution has anchored no such batch.
    330 unknown_batch UnknownBatch => "the institution has anchored no batch with this root";
    /// The change cannot follow the batch's present status.
    331 batch_transition_invalid BatchTransitionInvalid {
        /// What was to happen.
        action: BatchAction,
    } => "{} cannot follow the batch's present status", batch_action_name(*action);
    /// The reason does not fit what is to happen to the batch, or is not the sender's to give.
    332 batch_reason_invalid BatchReasonInvalid {
        /// The reason.
        reason: StatusReason,
    } => "the reason {} does not fit, or is an authority's to give", reason.code();
    /// The institution has changed this batch as often as it can.
    333 batch_history_full BatchHistoryFull {
        /// The most entries.
        limit: u32,
    } => "the batch has {limit} history entries: its institution suspends it no more";
    /// The quality agency has suspended the batch, and alone can reinstate it.
    334 batch_suspended_by_order BatchSuspendedByOrder => "the batch was suspended by order: its institution cannot reinstate it";
    /// The root is that of another batch of the institution: one with other facts.
    335 root_taken RootTaken {
        /// The block that holds that batch.
        height: Height,
    } => "a batch with this root and other facts was anchored in block {height}";
    /// An annulment names no batch.
    336 batches_missing BatchesMissing => "the transaction names no batch";
    /// An annulment names batches in another order.
    337 batches_unordered BatchesUnordered {
        /// The position of the entry, from 0.
        entry: usize,
    } => "entry {entry}: the batches are not in strictly ascending order of root";
    /// An annulment of a batch's status finds nothing.
    338 no_batch_change_to_annul NoBatchChangeToAnnul {
        /// The position of the entry, from 0.
        entry: usize,
    } => "entry {entry}: what stands about this batch was not made with a compromised key, and is no order";
    /// No status is to be set.
    400 statuses_missing StatusesMissing => "the transaction sets no status";
    /// The status cannot follow the present one.
    401 status_transition_invalid StatusTransitionInvalid {
        /// Position of the entry, from 0.
        entry: usize,
        /// What was to happen.
        action: StatusAction,
    } => "entry {entry}: {} cannot follow the credential's present status", status_action_name(*action);
    /// The reason does not fit the action, or is not the sender's to give.
    402 status_reason_invalid StatusReasonInvalid {
        /// Position of the entry, from 0.
        entry: usize,
        /// The reason.
        reason: StatusReason,
    } => "entry {entry}: the reason {} does not fit the action, or is an authority's to give", reason.code();
    /// The credential is to be replaced by nothing.
    403 successor_missing SuccessorMissing {
        /// Position of the entry, from 0.
        entry: usize,
    } => "entry {entry}: the replacing credential is missing";
    /// What stands about the credential is sound and the institution's own, or nothing stands.
    404 nothing_to_annul NothingToAnnul {
        /// Position of the entry, from 0.
        entry: usize,
    } => "entry {entry}: what stands about this credential was not made with a compromised key, and is no order";
    /// The handles are not in strictly ascending order.
    405 handles_unordered HandlesUnordered {
        /// Position of the first that is wrong, from 0.
        entry: usize,
    } => "entry {entry}: the handles are not in strictly ascending order";
    /// The institution has changed this status as often as it can.
    406 status_history_full StatusHistoryFull {
        /// Position of the entry, from 0.
        entry: usize,
        /// The most entries.
        limit: u32,
    } => "entry {entry}: the credential's status has {limit} history entries: its institution suspends it no more";
    /// The quality agency has suspended the credential, and alone can reinstate it.
    407 status_suspended_by_order StatusSuspendedByOrder {
        /// Position of the entry, from 0.
        entry: usize,
    } => "entry {entry}: the credential was suspended by order: its institution cannot reinstate it";
    /// An authority's keys are not sound.
    500 authority_keys_invalid AuthorityKeysInvalid => "an authority needs distinct keys and a threshold from 1 to their number";
    /// A key belongs to another authority.
    501 key_of_another_authority KeyOfAnotherAuthority {
        /// Which.
        authority: AuthorityId,
    } => "one of the keys belongs to authority {authority}";
    /// There are as many authorities as there can be.
    502 too_many_authorities TooManyAuthorities {
        /// The most.
        limit: usize,
    } => "there are {limit} authorities, and can be no more";
    /// The ledger cannot do without the authority.
    503 authority_needed AuthorityNeeded {
        /// What it is.
        kind: AuthorityKind,
    } => "the ledger needs {}", authority_name(*kind);
    /// No such authority.
    504 unknown_authority UnknownAuthority {
        /// The number given.
        authority: AuthorityId,
    } => "there is no authority {authority}";
    /// The policy makes no sense.
    505 policy_invalid PolicyInvalid {
        /// What is wrong with it.
        error: PolicyError,
    } => "the policy cannot be: {error}";
    /// The number of approvals that joint transactions need does not fit the number of authorities.
    506 approvals_invalid ApprovalsInvalid {
        /// The number of approvals.
        given: u8,
        /// The least allowed.
        least: u8,
        /// The most allowed.
        most: u8,
    } => "joint transactions would need {given} approvals, and {least} to {most} are allowed";
    /// The protocol version is older than the one in force.
    507 upgrade_version_invalid UpgradeVersionInvalid {
        /// The version given.
        given: u16,
        /// The version in force.
        in_force: u16,
    } => "protocol version {given} does not follow version {in_force}, which is in force, or nothing is there to be taken back";
    /// The upgrade would come too soon.
    508 upgrade_too_soon UpgradeTooSoon {
        /// The height given.
        height: Height,
        /// The earliest allowed.
        earliest: Height,
    } => "the upgrade would come with block {height}, and block {earliest} is the earliest";
    /// A validator's authority cannot be ended.
    509 authority_has_validators AuthorityHasValidators {
        /// Which.
        authority: AuthorityId,
    } => "authority {authority} has validators";
}

/// How a refusal speaks of an authority.
const fn authority_name(kind: AuthorityKind) -> &'static str {
    match kind {
        AuthorityKind::Ministry => "the Ministry",
        AuthorityKind::Nceqe => "the quality agency",
        AuthorityKind::Emis => "the information system",
        AuthorityKind::Operator => "an operator",
    }
}

const fn status_action_name(action: StatusAction) -> &'static str {
    match action {
        StatusAction::Suspend => "a suspension",
        StatusAction::Reinstate => "a reinstatement",
        StatusAction::Revoke => "a revocation",
        StatusAction::Supersede => "a replacement",
    }
}

const fn batch_action_name(action: BatchAction) -> &'static str {
    match action {
        BatchAction::Suspend => "a suspension",
        BatchAction::Reinstate => "a reinstatement",
        BatchAction::Revoke => "a revocation",
    }
}
