//! The rules under which institutions are registered, changed and closed, and programmes registered.

use alloc::vec::Vec;

use sigeli_verifier::{
    bounded::{List, Text},
    ids::{Height, InstitutionId, KeyIndex, ProfileHash, ProgrammeId},
    params::{LEGAL_ID_BYTES_MAX, PROGRAMMES_MAX},
    record::{InstitutionEntry, InstitutionFacts, InstitutionState, ProgrammeRecord, Writer},
    state::InstitutionRegisters,
    transaction::{
        AuthorityKind, DecisionReason, InstitutionClose, InstitutionRegister, InstitutionReopen, InstitutionUpdate,
        Name, ProgrammeRegister,
    },
};

use super::{AuthoritySigner, InstitutionSigner, Terms, keys};
use crate::{
    outcome::{CheckError, Rejection},
    state::{Institution, Overlay, Write, keys::Governance},
    store::StoreError,
    tree::NodeReader,
};

/// An identification code in a country's register.
type LegalId = Text<LEGAL_ID_BYTES_MAX>;

/// The quality agency registers institutions.
pub(super) fn check_register<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    register: &InstitutionRegister,
) -> Result<Vec<Write>, CheckError> {
    by.require(AuthorityKind::Nceqe, &register.decision)?;
    check_form(register)?;
    let id = register.institution;
    let writer = by.writer(register.decision);
    if let Some(known) = state.institution(id)? {
        let height = known.facts.registered;
        let same = is_registered_so(state, register, writer, height)?;
        let taken = Rejection::NumberTaken { institution: id };
        return Err(if same { Rejection::AlreadyExists { height } } else { taken }.into());
    }
    let legal_id = take_legal_id(state, terms, id, register.jurisdiction, &register.legal_id)?;
    let mut institution = Institution {
        facts: InstitutionFacts {
            kind: register.kind,
            jurisdiction: register.jurisdiction,
            legal_id: register.legal_id.clone(),
            name_ka: register.name_ka.clone(),
            name_en: register.name_en.clone(),
            state: InstitutionState::Active,
            registered: terms.height,
            keys: 0,
            permissions: 0,
            programmes: 0,
            batches: 0,
            entries: 0,
            compromised: List::empty(),
        },
        registers: InstitutionRegisters::EMPTY,
    };
    let mut writes = keys::added(terms, id, &mut institution.facts, 0, writer, &register.keys)?;
    writes.push(legal_id);
    writes.extend(changed(terms, id, institution, register.profile, writer)?);
    Ok(writes)
}

fn check_form(register: &InstitutionRegister) -> Result<(), Rejection> {
    if register.institution == InstitutionId::new(0) {
        return Err(Rejection::InstitutionNumberReserved);
    }
    check_facts(register.jurisdiction, &register.legal_id, &register.name_ka, &register.name_en)?;
    keys::check_form(&register.keys)
}

fn check_facts(jurisdiction: [u8; 3], legal_id: &LegalId, name_ka: &Name, name_en: &Name) -> Result<(), Rejection> {
    if !jurisdiction.iter().all(u8::is_ascii_uppercase) {
        return Err(Rejection::JurisdictionInvalid);
    }
    let legal_id = legal_id.as_str();
    if legal_id.is_empty() || !legal_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Rejection::LegalIdInvalid);
    }
    if name_ka.as_str().is_empty() || name_en.as_str().is_empty() {
        return Err(Rejection::NameMissing);
    }
    Ok(())
}

