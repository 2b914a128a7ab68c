//! Transactions that pass from hand to hand: a draft file holds what is asked and the signatures collected so far, and
//! goes from signatory to signatory, offline, until enough have signed.
//!
//! - [`file`](mod@file) reads and writes drafts; [`known`] is what is known about those who may sign and about what a draft speaks
//!   of; [`standing`] tells who has signed and whether that is enough; [`show`](mod@show) says in plain words what a draft
//!   would do; [`submit`](mod@submit) hands it in; [`numbers`] looks up which entry of a history a change will be.
//! - What a draft asks for never changes once it was made: its id is the hash of its body, and every signature is over that
//!   id. Whoever changes a byte of it has another draft, which nobody has signed.

pub mod file;
pub mod known;
pub mod numbers;
pub mod show;
pub mod standing;
pub mod submit;

pub use self::{
    file::{DraftFileError, SignError},
    known::{Known, KnownAuthority, KnownError, Source},
    show::{View, show},
    standing::{Shortfall, SignatureState, shortfall, signature_state},
    submit::{SubmitDraftError, Submitted, submit},
};
