//! A table of transactions and the verdicts expected for them, each rule at its edge.
//!
//! Every row runs on a ledger of its own, and its verdict must be the same in the pool, when a block is built, and when a
//! block that holds the transaction is judged.

use std::{collections::BTreeSet, sync::Arc};

use sigeli_ledger::{
    chain::{BlockError, ValidateError},
    outcome::Rejection,
    state::{Institution, Policy, keys},
};
use sigeli_verifier::{
    batch::BatchHeight,
    block::{Block, transactions_root},
    bounded::{List, Text},
    decode::Decode as _,
    encode::Encode as _,
    ids::{AuthoritySequence, EctsTenths, GenesisHash, Height, InstitutionId, KeyIndex, PermissionId, Round, TimeMs},
    record::{CompromisedKey, KeyRecord, KeyState},
    time::Day,
    transaction::{
        BatchAnchor, Field, InstitutionRegister, Payload, PermissionGrant, PermissionScope, Sender, SignedTransaction,
        StatusAction::{Reinstate, Revoke, Supersede, Suspend},
        StatusReason::{self, IssuedInError, ReviewEnded, Superseded, UnderReview},
    },
};

use crate::support::*;

/// What is expected, the policy it runs under, and how the transaction is made.
struct Row {
    name: &'static str,
    expected: &'static str,
    policy: fn(&mut Policy),
    make: fn(&mut World) -> SignedTransaction,
}

const fn row(name: &'static str, expected: &'static str, make: fn(&mut World) -> SignedTransaction) -> Row {
    Row { name, expected, policy: |_| {}, make }
}

const fn row_under(
    name: &'static str,
    policy: fn(&mut Policy),
    expected: &'static str,
    make: fn(&mut World) -> SignedTransaction,
) -> Row {
    Row { name, expected, policy, make }
}

fn anchor_with(world: &World, change: impl FnOnce(&mut BatchAnchor)) -> SignedTransaction {
    let mut anchor = batch(1);
    change(&mut anchor);
    world.anchor(anchor)
}

fn registration_with(world: &World, change: impl FnOnce(&mut InstitutionRegister)) -> SignedTransaction {
    let mut register = registration(InstitutionId::new(8));
    change(&mut register);
    world.nceqe(4, Payload::InstitutionRegister(register))
}

fn grant_with(world: &World, change: impl FnOnce(&mut PermissionGrant)) -> SignedTransaction {
    let mut grant = accreditation();
    grant.decision = decision(40);
    change(&mut grant);
    world.nceqe(4, Payload::PermissionGrant(grant))
}

/// Moves the clock to noon of a day.
fn at_day(world: &mut World, days: u64) {
    world.now = after(NOON, days * DAY_MS);
}

fn only(permission: PermissionId) -> impl FnOnce(&mut BatchAnchor) {
    move |anchor| anchor.accreditation = permission
}

/// A ledger whose institution has another authorisation, order and accreditation than the usual ones.
fn refounded(world: &mut World, grants: Vec<PermissionGrant>) {
    *world = World::new(*world_policy(world));
    world.commit(vec![world.nceqe(1, Payload::InstitutionRegister(registration(GTU)))]);
    let (mut nceqe, mut ministry) = (2, 1);
    for grant in grants {
        let transaction = if matches!(grant.scope, PermissionScope::PilotOrder { .. }) {
            ministry += 1;
            world.ministry(ministry - 1, Payload::PermissionGrant(grant))
        } else {
            nceqe += 1;
            world.nceqe(nceqe - 1, Payload::PermissionGrant(grant))
        };
        world.commit(vec![transaction]);
    }
    world.now = NOON;
}

fn world_policy(world: &World) -> &Policy {
    &world.chain.genesis().document().policy
}

fn lasting(mut grant: PermissionGrant, from: i32, to: i32) -> PermissionGrant {
    grant.window = window(from, to);
    grant
}

/// Plants a change of the institution's record that no transaction of this version makes.
fn plant_institution(world: &World, change: impl FnOnce(&mut Institution)) {
    let key = keys::institution(GTU);
    let mut institution = Institution::from_bytes(&world.medium().entries()[&key]).unwrap();
    change(&mut institution);
    world.medium().plant(key, Some(institution.to_bytes()));
}

