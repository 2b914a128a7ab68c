//! Permissions: authorisations, Minister's orders, accreditations, and what happens to them.

use sigeli_verifier::{
    ids::PermissionId,
    record::PermissionState,
    time::Day,
    transaction::{
        Accreditation, PermissionAction, PermissionAnnul, PermissionChange, PermissionGrant, PermissionReplace,
        PermissionScope,
    },
};

use super::{
    Sheet,
    terms::{self, Both, both, say},
};
use crate::{values::ects_text, wording::Language};

const INSTITUTION: Both = both("Institution", "დაწესებულება");
const REASON: Both = both("Reason", "მიზეზი");
const EFFECTIVE: Both = both("Counts from", "მოქმედებს დღიდან");
const PERMISSION: Both = both("Permission", "უფლება");

const fn scope_name(scope: &PermissionScope) -> Both {
    match scope {
        PermissionScope::Authorisation => both("authorisation", "ავტორიზაცია"),
        PermissionScope::PilotOrder { .. } => both("Minister's order for the pilot", "მინისტრის ბრძანება პილოტისთვის"),
        PermissionScope::Accreditation(_) => both("accreditation of a programme", "პროგრამის აკრედიტაცია"),
    }
}

/// A permission's number, and what it is if that is known.
fn permission(sheet: &Sheet<'_>, number: PermissionId) -> String {
    let language = sheet.language();
    let Some(record) = sheet.view.known.and_then(|known| known.permission(number)) else { return number.to_string() };
    let name = scope_name(&record.scope).text(language);
    match &record.scope {
        PermissionScope::Accreditation(accreditation) => {
            let title = match language {
                Language::English => &accreditation.title_en,
                Language::Georgian => &accreditation.title_ka,
            };
            say!(language, "{number} ({name}: “{title}”)", "{number} ({name}: „{title}“)")
        }
        PermissionScope::Authorisation | PermissionScope::PilotOrder { .. } => format!("{number} ({name})"),
    }
}

pub(super) fn grant(sheet: &mut Sheet<'_>, grant: &PermissionGrant) {
    let language = sheet.language();
    let who = sheet.view.institution(grant.institution);
    let (first, last) = (grant.window.first(), grant.window.last());
    let what = scope_name(&grant.scope).text(language);
    sheet.happens(match &grant.scope {
        PermissionScope::Authorisation => say!(
            language,
            "Institution {who} is authorised from {first} until {last}: it may issue state-recognised documents.",
            "დაწესებულება {who} ავტორიზებულია {first}-დან {last}-მდე: მას შეუძლია სახელმწიფოს მიერ აღიარებული დოკუმენტების გაცემა."
        ),
        PermissionScope::PilotOrder { .. } => say!(
            language,
            "Institution {who} may take part in the pilot from {first} until {last} ({what}).",
            "დაწესებულება {who} მონაწილეობს პილოტში {first}-დან {last}-მდე ({what})."
        ),
        PermissionScope::Accreditation(accreditation) => say!(
            language,
            "Institution {who} may register credentials of the programme “{title}” from {first} until {last}, as long as it is authorised.",
            "დაწესებულება {who} შეძლებს პროგრამის „{title}“ კრედენციალების რეგისტრაციას {first}-დან {last}-მდე, სანამ ავტორიზებულია.",
            title = title(accreditation, language)
        ),
    });
    if last < sheet.view.today() {
        sheet.warn(say!(
            language,
            "The last day, {last}, has passed: this permits nothing any more.",
            "ბოლო დღე, {last}, უკვე გავიდა: ეს უფლება ვეღარაფერს იძლევა."
        ));
    }
    granted(sheet, grant);
}

fn title(accreditation: &Accreditation, language: Language) -> &str {
    match language {
        Language::English => accreditation.title_en.as_str(),
        Language::Georgian => accreditation.title_ka.as_str(),
    }
}

/// Every field of what is granted.
fn granted(sheet: &mut Sheet<'_>, grant: &PermissionGrant) {
    let PermissionGrant { institution, decision, window, conditional, scope } = grant;
    let language = sheet.language();
    let who = sheet.view.institution(*institution);
    sheet.detail(INSTITUTION, who);
    sheet.detail_of(both("What is granted", "რა ენიჭება"), scope_name(scope));
    sheet.detail(both("Days", "დღეები"), terms::days(*window, language));
    sheet.detail_of(both("Under conditions", "პირობით"), terms::yes_no(*conditional));
    match scope {
        PermissionScope::Authorisation => {}
        PermissionScope::PilotOrder { fields, levels } => {
            sheet.detail(both("Fields of study (ISCED-F)", "სწავლის სფეროები (ISCED-F)"), terms::fields(fields));
            sheet.detail(both("Levels (NQF)", "დონეები (ეროვნული ჩარჩო)"), terms::levels(*levels));
        }
        PermissionScope::Accreditation(accreditation) => accredited(sheet, accreditation),
    }
    sheet.decision(decision);
}

