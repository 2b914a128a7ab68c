//! Names of things for the world outside: identifiers that the ledger does not hold, terms of the EU's code lists, days
//! as points in time.

use sha2::{Digest as _, Sha256};
use sigeli_verifier::{
    ids::{AuthorityId, GenesisHash, InstitutionId, PermissionId, ProgrammeId},
    time::Day,
    transaction::FieldPrefix,
};

use super::ExportError;

/// Whose identifier is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing<'a> {
    Authority(AuthorityId),
    /// An agency that is no authority of the ledger: its name is all that is known of it.
    Agency(&'a str),
    Institution(InstitutionId),
    Permission(InstitutionId, PermissionId),
    Programme(InstitutionId, ProgrammeId),
    /// A part of what is exported about a permission.
    Part(InstitutionId, PermissionId, &'a str),
}

/// `urn:uuid:` with a UUID of version 8 (RFC 9562 §5.8): the first 128 bits of SHA-256 over `sigeli/v1/`, the genesis hash in
/// hexadecimal and the thing's path, such as `/institutions/1/permissions/2`, with the version and variant bits set. The
/// same thing of the same ledger always has the same one, and nobody needs to own a domain for it.
pub(super) fn urn(genesis: &GenesisHash, thing: Thing<'_>) -> String {
    let path = match thing {
        Thing::Authority(authority) => format!("authorities/{authority}"),
        Thing::Agency(name) => format!("agencies/{name}"),
        Thing::Institution(institution) => format!("institutions/{institution}"),
        Thing::Permission(institution, permission) => format!("institutions/{institution}/permissions/{permission}"),
        Thing::Programme(institution, programme) => format!("institutions/{institution}/programmes/{programme}"),
        Thing::Part(institution, permission, part) => {
            format!("institutions/{institution}/permissions/{permission}/{part}")
        }
    };
    let hash: [u8; 32] = Sha256::digest(format!("sigeli/v1/{genesis}/{path}")).into();
    let mut bytes: [u8; 16] = core::array::from_fn(|position| hash[position]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    format!("urn:uuid:{}", parts.join("-"))
}

/// The term of a level in the EU's list of EQF levels. Georgia's levels are aligned with them one to one.
pub(super) fn eqf(level: u8) -> String {
    format!("http://data.europa.eu/snb/eqf/{level}")
}

/// The term of a field in the EU's list of ISCED-F 2013 codes, which has broad, narrow and detailed ones.
pub(super) fn isced(field: &FieldPrefix) -> String {
    format!("http://data.europa.eu/snb/isced-f/{field}")
}

/// Georgia in the EU's table of administrative territorial units: where these permissions count.
pub(super) const JURISDICTION: &str = "http://publications.europa.eu/resource/authority/atu/GEO";

/// The country in the EU's table of countries, which uses ISO 3166-1 alpha-3 codes.
pub(super) fn country(code: &str) -> String {
    format!("http://publications.europa.eu/resource/authority/country/{code}")
}

/// The first moment of a day in Tbilisi.
///
/// # Errors
/// [`ExportError::Day`] for a year that RFC 3339 cannot write.
pub(super) fn first_moment(day: Day) -> Result<String, ExportError> {
    moment(day, "00:00:00")
}

/// The last second of a day in Tbilisi.
///
/// # Errors
/// [`ExportError::Day`] for a year that RFC 3339 cannot write.
pub(super) fn last_moment(day: Day) -> Result<String, ExportError> {
    moment(day, "23:59:59")
}

fn moment(day: Day, clock: &str) -> Result<String, ExportError> {
    let (year, ..) = day.civil();
    if (1..=9_999).contains(&year) { Ok(format!("{day}T{clock}+04:00")) } else { Err(ExportError::Day { day }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_urn_is_a_uuid_of_version_8_and_its_things_own() {
        let genesis = GenesisHash::new([7; 32]);
        let (one, two) = (InstitutionId::new(1), InstitutionId::new(12));
        let all = [
            urn(&genesis, Thing::Authority(AuthorityId::new(1))),
            urn(&genesis, Thing::Agency("1")),
            urn(&genesis, Thing::Institution(one)),
            urn(&genesis, Thing::Institution(two)),
            urn(&genesis, Thing::Permission(one, PermissionId::new(1))),
            urn(&genesis, Thing::Programme(one, ProgrammeId::new(1))),
            urn(&genesis, Thing::Part(one, PermissionId::new(1), "decision")),
            urn(&GenesisHash::new([8; 32]), Thing::Institution(one)),
        ];
        for (position, urn) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == urn), Some(position));
            let uuid = urn.strip_prefix("urn:uuid:").unwrap().as_bytes();
            assert_eq!((uuid.len(), uuid[14]), (36, b'8'), "{urn}");
            assert!(b"89ab".contains(&uuid[19]), "{urn}");
        }
        // Computed with Python's hashlib from the description above.
        assert_eq!(all[2], "urn:uuid:d8aae413-d67f-8583-a6a9-727c1dcac969");
    }

    #[test]
    fn days_are_tbilisi_days_within_four_digit_years() {
        let day = Day::from_civil(2026, 9, 1).unwrap();
        assert_eq!(first_moment(day).unwrap(), "2026-09-01T00:00:00+04:00");
        assert_eq!(last_moment(day).unwrap(), "2026-09-01T23:59:59+04:00");
        assert!(first_moment(Day::new(i32::MAX)).is_err());
        assert!(first_moment(Day::from_civil(1, 1, 1).unwrap()).is_ok());
        assert!(first_moment(Day::new(Day::from_civil(1, 1, 1).unwrap().get() - 1)).is_err());
    }
}
