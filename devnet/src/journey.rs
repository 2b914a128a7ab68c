//! The journey: everything that the ledger is for, once, on four real processes, through the client library over gRPC.
//!
//! Each step fails the whole journey if the ledger or the verifier answers otherwise than it must. The verifying
//! steps use nothing but a file, its bundle and the trust file.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use eyre::WrapErr as _;
use sigeli::{
    anchor::{AnchorError, AnchorProgress, AnchorRequest, Anchored, anchor},
    batch::BatchFacts,
    document::Standing,
    keys::SecretKey,
    remote::{Rejection, Remote},
    signing::SubmitError,
    stamp::{self, StampRequest},
    status::{self, StatusRequest},
    values,
    verify::{self, Evidence, Sources},
};
use sigeli_verifier::{
    encode::Encode as _,
    ids::{EctsTenths, Height, TimeMs},
    time::Day,
    transaction::{DecisionReason, PermissionAction, StatusAction, StatusReason},
    trust::Trust,
    verdict::{Check, Finding, Freshness},
};
use tokio::sync::Notify;

use crate::{
    cluster::Cluster,
    genesis::FOUNDERS,
    home::Home,
    observe::{self, Observer},
    pilot::{self, GTU, Office, PATIENCE, Pilot, UG},
    report::{Artifact, Report},
    samples::{self, Planned, Stated},
};

/// The greatest age of a stamp in the journey, and what it is on the command line.
const MAX_AGE: (&str, Duration) = ("24h", Duration::from_secs(24 * 60 * 60));

/// What the authorities agree on jointly: how many credits count towards one programme of study.
const RECOGNISED_MAX: EctsTenths = EctsTenths::new(300);

/// The node that is killed: EMIS, which decides nothing here.
const VICTIM: usize = 2;

/// What the journey works with.
#[derive(Debug)]
pub(crate) struct Journey<'a> {
    home: &'a Home,
    cluster: &'a mut Cluster,
    observers: Vec<Observer>,
    remote: Remote,
    trust: Trust,
    pilot: Pilot,
    finality: Vec<Duration>,
    artifacts: Vec<Artifact>,
}

/// Where the credentials come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The shipped samples.
    Samples,
    /// A folder.
    Folder(PathBuf),
}

/// Plays the journey on a cluster whose nodes run.
///
/// # Errors
/// At the first step that does not go as it must.
pub(crate) async fn play(home: &Home, cluster: &mut Cluster, source: &Source) -> eyre::Result<Report> {
    let observers = Observer::all(cluster)?;
    observe::wait_ready(cluster, &observers).await?;
    step(
        "Four nodes run: ministry, nceqe, emis, grena. What three of them sign is final; one alone can neither stop nor forge it.",
    );

    let files = collect(home, source)?;
    let remote = Remote::new(&cluster.urls())?;
    let trust = crate::genesis::trust(cluster.genesis())?;
    sigeli::trust::write(&home.trust(), &trust)?;
    let plan = samples::plan(&files, pilot::usual(issued(source)?)?)?;
    for (path, reason) in &plan.left_out {
        more(&format!("left out: {}: {reason}", path.display()));
    }
    eyre::ensure!(!plan.batches.is_empty(), "no document there can be accredited on this ledger");
    let mut programmes: Vec<_> = plan.batches.iter().map(|batch| batch.stated).collect();
    programmes.dedup();
    let pilot = Pilot::set_up(home, &remote, &programmes).await?;
    step("NCEQE registered two universities and authorised both. Only Georgian Technical University stands in the");
    more("Ministry's pilot order and has programmes accredited, one for all documents that state the same:");
    for facts in &pilot.programmes {
        let ects = values::ects_text(facts.ects);
        more(&format!("level {}, field {}, {ects} ECTS, issued on {}", facts.level.get(), facts.field, facts.issued));
    }
    let files: Vec<_> = plan.batches.iter().flat_map(|batch| batch.files.clone()).collect();
    let groups = grouped(plan.batches, &programmes, &pilot.programmes)?;

    let finality = pilot.finality.clone();
    let mut journey = Journey { home, cluster, observers, remote, trust, pilot, finality, artifacts: Vec::new() };
    journey.anchor_first(&groups).await?;
    let genuine = journey.verify_all(&files)?;
    let revoked_detected = journey.revoke_one(&files).await?;
    let tampered_detected = journey.tamper(&files)?;
    let unaccredited_rejected_code = journey.anchor_unaccredited(&groups[0]).await?;
    journey.govern_jointly().await?;
    let suspended_rejected_code = journey.anchor_suspended(&groups[0]).await?;
    let caught_up = journey.kill_during_second_batch(&groups).await?;
    journey.withdraw_accreditation(&files, &groups).await?;
    journey.check_artifacts()?;
    journey
        .report(
            files.len(),
            genuine,
            caught_up,
            Shown { revoked_detected, tampered_detected, unaccredited_rejected_code, suspended_rejected_code },
        )
        .await
}