fn accredited(sheet: &mut Sheet<'_>, accreditation: &Accreditation) {
    let Accreditation {
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
    } = accreditation;
    let language = sheet.language();
    let coordinator = sheet.view.institution(*coordinator);
    let programme = say!(
        language,
        "{programme} of institution {coordinator}",
        "დაწესებულება {coordinator}-ის პროგრამა {programme}"
    );
    sheet.detail(both("Programme", "პროგრამა"), programme);
    sheet.detail(both("Title in Georgian", "სახელწოდება ქართულად"), title_ka.to_string());
    sheet.detail(both("Title in English", "სახელწოდება ინგლისურად"), title_en.to_string());
    let agent = if agent.as_str().is_empty() {
        both("the quality agency itself", "თავად ხარისხის განვითარების ცენტრი").text(language).into()
    } else {
        agent.to_string()
    };
    sheet.detail(both("Evaluated by", "შეაფასა"), agent);
    sheet.detail(both("Level (NQF)", "დონე (ეროვნული ჩარჩო)"), level.get().to_string());
    sheet.detail(both("Fields of study (ISCED-F)", "სწავლის სფეროები (ISCED-F)"), terms::fields(fields));
    sheet.detail(
        both("Most credits of one credential", "ერთი კრედენციალის კრედიტების მაქსიმუმი"),
        format!("{} ECTS", ects_text(*ects_max)),
    );
    sheet.detail_of(both("Leads to", "შედეგი"), terms::credential_type(*credential_type));
    sheet.detail(both("Attended", "სწავლების ფორმა"), terms::modes(*modes, language));
    sheet.detail(both("To be reviewed by", "გადახედვის ვადა"), review.to_string());
}

pub(super) fn change(sheet: &mut Sheet<'_>, change: &PermissionChange) {
    let PermissionChange { institution, permission: number, decision, entry, action, effective, reason } = *change;
    let language = sheet.language();
    let who = sheet.view.institution(institution);
    let which = permission(sheet, number);
    sheet.happens(match action {
        PermissionAction::Suspend => say!(
            language,
            "Permission {which} of institution {who} is suspended from {effective} on, until it is reinstated: nothing can be registered under it meanwhile.",
            "დაწესებულება {who}-ის უფლება {which} ჩერდება {effective}-დან აღდგენამდე: ამ ხანში მის საფუძველზე ვერაფერი დარეგისტრირდება."
        ),
        PermissionAction::Reinstate => say!(
            language,
            "Permission {which} of institution {who} holds again from {effective} on.",
            "დაწესებულება {who}-ის უფლება {which} კვლავ მოქმედებს {effective}-დან."
        ),
        PermissionAction::Withdraw => say!(
            language,
            "Permission {which} of institution {who} is withdrawn from {effective} on: nothing can be registered under it any more.",
            "დაწესებულება {who}-ის უფლება {which} უქმდება {effective}-დან: მის საფუძველზე ვეღარაფერი დარეგისტრირდება."
        ),
    });
    sheet.happens(
        both("What was registered before stays valid.", "მანამდე დარეგისტრირებული ძალაში რჩება.").text(language).into(),
    );
    if action == PermissionAction::Reinstate {
        taken_back(sheet, number, effective);
    }
    if action == PermissionAction::Withdraw {
        sheet.warn(both(
            "Once its day has come, a withdrawal cannot be reversed except by an annulment, which grants the permission anew under another number.",
            "დღის დადგომის შემდეგ გაუქმება უკან არ წაიღება, გარდა გაუქმების ბათილად ცნობისა, რომელიც უფლებას ახალი ნომრით ანიჭებს.",
        ).text(language).into());
    }
    if effective < sheet.view.today() {
        sheet.warn(say!(
            language,
            "The day from which it counts, {effective}, has passed. What was registered since then is not touched.",
            "დღე, საიდანაც იგი მოქმედებს, {effective}, უკვე გავიდა. მას შემდეგ დარეგისტრირებულს ეს არ ეხება."
        ));
    }
    sheet.detail(INSTITUTION, who);
    sheet.detail(PERMISSION, which);
    let action = match action {
        PermissionAction::Suspend => both("suspend", "შეჩერება"),
        PermissionAction::Reinstate => both("reinstate", "აღდგენა"),
        PermissionAction::Withdraw => both("withdraw", "გაუქმება"),
    };
    let action = action.text(language);
    let action = say!(language, "{action}, as change number {entry}", "{action}, ცვლილება № {entry}");
    sheet.detail(both("Change", "ცვლილება"), action);
    sheet.detail(EFFECTIVE, effective.to_string());
    sheet.detail_of(REASON, terms::decision_reason(reason));
    sheet.decision(&decision);
}

