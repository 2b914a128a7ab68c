//! The state: records of the registers, where they are stored, a typed view of them, and pending writes over it.
//!
//! Each record is stored twice: its encoding under a readable key (`keys`), and its hash in the pages of its register
//! ([`crate::tree`]). Records are read without the tree; proofs need both.

pub mod keys;
mod overlay;
mod records;
mod view;

pub use self::{
    overlay::{Finished, Overlay, Write},
    records::{Institution, OBSERVERS_MAX, RegisteredValidator, Registry, RegistryError},
    view::View,
};
