//! Permissions: authorisations, Minister's orders, accreditations, and what happens to them.

use alloc::vec::Vec;

use crate::{
    bounded::List,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, fields},
    ids::{DecisionRef, EctsTenths, InstitutionId, PermissionId, ProgrammeId},
    params::FIELDS_PER_PERMISSION_MAX,
    time::{Day, Window},
    transaction::{CredentialType, DecisionReason, FieldPrefix, Level, Levels, Modes, Name, PermissionAction},
};

/// Field prefixes of a permission.
pub type FieldPrefixes = List<FieldPrefix, FIELDS_PER_PERMISSION_MAX>;

/// What the accreditation of a programme allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accreditation {
    /// The institution that coordinates the programme: the one that gets the accreditation, or one that names it among
    /// the programme's partners.
    pub coordinator: InstitutionId,
    /// The programme's number with that institution.
    pub programme: ProgrammeId,
    /// The programme's title in Georgian, as it was registered.
    pub title_ka: Name,
    /// The programme's title in English, as it was registered.
    pub title_en: Name,
    /// The agency that evaluated the programme and whose decision is recognised; empty when it was the quality agency
    /// itself.
    pub agent: Name,
    /// Its level.
    pub level: Level,
    /// Its fields; at least one.
    pub fields: FieldPrefixes,
    /// The most credits one credential may state.
    pub ects_max: EctsTenths,
    /// What it leads to.
    pub credential_type: CredentialType,
    /// How it is attended.
    pub modes: Modes,
    /// The day by which it is to be reviewed, within its window.
    pub review: Day,
}

fields!(Accreditation {
    coordinator,
    programme,
    title_ka,
    title_en,
    agent,
    level,
    fields,
    ects_max,
    credential_type,
    modes,
    review,
});

/// What a permission allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionScope {
    /// To issue state-recognised documents.
    Authorisation,
    /// To take part in the pilot: the Minister's order.
    PilotOrder {
        /// Fields it covers; at least one.
        fields: FieldPrefixes,
        /// Levels it covers.
        levels: Levels,
    },
    /// To issue credentials of one programme.
    Accreditation(Accreditation),
}

impl PermissionScope {
    /// The kind's byte: 1 authorisation, 2 pilot order, 3 accreditation.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Authorisation => 1,
            Self::PilotOrder { .. } => 2,
            Self::Accreditation(_) => 3,
        }
    }
}

impl Encode for PermissionScope {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code());
        match self {
            Self::Authorisation => {}
            Self::PilotOrder { fields, levels } => {
                fields.encode(out);
                levels.encode(out);
            }
            Self::Accreditation(accreditation) => accreditation.encode(out),
        }
    }
}

impl Decode for PermissionScope {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8("permission_kind")? {
            1 => Ok(Self::Authorisation),
            2 => Ok(Self::PilotOrder { fields: List::decode(reader)?, levels: Levels::decode(reader)? }),
            3 => Accreditation::decode(reader).map(Self::Accreditation),
            value => Err(DecodeError::UnknownValue { field: "permission_kind", value: value.into() }),
        }
    }
}

/// Grants a permission. The quality agency authorises and accredits, the Ministry grants the pilot order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionGrant {
    /// Who gets it.
    pub institution: InstitutionId,
    /// The decision that grants it.
    pub decision: DecisionRef,
    /// The days on which it holds.
    pub window: Window,
    /// Whether it was granted under conditions.
    pub conditional: bool,
    /// What it allows.
    pub scope: PermissionScope,
}

fields!(PermissionGrant { institution, decision, window, conditional, scope });

/// Suspends, reinstates or withdraws a permission. Written by the authority that granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionChange {
    /// Whose permission.
    pub institution: InstitutionId,
    /// Which.
    pub permission: PermissionId,
    /// The decision.
    pub decision: DecisionRef,
    /// The number that the change gets in the permission's history: one more than there are. A second copy so finds its
    /// number taken.
    pub entry: u32,
    /// What happens.
    pub action: PermissionAction,
    /// The first day on which it counts: from the day of what stands on the day of the block until the day after the
    /// permission's last.
    pub effective: Day,
    /// Why.
    pub reason: DecisionReason,
}

fields!(PermissionChange { institution, permission, decision, entry, action, effective, reason });

/// Replaces an active or suspended permission by a new one of the same kind, an accreditation by one of the same
/// programme: a renewal, or another scope. Written by the authority that granted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionReplace {
    /// The permission that ends.
    pub replaced: PermissionId,
    /// The first day on which it is replaced, within the days of the new one; bound as in [`PermissionChange`].
    pub effective: Day,
    /// Why: `Renewed`, `ScopeChanged`, `Conditional`, `CourtOrder`, `AppealUpheld` or `ErrorCorrected`.
    pub reason: DecisionReason,
    /// The permission that takes its place.
    pub grant: PermissionGrant,
}

fields!(PermissionReplace { replaced, effective, reason, grant });

/// Annuls a withdrawal, announced or in force: a new permission with the scope and the days of the withdrawn one takes its
/// place, and is suspended if that one was. Written by the authority that granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionAnnul {
    /// Whose permission.
    pub institution: InstitutionId,
    /// The withdrawn one.
    pub permission: PermissionId,
    /// The decision that annuls the withdrawal.
    pub decision: DecisionRef,
    /// Why: `CourtOrder`, `AppealUpheld` or `ErrorCorrected`.
    pub reason: DecisionReason,
}

fields!(PermissionAnnul { institution, permission, decision, reason });
