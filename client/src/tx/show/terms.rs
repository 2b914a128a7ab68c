//! What codes mean, in both languages. Each text stands beside its translation, so that neither is forgotten.

use sigeli_verifier::{
    ids::{DecisionRef, ProfileHash},
    time::Window,
    transaction::{
        AuthorityKind, BatchAction, CredentialType, DecisionReason, FieldPrefix, HashAlgorithm, InstitutionKind,
        KeyPurposes, Level, Levels, Modes, StatusAction, StatusReason,
    },
};

use crate::wording::Language;

/// One text in both languages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Both {
    pub(super) en: &'static str,
    pub(super) ka: &'static str,
}

pub(super) const fn both(en: &'static str, ka: &'static str) -> Both {
    Both { en, ka }
}

impl Both {
    pub(super) const fn text(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Georgian => self.ka,
        }
    }
}

/// Formats a text of the language, English first.
macro_rules! say {
    ($language:expr, $en:literal, $ka:literal $(, $name:ident = $value:expr)* $(,)?) => {
        match $language {
            crate::wording::Language::English => format!($en $(, $name = $value)*),
            crate::wording::Language::Georgian => format!($ka $(, $name = $value)*),
        }
    };
}
pub(super) use say;

pub(super) const fn yes_no(value: bool) -> Both {
    if value { both("yes", "დიახ") } else { both("no", "არა") }
}

pub(super) const fn institution_kind(kind: InstitutionKind) -> Both {
    match kind {
        InstitutionKind::University => both("university", "უნივერსიტეტი"),
        InstitutionKind::TeachingUniversity => both("teaching university", "სასწავლო უნივერსიტეტი"),
        InstitutionKind::College => both("college", "კოლეჯი"),
        InstitutionKind::Vocational => both("vocational institution", "პროფესიული საგანმანათლებლო დაწესებულება"),
        InstitutionKind::LegalEntity => both("other legal entity", "სხვა იურიდიული პირი"),
        InstitutionKind::Foreign => both("foreign institution", "უცხოური დაწესებულება"),
    }
}

pub(super) const fn authority_kind(kind: AuthorityKind) -> Both {
    match kind {
        AuthorityKind::Ministry => both(
            "ministry (grants the Minister's orders for the pilot)",
            "სამინისტრო (გამოსცემს მინისტრის ბრძანებებს პილოტისთვის)",
        ),
        AuthorityKind::Nceqe => both(
            "quality agency (registers, authorises, accredits)",
            "ხარისხის განვითარების ცენტრი (არეგისტრირებს, ავტორიზაციასა და აკრედიტაციას ანიჭებს)",
        ),
        AuthorityKind::Emis => both("education information system", "განათლების მართვის საინფორმაციო სისტემა"),
        AuthorityKind::Operator => both("operator of nodes", "კვანძების ოპერატორი"),
    }
}

pub(super) const fn decision_reason(reason: DecisionReason) -> Both {
    match reason {
        DecisionReason::Granted => both("granted", "მინიჭება"),
        DecisionReason::Conditional => {
            both("granted under conditions, or because of them", "პირობით მინიჭება ან პირობების გამო")
        }
        DecisionReason::Renewed => both("renewed for a further term", "ვადის განახლება"),
        DecisionReason::ScopeChanged => both("what it allows was changed", "ფარგლების შეცვლა"),
        DecisionReason::MonitoringFailed => {
            both("monitoring or evaluation failed", "მონიტორინგის ან შეფასების უარყოფითი შედეგი")
        }
        DecisionReason::Voluntary => both("at the institution's own request", "დაწესებულების თხოვნა"),
        DecisionReason::Closed => both("the institution or programme was closed", "დაწესებულების ან პროგრამის დახურვა"),
        DecisionReason::Merged => both("merged into another institution", "სხვა დაწესებულებასთან შეერთება"),
        DecisionReason::CourtOrder => both("order of a court", "სასამართლოს გადაწყვეტილება"),
        DecisionReason::AppealUpheld => both("an appeal was upheld", "საჩივრის დაკმაყოფილება"),
        DecisionReason::ErrorCorrected => both("an earlier entry was wrong", "წინა ჩანაწერის შეცდომა"),
    }
}

pub(super) const fn status_reason(reason: StatusReason) -> Both {
    match reason {
        StatusReason::Unspecified => both("no reason given", "მიზეზი მითითებული არ არის"),
        StatusReason::IssuedInError => both("issued in error", "შეცდომით იყო გაცემული"),
        StatusReason::AwardWithdrawn => both("the award was withdrawn", "მინიჭება გაუქმდა"),
        StatusReason::Superseded => both("replaced by a newer version", "შეიცვალა ახალი ვერსიით"),
        StatusReason::HolderRequest => both("at the holder's request", "მფლობელის თხოვნა"),
        StatusReason::KeyCompromised => both("the issuing key was compromised", "გამცემის გასაღები კომპრომეტირებულია"),
        StatusReason::Order => both("order of a court or an authority", "სასამართლოს ან უწყების გადაწყვეტილება"),
        StatusReason::NotAccredited => {
            both("issued outside the accreditation", "გაცემული იყო აკრედიტაციის ფარგლებს გარეთ")
        }
        StatusReason::UnderReview => both("under review", "მიმდინარეობს განხილვა"),
        StatusReason::ReviewEnded => both("the review ended", "განხილვა დასრულდა"),
        StatusReason::Annulled => {
            both("an entry was made with a compromised key", "ჩანაწერი გაკეთდა კომპრომეტირებული გასაღებით")
        }
    }
}

