//! Batches and statuses.

use sigeli_verifier::{
    ids::InstitutionId,
    transaction::{
        BatchAction, BatchAnchor, BatchAnnul, BatchAnnulEntry, BatchStatusSet, Sender, StatusAction, StatusAnnul,
        StatusAnnulEntry, StatusEntry, StatusOrder,
    },
};

use super::{
    Sheet, sender_institution,
    terms::{self, Both, both, say},
};
use crate::values::ects_text;

const INSTITUTION: Both = both("Institution", "დაწესებულება");
const ROOT: Both = both("Batch (root of its tree)", "პარტია (ხის ფესვი)");
const REASON: Both = both("Reason", "მიზეზი");

pub(super) fn anchor(sheet: &mut Sheet<'_>, anchor: &BatchAnchor, sender: &Sender) {
    let BatchAnchor { root, height, hash_algorithm, accreditation, level, field, ects, issued, credential_type } =
        *anchor;
    let language = sheet.language();
    let who = sender_institution(sender).map(|institution| sheet.view.institution(institution)).unwrap_or_default();
    let most = 1_u32.checked_shl(height.get().into()).unwrap_or(u32::MAX);
    sheet.happens(say!(
        language,
        "Institution {who} registers a batch of up to {most} credentials under its accreditation {accreditation}.",
        "დაწესებულება {who} არეგისტრირებს პარტიას, რომელშიც არაუმეტეს {most} კრედენციალია, აკრედიტაციით № {accreditation}."
    ));
    sheet.detail(ROOT, root.to_string());
    sheet.detail(both("Height of the tree", "ხის სიმაღლე"), height.get().to_string());
    sheet.detail(both("Hash of the tree", "ხის ჰეში"), terms::hash_algorithm(hash_algorithm));
    sheet.detail(both("Accreditation", "აკრედიტაცია"), accreditation.to_string());
    sheet.detail(both("Level (NQF)", "დონე (ეროვნული ჩარჩო)"), level.get().to_string());
    sheet.detail(both("Field of study (ISCED-F)", "სწავლის სფერო (ISCED-F)"), field.to_string());
    sheet.detail(both("Credits", "კრედიტები"), format!("{} ECTS", ects_text(ects)));
    sheet.detail(both("Issued on", "გაცემულია"), issued.to_string());
    sheet.detail_of(both("What they are", "სახე"), terms::credential_type(credential_type));
}

pub(super) fn batch_status(sheet: &mut Sheet<'_>, set: &BatchStatusSet) {
    let BatchStatusSet { institution, decision, root, entry, action, reason } = *set;
    let language = sheet.language();
    let who = sheet.view.institution(institution);
    sheet.happens(match action {
        BatchAction::Suspend => say!(
            language,
            "All credentials of one batch of institution {who} are suspended, until the batch is reinstated or revoked.",
            "დაწესებულება {who}-ის ერთი პარტიის ყველა კრედენციალი ჩერდება, სანამ პარტია არ აღდგება ან არ გაუქმდება."
        ),
        BatchAction::Reinstate => say!(
            language,
            "The suspension of one batch of institution {who} ends: its credentials are valid again, except those about which something else is written.",
            "დაწესებულება {who}-ის ერთი პარტიის შეჩერება სრულდება: მისი კრედენციალები კვლავ ძალაშია, გარდა იმათი, რომელთა შესახებ სხვა რამ წერია."
        ),
        BatchAction::Revoke => say!(
            language,
            "All credentials of one batch of institution {who} are revoked for good.",
            "დაწესებულება {who}-ის ერთი პარტიის ყველა კრედენციალი საბოლოოდ უქმდება."
        ),
    });
    if action == BatchAction::Revoke {
        sheet.warn(
            both(
                "This ends every credential of the batch for good. Only the quality agency can annul it: its own order, or what a compromised key wrote.",
                "ეს საბოლოოდ წყვეტს პარტიის ყველა კრედენციალს. ბათილად მას მხოლოდ ხარისხის განვითარების ცენტრი ცნობს: საკუთარ გადაწყვეტილებას ან კომპრომეტირებული გასაღებით ჩაწერილს.",
            )
            .text(language)
            .into(),
        );
    }
    sheet.detail(INSTITUTION, who);
    sheet.detail(ROOT, root.to_string());
    sheet.detail(both("Entry of its history", "ჩანაწერი ისტორიაში"), format!("№ {entry}"));
    sheet.detail_of(both("Change", "ცვლილება"), terms::batch_action(action));
    sheet.detail_of(REASON, terms::status_reason(reason));
    sheet.decision(&decision);
}

