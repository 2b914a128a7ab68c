//! What an accreditation says about a batch, and whether what a clerk states fits it. The ledger asks the same again when
//! the batch is anchored; here it is asked before salts are drawn.

use sigeli_verifier::{
    ids::{EctsTenths, PermissionId},
    record::{PermissionRecord, PermissionStanding, PermissionState},
    time::Day,
    transaction::{Field, FieldPrefix, FieldPrefixes, Level, PermissionScope},
};

use crate::{batch::BatchFacts, values::ects_text};

/// What a clerk states; what is left out comes from the accreditation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stated {
    /// The level.
    pub level: Option<Level>,
    /// The field.
    pub field: Option<Field>,
    /// The credits.
    pub ects: Option<EctsTenths>,
}

/// Why credentials cannot be issued under a permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccreditationError {
    /// The institution has no such permission.
    #[error("the institution has no accreditation {number}: check --accreditation and --institution")]
    Missing {
        /// The number.
        number: PermissionId,
    },
    /// The permission is of another kind.
    #[error("permission {number} is not the accreditation of a programme: check --accreditation")]
    OtherKind {
        /// The number.
        number: PermissionId,
    },
    /// The level is another one.
    #[error("the programme is accredited at level {}, not {}: leave --level out, or check --accreditation", accredited.get(),
        stated.get())]
    Level {
        /// As accredited.
        accredited: Level,
        /// As stated.
        stated: Level,
    },
    /// The field is not covered.
    #[error("the accreditation covers the fields {}, not {stated}: check --field", listed(accredited))]
    Field {
        /// As accredited.
        accredited: FieldPrefixes,
        /// As stated.
        stated: Field,
    },
    /// The accreditation covers several fields.
    #[error(
        "the accreditation covers the fields {}: name the one of these credentials with --field",
        listed(accredited)
    )]
    FieldOpen {
        /// As accredited.
        accredited: FieldPrefixes,
    },
    /// More credits than accredited.
    #[error("the accreditation allows at most {} ECTS, not {}: check --ects", ects_text(*most), ects_text(*stated))]
    Ects {
        /// The most accredited.
        most: EctsTenths,
        /// As stated.
        stated: EctsTenths,
    },
    /// It does not hold (any more) on the date of issue.
    #[error("the accreditation {} since {since}, and the credentials are issued on {issued}", what_became(*state))]
    Ended {
        /// Where it stands.
        state: PermissionState,
        /// The first day on which it stands there.
        since: Day,
        /// As stated.
        issued: Day,
    },
    /// Issued outside the accreditation.
    #[error(
        "the programme is accredited from {first} to {last}, and the credentials are issued on {issued}: check --issued"
    )]
    Issued {
        /// First day.
        first: Day,
        /// Last day.
        last: Day,
        /// As stated.
        issued: Day,
    },
}

fn what_became(state: PermissionState) -> String {
    match state {
        PermissionState::Active => "holds".into(),
        PermissionState::Suspended => "is suspended".into(),
        PermissionState::Withdrawn => "is withdrawn".into(),
        PermissionState::Replaced { by } => format!("is replaced by accreditation {by} (name that one)"),
        PermissionState::Restored { by } => {
            format!("was withdrawn, and accreditation {by} (name that one) stands in its place")
        }
    }
}

fn listed(fields: &FieldPrefixes) -> String {
    fields.iter().map(FieldPrefix::to_string).collect::<Vec<_>>().join(", ")
}

/// The facts of a batch issued under a permission on a day.
///
/// # Errors
/// [`AccreditationError`].
pub fn facts_under(
    number: PermissionId,
    record: &PermissionRecord,
    stated: Stated,
    issued: Day,
) -> Result<BatchFacts, AccreditationError> {
    let PermissionScope::Accreditation(accreditation) = &record.scope else {
        return Err(AccreditationError::OtherKind { number });
    };
    let (accredited, fields, ects_max) = (accreditation.level, &accreditation.fields, accreditation.ects_max);
    let level = match stated.level {
        Some(level) if level != accredited => return Err(AccreditationError::Level { accredited, stated: level }),
        _ => accredited,
    };
    let field = match stated.field {
        Some(field) if fields.iter().any(|prefix| prefix.covers(field)) => field,
        Some(field) => return Err(AccreditationError::Field { accredited: fields.clone(), stated: field }),
        None => only_field(fields).ok_or_else(|| AccreditationError::FieldOpen { accredited: fields.clone() })?,
    };
    let ects = match stated.ects {
        Some(ects) if ects > ects_max => return Err(AccreditationError::Ects { most: ects_max, stated: ects }),
        Some(ects) => ects,
        None => ects_max,
    };
    if !record.window.contains(issued) {
        let (first, last) = (record.window.first(), record.window.last());
        return Err(AccreditationError::Issued { first, last, issued });
    }
    // The ledger judges the day on which the batch is anchored; whatever ended by the date of issue has ended by then too.
    if let Some(PermissionStanding { state, effective: since, .. }) = record.standing.on(issued).copied()
        && state != PermissionState::Active
    {
        return Err(AccreditationError::Ended { state, since, issued });
    }
    let credential_type = accreditation.credential_type;
    Ok(BatchFacts { accreditation: number, level, field, ects, issued, credential_type })
}

