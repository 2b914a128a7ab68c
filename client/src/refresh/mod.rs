//! New stamps for many credentials at once, without telling a node which credentials are meant.
//!
//! A node that gives a stamp for one credential learns its status handle, and so that somebody is interested in just this
//! one. Here it learns, of any number of credentials:
//! - **the institutions and batches** they belong to: each batch's proof is asked for once, with a random handle that
//!   is nobody's;
//! - **some first bits of status keys**, as many as leave at least [`ANONYMITY_MIN`] of the institution's credentials under
//!   each ([`prefix_bits`]), or none: then the whole list is downloaded.
//!
//! What stands under those bits is downloaded and checked against the institution's statuses root; the proof for each
//! credential is computed here. Each new bundle is verified as any bundle before it replaces the old one, in one
//! step, and never by an older one.

mod cover;
mod plan;
mod round;

pub use self::{
    plan::{ANONYMITY_MIN, prefix_bits},
    round::{RefreshError, RefreshRequest, Refreshed, Renewed, Skipped, refresh, write},
};
