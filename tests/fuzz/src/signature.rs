//! Signature Version 4: what ours accepts, a second canonicaliser written from the vendor's description signs the
//! same; and no header that a service would act on is outside the signature.

use std::fmt::Write as _;
use std::sync::OnceLock;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use ordain_sigv4::{Body, Head, KeyCache, Secret, claim};
use sha2::{Digest as _, Sha256};

use crate::request::Request;

const SECRET: &str = "an/issued+secret";
const DATE: &str = "20261123T210000Z";

fn now() -> Timestamp {
    static NOW: OnceLock<Timestamp> = OnceLock::new();
    *NOW.get_or_init(|| "2026-11-23T21:00:00Z".parse().expect("a time"))
}

/// Signs the request that the bytes hold, changes it as the first bytes say, and asks ours.
pub fn check(data: &[u8]) {
    let Some((control, text)) = data.split_first_chunk::<5>() else { return };
    let Some(request) = Request::parse(text) else { return };
    let mut asked = Asked::of(&request, control[0]);
    asked.sign();
    asked.change(control[1], usize::from(control[2]), control[3], control[4]);
    let Some(presented) = asked.presented() else { return };
    let head = Head {
        method: &asked.method,
        target: &asked.target,
        authority: "gate.internal:8080",
        headers: &asked.headers,
    };
    let Ok(claimed) = claim(&head, now()) else { return };
    let sha256: [u8; 32] = Sha256::digest(&asked.body).into();
    let proven = claimed.prove(
        &KeyCache::new(),
        &Secret::new(SECRET.to_owned()),
        &head,
        Body::Held { sha256: &sha256 },
    );
    if proven.is_err() {
        return;
    }
    let signed: Vec<&str> = presented.signed_headers.split(';').collect();
    assert!(signed.contains(&"host"), "the host is not under the signature");
    for name in asked.headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with("x-amz-")) {
        let vouched = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-user-agent"]
            .contains(&name);
        assert!(vouched || signed.contains(&name), "`{name}` is not under the signature");
    }
    let made = asked.signature(&presented.scope, &presented.date, &presented.signed_headers);
    assert_eq!(made, presented.signature, "ours accepts what the vendor's description does not");
}

struct Asked {
    method: String,
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
    s3: bool,
}

struct Presented {
    scope: String,
    date: String,
    signed_headers: String,
    signature: String,
}

impl Asked {
    fn of(request: &Request<'_>, control: u8) -> Self {
        let s3 = control & 1 == 1;
        let mut headers = request.headers.clone();
        headers.remove("authorization");
        headers.insert("host", HeaderValue::from_static("gate.internal:8080"));
        headers.insert("x-amz-date", HeaderValue::from_static(DATE));
        let body = request.body.to_vec();
        if s3 || control & 2 == 2 {
            let hash = hex::encode(Sha256::digest(&body));
            headers.insert("x-amz-content-sha256", HeaderValue::from_str(&hash).expect("hexadecimal digits"));
        } else {
            headers.remove("x-amz-content-sha256");
        }
        Self { method: request.method.to_owned(), target: request.target.to_owned(), headers, body, s3 }
    }

    fn sign(&mut self) {
        let mut names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let signed = names.join(";");
        let service = if self.s3 { "s3" } else { "ec2" };
        let scope = format!("20261123/eu-west-1/{service}/aws4_request");
        let signature = self.signature(&scope, DATE, &signed);
        let value = format!(
            "AWS4-HMAC-SHA256 Credential=AKORABCDEFGHIJKLMNOP/{scope}, SignedHeaders={signed}, Signature={signature}"
        );
        self.headers.insert("authorization", HeaderValue::from_str(&value).expect("visible ASCII"));
    }

