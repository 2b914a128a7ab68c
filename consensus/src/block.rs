//! A block that is passed around by reference, with its id computed once.

use std::{cmp::Ordering, sync::Arc};

use sigeli_verifier::{block::Block, ids::BlockId};

/// A shared, immutable block and its id.
///
/// Equality and order are those of the id: the header id commits to the transactions through their root, which
/// [`crate::ingress`] and the WAL's chain check before a value of this type reaches the core.
#[derive(Debug, Clone)]
pub struct SharedBlock {
    id: BlockId,
    block: Arc<Block>,
}

impl SharedBlock {
    /// Takes a block and computes its id.
    #[must_use]
    pub fn new(block: Block) -> Self {
        Self { id: block.header.id(), block: Arc::new(block) }
    }

    /// The header's id.
    #[must_use]
    pub const fn id(&self) -> BlockId {
        self.id
    }

    /// The block.
    #[must_use]
    pub fn block(&self) -> &Block {
        &self.block
    }

    /// The block, shared.
    #[must_use]
    pub fn to_arc(&self) -> Arc<Block> {
        Arc::clone(&self.block)
    }
}

impl PartialEq for SharedBlock {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for SharedBlock {}

impl PartialOrd for SharedBlock {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SharedBlock {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}
