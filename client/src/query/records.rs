//! The records of registers that were downloaded as a whole and verified.

use std::collections::BTreeMap;

use sigeli_verifier::{
    decode::{Decode, DecodeError, Reader},
    ids::{AuthorityId, InstitutionId, KeyIndex, PermissionId, ProgrammeId, StatusHandle},
    proof::{RegisterEntry, StatusName},
    record::{
        AuthorityRecord, GovernanceRecord, InstitutionEntry, InstitutionFacts, KeyRecord, PermissionEntry,
        PermissionRecord, Policy, ProgrammeRecord, StatusRecord, Usage,
    },
};

use super::{node::QueryError, standing::Held};

/// An institution's programmes and permissions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    /// The programmes that it coordinates.
    pub programmes: BTreeMap<ProgrammeId, ProgrammeRecord>,
    /// Its permissions, in order of number, each with its whole history.
    pub held: Vec<Held>,
    /// How many batches were anchored under each; absent for none.
    pub tallies: BTreeMap<PermissionId, u32>,
}

/// An institution of the institutions register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Institution {
    /// Its number.
    pub number: InstitutionId,
    /// What its record says.
    pub facts: InstitutionFacts,
    /// Its history, oldest entry first.
    pub history: Vec<InstitutionEntry>,
}

/// The records of the governance register that are about people's affairs, not about consensus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governance {
    /// The authorities, those that were ended included.
    pub authorities: BTreeMap<AuthorityId, AuthorityRecord>,
    /// The policy in force.
    pub policy: Policy,
    /// The joint affairs.
    pub joint: GovernanceRecord,
    /// What institutions have used of their quotas on the last day on which they wrote anything.
    pub usage: BTreeMap<InstitutionId, Usage>,
}

fn decode<T: Decode>(bytes: &[u8]) -> Result<T, QueryError> {
    T::from_bytes(bytes).map_err(|_| QueryError::Malformed)
}

/// A name's first byte, and a cursor over the rest.
fn split(name: &[u8]) -> Option<(u8, Reader<'_>)> {
    name.split_first().map(|(kind, rest)| (*kind, Reader::new(rest)))
}

/// One number after the other, and nothing behind them.
fn numbers<A: Decode, B: Decode>(mut rest: Reader<'_>) -> Result<(A, B), DecodeError> {
    let pair = (A::decode(&mut rest)?, B::decode(&mut rest)?);
    rest.finish()?;
    Ok(pair)
}

fn number<A: Decode>(mut rest: Reader<'_>) -> Result<A, DecodeError> {
    let number = A::decode(&mut rest)?;
    rest.finish()?;
    Ok(number)
}

/// Reads a permissions register.
///
/// # Errors
/// [`QueryError::Malformed`], [`QueryError::Contradiction`].
pub fn permissions(entries: &[RegisterEntry]) -> Result<Permissions, QueryError> {
    let malformed = |_| QueryError::Malformed;
    let mut read = Permissions::default();
    let mut records = BTreeMap::<PermissionId, PermissionRecord>::new();
    let mut histories = BTreeMap::<PermissionId, BTreeMap<u32, PermissionEntry>>::new();
    for entry in entries {
        let (kind, rest) = split(&entry.name).ok_or(QueryError::Malformed)?;
        match kind {
            1 => {
                records.insert(number(rest).map_err(malformed)?, decode(&entry.value)?);
            }
            // The way back from a decision to a permission: says nothing more.
            2 => {}
            3 => {
                let (permission, position) = numbers(rest).map_err(malformed)?;
                histories.entry(permission).or_default().insert(position, decode(&entry.value)?);
            }
            4 => {
                read.programmes.insert(number(rest).map_err(malformed)?, decode(&entry.value)?);
            }
            5 => {
                read.tallies.insert(number(rest).map_err(malformed)?, decode(&entry.value)?);
            }
            _ => return Err(QueryError::Malformed),
        }
    }
    for (number, record) in records {
        let history = histories.remove(&number).unwrap_or_default();
        let complete = history.keys().copied().eq(1..=record.entries);
        if !complete {
            return Err(super::standing::Contradiction { number }.into());
        }
        read.held.push(Held::new(number, record, history.into_values().collect())?);
    }
    Ok(read)
}

