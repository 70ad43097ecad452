//! A signer for attackers: Signature Version 4 from the vendor's description, over whatever it is told to sign.
//!
//! Ours refuses to sign what no service takes; whoever attacks has one that does not. Shares no code with it. Leaves
//! out folding and escaping paths twice, which only services with odd paths need.

use sha2::{Digest as _, Sha256};

use super::client::{Client, Key, sha256};

/// A request, and how it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Craft {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) key: Key,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) algorithm: String,
    pub(crate) terminator: String,
    pub(crate) time: jiff::Timestamp,
    /// The credential's day, where it is not the time's.
    pub(crate) day: Option<String>,
    /// What stands for the body's hash.
    pub(crate) payload: Option<String>,
    /// The list of signed headers as it is written, where it is not all of them.
    pub(crate) signed: Option<String>,
    /// Headers that are added after signing.
    pub(crate) added: Vec<(String, String)>,
    /// The body that is sent, where it is not the signed one.
    pub(crate) sent: Option<Vec<u8>>,
}

impl Craft {
    pub(crate) fn new(client: &Client, service: &str, method: &str, target: &str, body: &[u8]) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            host: client.gate.to_string(),
            headers: Vec::new(),
            body: body.to_vec(),
            key: client.key.clone(),
            region: client.region.to_owned(),
            service: service.to_owned(),
            algorithm: "AWS4-HMAC-SHA256".to_owned(),
            terminator: "aws4_request".to_owned(),
            time: now(),
            day: None,
            payload: (service == "s3").then(|| sha256(body)),
            signed: None,
            added: Vec::new(),
            sent: None,
        }
    }

    /// A call of a query protocol.
    pub(crate) fn form(client: &Client, service: &str, body: &str) -> Self {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        Self::new(client, service, "POST", "/", body.as_bytes()).with("content-type", form)
    }

    /// One header more, under the signature.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// One header more, outside it.
    pub(crate) fn adding(mut self, name: &str, value: &str) -> Self {
        self.added.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Any other change before signing.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn date(&self) -> String {
        self.time.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    fn scope(&self) -> String {
        let day = self.day.clone().unwrap_or_else(|| self.date()[..8].to_owned());
        format!("{day}/{}/{}/{}", self.region, self.service, self.terminator)
    }

    fn signing_headers(&self) -> Vec<(String, String)> {
        let mut all = self.headers.clone();
        all.push(("host".to_owned(), self.host.clone()));
        all.push(("x-amz-date".to_owned(), self.date()));
        if let Some(payload) = &self.payload {
            all.push(("x-amz-content-sha256".to_owned(), payload.clone()));
        }
        all
    }

    fn signature(&self, target: &str, headers: &[(String, String)], signed: &str, payload: &str) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut pairs: Vec<String> = query
            .split('&')
            .filter(|piece| !piece.is_empty())
            .map(|piece| if piece.contains('=') { piece.to_owned() } else { format!("{piece}=") })
            .collect();
        pairs.sort();
        let mut text = format!("{}\n{path}\n{}\n", self.method, pairs.join("&"));
        for name in signed.split(';') {
            let values: Vec<&str> = headers
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
                .collect();
            text.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        text.push_str(&format!("\n{signed}\n{payload}"));
        let to_sign =
            format!("{}\n{}\n{}\n{}", self.algorithm, self.date(), self.scope(), sha256(text.as_bytes()));
        self.mac_of(&to_sign)
    }

    fn mac_of(&self, to_sign: &str) -> String {
        let mut key = format!("AWS4{}", self.key.secret).into_bytes();
        for part in self.scope().split('/') {
            key = mac(&key, part.as_bytes());
        }
        hex::encode(mac(&key, to_sign.as_bytes()))
    }

    /// The head with its signature, and the signature alone.
    pub(crate) fn head(&self) -> (String, String) {
        let headers = self.signing_headers();
        let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        names.dedup();
        let signed = self.signed.clone().unwrap_or_else(|| names.join(";"));
        let payload = self.payload.clone().unwrap_or_else(|| sha256(&self.body));
        let signature = self.signature(&self.target, &headers, &signed, &payload);
        let authorization = format!(
            "{} Credential={}/{}, SignedHeaders={signed}, Signature={signature}",
            self.algorithm,
            self.key.id,
            self.scope()
        );
        let mut all = headers;
        all.push(("authorization".to_owned(), authorization));
        all.extend(self.added.clone());
        (self.written(&self.target, &all), signature)
    }

    fn written(&self, target: &str, headers: &[(String, String)]) -> String {
        let mut head = format!("{} {target} HTTP/1.1\r\n", self.method);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = self.sent.as_ref().unwrap_or(&self.body).len();
        if !headers.iter().any(|(name, _)| name == "transfer-encoding") {
            head.push_str(&format!("content-length: {length}\r\n"));
        }
        head + "\r\n"
    }

    /// The whole request.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head().0.into_bytes();
        bytes.extend_from_slice(self.sent.as_ref().unwrap_or(&self.body));
        bytes
    }

    /// The target with its signature in the query; only the host is signed.
    pub(crate) fn presigned(&self, expires: u64) -> String {
        let mark = if self.target.contains('?') { '&' } else { '?' };
        let target = format!(
            "{}{mark}X-Amz-Algorithm={}&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host",
            self.target,
            self.algorithm,
            escaped(&format!("{}/{}", self.key.id, self.scope())),
            self.date(),
        );
        let payload = if self.service == "s3" { "UNSIGNED-PAYLOAD".to_owned() } else { sha256(&self.body) };
        let headers = [("host".to_owned(), self.host.clone())];
        let signature = self.signature(&target, &headers, "host", &payload);
        format!("{target}&X-Amz-Signature={signature}")
    }

    /// A request by a presigned target, which may be another's.
    pub(crate) fn by_url(&self, target: &str) -> Vec<u8> {
        let mut headers = vec![("host".to_owned(), self.host.clone())];
        headers.extend(self.added.clone());
        let mut bytes = self.written(target, &headers).into_bytes();
        bytes.extend_from_slice(self.sent.as_ref().unwrap_or(&self.body));
        bytes
    }

    /// The pieces of a body in signed chunks, the end and the trailers last.
    pub(crate) fn chunks(&self, seed: &str, parts: &[&[u8]], trailer: Option<(&str, &str)>) -> Vec<Vec<u8>> {
        let mut previous = seed.to_owned();
        let mut pieces = Vec::new();
        for part in parts.iter().copied().chain([&[][..]]) {
            let to_sign = format!(
                "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{previous}\n{}\n{}",
                self.date(),
                self.scope(),
                sha256(b""),
                sha256(part)
            );
            previous = self.mac_of(&to_sign);
            let mut piece = format!("{:x};chunk-signature={previous}\r\n", part.len()).into_bytes();
            piece.extend_from_slice(part);
            if !part.is_empty() {
                piece.extend_from_slice(b"\r\n");
            }
            pieces.push(piece);
        }
        let mut end = String::new();
        if let Some((name, value)) = trailer {
            let hash = sha256(format!("{name}:{value}\n").as_bytes());
            let to_sign =
                format!("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{previous}\n{hash}", self.date(), self.scope());
            end = format!("{name}:{value}\r\nx-amz-trailer-signature:{}\r\n", self.mac_of(&to_sign));
        }
        pieces.push((end + "\r\n").into_bytes());
        pieces
    }
}

pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// HMAC with SHA-256, as RFC 2104 writes it.
fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

#[expect(clippy::disallowed_methods, reason = "a signature is made for the present time")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
