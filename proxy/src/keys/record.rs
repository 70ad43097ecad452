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

use super::issued::{IssuedKey, Minted};
use super::seal::SealingKey;
use super::{KeyError, Line};

/// The version of the format, part of what is sealed.
const VERSION: u32 = 1;

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

/// The line of a key, without its end.
pub(super) fn write(key: &IssuedKey, sealing: &SealingKey) -> Result<String, KeyError> {
    let public = Public {
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
        minted: key.minted.as_ref().map(|minted| PublicMinted {
            principal: minted.principal.to_string(),
            expires: minted.expires,
            account: minted.account.to_string(),
            lineage: minted.lineage.iter().map(ToString::to_string).collect(),
        }),
    };
    let plain = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let minted = key.minted.as_ref();
    let hidden = Hidden {
        secret: key.secret.expose().to_owned(),
        session_token: minted.and_then(|minted| plain(&minted.session_token)),
        real_id: minted.map(|minted| minted.real.id.clone()),
        real_secret: minted.map(|minted| minted.real.secret.expose().to_owned()),
        real_token: minted.and_then(|minted| plain(&minted.real.session_token)),
    };
    let public = serde_json::value::to_raw_value(&public).map_err(|_| KeyError::Cryptography)?;
    let hidden = Zeroizing::new(serde_json::to_string(&hidden).map_err(|_| KeyError::Cryptography)?);
    let sealed = STANDARD.encode(sealing.seal(&about(public.get()), &hidden)?);
    serde_json::to_string(&Written { version: VERSION, key: public, sealed })
        .map_err(|_| KeyError::Cryptography)
}

/// Reads a line; says what is wrong with it otherwise.
pub(super) fn read(line: &str, sealing: &SealingKey) -> Result<IssuedKey, Line> {
    let written: Written = serde_json::from_str(line).map_err(|_| Line::Malformed)?;
    if written.version != VERSION {
        return Err(Line::Version(written.version));
    }
    let public: Public = serde_json::from_str(written.key.get()).map_err(|_| Line::Malformed)?;
    let sealed = STANDARD.decode(&written.sealed).map_err(|_| Line::Malformed)?;
    let hidden = sealing.open(&about(written.key.get()), &sealed).ok_or(Line::Sealed)?;
    let mut hidden: Hidden = serde_json::from_str(&hidden).map_err(|_| Line::Malformed)?;
    let party = |name: &str, kind: &str| {
        ActorKind::parse(kind).map(|kind| Party { name: name.into(), kind }).ok_or(Line::Malformed)
    };
    let minted = match (public.minted, hidden.real_id.take(), hidden.real_secret.take()) {
        (None, None, None) => None,
        (Some(minted), Some(id), Some(secret)) => Some(Minted {
            real: KeyPair {
                id,
                secret: Secret::new(secret),
                session_token: hidden.real_token.take().map(Secret::new),
            },
            session_token: hidden.session_token.take().map(Secret::new),
            expires: minted.expires,
            principal: minted.principal.into(),
            account: minted.account.into(),
            lineage: minted.lineage.into_iter().map(Arc::from).collect(),
        }),
        _ => return Err(Line::Malformed),
    };
    Ok(IssuedKey {
        id: public.id.into(),
        secret: Secret::new(std::mem::take(&mut hidden.secret)),
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
        minted,
    })
}

fn about(public: &str) -> Vec<u8> {
    format!("ordain issued key {VERSION}\n{public}").into_bytes()
}