/// What a reinstatement takes back, when the permission is known to end on that very day.
fn taken_back(sheet: &mut Sheet<'_>, number: PermissionId, effective: Day) {
    let language = sheet.language();
    let known = sheet.view.known.and_then(|known| known.permission(number));
    let Some(ends) = known.and_then(|record| record.standing.on(effective)).filter(|ends| ends.effective == effective)
    else {
        return;
    };
    match ends.state {
        PermissionState::Withdrawn => sheet.happens(
            both(
                "This takes back the withdrawal that is announced for that day. A suspension before it ends with that day, too.",
                "ამით უკან მიიღება ამ დღისთვის გამოცხადებული გაუქმება. მანამდე მოქმედი შეჩერებაც ამ დღეს სრულდება.",
            )
            .text(language)
            .into(),
        ),
        PermissionState::Replaced { by } => sheet.happens(say!(
            language,
            "This takes back the replacement that is announced for that day: permission {by}, which was to take its place, ends with that day and gives the place back.",
            "ამით უკან მიიღება ამ დღისთვის გამოცხადებული ჩანაცვლება: უფლება {by}, რომელსაც მისი ადგილი უნდა დაეკავებინა, ამ დღეს სრულდება და ადგილს უბრუნებს."
        )),
        PermissionState::Active | PermissionState::Suspended | PermissionState::Restored { .. } => {}
    }
}

pub(super) fn replace(sheet: &mut Sheet<'_>, replace: &PermissionReplace) {
    let PermissionReplace { replaced, effective, reason, grant } = replace;
    let language = sheet.language();
    let who = sheet.view.institution(grant.institution);
    let which = permission(sheet, *replaced);
    let (first, last) = (grant.window.first(), grant.window.last());
    sheet.happens(say!(
        language,
        "Permission {which} of institution {who} ends: from {effective} on a new one with the next free number takes its place, which holds from {first} until {last}.",
        "დაწესებულება {who}-ის უფლება {which} სრულდება: {effective}-დან მის ადგილს იკავებს ახალი, შემდეგი თავისუფალი ნომრით, რომელიც მოქმედებს {first}-დან {last}-მდე."
    ));
    sheet.happens(
        both(
            "What was registered under the old one stays valid; new registrations name the new number.",
            "ძველის საფუძველზე დარეგისტრირებული ძალაში რჩება; ახალ რეგისტრაციებში ახალი ნომერი მიეთითება.",
        )
        .text(language)
        .into(),
    );
    if !grant.window.contains(*effective) {
        sheet.warn(say!(
            language,
            "The new one does not hold on {effective}, on which the old one ends: the ledger does not take such a gap.",
            "ახალი არ მოქმედებს იმ დღეს, როდესაც ძველი სრულდება ({effective}): ასეთ შუალედს რეესტრი არ იღებს."
        ));
    }
    sheet.detail(both("Permission that ends", "უფლება, რომელიც სრულდება"), which);
    sheet.detail(both("Ends from", "სრულდება დღიდან"), effective.to_string());
    sheet.detail_of(REASON, terms::decision_reason(*reason));
    granted(sheet, grant);
}

pub(super) fn annul(sheet: &mut Sheet<'_>, annul: &PermissionAnnul) {
    let PermissionAnnul { institution, permission: number, decision, reason } = *annul;
    let language = sheet.language();
    let who = sheet.view.institution(institution);
    let which = permission(sheet, number);
    sheet.happens(say!(
        language,
        "The withdrawal of permission {which} of institution {who} is annulled: a new permission with the same content and days, under the next free number, takes its place from the day of the withdrawal on.",
        "დაწესებულება {who}-ის უფლება {which}-ის გაუქმება ბათილია: მის ადგილს გაუქმების დღიდან იკავებს ახალი უფლება იმავე შინაარსითა და დღეებით, შემდეგი თავისუფალი ნომრით."
    ));
    sheet.happens(
        both(
            "If the withdrawn one was suspended before its withdrawal, so is the new one.",
            "თუ გაუქმებული უფლება გაუქმებამდე შეჩერებული იყო, ახალიც შეჩერებულია.",
        )
        .text(language)
        .into(),
    );
    sheet.detail(INSTITUTION, who);
    sheet.detail(PERMISSION, which);
    sheet.detail_of(REASON, terms::decision_reason(reason));
    sheet.decision(&decision);
}
