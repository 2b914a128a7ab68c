//! Error statuses that programs can act on: a stable code in the place where every gRPC library looks for details.
//!
//! The trailer `grpc-status-details-bin` holds a `google.rpc.Status` (<https://google.aip.dev/193>) whose one detail is a
//! [`ErrorDetail`]. The two foreign messages are small and frozen, so they stand here rather than as a dependency.

use prost::Message;
use tonic::{Code, Status};

use crate::v1::{ErrorCode, ErrorDetail};

/// The type of [`ErrorDetail`], as `google.protobuf.Any` names it.
const DETAIL_TYPE: &str = "type.googleapis.com/sigeli.v1.ErrorDetail";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// The gRPC status that goes with a code.
#[must_use]
pub const fn status_code(code: ErrorCode) -> Code {
    match code {
        ErrorCode::Unspecified => Code::Unknown,
        ErrorCode::InvalidField | ErrorCode::WaitTooLong => Code::InvalidArgument,
        ErrorCode::BatchNotFound
        | ErrorCode::InstitutionNotFound
        | ErrorCode::HeightNotFound
        | ErrorCode::AuthorityNotFound => Code::NotFound,
        ErrorCode::Busy => Code::ResourceExhausted,
        ErrorCode::NotReady | ErrorCode::StreamEnded => Code::Unavailable,
        ErrorCode::Timeout => Code::DeadlineExceeded,
        ErrorCode::ReaderTooSlow => Code::Aborted,
        ErrorCode::Internal => Code::Internal,
    }
}

/// The error status for a code, with its detail.
#[must_use]
pub fn status(code: ErrorCode, message: impl Into<String>) -> Status {
    let message = message.into();
    let detail = ErrorDetail { code: code.into(), message: message.clone() };
    let any = Any { type_url: DETAIL_TYPE.to_owned(), value: detail.encode_to_vec() };
    let grpc = status_code(code);
    let full = RpcStatus { code: grpc.into(), message: message.clone(), details: vec![any] };
    Status::with_details(grpc, message, full.encode_to_vec().into())
}

/// The detail of an error status; `None` when it carries none of ours (the transport's own errors).
#[must_use]
pub fn error_detail(status: &Status) -> Option<ErrorDetail> {
    let full = RpcStatus::decode(status.details()).ok()?;
    let any = full.details.into_iter().find(|any| any.type_url == DETAIL_TYPE)?;
    ErrorDetail::decode(any.value.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_trailer_with_its_status() {
        let mut seen = 0;
        for code in (1..=64).filter_map(|number| ErrorCode::try_from(number).ok()) {
            let status = status(code, "why");
            assert_ne!(status.code(), Code::Unknown, "{code:?} has a status of its own");
            let detail = error_detail(&status).unwrap();
            assert_eq!((detail.code(), detail.message.as_str()), (code, "why"));
            seen += 1;
        }
        assert_eq!(seen, 12);
    }

    #[test]
    fn the_trailer_is_the_one_that_other_libraries_read() {
        // google.rpc.Status { code: 5, message: "x", details: [Any { type_url, value: ErrorDetail { 3, "x" } }] }, by hand.
        let url = DETAIL_TYPE.as_bytes();
        let mut any = vec![0x0a, u8::try_from(url.len()).unwrap()];
        any.extend_from_slice(url);
        any.extend_from_slice(&[0x12, 5, 0x08, 3, 0x12, 1, b'x']);
        let mut expected = vec![0x08, 5, 0x12, 1, b'x', 0x1a, u8::try_from(any.len()).unwrap()];
        expected.extend_from_slice(&any);
        assert_eq!(status(ErrorCode::BatchNotFound, "x").details(), expected);
    }

    #[test]
    fn foreign_details_are_none_of_ours() {
        assert_eq!(error_detail(&Status::not_found("x")), None);
        assert_eq!(error_detail(&Status::with_details(Code::NotFound, "x", vec![0xff; 9].into())), None);
    }
}
