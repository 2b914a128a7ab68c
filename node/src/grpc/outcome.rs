//! From the ledger's words for a transaction's fate to the wire's.

use sigeli_ledger::outcome::Rejection;
use sigeli_proto::{convert::WireBytes as _, v1};
use sigeli_verifier::{
    decode::Decode as _, ids::Height, params::TRANSACTION_BYTES_MAX, transaction::SignedTransaction,
};

use super::backend::{Committed, Created, Outcome};

/// Reads a transaction: what cannot be one is rejected with the ledger's own codes, too large before malformed.
pub(super) fn read_transaction(bytes: &[u8]) -> Result<SignedTransaction, Rejection> {
    if bytes.len() > TRANSACTION_BYTES_MAX {
        return Err(Rejection::TooLarge { bytes: bytes.len(), limit: TRANSACTION_BYTES_MAX });
    }
    SignedTransaction::from_bytes(bytes).map_err(|error| Rejection::Malformed { error })
}

/// The message for an outcome.
pub(super) fn message(outcome: Outcome) -> v1::Outcome {
    use v1::outcome::State;
    let state = match outcome {
        Outcome::Committed(committed) => State::Committed(committed_message(committed)),
        Outcome::Pending => State::Pending(v1::Pending {}),
        Outcome::Rejected(rejection) => State::Rejected(rejected_message(&rejection)),
        Outcome::Unknown => State::Unknown(v1::Unknown {}),
    };
    v1::Outcome { state: Some(state) }
}

fn committed_message(committed: Committed) -> v1::Committed {
    let (permission, batch_sequence) = match committed.created {
        Created::Nothing => (None, None),
        Created::Permission(number) => (Some(number.get()), None),
        Created::Batch(number) => (None, Some(number.get())),
    };
    v1::Committed {
        height: committed.height.get(),
        index: committed.index,
        block_id: committed.block.to_wire(),
        time_ms: committed.time.get(),
        permission,
        batch_sequence,
    }
}

fn rejected_message(rejection: &Rejection) -> v1::Rejected {
    let first_height = match rejection {
        Rejection::AlreadyCommitted { height } | Rejection::AlreadyExists { height } => Some(Height::get(*height)),
        _ => None,
    };
    v1::Rejected {
        code: rejection.code().into(),
        name: rejection.name().to_owned(),
        message: rejection.to_string(),
        first_height,
    }
}
