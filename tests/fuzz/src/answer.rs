//! Answers: nothing in one makes the room panic, and where it hands out credentials, none of the real ones is left in
//! what the caller gets.

use std::sync::OnceLock;

use http::{HeaderMap, HeaderValue};
use ordain_action::{Call, Reading};
use ordain_decode::{AnswerHead, Claim, Head, KeyPairReplacement, MintedCredentials, Replacement, WayIn};

use crate::room::{rooms, upstream};

const TYPES: [&str; 6] = [
    "text/xml",
    "application/json",
    "application/x-amz-json-1.1",
    "application/cbor",
    "application/xml",
    "text/html",
];

struct Asked {
    claim: Claim<'static>,
    call: Call,
}

/// `AssumeRole`, which hands out a session, and `CreateAccessKey`, which hands out a lasting key pair.
fn asked() -> &'static [Asked; 2] {
    static ASKED: OnceLock<[Asked; 2]> = OnceLock::new();
    ASKED.get_or_init(|| {
        let role =
            "Action=AssumeRole&Version=2011-06-15&RoleSessionName=s&RoleArn=arn:aws:iam::123456789012:role/r";
        [ask("sts", role), ask("iam", "Action=CreateAccessKey&Version=2010-05-08&UserName=u")]
    })
}

fn ask(service: &str, body: &str) -> Asked {
    let mut headers = HeaderMap::new();
    let scope =
        format!("AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{service}/aws4_request, Signature=0");
    headers.insert("authorization", HeaderValue::from_str(&scope).expect("visible ASCII"));
    headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    let head = Head {
        method: "POST",
        target: "/",
        authority: "gate.internal:8080",
        headers: &headers,
        way_in: WayIn::Reverse,
        plane: None,
        upstream: None,
    };
    let claim = rooms().claim(&head).expect("the head is the provider's");
    match claim.decode(&upstream(), &head, body.as_bytes(), None) {
        Reading::Call(call) => Asked { claim, call },
        Reading::Undecodable { why, .. } => panic!("{why:?}"),
    }
}

/// The first two bytes say what was asked, the status and the type of what was answered.
pub fn check(data: &[u8]) {
    let Some(([what, kind], body)) = data.split_first_chunk::<2>() else { return };
    let asked = &asked()[usize::from(*what & 1)];
    let mut headers = HeaderMap::new();
    let media = TYPES[usize::from(*kind) % TYPES.len()];
    headers.insert("content-type", HeaderValue::from_static(media));
    let status = if *what & 2 == 2 { 400 } else { 200 };
    let answer = AnswerHead { status, headers: &headers };
    drop(asked.claim.read_answer(&answer, body, None));
    drop(asked.claim.read_created(&asked.call, &answer, body));
    let Ok(Some(minted)) = asked.claim.find_credentials(&asked.call, &answer, body) else { return };
    let MintedCredentials::KeyPair(found) = &minted else { panic!("no key pair") };
    let session_token = found.session_token.as_ref().map(|_| "ours-token");
    let ours = Replacement::KeyPair(KeyPairReplacement {
        access_key_id: "ASIAOURS",
        secret_access_key: "ours-secret",
        session_token,
    });
    let Ok(replaced) = asked.claim.replace_credentials(&minted, &ours, &answer, body) else { return };
    let real = [Some(&found.access_key_id), Some(&found.secret_access_key), found.session_token.as_ref()];
    for real in real.into_iter().flatten() {
        let in_ours =
            ["ASIAOURS", "ours-secret", "ours-token"].iter().any(|ours| ours.contains(real.as_str()));
        let left = replaced.windows(real.len().max(1)).any(|window| window == real.as_bytes());
        assert!(in_ours || !left, "a real credential is left: {real:?}");
        let hidden = texts(media, &replaced).iter().any(|text| text == real);
        assert!(in_ours || !hidden, "a real credential is left in another spelling: {real:?}");
    }
}

/// Every text in an answer, by independent readers.
fn texts(media: &str, body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    if media.ends_with("cbor") {
        if let Ok(value) = ciborium::from_reader::<ciborium::Value, _>(body) {
            of_cbor(&value, &mut found);
        }
    } else if media.contains("json") {
        if let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) {
            of_json(&value, &mut found);
        }
    } else if let Ok(text) = std::str::from_utf8(body)
        && let Ok(document) = roxmltree::Document::parse(text)
    {
        found.extend(document.descendants().filter_map(|node| node.text()).map(str::to_owned));
    }
    found
}

fn of_cbor(value: &ciborium::Value, found: &mut Vec<String>) {
    match value {
        ciborium::Value::Text(text) => found.push(text.clone()),
        ciborium::Value::Array(items) => items.iter().for_each(|item| of_cbor(item, found)),
        ciborium::Value::Map(members) => members.iter().for_each(|(key, member)| {
            of_cbor(key, found);
            of_cbor(member, found);
        }),
        ciborium::Value::Tag(_, inner) => of_cbor(inner, found),
        _ => {}
    }
}

fn of_json(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| of_json(item, found)),
        serde_json::Value::Object(members) => members.iter().for_each(|(key, member)| {
            found.push(key.clone());
            of_json(member, found);
        }),
        _ => {}
    }
}
