//! A permission as an `elm:Accreditation` of the European Learning Model, version 3 (terms and shapes of the Accreditation
//! Metadata Schema's application profile).
//!
//! | ours | theirs |
//! |---|---|
//! | authorisation; order of the Minister; accreditation | `dcType` Institutional License; Program License; Program Quality Assurance |
//! | authority, or the foreign agency that evaluated | `accreditingAgent`; the authority is `publisher` |
//! | institution | `organisation` with `legalName`, `registration`, country |
//! | title of the programme, else of the permission | `title`, Georgian and English |
//! | programme | `limitAbstractProgramme`: a concept of our own |
//! | fields, level, levels | `limitField` (ISCED-F 2013), `limitEQFLevel` |
//! | kind of credential | `limitCredentialType` Generic: the EU's list has no narrower one that fits |
//! | Georgia | `limitJurisdiction` |
//! | window | `valid`, `expiryDate`; a permission that ended early expired on the day before |
//! | review day | `reviewDate` |
//! | grant, newest change | `issued`, `modified`: times of their blocks |
//! | decision | `decision`: a concept whose notation is the hash that the ledger holds; it carries our own terms |
//! | standing on the block's day | `status` |
//!
//! `limitQualification` is left out: the profile's shape is closed and does not name it. For the same reason our own terms
//! ([`super::Subject`] lists them) stand at the decision, whose shape is open. The context is part of the document, so that
//! reading it needs no network.

use super::{ExportError, GEORGIA, Identifiers, Subject, Thing, identity};
use crate::{
    query::{plain::Plain, words},
    values::rfc3339,
};
use sigeli_verifier::transaction::{FieldPrefixes, Levels, PermissionScope};

/// Terms of the EU's list of accreditation types.
const INSTITUTIONAL_LICENSE: (&str, &str) = ("003293d2ce", "Institutional License");
const PROGRAM_LICENSE: (&str, &str) = ("e57dddfcf3", "Program License");
const PROGRAM_QUALITY_ASSURANCE: (&str, &str) = ("820101cba6", "Program Quality Assurance");
/// Term of the EU's list of credential types.
const GENERIC: &str = "http://data.europa.eu/snb/credential/e34929035b";

/// The accreditation as a JSON-LD document.
///
/// # Errors
/// [`ExportError`].
pub fn accreditation(subject: &Subject<'_>, identifiers: &Identifiers) -> Result<Plain, ExportError> {
    let record = subject.held.record();
    let (first, last) = subject.moments()?;
    let mut members = vec![
        ("@context", context()),
        ("id", subject.permission_urn().into()),
        ("type", "Accreditation".into()),
        ("identifier", identifier(subject)),
        ("dcType", kind(&record.scope)),
        ("title", title(subject)),
        ("decision", decision(subject, identifiers)),
        ("organisation", organisation(subject, identifiers)),
    ];
    members.extend(limits(subject));
    members.push(("limitJurisdiction", concept(identity::JURISDICTION.to_owned(), ("Georgia", "საქართველო"))));
    members.push(("accreditingAgent", accrediting_agent(subject, identifiers)?));
    members.push(("publisher", authority(subject, identifiers)));
    members.push(("issued", rfc3339(subject.granted()).into()));
    members.push(("modified", rfc3339(subject.changed()).into()));
    members.push(("valid", first.into()));
    if let Some(accreditation) = subject.accreditation() {
        members.push(("reviewDate", identity::first_moment(accreditation.review)?.into()));
    }
    members.push(("expiryDate", last.into()));
    members.push(("status", subject.standing().word().into()));
    members.push(("additionalNote", note(subject)));
    Ok(Plain::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect()))
}

fn identifier(subject: &Subject<'_>) -> Plain {
    Plain::object([
        ("id", subject.part("identifier").into()),
        ("type", "Identifier".into()),
        ("notation", Plain::text(format_args!("{}/{}", subject.institution, subject.held.number()))),
        ("schemeName", "Number of the institution / number of its permission on the ledger".into()),
    ])
}

fn kind(scope: &PermissionScope) -> Plain {
    let (code, label) = match scope {
        PermissionScope::Authorisation => INSTITUTIONAL_LICENSE,
        PermissionScope::PilotOrder { .. } => PROGRAM_LICENSE,
        PermissionScope::Accreditation(_) => PROGRAM_QUALITY_ASSURANCE,
    };
    Plain::object([
        ("id", format!("http://data.europa.eu/snb/accreditation/{code}").into()),
        ("type", "Concept".into()),
        ("inScheme", scheme("http://data.europa.eu/snb/accreditation/25831c2")),
        ("prefLabel", Plain::object([("en", label.into())])),
    ])
}

