//! Who must sign, who has signed, and whether that is enough.

use sigeli_verifier::{
    ids::AuthorityId,
    transaction::{AuthorityKind, Payload, Sender},
};

use super::{
    View,
    terms::{both, say},
};
use crate::tx::{
    known::{Known, KnownAuthority, Source},
    standing::{self, Shortfall, SignatureState},
};

pub(super) fn lines(view: &View<'_>) -> Vec<String> {
    let mut lines = needed(view);
    lines.extend(given(view));
    lines.push(verdict(view));
    lines
}

/// Who must sign.
fn needed(view: &View<'_>) -> Vec<String> {
    let language = view.language;
    match view.draft.body().sender {
        Sender::Institution { institution } => vec![say!(
            language,
            "Needed: one key of institution {who} that may do this.",
            "საჭიროა: დაწესებულება {who}-ის ერთი გასაღები, რომელსაც ამის უფლება აქვს.",
            who = view.institution(institution)
        )],
        Sender::Authority { authority, .. } => {
            let who = view.authority(authority);
            let known = view.known.and_then(|known| known.authority(authority));
            vec![known.map_or_else(
                || say!(
                    language,
                    "Needed: as many keys of authority {who} as it decides with (not known here: name --node or --genesis).",
                    "საჭიროა: უწყება {who}-ის იმდენი გასაღები, რამდენითაც იგი წყვეტს (აქ უცნობია: მიუთითეთ --node ან --genesis)."
                ),
                |known| say!(
                    language,
                    "Needed: {threshold} of the {all} keys of authority {who}.",
                    "საჭიროა: უწყება {who}-ის {all} გასაღებიდან {threshold}.",
                    threshold = known.threshold,
                    all = known.keys.len()
                ),
            )]
        }
        Sender::Authorities { .. } => joint_needed(view),
    }
}

fn joint_needed(view: &View<'_>) -> Vec<String> {
    let language = view.language;
    let approvals = view.known.and_then(Known::approvals_needed);
    let mut lines = vec![approvals.map_or_else(
        || both(
            "Needed: as many authorities as the ledger's rules ask for, always more than half of them (how many is not known here).",
            "საჭიროა: იმდენი უწყება, რამდენსაც რეესტრის წესები მოითხოვს, ყოველთვის ნახევარზე მეტი (ზუსტი რაოდენობა აქ უცნობია).",
        ).text(language).into(),
        |approvals| say!(
            language,
            "Needed: {approvals} authorities, each with as many of its keys as it decides with.",
            "საჭიროა: {approvals} უწყება, თითოეული იმდენი გასაღებით, რამდენითაც იგი წყვეტს."
        ),
    )];
    if matches!(view.draft.body().payload, Payload::PolicySet(_) | Payload::UpgradeSchedule(_)) {
        lines.push(
            both(
                "The Ministry and the quality agency must be among them.",
                "მათ შორის უნდა იყოს სამინისტრო და ხარისხის განვითარების ცენტრი.",
            )
            .text(language)
            .into(),
        );
    }
    if let Some(known) = view.known {
        let counts = standing::signatures_by_authority(view.draft, known);
        for authority in known.authorities.iter().filter(|authority| !authority.is_ended()) {
            lines.push(approval(view, authority, counts.get(&authority.id).copied().unwrap_or(0)));
        }
    }
    lines
}

/// How far an authority's approval has come.
fn approval(view: &View<'_>, authority: &KnownAuthority, count: usize) -> String {
    let needed = usize::from(authority.threshold);
    let state = if count >= needed {
        both("approves", "თანახმაა")
    } else if count == 0 {
        both("has not signed", "ხელი არ მოუწერია")
    } else {
        both("has not signed enough", "საკმარისი ხელმოწერა არ აქვს")
    };
    let (who, state) = (view.authority(authority.id), state.text(view.language));
    say!(
        view.language,
        "  authority {who}: {count} of {needed} signatures, {state}",
        "  უწყება {who}: {needed} ხელმოწერიდან {count}, {state}"
    )
}