fn plant_key(world: &World, change: impl FnOnce(&mut KeyRecord)) {
    let key = keys::institution_key(GTU, KeyIndex::new(0));
    let mut record = KeyRecord::from_bytes(&world.medium().entries()[&key]).unwrap();
    change(&mut record);
    world.medium().plant(key, Some(record.to_bytes()));
}

fn compromised_from(world: &World, height: Height) {
    let entry = CompromisedKey { key: KeyIndex::new(0), from: height };
    plant_institution(world, |institution| institution.facts.compromised = List::new(vec![entry]).unwrap());
}

fn resigned(world: &World, change: impl FnOnce(&mut sigeli_verifier::transaction::Transaction)) -> SignedTransaction {
    let mut body = world.anchor(batch(1)).body().clone();
    change(&mut body);
    sign(body, &[(0, &institution_secret(GTU, 0))])
}

const ENVELOPE: &[Row] = &[
    row("a batch", "ok", |world| world.anchor(batch(1))),
    row("another ledger", "wrong_ledger", |world| resigned(world, |body| body.genesis = GenesisHash::new([1; 32]))),
    row("valid until now", "ok", |world| resigned(world, |body| body.valid_until = NOON)),
    row("valid until just before", "expired", |world| {
        resigned(world, |body| body.valid_until = TimeMs::new(NOON.get() - 1))
    }),
    row("valid for ten minutes", "ok", |world| resigned(world, |body| body.valid_until = after(NOON, 10 * MINUTE_MS))),
    row("valid for longer", "validity_too_long", |world| {
        resigned(world, |body| body.valid_until = after(NOON, 10 * MINUTE_MS + 1))
    }),
    row("an authority's, valid for 90 days", "ok", |world| {
        let mut body = registration_with(world, |_| {}).body().clone();
        body.valid_until = after(NOON, 90 * DAY_MS);
        sign(body, &[(0, &authority_secret(NCEQE, 0)), (1, &authority_secret(NCEQE, 1))])
    }),
    row("an authority's, valid for longer", "validity_too_long", |world| {
        let mut body = registration_with(world, |_| {}).body().clone();
        body.valid_until = after(NOON, 90 * DAY_MS + 1);
        sign(body, &[(0, &authority_secret(NCEQE, 0)), (1, &authority_secret(NCEQE, 1))])
    }),
    row("an institution registers", "wrong_sender_kind", |world| {
        world.by_institution(Payload::InstitutionRegister(registration(InstitutionId::new(8))))
    }),
    row("an authority anchors", "wrong_sender_kind", |world| world.nceqe(4, Payload::BatchAnchor(batch(1)))),
    row("the same again", "already_committed", |world| {
        let transaction = world.anchor(batch(1));
        world.commit(vec![transaction.clone()]);
        transaction
    }),
    row("an authority's file again", "already_committed", |world| {
        let transaction = registration_with(world, |_| {});
        world.commit(vec![transaction.clone()]);
        transaction
    }),
    row("the same batch, signed anew", "already_exists", |world| {
        world.commit(vec![world.anchor(batch(1))]);
        resigned(world, |body| body.valid_until = after(NOON, MINUTE_MS))
    }),
];

