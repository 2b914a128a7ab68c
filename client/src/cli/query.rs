//! Commands that only read: every answer is proved against the trust file, or refused.

use std::path::Path;

use sigeli::{
    audit,
    export::{self, Identifiers, Subject, ebsi, elm},
    files::{self, Access},
    query::{
        answer::{self, Look},
        may_issue::{Holdings, may_issue},
        node::{Common, Own, ProvedInstitution, QueryError, Reader, Register, batch_range},
        plain::Plain,
        records::{self, Governance, Permissions},
        words,
    },
    trust,
    verify::{Evidence, Sources},
};
use sigeli_verifier::{
    ids::{Height, InstitutionId, PermissionId, ProgrammeId, StatusHandle},
    params::BATCH_PAGE_MAX,
    record::status_key,
    register::RegisterPrefix,
    time::Day,
    transaction::PermissionScope,
    trust::Trust,
    verdict::Freshness,
    verify::handle_of,
};

use super::{
    connect,
    failure::{EXIT_DATA, EXIT_UNAVAILABLE, Failure, of_remote},
    note, now, print,
    query_args::{
        BatchesArgs, EventsArgs, ExportArgs, FormatArg, OfInstitution, PermissionsArgs, ReadArgs, StatusesArgs,
    },
    query_text,
};

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        let exit = match &error {
            QueryError::Remote(error) => of_remote(error),
            QueryError::BrokenOff => EXIT_UNAVAILABLE,
            QueryError::Proof(_)
            | QueryError::Malformed
            | QueryError::UnknownLedger { .. }
            | QueryError::NoInstitution { .. }
            | QueryError::Contradiction(_)
            | QueryError::TooMany { .. } => EXIT_DATA,
        };
        Self { message: error.to_string(), exit }
    }
}

pub(super) fn read_trust(named: Option<&Path>) -> Result<Trust, Failure> {
    Ok(trust::read(&trust::path(named)?)?)
}

async fn reader(args: &ReadArgs) -> Result<Reader, Failure> {
    let trust = read_trust(args.trust.as_deref())?;
    let freshness = Freshness {
        at: args.at.unwrap_or_else(now),
        max_age_ms: u64::try_from(args.max_age.as_millis()).unwrap_or(u64::MAX),
    };
    Ok(Reader::new(connect(&args.nodes)?, &trust, freshness).await?)
}

/// Prints an answer in one of its two forms.
fn say(args: &ReadArgs, json: impl FnOnce() -> Plain, text: impl FnOnce() -> String) {
    print(&if args.json { json().pretty() } else { text() });
}

const fn number(of: &OfInstitution) -> InstitutionId {
    InstitutionId::new(of.institution)
}

/// `institution list`.
pub(super) async fn institutions(args: &ReadArgs) -> Result<u8, Failure> {
    let reader = reader(args).await?;
    let register = reader.common(Common::Institutions).await?;
    let all = records::institutions(&register.entries)?;
    say(
        args,
        || {
            let all = all.iter().map(|institution| answer::facts(institution.number, &institution.facts));
            with_state(&reader, &register, "institutions", Plain::list(all))
        },
        || {
            let lines: String = all.iter().map(|one| query_text::institution_line(one.number, &one.facts)).collect();
            query_text::as_of(reader.ledger(), &register.state) + &lines
        },
    );
    Ok(0)
}

fn with_state(reader: &Reader, register: &Register, name: &'static str, value: Plain) -> Plain {
    Plain::object([("as_of", answer::as_of(reader.ledger(), &register.state)), (name, value)])
}

/// `institution show`.
pub(super) async fn institution(args: &OfInstitution) -> Result<u8, Failure> {
    let reader = reader(&args.read).await?;
    let register = reader.common(Common::Institutions).await?;
    let all = records::institutions(&register.entries)?;
    let institution = number(args);
    let found = all.iter().find(|one| one.number == institution).ok_or(QueryError::NoInstitution { institution })?;
    say(
        &args.read,
        || with_state(&reader, &register, "institution", answer::institution(found)),
        || query_text::as_of(reader.ledger(), &register.state) + &query_text::institution(found),
    );
    Ok(0)
}

