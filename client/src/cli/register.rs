//! What authorities write in one step, where the keys of one computer suffice.

use sigeli::{
    authority::{self, AuthoritySigner, Decided},
    values::{self, StatedKey},
};
use sigeli_verifier::{
    bounded::List,
    ids::{AuthorityId, InstitutionId, ProfileHash, ProgrammeId},
    params::INSTITUTION_KEYS_MAX,
    time::{Day, Window},
    transaction::{
        Accreditation, CredentialType, InstitutionKey, InstitutionKind, InstitutionRegister, PermissionGrant,
        PermissionScope,
    },
};

use super::{
    args::{AccreditedArgs, AuthorityArgs, GrantArgs, GrantKind, InstitutionArgs, KeyDaysArgs, KindArg},
    connect,
    failure::Failure,
    now, print, read_keys,
};

/// How many days a key may sign unless it is stated: two years.
const KEY_DAYS: i32 = 2 * 365;

pub(super) async fn institution(args: &InstitutionArgs) -> Result<u8, Failure> {
    let register = InstitutionRegister {
        institution: InstitutionId::new(args.institution),
        kind: kind(args.kind),
        jurisdiction: args.jurisdiction,
        legal_id: args.legal_id.clone(),
        name_ka: args.name_ka.clone(),
        name_en: args.name_en.clone(),
        profile: ProfileHash::new(args.profile.unwrap_or_default()),
        decision: values::decision_ref(&args.authority.decision),
        keys: keys(&args.institution_keys, args.days)?,
    };
    let secret = read_keys(&args.authority.keys)?;
    let remote = connect(&args.authority.node.nodes)?;
    let decided = authority::register_institution(&remote, signer(&args.authority, &secret), register).await?;
    print(&format!("Institution {} ({}) is registered{}.\n", args.institution, args.name_en, when(&decided)));
    Ok(0)
}

pub(super) const fn kind(kind: KindArg) -> InstitutionKind {
    match kind {
        KindArg::University => InstitutionKind::University,
        KindArg::TeachingUniversity => InstitutionKind::TeachingUniversity,
        KindArg::College => InstitutionKind::College,
        KindArg::Vocational => InstitutionKind::Vocational,
        KindArg::LegalEntity => InstitutionKind::LegalEntity,
        KindArg::Foreign => InstitutionKind::Foreign,
    }
}

/// The keys as they go to the ledger, each with the same days.
pub(super) fn keys(
    stated: &[StatedKey],
    days: KeyDaysArgs,
) -> Result<List<InstitutionKey, INSTITUTION_KEYS_MAX>, Failure> {
    let window = key_window(days)?;
    let keys = stated.iter().map(|key| key.within(window)).collect();
    List::new(keys).map_err(|error| Failure::usage(format!("too many keys at once: {error}")))
}

pub(super) fn key_window(days: KeyDaysArgs) -> Result<Window, Failure> {
    let first = days.keys_from.unwrap_or_else(|| Day::of(now()));
    let last = days.keys_until.unwrap_or_else(|| Day::new(first.get().saturating_add(KEY_DAYS)));
    Ok(values::window(first, last)?)
}

/// What is accredited, for an institution and its days.
pub(super) fn accredited(args: &AccreditedArgs, institution: u32, last: Day) -> PermissionScope {
    PermissionScope::Accreditation(Accreditation {
        coordinator: InstitutionId::new(args.coordinator.unwrap_or(institution)),
        programme: ProgrammeId::new(args.programme),
        title_ka: args.title_ka.clone(),
        title_en: args.title_en.clone(),
        agent: args.agent.clone(),
        level: args.level,
        fields: args.fields.clone(),
        ects_max: args.ects_max,
        credential_type: if args.participation {
            CredentialType::Participation
        } else {
            CredentialType::MicroCredential
        },
        modes: args.modes,
        review: args.review.unwrap_or(last),
    })
}

pub(super) async fn permission(kind: &GrantKind) -> Result<u8, Failure> {
    let (args, scope, name) = match kind {
        GrantKind::Authorisation(args) => (args, PermissionScope::Authorisation, "authorisation"),
        GrantKind::Order(order) => {
            let scope = PermissionScope::PilotOrder { fields: order.fields.clone(), levels: order.levels };
            (&order.grant, scope, "order")
        }
        GrantKind::Accreditation(accreditation) => {
            let grant = &accreditation.grant;
            let scope = accredited(&accreditation.programme, grant.institution, grant.until);
            (grant, scope, "accreditation")
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