fn title(subject: &Subject<'_>) -> Plain {
    let facts = subject.facts;
    match &subject.held.record().scope {
        PermissionScope::Authorisation => {
            both(&format!("ავტორიზაცია: {}", facts.name_ka), &format!("Authorisation of {}", facts.name_en))
        }
        PermissionScope::PilotOrder { .. } => both(
            &format!("მინისტრის ბრძანება საპილოტე ეტაპზე: {}", facts.name_ka),
            &format!("Minister's order for the pilot: {}", facts.name_en),
        ),
        PermissionScope::Accreditation(accreditation) => {
            both(accreditation.title_ka.as_str(), accreditation.title_en.as_str())
        }
    }
}

fn both(ka: &str, en: &str) -> Plain {
    Plain::object([("ka", ka.into()), ("en", en.into())])
}

fn concept(id: String, (en, ka): (&str, &str)) -> Plain {
    Plain::object([("id", id.into()), ("type", "Concept".into()), ("prefLabel", both(ka, en))])
}

fn scheme(id: &str) -> Plain {
    Plain::object([("id", id.into()), ("type", "ConceptScheme".into())])
}

fn decision(subject: &Subject<'_>, identifiers: &Identifiers) -> Plain {
    let record = subject.held.record();
    let label = if record.conditional {
        ("Granted under conditions", "მინიჭებულია პირობით")
    } else {
        ("Granted", "მინიჭებულია")
    };
    let decision = concept(subject.part("decision"), label).with("notation", record.decision.to_string());
    subject
        .extension(&identifiers.terms)
        .into_iter()
        .fold(decision, |decision, (name, value)| decision.with(name, value))
}

fn limits(subject: &Subject<'_>) -> Vec<(&'static str, Plain)> {
    let fields = |fields: &FieldPrefixes| {
        Plain::list(fields.iter().map(|field| {
            Plain::object([
                ("id", identity::isced(field).into()),
                ("type", "Concept".into()),
                ("inScheme", scheme("http://data.europa.eu/snb/isced-f/25831c2")),
                ("notation", Plain::text(field)),
            ])
        }))
    };
    match &subject.held.record().scope {
        PermissionScope::Authorisation => Vec::new(),
        PermissionScope::PilotOrder { fields: covered, levels } => {
            vec![("limitField", fields(covered)), ("limitEQFLevel", eqf_levels(*levels))]
        }
        PermissionScope::Accreditation(accreditation) => {
            let programme = Thing::Programme(accreditation.coordinator, accreditation.programme);
            let label = (accreditation.title_en.as_str(), accreditation.title_ka.as_str());
            let number = format!("{}/{}", accreditation.coordinator, accreditation.programme);
            vec![
                ("limitField", fields(&accreditation.fields)),
                ("limitEQFLevel", eqf_level(accreditation.level.get())),
                ("limitAbstractProgramme", concept(subject.urn(programme), label).with("notation", number)),
                ("limitCredentialType", concept(GENERIC.to_owned(), ("Generic", "ზოგადი"))),
            ]
        }
    }
}

fn eqf_levels(levels: Levels) -> Plain {
    Plain::list(words::levels(levels).into_iter().map(eqf_level))
}

fn eqf_level(level: u8) -> Plain {
    Plain::object([
        ("id", identity::eqf(level).into()),
        ("type", "Concept".into()),
        ("inScheme", scheme("http://data.europa.eu/snb/eqf/25831c2")),
        ("prefLabel", Plain::object([("en", format!("Level {level}").into())])),
    ])
}

fn organisation(subject: &Subject<'_>, identifiers: &Identifiers) -> Plain {
    let facts = subject.facts;
    let country = subject.jurisdiction();
    let id = identifiers.institution_did.clone();
    let id = id.unwrap_or_else(|| subject.urn(Thing::Institution(subject.institution)));
    let plain = named(id, facts.name_ka.as_str(), facts.name_en.as_str());
    if facts.legal_id.as_str().is_empty() {
        return plain.with("location", location(subject.part("organisation/location"), &country));
    }
    let registration = Plain::object([
        ("id", subject.part("organisation/registration").into()),
        ("type", "LegalIdentifier".into()),
        ("notation", Plain::text(&facts.legal_id)),
        ("spatial", place(&country)),
    ]);
    plain.with("registration", registration).with("location", location(subject.part("organisation/location"), &country))
}

fn named(id: String, ka: &str, en: &str) -> Plain {
    Plain::object([("id", id.into()), ("type", "Organisation".into()), ("legalName", both(ka, en))])
}

fn location(id: String, country: &str) -> Plain {
    let address = Plain::object([
        ("id", format!("{id}#address").into()),
        ("type", "Address".into()),
        ("countryCode", place(country)),
    ]);
    Plain::object([("id", id.into()), ("type", "Location".into()), ("address", address)])
}

fn place(country: &str) -> Plain {
    Plain::object([
        ("id", identity::country(country).into()),
        ("type", "Concept".into()),
        ("inScheme", scheme("http://publications.europa.eu/resource/authority/country")),
        ("notation", country.into()),
    ])
}

