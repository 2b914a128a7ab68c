//! The same for programs without an async runtime. Not to be used inside one: its calls block the thread.

use std::{path::Path, sync::Arc, time::Duration};

use sigeli_verifier::transaction::StatusReason;
use tokio::runtime::{Builder, Runtime};

use super::{Config, ConnectError, FollowError, Prepare, PrepareOnlineError, Verified};
use crate::{
    anchor::{AnchorError, Anchored},
    batch::PreparedBatch,
    files::FileError,
    keys::SecretKey,
    remote::LedgerStatus,
    stamp::{StampError, Stamped},
    status::{StatusChanged, StatusError},
};

/// A ledger, through its nodes: [`super::Sigeli`] with calls that block.
#[derive(Debug, Clone)]
pub struct Sigeli {
    runtime: Arc<Runtime>,
    inner: super::Sigeli,
}

impl Sigeli {
    /// See [`super::Sigeli::connect`].
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn connect(config: Config) -> Result<Self, ConnectError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| ConnectError::Runtime { source })?;
        let inner = runtime.block_on(super::Sigeli::connect(config))?;
        Ok(Self { runtime: Arc::new(runtime), inner })
    }

    /// See [`super::Sigeli::status`].
    #[must_use]
    pub const fn status(&self) -> &LedgerStatus {
        self.inner.status()
    }

    /// See [`super::Sigeli::prepare`].
    ///
    /// # Errors
    /// [`PrepareOnlineError`].
    pub fn prepare(&self, request: &Prepare) -> Result<PreparedBatch, PrepareOnlineError> {
        self.runtime.block_on(self.inner.prepare(request))
    }

    /// See [`super::Sigeli::anchor`].
    ///
    /// # Errors
    /// [`AnchorError`].
    pub fn anchor(&self, directory: &Path, key: &SecretKey) -> Result<Anchored, AnchorError> {
        self.runtime.block_on(self.inner.anchor(directory, key))
    }

    /// See [`super::Sigeli::revoke`].
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn revoke(&self, file: &Path, reason: StatusReason, key: &SecretKey) -> Result<StatusChanged, StatusError> {
        self.runtime.block_on(self.inner.revoke(file, reason, key))
    }

    /// See [`super::Sigeli::suspend`].
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn suspend(&self, file: &Path, key: &SecretKey) -> Result<StatusChanged, StatusError> {
        self.runtime.block_on(self.inner.suspend(file, key))
    }

    /// See [`super::Sigeli::reinstate`].
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn reinstate(&self, file: &Path, key: &SecretKey) -> Result<StatusChanged, StatusError> {
        self.runtime.block_on(self.inner.reinstate(file, key))
    }

    /// See [`super::Sigeli::stamp`].
    ///
    /// # Errors
    /// [`StampError`].
    pub fn stamp(&self, file: &Path) -> Result<Stamped, StampError> {
        self.runtime.block_on(self.inner.stamp(file))
    }

    /// See [`super::Sigeli::verify`].
    ///
    /// # Errors
    /// [`FileError`].
    pub fn verify(&self, file: &Path, max_age: Duration) -> Result<Verified, FileError> {
        self.runtime.block_on(self.inner.verify(file, max_age))
    }

    /// See [`super::Sigeli::follow`].
    ///
    /// # Errors
    /// [`FollowError`].
    pub fn follow(&mut self) -> Result<usize, FollowError> {
        self.runtime.block_on(self.inner.follow())
    }
}
