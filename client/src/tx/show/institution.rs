//! Institutions, their keys and their programmes.

use sigeli_verifier::{
    ids::{Height, InstitutionId, KeyIndex},
    transaction::{
        InstitutionClose, InstitutionKey, InstitutionRegister, InstitutionReopen, InstitutionUpdate, KeyClear,
        KeyCompromise, KeyRetire, KeysAdd, ProgrammeRegister, Sender,
    },
};

use super::{
    Sheet, sender_institution,
    terms::{self, both, say},
};
use crate::wording::Language;

const INSTITUTION: terms::Both = both("Institution", "დაწესებულება");
const REASON: terms::Both = both("Reason", "მიზეზი");
const NAME_KA: terms::Both = both("Name in Georgian", "სახელი ქართულად");
const NAME_EN: terms::Both = both("Name in English", "სახელი ინგლისურად");
const PROFILE: terms::Both = both("Hash of the public profile", "საჯარო პროფილის ჰეში");
const WHAT_IT_IS: terms::Both = both("What it is", "სახე");
const KEY: terms::Both = both("Key", "გასაღები");
const COUNTRY: terms::Both = both("Country", "ქვეყანა");
const LEGAL_ID: terms::Both = both("Identification code", "საიდენტიფიკაციო კოდი");

pub(super) fn register(sheet: &mut Sheet<'_>, register: &InstitutionRegister) {
    let InstitutionRegister { institution, kind, jurisdiction, legal_id, name_ka, name_en, profile, decision, keys } =
        register;
    let language = sheet.language();
    sheet.happens(say!(
        language,
        "“{name_en}” is registered as institution {institution}, with {count} key(s). It may issue nothing before it is authorised.",
        "„{name_ka}“ დარეგისტრირდება დაწესებულებად № {institution}, გასაღებების რაოდენობა: {count}. ავტორიზაციამდე იგი ვერაფერს გასცემს.",
        count = keys.len()
    ));
    sheet.happens(both("The number can never be changed.", "ნომერი ვეღარ შეიცვლება.").text(language).into());
    sheet.detail(INSTITUTION, institution.to_string());
    sheet.detail_of(WHAT_IT_IS, terms::institution_kind(*kind));
    sheet.detail(COUNTRY, String::from_utf8_lossy(jurisdiction).escape_debug().to_string());
    sheet.detail(LEGAL_ID, legal_id.to_string());
    sheet.detail(NAME_KA, name_ka.to_string());
    sheet.detail(NAME_EN, name_en.to_string());
    sheet.detail(PROFILE, terms::profile(profile, language));
    key_list(sheet, keys);
    sheet.decision(decision);
}

fn key_list(sheet: &mut Sheet<'_>, keys: &[InstitutionKey]) {
    let language = sheet.language();
    for (number, InstitutionKey { purposes, key, window }) in keys.iter().enumerate() {
        let text = say!(
            language,
            "{key}; may: {purposes}; {days}",
            "{key}; უფლება: {purposes}; {days}",
            purposes = terms::purposes(*purposes, language),
            days = terms::days(*window, language)
        );
        sheet.detail_numbered(both("New key", "ახალი გასაღები"), number + 1, text);
    }
    if keys.is_empty() {
        sheet.detail(both("New keys", "ახალი გასაღებები"), both("none", "არ არის").text(language));
    }
}

pub(super) fn update(sheet: &mut Sheet<'_>, update: &InstitutionUpdate) {
    let InstitutionUpdate { institution, decision, kind, jurisdiction, legal_id, name_ka, name_en, profile } = update;
    let language = sheet.language();
    let who = sheet.view.institution(*institution);
    sheet.happens(say!(
        language,
        "Institution {who} is called “{name_en}” from then on, and registered under the identification code {legal_id}. What it issued before stands, under its name of that time in the history.",
        "დაწესებულება {who} ამიერიდან ასე იწოდება: „{name_ka}“, საიდენტიფიკაციო კოდი: {legal_id}. მანამდე გაცემული ძალაში რჩება; ისტორიაში ძველი სახელი შენარჩუნდება."
    ));
    sheet.detail(INSTITUTION, who);
    sheet.detail_of(WHAT_IT_IS, terms::institution_kind(*kind));
    sheet.detail(COUNTRY, String::from_utf8_lossy(jurisdiction).escape_debug().to_string());
    sheet.detail(LEGAL_ID, legal_id.to_string());
    sheet.detail(NAME_KA, name_ka.to_string());
    sheet.detail(NAME_EN, name_en.to_string());
    sheet.detail(PROFILE, terms::profile(profile, language));
    sheet.decision(decision);
}

