//! Where each record lies in the key-value store: one constructor per kind.
//!
//! The first byte names the kind. Numbers are big-endian, so that ranges come in numeric order. Register pages stand
//! under `n`, then the register ([`Register::prefix`]).
//!
//! | first byte | rest | value |
//! |---|---|---|
//! | `r` | | the roots of the registers: institutions, batches, governance |
//! | `g` | governance name | its record |
//! | `i` | institution | facts, then the roots of its keys, permissions, statuses |
//! | `j` | institution, entry | institution history entry |
//! | `k` | institution, key index | key record |
//! | `m` | institution, key index, entry | key history entry |
//! | `y` | institution, public key | key index |
//! | `z` | institution | number of its usable keys |
//! | `o` | institution, programme | programme record |
//! | `p` | institution, permission | permission record |
//! | `e` | institution, permission, entry | permission history entry |
//! | `t` | institution, permission | number of batches under it |
//! | `q` | institution, permission content | permission number |
//! | `x` | institution, kind | numbers of permissions of that kind, newest last, without those that can hold no more (derived) |
//! | `b` | institution, batch root | batch record |
//! | `d` | institution, batch root, entry | batch history entry |
//! | `c` | institution, batch sequence | batch root (derived) |
//! | `a` | institution, accreditation, sequence under it | batch root (derived) |
//! | `s` | institution, handle | status head |
//! | `h` | institution, handle, entry | status history entry |
//! | `u` | institution, register key | name in the statuses register (derived) |
//! | `n` | register, page | register page |
//!
//! Derived rows are not in a register: each is a function of rows that are, and can be rebuilt from them.

use alloc::vec::Vec;

use sigeli_verifier::{
    bounded::Text,
    crypto::PublicKey,
    encode::Encode as _,
    ids::{
        AuthorityId, BatchRoot, BatchSequence, InstitutionId, KeyIndex, PermissionContent, PermissionId, ProgrammeId,
        RegisterKey, StatusHandle,
    },
    params::LEGAL_ID_BYTES_MAX,
    register,
};

/// A register, as a place for pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Register {
    /// Keys of an institution.
    Keys(InstitutionId),
    /// Permissions of an institution.
    Permissions(InstitutionId),
    /// Statuses of an institution's credentials.
    Statuses(InstitutionId),
    /// All institutions; commits the roots of their own registers.
    Institutions,
    /// All batches.
    Batches,
    /// Authorities, policy, validators, schedule, usage, legal ids.
    Governance,
}

impl Register {
    /// The prefix of its pages' keys.
    #[must_use]
    pub fn prefix(self) -> Vec<u8> {
        let (code, institution) = match self {
            Self::Institutions => (0, None),
            Self::Batches => (1, None),
            Self::Governance => (2, None),
            Self::Keys(institution) => (16, Some(institution)),
            Self::Permissions(institution) => (17, Some(institution)),
            Self::Statuses(institution) => (18, Some(institution)),
        };
        let mut key = Vec::from([b'n', code]);
        if let Some(institution) = institution {
            key.extend_from_slice(&institution.get().to_be_bytes());
        }
        key
    }
}

/// Name of a record in the governance register; its register key is the hash of [`Governance::name`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Governance {
    /// Name 1, authority: [`sigeli_verifier::record::AuthorityRecord`].
    Authority(AuthorityId),
    /// Name 2: [`sigeli_verifier::record::Policy`].
    Policy,
    /// Name 3: [`super::Registry`], whose validators commit the next block.
    Registry,
    /// Name 4: [`crate::schedule::Schedule`].
    Schedule,
    /// Name 5, institution: [`sigeli_verifier::record::Usage`].
    Usage(InstitutionId),
    /// Name 6, jurisdiction (3 bytes), legal id (`u16` length, bytes): the institution's number.
    LegalId([u8; 3], Text<LEGAL_ID_BYTES_MAX>),
    /// Name 7: [`sigeli_verifier::record::GovernanceRecord`].
    Joint,
}

impl Governance {
    /// The name's bytes.
    #[must_use]
    pub fn name(&self) -> Vec<u8> {
        match self {
            Self::Authority(authority) => Vec::from([1, authority.get()]),
            Self::Policy => Vec::from([2]),
            Self::Registry => Vec::from([3]),
            Self::Schedule => Vec::from([4]),
            Self::Usage(institution) => with(&[5], &institution.to_bytes()),
            Self::LegalId(jurisdiction, legal_id) => {
                let mut name = with(&[6], jurisdiction);
                legal_id.encode(&mut name);
                name
            }
            Self::Joint => Vec::from([7]),
        }
    }

    /// The key in the governance register.
    #[must_use]
    pub fn register_key(&self) -> RegisterKey {
        register::key(&self.name())
    }

    /// The key of the stored record.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        with(b"g", &self.name())
    }
}

fn with(head: &[u8], tail: &[u8]) -> Vec<u8> {
    [head, tail].concat()
}

