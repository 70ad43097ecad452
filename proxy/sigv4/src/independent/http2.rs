//! What the vendor's signer for JavaScript makes of a request over HTTP/2: the host is signed as `:authority`.

use http::HeaderMap;
use sha2::{Digest as _, Sha256};

use super::{HOST, issued, now};
use crate::{Body, Head, KeyCache, Refusal, claim};

const CREDENTIAL: &str = "AKORABCDEFGHIJKLMNOP/20261123/eu-west-1/kinesis/aws4_request";

/// As `@smithy/signature-v4` 5.7.5 signed it.
const SIGNED: &str = ":authority;content-type;x-amz-content-sha256;x-amz-date;x-amz-target";

const SIGNATURE: &str = "caf4d52d9a4657272b0be1e35308644ca9c96b683411513d589bce6c840915bf";

fn prove(authority: &str, signed: &str) -> Result<(), Refusal> {
    let hash: [u8; 32] = Sha256::digest(b"{}").into();
    let given =
        format!("AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders={signed}, Signature={SIGNATURE}");
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "Kinesis_20131202.ListStreams"),
        ("x-amz-date", "20261123T210000Z"),
        ("x-amz-content-sha256", &hex::encode(hash)),
        ("authorization", &given),
        // What HTTP/2 carries in its place reaches the rooms as the header.
        ("host", authority),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let head = Head { method: "POST", target: "/", authority, headers: &headers };
    let claimed = claim(&head, now())?;
    let body = Body::Held { sha256: &hash };
    claimed.prove(&KeyCache::new(), &issued().secret, &head, body).map(|_| ())
}

#[test]
fn a_host_signed_as_http2_has_it_is_held_to_what_it_says() {
    prove(HOST, SIGNED).unwrap();
    let elsewhere = prove("127.0.0.1:7071", SIGNED).unwrap_err();
    assert!(matches!(elsewhere, Refusal::SignatureMismatch), "{elsewhere:?}");
    let nowhere = prove(HOST, SIGNED.strip_prefix(":authority;").unwrap()).unwrap_err();
    assert!(matches!(nowhere, Refusal::UnsignedHeader(ref name) if name == "host"), "{nowhere:?}");
    for other in [":path;content-type", ":authority;:authority;content-type", "host;:authority"] {
        let refused = prove(HOST, other).unwrap_err();
        assert!(matches!(refused, Refusal::Malformed { .. }), "{other}: {refused:?}");
    }
}
