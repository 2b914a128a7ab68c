//! Which stored row holds which entry of a register, both ways, in one table.
//!
//! A row's key and an entry's name have the same parts: numbers are big-endian in the key, so that ranges come in order,
//! and little-endian in the name, as everywhere in the canonical encoding. The key begins with the kind of row, followed in
//! an institution's own registers by its number; the name begins with the kind of entry, where its register has several.

use alloc::vec::Vec;

use sigeli_verifier::{decode::Decode as _, ids::InstitutionId};

use crate::{
    state::{Institution, keys::Register},
    store::StoreError,
};

/// A part of a key or name: how many bytes, and whether they are a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Number(usize),
    Bytes(usize),
    /// Whatever is left.
    Rest,
}

use Part::{Bytes, Number, Rest};

/// A kind of row that holds entries of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// The first byte of the row's key.
    row: u8,
    /// The first byte of the name, if the register has several kinds of entries.
    tag: Option<u8>,
    parts: &'static [Part],
}

const fn kind(row: u8, tag: Option<u8>, parts: &'static [Part]) -> Kind {
    Kind { row, tag, parts }
}

const INSTITUTIONS: &[Kind] = &[kind(b'i', None, &[Number(4)]), kind(b'j', None, &[Number(4), Number(4)])];
const BATCHES: &[Kind] =
    &[kind(b'b', None, &[Number(4), Bytes(32)]), kind(b'd', None, &[Number(4), Bytes(32), Number(4)])];
const GOVERNANCE: &[Kind] = &[kind(b'g', None, &[Rest])];
const KEYS: &[Kind] = &[
    kind(b'k', Some(1), &[Number(2)]),
    kind(b'm', Some(2), &[Number(2), Number(4)]),
    kind(b'y', Some(3), &[Bytes(33)]),
    kind(b'z', Some(4), &[]),
];
const PERMISSIONS: &[Kind] = &[
    kind(b'p', Some(1), &[Number(4)]),
    kind(b'q', Some(2), &[Bytes(32)]),
    kind(b'e', Some(3), &[Number(4), Number(4)]),
    kind(b'o', Some(4), &[Number(4)]),
    kind(b't', Some(5), &[Number(4)]),
];
const STATUSES: &[Kind] = &[kind(b's', Some(1), &[Bytes(32)]), kind(b'h', Some(2), &[Bytes(32), Number(4)])];

/// The kinds of rows that hold a register's entries.
pub(super) const fn kinds(register: Register) -> &'static [Kind] {
    match register {
        Register::Institutions => INSTITUTIONS,
        Register::Batches => BATCHES,
        Register::Governance => GOVERNANCE,
        Register::Keys(_) => KEYS,
        Register::Permissions(_) => PERMISSIONS,
        Register::Statuses(_) => STATUSES,
    }
}

const fn owner(register: Register) -> Option<InstitutionId> {
    match register {
        Register::Institutions | Register::Batches | Register::Governance => None,
        Register::Keys(institution) | Register::Permissions(institution) | Register::Statuses(institution) => {
            Some(institution)
        }
    }
}

impl Kind {
    /// What the keys of these rows begin with.
    pub(super) fn prefix(self, register: Register) -> Vec<u8> {
        let mut prefix = Vec::from([self.row]);
        prefix.extend(owner(register).into_iter().flat_map(|institution| institution.get().to_be_bytes()));
        prefix
    }

    /// The name of the entry in the row with this key, if it is of this kind.
    pub(super) fn name(self, register: Register, key: &[u8]) -> Option<Vec<u8>> {
        let parts = key.strip_prefix(self.prefix(register).as_slice())?;
        let name = self.tag.into_iter().collect();
        self.turn(name, parts)
    }

    /// The key of the row of the entry with this name, if it is of this kind.
    fn key(self, register: Register, name: &[u8]) -> Option<Vec<u8>> {
        let parts = match self.tag {
            Some(tag) => name.strip_prefix(&[tag])?,
            None => name,
        };
        self.turn(self.prefix(register), parts)
    }

    /// Appends the parts to `out`, each number turned from one order of bytes to the other.
    fn turn(self, mut out: Vec<u8>, parts: &[u8]) -> Option<Vec<u8>> {
        let mut rest = parts;
        for part in self.parts {
            let (Number(length) | Bytes(length)) = *part else {
                out.extend_from_slice(rest);
                return Some(out);
            };
            let (bytes, tail) = rest.split_at_checked(length)?;
            match part {
                Number(_) => out.extend(bytes.iter().rev()),
                Bytes(_) | Rest => out.extend_from_slice(bytes),
            }
            rest = tail;
        }
        rest.is_empty().then_some(out)
    }

