//! Requests with one hash over their body, or none: signed by the vendor, proven here, signed again here.

use aws_sigv4::http_request::SignableBody;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{Asked, HOST, Manner, issued, now, real, target, value};
use crate::{Body, Head, KeyCache, Outgoing, Payload, Refusal, claim, sign, strip};

/// A request as it arrives.
#[derive(Debug, Clone)]
struct Arrived {
    method: String,
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Arrived {
    fn head(&self) -> Head<'_> {
        Head { method: &self.method, target: &self.target, authority: HOST, headers: &self.headers }
    }

    fn prove(&self) -> Result<crate::Proven, Refusal> {
        let sha256 = Sha256::digest(&self.body).into();
        let claimed = claim(&self.head(), now())?;
        // Another id finds another secret, or none.
        if claimed.key_id() != issued().id {
            return Err(Refusal::SignatureMismatch);
        }
        claimed.prove(&KeyCache::new(), &issued().secret, &self.head(), Body::Held { sha256: &sha256 })
    }
}

fn arrive(asked: &Asked, manner: Manner, unsigned: bool, body: &[u8]) -> Arrived {
    let signable = if unsigned { SignableBody::UnsignedPayload } else { SignableBody::Bytes(body) };
    let (request, _) = asked.signed_by_vendor(&issued(), manner, signable);
    Arrived {
        method: request.method().to_string(),
        target: target(&request),
        headers: request.headers().clone(),
        body: body.to_vec(),
    }
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-zA-Z0-9._~-]{1,8}",
        1 => Just("%2F".to_owned()),
        1 => Just("%C3%A9t%20".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just("..".to_owned()),
        1 => Just(String::new()),
        1 => Just("a:b@c$".to_owned()),
    ]
}

fn pair() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        5 => "[a-zA-Z0-9._~-]{1,6}",
        1 => Just("a+b".to_owned()),
        1 => Just("%C3%A9%2f".to_owned()),
        1 => Just("%7E".to_owned()),
        1 => Just("a:b/c".to_owned()),
    ];
    (text.clone(), prop::option::of(text)).prop_map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => name,
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let headers = prop::collection::btree_map("x-amz-meta-[a-z]{1,4}", "[ -~]{0,12}", 0..3);
    (
        prop::sample::select(vec!["GET", "PUT", "POST", "DELETE"]),
        prop::collection::vec(segment(), 1..5),
        prop::collection::vec(pair(), 0..4),
        prop::sample::select(vec!["s3", "ec2", "eks", "execute-api"]),
        headers,
    )
        .prop_map(|(method, path, query, service, headers)| {
            let mut target = format!("/{}", path.join("/"));
            if !query.is_empty() {
                target = format!("{target}?{}", query.join("&"));
            }
            let headers = headers.into_iter().map(|(name, value)| (name, value.trim().to_owned())).collect();
            Asked { method, target, service, headers }
        })
}

