//! What happens to a message between two nodes: lost, cut off, late, twice.

use std::sync::Arc;

use super::{
    ApplicationFactory, Violation,
    faults::Window,
    network::{Happening, Simulation},
};
use crate::{
    message::{Message, SYNC_RESPONSE_TAG},
    ports::Fatal,
    signer::SignState,
    statement::SignedStatement,
};
use sigeli_verifier::{decode::Decode as _, ids::Height};

/// The worst of the windows that hold now.
fn worst(windows: &[Window], now_ms: u64) -> Option<u64> {
    windows.iter().filter(|window| window.holds(now_ms)).map(|window| window.severity).max()
}

fn side(mask: u64, node: usize) -> bool {
    mask.checked_shr(u32::try_from(node).unwrap_or(64)).unwrap_or(0) & 1 == 1
}

impl<F: ApplicationFactory> Simulation<F> {
    /// Shows a message to the checkers.
    pub(super) fn tap(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        Message::from_bytes(bytes).map_or(Ok(()), |message| self.checker.on_sent(&message))
    }

    /// A message of a correct node may carry a signature of its own only once the sign-state with it is durable, and with
    /// it the row of the log that the sign-state names.
    pub(super) fn check_released(&self, number: usize, bytes: &[u8]) -> Result<(), Violation> {
        let node = &self.nodes[number];
        let statement = match Message::from_bytes(bytes) {
            Ok(Message::Vote(vote)) => vote.to_statement(),
            Ok(Message::Proposal(proposal)) => proposal.to_statement(),
            _ => return Ok(()),
        };
        let Some(own) = node.address.filter(|own| *own == statement.statement.validator()) else { return Ok(()) };
        let slot = statement.statement.slot();
        let stopped = |fatal: Fatal| Violation::Stopped { node: number, fatal };
        let record = node.sign_state.record().unwrap_or_default();
        let state = SignState::from_record(&record, &self.genesis.genesis, &own).map_err(stopped)?;
        let is_durable = state.highest.is_some_and(|highest| covers(&highest, &statement))
            && state.wal.is_none_or(|position| node.wal.has_durably(&position));
        if is_durable { Ok(()) } else { Err(Violation::Released { node: number, slot }) }
    }

    /// Sends a message to one node, through whatever is wrong on the way.
    pub(super) fn transmit(&mut self, from: usize, to: usize, bytes: &Arc<[u8]>) {
        if self.is_lost(from, to, bytes) {
            return;
        }
        let copies = match worst(&self.config.faults.duplications, self.now_ms) {
            Some(percent) if self.random.chance_percent(percent) => 2,
            _ => 1,
        };
        self.report.faults.duplicated = self.report.faults.duplicated.saturating_add(copies).saturating_sub(1);
        for _ in 0..copies {
            let mut after_ms = self.random.between(8, 30);
            let delay = worst(&self.config.faults.delays, self.now_ms);
            if let Some(most) = delay.filter(|_| self.random.chance_percent(30)) {
                after_ms = after_ms.saturating_add(self.random.below(most));
                self.report.faults.delayed = self.report.faults.delayed.saturating_add(1);
            }
            let incarnation = self.nodes.get(to).map(|node| node.incarnation);
            self.schedule(after_ms, to, incarnation, Happening::Deliver { from, bytes: Arc::clone(bytes) });
        }
    }

    fn is_lost(&mut self, from: usize, to: usize, bytes: &[u8]) -> bool {
        let now = self.now_ms;
        let (faults, counts) = (&self.config.faults, &mut self.report.faults);
        let cuts = |cut: &Window| side(cut.severity, from) != side(cut.severity, to);
        if faults.partitions.iter().any(|cut| cut.holds(now) && cuts(cut)) {
            counts.cut = counts.cut.saturating_add(1);
            return true;
        }
        if faults.one_way.iter().any(|cut| cut.holds(now) && cuts(cut) && side(cut.severity, from)) {
            counts.one_way = counts.one_way.saturating_add(1);
            return true;
        }
        // The second byte of a message is its tag.
        let is_sync = bytes.get(1) == Some(&SYNC_RESPONSE_TAG);
        let lost = if is_sync && worst(&faults.syncs_lost, now).is_some() { 100 } else { 0 };
        let lost = worst(&faults.losses, now).unwrap_or(0).max(lost);
        let is_lost = lost > 0 && self.random.chance_percent(lost);
        if is_lost {
            counts.lost = counts.lost.saturating_add(1);
        }
        is_lost
    }
}

/// Whether a sign-state whose highest message is this lets a statement out: its own, or one from further back in the height,
/// which was the highest when it was signed.
fn covers(highest: &SignedStatement, statement: &SignedStatement) -> bool {
    let (stored, slot) = (highest.statement.slot(), statement.statement.slot());
    stored > slot || highest == statement
}

/// The message, or, if it is a report, one that knows nothing.
pub(super) fn empty_report(bytes: Arc<[u8]>) -> Arc<[u8]> {
    use sigeli_verifier::encode::Encode as _;
    match Message::from_bytes(&bytes) {
        Ok(Message::Report { validator, .. }) => {
            Message::Report { validator, committed: Height::new(0), highest: None }.to_bytes().into()
        }
        _ => bytes,
    }
}