    /// The value that the register commits to, from the row's.
    pub(super) fn value(self, row: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        if self.row != b'i' {
            return Ok(row);
        }
        // The row keeps the roots of the institution's registers, the entry the node over them.
        let institution = Institution::from_bytes(&row).map_err(|_| StoreError::Corrupt { what: "institution" })?;
        Ok(institution.value())
    }
}

/// The row of the entry with this name, and its kind; `None` when the register can have no such entry.
pub(super) fn row(register: Register, name: &[u8]) -> Option<(Kind, Vec<u8>)> {
    kinds(register).iter().find_map(|kind| kind.key(register, name).map(|key| (*kind, key)))
}

#[cfg(test)]
mod tests {
    use sigeli_verifier::{
        encode::Encode as _,
        ids::{BatchRoot, KeyIndex, PermissionContent, PermissionId, ProgrammeId, StatusHandle},
    };

    use super::*;
    use crate::state::keys::{self, Governance};

    /// The base point of edwards25519 (RFC 8032 §5.1), as a key that is one.
    const BASE_POINT: [u8; 32] = {
        let mut bytes = [0x66; 32];
        bytes[0] = 0x58;
        bytes
    };

    /// Rows as `state::keys` makes them, with the names that `docs/protocol.md` §9 gives them.
    fn examples() -> Vec<(Register, Vec<u8>, Vec<u8>)> {
        let id = InstitutionId::new(0x0102_0304);
        let (index, permission) = (KeyIndex::new(0x0506), PermissionId::new(0x0708_090a));
        let (root, handle, content) =
            (BatchRoot::new([8; 32]), StatusHandle::new([9; 32]), PermissionContent::new([10; 32]));
        let entry = 0x0b0c_0d0e_u32;
        let name = |parts: &[&[u8]]| parts.concat();
        let (id_name, entry_name) = (id.to_bytes(), entry.to_bytes());
        let (index_name, number) = (index.to_bytes(), permission.to_bytes());
        let public = sigeli_verifier::crypto::PublicKey::from_ed25519(&BASE_POINT).unwrap();
        let own = |register: fn(InstitutionId) -> Register| register(id);
        Vec::from([
            (Register::Institutions, keys::institution(id), id_name.clone()),
            (Register::Institutions, keys::institution_entry(id, entry), name(&[&id_name, &entry_name])),
            (Register::Batches, keys::batch(id, &root), name(&[&id_name, &[8; 32]])),
            (Register::Batches, keys::batch_entry(id, &root, entry), name(&[&id_name, &[8; 32], &entry_name])),
            (Register::Governance, Governance::Usage(id).key(), name(&[&[5], &id_name])),
            (own(Register::Keys), keys::institution_key(id, index), name(&[&[1], &index_name])),
            (
                own(Register::Keys),
                keys::institution_key_entry(id, index, entry),
                name(&[&[2], &index_name, &entry_name]),
            ),
            (own(Register::Keys), keys::institution_key_index(id, &public), name(&[&[3], &public.to_bytes()])),
            (own(Register::Keys), keys::usable_keys(id), name(&[&[4]])),
            (own(Register::Permissions), keys::permission(id, permission), name(&[&[1], &number])),
            (own(Register::Permissions), keys::permission_content(id, &content), name(&[&[2], &[10; 32]])),
            (
                own(Register::Permissions),
                keys::permission_entry(id, permission, entry),
                name(&[&[3], &number, &entry_name]),
            ),
            (
                own(Register::Permissions),
                keys::programme(id, ProgrammeId::new(0x0f10_1112)),
                name(&[&[4], &0x0f10_1112_u32.to_bytes()]),
            ),
            (own(Register::Permissions), keys::permission_tally(id, permission), name(&[&[5], &number])),
            (own(Register::Statuses), keys::status(id, &handle), name(&[&[1], &[9; 32]])),
            (own(Register::Statuses), keys::status_entry(id, &handle, entry), name(&[&[2], &[9; 32], &entry_name])),
        ])
    }

    #[test]
    fn keys_and_names_lead_to_each_other() {
        let mut seen = 0;
        for (register, key, name) in examples() {
            let (kind, found) = row(register, &name).unwrap();
            assert_eq!(found, key, "{register:?}");
            assert_eq!(kind.name(register, &key), Some(name.clone()));
            seen += 1;
            let longer = [name.clone(), Vec::from([0])].concat();
            assert!(kind.parts == [Rest] || row(register, &longer).is_none_or(|(other, _)| other != kind));
            assert!(kind.parts == [Rest] || kind.key(register, &name[..name.len() - 1]).is_none());
        }
        let all = [INSTITUTIONS, BATCHES, GOVERNANCE, KEYS, PERMISSIONS, STATUSES];
        assert_eq!(seen, all.iter().map(|kinds| kinds.len()).sum::<usize>(), "one example of each kind");
        assert_eq!(row(Register::Keys(InstitutionId::new(1)), &[9, 0, 0]), None);
    }
}