const SENDER: &[Row] = &[
    row("unknown institution", "unknown_sender", |world| {
        let institution = InstitutionId::new(8);
        let body = world.body(Sender::Institution { institution }, MINUTE_MS, Payload::BatchAnchor(batch(1)));
        sign(body, &[(0, &institution_secret(institution, 0))])
    }),
    row("unknown authority", "unknown_sender", |world| {
        let sender = Sender::Authority {
            authority: sigeli_verifier::ids::AuthorityId::new(9),
            sequence: AuthoritySequence::new(1),
        };
        let body = world.body(sender, MINUTE_MS, Payload::PermissionGrant(authorisation()));
        sign(body, &[(0, &authority_secret(NCEQE, 0))])
    }),
    row("two signatures", "too_many_signatures", |world| {
        let body = world.anchor(batch(1)).body().clone();
        sign(body, &[(0, &institution_secret(GTU, 0)), (1, &institution_secret(GTU, 1))])
    }),
    row("more signatures than keys", "too_many_signatures", |world| {
        let body = world.ministry(2, Payload::PermissionGrant(order())).body().clone();
        sign(body, &[(0, &authority_secret(MINISTRY, 0)), (1, &authority_secret(MINISTRY, 1))])
    }),
    row("below the threshold", "too_few_signatures", |world| {
        let body = registration_with(world, |_| {}).body().clone();
        sign(body, &[(1, &authority_secret(NCEQE, 1))])
    }),
    row("above the threshold", "ok", |world| {
        let body = registration_with(world, |_| {}).body().clone();
        let keys = [0, 1, 2].map(|index| authority_secret(NCEQE, index));
        sign(body, &[(0, &keys[0]), (1, &keys[1]), (2, &keys[2])])
    }),
    row("an authority's key that is none", "unknown_key", |world| {
        let body = registration_with(world, |_| {}).body().clone();
        sign(body, &[(0, &authority_secret(NCEQE, 0)), (3, &authority_secret(NCEQE, 3))])
    }),
    row("an institution's key that is none", "unknown_key", |world| {
        sign(world.anchor(batch(1)).body().clone(), &[(3, &institution_secret(GTU, 3))])
    }),
    row("another's signature", "wrong_signature", |world| {
        sign(world.anchor(batch(1)).body().clone(), &[(0, &institution_secret(GTU, 1))])
    }),
    row("one of two signatures wrong", "wrong_signature", |world| {
        let body = registration_with(world, |_| {}).body().clone();
        sign(body, &[(0, &authority_secret(NCEQE, 0)), (1, &authority_secret(NCEQE, 2))])
    }),
    row("the anchoring key anchors", "ok", |world| {
        sign(world.anchor(batch(1)).body().clone(), &[(1, &institution_secret(GTU, 1))])
    }),
    row("the status key anchors", "key_not_allowed", |world| {
        sign(world.anchor(batch(1)).body().clone(), &[(2, &institution_secret(GTU, 2))])
    }),
    row("the status key sets a status", "ok", |world| {
        let body = world.statuses(vec![entry(1, Revoke, IssuedInError)]).body().clone();
        sign(body, &[(2, &institution_secret(GTU, 2))])
    }),
    row("the anchoring key sets a status", "key_not_allowed", |world| {
        let body = world.statuses(vec![entry(1, Revoke, IssuedInError)]).body().clone();
        sign(body, &[(1, &institution_secret(GTU, 1))])
    }),
    row("a retired key", "key_retired", |world| {
        plant_key(world, |record| record.state = KeyState::Retired { at: Height::new(2) });
        world.anchor(batch(1))
    }),
    row("a key compromised from this block", "key_compromised", |world| {
        compromised_from(world, world.chain.next_height());
        world.anchor(batch(1))
    }),
    row("a key compromised from the next block", "ok", |world| {
        compromised_from(world, world.chain.next_height().next());
        world.anchor(batch(1))
    }),
    row("a sequence number used", "sequence_mismatch", |world| {
        let mut register = registration(InstitutionId::new(8));
        register.decision = decision(9);
        world.nceqe(3, Payload::InstitutionRegister(register))
    }),
    row("a sequence number ahead", "sequence_mismatch", |world| {
        world.nceqe(5, Payload::InstitutionRegister(registration(InstitutionId::new(8))))
    }),
];

