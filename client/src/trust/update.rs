//! Following a ledger by certificates alone: from what the trust file has pinned to the newest block.
//!
//! The nodes name headers; what is believed is what the validators in force have signed (`sigeli_verifier::light`). A change
//! of validators is found by halving the heights between, so that a year costs some tens of headers. Nodes that lie can
//! refuse to help; they cannot make a false file.

use std::time::Duration;

use sigeli_verifier::{
    block::Header,
    certificate::CommitCertificate,
    ids::{GenesisHash, Height},
    light::{LightStep, StepError},
    trust::{Checkpoint, Trust, TrustedLedger},
    verdict::Freshness,
};

use crate::remote::{Remote, RemoteError};

/// The largest age of a pinned block from which a file is updated, unless told otherwise: 30 days. In this time stolen or
/// sold keys of retired validators must not be of use.
pub const MAX_AGE: Duration = Duration::from_secs(30 * 86_400);

/// Why a trust file was not updated. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// No node gave an answer.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// The nodes are of a ledger that the file does not list.
    #[error("these nodes are of the ledger {genesis}, which the trust file does not list: check --node and --trust")]
    ForeignLedger {
        /// The ledger of the nodes.
        genesis: GenesisHash,
    },
    /// The file is too old to go on from.
    #[error(
        "the newest block in the trust file is {days} days old, more than the {days_max} allowed: the keys of validators \
        that retired since may have got into wrong hands, so that their signatures prove nothing any more. Get a new trust \
        file from the ledger's operators, and compare its fingerprint with them (sigeli trust fingerprint)"
    )]
    TooOld {
        /// Its age in days.
        days: u64,
        /// The limit in days.
        days_max: u64,
    },
    /// This computer's clock is behind.
    #[error("this computer's clock is behind the ledger's: set it, then try again")]
    ClockBehind,
    /// The nodes are behind the trust file.
    #[error(
        "the nodes are at block {height}, behind the one in the trust file: try later, or another node with --node"
    )]
    Behind {
        /// The nodes' newest height.
        height: Height,
    },
    /// What the nodes say is not what the validators signed.
    #[error(
        "the nodes' answer does not follow from the trust file ({error}): nothing was changed. Try another node with --node; \
        if that does not help, tell the ledger's operators"
    )]
    False {
        /// The check that failed.
        error: StepError,
    },
    /// The time is up.
    #[error("the nodes did not answer within {} seconds: it is safe to repeat the command", patience.as_secs())]
    TooSlow {
        /// How long was waited.
        patience: Duration,
    },
}

/// A trust file that follows its ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// All of it.
    pub trust: Trust,
    /// The ledger that was followed.
    pub genesis: GenesisHash,
    /// What was pinned before.
    pub before: Checkpoint,
    /// What is pinned now.
    pub after: Checkpoint,
    /// How many times the validators changed in between.
    pub changes: usize,
}

/// Follows the ledger of the nodes to its newest block. `freshness` holds this computer's clock and the largest age of a
/// pinned block from which to go on.
///
/// # Errors
/// [`UpdateError`].
pub async fn update(
    remote: &Remote,
    trust: &Trust,
    freshness: Freshness,
    patience: Duration,
) -> Result<Updated, UpdateError> {
    let all = async {
        let genesis = remote.status().await?.genesis;
        let ledgers = trust.ledgers();
        let known =
            ledgers.iter().find(|ledger| ledger.genesis == genesis).ok_or(UpdateError::ForeignLedger { genesis })?;
        known.check_age(freshness).map_err(|error| refused(error, freshness))?;
        let mut attempt = 1;
        let followed = loop {
            match follow(remote, known, freshness).await {
                // Another node may be ahead, or honest.
                Err(UpdateError::False { .. } | UpdateError::Behind { .. }) if attempt < remote.node_count() => {
                    attempt += 1;
                    remote.prefer_next();
                }
                ended => break ended?,
            }
        };
        let (before, after) = (known.checkpoint, followed.checkpoint);
        let changes = followed.sets.len() - known.sets.len();
        let others = ledgers.iter().filter(|ledger| ledger.genesis != genesis).cloned();
        let trust = Trust::new(others.chain([followed]).collect()).expect("the ledgers are those of a trust file");
        Ok(Updated { trust, genesis, before, after, changes })
    };
    tokio::time::timeout(patience, all).await.unwrap_or(Err(UpdateError::TooSlow { patience }))
}

fn refused(error: StepError, freshness: Freshness) -> UpdateError {
    const DAY_MS: u64 = 86_400_000;
    match error {
        StepError::TooOld { age_ms } => {
            UpdateError::TooOld { days: age_ms / DAY_MS, days_max: freshness.max_age_ms / DAY_MS }
        }
        StepError::ClockBehind => UpdateError::ClockBehind,
        error => UpdateError::False { error },
    }
}

/// Steps to every header before which the set changes, then to the newest. Ends: each step but the last closes a set, and a
/// ledger has a bounded number of them.
async fn follow(remote: &Remote, known: &TrustedLedger, freshness: Freshness) -> Result<TrustedLedger, UpdateError> {
    let newest = remote.final_header(None).await?;
    let height = newest.0.height;
    if height < known.checkpoint.height {
        return Err(UpdateError::Behind { height });
    }
    if height == known.checkpoint.height && newest.0.id() == known.checkpoint.id {
        return Ok(known.clone());
    }
    let mut ledger = known.clone();
    loop {
        let before = (ledger.checkpoint.height, ledger.sets.len());
        let to = last_of_set(remote, &ledger, &newest).await?;
        ledger = step(remote, &ledger, &to, freshness).await?;
        if to.0.height == height {
            return Ok(ledger);
        }
        // A step that neither rises nor changes the set would repeat itself: the nodes contradict themselves.
        if before == (ledger.checkpoint.height, ledger.sets.len()) {
            return Err(UpdateError::False { error: StepError::OtherValidators { height: before.0.next() } });
        }
    }
}

/// The newest header, if the set in force commits it; else the last one below it that this set commits, as the nodes say.
async fn last_of_set(
    remote: &Remote,
    ledger: &TrustedLedger,
    newest: &(Header, CommitCertificate),
) -> Result<(Header, CommitCertificate), UpdateError> {
    let next = ledger.checkpoint.height.next();
    let set = ledger.set_at(next).ok_or(UpdateError::False { error: StepError::UnknownValidators { height: next } })?;
    let in_force = set.set.hash();
    if newest.0.validators == in_force {
        return Ok(newest.clone());
    }
    let (mut low, mut high) = (ledger.checkpoint.height.get(), newest.0.height.get());
    let mut last = None;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let found = remote.final_header(Some(Height::new(middle))).await?;
        if found.0.validators == in_force {
            low = middle;
            last = Some(found);
        } else {
            high = middle;
        }
    }
    match last {
        Some(found) => Ok(found),
        None => Ok(remote.final_header(Some(Height::new(low))).await?),
    }
}

async fn step(
    remote: &Remote,
    ledger: &TrustedLedger,
    (header, certificate): &(Header, CommitCertificate),
    freshness: Freshness,
) -> Result<TrustedLedger, UpdateError> {
    let height = header.height;
    let own = ledger.set_at(height.next()).filter(|known| known.set.hash() == header.next_validators);
    let next = match own {
        Some(known) => known.set.clone(),
        None => remote.validators(height.next()).await?,
    };
    let step = LightStep { header, certificate, next: &next };
    ledger.advanced(&step, freshness).map_err(|error| refused(error, freshness))
}
