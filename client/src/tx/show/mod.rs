//! What a draft would do, in plain words, for whoever is to sign it: what happens, every field, what is dangerous about it,
//! who must sign and who has, until when and on which ledger. Nothing in the draft is left out.

mod governance;
mod institution;
mod issuing;
mod permission;
mod signatures;
mod terms;

use sigeli_verifier::{
    ids::{AuthorityId, InstitutionId, TimeMs},
    time::Day,
    transaction::{Draft, Payload, Sender},
    trust::{NetworkKind, Trust},
};

use self::terms::{Both, both, say};
use super::{
    known::{Known, LedgerName, Source},
    standing::{Objection, objection},
};
use crate::{values::tbilisi, wording::Language};

/// A draft and what it is read with.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The draft.
    pub draft: &'a Draft,
    /// What is known of those who may sign it, and of what it speaks of. Must be of the draft's ledger.
    pub known: Option<&'a Known>,
    /// The trust file, for the ledger's name.
    pub trust: Option<&'a Trust>,
    /// The language.
    pub language: Language,
    /// The reader's clock.
    pub at: TimeMs,
    /// The decision that the reader has before him: its number and date, as they stand on it.
    pub decision: Option<&'a str>,
}

impl<'a> View<'a> {
    /// The ledger's name and kind, if they are known.
    fn ledger(&self) -> Option<LedgerName> {
        let genesis = self.draft.body().genesis;
        let trusted = self.trust.and_then(|trust| trust.ledgers().iter().find(|ledger| ledger.genesis == genesis));
        let named = trusted.map(|ledger| LedgerName {
            kind: ledger.kind,
            name_ka: ledger.name_ka.clone(),
            name_en: ledger.name_en.clone(),
        });
        named.or_else(|| self.known.and_then(|known| known.name.clone()))
    }

    fn kind(&self) -> Option<NetworkKind> {
        self.ledger().map(|ledger| ledger.kind).or_else(|| self.known.map(|known| known.kind))
    }

    /// An institution's number, and its name if it is known.
    fn institution(&self, institution: InstitutionId) -> String {
        let name = self.known.and_then(|known| known.institution(institution)).map(|facts| match self.language {
            Language::English => facts.name_en.as_str(),
            Language::Georgian => facts.name_ka.as_str(),
        });
        name.map_or_else(|| institution.to_string(), |name| format!("{institution} ({name})"))
    }

    /// An authority's number, and its name if it is known.
    fn authority(&self, authority: AuthorityId) -> String {
        let name = self.known.and_then(|known| known.authority(authority)).map(|known| match self.language {
            Language::English => known.name_en.as_str(),
            Language::Georgian => known.name_ka.as_str(),
        });
        name.map_or_else(|| authority.to_string(), |name| format!("{authority} ({name})"))
    }

    /// The day on which it is read.
    fn today(&self) -> Day {
        Day::of(self.at)
    }
}

/// What is said about a draft, before it is laid out.
struct Sheet<'a> {
    view: View<'a>,
    /// What happens, one sentence a line.
    happens: Vec<String>,
    /// Every field of what is asked.
    details: Vec<(String, String)>,
    /// What is dangerous about it.
    warnings: Vec<String>,
}

impl Sheet<'_> {
    const fn language(&self) -> Language {
        self.view.language
    }

    fn happens(&mut self, text: String) {
        self.happens.push(text);
    }

    fn warn(&mut self, text: String) {
        self.warnings.push(text);
    }

    fn detail(&mut self, label: Both, value: impl Into<String>) {
        self.details.push((label.text(self.language()).into(), value.into()));
    }

    fn detail_of(&mut self, label: Both, value: Both) {
        self.detail(label, value.text(self.language()));
    }

    fn detail_numbered(&mut self, label: Both, number: usize, value: impl Into<String>) {
        self.details.push((format!("{} {number}", label.text(self.language())), value.into()));
    }

    fn decision(&mut self, decision: &sigeli_verifier::ids::DecisionRef) {
        let text = terms::decision(decision, self.view.decision, self.language());
        self.detail(both("Decision", "გადაწყვეტილება"), text);
    }
}