const AUTHORITIES: &[Row] = &[
    row("the Ministry registers", "wrong_authority", |world| {
        world.ministry(2, Payload::InstitutionRegister(registration(InstitutionId::new(8))))
    }),
    row("the Ministry accredits", "wrong_authority", |world| {
        world.ministry(2, Payload::PermissionGrant(accreditation()))
    }),
    row("the Ministry authorises", "wrong_authority", |world| {
        world.ministry(2, Payload::PermissionGrant(authorisation()))
    }),
    row("the quality agency makes an order", "wrong_authority", |world| {
        world.nceqe(4, Payload::PermissionGrant(order()))
    }),
    row("registered", "ok", |world| registration_with(world, |_| {})),
    row("registered twice", "already_exists", |world| registration_with(world, |register| register.institution = GTU)),
    row("number 0", "institution_number_reserved", |world| {
        registration_with(world, |register| register.institution = InstitutionId::new(0))
    }),
    row("a small letter", "jurisdiction_invalid", |world| {
        registration_with(world, |register| register.jurisdiction = *b"GEo")
    }),
    row("no legal id", "legal_id_invalid", |world| {
        registration_with(world, |register| register.legal_id = Text::new("").unwrap())
    }),
    row("a legal id with a space", "legal_id_invalid", |world| {
        registration_with(world, |register| register.legal_id = Text::new("12 34").unwrap())
    }),
    row("a legal id that is taken", "legal_id_taken", |world| {
        registration_with(world, |register| register.legal_id = registration(GTU).legal_id)
    }),
    row("the same legal id abroad", "ok", |world| {
        registration_with(world, |register| {
            register.legal_id = registration(GTU).legal_id;
            register.jurisdiction = *b"EST";
        })
    }),
    row("no Georgian name", "name_missing", |world| registration_with(world, |register| register.name_ka = name(""))),
    row("no English name", "name_missing", |world| registration_with(world, |register| register.name_en = name(""))),
    row("no key", "keys_missing", |world| registration_with(world, |register| register.keys = List::empty())),
    row("a key twice", "key_duplicate", |world| {
        registration_with(world, |register| {
            let first = register.keys[0];
            register.keys = List::new(vec![first, first]).unwrap();
        })
    }),
    row("accredited again by another decision", "ok", |world| grant_with(world, |_| {})),
    row("accredited again by the same decision", "already_exists", |world| {
        grant_with(world, |grant| grant.decision = accreditation().decision)
    }),
    row("authorised by the decision that accredits", "ok", |world| {
        grant_with(world, |grant| {
            grant.decision = accreditation().decision;
            grant.scope = PermissionScope::Authorisation;
        })
    }),
    row("a stranger is accredited", "unknown_institution", |world| {
        grant_with(world, |grant| grant.institution = InstitutionId::new(8))
    }),
    row("a programme without a field", "fields_missing", |world| {
        grant_with(world, |grant| grant.scope = programme(6, &[], 150))
    }),
    row("an order without a field", "fields_missing", |world| {
        let mut grant = order();
        grant.decision = decision(41);
        let levels = sigeli_verifier::transaction::Levels::new(1).unwrap();
        grant.scope = PermissionScope::PilotOrder { fields: List::empty(), levels };
        world.ministry(2, Payload::PermissionGrant(grant))
    }),
    row("a programme without credits", "ects_missing", |world| {
        grant_with(world, |grant| grant.scope = programme(6, &["06"], 0))
    }),
    row("a programme without a title", "name_missing", |world| {
        grant_with(world, |grant| {
            if let PermissionScope::Accreditation { title_en, .. } = &mut grant.scope {
                *title_en = name("");
            }
        })
    }),
    row("no number is left for a permission", "numbers_exhausted", |world| {
        plant_institution(world, |institution| institution.facts.permissions = u32::MAX);
        grant_with(world, |_| {})
    }),
];

