//! Single entries, present or absent, and institutions.

use alloc::vec::Vec;

use super::{ConfirmedState, ProofError};
use crate::{
    bounded::{List, TooLong},
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields},
    ids::{InstitutionId, RegisterKey, RegisterRoot},
    params::REGISTER_VALUE_BYTES_MAX,
    record::{InstitutionFacts, institution_key},
    register::{AbsenceTerminal, RegisterPath, value_hash},
    state::InstitutionRegisters,
};

pub(super) fn compare(computed: RegisterRoot, root: &RegisterRoot) -> Result<(), ProofError> {
    if computed == *root { Ok(()) } else { Err(ProofError::OtherRoot { computed }) }
}

/// Checks that the register with this root holds this value under this key.
///
/// # Errors
/// [`ProofError::Path`], [`ProofError::OtherRoot`].
pub fn verify_entry(
    root: &RegisterRoot,
    key: &RegisterKey,
    value: &[u8],
    path: &RegisterPath,
) -> Result<(), ProofError> {
    compare(path.root_with(key, &value_hash(value)).map_err(ProofError::Path)?, root)
}

/// Checks that the register with this root holds nothing under this key.
///
/// # Errors
/// [`ProofError::Path`], [`ProofError::OtherRoot`].
pub fn verify_absence(root: &RegisterRoot, key: &RegisterKey, absence: &AbsenceProof) -> Result<(), ProofError> {
    compare(absence.path.root_without(key, &absence.terminal).map_err(ProofError::Path)?, root)
}

/// The proof that a key is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsenceProof {
    /// What stands where it would be.
    pub terminal: AbsenceTerminal,
    /// The way from there to the root.
    pub path: RegisterPath,
}

fields!(AbsenceProof { terminal, path });

/// A value and the proof that it is present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceProof {
    /// The value's bytes.
    pub value: List<u8, REGISTER_VALUE_BYTES_MAX>,
    /// The way from its entry to the root.
    pub path: RegisterPath,
}

fields!(PresenceProof { value, path });

/// What a register says about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryProof {
    /// Nothing.
    Absent(AbsenceProof),
    /// This.
    Present(PresenceProof),
}

impl EntryProof {
    /// Takes a value and its path.
    ///
    /// # Errors
    /// [`TooLong`] when the value exceeds [`REGISTER_VALUE_BYTES_MAX`].
    pub fn present(value: Vec<u8>, path: RegisterPath) -> Result<Self, TooLong> {
        Ok(Self::Present(PresenceProof { value: List::new(value)?, path }))
    }

    /// The value under `key` in the register with this root; `None` when there is none.
    ///
    /// # Errors
    /// [`ProofError::Path`], [`ProofError::OtherRoot`].
    pub fn verify(&self, root: &RegisterRoot, key: &RegisterKey) -> Result<Option<&[u8]>, ProofError> {
        match self {
            Self::Absent(absence) => verify_absence(root, key, absence).map(|()| None),
            Self::Present(PresenceProof { value, path }) => {
                verify_entry(root, key, value, path).map(|()| Some(&**value))
            }
        }
    }

    /// As [`Self::verify`], and reads the value as a record.
    ///
    /// # Errors
    /// Those of [`Self::verify`], [`ProofError::Value`].
    pub fn verify_record<T: Decode>(&self, root: &RegisterRoot, key: &RegisterKey) -> Result<Option<T>, ProofError> {
        let value = self.verify(root, key)?;
        value.map(|value| T::from_bytes(value).map_err(|_| ProofError::Value)).transpose()
    }
}

impl Encode for EntryProof {
    /// 0 and the proof of absence, or 1, the value and its path.
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent(proof) => {
                out.push(0);
                proof.encode(out);
            }
            Self::Present(proof) => {
                out.push(1);
                proof.encode(out);
            }
        }
    }
}

impl Decode for EntryProof {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("entry")? {
            0 => AbsenceProof::decode(reader).map(Self::Absent),
            1 => PresenceProof::decode(reader).map(Self::Present),
            value => Err(DecodeError::UnknownValue { field: "entry", value: value.into() }),
        }
    }
}

/// An institution's record with the roots of its registers, and its way to the root of institutions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionProof {
    /// What its record says.
    pub facts: InstitutionFacts,
    /// The roots that its record commits.
    pub registers: InstitutionRegisters,
    /// The way to the root of institutions.
    pub path: RegisterPath,
}

fields!(InstitutionRegisters { keys, permissions, statuses });
fields!(InstitutionProof { facts, registers, path });

impl InstitutionProof {
    /// Checks that this is the institution's record in a confirmed state.
    ///
    /// # Errors
    /// [`ProofError::Path`], [`ProofError::OtherRoot`].
    pub fn verify(
        &self,
        state: &ConfirmedState,
        institution: InstitutionId,
    ) -> Result<ConfirmedInstitution<'_>, ProofError> {
        let value = self.facts.value(&self.registers.root());
        verify_entry(&state.roots().institutions, &institution_key(institution), &value, &self.path)?;
        Ok(ConfirmedInstitution { state: *state, institution, facts: &self.facts, registers: &self.registers })
    }
}

/// What the institutions register says about a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstitutionAnswer {
    /// No institution has it.
    Absent(AbsenceProof),
    /// This one has.
    Present(InstitutionProof),
}

impl InstitutionAnswer {
    /// The institution with this number in a confirmed state; `None` when none is registered under it.
    ///
    /// # Errors
    /// [`ProofError::Path`], [`ProofError::OtherRoot`].
    pub fn verify(
        &self,
        state: &ConfirmedState,
        institution: InstitutionId,
    ) -> Result<Option<ConfirmedInstitution<'_>>, ProofError> {
        match self {
            Self::Absent(absence) => {
                verify_absence(&state.roots().institutions, &institution_key(institution), absence).map(|()| None)
            }
            Self::Present(proof) => proof.verify(state, institution).map(Some),
        }
    }
}

impl Encode for InstitutionAnswer {
    /// 0 and the proof of absence, or 1 and the institution.
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent(proof) => {
                out.push(0);
                proof.encode(out);
            }
            Self::Present(proof) => {
                out.push(1);
                proof.encode(out);
            }
        }
    }
}

impl Decode for InstitutionAnswer {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("institution")? {
            0 => AbsenceProof::decode(reader).map(Self::Absent),
            1 => InstitutionProof::decode(reader).map(Self::Present),
            value => Err(DecodeError::UnknownValue { field: "institution", value: value.into() }),
        }
    }
}

/// An institution as a confirmed state holds it. Made by [`InstitutionProof::verify`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmedInstitution<'a> {
    state: ConfirmedState,
    institution: InstitutionId,
    facts: &'a InstitutionFacts,
    registers: &'a InstitutionRegisters,
}

impl<'a> ConfirmedInstitution<'a> {
    /// The state that holds it.
    #[must_use]
    pub const fn state(&self) -> &ConfirmedState {
        &self.state
    }

    /// Its number.
    #[must_use]
    pub const fn institution(&self) -> InstitutionId {
        self.institution
    }

    /// What its record says.
    #[must_use]
    pub const fn facts(&self) -> &'a InstitutionFacts {
        self.facts
    }

    /// The roots of its keys, permissions and statuses.
    #[must_use]
    pub const fn registers(&self) -> &'a InstitutionRegisters {
        self.registers
    }
}
