//! A request that is signed again with a real key pair.
//!
//! Leaves out what is the same for every plane (`super`).

use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Uri};
use jiff::Timestamp;
use ordain_action::DenialKind;
use ordain_decode::Destination;
use ordain_sigv4::{KeyCache, KeyPair, Payload, PayloadStream, Proven, Signed};

use super::{unsendable, whole};
use crate::fault::Fault;
use crate::forward::OutBody;
use crate::held::HeldBody;
use crate::payload::PayloadBody;

/// Where it goes.
pub(super) struct At<'a> {
    pub(super) destination: &'a Destination,
    pub(super) scheme: &'a str,
    pub(super) host: &'a str,
    /// To a configured base URL and not to the provider's own host.
    pub(super) endpoint: bool,
}

/// Signs a request whose head has lost what belongs to one connection.
pub(super) fn make(
    (mut head, body): (Parts, HeldBody),
    as_received: &HeaderMap,
    proven: &Proven,
    at: At<'_>,
    (keys, pair): (&KeyCache, &KeyPair),
    now: Timestamp,
) -> Result<Request<OutBody>, Fault> {
    let At { destination, scheme, host, endpoint } = at;
    let received = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let target = ordain_sigv4::strip(&received, &mut head.headers);
    let target = if endpoint {
        copied_as_named(destination, &head)?;
        at_endpoint(destination, target)?
    } else {
        target
    };
    // The hash of what is sent: an issued id may have been exchanged since the caller signed.
    let payload = match (&body, proven.payload()) {
        (HeldBody::Whole(whole), Payload::Sha256(_)) => Payload::Sha256(whole.sha256().0),
        (HeldBody::Whole(_) | HeldBody::Streaming(_), payload) => payload,
    };
    let signing = ordain_sigv4::Outgoing {
        method: head.method.as_str(),
        target: &target,
        host,
        region: &destination.signing_region,
        service: &destination.signing_name,
        now,
        payload,
        declare: proven.is_declared(),
    };
    let signed =
        ordain_sigv4::sign(keys, pair, &signing, &mut head.headers).map_err(|error| unsendable(&error))?;
    let uri = format!("{scheme}://{host}{target}").parse::<Uri>().map_err(|error| unsendable(&error))?;
    let body = body_of(&mut head, body, proven, as_received, &signed)?;
    head.uri = uri;
    head.version = http::Version::HTTP_11;
    Ok(Request::from_parts(head, body))
}

/// The target as an endpoint without the provider's hosts understands it. What stood in the host goes into the
/// path: a bucket that is lost on the way makes its object another bucket.
fn at_endpoint(destination: &Destination, target: String) -> Result<String, Fault> {
    if destination.service != "s3" {
        return Ok(target);
    }
    let target = match destination.host_prefix.strip_suffix('.') {
        None => target,
        Some(bucket) => format!("/{bucket}{target}"),
    };
    // What stands behind an endpoint may tidy a path up before it reads it; the provider does not. A key that
    // would then be in another bucket goes to no endpoint.
    let path = target.split_once('?').map_or(target.as_str(), |(path, _)| path);
    if leaves_its_bucket(path) {
        return Err(unsendable(&"the key would leave its bucket at an endpoint that tidies paths up"));
    }
    Ok(target)
}

/// What is true of a key holds for the key that an object is copied from.
fn copied_as_named(destination: &Destination, head: &Parts) -> Result<(), Fault> {
    let source = head.headers.get("x-amz-copy-source").and_then(|value| value.to_str().ok());
    let source = source.map(|source| source.split_once('?').map_or(source, |(path, _)| path));
    if destination.service == "s3" && source.is_some_and(leaves_its_bucket) {
        return Err(unsendable(
            &"the key copied from would leave its bucket at an endpoint that tidies paths up",
        ));
    }
    Ok(())
}

fn leaves_its_bucket(path: &str) -> bool {
    let plain = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    let mut depth = 0_usize;
    for segment in plain.trim_start_matches('/').split(['/', '\\']).skip(1) {
        match segment {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

fn body_of(
    head: &mut Parts,
    body: HeldBody,
    proven: &Proven,
    as_received: &HeaderMap,
    signed: &Signed,
) -> Result<OutBody, Fault> {
    match body {
        HeldBody::Whole(body) => Ok(whole(head, body)),
        HeldBody::Streaming(arriving) => {
            let stream = PayloadStream::new(proven, as_received, signed)
                .map_err(|error| Fault::new(DenialKind::Malformed, "payload_malformed", error.to_string()))?;
            let declared =
                head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            let length = stream.content_length().or(declared);
            if let Some(length) = length {
                head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            Ok(OutBody::Streaming(Box::new(PayloadBody::new(arriving, stream, length))))
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(service: &str, host_prefix: &str, target: &str, expected: Expect) {
        let destination = Destination {
            service: service.to_owned(),
            host: format!("{host_prefix}example.amazonaws.com"),
            host_prefix: host_prefix.to_owned(),
            signing_name: service.to_owned(),
            signing_region: "us-east-1".to_owned(),
        };
        let sent = at_endpoint(&destination, target.to_owned());
        expected
            .assert_eq(&sent.unwrap_or_else(|fault| format!("refused: {}", fault.reason_code().as_str())));
    }

    #[test]
    fn a_bucket_in_the_host_stays_the_bucket_at_an_endpoint() {
        check("s3", "mine.", "/victim", expect!["/mine/victim"]);
        check("s3", "mine.", "/?delete", expect!["/mine/?delete"]);
        check("s3", "", "/mine/key?x=1", expect!["/mine/key?x=1"]);
        check("s3control", "123456789012.", "/v20180820/bucket", expect!["/v20180820/bucket"]);
    }

    #[test]
    fn a_key_that_would_leave_its_bucket_goes_to_no_endpoint() {
        for target in [
            "/free/../pay/k",
            "/free/..%2f..%2fpay/k",
            "/free/%2E%2e/pay",
            "/free/a/../../pay",
            "/free/..\\k",
        ] {
            check("s3", "", target, expect!["refused: not_sendable"]);
        }
        check("s3", "", "/free/a..b/.k", expect!["/free/a..b/.k"]);
    }
}