/// Whether the institution of this number was registered with exactly these facts, by this decision, and with these first
/// keys. How many its first keys were is not kept: those given must be among them, in their places.
fn is_registered_so<R: NodeReader>(
    state: &Overlay<'_, R>,
    register: &InstitutionRegister,
    writer: Writer,
    registered: Height,
) -> Result<bool, CheckError> {
    let id = register.institution;
    let missing = StoreError::Corrupt { what: "institution history (missing)" };
    let first = state.view().institution_entry(id, 1)?.ok_or(missing)?;
    let given = InstitutionEntry {
        kind: register.kind,
        jurisdiction: register.jurisdiction,
        legal_id: register.legal_id.clone(),
        name_ka: register.name_ka.clone(),
        name_en: register.name_en.clone(),
        profile: register.profile,
        state: InstitutionState::Active,
        writer,
        height: first.height,
        time: first.time,
    };
    if given != first {
        return Ok(false);
    }
    for (index, key) in (0_u16..).zip(register.keys.iter()) {
        let record = state.key(id, KeyIndex::new(index))?;
        if !record.is_some_and(|record| record.added == registered && keys::is_given(&record, key)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The row that says whose a legal id is, if this institution may have it. It is another's only while the row names that
/// one, which has the legal id still and is not closed today: so a closure frees it, and so does a change.
fn take_legal_id<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    id: InstitutionId,
    jurisdiction: [u8; 3],
    legal_id: &LegalId,
) -> Result<Write, CheckError> {
    let name = Governance::LegalId(jurisdiction, legal_id.clone());
    if let Some(institution) = state.view().by_legal_id(&name)?.filter(|holder| *holder != id) {
        let missing = StoreError::Corrupt { what: "institution (missing)" };
        let InstitutionFacts { jurisdiction: country, legal_id: own, state: standing, .. } =
            state.institution(institution)?.ok_or(missing)?.facts;
        let is_open = standing.closed_from().is_none_or(|from| from > terms.day());
        if is_open && (country, &own) == (jurisdiction, legal_id) {
            return Err(Rejection::LegalIdTaken { institution }.into());
        }
    }
    Ok(Write::LegalId(name, id))
}

/// The institution, and the history entry that says what its record says from now on.
fn changed(
    terms: &Terms,
    id: InstitutionId,
    mut institution: Institution,
    profile: ProfileHash,
    writer: Writer,
) -> Result<[Write; 2], Rejection> {
    let facts = &mut institution.facts;
    facts.entries = facts.entries.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    let entry = InstitutionEntry {
        kind: facts.kind,
        jurisdiction: facts.jurisdiction,
        legal_id: facts.legal_id.clone(),
        name_ka: facts.name_ka.clone(),
        name_en: facts.name_en.clone(),
        profile,
        state: facts.state,
        writer,
        height: terms.height,
        time: terms.time,
    };
    let number = facts.entries;
    Ok([Write::Institution(id, institution), Write::InstitutionEntry(id, number, entry)])
}

/// The profile that the institution's newest history entry names.
fn profile<R: NodeReader>(
    state: &Overlay<'_, R>,
    id: InstitutionId,
    facts: &InstitutionFacts,
) -> Result<ProfileHash, CheckError> {
    let missing = StoreError::Corrupt { what: "institution history (missing)" };
    Ok(state.view().institution_entry(id, facts.entries)?.ok_or(missing)?.profile)
}

/// The quality agency changes what an institution is called, what it is, and under which legal id it is registered.
pub(super) fn check_update<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    update: &InstitutionUpdate,
) -> Result<Vec<Write>, CheckError> {
    let mut target = by.target(state, update.institution, &update.decision)?;
    let (jurisdiction, legal_id) = (update.jurisdiction, &update.legal_id);
    check_facts(jurisdiction, legal_id, &update.name_ka, &update.name_en)?;
    let facts = &mut target.institution.facts;
    // What stays as it is takes nothing: a closed institution whose legal id another one has by now keeps it in its record.
    let moved = (facts.jurisdiction, &facts.legal_id) != (jurisdiction, legal_id);
    let taken = moved.then(|| take_legal_id(state, terms, target.id, jurisdiction, legal_id)).transpose()?;
    facts.kind = update.kind;
    facts.jurisdiction = jurisdiction;
    facts.legal_id = legal_id.clone();
    facts.name_ka = update.name_ka.clone();
    facts.name_en = update.name_en.clone();
    let mut writes: Vec<_> = changed(terms, target.id, target.institution, update.profile, target.writer)?.into();
    writes.extend(taken);
    Ok(writes)
}

/// The quality agency closes an institution.
pub(super) fn check_close<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    close: &InstitutionClose,
) -> Result<Vec<Write>, CheckError> {
    let mut target = by.target(state, close.institution, &close.decision)?;
    if let Some(from) = target.institution.facts.state.closed_from() {
        return Err(Rejection::InstitutionClosed { from }.into());
    }
    let reason = close.reason;
    let merged = match reason {
        DecisionReason::Merged => true,
        DecisionReason::Voluntary | DecisionReason::Closed | DecisionReason::CourtOrder => false,
        _ => return Err(Rejection::DecisionReasonInvalid { reason }.into()),
    };
    let successor = close.successor;
    let fits = if merged {
        successor != target.id && state.institution(successor)?.is_some()
    } else {
        successor == InstitutionId::new(0)
    };
    if !fits {
        return Err(Rejection::SuccessorInvalid { successor }.into());
    }
    let profile = profile(state, target.id, &target.institution.facts)?;
    target.institution.facts.state = InstitutionState::Closed { from: close.from, reason, successor };
    Ok(changed(terms, target.id, target.institution, profile, target.writer)?.into())
}

