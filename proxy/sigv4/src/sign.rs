//! Signing again: a request that was proven leaves under the real key pair.
//!
//! Changes only what belongs to signing: credential headers and query credentials, `x-amz-date`, the session token,
//! the payload's declaration and `host`. Leaves out every other header.

use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::authorization::reserved;
use crate::canonical::{Canonical, PathRules, hex_of, is_s3};
use crate::chunk::ChunkSigner;
use crate::{AmzDate, KeyCache, KeyPair, Payload, Proven, Scope, SignError};

/// The headers that carry a credential or belong to a signature. None of the caller's goes on.
const REPLACED: [&str; 4] = ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];

/// Takes the caller's credentials out of a request, wherever they stand; returns the target without them.
///
/// What is left of the target stays byte for byte.
#[must_use]
pub fn strip(target: &str, headers: &mut HeaderMap) -> String {
    for name in REPLACED {
        headers.remove(name);
    }
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|piece| reserved(piece.split_once('=').map_or(piece, |(name, _)| name)).is_none())
        .collect();
    let kept = kept.join("&");
    // A bare `?` is kept only where it was there before: nothing of the caller's is tidied up.
    if kept.is_empty() && !query.is_empty() { path.to_owned() } else { format!("{path}?{kept}") }
}

/// What a request is signed as.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query, without credentials: what [`strip`] returned.
    pub target: &'a str,
    /// Host and port it is sent to.
    pub host: &'a str,
    /// The region of the credential scope.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
    /// The present time.
    pub now: Timestamp,
    /// What is signed for the body.
    pub payload: Payload,
    /// The payload is to be declared even where the service does not ask for it.
    pub declare: bool,
}

impl<'a> Outgoing<'a> {
    /// The body is signed for as it was signed by the caller.
    #[must_use]
    pub const fn with_payload_of(mut self, proven: &Proven) -> Self {
        self.payload = proven.payload();
        self.declare = proven.is_declared();
        self
    }
}

/// A request that carries the real signature.
#[derive(Debug)]
#[must_use]
pub struct Signed {
    payload: Payload,
    chunks: ChunkSigner,
}

impl Signed {
    /// What was signed for the body.
    #[must_use]
    pub const fn payload(&self) -> Payload {
        self.payload
    }

    pub(crate) fn chunk_signer(&self) -> ChunkSigner {
        self.chunks.clone()
    }
}

/// Signs a request in its header, with the key pair's session token where it has one. The caller's credentials
/// must be out of it: see [`strip`].
///
/// # Errors
/// [`SignError`] when something cannot be sent in a header. Nothing must be sent then.
pub fn sign(
    keys: &KeyCache,
    pair: &KeyPair,
    outgoing: &Outgoing<'_>,
    headers: &mut HeaderMap,
) -> Result<Signed, SignError> {
    let payload = outgoing.payload.text().ok_or(SignError::Header("payload's hash"))?;
    let date = AmzDate::of(outgoing.now).ok_or(SignError::Clock)?;
    let credential =
        format!("{}/{}/{}/{}/aws4_request", pair.id, date.day(), outgoing.region, outgoing.service);
    let scope = Scope::parse(&credential).map_err(|_| SignError::Header("credential scope"))?;
    headers.insert(HOST, text(outgoing.host, "host")?);
    headers.insert("x-amz-date", text(date.as_str(), "date")?);
    if outgoing.declare || is_s3(outgoing.service) || outgoing.payload.is_chunked() {
        headers.insert("x-amz-content-sha256", text(&payload, "payload's hash")?);
    }
    if let Some(token) = &pair.session_token {
        let mut value = text(token.expose(), "session token")?;
        value.set_sensitive(true);
        headers.insert("x-amz-security-token", value);
    }
    let signed_headers = to_sign(headers);
    let (path, query) = outgoing.target.split_once('?').unwrap_or((outgoing.target, ""));
    let canonical = Canonical {
        method: outgoing.method,
        path,
        rules: PathRules::of(outgoing.service),
        query,
        host: outgoing.host.as_bytes(),
        authority: outgoing.host.as_bytes(),
        headers,
        signed_headers: &signed_headers,
        payload: &payload,
    };
    let hash = canonical.hash().map_err(|_| SignError::Target)?;
    let (key, kept) = keys.get(&pair.secret, &scope);
    if !kept {
        keys.keep(&pair.secret, &scope, &key);
    }
    let signature = key.sign(&[
        b"AWS4-HMAC-SHA256\n",
        date.as_str().as_bytes(),
        b"\n",
        scope.without_key().as_bytes(),
        b"\n",
        &hash,
    ]);
    let signature = hex_of(&signature);
    let mut authorization = text(
        &format!(
            "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed_headers}, Signature={}",
            str::from_utf8(&signature).unwrap_or_default()
        ),
        "signature",
    )?;
    authorization.set_sensitive(true);
    headers.insert(AUTHORIZATION, authorization);
    Ok(Signed { payload: outgoing.payload, chunks: ChunkSigner::new(key, &date, &scope, signature) })
}

/// The headers that bear on what a service does, and that nothing on the way rewrites.
fn to_sign(headers: &HeaderMap) -> String {
    let mut names: Vec<&str> = headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| {
            matches!(*name, "host" | "content-type" | "content-md5" | "content-encoding")
                || name.starts_with("x-amz-")
        })
        .collect();
    names.sort_unstable();
    names.join(";")
}

fn text(text: &str, what: &'static str) -> Result<HeaderValue, SignError> {
    HeaderValue::from_str(text).map_err(|_| SignError::Header(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_out_and_nothing_else() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-meta-date", "content-type"]
        {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        let target = strip(
            "/k%2fey?X-Amz-Algorithm=a&b=%7e+1&X-Amz-Signature=s&&X%2dAmz-Expires=1&x-amz-credential=c&list",
            &mut headers,
        );
        assert_eq!(target, "/k%2fey?b=%7e+1&&list");
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-type", "x-amz-meta-date"]);
        assert_eq!(strip("/a?X-Amz-Signature=1", &mut HeaderMap::new()), "/a");
        assert_eq!(strip("/a?", &mut HeaderMap::new()), "/a?");
        assert_eq!(strip("/a", &mut HeaderMap::new()), "/a");
    }
}