const BATCHES: &[Row] = &[
    row("the least height", "ok", |world| anchor_with(world, |anchor| anchor.height = BatchHeight::new(5).unwrap())),
    row("below the least height", "batch_too_small", |world| {
        anchor_with(world, |anchor| anchor.height = BatchHeight::new(4).unwrap())
    }),
    row("never authorised", "authorisation_missing", |world| {
        refounded(world, vec![order(), accreditation()]);
        anchor_with(world, only(PermissionId::new(2)))
    }),
    row("authorised from tomorrow", "authorisation_not_yet", |world| {
        refounded(world, vec![lasting(authorisation(), 1, 9), order(), accreditation()]);
        world.anchor(batch(1))
    }),
    row("authorised from today", "ok", |world| {
        refounded(world, vec![lasting(authorisation(), 0, 9), order(), accreditation()]);
        world.anchor(batch(1))
    }),
    row("authorised until today", "ok", |world| {
        refounded(world, vec![lasting(authorisation(), -9, 0), order(), accreditation()]);
        world.anchor(batch(1))
    }),
    row("authorised until yesterday", "authorisation_expired", |world| {
        refounded(world, vec![lasting(authorisation(), -9, -1), order(), accreditation()]);
        world.anchor(batch(1))
    }),
    row("the newer authorisation begins later", "ok", |world| {
        let mut next = lasting(authorisation(), 5, 9);
        next.decision = decision(42);
        refounded(world, vec![authorisation(), order(), accreditation(), next]);
        world.anchor(batch(1))
    }),
    row("no order", "order_missing", |world| {
        refounded(world, vec![authorisation(), accreditation()]);
        anchor_with(world, only(PermissionId::new(2)))
    }),
    row_under(
        "no order, and none required",
        |policy| policy.pilot_order_required = false,
        "ok",
        |world| {
            refounded(world, vec![authorisation(), accreditation()]);
            anchor_with(world, only(PermissionId::new(2)))
        },
    ),
    row("an order from tomorrow", "order_not_yet", |world| {
        refounded(world, vec![authorisation(), lasting(order(), 1, 9), accreditation()]);
        world.anchor(batch(1))
    }),
    row("an order until yesterday", "order_expired", |world| {
        refounded(world, vec![authorisation(), lasting(order(), -9, -1), accreditation()]);
        world.anchor(batch(1))
    }),
    row("an order for today alone", "ok", |world| {
        refounded(world, vec![authorisation(), lasting(order(), 0, 0), accreditation()]);
        world.anchor(batch(1))
    }),
    row("a level that the order leaves out", "order_level_mismatch", |world| {
        let mut seventh = accreditation();
        seventh.scope = programme(7, &["0613"], 150);
        refounded(world, vec![authorisation(), order(), seventh]);
        anchor_with(world, |anchor| anchor.level = level(7))
    }),
    row("a field that the order leaves out", "order_field_mismatch", |world| {
        anchor_with(world, |anchor| anchor.field = Field::new(541).unwrap())
    }),
    row("an older order covers the field", "ok", |world| {
        let mut newer = order();
        newer.decision = decision(43);
        if let PermissionScope::PilotOrder { fields: covered, .. } = &mut newer.scope {
            *covered = fields(&["01"]);
        }
        refounded(world, vec![authorisation(), order(), accreditation(), newer]);
        world.anchor(batch(1))
    }),
    row("no such accreditation", "accreditation_missing", |world| anchor_with(world, only(PermissionId::new(4)))),
    row("accreditation 0", "accreditation_missing", |world| anchor_with(world, only(PermissionId::new(0)))),
    row("the authorisation as accreditation", "not_an_accreditation", |world| {
        anchor_with(world, only(PermissionId::new(1)))
    }),
    row("accredited from tomorrow", "accreditation_not_yet", |world| {
        refounded(world, vec![authorisation(), order(), lasting(accreditation(), 1, 9)]);
        world.anchor(batch(1))
    }),
    row("accredited from today", "ok", |world| {
        refounded(world, vec![authorisation(), order(), lasting(accreditation(), 0, 9)]);
        anchor_with(world, |anchor| anchor.issued = today())
    }),
    row("accredited until today", "ok", |world| {
        refounded(world, vec![authorisation(), order(), lasting(accreditation(), -9, 0)]);
        world.anchor(batch(1))
    }),
    row("lapsed yesterday, dated before", "accreditation_lapsed", |world| {
        refounded(world, vec![authorisation(), order(), lasting(accreditation(), -9, -1)]);
        world.anchor(batch(1))
    }),
    row("another level", "level_mismatch", |world| anchor_with(world, |anchor| anchor.level = level(5))),
    row("another field", "field_not_covered", |world| {
        anchor_with(world, |anchor| anchor.field = Field::new(612).unwrap())
    }),
    row("all credits accredited", "ok", |world| anchor_with(world, |anchor| anchor.ects = EctsTenths::new(150))),
    row("a tenth more", "ects_over_accreditation", |world| {
        anchor_with(world, |anchor| anchor.ects = EctsTenths::new(151))
    }),
    row("the least credits", "ok", |world| anchor_with(world, |anchor| anchor.ects = EctsTenths::new(10))),
    row("a tenth less", "ects_outside_policy", |world| anchor_with(world, |anchor| anchor.ects = EctsTenths::new(9))),
    row_under(
        "the most of the policy",
        |policy| policy.ects_max[5] = EctsTenths::new(30),
        "ok",
        |world| world.anchor(batch(1)),
    ),
    row_under(
        "over the policy",
        |policy| policy.ects_max[5] = EctsTenths::new(29),
        "ects_outside_policy",
        |world| world.anchor(batch(1)),
    ),
    row("issued today", "ok", |world| anchor_with(world, |anchor| anchor.issued = today())),
    row("issued tomorrow", "issued_in_future", |world| anchor_with(world, |anchor| anchor.issued = days_from_today(1))),
    row("issued tomorrow, five minutes before midnight", "ok", |world| {
        world.now = after(NOON, 12 * 3_600_000 - 5 * MINUTE_MS);
        anchor_with(world, |anchor| anchor.issued = days_from_today(1))
    }),
    row("issued tomorrow, a moment earlier", "issued_in_future", |world| {
        world.now = after(NOON, 12 * 3_600_000 - 5 * MINUTE_MS - 1);
        anchor_with(world, |anchor| anchor.issued = days_from_today(1))
    }),
    row("issued on the first day", "ok", |world| anchor_with(world, |anchor| anchor.issued = days_from_today(-30))),
    row("issued the day before", "issued_outside_window", |world| {
        anchor_with(world, |anchor| anchor.issued = days_from_today(-31))
    }),
    row("on the last day of everything", "ok", |world| {
        at_day(world, 30);
        world.anchor(batch(1))
    }),
    row("the day after", "accreditation_lapsed", |world| {
        at_day(world, 31);
        world.anchor(batch(1))
    }),
    row("the quota's last", "ok", |world| {
        world.commit(vec![world.anchor(batch(1)), world.anchor(batch(2))]);
        world.anchor(batch(3))
    }),
    row("one over the quota", "quota_exceeded", |world| {
        world.commit(vec![world.anchor(batch(1)), world.anchor(batch(2)), world.anchor(batch(3))]);
        world.anchor(batch(4))
    }),
    row("the quota of the next day", "ok", |world| {
        world.commit(vec![world.anchor(batch(1)), world.anchor(batch(2)), world.anchor(batch(3))]);
        world.now = after(NOON, 12 * 3_600_000);
        world.anchor(batch(4))
    }),
    row("no number is left for a batch", "numbers_exhausted", |world| {
        plant_institution(world, |institution| institution.facts.batches = u32::MAX);
        world.anchor(batch(1))
    }),
];