/// The quality agency takes a closure back, unless another institution has the legal id by now.
pub(super) fn check_reopen<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &AuthoritySigner<'_>,
    reopen: &InstitutionReopen,
) -> Result<Vec<Write>, CheckError> {
    let mut target = by.target(state, reopen.institution, &reopen.decision)?;
    if target.institution.facts.state.closed_from().is_none() {
        return Err(Rejection::InstitutionNotClosed.into());
    }
    let reason = reopen.reason;
    if !matches!(reason, DecisionReason::CourtOrder | DecisionReason::AppealUpheld | DecisionReason::ErrorCorrected) {
        return Err(Rejection::DecisionReasonInvalid { reason }.into());
    }
    let facts = &mut target.institution.facts;
    let legal_id = take_legal_id(state, terms, target.id, facts.jurisdiction, &facts.legal_id)?;
    let profile = profile(state, target.id, facts)?;
    facts.state = InstitutionState::Active;
    let mut writes: Vec<_> = changed(terms, target.id, target.institution, profile, target.writer)?.into();
    writes.push(legal_id);
    Ok(writes)
}

/// An institution registers a programme that it coordinates.
pub(super) fn check_programme<R: NodeReader>(
    state: &Overlay<'_, R>,
    terms: &Terms,
    by: &InstitutionSigner<'_>,
    register: &ProgrammeRegister,
) -> Result<Vec<Write>, CheckError> {
    if register.title_ka.as_str().is_empty() || register.title_en.as_str().is_empty() {
        return Err(Rejection::NameMissing.into());
    }
    let mut before = InstitutionId::new(0);
    for &institution in register.partners.iter() {
        let ordered = institution > before && institution != by.id;
        if !ordered || state.institution(institution)?.is_none() {
            return Err(Rejection::PartnerInvalid { institution }.into());
        }
        before = institution;
    }
    let record = programme_record(terms, by.key, register);
    let given = register.programme;
    if let Some(known) = state.view().programme(by.id, given)?.filter(|known| is_same(known, &record)) {
        return Err(Rejection::AlreadyExists { height: known.registered }.into());
    }
    let used = keys::use_changes(state, terms, by.id, by.writer(), 1)?;
    let mut institution = by.institution.clone();
    let next = institution.facts.programmes.checked_add(1).ok_or(Rejection::NumbersExhausted)?;
    let expected = ProgrammeId::new(next);
    if given != expected {
        return Err(Rejection::ProgrammeNumberMismatch { given, expected }.into());
    }
    if next > PROGRAMMES_MAX {
        return Err(Rejection::ProgrammeLimit { limit: PROGRAMMES_MAX }.into());
    }
    institution.facts.programmes = next;
    let mut writes = Vec::from([Write::Institution(by.id, institution), Write::Programme(by.id, given, record)]);
    writes.extend(used);
    Ok(writes)
}

fn programme_record(terms: &Terms, key: KeyIndex, register: &ProgrammeRegister) -> ProgrammeRecord {
    ProgrammeRecord {
        title_ka: register.title_ka.clone(),
        title_en: register.title_en.clone(),
        partners: register.partners.clone(),
        registered: terms.height,
        key,
    }
}

/// Whether two records are of the same programme, whenever and with whichever key it was registered.
fn is_same(left: &ProgrammeRecord, right: &ProgrammeRecord) -> bool {
    left.title_ka == right.title_ka && left.title_en == right.title_en && left.partners == right.partners
}