/// Files of one batch, and what they state under their accreditation.
struct Batch {
    facts: BatchFacts,
    files: Vec<PathBuf>,
}

/// The planned batches with the facts of the accreditation of each.
fn grouped(planned: Vec<Planned>, programmes: &[Stated], accredited: &[BatchFacts]) -> eyre::Result<Vec<Batch>> {
    let of = |planned: Planned| {
        let place = programmes.iter().position(|stated| *stated == planned.stated);
        let facts = place.and_then(|place| accredited.get(place)).copied();
        Ok(Batch { facts: facts.ok_or_else(|| eyre::eyre!("every programme was accredited"))?, files: planned.files })
    };
    planned.into_iter().map(of).collect()
}

/// What the refusals have shown.
struct Shown {
    revoked_detected: bool,
    tampered_detected: bool,
    unaccredited_rejected_code: String,
    suspended_rejected_code: String,
}

fn step(text: &str) {
    println!("\n* {text}");
}

fn more(text: &str) {
    println!("  {text}");
}

/// The date of issue: what the samples state, or today for documents whose claims are not compared.
fn issued(source: &Source) -> eyre::Result<Day> {
    match source {
        Source::Samples => {
            let (year, month, day) = pilot::SAMPLES_ISSUED;
            Day::from_civil(year, month, day).ok_or_else(|| eyre::eyre!("the samples' day exists"))
        }
        Source::Folder(_) => Ok(Day::of(pilot::now())),
    }
}

fn collect(home: &Home, source: &Source) -> eyre::Result<Vec<PathBuf>> {
    match source {
        Source::Samples => samples::unpack(&home.credentials()),
        Source::Folder(folder) => {
            let gathered = samples::gather(folder, &home.credentials())?;
            for path in &gathered.left_out {
                more(&format!("left out (hidden, empty, or a bundle): {}", path.display()));
            }
            Ok(gathered.files)
        }
    }
}