fn of(kind: u8, institution: InstitutionId, rest: &[u8]) -> Vec<u8> {
    let number = institution.get().to_be_bytes();
    let mut key = Vec::with_capacity(rest.len().saturating_add(5));
    key.push(kind);
    key.extend_from_slice(&number);
    key.extend_from_slice(rest);
    key
}

/// The roots of the registers.
#[must_use]
pub fn roots() -> Vec<u8> {
    Vec::from(*b"r")
}

/// An institution.
#[must_use]
pub fn institution(institution: InstitutionId) -> Vec<u8> {
    of(b'i', institution, &[])
}

/// A history entry of an institution, from 1.
#[must_use]
pub fn institution_entry(institution: InstitutionId, entry: u32) -> Vec<u8> {
    of(b'j', institution, &entry.to_be_bytes())
}

/// A key of an institution.
#[must_use]
pub fn institution_key(institution: InstitutionId, index: KeyIndex) -> Vec<u8> {
    of(b'k', institution, &index.get().to_be_bytes())
}

/// A history entry of a key, from 1.
#[must_use]
pub fn institution_key_entry(institution: InstitutionId, index: KeyIndex, entry: u32) -> Vec<u8> {
    of(b'm', institution, &with(&index.get().to_be_bytes(), &entry.to_be_bytes()))
}

/// The index of the key with these bytes.
#[must_use]
pub fn institution_key_index(institution: InstitutionId, key: &PublicKey) -> Vec<u8> {
    of(b'y', institution, &key.to_bytes())
}

/// How many keys of an institution are neither retired nor declared compromised.
#[must_use]
pub fn usable_keys(institution: InstitutionId) -> Vec<u8> {
    of(b'z', institution, &[])
}

/// A programme of an institution.
#[must_use]
pub fn programme(institution: InstitutionId, programme: ProgrammeId) -> Vec<u8> {
    of(b'o', institution, &programme.get().to_be_bytes())
}

/// A permission of an institution.
#[must_use]
pub fn permission(institution: InstitutionId, permission: PermissionId) -> Vec<u8> {
    of(b'p', institution, &permission.get().to_be_bytes())
}

/// A history entry of a permission, from 1.
#[must_use]
pub fn permission_entry(institution: InstitutionId, permission: PermissionId, entry: u32) -> Vec<u8> {
    of(b'e', institution, &with(&permission.get().to_be_bytes(), &entry.to_be_bytes()))
}

/// The number of batches anchored under a permission.
#[must_use]
pub fn permission_tally(institution: InstitutionId, permission: PermissionId) -> Vec<u8> {
    of(b't', institution, &permission.get().to_be_bytes())
}

/// The number of the permission that was granted for this.
#[must_use]
pub fn permission_content(institution: InstitutionId, content: &PermissionContent) -> Vec<u8> {
    of(b'q', institution, content.as_bytes())
}

/// The permissions of a kind that may still decide something: see [`super::Write::OfKind`].
#[must_use]
pub fn permissions_of_kind(institution: InstitutionId, kind: u8) -> Vec<u8> {
    of(b'x', institution, &[kind])
}

/// A batch of an institution.
#[must_use]
pub fn batch(institution: InstitutionId, root: &BatchRoot) -> Vec<u8> {
    of(b'b', institution, root.as_bytes())
}

/// The root of an institution's batch by number.
#[must_use]
pub fn batch_by_sequence(institution: InstitutionId, sequence: BatchSequence) -> Vec<u8> {
    of(b'c', institution, &sequence.get().to_be_bytes())
}

/// A history entry of a batch, from 1.
#[must_use]
pub fn batch_entry(institution: InstitutionId, root: &BatchRoot, entry: u32) -> Vec<u8> {
    of(b'd', institution, &with(root.as_bytes(), &entry.to_be_bytes()))
}

/// The root of a batch by its number under its accreditation.
#[must_use]
pub fn batch_by_accreditation(
    institution: InstitutionId,
    accreditation: PermissionId,
    sequence: BatchSequence,
) -> Vec<u8> {
    of(b'a', institution, &with(&accreditation.get().to_be_bytes(), &sequence.get().to_be_bytes()))
}

/// The head of a status.
#[must_use]
pub fn status(institution: InstitutionId, handle: &StatusHandle) -> Vec<u8> {
    of(b's', institution, handle.as_bytes())
}

/// Prefix of all status heads of an institution, or of those whose handle starts with these bytes.
#[must_use]
pub fn statuses(institution: InstitutionId, handle_prefix: &[u8]) -> Vec<u8> {
    of(b's', institution, handle_prefix)
}

/// An entry of a status's history, from 1.
#[must_use]
pub fn status_entry(institution: InstitutionId, handle: &StatusHandle, entry: u32) -> Vec<u8> {
    of(b'h', institution, &with(handle.as_bytes(), &entry.to_be_bytes()))
}

/// The name in the statuses register of the entry with this register key.
#[must_use]
pub fn status_name(institution: InstitutionId, key: &RegisterKey) -> Vec<u8> {
    of(b'u', institution, key.as_bytes())
}