pub(super) const fn credential_type(kind: CredentialType) -> Both {
    match kind {
        CredentialType::MicroCredential => both("micro-credential", "მიკროკრედენციალი"),
        CredentialType::Participation => both("certificate of participation", "მონაწილეობის სერტიფიკატი"),
    }
}

pub(super) const fn hash_algorithm(algorithm: HashAlgorithm) -> &'static str {
    match algorithm {
        HashAlgorithm::Blake3 => "BLAKE3",
    }
}

pub(super) const fn batch_action(action: BatchAction) -> Both {
    match action {
        BatchAction::Suspend => both("suspend", "შეჩერება"),
        BatchAction::Reinstate => both("reinstate", "აღდგენა"),
        BatchAction::Revoke => both("revoke for good", "საბოლოო გაუქმება"),
    }
}

pub(super) const fn status_action(action: StatusAction) -> Both {
    match action {
        StatusAction::Suspend => both("suspend", "შეჩერება"),
        StatusAction::Reinstate => both("reinstate", "აღდგენა"),
        StatusAction::Revoke => both("revoke for good", "საბოლოო გაუქმება"),
        StatusAction::Supersede => both("replace for good", "საბოლოო ჩანაცვლება"),
    }
}

pub(super) fn purposes(purposes: KeyPurposes, language: Language) -> String {
    let all = [
        (KeyPurposes::ANCHOR, both("register credentials", "კრედენციალების რეგისტრაცია")),
        (KeyPurposes::STATUS, both("revoke and suspend credentials", "კრედენციალების გაუქმება და შეჩერება")),
        (KeyPurposes::ADMIN, both("manage keys and programmes", "გასაღებებისა და პროგრამების მართვა")),
    ];
    let names: Vec<_> =
        all.iter().filter(|(one, _)| purposes.allows(*one)).map(|(_, name)| name.text(language)).collect();
    names.join(", ")
}

pub(super) fn modes(modes: Modes, language: Language) -> String {
    let all = [
        (Modes::ON_SITE, both("on site", "ადგილზე")),
        (Modes::ONLINE, both("online", "დისტანციურად")),
        (Modes::BLENDED, both("partly on site and partly online", "შერეულად")),
        (Modes::WORK_BASED, both("based on work", "სამუშაოზე დაფუძნებით")),
    ];
    let has = |one: Modes| modes.get() & one.get() != 0;
    let names: Vec<_> = all.iter().filter(|(one, _)| has(*one)).map(|(_, name)| name.text(language)).collect();
    names.join(", ")
}

pub(super) fn fields(prefixes: &[FieldPrefix]) -> String {
    prefixes.iter().map(FieldPrefix::to_string).collect::<Vec<_>>().join(", ")
}

pub(super) fn levels(levels: Levels) -> String {
    let all = (1..=8).filter_map(Level::new).filter(|level| levels.contains(*level));
    all.map(|level| level.get().to_string()).collect::<Vec<_>>().join(", ")
}

pub(super) fn days(window: Window, language: Language) -> String {
    let (first, last) = (window.first(), window.last());
    say!(
        language,
        "{first} to {last}, both included (days in Tbilisi)",
        "{first} – {last}, ორივე დღის ჩათვლით (თბილისის დღეები)"
    )
}

/// An authority's decision as it goes to the ledger, and whether it is the one that the reader has before him.
pub(super) fn decision(decision: &DecisionRef, compared: Option<&str>, language: Language) -> String {
    if decision.is_none() {
        return both("none: the institution acts on its own", "არ არის: დაწესებულება თავად იღებს გადაწყვეტილებას")
            .text(language)
            .into();
    }
    let verdict = match compared {
        None => both(
            "(a hash of its number and date: compare it with `--decision TEXT`)",
            "(ნომრისა და თარიღის ჰეში: შეადარეთ `--decision TEXT` პარამეტრით)",
        ),
        Some(text) if crate::values::decision_ref(text) == *decision => {
            both("= the decision that you named", "= თქვენ მიერ დასახელებული გადაწყვეტილება")
        }
        Some(_) => both("IS NOT THE DECISION THAT YOU NAMED", "არ არის თქვენ მიერ დასახელებული გადაწყვეტილება"),
    };
    format!("{decision} {}", verdict.text(language))
}

pub(super) fn profile(profile: &ProfileHash, language: Language) -> String {
    if *profile == ProfileHash::new([0; 32]) {
        both("none", "არ არის").text(language).into()
    } else {
        profile.to_string()
    }
}
