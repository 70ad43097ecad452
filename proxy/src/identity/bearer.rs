//! Identity by an issued token in `Authorization: Bearer`.
//!
//! Leaves out how tokens are kept (`keys`).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What every issued token begins with.
pub const BEGINNING: &str = "ordain.";

/// The id in an issued token, where a head presents one and nothing else.
#[must_use]
pub fn key_id(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let only = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
    let (scheme, token) = only.split_once(' ')?;
    let (id, _) = token.trim().strip_prefix(BEGINNING)?.split_once('.')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(id)
}