fn manner() -> impl Strategy<Value = (Manner, bool)> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(in_query, declare, unsigned)| {
        // What is not signed for must say so, and a presigned URL of S3 never signs for a body.
        (Manner { in_query, declare: !in_query && (declare || unsigned) }, unsigned && !in_query)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_the_vendor_signs_is_proven_and_signed_again_as_the_vendor_would(
        asked in asked(), (manner, unsigned) in manner(), body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let unsigned = unsigned || (manner.in_query && asked.service == "s3");
        let arrived = arrive(&asked, manner, unsigned, &body);
        let proven = arrived.prove();
        if unsigned && asked.service != "s3" && !body.is_empty() {
            prop_assert!(matches!(proven, Err(Refusal::UnsignedBody)), "{:?}", proven);
            return Ok(());
        }
        prop_assert!(proven.is_ok(), "{:?}: {:?}", arrived, proven);
        let proven = proven.unwrap();

        let mut headers = arrived.headers.clone();
        let target = strip(&arrived.target, &mut headers);
        prop_assert_eq!(&target, &asked.target);
        let outgoing = Outgoing {
            method: &arrived.method,
            target: &target,
            host: HOST,
            region: "eu-west-1",
            service: asked.service,
            now: now(),
            payload: proven.payload(),
            declare: proven.is_declared(),
        };
        let _ = sign(&KeyCache::new(), &real(), &outgoing, &mut headers).unwrap();
        let signable = match proven.payload() {
            Payload::Unsigned => SignableBody::UnsignedPayload,
            Payload::Sha256(hash) => SignableBody::Precomputed(hex::encode(hash)),
            other => panic!("{other:?}"),
        };
        let manner = Manner { in_query: false, declare: headers.contains_key("x-amz-content-sha256") };
        let (vendor, _) = asked.signed_by_vendor(&real(), manner, signable);
        for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
            prop_assert_eq!(value(&headers, name), value(vendor.headers(), name));
        }
        prop_assert_eq!(headers.get("x-amz-content-sha256"), vendor.headers().get("x-amz-content-sha256"));
    }

    #[test]
    fn a_changed_byte_anywhere_under_the_signature_is_refused(
        asked in asked(), (manner, unsigned) in manner(), body in prop::collection::vec(any::<u8>(), 1..64),
        place in 0_usize..5, position in any::<prop::sample::Index>(),
    ) {
        let unsigned = unsigned || (manner.in_query && asked.service == "s3");
        let mut arrived = arrive(&asked, manner, unsigned, &body);
        let before = arrived.clone();
        match place {
            0 => arrived.method = change(&arrived.method, position),
            1 => arrived.target = change(&arrived.target, position),
            2 if !unsigned => {
                let index = position.index(arrived.body.len());
                arrived.body[index] ^= 1;
            }
            3 if !manner.in_query => {
                let text = change(value(&arrived.headers, "authorization"), position);
                arrived.headers.insert("authorization", HeaderValue::from_str(&text).unwrap());
            }
            _ => {
                let signed: Vec<HeaderName> = arrived
                    .headers
                    .keys()
                    .filter(|name| name.as_str() != "authorization" && !arrived.headers[*name].is_empty())
                    .cloned()
                    .collect();
                let name = position.get(&signed);
                let text = change(value(&arrived.headers, name.as_str()), position);
                arrived.headers.insert(name, HeaderValue::from_str(&text).unwrap());
            }
        }
        // A segment that the next one takes back is not under the signature: `/a/..` and `/b/..` are one path.
        // The rooms refuse such paths.
        prop_assume!(place != 1 || asked.service == "s3" || !asked.target.contains(".."));
        prop_assume!(
            (&arrived.method, &arrived.target, &arrived.headers, &arrived.body)
                != (&before.method, &before.target, &before.headers, &before.body)
        );
        prop_assert!(arrived.prove().is_err(), "{arrived:?}");
    }

    #[test]
    fn no_head_makes_a_claim_panic(
        method in "[A-Z]{0,5}", target in "/?[a-zA-Z0-9%&=?X-]{0,40}", name in "(authorization|x-amz-date|host)",
        text in "(AWS4-HMAC-SHA256 )?[A-Za-z0-9=,;/ -]{0,80}", query in any::<bool>(),
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(&text).unwrap());
        let signed = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20261123%2Fr%2Fs%2Faws4_request&";
        let target = if query { format!("{signed}{target}") } else { target };
        let head = Head { method: &method, target: &target, authority: "h", headers: &headers };
        if let Ok(claimed) = claim(&head, now()) {
            let proven = claimed.prove(&KeyCache::new(), &issued().secret, &head, Body::Held { sha256: &[0; 32] });
            prop_assert!(proven.is_err());
        }
    }
}

/// The text with one letter or digit changed into another that means something else wherever it stands.
fn change(text: &str, position: prop::sample::Index) -> String {
    let places: Vec<usize> = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_alphanumeric())
        .map(|(index, _)| index)
        .collect();
    let mut bytes = text.as_bytes().to_vec();
    if !places.is_empty() {
        let index = *position.get(&places);
        bytes[index] = if bytes[index].is_ascii_digit() { b'q' } else { b'7' };
    }
    String::from_utf8(bytes).unwrap()
}