/// Reads the keys of a keys register, in order of index.
///
/// # Errors
/// [`QueryError::Malformed`].
pub fn keys(entries: &[RegisterEntry]) -> Result<Vec<(KeyIndex, KeyRecord)>, QueryError> {
    let mut keys = BTreeMap::new();
    for entry in entries {
        let (kind, rest) = split(&entry.name).ok_or(QueryError::Malformed)?;
        match kind {
            1 => {
                keys.insert(number(rest).map_err(|_| QueryError::Malformed)?, decode(&entry.value)?);
            }
            2 => {}
            _ => return Err(QueryError::Malformed),
        }
    }
    Ok(keys.into_iter().collect())
}

/// Reads the institutions register, in order of number.
///
/// # Errors
/// [`QueryError::Malformed`].
pub fn institutions(entries: &[RegisterEntry]) -> Result<Vec<Institution>, QueryError> {
    let malformed = |_| QueryError::Malformed;
    let mut facts = BTreeMap::<InstitutionId, InstitutionFacts>::new();
    let mut histories = BTreeMap::<InstitutionId, BTreeMap<u32, InstitutionEntry>>::new();
    for entry in entries {
        let rest = Reader::new(&entry.name);
        if entry.name.len() == 4 {
            // Facts, and the root over the institution's own registers behind them.
            let mut value = Reader::new(&entry.value);
            let read = InstitutionFacts::decode(&mut value).map_err(malformed)?;
            value.array::<32>("registers").map_err(malformed)?;
            value.finish().map_err(malformed)?;
            facts.insert(number(rest).map_err(malformed)?, read);
        } else {
            let (institution, position) = numbers(rest).map_err(malformed)?;
            histories.entry(institution).or_default().insert(position, decode(&entry.value)?);
        }
    }
    let institutions = facts.into_iter().map(|(number, facts)| {
        let history = histories.remove(&number).unwrap_or_default();
        if history.keys().copied().eq(1..=facts.entries) {
            Ok(Institution { number, facts, history: history.into_values().collect() })
        } else {
            Err(QueryError::Malformed)
        }
    });
    institutions.collect()
}

/// Reads a governance register.
///
/// # Errors
/// [`QueryError::Malformed`].
pub fn governance(entries: &[RegisterEntry]) -> Result<Governance, QueryError> {
    let malformed = |_| QueryError::Malformed;
    let (mut policy, mut joint) = (None, None);
    let (mut authorities, mut usage) = (BTreeMap::new(), BTreeMap::new());
    for entry in entries {
        let (kind, rest) = split(&entry.name).ok_or(QueryError::Malformed)?;
        match kind {
            1 => {
                authorities.insert(number(rest).map_err(malformed)?, decode(&entry.value)?);
            }
            2 => policy = Some(decode(&entry.value)?),
            5 => {
                usage.insert(number(rest).map_err(malformed)?, decode(&entry.value)?);
            }
            7 => joint = Some(decode(&entry.value)?),
            // Validators, the order of proposers, legal ids: not for this reader.
            _ => {}
        }
    }
    let (policy, joint) = policy.zip(joint).ok_or(QueryError::Malformed)?;
    Ok(Governance { authorities, policy, joint, usage })
}

/// What is written about a credential: its head if it is among the entries, and those of its history that are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Where it stands.
    pub head: Option<StatusRecord>,
    /// Entries of its history by number.
    pub history: BTreeMap<u32, StatusRecord>,
}

/// Reads entries of a statuses register, by handle.
///
/// # Errors
/// [`QueryError::Malformed`].
pub fn statuses(entries: &[RegisterEntry]) -> Result<BTreeMap<StatusHandle, Status>, QueryError> {
    let mut statuses = BTreeMap::<StatusHandle, Status>::new();
    for entry in entries {
        let record = decode(&entry.value)?;
        match decode::<StatusName>(&entry.name)? {
            StatusName::Head(handle) => statuses.entry(handle).or_default().head = Some(record),
            StatusName::Entry(handle, position) => {
                statuses.entry(handle).or_default().history.insert(position, record);
            }
        }
    }
    Ok(statuses)
}