/// The permissions of an institution, verified as a whole.
async fn permissions_of(
    reader: &Reader,
    institution: InstitutionId,
) -> Result<(Register, ProvedInstitution, Permissions), Failure> {
    let register = reader.own(Own::Permissions, institution).await?;
    let permissions = records::permissions(&register.entries)?;
    let proved = register.institution.clone().ok_or(QueryError::Malformed)?;
    Ok((register, proved, permissions))
}

/// `permissions`.
pub(super) async fn permissions(args: &PermissionsArgs) -> Result<u8, Failure> {
    let reader = reader(&args.of.read).await?;
    let (register, institution, found) = permissions_of(&reader, number(&args.of)).await?;
    let look = Look { day: args.as_of.unwrap_or_else(|| Day::of(register.state.time())), known: args.known };
    let batches = |held: &sigeli::query::standing::Held| found.tallies.get(&held.number()).copied().unwrap_or(0);
    let facts = &institution.proof.facts;
    say(
        &args.of.read,
        || {
            let listed = found.held.iter().filter_map(|held| answer::permission(held, look, batches(held)));
            let programmes = found.programmes.iter().map(|(number, record)| answer::programme(*number, record));
            let plain = with_state(&reader, &register, "institution", answer::facts(institution.institution, facts));
            plain
                .with("day", words::day(look.day))
                .with("known", look.known.map(words::time))
                .with("permissions", Plain::list(listed))
                .with("programmes", Plain::list(programmes))
        },
        || {
            let mut text = query_text::as_of(reader.ledger(), &register.state);
            text += &query_text::institution_line(institution.institution, facts);
            text += &format!("Permissions as they stand on {}:\n", look.day);
            text.extend(found.held.iter().map(|held| query_text::permission(held, look, batches(held))));
            text
        },
    );
    Ok(0)
}

/// How often registers are read again until they are of one block.
const READINGS_MAX: usize = 4;

/// `may-issue`.
pub(super) async fn may_issue_today(args: &OfInstitution) -> Result<u8, Failure> {
    let reader = reader(&args.read).await?;
    let institution = number(args);
    let mut readings = 0;
    let (governance_register, governance, keys, register, proved, found) = loop {
        // The governance register changes with every block, so that it is read first; what follows is of that block or of a
        // later one.
        let governance_register = reader.common(Common::Governance).await?;
        let governance = records::governance(&governance_register.entries)?;
        let key_register = reader.own(Own::Keys, institution).await?;
        let (register, proved, found) = permissions_of(&reader, institution).await?;
        // The keys are those of the last block too when that block proves the same root for them.
        let same_keys = key_register
            .institution
            .as_ref()
            .is_some_and(|earlier| earlier.proof.registers.keys == proved.proof.registers.keys);
        readings += 1;
        if same_keys && (register.state == governance_register.state || readings >= READINGS_MAX) {
            let keys = records::keys(&key_register.entries)?;
            break (governance_register, governance, keys, register, proved, found);
        }
        if readings >= 4 * READINGS_MAX {
            return Err(QueryError::BrokenOff.into());
        }
    };
    let facts = &proved.proof.facts;
    let answered = may_issue(&Holdings {
        time: register.state.time(),
        facts,
        keys: &keys,
        permissions: &found.held,
        policy: &governance.policy,
        usage: governance.usage.get(&institution).copied(),
    });
    say(
        &args.read,
        || {
            with_state(&reader, &register, "institution", answer::facts(institution, facts))
                .with("policy_as_of", answer::as_of(reader.ledger(), &governance_register.state))
                .with("answer", answer::may_issue(&answered))
                .with("keys", Plain::list(keys.iter().map(|(index, key)| answer::key(*index, key))))
        },
        || {
            let mut text = query_text::as_of(reader.ledger(), &register.state);
            if governance_register.state != register.state {
                let height = governance_register.state.height();
                text += &format!("Policy and today's use of the quotas are as of block {height}.\n");
            }
            text + &query_text::institution_line(institution, facts) + &query_text::may_issue(&answered)
        },
    );
    Ok(0)
}