const fn kind_name(payload: &Payload) -> Both {
    match payload {
        Payload::InstitutionRegister(_) => both("register an institution", "დაწესებულების რეგისტრაცია"),
        Payload::InstitutionUpdate(_) => both("change an institution's entry", "დაწესებულების ჩანაწერის შეცვლა"),
        Payload::InstitutionClose(_) => both("close an institution", "დაწესებულების დახურვა"),
        Payload::InstitutionReopen(_) => {
            both("take back an institution's closure", "დაწესებულების დახურვის უკან წაღება")
        }
        Payload::KeysAdd(_) => both("give an institution further keys", "დაწესებულებისთვის გასაღებების დამატება"),
        Payload::KeyRetire(_) => both("retire a key of an institution", "დაწესებულების გასაღების ამოღება ხმარებიდან"),
        Payload::KeyCompromise(_) => both(
            "declare keys of an institution compromised",
            "დაწესებულების გასაღებების კომპრომეტირებულად გამოცხადება",
        ),
        Payload::KeyClear(_) => both(
            "take back that keys of an institution are compromised",
            "დაწესებულების გასაღებების კომპრომეტირებულად გამოცხადების უკან წაღება",
        ),
        Payload::ProgrammeRegister(_) => both("register a programme", "პროგრამის რეგისტრაცია"),
        Payload::PermissionGrant(_) => both("grant a permission", "უფლების მინიჭება"),
        Payload::PermissionChange(_) => {
            both("suspend, reinstate or withdraw a permission", "უფლების შეჩერება, აღდგენა ან გაუქმება")
        }
        Payload::PermissionReplace(_) => both("replace a permission by a new one", "უფლების ახლით შეცვლა"),
        Payload::PermissionAnnul(_) => both("annul the withdrawal of a permission", "უფლების გაუქმების ბათილად ცნობა"),
        Payload::BatchAnchor(_) => both("register a batch of credentials", "კრედენციალების პარტიის რეგისტრაცია"),
        Payload::BatchStatusSet(_) => both("change the status of a whole batch", "მთელი პარტიის სტატუსის შეცვლა"),
        Payload::BatchAnnul(_) => both(
            "annul what was written about whole batches",
            "მთელი პარტიების შესახებ გაკეთებული ჩანაწერების ბათილად ცნობა",
        ),
        Payload::StatusSet(_) => both("change the status of credentials", "კრედენციალების სტატუსის შეცვლა"),
        Payload::StatusOrder(_) => {
            both("change the status of credentials by decision", "კრედენციალების სტატუსის შეცვლა გადაწყვეტილებით")
        }
        Payload::StatusAnnul(_) => both(
            "annul what was written about credentials",
            "კრედენციალების შესახებ გაკეთებული ჩანაწერების ბათილად ცნობა",
        ),
        Payload::AuthorityKeysSet(_) => both("change an authority's own keys", "უწყების საკუთარი გასაღებების შეცვლა"),
        Payload::AuthoritySet(_) => both("add or change an authority", "უწყების დამატება ან შეცვლა"),
        Payload::AuthorityRemove(_) => both("end an authority", "უწყების უფლებამოსილების შეწყვეტა"),
        Payload::PolicySet(_) => both("set the rules (policy)", "წესების დადგენა"),
        Payload::UpgradeSchedule(_) => both("announce another protocol version", "პროტოკოლის სხვა ვერსიის გამოცხადება"),
    }
}

/// What a draft would do, for a person to read; ends with a line break.
#[must_use]
pub fn show(view: &View<'_>) -> String {
    let body = view.draft.body();
    let language = view.language;
    let mut sheet = Sheet { view: *view, happens: Vec::new(), details: Vec::new(), warnings: Vec::new() };
    let code = body.payload.code();
    let kind = kind_name(&body.payload).text(language);
    sheet.detail(both("Kind of transaction", "ტრანზაქციის სახე"), format!("{code}, {kind}"));
    describe(&mut sheet, &body.payload, &body.sender);
    general_warnings(&mut sheet);

    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&say!(language, "Draft of the transaction {id}", "ტრანზაქციის პროექტი {id}", id = body.id()));
    if view.kind() == Some(NetworkKind::Test) {
        line(
            both(
                "TEST LEDGER: what it says has no legal force.",
                "სატესტო რეესტრი (TEST LEDGER): მის ჩანაწერებს იურიდიული ძალა არ აქვს.",
            )
            .text(language),
        );
    }
    let section = |out: &mut String, title: Both| out.push_str(&format!("\n{}\n", title.text(language)));
    section(&mut out, both("What happens if it is handed in", "რა მოხდება წარდგენის შემთხვევაში"));
    for text in &sheet.happens {
        out.push_str(&format!("  {text}\n"));
    }
    if !sheet.warnings.is_empty() {
        section(&mut out, both("WARNING", "ყურადღება"));
        for text in &sheet.warnings {
            out.push_str(&format!("  ! {text}\n"));
        }
    }
    section(&mut out, both("Every field", "ყველა ველი"));
    let mut details = std::mem::take(&mut sheet.details);
    details.extend(envelope(view));
    lay_out(&mut out, &details);
    section(&mut out, both("Signatures", "ხელმოწერები"));
    for text in signatures::lines(view) {
        out.push_str(&format!("  {text}\n"));
    }
    out
}

