//! Requests and chunks as the vendor's own signer makes them.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode,
};
use aws_sigv4::sign::v4::{SigningParams, sign_chunk, sign_trailer};
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::http::Headers;
use bytes::Bytes;
use http::Request;
use ordain_sigv4::Payload;

/// The secret of the key that every request here is signed with.
pub const SECRET: &str = "an/issued+secret";

/// The host that every request here is for.
pub const HOST: &str = "127.0.0.1:7070";

/// The trailer that carries a checksum.
pub const CHECKSUM: &str = "x-amz-checksum-crc32c";

/// 2026-11-23T21:00:00Z.
pub const NOW: u64 = 1_795_467_600;

fn identity() -> Identity {
    Credentials::new("AKORABCDEFGHIJKLMNOP", SECRET, None, None, "fuzz").into()
}

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

/// The text that stands for the body of a form.
fn declared(payload: Payload) -> &'static str {
    match payload {
        Payload::Chunks => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        Payload::ChunksTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        _ => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
}

/// Each chunk carries a signature.
#[must_use]
pub const fn signs_chunks(payload: Payload) -> bool {
    matches!(payload, Payload::Chunks | Payload::ChunksTrailer)
}

const fn has_trailers(payload: Payload) -> bool {
    matches!(payload, Payload::ChunksTrailer | Payload::UnsignedTrailer)
}

/// An upload of so many bytes in chunks: its head, and the signature that chunks go on from.
///
/// # Panics
/// Never: what is signed is fixed.
#[must_use]
pub fn put(payload: Payload, length: usize) -> (Request<()>, String) {
    let mut headers = vec![
        ("host", HOST.to_owned()),
        ("content-encoding", "aws-chunked".to_owned()),
        ("x-amz-decoded-content-length", length.to_string()),
    ];
    if has_trailers(payload) {
        headers.push(("x-amz-trailer", CHECKSUM.to_owned()));
    }
    let uri = format!("http://{HOST}/bucket/a%20key");
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let identity = identity();
    let params = SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("s3")
        .time(time())
        .settings(settings)
        .build()
        .expect("the parameters are whole")
        .into();
    let body = SignableBody::Precomputed(declared(payload).to_owned());
    let pairs = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new("PUT", &uri, pairs, body).expect("a request that can be signed");
    let (instructions, signature) =
        aws_sigv4::http_request::sign(signable, &params).expect("a request that can be signed").into_parts();
    let mut request = Request::builder().method("PUT").uri(&uri);
    for (name, value) in &headers {
        request = request.header(*name, value);
    }
    let mut request = request.body(()).expect("a request");
    instructions.apply_to_request_http1x(&mut request);
    (request, signature)
}

/// The chunks of a body on the wire.
///
/// # Panics
/// Never: what is signed is fixed.
#[must_use]
pub fn framed(payload: Payload, seed: &str, chunks: &[&[u8]], checksum: &str) -> Vec<u8> {
    let identity = identity();
    let params = SigningParams::<()>::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("s3")
        .time(time())
        .settings(())
        .build()
        .expect("the parameters are whole");
    let mut previous = seed.to_owned();
    let mut out = Vec::new();
    for chunk in chunks.iter().copied().chain([&[][..]]) {
        out.extend_from_slice(format!("{:x}", chunk.len()).as_bytes());
        if signs_chunks(payload) {
            let signed = sign_chunk(&Bytes::copy_from_slice(chunk), &previous, &params).expect("a chunk");
            previous = signed.signature().to_owned();
            out.extend_from_slice(format!(";chunk-signature={previous}").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(chunk);
        if !chunk.is_empty() {
            out.extend_from_slice(b"\r\n");
        }
    }
    if has_trailers(payload) {
        out.extend_from_slice(format!("{CHECKSUM}:{checksum}\r\n").as_bytes());
        if signs_chunks(payload) {
            let mut headers = Headers::new();
            headers.insert(CHECKSUM, checksum.to_owned());
            let signed = sign_trailer(&headers, &previous, &params).expect("a trailer");
            out.extend_from_slice(format!("x-amz-trailer-signature:{}\r\n", signed.signature()).as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}
