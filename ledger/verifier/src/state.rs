//! The state root: eight fixed slots under one perfect tree, and the registers of one institution
//! (`docs/protocol.md` §9).

use crate::{
    domain::STATE_NODE,
    ids::{RegisterRoot, StateRoot},
};

/// Which register stands in which slot. Institutions and batches are adjacent, so that a bundle proves both with two
/// siblings. Slots 3 to 7 are reserved and empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// Institutions, by number.
    Institutions,
    /// Batches, by institution and root.
    Batches,
    /// Authorities, policy, validators, proposer schedule.
    Governance,
}

/// The roots of the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateRoots {
    /// Root of the institutions register.
    pub institutions: RegisterRoot,
    /// Root of the batches register.
    pub batches: RegisterRoot,
    /// Root of the governance register.
    pub governance: RegisterRoot,
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    STATE_NODE.hash(&[left, right])
}

impl StateRoots {
    /// Every register empty.
    pub const EMPTY: Self =
        Self { institutions: RegisterRoot::EMPTY, batches: RegisterRoot::EMPTY, governance: RegisterRoot::EMPTY };

    /// The two siblings of the pair (institutions, batches), lowest first.
    #[must_use]
    pub fn pair_siblings(&self) -> [[u8; 32]; 2] {
        let empty = RegisterRoot::EMPTY.get();
        let second_pair = node(self.governance.as_bytes(), &empty);
        let last_four = node(&node(&empty, &empty), &node(&empty, &empty));
        [second_pair, last_four]
    }

    /// The state root.
    #[must_use]
    pub fn root(&self) -> StateRoot {
        root_from_pair(&self.institutions, &self.batches, &self.pair_siblings())
    }
}

/// The state root that follows from the roots of institutions and batches and their two siblings.
#[must_use]
pub fn root_from_pair(institutions: &RegisterRoot, batches: &RegisterRoot, siblings: &[[u8; 32]; 2]) -> StateRoot {
    let [second_pair, last_four] = siblings;
    let pair = node(institutions.as_bytes(), batches.as_bytes());
    StateRoot::new(node(&node(&pair, second_pair), last_four))
}

/// The roots of one institution's own registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstitutionRegisters {
    /// Its keys, by index.
    pub keys: RegisterRoot,
    /// Its permissions, by number.
    pub permissions: RegisterRoot,
    /// The statuses of its credentials, by handle.
    pub statuses: RegisterRoot,
}

impl InstitutionRegisters {
    /// Every register empty.
    pub const EMPTY: Self =
        Self { keys: RegisterRoot::EMPTY, permissions: RegisterRoot::EMPTY, statuses: RegisterRoot::EMPTY };

    /// The node over keys and permissions: all that a bundle without a permission section carries of them.
    #[must_use]
    pub fn keys_and_permissions(&self) -> [u8; 32] {
        keys_and_permissions(&self.keys, &self.permissions)
    }

    /// What the institution's record commits.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        registers_root(&self.keys_and_permissions(), &self.statuses)
    }
}

/// The node over the roots of keys and permissions.
#[must_use]
pub fn keys_and_permissions(keys: &RegisterRoot, permissions: &RegisterRoot) -> [u8; 32] {
    node(keys.as_bytes(), permissions.as_bytes())
}

/// What an institution's record commits, from the node over keys and permissions and the root of statuses.
#[must_use]
pub fn registers_root(keys_and_permissions: &[u8; 32], statuses: &RegisterRoot) -> [u8; 32] {
    node(keys_and_permissions, statuses.as_bytes())
}