fn lay_out(out: &mut String, details: &[(String, String)]) {
    let width = details.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for (label, value) in details {
        let padding = " ".repeat(width.saturating_sub(label.chars().count()));
        out.push_str(&format!("  {label}{padding}  {value}\n"));
    }
}

fn describe(sheet: &mut Sheet<'_>, payload: &Payload, sender: &Sender) {
    match payload {
        Payload::InstitutionRegister(register) => institution::register(sheet, register),
        Payload::InstitutionUpdate(update) => institution::update(sheet, update),
        Payload::InstitutionClose(close) => institution::close(sheet, close),
        Payload::InstitutionReopen(reopen) => institution::reopen(sheet, reopen),
        Payload::KeysAdd(add) => institution::keys_add(sheet, add),
        Payload::KeyRetire(retire) => institution::key_retire(sheet, retire),
        Payload::KeyCompromise(compromise) => institution::key_compromise(sheet, compromise, sender),
        Payload::KeyClear(clear) => institution::key_clear(sheet, clear),
        Payload::ProgrammeRegister(register) => institution::programme(sheet, register, sender),
        Payload::PermissionGrant(grant) => permission::grant(sheet, grant),
        Payload::PermissionChange(change) => permission::change(sheet, change),
        Payload::PermissionReplace(replace) => permission::replace(sheet, replace),
        Payload::PermissionAnnul(annul) => permission::annul(sheet, annul),
        Payload::BatchAnchor(anchor) => issuing::anchor(sheet, anchor, sender),
        Payload::BatchStatusSet(set) => issuing::batch_status(sheet, set),
        Payload::BatchAnnul(annul) => issuing::batch_annul(sheet, annul),
        Payload::StatusSet(set) => issuing::statuses(sheet, &set.entries, sender_institution(sender)),
        Payload::StatusOrder(order) => issuing::order(sheet, order),
        Payload::StatusAnnul(annul) => issuing::annul(sheet, annul),
        Payload::AuthorityKeysSet(set) => governance::own_keys(sheet, set, sender),
        Payload::AuthoritySet(set) => governance::authority(sheet, set),
        Payload::AuthorityRemove(remove) => governance::remove(sheet, remove),
        Payload::PolicySet(set) => governance::policy(sheet, set),
        Payload::UpgradeSchedule(schedule) => governance::upgrade(sheet, schedule),
    }
}

const fn sender_institution(sender: &Sender) -> Option<InstitutionId> {
    match sender {
        Sender::Institution { institution } => Some(*institution),
        Sender::Authority { .. } | Sender::Authorities { .. } => None,
    }
}

