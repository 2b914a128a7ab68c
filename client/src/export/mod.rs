//! What the register holds, in the forms that Europe's own systems read.
//!
//! - [`elm::accreditation`]: a permission as an `elm:Accreditation` of the European Learning Model, version 3, in JSON-LD: what
//!   the EU's register of qualifications and the quality registers take.
//! - [`ebsi::credential`]: the same as an EBSI `VerifiableAccreditationToAttest`, unsigned.
//! - [`bitstring`]: what stands against an institution's credentials, as W3C Bitstring Status Lists, unsigned.
//!
//! Pure functions over verified records: the same records and options give the same bytes. Nothing is invented: what the
//! ledger does not hold (DIDs, addresses of registries) is an option ([`Identifiers`]) whose default is stated there.
//!
//! What both deliberately do not do: sign anything, and say more than the ledger does. A reader who needs proof verifies a
//! bundle, or asks a node.

pub mod bitstring;
pub mod ebsi;
pub mod elm;
mod identity;

use sigeli_verifier::{
    ids::{GenesisHash, Height, InstitutionId, TimeMs},
    record::{AuthorityRecord, InstitutionFacts},
    time::Day,
    transaction::{Accreditation, PermissionScope},
};

use self::identity::{Thing, first_moment, last_moment, urn};
use crate::query::{
    plain::Plain,
    standing::{Held, Standing},
};

/// The country of Georgia's authorities, ISO 3166-1 alpha-3.
const GEORGIA: &str = "GEO";

/// The default prefix of our own terms: see [`Identifiers::terms`].
pub const TERMS: &str = "sigeli:";
/// The default of [`Identifiers::registry`]: EBSI's test network, as in EBSI's own published example.
pub const REGISTRY: &str = "https://api-test.ebsi.eu/trusted-issuers-registry/v4";
/// The default of [`Identifiers::attested_schema`]: the generic profile of European Digital Credentials.
pub const ATTESTED_SCHEMA: &str = "http://data.europa.eu/snb/model/ap/edc-generic-full";
/// The default of [`Identifiers::credential_schema`]: EBSI's accreditation schema 1.3.0 by its published identifier, in the
/// registry of EBSI's test network.
pub const CREDENTIAL_SCHEMA: &str = "https://api-test.ebsi.eu/trusted-schemas-registry/v2/schemas/\
    0xe06600f5231de2c115fac1c662bf5e307ea25c422c2796103e6cd008f3242691";

/// What the ledger does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifiers {
    /// DID of the accrediting authority. Default: a `urn:uuid:` derived from the ledger and the authority's number.
    pub authority_did: Option<String>,
    /// DID of the institution. Default: a `urn:uuid:` derived from the ledger and the institution's number.
    pub institution_did: Option<String>,
    /// EBSI's Trusted Issuers Registry, without a slash at the end. Default: [`REGISTRY`].
    pub registry: String,
    /// The authority's own accreditation, which entitles it to issue this one. Default: the registry's entry of the issuer.
    pub terms_of_use: Option<String>,
    /// The schema of the credentials that the institution may issue. Default: [`ATTESTED_SCHEMA`].
    pub attested_schema: String,
    /// Their types. Default: `VerifiableCredential`, `EuropeanDigitalCredential`.
    pub attested_types: Vec<String>,
    /// The schema of the accreditation itself. Default: [`CREDENTIAL_SCHEMA`].
    pub credential_schema: String,
    /// What our own terms begin with, so that a published vocabulary can be named. Default: [`TERMS`], which makes them IRIs
    /// of a scheme that is not registered.
    pub terms: String,
    /// Country of the foreign agency that evaluated a programme, ISO 3166-1 alpha-3. No default: an export that needs it is
    /// refused without it.
    pub agency_country: Option<[u8; 3]>,
}

impl Default for Identifiers {
    fn default() -> Self {
        Self {
            authority_did: None,
            institution_did: None,
            registry: REGISTRY.to_owned(),
            terms_of_use: None,
            attested_schema: ATTESTED_SCHEMA.to_owned(),
            attested_types: vec!["VerifiableCredential".to_owned(), "EuropeanDigitalCredential".to_owned()],
            credential_schema: CREDENTIAL_SCHEMA.to_owned(),
            terms: TERMS.to_owned(),
            agency_country: None,
        }
    }
}