fn after_statuses(world: &mut World, entries: Vec<sigeli_verifier::transaction::StatusEntry>) {
    world.commit(vec![world.statuses(entries)]);
    // A body equal to the last would be the same transaction.
    world.now = after(world.now, 1_000);
}

const STATUSES: &[Row] = &[
    row("revoked", "ok", |world| world.statuses(vec![entry(1, Revoke, IssuedInError)])),
    row("nothing", "statuses_missing", |world| world.statuses(vec![])),
    row("suspended, reinstated, suspended, revoked", "ok", |world| {
        world.statuses(vec![
            entry(1, Suspend, UnderReview),
            entry(1, Reinstate, ReviewEnded),
            entry(1, Suspend, StatusReason::Order),
            entry(1, Revoke, StatusReason::AwardWithdrawn),
        ])
    }),
    row("reinstated what is valid", "status_transition_invalid", |world| {
        world.statuses(vec![entry(1, Reinstate, ReviewEnded)])
    }),
    row("suspended twice", "status_transition_invalid", |world| {
        after_statuses(world, vec![entry(1, Suspend, UnderReview)]);
        world.statuses(vec![entry(1, Suspend, UnderReview)])
    }),
    row("suspended twice in one", "status_transition_invalid", |world| {
        world.statuses(vec![entry(1, Suspend, UnderReview), entry(1, Suspend, UnderReview)])
    }),
    row("reinstated", "ok", |world| {
        after_statuses(world, vec![entry(1, Suspend, UnderReview)]);
        world.statuses(vec![entry(1, Reinstate, ReviewEnded)])
    }),
    row("reinstated twice", "status_transition_invalid", |world| {
        after_statuses(world, vec![entry(1, Suspend, UnderReview), entry(1, Reinstate, ReviewEnded)]);
        world.statuses(vec![entry(1, Reinstate, ReviewEnded)])
    }),
    row("revoked twice", "status_transition_invalid", |world| {
        after_statuses(world, vec![entry(1, Revoke, IssuedInError)]);
        world.statuses(vec![entry(1, Revoke, IssuedInError)])
    }),
    row("reinstated what was revoked", "status_transition_invalid", |world| {
        after_statuses(world, vec![entry(1, Revoke, IssuedInError)]);
        world.statuses(vec![entry(1, Reinstate, ReviewEnded)])
    }),
    row("superseded what was revoked", "status_transition_invalid", |world| {
        after_statuses(world, vec![entry(1, Revoke, IssuedInError)]);
        world.statuses(vec![entry(1, Supersede, Superseded)])
    }),
    row("superseded what was suspended", "ok", |world| {
        after_statuses(world, vec![entry(1, Suspend, UnderReview)]);
        world.statuses(vec![entry(1, Supersede, Superseded)])
    }),
    row("suspended what was superseded", "status_transition_invalid", |world| {
        after_statuses(world, vec![entry(1, Supersede, Superseded)]);
        world.statuses(vec![entry(1, Suspend, UnderReview)])
    }),
    row("superseded by nothing", "successor_missing", |world| {
        let mut entry = entry(1, Supersede, Superseded);
        entry.successor = [0; 32];
        world.statuses(vec![entry])
    }),
    row("superseded for another reason", "status_reason_invalid", |world| {
        world.statuses(vec![entry(1, Supersede, IssuedInError)])
    }),
    row("revoked as superseded", "status_reason_invalid", |world| world.statuses(vec![entry(1, Revoke, Superseded)])),
    row("revoked under review", "status_reason_invalid", |world| world.statuses(vec![entry(1, Revoke, UnderReview)])),
    row("revoked at the review's end", "status_reason_invalid", |world| {
        world.statuses(vec![entry(1, Revoke, ReviewEnded)])
    }),
    row("suspended at the review's end", "status_reason_invalid", |world| {
        world.statuses(vec![entry(1, Suspend, ReviewEnded)])
    }),
    row("reinstated as issued in error", "status_reason_invalid", |world| {
        after_statuses(world, vec![entry(1, Suspend, UnderReview)]);
        world.statuses(vec![entry(1, Reinstate, IssuedInError)])
    }),
    row("the quota's last five", "ok", |world| {
        world.statuses((1..=5).map(|number| entry(number, Revoke, IssuedInError)).collect())
    }),
    row("six", "quota_exceeded", |world| {
        world.statuses((1..=6).map(|number| entry(number, Revoke, IssuedInError)).collect())
    }),
    row("four, and two more", "quota_exceeded", |world| {
        after_statuses(world, (1..=4).map(|number| entry(number, Revoke, IssuedInError)).collect());
        world.statuses(vec![entry(5, Revoke, IssuedInError), entry(6, Revoke, IssuedInError)])
    }),
];

