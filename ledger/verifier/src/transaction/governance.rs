//! Governance: authorities, policy, upgrades. All but the first kind are joint transactions of the authorities.

use crate::{
    bounded::List,
    crypto::PublicKey,
    encode::fields,
    ids::{AuthorityId, DecisionRef, Height},
    params::AUTHORITY_KEYS_MAX,
    record::Policy,
    transaction::{AuthorityKind, Name},
};

/// Changes the sending authority's own keys, under its own threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityKeysSet {
    /// The decision.
    pub decision: DecisionRef,
    /// Its keys from now on; their indexes count from 0.
    pub keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
    /// How many of them must sign, from 1.
    pub threshold: u8,
    /// Keys that sign checkpoints of the history log.
    pub log_keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
}

fields!(AuthorityKeysSet { decision, keys, threshold, log_keys });

/// Adds an authority, or changes one: its kind, names, keys and threshold. Its sequence number stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthoritySet {
    /// The decision.
    pub decision: DecisionRef,
    /// Its number.
    pub authority: AuthorityId,
    /// What it is.
    pub kind: AuthorityKind,
    /// Its name in Georgian.
    pub name_ka: Name,
    /// Its name in English.
    pub name_en: Name,
    /// Its keys; their indexes count from 0.
    pub keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
    /// How many of them must sign, from 1.
    pub threshold: u8,
    /// Keys that sign checkpoints of the history log.
    pub log_keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
}

fields!(AuthoritySet { decision, authority, kind, name_ka, name_en, keys, threshold, log_keys });

/// Ends an authority: it signs nothing any more, and its number is never given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthorityRemove {
    /// The decision.
    pub decision: DecisionRef,
    /// Which.
    pub authority: AuthorityId,
}

fields!(AuthorityRemove { decision, authority });

/// Sets the policy. Ministry and quality agency must be among those who sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicySet {
    /// The decision.
    pub decision: DecisionRef,
    /// The policy from the next transaction on.
    pub policy: Policy,
}

fields!(PolicySet { decision, policy });

/// Sets the height from which the next protocol version counts. A later one replaces an earlier one that has not come
/// into force; the version in force, with height 0, takes an announced upgrade back. Ministry and quality agency must be
/// among those who sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpgradeSchedule {
    /// The decision.
    pub decision: DecisionRef,
    /// The protocol version: the one after that in force, or that in force.
    pub version: u16,
    /// The first height of that version.
    pub height: Height,
}

fields!(UpgradeSchedule { decision, version, height });