pub(super) fn close(sheet: &mut Sheet<'_>, close: &InstitutionClose) {
    let InstitutionClose { institution, decision, from, reason, successor } = *close;
    let language = sheet.language();
    let who = sheet.view.institution(institution);
    sheet.happens(say!(
        language,
        "Institution {who} is closed from {from} on: from that day it can register and change nothing any more.",
        "დაწესებულება {who} იხურება {from}-დან: ამ დღიდან იგი ვეღარაფერს დაარეგისტრირებს და ვერაფერს შეცვლის."
    ));
    sheet.happens(both(
        "What it issued before stays valid. The quality agency can still revoke or suspend it, and can take the closure back.",
        "მანამდე გაცემული ძალაში რჩება. ხარისხის განვითარების ცენტრს კვლავ შეუძლია მისი გაუქმება ან შეჩერება, აგრეთვე დახურვის უკან წაღება.",
    ).text(language).into());
    if from < sheet.view.today() {
        sheet.warn(say!(
            language,
            "The first closed day, {from}, has passed. What was written since then is not touched.",
            "დახურვის პირველი დღე, {from}, უკვე გავიდა. მას შემდეგ ჩაწერილს ეს არ ეხება."
        ));
    }
    sheet.warn(both("This closes an institution.", "ეს ხურავს დაწესებულებას.").text(language).into());
    sheet.detail(INSTITUTION, who);
    sheet.detail(both("First closed day", "დახურვის პირველი დღე"), from.to_string());
    sheet.detail_of(REASON, terms::decision_reason(reason));
    let successor = if successor == InstitutionId::new(0) {
        both("none", "არ არის").text(language).into()
    } else {
        sheet.view.institution(successor)
    };
    sheet.detail(both("Merged into institution", "შეუერთდა დაწესებულებას"), successor);
    sheet.decision(&decision);
}

pub(super) fn reopen(sheet: &mut Sheet<'_>, reopen: &InstitutionReopen) {
    let InstitutionReopen { institution, decision, reason } = *reopen;
    let language = sheet.language();
    let who = sheet.view.institution(institution);
    sheet.happens(say!(
        language,
        "The closure of institution {who} is taken back: it can act again from then on, with the keys and permissions that still hold.",
        "დაწესებულება {who}-ის დახურვა უქმდება: იგი კვლავ შეძლებს მოქმედებას იმ გასაღებებითა და უფლებებით, რომლებიც ძალაშია."
    ));
    sheet.detail(INSTITUTION, who);
    sheet.detail_of(REASON, terms::decision_reason(reason));
    sheet.decision(&decision);
}

pub(super) fn keys_add(sheet: &mut Sheet<'_>, add: &KeysAdd) {
    let KeysAdd { institution, decision, keys } = add;
    let language = sheet.language();
    let who = sheet.view.institution(*institution);
    sheet.happens(say!(
        language,
        "Institution {who} gets {count} further key(s). Whoever holds them can sign in its name, as far as each may.",
        "დაწესებულება {who}-ს დაემატება გასაღებები, რაოდენობა: {count}. ვინც მათ ფლობს, მისი სახელით მოაწერს ხელს იმ ფარგლებში, რაც თითოეულს აქვს.",
        count = keys.len()
    ));
    sheet.detail(INSTITUTION, who);
    key_list(sheet, keys);
    sheet.decision(decision);
}

pub(super) fn key_retire(sheet: &mut Sheet<'_>, retire: &KeyRetire) {
    let KeyRetire { institution, decision, key } = *retire;
    let language = sheet.language();
    let who = sheet.view.institution(institution);
    sheet.happens(say!(
        language,
        "Key {key} of institution {who} signs nothing any more. What it signed stays valid. It never comes back.",
        "დაწესებულება {who}-ის გასაღები {key} ვეღარაფერს მოაწერს ხელს. მისით ხელმოწერილი ძალაში რჩება. გასაღები აღარ აღდგება."
    ));
    sheet.detail(INSTITUTION, who);
    sheet.detail(KEY, key.to_string());
    sheet.decision(&decision);
}

/// `4`, or `4 to 9`.
fn key_range(first: KeyIndex, last: KeyIndex, language: Language) -> String {
    if first == last {
        first.to_string()
    } else {
        say!(language, "{first} to {last}", "{first}-დან {last}-მდე")
    }
}