fn outcome(verdict: Result<(), Rejection>) -> &'static str {
    verdict.map_or_else(|rejection| rejection.name(), |()| "ok")
}

/// The verdict on a block that holds the transaction, built by someone who does not check.
fn verdict_on_block(world: &mut World, transaction: &SignedTransaction) -> Option<Rejection> {
    let empty = world.chain.propose([], world.now, world.proposer(), Round::new(0)).unwrap().executed;
    let transactions = vec![transaction.clone()];
    let header =
        sigeli_verifier::block::Header { transactions_root: transactions_root(&transactions), ..*empty.header() };
    match world.chain.validate(Arc::new(Block { header, transactions })) {
        Err(ValidateError::Invalid(BlockError::Transaction { index: 0, rejection })) => Some(rejection),
        Err(ValidateError::Invalid(BlockError::State)) => None,
        other => panic!("{other:?}"),
    }
}

fn run(rows: &[Row]) -> BTreeSet<&'static str> {
    for Row { name, expected, policy: change, make } in rows {
        let mut policy = policy();
        change(&mut policy);
        let mut world = World::founded(policy);
        let transaction = make(&mut world);
        world.now = world.chain.block_time(world.now);
        assert_eq!(outcome(world.verdict(&transaction)), *expected, "pool: {name}");
        let on_block = verdict_on_block(&mut world, &transaction);
        assert_eq!(on_block.map_or("ok", |rejection| rejection.name()), *expected, "judged: {name}");
        let rejected = world.try_commit(vec![transaction]);
        let built = rejected.first().map_or("ok", |(_, rejection)| rejection.name());
        assert_eq!(built, *expected, "built: {name}");
    }
    rows.iter().map(|row| row.expected).collect()
}