/// `batches`.
pub(super) async fn batches(args: &BatchesArgs) -> Result<u8, Failure> {
    let reader = reader(&args.of.read).await?;
    let institution = number(&args.of);
    let under: Vec<Option<PermissionId>> = match (args.accreditation, args.programme) {
        (Some(accreditation), _) => vec![Some(PermissionId::new(accreditation))],
        (None, Some(programme)) => {
            let coordinator = args.coordinator.map_or(institution, InstitutionId::new);
            let (_, _, found) = permissions_of(&reader, institution).await?;
            let of_programme = found.held.iter().filter(|held| match &held.record().scope {
                PermissionScope::Accreditation(accreditation) => {
                    accreditation.coordinator == coordinator && accreditation.programme == ProgrammeId::new(programme)
                }
                PermissionScope::Authorisation | PermissionScope::PilotOrder { .. } => false,
            });
            of_programme.map(|held| Some(held.number())).collect()
        }
        (None, None) => vec![None],
    };
    for accreditation in under {
        list_batches(&reader, args, institution, accreditation).await?;
    }
    Ok(0)
}

/// Pages until the limit or the end, each proved and printed as it comes.
async fn list_batches(
    reader: &Reader,
    args: &BatchesArgs,
    institution: InstitutionId,
    accreditation: Option<PermissionId>,
) -> Result<(), Failure> {
    let (mut first, mut left) = (args.first, args.limit);
    loop {
        let range = batch_range(first, left.min(BATCH_PAGE_MAX)).ok_or_else(|| {
            Failure::usage(format!("there is no batch with the number {first}: write a smaller one with --from"))
        })?;
        let page = reader.batches(institution, accreditation, range).await?;
        let count = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
        left = left.saturating_sub(count);
        first = range.last().get().saturating_add(1);
        let more = left > 0 && first <= page.total && count > 0;
        let next = (range.first().get().saturating_add(count) <= page.total)
            .then(|| range.first().get().saturating_add(count));
        let state = &page.institution.state;
        say(
            &args.of.read,
            || {
                Plain::object([
                    ("as_of", answer::as_of(reader.ledger(), state)),
                    ("institution", institution.get().into()),
                    ("accreditation", accreditation.map(PermissionId::get).into()),
                    ("total", page.total.into()),
                    ("next", next.into()),
                    ("batches", Plain::list(page.items.iter().map(answer::batch))),
                ])
            },
            || {
                let of = accreditation.map(|number| format!(" under accreditation {number}")).unwrap_or_default();
                let mut text = query_text::as_of(reader.ledger(), state);
                text += &format!("{count} of {} batches of institution {institution}{of}:\n", page.total);
                text.extend(page.items.iter().map(query_text::batch));
                if let Some(next) = next.filter(|_| !more) {
                    text += &format!("More with --from {next}.\n");
                }
                text
            },
        );
        if !more {
            return Ok(());
        }
    }
}

/// `statuses`.
pub(super) async fn statuses(args: &StatusesArgs) -> Result<u8, Failure> {
    let wanted = args.prefix_for.as_deref().map(|file| handle(args, file)).transpose()?;
    let prefix = match &wanted {
        None => RegisterPrefix::ALL,
        Some(handle) => RegisterPrefix::of(&status_key(handle), args.bits).unwrap_or(RegisterPrefix::ALL),
    };
    let reader = reader(&args.of.read).await?;
    let register = reader.statuses(number(&args.of), prefix).await?;
    let found = records::statuses(&register.entries)?;
    let own = wanted.map(|handle| (handle, found.get(&handle).and_then(|status| status.head)));
    say(
        &args.of.read,
        || {
            let wanted = own.as_ref().map(|(handle, _)| {
                let status = found.get(handle).filter(|status| status.head.is_some());
                Plain::object([
                    ("handle", Plain::text(handle)),
                    ("status", status.map(|status| answer::status(handle, status)).into()),
                ])
            });
            with_state(&reader, &register, "institution", args.of.institution.into())
                .with("prefix_bits", prefix.length())
                .with("credential", wanted)
                .with("statuses", Plain::list(found.iter().map(|(handle, status)| answer::status(handle, status))))
        },
        || {
            let mut text = query_text::as_of(reader.ledger(), &register.state);
            match &own {
                Some((_, Some(head))) => text += &format!("This credential: {}\n", query_text::status_words(head)),
                Some((_, None)) => text += "This credential: nothing is written about it\n",
                None => {}
            }
            let whole = if prefix == RegisterPrefix::ALL { "All" } else { "The part asked for:" };
            let heads = found.values().filter(|status| status.head.is_some()).count();
            text += &format!("{whole} {heads} statuses of institution {}:\n", args.of.institution);
            text.extend(found.iter().map(|(handle, status)| query_text::status(handle, status)));
            text
        },
    );
    Ok(0)
}