/// Who has signed.
fn given(view: &View<'_>) -> Vec<String> {
    let language = view.language;
    let draft = view.draft;
    if draft.signatures().is_empty() {
        return vec![both("Nobody has signed yet.", "ჯერ არავის მოუწერია ხელი.").text(language).into()];
    }
    let line = |entry: &sigeli_verifier::transaction::TransactionSignature| {
        let (authority, key) = standing::signed_as(&draft.body().sender, entry.key);
        let who = authority.map_or_else(
            || say!(language, "key {key} of the institution", "დაწესებულების გასაღები {key}"),
            |authority: AuthorityId| {
                say!(language, "key {key} of authority {authority}", "უწყება {authority}-ის გასაღები {key}")
            },
        );
        let founding = view.known.is_some_and(|known| known.source == Source::Genesis);
        let state = match standing::signature_state(draft, entry, view.known) {
            // What the genesis document does not know is whether the keys were changed since.
            SignatureState::Invalid | SignatureState::UnknownKey if founding => both(
                "FALSE, unless the keys were changed since the ledger began (check with --node)",
                "ყალბია, თუ გასაღებები რეესტრის დაწყების შემდეგ არ შეცვლილა (შეამოწმეთ --node პარამეტრით)",
            ),
            SignatureState::Valid => both("genuine", "ნამდვილია"),
            SignatureState::Invalid => both(
                "FALSE: not this key's signature over this transaction",
                "ყალბია: არ არის ამ გასაღების ხელმოწერა ამ ტრანზაქციაზე",
            ),
            SignatureState::UnknownKey => both("FALSE: there is no such key", "ყალბია: ასეთი გასაღები არ არსებობს"),
            SignatureState::Unchecked => {
                both("not checked (name --node or --genesis)", "არ შემოწმებულა (მიუთითეთ --node ან --genesis)")
            }
        };
        say!(language, "Signed: {who}: {state}", "ხელმოწერილია: {who}: {state}", state = state.text(language))
    };
    draft.signatures().iter().map(line).collect()
}

/// Whether it can be handed in.
fn verdict(view: &View<'_>) -> String {
    let language = view.language;
    let Some(known) = view.known else {
        return both("Whether that is enough: not checked.", "საკმარისია თუ არა: არ შემოწმებულა.")
            .text(language)
            .into();
    };
    match standing::shortfall(view.draft, known) {
        Ok(()) if decides(view, known) => both(
            "That is enough: it can be handed in with `sigeli tx submit`.",
            "ეს საკმარისია: შეიძლება წარდგენა (`sigeli tx submit`).",
        )
        .text(language)
        .into(),
        Ok(()) => both(
            "Whether that is enough is not known here: the ledger decides.",
            "საკმარისია თუ არა, აქ უცნობია: რეესტრი გადაწყვეტს.",
        )
        .text(language)
        .into(),
        Err(shortfall) => missing(view, shortfall),
    }
}

/// Whether all that the ledger asks of the signatures is known here.
fn decides(view: &View<'_>, known: &Known) -> bool {
    match view.draft.body().sender {
        Sender::Institution { .. } => known.institution_keys.is_some(),
        Sender::Authority { authority, .. } => known.authority(authority).is_some(),
        Sender::Authorities { .. } => known.policy.is_some(),
    }
}

fn missing(view: &View<'_>, shortfall: Shortfall) -> String {
    let language = view.language;
    match shortfall {
        Shortfall::Unsigned => both("Not enough yet.", "ჯერ საკმარისი არ არის.").text(language).into(),
        Shortfall::Invalid { .. } | Shortfall::UnknownKey { .. } | Shortfall::TooMany { .. } => {
            both("The ledger will refuse it because of its signatures.", "რეესტრი მას ხელმოწერების გამო უარყოფს.")
                .text(language)
                .into()
        }
        Shortfall::TooFew { threshold, given, .. } => {
            let more = usize::from(threshold).saturating_sub(given);
            say!(language, "Not enough yet: {more} more needed.", "ჯერ საკმარისი არ არის: საჭიროა კიდევ {more}.")
        }
        Shortfall::TooFewApprovals { needed, given } => {
            let more = usize::from(needed).saturating_sub(given);
            say!(
                language,
                "Not enough yet: {given} of {needed} authorities approve, {more} more needed.",
                "ჯერ საკმარისი არ არის: {needed} უწყებიდან თანახმაა {given}, საჭიროა კიდევ {more}."
            )
        }
        Shortfall::ApprovalMissing { kind } => {
            let who = match kind {
                AuthorityKind::Ministry => both("the Ministry", "სამინისტროს"),
                AuthorityKind::Nceqe => both("the quality agency", "ხარისხის განვითარების ცენტრის"),
                AuthorityKind::Emis => both("the information system", "საინფორმაციო სისტემის"),
                AuthorityKind::Operator => both("an operator", "ოპერატორის"),
            };
            say!(
                language,
                "Not enough yet: the approval of {who} is missing.",
                "ჯერ საკმარისი არ არის: აკლია {who} თანხმობა.",
                who = who.text(language)
            )
        }
    }
}