pub(super) fn key_compromise(sheet: &mut Sheet<'_>, compromise: &KeyCompromise, sender: &Sender) {
    let KeyCompromise { institution, decision, first, last, from } = *compromise;
    let language = sheet.language();
    let who = sheet.view.institution(institution);
    let keys = key_range(first, last, language);
    let is_now = from == Height::new(0);
    let own = sender_institution(sender).is_some();
    if own {
        sheet.happens(say!(
            language,
            "Key {keys} of institution {who} is declared compromised by the institution itself: it signs nothing any more, and never comes back. What it signed stays valid; the quality agency alone can declare it void.",
            "დაწესებულება {who} თავის გასაღებს {keys} კომპრომეტირებულად აცხადებს: იგი ვეღარაფერს მოაწერს ხელს და აღარ აღდგება. მისით ხელმოწერილი ძალაში რჩება; მისი ბათილად ცნობა მხოლოდ ხარისხის განვითარების ცენტრს შეუძლია."
        ));
    } else if is_now {
        sheet.happens(say!(
            language,
            "Key(s) {keys} of institution {who} are declared compromised from the block on that will hold this: they sign nothing any more, and what they sign in that block is void. What they signed before stays valid.",
            "დაწესებულება {who}-ის გასაღები (გასაღებები) {keys} კომპრომეტირებულად ცხადდება ამის ჩამწერი ბლოკიდან: ვეღარაფერს მოაწერს ხელს, ამ ბლოკში ხელმოწერილი კი ბათილია. მანამდე ხელმოწერილი ძალაში რჩება."
        ));
    } else {
        sheet.happens(say!(
            language,
            "Key(s) {keys} of institution {who} are declared compromised from block {from} on: they sign nothing any more, and all that they signed from block {from} on is void.",
            "დაწესებულება {who}-ის გასაღები (გასაღებები) {keys} კომპრომეტირებულად ცხადდება ბლოკ {from}-დან: ვეღარაფერს მოაწერს ხელს და ყველაფერი, რაც ბლოკ {from}-დან მოეწერა, ბათილია."
        ));
        sheet.warn(say!(
            language,
            "This voids everything signed with key(s) {keys} since block {from}: credentials registered with them since then verify as NOT GENUINE from now on, also those already handed out.",
            "ეს აბათილებს ყველაფერს, რაც გასაღებით (გასაღებებით) {keys} ბლოკ {from}-დან მოეწერა: მას შემდეგ დარეგისტრირებული კრედენციალები ამიერიდან შემოწმებისას არ იქნება ნამდვილი, უკვე გაცემულების ჩათვლით."
        ));
    }
    if !own {
        sheet.happens(
            both(
                "This replaces what the quality agency declared about these keys before. It can correct it, or take it back, by a later transaction.",
                "ეს ცვლის იმას, რაც ხარისხის განვითარების ცენტრმა ამ გასაღებებზე ადრე გამოაცხადა. მას შეუძლია შემდგომი ტრანზაქციით შეასწოროს ან უკან წაიღოს.",
            )
            .text(language)
            .into(),
        );
    }
    sheet.detail(INSTITUTION, who);
    sheet.detail(KEY, keys);
    let from = if is_now && own {
        both(
            "the one after that which will hold this (written as 0)",
            "ამის ჩამწერი ბლოკის მომდევნო (ჩაწერილია როგორც 0)",
        )
        .text(language)
        .into()
    } else if is_now {
        both("the one that will hold this (written as 0)", "ის, რომელშიც ეს ჩაიწერება (ჩაწერილია როგორც 0)")
            .text(language)
            .into()
    } else {
        from.to_string()
    };
    let label = if own {
        both("Declared from block", "გამოცხადებულია ბლოკიდან")
    } else {
        both("Void from block", "ბათილია ბლოკიდან")
    };
    sheet.detail(label, from);
    sheet.decision(&decision);
}

pub(super) fn key_clear(sheet: &mut Sheet<'_>, clear: &KeyClear) {
    let KeyClear { institution, decision, first, last } = *clear;
    let language = sheet.language();
    let who = sheet.view.institution(institution);
    let keys = key_range(first, last, language);
    sheet.happens(say!(
        language,
        "Key(s) {keys} of institution {who} are no longer declared compromised, as far as they were: what they signed counts again, and those that were not retired can sign again.",
        "დაწესებულება {who}-ის გასაღები (გასაღებები) {keys} კომპრომეტირებულად აღარ ითვლება, თუ ასეთად იყო გამოცხადებული: მისით ხელმოწერილი კვლავ ძალაშია, და რომელიც ხმარებიდან ამოღებული არ არის, კვლავ შეძლებს ხელის მოწერას."
    ));
    sheet.warn(say!(
        language,
        "Whoever holds these keys can sign in the name of institution {who} again.",
        "ვინც ამ გასაღებებს ფლობს, დაწესებულება {who}-ის სახელით კვლავ შეძლებს ხელის მოწერას."
    ));
    sheet.detail(INSTITUTION, who);
    sheet.detail(KEY, keys);
    sheet.decision(&decision);
}

pub(super) fn programme(sheet: &mut Sheet<'_>, register: &ProgrammeRegister, sender: &Sender) {
    let ProgrammeRegister { programme, title_ka, title_en, partners } = register;
    let language = sheet.language();
    let who = sender_institution(sender).map(|institution| sheet.view.institution(institution)).unwrap_or_default();
    sheet.happens(say!(
        language,
        "Institution {who} registers “{title_en}” as its programme {programme}. It can then be accredited. It can never be changed.",
        "დაწესებულება {who} არეგისტრირებს პროგრამას № {programme}: „{title_ka}“. ამის შემდეგ მისი აკრედიტაცია შესაძლებელია. პროგრამა ვეღარ შეიცვლება."
    ));
    sheet.detail(both("Programme", "პროგრამა"), programme.to_string());
    sheet.detail(both("Title in Georgian", "სახელწოდება ქართულად"), title_ka.to_string());
    sheet.detail(both("Title in English", "სახელწოდება ინგლისურად"), title_en.to_string());
    let names: Vec<_> = partners.iter().map(|partner| sheet.view.institution(*partner)).collect();
    let names =
        if names.is_empty() { both("none", "არ არის").text(language).into() } else { names.join(", ") };
    sheet.detail(both("Awarded jointly with", "ერთობლივად გასცემს"), names);
}
