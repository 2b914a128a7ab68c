//! client

pub mod document;
