//! ledger/store
