//! Waiting for a condition: asked again and again until it holds or its deadline passes. Nothing in the devnet waits in
//! any other way for something to have happened.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

/// How often a condition is asked. A question costs a call over loopback, so this bounds how exact measured times are.
const INTERVAL: Duration = Duration::from_millis(25);

/// Asks `attempt` until it answers `Some`.
///
/// # Errors
/// What `attempt` fails with, at once; or, after `limit`, that `what` did not happen. The limit is looked at between
/// two questions: `attempt` must bound its own time.
pub(crate) async fn until<T>(
    what: &str,
    limit: Duration,
    mut attempt: impl AsyncFnMut() -> eyre::Result<Option<T>>,
) -> eyre::Result<T> {
    let started = Instant::now();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(found) = attempt().await? {
            return Ok(found);
        }
        eyre::ensure!(started.elapsed() < limit, "{what}: this did not happen within {} seconds", limit.as_secs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_answer_ends_the_wait_and_so_do_failure_and_deadline() {
        let mut asked = 0;
        let answer = until("counting", Duration::from_secs(60), async || {
            asked += 1;
            Ok((asked == 3).then_some(asked))
        });
        assert_eq!(answer.await.unwrap(), 3);

        let late = until("the impossible", Duration::ZERO, async || Ok(None::<()>)).await.unwrap_err();
        assert!(late.to_string().contains("the impossible"), "{late}");

        let failed: eyre::Result<()> = until("x", Duration::from_secs(60), async || eyre::bail!("broken")).await;
        assert_eq!(failed.unwrap_err().to_string(), "broken");
    }
}