fn authority(subject: &Subject<'_>, identifiers: &Identifiers) -> Plain {
    let number = subject.held.record().authority;
    let id = identifiers.authority_did.clone().unwrap_or_else(|| subject.urn(Thing::Authority(number)));
    let (ka, en) = (subject.authority.name_ka.as_str(), subject.authority.name_en.as_str());
    named(id, ka, en).with("location", location(subject.part("authority/location"), GEORGIA))
}

fn accrediting_agent(subject: &Subject<'_>, identifiers: &Identifiers) -> Result<Plain, ExportError> {
    let agency = subject.accreditation().map_or("", |accreditation| accreditation.agent.as_str());
    if agency.is_empty() {
        return Ok(authority(subject, identifiers));
    }
    let country = identifiers.agency_country.ok_or_else(|| ExportError::AgencyCountry { agency: agency.to_owned() })?;
    let country: String = country.iter().copied().map(char::from).collect();
    let organisation = Plain::object([
        ("id", subject.urn(Thing::Agency(agency)).into()),
        ("type", "Organisation".into()),
        // In which language the agency is named, the ledger does not say.
        ("legalName", Plain::object([("en", agency.into())])),
    ]);
    Ok(organisation.with("location", location(subject.part("agency/location"), &country)))
}

fn note(subject: &Subject<'_>) -> Plain {
    let (height, genesis) = (subject.height, subject.genesis);
    let en = format!("Made from block {height} of the ledger {genesis}. Not signed: the ledger is the evidence.");
    let ka = format!("შექმნილია რეესტრის {genesis} ბლოკიდან {height}. ხელმოუწერელია: მტკიცებულება რეესტრია.");
    Plain::object([("id", subject.part("note").into()), ("type", "Note".into()), ("noteLiteral", both(&ka, &en))])
}

/// What the names above mean, as in the ELM's own context. Our own terms are whole IRIs and need no entry.
fn context() -> Plain {
    let is = |id: &str| Plain::from(id);
    let of_type = |id: &str, kind: &str| Plain::object([("@id", id.into()), ("@type", kind.into())]);
    let in_languages = |id: &str| Plain::object([("@id", id.into()), ("@container", "@language".into())]);
    let time = |id: &str| of_type(id, "xsd:dateTime");
    Plain::object([
        ("id", is("@id")),
        ("type", is("@type")),
        ("adms", is("http://www.w3.org/ns/adms#")),
        ("dc", is("http://purl.org/dc/terms/")),
        ("elm", is("http://data.europa.eu/snb/model/elm/")),
        ("rov", is("http://www.w3.org/ns/regorg#")),
        ("skos", is("http://www.w3.org/2004/02/skos/core#")),
        ("xsd", is("http://www.w3.org/2001/XMLSchema#")),
        ("Accreditation", is("elm:Accreditation")),
        ("Address", is("elm:Address")),
        ("Concept", is("skos:Concept")),
        ("ConceptScheme", is("skos:ConceptScheme")),
        ("Identifier", is("elm:Identifier")),
        ("LegalIdentifier", is("elm:LegalIdentifier")),
        ("Location", is("dc:Location")),
        ("Note", is("elm:Note")),
        ("Organisation", is("elm:Organisation")),
        ("accreditingAgent", is("elm:accreditingAgent")),
        ("additionalNote", is("elm:additionalNote")),
        ("address", is("elm:address")),
        ("countryCode", is("elm:countryCode")),
        ("dcType", is("dc:type")),
        ("decision", is("elm:decision")),
        ("expiryDate", time("elm:expiryDate")),
        ("identifier", is("adms:identifier")),
        ("inScheme", is("skos:inScheme")),
        ("issued", time("dc:issued")),
        ("legalName", in_languages("rov:legalName")),
        ("limitAbstractProgramme", is("elm:limitAbstractProgramme")),
        ("limitCredentialType", is("elm:limitCredentialType")),
        ("limitEQFLevel", is("elm:limitEQFLevel")),
        ("limitField", is("elm:limitField")),
        ("limitJurisdiction", is("elm:limitJurisdiction")),
        ("location", is("elm:location")),
        ("modified", time("dc:modified")),
        ("notation", is("skos:notation")),
        ("noteLiteral", in_languages("elm:noteLiteral")),
        ("organisation", is("elm:organisation")),
        ("prefLabel", in_languages("skos:prefLabel")),
        ("publisher", is("dc:publisher")),
        ("registration", is("rov:registration")),
        ("reviewDate", time("elm:reviewDate")),
        ("schemeName", is("elm:schemeName")),
        ("spatial", is("dc:spatial")),
        ("status", is("elm:status")),
        ("title", in_languages("dc:title")),
        ("valid", time("dc:valid")),
    ])
}

/// A file name for the document: `institution-1-permission-2.elm.jsonld`.
#[must_use]
pub fn file_name(subject: &Subject<'_>) -> String {
    format!("institution-{}-permission-{}.elm.jsonld", subject.institution, subject.held.number())
}
