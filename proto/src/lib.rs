//! What crosses the wire between a Sigeli node and those who use it: the protobuf interface and its conversions.
//!
//! [`v1`] is generated from `proto/sigeli/v1/ledger.proto`, which is the documentation for users in any language.
//! Hashed and signed bytes travel inside it as `bytes`, in the canonical encoding of `sigeli-verifier`: protobuf is never
//! hashed, signed or stored. This crate opens no connection and holds no state.

pub mod convert;
pub mod detail;
pub mod limits;
pub mod plain;

/// The interface's first version, generated.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated: the interface's own comments become the documentation"
)]
pub mod v1 {
    tonic::include_proto!("sigeli.v1");
}

/// The encoded `FileDescriptorSet` of the interface, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