impl Journey<'_> {
    /// GTU anchors every credential; the bundles are then put beside the credentials.
    async fn anchor_first(&mut self, groups: &[Batch]) -> eyre::Result<()> {
        for (Batch { facts, files }, number) in groups.iter().zip(1..) {
            let directory = self.home.batches().join(format!("gtu-{number}"));
            let batch = pilot::prepare_batch(GTU, *facts, files, &directory)?;
            let anchored = self.anchor(&directory).await?;
            for (file, bundle) in files.iter().zip(&anchored.bundles) {
                fs::copy(bundle, verify::bundle_path(file)).wrap_err("cannot put a bundle beside its credential")?;
            }
            let (count, leaves, ms) = (files.len(), batch.tree().height().leaf_count(), anchored.finality.as_millis());
            step(&format!(
                "GTU anchored {count} credentials as one root over {leaves} leaves: final in block {} after {ms} ms.",
                anchored.height
            ));
            more("The ledger holds no name and no document; each credential got a small file, its bundle.");
        }
        Ok(())
    }

    async fn anchor(&mut self, directory: &Path) -> eyre::Result<Anchored> {
        let request = anchor_request(directory, &self.pilot.gtu, &self.trust);
        let anchored = anchor(&self.remote, &request, &mut |_| {}).await?;
        eyre::ensure!(!anchored.was_anchored, "a batch with fresh salts cannot have been anchored before");
        self.finality.push(anchored.finality);
        Ok(anchored)
    }

    /// A verifier with nothing but file, bundle and trust file finds every credential genuine.
    fn verify_all(&mut self, files: &[PathBuf]) -> eyre::Result<usize> {
        let at = pilot::now();
        let mut ended = 0;
        for file in files {
            let expect_exit = expected_exit(file, at)?;
            ended += usize::from(expect_exit != 0);
            let artifact = self.artifact(file, &verify::bundle_path(file), at, expect_exit);
            check(&artifact)?;
            self.artifacts.push(artifact);
        }
        step(&format!(
            "A stranger, offline, with file, bundle and trust file only, found {} of {} genuine.",
            files.len(),
            files.len()
        ));
        if ended > 0 {
            more(&format!("{ended} of them are genuine, but outside the dates that they state themselves."));
        }
        Ok(files.len())
    }

    fn artifact(&self, file: &Path, bundle: &Path, at: TimeMs, expect_exit: u8) -> Artifact {
        Artifact {
            file: file.to_owned(),
            bundle: bundle.to_owned(),
            trust: self.home.trust(),
            at: values::rfc3339(at),
            max_age: MAX_AGE.0.to_owned(),
            expect_exit,
        }
    }

    /// One credential is revoked: the new stamp says so, the old one is refused once it is too old.
    async fn revoke_one(&mut self, files: &[PathBuf]) -> eyre::Result<bool> {
        let file = self.one_in_force(files);
        let bundle = verify::bundle_path(&file);
        let old = self.home.artifacts().join("old-stamp.sigeli");
        fs::copy(&bundle, &old)?;
        let request = StatusRequest {
            file: &file,
            bundle: &bundle,
            institution: Some(GTU.id),
            action: StatusAction::Revoke,
            reason: StatusReason::IssuedInError,
            key: &self.pilot.gtu,
            trust: Some(&self.trust),
            patience: PATIENCE,
        };
        let changed = status::change(&self.remote, &request).await?;
        self.finality.push(changed.finality);
        step(&format!("GTU revoked {} (issued in error): final in block {}.", shown(&file), changed.height));

        // What was found before the revocation is found no more: the bundle beside the file has the new stamp.
        self.artifacts.retain(|artifact| artifact.file != file);
        let revoked = self.artifact(&file, &bundle, pilot::now(), 1);
        let tells = check(&revoked)?.iter().any(|check| check.finding == Finding::Revoked);
        more("Its new stamp says so: genuine, but no longer valid.");

        let stamped = verify::read_bundle(&old)?.stamp.stamp.header.time;
        let max_age_ms = u64::try_from(MAX_AGE.1.as_millis())?;
        let too_late = TimeMs::new(stamped.get().saturating_add(max_age_ms).saturating_add(60 * 60 * 1_000));
        let stale = self.artifact(&file, &old, too_late, 3);
        let refused = check(&stale)?.iter().any(|check| check.finding == Finding::StatusStale);
        more(&format!(
            "Its old stamp, which does not know, is refused once older than {}: could not be checked.",
            MAX_AGE.0
        ));
        self.artifacts.extend([revoked, stale]);
        Ok(tells && refused)
    }

    /// A credential that is valid now; any, if none is.
    fn one_in_force(&self, files: &[PathBuf]) -> PathBuf {
        let valid = self.artifacts.iter().find(|artifact| artifact.expect_exit == 0);
        valid.map_or_else(|| files[0].clone(), |artifact| artifact.file.clone())
    }

    /// A copy with one bit changed is not genuine.
    fn tamper(&mut self, files: &[PathBuf]) -> eyre::Result<bool> {
        let file = files.last().ok_or_else(|| eyre::eyre!("there is at least one credential"))?;
        let directory = self.home.artifacts().join("tampered");
        fs::create_dir(&directory)?;
        let copy = directory.join(file.file_name().unwrap_or_default());
        fs::write(&copy, samples::tampered(&fs::read(file)?)?)?;
        fs::copy(verify::bundle_path(file), verify::bundle_path(&copy))?;
        let tampered = self.artifact(&copy, &verify::bundle_path(&copy), pilot::now(), 2);
        let detected = check(&tampered)?.iter().any(|check| check.finding == Finding::DocumentChanged);
        self.artifacts.push(tampered);
        step(&format!("One bit of a copy of {} was changed: not genuine.", shown(file)));
        Ok(detected)
    }

    /// An institution without accreditation names GTU's, and is refused.
    async fn anchor_unaccredited(&self, batch: &Batch) -> eyre::Result<String> {
        let directory = self.home.batches().join("ug");
        pilot::prepare_batch(UG, batch.facts, &batch.files[..1], &directory)?;
        let rejection = self.refused(&directory, &self.pilot.ug).await?;
        let batches = self.remote.institution(UG.id).await?.batches;
        eyre::ensure!(batches == 0, "the ledger holds {batches} batches of an institution without accreditation");
        step(&format!(
            "The University of Georgia, which has no accreditation, tried to anchor: refused, code {} ({}).",
            rejection.code, rejection.name
        ));
        Ok(rejection.name)
    }

    /// Hands in a batch that the ledger must refuse.
    async fn refused(&self, directory: &Path, key: &SecretKey) -> eyre::Result<Rejection> {
        match anchor(&self.remote, &anchor_request(directory, key, &self.trust), &mut |_| {}).await {
            Err(AnchorError::Submit(SubmitError::Rejected { rejection })) => Ok(rejection),
            Err(error) => Err(error).wrap_err("a batch that may not be anchored was not refused by the ledger"),
            Ok(anchored) => eyre::bail!("a batch that may not be anchored was anchored in block {}", anchored.height),
        }
    }

    /// The authorities change the policy: two of them cannot, three can.
    async fn govern_jointly(&mut self) -> eyre::Result<()> {
        let mut policy = self.cluster.genesis().document().policy;
        policy.ects_recognised_max = RECOGNISED_MAX;
        let mut office = Office::open(self.home, &self.remote)?;
        let three = FOUNDERS.map(|founder| founder.id);
        let refused = office.set_policy(policy, &three[..2]).await?;
        eyre::ensure!(refused.is_err(), "two authorities of four changed the policy");
        let changed = office.set_policy(policy, &three[..3]).await??;
        self.finality.append(&mut office.finality);
        step(&format!(
            "Ministry, NCEQE and EMIS changed the policy jointly, by signatures collected on one file: final in block {}.",
            changed.height
        ));
        more("Two of the four could not: more than half must approve, here three.");
        Ok(())
    }

    /// While its accreditation is suspended, GTU is refused; reinstated, it goes on.
    async fn anchor_suspended(&mut self, batch: &Batch) -> eyre::Result<String> {
        let directory = self.home.batches().join("gtu-suspended");
        pilot::prepare_batch(GTU, batch.facts, &batch.files[..1], &directory)?;
        let accreditation = batch.facts.accreditation;
        let mut office = Office::open(self.home, &self.remote)?;
        let reason = DecisionReason::MonitoringFailed;
        office.change_accreditation(accreditation, PermissionAction::Suspend, reason, "suspension").await?;
        let rejection = self.refused(&directory, &self.pilot.gtu).await?;
        let reason = DecisionReason::AppealUpheld;
        office.change_accreditation(accreditation, PermissionAction::Reinstate, reason, "reinstatement").await?;
        self.finality.append(&mut office.finality);
        step(&format!(
            "NCEQE suspended GTU's accreditation; GTU was refused, code {} ({}), until it was reinstated.",
            rejection.code, rejection.name
        ));
        Ok(rejection.name)
    }

    /// The accreditation is withdrawn for good: what was issued before stands, and the new stamp says both.
    async fn withdraw_accreditation(&mut self, files: &[PathBuf], groups: &[Batch]) -> eyre::Result<()> {
        let mut office = Office::open(self.home, &self.remote)?;
        let file = self.one_in_force(files);
        let batch = groups.iter().find(|batch| batch.files.contains(&file));
        let accreditation = batch.map(|batch| batch.facts.accreditation);
        let accreditation = accreditation.ok_or_else(|| eyre::eyre!("{} is in a batch", file.display()))?;
        let reason = DecisionReason::Voluntary;
        office.change_accreditation(accreditation, PermissionAction::Withdraw, reason, "withdrawal").await?;
        self.finality.append(&mut office.finality);
        let bundle = self.home.artifacts().join("after-withdrawal.sigeli");
        let expect_exit =
            self.artifacts.iter().find(|artifact| artifact.file == file).map_or(0, |known| known.expect_exit);
        fs::copy(verify::bundle_path(&file), &bundle)?;
        let request = StampRequest {
            file: &file,
            bundle: &bundle,
            trust: Some(&self.trust),
            with_permission: true,
            patience: PATIENCE,
        };
        stamp::refresh(&self.remote, &request).await?;
        let artifact = self.artifact(&file, &bundle, pilot::now(), expect_exit);
        let tells = check(&artifact)?.iter().any(|check| check.finding == Finding::AccreditedThen);
        eyre::ensure!(tells, "the new stamp does not tell of the withdrawal");
        self.artifacts.push(artifact);
        step(
            "NCEQE withdrew the accreditation for good. A credential issued before stands, and its new stamp says both:",
        );
        more("accredited when it was registered, withdrawn since.");
        Ok(())
    }

    /// One node is killed while a second batch is being handed in; the batch becomes final, and the node catches up.
    async fn kill_during_second_batch(&mut self, groups: &[Batch]) -> eyre::Result<Duration> {
        let directory = self.home.batches().join("gtu-again");
        let Batch { facts, files } = groups.first().ok_or_else(|| eyre::eyre!("there is at least one batch"))?;
        pilot::prepare_batch(GTU, *facts, files, &directory)?;
        let name = self.cluster.nodes()[VICTIM].name;

        let handing_in = Notify::new();
        let request = anchor_request(&directory, &self.pilot.gtu, &self.trust);
        let mut on_progress = |progress| {
            if progress == AnchorProgress::Submitting {
                handing_in.notify_one();
            }
        };
        let kill = async {
            handing_in.notified().await;
            self.cluster.kill(VICTIM).await
        };
        let (anchored, killed) = tokio::join!(anchor(&self.remote, &request, &mut on_progress), kill);
        killed?;
        let anchored = anchored.wrap_err("with one node of four dead, a batch must still become final")?;
        self.finality.push(anchored.finality);
        self.check_final_without(VICTIM, anchored.height).await?;
        step(&format!(
            "{name} was killed (kill -9) while GTU handed in a second batch, which still became final, in block {}.",
            anchored.height
        ));

        let tip = observe::tip(&self.observers).await?;
        let started = Instant::now();
        self.cluster.start(VICTIM)?;
        observe::wait_height(self.cluster, &self.observers[VICTIM], tip).await?;
        let caught_up = started.elapsed();
        more(&format!(
            "{name} was started again and had caught up with block {tip} after {} ms.",
            caught_up.as_millis()
        ));

        let at = pilot::now();
        for (file, bundle) in files.iter().zip(&anchored.bundles) {
            check(&self.artifact(file, bundle, at, expected_exit(file, at)?))?;
        }
        Ok(caught_up)
    }

    /// Every node but one has the height, signed by a quorum.
    async fn check_final_without(&mut self, dead: usize, height: Height) -> eyre::Result<()> {
        for (position, observer) in self.observers.iter().enumerate() {
            if position != dead {
                observe::wait_height(self.cluster, observer, height).await?;
                observer.final_header(height, self.cluster).await?;
            }
        }
        Ok(())
    }

    /// Everything that is left on the disk verifies as the report will say, and there is something for each exit code.
    fn check_artifacts(&self) -> eyre::Result<()> {
        for artifact in &self.artifacts {
            check(artifact)?;
        }
        for code in 0..=3 {
            let none = !self.artifacts.iter().any(|artifact| artifact.expect_exit == code);
            // Of foreign documents all may have expired.
            if none && code == 0 {
                more(
                    "Note: no credential is left that is valid today (all have expired, or the only one was revoked).",
                );
            } else {
                eyre::ensure!(!none, "there is no example of exit code {code}");
            }
        }
        Ok(())
    }

    async fn report(
        self,
        credentials: usize,
        genuine: usize,
        caught_up: Duration,
        shown: Shown,
    ) -> eyre::Result<Report> {
        let agreement = observe::agreement(self.cluster, &self.observers).await?;
        let root = agreement.state_roots.first().ok_or_else(|| eyre::eyre!("there is at least one node"))?;
        step(&format!("All four nodes have the same state at block {}: {root}.", agreement.height));
        let (mut receipt_bytes, mut stamp_bytes) = (0, 0);
        for artifact in &self.artifacts {
            let bundle = verify::read_bundle(&artifact.bundle)?;
            receipt_bytes = receipt_bytes.max(bundle.receipt.to_bytes().len());
            stamp_bytes = stamp_bytes.max(bundle.stamp.to_bytes().len());
        }
        Ok(Report {
            nodes: self.cluster.nodes().len(),
            node_list: self.cluster.entries(),
            height: agreement.height.get(),
            state_roots: agreement.state_roots.iter().map(ToString::to_string).collect(),
            credentials,
            genuine,
            revoked_detected: shown.revoked_detected,
            tampered_detected: shown.tampered_detected,
            unaccredited_rejected_code: shown.unaccredited_rejected_code,
            suspended_rejected_code: shown.suspended_rejected_code,
            finality_ms: self.finality.iter().map(|finality| milliseconds(*finality)).collect(),
            killed_node_caught_up_ms: milliseconds(caught_up),
            receipt_bytes,
            stamp_bytes,
            artifacts: self.artifacts,
        })
    }
}