    /// Changes one place: what, where, and to which byte.
    fn change(&mut self, what: u8, place: usize, byte: u8, other: u8) {
        let letter = char::from(byte % 95 + 32);
        match what % 9 {
            0 => {}
            1 => self.method = ["GET", "PUT", "POST", "DELETE", "HEAD"][usize::from(byte) % 5].to_owned(),
            2 => insert(&mut self.target, place, letter),
            3 => replace(&mut self.target, place, letter),
            4 if !self.body.is_empty() => {
                let at = place % self.body.len();
                self.body[at] = byte;
            }
            5 => self.body.push(byte),
            6 => {
                let Some(name) = self.headers.keys().nth(place % self.headers.len()).cloned() else { return };
                let mut value = self.headers[&name].to_str().unwrap_or_default().to_owned();
                if other & 1 == 1 {
                    replace(&mut value, usize::from(other), letter)
                } else {
                    insert(&mut value, usize::from(other), letter)
                }
                if let Ok(value) = HeaderValue::from_str(&value) {
                    self.headers.insert(name, value);
                }
            }
            7 => {
                let names =
                    ["x-amz-acl", "x-amz-copy-source", "x-amz-date", "content-type", "x-amz-security-token"];
                let name = HeaderName::from_static(names[usize::from(byte) % names.len()]);
                self.headers.append(name, HeaderValue::from_static("x"));
            }
            _ => {
                let Some(name) = self.headers.keys().nth(place % self.headers.len()).cloned() else { return };
                self.headers.remove(name);
            }
        }
    }

    fn presented(&self) -> Option<Presented> {
        let value = self.headers.get("authorization")?.to_str().ok()?;
        let part = |name: &str| {
            let from = value.find(name)? + name.len();
            Some(value[from..].split([',', ' ']).next().unwrap_or_default().to_owned())
        };
        let credential = part("Credential=")?;
        let (_, scope) = credential.split_once('/')?;
        let date = self.headers.get("x-amz-date")?.to_str().ok()?.to_owned();
        Some(Presented {
            scope: scope.to_owned(),
            date,
            signed_headers: part("SignedHeaders=")?,
            signature: part("Signature=")?,
        })
    }

    /// What the vendor's description makes of it.
    fn signature(&self, scope: &str, date: &str, signed_headers: &str) -> String {
        let canonical = self.canonical(signed_headers);
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let mut key = format!("AWS4{SECRET}").into_bytes();
        for part in scope.split('/') {
            key = mac(&key, part.as_bytes());
        }
        hex::encode(mac(&key, to_sign.as_bytes()))
    }

    fn canonical(&self, signed_headers: &str) -> Vec<u8> {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let path = if self.s3 { path.to_owned() } else { escaped(&folded(path), true) };
        let mut pairs: Vec<(String, String)> = query
            .split('&')
            .filter(|piece| !piece.is_empty())
            .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
            .map(|(name, value)| (escaped(&unescaped(name), false), escaped(&unescaped(value), false)))
            .collect();
        pairs.sort();
        let query: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut text = format!("{}\n{path}\n{}\n", self.method, query.join("&")).into_bytes();
        for name in signed_headers.split(';') {
            let mut values: Vec<String> = self.headers.get_all(name).iter().map(squeezed).collect();
            if name == "host" && values.is_empty() {
                values.push("gate.internal:8080".to_owned());
            }
            text.extend_from_slice(format!("{name}:").as_bytes());
            text.extend(values.join(",").chars().map(|letter| letter as u8));
            text.push(b'\n');
        }
        let declared = self.headers.get("x-amz-content-sha256").map(squeezed);
        let payload = declared.unwrap_or_else(|| hex::encode(Sha256::digest(&self.body)));
        text.extend_from_slice(format!("\n{signed_headers}\n{payload}").as_bytes());
        text
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn insert(text: &mut String, place: usize, letter: char) {
    if text.is_ascii() {
        text.insert(place % (text.len() + 1), letter);
    }
}

fn replace(text: &mut String, place: usize, letter: char) {
    if text.is_ascii() && !text.is_empty() {
        let at = place % text.len();
        text.replace_range(at..=at, letter.encode_utf8(&mut [0; 4]));
    }
}

/// A header's value with its ends cut and its runs of spaces made one, byte for byte as Latin-1.
fn squeezed(value: &HeaderValue) -> String {
    let text: String = value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
    text.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn folded(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let end = path.rsplit('/').next().unwrap_or_default();
    let slash = !kept.is_empty() && matches!(end, "" | "." | "..");
    format!("/{}{}", kept.join("/"), if slash { "/" } else { "" })
}

fn escaped(text: &str, keep_slash: bool) -> String {
    let mut out = String::new();
    for byte in text.chars().map(|letter| letter as u8) {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (keep_slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes text");
        }
    }
    out
}

/// Percent escapes undone, byte for byte as Latin-1.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(char::from(byte));
                at += 3;
            }
            None => {
                out.push(char::from(bytes[at]));
                at += 1;
            }
        }
    }
    out
}
