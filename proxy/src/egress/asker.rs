//! Who asks a proxy: an issued key's id and secret, as name and password (RFC 7617).
//!
//! Leaves out who signs what comes through the tunnel, which has to be the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::keys::KeyStore;
use crate::listen::{Asker, ProxyRefusal};

/// Who a value of `proxy-authorization` is from.
///
/// # Errors
/// [`ProxyRefusal::CredentialRefused`]: it is not of that form, or of no key that is valid now.
pub fn asker(keys: &KeyStore, value: &[u8], now: Timestamp) -> Result<Asker, ProxyRefusal> {
    read(keys, value, now).ok_or(ProxyRefusal::CredentialRefused)
}

fn read(keys: &KeyStore, value: &[u8], now: Timestamp) -> Option<Asker> {
    let (scheme, encoded) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    // Compared in constant time.
    let key = keys.find(id).filter(|key| key.is_known_by(secret))?;
    if !keys.is_in_force(&key, now) {
        return None;
    }
    Some(Asker { party: key.party.clone(), on_behalf_of: key.on_behalf_of.clone(), id: key.id.clone() })
}
