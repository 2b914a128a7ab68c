//! Crashes: what they leave, what is put back, and what the node must notice when it comes up again.

use super::{ApplicationFactory, Crash, Violation, Wipe, network::Simulation};
use crate::{
    ports::{Application as _, Fatal},
    signer::SignState,
};
use sigeli_verifier::ids::Height;

/// A copy of a node's home.
pub(super) struct Home<A> {
    application: A,
    wal: super::MemoryWal,
    record: Option<Vec<u8>>,
}

impl<F: ApplicationFactory> Simulation<F> {
    pub(super) fn copy_home(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let Some(driver) = &node.driver else { return };
        let Some(application) = self.factory.copy(driver.application()) else { return };
        node.copy = Some(Home { application, wal: node.wal.copy(), record: node.sign_state.record() });
    }

    /// Puts the copy of a node's home, or of its database alone, in the place of what it wrote since.
    fn restore_home(&mut self, number: usize, database_alone: bool) {
        let node = &mut self.nodes[number];
        let (Some(Home { application, wal, record }), Some(lost)) = (node.copy.take(), &node.stopped_application)
        else {
            return;
        };
        if lost.head().height.get() < application.head().height.get().saturating_add(2) {
            return;
        }
        node.checked = application.head().height;
        node.stopped_application = Some(application);
        if !database_alone {
            node.wal = wal;
            node.sign_state.overwrite(record);
        }
        self.report.faults.restores = self.report.faults.restores.saturating_add(1);
    }

    /// Takes from a stopped node what the crash takes beyond what was not durable.
    pub(super) fn take_away(&mut self, number: usize, crash: &Crash) {
        let Self { nodes, random, .. } = self;
        let node = &mut nodes[number];
        let next = node.stopped_application.as_ref().map_or_else(Height::default, |lost| lost.head().height.next());
        let named = || {
            let state =
                SignState::from_record(&node.sign_state.record()?, &self.genesis.genesis, &node.address?).ok()?;
            state.wal
        };
        node.must_notice = match crash.wipe {
            Wipe::Wal => {
                node.wal.wipe();
                named().is_some_and(|named| named.height == next)
            }
            Wipe::WalBit => node.wal.flip_bit(next, |count| random.position(count)),
            Wipe::SignStateBit => node.sign_state.flip_bit(|count| random.position(count)),
            _ => false,
        };
        match (crash.wipe, node.address) {
            (Wipe::SignState, _) => node.sign_state.overwrite(None),
            (Wipe::Everything, Some(address)) => {
                node.wal.wipe();
                let empty = SignState::new(self.genesis.genesis, address).to_record();
                node.sign_state.overwrite(Some(empty));
            }
            (Wipe::SinceCopy, _) => self.restore_home(number, false),
            (Wipe::DatabaseSinceCopy, _) => self.restore_home(number, true),
            _ => {}
        }
        let damaged = self.nodes[number].must_notice || matches!(crash.wipe, Wipe::SignState | Wipe::Everything);
        self.report.faults.damages = self.report.faults.damages.saturating_add(u64::from(damaged));
    }

    /// Whether a node that could not come up is right not to: it found what was done to it, and stays down.
    ///
    /// # Errors
    /// [`Violation`] when it came up in spite of it, or stopped for another reason.
    pub(super) fn is_rightly_down(&mut self, number: usize, fatal: Option<&Fatal>) -> Result<bool, Violation> {
        let must_notice = std::mem::take(&mut self.nodes[number].must_notice);
        match fatal {
            None if must_notice => Err(Violation::DamageMissed { node: number }),
            None => Ok(false),
            Some(Fatal::Wal(_) | Fatal::SignStateDamaged { .. }) if must_notice => {
                self.report.stopped.push(number);
                Ok(true)
            }
            Some(fatal) => Err(Violation::Stopped { node: number, fatal: fatal.clone() }),
        }
    }
}
