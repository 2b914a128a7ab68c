//! What concerns institutions: registration, changes, closure, keys, programmes.

use crate::{
    bounded::{List, Text},
    crypto::PublicKey,
    encode::fields,
    ids::{DecisionRef, Height, InstitutionId, KeyIndex, ProfileHash, ProgrammeId},
    params::{INSTITUTION_KEYS_MAX, LEGAL_ID_BYTES_MAX, PARTNERS_MAX},
    time::{Day, Window},
    transaction::{DecisionReason, InstitutionKind, KeyPurposes, Name},
};

/// A key that an institution is given. It must be a role's key, never a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstitutionKey {
    /// What it may do.
    pub purposes: KeyPurposes,
    /// The key.
    pub key: PublicKey,
    /// The days on which it may sign.
    pub window: Window,
}

fields!(InstitutionKey { purposes, key, window });

/// Registers an institution. Written by the quality agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionRegister {
    /// The number it gets; not 0, not taken.
    pub institution: InstitutionId,
    /// What it is.
    pub kind: InstitutionKind,
    /// ISO 3166-1 alpha-3 code of the country whose law made it, upper case: `GEO`.
    pub jurisdiction: [u8; 3],
    /// Its identification code in that country's register.
    pub legal_id: Text<LEGAL_ID_BYTES_MAX>,
    /// Its name in Georgian.
    pub name_ka: Name,
    /// Its name in English.
    pub name_en: Name,
    /// Hash of its public profile.
    pub profile: ProfileHash,
    /// The decision to register it.
    pub decision: DecisionRef,
    /// Its first keys, at least one; their indexes count from 0.
    pub keys: List<InstitutionKey, INSTITUTION_KEYS_MAX>,
}

fields!(InstitutionRegister { institution, kind, jurisdiction, legal_id, name_ka, name_en, profile, decision, keys });

/// Changes what an institution is called, what it is and under which legal id it is registered; its number never changes.
/// Written by the quality agency. It gives all of them, those that stay as they are too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionUpdate {
    /// Which.
    pub institution: InstitutionId,
    /// The decision.
    pub decision: DecisionRef,
    /// What it is from now on.
    pub kind: InstitutionKind,
    /// ISO 3166-1 alpha-3 code of the country whose law made it, upper case, from now on.
    pub jurisdiction: [u8; 3],
    /// Its identification code in that country's register from now on.
    pub legal_id: Text<LEGAL_ID_BYTES_MAX>,
    /// Its name in Georgian from now on.
    pub name_ka: Name,
    /// Its name in English from now on.
    pub name_en: Name,
    /// Hash of its public profile from now on.
    pub profile: ProfileHash,
}

fields!(InstitutionUpdate { institution, decision, kind, jurisdiction, legal_id, name_ka, name_en, profile });

/// Closes an institution: from the day given it sends nothing any more. What it issued stands. Written by the quality
/// agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstitutionClose {
    /// Which.
    pub institution: InstitutionId,
    /// The decision.
    pub decision: DecisionRef,
    /// The first day on which it is closed. A day before ledger time changes nothing that was already written.
    pub from: Day,
    /// Why: `Voluntary`, `Closed`, `Merged` or `CourtOrder`.
    pub reason: DecisionReason,
    /// The institution into which it was merged; 0 unless the reason is `Merged`.
    pub successor: InstitutionId,
}

fields!(InstitutionClose { institution, decision, from, reason, successor });

/// Takes back a closure. Written by the quality agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstitutionReopen {
    /// Which.
    pub institution: InstitutionId,
    /// The decision.
    pub decision: DecisionRef,
    /// Why: `CourtOrder`, `AppealUpheld` or `ErrorCorrected`.
    pub reason: DecisionReason,
}

fields!(InstitutionReopen { institution, decision, reason });

/// Gives an institution further keys. Written by the institution with an administrating key, or by the quality agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysAdd {
    /// Whose keys; the sender itself when an institution sends it.
    pub institution: InstitutionId,
    /// The decision; none when the institution sends it.
    pub decision: DecisionRef,
    /// The keys, at least one; their indexes follow the last one.
    pub keys: List<InstitutionKey, INSTITUTION_KEYS_MAX>,
}

fields!(KeysAdd { institution, decision, keys });

/// Retires a key: it signs nothing any more; what it signed stands. Written by the institution with an administrating
/// key, or by the quality agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRetire {
    /// Whose key; the sender itself when an institution sends it.
    pub institution: InstitutionId,
    /// The decision; none when the institution sends it.
    pub decision: DecisionRef,
    /// Which.
    pub key: KeyIndex,
}

fields!(KeyRetire { institution, decision, key });

/// Declares keys compromised: they sign nothing any more, and what they signed from a height on is void.
///
/// Written by the quality agency about a range of keys, from any height since the first of them was added; what it said
/// last about a key replaces what it said before. Written by the institution itself, with an administrating key, about one
/// key: the key is retired and the history says why, but nothing that it signed is void, since a stolen key could else
/// void all that its institution issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCompromise {
    /// Whose keys; the sender itself when an institution sends it.
    pub institution: InstitutionId,
    /// The decision; none when the institution sends it.
    pub decision: DecisionRef,
    /// The first of them.
    pub first: KeyIndex,
    /// The last of them, the first itself for one key. An institution names one key only.
    pub last: KeyIndex,
    /// The first height at which what they signed is void. 0 stands for the block that holds this, and in an institution's
    /// own transaction for the one after it.
    pub from: Height,
}

fields!(KeyCompromise { institution, decision, first, last, from });

/// Takes back what the quality agency declared about keys: those of the range that it had declared compromised are so no
/// longer, and what they signed counts again. A retired key stays retired. Written by the quality agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyClear {
    /// Whose keys.
    pub institution: InstitutionId,
    /// The decision.
    pub decision: DecisionRef,
    /// The first of them.
    pub first: KeyIndex,
    /// The last of them.
    pub last: KeyIndex,
}

fields!(KeyClear { institution, decision, first, last });

/// Registers a programme, which can then be accredited. Written by the institution that coordinates it, with an
/// administrating key. A programme never changes: another title or other partners make another programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgrammeRegister {
    /// Its number: the institution's next.
    pub programme: ProgrammeId,
    /// Its title in Georgian.
    pub title_ka: Name,
    /// Its title in English.
    pub title_en: Name,
    /// The institutions that award it jointly with the sender, in ascending order, the sender not among them.
    pub partners: List<InstitutionId, PARTNERS_MAX>,
}

fields!(ProgrammeRegister { programme, title_ka, title_en, partners });
