//! What an answer says of how a call went: its status, in the trailers or, where there is no message, in the head.
//!
//! Leaves out the messages, which pass unread.

use http::HeaderMap;

use crate::answer::{AnswerHead, AnswerRead};

/// The statuses by their numbers, with the one that HTTP has for each (`google/rpc/code.proto`).
pub(super) const CODES: [(&str, u16); 17] = [
    ("OK", 200),
    ("CANCELLED", 499),
    ("UNKNOWN", 500),
    ("INVALID_ARGUMENT", 400),
    ("DEADLINE_EXCEEDED", 504),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("PERMISSION_DENIED", 403),
    ("RESOURCE_EXHAUSTED", 429),
    ("FAILED_PRECONDITION", 400),
    ("ABORTED", 409),
    ("OUT_OF_RANGE", 400),
    ("UNIMPLEMENTED", 501),
    ("INTERNAL", 500),
    ("UNAVAILABLE", 503),
    ("DATA_LOSS", 500),
    ("UNAUTHENTICATED", 401),
];

/// What the answer amounts to.
pub(crate) fn read(answer: &AnswerHead<'_>, trailers: Option<&HeaderMap>) -> AnswerRead {
    let said = |headers: &HeaderMap| headers.get("grpc-status").cloned();
    let status = trailers.and_then(said).or_else(|| said(answer.headers));
    let code = status.and_then(|status| status.to_str().ok()?.parse::<usize>().ok());
    let (name, status) = match code.map(|code| CODES.get(code)) {
        Some(Some((name, status))) => (*name, *status),
        // A number that is not known is an error all the same; so is none, behind a head that is none of gRPC's.
        Some(None) => ("UNKNOWN", 500),
        None if (200..300).contains(&answer.status) => ("NO_STATUS", 502),
        None => return AnswerRead::default(),
    };
    AnswerRead {
        request_id: String::new(),
        error_code: (name != "OK").then(|| name.to_owned()),
        status: Some(status),
    }
}