const fn anchor_request<'a>(directory: &'a Path, key: &'a SecretKey, trust: &'a Trust) -> AnchorRequest<'a> {
    AnchorRequest { directory, key, trust: Some(trust), with_permission: true, patience: PATIENCE }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The exit code of a genuine credential that nobody revoked: 1 outside the dates that it states itself, else 0.
fn expected_exit(file: &Path, at: TimeMs) -> eyre::Result<u8> {
    let bytes = fs::read(file)?;
    let standing = samples::canonical(&bytes)?.facts().map(|facts| facts.standing_at(at));
    Ok(match standing {
        Some(Standing::Expired | Standing::NotYetValid) => 1,
        Some(Standing::Current | Standing::Unclear) | None => 0,
    })
}

/// Verifies an artifact as `sigeli verify` does, offline, from its texts alone.
///
/// # Errors
/// When the exit code would be another one than expected.
fn check(artifact: &Artifact) -> eyre::Result<[Check; 8]> {
    let sources = Sources {
        file: artifact.file.clone(),
        bundle: Some(artifact.bundle.clone()),
        trust: Some(artifact.trust.clone()),
    };
    let evidence = Evidence::read(&sources)?;
    let max_age_ms = u64::try_from(values::parse_age(&artifact.max_age)?.as_millis())?;
    let report = evidence.judge(Freshness { at: values::parse_time(&artifact.at)?, max_age_ms });
    let (found, expected) = (report.verdict().exit_code(), artifact.expect_exit);
    let findings: Vec<_> = report.checks().iter().map(|check| check.finding.code()).collect();
    eyre::ensure!(
        found == expected,
        "{} with {} gives exit code {found} instead of {expected}: {}",
        artifact.file.display(),
        artifact.bundle.display(),
        findings.join(", ")
    );
    Ok(*report.checks())
}