#[test]
fn every_rule_at_its_edge() {
    let mut seen = BTreeSet::new();
    for rows in [ENVELOPE, SENDER, AUTHORITIES, BATCHES, STATUSES] {
        seen.extend(run(rows));
    }
    // `malformed` and `too_large` speak of bytes that are no transaction (the decoder's tests); `already_in_block` has a
    // test of its own below; there is only one credential type yet.
    let elsewhere = ["malformed", "too_large", "already_in_block", "credential_type_mismatch"];
    let missing: Vec<_> =
        Rejection::ALL.iter().filter(|(_, name)| !seen.contains(name) && !elsewhere.contains(name)).collect();
    assert!(missing.is_empty(), "no row expects {missing:?}");
}

#[test]
fn one_block_holds_a_transaction_once() {
    let mut world = World::founded(policy());
    let transaction = world.anchor(batch(1));
    let rejected = world.try_commit(vec![transaction.clone(), transaction.clone()]);
    // `position` finds the first of equal ids.
    assert_eq!(rejected, vec![(0, Rejection::AlreadyInBlock { id: transaction.id() })]);
}

#[test]
fn later_transactions_of_a_block_see_earlier_ones() {
    let mut world = World::founded(policy());
    let twice = resigned(&world, |body| body.valid_until = after(NOON, MINUTE_MS));
    let height = world.chain.next_height();
    let rejected = world.try_commit(vec![world.anchor(batch(1)), twice]);
    assert_eq!(rejected, vec![(1, Rejection::AlreadyExists { height })]);
    let mut world = World::new(policy());
    let founding = world.founding();
    world.commit(founding);
    assert_eq!(world.chain.head().header.height, Height::new(1));
}

#[test]
fn a_retry_is_told_the_first_height_and_an_expired_one_is_not() {
    let mut world = World::founded(policy());
    let transaction = world.anchor(batch(1));
    let height = world.chain.next_height();
    world.commit(vec![transaction.clone()]);
    world.now = after(NOON, 5 * MINUTE_MS);
    assert_eq!(world.verdict(&transaction), Err(Rejection::AlreadyCommitted { height }));
    world.now = after(NOON, 5 * MINUTE_MS + 1);
    assert_eq!(world.verdict(&transaction).unwrap_err().name(), "expired");
    let again = world.anchor(batch(1));
    assert_eq!(world.verdict(&again), Err(Rejection::AlreadyExists { height }));
}

#[test]
fn days_begin_at_midnight_in_tbilisi() {
    assert_eq!(Day::of(NOON), today());
    let midnight = NOON.get() + 12 * 3_600_000;
    assert_eq!(Day::of(TimeMs::new(midnight - 1)), today());
    assert_eq!(Day::of(TimeMs::new(midnight)), days_from_today(1));
}