/// What is dangerous about a draft whatever it asks for.
fn general_warnings(sheet: &mut Sheet<'_>) {
    let language = sheet.language();
    let view = sheet.view;
    let valid_until = view.draft.body().valid_until;
    if valid_until < view.at {
        sheet.warn(
            both(
                "Its time has passed: the ledger takes it no more. Make a new one.",
                "მისი ვადა გავიდა: რეესტრი მას აღარ მიიღებს. შეადგინეთ ახალი.",
            )
            .text(language)
            .into(),
        );
    }
    let Some(objection) = objection(view.draft) else { return };
    sheet.warn(match objection {
        Objection::WrongSender => both(
            "The ledger will refuse this: this kind of sender does not send this kind of transaction.",
            "რეესტრი უარს იტყვის: ასეთი გამგზავნი ასეთ ტრანზაქციას არ აგზავნის.",
        )
        .text(language)
        .into(),
        Objection::DecisionMissing => both(
            "The ledger will refuse this: an authority's transaction must name a decision.",
            "რეესტრი უარს იტყვის: უწყების ტრანზაქციაში გადაწყვეტილება უნდა იყოს მითითებული.",
        )
        .text(language)
        .into(),
        Objection::DecisionUnexpected => both(
            "The ledger will refuse this: an institution's own transaction names no decision.",
            "რეესტრი უარს იტყვის: დაწესებულების საკუთარ ტრანზაქციაში გადაწყვეტილება არ მიეთითება.",
        )
        .text(language)
        .into(),
        Objection::WrongNamespace { institution } => say!(
            language,
            "The ledger will refuse this: an institution may not write about institution {institution}.",
            "რეესტრი უარს იტყვის: დაწესებულებას არ შეუძლია ჩაწეროს დაწესებულება {institution}-ის შესახებ."
        ),
    });
}

/// The fields that every transaction has: who sends it, on which ledger, until when.
fn envelope(view: &View<'_>) -> Vec<(String, String)> {
    let language = view.language;
    let body = view.draft.body();
    let sender = match body.sender {
        Sender::Institution { institution } => {
            say!(language, "institution {who}", "დაწესებულება {who}", who = view.institution(institution))
        }
        Sender::Authority { authority, sequence } => say!(
            language,
            "authority {who}, as its transaction number {sequence}",
            "უწყება {who}, მისი ტრანზაქცია № {sequence}",
            who = view.authority(authority)
        ),
        Sender::Authorities { sequence } => say!(
            language,
            "the authorities jointly, as their joint transaction number {sequence}",
            "უწყებები ერთობლივად, მათი ერთობლივი ტრანზაქცია № {sequence}"
        ),
    };
    let (kind, name) = (view.kind(), view.ledger());
    let name = name.map(|name| match language {
        Language::English => name.name_en.to_string(),
        Language::Georgian => name.name_ka.to_string(),
    });
    let kind = match kind {
        Some(NetworkKind::Production) => both("it counts", "აქვს იურიდიული ძალა"),
        Some(NetworkKind::Test) => both("a TEST", "სატესტო (TEST)"),
        None => both(
            "not known to this computer: not checked whether it is a test (--node, --genesis or --trust)",
            "ეს კომპიუტერი მას არ იცნობს: არ შემოწმებულა, სატესტოა თუ არა (--node, --genesis ან --trust)",
        ),
    };
    let kind = kind.text(language);
    let ledger = name.map_or_else(
        || format!("{} ({kind})", body.genesis),
        |name| say!(language, "“{name}”, {id} ({kind})", "„{name}“, {id} ({kind})", id = body.genesis),
    );
    let until = say!(
        language,
        "{time} (Tbilisi time); after that the ledger takes it no more",
        "{time} (თბილისის დროით); შემდეგ რეესტრი მას აღარ მიიღებს",
        time = tbilisi(body.valid_until)
    );
    let mut fields = vec![
        (both("Sent by", "გამგზავნი").text(language).into(), sender),
        (both("Ledger", "რეესტრი").text(language).into(), ledger),
        (both("Valid until", "ძალაშია").text(language).into(), until),
    ];
    if let Some(source) = view.known.map(|known| known.source) {
        let text = match source {
            Source::Genesis => both(
                "the genesis document: what was changed since is not in it",
                "რეესტრის საწყისი დოკუმენტი: შემდეგი ცვლილებები მასში არ არის",
            )
            .text(language)
            .into(),
            Source::Nodes { height, time, is_proved: false } => say!(
                language,
                "what the nodes say as of block {height}, {time} (Tbilisi time)",
                "კვანძების პასუხი, ბლოკი {height}, {time} (თბილისის დროით)",
                time = tbilisi(time)
            ),
            Source::Nodes { height, time, is_proved: true } => say!(
                language,
                "the ledger, proved against the trust file, about block {height}, {time} (Tbilisi time)",
                "რეესტრი, დამტკიცებული ნდობის ფაილით, დაახლოებით ბლოკი {height}, {time} (თბილისის დროით)",
                time = tbilisi(time)
            ),
        };
        fields.push((both("Names and keys from", "სახელებისა და გასაღებების წყარო").text(language).into(), text));
    }
    fields
}