/// Why nothing is exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// A day that the target's format cannot write.
    #[error("the day {day} cannot be written as a date of four digits of year")]
    Day {
        /// The day.
        day: Day,
    },
    /// The country of a foreign agency is needed.
    #[error(
        "the programme was evaluated by {agency}, and the ledger does not hold its country: name it with --agency-country"
    )]
    AgencyCountry {
        /// The agency.
        agency: String,
    },
}

/// A permission and all that an export of it speaks of. Every record was verified.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The ledger.
    pub genesis: GenesisHash,
    /// The block that the records were proved under.
    pub height: Height,
    /// Its time: the standing is as of then.
    pub time: TimeMs,
    /// Whose permission it is.
    pub institution: InstitutionId,
    /// What the institution's record says.
    pub facts: &'a InstitutionFacts,
    /// The permission.
    pub held: &'a Held,
    /// The authority that granted it.
    pub authority: &'a AuthorityRecord,
}

impl<'a> Subject<'a> {
    fn urn(&self, thing: Thing<'_>) -> String {
        urn(&self.genesis, thing)
    }

    fn part(&self, part: &str) -> String {
        self.urn(Thing::Part(self.institution, self.held.number(), part))
    }

    fn permission_urn(&self) -> String {
        self.urn(Thing::Permission(self.institution, self.held.number()))
    }

    fn standing(&self) -> Standing {
        self.held.standing(Day::of(self.time))
    }

    fn jurisdiction(&self) -> String {
        self.facts.jurisdiction.iter().copied().map(char::from).collect()
    }

    const fn accreditation(&self) -> Option<&'a Accreditation> {
        match &self.held.record().scope {
            PermissionScope::Accreditation(accreditation) => Some(accreditation),
            PermissionScope::Authorisation | PermissionScope::PilotOrder { .. } => None,
        }
    }

    /// First and last moment of the days on which it holds. Where it ended early, the last is that of the day before; where
    /// it never held, it lies before the first.
    fn moments(&self) -> Result<(String, String), ExportError> {
        Ok((first_moment(self.held.record().window.first())?, last_moment(self.held.last_day())?))
    }

    /// When the ledger took the grant.
    fn granted(&self) -> TimeMs {
        self.held.history().first().map_or(self.time, |entry| entry.time)
    }

    /// When the ledger took the newest change.
    fn changed(&self) -> TimeMs {
        self.held.history().last().map_or(self.time, |entry| entry.time)
    }

    /// What neither model has a place for, under names of our own.
    ///
    /// | term | value |
    /// |---|---|
    /// | `ledger` | genesis hash, hexadecimal |
    /// | `institution`, `permission` | numbers |
    /// | `block` | height of the block that the records were proved under |
    /// | `standing` | `active`, `suspended`, `withdrawn`, `replaced`, `restored`, `not_yet` or `expired` on that block's day |
    /// | `conditional` | whether it was granted under conditions |
    /// | `limitEctsTenths` | the most credits that one credential may state, in tenths of an ECTS credit |
    /// | `credentialType` | `micro_credential` or `participation` |
    /// | `modes` | `on_site`, `online`, `blended`, `work_based` |
    /// | `coordinator`, `programme` | numbers of the coordinating institution and of its programme |
    /// | `limitLevel` | levels of the National Qualifications Framework of an order of the Minister, 1 to 8 |
    fn extension(&self, terms: &str) -> Vec<(String, Plain)> {
        let record = self.held.record();
        let mut members = vec![
            ("ledger", self.genesis.to_string().into()),
            ("institution", self.institution.get().into()),
            ("permission", self.held.number().get().into()),
            ("block", self.height.get().into()),
            ("standing", self.standing().word().into()),
            ("conditional", record.conditional.into()),
        ];
        match &record.scope {
            PermissionScope::Authorisation => {}
            PermissionScope::PilotOrder { levels, .. } => {
                members.push(("limitLevel", Plain::list(crate::query::words::levels(*levels))));
            }
            PermissionScope::Accreditation(accreditation) => members.extend([
                ("limitEctsTenths", accreditation.ects_max.get().into()),
                ("credentialType", crate::query::words::credential_type(accreditation.credential_type).into()),
                ("modes", Plain::list(crate::query::words::modes(accreditation.modes))),
                ("coordinator", accreditation.coordinator.get().into()),
                ("programme", accreditation.programme.get().into()),
            ]),
        }
        members.into_iter().map(|(name, value)| (format!("{terms}{name}"), value)).collect()
    }
}