/// The detailed field, when the accreditation is for exactly one.
fn only_field(fields: &FieldPrefixes) -> Option<Field> {
    match &**fields {
        [prefix] => crate::values::parse_field(&prefix.to_string()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{parse_day, parse_ects, parse_field, parse_fields, parse_level, parse_text, window};
    use sigeli_verifier::{
        ids::{AuthorityId, DecisionRef, Height, InstitutionId, ProgrammeId},
        record::PermissionStandings,
        transaction::{Accreditation, CredentialType, DecisionReason, Modes},
    };

    fn record(fields: &str) -> PermissionRecord {
        PermissionRecord {
            authority: AuthorityId::new(2),
            decision: DecisionRef::new([0; 32]),
            window: window(parse_day("2026-09-01").unwrap(), parse_day("2027-08-31").unwrap()).unwrap(),
            conditional: false,
            scope: PermissionScope::Accreditation(Accreditation {
                coordinator: InstitutionId::new(1),
                programme: ProgrammeId::new(1),
                title_ka: parse_text("პროგრამა").unwrap(),
                title_en: parse_text("Programme").unwrap(),
                agent: parse_text("").unwrap(),
                level: parse_level("6").unwrap(),
                fields: parse_fields(fields).unwrap(),
                ects_max: parse_ects("3").unwrap(),
                credential_type: CredentialType::MicroCredential,
                modes: Modes::ONLINE,
                review: parse_day("2027-08-31").unwrap(),
            }),
            granted: Height::new(1),
            predecessor: PermissionId::new(0),
            standing: PermissionStandings::granted(parse_day("2026-09-01").unwrap(), DecisionReason::Granted),
            entries: 1,
        }
    }

    fn under(fields: &str, stated: Stated, issued: &str) -> Result<BatchFacts, AccreditationError> {
        facts_under(PermissionId::new(3), &record(fields), stated, parse_day(issued).unwrap())
    }

    #[test]
    fn what_is_not_stated_comes_from_the_accreditation() {
        let facts = under("0613", Stated::default(), "2026-11-24").unwrap();
        assert_eq!((facts.level.get(), facts.field.get(), facts.ects.get()), (6, 613, 30));
        let stated =
            Stated { ects: parse_ects("2.5").ok(), field: parse_field("0612").ok(), level: parse_level("6").ok() };
        let facts = under("061,07", stated, "2027-08-31").unwrap();
        assert_eq!((facts.field.get(), facts.ects.get()), (612, 25));
    }

    #[test]
    fn what_contradicts_the_accreditation_is_refused() {
        let nothing = Stated::default();
        let day = "2026-11-24";
        assert!(matches!(under("061", nothing, day), Err(AccreditationError::FieldOpen { .. })));
        assert!(matches!(under("0613,0714", nothing, day), Err(AccreditationError::FieldOpen { .. })));
        let level = Stated { level: parse_level("7").ok(), ..nothing };
        assert!(matches!(under("0613", level, day), Err(AccreditationError::Level { .. })));
        let field = Stated { field: parse_field("0714").ok(), ..nothing };
        let refused = under("0613,06", field, day).unwrap_err();
        assert!(refused.to_string().contains("0613, 06"), "{refused}");
        let ects = Stated { ects: parse_ects("3.1").ok(), ..nothing };
        assert!(matches!(under("0613", ects, day), Err(AccreditationError::Ects { .. })));
        for outside in ["2026-08-31", "2027-09-01"] {
            assert!(matches!(under("0613", nothing, outside), Err(AccreditationError::Issued { .. })));
        }
        let mut suspended = record("0613");
        let change = PermissionStanding {
            effective: parse_day("2026-11-20").unwrap(),
            state: PermissionState::Suspended,
            reason: DecisionReason::MonitoringFailed,
        };
        suspended.standing = suspended.standing.changed(change, parse_day("2026-11-01").unwrap()).unwrap();
        let on = |issued| facts_under(PermissionId::new(3), &suspended, nothing, parse_day(issued).unwrap());
        assert!(on("2026-11-19").is_ok());
        let refused = on("2026-11-20").unwrap_err().to_string();
        assert!(refused.contains("is suspended since 2026-11-20"), "{refused}");
        let authorisation = PermissionRecord { scope: PermissionScope::Authorisation, ..record("06") };
        let refused = facts_under(PermissionId::new(3), &authorisation, nothing, parse_day(day).unwrap());
        assert!(matches!(refused, Err(AccreditationError::OtherKind { .. })));
    }
}
