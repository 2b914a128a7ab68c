//! What must hold of the chain at the end of a run, found out by building it again.

use std::collections::BTreeSet;

use sigeli_verifier::ids::{Height, TransactionId};

use super::{ApplicationFactory, Violation, network::Simulation};
use crate::ports::{Application as _, Fatal};

impl<F: ApplicationFactory> Simulation<F> {
    /// Builds every committed block again on an application of its own, from genesis; looks for transactions that were
    /// committed twice, and for acknowledged ones that a node cannot prove.
    pub(super) fn audit(&mut self) -> Result<(), Violation> {
        let correct = |number: &usize| !self.config.faults.is_faulty(*number) && self.nodes[*number].driver.is_some();
        let correct: Vec<_> = (0..self.nodes.len()).filter(correct).collect();
        let height_of = |number: &usize| self.nodes[*number].driver.as_ref().map(|driver| driver.head().height);
        let Some(longest) = correct.iter().copied().max_by_key(height_of) else { return Ok(()) };
        let mut again = self.factory.create(longest, &self.genesis);
        let mut seen = BTreeSet::<TransactionId>::new();
        let stopped = |fatal: Fatal| Violation::Stopped { node: longest, fatal };
        let head = height_of(&longest).unwrap_or_default();
        while again.head().height < head {
            let height: Height = again.head().height.next();
            let driver = self.nodes[longest].driver.as_ref();
            let committed = driver.map(|driver| driver.application().block_at(height)).transpose().map_err(stopped)?;
            let committed = committed.flatten().ok_or(Violation::Chain { node: longest, height })?;
            let block = committed.block.as_ref();
            if !block.transactions.iter().all(|transaction| seen.insert(transaction.id())) {
                return Err(Violation::CommittedTwice { height });
            }
            if self.factory.rebuild(&mut again, block).map_err(stopped)?.as_ref() != Some(block) {
                return Err(Violation::Validity { height });
            }
            again.commit(committed.block, committed.certificate).map_err(stopped)?;
        }
        self.report.transactions = u64::try_from(seen.len()).unwrap_or(u64::MAX);
        for number in correct {
            let Some(driver) = &self.nodes[number].driver else { continue };
            self.factory
                .check_acknowledged(driver.application())
                .map_err(|what| Violation::Lost { node: number, what })?;
        }
        Ok(())
    }
}
