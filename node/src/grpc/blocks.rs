//! Streams of blocks. Between two blocks a stream holds no snapshot.

use std::{sync::Arc, time::Duration};

use sigeli_proto::v1;
use sigeli_verifier::ids::Height;
use tonic::Status;

use super::{
    backend::{Backend, BackendError},
    proved::block_messages,
    service::{error, in_time},
    stream::{StreamFailure, StreamWriter},
};

/// Which blocks are streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlocksQuery {
    /// The first one.
    pub(super) first: Height,
    /// The last one; none for those to come.
    pub(super) last: Option<Height>,
}

impl BlocksQuery {
    /// Reads a request, given the newest height.
    pub(super) fn new(request: &v1::StreamBlocksRequest, newest: Height) -> Result<Self, BackendError> {
        let first = Height::new(request.start_height);
        let known = if request.follow { newest.next() } else { newest };
        if first > known {
            return Err(BackendError::HeightNotFound);
        }
        Ok(Self { first, last: (!request.follow).then_some(newest) })
    }
}

/// Streams blocks, and returns what the reader is told in the end.
pub(super) async fn run(
    backend: Arc<dyn Backend>,
    query: BlocksQuery,
    time: Duration,
    writer: StreamWriter<v1::BlockPart>,
) -> Result<(), Status> {
    let result = write(backend, query, time, &writer).await;
    writer.finish(result).await
}

async fn write(
    backend: Arc<dyn Backend>,
    query: BlocksQuery,
    time: Duration,
    writer: &StreamWriter<v1::BlockPart>,
) -> Result<(), StreamFailure> {
    let mut height = query.first;
    while query.last.is_none_or(|last| height <= last) {
        writer.wait(backend.reached(height)).await?.map_err(|reason| StreamFailure::Status(error(reason)))?;
        let answer = writer.wait(in_time(time, backend.block(height))).await?.map_err(StreamFailure::Status)?;
        for part in block_messages(&answer) {
            writer.put(part).await?;
        }
        height = height.next();
    }
    Ok(())
}
