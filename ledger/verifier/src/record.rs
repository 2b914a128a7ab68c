//! TODO record
