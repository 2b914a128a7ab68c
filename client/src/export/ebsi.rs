//! A permission as an EBSI `VerifiableAccreditationToAttest` (Verifiable Credentials 1.1; EBSI's accreditation schema
//! 1.3.0), **unsigned**: the authority that holds the DID's key signs it, and registers it, outside of this program.
//!
//! | ours | theirs |
//! |---|---|
//! | authority, institution | `issuer`, `credentialSubject.id` |
//! | decision | `credentialSubject.reservedAttributeId`: the hash that the ledger holds, in hexadecimal |
//! | window | `issuanceDate` and `validFrom`, `expirationDate` |
//! | time of the grant's block | `issued` |
//! | fields, level, credits, programme | `accreditedFor`, under the terms below |
//!
//! EBSI has no limits of level, field and credits. They stand in the item of `accreditedFor` under terms of our own:
//! `limitField` (list of ISCED-F 2013 terms of the EU's list), `limitEqfLevel` (list of EQF terms), `title` (Georgian and
//! English, accreditations only), and those of [`super::Subject`]. Each begins with [`Identifiers::terms`] and so is a whole
//! IRI: EBSI's schema allows no context of our own.

use sigeli_verifier::transaction::{FieldPrefixes, Name, PermissionScope};

use super::{ExportError, Identifiers, Subject, Thing, identity};
use crate::{
    query::{plain::Plain, words},
    values::rfc3339,
};

/// The credential as a JSON document, without a proof.
///
/// # Errors
/// [`ExportError`].
pub fn credential(subject: &Subject<'_>, identifiers: &Identifiers) -> Result<Plain, ExportError> {
    let record = subject.held.record();
    let (first, last) = subject.moments()?;
    let issuer = identifiers.authority_did.clone();
    let issuer = issuer.unwrap_or_else(|| subject.urn(Thing::Authority(record.authority)));
    let holder = identifiers.institution_did.clone();
    let holder = holder.unwrap_or_else(|| subject.urn(Thing::Institution(subject.institution)));
    let attribute = record.decision.to_string();
    let status = format!("{}/issuers/{holder}/attributes/{attribute}", identifiers.registry);
    let terms_of_use = identifiers.terms_of_use.clone();
    let terms_of_use = terms_of_use.unwrap_or_else(|| format!("{}/issuers/{issuer}", identifiers.registry));
    Ok(Plain::object([
        ("@context", Plain::list(["https://www.w3.org/2018/credentials/v1"])),
        ("id", subject.part("ebsi").into()),
        (
            "type",
            Plain::list([
                "VerifiableCredential",
                "VerifiableAttestation",
                "VerifiableAccreditation",
                "VerifiableAccreditationToAttest",
            ]),
        ),
        ("issuer", issuer.into()),
        ("issuanceDate", first.clone().into()),
        ("issued", rfc3339(subject.granted()).into()),
        ("validFrom", first.into()),
        ("expirationDate", last.into()),
        (
            "credentialSubject",
            Plain::object([
                ("id", holder.into()),
                ("reservedAttributeId", attribute.into()),
                ("accreditedFor", Plain::list([accredited_for(subject, identifiers)])),
            ]),
        ),
        ("credentialStatus", Plain::object([("id", status.into()), ("type", "EbsiAccreditationEntry".into())])),
        (
            "termsOfUse",
            Plain::list([Plain::object([("id", terms_of_use.into()), ("type", "IssuanceCertificate".into())])]),
        ),
        (
            "credentialSchema",
            Plain::list([Plain::object([
                ("id", identifiers.credential_schema.as_str().into()),
                ("type", "FullJsonSchemaValidator2021".into()),
            ])]),
        ),
    ]))
}

fn accredited_for(subject: &Subject<'_>, identifiers: &Identifiers) -> Plain {
    let terms = &identifiers.terms;
    let fields = |fields: &FieldPrefixes| Plain::list(fields.iter().map(identity::isced));
    let eqf = |levels: Vec<u8>| Plain::list(levels.into_iter().map(identity::eqf));
    let limits = match &subject.held.record().scope {
        PermissionScope::Authorisation => Vec::new(),
        PermissionScope::PilotOrder { fields: covered, levels } => {
            vec![("limitField", fields(covered)), ("limitEqfLevel", eqf(words::levels(*levels)))]
        }
        PermissionScope::Accreditation(accreditation) => vec![
            ("title", Plain::list([("ka", &accreditation.title_ka), ("en", &accreditation.title_en)].map(in_language))),
            ("limitField", fields(&accreditation.fields)),
            ("limitEqfLevel", eqf(vec![accreditation.level.get()])),
        ],
    };
    let item = Plain::object([
        ("schemaId", identifiers.attested_schema.as_str().into()),
        ("types", Plain::list(identifiers.attested_types.iter().map(String::as_str))),
        ("limitJurisdiction", identity::JURISDICTION.into()),
    ]);
    let named = limits.into_iter().map(|(name, value)| (format!("{terms}{name}"), value));
    named.chain(subject.extension(terms)).fold(item, |item, (name, value)| item.with(name, value))
}

fn in_language((language, text): (&'static str, &Name)) -> Plain {
    Plain::object([("@value", Plain::text(text)), ("@language", language.into())])
}

/// A file name for the document: `institution-1-permission-2.ebsi.json`.
#[must_use]
pub fn file_name(subject: &Subject<'_>) -> String {
    format!("institution-{}-permission-{}.ebsi.json", subject.institution, subject.held.number())
}