/// The status handle of a credential, from its file and its bundle. Neither leaves this computer.
fn handle(args: &StatusesArgs, file: &Path) -> Result<StatusHandle, Failure> {
    let sources = Sources { file: file.to_owned(), bundle: args.bundle.clone(), trust: args.of.read.trust.clone() };
    let evidence = Evidence::read(&sources)?;
    let bundle = evidence.bundle.map_err(|error| Failure { message: error.to_string(), exit: EXIT_DATA })?;
    if bundle.receipt.institution != number(&args.of) {
        let owner = bundle.receipt.institution;
        return Err(Failure::usage(format!("the credential is of institution {owner}: check --institution")));
    }
    let unreadable = |message: String| Failure { message, exit: EXIT_DATA };
    match evidence.document {
        Some(Ok(document)) => Ok(handle_of(&bundle, &document.digest)),
        Some(Err(error)) => Err(unreadable(error.to_string())),
        None => Err(unreadable("the credential cannot be read".to_owned())),
    }
}

/// `policy`.
pub(super) async fn policy(args: &ReadArgs) -> Result<u8, Failure> {
    let reader = reader(args).await?;
    let (register, governance) = governance(&reader).await?;
    let (limits, joint) = (words::policy(&governance.policy), answer::joint(&governance.joint));
    say(
        args,
        || with_state(&reader, &register, "policy", limits.clone()).with("joint", joint.clone()),
        || {
            query_text::as_of(reader.ledger(), &register.state)
                + &query_text::members(&limits)
                + &query_text::members(&joint)
        },
    );
    Ok(0)
}

/// `authorities`.
pub(super) async fn authorities(args: &ReadArgs) -> Result<u8, Failure> {
    let reader = reader(args).await?;
    let (register, governance) = governance(&reader).await?;
    say(
        args,
        || {
            let all = governance.authorities.iter().map(|(number, record)| answer::authority(*number, record));
            with_state(&reader, &register, "authorities", Plain::list(all))
                .with("joint", answer::joint(&governance.joint))
        },
        || {
            let mut text = query_text::as_of(reader.ledger(), &register.state);
            text.extend(governance.authorities.iter().map(|(number, record)| query_text::authority(*number, record)));
            text
        },
    );
    Ok(0)
}

async fn governance(reader: &Reader) -> Result<(Register, Governance), Failure> {
    let register = reader.common(Common::Governance).await?;
    let governance = records::governance(&register.entries)?;
    Ok((register, governance))
}

/// `events`.
pub(super) async fn events(args: &EventsArgs) -> Result<u8, Failure> {
    let reader = reader(&args.read).await?;
    let mut events = audit::Events::new(reader.ledger(), Height::new(args.from));
    loop {
        let ended = stream(&reader, args, &mut events).await;
        match ended {
            Ok(()) if !args.follow => return Ok(0),
            Ok(()) if events.has_moved() => {}
            // A node that ends a followed stream at once is not asked again and again.
            Ok(()) => return Err(QueryError::BrokenOff.into()),
            // A followed stream is ended by nodes now and then; whatever came before is proved and printed.
            Err(StreamEnd::Broken(error)) if args.follow && events.has_moved() => {
                note(format_args!("note: {error}; going on with block {}", events.next()));
                reader.try_another_node();
            }
            Err(StreamEnd::Broken(error)) => return Err(error.into()),
            Err(StreamEnd::Failed(failure)) => return Err(failure),
        }
    }
}