pub(super) fn batch_annul(sheet: &mut Sheet<'_>, annul: &BatchAnnul) {
    let BatchAnnul { institution, decision, entries } = annul;
    let language = sheet.language();
    let who = sheet.view.institution(*institution);
    sheet.happens(say!(
        language,
        "The newest change of {count} batch(es) of institution {who}, an order or the work of a compromised key, is annulled: each batch stands where it stood before.",
        "ბათილად ცხადდება დაწესებულება {who}-ის პარტიების (რაოდენობა: {count}) უახლესი ცვლილება, რომელიც გადაწყვეტილებით ან კომპრომეტირებული გასაღებით გაკეთდა: თითოეული პარტია უბრუნდება წინა მდგომარეობას.",
        count = entries.len()
    ));
    for (number, BatchAnnulEntry { root, entry }) in entries.iter().enumerate() {
        let text = format!("{root}{}", as_entry(sheet, *entry));
        sheet.detail_numbered(ROOT, number + 1, text);
    }
    sheet.detail(INSTITUTION, who);
    sheet.decision(decision);
}

/// Which entry of its history the change will be.
fn as_entry(sheet: &Sheet<'_>, entry: u32) -> String {
    say!(sheet.language(), ", as entry {entry} of its history", ", ისტორიის ჩანაწერი № {entry}")
}

pub(super) fn order(sheet: &mut Sheet<'_>, order: &StatusOrder) {
    let StatusOrder { institution, decision, entries } = order;
    statuses(sheet, entries, Some(*institution));
    let who = sheet.view.institution(*institution);
    sheet.detail(INSTITUTION, who);
    sheet.decision(decision);
}

/// The changes of single credentials, each with all that it says.
pub(super) fn statuses(sheet: &mut Sheet<'_>, entries: &[StatusEntry], institution: Option<InstitutionId>) {
    let language = sheet.language();
    let who = institution.map(|institution| sheet.view.institution(institution)).unwrap_or_default();
    let count = |action| entries.iter().filter(|entry| entry.action == action).count();
    sheet.happens(say!(
        language,
        "The status of credentials of institution {who} is changed, {all} change(s) in all:",
        "იცვლება დაწესებულება {who}-ის კრედენციალების სტატუსი, სულ ცვლილებები: {all}:",
        all = entries.len()
    ));
    for (action, text) in [
        (StatusAction::Suspend, both("suspended until reinstated or ended", "ჩერდება აღდგენამდე ან შეწყვეტამდე")),
        (StatusAction::Reinstate, both("valid again after a suspension", "შეჩერების შემდეგ კვლავ ძალაშია")),
        (StatusAction::Revoke, both("revoked for good", "საბოლოოდ უქმდება")),
        (
            StatusAction::Supersede,
            both("replaced for good by a newer credential", "საბოლოოდ იცვლება ახალი კრედენციალით"),
        ),
    ] {
        let count = count(action);
        if count > 0 {
            sheet.happens(format!("  {count} × {}", text.text(language)));
        }
    }
    let ended = count(StatusAction::Revoke) + count(StatusAction::Supersede);
    if ended > 0 {
        sheet.warn(say!(
            language,
            "This ends {ended} credential(s) for good. Only the quality agency can annul it: its own order, or what a compromised key wrote.",
            "ეს საბოლოოდ წყვეტს კრედენციალებს (რაოდენობა: {ended}). ბათილად მას მხოლოდ ხარისხის განვითარების ცენტრი ცნობს: საკუთარ გადაწყვეტილებას ან კომპრომეტირებული გასაღებით ჩაწერილს."
        ));
    }
    for (number, StatusEntry { handle, entry, action, reason, successor }) in entries.iter().enumerate() {
        let action_name = terms::status_action(*action).text(language);
        let reason = terms::status_reason(*reason).text(language);
        let numbered = as_entry(sheet, *entry);
        let mut text = format!("{handle}{numbered}: {action_name}; {reason}");
        if *action == StatusAction::Supersede {
            let leaf = sigeli_verifier::ids::Leaf::new(*successor);
            text.push_str(&say!(language, "; replaced by {leaf}", "; შემცვლელი: {leaf}"));
        }
        sheet.detail_numbered(both("Credential", "კრედენციალი"), number + 1, text);
    }
}

pub(super) fn annul(sheet: &mut Sheet<'_>, annul: &StatusAnnul) {
    let StatusAnnul { institution, decision, entries } = annul;
    let language = sheet.language();
    let who = sheet.view.institution(*institution);
    sheet.happens(say!(
        language,
        "The newest entry about {count} credential(s) of institution {who}, an order or the work of a compromised key, is annulled: each stands where it stood before.",
        "ბათილად ცხადდება უახლესი ჩანაწერი დაწესებულება {who}-ის კრედენციალების (რაოდენობა: {count}) შესახებ, რომელიც გადაწყვეტილებით ან კომპრომეტირებული გასაღებით გაკეთდა: თითოეული უბრუნდება წინა მდგომარეობას.",
        count = entries.len()
    ));
    for (number, StatusAnnulEntry { handle, entry }) in entries.iter().enumerate() {
        let text = format!("{handle}{}", as_entry(sheet, *entry));
        sheet.detail_numbered(both("Credential", "კრედენციალი"), number + 1, text);
    }
    sheet.detail(INSTITUTION, who);
    sheet.decision(decision);
}
