//! Signed JSON web tokens (RFC 7519): read strictly, and held against an issuer's keys and the time.
//!
//! Only signatures with public keys are known here: `none`, and secrets that both sides share, cannot be written down.
//! What a token's head says about keys (`jwk`, `jku`, `x5u`) is never looked at. Leaves out where keys come from (`jwks`)
//! and who a token is (`issuers`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::grant::Said;
use super::presented::unauthenticated;
use crate::fault::Fault;

/// The longest token: those of GitHub and of clusters have two kilobytes.
const TOKEN_MAX: usize = 16 * 1024;

/// How far an issuer's clock may be from ours.
pub(super) const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// The algorithms that can be taken, by their names in tokens.
pub const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

/// A token that was read. Nothing of it is proven.
#[derive(Debug)]
pub(super) struct Read<'a> {
    algorithm: Algorithm,
    /// The key that it says signed it.
    pub(super) kid: Option<String>,
    signed: &'a str,
    signature: &'a str,
    claims: Map<String, Value>,
}

/// A token that its issuer signed, and that is in time.
#[derive(Debug)]
pub(super) struct Proven {
    /// What it was signed with.
    pub(super) algorithm: Algorithm,
    pub(super) subject: String,
    /// When it ends.
    pub(super) expires: Timestamp,
    audience: Vec<String>,
    claims: Map<String, Value>,
}

/// A key of an issuer.
#[derive(Debug)]
pub(super) struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl Key {
    /// A key that signatures can be verified with; `None` for any other.
    pub(super) fn of(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let fitting: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(point) => match point.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(point) if point.curve == EllipticCurve::Ed25519 => {
                &[Algorithm::EdDSA]
            }
            // INVARIANT: a secret that both sides share verifies nothing.
            _ => return None,
        };
        // Where the issuer says what a key is for, it is for nothing else.
        let said = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
        let of_name =
            |algorithm: &Algorithm| said.as_ref().is_none_or(|said| *said == format!("{algorithm:?}"));
        let algorithms: Vec<Algorithm> = fitting.iter().copied().filter(of_name).collect();
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        (!algorithms.is_empty()).then_some(Self { kid: jwk.common.key_id, algorithms, key })
    }
}

/// The keys of an issuer's document; at most so many, for there are never more.
pub(super) fn keys_in(document: &[u8]) -> Result<Vec<Key>, String> {
    const KEYS_MAX: usize = 64;
    #[derive(Deserialize)]
    struct Document {
        keys: Vec<Value>,
    }
    let document: Document =
        serde_json::from_slice(document).map_err(|_| "it is no set of keys".to_owned())?;
    if document.keys.len() > KEYS_MAX {
        return Err(format!("it has more than {KEYS_MAX} keys"));
    }
    Ok(document.keys.into_iter().filter_map(Key::of).collect())
}

impl<'a> Read<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// A [`Fault`]: it is no token that can be verified with a public key.
    pub(super) fn new(token: &'a str) -> Result<Self, Fault> {
        if token.len() > TOKEN_MAX {
            return Err(invalid("it is too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or_else(|| invalid("it has no three parts"))?;
        let (header, claims) = signed.split_once('.').ok_or_else(|| invalid("it has no three parts"))?;
        if claims.contains('.') {
            return Err(invalid("it has more than three parts"));
        }
        let header: Header = part(header)?;
        if header.crit.is_some() {
            return Err(invalid("its head asks for what is not known here (`crit`)"));
        }
        let typ = header.typ.as_deref().map(str::to_ascii_lowercase);
        if !matches!(typ.as_deref(), None | Some("jwt" | "at+jwt" | "application/at+jwt")) {
            return Err(invalid("its `typ` is another than `JWT`"));
        }
        let known = ALGORITHMS.into_iter().find(|(name, _)| *name == header.alg);
        let Some((_, algorithm)) = known else {
            return Err(invalid(
                "its `alg` is none with a public key; have the issuer sign with `RS256`, `ES256` or `EdDSA`",
            ));
        };
        Ok(Self { algorithm, kid: header.kid, signed, signature, claims: part(claims)? })
    }

    /// The issuer that it names.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// Whether one of these keys could be the one that signed it.
    pub(super) fn has_key(&self, keys: &[Key]) -> bool {
        self.key(keys).is_some()
    }

    fn key<'k>(&self, keys: &'k [Key]) -> Option<&'k Key> {
        let mut fitting = keys.iter().filter(|key| {
            key.algorithms.contains(&self.algorithm) && (self.kid.is_none() || key.kid == self.kid)
        });
        // Two keys that fit are one that nobody named.
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// Verifies its signature with one of these keys, and that it is in time.
    ///
    /// # Errors
    /// A [`Fault`] in words that tell the caller what to do.
    pub(super) fn prove(self, keys: &[Key], now: Timestamp) -> Result<Proven, Fault> {
        let key = self.key(keys).ok_or_else(|| invalid("its issuer has no such key (`kid`)"))?;
        let verified = crypto::verify(self.signature, self.signed.as_bytes(), &key.key, self.algorithm);
        if !verified.unwrap_or(false) {
            return Err(invalid("its signature is not its issuer's"));
        }
        let time = |name: &str| time(self.claims.get(name), name);
        let expires = time("exp")?.ok_or_else(|| invalid("it says no end (`exp`)"))?;
        if now.duration_since(expires) >= SKEW {
            let text = format!("the token ended at `{expires}`; get a new one from its issuer");
            return Err(unauthenticated("token_expired", text));
        }
        for name in ["nbf", "iat"] {
            if let Some(begins) = time(name)?.filter(|begins| begins.duration_since(now) > SKEW) {
                let text =
                    format!("the token begins at `{begins}` (`{name}`), and it is `{now}`; set the clock");
                return Err(unauthenticated("token_not_yet", text));
            }
        }
        let subject = self.claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
        let subject = subject.ok_or_else(|| invalid("it says nothing about whose it is (`sub`)"))?.to_owned();
        let audience = match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        Ok(Proven { algorithm: self.algorithm, subject, expires, audience, claims: self.claims })
    }
}

impl Proven {
    /// Whether it was made for an audience, letter for letter.
    pub(super) fn is_for(&self, audience: &str) -> bool {
        self.audience.iter().any(|one| one == audience)
    }

    /// A claim.
    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// When it was made, where it says so.
    ///
    /// # Errors
    /// A [`Fault`]: what it says is no time.
    pub(super) fn issued(&self) -> Result<Option<Timestamp>, Fault> {
        time(self.claims.get("iat"), "iat")
    }

    /// The claims that are one value, by name.
    pub(super) fn said(&self) -> Said {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(is) => Some(is.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        self.claims.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
    }
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid("a part of it is not base64url"))?;
    serde_json::from_slice(&bytes).map_err(|_| invalid("a part of it is not the JSON that it should be"))
}

fn time(value: Option<&Value>, name: &str) -> Result<Option<Timestamp>, Fault> {
    let Some(value) = value else { return Ok(None) };
    // Some issuers write parts of a second, which are cut off.
    let seconds = value.as_i64().map(Some).unwrap_or_else(|| {
        let text = value.as_number()?.to_string();
        let (whole, part) = text.split_once('.')?;
        // A power of ten would make it another time than what stands before the point.
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| whole.parse().ok()).flatten()
    });
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(Some).ok_or_else(|| invalid(&format!("its `{name}` is no time")))
}

/// What is said of a token that is none of its issuer's.
pub(super) fn invalid(why: &str) -> Fault {
    unauthenticated("invalid_token", format!("the token is not taken: {why}; get a new one from its issuer"))
}