enum StreamEnd {
    Broken(QueryError),
    Failed(Failure),
}

async fn stream(reader: &Reader, args: &EventsArgs, events: &mut audit::Events<'_>) -> Result<(), StreamEnd> {
    events.mark();
    let opened = reader.blocks(events.next(), args.follow).await;
    let mut blocks = opened.map_err(|error| StreamEnd::Failed(error.into()))?;
    loop {
        let (block, certificate) = match blocks.next().await {
            Ok(Some(next)) => next,
            Ok(None) => return Ok(()),
            Err(error) => return Err(StreamEnd::Broken(error)),
        };
        let lines = events.take(&block, &certificate);
        let lines = lines.map_err(|error| {
            let height = block.header.height;
            StreamEnd::Failed(Failure { message: format!("block {height} is refused: {error}"), exit: EXIT_DATA })
        })?;
        if args.empty || !block.transactions.is_empty() {
            print(&lines);
        }
    }
}

/// `export`.
pub(super) async fn export_permissions(args: &ExportArgs) -> Result<u8, Failure> {
    let reader = reader(&args.of.read).await?;
    let institution = number(&args.of);
    let (_, governance) = governance(&reader).await?;
    let (register, proved, found) = permissions_of(&reader, institution).await?;
    let identifiers = Identifiers {
        authority_did: args.authority_did.clone(),
        institution_did: args.institution_did.clone(),
        registry: args.registry.trim_end_matches('/').to_owned(),
        terms_of_use: args.terms_of_use.clone(),
        attested_schema: args.attested_schema.clone(),
        attested_types: args.attested_types.clone(),
        credential_schema: args.credential_schema.clone(),
        terms: args.terms.clone(),
        agency_country: args.agency_country,
    };
    let wanted = args.permission.map(PermissionId::new);
    let held: Vec<_> = found.held.iter().filter(|held| wanted.is_none_or(|wanted| wanted == held.number())).collect();
    if held.is_empty() {
        let message = "the institution has no such permission: check --permission".to_owned();
        return Err(Failure { message, exit: EXIT_DATA });
    }
    if args.out.is_none() && held.len() > 1 {
        return Err(Failure::usage("there are several: name one with --permission, or a directory with --out"));
    }
    for held in held {
        let granted_by = held.record().authority;
        let subject = Subject {
            genesis: register.state.genesis(),
            height: register.state.height(),
            time: register.state.time(),
            institution,
            facts: &proved.proof.facts,
            held,
            authority: governance.authorities.get(&granted_by).ok_or(QueryError::Malformed)?,
        };
        let (plain, name) = match args.format {
            FormatArg::Elm => (elm::accreditation(&subject, &identifiers), elm::file_name(&subject)),
            FormatArg::Ebsi => (ebsi::credential(&subject, &identifiers), ebsi::file_name(&subject)),
        };
        let text = plain.map_err(|error| Failure { message: error.to_string(), exit: EXIT_DATA })?.pretty();
        match &args.out {
            None => print(&text),
            Some(directory) => {
                std::fs::create_dir_all(directory).map_err(|error| Failure::system(&error))?;
                files::replace(&directory.join(&name), text.as_bytes(), Access::Everyone)?;
            }
        }
    }
    let unsigned = match args.format {
        FormatArg::Elm => "The export is not signed: the ledger is the evidence.",
        FormatArg::Ebsi => {
            "The credential is not signed: whoever holds the key of the issuer's DID signs and registers it."
        }
    };
    note(format_args!("{unsigned}"));
    if args.format == FormatArg::Ebsi && (args.authority_did.is_none() || args.institution_did.is_none()) {
        note(format_args!("note: without --authority-did and --institution-did it names no DIDs, which EBSI needs"));
    }
    if args.format == FormatArg::Ebsi && args.registry == export::REGISTRY {
        note(format_args!("note: it names the registry of EBSI's test network; another one with --registry"));
    }
    Ok(0)
}
