//! The line that keeps a key: what is public in plain sight, what is secret sealed, each bound to the other.
//!
//! Leaves out files.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ordain_action::{ActorKind, Party};
use ordain_sigv4::{KeyPair, Secret};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::{Zeroize as _, Zeroizing};

use super::issued::{IssuedKey, KeyForm, Minted, Real};
use super::seal::SealingKey;
use super::token::TokenHash;
use super::{KeyError, Line};

/// The version of the lines of key pairs, part of what is sealed.
const PAIR: u32 = 1;

/// The version of the lines of tokens. Builds before tokens say that they do not read it.
const TOKEN: u32 = 2;

/// The version of the lines of key pairs that were given for a token: they have a session token and a lineage of their
/// own, and nothing real behind them.
const GIVEN: u32 = 3;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    // Kept as text: what is sealed is bound to these very bytes.
    key: Box<RawValue>,
    sealed: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Public {
    id: String,
    actor: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    on_behalf_of: Vec<OnBehalfOf>,
    upstream: String,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inactive: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lineage: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minted: Option<PublicMinted>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnBehalfOf {
    actor: String,
    kind: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicMinted {
    principal: String,
    expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    account: String,
    lineage: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hidden {
    secret: String,
    session_token: Option<String>,
    real_id: Option<String>,
    real_secret: Option<String>,
    real_token: Option<String>,
}

impl Drop for Hidden {
    fn drop(&mut self) {
        self.secret.zeroize();
        self.session_token.zeroize();
        self.real_id.zeroize();
        self.real_secret.zeroize();
        self.real_token.zeroize();
    }
}

/// What is sealed of a token. Its hash opens nothing; sealed with the rest, it cannot be put on another line either.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HiddenToken {
    token_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    real_bearer: Option<String>,
}

impl Drop for HiddenToken {
    fn drop(&mut self) {
        self.real_bearer.zeroize();
    }
}

/// The line of a key, without its end.
pub(super) fn write(key: &IssuedKey, sealing: &SealingKey) -> Result<String, KeyError> {
    let public = serde_json::value::to_raw_value(&public(key)).map_err(|_| KeyError::Cryptography)?;
    let (version, hidden) = hidden(key)?;
    let sealed = STANDARD.encode(sealing.seal(&about(version, public.get()), &hidden)?);
    serde_json::to_string(&Written { version, key: public, sealed }).map_err(|_| KeyError::Cryptography)
}

fn public(key: &IssuedKey) -> Public {
    let lineage: Vec<String> = key.lineage.iter().map(ToString::to_string).collect();
    let (lineage, of_minted) =
        if key.minted.is_some() { (Vec::new(), lineage) } else { (lineage, Vec::new()) };
    Public {
        id: key.id.to_string(),
        actor: key.party.name.to_string(),
        kind: key.party.kind.as_str().to_owned(),
        on_behalf_of: key
            .on_behalf_of
            .iter()
            .map(|party| OnBehalfOf { actor: party.name.to_string(), kind: party.kind.as_str().to_owned() })
            .collect(),
        upstream: key.upstream.to_string(),
        created: key.created,
        expires: key.expires,
        revoked: key.revoked,
        inactive: key.inactive,
        lineage,
        minted: key.minted.as_ref().map(|minted| PublicMinted {
            principal: minted.principal.to_string(),
            expires: minted.expires,
            account: minted.account.to_string(),
            lineage: of_minted,
        }),
    }
}

/// What is secret of a key, and the version of the line that has it.
fn hidden(key: &IssuedKey) -> Result<(u32, Zeroizing<String>), KeyError> {
    let plain = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let minted = key.minted.as_ref();
    let (version, text) = match (&key.form, minted.map(|minted| &minted.real)) {
        (KeyForm::Pair(secret), None | Some(Real::Pair(_))) => {
            let real = minted.and_then(|minted| minted.real.pair());
            let hidden = Hidden {
                secret: secret.expose().to_owned(),
                session_token: plain(&key.session_token),
                real_id: real.map(|real| real.id.clone()),
                real_secret: real.map(|real| real.secret.expose().to_owned()),
                real_token: real.and_then(|real| plain(&real.session_token)),
            };
            let version = if key.session_token.is_some() && minted.is_none() { GIVEN } else { PAIR };
            (version, serde_json::to_string(&hidden))
        }
        (KeyForm::Token(hash), None | Some(Real::Bearer(_))) => {
            let real = minted.and_then(|minted| minted.real.bearer());
            let real_bearer = real.map(|real| real.expose().to_owned());
            (TOKEN, serde_json::to_string(&HiddenToken { token_sha256: hash.to_hex(), real_bearer }))
        }
        // INVARIANT: what is minted has the form of what stands behind it; there is no line for anything else.
        (KeyForm::Pair(_), Some(Real::Bearer(_))) | (KeyForm::Token(_), Some(Real::Pair(_))) => {
            return Err(KeyError::Cryptography);
        }
    };
    Ok((version, Zeroizing::new(text.map_err(|_| KeyError::Cryptography)?)))
}

/// Reads a line; says what is wrong with it otherwise.
pub(super) fn read(line: &str, sealing: &SealingKey) -> Result<IssuedKey, Line> {
    let written: Written = serde_json::from_str(line).map_err(|_| Line::Malformed)?;
    if ![PAIR, TOKEN, GIVEN].contains(&written.version) {
        return Err(Line::Version(written.version));
    }
    let public: Public = serde_json::from_str(written.key.get()).map_err(|_| Line::Malformed)?;
    let sealed = STANDARD.decode(&written.sealed).map_err(|_| Line::Malformed)?;
    let hidden = sealing.open(&about(written.version, written.key.get()), &sealed).ok_or(Line::Sealed)?;
    let (form, real, session_token) =
        if written.version == TOKEN { token_of(&hidden)? } else { pair_of(&hidden)? };
    let party = |name: &str, kind: &str| {
        ActorKind::parse(kind).map(|kind| Party { name: name.into(), kind }).ok_or(Line::Malformed)
    };
    let given = !public.lineage.is_empty();
    let (minted, lineage) = match (public.minted, real) {
        // INVARIANT: what has a session token and nothing real behind it descends from a key that can end it.
        (None, None) if given == (written.version == GIVEN) && given == session_token.is_some() => {
            (None, public.lineage)
        }
        (Some(minted), Some(real)) if !given && written.version != GIVEN => {
            let kept = Minted {
                real,
                expires: minted.expires,
                principal: minted.principal.into(),
                account: minted.account.into(),
            };
            (Some(kept), minted.lineage)
        }
        (None | Some(_), None | Some(_)) => return Err(Line::Malformed),
    };
    Ok(IssuedKey {
        id: public.id.into(),
        form,
        party: party(&public.actor, &public.kind)?,
        on_behalf_of: public
            .on_behalf_of
            .iter()
            .map(|other| party(&other.actor, &other.kind))
            .collect::<Result<_, _>>()?,
        upstream: public.upstream.into(),
        created: public.created,
        expires: public.expires,
        revoked: public.revoked,
        inactive: public.inactive,
        session_token,
        lineage: lineage.into_iter().map(Arc::from).collect(),
        minted,
    })
}

type Opened = (KeyForm, Option<Real>, Option<Secret>);

fn pair_of(hidden: &str) -> Result<Opened, Line> {
    let mut hidden: Hidden = serde_json::from_str(hidden).map_err(|_| Line::Malformed)?;
    let real = match (hidden.real_id.take(), hidden.real_secret.take()) {
        (None, None) => None,
        (Some(id), Some(secret)) => Some(Real::Pair(KeyPair {
            id,
            secret: Secret::new(secret),
            session_token: hidden.real_token.take().map(Secret::new),
        })),
        (None, Some(_)) | (Some(_), None) => return Err(Line::Malformed),
    };
    let secret = Secret::new(std::mem::take(&mut hidden.secret));
    Ok((KeyForm::Pair(secret), real, hidden.session_token.take().map(Secret::new)))
}

fn token_of(hidden: &str) -> Result<Opened, Line> {
    let mut hidden: HiddenToken = serde_json::from_str(hidden).map_err(|_| Line::Malformed)?;
    let hash = TokenHash::from_hex(&hidden.token_sha256).ok_or(Line::Malformed)?;
    Ok((KeyForm::Token(hash), hidden.real_bearer.take().map(|real| Real::Bearer(Secret::new(real))), None))
}

fn about(version: u32, public: &str) -> Vec<u8> {
    format!("ordain issued key {version}\n{public}").into_bytes()
}
