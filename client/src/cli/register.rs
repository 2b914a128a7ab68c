//! What authorities write in one step, where the keys of one computer suffice.

use sigeli::{
    authority::{self, AuthoritySigner, Decided},
    values::{self, StatedKey},
};
use sigeli_verifier::{
    bounded::List,
    ids::{AuthorityId, DecisionRef, InstitutionId, ProfileHash, ProgrammeId},
    params::INSTITUTION_KEYS_MAX,
    time::{Day, Window},
    transaction::{
        Accreditation, CredentialType, InstitutionKey, InstitutionKind, InstitutionRegister, PermissionGrant,
        PermissionScope,
    },
};

use super::{
    args::{
        AccreditedArgs, AuthorityArgs, GrantKind, GrantedArgs, InstitutionArgs, InstitutionFactsArgs, KeyDaysArgs,
        KindArg, OrderedArgs,
    },
    connect,
    failure::Failure,
    now, print, read_keys,
};

/// How many days a key may sign unless it is stated: two years.
const KEY_DAYS: i32 = 2 * 365;

pub(super) async fn institution(args: &InstitutionArgs) -> Result<u8, Failure> {
    let register = registration(&args.facts, values::decision_ref(&args.authority.decision))?;
    let (number, name) = (register.institution, register.name_en.clone());
    let secret = read_keys(&args.authority.keys)?;
    let remote = connect(&args.authority.node.nodes)?;
    let decided = authority::register_institution(&remote, signer(&args.authority, &secret), register).await?;
    print(&format!("Institution {number} ({name}) is registered{}.\n", when(&decided)));
    Ok(0)
}

pub(super) fn registration(
    facts: &InstitutionFactsArgs,
    decision: DecisionRef,
) -> Result<InstitutionRegister, Failure> {
    Ok(InstitutionRegister {
        institution: InstitutionId::new(facts.institution),
        kind: kind(facts.kind),
        jurisdiction: facts.jurisdiction,
        legal_id: facts.legal_id.clone(),
        name_ka: facts.name_ka.clone(),
        name_en: facts.name_en.clone(),
        profile: ProfileHash::new(facts.profile.unwrap_or_default()),
        decision,
        keys: keys(&facts.institution_keys, facts.days)?,
    })
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
pub(super) fn accredited(args: &AccreditedArgs, granted: &GrantedArgs) -> PermissionScope {
    PermissionScope::Accreditation(Accreditation {
        coordinator: InstitutionId::new(args.coordinator.unwrap_or(granted.institution)),
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
        review: args.review.unwrap_or(granted.until),
    })
}

pub(super) fn ordered(args: &OrderedArgs) -> PermissionScope {
    PermissionScope::PilotOrder { fields: args.fields.clone(), levels: args.levels }
}

pub(super) async fn permission(kind: &GrantKind) -> Result<u8, Failure> {
    let (args, scope, name) = match kind {
        GrantKind::Authorisation(args) => (args, PermissionScope::Authorisation, "authorisation"),
        GrantKind::Order(order) => (&order.grant, ordered(&order.order), "order"),
        GrantKind::Accreditation(accreditation) => {
            let grant = &accreditation.grant;
            let scope = accredited(&accreditation.programme, &grant.granted);
            (grant, scope, "accreditation")
        }
    };
    let secret = read_keys(&args.authority.keys)?;
    let remote = connect(&args.authority.node.nodes)?;
    let decision = values::decision_ref(&args.authority.decision);
    let grant = grant(&args.granted, decision, scope)?;
    let granted = authority::grant_permission(&remote, signer(&args.authority, &secret), grant).await?;
    let number = granted.permission.map(|number| format!(" {number}")).unwrap_or_default();
    print(&format!(
        "Institution {} has the {name}{number} from {} until {}{}.\n",
        args.granted.institution,
        args.granted.from,
        args.granted.until,
        when(&granted.decided)
    ));
    Ok(0)
}

pub(super) fn grant(
    args: &GrantedArgs,
    decision: DecisionRef,
    scope: PermissionScope,
) -> Result<PermissionGrant, Failure> {
    Ok(PermissionGrant {
        institution: InstitutionId::new(args.institution),
        decision,
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
