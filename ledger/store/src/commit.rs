//! One height, one synced batch.

use std::sync::MutexGuard;

use sigeli_ledger::store::{HeightCommit, StoreError};
use sigeli_verifier::{encode::Encode, ids::Height};

use crate::{
    database::{Batch, Database, Tip, next_height, out_of_order},
    rows::{BlockRow, Bytes, CertificateRow, GenesisRow, HeadRow, HeaderRow, PlaceRow},
    tables::{Blocks, BuiltBlocks, Certificates, ConsensusRows, Genesis, HeadMarker, Headers, STATE, Transactions},
};

/// Writes one height; durable on return. Returns how many heights there are now.
///
/// # Panics
/// When the commit contradicts itself or the height before: execution has checked that it does not.
pub(crate) fn commit(database: &Database, commit: &HeightCommit) -> Result<u64, StoreError> {
    let mut tip = database.lock()?;
    let height = commit.head.header.height;
    if height != next_height(*tip) {
        return database.fatal(Err(out_of_order(height, *tip)));
    }
    assert_consistent(commit, &tip);
    database.write(batch(database, commit)?)?;
    let header = &commit.head.header;
    *tip = Some(Tip { height, id: commit.head.id, genesis: header.genesis });
    Ok(height.next().get())
}

fn assert_consistent(commit: &HeightCommit, tip: &MutexGuard<'_, Option<Tip>>) {
    let head = &commit.head;
    assert!(head.header == commit.block.header, "the head after a height is its block's header");
    assert!(head.id == head.header.id(), "the head's id is its header's");
    assert!(head.history.size() == head.header.height.next().get(), "the history holds every header up to the head");
    if let Some(tip) = **tip {
        assert!(head.header.parent == tip.id, "a height's parent is the height before");
        assert!(head.header.genesis == tip.genesis, "all heights are of one ledger");
    }
}

fn batch<'a>(database: &'a Database, commit: &HeightCommit) -> Result<Batch<'a>, StoreError> {
    let mut batch = Batch::new(database);
    let head = &commit.head;
    let height = head.header.height;
    let header = head.header.to_bytes();
    if height == Height::new(0) {
        batch.put::<Genesis>(&(), &GenesisRow { genesis: head.header.genesis.get() })?;
    }
    batch.put::<Blocks>(&height, &BlockRow { block: Bytes(&commit.block.to_bytes()) })?;
    batch.put::<Headers>(&height, &HeaderRow { header: Bytes(&header), id: head.id.get() })?;
    batch.put::<Certificates>(&height, &CertificateRow { certificate: Bytes(&commit.certificate.to_bytes()) })?;
    for (index, transaction) in (0_u32..).zip(&commit.block.transactions) {
        batch.put::<Transactions>(&transaction.id(), &PlaceRow { height: height.get(), index })?;
    }
    for (key, value) in &commit.state {
        match value {
            Some(value) => batch.put_raw(STATE, key, value)?,
            None => batch.delete_raw(STATE, key)?,
        }
    }
    let marker = HeadRow {
        header: Bytes(&header),
        id: head.id.get(),
        history_size: head.history.size(),
        history_peaks: head.history.peaks().to_vec(),
    };
    batch.put::<HeadMarker>(&(), &marker)?;
    // Rows of consensus exist for this height only: those of earlier ones went with them, later ones are refused.
    let view = database.view();
    batch.delete_height::<ConsensusRows>(&view, height)?;
    batch.delete_height::<BuiltBlocks>(&view, height)?;
    Ok(batch)
}
