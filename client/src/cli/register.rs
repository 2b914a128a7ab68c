//! What authorities write.

use sigeli::{
    authority::{self, AuthoritySigner, Decided},
    values,
};
use sigeli_verifier::{
    bounded::List,
    ids::{AuthorityId, InstitutionId},
    transaction::{CredentialType, InstitutionKind, InstitutionRegister, PermissionGrant, PermissionScope},
};

use super::{
    args::{AuthorityArgs, GrantArgs, GrantKind, InstitutionArgs, KindArg},
    connect,
    failure::Failure,
    print, read_keys,
};

pub(super) async fn institution(args: &InstitutionArgs) -> Result<u8, Failure> {
    let keys = List::new(args.institution_keys.clone()).map_err(|error| Failure::usage(error.to_string()))?;
    let register = InstitutionRegister {
        institution: InstitutionId::new(args.institution),
        kind: match args.kind {
            KindArg::University => InstitutionKind::University,
            KindArg::TeachingUniversity => InstitutionKind::TeachingUniversity,
            KindArg::College => InstitutionKind::College,
            KindArg::Vocational => InstitutionKind::Vocational,
            KindArg::LegalEntity => InstitutionKind::LegalEntity,
            KindArg::Foreign => InstitutionKind::Foreign,
        },
        jurisdiction: args.jurisdiction,
        legal_id: args.legal_id.clone(),
        name_ka: args.name_ka.clone(),
        name_en: args.name_en.clone(),
        decision: values::decision_ref(&args.authority.decision),
        keys,
    };
    let secret = read_keys(&args.authority.keys)?;
    let remote = connect(&args.authority.node.nodes)?;
    let decided = authority::register_institution(&remote, signer(&args.authority, &secret), register).await?;
    print(&format!("Institution {} ({}) is registered{}.\n", args.institution, args.name_en, when(&decided)));
    Ok(0)
}

pub(super) async fn permission(kind: &GrantKind) -> Result<u8, Failure> {
    let (args, scope, name) = match kind {
        GrantKind::Authorisation(args) => (args, PermissionScope::Authorisation, "authorisation"),
        GrantKind::Order(order) => {
            let scope = PermissionScope::PilotOrder { fields: order.fields.clone(), levels: order.levels };
            (&order.grant, scope, "order")
        }
        GrantKind::Accreditation(accreditation) => {
            let scope = PermissionScope::Accreditation {
                title_ka: accreditation.title_ka.clone(),
                title_en: accreditation.title_en.clone(),
                level: accreditation.level,
                fields: accreditation.fields.clone(),
                ects_max: accreditation.ects_max,
                credential_type: CredentialType::MicroCredential,
            };
            (&accreditation.grant, scope, "accreditation")
        }
    };
    let secret = read_keys(&args.authority.keys)?;
    let remote = connect(&args.authority.node.nodes)?;
    let granted = authority::grant_permission(&remote, signer(&args.authority, &secret), grant(args, scope)?).await?;
    let number = granted.permission.map(|number| format!(" {number}")).unwrap_or_default();
    print(&format!(
        "Institution {} has the {name}{number} from {} until {}{}.\n",
        args.institution,
        args.from,
        args.until,
        when(&granted.decided)
    ));
    Ok(0)
}

fn grant(args: &GrantArgs, scope: PermissionScope) -> Result<PermissionGrant, Failure> {
    Ok(PermissionGrant {
        institution: InstitutionId::new(args.institution),
        decision: values::decision_ref(&args.authority.decision),
        window: values::window(args.from, args.until)?,
        conditional: args.conditional,
        scope,
    })
}

const fn signer<'a>(args: &AuthorityArgs, keys: &'a [sigeli::keys::SecretKey]) -> AuthoritySigner<'a> {
    AuthoritySigner { authority: AuthorityId::new(args.authority), keys, patience: args.node.patience }
}

fn when(decided: &Decided) -> String {
    let before = if decided.was_decided { "; it had been before this command" } else { "" };
    format!(" (block {}{before})", decided.height)
}
