//! The vendor's own signer as an independent check: what it signs we prove, what we sign it would sign the same,
//! and no changed byte passes.

mod heads;
mod http2;
mod streams;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use http::{HeaderMap, Request};
use jiff::Timestamp;

use crate::{KeyPair, Secret};

fn now() -> Timestamp {
    "2026-11-23T21:00:00Z".parse().unwrap()
}

fn vendor_now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(now().as_second()).unwrap())
}

fn issued() -> KeyPair {
    KeyPair {
        id: "AKORABCDEFGHIJKLMNOP".to_owned(),
        secret: Secret::new("an/issued+secret".to_owned()),
        session_token: None,
    }
}

fn real() -> KeyPair {
    KeyPair {
        id: "ASIAREAL".to_owned(),
        secret: Secret::new("the+real/secret".to_owned()),
        session_token: Some(Secret::new("the//real+token==".to_owned())),
    }
}

/// A request without its body.
#[derive(Debug, Clone)]
struct Asked {
    method: &'static str,
    target: String,
    service: &'static str,
    headers: Vec<(String, String)>,
}

const HOST: &str = "127.0.0.1:7070";

/// How the vendor's signer is to sign.
#[derive(Debug, Clone, Copy)]
struct Manner {
    in_query: bool,
    declare: bool,
}

impl Asked {
    fn signable<'a>(&'a self, body: SignableBody<'a>) -> SignableRequest<'a> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        SignableRequest::new(self.method, format!("http://{HOST}{}", self.target), headers, body).unwrap()
    }

    /// Signs as the vendor does: the request, and the signature that chunks go on from.
    fn signed_by_vendor(
        &self,
        pair: &KeyPair,
        manner: Manner,
        body: SignableBody<'_>,
    ) -> (Request<()>, String) {
        let identity = identity(pair);
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        if manner.declare {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if manner.in_query {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(600));
        }
        let params = SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name(self.service)
            .time(vendor_now())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let output = aws_sigv4::http_request::sign(self.signable(body), &params).unwrap();
        let (instructions, signature) = output.into_parts();
        let mut request = Request::builder().method(self.method).uri(format!("http://{HOST}{}", self.target));
        request = request.header("host", HOST);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        (request, signature)
    }
}

fn identity(pair: &KeyPair) -> Identity {
    let token = pair.session_token.as_ref().map(|token| token.expose().to_owned());
    Credentials::new(&pair.id, pair.secret.expose(), token, None, "test").into()
}

fn target(request: &Request<()>) -> String {
    request.uri().path_and_query().unwrap().as_str().to_owned()
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}
